/* The curve of a Kannala-Brandt lens, r = f t + f k1 t^3 + f k2 t^5 + f k3 t^7, is linear in f and f k_i: a weighted
 * mean of these is the mean of the curves. What is compared are the angles at which four pixels are seen, and the focal
 * length. With d the relative differences of a piece's angles from the mean's,
 *
 *   e^2 = mean d^2 / (mean stated variance + FLOOR^2) / max(1, median of e^2 over the pieces)
 *   weight = Cauchy(e^2) / (mean stated variance + FLOOR^2)
 *
 * begun at the piece that the others are nearest to. */
#include "recon/lens_combine.h"

#include "core/camera_convert.h"
#include "core/mem.h"
#include "core/select.h"
#include "recon/robust.h"

#include <math.h>
#include <string.h>

#define FLOOR 0.002 /* no piece is better than that: deviations from a dozen groups are themselves uncertain */
#define FAR_C2 4.0
enum { ROUNDS = 15, NODES = INTRA_LENS_NODES, KINDS = NODES + 1, TERMS = 4, MOST_RIVALS = 64 };

/* Pixels from the centre of what is compared. */
static void nodes_of(const struct intra_camera *lens, double radius_px[NODES])
{
    double corner = 0.999 * intra_camera_corner_rad(lens), px[2], half = NAN;
    if (intra_camera_project(lens, intra_vec3(sin(corner), 0, cos(corner)), px, NULL, NULL)) half = px[0] - lens->cx;
    for (int i = 0; i < NODES; i++)
        radius_px[i] = half * (i + 1) / NODES;
}

double intra_lens_angle_change(const struct intra_camera *a, const struct intra_camera *b)
{
    double worst = 0, at[NODES];
    nodes_of(b, at);
    for (int i = 0; i < NODES; i++) {
        double d = intra_camera_angle_rad(a, at[i]) / intra_camera_angle_rad(b, at[i]) - 1;
        if (isfinite(d) && fabs(d) > fabs(worst)) worst = d;
    }
    return worst;
}

/* How far `a` is off `b`, by angle and last by focal length. False: it does not see what b sees. */
static bool compare(const struct intra_camera *a, const struct intra_camera *b, double d[KINDS])
{
    double at[NODES];
    nodes_of(b, at);
    for (int i = 0; i < NODES; i++) {
        d[i] = intra_camera_angle_rad(a, at[i]) / intra_camera_angle_rad(b, at[i]) - 1;
        if (!isfinite(d[i])) return false;
    }
    d[NODES] = log(a->fx / b->fx);
    return isfinite(d[NODES]);
}

static double mean_square(const double d[NODES])
{
    double sum = 0;
    for (int i = 0; i < NODES; i++)
        sum += d[i] * d[i];
    return sum / NODES;
}

/* Stated variances by kind. */
static bool stated(const struct intra_camera *lens, const double cov[INTRA_LENS_PARAMS][INTRA_LENS_PARAMS],
                   double out[KINDS])
{
    double corner = 0.999 * intra_camera_corner_rad(lens), at[NODES];
    nodes_of(lens, at);
    for (int i = 0; i < NODES; i++) {
        double theta = i == NODES - 1 ? corner : intra_camera_angle_rad(lens, at[i]);
        out[i] = pow(intra_lens_angle_sd(lens, cov, theta), 2);
        if (!isfinite(out[i])) return false;
    }
    out[NODES] = cov[INTRA_LENS_F][INTRA_LENS_F];
    return isfinite(out[NODES]);
}

static double variance_of(const struct intra_lens_piece *piece)
{
    double v[KINDS], sum = FLOOR * FLOOR;
    if (!stated(&piece->lens, piece->cov, v)) return INFINITY;
    for (int i = 0; i < NODES; i++)
        sum += v[i] / NODES;
    return sum;
}

/* The piece that the others are nearest to, each as far as Cauchy lets it count; of very many, looked for among the
 * first. -1: none. */
static int middle(const struct intra_lens_piece *pieces, const double *variance, int n)
{
    double best = INFINITY, d[KINDS];
    int at = -1, rivals = n < MOST_RIVALS ? n : MOST_RIVALS;
    for (int i = 0; i < rivals; i++) {
        double cost = log(variance[i]); /* of two: the surer one */
        if (!isfinite(cost)) continue;
        for (int k = 0; k < rivals; k++)
            if (isfinite(variance[k]) && compare(&pieces[k].lens, &pieces[i].lens, d))
                cost += intra_cauchy_cost(mean_square(d) / variance[k], FAR_C2);
        if (cost < best) best = cost, at = i;
    }
    return at;
}

static bool mean_lens(const struct intra_lens_piece *pieces, const double *weight, int n, struct intra_camera *out)
{
    double sum[TERMS] = {0}, total = 0;
    for (int i = 0; i < n; i++) {
        total += weight[i];
        for (int k = 0; k < TERMS; k++)
            sum[k] += weight[i] * pieces[i].lens.fx * (k ? pieces[i].lens.k[k - 1] : 1);
    }
    if (!(total > 0)) return false;
    *out = pieces[0].lens;
    out->fx = sum[0] / total;
    out->fy = pieces[0].lens.fy * out->fx / pieces[0].lens.fx;
    for (int k = 1; k < TERMS; k++)
        out->k[k - 1] = sum[k] / sum[0];
    return intra_camera_finish(out, NULL) == INTRA_OK;
}

/* Weights by how far the pieces are off the mean; 0 for one that cannot be compared. */
static void weigh(const struct intra_lens_piece *pieces, const double *variance, int n, const struct intra_camera *mean,
                  double *weight, double *scratch)
{
    double d[KINDS];
    for (int i = 0; i < n; i++) {
        bool can = isfinite(variance[i]) && compare(&pieces[i].lens, mean, d);
        weight[i] = scratch[i] = can ? mean_square(d) / variance[i] : INFINITY;
    }
    double noise2 = fmax(1, intra_select(scratch, n, n / 2));
    for (int i = 0; i < n; i++)
        weight[i] = isfinite(weight[i]) ? intra_cauchy_weight(weight[i] / noise2, FAR_C2) / variance[i] : 0;
}

enum intra_status intra_lens_combine(const struct intra_lens_piece *pieces, int n, struct intra_lens_combined *out,
                                     struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    double *variance = NULL, *weight, *scratch, total = 0, own[KINDS] = {0}, common[KINDS] = {0}, spread[KINDS] = {0};
    int n_added = 0;
    memset(out, 0, sizeof *out);
    INTRA_TRY(INTRA_ALLOC(variance, (size_t)(3 * n + 1), err));
    weight = variance + n, scratch = weight + n;
    for (int i = 0; i < n; i++)
        variance[i] = variance_of(&pieces[i]);
    int first = middle(pieces, variance, n);
    if (first < 0) INTRA_TRY(INTRA_FAIL(err, INTRA_E_DEGENERATE, "no stretch of the run tells a lens"));
    out->lens = pieces[first].lens;
    for (int round = 0; round < ROUNDS; round++) {
        struct intra_camera next;
        weigh(pieces, variance, n, &out->lens, weight, scratch);
        if (!mean_lens(pieces, weight, n, &next)) break;
        out->lens = next;
    }
    weigh(pieces, variance, n, &out->lens, weight, scratch);
    for (int i = 0; i < n; i++) {
        double w = weight[i], all[KINDS], shared[KINDS], d[KINDS];
        if (!(w > 0) || !stated(&pieces[i].lens, pieces[i].cov, all) ||
            !stated(&pieces[i].lens, pieces[i].common, shared) || !compare(&pieces[i].lens, &out->lens, d))
            continue;
        total += w;
        n_added++;
        out->n_used += w * variance[i] >= 0.5;
        for (int k = 0; k < KINDS; k++) {
            common[k] += w * shared[k];
            own[k] += w * w * fmax(0, all[k] - shared[k]);
            spread[k] += w * w * d[k] * d[k];
        }
        out->scatter_rel += w * mean_square(d);
    }
    if (!(total > 0)) INTRA_TRY(INTRA_FAIL(err, INTRA_E_DEGENERATE, "the stretches of the run tell no common lens"));
    out->scatter_rel = sqrt(out->scatter_rel / total);
    for (int k = 0; k < KINDS; k++) {
        double scatter = n_added > 1 ? spread[k] * n_added / (n_added - 1) : 0;
        double sd = sqrt(common[k] / total + fmax(own[k], scatter) / (total * total));
        *(k < NODES ? &out->angle_sd_rel[k] : &out->focal_sd_rel) = sd;
    }
done:
    intra_free(variance);
    return status;
}
