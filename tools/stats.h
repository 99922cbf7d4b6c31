/* Small statistics over arrays of doubles. Nothing of nothing is NaN. */
#ifndef INTRA_TOOLS_STATS_H
#define INTRA_TOOLS_STATS_H

#include <stdint.h>

/* Sorts `values` in place; p in [0, 1], linear between the two neighbours. */
double intra_stats_percentile(double *values, int64_t n, double p);
double intra_stats_median(double *values, int64_t n); /* sorts in place */
double intra_stats_mean(const double *values, int64_t n);
double intra_stats_rms(const double *values, int64_t n);

#endif
