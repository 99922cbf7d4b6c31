/* Proves: the gradient that the window adjustment builds is the derivative of its cost, for each kind of unknown (host
 * pose, target pose, axis knot, its oval, point distance, a ring's station) against each kind of residual (match,
 * tube, axis, oval, dark end, ring) by itself. The deviation of the scale follows from how sectors differ. Does not
 * prove that the minimum is the right one: test_synth does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* The statics of the file under test are what is tested. */
#include "recon/bundle.c"

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

static double noise(unsigned *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (*state >> 8) / 8388608.0 - 1;
}

struct setup {
    struct solver s;
    struct intra_keyframe kfs[4];
    struct intra_point points[30];
    struct intra_axis axis;
    struct intra_camera camera;
    struct intra_bundle_options options;
};

/* The residual that counts; the others are there, but weigh next to nothing. */
enum kind { MATCHES, TUBE, AXIS, OVAL, DARK, RING };

static double cost_now(struct solver *s)
{
    relate_poses(s);
    measure_matches(s);
    return cost_of(s);
}

static void make(struct setup *t, enum kind kind)
{
    unsigned state = 7;
    struct intra_error err;
    struct intra_mat3 ahead = {{{0, -1, 0}, {0, 0, -1}, {1, 0, 0}}};
    memset(t, 0, sizeof *t);
    t->camera = (struct intra_camera){.model = INTRA_CAMERA_BROWN, .width = 640, .height = 480, .fx = 400, .fy = 410,
                                      .cx = 322, .cy = 236, .k = {-0.1, 0.02, 0.001, -0.001}};
    assert_int_equal(intra_camera_finish(&t->camera, &err), INTRA_OK);
    assert_int_equal(intra_axis_init(&t->axis, 0.15, intra_vec3(0, 0, 0), intra_vec3(1, 0, 0), &err), INTRA_OK);
    assert_int_equal(intra_axis_cover(&t->axis, -3, 9, &err), INTRA_OK);
    for (int i = 0; i < t->axis.count; i++) {
        t->axis.knots[i].p.y += 0.003 * noise(&state);
        t->axis.knots[i].p.z += 0.003 * noise(&state);
        for (int q = 0; q < 2; q++)
            t->axis.knots[i].oval[q] = 0.04 * noise(&state);
        t->axis.knots[i].is_oval_frozen = i == 3;
    }
    for (int i = 0; i < 4; i++) {
        struct intra_vec3 w = {0.05 * noise(&state), 0.05 * noise(&state), 0.05 * noise(&state)};
        struct intra_mat3 turn = intra_rotation_exp(w);
        struct intra_vec3 c = {0.03 * i, 0.02 * noise(&state), 0.02 * noise(&state)};
        t->kfs[i].id = i;
        t->kfs[i].cam_from_world.r = intra_mat3_mul(&turn, &ahead);
        t->kfs[i].cam_from_world.t = intra_scale(intra_mat3_mul_vec(&t->kfs[i].cam_from_world.r, c), -1);
    }
    for (int i = 0; i < 30; i++) {
        struct intra_point *p = &t->points[i];
        double a = 6.28 * i / 30, rad = 120 + 60 * noise(&state);
        p->host = i % 2;
        p->px[0] = 320 + rad * cos(a), p->px[1] = 240 + rad * sin(a);
        assert_true(intra_camera_unproject(&t->camera, p->px, &p->ray));
        p->dist = 0.15 * 410 / rad + 0.02 * noise(&state);
        p->r_expect = 0.15;
        p->tube_share = 0.5 + i % 3;
        p->u = p->dist / 0.15;
        p->is_alive = true;
        for (int k = p->host + 1; k < 4; k++) {
            struct intra_pose inv = intra_pose_inverse(&t->kfs[p->host].cam_from_world);
            struct intra_vec3 x = intra_pose_apply(&inv, intra_scale(p->ray, p->dist));
            struct intra_obs *o = &p->obs[p->n_obs++];
            o->kf = k;
            assert_true(intra_camera_project(&t->camera, intra_pose_apply(&t->kfs[k].cam_from_world, x), o->px, NULL, NULL));
            o->px[0] += 0.7 * noise(&state), o->px[1] += 0.7 * noise(&state);
            double w = kind == MATCHES ? 1 : 1e-12;
            o->info[0] = 4 * w, o->info[1] = 1 * w, o->info[2] = 3 * w;
        }
    }
    for (int i = 0; i < 4 && kind == DARK; i++) { /* the last one is far off: its cost grows in proportion only */
        struct intra_vec3 off = {0.06 * noise(&state), 0.06 * noise(&state), 1};
        t->kfs[i].u = 0.03 * i / 0.15;
        t->kfs[i].has_dark = true;
        t->kfs[i].dark = intra_unit(i < 3 ? off : intra_vec3(0.3, -0.2, 1));
    }
    t->options = (struct intra_bundle_options){.iterations = 1,
                                               .radius_m = 0.15,
                                               .radius_sd_rel = kind == TUBE ? 0.02 : 1e6,
                                               .kink_sd_rad = kind == AXIS ? 0.02 : 1e6,
                                               .oval_step_sd = kind == OVAL ? 0.02 : 1e6,
                                               .oval_sd = kind == OVAL ? 0.03 : 1e6};
    struct solver *s = &t->s;
    *s = (struct solver){.kfs = t->kfs, .n_kfs = 4, .points = t->points, .n_points = 30, .axis = &t->axis,
                         .camera = &t->camera, .options = &t->options, .noise2 = 1};
    assert_int_equal(INTRA_ALLOC(s->kf_var, 4, &err), INTRA_OK);
    assert_int_equal(INTRA_ALLOC(s->knot_var, (size_t)t->axis.count, &err), INTRA_OK);
    assert_int_equal(INTRA_ALLOC(s->oval_var, (size_t)t->axis.count, &err), INTRA_OK);
    assert_int_equal(INTRA_ALLOC(s->place, 30, &err), INTRA_OK);
    assert_int_equal(INTRA_ALLOC(s->chi2, 30 * INTRA_POINT_MAX_OBS, &err), INTRA_OK);
    assert_int_equal(INTRA_ALLOC(s->coupling, 30, &err), INTRA_OK);
    assert_int_equal(INTRA_ALLOC(s->relative, 4 * 4, &err), INTRA_OK);
    assert_int_equal(INTRA_ALLOC(s->dist_h, 30, &err), INTRA_OK);
    assert_int_equal(INTRA_ALLOC(s->dist_g, 30, &err), INTRA_OK);
    assert_int_equal(INTRA_ALLOC(s->member, 30, &err), INTRA_OK);
    assign_variables(s);
    s->n_rings = kind == RING ? 2 : 0;
    s->ring_var = s->nx;
    s->nx += s->n_rings;
    for (int i = 0; i < 2; i++)
        s->rings[i] = (struct intra_point_ring){.station_m = 0.4 + 0.02 * i};
    for (int i = 0; i < 30; i++)
        s->member[i] = (struct intra_ring_member){.ring = kind == RING ? i % 3 - 1 : -1, .off_m = 0.004 * noise(&state),
                                                  .sd_m = 0.02, .across = {0.1 * noise(&state), 0.1 * noise(&state)}};
    for (int i = 0; i < 30; i++) { /* any angles will do: they are held */
        s->place[i] =
            (struct oval_place){.knot = i % 7 == 6 ? -1 : 1 + i % 6, .cos2 = noise(&state), .sin2 = noise(&state)};
        for (int k = 0; k < 4; k++)
            s->place[i].w[k] = 0.25 + 0.1 * noise(&state);
    }
    (void)cost_now(s);
    assert_int_equal(INTRA_ALLOC(s->h, (size_t)s->nx * (size_t)s->nx, &err), INTRA_OK);
    assert_int_equal(INTRA_ALLOC(s->b, (size_t)s->nx, &err), INTRA_OK);
    assert_int_equal(INTRA_ALLOC(s->hp, (size_t)s->nx, &err), INTRA_OK);
}

static void drop(struct setup *t)
{
    intra_axis_fini(&t->axis);
    intra_free(t->s.kf_var);
    intra_free(t->s.knot_var);
    intra_free(t->s.oval_var);
    intra_free(t->s.place);
    intra_free(t->s.member);
    intra_free(t->s.chi2);
    intra_free(t->s.coupling);
    intra_free(t->s.relative);
    intra_free(t->s.dist_h);
    intra_free(t->s.dist_g);
    intra_free(t->s.h);
    intra_free(t->s.b);
    intra_free(t->s.hp);
}

/* With the elimination undone: b before Schur = b + sum hp gd / hdd. Points are held instead, by a huge pivot. */
static void check(enum kind kind)
{
    struct setup *t = calloc(1, sizeof *t);
    make(t, kind);
    struct solver *s = &t->s;
    s->hold_points = true;
    build_system(s);
    double worst = 0, size = 0;
    for (int v = 0; v < s->nx; v++) size = fmax(size, fabs(s->b[v]));
    assert_true(size > 1);
    for (int i = 0; i < 4; i++)
        for (int q = 0; q < 6; q++) {
            double eps = 1e-6, d[3] = {0}, r[3] = {0}, cost[2];
            struct intra_pose old = t->kfs[i].cam_from_world;
            for (int side = 0; side < 2; side++) {
                (q < 3 ? r : d)[q % 3] = side ? -eps : eps;
                t->kfs[i].cam_from_world = intra_pose_left_update(&old, intra_vec3(r[0], r[1], r[2]), intra_vec3(d[0], d[1], d[2]));
                cost[side] = cost_now(s);
                t->kfs[i].cam_from_world = old;
            }
            double numeric = -(cost[0] - cost[1]) / (4 * eps), mine = s->b[s->kf_var[i] + q];
            worst = fmax(worst, fabs(numeric - mine) / size);
        }
    assert_true(worst < 1e-4);
    worst = 0;
    for (int i = 0; i < t->axis.count; i++)
        for (int q = 0; q < 2 && s->knot_var[i] >= 0; q++) {
            double eps = 1e-6, cost[2];
            struct intra_vec3 old = t->axis.knots[i].p;
            for (int side = 0; side < 2; side++) {
                t->axis.knots[i].p = intra_mad(old, side ? -eps : eps, t->axis.knots[i].n[q]);
                cost[side] = cost_now(s);
                t->axis.knots[i].p = old;
            }
            double numeric = -(cost[0] - cost[1]) / (4 * eps), mine = s->b[s->knot_var[i] + q];
            worst = fmax(worst, fabs(numeric - mine) / size);
        }
    assert_true(worst < 1e-4);
    worst = 0;
    int n_ovals = 0, n_held = 0;
    for (int i = 0; i < t->axis.count; i++)
        for (int q = 0; q < 2; q++) {
            double eps = 1e-6, cost[2], *oval = &t->axis.knots[i].oval[q], old = *oval;
            n_held += s->oval_var[i] < 0;
            if (s->oval_var[i] < 0) continue;
            for (int side = 0; side < 2; side++) {
                *oval = old + (side ? -eps : eps);
                cost[side] = cost_now(s);
            }
            *oval = old;
            worst = fmax(worst, fabs(-(cost[0] - cost[1]) / (4 * eps) - s->b[s->oval_var[i] + q]) / size);
            n_ovals++;
        }
    assert_true(worst < 1e-4);
    assert_true(n_ovals >= 8 && n_held >= 2);
    worst = 0;
    for (int i = 0; i < 30; i++) {
        double eps = 1e-7, old = t->points[i].dist, cost[2];
        for (int side = 0; side < 2; side++) {
            t->points[i].dist = old + (side ? -eps : eps);
            cost[side] = cost_now(s);
        }
        t->points[i].dist = old;
        worst = fmax(worst, fabs(-(cost[0] - cost[1]) / (4 * eps) - s->dist_g[i]) / size);
    }
    assert_true(worst < 1e-4);
    worst = 0;
    for (int i = 0; i < s->n_rings; i++) {
        double eps = 1e-6, cost[2], *x = &s->rings[i].station_m, old = *x;
        for (int side = 0; side < 2; side++) {
            *x = old + (side ? -eps : eps);
            cost[side] = cost_now(s);
        }
        *x = old;
        worst = fmax(worst, fabs(-(cost[0] - cost[1]) / (4 * eps) - s->b[s->ring_var + i]) / size);
    }
    assert_true(worst < 1e-4);
    drop(t);
    free(t);
}

static void gradient_of_matches(void **state)
{
    (void)state;
    check(MATCHES);
}

static void gradient_of_tube(void **state)
{
    (void)state;
    check(TUBE);
}

static void gradient_of_axis(void **state)
{
    (void)state;
    check(AXIS);
}

static void gradient_of_oval(void **state)
{
    (void)state;
    check(OVAL);
}

static void gradient_of_dark_end(void **state)
{
    (void)state;
    check(DARK);
}

static void gradient_of_ring(void **state)
{
    (void)state;
    check(RING);
}

/* Sectors of some points each, the radii of which differ by sector: the deviation is that of their mean; one bad radius
 * in a sector does not count, badly measured points do not, and two sectors are too few. Six of the twelve do not tell
 * where across the ring the camera is, seven do. */
static void scale_from_sectors(void **state)
{
    static const double off[7] = {0.004, -0.002, 0.010, 0.001, -0.006, 0.003, -0.001};
    struct setup *t = calloc(1, sizeof *t);
    struct intra_error err;
    (void)state;
    make(t, MATCHES);
    struct solver *s = &t->s;
    assert_int_equal(INTRA_ALLOC(s->sector, (size_t)s->n_points, &err), INTRA_OK);
    assert_int_equal(INTRA_ALLOC(s->spread, (size_t)s->n_points, &err), INTRA_OK);
    for (int n = 6; n <= 7; n++) {
        double mean = 0, var = 0;
        for (int k = 0; k < n; k++)
            mean += off[k] / n;
        for (int k = 0; k < n; k++)
            var += (off[k] - mean) * (off[k] - mean) / (n - 1);
        for (int i = 0; i < s->n_points; i++) {
            struct intra_point *p = &t->points[i];
            s->place[i].knot = -1;
            s->sector[i] = n == 6 ? 2 * (i % n) : i % n;
            p->r_data_sd = 0.01 * p->r_expect;
            p->r_data = (1 + off[i % n] + (i < n ? 0.3 : 0)) * p->r_expect;
        }
        assert_true(fabs(scale_sd(s) - hypot(sqrt(var / n), n == 6 ? ONE_SIDED_SD : 0)) < 1e-12);
    }
    for (int i = 0; i < s->n_points; i++)
        t->points[i].r_data_sd = i % 7 < 2 ? 0.01 * 0.15 : 0.2 * 0.15;
    assert_true(isnan(scale_sd(s)));
    intra_free(s->sector);
    intra_free(s->spread);
    drop(t);
    free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(gradient_of_matches),  cmocka_unit_test(gradient_of_tube),
                                       cmocka_unit_test(gradient_of_axis),     cmocka_unit_test(gradient_of_oval),
                                       cmocka_unit_test(gradient_of_dark_end), cmocka_unit_test(gradient_of_ring), cmocka_unit_test(scale_from_sectors)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
