/* Scene files of the simulator. What is taken has a length, and its own writing of itself is taken again. */
#include "fuzz.h"

#include "tools/sim/sim_scene.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct intra_sim_scene scene, again;
    struct intra_error err = {0};
    char *text = fuzz_text(data, size), *written = NULL;
    size_t n = 0;
    if (intra_sim_scene_parse(text, "scene", &scene, &err) == INTRA_OK) {
        FILE *stream = open_memstream(&written, &n);
        fuzz_must(intra_sim_scene_length(&scene) > 0 && isfinite(intra_sim_scene_length(&scene)), "a length");
        fuzz_must(stream && intra_sim_scene_write(&scene, stream, &err) == INTRA_OK, "the scene can be written");
        fclose(stream);
        fuzz_must(intra_sim_scene_parse(written, "scene", &again, &err) == INTRA_OK, "and read again");
        intra_sim_scene_fini(&again);
        intra_sim_scene_fini(&scene);
        free(written);
    } else {
        fuzz_must(strncmp(err.text, "scene: ", 7) == 0, "the message names the file");
    }
    free(text);
    return 0;
}
