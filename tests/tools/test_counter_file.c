/* Proves: a table of counter readings by index or by time fills the frames that it names and no others; rows without a
 * reading are passed over; a table without the columns, out of order, or with something else in it is refused with the
 * row named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/counter_file.h"

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { N = 10 };

static enum intra_status read_text(const char *text, struct intra_counter_file *out, struct intra_error *err)
{
    char path[] = "/tmp/counter_file_XXXXXX";
    int fd = mkstemp(path);
    enum intra_status status;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    status = intra_counter_file_read(path, out, err);
    unlink(path);
    return status;
}

static void make_frames(struct intra_frame_record *frames)
{
    for (int i = 0; i < N; i++)
        frames[i] = (struct intra_frame_record){.index = i, .pts_s = 0.04 * i, .counter_m = NAN};
}

static void by_index_and_by_time(void **state)
{
    static const char *const texts[] = {
        "index,counter_m\n2,1.50\n3,\n7,1.75\n",
        "file,time_s,text,counter_m,unit,confidence\nrun,0.08,x,1.50,m,1\nrun,0.12,,,,0\n"
        "run,0.281,\"a,b\",1.75,m,1\nrun,9,x,2,m,1\n"};
    (void)state;
    for (int k = 0; k < 2; k++) {
        struct intra_counter_file file;
        struct intra_frame_record frames[N];
        struct intra_error err = {0};
        make_frames(frames);
        if (read_text(texts[k], &file, &err) != INTRA_OK) fail_msg("%s", err.text);
        assert_int_equal(intra_counter_file_fill(&file, frames, N), 2);
        for (int i = 0; i < N; i++) {
            if (i == 2 || i == 7)
                assert_true(frames[i].counter_m == (i == 2 ? 1.5 : 1.75));
            else
                assert_true(isnan(frames[i].counter_m));
        }
        intra_counter_file_fini(&file);
    }
}

static void bad_tables(void **state)
{
    static const struct {
        const char *text, *says;
    } cases[] = {{"a,b\n1,2\n", "want the columns"},       {"index,counter_m\n1,abc\n", "row 2"},
                 {"index,counter_m\n5,1\n5,2\n", "row 3"}, {"index,counter_m\n1,\n", "no row"},
                 {"index,counter_m\n1,1e300\n", "row 2"},  {"", "no table"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct intra_counter_file file;
        struct intra_error err = {0};
        assert_int_equal(read_text(cases[i].text, &file, &err), INTRA_E_FORMAT);
        if (!strstr(err.text, cases[i].says)) fail_msg("'%s' does not say '%s'", err.text, cases[i].says);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(by_index_and_by_time), cmocka_unit_test(bad_tables)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
