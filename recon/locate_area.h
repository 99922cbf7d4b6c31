/* Something on a patch of the wall that covers an area: a hole, a deposit, roots, a connection. It is what differs in
 * colour and brightness from the wall beside it. Maths: docs/methods.md, "Areas on the wall". */
#ifndef INTRA_RECON_LOCATE_AREA_H
#define INTRA_RECON_LOCATE_AREA_H

#include "recon/locate_line.h"
#include "recon/wall_patch.h"

struct intra_area_options {
    bool is_loose;   /* strands: only what is browner, or less brown, than the wall; pieces near one another count
                        together, gaps between them do not; the area is the wall that they cover */
    bool is_opening; /* also where the picture is smeared along the pipe, since the wall is not where it is taken to be
                      */
    double least_m2; /* smaller ones are not taken */
    double least_fill; /* of the ellipse of equal moments; what is looser has another shape */
    double most_slim;  /* longer over shorter diameter of that ellipse; 0: any */
    double least_weight; /* intra_expected_weight of its middle: what lies where nobody recorded it is something else */
    double join_m;     /* pieces nearer than this belong together */
};

struct intra_area {
    double (*outline)[2]; /* station_m, clock angle (unwrapped), closed; intra_alloc memory of the caller; NULL: none */
    int n_outline;
    double station_from_m, station_to_m, theta_from_rad, theta_to_rad; /* unwrapped, from < to */
    double area_m2, area_sd_m2;
    double station_m, theta_rad; /* centroid */
    double axis_m[2], tilt_rad;  /* diameters of the ellipse of equal moments: longer, shorter; tilt of the longer
                                    from the pipe's direction */
    double ring_share;           /* of the clock angles that it touches */
    double contrast;             /* mean distance from the wall's own look, in deviations */
    double resolution_m;
    bool is_part; /* what stands out most of something that runs out into the wall around it: there may be more of it */
    double spread;   /* of an opening: how unsure its edge is, as a share of the area */
    double fill;     /* its area over that of the ellipse of equal moments */
    double darkness; /* 1 - its brightness over the wall's */
};

/* `taken` (may be NULL): 1 in cells that are known to be something else. patch: the whole ring. out->outline is NULL
 * where nothing stands out; `why` then says so. Errors: INTRA_E_MEM. */
enum intra_status intra_area_find(const struct intra_wall_patch *patch, const struct intra_expected *expected,
                                  const struct intra_area_options *options, const uint8_t *taken,
                                  struct intra_area *out, char *why, size_t n, struct intra_error *err);

#endif
