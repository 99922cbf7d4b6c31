#include "tools/truth_json.h"

#include "core/fileio.h"
#include "core/mem.h"

#include <jansson.h>
#include <string.h>

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

static double number_of(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key)); /* 0 where there is none, which no camera accepts */
}

enum intra_status intra_truth_json_read_lens(const char *path, struct intra_camera *out, bool *out_has,
                                             struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    json_error_t problem;
    json_t *root = NULL;
    char *text = NULL;
    size_t size = 0;
    *out_has = false;
    memset(out, 0, sizeof *out);
    INTRA_TRY(intra_read_file(path, (size_t)1 << 26, &text, &size, err));
    root = json_loads(text, 0, &problem);
    if (!root) {
        status = INTRA_FAIL(err, INTRA_E_FORMAT, "%s: line %d: %s", path, problem.line, problem.text);
        goto done;
    }
    const json_t *lens = json_object_get(root, "lens"), *k = json_object_get(lens, "k");
    const char *model = json_string_value(json_object_get(lens, "model"));
    if (!model || (strcmp(model, "brown") != 0 && strcmp(model, "kb") != 0)) goto done;
    out->model = strcmp(model, "kb") == 0 ? INTRA_CAMERA_KB : INTRA_CAMERA_BROWN;
    out->width = (int)number_of(root, "width");
    out->height = (int)number_of(root, "height");
    out->fx = number_of(lens, "fx");
    out->fy = number_of(lens, "fy");
    out->cx = number_of(lens, "cx");
    out->cy = number_of(lens, "cy");
    for (size_t i = 0; i < json_array_size(k) && i < 5; i++)
        out->k[i] = json_number_value(json_array_get(k, i));
    *out_has = intra_camera_finish(out, NULL) == INTRA_OK;
done:
    json_decref(root);
    intra_free(text);
    return status;
}
