/* Camera files. Formats, recognised by content, not by name: OpenCV YAML or JSON (camera_matrix,
 * distortion_coefficients; plumb_bob, rational, equidistant/fisheye; also ROS camera_info), mrcal .cameramodel
 * (PINHOLE, OPENCV4/5/8/12), COLMAP cameras.txt (first camera; pixel centres shifted by 0.5), Kalibr camchain YAML (cam0;
 * radtan, equidistant, none). */
#ifndef INTRA_CORE_CAMERA_FILE_H
#define INTRA_CORE_CAMERA_FILE_H

#include "core/camera.h"

/* Errors: INTRA_E_IO (cannot read), INTRA_E_FORMAT (unknown format, missing field, NaN), INTRA_E_UNSUPPORTED (a known
 * lens model that we do not have, named). The text names the file and the field. */
enum intra_status intra_camera_file_read(const char *path, struct intra_camera *out, struct intra_error *err);

/* Writes OpenCV YAML (equidistant for Kannala-Brandt), which every reader above takes back. Atomic. */
enum intra_status intra_camera_file_write(const char *path, const struct intra_camera *camera, struct intra_error *err);

#endif
