/* project.sqlite: opened, the scene and the provenance read, and the scene written on as tables. */
#include "fuzz.h"

#include "core/mem.h"
#include "core/store.h"
#include "export/export.h"

#include <stdio.h>

static void write_tables(const struct intra_scene *scene)
{
    char path[512];
    snprintf(path, sizeof path, "%s/table", fuzz_dir());
    fuzz_must(intra_export_profile(scene, path, NULL) == INTRA_OK, "a scene that was read can be written");
    fuzz_must(intra_export_trajectory(scene, path, NULL) == INTRA_OK, "its path too");
    fuzz_must(intra_export_frames(scene, path, NULL) == INTRA_OK, "and its frames");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct intra_store *store = NULL;
    struct intra_scene scene;
    struct intra_error err = {0};
    char *value = NULL;
    intra_scene_init(&scene);
    if (intra_store_open(fuzz_put("project.sqlite", data, size), &store, &err) == INTRA_OK) {
        if (intra_store_read_meta(store, "input_path", &value, &err) == INTRA_OK) intra_free(value);
        if (intra_store_read_scene(store, &scene, &err) == INTRA_OK)
            write_tables(&scene);
        else
            fuzz_must(err.text[0], "a message");
    } else {
        fuzz_must(err.text[0], "a message");
    }
    intra_store_close(&store);
    intra_scene_fini(&scene);
    return 0;
}
