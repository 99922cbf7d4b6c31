/* The axis of the pipe as a uniform cubic B-spline in space, and the tube of given radius around it.
 *
 * Control points P_i stand about h metres apart; c(u) = sum_i B(u - i) P_i, so that u is near station / h. Each control
 * point carries two unit normals across the pipe, in which the adjustment may move it. Indices may be negative: the
 * axis grows at both ends. Metres, world frame. Not safe for concurrent change; reading is. */
#ifndef INTRA_RECON_TUBE_H
#define INTRA_RECON_TUBE_H

#include "core/geom.h"
#include "core/status.h"

#include <stdint.h>

struct intra_axis_knot {
    struct intra_vec3 p;
    struct intra_vec3 n[2]; /* unit, across the axis */
    double oval[2];         /* of the section here: its radius is R (1 + oval[0] cos 2 theta + oval[1] sin 2 theta) */
    bool is_frozen;         /* no longer moved by the adjustment */
    bool is_oval_frozen;    /* nor its oval; at the start of a run the knot is held and the oval is not */
};

struct intra_axis {
    double h;                      /* spacing of control points, metres */
    int first;                     /* index of knots[0] */
    int count, capacity;
    struct intra_axis_knot *knots; /* owned */
};

/* A straight axis through `origin` along the unit vector `dir`: u = 0 at the origin. */
enum intra_status intra_axis_init(struct intra_axis *axis, double h, struct intra_vec3 origin, struct intra_vec3 dir,
                                  struct intra_error *err);
void intra_axis_fini(struct intra_axis *axis);

/* Make u in [u_from, u_to] evaluable, adding control points by straight continuation of the ends. */
enum intra_status intra_axis_cover(struct intra_axis *axis, double u_from, double u_to, struct intra_error *err);

/* Point c(u), and with non-NULL pointers the derivative dc/du, the second derivative, and the four weights of the control points
 * floor(u) - 1 .. floor(u) + 2. u outside the covered range is clamped. */
struct intra_vec3 intra_axis_point(const struct intra_axis *axis, double u, struct intra_vec3 *out_d1,
                                   struct intra_vec3 *out_d2, double out_weights[4]);

/* u of the point of the axis nearest to x, from a guess within about one radius (Newton). */
double intra_axis_nearest(const struct intra_axis *axis, struct intra_vec3 x, double u_guess);

/* Distance along the ray origin + t * dir (unit dir) to the tube of radius r around the axis, going out from inside.
 * u_io: guess in, result out. False when there is none nearer than max_t, or the ray meets the wall flatter than about one degree. */
bool intra_axis_ray_hit(const struct intra_axis *axis, double r, struct intra_vec3 origin, struct intra_vec3 dir,
                        double max_t, double *u_io, double *out_t);

/* Frame of the section at u: columns tangent, right (3 o'clock), crown. The crown is the world's up made square to the
 * tangent; in a pipe steeper than about 64 degrees it is carried over from world -X instead. */
struct intra_mat3 intra_axis_frame(const struct intra_axis *axis, double u);

/* The same for a unit tangent. */
struct intra_mat3 intra_axis_frame_along(struct intra_vec3 tangent);

/* Clock angle of the point x beside the axis at u, in (-pi, pi]. */
double intra_axis_clock(const struct intra_axis *axis, double u, struct intra_vec3 x);

/* Radius of the section at u over the nominal one, at clock angle theta; beyond the knots, that of the last ones. */
double intra_axis_radius_rel(const struct intra_axis *axis, double u, double theta_rad);

/* Arc length from u = 0 to u (negative for u < 0): Gauss-Legendre, 2 points per half span. */
double intra_axis_arc_length(const struct intra_axis *axis, double u_from, double u_to);

#endif
