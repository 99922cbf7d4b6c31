/* WSA 05 (Australia): projects of surveys; header codes of EN 13508-2, named columns a row. */
#include "core/mem.h"
#include "export/record_letters.h"
#include "export/record_xml.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* EN codes are three letters B..; WSA 05's own ones differ. */
static enum intra_code_system system_of(const char *standard)
{
    return standard && strstr(standard, "13508") ? INTRA_CODES_EN13508_2 : INTRA_CODES_WSAA;
}

static enum intra_status add_grade(struct intra_record *record, struct intra_observation *o, const char *text,
                                   enum intra_grade_aspect aspect, struct intra_error *err)
{
    struct intra_grade grade = {.scale = INTRA_SCALE_WSAA, .aspect = aspect};
    if (!text) return INTRA_OK;
    grade.value = intra_record_number_or_keep(record, "grade", text);
    return isfinite(grade.value) ? intra_observation_add_grade(o, grade, err) : INTRA_OK;
}

static enum intra_status read_row(struct intra_record *record, struct intra_inspection *in,
                                  const struct intra_xml_node *e, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_en_row row = {.distance = intra_xml_get(e, "DISTANCE"),
                               .code = intra_xml_get(e, "CODE"),
                               .characterisation = {intra_xml_get(e, "CHAR1"), intra_xml_get(e, "CHAR2")},
                               .quantity = {intra_xml_get(e, "QUANT1"), intra_xml_get(e, "QUANT2")},
                               .continuous = intra_xml_get(e, "CONTINUOUS"),
                               .clock = {intra_xml_get(e, "CLOCK1"), intra_xml_get(e, "CLOCK2")},
                               .joint = intra_xml_get(e, "JOINT"),
                               .time = intra_xml_get(e, "VIDEOPOSITION"),
                               .remark = intra_xml_get(e, "REMARK")};
    struct intra_observation *o;
    char where[40];
    snprintf(where, sizeof where, "line %d", intra_xml_line(e));
    INTRA_TRY(intra_en_row_add(record, in, &row, where, &o, err));
    if (!o) goto done;
    o->system = system_of(in->standard);
    INTRA_TRY(intra_text_set(&o->id, intra_xml_get(e, "OBSERVATIONID"), err));
    INTRA_TRY(add_grade(record, o, intra_xml_get(e, "STR"), INTRA_ASPECT_STRUCTURAL, err));
    INTRA_TRY(add_grade(record, o, intra_xml_get(e, "SER"), INTRA_ASPECT_OPERATION, err));
    INTRA_TRY(intra_xml_fields(e, "", NULL, NULL, &o->source, err));
done:
    return status;
}

/* Pictures and videos stand after the rows and name them. Rows and media are in the same order, mostly: the search goes
 * on where the one before ended. */
static enum intra_status read_media(struct intra_inspection *in, const struct intra_xml_node *survey, const char *list,
                                    const char *item, enum intra_media_kind kind, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    int64_t at = 0;
    for (const struct intra_xml_node *e = intra_xml_child(intra_xml_child(survey, list), item); e;
         e = intra_xml_next(e, item)) {
        const char *file = intra_xml_get(e, "FILENAME"), *id = intra_xml_get(e, "OBSERVATIONID");
        int64_t n = in->n_observations, looked = 0;
        if (!file) continue;
        while (id && looked < n && !(in->observations[at].id && strcmp(in->observations[at].id, id) == 0)) {
            at = (at + 1) % n;
            looked++;
        }
        if (id && looked < n)
            INTRA_TRY(intra_observation_add_media(&in->observations[at], kind, file, NULL, err));
        else if (kind == INTRA_MEDIA_VIDEO)
            INTRA_TRY(intra_record_add_video(in, file, err));
        else
            INTRA_TRY(intra_inspection_add_media(in, kind, file, NULL, err));
    }
done:
    return status;
}

enum intra_status intra_record_read_wsaa(const char *path, struct intra_record *record, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_xml *xml = NULL;
    struct intra_inspection *in;
    INTRA_TRY(intra_xml_read(path, &xml, err));
    const struct intra_xml_node *root = intra_xml_root(xml), *list = intra_xml_child(root, "SURVEYS");
    if (!list) list = root;
    for (const struct intra_xml_node *s = intra_xml_child(list, "SURVEY"); s; s = intra_xml_next(s, "SURVEY")) {
        INTRA_TRY(intra_record_add_inspection(record, &in, err));
        INTRA_TRY(intra_text_set(&in->id, intra_xml_get(s, "SURVEYID"), err));
        INTRA_TRY(intra_xml_fields(s, "", "OBSERVATIONS", "IMAGES", &in->source, err));
        for (const struct intra_xml_node *e = intra_xml_child(intra_xml_child(s, "HEADER"), NULL); e;
             e = intra_xml_next(e, NULL))
            INTRA_TRY(intra_en_header(record, in, intra_xml_name(e), intra_xml_text(e), err));
        INTRA_TRY(intra_en_header_done(in, err));
        for (const struct intra_xml_node *e = intra_xml_child(intra_xml_child(s, "OBSERVATIONS"), "OBSERVATION"); e;
             e = intra_xml_next(e, "OBSERVATION"))
            INTRA_TRY(read_row(record, in, e, err));
        INTRA_TRY(read_media(in, s, "IMAGES", "IMAGE", INTRA_MEDIA_PICTURE, err));
        INTRA_TRY(read_media(in, s, "VIDEOS", "VIDEO", INTRA_MEDIA_VIDEO, err));
        INTRA_TRY(intra_record_join_continuous(record, in, err));
    }
done:
    intra_xml_destroy(&xml);
    return status;
}
