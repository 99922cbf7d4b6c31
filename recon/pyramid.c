#include "recon/pyramid.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

static float log_table[256];
static pthread_once_t log_once = PTHREAD_ONCE_INIT;

static void fill_log_table(void)
{
    for (int i = 0; i < 256; i++) log_table[i] = logf((float)i + INTRA_LOG_FLOOR);
}

float intra_log_luma(unsigned char luma)
{
    pthread_once(&log_once, fill_log_table);
    return log_table[luma];
}

enum intra_status intra_pyramid_init(struct intra_pyramid *pyramid, int rows, int cols, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    memset(pyramid, 0, sizeof *pyramid);
    for (int l = 0; l < INTRA_PYRAMID_LEVELS; l++) {
        int r = rows >> l, c = cols >> l;
        INTRA_TRY(intra_image_f32_init(&pyramid->level[l], r > 1 ? r : 1, c > 1 ? c : 1, 1, err));
    }
done:
    if (status != INTRA_OK) intra_pyramid_fini(pyramid);
    return status;
}

void intra_pyramid_fini(struct intra_pyramid *pyramid)
{
    for (int l = 0; l < INTRA_PYRAMID_LEVELS; l++) intra_image_f32_fini(&pyramid->level[l]);
    memset(pyramid, 0, sizeof *pyramid);
}

void intra_pyramid_copy(struct intra_pyramid *out, const struct intra_pyramid *from)
{
    for (int l = 0; l < INTRA_PYRAMID_LEVELS; l++)
        for (int r = 0; r < from->level[l].rows; r++)
            memcpy(intra_row_f32(&out->level[l], r), intra_row_f32(&from->level[l], r),
                   sizeof(float) * (size_t)from->level[l].cols);
}

void intra_pyramid_build(struct intra_pyramid *pyramid, const struct intra_view_u8 *y,
                         const struct intra_view_f32 *log_shading, int threads)
{
    pyramid->log_shading = log_shading;
    struct intra_view_f32 *base = &pyramid->level[0];
    pthread_once(&log_once, fill_log_table);
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int row = 0; row < base->rows; row++) {
        const uint8_t *in = intra_row_u8(y, row);
        float *out = intra_row_f32(base, row);
        if (log_shading) {
            const float *s = intra_row_f32(log_shading, row);
            for (int col = 0; col < base->cols; col++) out[col] = log_table[in[col]] - s[col];
        } else {
            for (int col = 0; col < base->cols; col++) out[col] = log_table[in[col]];
        }
    }
    for (int l = 1; l < INTRA_PYRAMID_LEVELS; l++) {
        const struct intra_view_f32 *up = &pyramid->level[l - 1];
        struct intra_view_f32 *down = &pyramid->level[l];
        if (up->rows < 2 || up->cols < 2) continue;
        for (int row = 0; row < down->rows; row++) {
            const float *a = intra_row_f32(up, 2 * row), *b = intra_row_f32(up, 2 * row + 1);
            float *out = intra_row_f32(down, row);
            for (int col = 0; col < down->cols; col++)
                out[col] = 0.25f * (a[2 * col] + a[2 * col + 1] + b[2 * col] + b[2 * col + 1]);
        }
    }
}

enum intra_status intra_mask_pyramid_init(struct intra_mask_pyramid *mask, const struct intra_view_u8 *level0,
                                          struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    memset(mask, 0, sizeof *mask);
    for (int l = 0; l < INTRA_PYRAMID_LEVELS; l++) {
        int r = level0->rows >> l, c = level0->cols >> l;
        struct intra_view_u8 *down = &mask->level[l];
        INTRA_TRY(intra_image_u8_init(down, r > 1 ? r : 1, c > 1 ? c : 1, 1, err));
        for (int row = 0; row < down->rows; row++) {
            uint8_t *out = intra_row_u8(down, row);
            if (l == 0) {
                memcpy(out, intra_row_u8(level0, row), (size_t)down->cols);
                continue;
            }
            const struct intra_view_u8 *up = &mask->level[l - 1];
            if (up->rows < 2 || up->cols < 2) continue;
            const uint8_t *a = intra_row_u8(up, 2 * row), *b = intra_row_u8(up, 2 * row + 1);
            for (int col = 0; col < down->cols; col++)
                out[col] = a[2 * col] & a[2 * col + 1] & b[2 * col] & b[2 * col + 1];
        }
    }
done:
    if (status != INTRA_OK) intra_mask_pyramid_fini(mask);
    return status;
}

void intra_mask_pyramid_fini(struct intra_mask_pyramid *mask)
{
    for (int l = 0; l < INTRA_PYRAMID_LEVELS; l++) intra_image_u8_fini(&mask->level[l]);
    memset(mask, 0, sizeof *mask);
}
