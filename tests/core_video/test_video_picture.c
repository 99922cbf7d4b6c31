/* Proves: the plane conversion agrees with the formulas of BT.601 and BT.709 for every input value; combing is seen in
 * woven fields and not in textures, noise or still pictures, and tells the field order; the repeat measure tells the
 * same exposure from a new one; image names sort as numbers; the frame queue and pool keep order and count.
 * Does not prove: that real footage behaves so (test_video_real does, where the footage is present). */
#include "made_video.h"

#include "core/image.h"
#include "core/video_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/* wants the four above first */
#include <cmocka.h>
#include <math.h>
#include <string.h>

static double clamp(double v)
{
    return v < 0 ? 0 : v > 255 ? 255 : v;
}

/* Through R'G'B', by the definitions and not by the multiplied-out factors that the code uses. */
static void expected_601(double y, double u, double v, bool is_full, bool is_709, double out[3])
{
    double kr = is_709 ? 0.2126 : 0.299, kb = is_709 ? 0.0722 : 0.114, kg = 1 - kr - kb;
    double l = is_full ? y : (y - 16) * 255 / 219;
    double cb = (u - 128) * (is_full ? 1.0 : 255.0 / 224), cr = (v - 128) * (is_full ? 1.0 : 255.0 / 224);
    double r = l + 2 * (1 - kr) * cr, b = l + 2 * (1 - kb) * cb, g = (l - kr * r - kb * b) / kg;
    out[0] = 0.299 * r + 0.587 * g + 0.114 * b;
    out[1] = (b - out[0]) / 1.772 + 128;
    out[2] = (r - out[0]) / 1.402 + 128;
}

static void planes_match_formula(void **state)
{
    struct intra_frame_pool *pool = NULL;
    struct intra_frame *frame = NULL;
    uint8_t y[256 * 2], u[128], v[128];
    struct intra_planes from = {y, u, v, 256, 128, 128};
    (void)state;
    assert_int_equal(intra_frame_pool_create(256, 2, &pool, NULL), INTRA_OK);
    assert_int_equal(intra_frame_pool_get(pool, &frame, NULL), INTRA_OK);
    for (int kind = 0; kind < 4; kind++) {
        bool is_full = kind & 1, is_709 = kind & 2;
        int low = is_full ? 0 : 16;
        for (int round = 0; round < 256; round++) {
            for (int i = 0; i < 512; i++)
                y[i] = (uint8_t)(low + (i + round * 7) % (is_full ? 256 : 220));
            for (int i = 0; i < 128; i++) {
                u[i] = (uint8_t)(low + (i * 5 + round) % (is_full ? 256 : 225));
                v[i] = (uint8_t)(low + (i * 3 + round * 11) % (is_full ? 256 : 225));
            }
            intra_planes_convert(&from, is_full, is_709, frame);
            for (int i = 0; i < 512; i++) {
                int x = i % 256;
                double want[3];
                expected_601(y[i], u[x / 2], v[x / 2], is_full, is_709, want);
                assert_true(fabs(intra_row_u8(&frame->y, i / 256)[x] - clamp(want[0])) < 0.55);
                assert_true(fabs(frame->u.data[x / 2] - clamp(want[1])) < 0.55);
                assert_true(fabs(frame->v.data[x / 2] - clamp(want[2])) < 0.55);
            }
        }
    }
    intra_frame_release(&frame);
    intra_frame_pool_destroy(&pool);
}

/* Odd sizes and a picture that stands on its head: every row and column is converted, none beyond. */
static void planes_odd_size_and_negative_stride(void **state)
{
    enum { W = 13, H = 7, CW = 7, CH = 4 };
    struct intra_frame_pool *pool = NULL;
    struct intra_frame *frame = NULL;
    uint8_t y[W * H], u[CW * CH], v[CW * CH];
    struct intra_planes from = {y + W * (H - 1), u + CW * (CH - 1), v + CW * (CH - 1), -W, -CW, -CW};
    (void)state;
    for (int i = 0; i < W * H; i++)
        y[i] = (uint8_t)(2 * i);
    memset(u, 128, sizeof u);
    memset(v, 128, sizeof v);
    assert_int_equal(intra_frame_pool_create(W, H, &pool, NULL), INTRA_OK);
    for (int is_709 = 0; is_709 < 2; is_709++) {
        assert_int_equal(intra_frame_pool_get(pool, &frame, NULL), INTRA_OK);
        assert_int_equal(frame->u.rows, CH);
        assert_int_equal(frame->u.cols, CW);
        intra_planes_convert(&from, true, is_709, frame);
        for (int r = 0; r < H; r++)
            for (int c = 0; c < W; c++)
                assert_int_equal(intra_row_u8(&frame->y, r)[c], y[(H - 1 - r) * W + c]);
        intra_frame_release(&frame);
    }
    intra_frame_pool_destroy(&pool);
}

/* Luma-like picture: the red channel is the texture itself. */
static void draw_luma(const struct made_picture *picture, struct intra_view_u8 *luma)
{
    for (int y = 0; y < luma->rows; y++)
        for (int x = 0; x < luma->cols; x++) {
            double v = made_texture(x + (y % 2 ? picture->shift_low_px : picture->shift_px), y);
            if (picture->noise_sigma > 0) v += made_noise(x, y, picture->noise_frame, picture->noise_sigma);
            intra_row_u8(luma, y)[x] = (uint8_t)clamp(v + 0.5);
        }
}

struct comb_case {
    double step_px; /* a frame */
    double
        field_px; /* the lower field is ahead by this: half a step top first, minus half lower first, 0 progressive */
    double noise;
    bool is_interlaced, is_top_first;
};

static void comb_cases(void **state)
{
    static const struct comb_case cases[] = {
        {4, 2, 0, true, true},  {4, -2, 0, true, false}, {6, 3, 4, true, true},  {6, -3, 4, true, false},
        {4, 0, 0, false, true}, {4, 0, 12, false, true}, {0, 0, 6, false, true}, {0, 0, 0, false, true},
    };
    struct intra_view_u8 pictures[2] = {{0}, {0}};
    (void)state;
    for (int i = 0; i < 2; i++)
        assert_int_equal(intra_image_u8_init(&pictures[i], MADE_HEIGHT, MADE_WIDTH, 1, NULL), INTRA_OK);
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        struct intra_comb_state comb = {0};
        for (int i = 0; i < 20; i++) {
            struct made_picture p = {.shift_px = cases[k].step_px * i,
                                     .shift_low_px = cases[k].step_px * i + cases[k].field_px,
                                     .noise_sigma = cases[k].noise,
                                     .noise_frame = i};
            draw_luma(&p, &pictures[i % 2]);
            intra_comb_add(&comb, &pictures[i % 2], i ? &pictures[(i + 1) % 2] : NULL);
        }
        if (intra_comb_is_interlaced(&comb) != cases[k].is_interlaced)
            fail_msg("case %zu: %d of %d pictures combed", k, comb.combed, comb.frames);
        if (cases[k].is_interlaced) assert_int_equal(intra_comb_is_top_first(&comb), cases[k].is_top_first);
    }
    for (int i = 0; i < 2; i++)
        intra_image_u8_fini(&pictures[i]);
}

static void compare_tells_exposures(void **state)
{
    struct intra_view_u8 a = {0}, b = {0};
    struct intra_picture_change change;
    struct made_picture first = {.noise_sigma = 3, .noise_frame = 1}, second = {.noise_sigma = 3, .noise_frame = 2};
    (void)state;
    assert_int_equal(intra_image_u8_init(&a, MADE_HEIGHT, MADE_WIDTH, 1, NULL), INTRA_OK);
    assert_int_equal(intra_image_u8_init(&b, MADE_HEIGHT, MADE_WIDTH, 1, NULL), INTRA_OK);
    draw_luma(&first, &a);
    draw_luma(&second, &b);
    change = intra_picture_compare(&a, &b); /* still camera: mean |difference| of two noises is 2 sigma / sqrt(pi) */
    assert_true(fabs(change.mean - 3.385) < 0.2);
    assert_true(change.noise_ratio > 0.75);
    change = intra_picture_compare(&a, &a);
    assert_true(change.mean == 0.0 && change.noise_ratio == 0.0);
    draw_luma(&first, &b);
    for (int y = 100; y < 110; y++)
        memset(intra_row_u8(&b, y) + 20, 255, 12); /* a counter digit in one block */
    change = intra_picture_compare(&a, &b);
    assert_true(change.mean > 0.0 && change.block_high < 0.2);
    for (int y = 0; y < 60; y++)
        memset(intra_row_u8(&b, y) + 20, 255, 60); /* more than an overlay */
    change = intra_picture_compare(&a, &b);
    assert_true(change.block_high > 20.0);
    intra_image_u8_fini(&a);
    intra_image_u8_fini(&b);
}

static enum intra_likeness judge(struct intra_repeat_filter *filter, double mean, double high, double noise)
{
    struct intra_picture_change change = {mean, high, noise};
    return intra_repeat_judge(filter, &change);
}

static void repeat_rules(void **state)
{
    struct intra_repeat_filter f = {0}, intra = {.is_intra_coded = true};
    (void)state;
    assert_int_equal(judge(&f, 0.3, 1, 0.1), INTRA_PICTURE_NEW); /* nothing known of the stream yet */
    assert_int_equal(judge(&f, 0.0, 0, 0.0), INTRA_PICTURE_NEW); /* may be the codec's doing */
    assert_int_equal(judge(&intra, 0.0, 0, 0.0), INTRA_PICTURE_SAME);
    for (int i = 0; i < 8; i++)
        assert_int_equal(judge(&f, 8, 40, 1.1), INTRA_PICTURE_NEW);
    assert_int_equal(judge(&f, 0.4, 2, 0.3), INTRA_PICTURE_ALIKE);
    assert_int_equal(judge(&f, 0.0, 0, 0.0), INTRA_PICTURE_ALIKE);
    assert_int_equal(judge(&f, 0.4, 2, 1.0), INTRA_PICTURE_NEW); /* new grain: a camera that stands still */
    assert_int_equal(judge(&f, 0.9, 9, 0.3), INTRA_PICTURE_NEW); /* something moved in more than the overlay's share */
    assert_int_equal(judge(&f, 1.6, 3, 0.3), INTRA_PICTURE_NEW); /* too much for coding noise */
}

/* pattern: n a new picture, a one like the last new one; want: r repeat, . not. */
static void run_pattern(const char *pattern, const char *want)
{
    struct intra_frame_pool *pool = NULL;
    struct intra_repeat_filter filter = {0};
    struct intra_queue_item out[INTRA_REPEAT_RUN + 1];
    char got[128];
    int scene = 0, count = 0, length = (int)strlen(pattern);
    assert_int_equal(intra_frame_pool_create(64, 64, &pool, NULL), INTRA_OK);
    for (int i = 0; i <= length; i++) {
        int n;
        if (i < length) {
            struct intra_queue_item item = {0};
            struct made_picture p;
            assert_int_equal(intra_frame_pool_get(pool, &item.frame, NULL), INTRA_OK);
            if (pattern[i] == 'n') scene++;
            p = (struct made_picture){.shift_px = 5 * scene, .shift_low_px = 5 * scene};
            draw_luma(&p, &item.frame->y);
            intra_row_u8(&item.frame->y, i % 64)[i % 64] ^= 1; /* coding noise */
            item.frame->index = i;
            n = intra_repeat_add(&filter, &item, out);
        } else {
            n = intra_repeat_end(&filter, out);
        }
        for (int k = 0; k < n; k++) {
            assert_int_equal(out[k].frame->index, count);
            got[count++] = out[k].frame->is_repeat ? 'r' : '.';
            intra_frame_release(&out[k].frame);
        }
    }
    got[count] = '\0';
    assert_string_equal(got, want);
    assert_int_equal(intra_frame_pool_in_use(pool), 0);
    intra_frame_pool_destroy(&pool);
}

static void repeat_runs(void **state)
{
    (void)state;
    run_pattern("nnnnnnananaan", "......"
                                 "r.r.rr.");
    run_pattern("nnnnnnaaaaaaaan", "......"
                                   "rrrrrrrr."); /* the longest run of repeats */
    run_pattern("nnnnnnaaaaaaaaanan", "......"
                                      "..........r."); /* one longer: the camera stands */
    run_pattern("nnnnnnaa", "......"
                            ".."); /* how it would go on nobody knows */
}

static void natural_order(void **state)
{
    static const char *const ordered[] = {
        "1.png",     "2.png",    "10.png",    "a.png",      "img1.png",
        "img02.png", "img2.png", "img10.png", "img10b.png", "img99999999999999999999.png",
        "imh.png"};
    enum { N = sizeof ordered / sizeof ordered[0] };
    (void)state;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            int order = intra_natural_compare(ordered[i], ordered[j]);
            if ((order > 0) - (order < 0) != (i > j) - (i < j)) fail_msg("%s, %s: %d", ordered[i], ordered[j], order);
        }
}

static void pool_outlives_its_owner(void **state)
{
    struct intra_frame_pool *pool = NULL;
    struct intra_frame *a = NULL, *b = NULL, *same;
    (void)state;
    assert_int_equal(intra_frame_pool_create(33, 21, &pool, NULL), INTRA_OK);
    assert_int_equal(intra_frame_pool_get(pool, &a, NULL), INTRA_OK);
    same = a;
    intra_frame_release(&a);
    assert_null(a);
    assert_int_equal(intra_frame_pool_get(pool, &a, NULL), INTRA_OK);
    assert_ptr_equal(a, same); /* used again */
    assert_int_equal(intra_frame_pool_get(pool, &b, NULL), INTRA_OK);
    assert_int_equal(intra_frame_pool_in_use(pool), 2);
    same = intra_frame_retain(b);
    intra_frame_release(&b);
    assert_int_equal(intra_frame_pool_in_use(pool), 2);
    intra_frame_pool_destroy(&pool);
    memset(a->y.data, 1, (size_t)(a->y.stride * a->y.rows)); /* ASan would see freed memory */
    intra_frame_release(&a);
    memset(same->v.data, 1, (size_t)(same->v.stride * same->v.rows));
    intra_frame_release(&same);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(planes_match_formula),
        cmocka_unit_test(planes_odd_size_and_negative_stride),
        cmocka_unit_test(comb_cases),
        cmocka_unit_test(compare_tells_exposures),
        cmocka_unit_test(repeat_rules),
        cmocka_unit_test(natural_order),
        cmocka_unit_test(pool_outlives_its_owner),
        cmocka_unit_test(repeat_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
