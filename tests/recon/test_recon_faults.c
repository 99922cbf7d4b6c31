/* Proves: whichever allocation of a reconstruction fails, once or from then on, the answer is INTRA_E_MEM with a text (or the job is done
 * all the same), nothing hangs on the threads behind it, and, under AddressSanitizer, nothing leaks. The failing allocation is stepped
 * ever more coarsely through the run; which one it is in the threads' interplay is not the same every time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "core/mem.h"
#include "recon/reconstruct.h"
#include "tests/synth/synth.h"

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char video[64];

static enum intra_status run_failing(long nth, bool and_after)
{
    struct intra_camera camera = {.model = INTRA_CAMERA_BROWN, .width = 240, .height = 180, .fx = 160, .fy = 160, .cx = 119.5,
                                  .cy = 89.5};
    struct intra_reconstruct_options o = intra_reconstruct_defaults();
    struct intra_reconstruct_report report;
    struct intra_error err = {0};
    struct intra_scene scene;
    assert_int_equal(intra_camera_finish(&camera, &err), INTRA_OK);
    o.diameter_m = 0.3;
    o.threads = 1;
    o.texel_m = 0.004;
    intra_scene_init(&scene);
    intra_mem_fail_at(nth, and_after);
    enum intra_status status = intra_reconstruct(video, &camera, &o, NULL, &scene, &report, &err);
    intra_mem_fail_at(0, 0);
    if (status != INTRA_OK && !err.text[0]) fail_msg("allocation %ld failed without a word", nth);
    intra_scene_fini(&scene);
    return status;
}

static int make_video(void **state)
{
    struct synth_pipe pipe = {.radius_m = 0.15, .seed = 5, .contrast = 0.8, .noise = 1};
    struct synth_lens lens = {240, 180, 160, 119.5, 89.5};
    (void)state;
    snprintf(video, sizeof video, "/tmp/intra_faults_%d.mkv", (int)getpid());
    return synth_video(video, &pipe, &lens, 26, 0.3, 1, NULL);
}

static int drop_video(void **state)
{
    (void)state;
    return remove(video);
}

static void every_allocation_may_fail(void **state)
{
    int failed = 0;
    (void)state;
    assert_int_equal(run_failing(0, false), INTRA_OK);
    for (long nth = 1; nth < 4000; nth += 1 + nth / 12)
        for (int and_after = 0; and_after < 2; and_after++) {
            enum intra_status status = run_failing(nth, and_after);
            if (status != INTRA_OK && status != INTRA_E_MEM) fail_msg("allocation %ld: status %d", nth, status);
            failed += status == INTRA_E_MEM;
        }
    assert_true(failed > 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_allocation_may_fail)};
    return cmocka_run_group_tests(tests, make_video, drop_video);
}
