/* The run: its keyframes, its points, what is settled of them.
 *
 * Keyframes: after step_rel radii of travel, a few degrees, or when too few points are left. New points are cut on a
 * grid over the picture where no living one projects. */
#include "recon/run.h"

#include "core/log.h"
#include "core/mem.h"
#include "recon/dark.h"
#include "recon/pose_fit.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Of the last frame's turn the next one is expected to go on by. Matches of grain say that what is expected is right:
 * with all of it a camera that turns by chance turned on and on where the wall is smooth. */
#define TURN_GOES_ON 0.5
#define AXIS_STEP_REL 1.0    /* knots every radius: bends down to about three diameters are followed */
#define REACH_REL 9.0        /* wall farther than this many radii is too flat to be of use */
#define OLDEST_HOST 150      /* keyframes back: a pan makes many */
/* Where a keyframe fits worse than this, something ahead was taken for what it is not (the axis behind a bend, a
 * joint): the wall may be far off the tube for once, and more steps are made. */
#define UNEASY_NOISE 1.6
#define UNEASY_SHARE 0.55
#define UNEASY_RMS_REL 0.0018 /* of the picture's width */
/* Change of direction from knot to knot that a straight pipe shows; bends and kinks pay in proportion (Huber). */
#define KINK_SD_RAD 0.003
/* In a bend and before one, where the tube does not know yet what the parallax ahead says: radii between BEND_NEAR_REL
 * and BEND_FAR_REL radii ahead that are too small on one side and too large on the other, by BEND_LEAN of the radius in
 * their first harmonic and by BEND_LEAN_SDS of its deviation (straight pipes come to 0.003 to 0.025, smooth and narrow
 * ones to 0.043 without being sure of it), and for BEND_KEYFRAMES after that. Set on bends of 3.3 and 4.4 diameters
 * (docs/methods.md). */
#define BEND_KINK_SD_RAD 0.02
#define BEND_NEAR_REL 1.5
#define BEND_FAR_REL 4.0
#define BEND_LEAN 0.02
#define BEND_LEAN_SDS 3.0
#define BEND_MOST_OFF 0.4 /* of the radius that a single point counts as off */
#define BEND_POINTS 12
#define BEND_KEYFRAMES 25
/* While a bend is followed its wall leans no more: it goes on where the axis turns by so much a knot. */
#define BEND_TURN_RAD 0.02
#define BEND_TURN_KNOTS 3
/* Where the pipe goes on is dark (recon/dark.h). A bend is begun only if the dark lies so far beside the straight way.
 * Where the axis ahead lies off it by so much, and the dark straight ahead (by less than a share of that to the same
 * side) or to the other side, twice in a row, the axis has been folded by a few far points: they fit a wall that is
 * folded with it. In bends the share is 1.3 and more, in folds 0.4 and less (docs/methods.md, "Bends"); a dark that
 * lies aside at right angles, a stain say, tells nothing. */
#define DARK_BEND_RAD 0.06
#define DARK_AHEAD_RAD 0.1
#define DARK_FOLD_SHARE 0.3
#define DARK_FOLD_KEYFRAMES 2
#define FOLD_FROM 3         /* knots ahead: the wall before is well measured */
#define BEND_SCALE_SD 0.003 /* of the way there, beyond what the sectors tell: 0.1 to 0.5 % short */
/* The section's second order, as a share of the radius (an ovality of 6 % is 0.06), and its change from knot to knot,
 * which is a radius; a step at a joint pays in proportion (Huber). Set by trial on a lined pipe, 6 % oval, and a round
 * one with deposits (docs/methods.md): with 0.05 and 0.01 the oval bends further towards the deposits. */
#define OVAL_STEP_SD 0.004
#define OVAL_SD 0.02
/* Width of the tube prior, as a share of the radius: of a wall whose radii scatter little it is narrow, so that
 * deposits and offsets stand off it. TUBE_SD_SPREADS of the scatter of the last adjustment's radii, once there are
 * enough of them. Set by trial (docs/methods.md). */
#define TUBE_SD 0.025
#define TUBE_SD_LEAST 0.008
#define TUBE_SD_SPREADS 1.3
#define TUBE_SD_RADII 100
/* Contrast of a patch (rms): below GRAIN_LEVELS grey levels, halved from level to level, it is grain and coding noise.
 * A faint spot is cut again up to MAX_EXTRA levels wider, where noise averages out. With STRONG_LEVELS, and so much log
 * luminance, a patch is trusted without having been seen in the keyframe before. */
#define GRAIN_LEVELS 1.6
#define LEAST_CONTRAST 0.0045 /* log luminance */
#define MAX_EXTRA 2
#define MAX_LEVEL 3
#define STRONG_LEVELS 2.5
#define STRONG_TEXTURE 0.01
#define SAME_WALL_NCC 0.75   /* correlation with the keyframe before that chance seldom reaches over a search of SEARCH_PX */
#define SLIDE_SHARE 0.35     /* of its own motion between the two that a patch may be off the prediction */
enum { LEVEL_POINTS = 20 };
#define LEVEL_LEAST_RAD 0.005 /* below, it is noise */
#define SEARCH_PX 5.0        /* at the patch's level: an oval or a joint may move it so far off the ideal tube */

struct intra_run_options intra_run_defaults(double radius_m)
{
    struct intra_run_options o = {.radius_m = radius_m,
                                  .threads = 1,
                                  .target_points = 420,
                                  .window = 12,
                                  .step_rel = 0.15,
                                  .turn_goes_on = TURN_GOES_ON};
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
    run->zoom = 1;
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

struct intra_pose intra_run_predict(const struct intra_run *run, double pts_s)
{
    double dt = run->pts_s - run->pts_before_s, k = dt > 0 ? (pts_s - run->pts_s) / dt : 0;
    if (run->n_tracked < 2 || k > 3 || k < 0) return run->pose;
    struct intra_pose inv = intra_pose_inverse(&run->pose_before), step = intra_pose_mul(&run->pose, &inv);
    struct intra_vec3 w = intra_scale(intra_rotation_log(&step.r), k * run->options.turn_goes_on);
    return intra_pose_left_update(&run->pose, w, intra_scale(step.t, k));
}

/* Where new points are wanted: cells of the picture without a living point. */
static void mark_cells(const struct intra_run *run, const struct intra_pose *pose, unsigned char *cells, int nx, int ny,
                       double cell)
{
    for (int i = 0; i < run->n_points; i++) {
        double px[2];
        if (!run->points[i].is_alive || !intra_pose_see(run, pose, run->points[i].x, 0, px, NULL, NULL)) continue;
        int cx = (int)(px[0] / cell), cy = (int)(px[1] / cell);
        if (cx >= 0 && cy >= 0 && cx < nx && cy < ny && cells[cy * nx + cx] < 255) cells[cy * nx + cx]++;
    }
}

/* Is a patch of the first picture seen in a later one, wherever it went? Grain is not. No pose is known yet. */
static bool is_seen_anywhere(const struct intra_run *run, const struct intra_pyramid *later,
                             const struct intra_point *p)
{
    static const struct intra_warp as_it_was = {.a = {1, 0, 0, 1}};
    struct intra_patch_match m = {.ncc = -1};
    double at[2] = {p->px[0], p->px[1]};
    for (int scale = INTRA_PATCH_SCALES - 1; scale >= 0; scale--)
        for (int round = 0; round < 3; round++) {
            intra_patch_step(&p->patch, scale, later, run->mask, at[0], at[1], &as_it_was, 0, &m);
            if (!m.is_valid) break; /* coarse patches hang over the edge: the finer ones may still do */
            at[0] += m.du;
            at[1] += m.dv;
        }
    return m.is_valid && m.ncc > SAME_WALL_NCC;
}

/* Is the patch of a new point seen in the picture of the keyframe before (at the start: in a later one), where the tube
 * says that it is? Grain, coding noise and what rides along with the camera are not, however strong their gradients
 * are. What is outside that picture passes if it is strong. */
static bool is_wall(const struct intra_run *run, const struct intra_run_later *later, const struct intra_point *p,
                    double grain)
{
    struct intra_patch_match m = {.ncc = -1};
    struct intra_warp warp;
    double px[2], at[2], reach = SEARCH_PX * (double)(1 << p->patch.level);
    double strong = fmax(STRONG_TEXTURE, STRONG_LEVELS * grain);
    bool is_strong = p->patch.scale[0].tt > INTRA_PATCH_N * strong * strong;
    if (run->before_kf < 0 && !later) return true;
    if (later && !later->is_placed) return is_seen_anywhere(run, later->pyramid, p);
    struct intra_pose pose = run->kfs[later ? 0 : run->before_kf].cam_from_world;
    if (later) pose = intra_pose_mul(&later->cam_from_first, &pose);
    const struct intra_pyramid *picture = later ? later->pyramid : &run->before;
    if (!intra_pose_see(run, &pose, p->x, 4, px, NULL, NULL) || !intra_pose_warp(run, &pose, p, px, &warp))
        return is_strong;
    /* Nor may the match slide back to where the patch stands in its own picture. */
    reach = fmin(reach, fmax(1, SLIDE_SHARE * hypot(px[0] - p->px[0], px[1] - p->px[1])));
    at[0] = px[0], at[1] = px[1];
    for (int round = 0; round < 5; round++) {
        intra_patch_step(&p->patch, round < 2, picture, run->mask, at[0], at[1], &warp, 0, &m);
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
        p.is_handed_out = p.is_doubtful = false;
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

/* From where the ray meets the round tube to where it meets the oval one nearby. */
static void put_on_oval(const struct intra_run *run, const struct intra_pose *world_from_cam, struct intra_point *p)
{
    struct intra_vec3 dir = intra_mat3_mul_vec(&world_from_cam->r, p->ray);
    double u = p->u, t, theta = intra_axis_clock(&run->axis, u, intra_mad(world_from_cam->t, p->dist, dir));
    double r = run->options.radius_m * intra_axis_radius_rel(&run->axis, u, theta);
    if (!intra_axis_ray_hit(&run->axis, r, world_from_cam->t, dir, REACH_REL * r, &u, &t)) return;
    p->dist = t;
    p->u = u;
}

/* Try to make a point of a cell: its strongest spots first, and where they are too faint, wider patches. */
static bool cut_point(struct intra_run *run, const struct intra_pyramid *pyramid, const struct intra_keyframe *kf,
                      const struct intra_run_later *later, double x0, double y0, double cell, struct intra_point *out)
{
    struct intra_pose inv = intra_pose_inverse(&kf->cam_from_world);
    double corner[2] = {x0, y0}, grain = picture_grain(pyramid, x0 + cell / 2, y0 + cell / 2);
    for (int extra = 0; extra <= MAX_EXTRA; extra++) {
        double below = INFINITY;
        for (int attempt = 0; attempt < 3 && strongest_spot(run, pyramid, kf, &inv, corner, cell, extra, &below, out); attempt++) {
            put_on_oval(run, &inv, out);
            if (!intra_point_place(out, run->camera, &kf->cam_from_world, &run->axis)) continue;
            intra_patch_complete(&out->patch, pyramid, run->mask, out->px[0], out->px[1]);
            if (is_wall(run, later, out, grain)) return true;
        }
    }
    return false;
}

/* later: at the start of a run, or NULL. */
static enum intra_status add_points(struct intra_run *run, const struct intra_pyramid *pyramid,
                                    const struct intra_keyframe *kf, const struct intra_run_later *later,
                                    struct intra_error *err)
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
        if (!cells[i] && !cut_point(run, pyramid, kf, later, (i % nx) * cell, (i / nx) * cell, cell, &made[i]))
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
    kf->scale_sd = kf->way_m = kf->way_sd_rel = kf->roll_sd_rad = NAN;
    kf->frame = frame;
    kf->pts_s = pts_s;
    kf->cam_from_world = *pose;
    kf->u = intra_axis_nearest(&run->axis, inv.t, near_u);
    kf->has_dark = run->has_dark;
    kf->dark = run->dark;
    double reach = (REACH_REL + 2) / AXIS_STEP_REL;
    return intra_axis_cover(&run->axis, kf->u - reach, kf->u + reach, err);
}

enum intra_status intra_run_start(struct intra_run *run, const struct intra_pyramid *pyramid, int64_t frame,
                                  double pts_s, double yaw_rad, double pitch_rad, const struct intra_run_later *later,
                                  struct intra_error *err)
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
    INTRA_TRY(add_points(run, pyramid, &run->kfs[0], later, err));
    run->pose = run->pose_before = pose;
    run->pts_s = run->pts_before_s = pts_s;
    run->n_tracked = 1;
done:
    return status;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Where along the axis the first keyframe began to see the wall; NaN: too few points. Allocates scratch. */
static enum intra_status first_seen(const struct intra_run *run, double *out_u, struct intra_error *err)
{
    double *u = NULL;
    int n = 0;
    enum intra_status status = INTRA_ALLOC(u, (size_t)run->n_points + 1, err);
    *out_u = NAN;
    if (status != INTRA_OK) return status;
    for (int i = 0; i < run->n_points; i++)
        if (run->points[i].host == 0 && run->points[i].n_obs >= 2 && !run->points[i].is_doubtful)
            u[n++] = run->points[i].u;
    if (n) qsort(u, (size_t)n, sizeof *u, compare_doubles);
    if (n >= LEVEL_POINTS) *out_u = u[n / 10];
    intra_free(u);
    return INTRA_OK;
}

/* Before anything settles: turn everything so that X lies along the axis where the wall begins to be seen, and lay what
 * is behind that straight. The first guess of the direction is held at the first camera, where nothing is seen; before
 * a bend it is up to 7 degrees off, and the axis turns back by as much ahead of it. */
static enum intra_status level(struct intra_run *run, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_axis *axis = &run->axis;
    double u;
    INTRA_TRY(first_seen(run, &u, err));
    if (!(u > 1)) goto done;
    struct intra_vec3 d0, d1, at = intra_axis_point(axis, u, &d0, NULL, NULL);
    (void)intra_axis_point(axis, u + 1, &d1, NULL, NULL);
    struct intra_vec3 ahead = intra_unit(intra_add(intra_unit(d0), intra_unit(d1))), x = intra_vec3(1, 0, 0);
    struct intra_vec3 turn = intra_cross(ahead, x);
    double sine = intra_norm(turn), angle = atan2(sine, intra_dot(ahead, x));
    if (!(angle > LEVEL_LEAST_RAD)) goto done;
    struct intra_pose turned = {.r = intra_rotation_exp(intra_scale(turn, angle / sine))};
    struct intra_vec3 moved = intra_pose_apply(&turned, at);
    turned.t = intra_vec3(u * axis->h - moved.x, -moved.y, -moved.z);
    struct intra_pose back = intra_pose_inverse(&turned);
    for (int i = 0; i < axis->count; i++) {
        struct intra_axis_knot *k = &axis->knots[i];
        k->p = intra_pose_apply(&turned, k->p);
        for (int j = 0; j < 2; j++)
            k->n[j] = intra_mat3_mul_vec(&turned.r, k->n[j]);
    }
    int first = (int)floor(u) - axis->first; /* the last knot behind the seen wall, and all before it */
    for (int i = first; i >= 0; i--) {
        struct intra_axis_knot *k = &axis->knots[i];
        k->p = intra_vec3(axis->knots[i + 1].p.x - axis->h, 0, 0);
        k->n[0] = intra_vec3(0, 1, 0), k->n[1] = intra_vec3(0, 0, 1);
    }
    for (int i = 0; i < run->n_kfs; i++) {
        struct intra_keyframe *kf = &run->kfs[i];
        kf->cam_from_world = intra_pose_mul(&kf->cam_from_world, &back);
        kf->u = intra_axis_nearest(axis, intra_pose_inverse(&kf->cam_from_world).t, kf->u);
    }
    run->pose = intra_pose_mul(&run->pose, &back);
    run->pose_before = intra_pose_mul(&run->pose_before, &back);
    for (int i = 0; i < run->n_points; i++) {
        struct intra_point *p = &run->points[i];
        if (!intra_point_place(p, run->camera, &run->kfs[p->host].cam_from_world, axis)) p->is_alive = false;
    }
    run->n_arc = 0;
    run->has_turned = true;
    intra_log(INTRA_LOG_DEBUG, "run", "the pipe begins %.2f degrees off the first guess", 180 / M_PI * angle);
done:
    return status;
}

/* By parallax alone. */
static bool is_radius_known(const struct intra_point *p)
{
    return p->r_data_sd > 0 && p->r_data_sd <= 0.1 * p->r_expect;
}

static enum intra_status hand_out(struct intra_run *run, const struct intra_point *p, struct intra_error *err)
{
    if (p->n_obs < 3 || !is_radius_known(p)) return INTRA_OK;
    if (run->n_samples == run->cap_samples) {
        struct intra_wall_sample *s =
            intra_resize(run->samples, (size_t)run->n_samples, 2 * (size_t)run->cap_samples, sizeof *s);
        if (!s) return INTRA_FAIL(err, INTRA_E_MEM, "out of memory for wall samples");
        run->samples = s;
        run->cap_samples *= 2;
    }
    run->samples[run->n_samples++] =
        (struct intra_wall_sample){p->u, intra_axis_clock(&run->axis, p->u, p->x), p->r_data, p->r_data_sd};
    return INTRA_OK;
}

/* What a dead point saw holds its keyframes until the last of them is settled. */
static bool is_needed(const struct intra_run *run, const struct intra_point *p)
{
    return p->is_alive || (!p->is_doubtful && p->n_obs > 0 && p->obs[p->n_obs - 1].kf >= run->n_frozen);
}

/* The radius of points that have died is handed out; those that nothing leans on any more are forgotten. */
static enum intra_status sweep_points(struct intra_run *run, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    int n = 0;
    for (int i = 0; i < run->n_points; i++) {
        struct intra_point *p = &run->points[i];
        if (!p->is_alive && !p->is_handed_out && (run->n_frozen > 0 || !is_needed(run, p)) && status == INTRA_OK) {
            status = hand_out(run, p, err);
            p->is_handed_out = true;
        }
        if (!is_needed(run, p)) continue;
        if (n != i) run->points[n] = *p;
        n++;
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
        if (!p->is_alive || !intra_match_agrees(m, n2)) continue;
        if (!intra_pose_see(run, &fit->cam_from_run, p->x, 0, px, NULL, NULL)) continue;
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

static enum intra_status adjust(struct intra_run *run, bool is_wide, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    int first = run->n_frozen;
    for (int i = 0; i < run->n_points; i++)
        if (run->points[i].host < first) first = run->points[i].host;
    /* The tube prior is tightened step by step: a wrong first direction puts far points many narrow deviations off the tube, where a
     * robust prior lets go of them instead of pulling the camera straight. */
    double wall_sd = TUBE_SD;
    if (run->last_bundle.n_radius >= TUBE_SD_RADII)
        wall_sd = fmin(fmax(TUBE_SD_SPREADS * run->last_bundle.radius_spread, TUBE_SD_LEAST), TUBE_SD);
    const double sds[] = {0.2, 0.07, wall_sd};
    for (int pass = run->is_boot || is_wide ? 0 : 1; pass < 3; pass++) {
        struct intra_bundle_options options = {.iterations = run->is_boot ? 6
                                                             : is_wide    ? 4
                                                                          : 1,
                                               .radius_m = run->options.radius_m,
                                               .radius_sd_rel = sds[pass],
                                               .kink_sd_rad = run->bend_left > 0 ? BEND_KINK_SD_RAD : KINK_SD_RAD,
                                               .oval_step_sd = OVAL_STEP_SD,
                                               .oval_sd = OVAL_SD,
                                               .fix_first = run->is_boot,
                                               .want_way = pass == 2};
        INTRA_TRY(intra_bundle_solve(run->kfs + first, run->n_kfs - first, run->points, run->n_points, &run->axis,
                                     run->camera, &options, &run->last_bundle, err));
    }
    intra_run_axis_moved(run);
    for (int i = first; i < run->n_kfs; i++) {
        struct intra_pose inv = intra_pose_inverse(&run->kfs[i].cam_from_world);
        run->kfs[i].cam_from_world.r = intra_rotation_tidy(&run->kfs[i].cam_from_world.r);
        run->kfs[i].u = intra_axis_nearest(&run->axis, inv.t, run->kfs[i].u);
        if (run->kfs[i].is_frozen) continue;
        run->kfs[i].scale_sd = hypot(run->last_bundle.scale_sd, run->bend_left > 0 ? BEND_SCALE_SD : 0);
        run->kfs[i].way_m = run->last_bundle.way_m;
        run->kfs[i].way_sd_rel = run->last_bundle.way_sd_rel;
        run->kfs[i].roll_sd_rad = run->last_bundle.roll_sd_rad;
    }
    for (int i = 0; i < run->n_points; i++) {
        struct intra_point *p = &run->points[i];
        if (!p->is_alive) continue;
        p->is_alive = p->dist > 0.05 * run->options.radius_m &&
                      intra_point_place(p, run->camera, &run->kfs[p->host].cam_from_world, &run->axis);
        p->is_doubtful = !p->is_alive;
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
    for (int i = 0; i < run->n_points; i++)
        low = fmin(low, run->points[i].u);
    for (int i = 0; i < run->axis.count; i++)
        if (run->axis.first + i + 1 < low) run->axis.knots[i].is_frozen = run->axis.knots[i].is_oval_frozen = true;
}

static bool is_uneasy(const struct intra_run *run, const struct intra_pose_fit *fit)
{
    return fit->noise > UNEASY_NOISE || fit->n_inlier < UNEASY_SHARE * fit->n_visible ||
           fit->rms_px > UNEASY_RMS_REL * run->camera->width;
}

/* By how much the wall ahead leans away from the tube to one side: first harmonic of the points' own radii over the
 * tube's, about the clock. 0: too few, or not sure. */
static double lean_ahead(const struct intra_run *run, double u)
{
    double sum_c = 0, sum_s = 0, sum2 = 0, r = run->options.radius_m;
    int n = 0;
    for (int i = 0; i < run->n_points; i++) {
        const struct intra_point *p = &run->points[i];
        double ahead = (p->u - u) * run->axis.h;
        if (!p->is_alive || !is_radius_known(p) || ahead < BEND_NEAR_REL * r || ahead > BEND_FAR_REL * r) continue;
        double off = fmin(fmax(p->r_data / p->r_expect - 1, -BEND_MOST_OFF), BEND_MOST_OFF);
        double theta = intra_axis_clock(&run->axis, p->u, p->x);
        sum_c += off * cos(theta), sum_s += off * sin(theta), sum2 += off * off;
        n++;
    }
    if (n < BEND_POINTS) return 0;
    double lean = 2 * hypot(sum_c, sum_s) / n, sd = sqrt(2 * sum2) / n; /* a harmonic's, of n independent values */
    return lean < BEND_LEAN_SDS * sd ? 0 : lean;
}

/* The axis that is followed turns here, from the camera to where the wall is measured. */
static bool is_turning(const struct intra_run *run, double u)
{
    struct intra_vec3 here, ahead;
    (void)intra_axis_point(&run->axis, u, &here, NULL, NULL);
    (void)intra_axis_point(&run->axis, u + BEND_TURN_KNOTS, &ahead, NULL, NULL);
    return intra_norm(intra_cross(intra_unit(here), intra_unit(ahead))) > BEND_TURN_RAD * BEND_TURN_KNOTS;
}

/* How far the axis and the dark lie off the straight way, seen from the last keyframe, which is at u. False: no dark.
 */
static bool look_along(const struct intra_run *run, double u, struct intra_vec3 *axis_off, struct intra_vec3 *dark_off)
{
    struct intra_vec3 along, at = intra_axis_point(&run->axis, u, &along, NULL, NULL);
    const struct intra_pose *cam = &run->kfs[run->n_kfs - 1].cam_from_world;
    struct intra_vec3 here = intra_pose_inverse(cam).t;
    double ahead = INTRA_DARK_AHEAD_REL * run->options.radius_m;
    if (!run->has_dark) return false;
    struct intra_vec3 end = intra_axis_point(&run->axis, u + ahead / run->axis.h, NULL, NULL, NULL);
    struct intra_vec3 straight = intra_unit(intra_sub(intra_mad(at, ahead, intra_unit(along)), here));
    *axis_off = intra_sub(intra_unit(intra_sub(end, here)), straight);
    *dark_off = intra_sub(intra_mat3_tmul_vec(&cam->r, run->dark), straight);
    return true;
}

/* The axis goes on straight, and what was followed on the folded wall is forgotten. */
static void unfold(struct intra_run *run, double u)
{
    struct intra_axis *axis = &run->axis;
    int first = (int)floor(u) + FOLD_FROM - axis->first;
    if (first < 2) return;
    struct intra_vec3 along = intra_unit(intra_sub(axis->knots[first].p, axis->knots[first - 2].p));
    for (int i = first + 1; i < axis->count; i++) {
        struct intra_axis_knot *k = &axis->knots[i];
        if (k->is_frozen) continue;
        k->p = intra_mad(axis->knots[i - 1].p, axis->h, along);
    }
    for (int i = 0; i < run->n_points; i++) {
        struct intra_point *p = &run->points[i];
        if (p->u < axis->first + first) continue;
        p->is_alive = false;
        p->is_doubtful = p->is_handed_out = true;
    }
    intra_run_axis_moved(run);
    run->bend_left = 0;
    intra_log(INTRA_LOG_DEBUG, "run", "the axis was folded ahead of knot %d: the dark does not go with it",
              axis->first + first);
}

static void look_for_bend(struct intra_run *run, double u)
{
    struct intra_vec3 axis_off, dark_off;
    bool is_bend = run->bend_left > 0 && is_turning(run, u), may_begin = run->options.may_bend;
    if (look_along(run, u, &axis_off, &dark_off)) {
        double off = intra_norm(axis_off), dark = intra_norm(dark_off);
        double along = intra_dot(axis_off, dark_off) / fmax(off, 1e-9); /* the dark's part to the axis's side */
        bool is_folded = off > DARK_BEND_RAD &&
                         (dark < DARK_AHEAD_RAD ? along < DARK_FOLD_SHARE * off : along < -DARK_FOLD_SHARE * dark);
        run->n_folded = is_folded ? run->n_folded + 1 : 0;
        if (run->n_folded >= DARK_FOLD_KEYFRAMES) {
            run->n_folded = 0;
            unfold(run, u);
            return;
        }
        may_begin = may_begin && intra_norm(dark_off) > DARK_BEND_RAD;
    }
    if (run->options.may_bend && (is_bend || (may_begin && lean_ahead(run, u) > BEND_LEAN)))
        run->bend_left = BEND_KEYFRAMES;
    else if (run->bend_left > 0)
        run->bend_left--;
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
        p->misses = intra_match_agrees(m, n2) ? 0 : p->misses + 1;
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
        look_for_bend(run, run->kfs[kf].u);
        INTRA_TRY(adjust(run, is_uneasy(run, fit), err));
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
        bool is_seen = intra_pose_see(run, &run->pose, p->x, -20, px, NULL, NULL);
        if (p->misses > 4 || !is_seen || p->host < run->n_kfs - OLDEST_HOST) p->is_alive = false;
        p->is_doubtful = is_seen && p->misses > 4;
    }
    INTRA_TRY(sweep_points(run, err));
    if (run->n_frozen == 0 && run->n_kfs > run->options.window && !run->is_held) INTRA_TRY(level(run, err));
    freeze(run, run->options.window);
    INTRA_TRY(add_points(run, pyramid, &run->kfs[kf], NULL, err));
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

/* Index of the point that was cut where `like` was, from `first` on; n_points: none. */
static int find_point(const struct intra_run *run, int first, const struct intra_point *like)
{
    int i = first;
    for (; i < run->n_points; i++) {
        const struct intra_point *p = &run->points[i];
        if (p->host == like->host && p->px[0] == like->px[0] && p->px[1] == like->px[1]) break;
    }
    return i;
}

/* The anchor's points are the living ones from here on, in its order, so that `matches` stay theirs; what the others
 * saw still holds the window, from behind. */
static enum intra_status take_up(struct intra_run *run, const struct intra_anchor *anchor, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    for (int i = 0; i < run->n_points; i++)
        run->points[i].is_alive = false;
    INTRA_TRY(sweep_points(run, err));
    if (run->n_points + anchor->n > run->cap_points) run->n_points = run->cap_points - anchor->n;
    for (int i = 0; i < anchor->n; i++) {
        int at = find_point(run, i, &anchor->points[i]);
        if (at == run->n_points) run->points[run->n_points++] = anchor->points[i];
        struct intra_point p = run->points[at];
        run->points[at] = run->points[i];
        run->points[i] = p;
        run->points[i].is_alive = true;
        run->points[i].misses = 0;
    }
done:
    return status;
}

enum intra_status intra_run_return(struct intra_run *run, const struct intra_anchor *anchor,
                                   const struct intra_pyramid *pyramid, const struct intra_pose *guess, bool try_hard,
                                   double share, struct intra_pose_fit *out, struct intra_error *err)
{
    struct intra_point *points = run->points;
    int n_points = run->n_points;
    bool is_held = run->is_held;
    memset(out, 0, sizeof *out);
    if (anchor->n < INTRA_MIN_INLIERS || anchor->n > run->cap_points) return INTRA_OK;
    run->points = anchor->points;
    run->n_points = anchor->n;
    run->is_held = false;
    if (try_hard)
        intra_run_fit_hard(run, pyramid, guess, share, out);
    else
        intra_run_fit(run, pyramid, guess, 4, out);
    run->points = points;
    run->n_points = n_points;
    run->is_held = is_held;
    out->is_good = out->is_good && out->n_inlier > share * out->n_visible;
    if (!out->is_good) return INTRA_OK;
    run->is_held = false;
    run->has_returned = true;
    return take_up(run, anchor, err);
}

enum intra_status intra_run_settle(struct intra_run *run, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    if (run->n_frozen == 0 && !run->is_held) INTRA_TRY(level(run, err));
    for (int i = 0; i < run->n_points; i++) run->points[i].is_alive = false;
    freeze(run, 0);
    INTRA_TRY(sweep_points(run, err));
done:
    return status;
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
