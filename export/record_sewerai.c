/* Observations as SewerAI's interface delivers them: PACP columns in JSON, with frame numbers. The distance is in feet
 * and values in inches where IsImperial says so. */
#include "export/record_detections.h"
#include "export/record_json.h"
#include "export/record_letters.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* A box as [x, y, w, h] or {x, y, width, height}. */
static enum intra_status read_box(struct intra_observation *o, const json_t *box, struct intra_error *err)
{
    static const char *const keys[4] = {"x", "y", "width", "height"};
    enum intra_status status = INTRA_OK;
    struct intra_frame_region *region;
    double v[4], sum = 0;
    for (size_t k = 0; k < 4; k++) {
        v[k] =
            json_is_array(box) ? intra_json_number_of(json_array_get(box, k)) : intra_record_json_number(box, keys[k]);
        sum += v[k];
    }
    if (!isfinite(sum)) return INTRA_OK; /* verbatim in source */
    INTRA_TRY(intra_observation_add_region(o, &region, err));
    region->frame = o->frame;
    region->score = o->score;
    INTRA_TRY(intra_detection_box(region, v[0], v[1], v[0] + v[2], v[1] + v[3], -0.5, err));
done:
    return status;
}

static double clock_of(const json_t *item, const char *key)
{
    double hours = intra_record_json_number(item, key);
    return hours > 0 && hours <= 12 ? intra_clock_from_hours(hours) : NAN;
}

static enum intra_status read_observation(struct intra_record *record, struct intra_inspection *in, json_t *item,
                                          size_t number, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    char scratch[64];
    const char *code = intra_record_json_text(item, "code", scratch);
    struct intra_observation *o;
    json_t *boxes = json_object_get(item, "bounding_boxes"), *box;
    size_t i;
    if (!code || !*code || json_is_true(json_object_get(item, "deleted"))) {
        intra_record_refused(record, "observation %zu: %s", number + 1, code && *code ? "deleted" : "no code");
        return INTRA_OK;
    }
    INTRA_TRY(intra_inspection_add_observation(in, &o, err));
    o->system = INTRA_CODES_PACP;
    INTRA_TRY(intra_text_set(&o->code, code, err));
    INTRA_TRY(intra_json_fields(item, &o->source, err));
    o->distance_m = intra_record_metres(intra_record_json_number(item, "Distance"), in->is_imperial);
    double frame = intra_record_json_number(item, "video_frame"), grade = intra_record_json_number(item, "Grade");
    if (frame >= 0 && frame < 1e12) o->frame = (int64_t)frame;
    intra_record_clock_span(clock_of(item, "Clock_At_From"), clock_of(item, "Clock_To"), &o->clock_from_rad,
                            &o->clock_to_rad);
    o->quantity[0] = intra_record_json_number(item, "Value_1st_Dimension");
    o->quantity[1] = intra_record_json_number(item, "Value_2nd_Dimension");
    for (int k = 0; k < 2; k++)
        if (isfinite(o->quantity[k]))
            INTRA_TRY(intra_text_set(&o->quantity_unit[k], in->is_imperial ? "in" : "mm", err));
    o->percent = intra_record_json_number(item, "Value_Percent");
    const char *joint = intra_record_json_text(item, "Joint", scratch);
    o->is_at_joint = joint && intra_record_bool(joint);
    const char *continuous = intra_record_json_text(item, "Continuous", scratch);
    if (continuous && *continuous && !json_is_boolean(json_object_get(item, "Continuous")))
        INTRA_TRY(intra_text_set(&o->continuous_id, continuous, err));
    INTRA_TRY(intra_text_set(&o->remark, intra_record_json_text(item, "Remarks", scratch), err));
    INTRA_TRY(intra_text_set(&o->text, intra_record_json_text(item, "description", scratch), err));
    if (isfinite(grade))
        INTRA_TRY(intra_observation_add_grade(
            o, (struct intra_grade){INTRA_SCALE_PACP, INTRA_ASPECT_OVERALL, grade, false}, err));
    const char *snapshot = intra_record_json_text(item, "snapshot_url", scratch);
    if (snapshot && *snapshot) INTRA_TRY(intra_observation_add_media(o, INTRA_MEDIA_PICTURE, snapshot, NULL, err));
    if (json_is_array(boxes) && json_is_number(json_array_get(boxes, 0)))
        INTRA_TRY(read_box(o, boxes, err));
    else
        json_array_foreach(boxes, i, box) INTRA_TRY(read_box(o, box, err));
done:
    return status;
}

static enum intra_status read_inspection(struct intra_record *record, json_t *item, json_t *list,
                                         struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_inspection *in;
    json_t *row;
    size_t i;
    char scratch[64];
    const char *imperial = intra_record_json_text(item, "IsImperial", scratch);
    INTRA_TRY(intra_record_add_inspection(record, &in, err));
    in->is_imperial = imperial && intra_record_bool(imperial);
    INTRA_TRY(intra_text_set(&in->pipe, intra_record_json_text(item, "Pipe_Segment_Reference", scratch), err));
    json_array_foreach(list, i, row) INTRA_TRY(read_observation(record, in, row, i, err));
    INTRA_TRY(intra_record_join_continuous(record, in, err));
done:
    return status;
}

enum intra_status intra_record_read_sewerai(const char *path, struct intra_record *record, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    json_t *root = NULL, *list, *item;
    size_t i;
    INTRA_TRY(intra_json_read(path, &root, err));
    if (json_is_array(root)) {
        INTRA_TRY(read_inspection(record, NULL, root, err));
        goto done;
    }
    list = json_object_get(root, "inspections");
    json_array_foreach(list, i, item)
        INTRA_TRY(read_inspection(record, item, json_object_get(item, "observations"), err));
    if (json_is_array(json_object_get(root, "observations")))
        INTRA_TRY(read_inspection(record, root, json_object_get(root, "observations"), err));
done:
    json_decref(root);
    return status;
}
