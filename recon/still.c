#include "recon/still.h"

#include "core/clones.h"
#include "core/fileio.h"
#include "core/log.h"
#include "core/mem.h"
#include "recon/pyramid.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ENOUGH_LOOKS 48
#define MAX_LOOKS 72
/* Frames decoded for a look where there are too few keyframes to jump to: so many, and on to the most while they give
 * too few different pictures. */
#define ENOUGH_DECODED 500
#define MAX_DECODED 1500
#define MIN_LOOKS 12
#define SMALL 8               /* the small copy for telling pictures apart is 1/8 */
#define DIFFERENT_LOG 0.012   /* mean difference of log luminance that makes a new picture */
#define STILL_COHERENCE 0.5   /* |mean gradient|^2 over mean |gradient|^2: 1 stands still, 1/n is chance */
#define STILL_EDGE 0.02       /* log luminance per pixel; softer edges are shading */
#define ODD_SHARE 0.08         /* of the looks: a colour that no wall has */
#define ODD_MOST 0.06          /* of the picture: more of it is the wall's own colour */
#define BUSY_RMS 0.10          /* gradient rms of text whose digits change, log luminance per pixel */
#define BUSY_TIMES 3.0         /* and so many times the picture's median */
#define SHADING_BLUR_PX 10
#define BOX_SHARE 0.55    /* of a rectangle masked: it may be a box */
#define BOX_MOST 0.1      /* of the picture */
#define BOX_VARIANCE 0.25 /* of the median of the picture, that a pixel has in all looks: the plain inside of one */

enum intra_status intra_still_sums_init(struct intra_still_sums *sums, int rows, int cols, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_view_f32 *all[5] = {&sums->log_sum, &sums->log2_sum, &sums->gx_sum, &sums->gy_sum, &sums->g2_sum};
    memset(sums, 0, sizeof *sums);
    for (int i = 0; i < 5; i++) INTRA_TRY(intra_image_f32_init(all[i], rows, cols, 1, err));
    INTRA_TRY(intra_image_f32_init(&sums->odd, (rows + 1) / 2, (cols + 1) / 2, 1, err));
    INTRA_TRY(intra_image_f32_init(&sums->now, rows, cols, 1, err));
    INTRA_TRY(intra_image_f32_init(&sums->last, rows / SMALL + 1, cols / SMALL + 1, 1, err));
done:
    if (status != INTRA_OK) intra_still_sums_fini(sums);
    return status;
}

void intra_still_sums_fini(struct intra_still_sums *sums)
{
    intra_image_f32_fini(&sums->log_sum);
    intra_image_f32_fini(&sums->log2_sum);
    intra_image_f32_fini(&sums->gx_sum);
    intra_image_f32_fini(&sums->gy_sum);
    intra_image_f32_fini(&sums->g2_sum);
    intra_image_f32_fini(&sums->odd);
    intra_image_f32_fini(&sums->last);
    intra_image_f32_fini(&sums->now);
}

void intra_still_usual_chroma(const struct intra_frame *frame, float out_usual[2])
{
    for (int k = 0; k < 2; k++) {
        const struct intra_view_u8 *v = k ? &frame->v : &frame->u;
        double sum = 0;
        int n = 0;
        for (int r = 0; r < v->rows; r += 4)
            for (int c = 0; c < v->cols; c += 4, n++) sum += intra_row_u8(v, r)[c];
        out_usual[k] = n ? (float)(sum / n) : 128;
    }
}

static void count_odd(struct intra_still_sums *sums, const struct intra_frame *frame)
{
    float usual[2];
    int64_t n = 0;
    intra_still_usual_chroma(frame, usual);
    for (int pass = 0; pass < 2; pass++) {
        for (int r = 0; r < sums->odd.rows; r++)
            for (int c = 0; c < sums->odd.cols; c++)
                if (intra_still_is_odd(frame, usual, c, r)) {
                    n++;
                    if (pass) intra_row_f32(&sums->odd, r)[c] += 1;
                }
        if ((double)n > ODD_MOST * sums->odd.rows * sums->odd.cols) return;
    }
}

INTRA_CLONES bool intra_still_sums_add(struct intra_still_sums *sums, const struct intra_frame *frame)
{
    const struct intra_view_u8 *y = &frame->y;
    int rows = y->rows, cols = y->cols, n_small = 0;
    double diff = 0;
    for (int r = 0; r < rows / SMALL; r++)
        for (int c = 0; c < cols / SMALL; c++) {
            int sum = 0;
            for (int k = 0; k < 16; k++) sum += intra_row_u8(y, r * SMALL + 2 * (k / 4))[c * SMALL + 2 * (k % 4)];
            float now = logf((float)sum / 16 + INTRA_LOG_FLOOR), *old = &intra_row_f32(&sums->last, r)[c];
            diff += fabs((double)now - *old);
            n_small++;
        }
    if (sums->n && diff < DIFFERENT_LOG * n_small) return false;
    for (int r = 0; r < rows / SMALL; r++)
        for (int c = 0; c < cols / SMALL; c++) {
            int sum = 0;
            for (int k = 0; k < 16; k++) sum += intra_row_u8(y, r * SMALL + 2 * (k / 4))[c * SMALL + 2 * (k % 4)];
            intra_row_f32(&sums->last, r)[c] = logf((float)sum / 16 + INTRA_LOG_FLOOR);
        }
    float table[256];
    for (int i = 0; i < 256; i++) table[i] = intra_log_luma((uint8_t)i);
    for (int r = 0; r < rows; r++) {
        const uint8_t *p = intra_row_u8(y, r);
        float *now = intra_row_f32(&sums->now, r);
        for (int c = 0; c < cols; c++) now[c] = table[p[c]];
    }
    for (int r = 1; r + 1 < rows; r++) {
        const float *p = intra_row_f32(&sums->now, r), *up = intra_row_f32(&sums->now, r - 1);
        const float *down = intra_row_f32(&sums->now, r + 1);
        float *gx = intra_row_f32(&sums->gx_sum, r), *gy = intra_row_f32(&sums->gy_sum, r);
        float *g2 = intra_row_f32(&sums->g2_sum, r);
        for (int c = 1; c + 1 < cols; c++) {
            float dx = 0.5f * (p[c + 1] - p[c - 1]), dy = 0.5f * (down[c] - up[c]);
            gx[c] += dx;
            gy[c] += dy;
            g2[c] += dx * dx + dy * dy;
        }
    }
    for (int r = 0; r < rows; r++) {
        const float *p = intra_row_f32(&sums->now, r);
        float *l = intra_row_f32(&sums->log_sum, r), *l2 = intra_row_f32(&sums->log2_sum, r);
        for (int c = 0; c < cols; c++) {
            l[c] += p[c];
            l2[c] += p[c] * p[c];
        }
    }
    count_odd(sums, frame);
    sums->n++;
    return true;
}

/* Mean over a (2 rx + 1) x (2 ry + 1) box of in weighted by weight (NULL: 1), by running sums; out may be in. */
static enum intra_status box_mean(const struct intra_view_f32 *in, const struct intra_view_u8 *weight, int rx, int ry,
                                  struct intra_view_f32 *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    int rows = in->rows, cols = in->cols;
    double *value = NULL, *mass = NULL; /* column sums over the rows of the box */
    float *lines = NULL;                /* result, until the inputs of its rows are no longer needed */
    INTRA_TRY(INTRA_ALLOC(value, (size_t)cols, err));
    INTRA_TRY(INTRA_ALLOC(mass, (size_t)cols, err));
    INTRA_TRY(INTRA_ALLOC(lines, (size_t)cols * (size_t)rows, err));
    for (int r = -ry; r < rows; r++) {
        int add = r + ry, drop = r - ry - 1;
        for (int side = 0; side < 2; side++) {
            int row = side ? drop : add;
            double sign = side ? -1 : 1;
            if (row < 0 || row >= rows) continue;
            const float *p = intra_row_f32(in, row);
            const uint8_t *w = weight ? intra_row_u8(weight, row) : NULL;
            for (int c = 0; c < cols; c++) {
                double m = w ? (w[c] ? 1 : 0) : 1;
                value[c] += sign * m * p[c];
                mass[c] += sign * m;
            }
        }
        if (r < 0) continue;
        double v = 0, m = 0;
        for (int c = -rx; c < cols; c++) {
            if (c + rx < cols) v += value[c + rx], m += mass[c + rx];
            if (c - rx - 1 >= 0) v -= value[c - rx - 1], m -= mass[c - rx - 1];
            if (c >= 0) lines[(size_t)r * (size_t)cols + (size_t)c] = m > 0.5 ? (float)(v / m) : NAN;
        }
    }
    for (int r = 0; r < rows; r++)
        memcpy(intra_row_f32(out, r), lines + (size_t)r * (size_t)cols, sizeof *lines * (size_t)cols);
done:
    intra_free(value);
    intra_free(mass);
    intra_free(lines);
    return status;
}

/* out = 0 where any pixel of the box is 0 (grow the masked part), or 255 where any is 255 (shrink it). */
static enum intra_status box_spread(struct intra_view_u8 *mask, int rx, int ry, uint8_t what, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_view_u8 tmp = {0};
    INTRA_TRY(intra_image_u8_init(&tmp, mask->rows, mask->cols, 1, err));
    for (int r = 0; r < mask->rows; r++) {
        const uint8_t *p = intra_row_u8(mask, r);
        uint8_t *q = intra_row_u8(&tmp, r);
        int last = -1000000;
        memset(q, what ^ 255, (size_t)mask->cols);
        for (int c = 0; c < mask->cols; c++) {
            if (p[c] == what) last = c;
            if (c - last <= rx) q[c] = what;
        }
        last = 1000000;
        for (int c = mask->cols - 1; c >= 0; c--) {
            if (p[c] == what) last = c;
            if (last - c <= rx) q[c] = what;
        }
    }
    for (int c = 0; c < mask->cols; c++) {
        int last = -1000000;
        for (int r = 0; r < mask->rows; r++) {
            if (intra_row_u8(&tmp, r)[c] == what) last = r;
            intra_row_u8(mask, r)[c] = r - last <= ry ? what : what ^ 255;
        }
        last = 1000000;
        for (int r = mask->rows - 1; r >= 0; r--) {
            if (intra_row_u8(&tmp, r)[c] == what) last = r;
            if (last - r <= ry) intra_row_u8(mask, r)[c] = what;
        }
    }
done:
    intra_image_u8_fini(&tmp);
    return status;
}

/* Single still pixels are chance; text and dirt come in groups. */
static void drop_specks(struct intra_view_u8 *mask)
{
    for (int r = 2; r + 2 < mask->rows; r++)
        for (int c = 2; c + 2 < mask->cols; c++) {
            int n = 0;
            if (intra_row_u8(mask, r)[c]) continue;
            for (int y = -2; y <= 2; y++)
                for (int x = -2; x <= 2; x++) n += intra_row_u8(mask, r + y)[c + x] != 255;
            if (n < 5) intra_row_u8(mask, r)[c] = 128;
        }
    for (int r = 0; r < mask->rows; r++)
        for (int c = 0; c < mask->cols; c++)
            if (intra_row_u8(mask, r)[c] == 128) intra_row_u8(mask, r)[c] = 255;
}

static int compare_float(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return x < y ? -1 : x > y;
}

/* Variance of a pixel's log luminance over the looks. */
static float variance_at(const struct intra_still_sums *sums, int r, int c)
{
    float n = (float)sums->n, mean = intra_row_f32(&sums->log_sum, r)[c] / n;
    return intra_row_f32(&sums->log2_sum, r)[c] / n - mean * mean;
}

static float g2_at(const struct intra_still_sums *sums, int r, int c)
{
    return intra_row_f32(&sums->g2_sum, r)[c] / (float)sums->n;
}

/* Median over the picture, of every so many pixels. */
static float median_of(const struct intra_still_sums *sums, float (*at)(const struct intra_still_sums *, int, int))
{
    float sorted[4096];
    int n = 0, rows = sums->log_sum.rows, cols = sums->log_sum.cols, step = (int)sqrt((double)rows * cols / 4096) + 1;
    for (int r = 0; r < rows; r += step)
        for (int c = 0; c < cols && n < 4096; c += step)
            sorted[n++] = at(sums, r, c);
    qsort(sorted, (size_t)n, sizeof *sorted, compare_float);
    return sorted[n / 2];
}

/* Digits that change have no steady gradient, but stronger ones than any wall, and stand beside text that is still. */
static enum intra_status add_busy(const struct intra_still_sums *sums, struct intra_still *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_view_u8 beside = {0};
    int rows = out->mask.rows, cols = out->mask.cols;
    float limit = fmaxf((float)(BUSY_RMS * BUSY_RMS), (float)(BUSY_TIMES * BUSY_TIMES) * median_of(sums, g2_at));
    INTRA_TRY(intra_image_u8_init(&beside, rows, cols, 1, err));
    for (int r = 0; r < rows; r++) memcpy(intra_row_u8(&beside, r), intra_row_u8(&out->mask, r), (size_t)cols);
    INTRA_TRY(box_spread(&beside, cols / 12, 4, 0, err));
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < cols; c++)
            if (!intra_row_u8(&beside, r)[c] && g2_at(sums, r, c) > limit)
                intra_row_u8(&out->mask, r)[c] = 0;
done:
    intra_image_u8_fini(&beside);
    return status;
}

/* A masked piece from (row, col) on, marked 1; its rectangle [r0, r1) x [c0, c1) and how many pixels of it are masked.
 * stack: as many as the picture has pixels. */
struct piece {
    int r0, r1, c0, c1;
    int64_t n;
};

static struct piece take_piece(struct intra_view_u8 *mask, int row, int col, int *stack)
{
    static const int steps[4][2] = {{0, 1}, {1, 0}, {0, -1}, {-1, 0}};
    struct piece p = {row, row + 1, col, col + 1, 0};
    int n = 0;
    stack[n++] = row * mask->cols + col;
    intra_row_u8(mask, row)[col] = 1;
    while (n > 0) {
        int r = stack[--n] / mask->cols, c = stack[n] % mask->cols;
        p.r0 = r < p.r0 ? r : p.r0;
        p.r1 = r >= p.r1 ? r + 1 : p.r1;
        p.c0 = c < p.c0 ? c : p.c0;
        p.c1 = c >= p.c1 ? c + 1 : p.c1;
        p.n++;
        for (int k = 0; k < 4; k++) {
            int y = r + steps[k][0], x = c + steps[k][1];
            if (y < 0 || y >= mask->rows || x < 0 || x >= mask->cols || intra_row_u8(mask, y)[x] != 0) continue;
            intra_row_u8(mask, y)[x] = 1;
            stack[n++] = y * mask->cols + x;
        }
    }
    return p;
}

/* Text stands in boxes, and a plain box has edges at its rim and its letters only. Its inside is told from wall that shows
 * between letters by keeping its brightness. */
static enum intra_status fill_boxes(struct intra_view_u8 *mask, const struct intra_still_sums *sums,
                                    struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    int *stack = NULL;
    double all = (double)mask->rows * mask->cols;
    float most = (float)BOX_VARIANCE * median_of(sums, variance_at);
    INTRA_TRY(INTRA_ALLOC(stack, (size_t)mask->rows * (size_t)mask->cols, err));
    for (int r = 0; r < mask->rows; r++)
        for (int c = 0; c < mask->cols; c++) {
            if (intra_row_u8(mask, r)[c] != 0) continue;
            struct piece p = take_piece(mask, r, c, stack);
            double area = (double)(p.r1 - p.r0) * (p.c1 - p.c0);
            if (area > BOX_MOST * all || (double)p.n < BOX_SHARE * area) continue;
            for (int y = p.r0; y < p.r1; y++)
                for (int x = p.c0; x < p.c1; x++)
                    if (variance_at(sums, y, x) < most) intra_row_u8(mask, y)[x] = 1;
        }
    for (int r = 0; r < mask->rows; r++)
        for (int c = 0; c < mask->cols; c++)
            if (intra_row_u8(mask, r)[c] == 1) intra_row_u8(mask, r)[c] = 0;
done:
    intra_free(stack);
    return status;
}

static enum intra_status find_mask(const struct intra_still_sums *sums, const struct intra_view_f32 *mean_log,
                                   struct intra_still *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_view_f32 smooth = {0};
    float n = (float)sums->n;
    INTRA_TRY(intra_image_f32_init(&smooth, mean_log->rows, mean_log->cols, 1, err));
    INTRA_TRY(box_mean(mean_log, NULL, 12, 12, &smooth, err));
    for (int r = 1; r + 1 < out->mask.rows; r++)
        for (int c = 1; c + 1 < out->mask.cols; c++) {
            const float *s = intra_row_f32(&smooth, r);
            float gx = intra_row_f32(&sums->gx_sum, r)[c] / n, gy = intra_row_f32(&sums->gy_sum, r)[c] / n;
            float g2 = intra_row_f32(&sums->g2_sum, r)[c] / n;
            float hx = gx - 0.5f * (s[c + 1] - s[c - 1]);
            float hy = gy - 0.5f * (intra_row_f32(&smooth, r + 1)[c] - intra_row_f32(&smooth, r - 1)[c]);
            bool is_coherent = gx * gx + gy * gy > (float)STILL_COHERENCE * g2;
            bool is_edge = hx * hx + hy * hy > (float)(STILL_EDGE * STILL_EDGE);
            bool is_black = intra_row_f32(mean_log, r)[c] < logf(2.5f + INTRA_LOG_FLOOR) && g2 < 0.02f * 0.02f;
            if ((is_coherent && is_edge) || is_black) intra_row_u8(&out->mask, r)[c] = 0;
        }
    drop_specks(&out->mask);
    INTRA_TRY(add_busy(sums, out, err));
    for (int r = 0; r < out->mask.rows; r++)
        for (int c = 0; c < out->mask.cols; c++)
            if (intra_row_f32(&sums->odd, r / 2)[c / 2] > (float)(ODD_SHARE * sums->n)) intra_row_u8(&out->mask, r)[c] = 0;
    /* Close letters and words, then leave a margin for what the codec smears and for digits that change. */
    INTRA_TRY(box_spread(&out->mask, 9, 6, 0, err));
    INTRA_TRY(box_spread(&out->mask, 5, 3, 255, err));
    INTRA_TRY(fill_boxes(&out->mask, sums, err));
done:
    intra_image_f32_fini(&smooth);
    return status;
}

enum intra_status intra_still_finish(const struct intra_still_sums *sums, struct intra_still *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    int rows = sums->log_sum.rows, cols = sums->log_sum.cols;
    double sum = 0;
    int64_t good = 0;
    memset(out, 0, sizeof *out);
    out->n_looks = sums->n;
    INTRA_TRY(intra_image_u8_init(&out->mask, rows, cols, 1, err));
    INTRA_TRY(intra_image_f32_init(&out->log_shading, rows, cols, 1, err));
    for (int r = 0; r < rows; r++) {
        memset(intra_row_u8(&out->mask, r), 255, (size_t)cols);
        for (int c = 0; c < cols; c++)
            intra_row_f32(&out->log_shading, r)[c] = intra_row_f32(&sums->log_sum, r)[c] / (float)(sums->n ? sums->n : 1);
    }
    if (sums->n >= MIN_LOOKS) INTRA_TRY(find_mask(sums, &out->log_shading, out, err));
    int blur = sums->n >= MIN_LOOKS ? SHADING_BLUR_PX : 4 * SHADING_BLUR_PX;
    INTRA_TRY(box_mean(&out->log_shading, &out->mask, blur, blur, &out->log_shading, err));
    for (int grow = 2; grow < 64; grow *= 2) { /* fill what was all masked from farther around */
        bool is_whole = true;
        struct intra_view_u8 known = {0};
        INTRA_TRY(intra_image_u8_init(&known, rows, cols, 1, err));
        for (int r = 0; r < rows; r++)
            for (int c = 0; c < cols; c++) {
                bool ok = !isnan(intra_row_f32(&out->log_shading, r)[c]);
                intra_row_u8(&known, r)[c] = ok ? 255 : 0;
                if (!ok) intra_row_f32(&out->log_shading, r)[c] = 0;
                is_whole = is_whole && ok;
            }
        if (!is_whole) {
            struct intra_view_f32 wide = {0};
            status = intra_image_f32_init(&wide, rows, cols, 1, err);
            if (status == INTRA_OK) status = box_mean(&out->log_shading, &known, blur * grow, blur * grow, &wide, err);
            for (int r = 0; status == INTRA_OK && r < rows; r++)
                for (int c = 0; c < cols; c++)
                    if (!intra_row_u8(&known, r)[c])
                        intra_row_f32(&out->log_shading, r)[c] = intra_row_f32(&wide, r)[c];
            intra_image_f32_fini(&wide);
        }
        intra_image_u8_fini(&known);
        if (status != INTRA_OK) goto done;
        if (is_whole) break;
    }
    INTRA_TRY(box_mean(&out->log_shading, NULL, blur, blur, &out->log_shading, err));
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < cols; c++) {
            float *s = &intra_row_f32(&out->log_shading, r)[c];
            if (isnan(*s)) *s = 0;
            if (!intra_row_u8(&out->mask, r)[c]) continue;
            sum += *s;
            good++;
        }
    out->mean_log = good ? sum / (double)good : 0;
    out->masked_share = 1 - (double)good / ((double)rows * cols);
done:
    if (status != INTRA_OK) intra_still_fini(out);
    return status;
}

void intra_still_fini(struct intra_still *still)
{
    intra_image_u8_fini(&still->mask);
    intra_image_f32_fini(&still->log_shading);
}

static enum intra_status look_over(const char *path, const struct intra_video_options *options, bool keyframes_only,
                                   const struct intra_progress *progress, struct intra_still_sums *sums,
                                   struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_video *video = NULL;
    struct intra_frame *frame = NULL;
    struct intra_video_options look = *options;
    struct intra_video_info info;
    look.keyframes_only = keyframes_only;
    look.references_only = !keyframes_only;
    INTRA_TRY(intra_video_open(path, &look, &video, err));
    intra_video_info(video, &info);
    if (!sums->log_sum.data) INTRA_TRY(intra_still_sums_init(sums, info.height, info.width, err));
    /* Without keyframes to jump to, the first third of a minute has to do, evenly sampled. */
    int64_t span =
        info.frames_estimated > 0 && info.frames_estimated < ENOUGH_DECODED ? info.frames_estimated : ENOUGH_DECODED;
    double fps = info.fps > 0 ? info.fps : 25, next_s = 0;
    double step_s = keyframes_only || span < 3 * MAX_LOOKS ? 0 : (double)span / fps / MAX_LOOKS;
    for (int64_t i = 0; sums->n < MAX_LOOKS; i++) {
        if (!keyframes_only && (i >= MAX_DECODED || (i >= ENOUGH_DECODED && sums->n >= ENOUGH_LOOKS))) break;
        status = intra_video_next(video, &frame, err);
        if (status == INTRA_EOF) break;
        if (status != INTRA_OK) goto done;
        if (frame->pts_s >= next_s) {
            (void)intra_still_sums_add(sums, frame);
            next_s = frame->pts_s + step_s - 0.5 / fps;
        }
        intra_progress_report(progress, "look", frame->pts_s, info.duration_s);
        intra_frame_release(&frame);
    }
    status = INTRA_OK;
done:
    intra_frame_release(&frame);
    intra_video_close(&video);
    return status;
}

enum intra_status intra_still_find(const char *video_path, const struct intra_video_options *options,
                                   const char *debug_dir, const struct intra_progress *progress,
                                   struct intra_still *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_still_sums sums = {0};
    char path[1024];
    INTRA_TRY(look_over(video_path, options, true, progress, &sums, err));
    if (sums.n < ENOUGH_LOOKS) {
        intra_still_sums_fini(&sums);
        memset(&sums, 0, sizeof sums);
        INTRA_TRY(look_over(video_path, options, false, progress, &sums, err));
    }
    INTRA_TRY(intra_still_finish(&sums, out, err));
    intra_log(INTRA_LOG_INFO, "look", "%d different pictures; %.1f %% of the picture stands still and is masked", out->n_looks,
              100 * out->masked_share);
    if (debug_dir) {
        INTRA_TRY(intra_path_join(path, sizeof path, debug_dir, "still_mask.png", err));
        INTRA_TRY(intra_image_write_png(path, &out->mask, err));
        INTRA_TRY(intra_path_join(path, sizeof path, debug_dir, "still_shading.png", err));
        INTRA_TRY(intra_image_write_png_f32(path, &out->log_shading, 1.8f, 5.6f, err));
    }
done:
    intra_still_sums_fini(&sums);
    return status;
}
