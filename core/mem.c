#include "core/mem.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MEM_ALIGN 64

static atomic_long mem_calls;
static atomic_long mem_fail_call; /* number of the call that fails; 0 = none */
static atomic_int mem_fail_after;

static int is_failing(void)
{
    long call = atomic_fetch_add(&mem_calls, 1) + 1;
    long fail = atomic_load(&mem_fail_call);
    if (fail == 0) return 0;
    return call == fail || (call > fail && atomic_load(&mem_fail_after));
}

/* Aligned by hand on top of calloc, the way back in the byte before. aligned_alloc of glibc before 2.38 does not take
 * back what was freed (its bug 14581): chunk after chunk of a long pipe grew the process by a megabyte each. And calloc
 * knows which pages are zero already. */
void *intra_alloc(size_t count, size_t size)
{
    size_t bytes;
    unsigned char *raw, *ptr;
    if (is_failing()) return NULL;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX - 2 * MEM_ALIGN) return NULL;
    raw = calloc(1, bytes + MEM_ALIGN);
    if (!raw) return NULL;
    ptr = raw + MEM_ALIGN - (uintptr_t)raw % MEM_ALIGN;
    ptr[-1] = (unsigned char)(ptr - raw); /* 1 to 64 */
    return ptr;
}

void *intra_resize(void *ptr, size_t old_count, size_t new_count, size_t size)
{
    void *grown = intra_alloc(new_count, size);
    if (!grown) return NULL;
    if (ptr) memcpy(grown, ptr, (old_count < new_count ? old_count : new_count) * size);
    intra_free(ptr);
    return grown;
}

void intra_free(void *ptr)
{
    unsigned char *bytes = ptr;
    if (bytes) free(bytes - bytes[-1]);
}

char *intra_strdup(const char *text)
{
    size_t n = strlen(text) + 1;
    char *copy = intra_alloc(n, 1);
    if (copy) memcpy(copy, text, n);
    return copy;
}

enum intra_status intra_alloc_or_fail(void **out, size_t count, size_t size, const char *what, struct intra_error *err)
{
    *out = intra_alloc(count, size);
    if (!*out)
        return INTRA_FAIL(err, INTRA_E_MEM, "out of memory: %zu items of %zu bytes for %s; close other programs", count,
                          size, what);
    return INTRA_OK;
}

void intra_mem_fail_at(long nth, int and_after)
{
    atomic_store(&mem_fail_after, and_after);
    atomic_store(&mem_fail_call, nth ? atomic_load(&mem_calls) + nth : 0);
}

long intra_mem_count(void)
{
    return atomic_load(&mem_calls);
}
