/* Roll between picture and gravity: by how much the clock angles of each place along the pipe are to be turned.
 *
 * The picture tells how the camera turns about the pipe from place to place, never how it stood at first, and what it
 * tells walks off slowly. Signs of where down is stand on the wall or in the camera's own way (recon/roll_signs): each
 * reads the turn with a deviation, and signs of one kind share an error of their own, since water runs aslant around a
 * bend and a crawler hangs to one side. A Kalman filter along the stations and a Rauch-Tung-Striebel smoother back
 * (AIAA J. 3(8), 1965) weigh them. */
#ifndef INTRA_RECON_ROLL_FIT_H
#define INTRA_RECON_ROLL_FIT_H

#include "core/status.h"

#include <stdbool.h>
#include <stdint.h>

enum intra_roll_sign {
    INTRA_ROLL_WATER,   /* the chord of the water's surface is level */
    INTRA_ROLL_STAIN,   /* what water and dirt left lies evenly about the invert */
    INTRA_ROLL_CAMERA,  /* a camera off the axis is below or above it */
    INTRA_ROLL_UPRIGHT, /* a camera's picture stands upright on the average */
    INTRA_ROLL_SIGNS,
    INTRA_ROLL_NONE = INTRA_ROLL_SIGNS /* says only how the picture walks here */
};
const char *intra_roll_sign_name(enum intra_roll_sign sign); /* "water", ... */

struct intra_roll_reading {
    int segment;
    double station_m;
    enum intra_roll_sign sign;
    double turn_rad, sd_rad; /* to be added to clock angles here; its own deviation, without the kind's. NONE: unused */
    double walk_rad2_m;      /* NONE: what a metre here adds to the variance of the picture's roll; NaN: not known */
};

/* turn: piecewise linear over the knots of a segment, which ascend; beyond its ends as there. */
struct intra_roll_knot {
    int segment;
    double station_m, turn_rad, turn_sd_rad;
};

struct intra_roll_map {
    struct intra_roll_knot *knots; /* by segment; owned */
    int64_t n;
    double most_rad;                  /* largest |turn| */
    int64_t n_read[INTRA_ROLL_SIGNS]; /* readings of each kind, and those of them that count at least half */
    int64_t n_agree[INTRA_ROLL_SIGNS];
    double error_rad[INTRA_ROLL_SIGNS]; /* that the readings of a kind turned out to share */
};

/* readings: in any order; sorted in place. None but NONE: the map is empty (n = 0), no error. Errors: INTRA_E_MEM. */
enum intra_status intra_roll_fit(struct intra_roll_reading *readings, int64_t n, struct intra_roll_map *out,
                                 struct intra_error *err);
/* Nothing is to be turned: what would have been goes into the deviations. */
void intra_roll_map_level(struct intra_roll_map *map);
void intra_roll_map_fini(struct intra_roll_map *map);

/* Turn at a station; 0 for a segment without knots. sd: NULL, or its deviation (NaN: no knots). */
double intra_roll_turn(const struct intra_roll_map *map, int segment, double station_m, double *sd);

#endif
