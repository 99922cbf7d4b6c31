/* Proves, through the real program: each record of tests/data/records goes into a project, out in every format that is
 * written and holds its codes, and into another project, and is the same there: in JSON field by field with its
 * verbatim rows, in another one what both hold. Formats that cannot hold the codes, and requests that make no sense,
 * are refused in words. ISYBAU is valid by its schema where xmllint and the schema are. Does not prove: that other
 * programs take the files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/fileio.h"
#include "core/store.h"
#include "export/record.h"
#include "export/record_same.h"
#include "made_scene.h"
#include "program.h"

#include <stdio.h>
#include <stdlib.h>

/* A finished project without its pictures, copied from the one that was made first. */
static void make_project(const char *name)
{
    struct intra_scene scene;
    struct intra_store *store = NULL;
    struct intra_error err = {0};
    char path[300];
    struct made_pipe pipe = made_pipe_defaults();
    program_shell("cd '%s' && rm -rf '%s' && mkdir -p empty '%s'", program_dir, name, name);
    snprintf(path, sizeof path, "%s/empty/project.sqlite", program_dir);
    if (!intra_path_exists(path)) {
        made_scene_init(&scene, &pipe, program_dir);
        assert_int_equal(intra_store_create(path, &store, &err), INTRA_OK);
        assert_int_equal(intra_store_write_scene(store, &scene, &err), INTRA_OK);
        assert_int_equal(intra_store_commit(store, &err), INTRA_OK);
        intra_store_close(&store);
        intra_scene_fini(&scene);
    }
    program_shell("cd '%s' && cp empty/project.sqlite '%s'", program_dir, name);
}

static void run(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void run(const char *format, ...)
{
    char words[900];
    va_list list;
    va_start(list, format);
    vsnprintf(words, sizeof words, format, list);
    va_end(list);
    struct program_run done = program_done(program_dir, words);
    program_free(&done);
}

static void read_out(const char *name, struct intra_record *out)
{
    struct intra_error err = {0};
    char path[300];
    snprintf(path, sizeof path, "%s/%s", program_dir, name);
    if (intra_record_read(path, INTRA_RECORD_NONE, out, &err) != INTRA_OK) fail_msg("%s", err.text);
}

/* is_own: the format that it came from, which also holds the header. */
static void same_in_both(const char *where, const struct intra_record *a, const struct intra_record *b, bool is_own)
{
    const struct intra_inspection *p = &a->inspections[0], *q = &b->inspections[0];
    assert_int_equal(a->n_inspections, b->n_inspections);
    same_string(where, "pipe", p->pipe, q->pipe);
    if (is_own) {
        same_string(where, "node", p->node_start, q->node_start);
        same_string(where, "date", p->date, q->date);
        same_string(where, "time", p->time, q->time);
        same_value(where, "height", p->height_m, q->height_m);
        same_value(where, "inspected length", p->inspected_length_m, q->inspected_length_m);
        SAME(p->direction == q->direction, "direction");
    }
    SAME(p->n_observations == q->n_observations, "number of observations");
    for (int64_t k = 0; k < p->n_observations; k++) {
        const struct intra_observation *o = &p->observations[k], *r = &q->observations[k];
        same_string(where, "code", o->code, r->code);
        same_value(where, "distance", o->distance_m, r->distance_m);
        same_value(where, "distance to", o->distance_to_m, r->distance_to_m);
        same_value(where, "clock from", o->clock_from_rad, r->clock_from_rad);
        same_value(where, "clock to", o->clock_to_rad, r->clock_to_rad);
        same_value(where, "quantity", o->quantity[0], r->quantity[0]);
        same_value(where, "time", o->time_s, r->time_s);
        SAME(o->is_at_joint == r->is_at_joint, "joint");
        SAME(o->place.is_placed == r->place.is_placed, "place");
        same_wall_region(where, &o->place.recorded, &r->place.recorded);
        same_string(where, "remark", o->remark, r->remark);
        SAME(o->n_media == r->n_media, "pictures");
        if (o->n_media) same_string(where, "picture", o->media[0].file, r->media[0].file);
    }
}

static const struct {
    const char *file, *format, *codes;
} fixtures[] = {
    {"csv/pipe.csv", "csv", "EN"},         {"json/pipe.json", "json", "EN"},    {"pacp-csv", "pacp-csv", "PACP"},
    {"en-text/pipe.txt", "en-text", "EN"}, {"isybau/pipe.xml", "isybau", "EN"}, {"dwa-m150/pipe.xml", "dwa-m150", "EN"},
    {"ribx/pipe.ribx", "ribx", "EN"},      {"wsaa/pipe.xml", "wsaa", "WSAA"},   {"mscc/pipe.xml", "mscc", "MSCC"}};
enum { N_FIXTURES = sizeof fixtures / sizeof fixtures[0] };
static const struct {
    const char *format, *options, *codes;
} written[] = {{"csv", "--format csv --table record", NULL}, {"json", "--format json", NULL},
               {"pacp-csv", "--format pacp-csv", "PACP"},    {"pacp-sqlite", "--format pacp-sqlite", "PACP"},
               {"en-text", "--format en-text", "EN"},        {"isybau", "--format isybau", "EN"},
               {"dwa-m150", "--format dwa-m150", "EN"}};
enum { N_WRITTEN = sizeof written / sizeof written[0] };

static void every_written_format_is_here(void **state)
{
    int n = 0;
    (void)state;
    for (int f = INTRA_RECORD_NONE + 1; f < INTRA_RECORD_N_FORMATS; f++)
        n += intra_record_is_written((enum intra_record_format)f);
    assert_int_equal(n, N_WRITTEN);
    for (size_t i = 0; i < N_WRITTEN; i++)
        assert_true(intra_record_is_written(intra_record_format_from_name(written[i].format)));
}

static void in_out_in_is_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_FIXTURES; i++) {
        make_project("a");
        run("import a '%s/tests/data/records/%s' --inspection L-9", INTRA_TEST_SOURCE, fixtures[i].file);
        run("export a --format json -o a.json -f");
        for (size_t k = 0; k < N_WRITTEN; k++) {
            struct intra_record a, b;
            char where[80], words[400];
            snprintf(where, sizeof where, "%s as %s", fixtures[i].file, written[k].format);
            program_shell("rm -rf '%s/out'", program_dir);
            if (written[k].codes && strcmp(written[k].codes, fixtures[i].codes) != 0) {
                snprintf(words, sizeof words, "export a %s -o out", written[k].options);
                program_expect(program_dir, words, 1, "observations have others, the first '");
                continue;
            }
            run("export a %s -o out", written[k].options);
            if (strcmp(written[k].format, "csv") == 0)
                program_shell("grep -q ',place_from_m,place_to_m,' '%s/out'", program_dir);
            make_project("b");
            run("import b out");
            run("export b --format json -o b.json -f");
            read_out("a.json", &a);
            read_out("b.json", &b);
            same_in_both(where, &a, &b, strcmp(fixtures[i].format, written[k].format) == 0);
            if (strcmp(written[k].format, "json") == 0) { /* loses nothing */
                same_inspection(where, &a.inspections[0], &b.inspections[0]);
                for (int64_t m = 0; m < a.inspections[0].n_observations; m++)
                    same_observation(where, &a.inspections[0].observations[m], &b.inspections[0].observations[m]);
            }
            intra_record_fini(&a);
            intra_record_fini(&b);
        }
    }
}

/* Where xmllint and the schema are; its includes are written for Windows. */
static void isybau_is_valid(void **state)
{
    static const char xsd[] = INTRA_TEST_SHARED "/formats/isybau/xsd_2013-02";
    (void)state;
    if (!intra_path_is_dir(xsd) || system("command -v xmllint >/dev/null") != 0) {
        print_message("no xmllint, or no schema in %s\n", xsd);
        skip();
    }
    program_shell("mkdir '%s/xsd' && for f in %s/*.xsd; do sed 's/\"[.]\\\\/\"/' \"$f\" > '%s'/xsd/${f##*/}; done",
                  program_dir, xsd, program_dir);
    /* The fixture in ISYBAU itself is short of what the schema asks for, and comes out as it came in. */
    for (size_t i = 0; i < N_FIXTURES; i++) {
        bool is_isybau = strcmp(fixtures[i].format, "isybau") == 0;
        if (strcmp(fixtures[i].codes, "EN") != 0) continue;
        make_project("a");
        if (is_isybau)
            run("import a '%s/formats/isybau/selfmade_zustandsdaten_2013-02.xml'", INTRA_TEST_SHARED);
        else
            run("import a '%s/tests/data/records/%s' --inspection L-9", INTRA_TEST_SOURCE, fixtures[i].file);
        run("export a --format isybau -f -o out.xml");
        program_shell("cd '%s' && xmllint --noout --schema xsd/1302-metadaten.xsd out.xml", program_dir);
    }
}

static void one_inspection_or_all(void **state)
{
    struct intra_record r;
    (void)state;
    make_project("a");
    program_expect(program_dir, "export a -o none.json", 1, "no inspection record was imported");
    run("import a '%s/tests/data/records/isybau/pipe.xml'", INTRA_TEST_SOURCE);
    run("import a '%s/tests/data/records/pacp-csv'", INTRA_TEST_SOURCE);
    run("export a -o all.json");
    read_out("all.json", &r);
    assert_int_equal(r.n_inspections, 2);
    intra_record_fini(&r);
    run("export a -o one.db --format pacp-sqlite --inspection @2");
    read_out("one.db", &r);
    assert_int_equal(r.n_inspections, 1);
    assert_string_equal(r.inspections[0].observations[1].code, "CC");
    intra_record_fini(&r);
    program_expect(program_dir, "export a -o two.xml --format isybau", 1,
                   "'AMH' (PACP); csv and json hold every record");
    program_expect(program_dir, "export a -o all.json", 1, "give --force");
    run("export a -o two.xml --format isybau --inspection @1");
    run("export a -o made.txt --format en-text --record '%s/tests/data/records/ribx/pipe.ribx'", INTRA_TEST_SOURCE);
    program_expect(program_dir, "export a -o x.xml", 2, "several formats end like this; give --format");
    program_expect(program_dir, "export a -o x --format wincan-db3", 2, "read from wincan-db3, not written");
    program_expect(program_dir, "export a -o x --format isybua", 2, "did you mean 'isybau'?");
    program_expect(program_dir, "export a -o x.json --range 1m:2m", 2, "the whole pipe");
    program_expect(program_dir, "export a -o x.gpkg --refined", 2, "--refined: only for inspection records");
    program_expect(program_dir, "export a -o found.xml --format isybau --inspection @1 --refined", 0,
                   "nothing was found on the wall; distances are those recorded");
    program_expect(program_dir, "export a -o x.json --inspection @7", 2, "no inspection is called '@7'");
}

/* As in ISYBAU: no ids, and a pipe that was driven twice. */
static void one_of_two_of_the_same_name(void **state)
{
    struct intra_record r;
    (void)state;
    make_project("a");
    program_shell(
        "echo '{\"intrados_record\": 1, \"inspections\": [{\"pipe\": \"P\", \"observations\": [{\"station_m\": 1, "
        "\"code\": \"BAB\"}]}, {\"pipe\": \"P\", \"crs\": \"UTM\", \"start_xyz\": [1, 2, 3], \"end_xyz\": [9, 2, 3], "
        "\"observations\": [{\"station_m\": 2, \"code\": \"BAC\"}]}]}' >'%s/two.json'",
        program_dir);
    program_expect(program_dir, "import a two.json --inspection P", 2, "more than one inspection is called 'P'");
    program_expect(program_dir, "import a two.json --inspection @3", 2, "no inspection is called '@3'");
    run("import a two.json --inspection @2"); /* its coordinate system is none that is known */
    run("export a -o second.json -f");
    read_out("second.json", &r);
    assert_int_equal(r.n_inspections, 1);
    assert_string_equal(r.inspections[0].observations[0].code, "BAC");
    intra_record_fini(&r);
    program_expect(program_dir, "export a -o a.gpkg", 0, "'UTM' is no coordinate system that GDAL knows");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_written_format_is_here),
                                       cmocka_unit_test(in_out_in_is_the_same), cmocka_unit_test(isybau_is_valid),
                                       cmocka_unit_test(one_inspection_or_all),
                                       cmocka_unit_test(one_of_two_of_the_same_name)};
    return cmocka_run_group_tests(tests, program_make_dir, program_remove_dir);
}
