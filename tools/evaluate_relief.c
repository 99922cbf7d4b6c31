/* Relief: how far the wall stands off its section, relief.tif against the truth's radius grid, in blocks of the wall
 * that the camera saw at better than 3 mm per pixel. Each side is taken about its own section, as profile.csv and
 * relief.tif are, and the truth is looked up in ours under the drift of the trajectory, so that neither diameter nor
 * distance is charged here. */
#include "tools/evaluate.h"

#include "core/mem.h"
#include "export/tiff_read.h"
#include "tools/stats.h"

#include <math.h>

#define BLOCK_M 0.01
#define HALF_M 0.025 /* of the stretch that a section stands for */
#define FINE_ENOUGH_M 0.003
#define LEAST_WALL 0.8 /* of a block that is wall and was seen */
#define LEAST_OURS 0.5 /* of a block that relief.tif tells */

struct relief {
    const struct intra_tiff_info *truth, *ours, *seen; /* seen: a coarser grid over the truth's */
    const float *radius, *resolution;
    struct intra_tiff *ours_tiff;
    double *ring;  /* scratch: rows of the truth */
    double *error; /* of each block compared, metres */
    int64_t n, n_blocks;
};

static bool was_seen(const struct relief *r, int64_t col, int row)
{
    int64_t c = (int64_t)(((double)col + 0.5) * r->truth->cell_x_m / r->seen->cell_x_m);
    int64_t k = (int64_t)((row + 0.5) / r->truth->rows * r->seen->rows);
    double res = (double)r->resolution[(size_t)(k * r->seen->cols + (c < r->seen->cols ? c : r->seen->cols - 1)) *
                                       (size_t)r->seen->samples];
    return res > 0 && res <= FINE_ENOUGH_M;
}

/* Columns of ours read so far: n of them from column `first` on. */
struct window {
    const float *cells;
    int64_t first;
    int n;
};

/* Ours at a cell of the truth, whose station is station_m in ours; NaN: not known there. */
static double ours_at(const struct relief *r, const struct intra_evaluation *e, const struct window *w,
                      double station_m, int row)
{
    const struct intra_tiff_info *o = r->ours;
    int64_t col = (int64_t)floor((station_m - o->x_left_m) / o->cell_x_m) - w->first;
    int64_t at = (int64_t)floor(((row + 0.5) / r->truth->rows + e->shift_theta_rad / (2 * M_PI)) * o->rows);
    if (col < 0 || col >= w->n) return NAN;
    return (double)w->cells[(size_t)(((at % o->rows) + o->rows) % o->rows) * (size_t)w->n + (size_t)col];
}

/* A block of the truth's columns [col0, col1) and rows [row0, row1), which are [from_m, to_m) in ours: difference of
 * the means about the sections over the cells that both know. False: too much of it open or not seen, nothing to
 * compare; *out NaN: ours knows too little of it. */
static bool compare_block(const struct relief *r, const struct intra_evaluation *e, const double *terms,
                          const struct window *w, const int64_t cols[2], const double between_m[2], const int rows[2],
                          double *out)
{
    double sum = 0;
    int64_t n = 0, both = 0, all = (cols[1] - cols[0]) * (rows[1] - rows[0]);
    for (int row = rows[0]; row < rows[1]; row++) {
        double section = intra_eval_section_radius(terms, row + 0.5, r->truth->rows);
        for (int64_t col = cols[0]; col < cols[1]; col++) {
            size_t at = (size_t)row * (size_t)r->truth->cols + (size_t)col;
            double t = ((double)(col - cols[0]) + 0.5) / (double)(cols[1] - cols[0]);
            if (!isfinite(r->radius[at]) || !was_seen(r, col, row)) continue;
            n++;
            double ours = ours_at(r, e, w, between_m[0] + t * (between_m[1] - between_m[0]), row);
            if (!isfinite(ours)) continue;
            sum += ours - ((double)r->radius[at] - section);
            both++;
        }
    }
    *out = (double)both >= LEAST_OURS * (double)all ? sum / (double)both : NAN;
    return (double)n >= LEAST_WALL * (double)all;
}

/* The blocks of the truth's columns [col0, col1), which one section stands for. */
static enum intra_status compare_stretch(struct relief *r, const struct intra_evaluation *e, int64_t col0, int64_t col1,
                                         struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_tiff_info *t = r->truth, *o = r->ours;
    int64_t step_cols = (int64_t)fmax(1, round(BLOCK_M / t->cell_x_m));
    int step_rows = (int)fmax(1, round(BLOCK_M / t->cell_y_m));
    double left = t->x_left_m + (double)col0 * t->cell_x_m, right = t->x_left_m + (double)col1 * t->cell_x_m;
    double from = intra_eval_station(e, left), to = intra_eval_station(e, right), terms[EVAL_SECTION_TERMS];
    int64_t first = (int64_t)floor((from - o->x_left_m) / o->cell_x_m) - 2;
    int n = (int)fmin(ceil((to - from) / o->cell_x_m) + 4, 1e6);
    float *cells = NULL;
    if (!(to > from) || to - from > 2 * (right - left)) return INTRA_OK; /* a jump over a gap: none of ours */
    if (!intra_eval_truth_section(r->radius, t, (left + right) / 2, (right - left) / 2, r->ring, terms))
        return INTRA_OK;
    INTRA_TRY(INTRA_ALLOC(cells, (size_t)o->rows * (size_t)n, err));
    INTRA_TRY(intra_tiff_read_columns(r->ours_tiff, first, n, cells, err));
    struct window window = {cells, first, n};
    for (int64_t col = col0; col + step_cols <= col1; col += step_cols) {
        double a = intra_eval_station(e, t->x_left_m + (double)col * t->cell_x_m);
        double b = intra_eval_station(e, t->x_left_m + (double)(col + step_cols) * t->cell_x_m);
        if (a < o->x_left_m || b > o->x_left_m + (double)o->cols * o->cell_x_m)
            continue; /* columns outside read as 0 */
        for (int row = 0; row + step_rows <= t->rows; row += step_rows) {
            double error;
            if (!compare_block(r, e, terms, &window, (int64_t[2]){col, col + step_cols}, (double[2]){a, b},
                               (int[2]){row, row + step_rows}, &error))
                continue;
            r->n_blocks++;
            if (isfinite(error)) r->error[r->n++] = error;
        }
    }
done:
    intra_free(cells);
    return status;
}

static enum intra_status compare_all(struct relief *r, const struct intra_evaluation *e, struct intra_tiff *radius,
                                     struct intra_tiff *resolution, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_tiff_info *t = r->truth;
    size_t n = (size_t)t->rows * (size_t)t->cols;
    float *grid = NULL, *seen = NULL;
    int64_t step = (int64_t)fmax(1, round(2 * HALF_M / t->cell_x_m));
    INTRA_TRY(INTRA_ALLOC(grid, n, err));
    INTRA_TRY(INTRA_ALLOC(seen, (size_t)r->seen->rows * (size_t)r->seen->cols * (size_t)r->seen->samples, err));
    INTRA_TRY(INTRA_ALLOC(r->ring, (size_t)t->rows, err));
    INTRA_TRY(INTRA_ALLOC(r->error, n, err)); /* a block is a cell or more */
    INTRA_TRY(intra_tiff_read_columns(radius, 0, (int)t->cols, grid, err));
    INTRA_TRY(intra_tiff_read_columns(resolution, 0, (int)r->seen->cols, seen, err));
    r->radius = grid;
    r->resolution = seen;
    for (int64_t col = 0; col + step <= t->cols; col += step)
        INTRA_TRY(compare_stretch(r, e, col, col + step, err));
done:
    intra_free(grid);
    intra_free(seen);
    return status;
}

static void add_figures(struct intra_evaluation *e, struct relief *r)
{
    intra_figures_add(&e->figures, "relief_rms_mm", "relief in blocks of 10 mm, RMS error",
                      r->n ? 1e3 * intra_stats_rms(r->error, r->n) : NAN, "mm", r->n);
    intra_figures_add(&e->figures, "relief_bias_mm", "its bias (outwards positive)",
                      r->n ? 1e3 * intra_stats_mean(r->error, r->n) : NAN, "mm", r->n);
    for (int64_t i = 0; i < r->n; i++)
        r->error[i] = fabs(r->error[i]);
    intra_figures_add(&e->figures, "relief_median_mm", "its median, unsigned",
                      r->n ? 1e3 * intra_stats_median(r->error, r->n) : NAN, "mm", r->n);
    intra_figures_add(&e->figures, "relief_known_pct", "blocks whose relief is known",
                      r->n_blocks ? 100.0 * (double)r->n / (double)r->n_blocks : NAN, "%", r->n_blocks);
}

enum intra_status intra_evaluate_relief(struct intra_evaluation *e, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_tiff *radius = NULL, *resolution = NULL;
    struct relief r = {0};
    char radius_path[1200], resolution_path[1200], path[1200];
    if (intra_eval_find(e->truth_dir, "radius.tif", radius_path, sizeof radius_path) &&
        intra_eval_find(e->truth_dir, "resolution.tif", resolution_path, sizeof resolution_path) &&
        intra_eval_find(e->out_dir, "relief.tif", path, sizeof path)) {
        INTRA_TRY(intra_tiff_open(radius_path, &radius, err));
        INTRA_TRY(intra_tiff_open(resolution_path, &resolution, err));
        INTRA_TRY(intra_tiff_open(path, &r.ours_tiff, err));
        r.truth = intra_tiff_info(radius);
        r.seen = intra_tiff_info(resolution);
        r.ours = intra_tiff_info(r.ours_tiff);
        if (!r.truth->is_float || !r.seen->is_float || !r.ours->is_float || r.truth->samples != 1 ||
            r.ours->samples != 1) {
            status =
                INTRA_FAIL(err, INTRA_E_FORMAT, "%s, %s, %s: want float32 cells", radius_path, resolution_path, path);
            goto done;
        }
        INTRA_TRY(compare_all(&r, e, radius, resolution, err));
    }
    add_figures(e, &r);
done:
    intra_tiff_close(&radius);
    intra_tiff_close(&resolution);
    intra_tiff_close(&r.ours_tiff);
    intra_free(r.ring);
    intra_free(r.error);
    return status;
}
