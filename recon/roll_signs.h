/* Signs of where down is: what stands level or evenly about the invert on the unrolled wall, and how the camera stood
 * in the pipe.
 *
 *   water    the middle between the two edges of its surface (recon/water)
 *   stain    the axis about which the wall's tint around the invert is the same on both sides: slime, silt and the
 * marks of old water levels lie level. Tint (red over blue), since light from a camera beside the axis falls unevenly
 *   camera   the direction from the axis to a camera that keeps off it: wheels and skids stand on the invert
 *   upright  the camera's own roll, over ways of two metres: little is known by it, but it does not drift */
#ifndef INTRA_RECON_ROLL_SIGNS_H
#define INTRA_RECON_ROLL_SIGNS_H

#include "core/scene.h"
#include "recon/roll_fit.h"

/* A posed frame as it stands in the section there, by the clock angles so far. */
struct intra_roll_camera {
    int segment;
    double station_m;
    double roll_rad;      /* clock angle to which the top of the picture points */
    double right_m, up_m; /* of the axis */
    double walk_rad2_m;   /* as in intra_roll_reading */
};

struct intra_roll_readings {
    struct intra_roll_reading *list; /* owned */
    int64_t n, cap;
};
void intra_roll_readings_fini(struct intra_roll_readings *readings);

/* Segment to which a stretch of the wall belongs; negative: none, several, or a shaft that has no invert. */
typedef int intra_roll_segment_of(const void *user, double from_m, double to_m);

/* Readings of all kinds, and one NONE for each camera.
 *
 *   wall      its colour only
 *   cameras   sorted by segment and station
 *
 * out: to be freed by the caller, after an error too. Errors: INTRA_E_MEM, those of the raster. */
enum intra_status intra_roll_signs_find(const struct intra_wall *wall, double radius_m,
                                        const struct intra_roll_camera *cameras, int64_t n_cameras,
                                        intra_roll_segment_of *segment_of, const void *user,
                                        struct intra_roll_readings *out, struct intra_error *err);

#endif
