/* The way over a gap by the distance counter: what it read at the end of one run against what it reads in the next. */
#ifndef INTRA_RECON_COUNTER_JOIN_H
#define INTRA_RECON_COUNTER_JOIN_H

#include "recon/counter.h"
#include "recon/run.h"

/* Arc length in `before` (continued) at which `after` has its zero, metres, and its deviation: rounding of the counter,
 * slack of the cable and half a percent of the way. A counter that runs backward is understood. False: too few readings
 * in either run, or such as do not fit it. Errors: INTRA_E_MEM, INTRA_E_DEGENERATE of intra_run_arc. */
enum intra_status intra_counter_join(const struct intra_counter_reading *readings, int64_t n, struct intra_run *before,
                                     struct intra_run *after, bool *out_is_known, double *out_arc_m, double *out_sd_m,
                                     struct intra_error *err);

#endif
