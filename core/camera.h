/* Camera models: from a ray in the camera frame to a pixel and back.
 *
 * Camera frame: x right, y down, z forward. Pixel (0,0) is the centre of the top-left pixel.
 *
 * INTRA_CAMERA_BROWN  pinhole with Brown-Conrady distortion as OpenCV writes it, up to the rational model with thin
 *                     prism: k = k1 k2 p1 p2 k3 k4 k5 k6 s1 s2 s3 s4 (Brown 1971; OpenCV calib3d). Unused ones are 0.
 *                     Defined for z > 0 and out to the radius where the distortion stops growing.
 * INTRA_CAMERA_KB     Kannala-Brandt: r(theta) = theta (1 + k1 t^2 + k2 t^4 + k3 t^6 + k4 t^8) (Kannala and Brandt
 *                     2006; OpenCV "fisheye", ROS "equidistant"), any theta up to where r stops growing.
 * Pure functions, no allocation, safe from any thread. */
#ifndef INTRA_CORE_CAMERA_H
#define INTRA_CORE_CAMERA_H

#include "core/geom.h"
#include "core/status.h"

enum intra_camera_model { INTRA_CAMERA_BROWN, INTRA_CAMERA_KB };

enum { INTRA_CAMERA_MAX_K = 12, INTRA_CAMERA_MAX_PARAMS = 16 };

struct intra_camera {
    enum intra_camera_model model;
    int width, height;      /* pixels */
    double fx, fy, cx, cy;  /* pixels */
    double k[INTRA_CAMERA_MAX_K];
    double max_theta_rad;   /* largest usable angle from the axis; set by intra_camera_finish */
    double max_tan2;        /* tan^2 of it for Brown, saves trigonometry; set by intra_camera_finish, 0: not known */
    bool is_assumed;        /* no calibration: field of view from --hfov or the default */
    double focal_sd_rel;    /* relative standard deviation of fx, fy: 0.002 calibrated, larger when assumed */
    char source[256];       /* where it came from, for provenance and messages */
};

/* Check the numbers (finite, positive focal length, centre near the picture) and find max_theta_rad; a focal_sd_rel of 0
 * becomes 0.002, or 0.1 when is_assumed. Errors: INTRA_E_ARG naming the field. Call after filling a camera by hand. */
enum intra_status intra_camera_finish(struct intra_camera *camera, struct intra_error *err);

/* A pinhole of the given horizontal field of view (0 < hfov < 170 degrees; Kannala-Brandt with k = 0 above that and up to
 * 220), centred, square pixels, is_assumed set. */
enum intra_status intra_camera_from_hfov(int width, int height, double hfov_rad, struct intra_camera *out,
                                         struct intra_error *err);

/* The pixel of point `p` (camera frame, any length > 0). False, and out_px unspecified, where the model does not see it
 * (behind a pinhole, beyond max_theta); a pixel outside the picture is still true. jac (may be NULL): d px / d p, 2 x 3,
 * row-major. jac_params (may be NULL): d px / d (fx, fy, cx, cy, k...), 2 x INTRA_CAMERA_MAX_PARAMS, row-major. */
bool intra_camera_project(const struct intra_camera *camera, struct intra_vec3 p, double out_px[2], double jac[6],
                          double jac_params[2 * INTRA_CAMERA_MAX_PARAMS]);

/* The unit ray through a pixel. Inverse of intra_camera_project to 1e-9 px inside the usable field; false outside. */
bool intra_camera_unproject(const struct intra_camera *camera, const double px[2], struct intra_vec3 *out_ray);

/* The same lens for a picture of another size (same aspect to 1 %): focal length, centre and size scaled.
 * Errors: INTRA_E_ARG when the aspect differs. */
enum intra_status intra_camera_rescale(struct intra_camera *camera, int width, int height, struct intra_error *err);

#endif
