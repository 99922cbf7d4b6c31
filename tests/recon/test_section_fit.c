/* Proves: an oval with an offset centre is found back from noisy radii within its own stated deviations, gross outliers
 * do not bend it, and without samples the nominal circle comes back; radii that lie anywhere, or on four walls at once,
 * are said to contradict each other, and good ones with outliers and few ones are not; thousands of radii count as well
 * as hundreds, and those out of reach do not. Does not prove where the radii come from. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "recon/section_fit.h"

#include <cmocka.h>

static double noise(unsigned *state)
{
    double sum = 0;
    for (int i = 0; i < 12; i++) {
        *state = *state * 1664525u + 1013904223u;
        sum += (*state >> 8) / 16777216.0;
    }
    return sum - 6;
}

enum { N = 300 };

static void make(struct intra_radius_sample *s, unsigned seed, double bad_share)
{
    for (int i = 0; i < N; i++) {
        double a = 6.2832 * i / N, r = 0.15 + 0.0045 * cos(2 * (a - 0.3)) + 0.002 * sin(a);
        s[i] = (struct intra_radius_sample){(float)(0.02 * (i % 5) - 0.04), (float)a, (float)(r + 0.001 * noise(&seed)), 0.001f};
        if (i < bad_share * N) s[i * 7 % N].r_m += 0.04f;
    }
}

static void oval_found_within_deviations(void **state)
{
    int outside = 0;
    (void)state;
    for (unsigned seed = 1; seed <= 20; seed++) {
        struct intra_radius_sample s[N];
        struct intra_section_fit fit;
        make(s, seed, 0);
        intra_section_fit(s, N, 0, 0.1, 0.15, &fit);
        double amplitude = hypot(fit.a[2], fit.b[2]), sd = sqrt(fit.cov[3 * 13 + 3]);
        assert_true(fabs(amplitude - 0.0045) < 0.0008);
        assert_true(fabs(fit.b[1] - 0.002) < 0.0008);
        outside += fabs(fit.a[2] - 0.0045 * cos(0.6)) > 1.96 * sd;
    }
    assert_true(outside <= 3);
}

static void outliers_do_not_bend_it(void **state)
{
    struct intra_radius_sample s[N];
    struct intra_section_fit fit;
    (void)state;
    make(s, 5, 0.15);
    intra_section_fit(s, N, 0, 0.1, 0.15, &fit);
    assert_true(fabs(fit.a[0] - 0.15) < 0.0015);
    assert_true(fabs(hypot(fit.a[2], fit.b[2]) - 0.0045) < 0.002);
}

static void nothing_gives_nominal(void **state)
{
    struct intra_section_fit fit;
    (void)state;
    intra_section_fit(NULL, 0, 0, 0.1, 0.15, &fit);
    assert_true(fabs(fit.a[0] - 0.15) < 1e-12 && fit.weight == 0);
    assert_true(sqrt(fit.cov[0]) > 0.003); /* and says that it knows nothing */
}

static void all_within_reach_count(void **state)
{
    enum { COPIES = 10 };
    static struct intra_radius_sample s[2 * COPIES * N];
    struct intra_section_fit one, many, with_far;
    (void)state;
    make(s, 9, 0.1);
    intra_section_fit(s, N, 0, 0.1, 0.15, &one);
    for (int i = N; i < COPIES * N; i++) s[i] = s[i % N];
    intra_section_fit(s, (int64_t)COPIES * N, 0, 0.1, 0.15, &many);
    assert_true(fabs(many.weight / (COPIES * one.weight) - 1) < 0.02);
    assert_true(fabs(many.a[2] - one.a[2]) < 0.0003 && fabs(many.b[2] - one.b[2]) < 0.0003);
    for (int i = COPIES * N - 1; i >= 0; i--) { /* one out of reach behind each */
        s[2 * i] = s[i];
        s[2 * i + 1] = (struct intra_radius_sample){0.1f, s[i].theta_rad, 0.3f, 0.001f};
    }
    intra_section_fit(s, (int64_t)2 * COPIES * N, 0, 0.1, 0.15, &with_far);
    assert_memory_equal(&many, &with_far, sizeof many);
}

static void what_contradicts_itself_is_said(void **state)
{
    struct intra_radius_sample s[N];
    struct intra_section_fit fit;
    (void)state;
    make(s, 7, 0.15);
    intra_section_fit(s, N, 0, 0.1, 0.15, &fit);
    assert_false(intra_section_fit_is_contradicted(&fit));
    for (int i = 0; i < N; i++)
        s[i].r_m = (float)(0.05 + 0.1 * ((i * 37) % 101) / 100); /* anywhere */
    intra_section_fit(s, N, 0, 0.1, 0.15, &fit);
    assert_true(intra_section_fit_is_contradicted(&fit));
    intra_section_fit(s, 4, 0, 0.1, 0.15, &fit); /* four tell nothing */
    assert_false(intra_section_fit_is_contradicted(&fit));
    make(s, 8, 0);
    for (int i = 0; i < N; i++)
        s[i].r_m -= 0.03f * (float)(i % 4); /* four walls */
    intra_section_fit(s, N, 0, 0.1, 0.15, &fit);
    assert_true(intra_section_fit_is_contradicted(&fit));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(oval_found_within_deviations), cmocka_unit_test(outliers_do_not_bend_it),
        cmocka_unit_test(nothing_gives_nominal), cmocka_unit_test(all_within_reach_count),
        cmocka_unit_test(what_contradicts_itself_is_said)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
