/* The scale of stations against a counter: true within its deviation under rounding, slack, a late start, wrong
 * readings and reverse driving; not known where there is too little to tell, roughly known where there is a little; a
 * jump of the counter against the picture is found where it is, and wrong readings, coarse digits or a wrong scale are
 * none. Not: reading counters, or the motion itself. */
#include "recon/lens_fit.h"
#include "recon/scale_fit.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { MAX = 2000, SEEDS = 8 };
struct drive {
    double scale, offset_m, step_m, slack_m, late_m, way_m, back_m, jitter_m;
    int wrong_each; /* every so many readings is wrong; 0: none */
    bool is_falling;
};

static double random_unit(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (double)(*state >> 11) / 9007199254740992.0;
}

static struct intra_scale_fit fit(const struct drive *d, uint64_t seed)
{
    static struct intra_scale_pair pairs[MAX];
    struct intra_scale_fit out;
    double s = 0, encoder = 0, total = d->way_m + 2 * d->back_m;
    uint64_t state = seed * 77 + 5;
    int n = 0;
    double first = 0.03 * random_unit(&state);
    for (double gone = first; gone < total && n < MAX; gone += 0.03 + 0.004 * (random_unit(&state) - 0.5)) {
        double half = 0.5 * d->way_m;
        s = gone < half ? gone : gone < half + d->back_m ? half - (gone - half) : gone - 2 * d->back_m;
        if (s - encoder > d->slack_m) encoder = s - d->slack_m;
        if (s < encoder) encoder = s;
        double c = d->offset_m + d->scale * fmax(0, encoder - d->late_m);
        c = floor(c / d->step_m) * d->step_m;
        if (d->wrong_each && n % d->wrong_each == 3) c += 0.8 * (random_unit(&state) - 0.3);
        pairs[n++] = (struct intra_scale_pair){s + d->jitter_m * (random_unit(&state) - 0.5), d->is_falling ? -c : c};
    }
    assert_int_equal(intra_scale_fit(pairs, n, d->step_m, &out, NULL), INTRA_OK);
    return out;
}

/* Worst error, and how many seeds lie within two deviations. */
static void check(struct drive d, double most_error)
{
    int within = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct drive at = d;
        uint64_t state = seed;
        at.offset_m += 0.1 * random_unit(&state);
        struct intra_scale_fit f = fit(&at, seed);
        double error = fabs(f.scale / d.scale - 1);
        if (!f.is_known || error > most_error)
            fail_msg("seed %d: scale %g of %g, known %d", (int)seed, f.scale, d.scale, f.is_known);
        assert_int_equal(f.is_falling, d.is_falling);
        within += error < 2 * f.sd_rel;
    }
    if (within < SEEDS - 2) fail_msg("only %d of %d within two deviations", within, SEEDS);
}

static void scale_centimetres(void **state)
{
    (void)state;
    check((struct drive){.scale = 1.1, .step_m = 0.01, .way_m = 2}, 0.003);
}
static void scale_decimetres(void **state)
{
    (void)state;
    check((struct drive){.scale = 0.9, .step_m = 0.1, .way_m = 6}, 0.006);
}
static void scale_feet(void **state)
{
    (void)state;
    check((struct drive){.scale = 1, .offset_m = 5, .step_m = 0.03048, .way_m = 3}, 0.005);
}
static void scale_falling(void **state)
{
    (void)state;
    check((struct drive){.scale = 1.3, .step_m = 0.01, .way_m = 3, .is_falling = true}, 0.003);
}
static void scale_late_start(void **state)
{
    (void)state;
    check((struct drive){.scale = 1, .step_m = 0.01, .late_m = 0.3, .way_m = 3}, 0.004);
}
/* The first digit shows for three and a half of them. */
static void scale_late_start_of_a_coarse_counter(void **state)
{
    (void)state;
    check((struct drive){.scale = 1, .step_m = 0.1, .late_m = 0.25, .way_m = 2.25}, 0.004);
}
static void scale_slack_and_reverse(void **state)
{
    (void)state;
    check((struct drive){.scale = 1.05, .step_m = 0.01, .slack_m = 0.02, .way_m = 4, .back_m = 0.5}, 0.008);
}
static void scale_wrong_readings(void **state)
{
    (void)state;
    check((struct drive){.scale = 1, .step_m = 0.01, .way_m = 3, .wrong_each = 6}, 0.004);
}
static void scale_noisy_stations(void **state)
{
    (void)state;
    check((struct drive){.scale = 1, .step_m = 0.01, .way_m = 3, .jitter_m = 0.01}, 0.005);
}

static void scale_too_short(void **state)
{
    (void)state;
    assert_false(fit(&(struct drive){.scale = 1, .step_m = 0.1, .way_m = 0.25}, 1).is_rough);
    assert_false(fit(&(struct drive){.scale = 1, .step_m = 0.5, .way_m = 1.2}, 1).is_rough);
    int known = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) { /* few digits: what they say of the scale is true, and little */
        struct intra_scale_fit few = fit(&(struct drive){.scale = 1, .step_m = 0.1, .way_m = 0.4}, seed);
        assert_true(few.is_rough && fabs(few.scale - 1) < 2 * few.sd_rel);
        known += few.is_known;
    }
    assert_true(known <= SEEDS / 2);
}

static void scale_of_chance(void **state)
{
    struct intra_scale_pair pairs[100];
    struct intra_scale_fit out;
    uint64_t seed = 9;
    (void)state;
    for (int i = 0; i < 100; i++)
        pairs[i] = (struct intra_scale_pair){0.03 * i, 3 * random_unit(&seed)};
    assert_int_equal(intra_scale_fit(pairs, 100, 0.01, &out, NULL), INTRA_OK);
    assert_false(out.is_known);
    assert_int_equal(intra_scale_fit(NULL, 0, 0.01, &out, NULL), INTRA_OK);
    assert_false(out.is_known);
}

/* Out 1 m, back 0.3 m and out again, with 40 mm of slack; then a segment that drives back all the way. */
static void readings_on_the_way_out(void **state)
{
    enum { OUT = 100, BACK = 130, AGAIN = 200, END = 260 };
    static struct intra_frame_record frames[END];
    static bool is_outward[END];
    struct intra_scale_fit fit;
    (void)state;
    for (int i = 0; i < END; i++) {
        double s = i < OUT     ? 0.01 * i
                   : i < BACK  ? 1 - 0.01 * (i - OUT)
                   : i < AGAIN ? 0.7 + 0.01 * (i - BACK)
                               : 9 - 0.01 * (i - AGAIN);
        double slack = i >= OUT && i < BACK ? 0.04 : 0;
        frames[i] = (struct intra_frame_record){.segment = i >= AGAIN,
                                                .is_posed = i != 50,
                                                .station_m = s,
                                                .counter_m = i == 60 ? NAN : round((s + slack) / 0.01) * 0.01};
    }
    intra_counter_outward(frames, END, is_outward);
    for (int i = 0; i < END; i++) {
        bool want = i != 50 && i != 60 && (i <= OUT || i >= AGAIN || frames[i].station_m > 0.996);
        if (is_outward[i] != want) fail_msg("frame %d at %g m: %d", i, frames[i].station_m, is_outward[i]);
    }
    assert_int_equal(intra_scale_of_frames(frames, AGAIN, &fit, NULL), INTRA_OK);
    assert_true(fit.is_known && fabs(fit.scale - 1) < 0.004 && fit.noise_m < 0.0025);
    assert_int_equal(intra_scale_of_frames(frames, 0, &fit, NULL), INTRA_OK);
    assert_false(fit.is_known);
}

enum trouble { NO_TROUBLE, CUT, SEEN_CUT, SET_ANEW, SINGLE_WRONG, COARSE, HALF_SCALE, BACKWARD, N_TROUBLES };

/* A drive of 3 m with 10 mm a frame and a counter of 0.01 m; halfway something happens. */
static void made_drive(enum trouble trouble, struct intra_frame_record *frames, int n)
{
    for (int i = 0; i < n; i++) {
        bool is_behind = i >= n / 2;
        double way = trouble == BACKWARD && is_behind ? 0.01 * (n - i) : 0.01 * i, counter = 2 + way, step = 0.01;
        if (trouble == CUT || trouble == SEEN_CUT) counter += is_behind ? 3 : 0;
        if (trouble == SET_ANEW) counter -= is_behind ? 1.5 : 0;
        if (trouble == SINGLE_WRONG && i % 9 < 2) counter += 6;
        if (trouble == COARSE) step = 1;
        if (trouble == HALF_SCALE) way *= 0.55;
        frames[i] = (struct intra_frame_record){.segment = trouble == SEEN_CUT && is_behind,
                                                .is_posed = i % 7 != 3,
                                                .station_m = way,
                                                .counter_m = i % 5 == 1 ? NAN : round(counter / step) * step};
    }
}

/* A cut that was not noticed, and a counter that was set anew, where it happens; nothing else. */
static void counter_jumps(void **state)
{
    enum { N = 300 };
    static struct intra_frame_record frames[N];
    struct intra_counter_jump jump;
    (void)state;
    for (enum trouble trouble = NO_TROUBLE; trouble < N_TROUBLES; trouble++) {
        made_drive(trouble, frames, N);
        assert_int_equal(intra_counter_jump_find(frames, N, &jump, NULL), INTRA_OK);
        if (jump.is_found != (trouble == CUT || trouble == SET_ANEW))
            fail_msg("trouble %d: found %d", trouble, jump.is_found);
        if (!jump.is_found) continue;
        assert_true(jump.frame >= N / 2 && jump.frame <= N / 2 + 2);
        assert_true(fabs(jump.to_m - jump.from_m - jump.picture_m - (trouble == CUT ? 3 : -1.5)) < 0.1);
        assert_true(jump.picture_m > 0 && jump.picture_m < 0.2);
    }
    assert_int_equal(intra_counter_jump_find(frames, 0, &jump, NULL), INTRA_OK);
    assert_false(jump.is_found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scale_centimetres),
        cmocka_unit_test(scale_decimetres),
        cmocka_unit_test(scale_feet),
        cmocka_unit_test(scale_falling),
        cmocka_unit_test(scale_late_start),
        cmocka_unit_test(scale_slack_and_reverse),
        cmocka_unit_test(scale_late_start_of_a_coarse_counter),
        cmocka_unit_test(scale_wrong_readings),
        cmocka_unit_test(scale_noisy_stations),
        cmocka_unit_test(scale_too_short),
        cmocka_unit_test(scale_of_chance),
        cmocka_unit_test(readings_on_the_way_out),
        cmocka_unit_test(counter_jumps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
