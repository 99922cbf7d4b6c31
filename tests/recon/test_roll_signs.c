/* Proves, on made walls and ways: the axis of a stain comes out, ragged as it is, with a mouth beside it and from a
 * camera that began 40 degrees off, and on courses of brick; a wall without tint or with a one-sided one says nothing;
 * water's middle, waves and all; a camera that keeps off the axis tells down, above it too, one that sways about the
 * axis does not; nothing is read in a shaft; failing allocations come back as errors. Does not prove how real stains
 * lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "core/mem.h"
#include "core/raster.h"
#include "recon/roll_signs.h"

#include <cmocka.h>
#include <math.h>
#include <string.h>

#define DEG (M_PI / 180)
static const double radius_m = 0.15, texel_m = 0.002, length_m = 6;
enum { ROWS = 471, STRIP = 256, CAMERAS = 400 };

struct made {
    double turn_rad;  /* wanted of all clock angles */
    double tint;      /* of the stain */
    double aside_rad; /* one edge so much higher */
    double water_pct, wave_rad;
    bool has_mouth, is_shaft;
    double right_m, up_m, sway_m; /* camera, in a pipe that stands right */
    double course_rad, shift_rad; /* of brick; 0: none; and how far a joint is from the invert */
};

static double chance(uint32_t a, uint32_t b)
{
    uint32_t h = a * 0x9e3779b1u ^ (b + 0x7f4a7c15u) * 0x85ebca6bu;
    h = (h ^ h >> 15) * 0x2c1b3c6du;
    h = (h ^ h >> 12) * 0x297a2d39u;
    return (h ^ h >> 15) / 4294967296.0 - 0.5;
}

/* Wanders over about `wave`. */
static double wander(uint32_t seed, double x, double wave)
{
    double at = x / wave, t = at - floor(at);
    uint32_t k = (uint32_t)(int)floor(at);
    return (1 - t) * chance(seed, k) + t * chance(seed, k + 1);
}

static void paint(const struct made *m, double s, double theta, int row, int col, uint8_t *p)
{
    double from_invert = remainder(theta + m->turn_rad - M_PI, 2 * M_PI), side = from_invert > 0 ? 1 : -1;
    double level =
        0.8 + 0.1 * wander(5, s, 0.5) + 0.1 * wander(side > 0 ? 6 : 7, s, 0.12) + (side > 0 ? m->aside_rad : 0);
    double in = fmin(fmax((level - fabs(from_invert)) / 0.22, 0), 1),
           grain = 0.3 * chance((uint32_t)row, (uint32_t)col);
    double light = grain - 0.5 * in * (m->tint > 0), tint = m->tint * in;
    if (m->course_rad > 0 && fabs(remainder(from_invert - m->shift_rad, m->course_rad)) < 0.09 * m->course_rad)
        tint -= 0.35; /* mortar is no red */
    double half = m->water_pct > 0 ? acos(1 - 0.02 * m->water_pct) : 0, tilt = m->wave_rad * 2 * wander(9, s, 0.6);
    if (fabs(from_invert - tilt) < half) light = -0.3 + 0.05 * grain, tint = m->tint;
    if (m->has_mouth && hypot(fmod(s, 2) - 1, radius_m * (from_invert - 1.4)) < 0.05) light = -2, tint = -0.2;
    double grey = 90 * exp(light);
    p[0] = (uint8_t)fmin(255, grey * exp(0.5 * tint));
    p[1] = (uint8_t)grey;
    p[2] = (uint8_t)(grey * exp(-0.5 * tint));
    p[3] = 255;
}

static struct intra_wall wall_of(const struct made *made)
{
    struct intra_wall wall = {.texel_m = texel_m,
                              .perimeter_m = 2 * M_PI * radius_m,
                              .cut_rad = M_PI,
                              .rows = ROWS,
                              .cols = (int64_t)lround(length_m / texel_m)};
    assert_int_equal(intra_raster_create("/tmp", ROWS, 4, STRIP, 12, &wall.colour, NULL), INTRA_OK);
    for (int64_t strip = 0; strip * STRIP < wall.cols; strip++) {
        void *cells;
        assert_int_equal(intra_raster_strip(wall.colour, strip, &cells, NULL), INTRA_OK);
        for (int r = 0; r < ROWS; r++)
            for (int c = 0; c < STRIP; c++) {
                int col = (int)strip * STRIP + c;
                paint(made, (col + 0.5) * texel_m, M_PI + 2 * M_PI * (r + 0.5) / ROWS, r, col,
                      (uint8_t *)cells + 4 * (r * STRIP + c));
            }
    }
    return wall;
}

static void cameras_of(const struct made *m, struct intra_roll_camera *out)
{
    for (int i = 0; i < CAMERAS; i++) {
        double s = length_m * i / CAMERAS, right = m->right_m + 2 * m->sway_m * wander(21, s, 0.5),
               up = m->up_m + 2 * m->sway_m * wander(22, s, 0.5), clock = atan2(right, up) - m->turn_rad;
        out[i] = (struct intra_roll_camera){.station_m = s,
                                            .roll_rad = 0.05 * wander(23, s, 2) - m->turn_rad,
                                            .right_m = hypot(right, up) * sin(clock),
                                            .up_m = hypot(right, up) * cos(clock),
                                            .walk_rad2_m = 1e-6};
    }
}

static int segment_of(const void *user, double from_m, double to_m)
{
    (void)from_m, (void)to_m;
    return *(const bool *)user ? -1 : 0;
}

/* How many readings of a kind, and their mean. */
static int count(const struct intra_roll_readings *r, enum intra_roll_sign sign, double *out_mean)
{
    int n = 0;
    *out_mean = 0;
    for (int64_t i = 0; i < r->n; i++)
        if (r->list[i].sign == sign) *out_mean += r->list[i].turn_rad, n++;
    *out_mean /= n > 0 ? n : 1;
    return n;
}

static void look(const struct made *made, struct intra_roll_readings *out, struct intra_roll_map *map)
{
    struct intra_wall wall = wall_of(made);
    struct intra_roll_camera cameras[CAMERAS];
    cameras_of(made, cameras);
    assert_int_equal(intra_roll_signs_find(&wall, radius_m, cameras, CAMERAS, segment_of, &made->is_shaft, out, NULL),
                     INTRA_OK);
    assert_int_equal(intra_roll_fit(out->list, out->n, map, NULL), INTRA_OK);
    intra_raster_destroy(&wall.colour);
}

/* The turn comes out within its deviation, from at least `least` readings of a kind. Returns what it is off. */
static double assert_turn(const struct made *made, enum intra_roll_sign sign, int least, double most_sd_deg)
{
    struct intra_roll_readings r;
    struct intra_roll_map map;
    double mean, sd, turn;
    look(made, &r, &map);
    int n = count(&r, sign, &mean);
    turn = intra_roll_turn(&map, 0, 3, &sd);
    print_message("%s: %d readings, mean %.2f, turn %.2f sd %.2f of %.2f\n", intra_roll_sign_name(sign), n, mean / DEG,
                  turn / DEG, sd / DEG, made->turn_rad / DEG);
    assert_true(n >= least);
    assert_true(fabs(turn - made->turn_rad) < 1.96 * sd && sd < most_sd_deg * DEG);
    intra_roll_readings_fini(&r);
    intra_roll_map_fini(&map);
    return fabs(turn - made->turn_rad);
}

static void assert_silent(const struct made *made, enum intra_roll_sign sign)
{
    struct intra_roll_readings r;
    struct intra_roll_map map;
    double mean;
    look(made, &r, &map);
    assert_int_equal(count(&r, sign, &mean), 0);
    intra_roll_readings_fini(&r);
    intra_roll_map_fini(&map);
}

static void stain_tells(void **state)
{
    (void)state;
    assert_turn(&(struct made){.tint = 0.2}, INTRA_ROLL_STAIN, 15, 1.6);
    assert_turn(&(struct made){.tint = 0.15, .turn_rad = 12 * DEG}, INTRA_ROLL_STAIN, 15, 1.6);
    assert_turn(&(struct made){.tint = 0.2, .turn_rad = -7 * DEG, .has_mouth = true}, INTRA_ROLL_STAIN, 12, 1.6);
    assert_turn(&(struct made){.tint = 0.2, .turn_rad = 40 * DEG, .up_m = -0.05, .sway_m = 0.01}, INTRA_ROLL_STAIN, 15,
                1.6);
}

/* Courses mirror about each of them and each joint: the stain's axis lies a third of one beside. */
static void stain_on_brick(void **state)
{
    struct made made = {.turn_rad = 3 * DEG, .tint = -0.12, .course_rad = 14.4 * DEG};
    (void)state;
    for (int i = -1; i <= 1; i++) {
        made.shift_rad = i * 2.4 * DEG;
        assert_true(assert_turn(&made, INTRA_ROLL_STAIN, 10, 2) < 1.3 * DEG); /* 2.0 with the courses in the profile */
    }
}

static void nothing_to_tell(void **state)
{
    (void)state;
    assert_silent(&(struct made){0}, INTRA_ROLL_STAIN);
    assert_silent(&(struct made){.tint = 0.2, .aside_rad = 1.2}, INTRA_ROLL_STAIN);
    assert_silent(&(struct made){.tint = 0.2, .is_shaft = true}, INTRA_ROLL_STAIN);
    assert_silent(&(struct made){0}, INTRA_ROLL_WATER);
    assert_silent(&(struct made){.sway_m = 0.008}, INTRA_ROLL_CAMERA);
    assert_silent(&(struct made){.right_m = 0.004, .up_m = -0.004, .sway_m = 0.003}, INTRA_ROLL_CAMERA);
    assert_silent(&(struct made){.right_m = 0.05, .up_m = 0.01, .sway_m = 0.004},
                  INTRA_ROLL_CAMERA); /* neither up nor down */
}

static void water_tells(void **state)
{
    (void)state;
    assert_turn(&(struct made){.water_pct = 15, .turn_rad = 5 * DEG}, INTRA_ROLL_WATER, 8, 1.2);
    assert_turn(&(struct made){.water_pct = 15, .turn_rad = -4 * DEG, .wave_rad = 5 * DEG}, INTRA_ROLL_WATER, 6, 1.2);
}

static void camera_tells(void **state)
{
    (void)state;
    assert_turn(&(struct made){.up_m = -0.05, .sway_m = 0.01, .turn_rad = 25 * DEG}, INTRA_ROLL_CAMERA, 10, 5);
    assert_turn(&(struct made){.up_m = 0.05, .sway_m = 0.01, .turn_rad = -25 * DEG}, INTRA_ROLL_CAMERA, 10, 5);
}

static void failing_allocations(void **state)
{
    (void)state;
    struct made made = {.tint = 0.2, .up_m = -0.05, .sway_m = 0.01};
    struct intra_wall wall = wall_of(&made);
    struct intra_roll_camera cameras[CAMERAS];
    enum intra_status status = INTRA_E_MEM;
    int n = 0;
    cameras_of(&made, cameras);
    while (status != INTRA_OK) {
        struct intra_roll_readings r;
        intra_mem_fail_at(++n, 0);
        status = intra_roll_signs_find(&wall, radius_m, cameras, CAMERAS, segment_of, &made.is_shaft, &r, NULL);
        intra_mem_fail_at(0, 0);
        if (status != INTRA_OK) assert_int_equal(status, INTRA_E_MEM);
        intra_roll_readings_fini(&r);
    }
    assert_true(n > 15);
    intra_raster_destroy(&wall.colour);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stain_tells), cmocka_unit_test(stain_on_brick), cmocka_unit_test(nothing_to_tell),
        cmocka_unit_test(water_tells), cmocka_unit_test(camera_tells),   cmocka_unit_test(failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
