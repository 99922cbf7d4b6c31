/* Pictures in memory. A *view* borrows (pointer, size, stride in bytes), an *image* owns.
 * Arrays are row-major, (rows, cols, channels), channels interleaved. */
#ifndef INTRA_CORE_IMAGE_H
#define INTRA_CORE_IMAGE_H

#include "core/status.h"

#include <stddef.h>
#include <stdint.h>

struct intra_view_u8 {
    uint8_t *data;
    int rows, cols, channels;
    ptrdiff_t stride; /* bytes from one row to the next */
};
struct intra_view_f32 {
    float *data;
    int rows, cols, channels;
    ptrdiff_t stride; /* bytes from one row to the next */
};

static inline uint8_t *intra_row_u8(const struct intra_view_u8 *v, int row)
{
    return v->data + row * v->stride;
}
static inline float *intra_row_f32(const struct intra_view_f32 *v, int row)
{
    return (float *)(void *)((char *)v->data + row * v->stride);
}

/* Owning images: zeroed, rows tightly packed. fini accepts a zeroed struct. */
enum intra_status intra_image_u8_init(struct intra_view_u8 *image, int rows, int cols, int channels,
                                      struct intra_error *err);
enum intra_status intra_image_f32_init(struct intra_view_f32 *image, int rows, int cols, int channels,
                                       struct intra_error *err);
void intra_image_u8_fini(struct intra_view_u8 *image);
void intra_image_f32_fini(struct intra_view_f32 *image);

/* Write as PNG (1, 3 or 4 channels), beside first, then renamed. The one call behind every --debug-dir picture. */
enum intra_status intra_image_write_png(const char *path, const struct intra_view_u8 *image, struct intra_error *err);
/* As above for floats: `low` is black, `high` is white; 1 or 3 channels. */
enum intra_status intra_image_write_png_f32(const char *path, const struct intra_view_f32 *image, float low, float high,
                                            struct intra_error *err);
/* The same PNG into memory of intra_alloc (the caller frees). */
enum intra_status intra_image_encode_png(const struct intra_view_u8 *image, uint8_t **out_bytes, size_t *out_size,
                                         struct intra_error *err);
/* JPEG with 1 or 3 channels into memory of intra_alloc (the caller frees); quality 1 to 100. */
enum intra_status intra_image_encode_jpeg(const struct intra_view_u8 *image, int quality, uint8_t **out_bytes,
                                          size_t *out_size, struct intra_error *err);

#endif
