/* The shape of the pipe's sections along the pipe: harmonics 2 and up of neighbouring fits, smoothed together.
 *
 * Each section's fit is noisy, and a noisy section is never round: its ovality comes out too large. A pipe's shape
 * changes little from section to section but for joints, dents and deposits, which are steps. So each harmonic is a
 * random walk with steps of a Student t distribution, whose width is learned from the run itself (expectation
 * maximisation over a Kalman smoother: Shumway and Stoffer 1982, "An approach to time series smoothing and forecasting
 * using the EM algorithm", J. Time Series Analysis 3; scale mixtures: Lange, Little and Taylor 1989, "Robust
 * statistical modeling using the t distribution", JASA 84). */
#ifndef INTRA_RECON_SECTION_SMOOTH_H
#define INTRA_RECON_SECTION_SMOOTH_H

#include "core/status.h"
#include "recon/section_fit.h"

/* fits: n neighbouring sections of one run, in order, changed in place (a, b and covariance of harmonics 2 and up;
 * means and centres stay). overlap: half the stretch that a fit was made over, in steps from section to section;
 * neighbours share samples. radius_m: nominal. Errors: INTRA_E_MEM. */
enum intra_status intra_section_smooth(struct intra_section_fit *fits, int64_t n, double overlap, double radius_m,
                                       struct intra_error *err);

#endif
