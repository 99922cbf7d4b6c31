/* Proves: the dark end of a made-up pipe is found to a degree wherever it stands, the mask is left out, and a picture whose dark part
 * touches the border or fills it gives no direction. Does not prove that the dark is the axis; docs/methods.md says how well it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "recon/dark.h"

#include <cmocka.h>
#include <math.h>
#include <string.h>

enum { ROWS = 480, COLS = 640 };

struct scene {
    struct intra_camera camera;
    struct intra_frame frame;
    struct intra_mask_pyramid mask;
};

/* Luma grows with the distance from (x, y); a black bar of masked text lies in the top left corner. */
static void make_scene(struct scene *s, double x, double y)
{
    struct intra_error err;
    struct intra_view_u8 good;
    memset(s, 0, sizeof *s);
    s->camera = (struct intra_camera){.model = INTRA_CAMERA_BROWN, .width = COLS, .height = ROWS, .fx = 500, .fy = 500, .cx = 319.5,
                                      .cy = 239.5};
    assert_int_equal(intra_camera_finish(&s->camera, &err), INTRA_OK);
    assert_int_equal(intra_image_u8_init(&s->frame.y, ROWS, COLS, 1, &err), INTRA_OK);
    assert_int_equal(intra_image_u8_init(&good, ROWS, COLS, 1, &err), INTRA_OK);
    for (int r = 0; r < ROWS; r++)
        for (int c = 0; c < COLS; c++) {
            bool is_text = r >= 64 && r < 112 && c >= 64 && c < 192;
            intra_row_u8(&good, r)[c] = is_text ? 0 : 255;
            intra_row_u8(&s->frame.y, r)[c] = is_text ? 0 : (uint8_t)fmin(255, 8 + 0.6 * hypot(c - x, r - y));
        }
    assert_int_equal(intra_mask_pyramid_init(&s->mask, &good, &err), INTRA_OK);
    intra_image_u8_fini(&good);
}

static void drop_scene(struct scene *s)
{
    intra_image_u8_fini(&s->frame.y);
    intra_mask_pyramid_fini(&s->mask);
}

static void dark_is_found(void **state)
{
    static const double places[][2] = {{319.5, 239.5}, {420, 300}, {200, 260}};
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct scene s;
        struct intra_vec3 ray;
        make_scene(&s, places[i][0], places[i][1]);
        assert_true(intra_dark_direction(&s.frame, &s.camera, &s.mask, &ray));
        struct intra_vec3 want = intra_unit(intra_vec3((places[i][0] - 319.5) / 500, (places[i][1] - 239.5) / 500, 1));
        assert_true(intra_norm(intra_cross(ray, want)) < 0.02);
        drop_scene(&s);
    }
}

static void no_dark_end(void **state)
{
    struct scene s;
    struct intra_vec3 ray;
    (void)state;
    make_scene(&s, -20, 240); /* it goes on outside */
    assert_false(intra_dark_direction(&s.frame, &s.camera, &s.mask, &ray));
    for (int r = 0; r < ROWS; r++) memset(intra_row_u8(&s.frame.y, r), 60, COLS);
    assert_false(intra_dark_direction(&s.frame, &s.camera, &s.mask, &ray));
    drop_scene(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(dark_is_found), cmocka_unit_test(no_dark_end)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
