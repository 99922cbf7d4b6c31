#include "tools/stats.h"

#include <math.h>
#include <stdlib.h>

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

double intra_stats_percentile(double *values, int64_t n, double p)
{
    double at;
    int64_t i;
    if (n < 1) return NAN;
    qsort(values, (size_t)n, sizeof *values, compare);
    at = p * (double)(n - 1);
    i = (int64_t)at;
    if (i + 1 >= n) return values[n - 1];
    return values[i] + (at - (double)i) * (values[i + 1] - values[i]);
}

double intra_stats_median(double *values, int64_t n)
{
    return intra_stats_percentile(values, n, 0.5);
}

double intra_stats_mean(const double *values, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += values[i];
    return n ? sum / (double)n : NAN;
}

double intra_stats_rms(const double *values, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += values[i] * values[i];
    return n ? sqrt(sum / (double)n) : NAN;
}
