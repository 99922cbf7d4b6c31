/* Tracking within one run.
 *
 * Pose of a frame: all patches are predicted through the tube, each takes one alignment step, one Gauss-Newton step
 * of the pose follows, and round again, coarse to fine. That is direct image alignment with known depth (Irani and
 * Anandan 1999; DSO, Engel et al. 2018) except that each patch has its own gain and offset and its own robust weight. A patch
 * never drifts along an edge, since every round starts from the pose's prediction.
 *
 * Keyframes: after step_rel radii of travel, a few degrees, or when too few points are left. New points are cut on a
 * grid over the picture where no living one projects. */
#include "recon/run.h"

#include "core/log.h"
#include "core/mem.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define AXIS_STEP_REL 1.0    /* knots every radius: bends down to about three diameters are followed */
#define REACH_REL 9.0        /* wall farther than this many radii is too flat to be of use */
#define MIN_INLIERS 18
#define OLDEST_HOST 150      /* keyframes back: a pan makes many */
/* No match is trusted below this: what patches share (shear of a wrong section, coding, blur) does not average out. With 0.1 px the ties
 * between keyframes outweigh the tube and a wrong direction grows from keyframe to keyframe. */
#define MATCH_FLOOR_PX 0.3
/* Change of direction from knot to knot that a straight pipe shows; bends and kinks pay in proportion (Huber). */
#define KINK_SD_RAD 0.003
/* Contrast of a patch (rms): below GRAIN_LEVELS grey levels, halved from level to level, it is grain and coding noise. A faint spot is
 * cut again up to MAX_EXTRA levels wider, where noise averages out. With STRONG_LEVELS, and so much log luminance, a patch is trusted
 * without having been seen in the keyframe before. */
#define GRAIN_LEVELS 1.6
#define LEAST_CONTRAST 0.0045 /* log luminance */
#define MAX_EXTRA 2
#define MAX_LEVEL 3
#define STRONG_LEVELS 2.5
#define STRONG_TEXTURE 0.01
#define SAME_WALL_NCC 0.75   /* correlation with the keyframe before that chance seldom reaches over a search of SEARCH_PX */
#define SLIDE_SHARE 0.35     /* of its own motion between the two that a patch may be off the prediction */
#define SEARCH_PX 5.0        /* at the patch's level: an oval or a joint may move it so far off the ideal tube */
/* Correlation at which a match begins to count, and from which it counts in full. A chance match says that the prediction is right;
 * many of them would carry a wrong direction on. */
#define TRUST_FROM_NCC 0.2
#define TRUST_FULL_NCC 0.8
#define AGREE_NCC 0.35       /* a match counts as agreeing from here on */
#define SURE_NCC 0.6         /* and is hardly one of chance */
#define HOLD_SD_REL 0.1      /* radii that a panning head moves the lens */
#define MAX_RMS_REL 0.003    /* of the picture's width: an uncalibrated lens may leave that much */

struct intra_run_options intra_run_defaults(double radius_m)
{
    struct intra_run_options o = {.radius_m = radius_m, .threads = 1, .target_points = 420, .window = 12, .step_rel = 0.15};
    return o;
}

enum intra_status intra_run_init(struct intra_run *run, const struct intra_run_options *options,
                                 const struct intra_camera *camera, const struct intra_mask_pyramid *mask,
                                 struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    double px[2] = {camera->cx, camera->cy};
    struct intra_vec3 a, b;
    memset(run, 0, sizeof *run);
    run->options = *options;
    run->camera = camera;
    run->mask = mask;
    run->is_boot = true;
    run->before_kf = -1;
    (void)intra_camera_unproject(camera, px, &a);
    px[0] += 1;
    (void)intra_camera_unproject(camera, px, &b);
    run->view_scale = intra_norm(intra_sub(a, b));
    INTRA_TRY(intra_axis_init(&run->axis, AXIS_STEP_REL * options->radius_m, intra_vec3(0, 0, 0), intra_vec3(1, 0, 0), err));
    run->cap_points = 4 * options->target_points;
    INTRA_TRY(INTRA_ALLOC(run->points, (size_t)run->cap_points, err));
    run->cap_matches = run->cap_points;
    INTRA_TRY(INTRA_ALLOC(run->matches, (size_t)run->cap_matches, err));
    INTRA_TRY(intra_pyramid_init(&run->before, camera->height, camera->width, err));
    run->cap_kfs = 64;
    INTRA_TRY(INTRA_ALLOC(run->kfs, (size_t)run->cap_kfs, err));
    run->cap_samples = 1024;
    INTRA_TRY(INTRA_ALLOC(run->samples, (size_t)run->cap_samples, err));
done:
    if (status != INTRA_OK) intra_run_fini(run);
    return status;
}

void intra_run_fini(struct intra_run *run)
{
    intra_axis_fini(&run->axis);
    intra_pyramid_fini(&run->before);
    intra_free(run->points);
    intra_free(run->matches);
    intra_free(run->kfs);
    intra_free(run->samples);
    intra_free(run->arc);
    memset(run, 0, sizeof *run);
}

/* The pixel of a run point in a camera; false outside the picture (with `margin` pixels). */
static bool see(const struct intra_run *run, const struct intra_pose *cam_from_run, struct intra_vec3 x, double margin,
                double out_px[2], struct intra_vec3 *out_xc, double *jac)
{
    struct intra_vec3 xc = intra_pose_apply(cam_from_run, x);
    if (!intra_camera_project(run->camera, xc, out_px, jac, NULL)) return false;
    if (out_xc) *out_xc = xc;
    return out_px[0] > margin && out_px[1] > margin && out_px[0] < run->camera->width - 1 - margin &&
           out_px[1] < run->camera->height - 1 - margin;
}

/* Shear of a point's patch from host to the given camera. */
static bool patch_shear(const struct intra_run *run, const struct intra_pose *pose, const struct intra_point *p,
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
        for (int i = 0; i < 3; i++) info[i] *= k;
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
        if (!see(run, pose, p->x, 4, px, NULL, NULL) || !patch_shear(run, pose, p, px, a)) continue;
        m->ncc = -1;
        visible++;
        intra_patch_step(&p->patch, scale, pyramid, run->mask, px[0], px[1], a, m);
        if (!m->is_valid) continue;
        double trust = (m->ncc - TRUST_FROM_NCC) / (TRUST_FULL_NCC - TRUST_FROM_NCC);
        trust = trust < 0.01 ? 0.01 : trust > 1 ? 1 : trust;
        for (int k = 0; k < 3; k++) m->info[k] *= trust * trust;
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
        if (!m->is_valid || !see(run, pose, run->points[i].x, 0, px, &xc, jac)) continue;
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
            for (int k = 0; k <= r; k++) h[6 * r + k] += a0 * j[k] + a1 * j[6 + k];
        }
    }
    fit->n_inlier = inlier;
    fit->noise = sqrt(noise2);
    fit->rms_px = sum_w > 0 ? sqrt(sum / sum_w) : 0;
    memcpy(fit->info, h, sizeof h);
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
    *pose = intra_pose_left_update(pose, intra_vec3(k * b[0], k * b[1], k * b[2]), intra_vec3(k * b[3], k * b[4], k * b[5]));
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
        if (!m->is_valid || m->ncc < AGREE_NCC || chi2_of(m) / n2 > 9 || m->du * m->du + m->dv * m->dv > far2 * wide) continue;
        inlier++;
        out->n_sure += m->ncc > SURE_NCC;
    }
    out->n_inlier = inlier;
    out->is_good = inlier >= MIN_INLIERS && inlier > 0.35 * out->n_visible && out->noise < 12 &&
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
    static const double turns[][2] = {{0.1, 0}, {-0.1, 0}, {0, 0.1}, {0, -0.1}, {0.2, 0}, {-0.2, 0}, {0, 0.2}, {0, -0.2}};
    enum { N_STEPS = 21, N_TURNS = sizeof turns / sizeof *turns, N_BEST = 3 };
    struct intra_pose best[N_BEST];
    double scores[N_BEST] = {0};
    struct intra_pose_fit fit;
    memset(out, 0, sizeof *out);
    for (int k = 0; k < N_STEPS + N_TURNS; k++) {
        bool is_turn = k >= N_STEPS;
        struct intra_vec3 w = is_turn ? intra_vec3(turns[k - N_STEPS][1], -turns[k - N_STEPS][0], 0) : intra_vec3(0, 0, 0);
        double step = is_turn ? 0 : 0.1 * (k - 8);
        struct intra_pose pose =
            intra_pose_left_update(guess, w, intra_vec3(0, 0, -step * run->options.radius_m));
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

struct intra_pose intra_run_predict(const struct intra_run *run, double pts_s)
{
    double dt = run->pts_s - run->pts_before_s, k = dt > 0 ? (pts_s - run->pts_s) / dt : 0;
    if (run->n_tracked < 2 || k > 3 || k < 0) return run->pose;
    struct intra_pose inv = intra_pose_inverse(&run->pose_before), step = intra_pose_mul(&run->pose, &inv);
    struct intra_vec3 w = intra_scale(intra_rotation_log(&step.r), k);
    return intra_pose_left_update(&run->pose, w, intra_scale(step.t, k));
}

/* Where new points are wanted: cells of the picture without a living point. */
static void mark_cells(const struct intra_run *run, const struct intra_pose *pose, unsigned char *cells, int nx, int ny,
                       double cell)
{
    for (int i = 0; i < run->n_points; i++) {
        double px[2];
        if (!run->points[i].is_alive || !see(run, pose, run->points[i].x, 0, px, NULL, NULL)) continue;
        int cx = (int)(px[0] / cell), cy = (int)(px[1] / cell);
        if (cx >= 0 && cy >= 0 && cx < nx && cy < ny && cells[cy * nx + cx] < 255) cells[cy * nx + cx]++;
    }
}

/* Is the patch of a new point seen in the picture of the keyframe before, where the tube says that it was? Grain, coding noise and
 * what rides along with the camera are not, however strong their gradients are. What was outside that picture passes if it is strong. */
static bool is_wall(const struct intra_run *run, const struct intra_point *p, double grain)
{
    struct intra_patch_match m = {.ncc = -1};
    double px[2], at[2], a[4], reach = SEARCH_PX * (double)(1 << p->patch.level);
    double strong = fmax(STRONG_TEXTURE, STRONG_LEVELS * grain);
    bool is_strong = p->patch.scale[0].tt > INTRA_PATCH_N * strong * strong;
    if (run->before_kf < 0) return true;
    const struct intra_pose *pose = &run->kfs[run->before_kf].cam_from_world;
    if (!see(run, pose, p->x, 4, px, NULL, NULL) || !patch_shear(run, pose, p, px, a)) return is_strong;
    /* Nor may the match slide back to where the patch stands in its own picture. */
    reach = fmin(reach, fmax(1, SLIDE_SHARE * hypot(px[0] - p->px[0], px[1] - p->px[1])));
    at[0] = px[0], at[1] = px[1];
    for (int round = 0; round < 5; round++) {
        intra_patch_step(&p->patch, round < 2, &run->before, run->mask, at[0], at[1], a, &m);
        if (!m.is_valid && round >= 2) return m.ncc <= -1 && is_strong; /* hidden there by a border */
        if (!m.is_valid || round == 4) continue;
        at[0] += m.du;
        at[1] += m.dv;
        if (hypot(at[0] - px[0], at[1] - px[1]) > reach) return false;
    }
    return m.ncc > SAME_WALL_NCC;
}

/* One grey level there, as log luminance. */
static double picture_grain(const struct intra_pyramid *pyramid, double x, double y)
{
    const struct intra_view_f32 *v = &pyramid->level[0];
    int c = (int)fmin(x, v->cols - 1), r = (int)fmin(y, v->rows - 1);
    double l = intra_row_f32(v, r)[c];
    if (pyramid->log_shading) l += intra_row_f32(pyramid->log_shading, r)[c];
    return exp(-l);
}

/* The strongest spot of a cell that is weaker than `*below`, at `extra` pyramid levels above the one that its distance asks for. */
static bool strongest_spot(const struct intra_run *run, const struct intra_pyramid *pyramid, const struct intra_keyframe *kf,
                           const struct intra_pose *world_from_cam, const double corner[2], double cell, int extra,
                           double *below, struct intra_point *out)
{
    double r = run->options.radius_m, best = 0;
    struct intra_point p;
    for (int k = 0; k < 9; k++) {
        double px[2] = {floor(corner[0] + cell * (0.5 + 0.3 * (k % 3 - 1))), floor(corner[1] + cell * (0.5 + 0.3 * (k / 3 - 1)))};
        double t, u = kf->u;
        struct intra_vec3 ray, dir;
        memset(&p, 0, offsetof(struct intra_point, patch)); /* the patch is filled by the cut */
        p.n_obs = p.misses = 0;
        p.r_data = p.r_data_sd = p.weight = 0;
        if (!intra_camera_unproject(run->camera, px, &ray)) continue;
        dir = intra_mat3_mul_vec(&world_from_cam->r, ray);
        if (!intra_axis_ray_hit(&run->axis, r, world_from_cam->t, dir, REACH_REL * r, &u, &t)) continue;
        /* Level such that the patch covers about a twentieth of the radius on the wall. */
        int level = (int)lround(log2(0.006 * r / (t * run->view_scale)));
        level = (level < 0 ? 0 : level > 2 ? 2 : level) + extra;
        double least = fmax(LEAST_CONTRAST, GRAIN_LEVELS * picture_grain(pyramid, px[0], px[1]) / (1 << level));
        if (level > MAX_LEVEL || !intra_patch_cut(&p.patch, pyramid, run->mask, px[0], px[1], level, least)) continue;
        const float *h = p.patch.scale[0].h;
        double scale2 = (double)(1 << level) * (1 << level), trace = (h[0] + h[2]) * scale2;
        double det = ((double)h[0] * h[2] - (double)h[1] * h[1]) * scale2 * scale2;
        double weak = det > 0 && trace > 0 ? det / trace : 0; /* near the smaller eigenvalue */
        double score = weak + 0.1 * trace;
        if (score <= best || score >= *below) continue;
        best = score;
        p.host = kf->id;
        p.px[0] = px[0], p.px[1] = px[1];
        p.ray = ray;
        p.dist = t;
        p.r_expect = r;
        p.u = u;
        p.step_px = 3 << level;
        p.is_alive = true;
        *out = p;
    }
    *below = best;
    return best > 0;
}

/* Try to make a point of a cell: its strongest spots first, and where they are too faint, wider patches. */
static bool cut_point(struct intra_run *run, const struct intra_pyramid *pyramid, const struct intra_keyframe *kf,
                      double x0, double y0, double cell, struct intra_point *out)
{
    struct intra_pose inv = intra_pose_inverse(&kf->cam_from_world);
    double corner[2] = {x0, y0}, grain = picture_grain(pyramid, x0 + cell / 2, y0 + cell / 2);
    for (int extra = 0; extra <= MAX_EXTRA; extra++) {
        double below = INFINITY;
        for (int attempt = 0; attempt < 3 && strongest_spot(run, pyramid, kf, &inv, corner, cell, extra, &below, out); attempt++) {
            if (!intra_point_place(out, run->camera, &kf->cam_from_world, &run->axis)) continue;
            intra_patch_complete(&out->patch, pyramid, run->mask, out->px[0], out->px[1]);
            if (is_wall(run, out, grain)) return true;
        }
    }
    return false;
}

static enum intra_status add_points(struct intra_run *run, const struct intra_pyramid *pyramid,
                                    const struct intra_keyframe *kf, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    double cell = sqrt((double)run->camera->width * run->camera->height / run->options.target_points);
    int nx = (int)(run->camera->width / cell), ny = (int)(run->camera->height / cell), n = nx * ny;
    unsigned char *cells = NULL;
    struct intra_point *made = NULL;
    INTRA_TRY(INTRA_ALLOC(cells, (size_t)n, err));
    INTRA_TRY(INTRA_ALLOC(made, (size_t)n, err));
    mark_cells(run, &kf->cam_from_world, cells, nx, ny, cell);
#pragma omp parallel for schedule(dynamic, 8) num_threads(run->options.threads)
    for (int i = 0; i < n; i++)
        if (!cells[i] && !cut_point(run, pyramid, kf, (i % nx) * cell, (i / nx) * cell, cell, &made[i]))
            made[i].is_alive = false;
    for (int i = 0; i < n && run->n_points < run->cap_points; i++)
        if (made[i].is_alive) run->points[run->n_points++] = made[i];
    intra_pyramid_copy(&run->before, pyramid);
    run->before_kf = kf->id;
    run->most_inliers = 0;
done:
    intra_free(cells);
    intra_free(made);
    return status;
}

static enum intra_status push_kf(struct intra_run *run, const struct intra_pose *pose, int64_t frame, double pts_s,
                                 struct intra_error *err)
{
    if (run->n_kfs == run->cap_kfs) {
        struct intra_keyframe *kfs = intra_resize(run->kfs, (size_t)run->n_kfs, 2 * (size_t)run->cap_kfs, sizeof *kfs);
        if (!kfs) return INTRA_FAIL(err, INTRA_E_MEM, "out of memory for keyframes");
        run->kfs = kfs;
        run->cap_kfs *= 2;
    }
    struct intra_keyframe *kf = &run->kfs[run->n_kfs];
    struct intra_pose inv = intra_pose_inverse(pose);
    double near_u = run->n_kfs ? kf[-1].u : 0;
    memset(kf, 0, sizeof *kf);
    kf->id = run->n_kfs++;
    kf->frame = frame;
    kf->pts_s = pts_s;
    kf->cam_from_world = *pose;
    kf->u = intra_axis_nearest(&run->axis, inv.t, near_u);
    kf->has_dark = run->has_dark;
    kf->dark = run->dark;
    double reach = (REACH_REL + 2) / AXIS_STEP_REL;
    return intra_axis_cover(&run->axis, kf->u - reach, kf->u + reach, err);
}

enum intra_status intra_run_start(struct intra_run *run, const struct intra_pyramid *pyramid, int64_t frame, double pts_s,
                                  double yaw_rad, double pitch_rad, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    /* Rows: camera x (right) = -Y, y (down) = -Z, z (forward) = X, then turned about its own axes. */
    struct intra_mat3 ahead = {{{0, -1, 0}, {0, 0, -1}, {1, 0, 0}}};
    struct intra_mat3 yaw = intra_rotation_exp(intra_vec3(0, -yaw_rad, 0));
    struct intra_mat3 pitch = intra_rotation_exp(intra_vec3(-pitch_rad, 0, 0)), turn = intra_mat3_mul(&pitch, &yaw);
    struct intra_pose pose = {intra_mat3_mul(&turn, &ahead), {0, 0, 0}};
    double reach = (REACH_REL + 2) / AXIS_STEP_REL;
    INTRA_TRY(intra_axis_cover(&run->axis, -reach, reach, err));
    /* The tube at the first camera is the gauge: it defines X. */
    for (int i = 0; i < run->axis.count; i++) run->axis.knots[i].is_frozen = run->axis.first + i <= 1;
    INTRA_TRY(push_kf(run, &pose, frame, pts_s, err));
    INTRA_TRY(add_points(run, pyramid, &run->kfs[0], err));
    run->pose = run->pose_before = pose;
    run->pts_s = run->pts_before_s = pts_s;
    run->n_tracked = 1;
done:
    return status;
}

static enum intra_status hand_out(struct intra_run *run, const struct intra_point *p, struct intra_error *err)
{
    if (p->n_obs < 3 || !(p->r_data_sd > 0) || p->r_data_sd > 0.1 * p->r_expect) return INTRA_OK;
    if (run->n_samples == run->cap_samples) {
        struct intra_wall_sample *s =
            intra_resize(run->samples, (size_t)run->n_samples, 2 * (size_t)run->cap_samples, sizeof *s);
        if (!s) return INTRA_FAIL(err, INTRA_E_MEM, "out of memory for wall samples");
        run->samples = s;
        run->cap_samples *= 2;
    }
    struct intra_mat3 frame = intra_axis_frame(&run->axis, p->u);
    struct intra_vec3 arm = intra_sub(p->x, intra_axis_point(&run->axis, p->u, NULL, NULL, NULL));
    struct intra_vec3 local = intra_mat3_tmul_vec(&frame, arm); /* tangent, right, crown */
    run->samples[run->n_samples++] = (struct intra_wall_sample){p->u, atan2(local.y, local.z), p->r_data, p->r_data_sd};
    return INTRA_OK;
}

/* Forget dead points; their radius is handed out first. */
static enum intra_status sweep_points(struct intra_run *run, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    int n = 0;
    for (int i = 0; i < run->n_points; i++) {
        if (run->points[i].is_alive) {
            if (n != i) run->points[n] = run->points[i];
            n++;
        } else if (status == INTRA_OK)
            status = hand_out(run, &run->points[i], err);
    }
    run->n_points = n;
    return status;
}

static void record_matches(struct intra_run *run, const struct intra_pose_fit *fit, int kf)
{
    double n2 = fit->noise * fit->noise;
    for (int i = 0; i < run->n_points; i++) {
        struct intra_point *p = &run->points[i];
        const struct intra_patch_match *m = &run->matches[i];
        double px[2];
        if (!p->is_alive || !m->is_valid || m->ncc < AGREE_NCC || chi2_of(m) / n2 > 16) continue;
        if (!see(run, &fit->cam_from_run, p->x, 0, px, NULL, NULL)) continue;
        if (p->n_obs == INTRA_POINT_MAX_OBS) { /* thin out the middle, keep the first ones for the baseline */
            memmove(&p->obs[4], &p->obs[5], sizeof p->obs[0] * (INTRA_POINT_MAX_OBS - 5));
            p->n_obs--;
        }
        struct intra_obs *o = &p->obs[p->n_obs++];
        o->kf = kf;
        o->px[0] = px[0] + m->du;
        o->px[1] = px[1] + m->dv;
        memcpy(o->info, m->info, sizeof o->info);
    }
}

void intra_run_axis_moved(struct intra_run *run)
{
    const struct intra_axis *axis = &run->axis;
    while (run->n_arc > 1) {
        int u = run->arc_first + run->n_arc - 1, knot = u + 1 - axis->first;
        if (u <= 0 || (knot < axis->count && axis->knots[knot].is_frozen)) break;
        run->n_arc--;
    }
}

static enum intra_status adjust(struct intra_run *run, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    int first = run->n_frozen;
    for (int i = 0; i < run->n_points; i++)
        if (run->points[i].host < first) first = run->points[i].host;
    /* The tube prior is tightened step by step: a wrong first direction puts far points many narrow deviations off the tube, where a
     * robust prior lets go of them instead of pulling the camera straight. */
    static const double sds[] = {0.2, 0.07, 0.025};
    for (int pass = run->is_boot ? 0 : 1; pass < 3; pass++) {
        struct intra_bundle_options options = {.iterations = run->is_boot ? 6 : 2, .radius_m = run->options.radius_m, .radius_sd_rel = sds[pass],
                                               .kink_sd_rad = KINK_SD_RAD, .fix_first = run->is_boot};
        INTRA_TRY(intra_bundle_solve(run->kfs + first, run->n_kfs - first, run->points, run->n_points, &run->axis,
                                     run->camera, &options, &run->last_bundle, err));
    }
    intra_run_axis_moved(run);
    for (int i = first; i < run->n_kfs; i++) {
        struct intra_pose inv = intra_pose_inverse(&run->kfs[i].cam_from_world);
        run->kfs[i].cam_from_world.r = intra_rotation_tidy(&run->kfs[i].cam_from_world.r);
        run->kfs[i].u = intra_axis_nearest(&run->axis, inv.t, run->kfs[i].u);
    }
    for (int i = 0; i < run->n_points; i++) {
        struct intra_point *p = &run->points[i];
        if (p->is_alive && !(p->dist > 0.05 * run->options.radius_m &&
                             intra_point_place(p, run->camera, &run->kfs[p->host].cam_from_world, &run->axis)))
            p->is_alive = false;
    }
done:
    return status;
}

/* Keyframes that leave the window become constants, and with them the knots that nothing alive leans on any more. */
static void freeze(struct intra_run *run, int keep)
{
    double low = 1e300;
    while (run->n_kfs - run->n_frozen > keep) run->kfs[run->n_frozen++].is_frozen = true;
    if (run->n_frozen > 0) run->is_boot = false;
    for (int i = run->n_frozen; i < run->n_kfs; i++) {
        low = fmin(low, run->kfs[i].u);
    }
    for (int i = 0; i < run->n_points; i++) {
        if (!run->points[i].is_alive) continue;
        low = fmin(low, run->points[i].u);
    }
    for (int i = 0; i < run->axis.count; i++)
        if (run->axis.first + i + 1 < low) run->axis.knots[i].is_frozen = true;
}

enum intra_status intra_run_accept(struct intra_run *run, const struct intra_pyramid *pyramid,
                                   const struct intra_pose_fit *fit, int64_t frame, double pts_s,
                                   bool *out_is_keyframe, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_keyframe *last = &run->kfs[run->n_kfs - 1];
    struct intra_pose inv = intra_pose_inverse(&last->cam_from_world);
    struct intra_pose rel = intra_pose_mul(&fit->cam_from_run, &inv), here = intra_pose_inverse(&fit->cam_from_run);
    double moved = intra_norm(rel.t), turned = intra_norm(intra_rotation_log(&rel.r)), r = run->options.radius_m;
    double n2 = fit->noise * fit->noise, off = 0;
    *out_is_keyframe = false;
    {
        double u = intra_axis_nearest(&run->axis, here.t, last->u);
        off = intra_norm(intra_sub(here.t, intra_axis_point(&run->axis, u, NULL, NULL, NULL)));
    }
    bool has_jumped = run->has_returned;
    run->has_returned = false;
    if (!(off < 0.97 * r) || (!(moved < 4 * r) && !has_jumped)) return INTRA_FAIL(err, INTRA_E_DEGENERATE, "the camera left the pipe");
    for (int i = 0; i < run->n_points; i++) {
        struct intra_point *p = &run->points[i];
        const struct intra_patch_match *m = &run->matches[i];
        bool is_hit = m->is_valid && m->ncc > AGREE_NCC && chi2_of(m) / n2 < 16;
        p->misses = is_hit ? 0 : p->misses + 1;
    }
    run->pose_before = run->pose;
    run->pts_before_s = run->pts_s;
    run->pose = fit->cam_from_run;
    run->pts_s = pts_s;
    run->n_tracked++;
    double step = run->is_boot ? 0.6 * run->options.step_rel : run->options.step_rel;
    if (fit->n_inlier > run->most_inliers) run->most_inliers = fit->n_inlier;
    bool is_due = moved > step * r || turned > 0.06 || fit->n_inlier < 0.5 * run->most_inliers;
    if (is_due && moved < 0.02 * r && turned < 0.01) is_due = false; /* nothing new to be seen from the same place */
    if (!is_due && !has_jumped) goto done;

    *out_is_keyframe = true;
    INTRA_TRY(push_kf(run, &fit->cam_from_run, frame, pts_s, err));
    int kf = run->n_kfs - 1;
    struct intra_pose before = run->kfs[kf].cam_from_world;
    if (run->is_held) /* a turn on the spot measures no wall */
        run->kfs[kf].is_frozen = run->kfs[kf].is_held = true;
    else {
        record_matches(run, fit, kf);
        INTRA_TRY(adjust(run, err));
    }
    /* The frame before moves along, so that the prediction stays a clean step. */
    struct intra_pose before_inv = intra_pose_inverse(&before);
    struct intra_pose fix = intra_pose_mul(&before_inv, &run->kfs[kf].cam_from_world);
    run->pose = run->kfs[kf].cam_from_world;
    run->pose_before = intra_pose_mul(&run->pose_before, &fix);
    if (!has_jumped && fabs(run->kfs[kf].u - (kf ? run->kfs[kf - 1].u : 0)) > 6)
        return INTRA_FAIL(err, INTRA_E_DEGENERATE, "the camera jumped along the pipe");
    for (int i = 0; i < run->n_points; i++) {
        struct intra_point *p = &run->points[i];
        double px[2];
        if (!p->is_alive) continue;
        bool is_seen = see(run, &run->pose, p->x, -20, px, NULL, NULL);
        if (p->misses > 4 || !is_seen || p->host < run->n_kfs - OLDEST_HOST) p->is_alive = false;
    }
    INTRA_TRY(sweep_points(run, err));
    freeze(run, run->options.window);
    INTRA_TRY(add_points(run, pyramid, &run->kfs[kf], err));
done:
    return status;
}

enum intra_status intra_anchor_take(struct intra_anchor *anchor, const struct intra_run *run, struct intra_error *err)
{
    int n = 0;
    for (int i = 0; i < run->n_points; i++) n += run->points[i].is_alive;
    struct intra_point *points = intra_alloc((size_t)(n ? n : 1), sizeof *points);
    if (!points) return INTRA_FAIL(err, INTRA_E_MEM, "out of memory for %d wall points", n);
    intra_free(anchor->points);
    anchor->points = points;
    anchor->n = 0;
    anchor->cam_from_world = run->pose;
    for (int i = 0; i < run->n_points; i++)
        if (run->points[i].is_alive) points[anchor->n++] = run->points[i];
    return INTRA_OK;
}

void intra_anchor_fini(struct intra_anchor *anchor)
{
    intra_free(anchor->points);
    memset(anchor, 0, sizeof *anchor);
}

enum intra_status intra_run_return(struct intra_run *run, const struct intra_anchor *anchor,
                                   const struct intra_pyramid *pyramid, const struct intra_pose *guess, bool try_hard,
                                   double share, struct intra_pose_fit *out, struct intra_error *err)
{
    struct intra_point *points = run->points;
    int n_points = run->n_points;
    bool is_held = run->is_held;
    enum intra_status status = INTRA_OK;
    memset(out, 0, sizeof *out);
    if (anchor->n < MIN_INLIERS || anchor->n > run->cap_points) return INTRA_OK;
    run->points = anchor->points;
    run->n_points = anchor->n;
    run->is_held = false;
    if (try_hard)
        intra_run_fit_hard(run, pyramid, guess, share, out);
    else
        fit_from(run, pyramid, guess, 4, 2, out);
    run->points = points;
    run->n_points = n_points;
    run->is_held = is_held;
    out->is_good = out->is_good && out->n_inlier > share * out->n_visible;
    if (!out->is_good) return INTRA_OK;
    run->is_held = false;
    run->has_returned = true;
    for (int i = 0; i < run->n_points; i++) run->points[i].is_alive = false;
    status = sweep_points(run, err);
    if (status != INTRA_OK) return status;
    memcpy(run->points, anchor->points, sizeof *run->points * (size_t)anchor->n);
    run->n_points = anchor->n;
    for (int i = 0; i < run->n_points; i++) run->points[i].misses = 0;
    return INTRA_OK;
}

enum intra_status intra_run_settle(struct intra_run *run, struct intra_error *err)
{
    for (int i = 0; i < run->n_points; i++) run->points[i].is_alive = false;
    freeze(run, 0);
    return sweep_points(run, err);
}

enum intra_status intra_run_arc(struct intra_run *run, double u, double *out_m, struct intra_error *err)
{
    int i = (int)floor(u);
    if (run->n_arc == 0) {
        run->cap_arc = 256;
        run->arc = intra_alloc((size_t)run->cap_arc, sizeof *run->arc);
        if (!run->arc) return INTRA_FAIL(err, INTRA_E_MEM, "out of memory for the axis table");
        run->arc_first = 0;
        run->n_arc = 1;
        run->arc[0] = 0;
    }
    int add_low = i < run->arc_first ? run->arc_first - i : 0;
    int add_high = i >= run->arc_first + run->n_arc ? i - run->arc_first - run->n_arc + 1 : 0;
    if (add_low > 10000000 || add_high > 10000000) return INTRA_FAIL(err, INTRA_E_DEGENERATE, "the axis ran away");
    if (run->n_arc + add_low + add_high > run->cap_arc) {
        int cap = 2 * (run->n_arc + add_low + add_high);
        double *arc = intra_resize(run->arc, (size_t)run->n_arc, (size_t)cap, sizeof *arc);
        if (!arc) return INTRA_FAIL(err, INTRA_E_MEM, "out of memory for the axis table");
        run->arc = arc;
        run->cap_arc = cap;
    }
    if (add_low) {
        memmove(run->arc + add_low, run->arc, sizeof *run->arc * (size_t)run->n_arc);
        run->n_arc += add_low;
        run->arc_first -= add_low;
        for (int k = add_low - 1; k >= 0; k--)
            run->arc[k] = run->arc[k + 1] + intra_axis_arc_length(&run->axis, run->arc_first + k + 1, run->arc_first + k);
    }
    for (int k = 0; k < add_high; k++) {
        int n = run->n_arc++;
        run->arc[n] = run->arc[n - 1] + intra_axis_arc_length(&run->axis, run->arc_first + n - 1, run->arc_first + n);
    }
    *out_m = run->arc[i - run->arc_first] + intra_axis_arc_length(&run->axis, i, u);
    return INTRA_OK;
}
