/* Observations on the model, read back from the files alone: a node each with what is known of it, patches that float
 * inside the wall at their station and clock range and cover their region, the table and the texture that say which
 * texel is whose, groups and materials of the OBJ; hostile texts, size budget, stretches, threads. Does not prove that
 * they look good: tests/browser/look.mjs takes the pictures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/fileio.h"
#include "core/mem.h"
#include "export/export.h"
#include "export/marks.h"
#include "glb.h"
#include "made_record.h"
#include "made_scene.h"

#include <ctype.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef _OPENMP
#include <omp.h>
#endif

static char folder[256];
static struct intra_scene scene;
static struct made_pipe made;
static struct intra_record record;
static struct intra_mesh_options options;

static int make_scene(void **state)
{
    (void)state;
    made_folder(folder, sizeof folder);
    made = made_pipe_defaults();
    made_scene_init(&scene, &made, folder);
    made_record_init(&record, made.start_m);
    options = intra_mesh_defaults();
    options.inspections = record.inspections;
    options.n_inspections = 1;
    return 0;
}

static int drop_scene(void **state)
{
    (void)state;
    intra_record_fini(&record);
    intra_scene_fini(&scene);
    made_remove_folder(folder);
    return 0;
}

static void write_and_open(const struct intra_mesh_options *o, const char *name, struct glb *glb)
{
    struct intra_error err = {0};
    char path[512];
    if (intra_export_glb(&scene, o, made_path(path, sizeof path, folder, name), &err) != INTRA_OK)
        fail_msg("%s", err.text);
    open_glb(glb, path);
}

static const char *word(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* The k-th observation node; NULL: no more. */
static json_t *observation_node(const struct glb *glb, int k)
{
    json_t *node;
    size_t i;
    json_array_foreach(json_object_get(glb->root, "nodes"), i, node)
    {
        const char *kind = word(json_object_get(node, "extras"), "kind");
        if (kind && strcmp(kind, "observation") == 0 && k-- == 0) return node;
    }
    return NULL;
}

/* The node of one that was made; they come by station, so they are known by their code. */
static json_t *node_of(const struct glb *glb, const char *code)
{
    json_t *node;
    for (int k = 0; (node = observation_node(glb, k)); k++)
        if (strcmp(word(json_object_get(node, "extras"), "code"), code) == 0) return node;
    fail_msg("no node of %s", code);
    return NULL;
}

static void assert_near(double value, double want, double tolerance)
{
    if (!(fabs(value - want) <= tolerance)) fail_msg("%.6f is not %.6f +- %g", value, want, tolerance);
}

static void each_is_a_node(void **state)
{
    static const struct {
        const char *code, *source, *grade_scale;
        double from, to, clock_from, clock_to, grade, severity; /* grade NAN: none */
    } want[MADE_PLACED] = {
        {"BAB", "isybau", "PACP", 0.3, 0.6, 0.5 * 6 / M_PI, 0.75 * 6 / M_PI, 3, 0.5}, /* the worse of two scales */
        {"BAF", "isybau", "ISYBAU", 1.6, 1.9, 1, 2, 5, 1},
        {"BAC", "isybau", "DWA", 3.0, 3.15, 3.7 * 6 / M_PI, 4.2 * 6 / M_PI, 0, 1},
        {"BAJ", "isybau", "DWA", 2, 2, 12, 12, 4, 0.2},
        {"BBC", "isybau", NULL, 0.5, 3.8, 7, 8, NAN, NAN},
        {"crack", "detector 2", NULL, 3.4, 3.5, 6.1 * 6 / M_PI, 6.6 * 6 / M_PI - 12, NAN, NAN},
        {"</script>? \"\\,\n", "isybau", "other", 3.3, 3.3, 9, 9, 7, NAN},
    };
    struct glb glb;
    json_t *extras;
    int k, before = 0;
    (void)state;
    write_and_open(&options, "model.glb", &glb);
    for (k = 0; k < MADE_PLACED; k++) {
        extras = json_object_get(node_of(&glb, want[k].code), "extras");
        assert_string_equal(word(extras, "source"), want[k].source);
        assert_near(number(extras, "station_from_m"), want[k].from, 1e-4);
        assert_near(number(extras, "station_to_m"), want[k].to, 1e-4);
        assert_near(number(extras, "clock_from"), want[k].clock_from, 0.006);
        assert_near(number(extras, "clock_to"), want[k].clock_to, 0.006);
        if (want[k].grade_scale)
            assert_string_equal(word(extras, "grade_scale"), want[k].grade_scale);
        else
            assert_true(json_is_null(json_object_get(extras, "grade_scale")));
        if (isfinite(want[k].grade))
            assert_near(number(extras, "grade"), want[k].grade, 1e-9);
        else
            assert_true(json_is_null(json_object_get(extras, "grade")));
        if (isfinite(want[k].severity))
            assert_near(number(extras, "severity"), want[k].severity, 1e-3);
        else
            assert_true(json_is_null(json_object_get(extras, "severity")));
        assert_string_equal(word(extras, "inspection"), "I-1");
        assert_string_equal(word(extras, "placed"), "made");
    }
    for (k = 0; observation_node(&glb, k); k++) { /* numbers rise along the pipe; joints have theirs between */
        int this = (int)whole(json_object_get(observation_node(&glb, k), "extras"), "number");
        assert_true(this > before);
        before = this;
    }
    assert_int_equal(k, MADE_PLACED);
    assert_int_equal(before, MADE_PLACED + 3);
    extras = json_object_get(node_of(&glb, "BAB"), "extras");
    assert_string_equal(word(extras, "text"), "Riss, l\xC3\xA4ngs");
    assert_near(number(extras, "length_mm"), 305.1, 1e-9);
    assert_near(number(extras, "width_sd_mm"), 0.4, 1e-9);
    assert_true(json_is_null(json_object_get(extras, "area_mm2")));
    assert_true(json_is_true(json_object_get(extras, "is_refined")));
    assert_int_equal(json_array_size(json_object_get(extras, "grades")), 2);
    extras = json_object_get(node_of(&glb, "crack"), "extras");
    assert_near(number(extras, "confidence"), 0.83, 1e-9);
    assert_near(number(extras, "time_s"), 3.52, 1e-9);
    assert_int_equal(whole(extras, "frame"), 88);
    extras = json_object_get(item(&glb, "scenes", 0), "extras");
    assert_int_equal(whole(extras, "observations"), MADE_PLACED);
    assert_int_equal(whole(extras, "observations_not_placed"), 1);
    assert_int_equal(whole(extras, "observations_left_out"), 0);
    close_glb(&glb);
}

/* Jansson has read the file, so it is UTF-8 and JSON; here, that it is the text, and how long. */
static void hostile_text_is_cut(void **state)
{
    struct glb glb;
    json_t *extras;
    const char *remark;
    (void)state;
    write_and_open(&options, "model.glb", &glb);
    extras = json_object_get(node_of(&glb, "</script>? \"\\,\n"), "extras");
    assert_string_equal(word(extras, "text"), "?( <b>\x01</b> ???");
    remark = word(extras, "remark");
    assert_int_equal(strlen(remark),
                     396 + 3); /* the euro sign at 396 would end beyond 397, where the ellipsis begins */
    assert_string_equal(remark + 395, "x\xE2\x80\xA6");
    close_glb(&glb);
}

/* ---- where the patches are ---- */

struct wall_point {
    double station, theta, inside; /* of the made wall; inside: towards the axis positive */
    bool is_wall;                  /* not in the gap, where there is none, nor at its ends */
};

/* From glTF's axes through the formulas of the made pipe: a bend of radius 1 / curvature, oval, with waves. */
static struct wall_point to_wall(struct intra_vec3 p)
{
    double x = p.x, y = -p.z, up = p.y, radius = 1 / made.curvature;
    double turn = atan2(x, radius - y), right = hypot(x, radius - y) - radius;
    struct wall_point w;
    w.station = made.start_m + turn * radius;
    w.theta = atan2(right, up);
    w.inside = made.diameter_m / 2 * (1 + made.oval * cos(2 * w.theta)) + made_relief(&made, w.station, w.theta) -
               hypot(right, up);
    w.is_wall = w.station < made.gap_from_m - 0.03 || w.station > made.gap_to_m + 0.03;
    return w;
}

struct patch {
    const unsigned char *xyz, *indices;
    json_int_t n_vertices, n_indices;
    double at[3];
};

/* The primitive of a node whose material's name ends so; false: there is none. */
static bool find_patch(const struct glb *glb, const json_t *node, const char *ending, struct patch *out)
{
    json_t *primitive, *positions, *indices;
    size_t i;
    json_array_foreach(json_object_get(item(glb, "meshes", whole(node, "mesh")), "primitives"), i, primitive)
    {
        const char *name = word(item(glb, "materials", whole(primitive, "material")), "name");
        if (strlen(name) < strlen(ending) || strcmp(name + strlen(name) - strlen(ending), ending) != 0) continue;
        positions = item(glb, "accessors", whole(json_object_get(primitive, "attributes"), "POSITION"));
        indices = item(glb, "accessors", whole(primitive, "indices"));
        assert_int_equal(whole(indices, "componentType"), 5123);
        out->xyz = view_at(glb, whole(positions, "bufferView"), NULL);
        out->indices = view_at(glb, whole(indices, "bufferView"), NULL);
        out->n_vertices = whole(positions, "count");
        out->n_indices = whole(indices, "count");
        for (int k = 0; k < 3; k++)
            out->at[k] = json_number_value(json_array_get(json_object_get(node, "translation"), (size_t)k));
        return true;
    }
    return false;
}

static struct intra_vec3 corner(const struct patch *p, json_int_t i)
{
    const unsigned char *at = p->indices + 2 * i;
    size_t v = at[0] + 256u * at[1];
    assert_true((json_int_t)v < p->n_vertices);
    return intra_vec3(p->at[0] + (double)f32_at(p->xyz + 12 * v), p->at[1] + (double)f32_at(p->xyz + 12 * v + 4),
                      p->at[2] + (double)f32_at(p->xyz + 12 * v + 8));
}

/* How far theta lies behind `from`, clockwise. */
static double behind(double theta, double from)
{
    double d = fmod(theta - from, 2 * M_PI);
    return d < 0 ? d + 2 * M_PI : d;
}

static void patches_float_where_they_belong(void **state)
{
    static const struct {
        const char *code;
        double s0, s1, a0, a1, area; /* m2 at the nominal radius */
    } want[MADE_PLACED] = {
        {"BAF", 1.6, 1.9, M_PI / 6, M_PI / 3, 0.3 * M_PI / 6 * 0.15},
        {"BAC", 3.0, 3.15, 3.7, 4.2, (0.15 * 0.5 - 0.1 * 0.2) * 0.15},
        {"BAJ", 1.98, 2.02, 0, 2 * M_PI, 0.04 * 2 * M_PI * 0.15},
        {"BBC", 0.5, 3.8, 7 * M_PI / 6, 8 * M_PI / 6, 3.3 * M_PI / 6 * 0.15},
        {"crack", 3.4, 3.5, 6.1, 6.6, 0.1 * 0.5 * 0.15},
        {"</script>? \"\\,\n", 3.28, 3.32, 1.5 * M_PI - 0.02 / 0.15, 1.5 * M_PI + 0.02 / 0.15, 0.04 * 0.04},
        /* the band of 12 mm around the crack, squared off 6 mm beyond its ends */
        {"BAB", 0.3 - 0.006, 0.6 + 0.006, 0.5 - 0.04, 0.75 + 0.04, NAN},
    };
    struct glb glb;
    (void)state;
    write_and_open(&options, "model.glb", &glb);
    for (int k = 0; k < MADE_PLACED; k++) {
        double low = INFINITY, high = -INFINITY, least = INFINITY, most = -INFINITY, area = 0, nearest = INFINITY,
               furthest = 0;
        struct patch p;
        assert_true(find_patch(&glb, node_of(&glb, want[k].code), ", patch", &p));
        assert_true(p.n_vertices < 2500);
        for (json_int_t i = 0; i < p.n_indices; i += 3) {
            struct intra_vec3 c[3] = {corner(&p, i), corner(&p, i + 1), corner(&p, i + 2)};
            struct intra_vec3 middle = intra_scale(intra_add(intra_add(c[0], c[1]), c[2]), 1.0 / 3);
            struct intra_vec3 cross = intra_cross(intra_sub(c[1], c[0]), intra_sub(c[2], c[0]));
            double turn = to_wall(middle).station / (1 / made.curvature);
            struct intra_vec3 axis = intra_vec3(sin(turn) / made.curvature, 0, -(1 - cos(turn)) / made.curvature);
            /* a sliver has no side */
            if (intra_norm(cross) > 1e-9) assert_true(intra_dot(cross, intra_sub(axis, middle)) > 0);
            area += intra_norm(cross) / 2;
            for (int v = 0; v <= 3; v++) {
                struct wall_point w = to_wall(v < 3 ? c[v] : middle);
                double along = behind(w.theta, want[k].a0 - 0.01);
                if (w.is_wall) {
                    nearest = fmin(nearest, w.inside);
                    furthest = fmax(furthest, w.inside);
                }
                if (v == 3) continue;
                low = fmin(low, w.station);
                high = fmax(high, w.station);
                least = fmin(least, along);
                most = fmax(most, along);
            }
        }
        print_message("%-8.8s %4lld vertices, %.1f to %.1f mm inside, stations %.3f to %.3f\n", want[k].code,
                      (long long)p.n_vertices, 1e3 * nearest, 1e3 * furthest, low, high);
        assert_true(nearest > 0.0005 && furthest < 0.007);
        if (isnan(want[k].area)) { /* a slanted band: within its bounds, and as long as the crack */
            assert_true(low > want[k].s0 - 0.002 && high < want[k].s1 + 0.002 && most < want[k].a1 - want[k].a0 + 0.02);
            assert_near(area, 0.012 * (0.3139 + 0.012), 0.0002);
            continue;
        }
        assert_near(low, want[k].s0, 0.001);
        assert_near(high, want[k].s1, 0.001);
        assert_near(least, 0.01, 0.002);
        if (want[k].a1 - want[k].a0 < 6) assert_near(most, 0.01 + want[k].a1 - want[k].a0, 0.002);
        assert_near(area / want[k].area, 1, 0.06); /* on the oval, 3 % and a few millimetres inside the circle */
    }
    close_glb(&glb);
}

static void outlines_and_pins(void **state)
{
    struct glb glb;
    json_t *node;
    (void)state;
    write_and_open(&options, "model.glb", &glb);
    for (int k = 0; (node = observation_node(&glb, k)); k++) {
        struct patch solid, ink;
        double deepest = 0, nearest = INFINITY;
        bool has_solid = find_patch(&glb, node, "ungraded", &solid);
        char name[32];
        for (int step = 0; step < 5 && !has_solid; step++) {
            snprintf(name, sizeof name, "severity %d", step);
            has_solid = find_patch(&glb, node, name, &solid);
        }
        assert_true(has_solid);
        assert_true(find_patch(&glb, node, "dark", &ink) || find_patch(&glb, node, "light", &ink));
        for (json_int_t i = 0; i < solid.n_indices; i++) {
            struct wall_point w = to_wall(corner(&solid, i));
            if (!w.is_wall) continue;
            nearest = fmin(nearest, w.inside);
            deepest = fmax(deepest, w.inside);
        }
        assert_true(nearest > 0.001 && deepest > 0.03 && deepest < 0.08); /* ribbon; the plate of the pin */
        for (json_int_t i = 0; i < ink.n_indices; i++)
            assert_true(to_wall(corner(&ink, i)).inside < deepest + 0.001);
    }
    close_glb(&glb);
}

static void colours_are_those_of_the_page(void **state)
{
    char *text, want[160], *at = want;
    size_t size;
    struct intra_error err = {0};
    struct intra_observation seen = {.n_grades = 1, .grades = {{INTRA_SCALE_ISYBAU, INTRA_ASPECT_OVERALL, 0, false}}};
    (void)state;
    assert_int_equal(intra_read_file(INTRA_TEST_SOURCE "/export/report/colours.js", 1 << 20, &text, &size, &err),
                     INTRA_OK);
    at += sprintf(at, "const grades = [");
    for (int i = 0; i < INTRA_MARK_STEPS; i++)
        at += sprintf(at, "%s'#%02x%02x%02x'", i ? ", " : "", intra_mark_colours[i][0], intra_mark_colours[i][1],
                      intra_mark_colours[i][2]);
    assert_non_null(strstr(text, want));
    sprintf(want, "UNGRADED = '#%02x%02x%02x'", intra_mark_colours[5][0], intra_mark_colours[5][1],
            intra_mark_colours[5][2]);
    assert_non_null(strstr(text, want));
    intra_free(text);
    /* as the page: Math.round(4 severity) */
    for (int value = 0; value <= 5; value++) {
        seen.grades[0].value = value;
        assert_int_equal(intra_mark_colour(&seen), (int)floor(value / 5.0 * 4 + 0.5));
        seen.grades[0].scale = INTRA_SCALE_DWA; /* 0 is worst */
        assert_int_equal(intra_mark_colour(&seen), (int)floor((5 - value) / 5.0 * 4 + 0.5));
        seen.grades[0].scale = INTRA_SCALE_ISYBAU;
    }
    seen.grades[0].scale = INTRA_SCALE_OTHER; /* which end is bad is not known */
    assert_int_equal(intra_mark_colour(&seen), INTRA_MARK_UNGRADED);
}

/* ---- the table, and which texel is whose ---- */

static json_t *table_property(const struct glb *glb, const char *name)
{
    json_t *meta = json_object_get(json_object_get(glb->root, "extensions"), "EXT_structural_metadata");
    json_t *table = json_array_get(json_object_get(meta, "propertyTables"), 0);
    json_t *kind = json_object_get(
        json_object_get(json_object_get(json_object_get(json_object_get(meta, "schema"), "classes"), "observation"),
                        "properties"),
        name);
    assert_non_null(kind);
    assert_string_equal(word(table, "class"), "observation");
    return json_object_get(json_object_get(table, "properties"), name);
}

static double table_number(const struct glb *glb, const char *name, int row)
{
    const unsigned char *at = view_at(glb, whole(table_property(glb, name), "values"), NULL) + 4 * row;
    assert_int_equal((at - glb->bin) % 4, 0);
    return (double)f32_at(at);
}

static void assert_table_text(const struct glb *glb, const char *name, int row, const char *want)
{
    json_t *property = table_property(glb, name);
    const char *offsets = (const char *)view_at(glb, whole(property, "stringOffsets"), NULL) + 4 * row;
    const unsigned char *values = view_at(glb, whole(property, "values"), NULL);
    assert_int_equal(u32_at(offsets + 4) - u32_at(offsets), strlen(want));
    assert_memory_equal(values + u32_at(offsets), want, strlen(want));
}

static void table_holds_the_observations(void **state)
{
    struct glb glb;
    json_t *node, *used;
    int k;
    (void)state;
    write_and_open(&options, "model.glb", &glb);
    used = json_object_get(glb.root, "extensionsUsed");
    assert_int_equal(json_array_size(used), 3);
    assert_null(json_object_get(glb.root, "extensionsRequired"));
    for (k = 0; (node = observation_node(&glb, k)); k++) { /* rows in the nodes' order */
        json_t *extras = json_object_get(node, "extras"), *grade = json_object_get(extras, "grade");
        assert_table_text(&glb, "code", k, word(extras, "code"));
        assert_table_text(&glb, "remark", k, word(extras, "remark") ? word(extras, "remark") : "");
        assert_near(table_number(&glb, "number", k), number(extras, "number"), 0);
        assert_near(table_number(&glb, "station_from_m", k), number(extras, "station_from_m"), 1e-4);
        assert_near(table_number(&glb, "grade", k), json_is_null(grade) ? -99999 : json_number_value(grade), 1e-6);
        assert_int_equal(view_at(&glb, whole(table_property(&glb, "is_refined"), "values"), NULL)[0] >> k & 1,
                         json_is_true(json_object_get(extras, "is_refined")));
    }
    assert_int_equal(k, MADE_PLACED);
    close_glb(&glb);
}

/* The row at a place of the wall: chunk by its stations, column and row of the texture by the mesh's own coordinates.
 */
static int row_at(const struct glb *glb, double station, double theta, int *out_none)
{
    json_t *node;
    size_t i;
    int row = -1;
    json_array_foreach(json_object_get(glb->root, "nodes"), i, node)
    {
        json_t *extras = json_object_get(node, "extras"), *primitive, *set, *texture, *accessor;
        double from, to, u, v, first, last, texels[2];
        const unsigned char *uv, *bytes;
        size_t size;
        png_image png = {.version = PNG_IMAGE_VERSION};
        uint8_t *pixels;
        json_int_t n;
        if (strcmp(word(extras, "kind"), "wall") != 0) continue;
        from = number(extras, "station_from_m");
        to = number(extras, "station_to_m");
        if (station < from || station >= to) continue;
        primitive = json_array_get(json_object_get(item(glb, "meshes", whole(node, "mesh")), "primitives"), 0);
        set = json_array_get(
            json_object_get(json_object_get(json_object_get(primitive, "extensions"), "EXT_mesh_features"),
                            "featureIds"),
            0);
        if (!set) return -1; /* no observation in this chunk */
        assert_int_equal(whole(set, "propertyTable"), 0);
        *out_none = (int)whole(set, "nullFeatureId");
        texture = json_object_get(set, "texture");
        assert_int_equal(whole(texture, "texCoord"), 0);
        bytes = view_at(
            glb,
            whole(item(glb, "images", whole(item(glb, "textures", whole(texture, "index")), "source")), "bufferView"),
            &size);
        assert_true(png_image_begin_read_from_memory(&png, bytes, size));
        png.format = PNG_FORMAT_GRAY;
        pixels = malloc(PNG_IMAGE_SIZE(png));
        assert_true(png_image_finish_read(&png, NULL, pixels, 0, NULL));
        accessor = item(glb, "accessors", whole(json_object_get(primitive, "attributes"), "TEXCOORD_0"));
        uv = view_at(glb, whole(accessor, "bufferView"), NULL);
        n = whole(accessor, "count");
        first = (double)f32_at(uv); /* of the first ring and the last */
        last = (double)f32_at(uv + 8 * (n - 1));
        u = first + (last - first) * (station - from) / (to - from);
        v = behind(theta, scene.wall.cut_rad) / (2 * M_PI);
        texels[0] = fmin(u * png.width, png.width - 1);
        texels[1] = fmin(v * png.height, png.height - 1);
        row = pixels[(size_t)texels[1] * png.width + (size_t)texels[0]];
        free(pixels);
    }
    return row;
}

static void texels_know_their_observation(void **state)
{
    static const struct {
        double station, theta;
        const char *code;            /* NULL: bare wall */
    } want[] = {{0.45, 0.62, "BAB"}, /* on the crack */
                {0.45, 0.72, NULL},  /* 15 mm beside it */
                {1.75, 0.7, "BAF"},   {2.0, 1, "BAJ"},      {2.0, 5, "BAJ"},   {1.0, 3.9, "BBC"}, {3.12, 3.75, "BAC"},
                {3.05, 3.95, "BBC"}, /* between the arms of the U, what lies under it */
                {3.45, 0.2, "crack"}, {3.45, 6.2, "crack"}, {3.45, 0.5, NULL}, {1.0, M_PI, NULL}, {1.0, 0, NULL}};
    struct glb glb;
    (void)state;
    write_and_open(&options, "model.glb", &glb);
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        int none = -2, row = row_at(&glb, want[i].station, want[i].theta, &none);
        if (want[i].code) {
            assert_true(row >= 0 && row < MADE_PLACED);
            assert_table_text(&glb, "code", row, want[i].code);
        } else {
            assert_int_equal(row, none);
        }
    }
    close_glb(&glb);
}

/* ---- the whole file ---- */

static void without_records_nothing_is_added(void **state)
{
    struct intra_mesh_options plain = intra_mesh_defaults();
    struct glb glb;
    (void)state;
    write_and_open(&plain, "plain.glb", &glb);
    assert_null(observation_node(&glb, 0));
    assert_null(json_object_get(glb.root, "extensions"));
    assert_int_equal(json_array_size(json_object_get(glb.root, "samplers")), 1);
    close_glb(&glb);
}

static void they_are_small(void **state)
{
    struct intra_mesh_options plain = intra_mesh_defaults();
    struct glb with, without;
    (void)state;
    write_and_open(&options, "model.glb", &with);
    write_and_open(&plain, "plain.glb", &without);
    print_message("%zu bytes with, %zu without: %zu an observation\n", with.size, without.size,
                  (with.size - without.size) / MADE_PLACED);
    assert_true(with.size - without.size < MADE_PLACED * 30000);
    close_glb(&with);
    close_glb(&without);
}

static void only_those_of_the_stretch(void **state)
{
    struct intra_mesh_options part = options;
    struct glb glb;
    struct patch p;
    double low = INFINITY, high = -INFINITY;
    (void)state;
    part.station_from_m = 1.5;
    part.station_to_m = 1.8;
    write_and_open(&part, "part.glb", &glb);
    assert_non_null(node_of(&glb, "BAF"));
    assert_true(find_patch(&glb, node_of(&glb, "BBC"), ", patch", &p));
    assert_null(observation_node(&glb, 2));
    for (json_int_t i = 0; i < p.n_indices; i++) {
        double s = to_wall(corner(&p, i)).station;
        low = fmin(low, s);
        high = fmax(high, s);
    }
    assert_near(low, 1.5, 0.001);
    assert_near(high, 1.8, 0.001);
    assert_true(find_patch(&glb, node_of(&glb, "BBC"), "ungraded", &p));
    for (json_int_t i = 0; i < p.n_indices; i++) {
        double s = to_wall(corner(&p, i)).station;
        assert_true(s > 1.49 && s < 1.81);
    }
    close_glb(&glb);
}

static void very_many_keep_the_budget(void **state)
{
    enum { MANY = 20000 };
    struct intra_mesh_options many = intra_mesh_defaults();
    struct intra_record crowd;
    struct intra_inspection *p;
    struct intra_error err = {0};
    struct glb glb;
    json_t *extras, *node;
    (void)state;
    intra_record_init(&crowd);
    assert_int_equal(intra_record_add_inspection(&crowd, &p, &err), INTRA_OK);
    for (int i = 0; i < MANY; i++) {
        struct intra_observation *o;
        double s = 0.1 + 3.8 * i / MANY;
        assert_int_equal(intra_inspection_add_observation(p, &o, &err), INTRA_OK);
        assert_int_equal(intra_text_set(&o->code, "BAB", &err), INTRA_OK);
        o->place.is_placed = true;
        o->place.recorded = (struct intra_wall_region){s, s + 0.05, 0.1, i % 6, i % 6 + 0.2, 0.1};
        assert_int_equal(
            intra_observation_add_grade(
                o, (struct intra_grade){INTRA_SCALE_PACP, INTRA_ASPECT_STRUCTURAL, i % 100 == 7 ? 5 : 2, false}, &err),
            INTRA_OK);
    }
    many.inspections = p;
    many.n_inspections = 1;
    many.max_bytes = 2000000;
    write_and_open(&many, "many.glb", &glb);
    assert_true(glb.size <= many.max_bytes);
    extras = json_object_get(item(&glb, "scenes", 0), "extras");
    print_message("%lld of %d kept in %zu bytes\n", (long long)whole(extras, "observations"), MANY, glb.size);
    assert_int_equal(whole(extras, "observations") + whole(extras, "observations_left_out"), MANY);
    assert_true(whole(extras, "observations") > 50 && whole(extras, "observations") < 200);
    for (int k = 0; (node = observation_node(&glb, k)); k++) /* of the 200 worst */
        assert_near(number(json_object_get(node, "extras"), "severity"), 1, 1e-9);
    close_glb(&glb);
    intra_record_fini(&crowd);
}

/* Regions that no program should have made: the file is written all the same. */
static void broken_regions_are_left_out(void **state)
{
    static const double bad[][6] = {{NAN, 1, 0, 1, 0, 0},       {1, NAN, 0, 1, 0, 0},
                                    {2, 1, 0, 1, 0, 0},         {1, 2, NAN, NAN, 0, 0},
                                    {1e300, 1e301, 0, 1, 0, 0}, {-INFINITY, INFINITY, 0, 1, 0, 0},
                                    {1, 2, INFINITY, 1, 0, 0},  {1, 2, 1e200, -1e200, 0, 0}};
    static const double outline[][2] = {{1, 0}, {NAN, 1}, {2, 1}};
    struct intra_mesh_options some = intra_mesh_defaults();
    struct intra_record odd;
    struct intra_inspection *p;
    struct intra_error err = {0};
    struct glb glb;
    int n;
    (void)state;
    intra_record_init(&odd);
    assert_int_equal(intra_record_add_inspection(&odd, &p, &err), INTRA_OK);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct intra_observation *o;
        assert_int_equal(intra_inspection_add_observation(p, &o, &err), INTRA_OK);
        o->place.is_placed = true;
        o->place.recorded = (struct intra_wall_region){bad[i][0], bad[i][1], NAN, bad[i][2], bad[i][3], NAN};
        if (i % 2) continue;
        assert_int_equal(INTRA_ALLOC(o->place.outline, 3, &err), INTRA_OK);
        memcpy(o->place.outline, outline, sizeof outline);
        o->place.n_outline = 3;
    }
    some.inspections = p;
    some.n_inspections = 1;
    write_and_open(&some, "odd.glb", &glb);
    for (n = 0; observation_node(&glb, n); n++)
        assert_string_equal(word(observation_node(&glb, n), "name"), "observation 1.00 m");
    assert_int_equal(n, 3); /* without a clock angle: the whole ring; infinite ones likewise */
    close_glb(&glb);
    intra_record_fini(&odd);
}

static void same_bytes_for_any_threads(void **state)
{
#ifndef _OPENMP
    (void)state;
    skip();
#else
    static const char *const names[2][2] = {{"one.glb", "three.glb"}, {"one.obj", "three.obj"}};
    struct intra_error err = {0};
    char path[512], *bytes[2];
    size_t size[2], skip_lines;
    int before = omp_get_max_threads();
    (void)state;
    for (int format = 0; format < 2; format++) {
        for (int k = 0; k < 2; k++) {
            omp_set_num_threads(k ? 3 : 1);
            made_path(path, sizeof path, folder, names[format][k]);
            assert_int_equal(format ? intra_export_obj(&scene, &options, path, &err)
                                    : intra_export_glb(&scene, &options, path, &err),
                             INTRA_OK);
            assert_int_equal(intra_read_file(path, 1 << 28, &bytes[k], &size[k], &err), INTRA_OK);
        }
        omp_set_num_threads(before);
        /* the OBJ names its .mtl after itself, in its third line */
        skip_lines = format ? 1 : 0;
        const char *from[2] = {bytes[0], bytes[1]};
        if (skip_lines)
            for (int k = 0; k < 2; k++)
                from[k] = strstr(bytes[k], "\no ");
        assert_int_equal(size[0] - (size_t)(from[0] - bytes[0]), size[1] - (size_t)(from[1] - bytes[1]));
        assert_memory_equal(from[0], from[1], size[0] - (size_t)(from[0] - bytes[0]));
        intra_free(bytes[0]);
        intra_free(bytes[1]);
    }
#endif
}

/* Every group, and every material that is used is there once. */
static void obj_has_groups_and_materials(void **state)
{
    struct intra_error err = {0};
    char path[512], line[256], name[128], *mtl, needle[160];
    size_t size;
    FILE *in;
    int objects = 0, groups = 0, cracks = 0, patches = 0;
    long vertices = 0;
    (void)state;
    assert_int_equal(intra_export_obj(&scene, &options, made_path(path, sizeof path, folder, "model.obj"), &err),
                     INTRA_OK);
    assert_int_equal(intra_read_file(made_path(path, sizeof path, folder, "model.mtl"), 1 << 20, &mtl, &size, &err),
                     INTRA_OK);
    in = fopen(made_path(path, sizeof path, folder, "model.obj"), "r");
    assert_non_null(in);
    while (fgets(line, sizeof line, in)) {
        long corners[3];
        for (const char *c = line; *c; c++)
            assert_true(*c == '\n' || isprint((unsigned char)*c));
        if (strncmp(line, "o observation_", 14) == 0) objects++;
        if (line[0] == 'v' && line[1] == ' ') vertices++;
        if (sscanf(line, "g %127s", name) == 1) {
            groups++;
            cracks += strcmp(name, "BAB") == 0;
        }
        if (sscanf(line, "f %ld %ld %ld", &corners[0], &corners[1], &corners[2]) == 3)
            for (int k = 0; k < 3; k++)
                assert_true(corners[k] >= 1 && corners[k] <= vertices);
        if (sscanf(line, "usemtl %127s", name) != 1) continue;
        snprintf(needle, sizeof needle, "newmtl %s\n", name);
        assert_non_null(strstr(mtl, needle));
        assert_null(strstr(strstr(mtl, needle) + 1, needle));
        patches += strstr(name, "_patch") != NULL;
    }
    fclose(in);
    assert_int_equal(objects, MADE_PLACED);
    assert_int_equal(groups, MADE_PLACED);
    assert_int_equal(cracks, 1);
    assert_int_equal(patches, MADE_PLACED);
    assert_non_null(strstr(mtl, "newmtl BAF_severity_4_patch\nKa 0 0 0\nKd 0.4824 0.0627 0.1882\n"));
    assert_non_null(strstr(mtl, "newmtl __script________ungraded\n"));
    intra_free(mtl);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_a_node),
        cmocka_unit_test(hostile_text_is_cut),
        cmocka_unit_test(patches_float_where_they_belong),
        cmocka_unit_test(outlines_and_pins),
        cmocka_unit_test(colours_are_those_of_the_page),
        cmocka_unit_test(table_holds_the_observations),
        cmocka_unit_test(texels_know_their_observation),
        cmocka_unit_test(without_records_nothing_is_added),
        cmocka_unit_test(they_are_small),
        cmocka_unit_test(only_those_of_the_stretch),
        cmocka_unit_test(very_many_keep_the_budget),
        cmocka_unit_test(broken_regions_are_left_out),
        cmocka_unit_test(same_bytes_for_any_threads),
        cmocka_unit_test(obj_has_groups_and_materials),
    };
    return cmocka_run_group_tests_name("marks", tests, make_scene, drop_scene);
}
