/* The picture that motion works on: log luminance with the shading that stands still in the picture taken out, as a
 * pyramid, beside a mask of what must not be looked at.
 *
 * Level l halves the size l times (2 x 2 means). Coordinates are always level-0 pixels; level-l sample (x, y) sits at
 * ((x + 0.5) 2^l - 0.5, ...). */
#ifndef INTRA_RECON_PYRAMID_H
#define INTRA_RECON_PYRAMID_H

#include "core/image.h"

#include <stdbool.h>

enum { INTRA_PYRAMID_LEVELS = 5 };

struct intra_pyramid {
    struct intra_view_f32 level[INTRA_PYRAMID_LEVELS]; /* log luminance, natural logarithm */
    const struct intra_view_f32 *log_shading;          /* what was taken out of it; borrowed, NULL: nothing */
};

/* Masked-out pixels: 0 = do not use, 255 = good. Level l is good where all four below are. */
struct intra_mask_pyramid {
    struct intra_view_u8 level[INTRA_PYRAMID_LEVELS];
};

enum intra_status intra_pyramid_init(struct intra_pyramid *pyramid, int rows, int cols, struct intra_error *err);
void intra_pyramid_fini(struct intra_pyramid *pyramid);
/* out: initialised with the same size. */
void intra_pyramid_copy(struct intra_pyramid *out, const struct intra_pyramid *from);
/* y: full-range luma; log_shading: (rows, cols, 1) to subtract, or NULL. Light OpenMP over rows; same bytes always. */
void intra_pyramid_build(struct intra_pyramid *pyramid, const struct intra_view_u8 *y,
                         const struct intra_view_f32 *log_shading, int threads);

enum intra_status intra_mask_pyramid_init(struct intra_mask_pyramid *mask, const struct intra_view_u8 *level0,
                                          struct intra_error *err);
void intra_mask_pyramid_fini(struct intra_mask_pyramid *mask);

/* log(luma + INTRA_LOG_FLOOR): the floor keeps dark noise from ruling. */
#define INTRA_LOG_FLOOR 6.0f
float intra_log_luma(unsigned char luma);

#endif
