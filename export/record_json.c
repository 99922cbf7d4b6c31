#include "export/record_json.h"

#include "core/mem.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum intra_status intra_json_read(const char *path, json_t **out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    char *text = NULL;
    size_t size = 0;
    json_error_t seen;
    INTRA_TRY(intra_record_text(path, NULL, &text, &size, err));
    *out = json_loadb(text, size, 0, &seen);
    if (!*out)
        status = json_error_code(&seen) == json_error_out_of_memory
                     ? INTRA_FAIL(err, INTRA_E_MEM, "no memory to read %s", path)
                     : INTRA_FAIL(err, INTRA_E_FORMAT, "%s: damaged JSON in line %d: %s", path, seen.line, seen.text);
done:
    intra_free(text);
    return status;
}

const char *intra_record_json_text(const json_t *object, const char *key, char scratch[64])
{
    const json_t *value = json_object_get(object, key);
    if (json_is_string(value)) return json_string_value(value);
    if (json_is_boolean(value)) return json_is_true(value) ? "true" : "false";
    if (json_is_integer(value)) {
        snprintf(scratch, 64, "%lld", (long long)json_integer_value(value));
        return scratch;
    }
    if (json_is_real(value)) {
        intra_record_number_text(json_real_value(value), scratch);
        return scratch;
    }
    return NULL;
}

double intra_json_number_of(const json_t *value)
{
    if (json_is_number(value)) return json_number_value(value);
    return json_is_string(value) ? intra_record_number(json_string_value(value)) : NAN;
}

double intra_record_json_number(const json_t *object, const char *key)
{
    return intra_json_number_of(json_object_get(object, key));
}

enum intra_status intra_json_fields(json_t *object, struct intra_fields *fields, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        char scratch[64];
        if (json_is_object(value) || json_is_array(value)) {
            char *dump = json_dumps(value, JSON_COMPACT);
            status = dump ? intra_fields_add(fields, key, dump, err)
                          : INTRA_FAIL(err, INTRA_E_MEM, "no memory for '%s'", key);
            free(dump);
        } else {
            status = intra_fields_add(fields, key, intra_record_json_text(object, key, scratch), err);
        }
        if (status != INTRA_OK) break;
    }
    return status;
}
