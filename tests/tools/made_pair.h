/* A truth folder and a result folder for it, made by hand: what the result gets wrong is known exactly. No
 * reconstruction, no simulator. */
#ifndef INTRA_TEST_MADE_PAIR_H
#define INTRA_TEST_MADE_PAIR_H

#include <stdbool.h>

struct made_pair {
    double length_m;                          /* of the pipe */
    double scale;                             /* stations and poses of the result: times this */
    double station_shift_m;                   /* and plus this */
    double roll_shift_rad;                    /* the result's world turned about the axis */
    double position_noise_m;                  /* of the camera across the pipe, alternating from frame to frame */
    double texture_along_m, texture_around_m; /* the texture of the result lies this much further than its poses say */
    double texture_wave_m;                    /* and waves along the pipe by this amplitude, 2 m long */
    double diameter_error_m;                  /* of every section */
    double ovality;                           /* of the truth's section: r = R (1 - ovality cos 2 theta) */
    double lobes_m, relief_lobes_m;           /* twelve lobes around, so high: of the truth's wall; of the result's relief */
    double deposit_m;                         /* height of one on the invert of the truth, a quarter of the ring wide */
    double sd_m;                              /* stated deviations of station and diameters */
    double unseen_from, unseen_to;            /* share of the way around that the result did not see */
    double jump_m;                            /* stations and poses after the lost frames: plus this, the wall too */
    int lost_from, lost_to;                   /* frames that the result lost, [from, to) */
    int pan_from, pan_to;                     /* frames that pan in the truth; the result does not pose them */
    bool has_joints;                          /* one each metre, and the truth's grid has grooves there */
    double joint_station_m, joint_offset_m,
        joint_gap_m;                          /* every joint of the result: so much too far, displaced, wide */
    int joints_missed, joints_invented;       /* of the result: the first so many left out; so many too many */
    bool is_plain;                            /* no texture at all */
    double focal_scale;                       /* a project.sqlite whose lens is this much longer; 0: no store */
    double measured_diameter_m;               /* in the store, with a deviation of 0.5 mm */
    bool has_warning;                         /* the store has one */
    int counter_wrong_each, counter_empty_each; /* of the counter's readings each so-and-so-many-th; 0: none */
    double fine_texel_m;                      /* cell of the result's wall; 0: as the truth's, 1 mm */
};

/* Perfect copy of a 4 m pipe, DN300. */
struct made_pair made_pair_defaults(void);
/* Writes folder/truth and folder/out. */
void made_pair_write(const struct made_pair *pair, const char *folder);

#endif
