/* report.html: the bundled page, the data as JSON, and the wall as a pyramid of JPEG tiles in base64.
 *
 * The pyramid is made in one pass along the pipe: one column of tiles of the finest level at a time; each is halved
 * into a strip of the next level, which goes out when it is full, and so on. So memory is one strip a level. Each tile
 * is a script element of its own that the browser does not run: the page decodes what it shows, when it shows it. */
#include "export/report.h"

#include "core/fileio.h"
#include "core/image.h"
#include "core/mem.h"
#include "export/mesh.h"
#include "export/report_data.h"
#include "export/report_keep.h"
#include "export/report_page.h"
#include "export/text.h"
#include "export/wallread.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { TILE_PX = 512, MAX_LEVELS = 8, MAX_ATTEMPTS = 6, SAMPLES = 12, ROUNDS = 4 };
#define FILL                                                                                                           \
    0.95 /* of the room is aimed at: what samples say of the whole is worth a few percent, and a page that comes       \
            out too large is made twice */
enum { MAX_RELIEF_CELLS = 600000, COVERAGE_SEGMENTS = 36, MAX_COVERAGE_COLS = 6000 };

struct intra_report_options intra_report_defaults(void)
{
    return (struct intra_report_options){.max_bytes = 25000000, .jpeg_quality = 82};
}

bool intra_report_is_built_in(void)
{
    size_t size;
    return intra_report_page(&size) != NULL;
}

static void put_blob(FILE *to, const char *id, const uint8_t *bytes, size_t n)
{
    fprintf(to, "<script type=\"text/plain\" id=\"%s\">", id);
    intra_text_base64(to, bytes, n);
    fputs("</script>\n", to);
}

/* ---- the pyramid ---- */

struct strip {
    uint8_t *cells; /* rows x TILE_PX x 4: colour and seen share */
    int filled;     /* columns */
    int tile_x;
};

struct pyramid {
    const struct intra_scene *scene;
    const struct intra_report_options *options;
    struct intra_report_pyramid shape;
    struct strip strips[MAX_LEVELS];
    FILE *to; /* NULL: only count */
    int64_t jpeg_bytes, pixels;
};

static void pyramid_shape(struct intra_report_pyramid *shape, const struct intra_scene *scene, double from, double to,
                          double texel_m)
{
    int multiple;
    shape->station_from_m = from;
    shape->station_to_m = to;
    shape->texel_m = texel_m;
    shape->tile_px = TILE_PX;
    shape->cols = (int)ceil((to - from) / texel_m - 1e-6);
    if (shape->cols < 1) shape->cols = 1;
    for (shape->n_levels = 1;
         shape->n_levels < MAX_LEVELS && intra_report_level_cols(shape, shape->n_levels - 1) > 2 * TILE_PX;
         shape->n_levels++) {
    }
    multiple = 1 << (shape->n_levels - 1);
    shape->rows = (int)fmax(1, round(scene->wall.perimeter_m / texel_m / multiple)) * multiple;
    shape->row_m = scene->wall.perimeter_m / shape->rows;
}

/* The tiles of one full strip. Unseen wall is hatched, so that no viewer takes it for wall. */
static enum intra_status put_tiles(struct pyramid *p, int level, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct strip *strip = &p->strips[level];
    struct intra_view_u8 tile = {0};
    uint8_t *jpeg = NULL;
    int rows = p->shape.rows >> level;
    double texel_m = p->shape.texel_m * (1 << level), period_m = fmax(0.03, 8 * texel_m);
    for (int y0 = 0; y0 < rows; y0 += TILE_PX) {
        int h = rows - y0 < TILE_PX ? rows - y0 : TILE_PX;
        size_t size = 0;
        char id[64];
        INTRA_TRY(intra_image_u8_init(&tile, h, strip->filled, 3, err));
        for (int y = 0; y < h; y++) {
            const uint8_t *from = strip->cells + (size_t)(y0 + y) * TILE_PX * 4;
            uint8_t *out = intra_row_u8(&tile, y);
            for (int x = 0; x < strip->filled; x++, from += 4, out += 3) {
                double station = p->shape.station_from_m + ((double)strip->tile_x * TILE_PX + x + 0.5) * texel_m;
                if (intra_mesh_is_seen(from[3]))
                    memcpy(out, from, 3);
                else
                    memset(out, intra_mesh_hatch(station, (y0 + y + 0.5) / rows, p->scene->wall.perimeter_m, period_m),
                           3);
            }
        }
        INTRA_TRY(intra_image_encode_jpeg(&tile, p->options->jpeg_quality, &jpeg, &size, err));
        p->jpeg_bytes += (int64_t)size;
        p->pixels += (int64_t)h * strip->filled;
        snprintf(id, sizeof id, "t%d_%d_%d", level, strip->tile_x, y0 / TILE_PX);
        if (p->to) put_blob(p->to, id, jpeg, size);
        intra_free(jpeg);
        jpeg = NULL;
        intra_image_u8_fini(&tile);
    }
done:
    intra_free(jpeg);
    intra_image_u8_fini(&tile);
    return status;
}

/* Mean of the seen part of 2 x 2 cells; an odd last column stands for itself. */
static void halve(const struct strip *from, int rows, struct strip *to)
{
    int half = (from->filled + 1) / 2;
    for (int y = 0; y < rows / 2; y++) {
        for (int x = 0; x < half; x++) {
            unsigned sum[3] = {0}, alpha = 0, n = 0;
            uint8_t *out = to->cells + ((size_t)y * TILE_PX + (size_t)(to->filled + x)) * 4;
            for (int k = 0; k < 4; k++) {
                int u = 2 * x + (k & 1);
                const uint8_t *cell = from->cells + ((size_t)(2 * y + k / 2) * TILE_PX + (size_t)u) * 4;
                if (u >= from->filled) continue;
                n++;
                alpha += cell[3];
                for (int c = 0; c < 3; c++)
                    sum[c] += (unsigned)cell[c] * cell[3];
            }
            for (int c = 0; c < 3; c++)
                out[c] = alpha ? (uint8_t)((sum[c] + alpha / 2) / alpha) : 0;
            out[3] = (uint8_t)((alpha + n / 2) / n);
        }
    }
    to->filled += half;
}

static enum intra_status push_strip(struct pyramid *p, int level, bool is_last, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct strip *strip = &p->strips[level];
    INTRA_TRY(put_tiles(p, level, err));
    if (level + 1 < p->shape.n_levels) {
        halve(strip, p->shape.rows >> level, &p->strips[level + 1]);
        if (p->strips[level + 1].filled == TILE_PX || is_last) INTRA_TRY(push_strip(p, level + 1, is_last, err));
    }
    strip->filled = 0;
    strip->tile_x++;
done:
    return status;
}

/* Columns [x0, x0 + n) of level 0 into its strip. */
static enum intra_status fill_strip(struct pyramid *p, int64_t x0, int n, uint8_t *scratch, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_wall *wall = &p->scene->wall;
    double centres[TILE_PX], rows_per_px = (double)wall->rows / p->shape.rows;
    struct intra_wall_grid grid = {.col_centre = centres,
                                   .nx = n,
                                   .ny = p->shape.rows,
                                   .row_first = rows_per_px / 2,
                                   .row_step = rows_per_px,
                                   .row_width = rows_per_px,
                                   .col_width = p->shape.texel_m / wall->texel_m};
    for (int x = 0; x < n; x++)
        centres[x] =
            (p->shape.station_from_m + ((double)x0 + x + 0.5) * p->shape.texel_m - wall->station0_m) / wall->texel_m;
    INTRA_TRY(intra_wall_mean_colour(wall, &grid, scratch, err));
    for (int y = 0; y < p->shape.rows; y++)
        memcpy(p->strips[0].cells + (size_t)y * TILE_PX * 4, scratch + (size_t)y * (size_t)n * 4, (size_t)n * 4);
    p->strips[0].filled = n;
done:
    return status;
}

static enum intra_status pyramid_run(struct pyramid *p, const struct intra_progress *progress, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    uint8_t *scratch = NULL;
    INTRA_TRY(INTRA_ALLOC(scratch, (size_t)p->shape.rows * TILE_PX * 4, err));
    for (int k = 0; k < p->shape.n_levels; k++)
        INTRA_TRY(INTRA_ALLOC(p->strips[k].cells, (size_t)(p->shape.rows >> k) * TILE_PX * 4, err));
    for (int x = 0; x < p->shape.cols; x += TILE_PX) {
        int n = p->shape.cols - x < TILE_PX ? p->shape.cols - x : TILE_PX;
        intra_progress_report(progress, "report.html", x, p->shape.cols);
        INTRA_TRY(fill_strip(p, x, n, scratch, err));
        INTRA_TRY(push_strip(p, 0, x + n >= p->shape.cols, err));
        if (p->to && ferror(p->to)) break; /* full: no use in going on */
    }
done:
    for (int k = 0; k < MAX_LEVELS; k++) {
        intra_free(p->strips[k].cells);
        p->strips[k] = (struct strip){0};
    }
    intra_free(scratch);
    return status;
}

/* Bytes of base64 a pixel of level 0 costs, coarser levels included, from tile columns spread over the stretch. */
static enum intra_status sample_cost(struct pyramid *p, double *out_bytes_per_px, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    int n_strips = (p->shape.cols + TILE_PX - 1) / TILE_PX, take = n_strips < SAMPLES ? n_strips : SAMPLES;
    uint8_t *scratch = NULL;
    int64_t pixels = 0;
    p->jpeg_bytes = p->pixels = 0;
    INTRA_TRY(INTRA_ALLOC(scratch, (size_t)p->shape.rows * TILE_PX * 4, err));
    for (int k = 0; k < p->shape.n_levels; k++)
        INTRA_TRY(INTRA_ALLOC(p->strips[k].cells, (size_t)(p->shape.rows >> k) * TILE_PX * 4, err));
    for (int k = 0; k < take; k++) {
        int x = (int)((k + 0.5) * n_strips / take) * TILE_PX;
        int n = p->shape.cols - x < TILE_PX ? p->shape.cols - x : TILE_PX;
        INTRA_TRY(fill_strip(p, x, n, scratch, err));
        pixels += (int64_t)n * p->shape.rows;
        for (int level = 0; level < p->shape.n_levels; level++) {
            INTRA_TRY(put_tiles(p, level, err));
            if (level + 1 == p->shape.n_levels) break;
            p->strips[level + 1].filled = 0;
            halve(&p->strips[level], p->shape.rows >> level, &p->strips[level + 1]);
        }
    }
    *out_bytes_per_px = (double)p->jpeg_bytes / (double)pixels * 4 / 3;
done:
    for (int k = 0; k < MAX_LEVELS; k++)
        intra_free(p->strips[k].cells);
    intra_free(scratch);
    memset(p->strips, 0, sizeof p->strips);
    return status;
}

/* ---- relief and coverage as grids ---- */

static struct intra_report_grid relief_grid(const struct intra_wall *wall, double from, double until)
{
    struct intra_report_grid grid = {.unit_m = 2e-5};
    grid.rows = (int)fmin(192, fmax(48, 4 * round(wall->perimeter_m / 0.008 / 4)));
    grid.step_m = fmax(0.008, (until - from) * grid.rows / MAX_RELIEF_CELLS);
    grid.cols = (int)ceil((until - from) / grid.step_m - 1e-6);
    return grid;
}

static struct intra_report_grid coverage_grid(double from, double until)
{
    struct intra_report_grid grid = {.rows = COVERAGE_SEGMENTS, .unit_m = 1e-4};
    grid.step_m = fmax(0.02, (until - from) / MAX_COVERAGE_COLS);
    grid.cols = (int)ceil((until - from) / grid.step_m - 1e-6);
    return grid;
}

static enum intra_status put_relief(FILE *to, const struct intra_scene *scene, double from, double until,
                                    struct intra_report_grid *grid, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_wall *wall = &scene->wall;
    double *centres = NULL;
    float *values = NULL;
    uint8_t *packed = NULL;
    struct intra_wall_grid windows;
    *grid = relief_grid(wall, from, until);
    INTRA_TRY(INTRA_ALLOC(centres, (size_t)grid->cols, err));
    INTRA_TRY(INTRA_ALLOC(values, (size_t)grid->cols * (size_t)grid->rows, err));
    INTRA_TRY(INTRA_ALLOC(packed, (size_t)grid->cols * (size_t)grid->rows * 2, err));
    for (int x = 0; x < grid->cols; x++)
        centres[x] = (from + (x + 0.5) * grid->step_m - wall->station0_m) / wall->texel_m;
    windows = (struct intra_wall_grid){.col_centre = centres,
                                       .nx = grid->cols,
                                       .ny = grid->rows,
                                       .row_first = 0.5 * wall->rows / grid->rows,
                                       .row_step = (double)wall->rows / grid->rows,
                                       .row_width = (double)wall->rows / grid->rows,
                                       .col_width = fmax(1, grid->step_m / wall->texel_m)};
    INTRA_TRY(intra_wall_mean_relief(wall, &windows, values, err));
    for (size_t i = 0; i < (size_t)grid->cols * (size_t)grid->rows; i++) {
        int v = isfinite(values[i]) ? (int)lrint(fmax(-32767, fmin(32767, (double)values[i] / grid->unit_m))) : -32768;
        packed[2 * i] = (uint8_t)(v & 255);
        packed[2 * i + 1] = (uint8_t)(v >> 8 & 255);
    }
    put_blob(to, "relief", packed, (size_t)grid->cols * (size_t)grid->rows * 2);
done:
    intra_free(centres);
    intra_free(values);
    intra_free(packed);
    return status;
}

/* Ground resolution on a logarithmic scale: 0.1 mm times 2 to the (byte - 1) / 24; 0 where less than half was seen. The
 * median would be dearer; the mean of the logarithm says the same. */
static enum intra_status put_coverage(FILE *to, const struct intra_scene *scene, double from, double until,
                                      struct intra_report_grid *grid, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_wall *wall = &scene->wall;
    size_t cells;
    double *sums = NULL;
    float *column = NULL;
    uint8_t *packed = NULL;
    *grid = coverage_grid(from, until);
    cells = (size_t)grid->cols * (size_t)grid->rows;
    INTRA_TRY(INTRA_ALLOC(sums, cells * 3, err)); /* log resolution, seen, all */
    INTRA_TRY(INTRA_ALLOC(packed, cells, err));
    INTRA_TRY(INTRA_ALLOC(column, (size_t)wall->rows * 2, err));
    for (int64_t col = 0; col < wall->cols; col++) {
        double station = wall->station0_m + ((double)col + 0.5) * wall->texel_m;
        int x = (int)floor((station - from) / grid->step_m);
        if (station < from || x < 0 || x >= grid->cols) continue;
        INTRA_TRY(intra_wall_read(wall->coverage, wall->rows, 8, false, col, 1, column, err));
        for (int row = 0; row < wall->rows; row++) {
            int y = (int)((int64_t)row * grid->rows / wall->rows);
            double *sum = &sums[3 * ((size_t)y * (size_t)grid->cols + (size_t)x)];
            sum[2]++;
            if (!(column[2 * row] > 0)) continue;
            sum[0] += log2((double)column[2 * row]);
            sum[1]++;
        }
    }
    for (size_t i = 0; i < cells; i++) {
        const double *sum = &sums[3 * i];
        double v = sum[1] > 0 ? 1 + 24 * (sum[0] / sum[1] - log2(grid->unit_m)) : 0;
        packed[i] = sum[1] > 0 && 2 * sum[1] >= sum[2] ? (uint8_t)lrint(fmax(1, fmin(255, v))) : 0;
    }
    put_blob(to, "coverage", packed, cells);
done:
    intra_free(sums);
    intra_free(column);
    intra_free(packed);
    return status;
}

/* ---- the page ---- */

static void put_data(FILE *to, const char *json)
{
    fputs("<script type=\"application/json\" id=\"data\">", to);
    fputs(json, to);
    fputs("</script>\n", to);
}

/* One attempt with a picture of texel_m. *out_bytes: the size that came out; the file stands under its name only where
 * that is within the budget. */
static enum intra_status write_once(const struct intra_scene *scene, const struct intra_report_options *options,
                                    double from, double until, double texel_m, const char *path,
                                    const struct intra_progress *progress, double *out_bytes, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    size_t page_size;
    const char *page = intra_report_page(&page_size), *mark = strstr(page, INTRA_REPORT_MARK);
    struct pyramid pyramid = {.scene = scene, .options = options};
    struct intra_report_grid relief = {0}, coverage = {0};
    struct intra_out_file file = {0};
    char *json = NULL;
    if (!mark) return INTRA_FAIL(err, INTRA_E_UNSUPPORTED, "the report page of this build has no place for data");
    pyramid_shape(&pyramid.shape, scene, from, until, texel_m);
    INTRA_TRY(intra_out_file_open(&file, path, err));
    fwrite(page, 1, (size_t)(mark - page), file.stream);
    INTRA_TRY(put_relief(file.stream, scene, from, until, &relief, err));
    INTRA_TRY(put_coverage(file.stream, scene, from, until, &coverage, err));
    INTRA_TRY(intra_report_json(scene, options, &pyramid.shape, &relief, &coverage, &json, err));
    put_data(file.stream, json);
    pyramid.to = file.stream;
    INTRA_TRY(pyramid_run(&pyramid, progress, err));
    mark += strlen(INTRA_REPORT_MARK);
    fwrite(mark, 1, page_size - (size_t)(mark - page), file.stream);
    *out_bytes = (double)ftell(file.stream);
    if (*out_bytes <= (double)options->max_bytes || ferror(file.stream)) INTRA_TRY(intra_out_file_commit(&file, err));
done:
    intra_free(json);
    intra_out_file_abandon(&file);
    return status;
}

/* As write_once, with the pictures of an earlier page. *out_done: it stands; else nothing happened, since they do not
 * fit. */
static enum intra_status write_kept(const struct intra_scene *scene, const struct intra_report_options *options,
                                    double from, double until, const char *path, bool *out_done,
                                    struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    size_t page_size;
    const char *page = intra_report_page(&page_size), *mark = strstr(page, INTRA_REPORT_MARK);
    struct intra_report_grid relief = relief_grid(&scene->wall, from, until), coverage = coverage_grid(from, until);
    struct intra_report_pyramid shape = {0};
    struct intra_report_kept kept = {0};
    struct intra_out_file file = {0};
    char *json = NULL;
    *out_done = false;
    if (!mark || !intra_report_keep(options->kept, &kept)) return INTRA_OK;
    pyramid_shape(&shape, scene, from, until, kept.texel_m);
    if (!intra_report_kept_fits(&kept, &shape)) goto done;
    if (options->texel_m > 0 && fabs(kept.texel_m - fmax(scene->wall.texel_m, options->texel_m)) > 1e-9) goto done;
    INTRA_TRY(intra_report_json(scene, options, &shape, &relief, &coverage, &json, err));
    if ((double)page_size + (double)kept.n_grids + (double)strlen(json) + (double)kept.n_tiles + 200 >
        (double)options->max_bytes)
        goto done;
    INTRA_TRY(intra_out_file_open(&file, path, err));
    fwrite(page, 1, (size_t)(mark - page), file.stream);
    fwrite(kept.grids, 1, kept.n_grids, file.stream);
    put_data(file.stream, json);
    fwrite(kept.tiles, 1, kept.n_tiles, file.stream);
    mark += strlen(INTRA_REPORT_MARK);
    fwrite(mark, 1, page_size - (size_t)(mark - page), file.stream);
    INTRA_TRY(intra_out_file_commit(&file, err));
    *out_done = true;
done:
    intra_free(json);
    intra_out_file_abandon(&file);
    intra_report_kept_fini(&kept);
    return status;
}

static double clamp(double v, double low, double high)
{
    return fmax(low, fmin(high, v));
}

/* The finest cell whose pyramid, as far as samples tell, fills what max_bytes leaves beside the rest of the page. What
 * a pixel costs depends on its size, so that the answer is sought in a few rounds. */
static enum intra_status choose_texel(const struct intra_scene *scene, const struct intra_report_options *options,
                                      double from, double until, double *texel, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const double finest = *texel, area = (until - from) * scene->wall.perimeter_m;
    struct intra_report_grid relief = relief_grid(&scene->wall, from, until), coverage = coverage_grid(from, until);
    struct pyramid sample = {.scene = scene, .options = options};
    size_t page_size;
    double room;
    char *json = NULL;
    intra_report_page(&page_size);
    pyramid_shape(&sample.shape, scene, from, until, finest);
    INTRA_TRY(intra_report_json(scene, options, &sample.shape, &relief, &coverage, &json, err));
    room = (double)options->max_bytes - (double)page_size - (double)strlen(json) -
           4.0 / 3 * (2.0 * relief.rows * relief.cols + (double)coverage.rows * coverage.cols);
    for (int round = 0; round < ROUNDS; round++) {
        double cost = 0, before = *texel;
        INTRA_TRY(sample_cost(&sample, &cost, err));
        *texel = fmax(finest, sqrt(area * cost / fmax(1e5, FILL * room)));
        if (fabs(*texel - before) < 0.01 * before) break;
        pyramid_shape(&sample.shape, scene, from, until, *texel);
    }
done:
    intra_free(json);
    return status;
}

enum intra_status intra_export_report(const struct intra_scene *scene, const struct intra_report_options *options,
                                      const char *path, const struct intra_progress *progress, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_wall *wall = &scene->wall;
    double from = wall->station0_m, until = wall->station0_m + (double)wall->cols * wall->texel_m;
    double texel, bytes = 0;
    bool is_done = false;
    if (!intra_report_is_built_in())
        return INTRA_FAIL(err, INTRA_E_UNSUPPORTED,
                          "this program was built without the report page; install Node and npm, run scripts/setup.sh, "
                          "and build again");
    if (options->station_from_m < options->station_to_m) {
        from = clamp(options->station_from_m, from, until);
        until = clamp(options->station_to_m, from, until);
    }
    if (!(until - from > wall->texel_m) || scene->n_sections < 2 || wall->rows < 1)
        return INTRA_FAIL(err, INTRA_E_NO_RESULT, "%s: no wall was measured there", path);
    if (options->kept) INTRA_TRY(write_kept(scene, options, from, until, path, &is_done, err));
    if (is_done) goto done;
    texel = fmax(wall->texel_m, options->texel_m);
    if (!(options->texel_m > 0)) INTRA_TRY(choose_texel(scene, options, from, until, &texel, err));
    for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
        INTRA_TRY(write_once(scene, options, from, until, texel, path, progress, &bytes, err));
        if (bytes <= (double)options->max_bytes) return INTRA_OK;
        if (options->texel_m > 0) break;
        texel *= 1.02 * clamp(sqrt(bytes / (double)options->max_bytes), 1.02, 3);
    }
    status = INTRA_FAIL(err, INTRA_E_ARG, "%s: the page would have %.1f MB, %.1f are allowed; allow more, or choose %s",
                        path, bytes / 1e6, (double)options->max_bytes / 1e6,
                        options->texel_m > 0 ? "a coarser texel" : "a shorter range");
done:
    return status;
}
