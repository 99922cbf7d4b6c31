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
#define INTRA_DARK_C 2.0 /* deviations from where it pulls no harder (Huber) */

/* Unit direction in the camera's frame. False: no one dark place inside the picture. */
bool intra_dark_direction(const struct intra_frame *frame, const struct intra_camera *camera,
                          const struct intra_mask_pyramid *mask, struct intra_vec3 *out);

/* The dark against x, the axis point that it should lie at, both in the camera's frame. e: by how much (radians, across
 * the dark) the dark lies off x; by_x: how the direction of x changes with x there. False: x lies far off or behind. */
bool intra_dark_against(struct intra_vec3 dark, struct intra_vec3 x, double e[2], struct intra_vec3 by_x[2]);

#endif
