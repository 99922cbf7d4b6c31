/* From a view to a picture of linear light. */
#ifndef INTRA_SIM_RENDER_H
#define INTRA_SIM_RENDER_H

#include "tools/sim/sim_lens.h"
#include "tools/sim/sim_texture.h"
#include "tools/sim/sim_view.h"

enum { SIM_BLOCK = 4 };

/* A pixel on the wall: its long axis (metres along s and around, whole width), length of the axes, extent along s and
 * around. */
struct sim_footprint {
    float ax, ay, short_m, long_m, box_s, box_y;
};
struct sim_glow {
    float diffuse, shine;
};

/* What lies behind the corner of a block of pixels. */
struct sim_node {
    float inv_t; /* 0: nothing of the pipe */
    float theta;
    double s;
    struct sim_footprint foot;
    struct sim_glow glow;
    float reach; /* how far along s something sticking out could hide */
    int16_t piece;
    uint8_t is_wet; /* under water */
    uint8_t shows_gaps;
};

struct intra_sim_renderer {
    const struct intra_sim_scene *scene;
    const struct intra_sim_wall *wall;
    const struct intra_sim_texture *texture;
    struct intra_sim_lens lens;
    double zoom, pixel_rad;
    float *rays; /* (height, width, 3); all zero outside the lens's field */
    int n_lamps; /* a multiple of 4; the last ones may have no power */
    float lamp_x[12], lamp_y[12], lamp_z[12], lamp_power[12]; /* in the camera frame */
    float warm[3];
    float branch[3]; /* colour of laterals' insides: the pipe's, brightest channel 0.5 */
    double gloss;
    int node_cols, node_rows;
    struct sim_node *nodes;
};

enum intra_status intra_sim_renderer_make(const struct intra_sim_scene *scene, const struct intra_sim_wall *wall,
                                          const struct intra_sim_texture *texture, struct intra_sim_renderer *out,
                                          struct intra_error *err);
void intra_sim_renderer_fini(struct intra_sim_renderer *renderer);
void intra_sim_renderer_zoom(struct intra_sim_renderer *renderer, double zoom);

/* Add `weight` times the picture to `out` (height, width, 4 floats), rows first, first + step, ... time_s moves ripples
 * on water. OpenMP over rows of blocks; the same bytes for every team size. The nodes are left for the resolution map.
 */
void intra_sim_render(struct intra_sim_renderer *renderer, const struct intra_sim_view *view, double time_s, int first,
                      int step, float weight, float *out);
#endif
