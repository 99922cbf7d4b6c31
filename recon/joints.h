/* Pipe joints on a finished wall: rings around the pipe that stand out in colour, with the step and the kink of the
 * wall there.
 *
 * The wall is read in stretches of a few radii from its raster; what grows with the pipe is a score per centimetre and
 * the joints. Maths, limits and what was tried: docs/methods.md, "Joints". */
#ifndef INTRA_RECON_JOINTS_H
#define INTRA_RECON_JOINTS_H

#include "core/progress.h"
#include "core/scene.h"
#include "recon/section_fit.h"

/* Add the joints to scene->features, in order of their stations. samples: all settled wall radii, sorted by station,
 * their stations from scene->start_station_m; may be none, then offset and deflection are NaN. Reads scene->wall.colour
 * and the sections; both must be complete. debug_dir (may be NULL): gets joints.png, the wall with its score along the
 * pipe and the joints found. One thread. Errors: INTRA_E_MEM, and those of the raster. */
enum intra_status intra_joints_find(struct intra_scene *scene, const struct intra_radius_sample *samples,
                                    int64_t n_samples, const char *debug_dir, const struct intra_progress *progress,
                                    struct intra_error *err);

struct intra_joint_place {
    double station_m, sd_m; /* of the ring's middle on this wall */
};

/* Where the joints of a wall of colour alone are, in order of their stations. *out: owned by the caller
 * (intra_free), NULL with *out_n 0 on failure. Errors: as above. */
enum intra_status intra_joints_places(const struct intra_wall *wall, double radius_m, struct intra_joint_place **out,
                                      int64_t *out_n, struct intra_error *err);

#endif
