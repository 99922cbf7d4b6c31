#include "export/wallread.h"

#include "core/clones.h"
#include "core/mem.h"

#include <math.h>
#include <string.h>

enum intra_status intra_wall_read(struct intra_raster *raster, int rows, size_t cell_bytes, bool is_nan_unseen,
                                  int64_t col, int n, void *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    int done = 0, strip_cols = raster ? intra_raster_strip_cols(raster) : n;
    size_t row_bytes = (size_t)n * cell_bytes;
    if (raster) intra_raster_lock(raster); /* several files are written at once */
    while (done < n) {
        int64_t at = col + done;
        int first = raster ? (int)(at % strip_cols) : 0;
        int take = strip_cols - first < n - done ? strip_cols - first : n - done;
        const char *strip = NULL;
        char *to = (char *)out + (size_t)done * cell_bytes;
        int row;
        if (raster) {
            const void *cells = NULL;
            INTRA_TRY(intra_raster_peek(raster, at / strip_cols, &cells, err));
            strip = cells;
        }
        for (row = 0; row < rows; row++, to += row_bytes) {
            if (strip) {
                memcpy(to, strip + ((size_t)row * (size_t)strip_cols + (size_t)first) * cell_bytes,
                       (size_t)take * cell_bytes);
            } else if (is_nan_unseen) {
                float *cell = (float *)(void *)to;
                size_t k, count = (size_t)take * cell_bytes / sizeof *cell;
                for (k = 0; k < count; k++)
                    cell[k] = NAN;
            } else {
                memset(to, 0, (size_t)take * cell_bytes);
            }
        }
        done += take;
    }
done:
    if (raster) intra_raster_unlock(raster);
    return status;
}

enum intra_status intra_wall_seen_columns(const struct intra_wall *wall, uint8_t *out_seen, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    int strip_cols;
    int64_t strip;
    memset(out_seen, 0, (size_t)wall->cols);
    if (!wall->colour) return INTRA_OK;
    strip_cols = intra_raster_strip_cols(wall->colour);
    intra_raster_lock(wall->colour);
    for (strip = 0; strip * strip_cols < wall->cols; strip++) {
        int64_t first = strip * strip_cols;
        int n = wall->cols - first < strip_cols ? (int)(wall->cols - first) : strip_cols, row, x;
        const void *cells = NULL;
        const uint8_t *at;
        INTRA_TRY(intra_raster_peek(wall->colour, strip, &cells, err));
        if (!cells) continue;
        for (row = 0, at = cells; row < wall->rows; row++, at += (size_t)strip_cols * 4)
            for (x = 0; x < n; x++)
                out_seen[first + x] |= at[4 * x + 3] != 0;
    }
done:
    intra_raster_unlock(wall->colour);
    return status;
}

/* Columns read at once: a block stays in the cache, and memory does not grow with the windows. */
enum { BLOCK_COLS = 256 };

struct span {
    int64_t first, last; /* cells touched, last included */
    double low, high;
};

static struct span span_around(double centre, double width)
{
    struct span span;
    span.low = centre - width / 2;
    span.high = centre + width / 2;
    span.first = (int64_t)floor(span.low);
    span.last = (int64_t)ceil(span.high) - 1;
    if (span.last < span.first) span.last = span.first;
    return span;
}

/* Share of cell [i, i+1) inside the span. */
static double span_weight(const struct span *span, int64_t i)
{
    double low = (double)i > span->low ? (double)i : span->low;
    double high = (double)i + 1 < span->high ? (double)i + 1 : span->high;
    return high > low ? high - low : 0;
}

static int wrap_row(int64_t row, int rows)
{
    int64_t r = row % rows;
    return (int)(r < 0 ? r + rows : r);
}

/* Columns [first, last] of the wall, those outside it unseen. */
static enum intra_status read_padded(const struct intra_wall *wall, struct intra_raster *raster, size_t cell_bytes,
                                     bool is_nan_unseen, int64_t first, int n, char *scratch, char *out,
                                     struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    int64_t low = first > 0 ? first : 0, high = first + n < wall->cols ? first + n : wall->cols;
    int row;
    if (low == first && high == first + n)
        return intra_wall_read(raster, wall->rows, cell_bytes, is_nan_unseen, first, n, out, err);
    INTRA_TRY(intra_wall_read(NULL, wall->rows, cell_bytes, is_nan_unseen, 0, n, out, err));
    if (high <= low) return INTRA_OK;
    INTRA_TRY(intra_wall_read(raster, wall->rows, cell_bytes, is_nan_unseen, low, (int)(high - low), scratch, err));
    for (row = 0; row < wall->rows; row++)
        memcpy(out + ((size_t)row * (size_t)n + (size_t)(low - first)) * cell_bytes,
               scratch + (size_t)row * (size_t)(high - low) * cell_bytes, (size_t)(high - low) * cell_bytes);
done:
    return status;
}

/* One row of windows, x in [x0, x1), from a block of columns that starts at col0: first down the rows of the band into
 * one line of sums per column, then along the columns. sums: 4 per block column (colour times alpha, alpha). */
INTRA_CLONES static void colour_row(const struct intra_wall *wall, const struct intra_wall_grid *grid, const uint8_t *block,
                       int64_t col0, int n, int x0, int x1, int y, float *sums, uint8_t *out_row)
{
    struct span band = span_around(grid->row_first + y * grid->row_step, grid->row_width);
    double band_weight = 0;
    int64_t row;
    int x, k;
    memset(sums, 0, (size_t)n * 4 * sizeof *sums);
    for (row = band.first; row <= band.last; row++) {
        const uint8_t *cell = block + (size_t)wrap_row(row, wall->rows) * (size_t)n * 4;
        float weight = (float)span_weight(&band, row);
        band_weight += weight;
        for (k = 0; k < n; k++, cell += 4) {
            float w = weight * (float)cell[3];
            sums[4 * k] += w * (float)cell[0];
            sums[4 * k + 1] += w * (float)cell[1];
            sums[4 * k + 2] += w * (float)cell[2];
            sums[4 * k + 3] += w;
        }
    }
    for (x = x0; x < x1; x++) {
        struct span columns = span_around(grid->col_centre[x], grid->col_width);
        double total[4] = {0}, area = 0;
        int64_t col;
        for (col = columns.first; col <= columns.last; col++) {
            double w = span_weight(&columns, col);
            const float *sum = &sums[4 * (col - col0)];
            area += w;
            for (k = 0; k < 4; k++)
                total[k] += w * (double)sum[k];
        }
        for (k = 0; k < 3; k++)
            out_row[4 * x + k] = total[3] > 0 ? (uint8_t)(total[k] / total[3] + 0.5) : 0;
        out_row[4 * x + 3] = (uint8_t)(fmin(255, total[3] / (area * band_weight) + 0.5));
    }
}

INTRA_CLONES static void relief_row(const struct intra_wall *wall, const struct intra_wall_grid *grid, const float *block,
                       int64_t col0, int n, int x0, int x1, int y, float *sums, float *out_row)
{
    struct span band = span_around(grid->row_first + y * grid->row_step, grid->row_width);
    int64_t row;
    int x, k;
    memset(sums, 0, (size_t)n * 2 * sizeof *sums);
    for (row = band.first; row <= band.last; row++) {
        const float *cell = block + (size_t)wrap_row(row, wall->rows) * (size_t)n;
        float weight = (float)span_weight(&band, row);
        for (k = 0; k < n; k++) {
            if (!isfinite(cell[k])) continue;
            sums[2 * k] += weight * cell[k];
            sums[2 * k + 1] += weight;
        }
    }
    for (x = x0; x < x1; x++) {
        struct span columns = span_around(grid->col_centre[x], grid->col_width);
        double total = 0, weight = 0;
        int64_t col;
        for (col = columns.first; col <= columns.last; col++) {
            double w = span_weight(&columns, col);
            total += w * (double)sums[2 * (col - col0)];
            weight += w * (double)sums[2 * (col - col0) + 1];
        }
        out_row[x] = weight > 0 ? (float)(total / weight) : NAN;
    }
}

static enum intra_status mean_over_grid(const struct intra_wall *wall, const struct intra_wall_grid *grid,
                                        bool is_colour, void *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_raster *raster = is_colour ? wall->colour : wall->relief;
    const size_t cell_bytes = 4; /* four bytes of colour, or one float */
    int widest = 0, block_cols, x0, x1, x;
    char *block = NULL, *scratch = NULL;
    float *sums = NULL;
    for (x = 0; x < grid->nx; x++) {
        struct span span = span_around(grid->col_centre[x], grid->col_width);
        if (span.last - span.first + 1 > widest) widest = (int)(span.last - span.first + 1);
    }
    block_cols = widest > BLOCK_COLS ? widest : BLOCK_COLS;
    INTRA_TRY(INTRA_ALLOC(block, (size_t)wall->rows * (size_t)block_cols * cell_bytes, err));
    INTRA_TRY(INTRA_ALLOC(scratch, (size_t)wall->rows * (size_t)block_cols * cell_bytes, err));
    INTRA_TRY(INTRA_ALLOC(sums, (size_t)grid->ny * (size_t)block_cols * 4, err));
    for (x0 = 0; x0 < grid->nx; x0 = x1) {
        int64_t col0 = span_around(grid->col_centre[x0], grid->col_width).first, end = col0;
        int y, n;
        for (x1 = x0; x1 < grid->nx; x1++) {
            int64_t last = span_around(grid->col_centre[x1], grid->col_width).last;
            if (last - col0 >= block_cols) break;
            end = last;
        }
        n = (int)(end - col0 + 1);
        INTRA_TRY(read_padded(wall, raster, cell_bytes, !is_colour, col0, n, scratch, block, err));
/* A team costs more than it saves on the few columns of a chunk's border. */
#pragma omp parallel for schedule(static) if ((int64_t)n * wall->rows > 65536)
        for (y = 0; y < grid->ny; y++) {
            float *line = sums + (size_t)y * (size_t)block_cols * 4;
            if (is_colour)
                colour_row(wall, grid, (const uint8_t *)block, col0, n, x0, x1, y, line,
                           (uint8_t *)out + (size_t)y * (size_t)grid->nx * 4);
            else
                relief_row(wall, grid, (const float *)(const void *)block, col0, n, x0, x1, y, line,
                           (float *)out + (size_t)y * (size_t)grid->nx);
        }
    }
done:
    intra_free(block);
    intra_free(scratch);
    intra_free(sums);
    return status;
}

enum intra_status intra_wall_mean_colour(const struct intra_wall *wall, const struct intra_wall_grid *grid,
                                         uint8_t *out, struct intra_error *err)
{
    return mean_over_grid(wall, grid, true, out, err);
}

enum intra_status intra_wall_mean_relief(const struct intra_wall *wall, const struct intra_wall_grid *grid, float *out,
                                         struct intra_error *err)
{
    return mean_over_grid(wall, grid, false, out, err);
}
