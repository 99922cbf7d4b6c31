/* One lens out of the stretches of a run. Proves: one bad stretch does not bend it, whatever it says of itself; the
 * deviation has the stretches' scatter in it, and what they share does not shrink with their number; a lens of one
 * stretch stays as it is to the byte; where the counter makes the run 1 % longer the lens gets 1 % longer; a drive is
 * cut into stretches whose wall points are let go of, and the lens that comes of them is the drive's. Not: tracking, or
 * walls that are no tube. */
#include "recon/lens_run.h"

#include "core/camera_convert.h"
#include "core/mem.h"
#include "recon/station_fit.h"
#include "tests/recon/made_lens.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 40 };
static struct intra_lens_piece pieces[MOST];

/* Stretches whose focal lengths scatter by `sd`, stated as own_sd, of that common_sd shared. */
static void make_pieces(int n, uint64_t seed, double sd, double own_sd, double common_sd)
{
    uint64_t state = seed;
    memset(pieces, 0, sizeof pieces);
    for (int i = 0; i < n; i++) {
        pieces[i].lens = lens_of(578 * (1 + sd * random_normal(&state)), 0.15, -0.02);
        pieces[i].common[0][0] = common_sd * common_sd;
        pieces[i].cov[0][0] = common_sd * common_sd + own_sd * own_sd;
    }
}

static struct intra_lens_combined combine(int n)
{
    struct intra_lens_combined all;
    struct intra_error err = {0};
    if (intra_lens_combine(pieces, n, &all, &err) != INTRA_OK) fail_msg("%s", err.text);
    return all;
}

static void one_bad_stretch_bends_nothing(void **state)
{
    const struct intra_camera truth = lens_of(578, 0.15, -0.02);
    (void)state;
    for (int bad = 0; bad < 4; bad++) {
        make_pieces(4, 7, 0.002, 0.003, 0);
        pieces[bad].lens = lens_of(578 * 1.15, 0.05, 0.1);
        pieces[bad].cov[0][0] = 1e-8; /* and it is very sure */
        struct intra_lens_combined all = combine(4);
        double off = intra_lens_angle_change(&all.lens, &truth);
        if (fabs(off) > 0.004) fail_msg("stretch %d bad: angles %.2f %% off", bad, 100 * off);
        assert_int_equal(all.n_used, 3);
    }
}

static void two_that_differ_meet_in_between(void **state)
{
    (void)state;
    make_pieces(2, 1, 0, 0.001, 0);
    pieces[1].lens = lens_of(578 * 1.04, 0.15, -0.02);
    struct intra_lens_combined all = combine(2);
    assert_true(all.lens.fx > 578 * 1.015 && all.lens.fx < 578 * 1.025);
    assert_true(all.focal_sd_rel > 0.015 && all.focal_sd_rel < 0.04); /* 0.001 was stated */
}

static void deviations_are_the_scatter_and_what_is_shared(void **state)
{
    (void)state;
    double sum2 = 0, stated = 0;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        make_pieces(25, seed, 0.01, 0.002, 0);
        struct intra_lens_combined all = combine(25);
        sum2 += pow(all.lens.fx / 578 - 1, 2);
        stated += all.focal_sd_rel * all.focal_sd_rel;
    }
    if (!(sum2 / stated > 0.5 && sum2 / stated < 2))
        fail_msg("off by %.3f %% where %.3f %% are stated", 100 * sqrt(sum2 / 30), 100 * sqrt(stated / 30));
    make_pieces(25, 1, 0, 0.002, 0.01);
    struct intra_lens_combined all = combine(25);
    assert_true(fabs(all.focal_sd_rel / 0.01 - 1) < 0.01);
    for (int i = 0; i < INTRA_LENS_NODES; i++)
        assert_true(all.angle_sd_rel[i] > 0.008 && all.angle_sd_rel[i] < 0.013);
}

static void none_tells_nothing(void **state)
{
    struct intra_lens_combined all;
    (void)state;
    assert_int_equal(intra_lens_combine(pieces, 0, &all, NULL), INTRA_E_DEGENERATE);
    make_pieces(2, 1, 0, 0.001, 0);
    pieces[0].cov[0][0] = pieces[1].cov[0][0] = NAN;
    assert_int_equal(intra_lens_combine(pieces, 2, &all, NULL), INTRA_E_DEGENERATE);
}

/* A stretch beside others that agree with it to the last bit would be no test: the one that is alone is another. */
static void one_stretch_changes_nothing(void **state)
{
    struct intra_camera pinhole, kb = lens_of(900, 0.15, -0.02);
    struct intra_lens_run run;
    struct intra_lens_run_result found;
    (void)state;
    assert_int_equal(intra_camera_convert(&kb, INTRA_CAMERA_BROWN, &pinhole, NULL, NULL), INTRA_OK);
    assert_int_equal(intra_lens_run_init(&run, &pinhole, 0.15, NULL), INTRA_OK);
    make_pieces(2, 1, 0.02, 0.001, 0);
    run.pieces = pieces;
    for (run.n = 0; run.n < 2; run.n++) {
        assert_int_equal(intra_lens_run_conclude(&run, 0, 0, &found, NULL), INTRA_OK);
        assert_memory_equal(&found.lens, &pinhole, sizeof pinhole);
        assert_true(isnan(found.focal_sd_rel) && isnan(found.corner_sd_rel) && found.n_pieces == 0);
    }
    assert_int_equal(intra_lens_run_conclude(&run, 0, 0, &found, NULL), INTRA_OK);
    assert_true(fabs(found.lens.fx / pinhole.fx - 1) > 0.1 && isfinite(found.focal_sd_rel));
    run.pieces = NULL;
    intra_lens_run_fini(&run);
}

/* The counter shows 1 % more way than the picture, digits of 1 cm over 8 m. */
static void a_run_one_per_cent_longer_makes_the_lens_so(void **state)
{
    enum { N = 1600 };
    static struct intra_station_reading readings[N];
    const struct intra_station_stretch stretch = {0, 0.003, 0.3};
    struct intra_station_map map;
    struct intra_camera lens = lens_of(578, 0.15, -0.02);
    struct intra_lens_run run;
    struct intra_lens_run_result found;
    (void)state;
    for (int i = 0; i < N; i++) {
        double way = 8.0 * i / (N - 1);
        readings[i] = (struct intra_station_reading){0, way, floor(1.01 * way / 0.01) * 0.01, 0.002};
    }
    const struct intra_station_evidence evidence = {.readings = readings,
                                                    .n_readings = N,
                                                    .stretches = &stretch,
                                                    .n_stretches = 1,
                                                    .sign = 1,
                                                    .step_m = 0.01,
                                                    .lens_sd_rel = 0.01};
    assert_int_equal(intra_station_fit(&evidence, &map, NULL), INTRA_OK);
    assert_true(map.counter_sd_rel > 2e-4 && map.counter_sd_rel < 0.005);
    assert_int_equal(intra_lens_run_init(&run, &lens, 0.15, NULL), INTRA_OK);
    for (int n = 0; n < 4; n += 3) { /* with the lens of the beginning, and with one of stretches */
        make_pieces(n, 1, 0, 0.001, 0);
        run.pieces = pieces;
        run.n = n;
        assert_int_equal(intra_lens_run_conclude(&run, map.counter_rel, map.counter_sd_rel, &found, NULL), INTRA_OK);
        double longer = found.lens.fx / lens.fx - 1;
        if (!(fabs(longer - 0.01) < 0.0025)) fail_msg("%d stretches: %.3f %% longer", n, 100 * longer);
        for (int px = 100; px <= 400; px += 100) { /* tangents are 1.01 times smaller */
            double t = tan(intra_camera_angle_rad(&lens, px)) / tan(intra_camera_angle_rad(&found.lens, px));
            assert_true(fabs(t - 1 - longer) < 2e-4);
        }
        assert_true(found.change_sd_rel >= map.counter_sd_rel);
    }
    run.pieces = NULL;
    intra_lens_run_fini(&run);
    intra_station_map_fini(&map);
}

/* A drive as motion hands it on: keyframes settle one after the other, and only the points of the last ones are there.
 */
enum { VIEWS = 240, PER_VIEW = 14 };
static const double radius = 0.15, step = 0.0225;

static struct intra_pose pose_at(double s)
{
    struct intra_mat3 look = {{{0, -1, 0}, {0, 0, -1}, {1, 0, 0}}};
    struct intra_mat3 turn = intra_rotation_exp(intra_vec3(0.05 * sin(3 * s), 0.04 * cos(2 * s), 0.02 * sin(s)));
    struct intra_pose p = {.r = intra_mat3_mul(&turn, &look)};
    p.t = intra_scale(intra_mat3_mul_vec(&p.r, intra_vec3(s, 0.02 * sin(4 * s), 0.01)), -1);
    return p;
}

/* Points cut from keyframe `host`, seen from those behind it, with 0.2 px of noise. */
static int cut_points(const struct intra_camera *truth, const struct intra_keyframe *kfs, int host, uint64_t *state,
                      struct intra_point *out)
{
    int n = 0;
    for (int i = 0; i < PER_VIEW; i++) {
        struct intra_point *p = &out[n];
        double s = host * step + radius * (1.5 + 4.5 * random_unit(state)), theta = 2 * M_PI * random_unit(state);
        double r = radius * (1 + 0.01 * random_normal(state)), px[2];
        memset(p, 0, sizeof *p);
        p->host = host;
        p->x = intra_vec3(s, r * sin(theta), r * cos(theta));
        p->u = s / radius;
        if (!intra_camera_project(truth, intra_pose_apply(&kfs[host].cam_from_world, p->x), p->px, NULL, NULL))
            continue;
        if (p->px[0] < 5 || p->px[1] < 5 || p->px[0] > 762 || p->px[1] > 570) continue;
        for (int v = host + 2; v < VIEWS && p->n_obs < 12; v += 2) {
            if (s - v * step < 0.5 * radius ||
                !intra_camera_project(truth, intra_pose_apply(&kfs[v].cam_from_world, p->x), px, NULL, NULL) ||
                px[0] < 5 || px[1] < 5 || px[0] > 762 || px[1] > 570)
                break;
            p->obs[p->n_obs++] = (struct intra_obs){
                v, {px[0] + 0.2 * random_normal(state), px[1] + 0.2 * random_normal(state)}, {25, 0, 25}};
        }
        n++;
    }
    return n;
}

static void a_drive_is_solved_by_stretches(void **state)
{
    static struct intra_keyframe kfs[VIEWS];
    static struct intra_point points[VIEWS * PER_VIEW];
    struct intra_camera truth = lens_of(578, 0.15, -0.02), start = lens_of(578, 0.19, -0.02);
    struct intra_run run = {.kfs = kfs, .n_kfs = VIEWS, .options = {.radius_m = radius}};
    struct intra_placement placement = {.station_offset_m = 2};
    struct intra_lens_run lens_run;
    struct intra_lens_run_result found;
    uint64_t seed = 11;
    int host_of[VIEWS + 1] = {0}, most_kept = 0;
    (void)state;
    assert_int_equal(intra_axis_init(&run.axis, radius, intra_vec3(0, 0, 0), intra_vec3(1, 0, 0), NULL), INTRA_OK);
    assert_int_equal(intra_axis_cover(&run.axis, -3, VIEWS * step / radius + 9, NULL), INTRA_OK);
    for (int i = 0; i < VIEWS; i++)
        kfs[i] = (struct intra_keyframe){.id = i, .cam_from_world = pose_at(i * step), .u = i * step / radius};
    for (int i = 0; i < VIEWS; i++)
        host_of[i + 1] = host_of[i] + cut_points(&truth, kfs, i, &seed, points + host_of[i]);
    assert_int_equal(intra_lens_run_init(&lens_run, &start, radius, NULL), INTRA_OK);
    for (int i = 0; i < VIEWS; i++) {
        int from = i > 30 ? i - 30 : 0;
        run.points = points + host_of[from];
        run.n_points = host_of[i + 1] - host_of[from];
        run.n_kfs = i + 1;
        assert_int_equal(intra_lens_run_keyframe(&lens_run, &run, &placement, &kfs[i], NULL), INTRA_OK);
        if (lens_run.gather.n > most_kept) most_kept = lens_run.gather.n;
    }
    assert_int_equal(intra_lens_run_end(&lens_run, &run, NULL), INTRA_OK);
    assert_int_equal(lens_run.n, 4); /* 10, 10, 10 and 6 radii */
    assert_true(most_kept < 75 * PER_VIEW);
    assert_int_equal(intra_lens_run_conclude(&lens_run, 0, 0, &found, NULL), INTRA_OK);
    double before = intra_lens_angle_change(&start, &truth), off = intra_lens_angle_change(&found.lens, &truth);
    if (!(fabs(before) > 0.01 && fabs(off) < 0.004))
        fail_msg("angles %.2f %% off, %.2f before", 100 * off, 100 * before);
    assert_true(found.corner_sd_rel > 1e-4 && found.corner_sd_rel < 0.01);
    intra_lens_run_fini(&lens_run);
    intra_axis_fini(&run.axis);
    intra_free(run.arc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_bad_stretch_bends_nothing),
        cmocka_unit_test(two_that_differ_meet_in_between),
        cmocka_unit_test(deviations_are_the_scatter_and_what_is_shared),
        cmocka_unit_test(none_tells_nothing),
        cmocka_unit_test(one_stretch_changes_nothing),
        cmocka_unit_test(a_run_one_per_cent_longer_makes_the_lens_so),
        cmocka_unit_test(a_drive_is_solved_by_stretches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
