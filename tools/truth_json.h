/* What the evaluation needs of truth/truth.json. */
#ifndef INTRA_TOOLS_TRUTH_JSON_H
#define INTRA_TOOLS_TRUTH_JSON_H

#include "core/status.h"

/* Errors: INTRA_E_IO, INTRA_E_FORMAT. */
enum intra_status intra_truth_json_read(const char *path, double *out_nominal_diameter_m, double *out_length_m,
                                        struct intra_error *err);

#endif
