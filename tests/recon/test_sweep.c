/* Proves: in rendered pictures of a textured pipe that lies 0, 4 and 8 mm inside its section, the sweep finds the
 * radius to a millimetre at most sites and nowhere beside by more than it says; a grey pipe gives nothing; the same
 * bytes come out of one and three threads; pruning takes out what stands alone. Does not prove anything about light,
 * noise or wrong poses: the benches do (docs/benchmarks.md). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "core/image.h"
#include "core/video.h"
#include "recon/sweep.h"

#include <cmocka.h>
#include <math.h>
#include <string.h>

enum { ROWS = 480, COLS = 640, SITES = 60 };
static const double RADIUS = 0.15;

static struct intra_camera camera(void)
{
    struct intra_camera c;
    struct intra_error err;
    assert_int_equal(intra_camera_from_hfov(COLS, ROWS, 80 * M_PI / 180, &c, &err), INTRA_OK);
    return c;
}

/* The camera at `station` on the axis: x right (run -Y), y down (run -Z), z along (run X). */
static struct intra_pose pose_at(double station)
{
    struct intra_pose run_from_cam = {.r = {{{0, 0, 1}, {-1, 0, 0}, {0, -1, 0}}}, .t = {station, 0, 0}};
    return intra_pose_inverse(&run_from_cam);
}

static double texture(double s, double arc, double contrast)
{
    return 120 + contrast * (sin(700 * s + 3 * sin(130 * arc)) + sin(610 * arc + 4 * sin(170 * s)) +
                             sin(330 * s - 420 * arc) + sin(91 * s + 57 * arc));
}

static void render(const struct intra_camera *c, double station, double radius, double contrast,
                   struct intra_frame *out)
{
    struct intra_error err;
    memset(out, 0, sizeof *out);
    assert_int_equal(intra_image_u8_init(&out->y, ROWS, COLS, 1, &err), INTRA_OK);
    for (int r = 0; r < ROWS; r++)
        for (int k = 0; k < COLS; k++) {
            struct intra_vec3 ray;
            assert_true(intra_camera_unproject(c, (double[2]){k, r}, &ray));
            double across = hypot(ray.x, ray.y), theta = atan2(ray.x, -ray.y);
            double s = station + radius * ray.z / fmax(across, 1e-3);
            intra_row_u8(&out->y, r)[k] = (uint8_t)lround(texture(s, theta * RADIUS, contrast));
        }
}

static void make_sites(double station, struct intra_sweep_site *sites)
{
    for (int i = 0; i < SITES; i++) {
        double theta = 2 * M_PI * i / SITES;
        sites[i] = (struct intra_sweep_site){.station_m = station,
                                             .theta_rad = theta,
                                             .r_m = RADIUS,
                                             .centre = {station, 0, 0},
                                             .along = {1, 0, 0},
                                             .around = {0, -cos(theta), -sin(theta)},
                                             .out = {0, -sin(theta), cos(theta)}};
    }
}

static void sweep(double radius, double contrast, int threads, struct intra_radius_sample *out)
{
    struct intra_error err;
    struct intra_camera c = camera();
    struct intra_view_f32 light;
    struct intra_sweep *s = NULL;
    struct intra_sweep_options options = {RADIUS, threads};
    struct intra_sweep_site sites[SITES];
    assert_int_equal(intra_image_f32_init(&light, ROWS, COLS, 2, &err), INTRA_OK);
    for (int r = 0; r < ROWS; r++)
        for (int k = 0; k < 2 * COLS; k++)
            intra_row_f32(&light, r)[k] = 1;
    assert_int_equal(intra_sweep_create(&options, &c, &light, &s, &err), INTRA_OK);
    for (int i = 0; i < 8; i++) {
        struct intra_frame frame;
        struct intra_pose pose = pose_at(0.02 * i);
        render(&c, 0.02 * i, radius, contrast, &frame);
        assert_int_equal(intra_sweep_keep(s, &pose, 0.02 * i, &frame, &err), INTRA_OK);
        intra_image_u8_fini(&frame.y);
    }
    make_sites(0.14 + 0.26, sites);
    assert_true(intra_sweep_shows(s, &sites[0], 0));
    assert_false(intra_sweep_shows(s, &sites[0], 0.2));
    intra_sweep_measure(s, sites, SITES, out);
    intra_sweep_destroy(&s);
    assert_null(s);
    intra_image_f32_fini(&light);
}

static void check_radius(double radius)
{
    struct intra_radius_sample out[SITES];
    int found = 0, near = 0;
    sweep(radius, 12, 1, out);
    for (int i = 0; i < SITES; i++) {
        if (!(out[i].sd_m > 0)) continue;
        double off = fabs((double)out[i].r_m - radius);
        found++;
        near += off < 0.001;
        assert_true(off < 4 * hypot((double)out[i].sd_m, 0.0006));
        /* what was seen through the site on the section lies nearer to the camera */
        assert_true(fabs((double)out[i].station_m - (0.14 + 0.26 * radius / RADIUS)) < 0.003);
    }
    assert_true(found > SITES / 2);
    assert_true(near > found * 9 / 10);
}

static void sweep_section_itself(void **state)
{
    (void)state;
    check_radius(RADIUS);
}

static void sweep_deposit_of_4_and_8_mm(void **state)
{
    (void)state;
    check_radius(RADIUS - 0.004);
    check_radius(RADIUS - 0.008);
}

static void sweep_grey_wall_gives_nothing(void **state)
{
    struct intra_radius_sample out[SITES];
    (void)state;
    sweep(RADIUS, 0.1, 1, out);
    for (int i = 0; i < SITES; i++)
        assert_true(out[i].sd_m <= 0);
}

static void sweep_same_bytes_for_any_team(void **state)
{
    struct intra_radius_sample one[SITES], three[SITES];
    (void)state;
    sweep(RADIUS - 0.003, 12, 1, one);
    sweep(RADIUS - 0.003, 12, 3, three);
    assert_memory_equal(one, three, sizeof one);
}

static void prune_takes_what_stands_alone(void **state)
{
    struct intra_radius_sample s[30];
    struct intra_error err;
    int64_t n = 30;
    (void)state;
    for (int i = 0; i < 30; i++)
        s[i] = (struct intra_radius_sample){0.004f * (float)i, 3.1f, i == 11 ? 0.13f : 0.15f, 0.001f};
    assert_int_equal(intra_sweep_prune(s, &n, RADIUS, &err), INTRA_OK);
    assert_int_equal(n, 29);
    for (int i = 0; i < n; i++)
        assert_true(s[i].r_m > 0.14f);
    n = 1;
    assert_int_equal(intra_sweep_prune(s, &n, RADIUS, &err), INTRA_OK);
    assert_int_equal(n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sweep_section_itself),          cmocka_unit_test(sweep_deposit_of_4_and_8_mm),
        cmocka_unit_test(sweep_grey_wall_gives_nothing), cmocka_unit_test(sweep_same_bytes_for_any_team),
        cmocka_unit_test(prune_takes_what_stands_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
