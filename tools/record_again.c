#include "tools/record_again.h"

#include "core/mem.h"
#include "core/store_records.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static bool is_same_text(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

static bool is_same_number(double a, double b)
{
    return a == b || (a != a && b != b);
}

static bool are_same_fields(const struct intra_fields *a, const struct intra_fields *b)
{
    if (a->n != b->n) return false;
    for (int i = 0; i < a->n; i++)
        if (!is_same_text(a->items[i].name, b->items[i].name) || !is_same_text(a->items[i].value, b->items[i].value))
            return false;
    return true;
}

/* As they stand in the file. */
static bool are_same_rows(const struct intra_inspection *a, const struct intra_inspection *b)
{
    if (a->n_observations != b->n_observations || !are_same_fields(&a->source, &b->source)) return false;
    for (int64_t k = 0; k < a->n_observations; k++) {
        const struct intra_observation *o = &a->observations[k], *p = &b->observations[k];
        if (!is_same_text(o->code, p->code) || !is_same_number(o->distance_m, p->distance_m) ||
            !are_same_fields(&o->source, &p->source) || !are_same_fields(&o->finish_source, &p->finish_source))
            return false;
    }
    return true;
}

static bool are_same_files(const char *a, const char *b)
{
    char real_a[PATH_MAX], real_b[PATH_MAX];
    if (realpath(a, real_a) && realpath(b, real_b)) return strcmp(real_a, real_b) == 0;
    return strcmp(a, b) == 0;
}

static bool is_same_inspection(const struct intra_inspection *a, const struct intra_inspection *b)
{
    return a->format == b->format && is_same_text(a->id, b->id) && is_same_text(a->pipe, b->pipe) &&
           is_same_text(a->date, b->date) && is_same_text(a->time, b->time) && a->direction == b->direction;
}

enum intra_status intra_record_find_again(struct intra_store *store, const struct intra_inspection *inspection,
                                          const char *path, int64_t *out_number, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_record all;
    char *stored_path = NULL;
    int64_t unread;
    *out_number = 0;
    intra_record_init(&all);
    INTRA_TRY(intra_store_read_records(store, &all, &unread, err));
    for (int64_t i = all.n_inspections - 1; i >= 0 && !*out_number; i--) {
        const struct intra_inspection *p = &all.inspections[i];
        if (!is_same_inspection(p, inspection)) continue;
        INTRA_TRY(intra_store_record_path(store, p->number, &stored_path, err));
        if ((p->date && p->pipe) || are_same_files(stored_path, path) || are_same_rows(p, inspection))
            *out_number = p->number;
        intra_free(stored_path);
        stored_path = NULL;
    }
done:
    intra_free(stored_path);
    intra_record_fini(&all);
    return status;
}
