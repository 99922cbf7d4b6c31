/* Proves: arrays grow and keep their items, the section's measures agree with an ellipse's known ones and with a
 * brute-force sampling of any section, wall points lie where a straight pipe, a bend and a section's frame put them,
 * normals look inside, every failing allocation is reported. Does not prove: that recon fits the right section. */
#include "core/mem.h"
#include "core/scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DEG (M_PI / 180)

static void arrays_grow_and_keep(void **state)
{
    (void)state;
    struct intra_scene scene;
    intra_scene_init(&scene);
    for (int i = 0; i < 1000; i++) {
        struct intra_frame_record frame = {.index = i};
        struct intra_section section = {.station_m = i};
        struct intra_feature feature = {.station_m = 2 * i};
        struct intra_gap gap = {.time_from_s = 3 * i};
        assert_int_equal(intra_scene_add_frame(&scene, &frame, NULL), INTRA_OK);
        assert_int_equal(intra_scene_add_section(&scene, &section, NULL), INTRA_OK);
        assert_int_equal(intra_scene_add_feature(&scene, &feature, NULL), INTRA_OK);
        assert_int_equal(intra_scene_add_gap(&scene, &gap, NULL), INTRA_OK);
    }
    assert_true(scene.n_frames == 1000 && scene.n_sections == 1000 && scene.n_features == 1000 && scene.n_gaps == 1000);
    for (int i = 0; i < 1000; i++)
        assert_true(scene.frames[i].index == i && scene.sections[i].station_m == i &&
                    scene.features[i].station_m == 2 * i && scene.gaps[i].time_from_s == 3 * i);
    intra_scene_fini(&scene);
    assert_true(scene.frames == NULL && scene.n_gaps == 0);
    intra_scene_fini(&scene);
}

static void failing_allocation_keeps_what_was_there(void **state)
{
    (void)state;
    struct intra_scene scene;
    struct intra_error err = {0};
    struct intra_frame_record frame = {.index = 5};
    intra_scene_init(&scene);
    long failed = 0;
    for (int i = 0; i < 200; i++) {
        intra_mem_fail_at(1, 0);
        enum intra_status status = intra_scene_add_frame(&scene, &frame, &err);
        intra_mem_fail_at(0, 0);
        if (status == INTRA_OK) continue;
        failed++;
        assert_int_equal(status, INTRA_E_MEM);
        assert_true(scene.n_frames == i && (i == 0 || scene.frames[i - 1].index == 5));
        assert_int_equal(intra_scene_add_frame(&scene, &frame, &err), INTRA_OK);
    }
    assert_true(failed == 3 && scene.n_frames == 200); /* at 0, 64 and 128 */
    intra_scene_fini(&scene);
}

static void state_names(void **state)
{
    (void)state;
    static const char *const names[] = {"drive", "reverse", "stop", "pan", "lost", "not_pipe", "duplicate"};
    for (int i = 0; i < 7; i++)
        assert_string_equal(intra_frame_state_name((enum intra_frame_state)i), names[i]);
    assert_string_equal(intra_frame_state_name((enum intra_frame_state)7), "unknown");
}

static void measures_of_a_circle(void **state)
{
    (void)state;
    struct intra_section s = {.a = {0.15}};
    intra_section_measure(&s);
    assert_true(fabs(s.diameter_min_m - 0.3) < 1e-15 && fabs(s.diameter_max_m - 0.3) < 1e-15 &&
                s.diameter_mean_m == 0.3);
    assert_true(fabs(s.perimeter_m - 0.3 * M_PI) < 1e-14);
    assert_true(fabs(s.ovality_pct) < 1e-12 && fabs(s.ovality_max_pct) < 1e-12);
    assert_true(s.min_clock_rad >= 0 && s.min_clock_rad < M_PI);
}

/* An ellipse, its harmonics up to the sixth by Fourier sums: half axes 0.16 (towards `tilt`) and 0.14 m. What the six
 * leave out is below 1e-6 m. Perimeter after Ramanujan, good to 1e-9 here. */
static void measures_of_an_ellipse(void **state)
{
    (void)state;
    double p = 0.16, q = 0.14, h = pow((p - q) / (p + q), 2);
    double perimeter = M_PI * (p + q) * (1 + 3 * h / (10 + sqrt(4 - 3 * h)));
    for (int tilt = 0; tilt < 180; tilt += 7) {
        struct intra_section s = {0};
        enum { N = 720 };
        double mean = 0;
        for (int i = 0; i < N; i++) {
            double t = 2 * M_PI * i / N, c = cos(t - tilt * DEG) / p, d = sin(t - tilt * DEG) / q,
                   r = 1 / sqrt(c * c + d * d);
            mean += 2 * r / N;
            for (int k = 0; k <= INTRA_SECTION_HARMONICS; k++) {
                s.a[k] += (k ? 2 : 1) * r * cos(k * t) / N;
                s.b[k] += (k ? 2 : 1) * r * sin(k * t) / N;
            }
        }
        intra_section_measure(&s);
        assert_true(fabs(s.diameter_max_m - 0.32) < 5e-6 && fabs(s.diameter_min_m - 0.28) < 5e-6);
        assert_true(fabs(s.diameter_mean_m - mean) < 1e-12);
        assert_true(fabs(s.perimeter_m - perimeter) < 5e-6);
        double off = s.min_clock_rad - (tilt + 90) * DEG;
        assert_true(fabs(off - M_PI * round(off / M_PI)) < 1e-3 && s.min_clock_rad >= 0 && s.min_clock_rad < M_PI);
        /* ASTM F1216, X2.1.1: 100 (mean - min) / mean and 100 (max - mean) / mean */
        assert_true(fabs(s.ovality_pct - 100 * (mean - 0.28) / mean) < 2e-3);
        assert_true(fabs(s.ovality_max_pct - 100 * (0.32 - mean) / mean) < 2e-3);
    }
}

static void measures_of_any_section_by_brute_force(void **state)
{
    (void)state;
    srand(11);
    for (int n = 0; n < 50; n++) {
        struct intra_section s = {.a = {0.2}};
        for (int k = 2; k <= INTRA_SECTION_HARMONICS; k++) {
            s.a[k] = 0.004 * (rand() / (double)RAND_MAX - 0.5);
            s.b[k] = 0.004 * (rand() / (double)RAND_MAX - 0.5);
        }
        intra_section_measure(&s);
        enum { N = 20000 };
        double least = INFINITY, most = 0, length = 0, before[2] = {s.a[0], 0};
        for (int i = 0; i <= N; i++) { /* plain sums, without the recurrence in scene.c */
            double t = 2 * M_PI * i / N, r = s.a[0], opposite = s.a[0];
            for (int k = 1; k <= INTRA_SECTION_HARMONICS; k++) {
                r += s.a[k] * cos(k * t) + s.b[k] * sin(k * t);
                opposite += s.a[k] * cos(k * (t + M_PI)) + s.b[k] * sin(k * (t + M_PI));
            }
            double here[2] = {r * cos(t), r * sin(t)};
            if (i > 0) length += hypot(here[0] - before[0], here[1] - before[1]);
            memcpy(before, here, sizeof here);
            least = fmin(least, r + opposite);
            most = fmax(most, r + opposite);
            assert_true(fabs(intra_section_radius(&s, t) - r) < 1e-13);
        }
        assert_true(fabs(s.diameter_min_m - least) < 2e-7 && fabs(s.diameter_max_m - most) < 2e-7);
        assert_true(fabs(s.perimeter_m - length) < 1e-6);
    }
}

/* A section of a bend in the horizontal plane (radius R, to the left) at station s; R = 0: straight along X. */
static struct intra_section bend_section(double s, double radius, double diameter)
{
    struct intra_section sec = {.station_m = s, .is_seen = true, .a = {diameter / 2}};
    double a = radius > 0 ? s / radius : 0;
    struct intra_vec3 t = intra_vec3(cos(a), sin(a), 0), right = intra_vec3(sin(a), -cos(a), 0);
    sec.centre = radius > 0 ? intra_vec3(radius * sin(a), radius * (1 - cos(a)), 0) : intra_vec3(s, 0, 0);
    sec.world_from_sec = intra_mat3_from_columns(t, right, intra_vec3(0, 0, 1));
    return sec;
}

static void fill_bend(struct intra_scene *scene, double radius, double from, double step, int n)
{
    intra_scene_init(scene);
    scene->section_step_m = step;
    for (int i = 0; i < n; i++) {
        struct intra_section sec = bend_section(from + step * i, radius, 0.3);
        assert_int_equal(intra_scene_add_section(scene, &sec, NULL), INTRA_OK);
    }
}

static void wall_point_of_a_straight_pipe(void **state)
{
    (void)state;
    struct intra_scene scene;
    struct intra_vec3 p, n;
    fill_bend(&scene, 0, 0.5, 0.05, 41);
    for (double s = 0.5; s <= 2.5; s += 0.013)
        for (int deg = -360; deg <= 360; deg += 15) {
            double t = deg * DEG;
            assert_true(intra_scene_wall_point(&scene, s, t, 0.01, &p, &n));
            /* crown up, 3 o'clock to the right of +X, which is -Y */
            assert_true(intra_norm(intra_sub(p, intra_vec3(s, -0.16 * sin(t), 0.16 * cos(t)))) < 1e-13);
            assert_true(intra_norm(intra_sub(n, intra_vec3(0, sin(t), -cos(t)))) < 1e-13);
        }
    assert_true(intra_scene_wall_point(&scene, 2.5, 0, 0, &p, NULL));
    assert_false(intra_scene_wall_point(&scene, 2.501, 0, 0, &p, &n));
    assert_false(intra_scene_wall_point(&scene, 0.499, 0, 0, &p, &n));
    assert_false(intra_scene_wall_point(&scene, NAN, 0, 0, &p, &n));
    assert_false(intra_scene_wall_point(&scene, 1, NAN, 0, &p, &n));
    assert_false(intra_scene_wall_point(&scene, 1, 0, INFINITY, &p, &n));
    intra_scene_fini(&scene);
    intra_scene_init(&scene);
    assert_false(intra_scene_wall_point(&scene, 0, 0, 0, &p, &n));
}

static void wall_point_of_a_bend_follows_the_arc(void **state)
{
    (void)state;
    struct intra_scene scene;
    double radius = 1;
    fill_bend(&scene, radius, 0, 0.05, 31);
    for (double s = 0; s <= 1.5; s += 0.0037)
        for (int deg = 0; deg < 360; deg += 30) {
            struct intra_section truth = bend_section(s, radius, 0.3);
            struct intra_vec3 p, n, local = intra_vec3(0, 0.15 * sin(deg * DEG), 0.15 * cos(deg * DEG));
            struct intra_vec3 want = intra_add(truth.centre, intra_mat3_mul_vec(&truth.world_from_sec, local));
            assert_true(intra_scene_wall_point(&scene, s, deg * DEG, 0, &p, &n));
            double miss = intra_norm(intra_sub(p, want)); /* a chord alone would be 0.3 mm off */
            if (miss > 1e-6) fail_msg("s %g, %d deg: off by %g m", s, deg, miss);
            assert_true(fabs(intra_norm(n) - 1) < 1e-12 && intra_dot(n, intra_sub(truth.centre, p)) > 0);
        }
    intra_scene_fini(&scene);
}

/* On a section that is no circle the normal is that of the curve, by central differences. */
static void normal_of_an_oval_section(void **state)
{
    (void)state;
    struct intra_scene scene;
    fill_bend(&scene, 0, 0, 0.05, 3);
    for (int i = 0; i < 3; i++) {
        scene.sections[i].a[2] = 0.01;
        scene.sections[i].b[3] = -0.006;
    }
    for (int deg = 0; deg < 360; deg += 5) {
        struct intra_vec3 before, after, p, n;
        assert_true(intra_scene_wall_point(&scene, 0.07, deg * DEG - 1e-6, 0, &before, NULL));
        assert_true(intra_scene_wall_point(&scene, 0.07, deg * DEG + 1e-6, 0, &after, NULL));
        assert_true(intra_scene_wall_point(&scene, 0.07, deg * DEG, 0, &p, &n));
        assert_true(fabs(intra_dot(n, intra_unit(intra_sub(after, before)))) < 1e-8);
        assert_true(intra_dot(n, intra_sub(intra_vec3(0.07, 0, 0), p)) > 0 && fabs(intra_norm(n) - 1) < 1e-12);
    }
    intra_scene_fini(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrays_grow_and_keep),
        cmocka_unit_test(failing_allocation_keeps_what_was_there),
        cmocka_unit_test(state_names),
        cmocka_unit_test(measures_of_a_circle),
        cmocka_unit_test(measures_of_an_ellipse),
        cmocka_unit_test(measures_of_any_section_by_brute_force),
        cmocka_unit_test(wall_point_of_a_straight_pipe),
        cmocka_unit_test(wall_point_of_a_bend_follows_the_arc),
        cmocka_unit_test(normal_of_an_oval_section),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
