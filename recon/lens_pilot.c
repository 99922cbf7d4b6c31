#include "recon/lens_pilot.h"

#include "core/mem.h"
#include "recon/motion.h"

#include <math.h>
#include <string.h>

static enum intra_status on_frame(void *user, const struct intra_motion_frame *f, struct intra_error *err)
{
    struct intra_lens_pilot *p = user;
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
    struct intra_lens_pilot *p = user;
    (void)placement, (void)kf, (void)picture;
    return intra_lens_gather_points(&p->gather, run, err);
}

static enum intra_status on_samples(void *user, struct intra_run *run, const struct intra_placement *placement,
                                    const struct intra_wall_sample *samples, int n, struct intra_error *err)
{
    (void)user, (void)placement, (void)samples, (void)n, (void)err;
    run->n_samples = 0;
    return INTRA_OK;
}

static enum intra_status on_run_end(void *user, struct intra_run *run, const struct intra_placement *placement,
                                    struct intra_error *err)
{
    struct intra_lens_pilot *p = user;
    (void)placement;
    enum intra_status status = intra_lens_gather_take(&p->gather, run, 0, run->n_kfs, &p->stretch, err);
    intra_lens_gather_clear(&p->gather);
    return status;
}

void intra_lens_pilot_fini(struct intra_lens_pilot *pilot)
{
    intra_lens_stretch_fini(&pilot->stretch);
    intra_lens_gather_fini(&pilot->gather);
    intra_free(pilot->frames);
    memset(pilot, 0, sizeof *pilot);
}

enum intra_status intra_lens_pilot_drive(const char *path, const struct intra_lens_pilot_options *options,
                                         const struct intra_mask_pyramid *mask,
                                         const struct intra_view_f32 *log_shading, const struct intra_camera *camera,
                                         struct intra_counter *counter, struct intra_lens_pilot *pilot,
                                         struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_motion *motion = NULL;
    struct intra_video *video = NULL;
    struct intra_frame *frame = NULL;
    struct intra_motion_options motion_options = {.radius_m = options->radius_m, .threads = options->threads};
    struct intra_motion_sink sink = {pilot, on_frame, on_keyframe, on_samples, on_run_end};
    intra_lens_stretch_fini(&pilot->stretch);
    intra_lens_gather_clear(&pilot->gather);
    pilot->n = 0;
    pilot->low_m = INFINITY, pilot->high_m = -INFINITY;
    INTRA_TRY(intra_motion_create(&motion_options, camera, mask, log_shading, &sink, &motion, err));
    INTRA_TRY(intra_video_open(path, options->video, &video, err));
    while (!(pilot->high_m - pilot->low_m > options->most_way_m)) {
        status = intra_video_next(video, &frame, err);
        if (status == INTRA_EOF) break;
        if (status != INTRA_OK) goto done;
        if (frame->pts_s - options->video->from_s > options->most_s) break;
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
