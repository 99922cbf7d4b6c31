#include "export/record_letters.h"

#include "core/mem.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* The quantity of BAJ is an angle where the pipes meet at one (C), else a length. */
const char *intra_en_unit(const char *code, const char *characterisation1, int which)
{
    static const struct {
        char code[4];
        const char *unit[2];
    } units[] = {{"BAA", {"%", NULL}},  {"BAB", {"mm", NULL}},  {"BAC", {"mm", NULL}}, {"BAE", {"mm", NULL}},
                 {"BAG", {"%", NULL}},  {"BAI", {"%", NULL}},   {"BAJ", {"mm", NULL}}, {"BBA", {"%", NULL}},
                 {"BBB", {"%", NULL}},  {"BBC", {"%", NULL}},   {"BBD", {"%", NULL}},  {"BBE", {"%", NULL}},
                 {"BCA", {"mm", "mm"}}, {"BCC", {"deg", NULL}}, {"BDD", {"%", NULL}}};
    if (!code) return NULL;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcasecmp(units[i].code, code) == 0) {
            if (which == 0 && strcmp(units[i].code, "BAJ") == 0 && characterisation1 &&
                strcasecmp(characterisation1, "C") == 0)
                return "deg";
            return units[i].unit[which];
        }
    return NULL;
}

/* "00" and "0" say that there is no position. */
static double clock_of(struct intra_record *record, const char *text, const char *where)
{
    double value = text && *text ? intra_record_number(text) : NAN, clock;
    if (!text || !*text || value == 0) return NAN;
    clock = intra_record_clock(text);
    if (!isfinite(clock)) intra_record_kept(record, "%s: '%.20s' is no clock position", where, text);
    return clock;
}

enum intra_status intra_en_row_add(struct intra_record *record, struct intra_inspection *inspection,
                                   const struct intra_en_row *row, const char *where, struct intra_observation **out,
                                   struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_observation *o;
    *out = NULL;
    if (!row->code) {
        intra_record_refused(record, "%s: no code", where);
        return INTRA_OK;
    }
    INTRA_TRY(intra_inspection_add_observation(inspection, &o, err));
    o->system = INTRA_CODES_EN13508_2;
    INTRA_TRY(intra_text_set(&o->code, row->code, err));
    o->distance_m = intra_record_number_or_keep(record, where, row->distance);
    for (int i = 0; i < 2; i++) {
        INTRA_TRY(intra_text_set(&o->characterisation[i], row->characterisation[i], err));
        o->quantity[i] = intra_record_number_or_keep(record, where, row->quantity[i]);
        if (isfinite(o->quantity[i]))
            INTRA_TRY(intra_text_set(&o->quantity_unit[i], intra_en_unit(row->code, row->characterisation[0], i), err));
    }
    intra_record_clock_span(clock_of(record, row->clock[0], where), clock_of(record, row->clock[1], where),
                            &o->clock_from_rad, &o->clock_to_rad);
    if (row->joint && *row->joint)
        o->is_at_joint =
            strcasecmp(row->joint, "A") == 0 || strcasecmp(row->joint, "J") == 0 || intra_record_bool(row->joint);
    if (row->continuous && *row->continuous) INTRA_TRY(intra_text_set(&o->continuous_id, row->continuous, err));
    if (row->time && *row->time) {
        o->time_s = intra_record_video_time(row->time);
        if (!isfinite(o->time_s)) intra_record_kept(record, "%s: '%.40s' is no time in the video", where, row->time);
    }
    if (row->picture && *row->picture)
        INTRA_TRY(intra_observation_add_media(o, INTRA_MEDIA_PICTURE, row->picture, NULL, err));
    INTRA_TRY(intra_text_set(&o->remark, row->remark, err));
    INTRA_TRY(intra_text_set(&o->text, row->text, err));
    *out = o;
done:
    return status;
}

enum intra_status intra_record_nodes(struct intra_inspection *inspection, const char *upper, const char *lower,
                                     enum intra_survey_direction direction, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    inspection->direction = direction;
    INTRA_TRY(intra_text_set(&inspection->node_upstream, upper, err));
    INTRA_TRY(intra_text_set(&inspection->node_downstream, lower, err));
    if (direction == INTRA_DIRECTION_UNKNOWN) return INTRA_OK;
    bool is_down = direction == INTRA_DIRECTION_DOWNSTREAM;
    INTRA_TRY(intra_text_set(&inspection->node_start, is_down ? upper : lower, err));
    INTRA_TRY(intra_text_set(&inspection->node_end, is_down ? lower : upper, err));
done:
    return status;
}

enum intra_code_system intra_record_label_system(const char *label)
{
    if (!label || strlen(label) < 3 || label[0] != 'B' || !strchr("ABCD", label[1]) || label[2] < 'A' || label[2] > 'Z')
        return INTRA_CODES_OWN;
    return label[3] == 0 || strchr(" _-.", label[3]) ? INTRA_CODES_EN13508_2 : INTRA_CODES_OWN;
}

enum intra_status intra_record_add_video(struct intra_inspection *inspection, const char *file, struct intra_error *err)
{
    if (!file || !*file) return INTRA_OK;
    for (int i = 0; i < inspection->n_media; i++)
        if (inspection->media[i].file && strcmp(inspection->media[i].file, file) == 0) return INTRA_OK;
    return intra_inspection_add_media(inspection, INTRA_MEDIA_VIDEO, file, NULL, err);
}

enum intra_status intra_en_header(struct intra_record *record, struct intra_inspection *in, const char *code,
                                  const char *value, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct {
        char code[4];
        char **to;
    } texts[] = {{"AAA", &in->pipe},          {"CAA", &in->pipe},          {"EAA", &in->pipe},
                 {"AAB", &in->node_start},    {"AAD", &in->node_upstream}, {"AAF", &in->node_downstream},
                 {"AAJ", &in->street},        {"AAN", &in->town},          {"ABA", &in->standard},
                 {"ABH", &in->operator_name}, {"ABP", &in->purpose},       {"ACA", &in->shape},
                 {"ACD", &in->material},      {"CAJ", &in->street},        {"CAN", &in->town},
                 {"CBA", &in->standard}};
    const struct {
        char code[4];
        double *to;
        double factor;
    } numbers[] = {{"ABQ", &in->inspected_length_m, 1},
                   {"ACB", &in->height_m, 1e-3},
                   {"ACC", &in->width_m, 1e-3},
                   {"ACG", &in->joint_spacing_m, 1}};
    char text[16];
    if (!value || !*value) return INTRA_OK;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (strcmp(texts[i].code, code) == 0) return intra_text_set(texts[i].to, value, err);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (strcmp(numbers[i].code, code) == 0)
            *numbers[i].to = numbers[i].factor * intra_record_number_or_keep(record, code, value);
    if (strcmp(code, "AAK") == 0)
        in->direction = strcasecmp(value, "A") == 0   ? INTRA_DIRECTION_DOWNSTREAM
                        : strcasecmp(value, "B") == 0 ? INTRA_DIRECTION_UPSTREAM
                                                      : INTRA_DIRECTION_UNKNOWN;
    if (strcmp(code, "ABF") == 0 || strcmp(code, "CBF") == 0) {
        if (intra_record_date(value, text))
            INTRA_TRY(intra_text_set(&in->date, text, err));
        else
            intra_record_kept(record, "%s: '%.40s' is no date", code, value);
    }
    if (strcmp(code, "ABG") == 0 || strcmp(code, "CBG") == 0) {
        if (intra_record_day_time(value, text))
            INTRA_TRY(intra_text_set(&in->time, text, err));
        else
            intra_record_kept(record, "%s: '%.40s' is no time", code, value);
    }
    if (strcmp(code, "ABS") == 0 || strcmp(code, "CBS") == 0) INTRA_TRY(intra_record_add_video(in, value, err));
done:
    return status;
}

/* AAD and AAF are the two nodes in any order; the start (AAB) and the direction say which one is upstream. */
enum intra_status intra_en_header_done(struct intra_inspection *in, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    char *node1 = in->node_upstream, *node2 = in->node_downstream;
    in->node_upstream = in->node_downstream = NULL;
    if (!in->node_start) INTRA_TRY(intra_text_set(&in->node_start, node1, err));
    if (in->node_start && node1 && node2) {
        bool is_first = strcmp(in->node_start, node1) == 0, is_second = strcmp(in->node_start, node2) == 0;
        if (is_first || is_second) INTRA_TRY(intra_text_set(&in->node_end, is_first ? node2 : node1, err));
    }
    if (in->direction != INTRA_DIRECTION_UNKNOWN) {
        bool is_down = in->direction == INTRA_DIRECTION_DOWNSTREAM;
        INTRA_TRY(intra_text_set(&in->node_upstream, is_down ? in->node_start : in->node_end, err));
        INTRA_TRY(intra_text_set(&in->node_downstream, is_down ? in->node_end : in->node_start, err));
    }
done:
    intra_free(node1);
    intra_free(node2);
    return status;
}
