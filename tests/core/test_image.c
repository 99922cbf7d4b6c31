/* Proves: images own zeroed memory, strided views are written as PNG and read back by libpng to the byte, floats map as
 * the header says, JPEG decodes close to what went in and the same bytes come every time, a full disk and every failing
 * allocation give one error and no file. Does not prove: how other readers like the files. */
#include "core/fileio.h"
#include "core/image.h"
#include "core/mem.h"
#include "scratch.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jpeglib.h>
#include <png.h>

/* A picture with a pattern, as a view into a wider one: stride is not the row's length. */
static struct intra_view_u8 patterned(struct intra_view_u8 *owner, int rows, int cols, int channels)
{
    assert_int_equal(intra_image_u8_init(owner, rows, cols + 5, channels, NULL), INTRA_OK);
    for (int r = 0; r < rows; r++)
        for (int i = 0; i < (cols + 5) * channels; i++)
            intra_row_u8(owner, r)[i] = (uint8_t)(2 * r + 3 * i / channels + 40 * (i % channels));
    struct intra_view_u8 view = *owner;
    view.data += 2 * channels;
    view.cols = cols;
    return view;
}

static void images_are_zeroed_and_checked(void **state)
{
    (void)state;
    struct intra_view_u8 a;
    struct intra_view_f32 b;
    struct intra_error err = {0};
    assert_int_equal(intra_image_u8_init(&a, 7, 5, 3, &err), INTRA_OK);
    assert_int_equal(intra_image_f32_init(&b, 7, 5, 2, &err), INTRA_OK);
    assert_true(a.stride == 15 && b.stride == 40);
    for (int i = 0; i < 7 * 15; i++)
        assert_int_equal(a.data[i], 0);
    for (int i = 0; i < 70; i++)
        assert_true(b.data[i] == 0);
    intra_image_u8_fini(&a);
    intra_image_f32_fini(&b);
    assert_null(a.data);
    intra_image_u8_fini(&a);
    assert_int_equal(intra_image_u8_init(&a, 0, 5, 3, &err), INTRA_E_ARG);
    assert_int_equal(intra_image_f32_init(&b, 5, -1, 3, &err), INTRA_E_ARG);
    assert_int_equal(intra_image_f32_init(&b, 2147483647, 2147483647, 2147483647, &err), INTRA_E_MEM);
    assert_null(b.data);
}

static void png_reads_back_to_the_byte(void **state)
{
    (void)state;
    static const int formats[] = {0, PNG_FORMAT_GRAY, 0, PNG_FORMAT_RGB, PNG_FORMAT_RGBA};
    for (int channels = 1; channels <= 4; channels++) {
        struct intra_view_u8 owner, view = patterned(&owner, 33, 41, channels);
        struct intra_error err = {0};
        const char *path = scratch_path("picture.png");
        enum intra_status status = intra_image_write_png(path, &view, &err);
        if (channels == 2) {
            assert_int_equal(status, INTRA_E_ARG);
        } else {
            png_image png = {.version = PNG_IMAGE_VERSION};
            uint8_t back[33 * 41 * 4];
            assert_int_equal(status, INTRA_OK);
            assert_true(png_image_begin_read_from_file(&png, path));
            assert_true(png.width == 41 && png.height == 33 && png.format == (png_uint_32)formats[channels]);
            assert_true(png_image_finish_read(&png, NULL, back, 0, NULL));
            for (int r = 0; r < 33; r++)
                assert_memory_equal(back + r * 41 * channels, intra_row_u8(&view, r), (size_t)(41 * channels));
        }
        intra_image_u8_fini(&owner);
    }
}

static void floats_map_from_low_to_high(void **state)
{
    (void)state;
    float values[6] = {-1, 0, 0.5f, 1, 9, NAN};
    static const uint8_t want[6] = {0, 0, 128, 255, 255, 0};
    struct intra_view_f32 view = {values, 1, 6, 1, sizeof values};
    png_image png = {.version = PNG_IMAGE_VERSION};
    uint8_t back[6];
    const char *path = scratch_path("floats.png");
    assert_int_equal(intra_image_write_png_f32(path, &view, 0, 1, NULL), INTRA_OK);
    assert_true(png_image_begin_read_from_file(&png, path) && png_image_finish_read(&png, NULL, back, 0, NULL));
    assert_memory_equal(back, want, 6);
    assert_int_equal(intra_image_write_png_f32(path, &view, 3, 3, NULL), INTRA_OK); /* no range: black, no division */
}

static void full_disk_leaves_no_picture(void **state)
{
    (void)state;
    struct intra_view_u8 owner, view = patterned(&owner, 500, 700, 3);
    struct intra_error err = {0};
    const char *path = scratch_path("full.png");
    char part[1040];
    if (access("/dev/full", W_OK) != 0) skip();
    intra_part_name(path, part, sizeof part);
    assert_int_equal(symlink("/dev/full", part), 0);
    assert_int_equal(intra_image_write_png(path, &view, &err), INTRA_E_IO);
    assert_non_null(strstr(err.text, path));
    assert_false(intra_path_exists(path) || intra_path_exists(part));
    assert_int_equal(intra_image_write_png("/nowhere/a.png", &view, &err), INTRA_E_IO);
    intra_image_u8_fini(&owner);
}

/* Mean absolute difference of a JPEG in memory against a view. */
static double jpeg_difference(const uint8_t *bytes, size_t size, const struct intra_view_u8 *view)
{
    struct jpeg_decompress_struct d;
    struct jpeg_error_mgr errors;
    double sum = 0;
    JSAMPLE row[4096];
    JSAMPROW rows[1] = {row};
    d.err = jpeg_std_error(&errors); /* leaves the program on a broken file, which fails the test */
    jpeg_create_decompress(&d);
    jpeg_mem_src(&d, bytes, size);
    jpeg_read_header(&d, TRUE);
    jpeg_start_decompress(&d);
    assert_true((int)d.output_width == view->cols && (int)d.output_height == view->rows &&
                d.output_components == view->channels);
    assert_true(view->cols * view->channels <= (int)sizeof row);
    for (int r = 0; r < view->rows; r++) {
        jpeg_read_scanlines(&d, rows, 1);
        for (int i = 0; i < view->cols * view->channels; i++)
            sum += abs(row[i] - intra_row_u8(view, r)[i]);
    }
    jpeg_finish_decompress(&d);
    jpeg_destroy_decompress(&d);
    return sum / (view->rows * view->cols * view->channels);
}

static void jpeg_is_close_and_always_the_same(void **state)
{
    (void)state;
    for (int channels = 1; channels <= 3; channels += 2) {
        struct intra_view_u8 owner, view = {0};
        assert_int_equal(intra_image_u8_init(&owner, 300, 417, channels, NULL), INTRA_OK);
        unsigned noise = 1;
        for (int r = 0; r < 300; r++) /* smooth on the left, noise on the right: more than one buffer full */
            for (int i = 0; i < 417 * channels; i++) {
                noise = noise * 1664525u + 1013904223u;
                intra_row_u8(&owner, r)[i] = (uint8_t)(i < 200 * channels ? 100u + (unsigned)r / 4 : noise >> 24);
            }
        view = owner;
        uint8_t *a, *b;
        size_t size_a, size_b;
        assert_int_equal(intra_image_encode_jpeg(&view, 100, &a, &size_a, NULL), INTRA_OK);
        assert_int_equal(intra_image_encode_jpeg(&view, 100, &b, &size_b, NULL), INTRA_OK);
        assert_true(size_a > 65536 && size_a == size_b);
        assert_memory_equal(a, b, size_a);
        if (channels == 1) assert_true(jpeg_difference(a, size_a, &view) < 1); /* noise keeps no chroma */
        view.cols = 190;
        intra_free(a);
        intra_free(b);
        assert_int_equal(intra_image_encode_jpeg(&view, 95, &a, &size_a, NULL), INTRA_OK);
        assert_true(jpeg_difference(a, size_a, &view) < 1);
        assert_int_equal(intra_image_encode_jpeg(&view, 30, &b, &size_b, NULL), INTRA_OK);
        assert_true(size_b < size_a);
        intra_free(a);
        intra_free(b);
        intra_image_u8_fini(&owner);
    }
}

static void jpeg_refuses_what_it_cannot_hold(void **state)
{
    (void)state;
    struct intra_view_u8 owner, view = patterned(&owner, 4, 4, 4);
    uint8_t *bytes;
    size_t size;
    assert_int_equal(intra_image_encode_jpeg(&view, 80, &bytes, &size, NULL), INTRA_E_ARG);
    view.channels = 3;
    assert_int_equal(intra_image_encode_jpeg(&view, 0, &bytes, &size, NULL), INTRA_E_ARG);
    assert_int_equal(intra_image_encode_jpeg(&view, 101, &bytes, &size, NULL), INTRA_E_ARG);
    view.cols = 70000;
    assert_int_equal(intra_image_encode_jpeg(&view, 80, &bytes, &size, NULL), INTRA_E_ARG);
    assert_null(bytes);
    intra_image_u8_fini(&owner);
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    struct intra_view_u8 owner, view = patterned(&owner, 200, 200, 3);
    const char *path = scratch_path("alloc.png");
    for (int is_jpeg = 0; is_jpeg <= 1; is_jpeg++) {
        int failed = 0;
        for (long n = 1;; n++) {
            uint8_t *bytes = NULL;
            size_t size;
            intra_mem_fail_at(n, 0);
            enum intra_status status = is_jpeg ? intra_image_encode_jpeg(&view, 100, &bytes, &size, NULL)
                                               : intra_image_write_png(path, &view, NULL);
            intra_mem_fail_at(0, 0);
            intra_free(bytes);
            if (status == INTRA_OK) break;
            assert_int_equal(status, INTRA_E_MEM);
            assert_false(!is_jpeg && intra_path_exists(path));
            failed++;
        }
        assert_true(failed >= 2);
    }
    intra_image_u8_fini(&owner);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images_are_zeroed_and_checked),        cmocka_unit_test(png_reads_back_to_the_byte),
        cmocka_unit_test(floats_map_from_low_to_high),          cmocka_unit_test(full_disk_leaves_no_picture),
        cmocka_unit_test(jpeg_is_close_and_always_the_same),    cmocka_unit_test(jpeg_refuses_what_it_cannot_hold),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
