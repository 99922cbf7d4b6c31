#include "made_pair.h"

#include "core/store.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <tiffio.h>

#ifndef M_PI
#define M_PI 3.14159265358979323846
#endif

static const double diameter_m = 0.3, frame_step_m = 0.02, texel_m = 0.001;

struct made_pair made_pair_defaults(void)
{
    struct made_pair pair = {.length_m = 4, .scale = 1, .sd_m = 0.001};
    return pair;
}

static FILE *open_in(const char *folder, const char *name)
{
    char path[512];
    FILE *file;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "w");
    if (!file) abort();
    return file;
}

static double lattice(int64_t x, int64_t y, int salt)
{
    uint64_t h =
        (uint64_t)x * 0x9e3779b97f4a7c15u ^ (uint64_t)y * 0xc2b2ae3d27d4eb4fu ^ (uint64_t)salt * 0x165667b19e3779f9u;
    h = (h ^ h >> 31) * 0xd6e8feb86659fd93u;
    h = (h ^ h >> 32) * 0xd6e8feb86659fd93u;
    return (double)(h >> 11) / 9007199254740992.0 - 0.5;
}

/* Smooth noise with cells of `cell` metres; y repeats after `turns` cells. */
static double value_noise(double x, double y, double cell, int64_t turns, int salt)
{
    double fx = floor(x / cell), fy = floor(y / cell), kx = x / cell - fx, ky = y / cell - fy;
    int64_t ix = (int64_t)fx, iy = (int64_t)fy, y0 = ((iy % turns) + turns) % turns, y1 = (y0 + 1) % turns;
    kx = kx * kx * (3 - 2 * kx);
    ky = ky * ky * (3 - 2 * ky);
    return (1 - ky) * ((1 - kx) * lattice(ix, y0, salt) + kx * lattice(ix + 1, y0, salt)) +
           ky * ((1 - kx) * lattice(ix, y1, salt) + kx * lattice(ix + 1, y1, salt));
}

/* Brightness of the wall at station s and arc length a from the crown. */
static uint8_t texture(const struct made_pair *pair, double s, double a)
{
    double perimeter = M_PI * diameter_m, v = 128;
    if (pair->is_plain) return 128;
    for (int i = 0; i < 3; i++) {
        int64_t turns = (int64_t)(perimeter / (0.004 * (1 << i)));
        v += 60 * value_noise(s, a, perimeter / (double)turns, turns, i);
    }
    return (uint8_t)fmin(255, fmax(0, v));
}

static TIFF *open_tiff(const char *folder, const char *name, int cols, int rows, int samples, bool is_float,
                       double cell_x, double x_left)
{
    static const TIFFFieldInfo fields[] = {{33550, -1, -1, TIFF_DOUBLE, FIELD_CUSTOM, 1, 1, (char *)"ModelPixelScale"},
                                           {33922, -1, -1, TIFF_DOUBLE, FIELD_CUSTOM, 1, 1, (char *)"ModelTiepoint"}};
    double perimeter = M_PI * diameter_m;
    const double scale[3] = {cell_x, perimeter / rows, 0}, tie[6] = {0, 0, 0, x_left, perimeter, 0};
    char path[512];
    TIFF *tiff;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    tiff = TIFFOpen(path, "w");
    if (!tiff) abort();
    TIFFMergeFieldInfo(tiff, fields, 2);
    TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, cols);
    TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, rows);
    TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, samples);
    TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, is_float ? 32 : 8);
    TIFFSetField(tiff, TIFFTAG_SAMPLEFORMAT, is_float ? SAMPLEFORMAT_IEEEFP : SAMPLEFORMAT_UINT);
    TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, samples >= 3 ? PHOTOMETRIC_RGB : PHOTOMETRIC_MINISBLACK);
    TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
    TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, 1);
    TIFFSetField(tiff, 33550, 3, scale);
    TIFFSetField(tiff, 33922, 6, tie);
    return tiff;
}

static double theta_of_row(int row, int rows)
{
    return M_PI + 2 * M_PI * (row + 0.5) / rows;
}

static bool is_at_joint(const struct made_pair *pair, double s)
{
    return pair->has_joints && fabs(s - round(s)) < 0.005 && s > 0.5;
}

static void write_truth_rasters(const struct made_pair *pair, const char *folder)
{
    int rows = (int)lround(M_PI * diameter_m / texel_m), cols = (int)lround(pair->length_m / texel_m);
    int radius_cols = cols / 2, res_rows = rows / 5, res_cols = cols / 5;
    TIFF *albedo = open_tiff(folder, "albedo.tif", cols, rows, 3, false, texel_m, 0);
    TIFF *radius = open_tiff(folder, "radius.tif", radius_cols, rows, 1, true, 0.002, 0);
    TIFF *res = open_tiff(folder, "resolution.tif", res_cols, res_rows, 1, true, 0.005, 0);
    uint8_t *rgb = malloc((size_t)cols * 3);
    float *line = malloc((size_t)cols * sizeof *line);
    for (int row = 0; row < rows; row++) {
        double theta = theta_of_row(row, rows);
        for (int c = 0; c < cols; c++)
            memset(rgb + 3 * c, texture(pair, (c + 0.5) * texel_m, theta * diameter_m / 2), 3);
        TIFFWriteScanline(albedo, rgb, (uint32_t)row, 0);
        for (int c = 0; c < radius_cols; c++) {
            double s = (c + 0.5) * 0.002;
            double beside = fabs(remainder(theta - M_PI, 2 * M_PI)) / (M_PI / 4),
                   deposit = beside < 1 ? pow(cos(M_PI / 2 * beside), 2) : 0;
            line[c] = (float)(diameter_m / 2 * (1 - pair->ovality * cos(2 * theta)) - pair->lobes_m * cos(12 * theta) +
                              (is_at_joint(pair, s) ? 0.02 : 0) - pair->deposit_m * deposit);
        }
        TIFFWriteScanline(radius, line, (uint32_t)row, 0);
    }
    for (int row = 0; row < res_rows; row++) {
        /* The last half metre was never near. */
        for (int c = 0; c < res_cols; c++)
            line[c] = (c + 0.5) * 0.005 < pair->length_m - 0.5 ? 0.001f : 0.006f;
        TIFFWriteScanline(res, line, (uint32_t)row, 0);
    }
    TIFFClose(albedo);
    TIFFClose(radius);
    TIFFClose(res);
    free(rgb);
    free(line);
}

/* Quaternion of a camera that looks along +X, its top turned by roll clockwise from the crown (Z): columns of
 * world_from_cam are right (-Y), down (-Z), forward (X), turned about X by roll clockwise looking along +X. */
static void write_pose(FILE *file, double t, double x, double y, double z, double roll)
{
    /* roll 0: q = (w 0.5, x -0.5, y 0.5, z -0.5); clockwise looking along +X is a positive turn about +X. */
    double h = roll / 2, cw = cos(h), sw = sin(h);
    const double q[4] = {0.5, -0.5, 0.5, -0.5}; /* w x y z */
    double w = cw * q[0] - sw * q[1], qx = cw * q[1] + sw * q[0], qy = cw * q[2] - sw * q[3],
           qz = cw * q[3] + sw * q[2];
    fprintf(file, "%.6f %.9f %.9f %.9f %.12f %.12f %.12f %.12f\n", t, x, y, z, qx, qy, qz, w);
}

static int frame_count(const struct made_pair *pair)
{
    return (int)lround((pair->length_m - 0.5) / frame_step_m);
}

static void need(enum intra_status status)
{
    if (status != INTRA_OK) abort();
}

/* The counter drops what is finer than a centimetre. */
static double printed_m(int frame)
{
    return 0.01 * floor(100 * frame * frame_step_m + 1e-6);
}

static struct intra_camera true_lens(void)
{
    struct intra_camera lens = {
        .width = 640, .height = 480, .fx = 500, .fy = 500, .cx = 319.5, .cy = 239.5, .k = {-0.1}};
    need(intra_camera_finish(&lens, NULL));
    return lens;
}

static void write_store(const struct made_pair *pair, const char *folder)
{
    struct intra_store *store = NULL;
    struct intra_scene scene;
    char path[300], text[40];
    if (!(pair->focal_scale > 0)) return;
    snprintf(path, sizeof path, "%s/project.sqlite", folder);
    snprintf(text, sizeof text, "%.6f", pair->measured_diameter_m);
    intra_scene_init(&scene);
    scene.camera = true_lens();
    scene.camera.fx *= pair->focal_scale;
    scene.camera.fy *= pair->focal_scale;
    scene.camera.focal_sd_rel = 0.01;
    need(intra_store_create(path, &store, NULL));
    need(intra_store_write_scene(store, &scene, NULL));
    need(intra_store_write_meta(store, "measured_diameter_m", text, NULL));
    need(intra_store_write_meta(store, "measured_diameter_sd_m", "0.0005", NULL));
    if (pair->has_warning) need(intra_store_write_warning(store, "beware", NULL));
    need(intra_store_commit(store, NULL));
    intra_store_close(&store);
    intra_scene_fini(&scene);
}

static void write_truth_tables(const struct made_pair *pair, const char *folder)
{
    FILE *file = open_in(folder, "truth.json");
    int frames = frame_count(pair);
    fprintf(file,
            "{\"nominal_diameter_m\": %.6f, \"length_m\": %.6f, \"fps\": 25, \"width\": 640, \"height\": 480,\n"
            "\"lens\": {\"model\": \"brown\", \"fx\": 500, \"fy\": 500, \"cx\": 319.5, \"cy\": 239.5, \"k\": [-0.1, 0, "
            "0, 0, 0]}}\n",
            diameter_m, pair->length_m);
    fclose(file);
    file = open_in(folder, "centreline.csv");
    fprintf(file, "station_m,x,y,z,tx,ty,tz,heading_deg,grade_pct\n");
    for (int i = 0; i * 0.01 <= pair->length_m; i++)
        fprintf(file, "%.3f,%.3f,0,0,1,0,0,0,0\n", i * 0.01, i * 0.01);
    fclose(file);
    file = open_in(folder, "frames.csv");
    fprintf(file, "index,t,state,station_m,shows_pipe,counter_m,counter_text,zoom\n");
    for (int i = 0; i < frames; i++)
        fprintf(file, "%d,%.6f,%s,%.6f,1,%.4f,LZ1: %.2f m,1\n", i, i / 25.0,
                i >= pair->pan_from && i < pair->pan_to ? "pan" : "drive", i * frame_step_m, printed_m(i),
                printed_m(i));
    fclose(file);
    file = open_in(folder, "trajectory.tum");
    for (int i = 0; i < frames; i++)
        write_pose(file, i / 25.0, i * frame_step_m, 0, 0, 0.1 * sin(i * 0.05));
    fclose(file);
    file = open_in(folder, "joints.csv");
    fprintf(file, "station_m,gap_m,depth_m,offset_m,offset_clock_deg,deflection_deg,deflection_clock_deg\n");
    for (int i = 1; pair->has_joints && i < pair->length_m; i++)
        fprintf(file, "%d,0.01,0.02,0.004,90,0.5,90\n", i);
    fclose(file);
}

static void write_observations(const struct made_pair *pair, const char *folder)
{
    FILE *table = open_in(folder, "observations.csv");
    double turn = pair->roll_shift_rad, clock = fmod(3 + turn * 6 / M_PI + 24, 12);
    fprintf(table,
            "id,kind,station_from_m,width_mm,source,station_sd_m,offset_mm,offset_clock,deflection_deg,offset_sd_mm\n");
    for (int i = 1 + pair->joints_missed; pair->has_joints && i < pair->length_m; i++)
        fprintf(table, "joint-%d,joint,%.4f,%.3f,found,%.4f,%.3f,%.4f,0.5,%.3f\n", i,
                i * pair->scale + pair->station_shift_m + pair->joint_station_m, 1e3 * (0.01 + pair->joint_gap_m),
                pair->sd_m, 1e3 * (0.004 + pair->joint_offset_m), clock, 1e3 * pair->sd_m);
    for (int i = 0; i < pair->joints_invented; i++)
        fprintf(table, "joint-x%d,joint,%.4f,8,found,0.001,,,,\n", i, (i + 0.5) * pair->scale + pair->station_shift_m);
    fprintf(table, "w,water,0.5,,found,,,,,\n"); /* no joint */
    fclose(table);
}

static void write_result_tables(const struct made_pair *pair, const char *folder)
{
    FILE *tum = open_in(folder, "trajectory.tum"), *table = open_in(folder, "frames.csv");
    double d = 1e3 * (diameter_m + pair->diameter_error_m), oval = 1e3 * diameter_m * pair->ovality;
    int frames = frame_count(pair);
    fprintf(table, "index,t,state,station_m,station_sd_m,counter_m,segment\n");
    for (int i = 0; i < frames; i++) {
        double s = i * frame_step_m * pair->scale + pair->station_shift_m + (i >= pair->lost_to ? pair->jump_m : 0),
               side = i % 2 ? pair->position_noise_m : -pair->position_noise_m;
        bool is_lost = i >= pair->lost_from && i < pair->lost_to, is_pan = i >= pair->pan_from && i < pair->pan_to;
        if (is_lost || is_pan) {
            fprintf(table, "%d,%.6f,%s,,,,\n", i, i / 25.0, is_lost ? "lost" : "pan");
            continue;
        }
        char counter[32] = "";
        bool is_empty = pair->counter_empty_each && i % pair->counter_empty_each < 6;
        if (i % 5 == 0 && !is_empty)
            snprintf(counter, sizeof counter, "%.3f",
                     printed_m(i) + (pair->counter_wrong_each && i % pair->counter_wrong_each == 0 ? 0.01 : 0));
        fprintf(table, "%d,%.6f,drive,%.6f,%.6f,%s,%d\n", i, i / 25.0, s, pair->sd_m, counter,
                pair->lost_to > pair->lost_from && i >= pair->lost_to);
        write_pose(tum, i / 25.0, s, side, 0, 0.1 * sin(i * 0.05) + pair->roll_shift_rad);
    }
    fclose(tum);
    fclose(table);
    table = open_in(folder, "profile.csv");
    fprintf(
        table,
        "station_m,diameter_min_mm,diameter_max_mm,diameter_mean_mm,ovality_pct,ovality_max_pct,heading_deg,grade_pct,"
        "diameter_min_mm_sd,diameter_max_mm_sd,diameter_mean_mm_sd,ovality_pct_sd,ovality_max_pct_sd\n");
    for (double s = 0.025; s < pair->length_m; s += 0.05)
        fprintf(table, "%.4f,%.4f,%.4f,%.4f,%.4f,%.4f,0,0,%.4f,%.4f,%.4f,%.4f,%.4f\n",
                s * pair->scale + pair->station_shift_m + (s >= pair->lost_to * frame_step_m ? pair->jump_m : 0),
                d - oval, d + oval, d, 100 * oval / d, 100 * oval / d, 1e3 * pair->sd_m, 1e3 * pair->sd_m,
                1e3 * pair->sd_m, 0.1, 0.1);
    fclose(table);
}

/* The wall as a result with these poses would draw it, plus its own mistake in the texture. */
static void write_result_rasters(const struct made_pair *pair, const char *folder)
{
    double cell = pair->fine_texel_m > 0 ? pair->fine_texel_m : texel_m;
    int rows = (int)lround(M_PI * diameter_m / cell),
        cols = (int)lround((pair->length_m * pair->scale + pair->jump_m) / cell);
    TIFF *colour = open_tiff(folder, "unrolled.tif", cols, rows, 4, false, cell, pair->station_shift_m);
    TIFF *coverage = open_tiff(folder, "coverage.tif", cols, rows, 2, true, cell, pair->station_shift_m);
    TIFF *relief = open_tiff(folder, "relief.tif", cols, rows, 1, true, cell, pair->station_shift_m);
    uint8_t *rgba = malloc((size_t)cols * 4);
    float *line = malloc((size_t)cols * 2 * sizeof *line);
    for (int row = 0; row < rows; row++) {
        bool is_seen = !((row + 0.5) / rows >= pair->unseen_from && (row + 0.5) / rows < pair->unseen_to);
        double arc = (theta_of_row(row, rows) - pair->roll_shift_rad) * diameter_m / 2 - pair->texture_around_m;
        for (int c = 0; c < cols; c++) {
            double s = (c + 0.5) * cell, true_s;
            bool is_after = s >= pair->lost_to * frame_step_m + pair->jump_m;
            bool is_in_gap = pair->jump_m > 0 && !is_after && s >= pair->lost_from * frame_step_m;
            true_s = (s - (is_after ? pair->jump_m : 0)) / pair->scale;
            true_s -= pair->texture_along_m + pair->texture_wave_m * sin(M_PI * true_s);
            memset(rgba + 4 * c, texture(pair, true_s, arc), 3);
            rgba[4 * c + 3] = is_seen && !is_in_gap ? 255 : 0;
            line[2 * c] = is_seen && !is_in_gap ? 0.001f : 0;
            line[2 * c + 1] = is_seen && !is_in_gap ? 5 : 0;
        }
        TIFFWriteScanline(colour, rgba, (uint32_t)row, 0);
        TIFFWriteScanline(coverage, line, (uint32_t)row, 0);
        for (int c = 0; c < cols; c++)
            line[c] = is_seen
                          ? (float)(-pair->relief_lobes_m * cos(12 * (theta_of_row(row, rows) - pair->roll_shift_rad)))
                          : NAN;
        TIFFWriteScanline(relief, line, (uint32_t)row, 0);
    }
    TIFFClose(colour);
    TIFFClose(coverage);
    TIFFClose(relief);
    free(rgba);
    free(line);
}

void made_pair_write(const struct made_pair *pair, const char *folder)
{
    char truth[256], out[256];
    snprintf(truth, sizeof truth, "%s/truth", folder);
    snprintf(out, sizeof out, "%s/out", folder);
    mkdir(truth, 0777);
    mkdir(out, 0777);
    write_truth_tables(pair, truth);
    write_truth_rasters(pair, truth);
    write_result_tables(pair, out);
    write_observations(pair, out);
    write_store(pair, out);
    write_result_rasters(pair, out);
}
