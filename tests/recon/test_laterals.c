/* Proves, on made walls: mouths are found with station, clock angle and diameter, at the crown, beside the cut, dark,
 * lit from one side, next to a joint, on brick; one that stands in is told by its rim, which must lie
 * where its end is seen, and may be small, and whose diameter the ring of its end shares or tells, the less of it is
 * seen the less; what lies within a mouth is none of its own; none on a wall without, on brick, for joints, patches
 * that are long or bulge inwards, half a mouth, a small hole, a stain in which most of the wall is measured, an unclear
 * or pale circle at the invert, what was seen coarsely or once; a dark one with fewer views or less of an edge is
 * found; failing allocations come back as errors. Does not prove how real mouths look. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "core/mem.h"
#include "core/raster.h"
#include "recon/laterals.h"
#include "recon/stub.h"

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const double radius_m = 0.15, texel_m = 0.001;
enum { ROWS = 942, STRIP = 256 };

enum shape { ROUND, LONG, HALF_ROUND };

struct made_spot {
    double station_m, clock_rad, diameter_m;
    double dark;   /* log luminance inside, */
    double slope;  /* and its change over the diameter along the pipe */
    double deep_m; /* relief inside; NaN: none measured */
    double rim_m;  /* relief of a rim of 10 mm around it; 0: the wall's */
    enum shape shape;
    double unmeasured; /* share of the inside without relief */
    double worn;       /* share of the edge that does not show */
};

struct made_wall {
    double length_m;
    struct made_spot spots[6];
    int n_spots;
    bool is_brick, has_joints;
    double grain_m, views; /* 0: 1 mm, 10 */
};

static double chance(uint32_t a, uint32_t b)
{
    uint32_t h = a * 0x9e3779b1u ^ (b + 0x7f4a7c15u) * 0x85ebca6bu;
    h = (h ^ h >> 15) * 0x2c1b3c6du;
    h = (h ^ h >> 12) * 0x297a2d39u;
    return (h ^ h >> 15) / 4294967296.0;
}

/* Log luminance: grain of 1 mm, blotches of 8 and 40 mm. */
static double texture(int row, int col)
{
    return 0.2 * (chance((uint32_t)row, (uint32_t)col) - 0.5) +
           0.15 * (chance((uint32_t)(row / 8), (uint32_t)(1000003 + col / 8)) - 0.5) +
           0.15 * (chance((uint32_t)(row / 40), (uint32_t)(2000003 + col / 40)) - 0.5);
}

static double mortar(double s, double arc)
{
    double course = floor(arc / 0.0725), along = fmod(s + (fmod(course, 2) != 0 ? 0.11 : 0), 0.22);
    return along < 0.01 || fmod(arc, 0.0725) < 0.01 ? 0.5 : 0;
}

/* How far outside the edge of a spot a point of the wall lies, over its radius; below 0 inside. */
static double outside(const struct made_spot *spot, double s, double theta)
{
    double turn = remainder(theta - spot->clock_rad, 2 * M_PI), r = 0.5 * spot->diameter_m;
    double x = (s - spot->station_m) / r, y = fabs(turn) < M_PI / 2 ? radius_m * sin(turn) / r : 9;
    if (spot->shape == LONG) x /= 2.5;
    if (spot->shape == HALF_ROUND && x > 0) return 9;
    return hypot(x, y) - 1;
}

/* Patches of its edge as bright as the wall, so that less of a circle is there to be found. */
static bool is_worn(const struct made_spot *spot, double s, double theta)
{
    double turn = remainder(theta - spot->clock_rad, 2 * M_PI);
    double angle = atan2(radius_m * sin(turn), s - spot->station_m);
    return fmod((angle + M_PI) / (2 * M_PI) * 8, 1) < spot->worn;
}

static void fill_cell(const struct made_wall *made, int row, int col, uint8_t colour[4], float *relief,
                      float coverage[2])
{
    double s = (col + 0.5) * texel_m, theta = M_PI + 2 * M_PI * (row + 0.5) / ROWS, light = texture(row, col);
    if (made->is_brick) light += mortar(s, (row + 0.5) * texel_m);
    if (made->has_joints && fabs(fmod(s, 0.5) - 0.25) < 0.004) light += 0.6;
    *relief = 0;
    for (int i = 0; i < made->n_spots; i++) {
        const struct made_spot *spot = &made->spots[i];
        double out = outside(spot, s, theta);
        if (out < 0 && out > -0.3 && is_worn(spot, s, theta)) continue;
        if (out < 0) {
            light = spot->dark + spot->slope * (s - spot->station_m) / spot->diameter_m + 0.2 * texture(row, col / 20);
            bool is_measured = chance((uint32_t)(row / 8), (uint32_t)(3000017 + col / 8)) >= spot->unmeasured;
            *relief = is_measured ? (float)spot->deep_m : NAN;
        } else if (out * 0.5 * spot->diameter_m < 0.01 && spot->rim_m != 0) {
            *relief = (float)spot->rim_m;
        }
    }
    memset(colour, (int)fmin(255, 90 * exp(light)), 3);
    colour[3] = 255;
    coverage[0] = made->grain_m > 0 ? (float)made->grain_m : 0.001f;
    coverage[1] = made->views > 0 ? (float)made->views : 10;
}

static struct intra_scene scene_of(const struct made_wall *made)
{
    struct intra_scene scene;
    intra_scene_init(&scene);
    struct intra_wall *wall = &scene.wall;
    scene.nominal_diameter_m = 2 * radius_m;
    wall->texel_m = texel_m;
    wall->perimeter_m = 2 * M_PI * radius_m;
    wall->cut_rad = M_PI;
    wall->rows = ROWS;
    wall->cols = (int64_t)lround(made->length_m / texel_m);
    for (int i = 0; i * 0.05 <= made->length_m; i++) {
        struct intra_section section = {.station_m = i * 0.05, .is_seen = true, .a = {radius_m}};
        assert_int_equal(intra_scene_add_section(&scene, &section, NULL), INTRA_OK);
    }
    assert_int_equal(intra_raster_create("/tmp", ROWS, 4, STRIP, 16, &wall->colour, NULL), INTRA_OK);
    assert_int_equal(intra_raster_create("/tmp", ROWS, 4, STRIP, 16, &wall->relief, NULL), INTRA_OK);
    assert_int_equal(intra_raster_create("/tmp", ROWS, 8, STRIP, 16, &wall->coverage, NULL), INTRA_OK);
    for (int64_t strip = 0; strip * STRIP < wall->cols; strip++) {
        void *colour, *relief, *coverage;
        assert_int_equal(intra_raster_strip(wall->colour, strip, &colour, NULL), INTRA_OK);
        assert_int_equal(intra_raster_strip(wall->relief, strip, &relief, NULL), INTRA_OK);
        assert_int_equal(intra_raster_strip(wall->coverage, strip, &coverage, NULL), INTRA_OK);
        for (int r = 0; r < ROWS; r++)
            for (int c = 0; c < STRIP; c++) {
                size_t at = (size_t)r * STRIP + (size_t)c;
                fill_cell(made, r, (int)strip * STRIP + c, (uint8_t *)colour + 4 * at, (float *)relief + at,
                          (float *)coverage + 2 * at);
            }
    }
    return scene;
}

static struct intra_scene laterals_of(const struct made_wall *made)
{
    struct intra_scene scene = scene_of(made);
    assert_int_equal(intra_laterals_find(&scene, 2, NULL, NULL, NULL), INTRA_OK);
    return scene;
}

static void assert_none(const struct made_wall *made)
{
    struct intra_scene scene = laterals_of(made);
    if (scene.n_features)
        fail_msg("a lateral of %.0f mm at %.3f m, %.0f degrees where there is none", 1e3 * scene.features[0].diameter_m,
                 scene.features[0].station_m, 180 / M_PI * scene.features[0].clock_rad);
    intra_scene_fini(&scene);
}

static void assert_found(const struct intra_scene *scene, const struct made_wall *made)
{
    assert_int_equal(scene->n_features, made->n_spots);
    for (int i = 0; i < made->n_spots; i++) {
        const struct intra_feature *f = &scene->features[i];
        const struct made_spot *spot = &made->spots[i];
        assert_int_equal(f->kind, INTRA_FEATURE_LATERAL);
        assert_true(fabs(f->station_m - spot->station_m) < fmin(0.008, 1.96 * f->station_sd_m));
        assert_true(fabs(remainder(f->clock_rad - spot->clock_rad, 2 * M_PI)) < 1.96 * f->clock_sd_rad &&
                    f->clock_sd_rad < 0.05);
        assert_true(f->clock_rad >= 0 && f->clock_rad < 2 * M_PI);
        assert_true(fabs(f->diameter_m / spot->diameter_m - 1) < 0.06 && f->diameter_sd_m > 0);
        assert_true(f->confidence > 0.5 && f->confidence <= 1);
        assert_true(isnan(f->station_to_m) && isnan(f->gap_m));
    }
}

static void around_the_pipe(void **state)
{
    struct made_wall made = {.length_m = 3.2,
                             .spots = {{0.45, 0, 0.1, -0.8, 0, NAN, 0, ROUND},
                                       {0.95, 1.2, 0.15, -0.6, 1.0, NAN, 0, ROUND},
                                       {1.5, M_PI - 0.2, 0.12, -0.8, 0, 0.02, 0, ROUND},
                                       {2.0, 4.9, 0.2, -0.9, 0, NAN, 0, ROUND},
                                       {2.6, 5.8, 0.08, 0.9, 0, NAN, 0, ROUND}},
                             .n_spots = 5};
    (void)state;
    for (int k = 0; k < 3; k++) {
        made.has_joints = k == 1, made.is_brick = k == 2;
        struct intra_scene scene = laterals_of(&made);
        assert_found(&scene, &made);
        for (int i = 0; i < scene.n_features; i++)
            assert_true(isnan(scene.features[i].intrusion_m));
        intra_scene_fini(&scene);
    }
}

static void one_that_stands_in(void **state)
{
    static const double seen_within_m[] = {0.03, -0.02}; /* its bore; the slanting side of its end */
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct made_wall made = {
            .length_m = 1.6, .spots = {{0.8, 1.0, 0.12, -0.8, 0, seen_within_m[i], -0.025, ROUND}}, .n_spots = 1};
        struct intra_scene scene = laterals_of(&made);
        assert_found(&scene, &made);
        assert_true(fabs(scene.features[0].intrusion_m - 0.025) < 1.96 * scene.features[0].intrusion_sd_m);
        intra_scene_fini(&scene);
    }
}

/* Its shadow behind it is as dark and round as a mouth; as far before it, or beside it, the same is one. */
static void shadow_of_a_stub(void **state)
{
    static const struct {
        double station_m, clock_rad;
        int n;
    } other[] = {{0.92, 1.0, 1}, {0.68, 1.0, 2}, {0.92, 2.0, 2}};
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct made_wall made = {.length_m = 1.6,
                                 .spots = {{0.8, 1.0, 0.12, -0.8, 0, 0.03, -0.035, ROUND},
                                           {other[i].station_m, other[i].clock_rad, 0.09, -0.8, 0, NAN, 0, ROUND}},
                                 .n_spots = 2};
        struct intra_scene scene = laterals_of(&made);
        assert_int_equal(scene.n_features, other[i].n);
        assert_true(fabs(scene.features[other[i].station_m < 0.8].station_m - 0.8) < 0.03);
        intra_scene_fini(&scene);
    }
}

/* Its bore seems too small for a connection; without a rim that stands in it is a hole. */
static void small_bore(void **state)
{
    (void)state;
    for (int stands_in = 0; stands_in < 2; stands_in++) {
        double deep = stands_in ? -0.025 : 0;
        struct made_wall made = {
            .length_m = 1.6,
            .spots = {{0.8, 1.0, 0.11, 0, 0, deep, 0, ROUND}, {0.8, 1.0, 0.066, -0.8, 0, NAN, 0, ROUND}},
            .n_spots = 2};
        struct intra_scene scene = laterals_of(&made);
        assert_int_equal(scene.n_features, stands_in);
        for (int64_t i = 0; i < scene.n_features; i++)
            assert_true(fabs(scene.features[i].intrusion_m - 0.025) < 1.96 * scene.features[i].intrusion_sd_m);
        intra_scene_fini(&scene);
    }
}

/* A bore that seems smaller than the ring of its end by two deviations is half hidden by it: the ring tells. Else both
 * do. */
static void ring_and_bore(void **state)
{
    const struct intra_stub stub = {.is_found = true, .radius_m = 0.05, .radius_sd_m = 0.003};
    static const double seen_m[] = {0.07, 0.094, 0.13};
    (void)state;
    for (int i = 0; i < 3; i++) {
        double diameter = seen_m[i], sd = 0.008;
        intra_stub_share_diameter(&stub, &diameter, &sd);
        double want = i == 0 ? 0.1 : (seen_m[i] / (0.008 * 0.008) + 0.1 / (0.006 * 0.006)) * 0.0048 * 0.0048;
        assert_true(fabs(diameter - want) < 1e-9 && fabs(sd - (i == 0 ? 0.006 : 0.0048)) < 1e-9);
    }
}

/* What the ring says of its radius is its own, however large the picture shows the mouth; of a third of a ring it is
 * little. */
static void third_of_a_ring(void **state)
{
    double sd[2] = {0};
    (void)state;
    for (int is_part = 0; is_part < 2; is_part++) {
        struct made_wall made = {.length_m = 1.6,
                                 .spots = {{0.8, 1.0, 0.1, 0, 0, -0.02, 0, ROUND},
                                           {0.8, 1.0, 0.08, 0, 0, NAN, 0, ROUND},
                                           {0.77, 1.0, 0.127, 0, 0, NAN, 0, ROUND}},
                                 .n_spots = is_part ? 3 : 2};
        struct intra_scene scene = scene_of(&made);
        for (double seen_m = 0.05; seen_m < 0.08; seen_m += 0.02) {
            struct intra_stub stub;
            assert_int_equal(intra_stub_find(&scene, 0.82, 1.0, seen_m, 0.005, &stub, NULL), INTRA_OK);
            assert_true(stub.is_found);
            assert_true(fabs(stub.radius_m - 0.045) < 1.5 * stub.radius_sd_m && stub.radius_m < 0.05);
            sd[is_part] = stub.radius_sd_m;
        }
        intra_scene_fini(&scene);
    }
    assert_true(sd[1] > 2 * sd[0]);
}

/* Seen as large as a connection, but the end that stands in is a small one. */
static void small_end(void **state)
{
    struct made_wall made = {.length_m = 1.6,
                             .spots = {{0.8, 1.0, 0.072, -0.8, 0, NAN, 0, ROUND},
                                       {0.8, 1.0, 0.044, -0.8, 0, -0.02, 0, ROUND},
                                       {0.8, 1.0, 0.03, -0.8, 0, NAN, 0, ROUND}},
                             .n_spots = 3};
    (void)state;
    assert_none(&made);
    made.n_spots = 1;
    struct intra_scene scene = laterals_of(&made);
    assert_int_equal(scene.n_features, 1);
    intra_scene_fini(&scene);
}

/* What stands in by a little, half a mouth before it, is not its end: that is seen displaced by as much as it stands
 * in. */
static void deposit_beside_a_mouth(void **state)
{
    struct made_wall made = {
        .length_m = 1.6,
        .spots = {{0.735, 1.0, 0.11, 0, 0, 0, -0.008, ROUND}, {0.8, 1.0, 0.12, -0.8, 0, NAN, 0, ROUND}},
        .n_spots = 2};
    struct intra_scene scene = laterals_of(&made);
    (void)state;
    assert_int_equal(scene.n_features, 1);
    if (!(fabs(scene.features[0].station_m - 0.8) < 0.008 && isnan(scene.features[0].intrusion_m)))
        fail_msg("at %.3f m, standing in by %.1f mm", scene.features[0].station_m, 1e3 * scene.features[0].intrusion_m);
    intra_scene_fini(&scene);
}

/* A mouth whose lit flank is a sharper circle than its own edge is still one mouth, of its own size. */
static void flank_within_a_mouth(void **state)
{
    struct made_wall made = {
        .length_m = 1.6,
        .spots = {{0.8, 1.0, 0.13, -0.45, 0, NAN, 0, ROUND}, {0.815, 1.1, 0.075, 0.9, 0, NAN, 0, ROUND}},
        .n_spots = 2};
    struct intra_scene scene = laterals_of(&made);
    (void)state;
    made.n_spots = 1;
    assert_found(&scene, &made);
    intra_scene_fini(&scene);
}

static void none_where_there_is_none(void **state)
{
    struct made_wall made = {.length_m = 3.2};
    (void)state;
    assert_none(&made);
    made.is_brick = true;
    assert_none(&made);
    made.is_brick = false, made.has_joints = true;
    assert_none(&made);
}

static void decoys(void **state)
{
    struct made_wall made = {.length_m = 3.2,
                             .spots = {{0.5, 1, 0.1, -0.8, 0, 0, 0, LONG},
                                       {1.1, 2, 0.1, -0.8, 0, -0.012, 0, ROUND}, /* bulges: a deposit */
                                       {1.7, 5, 0.12, -0.8, 0, NAN, 0, HALF_ROUND},
                                       {2.2, 0, 0.04, -0.9, 0, NAN, 0, ROUND},   /* a small hole */
                                       {2.7, 4, 0.14, -0.04, 0, NAN, 0, ROUND}, /* hardly darker than the wall */
                                       {2.7, 1, 0.12, -0.8, 0, 0, 0, ROUND}},   /* a stain: the wall is there */
                             .n_spots = 6};
    (void)state;
    assert_none(&made);
}

/* What the wall is measured in is none, even where a tenth of it is not. */
static void stain_with_gaps(void **state)
{
    struct made_wall made = {.length_m = 1.2, .spots = {{0.6, 1, 0.12, -0.8, 0, 0, 0, ROUND, 0.1}}, .n_spots = 1};
    (void)state;
    assert_none(&made);
    made.spots[0].unmeasured = 0.75; /* as in true mouths */
    struct intra_scene scene = laterals_of(&made);
    assert_found(&scene, &made);
    intra_scene_fini(&scene);
}

/* About the invert a circle must be clearer than elsewhere, and darker: debris has round ends. */
static void debris_at_the_invert(void **state)
{
    static const struct {
        double clock_rad, worn, dark;
        int n;
    } spots[] = {{0.2, 0, -0.8, 1},           {M_PI - 0.2, 0, -0.8, 1}, {0.2, 0.35, -0.8, 1},
                 {M_PI - 0.2, 0.35, -0.8, 0}, {0.2, 0, -0.2, 1},        {M_PI - 0.2, 0, -0.2, 0}};
    (void)state;
    for (size_t i = 0; i < sizeof spots / sizeof *spots; i++) {
        struct made_wall made = {.length_m = 1.2, .n_spots = 1};
        made.spots[0] =
            (struct made_spot){0.6, spots[i].clock_rad, 0.12, spots[i].dark, 0, NAN, 0, ROUND, 0, spots[i].worn};
        struct intra_scene scene = laterals_of(&made);
        if (scene.n_features != spots[i].n)
            fail_msg("%d laterals, not %d, %.0f degrees from the crown, %.2f of the edge worn, dark by %.1f",
                     (int)scene.n_features, spots[i].n, 180 / M_PI * spots[i].clock_rad, spots[i].worn, -spots[i].dark);
        intra_scene_fini(&scene);
    }
}

/* A dark one is believed with less: twice seen, or three times, or part of its edge worn. */
static void dark_mouth(void **state)
{
    static const struct {
        double views, worn, dark;
        int n;
    } spots[] = {{2, 0, -0.8, 1}, {2, 0, -0.3, 0},     {3, 0, -0.3, 1},
                 {3, 0, -0.2, 0}, {10, 0.45, -0.8, 1}, {10, 0.45, -0.3, 0}};
    (void)state;
    for (size_t i = 0; i < sizeof spots / sizeof *spots; i++) {
        struct made_wall made = {.length_m = 1.2, .n_spots = 1, .views = spots[i].views};
        made.spots[0] = (struct made_spot){0.6, 1, 0.12, spots[i].dark, 0, NAN, 0, ROUND, 0, spots[i].worn};
        struct intra_scene scene = laterals_of(&made);
        if (scene.n_features != spots[i].n)
            fail_msg("%d laterals, not %d, seen %.0f times, %.2f of the edge worn, dark by %.1f", (int)scene.n_features,
                     spots[i].n, spots[i].views, spots[i].worn, -spots[i].dark);
        intra_scene_fini(&scene);
    }
}

/* The far side of a bore is lit, and there the edge hardly shows: of what is darker than any brick less of it is
 * enough. */
static void lit_side_of_a_mouth(void **state)
{
    (void)state;
    for (int is_black = 0; is_black < 2; is_black++) {
        struct made_wall made = {.length_m = 1.2, .n_spots = 1};
        made.spots[0] = (struct made_spot){0.6, 1, 0.12, is_black ? -0.65 : -0.55, 1.55, NAN, 0, ROUND, 0, 0};
        struct intra_scene scene = laterals_of(&made);
        assert_int_equal(scene.n_features, is_black);
        intra_scene_fini(&scene);
    }
}

/* A mouth with a joint through it is none; beside a joint it is one, and where it is as dark as a hole the joint may
 * end at it. */
static void not_on_a_joint(void **state)
{
    static const struct {
        double off_m, dark, measured;
        int n;
    } joints[] = {{0.09, -0.8, 0, 1}, {0.05, -0.8, 0, 1}, {0.05, -0.3, 0, 0}, {0.02, -0.8, 0, 0}, {0.05, -0.8, 0.6, 0}};
    (void)state;
    for (size_t k = 0; k < sizeof joints / sizeof *joints; k++) {
        struct made_wall made = {.length_m = 1.6, .n_spots = 1};
        made.spots[0] = (struct made_spot){0.8, 1, 0.12, joints[k].dark, 0, 0.03, 0, ROUND, 1 - joints[k].measured, 0};
        struct intra_scene scene = scene_of(&made);
        struct intra_feature joint = intra_feature_unknown();
        int n = 0;
        joint.kind = INTRA_FEATURE_JOINT;
        joint.station_m = 0.8 + joints[k].off_m;
        assert_int_equal(intra_scene_add_feature(&scene, &joint, NULL), INTRA_OK);
        assert_int_equal(intra_laterals_find(&scene, 2, NULL, NULL, NULL), INTRA_OK);
        for (int64_t i = 0; i < scene.n_features; i++)
            n += scene.features[i].kind == INTRA_FEATURE_LATERAL;
        if (n != joints[k].n)
            fail_msg("%d laterals, not %d: joint %.0f mm beside, dark by %.1f, %.0f %% measured inside", n, joints[k].n,
                     1e3 * joints[k].off_m, -joints[k].dark, 100 * joints[k].measured);
        intra_scene_fini(&scene);
    }
}

/* The lit flank of a bore beside its black end: two mouths cannot overlap. */
static void halves_of_a_mouth(void **state)
{
    struct made_wall made = {
        .length_m = 1.6,
        .spots = {{0.8, 1.0, 0.08, -0.65, 0, NAN, 0, ROUND}, {0.87, 1.0, 0.075, -0.3, 0, NAN, 0, ROUND}},
        .n_spots = 2};
    struct intra_scene scene = laterals_of(&made);
    (void)state;
    assert_int_equal(scene.n_features, 1);
    intra_scene_fini(&scene);
}

static void must_be_seen_well(void **state)
{
    struct made_wall made = {.length_m = 1.6, .spots = {{0.8, 1.0, 0.12, -0.8, 0, NAN, 0, ROUND}}, .n_spots = 1};
    (void)state;
    made.grain_m = 0.01;
    assert_none(&made);
    made.grain_m = 0, made.views = 1;
    assert_none(&made);
}

static void failing_allocations(void **state)
{
    struct made_wall made = {.length_m = 0.6, .spots = {{0.3, 1.0, 0.12, -0.8, 0, NAN, 0, ROUND}}, .n_spots = 1};
    struct intra_scene scene = scene_of(&made);
    enum intra_status status = INTRA_E_MEM;
    int n = 0;
    (void)state;
    while (status != INTRA_OK) {
        assert_int_equal(scene.n_features, 0);
        intra_mem_fail_at(++n, 0);
        status = intra_laterals_find(&scene, 2, NULL, NULL, NULL);
        intra_mem_fail_at(0, 0);
        if (status != INTRA_OK) assert_int_equal(status, INTRA_E_MEM);
    }
    assert_true(n > 10);
    assert_int_equal(scene.n_features, 1);
    intra_scene_fini(&scene);
}

static void picture_for_debugging(void **state)
{
    struct made_wall made = {.length_m = 0.6, .spots = {{0.3, 1.0, 0.12, -0.8, 0, NAN, 0, ROUND}}, .n_spots = 1};
    struct intra_scene scene = scene_of(&made);
    char folder[] = "/tmp/laterals-XXXXXX", path[64], head[8] = {0};
    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(intra_laterals_find(&scene, 2, folder, NULL, NULL), INTRA_OK);
    snprintf(path, sizeof path, "%s/laterals.png", folder);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fread(head, 1, sizeof head, file), sizeof head);
    assert_memory_equal(head + 1, "PNG", 3);
    fclose(file);
    remove(path);
    rmdir(folder);
    struct intra_error err = {0};
    assert_int_equal(intra_laterals_find(&scene, 2, folder, NULL, &err), INTRA_E_IO);
    assert_non_null(strstr(err.text, "laterals.png"));
    intra_scene_fini(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(around_the_pipe),
        cmocka_unit_test(one_that_stands_in),
        cmocka_unit_test(shadow_of_a_stub),
        cmocka_unit_test(small_bore),
        cmocka_unit_test(ring_and_bore),
        cmocka_unit_test(third_of_a_ring),
        cmocka_unit_test(small_end),
        cmocka_unit_test(deposit_beside_a_mouth),
        cmocka_unit_test(flank_within_a_mouth),
        cmocka_unit_test(none_where_there_is_none),
        cmocka_unit_test(decoys),
        cmocka_unit_test(stain_with_gaps),
        cmocka_unit_test(debris_at_the_invert),
        cmocka_unit_test(must_be_seen_well),
        cmocka_unit_test(failing_allocations),
        cmocka_unit_test(picture_for_debugging),
        cmocka_unit_test(dark_mouth),
        cmocka_unit_test(lit_side_of_a_mouth),
        cmocka_unit_test(not_on_a_joint),
        cmocka_unit_test(halves_of_a_mouth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
