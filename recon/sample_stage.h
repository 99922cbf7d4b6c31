/* A stage to copy: it looks at every frame and counts dark, usable and washed-out ones by their mean brightness.
 *
 * A stage is start / process(item) / finish and knows no thread, queue or neighbour. What it needs between frames
 * stands in its own struct; what it works in for one frame is allocated at the start, never per frame. */
#ifndef INTRA_RECON_SAMPLE_STAGE_H
#define INTRA_RECON_SAMPLE_STAGE_H

#include "core/image.h"

#include <stdint.h>

struct intra_sample_options {
    double dark_below;   /* mean luma, grey levels 0..255: darker frames are dark; default 16, video black */
    double bright_above; /* brighter ones are bright; default 235, video white */
    int threads;         /* of the team inside process; at least 1 */
};
struct intra_sample_options intra_sample_defaults(void);

struct intra_sample_counts {
    int64_t frames, dark, bright;
    double mean_luma; /* of all frames, grey levels; NaN when there was none */
};

/* The stage between two frames. Plain data: the caller owns the struct, start fills it. */
struct intra_sample_stage {
    struct intra_sample_options options;
    int rows, cols;
    uint64_t *row_sums; /* scratch, one slot a row, so that any schedule of the team gives the same result */
    uint64_t pixels, sum;
    int64_t frames, dark, bright;
};

/* Make `stage` ready for frames of rows x cols pixels. Errors: INTRA_E_ARG (empty picture, limits that cross, no
 * thread), INTRA_E_MEM; nothing is held then. */
enum intra_status intra_sample_start(struct intra_sample_stage *stage, int rows, int cols,
                                     const struct intra_sample_options *options, struct intra_error *err);

/* Count one frame.
 *
 *   luma  (rows, cols, 1) as given to start; borrowed for the call, any stride
 *
 * Errors: INTRA_E_ARG (another shape); the frame is then not counted and the stage still good. Allocates nothing.
 * OpenMP over rows; same counts for every team size. */
enum intra_status intra_sample_process(struct intra_sample_stage *stage, const struct intra_view_u8 *luma,
                                       struct intra_error *err);

/* The counts so far; releases what start took. `out` may be NULL (something else failed, just release); a zeroed or a
 * finished stage is fine. Cannot fail. */
void intra_sample_finish(struct intra_sample_stage *stage, struct intra_sample_counts *out);

#endif
