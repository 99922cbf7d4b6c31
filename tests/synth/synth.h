/* A small made-up pipe for tests of recon: a straight tube with value-noise paint, seen by a pinhole, lit from the camera.
 * Nothing of recon is used: the ray meets the cylinder in closed form. World and camera as in docs/conventions.md. */
#ifndef INTRA_TESTS_SYNTH_H
#define INTRA_TESTS_SYNTH_H

#include "core/camera.h"
#include "core/geom.h"
#include "core/image.h"

struct synth_pipe {
    double radius_m;
    double ovality;  /* r = radius (1 + ovality cos 2 theta) */
    unsigned seed;
    double contrast; /* of the paint, 0 to 1 */
    double noise;    /* sensor noise, grey levels */
};

struct synth_lens {
    int width, height;
    double f, cx, cy;
};

/* The lens as recon knows it, finished; aborts where it is none. */
struct intra_camera synth_camera(const struct synth_lens *lens);

/* Where the test camera stands at time t (seconds): along +X with speed v, wobbling about the axis. */
struct intra_pose synth_world_from_cam(double t, double v, double wobble);

/* rgb: (rows, cols, 3). Same bytes every time. */
void synth_render(const struct synth_pipe *pipe, const struct synth_lens *lens, const struct intra_pose *world_from_cam,
                  unsigned frame, struct intra_view_u8 *rgb);

/* Write a video of n frames at 25 fps; poses may be NULL. 0 on success. */
int synth_video(const char *path, const struct synth_pipe *pipe, const struct synth_lens *lens, int n, double v,
                double wobble, struct intra_pose *out_world_from_cam);

#endif
