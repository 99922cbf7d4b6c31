/* Pictures are made smaller until a sample of a window is about a pixel and a half, so that bilinear samples of near
 * and far pictures see the same detail. The window is cut once, from the last view (the nearest); its rays are held,
 * and for each radius the piece of wall that they would meet, parallel to the section's wall, is laid into the earlier
 * views. Score: the correlation less planes of brightness (the lamp rides along). Every second radius in one view
 * first, then all around the best of them in both; the best must stand out from any other and be as good as a match of
 * the same wall is. */
#include "recon/sweep.h"

#include "core/clones.h"
#include "core/mem.h"
#include "core/video.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 8, N = SIDE * SIDE, KEPT = 14, MAX_STEPS = 40, FAR = 2 };

static const double SPACING_REL = 0.0134, SAMPLE_PX = 1.5;
static const double FAR_REL[FAR] = {0.45, 0.9}; /* radii behind the last view, nearest kept ones; */
static const double LEAST_BASE_REL = 0.25, MOST_BASE_REL = 1.4;
static const double STEP_REL = 0.012, INWARD_REL = 0.30, OUTWARD_REL = 0.07; /* of the radius */
static const double LEAST_AHEAD_REL = 0.6; /* a wide lens sees beside itself: too flat a base */
static const double LEAST_RMS = 1.2;       /* grey levels of a window */
static const double LEAST_SCORE = 0.72, LEAST_LEAD = 0.08;
static const double FLATTEST = 0.14;
static const double FREE_SAMPLES = 25; /* of a window that count as independent (docs/benchmarks.md) */
#define AGREE_REACH_REL 0.2
#define AGREE_REL 0.03
#define AGREE_SHARE 0.4 /* of the neighbours, */
#define AGREE_MANY 3    /* or so many: a rim or a strand among wall */
#define WALL_SHARE 0.8  /* that make it wall, and no rim or strand */

struct kept {
    struct intra_pose cam_from_run;
    struct intra_vec3 centre; /* of the camera */
    double station_m;
    float *px;
};

struct intra_sweep {
    struct intra_sweep_options options;
    const struct intra_camera *camera;
    const struct intra_view_f32 *light;
    int shrink, rows, cols;
    struct kept kept[KEPT]; /* the last one at [last] */
    int n_kept, last;
};

enum intra_status intra_sweep_create(const struct intra_sweep_options *options, const struct intra_camera *camera,
                                     const struct intra_view_f32 *light, struct intra_sweep **out,
                                     struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_sweep *s = NULL;
    INTRA_TRY(INTRA_ALLOC(s, 1, err));
    s->options = *options;
    s->camera = camera;
    s->light = light;
    s->shrink = (int)fmax(1, floor(camera->fx * SPACING_REL / 1.5 / SAMPLE_PX));
    s->rows = camera->height / s->shrink;
    s->cols = camera->width / s->shrink;
    for (int i = 0; i < KEPT; i++)
        INTRA_TRY(INTRA_ALLOC(s->kept[i].px, (size_t)s->rows * (size_t)s->cols, err));
    *out = s;
    s = NULL;
done:
    intra_sweep_destroy(&s);
    return status;
}

void intra_sweep_destroy(struct intra_sweep **sweep)
{
    if (!*sweep) return;
    for (int i = 0; i < KEPT; i++)
        intra_free((*sweep)->kept[i].px);
    intra_free(*sweep);
    *sweep = NULL;
}

void intra_sweep_clear(struct intra_sweep *s)
{
    s->n_kept = 0;
}

static const struct kept *kept_before(const struct intra_sweep *s, int n)
{
    return &s->kept[(s->last + KEPT - n) % KEPT];
}

enum intra_status intra_sweep_keep(struct intra_sweep *s, const struct intra_pose *cam_from_run, double station_m,
                                   const struct intra_frame *picture, struct intra_error *err)
{
    struct intra_pose run_from_cam = intra_pose_inverse(cam_from_run);
    if (picture->y.rows < s->rows * s->shrink || picture->y.cols < s->cols * s->shrink)
        return INTRA_FAIL(err, INTRA_E_ARG, "picture of %d x %d, camera of %d x %d", picture->y.cols, picture->y.rows,
                          s->camera->width, s->camera->height);
    s->last = (s->last + 1) % KEPT;
    if (s->n_kept < KEPT) s->n_kept++;
    struct kept *k = &s->kept[s->last];
    k->cam_from_run = *cam_from_run;
    k->centre = run_from_cam.t;
    k->station_m = station_m;
    float share = 1.0f / (float)(s->shrink * s->shrink);
#pragma omp parallel for schedule(static) num_threads(s->options.threads)
    for (int r = 0; r < s->rows; r++) {
        float *out = k->px + (size_t)r * (size_t)s->cols;
        for (int c = 0; c < s->cols; c++) {
            int sum = 0;
            for (int i = 0; i < s->shrink; i++) {
                const uint8_t *row = intra_row_u8(&picture->y, r * s->shrink + i) + c * s->shrink;
                for (int j = 0; j < s->shrink; j++)
                    sum += row[j];
            }
            out[c] = (float)sum * share;
        }
    }
    return INTRA_OK;
}

bool intra_sweep_shows(const struct intra_sweep *s, const struct intra_sweep_site *site, double ahead_m)
{
    const struct kept *k = &s->kept[s->last];
    struct intra_vec3 at = intra_mad(intra_mad(site->centre, site->r_m, site->out), -ahead_m, site->along);
    struct intra_vec3 x = intra_pose_apply(&k->cam_from_run, at);
    double px[2];
    if (intra_dot(intra_sub(at, k->centre), site->along) < LEAST_AHEAD_REL * s->options.radius_m) return false;
    if (intra_dot(x, intra_mat3_mul_vec(&k->cam_from_run.r, site->out)) < FLATTEST * intra_norm(x)) return false;
    if (!intra_camera_project(s->camera, x, px, NULL, NULL)) return false;
    if (!(px[0] >= 1 && px[1] >= 1 && px[0] <= s->camera->width - 2 && px[1] <= s->camera->height - 2)) return false;
    return intra_row_f32(s->light, (int)px[1])[2 * (int)px[0]] > 0.3f;
}

/* Where a square of wall lies in a kept picture: middle and steps of a sample along and around, its own pixels. */
struct lay {
    float u, v, au, av, bu, bv;
};

static bool lay_window(const struct intra_sweep *s, const struct kept *k, struct intra_vec3 x, struct intra_vec3 along,
                       struct intra_vec3 around, double spacing_m, struct lay *out)
{
    const double half = (SIDE - 1) / 2.0;
    double p[3][2], shrink = s->shrink;
    struct intra_vec3 at[3] = {x, intra_mad(x, half * spacing_m, along), intra_mad(x, half * spacing_m, around)};
    for (int i = 0; i < 3; i++)
        if (!intra_camera_project(s->camera, intra_pose_apply(&k->cam_from_run, at[i]), p[i], NULL, NULL)) return false;
    for (int i = 0; i < 4; i++) { /* corners */
        double a = i & 1 ? 1 : -1, b = i & 2 ? 1 : -1;
        double u = p[0][0] + a * (p[1][0] - p[0][0]) + b * (p[2][0] - p[0][0]),
               v = p[0][1] + a * (p[1][1] - p[0][1]) + b * (p[2][1] - p[0][1]);
        if (!(u > 2 * shrink && v > 2 * shrink && u < (s->cols - 3) * shrink && v < (s->rows - 3) * shrink))
            return false;
        if (!(intra_row_f32(s->light, (int)v)[2 * (int)u] > 0)) return false;
    }
    out->u = (float)((p[0][0] + 0.5) / shrink - 0.5);
    out->v = (float)((p[0][1] + 0.5) / shrink - 0.5);
    out->au = (float)((p[1][0] - p[0][0]) / half / shrink);
    out->av = (float)((p[1][1] - p[0][1]) / half / shrink);
    out->bu = (float)((p[2][0] - p[0][0]) / half / shrink);
    out->bv = (float)((p[2][1] - p[0][1]) / half / shrink);
    return true;
}

/* Samples less their plane; returns the sum of squares that is left. */
INTRA_CLONES static float cut_window(const float *px, int cols, const struct lay *lay, float out[N])
{
    const float half = (SIDE - 1) / 2.0f;
    float mean = 0, slope_a = 0, slope_b = 0, sum = 0, squares = 0;
    for (int i = 0; i < N; i++) {
        float a = (float)(i % SIDE) - half, b = (float)(i / SIDE) - half;
        float u = lay->u + a * lay->au + b * lay->bu, v = lay->v + a * lay->av + b * lay->bv;
        int iu = (int)u, iv = (int)v;
        float fu = u - (float)iu, fv = v - (float)iv;
        const float *p = px + (size_t)iv * (size_t)cols + (size_t)iu, *q = p + cols;
        float top = p[0] + fu * (p[1] - p[0]), bottom = q[0] + fu * (q[1] - q[0]);
        out[i] = top + fv * (bottom - top);
        mean += out[i];
        slope_a += a * out[i];
        slope_b += b * out[i];
        squares += a * a;
    }
    mean /= N;
    slope_a /= squares;
    slope_b /= squares;
    for (int i = 0; i < N; i++) {
        out[i] -= mean + ((float)(i % SIDE) - half) * slope_a + ((float)(i / SIDE) - half) * slope_b;
        sum += out[i] * out[i];
    }
    return sum;
}

/* The earlier views to look in: those nearest to the wanted bases. Returns how many. */
static int choose_far(const struct intra_sweep *s, const struct kept *out[FAR])
{
    const struct kept *near = kept_before(s, 0);
    double r = s->options.radius_m;
    int n = 0;
    for (int f = 0; f < FAR; f++) {
        const struct kept *best = NULL;
        double least = INFINITY;
        for (int i = 1; i < s->n_kept; i++) {
            const struct kept *k = kept_before(s, i);
            double base = near->station_m - k->station_m;
            if (base < LEAST_BASE_REL * r || base > MOST_BASE_REL * r || fabs(base - FAR_REL[f] * r) >= least) continue;
            least = fabs(base - FAR_REL[f] * r);
            best = k;
        }
        if (best && (n == 0 || out[0] != best)) out[n++] = best;
    }
    return n;
}

/* The wall point that the ray from `from` through the site meets at radius r, as a multiple of the ray; NaN: none. */
static double reach_at(const struct intra_sweep_site *site, struct intra_vec3 from, struct intra_vec3 ray, double r)
{
    struct intra_vec3 p = intra_sub(from, site->centre);
    struct intra_vec3 p_across = intra_mad(p, -intra_dot(p, site->along), site->along),
                      d = intra_mad(ray, -intra_dot(ray, site->along), site->along);
    double a = intra_dot(d, d), b = intra_dot(d, p_across), c = intra_dot(p_across, p_across) - r * r,
           root = b * b - a * c;
    return a > 0 && root > 0 ? (sqrt(root) - b) / a : NAN;
}

/* A window that was cut in the last view, and what is needed to look for it at other radii. */
struct search {
    const struct intra_sweep *s;
    const struct kept *const *far;
    const struct intra_sweep_site *site;
    struct intra_vec3 from, ray; /* of the last view */
    double first_m, step_m;      /* radius of step i */
    double squares;
    float window[N];
};

/* Correlation at a step, mean over the first n_far of the earlier views that show it; -1 where none does. */
static double score_at(const struct search *q, int i, int n_far)
{
    double k = reach_at(q->site, q->from, q->ray, q->first_m + i * q->step_m), sum = 0,
           spacing = SPACING_REL * q->s->options.radius_m;
    int seen = 0;
    struct lay lay;
    float other[N];
    if (!(k > 0)) return -1;
    for (int f = 0; f < n_far; f++) {
        float product = 0;
        double own;
        if (!lay_window(q->s, q->far[f], intra_mad(q->from, k, q->ray), q->site->along, q->site->around, k * spacing,
                        &lay))
            continue;
        own = (double)cut_window(q->far[f]->px, q->s->cols, &lay, other);
        for (int j = 0; j < N; j++)
            product += q->window[j] * other[j];
        sum += (double)product / sqrt(q->squares * own + 1e-6);
        seen++;
    }
    return seen ? sum / seen : -1;
}

/* The best of every second step in one view, if no other comes near; -1. */
static int look_coarsely(const struct search *q, int n)
{
    double score[MAX_STEPS], rival = -1;
    int best = 0;
    for (int i = 0; i < n; i += 2) {
        score[i] = score_at(q, i, 1);
        if (score[i] > score[best]) best = i;
    }
    for (int i = 0; i < n; i += 2)
        if (abs(i - best) > 3 && (i < 2 || score[i] >= score[i - 2]) && (i + 2 >= n || score[i] >= score[i + 2]))
            rival = fmax(rival, score[i]);
    return score[best] - rival < LEAST_LEAD ? -1 : best;
}

static void measure_site(const struct intra_sweep *s, const struct kept *const far[FAR], int n_far,
                         const struct intra_sweep_site *site, struct intra_radius_sample *out)
{
    enum { FINE = 5 };
    const struct kept *near = kept_before(s, 0);
    double radius = s->options.radius_m, score[FINE];
    struct intra_vec3 x0 = intra_mad(site->centre, site->r_m, site->out);
    struct search q = {.s = s,
                       .far = far,
                       .site = site,
                       .from = near->centre,
                       .ray = intra_sub(x0, near->centre),
                       .first_m = site->r_m - INWARD_REL * radius,
                       .step_m = STEP_REL * radius};
    struct lay lay;
    int coarse, best = 0;
    if (!lay_window(s, near, x0, site->along, site->around, SPACING_REL * radius, &lay)) return;
    q.squares = (double)cut_window(near->px, s->cols, &lay, q.window);
    if (q.squares < N * LEAST_RMS * LEAST_RMS) return;
    coarse = look_coarsely(&q, (int)((INWARD_REL + OUTWARD_REL) / STEP_REL) + 1);
    if (coarse < 0) return;
    for (int i = 0; i < FINE; i++) {
        score[i] = score_at(&q, coarse + i - FINE / 2, n_far);
        if (score[i] > score[best]) best = i;
    }
    if (best < 1 || best > FINE - 2 || score[best] < LEAST_SCORE || score[best - 1] <= -1 || score[best + 1] <= -1)
        return;
    double bend = 2 * score[best] - score[best - 1] - score[best + 1];
    if (!(bend > 1e-4)) return;
    double at = coarse + best - FINE / 2 + 0.5 * (score[best + 1] - score[best - 1]) / bend;
    double r = q.first_m + at * q.step_m, k = reach_at(site, q.from, q.ray, r);
    if (!(k > 0)) return;
    struct intra_vec3 off = intra_mad(intra_sub(q.from, site->centre), k, q.ray);
    out->station_m = (float)(site->station_m + intra_dot(off, site->along));
    out->theta_rad = (float)(site->theta_rad + atan2(intra_dot(off, site->around), intra_dot(off, site->out)));
    out->r_m = (float)r;
    out->sd_m = (float)(q.step_m * sqrt(2 * fmax(0, 1 - score[best]) / (FREE_SAMPLES * bend)));
}

void intra_sweep_measure(const struct intra_sweep *s, const struct intra_sweep_site *sites, int n,
                         struct intra_radius_sample *out)
{
    const struct kept *far[FAR];
    int n_far = choose_far(s, far);
#pragma omp parallel for schedule(dynamic, 8) num_threads(s->options.threads)
    for (int i = 0; i < n; i++) {
        out[i] = (struct intra_radius_sample){0, 0, 0, -1};
        if (n_far) measure_site(s, far, n_far, &sites[i], &out[i]);
    }
}

bool intra_sweep_agrees(const struct intra_radius_sample *samples, int64_t from, int64_t end, int64_t i,
                        double radius_m, bool is_wall)
{
    const struct intra_radius_sample *p = &samples[i];
    double reach = AGREE_REACH_REL * radius_m;
    int all = 0, agree = 0;
    for (int64_t k = from; k < end; k++) {
        double along = (double)samples[k].station_m - (double)p->station_m;
        if (k == i || fabs(along) > reach) continue;
        double around = radius_m * intra_wrap_pi((double)samples[k].theta_rad - (double)p->theta_rad);
        if (fabs(around) > reach || hypot(around, along) > reach) continue;
        all++;
        agree += fabs((double)samples[k].r_m - (double)p->r_m) < AGREE_REL * radius_m;
    }
    if (is_wall) return all >= 2 && agree >= WALL_SHARE * all;
    return all >= 2 && (agree >= AGREE_SHARE * all || agree >= AGREE_MANY);
}

enum intra_status intra_sweep_prune(struct intra_radius_sample *samples, int64_t *n, double radius_m,
                                    struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    double reach = AGREE_REACH_REL * radius_m;
    uint8_t *is_kept = NULL;
    int64_t left = 0, from = 0, end = 0;
    INTRA_TRY(INTRA_ALLOC(is_kept, (size_t)*n + 1, err));
    for (int64_t i = 0; i < *n; i++) {
        while ((double)samples[from].station_m < (double)samples[i].station_m - reach)
            from++;
        while (end < *n && (double)samples[end].station_m < (double)samples[i].station_m + reach)
            end++;
        is_kept[i] = intra_sweep_agrees(samples, from, end, i, radius_m, false);
    }
    for (int64_t i = 0; i < *n; i++)
        if (is_kept[i]) samples[left++] = samples[i];
    *n = left;
done:
    intra_free(is_kept);
    return status;
}
