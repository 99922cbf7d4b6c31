/* Observations in a glTF document. One list of columns (fill_columns) serves the nodes' extras and the table of
 * EXT_structural_metadata, which is columnar: numbers as float32 with a value for "unknown", texts as UTF-8 with
 * offsets. */
#include "export/gltf_marks.h"

#include "core/image.h"
#include "core/mem.h"
#include "export/text.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double UNKNOWN = -99999;     /* noData of the table: JSON has no NaN */
static const double FEATURE_TEXEL = 0.01; /* of the diameter */
static const double FINEST_FEATURE_M = 0.002, COARSEST_FEATURE_M = 0.01, PATCH_ALPHA = 0.35;
enum { MAX_COLUMNS = 64, MAX_SHORT = 100, MAX_LONG = 400, MAX_FEATURE_PX = 2048, MAX_SPANS = 64 };

/* ---- columns ---- */

struct column {
    const char *name;
    enum { NUMBER, TEXT, FLAG } kind;
    double value, step; /* rounded to */
    const char *text;
    size_t max_bytes;
    bool flag;
};

struct row {
    struct column columns[MAX_COLUMNS];
    int n;
};

static void number(struct row *row, const char *name, double value, double step)
{
    row->columns[row->n++] = (struct column){.name = name, .kind = NUMBER, .value = value, .step = step};
}

static void text(struct row *row, const char *name, const char *value, size_t max_bytes)
{
    row->columns[row->n++] = (struct column){.name = name, .kind = TEXT, .text = value, .max_bytes = max_bytes};
}

static void flag(struct row *row, const char *name, bool value)
{
    row->columns[row->n++] = (struct column){.name = name, .kind = FLAG, .flag = value};
}

static void fill_measures(struct row *row, const struct intra_extent *e)
{
    number(row, "length_mm", 1e3 * e->length_m, 0.01);
    number(row, "length_sd_mm", 1e3 * e->length_sd_m, 0.01);
    number(row, "length_along_mm", 1e3 * e->length_along_m, 0.01);
    number(row, "length_along_sd_mm", 1e3 * e->length_along_sd_m, 0.01);
    number(row, "width_mm", 1e3 * e->width_m, 0.01);
    number(row, "width_sd_mm", 1e3 * e->width_sd_m, 0.01);
    flag(row, "is_width_limit", e->is_width_limit);
    number(row, "area_mm2", 1e6 * e->area_m2, 1);
    number(row, "area_sd_mm2", 1e6 * e->area_sd_m2, 1);
    number(row, "ring_share_pct", e->ring_share_pct, 0.01);
    number(row, "ring_share_sd_pct", e->ring_share_sd_pct, 0.01);
    number(row, "depth_mm", 1e3 * e->depth_m, 0.01);
    number(row, "depth_sd_mm", 1e3 * e->depth_sd_m, 0.01);
    number(row, "section_loss_pct", e->section_loss_pct, 0.01);
    number(row, "section_loss_sd_pct", e->section_loss_sd_pct, 0.01);
    number(row, "volume_l", 1e3 * e->volume_m3, 1e-4);
    number(row, "volume_sd_l", 1e3 * e->volume_sd_m3, 1e-4);
    number(row, "diameter_mm", 1e3 * e->diameter_m, 0.01);
    number(row, "diameter_sd_mm", 1e3 * e->diameter_sd_m, 0.01);
    number(row, "opening_mm", 1e3 * e->opening_m, 0.01);
    number(row, "opening_sd_mm", 1e3 * e->opening_sd_m, 0.01);
    number(row, "resolution_mm", 1e3 * e->resolution_m, 0.001);
    number(row, "views", e->n_views > 0 ? e->n_views : (double)NAN, 1);
}

static double hours(double rad)
{
    return rad >= 2 * M_PI - 1e-9 ? 12 : intra_clock_to_hours(rad); /* the whole ring: 12 to 12 */
}

/* Names as in observations.gpkg. The same columns in the same order for every mark. */
static void fill_columns(struct row *row, const struct intra_mark *mark)
{
    const struct intra_observation *o = mark->seen;
    const struct intra_place *place = &o->place;
    const struct intra_wall_region *region = intra_place_region(place);
    const struct intra_grade *grade = intra_mark_grade(o);
    row->n = 0;
    number(row, "number", (double)mark->number, 1);
    text(row, "id", o->id, MAX_SHORT);
    text(row, "inspection", mark->inspection->id, MAX_SHORT);
    text(row, "pipe", mark->inspection->pipe, MAX_SHORT);
    text(row, "code_system", intra_code_system_name(o->system), MAX_SHORT);
    text(row, "code", o->code, MAX_SHORT);
    text(row, "characterisation_1", o->characterisation[0], MAX_SHORT);
    text(row, "characterisation_2", o->characterisation[1], MAX_SHORT);
    text(row, "text", o->text, MAX_LONG);
    text(row, "remark", o->remark, MAX_LONG);
    number(row, "station_from_m", region->station_from_m, 1e-4);
    number(row, "station_to_m", region->station_to_m, 1e-4);
    number(row, "station_sd_m", region->station_sd_m, 1e-4);
    number(row, "clock_from", hours(region->clock_from_rad), 0.01);
    number(row, "clock_to", hours(region->clock_to_rad), 0.01);
    number(row, "clock_sd", region->clock_sd_rad * 6 / M_PI, 0.01);
    flag(row, "is_refined", place->is_refined);
    fill_measures(row, &o->extent);
    text(row, "grade_scale", grade ? intra_grade_scale_name(grade->scale) : NULL, MAX_SHORT);
    text(row, "grade_aspect", grade ? intra_grade_aspect_name(grade->aspect) : NULL, MAX_SHORT);
    number(row, "grade", grade ? grade->value : (double)NAN, 0.001);
    number(row, "severity", grade ? intra_grade_severity(grade->scale, grade->value) : (double)NAN, 0.001);
    text(row, "source", o->model ? o->model : intra_record_format_name(mark->inspection->format), MAX_SHORT);
    number(row, "confidence", o->score, 0.001);
    text(row, "review", o->review, MAX_SHORT);
    number(row, "frame", place->frame >= 0 ? (double)place->frame : o->frame >= 0 ? (double)o->frame : (double)NAN, 1);
    number(row, "time_s", isfinite(place->time_s) ? place->time_s : o->time_s, 0.001);
    text(row, "placed", place->reason, sizeof place->reason);
}

static json_t *grades_json(const struct intra_observation *seen)
{
    json_t *out = json_array();
    for (int i = 0; i < seen->n_grades; i++) {
        const struct intra_grade *g = &seen->grades[i];
        json_array_append_new(out, json_pack("{s:s,s:s,s:o,s:b}", "scale", intra_grade_scale_name(g->scale), "aspect",
                                             intra_grade_aspect_name(g->aspect), "value",
                                             intra_gltf_number(g->value, 0.001), "is_computed", (int)g->is_computed));
    }
    return out;
}

static json_t *extras_of(struct intra_gltf_writer *w, const struct intra_mark *mark)
{
    json_t *extras = json_pack("{s:s}", "kind", "observation");
    struct row row;
    fill_columns(&row, mark);
    for (int i = 0; i < row.n; i++) {
        const struct column *c = &row.columns[i];
        if (c->kind == TEXT)
            intra_gltf_set_text(w, extras, c->name, c->text, c->max_bytes);
        else if (c->kind == FLAG)
            json_object_set_new(extras, c->name, json_boolean(c->flag));
        else if (isfinite(c->value) && c->step >= 1 && fabs(c->value) < 9e15)
            json_object_set_new(extras, c->name, json_integer((json_int_t)round(c->value)));
        else
            json_object_set_new(extras, c->name, intra_gltf_number(c->value, c->step));
    }
    json_object_set_new(extras, "grades", grades_json(mark->seen));
    return extras;
}

/* ---- nodes ---- */

struct palette {
    json_int_t patches[INTRA_MARK_COLOURS], solids[INTRA_MARK_COLOURS], inks[2]; /* -1: not there yet */
};

static double linear(int srgb)
{
    double c = srgb / 255.0;
    return intra_gltf_tidy(c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4), 1e-5);
}

/* Unlit like the wall, so that a colour is the same all along the pipe. Patches show from the inside only, like the
 * wall; ribbons and pins from both sides. */
static json_int_t material(struct intra_gltf_writer *w, json_int_t *slot, const char *name, const uint8_t rgb[3],
                           double alpha)
{
    json_t *item;
    if (*slot >= 0) return *slot;
    item = json_pack("{s:s,s:{s:[f,f,f,f],s:i,s:i},s:{s:{}}}", "name", name, "pbrMetallicRoughness", "baseColorFactor",
                     linear(rgb[0]), linear(rgb[1]), linear(rgb[2]), alpha, "metallicFactor", 0, "roughnessFactor", 1,
                     "extensions", "KHR_materials_unlit");
    if (alpha < 1)
        json_object_set_new(item, "alphaMode", json_string("BLEND"));
    else
        json_object_set_new(item, "doubleSided", json_true());
    return *slot = intra_gltf_push(w, w->materials, item);
}

static json_int_t material_of(struct intra_gltf_writer *w, struct palette *palette, enum intra_mark_part part,
                              int colour)
{
    static const uint8_t inks[2][3] = {{255, 255, 255}, {0x16, 0x20, 0x2c}};
    bool is_dark = intra_mark_is_ink_dark(colour);
    char name[64], step[16] = "ungraded";
    if (part == INTRA_MARK_INK)
        return material(w, &palette->inks[is_dark], is_dark ? "observation number, dark" : "observation number, light",
                        inks[is_dark], 1);
    if (colour != INTRA_MARK_UNGRADED) snprintf(step, sizeof step, "severity %d", colour);
    snprintf(name, sizeof name, "observation %s%s", step, part == INTRA_MARK_PATCH ? ", patch" : "");
    return material(w, part == INTRA_MARK_PATCH ? &palette->patches[colour] : &palette->solids[colour], name,
                    intra_mark_colours[colour], part == INTRA_MARK_PATCH ? PATCH_ALPHA : 1);
}

static enum intra_status put_mark(struct intra_gltf_writer *w, struct palette *palette,
                                  const struct intra_mark_list *list, int64_t i,
                                  const struct intra_mark_surface *surface, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_mark *mark = &list->marks[i];
    struct intra_mark_body body = {0};
    json_t *primitives = json_array(), *node;
    char *code = intra_text_utf8(mark->seen->code ? mark->seen->code : "observation", 40), name[80];
    if (!code) {
        status = INTRA_FAIL(err, INTRA_E_MEM, "out of memory: name of an observation");
        goto done;
    }
    snprintf(name, sizeof name, "%s %.2f m", code, intra_place_region(&mark->seen->place)->station_from_m);
    INTRA_TRY(intra_mark_body_init(&body, list, i, surface, err));
    intra_mark_body_turn_y_up(&body);
    for (int part = 0; part < INTRA_MARK_PARTS; part++) {
        const struct intra_mark_triangles *t = &body.parts[part];
        json_int_t positions, indices;
        if (t->n_indices == 0) continue;
        positions = intra_gltf_put_positions(w, t->positions, t->n_vertices);
        INTRA_TRY(intra_gltf_put_indices(w, t->indices, t->n_indices, t->n_vertices, &indices, err));
        json_array_append_new(primitives,
                              json_pack("{s:{s:I},s:I,s:I}", "attributes", "POSITION", positions, "indices", indices,
                                        "material", material_of(w, palette, (enum intra_mark_part)part, mark->colour)));
    }
    node = json_pack("{s:s,s:[f,f,f],s:o}", "name", name, "translation", body.origin[0], body.origin[1], body.origin[2],
                     "extras", extras_of(w, mark));
    if (json_array_size(primitives) > 0)
        json_object_set_new(node, "mesh",
                            json_integer(intra_gltf_push(
                                w, w->meshes, json_pack("{s:s,s:O}", "name", name, "primitives", primitives))));
    intra_gltf_push_node(w, node);
done:
    intra_free(code);
    json_decref(primitives);
    intra_mark_body_fini(&body);
    return status;
}

enum intra_status intra_gltf_put_marks(struct intra_gltf_writer *w, const struct intra_mark_list *list,
                                       const struct intra_mark_surface *surface, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct palette palette;
    memset(&palette, 0xff, sizeof palette); /* all -1 */
    for (int64_t i = 0; i < list->n; i++)
        INTRA_TRY(put_mark(w, &palette, list, i, surface, err));
done:
    return status;
}

/* ---- which texel is which ---- */

/* Row `id` of the table into the texels of one column that the mark covers. */
static void paint_column(const struct intra_mark *mark, const struct intra_wall *wall, double station_m, int64_t id,
                         struct intra_view_u8 *out, int x, bool *is_painted)
{
    double spans[MAX_SPANS][2], turn = 2 * M_PI / out->rows;
    int n = intra_mark_spans(mark, station_m, spans, MAX_SPANS);
    for (int k = 0; k < n; k++) {
        int64_t from = (int64_t)ceil((spans[k][0] - wall->cut_rad) / turn - 0.5);
        int64_t to = (int64_t)floor((spans[k][1] - wall->cut_rad) / turn - 0.5);
        if (to - from >= out->rows) to = from + out->rows - 1;
        for (int64_t y = from; y <= to; y++) {
            uint8_t *at = intra_row_u8(out, (int)((y % out->rows + out->rows) % out->rows)) + x * out->channels;
            at[0] = (uint8_t)id;
            if (out->channels > 1) at[1] = (uint8_t)(id >> 8);
            *is_painted = true;
        }
    }
}

struct sized {
    double area_m2;
    int64_t index;
};

static int largest_first(const void *a, const void *b)
{
    const struct sized *x = a, *y = b;
    if (x->area_m2 < y->area_m2 || x->area_m2 > y->area_m2) return x->area_m2 > y->area_m2 ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

/* How many different rows the picture names. */
static int64_t count_rows(const struct intra_view_u8 *picture, bool *is_there, int64_t none)
{
    int64_t n = 0;
    for (int y = 0; y < picture->rows; y++) {
        const uint8_t *at = intra_row_u8(picture, y);
        for (int x = 0; x < picture->cols; x++, at += picture->channels) {
            int64_t id = at[0] + (picture->channels > 1 ? 256 * at[1] : 0);
            if (id == none || is_there[id]) continue;
            is_there[id] = true;
            n++;
        }
    }
    return n;
}

static int pixels(double length_m, double texel_m)
{
    return (int)fmax(1, fmin(MAX_FEATURE_PX, ceil(length_m / texel_m)));
}

enum intra_status intra_gltf_put_feature_ids(struct intra_gltf_writer *w, const struct intra_mark_list *list,
                                             const struct intra_mesh_plan *plan, int64_t chunk, json_int_t sampler,
                                             json_t **out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_mesh_chunk_plan *piece = &plan->chunks[chunk];
    const struct intra_wall *wall = &plan->scene->wall;
    double length = piece->station_to_m - piece->station_from_m, picture_share, along_px;
    double texel = fmax(FINEST_FEATURE_M, fmin(COARSEST_FEATURE_M, FEATURE_TEXEL * plan->scene->nominal_diameter_m));
    struct intra_view_u8 picture = {0};
    struct sized *order = NULL;
    bool *is_there = NULL, is_painted = false;
    uint8_t *png = NULL;
    size_t png_size = 0;
    int64_t n = 0, count;
    int channels = list->n < 256 ? 1 : 3;
    json_int_t texture;
    json_t *set;
    *out = NULL;
    INTRA_TRY(INTRA_ALLOC(order, (size_t)list->n, err));
    for (int64_t i = 0; i < list->n; i++)
        if (list->marks[i].high[0] >= piece->station_from_m && list->marks[i].low[0] <= piece->station_to_m)
            order[n++] = (struct sized){list->marks[i].area_m2, i};
    if (n == 0) goto done;
    qsort(order, (size_t)n, sizeof *order, largest_first);
    INTRA_TRY(intra_image_u8_init(&picture, pixels(wall->perimeter_m, texel), pixels(length, texel), channels, err));
    for (int y = 0; y < picture.rows; y++)
        for (int x = 0; x < picture.cols; x++) {
            uint8_t *at = intra_row_u8(&picture, y) + x * channels;
            at[0] = (uint8_t)list->n;
            if (channels > 1) at[1] = (uint8_t)(list->n >> 8);
        }
    /* The colour's texture coordinates count its gutters in. */
    along_px = piece->texture_width - 2 * INTRA_MESH_GUTTER_PX;
    picture_share = piece->texture_width / along_px;
    for (int64_t k = 0; k < n; k++)
        for (int x = 0; x < picture.cols; x++) {
            double share = (x + 0.5) / picture.cols * picture_share - INTRA_MESH_GUTTER_PX / along_px;
            paint_column(&list->marks[order[k].index], wall, piece->station_from_m + share * length, order[k].index,
                         &picture, x, &is_painted);
        }
    if (!is_painted) goto done;
    INTRA_TRY(INTRA_ALLOC(is_there, (size_t)list->n, err));
    count = count_rows(&picture, is_there, list->n);
    INTRA_TRY(intra_image_encode_png(&picture, &png, &png_size, err));
    texture = intra_gltf_put_texture(w, png, png_size, "image/png", "observations", sampler);
    set = json_pack("{s:s,s:I,s:I,s:i,s:{s:I,s:i,s:[i]}}", "label", "observation", "featureCount", (json_int_t)count,
                    "nullFeatureId", (json_int_t)list->n, "propertyTable", 0, "texture", "index", texture, "texCoord",
                    0, "channels", 0);
    if (channels > 1)
        json_array_append_new(json_object_get(json_object_get(set, "texture"), "channels"), json_integer(1));
    *out = json_pack("{s:{s:[o]}}", "EXT_mesh_features", "featureIds", set);
    if (!*out) w->is_failed = true;
done:
    intra_free(order);
    intra_free(is_there);
    intra_free(png);
    intra_image_u8_fini(&picture);
    return status;
}

/* ---- the table ---- */

/* Column `c` of all marks as texts: the bytes of one behind the other, offsets[n + 1]. */
static enum intra_status put_texts(struct intra_gltf_writer *w, const struct intra_mark_list *list, int c,
                                   json_t *property, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    uint32_t *offsets = NULL;
    char *bytes = NULL, *one = NULL;
    size_t cap = 1024, used = 0;
    struct row row;
    INTRA_TRY(INTRA_ALLOC(offsets, (size_t)list->n + 1, err));
    INTRA_TRY(INTRA_ALLOC(bytes, cap, err));
    for (int64_t i = 0; i < list->n; i++) {
        size_t n;
        fill_columns(&row, &list->marks[i]);
        one = intra_text_utf8(row.columns[c].text ? row.columns[c].text : "", row.columns[c].max_bytes);
        n = one ? strlen(one) : 0;
        if (one && used + n > cap) {
            char *grown = intra_resize(bytes, cap, 2 * (used + n), 1);
            if (grown) {
                bytes = grown;
                cap = 2 * (used + n);
            }
        }
        if (!one || used + n > cap) {
            status = INTRA_FAIL(err, INTRA_E_MEM, "out of memory: texts of %lld observations", (long long)list->n);
            goto done;
        }
        memcpy(bytes + used, one, n);
        used += n;
        offsets[i + 1] = (uint32_t)used;
        intra_free(one);
        one = NULL;
    }
    json_object_set_new(
        property, "values",
        json_integer(intra_gltf_put_view(w, bytes, used > 0 ? used : 1, 0))); /* a view is never empty */
    json_object_set_new(property, "stringOffsets",
                        json_integer(intra_gltf_put_view(w, offsets, ((size_t)list->n + 1) * 4, 0)));
done:
    intra_free(offsets);
    intra_free(bytes);
    intra_free(one);
    return status;
}

static enum intra_status put_numbers(struct intra_gltf_writer *w, const struct intra_mark_list *list, int c,
                                     json_t *property, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    float *values = NULL;
    struct row row;
    INTRA_TRY(INTRA_ALLOC(values, (size_t)list->n, err));
    for (int64_t i = 0; i < list->n; i++) {
        fill_columns(&row, &list->marks[i]);
        values[i] = (float)(isfinite(row.columns[c].value) ? row.columns[c].value : UNKNOWN);
    }
    json_object_set_new(property, "values", json_integer(intra_gltf_put_view(w, values, (size_t)list->n * 4, 0)));
done:
    intra_free(values);
    return status;
}

/* One bit an observation, the first the lowest. */
static enum intra_status put_flags(struct intra_gltf_writer *w, const struct intra_mark_list *list, int c,
                                   json_t *property, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    size_t n = ((size_t)list->n + 7) / 8;
    uint8_t *bits = NULL;
    struct row row;
    INTRA_TRY(INTRA_ALLOC(bits, n, err));
    for (int64_t i = 0; i < list->n; i++) {
        fill_columns(&row, &list->marks[i]);
        if (row.columns[c].flag) bits[i / 8] |= (uint8_t)(1 << i % 8);
    }
    json_object_set_new(property, "values", json_integer(intra_gltf_put_view(w, bits, n, 0)));
done:
    intra_free(bits);
    return status;
}

enum intra_status intra_gltf_put_table(struct intra_gltf_writer *w, const struct intra_mark_list *list, json_t **out,
                                       struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    json_t *kinds = json_object(), *values = json_object();
    struct row row;
    *out = NULL;
    fill_columns(&row, &list->marks[0]);
    for (int c = 0; c < row.n; c++) {
        json_t *property = json_object();
        json_object_set_new(values, row.columns[c].name, property);
        switch (row.columns[c].kind) {
        case TEXT:
            json_object_set_new(kinds, row.columns[c].name, json_pack("{s:s,s:s}", "type", "STRING", "noData", ""));
            INTRA_TRY(put_texts(w, list, c, property, err));
            break;
        case FLAG:
            json_object_set_new(kinds, row.columns[c].name, json_pack("{s:s}", "type", "BOOLEAN"));
            INTRA_TRY(put_flags(w, list, c, property, err));
            break;
        case NUMBER:
            json_object_set_new(kinds, row.columns[c].name,
                                json_pack("{s:s,s:s,s:f,s:f}", "type", "SCALAR", "componentType", "FLOAT32", "noData",
                                          UNKNOWN, "default", UNKNOWN)); /* without one, readers show 0 */
            INTRA_TRY(put_numbers(w, list, c, property, err));
        }
    }
    *out = json_pack("{s:{s:s,s:{s:{s:s,s:O}}},s:[{s:s,s:s,s:I,s:O}]}", "schema", "id", "intrados", "classes",
                     "observation", "name", "observation", "properties", kinds, "propertyTables", "name",
                     "observations", "class", "observation", "count", (json_int_t)list->n, "properties", values);
    if (!*out) w->is_failed = true;
done:
    json_decref(kinds);
    json_decref(values);
    return status;
}
