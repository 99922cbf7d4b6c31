/* The unrolled wall as tiled TIFF: full size first, then each overview as a reduced image (the layout that GDAL, QGIS
 * and libtiff know), GeoTIFF tags in metres without a place on the globe.
 *
 * Everything streams: the full size is written tile column by tile column, as the raster stands on disk; an overview is
 * made from the one before it, read back from the unfinished file through a second handle. So memory is one tile
 * column, whatever the length.
 *
 * Deflate for all three, lossless but for the rounding of the relief. docs/outputs.md says why and what it costs. */
#include "core/fileio.h"
#include "core/mem.h"
#include "export/export.h"
#include "export/text.h"
#include "export/wallread.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>
#include <tiffio.h>

/* Level 1: level 4 takes twice as long for a tenth less. Relief in steps of 7.6 micrometres, far below what it is
 * worth: a quarter of the bytes. */
enum { TILE = 256, DEFLATE_LEVEL = 1, RELIEF_STEPS_PER_M = 1 << 17 };

/* Tags of GeoTIFF 1.1 (OGC 19-008) and of GDAL, by their numbers: libtiff knows none of them. */
enum {
    TAG_PIXEL_SCALE = 33550,
    TAG_TIEPOINT = 33922,
    TAG_GEO_KEYS = 34735,
    TAG_GEO_ASCII = 34737,
    TAG_GDAL_METADATA = 42112,
    TAG_GDAL_NODATA = 42113
};
static const TIFFFieldInfo geo_fields[] = {
    {TAG_PIXEL_SCALE, -1, -1, TIFF_DOUBLE, FIELD_CUSTOM, 1, 1, (char *)"ModelPixelScale"},
    {TAG_TIEPOINT, -1, -1, TIFF_DOUBLE, FIELD_CUSTOM, 1, 1, (char *)"ModelTiepoint"},
    {TAG_GEO_KEYS, -1, -1, TIFF_SHORT, FIELD_CUSTOM, 1, 1, (char *)"GeoKeyDirectory"},
    {TAG_GEO_ASCII, -1, -1, TIFF_ASCII, FIELD_CUSTOM, 1, 0, (char *)"GeoAsciiParams"},
    {TAG_GDAL_METADATA, -1, -1, TIFF_ASCII, FIELD_CUSTOM, 1, 0, (char *)"GDALMetadata"},
    {TAG_GDAL_NODATA, -1, -1, TIFF_ASCII, FIELD_CUSTOM, 1, 0, (char *)"GDALNoData"}};

struct layer {
    int samples, sample_bytes;
    bool is_nan_unseen;
    float steps_per_unit; /* values are rounded to 1 / this; 0: as they are */
    const char *nodata;   /* NULL: alpha says it */
    const char *metadata; /* GDAL's XML: what the bands hold */
};
static const struct layer layers[] = {
    [INTRA_TIFF_COLOUR] = {4, 1, false, 0, NULL, NULL},
    [INTRA_TIFF_RELIEF] =
        {1, 4, true, RELIEF_STEPS_PER_M, "nan",
         "<GDALMetadata>\n"
         "  <Item name=\"DESCRIPTION\" sample=\"0\" role=\"description\">radius minus fitted section, "
         "outwards positive</Item>\n"
         "  <Item name=\"UNITTYPE\" sample=\"0\" role=\"unittype\">m</Item>\n"
         "</GDALMetadata>\n"},
    [INTRA_TIFF_COVERAGE] = {
        2, 4, false, 0, "0",
        "<GDALMetadata>\n"
        "  <Item name=\"DESCRIPTION\" sample=\"0\" role=\"description\">ground resolution of the best "
        "view, metres per pixel</Item>\n"
        "  <Item name=\"UNITTYPE\" sample=\"0\" role=\"unittype\">m</Item>\n"
        "  <Item name=\"DESCRIPTION\" sample=\"1\" role=\"description\">number of views</Item>\n"
        "</GDALMetadata>\n"}};

/* libtiff's complaints, kept for our own message instead of printed. */
struct complaint {
    char text[256];
};

static int keep_complaint(TIFF *tiff, void *user, const char *module, const char *format, va_list args)
{
    struct complaint *complaint = user;
    (void)tiff;
    (void)module;
    if (!complaint->text[0]) vsnprintf(complaint->text, sizeof complaint->text, format, args);
    return 1;
}

static int ignore_warning(TIFF *tiff, void *user, const char *module, const char *format, va_list args)
{
    (void)tiff;
    (void)user;
    (void)module;
    (void)format;
    (void)args;
    return 1;
}

struct job {
    const struct intra_wall *wall;
    const struct layer *layer;
    const char *path;
    char part[1040];
    TIFF *out;
    struct complaint complaint;
    const struct intra_progress *progress;
    double tiles_done, tiles_total;
};

static enum intra_status fail_io(const struct job *job, struct intra_error *err)
{
    return INTRA_FAIL(err, INTRA_E_IO,
                      "%s: cannot write the image: %s; check the free space and that the folder is "
                      "writable",
                      job->path, job->complaint.text[0] ? job->complaint.text : "unknown reason");
}

static TIFF *open_tiff(struct job *job, const char *mode)
{
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    TIFF *tiff;
    if (!options) return NULL;
    TIFFOpenOptionsSetErrorHandlerExtR(options, keep_complaint, &job->complaint);
    TIFFOpenOptionsSetWarningHandlerExtR(options, ignore_warning, NULL);
    tiff = TIFFOpenExt(job->part, mode, options);
    TIFFOpenOptionsFree(options);
    return tiff;
}

static void set_geo_tags(TIFF *out, const struct intra_wall *wall)
{
    static const char citation[] = "Unrolled pipe wall: x = station, y = arc length, metres|";
    /* A user-defined model with metres and nothing else: GDAL and QGIS show an engineering system, no place on Earth.
     */
    const uint16_t keys[][4] = {{1, 1, 0, 4},                                         /* version 1.1.0, four keys */
                                {1024, 0, 1, 32767},                                  /* GTModelType: user-defined */
                                {1025, 0, 1, 1},                                      /* GTRasterType: pixel is area */
                                {1026, TAG_GEO_ASCII, (uint16_t)strlen(citation), 0}, /* GTCitation */
                                {3076, 0, 1, 9001}};                                  /* ProjLinearUnits: metre */
    const double scale[3] = {wall->texel_m, wall->perimeter_m / wall->rows, 0};
    const double tie[6] = {0, 0, 0, wall->station0_m, wall->perimeter_m, 0};
    TIFFSetField(out, TAG_PIXEL_SCALE, 3, scale);
    TIFFSetField(out, TAG_TIEPOINT, 6, tie);
    TIFFSetField(out, TAG_GEO_KEYS, (int)(sizeof keys / sizeof keys[0][0]), keys);
    TIFFSetField(out, TAG_GEO_ASCII, citation);
}

static void set_tags(TIFF *out, const struct layer *layer, const struct intra_wall *wall, int64_t cols, int rows,
                     bool is_overview)
{
    bool is_float = layer->sample_bytes == 4, is_colour = !is_float;
    const uint16_t alpha = EXTRASAMPLE_UNASSALPHA, plain = EXTRASAMPLE_UNSPECIFIED;
    TIFFMergeFieldInfo(out, geo_fields, sizeof geo_fields / sizeof *geo_fields);
    if (is_overview) TIFFSetField(out, TIFFTAG_SUBFILETYPE, FILETYPE_REDUCEDIMAGE);
    TIFFSetField(out, TIFFTAG_IMAGEWIDTH, (uint32_t)cols);
    TIFFSetField(out, TIFFTAG_IMAGELENGTH, (uint32_t)rows);
    TIFFSetField(out, TIFFTAG_TILEWIDTH, TILE);
    TIFFSetField(out, TIFFTAG_TILELENGTH, TILE);
    TIFFSetField(out, TIFFTAG_BITSPERSAMPLE, 8 * layer->sample_bytes);
    TIFFSetField(out, TIFFTAG_SAMPLESPERPIXEL, layer->samples);
    TIFFSetField(out, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
    TIFFSetField(out, TIFFTAG_SAMPLEFORMAT, is_float ? SAMPLEFORMAT_IEEEFP : SAMPLEFORMAT_UINT);
    TIFFSetField(out, TIFFTAG_PHOTOMETRIC, is_colour ? PHOTOMETRIC_RGB : PHOTOMETRIC_MINISBLACK);
    if (is_colour) TIFFSetField(out, TIFFTAG_EXTRASAMPLES, 1, &alpha);
    if (is_float && layer->samples > 1) TIFFSetField(out, TIFFTAG_EXTRASAMPLES, 1, &plain);
    TIFFSetField(out, TIFFTAG_COMPRESSION, COMPRESSION_ADOBE_DEFLATE);
    TIFFSetField(out, TIFFTAG_PREDICTOR, is_float ? PREDICTOR_FLOATINGPOINT : PREDICTOR_HORIZONTAL);
    TIFFSetField(out, TIFFTAG_ZIPQUALITY, DEFLATE_LEVEL);
    if (layer->nodata) TIFFSetField(out, TAG_GDAL_NODATA, layer->nodata);
    if (is_overview) return;
    if (layer->metadata) TIFFSetField(out, TAG_GDAL_METADATA, layer->metadata);
    TIFFSetField(out, TIFFTAG_SOFTWARE, "Intrados " INTRADOS_VERSION);
    set_geo_tags(out, wall);
}

static int tiles_across(int64_t n)
{
    return (int)((n + TILE - 1) / TILE);
}

static enum intra_status put_tile(struct job *job, int tx, int ty, void *tile, size_t bytes, struct intra_error *err)
{
    uint32_t index = TIFFComputeTile(job->out, (uint32_t)tx * TILE, (uint32_t)ty * TILE, 0, 0);
    if (TIFFWriteEncodedTile(job->out, index, tile, (tmsize_t)bytes) < 0) return fail_io(job, err);
    job->tiles_done++;
    return INTRA_OK;
}

static void round_to_steps(float *values, size_t n, float steps_per_unit)
{
    size_t i;
    for (i = 0; i < n; i++)
        values[i] = roundf(values[i] * steps_per_unit) / steps_per_unit; /* NaN stays NaN */
}

/* The wall as it is. `column`: rows x TILE cells; `tile`: TILE x TILE cells. */
static enum intra_status write_full(struct job *job, struct intra_raster *raster, char *column, char *tile,
                                    struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_wall *wall = job->wall;
    size_t cell = (size_t)job->layer->samples * (size_t)job->layer->sample_bytes, tile_row = TILE * cell;
    int tx, ty, row;
    set_tags(job->out, job->layer, wall, wall->cols, wall->rows, false);
    for (tx = 0; tx < tiles_across(wall->cols); tx++) {
        int64_t first = (int64_t)tx * TILE;
        int n = wall->cols - first < TILE ? (int)(wall->cols - first) : TILE;
        INTRA_TRY(intra_wall_read(raster, wall->rows, cell, job->layer->is_nan_unseen, first, n, column, err));
        if (job->layer->steps_per_unit > 0)
            round_to_steps((float *)(void *)column, (size_t)n * (size_t)wall->rows, job->layer->steps_per_unit);
        for (ty = 0; ty < tiles_across(wall->rows); ty++) {
            memset(tile, 0, TILE * tile_row);
            for (row = 0; row < TILE && ty * TILE + row < wall->rows; row++)
                memcpy(tile + (size_t)row * tile_row, column + (size_t)(ty * TILE + row) * (size_t)n * cell,
                       (size_t)n * cell);
            INTRA_TRY(put_tile(job, tx, ty, tile, TILE * tile_row, err));
        }
        intra_progress_report(job->progress, "tiff", job->tiles_done, job->tiles_total);
    }
    if (!TIFFWriteDirectory(job->out)) status = fail_io(job, err);
done:
    return status;
}

/* Four cells become one: the mean of those that are seen. NULL: beyond the edge. */
static void reduce_colour(const uint8_t *const from[4], uint8_t *to)
{
    int sum[3] = {0}, alpha = 0, inside = 0, i, k;
    for (i = 0; i < 4; i++) {
        if (!from[i]) continue;
        inside++;
        alpha += from[i][3];
        for (k = 0; k < 3; k++)
            sum[k] += from[i][k] * from[i][3];
    }
    for (k = 0; k < 3; k++)
        to[k] = alpha ? (uint8_t)((sum[k] + alpha / 2) / alpha) : 0;
    to[3] = inside ? (uint8_t)((alpha + inside / 2) / inside) : 0;
}

static void reduce_floats(const struct layer *layer, const uint8_t *const from[4], uint8_t *to)
{
    float out[2] = {layer->is_nan_unseen ? NAN : 0, 0};
    double sum[2] = {0};
    int seen = 0, i, k;
    for (i = 0; i < 4; i++) {
        float in[2];
        if (!from[i]) continue;
        memcpy(in, from[i], (size_t)layer->samples * sizeof *in);
        if (layer->is_nan_unseen ? !isfinite(in[0]) : in[0] <= 0) continue;
        seen++;
        for (k = 0; k < layer->samples; k++)
            sum[k] += in[k];
    }
    for (k = 0; k < layer->samples && seen; k++)
        out[k] = (float)(sum[k] / seen);
    memcpy(to, out, (size_t)layer->samples * sizeof *out);
}

/* One tile of the next overview from the four tiles of the level below it (width x height there), NULL where there is
 * none. */
static void reduce_tile(const struct layer *layer, char *const below[4], int64_t width, int height, int tx, int ty,
                        char *tile)
{
    size_t cell = (size_t)layer->samples * (size_t)layer->sample_bytes;
    int x, y, i;
    for (y = 0; y < TILE; y++) {
        for (x = 0; x < TILE; x++) {
            const uint8_t *from[4];
            uint8_t *to = (uint8_t *)tile + ((size_t)y * TILE + (size_t)x) * cell;
            for (i = 0; i < 4; i++) {
                int bx = 2 * x + i % 2, by = 2 * y + i / 2;
                bool is_inside = (int64_t)tx * 2 * TILE + bx < width && ty * 2 * TILE + by < height;
                const char *in = below[by / TILE * 2 + bx / TILE];
                from[i] = is_inside && in
                              ? (const uint8_t *)in + ((size_t)(by % TILE) * TILE + (size_t)(bx % TILE)) * cell
                              : NULL;
            }
            if (layer->sample_bytes == 1)
                reduce_colour(from, to);
            else
                reduce_floats(layer, from, to);
        }
    }
}

/* Overview number `level` (1 = half size) from level - 1. `tiles`: room for five tiles. */
static enum intra_status write_overview(struct job *job, int level, int64_t width, int height, char *tiles,
                                        struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    size_t tile_bytes = (size_t)TILE * TILE * (size_t)job->layer->samples * (size_t)job->layer->sample_bytes;
    int64_t half_width = (width + 1) / 2;
    int half_height = (height + 1) / 2, tx, ty, i;
    TIFF *in = open_tiff(job, "rm"); /* m: not mapped, the file grows */
    if (!in || !TIFFSetDirectory(in, (tdir_t)(level - 1))) {
        status = fail_io(job, err);
        goto done;
    }
    set_tags(job->out, job->layer, job->wall, half_width, half_height, true);
    for (tx = 0; tx < tiles_across(half_width); tx++) {
        for (ty = 0; ty < tiles_across(half_height); ty++) {
            char *below[4];
            for (i = 0; i < 4; i++) {
                int bx = 2 * tx + i % 2, by = 2 * ty + i / 2;
                below[i] = NULL;
                if (bx >= tiles_across(width) || by >= tiles_across(height)) continue;
                below[i] = tiles + (size_t)i * tile_bytes;
                if (TIFFReadEncodedTile(in, TIFFComputeTile(in, (uint32_t)bx * TILE, (uint32_t)by * TILE, 0, 0),
                                        below[i], (tmsize_t)tile_bytes) < 0) {
                    status = fail_io(job, err);
                    goto done;
                }
            }
            reduce_tile(job->layer, below, width, height, tx, ty, tiles + 4 * tile_bytes);
            INTRA_TRY(put_tile(job, tx, ty, tiles + 4 * tile_bytes, tile_bytes, err));
        }
        intra_progress_report(job->progress, "tiff", job->tiles_done, job->tiles_total);
    }
    if (!TIFFWriteDirectory(job->out)) status = fail_io(job, err);
done:
    if (in) TIFFClose(in);
    return status;
}

/* Overviews until the whole wall fits one tile's width; the tiles of all levels, and their bytes before compression. */
static int count_levels(const struct intra_wall *wall, double *out_tiles)
{
    int64_t width = wall->cols;
    int height = wall->rows, levels = 0;
    *out_tiles = 0;
    for (;;) {
        *out_tiles += (double)tiles_across(width) * tiles_across(height);
        if (width <= TILE && height <= TILE) return levels;
        width = (width + 1) / 2;
        height = (height + 1) / 2;
        levels++;
    }
}

enum intra_status intra_export_tiff(const struct intra_scene *scene, enum intra_tiff_layer layer, const char *path,
                                    const struct intra_progress *progress, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_wall *wall = &scene->wall;
    struct intra_raster *rasters[] = {wall->colour, wall->relief, wall->coverage};
    struct job job = {.wall = wall, .layer = &layers[layer], .path = path, .progress = progress};
    size_t cell = (size_t)job.layer->samples * (size_t)job.layer->sample_bytes, tile_bytes = TILE * TILE * cell;
    char *column = NULL, *tiles = NULL;
    int64_t width = wall->cols;
    int height = wall->rows, levels, level;
    bool is_big;
    if (wall->rows < 1 || wall->cols < 1 || wall->cols > UINT32_MAX)
        return INTRA_FAIL(err, INTRA_E_NO_RESULT, "%s: there is no unrolled wall to write", path);
    levels = count_levels(wall, &job.tiles_total);
    /* Classic TIFF ends at 4 GiB. Counted before compression, with room for directories: never wrong, sometimes early.
     */
    is_big = job.tiles_total * (double)tile_bytes > 4.0e9;
    INTRA_TRY(INTRA_ALLOC(column, (size_t)wall->rows * TILE * cell, err));
    INTRA_TRY(INTRA_ALLOC(tiles, 5 * tile_bytes, err));
    intra_part_name(path, job.part, sizeof job.part);
    job.out = open_tiff(&job, is_big ? "w8" : "w");
    if (!job.out) {
        status = fail_io(&job, err);
        goto done;
    }
    INTRA_TRY(write_full(&job, rasters[layer], column, tiles, err));
    for (level = 1; level <= levels; level++) {
        INTRA_TRY(write_overview(&job, level, width, height, tiles, err));
        width = (width + 1) / 2;
        height = (height + 1) / 2;
    }
    TIFFClose(job.out);
    job.out = NULL;
    if (job.complaint.text[0]) { /* closing writes too, and reports no other way */
        status = fail_io(&job, err);
        goto done;
    }
    INTRA_TRY(intra_part_commit(path, err));
done:
    if (job.out) TIFFClose(job.out);
    if (status != INTRA_OK && job.part[0]) remove(job.part);
    intra_free(column);
    intra_free(tiles);
    return status;
}
