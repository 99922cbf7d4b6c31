/* One run of the simulator: a scene in, a video and its truth out. */
#ifndef INTRA_SIM_SIMULATE_H
#define INTRA_SIM_SIMULATE_H

#include "core/progress.h"
#include "tools/sim/sim_scene.h"

struct intra_sim_options {
    const char *dir;  /* written here; made if missing */
    int most_frames;  /* 0: all of the script */
    bool may_replace; /* the folder may exist: what stands in the way is replaced */
    struct intra_progress progress;
};
struct intra_sim_result {
    int frames;
    double length_m;
    double prepare_s, render_s, write_s; /* wall-clock */
    char video[64];                      /* name inside dir */
};

/* Errors: INTRA_E_EXISTS (dir is there and not empty), INTRA_E_IO, INTRA_E_FORMAT (the scene), INTRA_E_MEM. On failure
 * what this run has put into dir is taken away again. Same bytes for every number of OpenMP threads. */
enum intra_status intra_simulate(const struct intra_sim_scene *scene, const struct intra_sim_options *options,
                                 struct intra_sim_result *out, struct intra_error *err);

#endif
