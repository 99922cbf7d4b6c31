/* An inspection of the made pipe, placed by hand: a refined crack, areas with and without an outline, a ring, one along
 * the whole pipe over its gap, a detection over the crown, one with hostile texts, and one without a place. */
#ifndef INTRA_TESTS_EXPORT_MADE_RECORD_H
#define INTRA_TESTS_EXPORT_MADE_RECORD_H

#include "core/inspection.h"

enum made_observation {
    MADE_CRACK,
    MADE_RECTANGLE, /* recorded only */
    MADE_HOLE,      /* an outline like a U, over MADE_ALONG */
    MADE_RING,      /* a joint's station, no clock */
    MADE_ALONG,
    MADE_DETECTION,
    MADE_HOSTILE, /* a point; its code and texts are no UTF-8, the remark is 1 MB */
    MADE_PLACED,
    MADE_UNPLACED = MADE_PLACED,
    MADE_OBSERVATIONS
};

/* The caller finishes it. Stations from start_m on. Aborts on errors. */
void made_record_init(struct intra_record *record, double start_m);

#endif
