#include "recon/joint_gap.h"

#include <math.h>

#define RIM_REL 0.02    /* radii beyond the gap to either side that its rim blurs */
#define STANDS_REL 0.04 /* radii that something stands into the pipe */

enum intra_status intra_joint_gap_open(struct intra_wall *wall, const struct intra_joint_ring *ring, double gap_m,
                                       struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    double radius = wall->perimeter_m / (2 * M_PI), half = 0.5 * (isfinite(gap_m) ? gap_m : 0) + RIM_REL * radius;
    double tilt = fabs(ring->a[1]) + fabs(ring->b[1]) + fabs(ring->a[2]) + fabs(ring->b[2]);
    int strip_cols = intra_raster_strip_cols(wall->relief);
    int64_t from = (int64_t)floor((ring->station_m - half - tilt - wall->station0_m) / wall->texel_m);
    int64_t to = (int64_t)ceil((ring->station_m + half + tilt - wall->station0_m) / wall->texel_m);
    for (int64_t col = from < 0 ? 0 : from; col < to && col < wall->cols; col++) {
        void *strip;
        double s = wall->station0_m + ((double)col + 0.5) * wall->texel_m;
        INTRA_TRY(intra_raster_strip(wall->relief, col / strip_cols, &strip, err));
        for (int row = 0; row < wall->rows; row++) {
            double theta = wall->cut_rad + 2 * M_PI * (row + 0.5) / wall->rows;
            float *relief = (float *)strip + (size_t)row * (size_t)strip_cols + (size_t)(col % strip_cols);
            if (fabs(s - intra_joint_ring_station(ring, theta)) > half || (double)*relief < -STANDS_REL * radius)
                continue;
            *relief = NAN;
        }
    }
done:
    return status;
}
