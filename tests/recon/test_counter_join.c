/* Proves: the way over a gap by the distance counter is right to within its last digit, for counters that run forward
 * or backward, count in feet, or have a wrong reading among them; and is not given where readings are few or do not fit
 * the motion; so is the place of a camera that is lost, of readings that are hardly sure but agree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "recon/counter_join.h"

#include <cmocka.h>
#include <math.h>
#include <string.h>

#define SPEED_M_S 0.2
#define GAP_M 3.0 /* from the end of the first run to the start of the second */
enum { N_KFS = 9, MAX_READINGS = 64 };

static struct intra_camera camera = {
    .model = INTRA_CAMERA_BROWN, .width = 64, .height = 48, .fx = 40, .fy = 40, .cx = 31.5, .cy = 23.5};
static struct intra_mask_pyramid mask;
static struct intra_run before, after;
static struct intra_counter_reading readings[MAX_READINGS];
static int n;

/* Keyframes four a second on a straight axis. */
static void fill_run(struct intra_run *run, double first_s)
{
    struct intra_run_options options = intra_run_defaults(0.15);
    struct intra_error err;
    assert_int_equal(intra_run_init(run, &options, &camera, &mask, &err), INTRA_OK);
    assert_int_equal(intra_axis_cover(&run->axis, -4, 14, &err), INTRA_OK);
    for (int i = 0; i < N_KFS; i++)
        run->kfs[run->n_kfs++] =
            (struct intra_keyframe){.id = i, .pts_s = first_s + 0.25 * i, .u = SPEED_M_S * 0.25 * i / 0.15};
}

static int make_runs(void **state)
{
    struct intra_error err;
    (void)state;
    assert_int_equal(intra_camera_finish(&camera, &err), INTRA_OK);
    fill_run(&before, 10);
    fill_run(&after, 13);
    n = 0;
    memset(readings, 0, sizeof readings);
    return 0;
}

static int drop_runs(void **state)
{
    (void)state;
    intra_run_fini(&before);
    intra_run_fini(&after);
    return 0;
}

static void put(double time_s, double counter_m, enum intra_counter_unit unit, int decimals)
{
    double one = intra_counter_metres(1, unit), scale = pow(10, decimals);
    readings[n++] = (struct intra_counter_reading){.time_s = time_s,
                                                   .value = floor(counter_m / one * scale) / scale,
                                                   .decimals = decimals,
                                                   .unit = unit,
                                                   .confidence = 0.9};
}

/* Readings each 0.2 s over both runs, and some between. */
static void read_all(double zero_m, int sign, enum intra_counter_unit unit, int decimals)
{
    double length_m = SPEED_M_S * 2;
    for (int i = 0; i <= 10; i++)
        put(10 + 0.2 * i, zero_m + sign * SPEED_M_S * 0.2 * i, unit, decimals);
    put(12.5, zero_m + sign * (length_m + 1.2), unit, decimals);
    for (int i = 0; i <= 10; i++)
        put(13 + 0.2 * i, zero_m + sign * (length_m + GAP_M + SPEED_M_S * 0.2 * i), unit, decimals);
}

static void expect_way(double tolerance_m)
{
    struct intra_error err;
    bool is_known;
    double arc, sd;
    assert_int_equal(intra_counter_join(readings, n, &before, &after, &is_known, &arc, &sd, &err), INTRA_OK);
    assert_true(is_known);
    assert_true(fabs(arc - (SPEED_M_S * 2 + GAP_M)) < tolerance_m);
    assert_true(sd > 0.02 && sd < 0.06);
}

static void expect_none(void)
{
    struct intra_error err;
    bool is_known = true;
    double arc, sd;
    assert_int_equal(intra_counter_join(readings, n, &before, &after, &is_known, &arc, &sd, &err), INTRA_OK);
    assert_false(is_known);
}

static void forward_in_metres(void **state)
{
    (void)state;
    read_all(6.9, 1, INTRA_COUNTER_METRE, 2);
    expect_way(0.011);
}

static void backward(void **state)
{
    (void)state;
    read_all(46.2, -1, INTRA_COUNTER_METRE, 2);
    expect_way(0.011);
}

static void coarse_feet(void **state)
{
    (void)state;
    read_all(20, 1, INTRA_COUNTER_FOOT, 1);
    expect_way(0.031);
}

static void one_wrong_reading(void **state)
{
    (void)state;
    read_all(6.9, 1, INTRA_COUNTER_METRE, 2);
    readings[4].value += 80;
    readings[15].value -= 6;
    expect_way(0.011);
}

static void too_few(void **state)
{
    (void)state;
    put(10.4, 6.9, INTRA_COUNTER_METRE, 2);
    put(13.4, 9.9, INTRA_COUNTER_METRE, 2);
    expect_none();
    n = 0;
    expect_none();
}

static void unsure_or_at_odds_with_the_motion(void **state)
{
    (void)state;
    read_all(6.9, 1, INTRA_COUNTER_METRE, 2);
    for (int i = 0; i < n; i++)
        readings[i].confidence = 0.3;
    expect_none();
    for (int i = 0; i < n; i++) {
        readings[i].confidence = 0.9;
        readings[i].value += 0.37 * i; /* a clock, say */
    }
    expect_none();
}

/* Where the counter has a camera that the first run lost, 1.6 m behind its end; `many` readings in the last 0.7 s, of
 * which the picture is hardly sure. */
static bool place_lost(int sign, int many, double confidence, double *out_off_m, double *out_within_m)
{
    struct intra_error err;
    bool is_known;
    double arc, at = SPEED_M_S * 2 + 1.6;
    read_all(6.9, sign, INTRA_COUNTER_METRE, 2);
    n -= 12; /* those of the first run stay */
    for (int i = 0; i < many; i++)
        put(20 + 0.2 * i, 6.9 + sign * (at + 0.01 * i), INTRA_COUNTER_METRE, 2);
    for (int i = 0; i < n; i++)
        readings[i].confidence = confidence;
    if (many > 1) readings[n - 2].value += 70; /* one is wrong */
    assert_int_equal(intra_counter_place(readings, n, &before, 20.7, &is_known, &arc, out_within_m, &err), INTRA_OK);
    *out_off_m = is_known ? arc - at : NAN;
    return is_known;
}

static void place_of_a_lost_camera(void **state)
{
    double off, within;
    (void)state;
    for (int sign = -1; sign <= 1; sign += 2) {
        n = 0;
        assert_true(place_lost(sign, 4, 0.2, &off, &within));
        if (!(fabs(off) < 0.04 && within > 0.2 && within < 0.3)) fail_msg("%g m off, said within %g m", off, within);
    }
}

static void no_place_without_readings(void **state)
{
    double off, within;
    struct intra_error err;
    bool is_known = true;
    (void)state;
    assert_false(place_lost(1, 3, 0.2, &off, &within)); /* two of them agree */
    n = 0;
    assert_false(place_lost(1, 4, 0.1, &off, &within));
    n = 0;
    place_lost(1, 4, 0.2, &off, &within); /* and a second later they are old */
    assert_int_equal(intra_counter_place(readings, n, &before, 21.7, &is_known, &off, &within, &err), INTRA_OK);
    assert_false(is_known);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, make_runs, drop_runs)

int main(void)
{
    const struct CMUnitTest tests[] = {CASE(forward_in_metres),
                                       CASE(backward),
                                       CASE(coarse_feet),
                                       CASE(one_wrong_reading),
                                       CASE(too_few),
                                       CASE(unsure_or_at_odds_with_the_motion),
                                       CASE(place_of_a_lost_camera),
                                       CASE(no_place_without_readings)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
