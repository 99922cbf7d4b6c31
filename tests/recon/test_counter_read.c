/* Proves: the counter is read from made-up pictures, light on dark and dark on light, with a box, an outline and a
 * label, in metres and feet, and in a colour on a wall of another; dates, times and bare texture give no reading; the
 * same picture gives the same reading for one thread and four, and whatever was read before; a failing allocation is an
 * error. Does not prove how often it is right on video: tests/bench/counter.py measures that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "core/mem.h"
#include "recon/counter.h"
#include "tools/sim/sim_font.h"

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#ifdef _OPENMP
#include <omp.h>
#endif

enum { ROWS = 288, COLS = 384 };

static struct intra_frame frame;
static struct intra_sim_fonts *fonts;
static struct intra_counter *counter;

/* A wall with texture, brighter to the right. */
static void paint_wall(int grey)
{
    unsigned seed = 7;
    for (int y = 0; y < ROWS; y++)
        for (int x = 0; x < COLS; x++) {
            seed = seed * 1103515245u + 12345u;
            intra_row_u8(&frame.y, y)[x] = (uint8_t)(grey + x / 16 + (int)(seed >> 16) % 14);
        }
    memset(frame.u.data, 128, (size_t)frame.u.rows * (size_t)frame.u.cols);
    memset(frame.v.data, 128, (size_t)frame.v.rows * (size_t)frame.v.cols);
}

static uint8_t mask[ROWS * COLS]; /* of the text that was written last */

static void write_text(const char *font, const char *text, int height, int x, int y, int ink, int box)
{
    int width;
    memset(mask, 0, sizeof mask);
    assert_int_equal(intra_sim_font_draw(fonts, font, text, height, x, y, mask, COLS, ROWS, &width, NULL), INTRA_OK);
    for (int r = 0; r < ROWS; r++)
        for (int c = 0; c < COLS; c++) {
            uint8_t *p = &intra_row_u8(&frame.y, r)[c];
            if (box >= 0 && c >= x - 4 && c < x + width + 4 && r >= y - 2 && r < y + height + 2) *p = (uint8_t)box;
            *p = (uint8_t)(*p + (ink - *p) * mask[r * COLS + c] / 255);
        }
}

/* The wall in one colour, the text written last in another, in chroma at half the resolution. */
static void tint(const int wall[2], const int ink[2])
{
    for (int k = 0; k < 2; k++) {
        struct intra_view_u8 *v = k ? &frame.v : &frame.u;
        for (int y = 0; y < v->rows; y++)
            for (int x = 0; x < v->cols; x++) {
                const uint8_t *m = mask + 2 * y * COLS + 2 * x;
                int covered = m[0] + m[1] + m[COLS] + m[COLS + 1];
                intra_row_u8(v, y)[x] = (uint8_t)(wall[k] + (ink[k] - wall[k]) * covered / (4 * 255));
            }
    }
}

static struct intra_counter_reading read_frame(void)
{
    struct intra_counter_reading r;
    struct intra_error err = {0};
    if (intra_counter_picture(counter, &frame, &r, &err) != INTRA_OK) fail_msg("%s", err.text);
    return r;
}

static void layouts_are_read(void **state)
{
    static const struct {
        const char *font, *text;
        int grey, ink, box;
        double metres;
        enum intra_counter_unit unit;
    } cases[] = {
        {"bold", "LZ1: +0004.70 m", 60, 255, -1, 4.7, INTRA_COUNTER_METRE},
        {"sans", "23.04m", 90, 250, -1, 23.04, INTRA_COUNTER_METRE},
        {"mono", "65.15 m", 120, 16, 136, 65.15, INTRA_COUNTER_METRE},
        {"sans", "LZ2: 32.9 m", 200, 10, -1, 32.9, INTRA_COUNTER_METRE},
        {"bold", "37.2 ft", 70, 240, -1, 37.2 * 0.3048, INTRA_COUNTER_FOOT},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct intra_counter_reading r;
        paint_wall(cases[i].grey);
        write_text("sans", "12.03.24 09:41", 22, 20, 20, cases[i].ink, cases[i].box);
        write_text(cases[i].font, cases[i].text, 22, 180, 250, cases[i].ink, cases[i].box);
        r = read_frame();
        if (!(fabs(r.value_m - cases[i].metres) < 1e-9) || r.unit != cases[i].unit)
            fail_msg("'%s' read as '%s', %g m, unit %d, confidence %.2f", cases[i].text, r.text, r.value_m, (int)r.unit,
                     r.confidence);
        assert_true(r.confidence >= 0.5 && r.confidence <= 1);
    }
}

/* Green letters on orange plastic, as bright as it and hardly more colourful. */
static void colour_on_colour(void **state)
{
    static const int orange[2] = {90, 173}, green[2] = {85, 60};
    struct intra_counter_reading r;
    (void)state;
    paint_wall(140);
    write_text("bold", "3.47 m", 30, 180, 240, 158, -1);
    tint(orange, green);
    r = read_frame();
    if (!(fabs(r.value_m - 3.47) < 1e-9)) fail_msg("read as '%s', %g m", r.text, r.value_m);
}

static void other_text_gives_nothing(void **state)
{
    static const char *const texts[] = {"12.03.24", "09:41:04", "DN 300 Beton", "-2.3 %", "10234 -> 10235",
                                        "300 mm",   ""};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct intra_counter_reading r;
        paint_wall(80);
        write_text("bold", texts[i], 22, 60, 200, 250, -1);
        r = read_frame();
        if (!isnan(r.value_m)) fail_msg("'%s' taken for %g m", texts[i], r.value_m);
    }
}

static void same_for_any_threads_and_history(void **state)
{
    struct intra_counter_reading first, again;
    (void)state;
#ifdef _OPENMP
    omp_set_num_threads(1);
#endif
    paint_wall(60);
    write_text("bold", "LZ1: +0012.38 m", 22, 150, 250, 255, -1);
    first = read_frame();
    write_text("sans", "99.99 m", 22, 20, 60, 255, -1);
    (void)read_frame();
#ifdef _OPENMP
    omp_set_num_threads(4);
    assert_int_equal(omp_get_max_threads(), 4);
#endif
    paint_wall(60);
    write_text("bold", "LZ1: +0012.38 m", 22, 150, 250, 255, -1);
    again = read_frame();
    assert_true(first.value_m == again.value_m && first.confidence == again.confidence);
    assert_string_equal(first.text, again.text);
#ifdef _OPENMP
    assert_int_equal(omp_get_max_threads(), 4); /* the caller's setting still stands */
#endif
}

static void failing_allocations(void **state)
{
    struct intra_counter_reading r;
    (void)state;
    paint_wall(60);
    write_text("bold", "12.38 m", 22, 150, 250, 255, -1);
    for (int n = 1; n < 200; n += 7) {
        struct intra_error err = {0};
        enum intra_status status;
        intra_mem_fail_at(n, 0);
        status = intra_counter_picture(counter, &frame, &r, &err);
        intra_mem_fail_at(0, 0);
        if (status == INTRA_OK) break;
        assert_int_equal(status, INTRA_E_MEM);
        assert_true(err.text[0] != 0);
    }
}

static int set_up(void **state)
{
    struct intra_error err = {0};
    (void)state;
    if (intra_sim_fonts_open(&fonts, &err) != INTRA_OK || intra_counter_create(&counter, &err) != INTRA_OK) {
        puts(err.text);
        return -1;
    }
    return intra_image_u8_init(&frame.y, ROWS, COLS, 1, NULL) ||
           intra_image_u8_init(&frame.u, ROWS / 2, COLS / 2, 1, NULL) ||
           intra_image_u8_init(&frame.v, ROWS / 2, COLS / 2, 1, NULL);
}

static int tear_down(void **state)
{
    (void)state;
    intra_counter_destroy(&counter);
    intra_sim_fonts_close(&fonts);
    intra_image_u8_fini(&frame.y);
    intra_image_u8_fini(&frame.u);
    intra_image_u8_fini(&frame.v);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(layouts_are_read), cmocka_unit_test(colour_on_colour),
                                       cmocka_unit_test(other_text_gives_nothing),
                                       cmocka_unit_test(same_for_any_threads_and_history),
                                       cmocka_unit_test(failing_allocations)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
