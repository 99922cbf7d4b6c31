/* Proves, on made walls: the level of water comes out within its deviation, on brick too, with the roll of its middle;
 * it is given where water is and not beyond, above a line of dirt and at a run's ends too; none on a dry wall, with a
 * dirty invert or a smooth wall, or where one side stands higher; failing allocations come back as errors. Does not
 * prove how real water looks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "core/mem.h"
#include "core/raster.h"
#include "recon/water.h"

#include <cmocka.h>
#include <math.h>
#include <string.h>

static const double radius_m = 0.15, texel_m = 0.002, length_m = 4;
enum { ROWS = 471, STRIP = 256 };

struct made {
    double level_pct, roll_rad, from_m; /* water from there on */
    double seen_from_m, seen_to_m;      /* of the wall; 0, 0: all of it */
    double skew_rad;                    /* one edge so much higher */
    double strip_texture, wall_texture; /* 0: 0.05, 1 */
    double dirt_rad;                    /* a line of dirt on the strip, so far from its middle on one side; 0: none */
    bool is_brick;
};

static double chance(uint32_t a, uint32_t b)
{
    uint32_t h = a * 0x9e3779b1u ^ (b + 0x7f4a7c15u) * 0x85ebca6bu;
    h = (h ^ h >> 15) * 0x2c1b3c6du;
    h = (h ^ h >> 12) * 0x297a2d39u;
    return (h ^ h >> 15) / 4294967296.0 - 0.5;
}

static double light_at(const struct made *made, int row, int col)
{
    double s = (col + 0.5) * texel_m, theta = M_PI + 2 * M_PI * (row + 0.5) / ROWS;
    double half = acos(1 - 0.02 * made->level_pct), turn = remainder(theta - M_PI - made->roll_rad, 2 * M_PI);
    double grain =
        0.3 * chance((uint32_t)row, (uint32_t)col) + 0.2 * chance((uint32_t)row / 6, 77777 + (uint32_t)col / 6);
    bool is_wet = made->level_pct > 0 && s >= made->from_m && turn > -half && turn < half + made->skew_rad;
    if (is_wet && made->dirt_rad > 0 && fabs(turn - made->dirt_rad) < 0.07) return -0.28 + 0.7 * grain;
    if (is_wet) return -0.3 + (made->strip_texture > 0 ? made->strip_texture : 0.05) * grain;
    double arc = (row + 0.5) * 2 * M_PI * radius_m / ROWS, along = s + (fmod(floor(arc / 0.07), 2) != 0 ? 0.11 : 0);
    if (made->is_brick && (fmod(along, 0.22) < 0.01 || fmod(arc, 0.07) < 0.01)) return 0.5;
    return (made->wall_texture > 0 ? made->wall_texture : 1) * grain;
}

static struct intra_scene scene_of(const struct made *made)
{
    struct intra_scene scene;
    intra_scene_init(&scene);
    struct intra_wall *wall = &scene.wall;
    scene.nominal_diameter_m = 2 * radius_m;
    scene.section_step_m = 0.05;
    wall->texel_m = texel_m;
    wall->perimeter_m = 2 * M_PI * radius_m;
    wall->cut_rad = M_PI;
    wall->rows = ROWS;
    wall->cols = (int64_t)lround(length_m / texel_m);
    for (int i = 0; i * 0.05 <= length_m; i++) {
        struct intra_section s = {
            .station_m = i * 0.05, .is_seen = true, .water_level_pct = NAN, .water_level_sd_pct = NAN};
        assert_int_equal(intra_scene_add_section(&scene, &s, NULL), INTRA_OK);
    }
    assert_int_equal(intra_raster_create("/tmp", ROWS, 4, STRIP, 8, &wall->colour, NULL), INTRA_OK);
    for (int64_t strip = 0; strip * STRIP < wall->cols; strip++) {
        void *cells;
        assert_int_equal(intra_raster_strip(wall->colour, strip, &cells, NULL), INTRA_OK);
        for (int r = 0; r < ROWS; r++)
            for (int c = 0; c < STRIP; c++) {
                uint8_t *p = (uint8_t *)cells + 4 * (r * STRIP + c);
                double s = (double)(strip * STRIP + c) * texel_m;
                memset(p, (int)(90 * exp(light_at(made, r, (int)strip * STRIP + c))), 3);
                p[3] = made->seen_to_m > 0 && (s < made->seen_from_m || s > made->seen_to_m) ? 0 : 255;
            }
    }
    return scene;
}

static void assert_level(const struct made *made)
{
    double roll = NAN;
    struct intra_scene scene = scene_of(made);
    assert_int_equal(intra_water_find(&scene, &roll, NULL), INTRA_OK);
    assert_int_equal(scene.n_features, 1);
    const struct intra_feature *f = &scene.features[0];
    assert_int_equal(f->kind, INTRA_FEATURE_WATER);
    assert_true(fabs(f->level_pct - made->level_pct) < 1.96 * f->level_sd_pct && f->level_sd_pct < 3);
    assert_true(fabs(f->station_m - made->from_m) < 1.96 * f->station_sd_m);
    assert_true(fabs(roll - made->roll_rad) < (made->is_brick ? 0.08 : 0.03)); /* courses have edges of their own */
    int given = 0;
    for (int64_t i = 0; i < scene.n_sections; i++) {
        const struct intra_section *s = &scene.sections[i];
        if (s->station_m < made->from_m - 0.01) assert_true(isnan(s->water_level_pct));
        if (isnan(s->water_level_pct)) continue;
        given++;
        assert_true(fabs(s->water_level_pct - made->level_pct) < 1.96 * s->water_level_sd_pct);
    }
    assert_true(given > 0.6 * (length_m - made->from_m) / 0.05);
    intra_scene_fini(&scene);
}

static void assert_none(const struct made *made)
{
    double roll = 0;
    struct intra_scene scene = scene_of(made);
    assert_int_equal(intra_water_find(&scene, &roll, NULL), INTRA_OK);
    assert_int_equal(scene.n_features, 0);
    assert_true(isnan(roll));
    for (int64_t i = 0; i < scene.n_sections; i++)
        assert_true(isnan(scene.sections[i].water_level_pct));
    intra_scene_fini(&scene);
}

static void level_and_roll(void **state)
{
    (void)state;
    assert_level(&(struct made){.level_pct = 12});
    assert_level(&(struct made){.level_pct = 30, .roll_rad = 0.1});
    assert_level(&(struct made){.level_pct = 20, .is_brick = true, .roll_rad = -0.05});
    assert_level(&(struct made){.level_pct = 8, .from_m = 1.5});
    assert_level(&(struct made){.level_pct = 15, .dirt_rad = 0.42});
}

/* A short run: two windows were seen wholly, and half of those at its ends. */
static void ends_of_a_run(void **state)
{
    (void)state;
    struct intra_scene scene = scene_of(&(struct made){.level_pct = 15, .seen_from_m = 1.2, .seen_to_m = 2.8});
    assert_int_equal(intra_water_find(&scene, NULL, NULL), INTRA_OK);
    assert_int_equal(scene.n_features, 1);
    assert_true(scene.features[0].station_m < 1.3 && scene.features[0].station_to_m > 2.7);
    intra_scene_fini(&scene);
}

static void none_where_it_is_dry(void **state)
{
    (void)state;
    assert_none(&(struct made){0});
    assert_none(&(struct made){.is_brick = true});
    assert_none(&(struct made){.level_pct = 15, .strip_texture = 0.9});                     /* dirt */
    assert_none(&(struct made){.level_pct = 15, .strip_texture = 1, .wall_texture = 0.05}); /* dirt in smooth pipe */
    assert_none(&(struct made){.level_pct = 15, .skew_rad = 0.6}); /* a patch: its middle is too far from the invert */
    assert_none(&(struct made){.level_pct = 15, .from_m = 3.4});   /* too short to be sure */
}

static void failing_allocations(void **state)
{
    struct intra_scene scene = scene_of(&(struct made){.level_pct = 20});
    enum intra_status status = INTRA_E_MEM;
    int n = 0;
    (void)state;
    while (status != INTRA_OK) {
        assert_int_equal(scene.n_features, 0);
        intra_mem_fail_at(++n, 0);
        status = intra_water_find(&scene, NULL, NULL);
        intra_mem_fail_at(0, 0);
        if (status != INTRA_OK) assert_int_equal(status, INTRA_E_MEM);
    }
    assert_true(n > 8);
    assert_int_equal(scene.n_features, 1);
    intra_scene_fini(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(level_and_roll),
        cmocka_unit_test(ends_of_a_run),
        cmocka_unit_test(none_where_it_is_dry),
        cmocka_unit_test(failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
