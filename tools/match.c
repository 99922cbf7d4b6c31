#include "tools/match.h"

#include <math.h>
#include <string.h>

static int wrap(int row, int rows)
{
    row %= rows;
    return row < 0 ? row + rows : row;
}

/* One box pass of radius r along the columns of each row (cut off at the ends), from -> to. */
static void box_along(const float *from, float *to, int rows, int cols, int r)
{
    for (int row = 0; row < rows; row++) {
        const float *in = from + (size_t)row * (size_t)cols;
        float *out = to + (size_t)row * (size_t)cols;
        double sum = 0;
        for (int c = 0; c < r && c < cols; c++)
            sum += (double)in[c];
        for (int c = 0; c < cols; c++) {
            if (c + r < cols) sum += (double)in[c + r];
            if (c - r - 1 >= 0) sum -= (double)in[c - r - 1];
            out[c] = (float)sum;
        }
    }
}

/* The same down the rows, which wrap. */
static void box_around(const float *from, float *to, int rows, int cols, int r)
{
    for (int c = 0; c < cols; c++) {
        double sum = 0;
        for (int k = -r - 1; k < r; k++)
            sum += (double)from[(size_t)wrap(k, rows) * (size_t)cols + (size_t)c];
        for (int row = 0; row < rows; row++) {
            sum += (double)from[(size_t)wrap(row + r, rows) * (size_t)cols + (size_t)c];
            sum -= (double)from[(size_t)wrap(row - r - 1, rows) * (size_t)cols + (size_t)c];
            to[(size_t)row * (size_t)cols + (size_t)c] = (float)sum;
        }
    }
}

/* Three passes of width w have the variance 3 (w^2 - 1) / 12. */
static void smooth(float *image, float *scratch, int rows, int cols, double sd_cells)
{
    int r = (int)lround((sqrt(4 * sd_cells * sd_cells + 1) - 1) / 2);
    size_t n = (size_t)rows * (size_t)cols;
    float scale;
    if (2 * r + 1 > rows) r = (rows - 1) / 2;
    if (r < 1) return;
    scale = 1.0f / (float)((2 * r + 1) * (2 * r + 1));
    for (int pass = 0; pass < 3; pass++) {
        box_along(image, scratch, rows, cols, r);
        box_around(scratch, image, rows, cols, r);
        for (size_t i = 0; i < n; i++)
            image[i] *= scale;
    }
}

/* Smoothed grey over smoothed presence, into `out`; `weight` and `scratch` are used on the way. */
static void smooth_seen(const struct intra_match_image *image, double sd_cells, float *out, float *weight,
                        float *scratch)
{
    size_t n = (size_t)image->rows * (size_t)image->cols;
    for (size_t i = 0; i < n; i++) {
        weight[i] = image->seen[i];
        out[i] = image->seen[i] ? image->grey[i] : 0;
    }
    smooth(out, scratch, image->rows, image->cols, sd_cells);
    smooth(weight, scratch, image->rows, image->cols, sd_cells);
    for (size_t i = 0; i < n; i++)
        out[i] = weight[i] > 1e-3f ? out[i] / weight[i] : 0;
}

void intra_match_bandpass(struct intra_match_image *image, double fine_cells, double wide_cells, float *scratch)
{
    size_t n = (size_t)image->rows * (size_t)image->cols;
    float *fine = scratch, *wide = scratch + n;
    smooth_seen(image, fine_cells, fine, scratch + 2 * n, scratch + 3 * n);
    smooth_seen(image, wide_cells, wide, scratch + 2 * n, scratch + 3 * n);
    for (size_t i = 0; i < n; i++)
        image->grey[i] = image->seen[i] ? fine[i] - wide[i] : 0;
}

double intra_match_contrast(const struct intra_match_image *image, int row, int col, int size)
{
    double sum = 0, square = 0, n = (double)size * size;
    for (int r = 0; r < size; r++) {
        const float *in = image->grey + (size_t)wrap(row + r, image->rows) * (size_t)image->cols + (size_t)col;
        for (int c = 0; c < size; c++) {
            sum += (double)in[c];
            square += (double)in[c] * (double)in[c];
        }
    }
    square = square / n - sum / n * (sum / n);
    return square > 0 ? sqrt(square) : 0;
}

double intra_match_seen(const struct intra_match_image *image, int row, int col, int size)
{
    int64_t n = 0;
    for (int r = 0; r < size; r++) {
        const uint8_t *in = image->seen + (size_t)wrap(row + r, image->rows) * (size_t)image->cols + (size_t)col;
        for (int c = 0; c < size; c++)
            n += in[c];
    }
    return (double)n / ((double)size * size);
}

/* Correlation of the block with its place (row + dr, col + dc) in `to`. */
static double correlate(const struct intra_match_image *from, const struct intra_match_image *to, int row, int col,
                        int size, int dr, int dc)
{
    double sa = 0, sb = 0, saa = 0, sbb = 0, sab = 0, n = (double)size * size, va, vb;
    for (int r = 0; r < size; r++) {
        const float *a = from->grey + (size_t)wrap(row + r, from->rows) * (size_t)from->cols + (size_t)col;
        const float *b = to->grey + (size_t)wrap(row + r + dr, to->rows) * (size_t)to->cols + (size_t)(col + dc);
        float la = 0, lb = 0, laa = 0, lbb = 0, lab = 0; /* one row is short enough for floats */
#pragma omp simd reduction(+ : la, lb, laa, lbb, lab)
        for (int c = 0; c < size; c++) {
            la += a[c];
            lb += b[c];
            laa += a[c] * a[c];
            lbb += b[c] * b[c];
            lab += a[c] * b[c];
        }
        sa += (double)la;
        sb += (double)lb;
        saa += (double)laa;
        sbb += (double)lbb;
        sab += (double)lab;
    }
    va = saa - sa * sa / n;
    vb = sbb - sb * sb / n;
    return va > 1e-9 && vb > 1e-9 ? (sab - sa * sb / n) / sqrt(va * vb) : 0;
}

static double vertex(double before, double here, double after)
{
    double bend = before - 2 * here + after;
    return bend < 0 ? 0.5 * (before - after) / bend : 0;
}

struct intra_match intra_match_block(const struct intra_match_image *from, const struct intra_match_image *to, int row,
                                     int col, int size, int row0, int col0, int reach, int apart)
{
    enum { SPAN = 2 * INTRA_MATCH_MAX_REACH + 1 };
    static _Thread_local double score[SPAN][SPAN];
    struct intra_match out = {.correlation = -1, .second = -1};
    int best_r = 0, best_c = 0, width = 2 * reach + 1;
    for (int r = 0; r < width; r++) {
        for (int c = 0; c < width; c++) {
            int dc = col0 + c - reach;
            bool is_there = col + dc >= 0 && col + dc + size <= to->cols;
            score[r][c] = is_there ? correlate(from, to, row, col, size, row0 + r - reach, dc) : -1;
            if (score[r][c] <= out.correlation) continue;
            out.correlation = score[r][c];
            best_r = r;
            best_c = c;
        }
    }
    for (int r = 0; r < width; r++)
        for (int c = 0; c < width; c++)
            if ((r - best_r) * (r - best_r) + (c - best_c) * (c - best_c) > apart * apart && score[r][c] > out.second)
                out.second = score[r][c];
    out.is_inside = best_r > 0 && best_r < width - 1 && best_c > 0 && best_c < width - 1;
    out.d_row = row0 + best_r - reach;
    out.d_col = col0 + best_c - reach;
    if (out.is_inside) {
        out.d_row += vertex(score[best_r - 1][best_c], out.correlation, score[best_r + 1][best_c]);
        out.d_col += vertex(score[best_r][best_c - 1], out.correlation, score[best_r][best_c + 1]);
    }
    return out;
}
