/* Proves, where ../shared/real is present: on the single pictures of many pipes and overlay layouts every reading given
 * is the number in the picture (read by eye; not always the record's), and most pictures give one; the pictures of one
 * run give theirs as a folder; of the push-rod clip no reading given is far from the way the counter went. Does not
 * prove the unit where none is printed. */
#include "recon/counter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/* wants the four above first */
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <unistd.h>

enum { LEAST_GIVEN = 26 }; /* of 29; 27 on the machine of the bench, and Tesseract has code for several CPUs */
#define REAL INTRA_TEST_SHARED "/real/"

static void read_picture(struct intra_counter *counter, const char *path, struct intra_counter_reading *out)
{
    struct intra_video_options options = intra_video_defaults();
    struct intra_video *video = NULL;
    struct intra_frame *frame = NULL;
    options.deinterlace = INTRA_DEINTERLACE_OFF;
    assert_int_equal(intra_video_open(path, &options, &video, NULL), INTRA_OK);
    assert_int_equal(intra_video_next(video, &frame, NULL), INTRA_OK);
    assert_int_equal(intra_counter_picture(counter, frame, out, NULL), INTRA_OK);
    intra_frame_release(&frame);
    intra_video_close(&video);
}

static void stills(void **state)
{
    static const struct {
        int number;
        double metres;
    } truth[] = {{0, 4.70},   {2, 4.60},   {4, 2.95},    {6, 1.70},   {8, 1.00},   {10, 0.0},   {12, 5.90},  {14, 0.70},
                 {16, 32.9},  {18, 10.10}, {20, 5.62},   {22, 6.90},  {24, 10.28}, {26, 2.66},  {28, 65.15}, {30, 0.00},
                 {34, 0.00},  {36, 0.70},  {38, 109.31}, {40, 3.20},  {42, 1.50},  {44, 69.86}, {46, 11.30}, {48, 2.49},
                 {50, 19.65}, {52, 3.80},  {54, 99.99},  {56, 14.54}, {58, 17.55}};
    const int n = (int)(sizeof truth / sizeof truth[0]);
    struct intra_counter *counter = NULL;
    int given = 0;
    (void)state;
    assert_int_equal(intra_counter_create(&counter, NULL), INTRA_OK);
    for (int i = 0; i < n; i++) {
        struct intra_counter_reading r;
        char path[600];
        snprintf(path, sizeof path, REAL "counter/still_%02d.png", truth[i].number);
        read_picture(counter, path, &r);
        if (isnan(r.value_m)) continue;
        given++;
        if (fabs(r.value_m - truth[i].metres) > 1e-6) fail_msg("%s: '%s' read as %g m", path, r.text, r.value_m);
    }
    printf("%d of %d pictures read\n", given, n);
    assert_true(given >= LEAST_GIVEN);
    intra_counter_destroy(&counter);
}

static int64_t read_video(const char *path, struct intra_counter *counter, const struct intra_counter_reading **out)
{
    struct intra_video_options options = intra_video_defaults();
    struct intra_video *video = NULL;
    struct intra_frame *frame = NULL;
    int64_t n;
    assert_int_equal(intra_counter_learn(counter, path, &options, NULL), INTRA_OK);
    assert_int_equal(intra_video_open(path, &options, &video, NULL), INTRA_OK);
    while (intra_video_next(video, &frame, NULL) == INTRA_OK) {
        assert_int_equal(intra_counter_frame(counter, frame, NULL), INTRA_OK);
        intra_frame_release(&frame);
    }
    intra_video_close(&video);
    assert_int_equal(intra_counter_finish(counter, NULL), INTRA_OK);
    *out = intra_counter_readings(counter, &n);
    return n;
}

static void run_of_pictures(void **state)
{
    static const double truth[] = {5.87, 5.87, 6.07, 6.08, 6.08, 6.08, 6.08, 6.30,
                                   6.30, 6.38, 6.39, 6.39, 6.39, 6.54, 6.56};
    const struct intra_counter_reading *r;
    struct intra_counter *counter = NULL;
    int64_t n;
    (void)state;
    assert_int_equal(intra_counter_create(&counter, NULL), INTRA_OK);
    n = read_video(REAL "cctv_run", counter, &r);
    assert_int_equal(n, 15);
    for (int64_t i = 0; i < n; i++)
        assert_true(fabs(r[i].value_m - truth[i]) < 1e-6);
    intra_counter_destroy(&counter);
}

static void pushrod(void **state)
{
    const struct intra_counter_reading *r;
    struct intra_counter *counter = NULL;
    int64_t n;
    int given = 0;
    (void)state;
    assert_int_equal(intra_counter_create(&counter, NULL), INTRA_OK);
    n = read_video(REAL "pushrod_roots_pullback.mp4", counter, &r);
    for (int64_t i = 0; i < n; i++) {
        double about = r[i].time_s < 2 ? 23.03 : 23.03 - (r[i].time_s - 2) * 0.76 / 6.5; /* by eye, within 15 cm */
        if (isnan(r[i].value_m)) continue;
        given++;
        if (fabs(r[i].value_m - about) > 0.15) fail_msg("%.2f s: '%s' is %g m", r[i].time_s, r[i].text, r[i].value_m);
    }
    printf("%d of %lld frames of the push-rod clip read\n", given, (long long)n);
    assert_true(given >= 8);
    intra_counter_destroy(&counter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(stills), cmocka_unit_test(run_of_pictures),
                                       cmocka_unit_test(pushrod)};
    if (access(REAL "counter", R_OK) != 0) {
        puts("skipped: no ../shared/real beside the checkout");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
