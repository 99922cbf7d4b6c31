#include "tools/truth_json.h"

#include "core/fileio.h"
#include "core/mem.h"

#include <jansson.h>

enum intra_status intra_truth_json_read(const char *path, double *out_nominal_diameter_m, double *out_length_m,
                                        struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    json_error_t problem;
    json_t *root = NULL;
    char *text = NULL;
    size_t size = 0;
    INTRA_TRY(intra_read_file(path, (size_t)1 << 26, &text, &size, err));
    root = json_loads(text, 0, &problem);
    if (!root) {
        status = INTRA_FAIL(err, INTRA_E_FORMAT, "%s: line %d: %s", path, problem.line, problem.text);
        goto done;
    }
    *out_nominal_diameter_m = json_number_value(json_object_get(root, "nominal_diameter_m"));
    *out_length_m = json_number_value(json_object_get(root, "length_m"));
    if (!(*out_nominal_diameter_m > 0 && *out_nominal_diameter_m < 100 && *out_length_m > 0 && *out_length_m <= 1e4))
        status = INTRA_FAIL(err, INTRA_E_FORMAT,
                            "%s: nominal_diameter_m and length_m should be there, positive, and those of a pipe", path);
done:
    json_decref(root);
    intra_free(text);
    return status;
}
