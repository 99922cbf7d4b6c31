/* Wall points that lie on one ring of the pipe: a joint is a circle of the pipe's radius, square to its axis but for a
 * small tilt. Method: docs/methods.md, "Window adjustment". */
#ifndef INTRA_RECON_POINT_RING_H
#define INTRA_RECON_POINT_RING_H

#include "recon/window.h"

enum { INTRA_POINT_RINGS_MOST = 8 };

/* A ring: its points stand at station_m + tilt[0] c + tilt[1] s metres along the axis, (c, s) their place across it. */
struct intra_point_ring {
    double station_m; /* axis parameter times the knots' spacing */
    double tilt[2];
    int n;
};

/* What a point has to do with its ring. */
struct intra_ring_member {
    int ring;         /* -1: none */
    double off_m;     /* along the axis, from the point to the line that its patch shows */
    double sd_m;      /* of the line's place along the axis, for one patch */
    double across[2]; /* metres, by clock: r cos, r sin */
};

/* Look for rings among the points, whose u, x, near and patches are current: patches that know one direction only,
 * along the pipe; close together by station; around most of the clock; and many against their surroundings. camera_m:
 * where the last camera stands along the axis, as station_m. is_usable: n_points, which points may be taken.
 * out_members: n_points. Returns how many rings were found, strongest first. Allocates scratch. */
enum intra_status intra_point_rings_find(const struct intra_point *points, const bool *is_usable, int n_points,
                                         const struct intra_axis *axis, double radius_m, double camera_m,
                                         struct intra_ring_member *out_members,
                                         struct intra_point_ring out[INTRA_POINT_RINGS_MOST], int *out_n,
                                         struct intra_error *err);

/* The place of x along the axis, in knots times their spacing, and how it changes with x and with the four knots from
 * *base on, in their two normals. u: of x. False: beyond the axis. */
bool intra_axis_along(const struct intra_axis *axis, struct intra_vec3 x, double u, struct intra_vec3 *out_by_x,
                      double out_by_knot[4][2], int *base);

#endif
