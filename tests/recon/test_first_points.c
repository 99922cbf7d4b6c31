/* Proves, on a made-up pipe without paint and one with it, seen by a noisy camera: what the first picture's points are
 * where nothing else is known (grain too), where they must be seen in the next picture (paint; of bare wall less than
 * half, as light that rides along passes), and where they must be seen as far on as the camera came (paint that did; a
 * fifth at most of a picture that stood still meanwhile, a tenth on bare wall).
 * Does not prove that a run starts better from them; tests/bench/mixed.py does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "recon/run.h"
#include "tests/synth/synth.h"

#include <cmocka.h>
#include <string.h>

static const double radius_m = 0.15;
static const struct synth_lens lens = {400, 300, 262, 199.5, 149.5};

/* What the camera sees ahead_m from where it starts. noise_seed: of the grain. */
static void look(const struct synth_pipe *pipe, double ahead_m, unsigned noise_seed, struct intra_pyramid *out)
{
    struct intra_pose pose = synth_world_from_cam(0, 0, 0);
    struct intra_view_u8 rgb = {0}, y = {0};
    pose.t.x += ahead_m;
    assert_int_equal(intra_image_u8_init(&rgb, lens.height, lens.width, 3, NULL), INTRA_OK);
    assert_int_equal(intra_image_u8_init(&y, lens.height, lens.width, 1, NULL), INTRA_OK);
    synth_render(pipe, &lens, &pose, noise_seed, &rgb);
    for (int row = 0; row < lens.height; row++)
        for (int col = 0; col < lens.width; col++)
            intra_row_u8(&y, row)[col] = intra_row_u8(&rgb, row)[3 * col];
    assert_int_equal(intra_pyramid_init(out, lens.height, lens.width, NULL), INTRA_OK);
    intra_pyramid_build(out, &y, NULL, 1);
    intra_image_u8_fini(&rgb);
    intra_image_u8_fini(&y);
}

enum asked { ALL, SEEN, PLACED };

/* How many points the first picture has. seen_m: how far ahead the camera was when the later picture was taken;
 * moved_m: how far it is said to have been. */
static int points_of(double contrast, enum asked what, double seen_m, double moved_m)
{
    struct synth_pipe pipe = {.radius_m = radius_m, .seed = 5, .contrast = contrast, .noise = 2.5};
    struct intra_camera camera = synth_camera(&lens);
    struct intra_view_u8 open = {0};
    struct intra_mask_pyramid mask;
    struct intra_pyramid first, later;
    struct intra_run run;
    struct intra_run_options options = intra_run_defaults(radius_m);
    assert_int_equal(intra_image_u8_init(&open, lens.height, lens.width, 1, NULL), INTRA_OK);
    for (int row = 0; row < lens.height; row++)
        memset(intra_row_u8(&open, row), 255, (size_t)lens.width);
    assert_int_equal(intra_mask_pyramid_init(&mask, &open, NULL), INTRA_OK);
    look(&pipe, 0, 1, &first);
    look(&pipe, seen_m, 2, &later);
    assert_int_equal(intra_run_init(&run, &options, &camera, &mask, NULL), INTRA_OK);
    struct intra_run_later asked = {
        .pyramid = &later, .is_placed = what == PLACED, .cam_from_first = {intra_mat3_identity(), {0, 0, -moved_m}}};
    assert_int_equal(intra_run_start(&run, &first, 0, 0, 0, 0, what == ALL ? NULL : &asked, NULL), INTRA_OK);
    int n = run.n_points;
    intra_run_fini(&run);
    intra_pyramid_fini(&first);
    intra_pyramid_fini(&later);
    intra_mask_pyramid_fini(&mask);
    intra_image_u8_fini(&open);
    return n;
}

static void grain_is_seen_once(void **state)
{
    (void)state;
    int all = points_of(0, ALL, 0, 0), seen = points_of(0, SEEN, 0.006, 0);
    if (!(all > 250 && seen < all / 2)) fail_msg("bare pipe: %d points, %d seen again", all, seen);
    all = points_of(0.8, ALL, 0, 0), seen = points_of(0.8, SEEN, 0.006, 0);
    if (!(all > 250 && seen > 0.8 * all)) fail_msg("painted pipe: %d points, %d seen again", all, seen);
}

/* Backwards, so that all of the wall stays in view. */
static void wall_moves(void **state)
{
    (void)state;
    int all = points_of(0.8, ALL, 0, 0), moved = points_of(0.8, PLACED, -0.03, -0.03);
    int stood = points_of(0.8, PLACED, 0, -0.03), bare = points_of(0, PLACED, -0.03, -0.03);
    if (!(moved > 0.9 * all)) fail_msg("painted pipe: %d points, %d seen to move", all, moved);
    if (!(stood < 0.2 * moved)) fail_msg("a picture that stood still: %d of %d points", stood, moved);
    if (!(bare < 0.1 * all)) fail_msg("bare pipe: %d points seen to move", bare);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grain_is_seen_once),
        cmocka_unit_test(wall_moves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
