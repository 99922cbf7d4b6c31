/* Proves: PACP 6 and 7 are read from Access files with their types (dates, booleans, numbers, memos, umlauts), also
 * many rows; a file that is damaged, cut or of something else gives one clear error and never takes this process along,
 * and what is read of a damaged one by chance is a sane record. The files are written by made_mdb. Does not prove: that
 * files by Access itself are read (none is free to stand here; what was tried is in docs/records.md). */
#include "export/record.h"

#include "core/scratch.h"
#include "export/record_same.h"
#include "made_mdb.h"

#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void read_ok(const char *path, struct intra_record *out)
{
    struct intra_error err = {0};
    if (intra_record_read(path, INTRA_RECORD_NONE, out, &err) != INTRA_OK) fail_msg("%s: %s", path, err.text);
    assert_int_equal(out->format, INTRA_RECORD_PACP_MDB);
}

static void both_versions_with_their_types(void **state)
{
    (void)state;
    for (int version = 6; version <= 7; version++) {
        struct intra_record r;
        made_mdb_pipe(scratch_path("pipe.mdb"), version);
        read_ok(scratch_path("pipe.mdb"), &r);
        assert_int_equal(r.n_inspections, 1);
        assert_int_equal(r.counts.refused, 1); /* of no inspection */
        const struct intra_inspection *p = &r.inspections[0];
        assert_string_equal(p->id, "7");
        assert_string_equal(p->operator_name, "T. \xc3\x96ster");
        assert_string_equal(p->date, "2023-03-15");
        assert_string_equal(p->time, "09:00:00");
        assert_int_equal(p->direction, INTRA_DIRECTION_UPSTREAM);
        assert_true(p->is_imperial);
        assert_float_equal(p->height_m, 0.3048, 1e-12);
        assert_float_equal(p->length_m, 100.5 * 0.3048, 1e-12);
        assert_string_equal(intra_fields_get(&p->source, "Total_Length"), "100.5");
        assert_string_equal(intra_fields_get(&p->source, "Additional_Info"), "third \xe2\x82\xac note");
        assert_string_equal(p->media[0].file, "l9.mpg");
        assert_int_equal(p->n_observations, 3);
        const struct intra_observation *o = p->observations;
        assert_float_equal(o[1].distance_to_m, 20.5 * 0.3048, 1e-12);
        assert_float_equal(o[1].time_s, 62, 0);
        assert_true(o[2].is_at_joint && !o[1].is_at_joint);
        assert_float_equal(o[2].percent, 15, 0);
        assert_string_equal(intra_fields_get(&o[2].source, "Value_1st_Dimension"), "1.25");
        assert_string_equal(o[2].remark, "<script>alert(1)</script>");
        assert_string_equal(o[2].media[0].file, "root.jpg");
        intra_record_fini(&r);
    }
}

static void a_hundred_thousand_rows(void **state)
{
    enum { N = 100000, COLUMNS = 4 };
    static const struct made_mdb_column conditions[] = {
        {"ConditionID", MADE_LONG}, {"InspectionID", MADE_LONG}, {"Distance", MADE_DOUBLE}, {"PACP_Code", MADE_TEXT}};
    static const struct made_mdb_column inspections[] = {{"InspectionID", MADE_LONG}, {"IsImperial", MADE_BOOL}};
    static const char *const one[] = {"1", "0"};
    char(*text)[16] = calloc(N, 16);
    const char **cells = calloc(N * COLUMNS, sizeof *cells);
    struct intra_record r;
    clock_t before;
    (void)state;
    for (int i = 0; i < N; i++) {
        snprintf(text[i], 16, "%d", i);
        cells[COLUMNS * i] = cells[COLUMNS * i + 2] = text[i];
        cells[COLUMNS * i + 1] = "1";
        cells[COLUMNS * i + 3] = "CL";
    }
    const struct made_mdb_table tables[] = {{"PACP_Inspections", inspections, 2, one, 1},
                                            {"PACP_Conditions", conditions, COLUMNS, cells, N}};
    made_mdb_write(scratch_path("many.accdb"), tables, 2, 1);
    free(text);
    free(cells);
    before = clock();
    read_ok(scratch_path("many.accdb"), &r);
    assert_int_equal(r.counts.read, N);
    assert_float_equal(r.inspections[0].observations[N - 1].distance_m, N - 1, 0);
    assert_true((double)(clock() - before) / CLOCKS_PER_SEC < 20);
    intra_record_fini(&r);
}

static void what_is_not_there_is_said(void **state)
{
    static const struct made_mdb_column columns[] = {{"InspectionID", MADE_LONG}, {"IsImperial", MADE_BOOL}};
    static const char *const cells[] = {"1", "0"};
    const struct made_mdb_table one[] = {{"PACP_Inspections", columns, 2, cells, 1}};
    struct intra_record r;
    struct intra_error err = {0};
    (void)state;
    made_mdb_write(scratch_path("one.mdb"), one, 1, 0);
    assert_int_equal(intra_record_read(scratch_path("one.mdb"), INTRA_RECORD_NONE, &r, &err), INTRA_E_FORMAT);
    if (!strstr(err.text, "the table PACP_Conditions is not in this database")) fail_msg("%s", err.text);
    assert_int_equal(intra_record_read(scratch_path("none.mdb"), INTRA_RECORD_PACP_MDB, &r, &err), INTRA_E_IO);
    assert_int_equal(intra_record_read(scratch_file("text.mdb", "no database"), INTRA_RECORD_PACP_MDB, &r, &err),
                     INTRA_E_FORMAT);
}

/* Each of 300 damaged copies: an error with words or a record, this process whole, no child left behind. */
static void damaged_files_never_take_us_along(void **state)
{
    enum { COPIES = 300 };
    uint64_t seed = 7;
    int refused = 0;
    static char whole[64 * 4096], copy[64 * 4096];
    size_t size;
    FILE *f;
    (void)state;
    made_mdb_pipe(scratch_path("pipe.mdb"), 7);
    f = fopen(scratch_path("pipe.mdb"), "rb");
    size = fread(whole, 1, sizeof whole, f);
    fclose(f);
    for (int i = 0; i < COPIES; i++) {
        struct intra_record r;
        struct intra_error err = {0};
        size_t n = size;
        memcpy(copy, whole, size);
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        if (i % 5 == 0) {
            n = 20 + (size_t)(seed >> 33) % (size - 20);
        } else {
            for (int k = 0; k < 1 + i % 40; k++) {
                seed = seed * 6364136223846793005u + 1442695040888963407u;
                copy[24 + (size_t)(seed >> 33) % (size - 24)] = (char)(i % 3 ? seed >> 50 : 0xff);
            }
        }
        f = fopen(scratch_path("bad.mdb"), "wb");
        fwrite(copy, 1, n, f);
        fclose(f);
        if (intra_record_read(scratch_path("bad.mdb"), INTRA_RECORD_PACP_MDB, &r, &err) != INTRA_OK) {
            assert_true(err.text[0]);
            refused++;
        } else {
            for (int64_t k = 0; k < r.inspections[0].n_observations; k++)
                assert_false(isinf(r.inspections[0].observations[k].distance_m));
            intra_record_fini(&r);
        }
    }
    print_message("%d of %d damaged copies refused\n", refused, COPIES);
    assert_true(refused > COPIES / 10);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_versions_with_their_types), cmocka_unit_test(a_hundred_thousand_rows),
        cmocka_unit_test(what_is_not_there_is_said), cmocka_unit_test(damaged_files_never_take_us_along)};
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
