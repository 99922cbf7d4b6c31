/* State at a place: x = (off, slope, wander, a, k, grid, length): the station is off beyond the picture's and grows by
 * slope + wander a metre; the counter shows sign * c = s + off + a + k s at s metres of the picture's way (k off is of
 * second order). Between places, L apart, slope'  = rho slope + w,       rho = exp(-L / FORGET_M),  var w = sd^2 (1 -
 * rho^2) wander' = q wander + v,        q = exp(-L / W),           var v = sw^2 (1 - q^2) off'    = off + slope L +
 * wander W (1 - q) + z,           var z = sw^2 W^2 (2 L / W - 3 + 4 q - q^2), cov(z, v) = sw^2 W (1 - q)^2: the scale's
 * errors keep their deviations and are forgotten, one over FORGET_M, one over the window W of the adjustment (an
 * Ornstein-Uhlenbeck process and its integral). At a new segment off is anywhere (a gap), slope and wander fresh. The
 * first place is where stations begin: off = 0. A reading is a change of the counter's digit: what stands in one digit
 * says no more, rounding is no noise that could be averaged away. Huber weights, a few rounds.
 *
 * grid is where the last joint stands, length how far it is from joint to joint. At a joint that is n lengths behind
 * the last one, grid' = grid + n length + e,   var e = n sd_e^2, and the ring is seen at s + off = grid'. So lengths
 * differ, and what they differ by adds up; a step that is many deviations off (a short piece, another delivery) gets a
 * wider one (Cauchy). Which joint is how many lengths behind the last is counted on the stations that come out without
 * joints. A joint where that cannot be told begins anew.
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

enum { N = INTRA_KALMAN_N, OFF = 0, SLOPE, WANDER, A, K, GRID, LENGTH, STATES, ROUNDS = 12, LEAST_PLACES = 6 };
_Static_assert(STATES <= N, "one number more");
#define FORGET_M 3.0
/* Times the stated deviation of a window, for what the counter may put right: in smooth pipe a window is off by several
 * per cent now and then, which no Gaussian deviation of that kind allows for (docs/methods.md). */
#define WANDER_ROOM 2.4
/* What stretches state of themselves has as much room already (SCALE_SDS in recon/motion.c). The deviations that come
 * out are those without either: */
#define SCALE_ROOM 1.5
#define COUNTER_SD_M 0.004  /* slack, and the time between digit and picture */
#define GAP_SD_M 1.0        /* of a gap's width, which motion guessed */
#define OFFSET_SD_M 5.0     /* of the counter's zero, from the median */
#define STRETCH_SDS 2.0
#define HUBER 2.0
#define FAR_SDS 6.0 /* a reading so far off counts for nothing */
#define RING_SD_M 0.002 /* of a joint's middle: what light and shadow in its gap do to it */
#define ANEW_SD_M 1.0   /* of the first joint, and one that cannot be counted from the last */
#define LENGTH_SD_SHARE 0.02
#define STEP_SDS 2.0

struct place {
    int segment;
    double s, c, sd; /* station, signed counter or NaN, deviation of the reading */
    double way;      /* from where stations begin */
    double low;      /* of a change of digit: the last place before it, at least */
    double wander_sd, wander_way;
    double weight;
    double ring_sd;   /* of a joint's ring here; 0: none */
    int lengths;      /* from the last ring; 0: not counted */
    double length_sd; /* of all of them */
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
static void predict(struct place *to, const struct place *from, double scale_sd, double room)
{
    bool is_anew = to->ring_sd > 0 && to->lengths == 0;
    double way = to->s - from->s, rho = exp(-way / FORGET_M), w = fmax(to->wander_way, 1e-6), keep = exp(-way / w),
           sw = room * to->wander_sd;
    bool is_new = to->segment != from->segment;
    double q[N][N] = {{0}};
    memset(to->k.f, 0, sizeof to->k.f);
    for (int i = 0; i < STATES; i++)
        to->k.f[i][i] = 1;
    to->k.n = from->k.n;
    to->k.f[OFF][SLOPE] = is_new ? 0 : way;
    to->k.f[SLOPE][SLOPE] = is_new ? 0 : rho;
    to->k.f[OFF][WANDER] = is_new ? 0 : w * (1 - keep);
    to->k.f[WANDER][WANDER] = is_new ? 0 : keep;
    q[OFF][OFF] = is_new ? GAP_SD_M * GAP_SD_M : sw * sw * w * w * fmax(0, 2 * way / w - 3 + 4 * keep - keep * keep);
    q[OFF][WANDER] = q[WANDER][OFF] = is_new ? 0 : sw * sw * w * (1 - keep) * (1 - keep);
    q[WANDER][WANDER] = sw * sw * (is_new ? 1 : 1 - keep * keep) + 1e-16;
    q[SLOPE][SLOPE] = scale_sd * scale_sd * (is_new ? 1 : 1 - rho * rho) + 1e-16;
    q[OFF][OFF] += 1e-14;
    if (to->k.n == STATES) {
        to->k.f[GRID][GRID] = is_anew ? 0 : 1;
        to->k.f[GRID][LENGTH] = to->ring_sd > 0 ? to->lengths : 0;
        q[GRID][GRID] = is_anew ? ANEW_SD_M * ANEW_SD_M : to->ring_sd > 0 ? to->length_sd * to->length_sd : 1e-14;
        q[LENGTH][LENGTH] = 1e-16;
    }
    intra_kalman_predict(&to->k, &from->k, q);
    if (is_anew) to->k.xp[GRID] = to->s + to->k.xp[OFF];
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

/* With a fitted lens k is the picture's, and takes the ring along. */
static void take_ring(struct place *p, bool is_measure)
{
    const double h[N] = {[OFF] = 1, [K] = is_measure ? p->way : 0, [GRID] = -1};
    double at = p->s + p->k.xp[OFF] + h[K] * p->k.xp[K];
    intra_kalman_read(&p->k, h, p->k.xp[GRID] - at, p->ring_sd * p->ring_sd);
}

/* joints: NULL, or how even they are. */
static void run_round(struct place *p, int64_t m, double a, double k_sd, const double *scale_sd, double room,
                      const struct intra_joint_spacing *joints, bool is_measure)
{
    for (int64_t i = 0; i < m; i++) {
        if (i == 0) {
            memset(p[0].k.xp, 0, sizeof p[0].k.xp);
            memset(p[0].k.pp, 0, sizeof p[0].k.pp);
            p[0].k.xp[A] = a;
            p[0].k.pp[OFF][OFF] = 1e-14;
            p[0].k.pp[SLOPE][SLOPE] = scale_sd[0] * scale_sd[0];
            p[0].k.pp[WANDER][WANDER] = pow(room * p[0].wander_sd, 2) + 1e-16;
            p[0].k.pp[A][A] = OFFSET_SD_M * OFFSET_SD_M;
            p[0].k.pp[K][K] = k_sd * k_sd;
            p[0].k.n = joints ? STATES : GRID;
            if (joints) {
                p[0].k.xp[GRID] = p[0].s;
                p[0].k.pp[GRID][GRID] = ANEW_SD_M * ANEW_SD_M;
                p[0].k.xp[LENGTH] = joints->length_m;
                p[0].k.pp[LENGTH][LENGTH] = pow(LENGTH_SD_SHARE * joints->length_m, 2);
            }
        } else
            predict(&p[i], &p[i - 1], scale_sd[i], room);
        if (!isnan(p[i].c) && p[i].weight > 0)
            take_reading(&p[i]);
        else if (joints && p[i].ring_sd > 0)
            take_ring(&p[i], is_measure);
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

static int compare_places(const void *a, const void *b)
{
    const struct place *p = a, *q = b;
    if (p->segment != q->segment) return p->segment < q->segment ? -1 : 1;
    return p->s < q->s ? -1 : p->s > q->s;
}

/* Rings as places between the others, within the way that readings know of; their deviations are those of the place
 * before. */
static int64_t add_rings(struct place *p, int64_t m, const struct intra_station_ring *rings, int64_t n)
{
    int64_t all = m;
    for (int64_t i = 0, k = 0; i < n; i++) {
        while (k + 1 < m && (p[k].segment < rings[i].segment ||
                             (p[k].segment == rings[i].segment && p[k + 1].segment == p[k].segment &&
                              p[k + 1].s <= rings[i].station_m)))
            k++;
        if (p[k].segment != rings[i].segment || rings[i].station_m < p[k].s) continue;
        p[all++] = (struct place){.segment = rings[i].segment,
                                  .s = rings[i].station_m,
                                  .c = NAN,
                                  .ring_sd = hypot(rings[i].sd_m, RING_SD_M),
                                  .wander_sd = p[k].wander_sd};
    }
    qsort(p, (size_t)all, sizeof *p, compare_places);
    return all;
}

/* Deviation of the way between two rings: the picture's own, though the counter may know it better; behind a gap what
 * the stations came out to. */
static double way_sd_m(const struct place *from, const struct place *to, double scale_sd)
{
    double rings2 = from->ring_sd * from->ring_sd + to->ring_sd * to->ring_sd, way = to->s - from->s;
    if (from->segment != to->segment) return sqrt(rings2 + from->k.p[OFF][OFF] + to->k.p[OFF][OFF]);
    return sqrt(rings2 + pow(scale_sd * way, 2) + 2 * to->wander_sd * to->wander_sd * to->wander_way * way);
}

/* Counts the ways between rings in lengths, on the stations as they are now. */
static enum intra_status count_lengths(struct place *p, int64_t m, int64_t n_rings, const double *scale_sd,
                                       bool is_measure, struct intra_joint_spacing *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    double *station = NULL, *way_sd;
    int *lengths = NULL;
    int64_t n = 0;
    const struct place *last = NULL;
    INTRA_TRY(INTRA_ALLOC(station, (size_t)(2 * n_rings), err));
    INTRA_TRY(INTRA_ALLOC(lengths, (size_t)n_rings, err));
    way_sd = station + n_rings;
    for (int64_t i = 0; i < m; i++) {
        if (!(p[i].ring_sd > 0)) continue;
        station[n] = p[i].s + p[i].k.x[OFF] + (is_measure ? p[i].way * p[i].k.x[K] : 0);
        way_sd[n++] = last ? way_sd_m(last, &p[i], scale_sd[i]) : 0;
        last = &p[i];
    }
    INTRA_TRY(intra_joint_spacing_find(station, way_sd, n, lengths, out, err));
    for (int64_t i = 0, k = 0; i < m; i++) {
        if (!(p[i].ring_sd > 0)) continue;
        p[i].lengths = lengths[k++];
        p[i].length_sd = WANDER_ROOM * out->sd_m * sqrt(p[i].lengths);
    }
done:
    intra_free(station);
    intra_free(lengths);
    return status;
}

/* Steps of the grid that come out many deviations off had a deviation that was too small. */
static void widen_steps(struct place *p, int64_t m, double sd)
{
    const struct place *last = NULL;
    for (int64_t i = 0; i < m; i++) {
        if (!(p[i].ring_sd > 0)) continue;
        if (p[i].lengths > 0 && last) {
            double stated = WANDER_ROOM * sd * sqrt(p[i].lengths),
                   z = (p[i].k.x[GRID] - last->k.x[GRID] - p[i].lengths * p[i].k.x[LENGTH]) / stated;
            p[i].length_sd = stated / sqrt(intra_cauchy_weight(z * z, STEP_SDS * STEP_SDS));
        }
        last = &p[i];
    }
}

/* Rounds with the weights of the round before. Lengths of pipe have the room that the picture has: between those two
 * nothing shifts for it. */
static void run_rounds(struct place *p, int64_t m, double a, double lens_sd_rel, double *scale_sd, const double *stated,
                       const struct intra_joint_spacing *joints, double *k_sd)
{
    bool is_measure = lens_sd_rel > 0;
    *k_sd = is_measure ? lens_sd_rel : INTRA_COUNTER_SD_REL;
    for (int round = 0; round < ROUNDS; round++) {
        run_round(p, m, a, *k_sd, scale_sd, WANDER_ROOM, joints, is_measure);
        widen(p, m, scale_sd, stated);
        if (joints) widen_steps(p, m, joints->sd_m);
        if (!is_measure) { /* nor does a counter that is 2 % off draw the picture along */
            double z = p[m - 1].k.x[K] / INTRA_COUNTER_SD_REL;
            *k_sd = INTRA_COUNTER_SD_REL / sqrt(intra_cauchy_weight(z * z, STRETCH_SDS * STRETCH_SDS));
        }
        for (int64_t i = 0; i < m; i++) {
            if (isnan(p[i].c)) continue;
            double e = residual(&p[i], p[i].k.x) / p[i].sd;
            p[i].weight = fabs(e) > FAR_SDS && round ? 1e-6 : intra_huber_weight(e * e, HUBER);
        }
    }
}

enum intra_status intra_station_fit(const struct intra_station_evidence *e, struct intra_station_map *out,
                                    struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_station_stretch *stretches = e->stretches;
    bool is_measure = e->lens_sd_rel > 0;
    struct place *p = NULL;
    double *scratch = NULL, *scale_sd = NULL, *stated, k_sd;
    int64_t n_read = 0;
    memset(out, 0, sizeof *out);
    out->joints.length_m = out->joints.sd_m = NAN;
    if (e->n_readings == 0) return INTRA_OK;
    qsort(e->readings, (size_t)e->n_readings, sizeof *e->readings, compare);
    int64_t m = most_places(e->readings, e->n_readings) + e->n_rings;
    INTRA_TRY(INTRA_ALLOC(p, (size_t)m, err));
    INTRA_TRY(INTRA_ALLOC(scratch, (size_t)m, err));
    m = gather(e->readings, e->n_readings, e->sign, e->step_m, p);
    for (int64_t i = 0; i < m; i++)
        n_read += !isnan(p[i].c);
    if (!(e->step_m > 0)) n_read = 0;
    if (n_read < LEAST_PLACES && e->n_rings == 0) goto done;
    if (n_read < LEAST_PLACES)
        for (int64_t i = 0; i < m; i++)
            p[i].c = NAN;
    m = add_rings(p, m, e->rings, e->n_rings);
    double a = first_offset(p, m, scratch);
    INTRA_TRY(INTRA_ALLOC(scale_sd, (size_t)(2 * m), err));
    stated = scale_sd + m;
    for (int64_t i = 0, k = 0; i < m; i++) { /* both ascend by segment */
        while (k < e->n_stretches && stretches[k].segment < p[i].segment)
            k++;
        bool is_stated = k < e->n_stretches && stretches[k].segment == p[i].segment;
        p[i].weight = 1;
        p[i].way = p[i].s - p[0].s;
        scale_sd[i] = stated[i] = is_stated ? stretches[k].scale_sd_rel : INTRA_COUNTER_SD_REL;
        p[i].wander_way = is_stated ? stretches[k].wander_way_m : 0;
    }
    run_rounds(p, m, a, e->lens_sd_rel, scale_sd, stated, NULL, &k_sd);
    if (e->n_rings) INTRA_TRY(count_lengths(p, m, e->n_rings, scale_sd, is_measure, &out->joints, err));
    if (isfinite(out->joints.length_m))
        run_rounds(p, m, a, e->lens_sd_rel, scale_sd, stated, &out->joints, &k_sd);
    else if (n_read < LEAST_PLACES)
        goto done;
    INTRA_TRY(INTRA_ALLOC(out->knots, (size_t)m, err));
    out->n = m;
    for (int64_t i = 0; i < m; i++) {
        const struct intra_kalman *k = &p[i].k;
        double off = k->x[OFF] + (is_measure ? p[i].way * k->x[K] : 0);
        out->knots[i] = (struct intra_station_knot){.segment = p[i].segment,
                                                    .station_m = p[i].s,
                                                    .off_m = off,
                                                    .slope = k->x[SLOPE] + k->x[WANDER] + (is_measure ? k->x[K] : 0)};
        out->most_m = fmax(out->most_m, fabs(off));
    }
    out->counter_rel = p[m - 1].k.x[K];
    if (isfinite(out->joints.length_m)) out->joints.length_m = p[m - 1].k.x[LENGTH];
    for (int64_t i = 0; i < m; i++) {
        scale_sd[i] /= SCALE_ROOM;
        p[i].length_sd /= WANDER_ROOM;
    }
    run_round(p, m, a, k_sd, scale_sd, 1, isfinite(out->joints.length_m) ? &out->joints : NULL, is_measure);
    for (int64_t i = 0; i < m; i++) {
        const struct intra_kalman *k = &p[i].k;
        double way = is_measure ? p[i].way : 0, var = k->p[OFF][OFF] + 2 * way * k->p[OFF][K] + way * way * k->p[K][K];
        out->knots[i].off_sd_m = sqrt(fmax(0, var));
    }
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
