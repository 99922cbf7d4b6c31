/* Observations as the rows that formats with start and finish rows want. */
#include "core/log.h"
#include "core/mem.h"
#include "export/record_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Whether a row from i on, at the place where `p` ends, goes on with its number. */
static bool goes_on(const struct intra_inspection *in, int64_t i, const struct intra_observation *p)
{
    for (; i < in->n_observations && in->observations[i].distance_m == p->distance_to_m; i++) {
        const struct intra_observation *o = &in->observations[i];
        if (o->continuous_id && isfinite(o->distance_to_m) && strcmp(o->continuous_id, p->continuous_id) == 0)
            return true;
    }
    return false;
}

/* A finish row goes before the first row that lies there or farther; one whose defect changes there (the next row goes
 * on with its number) is that row's C. */
enum intra_status intra_record_each_row(const struct intra_inspection *in, intra_record_row_fn *put, void *user,
                                        struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    int64_t *open = NULL, n_open = 0;
    INTRA_TRY(INTRA_ALLOC(open, (size_t)in->n_observations + 1, err));
    for (int64_t i = 0; i <= in->n_observations; i++) {
        const struct intra_observation *o = i < in->n_observations ? &in->observations[i] : NULL;
        bool is_joined = o && o->continuous_id && isfinite(o->distance_to_m) && !intra_record_is_mark(o->continuous_id);
        char role = is_joined ? 'A' : 0;
        int64_t kept = 0;
        for (int64_t k = 0; k < n_open; k++) {
            const struct intra_observation *p = &in->observations[open[k]];
            if (is_joined && strcmp(p->continuous_id, o->continuous_id) == 0 && p->distance_to_m == o->distance_m) {
                role = 'C';
                continue;
            }
            if (o && (!(o->distance_m >= p->distance_to_m) || goes_on(in, i, p))) {
                open[kept++] = open[k];
                continue;
            }
            INTRA_TRY(put(user, p, 'B'));
        }
        n_open = kept;
        if (!o) break;
        INTRA_TRY(put(user, o, role));
        if (is_joined) open[n_open++] = i;
    }
done:
    intra_free(open);
    return status;
}

void intra_record_lose(struct intra_record_lost *lost, const char *what, int64_t n)
{
    int i = 0;
    if (n <= 0) return;
    while (i < lost->n && strcmp(lost->kinds[i].what, what) != 0)
        i++;
    if (i == (int)(sizeof lost->kinds / sizeof lost->kinds[0])) i--; /* no writer knows so many */
    if (i == lost->n) lost->kinds[lost->n++].what = what;
    lost->kinds[i].n += n;
}

void intra_record_say_lost(const struct intra_record_lost *lost, const char *path, enum intra_record_format format)
{
    char text[800] = "";
    size_t n = 0;
    for (int i = 0; i < lost->n && n + 1 < sizeof text; i++) {
        int added = snprintf(text + n, sizeof text - n, "%s%s (%lld)", i ? ", " : "", lost->kinds[i].what,
                             (long long)lost->kinds[i].n);
        n += added > 0 ? (size_t)added : 0;
    }
    if (lost->n)
        intra_log(INTRA_LOG_WARNING, "export", "%s: what %s has no place for is left out: %s", path,
                  intra_record_format_name(format), text);
}
