/* The mouth of a lateral on a stretch of unrolled wall: where an edge of colour closes to the developed line in which a
 * cylinder cuts the pipe. Cells as in recon/wall_cells. Maths: docs/methods.md, "Laterals". Not safe from several
 * threads on one stretch. */
#ifndef INTRA_RECON_MOUTH_H
#define INTRA_RECON_MOUTH_H

#include "core/status.h"

#include <stdbool.h>

enum { INTRA_MOUTH_RAYS = 64, INTRA_MOUTH_MOST = 48 };

#define INTRA_MOUTH_ONE_SIZE 1.5 /* circles of one place whose radii differ by less are of one mouth */

struct intra_mouth_stretch {
    int rows, n;              /* cells around and along */
    double cell_m, radius_m;  /* length of a cell along the pipe; of the pipe: 2 pi radius / rows is its height */
    float *light, *chroma;    /* (rows, n), NaN where not seen; filled by the caller */
    float *light_s, *light_t; /* edge along and around, in deviations of the wall's own texture; NaN where not seen */
    float *chroma_s, *chroma_t;
    double *scratch;
};

struct intra_mouth {
    double s, theta_rad, radius; /* middle in cells from the stretch's start, clock angle, radius in cells along */
    double s_sd, theta_sd_rad, radius_sd;
    double stretch;  /* length along the pipe over width around it; 1 for a lateral at right angles */
    double score;    /* mean gain along its edge */
    double coherent; /* share of the seen edge that stands out */
    double seen;     /* share of the edge that was seen */
    double rest;     /* how far the edge strays from the line, share of the radius */
};

enum intra_status intra_mouth_init(struct intra_mouth_stretch *stretch, int rows, int n, double cell_m, double radius_m,
                                   struct intra_error *err);
void intra_mouth_fini(struct intra_mouth_stretch *stretch); /* accepts a zeroed struct */

/* Fill the edges from light and chroma. */
void intra_mouth_edges(struct intra_mouth_stretch *stretch);

/* Circles with the strongest edge whose middle lies in cells [from, to), best first, none inside another of its size;
 * at most `most`, INTRA_MOUTH_MOST at most. radius_from, radius_to in metres, up to 19 times as large. Not refined.
 * OpenMP. Returns how many. */
int intra_mouth_search(const struct intra_mouth_stretch *stretch, int from, int to, double radius_from_m,
                       double radius_to_m, double least_score, int most, int threads, struct intra_mouth *out);
/* Follow the edge around `mouth` and fit the line to it. False when it is lost. */
bool intra_mouth_refine(struct intra_mouth_stretch *stretch, struct intra_mouth *mouth);

#endif
