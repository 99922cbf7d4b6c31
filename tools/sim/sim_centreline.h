/* The pipe's centreline: straights and circular arcs, with kinks (mitres) between them where joints are deflected.
 *
 * World: Z up, X along the centreline at s = 0. Section frame at a station: tangent
 * (+s), right (3 o'clock) = unit(tangent x up), crown = right x tangent. Projection to (s, theta, rho) is closed form
 * on every piece. Pieces meet in the plane that halves the kink. */
#ifndef INTRA_SIM_CENTRELINE_H
#define INTRA_SIM_CENTRELINE_H

#include "core/geom.h"
#include "tools/sim/sim_scene.h"

struct sim_piece {
    bool is_arc;
    double s0, s1;
    struct intra_vec3 p0;    /* start, world */
    struct intra_vec3 t0;    /* tangent at the start */
    struct intra_vec3 u;     /* arc: unit vector from the arc's centre to p0 */
    double bend;             /* arc: radius, metres */
    struct intra_vec3 cut_n; /* normal of the plane where the next piece begins (pointing forward) */
    struct intra_vec3 p1;    /* end */
};

struct intra_sim_centreline {
    struct sim_piece *pieces;
    int n;
    double length;
};

struct sim_frame {
    struct intra_vec3 p, tangent, right, crown;
};

/* joints: n sorted by station; deflections become kinks. Errors: INTRA_E_FORMAT when the pipe gets steeper than 80
 * degrees (crown and clock angles then have no meaning). Free with _fini. */
enum intra_status intra_sim_centreline_make(const struct intra_sim_scene *scene, const struct sim_joint *joints, int n,
                                            struct intra_sim_centreline *out, struct intra_error *err);
void intra_sim_centreline_fini(struct intra_sim_centreline *line);
/* Frame at a station; before 0 and beyond the end the line goes straight on. */
struct sim_frame intra_sim_centreline_at(const struct intra_sim_centreline *line, double s);
/* Piece that holds station s. */
int intra_sim_centreline_piece(const struct intra_sim_centreline *line, double s);
/* Station, clock angle and distance from the centreline of a point; the search starts at piece *hint (kept up to date).
 */
void intra_sim_centreline_locate(const struct intra_sim_centreline *line, struct intra_vec3 p, int *hint, double *out_s,
                                 double *out_theta, double *out_rho);

#endif
