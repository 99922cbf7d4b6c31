/* Proves: what the writer wrote the reader gives back, in colour, time and number, for every codec; variable frame
 * rate, windows, key frames; interlaced pictures are deinterlaced whether flagged or not, progressive ones never;
 * repeats are told from a still camera; image folders in number order; each kind of bad input has its own message; the
 * writer's bytes do not depend on the machine's cores. Does not prove: anything about damaged files (test_video_faults)
 * or real footage (test_video_real). */
#include "made_video.h"

#include "core/fileio.h"
#include "core/image.h"
#include "core/mem.h"
#include "core/video_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/* wants the four above first */
#include <cmocka.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct made_seen seen; /* large: not on the stack */

struct kind {
    const char *file, *codec;
    bool is_interlaced;
    double colour_tolerance; /* grey levels */
    double time_tolerance;   /* seconds */
};
static const struct kind kinds[] = {
    {"a.mp4", "h264", false, 4, 1e-6},  {"a.mkv", "h264", false, 4, 6e-4},  {"a.avi", "h264", false, 4, 1e-6},
    {"i.mp4", "h264", true, 4, 1e-6},   {"a.mpg", "mpeg2", false, 4, 1e-4}, {"i.mpg", "mpeg2", true, 4, 1e-4},
    {"m.mkv", "mpeg2", false, 4, 6e-4}, {"j.avi", "mjpeg", false, 4, 1e-6}, {"f.mkv", "ffv1", false, 2, 6e-4},
    {"f.avi", "ffv1", false, 2, 1e-6},
};
#define KINDS (sizeof kinds / sizeof kinds[0])

static const uint8_t patch_colours[6][3] = {{255, 0, 0},     {0, 255, 0},     {0, 0, 255},
                                            {255, 255, 255}, {128, 128, 128}, {20, 60, 40}};

/* Six patches of 64x80. */
static void draw_patches(struct intra_view_u8 *rgb)
{
    for (int y = 0; y < rgb->rows; y++)
        for (int x = 0; x < rgb->cols; x++)
            memcpy(intra_row_u8(rgb, y) + 3 * x, patch_colours[x / 64 + 3 * (y / 80)], 3);
}

static double clamp(double v)
{
    return v < 0 ? 0 : v > 255 ? 255 : v;
}

/* The middle of each patch, by the header's formula. */
static void check_patches(const struct intra_frame *f, double tolerance, const char *what)
{
    for (int k = 0; k < 6; k++) {
        int x = 32 + 64 * (k % 3), y = 40 + 80 * (k / 3);
        double l = intra_row_u8(&f->y, y)[x];
        double u = intra_row_u8(&f->u, y / 2)[x / 2] - 128.0, v = intra_row_u8(&f->v, y / 2)[x / 2] - 128.0;
        double rgb[3] = {clamp(l + 1.402 * v), clamp(l - 0.344136 * u - 0.714136 * v), clamp(l + 1.772 * u)};
        for (int c = 0; c < 3; c++)
            if (fabs(rgb[c] - patch_colours[k][c]) > tolerance)
                fail_msg("%s: patch %d: got %.0f %.0f %.0f, want %d %d %d", what, k, rgb[0], rgb[1], rgb[2],
                         patch_colours[k][0], patch_colours[k][1], patch_colours[k][2]);
    }
}

/* The third frame of the file: by then an encoder has settled. */
static void check_patch_file(const char *path, double tolerance)
{
    struct intra_video_options options = intra_video_defaults();
    struct intra_video *video = NULL;
    struct intra_error err = {0};
    int n = 0;
    if (intra_video_open(path, &options, &video, &err) != INTRA_OK) fail_msg("%s", err.text);
    for (;;) {
        struct intra_frame *frame = NULL;
        if (intra_video_next(video, &frame, &err) != INTRA_OK) break;
        if (n++ == 2) check_patches(frame, tolerance, path);
        intra_frame_release(&frame);
    }
    assert_true(n >= 3);
    intra_video_close(&video);
}

static void write_patches(const char *path, const char *codec, bool is_interlaced)
{
    struct intra_video_writer *writer = made_writer(path, codec, 0, is_interlaced);
    struct intra_view_u8 rgb = {0};
    struct intra_error err = {0};
    assert_int_equal(intra_image_u8_init(&rgb, MADE_HEIGHT, MADE_WIDTH, 3, NULL), INTRA_OK);
    draw_patches(&rgb);
    for (int i = 0; i < 6; i++)
        if (intra_video_writer_put(writer, &rgb, i, &err) != INTRA_OK) fail_msg("%s", err.text);
    made_close(&writer);
    intra_image_u8_fini(&rgb);
}

static void colours_round_trip(void **state)
{
    (void)state;
    for (size_t k = 0; k < KINDS; k++) {
        write_patches(made_path(kinds[k].file), kinds[k].codec, kinds[k].is_interlaced);
        check_patch_file(made_path(kinds[k].file), kinds[k].colour_tolerance);
    }
}

/* Opening with what an earlier look found gives the same as looking again, for every kind of file. */
static void opened_with_a_probe(void **state)
{
    (void)state;
    for (size_t k = 0; k < KINDS; k++) {
        const char *path = made_path(kinds[k].file);
        struct intra_video_options options = intra_video_defaults();
        struct intra_video_probe probe, copy;
        static struct made_seen looked, told;
        if (kinds[k].is_interlaced)
            write_patches(path, kinds[k].codec, true);
        else
            made_drive(path, kinds[k].codec, 12);
        made_read(path, &options, &looked);
        assert_int_equal(intra_video_look(path, &options, &probe, NULL), INTRA_OK);
        assert_int_equal(probe.info.width, MADE_WIDTH);
        assert_string_equal(probe.info.codec, looked.info.codec);
        options.probe = &probe;
        assert_int_equal(intra_video_look(path, &options, &copy, NULL), INTRA_OK);
        assert_int_equal(copy.deinterlacing, probe.deinterlacing);
        made_read(path, &options, &told);
        assert_int_equal(told.end, INTRA_EOF);
        assert_int_equal(told.frames, looked.frames);
        assert_int_equal(told.info.is_interlaced, looked.info.is_interlaced);
        assert_memory_equal(told.hash, looked.hash, sizeof told.hash);
        assert_memory_equal(told.pts_s, looked.pts_s, sizeof told.pts_s);
        assert_memory_equal(told.is_repeat, looked.is_repeat, sizeof told.is_repeat);
    }
}

/* Other matrices, ranges, depths and layouts, coded by ffmpeg from the lossless patches. */
static void colours_of_other_formats(void **state)
{
    static const char *const codings[] = {
        "-vf scale=out_color_matrix=bt709,format=yuv420p -colorspace bt709 -color_range tv -c:v libx264 -crf 1",
        "-vf scale=out_color_matrix=bt709:out_range=full,format=yuv420p -colorspace bt709 -color_range pc -c:v libx264 "
        "-crf 1",
        "-vf scale=out_color_matrix=bt709,format=yuv422p -colorspace bt709 -color_range tv -c:v libx264 -crf 1",
        "-vf scale=out_color_matrix=bt601,format=yuv420p10 -colorspace smpte170m -c:v libx264 -crf 1",
        "-vf scale=out_color_matrix=bt601,format=yuv444p -colorspace smpte170m -c:v ffv1",
        "-vf scale=out_color_matrix=bt601:out_range=full,format=yuvj422p -c:v mjpeg -q:v 1",
        "-vf format=bgr24 -c:v rawvideo",
        "-vf format=rgb24 -c:v png",
    };
    (void)state;
    write_patches(made_path("patches.mkv"), "ffv1", false);
    for (size_t k = 0; k < sizeof codings / sizeof codings[0]; k++) {
        char arguments[1024], out[256];
        snprintf(out, sizeof out, "%s", made_path("other.mkv"));
        if (k == 6) snprintf(out, sizeof out, "%s", made_path("other.avi")); /* AVI: upside down in memory */
        snprintf(arguments, sizeof arguments, "-i %s %s %s", made_path("patches.mkv"), codings[k], out);
        if (!made_ffmpeg(arguments)) skip();
        check_patch_file(out, 4);
    }
}

static void grey_has_no_colour(void **state)
{
    static const char *const formats[] = {"gray", "gray10le", "gray16le"};
    struct intra_video_options options = intra_video_defaults();
    (void)state;
    write_patches(made_path("patches.mkv"), "ffv1", false);
    for (int k = 0; k < 3; k++) {
        struct intra_video *video = NULL;
        struct intra_frame *frame = NULL;
        char arguments[1024];
        snprintf(arguments, sizeof arguments, "-i %s -vf format=%s -c:v ffv1 -level 3 %s", made_path("patches.mkv"),
                 formats[k], made_path("grey.mkv"));
        if (!made_ffmpeg(arguments)) skip();
        assert_int_equal(intra_video_open(made_path("grey.mkv"), &options, &video, NULL), INTRA_OK);
        assert_int_equal(intra_video_next(video, &frame, NULL), INTRA_OK);
        for (int i = 0; i < 6; i++) {
            int x = 32 + 64 * (i % 3), y = 40 + 80 * (i / 3);
            const uint8_t *c = patch_colours[i];
            double want = 0.299 * c[0] + 0.587 * c[1] + 0.114 * c[2];
            assert_true(fabs(intra_row_u8(&frame->y, y)[x] - want) <= 2.0);
            assert_int_equal(intra_row_u8(&frame->u, y / 2)[x / 2], 128);
            assert_int_equal(intra_row_u8(&frame->v, y / 2)[x / 2], 128);
        }
        intra_frame_release(&frame);
        intra_video_close(&video);
    }
}

static void times_and_numbers(void **state)
{
    (void)state;
    for (size_t k = 0; k < KINDS; k++) {
        const char *path = made_path(kinds[k].file);
        if (kinds[k].is_interlaced) continue; /* a progressive drive would be deinterlaced for nothing */
        made_drive(path, kinds[k].codec, 30);
        made_read(path, NULL, &seen);
        assert_int_equal(seen.end, INTRA_EOF);
        if (seen.frames != 30) fail_msg("%s: %d frames", path, seen.frames);
        for (int i = 0; i < 30; i++) {
            assert_int_equal(seen.index[i], i);
            assert_false(seen.is_repeat[i] || seen.is_damaged[i]);
            if (fabs(seen.pts_s[i] - i / 25.0) > kinds[k].time_tolerance)
                fail_msg("%s: frame %d at %.6f s", path, i, seen.pts_s[i]);
        }
        assert_int_equal(seen.info.width, MADE_WIDTH);
        assert_int_equal(seen.info.height, MADE_HEIGHT);
        assert_true(fabs(seen.info.fps - 25.0) < 0.01);
        assert_false(seen.info.is_interlaced || seen.info.is_image_folder);
        assert_true(seen.info.pixel_aspect == 1.0);
        assert_int_equal(seen.counts.decoded, 30);
        assert_int_equal(seen.counts.damaged + seen.counts.repeated, 0);
    }
}

static void variable_frame_rate(void **state)
{
    static const int64_t times[] = {0, 1, 2, 5, 6, 10, 11, 30, 31, 33, 60};
    enum { N = sizeof times / sizeof times[0] };
    struct intra_video_writer *writer = made_writer(made_path("vfr.mp4"), "h264", 0, false);
    (void)state;
    for (int i = 0; i < N; i++) {
        struct made_picture p = {.shift_px = 3.0 * i, .shift_low_px = 3.0 * i};
        made_put(writer, &p, times[i]);
    }
    made_close(&writer);
    made_read(made_path("vfr.mp4"), NULL, &seen);
    assert_int_equal(seen.frames, N);
    for (int i = 0; i < N; i++)
        assert_true(fabs(seen.pts_s[i] - (double)times[i] / 25.0) < 1e-6);
}

/* A bare stream has no times at all. */
static void missing_times_are_counted_on(void **state)
{
    (void)state;
    made_drive(made_path("bare.mpg"), "mpeg2", 30);
    char arguments[600];
    snprintf(arguments, sizeof arguments, "-i %s -c copy -f mpeg2video %s", made_path("bare.mpg"),
             made_path("bare.m2v"));
    if (!made_ffmpeg(arguments)) skip();
    made_read(made_path("bare.m2v"), NULL, &seen);
    assert_int_equal(seen.frames, 30);
    for (int i = 0; i < 30; i++)
        assert_true(fabs(seen.pts_s[i] - i / 25.0) < 1e-3);
}

static void window_keeps_numbers_and_pictures(void **state)
{
    static struct made_seen whole;
    struct intra_video_options options = intra_video_defaults();
    (void)state;
    made_drive(made_path("window.mp4"), "h264", 100);
    made_read(made_path("window.mp4"), NULL, &whole);
    assert_int_equal(whole.frames, 100);
    options.from_s = 1.0;
    options.to_s = 2.0;
    made_read(made_path("window.mp4"), &options, &seen);
    assert_int_equal(seen.end, INTRA_EOF);
    assert_int_equal(seen.frames, 25);
    for (int i = 0; i < 25; i++) {
        assert_int_equal(seen.index[i], 25 + i);
        assert_true(seen.hash[i] == whole.hash[25 + i] && seen.pts_s[i] == whole.pts_s[25 + i]);
    }
    options.from_s = 50.0;
    options.to_s = 0.0;
    made_read(made_path("window.mp4"), &options, &seen);
    assert_int_equal(seen.end, INTRA_EOF);
    assert_int_equal(seen.frames, 0);
}

/* Each key frame is the picture that the whole film has at that time. */
static void keyframes_only(void **state)
{
    static const char *const files[][2] = {{"key.mp4", "h264"}, {"key.mpg", "mpeg2"}};
    static struct made_seen whole;
    struct intra_video_options options = intra_video_defaults();
    (void)state;
    options.keyframes_only = true;
    for (int k = 0; k < 2; k++) {
        int at = 0;
        made_drive(made_path(files[k][0]), files[k][1], 250);
        made_read(made_path(files[k][0]), NULL, &whole);
        made_read(made_path(files[k][0]), &options, &seen);
        assert_int_equal(whole.frames, 250);
        assert_in_range(seen.frames, 3, 60);
        for (int i = 0; i < seen.frames; i++) {
            while (at < 250 && whole.pts_s[at] < seen.pts_s[i] - 1e-4)
                at++;
            assert_true(at < 250 && whole.hash[at] == seen.hash[i]);
            assert_int_equal(seen.index[i], i);
        }
        assert_true(seen.pts_s[0] == 0.0 && seen.pts_s[seen.frames - 1] >= 8.0);
    }
}

/* What is left are pictures of the whole film at their times; B-frames are not among them. */
static void references_only(void **state)
{
    static struct made_seen whole;
    struct intra_video_options options = intra_video_defaults();
    int at = 0;
    (void)state;
    options.references_only = true;
    made_drive(made_path("ref.mp4"), "h264", 250);
    made_read(made_path("ref.mp4"), NULL, &whole);
    made_read(made_path("ref.mp4"), &options, &seen);
    assert_int_equal(whole.frames, 250);
    assert_in_range(seen.frames, 60, 200);
    for (int i = 0; i < seen.frames; i++) {
        while (at < 250 && whole.pts_s[at] < seen.pts_s[i] - 1e-4)
            at++;
        assert_true(at < 250 && whole.hash[at] == seen.hash[i]);
    }
}

/* The lower field is half a frame step ahead (top first) or behind (lower first). */
static void write_fields(const char *path, const char *codec, bool is_flagged, double field_px, int frames)
{
    struct intra_video_writer *writer = made_writer(path, codec, 0, is_flagged);
    for (int i = 0; i < frames; i++) {
        struct made_picture p = {.shift_px = 4.0 * i, .shift_low_px = 4.0 * i + field_px};
        made_put(writer, &p, i);
    }
    made_close(&writer);
}

static void interlaced_flagged_or_not(void **state)
{
    static const struct {
        const char *file, *codec;
        bool is_flagged;
        double field_px;
        bool is_interlaced;
    } cases[] = {
        {"f1.mpg", "mpeg2", true, 2, true},  {"f2.mp4", "h264", true, 2, true},   {"u1.mp4", "h264", false, 2, true},
        {"u2.mkv", "ffv1", false, 2, true},  {"u3.mpg", "mpeg2", false, 2, true}, {"u4.mp4", "h264", false, -2, true},
        {"p1.mp4", "h264", false, 0, false}, {"p2.mkv", "ffv1", false, 0, false},
    };
    struct intra_video_options off = intra_video_defaults();
    (void)state;
    off.deinterlace = INTRA_DEINTERLACE_OFF;
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        const char *path = made_path(cases[k].file);
        write_fields(path, cases[k].codec, cases[k].is_flagged, cases[k].field_px, 30);
        made_read(path, NULL, &seen);
        assert_int_equal(seen.frames, 30);
        if (seen.info.is_interlaced != cases[k].is_interlaced || seen.combed != 0)
            fail_msg("%s: interlaced %d, %d frames combed", path, seen.info.is_interlaced, seen.combed);
        for (int i = 0; i < 30; i++)
            assert_int_equal(seen.index[i], i);
        assert_true(fabs(seen.pts_s[29] - 29 / 25.0) < 1e-3);
        made_read(path, &off, &seen);
        assert_int_equal(seen.combed > 25, cases[k].is_interlaced); /* the comb is really in the file */
        assert_false(seen.info.is_interlaced);
    }
}

/* A title page of two and a half seconds shows no comb; the drive after it does. */
static void combing_found_later(void **state)
{
    struct intra_video_writer *writer = made_writer(made_path("late.mp4"), "h264", 0, false);
    (void)state;
    for (int i = 0; i < 90; i++) {
        double shift = i < 60 ? 0.0 : 4.0 * (i - 60);
        struct made_picture p = {.shift_px = shift, .shift_low_px = shift + (i < 60 ? 0.0 : 2.0)};
        made_put(writer, &p, i);
    }
    made_close(&writer);
    made_read(made_path("late.mp4"), NULL, &seen);
    assert_int_equal(seen.frames, 90);
    assert_true(seen.info.is_interlaced);
    assert_in_range(seen.combed, 1, 12); /* those before it was sure */
}

/* Every third picture twice, coded with loss; then a camera that stands still, with grain. */
static void repeats_and_still_camera(void **state)
{
    static const char *const files[][2] = {
        {"r.mp4", "h264"}, {"r.mpg", "mpeg2"}, {"r.avi", "mjpeg"}, {"r.mkv", "ffv1"}};
    (void)state;
    for (int k = 0; k < 4; k++) {
        struct intra_video_writer *writer = made_writer(made_path(files[k][0]), files[k][1], 0, false);
        bool is_repeat[120] = {false};
        int missed = 0, scene = 0;
        for (int i = 0; i < 120; i++) {
            is_repeat[i] = i < 60 && i % 3 == 2;
            if (i > 0 && !is_repeat[i]) scene++;
            double shift = 3.0 * (i < 60 ? scene : 40);
            struct made_picture p = {.shift_px = shift, .shift_low_px = shift, .noise_sigma = 3, .noise_frame = scene};
            made_put(writer, &p, i);
        }
        made_close(&writer);
        made_read(made_path(files[k][0]), NULL, &seen);
        assert_int_equal(seen.frames, 120);
        for (int i = 0; i < 120; i++) {
            if (seen.is_repeat[i] && !is_repeat[i]) fail_msg("%s: frame %d is no repeat", files[k][0], i);
            missed += is_repeat[i] && !seen.is_repeat[i] && i > 8; /* the first few: nothing known of the stream yet */
        }
        if (missed > 0) fail_msg("%s: %d repeats missed", files[k][0], missed);
        assert_in_range(seen.counts.repeated, 17, 20);
    }
}

static void write_grey_png(const char *path, int rows, int cols, uint8_t level)
{
    struct intra_view_u8 image = {0};
    assert_int_equal(intra_image_u8_init(&image, rows, cols, 3, NULL), INTRA_OK);
    for (int y = 0; y < rows; y++)
        memset(intra_row_u8(&image, y), level, (size_t)cols * 3);
    assert_int_equal(intra_image_write_png(path, &image, NULL), INTRA_OK);
    intra_image_u8_fini(&image);
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void write_grey_jpeg(const char *path, int rows, int cols, uint8_t level)
{
    struct intra_view_u8 image = {0};
    uint8_t *bytes = NULL;
    size_t size = 0;
    FILE *file;
    assert_int_equal(intra_image_u8_init(&image, rows, cols, 3, NULL), INTRA_OK);
    for (int y = 0; y < rows; y++)
        memset(intra_row_u8(&image, y), level, (size_t)cols * 3);
    assert_int_equal(intra_image_encode_jpeg(&image, 90, &bytes, &size, NULL), INTRA_OK);
    file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    intra_free(bytes);
    intra_image_u8_fini(&image);
}

static void image_folder_in_number_order(void **state)
{
    struct intra_video_options options = intra_video_defaults();
    char dir[200];
    (void)state;
    snprintf(dir, sizeof dir, "%s", made_path("images"));
    assert_int_equal(mkdir(dir, 0777), 0);
    for (int i = 1; i <= 12; i++) {
        char path[256];
        snprintf(path, sizeof path, "%s/img%d.%s", dir, i, i == 7 || i == 8 ? "JPG" : "png");
        if (i == 5)
            write_text(path, "this is no image");
        else if (i == 7 || i == 8)
            write_grey_jpeg(path, 48, 64, (uint8_t)(i * 10));
        else
            write_grey_png(path, i == 10 ? 60 : 48, i == 10 ? 80 : 64, (uint8_t)(i * 10));
    }
    write_text(made_path("images/notes.txt"), "not to be read");
    options.image_fps = 10;
    made_read(dir, &options, &seen);
    assert_int_equal(seen.end, INTRA_EOF);
    assert_true(seen.info.is_image_folder);
    assert_int_equal(seen.info.frames_estimated, 12);
    assert_int_equal(seen.frames, 11);
    for (int k = 0; k < 11; k++) {
        int i = k < 4 ? k : k + 1; /* img5 is missing, and keeps its number */
        assert_int_equal(seen.index[k], i);
        assert_true(fabs(seen.pts_s[k] - i / 10.0) < 1e-12);
        if (fabs(seen.mean_luma[k] - (i + 1) * 10.0) > 1.0) fail_msg("image %d: grey %g", i + 1, seen.mean_luma[k]);
        assert_int_equal(seen.is_damaged[k], i + 1 == 10);
    }
    assert_int_equal(seen.counts.damaged, 2);
}

static void bad_inputs_have_their_own_message(void **state)
{
    static struct {
        const char *file;
        enum intra_status status;
        const char *words;
    } cases[] = {
        {"missing.mp4", INTRA_E_IO, "no such file"},     {"empty.mp4", INTRA_E_FORMAT, "is empty"},
        {"text.txt", INTRA_E_FORMAT, "a text"},          {"text.mp4", INTRA_E_FORMAT, "not a video"},
        {"nothing", INTRA_E_FORMAT, "no images"},        {"pipe", INTRA_E_IO, "pipe or device"},
        {"sound.wav", INTRA_E_FORMAT, "sound only"},     {"broken", INTRA_E_FORMAT, "not one frame"},
        {"nodata.avi", INTRA_E_FORMAT, "not one frame"},
    };
    char text[4000];
    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    write_text(made_path("empty.mp4"), "");
    write_text(made_path("text.txt"), text);
    write_text(made_path("text.mp4"), text);
    assert_int_equal(mkdir(made_path("nothing"), 0777), 0);
    assert_int_equal(mkdir(made_path("broken"), 0777), 0);
    write_text(made_path("broken/img1.png"), "no image");
    assert_int_equal(mkfifo(made_path("pipe"), 0666), 0);
    { /* a WAV header and silence */
        static const uint8_t head[44] = {
            'R', 'I',  'F',  'F', 0x24, 0x20, 0,    0, 'W', 'A', 'V', 'E', 'f', 'm', 't', ' ', 16,  0, 0,    0, 1, 0, 1,
            0,   0x40, 0x1f, 0,   0,    0x80, 0x3e, 0, 0,   2,   0,   16,  0,   'd', 'a', 't', 'a', 0, 0x20, 0, 0};
        static const uint8_t silence[0x2000];
        FILE *file = fopen(made_path("sound.wav"), "wb");
        assert_non_null(file);
        fwrite(head, 1, sizeof head, file);
        fwrite(silence, 1, sizeof silence, file);
        assert_int_equal(fclose(file), 0);
    }
    made_drive(made_path("whole.avi"), "mjpeg", 10);
    made_damage(made_path("whole.avi"), made_path("nodata.avi"),
                5700.0 / (double)made_file_size(made_path("whole.avi")), 0,
                0); /* the header and the beginning of the first picture */
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        made_read(made_path(cases[k].file), NULL, &seen);
        if (seen.end != cases[k].status || !strstr(seen.error.text, cases[k].words) ||
            !strstr(seen.error.text, cases[k].file) || !strchr(seen.error.text, ';'))
            fail_msg("%s: status %d, '%s'", cases[k].file, seen.end, seen.error.text);
    }
}

static void unreadable_file(void **state)
{
    (void)state;
    if (geteuid() == 0) skip(); /* root reads everything */
    write_text(made_path("locked.mp4"), "x");
    assert_int_equal(chmod(made_path("locked.mp4"), 0), 0);
    made_read(made_path("locked.mp4"), NULL, &seen);
    assert_int_equal(seen.end, INTRA_E_IO);
    assert_non_null(strstr(seen.error.text, "permissions"));
}

static void bad_options(void **state)
{
    struct intra_video *video = NULL;
    (void)state;
    made_drive(made_path("o.mp4"), "h264", 3);
    for (int k = 0; k < 6; k++) {
        struct intra_video_options o = intra_video_defaults();
        if (k == 0) o.from_s = NAN;
        if (k == 1) o.from_s = -1;
        if (k == 2) o.from_s = 5, o.to_s = 4;
        if (k == 3) o.queue_frames = 0;
        if (k == 4) o.threads = -1;
        if (k == 5) o.image_fps = 0;
        assert_int_equal(intra_video_open(made_path("o.mp4"), &o, &video, NULL), INTRA_E_ARG);
        assert_null(video);
    }
}

static void writer_refuses(void **state)
{
    static const struct {
        const char *file, *codec;
        int width, height, fps;
        bool is_interlaced;
    } cases[] = {
        {"w.mp4", "theora", 64, 64, 25, false}, {"w.xyz", "h264", 64, 64, 25, false},
        {"w", "h264", 64, 64, 25, false},       {"w.mp4", "h264", 63, 64, 25, false},
        {"w.mp4", "h264", 64, 64, 0, false},    {"w.mkv", "ffv1", 64, 64, 25, true},
        {"w.mkv", "h264", 64, 62, 25, true},    {"w.mpg", "mpeg2", 64, 64, 7, false},
        {"w.mp4", "ffv1", 64, 64, 25, false},
    };
    struct intra_video_writer *writer = NULL;
    struct intra_error err = {0};
    (void)state;
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        struct intra_video_writer_options o = {.width = cases[k].width,
                                               .height = cases[k].height,
                                               .fps_num = cases[k].fps,
                                               .fps_den = 1,
                                               .codec = cases[k].codec,
                                               .is_interlaced = cases[k].is_interlaced};
        if (intra_video_writer_open(made_path(cases[k].file), &o, &writer, &err) != INTRA_E_ARG)
            fail_msg("case %zu: not refused", k);
        assert_null(writer);
        assert_non_null(strstr(err.text, cases[k].file));
        assert_false(intra_path_exists(made_path(cases[k].file)));
    }
    /* no frame, times that go back: nothing stays */
    writer = made_writer(made_path("w1.mp4"), "h264", 0, false);
    assert_int_equal(intra_video_writer_close(&writer, &err), INTRA_E_ARG);
    assert_null(writer);
    writer = made_writer(made_path("w1.mp4"), "h264", 0, false);
    struct intra_view_u8 rgb = {0};
    assert_int_equal(intra_image_u8_init(&rgb, MADE_HEIGHT, MADE_WIDTH, 3, NULL), INTRA_OK);
    assert_int_equal(intra_video_writer_put(writer, &rgb, 5, &err), INTRA_OK);
    assert_int_equal(intra_video_writer_put(writer, &rgb, 5, &err), INTRA_E_ARG);
    intra_video_writer_abandon(&writer);
    assert_false(intra_path_exists(made_path("w1.mp4")));
    assert_false(intra_path_exists(made_path("w1.mp4.part")));
    intra_image_u8_fini(&rgb);
}

static void writer_bytes_without_cores(void **state)
{
    cpu_set_t all, one;
    (void)state;
    assert_int_equal(sched_getaffinity(0, sizeof all, &all), 0);
    CPU_ZERO(&one);
    for (int i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; i++)
        if (CPU_ISSET(i, &all)) CPU_SET(i, &one);
    for (size_t k = 0; k < KINDS; k++) {
        char *bytes[2] = {NULL, NULL};
        size_t size[2];
        for (int i = 0; i < 2; i++) {
            assert_int_equal(sched_setaffinity(0, sizeof one, i ? &all : &one), 0);
            made_drive(made_path(kinds[k].file), kinds[k].codec, 20);
            assert_int_equal(intra_read_file(made_path(kinds[k].file), 1 << 26, &bytes[i], &size[i], NULL), INTRA_OK);
        }
        assert_int_equal(size[0], size[1]);
        assert_memory_equal(bytes[0], bytes[1], size[0]);
        intra_free(bytes[0]);
        intra_free(bytes[1]);
    }
}

static void sha256_of_files_and_folders(void **state)
{
    char hex[65], again[65];
    (void)state;
    write_text(made_path("abc"), "abc"); /* FIPS 180-2, appendix B.1 */
    assert_int_equal(intra_file_sha256(made_path("abc"), hex, NULL), INTRA_OK);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_int_equal(mkdir(made_path("hash"), 0777), 0);
    write_text(made_path("hash/2.png"), "two");
    write_text(made_path("hash/10.png"), "ten");
    assert_int_equal(intra_file_sha256(made_path("hash"), hex, NULL), INTRA_OK);
    write_text(made_path("whole"), "2.png");
    { /* names with their NUL, and bytes, in number order */
        FILE *file = fopen(made_path("whole"), "wb");
        assert_non_null(file);
        fwrite("2.png\0two10.png\0ten", 1, 19, file);
        assert_int_equal(fclose(file), 0);
    }
    assert_int_equal(intra_file_sha256(made_path("whole"), again, NULL), INTRA_OK);
    assert_string_equal(hex, again);
    assert_int_equal(intra_file_sha256(made_path("not there"), hex, NULL), INTRA_E_IO);
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
        cmocka_unit_test_teardown(colours_round_trip, clean),
        cmocka_unit_test_teardown(opened_with_a_probe, clean),
        cmocka_unit_test_teardown(colours_of_other_formats, clean),
        cmocka_unit_test_teardown(grey_has_no_colour, clean),
        cmocka_unit_test_teardown(times_and_numbers, clean),
        cmocka_unit_test_teardown(variable_frame_rate, clean),
        cmocka_unit_test_teardown(missing_times_are_counted_on, clean),
        cmocka_unit_test_teardown(window_keeps_numbers_and_pictures, clean),
        cmocka_unit_test_teardown(keyframes_only, clean),
        cmocka_unit_test_teardown(references_only, clean),
        cmocka_unit_test_teardown(interlaced_flagged_or_not, clean),
        cmocka_unit_test_teardown(combing_found_later, clean),
        cmocka_unit_test_teardown(repeats_and_still_camera, clean),
        cmocka_unit_test_teardown(image_folder_in_number_order, clean),
        cmocka_unit_test_teardown(bad_inputs_have_their_own_message, clean),
        cmocka_unit_test_teardown(unreadable_file, clean),
        cmocka_unit_test_teardown(bad_options, clean),
        cmocka_unit_test_teardown(writer_refuses, clean),
        cmocka_unit_test_teardown(writer_bytes_without_cores, clean),
        cmocka_unit_test_teardown(sha256_of_files_and_folders, clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
