/* What one camera position sees: rays against the wall.
 *
 * The centreline's pieces are brought into the camera frame once per view; a ray then needs a few products per look.
 * The root of rho(t) = radius(s(t), theta(t)) is bracketed with steps that a local bound on the wall's slope keeps from
 * jumping over anything, and finished by Newton. Points and directions here are in the camera frame. */
#ifndef INTRA_SIM_VIEW_H
#define INTRA_SIM_VIEW_H

#include "tools/sim/sim_centreline.h"
#include "tools/sim/sim_wall.h"

struct view_piece {
    bool is_arc;
    double s0, s1, bend;
    struct intra_vec3 t, right, crown; /* line: section frame; arc: t = tangent at the start */
    struct intra_vec3 origin;          /* line: start; arc: centre */
    struct intra_vec3 u, bn;           /* arc: outwards at the start; u x t */
    double up_u, up_t, up_b;           /* arc: the world's up in (u, t, bn) */
    struct intra_vec3 cut_n;
    double cut_off;
};
struct intra_sim_view {
    const struct intra_sim_wall *wall;
    struct view_piece *pieces; /* one per piece of the centreline */
    int n_pieces, home;        /* home: the piece where the camera is */
    struct intra_pose cam_from_world;
};

enum intra_status intra_sim_view_init(struct intra_sim_view *view, const struct intra_sim_wall *wall,
                                      const struct intra_sim_centreline *line, struct intra_error *err);
void intra_sim_view_fini(struct intra_sim_view *view);
void intra_sim_view_place(struct intra_sim_view *view, const struct intra_sim_centreline *line,
                          const struct intra_pose *world_from_cam, double station);

struct sim_ray {
    struct intra_vec3 o, d; /* d of unit length */
    int piece;
    double ot, orr, oc, dt, dr, dc; /* line: o and d in the section frame */
};
/* Where a ray is at distance t. */
struct sim_at {
    double t, s, y, z, rho, theta;
    double vs, vrho, vth;               /* per metre along the ray: station, rho, and rho x theta */
    struct intra_vec3 tangent, er, eth; /* only after intra_sim_basis */
    double ce, cb, ca, sa;              /* arc only */
};
enum sim_hit { SIM_MISS, SIM_WALL, SIM_LATERAL };

void intra_sim_ray_start(const struct intra_sim_view *view, struct sim_ray *ray, struct intra_vec3 o,
                         struct intra_vec3 d, int piece);
/* Fill `at` for distance t (moves the ray to the piece that holds the point). */
void intra_sim_ray_look(const struct intra_sim_view *view, struct sim_ray *ray, double t, struct sim_at *at);
void intra_sim_basis(const struct intra_sim_view *view, const struct sim_ray *ray, struct sim_at *at);
/* First wall along the ray. pixel_rad: angle of a pixel, for what is too small to matter. lateral: index where
 * SIM_LATERAL. */
enum sim_hit intra_sim_trace(const struct intra_sim_view *view, struct sim_ray *ray, double pixel_rad,
                             struct sim_at *out, int *out_lateral);
/* Newton from a good guess on smooth wall; false when it does not settle. */
bool intra_sim_polish(const struct intra_sim_view *view, struct sim_ray *ray, double guess, struct sim_at *out);
/* Joint gaps narrower than this share of the pixel are left to the texture. */
static inline bool sim_gaps_show(double t, double pixel_rad, double vrho)
{
    return t * pixel_rad < 0.012 * (vrho > 0.02 ? vrho : 0.02);
}
/* atan2, to 1e-7 rad; (0, 0) gives 0. */
double intra_sim_atan2(double y, double x);

#endif
