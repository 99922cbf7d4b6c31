#include "recon/wall_cells.h"

#include "core/mem.h"

#include <math.h>
#include <string.h>

enum { READ_COLS = 256 };

enum intra_status intra_wall_cells_init(struct intra_wall_cells *cells, const struct intra_wall *wall, int rows,
                                        int group, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    size_t n = (size_t)rows * (size_t)(READ_COLS / group);
    memset(cells, 0, sizeof *cells);
    cells->wall = wall;
    cells->rows = rows;
    cells->group = group;
    for (int i = 0; i < INTRA_WALL_CELL_LIGHTS; i++)
        cells->log_of[i] = logf(4 + 0.25f * (float)i);
    INTRA_TRY(INTRA_ALLOC(cells->columns, (size_t)wall->rows * READ_COLS * 4, err));
    INTRA_TRY(INTRA_ALLOC(cells->sums, 2 * n, err));
    INTRA_TRY(INTRA_ALLOC(cells->counts, n + (size_t)rows, err));
done:
    if (status != INTRA_OK) intra_wall_cells_fini(cells);
    return status;
}

void intra_wall_cells_fini(struct intra_wall_cells *cells)
{
    intra_free(cells->columns);
    intra_free(cells->sums);
    intra_free(cells->counts);
    memset(cells, 0, sizeof *cells);
}

static int part_of(const struct intra_wall_cells *cells, int row)
{
    double turn = cells->wall->cut_rad / (2 * M_PI) + (row + 0.5) / cells->wall->rows;
    return (int)((turn - floor(turn)) * cells->rows) % cells->rows;
}

/* n cells, to cell `at` of rows that are `stride` long. */
static enum intra_status read_batch(struct intra_wall_cells *cells, int64_t first, int at, int n, int stride,
                                    float *light, float *chroma, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_wall *wall = cells->wall;
    size_t all = (size_t)cells->rows * (size_t)n;
    float *sum = cells->sums, *tint = sum + all;
    int *seen = cells->counts, *rows = seen + all;
    int64_t from = first < 0 ? 0 : first, to = first + (int64_t)n * cells->group;
    to = to > wall->cols ? wall->cols : to;
    memset(sum, 0, sizeof *sum * 2 * all);
    memset(seen, 0, sizeof *seen * (all + (size_t)cells->rows));
    if (to > from) INTRA_TRY(intra_raster_read(wall->colour, from, (int)(to - from), cells->columns, err));
    for (int r = 0; r < wall->rows; r++) {
        int k = part_of(cells, r);
        rows[k]++;
        const uint8_t *p = cells->columns + (size_t)r * (size_t)(to - from) * 4;
        size_t cell = (size_t)k * (size_t)n + (size_t)((from - first) / cells->group);
        int in_cell = (int)((from - first) % cells->group);
        for (int64_t c = from; c < to; c++, p += 4, in_cell++) {
            if (in_cell == cells->group) {
                in_cell = 0;
                cell++;
            }
            if (!p[3]) continue;
            sum[cell] += cells->log_of[p[0] + 2 * p[1] + p[2]];
            if (chroma) tint[cell] += logf((8 + (float)p[0]) / (8 + (float)p[2]));
            seen[cell]++;
        }
    }
    for (int k = 0; k < cells->rows; k++)
        for (int c = 0; c < n; c++) {
            size_t cell = (size_t)k * (size_t)n + (size_t)c, out = (size_t)k * (size_t)stride + (size_t)(at + c);
            bool is_seen = 2 * seen[cell] > rows[k] * cells->group;
            light[out] = is_seen ? sum[cell] / (float)seen[cell] : NAN;
            if (chroma) chroma[out] = is_seen ? tint[cell] / (float)seen[cell] : NAN;
        }
done:
    return status;
}

enum intra_status intra_wall_cells_read(struct intra_wall_cells *cells, int64_t first_col, int n, float *light,
                                        float *chroma, struct intra_error *err)
{
    int batch = READ_COLS / cells->group;
    for (int i = 0; i < n; i += batch) {
        int count = i + batch > n ? n - i : batch;
        enum intra_status status =
            read_batch(cells, first_col + (int64_t)i * cells->group, i, count, n, light, chroma, err);
        if (status != INTRA_OK) return status;
    }
    return INTRA_OK;
}
