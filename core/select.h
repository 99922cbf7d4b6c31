/* The k-th smallest of some numbers without sorting them all. */
#ifndef INTRA_CORE_SELECT_H
#define INTRA_CORE_SELECT_H

/* k-th smallest (from 0) of n > k doubles without NaN; reorders them. Hoare 1961, the pivot from three. Pure, any
 * thread. */
double intra_select(double *values, int n, int k);

#endif
