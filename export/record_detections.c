#include "export/record_detections.h"

#include "core/mem.h"
#include "export/record_letters.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

int64_t intra_detection_frame(const char *picture)
{
    const char *base = picture ? strrchr(picture, '/') : NULL, *end, *dot;
    if (!picture) return -1;
    base = base ? base + 1 : picture;
    dot = strrchr(base, '.');
    end = dot ? dot : base + strlen(base);
    while (end > base && !isdigit((unsigned char)end[-1]))
        end--;
    const char *from = end;
    while (from > base && isdigit((unsigned char)from[-1]))
        from--;
    return end == from || end - from > 12 ? -1 : strtoll(from, NULL, 10);
}

enum intra_status intra_detection_add(struct intra_inspection *inspection, const char *label,
                                      struct intra_observation **out, struct intra_error *err)
{
    enum intra_status status = intra_inspection_add_observation(inspection, out, err);
    if (status != INTRA_OK) return status;
    (*out)->system = intra_record_label_system(label);
    return intra_text_set(&(*out)->code, label, err);
}

enum intra_status intra_detection_outline(struct intra_frame_region *region, const double (*points)[2], int n,
                                          double shift, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    double(*outline)[2] = NULL;
    if (n <= 0) return INTRA_OK;
    INTRA_TRY(INTRA_ALLOC(outline, (size_t)n, err));
    for (int i = 0; i < n; i++)
        for (int k = 0; k < 2; k++) {
            outline[i][k] = points[i][k] + shift;
            if (!isfinite(outline[i][k])) {
                status = INTRA_FAIL(err, INTRA_E_FORMAT, "a corner of an outline is no finite number");
                goto done;
            }
        }
    intra_free(region->outline);
    region->outline = outline;
    region->n_outline = n;
    outline = NULL;
done:
    intra_free(outline);
    return status;
}

enum intra_status intra_detection_box(struct intra_frame_region *region, double x0, double y0, double x1, double y1,
                                      double shift, struct intra_error *err)
{
    const double corners[4][2] = {{x0, y0}, {x1, y0}, {x1, y1}, {x0, y1}};
    return intra_detection_outline(region, corners, 4, shift, err);
}

/* Marks the piece that `start` belongs to with `mark`; its size. stack: room for all pixels. */
static int fill(uint8_t *mask, int width, int height, int start, uint8_t mark, int *stack)
{
    int n = 0, size = 0;
    stack[n++] = start;
    mask[start] = mark;
    while (n > 0) {
        int at = stack[--n], x = at % width, y = at / width;
        const int near[4] = {x > 0 ? at - 1 : -1, x + 1 < width ? at + 1 : -1, y > 0 ? at - width : -1,
                             y + 1 < height ? at + width : -1};
        size++;
        for (int k = 0; k < 4; k++)
            if (near[k] >= 0 && mask[near[k]] == 1) {
                mask[near[k]] = mark;
                stack[n++] = near[k];
            }
    }
    return size;
}

/* Walks along pixel edges with the piece on the right, from the upper left corner of its first pixel; a corner each
 * turn. */
enum intra_status intra_detection_mask(struct intra_frame_region *region, uint8_t *mask, int width, int height,
                                       double offset_x, double offset_y, struct intra_error *err)
{
    static const int dx[4] = {1, 0, -1, 0}, dy[4] = {0, 1, 0, -1};
    enum intra_status status = INTRA_OK;
    int *stack = NULL, n_pixels = width * height, best = -1, best_size = 0, n = 0, cap = 0;
    double(*corners)[2] = NULL;
    INTRA_TRY(INTRA_ALLOC(stack, (size_t)n_pixels, err));
    for (int i = 0; i < n_pixels; i++)
        if (mask[i] == 1) {
            int size = fill(mask, width, height, i, 2, stack);
            if (size > best_size) {
                best = i;
                best_size = size;
            }
        }
    if (best < 0) goto done;
    for (int i = 0; i < n_pixels; i++)
        mask[i] = mask[i] == 2;
    fill(mask, width, height, best, 3, stack);
#define IS_IN(x, y) ((x) >= 0 && (y) >= 0 && (x) < width && (y) < height && mask[(y)*width + (x)] == 3)
    int x = best % width, y = best / width, d = 0;
    const int x0 = x, y0 = y;
    do {
        /* pixels ahead of the corner, on the left and on the right of the way */
        const int left_x = x + (d == 0 || d == 1 ? 0 : -1), left_y = y + (d == 0 || d == 3 ? -1 : 0),
                  right_x = x + (d == 0 || d == 3 ? 0 : -1), right_y = y + (d == 0 || d == 1 ? 0 : -1);
        int turn = !IS_IN(right_x, right_y) ? 1 : IS_IN(left_x, left_y) ? 3 : 0;
        if (turn || n == 0) { /* the start is a corner: the way comes back to it from below */
            if (n == cap) {
                int grown_cap = cap ? 2 * cap : 64;
                double(*grown)[2] = intra_resize(corners, (size_t)cap, (size_t)grown_cap, sizeof *corners);
                if (!grown) {
                    status = INTRA_FAIL(err, INTRA_E_MEM, "no memory for an outline of %d corners", grown_cap);
                    goto done;
                }
                corners = grown;
                cap = grown_cap;
            }
            corners[n][0] = x + offset_x;
            corners[n++][1] = y + offset_y;
        }
        d = (d + turn) % 4;
        x += dx[d];
        y += dy[d];
    } while (x != x0 || y != y0);
#undef IS_IN
    INTRA_TRY(intra_detection_outline(region, (const double(*)[2])corners, n, -0.5, err));
done:
    intra_free(corners);
    intra_free(stack);
    return status;
}
