/* What a simulated inspection consists of. Every field is a key of the scene file, with the same name;
 * docs/simulator.md has them all with units and defaults. Lengths in metres, angles in degrees as people write them,
 * times in seconds. */
#ifndef INTRA_SIM_SCENE_H
#define INTRA_SIM_SCENE_H

#include "core/status.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* A list of the scene file: n structs of the type named beside it. */
struct intra_sim_list {
    void *items;
    int n;
};
#define SIM_AT(list, type, i) (&((const struct type *)(list).items)[i])

struct sim_video {
    int width, height;
    double fps;
    char codec[16];    /* h264 mpeg2 mjpeg ffv1 png */
    char container[8]; /* mp4 mkv mpg avi; empty: what suits the codec */
    int quality;       /* 0: the codec's default */
    double bitrate_mbit;
    bool interlaced;
    int repeat_every; /* every n-th picture is shown twice, the next one is lost; 0: never */
};

struct sim_lens {
    char model[8]; /* brown, kb */
    double hfov_deg;
    double fx, fy, cx, cy; /* pixels; 0 fx: from hfov_deg; cx < 0: centred */
    double k1, k2, p1, p2, k3, k4;
};

struct sim_stretch { /* of the centreline */
    double straight_m;
    double bend_deg, radius_m, towards_clock_deg;
};

struct sim_joint {
    double station_m, gap_m, depth_m, offset_m, offset_clock_deg, deflection_deg, deflection_clock_deg;
};
struct sim_joints {
    double spacing_m, first_m, gap_m, gap_spread_m, depth_m, offset_max_m, deflection_max_deg;
    struct intra_sim_list list; /* sim_joint: explicit ones, instead of or beside the regular ones */
};

struct sim_ovality { /* diameter crown to invert smaller by pct of the mean, springline larger; eased in over ease_m */
    double from_m, to_m, ovality_pct, min_clock_deg, ease_m;
};

struct sim_lateral {
    double station_m, clock_deg, diameter_m;
    char kind[12]; /* flush protruding recessed */
    double protrusion_m, wall_m, branch_angle_deg;
};

struct sim_crack {
    char code[16];
    double station_m, clock_deg, length_m, width_m;
    double direction_deg; /* 0 along the pipe, 90 around */
    double wander;        /* 0 straight .. 1 ragged */
};
struct sim_hole {
    char code[16];
    double station_m, clock_deg, length_m, width_m, depth_m;
};
struct sim_deposit {
    char code[16];
    double from_m, to_m, clock_deg, width_deg, height_m;
};
struct sim_root {
    char code[16];
    double station_m, clock_deg, spread_deg, length_m, thickness_m;
    int strands;
};
struct sim_water {
    double from_m, to_m, level_pct, murk, ripple;
};

struct sim_pipe {
    double diameter_m;
    double grade_pct;                    /* at s = 0 */
    char material[16];                   /* concrete clay brick plastic lined */
    double colour_r, colour_g, colour_b; /* sRGB 0..255 of the base colour; < 0: the material's own */
    double contrast;                     /* of the material's texture; 1 as usual */
    double dirt;                         /* 0 clean .. 1 filthy invert and tide mark */
    double gloss;                        /* of the wet wall, 0..1; < 0: the material's own */
};

struct sim_lamp {
    double x_m, y_m, z_m; /* in the camera frame: right, down, forward */
    double power;
};
struct sim_light {
    double ring_radius_m; /* regular ring of lamps around the lens, when no list is given */
    int ring_lamps;
    double beam;    /* 0: lamps shine all round .. 1: ahead, a sixteenth to the side */
    double ambient; /* share of light that has been around the pipe */
    bool auto_exposure;
    double target; /* mean brightness aimed at, 0..1 after gamma */
    double lag_s;
    double gain;                 /* with auto_exposure off; 1 = what auto-exposure would choose for the first frame */
    double warmth;               /* colour of the lamps: -1 blue .. 1 yellow */
    struct intra_sim_list lamps; /* sim_lamp */
};

struct sim_dirt {
    double x, y, radius; /* shares of the width */
    double darkness;     /* 0..1 */
    double roll_deg_s;   /* moves around the picture's centre */
};
struct sim_image {
    double vignetting, read_noise, shot_noise; /* noise: grey levels of 255 at mid-grey */
    int blur_samples;                          /* 1: no motion blur */
    double shutter;                            /* open share of the frame time */
    double sharpen;                            /* edge enhancement of cheap cameras, 0..1 */
    struct intra_sim_list dirt;                /* sim_dirt */
};

struct sim_phase {
    char action[10]; /* drive reverse stop pan zoom jump freeze title */
    double speed_m_s, distance_m, to_m, duration_s;
    double pan_deg, tilt_deg, move_s, factor;
    char text[96];
};
struct sim_motion {
    double start_m, accel_m_s2;
    double offset_right_m, offset_up_m;         /* where the camera rides */
    double wobble_m, wobble_deg, wobble_wave_m; /* standard deviations; shortest wave along the pipe */
    double vibration_deg;
    double roll_deg, roll_drift_deg; /* constant; standard deviation of the slow drift */
    double wheelbase_m;
    struct intra_sim_list phases; /* sim_phase */
};

struct sim_text {
    char text[96];                   /* {distance}, {time}, {date} are filled in */
    char font[12];                   /* osd sans bold mono */
    char colour[8], box[8], edge[8]; /* #rrggbb, or empty: none */
    double x, y; /* of the text's top left corner, shares of width and height; negative: from the right or bottom */
    double size; /* of the font, share of the height */
    double box_alpha;
};
struct sim_overlay {
    char layout[16]; /* none corner boxes header yellow green dark custom */
    char unit[8];    /* 0.01m 0.1m 0.1ft */
    double offset_m, scale, slack_m, late_m;
    struct intra_sim_list texts; /* sim_text, added to the layout's own */
};

struct intra_sim_scene {
    char name[64], about[256];
    int64_t seed;
    struct sim_video video;
    struct sim_lens lens;
    struct sim_pipe pipe;
    struct intra_sim_list centreline; /* sim_stretch */
    struct sim_joints joints;
    struct intra_sim_list ovality, laterals, cracks, holes, deposits, roots, water;
    struct sim_light light;
    struct sim_image image;
    struct sim_motion motion;
    struct sim_overlay overlay;
};

/* Fill `out` from JSON text; `name` is for messages. Errors: INTRA_E_FORMAT naming file, line or key, what is wrong and
 * the nearest valid key. On failure nothing is left to free. */
enum intra_status intra_sim_scene_parse(const char *json, const char *name, struct intra_sim_scene *out,
                                        struct intra_error *err);
void intra_sim_scene_fini(struct intra_sim_scene *scene);
/* Every key with its value as resolved; parse takes it back. */
enum intra_status intra_sim_scene_write(const struct intra_sim_scene *scene, FILE *to, struct intra_error *err);
double intra_sim_scene_length(const struct intra_sim_scene *scene); /* of the centreline, metres */

#endif
