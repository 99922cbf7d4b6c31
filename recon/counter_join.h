/* The way by the distance counter over what the picture does not show: to the next run, or to where a lost camera is.
 */
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

/* Arc length in `run` (continued) at which the counter says that the camera is at now_s, after the run has lost it, and
 * how far it may lie from there: rounding, slack, the way within the last readings. False: too few readings at the end
 * of the run or in the last second, or such as do not fit. Errors: as above. */
enum intra_status intra_counter_place(const struct intra_counter_reading *readings, int64_t n, struct intra_run *run,
                                      double now_s, bool *out_is_known, double *out_arc_m, double *out_within_m,
                                      struct intra_error *err);

#endif
