/* Proves, through the real program: a record goes into a finished project's store and table, placed where its distance
 * and clock position say; a second one stands beside the first; the page and every export show what was imported, all
 * of it or the inspection that is asked for; several inspections are not guessed between; a store that cannot be
 * changed stays as it was. Does not prove: where on a real wall a defect is (recon tests). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/store.h"
#include "core/video.h"
#include "export/export.h"
#include "export/report.h"
#include "made_scene.h"
#include "program.h"

#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char project[200];

static void put_file(const char *name, const char *text)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s", program_dir, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
    assert_int_equal(fclose(f), 0);
}

static void write_wall(const struct intra_scene *scene)
{
    char path[300];
    struct intra_error err = {0};
    static const char *const images[] = {"unrolled.tif", "relief.tif", "coverage.tif"};
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", project, images[i]);
        assert_int_equal(intra_export_tiff(scene, (enum intra_tiff_layer)i, path, NULL, &err), INTRA_OK);
    }
    struct intra_mesh_options mesh = intra_mesh_defaults();
    snprintf(path, sizeof path, "%s/model.glb", project);
    assert_int_equal(intra_export_glb(scene, &mesh, path, &err), INTRA_OK);
    if (intra_report_is_built_in()) {
        struct intra_report_options page = intra_report_defaults();
        snprintf(path, sizeof path, "%s/report.html", project);
        assert_int_equal(intra_export_report(scene, &page, path, NULL, &err), INTRA_OK);
    }
}

/* has_wall: with the wall's images, a model and the page, as reconstruct leaves them. */
static void make_project(const char *name, bool has_wall)
{
    struct intra_scene scene;
    struct intra_store *store = NULL;
    struct intra_error err = {0};
    char path[300];
    struct made_pipe pipe = made_pipe_defaults();
    snprintf(project, sizeof project, "%s/%s", program_dir, name);
    program_shell("mkdir -p '%s'", project);
    made_scene_init(&scene, &pipe, program_dir);
    snprintf(path, sizeof path, "%s/project.sqlite", project);
    assert_int_equal(intra_store_create(path, &store, &err), INTRA_OK);
    assert_int_equal(intra_store_write_scene(store, &scene, &err), INTRA_OK);
    assert_int_equal(intra_store_commit(store, &err), INTRA_OK);
    intra_store_close(&store);
    snprintf(path, sizeof path, "%s/observations.csv", project);
    assert_int_equal(intra_export_observations(&scene, NULL, 0, path, &err), INTRA_OK);
    if (has_wall) write_wall(&scene);
    intra_scene_fini(&scene);
}

/* A whole file as text; the caller frees. */
static char *read_text(const char *name)
{
    char path[400], *text;
    long size;
    snprintf(path, sizeof path, "%s/%s", program_dir, name);
    FILE *f = fopen(path, "rb");
    if (!f) fail_msg("%s is not there", path);
    assert_int_equal(fseek(f, 0, SEEK_END), 0);
    size = ftell(f);
    rewind(f);
    text = calloc(1, (size_t)size + 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, (size_t)size, f), size);
    fclose(f);
    return text;
}

static void assert_in_file(const char *name, const char *wanted, bool is_there)
{
    char *text = read_text(name);
    if ((strstr(text, wanted) != NULL) != is_there) {
        fprintf(stderr, "%s: ... %s\n", name, strlen(text) > 1500 ? text + strlen(text) - 1500 : text);
        fail_msg("%s: '%s' %s", name, wanted, is_there ? "missing" : "there");
    }
    free(text);
}

/* The one number that a query gives. */
static double ask_in(const char *name, const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    char path[300];
    double value;
    snprintf(path, sizeof path, "%s/%s", project, name);
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK) fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    value = sqlite3_column_double(stmt, 0);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return value;
}

static double ask(const char *sql)
{
    return ask_in("project.sqlite", sql);
}

static void imported_beside_each_other(void **state)
{
    struct program_run run;
    (void)state;
    make_project("a", false);
    put_file("r.csv", "station,code,clock_from,remark\n0.4,CL,3,\"a, b\"\n0.5,<b>ZZ</b>,,\n900,FAR,,\nx,NO,,\n");
    run = program_done(program_dir, "import a r.csv --station-offset 0.1m");
    assert_non_null(strstr(run.out, "4 observations read, 1 values kept as text only, 0 rows refused"));
    assert_non_null(strstr(run.out, "2 of them placed"));
    program_free(&run);
    assert_float_equal(ask("SELECT place_from_m FROM v_observations WHERE code = 'CL'"), 0.5, 1e-9);
    assert_float_equal(ask("SELECT clock_from_h FROM v_observations WHERE code = 'CL'"), 3,
                       1.01); /* +- the carelessness */
    assert_int_equal(ask("SELECT count(*) FROM observation WHERE is_placed = 0 AND reason <> ''"), 2);
    assert_int_equal(ask("SELECT count(*) FROM source_field WHERE name = 'station' AND value = 'x'"), 1);
    run = program_done(program_dir, "import a r.csv --json --keep");
    assert_non_null(strstr(run.out, "\"record\": 2"));
    assert_null(strstr(run.out, "replaced_inspection"));
    program_free(&run);
    assert_int_equal(ask("SELECT count(*) FROM record"), 2);
    assert_int_equal(ask("SELECT count(*) FROM observation"), 8);
    assert_int_equal(ask("SELECT count(*) FROM pragma_foreign_key_check"), 0);
    assert_int_equal(ask("SELECT count(*) > 0 FROM section"), 1); /* the scene is still there */
    assert_in_file("a/observations.csv", "\nrecord1-1,CL,recorded,", true);
    assert_in_file("a/observations.csv", "\nrecord2-4,NO,recorded,", true);
}

static void expect_import(const char *words, const char *said, const char *not_said)
{
    struct program_run run = program_done(program_dir, words);
    if (said && !strstr(run.out, said)) fail_msg("intrados %s: '%s' is not in: %s", words, said, run.out);
    if (not_said && strstr(run.out, not_said)) fail_msg("intrados %s: '%s' is in: %s", words, not_said, run.out);
    program_free(&run);
}

/* The same inspection again stands there once, however it is recognised; another one, and --keep, beside it. */
static void imported_again_replaces(void **state)
{
    static const char in_place[] = "in place of @";
    (void)state;
    make_project("e", false);
    put_file("one.csv", "station,code\n0.4,CL\n0.5,CC\n");
    expect_import("import e one.csv", NULL, in_place);
    put_file("other.csv", "station,code\n0.7,CM\n");
    expect_import("import e other.csv", NULL, in_place); /* neither has a name: different rows, different file */
    assert_int_equal(ask("SELECT count(*) FROM observation"), 3);
    expect_import("import e one.csv --station-offset 0.1m", "in place of @1", NULL); /* the same rows, put elsewhere */
    assert_int_equal(ask("SELECT count(*) FROM observation"), 3);
    assert_int_equal(ask("SELECT count(*) FROM record"), 2);
    assert_float_equal(ask("SELECT place_from_m FROM observation WHERE code = 'CL'"), 0.5, 1e-9);
    put_file("copy.csv", "station,code\n0.4,CL\n0.5,CC\n");
    expect_import("import e copy.csv", "in place of @3", NULL); /* the rows alone */
    put_file("copy.csv", "station,code\n0.4,CL\n0.55,CC\n0.6,X\n");
    expect_import("import e ./copy.csv", in_place, NULL); /* the file alone, corrected */
    assert_int_equal(ask("SELECT count(*) FROM observation"), 4);
    assert_int_equal(ask("SELECT count(*) FROM observation WHERE code = 'CC' AND distance_m = 0.55"), 1);
    expect_import("import e copy.csv --keep", NULL, in_place);
    assert_int_equal(ask("SELECT count(*) FROM observation"), 7);
    expect_import("import e copy.csv --json", "\"replaced_inspection\"", NULL); /* the latest of both */
    assert_int_equal(ask("SELECT count(*) FROM observation"), 7);
    assert_in_file("e/observations.csv", "CM", true);
    /* Pipe and date name an inspection, wherever its file lies and whatever was corrected. */
    put_file("a.json",
             "{\"intrados_record\": 1, \"inspections\": [{\"id\": \"1\", \"pipe\": \"P\", \"date\": \"2024-05-01\", "
             "\"observations\": [{\"station_m\": 0.3, \"code\": \"BAB\"}]}, {\"id\": \"2\", \"pipe\": \"P\", "
             "\"date\": \"2025-05-01\", \"observations\": [{\"station_m\": 0.3, \"code\": \"BAB\"}]}]}");
    put_file("b.json", "{\"intrados_record\": 1, \"id\": \"1\", \"pipe\": \"P\", \"date\": \"2024-05-01\", "
                       "\"observations\": [{\"station_m\": 0.35, \"code\": \"BAC\"}]}");
    expect_import("import e a.json --inspection 1", NULL, in_place);
    expect_import("import e a.json --inspection 2", NULL, in_place); /* a year later */
    expect_import("import e b.json", in_place, NULL);
    assert_int_equal(ask("SELECT count(*) FROM observation WHERE code = 'BAB'"), 1);
    assert_int_equal(ask("SELECT count(*) FROM observation WHERE code = 'BAC'"), 1);
    assert_int_equal(ask("SELECT count(*) FROM pragma_foreign_key_check"), 0);
    assert_int_equal(ask("SELECT count(*) FROM source_field WHERE inspection NOT IN (SELECT id FROM inspection)"), 0);
    expect_import("export e --format json -o e.json", NULL, NULL); /* what is there is read in order */
}

static void everything_imported_is_shown(void **state)
{
    struct program_run run;
    char sha256[65], path[400], sql[300];
    bool has_page = intra_report_is_built_in();
    (void)state;
    make_project("d", true);
    put_file("p.csv", "inspection,pipe,date,station,station_to,code,clock_from,clock_to,remark\n"
                      "17,P-1,2022-03-01,0.3,,BCA,3,,\"first </script>\"\n17,P-1,2022-03-01,0.5,0.9,BBB,5,7,\n");
    put_file("q.csv", "inspection,pipe,date,station,code,clock_from,clock_to\n18,P-1,2024-03-01,0.6,BAB,11,1\n");
    run = program_done(program_dir, "import d p.csv");
    program_free(&run);
    if (has_page) {
        assert_in_file("d/report.html", "\"code\":\"BCA\"", true);
        assert_in_file("d/report.html", "first \\u003c/script>", true);
    }
    run = program_done(program_dir, "import d q.csv");
    program_free(&run);
    if (has_page) {
        assert_in_file("d/report.html", "\"code\":\"BCA\"", true);
        assert_in_file("d/report.html", "\"code\":\"BAB\"", true);
        snprintf(path, sizeof path, "%s/report.html", project);
        assert_int_equal(intra_file_sha256(path, sha256, NULL), INTRA_OK);
        snprintf(sql, sizeof sql, "SELECT count(*) FROM file WHERE name = 'report.html' AND sha256 = '%s'", sha256);
        assert_int_equal(ask(sql), 1);
    }
    assert_int_equal(ask_in("observations.gpkg", "SELECT count(*) FROM observations WHERE inspection IN (1, 2)"), 3);
    /* All formats that show observations, all or one inspection. */
    run = program_done(program_dir, "export d -o all.geojson");
    program_free(&run);
    run = program_done(program_dir, "export d -o one.geojson --inspection 18");
    program_free(&run);
    run = program_done(program_dir, "export d -o strip.svg --drawing strip --inspection @1");
    program_free(&run);
    run = program_done(program_dir, "export d --table observations -o observations.csv");
    program_free(&run);
    run = program_done(program_dir, "export d --table observations -o record.csv --record q.csv --station-offset 0.2m");
    program_free(&run);
    run = program_done(program_dir, "export d -o all.gltf");
    program_free(&run);
    run = program_done(program_dir, "export d -o one.obj --inspection 18");
    program_free(&run);
    assert_in_file("all.gltf", "\"code\":\"BCA\"", true);
    assert_in_file("all.gltf", "\"code\":\"BAB\"", true);
    assert_in_file("all.gltf", "EXT_structural_metadata", true);
    assert_in_file("one.obj", "\ng B", true);
    assert_in_file("all.geojson", "\"BCA\"", true);
    assert_in_file("all.geojson", "\"BAB\"", true);
    assert_in_file("one.geojson", "\"BAB\"", true);
    assert_in_file("one.geojson", "\"BCA\"", false);
    assert_in_file("strip.svg", " m  BBB", true);
    assert_in_file("strip.svg", " m  BAB", false);
    program_shell("grep -aq '\"code\":\"BCA\"' %s/model.glb && test ! -e %s/model.obj", project, project);
    snprintf(path, sizeof path, "\nrecord2-1,BAB,recorded,%.4f,",
             ask("SELECT place_from_m FROM observation WHERE id = 3"));
    assert_in_file("observations.csv", path, true);
    assert_in_file("d/observations.csv", path, true);
    assert_in_file("record.csv", path, false); /* put 0.2 m further on */
    assert_in_file("record.csv", "\nrecord-1,BAB,recorded,", true);
    assert_in_file("record.csv", "BCA", false);
    run = program_done(program_dir, "measure d --rehab");
    assert_non_null(strstr(run.out, "lateral_recorded,m,"));
    assert_non_null(strstr(run.out, "crack_refined,m,"));
    assert_non_null(strstr(run.out, "\nshort_liner,m,0.5"));
    program_free(&run);
    run = program_done(program_dir, "measure d --inspection 17 --json");
    assert_null(strstr(run.out, "\"crack\""));
    assert_non_null(strstr(run.out, "\"deposit\""));
    program_free(&run);
    run = program_done(program_dir, "measure d --inspection list");
    assert_non_null(strstr(run.out, "@2"));
    program_free(&run);
    program_expect(program_dir, "measure d --inspection P-1", 2, "more than one inspection is called 'P-1'");
    program_expect(program_dir, "export d -o x.geojson --inspection @3", 2, "no inspection is called '@3'");
    program_expect(program_dir, "export d -o x.geojson --station-offset 1m", 2, "give --record FILE too");
    program_expect(program_dir, "export d -o x.ply --inspection 17", 2, "--inspection: only for html");
}

/* The page of an import is the page that was asked for before: its stretch, cell and size. */
static void page_options_are_kept(void **state)
{
    struct program_run run;
    char sha256[65], path[400], sql[300];
    (void)state;
    if (!intra_report_is_built_in()) skip();
    make_project("e", true);
    put_file("k.csv", "station,code,clock_from\n1.2,KEPT,3\n");
    run = program_done(program_dir, "export e --format html --range 1m:2m --texel 4mm --max-size 3MB");
    program_free(&run);
    snprintf(path, sizeof path, "%s/report.html", project);
    assert_int_equal(intra_file_sha256(path, sha256, NULL), INTRA_OK);
    snprintf(sql, sizeof sql, "SELECT count(*) FROM file WHERE name = 'report.html' AND sha256 = '%s'", sha256);
    assert_int_equal(ask(sql), 1);
    run = program_done(program_dir, "import e k.csv");
    program_free(&run);
    assert_in_file("e/report.html", "\"code\":\"KEPT\"", true);
    assert_in_file("e/report.html", "\"station_from\":1.0,\"station_to\":2.0,", true);
    assert_in_file("e/report.html", "\"texel\":0.004", true);
    assert_int_equal(ask("SELECT value ->> 'max_size_bytes' FROM meta WHERE key = 'page_options_json'"), 3000000);
    /* A page that goes elsewhere is not the project's. */
    run = program_done(program_dir, "export e --range 0m:1m -o elsewhere.html");
    program_free(&run);
    assert_int_equal(ask("SELECT value ->> 'station_from_m' FROM meta WHERE key = 'page_options_json'"), 1);
    /* Made again without options, it is whole again, and stays so. */
    run = program_done(program_dir, "export e --format html");
    program_free(&run);
    run = program_done(program_dir, "import e k.csv");
    program_free(&run);
    assert_in_file("e/report.html", "\"station_from\":0.0,\"station_to\":4.0,", true);
}

static void several_inspections_are_not_guessed_between(void **state)
{
    struct program_run run;
    (void)state;
    make_project("b", false);
    put_file("two.csv", "inspection,station,code\n11,0.1,A\n12,0.2,B\n12,0.3,C\n");
    program_expect(program_dir, "import b two.csv", 2, "holds 2 inspections; choose one with --inspection");
    program_expect(program_dir, "import b two.csv --inspection 13", 2, "no inspection is called '13'");
    program_expect(program_dir, "measure b --record two.csv", 2, "holds 2 inspections; choose one with --inspection");
    program_expect(program_dir, "export b -o b.geojson --record two.csv", 2, "choose one with --inspection");
    run = program_done(program_dir, "measure b --record two.csv --inspection 11");
    program_free(&run);
    run = program_done(program_dir, "import b two.csv --inspection list");
    assert_non_null(strstr(run.out, "12"));
    program_free(&run);
    run = program_done(program_dir, "import b two.csv --inspection 12");
    program_free(&run);
    assert_int_equal(ask("SELECT count(*) FROM observation"), 2);
}

static void what_fails_leaves_the_project_alone(void **state)
{
    (void)state;
    make_project("c", false);
    put_file("one.csv", "station,code\n0.1,A\n");
    program_expect(program_dir, "import c missing.csv", 1, "missing.csv");
    program_expect(program_dir, "import c one.csv --format wsoa", 2, "no format");
    program_expect(program_dir, "import nothing one.csv", 1, "project.sqlite");
    program_expect_after(program_dir, "ulimit -f 8;", "import c one.csv", 1, NULL);
    assert_int_equal(ask("SELECT count(*) FROM record"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(imported_beside_each_other),
        cmocka_unit_test(imported_again_replaces),
        cmocka_unit_test(everything_imported_is_shown),
        cmocka_unit_test(page_options_are_kept),
        cmocka_unit_test(several_inspections_are_not_guessed_between),
        cmocka_unit_test(what_fails_leaves_the_project_alone),
    };
    return cmocka_run_group_tests(tests, program_make_dir, program_remove_dir);
}
