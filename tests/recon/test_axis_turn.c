/* Proves: a straight axis stays where it is however it is turned; a bend turns with its sections and keeps its length
 * and angle, and what lies behind goes along; what belongs to a place keeps its distance from the axis and along it,
 * and its clock angle grows by the turn; frames stay upright. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "recon/axis_turn.h"
#include "recon/tube.h"

#include <cmocka.h>
#include <math.h>

enum { N = 60 };
#define STEP_M 0.05
#define RADIUS_M 1.5

/* Along X, from the 20th to the 40th step bent to the right, then straight. */
static void make(struct intra_axis_place *out, bool is_bent)
{
    double x = 0, y = 0, heading = 0;
    for (int i = 0; i < N; i++) {
        out[i].centre = intra_vec3(x, y, 0);
        out[i].frame = intra_axis_frame_along(intra_vec3(cos(heading), sin(heading), 0));
        double turn = is_bent && i >= 20 && i < 40 ? -STEP_M / RADIUS_M : 0; /* Z is up: right is -Y */
        x += STEP_M * cos(heading + 0.5 * turn);
        y += STEP_M * sin(heading + 0.5 * turn);
        heading += turn;
    }
}

static void turn_all(const struct intra_axis_place *was, const double *turn, struct intra_axis_turned *out)
{
    for (int i = 0; i < N; i++)
        out[i] = intra_axis_turn_on(i ? &out[i - 1] : NULL, &was[i], turn[i]);
}

static void straight_stays(void **state)
{
    (void)state;
    struct intra_axis_place was[N];
    struct intra_axis_turned is[N];
    double turn[N];
    make(was, false);
    for (int i = 0; i < N; i++)
        turn[i] = 0.3 * sin(0.2 * i);
    turn_all(was, turn, is);
    for (int i = 0; i < N; i++) {
        assert_true(intra_norm(intra_sub(is[i].is.centre, was[i].centre)) < 1e-12);
        for (int k = 0; k < 9; k++)
            assert_true(fabs(is[i].is.frame.m[k / 3][k % 3] - was[i].frame.m[k / 3][k % 3]) < 1e-12);
    }
}

static void bend_turns_along(void **state)
{
    (void)state;
    struct intra_axis_place was[N];
    struct intra_axis_turned is[N];
    double turn[N];
    make(was, true);
    for (int i = 0; i < N; i++)
        turn[i] = -M_PI / 2; /* what was at 3 o'clock is the crown: the bend climbs */
    turn_all(was, turn, is);
    for (int i = 0; i < N; i++) {
        struct intra_vec3 p = is[i].is.centre;
        assert_true(fabs(p.x - was[i].centre.x) < 1e-9 && fabs(p.y) < 1e-9 && fabs(p.z + was[i].centre.y) < 1e-9);
        assert_true(fabs(is[i].is.frame.m[1][2]) < 1e-9); /* the crown has nothing sideways */
    }
    /* Turned at the bend only: the straight behind it is bent by as much, whatever its own turn. */
    for (int i = 0; i < N; i++)
        turn[i] = i < 45 ? 0.2 : -0.4;
    turn_all(was, turn, is);
    const struct intra_mat3 *a = &is[0].is.frame, *b = &is[N - 1].is.frame;
    double cosine = a->m[0][0] * b->m[0][0] + a->m[1][0] * b->m[1][0] + a->m[2][0] * b->m[2][0];
    /* Down is told at each section, so the bend goes on towards the same clock: no plane arc, but nearly. */
    assert_true(fabs(acos(cosine) - 20 * STEP_M / RADIUS_M) < 0.01);
    assert_true(fabs(b->m[2][0] + sin(20 * STEP_M / RADIUS_M * sin(0.2))) < 0.001); /* right turned clockwise: down */
}

static void poses_go_along(void **state)
{
    (void)state;
    struct intra_axis_place was[N];
    struct intra_axis_turned is[N];
    double turn[N];
    make(was, true);
    for (int i = 0; i < N; i++)
        turn[i] = 0.5 - 0.01 * i;
    turn_all(was, turn, is);
    for (int i = 0; i < N; i += 7) {
        struct intra_vec3 arm = intra_vec3(0.02, 0.1 * sin(1.1), 0.1 * cos(1.1)); /* along, right, up: clock 1.1 */
        struct intra_pose pose = {.r = intra_rotation_exp(intra_vec3(0.1, -0.2, 0.3)),
                                  .t = intra_add(was[i].centre, intra_mat3_mul_vec(&was[i].frame, arm))};
        struct intra_pose moved = intra_axis_turned_pose(&is[i], &pose);
        struct intra_vec3 now = intra_mat3_tmul_vec(&is[i].is.frame, intra_sub(moved.t, is[i].is.centre));
        assert_true(fabs(now.x - 0.02) < 1e-12 && fabs(hypot(now.y, now.z) - 0.1) < 1e-12);
        assert_true(fabs(intra_wrap_pi(atan2(now.y, now.z) - 1.1 - turn[i])) < 1e-9);
        struct intra_mat3 tidy = intra_rotation_tidy(&moved.r); /* still a rotation */
        for (int k = 0; k < 9; k++)
            assert_true(fabs(tidy.m[k / 3][k % 3] - moved.r.m[k / 3][k % 3]) < 1e-9);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(straight_stays),
        cmocka_unit_test(bend_turns_along),
        cmocka_unit_test(poses_go_along),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
