/* MSCC (United Kingdom), as far as its elements are known: docs/records.md says which were seen and which are guessed.
 */
#include "export/record_letters.h"
#include "export/record_xml.h"

#include <math.h>
#include <stdio.h>
#include <strings.h>

/* The first of several names that a header element goes by. */
static const char *any(const struct intra_xml_node *e, const char *a, const char *b, const char *c)
{
    const char *text = intra_xml_get(e, a);
    if (!text) text = intra_xml_get(e, b);
    return text ? text : intra_xml_get(e, c);
}

static enum intra_status read_header(struct intra_record *record, struct intra_inspection *in,
                                     const struct intra_xml_node *h, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const char *direction = intra_xml_get(h, "Direction"), *date = any(h, "Date", "InspectionDate", "SurveyDate"),
               *time = any(h, "Time", "InspectionTime", "SurveyTime");
    char text[16];
    INTRA_TRY(intra_text_set(&in->pipe, any(h, "PipelineLengthRef", "PipeLengthRef", "ClientDefined1"), err));
    INTRA_TRY(intra_text_set(&in->node_start, intra_xml_get(h, "StartNodeRef"), err));
    INTRA_TRY(intra_text_set(&in->node_end, intra_xml_get(h, "FinishNodeRef"), err));
    if (direction && (strcasecmp(direction, "D") == 0 || strcasecmp(direction, "U") == 0)) {
        bool is_down = strcasecmp(direction, "D") == 0;
        in->direction = is_down ? INTRA_DIRECTION_DOWNSTREAM : INTRA_DIRECTION_UPSTREAM;
        INTRA_TRY(intra_text_set(&in->node_upstream, is_down ? in->node_start : in->node_end, err));
        INTRA_TRY(intra_text_set(&in->node_downstream, is_down ? in->node_end : in->node_start, err));
    }
    if (date && intra_record_date(date, text)) INTRA_TRY(intra_text_set(&in->date, text, err));
    if (time && intra_record_day_time(time, text)) INTRA_TRY(intra_text_set(&in->time, text, err));
    INTRA_TRY(intra_text_set(&in->standard, any(h, "Standard", "Standard", "Standard"), err));
    INTRA_TRY(intra_text_set(&in->material, intra_xml_get(h, "Material"), err));
    INTRA_TRY(intra_text_set(&in->shape, intra_xml_get(h, "Shape"), err));
    INTRA_TRY(intra_text_set(&in->operator_name, any(h, "NameOfSurveyor", "Surveyor", "Operator"), err));
    INTRA_TRY(intra_text_set(&in->street, any(h, "LocationStreetName", "Location", "Street"), err));
    INTRA_TRY(intra_text_set(&in->town, any(h, "LocationTownOrVillage", "Town", "City"), err));
    in->height_m = 1e-3 * intra_record_number_or_keep(record, "height", any(h, "HeightDiameter", "Height", "Diameter"));
    in->width_m = 1e-3 * intra_record_number_or_keep(record, "width", intra_xml_get(h, "Width"));
    in->length_m = intra_record_number_or_keep(record, "length", intra_xml_get(h, "ExpectedLength"));
    INTRA_TRY(intra_record_add_video(in, any(h, "VideoFileName", "VideoVolumeRef", "VideoFile"), err));
done:
    return status;
}

static enum intra_status read_row(struct intra_record *record, struct intra_inspection *in,
                                  const struct intra_xml_node *e, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_en_row row = {.distance = intra_xml_get(e, "Distance"),
                               .code = intra_xml_get(e, "Code"),
                               .quantity = {intra_xml_get(e, "Dimension1"), intra_xml_get(e, "Dimension2")},
                               .continuous = intra_xml_get(e, "ContinuousDefect"),
                               .clock = {intra_xml_get(e, "ClockRefAtFrom"), intra_xml_get(e, "ClockRefTo")},
                               .joint = intra_xml_get(e, "Joint"),
                               .time = intra_xml_get(e, "VideoRef"),
                               .picture = intra_xml_get(e, "PhotographRef"),
                               .remark = intra_xml_get(e, "Remarks")};
    struct intra_observation *o;
    char where[40];
    snprintf(where, sizeof where, "line %d", intra_xml_line(e));
    INTRA_TRY(intra_en_row_add(record, in, &row, where, &o, err));
    if (!o) goto done;
    o->system = INTRA_CODES_MSCC;
    o->percent = intra_record_number_or_keep(record, where, intra_xml_get(e, "Percentage"));
    for (int i = 0; i < 2; i++)
        if (isfinite(o->quantity[i])) INTRA_TRY(intra_text_set(&o->quantity_unit[i], "mm", err));
    INTRA_TRY(intra_xml_fields(e, "", NULL, NULL, &o->source, err));
done:
    return status;
}

enum intra_status intra_record_read_mscc(const char *path, struct intra_record *record, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_xml *xml = NULL;
    struct intra_inspection *in;
    INTRA_TRY(intra_xml_read(path, &xml, err));
    for (const struct intra_xml_node *s = intra_xml_child(intra_xml_root(xml), "Survey"); s;
         s = intra_xml_next(s, "Survey")) {
        INTRA_TRY(intra_record_add_inspection(record, &in, err));
        INTRA_TRY(intra_xml_fields(s, "", "Observations", NULL, &in->source, err));
        INTRA_TRY(read_header(record, in, intra_xml_child(s, "Header"), err));
        for (const struct intra_xml_node *e = intra_xml_child(intra_xml_child(s, "Observations"), "Observation"); e;
             e = intra_xml_next(e, "Observation"))
            INTRA_TRY(read_row(record, in, e, err));
        INTRA_TRY(intra_record_join_continuous(record, in, err));
    }
done:
    intra_xml_destroy(&xml);
    return status;
}
