/* The stage to copy, recon/sample_stage, and the tests that a stage should have.
 *
 * Proves: counts and mean against hand-made frames; limits are exclusive; rows padded by a stride are not counted;
 * wrong frames are refused and leave the stage usable; the same counts for 1 and 5 threads; a failed allocation is an
 * error that leaks nothing (under ASan). Does not prove: speed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/mem.h"
#include "recon/sample_stage.h"

#include <math.h>
#include <string.h>

enum { ROWS = 7, COLS = 5, STRIDE = 9 };

/* A frame of one grey level, rows padded with white that must not count. */
static struct intra_view_u8 grey(uint8_t pixels[ROWS * STRIDE], uint8_t level)
{
    struct intra_view_u8 view = {.data = pixels, .rows = ROWS, .cols = COLS, .channels = 1, .stride = STRIDE};
    memset(pixels, 255, ROWS * STRIDE);
    for (int row = 0; row < ROWS; row++)
        memset(intra_row_u8(&view, row), level, COLS);
    return view;
}

static void feed(struct intra_sample_stage *stage, uint8_t level)
{
    uint8_t pixels[ROWS * STRIDE];
    struct intra_view_u8 view = grey(pixels, level);
    assert_int_equal(intra_sample_process(stage, &view, NULL), INTRA_OK);
}

static void counts_and_mean_of_padded_frames(void **state)
{
    struct intra_sample_options options = intra_sample_defaults();
    struct intra_sample_stage stage;
    struct intra_sample_counts counts;
    (void)state;
    assert_int_equal(intra_sample_start(&stage, ROWS, COLS, &options, NULL), INTRA_OK);
    feed(&stage, 0);
    feed(&stage, 15);
    feed(&stage, 16);  /* the limit itself is not dark */
    feed(&stage, 235); /* nor bright */
    feed(&stage, 236);
    intra_sample_finish(&stage, &counts);
    assert_int_equal(counts.frames, 5);
    assert_int_equal(counts.dark, 2);
    assert_int_equal(counts.bright, 1);
    assert_true(counts.mean_luma == (0 + 15 + 16 + 235 + 236) / 5.0);
}

static void no_frame_has_no_mean(void **state)
{
    struct intra_sample_options options = intra_sample_defaults();
    struct intra_sample_stage stage;
    struct intra_sample_counts counts;
    (void)state;
    assert_int_equal(intra_sample_start(&stage, ROWS, COLS, &options, NULL), INTRA_OK);
    intra_sample_finish(&stage, &counts);
    assert_int_equal(counts.frames, 0);
    assert_true(isnan(counts.mean_luma));
    intra_sample_finish(&stage, NULL); /* a finished stage is fine */
}

static void bad_options_are_refused(void **state)
{
    struct intra_sample_options good = intra_sample_defaults(), bad;
    struct intra_sample_stage stage;
    struct intra_error err = {0};
    (void)state;
    assert_int_equal(intra_sample_start(&stage, 0, COLS, &good, &err), INTRA_E_ARG);
    assert_non_null(strstr(err.text, "5 x 0"));
    bad = good;
    bad.dark_below = NAN;
    assert_int_equal(intra_sample_start(&stage, ROWS, COLS, &bad, &err), INTRA_E_ARG);
    bad = good;
    bad.threads = 0;
    assert_int_equal(intra_sample_start(&stage, ROWS, COLS, &bad, &err), INTRA_E_ARG);
}

static void another_shape_is_refused_and_not_counted(void **state)
{
    struct intra_sample_options options = intra_sample_defaults();
    struct intra_sample_stage stage;
    struct intra_sample_counts counts;
    struct intra_error err = {0};
    uint8_t pixels[ROWS * STRIDE];
    struct intra_view_u8 view = grey(pixels, 100);
    (void)state;
    assert_int_equal(intra_sample_start(&stage, ROWS, COLS, &options, NULL), INTRA_OK);
    view.rows--;
    assert_int_equal(intra_sample_process(&stage, &view, &err), INTRA_E_ARG);
    assert_non_null(strstr(err.text, "(6, 5, 1)"));
    feed(&stage, 100);
    intra_sample_finish(&stage, &counts);
    assert_int_equal(counts.frames, 1);
    assert_true(counts.mean_luma == 100);
}

static void same_counts_for_every_team(void **state)
{
    enum { BIG_ROWS = 123, BIG_COLS = 77, FRAMES = 40 };
    static uint8_t pixels[BIG_ROWS * BIG_COLS];
    struct intra_sample_counts counts[2];
    (void)state;
    for (int run = 0; run < 2; run++) {
        struct intra_sample_options options = {.dark_below = 127, .bright_above = 128, .threads = run == 0 ? 1 : 5};
        struct intra_sample_stage stage;
        uint32_t x = 7;
        assert_int_equal(intra_sample_start(&stage, BIG_ROWS, BIG_COLS, &options, NULL), INTRA_OK);
        for (int frame = 0; frame < FRAMES; frame++) {
            struct intra_view_u8 view = {pixels, BIG_ROWS, BIG_COLS, 1, BIG_COLS};
            for (size_t i = 0; i < sizeof pixels; i++)
                pixels[i] = (uint8_t)((x = x * 1664525u + 1013904223u) >> 24);
            assert_int_equal(intra_sample_process(&stage, &view, NULL), INTRA_OK);
        }
        memset(&counts[run], 0, sizeof counts[run]);
        intra_sample_finish(&stage, &counts[run]);
    }
    assert_memory_equal(&counts[0], &counts[1], sizeof counts[0]);
    assert_int_equal(counts[0].frames, FRAMES);
    assert_true(counts[0].dark > 0 && counts[0].bright > 0); /* the limits cut through the data */
}

static void failed_allocation_is_an_error(void **state)
{
    struct intra_sample_options options = intra_sample_defaults();
    struct intra_sample_stage stage;
    (void)state;
    intra_mem_fail_at(1, 0);
    assert_int_equal(intra_sample_start(&stage, ROWS, COLS, &options, NULL), INTRA_E_MEM);
    intra_mem_fail_at(0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_and_mean_of_padded_frames), cmocka_unit_test(no_frame_has_no_mean),
        cmocka_unit_test(bad_options_are_refused),          cmocka_unit_test(another_shape_is_refused_and_not_counted),
        cmocka_unit_test(same_counts_for_every_team),       cmocka_unit_test(failed_allocation_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
