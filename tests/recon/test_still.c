/* Proves: a plain box with text in it is masked whole, not only along its rim and letters, and neither the moving wall
 * around it nor the corner inside an angle that stands still is. Does not prove anything about coded video. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "recon/still.h"

#include <cmocka.h>
#include <math.h>
#include <string.h>

enum { ROWS = 240, COLS = 320, LOOKS = 24 };
enum { BOX_TOP = 190, BOX_BOTTOM = 220, BOX_LEFT = 180, BOX_RIGHT = 300, TEXT_FROM = 260 };
enum { ARM = 12, ARM_TOP = 40, ARM_BOTTOM = 120, ARM_LEFT = 40, ARM_RIGHT = 120 };

static bool is_box(int r, int c)
{
    return r >= BOX_TOP && r < BOX_BOTTOM && c >= BOX_LEFT && c < BOX_RIGHT;
}

/* Two bars that meet in the lower left. */
static bool is_arm(int r, int c)
{
    if (r < ARM_TOP || r >= ARM_BOTTOM || c < ARM_LEFT || c >= ARM_RIGHT) return false;
    return c < ARM_LEFT + ARM || r >= ARM_BOTTOM - ARM;
}

/* The wall streams from left to right; box, letters and arm stand still. */
static uint8_t pixel(int look, int r, int c)
{
    if (is_box(r, c)) {
        bool is_letter = c >= TEXT_FROM && c < BOX_RIGHT - 6 && r > BOX_TOP + 6 && r < BOX_BOTTOM - 6 && (c / 3) % 2;
        return is_letter ? 20 : 140;
    }
    if (is_arm(r, c)) return (c / 4 + r / 4) % 2 ? 40 : 200;
    double at = c - 5.3 * look;
    return (uint8_t)(100 + 25 * sin(0.31 * at + 0.11 * r) + 20 * cos(0.17 * at - 0.23 * r));
}

static void boxes_are_masked_whole(void **state)
{
    struct intra_error err;
    struct intra_still_sums sums;
    struct intra_still still;
    struct intra_frame frame = {.index = 0};
    int box_open = 0, wall = 0, wall_masked = 0;
    (void)state;
    assert_int_equal(intra_still_sums_init(&sums, ROWS, COLS, &err), INTRA_OK);
    assert_int_equal(intra_image_u8_init(&frame.y, ROWS, COLS, 1, &err), INTRA_OK);
    assert_int_equal(intra_image_u8_init(&frame.u, ROWS / 2, COLS / 2, 1, &err), INTRA_OK);
    assert_int_equal(intra_image_u8_init(&frame.v, ROWS / 2, COLS / 2, 1, &err), INTRA_OK);
    for (int r = 0; r < ROWS / 2; r++) {
        memset(intra_row_u8(&frame.u, r), 128, COLS / 2);
        memset(intra_row_u8(&frame.v, r), 128, COLS / 2);
    }
    for (int look = 0; look < LOOKS; look++) {
        for (int r = 0; r < ROWS; r++)
            for (int c = 0; c < COLS; c++)
                intra_row_u8(&frame.y, r)[c] = pixel(look, r, c);
        assert_true(intra_still_sums_add(&sums, &frame));
    }
    assert_int_equal(intra_still_finish(&sums, &still, &err), INTRA_OK);
    for (int r = 0; r < ROWS; r++)
        for (int c = 0; c < COLS; c++) {
            bool is_masked = intra_row_u8(&still.mask, r)[c] == 0;
            bool is_beside = r >= BOX_TOP - 12 && r < BOX_BOTTOM + 12 && c >= BOX_LEFT - 20 && c < BOX_RIGHT + 20;
            bool is_near_arm = r >= ARM_TOP - 12 && r < ARM_BOTTOM + 12 && c >= ARM_LEFT - 20 && c < ARM_RIGHT + 20;
            if (is_box(r, c)) box_open += !is_masked;
            if (is_beside || is_near_arm) continue;
            wall++;
            wall_masked += is_masked;
        }
    assert_int_equal(box_open, 0);
    assert_true(wall_masked < wall / 100);
    assert_int_equal(intra_row_u8(&still.mask, ARM_BOTTOM - 5)[ARM_LEFT + 40], 0);
    assert_int_equal(intra_row_u8(&still.mask, ARM_TOP + 20)[ARM_RIGHT - 20], 255);
    intra_still_fini(&still);
    intra_still_sums_fini(&sums);
    intra_image_u8_fini(&frame.y);
    intra_image_u8_fini(&frame.u);
    intra_image_u8_fini(&frame.v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boxes_are_masked_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
