/* Proves: shapes of a round pipe that are nothing but noise shrink to a third or less and lie within their deviations;
 * a step of the shape stays a step; means and centres are left alone; one section or none is no error. Does not prove
 * how large the noise of real sections is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "recon/section_smooth.h"

#include <cmocka.h>
#include <math.h>
#include <string.h>

enum { N = 80, NP = 2 * INTRA_SECTION_HARMONICS + 1 };
#define NOISE_M 0.0008
#define RADIUS_M 0.15

static double noise(unsigned *state)
{
    double sum = 0;
    for (int i = 0; i < 12; i++) {
        *state = *state * 1664525u + 1013904223u;
        sum += (*state >> 8) / 16777216.0;
    }
    return sum - 6;
}

/* a2 is oval_m from section `from` on. */
static void make(struct intra_section_fit *fits, unsigned seed, double oval_m, int from)
{
    memset(fits, 0, N * sizeof *fits);
    for (int i = 0; i < N; i++) {
        struct intra_section_fit *f = &fits[i];
        f->a[0] = RADIUS_M + 0.001 * (i % 3);
        f->a[1] = 0.002 * (i % 2), f->b[1] = -0.001 * (i % 5);
        for (int k = 2; k <= INTRA_SECTION_HARMONICS; k++) {
            f->a[k] = NOISE_M * noise(&seed) + (k == 2 && i >= from ? oval_m : 0);
            f->b[k] = NOISE_M * noise(&seed);
        }
        for (int at = 0; at < NP; at++)
            f->cov[at * NP + at] = NOISE_M * NOISE_M;
    }
}

static void noise_is_not_shape(void **state)
{
    static struct intra_section_fit fits[N];
    double sum2 = 0;
    int n = 0, outside = 0;
    (void)state;
    for (unsigned seed = 1; seed <= 10; seed++) {
        struct intra_error err = {0};
        make(fits, seed, 0, N);
        assert_int_equal(intra_section_smooth(fits, N, 1.6, RADIUS_M, &err), INTRA_OK);
        for (int i = 0; i < N; i++) {
            sum2 += fits[i].a[2] * fits[i].a[2];
            outside += fabs(fits[i].a[2]) > 1.96 * sqrt(fits[i].cov[3 * NP + 3]);
            n++;
            assert_float_equal(fits[i].a[0], RADIUS_M + 0.001 * (i % 3), 1e-15);
            assert_float_equal(fits[i].a[1], 0.002 * (i % 2), 1e-15);
            assert_float_equal(fits[i].cov[0], NOISE_M * NOISE_M, 1e-15);
        }
    }
    assert_true(sqrt(sum2 / n) < NOISE_M / 3);
    assert_true(outside < n / 10);
}

static void a_step_stays_a_step(void **state)
{
    static struct intra_section_fit fits[N];
    struct intra_error err = {0};
    (void)state;
    make(fits, 3, 0.006, N / 2);
    assert_int_equal(intra_section_smooth(fits, N, 1.6, RADIUS_M, &err), INTRA_OK);
    for (int i = 0; i < N; i++)
        if (i < N / 2 - 1 || i > N / 2) assert_true(fabs(fits[i].a[2] - (i >= N / 2 ? 0.006 : 0)) < 1.2 * NOISE_M);
}

static void one_section_or_none(void **state)
{
    static struct intra_section_fit fits[N];
    struct intra_error err = {0};
    (void)state;
    make(fits, 5, 0.006, 0);
    assert_int_equal(intra_section_smooth(fits, 1, 1.6, RADIUS_M, &err), INTRA_OK);
    assert_true(fabs(fits[0].a[2] - 0.006) < 3 * NOISE_M);
    assert_int_equal(intra_section_smooth(NULL, 0, 1.6, RADIUS_M, &err), INTRA_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(noise_is_not_shape), cmocka_unit_test(a_step_stays_a_step),
                                       cmocka_unit_test(one_section_or_none)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
