/* Writes every output of export for the made scene into a folder, for the checks by other programs (the Khronos
 * validator, GDAL, Assimp, Blender, three.js). With a length, the pipe is that long. */
#include "made_record.h"
#include "made_scene.h"

#include "export/export.h"

#include <stdio.h>
#include <stdlib.h>

static void check(enum intra_status status, const struct intra_error *err)
{
    if (status == INTRA_OK) return;
    fprintf(stderr, "%s\n", err->text);
    exit(1);
}

static void put_mark(FILE *to, const struct intra_scene *scene, const struct made_pipe *pipe,
                     const struct made_mark *mark, const char *separator)
{
    double station = pipe->start_m + mark->station_m;
    /* Where no relief was measured the mesh takes the fitted section. */
    double relief = mark == &made_hole ? 0 : made_relief(pipe, station, mark->theta_rad);
    struct intra_vec3 p;
    if (!intra_scene_wall_point(scene, station, mark->theta_rad, relief, &p, NULL)) exit(1);
    fprintf(to, "%s\n {\"name\": \"%s\", \"at\": [%.6f, %.6f, %.6f], \"rgb\": [%d, %d, %d]}", separator, mark->name,
            p.x, p.z, -p.y, mark->rgb[0], mark->rgb[1], mark->rgb[2]);
}

/* Where the marks must be seen, in glTF axes: what the picture is checked against. */
static void write_marks(const struct intra_scene *scene, const struct made_pipe *pipe, const char *path)
{
    FILE *to = fopen(path, "w");
    int i;
    if (!to) exit(1);
    fprintf(to, "[");
    for (i = 0; i < MADE_MARKS; i++)
        put_mark(to, scene, pipe, &made_marks[i], i ? "," : "");
    put_mark(to, scene, pipe, &made_hole, ",");
    fprintf(to, "\n]\n");
    fclose(to);
}

int main(int argc, char **argv)
{
    struct made_pipe pipe = made_pipe_defaults();
    struct intra_mesh_options mesh = intra_mesh_defaults();
    struct intra_scene scene;
    struct intra_record record;
    struct intra_error err = {0};
    char path[1024];
    const char *dir = argc > 1 ? argv[1] : ".";
    if (argc > 2) pipe.length_m = atof(argv[2]);
    if (argc > 3) pipe.texel_m = atof(argv[3]) / 1000;
    made_scene_init(&scene, &pipe, dir);
    made_record_init(&record, pipe.start_m);
    mesh.inspections = record.inspections;
    mesh.n_inspections = 1;
#define TO(name) made_path(path, sizeof path, dir, name)
    check(intra_export_trajectory(&scene, TO("trajectory.tum"), &err), &err);
    check(intra_export_frames(&scene, TO("frames.csv"), &err), &err);
    check(intra_export_profile(&scene, TO("profile.csv"), &err), &err);
    check(intra_export_observations(&scene, NULL, 0, TO("observations.csv"), &err), &err);
    check(intra_export_tiff(&scene, INTRA_TIFF_COLOUR, TO("unrolled.tif"), NULL, &err), &err);
    check(intra_export_tiff(&scene, INTRA_TIFF_RELIEF, TO("relief.tif"), NULL, &err), &err);
    check(intra_export_tiff(&scene, INTRA_TIFF_COVERAGE, TO("coverage.tif"), NULL, &err), &err);
    check(intra_export_glb(&scene, &mesh, TO("model.glb"), &err), &err);
    check(intra_export_obj(&scene, &mesh, TO("model.obj"), &err), &err);
    check(intra_export_ply(&scene, &mesh, TO("model.ply"), &err), &err);
    check(intra_export_glb(&scene, &mesh, TO("apart.gltf"), &err), &err);
    check(intra_export_foreign(&scene, &mesh, INTRA_FOREIGN_DAE, TO("foreign.dae"), &err), &err);
    check(intra_export_foreign(&scene, &mesh, INTRA_FOREIGN_FBX, TO("foreign.fbx"), &err), &err);
    check(intra_export_foreign(&scene, &mesh, INTRA_FOREIGN_X3D, TO("foreign.x3d"), &err), &err);
    check(intra_export_foreign(&scene, &mesh, INTRA_FOREIGN_STL, TO("foreign.stl"), &err), &err);
    write_marks(&scene, &pipe, TO("marks.json"));
    intra_record_fini(&record);
    intra_scene_fini(&scene);
    return 0;
}
