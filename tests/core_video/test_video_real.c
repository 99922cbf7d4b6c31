/* Proves, where ../shared/real is present: both real clips decode whole; the borescope clip has no repeats, the
 * push-rod clip many; pictures and marks are the same for 1 and 4 threads; neither clip is taken for interlaced. Does
 * not prove: that each single repeat mark is right (nobody has marked them by hand; the limits below come from a look
 * at the differences, which fall into two groups a factor of two apart with nothing between). */
#include "made_video.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/* wants the four above first */
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define GREY INTRA_TEST_SHARED "/real/straight_grey_pipe.avi"
#define ROOTS INTRA_TEST_SHARED "/real/pushrod_roots_pullback.mp4"

static struct made_seen seen, other;

static void read_both_ways(const char *path)
{
    struct intra_video_options options = intra_video_defaults();
    options.threads = 1;
    made_read(path, &options, &seen);
    options.threads = 4;
    made_read(path, &options, &other);
    assert_int_equal(seen.end, INTRA_EOF);
    assert_int_equal(seen.counts.damaged, 0);
    assert_false(seen.info.is_interlaced);
    assert_memory_equal(seen.hash, other.hash, sizeof seen.hash);
    assert_memory_equal(seen.is_repeat, other.is_repeat, sizeof seen.is_repeat);
}

static void straight_grey_pipe(void **state)
{
    (void)state;
    read_both_ways(GREY);
    assert_int_equal(seen.frames, 100);
    assert_int_equal(seen.info.width, 960);
    assert_int_equal(seen.info.height, 540);
    assert_int_equal(seen.counts.repeated, 0);
}

static void pushrod_roots(void **state)
{
    (void)state;
    read_both_ways(ROOTS);
    assert_int_equal(seen.frames, 267);
    assert_int_equal(seen.info.width, 640);
    assert_in_range(seen.counts.repeated, 75, 86);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(straight_grey_pipe), cmocka_unit_test(pushrod_roots)};
    if (access(GREY, R_OK) != 0 || access(ROOTS, R_OK) != 0) {
        puts("skipped: no ../shared/real beside the checkout");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
