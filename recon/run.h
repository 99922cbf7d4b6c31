/* A run: one connected stretch of video whose frames are all placed in one tube. It tracks frame by frame, makes
 * keyframes, adjusts the last ones together, and lets go of what is settled. Run coordinates: Z up, X along the axis at u = 0,
 * origin on the axis; the first camera stands at u = 0. Single-threaded but for the patch work (OpenMP, same bytes
 * for every team size). */
#ifndef INTRA_RECON_RUN_H
#define INTRA_RECON_RUN_H

#include "recon/bundle.h"

struct intra_run_options {
    double radius_m;
    int threads;
    int target_points;       /* alive points wanted in view; default 420 */
    int window;              /* free keyframes; default 12 */
    double step_rel;         /* a keyframe at least every step_rel radii of travel; default 0.15 */
    bool may_bend;           /* the lens is known, so that a wall that leans to one side is a bend; default not */
    double turn_goes_on;     /* share of the last frame's turn that the next one is expected to make; default 0.5 */
};

/* A settled measurement of the wall's radius. */
struct intra_wall_sample {
    double u, theta_rad; /* axis parameter, clock angle */
    double r_m, sd_m;
};

/* How well a pose fits its frame. */
struct intra_pose_fit {
    struct intra_pose cam_from_run;
    int n_visible, n_inlier;
    int n_sure;      /* inliers that correlate so well that few are chance */
    double noise;    /* scale of residuals against their own deviations */
    double rms_px;   /* weighted residual of the inliers */
    double zoom;     /* magnification against the calibration; 1 unless it was free */
    double zoom_off,
        zoom_off_sd; /* how much larger (log) the picture seems than pose and zoom explain; NaN: not known */
    bool is_good;
    double cost;         /* how badly the points in view agree, on one scale for all fits of a frame: mean log(1 + chi^2 / 4) */
};

struct intra_run {
    struct intra_run_options options;
    const struct intra_camera *camera;
    const struct intra_mask_pyramid *mask;
    struct intra_axis axis;
    struct intra_keyframe *kfs; /* all of the run, kfs[i].id == i */
    int n_kfs, cap_kfs;
    int n_frozen;               /* kfs[0 .. n_frozen) are settled */
    struct intra_point *points; /* alive ones and those not yet handed out */
    int n_points, cap_points;
    struct intra_patch_match *matches; /* of the last fit, one a point */
    int cap_matches;
    struct intra_pose pose, pose_before; /* of the last two tracked frames */
    double pts_s, pts_before_s;
    int n_tracked;
    bool is_boot; /* start of the run: the first camera is not settled yet */
    struct intra_bundle_result last_bundle;
    struct intra_pyramid before; /* picture of the keyframe before: what is new must be seen there too */
    int before_kf;               /* its id, -1: none yet */
    int most_inliers;            /* of the frames since the last keyframe */
    bool is_held;                /* the camera pans: the lens turns, but stays at held_at */
    struct intra_vec3 held_at;   /* run coordinates */
    bool has_dark;               /* set by the caller before a frame is fitted, and for its acceptance: where it is darkest
                                    (recon/dark.h) */
    struct intra_vec3 dark;
    int bend_left;               /* keyframes for which the axis may turn more freely */
    int n_folded;                /* keyframes in a row that saw the dark straight on and the axis bend */
    bool has_turned;             /* set when run coordinates were turned, once and before anything settled; the caller clears it */
    bool has_returned;           /* the next accepted frame may lie anywhere in the run */
    struct intra_wall_sample *samples; /* settled, to be taken by the caller, who sets n_samples to 0 */
    int n_samples, cap_samples;
    double *arc;   /* arc length at integer u from arc_first, filled on first use, kept where the axis is settled */
    int arc_first, n_arc, cap_arc;
    double zoom;       /* magnification of the frame at work, 1 but inside intra_run_fit_zoom */
    double view_scale; /* radians per pixel at the centre of the picture */
};

struct intra_run_options intra_run_defaults(double radius_m);
enum intra_status intra_run_init(struct intra_run *run, const struct intra_run_options *options,
                                 const struct intra_camera *camera, const struct intra_mask_pyramid *mask,
                                 struct intra_error *err);
void intra_run_fini(struct intra_run *run);

/* A picture after the first one, by which wall is told from grain and from what rides along with the camera. */
struct intra_run_later {
    const struct intra_pyramid *pyramid;
    bool is_placed; /* a point must be seen where the tube has it; false: it must be seen, wherever */
    struct intra_pose cam_from_first;
};

/* The first frame: the camera stands on the axis and looks `yaw` to the right and `pitch` up of it (radians). later:
 * what its points must be seen in; NULL: whatever has texture, grain too, becomes a point. */
enum intra_status intra_run_start(struct intra_run *run, const struct intra_pyramid *pyramid, int64_t frame,
                                  double pts_s, double yaw_rad, double pitch_rad, const struct intra_run_later *later,
                                  struct intra_error *err);

/* Fit a pose to a frame from a first guess; nothing in the run changes but `matches`. prior_sd_scale: how far the pose may
 * be from the guess (1 = one frame of steady travel). */
void intra_run_fit(struct intra_run *run, const struct intra_pyramid *pyramid, const struct intra_pose *guess,
                   double prior_sd_scale, struct intra_pose_fit *out);
/* The same when that has failed: from farther guesses (steps ahead and back, turns), coarser, and the best of them. At
 * least `share` of the points in view must agree. */
void intra_run_fit_hard(struct intra_run *run, const struct intra_pyramid *pyramid, const struct intra_pose *guess,
                        double share, struct intra_pose_fit *out);
/* The same for a camera that stands at the guess and zooms: the magnification is free, near `zoom`. */
void intra_run_fit_zoom(struct intra_run *run, const struct intra_pyramid *pyramid, const struct intra_pose *guess,
                        double zoom, struct intra_pose_fit *out);
/* Where the camera should be at pts_s if it goes on as it did. */
struct intra_pose intra_run_predict(const struct intra_run *run, double pts_s);

/* Take a good fit as the pose of the frame; makes a keyframe, adjusts and settles when due (*out_is_keyframe).
 * Errors: INTRA_E_MEM; INTRA_E_DEGENERATE when the geometry has run away: the run is lost from here on. */
enum intra_status intra_run_accept(struct intra_run *run, const struct intra_pyramid *pyramid,
                                   const struct intra_pose_fit *fit, int64_t frame, double pts_s,
                                   bool *out_is_keyframe, struct intra_error *err);
/* A place to come back to: the living points at a keyframe, and where the camera stood. Zero-initialise; owns its points. */
struct intra_anchor {
    struct intra_pose cam_from_world;
    struct intra_point *points;
    int n;
};
enum intra_status intra_anchor_take(struct intra_anchor *anchor, const struct intra_run *run, struct intra_error *err);
void intra_anchor_fini(struct intra_anchor *anchor);

/* Fit a frame to an anchor, from `guess`; good when more than `share` of the points in view agree. Then the anchor's points become
 * the run's living ones, a hold ends, and the fit may be accepted whatever its distance. */
enum intra_status intra_run_return(struct intra_run *run, const struct intra_anchor *anchor,
                                   const struct intra_pyramid *pyramid, const struct intra_pose *guess, bool try_hard,
                                   double share, struct intra_pose_fit *out, struct intra_error *err);

/* Settle everything (end of the run). */
enum intra_status intra_run_settle(struct intra_run *run, struct intra_error *err);

/* Arc length from u = 0. Where the axis is settled the same answer ever after; ahead of that, good until the next keyframe. */
enum intra_status intra_run_arc(struct intra_run *run, double u, double *out_m, struct intra_error *err);
/* Forget arc lengths along knots that are not frozen: in a bend their spacing grows as they leave the straight line. */
void intra_run_axis_moved(struct intra_run *run);

#endif
