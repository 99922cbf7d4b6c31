/* Proves, on a made wall with a crack, a second crack and a stain at known places: distances, offsets, opposite surveys
 * and video times become the right stations; a time that contradicts the distance wins and is reported; a box in a
 * frame comes back through lens and pose to the wall it was projected from; the crack is found within millimetres with
 * its length and width; two records do not share one crack, nor keep each other's; a crack is not looked for among
 * roots; where there is nothing, the record's place stays. Does not prove: how well this goes on real walls
 * (tests/bench/defects.py measures it on simulated ones). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "core/defect_kind.h"
#include "core/mem.h"
#include "recon/locate.h"

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 942, COLS = 3000, STRIP = 256 };
static const double radius_m = 0.15, texel_m = 0.001;

static double noise(int r, int c)
{
    uint32_t x = (uint32_t)r * 0x9e3779b9u ^ (uint32_t)c * 0x85ebca6bu;
    x ^= x >> 15;
    x *= 0x2c1b3c6du;
    x ^= x >> 12;
    return (x & 0xffff) / 65536.0 - 0.5;
}

/* Coverage of a cell by a straight dark line of a width, with a blur of about a cell. */
static double line(double s, double arc, double s0, double arc0, double s1, double arc1, double width)
{
    double dx = s1 - s0, dy = arc1 - arc0, length = hypot(dx, dy);
    double along = ((s - s0) * dx + (arc - arc0) * dy) / length, off = fabs((s - s0) * dy - (arc - arc0) * dx) / length;
    if (along < 0 || along > length) return 0;
    double sigma = 0.0008, a = (width / 2 - off) / (sigma * M_SQRT2), b = (width / 2 + off) / (sigma * M_SQRT2);
    return 0.5 * (erf(a) + erf(b));
}

static uint8_t srgb(double v)
{
    v = v <= 0.0031308 ? 12.92 * v : 1.055 * pow(v, 1 / 2.4) - 0.055;
    return (uint8_t)lround(255 * fmin(1, fmax(0, v)));
}

/* Crack A: 0.3 m along the pipe at 2 o'clock from 1.0 m, 2.5 mm; crack B at 1.6 m, 2 to 5 o'clock; a brown stain of 0.1
 * x 0.08 m at 2.3 m, 9 o'clock; crack C at 2.45 m; strands of roots, brown and dark, at 2.78 m, 2 o'clock. */
static void make(struct intra_scene *scene)
{
    struct intra_wall *wall = &scene->wall;
    intra_scene_init(scene);
    scene->nominal_diameter_m = 2 * radius_m;
    scene->section_step_m = 0.05;
    assert_int_equal(intra_camera_from_hfov(640, 480, 80 * M_PI / 180, &scene->camera, NULL), INTRA_OK);
    for (int i = 0; i <= 60; i++) {
        struct intra_section s = {.station_m = 0.05 * i, .is_seen = true};
        s.centre = intra_vec3(0.05 * i, 0, 0);
        s.world_from_sec =
            intra_mat3_from_columns(intra_vec3(1, 0, 0), intra_vec3(0, -1, 0), intra_vec3(0, 0, 1)); /* right is -y */
        s.a[0] = radius_m;
        assert_int_equal(intra_scene_add_section(scene, &s, NULL), INTRA_OK);
    }
    for (int i = 0; i < 100; i++) {
        struct intra_frame_record f = {
            .index = i, .pts_s = 0.1 * i, .is_posed = true, .station_m = 0.025 * i, .station_sd_m = 0.001};
        /* camera: x right = -y, y down = -z, z forward = x; 10 mm off the axis */
        f.world_from_cam.r = intra_mat3_from_columns(intra_vec3(0, -1, 0), intra_vec3(0, 0, -1), intra_vec3(1, 0, 0));
        f.world_from_cam.t = intra_vec3(f.station_m, 0.01, -0.01);
        f.counter_m = NAN;
        assert_int_equal(intra_scene_add_frame(scene, &f, NULL), INTRA_OK);
    }
    wall->texel_m = texel_m;
    wall->perimeter_m = 2 * M_PI * radius_m;
    wall->cut_rad = M_PI;
    wall->rows = ROWS;
    wall->cols = COLS;
    assert_int_equal(intra_raster_create("/tmp", ROWS, 4, STRIP, 16, &wall->colour, NULL), INTRA_OK);
    for (int strip = 0; strip * STRIP < COLS; strip++) {
        void *cells;
        assert_int_equal(intra_raster_strip(wall->colour, strip, &cells, NULL), INTRA_OK);
        for (int r = 0; r < ROWS; r++)
            for (int c = 0; c < STRIP; c++) {
                uint8_t *p = (uint8_t *)cells + 4 * (r * STRIP + c);
                double s = (strip * STRIP + c + 0.5) * texel_m, theta = M_PI + 2 * M_PI * (r + 0.5) / ROWS;
                double arc = intra_wrap_pi(theta) * radius_m, light = 0.2 * (1 + 0.2 * noise(r, strip * STRIP + c));
                light *= 1 - 0.95 * line(s, arc, 1.0, 0.157, 1.3, 0.157, 0.0025);
                light *= 1 - 0.95 * line(s, arc, 1.6, 0.15, 1.75, 0.4, 0.002);
                light *= 1 - 0.95 * line(s, arc, 2.45, 0.2, 2.58, 0.26, 0.002);
                double strand = 0;
                for (int k = -2; k <= 2; k++)
                    strand = fmax(strand, line(s, arc, 2.7, 0.157 + 0.013 * k, 2.86, 0.157 + 0.013 * k, 0.004));
                light *= 1 - 0.8 * strand;
                bool is_stain = fabs(s - 2.3) < 0.05 && fabs(arc + M_PI / 2 * radius_m) < 0.04;
                p[0] = srgb(light);
                p[1] = srgb(light * (is_stain ? 0.7 : 1) * (1 - 0.4 * strand));
                p[2] = srgb(light * (is_stain ? 0.4 : 1) * (1 - 0.7 * strand));
                p[3] = 255;
            }
    }
}

static struct intra_observation *add(struct intra_record *record, const char *code, double distance_m, double hours)
{
    struct intra_observation *o;
    struct intra_inspection *in;
    if (!record->n_inspections) assert_int_equal(intra_record_add_inspection(record, &in, NULL), INTRA_OK);
    assert_int_equal(intra_inspection_add_observation(record->inspections, &o, NULL), INTRA_OK);
    assert_int_equal(intra_text_set(&o->code, code, NULL), INTRA_OK);
    o->system = INTRA_CODES_EN13508_2;
    o->distance_m = distance_m;
    o->clock_from_rad = intra_clock_from_hours(hours);
    return o;
}

static struct intra_observation *at(struct intra_record *record, int i)
{
    return &record->inspections->observations[i];
}

static void locate_by_distance_offset_and_direction(void **state)
{
    struct intra_scene scene;
    struct intra_record record;
    struct intra_locate_options o = intra_locate_defaults();
    (void)state;
    make(&scene);
    intra_record_init(&record);
    add(&record, "BAA", 1.2, 3)->distance_to_m = 1.4;
    add(&record, "BAA", 44, 3);
    add(&record, "BAA", NAN, 3);
    o.station_offset_m = 0.5;
    assert_int_equal(intra_locate_inspection(&scene, &o, record.inspections, NULL), INTRA_OK);
    assert_true(at(&record, 0)->place.is_placed);
    assert_float_equal(at(&record, 0)->place.recorded.station_from_m, 1.7, 1e-9);
    assert_float_equal(at(&record, 0)->place.recorded.station_to_m, 1.9, 1e-9);
    assert_float_equal(at(&record, 0)->place.recorded.clock_from_rad, M_PI / 2, 1e-9);
    assert_float_equal(at(&record, 0)->place.x.y, -radius_m, 1e-6); /* 3 o'clock is right */
    assert_false(at(&record, 1)->place.is_placed);
    assert_non_null(strstr(at(&record, 1)->place.reason, "outside"));
    assert_false(at(&record, 2)->place.is_placed);
    o.is_opposite = true;
    o.station_offset_m = 3;
    assert_int_equal(intra_locate_inspection(&scene, &o, record.inspections, NULL), INTRA_OK);
    assert_float_equal(at(&record, 0)->place.recorded.station_from_m, 1.6, 1e-9);
    assert_float_equal(at(&record, 0)->place.recorded.station_to_m, 1.8, 1e-9);
    assert_float_equal(at(&record, 0)->place.recorded.clock_from_rad, 3 * M_PI / 2, 1e-9);
    o = intra_locate_defaults();
    o.station_of = INTRA_STATION_OF_CAMERA; /* what is seen lies a diameter further on */
    assert_int_equal(intra_locate_inspection(&scene, &o, record.inspections, NULL), INTRA_OK);
    assert_float_equal(at(&record, 0)->place.recorded.station_from_m, 1.2 + 2 * radius_m, 1e-9);
    intra_record_fini(&record);
    intra_scene_fini(&scene);
}

static void locate_time_beats_a_wrong_distance(void **state)
{
    struct intra_scene scene;
    struct intra_record record;
    struct intra_locate_options o = intra_locate_defaults();
    (void)state;
    make(&scene);
    intra_record_init(&record);
    add(&record, "BAA", 1.2, 3)->time_s = 4.0; /* the camera is at 1.0, sees 1.3: agrees */
    add(&record, "BAA", 2.2, 3)->time_s = 4.0;
    add(&record, "BAA", NAN, 3)->time_s = 4.0;
    assert_int_equal(intra_locate_inspection(&scene, &o, record.inspections, NULL), INTRA_OK);
    assert_float_equal(at(&record, 0)->place.recorded.station_from_m, 1.2, 1e-9);
    assert_float_equal(at(&record, 1)->place.recorded.station_from_m, 1.3, 0.03);
    assert_non_null(strstr(at(&record, 1)->place.reason, "2.20"));
    assert_float_equal(at(&record, 2)->place.recorded.station_from_m, 1.3, 0.03);
    intra_record_fini(&record);
    intra_scene_fini(&scene);
}

/* Pixel of a wall point in a frame. */
static void project(const struct intra_scene *scene, const struct intra_frame_record *f, double s, double theta,
                    double px[2])
{
    struct intra_vec3 x;
    assert_true(intra_scene_wall_point(scene, s, theta, 0, &x, NULL));
    x = intra_mat3_tmul_vec(&f->world_from_cam.r, intra_sub(x, f->world_from_cam.t));
    assert_true(intra_camera_project(&scene->camera, x, px, NULL, NULL));
}

static void locate_box_of_a_frame(void **state)
{
    struct intra_scene scene;
    struct intra_record record;
    struct intra_frame_region *region;
    struct intra_locate_options o = intra_locate_defaults();
    const double corner[4][2] = {{1.5, 1.0}, {1.6, 1.0}, {1.6, 1.4}, {1.5, 1.4}};
    double s, theta, r;
    (void)state;
    make(&scene);
    intra_record_init(&record);
    struct intra_observation *seen = add(&record, "BAA", NAN, 12);
    assert_int_equal(intra_observation_add_region(seen, &region, NULL), INTRA_OK);
    region->frame = 48;      /* at 1.2 m */
    region->width_px = 1280; /* the labels were drawn on a picture twice as large */
    region->height_px = 960;
    double(*outline)[2] = intra_alloc(4, sizeof *outline);
    region->outline = outline;
    region->n_outline = 4;
    for (int i = 0; i < 4; i++) {
        double px[2];
        project(&scene, &scene.frames[48], corner[i][0], corner[i][1], px);
        outline[i][0] = 2 * (px[0] + 0.5) - 0.5;
        outline[i][1] = 2 * (px[1] + 0.5) - 0.5;
    }
    assert_int_equal(intra_locate_inspection(&scene, &o, record.inspections, NULL), INTRA_OK);
    seen = at(&record, 0);
    assert_true(seen->place.is_placed);
    assert_int_equal(seen->place.frame, 48);
    /* Edges that are straight in the picture bend on the wall, so that the box is a little larger than its corners. */
    assert_float_equal(seen->place.recorded.station_from_m, 1.5, 0.012);
    assert_float_equal(seen->place.recorded.station_to_m, 1.6, 0.012);
    assert_float_equal(seen->place.recorded.clock_from_rad, 1.0, 0.02);
    assert_float_equal(seen->place.recorded.clock_to_rad, 1.4, 0.02);
    struct intra_vec3 x;
    assert_true(intra_scene_wall_point(&scene, 1.234, 2.0, 0, &x, NULL));
    assert_true(intra_locate_point(&scene, x, 0.1, &s, &theta, &r));
    assert_float_equal(s, 1.234, 1e-6);
    assert_float_equal(theta, 2.0, 1e-6);
    assert_float_equal(r, radius_m, 1e-6);
    intra_record_fini(&record);
    intra_scene_fini(&scene);
}

static void refine_cracks_and_a_stain(void **state)
{
    struct intra_scene scene;
    struct intra_record record;
    struct intra_locate_options o = intra_locate_defaults();
    (void)state;
    make(&scene);
    intra_record_init(&record);
    add(&record, "BAB", 1.3, 3);  /* crack A is at 1.15, 2 o'clock */
    add(&record, "BAB", 1.42, 3); /* crack B is at 1.675; A's end is nearer */
    add(&record, "BBB", 2.1, 9);  /* the stain */
    add(&record, "BAB", 0.4, 7);  /* nothing there */
    assert_int_equal(intra_locate_inspection(&scene, &o, record.inspections, NULL), INTRA_OK);
    assert_int_equal(intra_locate_refine(&scene, record.inspections, NULL), INTRA_OK);
    const struct intra_observation *a = at(&record, 0), *b = at(&record, 1), *stain = at(&record, 2),
                                   *none = at(&record, 3);
    assert_true(a->place.is_refined && a->place.is_line);
    assert_float_equal(a->place.refined.station_from_m, 1.0, 0.004);
    assert_float_equal(a->place.refined.station_to_m, 1.3, 0.004);
    assert_float_equal(a->place.refined.clock_from_rad, M_PI / 3, 0.02);
    assert_float_equal(a->extent.length_m, 0.3, 0.005);
    assert_float_equal(a->extent.width_m, 0.0025, 0.0005);
    assert_true(fabs(a->extent.width_m - 0.0025) < 2.5 * a->extent.width_sd_m);
    assert_true(b->place.is_refined);
    assert_float_equal((b->place.refined.station_from_m + b->place.refined.station_to_m) / 2, 1.675, 0.005);
    assert_float_equal(b->extent.length_m, hypot(0.15, 0.25), 0.006);
    assert_true(stain->place.is_refined && !stain->place.is_line);
    assert_float_equal(stain->extent.area_m2, 0.1 * 0.08, 0.08 * 0.1 * 0.08);
    assert_float_equal((stain->place.refined.station_from_m + stain->place.refined.station_to_m) / 2, 2.3, 0.003);
    assert_float_equal(stain->extent.ring_share_pct, 100 * 0.08 / (2 * M_PI * radius_m), 1);
    assert_true(none->place.is_placed && !none->place.is_refined);
    assert_non_null(strstr(none->place.reason, "not refined"));
    assert_true(isnan(none->extent.length_m));
    intra_record_fini(&record);
    intra_scene_fini(&scene);
}

/* Both are nearer to the other's crack; the clock positions say which is whose. */
static void refine_records_that_cross(void **state)
{
    struct intra_scene scene;
    struct intra_record record;
    struct intra_locate_options o = intra_locate_defaults();
    (void)state;
    make(&scene);
    intra_record_init(&record);
    add(&record, "BAB", 1.6, 2); /* A, at 1.15 */
    add(&record, "BAB", 1.3, 2)->clock_to_rad = intra_clock_from_hours(5);
    assert_int_equal(intra_locate_inspection(&scene, &o, record.inspections, NULL), INTRA_OK);
    assert_int_equal(intra_locate_refine(&scene, record.inspections, NULL), INTRA_OK);
    for (int i = 0; i < 2; i++) {
        const struct intra_observation *seen = at(&record, i);
        double middle = (seen->place.refined.station_from_m + seen->place.refined.station_to_m) / 2;
        assert_true(seen->place.is_refined && seen->place.is_line);
        assert_float_equal(middle, i ? 1.675 : 1.15, 0.005);
        assert_float_equal(seen->extent.length_m, i ? hypot(0.15, 0.25) : 0.3, 0.006);
        assert_float_equal(seen->place.x.x, middle, 0.01);
        assert_float_equal(seen->place.recorded.station_from_m, i ? 1.3 : 1.6, 1e-9);
        assert_non_null(strstr(seen->place.reason, "; refined on the dark line visible there"));
    }
    intra_record_fini(&record);
    intra_scene_fini(&scene);
}

static void refine_a_crack_beside_roots(void **state)
{
    struct intra_scene scene;
    struct intra_record record;
    struct intra_locate_options o = intra_locate_defaults();
    (void)state;
    make(&scene);
    intra_record_init(&record);
    add(&record, "BAB", 2.72, 2.5); /* crack C is at 2.515; the strands are nearer */
    add(&record, "BBA", 2.9, 2);
    assert_int_equal(intra_locate_inspection(&scene, &o, record.inspections, NULL), INTRA_OK);
    assert_int_equal(intra_locate_refine(&scene, record.inspections, NULL), INTRA_OK);
    const struct intra_place *crack = &at(&record, 0)->place, *roots = &at(&record, 1)->place;
    assert_true(roots->is_refined && !roots->is_line);
    assert_float_equal(roots->refined.station_from_m, 2.7, 0.005);
    assert_true(crack->is_refined && crack->is_line);
    assert_float_equal((crack->refined.station_from_m + crack->refined.station_to_m) / 2, 2.515, 0.01);
    intra_record_fini(&record);
    intra_scene_fini(&scene);
}

static void kinds_of_codes(void **state)
{
    (void)state;
    assert_int_equal(intra_defect_kind_of(INTRA_CODES_PACP, "CL"), INTRA_DEFECT_CRACK);
    assert_int_equal(intra_defect_kind_of(INTRA_CODES_PACP, "DSGV"), INTRA_DEFECT_DEPOSIT);
    assert_int_equal(intra_defect_kind_of(INTRA_CODES_PACP, "MWL"), INTRA_DEFECT_OTHER);
    assert_int_equal(intra_defect_kind_of(INTRA_CODES_EN13508_2, "BAB"), INTRA_DEFECT_CRACK);
    assert_int_equal(intra_defect_kind_of(INTRA_CODES_EN13508_2, "BCA"), INTRA_DEFECT_LATERAL);
    assert_int_equal(intra_defect_kind_of(INTRA_CODES_OWN, "tree_Roots"), INTRA_DEFECT_ROOT);
    assert_int_equal(intra_defect_kind_of(INTRA_CODES_OWN, "Laengsriss"), INTRA_DEFECT_CRACK);
    assert_int_equal(intra_defect_kind_of(INTRA_CODES_PACP, NULL), INTRA_DEFECT_OTHER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(locate_by_distance_offset_and_direction),
                                       cmocka_unit_test(locate_time_beats_a_wrong_distance),
                                       cmocka_unit_test(locate_box_of_a_frame),
                                       cmocka_unit_test(refine_cracks_and_a_stain),
                                       cmocka_unit_test(refine_records_that_cross),
                                       cmocka_unit_test(refine_a_crack_beside_roots),
                                       cmocka_unit_test(kinds_of_codes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
