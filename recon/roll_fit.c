/* State at a place: x = (turn, error of each kind of sign). A reading says turn + error of its kind, less its own
 * noise; between places the turn walks, turn' = turn + w,  var w = the picture's walk there times the way, and the
 * errors stay: they are constants of the run, each with a deviation before that is set by hand. At a new segment the
 * turn is anywhere: across a gap the picture says nothing. Angles are differences of less than half a turn, so the
 * residual is taken modulo a turn. Cauchy weights of the readings, and of the kinds: one whose error comes out many of
 * its deviations off gets a wider one and stands back before the others (a crawler that rides beside a deposit all the
 * way). */
#include "recon/roll_fit.h"

#include "core/mem.h"
#include "recon/robust.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TURN = 0, ERRORS = 1, N = ERRORS + INTRA_ROLL_SIGNS, ROUNDS = 15 };
#define DEG (M_PI / 180)
#define ANYWHERE_RAD 1.0
#define APART_M 0.05         /* places at least, where nothing is read */
#define LEAST_WALK_DEG 0.07  /* deviation over a metre that any picture has */
#define UNKNOWN_WALK_DEG 1.0 /* and where the adjustment did not tell */
#define READING_SDS 2.0
#define KIND_SDS 2.0
#define DOUBT_SDS 1.5

static const double kind_sd_rad[INTRA_ROLL_SIGNS] = {
    [INTRA_ROLL_WATER] = 0.7 * DEG,
    [INTRA_ROLL_STAIN] = 1.2 * DEG,
    [INTRA_ROLL_CAMERA] = 3 * DEG,
    [INTRA_ROLL_UPRIGHT] = 2 * DEG,
};

const char *intra_roll_sign_name(enum intra_roll_sign sign)
{
    static const char *const names[] = {"water", "stain", "camera", "upright", "none"};
    return names[sign];
}

struct place {
    int segment;
    double s, q; /* station; variance that the way here from the place before adds */
    enum intra_roll_sign sign;
    double turn, sd, weight;
    double x[N], p[N][N];   /* filtered, then smoothed */
    double xp[N], pp[N][N]; /* predicted from the place before */
};

static int compare(const void *a, const void *b)
{
    const struct intra_roll_reading *p = a, *q = b;
    if (p->segment != q->segment) return p->segment < q->segment ? -1 : 1;
    if (p->station_m != q->station_m) return p->station_m < q->station_m ? -1 : 1;
    if (p->sign != q->sign) return p->sign < q->sign ? -1 : 1;
    return p->turn_rad < q->turn_rad ? -1 : p->turn_rad > q->turn_rad;
}

static double walk_of(double rad2_m)
{
    return isfinite(rad2_m) ? fmax(rad2_m, pow(LEAST_WALK_DEG * DEG, 2)) : pow(UNKNOWN_WALK_DEG * DEG, 2);
}

/* Places: every reading, a segment's ends, and one each APART_M. out: room for n. */
static int64_t gather(const struct intra_roll_reading *r, int64_t n, struct place *out)
{
    int64_t m = 0;
    double walk = walk_of(NAN), var = 0;
    for (int64_t i = 0; i < n; i++) {
        bool is_first = i == 0 || r[i].segment != r[i - 1].segment;
        bool is_last = i + 1 == n || r[i].segment != r[i + 1].segment;
        if (is_first)
            var = 0;
        else
            var += walk * (r[i].station_m - r[i - 1].station_m);
        if (r[i].sign == INTRA_ROLL_NONE) walk = walk_of(r[i].walk_rad2_m);
        if (!is_first && !is_last && r[i].sign == INTRA_ROLL_NONE && r[i].station_m - out[m - 1].s < APART_M) continue;
        out[m++] = (struct place){.segment = r[i].segment,
                                  .s = r[i].station_m,
                                  .q = var,
                                  .sign = r[i].sign,
                                  .turn = r[i].turn_rad,
                                  .sd = r[i].sd_rad,
                                  .weight = r[i].sign != INTRA_ROLL_NONE};
        var = 0;
    }
    return m;
}

static void multiply(const double a[N][N], const double b[N][N], bool is_b_transposed, double out[N][N])
{
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            out[i][j] = 0;
            for (int k = 0; k < N; k++)
                out[i][j] += a[i][k] * (is_b_transposed ? b[j][k] : b[k][j]);
        }
}

static bool is_new(const struct place *to, const struct place *from)
{
    return !from || to->segment != from->segment;
}

static void predict(struct place *to, const struct place *from, const double *kind_sd)
{
    memset(to->pp, 0, sizeof to->pp);
    memset(to->xp, 0, sizeof to->xp);
    if (from) {
        memcpy(to->xp, from->x, sizeof to->xp);
        memcpy(to->pp, from->p, sizeof to->pp);
    } else
        for (int k = 0; k < INTRA_ROLL_SIGNS; k++)
            to->pp[ERRORS + k][ERRORS + k] = kind_sd[k] * kind_sd[k];
    if (is_new(to, from)) {
        to->xp[TURN] = 0;
        for (int k = 0; k < N; k++)
            to->pp[TURN][k] = to->pp[k][TURN] = 0;
        to->pp[TURN][TURN] = ANYWHERE_RAD * ANYWHERE_RAD;
    } else
        to->pp[TURN][TURN] += to->q;
    for (int k = 0; k < N; k++)
        to->pp[k][k] += 1e-14;
}

static double residual(const struct place *p, const double x[N])
{
    return remainder(p->turn - x[TURN] - x[ERRORS + (int)p->sign], 2 * M_PI);
}

/* Joseph's form, so that the covariance stays one. */
static void take_reading(struct place *p)
{
    double h[N] = {[TURN] = 1}, ph[N], gain[N], r = p->sd * p->sd / p->weight, var = r, left[N][N], half[N][N];
    h[ERRORS + (int)p->sign] = 1;
    for (int i = 0; i < N; i++) {
        ph[i] = 0;
        for (int j = 0; j < N; j++)
            ph[i] += p->pp[i][j] * h[j];
    }
    for (int i = 0; i < N; i++)
        var += h[i] * ph[i];
    double e = residual(p, p->xp);
    for (int i = 0; i < N; i++) {
        gain[i] = ph[i] / var;
        p->x[i] = p->xp[i] + gain[i] * e;
    }
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            left[i][j] = (i == j) - gain[i] * h[j];
    multiply(left, p->pp, false, half);
    multiply(half, left, true, p->p);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            p->p[i][j] += gain[i] * r * gain[j];
}

/* out = b a^-1, a symmetric and positive: Gauss with the pivots as they come, on a copy. */
static void divide(const double b[N][N], const double a[N][N], double out[N][N])
{
    double f[N][N];
    memcpy(f, a, sizeof f);
    memcpy(out, b, sizeof f);
    for (int k = 0; k < N; k++) { /* columns: out a = b */
        double inv = 1 / f[k][k];
        for (int j = k + 1; j < N; j++) {
            double t = f[k][j] * inv;
            for (int i = k; i < N; i++)
                f[i][j] -= t * f[i][k];
            for (int i = 0; i < N; i++)
                out[i][j] -= t * out[i][k];
        }
    }
    for (int k = N - 1; k >= 0; k--)
        for (int i = 0; i < N; i++) {
            double sum = out[i][k];
            for (int j = k + 1; j < N; j++)
                sum -= out[i][j] * f[j][k];
            out[i][k] = sum / f[k][k];
        }
}

static void smooth(struct place *p, const struct place *next)
{
    double half[N][N], gain[N][N], diff[N][N], t[N][N];
    memcpy(half, p->p, sizeof half);
    if (is_new(next, p)) /* P F': the turn behind a gap has nothing of the one before */
        for (int i = 0; i < N; i++)
            half[i][TURN] = 0;
    divide(half, next->pp, gain);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            p->x[i] += gain[i][j] * (next->x[j] - next->xp[j]);
            diff[i][j] = next->p[i][j] - next->pp[i][j];
        }
    multiply(gain, diff, false, t);
    multiply(t, gain, true, half);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            p->p[i][j] += half[i][j];
}

static void run_round(struct place *p, int64_t m, const double *kind_sd)
{
    for (int64_t i = 0; i < m; i++) {
        predict(&p[i], i ? &p[i - 1] : NULL, kind_sd);
        if (p[i].sign != INTRA_ROLL_NONE)
            take_reading(&p[i]);
        else {
            memcpy(p[i].x, p[i].xp, sizeof p[i].x);
            memcpy(p[i].p, p[i].pp, sizeof p[i].p);
        }
    }
    for (int64_t i = m - 2; i >= 0; i--)
        smooth(&p[i], &p[i + 1]);
}

static void weigh(struct place *p, int64_t m, double *kind_sd)
{
    for (int64_t i = 0; i < m; i++) {
        if (p[i].sign == INTRA_ROLL_NONE) continue;
        double e = residual(&p[i], p[i].x) / p[i].sd;
        p[i].weight = intra_cauchy_weight(e * e, READING_SDS * READING_SDS);
    }
    for (int k = 0; k < INTRA_ROLL_SIGNS; k++) {
        double z = p[0].x[ERRORS + k] / kind_sd_rad[k];
        kind_sd[k] = kind_sd_rad[k] / sqrt(intra_cauchy_weight(z * z, KIND_SDS * KIND_SDS));
    }
}

/* One kind of sign alone has none beside it that would show it wrong: silt that lies to one side all along is as
 * straight as any. Only the camera's own stand can doubt it: where the two are far apart, half of that is a deviation.
 */
static double doubt(const struct place *p, int64_t m)
{
    double gap = 0, sd = 0;
    int n = 0, kinds = 0;
    bool has[INTRA_ROLL_SIGNS] = {false};
    for (int64_t i = 0; i < m; i++) {
        if (p[i].sign == INTRA_ROLL_NONE) continue;
        has[p[i].sign] = true;
        if (p[i].sign != INTRA_ROLL_UPRIGHT) continue;
        gap += remainder(p[i].turn - p[i].x[TURN], 2 * M_PI);
        sd += p[i].sd;
        n++;
    }
    for (int k = 0; k < INTRA_ROLL_SIGNS; k++)
        kinds += k != INTRA_ROLL_UPRIGHT && has[k];
    if (kinds != 1 || n == 0) return 0;
    gap = fabs(gap / n);
    return gap > DOUBT_SDS * hypot(sd / n / sqrt(n), kind_sd_rad[INTRA_ROLL_UPRIGHT]) ? gap / 2 : 0;
}

enum intra_status intra_roll_fit(struct intra_roll_reading *readings, int64_t n, struct intra_roll_map *out,
                                 struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct place *p = NULL;
    double kind_sd[INTRA_ROLL_SIGNS];
    int64_t n_read = 0;
    memset(out, 0, sizeof *out);
    for (int64_t i = 0; i < n; i++)
        n_read += readings[i].sign != INTRA_ROLL_NONE;
    if (n_read == 0) return INTRA_OK;
    qsort(readings, (size_t)n, sizeof *readings, compare);
    INTRA_TRY(INTRA_ALLOC(p, (size_t)n, err));
    int64_t m = gather(readings, n, p);
    memcpy(kind_sd, kind_sd_rad, sizeof kind_sd);
    for (int round = 0; round < ROUNDS; round++) {
        if (round > 0) weigh(p, m, kind_sd);
        run_round(p, m, kind_sd);
    }
    INTRA_TRY(INTRA_ALLOC(out->knots, (size_t)m, err));
    out->n = m;
    double doubt_rad = doubt(p, m);
    for (int64_t i = 0; i < m; i++) {
        out->knots[i] = (struct intra_roll_knot){.segment = p[i].segment,
                                                 .station_m = p[i].s,
                                                 .turn_rad = p[i].x[TURN],
                                                 .turn_sd_rad = hypot(sqrt(fmax(0, p[i].p[TURN][TURN])), doubt_rad)};
        out->most_rad = fmax(out->most_rad, fabs(p[i].x[TURN]));
        if (p[i].sign == INTRA_ROLL_NONE) continue;
        out->n_read[p[i].sign]++;
        out->n_agree[p[i].sign] += p[i].weight >= 0.5;
    }
    for (int k = 0; k < INTRA_ROLL_SIGNS; k++)
        out->error_rad[k] = p[0].x[ERRORS + k];
done:
    intra_free(p);
    return status;
}

void intra_roll_map_level(struct intra_roll_map *map)
{
    for (int64_t i = 0; i < map->n; i++) {
        struct intra_roll_knot *k = &map->knots[i];
        k->turn_sd_rad = hypot(k->turn_sd_rad, k->turn_rad);
        k->turn_rad = 0;
    }
    map->most_rad = 0;
}

void intra_roll_map_fini(struct intra_roll_map *map)
{
    intra_free(map->knots);
    memset(map, 0, sizeof *map);
}

double intra_roll_turn(const struct intra_roll_map *map, int segment, double station_m, double *sd)
{
    int64_t low = 0, high = map->n;
    if (sd) *sd = NAN;
    while (low < high) { /* first knot that is not before the place */
        int64_t mid = (low + high) / 2;
        const struct intra_roll_knot *k = &map->knots[mid];
        if (k->segment < segment || (k->segment == segment && k->station_m < station_m))
            low = mid + 1;
        else
            high = mid;
    }
    const struct intra_roll_knot *after = low < map->n && map->knots[low].segment == segment ? &map->knots[low] : NULL;
    const struct intra_roll_knot *before =
        low > 0 && map->knots[low - 1].segment == segment ? &map->knots[low - 1] : NULL;
    if (!after && !before) return 0;
    if (!after || !before) {
        const struct intra_roll_knot *end = after ? after : before;
        if (sd) *sd = end->turn_sd_rad;
        return end->turn_rad;
    }
    double way = after->station_m - before->station_m, t = way > 0 ? (station_m - before->station_m) / way : 0;
    if (sd) *sd = before->turn_sd_rad + t * (after->turn_sd_rad - before->turn_sd_rad);
    return before->turn_rad + t * (after->turn_rad - before->turn_rad);
}
