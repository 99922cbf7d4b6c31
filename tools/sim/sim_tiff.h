/* Truth rasters: tiled TIFF with the two GeoTIFF tags that put x = station, y = arc length. */
#ifndef INTRA_SIM_TIFF_H
#define INTRA_SIM_TIFF_H

#include "core/status.h"

struct sim_raster {
    int rows, cols;
    int channels;            /* 1 float32, or 3 uint8 */
    double cell_m, height_m; /* along s; of the whole picture around the pipe */
    /* Column `col` into out (rows x channels). */
    void (*column)(const void *user, int col, void *out);
    const void *user;
    const char *about;
};
/* Written beside, then renamed. */
enum intra_status intra_sim_tiff_write(const char *path, const struct sim_raster *raster, struct intra_error *err);

#endif
