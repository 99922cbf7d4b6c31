/* The outlines of things on the wall, in wall coordinates: x = station, y = arc length around from the crown
 * (clockwise). Both the radius field and the wall's colours are drawn from these, so they agree. */
#ifndef INTRA_SIM_SHAPE_H
#define INTRA_SIM_SHAPE_H

#include "tools/sim/sim_scene.h"

struct sim_point {
    double x, y; /* metres */
};
struct sim_polyline {
    struct sim_point *points;
    int n;
    double half_width;
    struct sim_point low, high; /* bounds of the points */
};

/* All lines of a crack or root tuft; free with _fini. */
struct sim_lines {
    struct sim_polyline *lines;
    int n;
};
enum intra_status intra_sim_crack_lines(const struct intra_sim_scene *scene, int crack, struct sim_lines *out,
                                        struct intra_error *err);
enum intra_status intra_sim_root_lines(const struct intra_sim_scene *scene, int root, struct sim_lines *out,
                                       struct intra_error *err);
void intra_sim_lines_fini(struct sim_lines *lines);
/* Distance of a wall point to a line; y is taken the short way around the perimeter. */
double intra_sim_line_distance(const struct sim_polyline *line, double x, double y, double perimeter);

/* Signed distance (metres, negative inside) to the edge of a hole's ragged outline. */
double intra_sim_hole_edge(const struct intra_sim_scene *scene, int hole, double s, double theta);
/* Height of a deposit over the wall, 0 outside. */
double intra_sim_deposit_height(const struct intra_sim_scene *scene, int deposit, double s, double theta);
/* Distance from a lateral's axis of the wall point (s, theta, rho); negative on the far side of the pipe. */
double intra_sim_lateral_distance(const struct intra_sim_scene *scene, int lateral, double s, double theta, double rho);

#endif
