/* The water level on a finished wall: a smooth strip along the invert between two straight edges of equal height.
 * Maths: docs/methods.md, "Water level". */
#ifndef INTRA_RECON_WATER_H
#define INTRA_RECON_WATER_H

#include "core/progress.h"
#include "core/scene.h"

/* The wall in windows along the pipe. */
struct intra_water_window {
    double station_m;                                    /* of its middle */
    double level_pct, sd_pct, middle_rad, middle_sd_rad; /* middle: between the edges, clockwise of 6 o'clock; its sd by
                                                            the edges' unevenness. NaN: no water */
    int64_t stretch; /* index of the first window of its stretch; negative: none, or too short to be sure */
};

/* Look for water on the wall's colour. *out: *out_n windows that reach out_half_m to each side of their middle, to be
 * freed by the caller. One thread. Errors: INTRA_E_MEM, and those of the raster. */
enum intra_status intra_water_look(const struct intra_wall *wall, double radius_m, struct intra_water_window **out,
                                   int64_t *out_n, double *out_half_m, struct intra_error *err);

/* Fill water_level_pct and its deviation in the sections where water is seen, and add the stretches with water to
 * scene->features. Reads the wall's colour, a stretch at a time; all sections must be complete. out_roll_rad (may be
 * NULL): mean clock angle of the water's middle beyond 6 o'clock, NaN where there is none. One thread. Errors:
 * INTRA_E_MEM, and those of the raster. */
enum intra_status intra_water_find(struct intra_scene *scene, double *out_roll_rad, struct intra_error *err);

#endif
