/* A line that runs once around the pipe: where on a stretch of unrolled wall a thin bright or dark line closes on
 * itself.
 *
 * The wall is reduced to SECTORS sectors of clock angle by cells along the pipe (log luminance, mean over the sector).
 * In each sector a line filter says how much a cell differs from the wall on both sides of it, in units of that
 * sector's own texture; a closed path around the pipe is then found by dynamic programming. Sector k is centred at
 * clock angle 2 pi (k + 0.5) / SECTORS. Not safe from several threads on one stretch. */
#ifndef INTRA_RECON_RING_H
#define INTRA_RECON_RING_H

#include "core/status.h"

#include <stdbool.h>
#include <stdint.h>

enum { INTRA_RING_SECTORS = 64 };
#define INTRA_RING_LINE_CLEAR 2.5 /* deviations from which on a line stands out */

struct intra_ring_stretch {
    int n;         /* cells along the pipe */
    double cell_m; /* length of one */
    float *light;  /* (SECTORS, n): log luminance, NaN where the wall was not seen; filled by the caller */
    float *line;   /* (SECTORS, n): signed response of the line filter in deviations; NaN where not seen */
    float *gain;   /* (SECTORS, n): what a path earns there, 0 to 1 */
    float texture[INTRA_RING_SECTORS]; /* deviation of the log luminance of a line's width, 0 where not seen */
    bool is_blind[INTRA_RING_SECTORS]; /* smooth against the rest of the ring: water, silt; joints do not show there */
    double *sums, *sorted;             /* scratch */
    float *scratch;
    int8_t *move;
};

struct intra_ring_path {
    float cell[INTRA_RING_SECTORS]; /* where the line runs, in cells; sub-cell */
    float line[INTRA_RING_SECTORS]; /* response there, NaN where not seen */
    double score;    /* mean gain of the sectors that count: seen, and not blind unless a line is there */
    double coherent; /* share of them where the line stands out */
    double seen;     /* share of sectors that count */
};

/* fini accepts a zeroed struct. */
enum intra_status intra_ring_init(struct intra_ring_stretch *stretch, int n, double cell_m, struct intra_error *err);
void intra_ring_fini(struct intra_ring_stretch *stretch);

/* Fill `line`, `gain`, `texture` and `is_blind` from `light`. `floor_log`: least deviation of log luminance that a
 * sector's texture is taken to have. */
void intra_ring_filter(struct intra_ring_stretch *stretch, double floor_log);

/* Closed paths of the largest gain, best first, no two with their means within `apart` cells of each other; at most
 * `most` of them. score (n, may be NULL): largest score of a closed path whose mean lies in that cell, 0 where there is
 * none. Returns how many paths were found. */
int intra_ring_paths(struct intra_ring_stretch *stretch, double apart, int most, struct intra_ring_path *out,
                     float *score);
/* Score of the best closed path that stays in cells [from, to), 0 where there is none. Of intra_ring_paths the best
 * ring draws the ways of all cells around to itself; this tells what else there is beside it. */
double intra_ring_best_score(struct intra_ring_stretch *stretch, int from, int to);
/* Width of the line of a path at a third of its height, in cells, sector by sector; NaN where no clear line is. */
void intra_ring_widths(struct intra_ring_stretch *stretch, const struct intra_ring_path *path,
                       float width[INTRA_RING_SECTORS]);

/* Share of the sectors that count where the line of a path does not stand out sector by sector, but does in the mean of
 * eight of them and more along the curve `cell` (of each sector, in cells) against the wall beside the curve. */
double intra_ring_faint_share(const struct intra_ring_stretch *stretch, const struct intra_ring_path *path,
                              const double cell[INTRA_RING_SECTORS]);

/* What a response of the line filter earns, 0 to 1; 0 for NaN. */
float intra_ring_gain(float line);
/* Mean cell of a path. */
double intra_ring_path_mean(const struct intra_ring_path *path);

#endif
