/* Where the camera is at any time: the script of phases, and the wobble of a crawler on top. */
#ifndef INTRA_SIM_MOTION_H
#define INTRA_SIM_MOTION_H

#include "tools/sim/sim_centreline.h"

enum sim_state { SIM_DRIVE, SIM_REVERSE, SIM_STOP, SIM_PAN, SIM_NOT_PIPE, SIM_DUPLICATE };

/* One fine time step. */
struct sim_moment {
    double s, odometer, speed, pan, tilt, zoom, counter; /* radians; counter in metres before rounding */
    int phase;
    bool is_title, is_frozen;
};
struct intra_sim_track {
    struct sim_moment *moments; /* SIM_FINE per frame, and one more */
    int frames, n, capacity;
    double fps;
};
enum { SIM_FINE = 16 };

struct sim_camera {
    struct intra_pose world_from_cam;
    double station, zoom, pan_rad, counter; /* pan_rad: angle of the optical axis by command */
};

/* Errors: INTRA_E_FORMAT when a phase leaves the pipe or has no end. */
enum intra_status intra_sim_track_make(const struct intra_sim_scene *scene, struct intra_sim_track *out,
                                       struct intra_error *err);
void intra_sim_track_fini(struct intra_sim_track *track);
struct sim_camera intra_sim_camera_at(const struct intra_sim_scene *scene, const struct intra_sim_centreline *line,
                                      const struct intra_sim_track *track, double time_s);
/* Frame whose picture frame `index` shows (itself unless repeated), and its state. */
int intra_sim_picture_of(const struct intra_sim_scene *scene, const struct intra_sim_track *track, int index,
                         enum sim_state *out_state);
const char *intra_sim_state_name(enum sim_state state);

#endif
