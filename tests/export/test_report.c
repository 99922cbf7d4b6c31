/* The report's file and the drawings, without a browser: the data come back as they went in, no text of a record can
 * end the element that holds it, the size is kept by a coarser picture, and what does not fit is refused. What a
 * browser makes of it: tests/browser/report.mjs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/fileio.h"
#include "core/mem.h"
#include "export/export.h"
#include "export/report.h"
#include "export/report_data.h"
#include "made_scene.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static char folder[256];
static struct intra_scene scene;
static struct intra_error err;

static int make_scene(void **state)
{
    struct made_pipe made = made_pipe_defaults();
    (void)state;
    made_folder(folder, sizeof folder);
    made.texel_m = 0.004;
    made_scene_init(&scene, &made, folder);
    return 0;
}

static int drop_scene(void **state)
{
    (void)state;
    intra_scene_fini(&scene);
    made_remove_folder(folder);
    return 0;
}

static void hostile_text_stays_text(void **state)
{
    static const char *const texts[] = {"</script><script>alert(1)</script>", "<!-- <script>", "\"'&\\ \n\t",
                                        "\xff\xfe \xc3\x28"};
    struct intra_report_pyramid pyramid = {
        .station_to_m = 4, .texel_m = 0.004, .row_m = 0.004, .tile_px = 512, .n_levels = 1, .cols = 1000, .rows = 236};
    struct intra_report_grid grid = {.cols = 1, .rows = 1, .step_m = 1, .unit_m = 1};
    struct intra_report_options options = intra_report_defaults();
    struct intra_record record;
    struct intra_inspection *inspection;
    struct intra_observation *o;
    json_t *root, *list;
    char *json = NULL;
    (void)state;
    intra_record_init(&record);
    assert_int_equal(intra_record_add_inspection(&record, &inspection, &err), INTRA_OK);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(intra_inspection_add_observation(inspection, &o, &err), INTRA_OK);
        assert_int_equal(intra_text_set(&o->text, texts[i], &err), INTRA_OK);
    }
    options.inspections = record.inspections;
    options.n_inspections = record.n_inspections;
    assert_int_equal(intra_report_json(&scene, &options, &pyramid, &grid, &grid, &json, &err), INTRA_OK);
    assert_null(strchr(json, '<'));
    assert_non_null(root = json_loads(json, 0, NULL));
    list = json_object_get(root, "observations");
    assert_int_equal(json_array_size(list), 4 + scene.n_features);
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(json_string_value(json_object_get(json_array_get(list, i), "text")), texts[i]);
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 3), "text")), "?? ?(");
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 4), "kind")), "joint");
    json_decref(root);
    intra_free(json);
    intra_record_fini(&record);
}

static void size_is_kept(void **state)
{
    struct intra_report_options options = intra_report_defaults();
    char path[512];
    long least_size, free_size;
    (void)state;
    made_path(path, sizeof path, folder, "report.html");
    if (!intra_report_is_built_in()) {
        assert_int_equal(intra_export_report(&scene, &options, path, NULL, &err), INTRA_E_UNSUPPORTED);
        assert_non_null(strstr(err.text, "scripts/setup.sh"));
        skip();
    }
    assert_int_equal(intra_export_report(&scene, &options, path, NULL, &err), INTRA_OK);
    free_size = made_file_size(path);
    options.max_bytes = (size_t)free_size - 15000;
    if (intra_export_report(&scene, &options, path, NULL, &err) != INTRA_OK) fail_msg("%s", err.text);
    assert_true(made_file_size(path) <= (long)options.max_bytes);
    /* And what is allowed is used, of what lies beyond the page itself. */
    options.texel_m = 0.05;
    assert_int_equal(intra_export_report(&scene, &options, path, NULL, &err), INTRA_OK);
    least_size = made_file_size(path);
    options.texel_m = 0;
    options.max_bytes = (size_t)((free_size + least_size) / 2);
    assert_int_equal(intra_export_report(&scene, &options, path, NULL, &err), INTRA_OK);
    assert_true(made_file_size(path) <= (long)options.max_bytes);
    assert_true((double)(made_file_size(path) - least_size) > 0.8 * (double)((long)options.max_bytes - least_size));
    options.max_bytes = 100000; /* less than the page alone */
    assert_int_equal(intra_export_report(&scene, &options, path, NULL, &err), INTRA_E_ARG);
    assert_non_null(strstr(err.text, "0.1"));
    assert_true(made_file_size(path) > 100000); /* the one before still stands */
    remove(path);
}

/* Every element that was opened is closed again, in order; enough for what the drawings use. */
static void assert_well_formed(const char *svg)
{
    char names[64][16];
    int depth = 0;
    for (const char *s = strchr(svg, '<'); s; s = strchr(s + 1, '<')) {
        const char *end = strchr(s, '>');
        assert_non_null(end);
        if (s[1] == '/') {
            assert_true(depth > 0);
            depth--;
            assert_memory_equal(s + 2, names[depth], strlen(names[depth]));
        } else if (end[-1] != '/') {
            size_t n = strcspn(s + 1, " >");
            assert_true(depth < 64 && n < sizeof names[0]);
            memcpy(names[depth], s + 1, n);
            names[depth++][n] = 0;
        }
    }
    assert_int_equal(depth, 0);
}

#define BAR "width=\"2\""

static void drawings(void **state)
{
    char path[512], *text = NULL;
    size_t size;
    (void)state;
    made_path(path, sizeof path, folder, "profile.svg");
    assert_int_equal(intra_export_profile_svg(&scene, path, &err), INTRA_OK);
    assert_int_equal(intra_read_file(path, 10000000, &text, &size, &err), INTRA_OK);
    assert_well_formed(text);
    assert_non_null(strstr(text, "Diameter, mm"));
    assert_non_null(strstr(text, "not measured")); /* the made pipe has no water */
    assert_non_null(strstr(text, "Lens assumed"));
    assert_null(strstr(text, "nan"));
    intra_free(text);
    remove(path);
    /* A gap in the pipe is a bar; what came before the first followed frame has no beginning and is none. */
    assert_int_equal(intra_scene_add_gap(&scene, &(struct intra_gap){NAN, 0.0002, 0, 1, "no start before"}, &err),
                     INTRA_OK);
    assert_int_equal(intra_scene_add_gap(&scene, &(struct intra_gap){2.3, 2.8, 2.3, 2.8, "lost"}, &err), INTRA_OK);
    made_path(path, sizeof path, folder, "strip.svg");
    assert_int_equal(intra_export_strip_svg(&scene, NULL, 0, path, &err), INTRA_OK);
    assert_int_equal(intra_read_file(path, 10000000, &text, &size, &err), INTRA_OK);
    assert_well_formed(text);
    assert_non_null(strstr(text, "2  2.00 m  joint BAJ  offset 14.0"));
    assert_non_null(strstr(text, "data:image/jpeg;base64,/9j/"));
    assert_null(strstr(text, "\"nan\""));
    assert_non_null(strstr(text, BAR));
    assert_null(strstr(strstr(text, BAR) + 1, BAR));
    intra_free(text);
    remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_text_stays_text),
        cmocka_unit_test(size_is_kept),
        cmocka_unit_test(drawings),
    };
    return cmocka_run_group_tests(tests, make_scene, drop_scene);
}
