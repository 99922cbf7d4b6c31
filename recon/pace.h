/* How far a camera goes from frame to frame, and steps that it cannot have made.
 *
 * On a smooth wall what stands in the picture, or lies far ahead, can be followed as wall that a camera leaves behind
 * it at a metre a second, every match agreeing. A camera that went so fast would change the picture more than usual. */
#ifndef INTRA_RECON_PACE_H
#define INTRA_RECON_PACE_H

#include <stdbool.h>

/* Of a run; zero-initialise. */
struct intra_pace {
    double step_m, frame_s; /* usual ones */
    int n;                  /* steps seen, up to what makes a habit */
};

/* A step (metres, at least 0) that was followed over frame_s seconds, more than 0. */
void intra_pace_add(struct intra_pace *pace, double step_m, double frame_s);

/* Whether step_m over time_s (one frame, or several that were lost) is a leap: over 0.2 radii a frame and six times the
 * usual, while the picture changed by less than 1.5 times what it usually does (`change`). False while too few steps
 * were seen. */
bool intra_pace_is_leap(const struct intra_pace *pace, double step_m, double time_s, double radius_m, double change);

#endif
