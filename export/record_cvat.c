/* CVAT 1.1: pictures with shapes (an observation a shape), and video tracks (an observation a track, a region for each
 * frame that it is seen in). Between two keyframes a shape moves linearly, corner by corner where both have as many,
 * else it stays; a keyframe marked outside ends it there; after the last keyframe it stays to the end of the task where
 * the file says that. */
#include "core/mem.h"
#include "export/record_detections.h"
#include "export/record_letters.h"
#include "export/record_xml.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_REGIONS = 4000000, MAX_POINTS = 1000000 };

struct corners {
    double (*p)[2];
    int n;
};

static bool is_shape(const char *name)
{
    static const char *const names[] = {"box", "polygon", "polyline", "points", "mask"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i], name) == 0) return true;
    return false;
}

static double number(const struct intra_xml_node *e, const char *name)
{
    return intra_record_number(intra_xml_attribute(e, name));
}

/* "x,y;x,y" */
static enum intra_status parse_points(const char *text, struct corners *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    int n = 1;
    for (const char *c = text; *c; c++)
        n += *c == ';';
    if (n > MAX_POINTS) return INTRA_FAIL(err, INTRA_E_FORMAT, "an outline of %d corners", n);
    INTRA_TRY(INTRA_ALLOC(out->p, (size_t)n, err));
    for (const char *at = text; *at && out->n < n;) {
        char pair[2][64];
        int length = 0;
        if (sscanf(at, " %60[^,;] , %60[^,;]%n", pair[0], pair[1], &length) != 2) break;
        out->p[out->n][0] = intra_record_number(pair[0]);
        out->p[out->n][1] = intra_record_number(pair[1]);
        if (!isfinite(out->p[out->n][0] + out->p[out->n][1])) break;
        out->n++;
        at += length;
        if (*at != ';') break;
        at++;
    }
    if (out->n < n) out->n = 0; /* damaged: none of it */
done:
    return status;
}

static enum intra_status read_corners(const struct intra_xml_node *e, struct corners *out, struct intra_error *err)
{
    const char *points = intra_xml_attribute(e, "points");
    enum intra_status status = INTRA_OK;
    *out = (struct corners){NULL, 0};
    if (strcmp(intra_xml_name(e), "box") == 0) {
        double x0 = number(e, "xtl"), y0 = number(e, "ytl"), x1 = number(e, "xbr"), y1 = number(e, "ybr");
        if (!isfinite(x0 + y0 + x1 + y1)) return INTRA_OK;
        INTRA_TRY(INTRA_ALLOC(out->p, 4, err));
        const double corners[4][2] = {{x0, y0}, {x1, y0}, {x1, y1}, {x0, y1}};
        memcpy(out->p, corners, sizeof corners);
        out->n = 4;
    } else if (points) {
        status = parse_points(points, out, err);
    }
done:
    return status;
}

/* Runs of 0 and 1 along the rows of the box at left, top. */
static enum intra_status read_mask(struct intra_record *record, const struct intra_xml_node *e,
                                   struct intra_frame_region *region, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    double left = number(e, "left"), top = number(e, "top"), width = number(e, "width"), height = number(e, "height");
    const char *rle = intra_xml_attribute(e, "rle");
    uint8_t *mask = NULL;
    if (!rle || !isfinite(left + top) || !(width >= 1 && height >= 1 && width * height <= INTRA_DETECTION_MAX_PIXELS)) {
        intra_record_kept(record, "line %d: a mask without size or runs", intra_xml_line(e));
        return INTRA_OK;
    }
    const long n = (long)width * (long)height;
    long at = 0;
    INTRA_TRY(INTRA_ALLOC(mask, (size_t)n, err));
    for (bool is_set = false; *rle; is_set = !is_set) {
        char *end;
        long run = strtol(rle, &end, 10);
        if (end == rle || run < 0 || run > n - at) break;
        if (is_set) memset(mask + at, 1, (size_t)run);
        at += run;
        rle = end + strspn(end, ", ");
    }
    if (*rle)
        intra_record_kept(record, "line %d: the runs of a mask do not fit it", intra_xml_line(e));
    else
        INTRA_TRY(intra_detection_mask(region, mask, (int)width, (int)height, left, top, err));
done:
    intra_free(mask);
    return status;
}

static enum intra_status add_source(struct intra_observation *o, const struct intra_xml_node *e,
                                    struct intra_error *err)
{
    static const char *const names[] = {"id",  "label", "source", "frame", "keyframe", "outside", "occluded",
                                        "xtl", "ytl",   "xbr",    "ybr",   "points",   "z_order", "group_id"};
    enum intra_status status = INTRA_OK;
    for (size_t i = 0; i < sizeof names / sizeof names[0] && status == INTRA_OK; i++) {
        const char *value = intra_xml_attribute(e, names[i]);
        if (value) status = intra_fields_add(&o->source, names[i], value, err);
    }
    for (const struct intra_xml_node *a = intra_xml_child(e, "attribute"); a && status == INTRA_OK;
         a = intra_xml_next(a, "attribute")) {
        char name[128];
        const char *own = intra_xml_attribute(a, "name");
        snprintf(name, sizeof name, "attribute/%.100s", own ? own : "");
        status = intra_fields_add(&o->source, name, intra_xml_text(a), err);
    }
    return status;
}

static int pixels(double value)
{
    return value >= 1 && value < 1e6 ? (int)value : 0;
}

static enum intra_status read_picture(struct intra_record *record, struct intra_inspection *in,
                                      const struct intra_xml_node *image, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct corners corners = {NULL, 0};
    const char *name = intra_xml_attribute(image, "name");
    for (const struct intra_xml_node *e = intra_xml_child(image, NULL); e; e = intra_xml_next(e, NULL)) {
        struct intra_observation *o;
        struct intra_frame_region *region;
        if (!is_shape(intra_xml_name(e))) continue;
        INTRA_TRY(intra_detection_add(in, intra_xml_attribute(e, "label"), &o, err));
        INTRA_TRY(add_source(o, e, err));
        INTRA_TRY(intra_observation_add_region(o, &region, err));
        INTRA_TRY(intra_text_set(&region->picture, name, err));
        o->frame = region->frame = intra_detection_frame(name);
        region->width_px = pixels(number(image, "width"));
        region->height_px = pixels(number(image, "height"));
        if (strcmp(intra_xml_name(e), "mask") == 0) {
            INTRA_TRY(read_mask(record, e, region, err));
            continue;
        }
        INTRA_TRY(read_corners(e, &corners, err));
        if (corners.n == 0)
            intra_record_kept(record, "line %d: a shape without corners", intra_xml_line(e));
        else
            INTRA_TRY(intra_detection_outline(region, (const double(*)[2])corners.p, corners.n, -0.5, err));
        intra_free(corners.p);
        corners.p = NULL;
    }
done:
    intra_free(corners.p);
    return status;
}

struct track {
    struct intra_record *record;
    struct intra_observation *o;
    int width, height;
    int64_t *budget;
};

/* The frames [from, to) of a shape on its way from a (at from) to b (at b_frame). */
static enum intra_status add_frames(struct track *t, const struct corners *a, const struct corners *b, int64_t from,
                                    int64_t b_frame, int64_t to, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    double(*moved)[2] = NULL;
    INTRA_TRY(INTRA_ALLOC(moved, (size_t)(a->n ? a->n : 1), err));
    for (int64_t frame = from; frame < to; frame++) {
        struct intra_frame_region *region;
        double share = b && b->n == a->n && b_frame > from ? (double)(frame - from) / (double)(b_frame - from) : 0;
        *t->budget -= 1 + a->n / 4;
        if (*t->budget < 0) {
            status =
                INTRA_FAIL(err, INTRA_E_FORMAT, "tracks over more than %d frames in all; split the file", MAX_REGIONS);
            goto done;
        }
        for (int i = 0; i < a->n; i++)
            for (int k = 0; k < 2; k++)
                moved[i][k] = a->p[i][k] + (share > 0 ? share * (b->p[i][k] - a->p[i][k]) : 0);
        INTRA_TRY(intra_observation_add_region(t->o, &region, err));
        region->frame = frame;
        region->width_px = t->width;
        region->height_px = t->height;
        INTRA_TRY(intra_detection_outline(region, (const double(*)[2])moved, a->n, -0.5, err));
    }
done:
    intra_free(moved);
    return status;
}

static enum intra_status read_track(struct track *t, const struct intra_xml_node *track, int64_t stop,
                                    struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct corners last = {NULL, 0}, now = {NULL, 0};
    int64_t last_frame = -1;
    bool is_seen = false;
    for (const struct intra_xml_node *e = intra_xml_child(track, NULL); e; e = intra_xml_next(e, NULL)) {
        double at = is_shape(intra_xml_name(e)) ? number(e, "frame") : NAN;
        const char *outside = intra_xml_attribute(e, "outside");
        if (!is_shape(intra_xml_name(e))) continue;
        INTRA_TRY(read_corners(e, &now, err));
        if (!(at >= 0 && at < 1e9) || (int64_t)at <= last_frame || now.n == 0) {
            intra_record_kept(t->record, "line %d: a shape of a track without corners or out of order",
                              intra_xml_line(e));
            intra_free(now.p);
            now.p = NULL;
            continue;
        }
        if (is_seen) {
            bool is_end = outside && intra_record_bool(outside);
            INTRA_TRY(add_frames(t, &last, is_end ? NULL : &now, last_frame, (int64_t)at, (int64_t)at, err));
        }
        is_seen = !(outside && intra_record_bool(outside));
        last_frame = (int64_t)at;
        intra_free(last.p);
        last = now;
        now = (struct corners){NULL, 0};
    }
    if (is_seen)
        INTRA_TRY(add_frames(t, &last, NULL, last_frame, 0, stop > last_frame ? stop + 1 : last_frame + 1, err));
    if (t->o->n_regions > 0) t->o->frame = t->o->regions[0].frame;
done:
    intra_free(last.p);
    intra_free(now.p);
    return status;
}

enum intra_status intra_record_read_cvat(const char *path, struct intra_record *record, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_xml *xml = NULL;
    struct intra_inspection *in;
    int64_t budget = MAX_REGIONS;
    INTRA_TRY(intra_xml_read(path, &xml, err));
    const struct intra_xml_node *root = intra_xml_root(xml), *meta = intra_xml_child(root, "meta"),
                                *task = intra_xml_child(meta, "task");
    if (!task) task = intra_xml_child(meta, "job");
    if (!intra_xml_child(root, "image") && !intra_xml_child(root, "track")) goto done;
    INTRA_TRY(intra_text_set(&record->version, intra_xml_get(root, "version"), err));
    INTRA_TRY(intra_record_add_inspection(record, &in, err));
    if (task) INTRA_TRY(intra_xml_fields(task, "", "labels", NULL, &in->source, err));
    INTRA_TRY(intra_record_add_video(in, intra_xml_get(task, "source"), err));
    double stop = intra_record_number(intra_xml_get(task, "stop_frame"));
    struct track t = {.record = record,
                      .width = pixels(intra_record_number(intra_xml_get(task, "original_size/width"))),
                      .height = pixels(intra_record_number(intra_xml_get(task, "original_size/height"))),
                      .budget = &budget};
    for (const struct intra_xml_node *e = intra_xml_child(root, NULL); e; e = intra_xml_next(e, NULL)) {
        if (strcmp(intra_xml_name(e), "image") == 0) INTRA_TRY(read_picture(record, in, e, err));
        if (strcmp(intra_xml_name(e), "track") != 0) continue;
        INTRA_TRY(intra_detection_add(in, intra_xml_attribute(e, "label"), &t.o, err));
        INTRA_TRY(intra_text_set(&t.o->id, intra_xml_attribute(e, "id"), err));
        INTRA_TRY(add_source(t.o, e, err));
        INTRA_TRY(read_track(&t, e, stop >= 0 && stop < 1e9 ? (int64_t)stop : -1, err));
    }
done:
    intra_xml_destroy(&xml);
    return status;
}
