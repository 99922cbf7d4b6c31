/* A lens in another model keeps its radial curve where the picture shows it; a stretched one sees tan theta scaled, and
 * stretching back gives the first again. What a model cannot show is refused. */
#include "core/camera_convert.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct intra_camera brown(double f, double k1, double k2)
{
    struct intra_camera c = {
        .model = INTRA_CAMERA_BROWN, .width = 768, .height = 576, .fx = f, .fy = f, .cx = 383.5, .cy = 287.5};
    c.k[0] = k1, c.k[1] = k2;
    assert_int_equal(intra_camera_finish(&c, NULL), INTRA_OK);
    return c;
}

static void there_and_back(void **state)
{
    struct intra_camera a = brown(578, -0.18, 0.03), b, c;
    double worst;
    (void)state;
    assert_int_equal(intra_camera_convert(&a, INTRA_CAMERA_KB, &b, &worst, NULL), INTRA_OK);
    assert_int_equal(b.model, INTRA_CAMERA_KB);
    assert_true(worst < 0.05);
    for (double r = 20; r < 470; r += 30)
        assert_true(fabs(intra_camera_angle_rad(&a, r) / intra_camera_angle_rad(&b, r) - 1) < 2e-4);
    assert_int_equal(intra_camera_convert(&b, INTRA_CAMERA_BROWN, &c, &worst, NULL), INTRA_OK);
    assert_true(worst < 0.05 && fabs(c.k[0] + 0.18) < 0.005);
}

static void stretched_and_back(void **state)
{
    struct intra_camera a = brown(578, -0.18, 0.03), kb, b, c;
    (void)state;
    assert_int_equal(intra_camera_convert(&a, INTRA_CAMERA_KB, &kb, NULL, NULL), INTRA_OK);
    assert_int_equal(intra_camera_stretch(&kb, 1.1, &b, NULL), INTRA_OK);
    assert_true(fabs(b.fx / kb.fx - 1.1) < 1e-12);
    for (double r = 20; r < 470; r += 30)
        assert_true(fabs(1.1 * tan(intra_camera_angle_rad(&b, r)) / tan(intra_camera_angle_rad(&kb, r)) - 1) < 2e-3);
    assert_int_equal(intra_camera_stretch(&b, 1 / 1.1, &c, NULL), INTRA_OK);
    for (double r = 20; r < 470; r += 30)
        assert_true(fabs(intra_camera_angle_rad(&c, r) / intra_camera_angle_rad(&kb, r) - 1) < 1e-3);
}

static void fisheye_is_no_pinhole(void **state)
{
    struct intra_camera
        a = {.model = INTRA_CAMERA_KB, .width = 1280, .height = 720, .fx = 400, .fy = 400, .cx = 639.5, .cy = 359.5},
        b;
    (void)state;
    assert_int_equal(intra_camera_finish(&a, NULL), INTRA_OK);
    assert_true(intra_camera_corner_rad(&a) > 1.7);
    assert_int_equal(intra_camera_convert(&a, INTRA_CAMERA_BROWN, &b, NULL, NULL), INTRA_E_ARG);
    assert_true(isnan(intra_camera_angle_rad(&a, 5000)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(stretched_and_back),
        cmocka_unit_test(fisheye_is_no_pinhole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
