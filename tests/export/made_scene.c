#include "made_scene.h"

#include "core/mem.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const struct made_mark made_marks[MADE_MARKS] = {
    {0.50, -M_PI / 2, 0.04, {30, 60, 230}, "blue at 9 o'clock"},
    {1.00, M_PI / 2, 0.04, {230, 30, 30}, "red at 3 o'clock"},
    {1.20, M_PI, 0.04, {240, 220, 20}, "yellow at 6 o'clock, over the cut"},
    {1.50, 0, 0.04, {20, 200, 40}, "green at 12 o'clock"},
};
const struct made_mark made_hole = {0.75, M_PI / 3, 0.05, {0, 0, 0}, "unseen"};

struct made_pipe made_pipe_defaults(void)
{
    struct made_pipe pipe = {.diameter_m = 0.3,
                             .length_m = 4,
                             .texel_m = 0.002,
                             .start_m = 0,
                             .gap_from_m = 2.3,
                             .gap_to_m = 2.8,
                             .curvature = 0.04,
                             .oval = 0.03,
                             .relief_m = 0.003,
                             .is_rough = true};
    return pipe;
}

static void check(enum intra_status status, const struct intra_error *err)
{
    if (status == INTRA_OK) return;
    fprintf(stderr, "made scene: %s\n", err->text);
    abort();
}

static bool is_on(const struct made_mark *mark, const struct made_pipe *pipe, double station, double theta)
{
    double arc = intra_wrap_pi(theta - mark->theta_rad) * pipe->diameter_m / 2;
    return fabs(station - pipe->start_m - mark->station_m) < mark->half_m && fabs(arc) < mark->half_m;
}

static bool is_in_gap(const struct made_pipe *pipe, double station)
{
    return station - pipe->start_m > pipe->gap_from_m && station - pipe->start_m < pipe->gap_to_m;
}

double made_relief(const struct made_pipe *pipe, double station_m, double theta_rad)
{
    return pipe->relief_m * sin(2 * M_PI * station_m / 0.4) * cos(3 * theta_rad);
}

/* Noise keyed by the cell: the same whatever the order of painting. */
static unsigned noise(int64_t col, int row)
{
    uint64_t x = (uint64_t)col * 0x9E3779B97F4A7C15u + (uint64_t)row * 0xC2B2AE3D27D4EB4Fu;
    x ^= x >> 29;
    x *= 0xBF58476D1CE4E5B9u;
    x ^= x >> 32;
    return (unsigned)(x & 31);
}

static void paint_cell(const struct made_pipe *pipe, int64_t col, int row, double station, double theta,
                       uint8_t rgba[4])
{
    unsigned grain = pipe->is_rough ? noise(col, row) : 16;
    const uint8_t wall[3] = {(uint8_t)(140 + grain), (uint8_t)(125 + grain), (uint8_t)(105 + grain)};
    int i;
    memcpy(rgba, wall, 3);
    rgba[3] = 255;
    for (i = 0; i < MADE_MARKS; i++)
        if (is_on(&made_marks[i], pipe, station, theta)) memcpy(rgba, made_marks[i].rgb, 3);
    if (is_on(&made_hole, pipe, station, theta)) memset(rgba, 0, 4);
}

static void paint_strip(struct intra_scene *scene, const struct made_pipe *pipe, int64_t strip, int strip_cols)
{
    struct intra_wall *wall = &scene->wall;
    struct intra_error err = {0};
    void *colour, *relief, *coverage;
    int row, x;
    check(intra_raster_strip(wall->colour, strip, &colour, &err), &err);
    check(intra_raster_strip(wall->relief, strip, &relief, &err), &err);
    check(intra_raster_strip(wall->coverage, strip, &coverage, &err), &err);
    for (row = 0; row < wall->rows; row++) {
        for (x = 0; x < strip_cols; x++) {
            size_t cell = (size_t)row * (size_t)strip_cols + (size_t)x;
            int64_t col = strip * strip_cols + x;
            double station = wall->station0_m + ((double)col + 0.5) * wall->texel_m;
            double theta = wall->cut_rad + 2 * M_PI * (row + 0.5) / wall->rows;
            uint8_t *rgba = (uint8_t *)colour + 4 * cell;
            bool is_seen;
            if (col < wall->cols && !is_in_gap(pipe, station)) paint_cell(pipe, col, row, station, theta, rgba);
            is_seen = rgba[3] != 0;
            ((float *)relief)[cell] = is_seen ? (float)made_relief(pipe, station, theta) : NAN;
            ((float *)coverage)[2 * cell] = is_seen ? (float)(0.001 + 0.0005 * station) : 0;
            ((float *)coverage)[2 * cell + 1] = is_seen ? (float)(3 + col % 5) : 0;
        }
    }
}

/* Point and directions of the axis `s` metres behind the start. */
static struct intra_vec3 axis_at(const struct made_pipe *pipe, double s, struct intra_vec3 *along,
                                 struct intra_vec3 *right)
{
    double turn = pipe->curvature * s;
    struct intra_vec3 centre = fabs(pipe->curvature) > 0
                                   ? intra_vec3(sin(turn) / pipe->curvature, (1 - cos(turn)) / pipe->curvature, 0)
                                   : intra_vec3(s, 0, 0);
    centre.x += pipe->world_x_m;
    *along = intra_vec3(cos(turn), sin(turn), 0);
    *right = intra_vec3(sin(turn), -cos(turn), 0);
    return centre;
}

static void add_sections(struct intra_scene *scene, const struct made_pipe *pipe)
{
    struct intra_error err = {0};
    int64_t n = llround(pipe->length_m / scene->section_step_m), i;
    for (i = 0; i <= n; i++) {
        struct intra_section section = {0};
        double s = (double)i * scene->section_step_m, turn = pipe->curvature * s;
        struct intra_vec3 along, right, crown = {0, 0, 1};
        section.station_m = pipe->start_m + s;
        section.centre = axis_at(pipe, s, &along, &right);
        section.world_from_sec = intra_mat3_from_columns(along, right, crown);
        section.is_seen = !is_in_gap(pipe, section.station_m);
        section.a[0] = pipe->diameter_m / 2;
        section.a[2] = pipe->oval * section.a[0];
        intra_section_measure(&section);
        section.diameter_min_sd_m = section.diameter_max_sd_m = 0.0012;
        section.diameter_mean_sd_m = section.perimeter_sd_m = 0.0008;
        section.ovality_sd_pct = section.ovality_max_sd_pct = 0.4;
        section.min_clock_sd_rad = 0.1;
        section.water_level_pct = section.water_level_sd_pct = NAN;
        section.heading_rad = turn;
        section.heading_sd_rad = 0.002;
        section.grade_pct = 0;
        section.grade_sd_pct = 0.1;
        section.centre_sd_m = intra_vec3(0.01, 0.002, 0.003);
        check(intra_scene_add_section(scene, &section, &err), &err);
    }
}

static void add_frames(struct intra_scene *scene, const struct made_pipe *pipe)
{
    struct intra_error err = {0};
    int i;
    for (i = 0; i < 100; i++) {
        struct intra_frame_record frame = {.index = i, .pts_s = i / 25.0, .segment = -1};
        double s = pipe->length_m * i / 100.0;
        frame.is_posed = !is_in_gap(pipe, pipe->start_m + s);
        frame.state = frame.is_posed ? INTRA_STATE_DRIVE : INTRA_STATE_LOST;
        frame.counter_m = i % 10 ? NAN : s + 0.5;
        frame.station_m = frame.station_sd_m = NAN;
        if (frame.is_posed) {
            struct intra_vec3 along, right, centre = axis_at(pipe, s, &along, &right);
            frame.segment = s > pipe->gap_from_m;
            frame.station_m = pipe->start_m + s;
            frame.station_sd_m = 0.001 * s;
            /* the camera looks along the axis, 1 mm left of it and 2 mm above: x right, y down, z forward */
            frame.world_from_cam.r = intra_mat3_from_columns(right, intra_vec3(0, 0, -1), along);
            frame.world_from_cam.t = intra_vec3(centre.x - 0.001 * right.x, centre.y - 0.001 * right.y, 0.002);
        }
        check(intra_scene_add_frame(scene, &frame, &err), &err);
    }
}

void made_scene_init(struct intra_scene *scene, const struct made_pipe *pipe, const char *dir)
{
    enum { STRIP = 256, CACHE = 4 };
    struct intra_error err = {0};
    struct intra_wall *wall = &scene->wall;
    int64_t strip;
    double joint;
    intra_scene_init(scene);
    scene->nominal_diameter_m = pipe->diameter_m;
    scene->start_station_m = pipe->start_m;
    scene->length_m = pipe->length_m;
    scene->length_sd_m = 0.01;
    scene->section_step_m = 0.05;
    scene->camera.is_assumed = true;
    add_sections(scene, pipe);
    add_frames(scene, pipe);
    for (joint = 1; joint < pipe->length_m; joint++) {
        struct intra_feature feature = intra_feature_unknown();
        feature.station_m = pipe->start_m + joint;
        feature.station_sd_m = 0.002;
        feature.gap_m = 0.008;
        if (joint > 1.5) feature.offset_m = 0.014, feature.offset_sd_m = 0.001, feature.offset_clock_rad = M_PI / 2;
        check(intra_scene_add_feature(scene, &feature, &err), &err);
    }
    wall->station0_m = pipe->start_m;
    wall->texel_m = pipe->texel_m;
    wall->perimeter_m = M_PI * pipe->diameter_m;
    wall->cut_rad = M_PI;
    wall->rows = (int)lround(wall->perimeter_m / pipe->texel_m);
    wall->cols = llround(pipe->length_m / pipe->texel_m);
    check(intra_raster_create(dir, wall->rows, 4, STRIP, CACHE, &wall->colour, &err), &err);
    check(intra_raster_create(dir, wall->rows, 4, STRIP, CACHE, &wall->relief, &err), &err);
    check(intra_raster_create(dir, wall->rows, 8, STRIP, CACHE, &wall->coverage, &err), &err);
    for (strip = 0; strip * STRIP < wall->cols; strip++) {
        double from = wall->station0_m + (double)(strip * STRIP) * wall->texel_m;
        /* Strips inside the gap are never touched, as recon leaves them. */
        if (is_in_gap(pipe, from) && is_in_gap(pipe, from + STRIP * wall->texel_m)) continue;
        paint_strip(scene, pipe, strip, STRIP);
    }
}

void made_folder(char *out, size_t n)
{
    snprintf(out, n, "%s/intra-export-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    if (!mkdtemp(out)) abort();
}

const char *made_path(char *out, size_t n, const char *dir, const char *name)
{
    snprintf(out, n, "%s/%s", dir, name);
    return out;
}

long made_file_size(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 ? (long)info.st_size : -1;
}

static int walk(const char *dir, bool is_deleting)
{
    DIR *folder = opendir(dir);
    const struct dirent *entry;
    char path[1024];
    int n = 0;
    if (!folder) abort();
    while ((entry = readdir(folder))) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
        n++;
        if (is_deleting) remove(made_path(path, sizeof path, dir, entry->d_name));
    }
    closedir(folder);
    return n;
}

int made_count_files(const char *dir)
{
    return walk(dir, false);
}

void made_remove_folder(const char *dir)
{
    walk(dir, true);
    remove(dir);
}
