/* Proves, on made sections and observations: the reduction factor of ASTM F1216 against values worked out by hand, the
 * worst section is found with its place, a step in diameter is found once and where it is, connections are listed once
 * whether recorded, found or both, short liners join where they should, and the depth, section loss and volume of a
 * deposit come out as made, from the sections and, where the wall has it, from the relief. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "recon/measure.h"

#include <cmocka.h>
#include <math.h>
#include <string.h>

static void add_section(struct intra_scene *scene, double station, double radius, double oval)
{
    struct intra_section s = {.station_m = station, .is_seen = true, .centre = intra_vec3(station, 0, 0)};
    s.world_from_sec = intra_mat3_from_columns(intra_vec3(1, 0, 0), intra_vec3(0, -1, 0), intra_vec3(0, 0, 1));
    s.a[0] = radius;
    s.a[2] = oval;
    intra_section_measure(&s);
    s.water_level_pct = NAN;
    assert_int_equal(intra_scene_add_section(scene, &s, NULL), INTRA_OK);
}

static struct intra_observation *add(struct intra_inspection *p, const char *code, double from, double to,
                                     double clock0, double clock1)
{
    struct intra_observation *o;
    assert_int_equal(intra_inspection_add_observation(p, &o, NULL), INTRA_OK);
    assert_int_equal(intra_text_set(&o->code, code, NULL), INTRA_OK);
    o->system = INTRA_CODES_EN13508_2;
    o->place.is_placed = o->place.is_refined = true;
    o->place.refined = o->place.recorded = (struct intra_wall_region){from, to, 0.01, clock0, clock1, 0.02};
    return o;
}

static void ovality_factor_by_hand(void **state)
{
    (void)state;
    assert_float_equal(intra_ovality_factor(0), 1, 1e-12);
    assert_float_equal(intra_ovality_factor(5), 0.6398, 2e-4); /* (0.95 / 1.1025)^3 */
    assert_float_equal(intra_ovality_factor(2), 0.8357, 2e-4); /* (0.98 / 1.0404)^3 */
}

static void pipe_table(void **state)
{
    struct intra_scene scene;
    struct intra_record record;
    struct intra_inspection *p;
    struct intra_measures m;
    struct intra_measure_options o = intra_measure_defaults();
    (void)state;
    intra_scene_init(&scene);
    intra_record_init(&record);
    scene.nominal_diameter_m = 0.3;
    scene.section_step_m = 0.05;
    for (int i = 0; i <= 120; i++) /* 0.300 to 3 m, 0.320 from there on; one oval section */
        add_section(&scene, 0.05 * i, i < 60 ? 0.15 : 0.16, i == 30 ? 0.006 : 0);
    assert_int_equal(intra_record_add_inspection(&record, &p, NULL), INTRA_OK);
    add(p, "BAB", 1.0, 1.2, 0, 1);
    add(p, "BAC", 1.9, 1.9, 0, 1);
    add(p, "BAC", 4.0, 4.0, 0, 1);
    add(p, "BBA", 2.0, 2.5, 0, 1);
    add(p, "BBA", 2.4, 2.6, 2, 3);
    add(p, "BCA", 5.0, 5.0, 1.0, 1.2);
    struct intra_feature f = intra_feature_unknown();
    f.kind = INTRA_FEATURE_LATERAL;
    f.station_m = 5.02;
    f.clock_rad = 1.1;
    f.diameter_m = 0.125;
    f.intrusion_m = 0.02;
    assert_int_equal(intra_scene_add_feature(&scene, &f, NULL), INTRA_OK);
    f.station_m = 0.5;
    assert_int_equal(intra_scene_add_feature(&scene, &f, NULL), INTRA_OK);
    assert_int_equal(intra_measure_pipe(&scene, p, 1, &o, &m, NULL), INTRA_OK);
    assert_float_equal(m.ovality_pct.station_m, 1.5, 1e-9);
    assert_float_equal(m.ovality_pct.value, 4, 0.01);
    assert_float_equal(m.ovality_factor.value, intra_ovality_factor(m.ovality_pct.value), 1e-12);
    assert_float_equal(m.diameter_min_m.value, 0.288, 1e-4);
    assert_float_equal(m.diameter_max_m.value, 0.32, 1e-6);
    assert_int_equal(m.n_steps, 1);
    assert_float_equal(m.steps[0].station_m, 3, 0.11);
    assert_float_equal(m.steps[0].behind_m - m.steps[0].before_m, 0.02, 0.002);
    /* 0.8 to 1.4 and 1.65 to 2.15 are 0.25 m apart: one; 3.75 to 4.25 */
    assert_int_equal(m.n_patches, 2);
    assert_float_equal(m.patches[0].from_m, 0.8, 1e-9);
    assert_float_equal(m.patches[0].to_m, 2.15, 1e-9);
    assert_int_equal(m.patches[0].n, 2);
    assert_float_equal(m.patches_m, 1.35 + 0.5, 1e-9);
    assert_int_equal(m.n_roots, 1);
    assert_float_equal(m.roots_m, 0.6, 1e-9);
    assert_int_equal(m.n_laterals, 2);
    assert_float_equal(m.laterals[0].station_m, 0.5, 1e-9);
    assert_float_equal(m.laterals[1].station_m, 5.0, 1e-9);
    assert_float_equal(m.laterals[1].intrusion_m, 0.02, 1e-9); /* the record has none: from what was found */
    intra_measures_fini(&m);
    intra_record_fini(&record);
    intra_scene_fini(&scene);
}

/* A deposit lowers the radius around 6 o'clock by a smooth bump that the harmonics hold. */
static void depth_of_a_deposit(void **state)
{
    struct intra_scene scene;
    struct intra_record record;
    struct intra_inspection *p;
    const double height = 0.02, r0 = 0.15;
    double lost = 0;
    (void)state;
    intra_scene_init(&scene);
    intra_record_init(&record);
    scene.section_step_m = 0.05;
    for (int i = 0; i <= 80; i++) {
        bool is_in = i >= 30 && i <= 40;
        add_section(&scene, 0.05 * i, r0, 0);
        if (!is_in) continue;
        struct intra_section *s = &scene.sections[i]; /* -height ((1 - cos) / 2)^2 at theta = pi */
        s->a[0] -= height * 3 / 8;
        s->a[1] = height / 2;
        s->a[2] = -height / 8;
    }
    assert_int_equal(intra_record_add_inspection(&record, &p, NULL), INTRA_OK);
    struct intra_observation *o = add(p, "BBC", 1.5, 2.0, M_PI / 2, 3 * M_PI / 2);
    struct intra_observation *hole = add(p, "BAB", 1.5, 2.0, 0, 1);
    o = &p->observations[0];
    (void)hole;
    assert_int_equal(intra_measure_depths(&scene, p, NULL), INTRA_OK);
    for (int k = 0; k < 1000; k++) {
        double theta = M_PI / 2 + M_PI * (k + 0.5) / 1000, r = r0 - height * pow((1 - cos(theta)) / 2, 2);
        lost += (r0 * r0 - r * r) / 2 * M_PI / 1000;
    }
    assert_float_equal(o->extent.depth_m, height, 0.0003);
    assert_float_equal(o->extent.section_loss_pct, 100 * lost / (M_PI * r0 * r0), 0.3);
    assert_float_equal(o->extent.volume_m3, lost * 0.55, 0.02 * lost); /* eleven sections */
    assert_true(isnan(p->observations[1].extent.depth_m));
    intra_record_fini(&record);
    intra_scene_fini(&scene);
}

/* Wall with a flat-topped deposit of 20 mm in the relief only, in a pipe whose axis is 3 mm off there. */
static void depth_from_the_relief(void **state)
{
    enum { ROWS = 942, STRIP = 256, COLS = 5 * STRIP };
    struct intra_scene scene;
    struct intra_record record;
    struct intra_inspection *p;
    struct intra_wall *wall = &scene.wall;
    const double from = 0.5, to = 0.9, clock0 = 2.7, clock1 = 3.6, r = 0.15, high = 0.02;
    (void)state;
    intra_scene_init(&scene);
    intra_record_init(&record);
    scene.nominal_diameter_m = 2 * r;
    scene.section_step_m = 0.05;
    for (int i = 0; i <= 26; i++)
        add_section(&scene, 0.05 * i, r, 0);
    wall->texel_m = 0.001;
    wall->perimeter_m = 2 * M_PI * r;
    wall->cut_rad = M_PI;
    wall->rows = ROWS;
    wall->cols = COLS;
    assert_int_equal(intra_raster_create("/tmp", ROWS, 4, STRIP, 8, &wall->colour, NULL), INTRA_OK);
    assert_int_equal(intra_raster_create("/tmp", ROWS, 4, STRIP, 8, &wall->relief, NULL), INTRA_OK);
    for (int strip = 0; strip < COLS / STRIP; strip++) {
        void *colour, *relief;
        assert_int_equal(intra_raster_strip(wall->colour, strip, &colour, NULL), INTRA_OK);
        assert_int_equal(intra_raster_strip(wall->relief, strip, &relief, NULL), INTRA_OK);
        memset(colour, 255, (size_t)ROWS * STRIP * 4);
        for (int row = 0; row < ROWS; row++)
            for (int c = 0; c < STRIP; c++) {
                double s = (strip * STRIP + c + 0.5) * wall->texel_m, theta = M_PI + 2 * M_PI * (row + 0.5) / ROWS;
                bool is_in = s > from && s < to && theta - (theta > 2 * M_PI ? 2 * M_PI : 0) > clock0 &&
                             theta - (theta > 2 * M_PI ? 2 * M_PI : 0) < clock1;
                ((float *)relief)[(size_t)row * STRIP + (size_t)c] =
                    (float)(0.003 * cos(theta - 0.5) - (is_in ? high : 0));
            }
    }
    assert_int_equal(intra_record_add_inspection(&record, &p, NULL), INTRA_OK);
    struct intra_observation *o = add(p, "BBC", from, to, clock0, clock1);
    o->extent.depth_m = NAN;
    assert_int_equal(intra_measure_depths(&scene, p, NULL), INTRA_OK);
    double loss = (r * r - (r - high) * (r - high)) / 2 * (clock1 - clock0);
    assert_float_equal(o->extent.depth_m, high, 0.0015);
    assert_float_equal(o->extent.section_loss_pct, 100 * loss / (M_PI * r * r), 0.3);
    assert_float_equal(o->extent.volume_m3, loss * (to - from), 0.04 * loss * (to - from));
    intra_record_fini(&record);
    intra_scene_fini(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(ovality_factor_by_hand), cmocka_unit_test(pipe_table),
                                       cmocka_unit_test(depth_of_a_deposit), cmocka_unit_test(depth_from_the_relief)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
