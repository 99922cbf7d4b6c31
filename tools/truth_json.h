/* What the evaluation needs of truth/truth.json. */
#ifndef INTRA_TOOLS_TRUTH_JSON_H
#define INTRA_TOOLS_TRUTH_JSON_H

#include "core/camera.h"

/* Errors: INTRA_E_IO, INTRA_E_FORMAT. */
enum intra_status intra_truth_json_read(const char *path, double *out_nominal_diameter_m, double *out_length_m,
                                        struct intra_error *err);
/* The lens of the simulated camera. *out_has false: the file names none, or none that is known. */
enum intra_status intra_truth_json_read_lens(const char *path, struct intra_camera *out, bool *out_has,
                                             struct intra_error *err);

#endif
