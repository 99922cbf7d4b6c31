/* Proves: the nearest point of the axis is square to it, a ray hits the tube at its radius in straight and bent pipes,
 * arc length agrees with small steps, the section frame looks the right way, and an oval has its radius by the clock.
 * Does not prove anything about images. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "recon/tube.h"

#include <cmocka.h>

/* An axis on a circle of the given radius in the horizontal plane (0: straight). */
static void make_axis(struct intra_axis *axis, double bend)
{
    struct intra_error err;
    assert_int_equal(intra_axis_init(axis, 0.15, intra_vec3(0, 0, 0), intra_vec3(1, 0, 0), &err), INTRA_OK);
    assert_int_equal(intra_axis_cover(axis, -4, 14, &err), INTRA_OK);
    for (int i = 0; i < axis->count && bend > 0; i++) {
        double a = 0.15 * (axis->first + i) / bend;
        axis->knots[i].p = intra_vec3(bend * sin(a), bend * (1 - cos(a)), 0);
    }
}

static void check_rays(double bend)
{
    struct intra_axis axis;
    int hits = 0;
    make_axis(&axis, bend);
    for (int i = 0; i < 200; i++) {
        double a = 0.1 + 0.9 * (i % 20) / 20, b = 6.2832 * i / 37, u = 0, t;
        struct intra_vec3 o = {0.01, 0.02 * sin(i), 0.03 * cos(i)};
        struct intra_vec3 d = {cos(a), sin(a) * sin(b), sin(a) * cos(b)};
        if (!intra_axis_ray_hit(&axis, 0.15, o, d, 1.5, &u, &t)) continue;
        struct intra_vec3 x = intra_mad(o, t, d), d1, c = intra_axis_point(&axis, u, &d1, NULL, NULL), arm = intra_sub(x, c);
        assert_true(fabs(intra_norm(arm) - 0.15) < 1e-6);
        assert_true(fabs(intra_dot(arm, intra_unit(d1))) < 1e-6);
        hits++;
    }
    assert_true(hits > 150);
    intra_axis_fini(&axis);
}

static void ray_hits_straight(void **state)
{
    (void)state;
    check_rays(0);
}

static void ray_hits_bend(void **state)
{
    (void)state;
    check_rays(1.2);
}

static void arc_length_of_bend(void **state)
{
    struct intra_axis axis;
    double sum = 0;
    struct intra_vec3 last;
    (void)state;
    make_axis(&axis, 1.0);
    last = intra_axis_point(&axis, 0, NULL, NULL, NULL);
    for (int i = 1; i <= 5000; i++) {
        struct intra_vec3 now = intra_axis_point(&axis, i * 0.001, NULL, NULL, NULL);
        sum += intra_norm(intra_sub(now, last));
        last = now;
    }
    assert_true(fabs(sum - intra_axis_arc_length(&axis, 0, 5)) < 1e-5);
    assert_true(fabs(intra_axis_arc_length(&axis, 5, 0) + sum) < 1e-5);
    intra_axis_fini(&axis);
}

/* Clock angles from the crown, clockwise looking ahead, and the oval's radius there; between knots and past the last
 * ones. */
static void oval_by_the_clock(void **state)
{
    struct intra_axis axis;
    (void)state;
    make_axis(&axis, 0);
    for (int i = 0; i < 24; i++) {
        double t = -3.0 + 0.25 * i, u = 0.37 * i - 2;
        struct intra_vec3 x = {0.15 * u, -0.1 * sin(t), 0.1 * cos(t)}; /* world Y is left */
        assert_true(fabs(intra_axis_clock(&axis, u, x) - t) < 1e-9);
        assert_true(intra_axis_radius_rel(&axis, u, t) == 1);
    }
    for (int i = 0; i < axis.count; i++)
        axis.knots[i].oval[0] = 0.03, axis.knots[i].oval[1] = -0.02;
    for (int i = 0; i < 24; i++) {
        double t = -3.0 + 0.25 * i, want = 1 + 0.03 * cos(2 * t) - 0.02 * sin(2 * t);
        assert_true(fabs(intra_axis_radius_rel(&axis, 0.37 * i, t) - want) < 1e-12);
    }
    assert_true(intra_axis_cover(&axis, -8, 20, &(struct intra_error){0}) ==
                INTRA_OK); /* new knots go on as the last ones */
    assert_true(fabs(intra_axis_radius_rel(&axis, -7.5, 0) - 1.03) < 1e-12);
    assert_true(fabs(intra_axis_radius_rel(&axis, 19.5, M_PI / 4) - 0.98) < 1e-12);
    axis.knots[6].oval[0] = 0.05; /* a change of one knot is felt over two to each side, as the spline says */
    int u = axis.first + 6;
    assert_true(fabs(intra_axis_radius_rel(&axis, u, 0) - (1.03 + 0.02 * 2 / 3)) < 1e-12);
    assert_true(fabs(intra_axis_radius_rel(&axis, u + 2, 0) - 1.03) < 1e-12);
    intra_axis_fini(&axis);
}

static void frame_right_is_right(void **state)
{
    struct intra_axis axis;
    (void)state;
    make_axis(&axis, 0);
    struct intra_mat3 f = intra_axis_frame(&axis, 1);
    assert_true(fabs(f.m[0][0] - 1) < 1e-12);  /* tangent +X */
    assert_true(fabs(f.m[1][1] + 1) < 1e-12);  /* looking along +X with Z up, right is -Y */
    assert_true(fabs(f.m[2][2] - 1) < 1e-12);  /* crown +Z */
    intra_axis_fini(&axis);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(ray_hits_straight), cmocka_unit_test(ray_hits_bend),
                                       cmocka_unit_test(arc_length_of_bend), cmocka_unit_test(oval_by_the_clock),
                                       cmocka_unit_test(frame_right_is_right)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
