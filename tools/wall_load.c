#include "tools/wall_load.h"

#include "core/fileio.h"
#include "core/mem.h"
#include "export/tiff_read.h"
#include "export/wallread.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { STRIP_COLS = 256, CACHE_STRIPS = 4 };

static const struct {
    const char *name;
    int samples;
    bool is_float;
} layers[] = {[INTRA_TIFF_COLOUR] = {"unrolled.tif", 4, false},
              [INTRA_TIFF_RELIEF] = {"relief.tif", 1, true},
              [INTRA_TIFF_COVERAGE] = {"coverage.tif", 2, true}};

static struct intra_raster **raster_of(struct intra_wall *wall, enum intra_tiff_layer layer)
{
    return layer == INTRA_TIFF_COLOUR ? &wall->colour : layer == INTRA_TIFF_RELIEF ? &wall->relief : &wall->coverage;
}

static enum intra_status check_image(const struct intra_wall *wall, const struct intra_tiff_info *info,
                                     enum intra_tiff_layer layer, const char *path, struct intra_error *err)
{
    if (info->samples != layers[layer].samples || info->is_float != layers[layer].is_float)
        return INTRA_FAIL(err, INTRA_E_FORMAT, "%s: %d samples a cell, want %d; reconstruct it again", path,
                          info->samples, layers[layer].samples);
    if (info->rows != wall->rows || info->cols != wall->cols || fabs(info->cell_x_m - wall->texel_m) > 1e-9)
        return INTRA_FAIL(
            err, INTRA_E_FORMAT,
            "%s: %lld x %d cells of %g m, but the project's wall has %lld x %d of %g m; is the image from "
            "another run?",
            path, (long long)info->cols, info->rows, info->cell_x_m, (long long)wall->cols, wall->rows, wall->texel_m);
    return INTRA_OK;
}

/* Columns [from, to) of the image to columns `at` and on of the raster, strip by strip. */
static enum intra_status copy_columns(struct intra_tiff *tiff, struct intra_raster *raster, int64_t from, int64_t to,
                                      int64_t at, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_tiff_info *info = intra_tiff_info(tiff);
    char *block = NULL;
    INTRA_TRY(INTRA_ALLOC(block, (size_t)info->rows * STRIP_COLS * info->cell_bytes, err));
    while (from < to) {
        int inside = (int)(at % STRIP_COLS), n = STRIP_COLS - inside;
        void *strip;
        if (to - from < n) n = (int)(to - from);
        INTRA_TRY(intra_tiff_read_columns(tiff, from, n, block, err));
        INTRA_TRY(intra_raster_strip(raster, at / STRIP_COLS, &strip, err));
        for (int row = 0; row < info->rows; row++)
            memcpy((char *)strip + ((size_t)row * STRIP_COLS + (size_t)inside) * info->cell_bytes,
                   block + (size_t)row * (size_t)n * info->cell_bytes, (size_t)n * info->cell_bytes);
        from += n;
        at += n;
    }
done:
    intra_free(block);
    return status;
}

enum intra_status intra_wall_load(struct intra_scene *scene, const char *project, enum intra_tiff_layer layer,
                                  int64_t col_from, int64_t col_to, bool is_cropped, const char *scratch_dir,
                                  struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_tiff *tiff = NULL;
    struct intra_raster **raster = raster_of(&scene->wall, layer);
    char path[1100];
    INTRA_TRY(intra_path_join(path, sizeof path, project, layers[layer].name, err));
    INTRA_TRY(intra_tiff_open(path, &tiff, err));
    INTRA_TRY(check_image(&scene->wall, intra_tiff_info(tiff), layer, path, err));
    intra_raster_destroy(raster);
    INTRA_TRY(intra_raster_create(scratch_dir, scene->wall.rows, intra_tiff_info(tiff)->cell_bytes, STRIP_COLS,
                                  CACHE_STRIPS, raster, err));
    INTRA_TRY(copy_columns(tiff, *raster, col_from, col_to, is_cropped ? 0 : col_from, err));
    if (is_cropped) {
        scene->wall.station0_m += (double)col_from * scene->wall.texel_m;
        scene->wall.cols = col_to - col_from;
    }
done:
    intra_tiff_close(&tiff);
    return status;
}

enum intra_status intra_wall_resample(struct intra_scene *scene, enum intra_tiff_layer layer, double texel_m,
                                      const char *scratch_dir, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_wall *wall = &scene->wall;
    struct intra_raster **raster = raster_of(wall, layer), *coarse = NULL;
    double ratio = texel_m / wall->texel_m, centres[STRIP_COLS];
    int rows = (int)fmax(1, round(wall->perimeter_m / texel_m));
    int64_t cols = (int64_t)ceil((double)wall->cols / ratio - 1e-9);
    double row_step = (double)wall->rows / rows;
    struct intra_wall_grid grid = {.col_centre = centres,
                                   .nx = STRIP_COLS,
                                   .ny = rows,
                                   .row_first = row_step / 2,
                                   .row_step = row_step,
                                   .col_width = ratio,
                                   .row_width = row_step};
    INTRA_TRY(intra_raster_create(scratch_dir, rows, 4, STRIP_COLS, CACHE_STRIPS, &coarse, err));
    for (int64_t strip = 0; strip * STRIP_COLS < cols; strip++) {
        void *cells;
        INTRA_TRY(intra_raster_strip(coarse, strip, &cells, err));
        for (int x = 0; x < STRIP_COLS; x++)
            centres[x] = ((double)(strip * STRIP_COLS + x) + 0.5) * ratio;
        INTRA_TRY(layer == INTRA_TIFF_COLOUR ? intra_wall_mean_colour(wall, &grid, cells, err)
                                             : intra_wall_mean_relief(wall, &grid, cells, err));
    }
    intra_raster_destroy(raster);
    *raster = coarse;
    coarse = NULL;
    wall->texel_m = texel_m;
    wall->rows = rows;
    wall->cols = cols;
done:
    intra_raster_destroy(&coarse);
    return status;
}
