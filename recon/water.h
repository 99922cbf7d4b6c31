/* The water level on a finished wall: a smooth strip along the invert between two straight edges of equal height.
 * Maths: docs/methods.md, "Water level". */
#ifndef INTRA_RECON_WATER_H
#define INTRA_RECON_WATER_H

#include "core/progress.h"
#include "core/scene.h"

/* Fill water_level_pct and its deviation in the sections where water is seen, and add the stretches with water to
 * scene->features. Reads the wall's colour, a stretch at a time; all sections must be complete. out_roll_rad (may be
 * NULL): mean clock angle of the water's middle beyond 6 o'clock, NaN where there is none. One thread. Errors:
 * INTRA_E_MEM, and those of the raster. */
enum intra_status intra_water_find(struct intra_scene *scene, double *out_roll_rad, struct intra_error *err);

#endif
