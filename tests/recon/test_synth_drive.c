/* Proves: on a small made-up pipe the whole line finds position across the section to two percent of the diameter and
 * the way to one percent, poses every frame, and gives the same poses and wall for one thread and four; a counter that
 * parts from the picture at once is said. Does not prove anything about real pictures; the suite and the real clips
 * do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "recon/reconstruct.h"
#include "tests/synth/synth.h"

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FRAMES = 50 };
static struct intra_pose truth[FRAMES];
static char video[64];

static bool is_counter_set_anew;

/* A counter of 0.01 m that follows the truth, or goes on by 3 m at once halfway. */
static void fill_counter(void *user, struct intra_frame_record *frames, int64_t n)
{
    (void)user;
    for (int64_t i = 0; i < n; i++)
        frames[i].counter_m = round(100 * truth[i].t.x) / 100 + (is_counter_set_anew && i >= n / 2 ? 3 : 0);
}

static void run_with(int threads, struct intra_scene *scene, struct intra_reconstruct_report *report)
{
    struct intra_camera camera = synth_camera(&(struct synth_lens){400, 300, 262, 199.5, 149.5});
    struct intra_reconstruct_options o = intra_reconstruct_defaults();
    struct intra_error err = {0};
    o.diameter_m = 0.3;
    o.threads = threads;
    o.texel_m = 0.002;
    intra_scene_init(scene);
    o.fill_counter = fill_counter;
    if (intra_reconstruct(video, &camera, &o, NULL, scene, report, &err) != INTRA_OK) fail_msg("%s", err.text);
}

static void run(int threads, struct intra_scene *scene)
{
    struct intra_reconstruct_report report;
    run_with(threads, scene, &report);
}

static int make_video(void **state)
{
    struct synth_pipe pipe = {.radius_m = 0.15, .seed = 3, .contrast = 0.8, .noise = 1.5};
    struct synth_lens lens = {400, 300, 262, 199.5, 149.5};
    (void)state;
    snprintf(video, sizeof video, "/tmp/intra_synth_%d.mkv", (int)getpid());
    return synth_video(video, &pipe, &lens, FRAMES, 0.15, 1, truth);
}

static int drop_video(void **state)
{
    (void)state;
    return remove(video);
}

static void drive_is_found(void **state)
{
    struct intra_scene scene;
    int64_t posed = 0;
    double worst = 0;
    (void)state;
    run(1, &scene);
    assert_int_equal(scene.n_frames, FRAMES);
    for (int64_t i = 0; i < scene.n_frames; i++) posed += scene.frames[i].is_posed;
    assert_int_equal(posed, FRAMES);
    double way = scene.frames[FRAMES - 1].station_m - scene.frames[0].station_m, real = truth[FRAMES - 1].t.x - truth[0].t.x;
    assert_true(fabs(way / real - 1) < 0.01);
    for (int i = 0; i < FRAMES; i++) {
        struct intra_vec3 d = intra_sub(scene.frames[i].world_from_cam.t, truth[i].t);
        worst = fmax(worst, hypot(d.y, d.z));
    }
    print_message("worst position across the section: %.2f mm\n", 1000 * worst);
    assert_true(worst < 0.006); /* 2 % of the diameter */
    assert_true(scene.wall.cols > 100 && scene.n_sections > 4);
    intra_scene_fini(&scene);
}

static void same_bytes_for_every_team(void **state)
{
    struct intra_scene a, b;
    (void)state;
    run(1, &a);
    run(8, &b);
    assert_int_equal(a.n_frames, b.n_frames);
    for (int64_t i = 0; i < a.n_frames; i++)
        assert_memory_equal(&a.frames[i].world_from_cam, &b.frames[i].world_from_cam, sizeof a.frames[i].world_from_cam);
    assert_int_equal(a.wall.cols, b.wall.cols);
    size_t bytes = (size_t)a.wall.rows * 64 * 4;
    unsigned char *pa = malloc(bytes), *pb = malloc(bytes);
    struct intra_error err;
    for (int64_t col = 0; col + 64 <= a.wall.cols; col += 64) {
        assert_int_equal(intra_raster_read(a.wall.colour, col, 64, pa, &err), INTRA_OK);
        assert_int_equal(intra_raster_read(b.wall.colour, col, 64, pb, &err), INTRA_OK);
        assert_memory_equal(pa, pb, bytes);
    }
    free(pa);
    free(pb);
    intra_scene_fini(&a);
    intra_scene_fini(&b);
}

/* A counter that parts from the picture at once is said, and the result is not complete; one that follows it is. */
static void counter_parts_from_the_picture(void **state)
{
    (void)state;
    for (int k = 0; k < 2; k++) {
        struct intra_scene scene;
        struct intra_reconstruct_report report;
        is_counter_set_anew = k == 1;
        run_with(2, &scene, &report);
        int said = 0;
        for (int i = 0; i < report.n_warnings; i++)
            said += strstr(report.warnings[i], "the distance counter goes from") != NULL;
        assert_int_equal(said, k);
        assert_int_equal(report.has_counter_jump, k);
        assert_int_equal(report.is_complete, !k);
        intra_scene_fini(&scene);
    }
    is_counter_set_anew = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(drive_is_found), cmocka_unit_test(same_bytes_for_every_team),
                                       cmocka_unit_test(counter_parts_from_the_picture)};
    return cmocka_run_group_tests(tests, make_video, drop_video);
}
