/* A patch of the wall in memory, with smooth fields to look for defects in: the windows that locate and measure work
 * on. Row r lies at clock angle theta0_rad + r dtheta_rad (unwrapped), column c at station station0_m + c ds_m; both
 * are cell centres. One patch at a time; freed by fini. */
#ifndef INTRA_RECON_WALL_PATCH_H
#define INTRA_RECON_WALL_PATCH_H

#include "core/scene.h"

struct intra_wall_patch {
    int rows, cols;
    bool is_ring; /* rows close around the pipe */
    double station0_m, ds_m, theta0_rad, dtheta_rad;
    double radius_m;     /* mean of the sections there: arc = radius_m times clock angle */
    float *light;        /* linear luminance, 0 to 1; unseen cells are filled from their surroundings */
    float *red, *blue;   /* ln R/G, ln B/G; filled likewise */
    float *relief;       /* metres, NaN: not measured */
    float *resolution_m; /* 0: unseen or no coverage */
    uint8_t *seen;
    float *scratch; /* one field, for the functions below */
    int views;      /* median number of views */
};

/* Read stations [from, to] and `rows` clock angles around theta_rad (half_rad to either side; pi or more: the whole
 * ring). Cells are `step` wall cells wide and high, averaged. Errors: INTRA_E_NO_RESULT outside the wall or nothing
 * seen there, INTRA_E_MEM, those of the raster. */
enum intra_status intra_wall_patch_read(const struct intra_scene *scene, double from_m, double to_m, double theta_rad,
                                        double half_rad, int step, struct intra_wall_patch *out,
                                        struct intra_error *err);
/* The same without what lines do not need: red, blue and relief are NULL. */
enum intra_status intra_wall_patch_read_light(const struct intra_scene *scene, double from_m, double to_m,
                                              double theta_rad, double half_rad, int step, struct intra_wall_patch *out,
                                              struct intra_error *err);
void intra_wall_patch_fini(struct intra_wall_patch *patch);

/* Gaussian smoothing of a field in place, sigma in cells; borders repeat, a ring wraps. */
void intra_wall_patch_smooth(const struct intra_wall_patch *patch, float *field, double sigma);
/* Bilinear value at (row, col); clamped at the borders. */
double intra_wall_patch_at(const struct intra_wall_patch *patch, const float *field, double row, double col);
/* Radius of the fitted section, metres, linear between sections; NaN outside. */
double intra_wall_radius(const struct intra_scene *scene, double station_m, double theta_rad);

#endif
