/* Peak memory of each image and model does not grow with the pipe: a child process per length writes everything, and
 * the kernel's high-water marks are compared. Proves the streaming, not the speed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "export/export.h"
#include "made_scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { IS_SANITIZED = 1 }; /* freed memory is held back: the mark says nothing */
#else
enum { IS_SANITIZED = 0 };
#endif

static void write_all(double length_m, const char *dir)
{
    struct made_pipe pipe_made = made_pipe_defaults();
    struct intra_mesh_options options = intra_mesh_defaults();
    struct intra_scene scene;
    struct intra_error err = {0};
    char path[512];
    pipe_made.length_m = length_m;
    made_scene_init(&scene, &pipe_made, dir);
    options.max_bytes = 2000000; /* the longer pipe gets a coarser model, as people's do */
    if (intra_export_tiff(&scene, INTRA_TIFF_COLOUR, made_path(path, sizeof path, dir, "c.tif"), NULL, &err) ||
        intra_export_tiff(&scene, INTRA_TIFF_COVERAGE, made_path(path, sizeof path, dir, "v.tif"), NULL, &err) ||
        intra_export_glb(&scene, &options, made_path(path, sizeof path, dir, "m.glb"), &err) ||
        intra_export_obj(&scene, &options, made_path(path, sizeof path, dir, "m.obj"), &err) ||
        intra_export_ply(&scene, &options, made_path(path, sizeof path, dir, "m.ply"), &err)) {
        fprintf(stderr, "%s\n", err.text);
        _exit(1);
    }
    intra_scene_fini(&scene);
}

/* Kilobytes at the worst moment of a child that does it all. */
static long peak_kb(double length_m)
{
    struct rusage usage;
    char dir[256];
    int status;
    pid_t child;
    made_folder(dir, sizeof dir);
    child = fork();
    if (child == 0) {
        write_all(length_m, dir);
        _exit(0);
    }
    assert_true(child > 0);
    assert_int_equal(wait4(child, &status, 0, &usage), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    made_remove_folder(dir);
    return usage.ru_maxrss;
}

static void flat_over_length(void **state)
{
    long short_kb, long_kb;
    (void)state;
    if (IS_SANITIZED) skip();
    short_kb = peak_kb(5);
    long_kb = peak_kb(40);
    print_message("5 m: %ld kB, 40 m: %ld kB\n", short_kb, long_kb);
    assert_true(long_kb < short_kb + 6000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(flat_over_length)};
    return cmocka_run_group_tests_name("export_memory", tests, NULL, NULL);
}
