/* The gap of a joint on the wall's relief: too narrow for the windows that measure radii, so not known there.
 *
 * A window of the sweep is a tenth of a radius wide, a gap of 5 to 12 mm is bridged by it, and what it gives there is
 * the wall beside it, up to the socket's depth wrong. What stands into the pipe at the joint (a root, a seal) stays. */
#ifndef INTRA_RECON_JOINT_GAP_H
#define INTRA_RECON_JOINT_GAP_H

#include "recon/joint_fit.h"

/* Sets relief to NaN within half of gap_m (NaN: not known, taken as 0) and the rim's blur of the ring, where it stands
 * no farther into the pipe than noise does. wall->relief is changed. Errors: those of the raster. */
enum intra_status intra_joint_gap_open(struct intra_wall *wall, const struct intra_joint_ring *ring, double gap_m,
                                       struct intra_error *err);

#endif
