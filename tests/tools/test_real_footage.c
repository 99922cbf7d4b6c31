/* Proves, through the real program and where the footage is present: the straight grey pipe is followed from its first
 * frame to its last in one piece, and the push-rod clip full of roots ends with a refusal instead of invented pipe.
 * Does not prove that the numbers are right: nobody knows them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "program.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define GREY INTRA_TEST_SHARED "/real/straight_grey_pipe.avi"
#define ROOTS INTRA_TEST_SHARED "/real/pushrod_roots_pullback.mp4"

/* The seventh column; -1: none. */
static int segment_of(const char *line)
{
    for (int i = 0; line && i < 6; i++)
        line = strchr(line + (i > 0), ',');
    return line && line[1] >= '0' && line[1] <= '9' ? line[1] - '0' : -1;
}

static void grey_pipe_in_one_piece(void **state)
{
    char path[128], line[256];
    int frames = 0, driven = 0;
    (void)state;
    program_expect(program_dir, "reconstruct " GREY " --diameter 300mm --hfov 70deg --counter off -o grey -q", 0, NULL);
    snprintf(path, sizeof path, "%s/grey/frames.csv", program_dir);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    assert_non_null(fgets(line, sizeof line, f));
    for (; fgets(line, sizeof line, f); frames++)
        driven += strstr(line, ",drive,") && segment_of(line) == 0;
    fclose(f);
    assert_int_equal(frames, 100);
    assert_int_equal(driven, 100);
}

static void roots_are_refused(void **state)
{
    (void)state;
    program_expect(program_dir, "reconstruct " ROOTS " --diameter 150mm --counter off -o roots -q", 1,
                   "nothing could be reconstructed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(grey_pipe_in_one_piece), cmocka_unit_test(roots_are_refused)};
    if (access(GREY, R_OK) != 0 || access(ROOTS, R_OK) != 0) {
        puts("skipped: no ../shared/real beside the checkout");
        return 77;
    }
    return cmocka_run_group_tests(tests, program_make_dir, program_remove_dir);
}
