#include "recon/joint_spacing.h"

#include "core/mem.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_WAYS = 3, MOST_LENGTHS = 4 };
#define KNOWN_SHARE 0.125 /* a way less sure than this share of a length cannot be counted in lengths */
/* What single lengths stray, before any is seen: lengths of one delivery differ by some 2 mm (EN 295-1 and EN 1916
 * allow more, from one delivery to another), gaps by some 4. It counts as BELIEF_WAYS ways. */
#define BELIEF_SD_M 0.005
#define BELIEF_WAYS 3.0
#define LEAST_SD_M 0.003

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

enum intra_status intra_even_spacing(const double *station_m, int64_t n, double *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    double *way = NULL;
    int64_t agree = 0, ways = n - 1;
    *out = NAN;
    if (ways < 2) return INTRA_OK;
    INTRA_TRY(INTRA_ALLOC(way, (size_t)ways, err));
    for (int64_t i = 0; i < ways; i++)
        way[i] = station_m[i + 1] - station_m[i];
    qsort(way, (size_t)ways, sizeof *way, compare_doubles);
    double spacing = way[(ways - 1) / 2];
    for (int64_t i = 0; i < ways; i++)
        agree += fabs(way[i] - spacing * round(way[i] / spacing)) < INTRA_EVEN_SHARE * spacing;
    if (3 * agree >= 2 * ways) *out = spacing;
done:
    intra_free(way);
    return status;
}

/* Counts each way in lengths of spacing_m; returns how many could be. */
static int count_lengths(const double *station_m, const double *way_sd_m, int64_t n, double spacing_m, int *lengths)
{
    int counted = 0;
    for (int64_t i = 1; i < n; i++) {
        double ways = (station_m[i] - station_m[i - 1]) / spacing_m, whole = round(ways);
        bool is_known = way_sd_m[i] < KNOWN_SHARE * spacing_m;
        bool is_even = fabs(ways - whole) < fmax(INTRA_EVEN_SHARE, 2 * way_sd_m[i] / spacing_m);
        lengths[i] = is_known && is_even && whole >= 1 && whole <= MOST_LENGTHS ? (int)whole : 0;
        counted += lengths[i] > 0;
    }
    return counted;
}

enum intra_status intra_joint_spacing_find(const double *station_m, const double *way_sd_m, int64_t n, int *lengths,
                                           struct intra_joint_spacing *out, struct intra_error *err)
{
    double way = 0, all = 0, sum2 = BELIEF_WAYS * BELIEF_SD_M * BELIEF_SD_M, weights = BELIEF_WAYS;
    *out = (struct intra_joint_spacing){NAN, NAN, 0};
    memset(lengths, 0, sizeof *lengths * (size_t)n);
    enum intra_status status = intra_even_spacing(station_m, n, &out->length_m, err);
    if (status != INTRA_OK || isnan(out->length_m)) return status;
    out->n = count_lengths(station_m, way_sd_m, n, out->length_m, lengths);
    if (out->n < LEAST_WAYS) {
        memset(lengths, 0, sizeof *lengths * (size_t)n);
        *out = (struct intra_joint_spacing){NAN, NAN, 0};
        return INTRA_OK;
    }
    for (int64_t i = 1; i < n; i++) {
        if (lengths[i] == 0) continue;
        way += station_m[i] - station_m[i - 1];
        all += lengths[i];
    }
    out->length_m = way / all;
    for (int64_t i = 1; i < n; i++) {
        if (lengths[i] == 0) continue;
        double off = station_m[i] - station_m[i - 1] - lengths[i] * out->length_m;
        double known = 1 + pow(way_sd_m[i] / BELIEF_SD_M, 2), weight = 1 / (known * known);
        sum2 += weight * fmax(0, off * off - way_sd_m[i] * way_sd_m[i]) / lengths[i];
        weights += weight;
    }
    out->sd_m = fmax(LEAST_SD_M, sqrt(sum2 / weights));
    return INTRA_OK;
}
