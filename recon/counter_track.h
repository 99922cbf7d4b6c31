/* Readings of one counter in the order of time: those that no camera could have made are thrown out, and such as were not
 * sure by themselves are let in where the readings before and after leave nothing else. */
#ifndef INTRA_RECON_COUNTER_TRACK_H
#define INTRA_RECON_COUNTER_TRACK_H

#include "recon/counter.h"

/* readings: by time; `value` and `confidence` as read, value_m still NaN. Fills value_m (NaN where not sure), unit and
 * confidence. Errors: INTRA_E_MEM. */
enum intra_status intra_counter_track(struct intra_counter_reading *readings, int64_t n, struct intra_error *err);

#endif
