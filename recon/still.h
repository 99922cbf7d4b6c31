/* What stands still in the picture while the wall streams by: burnt-in text and drawings, robot parts, dirt on the
 * lens, and the light that rides on the camera.
 *
 * A first look over the video gathers, per pixel, sums of log luminance and of its gradient. Texture averages out;
 * what stands still adds up. Edges whose gradient keeps its direction are overlay or dirt and go into the mask; the smooth
 * rest of the mean is the shading field. */
#ifndef INTRA_RECON_STILL_H
#define INTRA_RECON_STILL_H

#include "core/image.h"
#include "core/progress.h"
#include "core/video.h"

struct intra_still {
    struct intra_view_u8 mask;          /* (rows, cols, 1): 255 wall, 0 do not use */
    struct intra_view_f32 log_shading;  /* (rows, cols, 1): smooth mean of log luminance */
    double mean_log;                    /* mean of log_shading over the unmasked picture */
    double masked_share;
    int n_looks;                        /* different pictures looked at; below 12 nothing is masked */
};

/* Errors: those of intra_video_open, INTRA_E_MEM. A video too short to tell gives an empty mask, which is no error. */
enum intra_status intra_still_find(const char *video_path, const struct intra_video_options *options,
                                   const char *debug_dir, const struct intra_progress *progress,
                                   struct intra_still *out, struct intra_error *err);
void intra_still_fini(struct intra_still *still);

/* The sums by themselves, for tests and for callers with frames of their own. */
struct intra_still_sums {
    struct intra_view_f32 log_sum, log2_sum, gx_sum, gy_sum, g2_sum; /* log2: of squares */
    struct intra_view_f32 odd;  /* half size: in how many looks the colour was foreign to the picture */
    struct intra_view_f32 last; /* small copy of the last picture taken */
    struct intra_view_f32 now;  /* log luminance of the picture being added */
    int n;
};
enum intra_status intra_still_sums_init(struct intra_still_sums *sums, int rows, int cols, struct intra_error *err);
void intra_still_sums_fini(struct intra_still_sums *sums);
/* Takes the picture when it differs enough from the last one taken; true when taken. */
bool intra_still_sums_add(struct intra_still_sums *sums, const struct intra_frame *frame);

/* Colours that another program draws: far from the picture's usual chroma, and rare in it. usual: mean (u, v) of the
 * frame. Half-size coordinates. */
void intra_still_usual_chroma(const struct intra_frame *frame, float out_usual[2]);
static inline bool intra_still_is_odd(const struct intra_frame *frame, const float usual[2], int half_x, int half_y)
{
    float du = (float)intra_row_u8(&frame->u, half_y)[half_x] - usual[0];
    float dv = (float)intra_row_u8(&frame->v, half_y)[half_x] - usual[1];
    return du * du + dv * dv > 44.0f * 44.0f;
}
enum intra_status intra_still_finish(const struct intra_still_sums *sums, struct intra_still *out, struct intra_error *err);

#endif
