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

/* Columns [from, to) of an image are columns `at` and on of a raster. */
struct image {
    struct intra_tiff *tiff;
    int64_t from, to, at;
    char *block; /* a strip of the image */
};

static void close_image(void *user)
{
    struct image *image = user;
    intra_tiff_close(&image->tiff);
    intra_free(image->block);
    intra_free(image);
}

/* What of the image falls into a strip; the rest of it stays unseen. */
static enum intra_status fetch_strip(void *user, int64_t index, void *cells, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct image *image = user;
    const struct intra_tiff_info *info = intra_tiff_info(image->tiff);
    int64_t first = index * STRIP_COLS, from = first > image->at ? first : image->at,
            to = first + STRIP_COLS, end = image->at + image->to - image->from;
    if (to > end) to = end;
    if (to <= from) return INTRA_OK;
    int n = (int)(to - from), inside = (int)(from - first);
    INTRA_TRY(intra_tiff_read_columns(image->tiff, image->from + from - image->at, n, image->block, err));
    for (int row = 0; row < info->rows; row++)
        memcpy((char *)cells + ((size_t)row * STRIP_COLS + (size_t)inside) * info->cell_bytes,
               image->block + (size_t)row * (size_t)n * info->cell_bytes, (size_t)n * info->cell_bytes);
done:
    return status;
}

enum intra_status intra_wall_load(struct intra_scene *scene, const char *project, enum intra_tiff_layer layer,
                                  int64_t col_from, int64_t col_to, bool is_cropped, const char *scratch_dir,
                                  struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct image *image = NULL;
    struct intra_raster **raster = raster_of(&scene->wall, layer);
    const struct intra_tiff_info *info;
    char path[1100];
    INTRA_TRY(INTRA_ALLOC(image, 1, err));
    INTRA_TRY(intra_path_join(path, sizeof path, project, layers[layer].name, err));
    INTRA_TRY(intra_tiff_open(path, &image->tiff, err));
    info = intra_tiff_info(image->tiff);
    INTRA_TRY(check_image(&scene->wall, info, layer, path, err));
    image->from = col_from;
    image->to = col_to;
    image->at = is_cropped ? 0 : col_from;
    INTRA_TRY(INTRA_ALLOC(image->block, (size_t)info->rows * STRIP_COLS * info->cell_bytes, err));
    intra_raster_destroy(raster);
    INTRA_TRY(
        intra_raster_create(scratch_dir, scene->wall.rows, info->cell_bytes, STRIP_COLS, CACHE_STRIPS, raster, err));
    intra_raster_set_source(*raster, &(struct intra_raster_source){
                                         .fetch = fetch_strip,
                                         .close = close_image,
                                         .user = image,
                                         .first = image->at / STRIP_COLS,
                                         .end = (image->at + col_to - col_from + STRIP_COLS - 1) / STRIP_COLS});
    image = NULL;
    if (is_cropped) {
        scene->wall.station0_m += (double)col_from * scene->wall.texel_m;
        scene->wall.cols = col_to - col_from;
    }
done:
    if (image) close_image(image);
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
