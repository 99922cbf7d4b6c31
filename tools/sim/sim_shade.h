/* Light that comes back along a ray from the wall, from inside a lateral, and from water. */
#ifndef INTRA_SIM_SHADE_H
#define INTRA_SIM_SHADE_H

#include "tools/sim/sim_render.h"

/* Everything along the ray, slowly and exactly. ddx, ddy: change of the ray's direction to the next pixel. */
sim_v4 intra_sim_ray_colour(const struct intra_sim_renderer *rd, const struct intra_sim_view *view, struct intra_vec3 d,
                            struct intra_vec3 ddx, struct intra_vec3 ddy, double time_s);
/* The wall at a place already found. */
sim_v4 intra_sim_wall_colour(const struct intra_sim_renderer *rd, const struct intra_sim_view *view,
                             const struct sim_ray *ray, struct sim_at *at, struct intra_vec3 ddx,
                             struct intra_vec3 ddy);
struct sim_footprint intra_sim_footprint(const struct sim_at *at, struct intra_vec3 ddx, struct intra_vec3 ddy);
/* Light that falls on the wall there. at: with its basis. */
struct sim_glow intra_sim_wall_glow(const struct intra_sim_renderer *rd, const struct sim_ray *ray,
                                    const struct sim_at *at);
/* What comes back of it from wall of this colour. */
static inline sim_v4 sim_mix_colour(const struct intra_sim_renderer *rd, sim_v4 albedo, struct sim_glow glow)
{
    float lum = 0.4f * albedo[0] + 0.4f * albedo[1] + 0.2f * albedo[2];
    float shine = glow.shine * (0.10f + 0.25f * lum) * albedo[3]; /* grain breaks the shine up */
    sim_v4 warm = {rd->warm[0], rd->warm[1], rd->warm[2], 0};
    return (albedo * (glow.diffuse * albedo[3]) + shine) * warm;
}
/* Height of the water's surface over the section's centre at station s; -1e9 where there is none. */
double intra_sim_water_height(const struct intra_sim_scene *scene, double s, int *out_index);

#endif
