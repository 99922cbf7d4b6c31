/* The wall's shape: a radius for every station and clock angle.
 *
 * radius(s, theta) = grid (ovality, joint offsets, deposits, roots, stubs, holes; 2 mm cells, bilinear) + groove(s)
 * (the gaps of the joints, 0.5 mm steps). What is drawn and what truth/radius.tif says come from the same numbers. */
#ifndef INTRA_SIM_WALL_H
#define INTRA_SIM_WALL_H

#include "tools/sim/sim_centreline.h"
#include "tools/sim/sim_scene.h"

enum { SIM_TILE = 16, SIM_OPEN_HOLE = 255 };

struct intra_sim_wall {
    double radius_m, length_m; /* nominal; of the pipe */
    double cell_m, inv_cell, rows_per_rad;
    int rows, cols, pitch; /* rows around; a column holds `pitch` = rows + 1 values, the last repeats the first */
    float *radius;         /* [col * pitch + row] */
    uint8_t *open;         /* [col * rows + row]: 0 wall, 1 + lateral near its mouth, SIM_OPEN_HOLE inside a hole */
    float *groove;         /* extra radius at steps of groove_m */
    int *groove_count;     /* columns of it with a gap, summed from the start */
    int n_groove;
    double groove_m;
    int tile_cols, tile_rows;
    float *tile_low;   /* smallest radius in the tile and its neighbours */
    float *tile_slope; /* steepest |grad radius| in the tile and its neighbours, metres per metre */
    int *rough_count;  /* tiles that are steep or open, summed area table, (tile_cols + 1) x (tile_rows + 1) */
    int *steep_count;  /* tiles that are steep */
    double lowest_m, highest_m;
    struct sim_joint *joints; /* resolved, sorted by station */
    int n_joints;
};

/* Joints of the scene with their random parts drawn; memory of intra_alloc in *out. */
enum intra_status intra_sim_joints_make(const struct intra_sim_scene *scene, struct sim_joint **out, int *out_n,
                                        struct intra_error *err);
/* Takes the joints over (also on failure). */
enum intra_status intra_sim_wall_make(const struct intra_sim_scene *scene, struct sim_joint *joints, int n_joints,
                                      struct intra_sim_wall *out, struct intra_error *err);
void intra_sim_wall_fini(struct intra_sim_wall *wall);

/* theta in [-pi, pi]. s is clamped to the pipe. */
static inline void sim_wall_cell(const struct intra_sim_wall *w, double s, double theta, int *col, int *row, double *fs,
                                 double *ft)
{
    double x = s * w->inv_cell - 0.5, y = (theta + M_PI) * w->rows_per_rad - 0.5;
    int c, r;
    if (x < 0) x = 0;
    if (x > w->cols - 1.0001) x = w->cols - 1.0001;
    if (y < 0) y += w->rows;
    c = (int)x;
    r = (int)y;
    if (r >= w->rows) r = w->rows - 1, y = r;
    *col = c;
    *row = r;
    *fs = x - c;
    *ft = y - r;
}
/* The grid part; slopes per metre along s and per radian around. */
static inline double sim_wall_grid(const struct intra_sim_wall *w, double s, double theta, double *ds, double *dt)
{
    int c, r;
    double fs, ft, a, b;
    const float *p, *q;
    sim_wall_cell(w, s, theta, &c, &r, &fs, &ft);
    p = w->radius + (size_t)c * (size_t)w->pitch + r;
    q = p + w->pitch;
    a = p[0] + ft * (p[1] - p[0]);
    b = q[0] + ft * (q[1] - q[0]);
    *ds = (b - a) * w->inv_cell;
    *dt = ((p[1] - p[0]) * (1 - fs) + (q[1] - q[0]) * fs) * w->rows_per_rad;
    return a + fs * (b - a);
}
/* The joint gaps' part. */
static inline double sim_wall_groove(const struct intra_sim_wall *w, double s, double *ds)
{
    double x = s / w->groove_m;
    int i = (int)x;
    *ds = 0;
    if (x < 0 || i >= w->n_groove - 1) return 0;
    *ds = (w->groove[i + 1] - w->groove[i]) / w->groove_m;
    return w->groove[i] + (x - i) * (w->groove[i + 1] - w->groove[i]);
}
/* Does one of the tiles between these stations and clock angles count (any order; angles may run past pi)? */
bool intra_sim_wall_any_tile(const struct intra_sim_wall *wall, const int *count, double s_a, double s_b,
                             double theta_a, double theta_b);
/* Radius with everything, for checks and truth. */
double intra_sim_wall_radius(const struct intra_sim_wall *wall, double s, double theta);

#endif
