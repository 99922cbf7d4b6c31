/* Reading the wall images. libtiff's own tables know no GeoTIFF tags; it hands unknown ones back by number. */
#include "export/tiff_read.h"

#include "core/fileio.h"
#include "core/mem.h"

#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <tiffio.h>

enum { TAG_PIXEL_SCALE = 33550, TAG_TIEPOINT = 33922 };
#define MIN_CELL_M 1e-5
#define MAX_CELL_M 1e3
#define MAX_STATION_M 1e7
#define MAX_BLOCK_BYTES ((size_t)1 << 28) /* ours are tiles of 256 x 256, the simulator's single rows */

struct intra_tiff {
    TIFF *tiff;
    char path[1024];
    char complaint[256]; /* of libtiff, the first since the last call */
    struct intra_tiff_info info;
    int block_cols, block_rows; /* of a tile, or of a strip (the whole width) */
    bool is_tiled;
    char *block;
};

static int keep_complaint(TIFF *tiff, void *user, const char *module, const char *format, va_list args)
{
    struct intra_tiff *t = user;
    (void)tiff;
    (void)module;
    if (!t->complaint[0]) vsnprintf(t->complaint, sizeof t->complaint, format, args);
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

static enum intra_status open_handle(struct intra_tiff *t, struct intra_error *err)
{
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    if (!options) return INTRA_FAIL(err, INTRA_E_MEM, "%s: out of memory", t->path);
    TIFFOpenOptionsSetErrorHandlerExtR(options, keep_complaint, t);
    TIFFOpenOptionsSetWarningHandlerExtR(options, ignore_warning, NULL);
    t->tiff = TIFFOpenExt(t->path, "r", options);
    TIFFOpenOptionsFree(options);
    if (t->tiff) return INTRA_OK;
    return INTRA_FAIL(err, INTRA_E_FORMAT, "%s: not a TIFF image: %s", t->path,
                      t->complaint[0] ? t->complaint : "cannot open");
}

/* At least `want` numbers of a tag that libtiff does not know; NULL where there are fewer, or of another type: libtiff
 * hands those of the file back, whatever they are. */
static const double *get_doubles(TIFF *tiff, uint32_t tag, uint32_t want)
{
    const TIFFField *field = TIFFFindField(tiff, tag, TIFF_ANY);
    uint32_t n = 0;
    double *values = NULL;
    if (!field || TIFFFieldDataType(field) != TIFF_DOUBLE) return NULL;
    return TIFFGetField(tiff, tag, &n, &values) && n >= want ? values : NULL;
}

static enum intra_status read_scale(struct intra_tiff *t, struct intra_error *err)
{
    struct intra_tiff_info *info = &t->info;
    const double *scale = get_doubles(t->tiff, TAG_PIXEL_SCALE, 2), *tie = get_doubles(t->tiff, TAG_TIEPOINT, 6);
    if (!scale || !tie)
        return INTRA_FAIL(err, INTRA_E_FORMAT, "%s: no GeoTIFF scale in metres (ModelPixelScale, ModelTiepoint)",
                          t->path);
    info->cell_x_m = scale[0];
    info->cell_y_m = scale[1];
    info->x_left_m = tie[3] - tie[0] * scale[0];
    info->y_top_m = tie[4] + tie[1] * scale[1];
    /* Stations become columns by these: what no pipe has must not become an index. */
    if (!(scale[0] >= MIN_CELL_M && scale[0] <= MAX_CELL_M && scale[1] >= MIN_CELL_M && scale[1] <= MAX_CELL_M &&
          fabs(info->x_left_m) <= MAX_STATION_M && fabs(info->y_top_m) <= MAX_STATION_M))
        return INTRA_FAIL(err, INTRA_E_FORMAT,
                          "%s: cells of %g x %g m from %g m on make no sense; is it a wall image of this program?",
                          t->path, scale[0], scale[1], info->x_left_m);
    return INTRA_OK;
}

static enum intra_status read_shape(struct intra_tiff *t, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    uint32_t cols = 0, rows = 0, block_cols = 0, block_rows = 0;
    uint16_t samples = 1, bits = 1, format = SAMPLEFORMAT_UINT, planar = PLANARCONFIG_CONTIG;
    size_t block_bytes;
    TIFFGetField(t->tiff, TIFFTAG_IMAGEWIDTH, &cols);
    TIFFGetField(t->tiff, TIFFTAG_IMAGELENGTH, &rows);
    TIFFGetFieldDefaulted(t->tiff, TIFFTAG_SAMPLESPERPIXEL, &samples);
    TIFFGetFieldDefaulted(t->tiff, TIFFTAG_BITSPERSAMPLE, &bits);
    TIFFGetFieldDefaulted(t->tiff, TIFFTAG_SAMPLEFORMAT, &format);
    TIFFGetFieldDefaulted(t->tiff, TIFFTAG_PLANARCONFIG, &planar);
    t->info.is_float = format == SAMPLEFORMAT_IEEEFP;
    if (planar != PLANARCONFIG_CONTIG || samples < 1 || samples > 16 || bits != (t->info.is_float ? 32 : 8) ||
        (!t->info.is_float && format != SAMPLEFORMAT_UINT))
        return INTRA_FAIL(err, INTRA_E_UNSUPPORTED,
                          "%s: %u samples of %u bits; want interleaved 8-bit colour or 32-bit float", t->path, samples,
                          bits);
    t->is_tiled = TIFFIsTiled(t->tiff) != 0;
    if (t->is_tiled) {
        TIFFGetField(t->tiff, TIFFTAG_TILEWIDTH, &block_cols);
        TIFFGetField(t->tiff, TIFFTAG_TILELENGTH, &block_rows);
    } else {
        block_cols = cols;
        TIFFGetFieldDefaulted(t->tiff, TIFFTAG_ROWSPERSTRIP, &block_rows);
        if (block_rows > rows) block_rows = rows;
    }
    if (cols < 1 || rows < 1 || cols > INT_MAX || rows > 1000000 || block_cols < 1 || block_rows < 1 ||
        block_cols > INT_MAX || block_rows > INT_MAX)
        return INTRA_FAIL(err, INTRA_E_FORMAT, "%s: an image of %u x %u cells in blocks of %u x %u makes no sense",
                          t->path, cols, rows, block_cols, block_rows);
    t->info.cols = cols;
    t->info.rows = (int)rows;
    t->info.samples = samples;
    t->info.cell_bytes = samples * (t->info.is_float ? 4u : 1u);
    t->block_cols = (int)block_cols;
    t->block_rows = (int)block_rows;
    if (__builtin_mul_overflow((size_t)block_cols * block_rows, t->info.cell_bytes, &block_bytes) ||
        block_bytes > MAX_BLOCK_BYTES)
        return INTRA_FAIL(err, INTRA_E_UNSUPPORTED, "%s: blocks of %u x %u cells are too large", t->path, block_cols,
                          block_rows);
    INTRA_TRY(INTRA_ALLOC(t->block, block_bytes, err));
done:
    return status;
}

enum intra_status intra_tiff_open(const char *path, struct intra_tiff **out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_tiff *t = NULL;
    *out = NULL;
    if (!intra_path_exists(path))
        return INTRA_FAIL(err, INTRA_E_IO, "%s: no such file; was it moved or renamed?", path);
    INTRA_TRY(INTRA_ALLOC(t, 1, err));
    snprintf(t->path, sizeof t->path, "%s", path);
    INTRA_TRY(open_handle(t, err));
    INTRA_TRY(read_shape(t, err));
    INTRA_TRY(read_scale(t, err));
    *out = t;
    t = NULL;
done:
    intra_tiff_close(&t);
    return status;
}

void intra_tiff_close(struct intra_tiff **tiff)
{
    if (!*tiff) return;
    if ((*tiff)->tiff) TIFFClose((*tiff)->tiff);
    intra_free((*tiff)->block);
    intra_free(*tiff);
    *tiff = NULL;
}

const struct intra_tiff_info *intra_tiff_info(const struct intra_tiff *tiff)
{
    return &tiff->info;
}

static enum intra_status read_block(struct intra_tiff *t, int64_t col, int row, struct intra_error *err)
{
    tmsize_t got;
    t->complaint[0] = 0;
    if (t->is_tiled)
        got = TIFFReadEncodedTile(t->tiff, TIFFComputeTile(t->tiff, (uint32_t)col, (uint32_t)row, 0, 0), t->block,
                                  (tmsize_t)-1);
    else
        got = TIFFReadEncodedStrip(t->tiff, TIFFComputeStrip(t->tiff, (uint32_t)row, 0), t->block, (tmsize_t)-1);
    if (got < 0)
        return INTRA_FAIL(err, INTRA_E_FORMAT, "%s: damaged image: %s", t->path,
                          t->complaint[0] ? t->complaint : "cannot decode");
    return INTRA_OK;
}

enum intra_status intra_tiff_read_columns(struct intra_tiff *t, int64_t col, int n, void *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_tiff_info *info = &t->info;
    size_t cell = info->cell_bytes;
    int64_t from = col < 0 ? 0 : col, to = col + n < info->cols ? col + n : info->cols;
    if (from > col || to < col + n) memset(out, 0, (size_t)info->rows * (size_t)n * cell);
    if (from >= to) return INTRA_OK; /* beside the image, though perhaps within its last tile */
    for (int row = 0; row < info->rows; row += t->block_rows) {
        for (int64_t left = from / t->block_cols * t->block_cols; left < to; left += t->block_cols) {
            int64_t a = left > from ? left : from, b = left + t->block_cols < to ? left + t->block_cols : to;
            INTRA_TRY(read_block(t, left, row, err));
            for (int r = 0; r < t->block_rows && row + r < info->rows; r++)
                memcpy((char *)out + ((size_t)(row + r) * (size_t)n + (size_t)(a - col)) * cell,
                       t->block + ((size_t)r * (size_t)t->block_cols + (size_t)(a - left)) * cell,
                       (size_t)(b - a) * cell);
        }
    }
done:
    return status;
}

const char *intra_tiff_library_version(void)
{
    static char version[32];
    if (!version[0] && sscanf(TIFFGetVersion(), "LIBTIFF, Version %31[0-9.]", version) != 1) strcpy(version, "unknown");
    return version;
}
