/* Stations between picture, distance counter and joints: how far along each stretch what the picture gives is off.
 *
 * The picture's own scale is off by a deviation that each stretch states for itself, and wanders about that from place
 * to place where there is little to hold on to; the counter has an offset and a scale of its own and rounds. A Kalman
 * filter along the stations and a Rauch-Tung-Striebel smoother back (AIAA J. 3(8), 1965) weigh the two: where the
 * picture is sure the counter moves next to nothing, where it is not (smooth wall, a short stretch behind a cut) the
 * counter rules. Joints that stand at even ways (recon/joint_spacing) say that pipes of one delivery are equally long,
 * each but for a deviation that adds up from pipe to pipe. */
#ifndef INTRA_RECON_STATION_FIT_H
#define INTRA_RECON_STATION_FIT_H

#include "core/status.h"
#include "recon/joint_spacing.h"

#include <stdbool.h>
#include <stdint.h>

struct intra_station_reading {
    int segment;
    double station_m; /* as the picture gives it */
    double counter_m; /* NaN: none here; such places say only how far the stretch goes */
    double wander_sd_rel; /* of the picture's scale here against the stretch's; NaN: not known, taken as 0 */
};

/* What a stretch states of itself. */
struct intra_station_stretch {
    int segment;
    double scale_sd_rel; /* of its scale by the picture alone, over all of it; > 0 */
    double wander_way_m; /* way over which the scale forgets how it differs from that; 0: it does not differ */
};

/* station = picture's station + off_m, piecewise linear over the knots of a segment, which ascend; beyond its ends it
 * goes on at the slope there. */
struct intra_station_knot {
    int segment;
    double station_m, off_m, off_sd_m; /* off_sd_m: against where stations begin */
    double slope; /* of off_m, beyond the stretch's ends */
};

struct intra_station_map {
    struct intra_station_knot *knots; /* by segment as they follow each other; owned */
    int64_t n;
    double most_m;      /* largest |off_m| */
    struct intra_joint_spacing joints; /* length_m NaN: not even, or too few; they had no say */
    double counter_rel; /* how much shorter the counter's metre is than the picture's: where the lens is known, beyond
                         * what was corrected; where it was fitted, all of it, and off_m has it */
    double counter_sd_rel; /* deviation of that */
};

/* A joint's ring on the wall. */
struct intra_station_ring {
    int segment;
    double station_m, sd_m; /* as the picture gives it; sd_m: of the ring on the wall there */
};

struct intra_station_evidence {
    struct intra_station_reading
        *readings; /* in any order within a segment, segments one after the other; sorted in place */
    int64_t n_readings;
    const struct intra_station_stretch *stretches; /* ascending by segment */
    int n_stretches;
    const struct intra_station_ring *rings; /* by segment, then station */
    int64_t n_rings;
    int sign;           /* -1 where the counter falls */
    double step_m;      /* of its last digit */
    double lens_sd_rel; /* 0 where the lens is known; above, it was fitted to the counter: all stretches share a scale
                         * that is off by so much, and the counter's metre is the measure */
};

/* Too few readings and no even joints: the map is empty (n = 0), no error. Errors: INTRA_E_MEM. */
enum intra_status intra_station_fit(const struct intra_station_evidence *evidence, struct intra_station_map *out,
                                    struct intra_error *err);
void intra_station_map_fini(struct intra_station_map *map);

/* Offset at a station of the segment by the picture; 0 for a segment without knots. sd: NULL, or its deviation (NaN: no
 * knots). */
double intra_station_off(const struct intra_station_map *map, int segment, double station_m, double *sd);
/* The picture's station, of which intra_station_off makes station_m. */
double intra_station_before(const struct intra_station_map *map, int segment, double station_m);

#endif
