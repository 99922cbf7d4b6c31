/* Where the pipe goes on: the darkest part of the picture. The lamp rides with the camera and the light falls off, so that the far end of
 * what can be seen is dark, in straight pipe within about a degree of the axis some seven radii ahead. A weak measure beside textured wall,
 * and the only absolute one of direction where the wall has none. */
#ifndef INTRA_RECON_DARK_H
#define INTRA_RECON_DARK_H

#include "core/camera.h"
#include "core/video.h"
#include "recon/pyramid.h"

#define INTRA_DARK_AHEAD_REL 7.0 /* radii ahead of the camera at which the axis passes the dark */
#define INTRA_DARK_SD_RAD 0.04

/* Unit direction in the camera's frame. False: no one dark place inside the picture. */
bool intra_dark_direction(const struct intra_frame *frame, const struct intra_camera *camera,
                          const struct intra_mask_pyramid *mask, struct intra_vec3 *out);

#endif
