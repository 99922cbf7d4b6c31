/* Proves: the simulator's lenses project as the published formulas say (a table computed in 80-bit arithmetic by
 * lens_table.py), and its rays are the inverse of that over the whole picture. Does not prove: that real lenses follow
 * these formulas. */
#include "tests/sim/lens_table.h"
#include "tools/sim/sim_lens.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { N_ROWS = sizeof rows / sizeof rows[0] };

static struct intra_sim_lens lens_of(const struct row *r)
{
    struct sim_lens spec = {.fx = r->fx, .fy = r->fy, .cx = r->cx, .cy = r->cy, .k1 = r->k[0], .k2 = r->k[1]};
    struct intra_sim_lens lens;
    strcpy(spec.model, r->model);
    if (strcmp(r->model, "kb") == 0) {
        spec.k3 = r->k[2];
        spec.k4 = r->k[3];
    } else {
        spec.p1 = r->k[2];
        spec.p2 = r->k[3];
        spec.k3 = r->k[4];
    }
    assert_int_equal(intra_sim_lens_make(&spec, r->width, r->height, &lens, NULL), INTRA_OK);
    return lens;
}

static void projects_as_the_table(void **state)
{
    (void)state;
    assert_true(N_ROWS > 20);
    for (int i = 0; i < N_ROWS; i++) {
        struct intra_sim_lens lens = lens_of(&rows[i]);
        double px[2];
        assert_true(intra_sim_lens_project(&lens, 1, intra_vec3(rows[i].x, rows[i].y, rows[i].z), px));
        if (hypot(px[0] - rows[i].u, px[1] - rows[i].v) > 1e-9)
            fail_msg("row %d: (%.12f, %.12f), table (%.12f, %.12f)", i, px[0], px[1], rows[i].u, rows[i].v);
    }
}

static void rays_invert_the_table(void **state)
{
    (void)state;
    for (int i = 0; i < N_ROWS; i++) {
        struct intra_sim_lens lens = lens_of(&rows[i]);
        struct intra_vec3 want = intra_unit(intra_vec3(rows[i].x, rows[i].y, rows[i].z)), ray;
        assert_true(intra_sim_lens_ray(&lens, 1, rows[i].u, rows[i].v, &ray));
        if (intra_norm(intra_sub(ray, want)) > 1e-11)
            fail_msg("row %d: ray off by %g", i, intra_norm(intra_sub(ray, want)));
    }
}

static void rays_and_pixels_agree_over_the_picture(void **state)
{
    (void)state;
    for (int i = 0; i < N_ROWS; i++) {
        struct intra_sim_lens lens;
        int seen = 0;
        if (i > 0 && rows[i].fx == rows[i - 1].fx) continue;
        lens = lens_of(&rows[i]);
        for (int y = 0; y < lens.height; y += 7)
            for (int x = 0; x < lens.width; x += 7) {
                struct intra_vec3 ray;
                double px[2];
                if (!intra_sim_lens_ray(&lens, 1.7, x, y, &ray)) continue;
                seen++;
                assert_true(intra_sim_lens_project(&lens, 1.7, ray, px));
                assert_true(hypot(px[0] - x, px[1] - y) < 1e-7);
            }
        assert_true(seen > lens.width * lens.height / 49 * 3 / 4);
    }
}

static void field_of_view_is_as_asked(void **state)
{
    struct sim_lens spec = {.model = "kb", .hfov_deg = 190, .cx = -1, .cy = -1, .k1 = -0.01};
    struct intra_sim_lens lens;
    struct intra_vec3 left, right;
    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(intra_sim_lens_make(&spec, 800, 600, &lens, NULL), INTRA_OK);
        assert_true(intra_sim_lens_ray(&lens, 1, -0.5, 299.5, &left) &&
                    intra_sim_lens_ray(&lens, 1, 799.5, 299.5, &right));
        assert_true(fabs(atan2(right.x, right.z) - spec.hfov_deg * M_PI / 360) < 1e-9);
        assert_true(fabs(atan2(-left.x, left.z) - spec.hfov_deg * M_PI / 360) < 1e-9);
        spec = (struct sim_lens){.model = "brown", .hfov_deg = 80, .cx = -1, .cy = -1, .k1 = -0.2, .k2 = 0.03};
    }
}

static void a_lens_that_folds_over_is_refused(void **state)
{
    struct sim_lens spec = {.model = "brown", .hfov_deg = 100, .cx = -1, .cy = -1, .k1 = -0.9};
    struct intra_sim_lens lens;
    struct intra_error err = {0};
    (void)state;
    assert_int_equal(intra_sim_lens_make(&spec, 640, 480, &lens, &err), INTRA_E_FORMAT);
    assert_non_null(strstr(err.text, "folds over"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(projects_as_the_table), cmocka_unit_test(rays_invert_the_table),
                                       cmocka_unit_test(rays_and_pixels_agree_over_the_picture),
                                       cmocka_unit_test(field_of_view_is_as_asked),
                                       cmocka_unit_test(a_lens_that_folds_over_is_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
