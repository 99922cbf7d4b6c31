/* Proves, on made readings: the turn comes out within its deviation as often as that says, where signs are dense, far
 * apart, or on one side of a gap only; where the picture walks the turn follows, and its deviation grows with the way
 * to the nearest sign; wild readings, a stretch of a kind that is off and a whole kind that is off do not bend it;
 * without signs there is no map; failing allocations come back as errors. Does not prove that real signs err as these
 * do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "core/mem.h"
#include "recon/roll_fit.h"

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DEG (M_PI / 180)
enum { MOST = 2000 };

static uint64_t state;

static double uniform(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return ((double)(state >> 11) + 0.5) / 9007199254740992.0;
}

static double normal(void)
{
    return sqrt(-2 * log(uniform())) * cos(2 * M_PI * uniform());
}

struct made {
    struct intra_roll_reading list[MOST];
    double truth[MOST]; /* turn there; of NONE too */
    int n;
};

/* A stretch whose picture walks walk_deg a root metre, begun anywhere. */
static void add_way(struct made *m, int segment, double from_m, double to_m, double walk_deg, double first_deg)
{
    double turn = first_deg * DEG;
    for (double s = from_m; s <= to_m; s += 0.05) {
        m->truth[m->n] = turn;
        m->list[m->n++] = (struct intra_roll_reading){
            .segment = segment, .station_m = s, .sign = INTRA_ROLL_NONE, .walk_rad2_m = pow(walk_deg * DEG, 2)};
        turn += walk_deg * DEG * sqrt(0.05) * normal();
    }
}

static double truth_at(const struct made *m, int segment, double station_m)
{
    double best = INFINITY, turn = NAN;
    for (int i = 0; i < m->n; i++)
        if (m->list[i].sign == INTRA_ROLL_NONE && m->list[i].segment == segment &&
            fabs(m->list[i].station_m - station_m) < best) {
            best = fabs(m->list[i].station_m - station_m);
            turn = m->truth[i];
        }
    return turn;
}

static void add_signs(struct made *m, int segment, enum intra_roll_sign sign, double from_m, double to_m, double step_m,
                      double sd_deg, double off_deg)
{
    for (double s = from_m; s <= to_m; s += step_m)
        m->list[m->n++] =
            (struct intra_roll_reading){.segment = segment,
                                        .station_m = s,
                                        .sign = sign,
                                        .turn_rad = truth_at(m, segment, s) + (off_deg + sd_deg * normal()) * DEG,
                                        .sd_rad = sd_deg * DEG};
}

/* Error over the deviation at a station, and the error in degrees. */
static double error_at(const struct made *m, const struct intra_roll_map *map, int segment, double station_m,
                       double *out_deg)
{
    struct made sorted = *m;
    double sd, turn = intra_roll_turn(map, segment, station_m, &sd), truth = truth_at(&sorted, segment, station_m);
    *out_deg = (turn - truth) / DEG;
    return (turn - truth) / sd;
}

/* The fit sorts the readings: it gets a copy. */
static void fit(const struct made *m, struct intra_roll_map *map)
{
    struct made copy = *m;
    assert_int_equal(intra_roll_fit(copy.list, copy.n, map, NULL), INTRA_OK);
}

static void deviations_are_right(void **s)
{
    (void)s;
    int inside = 0, all = 0, ahead = 0;
    for (int run = 0; run < 200; run++) {
        struct made m = {.n = 0};
        struct intra_roll_map map;
        double deg;
        state = 77 + (uint64_t)run;
        add_way(&m, 0, 0, 12, 0.6, 20 * normal());
        add_way(&m, 1, 14, 18, 0.6, 20 * normal());
        /* A kind's own error is drawn with the deviation that the fit assumes. */
        add_signs(&m, 0, INTRA_ROLL_STAIN, 2, 5, 0.3, 2, 1.2 * normal());
        add_signs(&m, 1, INTRA_ROLL_WATER, 14.5, 15.5, 0.5, 1.3, 0.7 * normal());
        fit(&m, &map);
        for (double at = 0.5; at < 18; at += 2.5) {
            if (at > 12 && at < 14) continue;
            inside += fabs(error_at(&m, &map, at > 13, at, &deg)) <= 1.96;
            all++;
        }
        double near, far;
        intra_roll_turn(&map, 0, 4, &near);
        intra_roll_turn(&map, 0, 12, &far);
        ahead += far > 1.2 * near;
        intra_roll_map_fini(&map);
    }
    assert_true(inside > 0.91 * all && inside < 0.99 * all);
    assert_int_equal(ahead, 200);
}

static void follows_a_walk(void **s)
{
    (void)s;
    double before = 0, behind = 0;
    for (int run = 0; run < 20; run++) {
        struct made m = {.n = 0};
        struct intra_roll_map map;
        state = 5 + (uint64_t)run;
        add_way(&m, 0, 0, 30, 1.5, 0);
        add_signs(&m, 0, INTRA_ROLL_STAIN, 0.2, 30, 0.3, 2, 0);
        fit(&m, &map);
        for (double at = 1; at < 30; at += 1) {
            double deg;
            error_at(&m, &map, 0, at, &deg);
            behind += deg * deg;
            before += pow(truth_at(&m, 0, at) / DEG, 2);
        }
        intra_roll_map_fini(&map);
    }
    assert_true(sqrt(behind / 580) < 1.6 && before > 9 * behind);
}

static void no_signs(void **s)
{
    (void)s;
    struct made m = {.n = 0};
    struct intra_roll_map map;
    double sd;
    add_way(&m, 0, 0, 3, 0.5, 0);
    fit(&m, &map);
    assert_int_equal(map.n, 0);
    assert_true(intra_roll_turn(&map, 0, 1, &sd) == 0 && isnan(sd));
    intra_roll_map_fini(&map);
    /* Only the camera's own stand, in one stretch; the other is anywhere. */
    add_way(&m, 1, 5, 8, 0.5, 0);
    add_signs(&m, 0, INTRA_ROLL_UPRIGHT, 1, 3, 2, 4, 0);
    fit(&m, &map);
    double turn = intra_roll_turn(&map, 0, 1, &sd), wide;
    assert_true(sd > 3 * DEG && sd < 6 * DEG);
    intra_roll_turn(&map, 1, 6, &wide);
    assert_true(wide > 45 * DEG);
    intra_roll_map_level(&map);
    assert_true(intra_roll_turn(&map, 0, 1, &wide) == 0);
    assert_true(fabs(wide - hypot(sd, turn)) < 1e-9 && map.most_rad == 0);
    intra_roll_map_fini(&map);
}

static void wrong_signs_do_not_bend(void **s)
{
    (void)s;
    double wild = 0, deposit = 0, tilted = 0;
    for (int run = 0; run < 40; run++) {
        struct made m = {.n = 0};
        struct intra_roll_map map;
        double deg;
        state = 300 + (uint64_t)run;
        add_way(&m, 0, 0, 10, 0.3, 3);
        add_signs(&m, 0, INTRA_ROLL_STAIN, 0.2, 10, 0.3, 2, 0);
        struct made clean = m;
        for (int i = 0; i < m.n; i++) /* every fifth is anything */
            if (m.list[i].sign == INTRA_ROLL_STAIN && i % 5 == 0) m.list[i].turn_rad = 50 * DEG * (uniform() - 0.5);
        fit(&m, &map);
        error_at(&m, &map, 0, 5, &deg);
        wild += deg * deg / 40;
        intra_roll_map_fini(&map);
        m = clean; /* a crawler with one track on a deposit for four metres; waves */
        add_signs(&m, 0, INTRA_ROLL_CAMERA, 0.4, 3, 0.4, 6, 0);
        add_signs(&m, 0, INTRA_ROLL_CAMERA, 3.2, 7, 0.4, 6, 20);
        add_signs(&m, 0, INTRA_ROLL_WATER, 7.5, 10, 0.5, 4, 0);
        fit(&m, &map);
        error_at(&m, &map, 0, 5, &deg);
        deposit += deg * deg / 40;
        intra_roll_map_fini(&map);
        m = clean; /* the surface stands aslant all the way */
        add_signs(&m, 0, INTRA_ROLL_CAMERA, 0.4, 10, 0.4, 6, 0);
        add_signs(&m, 0, INTRA_ROLL_UPRIGHT, 1, 10, 2, 4, 0);
        add_signs(&m, 0, INTRA_ROLL_WATER, 0.5, 10, 0.5, 1.3, 8);
        fit(&m, &map);
        error_at(&m, &map, 0, 5, &deg);
        tilted += deg * deg / 40;
        intra_roll_map_fini(&map);
    }
    print_message("wild %.2f deposit %.2f tilted %.2f\n", sqrt(wild), sqrt(deposit), sqrt(tilted));
    assert_true(sqrt(wild) < 1.2);
    assert_true(sqrt(deposit) < 1.2);
    assert_true(sqrt(tilted) < 3);
}

static void a_lone_sign_is_doubted(void **s)
{
    (void)s;
    for (int run = 0; run < 20; run++) {
        struct made m = {.n = 0};
        struct intra_roll_map map;
        double deg, alone, doubted;
        state = 700 + (uint64_t)run;
        add_way(&m, 0, 0, 4, 0.1, 3);
        add_signs(&m, 0, INTRA_ROLL_UPRIGHT, 1, 4, 2, 3, 0);
        struct made right = m;
        add_signs(&m, 0, INTRA_ROLL_STAIN, 0.2, 4, 0.3, 1.5, 15); /* silt to one side all along */
        fit(&m, &map);
        assert_true(fabs(error_at(&m, &map, 0, 2, &deg)) < 4);
        intra_roll_turn(&map, 0, 2, &doubted);
        intra_roll_map_fini(&map);
        add_signs(&right, 0, INTRA_ROLL_STAIN, 0.2, 4, 0.3, 1.5, 0);
        add_signs(&right, 0, INTRA_ROLL_WATER, 0.5, 4, 0.5, 1.5, 0);
        fit(&right, &map);
        intra_roll_turn(&map, 0, 2, &alone);
        intra_roll_map_fini(&map);
        assert_true(doubted > 3 * alone);
    }
}

static void across_the_seam(void **s)
{
    (void)s;
    struct made m = {.n = 0};
    struct intra_roll_map map;
    state = 9;
    add_way(&m, 0, 0, 3, 0.01, 179);
    add_signs(&m, 0, INTRA_ROLL_CAMERA, 0, 3, 0.4, 5, 0);
    for (int i = 0; i < m.n; i++)
        m.list[i].turn_rad = remainder(m.list[i].turn_rad, 2 * M_PI);
    fit(&m, &map);
    assert_true(fabs(remainder(intra_roll_turn(&map, 0, 1, NULL) - 179 * DEG, 2 * M_PI)) < 8 * DEG);
    intra_roll_map_fini(&map);
}

static void failing_allocations(void **s)
{
    (void)s;
    struct made m = {.n = 0};
    struct intra_roll_map map = {0};
    enum intra_status status = INTRA_E_MEM;
    int n = 0;
    add_way(&m, 0, 0, 3, 0.5, 0);
    add_signs(&m, 0, INTRA_ROLL_WATER, 1, 2, 0.5, 1, 0);
    while (status != INTRA_OK) {
        assert_int_equal(map.n, 0);
        intra_mem_fail_at(++n, 0);
        status = intra_roll_fit(m.list, m.n, &map, NULL);
        intra_mem_fail_at(0, 0);
        if (status != INTRA_OK) assert_int_equal(status, INTRA_E_MEM);
    }
    assert_true(n > 1 && map.n > 0);
    intra_roll_map_fini(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deviations_are_right),
        cmocka_unit_test(follows_a_walk),
        cmocka_unit_test(no_signs),
        cmocka_unit_test(wrong_signs_do_not_bend),
        cmocka_unit_test(a_lone_sign_is_doubted),
        cmocka_unit_test(across_the_seam),
        cmocka_unit_test(failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
