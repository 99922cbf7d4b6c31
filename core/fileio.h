/* Files that are never half-written: write beside (PATH.part), flush to disk, then rename. */
#ifndef INTRA_CORE_FILEIO_H
#define INTRA_CORE_FILEIO_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct intra_out_file {
    FILE *stream;    /* write here */
    char path[1024]; /* final name */
    char part[1040]; /* name while unfinished */
};

/* Errors: INTRA_E_IO with the path and the system's reason. */
enum intra_status intra_out_file_open(struct intra_out_file *file, const char *path, struct intra_error *err);
/* Checks every earlier write, flushes, renames; on any failure (disk full) the part file is removed. */
enum intra_status intra_out_file_commit(struct intra_out_file *file, struct intra_error *err);
/* Throws the part file away; fine after commit and on a zeroed struct. */
void intra_out_file_abandon(struct intra_out_file *file);

/* For libraries that write by name: the part name of `path` into out (n bytes), and the commit by rename. */
void intra_part_name(const char *path, char *out, size_t n);
enum intra_status intra_part_commit(const char *path, struct intra_error *err);

/* Whole file into memory of intra_alloc, with a NUL after the last byte; refuses more than max_bytes. */
enum intra_status intra_read_file(const char *path, size_t max_bytes, char **out, size_t *out_size,
                                  struct intra_error *err);
bool intra_path_exists(const char *path);
bool intra_path_is_dir(const char *path);
/* mkdir -p; fine when it exists. */
enum intra_status intra_make_dir(const char *path, struct intra_error *err);
/* dir + "/" + name; INTRA_E_ARG when longer than n. */
enum intra_status intra_path_join(char *out, size_t n, const char *dir, const char *name, struct intra_error *err);

#endif
