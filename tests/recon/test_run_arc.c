/* Proves: the station along a run is the length of its axis as it is when asked, once the knots there may still move, and stays as it was
 * where they are settled. Does not prove that the axis is right. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "recon/run.h"

#include <cmocka.h>
#include <math.h>

/* Arc length from 0 to u by small chords. */
static double by_chords(const struct intra_axis *axis, double u)
{
    enum { N = 20000 };
    double sum = 0;
    struct intra_vec3 a = intra_axis_point(axis, 0, NULL, NULL, NULL);
    for (int i = 1; i <= N; i++) {
        struct intra_vec3 b = intra_axis_point(axis, u * i / N, NULL, NULL, NULL);
        sum += intra_norm(intra_sub(b, a));
        a = b;
    }
    return sum;
}

static void arc_follows_the_axis(void **state)
{
    struct intra_camera camera = {.model = INTRA_CAMERA_BROWN, .width = 64, .height = 48, .fx = 40, .fy = 40, .cx = 31.5, .cy = 23.5};
    struct intra_run_options options = intra_run_defaults(0.15);
    struct intra_mask_pyramid mask = {0};
    struct intra_run run;
    struct intra_error err;
    double straight, bent, settled, again;
    (void)state;
    assert_int_equal(intra_camera_finish(&camera, &err), INTRA_OK);
    assert_int_equal(intra_run_init(&run, &options, &camera, &mask, &err), INTRA_OK);
    assert_int_equal(intra_axis_cover(&run.axis, -4, 14, &err), INTRA_OK);
    assert_int_equal(intra_run_arc(&run, 10.3, &straight, &err), INTRA_OK);
    assert_true(fabs(straight - 10.3 * 0.15) < 1e-9);
    assert_int_equal(intra_run_arc(&run, 3.3, &settled, &err), INTRA_OK);

    /* The window finds a bend from u = 6 on, and has settled all before it. */
    for (int i = 0; i < run.axis.count; i++) {
        int u = run.axis.first + i;
        run.axis.knots[i].is_frozen = u < 6;
        if (u >= 6) run.axis.knots[i].p.y += 0.02 * (u - 5) * (u - 5);
    }
    intra_run_axis_moved(&run);
    assert_int_equal(intra_run_arc(&run, 10.3, &bent, &err), INTRA_OK);
    assert_true(bent > straight + 0.05);
    assert_true(fabs(bent - by_chords(&run.axis, 10.3)) < 1e-4);
    assert_int_equal(intra_run_arc(&run, 3.3, &again, &err), INTRA_OK);
    assert_true(again == settled);
    intra_run_fini(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(arc_follows_the_axis)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
