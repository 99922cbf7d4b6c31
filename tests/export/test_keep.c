/* Proves: a model and a page that are made from earlier ones of the same wall, with other observations, are byte for
 * byte those that are made from the wall (on a wall small enough that the size budget decides nothing); on one where it
 * does, their pictures are those of the earlier file; a damaged earlier file, one of another wall or no file at all
 * makes no difference. Does not prove that it is faster. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/fileio.h"
#include "export/export.h"
#include "export/report.h"
#include "glb.h"
#include "made_record.h"
#include "made_scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char folder[256];
static struct intra_scene scene, other;
static struct intra_record record;

static int make_scenes(void **state)
{
    struct made_pipe made = made_pipe_defaults();
    (void)state;
    made_folder(folder, sizeof folder);
    made.texel_m = 0.003;
    made_scene_init(&scene, &made, folder);
    made_record_init(&record, made.start_m);
    made.length_m *= 0.75;
    made_scene_init(&other, &made, folder);
    return 0;
}

static int drop_scenes(void **state)
{
    (void)state;
    intra_record_fini(&record);
    intra_scene_fini(&scene);
    intra_scene_fini(&other);
    made_remove_folder(folder);
    return 0;
}

static const char *at(const char *name)
{
    static char paths[8][512];
    static int next;
    char *path = paths[next++ % 8];
    return made_path(path, sizeof paths[0], folder, name);
}

enum what { GLB, OBJ, PAGE };

/* has_record: with the observations. max_bytes 0: the default. */
static void write_file(const struct intra_scene *of, enum what what, bool has_record, size_t max_bytes,
                       const char *kept, const char *name)
{
    struct intra_error err = {0};
    struct intra_mesh_options mesh = intra_mesh_defaults();
    struct intra_report_options page = intra_report_defaults();
    enum intra_status status;
    if (max_bytes) mesh.max_bytes = page.max_bytes = max_bytes;
    mesh.kept = page.kept = kept ? at(kept) : NULL;
    if (has_record) {
        mesh.inspections = page.inspections = record.inspections;
        mesh.n_inspections = page.n_inspections = record.n_inspections;
    }
    status = what == GLB   ? intra_export_glb(of, &mesh, at(name), &err)
             : what == OBJ ? intra_export_obj(of, &mesh, at(name), &err)
                           : intra_export_report(of, &page, at(name), NULL, &err);
    if (status != INTRA_OK) fail_msg("%s: %s", name, err.text);
}

static char *read_file(const char *name, size_t *out_size)
{
    FILE *f = fopen(at(name), "rb");
    long size;
    char *bytes;
    if (!f) fail_msg("%s is not there", name);
    fseek(f, 0, SEEK_END);
    size = ftell(f);
    rewind(f);
    bytes = malloc((size_t)size + 1);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, (size_t)size, f), size);
    fclose(f);
    *out_size = (size_t)size;
    return bytes;
}

static void assert_same_files(const char *a, const char *b)
{
    size_t n, m;
    char *p = read_file(a, &n), *q = read_file(b, &m);
    if (n != m || memcmp(p, q, n) != 0) fail_msg("%s (%zu bytes) and %s (%zu bytes) differ", a, n, b, m);
    free(p);
    free(q);
}

static void copy_part(const char *from, const char *to, size_t n)
{
    size_t size;
    char *bytes = read_file(from, &size);
    FILE *f = fopen(at(to), "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n < size ? n : size, f), n < size ? n : size);
    fclose(f);
    free(bytes);
}

static const struct {
    enum what what;
    const char *bare, *full, *damaged, *again;
} files[] = {{GLB, "bare.glb", "full.glb", "damaged.glb", "again.glb"},
             {OBJ, "same.obj", "same.obj", "damaged.obj", "again.obj"},
             {PAGE, "bare.html", "full.html", "damaged.html", "again.html"}};
enum { N_FILES = sizeof files / sizeof files[0] };

static bool can_write(enum what what)
{
    return what != PAGE || intra_report_is_built_in();
}

/* An OBJ names its materials by its own name: it keeps one, and is copied aside. */
static void kept_is_as_made_anew(void **state)
{
    (void)state;
    for (int i = 0; i < N_FILES; i++) {
        if (!can_write(files[i].what)) continue;
        write_file(&scene, files[i].what, true, 0, NULL, files[i].full);
        copy_part(files[i].full, "wanted", SIZE_MAX);
        write_file(&scene, files[i].what, false, 0, NULL, files[i].bare);
        copy_part(files[i].bare, "bare", SIZE_MAX);
        write_file(&scene, files[i].what, true, 0, files[i].bare, files[i].bare); /* in its own place */
        assert_same_files("wanted", files[i].bare);
        write_file(&scene, files[i].what, false, 0, files[i].bare, files[i].bare); /* and back */
        assert_same_files("bare", files[i].bare);
    }
}

static void damaged_and_foreign_make_no_difference(void **state)
{
    (void)state;
    for (int i = 0; i < N_FILES; i++) {
        size_t size;
        if (!can_write(files[i].what)) continue;
        write_file(&scene, files[i].what, true, 0, NULL, files[i].again);
        copy_part(files[i].again, "wanted", SIZE_MAX);
        free(read_file(files[i].again, &size));
        for (int k = 0; k <= 5; k++) {
            copy_part(files[i].again, files[i].damaged, size * (size_t)k / 6);
            write_file(&scene, files[i].what, true, 0, files[i].damaged, files[i].again);
            assert_same_files("wanted", files[i].again);
        }
        write_file(&other, files[i].what, true, 0, NULL, files[i].damaged);
        write_file(&scene, files[i].what, true, 0, files[i].damaged, files[i].again);
        assert_same_files("wanted", files[i].again);
        write_file(&scene, files[i].what, true, 0, "nothing", files[i].again);
        assert_same_files("wanted", files[i].again);
    }
}

/* A digit of the wall that is changed in the earlier file stands in the later one: it was not made from the wall. */
static void the_wall_comes_from_the_earlier_file(void **state)
{
    static const char *const digits[] = {[OBJ] = "\nv 0.", [PAGE] = "id=\"relief\">"};
    (void)state;
    for (int i = OBJ; i <= PAGE; i++) {
        size_t size, n = strlen(digits[i]);
        char *bytes, *digit;
        if (!can_write(files[i].what)) continue;
        write_file(&scene, files[i].what, false, 0, NULL, files[i].bare);
        bytes = read_file(files[i].bare, &size);
        bytes[size] = 0;
        digit = strstr(bytes, digits[i]);
        assert_non_null(digit);
        digit[n + 1] = digit[n + 1] == '1' ? '2' : '1';
        FILE *f = fopen(at(files[i].bare), "wb");
        assert_non_null(f);
        assert_int_equal(fwrite(bytes, 1, size, f), size);
        fclose(f);
        write_file(&scene, files[i].what, true, 0, files[i].bare, files[i].bare);
        char *later = read_file(files[i].bare, &size);
        assert_memory_equal(later + (digit - bytes), digit, n + 2);
        free(later);
        free(bytes);
    }
}

/* The JPEG of the k-th wall node. */
static const unsigned char *wall_picture(const struct glb *glb, int k, size_t *out_size)
{
    json_t *node;
    size_t i;
    json_array_foreach(json_object_get(glb->root, "nodes"), i, node)
    {
        const char *kind = json_string_value(json_object_get(json_object_get(node, "extras"), "kind"));
        if (!kind || strcmp(kind, "wall") != 0 || k-- > 0) continue;
        json_t *mesh = item(glb, "meshes", whole(node, "mesh"));
        json_t *primitive = json_array_get(json_object_get(mesh, "primitives"), 0);
        json_t *material = item(glb, "materials", whole(primitive, "material"));
        json_t *colour = json_object_get(json_object_get(material, "pbrMetallicRoughness"), "baseColorTexture");
        json_t *image = item(glb, "images", whole(item(glb, "textures", whole(colour, "index")), "source"));
        return view_at(glb, whole(image, "bufferView"), out_size);
    }
    return NULL;
}

/* The same of a vertex of model.glb. */
static void vertices_come_from_the_earlier_file(void **state)
{
    struct glb a, b;
    const unsigned char *p;
    size_t place, n;
    (void)state;
    write_file(&scene, GLB, false, 0, NULL, "bare.glb");
    open_glb(&a, at("bare.glb"));
    p = view_at(&a, 0, &n); /* positions of the first chunk */
    place = (size_t)(p - (const unsigned char *)a.bytes) + 12 * 5;
    a.bytes[place] ^= 1;
    FILE *f = fopen(at("bare.glb"), "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(a.bytes, 1, a.size, f), a.size);
    fclose(f);
    write_file(&scene, GLB, true, 0, "bare.glb", "bare.glb");
    open_glb(&b, at("bare.glb"));
    assert_memory_equal(view_at(&b, 0, NULL), p, n);
    close_glb(&a);
    close_glb(&b);
}

/* A budget that makes the wall coarser: with the observations it would be coarser still, but the earlier pictures fit.
 */
static void pictures_are_kept_within_the_budget(void **state)
{
    struct glb a, b;
    size_t n, m;
    int k = 0;
    (void)state;
    write_file(&scene, GLB, false, 400000, NULL, "small.glb");
    write_file(&scene, GLB, true, 1000000, "small.glb", "more.glb");
    assert_in_range(made_file_size(at("more.glb")), made_file_size(at("small.glb")), 1000000);
    open_glb(&a, at("small.glb"));
    open_glb(&b, at("more.glb"));
    for (;; k++) {
        const unsigned char *p = wall_picture(&a, k, &n), *q = wall_picture(&b, k, &m);
        assert_int_equal(p == NULL, q == NULL);
        if (!p) break;
        assert_int_equal(n, m);
        assert_memory_equal(p, q, n);
    }
    assert_true(k > 0);
    close_glb(&a);
    close_glb(&b);
    /* No room for them: made anew, within the budget. */
    write_file(&scene, GLB, true, 400000, "small.glb", "tight.glb");
    assert_in_range(made_file_size(at("tight.glb")), 100000, 400000);
    open_glb(&a, at("tight.glb"));
    close_glb(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(kept_is_as_made_anew),
                                       cmocka_unit_test(the_wall_comes_from_the_earlier_file),
                                       cmocka_unit_test(vertices_come_from_the_earlier_file),
                                       cmocka_unit_test(damaged_and_foreign_make_no_difference),
                                       cmocka_unit_test(pictures_are_kept_within_the_budget)};
    return cmocka_run_group_tests(tests, make_scenes, drop_scenes);
}
