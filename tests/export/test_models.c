/* The model files as bytes: GLB structure, metadata and size budget; the painted marks found through positions, texture
 * coordinates and JPEG alone; OBJ and PLY hold the same wall; PLY is one welded tube a stretch. That viewers open them
 * is the matter of glb_validator, glb_in_three, outputs_in_assimp and outputs_in_blender. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/fileio.h"
#include "core/mem.h"
#include "export/export.h"
#include "glb.h"
#include "made_scene.h"

#include <jansson.h>
#include <jpeglib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef _OPENMP
#include <omp.h>
#endif

static char folder[256];
static struct intra_scene scene;
static struct made_pipe made;

static int make_scene(void **state)
{
    (void)state;
    made_folder(folder, sizeof folder);
    made = made_pipe_defaults();
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

static void write_glb(const struct intra_mesh_options *options, const char *name, char *path, size_t n)
{
    struct intra_error err = {0};
    made_path(path, n, folder, name);
    if (intra_export_glb(&scene, options, path, &err) != INTRA_OK) fail_msg("%s", err.text);
}

/* Decoded pixel (rows x cols x 3). */
static uint8_t *decode_jpeg(const unsigned char *bytes, size_t size, int *rows, int *cols)
{
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    uint8_t *out;
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_decompress(&jpeg);
    jpeg_mem_src(&jpeg, bytes, size);
    jpeg_read_header(&jpeg, TRUE);
    jpeg_start_decompress(&jpeg);
    *rows = (int)jpeg.output_height;
    *cols = (int)jpeg.output_width;
    assert_int_equal(jpeg.output_components, 3);
    out = malloc((size_t)*rows * (size_t)*cols * 3);
    while (jpeg.output_scanline < jpeg.output_height) {
        JSAMPROW row = out + (size_t)jpeg.output_scanline * (size_t)*cols * 3;
        jpeg_read_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_decompress(&jpeg);
    jpeg_destroy_decompress(&jpeg);
    return out;
}

/* Where the mark was made, in glTF's axes. */
static struct intra_vec3 mark_place(const struct made_mark *mark)
{
    struct intra_vec3 p;
    assert_true(intra_scene_wall_point(&scene, mark->station_m, mark->theta_rad,
                                       made_relief(&made, mark->station_m, mark->theta_rad), &p, NULL));
    return intra_vec3(p.x, p.z, -p.y);
}

/* The file's own way from a place to a colour: nearest vertex over all nodes, its texture coordinates, the JPEG there.
 */
static void colour_at(const struct glb *glb, struct intra_vec3 place, double *out_distance, uint8_t out_rgb[3])
{
    json_t *nodes = json_object_get(glb->root, "nodes"), *best_primitive = NULL;
    size_t i, jpeg_size, best_vertex = 0;
    const unsigned char *uv, *jpeg;
    double best = 1e9, u, v;
    json_int_t texture, image;
    uint8_t *pixels;
    int rows, cols;
    for (i = 0; i < json_array_size(nodes); i++) {
        json_t *node = json_array_get(nodes, i), *primitive, *accessor, *shift = json_object_get(node, "translation");
        const unsigned char *xyz;
        json_int_t count, k;
        if (!json_object_get(node, "mesh")) continue; /* a joint */
        primitive = json_array_get(json_object_get(item(glb, "meshes", whole(node, "mesh")), "primitives"), 0);
        accessor = item(glb, "accessors", whole(json_object_get(primitive, "attributes"), "POSITION"));
        xyz = view_at(glb, whole(accessor, "bufferView"), NULL);
        count = whole(accessor, "count");
        for (k = 0; k < count; k++, xyz += 12) {
            struct intra_vec3 p = intra_vec3(json_number_value(json_array_get(shift, 0)) + (double)f32_at(xyz),
                                             json_number_value(json_array_get(shift, 1)) + (double)f32_at(xyz + 4),
                                             json_number_value(json_array_get(shift, 2)) + (double)f32_at(xyz + 8));
            double distance = intra_norm(intra_sub(p, place));
            if (distance >= best) continue;
            best = distance;
            best_vertex = (size_t)k;
            best_primitive = primitive;
        }
    }
    *out_distance = best;
    uv = view_at(glb,
                 whole(item(glb, "accessors", whole(json_object_get(best_primitive, "attributes"), "TEXCOORD_0")),
                       "bufferView"),
                 NULL) +
         8 * best_vertex;
    u = (double)f32_at(uv);
    v = (double)f32_at(uv + 4);
    texture = whole(json_object_get(json_object_get(item(glb, "materials", whole(best_primitive, "material")),
                                                    "pbrMetallicRoughness"),
                                    "baseColorTexture"),
                    "index");
    image = whole(item(glb, "textures", texture), "source");
    jpeg = view_at(glb, whole(item(glb, "images", image), "bufferView"), &jpeg_size);
    pixels = decode_jpeg(jpeg, jpeg_size, &rows, &cols);
    memcpy(out_rgb, pixels + 3 * ((size_t)fmin(v * rows, rows - 1) * (size_t)cols + (size_t)(u * cols)), 3);
    free(pixels);
}

static void check_marks(const struct glb *glb, int tolerance)
{
    int m, k;
    for (m = 0; m < MADE_MARKS; m++) {
        double distance;
        uint8_t rgb[3];
        colour_at(glb, mark_place(&made_marks[m]), &distance, rgb);
        assert_true(distance < 0.03);
        for (k = 0; k < 3; k++)
            assert_in_range(abs(rgb[k] - made_marks[m].rgb[k]), 0, tolerance);
    }
}

static void glb_says_what_it_is(void **state)
{
    struct intra_mesh_options options = intra_mesh_defaults();
    struct glb glb;
    char path[512];
    json_t *nodes, *extras;
    size_t i;
    (void)state;
    write_glb(&options, "model.glb", path, sizeof path);
    open_glb(&glb, path);
    nodes = json_object_get(glb.root, "nodes");
    assert_int_equal(json_array_size(nodes), 4 + 3);
    assert_string_equal(json_string_value(json_object_get(json_array_get(nodes, 0), "name")), "wall 0.00-1.00 m");
    assert_string_equal(json_string_value(json_object_get(json_array_get(nodes, 2), "name")), "wall 2.00-2.30 m");
    for (i = 0; i < 4; i++) {
        extras = json_object_get(json_array_get(nodes, i), "extras");
        assert_true(number(extras, "station_to_m") > number(extras, "station_from_m"));
        assert_true(fabs(number(extras, "texel_mm") - 2) < 0.01);
    }
    for (i = 4; i < 7; i++) { /* the joints at 1, 2 and 3 m, on the axis of the bend */
        json_t *node = json_array_get(nodes, i), *at = json_object_get(node, "translation");
        double s = (double)i - 3;
        extras = json_object_get(node, "extras");
        assert_string_equal(json_string_value(json_object_get(extras, "kind")), "joint");
        assert_true(fabs(number(extras, "station_m") - s) < 1e-9 &&
                    fabs(number(extras, "station_sd_m") - 0.002) < 1e-9);
        assert_true(fabs(number(extras, "gap_mm") - 8) < 1e-9);
        if (i > 4)
            assert_true(fabs(number(extras, "offset_mm") - 14) < 1e-9 &&
                        fabs(number(extras, "offset_clock_deg") - 90) < 1e-9);
        else
            assert_true(json_is_null(json_object_get(extras, "offset_mm")));
        assert_true(json_is_null(json_object_get(extras, "confidence")));
        assert_true(fabs(json_number_value(json_array_get(at, 0)) - sin(0.04 * s) / 0.04) < 1e-4);
        assert_true(fabs(json_number_value(json_array_get(at, 1))) < 1e-4);
        assert_true(fabs(json_number_value(json_array_get(at, 2)) + (1 - cos(0.04 * s)) / 0.04) < 1e-4);
    }
    /* 100 mm x 100 mm of the first metre was not seen */
    assert_true(fabs(number(json_object_get(json_array_get(nodes, 0), "extras"), "seen_pct") - 98.94) < 0.1);
    extras = json_object_get(item(&glb, "scenes", 0), "extras");
    assert_true(fabs(number(extras, "nominal_diameter_mm") - 300) < 1e-9);
    assert_true(json_is_false(json_object_get(extras, "is_diameter_assumed")));
    assert_true(json_is_true(json_object_get(extras, "is_lens_assumed")));
    assert_memory_equal(json_string_value(json_object_get(json_object_get(glb.root, "asset"), "generator")),
                        "Intrados ", 9);
    check_marks(&glb, 12);
    close_glb(&glb);
}

static void glb_keeps_its_budget(void **state)
{
    static const size_t budgets[] = {1500000, 400000, 150000, 70000};
    struct intra_mesh_options options = intra_mesh_defaults();
    struct intra_error err = {0};
    struct glb glb;
    char path[512];
    size_t i;
    (void)state;
    for (i = 0; i < sizeof budgets / sizeof *budgets; i++) {
        options.max_bytes = budgets[i];
        write_glb(&options, "small.glb", path, sizeof path);
        print_message("budget %zu: %ld bytes\n", budgets[i], made_file_size(path));
        assert_true(made_file_size(path) <= (long)budgets[i]);
        assert_true(made_file_size(path) >= (long)(0.7 * (double)budgets[i])); /* and does not waste it */
        if (budgets[i] < 100000) continue;                                     /* too coarse for marks of 8 cm */
        open_glb(&glb, path);
        check_marks(&glb, 60);
        close_glb(&glb);
    }
    options.max_bytes = 50000;
    options.texel_m = 0.002; /* textures alone are larger */
    remove(path);
    assert_int_equal(intra_export_glb(&scene, &options, path, &err), INTRA_E_ARG);
    assert_int_equal(made_file_size(path), -1);
}

static void glb_with_fixed_density(void **state)
{
    struct intra_mesh_options options = intra_mesh_defaults();
    struct glb glb;
    char path[512];
    json_t *primitive;
    (void)state;
    options.texel_m = 0.004;
    options.step_m = 0.05;
    options.segments = 20;
    options.max_bytes = 50000; /* everything is said: the budget has nothing to choose */
    write_glb(&options, "fixed.glb", path, sizeof path);
    open_glb(&glb, path);
    primitive = json_array_get(json_object_get(item(&glb, "meshes", 0), "primitives"), 0);
    assert_int_equal(
        whole(item(&glb, "accessors", whole(json_object_get(primitive, "attributes"), "POSITION")), "count"), 21 * 21);
    assert_true(fabs(number(json_object_get(item(&glb, "nodes", 0), "extras"), "texel_mm") - 4) < 0.05);
    close_glb(&glb);
    /* More than 65535 vertices a chunk take wide indices. */
    options = intra_mesh_defaults();
    options.step_m = 0.002;
    options.segments = 200;
    write_glb(&options, "fine.glb", path, sizeof path);
    open_glb(&glb, path);
    primitive = json_array_get(json_object_get(item(&glb, "meshes", 0), "primitives"), 0);
    assert_int_equal(whole(item(&glb, "accessors", whole(primitive, "indices")), "componentType"), 5125);
    check_marks(&glb, 12);
    close_glb(&glb);
}

static void glb_same_bytes_for_any_threads(void **state)
{
#ifndef _OPENMP
    (void)state;
    skip();
#else
    struct intra_mesh_options options = intra_mesh_defaults();
    struct glb one, more;
    char path[512];
    int before = omp_get_max_threads();
    (void)state;
    options.max_bytes = 600000;
    omp_set_num_threads(1);
    write_glb(&options, "one.glb", path, sizeof path);
    open_glb(&one, path);
    omp_set_num_threads(3);
    write_glb(&options, "three.glb", path, sizeof path);
    open_glb(&more, path);
    omp_set_num_threads(before);
    assert_int_equal(one.size, more.size);
    assert_memory_equal(one.bytes, more.bytes, one.size);
    close_glb(&one);
    close_glb(&more);
#endif
}

/* The OBJ's vertex nearest to each mark, its texture coordinate, its picture. */
static void obj_shows_the_marks(void **state)
{
    struct intra_mesh_options options = intra_mesh_defaults();
    struct intra_error err = {0};
    char path[512], line[256], texture[64];
    int m, k;
    (void)state;
    assert_int_equal(intra_export_obj(&scene, &options, made_path(path, sizeof path, folder, "model.obj"), &err),
                     INTRA_OK);
    for (m = 0; m < MADE_MARKS; m++) {
        struct intra_vec3 place = mark_place(&made_marks[m]);
        double best = 1e9, u = 0, v = 0;
        long vertex = 0, coordinate = 0, best_vertex = -1, chunk = -1, best_chunk = -1;
        FILE *in = fopen(path, "r");
        uint8_t *pixels;
        char *jpeg;
        size_t size;
        int rows, cols;
        while (fgets(line, sizeof line, in)) {
            double x, y, z;
            if (line[0] == 'o') chunk++;
            if (sscanf(line, "v %lf %lf %lf", &x, &y, &z) == 3) {
                double distance = intra_norm(intra_sub(intra_vec3(x, y, z), place));
                vertex++;
                if (distance < best) {
                    best = distance;
                    best_vertex = vertex;
                    best_chunk = chunk;
                }
            } else if (sscanf(line, "vt %lf %lf", &x, &y) == 2 && ++coordinate == best_vertex) {
                u = x;
                v = y;
            }
        }
        fclose(in);
        assert_true(best < 0.01);
        snprintf(texture, sizeof texture, "model_%03ld.jpg", best_chunk);
        assert_int_equal(intra_read_file(made_path(path, sizeof path, folder, texture), 1 << 24, &jpeg, &size, &err),
                         INTRA_OK);
        pixels = decode_jpeg((const unsigned char *)jpeg, size, &rows, &cols);
        for (k = 0; k < 3; k++)
            assert_in_range(
                abs(pixels[3 * ((size_t)fmin((1 - v) * rows, rows - 1) * (size_t)cols + (size_t)(u * cols)) +
                           (size_t)k] -
                    made_marks[m].rgb[k]),
                0, 12);
        free(pixels);
        intra_free(jpeg);
        made_path(path, sizeof path, folder, "model.obj");
    }
    made_path(path, sizeof path, folder, "model.mtl");
    assert_true(made_file_size(path) > 100);
    assert_int_equal(intra_export_obj(&scene, &options, "model.txt", &err), INTRA_E_ARG);
}

static int compare_edges(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void ply_is_welded(void **state)
{
    struct intra_mesh_options options = intra_mesh_defaults();
    struct intra_error err = {0};
    char path[512], *text, *body;
    size_t size, vertices = 0, faces = 0, i, n = 0, open = 0;
    const unsigned char *at;
    uint64_t *edges;
    int segments = 0, m, k;
    (void)state;
    options.step_m = 0.02;
    options.segments = segments = 60;
    assert_int_equal(intra_export_ply(&scene, &options, made_path(path, sizeof path, folder, "model.ply"), &err),
                     INTRA_OK);
    assert_int_equal(intra_read_file(path, 1 << 28, &text, &size, &err), INTRA_OK);
    body = strstr(text, "end_header\n") + strlen("end_header\n");
    sscanf(strstr(text, "element vertex"), "element vertex %zu", &vertices);
    sscanf(strstr(text, "element face"), "element face %zu", &faces);
    assert_int_equal((size_t)(body - text) + 27 * vertices + 13 * faces, size);
    /* Two stretches, 2.3 m and 1.2 m: rings that chunks share are there once. */
    assert_int_equal(vertices, (size_t)((115 + 1) + (60 + 1)) * (size_t)segments);
    edges = malloc(3 * faces * sizeof *edges);
    for (i = 0, at = (const unsigned char *)body + 27 * vertices; i < faces; i++, at += 13) {
        assert_int_equal(at[0], 3);
        for (k = 0; k < 3; k++) {
            uint64_t a = u32_at((const char *)at + 1 + 4 * k), b = u32_at((const char *)at + 1 + 4 * ((k + 1) % 3));
            assert_true(a < vertices && b < vertices && a != b);
            edges[n++] = a < b ? a << 32 | b : b << 32 | a;
        }
    }
    qsort(edges, n, sizeof *edges, compare_edges);
    for (i = 0; i < n;) {
        size_t run = 1;
        while (i + run < n && edges[i + run] == edges[i])
            run++;
        assert_in_range(run, 1, 2);
        open += run == 1;
        i += run;
    }
    assert_int_equal(open, 4 * segments); /* the four ends, and no other hole */
    for (m = 0; m < MADE_MARKS; m++) {
        struct intra_vec3 turned = mark_place(&made_marks[m]), place = intra_vec3(turned.x, -turned.z, turned.y);
        const unsigned char *best_at = NULL;
        double best = 1e9;
        for (i = 0, at = (const unsigned char *)body; i < vertices; i++, at += 27) {
            struct intra_vec3 p = intra_vec3((double)f32_at(at), (double)f32_at(at + 4), (double)f32_at(at + 8));
            double distance = intra_norm(intra_sub(p, place));
            if (distance >= best) continue;
            best = distance;
            best_at = at;
        }
        assert_true(best < 0.015);
        for (k = 0; k < 3; k++)
            assert_in_range(abs(best_at[24 + k] - made_marks[m].rgb[k]), 0, 2);
    }
    free(edges);
    intra_free(text);
}

static void gltf_names_its_binary_part(void **state)
{
    struct intra_mesh_options options = intra_mesh_defaults();
    struct intra_error err = {0};
    char path[1024], *bin;
    size_t size;
    json_t *root, *buffer;
    (void)state;
    made_path(path, sizeof path, folder, "a b%.gltf");
    assert_int_equal(intra_export_glb(&scene, &options, path, &err), INTRA_OK);
    root = json_load_file(path, 0, NULL);
    assert_non_null(root);
    buffer = json_array_get(json_object_get(root, "buffers"), 0);
    assert_string_equal(json_string_value(json_object_get(buffer, "uri")), "a%20b%25.bin");
    made_path(path, sizeof path, folder, "a b%.bin");
    assert_int_equal(intra_read_file(path, 1 << 28, &bin, &size, &err), INTRA_OK);
    assert_int_equal(size, json_integer_value(json_object_get(buffer, "byteLength")));
    intra_free(bin);
    json_decref(root);
}

static void foreign_model_wants_its_own_ending(void **state)
{
    struct intra_mesh_options options = intra_mesh_defaults();
    struct intra_error err = {0};
    char path[1024];
    (void)state;
    made_path(path, sizeof path, folder, "pipe.obj");
    assert_int_equal(intra_export_foreign(&scene, &options, INTRA_FOREIGN_STL, path, &err), INTRA_E_ARG);
    assert_non_null(strstr(err.text, ".stl"));
    made_path(path, sizeof path, folder, "no such folder/pipe.stl");
    assert_int_equal(intra_export_foreign(&scene, &options, INTRA_FOREIGN_STL, path, &err), INTRA_E_IO);
    assert_non_null(strstr(err.text, "no such folder"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(glb_says_what_it_is),        cmocka_unit_test(glb_keeps_its_budget),
        cmocka_unit_test(glb_with_fixed_density),     cmocka_unit_test(glb_same_bytes_for_any_threads),
        cmocka_unit_test(obj_shows_the_marks),        cmocka_unit_test(ply_is_welded),
        cmocka_unit_test(gltf_names_its_binary_part), cmocka_unit_test(foreign_model_wants_its_own_ending),
    };
    return cmocka_run_group_tests_name("models", tests, make_scene, drop_scene);
}
