/* Proves: intra_select gives what sorting gives, at every place, with ties, sorted and reversed input. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "core/select.h"

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 70 };

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void as_sorted(const double *values, int n)
{
    double sorted[MOST], scratch[MOST];
    memcpy(sorted, values, sizeof *values * (size_t)n);
    qsort(sorted, (size_t)n, sizeof *sorted, compare);
    for (int k = 0; k < n; k++) {
        memcpy(scratch, values, sizeof *values * (size_t)n);
        assert_true(intra_select(scratch, n, k) == sorted[k]);
        qsort(scratch, (size_t)n, sizeof *scratch, compare);
        assert_memory_equal(scratch, sorted, sizeof *values * (size_t)n); /* the same numbers, in another order */
    }
}

static void every_place_of_many_lists(void **state)
{
    unsigned seed = 5;
    (void)state;
    for (int n = 1; n <= MOST; n++)
        for (int kinds = 1; kinds <= 1024; kinds *= 8) {
            double values[MOST];
            for (int i = 0; i < n; i++) {
                seed = seed * 1664525u + 1013904223u;
                values[i] = (double)((int)((seed >> 8) % (unsigned)kinds) - kinds / 2);
            }
            as_sorted(values, n);
        }
}

static void already_in_order(void **state)
{
    double up[MOST], down[MOST];
    (void)state;
    for (int i = 0; i < MOST; i++) {
        up[i] = i;
        down[i] = -i;
    }
    as_sorted(up, MOST);
    as_sorted(down, MOST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_place_of_many_lists), cmocka_unit_test(already_in_order)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
