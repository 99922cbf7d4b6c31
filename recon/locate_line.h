/* A crack on a patch of the wall: a thin dark line, traced to a fraction of a cell. Maths: docs/methods.md, "Cracks".
 */
#ifndef INTRA_RECON_LOCATE_LINE_H
#define INTRA_RECON_LOCATE_LINE_H

#include "recon/wall_patch.h"

/* Where it is expected, as a bell: middle, half extents within which there is no penalty, and deviations beyond. */
struct intra_expected {
    double station_m, theta_rad;
    double half_station_m, half_theta_rad;
    double station_sd_m, theta_sd_rad;
};
/* Weight, 1 inside, of a place. */
double intra_expected_weight(const struct intra_expected *e, double station_m, double theta_rad);

struct intra_line {
    double (*points)[2]; /* station_m, clock angle (unwrapped); intra_alloc memory of the caller */
    int n;
    double contrast; /* mean darkness, 0 to 1 */
    double strength; /* mean ridge strength over that of the wall's texture */
};

/* out->points is NULL where no line stands out; `why` then says so (n bytes). joints: stations of known joints, whose
 * rings are no cracks. taken (may be NULL): 1 in cells that are known to be something else. Errors: INTRA_E_MEM. */
enum intra_status intra_line_find(const struct intra_wall_patch *patch, const struct intra_expected *expected,
                                  const double *joints, int n_joints, const uint8_t *taken, struct intra_line *out,
                                  char *why, size_t n, struct intra_error *err);

/* Width across a traced line from its profiles; is_limit: narrower than the picture resolves, width_m is then an upper
 * bound. False where no profile could be taken. */
struct intra_line_width {
    double width_m, width_sd_m, resolution_m, contrast;
    bool is_limit;
};
bool intra_line_measure_width(const struct intra_wall_patch *patch, const double (*points)[2], int n_points,
                              struct intra_line_width *out, struct intra_error *err);

#endif
