/* Proves: project after unproject gives the pixel back to 1e-9 px over the whole picture and beyond its corners, the
 * inverse answers "no" where the lens has no ray, both Jacobians agree with central differences for each lens and each
 * parameter by itself, the usable field ends before the mapping folds, and the formulas agree with values worked out by
 * hand from the papers. Does not prove: that a camera file was read into the right fields (test_camera_file). */
#include "lenses.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct intra_camera ready(const struct test_lens *lens)
{
    struct intra_camera camera = lens->camera;
    struct intra_error err = {0};
    if (intra_camera_finish(&camera, &err) != INTRA_OK) fail_msg("%s: %s", lens->name, err.text);
    return camera;
}

static void unproject_then_project_over_the_picture(void **state)
{
    (void)state;
    for (int l = 0; l < TEST_LENS_COUNT; l++) {
        struct intra_camera cam = ready(&test_lenses[l]);
        long seen = 0, inside = 0;
        double worst = 0;
        for (double v = -0.15 * cam.height; v < 1.15 * cam.height; v += 7.3)
            for (double u = -0.15 * cam.width; u < 1.15 * cam.width; u += 7.7) {
                double px[2] = {u, v}, back[2];
                struct intra_vec3 ray;
                bool is_inside = u >= -0.5 && v >= -0.5 && u < cam.width - 0.5 && v < cam.height - 0.5;
                inside += is_inside;
                if (!intra_camera_unproject(&cam, px, &ray)) continue;
                seen += is_inside;
                if (fabs(intra_norm(ray) - 1) > 1e-12) fail_msg("%s: ray is not of unit length", test_lenses[l].name);
                if (!intra_camera_project(&cam, ray, back, NULL, NULL)) {
                    /* only on the very edge of the field may rounding decide otherwise */
                    double theta = atan2(hypot(ray.x, ray.y), ray.z);
                    if (theta < cam.max_theta_rad - 1e-9) fail_msg("%s: (%g, %g) is lost", test_lenses[l].name, u, v);
                    continue;
                }
                worst = fmax(worst, hypot(back[0] - u, back[1] - v));
            }
        print_message("%-20s max theta %5.1f deg, %5.1f %% of the picture, worst %.2g px\n", test_lenses[l].name,
                      cam.max_theta_rad * 180 / M_PI, 100.0 * seen / inside, worst);
        assert_true(worst <= 1e-9);
        assert_true(seen > inside / 2);
        if (!strstr(test_lenses[l].name, "folds") && strcmp(test_lenses[l].name, "fisheye 190") != 0)
            assert_int_equal(seen, inside); /* those three do not cover the corners */
    }
}

static void project_then_unproject_over_the_field(void **state)
{
    (void)state;
    for (int l = 0; l < TEST_LENS_COUNT; l++) {
        struct intra_camera cam = ready(&test_lenses[l]);
        for (int i = 0; i <= 200; i++)
            for (int j = 0; j < 24; j++) {
                double theta = cam.max_theta_rad * i / 200 * 0.9999, phi = 2 * M_PI * j / 24, px[2];
                struct intra_vec3 p = intra_vec3(sin(theta) * cos(phi), sin(theta) * sin(phi), cos(theta)), ray;
                assert_true(intra_camera_project(&cam, intra_scale(p, 3.7), px, NULL, NULL));
                if (!intra_camera_unproject(&cam, px, &ray))
                    fail_msg("%s: no ray back at theta %g phi %g", test_lenses[l].name, theta, phi);
                double miss = intra_norm(intra_sub(ray, p));
                if (miss > 1e-9)
                    fail_msg("%s: off by %g rad at theta %g phi %g", test_lenses[l].name, miss, theta, phi);
            }
    }
}

static void check_gradient(const char *lens, const char *what, double analytic, double numeric, double scale)
{
    if (fabs(analytic - numeric) > 2e-6 * scale)
        fail_msg("%s: d px / d %s is %.9g, central difference says %.9g", lens, what, analytic, numeric);
}

static void point_jacobian_against_central_differences(void **state)
{
    (void)state;
    for (int l = 0; l < TEST_LENS_COUNT; l++) {
        struct intra_camera cam = ready(&test_lenses[l]);
        for (int i = 0; i <= 40; i++)
            for (int j = 0; j < 7; j++) {
                double theta = cam.max_theta_rad * i / 40 * 0.99, phi = 0.3 + 2 * M_PI * j / 7, jac[6], px[2];
                double p[3] = {2 * sin(theta) * cos(phi), 2 * sin(theta) * sin(phi), 2 * cos(theta)};
                assert_true(intra_camera_project(&cam, intra_vec3(p[0], p[1], p[2]), px, jac, NULL));
                for (int k = 0; k < 3; k++) {
                    double h = 1e-6, plus[3] = {p[0], p[1], p[2]}, minus[3] = {p[0], p[1], p[2]}, a[2], b[2];
                    plus[k] += h;
                    minus[k] -= h;
                    assert_true(intra_camera_project(&cam, intra_vec3(plus[0], plus[1], plus[2]), a, NULL, NULL));
                    assert_true(intra_camera_project(&cam, intra_vec3(minus[0], minus[1], minus[2]), b, NULL, NULL));
                    for (int r = 0; r < 2; r++)
                        check_gradient(test_lenses[l].name,
                                       k == 0   ? "X"
                                       : k == 1 ? "Y"
                                                : "Z",
                                       jac[3 * r + k], (a[r] - b[r]) / (2 * h),
                                       cam.fx / cos(fmin(theta, 1.4)) / cos(fmin(theta, 1.4)));
                }
            }
    }
}

static double *parameter(struct intra_camera *cam, int k)
{
    double *linear[4] = {&cam->fx, &cam->fy, &cam->cx, &cam->cy};
    return k < 4 ? linear[k] : &cam->k[k - 4];
}

static void parameter_jacobian_against_central_differences(void **state)
{
    (void)state;
    for (int l = 0; l < TEST_LENS_COUNT; l++) {
        struct intra_camera cam = ready(&test_lenses[l]);
        for (int k = 0; k < INTRA_CAMERA_MAX_PARAMS; k++) { /* each parameter by itself */
            bool is_used = k < (cam.model == INTRA_CAMERA_KB ? 8 : 16);
            double largest = 0;
            char name[16];
            snprintf(name, sizeof name, "param %d", k);
            for (int i = 0; i <= 40; i++) {
                double theta = fmin(cam.max_theta_rad * 0.98, 1.3) * i / 40, phi = 0.4 + i, px[2], a[2], b[2];
                double jp[2 * INTRA_CAMERA_MAX_PARAMS], h = k < 4 ? 1e-3 : 1e-6;
                struct intra_vec3 p = intra_vec3(sin(theta) * cos(phi), sin(theta) * sin(phi), cos(theta));
                struct intra_camera plus = cam, minus = cam;
                assert_true(intra_camera_project(&cam, p, px, NULL, jp));
                *parameter(&plus, k) += h;
                *parameter(&minus, k) -= h;
                assert_true(intra_camera_project(&plus, p, a, NULL, NULL));
                assert_true(intra_camera_project(&minus, p, b, NULL, NULL));
                for (int r = 0; r < 2; r++) {
                    double got = jp[r * INTRA_CAMERA_MAX_PARAMS + k], want = is_used ? (a[r] - b[r]) / (2 * h) : 0;
                    check_gradient(test_lenses[l].name, name, got, want, fmax(1, fabs(want)));
                    largest = fmax(largest, fabs(got));
                }
            }
            assert_int_equal(largest > 0, is_used); /* the check saw something other than zero */
        }
    }
}

/* Worked by hand from the papers' formulas with x = 0.3, y = -0.2 (r2 = 0.13) and exact fractions:
 * Brown with k1 = 0.1, k2 = 0.2, p1 = 0.01, p2 = 0.02, k3 = 0.3, k4 = 0.4, k5 = 0.5, k6 = 0.6, s = 0.001 0.002 0.003
 * 0.004: num = 1 + 0.013 + 0.00338 + 0.0006591 = 1.0170391,  den = 1 + 0.052 + 0.00845 + 0.0013182 = 1.0617682 x' = 0.3
 * num/den + 2*0.01*(-0.06) + 0.02*(0.13 + 0.18) + 0.001*0.13 + 0.002*0.0169 = 0.3 num/den + 0.0051638 y' = -0.2 num/den
 * + 0.01*(0.13 + 0.08) + 2*0.02*(-0.06) + 0.003*0.13 + 0.004*0.0169 = -0.2 num/den + 0.0001576 */
static void brown_by_hand(void **state)
{
    (void)state;
    struct intra_camera cam = {.model = INTRA_CAMERA_BROWN,
                               .width = 640,
                               .height = 480,
                               .fx = 500,
                               .fy = 400,
                               .cx = 320,
                               .cy = 240,
                               .k = {0.1, 0.2, 0.01, 0.02, 0.3, 0.4, 0.5, 0.6, 0.001, 0.002, 0.003, 0.004}};
    double px[2], c = 1.0170391 / 1.0617682;
    assert_int_equal(intra_camera_finish(&cam, NULL), INTRA_OK);
    assert_true(intra_camera_project(&cam, intra_vec3(0.6, -0.4, 2), px, NULL, NULL));
    assert_true(fabs(px[0] - (320 + 500 * (0.3 * c + 0.0051638))) < 1e-9);
    assert_true(fabs(px[1] - (240 + 400 * (-0.2 * c + 0.0001576))) < 1e-9);
}

/* Kannala-Brandt at theta = 90 degrees exactly (z = 0), where a pinhole has no pixel, and at 100 degrees. */
static void kannala_brandt_by_hand(void **state)
{
    (void)state;
    struct intra_camera cam = {.model = INTRA_CAMERA_KB,
                               .width = 1000,
                               .height = 1000,
                               .fx = 250,
                               .fy = 250,
                               .cx = 500,
                               .cy = 500,
                               .k = {0.02, -0.003, 0.0004, -0.00005}};
    double px[2];
    assert_int_equal(intra_camera_finish(&cam, NULL), INTRA_OK);
    for (int deg = 90; deg <= 100; deg += 10) {
        double t = deg * M_PI / 180;
        double d = t + 0.02 * pow(t, 3) - 0.003 * pow(t, 5) + 0.0004 * pow(t, 7) - 0.00005 * pow(t, 9);
        assert_true(intra_camera_project(&cam, intra_vec3(0.6 * sin(t), 0.8 * sin(t), cos(t)), px, NULL, NULL));
        assert_true(hypot(px[0] - (500 + 250 * 0.6 * d), px[1] - (500 + 250 * 0.8 * d)) < 1e-9);
    }
}

static void axis_and_its_neighbourhood(void **state)
{
    (void)state;
    for (int l = 0; l < TEST_LENS_COUNT; l++) {
        struct intra_camera cam = ready(&test_lenses[l]);
        double px[2], jac[6];
        assert_true(intra_camera_project(&cam, intra_vec3(0, 0, 2), px, jac, NULL));
        assert_true(px[0] == cam.cx && px[1] == cam.cy);
        assert_true(fabs(jac[0] - cam.fx / 2) < 1e-9 && fabs(jac[4] - cam.fy / 2) < 1e-9);
        /* On both sides of the switch to the series: d(theta) in its plain form, which x = R / Z = 1e-4 still bears. */
        for (int i = 0; i < 2 && cam.model == INTRA_CAMERA_KB; i++) {
            double q = i ? 1.001e-4 : 0.999e-4, t = atan(q), t2 = t * t;
            double d = t * (1 + cam.k[0] * t2), slope = 1 + 3 * cam.k[0] * t2;
            assert_true(intra_camera_project(&cam, intra_vec3(2 * q, 0, 2), px, jac, NULL));
            assert_true(fabs(px[0] - (cam.cx + cam.fx * d)) < 1e-10 && px[1] == cam.cy);
            assert_true(fabs(jac[0] - cam.fx * slope / (2 * (1 + q * q))) < 1e-12 * cam.fx);
            assert_true(fabs(jac[4] - cam.fy * d / (2 * q)) < 1e-12 * cam.fy);
        }
    }
}

static void nothing_behind_and_beyond(void **state)
{
    (void)state;
    double px[2];
    for (int l = 0; l < TEST_LENS_COUNT; l++) {
        struct intra_camera cam = ready(&test_lenses[l]);
        double t = cam.max_theta_rad * 1.001;
        assert_false(intra_camera_project(&cam, intra_vec3(0, 0, -1), px, NULL, NULL));
        assert_false(intra_camera_project(&cam, intra_vec3(0, 0, 0), px, NULL, NULL));
        assert_false(intra_camera_project(&cam, intra_vec3(NAN, 0, 1), px, NULL, NULL));
        assert_false(intra_camera_project(&cam, intra_vec3(sin(t), 0, cos(t)), px, NULL, NULL));
        double far[2] = {1e7, 1e7}, bad[2] = {NAN, 0};
        struct intra_vec3 ray;
        assert_false(intra_camera_unproject(&cam, far, &ray));
        assert_false(intra_camera_unproject(&cam, bad, &ray));
    }
}

static void field_ends_before_the_fold(void **state)
{
    (void)state;
    /* r (1 - 0.35 r^2) stops growing at r^2 = 1 / 1.05 */
    struct intra_camera cam = ready(&test_lenses[2]);
    double fold = atan(sqrt(1 / 1.05));
    assert_true(cam.max_theta_rad < fold && cam.max_theta_rad > fold - 0.01);
    /* past the largest radius that the lens ever reaches there is no ray */
    double reach = sqrt(1 / 1.05) * (1 - 0.35 / 1.05), px[2] = {cam.cx + cam.fx * reach * 1.001, cam.cy};
    struct intra_vec3 ray;
    assert_false(intra_camera_unproject(&cam, px, &ray));
}

static void hfov_spans_the_picture(void **state)
{
    (void)state;
    struct intra_error err = {0};
    for (int deg = 10; deg <= 220; deg += 15) {
        struct intra_camera cam;
        struct intra_vec3 left, right;
        double half = deg * M_PI / 360;
        if (intra_camera_from_hfov(720, 576, deg * M_PI / 180, &cam, &err) != INTRA_OK)
            fail_msg("%d: %s", deg, err.text);
        assert_int_equal(cam.model, deg < 170 ? INTRA_CAMERA_BROWN : INTRA_CAMERA_KB);
        assert_true(cam.is_assumed && cam.focal_sd_rel > 0.05);
        /* a hair inside the picture's edge: at 220 degrees the field ends exactly there */
        double a[2] = {-0.5 + 1e-6, cam.cy}, b[2] = {719.5 - 1e-6, cam.cy};
        assert_true(intra_camera_unproject(&cam, a, &left) && intra_camera_unproject(&cam, b, &right));
        assert_true(fabs(atan2(right.x, right.z) - half) < 1e-6 && fabs(atan2(-left.x, left.z) - half) < 1e-6);
    }
    double wrong[] = {0, -1, 3.9, NAN, INFINITY};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct intra_camera cam;
        assert_int_equal(intra_camera_from_hfov(720, 576, wrong[i], &cam, &err), INTRA_E_ARG);
    }
}

/* As it comes back from a store that keeps max_theta_rad and nothing derived from it. */
static void the_angle_alone_bounds_the_field(void **state)
{
    (void)state;
    for (int l = 0; l < TEST_LENS_COUNT; l++) {
        struct intra_camera cam = ready(&test_lenses[l]), stored = cam;
        stored.max_tan2 = 0;
        for (int i = 0; i < 110; i++) {
            double t = i * M_PI / 180, a[2], b[2];
            struct intra_vec3 p = intra_vec3(sin(t), 0.3 * sin(t), cos(t)), ray;
            bool is_seen = intra_camera_project(&cam, p, a, NULL, NULL);
            assert_int_equal(intra_camera_project(&stored, p, b, NULL, NULL), is_seen);
            if (is_seen) assert_true(a[0] == b[0] && a[1] == b[1] && intra_camera_unproject(&stored, a, &ray));
        }
    }
}

static void rescale_keeps_the_rays(void **state)
{
    (void)state;
    for (int l = 0; l < TEST_LENS_COUNT; l++) {
        struct intra_camera cam = ready(&test_lenses[l]), half = cam;
        double px[2], small[2];
        assert_int_equal(intra_camera_rescale(&half, cam.width / 2, cam.height / 2, NULL), INTRA_OK);
        struct intra_vec3 p = intra_vec3(0.2, -0.3, 1);
        assert_true(intra_camera_project(&cam, p, px, NULL, NULL) && intra_camera_project(&half, p, small, NULL, NULL));
        assert_true(fabs(small[0] - ((px[0] + 0.5) / 2 - 0.5)) < 1e-9 &&
                    fabs(small[1] - ((px[1] + 0.5) / 2 - 0.5)) < 1e-9);
        assert_int_equal(intra_camera_rescale(&cam, cam.width, cam.height + cam.height / 10, NULL), INTRA_E_ARG);
    }
}

static void bad_numbers_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *word;
        int field; /* of parameter(), or -1 width, -2 height */
        double value;
    } cases[] = {{"fx", 0, NAN},  {"fx", 0, 0},     {"fx", 0, -500},   {"fy", 1, 1e9},      {"fy", 1, 1e-3},
                 {"cx", 2, 1e5},  {"cy", 3, NAN},   {"k1", 4, NAN},    {"p1", 6, INFINITY}, {"s4", 15, NAN},
                 {"size", -1, 0}, {"size", -2, -3}, {"size", -1, 1e6}, {"fold", 4, -200}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct intra_camera cam = test_lenses[0].camera;
        struct intra_error err = {0};
        if (cases[i].field == -1)
            cam.width = (int)cases[i].value;
        else if (cases[i].field == -2)
            cam.height = (int)cases[i].value;
        else
            *parameter(&cam, cases[i].field) = cases[i].value;
        assert_int_equal(intra_camera_finish(&cam, &err), INTRA_E_ARG);
        if (!strstr(err.text, cases[i].word)) fail_msg("case %zu: '%s' does not name %s", i, err.text, cases[i].word);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unproject_then_project_over_the_picture),
        cmocka_unit_test(project_then_unproject_over_the_field),
        cmocka_unit_test(point_jacobian_against_central_differences),
        cmocka_unit_test(parameter_jacobian_against_central_differences),
        cmocka_unit_test(brown_by_hand),
        cmocka_unit_test(kannala_brandt_by_hand),
        cmocka_unit_test(axis_and_its_neighbourhood),
        cmocka_unit_test(nothing_behind_and_beyond),
        cmocka_unit_test(field_ends_before_the_fold),
        cmocka_unit_test(hfov_spans_the_picture),
        cmocka_unit_test(the_angle_alone_bounds_the_field),
        cmocka_unit_test(rescale_keeps_the_rays),
        cmocka_unit_test(bad_numbers_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
