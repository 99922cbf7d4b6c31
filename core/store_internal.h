/* What the files of the store share. Only for core/store*.c. */
#ifndef INTRA_CORE_STORE_INTERNAL_H
#define INTRA_CORE_STORE_INTERNAL_H

#include "core/store.h"

struct sqlite3;

enum { INTRA_STORE_RECORDS_SINCE = 4 }; /* version that has all tables of records */

struct sqlite3 *intra_store_db(struct intra_store *store);
int intra_store_version(const struct intra_store *store); /* of the file */
/* The error of the last SQLite call. */
enum intra_status intra_store_fail(struct intra_store *store, struct intra_error *err);

#endif
