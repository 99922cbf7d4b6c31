/* Every export under every fault that we can make: each allocation failing in turn, the disk full after any number of
 * bytes, a folder that is not there. The call must say so with the file's name, leave no part file, and leave an older
 * file under the final name as it was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/fileio.h"
#include "core/mem.h"
#include "export/export.h"
#include "export/report.h"
#include "made_record.h"
#include "made_scene.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

static char folder[256], out_folder[256];
static struct intra_scene scene;
static struct intra_record record; /* on the models */

static int make_scene(void **state)
{
    struct made_pipe made = made_pipe_defaults();
    (void)state;
    made_folder(folder, sizeof folder);
    made_folder(out_folder, sizeof out_folder);
    made.length_m = 0.8;
    made.texel_m = 0.004;
    made_scene_init(&scene, &made, folder);
    made_record_init(&record, made.start_m - 0.2);
    signal(SIGXFSZ, SIG_IGN); /* over the limit, write() shall fail and not kill us */
    return 0;
}

static int drop_scene(void **state)
{
    (void)state;
    intra_record_fini(&record);
    intra_scene_fini(&scene);
    made_remove_folder(folder);
    made_remove_folder(out_folder);
    return 0;
}

enum kind {
    TRAJECTORY,
    FRAMES,
    PROFILE,
    OBSERVATIONS,
    COLOUR,
    RELIEF,
    COVERAGE,
    GLB,
    OBJ,
    PLY,
    PROFILE_SVG,
    STRIP_SVG,
    REPORT,
    KINDS
};
static const char *const names[KINDS] = {
    "trajectory.tum", "frames.csv", "profile.csv", "observations.csv", "unrolled.tif", "relief.tif", "coverage.tif",
    "model.glb",      "model.obj",  "model.ply",   "profile.svg",      "strip.svg",    "report.html"};

/* The page is left out where the build had no Node. */
static int kinds(void)
{
    return intra_report_is_built_in() ? KINDS : REPORT;
}

static enum intra_status export_kind(enum kind kind, const char *dir, char *path, size_t n, struct intra_error *err)
{
    struct intra_mesh_options options = intra_mesh_defaults();
    struct intra_report_options page = intra_report_defaults();
    options.inspections = record.inspections;
    options.n_inspections = 1;
    made_path(path, n, dir, names[kind]);
    switch (kind) {
    case TRAJECTORY:
        return intra_export_trajectory(&scene, path, err);
    case FRAMES:
        return intra_export_frames(&scene, path, err);
    case PROFILE:
        return intra_export_profile(&scene, path, err);
    case OBSERVATIONS:
        return intra_export_observations(&scene, NULL, 0, path, err);
    case COLOUR:
        return intra_export_tiff(&scene, INTRA_TIFF_COLOUR, path, NULL, err);
    case RELIEF:
        return intra_export_tiff(&scene, INTRA_TIFF_RELIEF, path, NULL, err);
    case COVERAGE:
        return intra_export_tiff(&scene, INTRA_TIFF_COVERAGE, path, NULL, err);
    case GLB:
        return intra_export_glb(&scene, &options, path, err);
    case OBJ:
        return intra_export_obj(&scene, &options, path, err);
    case PLY:
        return intra_export_ply(&scene, &options, path, err);
    case PROFILE_SVG:
        return intra_export_profile_svg(&scene, path, err);
    case STRIP_SVG:
        return intra_export_strip_svg(&scene, NULL, 0, path, err);
    case REPORT:
        return intra_export_report(&scene, &page, path, NULL, err);
    case KINDS:
        break;
    }
    return INTRA_E_ARG;
}

static void write_old(const char *path)
{
    FILE *file = fopen(path, "w");
    fputs("old", file);
    fclose(file);
}

/* Only the old file may stand; for OBJ finished textures may too, being whole files under their own names. */
static void assert_only_old(enum kind kind, const char *path)
{
    char part[600], extra[600];
    snprintf(part, sizeof part, "%s.part", path);
    assert_int_equal(made_file_size(path), 3);
    assert_int_equal(made_file_size(part), -1);
    if (kind == OBJ) {
        remove(made_path(extra, sizeof extra, out_folder, "model_000.jpg"));
        remove(made_path(extra, sizeof extra, out_folder, "model.mtl"));
    }
    assert_int_equal(made_count_files(out_folder), 1);
}

static void out_of_memory(void **state)
{
    struct intra_error err;
    char path[512];
    int kind;
    long nth, checked = 0;
    (void)state;
    for (kind = 0; kind < kinds(); kind++) {
        for (nth = 1;; nth++) {
            enum intra_status status;
            long before = intra_mem_count();
            memset(&err, 0, sizeof err);
            write_old(made_path(path, sizeof path, out_folder, names[kind]));
            intra_mem_fail_at(nth, 1);
            status = export_kind(kind, out_folder, path, sizeof path, &err);
            intra_mem_fail_at(0, 0);
            if (status == INTRA_OK) {
                assert_true(intra_mem_count() - before <
                            nth); /* fine because nothing failed, not because nobody looked */
                break;
            }
            assert_int_equal(status, INTRA_E_MEM);
            assert_non_null(strstr(err.text, "memory"));
            assert_only_old(kind, path);
            checked++;
        }
        made_remove_folder(out_folder);
        made_folder(out_folder, sizeof out_folder);
    }
    print_message("%ld failing allocations\n", checked);
    assert_true(checked > 100);
}

static void disk_full(void **state)
{
    struct intra_error err;
    char path[512];
    int kind, step;
    struct rlimit limit, before;
    (void)state;
    getrlimit(RLIMIT_FSIZE, &before);
    for (kind = 0; kind < kinds(); kind++) {
        long whole;
        if (export_kind(kind, out_folder, path, sizeof path, &err) != INTRA_OK) fail_msg("%s", err.text);
        whole = made_file_size(path);
        made_remove_folder(out_folder);
        made_folder(out_folder, sizeof out_folder);
        for (step = 0; step < 12; step++) {
            enum intra_status status;
            long bytes = step == 11 ? whole - 1 : whole * step / 11;
            memset(&err, 0, sizeof err);
            write_old(made_path(path, sizeof path, out_folder, names[kind]));
            limit = before;
            limit.rlim_cur = (rlim_t)bytes;
            setrlimit(RLIMIT_FSIZE, &limit);
            status = export_kind(kind, out_folder, path, sizeof path, &err);
            setrlimit(RLIMIT_FSIZE, &before);
            assert_int_equal(status, INTRA_E_IO);
            assert_non_null(
                strstr(err.text, kind == OBJ ? "model" : names[kind])); /* a texture may be the one to fail */
            assert_only_old(kind, path);
        }
        made_remove_folder(out_folder);
        made_folder(out_folder, sizeof out_folder);
    }
}

static void folder_not_there(void **state)
{
    struct intra_error err;
    char path[512], missing[400];
    int kind;
    (void)state;
    made_path(missing, sizeof missing, out_folder, "no/such/folder");
    for (kind = 0; kind < kinds(); kind++) {
        memset(&err, 0, sizeof err);
        assert_int_equal(export_kind(kind, missing, path, sizeof path, &err), INTRA_E_IO);
        assert_non_null(strstr(err.text, names[kind]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(out_of_memory), cmocka_unit_test(disk_full),
                                       cmocka_unit_test(folder_not_there)};
    return cmocka_run_group_tests_name("export_faults", tests, make_scene, drop_scene);
}
