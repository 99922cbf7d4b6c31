/* Proves, through the real program: a record goes into a finished project's store and table, placed where its distance
 * and clock position say; a second one stands beside the first; several inspections are not guessed between; a store
 * that cannot be changed stays as it was. Does not prove: where on a real wall a defect is (recon tests). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/store.h"
#include "export/export.h"
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

static void make_project(const char *name)
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
    assert_int_equal(intra_export_observations(&scene, path, &err), INTRA_OK);
    intra_scene_fini(&scene);
}

/* The one number that a query gives. */
static double ask(const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    char path[300];
    double value;
    snprintf(path, sizeof path, "%s/project.sqlite", project);
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK) fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    value = sqlite3_column_double(stmt, 0);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return value;
}

static void imported_beside_each_other(void **state)
{
    struct program_run run;
    char path[300], *text;
    (void)state;
    make_project("a");
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
    run = program_done(program_dir, "import a r.csv --json");
    assert_non_null(strstr(run.out, "\"record\": 2"));
    program_free(&run);
    assert_int_equal(ask("SELECT count(*) FROM record"), 2);
    assert_int_equal(ask("SELECT count(*) FROM observation"), 8);
    assert_int_equal(ask("SELECT count(*) FROM pragma_foreign_key_check"), 0);
    assert_int_equal(ask("SELECT count(*) > 0 FROM section"), 1); /* the scene is still there */
    snprintf(path, sizeof path, "%s/observations.csv", project);
    FILE *f = fopen(path, "rb");
    text = calloc(1, 1 << 20);
    assert_non_null(f);
    assert_true(fread(text, 1, (1 << 20) - 1, f) > 0);
    fclose(f);
    assert_non_null(strstr(text, "\nrecord1-1,CL,recorded,"));
    assert_non_null(strstr(text, "\nrecord2-4,NO,recorded,"));
    free(text);
}

static void several_inspections_are_not_guessed_between(void **state)
{
    struct program_run run;
    (void)state;
    make_project("b");
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
    make_project("c");
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
        cmocka_unit_test(several_inspections_are_not_guessed_between),
        cmocka_unit_test(what_fails_leaves_the_project_alone),
    };
    return cmocka_run_group_tests(tests, program_make_dir, program_remove_dir);
}
