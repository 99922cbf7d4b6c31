/* The rim of an opening in the wall, hole or mouth: around a point inside it, the closed line where what is no wall
 * ends and the wall begins. Finer than the area's threshold, which loses the far side of a hole: lit like the wall,
 * that differs from it only by its smeared look. Maths: docs/methods.md, "Areas on the wall". */
#ifndef INTRA_RECON_LOCATE_RIM_H
#define INTRA_RECON_LOCATE_RIM_H

#include "recon/locate_area.h"

enum { INTRA_RIM_RAYS = 72 };

struct intra_rim {
    double points[INTRA_RIM_RAYS][2]; /* station_m, clock angle (unwrapped) */
    double clear;                     /* share of the rays on which it stands out */
    double spread;                    /* scatter of the areas that other levels and stiffness give, over its own */
};

/* Follow the rim of `area` on a fine patch that holds it and about as much wall around it. is_mouth: of a connection.
 * *out_is_clear: it stands out on three quarters of its rays. Errors: INTRA_E_MEM. */
enum intra_status intra_rim_find(const struct intra_wall_patch *patch, const struct intra_area *area, bool is_mouth,
                                 bool *out_is_clear, struct intra_rim *out, struct intra_error *err);
/* Outline, bounds, centroid and area of `area` from the rim. Errors: INTRA_E_MEM. */
enum intra_status intra_rim_put(const struct intra_rim *rim, double radius_m, struct intra_area *area,
                                struct intra_error *err);

#endif
