/* Which lens the user gave: a calibration file, a field of view, or neither. */
#ifndef INTRA_TOOLS_LENS_H
#define INTRA_TOOLS_LENS_H

#include "core/camera.h"
#include "core/video.h"

struct intra_lens_request {
    const char *camera_path; /* NULL: none */
    double hfov_rad;         /* 0: none */
    double pixel_aspect;     /* width of a pixel over its height; 0: as the video says */
};

/* Field of view of a usual inspection camera, taken when nothing is given; marked as assumed everywhere. */
#define INTRA_DEFAULT_HFOV_DEG 65.0

/* --hfov as typed. INTRA_E_ARG outside 10 to 220 degrees. */
enum intra_status intra_lens_set_hfov(struct intra_lens_request *request, const char *text, struct intra_error *err);

/* --pixel-aspect as typed, 16:15 or 1.067. INTRA_E_ARG outside 0.5 to 2. */
enum intra_status intra_lens_set_pixel_aspect(struct intra_lens_request *request, const char *text,
                                              struct intra_error *err);

/* Pictures with a shorter side hold too little wall to follow: the coarsest of the four pyramid levels would be
 * smaller than a patch. */
#define INTRA_MIN_PICTURE_PX 64

/* The camera for the pictures of `input`, which are as `video` says. Says so (core/log) where it is assumed, and warns
 * where it is scaled from another size, and where players would turn the pictures. Errors: those of
 * intra_camera_file_read; INTRA_E_FORMAT when the file is for another aspect; INTRA_E_UNSUPPORTED when the pictures are
 * too small; INTRA_E_ARG when both were given. */
enum intra_status intra_lens_choose(const struct intra_lens_request *request, const char *input,
                                    const struct intra_video_info *video, struct intra_camera *out,
                                    struct intra_error *err);

#endif
