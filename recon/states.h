/* What the camera was doing in each frame, and where nothing is known: read off the whole run of poses. */
#ifndef INTRA_RECON_STATES_H
#define INTRA_RECON_STATES_H

#include "core/scene.h"

/* Direction of the optical axis against the pipe, one per frame record; NaN when not posed. */
struct intra_view_angle {
    float yaw_rad, pitch_rad;
};

/* Sets the state of posed frames (drive, reverse, stop, pan) and of lost ones within a pan; fills scene->gaps, length_m and
 * length_sd_m. angles: scene->n_frames entries. Errors: INTRA_E_MEM. */
enum intra_status intra_states_find(struct intra_scene *scene, const struct intra_view_angle *angles,
                                    struct intra_error *err);

#endif
