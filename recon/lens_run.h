/* The lens of a whole run: what the main pass sees is adjusted together with the lens, a stretch of the way at a time,
 * and the stretches' lenses become one. Method: docs/methods.md, "Lens from the pipe". One thread at a time. */
#ifndef INTRA_RECON_LENS_RUN_H
#define INTRA_RECON_LENS_RUN_H

#include "recon/lens_combine.h"
#include "recon/lens_gather.h"
#include "recon/motion.h"

/* Grows with the number of stretches only. */
struct intra_lens_run {
    struct intra_camera followed; /* what the run is followed with; */
    struct intra_camera start;    /* the same as Kannala-Brandt */
    double radius_m;
    struct intra_lens_piece *pieces; /* one a stretch; owned */
    int n, cap;
    struct intra_lens_gather gather;
    int from;             /* first keyframe of the present stretch */
    double low_m, high_m; /* its stations by now, as the picture gives them */
    double wall_s, cpu_s; /* spent */
};

/* lens: copied. Errors: INTRA_E_ARG (a lens that is no Kannala-Brandt one). `out` is then empty. */
enum intra_status intra_lens_run_init(struct intra_lens_run *out, const struct intra_camera *lens, double radius_m,
                                      struct intra_error *err);
void intra_lens_run_fini(struct intra_lens_run *lens_run);

/* After each settled keyframe, in order; a stretch that is full is solved in the call and let go of. Too little to tell
 * is no error. Errors: INTRA_E_MEM. */
enum intra_status intra_lens_run_keyframe(struct intra_lens_run *lens_run, struct intra_run *run,
                                          const struct intra_placement *placement, const struct intra_keyframe *kf,
                                          struct intra_error *err);
/* At the end of each run of the motion; one with another segment follows. */
enum intra_status intra_lens_run_end(struct intra_lens_run *lens_run, struct intra_run *run, struct intra_error *err);

struct intra_lens_run_result {
    struct intra_camera lens;           /* Kannala-Brandt, or below two stretches of the followed one's model */
    int n_pieces;                       /* that it is made of; 0: of none, it is the followed one */
    double focal_sd_rel, corner_sd_rel; /* by the stretches, without the way's; NaN of none */
    double change_sd_rel;               /* of how its angles differ from the followed lens's, as far as is known */
};

/* The lens of all stretches together; of fewer than two the followed one, as it rests on all that they do. It is
 * stretched with the ways, where it can be: way_rel: how much longer they are than the picture's, and its deviation.
 * Errors: INTRA_E_MEM. */
enum intra_status intra_lens_run_conclude(const struct intra_lens_run *lens_run, double way_rel, double way_sd_rel,
                                          struct intra_lens_run_result *out, struct intra_error *err);

#endif
