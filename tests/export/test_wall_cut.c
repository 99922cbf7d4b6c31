/* Proves: outlines that cross the cut of the unrolled picture come out in parts that lie on it and together have the
 * whole outline's area or length: a rectangle, one with two arms, a whole ring, lines there and back, and hundreds of
 * random stars with any cut; what does not cross it stays as it is; what is not finite gives nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "export/wall_cut.h"

#include <math.h>

static const double TURN = 2 * M_PI;

/* Of all parts: area (of a line: length) in metres times turns; asserts that they lie on the picture. */
static double measure(const struct intra_wall_pieces *pieces, bool is_line)
{
    const double(*p)[2] = (const double(*)[2])pieces->points;
    double sum = 0;
    for (int k = 0; k < pieces->n; p += pieces->n_points[k++]) {
        double doubled = 0;
        int n = pieces->n_points[k];
        for (int i = 0; i < n; i++) {
            const double *a = p[i], *b = p[(i + 1) % n];
            assert_true(a[1] > -1e-12 && a[1] < 1 + 1e-12);
            doubled += a[0] * b[1] - b[0] * a[1];
            if (is_line && i + 1 < n) sum += hypot(b[0] - a[0], b[1] - a[1]);
        }
        if (!is_line) sum += fabs(doubled) / 2;
    }
    return sum;
}

static void check(const double (*outline)[2], int n, bool is_line, double cut_rad, int parts, double size)
{
    struct intra_wall_pieces pieces;
    assert_int_equal(intra_wall_cut(outline, n, is_line, cut_rad, &pieces, NULL), INTRA_OK);
    if (parts >= 0) assert_int_equal(pieces.n, parts);
    assert_float_equal(measure(&pieces, is_line), size, 1e-9);
    intra_wall_pieces_fini(&pieces);
}

static void areas(void **state)
{
    const double cut = M_PI;
    const double over[][2] = {{2, cut - 0.3}, {3, cut - 0.3}, {3, cut + 0.2}, {2, cut + 0.2}};
    const double beside[][2] = {{2, cut + 0.1}, {3, cut + 0.1}, {3, cut + 0.6}, {2, cut + 0.6}};
    const double far[][2] = {{2, 5 * TURN + 0.1}, {3, 5 * TURN + 0.1}, {3, 5 * TURN + 0.6}, {2, 5 * TURN + 0.6}};
    const double arms[][2] = {{0, cut - 0.4}, {3, cut - 0.4}, {3, cut + 0.4}, {2, cut + 0.4},
                              {2, cut - 0.2}, {1, cut - 0.2}, {1, cut + 0.4}, {0, cut + 0.4}};
    const double ring[][2] = {{1, 0}, {2, 0}, {2, TURN}, {1, TURN}};
    (void)state;
    check(over, 4, false, cut, 2, 0.5 / TURN);
    check(over, 4, false, -cut, 2, 0.5 / TURN);
    check(beside, 4, false, cut, 1, 0.5 / TURN);
    check(far, 4, false, cut, 1, 0.5 / TURN);
    check(arms, 8, false, cut, 3, (3 * 0.2 + 2 * 0.6) / TURN);
    check(ring, 4, false, cut, 2, 1);
    check(ring, 4, false, 0, 1, 1);
}

static void lines(void **state)
{
    const double cut = M_PI;
    const double over[][2] = {{0, cut - 0.3}, {1, cut + 0.3}};
    const double back[][2] = {{0, cut - 0.3}, {1, cut + 0.3}, {2, cut - 0.3}};
    const double from[][2] = {{0, cut}, {1, cut - 0.5}};
    const double around[][2] = {{0, 0}, {0, 2 * TURN}};
    (void)state;
    check(over, 2, true, cut, 2, hypot(1, 0.6 / TURN));
    check(back, 3, true, cut, 3, 2 * hypot(1, 0.6 / TURN));
    check(from, 2, true, cut, 1, hypot(1, 0.5 / TURN));
    check(around, 2, true, cut, 3, 2);
}

static double random_unit(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return (double)(*x >> 11) / 9007199254740992.0;
}

static void random_stars(void **state)
{
    enum { POINTS = 40, CASES = 500 };
    double p[POINTS][2];
    uint64_t seed = 88172645463325252u;
    (void)state;
    for (int k = 0; k < CASES; k++) {
        double middle = 20 * random_unit(&seed) - 10, cut = 8 * random_unit(&seed) - 4, doubled = 0;
        for (int i = 0; i < POINTS; i++) {
            double r = 0.1 + 2.5 * random_unit(&seed), a = TURN * i / POINTS * (k % 2 ? 1 : -1);
            p[i][0] = 3 + r * cos(a);
            p[i][1] = middle + r * sin(a);
        }
        for (int i = 0; i < POINTS; i++)
            doubled += p[i][0] * p[(i + 1) % POINTS][1] - p[(i + 1) % POINTS][0] * p[i][1];
        check((const double(*)[2])p, POINTS, false, cut, -1, fabs(doubled) / 2 / TURN);
    }
}

static void nothing_of_nothing(void **state)
{
    const double bad[][2] = {{0, 0}, {NAN, 1}, {1, 1}}, endless[][2] = {{0, 0}, {1, 100}};
    (void)state;
    check(bad, 3, false, 0, 0, 0);
    check(bad, 1, true, 0, 0, 0);
    check(endless, 2, true, 0, 0, 0);
    check(NULL, 0, false, 0, 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(areas), cmocka_unit_test(lines), cmocka_unit_test(random_stars),
                                       cmocka_unit_test(nothing_of_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
