/* The state machine over the frames.
 *
 *   START --(boot succeeds)--> TRACK --(fit fails)--> LOST --(fit to the old run)--> TRACK
 *                                                      \---(boot succeeds)--------> new run, a gap between
 *
 * Frames wait in a queue of entries until their keyframe has settled, and leave it in order. While lost, each frame is tried against the
 * old run and its anchors, and after half a second a fresh start is prepared beside it. While the camera pans the run is held in place, and
 * after it the frame is placed by the last anchor. A cut is a loss from which the way back takes more. */
#include "recon/motion.h"

#include "core/log.h"
#include "core/mem.h"
#include "recon/boot.h"
#include "recon/counter_join.h"
#include "recon/dark.h"
#include "recon/motion_picture.h"
#include "recon/pace.h"

#include <stdio.h>
#include <string.h>

enum mode { MODE_START, MODE_TRACK, MODE_LOST };
/* FATE_ZOOMED: the camera stands at its pose and zooms; the picture is not that of the calibrated lens. */
enum fate { FATE_OPEN, FATE_POSED, FATE_ZOOMED, FATE_LOST, FATE_NOT_PIPE, FATE_REPEAT };

struct entry {
    int64_t index;
    double pts_s;
    enum fate fate;
    int kf;
    struct intra_pose cam_from_kf;
    bool has_drive; /* FATE_ZOOMED: where it is if it drove instead */
    struct intra_pose drive_from_kf;
};

/* Deviation of the station: what the scatter of the wall's radii does not show, as a share of the way; how much more
 * than what it shows; INTRA_STATION_WALK comes on top. Set by hand on simulated scenes (docs/methods.md,
 * "Deviations"). */
#define LEAST_SCALE_SD 0.001
#define SCALE_SDS 1.5
/* How much more the scale differs from window to window than the adjustment's own deviation of the way across one says:
 * on the simulated scenes 0.5 to 5 times, mostly 1 to 3.5. */
#define WANDER_SDS 2.5
/* The same of the turn about the pipe: on the simulated scenes 1 to 12 times, 6.5 RMS. What is feigned along a joint's
 * ring is not seen by the adjustment (docs/methods.md, "What was tried and lost"). */
#define ROLL_SDS 6.0
#define LOST_BEFORE_BOOT_S 0.4
#define RELOCATE_SHARE 0.5
#define RELOCATE_HARD_SHARE 0.38 /* chance alone makes up to 0.3 of the patches agree */
#define LOST_BEYOND_COUNTER_S 0.4 /* in less a counter goes on by nothing that tells */
#define WAY_BACK_M_S 0.3          /* crawlers drive at up to that */
#define LOST_IN_PAN_S 3.0        /* a head that looks into a lateral comes back, and so does a zoom */
/* A pan: the view leaves its usual direction by PAN_RAD while the camera moves less than PAN_WAY_REL radii. In a bend
 * it moves. */
#define OFF_RAD 0.06
#define PAN_RAD 0.17
#define PAN_END_RAD 0.10
#define PAN_WAY_REL 0.3
#define HABIT_S 4.0              /* time in which a new usual direction is learnt */
#define ANCHOR_STEP_REL 0.7      /* radii between anchors */
#define RETURN_TRIES 8
#define SPEED_BASE_S 1.0         /* time over which the speed before a gap is taken */
#define MAX_SPEED_M_S 1.0
#define GAP_SPEED_SD_M_S 0.15 /* crawlers drive at 0 to 0.3 m/s: how far the assumed way through a gap may be off */
#define GAP_SD_REL 0.5        /* radii: the start of a run knows its place no better */
/* A cut: the picture changes CUT_CHANGE times as much as usual, and fewer than CUT_SHARE of the usual share of points
 * agree; or CUT_LOST_CHANGE times, and no pose is found at all. Where the wall is smooth, chance alone makes half of
 * them agree. In the suite's pipes the change is 1.1 at most where few agree and the video goes on, in a real clip a
 * jerk makes it 2.0; at a cut it is 2.9 or more with a pose and 2.3 or more without. A jump: a change that alone makes
 * a cut likely; it is as large when a camera sets off. */
#define CUT_CHANGE 2.5
#define CUT_LOST_CHANGE 2.1
#define JUMP_CHANGE 3.0
#define CUT_LEAST_CHANGE 0.02   /* rms of coarse log luminance */
#define FIRST_USUAL_CHANGE 0.03 /* at most: the first change may be a cut itself */
#define OTHER_PICTURE 0.3       /* a change that no drive makes: a title page, another camera */
#define CUT_SHARE 0.75
#define CUT_RETURN_SHARE 0.75 /* of the points in view must agree for a way back over a cut */
/* A zoom: the picture is larger or smaller than any pose explains, by so much and so many deviations, and a fit with
 * turn and magnification alone explains it better. That is looked for at once: a few frames later the pose has
 * followed. */
#define ZOOM_OFF 0.012
#define ZOOM_BETTER 0.97 /* of the drive's cost at most is left, with no more freedom: the lens is held */
#define ZOOM_OFF_SDS 4.0
#define ZOOM_BEGIN 0.012 /* magnification (log) from which it is taken for one, and below which it has ended */
#define ZOOM_END 0.01
#define ZOOM_WIDEST_RAD 2.0 /* across the picture: what sees more has no zoom */
#define NO_ZOOM_S 1.0       /* after what was taken for one and was none */
#define PICTURE_S 2.0
enum { MOST_PICTURES = 400 };
enum { CUT_LEVEL = 3, CUT_HABIT = 12 /* frames */ };
enum { N_ANCHORS = 8 };
#define BLANK_LUMA 5.0   /* mean full-range luma below which a picture is black */
#define BLANK_SPREAD 0.015 /* spread of log luminance on blocks below which there is nothing to see */

/* Where the camera usually looks (against the pipe's axis), and since when it looks elsewhere. */
struct view_habit {
    bool is_known, is_off, is_pan;
    double yaw_rad, pitch_rad, pts_s;
    struct intra_vec3 off_at; /* where the camera stood when it began to look away, run coordinates */
};

/* How much the picture changes from frame to frame, and how well the points usually agree: both break at a cut. */
struct cut_watch {
    struct intra_view_f32 last; /* coarse picture of the frame before */
    bool has_last;
    double change, change_before, usual_change, usual_share;
    bool is_cut; /* the run was left at a cut: coming back into it takes more */
    bool has_jumped; /* the picture jumped since the last frame that was followed: what lies between is not known */
};

/* The camera stands and zooms. Beside it the same frames are followed as a drive while that goes: it may be one after
 * all. */
struct zoom_watch {
    bool is_on;
    double zoom, seen_s; /* of the last frame that was followed in it, and when */
    struct intra_pose pose;
    bool has_drive;
    int64_t first;                         /* frame of it */
    struct intra_pose drive, drive_before; /* of the last two frames */
    double not_before_s;                   /* no zoom is looked for, as one was refuted */
};

/* Where a lost camera may be found again by what the distance counter did meanwhile: a smooth wall looks like itself.
 */
struct way_back {
    bool is_known; /* false: anywhere */
    double arc_m, within_m, pts_s;
};

struct intra_motion {
    struct intra_motion_options options;
    const struct intra_camera *camera;
    const struct intra_mask_pyramid *mask;
    const struct intra_view_f32 *log_shading;
    bool is_wide; /* the lens: it does not zoom */
    struct intra_motion_sink sink;
    enum mode mode;
    struct intra_pyramid pyramid;
    struct intra_run run;
    bool has_run;
    struct intra_placement placement;
    struct intra_boot boot;
    int boot_next; /* buffered frames at which the next try is due */
    double boot_wait_until_s;
    struct entry *entries;
    int64_t n_entries, cap_entries;
    struct intra_frame **kf_frames; /* retained pictures of keyframes that have not settled; index kf - kf_frames_first */
    int n_kf_frames, cap_kf_frames, kf_frames_first;
    int n_settled;                /* keyframes handed to the sink */
    double wander_m2;             /* variance that the wander of the scale has left in the station so far */
    double scale_sd_way,
        scale_way; /* over settled keyframes of all runs: way times deviation of the scale, and way, in axis steps */
    double lost_since_s;
    struct way_back way_back;
    int lost_frames;
    int n_runs;
    struct intra_anchor anchors[N_ANCHORS]; /* ring of places to come back to, in the present run */
    int n_anchors;                          /* taken so far in it */
    int return_tries;                       /* frames after a pan in which the way back to the last anchor is tried */
    struct view_habit view;
    struct cut_watch cut;
    struct intra_pace pace; /* of the run */
    struct zoom_watch zoom;
    double picture_s; /* when the next picture for debugging is due */
    int n_pictures;
    int64_t n_fits, n_weak; /* frames followed; those with few agreeing points */
    char reason[200];
};

/* Of the view, in radians; a picture whose edges see nothing is wide. */
static double width_of(const struct intra_camera *camera)
{
    double left[2] = {0, camera->cy}, right[2] = {camera->width - 1, camera->cy};
    struct intra_vec3 a, b;
    if (!intra_camera_unproject(camera, left, &a) || !intra_camera_unproject(camera, right, &b)) return M_PI;
    return atan2(hypot(a.x, a.y), a.z) + atan2(hypot(b.x, b.y), b.z);
}

enum intra_status intra_motion_create(const struct intra_motion_options *options, const struct intra_camera *camera,
                                      const struct intra_mask_pyramid *mask, const struct intra_view_f32 *log_shading,
                                      const struct intra_motion_sink *sink, struct intra_motion **out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_motion *m = NULL;
    INTRA_TRY(INTRA_ALLOC(m, 1, err));
    m->options = *options;
    m->camera = camera;
    m->mask = mask;
    m->log_shading = log_shading;
    m->is_wide = width_of(camera) > ZOOM_WIDEST_RAD;
    m->sink = *sink;
    m->cap_entries = 256;
    m->cap_kf_frames = 64;
    m->boot_next = 10;
    INTRA_TRY(INTRA_ALLOC(m->entries, (size_t)m->cap_entries, err));
    INTRA_TRY(INTRA_ALLOC(m->kf_frames, (size_t)m->cap_kf_frames, err));
    INTRA_TRY(intra_pyramid_init(&m->pyramid, camera->height, camera->width, err));
    INTRA_TRY(intra_image_f32_init(&m->cut.last, m->pyramid.level[CUT_LEVEL].rows, m->pyramid.level[CUT_LEVEL].cols, 1, err));
    snprintf(m->reason, sizeof m->reason, "the video ended before the camera moved");
    *out = m;
    m = NULL;
done:
    intra_motion_destroy(&m);
    return status;
}

void intra_motion_destroy(struct intra_motion **motion)
{
    struct intra_motion *m = *motion;
    if (!m) return;
    intra_boot_clear(&m->boot);
    if (m->has_run) intra_run_fini(&m->run);
    for (int i = 0; i < N_ANCHORS; i++) intra_anchor_fini(&m->anchors[i]);
    for (int i = 0; i < m->n_kf_frames; i++) intra_frame_release(&m->kf_frames[i]);
    intra_free(m->kf_frames);
    intra_free(m->entries);
    intra_pyramid_fini(&m->pyramid);
    intra_image_f32_fini(&m->cut.last);
    intra_free(m);
    *motion = NULL;
}

bool intra_motion_is_lost(const struct intra_motion *motion)
{
    return motion->mode == MODE_LOST;
}

double intra_motion_weak_share(const struct intra_motion *motion)
{
    return motion->n_fits ? (double)motion->n_weak / (double)motion->n_fits : 0;
}

const char *intra_motion_reason(const struct intra_motion *motion)
{
    return motion->reason;
}

static enum intra_status push_entry(struct intra_motion *m, const struct intra_frame *frame, enum fate fate,
                                    struct intra_error *err)
{
    if (m->n_entries == m->cap_entries) {
        struct entry *e = intra_resize(m->entries, (size_t)m->n_entries, 2 * (size_t)m->cap_entries, sizeof *e);
        if (!e) return INTRA_FAIL(err, INTRA_E_MEM, "out of memory for %lld waiting frames", (long long)m->n_entries);
        m->entries = e;
        m->cap_entries *= 2;
    }
    m->entries[m->n_entries++] = (struct entry){.index = frame->index, .pts_s = frame->pts_s, .fate = fate, .kf = -1};
    return INTRA_OK;
}

static enum intra_status keep_picture(struct intra_motion *m, struct intra_frame *frame, struct intra_error *err)
{
    if (m->n_kf_frames == m->cap_kf_frames) return INTRA_FAIL(err, INTRA_E_MEM, "too many unsettled keyframes");
    m->kf_frames[m->n_kf_frames++] = intra_frame_retain(frame);
    return INTRA_OK;
}

/* Direction of the optical axis against the pipe's: right and up positive. */
static void look_angles(const struct intra_axis *axis, double u, const struct intra_pose *run_from_cam, double *yaw_rad,
                        double *pitch_rad)
{
    struct intra_mat3 frame = intra_axis_frame(axis, u);
    struct intra_vec3 ahead = intra_vec3(run_from_cam->r.m[0][2], run_from_cam->r.m[1][2], run_from_cam->r.m[2][2]);
    struct intra_vec3 local = intra_mat3_tmul_vec(&frame, ahead);
    *yaw_rad = atan2(local.y, local.x);
    *pitch_rad = atan2(local.z, hypot(local.x, local.y));
}

/* Station and its deviation: a random part from the steps between keyframes, a part in proportion to the way from the
 * scale of the adjustments so far and the lens, and what the gaps before may be off. */
static enum intra_status place_frame(struct intra_motion *m, const struct entry *e, struct intra_motion_frame *out,
                                     struct intra_error *err)
{
    const struct intra_keyframe *kf = &m->run.kfs[e->kf];
    struct intra_pose cam_from_run = intra_pose_mul(&e->cam_from_kf, &kf->cam_from_world);
    struct intra_pose run_from_cam = intra_pose_inverse(&cam_from_run);
    double u = intra_axis_nearest(&m->run.axis, run_from_cam.t, kf->u), arc;
    enum intra_status status = intra_run_arc(&m->run, u, &arc, err);
    if (status != INTRA_OK) return status;
    out->is_posed = true;
    out->state = INTRA_STATE_DRIVE;
    out->segment = m->placement.segment;
    out->is_by_counter = m->placement.is_by_counter;
    out->is_apart = m->placement.is_apart;
    out->world_from_cam = intra_pose_mul(&m->placement.world_from_run, &run_from_cam);
    out->station_m = arc + m->placement.station_offset_m;
    double way = fabs(out->station_m - m->options.start_station_m), r = m->options.radius_m;
    double focal = m->camera->focal_sd_rel, scale = LEAST_SCALE_SD;
    if (m->scale_way > 0) scale = hypot(LEAST_SCALE_SD, SCALE_SDS * m->scale_sd_way / m->scale_way);
    out->scale_sd_rel = hypot(LEAST_SCALE_SD, SCALE_SDS * kf->scale_sd);
    out->wander_sd_rel = WANDER_SDS * kf->way_sd_rel;
    out->wander_way_m = kf->way_m;
    out->roll_walk_rad2_m = kf->way_m > 0 ? pow(ROLL_SDS * kf->roll_sd_rad, 2) / kf->way_m : NAN;
    out->station_sd_m = sqrt(pow(0.004 * r, 2) + INTRA_STATION_WALK * r * way + m->wander_m2 +
                             way * way * (scale * scale + focal * focal) + pow(m->placement.gap_sd_m, 2));
    look_angles(&m->run.axis, u, &run_from_cam, &out->yaw_rad, &out->pitch_rad);
    return INTRA_OK;
}

/* The deviation of the scale at a settled keyframe, weighed with its step, and what its wander adds to the way's. */
static void add_scale_sd(struct intra_motion *m, int kf)
{
    const struct intra_keyframe *k = &m->run.kfs[kf];
    if (kf == 0) return;
    double step = fabs(k->u - k[-1].u), wander = WANDER_SDS * k->way_sd_rel;
    /* Forgotten over way_m: the way's variance grows by 2 wander^2 way_m a metre. */
    if (isfinite(wander)) m->wander_m2 += 2 * wander * wander * k->way_m * step * m->run.axis.h;
    if (!isfinite(k->scale_sd)) return;
    m->scale_sd_way += step * k->scale_sd;
    m->scale_way += step;
}

/* Hand on what has settled: samples, keyframes with their pictures, frames in order. */
static enum intra_status flush(struct intra_motion *m, bool is_end, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    int64_t done = 0;
    if (m->has_run) {
        if (m->run.n_samples)
            INTRA_TRY(m->sink.samples(m->sink.user, &m->run, &m->placement, m->run.samples, m->run.n_samples, err));
        m->run.n_samples = 0;
        while (m->n_settled < m->run.n_frozen) {
            add_scale_sd(m, m->n_settled);
            if (!m->run.kfs[m->n_settled].is_held)
                INTRA_TRY(m->sink.keyframe(m->sink.user, &m->run, &m->placement, &m->run.kfs[m->n_settled],
                                           m->kf_frames[0], err));
            intra_frame_release(&m->kf_frames[0]);
            memmove(m->kf_frames, m->kf_frames + 1, sizeof *m->kf_frames * (size_t)(m->n_kf_frames - 1));
            m->n_kf_frames--;
            m->n_settled++;
        }
    }
    for (; done < m->n_entries; done++) {
        const struct entry *e = &m->entries[done];
        struct intra_motion_frame f = {.index = e->index,
                                       .pts_s = e->pts_s,
                                       .segment = -1,
                                       .station_m = NAN,
                                       .station_sd_m = NAN,
                                       .scale_sd_rel = NAN,
                                       .wander_sd_rel = NAN,
                                       .wander_way_m = NAN,
                                       .roll_walk_rad2_m = NAN};
        if (e->fate == FATE_OPEN && !is_end) break;
        if (e->kf >= 0) {
            if (e->kf >= m->run.n_frozen) break;
            INTRA_TRY(place_frame(m, e, &f, err));
            if (e->fate == FATE_REPEAT) f.state = INTRA_STATE_DUPLICATE;
            if (e->fate == FATE_ZOOMED) {
                f.is_posed = false;
                f.state = INTRA_STATE_STOP;
            }
        } else
            f.state = e->fate == FATE_NOT_PIPE ? INTRA_STATE_NOT_PIPE
                      : e->fate == FATE_REPEAT ? INTRA_STATE_DUPLICATE
                                               : INTRA_STATE_LOST;
        INTRA_TRY(m->sink.frame(m->sink.user, &f, err));
    }
done:
    if (done) memmove(m->entries, m->entries + done, sizeof *m->entries * (size_t)(m->n_entries - done));
    m->n_entries -= done;
    return status;
}

/* Way from the last keyframe to a later time: to the last frame that was followed, and from there at the speed of the second before it.
 * Seldom right, but nearer than nothing; the gap says that it is assumed. */
static enum intra_status assumed_way(struct intra_motion *m, double pts_s, double *out_m, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_run *run = &m->run;
    const struct intra_keyframe *last = &run->kfs[run->n_kfs - 1], *from = last;
    double at_last, now, then, u = intra_axis_nearest(&run->axis, intra_pose_inverse(&run->pose).t, last->u);
    while (from > run->kfs && run->pts_s - from->pts_s < SPEED_BASE_S) from--;
    INTRA_TRY(intra_run_arc(run, last->u, &at_last, err));
    INTRA_TRY(intra_run_arc(run, u, &now, err));
    INTRA_TRY(intra_run_arc(run, from->u, &then, err));
    double time = run->pts_s - from->pts_s, speed = time > 0 ? (now - then) / time : 0;
    *out_m = now - at_last + fmin(fmax(speed, -MAX_SPEED_M_S), MAX_SPEED_M_S) * fmax(0, pts_s - run->pts_s);
done:
    return status;
}

/* Where the next run begins: it goes on in the direction of this one, as far ahead as the distance counter says, or
 * else at the speed before the gap, or apart where there was a cut. */
static enum intra_status place_next(struct intra_motion *m, struct intra_run *next, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_placement *p = &m->placement;
    double u = m->run.kfs[m->run.n_kfs - 1].u, gap_s = fmax(0, next->kfs[0].pts_s - m->run.pts_s);
    double ahead, arc, counted, sd;
    int64_t n_readings = 0;
    const struct intra_counter_reading *readings =
        m->options.counter ? intra_counter_queue_readings(m->options.counter, &n_readings) : NULL;
    INTRA_TRY(assumed_way(m, next->kfs[0].pts_s, &ahead, err));
    INTRA_TRY(intra_run_arc(&m->run, u, &arc, err));
    INTRA_TRY(intra_counter_join(readings, n_readings, &m->run, next, &p->is_by_counter, &counted, &sd, err));
    p->is_apart = !p->is_by_counter && (m->cut.is_cut || m->cut.has_jumped);
    if (p->is_by_counter) {
        ahead = counted - arc;
        p->gap_sd_m = hypot(p->gap_sd_m, sd);
    } else if (p->is_apart) { /* its wall must not lie on what was seen ahead of the cut */
        ahead = fmax(ahead, INTRA_WALL_AHEAD_REL * m->options.radius_m);
        p->gap_sd_m = NAN;
    } else
        p->gap_sd_m = hypot(p->gap_sd_m, hypot(GAP_SD_REL * m->options.radius_m, GAP_SPEED_SD_M_S * gap_s));
    struct intra_vec3 c = intra_axis_point(&m->run.axis, u, NULL, NULL, NULL);
    struct intra_mat3 frame = intra_axis_frame(&m->run.axis, u),
                      world_frame = intra_mat3_mul(&p->world_from_run.r, &frame);
    struct intra_vec3 at = intra_pose_apply(&p->world_from_run, c);
    struct intra_vec3 tangent = intra_vec3(world_frame.m[0][0], world_frame.m[1][0], world_frame.m[2][0]);
    struct intra_vec3 crown = intra_vec3(world_frame.m[0][2], world_frame.m[1][2], world_frame.m[2][2]);
    p->world_from_run.r = intra_mat3_from_columns(tangent, intra_cross(crown, tangent), crown);
    p->world_from_run.t = intra_mad(at, ahead, tangent);
    p->station_offset_m += arc + ahead;
done:
    return status;
}

/* Lost frames before one that the run has a place for stay lost: a zoom that was found again, for one, closes nothing by itself. */
static void close_lost(struct intra_motion *m)
{
    int64_t last = m->n_entries - 1;
    while (last >= 0 && m->entries[last].kf < 0) last--;
    for (int64_t i = 0; i < last; i++)
        if (m->entries[i].fate == FATE_OPEN) m->entries[i].fate = FATE_LOST;
}

/* End of the present run: all of it settles and leaves. Open entries (lost frames) stay behind in the queue. next: NULL
 * at the end. */
static enum intra_status end_run(struct intra_motion *m, struct intra_run *next, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    if (!m->has_run) return INTRA_OK;
    INTRA_TRY(intra_run_settle(&m->run, err));
    close_lost(m);
    INTRA_TRY(flush(m, false, err));
    for (int64_t i = 0; i < m->n_entries; i++) /* entries of the run cannot wait any longer */
        if (m->entries[i].kf >= 0) return INTRA_FAIL(err, INTRA_E_DEGENERATE, "a frame outlived its run");
    INTRA_TRY(m->sink.run_end(m->sink.user, &m->run, &m->placement, err));
    if (next) INTRA_TRY(place_next(m, next, err));
    intra_run_fini(&m->run);
    m->has_run = false;
    m->n_anchors = m->return_tries = 0;
    m->view = (struct view_habit){0};
    m->zoom = (struct zoom_watch){0};
    m->pace = (struct intra_pace){0};
done:
    return status;
}

/* Root mean square change of the coarse picture since the frame before, its mean left out (exposure). */
static void watch_change(struct intra_motion *m)
{
    const struct intra_view_f32 *now = &m->pyramid.level[CUT_LEVEL];
    struct cut_watch *w = &m->cut;
    double sum = 0, sum2 = 0, n = (double)now->rows * now->cols;
    for (int r = 0; r < now->rows; r++) {
        const float *p = intra_row_f32(now, r);
        float *q = intra_row_f32(&w->last, r);
        for (int c = 0; c < now->cols; c++) {
            double d = (double)p[c] - q[c];
            sum += d;
            sum2 += d * d;
            q[c] = p[c];
        }
    }
    if (w->has_last) {
        if (w->change > 0) w->usual_change += (fmin(w->change, 2 * w->usual_change + 1e-4) - w->usual_change) / CUT_HABIT;
        w->change_before = w->change;
        w->change = sqrt(fmax(0, sum2 / n - sum * sum / (n * n)));
        if (!(w->usual_change > 0)) w->usual_change = fmin(w->change, FIRST_USUAL_CHANGE);
    }
    w->has_last = true;
}

static double sure_share(const struct intra_pose_fit *fit)
{
    return fit->n_visible ? (double)fit->n_sure / fit->n_visible : 0;
}

static bool has_changed(const struct cut_watch *w, double times)
{
    double usual = fmax(w->usual_change, w->change_before); /* a camera that speeds up changes more and more */
    return w->change > OTHER_PICTURE || (w->change > CUT_LEAST_CHANGE && w->change > times * usual);
}

static bool has_picture_jumped(const struct cut_watch *w)
{
    return has_changed(w, JUMP_CHANGE);
}

static bool is_cut(const struct intra_motion *m, const struct intra_pose_fit *fit)
{
    if (!fit->is_good && has_changed(&m->cut, CUT_LOST_CHANGE)) return true;
    return has_changed(&m->cut, CUT_CHANGE) && sure_share(fit) < CUT_SHARE * m->cut.usual_share;
}

/* Of the camera, from where it was last. */
static double step_of(const struct intra_motion *m, const struct intra_pose_fit *fit)
{
    return intra_norm(intra_sub(intra_pose_inverse(&fit->cam_from_run).t, intra_pose_inverse(&m->run.pose).t));
}

/* The picture may have jumped while the run was lost. */
static bool has_leapt(const struct intra_motion *m, const struct intra_pose_fit *fit, double pts_s)
{
    return fit->is_good && !m->cut.is_cut && !m->cut.has_jumped &&
           intra_pace_is_leap(&m->pace, step_of(m, fit), pts_s - m->run.pts_s, m->options.radius_m,
                              m->cut.change / m->cut.usual_change);
}

/* Before the fit is taken; steps of frames that follow upon each other, and that are none of coming back. */
static void watch_pace(struct intra_motion *m, const struct intra_pose_fit *fit, double pts_s)
{
    double frame_s = pts_s - m->run.pts_s;
    if (m->mode == MODE_TRACK && !m->run.has_returned && !m->view.is_pan && frame_s > 0)
        intra_pace_add(&m->pace, step_of(m, fit), frame_s);
}

static bool is_blank(const struct intra_pyramid *p, const struct intra_frame *frame)
{
    const struct intra_view_f32 *v = &p->level[4];
    double sum = 0, sum2 = 0, luma = 0;
    int n = 0, m = 0;
    for (int y = 0; y < v->rows; y++)
        for (int x = 0; x < v->cols; x++, n++) {
            double s = intra_row_f32(v, y)[x];
            sum += s;
            sum2 += s * s;
        }
    for (int y = 4; y < frame->y.rows; y += 8)
        for (int x = 4; x < frame->y.cols; x += 8, m++) luma += intra_row_u8(&frame->y, y)[x];
    double mean = sum / n, var = sum2 / n - mean * mean;
    return luma < BLANK_LUMA * m || sqrt(fmax(var, 0)) < BLANK_SPREAD;
}

static void set_placed(struct intra_motion *m, struct entry *e, enum fate fate)
{
    const struct intra_keyframe *kf = &m->run.kfs[m->run.n_kfs - 1];
    struct intra_pose inv = intra_pose_inverse(&kf->cam_from_world);
    e->fate = fate;
    e->kf = kf->id;
    e->cam_from_kf = intra_pose_mul(&m->run.pose, &inv);
}

/* Learn where the camera usually looks; notice the beginning and the end of a pan. */
static void watch_view(struct intra_motion *m, double pts_s)
{
    struct view_habit *v = &m->view;
    struct intra_run *run = &m->run;
    struct intra_pose run_from_cam = intra_pose_inverse(&run->pose);
    double yaw, pitch, u = intra_axis_nearest(&run->axis, run_from_cam.t, run->kfs[run->n_kfs - 1].u);
    look_angles(&run->axis, u, &run_from_cam, &yaw, &pitch);
    if (!v->is_known) *v = (struct view_habit){.is_known = true, .yaw_rad = yaw, .pitch_rad = pitch, .pts_s = pts_s};
    double off = hypot(yaw - v->yaw_rad, pitch - v->pitch_rad);
    double learn = fmin(1, fmax(0, pts_s - v->pts_s) / HABIT_S);
    v->pts_s = pts_s;
    if (v->is_pan) {
        if (off > PAN_END_RAD) return;
        v->is_pan = v->is_off = run->is_held = false;
        m->return_tries = RETURN_TRIES;
        intra_log(INTRA_LOG_DEBUG, "motion", "pan ends at %.2f s", pts_s);
        return;
    }
    if (off > OFF_RAD && !v->is_off) {
        v->is_off = true;
        v->off_at = run_from_cam.t;
    }
    bool has_moved = v->is_off && intra_norm(intra_sub(run_from_cam.t, v->off_at)) > PAN_WAY_REL * run->options.radius_m;
    if (off <= OFF_RAD || has_moved) v->is_off = false;
    if (v->is_off && off > PAN_RAD) {
        v->is_pan = run->is_held = true;
        intra_log(INTRA_LOG_DEBUG, "motion", "pan begins at %.2f s", pts_s);
        run->held_at = v->off_at;
    }
    if (v->is_off) return;
    v->yaw_rad += learn * (yaw - v->yaw_rad);
    v->pitch_rad += learn * (pitch - v->pitch_rad);
}

static enum intra_status set_anchor(struct intra_motion *m, struct intra_error *err)
{
    struct intra_vec3 here = intra_pose_inverse(&m->run.pose).t;
    if (m->view.is_off || m->run.is_boot) return INTRA_OK;
    for (int i = 0; i < N_ANCHORS && i < m->n_anchors; i++) {
        struct intra_vec3 there = intra_pose_inverse(&m->anchors[i].cam_from_world).t;
        if (intra_norm(intra_sub(here, there)) < ANCHOR_STEP_REL * m->run.options.radius_m) return INTRA_OK;
    }
    return intra_anchor_take(&m->anchors[m->n_anchors++ % N_ANCHORS], &m->run, err);
}

/* Anchor k back from the last one; NULL: not there. */
static const struct intra_anchor *anchor_back(const struct intra_motion *m, int k)
{
    if (k >= m->n_anchors || k >= N_ANCHORS) return NULL;
    return &m->anchors[(m->n_anchors - 1 - k) % N_ANCHORS];
}

static enum intra_status take_fit(struct intra_motion *m, struct intra_frame *frame, const struct intra_pose_fit *fit,
                                  struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    bool is_kf;
    m->n_fits++;
    m->cut.is_cut = m->cut.has_jumped = false;
    m->cut.usual_share += (sure_share(fit) - m->cut.usual_share) / (m->cut.usual_share > 0 ? CUT_HABIT : 1);
    m->n_weak += fit->n_inlier < 0.5 * fit->n_visible;
    watch_pace(m, fit, frame->pts_s);
    INTRA_TRY(intra_run_accept(&m->run, &m->pyramid, fit, frame->index, frame->pts_s, &is_kf, err));
    if (is_kf) INTRA_TRY(keep_picture(m, frame, err));
    if (m->run.has_turned) m->view = (struct view_habit){0};
    m->run.has_turned = false;
    watch_view(m, frame->pts_s);
    if (is_kf) INTRA_TRY(set_anchor(m, err));
    set_placed(m, &m->entries[m->n_entries - 1], FATE_POSED);
    for (int64_t i = 0; i < m->n_entries; i++) /* what was lost on the way stays lost */
        if (m->entries[i].fate == FATE_OPEN) m->entries[i].fate = FATE_LOST;
    m->mode = MODE_TRACK;
    m->lost_frames = 0;
    intra_boot_clear(&m->boot);
    m->boot_next = 10;
    INTRA_TRY(flush(m, false, err));
done:
    return status;
}

/* A reading that is not sure frees nothing: the camera is where the last sure ones had it, or has driven on from there.
 */
static enum intra_status find_way_back(struct intra_motion *m, double pts_s, struct intra_error *err)
{
    struct way_back now = {.pts_s = pts_s};
    int64_t n;
    if (m->mode != MODE_LOST || m->way_back.pts_s < m->lost_since_s) m->way_back.is_known = false; /* of another loss */
    if (!m->options.counter || m->mode != MODE_LOST || pts_s - m->lost_since_s < LOST_BEYOND_COUNTER_S) return INTRA_OK;
    const struct intra_counter_reading *readings = intra_counter_queue_readings(m->options.counter, &n);
    enum intra_status status =
        intra_counter_place(readings, n, &m->run, pts_s, &now.is_known, &now.arc_m, &now.within_m, err);
    if (now.is_known) m->way_back = now;
    return status;
}

/* more_m: that it may lie farther from there. */
static enum intra_status is_on_way_back(struct intra_motion *m, double pts_s, const struct intra_pose *cam_from_run,
                                        double more_m, bool *out, struct intra_error *err)
{
    const struct way_back *way = &m->way_back;
    double arc, within_m = way->within_m + more_m + WAY_BACK_M_S * (pts_s - way->pts_s);
    *out = true;
    if (!way->is_known) return INTRA_OK;
    struct intra_vec3 at = intra_pose_inverse(cam_from_run).t;
    double u = intra_axis_nearest(&m->run.axis, at, m->run.kfs[m->run.n_kfs - 1].u);
    enum intra_status status = intra_run_arc(&m->run, u, &arc, err);
    *out = status == INTRA_OK && fabs(arc - way->arc_m) < within_m;
    return status;
}

/* Try to place a frame in the old run: where it was, where it was going, and, when trying hard, farther off and at the
 * anchors; but not where the distance counter has left. */
static enum intra_status relocate(struct intra_motion *m, const struct intra_frame *frame, bool try_hard,
                                  struct intra_pose_fit *best, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    bool is_there;
    const struct intra_anchor *anchor;
    double share = m->cut.is_cut ? CUT_RETURN_SHARE : RELOCATE_SHARE, hard = m->cut.is_cut ? CUT_RETURN_SHARE : RELOCATE_HARD_SHARE;
    double near_m = m->options.radius_m; /* a fit to an anchor may end so far from it */
    INTRA_TRY(find_way_back(m, frame->pts_s, err));
    for (int k = 0; k < 2; k++) {
        struct intra_pose guess = k == 1 ? intra_run_predict(&m->run, frame->pts_s) : m->run.pose;
        intra_run_fit(&m->run, &m->pyramid, &guess, 4, best);
        if (!best->is_good || !(best->n_inlier > share * best->n_visible)) continue;
        INTRA_TRY(is_on_way_back(m, frame->pts_s, &best->cam_from_run, 0, &is_there, err));
        if (is_there) goto done;
    }
    best->is_good = false;
    for (int k = 0; m->mode == MODE_LOST && (anchor = anchor_back(m, k)) != NULL; k++) {
        INTRA_TRY(is_on_way_back(m, frame->pts_s, &anchor->cam_from_world, near_m, &is_there, err));
        if (!is_there) continue;
        INTRA_TRY(intra_run_return(&m->run, anchor, &m->pyramid, &anchor->cam_from_world, false, share, best, err));
        if (best->is_good) goto done;
    }
    if (!try_hard) goto done;
    intra_run_fit_hard(&m->run, &m->pyramid, &m->run.pose, hard, best);
    if (best->is_good) {
        INTRA_TRY(is_on_way_back(m, frame->pts_s, &best->cam_from_run, 0, &is_there, err));
        best->is_good = is_there;
    }
    if (best->is_good || m->mode != MODE_LOST || m->n_anchors == 0) goto done;
    int n = m->n_anchors < N_ANCHORS ? m->n_anchors : N_ANCHORS;
    anchor = anchor_back(m, m->lost_frames / 3 % n);
    INTRA_TRY(is_on_way_back(m, frame->pts_s, &anchor->cam_from_world, near_m, &is_there, err));
    if (is_there)
        INTRA_TRY(intra_run_return(&m->run, anchor, &m->pyramid, &anchor->cam_from_world, true, share, best, err));
done:
    return status;
}

/* After a pan: back to the points that were followed before it, rather than on with what was made on the way. */
static enum intra_status return_from_pan(struct intra_motion *m, const struct intra_frame *frame, struct intra_pose_fit *out,
                                         struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_anchor *anchor;
    struct intra_pose guess = intra_run_predict(&m->run, frame->pts_s);
    out->is_good = false;
    m->return_tries--;
    for (int k = 0; k < 2 && (anchor = anchor_back(m, k)) != NULL && !out->is_good; k++)
        INTRA_TRY(intra_run_return(&m->run, anchor, &m->pyramid, &guess, false, RELOCATE_SHARE, out, err));
    if (out->is_good) m->return_tries = 0;
done:
    return status;
}

/* A start succeeded: its frames get their places, frames between them lie on the way. */
static enum intra_status adopt(struct intra_motion *m, struct intra_run *run, const struct intra_boot_frame *frames,
                               struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    int64_t last = -1;
    if (m->has_run) {
        struct intra_run fresh = *run;
        memset(run, 0, sizeof *run);
        status = end_run(m, &fresh, err);
        if (status != INTRA_OK) {
            intra_run_fini(&fresh);
            return status;
        }
        *run = fresh;
    }
    m->run = *run;
    m->has_run = true;
    m->cut.is_cut = m->cut.has_jumped = false;
    m->cut.usual_share = 0;
    memset(run, 0, sizeof *run);
    m->n_settled = 0;
    m->placement.segment = m->n_runs++;
    if (m->placement.segment == 0) {
        m->placement.world_from_run = intra_pose_identity();
        m->placement.station_offset_m = m->options.start_station_m;
    }
    for (int i = 0; i < m->boot.n; i++)
        if (frames[i].is_posed && frames[i].is_keyframe) INTRA_TRY(keep_picture(m, m->boot.frames[i], err));
    for (int i = 0; i < m->boot.n; i++)
        for (int64_t k = last + 1; k < m->n_entries; k++) {
            struct entry *e = &m->entries[k];
            if (e->index != m->boot.frames[i]->index) continue;
            if (!frames[i].is_posed) break;
            e->fate = FATE_POSED;
            e->kf = frames[i].kf;
            e->cam_from_kf = frames[i].cam_from_kf;
            for (int64_t g = last + 1; last >= 0 && g < k; g++) {
                /* Between two buffered frames: on the geodesic between them, in run coordinates. */
                struct entry *between = &m->entries[g], *from = &m->entries[last];
                if ((between->fate != FATE_OPEN && between->fate != FATE_REPEAT)) continue;
                const struct intra_pose *kf0 = &m->run.kfs[from->kf].cam_from_world;
                const struct intra_pose *kf1 = &m->run.kfs[e->kf].cam_from_world;
                struct intra_pose a = intra_pose_mul(&from->cam_from_kf, kf0), b = intra_pose_mul(&e->cam_from_kf, kf1);
                double t = (between->pts_s - from->pts_s) / (e->pts_s - from->pts_s);
                struct intra_pose mid = intra_pose_lerp(&a, &b, t), inv = intra_pose_inverse(kf0);
                between->cam_from_kf = intra_pose_mul(&mid, &inv);
                between->kf = from->kf;
                if (between->fate == FATE_OPEN) between->fate = FATE_POSED;
            }
            last = k;
            break;
        }
    intra_boot_clear(&m->boot);
    m->boot_next = 10;
    m->mode = MODE_TRACK;
    m->reason[0] = 0;
    for (int64_t k = 0; k < m->n_entries; k++)
        if (m->entries[k].fate == FATE_OPEN) m->entries[k].fate = FATE_LOST;
    INTRA_TRY(flush(m, false, err));
done:
    return status;
}

static enum intra_status try_boot(struct intra_motion *m, struct intra_frame *frame, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    enum intra_boot_verdict verdict;
    struct intra_run run = {0};
    struct intra_boot_frame frames[INTRA_BOOT_MAX];
    char reason[160];
    struct intra_run_options options = intra_run_defaults(m->options.radius_m);
    options.may_bend = m->options.is_lens_known;
    options.threads = m->options.threads;
    if (frame->pts_s < m->boot_wait_until_s) return INTRA_OK;
    bool is_in = intra_boot_put(&m->boot, frame);
    if (!is_in || m->boot.n < m->boot_next) return INTRA_OK;
    INTRA_TRY(intra_boot_try(&m->boot, &options, m->camera, m->mask, m->log_shading, &m->pyramid, &verdict, &run, frames,
                             reason, err));
    if (m->n_runs == 0) memcpy(m->reason, reason, sizeof reason);
    if (verdict == INTRA_BOOT_STARTED) {
        m->boot.fails = 0;
        INTRA_TRY(adopt(m, &run, frames, err));
    } else if (verdict == INTRA_BOOT_NOT_A_PIPE && m->boot.n >= INTRA_BOOT_MAX / 2) {
        /* Begin afresh with later frames, and less eagerly each time. */
        int fails = m->boot.fails + 1;
        intra_boot_clear(&m->boot);
        m->boot.fails = fails;
        m->boot_next = 10;
        m->boot_wait_until_s = frame->pts_s + fmin(0.2 * fails, 4);
    } else
        m->boot_next = m->boot.n < INTRA_BOOT_MAX ? (m->boot.n + 8 < INTRA_BOOT_MAX ? m->boot.n + 8 : INTRA_BOOT_MAX)
                                                  : INTRA_BOOT_MAX;
done:
    intra_run_fini(&run);
    return status;
}

/* Fit a frame of a zoom from where the last one was, or, when that is lost, from any magnification. */
static void fit_zoom(struct intra_motion *m, struct intra_pose_fit *out)
{
    static const double others[] = {1, 1.25, 1.6, 2, 2.6};
    struct zoom_watch *z = &m->zoom;
    const struct intra_pose *guess = z->is_on ? &z->pose : &m->run.pose;
    intra_run_fit_zoom(&m->run, &m->pyramid, guess, z->is_on ? z->zoom : 1, out);
    for (size_t i = 0; z->is_on && !out->is_good && i < sizeof others / sizeof *others; i++) {
        intra_run_fit_zoom(&m->run, &m->pyramid, guess, others[i], out);
        out->is_good = out->is_good && out->n_inlier > RELOCATE_SHARE * out->n_visible;
    }
}

/* Whether a frame that `drive` explains too is the first of a zoom: that must explain it better. */
static bool begins_zoom(const struct intra_pose_fit *drive, const struct intra_pose_fit *zoomed)
{
    return zoomed->is_good && fabs(log(zoomed->zoom)) > ZOOM_BEGIN && zoomed->cost < ZOOM_BETTER * drive->cost;
}

/* Follow a frame of a zoom as a drive too. True: that explains it better (as well, where the zoom is back at 1), so
 * that it was one from the beginning. */
static bool drives_after_all(struct intra_motion *m, const struct intra_pose_fit *zoomed, struct intra_pose_fit *drive)
{
    struct zoom_watch *z = &m->zoom;
    if (!z->has_drive) return false;
    struct intra_pose inv = intra_pose_inverse(&z->drive_before), step = intra_pose_mul(&z->drive, &inv),
                      guess = intra_pose_mul(&step, &z->drive);
    intra_run_fit(&m->run, &m->pyramid, &guess, 1, drive);
    z->has_drive = drive->is_good;
    z->drive_before = z->drive;
    z->drive = drive->cam_from_run;
    double worse = fabs(log(zoomed->zoom)) > ZOOM_END ? ZOOM_BETTER : 1;
    return drive->is_good && (!zoomed->is_good || drive->cost < worse * zoomed->cost);
}

/* The frames of this zoom lie where the drive had them. */
static void place_driven(struct intra_motion *m)
{
    for (int64_t i = m->n_entries - 1; i >= 0; i--) {
        struct entry *e = &m->entries[i];
        if (e->index < m->zoom.first) break;
        if (e->fate != FATE_ZOOMED || !e->has_drive) continue;
        e->fate = FATE_POSED;
        e->cam_from_kf = e->drive_from_kf;
    }
}

static void set_zoomed(struct intra_motion *m, const struct intra_pose *drive)
{
    struct entry *e = &m->entries[m->n_entries - 1];
    set_placed(m, e, FATE_ZOOMED);
    e->has_drive = drive != NULL;
    if (!drive) return;
    struct intra_pose inv = intra_pose_inverse(&m->run.kfs[e->kf].cam_from_world);
    e->drive_from_kf = intra_pose_mul(drive, &inv);
}

/* Follow a frame of a zoom, or see whether one begins: `fit` is then what it is without. True: the frame is dealt with;
 * the camera stands where it stood. False: it is not one of a zoom, and fit is as it was, or the drive's that it is one
 * of after all. */
static bool follow_zoom(struct intra_motion *m, const struct intra_frame *frame, struct intra_pose_fit *fit)
{
    struct zoom_watch *z = &m->zoom;
    struct intra_pose_fit zoomed, drive = *fit;
    bool is_new = !z->is_on;
    fit_zoom(m, &zoomed);
    bool is_zoomed = (is_new ? begins_zoom(fit, &zoomed) : zoomed.is_good && fabs(log(zoomed.zoom)) > ZOOM_END) &&
                     !is_cut(m, &zoomed);
    intra_log(INTRA_LOG_DEBUG, "motion", "frame %lld: zoom %.3f, %d of %d, noise %.2f, %.2f px, %s",
              (long long)frame->index, zoomed.zoom, zoomed.n_inlier, zoomed.n_visible, zoomed.noise, zoomed.rms_px,
              is_zoomed ? "zoomed" : "not zoomed");
    if (is_new && is_zoomed) {
        z->has_drive = true;
        z->first = frame->index;
        z->drive_before = m->run.pose;
        z->drive = fit->cam_from_run;
    } else if (!is_new && drives_after_all(m, &zoomed, &drive)) {
        intra_log(INTRA_LOG_DEBUG, "motion", "frame %lld: no zoom, but a drive", (long long)frame->index);
        z->is_on = false;
        z->not_before_s = frame->pts_s + NO_ZOOM_S;
        place_driven(m);
        *fit = drive;
        return false;
    }
    if (is_zoomed) {
        z->is_on = true;
        z->zoom = zoomed.zoom;
        z->pose = zoomed.cam_from_run;
        z->seen_s = frame->pts_s;
        set_zoomed(m, z->has_drive ? &z->drive : NULL);
        return true;
    }
    if (is_new) return false;
    if (!zoomed.is_good && !has_picture_jumped(&m->cut) && frame->pts_s - z->seen_s < LOST_IN_PAN_S)
        return true; /* it will come back */
    z->is_on = false;
    m->return_tries = RETURN_TRIES;
    return false;
}

static bool seems_zoomed(const struct intra_motion *m, const struct intra_pose_fit *fit, double pts_s)
{
    double off = fabs(fit->zoom_off);
    if (m->is_wide || pts_s < m->zoom.not_before_s) return false;
    return off > ZOOM_OFF && off > ZOOM_OFF_SDS * fit->zoom_off_sd;
}

/* The first frame of a loss, and one each PICTURE_S. */
static enum intra_status show(struct intra_motion *m, const struct intra_frame *frame, const struct intra_pose_fit *fit,
                              struct intra_error *err)
{
    bool is_due = fit->is_good ? frame->pts_s >= m->picture_s : m->mode == MODE_TRACK;
    if (!m->options.debug_dir || !is_due || m->n_pictures == MOST_PICTURES) return INTRA_OK;
    m->n_pictures++;
    if (fit->is_good) m->picture_s = frame->pts_s + PICTURE_S;
    return intra_motion_picture_write(m->options.debug_dir, frame, &m->run, fit, err);
}

enum intra_status intra_motion_process(struct intra_motion *m, struct intra_frame *frame, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_error trouble = {0};
    struct intra_pose_fit fit = {0};
    INTRA_TRY(push_entry(m, frame, FATE_OPEN, err));
    struct entry *e = &m->entries[m->n_entries - 1];
    if (frame->is_repeat) {
        e->fate = FATE_REPEAT;
        if (m->mode == MODE_TRACK && m->has_run && !m->zoom.is_on) set_placed(m, e, FATE_REPEAT);
        return flush(m, false, err);
    }
    intra_pyramid_build(&m->pyramid, &frame->y, m->log_shading, m->options.threads);
    watch_change(m);
    if (is_blank(&m->pyramid, frame)) {
        e->fate = FATE_NOT_PIPE;
        if (m->mode == MODE_START) snprintf(m->reason, sizeof m->reason, "the picture is black or empty");
        if (m->mode == MODE_TRACK) {
            m->mode = MODE_LOST;
            m->lost_since_s = frame->pts_s;
        }
        intra_boot_clear(&m->boot);
        return flush(m, false, err);
    }
    if (m->mode != MODE_TRACK && has_picture_jumped(&m->cut)) m->cut.has_jumped = true;
    if (m->mode != MODE_TRACK && m->cut.change > OTHER_PICTURE) {
        /* A start over it would fail, and the frames behind it be lost too. A camera that sets off is no reason. */
        intra_boot_clear(&m->boot);
        m->boot_next = 10;
        m->boot_wait_until_s = 0;
    }
    if (m->mode == MODE_START) {
        INTRA_TRY(try_boot(m, frame, err));
        goto done;
    }
    m->run.has_dark = intra_dark_direction(frame, m->camera, m->mask, &m->run.dark);
    if (m->zoom.is_on && follow_zoom(m, frame, &fit)) return flush(m, false, err);
    if (m->mode == MODE_TRACK && !fit.is_good) {
        struct intra_pose guess = intra_run_predict(&m->run, frame->pts_s);
        if (m->return_tries > 0) INTRA_TRY(return_from_pan(m, frame, &fit, err));
        if (!fit.is_good) intra_run_fit(&m->run, &m->pyramid, &guess, 1, &fit);
        if (has_leapt(m, &fit, frame->pts_s)) fit.is_good = false;
        if (!fit.is_good) INTRA_TRY(relocate(m, frame, true, &fit, err));
        if (fit.is_good && seems_zoomed(m, &fit, frame->pts_s)) {
            if (follow_zoom(m, frame, &fit)) return flush(m, false, err);
            intra_run_fit(&m->run, &m->pyramid, &fit.cam_from_run, 1, &fit); /* its matches again */
        }
        m->cut.is_cut = is_cut(m, &fit);
        if (m->cut.is_cut) fit.is_good = m->run.has_returned = false;
    } else if (m->mode == MODE_LOST)
        INTRA_TRY(relocate(m, frame, m->lost_frames % 3 == 0, &fit, err));
    if (has_leapt(m, &fit, frame->pts_s)) fit.is_good = m->run.has_returned = false;
    intra_log(INTRA_LOG_DEBUG, "motion",
              "frame %lld: %d of %d, noise %.2f, %.2f px, %s; %d sure, change %.1f, zoom %+.4f (%.4f)",
              (long long)frame->index, fit.n_inlier, fit.n_visible, fit.noise, fit.rms_px,
              fit.is_good ? "good" : "lost", fit.n_sure,
              m->cut.usual_change > 0 ? m->cut.change / m->cut.usual_change : 0, fit.zoom_off, fit.zoom_off_sd);
    INTRA_TRY(show(m, frame, &fit, err));
    if (fit.is_good) {
        status = take_fit(m, frame, &fit, &trouble);
        if (status != INTRA_E_DEGENERATE) {
            if (status != INTRA_OK && err) *err = trouble;
            goto done;
        }
        intra_log(INTRA_LOG_WARNING, "motion", "frame %lld: %s", (long long)frame->index, trouble.text);
        status = INTRA_OK;
    }
    if (m->mode == MODE_TRACK) {
        m->mode = MODE_LOST;
        m->lost_since_s = frame->pts_s;
        m->lost_frames = 0;
    }
    m->lost_frames++;
    bool is_elsewhere = m->cut.is_cut || m->cut.has_jumped; /* there is no way back to wait for */
    double lost_s = frame->pts_s - m->lost_since_s, patience_s = m->view.is_pan ? LOST_IN_PAN_S : LOST_BEFORE_BOOT_S;
    if (is_elsewhere || lost_s > patience_s) INTRA_TRY(try_boot(m, frame, err));
done:
    return status;
}

enum intra_status intra_motion_finish(struct intra_motion *m, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    INTRA_TRY(end_run(m, NULL, err));
    INTRA_TRY(flush(m, true, err));
done:
    return status;
}
