/* Two records compared field by field, all of core/inspection.h: the yardstick of what is lost. The first difference
 * ends the test with its place. `path` and the capacities are left out. */
#ifndef INTRA_TESTS_RECORD_SAME_H
#define INTRA_TESTS_RECORD_SAME_H

#include "core/inspection.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SAME(condition, what)                                                                                          \
    do {                                                                                                               \
        if (!(condition)) fail_msg("%s: %s differs", where, what);                                                     \
    } while (0)

static inline void same_string(const char *where, const char *what, const char *a, const char *b)
{
    if ((a == NULL) != (b == NULL) || (a && strcmp(a, b) != 0))
        fail_msg("%s: %s: '%.200s' became '%.200s'", where, what, a ? a : "(none)", b ? b : "(none)");
}

/* Clock angles go through hours: a part in 10^15 may be lost. */
static inline void same_value(const char *where, const char *what, double a, double b)
{
    if (isnan(a) && isnan(b)) return;
    if (!(fabs(a - b) <= 4e-15 * fmax(1, fabs(a)))) fail_msg("%s: %s: %.17g became %.17g", where, what, a, b);
}

static inline void same_fields(const char *where, const char *what, const struct intra_fields *a,
                               const struct intra_fields *b)
{
    if (a->n != b->n) fail_msg("%s: %s: %d fields became %d", where, what, a->n, b->n);
    for (int i = 0; i < a->n; i++) {
        same_string(where, what, a->items[i].name, b->items[i].name);
        same_string(where, a->items[i].name, a->items[i].value, b->items[i].value);
    }
}

static inline void same_media(const char *where, const struct intra_media *a, int n, const struct intra_media *b, int m)
{
    SAME(n == m, "number of media");
    for (int i = 0; i < n; i++) {
        SAME(a[i].kind == b[i].kind, "kind of media");
        same_string(where, "file", a[i].file, b[i].file);
        same_fields(where, "source of media", &a[i].source, &b[i].source);
    }
}

static inline void same_grades(const char *where, const struct intra_grade *a, int n, const struct intra_grade *b,
                               int m)
{
    SAME(n == m, "number of grades");
    for (int i = 0; i < n; i++) {
        SAME(a[i].scale == b[i].scale && a[i].aspect == b[i].aspect && a[i].is_computed == b[i].is_computed, "grade");
        same_value(where, "value of a grade", a[i].value, b[i].value);
    }
}

static inline void same_outline(const char *where, double (*a)[2], int n, double (*b)[2], int m)
{
    SAME(n == m, "corners of an outline");
    for (int i = 0; i < n; i++) {
        same_value(where, "corner", a[i][0], b[i][0]);
        same_value(where, "corner", a[i][1], b[i][1]);
    }
}

static inline void same_point(const char *where, const char *what, struct intra_vec3 a, struct intra_vec3 b)
{
    same_value(where, what, a.x, b.x);
    same_value(where, what, a.y, b.y);
    same_value(where, what, a.z, b.z);
}

/* All members are doubles but is_width_limit and n_views. */
static inline void same_extent(const char *where, const struct intra_extent *a, const struct intra_extent *b)
{
    const size_t numbers[] = {
        offsetof(struct intra_extent, length_m),         offsetof(struct intra_extent, length_sd_m),
        offsetof(struct intra_extent, length_along_m),   offsetof(struct intra_extent, length_along_sd_m),
        offsetof(struct intra_extent, width_m),          offsetof(struct intra_extent, width_sd_m),
        offsetof(struct intra_extent, area_m2),          offsetof(struct intra_extent, area_sd_m2),
        offsetof(struct intra_extent, ring_share_pct),   offsetof(struct intra_extent, ring_share_sd_pct),
        offsetof(struct intra_extent, depth_m),          offsetof(struct intra_extent, depth_sd_m),
        offsetof(struct intra_extent, section_loss_pct), offsetof(struct intra_extent, section_loss_sd_pct),
        offsetof(struct intra_extent, volume_m3),        offsetof(struct intra_extent, volume_sd_m3),
        offsetof(struct intra_extent, diameter_m),       offsetof(struct intra_extent, diameter_sd_m),
        offsetof(struct intra_extent, opening_m),        offsetof(struct intra_extent, opening_sd_m),
        offsetof(struct intra_extent, resolution_m)};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        char what[32];
        snprintf(what, sizeof what, "measure %zu", i);
        same_value(where, what, *(const double *)(const void *)((const char *)a + numbers[i]),
                   *(const double *)(const void *)((const char *)b + numbers[i]));
    }
    SAME(a->is_width_limit == b->is_width_limit && a->n_views == b->n_views, "limit or views");
}

static inline void same_wall_region(const char *where, const struct intra_wall_region *a,
                                    const struct intra_wall_region *b)
{
    const double v[6] = {a->station_from_m, a->station_to_m, a->station_sd_m,
                         a->clock_from_rad, a->clock_to_rad, a->clock_sd_rad};
    const double u[6] = {b->station_from_m, b->station_to_m, b->station_sd_m,
                         b->clock_from_rad, b->clock_to_rad, b->clock_sd_rad};
    for (int i = 0; i < 6; i++)
        same_value(where, "place on the wall", v[i], u[i]);
}

static inline void same_observation(const char *where, const struct intra_observation *a,
                                    const struct intra_observation *b)
{
    same_string(where, "id", a->id, b->id);
    SAME(a->system == b->system, "system of codes");
    same_string(where, "code", a->code, b->code);
    for (int i = 0; i < 2; i++) {
        same_string(where, "characterisation", a->characterisation[i], b->characterisation[i]);
        same_value(where, "quantity", a->quantity[i], b->quantity[i]);
        same_string(where, "unit", a->quantity_unit[i], b->quantity_unit[i]);
    }
    same_value(where, "percent", a->percent, b->percent);
    same_value(where, "distance", a->distance_m, b->distance_m);
    same_value(where, "distance to", a->distance_to_m, b->distance_to_m);
    same_string(where, "continuous", a->continuous_id, b->continuous_id);
    same_fields(where, "finish row", &a->finish_source, &b->finish_source);
    same_value(where, "clock from", a->clock_from_rad, b->clock_from_rad);
    same_value(where, "clock to", a->clock_to_rad, b->clock_to_rad);
    SAME(a->is_at_joint == b->is_at_joint, "at joint");
    same_value(where, "time", a->time_s, b->time_s);
    SAME(a->frame == b->frame, "frame");
    same_string(where, "remark", a->remark, b->remark);
    same_string(where, "text", a->text, b->text);
    same_grades(where, a->grades, a->n_grades, b->grades, b->n_grades);
    same_media(where, a->media, a->n_media, b->media, b->n_media);
    SAME(a->n_regions == b->n_regions, "number of regions");
    for (int i = 0; i < a->n_regions; i++) {
        const struct intra_frame_region *p = &a->regions[i], *q = &b->regions[i];
        SAME(p->frame == q->frame && p->width_px == q->width_px && p->height_px == q->height_px, "frame of a region");
        same_value(where, "time of a region", p->time_s, q->time_s);
        same_string(where, "picture of a region", p->picture, q->picture);
        same_outline(where, p->outline, p->n_outline, q->outline, q->n_outline);
        same_value(where, "score of a region", p->score, q->score);
    }
    same_value(where, "score", a->score, b->score);
    same_string(where, "model", a->model, b->model);
    same_string(where, "review", a->review, b->review);
    same_fields(where, "row", &a->source, &b->source);
    SAME(a->place.is_placed == b->place.is_placed && a->place.is_refined == b->place.is_refined &&
             a->place.is_line == b->place.is_line && a->place.frame == b->place.frame,
         "place");
    same_wall_region(where, &a->place.recorded, &b->place.recorded);
    same_wall_region(where, &a->place.refined, &b->place.refined);
    same_outline(where, a->place.outline, a->place.n_outline, b->place.outline, b->place.n_outline);
    same_string(where, "reason", a->place.reason, b->place.reason);
    same_value(where, "time of the place", a->place.time_s, b->place.time_s);
    same_point(where, "point", a->place.x, b->place.x);
    same_point(where, "deviation of the point", a->place.x_sd, b->place.x_sd);
    same_extent(where, &a->extent, &b->extent);
}

static inline void same_inspection(const char *where, const struct intra_inspection *a,
                                   const struct intra_inspection *b)
{
    const struct {
        const char *what, *a, *b;
    } texts[] = {{"id", a->id, b->id},
                 {"pipe", a->pipe, b->pipe},
                 {"start node", a->node_start, b->node_start},
                 {"end node", a->node_end, b->node_end},
                 {"upper node", a->node_upstream, b->node_upstream},
                 {"lower node", a->node_downstream, b->node_downstream},
                 {"date", a->date, b->date},
                 {"time", a->time, b->time},
                 {"standard", a->standard, b->standard},
                 {"shape", a->shape, b->shape},
                 {"material", a->material, b->material},
                 {"purpose", a->purpose, b->purpose},
                 {"operator", a->operator_name, b->operator_name},
                 {"street", a->street, b->street},
                 {"town", a->town, b->town},
                 {"crs", a->crs, b->crs}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        same_string(where, texts[i].what, texts[i].a, texts[i].b);
    SAME(a->format == b->format, "format");
    SAME(a->direction == b->direction && a->is_reverse_setup == b->is_reverse_setup && a->is_imperial == b->is_imperial,
         "direction or units");
    same_value(where, "height", a->height_m, b->height_m);
    same_value(where, "width", a->width_m, b->width_m);
    same_value(where, "length", a->length_m, b->length_m);
    same_value(where, "inspected length", a->inspected_length_m, b->inspected_length_m);
    same_value(where, "spacing of joints", a->joint_spacing_m, b->joint_spacing_m);
    same_point(where, "start", a->start_xyz, b->start_xyz);
    same_point(where, "end", a->end_xyz, b->end_xyz);
    same_grades(where, a->grades, a->n_grades, b->grades, b->n_grades);
    same_fields(where, "header", &a->source, &b->source);
    same_media(where, a->media, a->n_media, b->media, b->n_media);
}

static inline void same_whole_record(const struct intra_record *a, const struct intra_record *b)
{
    const char *where = "record";
    SAME(a->format == b->format, "format");
    same_string(where, "version", a->version, b->version);
    SAME(a->n_inspections == b->n_inspections, "number of inspections");
    SAME(a->counts.read == b->counts.read && a->counts.kept == b->counts.kept && a->counts.refused == b->counts.refused,
         "counts");
    same_string(where, "first kept", a->counts.first_kept, b->counts.first_kept);
    same_string(where, "first refused", a->counts.first_refused, b->counts.first_refused);
    for (int64_t i = 0; i < a->n_inspections; i++) {
        const struct intra_inspection *p = &a->inspections[i], *q = &b->inspections[i];
        char at[64];
        snprintf(at, sizeof at, "inspection %lld", (long long)i + 1);
        same_inspection(at, p, q);
        where = at;
        SAME(p->n_observations == q->n_observations, "number of observations");
        for (int64_t k = 0; k < p->n_observations; k++) {
            snprintf(at, sizeof at, "inspection %lld, observation %lld", (long long)i + 1, (long long)k + 1);
            same_observation(at, &p->observations[k], &q->observations[k]);
        }
        where = "record";
    }
}

#endif
