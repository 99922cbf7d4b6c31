/* What the fit of a pose (intra_run_fit and its kin, recon/run.h) shares with the rest of the run. Pure functions. */
#ifndef INTRA_RECON_POSE_FIT_H
#define INTRA_RECON_POSE_FIT_H

#include "recon/run.h"

enum { INTRA_MIN_INLIERS = 18 }; /* fewer agreeing points make no pose */

/* The pixel of a run point in a camera, its coordinates there (or NULL) and d px / d xc (2 x 3, or NULL). False outside
 * the picture less `margin` pixels. */
bool intra_pose_see(const struct intra_run *run, const struct intra_pose *cam_from_run, struct intra_vec3 x,
                    double margin, double out_px[2], struct intra_vec3 *out_xc, double *jac);

/* Warp of a point's patch from its host to the camera in which it lies at px. */
bool intra_pose_warp(const struct intra_run *run, const struct intra_pose *pose, const struct intra_point *point,
                     const double px[2], struct intra_warp *out);

/* Does a match agree with the pose that predicted it? noise2: scale of chi^2 over the frame. */
bool intra_match_agrees(const struct intra_patch_match *match, double noise2);
/* Of one that agrees: so well that it is hardly chance. */
bool intra_match_is_sure(const struct intra_patch_match *match);

#endif
