/* Proves: files cut off or with garbage in the middle still give frames, a damage count, rising numbers and times, and
 * the same pictures for every thread count; a size that changes mid-stream is scaled and counted; running out of memory
 * at any allocation, or of disk, is an error without a leak (with ASan) or a half-written file; closing early never
 * hangs, whatever the queue holds.
 * Does not prove: that any damage whatever is survived (that is a fuzzer's work). */
#include "made_video.h"

#include "core/fileio.h"
#include "core/image.h"
#include "core/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/* wants the four above first */
#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static struct made_seen seen, other;

static void check_rising(const char *what)
{
    for (int i = 1; i < seen.frames; i++)
        if (seen.index[i] <= seen.index[i - 1] || seen.pts_s[i] <= seen.pts_s[i - 1])
            fail_msg("%s: frame %d has number %lld, time %g", what, i, (long long)seen.index[i], seen.pts_s[i]);
}

static void check_same_for_threads(const char *path, int threads)
{
    struct intra_video_options options = intra_video_defaults();
    options.threads = threads;
    made_read(path, &options, &other);
    if (other.frames != seen.frames || other.counts.damaged != seen.counts.damaged ||
        memcmp(other.hash, seen.hash, sizeof seen.hash) || memcmp(other.index, seen.index, sizeof seen.index) ||
        memcmp(other.is_damaged, seen.is_damaged, sizeof seen.is_damaged) ||
        memcmp(other.is_repeat, seen.is_repeat, sizeof seen.is_repeat))
        fail_msg("%s: %d threads: %d frames, %lld damaged; 1 thread: %d, %lld", path, threads, other.frames,
                 (long long)other.counts.damaged, seen.frames, (long long)seen.counts.damaged);
}

static void read_with_one_thread(const char *path)
{
    struct intra_video_options options = intra_video_defaults();
    options.threads = 1;
    made_read(path, &options, &seen);
}

static const char *const files[][2] = {
    {"d.mkv", "h264"}, {"d.avi", "mjpeg"}, {"d.mpg", "mpeg2"}, {"e.mkv", "ffv1"}, {"e.avi", "h264"}};
#define FILES (sizeof files / sizeof files[0])

static void cut_off(void **state)
{
    (void)state;
    for (size_t k = 0; k < FILES; k++) {
        char whole[256], cut[256];
        snprintf(whole, sizeof whole, "%s", made_path(files[k][0]));
        snprintf(cut, sizeof cut, "%s/cut_%s", made_folder(), files[k][0]);
        made_drive(whole, files[k][1], 100);
        made_damage(whole, cut, 0.6, 0, 0);
        read_with_one_thread(cut);
        if (seen.end != INTRA_EOF || seen.frames < 35 || seen.frames > 70 || seen.counts.damaged < 1)
            fail_msg("%s: status %d, %d frames, %lld damaged", cut, seen.end, seen.frames,
                     (long long)seen.counts.damaged);
        check_rising(cut);
        check_same_for_threads(cut, 2);
        check_same_for_threads(cut, 4);
    }
}

/* MP4 keeps its table at the end: without it there is nothing to decode, and the message says so. */
static void cut_off_mp4(void **state)
{
    (void)state;
    made_drive(made_path("d.mp4"), "h264", 50);
    made_damage(made_path("d.mp4"), made_path("cut.mp4"), 0.6, 0, 0);
    made_read(made_path("cut.mp4"), NULL, &seen);
    assert_int_equal(seen.end, INTRA_E_FORMAT);
    assert_non_null(strstr(seen.error.text, "cut off"));
}

static void garbage_in_the_middle(void **state)
{
    (void)state;
    for (size_t k = 0; k < FILES; k++) {
        char whole[256], bad[256];
        snprintf(whole, sizeof whole, "%s", made_path(files[k][0]));
        snprintf(bad, sizeof bad, "%s/bad_%s", made_folder(), files[k][0]);
        made_drive(whole, files[k][1], 100);
        made_damage(whole, bad, 1.0, 4, 200);
        read_with_one_thread(bad);
        if (seen.end != INTRA_EOF || seen.frames < 60 || seen.frames > 100 || seen.counts.damaged < 1 ||
            seen.counts.damaged > 60)
            fail_msg("%s: status %d, %d frames, %lld damaged", bad, seen.end, seen.frames,
                     (long long)seen.counts.damaged);
        check_rising(bad);
        for (int threads = 2; threads < 6; threads++)
            check_same_for_threads(bad, threads);
    }
}

static void undamaged_same_for_threads(void **state)
{
    (void)state;
    for (size_t k = 0; k < FILES; k++) {
        made_drive(made_path(files[k][0]), files[k][1], 60);
        read_with_one_thread(made_path(files[k][0]));
        assert_int_equal(seen.frames, 60);
        assert_int_equal(seen.counts.damaged, 0);
        check_same_for_threads(made_path(files[k][0]), 2);
        check_same_for_threads(made_path(files[k][0]), 5);
    }
}

static void size_changes_mid_stream(void **state)
{
    char arguments[1024];
    (void)state;
    made_drive(made_path("big.mpg"), "mpeg2", 20);
    snprintf(arguments, sizeof arguments, "-i %s -vf scale=96:80 -c:v mpeg2video -q:v 2 %s", made_path("big.mpg"),
             made_path("small.mpg"));
    if (!made_ffmpeg(arguments)) skip();
    snprintf(arguments, sizeof arguments, "-i 'concat:%s|%s' -c copy -f mpeg2video %s", made_path("big.mpg"),
             made_path("small.mpg"), made_path("both.m2v"));
    made_ffmpeg(arguments);
    read_with_one_thread(made_path("both.m2v"));
    assert_int_equal(seen.end, INTRA_EOF);
    assert_in_range(seen.frames, 38, 40);
    assert_int_equal(seen.info.width, MADE_WIDTH);
    assert_in_range(seen.counts.damaged, 18, 22);
    assert_false(seen.is_damaged[5]);
    assert_true(seen.is_damaged[seen.frames - 2]);
    check_rising("both.m2v");
}

/* All that can run out of memory here, once through; the status of the first failure. */
static enum intra_status job(const char *video_path, const char *folder_path, const char *out_path)
{
    struct intra_video_writer_options options = {
        .width = MADE_WIDTH, .height = MADE_HEIGHT, .fps_num = 25, .fps_den = 1, .codec = "mpeg2"};
    struct intra_video_options in = intra_video_defaults();
    struct intra_video_writer *writer = NULL;
    struct intra_video *video = NULL;
    struct intra_frame *frame = NULL;
    static uint8_t pixels[MADE_HEIGHT * MADE_WIDTH * 3];
    const struct intra_view_u8 rgb = {pixels, MADE_HEIGHT, MADE_WIDTH, 3, MADE_WIDTH * 3};
    struct intra_error err = {0};
    enum intra_status status = INTRA_OK;
    char hex[65];
    const char *paths[2];
    paths[0] = video_path;
    paths[1] = folder_path;
    INTRA_TRY(intra_video_writer_open(out_path, &options, &writer, &err));
    INTRA_TRY(intra_video_writer_put(writer, &rgb, 0, &err));
    INTRA_TRY(intra_video_writer_close(&writer, &err));
    in.queue_frames = 2;
    for (int i = 0; i < 2; i++) {
        INTRA_TRY(intra_video_open(paths[i], &in, &video, &err));
        while ((status = intra_video_next(video, &frame, &err)) == INTRA_OK)
            intra_frame_release(&frame);
        if (status != INTRA_EOF) goto done;
        intra_video_close(&video);
    }
    INTRA_TRY(intra_file_sha256(folder_path, hex, &err));
done:
    if (status < 0) assert_true(err.text[0] != '\0');
    intra_video_close(&video);
    intra_video_writer_abandon(&writer);
    return status;
}

static void memory_runs_out_anywhere(void **state)
{
    char video[256], folder[256], out[256];
    struct intra_view_u8 image = {0};
    long before, total;
    (void)state;
    snprintf(video, sizeof video, "%s", made_path("mem.mp4"));
    snprintf(folder, sizeof folder, "%s", made_path("images"));
    snprintf(out, sizeof out, "%s", made_path("out.mpg"));
    made_drive(video, "h264", 12);
    assert_int_equal(mkdir(folder, 0777), 0);
    assert_int_equal(intra_image_u8_init(&image, 32, 32, 3, NULL), INTRA_OK);
    for (int i = 0; i < 3; i++) {
        char path[300];
        snprintf(path, sizeof path, "%s/%d.png", folder, i);
        memset(image.data, 40 * i, 32 * 32 * 3);
        assert_int_equal(intra_image_write_png(path, &image, NULL), INTRA_OK);
    }
    intra_image_u8_fini(&image);
    before = intra_mem_count();
    assert_int_equal(job(video, folder, out), INTRA_OK);
    total = intra_mem_count() - before;
    assert_true(total > 20);
    for (long n = 1; n <= total; n++) {
        enum intra_status status;
        unlink(out);
        intra_mem_fail_at(n, n % 2);
        status = job(video, folder, out);
        intra_mem_fail_at(0, 0);
        /* How many frames the pool makes depends on who is faster: the last few calls may not come at all. */
        if (status != INTRA_E_MEM && n < total - 12) fail_msg("allocation %ld of %ld: status %d", n, total, status);
        if (n <= 1) assert_false(intra_path_exists(out));
    }
}

static void disk_full(void **state)
{
    struct rlimit old, small;
    struct intra_video_writer *writer;
    struct intra_view_u8 rgb = {0};
    struct intra_error err = {0};
    enum intra_status status = INTRA_OK, closed;
    (void)state;
    assert_int_equal(intra_image_u8_init(&rgb, MADE_HEIGHT, MADE_WIDTH, 3, NULL), INTRA_OK);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    small.rlim_cur = 100000;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    writer = made_writer(made_path("full.mkv"), "ffv1", 0, false);
    for (int i = 0; i < 50 && status == INTRA_OK; i++) {
        struct made_picture p = {.shift_px = i, .shift_low_px = i, .noise_sigma = 9, .noise_frame = i};
        made_draw(&p, &rgb);
        status = intra_video_writer_put(writer, &rgb, i, &err);
    }
    closed = intra_video_writer_close(&writer, &err);
    setrlimit(RLIMIT_FSIZE, &old);
    signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(closed, INTRA_E_IO);
    assert_non_null(strstr(err.text, "full.mkv"));
    assert_false(intra_path_exists(made_path("full.mkv")));
    assert_false(intra_path_exists(made_path("full.mkv.part")));
    intra_image_u8_fini(&rgb);
}

static void early_close(void **state)
{
    (void)state;
    made_drive(made_path("early.mp4"), "h264", 60);
    for (int round = 0; round < 24; round++) {
        struct intra_video_options options = intra_video_defaults();
        struct intra_video *video = NULL;
        struct intra_frame *frames[6] = {NULL};
        int taken = round % 6;
        options.queue_frames = 1 + round % 3;
        options.threads = 1 + round % 4;
        assert_int_equal(intra_video_open(made_path("early.mp4"), &options, &video, NULL), INTRA_OK);
        for (int i = 0; i < taken; i++)
            assert_int_equal(intra_video_next(video, &frames[i], NULL), INTRA_OK);
        if (round % 2) usleep(20000); /* the queue is full and the producer waits */
        intra_video_close(&video);
        assert_null(video);
        for (int i = 0; i < taken; i++) { /* still ours */
            assert_int_equal(frames[i]->index, i);
            for (int y = 0; y < frames[i]->y.rows; y++)
                assert_true(intra_row_u8(&frames[i]->y, y)[0] > 5);
            intra_frame_release(&frames[i]);
        }
    }
}

static void held_frames_are_bounded(void **state)
{
    struct intra_video_options options = intra_video_defaults();
    struct intra_video *video = NULL;
    struct intra_frame *frames[120] = {NULL};
    enum intra_status status = INTRA_OK;
    struct intra_error err = {0};
    int n = 0;
    (void)state;
    made_drive(made_path("held.mp4"), "h264", 120);
    options.queue_frames = 4;
    assert_int_equal(intra_video_open(made_path("held.mp4"), &options, &video, NULL), INTRA_OK);
    while (n < 120 && (status = intra_video_next(video, &frames[n], &err)) == INTRA_OK)
        n++;
    assert_int_equal(status, INTRA_E_ARG); /* refused, not stuck */
    assert_true(n >= 4 + 64);
    for (int i = 0; i < n; i++)
        intra_frame_release(&frames[i]);
    for (status = INTRA_OK; status == INTRA_OK; n++) { /* and it goes on after that */
        struct intra_frame *frame = NULL;
        status = intra_video_next(video, &frame, &err);
        intra_frame_release(&frame);
    }
    assert_int_equal(status, INTRA_EOF);
    assert_int_equal(n - 1, 120);
    intra_video_close(&video);
}

static int clean(void **state)
{
    (void)state;
    made_cleanup();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(cut_off, clean),
        cmocka_unit_test_teardown(cut_off_mp4, clean),
        cmocka_unit_test_teardown(garbage_in_the_middle, clean),
        cmocka_unit_test_teardown(undamaged_same_for_threads, clean),
        cmocka_unit_test_teardown(size_changes_mid_stream, clean),
        cmocka_unit_test_teardown(memory_runs_out_anywhere, clean),
        cmocka_unit_test_teardown(disk_full, clean),
        cmocka_unit_test_teardown(early_close, clean),
        cmocka_unit_test_teardown(held_frames_are_bounded, clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
