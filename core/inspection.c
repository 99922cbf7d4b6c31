/* The model of an inspection record: owning, growing, freeing, names. Mapping of formats: export/record_*. */
#include "core/inspection.h"

#include "core/mem.h"

#include <math.h>
#include <string.h>
#include <strings.h>

#define NAME_OF(table, index)                                                                                          \
    ((size_t)(index) < sizeof(table) / sizeof((table)[0]) && (table)[index] ? (table)[index] : "unknown")

static const char *const format_names[] = {"none",       "csv",     "json",   "pacp-mdb", "pacp-csv", "pacp-sqlite",
                                           "wincan-db3", "en-text", "isybau", "dwa-m150", "ribx",     "wsaa",
                                           "mscc",       "coco",    "yolo",   "cvat",     "sewerai"};
static const char *const system_names[] = {"unknown", "PACP", "EN 13508-2", "MSCC", "WSAA", "own"};
static const char *const scale_names[] = {"none", "PACP", "ISYBAU", "DWA", "VSA", "WRc", "WSAA", "other"};
static const char *const aspect_names[] = {"overall", "structural", "operation", "tightness", "hydraulic"};
_Static_assert(sizeof format_names / sizeof format_names[0] == INTRA_RECORD_N_FORMATS, "each format has a name");

const char *intra_record_format_name(enum intra_record_format format)
{
    return NAME_OF(format_names, format);
}

const char *intra_code_system_name(enum intra_code_system system)
{
    return NAME_OF(system_names, system);
}

const char *intra_grade_scale_name(enum intra_grade_scale scale)
{
    return NAME_OF(scale_names, scale);
}

const char *intra_grade_aspect_name(enum intra_grade_aspect aspect)
{
    return NAME_OF(aspect_names, aspect);
}

const char *intra_media_kind_name(enum intra_media_kind kind)
{
    static const char *const names[] = {"video", "picture", "document"};
    return NAME_OF(names, kind);
}

const char *intra_survey_direction_name(enum intra_survey_direction direction)
{
    return direction == INTRA_DIRECTION_DOWNSTREAM ? "downstream"
           : direction == INTRA_DIRECTION_UPSTREAM ? "upstream"
                                                   : NULL;
}

const struct intra_wall_region *intra_place_region(const struct intra_place *place)
{
    return place->is_refined ? &place->refined : &place->recorded;
}

double intra_grade_severity(enum intra_grade_scale scale, double value)
{
    static const double best_worst[][2] = {
        [INTRA_SCALE_PACP] = {1, 5}, [INTRA_SCALE_ISYBAU] = {0, 5}, [INTRA_SCALE_DWA] = {5, 0},
        [INTRA_SCALE_VSA] = {4, 0},  [INTRA_SCALE_WRC] = {1, 5},    [INTRA_SCALE_WSAA] = {1, 5}};
    if (scale <= INTRA_SCALE_NONE || scale >= INTRA_SCALE_OTHER || !isfinite(value)) return NAN;
    double at = (value - best_worst[scale][0]) / (best_worst[scale][1] - best_worst[scale][0]);
    return at < 0 ? 0 : at > 1 ? 1 : at;
}

static void fields_fini(struct intra_fields *fields)
{
    for (int i = 0; i < fields->n; i++) {
        intra_free(fields->items[i].name);
        intra_free(fields->items[i].value);
    }
    intra_free(fields->items);
    *fields = (struct intra_fields){0};
}

static void media_fini(struct intra_media *media, int n)
{
    for (int i = 0; i < n; i++) {
        intra_free(media[i].file);
        fields_fini(&media[i].source);
    }
    intra_free(media);
}

static void observation_fini(struct intra_observation *o)
{
    char *texts[] = {o->id,
                     o->code,
                     o->characterisation[0],
                     o->characterisation[1],
                     o->quantity_unit[0],
                     o->quantity_unit[1],
                     o->continuous_id,
                     o->remark,
                     o->text,
                     o->model,
                     o->review};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        intra_free(texts[i]);
    for (int i = 0; i < o->n_regions; i++) {
        intra_free(o->regions[i].picture);
        intra_free(o->regions[i].outline);
    }
    intra_free(o->regions);
    media_fini(o->media, o->n_media);
    fields_fini(&o->source);
    fields_fini(&o->finish_source);
    intra_free(o->place.outline);
}

static void inspection_fini(struct intra_inspection *p)
{
    char *texts[] = {p->id,   p->pipe,     p->node_start, p->node_end, p->node_upstream, p->node_downstream, p->date,
                     p->time, p->standard, p->shape,      p->material, p->purpose,       p->operator_name,   p->street,
                     p->town, p->crs};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        intra_free(texts[i]);
    for (int64_t i = 0; i < p->n_observations; i++)
        observation_fini(&p->observations[i]);
    intra_free(p->observations);
    media_fini(p->media, p->n_media);
    fields_fini(&p->source);
}

void intra_record_init(struct intra_record *record)
{
    *record = (struct intra_record){0};
}

void intra_record_fini(struct intra_record *record)
{
    for (int64_t i = 0; i < record->n_inspections; i++)
        inspection_fini(&record->inspections[i]);
    intra_free(record->inspections);
    intra_free(record->path);
    intra_free(record->version);
    intra_record_init(record);
}

/* Room for one more item in a growing list. */
static enum intra_status grow(void **items, size_t n, size_t *cap, size_t size, struct intra_error *err)
{
    size_t more = *cap ? 2 * *cap : 8;
    void *grown;
    if (n < *cap) return INTRA_OK;
    grown = intra_resize(*items, *cap, more, size);
    if (!grown) return INTRA_FAIL(err, INTRA_E_MEM, "no memory for %zu items of %zu bytes", more, size);
    *items = grown;
    *cap = more;
    return INTRA_OK;
}

/* GROW(list, n, cap): the fields of a struct that hold the list. */
#define GROW(owner, list, n, capacity)                                                                                 \
    do {                                                                                                               \
        size_t cap_ = (size_t)(owner)->capacity;                                                                       \
        void *items_ = (owner)->list;                                                                                  \
        enum intra_status grown_ = grow(&items_, (size_t)(owner)->n, &cap_, sizeof *(owner)->list, err);               \
        if (grown_ != INTRA_OK) return grown_;                                                                         \
        (owner)->list = items_;                                                                                        \
        *(&(owner)->capacity) = (__typeof__((owner)->capacity))cap_;                                                   \
    } while (0)

enum intra_status intra_record_add_inspection(struct intra_record *record, struct intra_inspection **out,
                                              struct intra_error *err)
{
    const struct intra_vec3 unknown = {NAN, NAN, NAN};
    GROW(record, inspections, n_inspections, cap_inspections);
    *out = &record->inspections[record->n_inspections++];
    **out = (struct intra_inspection){.height_m = NAN,
                                      .width_m = NAN,
                                      .length_m = NAN,
                                      .inspected_length_m = NAN,
                                      .joint_spacing_m = NAN,
                                      .start_xyz = unknown,
                                      .end_xyz = unknown};
    return INTRA_OK;
}

void intra_record_remove_inspections(struct intra_record *record, const bool *is_gone)
{
    int64_t kept = 0;
    for (int64_t i = 0; i < record->n_inspections; i++) {
        if (is_gone[i])
            inspection_fini(&record->inspections[i]);
        else
            record->inspections[kept++] = record->inspections[i];
    }
    record->n_inspections = kept;
}

static struct intra_wall_region region_unknown(void)
{
    return (struct intra_wall_region){NAN, NAN, NAN, NAN, NAN, NAN};
}

static struct intra_extent extent_unknown(void)
{
    return (struct intra_extent){.length_m = NAN,
                                 .length_sd_m = NAN,
                                 .length_along_m = NAN,
                                 .length_along_sd_m = NAN,
                                 .width_m = NAN,
                                 .width_sd_m = NAN,
                                 .area_m2 = NAN,
                                 .area_sd_m2 = NAN,
                                 .ring_share_pct = NAN,
                                 .ring_share_sd_pct = NAN,
                                 .depth_m = NAN,
                                 .depth_sd_m = NAN,
                                 .section_loss_pct = NAN,
                                 .section_loss_sd_pct = NAN,
                                 .volume_m3 = NAN,
                                 .volume_sd_m3 = NAN,
                                 .diameter_m = NAN,
                                 .diameter_sd_m = NAN,
                                 .opening_m = NAN,
                                 .opening_sd_m = NAN,
                                 .resolution_m = NAN};
}

enum intra_status intra_inspection_add_observation(struct intra_inspection *inspection, struct intra_observation **out,
                                                   struct intra_error *err)
{
    const struct intra_vec3 unknown = {NAN, NAN, NAN};
    GROW(inspection, observations, n_observations, cap_observations);
    *out = &inspection->observations[inspection->n_observations++];
    **out = (struct intra_observation){.quantity = {NAN, NAN},
                                       .percent = NAN,
                                       .distance_m = NAN,
                                       .distance_to_m = NAN,
                                       .clock_from_rad = NAN,
                                       .clock_to_rad = NAN,
                                       .time_s = NAN,
                                       .frame = -1,
                                       .score = NAN,
                                       .place = {.recorded = region_unknown(),
                                                 .refined = region_unknown(),
                                                 .frame = -1,
                                                 .time_s = NAN,
                                                 .x = unknown,
                                                 .x_sd = unknown},
                                       .extent = extent_unknown()};
    return INTRA_OK;
}

void intra_inspection_remove_observations(struct intra_inspection *inspection, const bool *is_gone)
{
    int64_t kept = 0;
    for (int64_t i = 0; i < inspection->n_observations; i++) {
        if (is_gone[i])
            observation_fini(&inspection->observations[i]);
        else
            inspection->observations[kept++] = inspection->observations[i];
    }
    inspection->n_observations = kept;
}

enum intra_status intra_inspection_add_media(struct intra_inspection *inspection, enum intra_media_kind kind,
                                             const char *file, struct intra_media **out, struct intra_error *err)
{
    struct intra_media *added;
    GROW(inspection, media, n_media, cap_media);
    added = &inspection->media[inspection->n_media++];
    *added = (struct intra_media){.kind = kind};
    if (out) *out = added;
    return intra_text_set(&added->file, file, err);
}

enum intra_status intra_observation_add_media(struct intra_observation *observation, enum intra_media_kind kind,
                                              const char *file, struct intra_media **out, struct intra_error *err)
{
    struct intra_media *added;
    GROW(observation, media, n_media, cap_media);
    added = &observation->media[observation->n_media++];
    *added = (struct intra_media){.kind = kind};
    if (out) *out = added;
    return intra_text_set(&added->file, file, err);
}

enum intra_status intra_observation_add_region(struct intra_observation *observation, struct intra_frame_region **out,
                                               struct intra_error *err)
{
    GROW(observation, regions, n_regions, cap_regions);
    *out = &observation->regions[observation->n_regions++];
    **out = (struct intra_frame_region){.frame = -1, .time_s = NAN, .score = NAN};
    return INTRA_OK;
}

enum intra_status intra_observation_add_grade(struct intra_observation *observation, struct intra_grade grade,
                                              struct intra_error *err)
{
    if (observation->n_grades == INTRA_MAX_GRADES)
        return INTRA_FAIL(err, INTRA_E_ARG, "an observation holds at most %d grades", INTRA_MAX_GRADES);
    observation->grades[observation->n_grades++] = grade;
    return INTRA_OK;
}

enum intra_status intra_text_set(char **to, const char *from, struct intra_error *err)
{
    char *copy = NULL;
    if (from) {
        copy = intra_strdup(from);
        if (!copy) return INTRA_FAIL(err, INTRA_E_MEM, "no memory for a text of %zu bytes", strlen(from));
    }
    intra_free(*to);
    *to = copy;
    return INTRA_OK;
}

enum intra_status intra_fields_add(struct intra_fields *fields, const char *name, const char *value,
                                   struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_field *added;
    GROW(fields, items, n, cap);
    added = &fields->items[fields->n++];
    *added = (struct intra_field){0};
    INTRA_TRY(intra_text_set(&added->name, name, err));
    INTRA_TRY(intra_text_set(&added->value, value, err));
done:
    return status;
}

const char *intra_fields_get(const struct intra_fields *fields, const char *name)
{
    for (int i = 0; i < fields->n; i++)
        if (fields->items[i].name && strcasecmp(fields->items[i].name, name) == 0) return fields->items[i].value;
    return NULL;
}

double intra_clock_from_hours(double hours)
{
    double at = fmod(hours, 12);
    return (at < 0 ? at + 12 : at) * (M_PI / 6);
}

double intra_clock_to_hours(double rad)
{
    double hours = fmod(rad * (6 / M_PI), 12);
    if (hours < 0) hours += 12;
    return hours <= 1e-9 ? 12 : hours;
}
