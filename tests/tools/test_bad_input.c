/* Proves: what cannot be reconstructed is refused by the real program with one clear message that names the file, the
 * right exit status, and nothing left behind: neither OUT nor scratch. Does not prove: what good input gives
 * (test_runs.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "made_input.h"
#include "program.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *const folder = program_dir;

static int make_folder(void **state)
{
    program_make_dir(state);
    if (!made_input_can()) return 0;
    made_input_ffmpeg(folder, "-f lavfi -i testsrc2=size=320x240:rate=25:duration=2 moving.mp4");
    return 0;
}

static void need_ffmpeg(void)
{
    if (!made_input_can()) skip();
}

static bool is_there(const char *name)
{
    char path[256];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return lstat(path, &st) == 0;
}

/* Refused with `code`, saying `said`, in one line, leaving nothing. */
static void refuse(const char *words, int code, const char *said)
{
    struct program_run run = program_start(folder, words);
    int lines = 0;
    for (const char *line = run.err; *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : "")
        lines += !strncmp(line, "intrados: ", 10);
    if (run.code != code || !strstr(run.err, said))
        fail_msg("intrados %s\nstatus %d, want %d, should say '%s':\n%s", words, run.code, code, said, run.err);
    if (strstr(run.err, "Sanitizer") || strstr(run.err, "runtime error")) fail_msg("intrados %s\n%s", words, run.err);
    if (lines != 1) fail_msg("intrados %s\n%d messages, want one:\n%s", words, lines, run.err);
    assert_string_equal(run.out, "");
    assert_false(is_there("out"));
    assert_false(is_there("out.part"));
    program_free(&run);
}

static void missing_file(void **state)
{
    (void)state;
    refuse("reconstruct nowhere.mp4 -d 300mm -o out -q", 1, "nowhere.mp4");
    refuse("info nowhere.mp4", 1, "nowhere.mp4");
}

static void not_a_video(void **state)
{
    (void)state;
    program_shell("cd %s && for i in 1 2 3 4 5 6 7 8 9; do echo 'this is a text about pipes'; done > text.mp4", folder);
    refuse("reconstruct text.mp4 -d 300mm -o out -q", 1, "text.mp4");
    program_shell("cd %s && head -c 100000 /dev/urandom > noise.avi", folder);
    refuse("reconstruct noise.avi -d 300mm -o out -q", 1, "noise.avi");
    program_shell("cd %s && : > empty.mp4", folder);
    refuse("reconstruct empty.mp4 -d 300mm -o out -q", 1, "empty.mp4");
}

static void audio_only(void **state)
{
    (void)state;
    need_ffmpeg();
    made_input_ffmpeg(folder, "-f lavfi -i sine=duration=1 audio.wav");
    refuse("reconstruct audio.wav -d 300mm -o out -q", 1, "audio.wav");
    refuse("info audio.wav", 1, "audio.wav");
}

static void zero_frames(void **state)
{
    (void)state;
    need_ffmpeg();
    made_input_ffmpeg(folder, "-f lavfi -i testsrc2=size=320x240:duration=1 -c:v mpeg4 whole.avi");
    /* The head of an AVI alone: a video stream, and no picture. */
    program_shell("cd %s && head -c 5000 whole.avi > head.avi", folder);
    refuse("reconstruct head.avi -d 300mm -o out -q", 1, "head.avi");
    program_shell("mkdir %s/images", folder);
    refuse("reconstruct images -d 300mm -o out -q", 1, "images");
}

static void one_frame(void **state)
{
    (void)state;
    need_ffmpeg();
    made_input_ffmpeg(folder, "-i moving.mp4 -frames:v 1 one.mp4");
    refuse("reconstruct one.mp4 -d 300mm -o out -q", 1, "one.mp4");
    refuse("reconstruct moving.mp4 -d 300mm --from 99 -o out -q", 2, "nothing begins at 99.0 s");
    made_input_ffmpeg(folder, "-i moving.mp4 -frames:v 1 one.png");
    program_shell("mkdir %s/single && mv %s/one.png %s/single", folder, folder, folder);
    refuse("reconstruct single -d 300mm -o out -q", 1, "single");
}

static void black_frames(void **state)
{
    (void)state;
    need_ffmpeg();
    made_input_ffmpeg(folder, "-f lavfi -i color=black:size=320x240:rate=25:duration=3 black.mp4");
    refuse("reconstruct black.mp4 -d 300mm -o out -q", 1, "black.mp4");
}

static void not_a_pipe(void **state)
{
    (void)state;
    need_ffmpeg();
    refuse("reconstruct moving.mp4 -d 300mm -o out -q", 1, "moving.mp4");
    made_input_ffmpeg(folder, "-f lavfi -i mandelbrot=size=320x240:rate=25 -t 3 zoom.mp4");
    refuse("reconstruct zoom.mp4 -d 300mm -o out -q", 1, "zoom.mp4");
    made_input_ffmpeg(folder, "-f lavfi -i nullsrc=size=320x240:rate=25 -vf 'geq=random(1)*255:128:128' -t 2 snow.mp4");
    refuse("reconstruct snow.mp4 -d 300mm -o out -q", 1, "snow.mp4");
}

static void put_camera(const char *name, int width, const char *fx)
{
    program_shell("cd %s && printf '%%%%YAML:1.0\\n---\\nimage_width: %d\\nimage_height: 240\\ncamera_matrix: "
                  "!!opencv-matrix\\n   rows: 3\\n"
                  "   cols: 3\\n   dt: d\\n   data: [%s, 0., 160., 0., 300., 120., 0., 0., "
                  "1.]\\ndistortion_coefficients: !!opencv-matrix\\n"
                  "   rows: 1\\n   cols: 5\\n   dt: d\\n   data: [0., 0., 0., 0., 0.]\\n' > %s",
                  folder, width, fx, name);
}

static void camera_files(void **state)
{
    (void)state;
    need_ffmpeg();
    put_camera("good.yaml", 320, "300.");
    program_expect(folder, "info moving.mp4 --camera good.yaml", 0, NULL);
    put_camera("wide.yaml", 640, "300.");
    refuse("reconstruct moving.mp4 -d 300mm --camera wide.yaml -o out -q", 1,
           "wide.yaml: this calibration is for 640 x 240 px, the video has 320 x 240");
    put_camera("nan.yaml", 320, ".nan");
    refuse("reconstruct moving.mp4 -d 300mm --camera nan.yaml -o out -q", 1, "nan.yaml");
    put_camera("negative.yaml", 320, "-300.");
    refuse("reconstruct moving.mp4 -d 300mm --camera negative.yaml -o out -q", 1, "negative.yaml");
    refuse("reconstruct moving.mp4 -d 300mm --camera none.yaml -o out -q", 1, "none.yaml");
    program_shell("echo 'hello: world' > %s/other.yaml", folder);
    refuse("reconstruct moving.mp4 -d 300mm --camera other.yaml -o out -q", 1, "other.yaml");
}

static void output_folder(void **state)
{
    (void)state;
    need_ffmpeg();
    program_shell("echo > %s/file", folder);
    refuse("reconstruct moving.mp4 -d 300mm -o file", 1, "file: is a file; name a folder");
    refuse("reconstruct moving.mp4 -d 300mm -o file/out", 1, "choose another with -o");
    refuse("reconstruct moving.mp4 -d 300mm -o out --debug-dir file/pictures", 1, "choose another folder");
    refuse("reconstruct moving.mp4 -d 300mm -o /proc/none/out", 1, "/proc/none");
    program_shell("mkdir %s/full && echo mine > %s/full/notes.txt", folder, folder);
    refuse("reconstruct moving.mp4 -d 300mm -o full", 1, "full: output folder exists and is not empty; give --force");
    program_shell("test \"$(ls %s/full)\" = notes.txt", folder);
    if (geteuid() == 0) return; /* root may write anywhere */
    program_shell("mkdir %s/locked && chmod a-w %s/locked", folder, folder);
    refuse("reconstruct moving.mp4 -d 300mm -o locked", 1, "locked: output folder is not writable");
    refuse("reconstruct moving.mp4 -d 300mm -o locked/out", 1, "locked");
}

/* A picture without room for a few patches on its coarsest level. */
static void tiny_pictures(void **state)
{
    static const char *const sizes[] = {"32:24", "16:300", "300:16", "1:1"};
    (void)state;
    need_ffmpeg();
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        char words[128];
        snprintf(words, sizeof words, "-i moving.mp4 -vf scale=%s -c:v ffv1 tiny.mkv", sizes[i]);
        made_input_ffmpeg(folder, words);
        refuse("reconstruct tiny.mkv -d 300mm -o out -q", 1, "tiny.mkv: pictures of ");
        refuse("info tiny.mkv", 1, "too small");
    }
}

/* The picture beside the sound of a music file is no video. */
static void cover_of_a_sound_file(void **state)
{
    (void)state;
    need_ffmpeg();
    made_input_ffmpeg(folder, "-i moving.mp4 -frames:v 1 cover.png");
    made_input_ffmpeg(folder, "-f lavfi -i sine=duration=1 -i cover.png -map 0:a -map 1:v -c:v png -disposition:v "
                              "attached_pic cover.mp3");
    refuse("reconstruct cover.mp3 -d 300mm -o out -q", 1, "cover.mp3: holds sound only");
}

/* A pipe would give its bytes once, but every video is read twice. */
static void pipes_and_devices(void **state)
{
    (void)state;
    program_shell("mkfifo %s/fifo", folder);
    refuse("reconstruct fifo -d 300mm -o out -q", 1, "fifo: a pipe or device");
    refuse("reconstruct /dev/zero -d 300mm -o out -q", 1, "/dev/zero: a pipe or device");
    refuse("info moving.mp4 --camera /dev/zero", 1, "/dev/zero: larger than");
    refuse("info moving.mp4 --camera ''", 2, "--camera: the name of the file is empty");
}

/* What the result is made from is never replaced by it, --force or not. */
static void input_in_the_output_folder(void **state)
{
    (void)state;
    need_ffmpeg();
    program_shell("cd %s && mkdir -p own && cp moving.mp4 own/unrolled.tif && cp moving.mp4 kept.mp4 && mkdir frames",
                  folder);
    made_input_ffmpeg(folder, "-i moving.mp4 frames/model_%03d.jpg");
    refuse("reconstruct own/unrolled.tif -d 300mm -o own --force -q", 1,
           "own/unrolled.tif: would be replaced by the result; choose another -o");
    refuse("reconstruct frames -d 300mm -o frames --force -q", 1,
           "frames: the result would mix with its own input; choose another -o");
    refuse("reconstruct frames/ -d 300mm -o ./frames --force -q", 1, "its own input");
    put_camera("own/model.obj", 320, "300.");
    refuse("reconstruct kept.mp4 -d 300mm --camera own/model.obj -o own --force -q", 1,
           "own/model.obj: would be replaced");
    refuse("reconstruct kept.mp4 -d 300mm -o kept.mp4 --force -q", 1, "kept.mp4: is a file");
    program_shell(
        "cd %s && cmp own/unrolled.tif moving.mp4 && cmp kept.mp4 moving.mp4 && test $(ls frames | wc -l) = 50",
        folder);
    refuse("reconstruct kept.mp4 -d 300mm -o . --force -q", 2, "a name of its own");
    refuse("reconstruct kept.mp4 -d 300mm -o frames/.. --force -q", 2, "a name of its own");
    refuse("reconstruct kept.mp4 -d 300mm -o frames/./ --force -q", 2, "a name of its own");
}

/* A folder of somebody's that has the name of the work folder. */
static void foreign_work_folder(void **state)
{
    (void)state;
    need_ffmpeg();
    program_shell("mkdir %s/run.part && echo mine > %s/run.part/notes.txt", folder, folder);
    refuse("reconstruct moving.mp4 -d 300mm -o run", 1, "run.part: is in the way");
    program_shell("test $(cat %s/run.part/notes.txt) = mine", folder);
}

/* What a player would turn is used as stored, and said. */
static void turned_video(void **state)
{
    struct program_run run;
    (void)state;
    need_ffmpeg();
    /* ffmpeg 5.1 counts this one counterclockwise. */
    made_input_ffmpeg(folder, "-i moving.mp4 -c copy -metadata:s:v rotate=90 turned.mp4");
    run = program_start(folder, "info turned.mp4");
    assert_int_equal(run.code, 0);
    assert_non_null(strstr(run.out, "320 x 240 px"));
    assert_non_null(strstr(run.out, "turned         270 degrees clockwise by players"));
    program_free(&run);
    run = program_start(folder, "reconstruct turned.mp4 -d 300mm -o out");
    assert_non_null(strstr(run.err, "warning: turned.mp4: marked to be shown turned by 270 degrees"));
    program_free(&run);
    run = program_start(folder, "info moving.mp4");
    assert_null(strstr(run.out, "turned"));
    program_free(&run);
}

static void missing_images(void **state)
{
    static const char *const said = "numbering jumps from 020.png to 031.png; are images missing?";
    struct program_run run;
    (void)state;
    need_ffmpeg();
    program_shell("mkdir %s/row", folder);
    made_input_ffmpeg(folder, "-i moving.mp4 row/%03d.png");
    run = program_start(folder, "reconstruct row -d 300mm -o out");
    assert_null(strstr(run.err, "numbering"));
    program_free(&run);
    program_shell("cd %s/row && rm 02[1-9].png 030.png", folder);
    run = program_start(folder, "reconstruct row -d 300mm -o out");
    if (!strstr(run.err, said)) fail_msg("should say '%s':\n%s", said, run.err);
    program_free(&run);
    /* Every other one: nothing is missing. */
    program_shell("cd %s/row && rm *[02468].png", folder);
    program_shell("cd %s/row && i=0; for f in *.png; do i=$((i + 2)); mv $f x$((100 + i)).png; done", folder);
    run = program_start(folder, "reconstruct row -d 300mm -o out");
    assert_null(strstr(run.err, "numbering"));
    program_free(&run);
}

/* Quotes, percent signs, line breaks and bytes that are no UTF-8 come through. */
static void odd_names(void **state)
{
    struct program_run run;
    (void)state;
    need_ffmpeg();
    program_shell("cd %s && cp moving.mp4 \"$(printf 'a%%%%s\"\\n\\377.mp4')\"", folder);
    run = program_start(folder, "info --json \"$(printf 'a%%s\"\\n\\377.mp4')\"");
    if (run.code != 0 || !strstr(run.out, "\"a%s\\\"\\n\\ufffd.mp4\""))
        fail_msg("%d\n%s%s", run.code, run.out, run.err);
    program_free(&run);
    refuse("info \"$(printf 'no %%n\\377')\"", 1, "no %n\377: no such file or folder");
}

static void no_project_to_export(void **state)
{
    (void)state;
    refuse("export nowhere -o x.glb", 1, "nowhere/project.sqlite: no such file");
    program_shell("mkdir %s/odd && echo text > %s/odd/project.sqlite", folder, folder);
    refuse("export odd -o x.glb", 1, "odd/project.sqlite");
    assert_false(is_there("x.glb"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(missing_file),        cmocka_unit_test(not_a_video),
        cmocka_unit_test(audio_only),          cmocka_unit_test(zero_frames),
        cmocka_unit_test(one_frame),           cmocka_unit_test(black_frames),
        cmocka_unit_test(not_a_pipe),          cmocka_unit_test(camera_files),
        cmocka_unit_test(output_folder),       cmocka_unit_test(no_project_to_export),
        cmocka_unit_test(tiny_pictures),       cmocka_unit_test(cover_of_a_sound_file),
        cmocka_unit_test(pipes_and_devices),   cmocka_unit_test(input_in_the_output_folder),
        cmocka_unit_test(foreign_work_folder), cmocka_unit_test(turned_video),
        cmocka_unit_test(missing_images),      cmocka_unit_test(odd_names),
    };
    return cmocka_run_group_tests(tests, make_folder, program_remove_dir);
}
