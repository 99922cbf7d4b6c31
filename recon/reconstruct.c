/* The line: a first look (what stands still), then one streaming pass (motion, wall), then sections and rasters.
 *
 * The video decodes ahead on its own threads, motion runs in the caller's thread, the wall behind it on another
 * (recon/wall_queue), the distance counter beside both (recon/counter_queue). Memory: frames of the decoder's queue and of the unsettled keyframes;
 * scratch rasters hold the rest. */
#include "recon/reconstruct.h"

#include "core/log.h"
#include "core/mem.h"
#include "recon/bends.h"
#include "recon/counter_queue.h"
#include "recon/joints.h"
#include "recon/laterals.h"
#include "recon/lens_fit.h"
#include "recon/lens_run.h"
#include "recon/motion.h"
#include "recon/pixel_shape.h"
#include "recon/roll_signs.h"
#include "recon/states.h"
#include "recon/still.h"
#include "recon/wall.h"
#include "recon/wall_queue.h"
#include "recon/water.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifdef _OPENMP
#include <omp.h>
#endif

#define WEAK_SHARE 0.1 /* of the frames; on simulated pipes that come out right it stays below 0.03 */

#define MOST_APART_REL 0.05  /* counter against picture: beyond, one of them means something else */
#define ROUGH_SD_REL 0.1     /* of that, good enough to say how wide a gap is */
#define FITTED_LENS_SD_REL 0.01 /* of the way by a fitted lens, at least: in smooth pipes it is 1 to 2 % off */
#define LEAST_TURN_RAD 0.002 /* turns below move no cell of the wall */
#define CAMERA_STEP_M 0.01   /* of the way between two looks at how the camera stands */
#define RING_REACH 0.5         /* radii to both sides of a joint that must be of one stretch */
#define LEAST_OFF_M 0.001    /* offsets below are not worth the copying */
#define PLACED_SD_M 0.1      /* a stretch known better than that is placed by the counter, not by assumption */
#define LENS_OFF_REL 0.01    /* the lens of the run against that of its beginning: beyond, and beyond */
#define LENS_OFF_SDS 3.0     /* so many deviations, the run should be followed again */
#define STRETCHED_REL 0.02   /* a stretch that changes by more than this is spoken of */

struct scale_sum {
    double way_m, sd_way, last_m; /* way, and way times deviation of the scale */
    double wander_way, wander_n;  /* sum of wander_way_m over frames, and how many */
};

struct line {
    struct intra_scene *scene;
    struct intra_wallmap *wall;
    struct intra_wall_queue *queue;
    struct intra_view_angle *angles;
    int64_t cap_angles;
    struct scale_sum *scales; /* by segment */
    int n_scales, cap_scales;
    struct intra_station_ring *rings; /* that look like joints' before the stations are settled, in their order */
    int64_t n_rings;
    struct intra_frame *last_picture; /* of the last settled keyframe: at the end of a run it gives all it sees */
    struct intra_keyframe last_kf;
    struct intra_lens_run lens_run;
    bool is_lens_run; /* the lens was fitted, and is fitted on */
};

struct intra_reconstruct_options intra_reconstruct_defaults(void)
{
    struct intra_reconstruct_options o = {.section_step_m = 0.05, .cut_rad = M_PI, .has_counter = true, .scratch_dir = "/tmp"};
    o.video = intra_video_defaults();
    return o;
}

static double clock_s(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void add_stage(struct intra_reconstruct_report *report, const char *name, double wall_s, double cpu_s, int64_t items)
{
    if (report->n_stages == INTRA_MAX_STAGES) return;
    report->stages[report->n_stages].name = name;
    report->stages[report->n_stages].wall_s = wall_s;
    report->stages[report->n_stages].cpu_s = cpu_s;
    report->stages[report->n_stages++].items = items;
}

static void warn(struct intra_reconstruct_report *report, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void warn(struct intra_reconstruct_report *report, const char *format, ...)
{
    va_list args;
    if (report->n_warnings == INTRA_MAX_WARNINGS) return;
    va_start(args, format);
    vsnprintf(report->warnings[report->n_warnings], sizeof report->warnings[0], format, args);
    va_end(args);
    intra_log(INTRA_LOG_WARNING, "reconstruct", "%s", report->warnings[report->n_warnings++]);
}

static enum intra_status add_scale(struct line *line, const struct intra_motion_frame *frame, struct intra_error *err)
{
    if (!frame->is_posed || !isfinite(frame->scale_sd_rel)) return INTRA_OK;
    while (line->n_scales <= frame->segment) {
        if (line->n_scales == line->cap_scales) {
            int cap = line->cap_scales ? 2 * line->cap_scales : 8;
            struct scale_sum *s = intra_resize(line->scales, (size_t)line->n_scales, (size_t)cap, sizeof *s);
            if (!s) return INTRA_FAIL(err, INTRA_E_MEM, "out of memory for %d stretches", cap);
            line->scales = s;
            line->cap_scales = cap;
        }
        line->scales[line->n_scales++] = (struct scale_sum){.last_m = NAN};
    }
    struct scale_sum *s = &line->scales[frame->segment];
    double way = isnan(s->last_m) ? 0 : fabs(frame->station_m - s->last_m);
    s->last_m = frame->station_m;
    s->way_m += way;
    s->sd_way += way * frame->scale_sd_rel;
    if (isfinite(frame->wander_way_m)) s->wander_way += frame->wander_way_m, s->wander_n++;
    return INTRA_OK;
}

static enum intra_status on_frame(void *user, const struct intra_motion_frame *frame, struct intra_error *err)
{
    struct line *line = user;
    struct intra_frame_record r = {.index = frame->index,
                                   .pts_s = frame->pts_s,
                                   .state = frame->state,
                                   .is_posed = frame->is_posed,
                                   .segment = frame->segment,
                                   .world_from_cam = frame->world_from_cam,
                                   .station_m = frame->station_m,
                                   .station_sd_m = frame->station_sd_m,
                                   .roll_sd_rad = NAN,
                                   .counter_m = NAN};
    int64_t n = line->scene->n_frames;
    if (n == line->cap_angles) {
        int64_t cap = line->cap_angles ? 2 * line->cap_angles : 1024;
        struct intra_view_angle *a = intra_resize(line->angles, (size_t)n, (size_t)cap, sizeof *a);
        if (!a) return INTRA_FAIL(err, INTRA_E_MEM, "out of memory for %lld frames", (long long)cap);
        line->angles = a;
        line->cap_angles = cap;
    }
    line->angles[n] =
        (struct intra_view_angle){.yaw_rad = NAN, .pitch_rad = NAN, .wander_sd_rel = NAN, .roll_walk_rad2_m = NAN};
    if (frame->is_posed)
        line->angles[n] = (struct intra_view_angle){.yaw_rad = (float)frame->yaw_rad,
                                                    .pitch_rad = (float)frame->pitch_rad,
                                                    .wander_sd_rel = (float)frame->wander_sd_rel,
                                                    .is_by_counter = frame->is_by_counter,
                                                    .is_apart = frame->is_apart,
                                                    .roll_walk_rad2_m = (float)frame->roll_walk_rad2_m};
    enum intra_status status = add_scale(line, frame, err);
    return status == INTRA_OK ? intra_scene_add_frame(line->scene, &r, err) : status;
}

static enum intra_status on_keyframe(void *user, struct intra_run *run, const struct intra_placement *placement,
                                     const struct intra_keyframe *kf, struct intra_frame *picture, struct intra_error *err)
{
    struct line *line = user;
    intra_frame_release(&line->last_picture);
    line->last_picture = intra_frame_retain(picture);
    line->last_kf = *kf;
    if (line->is_lens_run) {
        enum intra_status status = intra_lens_run_keyframe(&line->lens_run, run, placement, kf, err);
        if (status != INTRA_OK) return status;
    }
    return intra_wall_queue_view(line->queue, run, placement, kf, picture, false, err);
}

static enum intra_status on_samples(void *user, struct intra_run *run, const struct intra_placement *placement,
                                    const struct intra_wall_sample *samples, int n, struct intra_error *err)
{
    struct line *line = user;
    return intra_wall_queue_samples(line->queue, run, placement, samples, n, err);
}

static enum intra_status on_run_end(void *user, struct intra_run *run, const struct intra_placement *placement,
                                    struct intra_error *err)
{
    struct line *line = user;
    if (line->last_picture) {
        enum intra_status status =
            intra_wall_queue_view(line->queue, run, placement, &line->last_kf, line->last_picture, true, err);
        if (status != INTRA_OK) return status;
        intra_frame_release(&line->last_picture);
    }
    if (line->is_lens_run) {
        enum intra_status status = intra_lens_run_end(&line->lens_run, run, err);
        if (status != INTRA_OK) return status;
    }
    return intra_wall_queue_end_run(line->queue, run, placement, err);
}

static int thread_count(int wanted)
{
#ifdef _OPENMP
    return wanted > 0 ? wanted : omp_get_num_procs();
#else
    (void)wanted;
    return 1;
#endif
}

static enum intra_status stream(const char *path, const struct intra_reconstruct_options *options,
                                struct intra_motion *motion, struct intra_counter_queue *counter,
                                const struct intra_progress *progress, struct intra_reconstruct_report *report,
                                struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_video *video = NULL;
    struct intra_frame *frame = NULL;
    bool was_lost = false;
    INTRA_TRY(intra_video_open(path, &options->video, &video, err));
    double total = report->video.duration_s;
    if (options->video.to_s > 0 && options->video.to_s < total) total = options->video.to_s;
    for (;;) {
        status = intra_video_next(video, &frame, err);
        if (status == INTRA_EOF) break;
        if (status != INTRA_OK) goto done;
        INTRA_TRY(intra_motion_process(motion, frame, err));
        bool is_lost = intra_motion_is_lost(motion);
        if (counter) INTRA_TRY(intra_counter_queue_frame(counter, frame, is_lost && !was_lost, err));
        was_lost = is_lost;
        intra_progress_report(progress, "follow", frame->pts_s - options->video.from_s,
                              fmax(total - options->video.from_s, frame->pts_s - options->video.from_s));
        intra_frame_release(&frame);
    }
    status = INTRA_OK;
    intra_video_counts(video, &report->counts);
    INTRA_TRY(intra_motion_finish(motion, err));
done:
    intra_frame_release(&frame);
    intra_video_close(&video);
    return status;
}

/* What the counter read. No data for reading text is no reason to fail: the columns stay empty. */
static enum intra_status fill_counter(struct intra_counter_queue *queue, struct intra_scene *scene,
                                      struct intra_reconstruct_report *report, struct intra_error *err)
{
    struct intra_error error = {0};
    const struct intra_counter *counter;
    enum intra_status status = intra_counter_queue_finish(queue, &counter, &error);
    if (status == INTRA_E_UNSUPPORTED) {
        warn(report, "the distance counter was not read: %.200s", error.text);
        return INTRA_OK;
    }
    if (status != INTRA_OK) {
        if (err) *err = error;
        return status;
    }
    const struct intra_counter_reading *readings = intra_counter_readings(counter, &report->counter_looked);
    for (int64_t i = 0; i < report->counter_looked; i++) report->counter_read += !isnan(readings[i].value_m);
    intra_counter_fill(counter, scene->frames, scene->n_frames);
    intra_log(INTRA_LOG_INFO, "counter", "distance counter: %lld of %lld frames looked at were read",
              (long long)report->counter_read, (long long)report->counter_looked);
    return INTRA_OK;
}

/* The camera's own way of telling the diameter: a calibrated lens sees v / R, the counter tells v. The nominal one goes on setting the
 * scale; an assumed or fitted lens was scaled to it. */
static enum intra_status measure_diameter(struct intra_scene *scene, bool is_calibrated,
                                          struct intra_reconstruct_report *report, struct intra_error *err)
{
    struct intra_scale_fit fit;
    enum intra_status status = is_calibrated ? intra_scale_of_frames(scene->frames, scene->n_frames, &fit, err) : INTRA_OK;
    if (status != INTRA_OK || !is_calibrated || !fit.is_known) return status;
    /* 0.2 %: the scale of the window adjustment, as in the deviation of a station. */
    double picture = hypot(scene->camera.focal_sd_rel, 0.002), off = fit.scale - 1;
    double sd_rel = hypot(hypot(fit.sd_rel, INTRA_COUNTER_SD_REL), picture);
    report->measured_diameter_m = scene->nominal_diameter_m * fit.scale;
    report->measured_diameter_sd_m = report->measured_diameter_m * sd_rel;
    intra_log(INTRA_LOG_INFO, "scale", "diameter by lens and distance counter: %.1f mm (sd %.1f), nominal %.1f mm",
              1e3 * report->measured_diameter_m, 1e3 * report->measured_diameter_sd_m, 1e3 * scene->nominal_diameter_m);
    if (fabs(off) > 0.02 && fabs(off) > 3 * sd_rel)
        warn(report, "lens and distance counter make the diameter %.1f mm (sd %.1f), not the nominal %.1f mm: the nominal diameter, "
                     "the lens calibration or the counter is wrong (scale alone cannot tell which); all lengths rest on the nominal one",
             1e3 * report->measured_diameter_m, 1e3 * report->measured_diameter_sd_m, 1e3 * scene->nominal_diameter_m);
    return INTRA_OK;
}

/* Says where counter and picture part at once. */
static enum intra_status tell_jump(const struct intra_scene *scene, struct intra_reconstruct_report *report,
                                   struct intra_error *err)
{
    struct intra_counter_jump jump;
    enum intra_status status = intra_counter_jump_find(scene->frames, scene->n_frames, &jump, err);
    if (status != INTRA_OK || !jump.is_found) return status;
    report->has_counter_jump = true;
    warn(report,
         "at %.1f s the distance counter goes from %.2f to %.2f m, the picture on by %.2f m: a cut that was not noticed (then "
         "stations behind it are wrong: give --to and --from for the parts), or a counter that was set anew",
         scene->frames[jump.frame].pts_s, jump.from_m, jump.to_m, jump.picture_m);
    return INTRA_OK;
}

/* Says where the counter changed a stretch by more than STRETCHED_REL. */
static void tell_stretched(const struct line *line, const struct intra_station_map *map,
                           struct intra_reconstruct_report *report)
{
    for (int64_t i = 0, k; i < map->n; i = k) {
        for (k = i; k < map->n && map->knots[k].segment == map->knots[i].segment; k++) continue;
        const struct intra_station_knot *a = &map->knots[i], *b = &map->knots[k - 1];
        double way = b->station_m - a->station_m, rel = way > 0 ? (b->off_m - a->off_m) / way : 0;
        const struct scale_sum *s = a->segment < line->n_scales ? &line->scales[a->segment] : NULL;
        double sd = s && s->way_m > 0 ? s->sd_way / s->way_m : NAN;
        intra_log(INTRA_LOG_INFO, "stations", "stretch %d, %.2f to %.2f m: %+.2f %% by counter and joints (picture's deviation %.2f %%), begins %+.1f mm",
                  a->segment, a->station_m + a->off_m, b->station_m + b->off_m, 100 * rel, 100 * sd, 1e3 * a->off_m);
        if (fabs(rel) > STRETCHED_REL)
            warn(report, "stations %.2f to %.2f m were stretched by %+.1f %% after distance counter and joints: the picture alone gave that way with a "
                         "deviation of %.1f %%", a->station_m + a->off_m, b->station_m + b->off_m, 100 * rel, 100 * sd);
    }
}

/* No stretch may come to begin before the one before it ends. */
static bool is_in_order(const struct intra_station_map *map)
{
    for (int64_t i = 1; i < map->n; i++) {
        const struct intra_station_knot *a = &map->knots[i - 1], *b = &map->knots[i];
        bool was = b->station_m >= a->station_m;
        if (was && b->station_m + b->off_m < a->station_m + a->off_m) return false;
    }
    return true;
}

static int compare_rings(const void *a, const void *b)
{
    const struct intra_station_ring *p = a, *q = b;
    if (p->segment != q->segment) return p->segment < q->segment ? -1 : 1;
    return p->station_m < q->station_m ? -1 : p->station_m > q->station_m;
}

/* The joints' rings, by the picture's stations, segment by segment. */
static enum intra_status find_rings(struct line *line, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_wall wall = {0};
    struct intra_joint_place *joints = NULL;
    double radius = line->scene->nominal_diameter_m / 2;
    int64_t n = 0;
    INTRA_TRY(intra_wallmap_colour(line->wall, &wall, err));
    INTRA_TRY(intra_joints_places(&wall, radius, &joints, &n, err));
    INTRA_TRY(INTRA_ALLOC(line->rings, (size_t)n, err));
    for (int64_t i = 0; i < n; i++) {
        double s = joints[i].station_m;
        int segment = intra_wallmap_segment(line->wall, s - RING_REACH * radius, s + RING_REACH * radius);
        if (segment >= 0) line->rings[line->n_rings++] = (struct intra_station_ring){segment, s, joints[i].sd_m};
    }
    if (line->n_rings) qsort(line->rings, (size_t)line->n_rings, sizeof *line->rings, compare_rings);
done:
    intra_raster_destroy(&wall.colour);
    intra_free(joints);
    return status;
}

/* Stations by picture, counter and even joints together (recon/station_fit). *out is empty where there is too little to
 * tell. *out_noise_m: of the counter beyond its digits, slack above all; NaN: the counter had no say. */
static enum intra_status fit_stations(struct line *line, double lens_sd_rel, struct intra_reconstruct_report *report,
                                      struct intra_station_map *out, double *out_noise_m, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_scene *scene = line->scene;
    struct intra_scale_fit scale;
    struct intra_scale_pair *pairs = NULL;
    struct intra_station_reading *readings = NULL;
    struct intra_station_stretch *stretches = NULL;
    struct intra_station_evidence evidence = {
        .n_stretches = line->n_scales, .rings = line->rings, .n_rings = line->n_rings};
    bool *is_outward = NULL;
    int64_t n_pairs = 0;
    INTRA_TRY(intra_scale_of_frames(scene->frames, scene->n_frames, &scale, err));
    /* Few digits over short stretches tell no scale, but what lies between the stretches. */
    double rough_sd = !scale.is_known && scale.is_rough && line->n_scales > 1 ? scale.sd_rel : 0;
    bool has_counter = (scale.is_known || (rough_sd > 0 && rough_sd < ROUGH_SD_REL)) &&
                       fabs(scale.scale - 1) <= MOST_APART_REL + 2 * rough_sd;
    *out_noise_m = has_counter ? scale.noise_m : NAN;
    INTRA_TRY(INTRA_ALLOC(readings, (size_t)scene->n_frames, err));
    INTRA_TRY(INTRA_ALLOC(pairs, (size_t)scene->n_frames, err));
    INTRA_TRY(INTRA_ALLOC(stretches, (size_t)line->n_scales, err));
    INTRA_TRY(INTRA_ALLOC(is_outward, (size_t)scene->n_frames, err));
    intra_counter_outward(scene->frames, scene->n_frames, is_outward);
    for (int64_t i = 0; i < scene->n_frames; i++) {
        const struct intra_frame_record *f = &scene->frames[i];
        bool counts = has_counter && is_outward[i];
        if (!f->is_posed || f->segment < 0) continue;
        readings[evidence.n_readings++] = (struct intra_station_reading){
            f->segment, f->station_m, counts ? f->counter_m : NAN, line->angles[i].wander_sd_rel};
        if (counts) pairs[n_pairs++] = (struct intra_scale_pair){f->station_m, f->counter_m};
    }
    if (evidence.n_readings == 0) goto done;
    for (int i = 0; i < line->n_scales; i++) {
        const struct scale_sum *s = &line->scales[i];
        stretches[i] = (struct intra_station_stretch){i, s->way_m > 0 ? s->sd_way / s->way_m : 0.01,
                                                      s->wander_n > 0 ? s->wander_way / s->wander_n : 0};
    }
    evidence.readings = readings, evidence.stretches = stretches;
    evidence.sign = has_counter && scale.is_falling ? -1 : 1;
    evidence.step_m = has_counter ? intra_scale_step(pairs, n_pairs) : 0;
    evidence.lens_sd_rel = lens_sd_rel;
    INTRA_TRY(intra_station_fit(&evidence, out, err));
    if (!is_in_order(out)) {
        intra_log(INTRA_LOG_INFO, "stations", "distance counter and joints would turn stretches around: they were not used for the stations");
        intra_station_map_fini(out);
    }
    if (out->n && isfinite(out->joints.length_m))
        intra_log(INTRA_LOG_INFO, "stations", "%lld joints, even by %.3f m (%d ways), each to %.1f mm",
                  (long long)evidence.n_rings, out->joints.length_m, out->joints.n, 1e3 * out->joints.sd_m);
    if (out->n) {
        if (has_counter)
            intra_log(INTRA_LOG_INFO, "stations", "%s by %.2f %%",
                      lens_sd_rel > 0 ? "the fitted lens makes ways too short" : "the counter's metre is shorter than the picture's",
                      100 * out->counter_rel);
        tell_stretched(line, out, report);
    }
done:
    intra_free(readings);
    intra_free(pairs);
    intra_free(stretches);
    intra_free(is_outward);
    return status;
}

static int compare_cameras(const void *a, const void *b)
{
    const struct intra_roll_camera *p = a, *q = b;
    if (p->segment != q->segment) return p->segment < q->segment ? -1 : 1;
    return p->station_m < q->station_m ? -1 : p->station_m > q->station_m;
}

/* How the camera stood along the way, each place once. out: room for all frames. */
static int64_t gather_cameras(const struct line *line, struct intra_roll_camera *out)
{
    int64_t n = 0, kept = 0;
    for (int64_t i = 0; i < line->scene->n_frames; i++) {
        const struct intra_frame_record *f = &line->scene->frames[i];
        struct intra_roll_camera c = {
            .segment = f->segment, .station_m = f->station_m, .walk_rad2_m = (double)line->angles[i].roll_walk_rad2_m};
        if (intra_wallmap_stand(line->wall, f, &c.roll_rad, &c.right_m, &c.up_m)) out[n++] = c;
    }
    if (n) qsort(out, (size_t)n, sizeof *out, compare_cameras);
    for (int64_t i = 0; i < n; i++)
        if (kept == 0 || out[i].segment != out[kept - 1].segment ||
            out[i].station_m - out[kept - 1].station_m > CAMERA_STEP_M || i + 1 == n ||
            out[i + 1].segment != out[i].segment)
            out[kept++] = out[i];
    return kept;
}

static int segment_of(const void *user, double from_m, double to_m)
{
    return intra_wallmap_segment(user, from_m, to_m);
}

static void tell_rolls(const struct intra_roll_map *map)
{
    for (int k = 0; k < INTRA_ROLL_SIGNS; k++)
        if (map->n_read[k])
            intra_log(INTRA_LOG_INFO, "roll", "%s: %lld readings, %lld agree, %+.1f degrees beside the others",
                      intra_roll_sign_name((enum intra_roll_sign)k), (long long)map->n_read[k],
                      (long long)map->n_agree[k], 180 / M_PI * map->error_rad[k]);
    for (int64_t i = 0, end; i < map->n; i = end) {
        for (end = i + 1; end < map->n && map->knots[end].segment == map->knots[i].segment; end++)
            continue;
        const struct intra_roll_knot *a = &map->knots[i], *b = &map->knots[end - 1];
        intra_log(INTRA_LOG_INFO, "roll",
                  "stretch %d, %.2f to %.2f m: turned by %+.1f to %+.1f degrees (sd %.1f, %.1f)", a->segment,
                  a->station_m, b->station_m, 180 / M_PI * a->turn_rad, 180 / M_PI * b->turn_rad,
                  180 / M_PI * a->turn_sd_rad, 180 / M_PI * b->turn_sd_rad);
    }
}

/* Clock angles by gravity's signs (recon/roll_signs, recon/roll_fit). *out stays until the wall is finished. Where only
 * the camera's own stand speaks, nothing is turned, and the deviations say how far it may be off. */
static enum intra_status fit_rolls(struct line *line, struct intra_roll_map *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_scene *scene = line->scene;
    struct intra_wall wall = {0};
    struct intra_roll_camera *cameras = NULL;
    struct intra_roll_readings readings = {0};
    INTRA_TRY(INTRA_ALLOC(cameras, (size_t)scene->n_frames + 1, err));
    int64_t n = gather_cameras(line, cameras);
    INTRA_TRY(intra_wallmap_colour(line->wall, &wall, err));
    INTRA_TRY(intra_roll_signs_find(&wall, scene->nominal_diameter_m / 2, cameras, n, segment_of, line->wall, &readings,
                                    err));
    INTRA_TRY(intra_roll_fit(readings.list, readings.n, out, err));
    bool is_signed = out->n_read[INTRA_ROLL_WATER] + out->n_read[INTRA_ROLL_STAIN] + out->n_read[INTRA_ROLL_CAMERA] > 0;
    if (!is_signed || out->most_rad < LEAST_TURN_RAD) intra_roll_map_level(out);
    tell_rolls(out);
    INTRA_TRY(intra_wallmap_turn(line->wall, out, scene->frames, scene->n_frames, err));
    for (int64_t i = 0; i < scene->n_frames; i++) {
        struct intra_frame_record *f = &scene->frames[i];
        if (f->is_posed) (void)intra_roll_turn(out, f->segment, f->station_m, &f->roll_sd_rad);
    }
done:
    intra_raster_destroy(&wall.colour);
    intra_roll_readings_fini(&readings);
    intra_free(cameras);
    return status;
}

/* Deviations of stations by picture and counter, where that is better than the picture's alone: what the fit
 * leaves; the counter's slack, which stays for a way and is no noise that could be averaged away; and what no fit sees:
 * the calibration, where the picture is the measure, and the counter's own scale, where the counter is. A stretch behind a gap that only assumption
 * placed stands where the counter puts it. Before the stations are moved. */
static void state_stations(struct line *line, const struct intra_station_map *map, double noise_m, bool is_measure)
{
    const struct intra_scene *scene = line->scene;
    double least = hypot(noise_m, 0.004 * scene->nominal_diameter_m / 2), measure = is_measure ? INTRA_COUNTER_SD_REL : scene->camera.focal_sd_rel;
    for (int64_t i = 0; i < scene->n_frames; i++) {
        struct intra_frame_record *f = &scene->frames[i];
        double sd;
        if (!isfinite(f->station_m)) continue;
        (void)intra_station_off(map, f->segment, f->station_m, &sd);
        if (!isfinite(sd)) continue;
        if (f->segment > 0 && !line->angles[i].is_by_counter && sd < PLACED_SD_M) {
            line->angles[i].is_by_counter = true;
            f->station_sd_m = INFINITY;
        }
        f->station_sd_m = fmin(f->station_sd_m, hypot(hypot(sd, least), measure * (f->station_m - scene->start_station_m)));
    }
}

/* The lens of the whole run, in place of that of its beginning. stations: of the ways, where the counter is the
 * measure; NULL: they are as the picture gives them, to way_sd_rel. */
static enum intra_status conclude_lens(struct line *line, const struct intra_camera *assumed, bool is_length,
                                       const struct intra_station_map *stations, double way_sd_rel,
                                       struct intra_reconstruct_report *report, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_lens_run_result found;
    bool is_whole = report->is_lens_fitted;
    double way_rel = stations ? stations->counter_rel : 0, sd = stations ? stations->counter_sd_rel : 0;
    double ways = stations ? hypot(sd, INTRA_COUNTER_SD_REL) : is_whole ? way_sd_rel : 0;
    INTRA_TRY(intra_lens_run_conclude(&line->lens_run, way_rel, sd, &found, err));
    if (!is_whole && found.n_pieces && intra_lens_hold_field(assumed, &found.lens, NULL) != INTRA_OK) {
        found.lens = line->lens_run.followed;
        found.n_pieces = 0;
    }
    if (found.n_pieces) {
        if (is_whole) report->focal_sd_rel = hypot(hypot(found.focal_sd_rel, INTRA_LENS_MODEL_SD_REL), ways);
        report->corner_sd_rel = hypot(hypot(found.corner_sd_rel, INTRA_LENS_MODEL_SD_REL), stations ? sd : ways);
    } else {
        report->focal_sd_rel = hypot(report->focal_sd_rel, sd);
        report->corner_sd_rel = hypot(report->corner_sd_rel, sd);
    }
    double change = intra_lens_angle_change(&found.lens, &line->lens_run.followed);
    intra_log(INTRA_LOG_INFO, "lens",
              "of the whole run: f = %.1f px (%+.2f %%, to %.2f %%), %+.2f %% by the counter (sd %.2f %%); angles "
              "%+.2f %% off",
              found.lens.fx, 100 * (found.lens.fx / line->lens_run.followed.fx - 1), 100 * report->focal_sd_rel,
              100 * way_rel, 100 * sd, 100 * change);
    if (fabs(change) > LENS_OFF_REL && fabs(change) > LENS_OFF_SDS * found.change_sd_rel)
        warn(report,
             "over the whole run the lens sees angles %+.1f %% off those of its beginning, with which it was followed: "
             "run again with what came out (--save-camera FILE, then --camera FILE)",
             100 * change);
    intra_lens_name(assumed, is_whole, is_length, report->focal_sd_rel, report->corner_sd_rel, report->centre_sd_px,
                    &found.lens);
    line->scene->camera = found.lens;
done:
    return status;
}

static void summarise(struct intra_scene *scene, struct intra_reconstruct_report *report)
{
    report->frames_posed = report->frames_pipe = 0;
    for (int64_t i = 0; i < scene->n_frames; i++) {
        const struct intra_frame_record *f = &scene->frames[i];
        report->frames_posed += f->is_posed;
        report->frames_pipe += f->is_posed || f->state == INTRA_STATE_LOST;
    }
    report->is_complete =
        scene->n_gaps == 0 && report->frames_posed == report->frames_pipe && !report->has_counter_jump;
    if (report->counts.damaged)
        warn(report, "%lld frames of the video are damaged: not whole, of another size and scaled, or not there at all",
             (long long)report->counts.damaged);
    if (scene->camera.is_assumed)
        warn(report, "no lens calibration: the field of view is assumed, so distances and the shape along the pipe are assumed too");
    if (scene->n_gaps)
        warn(report, "%lld stretches could not be followed and are gaps (table `gap` in project.sqlite)", (long long)scene->n_gaps);
}

/* Says where a round pipe may come out oval for its pixels. */
static void tell_pixel_shape(const struct intra_scene *scene, struct intra_reconstruct_report *report)
{
    double tall;
    if (!intra_pixels_seem_unequal(scene, &tall)) return;
    double aspect = intra_pixel_aspect_usual(scene->camera.width, scene->camera.height);
    warn(report,
         "all along the pipe is %.1f %% %s: pictures of %d x %d pixels are mostly shown 4:3, with pixels %.3f times as "
         "wide as high, and these were taken as square; if the pipe is round, give --pixel-aspect %.4f",
         100 * fabs(tall), tall > 0 ? "taller than wide" : "wider than tall", scene->camera.width, scene->camera.height,
         aspect, aspect);
}

static enum intra_status find_features(const struct intra_wallmap *map, const struct intra_reconstruct_options *options,
                                     int threads, const struct intra_progress *progress, struct intra_scene *scene,
                                     struct intra_reconstruct_report *report, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    double wall = clock_s(CLOCK_MONOTONIC), cpu = clock_s(CLOCK_PROCESS_CPUTIME_ID);
    int64_t n;
    const struct intra_radius_sample *samples = intra_wallmap_samples(map, &n);
    INTRA_TRY(intra_joints_find(scene, samples, n, options->debug_dir, progress, err));
    add_stage(report, "joints", clock_s(CLOCK_MONOTONIC) - wall, clock_s(CLOCK_PROCESS_CPUTIME_ID) - cpu,
              scene->n_features);
    int64_t before = scene->n_features;
    wall = clock_s(CLOCK_MONOTONIC), cpu = clock_s(CLOCK_PROCESS_CPUTIME_ID);
    INTRA_TRY(intra_laterals_find(scene, threads, options->debug_dir, progress, err));
    add_stage(report, "laterals", clock_s(CLOCK_MONOTONIC) - wall, clock_s(CLOCK_PROCESS_CPUTIME_ID) - cpu,
              scene->n_features - before);
    before = scene->n_features;
    wall = clock_s(CLOCK_MONOTONIC), cpu = clock_s(CLOCK_PROCESS_CPUTIME_ID);
    double roll;
    INTRA_TRY(intra_water_find(scene, &roll, err));
    add_stage(report, "water", clock_s(CLOCK_MONOTONIC) - wall, clock_s(CLOCK_PROCESS_CPUTIME_ID) - cpu,
              scene->n_features - before);
    if (isfinite(roll))
        intra_log(INTRA_LOG_INFO, "water", "the water's middle lies %+.1f degrees (clockwise) beside 6 o'clock",
                  180 / M_PI * roll);
    INTRA_TRY(intra_bends_find(scene, err));
done:
    return status;
}

enum intra_status intra_reconstruct(const char *video_path, const struct intra_camera *camera,
                                    const struct intra_reconstruct_options *options,
                                    const struct intra_progress *progress, struct intra_scene *scene,
                                    struct intra_reconstruct_report *report, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct line line = {.scene = scene};
    struct intra_station_map stations = {0};
    double noise_m = 0;
    struct intra_roll_map rolls = {0};
    struct intra_still still = {0};
    struct intra_mask_pyramid mask = {0};
    struct intra_motion *motion = NULL;
    struct intra_counter_queue *counter = NULL;
    struct intra_video_probe probe;
    double wall = clock_s(CLOCK_MONOTONIC), cpu = clock_s(CLOCK_PROCESS_CPUTIME_ID);
    int threads = thread_count(options->threads);
    /* The decoder wants cores of its own; many small parallel regions that wait for a busy core cost more than they give. */
    int pass_threads = threads > 3 ? threads / 2 : 1;
    struct intra_reconstruct_options o = *options;
    struct intra_camera lens = *camera; /* corrected below where it is only assumed */
    memset(report, 0, sizeof *report);
    report->measured_diameter_m = report->measured_diameter_sd_m = report->focal_sd_rel = report->corner_sd_rel =
        report->centre_sd_px = NAN;
    if (!(o.diameter_m > 0)) return INTRA_FAIL(err, INTRA_E_ARG, "the nominal diameter must be given");
    o.video.threads = threads;

    INTRA_TRY(intra_video_look(video_path, &o.video, &probe, err));
    o.video.probe = &probe;
    report->video = probe.info;
    if (camera->width != report->video.width || camera->height != report->video.height)
        INTRA_TRY(INTRA_FAIL(err, INTRA_E_ARG, "the camera is for %d x %d pixels, %s has %d x %d", camera->width,
                             camera->height, video_path, report->video.width, report->video.height));
    if (report->video.duration_s > 0 && o.video.from_s >= report->video.duration_s)
        INTRA_TRY(INTRA_FAIL(err, INTRA_E_ARG, "%s is %.1f s long: nothing begins at %.1f s; give an earlier --from", video_path,
                             report->video.duration_s, o.video.from_s));
    scene->camera = *camera;
    scene->nominal_diameter_m = o.diameter_m;
    scene->start_station_m = o.start_station_m;
    if (!(o.texel_m > 0)) o.texel_m = camera->width >= 1280 ? 0.0005 : 0.001;
    if (options->texel_m <= 0 && o.diameter_m > 0.6) o.texel_m *= 2; /* big pipes are seen from farther away */

    if (o.has_counter) INTRA_TRY(intra_counter_queue_create(video_path, &o.video, threads, &counter, err));
    INTRA_TRY(intra_still_find(video_path, &o.video, o.debug_dir, progress, &still, err));
    report->overlay_share = still.masked_share;
    if (still.n_looks < 12)
        warn(report, "only %d different pictures: burnt-in text could not be told from the wall and was not masked", still.n_looks);
    add_stage(report, "look", clock_s(CLOCK_MONOTONIC) - wall, clock_s(CLOCK_PROCESS_CPUTIME_ID) - cpu, still.n_looks);
    INTRA_TRY(intra_mask_pyramid_init(&mask, &still.mask, err));
    if (lens.is_assumed) {
        struct intra_lens_fit_options fit = {.radius_m = o.diameter_m / 2, .length_m = o.length_m, .has_counter = o.has_counter,
                                             .threads = pass_threads, .video = &o.video, .fill_counter = o.fill_counter,
                                             .user = o.fill_user};
        struct intra_lens_fit_result fitted;
        wall = clock_s(CLOCK_MONOTONIC), cpu = clock_s(CLOCK_PROCESS_CPUTIME_ID);
        INTRA_TRY(intra_lens_fit(video_path, &fit, &mask, &still.log_shading, &lens, &fitted, err));
        scene->camera = lens;
        report->is_lens_fitted = fitted.known == INTRA_LENS_WHOLE;
        report->focal_sd_rel = fitted.focal_sd_rel;
        report->corner_sd_rel = fitted.corner_sd_rel;
        report->centre_sd_px = fitted.centre_sd_px;
        add_stage(report, "lens", clock_s(CLOCK_MONOTONIC) - wall, clock_s(CLOCK_PROCESS_CPUTIME_ID) - cpu, fitted.known);
        line.is_lens_run = fitted.known != INTRA_LENS_UNKNOWN &&
                           intra_lens_run_init(&line.lens_run, &lens, o.diameter_m / 2, NULL) == INTRA_OK;
        if (fitted.is_unconfirmed)
            warn(report, "the lens found was not confirmed: with it the pipe was lost; give a field of view nearer to the lens's (--hfov), or its --camera");
        if (o.length_m > 0 && !report->is_lens_fitted)
            warn(report, "the length of %.2f m was not used: it fits no lens with this video and diameter; check it, and that the video shows all of it",
                 o.length_m);
    } else if (o.length_m > 0)
        warn(report, "the length of %.2f m was not used: the lens is calibrated, and the nominal diameter sets the scale", o.length_m);

    struct intra_wall_options wall_options = {.radius_m = o.diameter_m / 2, .texel_m = o.texel_m,
                                              .section_step_m = o.section_step_m, .start_station_m = o.start_station_m,
                                              .cut_rad = o.cut_rad, .threads = pass_threads, .finish_threads = threads,
                                              .scratch_dir = o.scratch_dir};
    INTRA_TRY(intra_wallmap_create(&wall_options, &lens, &still, &line.wall, err));
    INTRA_TRY(intra_wall_queue_create(line.wall, &line.queue, err));
    struct intra_motion_options motion_options = {.radius_m = o.diameter_m / 2,
                                                  .is_lens_known = !lens.is_assumed,
                                                  .start_station_m = o.start_station_m,
                                                  .threads = pass_threads,
                                                  .counter = counter,
                                                  .debug_dir = o.debug_dir};
    struct intra_motion_sink sink = {&line, on_frame, on_keyframe, on_samples, on_run_end};
    INTRA_TRY(intra_motion_create(&motion_options, &lens, &mask, &still.log_shading, &sink, &motion, err));

    wall = clock_s(CLOCK_MONOTONIC), cpu = clock_s(CLOCK_PROCESS_CPUTIME_ID);
    struct intra_wall_work unroll;
    INTRA_TRY(stream(video_path, &o, motion, counter, progress, report, err));
    INTRA_TRY(intra_wall_queue_finish(line.queue, &unroll, err));
    add_stage(report, "follow", clock_s(CLOCK_MONOTONIC) - wall,
              clock_s(CLOCK_PROCESS_CPUTIME_ID) - cpu - unroll.cpu_s - line.lens_run.cpu_s, scene->n_frames);
    if (line.is_lens_run)
        add_stage(report, "lens, whole run", line.lens_run.wall_s, line.lens_run.cpu_s,
                  line.lens_run.n);                                            /* within it */
    add_stage(report, "unroll", unroll.wall_s, unroll.cpu_s, scene->n_frames); /* beside it, on a thread of its own */

    wall = clock_s(CLOCK_MONOTONIC), cpu = clock_s(CLOCK_PROCESS_CPUTIME_ID);
    bool is_scaled = !camera->is_assumed || report->is_lens_fitted;
    if (is_scaled && line.n_scales) INTRA_TRY(find_rings(&line, err)); /* while the counter's thread reads the rest */
    if (counter) INTRA_TRY(fill_counter(counter, scene, report, err));
    if (o.fill_counter) o.fill_counter(o.fill_user, scene->frames, scene->n_frames);
    INTRA_TRY(tell_jump(scene, report, err));
    INTRA_TRY(measure_diameter(scene, !camera->is_assumed, report, err)); /* by the picture's own stations */
    /* A lens fitted to the counter over the pilot's first metres: the counter over the whole run knows the way better. */
    bool is_measure = report->is_lens_fitted && !(o.length_m > 0);
    if (is_scaled)
        INTRA_TRY(fit_stations(&line, is_measure ? fmax(lens.focal_sd_rel, FITTED_LENS_SD_REL) : 0, report, &stations,
                               &noise_m, err));
    bool has_counter = stations.n && !isnan(noise_m);
    if (line.is_lens_run)
        INTRA_TRY(conclude_lens(&line, camera, o.length_m > 0, is_measure && has_counter ? &stations : NULL,
                                lens.focal_sd_rel, report, err));
    if (has_counter) state_stations(&line, &stations, noise_m, is_measure);
    if (stations.n && stations.most_m > LEAST_OFF_M)
        INTRA_TRY(intra_wallmap_restation(line.wall, &stations, scene->frames, scene->n_frames, err));
    if (scene->n_frames) INTRA_TRY(intra_states_find(scene, line.angles, err));
    summarise(scene, report);
    if (report->is_lens_fitted) scene->camera.focal_sd_rel = report->focal_sd_rel;
    intra_log(INTRA_LOG_INFO, "motion", "%.1f %% of the frames followed with few points", 100 * intra_motion_weak_share(motion));
    if (intra_motion_weak_share(motion) > WEAK_SHARE) {
        report->is_complete = false;
        warn(report, "in %.0f %% of the frames fewer than half of the wall points agree (smooth wall, glare, wrong lens?): "
                     "distances may be wrong by far more than their deviations say",
             100 * intra_motion_weak_share(motion));
    }
    if (report->frames_posed == 0)
        INTRA_TRY(INTRA_FAIL(err, INTRA_E_NO_RESULT,
                             "%s: nothing could be reconstructed: %s; check that the video shows the inside of a pipe, and "
                             "that diameter and lens are right",
                             video_path, scene->n_frames < 2 ? "it has too few frames" : intra_motion_reason(motion)));
    INTRA_TRY(fit_rolls(&line, &rolls, err));
    INTRA_TRY(intra_wallmap_finish(line.wall, progress, scene, err));
    if (camera->is_assumed) tell_pixel_shape(scene, report);
    add_stage(report, "wall", clock_s(CLOCK_MONOTONIC) - wall, clock_s(CLOCK_PROCESS_CPUTIME_ID) - cpu, scene->wall.cols);
    INTRA_TRY(find_features(line.wall, &o, threads, progress, scene, report, err));
done:
    intra_frame_release(&line.last_picture);
    intra_lens_run_fini(&line.lens_run);
    intra_motion_destroy(&motion);
    intra_counter_queue_destroy(&counter);
    intra_wall_queue_destroy(&line.queue);
    intra_wallmap_destroy(&line.wall);
    intra_free(line.angles);
    intra_free(line.scales);
    intra_free(line.rings);
    intra_station_map_fini(&stations);
    intra_roll_map_fini(&rolls);
    intra_mask_pyramid_fini(&mask);
    intra_still_fini(&still);
    return status;
}
