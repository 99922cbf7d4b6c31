/* The tables of inspection records in the project store: what a column is called, which field of core/inspection.h it
 * holds and of what type, once for creating, writing and reading. Only for core/store*.c. */
#ifndef INTRA_CORE_STORE_TABLES_H
#define INTRA_CORE_STORE_TABLES_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>

enum intra_store_type {
    INTRA_STORE_TEXT,  /* char *, NULL: NULL */
    INTRA_STORE_REAL,  /* double, NaN: NULL */
    INTRA_STORE_FLAG,  /* bool, 0 or 1 */
    INTRA_STORE_COUNT, /* int */
    INTRA_STORE_INDEX  /* int64_t, below 0: NULL */
};

struct intra_store_column {
    const char *name;
    enum intra_store_type type;
    size_t offset;
};

struct intra_store_table {
    const char *name;
    const char *leading;  /* columns that are bound one by one, in SQL */
    const char *selected; /* their names */
    int n_leading;
    const struct intra_store_column *columns;
    int n_columns;
    const char *trailing; /* constraints in SQL, "" */
};

extern const struct intra_store_table intra_store_record, intra_store_inspection, intra_store_inspection_grade,
    intra_store_observation, intra_store_grade, intra_store_region, intra_store_frame_region, intra_store_frame_point,
    intra_store_media, intra_store_field;

/* SQL that makes all of these tables, their indices and views; *out is intra_alloc memory. Errors: INTRA_E_MEM. */
/* The statement that makes v_rehab. */
const char *intra_store_rehab_view_sql(void);
enum intra_status intra_store_records_sql(char **out, struct intra_error *err);
/* "INSERT INTO t (columns) VALUES (?, ...)" and "SELECT columns FROM t `order`". False where it does not fit n bytes.
 */
bool intra_store_insert_sql(const struct intra_store_table *t, char *out, size_t n);
bool intra_store_select_sql(const struct intra_store_table *t, const char *order, char *out, size_t n);

#endif
