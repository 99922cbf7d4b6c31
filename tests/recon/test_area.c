/* Strands of roots on a made patch of wall: brown lines of known width, blurred as a picture blurs them, on grey wall
 * (where they are browner than it) and on clay (where they are less brown). Proves that they are found on both with the
 * area that they cover, not that of their blur, and that bare wall has none. Does not prove it for strands that stand
 * off the wall: tests/bench/defects.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/mem.h"
#include "recon/locate_area.h"

#include <math.h>
#include <string.h>

static const double CELL_M = 0.001, RADIUS_M = 0.15, WIDTH_M = 0.005, LENGTH_M = 0.12, BLUR_M = 0.0012;
enum { ROWS = 942, COLS = 300, STRANDS = 5 };
static const double root[3] = {0.20, 0.12, 0.06}, grey[3] = {0.36, 0.345, 0.31}, clay[3] = {0.30, 0.125, 0.062};

/* -1 to 1, keyed by the cell. */
static double noise(int a, int b, unsigned key)
{
    uint64_t x = (uint64_t)(unsigned)a * 0x9E3779B97F4A7C15u + (uint64_t)(unsigned)b * 0xC2B2AE3D27D4EB4Fu + key;
    x ^= x >> 29;
    x *= 0xBF58476D1CE4E5B9u;
    x ^= x >> 32;
    return (double)(x & 0xffff) / 32767.5 - 1;
}

/* Share of a cell under strands: parallel ones, 15 mm apart, along the pipe. */
static double covered(int row, int col)
{
    double x = (col - COLS / 2) * CELL_M, most = 0, scale = BLUR_M * M_SQRT2;
    for (int k = 0; k < STRANDS; k++) {
        double y = (row - ROWS / 2) * CELL_M - 0.015 * (k - STRANDS / 2);
        double across = 0.5 * (erf((WIDTH_M / 2 - y) / scale) + erf((WIDTH_M / 2 + y) / scale));
        double along = 0.5 * (erf((LENGTH_M / 2 - x) / scale) + erf((LENGTH_M / 2 + x) / scale));
        most = fmax(most, across * along);
    }
    return most;
}

static void make_patch(struct intra_wall_patch *p, const double wall[3], bool has_roots)
{
    struct intra_error err;
    size_t n = (size_t)ROWS * COLS;
    *p = (struct intra_wall_patch){.rows = ROWS,
                                   .cols = COLS,
                                   .is_ring = true,
                                   .station0_m = 2,
                                   .ds_m = CELL_M,
                                   .theta0_rad = 0,
                                   .dtheta_rad = 2 * M_PI / ROWS,
                                   .radius_m = RADIUS_M,
                                   .views = 3};
    assert_int_equal(INTRA_ALLOC(p->light, n, &err), INTRA_OK);
    assert_int_equal(INTRA_ALLOC(p->red, n, &err), INTRA_OK);
    assert_int_equal(INTRA_ALLOC(p->blue, n, &err), INTRA_OK);
    assert_int_equal(INTRA_ALLOC(p->relief, n, &err), INTRA_OK);
    assert_int_equal(INTRA_ALLOC(p->resolution_m, n, &err), INTRA_OK);
    assert_int_equal(INTRA_ALLOC(p->seen, n, &err), INTRA_OK);
    assert_int_equal(INTRA_ALLOC(p->scratch, n, &err), INTRA_OK);
    for (int r = 0; r < ROWS; r++)
        for (int c = 0; c < COLS; c++) {
            int at = r * COLS + c;
            double tone = exp(0.08 * noise(r, c, 1) + 0.08 * noise(r / 4, c / 4, 2)),
                   share = has_roots ? covered(r, c) : 0;
            double rgb[3];
            for (int k = 0; k < 3; k++)
                rgb[k] = tone * (wall[k] + share * (root[k] - wall[k]));
            p->light[at] = (float)(0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2]);
            p->red[at] = (float)(log(rgb[0] / rgb[1]) + 0.01 * noise(r, c, 5));
            p->blue[at] = (float)(log(rgb[2] / rgb[1]) + 0.01 * noise(r, c, 6));
            p->resolution_m[at] = 0.001f;
            p->seen[at] = 1;
        }
}

static void find(const double wall[3], bool has_roots, struct intra_area *area, char why[96])
{
    struct intra_wall_patch p;
    struct intra_error err;
    struct intra_expected expected = {.station_m = 2 + COLS / 2 * CELL_M,
                                      .theta_rad = M_PI,
                                      .half_station_m = 0.05,
                                      .half_theta_rad = 0.3,
                                      .station_sd_m = 0.3,
                                      .theta_sd_rad = 0.5};
    struct intra_area_options o = {.is_loose = true, .least_m2 = 3e-4, .join_m = 0.025};
    make_patch(&p, wall, has_roots);
    assert_int_equal(intra_area_find(&p, &expected, &o, NULL, area, why, 96, &err), INTRA_OK);
    intra_wall_patch_fini(&p);
}

static void check_roots(const double wall[3])
{
    struct intra_area area;
    char why[96] = "";
    double want = STRANDS * WIDTH_M * LENGTH_M;
    find(wall, true, &area, why);
    assert_string_equal(why, "");
    assert_non_null(area.outline);
    assert_true(fabs(area.area_m2 / want - 1) < 0.1);
    assert_true(fabs(area.area_m2 - want) < 2 * area.area_sd_m2);
    assert_true(fabs((area.station_from_m + area.station_to_m) / 2 - 2 - COLS / 2 * CELL_M) < 0.003);
    intra_free(area.outline);
}

static void strands_on_grey_wall(void **state)
{
    (void)state;
    check_roots(grey);
}

static void strands_on_clay(void **state)
{
    (void)state;
    check_roots(clay);
}

static void bare_wall_has_none(void **state)
{
    struct intra_area area;
    char why[96] = "";
    (void)state;
    find(grey, false, &area, why);
    assert_null(area.outline);
    assert_true(strlen(why) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strands_on_grey_wall),
        cmocka_unit_test(strands_on_clay),
        cmocka_unit_test(bare_wall_has_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
