/* Pose of a frame: all patches are predicted through the tube, each takes one alignment step, one Gauss-Newton step
 * of the pose follows, and round again, coarse to fine. That is direct image alignment with known depth (Irani and
 * Anandan 1999; DSO, Engel et al. 2018) except that each patch has its own gain and offset and its own robust weight. A
 * patch never drifts along an edge, since every round starts from the pose's prediction. */
#include "recon/pose_fit.h"

#include "core/select.h"
#include "recon/dark.h"
#include "recon/robust.h"

#include <string.h>

/* No match is trusted below this: what patches share (shear of a wrong section, coding, blur) does not average out.
 * With 0.1 px the ties between keyframes outweigh the tube and a wrong direction grows from keyframe to keyframe. */
#define MATCH_FLOOR_PX 0.3
/* What the host's grain feigns of a match's information, see intra_patch_step; set on smooth pipe (docs/methods.md,
 * "Patches and their alignment"). */
#define GRAIN 6.0
/* Correlation at which a match begins to count, and from which it counts in full. A chance match says that the
 * prediction is right; many of them would carry a wrong direction on. */
#define TRUST_FROM_NCC 0.2
#define TRUST_FULL_NCC 0.8
#define AGREE_NCC 0.35    /* a match counts as agreeing from here on */
#define SURE_NCC 0.6      /* and is hardly one of chance */
#define TURN_SD_RAD 0.035 /* from frame to frame, against the prediction */
#define MOVE_SD_REL 0.15  /* radii */
#define STAND_SD_REL 0.005 /* radii: a camera that zooms stands */
#define ZOOM_MIN_INLIERS 10 /* the view is narrow, and only turn and magnification are to be found */
#define ZOOM_SD 0.1         /* of the magnification from frame to frame */
#define HOLD_SD_REL 0.1   /* radii that a panning head moves the lens */
#define MOST_CHI2 25      /* in the cost of a fit: of what does not match at all, and what is far off */
#define MAX_RMS_REL 0.003 /* of the picture's width: an uncalibrated lens may leave that much, */
#define STEADY_NOISE 1.5  /* and where all is within its own deviation, as the wide patches of smooth wall are, */
#define STEADY_RMS 1.5    /* so many times as much */

/* A zoom enlarges the picture about the principal point. */
static void magnify(const struct intra_run *run, double px[2])
{
    px[0] = run->camera->cx + run->zoom * (px[0] - run->camera->cx);
    px[1] = run->camera->cy + run->zoom * (px[1] - run->camera->cy);
}

bool intra_pose_see(const struct intra_run *run, const struct intra_pose *cam_from_run, struct intra_vec3 x,
                    double margin, double out_px[2], struct intra_vec3 *out_xc, double *jac)
{
    struct intra_vec3 xc = intra_pose_apply(cam_from_run, x);
    if (!intra_camera_project(run->camera, xc, out_px, jac, NULL)) return false;
    if (out_xc) *out_xc = xc;
    magnify(run, out_px);
    for (int i = 0; jac && i < 6; i++)
        jac[i] *= run->zoom;
    return out_px[0] > margin && out_px[1] > margin && out_px[0] < run->camera->width - 1 - margin &&
           out_px[1] < run->camera->height - 1 - margin;
}

bool intra_pose_warp(const struct intra_run *run, const struct intra_pose *pose, const struct intra_point *p,
                     const double px[2], struct intra_warp *out)
{
    double near[INTRA_POINT_NEAR][2], s = p->step_px; /* right, left, down, up, right and down */
    for (int i = 0; i < INTRA_POINT_NEAR; i++) {
        if (!intra_camera_project(run->camera, intra_pose_apply(pose, p->near[i]), near[i], NULL, NULL)) return false;
        magnify(run, near[i]);
    }
    for (int k = 0; k < 2; k++) {
        double right = near[0][k] - px[k], left = near[1][k] - px[k], down = near[2][k] - px[k],
               up = near[3][k] - px[k];
        double *a = out->a + 2 * k, *q = out->q + 3 * k;
        a[0] = (right - left) / (2 * s);
        a[1] = (down - up) / (2 * s);
        q[0] = (right + left) / (2 * s * s);
        q[2] = (down + up) / (2 * s * s);
        q[1] = (near[4][k] - px[k] - right - down) / (s * s);
    }
    return true;
}

/* Add (floor px)^2 to the covariance behind an information matrix. */
static void soften(double info[3], double floor_px)
{
    double det = info[0] * info[2] - info[1] * info[1], v = floor_px * floor_px;
    if (det <= 1e-18 * info[0] * info[2] || det <= 0) {
        /* One blind direction: soften by the trace alone. */
        double k = 1 / (1 + v * (info[0] + info[2]));
        for (int i = 0; i < 3; i++)
            info[i] *= k;
        return;
    }
    double c00 = info[2] / det + v, c11 = info[0] / det + v, c01 = -info[1] / det, d = c00 * c11 - c01 * c01;
    info[0] = c11 / d;
    info[1] = -c01 / d;
    info[2] = c00 / d;
}

static double chi2_of(const struct intra_patch_match *m)
{
    return m->info[0] * m->du * m->du + 2 * m->info[1] * m->du * m->dv + m->info[2] * m->dv * m->dv;
}

bool intra_match_agrees(const struct intra_patch_match *match, double noise2)
{
    return match->is_valid && match->ncc > AGREE_NCC && chi2_of(match) / noise2 < 16;
}

bool intra_match_is_sure(const struct intra_patch_match *match)
{
    return match->ncc > SURE_NCC;
}

/* All patches take one step from the given pose. */
static void match_all(struct intra_run *run, const struct intra_pyramid *pyramid, const struct intra_pose *pose,
                      int scale, double floor_px, int *n_visible)
{
    int visible = 0;
#pragma omp parallel for schedule(static) num_threads(run->options.threads) reduction(+ : visible)
    for (int i = 0; i < run->n_points; i++) {
        struct intra_point *p = &run->points[i];
        struct intra_patch_match *m = &run->matches[i];
        double px[2];
        struct intra_warp warp;
        m->is_valid = false;
        m->ncc = -2; /* not in view */
        if (!p->is_alive) continue;
        if (!intra_pose_see(run, pose, p->x, 4, px, NULL, NULL) || !intra_pose_warp(run, pose, p, px, &warp)) continue;
        m->ncc = -1;
        visible++;
        intra_patch_step(&p->patch, scale, pyramid, run->mask, px[0], px[1], &warp, GRAIN, m);
        if (!m->is_valid) continue;
        double trust = (m->ncc - TRUST_FROM_NCC) / (TRUST_FULL_NCC - TRUST_FROM_NCC);
        trust = trust < 0.01 ? 0.01 : trust > 1 ? 1 : trust;
        for (int k = 0; k < 3; k++)
            m->info[k] *= trust * trust;
        soften(m->info, floor_px);
    }
    *n_visible = visible;
}

/* Normal equations of a frame over its pose (left update w, v) and the logarithm of its magnification, lower half. */
struct normal {
    double h[7 * 7], b[7];
};

static bool gather(struct intra_run *run, const struct intra_pose *pose, struct intra_pose_fit *fit, struct normal *out)
{
    double chi[2048];
    int n = 0, inlier = 0;
    memset(out, 0, sizeof *out);
    for (int i = 0; i < run->n_points && n < 2048; i++)
        if (run->matches[i].is_valid) chi[n++] = chi2_of(&run->matches[i]);
    if (n < 8) return false;
    double noise2 = fmax(1, intra_select(chi, n, n / 2) / 1.386), sum = 0, sum_w = 0;
    for (int i = 0; i < run->n_points; i++) {
        const struct intra_patch_match *m = &run->matches[i];
        double px[2], jac[6], j[14];
        struct intra_vec3 xc;
        if (!m->is_valid || !intra_pose_see(run, pose, run->points[i].x, 0, px, &xc, jac)) continue;
        double c = chi2_of(m) / noise2, w = 1 / (1 + c / 4) / noise2;
        if (c < 9) {
            double k = w * (m->info[0] + m->info[2]); /* coarse patches know less, and weigh less */
            inlier++;
            sum += k * (m->du * m->du + m->dv * m->dv);
            sum_w += k;
        }
        for (int r = 0; r < 2; r++) {
            struct intra_vec3 g = {jac[3 * r], jac[3 * r + 1], jac[3 * r + 2]}, a = intra_cross(xc, g);
            double *row = j + 7 * r;
            row[0] = a.x, row[1] = a.y, row[2] = a.z, row[3] = g.x, row[4] = g.y, row[5] = g.z;
            row[6] = px[r] - (r ? run->camera->cy : run->camera->cx);
        }
        double i0 = w * m->info[0], i1 = w * m->info[1], i2 = w * m->info[2];
        double e0 = i0 * m->du + i1 * m->dv, e1 = i1 * m->du + i2 * m->dv;
        for (int r = 0; r < 7; r++) {
            double a0 = i0 * j[r] + i1 * j[7 + r], a1 = i1 * j[r] + i2 * j[7 + r];
            out->b[r] += j[r] * e0 + j[7 + r] * e1;
            for (int k = 0; k <= r; k++)
                out->h[7 * r + k] += a0 * j[k] + a1 * j[7 + k];
        }
    }
    fit->n_inlier = inlier;
    fit->noise = sqrt(noise2);
    fit->rms_px = sum_w > 0 ? sqrt(sum / sum_w) : 0;
    return true;
}

/* Solve for the first n unknowns. */
static bool solve(const struct normal *system, int n, double x[7])
{
    double h[7 * 7];
    for (int r = 0; r < n; r++)
        memcpy(h + n * r, system->h + 7 * r, sizeof *h * (size_t)n);
    memcpy(x, system->b, sizeof *x * (size_t)n);
    return intra_cholesky_solve(h, x, n);
}

/* How much larger the picture is than the pose explains, and its deviation. */
static void measure_zoom(struct intra_run *run, struct intra_pose_fit *fit)
{
    struct normal system, unit;
    struct intra_pose_fit scratch = *fit;
    double step[7], column[7];
    fit->zoom_off = fit->zoom_off_sd = NAN;
    if (!gather(run, &fit->cam_from_run, &scratch, &system)) return;
    unit = system;
    memset(unit.b, 0, sizeof unit.b);
    unit.b[6] = 1;
    if (!solve(&system, 7, step) || !solve(&unit, 7, column)) return;
    fit->zoom_off = step[6];
    fit->zoom_off_sd = sqrt(column[6]);
}

/* What holds a frame near where it is expected: information of the pose, and of the magnification where that is free.
 */
struct pose_prior {
    struct intra_pose guess;
    struct intra_vec3 ahead; /* the axis point that the dark should lie at */
    double info[6];
    bool is_zoom_free;
    double log_zoom, zoom_info;
};

/* The dark lies at the axis point ahead: little beside textured wall, and where it has none all that keeps a frame from
 * turning on as the last ones did. In a bend it lies beyond what is known of the axis. */
static void add_dark(const struct intra_run *run, const struct intra_pose *pose, struct intra_vec3 ahead,
                     struct normal *out)
{
    struct intra_vec3 x = intra_pose_apply(pose, ahead), by_x[2];
    double e[2], one = 1 / (INTRA_DARK_SD_RAD * INTRA_DARK_SD_RAD);
    if (!run->has_dark || run->is_held || run->bend_left > 0 || !intra_dark_against(run->dark, x, e, by_x)) return;
    double w = one * intra_huber_weight(one * (e[0] * e[0] + e[1] * e[1]), INTRA_DARK_C);
    for (int r = 0; r < 2; r++) {
        struct intra_vec3 a = intra_cross(x, by_x[r]), g = by_x[r];
        double j[6] = {a.x, a.y, a.z, g.x, g.y, g.z};
        for (int i = 0; i < 6; i++) {
            out->b[i] += w * j[i] * e[r];
            for (int k = 0; k <= i; k++)
                out->h[7 * i + k] += w * j[i] * j[k];
        }
    }
}

/* One Gauss-Newton step of the pose (and the magnification) on the present matches. */
static bool pose_step(struct intra_run *run, struct intra_pose *pose, const struct pose_prior *prior,
                      struct intra_pose_fit *fit, double *out_step)
{
    struct normal system;
    double x[7];
    if (!gather(run, pose, fit, &system)) return false;
    /* Difference guess -> pose as a left update. */
    struct intra_pose inv = intra_pose_inverse(&prior->guess), diff = intra_pose_mul(pose, &inv);
    struct intra_vec3 w = intra_rotation_log(&diff.r);
    double d[6] = {w.x, w.y, w.z, diff.t.x, diff.t.y, diff.t.z};
    for (int r = 0; r < 6; r++) {
        system.h[8 * r] += prior->info[r];
        system.b[r] -= prior->info[r] * d[r];
    }
    system.h[48] += prior->zoom_info;
    system.b[6] -= prior->zoom_info * (log(run->zoom) - prior->log_zoom);
    if (!prior->is_zoom_free) add_dark(run, pose, prior->ahead, &system);
    if (run->is_held) { /* the lens stays where it is: c' = c - R^T v */
        struct intra_pose now = intra_pose_inverse(pose);
        struct intra_vec3 off = intra_mat3_mul_vec(&pose->r, intra_sub(now.t, run->held_at));
        double k = 1 / pow(HOLD_SD_REL * run->options.radius_m, 2), o[3] = {off.x, off.y, off.z};
        for (int r = 0; r < 3; r++) {
            system.h[8 * (r + 3)] += k;
            system.b[r + 3] += k * o[r];
        }
    }
    if (!solve(&system, prior->is_zoom_free ? 7 : 6, x)) return false;
    double turn = sqrt(x[0] * x[0] + x[1] * x[1] + x[2] * x[2]), limit = 0.15;
    double k = turn > limit ? limit / turn : 1;
    *out_step = turn + sqrt(x[3] * x[3] + x[4] * x[4] + x[5] * x[5]) / run->options.radius_m;
    *pose = intra_pose_left_update(pose, intra_vec3(k * x[0], k * x[1], k * x[2]),
                                   intra_vec3(k * x[3], k * x[4], k * x[5]));
    if (prior->is_zoom_free) {
        *out_step += fabs(x[6]);
        run->zoom *= exp(fmin(fmax(k * x[6], -limit), limit));
    }
    return true;
}

static struct pose_prior prior_around(const struct intra_run *run, const struct intra_pose *guess, double rot_sd,
                                      double move_sd)
{
    struct pose_prior prior = {.guess = *guess};
    double u = intra_axis_nearest(&run->axis, intra_pose_inverse(guess).t, run->kfs[run->n_kfs - 1].u);
    prior.ahead =
        intra_axis_point(&run->axis, u + INTRA_DARK_AHEAD_REL * run->options.radius_m / run->axis.h, NULL, NULL, NULL);
    for (int i = 0; i < 3; i++) {
        prior.info[i] = 1 / (rot_sd * rot_sd);
        prior.info[i + 3] = 1 / (move_sd * move_sd);
    }
    return prior;
}

/* prior: how far the frame may be from where it is expected. */
static void fit_from(struct intra_run *run, const struct intra_pyramid *pyramid, const struct pose_prior *prior,
                     int first_scale, struct intra_pose_fit *out)
{
    static const int rounds[INTRA_PATCH_SCALES] = {3, 2, 3, 5};
    static const double floors[INTRA_PATCH_SCALES] = {MATCH_FLOOR_PX, 0.4, 1.5, 4};
    static const double settled[INTRA_PATCH_SCALES] = {1e-4, 1e-3, 3e-3, 0}; /* radians, and radii of travel */
    struct intra_pose pose = prior->guess;
    memset(out, 0, sizeof *out);
    for (int scale = first_scale; scale >= 0; scale--)
        for (int round = 0; round < rounds[scale]; round++) {
            match_all(run, pyramid, &pose, scale, floors[scale], &out->n_visible);
            double step;
            if (!pose_step(run, &pose, prior, out, &step)) {
                if (scale > 0) break; /* coarse patches hang over the edge: the finer ones may still do */
                return;
            }
            if (step < settled[scale]) break;
        }
    match_all(run, pyramid, &pose, 0, floors[0], &out->n_visible);
    out->cam_from_run = pose;
    int inlier = 0;
    double n2 = out->noise * out->noise, far2 = pow(2 * MAX_RMS_REL * run->camera->width, 2);
    for (int i = 0; i < run->n_points; i++) {
        const struct intra_patch_match *m = &run->matches[i];
        double wide = 1 << run->points[i].patch.level;
        if (m->ncc > -2) out->cost += log1p((m->is_valid ? fmin(chi2_of(m), MOST_CHI2) : MOST_CHI2) / 4);
        if (!m->is_valid || m->ncc < AGREE_NCC || chi2_of(m) / n2 > 9 || m->du * m->du + m->dv * m->dv > far2 * wide)
            continue;
        inlier++;
        out->n_sure += intra_match_is_sure(m);
    }
    out->cost /= fmax(1, out->n_visible);
    out->n_inlier = inlier;
    out->is_good = inlier >= (prior->is_zoom_free ? ZOOM_MIN_INLIERS : INTRA_MIN_INLIERS) &&
                   inlier > 0.35 * out->n_visible && out->noise < 12 &&
                   out->rms_px < (out->noise < STEADY_NOISE ? STEADY_RMS : 1) * MAX_RMS_REL * run->camera->width;
    out->zoom = run->zoom;
    measure_zoom(run, out);
}

void intra_run_fit(struct intra_run *run, const struct intra_pyramid *pyramid, const struct intra_pose *guess,
                   double prior_sd_scale, struct intra_pose_fit *out)
{
    struct pose_prior prior =
        prior_around(run, guess, prior_sd_scale * TURN_SD_RAD, prior_sd_scale * MOVE_SD_REL * run->options.radius_m);
    fit_from(run, pyramid, &prior, 2, out);
}

void intra_run_fit_zoom(struct intra_run *run, const struct intra_pyramid *pyramid, const struct intra_pose *guess,
                        double zoom, struct intra_pose_fit *out)
{
    struct pose_prior prior = prior_around(run, guess, TURN_SD_RAD, STAND_SD_REL * run->options.radius_m);
    prior.is_zoom_free = true;
    prior.log_zoom = log(zoom);
    prior.zoom_info = 1 / (ZOOM_SD * ZOOM_SD);
    run->zoom = zoom;
    fit_from(run, pyramid, &prior, 2, out);
    run->zoom = 1;
}

/* How well the coarse patches agree near a guess; the pose moves to where they agree best. */
static double coarse_score(struct intra_run *run, const struct intra_pyramid *pyramid, struct intra_pose *pose)
{
    struct intra_pose_fit fit = {0};
    struct pose_prior prior = prior_around(run, pose, 0.1, 0.2 * run->options.radius_m);
    double score = 0;
    for (int round = 0; round < 5; round++) {
        match_all(run, pyramid, pose, round < 3 ? INTRA_PATCH_SCALES - 1 : INTRA_PATCH_SCALES - 2, round < 3 ? 4 : 1.5,
                  &fit.n_visible);
        double step;
        if (!pose_step(run, pose, &prior, &fit, &step)) return 0;
    }
    for (int i = 0; i < run->n_points; i++) {
        const struct intra_patch_match *m = &run->matches[i];
        if (m->is_valid && m->ncc > 0.3 && m->du * m->du + m->dv * m->dv < 64) score += m->ncc;
    }
    return score / sqrt(fmax(fit.n_visible, 20));
}

void intra_run_fit_hard(struct intra_run *run, const struct intra_pyramid *pyramid, const struct intra_pose *guess,
                        double share, struct intra_pose_fit *out)
{
    /* Turns right and down in radians; steps along the optical axis from -0.8 to 1.2 radii. */
    static const double turns[][2] = {{0.1, 0}, {-0.1, 0}, {0, 0.1}, {0, -0.1},
                                      {0.2, 0}, {-0.2, 0}, {0, 0.2}, {0, -0.2}};
    enum { N_STEPS = 21, N_TURNS = sizeof turns / sizeof *turns, N_BEST = 3 };
    struct intra_pose best[N_BEST];
    double scores[N_BEST] = {0};
    struct intra_pose_fit fit;
    memset(out, 0, sizeof *out);
    for (int k = 0; k < N_STEPS + N_TURNS; k++) {
        bool is_turn = k >= N_STEPS;
        struct intra_vec3 w =
            is_turn ? intra_vec3(turns[k - N_STEPS][1], -turns[k - N_STEPS][0], 0) : intra_vec3(0, 0, 0);
        double step = is_turn ? 0 : 0.1 * (k - 8);
        struct intra_pose pose = intra_pose_left_update(guess, w, intra_vec3(0, 0, -step * run->options.radius_m));
        double score = coarse_score(run, pyramid, &pose);
        for (int b = 0; b < N_BEST; b++) /* insertion, best first */
            if (score > scores[b]) {
                memmove(&scores[b + 1], &scores[b], sizeof *scores * (size_t)(N_BEST - 1 - b));
                memmove(&best[b + 1], &best[b], sizeof *best * (size_t)(N_BEST - 1 - b));
                scores[b] = score;
                best[b] = pose;
                break;
            }
    }
    for (int b = 0; b < N_BEST && scores[b] > 0; b++) {
        intra_run_fit(run, pyramid, &best[b], 2, &fit);
        if (fit.is_good && fit.n_inlier >= share * fit.n_visible && fit.n_inlier > out->n_inlier) *out = fit;
        if (out->n_inlier > 0.75 * fit.n_visible) break;
    }
    /* `matches` must be those of the fit that is returned. */
    if (out->is_good) match_all(run, pyramid, &out->cam_from_run, 0, MATCH_FLOOR_PX, &out->n_visible);
}
