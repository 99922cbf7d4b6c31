/* Proves: where the axis bends ahead and the dark lies straight on or to the other side, twice in a row, the axis is
 * laid straight from where its wall is well measured, and what was followed on the folded wall is forgotten and hands
 * out no radius; where the dark lies aside with the axis, or at right angles to it, or is not seen, the axis is left;
 * leaning wall begins a bend only if the dark lies aside or is not seen. Does not prove that bends are followed;
 * bends.py measures that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* The statics of the file under test are what is tested. */
#include "recon/run.c"

#include <cmocka.h>

enum { NEAR_POINTS = 4, FAR_POINTS = 4, LEANING = 24 };
static const double radius_m = 0.15;

static struct intra_camera camera = {
    .model = INTRA_CAMERA_BROWN, .width = 64, .height = 48, .fx = 40, .fy = 40, .cx = 31.5, .cy = 23.5};

enum dark { UNSEEN, STRAIGHT, ASIDE, OPPOSITE, BELOW, N_DARK };

/* In the camera's frame: straight ahead, or 0.2 rad to the left, which is +Y, to the right, or down. */
static const struct intra_vec3 darks[N_DARK] = {{0, 0, 1}, {0, 0, 1}, {-0.2, 0, 1}, {0.2, 0, 1}, {0, 0.2, 1}};

/* A camera at u = 0 that looks along the pipe. */
static void start(struct intra_run *run, enum dark dark)
{
    static struct intra_mask_pyramid mask;
    struct intra_run_options options = intra_run_defaults(radius_m);
    const struct intra_pose pose = {.r = {{{0, -1, 0}, {0, 0, -1}, {1, 0, 0}}}};
    options.may_bend = true;
    assert_int_equal(intra_camera_finish(&camera, NULL), INTRA_OK);
    assert_int_equal(intra_run_init(run, &options, &camera, &mask, NULL), INTRA_OK);
    run->has_dark = dark != UNSEEN;
    run->dark = intra_unit(darks[dark]);
    assert_int_equal(push_kf(run, &pose, 0, 0, NULL), INTRA_OK);
}

/* From knot `from` on the axis turns to the left by as much a knot. */
static void bend(struct intra_run *run, int from, double turn_rad)
{
    for (int i = 1; i < run->axis.count; i++) {
        double angle = turn_rad * fmax(0, run->axis.first + i - from);
        if (run->axis.first + i <= from) continue;
        struct intra_vec3 along = intra_vec3(cos(angle), sin(angle), 0);
        run->axis.knots[i].p = intra_mad(run->axis.knots[i - 1].p, run->axis.h, along);
    }
}

static double most_aside(const struct intra_run *run)
{
    double most = 0;
    for (int i = 0; i < run->axis.count; i++)
        most = fmax(most, fabs(run->axis.knots[i].p.y));
    return most;
}

static void folded_axis(void **state)
{
    (void)state;
    for (enum dark dark = UNSEEN; dark < N_DARK; dark++) {
        struct intra_run run;
        start(&run, dark);
        bend(&run, 3, 0.1);
        run.bend_left = 9;
        for (int i = 0; i < NEAR_POINTS + FAR_POINTS; i++)
            run.points[run.n_points++] = (struct intra_point){.u = i < NEAR_POINTS ? 1.5 : 4.5,
                                                              .is_alive = true,
                                                              .n_obs = 4,
                                                              .r_expect = radius_m,
                                                              .r_data = radius_m,
                                                              .r_data_sd = 0.001};
        look_for_bend(&run, 0);
        assert_true(most_aside(&run) > radius_m); /* once is no proof */
        look_for_bend(&run, 0);
        bool is_straight = dark == STRAIGHT || dark == OPPOSITE;
        assert_int_equal(most_aside(&run) < 1e-9, is_straight);
        assert_int_equal(run.bend_left == 0, is_straight);
        for (int i = 0; i < run.n_points; i++)
            assert_int_equal(run.points[i].is_alive, i < NEAR_POINTS || !is_straight);
        assert_int_equal(sweep_points(&run, NULL), INTRA_OK);
        assert_int_equal(run.n_points, is_straight ? NEAR_POINTS : NEAR_POINTS + FAR_POINTS);
        assert_int_equal(run.n_samples, 0);
        intra_run_fini(&run);
    }
}

static void leaning_wall(void **state)
{
    (void)state;
    for (enum dark dark = UNSEEN; dark < N_DARK; dark++) {
        struct intra_run run;
        start(&run, dark);
        for (int i = 0; i < LEANING; i++) {
            double theta = 2 * M_PI * i / LEANING, r = radius_m * (1 + 0.05 * sin(theta));
            struct intra_point *p = &run.points[run.n_points++];
            *p =
                (struct intra_point){.u = 2.5, .is_alive = true, .r_expect = radius_m, .r_data = r, .r_data_sd = 0.001};
            p->x = intra_vec3(2.5 * radius_m, -r * sin(theta), r * cos(theta));
        }
        assert_true(lean_ahead(&run, 0) > 2 * BEND_LEAN);
        look_for_bend(&run, 0);
        assert_int_equal(run.bend_left, dark == STRAIGHT ? 0 : BEND_KEYFRAMES);
        intra_run_fini(&run);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(folded_axis), cmocka_unit_test(leaning_wall)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
