/* Joint adjustment of a window: camera poses, the axis of the pipe and the distance of every wall point.
 * Derivation and block layout: bundle.c and docs/methods.md, "Window adjustment". */
#ifndef INTRA_RECON_BUNDLE_H
#define INTRA_RECON_BUNDLE_H

#include "recon/window.h"

struct intra_bundle_options {
    int iterations;
    double radius_m;      /* nominal */
    double radius_sd_rel; /* tube prior: sd of a wall point's radius over the radius */
    double kink_sd_rad;   /* axis prior: sd of the change of direction from one knot to the next */
    double oval_step_sd;  /* oval prior: sd of its change from one knot to the next, as a share of the radius */
    double oval_sd;       /* and of the oval itself */
    bool fix_first;       /* hold station and roll of the first keyframe: the start of a run */
    bool want_way;        /* the result's way and its deviation, and that of its turn about the pipe */
};

struct intra_bundle_result {
    double noise_scale;   /* root of median chi^2 over its expectation: 1 = the matches' own deviations are right */
    double inlier_share;  /* observations within three deviations */
    int n_obs;
    double radius_spread; /* robust sd, over well-measured points, of r_data over the tube's radius there; 0: too few */
    int n_radius;
    double radius_median; /* median of the same ratio */
    double scale_sd; /* of the mean of that ratio around the clock, from how the sectors differ; NaN: too few sectors */
    double way_m;      /* along the axis, from the first free keyframe to the last; 0: fewer than two */
    double way_sd_rel; /* its deviation by the matches and priors alone, as a share of it; NaN: not known, or not wanted */
    double roll_sd_rad; /* the same of the turn about the pipe from the first of them to the last */
};

/* kfs: n keyframes in order, kfs[i].id = kfs[0].id + i; frozen ones may stand among them. points: all; those with fewer
 * than one observation in kfs are left alone. Moves poses of free keyframes, free knots of the axis with their ovals,
 * and distances of points. Allocates scratch; single-threaded. Errors: INTRA_E_MEM; INTRA_E_DEGENERATE when the system
 * cannot be solved. */
enum intra_status intra_bundle_solve(struct intra_keyframe *kfs, int n, struct intra_point *points, int n_points,
                                     struct intra_axis *axis, const struct intra_camera *camera,
                                     const struct intra_bundle_options *options, struct intra_bundle_result *out,
                                     struct intra_error *err);

/* Solve the symmetric positive definite n x n system a x = b in place (Cholesky, lower half read, a is overwritten with its
 * factor, b with x). False when not positive definite. */
bool intra_cholesky_solve(double *a, double *b, int n);

#endif
