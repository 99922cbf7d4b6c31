/* The TIFFs read back through libtiff: every cell as the raster has it (relief to 4 micrometres), unseen strips as
 * unseen, overviews as the mean of the seen cells, GeoTIFF numbers. That other programs read them is check_gdal.sh's
 * matter. "big" (label long) proves that a wall beyond 4 GiB becomes a BigTIFF. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/mem.h"
#include "export/export.h"
#include "export/tiff_read.h"
#include "made_scene.h"

#include <stdio.h>
#include <string.h>
#include <tiffio.h>

static char folder[256];
static struct intra_scene scene;

static int make_scene(void **state)
{
    struct made_pipe made = made_pipe_defaults();
    (void)state;
    made_folder(folder, sizeof folder);
    made.texel_m = 0.003; /* sizes that no tile divides */
    made.start_m = 10;
    made_scene_init(&scene, &made, folder);
    return 0;
}

static int drop_scene(void **state)
{
    (void)state;
    intra_scene_fini(&scene);
    made_remove_folder(folder);
    return 0;
}

/* A whole directory of the file, cells of `cell` bytes. */
static uint8_t *read_level(const char *path, int level, size_t cell, uint32_t *width, uint32_t *height)
{
    TIFF *in = TIFFOpen(path, "r");
    uint8_t tile[256 * 256 * 8], *out;
    uint32_t x, y, row, tile_width = 0;
    assert_non_null(in);
    assert_int_equal(TIFFSetDirectory(in, (tdir_t)level), 1);
    TIFFGetField(in, TIFFTAG_IMAGEWIDTH, width);
    TIFFGetField(in, TIFFTAG_IMAGELENGTH, height);
    TIFFGetField(in, TIFFTAG_TILEWIDTH, &tile_width);
    assert_int_equal(tile_width, 256);
    out = intra_alloc((size_t)*width * *height, cell);
    for (y = 0; y < *height; y += 256) {
        for (x = 0; x < *width; x += 256) {
            uint32_t n = *width - x < 256 ? *width - x : 256;
            assert_true(TIFFReadTile(in, tile, x, y, 0, 0) > 0);
            for (row = 0; row < 256 && y + row < *height; row++)
                memcpy(out + ((size_t)(y + row) * *width + x) * cell, tile + (size_t)row * 256 * cell, n * cell);
        }
    }
    TIFFClose(in);
    return out;
}

static void export_layer(enum intra_tiff_layer layer, char *path, size_t n)
{
    struct intra_error err = {0};
    made_path(path, n, folder, "wall.tif");
    assert_int_equal(intra_export_tiff(&scene, layer, path, NULL, &err), INTRA_OK);
}

static void check_full_size(enum intra_tiff_layer layer, struct intra_raster *raster, size_t cell, bool is_float_nan)
{
    char path[512];
    uint32_t width, height, x, y;
    uint8_t *got, *strip = intra_alloc((size_t)scene.wall.rows, cell);
    struct intra_error err = {0};
    int64_t unseen = 0;
    export_layer(layer, path, sizeof path);
    got = read_level(path, 0, cell, &width, &height);
    assert_int_equal(width, scene.wall.cols);
    assert_int_equal(height, scene.wall.rows);
    for (x = 0; x < width; x++) {
        bool is_gap = scene.wall.station0_m + (x + 0.5) * scene.wall.texel_m > 12.3 &&
                      scene.wall.station0_m + (x + 0.5) * scene.wall.texel_m < 12.8;
        assert_int_equal(intra_raster_read(raster, x, 1, strip, &err), INTRA_OK);
        for (y = 0; y < height; y++) {
            const uint8_t *cell_at = got + ((size_t)y * width + x) * cell;
            float value;
            memcpy(&value, cell_at, sizeof value);
            if (is_gap && is_float_nan) { /* written or never written, the gap is NaN */
                assert_true(isnan(value));
                unseen++;
            } else if (is_float_nan) { /* the relief is rounded to 2^-17 m */
                float want;
                memcpy(&want, strip + y * cell, sizeof want);
                if (isnan(want))
                    assert_true(isnan(value));
                else
                    assert_true(fabsf(value - want) < 4e-6f);
            } else {
                assert_memory_equal(cell_at, strip + y * cell, cell);
            }
        }
    }
    if (is_float_nan) assert_true(unseen > 1000);
    intra_free(got);
    intra_free(strip);
}

static void colour_cells(void **state)
{
    (void)state;
    check_full_size(INTRA_TIFF_COLOUR, scene.wall.colour, 4, false);
}

/* Columns read back one window at a time: over either end what is outside is zero, and a window wholly beside the
 * image, even within its last tile, is zero all over. */
static void columns_beside_the_image(void **state)
{
    enum { N = 40 };
    char path[512];
    uint32_t width, height;
    struct intra_tiff *tiff;
    struct intra_error err = {0};
    (void)state;
    export_layer(INTRA_TIFF_COVERAGE, path, sizeof path);
    uint8_t *want = read_level(path, 0, 8, &width, &height);
    uint8_t *got = intra_alloc((size_t)height * N, 8), *zero = intra_alloc(8, 1);
    assert_int_equal(intra_tiff_open(path, &tiff, &err), INTRA_OK);
    const int64_t from[] = {-N - 7, -N, -15, 100, (int64_t)width - 15, width, (int64_t)width + 3, (int64_t)width + 900};
    for (size_t k = 0; k < sizeof from / sizeof *from; k++) {
        memset(got, 7, (size_t)height * N * 8);
        assert_int_equal(intra_tiff_read_columns(tiff, from[k], N, got, &err), INTRA_OK);
        for (uint32_t y = 0; y < height; y++)
            for (int x = 0; x < N; x++) {
                bool is_inside = from[k] + x >= 0 && from[k] + x < width;
                const uint8_t *cell = is_inside ? want + ((size_t)y * width + (size_t)(from[k] + x)) * 8 : zero;
                assert_memory_equal(got + ((size_t)y * N + (size_t)x) * 8, cell, 8);
            }
    }
    intra_tiff_close(&tiff);
    intra_free(want);
    intra_free(got);
    intra_free(zero);
}

static void relief_cells(void **state)
{
    (void)state;
    check_full_size(INTRA_TIFF_RELIEF, scene.wall.relief, 4, true);
}

static void coverage_cells(void **state)
{
    (void)state;
    check_full_size(INTRA_TIFF_COVERAGE, scene.wall.coverage, 8, false);
}

/* Each overview against the level below it, cell by cell, by a plain formula. */
static void check_overviews(enum intra_tiff_layer layer, size_t cell)
{
    char path[512];
    uint32_t width, height, half_width, half_height, x, y;
    int level, levels = 0;
    export_layer(layer, path, sizeof path);
    for (level = 1;; level++) {
        uint8_t *below = read_level(path, level - 1, cell, &width, &height), *here;
        if (width <= 256 && height <= 256) {
            intra_free(below);
            break;
        }
        here = read_level(path, level, cell, &half_width, &half_height);
        levels++;
        assert_int_equal(half_width, (width + 1) / 2);
        assert_int_equal(half_height, (height + 1) / 2);
        for (y = 0; y < half_height; y++) {
            for (x = 0; x < half_width; x++) {
                double sum[4] = {0}, weight = 0;
                int inside = 0, i, k;
                for (i = 0; i < 4; i++) {
                    uint32_t bx = 2 * x + i % 2, by = 2 * y + i / 2;
                    const uint8_t *from = below + ((size_t)by * width + bx) * cell;
                    float value[2] = {0};
                    if (bx >= width || by >= height) continue;
                    inside++;
                    if (layer == INTRA_TIFF_COLOUR) {
                        for (k = 0; k < 3; k++)
                            sum[k] += from[k] * (double)from[3];
                        weight += from[3];
                        continue;
                    }
                    memcpy(value, from, cell);
                    if (layer == INTRA_TIFF_RELIEF ? isnan(value[0]) : !(value[0] > 0)) continue;
                    weight++;
                    for (k = 0; k < 2; k++)
                        sum[k] += (double)value[k];
                }
                if (layer == INTRA_TIFF_COLOUR) {
                    const uint8_t *to = here + ((size_t)y * half_width + x) * 4;
                    assert_true(fabs(to[3] - weight / inside) <= 0.5);
                    for (k = 0; k < 3 && weight > 0; k++)
                        assert_true(fabs(to[k] - sum[k] / weight) <= 0.51);
                } else {
                    float to[2] = {0};
                    memcpy(to, here + ((size_t)y * half_width + x) * cell, cell);
                    if (weight == 0) {
                        assert_true(layer == INTRA_TIFF_RELIEF ? isnan(to[0]) : to[0] == 0.0f && to[1] == 0.0f);
                    } else {
                        for (k = 0; k < (int)cell / 4; k++)
                            assert_true(fabs((double)to[k] - sum[k] / weight) < 1e-6);
                    }
                }
            }
        }
        intra_free(below);
        intra_free(here);
    }
    assert_int_equal(levels, 3); /* 1333 x 314 */
}

static void colour_overviews(void **state)
{
    (void)state;
    check_overviews(INTRA_TIFF_COLOUR, 4);
}

static void relief_overviews(void **state)
{
    (void)state;
    check_overviews(INTRA_TIFF_RELIEF, 4);
}

static void coverage_overviews(void **state)
{
    (void)state;
    check_overviews(INTRA_TIFF_COVERAGE, 8);
}

static void geo_numbers(void **state)
{
    char path[512];
    TIFF *in;
    const double *values = NULL;
    uint16_t n = 0;
    (void)state;
    export_layer(INTRA_TIFF_RELIEF, path, sizeof path);
    in = TIFFOpen(path, "r");
    assert_non_null(in);
    assert_int_equal(TIFFGetField(in, 33550, &n, &values), 1);
    assert_int_equal(n, 3);
    assert_true(fabs(values[0] - 0.003) < 1e-15);
    assert_true(fabs(values[1] * scene.wall.rows - scene.wall.perimeter_m) < 1e-12);
    assert_int_equal(TIFFGetField(in, 33922, &n, &values), 1);
    assert_int_equal(n, 6);
    assert_true(fabs(values[3] - 10) < 1e-15);
    assert_true(fabs(values[4] - scene.wall.perimeter_m) < 1e-15);
    TIFFClose(in);
}

static void nothing_to_write(void **state)
{
    struct intra_scene empty;
    struct intra_error err = {0};
    char path[512];
    (void)state;
    intra_scene_init(&empty);
    made_path(path, sizeof path, folder, "none.tif");
    assert_int_equal(intra_export_tiff(&empty, INTRA_TIFF_COLOUR, path, NULL, &err), INTRA_E_NO_RESULT);
    assert_non_null(strstr(err.text, "none.tif"));
    assert_int_equal(made_file_size(path), -1);
}

static void big(void **state)
{
    struct intra_scene wide = scene;
    struct intra_error err = {0};
    char path[512];
    unsigned char magic[4] = {0};
    FILE *file;
    TIFF *in;
    uint32_t width = 0;
    (void)state;
    wide.wall.cols =
        1300000; /* x 314 rows x 8 bytes x 4/3 of overviews: 4.35 GB before compression, nearly all unseen */
    made_path(path, sizeof path, folder, "big.tif");
    assert_int_equal(intra_export_tiff(&wide, INTRA_TIFF_COVERAGE, path, NULL, &err), INTRA_OK);
    file = fopen(path, "rb");
    assert_int_equal(fread(magic, 1, 4, file), 4);
    fclose(file);
    assert_int_equal(magic[2], 43); /* 42: classic */
    in = TIFFOpen(path, "r");
    assert_non_null(in);
    TIFFGetField(in, TIFFTAG_IMAGEWIDTH, &width);
    assert_int_equal(width, 1300000);
    assert_int_equal(TIFFNumberOfDirectories(in), 14);
    TIFFClose(in);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(colour_cells),     cmocka_unit_test(relief_cells),     cmocka_unit_test(coverage_cells),
        cmocka_unit_test(columns_beside_the_image),
        cmocka_unit_test(colour_overviews), cmocka_unit_test(relief_overviews), cmocka_unit_test(coverage_overviews),
        cmocka_unit_test(geo_numbers),      cmocka_unit_test(nothing_to_write),
    };
    const struct CMUnitTest long_tests[] = {cmocka_unit_test(big)};
    TIFFSetWarningHandler(NULL); /* "unknown field": libtiff does not know the GeoTIFF tags by itself */
    if (argc > 1 && !strcmp(argv[1], "big"))
        return cmocka_run_group_tests_name("tiff_big", long_tests, make_scene, drop_scene);
    return cmocka_run_group_tests_name("tiff", tests, make_scene, drop_scene);
}
