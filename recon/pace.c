#include "recon/pace.h"

#include <math.h>

enum { HABIT = 12 /* frames */ };
#define LEAP_REL 0.2
#define LEAP_TIMES 6.0
#define LEAP_CHANGE 1.5

void intra_pace_add(struct intra_pace *pace, double step_m, double frame_s)
{
    double k = pace->n < HABIT ? ++pace->n : HABIT;
    pace->step_m += (step_m - pace->step_m) / k;
    pace->frame_s += (frame_s - pace->frame_s) / k;
}

bool intra_pace_is_leap(const struct intra_pace *pace, double step_m, double time_s, double radius_m, double change)
{
    if (pace->n < HABIT) return false;
    double step = step_m / fmax(1, time_s / pace->frame_s);
    return step > LEAP_REL * radius_m && step > LEAP_TIMES * pace->step_m && change < LEAP_CHANGE;
}
