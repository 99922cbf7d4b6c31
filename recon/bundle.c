/* Window adjustment.
 *
 * Unknowns: six of each free keyframe (left update of cam_from_world: w, v), two of each free axis knot (shift along
 * its two normals), two more for the oval there, one of each ring (a joint's: its station a), and one of each wall
 * point: its distance d along the ray of its host keyframe. The patch that was cut in the host defines the point, so
 * the host sees it without error.
 *
 *   x_h = d ray,  X = T_h^-1 x_h,  x_t = T_t X
 *   match    e = px - pi(x_t),                    inverse covariance from the patch alignment
 *   tube     e = (|X - c(u)| - r(u, t)) / sd_r    c(u) = sum_j B_j P_j, u the nearest point, so du drops out here
 *            r = r_expect (1 + sum_j B_j (o_j0 cos 2t + o_j1 sin 2t)), t: clock angle of X;
 *            for r, u and t are held during one adjustment
 *   axis     e = n . (P_(i-1) - 2 P_i + P_(i+1)) / (h sd_kink)
 *   oval     e = (o_(i+1) - o_i) / sd_step, o_i / sd_oval
 *
 *   ring     e = (h u + off - a) / sd             off: from the point to the line that its patch shows, held
 *
 * All with Cauchy weights (axis, oval and ring: Huber), the matches on a scale taken from their own median.
 * dX = R_h^T ([x_h]x w_h - v_h) from the host, dX/dd = R_h^T ray. Each point couples only with its host, the keyframes
 * that saw it, four knots and its ring, and is eliminated by itself (Schur complement with a scalar pivot); the rest is
 * one small dense system, solved by Cholesky under Levenberg-Marquardt damping. Triggs et al. 2000; the
 * one-unknown-per-point layout as in DSO (Engel et al. 2018).
 *
 * r_data: the radius that parallax alone gives, poses held: one more Newton step of the point without the tube
 * prior. It is what sections are fitted to, since it does not lean on the nominal radius. */
#include "recon/bundle.h"

#include "core/clones.h"
#include "core/mem.h"
#include "core/select.h"
#include "recon/dark.h"
#include "recon/point_ring.h"
#include "recon/robust.h"

#include <string.h>

enum {
    MAX_TOUCHED = INTRA_POINT_MAX_OBS + 1 + 4 + 4 + 4 + 1,
    MAX_COUPLED = 6 * (INTRA_POINT_MAX_OBS + 1) + 2 * 12 + 1,
    N_SECTORS = 12,
    SECTOR_MIN = 4,
    SECTORS_LEAST = 9, /* that tell which of them stand off the others */
    USUAL_FULL = 30,   /* points of a sector, where wall is easy to follow */
    MOST_EMPTY = 4     /* sectors */
};
#define ONE_SIDED_SD 0.03 /* of the scale, where no more than half of the ring is measured */
#define SECTOR_SD 0.004  /* of a sector's radius in a plain pipe, as a share of it */
#define SECTOR_NOISE 2.0 /* of its median, by its points' own deviations: neighbours share errors */
#define EMPTY_SHARE 0.12     /* of the usual number of points: so few are chance, */
#define CHANCE_SCATTER 0.035 /* as are those that scatter by so much of the radius, */
#define CHANCE_RATIO 1.5     /* and by so many of their own deviations; */
#define EMPTY_WEIGHT 0.01    /* where they have some all the same */
#define LEAST_PIVOT 1e-3 /* of an unknown that nothing ties down */
#define MOST_SHARE 3.0 /* of a point where there are few others: it may be wrong */

/* How the ovals of the axis enter at a point. Held during one adjustment. */
struct oval_place {
    int knot; /* the first of four; -1: beyond the axis */
    double w[4], cos2, sin2;
};

/* A point's row of the system: runs of neighbouring variables and the values there. */
struct coupling {
    int n, from[MAX_TOUCHED], to[MAX_TOUCHED];
    double value[MAX_COUPLED];
};

struct solver {
    struct intra_keyframe *kfs;
    int n_kfs, first_id;
    struct intra_point *points;
    int n_points;
    struct intra_axis *axis;
    const struct intra_camera *camera;
    const struct intra_bundle_options *options;
    int *kf_var;   /* first variable of keyframe i, -1 when held */
    int *knot_var; /* first variable of axis knot i (0 = axis->knots[0]), -1 when held */
    int *oval_var; /* the same of the knot's oval */
    struct oval_place *place; /* of each point */
    int *sector;              /* of the clock, of each point */
    struct intra_ring_member *member; /* of each point */
    struct intra_point_ring rings[INTRA_POINT_RINGS_MOST], old_rings[INTRA_POINT_RINGS_MOST];
    int n_rings, ring_var; /* variable of the first of them */
    int nx;
    bool hold_points; /* for tests: leave the points where they are instead of eliminating them */
    double *h, *b, *damped, *step, *hp;
    double *dist_step, *dist_h, *dist_g; /* per point */
    struct coupling *coupling;           /* per point: what eliminating it left for its own step */
    double *chi2;                        /* of the matches that cost_of looked at last */
    int n_chi2, n_behind;                /* how many, and how many matches had none, behind a camera */
    double *spread;                      /* scratch for medians */
    double noise2;                       /* scale of the matches' chi^2 */
    struct intra_pose *relative;         /* target from host, n_kfs x n_kfs, of the present poses */
    struct intra_pose *old_poses;
    struct intra_axis_knot *old_knots;
    double *old_dist;
};

/* The other half of intra_cholesky_solve, for one more right side: a is the factor that it left. */
static void solve_factored(const double *a, double *b, int n)
{
    for (int i = 0; i < n; i++) {
        double s = b[i];
        for (int k = 0; k < i; k++)
            s -= a[(size_t)i * (size_t)n + (size_t)k] * b[k];
        b[i] = s / a[(size_t)i * (size_t)n + (size_t)i];
    }
    for (int i = n - 1; i >= 0; i--) {
        double s = b[i];
        for (int k = i + 1; k < n; k++)
            s -= a[(size_t)k * (size_t)n + (size_t)i] * b[k];
        b[i] = s / a[(size_t)i * (size_t)n + (size_t)i];
    }
}

INTRA_CLONES bool intra_cholesky_solve(double *a, double *b, int n)
{
    /* A finished column is taken off all to its right at once: every entry loses the same terms in the same order as row by row, but
     * the inner loop runs along a row and has no chain of sums. The column is laid out as a row in the unused upper half. */
    for (int j = 0; j < n; j++) {
        double *rj = a + (size_t)j * (size_t)n;
        if (!(rj[j] > 0)) return false;
        rj[j] = sqrt(rj[j]);
        double inv = 1 / rj[j];
        for (int i = j + 1; i < n; i++) rj[i] = a[(size_t)i * (size_t)n + (size_t)j] *= inv;
        for (int i = j + 1; i < n; i++) {
            double *restrict ri = a + (size_t)i * (size_t)n, k = rj[i];
            for (int c = j + 1; c <= i; c++) ri[c] -= k * rj[c];
        }
    }
    solve_factored(a, b, n);
    return true;
}

static double median(double *values, int n)
{
    if (n == 0) return 0;
    return intra_select(values, n, n / 2);
}

/* The tube through a point: centre, unit tangent, curvature of the axis (1/m), radius. */
struct local_tube {
    struct intra_vec3 centre, along, curvature;
    double radius;
};

/* Distance along a ray from `origin` to the tube; side: which of its two walls, +1 the far one. NaN: it misses. In closed form,
 * for rays near one point: intra_axis_ray_hit searches along the axis, and knows the far wall only. */
static double meet_tube(const struct local_tube *tube, struct intra_vec3 origin, struct intra_vec3 dir, double side)
{
    struct intra_vec3 o = intra_sub(origin, tube->centre);
    double slope = intra_dot(dir, tube->along), at = intra_dot(o, tube->along), t = 0;
    struct intra_vec3 e = intra_mad(dir, -slope, tube->along), w = intra_mad(o, -at, tube->along);
    double ee = intra_dot(e, e);
    for (int round = 0; round < 2; round++) { /* the second time about the axis where the ray came to */
        double s = round ? at + slope * t : 0;
        struct intra_vec3 arm = intra_mad(w, -0.5 * s * s, tube->curvature);
        double b = intra_dot(arm, e), c = intra_dot(arm, arm) - tube->radius * tube->radius, d = b * b - ee * c;
        if (!(d > 0) || !(ee > 0)) return NAN;
        t = (side * sqrt(d) - b) / ee;
    }
    return t;
}

bool intra_point_place(struct intra_point *point, const struct intra_camera *camera,
                       const struct intra_pose *host_cam_from_world, const struct intra_axis *axis)
{
    static const signed char offset[INTRA_POINT_NEAR][2] = {{1, 0}, {-1, 0}, {0, 1}, {0, -1}, {1, 1}};
    struct intra_pose inv = intra_pose_inverse(host_cam_from_world);
    struct intra_vec3 d1, d2, arm, dir = intra_mat3_mul_vec(&inv.r, point->ray);
    point->x = intra_mad(inv.t, point->dist, dir);
    point->u = intra_axis_nearest(axis, point->x, point->u);
    struct local_tube tube = {.centre = intra_axis_point(axis, point->u, &d1, &d2, NULL)};
    double per_u2 = intra_dot(d1, d1);
    tube.along = intra_unit(d1);
    tube.curvature = intra_scale(intra_mad(d2, -intra_dot(d2, tube.along), tube.along), 1 / per_u2);
    arm = intra_sub(point->x, tube.centre);
    arm = intra_mad(arm, -intra_dot(arm, tube.along), tube.along);
    tube.radius = intra_norm(arm);
    double slope = intra_dot(dir, arm) / tube.radius;
    if (!(fabs(slope) >= 0.02)) return false;
    for (int i = 0; i < INTRA_POINT_NEAR; i++) {
        double px[2] = {point->px[0] + offset[i][0] * point->step_px, point->px[1] + offset[i][1] * point->step_px};
        struct intra_vec3 ray;
        if (!intra_camera_unproject(camera, px, &ray)) return false;
        ray = intra_mat3_mul_vec(&inv.r, ray);
        double t = meet_tube(&tube, inv.t, ray, slope > 0 ? 1 : -1);
        if (!(t > 0)) return false;
        point->near[i] = intra_mad(inv.t, t, ray);
    }
    return true;
}

/* One match: residual, Jacobians for host (6), target (6) and distance (1). False: behind the camera. */
struct match_terms {
    double e[2], jh[12], jt[12], jd[2], chi2, info[3];
};

static bool match_evaluate(const struct solver *s, const struct intra_point *p, const struct intra_obs *o,
                           bool want_jacobians, struct match_terms *out)
{
    const struct intra_pose *rel = &s->relative[(p->host - s->first_id) * s->n_kfs + o->kf - s->first_id];
    struct intra_vec3 xh = intra_scale(p->ray, p->dist), xt = intra_pose_apply(rel, xh);
    double px[2], jac[6];
    if (!intra_camera_project(s->camera, xt, px, want_jacobians ? jac : NULL, NULL)) return false;
    out->e[0] = o->px[0] - px[0];
    out->e[1] = o->px[1] - px[1];
    memcpy(out->info, o->info, sizeof out->info);
    out->chi2 = o->info[0] * out->e[0] * out->e[0] + 2 * o->info[1] * out->e[0] * out->e[1] +
                o->info[2] * out->e[1] * out->e[1];
    if (!want_jacobians) return true;
    struct intra_vec3 ray_t = intra_mat3_mul_vec(&rel->r, p->ray);
    for (int r = 0; r < 2; r++) {
        struct intra_vec3 g = {jac[3 * r], jac[3 * r + 1], jac[3 * r + 2]};
        /* target: d xt = w x xt + v, so g . (w x xt) = w . (xt x g) */
        struct intra_vec3 a = intra_cross(xt, g);
        double *jt = out->jt + 6 * r, *jh = out->jh + 6 * r;
        jt[0] = a.x, jt[1] = a.y, jt[2] = a.z, jt[3] = g.x, jt[4] = g.y, jt[5] = g.z;
        /* host: d xt = -rel (w x xh + v) */
        struct intra_vec3 gh = intra_mat3_tmul_vec(&rel->r, g), c = intra_cross(xh, gh);
        jh[0] = -c.x, jh[1] = -c.y, jh[2] = -c.z, jh[3] = -gh.x, jh[4] = -gh.y, jh[5] = -gh.z;
        out->jd[r] = intra_dot(g, ray_t);
    }
    return true;
}

/* Whenever poses have moved. */
static void relate_poses(struct solver *s)
{
    for (int h = 0; h < s->n_kfs; h++) {
        struct intra_pose inv = intra_pose_inverse(&s->kfs[h].cam_from_world);
        for (int t = 0; t < s->n_kfs; t++)
            s->relative[h * s->n_kfs + t] = intra_pose_mul(&s->kfs[t].cam_from_world, &inv);
    }
}

#define MATCH_C2 6.0 /* about the 95 % point of chi^2 with two degrees */
#define TUBE_C2 4.0
/* Deviations from where a bend costs only in proportion. Huber: it is pushed back with a steady force; were the force to
 * fall off (Cauchy), noise could bend a straight pipe at no cost. */
#define KINK_C 2.0
#define OVAL_STEP_C 2.0 /* and a change of the section */
#define RING_C 2.0

/* Deviation of a point's radius from the tube. Where points crowd each counts for less, so that the tube's mean radius
 * is one over the angle, not over the points: in an oval pipe with a dirty invert the invert would set the scale. */
static bool is_well_measured(const struct intra_point *p)
{
    return p->r_data_sd > 0 && p->r_data_sd < 0.05 * p->r_expect;
}

static double tube_sd(const struct solver *s, const struct intra_point *p)
{
    return s->options->radius_sd_rel * p->r_expect / sqrt(p->tube_share);
}

/* The radius that the tube has where a point is. */
static double expected_radius(const struct solver *s, int point)
{
    const struct oval_place *o = &s->place[point];
    double rel = 1;
    for (int i = 0; i < 4 && o->knot >= 0; i++) {
        const double *oval = s->axis->knots[o->knot + i].oval;
        rel += o->w[i] * (oval[0] * o->cos2 + oval[1] * o->sin2);
    }
    return rel * s->points[point].r_expect;
}

static bool is_usable(const struct solver *s, const struct intra_point *p)
{
    if (p->n_obs == 0 || p->host < s->first_id) return false;
    return true;
}

/* The dark direction of one keyframe: e is the dark minus the direction of the axis point ahead, across the dark; jp (2 x 6) over the pose,
 * jk (2 x 2 each) over the four knots from *base on. False: not known. */
static bool dark_terms(const struct solver *s, const struct intra_keyframe *kf, double e[2], double jp[12], double jk[4][4],
                       int *base)
{
    double weights[4], u = kf->u + INTRA_DARK_AHEAD_REL * s->options->radius_m / s->axis->h;
    *base = (int)floor(u) - 1 - s->axis->first;
    if (!kf->has_dark || kf->is_held || *base < 0 || *base + 3 >= s->axis->count) return false;
    struct intra_vec3 c = intra_axis_point(s->axis, u, NULL, NULL, weights),
                      x = intra_pose_apply(&kf->cam_from_world, c), by_x[2];
    if (!intra_dark_against(kf->dark, x, e, by_x)) return false;
    for (int r = 0; r < 2; r++) {
        struct intra_vec3 g = by_x[r], w = intra_cross(x, g);
        double *j = jp + 6 * r;
        j[0] = w.x, j[1] = w.y, j[2] = w.z, j[3] = g.x, j[4] = g.y, j[5] = g.z;
        for (int k = 0; k < 4; k++)
            for (int q = 0; q < 2; q++) {
                struct intra_vec3 n = intra_mat3_mul_vec(&kf->cam_from_world.r, s->axis->knots[*base + k].n[q]);
                jk[k][2 * r + q] = weights[k] * intra_dot(g, n);
            }
    }
    return true;
}

/* A point of a ring: e (in deviations, observed less predicted), and its Jacobian over host pose, distance and knots;
 * over the ring's station it is -1. False: of none. */
struct ring_terms {
    double e, sd, jh[6], jd, jk[4][2];
    int base, var;
};

static bool ring_evaluate(const struct solver *s, int index, struct ring_terms *out)
{
    const struct intra_ring_member *m = &s->member[index];
    const struct intra_point *p = &s->points[index];
    if (m->ring < 0) return false;
    const struct intra_point_ring *ring = &s->rings[m->ring];
    const struct intra_pose *th = &s->kfs[p->host - s->first_id].cam_from_world;
    struct intra_vec3 xh = intra_scale(p->ray, p->dist), x = intra_mat3_tmul_vec(&th->r, intra_sub(xh, th->t)), by_x;
    if (!intra_axis_along(s->axis, x, p->u, &by_x, out->jk, &out->base)) return false;
    struct intra_vec3 nh = intra_mat3_mul_vec(&th->r, by_x), c = intra_cross(xh, nh);
    out->sd = m->sd_m;
    out->var = s->ring_var + m->ring;
    out->e = (ring->station_m - p->u * s->axis->h - m->off_m) / m->sd_m;
    out->jh[0] = -c.x, out->jh[1] = -c.y, out->jh[2] = -c.z, out->jh[3] = -nh.x, out->jh[4] = -nh.y, out->jh[5] = -nh.z;
    out->jd = intra_dot(nh, p->ray);
    return true;
}

/* The prior of a knot's oval, in deviations: it is near none, and changes little to the next knot. */
struct oval_terms {
    double step[2], off[2], step2, off2; /* the last two: sums of squares */
};

/* Knots i and i + 1. False: both are held. */
static bool oval_evaluate(const struct solver *s, int i, struct oval_terms *out)
{
    const struct intra_axis_knot *k = &s->axis->knots[i];
    if (s->oval_var[i] < 0 && s->oval_var[i + 1] < 0) return false;
    for (int q = 0; q < 2; q++) {
        out->step[q] = (k[1].oval[q] - k[0].oval[q]) / s->options->oval_step_sd;
        out->off[q] = k[0].oval[q] / s->options->oval_sd;
    }
    out->step2 = out->step[0] * out->step[0] + out->step[1] * out->step[1];
    out->off2 = out->off[0] * out->off[0] + out->off[1] * out->off[1];
    return true;
}

/* The matches' chi^2 in the present state. */
static void measure_matches(struct solver *s)
{
    s->n_chi2 = s->n_behind = 0;
    for (int i = 0; i < s->n_points; i++) {
        const struct intra_point *p = &s->points[i];
        if (!is_usable(s, p)) continue;
        for (int k = 0; k < p->n_obs; k++) {
            struct match_terms m;
            if (p->obs[k].kf < s->first_id) continue;
            if (match_evaluate(s, p, &p->obs[k], false, &m))
                s->chi2[s->n_chi2++] = m.chi2;
            else
                s->n_behind++;
        }
    }
}

static void scale_noise(struct solver *s)
{
    s->noise2 = fmax(1, median(s->chi2, s->n_chi2) / 1.386);
}

/* Robust cost of the present state, whose matches were measured. */
static double cost_of(struct solver *s)
{
    double cost = s->n_behind * intra_cauchy_cost(1e4, MATCH_C2);
    for (int i = 0; i < s->n_chi2; i++)
        cost += intra_cauchy_cost(s->chi2[i] / s->noise2, MATCH_C2);
    for (int i = 0; i < s->n_points; i++) {
        struct intra_point *p = &s->points[i];
        if (!is_usable(s, p)) continue;
        const struct intra_pose *th = &s->kfs[p->host - s->first_id].cam_from_world;
        struct intra_vec3 x = intra_mat3_tmul_vec(&th->r, intra_sub(intra_scale(p->ray, p->dist), th->t));
        p->u = intra_axis_nearest(s->axis, x, p->u);
        struct intra_vec3 arm = intra_sub(x, intra_axis_point(s->axis, p->u, NULL, NULL, NULL));
        double e = (intra_norm(arm) - expected_radius(s, i)) / tube_sd(s, p);
        cost += intra_cauchy_cost(e * e, TUBE_C2);
        struct ring_terms ring;
        if (ring_evaluate(s, i, &ring)) cost += intra_huber_cost(ring.e * ring.e, RING_C);
    }
    double scale = 1 / (s->axis->h * s->options->kink_sd_rad);
    for (int i = 1; i + 1 < s->axis->count; i++) {
        const struct intra_axis_knot *k = &s->axis->knots[i];
        if (s->knot_var[i - 1] < 0 && s->knot_var[i] < 0 && s->knot_var[i + 1] < 0) continue;
        struct intra_vec3 d = intra_sub(intra_add(k[-1].p, k[1].p), intra_scale(k[0].p, 2));
        double e0 = scale * intra_dot(d, k->n[0]), e1 = scale * intra_dot(d, k->n[1]);
        cost += intra_huber_cost(e0 * e0 + e1 * e1, KINK_C);
    }
    for (int i = 0; i + 1 < s->axis->count; i++) {
        struct oval_terms o;
        if (oval_evaluate(s, i, &o)) cost += intra_huber_cost(o.step2, OVAL_STEP_C) + o.off2;
    }
    for (int i = 0; i < s->n_kfs; i++) {
        double e[2], jp[12], jk[4][4];
        int base;
        if (s->kf_var[i] >= 0 && dark_terms(s, &s->kfs[i], e, jp, jk, &base))
            cost +=
                intra_huber_cost((e[0] * e[0] + e[1] * e[1]) / (INTRA_DARK_SD_RAD * INTRA_DARK_SD_RAD), INTRA_DARK_C);
    }
    return cost;
}

struct touched {
    int var[MAX_TOUCHED], size[MAX_TOUCHED], n;
};

static void touch(struct touched *t, int var, int size)
{
    for (int i = 0; i < t->n; i++)
        if (t->var[i] == var) return;
    t->var[t->n] = var;
    t->size[t->n++] = size;
}

/* h += w ja^T jb for rows x (na, nb) blocks at (va, vb), both halves kept by symmetric calls on the lower half only. */
static void add_block(struct solver *s, int va, const double *ja, int na, int vb, const double *jb, int nb,
                      const double info[3])
{
    if (va < vb) return;
    for (int i = 0; i < na; i++) {
        double a0 = info[0] * ja[i] + info[1] * ja[na + i], a1 = info[1] * ja[i] + info[2] * ja[na + i];
        double *row = s->h + (size_t)(va + i) * (size_t)s->nx + vb;
        for (int j = 0; j < nb; j++) row[j] += a0 * jb[j] + a1 * jb[nb + j];
    }
}

static void add_gradient(double *b, const double *j, int n, const double info[3], const double e[2])
{
    double w0 = info[0] * e[0] + info[1] * e[1], w1 = info[1] * e[0] + info[2] * e[1];
    for (int i = 0; i < n; i++) b[i] += j[i] * w0 + j[n + i] * w1;
}

static void add_point_matches(struct solver *s, struct intra_point *p, struct touched *t, double *hdd, double *gd)
{
    int vh = s->kf_var[p->host - s->first_id];
    if (vh >= 0) touch(t, vh, 6);
    for (int k = 0; k < p->n_obs; k++) {
        struct match_terms m;
        const struct intra_obs *o = &p->obs[k];
        if (o->kf < s->first_id || !match_evaluate(s, p, o, true, &m)) continue;
        double w = intra_cauchy_weight(m.chi2 / s->noise2, MATCH_C2) / s->noise2;
        double info[3] = {w * m.info[0], w * m.info[1], w * m.info[2]};
        int vt = s->kf_var[o->kf - s->first_id];
        double wj0 = info[0] * m.jd[0] + info[1] * m.jd[1], wj1 = info[1] * m.jd[0] + info[2] * m.jd[1];
        *hdd += wj0 * m.jd[0] + wj1 * m.jd[1];
        *gd += wj0 * m.e[0] + wj1 * m.e[1];
        if (vh >= 0) {
            add_block(s, vh, m.jh, 6, vh, m.jh, 6, info);
            add_gradient(s->b + vh, m.jh, 6, info, m.e);
            for (int i = 0; i < 6; i++) s->hp[vh + i] += m.jh[i] * wj0 + m.jh[6 + i] * wj1;
        }
        if (vt >= 0) {
            touch(t, vt, 6);
            add_block(s, vt, m.jt, 6, vt, m.jt, 6, info);
            add_gradient(s->b + vt, m.jt, 6, info, m.e);
            for (int i = 0; i < 6; i++) s->hp[vt + i] += m.jt[i] * wj0 + m.jt[6 + i] * wj1;
        }
        if (vh >= 0 && vt >= 0) {
            add_block(s, vt, m.jt, 6, vh, m.jh, 6, info);
            add_block(s, vh, m.jh, 6, vt, m.jt, 6, info);
        }
    }
}

/* A scalar residual of a point, e = observed less predicted: w its weight, jac its Jacobian over nb runs of unknowns, jd over the distance. */
static void add_row(struct solver *s, const int *var, const int *size, int nb, const double *jac, double jd, double w, double e,
                    double *hdd, double *gd)
{
    const double *ja = jac;
    for (int a = 0; a < nb; ja += size[a++]) {
        const double *jb = jac;
        for (int i = 0; i < size[a]; i++) {
            s->b[var[a] + i] += w * ja[i] * e;
            s->hp[var[a] + i] += w * ja[i] * jd;
        }
        for (int c = 0; c < nb; jb += size[c++]) {
            if (var[a] < var[c]) continue;
            for (int i = 0; i < size[a]; i++)
                for (int k = 0; k < size[c]; k++)
                    s->h[(size_t)(var[a] + i) * (size_t)s->nx + (size_t)(var[c] + k)] += w * ja[i] * jb[k];
        }
    }
    *hdd += w * jd * jd;
    *gd += w * jd * e;
}

/* The tube prior of one point: a scalar residual over host pose, distance and four knots with their ovals. Returns
 * dr/dd. */
static double add_point_tube(struct solver *s, int index, struct touched *t, double *hdd, double *gd)
{
    struct intra_point *p = &s->points[index];
    const struct intra_pose *th = &s->kfs[p->host - s->first_id].cam_from_world;
    struct intra_vec3 xh = intra_scale(p->ray, p->dist), x = intra_mat3_tmul_vec(&th->r, intra_sub(xh, th->t));
    double weights[4], sd = tube_sd(s, p);
    p->u = intra_axis_nearest(s->axis, x, p->u);
    struct intra_vec3 arm = intra_sub(x, intra_axis_point(s->axis, p->u, NULL, NULL, weights));
    double r = intra_norm(arm), e = (expected_radius(s, index) - r) / sd; /* observed minus predicted */
    struct intra_vec3 n = intra_scale(arm, 1 / fmax(r, 1e-9)), nh = intra_mat3_mul_vec(&th->r, n);
    double jd = intra_dot(nh, p->ray);
    double jac[6 + 8 + 8];
    int var[9], size[9], nb = 0, vh = s->kf_var[p->host - s->first_id];
    double *j = jac;
    p->weight = intra_cauchy_weight(e * e, TUBE_C2);
    double w = p->weight / (sd * sd);
    if (vh >= 0) {
        struct intra_vec3 c = intra_cross(xh, nh);
        j[0] = -c.x, j[1] = -c.y, j[2] = -c.z, j[3] = -nh.x, j[4] = -nh.y, j[5] = -nh.z;
        var[nb] = vh, size[nb++] = 6, j += 6;
    }
    int base = (int)floor(p->u) - 1 - s->axis->first;
    if (base >= 0 && base + 3 < s->axis->count)
        for (int i = 0; i < 4; i++) {
            int v = s->knot_var[base + i];
            if (v < 0) continue;
            const struct intra_axis_knot *k = &s->axis->knots[base + i];
            j[0] = -weights[i] * intra_dot(n, k->n[0]);
            j[1] = -weights[i] * intra_dot(n, k->n[1]);
            touch(t, v, 2);
            var[nb] = v, size[nb++] = 2, j += 2;
        }
    const struct oval_place *o = &s->place[index];
    for (int i = 0; i < 4 && o->knot >= 0; i++) {
        int v = s->oval_var[o->knot + i];
        if (v < 0) continue;
        j[0] = -o->w[i] * p->r_expect * o->cos2;
        j[1] = -o->w[i] * p->r_expect * o->sin2;
        touch(t, v, 2);
        var[nb] = v, size[nb++] = 2, j += 2;
    }
    add_row(s, var, size, nb, jac, jd, w, e * sd, hdd, gd);
    return jd;
}

/* A point of a ring: a scalar residual over host pose, distance, four knots and the ring. */
static void add_point_ring(struct solver *s, int index, struct touched *t, double *hdd, double *gd)
{
    struct ring_terms m;
    double jac[6 + 8 + 1], *j = jac;
    int var[6], size[6], nb = 0, vh = s->kf_var[s->points[index].host - s->first_id];
    if (!ring_evaluate(s, index, &m)) return;
    if (vh >= 0) {
        memcpy(j, m.jh, sizeof m.jh);
        var[nb] = vh, size[nb++] = 6, j += 6;
    }
    for (int i = 0; i < 4; i++) {
        int v = s->knot_var[m.base + i];
        if (v < 0) continue;
        memcpy(j, m.jk[i], sizeof m.jk[i]);
        touch(t, v, 2);
        var[nb] = v, size[nb++] = 2, j += 2;
    }
    j[0] = -1;
    touch(t, m.var, 1);
    var[nb] = m.var, size[nb++] = 1;
    add_row(s, var, size, nb, jac, m.jd, intra_huber_weight(m.e * m.e, RING_C) / (m.sd * m.sd), m.e * m.sd, hdd, gd);
}

static void add_axis_prior(struct solver *s)
{
    double scale = 1 / (s->axis->h * s->options->kink_sd_rad);
    static const double coef[3] = {1, -2, 1};
    for (int i = 1; i + 1 < s->axis->count; i++) {
        const struct intra_axis_knot *k = &s->axis->knots[i];
        const int *v = &s->knot_var[i - 1];
        if (v[0] < 0 && v[1] < 0 && v[2] < 0) continue;
        struct intra_vec3 d = intra_sub(intra_add(k[-1].p, k[1].p), intra_scale(k[0].p, 2));
        double e[2] = {scale * intra_dot(d, k->n[0]), scale * intra_dot(d, k->n[1])};
        double w = intra_huber_weight(e[0] * e[0] + e[1] * e[1], KINK_C);
        for (int r = 0; r < 2; r++) {
            double j[3][2];
            for (int a = 0; a < 3; a++)
                for (int q = 0; q < 2; q++) j[a][q] = scale * coef[a] * intra_dot(k[a - 1].n[q], k->n[r]);
            for (int a = 0; a < 3; a++) {
                if (v[a] < 0) continue;
                for (int q = 0; q < 2; q++) s->b[v[a] + q] -= w * j[a][q] * e[r];
                for (int c = 0; c < 3; c++) {
                    if (v[c] < 0 || v[c] > v[a]) continue;
                    for (int q = 0; q < 2; q++)
                        for (int m = 0; m < 2; m++)
                            s->h[(size_t)(v[a] + q) * (size_t)s->nx + (size_t)(v[c] + m)] += w * j[a][q] * j[c][m];
                }
            }
        }
    }
}

static void add_oval_prior(struct solver *s)
{
    for (int i = 0; i + 1 < s->axis->count; i++) {
        struct oval_terms o;
        if (!oval_evaluate(s, i, &o)) continue;
        double per = 1 / s->options->oval_step_sd, w = intra_huber_weight(o.step2, OVAL_STEP_C) * per,
               near = 1 / s->options->oval_sd;
        int a = s->oval_var[i], b = s->oval_var[i + 1];
        for (int q = 0; q < 2; q++) {
            if (a >= 0) {
                s->h[(size_t)(a + q) * (size_t)s->nx + (size_t)(a + q)] += w * per + near * near;
                s->b[a + q] += w * o.step[q] - near * o.off[q];
            }
            if (b >= 0) {
                s->h[(size_t)(b + q) * (size_t)s->nx + (size_t)(b + q)] += w * per;
                s->b[b + q] -= w * o.step[q];
            }
            if (a >= 0 && b >= 0) s->h[(size_t)(b + q) * (size_t)s->nx + (size_t)(a + q)] -= w * per;
        }
    }
}

static void add_darks(struct solver *s)
{
    for (int i = 0; i < s->n_kfs; i++) {
        double e[2], jp[12], jk[4][4], one = 1 / (INTRA_DARK_SD_RAD * INTRA_DARK_SD_RAD);
        int base, var[5], size[5], n = 0;
        const double *jac[5];
        if (s->kf_var[i] < 0 || !dark_terms(s, &s->kfs[i], e, jp, jk, &base)) continue;
        double w = one * intra_huber_weight(one * (e[0] * e[0] + e[1] * e[1]), INTRA_DARK_C), info[3] = {w, 0, w};
        jac[n] = jp, size[n] = 6, var[n++] = s->kf_var[i];
        for (int k = 0; k < 4; k++)
            if (s->knot_var[base + k] >= 0) jac[n] = jk[k], size[n] = 2, var[n++] = s->knot_var[base + k];
        for (int a = 0; a < n; a++) {
            add_gradient(s->b + var[a], jac[a], size[a], info, e);
            for (int c = 0; c < n; c++) add_block(s, var[a], jac[a], size[a], var[c], jac[c], size[c], info);
        }
    }
}

/* What a point touches, as runs of neighbouring variables in order, with the values of its row there. */
static void gather_coupling(const struct solver *s, const struct touched *t, struct coupling *out)
{
    int order[MAX_TOUCHED];
    double *value = out->value;
    out->n = 0;
    for (int a = 0; a < t->n; a++) {
        int k = a;
        for (; k > 0 && t->var[order[k - 1]] > t->var[a]; k--) order[k] = order[k - 1];
        order[k] = a;
    }
    for (int a = 0; a < t->n; a++) {
        int v = t->var[order[a]], size = t->size[order[a]];
        if (out->n && out->to[out->n - 1] == v)
            out->to[out->n - 1] += size;
        else
            out->from[out->n] = v, out->to[out->n++] = v + size;
        memcpy(value, s->hp + v, sizeof *value * (size_t)size);
        value += size;
    }
}

/* Take a point's one unknown out (Schur complement): lower half only. */
INTRA_CLONES static void eliminate(struct solver *s, const struct coupling *c, double hdd, double gd)
{
    const int *from = c->from, *to = c->to;
    const double *restrict hp = s->hp;
    for (int r = 0; r < c->n; r++)
        for (int v = from[r]; v < to[r]; v++) {
            double *restrict row = s->h + (size_t)v * (size_t)s->nx, k = hp[v] / hdd;
            s->b[v] -= k * gd;
            for (int left = 0; left < r; left++)
                for (int m = from[left]; m < to[left]; m++) row[m] -= k * hp[m];
            for (int m = from[r]; m <= v; m++) row[m] -= k * hp[m];
        }
}

static void build_system(struct solver *s)
{
    memset(s->h, 0, sizeof *s->h * (size_t)s->nx * (size_t)s->nx);
    memset(s->b, 0, sizeof *s->b * (size_t)s->nx);
    memset(s->hp, 0, sizeof *s->hp * (size_t)s->nx);
    for (int i = 0; i < s->n_points; i++) {
        struct intra_point *p = &s->points[i];
        struct touched t = {.n = 0};
        double hdd = 0, gd = 0;
        s->dist_h[i] = 0;
        if (!is_usable(s, p)) continue;
        add_point_matches(s, p, &t, &hdd, &gd);
        (void)add_point_tube(s, i, &t, &hdd, &gd);
        add_point_ring(s, i, &t, &hdd, &gd);
        if (!(hdd > 0)) continue;
        s->dist_h[i] = hdd;
        s->dist_g[i] = gd;
        gather_coupling(s, &t, &s->coupling[i]);
        if (!s->hold_points) eliminate(s, &s->coupling[i], hdd, gd);
        for (int a = 0; a < t.n; a++) memset(s->hp + t.var[a], 0, sizeof *s->hp * (size_t)t.size[a]);
    }
    add_axis_prior(s);
    add_oval_prior(s);
    add_darks(s);
    if (s->options->fix_first && s->kf_var[0] >= 0) {
        int v = s->kf_var[0];
        s->h[(size_t)(v + 2) * (size_t)s->nx + (size_t)(v + 2)] += 1e12;
        s->h[(size_t)(v + 5) * (size_t)s->nx + (size_t)(v + 5)] += 1e12;
    }
}

/* Points follow the step: the eliminated row gives back its distance. */
static void back_substitute(struct solver *s, double damping)
{
    for (int i = 0; i < s->n_points; i++) {
        const struct coupling *c = &s->coupling[i];
        const double *value = c->value;
        double dot = 0, limit = 0.3 * s->points[i].dist;
        s->dist_step[i] = 0;
        if (!(s->dist_h[i] > 0)) continue;
        for (int r = 0; r < c->n; r++)
            for (int v = c->from[r]; v < c->to[r]; v++) dot += *value++ * s->step[v];
        double d = (s->dist_g[i] - dot) / (s->dist_h[i] * (1 + damping));
        s->dist_step[i] = d > limit ? limit : d < -limit ? -limit : d;
    }
}

static void apply_step(struct solver *s)
{
    for (int i = 0; i < s->n_kfs; i++) {
        int v = s->kf_var[i];
        s->old_poses[i] = s->kfs[i].cam_from_world;
        if (v < 0) continue;
        const double *q = s->step + v;
        s->kfs[i].cam_from_world = intra_pose_left_update(&s->kfs[i].cam_from_world, intra_vec3(q[0], q[1], q[2]),
                                                          intra_vec3(q[3], q[4], q[5]));
    }
    for (int i = 0; i < s->axis->count; i++) {
        int v = s->knot_var[i];
        struct intra_axis_knot *k = &s->axis->knots[i];
        s->old_knots[i] = *k;
        for (int q = 0; q < 2 && s->oval_var[i] >= 0; q++)
            k->oval[q] += s->step[s->oval_var[i] + q];
        if (v >= 0) k->p = intra_mad(intra_mad(k->p, s->step[v], k->n[0]), s->step[v + 1], k->n[1]);
    }
    memcpy(s->old_rings, s->rings, sizeof s->rings);
    for (int i = 0; i < s->n_rings; i++)
        s->rings[i].station_m += s->step[s->ring_var + i];
    for (int i = 0; i < s->n_points; i++) {
        s->old_dist[i] = s->points[i].dist;
        s->points[i].dist += s->dist_step[i];
    }
    relate_poses(s);
}

static void undo_step(struct solver *s)
{
    for (int i = 0; i < s->n_kfs; i++) s->kfs[i].cam_from_world = s->old_poses[i];
    for (int i = 0; i < s->axis->count; i++)
        s->axis->knots[i] = s->old_knots[i];
    memcpy(s->rings, s->old_rings, sizeof s->rings);
    for (int i = 0; i < s->n_points; i++) s->points[i].dist = s->old_dist[i];
    relate_poses(s);
}

static int clock_sector(double theta)
{
    int sector = (int)floor((theta + M_PI) / (2 * M_PI) * N_SECTORS);
    return sector < 0 ? 0 : sector >= N_SECTORS ? N_SECTORS - 1 : sector;
}

/* Where each point stands on the axis and by the clock. */
static void place_points(struct solver *s)
{
    for (int i = 0; i < s->n_points; i++) {
        const struct intra_point *p = &s->points[i];
        struct oval_place *o = &s->place[i];
        if (!is_usable(s, p)) continue;
        double theta = intra_axis_clock(s->axis, p->u, p->x);
        s->sector[i] = clock_sector(theta);
        o->cos2 = cos(2 * theta);
        o->sin2 = sin(2 * theta);
        o->knot = (int)floor(p->u) - 1 - s->axis->first;
        if (o->knot < 0 || o->knot + 3 >= s->axis->count) o->knot = -1;
        (void)intra_axis_point(s->axis, p->u, NULL, NULL, o->w);
    }
}

/* out: off less its mean and an oval (second harmonic) around the clock, in deviations, by least absolute deviations
 * (reweighted least squares), so that a few sectors that stand off do not pull the rest. NaN stays. Of a ring that is
 * open a first harmonic is taken out, too: without the sectors that see it whole the axis may not have followed yet. */
static void take_out_oval(const double off[N_SECTORS], const double sd[N_SECTORS], bool is_open, double out[N_SECTORS])
{
    enum { TERMS = 5, ROUNDS = 20 };
    double row[N_SECTORS][TERMS], weight[N_SECTORS];
    for (int k = 0; k < N_SECTORS; k++) {
        double t = 2 * M_PI * (k + 0.5) / N_SECTORS;
        const double terms[TERMS] = {1, cos(2 * t), sin(2 * t), is_open ? cos(t) : 0, is_open ? sin(t) : 0};
        memcpy(row[k], terms, sizeof terms);
        out[k] = isnan(off[k]) ? NAN : off[k] / sd[k];
        weight[k] = isnan(off[k]) ? 0 : 1 / (sd[k] * sd[k]);
    }
    for (int round = 0; round < ROUNDS; round++) {
        double h[TERMS * TERMS] = {0}, x[TERMS] = {0};
        for (int k = 0; k < N_SECTORS; k++)
            for (int a = 0; a < TERMS && weight[k] > 0; a++) {
                x[a] += weight[k] * row[k][a] * off[k];
                for (int b = 0; b < TERMS; b++)
                    h[a * TERMS + b] += weight[k] * row[k][a] * row[k][b];
            }
        for (int a = 0; a < TERMS; a++)
            h[a * TERMS + a] += LEAST_PIVOT / (SECTOR_SD * SECTOR_SD);
        if (!intra_cholesky_solve(h, x, TERMS)) return;
        for (int k = 0; k < N_SECTORS; k++) {
            double fit = 0;
            for (int a = 0; a < TERMS; a++)
                fit += row[k][a] * x[a];
            if (isnan(off[k])) continue;
            out[k] = (off[k] - fit) / sd[k];
            weight[k] = 1 / (sd[k] * sd[k] * fmax(fabs(out[k]), 0.1));
        }
    }
}

/* What the well-measured points of a sector say of the wall there: of their radii by parallax alone, as shares of the
 * tube's, the median less 1, the scatter about it, and the mean of their own deviations. */
struct sector_look {
    int n;
    double off, scatter, sd;
};

static struct sector_look look_at_sector(struct solver *s, int sector)
{
    struct sector_look look = {0};
    for (int i = 0; i < s->n_points; i++) {
        if (!is_usable(s, &s->points[i]) || s->sector[i] != sector || !is_well_measured(&s->points[i])) continue;
        s->spread[look.n++] = s->points[i].r_data / expected_radius(s, i) - 1;
        look.sd += s->points[i].r_data_sd / expected_radius(s, i);
    }
    if (!look.n) return look;
    look.sd /= look.n;
    look.off = median(s->spread, look.n);
    for (int i = 0; i < look.n; i++)
        s->spread[i] = fabs(s->spread[i] - look.off);
    look.scatter = 1.4826 * median(s->spread, look.n);
    return look;
}

/* Sectors that show no wall: two beside each other or more that hold a few points at most, or such as agree on no
 * radius, where the rest is full of points. So it is under water: what it shows is ripples, and mirrored wall. On
 * smooth wall points are few and scatter anywhere, and more than MOST_EMPTY that seem empty are measured badly: then
 * none is. */
static int find_empty(const struct sector_look look[N_SECTORS], bool is_empty[N_SECTORS])
{
    double count[N_SECTORS];
    bool is_bare[N_SECTORS];
    int n = 0;
    for (int k = 0; k < N_SECTORS; k++)
        count[k] = look[k].n;
    double usual = median(count, N_SECTORS);
    for (int k = 0; k < N_SECTORS; k++) {
        bool is_chance =
            look[k].n >= SECTOR_MIN && look[k].scatter > CHANCE_SCATTER && look[k].scatter > CHANCE_RATIO * look[k].sd;
        is_bare[k] = usual >= USUAL_FULL && (look[k].n < EMPTY_SHARE * usual || is_chance);
    }
    for (int k = 0; k < N_SECTORS; k++) {
        is_empty[k] = is_bare[k] && (is_bare[(k + 1) % N_SECTORS] || is_bare[(k + N_SECTORS - 1) % N_SECTORS]);
        n += is_empty[k];
    }
    if (n <= MOST_EMPTY) return n;
    memset(is_empty, 0, N_SECTORS * sizeof *is_empty);
    return 0;
}

/* By sector of the clock, how far the wall by parallax alone is off the tube, as a share of the radius (NaN: too few
 * points, or no wall), and the sector's weight, Cauchy about an oval: a deposit or roots fill a sector or three, and
 * the whole ring would come to be too large by their share of it; point by point their slopes are not far enough off to
 * tell. */
static void look_around(struct solver *s, double off[N_SECTORS], double weight[N_SECTORS])
{
    struct sector_look look[N_SECTORS];
    bool is_empty[N_SECTORS];
    double stands_off[N_SECTORS], sd[N_SECTORS];
    int n = 0;
    for (int k = 0; k < N_SECTORS; k++)
        look[k] = look_at_sector(s, k);
    bool is_open = find_empty(look, is_empty) > 0;
    for (int k = 0; k < N_SECTORS; k++) {
        bool is_known = look[k].n >= SECTOR_MIN && !is_empty[k];
        weight[k] = is_empty[k] && look[k].n ? EMPTY_WEIGHT : 1;
        off[k] = is_known ? look[k].off : NAN;
        sd[k] = is_known ? hypot(SECTOR_SD, SECTOR_NOISE * look[k].sd / sqrt(look[k].n)) : NAN;
        n += is_known;
    }
    if (n < SECTORS_LEAST) return;
    take_out_oval(off, sd, is_open, stands_off);
    for (int k = 0; k < N_SECTORS; k++)
        if (!isnan(off[k])) weight[k] = intra_cauchy_weight(stands_off[k] * stands_off[k], 1);
}

/* Every sector of the clock pulls alike, as far as MOST_SHARE allows, but for those that stand off the others. */
static void share_tube(struct solver *s)
{
    int count[N_SECTORS] = {0}, n = 0, n_sectors = 0;
    double off[N_SECTORS], weight[N_SECTORS];
    for (int i = 0; i < s->n_points; i++)
        if (is_usable(s, &s->points[i])) count[s->sector[i]]++;
    for (int i = 0; i < N_SECTORS; i++) {
        n += count[i];
        n_sectors += count[i] > 0;
    }
    look_around(s, off, weight);
    for (int i = 0; i < s->n_points; i++) {
        struct intra_point *p = &s->points[i];
        p->tube_share = 1;
        if (is_usable(s, p))
            p->tube_share = weight[s->sector[i]] * fmin((double)n / n_sectors / count[s->sector[i]], MOST_SHARE);
    }
}

static void assign_variables(struct solver *s)
{
    double u_low = 1e300, u_high = -1e300;
    s->nx = 0;
    for (int i = 0; i < s->n_kfs; i++) {
        s->kf_var[i] = s->kfs[i].is_frozen ? -1 : s->nx;
        if (!s->kfs[i].is_frozen) s->nx += 6;
        if (!s->kfs[i].is_frozen && s->kfs[i].has_dark && !s->kfs[i].is_held)
            u_high = fmax(u_high, s->kfs[i].u + INTRA_DARK_AHEAD_REL * s->options->radius_m / s->axis->h);
    }
    for (int i = 0; i < s->n_points; i++) {
        const struct intra_point *p = &s->points[i];
        if (!is_usable(s, p)) continue;
        if (p->u < u_low) u_low = p->u;
        if (p->u > u_high) u_high = p->u;
    }
    for (int i = 0; i < s->axis->count; i++) {
        int index = s->axis->first + i;
        bool is_used = index >= floor(u_low) - 1 && index <= floor(u_high) + 2;
        s->knot_var[i] = !is_used || s->axis->knots[i].is_frozen ? -1 : s->nx;
        if (s->knot_var[i] >= 0) s->nx += 2;
        s->oval_var[i] = !is_used || s->axis->knots[i].is_oval_frozen ? -1 : s->nx;
        if (s->oval_var[i] >= 0) s->nx += 2;
    }
}

static enum intra_status find_rings(struct solver *s, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    bool *is_taken = NULL;
    INTRA_TRY(INTRA_ALLOC(is_taken, (size_t)s->n_points, err));
    for (int i = 0; i < s->n_points; i++)
        is_taken[i] = is_usable(s, &s->points[i]);
    INTRA_TRY(intra_point_rings_find(s->points, is_taken, s->n_points, s->axis, s->options->radius_m,
                                     s->kfs[s->n_kfs - 1].u * s->axis->h, s->member,
                                     s->rings, &s->n_rings, err));
    s->ring_var = s->nx;
    s->nx += s->n_rings;
done:
    intra_free(is_taken);
    return status;
}

/* Knots past the last free one follow in a straight line, so that the axis ahead starts from the present estimate. */
static void straighten_tail(struct solver *s)
{
    int last = -1;
    for (int i = 0; i < s->axis->count; i++)
        if (s->knot_var[i] >= 0) last = i;
    if (last < 2) return;
    for (int i = last + 1; i < s->axis->count && !s->axis->knots[i].is_frozen; i++) {
        struct intra_vec3 a = s->axis->knots[i - 1].p, dir = intra_unit(intra_sub(a, s->axis->knots[i - 3 >= 0 ? i - 3 : 0].p));
        s->axis->knots[i].p = intra_mad(a, s->axis->h, dir);
        memcpy(s->axis->knots[i].oval, s->axis->knots[last].oval, sizeof s->axis->knots[i].oval);
    }
}

/* The nominal radius is that of the whole ring, and every sector of the clock says how far it is off the tube's: the
 * scale is as sure as their mean. What they share (all of the wall nearer than nominal) cannot be seen; nor, where they
 * lie on one side, that the camera stands nearer to it than the smooth axis makes believe. */
static double scale_sd(struct solver *s)
{
    double off[N_SECTORS], weight[N_SECTORS], sum = 0, sum2 = 0, mean = 0, var = 0;
    int n = 0;
    look_around(s, off, weight);
    for (int k = 0; k < N_SECTORS; k++) {
        if (isnan(off[k])) continue;
        n++;
        sum += weight[k];
        sum2 += weight[k] * weight[k];
        mean += weight[k] * off[k];
    }
    if (n < 3) return NAN;
    mean /= sum;
    for (int k = 0; k < N_SECTORS; k++)
        if (!isnan(off[k])) var += weight[k] * (off[k] - mean) * (off[k] - mean) / sum;
    double n_effective = sum * sum / sum2;
    if (!(n_effective > 1.5)) return NAN;
    return hypot(sqrt(var / (n_effective - 1)), 2 * n <= N_SECTORS ? ONE_SIDED_SD : 0);
}

/* Radius from parallax alone, and the residual figures. */
static void summarise(struct solver *s, struct intra_bundle_result *out)
{
    int n = 0, n_in = 0, n_r = 0;
    double *spread = s->spread;
    for (int i = 0; i < s->n_points; i++) {
        struct intra_point *p = &s->points[i];
        double hdd = 0, gd = 0;
        if (!is_usable(s, p)) continue;
        for (int k = 0; k < p->n_obs; k++) {
            struct match_terms m;
            if (p->obs[k].kf < s->first_id || !match_evaluate(s, p, &p->obs[k], true, &m)) continue;
            double c = m.chi2 / s->noise2, w = intra_cauchy_weight(c, MATCH_C2) / s->noise2;
            double wj0 = w * (m.info[0] * m.jd[0] + m.info[1] * m.jd[1]);
            double wj1 = w * (m.info[1] * m.jd[0] + m.info[2] * m.jd[1]);
            hdd += wj0 * m.jd[0] + wj1 * m.jd[1];
            gd += wj0 * m.e[0] + wj1 * m.e[1];
            n++;
            n_in += c < 9;
        }
        p->r_data_sd = 0;
        if (!(hdd > 0)) continue;
        const struct intra_pose *th = &s->kfs[p->host - s->first_id].cam_from_world;
        struct intra_vec3 x = intra_mat3_tmul_vec(&th->r, intra_sub(intra_scale(p->ray, p->dist), th->t));
        struct intra_vec3 arm = intra_sub(x, intra_axis_point(s->axis, p->u, NULL, NULL, NULL));
        double slope = intra_dot(intra_mat3_mul_vec(&th->r, intra_unit(arm)), p->ray);
        p->r_data = intra_norm(arm) + slope * gd / hdd;
        p->r_data_sd = fabs(slope) / sqrt(hdd);
    }
    for (int i = 0; i < s->n_points; i++) {
        const struct intra_point *p = &s->points[i];
        if (is_usable(s, p) && is_well_measured(p)) spread[n_r++] = p->r_data / expected_radius(s, i);
    }
    out->n_obs = n;
    out->inlier_share = n ? (double)n_in / n : 0;
    out->noise_scale = sqrt(s->noise2);
    out->n_radius = n_r;
    out->radius_median = median(spread, n_r);
    for (int i = 0; i < n_r; i++) spread[i] = fabs(spread[i] - out->radius_median);
    out->radius_spread = 1.4826 * median(spread, n_r);
    out->scale_sd = scale_sd(s);
}

/* The same for the turn of the last camera against the first about the pipe. A camera that turns by phi about the unit
 * vector a turns by w = -phi R a in its own frame. s->h: the factor that measure_way left. */
static void measure_roll(struct solver *s, int first, int last, struct intra_bundle_result *out)
{
    double var = 0;
    memset(s->step, 0, sizeof *s->step * (size_t)s->nx);
    for (int end = 0; end < 2; end++) {
        const struct intra_keyframe *kf = &s->kfs[end ? last : first];
        struct intra_vec3 d1;
        (void)intra_axis_point(s->axis, kf->u, &d1, NULL, NULL);
        struct intra_vec3 w = intra_mat3_mul_vec(&kf->cam_from_world.r, intra_scale(intra_unit(d1), end ? -1 : 1));
        double *g = s->step + s->kf_var[end ? last : first];
        g[0] = w.x, g[1] = w.y, g[2] = w.z;
    }
    memcpy(s->hp, s->step, sizeof *s->hp * (size_t)s->nx);
    solve_factored(s->h, s->step, s->nx);
    for (int i = 0; i < s->nx; i++)
        var += s->hp[i] * s->step[i];
    out->roll_sd_rad = sqrt(fmax(0, var));
}

/* How sure the way across the window is: g' H^-1 g with H of the present state, g the way's derivative. The centre of a
 * camera moves by -R' v. Whatever nothing ties down (station and roll of the whole) drops out of the difference. */
static void measure_way(struct solver *s, struct intra_bundle_result *out)
{
    int first = -1, last = -1;
    for (int i = 0; i < s->n_kfs; i++) {
        if (s->kf_var[i] < 0) continue;
        first = first < 0 ? i : first;
        last = i;
    }
    if (first == last) return;
    struct intra_vec3 a = intra_pose_inverse(&s->kfs[first].cam_from_world).t,
                      way = intra_sub(intra_pose_inverse(&s->kfs[last].cam_from_world).t, a);
    double length = intra_norm(way), var = 0;
    if (!(length > 0)) return;
    build_system(s);
    memset(s->step, 0, sizeof *s->step * (size_t)s->nx);
    for (int end = 0; end < 2; end++) {
        const struct intra_keyframe *kf = &s->kfs[end ? last : first];
        double *g = s->step + s->kf_var[end ? last : first] + 3;
        struct intra_vec3 v = intra_mat3_mul_vec(&kf->cam_from_world.r, intra_scale(way, (end ? -1 : 1) / length));
        g[0] = v.x, g[1] = v.y, g[2] = v.z;
    }
    memcpy(s->hp, s->step, sizeof *s->hp * (size_t)s->nx);
    for (int i = 0; i < s->nx; i++)
        s->h[(size_t)i * (size_t)s->nx + (size_t)i] += LEAST_PIVOT;
    if (!intra_cholesky_solve(s->h, s->step, s->nx)) return;
    for (int i = 0; i < s->nx; i++)
        var += s->hp[i] * s->step[i];
    out->way_m = length;
    out->way_sd_rel = sqrt(fmax(0, var)) / length;
    measure_roll(s, first, last, out);
}

enum intra_status intra_bundle_solve(struct intra_keyframe *kfs, int n, struct intra_point *points, int n_points,
                                     struct intra_axis *axis, const struct intra_camera *camera,
                                     const struct intra_bundle_options *options, struct intra_bundle_result *out,
                                     struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct solver s = {.kfs = kfs, .n_kfs = n, .first_id = n ? kfs[0].id : 0, .points = points, .n_points = n_points,
                       .axis = axis, .camera = camera, .options = options, .noise2 = 1};
    double lambda = 1e-4, cost = 0;
    bool is_measured = true; /* the matches, in the present state */
    memset(out, 0, sizeof *out);
    out->way_sd_rel = out->roll_sd_rad = NAN;
    if (n == 0 || n_points == 0) return INTRA_OK;
    INTRA_TRY(INTRA_ALLOC(s.kf_var, (size_t)n, err));
    INTRA_TRY(INTRA_ALLOC(s.knot_var, (size_t)axis->count, err));
    INTRA_TRY(INTRA_ALLOC(s.oval_var, (size_t)axis->count, err));
    INTRA_TRY(INTRA_ALLOC(s.place, (size_t)n_points, err));
    INTRA_TRY(INTRA_ALLOC(s.sector, (size_t)n_points, err));
    INTRA_TRY(INTRA_ALLOC(s.member, (size_t)n_points, err));
    INTRA_TRY(INTRA_ALLOC(s.old_poses, (size_t)n, err));
    INTRA_TRY(INTRA_ALLOC(s.old_knots, (size_t)axis->count, err));
    INTRA_TRY(INTRA_ALLOC(s.old_dist, (size_t)n_points, err));
    INTRA_TRY(INTRA_ALLOC(s.dist_step, (size_t)n_points, err));
    INTRA_TRY(INTRA_ALLOC(s.dist_h, (size_t)n_points, err));
    INTRA_TRY(INTRA_ALLOC(s.dist_g, (size_t)n_points, err));
    INTRA_TRY(INTRA_ALLOC(s.chi2, (size_t)n_points * INTRA_POINT_MAX_OBS, err));
    INTRA_TRY(INTRA_ALLOC(s.spread, (size_t)n_points, err));
    INTRA_TRY(INTRA_ALLOC(s.coupling, (size_t)n_points, err));
    INTRA_TRY(INTRA_ALLOC(s.relative, (size_t)n * (size_t)n, err));
    assign_variables(&s);
    if (s.nx == 0) goto done;
    place_points(&s);
    share_tube(&s);
    INTRA_TRY(find_rings(&s, err));
    INTRA_TRY(INTRA_ALLOC(s.h, (size_t)s.nx * (size_t)s.nx, err));
    INTRA_TRY(INTRA_ALLOC(s.damped, (size_t)s.nx * (size_t)s.nx, err));
    INTRA_TRY(INTRA_ALLOC(s.b, (size_t)s.nx, err));
    INTRA_TRY(INTRA_ALLOC(s.step, (size_t)s.nx, err));
    INTRA_TRY(INTRA_ALLOC(s.hp, (size_t)s.nx, err));

    relate_poses(&s);
    measure_matches(&s);
    scale_noise(&s);
    cost = cost_of(&s);
    for (int it = 0; it < options->iterations; it++) {
        build_system(&s);
        bool is_better = false;
        for (int attempt = 0; attempt < 5 && !is_better; attempt++) {
            memcpy(s.damped, s.h, sizeof *s.h * (size_t)s.nx * (size_t)s.nx);
            memcpy(s.step, s.b, sizeof *s.b * (size_t)s.nx);
            for (int i = 0; i < s.nx; i++) {
                double *d = &s.damped[(size_t)i * (size_t)s.nx + (size_t)i];
                *d = *d * (1 + lambda) + LEAST_PIVOT;
            }
            if (!intra_cholesky_solve(s.damped, s.step, s.nx)) {
                lambda = fmax(lambda * 10, 1e-3);
                continue;
            }
            back_substitute(&s, lambda);
            apply_step(&s);
            measure_matches(&s);
            double new_cost = cost_of(&s);
            if (new_cost < cost && isfinite(new_cost)) {
                is_better = is_measured = true;
                lambda = fmax(lambda * 0.2, 1e-7);
                if (cost - new_cost < 1e-5 * cost) it = options->iterations;
                cost = new_cost;
            } else {
                undo_step(&s);
                is_measured = false;
                lambda *= 10;
            }
        }
        if (!is_better) break;
    }
    straighten_tail(&s);
    if (!is_measured) measure_matches(&s);
    scale_noise(&s);
    summarise(&s, out);
    if (options->want_way) measure_way(&s, out);
done:
    intra_free(s.kf_var);
    intra_free(s.knot_var);
    intra_free(s.oval_var);
    intra_free(s.place);
    intra_free(s.sector);
    intra_free(s.member);
    intra_free(s.old_poses);
    intra_free(s.old_knots);
    intra_free(s.old_dist);
    intra_free(s.dist_step);
    intra_free(s.dist_h);
    intra_free(s.dist_g);
    intra_free(s.chi2);
    intra_free(s.spread);
    intra_free(s.coupling);
    intra_free(s.relative);
    intra_free(s.h);
    intra_free(s.damped);
    intra_free(s.b);
    intra_free(s.step);
    intra_free(s.hp);
    return status;
}
