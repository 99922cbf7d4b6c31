/* Proves: where the wall around a point lies in another picture, to second order, in a straight pipe, in a bend and
 * through a fisheye: samples of a patch come to within a few hundredths of a pixel of where rays through the true tube
 * put them, where a warp of first order is off by up to a pixel, and outwards on average. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "recon/pose_fit.h"

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define RADIUS 0.15

struct worst {
    double second, first, outwards; /* px; the last: mean of the first order's error along the way out */
};

/* The tube: an arc of radius bend_m in the horizontal plane (0: straight), entered at the origin along X. */
static struct worst look(const struct intra_camera *camera, double bend_m, struct intra_vec3 turn)
{
    struct intra_error err;
    struct intra_axis axis;
    struct worst worst = {0};
    struct intra_mat3 ahead = {{{0, -1, 0}, {0, 0, -1}, {1, 0, 0}}}, turned = intra_rotation_exp(turn);
    struct intra_pose host = {.r = intra_mat3_mul(&turned, &ahead)}, target = {.r = ahead};
    int n = 0;
    assert_int_equal(intra_axis_init(&axis, RADIUS, intra_vec3(0, 0, 0), intra_vec3(1, 0, 0), &err), INTRA_OK);
    assert_int_equal(intra_axis_cover(&axis, -3, 14, &err), INTRA_OK);
    for (int i = 0; i < axis.count && bend_m > 0; i++) {
        double s = axis.knots[i].p.x;
        axis.knots[i].p = intra_vec3(bend_m * sin(s / bend_m), bend_m * (1 - cos(s / bend_m)), 0);
    }
    host.t = intra_scale(intra_mat3_mul_vec(&host.r, intra_vec3(0.02, 0.01, -0.02)), -1);
    target.t = intra_scale(intra_mat3_mul_vec(&target.r, intra_vec3(0.10, 0.0, 0.01)), -1);
    struct intra_run run = {.camera = camera, .zoom = 1};
    struct intra_pose world_from_host = intra_pose_inverse(&host);
    for (int k = 0; k < 24; k++) {
        double a = 2 * M_PI * k / 24, rho = 0.22 * camera->height, px[2], extent = 7;
        struct intra_point p = {.px = {camera->cx + rho * cos(a), camera->cy + rho * sin(a)}, .step_px = 6};
        struct intra_warp warp;
        double reach = RADIUS;
        assert_true(intra_camera_unproject(camera, p.px, &p.ray));
        p.u = 2;
        if (!intra_axis_ray_hit(&axis, reach, world_from_host.t, intra_mat3_mul_vec(&world_from_host.r, p.ray),
                                10 * RADIUS, &p.u, &p.dist))
            continue;
        assert_true(intra_point_place(&p, camera, &host, &axis));
        if (!intra_pose_see(&run, &target, p.x, 4, px, NULL, NULL)) continue;
        assert_true(intra_pose_warp(&run, &target, &p, px, &warp));
        for (int q = 0; q < 8; q++) {
            double x = extent * cos(M_PI * q / 4), y = extent * sin(M_PI * q / 4), true_px[2], e[2][2], u = p.u, t;
            double at[2] = {p.px[0] + x, p.px[1] + y};
            struct intra_vec3 ray, dir;
            assert_true(intra_camera_unproject(camera, at, &ray));
            dir = intra_mat3_mul_vec(&world_from_host.r, ray);
            assert_true(intra_axis_ray_hit(&axis, RADIUS, world_from_host.t, dir, 12 * RADIUS, &u, &t));
            (void)intra_pose_see(&run, &target, intra_mad(world_from_host.t, t, dir), 0, true_px, NULL, NULL);
            for (int i = 0; i < 2; i++) {
                const double *w = warp.a + 2 * i, *b = warp.q + 3 * i;
                e[0][i] = true_px[i] - px[i] - w[0] * x - w[1] * y;
                e[1][i] = e[0][i] - b[0] * x * x - b[1] * x * y - b[2] * y * y;
            }
            worst.first = fmax(worst.first, hypot(e[0][0], e[0][1]));
            worst.second = fmax(worst.second, hypot(e[1][0], e[1][1]));
            worst.outwards += e[0][0] * cos(a) + e[0][1] * sin(a);
            n++;
        }
    }
    assert_true(n >= 80);
    worst.outwards /= n;
    intra_axis_fini(&axis);
    return worst;
}

static void check(const struct intra_camera *camera, double bend_m, struct intra_vec3 turn)
{
    struct worst w = look(camera, bend_m, turn);
    if (!(w.second < 0.15 * w.first && w.second < 0.15 && w.outwards > 0.02))
        fail_msg("second order %.3f px off, first %.3f, outwards %.3f (bend %g)", w.second, w.first, w.outwards,
                 bend_m);
}

static void samples_land_where_the_tube_says(void **state)
{
    struct intra_error err;
    struct intra_camera brown = {.model = INTRA_CAMERA_BROWN,
                                 .width = 768,
                                 .height = 576,
                                 .fx = 577,
                                 .fy = 577,
                                 .cx = 383.5,
                                 .cy = 287.5,
                                 .k = {-0.17, 0.02}};
    struct intra_camera fisheye = {
        .model = INTRA_CAMERA_KB, .width = 768, .height = 576, .fx = 300, .fy = 300, .cx = 383.5, .cy = 287.5};
    (void)state;
    assert_int_equal(intra_camera_finish(&brown, &err), INTRA_OK);
    assert_int_equal(intra_camera_finish(&fisheye, &err), INTRA_OK);
    check(&brown, 0, intra_vec3(0, 0, 0));
    check(&brown, 0, intra_vec3(0.04, -0.06, 0.1));
    check(&brown, 1.5, intra_vec3(0, 0, 0));
    check(&fisheye, 0, intra_vec3(0.1, 0.05, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(samples_land_where_the_tube_says)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
