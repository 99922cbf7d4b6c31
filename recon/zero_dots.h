/* Some overlays print zero with a dot in it, which is read as 6 or 8. A dot that stands free inside a ring is a zero's. */
#ifndef INTRA_RECON_ZERO_DOTS_H
#define INTRA_RECON_ZERO_DOTS_H

#include "core/image.h"

/* Take the dots out of `strokes` (0: none). contrast: of whole strokes, grey levels; height_px: of letters. out_taken (same
 * size, the caller's): what was taken from each pixel. Errors: INTRA_E_MEM. */
enum intra_status intra_zero_dots_remove(struct intra_view_u8 *strokes, double contrast, double height_px,
                                         struct intra_view_u8 *out_taken, struct intra_error *err);

#endif
