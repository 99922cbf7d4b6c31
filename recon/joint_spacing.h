/* Joints at even ways: pipes of one delivery are equally long, so the ways between their joints are multiples of one
 * length. What the length is, how many lie between two joints, and how far single ones stray from it. Pure but for
 * scratch; any thread. */
#ifndef INTRA_RECON_JOINT_SPACING_H
#define INTRA_RECON_JOINT_SPACING_H

#include "core/status.h"

#include <stdint.h>

#define INTRA_EVEN_SHARE 0.04 /* of the length: what a way may be off a multiple of it */

struct intra_joint_spacing {
    double length_m; /* from joint to joint; NaN: too few joints, or they are uneven */
    double sd_m;     /* by which a single length strays from it */
    int n;           /* ways that are multiples of it */
};

/* Length that two thirds of the ways between neighbours are multiples of, their lower median; NaN: fewer than two ways,
 * or uneven. station_m: n, ascending. Errors: INTRA_E_MEM. */
enum intra_status intra_even_spacing(const double *station_m, int64_t n, double *out, struct intra_error *err);

/* The same with what a fit wants. way_sd_m[i]: deviation of the way from station i - 1 to i. lengths[i]: how many
 * lengths that way is, 0 where it is no multiple, or is not known to an eighth of a length (and for i = 0). Three ways
 * at least must be. Errors: INTRA_E_MEM. */
enum intra_status intra_joint_spacing_find(const double *station_m, const double *way_sd_m, int64_t n, int *lengths,
                                           struct intra_joint_spacing *out, struct intra_error *err);

#endif
