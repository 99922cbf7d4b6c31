/* Proves: a pose that looks beside the dark is turned back to it, as far as its deviation allows, in straight pipe; not
 * while the camera pans or a bend is followed, nor where no dark is seen. Does not prove that the dark is where the
 * pipe goes on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* The statics of the file under test are what is tested. */
#include "recon/pose_fit.c"

#include <cmocka.h>

static const double radius_m = 0.15, yaw_rad = 0.05, pitch_rad = -0.03;

static double angle_to_dark(const struct intra_run *run, const struct intra_pose *pose, struct intra_vec3 ahead)
{
    struct intra_vec3 x = intra_unit(intra_pose_apply(pose, ahead));
    return intra_norm(intra_cross(x, run->dark));
}

static void turns_to_the_dark(void **state)
{
    struct intra_keyframe kf = {.u = 0};
    struct intra_run run = {.kfs = &kf, .n_kfs = 1, .options = {.radius_m = radius_m}, .dark = {0, 0, 1}};
    struct intra_mat3 ahead = {{{0, -1, 0}, {0, 0, -1}, {1, 0, 0}}},
                      turn = intra_rotation_exp(intra_vec3(pitch_rad, yaw_rad, 0));
    struct intra_pose guess = {.r = intra_mat3_mul(&turn, &ahead)};
    (void)state;
    assert_int_equal(intra_axis_init(&run.axis, radius_m, intra_vec3(0, 0, 0), intra_vec3(1, 0, 0), NULL), INTRA_OK);
    assert_int_equal(intra_axis_cover(&run.axis, -11, 11, NULL), INTRA_OK);
    struct pose_prior prior = prior_around(&run, &guess, 10 * INTRA_DARK_SD_RAD, 0.001 * radius_m);
    assert_true(intra_norm(intra_sub(prior.ahead, intra_vec3(7 * radius_m, 0, 0))) < 1e-9);
    for (int kind = 0; kind < 4; kind++) { /* straight pipe, no dark, a pan, a bend */
        struct intra_pose pose = guess;
        double x[7];
        run.has_dark = kind != 1, run.is_held = kind == 2, run.bend_left = kind == 3 ? 5 : 0;
        for (int round = 0; round < 3; round++) {
            struct normal system = {{0}, {0}};
            for (int i = 0; i < 6; i++)
                system.h[8 * i] = prior.info[i];
            add_dark(&run, &pose, prior.ahead, &system);
            assert_true(solve(&system, 6, x));
            pose = intra_pose_left_update(&pose, intra_vec3(x[0], x[1], x[2]), intra_vec3(x[3], x[4], x[5]));
        }
        double before = angle_to_dark(&run, &guess, prior.ahead), after = angle_to_dark(&run, &pose, prior.ahead);
        assert_true(fabs(before - hypot(yaw_rad, pitch_rad)) < 1e-4);
        assert_true(kind == 0 ? after < 0.02 * before : after == before);
    }
    intra_axis_fini(&run.axis);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(turns_to_the_dark)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
