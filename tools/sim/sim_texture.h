/* The wall's own colour, unrolled: red, green, blue and openness (1 = wall, less where little light gets in: joint
 * gaps, lateral mouths), with a pyramid of half-size maps, so that far wall is averaged as a lens would.
 *
 * Stored as the square root of linear reflectance times 255. Texel (col, row): s = (col + 0.5) texel_m, theta = pi +
 * 2 pi (row + 0.5) / rows; a column lies in one piece, with its first texel repeated at the end. */
#ifndef INTRA_SIM_TEXTURE_H
#define INTRA_SIM_TEXTURE_H

#include "tools/sim/sim_scene.h"
#include "tools/sim/sim_wall.h"

#include <stddef.h>

enum { SIM_LEVELS = 7 };

typedef float sim_v4 __attribute__((vector_size(16)));

struct sim_level {
    uint8_t *data; /* [(col * pitch + row) * 4] */
    int cols, rows, pitch;
};
struct intra_sim_texture {
    double texel_m; /* along s; around it is perimeter / rows, a little less */
    double perimeter_m;
    struct sim_level level[SIM_LEVELS];
};

enum intra_status intra_sim_texture_make(const struct intra_sim_scene *scene, const struct intra_sim_wall *wall,
                                         struct intra_sim_texture *out, struct intra_error *err);
void intra_sim_texture_fini(struct intra_sim_texture *texture);
void intra_sim_material_colour(const struct intra_sim_scene *scene, float out[3]); /* linear reflectance */
/* Shine of the material when wet, 0..1. */
double intra_sim_material_gloss(const struct intra_sim_scene *scene);

/* Mean colour (linear) over a pixel's footprint at (s, theta): (ax, ay) and (bx, by), metres along s and around, are
 * the footprint's long and short axis, whole width each. */
sim_v4 intra_sim_texture_sample(const struct intra_sim_texture *texture, double s, double theta, float ax, float ay,
                                float short_axis);

#endif
