/* The lens from the pipe itself: focal length and distortion from how the wall goes by, with a known way (distance
 * counter, or a known length) and the diameter as measures. Method: docs/methods.md, "Lens from the pipe". */
#ifndef INTRA_RECON_LENS_FIT_H
#define INTRA_RECON_LENS_FIT_H

#include "core/scene.h"
#include "core/video.h"
#include "recon/pyramid.h"
#include "recon/scale_fit.h"

struct intra_lens_fit_options {
    double radius_m;
    double length_m;  /* known way of the whole run, metres; 0: the counter's */
    bool has_counter; /* read the burnt-in counter */
    int threads;
    const struct intra_video_options *video;
    /* Readings from elsewhere, instead of the burnt-in ones: fills counter_m of the frames. NULL: none. */
    void (*fill_counter)(void *user, struct intra_frame_record *frames, int64_t n);
    void *user;
};

/* Of focal length and angles, beyond what the wall shows; set by hand on simulated scenes. */
#define INTRA_LENS_MODEL_SD_REL 0.004

enum intra_lens_known {
    INTRA_LENS_UNKNOWN,    /* the camera is as it was */
    INTRA_LENS_DISTORTION, /* nothing told the way: the field of view (from left to right) is as it was, is_assumed
                              stays */
    INTRA_LENS_WHOLE
};

struct intra_lens_fit_result {
    enum intra_lens_known known;
    bool is_unconfirmed; /* with the lens as it came out the pipe was lost: a warning is due */
    double focal_sd_rel; /* of the focal length. focal_sd_rel of the camera is that of the way, which is known better */
    double corner_sd_rel; /* of the angle at which the picture's corner is seen */
    double centre_sd_px;  /* of the lens's centre, either way; NaN: it is assumed to be the picture's middle */
};

/* Follow the first stretch of the video (the whole of it for a known length) with `camera`, which is assumed, three
 * times at most (six where the lens is still far off), and put a better lens into it. Too little to tell, or no pipe,
 * is no error. mask, log_shading: borrowed for the call. Errors: those of reading video, INTRA_E_MEM. */
enum intra_status intra_lens_fit(const char *video_path, const struct intra_lens_fit_options *options,
                                 const struct intra_mask_pyramid *mask, const struct intra_view_f32 *log_shading,
                                 struct intra_camera *camera, struct intra_lens_fit_result *out,
                                 struct intra_error *err);

/* The lens back to the field of view that is assumed, from left to right: its way goes with it. Beyond 83 degrees from
 * the axis it stays as it is. Errors: those of intra_camera_stretch. */
enum intra_status intra_lens_hold_field(const struct intra_camera *assumed, struct intra_camera *lens,
                                        struct intra_error *err);

/* Says in `lens` where it is from, and makes it a pinhole where that shows it as well, for other programs. is_whole:
 * not the distortion only. centre_sd_px: as in the result. */
void intra_lens_name(const struct intra_camera *assumed, bool is_whole, bool is_by_length, double focal_sd_rel,
                     double corner_sd_rel, double centre_sd_px, struct intra_camera *lens);

#endif
