/* The project store: project.sqlite, one file with the scene and where it came from. Columns and units, one by one:
 * docs/store_format.md.
 *
 * A store is written once, in one transaction, beside its final name, and renamed when complete; from then on it is
 * only read, but for records that are added (core/store_records.h). The rasters of the wall stand in their TIFFs, not here. */
#ifndef INTRA_CORE_STORE_H
#define INTRA_CORE_STORE_H

#include "core/scene.h"

#include <stdint.h>

enum { INTRA_STORE_VERSION = 4 }; /* user_version of the schema */

struct intra_store;

/* Begin a store under the part name of `path`. Errors: INTRA_E_IO with the reason. */
enum intra_status intra_store_create(const char *path, struct intra_store **out, struct intra_error *err);
/* Open a finished one for reading. Errors: INTRA_E_IO (missing), INTRA_E_FORMAT (no SQLite file, not ours, damaged),
 * INTRA_E_UNSUPPORTED (a later schema). */
enum intra_status intra_store_open(const char *path, struct intra_store **out, struct intra_error *err);
/* Closes; one that was created and not committed disappears. NULL is fine. */
void intra_store_close(struct intra_store **store);

/* Everything of the scene but the rasters. Once per store. */
enum intra_status intra_store_write_scene(struct intra_store *store, const struct intra_scene *scene,
                                          struct intra_error *err);
/* Fills `scene` (initialised by the caller, who finishes it) as intra_store_write_scene got it, bit by bit but for
 * camera rotations (quaternions inside: to 1e-15); wall rasters are NULL. */
enum intra_status intra_store_read_scene(struct intra_store *store, struct intra_scene *scene, struct intra_error *err);

/* Provenance. A key is written once. */
enum intra_status intra_store_write_meta(struct intra_store *store, const char *key, const char *value,
                                         struct intra_error *err);
/* *out is intra_alloc memory, NULL where the key is not there. */
enum intra_status intra_store_read_meta(struct intra_store *store, const char *key, char **out,
                                        struct intra_error *err);
enum intra_status intra_store_write_library(struct intra_store *store, const char *name, const char *version,
                                            struct intra_error *err);
enum intra_status intra_store_write_stage(struct intra_store *store, const char *name, double wall_s, double cpu_s,
                                          int64_t items, struct intra_error *err);
enum intra_status intra_store_write_warning(struct intra_store *store, const char *text, struct intra_error *err);
enum intra_status intra_store_write_file(struct intra_store *store, const char *name, int64_t bytes, const char *sha256,
                                         struct intra_error *err);

/* The size that table `file` has of a file beside an open store; -1: it is not listed. Errors: INTRA_E_FORMAT,
 * INTRA_E_IO. */
enum intra_status intra_store_read_file(struct intra_store *store, const char *name, int64_t *out_bytes,
                                        struct intra_error *err);

/* The warnings in the order in which they were written; *out (NULL for none) and its texts go back to
 * intra_store_free_texts. */
enum intra_status intra_store_read_warnings(struct intra_store *store, char ***out, int *out_n,
                                            struct intra_error *err);
void intra_store_free_texts(char ***texts, int n);

/* Ends the transaction, flushes and renames; the store can then only be closed. INTRA_E_IO when the disk is full. */
enum intra_status intra_store_commit(struct intra_store *store, struct intra_error *err);

/* Version of the SQLite library in use. */
const char *intra_store_library_version(void);

#endif
