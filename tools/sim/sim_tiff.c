#include "tools/sim/sim_tiff.h"

#include "core/fileio.h"
#include "core/mem.h"

#include <stdbool.h>
#include <string.h>
#include <tiffio.h>

enum { TILE = 256, TAG_SCALE = 33550, TAG_TIEPOINT = 33922, TAG_KEYS = 34735 };

static const TIFFFieldInfo geo_fields[] = {
    {TAG_SCALE, -1, -1, TIFF_DOUBLE, FIELD_CUSTOM, 1, 1, (char *)"ModelPixelScaleTag"},
    {TAG_TIEPOINT, -1, -1, TIFF_DOUBLE, FIELD_CUSTOM, 1, 1, (char *)"ModelTiepointTag"},
    {TAG_KEYS, -1, -1, TIFF_SHORT, FIELD_CUSTOM, 1, 1, (char *)"GeoKeyDirectoryTag"},
};

static bool set_tags(TIFF *t, const struct sim_raster *r)
{
    double scale[3] = {r->cell_m, r->height_m / r->rows, 0}, tie[6] = {0, 0, 0, 0, r->height_m, 0};
    unsigned short keys[8] = {1, 1, 0, 1, 1025, 0, 1, 1}; /* GTRasterType: pixel is area */
    TIFFMergeFieldInfo(t, geo_fields, 3);
    return TIFFSetField(t, TIFFTAG_IMAGEWIDTH, r->cols) && TIFFSetField(t, TIFFTAG_IMAGELENGTH, r->rows) &&
           TIFFSetField(t, TIFFTAG_TILEWIDTH, TILE) && TIFFSetField(t, TIFFTAG_TILELENGTH, TILE) &&
           TIFFSetField(t, TIFFTAG_SAMPLESPERPIXEL, r->channels) &&
           TIFFSetField(t, TIFFTAG_BITSPERSAMPLE, r->channels == 1 ? 32 : 8) &&
           TIFFSetField(t, TIFFTAG_SAMPLEFORMAT, r->channels == 1 ? SAMPLEFORMAT_IEEEFP : SAMPLEFORMAT_UINT) &&
           TIFFSetField(t, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG) &&
           TIFFSetField(t, TIFFTAG_PHOTOMETRIC, r->channels == 1 ? PHOTOMETRIC_MINISBLACK : PHOTOMETRIC_RGB) &&
           TIFFSetField(t, TIFFTAG_COMPRESSION, COMPRESSION_ADOBE_DEFLATE) && TIFFSetField(t, TIFFTAG_ZIPQUALITY, 4) &&
           TIFFSetField(t, TIFFTAG_IMAGEDESCRIPTION, r->about) && TIFFSetField(t, TAG_SCALE, 3, scale) &&
           TIFFSetField(t, TAG_TIEPOINT, 6, tie) && TIFFSetField(t, TAG_KEYS, 8, keys);
}

/* TILE columns at a time, since the wall lies in memory column by column. */
static bool write_band(TIFF *t, const struct sim_raster *r, int col0, char *columns, char *tile)
{
    size_t cell = r->channels == 1 ? 4 : 3, column_bytes = (size_t)r->rows * cell;
    int n = r->cols - col0 < TILE ? r->cols - col0 : TILE;
    for (int c = 0; c < n; c++)
        r->column(r->user, col0 + c, columns + (size_t)c * column_bytes);
    for (int row0 = 0; row0 < r->rows; row0 += TILE) {
        memset(tile, 0, cell * TILE * TILE);
        for (int y = 0; y < TILE && row0 + y < r->rows; y++)
            for (int c = 0; c < n; c++)
                memcpy(tile + cell * (size_t)(y * TILE + c),
                       columns + (size_t)c * column_bytes + cell * (size_t)(row0 + y), cell);
        if (TIFFWriteTile(t, tile, (uint32_t)col0, (uint32_t)row0, 0, 0) < 0) return false;
    }
    return true;
}

enum intra_status intra_sim_tiff_write(const char *path, const struct sim_raster *r, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    char part[1100], *columns = NULL, *tile = NULL;
    TIFF *t = NULL;
    bool good;
    TIFFSetErrorHandler(NULL);
    TIFFSetWarningHandler(NULL);
    intra_part_name(path, part, sizeof part);
    INTRA_TRY(INTRA_ALLOC(columns, (size_t)r->rows * TILE * 4, err));
    INTRA_TRY(INTRA_ALLOC(tile, TILE * TILE * 4, err));
    t = TIFFOpen(part, (size_t)r->rows * (size_t)r->cols > 900000000u ? "w8" : "w");
    if (!t) {
        status = INTRA_FAIL(err, INTRA_E_IO, "%s: cannot be written; check the folder and the space left", path);
        goto done;
    }
    good = set_tags(t, r);
    for (int c = 0; good && c < r->cols; c += TILE)
        good = write_band(t, r, c, columns, tile);
    good = good && TIFFFlush(t);
    TIFFClose(t);
    if (!good) {
        remove(part);
        status = INTRA_FAIL(err, INTRA_E_IO, "%s: could not be written whole; check the space left on the disk", path);
        goto done;
    }
    INTRA_TRY(intra_part_commit(path, err));
done:
    intra_free(columns);
    intra_free(tile);
    return status;
}
