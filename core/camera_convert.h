/* The same lens in the other camera model. */
#ifndef INTRA_CORE_CAMERA_CONVERT_H
#define INTRA_CORE_CAMERA_CONVERT_H

#include "core/camera.h"

/* Fit the radial curve of `camera` by another model of the same focal length and centre: least squares of k1 to k3 over
 * the angles that the picture shows. Tangential and thin-prism terms are left out. *out_worst_px (may be NULL): the
 * largest difference in that range. Errors: INTRA_E_ARG where the other model cannot show the field (a pinhole beyond
 * 85 degrees) or folds. */
enum intra_status intra_camera_convert(const struct intra_camera *camera, enum intra_camera_model model,
                                       struct intra_camera *out, double *out_worst_px, struct intra_error *err);

/* The lens to which a straight pipe, seen along its axis, looks the same when all ways along it are `k` times as long
 * (> 0): what is seen at angle theta stands where tan theta is 1 / k of what it was. Same model, fitted as above. */
enum intra_status intra_camera_stretch(const struct intra_camera *camera, double k, struct intra_camera *out,
                                       struct intra_error *err);

/* Angle from the axis at which the picture ends: that of its farthest corner, or of the end of the usable field if that
 * is nearer. */
double intra_camera_corner_rad(const struct intra_camera *camera);

/* Angle from the axis of what is seen `radius_px` from the centre, along a row; NaN beyond the usable field. */
double intra_camera_angle_rad(const struct intra_camera *camera, double radius_px);

#endif
