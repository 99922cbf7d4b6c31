/* 8-bit 4:2:0 pictures to full-range BT.601.
 *
 * BT.601 in limited range (nearly all SD video) is a scale and a shift. BT.709 needs the chroma for the luma too:
 *   R'G'B' from Y'CbCr (709), Y'CbCr (601) from R'G'B', multiplied out (ITU-R BT.601-7, BT.709-6):
 *     Y6 = Y7 + 0.101579 U7 + 0.196076 V7;  U6 = 0.989854 U7 - 0.110653 V7;  V6 = -0.072453 U7 + 0.983398 V7
 *   with U, V around 0 and all in full range. A luma sample takes the chroma sample of its 2x2 block.
 *
 * All in 16-bit integers: compilers turn these loops into SIMD even for plain x86-64, which has no 32-bit multiply.
 * A factor 1 + k is x + high(x k), where high() is the upper half of a 16-bit product. */
#include "core/video_internal.h"

#include <string.h>

#define CHUNK 512 /* luma samples of a row taken at once */

static inline uint16_t high_u(uint16_t x, uint16_t k)
{
    return (uint16_t)((uint32_t)x * k >> 16);
}

static inline int16_t high_s(int16_t x, int16_t k)
{
    return (int16_t)((int32_t)x * k >> 16);
}

static inline uint8_t clamp_s(int16_t value)
{
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

/* (x - 16) 255 / 219 */
static void expand_luma(const uint8_t *restrict in, uint8_t *restrict out, int n)
{
    for (int x = 0; x < n; x++) {
        uint16_t t = (uint16_t)((in[x] > 16 ? in[x] - 16 : 0) << 7);
        uint16_t y = (uint16_t)((uint16_t)(t + high_u(t, 10773) + 64) >> 7); /* 36/219 */
        out[x] = (uint8_t)(y < 255 ? y : 255);
    }
}

/* (x - 128) 255 / 224 + 128 */
static void expand_chroma(const uint8_t *restrict in, uint8_t *restrict out, int n)
{
    for (int x = 0; x < n; x++) {
        int16_t t = (int16_t)((in[x] - 128) * 128);
        int16_t c = (int16_t)((int16_t)(t + high_s(t, 9070) + 64) >> 7); /* 31/224 */
        out[x] = clamp_s((int16_t)(c + 128));
    }
}

static void convert_plane(void (*expand)(const uint8_t *restrict, uint8_t *restrict, int), const uint8_t *from,
                          ptrdiff_t stride, const struct intra_view_u8 *to)
{
    for (int row = 0; row < to->rows; row++) {
        if (expand)
            expand(from + row * stride, intra_row_u8(to, row), to->cols);
        else
            memcpy(intra_row_u8(to, row), from + row * stride, (size_t)to->cols);
    }
}

/* Factors of BT.709 chroma in 1/65536; luma's of both, the own chroma's less 1. */
struct bt709_factors {
    int16_t yu, yv, uu, uv, vu, vv;
};
static const struct bt709_factors bt709_full = {6657, 12850, -665, -7252, -4748, -1088};
static const struct bt709_factors bt709_limited = {7578, 14628, 8313, -8255, -5405, 7830}; /* times 255/224 */

static void bt709_chroma(const struct bt709_factors *k, const uint8_t *restrict in_u, const uint8_t *restrict in_v,
                         uint8_t *restrict out_u, uint8_t *restrict out_v, int16_t *restrict luma, int n)
{
    for (int x = 0; x < n; x++) {
        int16_t u = (int16_t)((in_u[x] - 128) * 128), v = (int16_t)((in_v[x] - 128) * 128);
        int16_t new_u = (int16_t)((int16_t)(u + high_s(u, k->uu) + high_s(v, k->uv) + 64) >> 7);
        int16_t new_v = (int16_t)((int16_t)(v + high_s(v, k->vv) + high_s(u, k->vu) + 64) >> 7);
        out_u[x] = clamp_s((int16_t)(new_u + 128));
        out_v[x] = clamp_s((int16_t)(new_v + 128));
        luma[2 * x] = luma[2 * x + 1] = (int16_t)((int16_t)(high_s(u, k->yu) + high_s(v, k->yv) + 1) >> 1);
    }
}

/* `correction` in 1/64 grey level */
static void bt709_luma(bool is_full_range, const uint8_t *restrict in, const int16_t *restrict correction,
                       uint8_t *restrict out, int n)
{
    if (is_full_range) {
        for (int x = 0; x < n; x++)
            out[x] = clamp_s((int16_t)((int16_t)(in[x] * 64 + correction[x] + 32) >> 6));
    } else {
        for (int x = 0; x < n; x++) {
            int16_t t = (int16_t)((in[x] - 16) * 64);
            out[x] = clamp_s((int16_t)((int16_t)(t + high_s(t, 10773) + correction[x] + 32) >> 6));
        }
    }
}

static void convert_bt709(bool is_full_range, const struct intra_planes *from, struct intra_frame *to)
{
    const struct bt709_factors *k = is_full_range ? &bt709_full : &bt709_limited;
    for (int row = 0; row < to->u.rows; row++) {
        for (int col = 0; col < to->u.cols; col += CHUNK / 2) {
            int16_t correction[CHUNK];
            int n = to->u.cols - col < CHUNK / 2 ? to->u.cols - col : CHUNK / 2;
            int n_luma = to->y.cols - 2 * col < CHUNK ? to->y.cols - 2 * col : CHUNK;
            bt709_chroma(k, from->u + row * from->u_stride + col, from->v + row * from->v_stride + col,
                         intra_row_u8(&to->u, row) + col, intra_row_u8(&to->v, row) + col, correction, n);
            for (int y = 2 * row; y < 2 * row + 2 && y < to->y.rows; y++)
                bt709_luma(is_full_range, from->y + y * from->y_stride + 2 * col, correction,
                           intra_row_u8(&to->y, y) + 2 * col, n_luma);
        }
    }
}

void intra_planes_convert(const struct intra_planes *from, bool is_full_range, bool is_bt709, struct intra_frame *to)
{
    if (is_bt709) {
        convert_bt709(is_full_range, from, to);
        return;
    }
    convert_plane(is_full_range ? NULL : expand_luma, from->y, from->y_stride, &to->y);
    convert_plane(is_full_range ? NULL : expand_chroma, from->u, from->u_stride, &to->u);
    convert_plane(is_full_range ? NULL : expand_chroma, from->v, from->v_stride, &to->v);
}

void intra_planes_set_grey(struct intra_frame *frame)
{
    for (int row = 0; row < frame->u.rows; row++) {
        memset(intra_row_u8(&frame->u, row), 128, (size_t)frame->u.cols);
        memset(intra_row_u8(&frame->v, row), 128, (size_t)frame->v.cols);
    }
}
