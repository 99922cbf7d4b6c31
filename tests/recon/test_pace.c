/* Proves: a step is a leap where it is far longer than usual and the picture does not change with it; not where the
 * picture does, where steps grow from frame to frame, where as long is usual, over frames that were lost, or before a
 * habit is known. Does not prove what steps real cameras make. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "recon/pace.h"

#include <cmocka.h>

static const double radius_m = 0.075, frame_s = 0.04;

static struct intra_pace pace_of(double step_m, int n)
{
    struct intra_pace pace = {0};
    for (int i = 0; i < n; i++)
        intra_pace_add(&pace, step_m, frame_s);
    return pace;
}

static void leaps(void **state)
{
    struct intra_pace slow = pace_of(0.002, 30), fast = pace_of(0.012, 30), new = pace_of(0.002, 5);
    (void)state;
    assert_true(intra_pace_is_leap(&slow, 0.05, frame_s, radius_m, 1.0));
    assert_false(intra_pace_is_leap(&slow, 0.05, frame_s, radius_m, 2.0));     /* the picture goes with it */
    assert_false(intra_pace_is_leap(&slow, 0.012, frame_s, radius_m, 1.0));    /* a jerk */
    assert_false(intra_pace_is_leap(&fast, 0.05, frame_s, radius_m, 1.0));     /* fast all along */
    assert_false(intra_pace_is_leap(&slow, 0.05, 8 * frame_s, radius_m, 1.0)); /* after some lost frames */
    assert_true(intra_pace_is_leap(&slow, 0.13, 3 * frame_s, radius_m, 1.0));  /* but not so far */
    assert_false(intra_pace_is_leap(&new, 0.05, frame_s, radius_m, 1.0));
}

static void a_camera_that_sets_off(void **state)
{
    struct intra_pace pace = pace_of(0, 30);
    (void)state;
    for (int i = 1; i <= 20; i++) { /* from rest to half a metre a second in 0.8 s */
        double step_m = 0.001 * i;
        assert_false(intra_pace_is_leap(&pace, step_m, frame_s, radius_m, 1.0));
        intra_pace_add(&pace, step_m, frame_s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaps),
        cmocka_unit_test(a_camera_that_sets_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
