/* PACP: inspections and conditions, versions 6 and 7 (they differ in some names). Lengths are feet and inches where
 * IsImperial says so, metres and millimetres elsewhere. */
#include "export/record_pacp.h"

#include "core/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *const intra_pacp_table_names[INTRA_PACP_N_TABLES] = {"PACP_Inspections", "PACP_Conditions",
                                                                 "PACP_Media_Inspections", "PACP_Media_Conditions"};

void intra_pacp_fini(struct intra_pacp *pacp)
{
    for (int i = 0; i < INTRA_PACP_N_TABLES; i++)
        intra_sheet_fini(&pacp->tables[i]);
}

/* ---- in */

/* First column of these names that is there. */
static int column(const struct intra_sheet *t, const char *name, const char *older)
{
    int at = intra_sheet_find(t, name);
    return at < 0 && older ? intra_sheet_find(t, older) : at;
}

static const char *cell(const struct intra_sheet *t, int64_t row, const char *name, const char *older)
{
    return intra_sheet_at(t, row, column(t, name, older));
}

/* "1", "1.0" and " 1" are one id. */
static void id_text(const char *text, char out[64])
{
    double number = intra_record_number(text);
    if (isfinite(number) && number == floor(number) && fabs(number) < 1e15)
        snprintf(out, 64, "%.0f", number);
    else
        snprintf(out, 64, "%s", text ? text : "");
}

struct key {
    char id[64];
    int64_t at; /* inspection; observation as inspection << 32 | index */
};

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct key *)a)->id, ((const struct key *)b)->id);
}

static const struct key *find_key(const struct key *keys, int64_t n, const char *text)
{
    struct key wanted = {.at = 0};
    if (!text || n == 0) return NULL;
    id_text(text, wanted.id);
    return bsearch(&wanted, keys, (size_t)n, sizeof *keys, by_id);
}

static enum intra_status copy_row(const struct intra_sheet *t, int64_t row, struct intra_fields *out,
                                  struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    for (int i = 0; i < t->n_cols; i++)
        if (intra_sheet_at(t, row, i)) INTRA_TRY(intra_fields_add(out, t->names[i], intra_sheet_at(t, row, i), err));
done:
    return status;
}

static enum intra_status read_inspection(const struct intra_sheet *t, int64_t row, struct intra_record *record,
                                         struct intra_inspection *p, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const char *imperial = cell(t, row, "IsImperial", NULL), *direction = cell(t, row, "Direction", NULL);
    char id[64], date[11], day_time[9];
    double height = intra_record_number_or_keep(record, "Height", cell(t, row, "Height", NULL));
    double width = intra_record_number_or_keep(record, "Width", cell(t, row, "Width", NULL));
    id_text(cell(t, row, "InspectionID", NULL), id);
    p->is_imperial = imperial ? intra_record_bool(imperial) : !(height > 100); /* a pipe of more than 100 in is rare */
    p->height_m = height * (p->is_imperial ? 0.0254 : 0.001);
    p->width_m = width * (p->is_imperial ? 0.0254 : 0.001);
    p->length_m = intra_record_metres(
        intra_record_number_or_keep(record, "Total_Length", cell(t, row, "Total_Length", NULL)), p->is_imperial);
    p->inspected_length_m = intra_record_metres(
        intra_record_number_or_keep(record, "Length_Surveyed", cell(t, row, "Length_Surveyed", NULL)), p->is_imperial);
    p->joint_spacing_m = intra_record_metres(
        intra_record_number_or_keep(record, "Pipe_Joint_Length", cell(t, row, "Pipe_Joint_Length", NULL)),
        p->is_imperial);
    if (direction && (*direction == 'D' || *direction == 'd')) p->direction = INTRA_DIRECTION_DOWNSTREAM;
    if (direction && (*direction == 'U' || *direction == 'u')) p->direction = INTRA_DIRECTION_UPSTREAM;
    /* a flag in some files, the number of the other survey in others */
    p->is_reverse_setup = intra_record_bool(cell(t, row, "Reverse_Setup", NULL)) ||
                          intra_record_number(cell(t, row, "Reverse_Setup", NULL)) > 0;
    INTRA_TRY(intra_text_set(&p->id, id, err));
    INTRA_TRY(intra_text_set(&p->pipe, cell(t, row, "Pipe_Segment_Reference", NULL), err));
    INTRA_TRY(intra_text_set(&p->node_upstream, cell(t, row, "Upstream_MH", NULL), err));
    INTRA_TRY(intra_text_set(&p->node_downstream, cell(t, row, "Downstream_MH", NULL), err));
    if (p->direction != INTRA_DIRECTION_UNKNOWN) {
        bool is_down = p->direction == INTRA_DIRECTION_DOWNSTREAM;
        INTRA_TRY(intra_text_set(&p->node_start, is_down ? p->node_upstream : p->node_downstream, err));
        INTRA_TRY(intra_text_set(&p->node_end, is_down ? p->node_downstream : p->node_upstream, err));
    }
    if (intra_record_date(cell(t, row, "Inspection_Date", "Date"), date))
        INTRA_TRY(intra_text_set(&p->date, date, err));
    if (intra_record_day_time(cell(t, row, "Inspection_Time", "Time"), day_time))
        INTRA_TRY(intra_text_set(&p->time, day_time, err));
    INTRA_TRY(intra_text_set(&p->standard, "PACP", err));
    INTRA_TRY(intra_text_set(&p->shape, cell(t, row, "Shape", NULL), err));
    INTRA_TRY(intra_text_set(&p->material, cell(t, row, "Material", NULL), err));
    INTRA_TRY(intra_text_set(&p->purpose, cell(t, row, "Purpose", NULL), err));
    INTRA_TRY(intra_text_set(&p->operator_name, cell(t, row, "Surveyed_By", NULL), err));
    INTRA_TRY(intra_text_set(&p->street, cell(t, row, "Street", NULL), err));
    INTRA_TRY(intra_text_set(&p->town, cell(t, row, "City", NULL), err));
    INTRA_TRY(copy_row(t, row, &p->source, err));
done:
    return status;
}

static enum intra_status read_condition(const struct intra_sheet *t, int64_t row, const int *c,
                                        struct intra_record *record, bool is_imperial, struct intra_observation *o,
                                        struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    char id[64];
    double distance = intra_record_number_or_keep(record, "Distance", intra_sheet_at(t, row, c[2]));
    id_text(intra_sheet_at(t, row, c[0]), id);
    o->system = INTRA_CODES_PACP;
    o->distance_m = intra_record_metres(distance, is_imperial);
    o->quantity[0] = intra_record_number_or_keep(record, "Value_1st_Dimension", intra_sheet_at(t, row, c[5]));
    o->quantity[1] = intra_record_number_or_keep(record, "Value_2nd_Dimension", intra_sheet_at(t, row, c[6]));
    o->percent = intra_record_number_or_keep(record, "Value_Percent", intra_sheet_at(t, row, c[7]));
    o->is_at_joint = intra_record_bool(intra_sheet_at(t, row, c[8]));
    intra_record_clock_span(intra_record_clock(intra_sheet_at(t, row, c[9])),
                            intra_record_clock(intra_sheet_at(t, row, c[10])), &o->clock_from_rad, &o->clock_to_rad);
    o->time_s = intra_record_video_time(intra_sheet_at(t, row, c[12]));
    if (*id) INTRA_TRY(intra_text_set(&o->id, id, err));
    INTRA_TRY(intra_text_set(&o->code, intra_sheet_at(t, row, c[3]), err));
    INTRA_TRY(intra_text_set(&o->continuous_id, intra_sheet_at(t, row, c[4]), err));
    INTRA_TRY(intra_text_set(&o->remark, intra_sheet_at(t, row, c[11]), err));
    for (int i = 0; i < 2; i++)
        if (!isnan(o->quantity[i])) INTRA_TRY(intra_text_set(&o->quantity_unit[i], is_imperial ? "in" : "mm", err));
    INTRA_TRY(copy_row(t, row, &o->source, err));
done:
    return status;
}

static enum intra_status read_media(const struct intra_sheet *t, const struct key *keys, int64_t n, const char *id_name,
                                    bool is_video, struct intra_record *record, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    int c_id = intra_sheet_find(t, id_name),
        c_name = is_video ? column(t, "Video_Name", NULL) : column(t, "Image_Name", "Image_Reference");
    for (int64_t row = 0; row < t->n_rows; row++) {
        const char *name = intra_sheet_at(t, row, c_name);
        const struct key *owner = find_key(keys, n, intra_sheet_at(t, row, c_id));
        struct intra_media *media;
        if (!owner || !name) {
            intra_record_refused(record, "medium in row %lld belongs to nothing", (long long)row + 2);
            continue;
        }
        if (is_video)
            INTRA_TRY(
                intra_inspection_add_media(&record->inspections[owner->at], INTRA_MEDIA_VIDEO, name, &media, err));
        else
            INTRA_TRY(
                intra_observation_add_media(&record->inspections[owner->at >> 32].observations[owner->at & 0xffffffff],
                                            INTRA_MEDIA_PICTURE, name, &media, err));
        INTRA_TRY(copy_row(t, row, &media->source, err));
    }
done:
    return status;
}

enum intra_status intra_pacp_to_record(const struct intra_pacp *pacp, struct intra_record *out, struct intra_error *err)
{
    static const char *const names[] = {"ConditionID",
                                        "InspectionID",
                                        "Distance",
                                        "PACP_Code",
                                        "Continuous",
                                        "Value_1st_Dimension",
                                        "Value_2nd_Dimension",
                                        "Value_Percent",
                                        "Joint",
                                        "Clock_At_From",
                                        "Clock_To",
                                        "Remarks",
                                        "VCR_Time"};
    enum { N_NAMES = sizeof names / sizeof names[0] };
    enum intra_status status = INTRA_OK;
    const struct intra_sheet *header = &pacp->tables[INTRA_PACP_INSPECTIONS],
                             *rows = &pacp->tables[INTRA_PACP_CONDITIONS];
    struct key *keys = NULL, *row_keys = NULL;
    int64_t n_keys = 0, n_row_keys = 0;
    int c[N_NAMES];
    for (int i = 0; i < N_NAMES; i++)
        c[i] = intra_sheet_find(rows, names[i]);
    if (c[1] < 0 || c[3] < 0 || intra_sheet_find(header, "InspectionID") < 0) {
        status = INTRA_FAIL(err, INTRA_E_FORMAT,
                            "%s: PACP wants the columns InspectionID and PACP_Code in the conditions "
                            "and InspectionID in the inspections",
                            out->path ? out->path : "record");
        goto done;
    }
    INTRA_TRY(INTRA_ALLOC(keys, (size_t)header->n_rows + 1, err));
    INTRA_TRY(INTRA_ALLOC(row_keys, (size_t)rows->n_rows + 1, err));
    INTRA_TRY(intra_text_set(&out->version, intra_sheet_find(header, "Inspection_Date") >= 0 ? "7" : "6", err));
    for (int64_t r = 0; r < header->n_rows; r++) {
        struct intra_inspection *p;
        INTRA_TRY(intra_record_add_inspection(out, &p, err));
        INTRA_TRY(read_inspection(header, r, out, p, err));
        keys[n_keys].at = r;
        snprintf(keys[n_keys++].id, sizeof keys->id, "%s", p->id);
    }
    qsort(keys, (size_t)n_keys, sizeof *keys, by_id);
    for (int64_t k = 1; k < n_keys; k++)
        if (strcmp(keys[k].id, keys[k - 1].id) == 0)
            intra_record_kept(out, "two inspections have the id '%s'", keys[k].id);
    for (int64_t r = 0; r < rows->n_rows; r++) {
        const struct key *owner = find_key(keys, n_keys, intra_sheet_at(rows, r, c[1]));
        struct intra_observation *o;
        struct intra_inspection *p;
        if (!owner || !intra_sheet_at(rows, r, c[3])) {
            intra_record_refused(out, "conditions, row %lld: %s", (long long)r + 2,
                                 owner ? "no code" : "its inspection is not there");
            continue;
        }
        p = &out->inspections[owner->at];
        INTRA_TRY(intra_inspection_add_observation(p, &o, err));
        INTRA_TRY(read_condition(rows, r, c, out, p->is_imperial, o, err));
        if (o->id) {
            row_keys[n_row_keys].at = owner->at << 32 | (p->n_observations - 1);
            snprintf(row_keys[n_row_keys++].id, sizeof row_keys->id, "%s", o->id);
        }
    }
    qsort(row_keys, (size_t)n_row_keys, sizeof *row_keys, by_id);
    INTRA_TRY(read_media(&pacp->tables[INTRA_PACP_MEDIA_INSPECTIONS], keys, n_keys, "InspectionID", true, out, err));
    INTRA_TRY(
        read_media(&pacp->tables[INTRA_PACP_MEDIA_CONDITIONS], row_keys, n_row_keys, "ConditionID", false, out, err));
    if (rows->n_ragged + header->n_ragged > 0)
        intra_record_kept(out, "%lld rows have more or fewer cells than the header",
                          (long long)(rows->n_ragged + header->n_ragged));
    for (int64_t i = 0; i < out->n_inspections; i++)
        INTRA_TRY(intra_record_join_continuous(out, &out->inspections[i], err));
done:
    intra_free(keys);
    intra_free(row_keys);
    return status;
}

/* ---- out */

static const char *const inspection_columns[] = {"InspectionID",
                                                 "Surveyed_By",
                                                 "Certificate_Number",
                                                 "Reviewed_By",
                                                 "Reviewer_Certificate_Number",
                                                 "Owner",
                                                 "Customer",
                                                 "PO_Number",
                                                 "WorkOrder",
                                                 "Media_Label",
                                                 "Project",
                                                 "Inspection_Date",
                                                 "Inspection_Time",
                                                 "Sheet_Number",
                                                 "Weather",
                                                 "PreCleaning",
                                                 "Date_Cleaned",
                                                 "Flow_Control",
                                                 "Purpose",
                                                 "Direction",
                                                 "Inspection_Technology_Used_CCTV",
                                                 "Inspection_Status",
                                                 "Consequence_Of_Failure",
                                                 "Pressure_Value",
                                                 "Drainage_Area",
                                                 "Pipe_Segment_Reference",
                                                 "Street",
                                                 "City",
                                                 "Location_Code",
                                                 "Location_Details",
                                                 "Pipe_Use",
                                                 "Height",
                                                 "Width",
                                                 "Shape",
                                                 "Material",
                                                 "Lining_Method",
                                                 "Coating_Method",
                                                 "Pipe_Joint_Length",
                                                 "Total_Length",
                                                 "Length_Surveyed",
                                                 "Year_Constructed",
                                                 "Year_Renewed",
                                                 "Upstream_MH",
                                                 "Downstream_MH",
                                                 "Additional_Info",
                                                 "Reverse_Setup",
                                                 "IsImperial"};
static const char *const condition_columns[] = {"ConditionID",
                                                "InspectionID",
                                                "Distance",
                                                "Counter",
                                                "PACP_Code",
                                                "Continuous",
                                                "Value_1st_Dimension",
                                                "Value_2nd_Dimension",
                                                "Value_Percent",
                                                "Joint",
                                                "Clock_At_From",
                                                "Clock_To",
                                                "Remarks",
                                                "VCR_Time"};
static const char *const media_inspection_columns[] = {"MediaID", "InspectionID", "Video_Name", "Video_Location"};
static const char *const media_condition_columns[] = {"MediaID", "ConditionID", "Image_Name", "Image_Location"};
#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

static const char *newer_name(const char *name)
{
    static const char *const renamed[][2] = {{"Date", "Inspection_Date"},         {"Time", "Inspection_Time"},
                                             {"Sewer_Use", "Pipe_Use"},           {"Pre_Cleaning", "PreCleaning"},
                                             {"Pre-Cleaning", "PreCleaning"},     {"Year_Laid", "Year_Constructed"},
                                             {"PressureValue", "Pressure_Value"}, {"Image_Reference", "Image_Name"}};
    for (int i = 0; i < COUNT(renamed); i++)
        if (strcasecmp(name, renamed[i][0]) == 0) return renamed[i][1];
    return name;
}

static bool is_pacp(const struct intra_record *record)
{
    return record->format == INTRA_RECORD_PACP_CSV || record->format == INTRA_RECORD_PACP_SQLITE ||
           record->format == INTRA_RECORD_PACP_MDB;
}

static enum intra_status add_columns(struct intra_sheet *t, const char *const *names, int n, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    for (int i = 0; i < n; i++)
        INTRA_TRY(intra_sheet_add_column(t, names[i], err));
done:
    return status;
}

/* Columns that only the source has; before the first row. */
static enum intra_status add_source_columns(struct intra_sheet *t, const struct intra_fields *source,
                                            struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    for (int i = 0; i < source->n && t->n_cols < 500; i++)
        if (source->items[i].name && intra_sheet_find(t, newer_name(source->items[i].name)) < 0)
            INTRA_TRY(intra_sheet_add_column(t, newer_name(source->items[i].name), err));
done:
    return status;
}

/* A new row that starts as the source has it. */
static enum intra_status begin_row(struct intra_sheet *t, const struct intra_fields *source, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    INTRA_TRY(intra_sheet_add_row(t, err));
    for (int i = 0; source && i < source->n; i++) {
        int at = source->items[i].name ? intra_sheet_find(t, newer_name(source->items[i].name)) : -1;
        if (at >= 0) INTRA_TRY(intra_sheet_set(t, t->n_rows - 1, at, source->items[i].value, err));
    }
done:
    return status;
}

/* Known values over what the source had; unknown ones leave its text. */
static enum intra_status put(struct intra_sheet *t, const char *name, const char *text, struct intra_error *err)
{
    return text && *text ? intra_sheet_set(t, t->n_rows - 1, intra_sheet_find(t, name), text, err) : INTRA_OK;
}

static enum intra_status put_number(struct intra_sheet *t, const char *name, double value, struct intra_error *err)
{
    char text[32];
    snprintf(text, sizeof text, "%.12g", value); /* of a converted foot only what its source can have had */
    return isfinite(value) ? put(t, name, text, err) : INTRA_OK;
}

static enum intra_status put_clock(struct intra_sheet *t, const struct intra_observation *o, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    bool is_ring = o->clock_to_rad - o->clock_from_rad >= 2 * M_PI - 1e-9;
    if (isnan(o->clock_from_rad)) goto done;
    INTRA_TRY(put_number(t, "Clock_At_From", is_ring ? 12 : intra_clock_to_hours(o->clock_from_rad), err));
    if (!isnan(o->clock_to_rad))
        INTRA_TRY(put_number(t, "Clock_To", is_ring ? 12 : intra_clock_to_hours(o->clock_to_rad), err));
    else if (isfinite(intra_record_clock(intra_sheet_at(t, t->n_rows - 1, intra_sheet_find(t, "Clock_To")))))
        INTRA_TRY(intra_sheet_set(t, t->n_rows - 1, intra_sheet_find(t, "Clock_To"), NULL, err)); /* moved since */
done:
    return status;
}

static enum intra_status write_inspection(struct intra_sheet *t, const struct intra_inspection *p, const char *id,
                                          bool is_same, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    double foot = p->is_imperial ? 0.3048 : 1, inch = p->is_imperial ? 0.0254 : 0.001;
    INTRA_TRY(begin_row(t, is_same ? &p->source : NULL, err));
    INTRA_TRY(put(t, "InspectionID", id, err));
    INTRA_TRY(put(t, "Surveyed_By", p->operator_name, err));
    INTRA_TRY(put(t, "Inspection_Date", p->date, err));
    INTRA_TRY(put(t, "Inspection_Time", p->time, err));
    INTRA_TRY(put(t, "Purpose", p->purpose, err));
    INTRA_TRY(put(t, "Direction",
                  p->direction == INTRA_DIRECTION_DOWNSTREAM ? "D"
                  : p->direction == INTRA_DIRECTION_UPSTREAM ? "U"
                                                             : NULL,
                  err));
    INTRA_TRY(put(t, "Pipe_Segment_Reference", p->pipe, err));
    INTRA_TRY(put(t, "Street", p->street, err));
    INTRA_TRY(put(t, "City", p->town, err));
    INTRA_TRY(put(t, "Shape", p->shape, err));
    INTRA_TRY(put(t, "Material", p->material, err));
    INTRA_TRY(put_number(t, "Height", p->height_m / inch, err));
    INTRA_TRY(put_number(t, "Width", p->width_m / inch, err));
    INTRA_TRY(put_number(t, "Pipe_Joint_Length", p->joint_spacing_m / foot, err));
    INTRA_TRY(put_number(t, "Total_Length", p->length_m / foot, err));
    INTRA_TRY(put_number(t, "Length_Surveyed", p->inspected_length_m / foot, err));
    INTRA_TRY(put(t, "Upstream_MH", p->node_upstream, err));
    INTRA_TRY(put(t, "Downstream_MH", p->node_downstream, err));
    if (!is_same) INTRA_TRY(put(t, "Reverse_Setup", p->is_reverse_setup ? "1" : "0", err));
    INTRA_TRY(put(t, "IsImperial", p->is_imperial ? "-1" : "0", err));
done:
    return status;
}

static enum intra_status write_row(struct intra_sheet *t, const struct intra_observation *o, const char *inspection_id,
                                   const char *condition_id, bool is_finish, bool is_imperial, bool is_same,
                                   struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    bool is_pair = o->continuous_id && isfinite(o->distance_to_m) && !intra_record_is_mark(o->continuous_id);
    char mark[48] = "", at[16];
    bool is_verbatim = is_same && is_finish && o->finish_source.n > 0 && /* else it was moved */
                       intra_record_metres(intra_record_number(intra_fields_get(&o->finish_source, "Distance")),
                                           is_imperial) == o->distance_to_m;
    INTRA_TRY(begin_row(t, !is_same ? NULL : is_finish ? &o->finish_source : &o->source, err));
    INTRA_TRY(put(t, "ConditionID", condition_id, err));
    INTRA_TRY(put(t, "InspectionID", inspection_id, err));
    INTRA_TRY(
        put_number(t, "Distance", (is_finish ? o->distance_to_m : o->distance_m) / (is_imperial ? 0.3048 : 1), err));
    INTRA_TRY(put(t, "PACP_Code", o->code, err));
    if (is_pair)
        snprintf(mark, sizeof mark, "%c%02ld", is_finish ? 'F' : 'S', strtol(o->continuous_id, NULL, 10));
    else if (o->continuous_id)
        snprintf(mark, sizeof mark, "%s", o->continuous_id);
    INTRA_TRY(put(t, "Continuous", mark, err));
    if (is_verbatim) goto done;
    INTRA_TRY(put_number(t, "Value_1st_Dimension", o->quantity[0], err));
    INTRA_TRY(put_number(t, "Value_2nd_Dimension", o->quantity[1], err));
    INTRA_TRY(put_number(t, "Value_Percent", o->percent, err));
    INTRA_TRY(put(t, "Joint", o->is_at_joint ? "-1" : "0", err));
    INTRA_TRY(put_clock(t, o, err));
    if (is_finish) goto done;
    INTRA_TRY(put(t, "Remarks", o->remark, err));
    intra_record_time_text(o->time_s, at);
    INTRA_TRY(put(t, "VCR_Time", at, err));
done:
    return status;
}

static enum intra_status write_media(struct intra_sheet *t, const struct intra_media *media, const char *owner_name,
                                     const char *owner, const char *file_name, bool is_same, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    char id[32];
    INTRA_TRY(begin_row(t, is_same ? &media->source : NULL, err));
    snprintf(id, sizeof id, "%lld", (long long)t->n_rows);
    INTRA_TRY(put(t, "MediaID", id, err));
    INTRA_TRY(put(t, owner_name, owner, err));
    INTRA_TRY(put(t, file_name, media->file, err));
done:
    return status;
}

enum intra_status intra_pacp_from_record(const struct intra_record *record, struct intra_pacp *out,
                                         struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    bool is_same = is_pacp(record);
    long long next_id = 1, next_finish = 0;
    struct intra_sheet *t = out->tables;
    *out = (struct intra_pacp){0};
    for (int64_t i = 0; i < record->n_inspections; i++)
        next_finish += record->inspections[i].n_observations;
    for (int64_t i = 0; i < record->n_inspections; i++)
        for (int64_t k = 0; k < record->inspections[i].n_observations; k++) { /* above every id of the source */
            double id = intra_record_number(record->inspections[i].observations[k].id);
            if (id > (double)next_finish && id < 1e15) next_finish = (long long)id;
        }
    INTRA_TRY(add_columns(&t[0], inspection_columns, COUNT(inspection_columns), err));
    INTRA_TRY(add_columns(&t[1], condition_columns, COUNT(condition_columns), err));
    INTRA_TRY(add_columns(&t[2], media_inspection_columns, COUNT(media_inspection_columns), err));
    INTRA_TRY(add_columns(&t[3], media_condition_columns, COUNT(media_condition_columns), err));
    for (int64_t i = 0; is_same && i < record->n_inspections; i++) {
        INTRA_TRY(add_source_columns(&t[0], &record->inspections[i].source, err));
        for (int64_t k = 0; k < record->inspections[i].n_observations; k++)
            INTRA_TRY(add_source_columns(&t[1], &record->inspections[i].observations[k].source, err));
    }
    for (int64_t i = 0; i < record->n_inspections; i++) {
        const struct intra_inspection *p = &record->inspections[i];
        char id[64], row_id[64];
        snprintf(id, sizeof id, "%lld", (long long)i + 1);
        if (is_same && p->id) snprintf(id, sizeof id, "%s", p->id);
        INTRA_TRY(write_inspection(&t[0], p, id, is_same, err));
        for (int k = 0; k < p->n_media; k++)
            if (p->media[k].kind == INTRA_MEDIA_VIDEO)
                INTRA_TRY(write_media(&t[2], &p->media[k], "InspectionID", id, "Video_Name", is_same, err));
        for (int64_t k = 0; k < p->n_observations; k++) {
            const struct intra_observation *o = &p->observations[k];
            const char *finish_id = intra_fields_get(&o->finish_source, "ConditionID");
            snprintf(row_id, sizeof row_id, "%lld", next_id++);
            if (is_same && o->id) snprintf(row_id, sizeof row_id, "%s", o->id);
            INTRA_TRY(write_row(&t[1], o, id, row_id, false, p->is_imperial, is_same, err));
            for (int m = 0; m < o->n_media; m++)
                if (o->media[m].kind == INTRA_MEDIA_PICTURE)
                    INTRA_TRY(write_media(&t[3], &o->media[m], "ConditionID", row_id, "Image_Name", is_same, err));
            if (!isfinite(o->distance_to_m) || !o->continuous_id) continue;
            snprintf(row_id, sizeof row_id, "%lld", ++next_finish);
            INTRA_TRY(
                write_row(&t[1], o, id, is_same && finish_id ? finish_id : row_id, true, p->is_imperial, is_same, err));
        }
    }
done:
    if (status != INTRA_OK) intra_pacp_fini(out);
    return status;
}
