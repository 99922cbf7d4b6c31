/* A table of texts as exchange files have it: from CSV, from a database. */
#ifndef INTRA_CORE_SHEET_H
#define INTRA_CORE_SHEET_H

#include "core/status.h"

#include <stdbool.h>
#include <stdint.h>

struct intra_sheet {
    char *text; /* what the cells point into, where they do not own their texts */
    char **names;
    int n_cols;
    char **cells; /* rows x n_cols; NULL: empty */
    int64_t n_rows, cap_rows;
    int64_t n_ragged; /* rows with more or fewer cells than the header */
};

void intra_sheet_fini(struct intra_sheet *sheet); /* a zeroed struct is fine */
/* Comma, semicolon or tab separated, as the header line shows; RFC 4180 quotes. The first row is the header. Short rows
 * end in empty cells, what a row has too much joins its last cell. Takes `text` (intra_alloc, NUL at its end) over in
 * any case. Errors: INTRA_E_FORMAT (no header), INTRA_E_MEM. */
enum intra_status intra_sheet_parse_csv(char *text, struct intra_sheet *out, struct intra_error *err);
/* Names first, then rows of NULL cells to be filled by set; both copy. */
enum intra_status intra_sheet_add_column(struct intra_sheet *sheet, const char *name, struct intra_error *err);
enum intra_status intra_sheet_add_row(struct intra_sheet *sheet, struct intra_error *err);
enum intra_status intra_sheet_set(struct intra_sheet *sheet, int64_t row, int col, const char *text,
                                  struct intra_error *err);
/* Column of a name, case ignored, '-' and ' ' like '_'; -1. */
int intra_sheet_find(const struct intra_sheet *sheet, const char *name);
/* NULL for an empty cell and for column -1. */
const char *intra_sheet_at(const struct intra_sheet *sheet, int64_t row, int col);

#endif
