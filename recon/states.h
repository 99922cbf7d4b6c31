/* What the camera was doing in each frame, and where nothing is known: read off the whole run of poses. */
#ifndef INTRA_RECON_STATES_H
#define INTRA_RECON_STATES_H

#include "core/scene.h"

/* What motion knows of a frame besides its record: direction of the optical axis against the pipe, NaN when not posed;
 * whether its segment was placed by the distance counter, or apart behind a cut. */
struct intra_view_angle {
    float yaw_rad, pitch_rad;
    float wander_sd_rel; /* as in intra_motion_frame */
    bool is_by_counter, is_apart;
    float roll_walk_rad2_m; /* as in intra_motion_frame */
};

/* Sets the state of posed frames (drive, reverse, stop, pan) and of lost ones within a pan; fills scene->gaps, length_m and
 * length_sd_m. angles: scene->n_frames entries. Errors: INTRA_E_MEM. */
enum intra_status intra_states_find(struct intra_scene *scene, const struct intra_view_angle *angles,
                                    struct intra_error *err);

#endif
