/* COCO: instances (ground truth or labels) and results (an array with scores). One inspection a video; pictures that
 * name no video are one inspection. */
#include "core/mem.h"
#include "export/record_detections.h"
#include "export/record_json.h"
#include "export/record_letters.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct coco {
    struct intra_record *record;
    json_t *images, *categories; /* by id as text; borrowed values */
    json_t *inspections;         /* video -> index */
    struct intra_error *err;
};

static enum intra_status index_by_id(json_t *list, json_t *to, struct intra_error *err)
{
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        char scratch[64];
        const char *id = intra_record_json_text(item, "id", scratch);
        if (id && !json_object_get(to, id) && json_object_set(to, id, item) != 0)
            return INTRA_FAIL(err, INTRA_E_MEM, "no memory for %zu pictures", json_array_size(list));
    }
    return INTRA_OK;
}

static enum intra_status inspection_of(struct coco *c, const char *video, struct intra_inspection **out)
{
    enum intra_status status = INTRA_OK;
    json_t *known = json_object_get(c->inspections, video ? video : "");
    if (known) {
        *out = &c->record->inspections[json_integer_value(known)];
        return INTRA_OK;
    }
    INTRA_TRY(intra_record_add_inspection(c->record, out, c->err));
    INTRA_TRY(intra_record_add_video(*out, video, c->err));
    if (json_object_set_new(c->inspections, video ? video : "", json_integer(c->record->n_inspections - 1)) != 0)
        status = INTRA_FAIL(c->err, INTRA_E_MEM, "no memory for %ld videos", (long)c->record->n_inspections);
done:
    return status;
}

/* Lengths of runs of 0 and 1 in turn, as numbers or as COCO packs them (5 bits a character, differences to the one
 * before the last). */
static bool next_run(const json_t *counts, const char **packed, size_t *at, long history[2], long *out)
{
    if (json_is_array(counts)) {
        double value = intra_json_number_of(json_array_get(counts, *at));
        if (*at >= json_array_size(counts) || !(value >= 0 && value <= INTRA_DETECTION_MAX_PIXELS)) return false;
        *out = (long)value;
    } else {
        long value = 0;
        int shift = 0, c;
        if (!**packed) return false;
        do {
            c = **packed - 48;
            if (c < 0 || c > 63 || shift > 30) return false;
            value |= (long)(c & 0x1f) << shift;
            ++*packed;
            shift += 5;
            if (!(c & 0x20) && (c & 0x10)) value -= 1L << shift;
        } while (c & 0x20);
        if (*at > 2) value += history[*at % 2];
        if (value < 0 || value > INTRA_DETECTION_MAX_PIXELS) return false;
        history[*at % 2] = value;
        *out = value;
    }
    ++*at;
    return true;
}

/* Run lengths down the columns. */
static enum intra_status read_mask(struct coco *c, const json_t *rle, struct intra_frame_region *region,
                                   const char *where)
{
    enum intra_status status = INTRA_OK;
    const json_t *size = json_object_get(rle, "size"), *counts = json_object_get(rle, "counts");
    double height = intra_json_number_of(json_array_get(size, 0)),
           width = intra_json_number_of(json_array_get(size, 1));
    const char *packed = json_is_string(counts) ? json_string_value(counts) : "";
    uint8_t *mask = NULL;
    size_t run = 0;
    long at = 0, length, history[2] = {0, 0};
    if (!(height >= 1 && width >= 1 && height * width <= INTRA_DETECTION_MAX_PIXELS)) {
        intra_record_kept(c->record, "%s: a mask without a size", where);
        return INTRA_OK;
    }
    const int h = (int)height, w = (int)width;
    INTRA_TRY(INTRA_ALLOC(mask, (size_t)h * (size_t)w, c->err));
    for (bool is_set = false; next_run(counts, &packed, &run, history, &length); is_set = !is_set) {
        if (length > (long)h * w - at) break;
        for (long k = at; is_set && k < at + length; k++)
            mask[k % h * w + k / h] = 1;
        at += length;
    }
    if (at != (long)h * w)
        intra_record_kept(c->record, "%s: the runs of a mask do not fill it", where);
    else
        INTRA_TRY(intra_detection_mask(region, mask, w, h, 0, 0, c->err));
done:
    intra_free(mask);
    return status;
}

static double area_of(const double (*p)[2], int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += p[i][0] * p[(i + 1) % n][1] - p[(i + 1) % n][0] * p[i][1];
    return fabs(sum) / 2;
}

/* The largest of an object's polygons. */
static enum intra_status read_polygons(struct coco *c, const json_t *list, struct intra_frame_region *region,
                                       const char *where)
{
    enum intra_status status = INTRA_OK;
    double best = -1;
    double(*points)[2] = NULL;
    size_t i;
    json_t *polygon;
    if (json_array_size(list) > 1) intra_record_kept(c->record, "%s: several polygons, the largest is used", where);
    json_array_foreach(list, i, polygon)
    {
        size_t n = json_array_size(polygon) / 2;
        double area;
        if (n < 3 || n > 1000000) continue;
        INTRA_TRY(INTRA_ALLOC(points, n, c->err));
        for (size_t k = 0; k < 2 * n; k++)
            points[k / 2][k % 2] = intra_json_number_of(json_array_get(polygon, k));
        area = area_of((const double(*)[2])points, (int)n);
        if (area > best) {
            best = area;
            INTRA_TRY(intra_detection_outline(region, (const double(*)[2])points, (int)n, -0.5, c->err));
        }
        intra_free(points);
        points = NULL;
    }
done:
    intra_free(points);
    return status;
}

static enum intra_status read_annotation(struct coco *c, json_t *item, size_t number)
{
    enum intra_status status = INTRA_OK;
    char scratch[64], where[48];
    struct intra_inspection *in;
    struct intra_observation *o;
    struct intra_frame_region *region;
    json_t *box = json_object_get(item, "bbox"), *shape = json_object_get(item, "segmentation");
    snprintf(where, sizeof where, "annotation %zu", number + 1);
    const char *id = intra_record_json_text(item, "image_id", scratch);
    const json_t *image = id ? json_object_get(c->images, id) : NULL;
    if (!json_is_object(item) || !id || (json_object_size(c->images) > 0 && !image)) {
        intra_record_refused(c->record, "%s: no picture that it belongs to", where);
        return INTRA_OK;
    }
    char video[64], category_id[64], name_scratch[64];
    INTRA_TRY(inspection_of(c, intra_record_json_text(image ? image : item, "video_id", video), &in));
    const char *category = intra_record_json_text(item, "category_id", category_id);
    const char *label =
        category ? intra_record_json_text(json_object_get(c->categories, category), "name", name_scratch) : NULL;
    if (!label && category) {
        intra_record_kept(c->record, "%s: category %.20s has no name", where, category);
        label = category;
    }
    INTRA_TRY(intra_detection_add(in, label, &o, c->err));
    INTRA_TRY(intra_json_fields(item, &o->source, c->err));
    INTRA_TRY(intra_text_set(&o->id, intra_record_json_text(item, "id", scratch), c->err));
    INTRA_TRY(intra_observation_add_region(o, &region, c->err));
    o->score = region->score = intra_record_json_number(item, "score");
    INTRA_TRY(
        intra_text_set(&region->picture, image ? intra_record_json_text(image, "file_name", scratch) : NULL, c->err));
    double frame = intra_record_json_number(image ? image : item, "frame_id"),
           width = intra_record_json_number(image, "width"), height = intra_record_json_number(image, "height");
    region->frame = frame >= 0 && frame < 1e12 ? (int64_t)frame : intra_detection_frame(region->picture);
    if (width >= 1 && width < 1e6) region->width_px = (int)width;
    if (height >= 1 && height < 1e6) region->height_px = (int)height;
    o->frame = region->frame;
    if (json_is_array(shape))
        INTRA_TRY(read_polygons(c, shape, region, where));
    else if (json_is_object(shape))
        INTRA_TRY(read_mask(c, shape, region, where));
    if (!region->outline && json_array_size(box) == 4) {
        double v[4];
        for (size_t k = 0; k < 4; k++)
            v[k] = intra_json_number_of(json_array_get(box, k));
        if (isfinite(v[0] + v[1] + v[2] + v[3]))
            INTRA_TRY(intra_detection_box(region, v[0], v[1], v[0] + v[2], v[1] + v[3], -0.5, c->err));
        else
            intra_record_kept(c->record, "%s: a box that is no four numbers", where);
    }
done:
    return status;
}

enum intra_status intra_record_read_coco(const char *path, struct intra_record *record, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct coco c = {record, json_object(), json_object(), json_object(), err};
    json_t *root = NULL, *item;
    size_t i;
    if (!c.images || !c.categories || !c.inspections) {
        status = INTRA_FAIL(err, INTRA_E_MEM, "no memory to read %s", path);
        goto done;
    }
    INTRA_TRY(intra_json_read(path, &root, err));
    INTRA_TRY(index_by_id(json_object_get(root, "images"), c.images, err));
    INTRA_TRY(index_by_id(json_object_get(root, "categories"), c.categories, err));
    json_array_foreach(json_is_array(root) ? root : json_object_get(root, "annotations"), i, item)
        INTRA_TRY(read_annotation(&c, item, i));
done:
    json_decref(c.images);
    json_decref(c.categories);
    json_decref(c.inspections);
    json_decref(root);
    return status;
}
