/* What a lens can be told from, gathered while a run settles: keyframes, wall points and where they were seen. For the
 * pilot (recon/lens_pilot) and for the stretches of a whole run (recon/lens_run). One thread at a time. */
#ifndef INTRA_RECON_LENS_GATHER_H
#define INTRA_RECON_LENS_GATHER_H

#include "recon/lens_solve.h"
#include "recon/run.h"

enum { INTRA_LENS_MOST_VIEWS = 320 }; /* of one stretch */

/* Keyframes of one run that follow each other, run coordinates. Zero it before use; not to be moved, the scene points
 * into it. */
struct intra_lens_stretch {
    struct intra_lens_scene scene; /* n_views 0: nothing was taken */
    struct intra_axis axis;
    struct intra_lens_sight *sights;
};
void intra_lens_stretch_fini(struct intra_lens_stretch *stretch);

struct intra_lens_seen;
/* Zero it before use. Owns its arrays. */
struct intra_lens_gather {
    struct intra_lens_seen *seen;
    int n, cap;
    int *head; /* first of the points cut from a keyframe, which is `first` at head[0]; -1: none */
    int n_head, cap_head, first;
};
void intra_lens_gather_fini(struct intra_lens_gather *gather);

/* Copies the run's points, and brings those met before up to date. After each settled keyframe: what is settled is let
 * go of by the run. Errors: INTRA_E_MEM. */
enum intra_status intra_lens_gather_points(struct intra_lens_gather *gather, const struct intra_run *run,
                                           struct intra_error *err);

/* Keyframes from <= id < to (held ones left out, INTRA_LENS_MOST_VIEWS at most) and what was cut from one of them and
 * seen in at least three others, 2500 points at most, those seen most often; with the part of the axis they need. `out`
 * stays as it is where that has as many points already. Errors: INTRA_E_MEM. */
enum intra_status intra_lens_gather_take(const struct intra_lens_gather *gather, const struct intra_run *run, int from,
                                         int to, struct intra_lens_stretch *out, struct intra_error *err);

/* Lets go of what was cut from keyframes before `kf`, to be followed by others of the same run. */
void intra_lens_gather_forget(struct intra_lens_gather *gather, int kf);
/* Of everything: a new run comes. Memory is kept. */
void intra_lens_gather_clear(struct intra_lens_gather *gather);

#endif
