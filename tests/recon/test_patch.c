/* Proves: a patch finds its own shift in a textured picture to a hundredth of a pixel, also where it is stretched to
 * second order; gain, offset and a slope of brightness across the
 * picture change neither shift nor correlation; grain along a line counts for less than its gradients say; a picture
 * without texture gives no patch. Does not prove anything about
 * real wall. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "recon/patch.h"

#include <cmocka.h>
#include <math.h>
#include <string.h>

enum { ROWS = 96, COLS = 128 };

struct scene {
    struct intra_pyramid pyramid;
    struct intra_mask_pyramid mask;
};

/* A smooth pattern moved by (dx, dy) pixels, times gain, plus a slope along x. Values are log luminance. */
static void make_scene(struct scene *s, double dx, double dy, double gain, double slope, double contrast)
{
    struct intra_error err;
    struct intra_view_u8 good, y;
    assert_int_equal(intra_image_u8_init(&good, ROWS, COLS, 1, &err), INTRA_OK);
    assert_int_equal(intra_image_u8_init(&y, ROWS, COLS, 1, &err), INTRA_OK);
    for (int r = 0; r < ROWS; r++) memset(intra_row_u8(&good, r), 255, COLS);
    assert_int_equal(intra_pyramid_init(&s->pyramid, ROWS, COLS, &err), INTRA_OK);
    assert_int_equal(intra_mask_pyramid_init(&s->mask, &good, &err), INTRA_OK);
    intra_pyramid_build(&s->pyramid, &y, NULL, 1); /* sizes; the content follows */
    for (int r = 0; r < ROWS; r++)
        for (int c = 0; c < COLS; c++) {
            double u = c - dx, v = r - dy;
            intra_row_f32(&s->pyramid.level[0], r)[c] =
                (float)(contrast * gain * (sin(0.61 * u + 0.2 * v) + cos(0.47 * v - 0.3 * u)) + slope * c + 0.3 * slope * r);
        }
    intra_image_u8_fini(&good);
    intra_image_u8_fini(&y);
}

static void drop_scene(struct scene *s)
{
    intra_pyramid_fini(&s->pyramid);
    intra_mask_pyramid_fini(&s->mask);
}

static void check_shift(double gain, double slope)
{
    static const struct intra_warp same = {.a = {1, 0, 0, 1}};
    struct scene a, b;
    struct intra_patch patch;
    struct intra_patch_match m = {0};
    double u = 60, v = 48;
    make_scene(&a, 0, 0, 1, 0, 0.1);
    make_scene(&b, 0.8, -0.6, gain, slope, 0.1);
    assert_true(intra_patch_cut(&patch, &a.pyramid, &a.mask, 60, 48, 0, 0.01));
    for (int i = 0; i < 8; i++) {
        intra_patch_step(&patch, 0, &b.pyramid, &b.mask, u, v, &same, 0, &m);
        assert_true(m.is_valid);
        u += m.du;
        v += m.dv;
    }
    assert_true(fabs(u - 60.8) < 0.02 && fabs(v - 47.4) < 0.02);
    assert_true(m.ncc > 0.99);
    assert_true(fabs(m.gain - gain) < 0.03 * gain);
    drop_scene(&a);
    drop_scene(&b);
}

/* The second picture is the first, stretched to second order about (cx, CY): what lies x to the right there comes to
 * lie 1.2 x + BEND x^2 to the right. A warp that knows finds the patch where it is; one of first order finds it
 * displaced, by the mean of BEND x^2 over the patch on average. */
static void second_order_moves_nothing(void **state)
{
    enum { CY = 48, FROM = 50, TO = 74 };
    const double bend = 0.02;
    double mean = 0, worst = 0;
    (void)state;
    for (int cx = FROM; cx < TO; cx++) {
        struct scene a, b;
        struct intra_patch patch;
        make_scene(&a, 0, 0, 1, 0, 0.1);
        make_scene(&b, 0, 0, 1, 0, 0.1);
        for (int r = 0; r < ROWS; r++)
            for (int c = 0; c < COLS; c++) {
                double u = c - cx, root = 1.44 + 4 * bend * u, x = root > 0 ? (sqrt(root) - 1.2) / (2 * bend) : -30;
                double at = cx + x, v = CY + (r - CY) / 1.2;
                intra_row_f32(&b.pyramid.level[0], r)[c] =
                    (float)(0.1 * (sin(0.61 * at + 0.2 * v) + cos(0.47 * v - 0.3 * at)));
            }
        assert_true(intra_patch_cut(&patch, &a.pyramid, &a.mask, cx, CY, 0, 0.01));
        for (int order = 1; order <= 2; order++) {
            const struct intra_warp warp = {.a = {1.2, 0, 0, 1.2}, .q = {order == 2 ? bend : 0}};
            struct intra_patch_match m = {0};
            double u = cx + 0.2, v = CY - 0.1;
            for (int i = 0; i < 8; i++) {
                intra_patch_step(&patch, 0, &b.pyramid, &b.mask, u, v, &warp, 0, &m);
                assert_true(m.is_valid);
                u += m.du;
                v += m.dv;
            }
            if (order == 1)
                mean += (u - cx) / (TO - FROM);
            else
                worst = fmax(worst, fabs(u - cx));
        }
        drop_scene(&a);
        drop_scene(&b);
    }
    if (!(worst < 0.03 && mean > 0.06))
        fail_msg("second order: up to %.3f px off; first: %.3f on average", worst, mean);
}

static double grain(unsigned *state)
{
    double sum = 0;
    for (int i = 0; i < 12; i++) {
        *state = *state * 1664525u + 1013904223u;
        sum += (*state >> 8) / 16777216.0 - 0.5;
    }
    return sum;
}

/* A line in grain, which is another one in each picture: moved along itself it looks the same, and its matches must say
 * less of that direction than the gradients of grain have (16 / px^2 each). What they say across it stays. */
static void grain_tells_no_standstill(void **state)
{
    enum { MATCHES = 100 };
    const double sd = 0.015;
    static const struct intra_warp same = {.a = {1, 0, 0, 1}};
    double along = 0, across = 0, mean = 0;
    unsigned seed = 5;
    struct scene s[2];
    (void)state;
    for (int i = 0; i < 2; i++)
        make_scene(&s[i], 0, 0, 1, 0, 0.1);
    for (int n = 0; n < MATCHES; n++) {
        struct intra_patch patch;
        struct intra_patch_match m = {0};
        for (int i = 0; i < 2; i++)
            for (int r = 0; r < ROWS; r++)
                for (int c = 0; c < COLS; c++) {
                    double off = (c - 60 - 0.2 * i) / 1.5;
                    intra_row_f32(&s[i].pyramid.level[0], r)[c] = (float)(exp(-0.5 * off * off) + sd * grain(&seed));
                }
        assert_true(intra_patch_cut(&patch, &s[0].pyramid, &s[0].mask, 60, 48, 0, 0.01));
        intra_patch_step(&patch, 0, &s[1].pyramid, &s[1].mask, 60, 48, &same, 4, &m);
        assert_true(m.is_valid);
        along += m.info[2] / MATCHES;
        across += m.info[0] / MATCHES;
        mean += m.du / MATCHES;
    }
    if (!(along < 0.75 * 16 && across > 500 * 16 && fabs(mean - 0.2) < 0.05))
        fail_msg("along the line %.1f / px^2, across %.1f, %.3f px off", along, across, mean);
    for (int i = 0; i < 2; i++)
        drop_scene(&s[i]);
}

static void shift_is_found(void **state)
{
    (void)state;
    check_shift(1, 0);
}

static void brightness_does_not_move_it(void **state)
{
    (void)state;
    check_shift(1.6, 0);
    check_shift(1, 0.05);
    check_shift(0.7, -0.08);
}

static void no_texture_no_patch(void **state)
{
    struct scene s;
    struct intra_patch patch;
    (void)state;
    make_scene(&s, 0, 0, 1, 0.1, 0); /* a slope alone is light, not wall */
    assert_false(intra_patch_cut(&patch, &s.pyramid, &s.mask, 60, 48, 0, 0.0));
    drop_scene(&s);
    make_scene(&s, 0, 0, 1, 0, 0.005);
    assert_true(intra_patch_cut(&patch, &s.pyramid, &s.mask, 60, 48, 0, 0.002));
    assert_false(intra_patch_cut(&patch, &s.pyramid, &s.mask, 60, 48, 0, 0.02));
    drop_scene(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shift_is_found),
        cmocka_unit_test(second_order_moves_nothing),
        cmocka_unit_test(grain_tells_no_standstill),
        cmocka_unit_test(brightness_does_not_move_it),
        cmocka_unit_test(no_texture_no_patch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
