/* Proves, on made axes: a bend is found with its stations, angle, radius and direction, level and upward, within its
 * deviations under noise; two bends come out as two; none on a straight axis with noise, for a deflection at a joint,
 * or beyond where the camera got; a bend that the camera did not leave has no deviation there; failing allocations come
 * back as errors. Does not prove that reconstructed axes are as good as these. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "core/mem.h"
#include "recon/bends.h"

#include <cmocka.h>
#include <math.h>
#include <string.h>

struct made_bend {
    double from_m, to_m, left_rad, up_rad;
};

struct made_axis {
    double length_m, camera_to_m, noise_rad;
    struct made_bend bends[3];
};

static double chance(uint32_t a)
{
    uint32_t h = (a + 1) * 0x9e3779b1u;
    h = (h ^ h >> 15) * 0x2c1b3c6du;
    h = (h ^ h >> 12) * 0x297a2d39u;
    return (h ^ h >> 15) / 4294967296.0 - 0.5;
}

static struct intra_scene axis_of(const struct made_axis *made)
{
    struct intra_scene scene;
    intra_scene_init(&scene);
    scene.section_step_m = 0.05;
    scene.nominal_diameter_m = 0.3;
    for (int i = 0; i * 0.05 <= made->length_m; i++) {
        struct intra_section s = {.station_m = i * 0.05, .is_seen = true};
        double yaw = 0.3 + made->noise_rad * chance((uint32_t)i / 4),
               pitch = made->noise_rad * chance(7919 + (uint32_t)i / 4);
        for (int k = 0; k < 3; k++) {
            const struct made_bend *b = &made->bends[k];
            double share =
                b->to_m > b->from_m ? fmin(1, fmax(0, (s.station_m - b->from_m) / (b->to_m - b->from_m))) : 0;
            yaw += share * b->left_rad, pitch += share * b->up_rad;
        }
        s.world_from_sec.m[0][0] = cos(pitch) * cos(yaw);
        s.world_from_sec.m[1][0] = cos(pitch) * sin(yaw);
        s.world_from_sec.m[2][0] = sin(pitch);
        assert_int_equal(intra_scene_add_section(&scene, &s, NULL), INTRA_OK);
    }
    for (int i = 0; i * 0.02 <= made->camera_to_m; i++) {
        struct intra_frame_record f = {.index = i, .is_posed = true, .station_m = i * 0.02, .station_sd_m = 0.001};
        assert_int_equal(intra_scene_add_frame(&scene, &f, NULL), INTRA_OK);
    }
    return scene;
}

static struct intra_scene bends_of(const struct made_axis *made)
{
    struct intra_scene scene = axis_of(made);
    assert_int_equal(intra_bends_find(&scene, NULL), INTRA_OK);
    return scene;
}

static void assert_bend(const struct intra_feature *f, const struct made_bend *b)
{
    double angle = hypot(b->left_rad, b->up_rad), clock = atan2(-b->left_rad, b->up_rad);
    assert_int_equal(f->kind, INTRA_FEATURE_BEND);
    assert_true(fabs(f->station_m - b->from_m) < 1.96 * f->station_sd_m && f->station_sd_m < 0.2);
    assert_true(fabs(f->station_to_m - b->to_m) < 1.96 * f->station_to_sd_m && f->station_to_sd_m < 0.2);
    assert_true(fabs(f->angle_rad - angle) < 2.5 * f->angle_sd_rad && f->angle_sd_rad < 0.01);
    assert_true(fabs(f->radius_m - (b->to_m - b->from_m) / angle) < 1.96 * f->radius_sd_m);
    assert_true(fabs(remainder(f->clock_rad - clock, 2 * M_PI)) < 0.1);
    assert_true(f->confidence > 0.9 && f->confidence <= 1);
}

static void right_left_and_up(void **state)
{
    struct made_axis made = {.length_m = 10,
                             .camera_to_m = 10,
                             .noise_rad = 0.008,
                             .bends = {{1.8, 2.6, -0.52, 0}, {4.7, 6.1, 0.2, 0}, {8, 8.8, 0, 0.3}}};
    struct intra_scene scene = bends_of(&made);
    (void)state;
    assert_int_equal(scene.n_features, 3);
    for (int k = 0; k < 3; k++)
        assert_bend(&scene.features[k], &made.bends[k]);
    intra_scene_fini(&scene);
}

static void none_where_there_is_none(void **state)
{
    struct made_axis made = {.length_m = 30, .camera_to_m = 30, .noise_rad = 0.012};
    (void)state;
    struct intra_scene scene = bends_of(&made);
    assert_int_equal(scene.n_features, 0);
    intra_scene_fini(&scene);
    made.bends[0] = (struct made_bend){3, 3.05, 0.035, 0}; /* a joint deflected by 2 degrees */
    made.bends[1] = (struct made_bend){9, 9.05, 0, -0.05};
    scene = bends_of(&made);
    assert_int_equal(scene.n_features, 0);
    intra_scene_fini(&scene);
    made.camera_to_m = 12;
    made.bends[2] = (struct made_bend){13, 14, 1, 0}; /* where the axis is extrapolated */
    scene = bends_of(&made);
    assert_int_equal(scene.n_features, 0);
    intra_scene_fini(&scene);
}

static void bend_that_goes_on(void **state)
{
    struct made_axis made = {.length_m = 5, .camera_to_m = 3, .noise_rad = 0.004, .bends = {{2, 4, 0.8, 0}}};
    struct intra_scene scene = bends_of(&made);
    (void)state;
    assert_int_equal(scene.n_features, 1);
    assert_true(isnan(scene.features[0].station_to_sd_m));
    assert_true(fabs(scene.features[0].station_m - 2) < 1.96 * scene.features[0].station_sd_m);
    assert_true(fabs(scene.features[0].angle_rad - 0.4) < 0.04);
    intra_scene_fini(&scene);
}

static void failing_allocations(void **state)
{
    struct made_axis made = {.length_m = 5, .camera_to_m = 5, .bends = {{2, 3, 0.8, 0}}};
    struct intra_scene scene = axis_of(&made);
    int n = 0;
    enum intra_status status = INTRA_E_MEM;
    (void)state;
    while (status != INTRA_OK) {
        intra_mem_fail_at(++n, 0);
        status = intra_bends_find(&scene, NULL);
        intra_mem_fail_at(0, 0);
        if (status != INTRA_OK) assert_int_equal(status, INTRA_E_MEM);
    }
    assert_true(n > 1);
    assert_int_equal(scene.n_features, 1);
    intra_scene_fini(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right_left_and_up),
        cmocka_unit_test(none_where_there_is_none),
        cmocka_unit_test(bend_that_goes_on),
        cmocka_unit_test(failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
