/* The unrolled wall reduced to coarse cells, a stretch at a time: what the finders of joints, laterals and water read.
 *
 * A cell is one of `rows` equal parts of the clock circle (part k from 2 pi k / rows, clockwise from the crown) by
 * `group` columns of the wall. */
#ifndef INTRA_RECON_WALL_CELLS_H
#define INTRA_RECON_WALL_CELLS_H

#include "core/scene.h"

enum { INTRA_WALL_CELL_LIGHTS = 4 * 255 + 1 };

struct intra_wall_cells {
    const struct intra_wall *wall;
    int rows, group;
    float log_of[INTRA_WALL_CELL_LIGHTS]; /* by red + 2 green + blue */
    uint8_t *columns; /* scratch */
    float *sums;
    int *counts;
};

/* wall is borrowed until fini; fini accepts a zeroed struct. group <= 256. Errors: INTRA_E_MEM. */
enum intra_status intra_wall_cells_init(struct intra_wall_cells *cells, const struct intra_wall *wall, int rows,
                                        int group, struct intra_error *err);
void intra_wall_cells_fini(struct intra_wall_cells *cells);

/* Cells of n x group columns from first_col on (which may lie outside the wall).
 *
 *   light   (rows, n): mean log luminance, NaN where less than half of the cell was seen
 *   chroma  (rows, n): mean of log red over blue, NaN alike; may be NULL
 *
 * Errors: those of the raster. */
enum intra_status intra_wall_cells_read(struct intra_wall_cells *cells, int64_t first_col, int n, float *light,
                                        float *chroma, struct intra_error *err);

#endif
