/* Proves: records come back from project.sqlite as they went in, every field, text, outline and number (NaN included),
 * several imports side by side; v_rehab lists what intra_measure_pipe lists; keys and views hold; an observation of an
 * old store is counted, not lost in silence; every allocation and a damaged file give an error. Does not prove: that
 * places are right (recon tests). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/defect_kind.h"
#include "core/fileio.h"
#include "core/mem.h"
#include "core/store_records.h"
#include "recon/measure.h"

#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[64], path[128];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/intrados-records-XXXXXX");
    if (!mkdtemp(folder)) return -1;
    snprintf(path, sizeof path, "%s/project.sqlite", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static double noise(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (double)(*seed >> 11) / 9007199254740992.0 - 0.5;
}

static void make_store(const struct intra_scene *scene)
{
    struct intra_store *store = NULL;
    struct intra_error err = {0};
    assert_int_equal(intra_store_create(path, &store, &err), INTRA_OK);
    assert_int_equal(intra_store_write_scene(store, scene, &err), INTRA_OK);
    assert_int_equal(intra_store_commit(store, &err), INTRA_OK);
    intra_store_close(&store);
}

static void make_scene(struct intra_scene *scene)
{
    intra_scene_init(scene);
    assert_int_equal(intra_camera_from_hfov(768, 576, 1.1, &scene->camera, NULL), INTRA_OK);
    scene->nominal_diameter_m = 0.3;
    scene->section_step_m = 0.05;
    for (int i = 0; i < 3; i++) { /* laterals: one named by the record below, one across the crown from it, one alone */
        struct intra_feature f = intra_feature_unknown();
        f.kind = i < 2 ? INTRA_FEATURE_LATERAL : INTRA_FEATURE_JOINT;
        f.station_m = i == 0 ? 2.01 : 7;
        f.station_sd_m = 0.004;
        f.clock_rad = i == 0 ? 0.05 : 2;
        f.clock_sd_rad = 0.02;
        f.diameter_m = 0.12;
        f.diameter_sd_m = 0.003;
        assert_int_equal(intra_scene_add_feature(scene, &f, NULL), INTRA_OK);
    }
}

static void set(char **to, const char *text)
{
    assert_int_equal(intra_text_set(to, text, NULL), INTRA_OK);
}

static void add_fields(struct intra_fields *to, const char *prefix)
{
    char name[64];
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%s %d", prefix, i / 2); /* names may repeat */
        assert_int_equal(intra_fields_add(to, name, i == 1 ? NULL : "<b>\"v'\xc3\xbc", NULL), INTRA_OK);
    }
}

static void add_outline(double (**to)[2], int *n, int points, uint64_t *seed)
{
    *to = intra_alloc((size_t)points, sizeof **to);
    assert_non_null(*to);
    *n = points;
    for (int i = 0; i < points; i++)
        (*to)[i][0] = noise(seed), (*to)[i][1] = 7 * noise(seed);
}

static void fill_observation(struct intra_observation *o, int k, uint64_t *seed)
{
    struct intra_frame_region *region;
    struct intra_media *medium;
    double *extents = &o->extent.length_m;
    char id[32];
    snprintf(id, sizeof id, "o-%d", k);
    if (k % 2) set(&o->id, id);
    o->system = (enum intra_code_system)(k % (INTRA_CODES_OWN + 1));
    set(&o->code, k % 3 ? "BAB" : "DSGV");
    set(&o->characterisation[1], "C");
    o->quantity[0] = noise(seed);
    set(&o->quantity_unit[0], "mm");
    o->percent = 12.5;
    o->distance_m = noise(seed);
    o->distance_to_m = k % 2 ? NAN : noise(seed);
    set(&o->continuous_id, "1");
    o->clock_from_rad = 1, o->clock_to_rad = NAN;
    o->is_at_joint = k % 2;
    o->time_s = 1.0 / 3;
    o->frame = k % 3 - 1; /* -1 and 0 are not the same */
    set(&o->remark, "Gr\xc3\xb6\xc3\x9f"
                    "e; '\"");
    set(&o->text, "");
    o->score = 0.7;
    set(&o->model, "m-1");
    set(&o->review, "accepted");
    for (int i = 0; i < k % 4; i++)
        assert_int_equal(intra_observation_add_grade(o,
                                                     (struct intra_grade){(enum intra_grade_scale)(i + 1),
                                                                          (enum intra_grade_aspect)i, i + 0.5, i == 1},
                                                     NULL),
                         INTRA_OK);
    add_fields(&o->source, "row");
    if (k % 2) add_fields(&o->finish_source, "finish");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(
            intra_observation_add_media(o, i ? INTRA_MEDIA_PICTURE : INTRA_MEDIA_VIDEO, "a b.mpg", &medium, NULL),
            INTRA_OK);
        if (i) add_fields(&medium->source, "medium");
    }
    for (int i = 0; i < k % 3; i++) {
        assert_int_equal(intra_observation_add_region(o, &region, NULL), INTRA_OK);
        region->frame = i ? -1 : 0;
        region->time_s = i ? NAN : 2;
        set(&region->picture, i ? "f.png" : NULL);
        region->width_px = 720, region->height_px = 576;
        region->score = 0.25;
        add_outline(&region->outline, &region->n_outline, 4 + i, seed);
    }
    o->place.is_placed = k % 5 != 0;
    o->place.is_refined = k % 2;
    o->place.recorded = (struct intra_wall_region){1, 2, noise(seed), 0, 1, 0.1};
    o->place.refined =
        o->place.is_refined ? (struct intra_wall_region){1.1, 1.2, 0.001, 0.2, 0.3, noise(seed)} : o->place.recorded;
    o->place.is_line = k % 4 == 1;
    if (o->place.is_refined) add_outline(&o->place.outline, &o->place.n_outline, 1 + 3 * k, seed);
    snprintf(o->place.reason, sizeof o->place.reason, "because of %d", k);
    o->place.frame = k;
    o->place.time_s = noise(seed);
    o->place.x = intra_vec3(noise(seed), noise(seed), noise(seed));
    o->place.x_sd = intra_vec3(noise(seed), NAN, noise(seed));
    for (int i = 0; i < 4; i++)
        extents[i] = noise(seed);
    o->extent.is_width_limit = k % 2;
    o->extent.depth_m = -0.01;
    o->extent.opening_sd_m = 0.001;
    o->extent.resolution_m = 0.0007;
    o->extent.n_views = k;
}

static void make_record(struct intra_record *record, int inspections, int observations)
{
    uint64_t seed = 5;
    intra_record_init(record);
    record->format = INTRA_RECORD_ISYBAU;
    set(&record->path, "r.xml");
    set(&record->version, "2013-02");
    record->counts.read = 3;
    for (int i = 0; i < inspections; i++) {
        struct intra_inspection *p;
        struct intra_media *medium;
        struct intra_observation *o;
        assert_int_equal(intra_record_add_inspection(record, &p, NULL), INTRA_OK);
        set(&p->id, i ? "18" : "17");
        set(&p->pipe, "P-1");
        set(&p->node_end, "B");
        p->direction = (enum intra_survey_direction)(i % 3);
        p->is_reverse_setup = i % 2;
        set(&p->date, "2024-05-17");
        set(&p->operator_name, "\xc3\x84");
        p->height_m = 0.3;
        p->is_imperial = true;
        p->start_xyz = intra_vec3(500000.125, 5700000, NAN);
        p->end_xyz = intra_vec3(noise(&seed), noise(&seed), noise(&seed));
        set(&p->crs, "EPSG:25832");
        p->n_grades = i % 2;
        p->grades[0] = (struct intra_grade){INTRA_SCALE_DWA, INTRA_ASPECT_TIGHTNESS, 2, false};
        add_fields(&p->source, "header");
        assert_int_equal(intra_inspection_add_media(p, INTRA_MEDIA_VIDEO, "whole.mp4", &medium, NULL), INTRA_OK);
        add_fields(&medium->source, "of the whole");
        for (int k = 0; k < observations; k++) {
            assert_int_equal(intra_inspection_add_observation(p, &o, NULL), INTRA_OK);
            fill_observation(o, k, &seed);
        }
    }
}

/* ---- comparing ---- */

static void same_text(const char *a, const char *b)
{
    assert_true((a == NULL) == (b == NULL));
    if (a) assert_string_equal(a, b);
}

static void same_numbers(const double *a, const double *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_true(memcmp(&a[i], &b[i], sizeof *a) == 0 || (isnan(a[i]) && isnan(b[i])));
}

static void same_fields(const struct intra_fields *a, const struct intra_fields *b)
{
    assert_int_equal(a->n, b->n);
    for (int i = 0; i < a->n; i++) {
        same_text(a->items[i].name, b->items[i].name);
        same_text(a->items[i].value, b->items[i].value);
    }
}

static void same_grades(const struct intra_grade *a, const struct intra_grade *b, int n, int n_b)
{
    assert_int_equal(n, n_b);
    for (int i = 0; i < n; i++)
        assert_true(a[i].scale == b[i].scale && a[i].aspect == b[i].aspect && a[i].value == b[i].value &&
                    a[i].is_computed == b[i].is_computed);
}

static void same_media(const struct intra_media *a, const struct intra_media *b, int n, int n_b)
{
    assert_int_equal(n, n_b);
    for (int i = 0; i < n; i++) {
        assert_int_equal(a[i].kind, b[i].kind);
        same_text(a[i].file, b[i].file);
        same_fields(&a[i].source, &b[i].source);
    }
}

static void same_outline(double (*a)[2], double (*b)[2], int n, int n_b)
{
    assert_int_equal(n, n_b);
    if (n) same_numbers(*a, *b, 2 * (size_t)n);
}

static void same_observation(const struct intra_observation *a, const struct intra_observation *b)
{
    char *const texts[][2] = {{a->id, b->id},
                              {a->code, b->code},
                              {a->characterisation[0], b->characterisation[0]},
                              {a->characterisation[1], b->characterisation[1]},
                              {a->quantity_unit[0], b->quantity_unit[0]},
                              {a->quantity_unit[1], b->quantity_unit[1]},
                              {a->continuous_id, b->continuous_id},
                              {a->remark, b->remark},
                              {a->text, b->text},
                              {a->model, b->model},
                              {a->review, b->review}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        same_text(texts[i][0], texts[i][1]);
    assert_true(a->system == b->system && a->is_at_joint == b->is_at_joint && a->frame == b->frame);
    same_numbers(a->quantity, b->quantity, 2);
    same_numbers(&a->percent, &b->percent, 1);
    same_numbers(&a->distance_m, &b->distance_m, 2);
    same_numbers(&a->clock_from_rad, &b->clock_from_rad, 2);
    same_numbers(&a->time_s, &b->time_s, 1);
    same_numbers(&a->score, &b->score, 1);
    same_grades(a->grades, b->grades, a->n_grades, b->n_grades);
    same_fields(&a->source, &b->source);
    same_fields(&a->finish_source, &b->finish_source);
    same_media(a->media, b->media, a->n_media, b->n_media);
    assert_int_equal(a->n_regions, b->n_regions);
    for (int i = 0; i < a->n_regions; i++) {
        const struct intra_frame_region *p = &a->regions[i], *q = &b->regions[i];
        assert_true(p->frame == q->frame && p->width_px == q->width_px && p->height_px == q->height_px);
        same_text(p->picture, q->picture);
        same_numbers(&p->time_s, &q->time_s, 1);
        same_numbers(&p->score, &q->score, 1);
        same_outline(p->outline, q->outline, p->n_outline, q->n_outline);
    }
    assert_true(a->place.is_placed == b->place.is_placed && a->place.is_refined == b->place.is_refined &&
                a->place.is_line == b->place.is_line && a->place.frame == b->place.frame);
    assert_string_equal(a->place.reason, b->place.reason);
    same_numbers(&a->place.recorded.station_from_m, &b->place.recorded.station_from_m, 6);
    same_numbers(&a->place.refined.station_from_m, &b->place.refined.station_from_m, 6);
    same_numbers(&a->place.time_s, &b->place.time_s, 1);
    same_numbers(&a->place.x.x, &b->place.x.x, 6);
    same_outline(a->place.outline, b->place.outline, a->place.n_outline, b->place.n_outline);
    same_numbers(&a->extent.length_m, &b->extent.length_m, 6);
    same_numbers(&a->extent.area_m2, &b->extent.area_m2,
                 (offsetof(struct intra_extent, resolution_m) - offsetof(struct intra_extent, area_m2)) / 8 + 1);
    assert_true(a->extent.is_width_limit == b->extent.is_width_limit && a->extent.n_views == b->extent.n_views);
}

static void same_inspection(const struct intra_inspection *a, const struct intra_inspection *b)
{
    char *const texts[][2] = {{a->id, b->id},
                              {a->pipe, b->pipe},
                              {a->node_start, b->node_start},
                              {a->node_end, b->node_end},
                              {a->node_upstream, b->node_upstream},
                              {a->node_downstream, b->node_downstream},
                              {a->date, b->date},
                              {a->time, b->time},
                              {a->standard, b->standard},
                              {a->shape, b->shape},
                              {a->material, b->material},
                              {a->purpose, b->purpose},
                              {a->operator_name, b->operator_name},
                              {a->street, b->street},
                              {a->town, b->town},
                              {a->crs, b->crs}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        same_text(texts[i][0], texts[i][1]);
    assert_true(a->direction == b->direction && a->is_reverse_setup == b->is_reverse_setup &&
                a->is_imperial == b->is_imperial);
    same_numbers(&a->height_m, &b->height_m, 5);
    same_numbers(&a->start_xyz.x, &b->start_xyz.x, 6);
    same_grades(a->grades, b->grades, a->n_grades, b->n_grades);
    same_fields(&a->source, &b->source);
    same_media(a->media, b->media, a->n_media, b->n_media);
    assert_int_equal(a->n_observations, b->n_observations);
    for (int64_t i = 0; i < a->n_observations; i++)
        same_observation(&a->observations[i], &b->observations[i]);
}

static enum intra_status read_back(struct intra_record *record, struct intra_error *err)
{
    struct intra_store *store = NULL;
    int64_t unread = -1;
    enum intra_status status = intra_store_open(path, &store, err);
    intra_record_init(record);
    if (status == INTRA_OK) status = intra_store_read_records(store, record, &unread, err);
    if (status == INTRA_OK) assert_int_equal(unread, 0);
    intra_store_close(&store);
    return status;
}

/* The one number that a query gives. */
static double ask(const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    double value;
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK) fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    if (sqlite3_step(stmt) != SQLITE_ROW) fail_msg("%s: no row", sql);
    value = sqlite3_column_type(stmt, 0) == SQLITE_NULL ? (double)NAN : sqlite3_column_double(stmt, 0);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return value;
}

static void tell(const char *sql)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    sqlite3_close(db);
}

/* ---- cases ---- */

static void records_round_trip(void **state)
{
    static const bool is_chosen[] = {false, true, true};
    struct intra_scene scene;
    struct intra_record in, out;
    int64_t id = 0;
    (void)state;
    make_scene(&scene);
    make_store(&scene);
    assert_int_equal(read_back(&out, NULL), INTRA_OK);
    assert_int_equal(out.n_inspections, 0); /* nothing was added yet */
    make_record(&in, 3, 11);
    assert_int_equal(intra_store_add_record(path, &in, NULL, &id, NULL), INTRA_OK);
    assert_int_equal(id, 1);
    in.format = INTRA_RECORD_COCO;
    assert_int_equal(intra_store_add_record(path, &in, is_chosen, &id, NULL), INTRA_OK);
    assert_int_equal(id, 2);
    assert_int_equal(read_back(&out, NULL), INTRA_OK);
    assert_int_equal(out.n_inspections, 5);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(out.inspections[i].number, i + 1);
        assert_int_equal(out.inspections[i].format, i < 3 ? INTRA_RECORD_ISYBAU : INTRA_RECORD_COCO);
        same_inspection(&in.inspections[i < 3 ? i : i - 2], &out.inspections[i]);
    }
    assert_int_equal(ask("SELECT count(*) FROM pragma_foreign_key_check"), 0);
    assert_int_equal(ask("SELECT count(*) FROM v_observations"), 55);
    intra_record_fini(&out);
    tell("PRAGMA foreign_keys=ON; DELETE FROM record WHERE id = 1");
    assert_int_equal(read_back(&out, NULL), INTRA_OK); /* cascades to the last child */
    assert_int_equal(out.n_inspections, 2);
    same_inspection(&in.inspections[2], &out.inspections[1]);
    assert_int_equal(ask("SELECT count(*) FROM frame_region_point p LEFT JOIN frame_region r ON r.id = p.frame_region "
                         "WHERE r.id IS NULL"),
                     0);
    intra_record_fini(&in);
    intra_record_fini(&out);
    intra_scene_fini(&scene);
}

/* A placed observation of EN 13508-2. */
static void put(struct intra_inspection *p, const char *code, double from, double to, double clock_from,
                double clock_to)
{
    struct intra_observation *o;
    assert_int_equal(intra_inspection_add_observation(p, &o, NULL), INTRA_OK);
    set(&o->code, code);
    o->system = INTRA_CODES_EN13508_2;
    o->place.is_placed = true;
    o->place.recorded = o->place.refined = (struct intra_wall_region){from, to, 0.01, clock_from, clock_to, 0.1};
}

static void rehab_view_lists_what_measure_lists(void **state)
{
    struct intra_scene scene;
    struct intra_record in, second;
    struct intra_inspection *p, both[2];
    struct intra_measures m;
    struct intra_measure_options options = intra_measure_defaults();
    int64_t id = 0;
    char sql[400];
    (void)state;
    make_scene(&scene);
    make_store(&scene);
    intra_record_init(&in);
    intra_record_init(&second);
    assert_int_equal(intra_record_add_inspection(&in, &p, NULL), INTRA_OK);
    put(p, "BCA", 1.95, 2.05, 2 * M_PI - 0.3, 0.3); /* over the crown; found beside it at 0.05 rad */
    put(p, "BAB", 3, 3.4, 0, 1);
    put(p, "BAC", 3.5, 3.6, 1, 2);    /* its short liner meets the one before */
    put(p, "BAF", 5, 8, 0, 2 * M_PI); /* a long one, and one within it */
    put(p, "BAB", 5.5, 5.6, 1, 2);
    put(p, "BAJ", 8.9, 8.9, 0, 2 * M_PI); /* 0.45 m behind: on its own */
    put(p, "BBA", 4, 4.5, 5, 6);
    put(p, "BBC", 6, 6.5, 2.8, 3.4);
    p->observations[7].extent.volume_m3 = 0.0021;
    p->observations[7].extent.volume_sd_m3 = 0.0002;
    put(p, "BDB", 1, 1, NAN, NAN); /* nothing to be done */
    assert_int_equal(intra_store_add_record(path, &in, NULL, &id, NULL), INTRA_OK);
    assert_int_equal(intra_measure_pipe(&scene, p, 1, &options, &m, NULL), INTRA_OK);
    assert_int_equal(m.n_laterals, 2);
    assert_int_equal(m.n_patches, 3);
    assert_int_equal(ask("SELECT count(*) FROM v_rehab WHERE action = 'reopen lateral'"), m.n_laterals);
    assert_int_equal(ask("SELECT count(*) FROM v_rehab WHERE action = 'short liner'"), m.n_patches);
    assert_int_equal(ask("SELECT count(*) FROM v_rehab WHERE action LIKE 'remove%'"), m.n_deposits + m.n_roots);
    for (int i = 0; i < m.n_patches; i++) {
        snprintf(sql, sizeof sql,
                 "SELECT count(*) FROM v_rehab WHERE action = 'short liner' AND abs(station_from_m - %.6f) < 1e-5 AND "
                 "abs(station_to_m - %.6f) < 1e-5 AND n_observations = %d AND clock_from_h IS NULL AND unit = 'm'",
                 m.patches[i].from_m, m.patches[i].to_m, m.patches[i].n);
        assert_int_equal(ask(sql), 1);
    }
    for (int i = 0; i < m.n_laterals; i++) {
        const struct intra_lateral_measure *l = &m.laterals[i];
        snprintf(sql, sizeof sql,
                 "SELECT count(*) FROM v_rehab WHERE action = 'reopen lateral' AND abs((station_from_m + station_to_m) "
                 "/ 2 - %.6f) < 1e-5 AND abs(clock_from_h - %.6f) < 1e-5 AND abs(value - %.6f) < 1e-3 AND "
                 "abs(value_sd - %.6f) < 1e-3",
                 l->station_m, l->clock_rad * 6 / M_PI, l->diameter_m * 1e3, l->diameter_sd_m * 1e3);
        assert_int_equal(ask(sql), 1);
    }
    assert_float_equal(ask("SELECT value FROM v_rehab WHERE action = 'remove deposit' AND unit = 'l'"), 2.1, 1e-9);
    assert_float_equal(ask("SELECT clock_to_h FROM v_rehab WHERE action = 'remove roots'"), 36 / M_PI, 1e-9);
    intra_measures_fini(&m);
    /* Another inspection of the same pipe, by a store that had another view: one list of liners, and the found lateral
     * still once. */
    tell("DROP VIEW v_rehab; CREATE VIEW v_rehab AS SELECT 'nothing' AS action");
    both[0] = *p;
    assert_int_equal(intra_record_add_inspection(&second, &p, NULL), INTRA_OK);
    put(p, "BAB", 3.2, 3.3, 0, 1);
    put(p, "BAC", 10, 10.1, 0, 1);
    both[1] = *p;
    assert_int_equal(intra_store_add_record(path, &second, NULL, &id, NULL), INTRA_OK);
    assert_int_equal(intra_measure_pipe(&scene, both, 2, &options, &m, NULL), INTRA_OK);
    assert_int_equal(m.n_patches, 4);
    assert_int_equal(ask("SELECT count(*) FROM v_rehab WHERE action = 'short liner'"), m.n_patches);
    for (int i = 0; i < m.n_patches; i++) {
        snprintf(sql, sizeof sql,
                 "SELECT count(*) FROM v_rehab WHERE action = 'short liner' AND abs(station_from_m - %.6f) < 1e-5 AND "
                 "abs(station_to_m - %.6f) < 1e-5 AND n_observations = %d",
                 m.patches[i].from_m, m.patches[i].to_m, m.patches[i].n);
        assert_int_equal(ask(sql), 1);
    }
    assert_int_equal(ask("SELECT count(*) FROM v_rehab WHERE action = 'short liner' AND inspection IS NULL"), 1);
    assert_int_equal(ask("SELECT count(*) FROM v_rehab WHERE action = 'short liner' AND inspection = 2"), 1);
    assert_int_equal(ask("SELECT count(*) FROM v_rehab WHERE action = 'reopen lateral'"), m.n_laterals);
    intra_measures_fini(&m);
    intra_record_fini(&second);
    intra_record_fini(&in);
    intra_scene_fini(&scene);
}

static void every_allocation_may_fail(void **state)
{
    struct intra_scene scene;
    struct intra_record in, out;
    int64_t id = 0;
    long before, needed;
    (void)state;
    make_scene(&scene);
    make_store(&scene);
    make_record(&in, 2, 4);
    before = intra_mem_count();
    assert_int_equal(intra_store_add_record(path, &in, NULL, &id, NULL), INTRA_OK);
    needed = intra_mem_count() - before;
    for (long n = 1; n <= needed; n++) {
        struct intra_error err = {0};
        intra_mem_fail_at(n, 0);
        assert_int_equal(intra_store_add_record(path, &in, NULL, &id, &err), INTRA_E_MEM);
        intra_mem_fail_at(0, 0);
    }
    before = intra_mem_count();
    assert_int_equal(read_back(&out, NULL), INTRA_OK);
    needed = intra_mem_count() - before;
    assert_int_equal(out.n_inspections, 2); /* no failed import left anything */
    intra_record_fini(&out);
    assert_true(needed > 100);
    for (long n = 1; n <= needed; n++) {
        struct intra_error err = {0};
        intra_mem_fail_at(n, 0);
        assert_int_equal(read_back(&out, &err), INTRA_E_MEM);
        intra_mem_fail_at(0, 0);
        assert_int_equal(out.n_inspections, 0);
    }
    intra_record_fini(&in);
    intra_scene_fini(&scene);
}

/* What version 3 made of records has no extents and outlines: counted, so that it can be said, and nothing is added. */
static void records_of_version_3_are_counted(void **state)
{
    struct intra_scene scene, read;
    struct intra_record in, out;
    struct intra_store *store = NULL;
    struct intra_error err = {0};
    int64_t id = 0, unread = 0;
    (void)state;
    make_scene(&scene);
    make_store(&scene);
    make_record(&in, 1, 4);
    assert_int_equal(intra_store_add_record(path, &in, NULL, &id, NULL), INTRA_OK);
    tell("DROP VIEW v_rehab; DROP VIEW v_observations; DROP TABLE observation_region; PRAGMA user_version = 3");
    assert_int_equal(intra_store_open(path, &store, &err), INTRA_OK);
    intra_scene_init(&read);
    intra_record_init(&out);
    assert_int_equal(intra_store_read_scene(store, &read, &err), INTRA_OK);
    assert_int_equal(intra_store_read_records(store, &out, &unread, &err), INTRA_OK);
    assert_true(out.n_inspections == 0 && unread == 4);
    intra_store_close(&store);
    assert_int_equal(intra_store_add_record(path, &in, NULL, &id, &err), INTRA_E_UNSUPPORTED);
    assert_non_null(strstr(err.text, "version 3"));
    intra_scene_fini(&read);
    intra_record_fini(&in);
    intra_scene_fini(&scene);
}

/* A byte turned over anywhere: read or refused, never a crash. */
static void damage_never_crashes(void **state)
{
    struct intra_scene scene;
    struct intra_record in, out;
    int64_t id = 0;
    uint64_t seed = 11;
    char *whole = NULL;
    size_t size = 0;
    (void)state;
    make_scene(&scene);
    make_store(&scene);
    make_record(&in, 2, 9);
    assert_int_equal(intra_store_add_record(path, &in, NULL, &id, NULL), INTRA_OK);
    assert_int_equal(intra_read_file(path, 10000000, &whole, &size, NULL), INTRA_OK);
    for (int i = 0; i < 200; i++) {
        size_t at = (size_t)((noise(&seed) + 0.5) * (double)size);
        FILE *file = fopen(path, "wb");
        assert_non_null(file);
        whole[at] ^= (char)(1 << i % 8);
        fwrite(whole, 1, i % 4 ? size : at, file);
        fclose(file);
        read_back(&out, NULL);
        intra_record_fini(&out);
        whole[at] ^= (char)(1 << i % 8);
    }
    intra_free(whole);
    intra_record_fini(&in);
    intra_scene_fini(&scene);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(records_round_trip),        CASE(rehab_view_lists_what_measure_lists),
        CASE(every_allocation_may_fail), CASE(records_of_version_3_are_counted),
        CASE(damage_never_crashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
