/* Proves: digits in standing cells before a moving wall are read right once some frames are known, also those that no
 * known frame shows; a look that is no digit, a number with a digit more and a picture without a number are not read; a
 * known number that the picture contradicts is found; pictures of another size are passed over; where known frames
 * teach nothing, nothing is read. Does not prove anything about real overlays: tests/bench/counter.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "core/mem.h"
#include "recon/counter_cells.h"

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N = 150, ROWS = 28, COLS = 70, HIGH = 14, WIDE = 8, PITCH = 11, LEFT = 18, TOP = 7, LOOKS = 11 };

static const struct intra_text_box whole = {100, 200, 100 + COLS, 200 + ROWS};
static uint32_t seed;

static double chance(void)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) / 16777216.0;
}

struct made {
    uint8_t glyphs[LOOKS][HIGH][WIDE]; /* the last one is no digit */
    int values[N];
    double time_s[N];
    struct intra_cells_number numbers[N];
    struct intra_cells *cells;
    uint8_t picture[ROWS][COLS];
};

/* A number of three digits, white on a grey wall that changes from frame to frame; value < 0: the wall alone. look: for
 * its last digit, -1: that of the digit. */
static void draw(struct made *m, int value, int look)
{
    for (int y = 0; y < ROWS; y++)
        for (int x = 0; x < COLS; x++)
            m->picture[y][x] = (uint8_t)(90 + 70 * chance());
    for (int k = 2; k >= 0 && value >= 0; k--, value /= 10) {
        int d = look >= 0 ? look : value % 10;
        look = -1;
        for (int y = 0; y < HIGH; y++)
            for (int x = 0; x < WIDE; x++)
                m->picture[TOP + y][LEFT + k * PITCH + x] = m->glyphs[d][y][x] ? 240 : 20;
    }
}

static void keep(struct made *m, int rows)
{
    struct intra_view_u8 view = {&m->picture[0][0], ROWS, COLS, 1, COLS};
    struct intra_text_box box = {whole.x0, whole.y0, whole.x1, whole.y0 + rows};
    assert_int_equal(intra_cells_keep(m->cells, &view, whole.x0, whole.y0, box, NULL), INTRA_OK);
}

static void make_known(struct made *m, int i)
{
    struct intra_cells_number *number = &m->numbers[i];
    int rest = m->values[i];
    *number = (struct intra_cells_number){.n = 3};
    for (int k = 2; k >= 0; k--, rest /= 10) {
        int x0 = whole.x0 + LEFT + k * PITCH, y0 = whole.y0 + TOP;
        number->digits[k] = rest % 10;
        number->boxes[k] = (struct intra_text_box){x0, y0, x0 + WIDE, y0 + HIGH};
    }
}

/* A counter that goes on by half a digit each frame, from 1.40 on. */
static struct made *make(uint32_t from)
{
    struct made *m = intra_alloc(1, sizeof *m);
    assert_non_null(m);
    seed = from;
    for (int d = 0; d < LOOKS; d++)
        for (int y = 0; y < HIGH; y += 2)
            for (int x = 0; x < WIDE; x += 2) {
                int v = chance() < 0.5;
                m->glyphs[d][y][x] = m->glyphs[d][y][x + 1] = m->glyphs[d][y + 1][x] = m->glyphs[d][y + 1][x + 1] =
                    (uint8_t)v;
            }
    for (int i = 0; i < N; i++) {
        m->values[i] = 140 + i / 2;
        m->time_s[i] = 0.2 * i;
    }
    assert_int_equal(intra_cells_create(&m->cells, NULL), INTRA_OK);
    return m;
}

static void drop(struct made *m)
{
    intra_cells_destroy(&m->cells);
    intra_cells_destroy(&m->cells);
    intra_free(m);
}

static bool has_digit(int value, int d)
{
    return value % 10 == d || value / 10 % 10 == d || value / 100 == d;
}

static bool is_right(const struct made *m, int i)
{
    const int *d = m->numbers[i].digits;
    return m->numbers[i].n == 3 && 100 * d[0] + 10 * d[1] + d[2] == m->values[i];
}

static void frames_between_known_ones_are_read(void **state)
{
    (void)state;
    for (uint32_t s = 1; s <= 3; s++) {
        struct made *m = make(s);
        for (int i = 0; i < N; i++) {
            draw(m, m->values[i], -1);
            keep(m, ROWS);
            if (i % 3 == 0) make_known(m, i);
        }
        assert_int_equal(intra_cells_read(m->cells, m->numbers, m->time_s, N, NULL), INTRA_OK);
        for (int i = 0; i < N; i++) {
            assert_true(is_right(m, i));
            assert_int_equal(m->numbers[i].is_read, i % 3 != 0);
        }
        drop(m);
    }
}

static void digits_never_known_are_named_by_order(void **state)
{
    (void)state;
    for (int unread = 2; unread < 10; unread += 3) {
        struct made *m = make(77);
        for (int i = 0; i < N; i++) {
            draw(m, m->values[i], -1);
            keep(m, ROWS);
            if (!has_digit(m->values[i], unread)) make_known(m, i);
        }
        assert_int_equal(intra_cells_read(m->cells, m->numbers, m->time_s, N, NULL), INTRA_OK);
        for (int i = 0; i < N; i++)
            assert_true(m->numbers[i].n == 0 || is_right(m, i));
        for (int i = 0; i < N; i++)
            assert_true(m->values[i] / 10 % 10 == unread || m->values[i] / 100 == unread || is_right(m, i));
        drop(m);
    }
}

/* Two digits that differ in a few pixels, neither of them ever known; nothing is shown for a while before the lower one
 * comes, so that by order it could be the other. */
static void digits_much_alike_are_not_mixed_up(void **state)
{
    (void)state;
    for (uint32_t k = 0; k < 12; k++) {
        struct made *m = make(100 + k);
        int a = 3 + (int)(k % 6), b = a + 1;
        memcpy(m->glyphs[b], m->glyphs[a], sizeof m->glyphs[b]);
        for (int y = 4; y < 6; y++)
            for (int x = 2; x < 4 + 2 * (int)(k / 6); x++)
                m->glyphs[b][y][x] ^= 1;
        for (int i = 0; i < N; i++) {
            bool is_hidden = m->values[i] % 10 == a - 1 || m->values[i] % 10 == a - 2;
            draw(m, is_hidden ? -1 : m->values[i], -1);
            keep(m, ROWS);
            if (!is_hidden && !has_digit(m->values[i], a) && !has_digit(m->values[i], b)) make_known(m, i);
        }
        assert_int_equal(intra_cells_read(m->cells, m->numbers, m->time_s, N, NULL), INTRA_OK);
        for (int i = 0; i < N; i++)
            assert_true(m->numbers[i].n == 0 || is_right(m, i));
        drop(m);
    }
}

static void what_is_no_number_is_not_read(void **state)
{
    struct made *m = make(5);
    (void)state;
    for (int i = 0; i < N; i++) {
        bool is_odd = i % 10 == 4;
        int value = i % 20 == 4           ? -1
                    : is_odd && i > N / 2 ? m->values[i] - 50
                                          : m->values[i]; /* the wall alone; too far off */
        draw(m, value, is_odd && i <= N / 2 ? LOOKS - 1 : -1);
        keep(m, ROWS);
        if (i % 3 == 0 && !is_odd) make_known(m, i);
    }
    assert_int_equal(intra_cells_read(m->cells, m->numbers, m->time_s, N, NULL), INTRA_OK);
    for (int i = 0; i < N; i++) {
        if (i % 10 == 4)
            assert_int_equal(m->numbers[i].n, 0);
        else
            assert_true(is_right(m, i));
    }
    drop(m);
}

static void known_numbers_that_are_not_shown_are_found(void **state)
{
    struct made *m = make(9);
    (void)state;
    for (int i = 0; i < N; i++) {
        draw(m, m->values[i], -1);
        keep(m, ROWS);
        make_known(m, i);
    }
    m->numbers[60].digits[2] = (m->numbers[60].digits[2] + 3) % 10;
    assert_int_equal(intra_cells_read(m->cells, m->numbers, m->time_s, N, NULL), INTRA_OK);
    for (int i = 0; i < N; i++)
        assert_true(is_right(m, i));
    assert_true(m->numbers[60].is_read); /* by what it shows */
    drop(m);
}

static void other_sizes_and_too_few_are_passed_over(void **state)
{
    struct made *m = make(3);
    (void)state;
    for (int i = 0; i < N; i++) {
        draw(m, m->values[i], -1);
        keep(m, i == 131 ? ROWS - 2 : ROWS);
        if (i < 100) make_known(m, i);
    }
    assert_int_equal(intra_cells_read(m->cells, m->numbers, m->time_s, 133, NULL), INTRA_OK);
    assert_int_equal(m->numbers[131].n, 0);
    assert_true(is_right(m, 130) && is_right(m, 132));
    memset(m->numbers, 0, sizeof m->numbers);
    for (int i = 0; i < 3; i++)
        make_known(m, i);
    assert_int_equal(intra_cells_read(m->cells, m->numbers, m->time_s, N, NULL), INTRA_OK);
    for (int i = 3; i < N; i++)
        assert_int_equal(m->numbers[i].n, 0);
    memset(m->numbers, 0, sizeof m->numbers);
    assert_int_equal(intra_cells_read(m->cells, m->numbers, m->time_s, N, NULL), INTRA_OK);
    assert_int_equal(intra_cells_read(m->cells, m->numbers, m->time_s, 0, NULL), INTRA_OK);
    drop(m);
}

static void wrong_knowledge_teaches_nothing(void **state)
{
    struct made *m = make(4);
    (void)state;
    for (int i = 0; i < N; i++) {
        draw(m, m->values[i], -1);
        keep(m, ROWS);
        if (i % 2) continue;
        make_known(m, i);
        if (i % 6 == 0) m->numbers[i].digits[2] = (int)(10 * chance());
    }
    assert_int_equal(intra_cells_read(m->cells, m->numbers, m->time_s, N, NULL), INTRA_OK);
    for (int i = 1; i < N; i += 2)
        assert_int_equal(m->numbers[i].n, 0);
    drop(m);
}

static void no_memory_is_an_error(void **state)
{
    (void)state;
    for (long nth = 1; nth < 60; nth++) {
        struct made *m = make(6);
        enum intra_status status = INTRA_OK;
        for (int i = 0; i < N; i++) {
            draw(m, m->values[i], -1);
            keep(m, ROWS);
            if (!has_digit(m->values[i], 9)) make_known(m, i);
        }
        intra_mem_fail_at(nth, 0);
        status = intra_cells_read(m->cells, m->numbers, m->time_s, N, NULL);
        intra_mem_fail_at(0, 0);
        drop(m);
        assert_true(status == INTRA_OK || status == INTRA_E_MEM);
        assert_true(nth > 3 || status == INTRA_E_MEM);
        if (status == INTRA_OK) return;
    }
    fail();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_between_known_ones_are_read),
        cmocka_unit_test(digits_never_known_are_named_by_order),
        cmocka_unit_test(digits_much_alike_are_not_mixed_up),
        cmocka_unit_test(what_is_no_number_is_not_read),
        cmocka_unit_test(known_numbers_that_are_not_shown_are_found),
        cmocka_unit_test(other_sizes_and_too_few_are_passed_over),
        cmocka_unit_test(wrong_knowledge_teaches_nothing),
        cmocka_unit_test(no_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
