/* Proves: records in PACP (CSV, SQLite), WinCan VX, EN 13508-2 text and the own CSV are recognised by content and read
 * into the model, what is written comes back equal, continuous defects join, damaged and hostile input neither crashes
 * nor is taken for more than text; where ../shared is present: the same pipe in every format gives the same ten
 * observations, and all real records are read whole. Does not prove: that other programs accept what is written. */
#include "export/record.h"

#include "core/mem.h"
#include "core/scratch.h"
#include "export/record_internal.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>
#include <time.h>

#include <cmocka.h>

static const char conditions[] =
    "ConditionID,InspectionID,Distance,Counter,pacp_code,Continuous,Value_1st_Dimension,Value_2nd_Dimension,"
    "Value_Percent,Joint,Clock_At_From,Clock_To,Remarks,VCR_Time,House_Column\r\n"
    "1,7.0,0,,AMH,,,,,0,,,,00:00:00,\r\n"
    "2,7,10,,CL,S01,,,,FALSE,12,,\"with, comma\",00:01:02,x\r\n"
    "3,7,20.5,,CL,F01,,,,0,12,,end,00:01:30,\r\n"
    "4,7,nan,,RFJ,,,,\"12,5\",TRUE,10,2,,130,\r\n"
    "5,7,-2,,ZZZ,S09,,,,1,12,12,<script>alert(1)</script>,,\r\n"
    "6,99,1,,CL,,,,,,,,,,\r\n"
    "7,7,1,,,,,,,,,,,,\r\n"
    "8,7,30,,TF\r\n";
static const char inspections[] =
    "InspectionID,Date,Time,Direction,Height,IsImperial,Pipe_Segment_Reference,Upstream_MH,"
    "Downstream_MH,Total_Length,Year_Laid\n"
    "7,5/17/2024,1899-12-30 09:14:00,Upstream,12,TRUE,\xd6ster 1,A,B,100,1971\n";

static void read_ok(const char *path, enum intra_record_format format, struct intra_record *out)
{
    struct intra_error err = {0};
    if (intra_record_read(path, INTRA_RECORD_NONE, out, &err) != INTRA_OK) fail_msg("%s: %s", path, err.text);
    assert_int_equal(out->format, format);
}

static const char *pacp_folder(void)
{
    char folder[512];
    snprintf(folder, sizeof folder, "%s", scratch_path("pacp"));
    mkdir(folder, 0777);
    scratch_file("pacp/Inspections.csv", inspections);
    scratch_file("pacp/pacp_conditions.csv", conditions);
    return scratch_path("pacp");
}

static void same_text(const char *a, const char *b, const char *what)
{
    if (!a || !*a) a = "";
    if (!b || !*b) b = "";
    if (strcmp(a, b) != 0) fail_msg("%s: '%s' became '%s'", what, a, b);
}

static void same_number(double a, double b, const char *what)
{
    if (isnan(a) && isnan(b)) return;
    if (!(fabs(a - b) <= 1e-9)) fail_msg("%s: %.12g became %.12g", what, a, b);
}

/* is_full: the format holds ids, headers and media too. */
static void same_record(const struct intra_record *a, const struct intra_record *b, bool is_full)
{
    assert_int_equal(a->n_inspections, b->n_inspections);
    for (int64_t i = 0; i < a->n_inspections; i++) {
        const struct intra_inspection *p = &a->inspections[i], *q = &b->inspections[i];
        same_text(p->pipe, q->pipe, "pipe");
        if (is_full) {
            same_text(p->id, q->id, "id");
            same_text(p->date, q->date, "date");
            same_text(p->time, q->time, "time");
            same_text(p->node_upstream, q->node_upstream, "upstream");
            same_text(p->node_start, q->node_start, "start");
            same_text(p->material, q->material, "material");
            same_number(p->height_m, q->height_m, "height");
            same_number(p->inspected_length_m, q->inspected_length_m, "inspected");
            assert_int_equal(p->direction, q->direction);
            assert_int_equal(p->is_reverse_setup, q->is_reverse_setup);
            assert_int_equal(p->n_media, q->n_media);
        }
        assert_int_equal(p->n_observations, q->n_observations);
        for (int64_t k = 0; k < p->n_observations; k++) {
            const struct intra_observation *o = &p->observations[k], *w = &q->observations[k];
            same_text(o->code, w->code, "code");
            same_text(o->remark, w->remark, "remark");
            same_text(o->continuous_id, w->continuous_id, "continuous");
            same_text(o->characterisation[0], w->characterisation[0], "first characterisation");
            same_text(o->characterisation[1], w->characterisation[1], "second characterisation");
            same_number(o->distance_m, w->distance_m, "distance");
            same_number(o->distance_to_m, w->distance_to_m, "distance to");
            same_number(o->quantity[0], w->quantity[0], "quantity 1");
            same_number(o->quantity[1], w->quantity[1], "quantity 2");
            same_number(o->percent, w->percent, "percent");
            same_number(o->clock_from_rad, w->clock_from_rad, "clock from");
            same_number(o->clock_to_rad, w->clock_to_rad, "clock to");
            same_number(o->time_s, w->time_s, "time");
            assert_int_equal(o->is_at_joint, w->is_at_joint);
            if (is_full) assert_int_equal(o->n_media, w->n_media);
        }
    }
}

static void round_trip(const struct intra_record *a, enum intra_record_format format, const char *name, bool is_full)
{
    struct intra_record b;
    struct intra_error err = {0};
    const char *path = scratch_path(name);
    if (intra_record_write(a, format, path, &err) != INTRA_OK) fail_msg("%s: %s", name, err.text);
    read_ok(scratch_path(name), format, &b);
    same_record(a, &b, is_full);
    intra_record_fini(&b);
}

static void pacp_csv_reads_feet_and_refuses(void **state)
{
    struct intra_record r;
    const struct intra_observation *o;
    (void)state;
    read_ok(pacp_folder(), INTRA_RECORD_PACP_CSV, &r);
    assert_int_equal(r.n_inspections, 1);
    assert_string_equal(r.inspections[0].pipe, "\xc3\x96ster 1"); /* the file is Windows-1252 */
    assert_string_equal(r.inspections[0].date, "2024-05-17");
    assert_string_equal(r.inspections[0].time, "09:14:00");
    assert_string_equal(r.inspections[0].node_start, "B");
    assert_float_equal(r.inspections[0].height_m, 0.3048, 1e-12);
    assert_float_equal(r.inspections[0].length_m, 30.48, 1e-9);
    assert_int_equal(r.counts.refused, 2); /* of another inspection; without a code */
    assert_int_equal(r.counts.read, 5);
    assert_int_equal(r.inspections[0].n_observations, 5);
    o = r.inspections[0].observations;
    assert_string_equal(o[1].continuous_id, "1");
    assert_float_equal(o[1].distance_m, 3.048, 1e-9);
    assert_float_equal(o[1].distance_to_m, 6.2484, 1e-9);
    assert_string_equal(o[1].remark, "with, comma");
    assert_string_equal(intra_fields_get(&o[1].source, "House_Column"), "x");
    assert_string_equal(intra_fields_get(&o[1].finish_source, "Remarks"), "end");
    assert_true(isnan(o[2].distance_m)); /* "nan" is no number, and no distance is made up */
    assert_string_equal(intra_fields_get(&o[2].source, "Distance"), "nan");
    assert_float_equal(o[2].percent, 12.5, 1e-12);
    assert_float_equal(o[2].time_s, 90, 1e-12);
    assert_true(o[2].is_at_joint);
    assert_float_equal(o[2].clock_from_rad, 10 * M_PI / 6, 1e-12);
    assert_string_equal(o[3].remark, "<script>alert(1)</script>");
    assert_string_equal(o[3].continuous_id, "S09"); /* no partner: kept as it is, and counted */
    assert_float_equal(o[3].clock_to_rad, 2 * M_PI, 1e-12);
    assert_true(o[3].clock_from_rad == 0);
    assert_true(r.counts.kept >= 3);
    round_trip(&r, INTRA_RECORD_PACP_CSV, "pacp_out", true);
    round_trip(&r, INTRA_RECORD_PACP_SQLITE, "pacp.sqlite", true);
    round_trip(&r, INTRA_RECORD_OWN_CSV, "own.csv", false);
    intra_record_fini(&r);
}

static const char en_text[] =
    "#A1=ISO-8859-1\n#A2=de\n#A3=;\n#A4=,\n#A5=\"\n#A6=2010\n"
    "#B01=AAA;AAB;AAD;AAF;AAK;ABF;ACB;XYZ\nH1;K2;K1;K2;B;17.05.2024;300;kept\n"
    "#C=I;A;B;C;D;G;H;J;F\n0;BCD;XP;;K2;;;;\n1,5;BAB;B;A;2;12;12;A1;\"Riss; l\xe4ngs\"\n4;BAB;B;A;3;11;1;C1;\n"
    "7,25;BAB;B;A;3;11;1;B1;\n8;BBA;A;;10;9;;A2;\n9;;;;;;;;\n#Z\n"
    "#B01=AAA;AAK\nH2;A\n#C=I;A\n0;BCD\n#Z\nlost line\n";

/* A second header whose row never comes: what stands behind the end belongs to nobody. */
static void en_text_header_at_its_end(void **state)
{
    struct intra_record r;
    (void)state;
    read_ok(scratch_file("end.txt", "#A1=UTF-8\n#A3=;\n#A4=,\n#A5=\"\n#B01=AAA\nH1\n#C=I;A\n0;BCD\n#B02=ABC\n#Z\nlost line\n"),
            INTRA_RECORD_EN_TEXT, &r);
    assert_int_equal(r.n_inspections, 1);
    assert_int_equal(r.inspections[0].n_observations, 1);
    assert_null(intra_fields_get(&r.inspections[0].source, "ABC"));
    intra_record_fini(&r);
}

static void en_text_reads_blocks_and_changes(void **state)
{
    struct intra_record r;
    const struct intra_observation *o;
    (void)state;
    read_ok(scratch_file("en.txt", en_text), INTRA_RECORD_EN_TEXT, &r);
    assert_int_equal(r.n_inspections, 2);
    assert_int_equal(r.counts.refused, 2);
    assert_int_equal(r.inspections[0].n_observations, 4);
    assert_int_equal(r.inspections[0].direction, INTRA_DIRECTION_UPSTREAM);
    assert_string_equal(r.inspections[0].node_end, "K1");
    assert_string_equal(r.inspections[0].date, "2024-05-17");
    assert_string_equal(intra_fields_get(&r.inspections[0].source, "XYZ"), "kept");
    o = r.inspections[0].observations;
    assert_float_equal(o[1].distance_m, 1.5, 1e-12);
    assert_float_equal(o[1].distance_to_m, 4, 1e-12); /* to the change, and on from there with other values */
    assert_string_equal(o[1].remark, "Riss; l\xc3\xa4ngs");
    assert_float_equal(o[2].distance_m, 4, 1e-12);
    assert_float_equal(o[2].distance_to_m, 7.25, 1e-12);
    assert_float_equal(o[2].quantity[0], 3, 1e-12);
    assert_string_equal(o[3].continuous_id, "A2");
    round_trip(&r, INTRA_RECORD_EN_TEXT, "en_out.txt", true);
    round_trip(&r, INTRA_RECORD_OWN_CSV, "own2.csv", false);
    intra_record_fini(&r);
}

static void utf16_and_marks_are_taken_off(void **state)
{
    static const char plain[] = "station;code;clock_from\n1,5;BAB;3\n";
    static const char marked[] = "\xef\xbb\xbfstation\tcode\n2.5\tCL\n";
    char wide[2 + 2 * sizeof plain] = {(char)0xff, (char)0xfe};
    struct intra_record r;
    FILE *f = fopen(scratch_path("wide.csv"), "wb");
    (void)state;
    for (size_t i = 0; i < sizeof plain - 1; i++)
        wide[2 + 2 * i] = plain[i];
    assert_int_equal(fwrite(wide, 1, 2 * sizeof plain, f), 2 * sizeof plain);
    fclose(f);
    read_ok(scratch_path("wide.csv"), INTRA_RECORD_OWN_CSV, &r);
    assert_float_equal(r.inspections[0].observations[0].distance_m, 1.5, 1e-12);
    intra_record_fini(&r);
    read_ok(scratch_file("marked.csv", marked), INTRA_RECORD_OWN_CSV, &r);
    assert_float_equal(r.inspections[0].observations[0].distance_m, 2.5, 1e-12);
    intra_record_fini(&r);
}

static void dates_and_times_in_many_forms(void **state)
{
    static const char *const dates[] = {
        "2024-05-17", "17.05.2024", "17/5/2024", "5/17/2024", "20240517", "2024-05-17 09:00:00.000", "17.5.24"};
    char out[11], day_time[9];
    (void)state;
    for (size_t i = 0; i < sizeof dates / sizeof dates[0]; i++) {
        assert_true(intra_record_date(dates[i], out));
        assert_string_equal(out, "2024-05-17");
    }
    assert_false(intra_record_date("soon", out));
    assert_false(intra_record_date("2024-13-01", out));
    assert_true(intra_record_day_time("1899-12-30 9:05", day_time));
    assert_string_equal(day_time, "09:05:00");
    assert_float_equal(intra_record_video_time("01:02:03"), 3723, 1e-12);
    assert_float_equal(intra_record_video_time("00:01:02.5"), 62.5, 1e-12);
    assert_float_equal(intra_record_video_time("4617"), 46 * 60 + 17, 1e-12);
    assert_true(isnan(intra_record_video_time("later")));
    assert_true(isnan(intra_record_number("1e999")) && isnan(intra_record_number("nan")));
    assert_true(isnan(intra_record_number("0x10")) && isnan(intra_record_number("1,2,3")));
}

/* 100,000 rows, all start marks of one number, and a cell of 10 MB: counted in processor time, generously. */
static void many_rows_and_a_large_cell_in_bounded_time(void **state)
{
    enum { ROWS = 100000, CELL = 10000000 };
    FILE *f = fopen(scratch_path("many.csv"), "wb");
    struct intra_record r;
    clock_t before;
    (void)state;
    fprintf(f, "station_m,code,continuous,remark\n0,CL,,");
    for (int i = 0; i < CELL; i++)
        fputc('x', f);
    for (int i = 0; i < ROWS; i++)
        fprintf(f, "\n%d,CL,S01,", i);
    fputc('\n', f);
    fclose(f);
    before = clock();
    read_ok(scratch_path("many.csv"), INTRA_RECORD_OWN_CSV, &r);
    assert_int_equal(r.counts.read, ROWS + 1);
    assert_int_equal(r.counts.kept, ROWS);
    assert_int_equal(strlen(r.inspections[0].observations[0].remark), CELL);
    assert_true((double)(clock() - before) / CLOCKS_PER_SEC < 20);
    intra_record_fini(&r);
}

static void what_is_no_record_is_said(void **state)
{
    static const char *const texts[] = {"", "\n", "hello", "<html></html>", "{\"a\":1}", "SQLite format 3", "#"};
    struct intra_record r;
    struct intra_error err;
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        memset(&err, 0, sizeof err);
        assert_true(intra_record_read(scratch_file("no.txt", texts[i]), INTRA_RECORD_NONE, &r, &err) < 0);
        assert_true(err.text[0] && r.n_inspections == 0);
        for (int f = INTRA_RECORD_OWN_CSV; f < INTRA_RECORD_N_FORMATS; f++)
            assert_true(intra_record_read(scratch_path("no.txt"), (enum intra_record_format)f, &r, &err) < 0);
    }
    assert_int_equal(intra_record_read(scratch_path("missing"), INTRA_RECORD_NONE, &r, &err), INTRA_E_IO);
    for (int f = INTRA_RECORD_OWN_CSV; f < INTRA_RECORD_N_FORMATS; f++)
        assert_int_equal(intra_record_format_from_name(intra_record_format_name((enum intra_record_format)f)), f);
}

static void every_failed_allocation_is_reported(void **state)
{
    struct intra_record r;
    char path[512];
    (void)state;
    snprintf(path, sizeof path, "%s", pacp_folder());
    for (long n = 1; n < 2000; n++) {
        enum intra_status status;
        intra_mem_fail_at(n, 1);
        status = intra_record_read(path, INTRA_RECORD_NONE, &r, NULL);
        intra_mem_fail_at(0, 0);
        if (status == INTRA_OK) {
            intra_record_fini(&r);
            assert_true(n > 50);
            return;
        }
        assert_int_equal(status, INTRA_E_MEM);
    }
    fail();
}

/* ---- files that may not be here */

static const char *shared(const char *name)
{
    static char path[512];
    const char *other = getenv("INTRA_TEST_SHARED_DIR");
    struct stat info;
    snprintf(path, sizeof path, "%s/%s", other ? other : INTRA_TEST_SHARED, name);
    return stat(path, &info) == 0 ? path : NULL;
}

static void same_pipe_in_every_format(void **state)
{
    static const double from[] = {0, 0, 5.2, 8, 18.3, 23.4, 30.1, 33, 36, 42.7};
    static const double clock_from[] = {0, 0, 2, 12, 10, 9, 11, 7, 5, 0}; /* 0: none */
    static const struct {
        const char *name;
        enum intra_record_format format;
        const char *codes[10];
    } files[] = {{"formats/pacp/v7_csv",
                  INTRA_RECORD_PACP_CSV,
                  {"AMH", "MWL", "CC", "CL", "RMJ", "TF", "ID", "B", "DSGV", "AMH"}},
                 {"formats/pacp/v7_csv/PACP_Conditions.csv",
                  INTRA_RECORD_PACP_CSV,
                  {"AMH", "MWL", "CC", "CL", "RMJ", "TF", "ID", "B", "DSGV", "AMH"}},
                 {"formats/pacp/pacp_v7_sample.sqlite",
                  INTRA_RECORD_PACP_SQLITE,
                  {"AMH", "MWL", "CC", "CL", "RMJ", "TF", "ID", "B", "DSGV", "AMH"}},
                 {"formats/wincan_vx/synthetic_wincan_vx.db3",
                  INTRA_RECORD_WINCAN_DB3,
                  {"MH", "WL", "CC", "CL", "RMJ", "JN", "ID", "B", "DER", "MHF"}},
                 {"formats/en13508_2_txt/selfmade_example.txt",
                  INTRA_RECORD_EN_TEXT,
                  {"BCD", "BDD", "BAB", "BAB", "BBA", "BCA", "BBF", "BAC", "BBC", "BCE"}}};
    (void)state;
    if (!shared("formats")) skip();
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct intra_record r;
        const struct intra_inspection *p;
        read_ok(shared(files[i].name), files[i].format, &r);
        p = &r.inspections[0];
        assert_int_equal(r.n_inspections, 1);
        if (p->n_observations != 10 || r.counts.refused || r.counts.kept)
            fail_msg("%s: %lld observations, kept %s, refused %s", files[i].name, (long long)p->n_observations,
                     r.counts.first_kept, r.counts.first_refused);
        assert_string_equal(p->pipe, "P-0101");
        assert_string_equal(p->node_start, "MH-101");
        assert_int_equal(p->direction, INTRA_DIRECTION_DOWNSTREAM);
        assert_string_equal(p->date, "2025-06-03");
        for (int k = 0; k < 10; k++) {
            const struct intra_observation *o = &p->observations[k];
            assert_string_equal(o->code, files[i].codes[k]);
            assert_float_equal(o->distance_m, from[k], 0.02); /* feet have one decimal */
            if (k == 3) assert_float_equal(o->distance_to_m, 14, 0.02);
            if (k == 8) assert_float_equal(o->distance_to_m, 39, 0.02);
            if (k != 3 && k != 8) assert_true(isnan(o->distance_to_m));
            if (clock_from[k] == 0)
                assert_true(isnan(o->clock_from_rad));
            else
                assert_float_equal(intra_clock_to_hours(o->clock_from_rad), clock_from[k], 1e-9);
        }
        round_trip(&r, INTRA_RECORD_OWN_CSV, "shared.csv", false);
        intra_record_fini(&r);
    }
}

static void real_records_are_read_whole(void **state)
{
    struct intra_record r;
    int64_t rows = 0;
    (void)state;
    if (!shared("real/records")) skip();
    read_ok(shared("real/records/pacp_conditions.csv"), INTRA_RECORD_PACP_CSV, &r);
    assert_int_equal(r.n_inspections, 300);
    for (int64_t i = 0; i < r.n_inspections; i++)
        for (int64_t k = 0; k < r.inspections[i].n_observations; k++)
            rows += 1 + (r.inspections[i].observations[k].finish_source.n > 0);
    print_message("pacp: %lld rows in %lld observations, kept %lld (%s), refused %lld (%s)\n", (long long)rows,
                  (long long)r.counts.read, (long long)r.counts.kept, r.counts.first_kept, (long long)r.counts.refused,
                  r.counts.first_refused);
    assert_int_equal(rows + r.counts.refused, 3644);
    assert_int_equal(r.counts.refused, 0);
    round_trip(&r, INTRA_RECORD_PACP_CSV, "real_pacp", true);
    round_trip(&r, INTRA_RECORD_PACP_SQLITE, "real.sqlite", true);
    intra_record_fini(&r);
    read_ok(shared("real/records/example_13508_2.txt"), INTRA_RECORD_EN_TEXT, &r);
    print_message("en: %lld inspections, %lld observations, kept %lld (%s), refused %lld (%s)\n",
                  (long long)r.n_inspections, (long long)r.counts.read, (long long)r.counts.kept, r.counts.first_kept,
                  (long long)r.counts.refused, r.counts.first_refused);
    assert_int_equal(r.counts.refused, 0);
    round_trip(&r, INTRA_RECORD_EN_TEXT, "real_en.txt", true);
    intra_record_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pacp_csv_reads_feet_and_refuses),
        cmocka_unit_test(en_text_reads_blocks_and_changes),
        cmocka_unit_test(en_text_header_at_its_end),
        cmocka_unit_test(utf16_and_marks_are_taken_off),
        cmocka_unit_test(dates_and_times_in_many_forms),
        cmocka_unit_test(many_rows_and_a_large_cell_in_bounded_time),
        cmocka_unit_test(what_is_no_record_is_said),
        cmocka_unit_test(every_failed_allocation_is_reported),
        cmocka_unit_test(same_pipe_in_every_format),
        cmocka_unit_test(real_records_are_read_whole),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
