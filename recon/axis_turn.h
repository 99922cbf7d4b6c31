/* An axis whose sections are turned about it, each by an angle of its own: the way it bends is kept as the sections see
 * it, so a bend that seemed to climb may come out level, and what lies behind goes along. Frames of sections as in
 * recon/tube: columns tangent, right, crown, the crown upright. */
#ifndef INTRA_RECON_AXIS_TURN_H
#define INTRA_RECON_AXIS_TURN_H

#include "core/geom.h"

#include <stdint.h>

struct intra_axis_place {
    struct intra_vec3 centre;
    struct intra_mat3 frame;
};

/* A place as it was and as it is now; turn: added to its clock angles. Maps what belongs to the place. */
struct intra_axis_turned {
    struct intra_axis_place was, is;
    double turn_rad;
};

/* The place after `from` along the axis, which was at `was` and turns by turn_rad. from NULL: the first one, which
 * stays. */
struct intra_axis_turned intra_axis_turn_on(const struct intra_axis_turned *from, const struct intra_axis_place *was,
                                            double turn_rad);
/* A direction that belongs to the place, in the world. */
struct intra_vec3 intra_axis_turned_direction(const struct intra_axis_turned *at, struct intra_vec3 v);
struct intra_pose intra_axis_turned_pose(const struct intra_axis_turned *at, const struct intra_pose *world_from_cam);

#endif
