/* What an observation is on the wall, whatever its coding system calls it: enough to know how to look for it and what
 * to measure. Codes of PACP, EN 13508-2 (also ISYBAU, DWA, RIBX), MSCC and WSAA by their first letters; own labels by
 * words in English, German, French and Dutch. */
#ifndef INTRA_CORE_DEFECT_KIND_H
#define INTRA_CORE_DEFECT_KIND_H

#include "core/inspection.h"

enum intra_defect_kind {
    INTRA_DEFECT_OTHER, /* placed, not looked for */
    INTRA_DEFECT_CRACK,
    INTRA_DEFECT_HOLE, /* wall missing or broken */
    INTRA_DEFECT_DEPOSIT,
    INTRA_DEFECT_ROOT,
    INTRA_DEFECT_JOINT,   /* displaced, open, deflected */
    INTRA_DEFECT_LATERAL, /* a connection, intruding or not */
    INTRA_DEFECT_SURFACE, /* wear, corrosion, spalling */
    INTRA_DEFECT_SHAPE,   /* deformation */
    INTRA_DEFECT_N_KINDS
};
const char *intra_defect_kind_name(enum intra_defect_kind kind); /* "crack", ... */

enum intra_defect_kind intra_defect_kind_of(enum intra_code_system system, const char *code);

/* Needs rehabilitation of the wall: crack, hole, joint, surface, shape. */
bool intra_defect_is_structural(enum intra_defect_kind kind);

#endif
