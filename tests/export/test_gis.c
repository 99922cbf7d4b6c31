/* Proves: each format is written and read again by GDAL's own tools without a warning; the GeoPackage passes SQLite's
 * integrity and foreign key checks; a pipe with manhole coordinates lies between them in their coordinate system, with
 * stations as M; one without stays in its own metres; an outline lies on the unrolled picture's coordinates, in two
 * parts where it crosses the cut; an unknown coordinate system stops nothing; a folder that is there and a place that
 * cannot be written are errors. */
#include "export/gis.h"
#include "made_scene.h"

#include "core/fileio.h"
#include "core/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct made {
    struct intra_scene scene;
    struct intra_record record;
    struct intra_inspection *inspection;
    struct made_pipe pipe;
    char dir[256];
};

static void make(struct made *m, bool has_nodes)
{
    struct intra_observation *o;
    m->pipe = made_pipe_defaults();
    made_folder(m->dir, sizeof m->dir);
    made_scene_init(&m->scene, &m->pipe, m->dir);
    intra_record_init(&m->record);
    assert_int_equal(intra_record_add_inspection(&m->record, &m->inspection, NULL), INTRA_OK);
    assert_int_equal(intra_text_set(&m->inspection->pipe, "P-0101", NULL), INTRA_OK);
    if (has_nodes) {
        m->inspection->start_xyz = intra_vec3(500000, 5700000, 40);
        m->inspection->end_xyz = intra_vec3(500000, 5700100, 39); /* due north */
        assert_int_equal(intra_text_set(&m->inspection->crs, "EPSG:25832", NULL), INTRA_OK);
    }
    double s0 = m->scene.sections[4].station_m, s1 = m->scene.sections[8].station_m;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(intra_inspection_add_observation(m->inspection, &o, NULL), INTRA_OK);
        assert_int_equal(intra_text_set(&o->code, i ? "BBC" : "BAB", NULL), INTRA_OK);
        assert_int_equal(intra_text_set(&o->remark,
                                        "Gr\xc3\xb6\xc3\x9f"
                                        "e \"x\"",
                                        NULL),
                         INTRA_OK);
        assert_int_equal(intra_observation_add_media(o, INTRA_MEDIA_PICTURE, "a.jpg", NULL, NULL), INTRA_OK);
        o->system = INTRA_CODES_EN13508_2;
        o->place.is_placed = o->place.is_refined = true;
        o->place.refined = (struct intra_wall_region){s0, s1, 0.002, 1, 1.2, 0.01};
        o->place.recorded = o->place.refined;
        o->place.is_line = i == 0;
        o->place.n_outline = i ? 4 : 2;
        o->place.outline = intra_alloc((size_t)o->place.n_outline, sizeof *o->place.outline);
        assert_non_null(o->place.outline);
        const double corners[4][2] = {{s0, 1}, {s1, 1.2}, {s1, 1.0}, {s0, 1.0}};
        memcpy(o->place.outline, corners, (size_t)o->place.n_outline * sizeof *o->place.outline);
        assert_true(intra_scene_wall_point(&m->scene, (s0 + s1) / 2, 1.1, 0, &o->place.x, NULL));
        o->extent.length_m = 0.25;
    }
    assert_int_equal(intra_inspection_add_observation(m->inspection, &o, NULL), INTRA_OK); /* not placed: left out */
}

static void unmake(struct made *m)
{
    char command[600];
    intra_record_fini(&m->record);
    intra_scene_fini(&m->scene);
    snprintf(command, sizeof command, "rm -rf '%s'", m->dir);
    assert_int_equal(system(command), 0);
}

static double ask(const char *path, const char *sql)
{
    sqlite3 *db;
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    double out = sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_double(statement, 0) : NAN;
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return out;
}

/* GDAL's own reader says nothing on its error stream, and `wanted` is in what it prints. */
static void read_with_ogrinfo(const char *path, const char *wanted)
{
    char command[2400];
    if (system("command -v ogrinfo >/dev/null") != 0) return;
    snprintf(command, sizeof command,
             "ogrinfo -ro -al '%s' >'%s.txt' 2>'%s.err' && test ! -s '%s.err' && grep -q '%s' '%s.txt'", path, path,
             path, path, wanted, path);
    assert_int_equal(system(command), 0);
}

static void gpkg_with_coordinates(void **state)
{
    struct made m;
    char path[300];
    (void)state;
    make(&m, true);
    made_path(path, sizeof path, m.dir, "observations.gpkg");
    struct intra_error err = {0};
    enum intra_status status = intra_export_gis(&m.scene, m.inspection, 1, INTRA_GIS_GPKG, path, &err);
    if (status != INTRA_OK) fail_msg("%s", err.text);
    assert_float_equal(ask(path, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"), 1, 0);
    assert_float_equal(ask(path, "SELECT count(*) FROM pragma_foreign_key_check"), 0, 0);
    assert_float_equal(ask(path, "SELECT count(*) FROM observations WHERE source = 'imported'"), 2, 0);
    assert_float_equal(ask(path, "SELECT count(*) FROM observations WHERE source = 'found'"),
                       (double)m.scene.n_features, 0);
    assert_float_equal(ask(path, "SELECT count(*) FROM observation_lines"), 2, 0);
    assert_float_equal(ask(path, "SELECT count(*) FROM wall_lines"), 1, 0);
    assert_float_equal(ask(path, "SELECT count(*) FROM wall_areas"), 1, 0);
    assert_float_equal(ask(path, "SELECT count(*) FROM media"), 2, 0);
    assert_float_equal(ask(path, "SELECT srs_id FROM gpkg_geometry_columns WHERE table_name = 'pipe'"), 25832, 0);
    assert_float_equal(ask(path, "SELECT srs_id FROM gpkg_geometry_columns WHERE table_name = 'wall_lines'"), -1, 0);
    assert_float_equal(ask(path, "SELECT z + 10 * m FROM gpkg_geometry_columns WHERE table_name = 'pipe'"), 11, 0);
    /* It sets out at the node and runs north. */
    assert_float_equal(ask(path, "SELECT min_x FROM gpkg_contents WHERE table_name = 'pipe'"), 500000, 0.2);
    assert_float_equal(ask(path, "SELECT min_y FROM gpkg_contents WHERE table_name = 'pipe'"), 5700000, 0.2);
    const struct intra_section *last = &m.scene.sections[m.scene.n_sections - 1];
    assert_float_equal(ask(path, "SELECT max_y FROM gpkg_contents WHERE table_name = 'pipe'"),
                       5700000 + intra_norm(intra_sub(last->centre, m.scene.sections[0].centre)), 0.2);
    /* The line on the wall: x is the station, y counts from the bottom edge. */
    double y = m.scene.wall.perimeter_m * (1 - (1 - m.scene.wall.cut_rad + 2 * M_PI) / (2 * M_PI));
    assert_float_equal(ask(path, "SELECT min_x FROM gpkg_contents WHERE table_name = 'wall_lines'"),
                       m.scene.sections[4].station_m, 1e-9);
    assert_float_equal(ask(path, "SELECT max_y FROM gpkg_contents WHERE table_name = 'wall_lines'"), y, 1e-9);
    read_with_ogrinfo(path, "code (String) = BAB");
    unmake(&m);
}

static void gpkg_without_coordinates_or_record(void **state)
{
    struct made m;
    char path[300];
    (void)state;
    make(&m, false);
    made_path(path, sizeof path, m.dir, "observations.gpkg");
    assert_int_equal(intra_export_gis(&m.scene, NULL, 0, INTRA_GIS_GPKG, path, NULL), INTRA_OK);
    assert_float_equal(ask(path, "SELECT srs_id FROM gpkg_geometry_columns WHERE table_name = 'pipe'"), -1, 0);
    assert_float_equal(ask(path, "SELECT min_x FROM gpkg_contents WHERE table_name = 'pipe'"),
                       m.scene.sections[0].centre.x, 1e-6);
    assert_float_equal(ask(path, "SELECT count(*) FROM pragma_foreign_key_check"), 0, 0);
    read_with_ogrinfo(path, "Layer name: sections");
    unmake(&m);
}

/* A deposit that lies on the invert, where the unrolled picture begins and ends: both halves are on the picture. */
static void over_the_cut_both_halves_are_shown(void **state)
{
    struct made m;
    char path[300];
    (void)state;
    make(&m, false);
    struct intra_place *place = &m.inspection->observations[1].place;
    double s0 = place->outline[0][0], s1 = place->outline[1][0], cut = m.scene.wall.cut_rad;
    const double corners[4][2] = {{s0, cut - 0.3}, {s1, cut - 0.3}, {s1, cut + 0.2}, {s0, cut + 0.2}};
    memcpy(place->outline, corners, sizeof corners);
    place = &m.inspection->observations[0].place;
    memcpy(place->outline, corners + 1, 2 * sizeof corners[0]); /* the line up its end */
    made_path(path, sizeof path, m.dir, "observations.gpkg");
    assert_int_equal(intra_export_gis(&m.scene, m.inspection, 1, INTRA_GIS_GPKG, path, NULL), INTRA_OK);
    for (int i = 0; i < 2; i++) {
        const char *layer = i ? "wall_areas" : "wall_lines";
        char sql[200];
        snprintf(sql, sizeof sql, "SELECT min_y FROM gpkg_contents WHERE table_name = '%s'", layer);
        assert_float_equal(ask(path, sql), 0, 1e-9);
        snprintf(sql, sizeof sql, "SELECT max_y FROM gpkg_contents WHERE table_name = '%s'", layer);
        assert_float_equal(ask(path, sql), m.scene.wall.perimeter_m, 1e-9);
        snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", layer);
        assert_float_equal(ask(path, sql), 1, 0);
    }
    read_with_ogrinfo(path, "MULTIPOLYGON (((");
    read_with_ogrinfo(path, "MULTILINESTRING ((");
    unmake(&m);
}

static void other_formats_are_read_again(void **state)
{
    struct made m;
    char path[300];
    const struct {
        enum intra_gis_format format;
        const char *name, *wanted;
    } cases[] = {{INTRA_GIS_GEOJSON, "o.geojson", "code (String) = BBC"},
                 {INTRA_GIS_FGDB, "o.gdb", "code (String) = BBC"},
                 {INTRA_GIS_SHP, "shapes", "length_mm (Real) = 250"}};
    (void)state;
    make(&m, true);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct intra_error err = {0};
        made_path(path, sizeof path, m.dir, cases[i].name);
        enum intra_status status = intra_export_gis(&m.scene, m.inspection, 1, cases[i].format, path, &err);
        if (status != INTRA_OK) fail_msg("%s: %s", cases[i].name, err.text);
        read_with_ogrinfo(path, cases[i].wanted);
    }
    made_path(path, sizeof path, m.dir, "o.gdb");
    assert_int_equal(intra_export_gis(&m.scene, m.inspection, 1, INTRA_GIS_FGDB, path, NULL), INTRA_E_EXISTS);
    unmake(&m);
}

static void what_cannot_be_is_an_error(void **state)
{
    struct made m;
    struct intra_error err = {0};
    char path[300];
    (void)state;
    make(&m, true);
    assert_int_equal(intra_export_gis(&m.scene, m.inspection, 1, INTRA_GIS_GPKG, "/nonexistent/o.gpkg", &err),
                     INTRA_E_IO);
    assert_non_null(strstr(err.text, "/nonexistent/o.gpkg"));
    made_path(path, sizeof path, m.dir, "bad.gpkg");
    assert_int_equal(intra_text_set(&m.inspection->crs, "the town's own", NULL), INTRA_OK);
    assert_int_equal(intra_export_gis(&m.scene, m.inspection, 1, INTRA_GIS_GPKG, path, &err), INTRA_OK);
    assert_true(intra_path_exists(path));
    unmake(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gpkg_with_coordinates), cmocka_unit_test(gpkg_without_coordinates_or_record),
        cmocka_unit_test(over_the_cut_both_halves_are_shown), cmocka_unit_test(other_formats_are_read_again),
        cmocka_unit_test(what_cannot_be_is_an_error)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
