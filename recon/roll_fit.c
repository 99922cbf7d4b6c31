/* State at a place: x = (turn, error of each kind of sign). A reading says turn + error of its kind, less its own
 * noise; between places the turn walks, turn' = turn + w,  var w = the picture's walk there times the way, and the
 * errors stay: they are constants of the run, each with a deviation before that is set by hand. At a new segment the
 * turn is anywhere: across a gap the picture says nothing. Angles are differences of less than half a turn, so the
 * residual is taken modulo a turn. Cauchy weights of the readings, and of the kinds: one whose error comes out many of
 * its deviations off gets a wider one and stands back before the others (a crawler that rides beside a deposit all the
 * way). */
#include "recon/roll_fit.h"

#include "core/mem.h"
#include "recon/kalman.h"
#include "recon/robust.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TURN = 0, ERRORS = 1, STATES = ERRORS + INTRA_ROLL_SIGNS, N = INTRA_KALMAN_N, ROUNDS = 15 };
_Static_assert(STATES <= N, "the turn, and an error of each kind");
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
    struct intra_kalman k;
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
                                  .weight = r[i].sign != INTRA_ROLL_NONE,
                                  .k.n = STATES};
        var = 0;
    }
    return m;
}

/* The first place: the kinds' errors as they are believed to be, and the turn anywhere. */
static void begin(struct place *first, const double *kind_sd)
{
    memset(first->k.pp, 0, sizeof first->k.pp);
    memset(first->k.xp, 0, sizeof first->k.xp);
    first->k.pp[TURN][TURN] = ANYWHERE_RAD * ANYWHERE_RAD;
    for (int k = 0; k < INTRA_ROLL_SIGNS; k++)
        first->k.pp[ERRORS + k][ERRORS + k] = kind_sd[k] * kind_sd[k];
}

static void predict(struct place *to, const struct place *from)
{
    bool is_new = to->segment != from->segment; /* the turn behind a gap has nothing of the one before */
    double q[N][N] = {{0}};
    memset(to->k.f, 0, sizeof to->k.f);
    for (int i = 0; i < STATES; i++) {
        to->k.f[i][i] = i == TURN && is_new ? 0 : 1;
        q[i][i] = 1e-14;
    }
    q[TURN][TURN] += is_new ? ANYWHERE_RAD * ANYWHERE_RAD : to->q;
    intra_kalman_predict(&to->k, &from->k, q);
}

static double residual(const struct place *p, const double x[N])
{
    return remainder(p->turn - x[TURN] - x[ERRORS + (int)p->sign], 2 * M_PI);
}

static void take_reading(struct place *p)
{
    double h[N] = {[TURN] = 1};
    h[ERRORS + (int)p->sign] = 1;
    intra_kalman_read(&p->k, h, residual(p, p->k.xp), p->sd * p->sd / p->weight);
}

static void run_round(struct place *p, int64_t m, const double *kind_sd)
{
    begin(&p[0], kind_sd);
    for (int64_t i = 0; i < m; i++) {
        if (i) predict(&p[i], &p[i - 1]);
        if (p[i].sign != INTRA_ROLL_NONE)
            take_reading(&p[i]);
        else
            intra_kalman_pass(&p[i].k);
    }
    for (int64_t i = m - 2; i >= 0; i--)
        intra_kalman_smooth(&p[i].k, &p[i + 1].k);
}

static void weigh(struct place *p, int64_t m, double *kind_sd)
{
    for (int64_t i = 0; i < m; i++) {
        if (p[i].sign == INTRA_ROLL_NONE) continue;
        double e = residual(&p[i], p[i].k.x) / p[i].sd;
        p[i].weight = intra_cauchy_weight(e * e, READING_SDS * READING_SDS);
    }
    for (int k = 0; k < INTRA_ROLL_SIGNS; k++) {
        double z = p[0].k.x[ERRORS + k] / kind_sd_rad[k];
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
        gap += remainder(p[i].turn - p[i].k.x[TURN], 2 * M_PI);
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
                                                 .turn_rad = p[i].k.x[TURN],
                                                 .turn_sd_rad = hypot(sqrt(fmax(0, p[i].k.p[TURN][TURN])), doubt_rad)};
        out->most_rad = fmax(out->most_rad, fabs(p[i].k.x[TURN]));
        if (p[i].sign == INTRA_ROLL_NONE) continue;
        out->n_read[p[i].sign]++;
        out->n_agree[p[i].sign] += p[i].weight >= 0.5;
    }
    for (int k = 0; k < INTRA_ROLL_SIGNS; k++)
        out->error_rad[k] = p[0].k.x[ERRORS + k];
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
