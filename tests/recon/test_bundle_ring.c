/* Proves: the way that the window adjustment gives in a made-up tube, whose matches carry noise of known deviation, is
 * right in a round pipe, in an oval one and in one with a deposit that fills a sixth of the ring, which a tube that
 * took every sector alike makes longer by 0.4 %; and that its deviation is what the way scatters by over draws of the
 * noise. Does not prove anything about matches of pictures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "recon/bundle.h"

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N_KFS = 10, N_POINTS = 700, ROUNDS = 7 };
#define RADIUS 0.15
#define STEP 0.03
#define NOISE_PX 0.3
#define ROUGHNESS 0.003 /* of the wall's radius, as a share of it */

struct window {
    struct intra_keyframe kfs[N_KFS];
    struct intra_point points[N_POINTS];
    struct intra_axis axis;
    struct intra_camera camera;
};

static double uniform(unsigned *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (*state >> 8) / 16777216.0;
}

static double normal(unsigned *state)
{
    double a = uniform(state) + 1e-9, b = uniform(state);
    return sqrt(-2 * log(a)) * cos(2 * M_PI * b);
}

/* Radius of the wall: oval along the whole pipe; the deposit stands at 6 o'clock, with flanks. */
static double wall_radius(double theta, double oval, double deposit)
{
    double from_invert = fabs(remainder(theta - M_PI, 2 * M_PI)), half = M_PI / 6;
    double bump = from_invert < half ? 0.5 * (1 + cos(M_PI * from_invert / half)) : 0;
    return RADIUS * (1 + oval * cos(2 * theta) - deposit * pow(bump, 0.5));
}

/* Drive along X, looking ahead: camera x right is -Y, y down is -Z. */
static void make(struct window *w, unsigned seed, double oval, double deposit)
{
    struct intra_error err;
    unsigned state = seed;
    struct intra_mat3 ahead = {{{0, -1, 0}, {0, 0, -1}, {1, 0, 0}}};
    memset(w, 0, sizeof *w);
    w->camera = (struct intra_camera){.model = INTRA_CAMERA_BROWN,
                                      .width = 768,
                                      .height = 576,
                                      .fx = 577,
                                      .fy = 577,
                                      .cx = 383.5,
                                      .cy = 287.5,
                                      .k = {-0.17, 0.02}};
    assert_int_equal(intra_camera_finish(&w->camera, &err), INTRA_OK);
    assert_int_equal(intra_axis_init(&w->axis, RADIUS, intra_vec3(0, 0, 0), intra_vec3(1, 0, 0), &err), INTRA_OK);
    assert_int_equal(intra_axis_cover(&w->axis, -3, 14, &err), INTRA_OK);
    for (int i = 0; i < w->axis.count; i++)
        w->axis.knots[i].is_frozen = w->axis.first + i <= 1;
    for (int i = 0; i < N_KFS; i++) {
        w->kfs[i].id = i;
        w->kfs[i].u = i * STEP / RADIUS;
        w->kfs[i].cam_from_world.r = ahead;
        w->kfs[i].cam_from_world.t = intra_vec3(0, 0, -i * STEP);
    }
    for (int n = 0; n < N_POINTS;) {
        struct intra_point *p = &w->points[n];
        double theta = 2 * M_PI * uniform(&state) - M_PI, px[2];
        double r = wall_radius(theta, oval, deposit) * (1 + ROUGHNESS * normal(&state));
        int host = (int)(uniform(&state) * (N_KFS - 3));
        struct intra_vec3 x = {host * STEP + RADIUS * (1.2 + 3 * uniform(&state)), -r * sin(theta), r * cos(theta)};
        struct intra_vec3 xc = intra_pose_apply(&w->kfs[host].cam_from_world, x);
        memset(p, 0, sizeof *p);
        if (!intra_camera_project(&w->camera, xc, px, NULL, NULL) || px[0] < 8 || px[1] < 8 || px[0] > 760 ||
            px[1] > 568)
            continue;
        p->host = host;
        p->px[0] = px[0], p->px[1] = px[1];
        assert_true(intra_camera_unproject(&w->camera, px, &p->ray));
        p->dist = intra_norm(xc) * RADIUS / r; /* where the round tube would be, nearly */
        p->r_expect = RADIUS;
        p->u = x.x / RADIUS;
        p->is_alive = true;
        p->step_px = 3;
        for (int k = host + 1; k < N_KFS && p->n_obs < INTRA_POINT_MAX_OBS; k++) {
            struct intra_vec3 xt = intra_pose_apply(&w->kfs[k].cam_from_world, x);
            struct intra_obs *o = &p->obs[p->n_obs];
            if (xt.z < 0.05 || !intra_camera_project(&w->camera, xt, o->px, NULL, NULL) || o->px[0] < 0 ||
                o->px[1] < 0 || o->px[0] > 767 || o->px[1] > 575)
                break;
            o->kf = k;
            for (int q = 0; q < 2; q++)
                o->px[q] += NOISE_PX * normal(&state);
            o->info[0] = o->info[2] = 1 / (NOISE_PX * NOISE_PX);
            p->n_obs++;
        }
        if (p->n_obs >= 2) n++;
    }
    for (int i = 1; i < N_KFS; i++) /* begin 2 % long */
        w->kfs[i].cam_from_world.t.z *= 1.02;
}

/* The way over the true one, less 1; sd: as stated. */
static double adjusted(unsigned seed, double oval, double deposit, double tube_sd, double *sd)
{
    struct window *w = malloc(sizeof *w);
    struct intra_bundle_result result;
    struct intra_error err;
    make(w, seed, oval, deposit);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < N_POINTS; i++)
            assert_true(
                intra_point_place(&w->points[i], &w->camera, &w->kfs[w->points[i].host].cam_from_world, &w->axis));
        struct intra_bundle_options options = {.iterations = 3,
                                               .radius_m = RADIUS,
                                               .radius_sd_rel = round < 2 ? 0.07 : tube_sd,
                                               .kink_sd_rad = 0.003,
                                               .oval_step_sd = 0.004,
                                               .oval_sd = 0.02,
                                               .fix_first = true,
                                               .want_way = round == ROUNDS - 1};
        assert_int_equal(
            intra_bundle_solve(w->kfs, N_KFS, w->points, N_POINTS, &w->axis, &w->camera, &options, &result, &err),
            INTRA_OK);
    }
    double way = (N_KFS - 1) * STEP;
    if (sd) *sd = result.way_sd_rel;
    assert_true(fabs(result.way_m - way) < 0.02 * way);
    intra_axis_fini(&w->axis);
    free(w);
    return result.way_m / way - 1;
}

static void check_mean(double oval, double deposit, double most)
{
    enum { DRAWS = 4 };
    double mean = 0;
    for (unsigned seed = 1; seed <= DRAWS; seed++)
        mean += adjusted(seed, oval, deposit, 0.01, NULL) / DRAWS;
    if (fabs(mean) > most) fail_msg("way %+.3f %% off (oval %g, deposit %g)", 100 * mean, oval, deposit);
}

static void a_round_pipe(void **state)
{
    (void)state;
    check_mean(0, 0, 0.0004);
}

static void an_oval_pipe(void **state)
{
    (void)state;
    check_mean(0.05, 0, 0.0006);
}

static void a_deposit_does_not_stretch_the_way(void **state)
{
    (void)state;
    check_mean(0, 0.06, 0.0006);
}

static void its_deviation_is_its_scatter(void **state)
{
    enum { DRAWS = 24 };
    double sum2 = 0;
    (void)state;
    for (unsigned seed = 1; seed <= DRAWS; seed++) {
        double sd, off = adjusted(seed, 0, 0, ROUGHNESS, &sd);
        assert_true(sd > 1e-5 && sd < 0.01);
        sum2 += off * off / (sd * sd);
    }
    double ratio = sqrt(sum2 / DRAWS);
    if (ratio < 0.6 || ratio > 1.6) fail_msg("the way scatters by %.2f of its deviations", ratio);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_round_pipe),
        cmocka_unit_test(an_oval_pipe),
        cmocka_unit_test(a_deposit_does_not_stretch_the_way),
        cmocka_unit_test(its_deviation_is_its_scatter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
