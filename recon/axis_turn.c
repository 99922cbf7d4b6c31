/* What lies at a place goes by A = G T F': F the frame there before, G after, T the turn about the tangent. The next
 * place lies where A takes the chord to it, its tangent is where A takes the tangent, and its frame stands upright on
 * that: the turn between two sections, which the picture alone had told, is dropped for the one wanted. */
#include "recon/axis_turn.h"

#include "recon/tube.h"

struct intra_vec3 intra_axis_turned_direction(const struct intra_axis_turned *at, struct intra_vec3 v)
{
    struct intra_vec3 local = intra_mat3_tmul_vec(&at->was.frame, v); /* tangent, right, crown */
    double c = cos(at->turn_rad), s = sin(at->turn_rad);
    local = intra_vec3(local.x, c * local.y + s * local.z, c * local.z - s * local.y);
    return intra_mat3_mul_vec(&at->is.frame, local);
}

struct intra_axis_turned intra_axis_turn_on(const struct intra_axis_turned *from, const struct intra_axis_place *was,
                                            double turn_rad)
{
    struct intra_axis_turned to = {*was, *was, turn_rad};
    if (!from) return to;
    struct intra_vec3 tangent = intra_vec3(was->frame.m[0][0], was->frame.m[1][0], was->frame.m[2][0]);
    to.is.centre =
        intra_add(from->is.centre, intra_axis_turned_direction(from, intra_sub(was->centre, from->was.centre)));
    to.is.frame = intra_axis_frame_along(intra_unit(intra_axis_turned_direction(from, tangent)));
    return to;
}

struct intra_pose intra_axis_turned_pose(const struct intra_axis_turned *at, const struct intra_pose *world_from_cam)
{
    struct intra_pose out;
    struct intra_vec3 column[3];
    for (int k = 0; k < 3; k++)
        column[k] = intra_axis_turned_direction(
            at, intra_vec3(world_from_cam->r.m[0][k], world_from_cam->r.m[1][k], world_from_cam->r.m[2][k]));
    out.r = intra_mat3_from_columns(column[0], column[1], column[2]);
    out.t = intra_add(at->is.centre, intra_axis_turned_direction(at, intra_sub(world_from_cam->t, at->was.centre)));
    return out;
}
