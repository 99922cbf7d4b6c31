#include "tools/figures.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

void intra_figures_add(struct intra_figures *figures, const char *key, const char *label, double value,
                       const char *unit, int64_t n)
{
    struct intra_figure figure = {key, label, unit, value, n};
    assert(figures->n < INTRA_MAX_FIGURES);
    figures->items[figures->n++] = figure;
}

void intra_figures_heading(struct intra_figures *figures, const char *label)
{
    intra_figures_add(figures, NULL, label, NAN, "", -1);
}

/* Four digits that say something, without an exponent; counts as they are. */
static const char *format_value(double value, bool is_count, char out[32])
{
    int decimals;
    if (!isfinite(value)) return "-";
    if (is_count) {
        snprintf(out, 32, "%.0f", value);
        return out;
    }
    decimals = fabs(value) >= 1000 ? 0 : fabs(value) >= 100 ? 1 : fabs(value) >= 10 ? 2 : fabs(value) >= 1 ? 3 : 4;
    snprintf(out, 32, "%.*f", decimals, value);
    return out;
}

void intra_figures_print(const struct intra_figures *figures, FILE *stream)
{
    for (int i = 0; i < figures->n; i++) {
        const struct intra_figure *f = &figures->items[i];
        char value[32], count[32] = "";
        bool is_count;
        if (!f->key) {
            fprintf(stream, "%s%s\n", i ? "\n" : "", f->label);
            continue;
        }
        is_count = strcmp(f->unit, "frames") == 0 || strcmp(f->unit, "blocks") == 0 || strcmp(f->unit, "segments") == 0 ||
                   strcmp(f->unit, "sections") == 0;
        if (f->n >= 0) snprintf(count, sizeof count, "n = %" PRId64, f->n);
        fprintf(stream, "  %-58s %10s %-7s %s\n", f->label, format_value(f->value, is_count, value), f->unit, count);
    }
}

void intra_figures_put_json(const struct intra_figures *figures, struct intra_json *json)
{
    intra_json_open(json, "figures", '{');
    for (int i = 0; i < figures->n; i++) {
        const struct intra_figure *f = &figures->items[i];
        if (!f->key) continue;
        intra_json_open(json, f->key, '{');
        intra_json_number(json, "value", f->value);
        intra_json_text(json, "unit", f->unit);
        if (f->n >= 0) intra_json_integer(json, "n", f->n);
        intra_json_close(json, '}');
    }
    intra_json_close(json, '}');
}
