/* Proves: sections that are as oval as pixels that are not square would make a round pipe, all along and upright, are
 * told from round ones, from others that are as oval here and there or lean, from wider pictures, and from a lens that
 * knows its pixels. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "recon/pixel_shape.h"

#include <cmocka.h>
#include <math.h>
#include <string.h>

enum { SECTIONS = 40 };

static struct intra_section sections[SECTIONS];
static struct intra_scene scene;

/* tall: second harmonic about the vertical, at the first and at the last section; lean: beside it. */
static bool seems(int width, int height, double first, double last, double lean, double *out_tall)
{
    memset(&scene, 0, sizeof scene);
    memset(sections, 0, sizeof sections);
    scene.camera = (struct intra_camera){.width = width, .height = height, .fx = 500, .fy = 500};
    scene.sections = sections;
    scene.n_sections = SECTIONS;
    for (int i = 0; i < SECTIONS; i++) {
        double t = i / (SECTIONS - 1.0);
        sections[i].is_seen = i % 7 != 3;
        sections[i].a[0] = 0.15;
        sections[i].a[2] = 0.15 * ((1 - t) * first + t * last) * (sections[i].is_seen ? 1 : -9);
        sections[i].b[2] = 0.15 * lean;
    }
    return intra_pixels_seem_unequal(&scene, out_tall);
}

static void usual_sizes(void **state)
{
    (void)state;
    assert_true(fabs(intra_pixel_aspect_usual(720, 576) - 16.0 / 15) < 1e-9);
    assert_true(fabs(intra_pixel_aspect_usual(720, 480) - 8.0 / 9) < 1e-9);
    assert_true(intra_pixel_aspect_usual(640, 480) == 1 && intra_pixel_aspect_usual(1280, 720) == 1);
}

static void oval_all_along(void **state)
{
    double tall;
    (void)state;
    assert_true(seems(720, 576, 0.029, 0.030, 0.001, &tall));
    assert_true(fabs(tall - 0.059) < 0.001);
    assert_true(seems(720, 480, -0.05, -0.055, 0.002, &tall));
    assert_true(tall < -0.1);
}

static void not_so(void **state)
{
    double tall;
    (void)state;
    assert_false(seems(720, 576, 0.001, 0.001, 0, &tall));
    assert_false(seems(720, 576, -0.029, -0.03, 0, &tall)); /* wider than tall, as soil makes it */
    assert_false(seems(720, 576, 0, 0.06, 0, &tall));       /* here and there */
    assert_false(seems(720, 576, 0.029, 0.03, 0.02, &tall));
    assert_false(seems(720, 576, 0.06, 0.06, 0, &tall)); /* more than that */
    assert_false(seems(768, 576, 0.029, 0.03, 0, &tall));
    assert_true(seems(720, 576, 0.029, 0.03, 0, &tall));
    scene.camera.fy = 533;
    assert_false(intra_pixels_seem_unequal(&scene, &tall));
    scene.camera.fy = 500, scene.n_sections = 6;
    assert_false(intra_pixels_seem_unequal(&scene, &tall));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(usual_sizes), cmocka_unit_test(oval_all_along),
                                       cmocka_unit_test(not_so)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
