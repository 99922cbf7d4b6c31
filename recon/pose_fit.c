/* Pose of a frame: all patches are predicted through the tube, each takes one alignment step, one Gauss-Newton step
 * of the pose follows, and round again, coarse to fine. That is direct image alignment with known depth (Irani and
 * Anandan 1999; DSO, Engel et al. 2018) except that each patch has its own gain and offset and its own robust weight. A
 * patch never drifts along an edge, since every round starts from the pose's prediction. */
#include "recon/pose_fit.h"

#include <stdlib.h>
#include <string.h>

/* No match is trusted below this: what patches share (shear of a wrong section, coding, blur) does not average out.
 * With 0.1 px the ties between keyframes outweigh the tube and a wrong direction grows from keyframe to keyframe. */
#define MATCH_FLOOR_PX 0.3
/* Correlation at which a match begins to count, and from which it counts in full. A chance match says that the
 * prediction is right; many of them would carry a wrong direction on. */
#define TRUST_FROM_NCC 0.2
#define TRUST_FULL_NCC 0.8
#define AGREE_NCC 0.35    /* a match counts as agreeing from here on */
#define SURE_NCC 0.6      /* and is hardly one of chance */
#define HOLD_SD_REL 0.1   /* radii that a panning head moves the lens */
#define MAX_RMS_REL 0.003 /* of the picture's width: an uncalibrated lens may leave that much */

bool intra_pose_see(const struct intra_run *run, const struct intra_pose *cam_from_run, struct intra_vec3 x,
                    double margin, double out_px[2], struct intra_vec3 *out_xc, double *jac)
{
    struct intra_vec3 xc = intra_pose_apply(cam_from_run, x);
    if (!intra_camera_project(run->camera, xc, out_px, jac, NULL)) return false;
    if (out_xc) *out_xc = xc;
    return out_px[0] > margin && out_px[1] > margin && out_px[0] < run->camera->width - 1 - margin &&
           out_px[1] < run->camera->height - 1 - margin;
}

bool intra_pose_shear(const struct intra_run *run, const struct intra_pose *pose, const struct intra_point *p,
                      const double px[2], double a[4])
{
    double r[2], d[2];
    struct intra_vec3 xr = intra_pose_apply(pose, p->x_right), xd = intra_pose_apply(pose, p->x_down);
    if (!intra_camera_project(run->camera, xr, r, NULL, NULL) || !intra_camera_project(run->camera, xd, d, NULL, NULL))
        return false;
    a[0] = (r[0] - px[0]) / p->step_px;
    a[2] = (r[1] - px[1]) / p->step_px;
    a[1] = (d[0] - px[0]) / p->step_px;
    a[3] = (d[1] - px[1]) / p->step_px;
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

static int compare_double(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double chi2_of(const struct intra_patch_match *m)
{
    return m->info[0] * m->du * m->du + 2 * m->info[1] * m->du * m->dv + m->info[2] * m->dv * m->dv;
}

bool intra_match_agrees(const struct intra_patch_match *match, double noise2)
{
    return match->is_valid && match->ncc > AGREE_NCC && chi2_of(match) / noise2 < 16;
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
        double px[2], a[4];
        m->is_valid = false;
        m->ncc = -2; /* not in view */
        if (!p->is_alive) continue;
        if (!intra_pose_see(run, pose, p->x, 4, px, NULL, NULL) || !intra_pose_shear(run, pose, p, px, a)) continue;
        m->ncc = -1;
        visible++;
        intra_patch_step(&p->patch, scale, pyramid, run->mask, px[0], px[1], a, m);
        if (!m->is_valid) continue;
        double trust = (m->ncc - TRUST_FROM_NCC) / (TRUST_FULL_NCC - TRUST_FROM_NCC);
        trust = trust < 0.01 ? 0.01 : trust > 1 ? 1 : trust;
        for (int k = 0; k < 3; k++)
            m->info[k] *= trust * trust;
        soften(m->info, floor_px);
    }
    *n_visible = visible;
}

/* One Gauss-Newton step of the pose on the present matches. */
static bool pose_step(struct intra_run *run, struct intra_pose *pose, const struct intra_pose *guess,
                      const double prior_info[6], struct intra_pose_fit *fit, double *out_step)
{
    double h[36] = {0}, b[6] = {0}, chi[2048];
    int n = 0;
    for (int i = 0; i < run->n_points && n < 2048; i++)
        if (run->matches[i].is_valid) chi[n++] = chi2_of(&run->matches[i]);
    if (n < 8) return false;
    qsort(chi, (size_t)n, sizeof *chi, compare_double);
    double noise2 = fmax(1, chi[n / 2] / 1.386), sum = 0, sum_w = 0;
    int inlier = 0;
    for (int i = 0; i < run->n_points; i++) {
        const struct intra_patch_match *m = &run->matches[i];
        double px[2], jac[6], j[12];
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
            double *row = j + 6 * r;
            row[0] = a.x, row[1] = a.y, row[2] = a.z, row[3] = g.x, row[4] = g.y, row[5] = g.z;
        }
        double i0 = w * m->info[0], i1 = w * m->info[1], i2 = w * m->info[2];
        double e0 = i0 * m->du + i1 * m->dv, e1 = i1 * m->du + i2 * m->dv;
        for (int r = 0; r < 6; r++) {
            double a0 = i0 * j[r] + i1 * j[6 + r], a1 = i1 * j[r] + i2 * j[6 + r];
            b[r] += j[r] * e0 + j[6 + r] * e1;
            for (int k = 0; k <= r; k++)
                h[6 * r + k] += a0 * j[k] + a1 * j[6 + k];
        }
    }
    fit->n_inlier = inlier;
    fit->noise = sqrt(noise2);
    fit->rms_px = sum_w > 0 ? sqrt(sum / sum_w) : 0;
    /* Prior: stay near the guess. Difference guess -> pose as a left update. */
    struct intra_pose inv = intra_pose_inverse(guess), diff = intra_pose_mul(pose, &inv);
    struct intra_vec3 w = intra_rotation_log(&diff.r);
    double d[6] = {w.x, w.y, w.z, diff.t.x, diff.t.y, diff.t.z};
    for (int r = 0; r < 6; r++) {
        h[7 * r] += prior_info[r];
        b[r] -= prior_info[r] * d[r];
    }
    if (run->is_held) { /* the lens stays where it is: c' = c - R^T v */
        struct intra_pose now = intra_pose_inverse(pose);
        struct intra_vec3 off = intra_mat3_mul_vec(&pose->r, intra_sub(now.t, run->held_at));
        double k = 1 / pow(HOLD_SD_REL * run->options.radius_m, 2), o[3] = {off.x, off.y, off.z};
        for (int r = 0; r < 3; r++) {
            h[7 * (r + 3)] += k;
            b[r + 3] += k * o[r];
        }
    }
    if (!intra_cholesky_solve(h, b, 6)) return false;
    double turn = sqrt(b[0] * b[0] + b[1] * b[1] + b[2] * b[2]), limit = 0.15;
    double k = turn > limit ? limit / turn : 1;
    *out_step = turn + sqrt(b[3] * b[3] + b[4] * b[4] + b[5] * b[5]) / run->options.radius_m;
    *pose = intra_pose_left_update(pose, intra_vec3(k * b[0], k * b[1], k * b[2]),
                                   intra_vec3(k * b[3], k * b[4], k * b[5]));
    return true;
}

static void fit_from(struct intra_run *run, const struct intra_pyramid *pyramid, const struct intra_pose *guess,
                     double prior_sd_scale, int first_scale, struct intra_pose_fit *out)
{
    static const int rounds[INTRA_PATCH_SCALES] = {3, 2, 3, 5};
    static const double floors[INTRA_PATCH_SCALES] = {MATCH_FLOOR_PX, 0.4, 1.5, 4};
    static const double settled[INTRA_PATCH_SCALES] = {1e-4, 1e-3, 3e-3, 0}; /* radians, and radii of travel */
    double r = run->options.radius_m, rot = prior_sd_scale * 0.035, move = prior_sd_scale * 0.15 * r, prior[6];
    struct intra_pose pose = *guess;
    memset(out, 0, sizeof *out);
    for (int i = 0; i < 3; i++) {
        prior[i] = 1 / (rot * rot);
        prior[i + 3] = 1 / (move * move);
    }
    for (int scale = first_scale; scale >= 0; scale--)
        for (int round = 0; round < rounds[scale]; round++) {
            match_all(run, pyramid, &pose, scale, floors[scale], &out->n_visible);
            double step;
            if (!pose_step(run, &pose, guess, prior, out, &step)) {
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
        if (!m->is_valid || m->ncc < AGREE_NCC || chi2_of(m) / n2 > 9 || m->du * m->du + m->dv * m->dv > far2 * wide)
            continue;
        inlier++;
        out->n_sure += m->ncc > SURE_NCC;
    }
    out->n_inlier = inlier;
    out->is_good = inlier >= INTRA_MIN_INLIERS && inlier > 0.35 * out->n_visible && out->noise < 12 &&
                   out->rms_px < MAX_RMS_REL * run->camera->width;
}

void intra_run_fit(struct intra_run *run, const struct intra_pyramid *pyramid, const struct intra_pose *guess,
                   double prior_sd_scale, struct intra_pose_fit *out)
{
    fit_from(run, pyramid, guess, prior_sd_scale, 2, out);
}

/* How well the coarse patches agree near a guess; the pose moves to where they agree best. */
static double coarse_score(struct intra_run *run, const struct intra_pyramid *pyramid, struct intra_pose *pose)
{
    struct intra_pose_fit fit = {0};
    struct intra_pose guess = *pose;
    double r = run->options.radius_m, rot = 1 / (0.1 * 0.1), move = 1 / (0.2 * 0.2 * r * r), score = 0;
    double prior[6] = {rot, rot, rot, move, move, move};
    for (int round = 0; round < 5; round++) {
        match_all(run, pyramid, pose, round < 3 ? INTRA_PATCH_SCALES - 1 : INTRA_PATCH_SCALES - 2, round < 3 ? 4 : 1.5,
                  &fit.n_visible);
        double step;
        if (!pose_step(run, pose, &guess, prior, &fit, &step)) return 0;
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
        fit_from(run, pyramid, &best[b], 2, 2, &fit);
        if (fit.is_good && fit.n_inlier >= share * fit.n_visible && fit.n_inlier > out->n_inlier) *out = fit;
        if (out->n_inlier > 0.75 * fit.n_visible) break;
    }
    /* `matches` must be those of the fit that is returned. */
    if (out->is_good) match_all(run, pyramid, &out->cam_from_run, 0, MATCH_FLOOR_PX, &out->n_visible);
}
