/* The wall of a finished project back from its images, whole or a stretch of it. Strips are decoded when they are first
 * looked at, so that what nobody asks for costs nothing; then they stand in a scratch file. */
#ifndef INTRA_TOOLS_WALL_LOAD_H
#define INTRA_TOOLS_WALL_LOAD_H

#include "core/scene.h"
#include "export/export.h"

/* The raster of one layer in scene->wall shows the image in `project`, which stays open with it. Columns [col_from,
 * col_to) are there; with is_cropped they become columns 0 and on, else they keep their places and the rest is unseen.
 * scratch_dir: as for intra_raster_create. Errors: those of intra_tiff_open; INTRA_E_FORMAT when the image does not fit
 * the wall in the store. Damage inside the image is an error of whoever reads the raster there. */
enum intra_status intra_wall_load(struct intra_scene *scene, const char *project, enum intra_tiff_layer layer,
                                  int64_t col_from, int64_t col_to, bool is_cropped, const char *scratch_dir,
                                  struct intra_error *err);

/* The loaded colour or relief at another cell size (averaged over the new cells), in place of the old one. */
enum intra_status intra_wall_resample(struct intra_scene *scene, enum intra_tiff_layer layer, double texel_m,
                                      const char *scratch_dir, struct intra_error *err);

#endif
