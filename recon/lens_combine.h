/* One lens out of what several stretches of a run say. Method: docs/methods.md, "Lens from the pipe". Any thread. */
#ifndef INTRA_RECON_LENS_COMBINE_H
#define INTRA_RECON_LENS_COMBINE_H

#include "recon/lens_solve.h"

enum { INTRA_LENS_NODES = 4 }; /* quarters of the picture's half diagonal, or of what of it the lens sees */

/* What one stretch says. */
struct intra_lens_piece {
    struct intra_camera lens; /* Kannala-Brandt, of the same picture as the others */
    double cov[INTRA_LENS_PARAMS][INTRA_LENS_PARAMS],
        common[INTRA_LENS_PARAMS][INTRA_LENS_PARAMS]; /* as the solution's */
};

struct intra_lens_combined {
    struct intra_camera lens; /* Kannala-Brandt; source and marks are the first piece's */
    double focal_sd_rel;
    double angle_sd_rel[INTRA_LENS_NODES]; /* of the angles at which the nodes are seen */
    double scatter_rel;                    /* by how much the pieces' angles differ from its, as they are weighted */
    int n_used;                            /* pieces with at least half of the weight that they would have alone */
};

/* Weighted mean of the pieces' curves. A piece counts by its deviations, and less the farther it is off (Cauchy).
 * Deviations: what the pieces share is not made smaller by their number; the rest is what they state or what they
 * scatter by, whichever is more. Errors: INTRA_E_MEM; INTRA_E_DEGENERATE (no piece
 * that tells a lens). */
enum intra_status intra_lens_combine(const struct intra_lens_piece *pieces, int n, struct intra_lens_combined *out,
                                     struct intra_error *err);

/* Angles of lens `a` over those of `b`, at the nodes of b, the largest relative difference (a negative one: a sees them
 * nearer to the axis). Any models. */
double intra_lens_angle_change(const struct intra_camera *a, const struct intra_camera *b);

#endif
