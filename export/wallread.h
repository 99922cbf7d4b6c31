/* Reading the unrolled wall: columns as they are, and area averages for textures, vertices and overviews. */
#ifndef INTRA_EXPORT_WALLREAD_H
#define INTRA_EXPORT_WALLREAD_H

#include "core/scene.h"

#include <stddef.h>

/* Columns [col, col + n) of all rows into `out` (rows x n cells, row-major). Strips never written are "unseen": zero,
 * and NaN where is_nan_unseen (relief, whose zero is a measured value). raster may be NULL: all unseen; then `rows` and
 * `cell_bytes` say the shape. */
enum intra_status intra_wall_read(struct intra_raster *raster, int rows, size_t cell_bytes, bool is_nan_unseen,
                                  int64_t col, int n, void *out, struct intra_error *err);

/* Which columns show anything: out_seen[col] = 1 where at least one cell of the colour raster has alpha > 0.
 * wall->cols entries, memory is the caller's. */
enum intra_status intra_wall_seen_columns(const struct intra_wall *wall, uint8_t *out_seen, struct intra_error *err);

/* A grid of averaging windows laid over the wall, in fractions of cells: window (x, y) is centred at column
 * col_centre[x], row_first + y row_step, and is col_width by row_width cells. Rows wrap around the pipe, columns
 * outside the wall are unseen. */
struct intra_wall_grid {
    const double *col_centre; /* rising */
    int nx, ny;
    double row_first, row_step;
    double col_width, row_width;
};

/* Mean colour of the seen cells of each window: out (ny, nx, 4), the last channel 255 times the seen share.
 * Errors: INTRA_E_MEM, INTRA_E_IO. OpenMP over rows; same bytes for every team size; a window's value depends on
 * nothing but the window. */
enum intra_status intra_wall_mean_colour(const struct intra_wall *wall, const struct intra_wall_grid *grid,
                                         uint8_t *out, struct intra_error *err);
/* Mean relief of the measured cells of each window: out (ny, nx), NaN where none is measured. As above. */
enum intra_status intra_wall_mean_relief(const struct intra_wall *wall, const struct intra_wall_grid *grid, float *out,
                                         struct intra_error *err);

#endif
