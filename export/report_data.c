/* The data of the report page as JSON, written with jansson. Arrays that run with the pipe are columns, one array a
 * quantity, rounded to what the quantity is worth: 100 m of sections are some 700 kB that way. */
#include "export/report_data.h"

#include "core/mem.h"
#include "export/export.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PATH_POINTS = 4000 };

/* Rounded to `step`; not finite: null. */
static json_t *number(double value, double step)
{
    return isfinite(value) ? json_real(round(value / step) * step) : json_null();
}

/* Length of the UTF-8 sequence at `s`, 0 where there is none. */
static int sequence_length(const unsigned char *s)
{
    int n = s[0] < 0x80                   ? 1
            : s[0] >= 0xC2 && s[0] < 0xE0 ? 2
            : s[0] >= 0xE0 && s[0] < 0xF0 ? 3
            : s[0] >= 0xF0 && s[0] < 0xF5 ? 4
                                          : 0;
    for (int i = 1; i < n; i++)
        if ((s[i] & 0xC0) != 0x80) return 0;
    if (n == 3 && ((s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xED && s[1] > 0x9F))) return 0;
    if (n == 4 && ((s[0] == 0xF0 && s[1] < 0x90) || (s[0] == 0xF4 && s[1] > 0x8F))) return 0;
    return n;
}

/* Text from a record may be in any encoding; what is no UTF-8 becomes '?'. NULL: null. */
static json_t *text(const char *from)
{
    char *copy;
    json_t *out;
    if (!from) return json_null();
    if ((out = json_string(from))) return out;
    if (!(copy = intra_strdup(from))) return NULL;
    for (char *s = copy; *s;) {
        int n = sequence_length((const unsigned char *)s);
        if (n == 0) *s = '?', n = 1;
        s += n;
    }
    out = json_string(copy);
    intra_free(copy);
    return out;
}

static void set_number(json_t *object, const char *key, double value, double step)
{
    json_object_set_new(object, key, number(value, step));
}

static void set_text(json_t *object, const char *key, const char *value)
{
    json_object_set_new(object, key, text(value));
}

static bool is_inside(const struct intra_report_pyramid *p, double from, double to)
{
    return to >= p->station_from_m - 1e-6 && from <= p->station_to_m + 1e-6;
}

/* ---- the pipe ---- */

static json_t *sections_json(const struct intra_scene *scene, const struct intra_report_pyramid *p)
{
    static const char *const names[] = {"station",
                                        "seen",
                                        "x",
                                        "y",
                                        "z",
                                        "diameter_min",
                                        "diameter_max",
                                        "diameter_mean",
                                        "perimeter",
                                        "diameter_min_sd",
                                        "diameter_max_sd",
                                        "diameter_mean_sd",
                                        "perimeter_sd",
                                        "ovality",
                                        "ovality_max",
                                        "ovality_sd",
                                        "ovality_max_sd",
                                        "min_clock",
                                        "water",
                                        "water_sd",
                                        "heading",
                                        "heading_sd",
                                        "grade",
                                        "grade_sd"};
    enum { N = sizeof names / sizeof names[0] };
    json_t *out = json_object(), *columns[N], *frame = json_array(), *shape = json_array();
    for (int k = 0; k < N; k++)
        json_object_set_new(out, names[k], columns[k] = json_array());
    json_object_set_new(out, "frame", frame);
    json_object_set_new(out, "shape", shape);
    for (int64_t i = 0; i < scene->n_sections; i++) {
        const struct intra_section *s = &scene->sections[i];
        double margin = 2 * scene->section_step_m;
        const double values[N] = {
            s->station_m,         s->is_seen ? 1 : 0,    s->centre.x,        s->centre.y,        s->centre.z,
            s->diameter_min_m,    s->diameter_max_m,     s->diameter_mean_m, s->perimeter_m,     s->diameter_min_sd_m,
            s->diameter_max_sd_m, s->diameter_mean_sd_m, s->perimeter_sd_m,  s->ovality_pct,     s->ovality_max_pct,
            s->ovality_sd_pct,    s->ovality_max_sd_pct, s->min_clock_rad,   s->water_level_pct, s->water_level_sd_pct,
            s->heading_rad,       s->heading_sd_rad,     s->grade_pct,       s->grade_sd_pct};
        const double steps[N] = {1e-4, 1,    1e-5, 1e-5, 1e-5, 1e-5, 1e-5, 1e-5, 1e-5, 1e-6, 1e-6, 1e-6,
                                 1e-6, 1e-2, 1e-2, 1e-2, 1e-2, 1e-2, 1e-2, 1e-2, 1e-5, 1e-5, 1e-3, 1e-3};
        if (!is_inside(p, s->station_m - margin, s->station_m + margin)) continue;
        for (int k = 0; k < N; k++)
            json_array_append_new(columns[k], number(values[k], steps[k]));
        for (int col = 0; col < 3; col++)
            for (int row = 0; row < 3; row++)
                json_array_append_new(frame, number(s->world_from_sec.m[row][col], 1e-6));
        for (int k = 0; k <= INTRA_SECTION_HARMONICS; k++) {
            json_array_append_new(shape, number(s->a[k], 1e-6));
            json_array_append_new(shape, number(s->b[k], 1e-6));
        }
    }
    set_number(out, "step", scene->section_step_m, 1e-6);
    return out;
}

static json_t *path_json(const struct intra_scene *scene, const struct intra_report_pyramid *p)
{
    static const char *const names[] = {"t",  "station", "station_sd", "x",  "y",  "z",      "fx",
                                        "fy", "fz",      "ux",         "uy", "uz", "segment"};
    enum { N = sizeof names / sizeof names[0] };
    json_t *out = json_object(), *columns[N];
    int64_t every = scene->n_frames / MAX_PATH_POINTS + 1;
    for (int k = 0; k < N; k++)
        json_object_set_new(out, names[k], columns[k] = json_array());
    for (int64_t i = 0; i < scene->n_frames; i += every) {
        const struct intra_frame_record *f = &scene->frames[i];
        const struct intra_mat3 *r = &f->world_from_cam.r;
        if (!f->is_posed || !is_inside(p, f->station_m - 1, f->station_m + 1)) continue;
        const double values[N] = {f->pts_s,
                                  f->station_m,
                                  f->station_sd_m,
                                  f->world_from_cam.t.x,
                                  f->world_from_cam.t.y,
                                  f->world_from_cam.t.z,
                                  r->m[0][2],
                                  r->m[1][2],
                                  r->m[2][2],
                                  -r->m[0][1],
                                  -r->m[1][1],
                                  -r->m[2][1],
                                  f->segment};
        const double steps[N] = {1e-3, 1e-4, 1e-5, 1e-4, 1e-4, 1e-4, 1e-4, 1e-4, 1e-4, 1e-4, 1e-4, 1e-4, 1};
        for (int k = 0; k < N; k++)
            json_array_append_new(columns[k], number(values[k], steps[k]));
    }
    return out;
}

static json_t *gaps_json(const struct intra_scene *scene, const struct intra_report_pyramid *p)
{
    json_t *out = json_array();
    for (int64_t i = 0; i < scene->n_gaps; i++) {
        const struct intra_gap *g = &scene->gaps[i];
        json_t *one;
        if (!is_inside(p, g->station_from_m, isfinite(g->station_to_m) ? g->station_to_m : g->station_from_m)) continue;
        json_array_append_new(out, one = json_object());
        set_number(one, "station_from", g->station_from_m, 1e-4);
        set_number(one, "station_to", g->station_to_m, 1e-4);
        set_number(one, "time_from", g->time_from_s, 1e-3);
        set_number(one, "time_to", g->time_to_s, 1e-3);
        set_text(one, "reason", g->reason);
    }
    return out;
}

static json_t *pyramid_json(const struct intra_scene *scene, const struct intra_report_pyramid *p)
{
    json_t *out = json_object();
    set_number(out, "station_from", p->station_from_m, 1e-6);
    set_number(out, "station_to", p->station_to_m, 1e-6);
    set_number(out, "texel", p->texel_m, 1e-12); /* a page of the same pictures is made from it */
    set_number(out, "row", p->row_m, 1e-9);
    set_number(out, "perimeter", scene->wall.perimeter_m, 1e-6);
    set_number(out, "cut", scene->wall.cut_rad, 1e-6);
    set_number(out, "measured_texel", scene->wall.texel_m, 1e-9);
    json_object_set_new(out, "cols", json_integer(p->cols));
    json_object_set_new(out, "rows", json_integer(p->rows));
    json_object_set_new(out, "tile", json_integer(p->tile_px));
    json_object_set_new(out, "levels", json_integer(p->n_levels));
    return out;
}

static json_t *grid_json(const struct intra_report_grid *grid)
{
    json_t *out = json_object();
    json_object_set_new(out, "cols", json_integer(grid->cols));
    json_object_set_new(out, "rows", json_integer(grid->rows));
    set_number(out, "step", grid->step_m, 1e-9);
    set_number(out, "unit", grid->unit_m, 1e-9);
    return out;
}

static json_t *pipe_json(const struct intra_scene *scene)
{
    json_t *out = json_object();
    set_number(out, "nominal_diameter", scene->nominal_diameter_m, 1e-6);
    json_object_set_new(out, "is_diameter_assumed", json_boolean(scene->is_diameter_assumed));
    json_object_set_new(out, "is_lens_assumed", json_boolean(scene->camera.is_assumed));
    set_number(out, "start_station", scene->start_station_m, 1e-4);
    set_number(out, "length", scene->length_m, 1e-4);
    set_number(out, "length_sd", scene->length_sd_m, 1e-5);
    set_number(out, "station_walk", INTRA_STATION_WALK * scene->nominal_diameter_m / 2, 1e-9);
    json_object_set_new(out, "frames", json_integer(scene->n_frames));
    return out;
}

static json_t *source_json(const struct intra_report_source *source)
{
    json_t *out = json_object(), *warnings = json_array(), *options;
    const char *slash;
    json_object_set_new(out, "warnings", warnings);
    if (!source) return out;
    slash = source->video ? strrchr(source->video, '/') : NULL;
    set_text(out, "video", slash ? slash + 1 : source->video);
    set_text(out, "video_path", source->video);
    set_text(out, "video_link", source->video_link);
    set_text(out, "sha256", source->sha256);
    set_text(out, "started", source->started_utc);
    set_text(out, "program_version", source->program_version);
    json_object_set_new(out, "is_incomplete", json_boolean(source->is_incomplete));
    options = source->options_json ? json_loads(source->options_json, 0, NULL) : NULL;
    json_object_set_new(out, "options", options ? options : json_null());
    for (int i = 0; i < source->n_warnings; i++)
        json_array_append_new(warnings, text(source->warnings[i]));
    return out;
}

/* ---- observations ---- */

/* The posed frame whose camera stood nearest to `station`, within `reach`; NULL: none. */
static const struct intra_frame_record *frame_at(const struct intra_scene *scene, double station, double reach)
{
    const struct intra_frame_record *best = NULL;
    for (int64_t i = 0; i < scene->n_frames; i++) {
        const struct intra_frame_record *f = &scene->frames[i];
        if (!f->is_posed || !(fabs(f->station_m - station) <= reach)) continue;
        reach = fabs(f->station_m - station);
        best = f;
    }
    return best;
}

/* Sets value and deviation where the value is known. */
static void set_measure(json_t *measures, const char *name, double value, double sd, double step)
{
    char sd_name[40];
    if (!isfinite(value)) return;
    snprintf(sd_name, sizeof sd_name, "%s_sd", name);
    set_number(measures, name, value, step);
    set_number(measures, sd_name, sd, step / 10);
}

static json_t *feature_measures(const struct intra_feature *f)
{
    json_t *out = json_object();
    set_measure(out, "gap", f->gap_m, f->gap_sd_m, 1e-5);
    set_measure(out, "offset", f->offset_m, f->offset_sd_m, 1e-5);
    if (isfinite(f->offset_m)) set_number(out, "offset_clock", f->offset_clock_rad, 1e-3);
    set_measure(out, "deflection", f->deflection_rad, f->deflection_sd_rad, 1e-5);
    set_measure(out, "diameter", f->diameter_m, f->diameter_sd_m, 1e-5);
    set_measure(out, "intrusion", f->intrusion_m, f->intrusion_sd_m, 1e-5);
    set_measure(out, "angle", f->angle_rad, f->angle_sd_rad, 1e-5);
    set_measure(out, "radius", f->radius_m, f->radius_sd_m, 1e-3);
    set_measure(out, "level", f->level_pct, f->level_sd_pct, 1e-2);
    return out;
}

/* The mouth of a lateral as a circle on the unrolled wall; null where its diameter or clock position is not known. */
static json_t *mouth_json(const struct intra_scene *scene, const struct intra_feature *f)
{
    enum { POINTS = 32 };
    json_t *out;
    if (f->kind != INTRA_FEATURE_LATERAL || !isfinite(f->diameter_m) || !isfinite(f->clock_rad)) return json_null();
    out = json_array();
    for (int i = 0; i < POINTS; i++) {
        double turn = 2 * M_PI * i / POINTS, radius = f->diameter_m / 2;
        json_t *point = json_array();
        json_array_append_new(point, number(f->station_m + radius * cos(turn), 1e-4));
        json_array_append_new(point, number(f->clock_rad + radius * sin(turn) / (scene->nominal_diameter_m / 2), 1e-4));
        json_array_append_new(out, point);
    }
    return out;
}

/* What the program found by itself. `ordinal` counts its kind from 1, as in observations.csv. */
static json_t *feature_json(const struct intra_scene *scene, const struct intra_feature *f, int64_t ordinal)
{
    json_t *out = json_object();
    const struct intra_frame_record *frame =
        frame_at(scene, f->station_m - scene->nominal_diameter_m, scene->nominal_diameter_m);
    bool is_lateral = f->kind == INTRA_FEATURE_LATERAL;
    char id[48];
    snprintf(id, sizeof id, "%s-%lld", intra_feature_kind_name(f->kind), (long long)ordinal);
    set_text(out, "id", id);
    set_text(out, "kind", intra_feature_kind_name(f->kind));
    set_text(out, "source", "found");
    set_text(out, "code", intra_feature_code(f)[0] ? intra_feature_code(f) : NULL);
    set_number(out, "station_from", f->station_m, 1e-4);
    set_number(out, "station_to", isfinite(f->station_to_m) ? f->station_to_m : f->station_m, 1e-4);
    set_number(out, "station_sd", f->station_sd_m, 1e-5);
    if (is_lateral) {
        set_number(out, "clock_from", f->clock_rad, 1e-4);
        set_number(out, "clock_to", f->clock_rad, 1e-4);
        set_number(out, "clock_sd", f->clock_sd_rad, 1e-4);
    }
    json_object_set_new(out, "outline", mouth_json(scene, f));
    set_number(out, "confidence", f->confidence, 1e-3);
    json_object_set_new(out, "is_placed", json_true());
    json_object_set_new(out, "is_ring", json_boolean(!is_lateral));
    json_object_set_new(out, "frame", frame ? json_integer(frame->index) : json_null());
    set_number(out, "time", frame ? frame->pts_s : NAN, 1e-3);
    json_object_set_new(out, "measures", feature_measures(f));
    return out;
}

static json_t *measures_json(const struct intra_extent *e)
{
    const struct {
        const char *name, *sd_name;
        double value, sd, step;
    } all[] = {
        {"length", "length_sd", e->length_m, e->length_sd_m, 1e-5},
        {"length_along", "length_along_sd", e->length_along_m, e->length_along_sd_m, 1e-5},
        {"width", "width_sd", e->width_m, e->width_sd_m, 1e-5},
        {"area", "area_sd", e->area_m2, e->area_sd_m2, 1e-8},
        {"ring_share", "ring_share_sd", e->ring_share_pct, e->ring_share_sd_pct, 1e-2},
        {"depth", "depth_sd", e->depth_m, e->depth_sd_m, 1e-5},
        {"section_loss", "section_loss_sd", e->section_loss_pct, e->section_loss_sd_pct, 1e-2},
        {"volume", "volume_sd", e->volume_m3, e->volume_sd_m3, 1e-7},
        {"diameter", "diameter_sd", e->diameter_m, e->diameter_sd_m, 1e-5},
        {"opening", "opening_sd", e->opening_m, e->opening_sd_m, 1e-5},
    };
    json_t *out = json_object();
    for (size_t k = 0; k < sizeof all / sizeof all[0]; k++) {
        if (!isfinite(all[k].value)) continue;
        set_number(out, all[k].name, all[k].value, all[k].step);
        set_number(out, all[k].sd_name, all[k].sd, all[k].step / 10);
    }
    if (e->is_width_limit) json_object_set_new(out, "is_width_limit", json_true());
    return out;
}

/* The grade to colour by: the worst whose scale has a direction. */
static json_t *grades_json(const struct intra_grade *grades, int n, int *out_worst)
{
    json_t *out = json_array();
    double worst = -1;
    *out_worst = -1;
    for (int i = 0; i < n; i++) {
        double severity = intra_grade_severity(grades[i].scale, grades[i].value);
        json_t *one = json_object();
        set_text(one, "scale", intra_grade_scale_name(grades[i].scale));
        set_text(one, "aspect", intra_grade_aspect_name(grades[i].aspect));
        set_number(one, "value", grades[i].value, 1e-3);
        set_number(one, "severity", severity, 1e-4);
        json_object_set_new(one, "is_computed", json_boolean(grades[i].is_computed));
        json_array_append_new(out, one);
        if (severity > worst || *out_worst < 0) {
            worst = isfinite(severity) ? severity : worst;
            *out_worst = i;
        }
    }
    return out;
}

static json_t *outline_json(const struct intra_place *place)
{
    json_t *out = json_array();
    if (!place->outline || place->n_outline < 2) {
        json_decref(out);
        return json_null();
    }
    for (int i = 0; i < place->n_outline; i++) {
        json_t *point = json_array();
        json_array_append_new(point, number(place->outline[i][0], 1e-4));
        json_array_append_new(point, number(place->outline[i][1], 1e-4));
        json_array_append_new(out, point);
    }
    return out;
}

/* `index` counts observations, `inspection` inspections, both from 0. */
static json_t *recorded_json(const struct intra_observation *o, const char *standard, int64_t index, int64_t inspection)
{
    json_t *out = json_object(), *grades;
    const struct intra_place *place = &o->place;
    const struct intra_wall_region *region = intra_place_region(place);
    char id[32];
    int worst;
    snprintf(id, sizeof id, "record-%lld", (long long)index + 1);
    set_text(out, "id", id);
    set_text(out, "record_id", o->id);
    json_object_set_new(out, "inspection", json_integer(inspection));
    set_text(out, "kind", "recorded");
    set_text(out, "source", o->model ? o->model : standard ? standard : "record");
    set_text(out, "system", intra_code_system_name(o->system));
    set_text(out, "code", o->code);
    set_text(out, "characterisation_1", o->characterisation[0]);
    set_text(out, "characterisation_2", o->characterisation[1]);
    set_text(out, "text", o->text);
    set_text(out, "remark", o->remark);
    set_text(out, "review", o->review);
    set_number(out, "distance", o->distance_m, 1e-3);
    set_number(out, "distance_to", o->distance_to_m, 1e-3);
    json_object_set_new(out, "is_placed", json_boolean(place->is_placed));
    json_object_set_new(out, "is_refined", json_boolean(place->is_placed && place->is_refined));
    set_text(out, "reason", place->reason[0] ? place->reason : NULL);
    if (place->is_placed) {
        bool is_whole = region->clock_to_rad - region->clock_from_rad > 6.28;
        set_number(out, "station_from", region->station_from_m, 1e-4);
        set_number(out, "station_to", region->station_to_m, 1e-4);
        set_number(out, "station_sd", region->station_sd_m, 1e-5);
        set_number(out, "clock_from", region->clock_from_rad, 1e-4);
        set_number(out, "clock_to", region->clock_to_rad, 1e-4);
        set_number(out, "clock_sd", region->clock_sd_rad, 1e-4);
        json_object_set_new(out, "is_ring", json_boolean(is_whole || !isfinite(region->clock_from_rad)));
        json_object_set_new(out, "outline", outline_json(place));
        json_object_set_new(out, "is_line", json_boolean(place->is_line));
    } else {
        set_number(out, "clock_from", o->clock_from_rad, 1e-4);
        set_number(out, "clock_to", o->clock_to_rad, 1e-4);
    }
    grades = grades_json(o->grades, o->n_grades, &worst);
    json_object_set(out, "grade", worst >= 0 ? json_array_get(grades, (size_t)worst) : json_null());
    json_object_set_new(out, "grades", grades);
    json_object_set_new(out, "measures", measures_json(&o->extent));
    set_number(out, "resolution", o->extent.resolution_m, 1e-6);
    set_number(out, "confidence", o->score, 1e-3);
    json_object_set_new(out, "frame",
                        place->frame >= 0 && place->is_placed ? json_integer(place->frame)
                        : o->frame >= 0                       ? json_integer(o->frame)
                                                              : json_null());
    set_number(out, "time", place->is_placed && isfinite(place->time_s) ? place->time_s : o->time_s, 1e-3);
    return out;
}

static json_t *inspection_json(const struct intra_inspection *in)
{
    json_t *out = json_object();
    const struct {
        const char *name, *value;
    } texts[] = {{"id", in->id},
                 {"pipe", in->pipe},
                 {"node_start", in->node_start},
                 {"node_end", in->node_end},
                 {"date", in->date},
                 {"time", in->time},
                 {"standard", in->standard},
                 {"shape", in->shape},
                 {"material", in->material},
                 {"purpose", in->purpose},
                 {"operator", in->operator_name},
                 {"street", in->street},
                 {"town", in->town}};
    int worst;
    for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++)
        if (texts[k].value && texts[k].value[0]) set_text(out, texts[k].name, texts[k].value);
    if (in->direction != INTRA_DIRECTION_UNKNOWN)
        set_text(out, "direction", in->direction == INTRA_DIRECTION_DOWNSTREAM ? "downstream" : "upstream");
    set_number(out, "height", in->height_m, 1e-4);
    set_number(out, "width", in->width_m, 1e-4);
    set_number(out, "length", in->length_m, 1e-3);
    set_number(out, "inspected_length", in->inspected_length_m, 1e-3);
    json_object_set_new(out, "is_imperial", json_boolean(in->is_imperial));
    json_object_set_new(out, "grades", grades_json(in->grades, in->n_grades, &worst));
    return out;
}

/* ---- all of it ---- */

/* '<' only stands inside strings of JSON, where \u003c means the same. */
static enum intra_status escape(const char *from, char **out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    size_t n = 0;
    char *to = NULL;
    for (const char *s = from; *s; s++)
        n += *s == '<' ? 6 : 1;
    INTRA_TRY(INTRA_ALLOC(to, n + 1, err));
    *out = to;
    for (const char *s = from; *s; s++) {
        if (*s == '<')
            memcpy(to, "\\u003c", 6), to += 6;
        else
            *to++ = *s;
    }
    *to = 0;
done:
    return status;
}

enum intra_status intra_report_json(const struct intra_scene *scene, const struct intra_report_options *options,
                                    const struct intra_report_pyramid *pyramid, const struct intra_report_grid *relief,
                                    const struct intra_report_grid *coverage, char **out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    json_t *root = json_object(), *observations = json_array(), *inspections = json_array();
    char *plain = NULL;
    int64_t n = 0, ordinals[INTRA_FEATURE_WATER + 1] = {0};
    set_text(root, "format", "intrados-report");
    json_object_set_new(root, "version", json_integer(1));
    json_object_set_new(root, "program", json_pack("{s:s,s:s}", "name", "Intrados", "version", INTRADOS_VERSION));
    json_object_set_new(root, "source", source_json(options->source));
    json_object_set_new(root, "pipe", pipe_json(scene));
    json_object_set_new(root, "sections", sections_json(scene, pyramid));
    json_object_set_new(root, "wall", pyramid_json(scene, pyramid));
    json_object_set_new(root, "relief", grid_json(relief));
    json_object_set_new(root, "coverage", grid_json(coverage));
    json_object_set_new(root, "path", path_json(scene, pyramid));
    json_object_set_new(root, "gaps", gaps_json(scene, pyramid));
    for (int64_t i = 0; i < options->n_inspections; i++) {
        const struct intra_inspection *in = &options->inspections[i];
        json_array_append_new(inspections, inspection_json(in));
        for (int64_t k = 0; k < in->n_observations; k++)
            json_array_append_new(observations, recorded_json(&in->observations[k], in->standard, n++, i));
    }
    for (int64_t i = 0; i < scene->n_features; i++) {
        const struct intra_feature *f = &scene->features[i];
        int64_t ordinal = ++ordinals[f->kind];
        if (is_inside(pyramid, f->station_m, isfinite(f->station_to_m) ? f->station_to_m : f->station_m))
            json_array_append_new(observations, feature_json(scene, f, ordinal));
    }
    json_object_set_new(root, "inspections", inspections);
    json_object_set_new(root, "observations", observations);
    plain = json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(12));
    if (!plain) {
        status = INTRA_FAIL(err, INTRA_E_MEM, "out of memory for the data of the report");
        goto done;
    }
    INTRA_TRY(escape(plain, out, err));
done:
    free(plain); /* of jansson, so not core/mem's */
    json_decref(root);
    return status;
}
