/* Top-hat by flat structuring element (square; rows, then columns), thresholds at several levels, 8-connected shapes,
 * shapes on a baseline. Several levels, because faint text on a calm wall and bright text on a rough one need
 * different ones; a line found twice is kept once. */
#include "recon/overlay_text.h"

#include "core/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SHAPES = 4000, MAX_FOUND = 256, MIN_WINDOW = 7 };
static const int levels[] = {26, 52, 96};
enum { N_LEVELS = sizeof levels / sizeof levels[0] };
#define COLOUR_OFF 2.0                    /* chroma to the difference of R, G and B: that of bright primaries */
static const double window_share = 0.019; /* of the picture's height: strokes are thinner */
static const double strong_stroke = 0.85, ink_near = 0.12, ink_far = 0.42; /* of a line's contrast */
static const double same_height_low = 0.6, same_height_high = 1.3; /* against the line; m is 0.7 of a digit's height */
static const double baseline_slack = 0.17, widest_letter = 2.6; /* in letter heights */
/* Between letters, in heights: over the space between a label and its number, and within a number, as the label may be lost in
 * what is behind it. */
static const double widest_gaps[] = {1.7, 0.8};

/* out = the smaller or larger of the two, value by value. */
static void take_extreme(const uint8_t *restrict in, uint8_t *restrict out, int n, bool is_max)
{
    if (is_max)
        for (int i = 0; i < n; i++) out[i] = in[i] > out[i] ? in[i] : out[i];
    else
        for (int i = 0; i < n; i++) out[i] = in[i] < out[i] ? in[i] : out[i];
}

/* Minimum or maximum over squares of 2 r + 1 pixels, cut at the edges; whole rows against whole rows, as processors like it. */
static void extreme(const struct intra_view_u8 *in, struct intra_view_u8 *between, struct intra_view_u8 *out, int r, bool is_max)
{
    for (int y = 0; y < in->rows; y++) {
        const uint8_t *from = intra_row_u8(in, y);
        uint8_t *to = intra_row_u8(between, y);
        memcpy(to, from, (size_t)in->cols);
        for (int k = 1; k <= r && k < in->cols; k++) {
            take_extreme(from + k, to, in->cols - k, is_max);
            take_extreme(from, to + k, in->cols - k, is_max);
        }
    }
    for (int y = 0; y < in->rows; y++) {
        uint8_t *to = intra_row_u8(out, y);
        memcpy(to, intra_row_u8(between, y), (size_t)in->cols);
        for (int k = 1; k <= r; k++) {
            if (y - k >= 0) take_extreme(intra_row_u8(between, y - k), to, in->cols, is_max);
            if (y + k < in->rows) take_extreme(intra_row_u8(between, y + k), to, in->cols, is_max);
        }
    }
}

void intra_text_strokes(const struct intra_view_u8 *grey, bool is_bright, int window_px, struct intra_view_u8 *between,
                        struct intra_view_u8 *out)
{
    /* Opening for bright strokes, closing for dark ones. */
    extreme(grey, between, out, window_px / 2, !is_bright);
    extreme(out, between, out, window_px / 2, is_bright);
    for (int y = 0; y < grey->rows; y++) {
        const uint8_t *g = intra_row_u8(grey, y);
        uint8_t *hat = intra_row_u8(out, y);
        for (int x = 0; x < grey->cols; x++)
            hat[x] = (uint8_t)(is_bright ? g[x] - hat[x] : hat[x] - g[x]);
    }
}

void intra_text_keep_ink(const struct intra_view_u8 *grey, bool is_bright, double contrast, struct intra_view_u8 *strokes)
{
    int64_t counts[256] = {0}, n = 0, sum = 0;
    int ink = 0;
    for (int y = 0; y < grey->rows; y++)
        for (int x = 0; x < grey->cols; x++)
            if (intra_row_u8(strokes, y)[x] >= strong_stroke * contrast) {
                counts[intra_row_u8(grey, y)[x]]++;
                n++;
            }
    while (ink < 255 && (sum += counts[ink]) * 2 < n)
        ink++;
    for (int y = 0; y < grey->rows; y++)
        for (int x = 0; x < grey->cols; x++) {
            uint8_t *s = &intra_row_u8(strokes, y)[x];
            double off = (is_bright ? 1 : -1) * (ink - intra_row_u8(grey, y)[x]) / contrast;
            double share = (ink_far - off) / (ink_far - ink_near);
            *s = (uint8_t)(*s * (share > 1 ? 1 : share < 0 ? 0 : share) + 0.5);
        }
}

static int clamp_grey(double v)
{
    return v < 0 ? 0 : v > 255 ? 255 : (int)(v + 0.5);
}

/* Chroma minus 128 at a luma pixel, between the four nearest samples (each in the middle of its 2 x 2 pixels). */
static double chroma_at(const struct intra_view_u8 *v, int x, int y)
{
    int c = x / 2, r = y / 2, c2 = c + (x % 2 ? 1 : -1), r2 = r + (y % 2 ? 1 : -1);
    const uint8_t *near, *far;
    c = c < v->cols ? c : v->cols - 1;
    c2 = c2 < 0 ? 0 : c2 < v->cols ? c2 : v->cols - 1;
    r2 = r2 < 0 ? 0 : r2 < v->rows ? r2 : v->rows - 1;
    near = intra_row_u8(v, r);
    far = intra_row_u8(v, r2);
    return (9 * near[c] + 3 * near[c2] + 3 * far[c] + far[c2]) / 16.0 - 128;
}

/* The median of a chroma plane over the picture's part of the frame, minus 128: that of the wall, or of a box of one
 * colour, as letters cover less than half of any place. */
static double usual_chroma(const struct intra_view_u8 *v, const struct intra_text_picture *p)
{
    int64_t counts[256] = {0}, n = 0, sum = 0;
    int value = 0;
    for (int y = p->y0 / 2; y < v->rows && 2 * y < p->y0 + p->luma.rows; y++)
        for (int x = p->x0 / 2; x < v->cols && 2 * x < p->x0 + p->luma.cols; x++, n++)
            counts[intra_row_u8(v, y)[x]]++;
    while (value < 255 && (sum += counts[value]) * 2 < n)
        value++;
    return value - 128;
}

/* One row of all planes; formulas as in core/video.h. usual: chroma of what is behind the letters. */
static void colour_row(const struct intra_frame *frame, int y, const double usual[2], struct intra_text_picture *p)
{
    const uint8_t *luma = intra_row_u8(&frame->y, y + p->y0) + p->x0;
    for (int x = 0; x < p->luma.cols; x++) {
        double u = chroma_at(&frame->u, x + p->x0, y + p->y0), v = chroma_at(&frame->v, x + p->x0, y + p->y0);
        double r = 1.402 * v, g = -0.344136 * u - 0.714136 * v, b = 1.772 * u;
        int low = clamp_grey(luma[x] + fmin(r, fmin(g, b))), high = clamp_grey(luma[x] + fmax(r, fmax(g, b)));
        intra_row_u8(&p->luma, y)[x] = luma[x];
        intra_row_u8(&p->low, y)[x] = (uint8_t)low;
        intra_row_u8(&p->high, y)[x] = (uint8_t)high;
        intra_row_u8(&p->colour, y)[x] = (uint8_t)fmin(high - low, COLOUR_OFF * hypot(u - usual[0], v - usual[1]));
    }
}

enum intra_status intra_text_picture_init(const struct intra_frame *frame, struct intra_text_box box,
                                          struct intra_text_picture *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    int x0 = box.x0 < 0 ? 0 : box.x0, y0 = box.y0 < 0 ? 0 : box.y0;
    int x1 = box.x1 > frame->y.cols ? frame->y.cols : box.x1, y1 = box.y1 > frame->y.rows ? frame->y.rows : box.y1;
    int window = (int)lround(frame->y.rows * window_share) | 1;
    *out = (struct intra_text_picture){.x0 = x0, .y0 = y0, .frame_rows = frame->y.rows,
                                       .window_px = window < MIN_WINDOW ? MIN_WINDOW : window};
    if (x1 <= x0 || y1 <= y0) return INTRA_FAIL(err, INTRA_E_ARG, "the place of the text is outside the picture");
    INTRA_TRY(intra_image_u8_init(&out->luma, y1 - y0, x1 - x0, 1, err));
    INTRA_TRY(intra_image_u8_init(&out->low, y1 - y0, x1 - x0, 1, err));
    INTRA_TRY(intra_image_u8_init(&out->high, y1 - y0, x1 - x0, 1, err));
    INTRA_TRY(intra_image_u8_init(&out->colour, y1 - y0, x1 - x0, 1, err));
    const double usual[2] = {usual_chroma(&frame->u, out), usual_chroma(&frame->v, out)};
    for (int y = 0; y < out->luma.rows; y++)
        colour_row(frame, y, usual, out);
done:
    if (status != INTRA_OK) intra_text_picture_fini(out);
    return status;
}

void intra_text_picture_fini(struct intra_text_picture *picture)
{
    intra_image_u8_fini(&picture->luma);
    intra_image_u8_fini(&picture->low);
    intra_image_u8_fini(&picture->high);
    intra_image_u8_fini(&picture->colour);
}

struct shape {
    struct intra_text_box box;
    int area;
    double sum;
    bool is_used;
};

struct finder {
    struct intra_view_u8 hat, between;
    uint8_t *seen; /* per pixel of the hat */
    int *stack;
    struct shape *shapes;
    int n_shapes;
    struct intra_text_line *found;
    int n_found;
};

/* The 8-connected shape at pixel p, where the hat reaches `level`; marks it seen. */
static struct shape fill_shape(struct finder *f, int p, int level)
{
    int cols = f->hat.cols, rows = f->hat.rows, top = 0;
    struct shape s = {.box = {cols, rows, 0, 0}};
    f->stack[top++] = p;
    f->seen[p] = 1;
    while (top) {
        int q = f->stack[--top], x = q % cols, y = q / cols;
        s.area++;
        s.sum += f->hat.data[q];
        if (x < s.box.x0) s.box.x0 = x;
        if (y < s.box.y0) s.box.y0 = y;
        if (x >= s.box.x1) s.box.x1 = x + 1;
        if (y >= s.box.y1) s.box.y1 = y + 1;
        for (int k = 0; k < 9; k++) {
            int nx = x + k % 3 - 1, ny = y + k / 3 - 1, n = ny * cols + nx;
            if (nx < 0 || ny < 0 || nx >= cols || ny >= rows || f->seen[n] || f->hat.data[n] < level) continue;
            f->seen[n] = 1;
            f->stack[top++] = n;
        }
    }
    return s;
}

static int by_x(const void *a, const void *b)
{
    const struct shape *p = a, *q = b;
    return p->box.x0 != q->box.x0 ? p->box.x0 - q->box.x0 : p->box.y0 - q->box.y0;
}

/* Shapes that may be letters, by x. */
static void find_shapes(struct finder *f, int level, const double height_px[2])
{
    int n = f->hat.rows * f->hat.cols;
    memset(f->seen, 0, (size_t)n);
    f->n_shapes = 0;
    for (int p = 0; p < n && f->n_shapes < MAX_SHAPES; p++) {
        struct shape s;
        int w, h;
        if (f->seen[p] || f->hat.data[p] < level) continue;
        s = fill_shape(f, p, level);
        w = s.box.x1 - s.box.x0;
        h = s.box.y1 - s.box.y0;
        if (h < 0.65 * height_px[0] || h > height_px[1] || w > widest_letter * 2 * h || s.area < w * h / 10) continue;
        f->shapes[f->n_shapes++] = s;
    }
    qsort(f->shapes, (size_t)f->n_shapes, sizeof *f->shapes, by_x);
}

static int by_number(const void *a, const void *b)
{
    double p = *(const double *)a, q = *(const double *)b;
    return (p > q) - (p < q);
}

/* Follow a baseline to the right from shape `first`. */
static void follow_line(struct finder *f, int first, double widest_gap, const double height_px[2])
{
    struct shape *s = &f->shapes[first];
    struct intra_text_line line = {.box = s->box, .letters = 1};
    double tallest = s->box.y1 - s->box.y0, base = s->box.y1, heights[64], sum = s->sum, misfit = 0;
    int area = s->area, right = s->box.x1;
    heights[0] = tallest;
    s->is_used = true;
    for (int i = first + 1; i < f->n_shapes && line.letters < 64; i++) {
        struct shape *next = &f->shapes[i];
        double h = next->box.y1 - next->box.y0, off = fabs(next->box.y1 - base);
        if (next->box.x0 > right + widest_gap * tallest) break;
        if (next->is_used || next->box.x1 <= right || h < same_height_low * tallest || h > same_height_high * tallest ||
            off > fmax(1.5, baseline_slack * tallest))
            continue;
        next->is_used = true;
        if (h > tallest && line.letters < 3) tallest = h;
        misfit += off / tallest;
        base += (next->box.y1 - base) / (line.letters + 1);
        heights[line.letters++] = h;
        sum += next->sum;
        area += next->area;
        right = next->box.x1;
        if (next->box.y0 < line.box.y0) line.box.y0 = next->box.y0;
        if (next->box.y1 > line.box.y1) line.box.y1 = next->box.y1;
        line.box.x1 = right;
    }
    qsort(heights, (size_t)line.letters, sizeof *heights, by_number);
    line.height_px = heights[line.letters * 2 / 3];
    line.contrast = sum / area;
    if (line.height_px < height_px[0] || line.box.x1 - line.box.x0 < (line.letters > 1 ? 1.2 : 2) * line.height_px ||
        f->n_found == MAX_FOUND)
        return;
    line.score = fmin(line.letters, 10) * line.contrast / (1 + 8 * misfit / line.letters);
    f->found[f->n_found++] = line;
}

static double overlap(const struct intra_text_box *a, const struct intra_text_box *b)
{
    int w = (a->x1 < b->x1 ? a->x1 : b->x1) - (a->x0 > b->x0 ? a->x0 : b->x0);
    int h = (a->y1 < b->y1 ? a->y1 : b->y1) - (a->y0 > b->y0 ? a->y0 : b->y0);
    double area_a = (double)(a->x1 - a->x0) * (a->y1 - a->y0), area_b = (double)(b->x1 - b->x0) * (b->y1 - b->y0);
    return w > 0 && h > 0 ? (double)w * h / fmax(area_a, area_b) : 0;
}

static int by_score(const void *a, const void *b)
{
    const struct intra_text_line *p = a, *q = b;
    if (p->score != q->score) return p->score > q->score ? -1 : 1;
    return p->box.y0 != q->box.y0 ? p->box.y0 - q->box.y0 : p->box.x0 - q->box.x0;
}

/* The best ones, each once. */
static int keep_best(struct finder *f, struct intra_text_line *out, int max)
{
    int n = 0;
    qsort(f->found, (size_t)f->n_found, sizeof *f->found, by_score);
    for (int i = 0; i < f->n_found && n < max; i++) {
        bool is_new = true;
        for (int k = 0; k < n && is_new; k++)
            is_new = out[k].kind != f->found[i].kind || overlap(&out[k].box, &f->found[i].box) < 0.75;
        if (is_new) out[n++] = f->found[i];
    }
    return n;
}

static void find_one_way(struct finder *f, const struct intra_text_picture *picture, enum intra_text_kind kind,
                         const double height_px[2])
{
    int before = f->n_found;
    intra_text_strokes(kind == INTRA_TEXT_COLOURED ? &picture->colour : &picture->luma, kind != INTRA_TEXT_DARK, picture->window_px, &f->between, &f->hat);
    for (int k = 0; k < N_LEVELS; k++) {
        find_shapes(f, levels[k], height_px);
        for (int g = 0; g < 2; g++) {
            for (int i = 0; i < f->n_shapes; i++)
                f->shapes[i].is_used = false;
            for (int i = 0; i < f->n_shapes; i++)
                if (!f->shapes[i].is_used) follow_line(f, i, widest_gaps[g], height_px);
        }
    }
    for (int i = before; i < f->n_found; i++)
        f->found[i].kind = kind;
}

enum intra_status intra_text_lines(const struct intra_text_picture *picture, const double height_px[2],
                                   struct intra_text_line *out_lines, int max, int *out_n, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct finder f = {0};
    int rows = picture->luma.rows, cols = picture->luma.cols;
    *out_n = 0;
    INTRA_TRY(intra_image_u8_init(&f.hat, rows, cols, 1, err));
    INTRA_TRY(intra_image_u8_init(&f.between, rows, cols, 1, err));
    INTRA_TRY(INTRA_ALLOC(f.seen, (size_t)rows * (size_t)cols, err));
    INTRA_TRY(INTRA_ALLOC(f.stack, (size_t)rows * (size_t)cols, err));
    INTRA_TRY(INTRA_ALLOC(f.shapes, MAX_SHAPES, err));
    INTRA_TRY(INTRA_ALLOC(f.found, MAX_FOUND, err));
    find_one_way(&f, picture, INTRA_TEXT_BRIGHT, height_px);
    find_one_way(&f, picture, INTRA_TEXT_DARK, height_px);
    find_one_way(&f, picture, INTRA_TEXT_COLOURED, height_px);
    *out_n = keep_best(&f, out_lines, max);
done:
    intra_image_u8_fini(&f.hat);
    intra_image_u8_fini(&f.between);
    intra_free(f.seen);
    intra_free(f.stack);
    intra_free(f.shapes);
    intra_free(f.found);
    return status;
}
