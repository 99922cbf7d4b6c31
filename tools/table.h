/* Comma-separated tables in (RFC 4180), columns found by their names. */
#ifndef INTRA_TOOLS_TABLE_H
#define INTRA_TOOLS_TABLE_H

#include "core/status.h"

#include <stdint.h>

struct intra_table {
    char *text;   /* the file, cut into cells */
    char **cells; /* n_rows x n_cols, then nothing; the header is apart */
    char **names;
    int n_cols;
    int64_t n_rows;
};

/* Empty lines are left out. Errors: INTRA_E_IO, INTRA_E_FORMAT (empty file, a row longer or shorter than the header:
 * a table that was cut off must not count as a shorter one). fini accepts a zeroed struct. */
enum intra_status intra_table_read(const char *path, struct intra_table *out, struct intra_error *err);
void intra_table_fini(struct intra_table *table);
/* Place of a column, -1 where there is none. */
int intra_table_find(const struct intra_table *table, const char *name);
/* "" and NaN outside the table and for empty cells; NaN for what is no number. */
const char *intra_table_text(const struct intra_table *table, int64_t row, int col);
double intra_table_number(const struct intra_table *table, int64_t row, int col);

#endif
