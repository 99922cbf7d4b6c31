/* Tables of texts. */
#include "core/sheet.h"

#include "core/mem.h"

#include <ctype.h>
#include <string.h>

void intra_sheet_fini(struct intra_sheet *sheet)
{
    if (!sheet->text) {
        for (int64_t i = 0; i < sheet->n_rows * sheet->n_cols; i++)
            intra_free(sheet->cells[i]);
        for (int i = 0; i < sheet->n_cols; i++)
            intra_free(sheet->names[i]);
    }
    intra_free(sheet->cells);
    intra_free(sheet->names);
    intra_free(sheet->text);
    *sheet = (struct intra_sheet){0};
}

enum intra_status intra_sheet_add_column(struct intra_sheet *sheet, const char *name, struct intra_error *err)
{
    char *copy = intra_strdup(name);
    char **grown = intra_resize(sheet->names, (size_t)sheet->n_cols, (size_t)sheet->n_cols + 1, sizeof *grown);
    if (grown) sheet->names = grown;
    if (!copy || !grown) {
        intra_free(copy);
        return INTRA_FAIL(err, INTRA_E_MEM, "no memory for a column");
    }
    sheet->names[sheet->n_cols++] = copy;
    return INTRA_OK;
}

enum intra_status intra_sheet_add_row(struct intra_sheet *sheet, struct intra_error *err)
{
    if (sheet->n_rows == sheet->cap_rows) {
        int64_t more = sheet->cap_rows ? 2 * sheet->cap_rows : 64;
        char **grown = intra_resize(sheet->cells, (size_t)(sheet->cap_rows * sheet->n_cols),
                                    (size_t)(more * sheet->n_cols), sizeof *grown);
        if (!grown) return INTRA_FAIL(err, INTRA_E_MEM, "no memory for a table of %lld rows", (long long)more);
        sheet->cells = grown;
        sheet->cap_rows = more;
    }
    sheet->n_rows++;
    return INTRA_OK;
}

enum intra_status intra_sheet_set(struct intra_sheet *sheet, int64_t row, int col, const char *text,
                                  struct intra_error *err)
{
    char *copy = text ? intra_strdup(text) : NULL;
    if (text && !copy) return INTRA_FAIL(err, INTRA_E_MEM, "no memory for a cell of %zu bytes", strlen(text));
    intra_free(sheet->cells[row * sheet->n_cols + col]);
    sheet->cells[row * sheet->n_cols + col] = copy;
    return INTRA_OK;
}

static char folded(char c)
{
    return c == '-' || c == ' ' ? '_' : (char)tolower((unsigned char)c);
}

int intra_sheet_find(const struct intra_sheet *sheet, const char *name)
{
    for (int i = 0; i < sheet->n_cols; i++) {
        const char *a = sheet->names[i], *b = name;
        while (*a && *b && folded(*a) == folded(*b)) {
            a++;
            b++;
        }
        if (!*a && !*b) return i;
    }
    return -1;
}

const char *intra_sheet_at(const struct intra_sheet *sheet, int64_t row, int col)
{
    const char *text = col < 0 ? NULL : sheet->cells[row * sheet->n_cols + col];
    return text && *text ? text : NULL;
}

/* The separator that the header line has most of. */
static char separator_of(const char *text)
{
    int count[3] = {0};
    for (; *text && *text != '\n' && *text != '\r'; text++)
        for (int i = 0; i < 3; i++)
            count[i] += *text == ",;\t"[i];
    return count[1] > count[0] && count[1] >= count[2] ? ';' : count[2] > count[0] ? '\t' : ',';
}

/* One cell, unquoted in place; *at moves behind its separator. is_last: the row ends with it. */
static char *next_cell(char **at, char separator, bool *is_last)
{
    char *from = *at, *to = *at, *cell = *at;
    if (*from == '"') {
        from++;
        while (*from && !(from[0] == '"' && from[1] != '"')) {
            if (*from == '"') from++;
            *to++ = *from++;
        }
        if (*from == '"') from++;
    }
    while (*from && *from != separator && *from != '\n' && *from != '\r')
        *to++ = *from++;
    *is_last = *from != separator;
    if (*from == '\r' && from[1] == '\n') from++;
    if (*from) from++;
    *to = 0;
    *at = from;
    return cell;
}

enum intra_status intra_sheet_parse_csv(char *text, struct intra_sheet *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    char *at = text, separator = separator_of(text);
    bool is_last = false;
    *out = (struct intra_sheet){.text = text};
    if (!*at || *at == '\n' || *at == '\r') {
        status = INTRA_FAIL(err, INTRA_E_FORMAT, "the table has no header");
        goto done;
    }
    for (int cap = 0; !is_last; out->n_cols++) {
        if (out->n_cols == cap) {
            int more = cap ? 2 * cap : 64;
            char **grown = intra_resize(out->names, (size_t)cap, (size_t)more, sizeof *grown);
            if (!grown) {
                status = INTRA_FAIL(err, INTRA_E_MEM, "no memory for %d columns", more);
                goto done;
            }
            out->names = grown;
            cap = more;
        }
        out->names[out->n_cols] = next_cell(&at, separator, &is_last);
    }
    while (*at) {
        int col = 0;
        if (*at == '\n' || *at == '\r') {
            at++;
            continue;
        }
        INTRA_TRY(intra_sheet_add_row(out, err));
        for (is_last = false; !is_last; col++) {
            char *cell = next_cell(&at, separator, &is_last);
            char **row = out->cells + (out->n_rows - 1) * out->n_cols;
            if (col < out->n_cols) {
                row[col] = cell;
            } else { /* an unquoted separator in a remark: put it back */
                char *last = row[out->n_cols - 1], *end = last + strlen(last);
                size_t n = strlen(cell);
                *end++ = separator;
                memmove(end, cell, n + 1);
            }
        }
        out->n_ragged += col != out->n_cols;
    }
done:
    if (status != INTRA_OK) intra_sheet_fini(out);
    return status;
}
