/* A wall image (unrolled.tif) of a project: opened, read in columns, loaded into the wall that it claims to be. */
#include "fuzz.h"

#include "core/log.h"
#include "export/tiff_read.h"
#include "tools/wall_load.h"

#include <stdlib.h>

/* More cells take long and prove nothing more. */
static const int64_t max_cells = 1 << 22;

static void load(const struct intra_tiff_info *info)
{
    struct intra_scene scene;
    struct intra_error err = {0};
    intra_scene_init(&scene);
    scene.wall.rows = info->rows;
    scene.wall.cols = info->cols;
    scene.wall.texel_m = info->cell_x_m;
    scene.wall.perimeter_m = info->rows * info->cell_y_m;
    if (intra_wall_load(&scene, fuzz_dir(), INTRA_TIFF_COLOUR, 0, info->cols, true, fuzz_dir(), &err) != INTRA_OK) {
        fuzz_must(err.text[0], "a message");
    } else { /* decoded only now */
        const void *cells;
        for (int64_t strip = 0; strip * intra_raster_strip_cols(scene.wall.colour) < info->cols; strip++)
            if (intra_raster_peek(scene.wall.colour, strip, &cells, &err) != INTRA_OK)
                fuzz_must(err.text[0], "a message");
    }
    intra_scene_fini(&scene);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct intra_tiff *tiff = NULL;
    struct intra_error err = {0};
    if (intra_tiff_open(fuzz_put("unrolled.tif", data, size), &tiff, &err) != INTRA_OK) {
        fuzz_must(err.text[0], "a message");
        return 0;
    }
    struct intra_tiff_info info = *intra_tiff_info(tiff);
    fuzz_must(info.rows > 0 && info.cols > 0 && info.cell_bytes > 0 && info.cell_x_m > 0, "a shape");
    if (info.rows * info.cols < max_cells) {
        char *cells = malloc((size_t)info.rows * 7 * info.cell_bytes);
        fuzz_must(cells != NULL, "there is memory");
        intra_tiff_read_columns(tiff, info.cols - 3, 7, cells, NULL); /* over the right end */
        free(cells);
        load(&info);
    }
    intra_tiff_close(&tiff);
    return 0;
}
