#include "tools/sim/presets.h"

#include <stddef.h>
#include <string.h>

const char *intra_sim_preset_json(const char *name)
{
    for (int i = 0; i < intra_sim_n_presets; i++)
        if (strcmp(intra_sim_presets[i].name, name) == 0) return intra_sim_presets[i].json;
    return NULL;
}
