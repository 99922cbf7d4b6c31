/* Writes every output of export for the made scene into a folder, for the checks by other programs (the Khronos
 * validator, GDAL, Assimp, Blender, three.js). With a length, the pipe is that long. */
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

int main(int argc, char **argv)
{
    struct made_pipe pipe = made_pipe_defaults();
    struct intra_mesh_options mesh = intra_mesh_defaults();
    struct intra_scene scene;
    struct intra_error err = {0};
    char path[1024];
    const char *dir = argc > 1 ? argv[1] : ".";
    if (argc > 2) pipe.length_m = atof(argv[2]);
    if (argc > 3) pipe.texel_m = atof(argv[3]) / 1000;
    made_scene_init(&scene, &pipe, dir);
#define TO(name) made_path(path, sizeof path, dir, name)
    check(intra_export_trajectory(&scene, TO("trajectory.tum"), &err), &err);
    check(intra_export_frames(&scene, TO("frames.csv"), &err), &err);
    check(intra_export_profile(&scene, TO("profile.csv"), &err), &err);
    check(intra_export_observations(&scene, TO("observations.csv"), &err), &err);
    check(intra_export_tiff(&scene, INTRA_TIFF_COLOUR, TO("unrolled.tif"), NULL, &err), &err);
    check(intra_export_tiff(&scene, INTRA_TIFF_RELIEF, TO("relief.tif"), NULL, &err), &err);
    check(intra_export_tiff(&scene, INTRA_TIFF_COVERAGE, TO("coverage.tif"), NULL, &err), &err);
    check(intra_export_glb(&scene, &mesh, TO("model.glb"), &err), &err);
    intra_scene_fini(&scene);
    return 0;
}
