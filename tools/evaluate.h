/* What `evaluate` knows about a result and its truth, and the figures it takes from them. It reads the public files
 * only, so that anybody's output can be compared. What each figure means: docs/evaluation.md. */
#ifndef INTRA_TOOLS_EVALUATE_H
#define INTRA_TOOLS_EVALUATE_H

#include "core/geom.h"
#include "core/status.h"
#include "tools/figures.h"
#include "tools/table.h"

#include <stdbool.h>
#include <stdint.h>

enum intra_eval_state {
    EVAL_DRIVE,
    EVAL_REVERSE,
    EVAL_STOP,
    EVAL_PAN,
    EVAL_LOST,
    EVAL_NOT_PIPE,
    EVAL_DUPLICATE,
    EVAL_MISSING,
    EVAL_STATES
};
extern const char *const intra_eval_state_names[EVAL_STATES];

/* One frame of the video, as the truth has it and as the result has it. Unknown numbers are NaN. */
struct intra_eval_frame {
    double t_s;
    enum intra_eval_state truth_state, state;
    bool shows_pipe, has_truth_pose, is_posed;
    double zoom, truth_station_m, truth_path_m; /* path: way travelled until here */
    double station_m, station_sd_m;
    struct intra_pose truth_pose, pose; /* world from camera */
    int segment;                        /* stretch of connected poses, from 0; -1 not posed */
    double roll_sd_rad;                 /* as stated; NaN: not */
    double roll_error_rad;              /* ours - truth, of the roll against gravity; NaN: not compared */
};

/* Errors along the pipe, as drawn by --plot. */
enum intra_eval_plot { EVAL_PLOT_STATION, EVAL_PLOT_RIGHT, EVAL_PLOT_UP, EVAL_PLOT_ROLL, EVAL_PLOT_RADIUS, EVAL_PLOT_JOINT, EVAL_PLOTS };
struct intra_eval_point {
    double station_m, error, sd; /* of the truth; ours - truth in the plot's unit; NaN: none stated */
    int stretch;                 /* points of one are joined by a line */
};
struct intra_eval_points {
    struct intra_eval_point *at;
    int64_t n, cap;
};

/* Axis of a pipe by station: position and direction. */
struct intra_eval_axis {
    double *station_m;
    struct intra_vec3 *tangent;
    int64_t n;
};

/* A stretch of connected poses: its stations in the result, and ours - truth there (median). */
struct intra_eval_segment {
    double station_min_m, station_max_m, shift_s_m;
};

struct intra_evaluation {
    char out_dir[1100], truth_dir[1100];
    double nominal_diameter_m, truth_length_m;
    struct intra_eval_frame *frames;
    int64_t n_frames;
    struct intra_eval_segment *segments;
    int n_segments;
    struct intra_eval_axis truth_axis, axis;
    struct intra_table profile; /* of the result */
    /* One shift of everything: ours - truth. */
    double shift_s_m, shift_theta_rad;
    /* Ours - truth in station by truth station, every drift_step_m from drift_from_m; smooth. */
    double *drift_m;
    double drift_from_m;
    int64_t n_drift;
    struct intra_figures figures;
    struct intra_eval_points plots[EVAL_PLOTS];
};

#define EVAL_DRIFT_STEP_M 0.1

/* Errors name the file. fini accepts a zeroed struct. */
enum intra_status intra_evaluation_read(struct intra_evaluation *e, const char *out_dir, const char *truth_dir,
                                        struct intra_error *err);
void intra_evaluation_fini(struct intra_evaluation *e);

/* Each adds its figures; what cannot be taken (a file that the result lacks) is NaN there. */
enum intra_status intra_evaluate_frames(struct intra_evaluation *e, struct intra_error *err);
/* Also fills the shifts and the drift. */
enum intra_status intra_evaluate_motion(struct intra_evaluation *e, struct intra_error *err);
enum intra_status intra_evaluate_profile(struct intra_evaluation *e, struct intra_error *err);
/* blocks_path (may be NULL): a table of every block, to see where the displacements are. */
enum intra_status intra_evaluate_wall(struct intra_evaluation *e, const char *blocks_path, struct intra_error *err);
/* Joints in observations.csv; after motion. */
enum intra_status intra_evaluate_joints(struct intra_evaluation *e, struct intra_error *err);
/* Laterals and bends in observations.csv, the water level of profile.csv; after motion. */
enum intra_status intra_evaluate_features(struct intra_evaluation *e, struct intra_error *err);
/* Lens and measured diameter (project.sqlite), counter readings, silent failures. */
enum intra_status intra_evaluate_lens(struct intra_evaluation *e, struct intra_error *err);
/* relief.tif against the truth's radius grid; after motion. */
enum intra_status intra_evaluate_relief(struct intra_evaluation *e, struct intra_error *err);
enum intra_status intra_evaluate_coverage(struct intra_evaluation *e, struct intra_error *err);

/* The truth's section at a station, as profile.csv has sections: the median over half_m to both sides at each clock
 * angle, harmonics 0 to 6. grid: all cells of radius.tif; radius: scratch of info->rows. False: outside, or more than a
 * seventh open. */
enum { EVAL_SECTION_TERMS = 13 };
struct intra_tiff_info;
bool intra_eval_truth_section(const float *grid, const struct intra_tiff_info *info, double station_m, double half_m,
                              double *radius, double out[EVAL_SECTION_TERMS]);
/* Its radius at a row (0.5: the middle of the first) of rows. */
double intra_eval_section_radius(const double terms[EVAL_SECTION_TERMS], double row, int rows);

/* Add a point to a plot. Errors: INTRA_E_MEM. */
enum intra_status intra_eval_note(struct intra_evaluation *e, enum intra_eval_plot plot, struct intra_eval_point point,
                                  struct intra_error *err);
/* errors.svg in an existing or new folder; after all others. Errors: those of writing; INTRA_E_NO_RESULT: no frame to compare. */
enum intra_status intra_evaluate_draw(const struct intra_evaluation *e, const char *dir, struct intra_error *err);

/* Station of the result for a station of the truth, drift included. */
double intra_eval_station(const struct intra_evaluation *e, double truth_station_m);
/* The connected stretch that a station of the result belongs to: the nearest; -1 when there is none. */
int intra_eval_segment_at(const struct intra_evaluation *e, double station_m);
/* The path of a file of the truth or the result; false where there is none. */
bool intra_eval_find(const char *dir, const char *name, char *path, int n);

/* Rotation, translation and scale that bring points `from` onto `to`: to = scale R from + t, least squares. is_scaled
 * false: scale is 1. (Umeyama 1991; the rotation by Horn's quaternion, 1987.) n >= 1. */
struct intra_similarity {
    struct intra_mat3 r;
    struct intra_vec3 t;
    double scale;
};
struct intra_similarity intra_eval_align(const struct intra_vec3 *from, const struct intra_vec3 *to, int64_t n,
                                         bool is_scaled);

#endif
