/* Model of the wall's radius around a joint, d = s - ring(theta), H = 1 behind it:
 *   r = p0 + p1 d + p2 H + sum_{k=2,3} (q_k cos k theta + t_k sin k theta) + cos theta X(d) + sin theta Y(d),
 *   X, Y = c0 + c1 d + c2 d^2 + c3 H + c4 H d,
 * least squares with Cauchy weights. The radii are measured from the reconstructed axis, which bends; what it is off a
 * straight line is added to X and Y first (in a bend not: there the axis is taken to follow the pipe). (c3 of X, c3 of
 * Y) is the offset vector, (c4, c4) the deflection. */
#include "recon/joint_fit.h"

#include "recon/bundle.h"

#include <math.h>
#include <string.h>

enum {
    SECTORS = INTRA_RING_SECTORS,
    RING_UNKNOWNS = 5,
    SIDE = 5,
    UNKNOWNS = 3 + 4 + 2 * SIDE,
    ROUNDS = 5,
    RING_ROUNDS = 8,
    LEAST_SAMPLES = 20,
    MAX_AXIS = 64
};
#define UNSEEN_SD_M 0.006  /* of the mean place of a line over the part of the ring where it does not show */
enum { LIKE_SECTORS = 4 }; /* neighbours that err alike: so many sectors count as one */
#define BEND_PER_M 0.12    /* mean curvature from which on the pipe bends here; a deflection of 3 degrees has less */
/* What the samples' scatter does not tell: they share poses, and the tube's prior pulls a step together. */
/* Radii from the ring at which wall counts for a quarter: an offset is a thing of the ring, a deflection one of all the
 * wall, unless the pipe begins to bend near it. */
#define STEP_REACH_REL 0.7
#define KINK_REACH_REL 3.0
#define MAY_BEND_PER_M 0.06    /* mean curvature; a deflection of a degree and a half has as much */
#define OFFSET_FLOOR_REL 0.004 /* of the radius */
#define OFFSET_SHARE 0.15      /* of the offset */
#define DEFLECTION_FLOOR_RAD 0.008
enum { AT_X = 7, AT_Y = 7 + SIDE, STEP = 3, KINK = 4 };

double intra_joint_ring_station(const struct intra_joint_ring *ring, double theta)
{
    return ring->station_m + ring->a[1] * cos(theta) + ring->b[1] * sin(theta) + ring->a[2] * cos(2 * theta) +
           ring->b[2] * sin(2 * theta);
}

struct ring_fit {
    double x[RING_UNKNOWNS], scale, inverse; /* inverse: first element of the inverse of the normal matrix */
};

/* One round of reweighted least squares on stations from `middle_m`. */
static bool ring_round(const double station_m[SECTORS], const double weight[SECTORS], double middle_m,
                       struct ring_fit *fit)
{
    double h[RING_UNKNOWNS * RING_UNKNOWNS] = {0}, g[RING_UNKNOWNS], one[RING_UNKNOWNS] = {1};
    double copy[RING_UNKNOWNS * RING_UNKNOWNS], rest = 0, sum_w = 0;
    for (int i = 0; i < RING_UNKNOWNS; i++) {
        double sd = i < 3 ? 0.02 : 0.005; /* a ring that lies across the pipe, within centimetres */
        h[i * RING_UNKNOWNS + i] = i ? LIKE_SECTORS * fit->scale * fit->scale / (sd * sd) : 0;
        g[i] = -h[i * RING_UNKNOWNS + i] * fit->x[i];
    }
    for (int k = 0; k < SECTORS; k++) {
        double t = 2 * M_PI * (k + 0.5) / SECTORS, f[RING_UNKNOWNS] = {1, cos(t), sin(t), cos(2 * t), sin(2 * t)};
        double e = station_m[k] - middle_m;
        if (!(weight[k] > 0)) continue;
        for (int i = 0; i < RING_UNKNOWNS; i++)
            e -= f[i] * fit->x[i];
        double w = weight[k] / (1 + e * e / (4 * fit->scale * fit->scale));
        for (int i = 0; i < RING_UNKNOWNS; i++) {
            g[i] += w * f[i] * e;
            for (int j = 0; j <= i; j++)
                h[i * RING_UNKNOWNS + j] += w * f[i] * f[j];
        }
        rest += w * fabs(e);
        sum_w += w;
    }
    memcpy(copy, h, sizeof h);
    if (!intra_cholesky_solve(h, g, RING_UNKNOWNS) || !intra_cholesky_solve(copy, one, RING_UNKNOWNS)) return false;
    for (int i = 0; i < RING_UNKNOWNS; i++)
        fit->x[i] += g[i];
    fit->scale = fmax(0.0004, 1.25 * rest / sum_w);
    fit->inverse = one[0];
    return true;
}

bool intra_joint_fit_ring(const double station_m[SECTORS], const double weight[SECTORS], struct intra_joint_ring *out)
{
    struct ring_fit fit = {.scale = 0.01};
    double sum = 0, mass = 0;
    int used = 0;
    memset(out, 0, sizeof *out);
    for (int k = 0; k < SECTORS; k++) {
        if (!(weight[k] > 0)) continue;
        sum += weight[k] * station_m[k];
        mass += weight[k];
        used++;
    }
    if (used < SECTORS / 8) return false;
    for (int round = 0; round < RING_ROUNDS; round++)
        if (!ring_round(station_m, weight, sum / mass, &fit)) return false;
    out->station_m = sum / mass + fit.x[0];
    out->rest_m = fit.scale;
    out->station_sd_m = hypot(fit.scale * sqrt(LIKE_SECTORS * fit.inverse), UNSEEN_SD_M * (SECTORS - mass) / SECTORS);
    for (int k = 1; k <= 2; k++)
        out->a[k] = fit.x[2 * k - 1], out->b[k] = fit.x[2 * k];
    return true;
}

/* The axis around a joint along the joint's own right and crown, and in the end what it is off a smooth way. */
struct axis_piece {
    double station_m[MAX_AXIS], right_m[MAX_AXIS], crown_m[MAX_AXIS];
    int n;
    double curvature_per_m; /* mean */
    bool is_bend;
};

/* Take the best parabola out of values along the pipe; twice its last coefficient is the mean curvature. */
static bool take_parabola(const double *station_m, double *value, int n, double middle_m, double *curvature)
{
    double h[9] = {0}, g[3] = {0};
    if (n < 5) return false;
    for (int i = 0; i < n; i++) {
        double d = station_m[i] - middle_m, f[3] = {1, d, d * d};
        for (int a = 0; a < 3; a++) {
            g[a] += f[a] * value[i];
            for (int b = 0; b <= a; b++)
                h[3 * a + b] += f[a] * f[b];
        }
    }
    if (!intra_cholesky_solve(h, g, 3)) return false;
    for (int i = 0; i < n; i++) {
        double d = station_m[i] - middle_m;
        value[i] -= g[0] + g[1] * d + g[2] * d * d;
    }
    *curvature = 2 * g[2];
    return true;
}

/* What the axis is off a parabola; in a bend it is taken as it is, since no parabola follows a bend's beginning. False
 * when there is too little axis. */
static bool straighten(struct axis_piece *axis, double middle_m)
{
    double right, crown;
    if (!take_parabola(axis->station_m, axis->right_m, axis->n, middle_m, &right) ||
        !take_parabola(axis->station_m, axis->crown_m, axis->n, middle_m, &crown))
        return false;
    axis->curvature_per_m = hypot(right, crown);
    axis->is_bend = axis->curvature_per_m > BEND_PER_M;
    for (int i = 0; i < axis->n && axis->is_bend; i++)
        axis->right_m[i] = axis->crown_m[i] = 0;
    return true;
}

static bool gather_axis(const struct intra_scene *scene, double station_m, double before_m, double behind_m,
                        struct axis_piece *out)
{
    double step = scene->section_step_m, s0 = scene->sections[0].station_m;
    int64_t from = (int64_t)floor((station_m - before_m - s0) / step),
            to = (int64_t)ceil((station_m + behind_m - s0) / step);
    int64_t mid = (int64_t)llround((station_m - s0) / step);
    from = from < 0 ? 0 : from;
    to = to >= scene->n_sections ? scene->n_sections - 1 : to;
    if (mid < from || mid > to || to - from < 2) return false;
    out->n = 0;
    const struct intra_section *m = &scene->sections[mid];
    struct intra_vec3 right = {m->world_from_sec.m[0][1], m->world_from_sec.m[1][1], m->world_from_sec.m[2][1]};
    struct intra_vec3 crown = {m->world_from_sec.m[0][2], m->world_from_sec.m[1][2], m->world_from_sec.m[2][2]};
    struct intra_vec3 origin = m->centre;
    for (int64_t i = from; i <= to && out->n < MAX_AXIS; i++) {
        if (!scene->sections[i].is_seen) continue;
        struct intra_vec3 d = intra_sub(scene->sections[i].centre, origin);
        out->station_m[out->n] = scene->sections[i].station_m;
        out->right_m[out->n] = intra_dot(d, right);
        out->crown_m[out->n++] = intra_dot(d, crown);
    }
    return straighten(out, station_m);
}

static void axis_at(const struct axis_piece *axis, double station_m, double *right_m, double *crown_m)
{
    int i = 0;
    while (i + 2 < axis->n && axis->station_m[i + 1] <= station_m)
        i++;
    double k = (station_m - axis->station_m[i]) / (axis->station_m[i + 1] - axis->station_m[i]);
    *right_m = axis->right_m[i] + k * (axis->right_m[i + 1] - axis->right_m[i]);
    *crown_m = axis->crown_m[i] + k * (axis->crown_m[i + 1] - axis->crown_m[i]);
}

/* Model row at clock angle theta, d from the ring. */
static void model_row(double theta, double d, double out[UNKNOWNS])
{
    double h = d > 0, side[SIDE] = {1, d, d * d, h, h * d}, c = cos(theta), s = sin(theta);
    out[0] = 1;
    out[1] = d;
    out[2] = h;
    out[3] = cos(2 * theta);
    out[4] = sin(2 * theta);
    out[5] = cos(3 * theta);
    out[6] = sin(3 * theta);
    for (int i = 0; i < SIDE; i++)
        out[AT_X + i] = c * side[i], out[AT_Y + i] = s * side[i];
}

/* Prior deviations: next to none on places, loose ones on what samples may not tell apart. */
static double prior_sd(int i, double r)
{
    if (i == 0 || i == AT_X || i == AT_Y) return r;
    if (i == 2) return 0.02 * r;
    if (i >= 3 && i < AT_X) return 0.03 * r;
    int k = i == 1 ? 1 : (i - AT_X) % SIDE;
    return k == 1 ? 0.05 : k == 2 ? 0.3 : k == STEP ? 0.1 * r : 0.03;
}

struct step_fit {
    double x[UNKNOWNS], cov[UNKNOWNS * UNKNOWNS], scatter_m;
};

/* The stretch of wall that a step is fitted to. */
struct step_range {
    const struct intra_scene *scene;
    const struct intra_joint_ring *ring;
    const struct axis_piece *axis;
    double before_m, behind_m, skip_m;
    double reach_m; /* from the ring, at which wall counts for a quarter */
};

/* Normal equations at the current x: prior and samples. Sums of weighted |rest| and of weights before and behind the
 * ring. */
static void add_up(const struct step_range *range, const struct intra_radius_sample *samples, int64_t n,
                   const struct step_fit *fit, double h[UNKNOWNS * UNKNOWNS], double g[UNKNOWNS], double *sum_abs,
                   double mass[2])
{
    double r = 0.5 * range->scene->nominal_diameter_m;
    memset(h, 0, sizeof(double) * UNKNOWNS * UNKNOWNS);
    *sum_abs = mass[0] = mass[1] = 0;
    for (int i = 0; i < UNKNOWNS; i++) {
        double sd = prior_sd(i, r);
        h[i * UNKNOWNS + i] = 1 / (sd * sd);
        g[i] = ((i == 0 ? r : 0) - fit->x[i]) / (sd * sd);
    }
    for (int64_t k = 0; k < n; k++) {
        double station = (double)samples[k].station_m + range->scene->start_station_m, theta = samples[k].theta_rad;
        double d = station - intra_joint_ring_station(range->ring, theta), f[UNKNOWNS], right, crown;
        if (d < -range->before_m || d > range->behind_m || fabs(d) < range->skip_m) continue;
        axis_at(range->axis, station, &right, &crown);
        double e = (double)samples[k].r_m + right * sin(theta) + crown * cos(theta);
        model_row(theta, d, f);
        for (int i = 0; i < UNKNOWNS; i++)
            e -= f[i] * fit->x[i];
        double var = (double)samples[k].sd_m * samples[k].sd_m + fit->scatter_m * fit->scatter_m;
        double near = 1 / pow(1 + pow(d / range->reach_m, 2), 2), robust = near / (1 + e * e / (4 * var)),
               w = robust / var;
        for (int i = 0; i < UNKNOWNS; i++) {
            g[i] += w * f[i] * e;
            for (int j = 0; j <= i; j++)
                h[i * UNKNOWNS + j] += w * f[i] * f[j];
        }
        *sum_abs += robust * fabs(e);
        mass[d > 0] += robust;
    }
}

static bool invert(const double h[UNKNOWNS * UNKNOWNS], double out[UNKNOWNS * UNKNOWNS])
{
    for (int c = 0; c < UNKNOWNS; c++) {
        double copy[UNKNOWNS * UNKNOWNS], e[UNKNOWNS] = {0};
        e[c] = 1;
        memcpy(copy, h, sizeof copy);
        if (!intra_cholesky_solve(copy, e, UNKNOWNS)) return false;
        for (int i = 0; i < UNKNOWNS; i++)
            out[i * UNKNOWNS + c] = e[i];
    }
    return true;
}

static bool solve_step(const struct step_range *range, const struct intra_radius_sample *samples, int64_t n,
                       struct step_fit *out)
{
    double r = 0.5 * range->scene->nominal_diameter_m, h[UNKNOWNS * UNKNOWNS], g[UNKNOWNS], sum_abs, mass[2];
    memset(out, 0, sizeof *out);
    out->x[0] = r;
    out->scatter_m = 0.01 * r;
    for (int round = 0; round < ROUNDS; round++) {
        add_up(range, samples, n, out, h, g, &sum_abs, mass);
        if (mass[0] < LEAST_SAMPLES || mass[1] < LEAST_SAMPLES) return false;
        if (round == ROUNDS - 1) break;
        if (!intra_cholesky_solve(h, g, UNKNOWNS)) return false;
        for (int i = 0; i < UNKNOWNS; i++)
            out->x[i] += g[i];
        out->scatter_m = fmax(0.003 * r, 1.25 * sum_abs / (mass[0] + mass[1]));
    }
    return invert(h, out->cov);
}

/* Length of the vector of unknowns i (to the crown) and j (to the right) and its clock angle, with the deviations of
 * both. */
static void polar(const struct step_fit *fit, int i, int j, double floor_sd, double share, double out[4])
{
    double crown = fit->x[i], right = fit->x[j], length = hypot(crown, right);
    double c = length > 0 ? crown / length : 1, s = length > 0 ? right / length : 0;
    double vc = fit->cov[i * UNKNOWNS + i], vr = fit->cov[j * UNKNOWNS + j], cov = fit->cov[i * UNKNOWNS + j];
    double along = c * c * vc + s * s * vr + 2 * c * s * cov, across = s * s * vc + c * c * vr - 2 * c * s * cov;
    out[0] = length;
    out[1] = sqrt(fmax(along, 0) + floor_sd * floor_sd + share * share * length * length);
    out[2] = fmod(atan2(right, crown) + 2 * M_PI, 2 * M_PI);
    out[3] = fmin(sqrt(fmax(across, 0) + floor_sd * floor_sd) / fmax(length, 1e-9),
                  M_PI / sqrt(3)); /* no more than any angle has */
}

void intra_joint_fit_step(const struct intra_scene *scene, const struct intra_radius_sample *samples, int64_t n_samples,
                          const struct intra_joint_ring *ring, double before_m, double behind_m, double skip_m,
                          struct intra_feature *joint)
{
    struct axis_piece axis;
    struct step_fit fit;
    double r = 0.5 * scene->nominal_diameter_m, v[4];
    if (scene->n_sections < 2 || !gather_axis(scene, ring->station_m, before_m + r, behind_m + r, &axis)) return;
    struct step_range range = {scene, ring, &axis, before_m, behind_m, skip_m, STEP_REACH_REL * r};
    if (!solve_step(&range, samples, n_samples, &fit)) return;
    polar(&fit, AT_X + STEP, AT_Y + STEP, OFFSET_FLOOR_REL * r, OFFSET_SHARE, v);
    joint->offset_m = v[0], joint->offset_sd_m = v[1], joint->offset_clock_rad = v[2],
    joint->offset_clock_sd_rad = hypot(v[3], intra_scene_roll_sd(scene, ring->station_m));
    if (axis.is_bend) return;
    if (axis.curvature_per_m < MAY_BEND_PER_M) {
        range.reach_m = KINK_REACH_REL * r;
        if (!solve_step(&range, samples, n_samples, &fit)) return;
    }
    polar(&fit, AT_X + KINK, AT_Y + KINK, DEFLECTION_FLOOR_RAD, 0, v);
    joint->deflection_rad = v[0], joint->deflection_sd_rad = v[1], joint->deflection_clock_rad = v[2];
}
