/* Joint adjustment of a pilot: keyframes, axis, wall points and the lens. Derivation: lens_solve.c and docs/methods.md,
 * "Lens from the pipe". */
#ifndef INTRA_RECON_LENS_SOLVE_H
#define INTRA_RECON_LENS_SOLVE_H

#include "core/camera.h"
#include "recon/tube.h"

enum { INTRA_LENS_F, INTRA_LENS_K1, INTRA_LENS_K2, INTRA_LENS_K3, INTRA_LENS_CX, INTRA_LENS_CY, INTRA_LENS_PARAMS };
enum { INTRA_LENS_MAX_SIGHTS = 15 }; /* of one wall point */

/* One wall point seen from one keyframe. */
struct intra_lens_sight {
    int view;
    double px[2], info[3]; /* inverse covariance uu, uv, vv; 1/px^2 */
};

struct intra_lens_track {
    struct intra_vec3 x;
    double u;     /* axis parameter, kept current */
    int first, n; /* sights[first .. first + n), each of another view */
};

struct intra_lens_scene {
    struct intra_pose *views; /* cam_from_world, in the order of time */
    double *u;                /* axis parameter of each view */
    int n_views;
    struct intra_lens_track *tracks;
    int n_tracks;
    const struct intra_lens_sight *sights;
    struct intra_axis *axis;
    double radius_m;
};

/* What is believed of the lens before; a small deviation holds a parameter. F: ln of the focal length over the
 * camera's. */
struct intra_lens_prior {
    double mean[INTRA_LENS_PARAMS], sd[INTRA_LENS_PARAMS];
    double way_rel, way_sd_rel; /* way along the pipe over that of the scene as given; sd 0: not known */
};

struct intra_lens_solution {
    double value[INTRA_LENS_PARAMS];
    double cov[INTRA_LENS_PARAMS][INTRA_LENS_PARAMS]; /* with what stretches and sectors of the wall differ by */
    double common[INTRA_LENS_PARAMS][INTRA_LENS_PARAMS]; /* of that, what other stretches of the same pipe are likely to
                                                            share: sectors and beliefs */
    double noise;                                     /* root of median chi^2 over its expectation */
    double inlier_share, rms_px;
    int n_sights, iterations;
    double way_rel; /* way after over before */
};

/* camera: Kannala-Brandt; changed, as are views, tracks and the axis of the scene. Single-threaded; allocates scratch.
 * Errors: INTRA_E_MEM, INTRA_E_DEGENERATE (too little to solve). */
enum intra_status intra_lens_solve(struct intra_lens_scene *scene, const struct intra_lens_prior *prior,
                                   struct intra_camera *camera, struct intra_lens_solution *out,
                                   struct intra_error *err);

/* What is believed of lenses of pipe cameras: distortion as usual, centre held in the middle of the picture.
 * way_sd_rel: of the way as the scene gives it; NaN: not known, the focal length is held. */
struct intra_lens_prior intra_lens_usual(const struct intra_camera *camera, double way_sd_rel);
/* Then the centre is near the middle only. */
void intra_lens_free_centre(const struct intra_camera *camera, struct intra_lens_prior *prior);

/* Deviation, relative, of the angle at which the pixel is seen that `lens` sees at theta_rad. cov: as above, of `lens`
 * (Kannala-Brandt). NaN beyond the field. */
double intra_lens_angle_sd(const struct intra_camera *lens, const double cov[INTRA_LENS_PARAMS][INTRA_LENS_PARAMS],
                           double theta_rad);

/* All ways along the pipe `k` times as long, sections as they are: axis, centres of views and points. Exact for the
 * lens of intra_camera_stretch in a straight pipe, a good start in a bend. */
void intra_lens_scene_stretch(struct intra_lens_scene *scene, double k);

#endif
