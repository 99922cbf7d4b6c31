/* State at a place: x = (off, slope, wander, a, k): the station is off beyond the picture's and grows by slope + wander
 * a metre; the counter shows sign * c = s + off + a + k s at s metres of the picture's way (k off is of second order).
 * Between places, L apart,
 *   slope'  = rho slope + w,       rho = exp(-L / FORGET_M),  var w = sd^2 (1 - rho^2)
 *   wander' = q wander + v,        q = exp(-L / W),           var v = sw^2 (1 - q^2)
 *   off'    = off + slope L + wander W (1 - q) + z,           var z = sw^2 W^2 (2 L / W - 3 + 4 q - q^2),
 *                                                             cov(z, v) = sw^2 W (1 - q)^2:
 * the scale's errors keep their deviations and are forgotten, one over FORGET_M, one over the window W of the
 * adjustment (an Ornstein-Uhlenbeck process and its integral). At a new segment off is anywhere (a gap), slope and
 * wander fresh. The first place is where stations begin: off = 0. A reading is a change of the counter's digit: what
 * stands in one digit says no more, rounding is no noise that could be averaged away. Huber weights, a few rounds.
 *
 * Where the lens was fitted to the counter, the counter's metre is the measure and the picture's scale is off by k all
 * along: s + off + k s is the station then, and the counter has no scale of its own. */
#include "recon/station_fit.h"

#include "core/mem.h"
#include "recon/kalman.h"
#include "recon/robust.h"
#include "recon/scale_fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N = INTRA_KALMAN_N, OFF = 0, SLOPE, WANDER, A, K, ROUNDS = 12, LEAST_PLACES = 6 };
#define FORGET_M 3.0
/* Times the stated deviation of a window, for what the counter may put right: in smooth pipe a window is off by several
 * per cent now and then, which no Gaussian deviation of that kind allows for (docs/methods.md). */
#define WANDER_ROOM 2.4
#define COUNTER_SD_M 0.004  /* slack, and the time between digit and picture */
#define GAP_SD_M 1.0        /* of a gap's width, which motion guessed */
#define OFFSET_SD_M 5.0     /* of the counter's zero, from the median */
#define STRETCH_SDS 2.0
#define HUBER 2.0
#define FAR_SDS 6.0 /* a reading so far off counts for nothing */

struct place {
    int segment;
    double s, c, sd; /* station, signed counter or NaN, deviation of the reading */
    double way;      /* from where stations begin */
    double low;      /* of a change of digit: the last place before it, at least */
    double wander_sd, wander_way;
    double weight;
    struct intra_kalman k;
};

static int compare(const void *a, const void *b)
{
    const struct intra_station_reading *p = a, *q = b;
    if (p->segment != q->segment) return p->segment < q->segment ? -1 : 1;
    return p->station_m < q->station_m ? -1 : p->station_m > q->station_m;
}

static double known(double wander_sd)
{
    return isfinite(wander_sd) ? wander_sd : 0;
}

/* Where the counter goes from one digit to the next: half way between the two, to what lies between the two places or
 * to a step, where digits were passed over; jump_m: by how much. What it jumped beyond the way is slack of a stretch
 * driven twice, or a wrong reading: half of it is the deviation. One change back and forth, of a digit that flickers,
 * is one place. */
static int64_t add_change(struct place *out, int64_t m, struct place change, double gap_m, double jump_m, double step_m)
{
    const struct place *before = &out[m - 1];
    double low = change.s - gap_m / 2, high = change.s + gap_m / 2, within = fmin(gap_m, step_m);
    if (!isnan(before->c) && fabs(before->c - change.c) < 0.1 * step_m) {
        change = *before;
        low = before->low;
        within = high - low;
        change.s = (low + high) / 2;
        m--;
    }
    change.low = low;
    change.sd = hypot(hypot(within / sqrt(12), COUNTER_SD_M), fmax(0, jump_m - step_m - gap_m) / 2);
    out[m] = change;
    return m + 1;
}

/* Places: each segment's first and last, and each change of the counter's digit. How long a digit shows before the
 * first change and after the last says nothing, so that a counter that starts late bends nothing; only where there is
 * no change at all, behind a gap, its middle stands for the counter to a step. out: room for the readings and two more
 * a segment. */
static int64_t gather(const struct intra_station_reading *r, int64_t n, int sign, double step_m, struct place *out)
{
    int64_t m = 0;
    for (int64_t i = 0, end; i < n; i = end) {
        double last = NAN, first = NAN, c = NAN;
        bool is_changed = false;
        for (end = i; end < n && r[end].segment == r[i].segment; end++)
            continue;
        struct place place = {
            .segment = r[i].segment, .s = r[i].station_m, .c = NAN, .wander_sd = known(r[i].wander_sd_rel)};
        out[m++] = place;
        for (int64_t k = i; k < end; k++) {
            double now = sign * r[k].counter_m, at = r[k].station_m;
            if (isnan(now)) continue;
            if (fabs(now - c) > 0.1 * step_m) {
                place = (struct place){.segment = r[i].segment,
                                       .s = (last + at) / 2,
                                       .c = (c + now) / 2,
                                       .wander_sd = known(r[k].wander_sd_rel)};
                m = add_change(out, m, place, at - last, fabs(now - c), step_m);
                is_changed = true;
            }
            if (isnan(c)) first = at;
            c = now;
            last = at;
        }
        place = (struct place){.segment = r[i].segment,
                               .s = (first + last) / 2,
                               .c = c,
                               .sd = hypot(step_m / sqrt(12), COUNTER_SD_M),
                               .wander_sd = known(r[i].wander_sd_rel)};
        if (!isnan(c) && !is_changed) out[m++] = place;
        place.s = r[end - 1].station_m, place.c = NAN, place.wander_sd = known(r[end - 1].wander_sd_rel);
        out[m++] = place;
    }
    return m;
}

/* Room that gather needs. */
static int64_t most_places(const struct intra_station_reading *r, int64_t n)
{
    int64_t m = 0;
    for (int64_t i = 0; i < n; i++)
        m += !isnan(r[i].counter_m) + (i == 0 || r[i - 1].segment != r[i].segment ? 2 : 0);
    return m;
}

/* A stretch whose scale turns out many deviations off had a deviation that was too small (smooth wall, glare): Cauchy's
 * weight, so that it does not bend the counter's scale and with it the other stretches. */
static void widen(const struct place *p, int64_t m, double *sd, const double *stated)
{
    for (int64_t i = 0, k; i < m; i = k) {
        double wander2 = 0;
        for (k = i; k < m && p[k].segment == p[i].segment; k++)
            if (k > i) wander2 += 2 * p[k].wander_sd * p[k].wander_sd * p[k].wander_way * (p[k].s - p[k - 1].s);
        double way = p[k - 1].s - p[i].s,
               z = way > 0 ? (p[k - 1].k.x[OFF] - p[i].k.x[OFF]) / hypot(way * stated[i], sqrt(wander2)) : 0;
        double wider = stated[i] / sqrt(intra_cauchy_weight(z * z, STRETCH_SDS * STRETCH_SDS));
        for (int64_t j = i; j < k; j++)
            sd[j] = wider;
    }
}

/* From the place before to this one: mean and covariance expected here. */
static void predict(struct place *to, const struct place *from, double scale_sd)
{
    double way = to->s - from->s, rho = exp(-way / FORGET_M), w = fmax(to->wander_way, 1e-6), keep = exp(-way / w),
           sw = WANDER_ROOM * to->wander_sd;
    bool is_new = to->segment != from->segment;
    double q[N][N] = {{0}};
    memset(to->k.f, 0, sizeof to->k.f);
    for (int i = 0; i < N; i++)
        to->k.f[i][i] = 1;
    to->k.f[OFF][SLOPE] = is_new ? 0 : way;
    to->k.f[SLOPE][SLOPE] = is_new ? 0 : rho;
    to->k.f[OFF][WANDER] = is_new ? 0 : w * (1 - keep);
    to->k.f[WANDER][WANDER] = is_new ? 0 : keep;
    q[OFF][OFF] = is_new ? GAP_SD_M * GAP_SD_M : sw * sw * w * w * fmax(0, 2 * way / w - 3 + 4 * keep - keep * keep);
    q[OFF][WANDER] = q[WANDER][OFF] = is_new ? 0 : sw * sw * w * (1 - keep) * (1 - keep);
    q[WANDER][WANDER] = sw * sw * (is_new ? 1 : 1 - keep * keep) + 1e-16;
    q[SLOPE][SLOPE] = scale_sd * scale_sd * (is_new ? 1 : 1 - rho * rho) + 1e-16;
    q[OFF][OFF] += 1e-14;
    intra_kalman_predict(&to->k, &from->k, q);
}

static double residual(const struct place *p, const double x[N])
{
    return p->c - (p->s + x[OFF] + x[A] + x[K] * p->way);
}

static void take_reading(struct place *p)
{
    const double h[N] = {[OFF] = 1, [A] = 1, [K] = p->way};
    intra_kalman_read(&p->k, h, residual(p, p->k.xp), p->sd * p->sd / p->weight);
}

static void run_round(struct place *p, int64_t m, double a, double k_sd, const double *scale_sd)
{
    for (int64_t i = 0; i < m; i++) {
        if (i == 0) {
            memset(p[0].k.xp, 0, sizeof p[0].k.xp);
            memset(p[0].k.pp, 0, sizeof p[0].k.pp);
            p[0].k.xp[A] = a;
            p[0].k.pp[OFF][OFF] = 1e-14;
            p[0].k.pp[SLOPE][SLOPE] = scale_sd[0] * scale_sd[0];
            p[0].k.pp[WANDER][WANDER] = pow(WANDER_ROOM * p[0].wander_sd, 2) + 1e-16;
            p[0].k.pp[A][A] = OFFSET_SD_M * OFFSET_SD_M;
            p[0].k.pp[K][K] = k_sd * k_sd;
        } else
            predict(&p[i], &p[i - 1], scale_sd[i]);
        if (!isnan(p[i].c) && p[i].weight > 0)
            take_reading(&p[i]);
        else
            intra_kalman_pass(&p[i].k);
    }
    for (int64_t i = m - 2; i >= 0; i--)
        intra_kalman_smooth(&p[i].k, &p[i + 1].k);
}

static int compare_double(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* The middle of counter less station in the first segment with readings; others stand behind gaps. */
static double first_offset(const struct place *p, int64_t m, double *scratch)
{
    int64_t n = 0;
    int segment = -1;
    for (int64_t i = 0; i < m; i++) {
        if (isnan(p[i].c)) continue;
        if (n == 0) segment = p[i].segment;
        if (p[i].segment == segment) scratch[n++] = p[i].c - p[i].s;
    }
    qsort(scratch, (size_t)n, sizeof *scratch, compare_double);
    return n ? scratch[n / 2] : 0;
}

enum intra_status intra_station_fit(struct intra_station_reading *readings, int64_t n, int sign, double step_m,
                                    const struct intra_station_stretch *stretches, int n_stretches, double lens_sd_rel,
                                    struct intra_station_map *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    bool is_measure = lens_sd_rel > 0;
    struct place *p = NULL;
    double *scratch = NULL, *scale_sd = NULL, *stated;
    int64_t n_read = 0;
    memset(out, 0, sizeof *out);
    if (n == 0 || !(step_m > 0)) return INTRA_OK;
    qsort(readings, (size_t)n, sizeof *readings, compare);
    int64_t m = most_places(readings, n);
    INTRA_TRY(INTRA_ALLOC(p, (size_t)m, err));
    INTRA_TRY(INTRA_ALLOC(scratch, (size_t)m, err));
    m = gather(readings, n, sign, step_m, p);
    for (int64_t i = 0; i < m; i++)
        n_read += !isnan(p[i].c);
    if (n_read < LEAST_PLACES) goto done;
    double a = first_offset(p, m, scratch);
    INTRA_TRY(INTRA_ALLOC(scale_sd, (size_t)(2 * m), err));
    stated = scale_sd + m;
    for (int64_t i = 0, k = 0; i < m; i++) { /* both ascend by segment */
        while (k < n_stretches && stretches[k].segment < p[i].segment)
            k++;
        bool is_stated = k < n_stretches && stretches[k].segment == p[i].segment;
        p[i].weight = 1;
        p[i].way = p[i].s - p[0].s;
        scale_sd[i] = stated[i] = is_stated ? stretches[k].scale_sd_rel : INTRA_COUNTER_SD_REL;
        p[i].wander_way = is_stated ? stretches[k].wander_way_m : 0;
    }
    double k_sd = is_measure ? lens_sd_rel : INTRA_COUNTER_SD_REL;
    for (int round = 0; round < ROUNDS; round++) {
        run_round(p, m, a, k_sd, scale_sd);
        widen(p, m, scale_sd, stated);
        if (!is_measure) { /* nor does a counter that is 2 % off draw the picture along */
            double z = p[m - 1].k.x[K] / INTRA_COUNTER_SD_REL;
            k_sd = INTRA_COUNTER_SD_REL / sqrt(intra_cauchy_weight(z * z, STRETCH_SDS * STRETCH_SDS));
        }
        for (int64_t i = 0; i < m; i++) {
            if (isnan(p[i].c)) continue;
            double e = residual(&p[i], p[i].k.x) / p[i].sd;
            p[i].weight = fabs(e) > FAR_SDS && round ? 1e-6 : intra_huber_weight(e * e, HUBER);
        }
    }
    INTRA_TRY(INTRA_ALLOC(out->knots, (size_t)m, err));
    out->n = m;
    for (int64_t i = 0; i < m; i++) {
        const struct intra_kalman *k = &p[i].k;
        double way = is_measure ? p[i].way : 0, off = k->x[OFF] + way * k->x[K],
               var = k->p[OFF][OFF] + 2 * way * k->p[OFF][K] + way * way * k->p[K][K];
        out->knots[i] = (struct intra_station_knot){.segment = p[i].segment,
                                                    .station_m = p[i].s,
                                                    .off_m = off,
                                                    .off_sd_m = sqrt(fmax(0, var)),
                                                    .slope = k->x[SLOPE] + k->x[WANDER] + (is_measure ? k->x[K] : 0)};
        out->most_m = fmax(out->most_m, fabs(off));
    }
    out->counter_rel = p[m - 1].k.x[K];
    out->counter_sd_rel = sqrt(fmax(0, p[m - 1].k.p[K][K]));
done:
    intra_free(p);
    intra_free(scratch);
    intra_free(scale_sd);
    return status;
}

void intra_station_map_fini(struct intra_station_map *map)
{
    intra_free(map->knots);
    memset(map, 0, sizeof *map);
}

double intra_station_off(const struct intra_station_map *map, int segment, double station_m, double *sd)
{
    int64_t low = 0, high = map->n;
    if (sd) *sd = NAN;
    while (low < high) { /* first knot that is not before the place */
        int64_t mid = (low + high) / 2;
        const struct intra_station_knot *k = &map->knots[mid];
        if (k->segment < segment || (k->segment == segment && k->station_m < station_m))
            low = mid + 1;
        else
            high = mid;
    }
    const struct intra_station_knot *after =
        low < map->n && map->knots[low].segment == segment ? &map->knots[low] : NULL;
    const struct intra_station_knot *before =
        low > 0 && map->knots[low - 1].segment == segment ? &map->knots[low - 1] : NULL;
    if (!after && !before) return 0;
    const struct intra_station_knot *end = after ? after : before;
    if (sd) *sd = end->off_sd_m;
    if (!after || !before) return end->off_m + end->slope * (station_m - end->station_m);
    double way = after->station_m - before->station_m, t = way > 0 ? (station_m - before->station_m) / way : 0;
    if (sd) *sd = before->off_sd_m + t * (after->off_sd_m - before->off_sd_m);
    return before->off_m + t * (after->off_m - before->off_m);
}

double intra_station_before(const struct intra_station_map *map, int segment, double station_m)
{
    double at = station_m;
    for (int i = 0; i < 8; i++) { /* slopes are far below 1 */
        double off = at + intra_station_off(map, segment, at, NULL) - station_m;
        at -= off;
        if (fabs(off) < 1e-9) break;
    }
    return at;
}
