/* A pilot: motion over the first stretch of a video without wall and texture; keeps where the frames were, and of its
 * longest run what a lens can be told from. */
#ifndef INTRA_RECON_LENS_PILOT_H
#define INTRA_RECON_LENS_PILOT_H

#include "core/scene.h"
#include "core/video.h"
#include "recon/counter.h"
#include "recon/lens_gather.h"
#include "recon/pyramid.h"

struct intra_lens_pilot {
    struct intra_frame_record *frames; /* with index, time, segment, station */
    int64_t n, cap;
    double low_m, high_m;          /* stations */
    struct intra_lens_stretch stretch; /* the run with most wall points */
    struct intra_lens_gather gather;
};

struct intra_lens_pilot_options {
    double radius_m, most_s, most_way_m; /* ends at whichever comes first; infinite: the whole video */
    int threads;
    const struct intra_video_options *video;
};

/* One drive; what a former one left in `pilot` (zeroed before the first) is replaced. counter: fed with the frames, or
 * NULL. mask, log_shading, camera: borrowed for the call. */
enum intra_status intra_lens_pilot_drive(const char *path, const struct intra_lens_pilot_options *options,
                                         const struct intra_mask_pyramid *mask,
                                         const struct intra_view_f32 *log_shading, const struct intra_camera *camera,
                                         struct intra_counter *counter, struct intra_lens_pilot *pilot,
                                         struct intra_error *err);
void intra_lens_pilot_fini(struct intra_lens_pilot *pilot);

#endif
