/* Inspection records in the project store. Tables and columns: docs/store_format.md. */
#ifndef INTRA_CORE_STORE_RECORDS_H
#define INTRA_CORE_STORE_RECORDS_H

#include "core/inspection.h"
#include "core/store.h"

/* Add a record to the finished store at `path`: all of it, or only the inspections whose flag is set (flags NULL: all).
 * Earlier ones stay. Done on a copy that is renamed when complete, so that a reader sees the store before or after.
 * *out_id is the number of the record in the store, from 1. Errors: INTRA_E_IO, INTRA_E_FORMAT (not a store),
 * INTRA_E_UNSUPPORTED (made by an earlier version of the program), INTRA_E_MEM. */
enum intra_status intra_store_add_record(const char *path, const struct intra_record *record, const bool *is_chosen,
                                         int64_t *out_id, struct intra_error *err);

/* The same, and the inspection of that number (0: none), with its record where that has no other, goes out in the same
 * step. Numbers are not given again: the new one gets the next. */
enum intra_status intra_store_replace_record(const char *path, const struct intra_record *record, int64_t replaced,
                                             int64_t *out_id, struct intra_error *err);

/* The file that an inspection of an open store was read from, as it was given; the caller frees (intra_free). Errors:
 * INTRA_E_FORMAT (no such inspection), INTRA_E_IO, INTRA_E_MEM. */
enum intra_status intra_store_record_path(struct intra_store *store, int64_t inspection, char **out,
                                          struct intra_error *err);

/* Everything that was added to an open store, all imports, in their order, into `record` (initialised by the caller,
 * who finishes it); as intra_store_add_record got it. `number` and `format` of each inspection are set. *out_unread:
 * observations that a store of an earlier version holds in a form that is not read any more. Errors: INTRA_E_FORMAT
 * (damaged), INTRA_E_IO, INTRA_E_MEM; record is then empty. */
enum intra_status intra_store_read_records(struct intra_store *store, struct intra_record *record, int64_t *out_unread,
                                           struct intra_error *err);

/* A file beside the store was made again: its row in the table `file`. In the same manner, and with the same errors. */
struct intra_store_file {
    const char *name;
    int64_t bytes;
    char sha256[65];
};
enum intra_status intra_store_update_files(const char *path, const struct intra_store_file *files, int n,
                                           struct intra_error *err);

/* One value of the table `meta`, set or replaced. In the same manner, and with the same errors. */
enum intra_status intra_store_update_meta(const char *path, const char *key, const char *value,
                                          struct intra_error *err);

#endif
