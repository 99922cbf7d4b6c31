/* The scene: what recon hands to export, and what the store keeps. Plain structs; the owner of a struct intra_scene is
 * whoever called intra_scene_init.
 *
 * World: Z up, X along the axis at s = 0, origin on the axis there. Station s: arc length along the axis. Clock angle
 * theta: 0 at the crown, clockwise looking along +s (3 o'clock = right = pi/2). Unknown numbers are NaN. Every `_sd` is
 * one standard deviation in the unit of its number. */
#ifndef INTRA_CORE_SCENE_H
#define INTRA_CORE_SCENE_H

#include "core/camera.h"
#include "core/geom.h"
#include "core/raster.h"
#include "core/status.h"

#include <stdint.h>

enum intra_frame_state {
    INTRA_STATE_DRIVE,
    INTRA_STATE_REVERSE,
    INTRA_STATE_STOP,
    INTRA_STATE_PAN,
    INTRA_STATE_LOST,
    INTRA_STATE_NOT_PIPE,
    INTRA_STATE_DUPLICATE
};
const char *intra_frame_state_name(enum intra_frame_state state); /* "drive", "reverse", ... */

/* One frame of the input. */
struct intra_frame_record {
    int64_t index;
    double pts_s;
    enum intra_frame_state state;
    bool is_posed;
    int segment; /* stretch of connected poses, from 0; -1: no station either. Stations of different segments are joined
                    only by assumption */
    struct intra_pose world_from_cam;
    double station_m, station_sd_m; /* of the camera; NaN when not known. A camera that zooms has a station and no pose;
                                       the deviation alone is not known after a cut */
    double counter_m;               /* NaN when not read */
    double roll_sd_rad; /* of clock angles here against gravity; NaN: not known, as in scenes read from a store */
};

enum { INTRA_SECTION_HARMONICS = 6 };

/* The pipe's section at one station. Radius at clock angle theta:
 * r = a[0] + sum_{k=1..K} a[k] cos(k theta) + b[k] sin(k theta), about the axis, as everything on the wall is. a[1] and
 * b[1]: a deposit, or a length laid off the axis; the axis is not moved by them. */
struct intra_section {
    double station_m;
    struct intra_vec3 centre; /* of the axis; world, metres */
    /* Columns: tangent (+s), right (theta = 90 deg), crown (theta = 0). Orthonormal and left-handed (determinant -1),
     * as theta runs clockwise along +s: not for intra_rotation_log or quaternions. */
    struct intra_mat3 world_from_sec;
    bool is_seen; /* false: nothing was measured here, centre and frame are interpolated over a gap */
    double a[INTRA_SECTION_HARMONICS + 1], b[INTRA_SECTION_HARMONICS + 1]; /* metres */
    double diameter_min_m, diameter_max_m, diameter_mean_m, perimeter_m;
    double diameter_min_sd_m, diameter_max_sd_m, diameter_mean_sd_m, perimeter_sd_m;
    double ovality_pct, ovality_max_pct, ovality_sd_pct,
        ovality_max_sd_pct;                     /* ASTM F1216: (mean-min)/mean, (max-mean)/mean */
    double min_clock_rad, min_clock_sd_rad;     /* clock angle of the smallest diameter, in [0, pi) */
    double water_level_pct, water_level_sd_pct; /* of the diameter; NaN when not found */
    double heading_rad, heading_sd_rad;         /* of the axis, 0 = +X, positive to the left (about +Z) */
    double grade_pct, grade_sd_pct;             /* rise per run of the axis, positive upward in +s */
    struct intra_vec3 centre_sd_m;
};

/* The unrolled wall. Cell (row, col): station s = station0_m + (col + 0.5) texel_m, clock angle
 * theta = pi + 2 pi (row + 0.5) / rows (mod 2 pi): the top row is 6 o'clock, crown in the middle, clockwise downwards;
 * `cut_rad` moves the cut (theta of the top edge; default pi). */
struct intra_wall {
    double station0_m;
    double texel_m;     /* along s; around the row height is perimeter_m / rows */
    double perimeter_m; /* pi times the nominal diameter: the metre scale of the y axis */
    double cut_rad;
    int rows;
    int64_t cols;
    struct intra_raster *colour; /* 4 x uint8: sRGB and alpha (0 = unseen) */
    struct intra_raster *relief; /* float32 m: radius minus the fitted section, positive outwards; NaN = not measured */
    struct intra_raster *coverage; /* 2 x float32: ground resolution m per pixel of the best view (0 = unseen), views */
};

enum intra_feature_kind { INTRA_FEATURE_JOINT, INTRA_FEATURE_LATERAL, INTRA_FEATURE_BEND, INTRA_FEATURE_WATER };
const char *intra_feature_kind_name(enum intra_feature_kind kind); /* "joint", "lateral", "bend", "water" */

/* What stands out on the wall or in the course of the pipe. What is unknown, or has no meaning for its kind, is NaN.
 * Station: of a joint the middle of its ring on the axis, of a lateral the middle of its mouth; bend and water run from
 * station_m to station_to_m, others have no station_to_m. */
struct intra_feature {
    enum intra_feature_kind kind;
    double station_m, station_sd_m;
    double station_to_m, station_to_sd_m;
    /* joint */
    double gap_m, gap_sd_m;       /* width of the gap along the pipe, as it shows on the wall */
    double offset_m, offset_sd_m; /* how far the wall behind the joint (+s) is displaced across the axis against the
                                     wall before it */
    double offset_clock_rad, offset_clock_sd_rad; /* towards which clock angle, [0, 2 pi) */
    double deflection_rad, deflection_sd_rad;     /* angle between the axes before and behind it, >= 0 */
    double deflection_clock_rad;                  /* towards which clock angle the axis turns, [0, 2 pi) */
    /* lateral: the middle of its mouth; bend: towards which clock angle the axis turns. [0, 2 pi) */
    double clock_rad, clock_sd_rad;
    double diameter_m, diameter_sd_m;   /* lateral: of its mouth */
    double intrusion_m, intrusion_sd_m; /* lateral: how far it stands into the pipe; negative: set back */
    double angle_rad, angle_sd_rad;     /* bend: by which the axis turns in all, >= 0 */
    double radius_m, radius_sd_m;       /* bend: mean radius of the axis */
    double level_pct, level_sd_pct;     /* water: mean level, of the diameter */
    double confidence;                  /* 0 to 1 that it is one */
};

/* A joint with all numbers NaN. */
struct intra_feature intra_feature_unknown(void);

/* A stretch along the pipe that was not reconstructed. */
struct intra_gap {
    double station_from_m, station_to_m; /* to is NaN when the length of the gap is not known */
    double time_from_s, time_to_s;
    char reason[128];
};

/* Variance of the steps between stations, over radius and way: between two stations a way w apart in a pipe of radius r
 * it is INTRA_STATION_WALK r w. Set by hand on simulated scenes (docs/methods.md, "Deviations"). */
#define INTRA_STATION_WALK 1e-5

struct intra_scene {
    struct intra_camera camera;
    double nominal_diameter_m;
    bool is_diameter_assumed; /* no --diameter given */
    double start_station_m;
    double length_m, length_sd_m; /* reconstructed length along the axis */
    struct intra_frame_record *frames;
    int64_t n_frames, cap_frames;
    struct intra_section *sections; /* sorted by station, even steps of section_step_m */
    int64_t n_sections, cap_sections;
    double section_step_m;
    struct intra_feature *features;
    int64_t n_features, cap_features;
    struct intra_gap *gaps;
    int64_t n_gaps, cap_gaps;
    struct intra_wall wall;
};

void intra_scene_init(struct intra_scene *scene);
void intra_scene_fini(struct intra_scene *scene); /* frees arrays and rasters */
enum intra_status intra_scene_add_frame(struct intra_scene *scene, const struct intra_frame_record *frame,
                                        struct intra_error *err);
enum intra_status intra_scene_add_section(struct intra_scene *scene, const struct intra_section *section,
                                          struct intra_error *err);
enum intra_status intra_scene_add_feature(struct intra_scene *scene, const struct intra_feature *feature,
                                          struct intra_error *err);
enum intra_status intra_scene_add_gap(struct intra_scene *scene, const struct intra_gap *gap, struct intra_error *err);

/* How well stations around here are known: as well as that of the posed frame whose camera stood nearest; 0 when none is
 * posed or its deviation is not known. */
double intra_scene_station_sd(const struct intra_scene *scene, double station_m);

/* The same of clock angles against gravity. */
double intra_scene_roll_sd(const struct intra_scene *scene, double station_m);

/* Radius of a section at a clock angle, metres. */
double intra_section_radius(const struct intra_section *section, double theta_rad);
/* Fill the diameter, perimeter and ovality fields (not their sd) from centre and harmonics. Ovality: ASTM F1216. */
void intra_section_measure(struct intra_section *section);
/* At share k, 0 to 1, of the way from a section to the next one in its list: centre, and unit vectors to the right and
 * to the crown, as intra_scene_wall_point has them. */
void intra_section_frame(const struct intra_section *section, double k, struct intra_vec3 *out_centre,
                         struct intra_vec3 *out_right, struct intra_vec3 *out_crown);
/* World point of the wall at station s, clock angle theta, `relief_m` outward of the fitted section; sections are
 * interpolated. False outside the sections. out_normal (may be NULL) points to the inside. */
bool intra_scene_wall_point(const struct intra_scene *scene, double station_m, double theta_rad, double relief_m,
                            struct intra_vec3 *out_point, struct intra_vec3 *out_normal);

#endif
