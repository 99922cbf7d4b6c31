/* Proves: a record from DWA-M 150 goes back into it leaf for leaf, also with odd words, several inspections of a pipe,
 * manholes and the file's own tables; what was changed in the model is changed in the file and nothing else; of another
 * format the rows come back, and what has no place is said with its count. Does not prove: that the file is valid by
 * the official schema, which was not at hand. */
#include "export/record.h"

#include "core/log.h"
#include "core/scratch.h"
#include "export/record_same.h"

#include <sys/stat.h>

static char logged[2000];

static void keep_log(void *user, enum intra_log_level level, const char *stage, const char *text)
{
    (void)user;
    (void)stage;
    if (level == INTRA_LOG_WARNING) snprintf(logged, sizeof logged, "%s", text);
}

static void read_as(const char *path, enum intra_record_format format, struct intra_record *out)
{
    struct intra_error err = {0};
    if (intra_record_read(path, format, out, &err) != INTRA_OK) fail_msg("%s: %s", path, err.text);
}

static const char *write_as(const struct intra_record *r, enum intra_record_format format)
{
    struct intra_error err = {0};
    const char *path = scratch_path("written");
    logged[0] = 0;
    if (intra_record_write(r, format, path, &err) != INTRA_OK) fail_msg("%s: %s", path, err.text);
    return path;
}

static const char own[] =
    "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><DATA><FD><FD001>04-2010</FD001><FD002>A</FD002></FD>"
    "<HG><HG001>P&amp;1</HG001><HG003>a</HG003><HG004>b</HG004><HG102>Stra\xdf"
    "e</HG102><HG305>MA</HG305><HG306>300</HG306><HG310>42,70</HG310><HG999/>"
    "<GO><GO001>x</GO001><GP><GP001>RAPZ1</GP001><GP002>UTM</GP002><GP005>565432.10</GP005><GP006>5901234.5</GP006></"
    "GP>"
    "<GP><GP001>RAPA1</GP001><GP005>565470</GP005><GP006>5901240</GP006></GP></GO>"
    "<HI><HI003>1</HI003><HI005>DWAM149-2:2006</HI005><HI101>U</HI101><HI104>03.06.2025</HI104><HI105>9:14</HI105>"
    "<HI116>one.mpg</HI116><HI206>2</HI206>"
    "<HZ><HZ001>0.0</HZ001><HZ002>BCD</HZ002><HZ014>XP</HZ014><HZ015/><HZ006>00</HZ006></HZ>"
    "<HZ><HZ001>8,00</HZ001><HZ002>BAB</HZ002><HZ014>B</HZ014><HZ003>1.50</HZ003><HZ005>A01</HZ005><HZ006>9</HZ006>"
    "<HZ007>09</HZ007><HZ008>000135</HZ008><HZ009>p1.jpg</HZ009><HZ011>J</HZ011><HZ206>3</HZ206><HZ999>Riss</HZ999></"
    "HZ>"
    "<HZ><HZ001>10</HZ001><HZ002>BAJ</HZ002><HZ014>C</HZ014><HZ003>3</HZ003></HZ>"
    "<HZ><HZ001>14.0</HZ001><HZ002>BAB</HZ002><HZ014>B</HZ014><HZ003>2</HZ003><HZ005>B01</HZ005><HZ009>p2.jpg</HZ009></"
    "HZ>"
    "</HI><HI><HI003>2</HI003><HI101>G</HI101><HZ><HZ001>1</HZ001><HZ002>BDB</HZ002></HZ></HI></HG>"
    "<KG><KG001>M1</KG001><KG211>2.5</KG211><KI><KI104>2025-06-03</KI104><KZ><KZ001>1</KZ001><KZ002>DAB</KZ002></KZ></"
    "KI></KG>"
    "<RT><RT001>7</RT001><RT002>A</RT002><RT004>&lt;b&gt;</RT004></RT><RT><RT001>8</RT001></RT></DATA>";

static void own_goes_back_leaf_for_leaf(void **state)
{
    struct intra_record a, b;
    (void)state;
    read_as(scratch_file("own.xml", own), INTRA_RECORD_DWA_M150, &a);
    assert_int_equal(a.n_inspections, 3);
    assert_float_equal(a.inspections[0].observations[1].distance_to_m, 14, 0);
    read_as(write_as(&a, INTRA_RECORD_DWA_M150), INTRA_RECORD_DWA_M150, &b);
    assert_string_equal(logged, ""); /* nothing is lost */
    same_whole_record(&a, &b);
    /* both inspections stand in one object again */
    FILE *f = fopen(scratch_path("written"), "rb");
    char text[8000];
    size_t n = fread(text, 1, sizeof text - 1, f);
    text[n] = 0;
    fclose(f);
    assert_null(strstr(strstr(text, "<HG>") + 1, "<HG>"));
    assert_non_null(strstr(text, "<HZ005>A01</HZ005>"));
    assert_non_null(strstr(text, "<FD002>A</FD002>"));
    assert_non_null(strstr(text, "<RT004>&lt;b&gt;</RT004>"));
    intra_record_fini(&b);
    /* out of a project's store, where each inspection knows its format and the record has none */
    a.format = INTRA_RECORD_NONE;
    for (int i = 0; i < 3; i++)
        a.inspections[i].format = INTRA_RECORD_DWA_M150;
    read_as(write_as(&a, INTRA_RECORD_DWA_M150), INTRA_RECORD_DWA_M150, &b);
    assert_string_equal(logged, "");
    same_fields("from a store", "header", &a.inspections[0].source, &b.inspections[0].source);
    intra_record_fini(&a);
    intra_record_fini(&b);
}

static void what_was_changed_is_changed(void **state)
{
    struct intra_record a, b;
    struct intra_observation *o;
    (void)state;
    read_as(scratch_file("own.xml", own), INTRA_RECORD_DWA_M150, &a);
    o = &a.inspections[0].observations[1];
    o->distance_m = 8.25;
    o->clock_from_rad = intra_clock_from_hours(10);
    o->clock_to_rad = intra_clock_from_hours(2);
    o->time_s = 100.5;
    o->is_at_joint = false;
    assert_int_equal(intra_text_set(&o->remark, NULL, NULL), INTRA_OK);
    a.inspections[0].direction = INTRA_DIRECTION_DOWNSTREAM;
    a.inspections[0].observations[0].grades[0] =
        (struct intra_grade){INTRA_SCALE_DWA, INTRA_ASPECT_OPERATION, 4, false};
    a.inspections[0].observations[0].n_grades = 1;
    read_as(write_as(&a, INTRA_RECORD_DWA_M150), INTRA_RECORD_DWA_M150, &b);
    o = &b.inspections[0].observations[1];
    assert_float_equal(o->distance_m, 8.25, 0);
    assert_float_equal(intra_clock_to_hours(o->clock_from_rad), 10, 1e-9);
    assert_float_equal(intra_clock_to_hours(o->clock_to_rad), 2, 1e-9);
    assert_float_equal(o->time_s, 100.5, 0);
    assert_true(!o->is_at_joint && !o->remark);
    assert_string_equal(intra_fields_get(&o->source, "HZ003"), "1.50"); /* as it stood */
    assert_int_equal(b.inspections[0].direction, INTRA_DIRECTION_DOWNSTREAM);
    assert_float_equal(b.inspections[0].observations[0].grades[0].value, 4, 0);
    intra_record_fini(&a);
    intra_record_fini(&b);
}

/* Of another format: rows, header, joined defects; counted: percent, a second picture, a grade, half an hour. */
static void from_another_format(void **state)
{
    static const char json[] =
        "{\"intrados_record\": 1, \"pipe\": \"P-7\", \"node_upstream\": \"a\", \"node_downstream\": \"b\", "
        "\"direction\": "
        "\"upstream\", \"date\": \"2025-06-03\", \"height_m\": 0.3, \"length_m\": 42.7, \"material\": \"VCP\", "
        "\"reverse_setup\": "
        "true, \"observations\": ["
        "{\"station_m\": 8, \"station_to_m\": 14, \"continuous\": 1, \"code\": \"BAB\", \"quantity_1\": 1, \"unit_1\": "
        "\"mm\","
        " \"clock_from\": 10.5, \"clock_to\": 2, \"media\": [\"1.jpg\", \"2.jpg\"], \"percent\": 5, \"time\": "
        "\"00:01:35\"},"
        "{\"station_m\": 9.125, \"code\": \"BBC\", \"clock_from\": 3, \"clock_to\": 3, \"quantity_1\": 4, \"unit_1\": "
        "\"mm\","
        " \"grades\": [{\"scale\": \"PACP\", \"value\": 3}, {\"scale\": \"DWA\", \"aspect\": \"operation\", \"value\": "
        "0}]},"
        "{\"station_m\": 20, \"code\": \"DSGV\", \"at_joint\": true, \"remark\": \"ka\\u0142\"}]}";
    struct intra_record a, b;
    const struct intra_observation *o;
    (void)state;
    read_as(scratch_file("r.json", json), INTRA_RECORD_NONE, &a);
    read_as(write_as(&a, INTRA_RECORD_DWA_M150), INTRA_RECORD_DWA_M150, &b);
    assert_string_equal(b.inspections[0].node_start, "b");
    assert_string_equal(b.inspections[0].date, "2025-06-03");
    assert_float_equal(b.inspections[0].height_m, 0.3, 1e-12);
    assert_int_equal(b.inspections[0].n_observations, 3);
    o = b.inspections[0].observations;
    assert_float_equal(o[0].distance_to_m, 14, 0);
    assert_float_equal(o[0].time_s, 95, 0);
    assert_float_equal(o[1].distance_m, 9.125, 0);
    assert_float_equal(o[1].clock_to_rad, 2 * M_PI, 1e-12);
    assert_true(isnan(o[1].quantity[0])); /* BBC counts in percent: millimetres would be misread */
    assert_int_equal(o[1].n_grades, 1);
    assert_string_equal(o[2].remark, "ka\xc5\x82");
    assert_true(o[2].is_at_joint);
    static const char *const said[] = {"percentages beside the quantities (1)",
                                       "pictures beyond the first of a row (1)",
                                       "grades of another scale or aspect (1)",
                                       "parts of an hour of the clock (2)", /* of the start and of the finish row */
                                       "quantities in a unit that the code does not have (1)",
                                       "materials in another format's words (1)",
                                       "marks of a reverse set-up (1)",
                                       "codes that no coding system of the format has (written all the same) (1)"};
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++)
        if (!strstr(logged, said[i])) fail_msg("not said: %s; said: %s", said[i], logged);
    intra_record_fini(&a);
    intra_record_fini(&b);
}

static const char *shared(const char *name)
{
    static char path[512];
    const char *other = getenv("INTRA_TEST_SHARED_DIR");
    struct stat info;
    snprintf(path, sizeof path, "%s/%s", other ? other : INTRA_TEST_SHARED, name);
    return stat(path, &info) == 0 ? path : NULL;
}

static void shared_files_go_back(void **state)
{
    static const char *const files[] = {"formats/dwa_m150/selfmade_example_typB.xml",
                                        "formats/dwa_m150/kwb_example_typB_2010-04.xml",
                                        "real/records/dwa_m150_example.xml"};
    int done = 0;
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct intra_record a, b;
        if (!shared(files[i])) continue;
        read_as(shared(files[i]), INTRA_RECORD_DWA_M150, &a);
        read_as(write_as(&a, INTRA_RECORD_DWA_M150), INTRA_RECORD_DWA_M150, &b);
        print_message("%s: %lld inspections, %lld observations; lost: %s\n", files[i], (long long)a.n_inspections,
                      (long long)a.counts.read, logged);
        assert_string_equal(logged, "");
        intra_text_set(&a.version, b.version, NULL);
        same_whole_record(&a, &b);
        intra_record_fini(&a);
        intra_record_fini(&b);
        done++;
    }
    if (!done) skip();
}

/* The pipe of the shared files from every EN format: the same rows come back from DWA-M 150. */
static void other_formats_keep_their_rows(void **state)
{
    static const char *const files[] = {"formats/isybau/selfmade_zustandsdaten_2013-02.xml",
                                        "formats/en13508_2_txt/selfmade_example.txt",
                                        "formats/ribx/selfmade_example.ribx",
                                        "real/records/ISYBAU_XML-2013-Zustandsdaten_DIN_EN_13508-2_AH_Abwasser.xml",
                                        "real/records/example_13508_2.txt"};
    int done = 0;
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct intra_record a, b;
        if (!shared(files[i])) continue;
        read_as(shared(files[i]), INTRA_RECORD_NONE, &a);
        read_as(write_as(&a, INTRA_RECORD_DWA_M150), INTRA_RECORD_DWA_M150, &b);
        print_message("%s: %lld observations; %s\n", files[i], (long long)a.counts.read, logged);
        assert_int_equal(a.n_inspections, b.n_inspections);
        for (int64_t k = 0; k < a.n_inspections; k++) {
            const struct intra_inspection *p = &a.inspections[k], *q = &b.inspections[k];
            int64_t at = 0;
            for (int64_t j = 0; j < p->n_observations; j++) {
                const struct intra_observation *o = &p->observations[j], *u = &q->observations[at];
                if (!o->code) continue; /* prose of a structure */
                if (at++ >= q->n_observations) fail_msg("%s: rows are missing", files[i]);
                same_string("row", "code", o->code, u->code);
                same_value("row", "distance", o->distance_m, u->distance_m);
                same_value("row", "distance to", o->distance_to_m, u->distance_to_m);
                same_value("row", "clock", o->clock_from_rad, u->clock_from_rad);
                same_value("row", "quantity", o->quantity[0], u->quantity[0]);
            }
            assert_int_equal(at, q->n_observations);
        }
        intra_record_fini(&a);
        intra_record_fini(&b);
        done++;
    }
    if (!done) skip();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(own_goes_back_leaf_for_leaf),
                                       cmocka_unit_test(what_was_changed_is_changed),
                                       cmocka_unit_test(from_another_format), cmocka_unit_test(shared_files_go_back),
                                       cmocka_unit_test(other_formats_keep_their_rows)};
    intra_log_set(keep_log, NULL);
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
