/* What the fuzz targets share. A target is one file, fuzz_NAME.c, with the one function below; it is linked with
 * libFuzzer (preset fuzz) and with replay.c (every build), and must come back from any bytes: what it finds wrong it
 * says by fuzz_must. */
#ifndef INTRA_TESTS_FUZZ_H
#define INTRA_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A folder of this process, in memory where the machine has such; removed at exit. */
const char *fuzz_dir(void);
/* Write `name` there (over what stands there); its path, good until the next call. */
const char *fuzz_put(const char *name, const void *data, size_t size);
/* All bytes of a file and a 0 after them; the caller frees with free(). Ends the program where it cannot be read. */
char *fuzz_get(const char *path, size_t *out_size);
/* The bytes as a text, 0 at the end; the caller frees with free(). */
char *fuzz_text(const uint8_t *data, size_t size);

/* Ends the program with `what` unless it holds: a crash for libFuzzer, a failed test for the replay. */
void fuzz_must(bool holds, const char *what);

#endif
