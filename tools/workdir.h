/* The folder in which a result grows. Everything is written to OUT.part (to OUT/intrados.part where OUT exists) and
 * moved to OUT when complete, so that a run killed half-way leaves nothing half-written under a final name. The work
 * folder is locked while a run uses it; one left over by a killed run is cleared by the next. Until the result is
 * moved, SIGINT, SIGTERM and SIGHUP remove the work folder before they end the program. One work folder per process. */
#ifndef INTRA_TOOLS_WORKDIR_H
#define INTRA_TOOLS_WORKDIR_H

#include "core/status.h"

#include <stdbool.h>

struct intra_workdir {
    char out[1024];
    char part[1040]; /* the work folder */
    bool is_new;     /* OUT is not there, or empty */
    bool is_open;    /* the work folder is ours */
    int lock_fd;
};

/* Refuses an `out` in which the result would replace what it is made from: `input` is that folder itself, or a file in
 * it under one of our names (is_owned). INTRA_E_EXISTS. Call before intra_workdir_open. */
enum intra_status intra_workdir_spare(const char *out, const char *input, bool (*is_owned)(const char *name),
                                      struct intra_error *err);
/* Errors: INTRA_E_EXISTS (OUT holds files and is_forced is not set; the work folder belongs to a running
 * program, or a folder of that name holds somebody's files),
 * INTRA_E_IO (cannot make it), INTRA_E_ARG (OUT is a file or a name too long). Call before any thread is started. */
enum intra_status intra_workdir_open(struct intra_workdir *dir, const char *out, bool is_forced,
                                     struct intra_error *err);
/* The name inside the work folder into path (1100 bytes are enough). */
enum intra_status intra_workdir_path(const struct intra_workdir *dir, const char *name, char *path, int n,
                                     struct intra_error *err);
/* Move everything to OUT. Files of an earlier run that have no successor (is_owned says which names are ours) are
 * removed; other files in OUT stay. */
enum intra_status intra_workdir_publish(struct intra_workdir *dir, bool (*is_owned)(const char *name),
                                        struct intra_error *err);
/* Leave the work folder where it is, unlocked. */
void intra_workdir_leave(struct intra_workdir *dir);
/* Remove the work folder; fine when it is not open. */
void intra_workdir_discard(struct intra_workdir *dir);

#endif
