/* Pictures in memory, and their way into PNG and JPEG. */
#include "core/image.h"

#include "core/fileio.h"
#include "core/mem.h"

#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h> /* wants stdio.h before it */
#include <png.h>

static enum intra_status check_shape(int rows, int cols, int channels, struct intra_error *err)
{
    if (rows <= 0 || cols <= 0 || channels <= 0)
        return INTRA_FAIL(err, INTRA_E_ARG, "image of %d x %d x %d makes no sense", rows, cols, channels);
    return INTRA_OK;
}

enum intra_status intra_image_u8_init(struct intra_view_u8 *image, int rows, int cols, int channels,
                                      struct intra_error *err)
{
    enum intra_status status = check_shape(rows, cols, channels, err);
    memset(image, 0, sizeof *image);
    if (status != INTRA_OK) return status;
    size_t row = (size_t)cols * (size_t)channels;
    status = intra_alloc_or_fail((void **)&image->data, (size_t)rows, row, "image", err);
    if (status != INTRA_OK) return status;
    image->rows = rows;
    image->cols = cols;
    image->channels = channels;
    image->stride = (ptrdiff_t)row;
    return INTRA_OK;
}

enum intra_status intra_image_f32_init(struct intra_view_f32 *image, int rows, int cols, int channels,
                                       struct intra_error *err)
{
    enum intra_status status = check_shape(rows, cols, channels, err);
    memset(image, 0, sizeof *image);
    if (status != INTRA_OK) return status;
    size_t row = (size_t)cols * (size_t)channels * sizeof(float);
    status = intra_alloc_or_fail((void **)&image->data, (size_t)rows, row, "image", err);
    if (status != INTRA_OK) return status;
    image->rows = rows;
    image->cols = cols;
    image->channels = channels;
    image->stride = (ptrdiff_t)row;
    return INTRA_OK;
}

void intra_image_u8_fini(struct intra_view_u8 *image)
{
    intra_free(image->data);
    memset(image, 0, sizeof *image);
}

void intra_image_f32_fini(struct intra_view_f32 *image)
{
    intra_free(image->data);
    memset(image, 0, sizeof *image);
}

/* ---- PNG ---- */

static png_voidp png_take(png_structp png, png_alloc_size_t size)
{
    (void)png;
    return intra_alloc(size, 1);
}

static void png_give(png_structp png, png_voidp ptr)
{
    (void)png;
    intra_free(ptr);
}

static void png_quiet(png_structp png, png_const_charp text)
{
    (void)png;
    (void)text;
}

/* Without this libpng prints to stderr before it jumps. */
static void png_leave(png_structp png, png_const_charp text)
{
    (void)text;
    png_longjmp(png, 1);
}

/* A PNG in memory while it grows. */
struct png_block {
    uint8_t *data;
    size_t cap, used;
};

static void png_put(png_structp png, png_bytep bytes, size_t n)
{
    struct png_block *block = png_get_io_ptr(png);
    if (block->used + n > block->cap) {
        size_t cap = 2 * (block->used + n);
        uint8_t *grown = intra_resize(block->data, block->cap, cap, 1);
        if (!grown) png_error(png, "out of memory");
        block->data = grown;
        block->cap = cap;
    }
    memcpy(block->data + block->used, bytes, n);
    block->used += n;
}

static void png_flush_nothing(png_structp png)
{
    (void)png;
}

static int png_colour(const struct intra_view_u8 *image)
{
    return image->channels == 1   ? PNG_COLOR_TYPE_GRAY
           : image->channels == 3 ? PNG_COLOR_TYPE_RGB
                                  : PNG_COLOR_TYPE_RGB_ALPHA;
}

/* All that happens between setjmp and a jump back, with no local that changes in between. To `stream`, or to `block`
 * where that is NULL. */
static bool png_emit(FILE *stream, struct png_block *block, const struct intra_view_u8 *image)
{
    png_structp png =
        png_create_write_struct_2(PNG_LIBPNG_VER_STRING, NULL, png_leave, png_quiet, NULL, png_take, png_give);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    if (!info) {
        png_destroy_write_struct(&png, NULL);
        return false;
    }
    if (setjmp(png_jmpbuf(png))) {
        png_destroy_write_struct(&png, &info);
        return false;
    }
    if (stream)
        png_init_io(png, stream);
    else
        png_set_write_fn(png, block, png_put, png_flush_nothing);
    png_set_IHDR(png, info, (png_uint_32)image->cols, (png_uint_32)image->rows, 8, png_colour(image),
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_set_compression_level(png, 3); /* debug pictures: half the time of the default for 10 % more bytes */
    png_write_info(png, info);
    for (int r = 0; r < image->rows; r++)
        png_write_row(png, intra_row_u8(image, r));
    png_write_end(png, NULL);
    png_destroy_write_struct(&png, &info);
    return true;
}

enum intra_status intra_image_write_png(const char *path, const struct intra_view_u8 *image, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_out_file file = {0};
    if (image->channels != 1 && image->channels != 3 && image->channels != 4)
        return INTRA_FAIL(err, INTRA_E_ARG, "%s: a PNG takes 1, 3 or 4 channels, not %d", path, image->channels);
    INTRA_TRY(check_shape(image->rows, image->cols, image->channels, err));
    INTRA_TRY(intra_out_file_open(&file, path, err));
    bool is_done = png_emit(file.stream, NULL, image);
    if (!is_done && !ferror(file.stream)) {
        status = INTRA_FAIL(err, INTRA_E_MEM, "%s: out of memory while writing a PNG of %d x %d", path, image->cols,
                            image->rows);
        goto done;
    }
    status = intra_out_file_commit(&file, err); /* reports a failed write with its reason */
done:
    intra_out_file_abandon(&file);
    return status;
}

enum intra_status intra_image_encode_png(const struct intra_view_u8 *image, uint8_t **out_bytes, size_t *out_size,
                                         struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct png_block *block = NULL;
    *out_bytes = NULL;
    *out_size = 0;
    if (image->channels != 1 && image->channels != 3 && image->channels != 4)
        return INTRA_FAIL(err, INTRA_E_ARG, "a PNG takes 1, 3 or 4 channels, not %d", image->channels);
    INTRA_TRY(check_shape(image->rows, image->cols, image->channels, err));
    INTRA_TRY(INTRA_ALLOC(block, 1, err)); /* on the heap: it changes after setjmp */
    if (!png_emit(NULL, block, image)) {
        status = INTRA_FAIL(err, INTRA_E_MEM, "out of memory while packing a PNG of %d x %d", image->cols, image->rows);
        goto done;
    }
    *out_bytes = block->data;
    *out_size = block->used;
    block->data = NULL;
done:
    if (block) intra_free(block->data);
    intra_free(block);
    return status;
}

enum intra_status intra_image_write_png_f32(const char *path, const struct intra_view_f32 *image, float low, float high,
                                            struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_view_u8 bytes = {0};
    float gain = high > low ? 255.0f / (high - low) : 0;
    INTRA_TRY(intra_image_u8_init(&bytes, image->rows, image->cols, image->channels, err));
    for (int r = 0; r < image->rows; r++) {
        const float *in = intra_row_f32(image, r);
        uint8_t *out = intra_row_u8(&bytes, r);
        for (int i = 0; i < image->cols * image->channels; i++) {
            float v = (in[i] - low) * gain;
            out[i] = v >= 255 ? 255 : v > 0 ? (uint8_t)(v + 0.5f) : 0; /* NaN is black */
        }
    }
    status = intra_image_write_png(path, &bytes, err);
done:
    intra_image_u8_fini(&bytes);
    return status;
}

/* ---- JPEG ---- */

struct jpeg_job {
    struct jpeg_error_mgr errors; /* first: libjpeg hands this pointer back */
    struct jpeg_destination_mgr out;
    jmp_buf jump;
    uint8_t *data;
    size_t cap, used;
};

static void jpeg_leave(j_common_ptr c)
{
    longjmp(((struct jpeg_job *)c->client_data)->jump, 1);
}

static void jpeg_quiet(j_common_ptr c, int level)
{
    (void)c;
    (void)level;
}

static void jpeg_begin(j_compress_ptr c)
{
    struct jpeg_job *job = c->client_data;
    job->out.next_output_byte = job->data;
    job->out.free_in_buffer = job->cap;
}

static boolean jpeg_grow(j_compress_ptr c)
{
    struct jpeg_job *job = c->client_data;
    uint8_t *grown = intra_resize(job->data, job->cap, 2 * job->cap, 1);
    if (!grown) longjmp(job->jump, 1);
    job->data = grown;
    job->out.next_output_byte = grown + job->cap; /* libjpeg calls this only when the buffer is full to the last byte */
    job->out.free_in_buffer = job->cap;
    job->cap *= 2;
    return TRUE;
}

static void jpeg_end(j_compress_ptr c)
{
    struct jpeg_job *job = c->client_data;
    job->used = job->cap - job->out.free_in_buffer;
}

static bool jpeg_emit(struct jpeg_job *job, const struct intra_view_u8 *image, int quality)
{
    struct jpeg_compress_struct c;
    memset(&c, 0, sizeof c);
    c.err = jpeg_std_error(&job->errors);
    job->errors.error_exit = jpeg_leave;
    job->errors.emit_message = jpeg_quiet;
    c.client_data = job;
    if (setjmp(job->jump)) {
        jpeg_destroy_compress(&c);
        return false;
    }
    jpeg_create_compress(&c);
    job->out.init_destination = jpeg_begin;
    job->out.empty_output_buffer = jpeg_grow;
    job->out.term_destination = jpeg_end;
    c.dest = &job->out;
    c.image_width = (JDIMENSION)image->cols;
    c.image_height = (JDIMENSION)image->rows;
    c.input_components = image->channels;
    c.in_color_space = image->channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&c);
    jpeg_set_quality(&c, quality, TRUE);
    jpeg_start_compress(&c, TRUE);
    while (c.next_scanline < c.image_height) {
        JSAMPROW row = intra_row_u8(image, (int)c.next_scanline);
        jpeg_write_scanlines(&c, &row, 1);
    }
    jpeg_finish_compress(&c);
    jpeg_destroy_compress(&c);
    return true;
}

enum intra_status intra_image_encode_jpeg(const struct intra_view_u8 *image, int quality, uint8_t **out_bytes,
                                          size_t *out_size, struct intra_error *err)
{
    struct jpeg_job *job = NULL;
    enum intra_status status = INTRA_OK;
    *out_bytes = NULL;
    *out_size = 0;
    if (image->channels != 1 && image->channels != 3)
        return INTRA_FAIL(err, INTRA_E_ARG, "a JPEG takes 1 or 3 channels, not %d", image->channels);
    if (image->rows < 1 || image->cols < 1 || image->rows > JPEG_MAX_DIMENSION || image->cols > JPEG_MAX_DIMENSION)
        return INTRA_FAIL(err, INTRA_E_ARG, "a JPEG cannot hold %d x %d pixels", image->cols, image->rows);
    if (quality < 1 || quality > 100) return INTRA_FAIL(err, INTRA_E_ARG, "JPEG quality %d: must be 1 to 100", quality);
    INTRA_TRY(INTRA_ALLOC(job, 1, err)); /* on the heap: what changes after setjmp must not live in a register */
    job->cap = 65536;
    INTRA_TRY(INTRA_ALLOC(job->data, job->cap, err));
    if (!jpeg_emit(job, image, quality)) {
        status =
            INTRA_FAIL(err, INTRA_E_MEM, "out of memory while packing a JPEG of %d x %d", image->cols, image->rows);
        goto done;
    }
    *out_bytes = job->data;
    *out_size = job->used;
    job->data = NULL;
done:
    if (job) intra_free(job->data);
    intra_free(job);
    return status;
}
