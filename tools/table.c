#include "tools/table.h"

#include "core/fileio.h"
#include "core/mem.h"
#include "core/units.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { TABLE_MAX_COLS = 256 };
static const size_t table_max_bytes = (size_t)1 << 30;

/* Cut one cell off at *at, in place; *is_last: it ends its row. NULL at the end of the text. */
static char *next_cell(char **at, bool *is_last)
{
    char *start = *at, *to = *at, *p = *at;
    char end;
    if (!*p) return NULL;
    if (*p == '"') {
        for (p++; *p && (*p != '"' || p[1] == '"'); p++) {
            if (*p == '"') p++;
            *to++ = *p;
        }
        if (*p == '"') p++;
        while (*p && *p != ',' && *p != '\n')
            p++;
    } else {
        while (*p && *p != ',' && *p != '\n')
            p++;
        to = p;
        if (to > start && to[-1] == '\r') to--;
    }
    end = *p;
    *to = 0;
    *is_last = end != ',';
    *at = end ? p + 1 : p;
    return start;
}

/* Cells of one row into `cells` (room for `cap`); their number, -1 when there are more. */
static int read_row(char **at, char **cells, int cap)
{
    int n = 0;
    bool is_last = false;
    while (!is_last) {
        char *cell;
        if (n == cap) return -1;
        cell = next_cell(at, &is_last);
        if (!cell) break;
        cells[n++] = cell;
    }
    return n;
}

static int64_t count_lines(const char *text)
{
    int64_t n = 1;
    for (; (text = strchr(text, '\n')) != NULL; text++)
        n++;
    return n;
}

enum intra_status intra_table_read(const char *path, struct intra_table *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    char *names[TABLE_MAX_COLS], *at;
    size_t size = 0;
    int64_t cap;
    memset(out, 0, sizeof *out);
    INTRA_TRY(intra_read_file(path, table_max_bytes, &out->text, &size, err));
    at = out->text;
    out->n_cols = read_row(&at, names, TABLE_MAX_COLS);
    if (out->n_cols < 1) {
        status = INTRA_FAIL(err, INTRA_E_FORMAT, "%s: no table: the first line should name the columns", path);
        goto done;
    }
    cap = count_lines(at);
    INTRA_TRY(INTRA_ALLOC(out->names, (size_t)out->n_cols, err));
    memcpy(out->names, names, (size_t)out->n_cols * sizeof *names);
    INTRA_TRY(INTRA_ALLOC(out->cells, (size_t)cap * (size_t)out->n_cols, err));
    while (*at) {
        char **row = out->cells + out->n_rows * out->n_cols;
        int n = read_row(&at, row, out->n_cols);
        if (n < 0) {
            status = INTRA_FAIL(err, INTRA_E_FORMAT, "%s: row %lld has more cells than the header names columns (%d)",
                                path, (long long)out->n_rows + 2, out->n_cols);
            goto done;
        }
        if (n == 1 && !row[0][0] && out->n_cols > 1) continue; /* an empty line */
        if (n < out->n_cols) {
            status = INTRA_FAIL(err, INTRA_E_FORMAT,
                                "%s: row %lld has %d cells, the header names %d columns; was the file cut off?", path,
                                (long long)out->n_rows + 2, n, out->n_cols);
            goto done;
        }
        out->n_rows++;
    }
done:
    if (status != INTRA_OK) intra_table_fini(out);
    return status;
}

void intra_table_fini(struct intra_table *table)
{
    intra_free(table->text);
    intra_free(table->cells);
    intra_free(table->names);
    memset(table, 0, sizeof *table);
}

int intra_table_find(const struct intra_table *table, const char *name)
{
    for (int i = 0; i < table->n_cols; i++)
        if (strcmp(table->names[i], name) == 0) return i;
    return -1;
}

const char *intra_table_text(const struct intra_table *table, int64_t row, int col)
{
    if (col < 0 || col >= table->n_cols || row < 0 || row >= table->n_rows) return "";
    return table->cells[row * table->n_cols + col];
}

double intra_table_number(const struct intra_table *table, int64_t row, int col)
{
    const char *text = intra_table_text(table, row, col), *end;
    double value;
    return intra_scan_number(text, &end, &value) && !*end ? value : (double)NAN;
}
