#include "export/report_keep.h"

#include "core/mem.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char grid_mark[] = "<script type=\"text/plain\" id=\"relief\">";
static const char data_mark[] = "<script type=\"application/json\" id=\"data\">";
static const char tile_mark[] = "<script type=\"text/plain\" id=\"t";
static const char end_mark[] = "</script>\n";

static char *read_text(const char *path, size_t *out_size)
{
    FILE *from = fopen(path, "rb");
    char *text = NULL;
    long size;
    if (!from) return NULL;
    if (fseek(from, 0, SEEK_END) == 0 && (size = ftell(from)) > 0 && size < 1l << 28 && fseek(from, 0, SEEK_SET) == 0 &&
        (text = intra_alloc((size_t)size + 1, 1)) != NULL) {
        *out_size = fread(text, 1, (size_t)size, from);
        if (*out_size != (size_t)size) {
            intra_free(text);
            text = NULL;
        }
    }
    fclose(from);
    return text;
}

/* What the page says of its pyramid. */
static bool read_shape(const char *json, size_t n, struct intra_report_kept *out)
{
    json_t *root = json_loadb(json, n, 0, NULL), *wall = json_object_get(root, "wall");
    bool is_there = json_is_number(json_object_get(wall, "texel"));
    out->texel_m = json_number_value(json_object_get(wall, "texel"));
    out->station_from_m = json_number_value(json_object_get(wall, "station_from"));
    out->cols = (int)json_integer_value(json_object_get(wall, "cols"));
    out->rows = (int)json_integer_value(json_object_get(wall, "rows"));
    out->n_levels = (int)json_integer_value(json_object_get(wall, "levels"));
    json_decref(root);
    return is_there && out->texel_m > 0;
}

bool intra_report_keep(const char *path, struct intra_report_kept *out)
{
    size_t size = 0;
    char *text = read_text(path, &size), *grids, *data, *end, *at;
    *out = (struct intra_report_kept){.text = text};
    if (!text) return false;
    grids = strstr(text, grid_mark);
    data = grids ? strstr(grids, data_mark) : NULL;
    end = data ? strstr(data, end_mark) : NULL;
    if (!end || !read_shape(data + strlen(data_mark), (size_t)(end - data) - strlen(data_mark), out)) {
        intra_report_kept_fini(out);
        return false;
    }
    out->grids = grids;
    out->n_grids = (size_t)(data - grids);
    out->tiles = at = end + strlen(end_mark);
    while (strncmp(at, tile_mark, strlen(tile_mark)) == 0 && (end = strstr(at, end_mark)) != NULL) {
        at = end + strlen(end_mark);
        out->tiles_found++;
    }
    out->n_tiles = (size_t)(at - out->tiles);
    return true;
}

bool intra_report_kept_fits(const struct intra_report_kept *kept, const struct intra_report_pyramid *shape)
{
    int tiles = 0;
    for (int level = 0; level < shape->n_levels; level++) {
        int across = (intra_report_level_cols(shape, level) + shape->tile_px - 1) / shape->tile_px;
        int around = ((shape->rows >> level) + shape->tile_px - 1) / shape->tile_px;
        tiles += across * around;
    }
    return fabs(kept->station_from_m - shape->station_from_m) < 1e-5 && kept->cols == shape->cols && kept->rows == shape->rows && kept->n_levels == shape->n_levels &&
           kept->tiles_found == tiles;
}

void intra_report_kept_fini(struct intra_report_kept *kept)
{
    intra_free(kept->text);
    *kept = (struct intra_report_kept){0};
}
