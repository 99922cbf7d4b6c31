/* All allocation goes through here: overflow-checked counts, zeroed memory, and a test hook that fails the N-th.
 * Safe from several threads. */
#ifndef INTRA_CORE_MEM_H
#define INTRA_CORE_MEM_H

#include "core/status.h"

#include <stddef.h>

/* Zeroed memory for `count` items of `size` bytes, 64-byte aligned; NULL when there is none or count*size overflows.
 * Release with intra_free. */
void *intra_alloc(size_t count, size_t size);

/* Grow or shrink memory of intra_alloc from old_count to new_count items; new items are zero. On failure NULL comes
 * back and `ptr` still stands. ptr may be NULL (old_count 0). */
void *intra_resize(void *ptr, size_t old_count, size_t new_count, size_t size);

void intra_free(void *ptr);

char *intra_strdup(const char *text);

/* INTRA_OK with *out filled, or INTRA_E_MEM with the size in the message. */
enum intra_status intra_alloc_or_fail(void **out, size_t count, size_t size, const char *what, struct intra_error *err);
#define INTRA_ALLOC(ptr, count, err) intra_alloc_or_fail((void **)&(ptr), (count), sizeof *(ptr), #ptr, (err))

/* Test hook: the nth allocation from now on (1 = the next) fails, and every later one too if `and_after`. 0 switches
 * it off. */
void intra_mem_fail_at(long nth, int and_after);
/* Allocations since the start of the process (for choosing N). */
long intra_mem_count(void);

#endif
