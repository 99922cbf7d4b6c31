/* Laterals on a finished wall: mouths of other pipes, by the edge of their colour and what the relief says inside.
 *
 * The wall is read in stretches of a few radii from its rasters; what grows with the pipe is the mouths that could be
 * laterals. Maths, limits and what was tried: docs/methods.md, "Laterals". */
#ifndef INTRA_RECON_LATERALS_H
#define INTRA_RECON_LATERALS_H

#include "core/progress.h"
#include "core/scene.h"

/* Add the laterals to scene->features, in order of their stations. Reads the wall's three rasters, frames and sections;
 * all must be complete. debug_dir (may be NULL): gets laterals.png, the wall with every mouth looked at. OpenMP,
 * same result for every thread count. Errors: INTRA_E_MEM, and those of the rasters. */
enum intra_status intra_laterals_find(struct intra_scene *scene, int threads, const char *debug_dir,
                                      const struct intra_progress *progress, struct intra_error *err);

#endif
