/* The scenes that come with the program, compiled in from presets/ by embed_presets.cmake, in order of their names. */
#ifndef INTRA_SIM_PRESETS_H
#define INTRA_SIM_PRESETS_H

struct intra_sim_preset {
    const char *name, *json;
};
extern const struct intra_sim_preset intra_sim_presets[];
extern const int intra_sim_n_presets;

/* NULL when there is none of that name. */
const char *intra_sim_preset_json(const char *name);

#endif
