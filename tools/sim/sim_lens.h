/* The simulator's own lenses; nothing here is shared with core/camera, so that an error cannot cancel itself.
 *
 * brown: x = X/Z, y = Y/Z, r2 = x^2 + y^2, g = 1 + k1 r2 + k2 r2^2 + k3 r2^3,
 *        u = fx (x g + 2 p1 x y + p2 (r2 + 2 x^2)) + cx,  v = fy (y g + p1 (r2 + 2 y^2) + 2 p2 x y) + cy  (Brown 1966)
 * kb:    t = angle from the axis, d = t (1 + k1 t^2 + k2 t^4 + k3 t^6 + k4 t^8), u = fx d X/h + cx, h = hypot(X, Y)
 *        (Kannala and Brandt 2006). k3 and k4 of the two have different meanings, as in the files that carry them. */
#ifndef INTRA_SIM_LENS_H
#define INTRA_SIM_LENS_H

#include "core/geom.h"
#include "core/status.h"
#include "tools/sim/sim_scene.h"

struct intra_sim_lens {
    bool is_fisheye;
    int width, height;
    double fx, fy, cx, cy;
    double k[5];     /* brown: k1 k2 p1 p2 k3; kb: k1 k2 k3 k4 */
    double max_edge; /* brown: largest radius X/Z, kb: largest angle, up to where the distortion grows; the picture ends
                        there */
};

/* Errors: INTRA_E_FORMAT when the lens folds over before the picture's nearest edge. */
enum intra_status intra_sim_lens_make(const struct sim_lens *spec, int width, int height, struct intra_sim_lens *out,
                                      struct intra_error *err);
/* Pixel of a point in the camera frame; false where the lens does not see it. zoom multiplies the focal lengths. */
bool intra_sim_lens_project(const struct intra_sim_lens *lens, double zoom, struct intra_vec3 p, double out_px[2]);
/* Unit ray through a pixel; false outside the lens's field. */
bool intra_sim_lens_ray(const struct intra_sim_lens *lens, double zoom, double u, double v, struct intra_vec3 *out);
/* OpenCV YAML (camera_matrix, distortion_coefficients), as calibration tools write it. Atomic. */
enum intra_status intra_sim_lens_write(const struct intra_sim_lens *lens, const char *path, struct intra_error *err);

#endif
