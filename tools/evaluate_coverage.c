/* Coverage: of the wall that the camera saw at better than 3 mm per pixel, how much the result marks as seen. A cell of
 * the truth is looked up in ours under the drift of the trajectory, so that a wrong distance is not charged twice. */
#include "tools/evaluate.h"

#include "core/mem.h"
#include "export/tiff_read.h"

#include <math.h>

static const double fine_enough_m = 0.003;
enum { SUB = 3, CHUNK_COLS = 512 }; /* SUB x SUB points a cell */

struct cover {
    const struct intra_tiff_info *truth, *ours;
    int64_t n_cells;
    double covered; /* cells, in parts */
};

/* Cells of one column of the truth (the whole map). ours: columns [first, first + n) of our map. */
static void count_column(struct cover *c, const struct intra_evaluation *e, const float *truth, int64_t col,
                         const float *ours, int64_t first, int n)
{
    const struct intra_tiff_info *t = c->truth, *o = c->ours;
    double turn = e->shift_theta_rad / (2 * M_PI);
    for (int row = 0; row < t->rows; row++) {
        float res = truth[((size_t)row * (size_t)t->cols + (size_t)col) * (size_t)t->samples];
        int hits = 0;
        if (!((double)res > 0 && (double)res <= fine_enough_m)) continue;
        for (int s = 0; s < SUB * SUB; s++) {
            double station = t->x_left_m + ((double)col + (s % SUB + 0.5) / SUB) * t->cell_x_m;
            double around = (row + (s / SUB + 0.5) / SUB) / t->rows + turn;
            int64_t at = (int64_t)floor((intra_eval_station(e, station) - o->x_left_m) / o->cell_x_m) - first;
            int r = (int)floor((around - floor(around)) * o->rows);
            if (at < 0 || at >= n || r < 0 || r >= o->rows) continue;
            hits += ours[((size_t)r * (size_t)n + (size_t)at) * (size_t)o->samples] > 0;
        }
        c->n_cells++;
        c->covered += (double)hits / (SUB * SUB);
    }
}

static enum intra_status count_all(struct cover *c, const struct intra_evaluation *e, struct intra_tiff *truth,
                                   struct intra_tiff *ours, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_tiff_info *t = c->truth, *o = c->ours;
    float *map = NULL, *cells = NULL;
    INTRA_TRY(INTRA_ALLOC(map, (size_t)t->rows * (size_t)t->cols * (size_t)t->samples, err));
    INTRA_TRY(intra_tiff_read_columns(truth, 0, (int)t->cols, map, err));
    for (int64_t col = 0; col < t->cols; col += CHUNK_COLS) {
        int64_t end = col + CHUNK_COLS < t->cols ? col + CHUNK_COLS : t->cols;
        double low = intra_eval_station(e, t->x_left_m + (double)col * t->cell_x_m);
        double high = intra_eval_station(e, t->x_left_m + (double)end * t->cell_x_m);
        int64_t first = (int64_t)floor((fmin(low, high) - o->x_left_m) / o->cell_x_m) - 50;
        int n = (int)(ceil(fabs(high - low) / o->cell_x_m)) + 100;
        if ((int64_t)n > 16 * (int64_t)CHUNK_COLS * (int64_t)ceil(t->cell_x_m / o->cell_x_m))
            continue; /* a jump over a gap: none of ours */
        intra_free(cells);
        cells = NULL;
        INTRA_TRY(INTRA_ALLOC(cells, (size_t)o->rows * (size_t)n * (size_t)o->samples, err));
        INTRA_TRY(intra_tiff_read_columns(ours, first, n, cells, err));
        for (int64_t k = col; k < end; k++)
            count_column(c, e, map, k, cells, first, n);
    }
done:
    intra_free(map);
    intra_free(cells);
    return status;
}

enum intra_status intra_evaluate_coverage(struct intra_evaluation *e, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_tiff *truth = NULL, *ours = NULL;
    struct cover c = {0};
    char truth_path[1200], path[1200];
    if (intra_eval_find(e->truth_dir, "resolution.tif", truth_path, sizeof truth_path) &&
        intra_eval_find(e->out_dir, "coverage.tif", path, sizeof path)) {
        INTRA_TRY(intra_tiff_open(truth_path, &truth, err));
        INTRA_TRY(intra_tiff_open(path, &ours, err));
        c.truth = intra_tiff_info(truth);
        c.ours = intra_tiff_info(ours);
        if (!c.truth->is_float || !c.ours->is_float) {
            status = INTRA_FAIL(err, INTRA_E_FORMAT, "%s, %s: want float32 cells", truth_path, path);
            goto done;
        }
        INTRA_TRY(count_all(&c, e, truth, ours, err));
    }
    intra_figures_add(&e->figures, "coverage_pct", "coverage of the wall seen at 3 mm per pixel or better",
                      c.n_cells ? 100 * c.covered / (double)c.n_cells : NAN, "%", c.n_cells);
done:
    intra_tiff_close(&truth);
    intra_tiff_close(&ours);
    return status;
}
