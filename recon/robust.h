/* Robust costs and weights of a residual in units of its deviation, e2 its square. Pure, any thread. Cauchy lets go of
 * what is far off; Huber pulls at it with a steady force. Huber 1964; Holland and Welsch 1977. */
#ifndef INTRA_RECON_ROBUST_H
#define INTRA_RECON_ROBUST_H

#include <math.h>

static inline double intra_cauchy_weight(double e2, double c2)
{
    return 1 / (1 + e2 / c2);
}

static inline double intra_cauchy_cost(double e2, double c2)
{
    return c2 * log1p(e2 / c2);
}

static inline double intra_huber_weight(double e2, double c)
{
    return e2 <= c * c ? 1 : c / sqrt(e2);
}

static inline double intra_huber_cost(double e2, double c)
{
    return e2 <= c * c ? e2 : 2 * c * sqrt(e2) - c * c;
}

#endif
