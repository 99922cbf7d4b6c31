/* RIBX (Netherlands): the letters of EN 13508-2 as elements, one ZB_* block an object, ZC a row. */
#include "export/record_letters.h"
#include "export/record_xml.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* "x y" of gml:pos, with its coordinate system. */
static enum intra_status read_point(const struct intra_xml_node *holder, struct intra_vec3 *out,
                                    struct intra_inspection *in, struct intra_error *err)
{
    const struct intra_xml_node *point = intra_xml_child(holder, "Point");
    const char *pos = intra_xml_get(holder, "Point/pos"), *crs = point ? intra_xml_attribute(point, "srsName") : NULL;
    char parts[3][40];
    if (!pos) return INTRA_OK;
    int n = sscanf(pos, "%39s %39s %39s", parts[0], parts[1], parts[2]);
    if (n < 2) return INTRA_OK;
    out->x = intra_record_number(parts[0]);
    out->y = intra_record_number(parts[1]);
    out->z = n > 2 ? intra_record_number(parts[2]) : NAN;
    return crs && !in->crs ? intra_text_set(&in->crs, crs, err) : INTRA_OK;
}

static enum intra_status read_row(struct intra_record *record, struct intra_inspection *in,
                                  const struct intra_xml_node *zc, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const char *video = intra_xml_get(zc, "N"), *bar = video ? strrchr(video, '|') : NULL;
    struct intra_en_row row = {.distance = intra_xml_get(zc, "I"),
                               .code = intra_xml_get(zc, "A"),
                               .characterisation = {intra_xml_get(zc, "B"), intra_xml_get(zc, "C")},
                               .quantity = {intra_xml_get(zc, "D"), intra_xml_get(zc, "E")},
                               .continuous = intra_xml_get(zc, "J"),
                               .clock = {intra_xml_get(zc, "G"), intra_xml_get(zc, "H")},
                               .joint = intra_xml_get(zc, "K"),
                               .time = bar ? bar + 1 : video,
                               .picture = intra_xml_get(zc, "M"),
                               .remark = intra_xml_get(zc, "F")};
    struct intra_observation *o;
    char where[40], file[512];
    snprintf(where, sizeof where, "line %d", intra_xml_line(zc));
    INTRA_TRY(intra_en_row_add(record, in, &row, where, &o, err));
    if (!o) goto done;
    INTRA_TRY(intra_xml_fields(zc, "", NULL, NULL, &o->source, err));
    if (bar && bar > video) {
        snprintf(file, sizeof file, "%.*s", (int)(bar - video), video);
        INTRA_TRY(intra_record_add_video(in, file, err));
    }
done:
    return status;
}

enum intra_status intra_record_read_ribx(const char *path, struct intra_record *record, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_xml *xml = NULL;
    struct intra_inspection *in;
    INTRA_TRY(intra_xml_read(path, &xml, err));
    const struct intra_xml_node *root = intra_xml_root(xml);
    INTRA_TRY(intra_text_set(&record->version, intra_xml_get(root, "ZA/A6"), err));
    for (const struct intra_xml_node *block = intra_xml_child(root, NULL); block; block = intra_xml_next(block, NULL)) {
        const char *name = intra_xml_name(block);
        if (strncmp(name, "ZB", 2) != 0) continue;
        if (strcmp(name, "ZB_G") == 0 || strcmp(name, "ZB_J") == 0) {
            intra_record_refused(record, "line %d: %s is a cleaning, no inspection", intra_xml_line(block), name);
            continue;
        }
        INTRA_TRY(intra_record_add_inspection(record, &in, err));
        INTRA_TRY(intra_fields_add(&in->source, "block", name, err));
        INTRA_TRY(intra_xml_fields(block, "", "ZC", NULL, &in->source, err));
        struct intra_vec3 first = {NAN, NAN, NAN}, second = {NAN, NAN, NAN};
        for (const struct intra_xml_node *e = intra_xml_child(block, NULL); e; e = intra_xml_next(e, NULL)) {
            const char *code = intra_xml_name(e);
            if (strcmp(code, "AAE") == 0)
                INTRA_TRY(read_point(e, &first, in, err));
            else if (strcmp(code, "AAG") == 0)
                INTRA_TRY(read_point(e, &second, in, err));
            else if (strcmp(code, "ZC") != 0)
                INTRA_TRY(intra_en_header(record, in, code, intra_xml_text(e), err));
        }
        const char *node1 = intra_xml_get(block, "AAD"), *start = intra_xml_get(block, "AAB");
        bool is_swapped = node1 && start && strcmp(node1, start) != 0;
        in->start_xyz = is_swapped ? second : first;
        in->end_xyz = is_swapped ? first : second;
        INTRA_TRY(intra_en_header_done(in, err));
        for (const struct intra_xml_node *zc = intra_xml_child(block, "ZC"); zc; zc = intra_xml_next(zc, "ZC"))
            INTRA_TRY(read_row(record, in, zc, err));
        INTRA_TRY(intra_record_join_continuous(record, in, err));
    }
done:
    intra_xml_destroy(&xml);
    return status;
}
