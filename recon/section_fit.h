/* The pipe's section from settled wall radii: a Fourier series of the radius over the clock angle, fitted robustly.
 * Stations in metres, angles in radians. */
#ifndef INTRA_RECON_SECTION_FIT_H
#define INTRA_RECON_SECTION_FIT_H

#include "core/scene.h"

struct intra_radius_sample {
    float station_m, theta_rad, r_m, sd_m;
};

struct intra_section_fit {
    double a[INTRA_SECTION_HARMONICS + 1], b[INTRA_SECTION_HARMONICS + 1]; /* as in struct intra_section */
    double cov[(2 * INTRA_SECTION_HARMONICS + 1) * (2 * INTRA_SECTION_HARMONICS + 1)]; /* of a0, a1, b1, a2, b2, ... */
    double weight; /* effective number of samples */
    double share;  /* of the samples' weight that the fit left them: 1 when they agree */
    double rest_sd_m; /* scatter of the samples about the fit */
};

/* Fit at `station_m` to the samples within half_width_m (weights fall off linearly to the ends). samples need not be sorted.
 * With few samples the prior, a circle of radius r0_m, fills in; `weight` tells. Never fails. */
void intra_section_fit(const struct intra_radius_sample *samples, int64_t n, double station_m, double half_width_m,
                       double r0_m, struct intra_section_fit *out);

/* Half the stretch that a section of the pipe is fitted over. */
double intra_section_half_width(double section_step_m, double radius_m);

/* Do the samples contradict each other, so that no section fits them, or only a few of them? So it is ahead of the last
 * camera in a bend. False where they are few: the prior's circle is then no worse than any. */
bool intra_section_fit_is_contradicted(const struct intra_section_fit *fit);

/* Radius of the fit at a clock angle. */
double intra_section_fit_radius(const struct intra_section_fit *fit, double theta_rad);

/* Deviations of the measures of a section from the fit's covariance, by differences; plus the model's own error. */
void intra_section_fit_deviations(const struct intra_section_fit *fit, struct intra_section *section);

#endif
