/* Proves: exp and log of rotations are inverses from zero to pi (both sides), quaternions and matrices agree in every
 * branch, poses invert and chain, the left update and the interpolation do what geom.h says, on fixed seeds. Does not
 * prove: that callers chain frames in the right order. */
#include "core/geom.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static uint64_t seed = 0x1234567;

/* In [-1, 1): splitmix64. */
static double random_unit(void)
{
    uint64_t z = (seed += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-52 - 1;
}

static struct intra_vec3 random_axis(void)
{
    for (;;) {
        struct intra_vec3 v = intra_vec3(random_unit(), random_unit(), random_unit());
        double n = intra_norm(v);
        if (n > 0.1 && n < 1) return intra_unit(v);
    }
}

static struct intra_pose random_pose(void)
{
    struct intra_pose p;
    p.r = intra_rotation_exp(intra_scale(random_axis(), 3.1 * random_unit()));
    p.t = intra_vec3(5 * random_unit(), 5 * random_unit(), 5 * random_unit());
    return p;
}

static double mat3_miss(const struct intra_mat3 *a, const struct intra_mat3 *b)
{
    double worst = 0;
    for (int i = 0; i < 9; i++)
        worst = fmax(worst, fabs(a->m[i / 3][i % 3] - b->m[i / 3][i % 3]));
    return worst;
}

static double pose_miss(const struct intra_pose *a, const struct intra_pose *b)
{
    return fmax(mat3_miss(&a->r, &b->r), intra_norm(intra_sub(a->t, b->t)));
}

static void assert_rotation(const struct intra_mat3 *r)
{
    struct intra_mat3 t = intra_mat3_transpose(r), one = intra_mat3_identity(), rt = intra_mat3_mul(r, &t);
    struct intra_vec3 x = intra_vec3(r->m[0][0], r->m[0][1], r->m[0][2]),
                      y = intra_vec3(r->m[1][0], r->m[1][1], r->m[1][2]);
    struct intra_vec3 z = intra_vec3(r->m[2][0], r->m[2][1], r->m[2][2]);
    assert_true(mat3_miss(&rt, &one) < 1e-13);
    assert_true(fabs(intra_dot(intra_cross(x, y), z) - 1) < 1e-13);
}

static const double angles[] = {0,    1e-300, 1e-12, 1e-8,        1e-6,        9.9e-6,      1.01e-5,
                                1e-4, 0.01,   0.5,   1,           M_PI / 2,    2,           2.9,
                                3.0,  3.1,    3.14,  M_PI - 1e-4, M_PI - 1e-7, M_PI - 1e-10};

static void exp_and_log_are_inverses(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof angles / sizeof *angles; i++)
        for (int n = 0; n < 200; n++) {
            struct intra_vec3 w = intra_scale(random_axis(), angles[i]);
            struct intra_mat3 r = intra_rotation_exp(w);
            struct intra_vec3 back = intra_rotation_log(&r);
            struct intra_mat3 again = intra_rotation_exp(back);
            assert_rotation(&r);
            if (intra_norm(intra_sub(back, w)) > 3e-9)
                fail_msg("angle %.17g: off by %g", angles[i], intra_norm(intra_sub(back, w)));
            assert_true(mat3_miss(&r, &again) < 1e-9);
            assert_true(intra_norm(back) <= M_PI);
        }
}

/* At pi itself w and -w are the same rotation; past pi the log is the short way round. */
static void log_at_and_past_pi(void **state)
{
    (void)state;
    for (int n = 0; n < 200; n++) {
        struct intra_vec3 a = n == 0   ? intra_vec3(1, 0, 0)
                              : n == 1 ? intra_vec3(0, 1, 0)
                              : n == 2 ? intra_vec3(0, 0, 1)
                                       : random_axis();
        struct intra_mat3 r = intra_rotation_exp(intra_scale(a, M_PI));
        struct intra_vec3 back = intra_rotation_log(&r);
        assert_true(fabs(intra_norm(back) - M_PI) < 1e-9);
        assert_true(fabs(fabs(intra_dot(back, a)) - M_PI) < 1e-9);
        r = intra_rotation_exp(intra_scale(a, M_PI + 0.01));
        back = intra_rotation_log(&r);
        assert_true(intra_norm(intra_sub(back, intra_scale(a, 0.01 - M_PI))) < 1e-9);
    }
}

static void exp_turns_by_the_right_hand(void **state)
{
    (void)state;
    struct intra_mat3 r = intra_rotation_exp(intra_vec3(0, 0, M_PI / 2));
    struct intra_vec3 y = intra_mat3_mul_vec(&r, intra_vec3(1, 0, 0));
    assert_true(intra_norm(intra_sub(y, intra_vec3(0, 1, 0))) < 1e-15);
    assert_true(intra_norm(intra_sub(intra_mat3_tmul_vec(&r, y), intra_vec3(1, 0, 0))) < 1e-15);
}

static void quaternion_round_trip_in_every_branch(void **state)
{
    (void)state;
    static const double axis[4][3] = {
        {1, 0.1, 0.2}, {0.1, 1, 0.2}, {0.2, 0.1, 1}, {1, 1, 1}}; /* x, y, z largest; any */
    for (int a = 0; a < 4; a++)
        for (size_t i = 0; i < sizeof angles / sizeof *angles; i++)
            for (int sign = -1; sign <= 1; sign += 2) {
                struct intra_vec3 u = intra_unit(intra_vec3(axis[a][0], axis[a][1], axis[a][2]));
                struct intra_mat3 r = intra_rotation_exp(intra_scale(u, sign * angles[i]));
                struct intra_quat q = intra_quat_from_mat3(&r);
                struct intra_mat3 back = intra_quat_to_mat3(q);
                assert_true(q.w >= 0 && fabs(q.w * q.w + q.x * q.x + q.y * q.y + q.z * q.z - 1) < 1e-14);
                assert_true(fabs(q.w - cos(angles[i] / 2)) < 1e-9 &&
                            fabs(q.x - sign * u.x * sin(angles[i] / 2)) < 1e-9);
                assert_true(mat3_miss(&r, &back) < 1e-14);
                struct intra_quat longer = {3 * q.w, 3 * q.x, 3 * q.y, 3 * q.z};
                back = intra_quat_to_mat3(longer);
                assert_true(mat3_miss(&r, &back) < 1e-14);
            }
}

static void pose_inverse_near_pi(void **state)
{
    (void)state;
    struct intra_pose one = intra_pose_identity();
    for (int n = 0; n < 500; n++) {
        struct intra_pose p = random_pose(), q = random_pose();
        if (n % 2) p.r = intra_rotation_exp(intra_scale(random_axis(), M_PI - 1e-9 * n));
        struct intra_pose ip = intra_pose_inverse(&p), iq = intra_pose_inverse(&q);
        struct intra_pose a = intra_pose_mul(&p, &ip), b = intra_pose_mul(&ip, &p);
        assert_true(pose_miss(&a, &one) < 1e-13 && pose_miss(&b, &one) < 1e-13);
        /* (p q)^-1 = q^-1 p^-1, and chains apply from the right */
        struct intra_pose pq = intra_pose_mul(&p, &q), left = intra_pose_inverse(&pq), right = intra_pose_mul(&iq, &ip);
        assert_true(pose_miss(&left, &right) < 1e-13);
        struct intra_vec3 x = intra_vec3(random_unit(), random_unit(), random_unit());
        assert_true(intra_norm(intra_sub(intra_pose_apply(&pq, x), intra_pose_apply(&p, intra_pose_apply(&q, x)))) <
                    1e-13);
    }
}

static void left_update_is_a_product_from_the_left(void **state)
{
    (void)state;
    for (int n = 0; n < 100; n++) {
        struct intra_pose p = random_pose(), d;
        struct intra_vec3 w = intra_scale(random_axis(), 0.3), v = intra_scale(random_axis(), 0.2);
        d.r = intra_rotation_exp(w);
        d.t = v;
        struct intra_pose a = intra_pose_left_update(&p, w, v), b = intra_pose_mul(&d, &p);
        assert_true(pose_miss(&a, &b) < 1e-14);
    }
}

static void lerp_meets_the_ends_and_turns_evenly(void **state)
{
    (void)state;
    for (int n = 0; n < 100; n++) {
        struct intra_pose a = random_pose(), b = a, ends[2], middle, ic;
        b = intra_pose_left_update(&a, intra_scale(random_axis(), 1.5), intra_scale(random_axis(), 2));
        ends[0] = intra_pose_lerp(&a, &b, 0);
        ends[1] = intra_pose_lerp(&a, &b, 1);
        assert_true(pose_miss(&ends[0], &a) < 1e-12 && pose_miss(&ends[1], &b) < 1e-12);
        middle = intra_pose_lerp(&a, &b, 0.25);
        struct intra_pose ia = intra_pose_inverse(&a), ib = intra_pose_inverse(&b);
        ic = intra_pose_inverse(&middle); /* the camera's centre runs straight */
        assert_true(intra_norm(intra_sub(ic.t, intra_add(intra_scale(ia.t, 0.75), intra_scale(ib.t, 0.25)))) < 1e-12);
        struct intra_mat3 whole = intra_mat3_mul(&a.r, &ib.r), part = intra_mat3_mul(&a.r, &ic.r);
        assert_true(fabs(intra_norm(intra_rotation_log(&part)) - 0.25 * intra_norm(intra_rotation_log(&whole))) < 1e-9);
    }
}

static void tidy_keeps_a_rotation_and_mends_a_worn_one(void **state)
{
    (void)state;
    struct intra_mat3 r = intra_rotation_exp(intra_scale(random_axis(), 1.1)), worn = r, same = intra_rotation_tidy(&r);
    assert_true(mat3_miss(&same, &r) < 1e-15);
    for (int i = 0; i < 9; i++)
        worn.m[i / 3][i % 3] += 1e-6 * random_unit();
    worn = intra_rotation_tidy(&worn);
    assert_rotation(&worn);
    assert_true(mat3_miss(&worn, &r) < 5e-6);
}

static void wrap_pi_covers_the_half_open_circle(void **state)
{
    (void)state;
    static const double turns[] = {0, 1, -1, 3, 1000, -1000};
    for (size_t i = 0; i < sizeof turns / sizeof *turns; i++)
        for (double a = -3.1; a < 3.14; a += 0.1)
            assert_true(fabs(intra_wrap_pi(a + 2 * M_PI * turns[i]) - a) < 1e-9);
    assert_true(intra_wrap_pi(M_PI) == M_PI);
    assert_true(intra_wrap_pi(-M_PI) == M_PI);
    for (int n = 0; n < 1000; n++) {
        double a = intra_wrap_pi(1e4 * random_unit());
        assert_true(a > -M_PI && a <= M_PI);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exp_and_log_are_inverses),
        cmocka_unit_test(log_at_and_past_pi),
        cmocka_unit_test(exp_turns_by_the_right_hand),
        cmocka_unit_test(quaternion_round_trip_in_every_branch),
        cmocka_unit_test(pose_inverse_near_pi),
        cmocka_unit_test(left_update_is_a_product_from_the_left),
        cmocka_unit_test(lerp_meets_the_ends_and_turns_evenly),
        cmocka_unit_test(tidy_keeps_a_rotation_and_mends_a_worn_one),
        cmocka_unit_test(wrap_pi_covers_the_half_open_circle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
