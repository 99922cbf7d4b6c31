/* What motion remembers: keyframes, wall points with their patches, and what was seen where. Metres, world frame. */
#ifndef INTRA_RECON_WINDOW_H
#define INTRA_RECON_WINDOW_H

#include "core/camera.h"
#include "recon/patch.h"
#include "recon/tube.h"

#include <stdint.h>

enum { INTRA_POINT_MAX_OBS = 14, INTRA_POINT_NEAR = 5 };

struct intra_keyframe {
    int id; /* counts up; index in the run's list of keyframes */
    int64_t frame;
    double pts_s;
    struct intra_pose cam_from_world;
    bool is_frozen;          /* left the window: a constant from now on */
    bool is_held;            /* made while panning: no measure of the wall, no view of it */
    double u;                /* axis parameter of the camera */
    double scale_sd;         /* of the adjustment that it was last part of; NaN: not known */
    double way_m, way_sd_rel, roll_sd_rad; /* of the same adjustment: across its window; NaN: not known */
    bool has_dark;           /* the direction `dark` (unit, camera frame) points at the axis INTRA_DARK_AHEAD_REL radii ahead */
    struct intra_vec3 dark;
};

struct intra_obs {
    int kf;
    double px[2];
    double info[3]; /* inverse covariance uu, uv, vv; 1/px^2 */
};

struct intra_point {
    int host; /* keyframe id */
    double px[2];
    struct intra_vec3 ray;     /* unit, host camera frame */
    double dist;               /* along the ray, metres: the one unknown */
    double r_expect;           /* radius that the tube prior expects here */
    double u;                  /* axis parameter, kept current */
    struct intra_vec3 x;       /* world position */
    /* Where the wall around it is seen step_px right, left, down, up, and right and down of px in the host picture:
     * they carry the patch's warp. */
    struct intra_vec3 near[INTRA_POINT_NEAR];
    double step_px;
    struct intra_patch patch;
    struct intra_obs obs[INTRA_POINT_MAX_OBS];
    int n_obs;
    int misses;       /* frames in a row without a good match */
    bool is_alive;    /* followed; a dead one stays for what it saw until its keyframes are settled */
    bool is_doubtful; /* in view but no longer found, or run away: it may never have been wall */
    bool is_handed_out;       /* its radius is among the samples */
    double r_data, r_data_sd; /* radius from parallax alone, without the prior; sd 0: not known */
    double tube_share;        /* weight of its tube prior for standing alone or in a crowd; 1 on average */
    double weight;    /* robust weight of its tube prior in the last adjustment, 0 to 1 */
};

/* World position and neighbours from host pose, ray and dist; the wall around the point is the tube through it. False:
 * the neighbours' rays do not meet that, or too flatly. */
bool intra_point_place(struct intra_point *point, const struct intra_camera *camera,
                       const struct intra_pose *host_cam_from_world, const struct intra_axis *axis);

#endif
