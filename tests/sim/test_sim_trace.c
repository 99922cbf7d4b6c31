/* Proves: rays end on the wall that truth states (within 0.02 mm where it is smooth), at the first crossing, in
 * straights, bends and across kinks; the centreline's projection inverts its points; the wall follows its own numbers
 * (ovality, offsets, gaps). The reference walks along each ray in small steps in world coordinates. Does not prove:
 * colours. */
#include "core/mem.h"
#include "tools/sim/sim_noise.h"
#include "tools/sim/sim_view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char *const scenes[] = {
    "{\"centreline\": [{\"straight_m\": 4}], \"joints\": {\"spacing_m\": 0}, \"pipe\": {\"grade_pct\": 2},"
    "\"ovality\": [{\"from_m\": 1, \"to_m\": 3, \"ovality_pct\": 6, \"min_clock_deg\": 20}],"
    "\"motion\": {\"phases\": [{\"action\": \"drive\", \"distance_m\": 1}]}}",
    "{\"centreline\": [{\"straight_m\": 1}, {\"bend_deg\": 60, \"radius_m\": 1.2, \"towards_clock_deg\": 120}, "
    "{\"straight_m\": 1},"
    "{\"bend_deg\": 20, \"radius_m\": 2, \"towards_clock_deg\": 0}, {\"straight_m\": 1}], \"joints\": {\"spacing_m\": "
    "0.5,"
    "\"offset_max_m\": 0.006, \"deflection_max_deg\": 1.5}, \"deposits\": [{\"from_m\": 1.2, \"to_m\": 2, "
    "\"height_m\": 0.03}],"
    "\"roots\": [{\"station_m\": 1.6}], \"motion\": {\"phases\": [{\"action\": \"drive\", \"distance_m\": 1}]}}",
};

struct world {
    struct intra_sim_scene scene;
    struct intra_sim_centreline line;
    struct intra_sim_wall wall;
    struct intra_sim_view view;
};

static void world_open(struct world *w, const char *json)
{
    struct sim_joint *joints;
    struct intra_error err = {0};
    int n;
    if (intra_sim_scene_parse(json, "test", &w->scene, &err) != INTRA_OK) fail_msg("%s", err.text);
    assert_int_equal(intra_sim_joints_make(&w->scene, &joints, &n, NULL), INTRA_OK);
    assert_int_equal(intra_sim_centreline_make(&w->scene, joints, n, &w->line, NULL), INTRA_OK);
    assert_int_equal(intra_sim_wall_make(&w->scene, joints, n, &w->wall, NULL), INTRA_OK);
    assert_int_equal(intra_sim_view_init(&w->view, &w->wall, &w->line, NULL), INTRA_OK);
}
static void world_close(struct world *w)
{
    intra_sim_view_fini(&w->view);
    intra_sim_wall_fini(&w->wall);
    intra_sim_centreline_fini(&w->line);
    intra_sim_scene_fini(&w->scene);
}

static void locate_inverts_points(void **state)
{
    struct world w;
    (void)state;
    world_open(&w, scenes[1]);
    for (int i = 0; i < 2000; i++) {
        double s = w.line.length * sim_unit(sim_mix((uint64_t)i)),
               theta = 6.28 * sim_unit(sim_mix(9000 + (uint64_t)i)) - 3.14;
        double rho = 0.14 * sim_unit(sim_mix(80000 + (uint64_t)i)), s2, theta2, rho2;
        struct sim_frame f = intra_sim_centreline_at(&w.line, s);
        struct intra_vec3 p = intra_mad(intra_mad(f.p, rho * sin(theta), f.right), rho * cos(theta), f.crown);
        int hint = 0, piece = intra_sim_centreline_piece(&w.line, s);
        double to_kink = fmin(s - w.line.pieces[piece].s0, w.line.pieces[piece].s1 - s);
        if (to_kink < 0.006 || rho < 1e-3) continue; /* near a kink a point belongs to the other side's mitre */
        intra_sim_centreline_locate(&w.line, p, &hint, &s2, &theta2, &rho2);
        assert_true(fabs(s - s2) < 1e-9 && fabs(intra_wrap_pi(theta - theta2)) < 1e-7 && fabs(rho - rho2) < 1e-9);
    }
    world_close(&w);
}

/* How far a point is inside the wall (positive: free space). */
static double room(const struct world *w, struct intra_vec3 p, int *hint, double *s)
{
    double theta, rho;
    intra_sim_centreline_locate(&w->line, p, hint, s, &theta, &rho);
    return intra_sim_wall_radius(&w->wall, *s, theta) - rho;
}

static void rays_end_at_the_first_wall(void **state)
{
    (void)state;
    for (int k = 0; k < 2; k++) {
        struct world w;
        int hits = 0;
        double worst = 0;
        world_open(&w, scenes[k]);
        for (int i = 0; i < 4000; i++) {
            double station = 0.4 + 1.6 * (i % 8) / 8, yaw, pitch, s, t;
            struct sim_frame f = intra_sim_centreline_at(&w.line, station);
            struct intra_pose cam = {intra_mat3_from_columns(f.right, intra_scale(f.crown, -1), f.tangent),
                                     intra_mad(intra_mad(f.p, 0.02, f.right), -0.01, f.crown)};
            struct intra_vec3 d, dw;
            struct sim_ray ray;
            struct sim_at at;
            int lateral, hint = 0;
            yaw = 2.0 * (sim_unit(sim_hash3(1, i, k)) - 0.5);
            pitch = 2.0 * (sim_unit(sim_hash3(2, i, k)) - 0.5);
            d = intra_unit(intra_vec3(sin(yaw), sin(pitch), 0.7));
            dw = intra_mat3_mul_vec(&cam.r, d);
            intra_sim_view_place(&w.view, &w.line, &cam, station);
            intra_sim_ray_start(&w.view, &ray, intra_vec3(0, 0, 0), d, w.view.home);
            if (intra_sim_trace(&w.view, &ray, 0.0005, &at, &lateral) == SIM_MISS) continue;
            hits++;
            worst = fmax(worst, fabs(room(&w, intra_mad(cam.t, at.t, dw), &hint, &s)));
            assert_true(fabs(s - at.s) < 1e-5);
            hint = 0;
            for (t = 0.001; t < at.t - 0.004;
                 t += 0.0007) /* nothing nearer, but for what a millimetre step may graze */
                if (room(&w, intra_mad(cam.t, t, dw), &hint, &s) < -0.0008)
                    fail_msg("scene %d ray %d: wall at %.4f m before the hit at %.4f m (station %.3f)", k, i, t, at.t,
                             s);
        }
        assert_true(hits > 3000);
        if (worst > (k == 0 ? 2e-5 : 6e-4)) fail_msg("scene %d: worst distance from the wall %.3g m", k, worst);
        world_close(&w);
    }
}

static void the_wall_follows_its_numbers(void **state)
{
    struct world w;
    double r = 0.15, flat, wide;
    const struct sim_joint *j;
    (void)state;
    world_open(&w, scenes[0]);
    flat = intra_sim_wall_radius(&w.wall, 2.0, 20 * M_PI / 180) + intra_sim_wall_radius(&w.wall, 2.0, 200 * M_PI / 180);
    wide =
        intra_sim_wall_radius(&w.wall, 2.0, 110 * M_PI / 180) + intra_sim_wall_radius(&w.wall, 2.0, 290 * M_PI / 180);
    assert_true(fabs(flat - 2 * r * 0.94) < 5e-6 && fabs(wide - 2 * r * 1.06) < 5e-6);
    assert_true(fabs(intra_sim_wall_radius(&w.wall, 0.5, 1) - r) < 1e-7);
    world_close(&w);
    world_open(&w, scenes[1]);
    j = &w.wall.joints[4];
    /* Just after a joint the pipe is displaced by the offset, just before it (at the end of a length) by nothing. */
    assert_true(fabs(intra_sim_wall_radius(&w.wall, j->station_m + 0.02, j->offset_clock_deg * M_PI / 180) - r -
                     j->offset_m * 0.96) < 2e-5);
    assert_true(fabs(intra_sim_wall_radius(&w.wall, j->station_m, 3) - j->depth_m - r) < 0.0065);
    world_close(&w);
}

static void fast_atan2_is_close(void **state)
{
    (void)state;
    for (int i = 0; i < 100000; i++) {
        double a = -M_PI + 2 * M_PI * i / 100000, r = 0.01 + i % 7;
        assert_true(fabs(intra_wrap_pi(intra_sim_atan2(r * sin(a), r * cos(a)) - a)) < 1e-7);
    }
    assert_true(intra_sim_atan2(0, 0) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(locate_inverts_points), cmocka_unit_test(rays_end_at_the_first_wall),
        cmocka_unit_test(the_wall_follows_its_numbers), cmocka_unit_test(fast_atan2_is_close)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
