/* The own JSON: all of core/inspection.h without loss, and the easy way in for everybody else: a few keys are enough.
 * Keys: docs/records.md, docs/intrados_record.schema.json. A key stands once in the tables below, for reading and for
 * writing; what is not known is left out. */
#include "core/fileio.h"
#include "core/mem.h"
#include "export/record_json.h"
#include "export/record_letters.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { VERSION = 1, MAX_CORNERS = 1 << 24 };

enum kind {
    TEXT,   /* char * */
    NUMBER, /* double, NaN: left out */
    HOURS,  /* double in radians, written as hours of the clock */
    FLAG,   /* bool, false: left out */
    INDEX,  /* int64_t, -1: left out */
    COUNT,  /* int, 0: left out */
    POINT   /* struct intra_vec3, NaN: null */
};
struct key {
    const char *name;
    enum kind kind;
    size_t at;
};
#define KEY(type, name, kind, field)                                                                                   \
    {                                                                                                                  \
        name, kind, offsetof(struct type, field)                                                                       \
    }
#define N_KEYS(table) (sizeof(table) / sizeof((table)[0]))

#define OF(name, kind, field) KEY(intra_inspection, name, kind, field)
static const struct key inspection_keys[] = {OF("id", TEXT, id),
                                             OF("pipe", TEXT, pipe),
                                             OF("node_start", TEXT, node_start),
                                             OF("node_end", TEXT, node_end),
                                             OF("node_upstream", TEXT, node_upstream),
                                             OF("node_downstream", TEXT, node_downstream),
                                             OF("reverse_setup", FLAG, is_reverse_setup),
                                             OF("date", TEXT, date),
                                             OF("time", TEXT, time),
                                             OF("standard", TEXT, standard),
                                             OF("shape", TEXT, shape),
                                             OF("material", TEXT, material),
                                             OF("purpose", TEXT, purpose),
                                             OF("operator", TEXT, operator_name),
                                             OF("street", TEXT, street),
                                             OF("town", TEXT, town),
                                             OF("height_m", NUMBER, height_m),
                                             OF("width_m", NUMBER, width_m),
                                             OF("length_m", NUMBER, length_m),
                                             OF("inspected_length_m", NUMBER, inspected_length_m),
                                             OF("joint_spacing_m", NUMBER, joint_spacing_m),
                                             OF("imperial", FLAG, is_imperial),
                                             OF("start_xyz", POINT, start_xyz),
                                             OF("end_xyz", POINT, end_xyz),
                                             OF("crs", TEXT, crs)};
#undef OF
#define OF(name, kind, field) KEY(intra_observation, name, kind, field)
static const struct key observation_keys[] = {OF("id", TEXT, id),
                                              OF("station_m", NUMBER, distance_m),
                                              OF("station_to_m", NUMBER, distance_to_m),
                                              OF("code", TEXT, code),
                                              OF("characterisation_1", TEXT, characterisation[0]),
                                              OF("characterisation_2", TEXT, characterisation[1]),
                                              OF("quantity_1", NUMBER, quantity[0]),
                                              OF("unit_1", TEXT, quantity_unit[0]),
                                              OF("quantity_2", NUMBER, quantity[1]),
                                              OF("unit_2", TEXT, quantity_unit[1]),
                                              OF("percent", NUMBER, percent),
                                              OF("continuous", TEXT, continuous_id),
                                              OF("clock_from", HOURS, clock_from_rad),
                                              OF("clock_to", HOURS, clock_to_rad),
                                              OF("at_joint", FLAG, is_at_joint),
                                              OF("time_s", NUMBER, time_s),
                                              OF("frame", INDEX, frame),
                                              OF("remark", TEXT, remark),
                                              OF("text", TEXT, text),
                                              OF("score", NUMBER, score),
                                              OF("model", TEXT, model),
                                              OF("review", TEXT, review)};
#undef OF
#define OF(name, kind, field) KEY(intra_frame_region, name, kind, field)
static const struct key region_keys[] = {OF("frame", INDEX, frame),         OF("time_s", NUMBER, time_s),
                                         OF("picture", TEXT, picture),      OF("width_px", COUNT, width_px),
                                         OF("height_px", COUNT, height_px), OF("score", NUMBER, score)};
#undef OF
#define OF(name, field) KEY(intra_wall_region, name, NUMBER, field)
static const struct key wall_keys[] = {OF("station_from_m", station_from_m), OF("station_to_m", station_to_m),
                                       OF("station_sd_m", station_sd_m),     OF("clock_from_rad", clock_from_rad),
                                       OF("clock_to_rad", clock_to_rad),     OF("clock_sd_rad", clock_sd_rad)};
#undef OF
#define OF(name, kind, field) KEY(intra_place, name, kind, field)
static const struct key place_keys[] = {OF("is_placed", FLAG, is_placed), OF("is_refined", FLAG, is_refined),
                                        OF("is_line", FLAG, is_line),     OF("frame", INDEX, frame),
                                        OF("time_s", NUMBER, time_s),     OF("xyz", POINT, x),
                                        OF("xyz_sd", POINT, x_sd)};
#undef OF
#define OF(field) KEY(intra_extent, #field, NUMBER, field)
static const struct key extent_keys[] = {OF(length_m),
                                         OF(length_sd_m),
                                         OF(length_along_m),
                                         OF(length_along_sd_m),
                                         OF(width_m),
                                         OF(width_sd_m),
                                         KEY(intra_extent, "is_width_limit", FLAG, is_width_limit),
                                         OF(area_m2),
                                         OF(area_sd_m2),
                                         OF(ring_share_pct),
                                         OF(ring_share_sd_pct),
                                         OF(depth_m),
                                         OF(depth_sd_m),
                                         OF(section_loss_pct),
                                         OF(section_loss_sd_pct),
                                         OF(volume_m3),
                                         OF(volume_sd_m3),
                                         OF(diameter_m),
                                         OF(diameter_sd_m),
                                         OF(opening_m),
                                         OF(opening_sd_m),
                                         OF(resolution_m),
                                         KEY(intra_extent, "n_views", COUNT, n_views)};
#undef OF

static const char *const media_kinds[] = {"video", "picture", "document", NULL};
static const char *const directions[] = {"unknown", "downstream", "upstream", NULL};

/* ---- writing */

struct writer {
    FILE *to;
    int depth, inline_from; /* inline_from > 0: from this depth on all stands in one line */
    bool is_first;
};

/* A JSON string; bytes that are no UTF-8 (a database holds any) become U+FFFD. */
static void put_string(struct writer *w, const char *text)
{
    const unsigned char *p = (const unsigned char *)text;
    fputc('"', w->to);
    while (*p) {
        int more = *p < 0x80                 ? 0
                   : *p >= 0xc2 && *p < 0xe0 ? 1
                   : (*p & 0xf0) == 0xe0     ? 2
                   : *p >= 0xf0 && *p < 0xf5 ? 3
                                             : -1;
        bool is_good = more >= 0 && !(*p == 0xe0 && p[1] < 0xa0) && !(*p == 0xed && p[1] >= 0xa0) &&
                       !(*p == 0xf0 && p[1] < 0x90) && !(*p == 0xf4 && p[1] >= 0x90);
        for (int i = 1; is_good && i <= more; i++)
            is_good = (p[i] & 0xc0) == 0x80;
        if (!is_good) {
            fputs("\\ufffd", w->to);
            p++;
            continue;
        }
        if (*p == '"' || *p == '\\')
            fprintf(w->to, "\\%c", *p);
        else if (*p < 0x20 || *p == 0x7f)
            fprintf(w->to, "\\u%04x", *p);
        else
            fwrite(p, 1, (size_t)more + 1, w->to);
        p += more + 1;
    }
    fputc('"', w->to);
}

/* What stands before an item: comma, line, indentation, name. */
static void put_name(struct writer *w, const char *name)
{
    bool is_inline = w->inline_from && w->depth >= w->inline_from;
    if (!w->is_first) fputs(is_inline ? ", " : ",", w->to);
    if (!is_inline) fprintf(w->to, "\n%*s", 2 * w->depth, "");
    w->is_first = false;
    if (!name) return;
    put_string(w, name);
    fputs(": ", w->to);
}

/* is_inline: what stands inside goes into one line. */
static void open_list(struct writer *w, const char *name, char bracket, bool is_inline)
{
    put_name(w, name);
    fputc(bracket, w->to);
    w->depth++;
    if (is_inline && !w->inline_from) w->inline_from = w->depth;
    w->is_first = true;
}

static void close_list(struct writer *w, char bracket)
{
    bool is_inline = w->inline_from && w->depth >= w->inline_from;
    w->depth--;
    if (w->depth < w->inline_from) w->inline_from = 0;
    if (!is_inline && !w->is_first) fprintf(w->to, "\n%*s", 2 * w->depth, "");
    fputc(bracket, w->to);
    w->is_first = false;
}

static void put_text(struct writer *w, const char *name, const char *text)
{
    put_name(w, name);
    if (text)
        put_string(w, text);
    else
        fputs("null", w->to);
}

static void put_number(struct writer *w, const char *name, double value)
{
    char text[32];
    put_name(w, name);
    intra_record_number_text(value, text);
    fputs(text[0] ? text : "null", w->to);
}

static void put_integer(struct writer *w, const char *name, int64_t value)
{
    put_name(w, name);
    fprintf(w->to, "%lld", (long long)value);
}

/* Fifteen digits: what was read as hours comes back to the last bit. */
static void put_hours(struct writer *w, const char *name, double rad)
{
    put_name(w, name);
    fprintf(w->to, "%.15g", intra_clock_to_hours(rad));
}

static void put_keys(struct writer *w, const struct key *keys, size_t n, const void *from)
{
    for (size_t i = 0; i < n; i++) {
        const char *name = keys[i].name;
        const void *at = (const char *)from + keys[i].at;
        const double *number = at;
        const struct intra_vec3 *p = at;
        switch (keys[i].kind) {
        case TEXT:
            if (*(char *const *)at) put_text(w, name, *(char *const *)at);
            break;
        case NUMBER:
            if (isfinite(*number)) put_number(w, name, *number);
            break;
        case HOURS:
            if (isfinite(*number)) put_hours(w, name, *number);
            break;
        case FLAG:
            if (!*(const bool *)at) break;
            put_name(w, name);
            fputs("true", w->to);
            break;
        case INDEX:
            if (*(const int64_t *)at >= 0) put_integer(w, name, *(const int64_t *)at);
            break;
        case COUNT:
            if (*(const int *)at) put_integer(w, name, *(const int *)at);
            break;
        case POINT:
            if (isnan(p->x) && isnan(p->y) && isnan(p->z)) break;
            open_list(w, name, '[', true);
            put_number(w, NULL, p->x);
            put_number(w, NULL, p->y);
            put_number(w, NULL, p->z);
            close_list(w, ']');
            break;
        }
    }
}

/* Names may repeat and their order counts: pairs. */
static void put_fields(struct writer *w, const char *name, const struct intra_fields *fields)
{
    open_list(w, name, '[', true);
    for (int i = 0; i < fields->n; i++) {
        open_list(w, NULL, '[', true);
        put_text(w, NULL, fields->items[i].name ? fields->items[i].name : "");
        put_text(w, NULL, fields->items[i].value);
        close_list(w, ']');
    }
    close_list(w, ']');
}

static void put_grades(struct writer *w, const struct intra_grade *grades, int n)
{
    if (n == 0) return;
    open_list(w, "grades", '[', false);
    for (int i = 0; i < n; i++) {
        open_list(w, NULL, '{', true);
        put_text(w, "scale", intra_grade_scale_name(grades[i].scale));
        put_text(w, "aspect", intra_grade_aspect_name(grades[i].aspect));
        put_number(w, "value", grades[i].value);
        if (grades[i].is_computed) {
            put_name(w, "computed");
            fputs("true", w->to);
        }
        close_list(w, '}');
    }
    close_list(w, ']');
}

static void put_media(struct writer *w, const struct intra_media *media, int n)
{
    if (n == 0) return;
    open_list(w, "media", '[', false);
    for (int i = 0; i < n; i++) {
        open_list(w, NULL, '{', true);
        put_text(w, "kind", media_kinds[media[i].kind]);
        if (media[i].file) put_text(w, "file", media[i].file);
        if (media[i].source.n) put_fields(w, "source", &media[i].source);
        close_list(w, '}');
    }
    close_list(w, ']');
}

static void put_outline(struct writer *w, double (*outline)[2], int n)
{
    if (n == 0) return;
    open_list(w, "outline", '[', true);
    for (int i = 0; i < n; i++) {
        open_list(w, NULL, '[', true);
        put_number(w, NULL, outline[i][0]);
        put_number(w, NULL, outline[i][1]);
        close_list(w, ']');
    }
    close_list(w, ']');
}

static bool is_any_known(const struct intra_wall_region *r)
{
    return isfinite(r->station_from_m) || isfinite(r->station_to_m) || isfinite(r->station_sd_m) ||
           isfinite(r->clock_from_rad) || isfinite(r->clock_to_rad) || isfinite(r->clock_sd_rad);
}

static void put_place(struct writer *w, const struct intra_place *p)
{
    if (!p->is_placed && !p->reason[0] && !p->n_outline && !is_any_known(&p->recorded) && !is_any_known(&p->refined))
        return;
    open_list(w, "place", '{', false);
    put_keys(w, place_keys, N_KEYS(place_keys), p);
    if (p->reason[0]) put_text(w, "reason", p->reason);
    for (int i = 0; i < 2; i++) {
        const struct intra_wall_region *r = i ? &p->refined : &p->recorded;
        if (!is_any_known(r)) continue;
        open_list(w, i ? "refined" : "recorded", '{', true);
        put_keys(w, wall_keys, N_KEYS(wall_keys), r);
        close_list(w, '}');
    }
    put_outline(w, p->outline, p->n_outline);
    close_list(w, '}');
}

static void put_extent(struct writer *w, const struct intra_extent *e)
{
    bool is_known = e->n_views || e->is_width_limit;
    for (size_t i = 0; i < N_KEYS(extent_keys) && !is_known; i++)
        is_known = extent_keys[i].kind == NUMBER &&
                   isfinite(*(const double *)(const void *)((const char *)e + extent_keys[i].at));
    if (!is_known) return;
    open_list(w, "extent", '{', true);
    put_keys(w, extent_keys, N_KEYS(extent_keys), e);
    close_list(w, '}');
}

static void put_observation(struct writer *w, const struct intra_observation *o)
{
    open_list(w, NULL, '{', false);
    put_keys(w, observation_keys, N_KEYS(observation_keys), o);
    put_text(w, "code_system", intra_code_system_name(o->system));
    put_grades(w, o->grades, o->n_grades);
    put_media(w, o->media, o->n_media);
    if (o->n_regions) {
        open_list(w, "regions", '[', false);
        for (int i = 0; i < o->n_regions; i++) {
            open_list(w, NULL, '{', true);
            put_keys(w, region_keys, N_KEYS(region_keys), &o->regions[i]);
            put_outline(w, o->regions[i].outline, o->regions[i].n_outline);
            close_list(w, '}');
        }
        close_list(w, ']');
    }
    put_place(w, &o->place);
    put_extent(w, &o->extent);
    put_fields(w, "source", &o->source); /* an empty one too: its absence says "written by hand" */
    if (o->finish_source.n) put_fields(w, "finish_source", &o->finish_source);
    close_list(w, '}');
}

static void put_counts(struct writer *w, const struct intra_record_counts *c)
{
    open_list(w, "counts", '{', true);
    put_integer(w, "kept", c->kept);
    put_integer(w, "refused", c->refused);
    if (c->first_kept[0]) put_text(w, "first_kept", c->first_kept);
    if (c->first_refused[0]) put_text(w, "first_refused", c->first_refused);
    close_list(w, '}');
}

enum intra_status intra_record_write_own_json(const struct intra_record *record, const char *path,
                                              struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_out_file file = {0};
    struct writer w = {.is_first = true};
    INTRA_TRY(intra_out_file_open(&file, path, err));
    w.to = file.stream;
    fputc('{', w.to);
    w.depth = 1;
    put_integer(&w, "intrados_record", VERSION);
    put_text(&w, "format",
             intra_record_format_name(record->format == INTRA_RECORD_NONE ? INTRA_RECORD_OWN_JSON : record->format));
    if (record->version) put_text(&w, "version", record->version);
    put_counts(&w, &record->counts);
    open_list(&w, "inspections", '[', false);
    for (int64_t i = 0; i < record->n_inspections; i++) {
        const struct intra_inspection *p = &record->inspections[i];
        open_list(&w, NULL, '{', false);
        put_keys(&w, inspection_keys, N_KEYS(inspection_keys), p);
        put_text(&w, "direction", directions[p->direction]);
        if (p->format != INTRA_RECORD_NONE && p->format != record->format) /* of a store that several were put into */
            put_text(&w, "format", intra_record_format_name(p->format));
        put_grades(&w, p->grades, p->n_grades);
        put_media(&w, p->media, p->n_media);
        put_fields(&w, "source", &p->source);
        open_list(&w, "observations", '[', false);
        for (int64_t k = 0; k < p->n_observations; k++)
            put_observation(&w, &p->observations[k]);
        close_list(&w, ']');
        close_list(&w, '}');
    }
    close_list(&w, ']');
    close_list(&w, '}');
    fputc('\n', w.to);
    INTRA_TRY(intra_out_file_commit(&file, err));
done:
    intra_out_file_abandon(&file);
    return status;
}

/* ---- reading */

struct reader {
    struct intra_record *record;
    const char *code_system; /* of all observations that name none; NULL */
    bool is_converted;       /* written by a program: defects are joined, rows stand in `source` */
    char where[80];          /* for messages */
    struct intra_error *err;
};

/* Index of a word in a list that ends with NULL; -1. */
static int index_of(const char *const *names, const char *name)
{
    for (int i = 0; name && names[i]; i++)
        if (strcasecmp(names[i], name) == 0) return i;
    return -1;
}

/* The enumerator whose name this is; -1. The name functions say "unknown" for what is none. */
static int named(const char *(*name_of)(int), const char *name, int n)
{
    for (int i = 0; name && i < n; i++)
        if (strcasecmp(name_of(i), name) == 0) return i;
    return -1;
}
static const char *system_name(int i)
{
    return intra_code_system_name((enum intra_code_system)i);
}
static const char *scale_name(int i)
{
    return intra_grade_scale_name((enum intra_grade_scale)i);
}
static const char *aspect_name(int i)
{
    return intra_grade_aspect_name((enum intra_grade_aspect)i);
}

static void keep(struct reader *r, const char *key, const json_t *value)
{
    intra_record_kept(r->record, "%s: %s is not understood: %.60s", r->where, key,
                      json_is_string(value) ? json_string_value(value) : "of the wrong kind");
}

static double number_of(struct reader *r, const char *key, const json_t *value)
{
    double number = intra_json_number_of(value);
    if (isnan(number) && value && !json_is_null(value) && !(json_is_string(value) && !*json_string_value(value)))
        keep(r, key, value);
    return number;
}

/* A whole number from 0 to `most`; else `otherwise`. */
static int64_t whole_of(struct reader *r, const char *key, const json_t *value, double most, int64_t otherwise)
{
    double number = number_of(r, key, value);
    if (isnan(number)) return otherwise;
    if (number >= 0 && number <= most && number == floor(number)) return (int64_t)number;
    keep(r, key, value);
    return otherwise;
}

static enum intra_status take(struct reader *r, const struct key *key, const json_t *value, void *to)
{
    enum intra_status status = INTRA_OK;
    char scratch[64];
    double number;
    void *at = (char *)to + key->at;
    struct intra_vec3 *p = at;
    if (json_is_null(value)) return INTRA_OK;
    switch (key->kind) {
    case TEXT: {
        const char *text = json_is_string(value) ? json_string_value(value) : NULL;
        if (json_is_integer(value)) {
            snprintf(scratch, sizeof scratch, "%lld", (long long)json_integer_value(value));
            text = scratch;
        } else if (json_is_real(value)) {
            intra_record_number_text(json_real_value(value), scratch);
            text = scratch;
        } else if (!text) {
            keep(r, key->name, value);
        }
        INTRA_TRY(intra_text_set(at, text, r->err));
        break;
    }
    case NUMBER:
        *(double *)at = number_of(r, key->name, value);
        break;
    case HOURS:
        number = number_of(r, key->name, value);
        if (number >= 0 && number <= 12)
            *(double *)at = intra_clock_from_hours(number);
        else if (!isnan(number))
            keep(r, key->name, value);
        break;
    case FLAG:
        *(bool *)at = json_is_boolean(value)  ? json_is_true(value)
                      : json_is_string(value) ? intra_record_bool(json_string_value(value))
                                              : json_number_value(value) != 0;
        break;
    case INDEX:
        *(int64_t *)at = whole_of(r, key->name, value, 9e15, -1);
        break;
    case COUNT:
        *(int *)at = (int)whole_of(r, key->name, value, 1 << 30, 0);
        break;
    case POINT:
        if (json_array_size(value) == 3) {
            p->x = intra_json_number_of(json_array_get(value, 0));
            p->y = intra_json_number_of(json_array_get(value, 1));
            p->z = intra_json_number_of(json_array_get(value, 2));
        } else {
            keep(r, key->name, value);
        }
        break;
    }
done:
    return status;
}

static enum intra_status take_keys(struct reader *r, const struct key *keys, size_t n, const json_t *object, void *to)
{
    enum intra_status status = INTRA_OK;
    for (size_t i = 0; i < n; i++) {
        const json_t *value = json_object_get(object, keys[i].name);
        if (value) INTRA_TRY(take(r, &keys[i], value, to));
    }
done:
    return status;
}

/* One value of a source row as text; what is no plain value as compact JSON. */
static enum intra_status add_field(struct reader *r, const char *name, json_t *value, struct intra_fields *to)
{
    json_t *pair = json_pack("{sO}", name, value);
    enum intra_status status =
        pair ? intra_json_fields(pair, to, r->err) : INTRA_FAIL(r->err, INTRA_E_MEM, "no memory for '%.40s'", name);
    json_decref(pair);
    return status;
}

/* [["name", "value"], ...], or {"name": "value"}. */
static enum intra_status take_fields(struct reader *r, const json_t *list, struct intra_fields *to)
{
    enum intra_status status = INTRA_OK;
    size_t i;
    json_t *item, *value;
    const char *key;
    if (json_is_object(list)) {
        json_object_foreach((json_t *)(uintptr_t)list, key, value) INTRA_TRY(add_field(r, key, value, to));
        return INTRA_OK;
    }
    json_array_foreach(list, i, item)
    {
        const char *name = json_string_value(json_array_get(item, 0));
        value = json_array_get(item, 1);
        if (name && (json_is_string(value) || json_is_null(value)))
            INTRA_TRY(intra_fields_add(to, name, json_string_value(value), r->err));
        else if (name && value)
            INTRA_TRY(add_field(r, name, value, to));
        else
            keep(r, "source", item);
    }
done:
    return status;
}

static enum intra_status take_media(struct reader *r, const json_t *list, struct intra_inspection *in,
                                    struct intra_observation *o)
{
    enum intra_status status = INTRA_OK;
    size_t i;
    json_t *item;
    if (list && !json_is_array(list)) keep(r, "media", list);
    json_array_foreach(list, i, item)
    {
        struct intra_media *added;
        const char *file =
            json_is_string(item) ? json_string_value(item) : json_string_value(json_object_get(item, "file"));
        int kind = index_of(media_kinds, json_string_value(json_object_get(item, "kind")));
        if (!file && !json_is_object(item)) {
            keep(r, "media", item);
            continue;
        }
        if (kind < 0) kind = o ? INTRA_MEDIA_PICTURE : INTRA_MEDIA_VIDEO;
        INTRA_TRY(o ? intra_observation_add_media(o, (enum intra_media_kind)kind, file, &added, r->err)
                    : intra_inspection_add_media(in, (enum intra_media_kind)kind, file, &added, r->err));
        INTRA_TRY(take_fields(r, json_object_get(item, "source"), &added->source));
    }
done:
    return status;
}

static void take_grades(struct reader *r, const json_t *list, struct intra_grade *grades, int *n)
{
    size_t i;
    json_t *item;
    if (list && !json_is_array(list)) keep(r, "grades", list);
    json_array_foreach(list, i, item)
    {
        int scale = named(scale_name, json_string_value(json_object_get(item, "scale")), INTRA_SCALE_OTHER + 1);
        int aspect = named(aspect_name, json_string_value(json_object_get(item, "aspect")), INTRA_ASPECT_HYDRAULIC + 1);
        double value = intra_json_number_of(json_object_get(item, "value"));
        bool has_aspect = json_object_get(item, "aspect") != NULL;
        if (*n == INTRA_MAX_GRADES || scale < 0 || (has_aspect && aspect < 0)) {
            keep(r, *n == INTRA_MAX_GRADES ? "one grade more than are held" : "a grade's scale or aspect", item);
            continue;
        }
        grades[(*n)++] = (struct intra_grade){(enum intra_grade_scale)scale,
                                              aspect < 0 ? INTRA_ASPECT_OVERALL : (enum intra_grade_aspect)aspect,
                                              value, json_is_true(json_object_get(item, "computed"))};
    }
}

static enum intra_status take_outline(struct reader *r, const json_t *list, double (**out)[2], int *out_n)
{
    enum intra_status status = INTRA_OK;
    size_t i, n = json_array_size(list);
    json_t *item;
    if (list && (!json_is_array(list) || n > MAX_CORNERS)) keep(r, "outline", list);
    if (n == 0 || n > MAX_CORNERS) return INTRA_OK;
    json_array_foreach(list, i, item) for (size_t k = 0; k < 2; k++)
    {
        if (isnan(intra_json_number_of(json_array_get(item, k)))) {
            keep(r, "outline", list);
            return INTRA_OK;
        }
    }
    INTRA_TRY(INTRA_ALLOC(*out, n, r->err));
    *out_n = (int)n;
    json_array_foreach(list, i, item) for (size_t k = 0; k < 2; k++)(*out)[i][k] =
        intra_json_number_of(json_array_get(item, k));
done:
    return status;
}

static enum intra_status take_place(struct reader *r, const json_t *object, struct intra_place *p)
{
    enum intra_status status = INTRA_OK;
    const char *reason = json_string_value(json_object_get(object, "reason"));
    INTRA_TRY(take_keys(r, place_keys, N_KEYS(place_keys), object, p));
    if (reason) snprintf(p->reason, sizeof p->reason, "%s", reason);
    INTRA_TRY(take_keys(r, wall_keys, N_KEYS(wall_keys), json_object_get(object, "recorded"), &p->recorded));
    INTRA_TRY(take_keys(r, wall_keys, N_KEYS(wall_keys), json_object_get(object, "refined"), &p->refined));
    INTRA_TRY(take_outline(r, json_object_get(object, "outline"), &p->outline, &p->n_outline));
done:
    return status;
}

/* Names of the own table that say the same in another way, and what stands outside the tables of keys. */
static const char *const observation_others[] = {
    "station", "distance", "distance_m", "station_to",    "distance_to", "distance_to_m", "clock",
    "time",    "picture",  "remarks",    "code_system",   "grades",      "media",         "regions",
    "place",   "extent",   "source",     "finish_source", NULL};
static const char *const inspection_others[] = {"direction", "format", "video",        "grades",
                                                "media",     "source", "observations", NULL};
/* Of the whole file, where a single inspection stands in it without a list. */
static const char *const record_others[] = {"intrados_record", "format",      "version", "counts",
                                            "code_system",     "inspections", NULL};

static bool is_key(const char *name, const struct key *keys, size_t n, const char *const *others)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(keys[i].name, name) == 0) return true;
    return index_of(others, name) >= 0 || (others == inspection_others && index_of(record_others, name) >= 0);
}

/* `source` where it is given; else the plain values as they stand. Keys that have no meaning here always go in. */
static enum intra_status take_source(struct reader *r, const json_t *object, const struct key *keys, size_t n,
                                     const char *const *others, struct intra_fields *to)
{
    enum intra_status status = INTRA_OK;
    const json_t *given = json_object_get(object, "source");
    const char *name;
    json_t *value;
    INTRA_TRY(take_fields(r, given, to));
    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        bool is_known = is_key(name, keys, n, others);
        bool is_plain = !json_is_object(value) && !json_is_array(value);
        if (!is_known || (!given && is_plain && index_of(record_others, name) < 0))
            INTRA_TRY(add_field(r, name, value, to));
    }
done:
    return status;
}

static enum intra_status take_observation(struct reader *r, const json_t *object, struct intra_observation *o)
{
    static const struct key others[] = {KEY(intra_observation, "station", NUMBER, distance_m),
                                        KEY(intra_observation, "distance", NUMBER, distance_m),
                                        KEY(intra_observation, "distance_m", NUMBER, distance_m),
                                        KEY(intra_observation, "station_to", NUMBER, distance_to_m),
                                        KEY(intra_observation, "distance_to", NUMBER, distance_to_m),
                                        KEY(intra_observation, "distance_to_m", NUMBER, distance_to_m),
                                        KEY(intra_observation, "clock", HOURS, clock_from_rad),
                                        KEY(intra_observation, "remarks", TEXT, remark)};
    enum intra_status status = INTRA_OK;
    const json_t *time = json_object_get(object, "time"), *picture = json_object_get(object, "picture"), *item;
    const char *system = json_string_value(json_object_get(object, "code_system"));
    size_t i;
    int at;
    INTRA_TRY(take_keys(r, others, N_KEYS(others), object, o));
    INTRA_TRY(take_keys(r, observation_keys, N_KEYS(observation_keys), object, o));
    if (!r->is_converted) /* a span from a position to itself is the ring, as in all records */
        intra_record_clock_span(o->clock_from_rad, o->clock_to_rad, &o->clock_from_rad, &o->clock_to_rad);
    else if (isfinite(o->clock_from_rad) && o->clock_from_rad == o->clock_to_rad)
        o->clock_from_rad = 0, o->clock_to_rad = 2 * M_PI;
    at = named(system_name, system ? system : r->code_system, INTRA_CODES_OWN + 1);
    o->system = (enum intra_code_system)at;
    if (at < 0) o->system = intra_record_label_system(o->code);
    if (system && at < 0) keep(r, "code_system", json_object_get(object, "code_system"));
    if (json_is_string(time) && isnan(o->time_s)) {
        o->time_s = intra_record_video_time(json_string_value(time));
        if (isnan(o->time_s)) keep(r, "time", time);
    } else if (json_is_number(time) && isnan(o->time_s)) {
        o->time_s = json_number_value(time);
    }
    if (json_is_string(picture))
        INTRA_TRY(intra_observation_add_media(o, INTRA_MEDIA_PICTURE, json_string_value(picture), NULL, r->err));
    take_grades(r, json_object_get(object, "grades"), o->grades, &o->n_grades);
    INTRA_TRY(take_media(r, json_object_get(object, "media"), NULL, o));
    json_array_foreach(json_object_get(object, "regions"), i, item)
    {
        struct intra_frame_region *region;
        INTRA_TRY(intra_observation_add_region(o, &region, r->err));
        INTRA_TRY(take_keys(r, region_keys, N_KEYS(region_keys), item, region));
        INTRA_TRY(take_outline(r, json_object_get(item, "outline"), &region->outline, &region->n_outline));
    }
    INTRA_TRY(take_place(r, json_object_get(object, "place"), &o->place));
    INTRA_TRY(take_keys(r, extent_keys, N_KEYS(extent_keys), json_object_get(object, "extent"), &o->extent));
    INTRA_TRY(take_source(r, object, observation_keys, N_KEYS(observation_keys), observation_others, &o->source));
    INTRA_TRY(take_fields(r, json_object_get(object, "finish_source"), &o->finish_source));
done:
    return status;
}

/* Dates and times as people write them; those of other formats are already in the model's form. */
static enum intra_status tidy_date(struct reader *r, struct intra_inspection *in)
{
    enum intra_status status = INTRA_OK;
    char text[16];
    if (in->date) {
        if (!intra_record_date(in->date, text)) {
            intra_record_kept(r->record, "%s: '%.40s' is no date", r->where, in->date);
            text[0] = 0;
        }
        INTRA_TRY(intra_text_set(&in->date, text[0] ? text : NULL, r->err));
    }
    if (in->time) {
        if (!intra_record_day_time(in->time, text)) {
            intra_record_kept(r->record, "%s: '%.40s' is no time of the day", r->where, in->time);
            text[0] = 0;
        }
        INTRA_TRY(intra_text_set(&in->time, text[0] ? text : NULL, r->err));
    }
done:
    return status;
}

static enum intra_status take_inspection(struct reader *r, const json_t *object, size_t number)
{
    enum intra_status status = INTRA_OK;
    const json_t *list = json_object_get(object, "observations"), *item;
    const char *video = json_string_value(json_object_get(object, "video")),
               *way = json_string_value(json_object_get(object, "direction")),
               *format = json_string_value(json_object_get(object, "format"));
    struct intra_inspection *in;
    size_t i;
    int at;
    snprintf(r->where, sizeof r->where, "inspection %zu", number);
    if (!json_is_object(object)) {
        intra_record_refused(r->record, "%s: is no object", r->where);
        return INTRA_OK;
    }
    INTRA_TRY(intra_record_add_inspection(r->record, &in, r->err));
    INTRA_TRY(take_keys(r, inspection_keys, N_KEYS(inspection_keys), object, in));
    if (!r->is_converted) INTRA_TRY(tidy_date(r, in));
    at = index_of(directions, way);
    if (at >= 0)
        in->direction = (enum intra_survey_direction)at;
    else if (json_object_get(object, "direction"))
        keep(r, "direction", json_object_get(object, "direction"));
    if (r->is_converted && format) in->format = intra_record_format_from_name(format);
    if (video) INTRA_TRY(intra_inspection_add_media(in, INTRA_MEDIA_VIDEO, video, NULL, r->err));
    take_grades(r, json_object_get(object, "grades"), in->grades, &in->n_grades);
    INTRA_TRY(take_media(r, json_object_get(object, "media"), in, NULL));
    INTRA_TRY(take_source(r, object, inspection_keys, N_KEYS(inspection_keys), inspection_others, &in->source));
    if (list && !json_is_array(list)) keep(r, "observations", list);
    json_array_foreach(list, i, item)
    {
        struct intra_observation *o;
        snprintf(r->where, sizeof r->where, "inspection %zu, observation %zu", number, i + 1);
        if (!r->is_converted && !json_is_string(json_object_get(item, "code"))) {
            intra_record_refused(r->record, "%s: no code", r->where);
            continue;
        }
        INTRA_TRY(intra_inspection_add_observation(in, &o, r->err));
        INTRA_TRY(take_observation(r, item, o));
    }
    if (!r->is_converted) INTRA_TRY(intra_record_join_continuous(r->record, in, r->err));
done:
    return status;
}

static void take_counts(const json_t *object, struct intra_record_counts *c)
{
    const char *kept = json_string_value(json_object_get(object, "first_kept")),
               *refused = json_string_value(json_object_get(object, "first_refused"));
    double numbers[2] = {intra_json_number_of(json_object_get(object, "kept")),
                         intra_json_number_of(json_object_get(object, "refused"))};
    if (numbers[0] >= 0 && numbers[0] < 1e15) c->kept += (int64_t)numbers[0];
    if (numbers[1] >= 0 && numbers[1] < 1e15) c->refused += (int64_t)numbers[1];
    if (kept) snprintf(c->first_kept, sizeof c->first_kept, "%s", kept);
    if (refused) snprintf(c->first_refused, sizeof c->first_refused, "%s", refused);
}

enum intra_status intra_record_read_own_json(const char *path, struct intra_record *record, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct reader r = {.record = record, .err = err};
    json_t *root = NULL, *list, *item, *mark;
    const char *format;
    size_t i;
    INTRA_TRY(intra_json_read(path, &root, err));
    mark = json_object_get(root, "intrados_record");
    if (!json_is_integer(mark) || json_integer_value(mark) < 1) {
        status =
            INTRA_FAIL(err, INTRA_E_FORMAT, "%s: wants \"intrados_record\": %d; see docs/records.md", path, VERSION);
        goto done;
    }
    if (json_integer_value(mark) > VERSION) {
        status = INTRA_FAIL(err, INTRA_E_UNSUPPORTED, "%s: an intrados_record of version %lld; this program reads %d",
                            path, (long long)json_integer_value(mark), VERSION);
        goto done;
    }
    format = json_string_value(json_object_get(root, "format"));
    r.code_system = json_string_value(json_object_get(root, "code_system"));
    INTRA_TRY(intra_text_set(&record->version, json_string_value(json_object_get(root, "version")), err));
    if (format) { /* whose rows stand in `source` */
        enum intra_record_format of = intra_record_format_from_name(format);
        r.is_converted = true;
        if (of != INTRA_RECORD_NONE)
            record->format = of;
        else
            intra_record_kept(record, "format: '%.40s' is no format that is known here", format);
    }
    take_counts(json_object_get(root, "counts"), &record->counts);
    list = json_object_get(root, "inspections");
    if (!list) INTRA_TRY(take_inspection(&r, root, 1));
    json_array_foreach(list, i, item) INTRA_TRY(take_inspection(&r, item, i + 1));
done:
    json_decref(root);
    return status;
}
