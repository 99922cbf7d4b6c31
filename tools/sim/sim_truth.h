/* The truth/ folder. What each file holds: docs/simulator.md. */
#ifndef INTRA_SIM_TRUTH_H
#define INTRA_SIM_TRUTH_H

#include "tools/sim/sim_motion.h"
#include "tools/sim/sim_render.h"

#include <stdio.h>

struct intra_sim_truth {
    const struct intra_sim_scene *scene;
    const struct intra_sim_wall *wall;
    const struct intra_sim_centreline *line;
    double cell_m; /* of the resolution map */
    int rows, cols;
    float *resolution; /* [col * rows + row], best metres per pixel; 0 = never seen */
};

enum intra_status intra_sim_truth_make(const struct intra_sim_scene *scene, const struct intra_sim_wall *wall,
                                       const struct intra_sim_centreline *line, struct intra_sim_truth *out,
                                       struct intra_error *err);
void intra_sim_truth_fini(struct intra_sim_truth *truth);
/* Count what the nodes of the last picture saw. hidden: (height, width), not 0 where text or dirt covers; may be NULL.
 */
void intra_sim_truth_see(struct intra_sim_truth *truth, const struct intra_sim_renderer *renderer,
                         const uint8_t *hidden);
/* One line of trajectory.tum. */
void intra_sim_truth_pose(FILE *to, double t, const struct intra_pose *world_from_cam);
/* Everything but the two files per frame. dir: the truth folder, which exists. */
enum intra_status intra_sim_truth_write(const struct intra_sim_truth *truth, const struct intra_sim_renderer *renderer,
                                        const char *dir, int frames, struct intra_error *err);

#endif
