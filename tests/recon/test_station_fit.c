/* Stations by picture and counter: a stretch whose scale is wrong by many of its deviations goes to the counter's,
 * however the counter's own scale and offset are; a sure one stays; wrong readings, a counter that falls, or one set
 * back in a gap bend nothing; too few readings change nothing. Not: reading counters, moving the wall. */
#include "recon/station_fit.h"

#include "core/mem.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { MAX = 1000 };

/* Two stretches, 0 to 4 m and 10 to 11 m. scale: picture's way = true way * scale; the gap is guessed wrong by
 * gap_off_m. */
struct drive {
    double scale[2], gap_off_m, counter_scale, offset_m, step_m, set_back_m;
    int wrong_each, sign;
};
static struct intra_station_reading readings[MAX];

static int64_t make(const struct drive *d)
{
    int64_t n = 0;
    for (int k = 0; k < 2; k++)
        for (int i = 0; i <= (k ? 23 : 92); i++) { /* a step that the counter's digits do not beat with */
            double way = (k ? 1 : 4) * i / (k ? 23.0 : 92.0) + 0.003 * (i % 5 - 2) * (i % 23 > 2 && i % 23 < 21),
                   s = k ? 10 + way : way;
            double c = d->offset_m + d->counter_scale * s - (k ? d->set_back_m : 0);
            c = floor(c / d->step_m) * d->step_m;
            if (d->wrong_each && n % d->wrong_each == 2) c += 0.5;
            double at = way * d->scale[k] + (k ? 4 * d->scale[0] + 6 + d->gap_off_m : 0);
            readings[n++] = (struct intra_station_reading){k, at, d->sign * c, 0};
        }
    return n;
}

static enum intra_status run(struct intra_station_reading *list, int64_t n, int sign, double step,
                             const struct intra_station_stretch *stretches, int n_stretches, double lens_sd,
                             struct intra_station_map *map, struct intra_error *err)
{
    const struct intra_station_evidence evidence = {.readings = list,
                                                    .n_readings = n,
                                                    .stretches = stretches,
                                                    .n_stretches = n_stretches,
                                                    .sign = sign,
                                                    .step_m = step,
                                                    .lens_sd_rel = lens_sd};
    return intra_station_fit(&evidence, map, err);
}

static struct intra_station_map fit(const struct drive *d, double sd0, double sd1)
{
    const struct intra_station_stretch stretches[] = {{0, sd0, 0}, {1, sd1, 0}};
    struct intra_station_map map;
    int64_t n = make(d);
    assert_int_equal(run(readings, n, d->sign, d->step_m, stretches, 2, 0, &map, NULL), INTRA_OK);
    return map;
}

static double now(const struct intra_station_map *map, int segment, double station)
{
    return station + intra_station_off(map, segment, station, NULL);
}

static void check(const struct drive *d, double most_first_m, double most_gap_m, double most_second_rel)
{
    struct intra_station_map map = fit(d, 0.002, 0.006);
    assert_true(map.n > 0);
    double begin = 4 * d->scale[0] + 6 + d->gap_off_m, end = begin + d->scale[1];
    double first = now(&map, 0, 4 * d->scale[0]), second = now(&map, 1, begin), third = now(&map, 1, end);
    if (fabs(first - 4) > most_first_m) fail_msg("first stretch ends at %g", first);
    if (fabs(second - first - 6) > most_gap_m) fail_msg("second begins at %g, first ends at %g", second, first);
    if (fabs(third - second - 1) > most_second_rel)
        fail_msg("second stretch is %g m long (step %g, wrong each %d)", third - second, d->step_m, d->wrong_each);
    for (double s = begin - 0.2; s < end + 0.3; s += 0.07)
        assert_true(fabs(intra_station_before(&map, 1, now(&map, 1, s)) - s) < 1e-6);
    intra_station_map_fini(&map);
}

static const struct drive usual = {.scale = {1, 1}, .counter_scale = 1, .offset_m = 2.7, .step_m = 0.01, .sign = 1};

static void a_bad_stretch_goes_to_the_counter(void **state)
{
    struct drive d = usual;
    (void)state;
    check(&d, 0.003, 0.012, 0.006);
    d.scale[1] = 0.94;
    d.gap_off_m = -0.4;
    check(&d, 0.006, 0.015, 0.015);
    d.sign = -1;
    check(&d, 0.006, 0.015, 0.015);
    d.sign = 1;
    d.wrong_each = 9;
    check(&d, 0.006, 0.02, 0.02);
    d.wrong_each = 0;
    d.step_m = 0.1;
    check(&d, 0.015, 0.06, 0.058); /* ten digits in the metre: it can say little, and spoils nothing */
}

/* A counter that is 1 % long moves a stretch that is sure to 0.2 % by less than 0.15 %. */
static void a_sure_stretch_stays(void **state)
{
    struct drive d = usual;
    (void)state;
    d.counter_scale = 1.01;
    struct intra_station_map map = fit(&d, 0.002, 0.002);
    double off = intra_station_off(&map, 0, 4, NULL);
    if (fabs(off) > 0.006) fail_msg("moved by %g m, counter %g", off, map.counter_rel);
    intra_station_map_fini(&map);
    d.counter_scale = 1.025; /* an uncalibrated one: by no more than that */
    map = fit(&d, 0.002, 0.002);
    off = intra_station_off(&map, 0, 4, NULL);
    if (fabs(off) > 0.006) fail_msg("moved by %g m, counter %g", off, map.counter_rel);
    intra_station_map_fini(&map);
}

static void a_counter_set_back_bends_nothing(void **state)
{
    struct drive d = usual;
    (void)state;
    d.set_back_m = 12;
    struct intra_station_map map = fit(&d, 0.002, 0.002);
    double sd;
    assert_true(fabs(intra_station_off(&map, 0, 4, NULL)) < 0.01);
    assert_true(fabs(now(&map, 1, 11) - now(&map, 1, 10) - 1) < 0.02);
    intra_station_off(&map, 0, 4, &sd);
    assert_true(sd > 0 && sd < 0.02);
    intra_station_map_fini(&map);
}

/* Frames between readings that were not read say nothing, and do not make two readings of one digit. */
static void frames_without_reading_change_nothing(void **state)
{
    static struct intra_station_reading mixed[2 * MAX];
    const struct intra_station_stretch stretches[] = {{0, 0.01, 0}, {1, 0.02, 0}};
    struct drive d = usual;
    struct intra_station_map map;
    (void)state;
    d.scale[1] = 0.97;
    d.step_m = 0.1;
    struct intra_station_map plain = fit(&d, 0.01, 0.02);
    int64_t n = make(&d), m = 0;
    for (int64_t i = 0; i < n; i++) {
        mixed[m++] = readings[i];
        if (i + 1 < n && readings[i + 1].segment == readings[i].segment)
            mixed[m++] = (struct intra_station_reading){
                readings[i].segment, (readings[i].station_m + readings[i + 1].station_m) / 2, NAN, 0};
    }
    assert_int_equal(run(mixed, m, 1, d.step_m, stretches, 2, 0, &map, NULL), INTRA_OK);
    assert_int_equal(map.n, plain.n);
    assert_true(plain.most_m > 0.002);
    for (int64_t i = 0; i < map.n; i++)
        assert_true(fabs(map.knots[i].off_m - plain.knots[i].off_m) < 1e-9);
    intra_station_map_fini(&map);
    intra_station_map_fini(&plain);
}

/* A picture whose scale wanders by 2 % over half a metre and back, and says so, follows the counter there; one that
 * says it does not wander keeps most of that, and one that wanders nowhere is not bent after the counter's digits. */
static void a_wander_goes_to_the_counter(void **state)
{
    enum { STEPS = 200 };
    double worst[3] = {0};
    (void)state;
    for (int mode = 0; mode < 3; mode++) {
        const struct intra_station_stretch stretch = {0, 0.003, mode == 1 ? 0 : 0.25};
        struct intra_station_map map;
        for (int i = 0; i < STEPS; i++) {
            double s = 2.5 * i / STEPS,
                   far = 0.010 * fmin(fmax(s - 0.8, 0) / 0.5, 1) - 0.010 * fmin(fmax(s - 1.6, 0) / 0.5, 1);
            if (mode == 2) far = 0;
            readings[i] = (struct intra_station_reading){0, s + far, floor((s + 0.503) / 0.01) * 0.01,
                                                         mode == 0   ? 0.008
                                                         : mode == 1 ? 0
                                                                     : 0.001};
        }
        assert_int_equal(run(readings, STEPS, 1, 0.01, &stretch, 1, 0, &map, NULL), INTRA_OK);
        for (int i = 0; i < STEPS; i++) {
            double s = 2.5 * i / STEPS;
            worst[mode] = fmax(worst[mode], fabs(now(&map, 0, readings[i].station_m) - s));
        }
        intra_station_map_fini(&map);
    }
    if (!(worst[0] < 0.003 && worst[1] > 0.0036 && worst[2] < 0.001))
        fail_msg("off by %.1f mm, without wander %.1f, plain %.1f", 1e3 * worst[0], 1e3 * worst[1], 1e3 * worst[2]);
}

/* In smooth pipe a window is off by several times what it says of itself: 4 % over a quarter of a metre where 0.6 % are
 * stated. The counter puts it right. */
static void a_window_far_off_goes_to_the_counter(void **state)
{
    enum { STEPS = 200 };
    const struct intra_station_stretch stretch = {0, 0.003, 0.25};
    struct intra_station_map map;
    double worst = 0;
    (void)state;
    for (int i = 0; i < STEPS; i++) {
        double s = 2.0 * i / STEPS, far = 0.010 * fmin(fmax(s - 1.0, 0) / 0.25, 1);
        readings[i] = (struct intra_station_reading){0, s - far, floor((s + 0.503) / 0.01) * 0.01, 0.006};
    }
    assert_int_equal(run(readings, STEPS, 1, 0.01, &stretch, 1, 0, &map, NULL), INTRA_OK);
    for (int i = 0; i < STEPS; i++)
        worst = fmax(worst, fabs(now(&map, 0, readings[i].station_m) - 2.0 * i / STEPS));
    intra_station_map_fini(&map);
    if (!(worst < 0.0045)) fail_msg("off by %.1f mm of 10", 1e3 * worst);
}

/* A lens fitted to the counter makes all stretches 1.5 % long, far beyond what each says of itself; a counter of 0.1 m
 * that starts 0.15 m late puts it right, and says how well. A known lens keeps its own metre. */
static void a_fitted_lens_goes_by_the_counter(void **state)
{
    enum { STEPS = 300 };
    const struct intra_station_stretch stretch = {0, 0.002, 0};
    double off[2], sd[2];
    (void)state;
    for (int i = 0; i < STEPS; i++) {
        double way = 3.0 * i / (STEPS - 1);
        readings[i] = (struct intra_station_reading){0, 5 + 1.015 * way, round(fmax(way - 0.15, 0) / 0.1) * 0.1, 0};
    }
    for (int mode = 0; mode < 2; mode++) {
        struct intra_station_map map;
        assert_int_equal(run(readings, STEPS, 1, 0.1, &stretch, 1, mode ? 0.01 : 0, &map, NULL), INTRA_OK);
        off[mode] = intra_station_off(&map, 0, 5 + 3.045, &sd[mode]);
        intra_station_map_fini(&map);
    }
    if (!(fabs(off[0]) < 0.008 && fabs(off[1] + 0.045) < 0.009 && sd[1] > 0.002 && sd[1] < 0.012))
        fail_msg("known lens: off by %g m; fitted: %g (sd %g)", off[0], off[1], sd[1]);
}

static void too_few_readings_change_nothing(void **state)
{
    struct drive d = usual;
    struct intra_station_map map;
    const struct intra_station_stretch stretch = {0, 0.01, 0};
    double sd = 0;
    (void)state;
    make(&d);
    assert_int_equal(run(readings, 5, 1, 0.01, &stretch, 1, 0, &map, NULL), INTRA_OK);
    assert_int_equal(map.n, 0);
    assert_true(intra_station_off(&map, 0, 3, &sd) == 0 && isnan(sd));
    assert_int_equal(run(readings, 0, 1, 0.01, &stretch, 1, 0, &map, NULL), INTRA_OK);
    assert_int_equal(map.n, 0);
}

/* Nine joints 1 m apart, each length off by unevenness[i]; a picture without a counter, whose scale is 3 % off from
 * 3.3 to 4.3 m and says that it may be off by 1.2 %. Returns how far the way over that metre is off. */
static double off_by_joints(const double *unevenness, double *out_length, double *out_end_off)
{
    enum { STEPS = 400, RINGS = 9 };
    const struct intra_station_stretch stretch = {0, 0.004, 0.5};
    struct intra_station_ring rings[RINGS];
    struct intra_station_map map;
    double at = 0.6, true_at[RINGS];
    for (int i = 0; i < STEPS; i++) {
        double s = 9.0 * i / STEPS;
        readings[i] = (struct intra_station_reading){0, s - 0.03 * fmin(fmax(s - 3.3, 0), 1), NAN, 0.012};
    }
    for (int i = 0; i < RINGS; at += 1 + unevenness[i++]) {
        true_at[i] = at;
        rings[i] = (struct intra_station_ring){0, at - 0.03 * fmin(fmax(at - 3.3, 0), 1), 0.001};
    }
    const struct intra_station_evidence evidence = {.readings = readings,
                                                    .n_readings = STEPS,
                                                    .stretches = &stretch,
                                                    .n_stretches = 1,
                                                    .rings = rings,
                                                    .n_rings = RINGS,
                                                    .sign = 1};
    assert_int_equal(intra_station_fit(&evidence, &map, NULL), INTRA_OK);
    double worst = 0;
    for (int i = 1; i < RINGS; i++) {
        double way = now(&map, 0, rings[i].station_m) - now(&map, 0, rings[i - 1].station_m);
        worst = fmax(worst, fabs(way - (true_at[i] - true_at[i - 1])));
    }
    *out_length = map.joints.length_m;
    *out_end_off = map.n ? now(&map, 0, rings[RINGS - 1].station_m) - rings[RINGS - 1].station_m : 0;
    intra_station_map_fini(&map);
    return worst;
}

/* The metre in which the picture is 30 mm short goes by the lengths of pipe; uneven ones leave it as it was. */
static void even_joints_tell_a_bad_metre(void **state)
{
    const double even[9] = {0}, some[9] = {0.003, -0.004, 0.002, 0.005, -0.003, 0, 0.004, -0.005, 0.001},
                 uneven[9] = {0.1, -0.2, 0.16, 0.3, -0.35, 0.12, -0.1, 0.2, 0};
    double length, end;
    (void)state;
    double off = off_by_joints(even, &length, &end);
    if (!(off < 0.010 && fabs(length - 1) < 0.006)) fail_msg("even: %.1f mm off, length %g", 1e3 * off, length);
    off = off_by_joints(some, &length, &end);
    if (!(off < 0.012)) fail_msg("a few millimetres uneven: %.1f mm off", 1e3 * off);
    off = off_by_joints(uneven, &length, &end);
    if (!(isnan(length) && end == 0)) fail_msg("uneven: length %g, the end moved by %g m", length, end);
}

/* One piece of another length among even ones is no multiple and says nothing; nor is it drawn to one. */
static void a_short_piece_stays(void **state)
{
    const double piece[9] = {0, 0, 0, 0, 0, -0.37, 0, 0, 0};
    double length, end, off = off_by_joints(piece, &length, &end);
    (void)state;
    if (!(off < 0.010 && fabs(length - 1) < 0.006)) fail_msg("%.1f mm off, length %g", 1e3 * off, length);
}

static void memory_that_runs_out_is_said(void **state)
{
    struct drive d = usual;
    const struct intra_station_stretch stretches[] = {{0, 0.002, 0}, {1, 0.002, 0}};
    struct intra_station_map map;
    struct intra_error err = {0};
    (void)state;
    for (int k = 1; k <= 4; k++) {
        int64_t n = make(&d);
        intra_mem_fail_at(k, 0);
        assert_int_equal(run(readings, n, 1, 0.01, stretches, 2, 0, &map, &err), INTRA_E_MEM);
        intra_mem_fail_at(0, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bad_stretch_goes_to_the_counter),
        cmocka_unit_test(a_sure_stretch_stays),
        cmocka_unit_test(a_counter_set_back_bends_nothing),
        cmocka_unit_test(too_few_readings_change_nothing),
        cmocka_unit_test(a_wander_goes_to_the_counter),
        cmocka_unit_test(frames_without_reading_change_nothing),
        cmocka_unit_test(a_fitted_lens_goes_by_the_counter),
        cmocka_unit_test(memory_that_runs_out_is_said),
        cmocka_unit_test(a_window_far_off_goes_to_the_counter),
        cmocka_unit_test(even_joints_tell_a_bad_metre),
        cmocka_unit_test(a_short_piece_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
