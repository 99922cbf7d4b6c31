/* Edge: at each cell the difference of two half windows along the pipe and of two around it, of log luminance and of
 * log red over blue, over the median such difference of the neighbourhood (a sixteenth of the circle, the whole
 * stretch): texture of the wall, wet or dirty strips included, is one deviation.
 *
 * Mouth: a cylinder of radius r at right angles to the pipe, R, cuts it in s = r cos a, sin(theta - theta0) = (r / R)
 * sin a. Along that line the component of the edge across it is what counts, whatever its sign: inside, a lateral is
 * dark on one side and lit on the other. */
#include "recon/mouth.h"

#include "core/mem.h"
#include "core/select.h"

#include <math.h>
#include <string.h>

enum {
    RAYS = INTRA_MOUTH_RAYS,
    COARSE_RAYS = 32,
    REACH = 16,
    WAYS = 2 * REACH + 1,
    HALF = 2,
    BLOCKS = 16,
    MOST_RADII = 32
};

#define EDGE_FROM 1.5f   /* deviations at which an edge begins to count, */
#define EDGE_FULL 5.0f   /* and at which it counts fully */
#define EDGE_CLEAR 0.4f  /* gain that stands out */
#define FLOOR_LOG 0.012f /* least difference of the texture */
#define REACH_SHARE 0.35 /* of the radius: how far from the circle the edge is looked for */
#define RADIUS_STEP 1.1
#define MOVE_COST 0.05f
#define OUTER_WORTH 0.3f
#define FLANK_WORTH 0.3f /* beside the top of an edge */

enum intra_status intra_mouth_init(struct intra_mouth_stretch *stretch, int rows, int n, double cell_m, double radius_m,
                                   struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    size_t cells = (size_t)rows * (size_t)n;
    memset(stretch, 0, sizeof *stretch);
    stretch->rows = rows, stretch->n = n;
    stretch->cell_m = cell_m, stretch->radius_m = radius_m;
    INTRA_TRY(INTRA_ALLOC(stretch->light, cells, err));
    INTRA_TRY(INTRA_ALLOC(stretch->chroma, cells, err));
    INTRA_TRY(INTRA_ALLOC(stretch->light_s, cells, err));
    INTRA_TRY(INTRA_ALLOC(stretch->light_t, cells, err));
    INTRA_TRY(INTRA_ALLOC(stretch->chroma_s, cells, err));
    INTRA_TRY(INTRA_ALLOC(stretch->chroma_t, cells, err));
    INTRA_TRY(INTRA_ALLOC(stretch->scratch, cells, err));
done:
    if (status != INTRA_OK) intra_mouth_fini(stretch);
    return status;
}

void intra_mouth_fini(struct intra_mouth_stretch *stretch)
{
    intra_free(stretch->light);
    intra_free(stretch->chroma);
    intra_free(stretch->light_s);
    intra_free(stretch->light_t);
    intra_free(stretch->chroma_s);
    intra_free(stretch->chroma_t);
    intra_free(stretch->scratch);
    memset(stretch, 0, sizeof *stretch);
}

static size_t cell_at(const struct intra_mouth_stretch *m, int row, int col)
{
    row %= m->rows;
    if (row < 0) row += m->rows;
    return (size_t)row * (size_t)m->n + (size_t)col;
}

/* Difference of the half windows behind and before a cell; NaN when a cell of them was not seen. */
static float step_along(const struct intra_mouth_stretch *m, const float *value, int row, int col)
{
    float sum = 0;
    if (col < HALF || col + HALF >= m->n) return NAN;
    for (int d = 1; d <= HALF; d++)
        for (int t = -1; t <= 1; t++)
            sum += value[cell_at(m, row + t, col + d)] - value[cell_at(m, row + t, col - d)];
    return sum / (3 * HALF);
}

static float step_around(const struct intra_mouth_stretch *m, const float *value, int row, int col)
{
    float sum = 0;
    if (col < 1 || col + 1 >= m->n) return NAN;
    for (int d = 1; d <= HALF; d++)
        for (int t = -1; t <= 1; t++)
            sum += value[cell_at(m, row + d, col + t)] - value[cell_at(m, row - d, col + t)];
    return sum / (3 * HALF);
}

static void fill_edge(struct intra_mouth_stretch *m, const float *value, float *out,
                      float (*step)(const struct intra_mouth_stretch *, const float *, int, int))
{
    for (int block = 0; block < BLOCKS; block++) {
        int from = m->rows * block / BLOCKS, to = m->rows * (block + 1) / BLOCKS;
        int count = 0;
        for (int row = from; row < to; row++)
            for (int col = 0; col < m->n; col++) {
                float z = step(m, value, row, col);
                out[cell_at(m, row, col)] = z;
                if (isfinite(z)) m->scratch[count++] = fabs((double)z);
            }
        if (count == 0) continue;
        float sigma = 1.4826f * (float)intra_select(m->scratch, count, count / 2);
        sigma = 1 / fmaxf(sigma, FLOOR_LOG);
        for (int row = from; row < to; row++)
            for (int col = 0; col < m->n; col++)
                out[cell_at(m, row, col)] *= sigma;
    }
}

void intra_mouth_edges(struct intra_mouth_stretch *m)
{
    fill_edge(m, m->light, m->light_s, step_along);
    fill_edge(m, m->light, m->light_t, step_around);
    fill_edge(m, m->chroma, m->chroma_s, step_along);
    fill_edge(m, m->chroma, m->chroma_t, step_around);
}

/* Point of the line for ray k of n, radius in cells along the pipe, and its normal. */
struct contour_point {
    double ds, dtheta, normal_s, normal_t;
};

static struct contour_point contour_at(const struct intra_mouth_stretch *m, double radius, int k, int n)
{
    double a = 2 * M_PI * k / n, share = fmax(-0.999, fmin(0.999, radius * m->cell_m / m->radius_m * sin(a)));
    double psi = asin(share), s = cos(a), t = sin(a) * cos(psi), norm = hypot(s, t);
    return (struct contour_point){radius * s, psi, s / norm, t / norm};
}

/* The edge across the line at a point, in deviations; NaN where it was not seen. */
static float edge_at(const struct intra_mouth_stretch *m, double s, double theta, double normal_s, double normal_t)
{
    int col = (int)lround(s), row = (int)floor(theta * m->rows / (2 * M_PI));
    if (col < 0 || col >= m->n) return NAN;
    size_t at = cell_at(m, row, col);
    float light = m->light_s[at] * (float)normal_s + m->light_t[at] * (float)normal_t,
          chroma = m->chroma_s[at] * (float)normal_s + m->chroma_t[at] * (float)normal_t;
    if (!isfinite(light) || !isfinite(chroma)) return NAN;
    return sqrtf(light * light + chroma * chroma);
}

static float gain_of(float edge)
{
    float gain = (edge - EDGE_FROM) / (EDGE_FULL - EDGE_FROM);
    return gain < 0 ? 0 : gain > 1 ? 1 : gain;
}

/* Mean gain along the circle; what was not seen earns nothing. */
static double circle_score(const struct intra_mouth_stretch *m, double s, double theta,
                           const struct contour_point *points, int n)
{
    double sum = 0;
    for (int k = 0; k < n; k++) {
        float edge = edge_at(m, s + points[k].ds, theta + points[k].dtheta, points[k].normal_s, points[k].normal_t);
        if (isfinite(edge)) sum += (double)gain_of(edge);
        if (k == n / 4 && sum < 0.1 * k) return 0;
    }
    return sum / n;
}

static double apart(const struct intra_mouth_stretch *m, const struct intra_mouth *a, const struct intra_mouth *b)
{
    return hypot(a->s - b->s, remainder(a->theta_rad - b->theta_rad, 2 * M_PI) * m->radius_m / m->cell_m);
}

/* Of one place and about one size? What lies inside of a mouth, its lit flank say, is another one. */
static bool are_one(const struct intra_mouth_stretch *m, const struct intra_mouth *a, const struct intra_mouth *b)
{
    double small = fmin(a->radius, b->radius), large = fmax(a->radius, b->radius);
    return large < INTRA_MOUTH_ONE_SIZE * small && apart(m, a, b) < large;
}

static int keep(const struct intra_mouth_stretch *m, struct intra_mouth *found, int n, int most,
                const struct intra_mouth *mouth)
{
    int kept = 0;
    for (int i = 0; i < n; i++)
        if (are_one(m, &found[i], mouth) && found[i].score >= mouth->score) return n;
    for (int i = 0; i < n; i++)
        if (!are_one(m, &found[i], mouth)) found[kept++] = found[i];
    if (kept == most && found[most - 1].score >= mouth->score) return kept;
    int at = kept < most ? kept++ : most - 1;
    while (at > 0 && found[at - 1].score < mouth->score) {
        found[at] = found[at - 1];
        at--;
    }
    found[at] = *mouth;
    return kept;
}

/* The circles of one radius. */
static int search_radius(const struct intra_mouth_stretch *m, int from, int to, double radius, double least_score,
                         int most, struct intra_mouth *out)
{
    int found = 0;
    struct contour_point points[COARSE_RAYS];
    /* Out of order, so that a quarter of the rays already goes around. */
    for (int k = 0; k < COARSE_RAYS; k++)
        points[k] = contour_at(m, radius, (k * 5) % COARSE_RAYS, COARSE_RAYS);
    for (int row = 0; row < m->rows; row += 2)
        for (int col = from; col < to; col += 2) {
            struct intra_mouth mouth = {.s = col, .theta_rad = 2 * M_PI * (row + 0.5) / m->rows, .radius = radius};
            mouth.score = circle_score(m, mouth.s, mouth.theta_rad, points, COARSE_RAYS);
            if (mouth.score >= least_score) found = keep(m, out, found, most, &mouth);
        }
    return found;
}

int intra_mouth_search(const struct intra_mouth_stretch *m, int from, int to, double radius_from_m, double radius_to_m,
                       double least_score, int most, int threads, struct intra_mouth *out)
{
    int n_radii = (int)floor(1 + log(radius_to_m / radius_from_m) / log(RADIUS_STEP)), found = 0; /* below 1: none */
    if (n_radii > MOST_RADII) n_radii = MOST_RADII;
    if (most > INTRA_MOUTH_MOST) most = INTRA_MOUTH_MOST;
    struct intra_mouth lists[MOST_RADII][INTRA_MOUTH_MOST];
    int n[MOST_RADII] = {0};
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads)
    for (int k = 0; k < n_radii; k++)
        n[k] = search_radius(m, from, to, radius_from_m * pow(RADIUS_STEP, k) / m->cell_m, least_score, most, lists[k]);
    for (int k = 0; k < n_radii; k++)
        for (int i = 0; i < n[k]; i++)
            found = keep(m, out, found, most, &lists[k][i]);
    return found;
}

/* Closed way of the largest sum of gains around the circle: two laps, the second one counts. way[k]: 0 to WAYS - 1. */
static void trace_edge(float worth[RAYS][WAYS], int way[RAYS])
{
    static const int laps = 2;
    float total[WAYS] = {0}, next[WAYS];
    signed char move[2 * RAYS][WAYS];
    for (int step = 0; step < laps * RAYS; step++) {
        for (int i = 0; i < WAYS; i++) {
            float most = -1e30f;
            for (int d = -2; d <= 2; d++) {
                if (i + d < 0 || i + d >= WAYS) continue;
                float value = total[i + d] - MOVE_COST * (float)(d * d);
                if (value > most) most = value, move[step][i] = (signed char)d;
            }
            float g = worth[step % RAYS][i];
            next[i] = most + (isfinite(g) ? g : 0);
        }
        memcpy(total, next, sizeof total);
    }
    int at = 0;
    for (int i = 1; i < WAYS; i++)
        if (total[i] > total[at]) at = i;
    for (int step = laps * RAYS - 1; step >= RAYS; step--) {
        way[step % RAYS] = at;
        at += move[step][at];
    }
}

/* Solve the symmetric 4 x 4 system in place and invert its matrix; false when it is singular. */
static bool solve4(double a[4][4], double b[4], double inverse[4][4])
{
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < 4; k++)
            inverse[i][k] = i == k;
    for (int i = 0; i < 4; i++) {
        if (!(fabs(a[i][i]) > 1e-12)) return false;
        double p = 1 / a[i][i];
        for (int k = 0; k < 4; k++)
            a[i][k] *= p, inverse[i][k] *= p;
        b[i] *= p;
        for (int r = 0; r < 4; r++) {
            double f = a[r][i];
            if (r == i || f == 0) continue;
            for (int k = 0; k < 4; k++)
                a[r][k] -= f * a[i][k], inverse[r][k] -= f * inverse[i][k];
            b[r] -= f * b[i];
        }
    }
    return true;
}

/* One step of least squares: how far the edge lies outside the circle is dr + ds cos a + dt sin a + e cos 2 a. */
static bool fit_edge(const struct intra_mouth_stretch *m, struct intra_mouth *mouth, const double off[RAYS],
                     const double weight[RAYS])
{
    double a[4][4] = {{0}}, b[4] = {0}, cov[4][4], x[4], rest = 0, sum = 0;
    for (int k = 0; k < RAYS; k++) {
        double w = weight[k], angle = 2 * M_PI * k / RAYS;
        double row[4] = {1, cos(angle), sin(angle), cos(2 * angle)};
        for (int i = 0; i < 4; i++) {
            b[i] += w * row[i] * off[k];
            for (int j = 0; j < 4; j++)
                a[i][j] += w * row[i] * row[j];
        }
        sum += w;
    }
    if (sum < RAYS / 8.0) return false;
    for (int i = 0; i < 4; i++)
        a[i][i] += 0.05;
    memcpy(x, b, sizeof x);
    if (!solve4(a, x, cov)) return false;
    for (int k = 0; k < RAYS; k++) {
        double angle = 2 * M_PI * k / RAYS;
        rest += weight[k] * pow(off[k] - x[0] - x[1] * cos(angle) - x[2] * sin(angle) - x[3] * cos(2 * angle), 2);
    }
    rest = sqrt(rest / sum);
    /* Neighbouring rays see one edge: four count as one. Half a cell for what light and blur do to it. */
    double noise = 2 * hypot(rest, 0.5), across = m->cell_m / m->radius_m;
    mouth->s += x[1];
    mouth->theta_rad += x[2] * across;
    mouth->radius += x[0];
    mouth->stretch = (mouth->radius + x[3]) / (mouth->radius - x[3]);
    mouth->s_sd = noise * sqrt(cov[1][1]);
    mouth->theta_sd_rad = noise * sqrt(cov[2][2]) * across;
    mouth->radius_sd = noise * sqrt(cov[0][0]);
    mouth->rest = rest / mouth->radius;
    return mouth->radius > 2 && fabs(x[3]) < 0.5 * mouth->radius;
}

/* What each place on a ray is worth to the trace: an edge counts where it is strongest within `near` steps, and an
 * outer one a little more than an inner one, since shadow and light within the mouth have edges too. */
static void weigh_ray(const float edge[WAYS], int near, float worth[WAYS])
{
    for (int i = 0; i < WAYS; i++) {
        bool is_top = isfinite(edge[i]);
        for (int d = -near; d <= near && is_top; d++)
            if (i + d >= 0 && i + d < WAYS && edge[i + d] > edge[i]) is_top = false;
        float gain = isfinite(edge[i]) ? gain_of(edge[i]) : NAN;
        worth[i] = gain * (is_top ? 1 + OUTER_WORTH * (float)i / WAYS : FLANK_WORTH);
    }
}

bool intra_mouth_refine(struct intra_mouth_stretch *m, struct intra_mouth *mouth)
{
    float edge[RAYS][WAYS], worth[RAYS][WAYS];
    int way[RAYS];
    double off[RAYS], weight[RAYS], reach = REACH_SHARE;
    for (int round = 0; round < 3; round++, reach *= 0.75) {
        int seen = 0, clear = 0;
        double sum = 0;
        for (int k = 0; k < RAYS; k++) {
            for (int i = 0; i < WAYS; i++) {
                struct contour_point p = contour_at(m, mouth->radius * (1 + reach * (i - REACH) / REACH), k, RAYS);
                edge[k][i] = edge_at(m, mouth->s + p.ds, mouth->theta_rad + p.dtheta, p.normal_s, p.normal_t);
            }
            weigh_ray(edge[k], (int)ceil(1.2 * REACH / (mouth->radius * reach)), worth[k]);
        }
        trace_edge(worth, way);
        for (int k = 0; k < RAYS; k++) {
            bool is_seen = isfinite(edge[k][way[k]]);
            float g = is_seen ? gain_of(edge[k][way[k]]) : 0;
            seen += is_seen;
            clear += is_seen && g >= EDGE_CLEAR;
            sum += (double)g;
            weight[k] = (double)g;
            off[k] = mouth->radius * reach * (way[k] - REACH) / REACH;
        }
        mouth->seen = (double)seen / RAYS;
        mouth->score = seen ? sum / seen : 0;
        mouth->coherent = seen ? (double)clear / seen : 0;
        if (!fit_edge(m, mouth, off, weight)) return false;
    }
    mouth->theta_rad -= 2 * M_PI * floor(mouth->theta_rad / (2 * M_PI));
    return true;
}
