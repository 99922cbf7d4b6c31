/* Adjustment of a whole pilot with the lens in it.
 *
 * Unknowns: six of each view (left update of cam_from_world: w, v), two of each knot of the axis across it, two of the
 * oval there, three of each wall point X, and the lens: a = ln f, k1, k2, k3 (Kannala-Brandt), cx, cy.
 *
 *   sight    e = px - pi(T X; lens)                     inverse covariance from the patch alignment; Cauchy
 *   tube     e = (|X - c(u)| - r(u, t)) / sd            as in bundle.c; Cauchy; sectors of the clock pull alike
 *   axis     e = n . (P_(i-1) - 2 P_i + P_(i+1)) / (h sd_kink), Huber; ovals: near none, and like their neighbours
 *   way      e = (sum_i w_i t_i . (C_(i+1) - C_i) - way) / sd   C_i: centres from the lowest to the highest station,
 *            t_i the tangent of the axis between, w_i makes it the arc length at first; both held
 *   lens     e = (parameter - mean) / sd
 *
 * The tube's radius is what sets the scale across the pipe. In a straight pipe seen along its axis the motion leaves
 * one direction open: stations times s, f times s, k_i times s^(2i) (r = f R / z (1 + ...) is a function of z / f); the
 * way closes it. The first view is held.
 *
 * A point couples with at most 15 views, four knots and the lens and is eliminated by itself (3 x 3). What is left is
 * ordered by station, knots three radii ahead of their views, the lens at the end: a band with a border, factored as
 * an envelope (George and Liu 1981). The way would couple all: it is taken as a rank-one change of the solved system
 * (Sherman and Morrison 1950). Levenberg-Marquardt.
 *
 * Deviations. With A the normal matrix, b_g what the points of group g give to its right side (they sum to nothing at
 * the end), V = A^-1 (sum_g b_g b_g^T + priors) A^-1: a deviation that holds when errors of one group are of one kind
 * (Liang and Zeger 1986, "Longitudinal data analysis using generalized linear models"), as they are where the wall is
 * not the tube. Groups are once the sectors of the clock and once stretches along the pipe; the two V are added. */
#include "recon/lens_solve.h"

#include "core/camera_convert.h"
#include "core/mem.h"
#include "core/select.h"
#include "recon/robust.h"

#include <stdlib.h>
#include <string.h>

#define MATCH_C2 6.0
#define TUBE_C2 4.0
#define TUBE_SD 0.015
#define KINK_SD_RAD 0.003
#define KINK_C 2.0
#define OVAL_STEP_SD 0.004
#define OVAL_SD 0.02
#define MOST_SHARE 3.0
#define KNOT_AHEAD 3.0 /* radii that a knot is seen from, for the order of the unknowns only */
#define HOLD 1e9
#define SETTLED 2e-4 /* relative change of the lens's angles in a step, and of its centre over the width */
/* What is believed before: what a term of the distortion does at the picture's corner, as a share of the angle there.
 */
#define TERM_1 0.1
#define TERM_1_SD 0.15
#define TERM_2_SD 0.05
#define TERM_3_SD 0.02
#define FOCAL_SD 0.7 /* of ln f, before; where nothing tells the scale it is held instead: */
#define HELD_SD 1e-5
#define CENTRE_SD_PX 1e-3
#define CENTRE_SD_REL 0.01 /* of the picture's width: a sensor is glued in beside its lens's axis by so much */
enum { N_SECTORS = 12, N_STRETCHES = 8, MAX_ITERATIONS = 20, NOISE_ITERATIONS = 3, PARAMS = INTRA_LENS_PARAMS };
enum { MAX_LOCAL = 6 * INTRA_LENS_MAX_SIGHTS + 16 + PARAMS };

struct order {
    double key;
    int is_knot, index;
};

struct local { /* what one point couples with */
    int var[MAX_LOCAL], n;
    double h[MAX_LOCAL][MAX_LOCAL], hp[MAX_LOCAL][3], g[MAX_LOCAL], hpp[3][3], gp[3];
};

struct solver {
    struct intra_lens_scene *scene;
    const struct intra_lens_prior *prior;
    struct intra_camera *camera, start;
    double value[PARAMS];
    int *view_var, *knot_var; /* first variable; a knot's oval follows its two */
    int nx, lens_var;
    int *first;     /* column at which a row of the envelope begins */
    size_t *offset; /* of the row in `a` */
    double *a, *b, *step, *way_j, *way_z;
    double *share;      /* of each track: weight of its tube prior */
    int *sector, *base; /* of each track; base: first of its knots at the start, which the envelope is for */
    double (*cos_sin)[2];
    double noise2, lambda, *chi2;
    struct intra_vec3 *way_g; /* d way / d centre of each view */
    double way_before;
    double (*hp)[MAX_LOCAL][3]; /* of each track, kept for the way back */
    double (*hpp_inv)[3][3], (*gp)[3];
    struct intra_pose *old_views;
    struct intra_axis_knot *old_knots;
    struct intra_vec3 *old_x;
    double old_value[PARAMS];
};

static bool set_lens(struct solver *s)
{
    struct intra_camera *c = s->camera;
    c->fx = s->start.fx * exp(s->value[INTRA_LENS_F]);
    c->fy = s->start.fy * exp(s->value[INTRA_LENS_F]);
    for (int i = 0; i < 3; i++)
        c->k[i] = s->value[INTRA_LENS_K1 + i];
    c->cx = s->value[INTRA_LENS_CX];
    c->cy = s->value[INTRA_LENS_CY];
    return intra_camera_finish(c, NULL) == INTRA_OK;
}

/* The first of the four knots at u, -1 beyond the axis. */
static int base_knot(const struct solver *s, double u)
{
    int base = (int)floor(u) - 1 - s->scene->axis->first;
    return base >= 0 && base + 3 < s->scene->axis->count ? base : -1;
}

/* Variables of a track: views, knots with ovals, lens. Returns how many blocks of six and of four. */
static void couple(const struct solver *s, const struct intra_lens_track *t, struct local *l, int *n_views, int *base)
{
    l->n = 0;
    *n_views = t->n;
    for (int i = 0; i < t->n; i++)
        for (int k = 0; k < 6; k++)
            l->var[l->n++] = s->view_var[s->scene->sights[t->first + i].view] + k;
    *base = base_knot(s, t->u);
    for (int i = 0; i < 4 && *base >= 0; i++)
        for (int k = 0; k < 4; k++)
            l->var[l->n++] = s->knot_var[*base + i] + k;
    for (int k = 0; k < PARAMS; k++)
        l->var[l->n++] = s->lens_var + k;
}

static double expected(const struct solver *s, int track, int base, const double w[4])
{
    double rel = 1;
    for (int i = 0; i < 4 && base >= 0; i++) {
        const double *oval = s->scene->axis->knots[base + i].oval;
        rel += w[i] * (oval[0] * s->cos_sin[track][0] + oval[1] * s->cos_sin[track][1]);
    }
    return rel * s->scene->radius_m;
}

static double total_cost(struct solver *s, int *n_chi2)
{
    struct intra_lens_scene *c = s->scene;
    double cost = 0;
    int n = 0;
    for (int i = 0; i < c->n_tracks; i++) {
        struct intra_lens_track *t = &c->tracks[i];
        double w[4];
        for (int k = 0; k < t->n; k++) {
            const struct intra_lens_sight *o = &c->sights[t->first + k];
            double px[2], chi2 = 1e4;
            if (intra_camera_project(s->camera, intra_pose_apply(&c->views[o->view], t->x), px, NULL, NULL)) {
                double e0 = o->px[0] - px[0], e1 = o->px[1] - px[1];
                chi2 = o->info[0] * e0 * e0 + 2 * o->info[1] * e0 * e1 + o->info[2] * e1 * e1;
            }
            s->chi2[n++] = chi2;
            cost += intra_cauchy_cost(chi2 / s->noise2, MATCH_C2);
        }
        t->u = intra_axis_nearest(c->axis, t->x, t->u);
        struct intra_vec3 arm = intra_sub(t->x, intra_axis_point(c->axis, t->u, NULL, NULL, w));
        double sd = TUBE_SD * c->radius_m / sqrt(s->share[i]);
        double e = (intra_norm(arm) - expected(s, i, base_knot(s, t->u), w)) / sd;
        cost += intra_cauchy_cost(e * e, TUBE_C2);
    }
    double scale = 1 / (c->axis->h * KINK_SD_RAD);
    for (int i = 1; i + 1 < c->axis->count; i++) {
        const struct intra_axis_knot *k = &c->axis->knots[i];
        struct intra_vec3 d = intra_sub(intra_add(k[-1].p, k[1].p), intra_scale(k[0].p, 2));
        double e0 = scale * intra_dot(d, k->n[0]), e1 = scale * intra_dot(d, k->n[1]);
        cost += intra_huber_cost(e0 * e0 + e1 * e1, KINK_C);
    }
    for (int i = 0; i < c->axis->count; i++)
        for (int q = 0; q < 2; q++) {
            const struct intra_axis_knot *k = &c->axis->knots[i];
            cost += pow(k->oval[q] / OVAL_SD, 2);
            if (i + 1 < c->axis->count) cost += pow((k[1].oval[q] - k->oval[q]) / OVAL_STEP_SD, 2);
        }
    for (int k = 0; k < PARAMS; k++)
        cost += pow((s->value[k] - s->prior->mean[k]) / s->prior->sd[k], 2);
    *n_chi2 = n;
    return cost;
}

/* Way along the pipe from the view of the lowest station to that of the highest, and its gradient over the centres. */
static double way_now(const struct solver *s)
{
    double way = 0;
    for (int i = 0; i < s->scene->n_views; i++)
        way += intra_dot(s->way_g[i], intra_pose_inverse(&s->scene->views[i]).t);
    return way;
}

static double way_cost(const struct solver *s)
{
    if (!(s->prior->way_sd_rel > 0)) return 0;
    return pow((way_now(s) / s->way_before - s->prior->way_rel) / s->prior->way_sd_rel, 2);
}

static void lay_way(struct solver *s)
{
    struct intra_lens_scene *c = s->scene;
    double low_s = INFINITY, high_s = -INFINITY, at = 0;
    int low = 0, high = 0;
    for (int i = 0; i < c->n_views; i++) {
        at += i ? intra_axis_arc_length(c->axis, c->u[i - 1], c->u[i]) : 0;
        if (at < low_s) low_s = at, low = i;
        if (at > high_s) high_s = at, high = i;
    }
    double sign = low < high ? 1 : -1;
    int from = low < high ? low : high, to = low < high ? high : low;
    for (int i = from; i < to; i++) {
        struct intra_vec3 d,
            step = intra_sub(intra_pose_inverse(&c->views[i + 1]).t, intra_pose_inverse(&c->views[i]).t);
        (void)intra_axis_point(c->axis, (c->u[i] + c->u[i + 1]) / 2, &d, NULL, NULL);
        d = intra_unit(d);
        double along = intra_dot(d, step), arc = intra_axis_arc_length(c->axis, c->u[i], c->u[i + 1]);
        double w = fabs(along) > 1e-6 * c->radius_m ? fmin(fmax(arc / along, 0.5), 2) : 1;
        s->way_g[i + 1] = intra_mad(s->way_g[i + 1], sign * w, d);
        s->way_g[i] = intra_mad(s->way_g[i], -sign * w, d);
    }
    s->way_before = way_now(s);
}

static void add_sight(const struct solver *s, const struct intra_lens_track *t, int k, struct local *l)
{
    const struct intra_lens_sight *o = &s->scene->sights[t->first + k];
    const struct intra_pose *pose = &s->scene->views[o->view];
    struct intra_vec3 x = intra_pose_apply(pose, t->x);
    double px[2], jac[6], jp[2 * INTRA_CAMERA_MAX_PARAMS], j[2][6 + PARAMS], jx[2][3], e[2];
    int lens = l->n - PARAMS, place[6 + PARAMS];
    if (!intra_camera_project(s->camera, x, px, jac, jp)) return;
    e[0] = o->px[0] - px[0], e[1] = o->px[1] - px[1];
    double chi2 = o->info[0] * e[0] * e[0] + 2 * o->info[1] * e[0] * e[1] + o->info[2] * e[1] * e[1];
    double w = intra_cauchy_weight(chi2 / s->noise2, MATCH_C2) / s->noise2;
    double info[3] = {w * o->info[0], w * o->info[1], w * o->info[2]};
    for (int r = 0; r < 2; r++) {
        struct intra_vec3 g = {jac[3 * r], jac[3 * r + 1], jac[3 * r + 2]}, a = intra_cross(x, g);
        struct intra_vec3 gw = intra_mat3_tmul_vec(&pose->r, g);
        const double *q = jp + r * INTRA_CAMERA_MAX_PARAMS;
        double row[6 + PARAMS] = {a.x,  a.y,  a.z,  g.x,  g.y, g.z, s->camera->fx * q[0] + s->camera->fy * q[1],
                                  q[4], q[5], q[6], q[2], q[3]};
        memcpy(j[r], row, sizeof row);
        jx[r][0] = gw.x, jx[r][1] = gw.y, jx[r][2] = gw.z;
    }
    for (int i = 0; i < 6 + PARAMS; i++)
        place[i] = i < 6 ? 6 * k + i : lens + i - 6;
    for (int i = 0; i < 6 + PARAMS; i++) {
        double w0 = info[0] * j[0][i] + info[1] * j[1][i], w1 = info[1] * j[0][i] + info[2] * j[1][i];
        l->g[place[i]] += w0 * e[0] + w1 * e[1];
        for (int m = 0; m < 6 + PARAMS; m++)
            l->h[place[i]][place[m]] += w0 * j[0][m] + w1 * j[1][m];
        for (int m = 0; m < 3; m++)
            l->hp[place[i]][m] += w0 * jx[0][m] + w1 * jx[1][m];
    }
    for (int i = 0; i < 3; i++) {
        double w0 = info[0] * jx[0][i] + info[1] * jx[1][i], w1 = info[1] * jx[0][i] + info[2] * jx[1][i];
        l->gp[i] += w0 * e[0] + w1 * e[1];
        for (int m = 0; m < 3; m++)
            l->hpp[i][m] += w0 * jx[0][m] + w1 * jx[1][m];
    }
}

static void add_tube(const struct solver *s, int track, int base, struct local *l)
{
    const struct intra_lens_track *t = &s->scene->tracks[track];
    double weights[4], j[16], sd = TUBE_SD * s->scene->radius_m / sqrt(s->share[track]);
    struct intra_vec3 arm = intra_sub(t->x, intra_axis_point(s->scene->axis, t->u, NULL, NULL, weights));
    double r = intra_norm(arm), e = (expected(s, track, base, weights) - r) / sd;
    double w = intra_cauchy_weight(e * e, TUBE_C2) / (sd * sd);
    struct intra_vec3 n = intra_scale(arm, 1 / fmax(r, 1e-9));
    double jx[3] = {n.x, n.y, n.z};
    int n_j = base >= 0 ? 16 : 0, at = l->n - PARAMS - n_j;
    e *= sd;
    for (int i = 0; i < 4 && n_j; i++) {
        const struct intra_axis_knot *k = &s->scene->axis->knots[base + i];
        j[4 * i] = -weights[i] * intra_dot(n, k->n[0]);
        j[4 * i + 1] = -weights[i] * intra_dot(n, k->n[1]);
        j[4 * i + 2] = -weights[i] * s->scene->radius_m * s->cos_sin[track][0];
        j[4 * i + 3] = -weights[i] * s->scene->radius_m * s->cos_sin[track][1];
    }
    for (int i = 0; i < n_j; i++) {
        l->g[at + i] += w * j[i] * e;
        for (int m = 0; m < n_j; m++)
            l->h[at + i][at + m] += w * j[i] * j[m];
        for (int m = 0; m < 3; m++)
            l->hp[at + i][m] += w * j[i] * jx[m];
    }
    for (int i = 0; i < 3; i++) {
        l->gp[i] += w * jx[i] * e;
        for (int m = 0; m < 3; m++)
            l->hpp[i][m] += w * jx[i] * jx[m];
    }
}

static bool invert3(double m[3][3], double out[3][3])
{
    double c0 = m[1][1] * m[2][2] - m[1][2] * m[2][1], c1 = m[1][2] * m[2][0] - m[1][0] * m[2][2];
    double c2 = m[1][0] * m[2][1] - m[1][1] * m[2][0], det = m[0][0] * c0 + m[0][1] * c1 + m[0][2] * c2;
    if (!(det > 0) || !isfinite(det)) return false;
    out[0][0] = c0 / det, out[1][1] = (m[0][0] * m[2][2] - m[0][2] * m[2][0]) / det;
    out[2][2] = (m[0][0] * m[1][1] - m[0][1] * m[1][0]) / det;
    out[0][1] = out[1][0] = (m[0][2] * m[2][1] - m[0][1] * m[2][2]) / det;
    out[0][2] = out[2][0] = (m[0][1] * m[1][2] - m[0][2] * m[1][1]) / det;
    out[1][2] = out[2][1] = (m[0][2] * m[1][0] - m[0][0] * m[1][2]) / det;
    return true;
}

/* The blocks of one track, its point not yet eliminated. False: it says nothing. */
static bool build_track(struct solver *s, int track, struct local *l)
{
    struct intra_lens_track *t = &s->scene->tracks[track];
    int n_views, base;
    t->u = intra_axis_nearest(s->scene->axis, t->x, t->u);
    couple(s, t, l, &n_views, &base);
    memset(s->hpp_inv[track], 0, sizeof s->hpp_inv[track]);
    memset(s->hp[track], 0, sizeof s->hp[track]);
    if ((base < 0) != (s->base[track] < 0) || abs(base - s->base[track]) > 1) return false; /* ran away */
    for (int i = 0; i < l->n; i++)
        memset(l->h[i], 0, sizeof(double) * (size_t)l->n);
    memset(l->hp, 0, sizeof l->hp);
    memset(l->g, 0, sizeof l->g);
    memset(l->hpp, 0, sizeof l->hpp);
    memset(l->gp, 0, sizeof l->gp);
    for (int k = 0; k < t->n; k++)
        add_sight(s, t, k, l);
    add_tube(s, track, base, l);
    for (int i = 0; i < 3; i++)
        l->hpp[i][i] *= 1 + s->lambda;
    if (!invert3(l->hpp, s->hpp_inv[track])) {
        memset(s->hpp_inv[track], 0, sizeof s->hpp_inv[track]);
        return false;
    }
    memcpy(s->hp[track], l->hp, sizeof l->hp);
    memcpy(s->gp[track], l->gp, sizeof l->gp);
    return true;
}

/* What is left on the right side of the variables once the point is eliminated; out_p (may be NULL): rows of hp hpp^-1.
 */
static void reduce(struct solver *s, int track, const struct local *l, double *out_g, double (*out_p)[3])
{
    for (int i = 0; i < l->n; i++) {
        double p[3];
        for (int m = 0; m < 3; m++)
            p[m] = l->hp[i][0] * s->hpp_inv[track][0][m] + l->hp[i][1] * s->hpp_inv[track][1][m] +
                   l->hp[i][2] * s->hpp_inv[track][2][m];
        out_g[i] = l->g[i] - (p[0] * l->gp[0] + p[1] * l->gp[1] + p[2] * l->gp[2]);
        if (out_p) memcpy(out_p[i], p, sizeof p);
    }
}

static double *entry(const struct solver *s, int row, int col)
{
    if (row < col) {
        int t = row;
        row = col, col = t;
    }
    return &s->a[s->offset[row] + (size_t)(col - s->first[row])];
}

static void add_priors(struct solver *s)
{
    static const double coef[3] = {1, -2, 1};
    struct intra_axis *axis = s->scene->axis;
    double scale = 1 / (axis->h * KINK_SD_RAD);
    for (int i = 1; i + 1 < axis->count; i++) {
        const struct intra_axis_knot *k = &axis->knots[i];
        struct intra_vec3 d = intra_sub(intra_add(k[-1].p, k[1].p), intra_scale(k[0].p, 2));
        double e[2] = {scale * intra_dot(d, k->n[0]), scale * intra_dot(d, k->n[1])};
        double w = intra_huber_weight(e[0] * e[0] + e[1] * e[1], KINK_C);
        for (int r = 0; r < 2; r++)
            for (int p = 0; p < 6; p++) {
                double jp = scale * coef[p / 2] * intra_dot(k[p / 2 - 1].n[p % 2], k->n[r]);
                int vp = s->knot_var[i - 1 + p / 2] + p % 2;
                s->b[vp] -= w * jp * e[r];
                for (int q = 0; q < 6; q++) {
                    int vq = s->knot_var[i - 1 + q / 2] + q % 2;
                    double jq = scale * coef[q / 2] * intra_dot(k[q / 2 - 1].n[q % 2], k->n[r]);
                    if (vq <= vp) *entry(s, vp, vq) += w * jp * jq;
                }
            }
    }
    for (int i = 0; i < axis->count; i++)
        for (int q = 0; q < 2; q++) {
            const struct intra_axis_knot *k = &axis->knots[i];
            int v = s->knot_var[i] + 2 + q;
            double near = 1 / (OVAL_SD * OVAL_SD), per = 1 / (OVAL_STEP_SD * OVAL_STEP_SD);
            *entry(s, v, v) += near;
            s->b[v] -= near * k->oval[q];
            if (i + 1 == axis->count) continue;
            int next = s->knot_var[i + 1] + 2 + q;
            double d = k[1].oval[q] - k->oval[q];
            *entry(s, v, v) += per;
            *entry(s, next, next) += per;
            *entry(s, next, v) -= per;
            s->b[v] += per * d;
            s->b[next] -= per * d;
        }
    for (int k = 0; k < PARAMS; k++) {
        int v = s->lens_var + k;
        double w = 1 / (s->prior->sd[k] * s->prior->sd[k]);
        *entry(s, v, v) += w;
        s->b[v] -= w * (s->value[k] - s->prior->mean[k]);
    }
    for (int k = 0; k < 6; k++) { /* the first view is held; its size is that of radians and metres */
        int v = s->view_var[0] + k;
        *entry(s, v, v) += HOLD * (k < 3 ? 1 : 1 / (s->scene->radius_m * s->scene->radius_m));
    }
}

static void build(struct solver *s, struct local *l)
{
    size_t size = s->offset[s->nx - 1] + (size_t)(s->nx - s->first[s->nx - 1]);
    double g[MAX_LOCAL], p[MAX_LOCAL][3];
    memset(s->a, 0, sizeof *s->a * size);
    memset(s->b, 0, sizeof *s->b * (size_t)s->nx);
    for (int i = 0; i < s->scene->n_tracks; i++) {
        if (!build_track(s, i, l)) continue;
        reduce(s, i, l, g, p);
        for (int r = 0; r < l->n; r++) {
            int v = l->var[r];
            double *row = s->a + s->offset[v] - s->first[v], p0 = p[r][0], p1 = p[r][1], p2 = p[r][2];
            s->b[v] += g[r];
            for (int c = 0; c < l->n; c++)
                if (l->var[c] <= v)
                    row[l->var[c]] += l->h[r][c] - (p0 * l->hp[c][0] + p1 * l->hp[c][1] + p2 * l->hp[c][2]);
        }
    }
    add_priors(s);
    for (int i = 0; i < s->nx; i++) {
        double *d = entry(s, i, i);
        *d = *d * (1 + s->lambda) + (i < s->lens_var ? 1e-3 : 0);
    }
    memset(s->way_j, 0, sizeof *s->way_j * (size_t)s->nx);
    for (int i = 0; i < s->scene->n_views; i++) {
        /* the centre moves by -R^T v */
        struct intra_vec3 d = intra_mat3_mul_vec(&s->scene->views[i].r, s->way_g[i]);
        double *j = s->way_j + s->view_var[i];
        j[3] = -d.x / s->way_before, j[4] = -d.y / s->way_before, j[5] = -d.z / s->way_before;
    }
}

static bool factor(struct solver *s)
{
    for (int i = 0; i < s->nx; i++) {
        double *row = s->a + s->offset[i] - s->first[i];
        for (int j = s->first[i]; j <= i; j++) {
            const double *other = s->a + s->offset[j] - s->first[j];
            int k = s->first[i] > s->first[j] ? s->first[i] : s->first[j];
            double sum0 = 0, sum1 = 0;
            for (; k + 1 < j; k += 2) {
                sum0 += row[k] * other[k];
                sum1 += row[k + 1] * other[k + 1];
            }
            if (k < j) sum0 += row[k] * other[k];
            double left = row[j] - (sum0 + sum1);
            if (j < i)
                row[j] = left / other[j];
            else if (!(left > 0) || !isfinite(left))
                return false;
            else
                row[j] = sqrt(left);
        }
    }
    return true;
}

static void solve(const struct solver *s, double *x)
{
    for (int i = 0; i < s->nx; i++) {
        const double *row = s->a + s->offset[i] - s->first[i];
        double sum = x[i];
        for (int k = s->first[i]; k < i; k++)
            sum -= row[k] * x[k];
        x[i] = sum / row[i];
    }
    for (int i = s->nx - 1; i >= 0; i--) {
        const double *row = s->a + s->offset[i] - s->first[i];
        x[i] /= row[i];
        for (int k = s->first[i]; k < i; k++)
            x[k] -= row[k] * x[i];
    }
}

static double dot(const double *a, const double *b, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* x, a solution without the way, becomes one with it: residual e of the way (0 when x is of another right side). */
static void close_way(const struct solver *s, double *x, double e)
{
    if (!(s->prior->way_sd_rel > 0)) return;
    double w = 1 / (s->prior->way_sd_rel * s->prior->way_sd_rel);
    double k = w * (e - dot(s->way_j, x, s->nx)) / (1 + w * dot(s->way_j, s->way_z, s->nx));
    for (int i = 0; i < s->nx; i++)
        x[i] += k * s->way_z[i];
}

static bool find_step(struct solver *s)
{
    if (!factor(s)) return false;
    memcpy(s->step, s->b, sizeof *s->step * (size_t)s->nx);
    solve(s, s->step);
    memcpy(s->way_z, s->way_j, sizeof *s->way_z * (size_t)s->nx);
    solve(s, s->way_z);
    close_way(s, s->step, s->prior->way_rel - way_now(s) / s->way_before);
    return true;
}

static void take_step(struct solver *s)
{
    struct intra_lens_scene *c = s->scene;
    for (int i = 0; i < c->n_tracks; i++) {
        struct intra_lens_track *t = &c->tracks[i];
        double d[3];
        int var[MAX_LOCAL], n = 0, base = base_knot(s, t->u);
        for (int k = 0; k < t->n; k++)
            for (int m = 0; m < 6; m++)
                var[n++] = s->view_var[c->sights[t->first + k].view] + m;
        for (int k = 0; k < 4 && base >= 0; k++)
            for (int m = 0; m < 4; m++)
                var[n++] = s->knot_var[base + k] + m;
        for (int m = 0; m < PARAMS; m++)
            var[n++] = s->lens_var + m;
        memcpy(d, s->gp[i], sizeof d);
        for (int k = 0; k < n; k++)
            for (int m = 0; m < 3; m++)
                d[m] -= s->hp[i][k][m] * s->step[var[k]];
        s->old_x[i] = t->x;
        struct intra_vec3 move = {0, 0, 0};
        double *to[3] = {&move.x, &move.y, &move.z}, most = 0.3 * c->radius_m;
        for (int m = 0; m < 3; m++)
            *to[m] = s->hpp_inv[i][m][0] * d[0] + s->hpp_inv[i][m][1] * d[1] + s->hpp_inv[i][m][2] * d[2];
        double length = intra_norm(move);
        if (length > most) move = intra_scale(move, most / length);
        t->x = intra_add(t->x, move);
    }
    for (int i = 0; i < c->n_views; i++) {
        const double *q = s->step + s->view_var[i];
        s->old_views[i] = c->views[i];
        c->views[i] = intra_pose_left_update(&c->views[i], intra_vec3(q[0], q[1], q[2]), intra_vec3(q[3], q[4], q[5]));
    }
    for (int i = 0; i < c->axis->count; i++) {
        struct intra_axis_knot *k = &c->axis->knots[i];
        const double *q = s->step + s->knot_var[i];
        s->old_knots[i] = *k;
        k->p = intra_mad(intra_mad(k->p, q[0], k->n[0]), q[1], k->n[1]);
        k->oval[0] += q[2];
        k->oval[1] += q[3];
    }
    memcpy(s->old_value, s->value, sizeof s->value);
    for (int k = 0; k < PARAMS; k++)
        s->value[k] += s->step[s->lens_var + k];
}

static void undo_step(struct solver *s)
{
    struct intra_lens_scene *c = s->scene;
    for (int i = 0; i < c->n_tracks; i++)
        c->tracks[i].x = s->old_x[i];
    memcpy(c->views, s->old_views, sizeof *c->views * (size_t)c->n_views);
    memcpy(c->axis->knots, s->old_knots, sizeof *c->axis->knots * (size_t)c->axis->count);
    memcpy(s->value, s->old_value, sizeof s->value);
    (void)set_lens(s);
}

static int by_key(const void *a, const void *b)
{
    const struct order *x = a, *y = b;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    return x->is_knot != y->is_knot ? x->is_knot - y->is_knot : x->index - y->index;
}

/* Order of the unknowns and the envelope of the system. */
static enum intra_status lay_out(struct solver *s, struct local *l, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_lens_scene *c = s->scene;
    int n = c->n_views + c->axis->count;
    struct order *order = NULL;
    INTRA_TRY(INTRA_ALLOC(order, (size_t)n, err));
    for (int i = 0; i < c->n_views; i++)
        order[i] = (struct order){c->u[i], 0, i};
    for (int i = 0; i < c->axis->count; i++)
        order[c->n_views + i] = (struct order){c->axis->first + i - KNOT_AHEAD, 1, i};
    qsort(order, (size_t)n, sizeof *order, by_key);
    for (int i = 0; i < n; i++) {
        *(order[i].is_knot ? &s->knot_var[order[i].index] : &s->view_var[order[i].index]) = s->nx;
        s->nx += order[i].is_knot ? 4 : 6;
    }
    s->lens_var = s->nx;
    s->nx += PARAMS;
    INTRA_TRY(INTRA_ALLOC(s->first, (size_t)s->nx, err));
    INTRA_TRY(INTRA_ALLOC(s->offset, (size_t)s->nx, err));
    for (int i = 0; i < s->nx; i++)
        s->first[i] = i;
    for (int i = 0; i < c->n_views; i++)
        for (int k = 0; k < 6; k++)
            s->first[s->view_var[i] + k] = s->view_var[i];
    for (int i = 0; i < c->axis->count; i++)
        for (int k = 0; k < 4; k++) {
            int low = s->knot_var[i];
            for (int d = -2; d <= 2; d++)
                if (i + d >= 0 && i + d < c->axis->count && s->knot_var[i + d] < low) low = s->knot_var[i + d];
            s->first[s->knot_var[i] + k] = low;
        }
    for (int i = 0; i < c->n_tracks; i++) {
        int n_views, base, low;
        /* a point may move along the axis: the knots to both sides of it are coupled too */
        couple(s, &c->tracks[i], l, &n_views, &base);
        s->base[i] = base;
        low = l->var[0];
        for (int d = -1; d <= 4 && base >= 0; d++)
            if (base + d >= 0 && base + d < c->axis->count && s->knot_var[base + d] < low) low = s->knot_var[base + d];
        for (int k = 0; k < l->n; k++)
            if (l->var[k] < low) low = l->var[k];
        for (int k = 0; k < l->n; k++)
            if (s->first[l->var[k]] > low) s->first[l->var[k]] = low;
        for (int d = -1; d <= 4 && base >= 0; d++)
            for (int k = 0; k < 4 && base + d >= 0 && base + d < c->axis->count; k++)
                if (s->first[s->knot_var[base + d] + k] > low) s->first[s->knot_var[base + d] + k] = low;
    }
    for (int k = 0; k < PARAMS; k++)
        s->first[s->lens_var + k] = 0;
    size_t size = 0;
    for (int i = 0; i < s->nx; i++) {
        s->offset[i] = size;
        size += (size_t)(i - s->first[i] + 1);
    }
    INTRA_TRY(INTRA_ALLOC(s->a, size, err));
done:
    intra_free(order);
    return status;
}

static void place_tracks(struct solver *s)
{
    int count[N_SECTORS] = {0}, n_sectors = 0;
    for (int i = 0; i < s->scene->n_tracks; i++) {
        struct intra_lens_track *t = &s->scene->tracks[i];
        double theta = intra_axis_clock(s->scene->axis, t->u, t->x);
        int sector = (int)floor((theta + M_PI) / (2 * M_PI) * N_SECTORS);
        s->sector[i] = sector < 0 ? 0 : sector >= N_SECTORS ? N_SECTORS - 1 : sector;
        s->cos_sin[i][0] = cos(2 * theta);
        s->cos_sin[i][1] = sin(2 * theta);
        count[s->sector[i]]++;
    }
    for (int i = 0; i < N_SECTORS; i++)
        n_sectors += count[i] > 0;
    for (int i = 0; i < s->scene->n_tracks; i++)
        s->share[i] = fmin((double)s->scene->n_tracks / n_sectors / count[s->sector[i]], MOST_SHARE);
}

/* The largest relative change of radius between two lenses over the angles of the picture. */
static double lens_change(const struct intra_camera *a, const struct intra_camera *b)
{
    double worst = hypot(a->cx - b->cx, a->cy - b->cy) / a->width, corner = intra_camera_corner_rad(b);
    for (int i = 1; i <= 8; i++) {
        double p[2], q[2], t = corner * i / 8.5;
        struct intra_vec3 ray = {sin(t), 0, cos(t)};
        if (intra_camera_project(a, ray, p, NULL, NULL) && intra_camera_project(b, ray, q, NULL, NULL))
            worst = fmax(worst, fabs((p[0] - a->cx) / (q[0] - b->cx) - 1));
    }
    return worst;
}

void intra_lens_scene_stretch(struct intra_lens_scene *scene, double k)
{
    for (int i = 0; i < scene->n_tracks; i++) {
        struct intra_lens_track *t = &scene->tracks[i];
        t->x = intra_mad(t->x, k - 1, intra_axis_point(scene->axis, t->u, NULL, NULL, NULL));
    }
    for (int i = 0; i < scene->n_views; i++) {
        struct intra_pose inv = intra_pose_inverse(&scene->views[i]);
        inv.t = intra_mad(inv.t, k - 1, intra_axis_point(scene->axis, scene->u[i], NULL, NULL, NULL));
        scene->views[i] = intra_pose_inverse(&inv);
    }
    for (int i = 0; i < scene->axis->count; i++)
        scene->axis->knots[i].p = intra_scale(scene->axis->knots[i].p, k);
    scene->axis->h *= k;
}

/* V of the lens, see the head of the file; the system is built and factored here without damping. */
static bool find_cov(struct solver *s, struct local *l, struct intra_lens_solution *out)
{
    struct intra_lens_scene *c = s->scene;
    double group[2][N_SECTORS > N_STRETCHES ? N_SECTORS : N_STRETCHES][PARAMS] = {{{0}}}, g[MAX_LOCAL];
    double low = INFINITY, high = -INFINITY, *y = s->step;
    s->lambda = 0;
    build(s, l);
    if (!find_step(s)) return false;
    for (int i = 0; i < c->n_tracks; i++) {
        low = fmin(low, c->tracks[i].u);
        high = fmax(high, c->tracks[i].u);
    }
    memset(out->cov, 0, sizeof out->cov);
    memset(out->common, 0, sizeof out->common);
    for (int p = 0; p < PARAMS; p++) {
        memset(y, 0, sizeof *y * (size_t)s->nx);
        y[s->lens_var + p] = 1;
        solve(s, y);
        close_way(s, y, 0);
        memcpy(s->chi2 + (size_t)p * (size_t)s->nx, y, sizeof *y * (size_t)s->nx);
    }
    for (int i = 0; i < c->n_tracks; i++) {
        if (!build_track(s, i, l)) continue;
        reduce(s, i, l, g, NULL);
        int stretch = (int)((c->tracks[i].u - low) / fmax(high - low, 1e-9) * N_STRETCHES);
        if (stretch >= N_STRETCHES) stretch = N_STRETCHES - 1;
        for (int p = 0; p < PARAMS; p++) {
            const double *row = s->chi2 + (size_t)p * (size_t)s->nx;
            double sum = 0;
            for (int k = 0; k < l->n; k++)
                sum += row[l->var[k]] * g[k];
            group[0][s->sector[i]][p] += sum;
            group[1][stretch][p] += sum;
        }
    }
    for (int p = 0; p < PARAMS; p++)
        for (int q = 0; q < PARAMS; q++) {
            const double *a = s->chi2 + (size_t)p * (size_t)s->nx, *b = s->chi2 + (size_t)q * (size_t)s->nx;
            for (int k = 0; k < N_SECTORS; k++)
                out->common[p][q] += group[0][k][p] * group[0][k][q] * N_SECTORS / (N_SECTORS - 1);
            for (int k = 0; k < PARAMS; k++)
                out->common[p][q] += a[s->lens_var + k] * b[s->lens_var + k] / (s->prior->sd[k] * s->prior->sd[k]);
            out->cov[p][q] = out->common[p][q];
            for (int k = 0; k < N_STRETCHES; k++)
                out->cov[p][q] += group[1][k][p] * group[1][k][q] * N_STRETCHES / (N_STRETCHES - 1);
            if (s->prior->way_sd_rel > 0)
                out->cov[p][q] +=
                    dot(a, s->way_j, s->nx) * dot(b, s->way_j, s->nx) / (s->prior->way_sd_rel * s->prior->way_sd_rel);
        }
    return true;
}

static void fill_residuals(struct solver *s, struct intra_lens_solution *out)
{
    struct intra_lens_scene *c = s->scene;
    double sum = 0;
    int n, n_in = 0;
    (void)total_cost(s, &n);
    for (int i = 0, k = 0; i < c->n_tracks; i++)
        for (int q = 0; q < c->tracks[i].n; q++, k++) {
            const struct intra_lens_sight *o = &c->sights[c->tracks[i].first + q];
            double px[2];
            if (!(s->chi2[k] / s->noise2 < 9)) continue;
            if (!intra_camera_project(s->camera, intra_pose_apply(&c->views[o->view], c->tracks[i].x), px, NULL, NULL))
                continue;
            n_in++;
            sum += pow(o->px[0] - px[0], 2) + pow(o->px[1] - px[1], 2);
        }
    out->n_sights = n;
    out->inlier_share = n ? (double)n_in / n : 0;
    out->rms_px = n_in ? sqrt(sum / n_in) : 0;
    out->noise = sqrt(s->noise2);
}

enum intra_status intra_lens_solve(struct intra_lens_scene *scene, const struct intra_lens_prior *prior,
                                   struct intra_camera *camera, struct intra_lens_solution *out,
                                   struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct solver s = {.scene = scene, .prior = prior, .camera = camera, .start = *camera, .noise2 = 1, .lambda = 1e-4};
    struct local *l = NULL;
    int n_chi2 = 0;
    size_t n_sights = 0;
    memset(out, 0, sizeof *out);
    if (scene->n_views < 3 || scene->n_tracks < 20)
        return INTRA_FAIL(err, INTRA_E_DEGENERATE, "%d views of %d wall points are too few for a lens", scene->n_views,
                          scene->n_tracks);
    for (int i = 0; i < scene->n_tracks; i++)
        n_sights += (size_t)scene->tracks[i].n;
    INTRA_TRY(INTRA_ALLOC(l, 1, err));
    INTRA_TRY(INTRA_ALLOC(s.view_var, (size_t)scene->n_views, err));
    INTRA_TRY(INTRA_ALLOC(s.knot_var, (size_t)scene->axis->count, err));
    INTRA_TRY(INTRA_ALLOC(s.share, (size_t)scene->n_tracks, err));
    INTRA_TRY(INTRA_ALLOC(s.sector, (size_t)scene->n_tracks, err));
    INTRA_TRY(INTRA_ALLOC(s.base, (size_t)scene->n_tracks, err));
    INTRA_TRY(INTRA_ALLOC(s.cos_sin, (size_t)scene->n_tracks, err));
    INTRA_TRY(INTRA_ALLOC(s.way_g, (size_t)scene->n_views, err));
    INTRA_TRY(INTRA_ALLOC(s.hp, (size_t)scene->n_tracks, err));
    INTRA_TRY(INTRA_ALLOC(s.hpp_inv, (size_t)scene->n_tracks, err));
    INTRA_TRY(INTRA_ALLOC(s.gp, (size_t)scene->n_tracks, err));
    INTRA_TRY(INTRA_ALLOC(s.old_views, (size_t)scene->n_views, err));
    INTRA_TRY(INTRA_ALLOC(s.old_knots, (size_t)scene->axis->count, err));
    INTRA_TRY(INTRA_ALLOC(s.old_x, (size_t)scene->n_tracks, err));
    INTRA_TRY(lay_out(&s, l, err));
    INTRA_TRY(INTRA_ALLOC(s.b, (size_t)s.nx, err));
    INTRA_TRY(INTRA_ALLOC(s.step, (size_t)s.nx, err));
    INTRA_TRY(INTRA_ALLOC(s.way_j, (size_t)s.nx, err));
    INTRA_TRY(INTRA_ALLOC(s.way_z, (size_t)s.nx, err));
    INTRA_TRY(INTRA_ALLOC(s.chi2, n_sights > (size_t)(PARAMS * s.nx) ? n_sights : (size_t)(PARAMS * s.nx), err));
    for (int i = 0; i < 3; i++)
        s.value[INTRA_LENS_K1 + i] = camera->k[i];
    s.value[INTRA_LENS_CX] = camera->cx;
    s.value[INTRA_LENS_CY] = camera->cy;
    place_tracks(&s);
    lay_way(&s);
    if (!(s.way_before > 0)) INTRA_TRY(INTRA_FAIL(err, INTRA_E_DEGENERATE, "the camera did not move"));

    for (int it = 0; it < MAX_ITERATIONS; it++) {
        bool is_better = false;
        (void)total_cost(&s, &n_chi2);
        if (it < NOISE_ITERATIONS) s.noise2 = fmax(1e-4, intra_select(s.chi2, n_chi2, n_chi2 / 2) / 1.386);
        double cost = total_cost(&s, &n_chi2) + way_cost(&s), gain = 0;
        struct intra_camera before = *camera;
        for (int attempt = 0; attempt < 6 && !is_better; attempt++) {
            build(&s, l);
            if (!find_step(&s)) {
                s.lambda = fmax(10 * s.lambda, 1e-3);
                continue;
            }
            take_step(&s);
            double now = set_lens(&s) ? total_cost(&s, &n_chi2) + way_cost(&s) : INFINITY;
            is_better = isfinite(now) && now < cost;
            if (is_better) {
                gain = (cost - now) / cost;
                s.lambda = fmax(0.2 * s.lambda, 1e-7);
            } else {
                undo_step(&s);
                s.lambda *= 10;
            }
        }
        out->iterations = it + 1;
        if (!is_better || (it >= NOISE_ITERATIONS && gain < 1e-3 && lens_change(camera, &before) < SETTLED)) break;
    }
    memcpy(out->value, s.value, sizeof s.value);
    out->way_rel = way_now(&s) / s.way_before;
    fill_residuals(&s, out);
    if (!find_cov(&s, l, out))
        INTRA_TRY(INTRA_FAIL(err, INTRA_E_DEGENERATE, "the lens cannot be told from the motion"));
done:
    intra_free(l);
    intra_free(s.view_var);
    intra_free(s.knot_var);
    intra_free(s.share);
    intra_free(s.sector);
    intra_free(s.base);
    intra_free(s.cos_sin);
    intra_free(s.way_g);
    intra_free(s.hp);
    intra_free(s.hpp_inv);
    intra_free(s.gp);
    intra_free(s.old_views);
    intra_free(s.old_knots);
    intra_free(s.old_x);
    intra_free(s.first);
    intra_free(s.offset);
    intra_free(s.a);
    intra_free(s.b);
    intra_free(s.step);
    intra_free(s.way_j);
    intra_free(s.way_z);
    intra_free(s.chi2);
    return status;
}

/* d ln (angle) over the parameters: the pixel stays where it is. */
double intra_lens_angle_sd(const struct intra_camera *lens, const double cov[PARAMS][PARAMS], double theta)
{
    double px[2], jac[6], jp[2 * INTRA_CAMERA_MAX_PARAMS], sum = 0;
    if (!intra_camera_project(lens, intra_vec3(sin(theta), 0, cos(theta)), px, jac, jp)) return NAN;
    double slope = jac[0] * cos(theta) - jac[2] * sin(theta); /* d px / d theta */
    double g[4] = {lens->fx * jp[0], jp[4], jp[5], jp[6]};
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < 4; k++)
            sum += g[i] * g[k] * cov[i][k];
    return sqrt(fmax(0, sum)) / fabs(slope) / theta;
}

struct intra_lens_prior intra_lens_usual(const struct intra_camera *camera, double way_sd)
{
    double t2 = pow(intra_camera_corner_rad(camera), 2);
    struct intra_lens_prior p = {
        .mean = {0, TERM_1 / t2, 0, 0, 0.5 * (camera->width - 1), 0.5 * (camera->height - 1)},
        .sd = {HELD_SD, TERM_1_SD / t2, TERM_2_SD / (t2 * t2), TERM_3_SD / (t2 * t2 * t2), CENTRE_SD_PX, CENTRE_SD_PX}};
    if (isfinite(way_sd)) {
        p.sd[INTRA_LENS_F] = FOCAL_SD;
        p.way_rel = 1;
        p.way_sd_rel = way_sd;
    }
    return p;
}

void intra_lens_free_centre(const struct intra_camera *camera, struct intra_lens_prior *prior)
{
    prior->sd[INTRA_LENS_CX] = prior->sd[INTRA_LENS_CY] = CENTRE_SD_REL * camera->width;
}
