/* Pilot: motion over the first stretch without wall and texture, its stations against the counter (recon/scale_fit).
 * Stations grow in proportion to the assumed focal length, exactly so for a camera on the axis, so f_true = f k, k the
 * counter per station. Far off, views that are not along the axis bend the result: the pilot is then driven again with
 * the corrected lens. */
#include "recon/lens_fit.h"

#include "core/log.h"
#include "core/mem.h"
#include "recon/counter.h"
#include "recon/motion.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define PILOT_S 60.0    /* bounds the cost; */
#define PILOT_WAY_M 5.0 /* at the assumed scale */
#define AGAIN_OFF 0.02  /* corrected by more than this: once more */
#define NARROWEST 0.3   /* a correction beyond these is no lens but a fault */
#define WIDEST 3.0
#define LENGTH_SD_M 0.02 /* of a length that was typed in: where it begins and ends */
#define LENGTH_SD_REL 0.003
/* What the unknown distortion leaves: the scale changes as the view moves within the pipe, by 1 to 4 % over a metre on
 * five simulated scenes. */
#define DISTORTION_SD_REL 0.03
enum { PASSES = 2 };

struct pilot {
    struct intra_frame_record *frames;
    int64_t n, cap;
    double low_m, high_m;
};

static enum intra_status on_frame(void *user, const struct intra_motion_frame *f, struct intra_error *err)
{
    struct pilot *p = user;
    if (p->n == p->cap) {
        int64_t cap = p->cap ? 2 * p->cap : 1024;
        struct intra_frame_record *grown = intra_resize(p->frames, (size_t)p->n, (size_t)cap, sizeof *grown);
        if (!grown) return INTRA_FAIL(err, INTRA_E_MEM, "out of memory for %lld frames", (long long)cap);
        p->frames = grown;
        p->cap = cap;
    }
    p->frames[p->n++] = (struct intra_frame_record){.index = f->index,
                                                    .pts_s = f->pts_s,
                                                    .state = f->state,
                                                    .is_posed = f->is_posed,
                                                    .segment = f->segment,
                                                    .station_m = f->station_m,
                                                    .counter_m = NAN};
    if (!f->is_posed) return INTRA_OK;
    p->low_m = fmin(p->low_m, f->station_m);
    p->high_m = fmax(p->high_m, f->station_m);
    return INTRA_OK;
}

static enum intra_status on_keyframe(void *user, struct intra_run *run, const struct intra_placement *placement,
                                     const struct intra_keyframe *kf, struct intra_frame *picture,
                                     struct intra_error *err)
{
    (void)user, (void)run, (void)placement, (void)kf, (void)picture, (void)err;
    return INTRA_OK;
}

static enum intra_status on_samples(void *user, struct intra_run *run, const struct intra_placement *placement,
                                    const struct intra_wall_sample *samples, int n, struct intra_error *err)
{
    (void)user, (void)run, (void)placement, (void)samples, (void)n, (void)err;
    return INTRA_OK;
}

static enum intra_status on_run_end(void *user, struct intra_run *run, const struct intra_placement *placement,
                                    struct intra_error *err)
{
    (void)user, (void)run, (void)placement, (void)err;
    return INTRA_OK;
}

/* One drive. counter: fed on the first drive only, or NULL. */
static enum intra_status drive(const char *path, const struct intra_lens_fit_options *options,
                               const struct intra_mask_pyramid *mask, const struct intra_view_f32 *log_shading,
                               const struct intra_camera *camera, struct intra_counter *counter, struct pilot *pilot,
                               struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_motion *motion = NULL;
    struct intra_video *video = NULL;
    struct intra_frame *frame = NULL;
    struct intra_motion_options motion_options = {.radius_m = options->radius_m, .threads = options->threads};
    struct intra_motion_sink sink = {pilot, on_frame, on_keyframe, on_samples, on_run_end};
    pilot->n = 0;
    pilot->low_m = INFINITY, pilot->high_m = -INFINITY;
    INTRA_TRY(intra_motion_create(&motion_options, camera, mask, log_shading, &sink, &motion, err));
    INTRA_TRY(intra_video_open(path, options->video, &video, err));
    while (options->length_m > 0 || !(pilot->high_m - pilot->low_m > PILOT_WAY_M)) {
        status = intra_video_next(video, &frame, err);
        if (status == INTRA_EOF) break;
        if (status != INTRA_OK) goto done;
        if (!(options->length_m > 0) && frame->pts_s - options->video->from_s > PILOT_S) break;
        INTRA_TRY(intra_motion_process(motion, frame, err));
        if (counter) INTRA_TRY(intra_counter_frame(counter, frame, err));
        intra_frame_release(&frame);
    }
    INTRA_TRY(intra_motion_finish(motion, err));
done:
    intra_frame_release(&frame);
    intra_video_close(&video);
    intra_motion_destroy(&motion);
    return status;
}

/* The smallest difference between two readings: the step of the last digit, or a multiple of it where the camera is
 * fast. */
static double step_of(const struct intra_scale_pair *pairs, int64_t n)
{
    double step = INFINITY;
    for (int64_t i = 1; i < n; i++) {
        double d = fabs(pairs[i].counter_m - pairs[i - 1].counter_m);
        if (d > 0.0005) step = fmin(step, d);
    }
    return step;
}

enum intra_status intra_scale_of_frames(const struct intra_frame_record *frames, int64_t n, struct intra_scale_fit *out,
                                        struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_scale_pair *pairs = NULL;
    int64_t m = 0, most = 0;
    int best = -1;
    *out = (struct intra_scale_fit){.scale = NAN, .sd_rel = NAN};
    for (int64_t i = 0, k; i < n; i = k) { /* segments follow each other */
        int64_t count = 0;
        for (k = i; k < n && (frames[k].segment == frames[i].segment || frames[k].segment < 0); k++)
            count += frames[k].is_posed && isfinite(frames[k].counter_m);
        if (count > most && frames[i].segment >= 0) {
            most = count;
            best = frames[i].segment;
        }
    }
    if (best < 0) return INTRA_OK;
    INTRA_TRY(INTRA_ALLOC(pairs, (size_t)most, err));
    for (int64_t i = 0; i < n && m < most; i++)
        if (frames[i].segment == best && frames[i].is_posed && isfinite(frames[i].counter_m))
            pairs[m++] = (struct intra_scale_pair){frames[i].station_m, frames[i].counter_m};
    INTRA_TRY(intra_scale_fit(pairs, m, step_of(pairs, m), out, err));
done:
    intra_free(pairs);
    return status;
}

static enum intra_status read_counter(const char *path, const struct intra_video_options *video,
                                      struct intra_counter **out, struct intra_error *err)
{
    enum intra_status status = intra_counter_create(out, err);
    if (status == INTRA_OK) status = intra_counter_learn(*out, path, video, err);
    return status;
}

enum intra_status intra_lens_fit(const char *video_path, const struct intra_lens_fit_options *options,
                                 const struct intra_mask_pyramid *mask, const struct intra_view_f32 *log_shading,
                                 struct intra_camera *camera, bool *out_is_known, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct pilot pilot = {0};
    struct intra_camera fitted = *camera;
    struct intra_counter *counter = NULL;
    double total = 1, sd = NAN;
    *out_is_known = false;
    if (!(options->length_m > 0)) {
        status = read_counter(video_path, options->video, &counter, err);
        if (status == INTRA_E_UNSUPPORTED) status = INTRA_OK; /* the main pass says so */
        if (status != INTRA_OK || !counter || !intra_counter_has_place(counter)) goto done;
    }
    for (int pass = 0; pass < PASSES; pass++) {
        double k = NAN;
        INTRA_TRY(drive(video_path, options, mask, log_shading, &fitted, pass == 0 ? counter : NULL, &pilot, err));
        if (options->length_m > 0) {
            if (pilot.high_m - pilot.low_m > 4 * options->radius_m)
                k = options->length_m / (pilot.high_m - pilot.low_m);
            sd = hypot(LENGTH_SD_M / options->length_m, LENGTH_SD_REL);
        } else {
            struct intra_scale_fit fit;
            if (pass == 0) INTRA_TRY(intra_counter_finish(counter, err));
            intra_counter_fill(counter, pilot.frames, pilot.n);
            INTRA_TRY(intra_scale_of_frames(pilot.frames, pilot.n, &fit, err));
            if (fit.is_known) k = fit.scale;
            sd = fit.sd_rel;
            intra_log(INTRA_LOG_INFO, "lens",
                      "pilot %d: %d of %d readings agree over %.2f m, scale %.4f (sd %.2f %%), noise %.0f mm", pass + 1,
                      fit.n_agree, fit.n, fit.way_m, fit.scale, 100 * fit.sd_rel, 1e3 * fit.noise_m);
        }
        if (!isfinite(k)) goto done;
        total *= k;
        fitted.fx = camera->fx * total;
        fitted.fy = camera->fy * total;
        if (!(total > NARROWEST && total < WIDEST) || intra_camera_finish(&fitted, NULL) != INTRA_OK) goto done;
        if (fabs(k - 1) < AGAIN_OFF) break;
    }
    fitted.is_assumed = false;
    fitted.focal_sd_rel = hypot(sd, DISTORTION_SD_REL);
    snprintf(fitted.source, sizeof fitted.source,
             "estimated: focal length from the %s and the nominal diameter, so that the way is good to %.1f %%; "
             "distortion not "
             "estimated, so the focal length itself may be %.0f %% off",
             options->length_m > 0 ? "known length" : "distance counter", 100 * fitted.focal_sd_rel,
             100 * INTRA_LENS_FOCAL_SD_REL);
    *camera = fitted;
    *out_is_known = true;
    intra_log(INTRA_LOG_INFO, "lens", "f = %.1f x %.1f px: %s", fitted.fx, fitted.fy, fitted.source);
done:
    intra_counter_destroy(&counter);
    intra_free(pilot.frames);
    return status;
}
