/* Writes a finished project of the made wall, as reconstruct leaves it (store, images, models, page), with dark cracks
 * painted on it, and cracks.csv beside: a careless record of them (distances off by up to 0.25 m, clock positions to the
 * hour). For timing `intrados import`: docs/benchmarks.md, "Time of an import".
 * Usage: export_project DIR [LENGTH_M [TEXEL_MM [CRACKS]]]; DIR must exist. */
#include "made_scene.h"

#include "core/store.h"
#include "core/store_records.h"
#include "export/export.h"
#include "export/gis.h"
#include "export/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static void check(enum intra_status status, const struct intra_error *err)
{
    if (status == INTRA_OK) return;
    fprintf(stderr, "%s\n", err->text);
    exit(1);
}

static uint64_t seed = 7;
static double uniform(double from, double to)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return from + (to - from) * (double)(seed >> 11) / 9007199254740992.0;
}

/* 0.2 m along the pipe, or slanting, wandering by some millimetres; dark where the wall lies within half a width. */
static void paint_crack(struct intra_scene *scene, double station_m, double theta_rad, double slant, double width_m)
{
    enum { STRIP = 256 };
    const double length_m = 0.2;
    struct intra_wall *wall = &scene->wall;
    double r = wall->perimeter_m / (2 * M_PI);
    struct intra_error err = {0};
    int64_t from = (int64_t)((station_m - length_m / 2 - wall->station0_m) / wall->texel_m),
            to = from + (int64_t)(length_m / wall->texel_m);
    for (int64_t col = from; col < to; col++) {
        void *cells;
        double along = (double)(col - from) * wall->texel_m - length_m / 2,
               at = theta_rad + (slant * along + 0.003 * sin(60 * along)) / r;
        if (col < 0 || col >= wall->cols) continue;
        check(intra_raster_strip(wall->colour, col / STRIP, &cells, &err), &err);
        for (int row = 0; row < wall->rows; row++) {
            double theta = wall->cut_rad + 2 * M_PI * (row + 0.5) / wall->rows;
            double share = width_m / 2 / wall->texel_m + 0.5 - fabs(intra_wrap_pi(theta - at)) * r / wall->texel_m;
            uint8_t *rgba = (uint8_t *)cells + 4 * ((size_t)row * STRIP + (size_t)(col % STRIP));
            if (share <= 0 || !rgba[3]) continue;
            for (int k = 0; k < 3; k++)
                rgba[k] = (uint8_t)(rgba[k] * (1 - fmin(1, share)) + 25 * fmin(1, share));
        }
    }
}

static void paint_cracks(struct intra_scene *scene, const struct made_pipe *pipe, int n, const char *record)
{
    FILE *to = fopen(record, "w");
    if (!to) exit(1);
    fprintf(to, "id,code,station_m,clock_from,clock_to\n");
    for (int i = 0; i < n; i++) {
        double station = pipe->start_m + (i + 0.5) * pipe->length_m / n, theta = uniform(-2.2, 2.2);
        int hour = (int)lround((theta < 0 ? theta + 2 * M_PI : theta) / M_PI * 6) % 12;
        paint_crack(scene, station, theta, uniform(-0.5, 0.5), uniform(0.0025, 0.004));
        fprintf(to, "%d,BAB,%.2f,%d,\n", i, station + uniform(-0.25, 0.25), hour ? hour : 12);
    }
    if (fclose(to) != 0) exit(1);
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"unrolled.tif", "relief.tif",       "coverage.tif",     "model.glb",
                                        "model.obj",    "observations.csv", "observations.gpkg", "report.html"};
    enum { NAMES = sizeof names / sizeof names[0] };
    struct made_pipe pipe = made_pipe_defaults();
    struct intra_mesh_options mesh = intra_mesh_defaults();
    struct intra_report_options page = intra_report_defaults();
    struct intra_scene scene;
    struct intra_store *store = NULL;
    struct intra_error err = {0};
    struct stat st;
    char path[1024];
    const char *dir = argc > 1 ? argv[1] : ".";
    if (argc > 2) pipe.length_m = atof(argv[2]);
    if (argc > 3) pipe.texel_m = atof(argv[3]) / 1000;
    pipe.gap_from_m = pipe.gap_to_m = 0;
    pipe.curvature = 0;
    made_scene_init(&scene, &pipe, dir);
    paint_cracks(&scene, &pipe, argc > 4 ? atoi(argv[4]) : 60, made_path(path, sizeof path, dir, "cracks.csv"));
#define TO(name) made_path(path, sizeof path, dir, name)
    for (int layer = INTRA_TIFF_COLOUR; layer <= INTRA_TIFF_COVERAGE; layer++)
        check(intra_export_tiff(&scene, (enum intra_tiff_layer)layer, TO(names[layer]), NULL, &err), &err);
    check(intra_export_glb(&scene, &mesh, TO("model.glb"), &err), &err);
    check(intra_export_obj(&scene, &mesh, TO("model.obj"), &err), &err);
    check(intra_export_observations(&scene, NULL, 0, TO("observations.csv"), &err), &err);
    check(intra_export_gis(&scene, NULL, 0, INTRA_GIS_GPKG, TO("observations.gpkg"), &err), &err);
    if (intra_report_is_built_in()) check(intra_export_report(&scene, &page, TO("report.html"), NULL, &err), &err);
    check(intra_store_create(TO("project.sqlite"), &store, &err), &err);
    check(intra_store_write_scene(store, &scene, &err), &err);
    for (int i = 0; i < NAMES; i++)
        if (stat(TO(names[i]), &st) == 0)
            check(intra_store_write_file(store, names[i], st.st_size, "", &err), &err);
    check(intra_store_commit(store, &err), &err);
    intra_store_close(&store);
    intra_scene_fini(&scene);
    return 0;
}
