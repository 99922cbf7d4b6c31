/* A record with the places that were found on the wall in its own fields.
 *
 * What the record's distance is on the model stands in the places themselves: those that went by their distance have
 * recorded = offset + d, or offset - d where the survey ran against the model; the offset is the median over them, so
 * that the few that went by the video's time do not shift it. The sign is that with which more of them agree; where
 * they lie at one distance only, the one that their clock positions say (the clock of a survey against the model is
 * mirrored). */
#include "core/mem.h"
#include "core/select.h"
#include "export/record.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double AGREE_M = 1e-3;

struct zero {
    double offset_m, sign;
};

static double wrap_2pi(double a)
{
    a = fmod(a, 2 * M_PI);
    return a < 0 ? a + 2 * M_PI : a;
}

static bool is_ring(double from, double to)
{
    return to - from >= 2 * M_PI - 1e-9;
}

static double middle(const struct intra_observation *o)
{
    return isfinite(o->distance_to_m) ? (o->distance_m + o->distance_to_m) / 2 : o->distance_m;
}

/* 1: the recorded region has the observation's own clock positions, -1: mirrored, 0: that cannot be told. */
static int handedness(const struct intra_observation *o)
{
    const struct intra_wall_region *r = &o->place.recorded;
    double from = o->clock_from_rad, to = isfinite(o->clock_to_rad) ? o->clock_to_rad : from;
    if (!isfinite(from) || is_ring(from, to)) return 0;
    bool is_plain = fabs(wrap_2pi(r->clock_from_rad - from + 1) - 1) < 1e-6;
    bool is_mirrored = fabs(wrap_2pi(r->clock_from_rad + to + 1) - 1) < 1e-6;
    return (int)is_plain - (int)is_mirrored;
}

/* Nothing placed by a distance: the model's own stations. */
static enum intra_status find_zero(const struct intra_inspection *p, struct zero *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    double *offsets = NULL, *sorted = NULL, best = -1;
    int hand = 0;
    *out = (struct zero){0, 1};
    INTRA_TRY(INTRA_ALLOC(offsets, (size_t)p->n_observations + 1, err));
    INTRA_TRY(INTRA_ALLOC(sorted, (size_t)p->n_observations + 1, err));
    for (int64_t i = 0; i < p->n_observations; i++)
        if (p->observations[i].place.is_placed) hand += handedness(&p->observations[i]);
    for (int k = 0; k < 2; k++) {
        double sign = k ? -1 : 1, agree = 0, m;
        int n = 0;
        for (int64_t i = 0; i < p->n_observations; i++) {
            const struct intra_observation *o = &p->observations[i];
            const struct intra_wall_region *r = &o->place.recorded;
            if (o->place.is_placed && o->n_regions == 0 && isfinite(o->distance_m))
                offsets[n++] = (r->station_from_m + r->station_to_m) / 2 - sign * middle(o);
        }
        if (n == 0) break;
        memcpy(sorted, offsets, (size_t)n * sizeof *sorted);
        m = intra_select(sorted, n, (n - 1) / 2);
        for (int i = 0; i < n; i++)
            agree += fabs(offsets[i] - m) < AGREE_M;
        agree += sign * hand > 0 ? 0.5 : 0;
        if (agree <= best) continue;
        best = agree;
        *out = (struct zero){m, sign};
    }
done:
    intra_free(offsets);
    intra_free(sorted);
    return status;
}

static int by_continuous_id(const void *a, const void *b)
{
    return strcmp((*(const struct intra_observation *const *)a)->continuous_id,
                  (*(const struct intra_observation *const *)b)->continuous_id);
}

/* Pieces of a continuous defect that changes on its way hang together by their ends: is_piece[k] of each that has
 * another with its id. */
static enum intra_status mark_pieces(const struct intra_inspection *p, bool *is_piece, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_observation **sorted = NULL;
    size_t n = 0;
    INTRA_TRY(INTRA_ALLOC(sorted, (size_t)p->n_observations + 1, err));
    for (int64_t i = 0; i < p->n_observations; i++)
        if (p->observations[i].continuous_id && isfinite(p->observations[i].distance_to_m))
            sorted[n++] = &p->observations[i];
    qsort(sorted, n, sizeof *sorted, by_continuous_id);
    for (size_t i = 1; i < n; i++)
        if (strcmp(sorted[i]->continuous_id, sorted[i - 1]->continuous_id) == 0)
            is_piece[sorted[i] - p->observations] = is_piece[sorted[i - 1] - p->observations] = true;
done:
    intra_free(sorted);
    return status;
}

/* Quotients of whole numbers, so that 0.951 is written as such. */
static double round_to(double value, double each)
{
    return round(value * each) / each;
}

static void take_clock(struct intra_observation *o, const struct intra_wall_region *r, double sign, double hour)
{
    double from = r->clock_from_rad, to = r->clock_to_rad;
    bool has_span = !isfinite(o->clock_from_rad) || isfinite(o->clock_to_rad), is_whole = is_ring(from, to);
    if (!isfinite(from) || !isfinite(to)) return;
    if (is_whole && !isfinite(o->clock_from_rad)) return; /* not recorded, and nothing learnt */
    if (sign < 0 && !is_whole) {
        double turned = wrap_2pi(-to);
        to = wrap_2pi(-from);
        from = turned;
    }
    double span = is_whole ? 2 * M_PI : wrap_2pi(to - from);
    if (!has_span) {
        o->clock_from_rad = wrap_2pi(round_to(is_whole ? 0 : from + span / 2, 1 / hour));
        return;
    }
    from = wrap_2pi(round_to(from, 1 / hour));
    to = wrap_2pi(round_to(to, 1 / hour));
    if (fabs(intra_wrap_pi(from - to)) > hour / 2) {
        o->clock_from_rad = from;
        o->clock_to_rad = to;
    } else { /* two equal hours mean the whole ring */
        o->clock_from_rad = span > M_PI ? 0 : from;
        o->clock_to_rad = span > M_PI ? 2 * M_PI : (double)NAN;
    }
}

static void take(struct intra_observation *o, struct zero zero, double per_m, double hour)
{
    const struct intra_wall_region *r = intra_place_region(&o->place);
    double from = zero.sign * (r->station_from_m - zero.offset_m), to = zero.sign * (r->station_to_m - zero.offset_m);
    if (isfinite(o->distance_to_m)) {
        o->distance_m = round_to(fmin(from, to), per_m);
        o->distance_to_m = round_to(fmax(from, to), per_m);
    } else {
        o->distance_m = round_to((from + to) / 2, per_m);
    }
    take_clock(o, r, zero.sign, hour);
}

static bool is_sorted(const struct intra_inspection *p)
{
    for (int64_t i = 1; i < p->n_observations; i++)
        if (!(p->observations[i].distance_m >= p->observations[i - 1].distance_m)) return false;
    return true;
}

/* Rows stay where they are but for those that have moved past a neighbour. */
static void sort(struct intra_inspection *p)
{
    for (int64_t i = 1; i < p->n_observations; i++) {
        struct intra_observation o = p->observations[i];
        int64_t k = i;
        for (; k > 0 && p->observations[k - 1].distance_m > o.distance_m; k--)
            p->observations[k] = p->observations[k - 1];
        p->observations[k] = o;
    }
}

enum intra_status intra_record_take_refined(struct intra_record *record, enum intra_record_format format,
                                            int64_t *out_n, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    bool is_own = format == INTRA_RECORD_OWN_CSV || format == INTRA_RECORD_OWN_JSON;
    bool *is_taken = NULL, *is_piece = NULL;
    *out_n = 0;
    for (int64_t i = 0; i < record->n_inspections; i++) {
        struct intra_inspection *p = &record->inspections[i];
        double unit = p->is_imperial ? 0.3048 : 1, per_m = is_own ? 1000 : 100 / unit;
        double hour = (is_own ? 0.01 : 1) * M_PI / 6;
        bool was_sorted = is_sorted(p);
        struct zero zero;
        INTRA_TRY(find_zero(p, &zero, err));
        INTRA_TRY(INTRA_ALLOC(is_taken, (size_t)p->n_observations + 1, err));
        INTRA_TRY(INTRA_ALLOC(is_piece, (size_t)p->n_observations + 1, err));
        INTRA_TRY(mark_pieces(p, is_piece, err));
        for (int64_t k = 0; k < p->n_observations; k++) {
            const struct intra_observation *o = &p->observations[k];
            is_taken[k] = o->place.is_placed && (o->place.is_refined || !isfinite(o->distance_m)) && !is_piece[k];
        }
        for (int64_t k = 0; k < p->n_observations; k++) {
            if (!is_taken[k]) continue;
            take(&p->observations[k], zero, per_m, hour);
            ++*out_n;
        }
        intra_free(is_taken);
        intra_free(is_piece);
        is_taken = is_piece = NULL;
        if (was_sorted) sort(p);
    }
done:
    intra_free(is_taken);
    intra_free(is_piece);
    return status;
}
