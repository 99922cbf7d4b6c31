/* Whether an inspection was imported before. */
#ifndef INTRA_TOOLS_RECORD_AGAIN_H
#define INTRA_TOOLS_RECORD_AGAIN_H

#include "core/inspection.h"
#include "core/store.h"

/* The number (from 1) of the inspection in an open project that `inspection`, read from the file `path`, is once more;
 * the latest of several; 0: none. Format, id, pipe, date, time and direction
 * agree, and the file is the same, or the rows are, or pipe and date are known. Errors: those of
 * intra_store_read_records. */
enum intra_status intra_record_find_again(struct intra_store *store, const struct intra_inspection *inspection,
                                          const char *path, int64_t *out_number, struct intra_error *err);

#endif
