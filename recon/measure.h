/* Measures of a finished pipe: what stands in its sections, features and observations, brought together for
 * rehabilitation. Formulas and standards: docs/measure.md. Needs no raster. */
#ifndef INTRA_RECON_MEASURE_H
#define INTRA_RECON_MEASURE_H

#include "core/inspection.h"
#include "core/scene.h"

/* Depth, section loss and volume of placed deposits and surface damage: the sections there, and the relief where
 * scene->wall has it, against the sections beside. Fills what is NaN in `extent`; what cannot be measured stays NaN.
 * Errors: INTRA_E_MEM, those of the raster. */
enum intra_status intra_measure_depths(const struct intra_scene *scene, struct intra_inspection *inspection,
                                       struct intra_error *err);

/* Radius of the undamaged pipe at a clock angle, from the sections beside stations [from, to], and its scatter; false where
 * too few were seen there. */
bool intra_measure_radius_beside(const struct intra_scene *scene, double from_m, double to_m, double theta, double *out,
                                 double *sd);

/* One number with where it is. NaN where there is none. */
struct intra_measure {
    double value, sd, station_m, clock_rad;
};

struct intra_lateral_measure {
    double station_m, station_sd_m, clock_rad, clock_sd_rad, diameter_m, diameter_sd_m, intrusion_m, intrusion_sd_m;
    const char *id, *code; /* of the observation; NULL: found by the program */
};

/* A stretch along the pipe and how many observations made it. */
struct intra_stretch {
    double from_m, to_m;
    int n;
};

/* Diameter before and behind a place where it changes for good. */
struct intra_diameter_step {
    double station_m, before_m, behind_m, sd_m;
};

struct intra_measures {
    struct intra_measure length_m, seen_m;
    struct intra_measure diameter_min_m, diameter_max_m, diameter_mean_m;
    struct intra_measure perimeter_min_m, perimeter_max_m;
    struct intra_measure ovality_pct;       /* ASTM F1216: the larger of both forms, the worst section */
    struct intra_measure ovality_factor;    /* C of ASTM F1216 there */
    struct intra_lateral_measure *laterals; /* in order of their stations */
    struct intra_stretch *patches;          /* short liners over structural observations */
    struct intra_stretch *deposits, *roots; /* stretches to clear, overlaps joined */
    struct intra_diameter_step *steps;
    int n_laterals, n_patches, n_deposits, n_roots, n_steps;
    double patches_m, deposits_m, roots_m; /* metres in all */
};

struct intra_measure_options {
    double patch_margin_m; /* a short liner reaches beyond the damage; default 0.2 */
    double patch_least_m;  /* shortest one; default 0.5 */
    double patch_join_m;   /* nearer ones become one; default 0.3 */
};
struct intra_measure_options intra_measure_defaults(void);

/* inspections: n of them, 0: none; what several say of one place counts once where it runs along the pipe. Texts in
 * `out` borrow from them. fini frees. Errors: INTRA_E_MEM. */
enum intra_status intra_measure_pipe(const struct intra_scene *scene, const struct intra_inspection *inspections,
                                     int64_t n, const struct intra_measure_options *options, struct intra_measures *out,
                                     struct intra_error *err);
void intra_measures_fini(struct intra_measures *measures);

/* Reduction factor C of ASTM F1216 (X1.1) for an ovality q in percent. */
double intra_ovality_factor(double ovality_pct);

#endif
