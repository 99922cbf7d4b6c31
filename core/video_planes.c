/* 8-bit 4:2:0 pictures to full-range BT.601.
 *
 * BT.601 in limited range (nearly all SD video) is a table per sample. BT.709 needs the chroma for the luma too:
 *   R'G'B' from Y'CbCr (709), Y'CbCr (601) from R'G'B', multiplied out (ITU-R BT.601-7, BT.709-6):
 *     Y6 = Y7 + 0.101579 U7 + 0.196076 V7;  U6 = 0.989854 U7 - 0.110653 V7;  V6 = -0.072453 U7 + 0.983398 V7
 *   with U, V around 0 and all in full range. A luma sample takes the chroma sample of its 2x2 block. */
#include "core/video_internal.h"

#include <string.h>

static uint8_t to_u8(double value)
{
    return (uint8_t)(value < 0.0 ? 0.0 : value > 255.0 ? 255.0 : value + 0.5);
}

void intra_planes_rule_init(struct intra_planes_rule *rule, bool is_full_range, bool is_bt709)
{
    rule->is_full_range = is_full_range;
    rule->is_bt709 = is_bt709;
    for (int i = 0; i < 256; i++) {
        rule->y_table[i] = is_full_range ? (uint8_t)i : to_u8((i - 16) * 255.0 / 219.0);
        rule->c_table[i] = is_full_range ? (uint8_t)i : to_u8((i - 128) * 255.0 / 224.0 + 128.0);
    }
}

static void map_plane(const uint8_t *table, bool is_copy, const uint8_t *from, ptrdiff_t stride,
                      const struct intra_view_u8 *to)
{
    for (int row = 0; row < to->rows; row++) {
        const uint8_t *in = from + row * stride;
        uint8_t *out = intra_row_u8(to, row);
        if (is_copy)
            memcpy(out, in, (size_t)to->cols);
        else
            for (int x = 0; x < to->cols; x++) out[x] = table[in[x]];
    }
}

static inline uint8_t clamp_u8(int value)
{
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

/* 16-bit fixed point. */
static void convert_bt709(const struct intra_planes_rule *rule, const struct intra_planes *from, struct intra_frame *to)
{
    const int half = 1 << 15;
    const int y_gain = rule->is_full_range ? 65536 : 76309, y_zero = rule->is_full_range ? 0 : 16;
    const double c = rule->is_full_range ? 65536.0 : 65536.0 * 255.0 / 224.0;
    const int yu = (int)(0.101579 * c + 0.5), yv = (int)(0.196076 * c + 0.5);
    const int uu = (int)(0.989854 * c + 0.5), uv = (int)(-0.110653 * c - 0.5);
    const int vu = (int)(-0.072453 * c - 0.5), vv = (int)(0.983398 * c + 0.5);
    for (int row = 0; row < to->u.rows; row++) {
        const uint8_t *in_u = from->u + row * from->u_stride, *in_v = from->v + row * from->v_stride;
        uint8_t *out_u = intra_row_u8(&to->u, row), *out_v = intra_row_u8(&to->v, row);
        for (int x = 0; x < to->u.cols; x++) {
            int u = in_u[x] - 128, v = in_v[x] - 128;
            out_u[x] = clamp_u8(((uu * u + uv * v + half) >> 16) + 128);
            out_v[x] = clamp_u8(((vu * u + vv * v + half) >> 16) + 128);
        }
        for (int y = 2 * row; y < 2 * row + 2 && y < to->y.rows; y++) {
            const uint8_t *in = from->y + y * from->y_stride;
            uint8_t *out = intra_row_u8(&to->y, y);
            for (int x = 0; x < to->y.cols; x++)
                out[x] = clamp_u8((y_gain * (in[x] - y_zero) + yu * (in_u[x / 2] - 128) + yv * (in_v[x / 2] - 128) +
                                   half) >> 16);
        }
    }
}

void intra_planes_convert(const struct intra_planes_rule *rule, const struct intra_planes *from, struct intra_frame *to)
{
    if (rule->is_bt709) {
        convert_bt709(rule, from, to);
        return;
    }
    map_plane(rule->y_table, rule->is_full_range, from->y, from->y_stride, &to->y);
    map_plane(rule->c_table, rule->is_full_range, from->u, from->u_stride, &to->u);
    map_plane(rule->c_table, rule->is_full_range, from->v, from->v_stride, &to->v);
}

void intra_planes_set_grey(struct intra_frame *frame)
{
    for (int row = 0; row < frame->u.rows; row++) {
        memset(intra_row_u8(&frame->u, row), 128, (size_t)frame->u.cols);
        memset(intra_row_u8(&frame->v, row), 128, (size_t)frame->v.cols);
    }
}
