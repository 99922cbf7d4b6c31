/* The unrolled-wall images back in: 8-bit colour or 32-bit float, tiled or in strips, classic or BigTIFF, with their
 * GeoTIFF scale. Full size only; overviews are skipped. */
#ifndef INTRA_EXPORT_TIFF_READ_H
#define INTRA_EXPORT_TIFF_READ_H

#include "core/scene.h"
#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct intra_tiff_info {
    int64_t cols;
    int rows, samples;
    bool is_float;     /* samples are float32; else uint8 */
    size_t cell_bytes; /* samples times sample size */
    /* From ModelPixelScale and ModelTiepoint: x of the left edge, y of the top edge, cell width and height, metres. */
    double x_left_m, y_top_m, cell_x_m, cell_y_m;
};

struct intra_tiff;

/* Errors: INTRA_E_IO (missing, unreadable), INTRA_E_FORMAT (no TIFF, no GeoTIFF scale), INTRA_E_UNSUPPORTED (other
 * samples). */
enum intra_status intra_tiff_open(const char *path, struct intra_tiff **out, struct intra_error *err);
void intra_tiff_close(struct intra_tiff **tiff);
const struct intra_tiff_info *intra_tiff_info(const struct intra_tiff *tiff);
/* Columns [col, col + n) of all rows into out (rows x n cells, row-major). Columns outside the image are zero. A tiled
 * image costs the tiles touched, one in strips the whole image. */
enum intra_status intra_tiff_read_columns(struct intra_tiff *tiff, int64_t col, int n, void *out,
                                          struct intra_error *err);

/* Version of libtiff in use, "4.5.0". */
const char *intra_tiff_library_version(void);

#endif
