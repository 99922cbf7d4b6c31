/* Proves: on the way back to an anchor its points become the living ones, each at the place that the matches of the fit
 * have, with what they saw meanwhile; the others stay for what they saw, and no point stands twice. Does not prove that
 * the frame is placed rightly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* The statics of the file under test are what is tested. */
#include "recon/run.c"

#include <cmocka.h>

enum { N_OLD = 9, N_ANCHOR = 5 };

static struct intra_camera camera = {
    .model = INTRA_CAMERA_BROWN, .width = 64, .height = 48, .fx = 40, .fy = 40, .cx = 31.5, .cy = 23.5};

static struct intra_point made(int host, double x, int n_obs)
{
    struct intra_point p = {.host = host, .px = {x, 20}, .is_alive = true, .misses = 3, .n_obs = n_obs, .u = 1};
    for (int i = 0; i < n_obs; i++)
        p.obs[i].kf = host + 1 + i;
    return p;
}

static void points_keep_the_anchor_s_order(void **state)
{
    struct intra_run_options options = intra_run_defaults(0.15);
    struct intra_mask_pyramid mask = {0};
    struct intra_anchor anchor = {0};
    struct intra_run run;
    struct intra_error err;
    (void)state;
    assert_int_equal(intra_camera_finish(&camera, &err), INTRA_OK);
    assert_int_equal(intra_run_init(&run, &options, &camera, &mask, &err), INTRA_OK);
    for (int i = 0; i < N_OLD; i++)
        run.points[run.n_points++] = made(2 + i % 3, 3 * i, 4);
    /* Two that the run forgot, and three that it has, in another order and with fewer observations. */
    anchor.points = intra_alloc(N_ANCHOR, sizeof *anchor.points);
    assert_non_null(anchor.points);
    anchor.n = N_ANCHOR;
    anchor.points[0] = made(1, 50, 2);
    anchor.points[1] = made(run.points[7].host, run.points[7].px[0], 1);
    anchor.points[2] = made(run.points[0].host, run.points[0].px[0], 1);
    anchor.points[3] = made(1, 55, 2);
    anchor.points[4] = made(run.points[2].host, run.points[2].px[0], 1);

    assert_int_equal(take_up(&run, &anchor, &err), INTRA_OK);
    assert_int_equal(run.n_points, N_OLD + 2);
    for (int i = 0; i < run.n_points; i++) {
        const struct intra_point *p = &run.points[i];
        assert_int_equal(p->is_alive, i < N_ANCHOR);
        for (int k = 0; k < i; k++)
            assert_false(run.points[k].host == p->host && run.points[k].px[0] == p->px[0]);
        if (i >= N_ANCHOR) continue;
        assert_true(p->host == anchor.points[i].host && p->px[0] == anchor.points[i].px[0]);
        assert_int_equal(p->misses, 0);
        assert_int_equal(p->n_obs, i == 0 || i == 3 ? 2 : 4);
    }
    intra_anchor_fini(&anchor);
    intra_run_fini(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(points_keep_the_anchor_s_order)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
