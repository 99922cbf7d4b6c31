#include "recon/zero_dots.h"

#include "core/mem.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A dot hangs on its ring by a thread at low resolution: several thresholds, shares of the strokes' contrast. */
static const double levels[] = {0.3, 0.45, 0.6, 0.75, 0.9, 1.05};
static const double largest_dot = 0.42, off_centre = 0.17; /* heights of a letter */
enum { N_LEVELS = sizeof levels / sizeof levels[0] };

struct walker {
    const struct intra_view_u8 *strokes;
    uint8_t *seen;
    int *stack;
    int x0, y0, x1, y1, n; /* the shape filled last: its box, and its pixels in stack[0..n) */
};

/* Fill the shape at (x, y) where strokes reach `level`. The stack is kept as the list of its pixels. */
static void fill(struct walker *w, int x, int y, double level)
{
    int cols = w->strokes->cols, rows = w->strokes->rows;
    w->stack[0] = y * cols + x;
    w->seen[w->stack[0]] = 1;
    w->n = 1;
    w->x0 = w->x1 = x;
    w->y0 = w->y1 = y;
    for (int i = 0; i < w->n; i++) {
        int px = w->stack[i] % cols, py = w->stack[i] / cols;
        if (px < w->x0) w->x0 = px;
        if (px > w->x1) w->x1 = px;
        if (py < w->y0) w->y0 = py;
        if (py > w->y1) w->y1 = py;
        for (int k = 0; k < 9; k++) {
            int nx = px + k % 3 - 1, ny = py + k / 3 - 1;
            if (nx < 0 || ny < 0 || nx >= cols || ny >= rows || w->seen[ny * cols + nx]) continue;
            if (intra_row_u8(w->strokes, ny)[nx] < level) continue;
            w->seen[ny * cols + nx] = 1;
            w->stack[w->n++] = ny * cols + nx;
        }
    }
}

/* Whether strokes reach `level` somewhere on the way from (x, y) in direction (dx, dy), within `reach`; *out: how far. */
static bool meets(const struct intra_view_u8 *s, int x, int y, int dx, int dy, int reach, double level, int *out)
{
    for (int i = 1; i <= reach; i++) {
        int px = x + i * dx, py = y + i * dy;
        if (px < 0 || py < 0 || px >= s->cols || py >= s->rows) return false;
        *out = i;
        if (intra_row_u8(s, py)[px] >= level) return true;
    }
    return false;
}

/* A ring closes around the shape on all eight sides, and the shape sits in its middle. */
static bool is_dot(const struct walker *w, double height_px, double level)
{
    int dot_w = w->x1 - w->x0 + 1, dot_h = w->y1 - w->y0 + 1, up, down, left, right, any;
    int reach = (int)(0.62 * height_px), cx = (w->x0 + w->x1) / 2, cy = (w->y0 + w->y1) / 2;
    const struct intra_view_u8 *s = w->strokes;
    if (dot_w > largest_dot * height_px || dot_h > largest_dot * height_px + 1) return false;
    if (!meets(s, cx, w->y0, 0, -1, reach, level, &up) || !meets(s, cx, w->y1, 0, 1, reach, level, &down) ||
        !meets(s, w->x0, cy, -1, 0, reach, level, &left) || !meets(s, w->x1, cy, 1, 0, reach, level, &right))
        return false;
    for (int k = 0; k < 4; k++)
        if (!meets(s, k % 2 ? w->x1 : w->x0, k / 2 ? w->y1 : w->y0, k % 2 ? 1 : -1, k / 2 ? 1 : -1, reach, level, &any))
            return false;
    return abs(up - down) <= 2 * off_centre * height_px && abs(left - right) <= 2 * off_centre * height_px &&
           up + down + dot_h > 0.5 * height_px && left + right + dot_w < 1.1 * height_px;
}

/* Lower the shape's pixels to nothing, and those beside it that are weaker: the threads it hangs on. */
static void take(struct walker *w, double level, struct intra_view_u8 *strokes, struct intra_view_u8 *taken)
{
    int cols = strokes->cols;
    for (int i = 0; i < 9 * w->n; i++) {
        int px = w->stack[i / 9] % cols + i % 9 % 3 - 1, py = w->stack[i / 9] / cols + i % 9 / 3 - 1;
        uint8_t *p;
        if (px < 0 || py < 0 || px >= cols || py >= strokes->rows) continue;
        p = &intra_row_u8(strokes, py)[px];
        if (*p == 0 || (*p >= level && i % 9 != 4)) continue;
        intra_row_u8(taken, py)[px] = *p;
        *p = 0;
    }
}

enum intra_status intra_zero_dots_remove(struct intra_view_u8 *strokes, double contrast, double height_px,
                                         struct intra_view_u8 *out_taken, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct walker w = {.strokes = strokes};
    size_t n = (size_t)strokes->rows * (size_t)strokes->cols;
    for (int y = 0; y < strokes->rows; y++)
        memset(intra_row_u8(out_taken, y), 0, (size_t)strokes->cols);
    INTRA_TRY(INTRA_ALLOC(w.seen, n, err));
    INTRA_TRY(INTRA_ALLOC(w.stack, n, err));
    for (int k = 0; k < N_LEVELS; k++) {
        double level = fmax(levels[k] * contrast, 8);
        memset(w.seen, 0, n);
        for (int y = 0; y < strokes->rows; y++)
            for (int x = 0; x < strokes->cols; x++) {
                if (w.seen[y * strokes->cols + x] || intra_row_u8(strokes, y)[x] < level) continue;
                fill(&w, x, y, level);
                if (is_dot(&w, height_px, level)) take(&w, level, strokes, out_taken);
            }
    }
done:
    intra_free(w.seen);
    intra_free(w.stack);
    return status;
}
