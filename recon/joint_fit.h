/* What the wall does at a joint: how its centre steps and its axis turns there, from wall radii on both sides. */
#ifndef INTRA_RECON_JOINT_FIT_H
#define INTRA_RECON_JOINT_FIT_H

#include "core/scene.h"
#include "recon/ring.h"
#include "recon/section_fit.h"

/* The ring as a curve over the clock angle: s = station + sum_{k=1,2} a_k cos k theta + b_k sin k theta, metres. */
struct intra_joint_ring {
    double station_m, station_sd_m; /* sd: of the ring's middle on this wall, not of the wall along the pipe */
    double a[3], b[3];
    double rest_m; /* robust deviation of the line from the curve */
};

/* Fit to where the line runs; `station_m[k]` for sector k, weight[k] >= 0. False when fewer than an eighth of the
 * sectors count. */
bool intra_joint_fit_ring(const double station_m[INTRA_RING_SECTORS], const double weight[INTRA_RING_SECTORS],
                          struct intra_joint_ring *out);
double intra_joint_ring_station(const struct intra_joint_ring *ring, double theta_rad);

/* Fill offset and deflection of `joint` from samples up to `before_m` before and `behind_m` behind the ring; skip_m to
 * both sides of it are left out. samples as for intra_joints_find. What too few samples tell, and the deflection in a
 * bend, is left as it was. */
void intra_joint_fit_step(const struct intra_scene *scene, const struct intra_radius_sample *samples, int64_t n_samples,
                          const struct intra_joint_ring *ring, double before_m, double behind_m, double skip_m,
                          struct intra_feature *joint);

#endif
