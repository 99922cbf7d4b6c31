/* Proves: the imaginary pipe of tests/data/records comes out the same from each format that can hold it, whatever the
 * format's codes, and goes through the writable ones without loss of what is compared; the detections beside it give
 * their outlines. Needs nothing from outside. */
#include "export/record.h"

#include "core/scratch.h"
#include "export/record_same.h"

static void read_as(const char *path, enum intra_record_format format, struct intra_record *out)
{
    struct intra_error err = {0};
    if (intra_record_read(path, INTRA_RECORD_NONE, out, &err) != INTRA_OK) fail_msg("%s: %s", path, err.text);
    assert_int_equal(out->format, format);
}

static const char *fixture(const char *name)
{
    static char path[600];
    snprintf(path, sizeof path, "%s/tests/data/records/%s", INTRA_TEST_SOURCE, name);
    return path;
}

static const struct row {
    double from, to, clock_from, clock_to, time_s;
    const char *en, *pacp;
    bool is_at_joint;
} rows[] = {{0, NAN, NAN, NAN, 2, "BCD", "AMH", false},     {1.5, NAN, 10, 2, 12, "BAB", "CC", false},
            {4, 7.25, 5, 7, 30, "BBC", "DSGV", false},      {9.1, NAN, 9, NAN, 65, "BCA", "TF", false},
            {12.3, NAN, 12, 12, 90, "BAJ", "JOM", true},    {15, NAN, 11, 1, 110, "BBA", "RFJ", false},
            {18.4, NAN, NAN, NAN, 130, "BCE", "AMH", false}};
enum { N_ROWS = sizeof rows / sizeof rows[0] };

static double hours(double h)
{
    return isnan(h) ? (double)NAN : intra_clock_from_hours(h);
}

/* has_header: the format holds more than rows. */
static void check_pipe(const struct intra_record *r, bool is_pacp, bool has_header, const char *name)
{
    const struct intra_inspection *p = &r->inspections[0];
    if (p->n_observations != N_ROWS)
        fail_msg("%s: %lld observations; kept %s, refused %s", name, (long long)p->n_observations, r->counts.first_kept,
                 r->counts.first_refused);
    assert_string_equal(p->pipe, "L-9");
    if (has_header) {
        assert_string_equal(p->node_start, "N1");
        if (p->direction != INTRA_DIRECTION_DOWNSTREAM) fail_msg("%s: direction", name);
    }
    for (int i = 0; i < N_ROWS; i++) {
        const struct intra_observation *o = &p->observations[i];
        bool is_ring = rows[i].clock_from == 12 && rows[i].clock_to == 12;
        assert_string_equal(o->code, is_pacp ? rows[i].pacp : rows[i].en);
        same_value(name, "distance", o->distance_m, rows[i].from);
        same_value(name, "distance to", o->distance_to_m, rows[i].to);
        same_value(name, "time", o->time_s, rows[i].time_s);
        same_value(name, "clock from", o->clock_from_rad, is_ring ? 0 : hours(rows[i].clock_from));
        same_value(name, "clock to", o->clock_to_rad, is_ring ? 2 * M_PI : hours(rows[i].clock_to));
        if (o->is_at_joint != rows[i].is_at_joint) fail_msg("%s: row %d: joint", name, i);
    }
    assert_string_equal(p->observations[5].remark, "Wurzeln & <\xc3\x84>");
    assert_string_equal(p->observations[3].media[0].file, "a1.jpg");
}

static void one_pipe_in_every_format(void **state)
{
    static const struct {
        const char *file;
        enum intra_record_format format;
        bool is_pacp, has_header;
        int refused;
    } files[] = {{"csv/pipe.csv", INTRA_RECORD_OWN_CSV, false, false, 0},
                 {"json/pipe.json", INTRA_RECORD_OWN_JSON, false, true, 0},
                 {"pacp-csv", INTRA_RECORD_PACP_CSV, true, true, 0},
                 {"en-text/pipe.txt", INTRA_RECORD_EN_TEXT, false, true, 0},
                 {"isybau/pipe.xml", INTRA_RECORD_ISYBAU, false, true, 0},
                 {"dwa-m150/pipe.xml", INTRA_RECORD_DWA_M150, false, true, 0},
                 {"ribx/pipe.ribx", INTRA_RECORD_RIBX, false, true, 1},
                 {"wsaa/pipe.xml", INTRA_RECORD_WSAA, false, true, 0},
                 {"mscc/pipe.xml", INTRA_RECORD_MSCC, true, true, 0}};
    static const enum intra_record_format out[] = {
        INTRA_RECORD_OWN_JSON, INTRA_RECORD_OWN_CSV, INTRA_RECORD_PACP_CSV, INTRA_RECORD_PACP_SQLITE,
        INTRA_RECORD_EN_TEXT,  INTRA_RECORD_ISYBAU,  INTRA_RECORD_DWA_M150};
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct intra_record r, b;
        read_as(fixture(files[i].file), files[i].format, &r);
        assert_int_equal(r.counts.refused, files[i].refused);
        if (r.counts.kept) fail_msg("%s: %s", files[i].file, r.counts.first_kept);
        check_pipe(&r, files[i].is_pacp, files[i].has_header, files[i].file);
        for (size_t k = 0; k < sizeof out / sizeof out[0]; k++) {
            struct intra_error err = {0};
            char name[64];
            snprintf(name, sizeof name, "out%zu_%zu", i, k);
            if (intra_record_write(&r, out[k], scratch_path(name), &err) != INTRA_OK) fail_msg("%s", err.text);
            if (intra_record_read(scratch_path(name), INTRA_RECORD_NONE, &b, &err) != INTRA_OK)
                fail_msg("%s", err.text);
            snprintf(name, sizeof name, "%s as %s", files[i].file, intra_record_format_name(out[k]));
            check_pipe(&b, files[i].is_pacp, files[i].has_header && out[k] != INTRA_RECORD_OWN_CSV, name);
            intra_record_fini(&b);
        }
        intra_record_fini(&r);
    }
}

static void detections_give_outlines(void **state)
{
    static const struct {
        const char *file;
        enum intra_record_format format;
        int observations, regions, refused;
    } files[] = {{"coco/boxes.json", INTRA_RECORD_COCO, 3, 3, 1},
                 {"coco/results.json", INTRA_RECORD_COCO, 2, 2, 0},
                 {"yolo", INTRA_RECORD_YOLO, 2, 2, 0},
                 {"cvat/boxes.xml", INTRA_RECORD_CVAT, 6, 15, 0},
                 {"sewerai/boxes.json", INTRA_RECORD_SEWERAI, 1, 2, 1}};
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct intra_record r;
        int regions = 0;
        int64_t observations = 0;
        read_as(fixture(files[i].file), files[i].format, &r);
        for (int64_t k = 0; k < r.n_inspections; k++)
            for (int64_t j = 0; j < r.inspections[k].n_observations; j++, observations++)
                regions += r.inspections[k].observations[j].n_regions;
        print_message("%s: %lld observations, %d regions, %lld refused (%s), %lld kept (%s)\n", files[i].file,
                      (long long)observations, regions, (long long)r.counts.refused, r.counts.first_refused,
                      (long long)r.counts.kept, r.counts.first_kept);
        assert_int_equal(observations, files[i].observations);
        assert_int_equal(regions, files[i].regions);
        assert_int_equal(r.counts.refused, files[i].refused);
        intra_record_fini(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_pipe_in_every_format),
                                       cmocka_unit_test(detections_give_outlines)};
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
