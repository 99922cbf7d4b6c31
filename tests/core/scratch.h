/* A folder of its own for each test program, under TMPDIR or /tmp, and small files in it. */
#ifndef INTRA_TESTS_CORE_SCRATCH_H
#define INTRA_TESTS_CORE_SCRATCH_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char scratch_dir[256];

static inline int scratch_setup(void **state)
{
    const char *base = getenv("TMPDIR");
    (void)state;
    snprintf(scratch_dir, sizeof scratch_dir, "%.200s/intra-test.XXXXXX", base && *base ? base : "/tmp");
    return mkdtemp(scratch_dir) ? 0 : -1;
}

static inline int scratch_teardown(void **state)
{
    char command[300];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", scratch_dir);
    return system(command);
}

/* The path of `name` in the folder; lives until the fourth next call. */
static inline const char *scratch_path(const char *name)
{
    static char paths[4][512];
    static int turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", scratch_dir, name);
    return path;
}

static inline const char *scratch_file(const char *name, const char *text)
{
    const char *path = scratch_path(name);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(text, 1, strlen(text), f) != strlen(text) || fclose(f) != 0) abort();
    return path;
}

#endif
