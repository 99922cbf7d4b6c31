/* What the carriers of EN 13508-2 share: header codes AAA to ADE, units that a code's quantities are in. */
#ifndef INTRA_EXPORT_RECORD_LETTERS_H
#define INTRA_EXPORT_RECORD_LETTERS_H

#include "export/record_internal.h"

/* One row of an EN carrier, as text; NULL: not there. */
struct intra_en_row {
    const char *distance, *code, *characterisation[2], *quantity[2], *continuous, *clock[2], *joint, *time, *picture,
        *remark, *text;
};

/* "%", "mm", "deg" of quantity `which` (0, 1); NULL: none known. */
const char *intra_en_unit(const char *code, const char *characterisation1, int which);

/* Parse a row into a new observation; its source is the caller's to add. A row without a code is refused and counted,
 * *out is NULL then. `where` names the row in messages. */
enum intra_status intra_en_row_add(struct intra_record *record, struct intra_inspection *inspection,
                                   const struct intra_en_row *row, const char *where, struct intra_observation **out,
                                   struct intra_error *err);

/* Take one header field ("AAA", "P-0101") in. Unknown codes are left to `source`. */
enum intra_status intra_en_header(struct intra_record *record, struct intra_inspection *inspection, const char *code,
                                  const char *value, struct intra_error *err);
/* After the last header field: which node is the upper one. */
enum intra_status intra_en_header_done(struct intra_inspection *inspection, struct intra_error *err);

/* Nodes and direction from the upper and the lower node. */
enum intra_status intra_record_nodes(struct intra_inspection *inspection, const char *upper, const char *lower,
                                     enum intra_survey_direction direction, struct intra_error *err);
/* EN where a label is built like its codes (BAB, BCD), else the words' own. */
enum intra_code_system intra_record_label_system(const char *label);
/* A video of the inspection, once; NULL and "" are none. */
enum intra_status intra_record_add_video(struct intra_inspection *inspection, const char *file,
                                         struct intra_error *err);

#endif
