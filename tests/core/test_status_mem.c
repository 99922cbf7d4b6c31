/* Proves: errors carry code, place and text, context goes before it and never overflows; memory is zeroed, aligned,
 * refuses overflowing sizes, keeps the old block when growing fails, and the failing-allocation hook fails exactly the
 * one asked for. Does not prove: that every caller forwards its errors (each room's own tests sweep that). */
#include "core/mem.h"
#include "core/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void error_carries_code_place_and_text(void **state)
{
    (void)state;
    struct intra_error err = {0};
    assert_int_equal(INTRA_FAIL(&err, INTRA_E_IO, "%s: %d", "pipe.mpg", 7), INTRA_E_IO);
    assert_int_equal(err.code, INTRA_E_IO);
    assert_string_equal(err.text, "pipe.mpg: 7");
    assert_non_null(strstr(err.file, "test_status_mem.c"));
    assert_true(err.line > 0);
    intra_error_context(&err, "frame %d", 12);
    assert_string_equal(err.text, "frame 12: pipe.mpg: 7");
    assert_int_equal(err.code, INTRA_E_IO);
    assert_int_equal(INTRA_FAIL(NULL, INTRA_E_MEM, "nobody listens"), INTRA_E_MEM);
    intra_error_context(NULL, "nobody");
}

static void long_texts_are_cut_not_spilt(void **state)
{
    (void)state;
    struct {
        struct intra_error err;
        char guard[64];
    } box = {0};
    char longer[2000];
    memset(box.guard, 'g', sizeof box.guard);
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = 0;
    INTRA_FAIL(&box.err, INTRA_E_ARG, "%s", longer);
    intra_error_context(&box.err, "short");
    assert_true(strlen(box.err.text) == sizeof box.err.text - 1 && strncmp(box.err.text, "short: xx", 9) == 0);
    intra_error_context(&box.err, "%s", longer);
    assert_true(strlen(box.err.text) == sizeof box.err.text - 1);
    for (size_t i = 0; i < sizeof box.guard; i++)
        assert_int_equal(box.guard[i], 'g');
}

static void every_status_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int a = INTRA_E_EXISTS; a <= INTRA_CANCELLED; a++)
        for (int b = INTRA_E_EXISTS; b < a; b++)
            assert_string_not_equal(intra_status_name((enum intra_status)a), intra_status_name((enum intra_status)b));
    assert_string_equal(intra_status_name((enum intra_status) - 99), "unknown");
}

static enum intra_status forward(enum intra_status what, int *cleaned)
{
    enum intra_status status = INTRA_OK;
    INTRA_TRY(what);
    *cleaned = -1;
done:
    ++*cleaned;
    return status;
}

static void try_forwards_through_done(void **state)
{
    (void)state;
    int cleaned = 5;
    assert_int_equal(forward(INTRA_E_IO, &cleaned), INTRA_E_IO);
    assert_int_equal(cleaned, 6);
    assert_int_equal(forward(INTRA_OK, &cleaned), INTRA_OK);
    assert_int_equal(cleaned, 0);
    assert_int_equal(forward(INTRA_EOF, &cleaned), INTRA_EOF);
}

static void memory_is_zeroed_and_aligned(void **state)
{
    (void)state;
    for (size_t n = 0; n < 300; n++) {
        unsigned char *p = intra_alloc(n, 3);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 64, 0);
        for (size_t i = 0; i < 3 * n; i++)
            assert_int_equal(p[i], 0);
        memset(p, 0xa5, 3 * n);
        intra_free(p);
    }
    intra_free(NULL);
}

static void overflowing_sizes_are_refused(void **state)
{
    (void)state;
    struct intra_error err = {0};
    double *p = (double *)1;
    assert_null(intra_alloc(SIZE_MAX / 2, 3));
    assert_null(intra_alloc(SIZE_MAX, 1));
    assert_null(intra_resize(NULL, 0, SIZE_MAX / 4, 8));
    assert_int_equal(INTRA_ALLOC(p, SIZE_MAX / 4, &err), INTRA_E_MEM);
    assert_null(p);
    assert_non_null(strstr(err.text, "out of memory"));
}

static void growing_keeps_the_old_and_zeroes_the_new(void **state)
{
    (void)state;
    int *p = intra_alloc(3, sizeof *p);
    for (int i = 0; i < 3; i++)
        p[i] = i + 1;
    intra_mem_fail_at(1, 0);
    assert_null(intra_resize(p, 3, 1000, sizeof *p));
    intra_mem_fail_at(0, 0);
    p = intra_resize(p, 3, 1000, sizeof *p);
    assert_non_null(p);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(p[i], i < 3 ? i + 1 : 0);
    p = intra_resize(p, 1000, 2, sizeof *p);
    assert_true(p && p[0] == 1 && p[1] == 2);
    intra_free(p);
    char *copy = intra_strdup("crown");
    assert_string_equal(copy, "crown");
    intra_free(copy);
}

static void the_hook_fails_the_one_asked_for(void **state)
{
    (void)state;
    for (long nth = 1; nth <= 4; nth++)
        for (int and_after = 0; and_after <= 1; and_after++) {
            long before = intra_mem_count();
            intra_mem_fail_at(nth, and_after);
            for (long call = 1; call <= 6; call++) {
                void *p = intra_alloc(1, 1);
                bool is_failing = call == nth || (and_after && call > nth);
                assert_int_equal(p == NULL, is_failing);
                intra_free(p);
            }
            intra_mem_fail_at(0, 0);
            assert_int_equal(intra_mem_count() - before, 6);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(error_carries_code_place_and_text),
        cmocka_unit_test(long_texts_are_cut_not_spilt),
        cmocka_unit_test(every_status_has_a_name_of_its_own),
        cmocka_unit_test(try_forwards_through_done),
        cmocka_unit_test(memory_is_zeroed_and_aligned),
        cmocka_unit_test(overflowing_sizes_are_refused),
        cmocka_unit_test(growing_keeps_the_old_and_zeroes_the_new),
        cmocka_unit_test(the_hook_fails_the_one_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
