/* JSON for the readers of records: one loader with one kind of error, and values as the model wants them. */
#ifndef INTRA_EXPORT_RECORD_JSON_H
#define INTRA_EXPORT_RECORD_JSON_H

#include "export/record_internal.h"

struct json_t;

/* json_decref is the caller's. Errors: INTRA_E_IO, INTRA_E_FORMAT with line, INTRA_E_MEM. */
enum intra_status intra_json_read(const char *path, struct json_t **out, struct intra_error *err);
/* Numbers, booleans and texts as text; NULL where null, absent or a list. `scratch` holds numbers. */
const char *intra_record_json_text(const struct json_t *object, const char *key, char scratch[64]);
/* A number, or a text that is one; NaN. */
double intra_record_json_number(const struct json_t *object, const char *key);
double intra_json_number_of(const struct json_t *value);
/* Append all values of an object as fields, lists and objects as compact JSON. */
enum intra_status intra_json_fields(struct json_t *object, struct intra_fields *fields, struct intra_error *err);

#endif
