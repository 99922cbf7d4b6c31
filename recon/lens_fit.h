/* The focal length from the pipe itself: the motion fixes only v / (f R), so a known way (distance counter, or a known
 * length) and the diameter give f. Method: docs/methods.md, "Scale from the counter". */
#ifndef INTRA_RECON_LENS_FIT_H
#define INTRA_RECON_LENS_FIT_H

#include "core/scene.h"
#include "core/video.h"
#include "recon/pyramid.h"
#include "recon/scale_fit.h"

/* Of the focal length itself, since distortion is not estimated: it takes up the distortion, and came out 9 to 21 %
 * long with five simulated lenses with barrel distortion. The way along the pipe, which it was fitted to, is much
 * better known: focal_sd_rel of the camera that comes back. */
#define INTRA_LENS_FOCAL_SD_REL 0.15

struct intra_lens_fit_options {
    double radius_m;
    double length_m; /* known way of the whole run, metres; 0: the counter's */
    int threads;
    const struct intra_video_options *video;
};

/* Follow the first stretch of the video (the whole of it for a known length) with `camera`, once or twice, and correct
 * its focal lengths, focal_sd_rel and source. Distortion stays. *out_is_known false: too little to tell (or the pilot
 * found no pipe), and the camera is as it was, which is no error. mask, log_shading: borrowed for the call. Errors:
 * those of reading video, INTRA_E_MEM. */
enum intra_status intra_lens_fit(const char *video_path, const struct intra_lens_fit_options *options,
                                 const struct intra_mask_pyramid *mask, const struct intra_view_f32 *log_shading,
                                 struct intra_camera *camera, bool *out_is_known, struct intra_error *err);

/* The scale between the stations of frames and their counter_m, over the segment with most readings. */
enum intra_status intra_scale_of_frames(const struct intra_frame_record *frames, int64_t n, struct intra_scale_fit *out,
                                        struct intra_error *err);

#endif
