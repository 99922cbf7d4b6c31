/* Proves: a whole run gives the same bytes with one thread and with two; what truth says of colour, pose and layout is
 * what the pictures show (the wall's texture, projected through the truth's poses by this file's own arithmetic,
 * matches the picture best at zero shift); states and counters are as the script has them; a run that fails leaves
 * nothing behind. Does not prove: that light and noise are those of a real camera. */
#include "core/fileio.h"
#include "core/mem.h"
#include "tools/sim/simulate.h"

#include <math.h>
#include <png.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <tiffio.h>
#include <unistd.h>
#ifdef _OPENMP
#include <omp.h>
#endif

#include <cmocka.h>

#define PI 3.14159265358979323846

static char base[256];

static void run_scene(const char *json, const char *dir, int threads)
{
    struct intra_sim_scene s;
    struct intra_error err = {0};
    struct intra_sim_options o = {.dir = dir};
    struct intra_sim_result r;
#ifdef _OPENMP
    omp_set_num_threads(threads);
#else
    (void)threads;
#endif
    if (intra_sim_scene_parse(json, "test", &s, &err) != INTRA_OK) fail_msg("%s", err.text);
    if (intra_simulate(&s, &o, &r, &err) != INTRA_OK) fail_msg("%s", err.text);
    intra_sim_scene_fini(&s);
}

static const char *at(const char *dir, const char *name)
{
    static char path[4][600];
    static int next;
    next = (next + 1) % 4;
    snprintf(path[next], sizeof path[next], "%s/%s/%s", base, dir, name);
    return path[next];
}

static const char *const truth_files[] = {
    "camera.yaml",       "scene.json",       "truth/trajectory.tum", "truth/frames.csv", "truth/centreline.csv",
    "truth/radius.tif",  "truth/albedo.tif", "truth/resolution.tif", "truth/joints.csv", "truth/laterals.csv",
    "truth/defects.csv", "truth/water.csv",  "truth/truth.json"};

static void compare_files(const char *a, const char *b, const char *name)
{
    char *x, *y;
    size_t nx, ny;
    assert_int_equal(intra_read_file(at(a, name), 1u << 28, &x, &nx, NULL), INTRA_OK);
    assert_int_equal(intra_read_file(at(b, name), 1u << 28, &y, &ny, NULL), INTRA_OK);
    if (nx != ny || memcmp(x, y, nx) != 0) fail_msg("%s differs between one thread and two", name);
    assert_true(nx > 10);
    intra_free(x);
    intra_free(y);
}

#define THINGS                                                                                                         \
    "\"laterals\": [{\"station_m\": 0.9, \"kind\": \"protruding\"}], \"holes\": [{\"station_m\": 0.8, \"clock_deg\": " \
    "300}],"                                                                                                           \
    "\"roots\": [{\"station_m\": 1.0}], \"cracks\": [{\"station_m\": 0.7}], \"deposits\": [{\"from_m\": 0.8, "         \
    "\"to_m\": 1.2}],"                                                                                                 \
    "\"water\": [{\"from_m\": 0, \"to_m\": 2}], \"image\": {\"blur_samples\": 2, \"sharpen\": 0.3, \"dirt\": "         \
    "[{\"roll_deg_s\": 5}]},"                                                                                          \
    "\"motion\": {\"phases\": [{\"action\": \"drive\", \"duration_s\": 0.3}]}"

static void same_bytes_for_any_number_of_threads(void **state)
{
    static const struct {
        const char *json, *video;
    } runs[] = {
        {"{\"centreline\": [{\"straight_m\": 1}, {\"bend_deg\": 30}, {\"straight_m\": 0.5}], \"video\": {\"width\": "
         "160, \"height\": 122}," THINGS "}",
         "video.mp4"},
        {"{\"centreline\": [{\"straight_m\": 2}], \"video\": {\"width\": 162, \"height\": 120, \"interlaced\": true, "
         "\"codec\": \"mpeg2\"},"
         "\"lens\": {\"model\": \"kb\", \"hfov_deg\": 170}," THINGS "}",
         "video.mpg"},
    };
    (void)state;
    for (int k = 0; k < 2; k++) {
        char a[300], b[300], na[16], nb[16];
        snprintf(na, sizeof na, "one%d", k);
        snprintf(nb, sizeof nb, "two%d", k);
        snprintf(a, sizeof a, "%s/%s", base, na);
        snprintf(b, sizeof b, "%s/%s", base, nb);
        run_scene(runs[k].json, a, 1);
        run_scene(runs[k].json, b, 2);
        compare_files(na, nb, runs[k].video);
        for (size_t i = 0; i < sizeof truth_files / sizeof truth_files[0]; i++)
            compare_files(na, nb, truth_files[i]);
    }
}

/* ---- pictures against truth ---- */

struct picture {
    int width, height;
    float *v; /* mean of the channels, with the camera's curve taken off */
};

static struct picture read_png(const char *path)
{
    png_image image = {.version = PNG_IMAGE_VERSION};
    struct picture p;
    uint8_t *rgb;
    assert_true(png_image_begin_read_from_file(&image, path));
    image.format = PNG_FORMAT_RGB;
    rgb = malloc(PNG_IMAGE_SIZE(image));
    assert_true(png_image_finish_read(&image, NULL, rgb, 0, NULL));
    p.width = (int)image.width;
    p.height = (int)image.height;
    p.v = malloc(sizeof(float) * image.width * image.height);
    for (int i = 0; i < p.width * p.height; i++)
        p.v[i] = (float)pow((rgb[3 * i] + rgb[3 * i + 1] + rgb[3 * i + 2]) / 765.0 + 0.002, 2.2);
    free(rgb);
    return p;
}

struct map {
    int rows, cols, channels;
    double scale[2], top; /* metres per column and row, y of the top edge */
    uint8_t *cells;
};

static struct map read_tiff(const char *path, int bytes)
{
    TIFF *t = TIFFOpen(path, "r");
    struct map m = {0};
    uint16_t n = 0;
    double *v;
    uint8_t *tile = malloc(256 * 256 * 4);
    assert_non_null(t);
    TIFFGetField(t, TIFFTAG_IMAGEWIDTH, &m.cols);
    TIFFGetField(t, TIFFTAG_IMAGELENGTH, &m.rows);
    assert_true(TIFFGetField(t, 33550, &n, &v) && n == 3);
    m.scale[0] = v[0];
    m.scale[1] = v[1];
    assert_true(TIFFGetField(t, 33922, &n, &v) && n == 6 && v[3] == 0);
    m.top = v[4];
    m.cells = malloc((size_t)m.rows * (size_t)m.cols * (size_t)bytes);
    for (int y = 0; y < m.rows; y += 256)
        for (int x = 0; x < m.cols; x += 256) {
            assert_true(TIFFReadTile(t, tile, (uint32_t)x, (uint32_t)y, 0, 0) > 0);
            for (int r = y; r < y + 256 && r < m.rows; r++)
                for (int c = x; c < x + 256 && c < m.cols; c++)
                    memcpy(m.cells + (size_t)(r * m.cols + c) * (size_t)bytes, tile + ((r - y) * 256 + c - x) * bytes,
                           (size_t)bytes);
        }
    TIFFClose(t);
    free(tile);
    return m;
}

struct pose {
    double t[3], r[3][3];
};

static struct pose read_pose(const char *path, int line)
{
    FILE *f = fopen(path, "r");
    char text[400];
    double q[8], x, y, z, w;
    struct pose p;
    assert_non_null(f);
    for (int i = 0; i <= line; i++)
        assert_non_null(fgets(text, sizeof text, f));
    fclose(f);
    assert_int_equal(
        sscanf(text, "%lf %lf %lf %lf %lf %lf %lf %lf", &q[0], &q[1], &q[2], &q[3], &q[4], &q[5], &q[6], &q[7]), 8);
    memcpy(p.t, q + 1, sizeof p.t);
    x = q[4], y = q[5], z = q[6], w = q[7];
    p.r[0][0] = 1 - 2 * (y * y + z * z), p.r[0][1] = 2 * (x * y - z * w), p.r[0][2] = 2 * (x * z + y * w);
    p.r[1][0] = 2 * (x * y + z * w), p.r[1][1] = 1 - 2 * (x * x + z * z), p.r[1][2] = 2 * (y * z - x * w);
    p.r[2][0] = 2 * (x * z - y * w), p.r[2][1] = 2 * (y * z + x * w), p.r[2][2] = 1 - 2 * (x * x + y * y);
    return p;
}

enum { RINGS = 40, AROUND = 400 };
static const double pipe_radius = 0.15, focal = 330;

/* The picture's light where the wall's grid of points lies, pinhole; NAN outside. Station of ring i: s0 + 3.17 mm i
 * (not in step with the texels). */
static void sample_picture(const struct picture *im, const struct pose *p, double s0, float out[RINGS][AROUND])
{
    for (int i = 0; i < RINGS; i++)
        for (int k = 0; k < AROUND; k++) {
            double theta = 2 * PI * (k + 0.5) / AROUND,
                   w[3] = {s0 + 0.00317 * i, -pipe_radius * sin(theta), pipe_radius * cos(theta)}, c[3], u, v;
            int x, y;
            for (int a = 0; a < 3; a++) {
                c[a] = 0;
                for (int b = 0; b < 3; b++)
                    c[a] += p->r[b][a] * (w[b] - p->t[b]);
            }
            u = focal * c[0] / c[2] + 0.5 * (im->width - 1);
            v = focal * c[1] / c[2] + 0.5 * (im->height - 1);
            x = (int)floor(u);
            y = (int)floor(v);
            out[i][k] = NAN;
            if (c[2] < 0.05 || x < 1 || y < 1 || x >= im->width - 2 || y >= im->height - 2) continue;
            u -= x;
            v -= y;
            out[i][k] =
                (float)((1 - v) * ((1 - u) * im->v[y * im->width + x] + u * im->v[y * im->width + x + 1]) +
                        v * ((1 - u) * im->v[(y + 1) * im->width + x] + u * im->v[(y + 1) * im->width + x + 1]));
        }
}

/* The wall's own colour at the same points, shifted along s and around, averaged over 3 x 3 mm. */
static void sample_albedo(const struct map *m, double s0, double ds, double dy, float out[RINGS][AROUND])
{
    for (int i = 0; i < RINGS; i++)
        for (int k = 0; k < AROUND; k++) {
            double theta = 2 * PI * (k + 0.5) / AROUND, s = s0 + 0.00317 * i + ds, sum = 0;
            /* top row = 6 o'clock, clockwise downwards: distance from the top edge */
            double from_top = fmod(theta + PI, 2 * PI) * pipe_radius + dy;
            for (int a = -1; a <= 1; a++)
                for (int b = -1; b <= 1; b++) {
                    int c = (int)((s + a * 0.001) / m->scale[0]), r = (int)floor((from_top + b * 0.001) / m->scale[1]);
                    const uint8_t *px = m->cells + 3 * (size_t)(((r % m->rows) + m->rows) % m->rows * m->cols + c);
                    sum += pow((px[0] + px[1] + px[2]) / 765.0, 2.2);
                }
            out[i][k] = (float)(sum / 9);
        }
}

/* Each value over the mean of its neighbours around: what is left when light has fallen off. */
static void flatten(float v[RINGS][AROUND])
{
    for (int i = 0; i < RINGS; i++) {
        float old[AROUND];
        memcpy(old, v[i], sizeof old);
        for (int k = 0; k < AROUND; k++) {
            float sum = 0;
            for (int d = -10; d <= 10; d++)
                sum += old[(k + d + AROUND) % AROUND];
            v[i][k] = old[k] / (sum / 21) - 1;
        }
    }
}

static double correlation(float a[RINGS][AROUND], float b[RINGS][AROUND], int *n)
{
    double ab = 0, aa = 0, bb = 0;
    *n = 0;
    for (int i = 0; i < RINGS; i++)
        for (int k = 0; k < AROUND; k++)
            if (isfinite(a[i][k])) ab += a[i][k] * b[i][k], aa += a[i][k] * a[i][k], bb += b[i][k] * b[i][k], ++*n;
    return ab / sqrt(aa * bb + 1e-30);
}

/* Vertex of the parabola through three values at -1, 0, 1. */
static double vertex(double a, double b, double c)
{
    return (a - c) / (2 * (a - 2 * b + c));
}

static void truth_lies_on_the_picture(void **state)
{
    static float light[RINGS][AROUND], wall[RINGS][AROUND];
    const char *json =
        "{\"centreline\": [{\"straight_m\": 2}], \"joints\": {\"spacing_m\": 0}, \"video\": {\"width\": 480, "
        "\"height\": 360, \"codec\": \"png\"},"
        "\"lens\": {\"fx\": 330, \"k1\": 0}, \"pipe\": {\"dirt\": 0.2}, \"overlay\": {\"layout\": \"none\"},"
        "\"image\": {\"read_noise\": 0.5, \"shot_noise\": 0.5}, \"motion\": {\"start_m\": 0.5, \"wobble_m\": 0.01, "
        "\"wobble_deg\": 2,"
        "\"roll_deg\": 12, \"phases\": [{\"action\": \"drive\", \"duration_s\": 0.5}]}}";
    char dir[300];
    struct map albedo;
    (void)state;
    snprintf(dir, sizeof dir, "%s/look", base);
    run_scene(json, dir, 2);
    albedo = read_tiff(at("look", "truth/albedo.tif"), 3);
    assert_true(fabs(albedo.top - 2 * PI * pipe_radius) < 1e-9 && fabs(albedo.scale[0] - 0.001) < 1e-12);
    for (int frame = 0; frame <= 12; frame += 6) {
        char name[64];
        struct picture im;
        struct pose p = read_pose(at("look", "truth/trajectory.tum"), frame);
        double best, s_lo, s_hi, y_lo, y_hi, s0 = p.t[0] + 0.28;
        int n;
        snprintf(name, sizeof name, "frames/%06d.png", frame);
        im = read_png(at("look", name));
        sample_picture(&im, &p, s0, light);
        flatten(light);
#define TRY(ds, dy) (sample_albedo(&albedo, s0, ds, dy, wall), flatten(wall), correlation(light, wall, &n))
        best = TRY(0, 0);
        s_lo = TRY(-0.002, 0);
        s_hi = TRY(0.002, 0);
        y_lo = TRY(0, -0.002);
        y_hi = TRY(0, 0.002);
        print_message("frame %d: correlation %.3f over %d points; peak off by %.2f mm along, %.2f mm around\n", frame,
                      best, n, 2 * vertex(s_lo, best, s_hi), 2 * vertex(y_lo, best, y_hi));
        assert_true(n > RINGS * AROUND / 2);
        assert_true(best > 0.8);
        assert_true(best > s_lo && best > s_hi && best > y_lo && best > y_hi);
        assert_true(fabs(2 * vertex(s_lo, best, s_hi)) < 0.25 && fabs(2 * vertex(y_lo, best, y_hi)) < 0.15);
        free(im.v);
    }
    free(albedo.cells);
}

static int count_lines_with(const char *path, const char *word)
{
    FILE *f = fopen(path, "r");
    char line[400];
    int n = 0;
    assert_non_null(f);
    while (fgets(line, sizeof line, f))
        n += strstr(line, word) != NULL;
    fclose(f);
    return n;
}

static void states_follow_the_script(void **state)
{
    const char *json = "{\"centreline\": [{\"straight_m\": 3}], \"video\": {\"width\": 64, \"height\": 64, \"fps\": "
                       "10, \"codec\": \"ffv1\"},"
                       "\"laterals\": [{\"station_m\": 1}], \"holes\": [{\"station_m\": 2}],"
                       "\"motion\": {\"start_m\": 1, \"phases\": [{\"action\": \"title\", \"duration_s\": 0.5}, "
                       "{\"action\": \"drive\", \"duration_s\": 1},"
                       "{\"action\": \"stop\", \"duration_s\": 1}, {\"action\": \"pan\", \"pan_deg\": 90, \"move_s\": "
                       "0.2, \"duration_s\": 1},"
                       "{\"action\": \"reverse\", \"duration_s\": 1}, {\"action\": \"freeze\", \"duration_s\": 0.5}, "
                       "{\"action\": \"stop\", \"duration_s\": 0.5}]}}";
    char dir[300];
    const char *csv, *tum;
    struct map radius;
    int open_cells = 0, all;
    (void)state;
    snprintf(dir, sizeof dir, "%s/states", base);
    run_scene(json, dir, 2);
    csv = at("states", "truth/frames.csv");
    tum = at("states", "truth/trajectory.tum");
    all = count_lines_with(csv, ".");
    assert_int_equal(count_lines_with(csv, ",not_pipe,"), 5);
    assert_in_range(count_lines_with(csv, ",drive,"), 9, 11);
    assert_in_range(count_lines_with(csv, ",reverse,"), 9, 11);
    assert_in_range(count_lines_with(csv, ",pan,"), 11, 14);
    assert_int_equal(count_lines_with(csv, ",duplicate,"), 5);
    assert_int_equal(count_lines_with(tum, " "), all - 5); /* every frame that shows pipe has its pose */
    radius = read_tiff(at("states", "truth/radius.tif"), 4);
    for (int i = 0; i < radius.rows * radius.cols; i++)
        open_cells += isnan(((float *)(void *)radius.cells)[i]);
    /* a flush lateral of 150 mm cuts more than its own circle out of a wall of 300 mm */
    assert_in_range(open_cells, 4500, 7500);
    free(radius.cells);
}

/* ---- failures ---- */

static const char *const small = "{\"centreline\": [{\"straight_m\": 1}], \"video\": {\"width\": 64, \"height\": 64}, "
                                 "\"roots\": [{\"station_m\": 0.7}],"
                                 "\"motion\": {\"phases\": [{\"action\": \"drive\", \"duration_s\": 0.05}]}}";

static void an_existing_folder_is_refused(void **state)
{
    struct intra_sim_scene s;
    struct intra_error err = {0};
    struct intra_sim_options o = {.most_frames = 1};
    struct intra_sim_result r;
    char dir[300];
    (void)state;
    snprintf(dir, sizeof dir, "%s/mine", base);
    assert_int_equal(intra_make_dir(dir, NULL), INTRA_OK);
    fclose(fopen(at("mine", "precious.txt"), "w"));
    assert_int_equal(intra_sim_scene_parse(small, "small", &s, NULL), INTRA_OK);
    o.dir = dir;
    assert_int_equal(intra_simulate(&s, &o, &r, &err), INTRA_E_EXISTS);
    assert_non_null(strstr(err.text, "--force"));
    o.may_replace = true;
    assert_int_equal(intra_simulate(&s, &o, &r, &err), INTRA_OK);
    assert_true(intra_path_exists(at("mine", "precious.txt"))); /* what is not ours stays */
    o.dir = at("mine", "precious.txt/below");
    assert_int_not_equal(intra_simulate(&s, &o, &r, &err), INTRA_OK);
    intra_sim_scene_fini(&s);
}

static void a_full_disk_leaves_nothing(void **state)
{
    struct intra_sim_scene s;
    struct intra_error err = {0};
    struct intra_sim_options o = {.most_frames = 3};
    struct intra_sim_result r;
    struct rlimit was, tight;
    enum intra_status status;
    char dir[300];
    (void)state;
    snprintf(dir, sizeof dir, "%s/full", base);
    o.dir = dir;
    assert_int_equal(intra_sim_scene_parse(small, "small", &s, NULL), INTRA_OK);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &was);
    tight = was;
    tight.rlim_cur = 60000; /* the tables fit, the rasters do not */
    setrlimit(RLIMIT_FSIZE, &tight);
    status = intra_simulate(&s, &o, &r, &err);
    setrlimit(RLIMIT_FSIZE, &was);
    assert_int_equal(status, INTRA_E_IO);
    assert_non_null(strstr(err.text, dir));
    assert_false(intra_path_exists(dir));
    intra_sim_scene_fini(&s);
}

static void failing_allocations_are_survived(void **state)
{
    char dir[300];
    int failures = 0;
    (void)state;
    snprintf(dir, sizeof dir, "%s/nomem", base);
    for (long n = 1; n < 400; n += n < 40 ? 1 : 17) {
        struct intra_sim_scene s;
        struct intra_sim_options o = {.dir = dir};
        struct intra_sim_result r;
        enum intra_status status;
        assert_int_equal(intra_sim_scene_parse(small, "small", &s, NULL), INTRA_OK);
        intra_mem_fail_at(n, 1);
        status = intra_simulate(&s, &o, &r, NULL);
        intra_mem_fail_at(0, 0);
        intra_sim_scene_fini(&s);
        if (status == INTRA_OK) break;
        failures++;
        assert_int_equal(status, INTRA_E_MEM);
        assert_false(intra_path_exists(dir));
    }
    assert_true(failures > 20);
}

static int make_base(void **state)
{
    (void)state;
    snprintf(base, sizeof base, "/tmp/intra-sim-test-XXXXXX");
    return mkdtemp(base) ? 0 : -1;
}

static int remove_base(void **state)
{
    char command[300];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", base);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(same_bytes_for_any_number_of_threads),
                                       cmocka_unit_test(truth_lies_on_the_picture),
                                       cmocka_unit_test(states_follow_the_script),
                                       cmocka_unit_test(an_existing_folder_is_refused),
                                       cmocka_unit_test(a_full_disk_leaves_nothing),
                                       cmocka_unit_test(failing_allocations_are_survived)};
    return cmocka_run_group_tests(tests, make_base, remove_base);
}
