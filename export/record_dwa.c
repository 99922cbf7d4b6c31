/* DWA-M 150 (Germany), 04-2010, types A and B: pipes HG with inspections HI of rows HZ, manholes KG with KI of KZ.
 * Reading. A pipe without an inspection is master data and no record. */
#include "core/mem.h"
#include "export/record_letters.h"
#include "export/record_xml.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Element names of pipes and of manholes differ in their first letter only: 'H' or 'K'. */
static const char *get(const struct intra_xml_node *e, char letter, const char *tail)
{
    char name[16];
    snprintf(name, sizeof name, "%c%s", letter, tail);
    return intra_xml_get(e, name);
}

static void add_inspection_grade(struct intra_inspection *in, const char *text, enum intra_grade_aspect aspect)
{
    double value = text ? intra_record_number(text) : NAN;
    if (isfinite(value)) in->grades[in->n_grades++] = (struct intra_grade){INTRA_SCALE_DWA, aspect, value, false};
}

static const enum intra_grade_aspect class_aspects[3] = {INTRA_ASPECT_TIGHTNESS, INTRA_ASPECT_STRUCTURAL,
                                                         INTRA_ASPECT_OPERATION};
static const char *const class_names[3] = {"206", "207", "208"};

static enum intra_status read_row(struct intra_record *record, struct intra_inspection *in,
                                  const struct intra_xml_node *e, char letter, enum intra_code_system system,
                                  struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_en_row row = {.distance = get(e, letter, "Z001"),
                               .code = get(e, letter, "Z002"),
                               .characterisation = {get(e, letter, "Z014"), get(e, letter, "Z015")},
                               .quantity = {get(e, letter, "Z003"), get(e, letter, "Z004")},
                               .continuous = get(e, letter, "Z005"),
                               .clock = {get(e, letter, "Z006"), get(e, letter, "Z007")},
                               .joint = get(e, letter, "Z011"),
                               .time = get(e, letter, "Z008"),
                               .picture = get(e, letter, "Z009"),
                               .remark = get(e, letter, "Z999"),
                               .text = get(e, letter, "Z010")};
    struct intra_observation *o;
    char where[40];
    snprintf(where, sizeof where, "line %d", intra_xml_line(e));
    INTRA_TRY(intra_en_row_add(record, in, &row, where, &o, err));
    if (!o) goto done;
    o->system = system;
    for (int i = 0; i < 3; i++) {
        char name[8];
        snprintf(name, sizeof name, "Z%s", class_names[i]);
        const char *text = get(e, letter, name);
        struct intra_grade grade = {INTRA_SCALE_DWA, class_aspects[i], text ? intra_record_number(text) : NAN, false};
        if (isfinite(grade.value)) INTRA_TRY(intra_observation_add_grade(o, grade, err));
    }
    INTRA_TRY(intra_xml_fields(e, "", NULL, NULL, &o->source, err));
done:
    return status;
}

/* The ends of a pipe: points RAPZ (inflow) and RAPA (outflow). */
static void read_ends(const struct intra_xml_node *object, struct intra_vec3 *upper, struct intra_vec3 *lower,
                      const char **crs)
{
    for (const struct intra_xml_node *p = intra_xml_child(intra_xml_child(object, "GO"), "GP"); p;
         p = intra_xml_next(p, "GP")) {
        const char *name = intra_xml_get(p, "GP001"), *system = intra_xml_get(p, "GP002");
        struct intra_vec3 *to = name && strncmp(name, "RAPZ", 4) == 0   ? upper
                                : name && strncmp(name, "RAPA", 4) == 0 ? lower
                                                                        : NULL;
        bool is_utm = intra_xml_get(p, "GP005") != NULL;
        if (!to) continue;
        to->x = intra_record_number(intra_xml_get(p, is_utm ? "GP005" : "GP003"));
        to->y = intra_record_number(intra_xml_get(p, is_utm ? "GP006" : "GP004"));
        to->z = intra_record_number(intra_xml_get(p, "GP007"));
        *crs = system;
    }
}

static enum intra_status read_inspection(struct intra_record *record, const struct intra_xml_node *object,
                                         const struct intra_xml_node *e, char letter, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    static const char *const ends[][2] = {{"HI", "HZ"}, {"KI", "KZ"}};
    bool is_pipe = letter == 'H';
    const char *way = is_pipe ? get(e, letter, "I101") : NULL, *coding = get(e, letter, "I005"), *crs = NULL,
               *date = get(e, letter, "I104"), *time = get(e, letter, "I105"), *row = ends[!is_pipe][1];
    bool is_down = way && (strcasecmp(way, "I") == 0 || strcasecmp(way, "O") == 0),
         is_up = way && (strcasecmp(way, "G") == 0 || strcasecmp(way, "U") == 0);
    enum intra_code_system system =
        coding && (intra_record_has_word(coding, "ISYBAU") || intra_record_has_word(coding, "ATV"))
            ? INTRA_CODES_OWN
            : INTRA_CODES_EN13508_2;
    struct intra_vec3 upper = {NAN, NAN, NAN}, lower = {NAN, NAN, NAN};
    struct intra_inspection *in;
    char text[16];
    INTRA_TRY(intra_record_add_inspection(record, &in, err));
    INTRA_TRY(intra_xml_fields(object, "", ends[!is_pipe][0], NULL, &in->source, err));
    INTRA_TRY(intra_xml_fields(e, is_pipe ? "HI/" : "KI/", row, NULL, &in->source, err));
    INTRA_TRY(intra_text_set(&in->pipe, get(object, letter, "G001"), err));
    INTRA_TRY(intra_text_set(&in->street, get(object, letter, "G102"), err));
    INTRA_TRY(intra_text_set(&in->town, get(object, letter, "G104"), err));
    INTRA_TRY(intra_text_set(&in->id, get(e, letter, "I003"), err));
    INTRA_TRY(intra_text_set(&in->purpose, get(e, letter, "I004"), err));
    INTRA_TRY(intra_text_set(&in->standard, coding, err));
    INTRA_TRY(intra_text_set(&in->operator_name, get(e, letter, "I112"), err));
    if (date && intra_record_date(date, text)) INTRA_TRY(intra_text_set(&in->date, text, err));
    if (time && intra_record_day_time(time, text)) INTRA_TRY(intra_text_set(&in->time, text, err));
    if (is_pipe) {
        INTRA_TRY(intra_record_nodes(in, get(object, letter, "G003"), get(object, letter, "G004"),
                                     is_down ? INTRA_DIRECTION_DOWNSTREAM
                                     : is_up ? INTRA_DIRECTION_UPSTREAM
                                             : INTRA_DIRECTION_UNKNOWN,
                                     err));
        INTRA_TRY(intra_text_set(&in->material, get(object, letter, "G304"), err));
        INTRA_TRY(intra_text_set(&in->shape, get(object, letter, "G305"), err));
        in->width_m = 1e-3 * intra_record_number_or_keep(record, "HG306", get(object, letter, "G306"));
        in->height_m = 1e-3 * intra_record_number_or_keep(record, "HG307", get(object, letter, "G307"));
        in->length_m = intra_record_number_or_keep(record, "HG310", get(object, letter, "G310"));
        in->joint_spacing_m = intra_record_number_or_keep(record, "HG314", get(object, letter, "G314"));
        read_ends(object, &upper, &lower, &crs);
        in->start_xyz = is_up ? lower : upper;
        in->end_xyz = is_up ? upper : lower;
        INTRA_TRY(intra_text_set(&in->crs, crs, err));
        for (int i = 0; i < 3; i++) {
            char name[8];
            snprintf(name, sizeof name, "I%s", class_names[i]);
            add_inspection_grade(in, get(e, letter, name), class_aspects[i]);
        }
    }
    INTRA_TRY(intra_record_add_video(in, get(e, letter, "I116"), err));
    for (const struct intra_xml_node *z = intra_xml_child(e, row); z; z = intra_xml_next(z, row))
        INTRA_TRY(read_row(record, in, z, letter, system, err));
    INTRA_TRY(intra_record_join_continuous(record, in, err));
done:
    return status;
}

enum intra_status intra_record_read_dwa_m150(const char *path, struct intra_record *record, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_xml *xml = NULL;
    INTRA_TRY(intra_xml_read(path, &xml, err));
    const struct intra_xml_node *root = intra_xml_root(xml);
    INTRA_TRY(intra_text_set(&record->version, intra_xml_get(root, "FD/FD001"), err));
    for (const struct intra_xml_node *object = intra_xml_child(root, NULL); object;
         object = intra_xml_next(object, NULL)) {
        const char *name = intra_xml_name(object);
        bool is_pipe = strcmp(name, "HG") == 0;
        if (!is_pipe && strcmp(name, "KG") != 0) continue;
        for (const struct intra_xml_node *e = intra_xml_child(object, is_pipe ? "HI" : "KI"); e;
             e = intra_xml_next(e, is_pipe ? "HI" : "KI"))
            INTRA_TRY(read_inspection(record, object, e, *name, err));
    }
    if (record->n_inspections > 0) /* what the file says of itself, and its own tables, stand with the first one */
        INTRA_TRY(intra_xml_fields(root, "", "HG", "KG", &record->inspections[0].source, err));
done:
    intra_xml_destroy(&xml);
    return status;
}
