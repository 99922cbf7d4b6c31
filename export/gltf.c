/* model.glb: glTF 2.0 in one binary file, one node, mesh, material and texture per chunk.
 *
 * Written by hand with jansson: extras, the unlit extension and exact numbers are three things that a general exporter
 * takes away. The binary part streams into a scratch file beside the target while the JSON grows in memory, then both
 * are joined; so memory is one chunk plus about two kilobytes for each.
 *
 * Joints are nodes of their own, with their stations as extras; so are observations (gltf_marks.c).
 *
 * Material: unlit, since the texture is the camera's own light already evened out; viewers without KHR_materials_unlit
 * get a rough dielectric. Single-sided: from the inside the wall is there, from the outside one looks through the near
 * side at the far wall, where the defects are. */
#include "core/fileio.h"
#include "core/mem.h"
#include "export/gltf_keep.h"
#include "export/gltf_marks.h"

#include <ctype.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <string.h>
#include <strings.h>

enum { LINEAR = 9729, NEAREST = 9728, LINEAR_MIPMAP_LINEAR = 9987, CLAMP = 33071, REPEAT = 10497 };
enum { MAX_ATTEMPTS = 8, HEADER_BYTES = 28 };

static json_int_t put_material(struct intra_gltf_writer *w, json_int_t texture, const char *name)
{
    return intra_gltf_push(w, w->materials,
                           json_pack("{s:s,s:{s:{s:I},s:i,s:i},s:{s:{}}}", "name", name, "pbrMetallicRoughness",
                                     "baseColorTexture", "index", texture, "metallicFactor", 0, "roughnessFactor", 1,
                                     "extensions", "KHR_materials_unlit"));
}

/* kept: an earlier file with the same chunks, whose vertices and textures go in; NULL: they are made from the wall. */
static enum intra_status put_chunk(struct intra_gltf_writer *w, const struct intra_mesh_plan *plan, int64_t i,
                                   const struct intra_mark_list *marks, const struct intra_gltf_kept *kept,
                                   struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_mesh_chunk_plan *piece = &plan->chunks[i];
    const struct intra_wall *wall = &plan->scene->wall;
    struct intra_mesh_chunk chunk = {0};
    double along_mm = 1000 * wall->texel_m * (double)(piece->col_to - piece->col_from) /
                      (piece->texture_width - 2 * INTRA_MESH_GUTTER_PX);
    json_int_t positions, normals, uvs, indices, texture, material, mesh;
    json_t *features = NULL, *primitive;
    size_t jpeg_size = 0;
    uint8_t *jpeg = NULL;
    char name[64];
    intra_gltf_chunk_name(piece, name, sizeof name);
    if (!kept) {
        INTRA_TRY(intra_mesh_chunk_init(&chunk, plan, i, err));
        INTRA_TRY(intra_mesh_chunk_paint(&chunk, plan, i, err));
        INTRA_TRY(intra_image_encode_jpeg(&chunk.texture, plan->options.jpeg_quality, &jpeg, &jpeg_size, err));
        intra_mesh_chunk_turn_y_up(&chunk);
    } else {
        INTRA_TRY(intra_mesh_chunk_init_placeless(&chunk, plan, i, err));
        intra_gltf_kept_places(&kept->chunks[i], &chunk);
    }
    positions = intra_gltf_put_positions(w, chunk.positions, chunk.n_vertices);
    normals = intra_gltf_put_accessor(
        w, intra_gltf_put_view(w, chunk.normals, (size_t)chunk.n_vertices * 12, INTRA_GLTF_ARRAY), INTRA_GLTF_FLOAT,
        chunk.n_vertices, "VEC3");
    uvs = intra_gltf_put_accessor(w, intra_gltf_put_view(w, chunk.uvs, (size_t)chunk.n_vertices * 8, INTRA_GLTF_ARRAY),
                                  INTRA_GLTF_FLOAT, chunk.n_vertices, "VEC2");
    INTRA_TRY(intra_gltf_put_indices(w, chunk.indices, chunk.n_indices, chunk.n_vertices, &indices, err));
    texture = intra_gltf_put_texture(w, kept ? kept->chunks[i].jpeg : jpeg,
                                     kept ? kept->chunks[i].jpeg_size : jpeg_size, "image/jpeg", name, 0);
    material = put_material(w, texture, name);
    if (marks->n) INTRA_TRY(intra_gltf_put_feature_ids(w, marks, plan, i, 1, &features, err));
    primitive = json_pack("{s:{s:I,s:I,s:I},s:I,s:I}", "attributes", "POSITION", positions, "NORMAL", normals,
                          "TEXCOORD_0", uvs, "indices", indices, "material", material);
    if (features) json_object_set_new(primitive, "extensions", features);
    mesh = intra_gltf_push(w, w->meshes, json_pack("{s:s,s:[o]}", "name", name, "primitives", primitive));
    intra_gltf_push_node(w, json_pack("{s:s,s:I,s:[f,f,f],s:{s:s,s:f,s:f,s:f,s:f,s:f}}", "name", name, "mesh", mesh,
                                      "translation", chunk.origin[0], chunk.origin[1], chunk.origin[2], "extras",
                                      "kind", "wall", "station_from_m", intra_gltf_tidy(piece->station_from_m, 1e-4),
                                      "station_to_m", intra_gltf_tidy(piece->station_to_m, 1e-4), "texel_mm",
                                      intra_gltf_tidy(along_mm, 1e-3), "texel_around_mm",
                                      intra_gltf_tidy(1000 * wall->perimeter_m / piece->texture_height, 1e-3),
                                      "seen_pct", intra_gltf_tidy(100 * chunk.seen_share, 1e-2)));
done:
    intra_free(jpeg);
    intra_mesh_chunk_fini(&chunk);
    return status;
}

static json_t *joint_extras(const struct intra_feature *joint)
{
    static const double MM = 1000, DEG = 180 / M_PI;
    json_t *extras = json_pack("{s:s,s:f,s:o}", "kind", "joint", "station_m", intra_gltf_tidy(joint->station_m, 1e-4),
                               "station_sd_m", intra_gltf_number(joint->station_sd_m, 1e-4));
    json_object_set_new(extras, "gap_mm", intra_gltf_number(MM * joint->gap_m, 0.01));
    json_object_set_new(extras, "gap_sd_mm", intra_gltf_number(MM * joint->gap_sd_m, 0.01));
    json_object_set_new(extras, "offset_mm", intra_gltf_number(MM * joint->offset_m, 0.01));
    json_object_set_new(extras, "offset_sd_mm", intra_gltf_number(MM * joint->offset_sd_m, 0.01));
    json_object_set_new(extras, "offset_clock_deg", intra_gltf_number(DEG * joint->offset_clock_rad, 0.1));
    json_object_set_new(extras, "deflection_deg", intra_gltf_number(DEG * joint->deflection_rad, 0.001));
    json_object_set_new(extras, "deflection_sd_deg", intra_gltf_number(DEG * joint->deflection_sd_rad, 0.001));
    json_object_set_new(extras, "confidence", intra_gltf_number(joint->confidence, 0.001));
    return extras;
}

static json_t *lateral_extras(const struct intra_feature *f)
{
    static const double MM = 1000, DEG = 180 / M_PI;
    json_t *extras = json_pack("{s:s,s:f,s:o}", "kind", "lateral", "station_m", intra_gltf_tidy(f->station_m, 1e-4),
                               "station_sd_m", intra_gltf_number(f->station_sd_m, 1e-4));
    json_object_set_new(extras, "clock_deg", intra_gltf_number(DEG * f->clock_rad, 0.1));
    json_object_set_new(extras, "clock_sd_deg", intra_gltf_number(DEG * f->clock_sd_rad, 0.1));
    json_object_set_new(extras, "diameter_mm", intra_gltf_number(MM * f->diameter_m, 0.01));
    json_object_set_new(extras, "diameter_sd_mm", intra_gltf_number(MM * f->diameter_sd_m, 0.01));
    json_object_set_new(extras, "intrusion_mm", intra_gltf_number(MM * f->intrusion_m, 0.01));
    json_object_set_new(extras, "intrusion_sd_mm", intra_gltf_number(MM * f->intrusion_sd_m, 0.01));
    json_object_set_new(extras, "confidence", intra_gltf_number(f->confidence, 0.001));
    return extras;
}

/* Of what runs along the pipe. */
static json_t *stretch_extras(const struct intra_feature *f)
{
    static const double DEG = 180 / M_PI;
    json_t *extras =
        json_pack("{s:s,s:f,s:o,s:o,s:o}", "kind", intra_feature_kind_name(f->kind), "station_from_m",
                  intra_gltf_tidy(f->station_m, 1e-4), "station_to_m", intra_gltf_number(f->station_to_m, 1e-4),
                  "station_from_sd_m", intra_gltf_number(f->station_sd_m, 1e-4), "station_to_sd_m",
                  intra_gltf_number(f->station_to_sd_m, 1e-4));
    if (f->kind == INTRA_FEATURE_BEND) {
        json_object_set_new(extras, "bend_deg", intra_gltf_number(DEG * f->angle_rad, 0.01));
        json_object_set_new(extras, "bend_sd_deg", intra_gltf_number(DEG * f->angle_sd_rad, 0.01));
        json_object_set_new(extras, "bend_radius_m", intra_gltf_number(f->radius_m, 0.001));
        json_object_set_new(extras, "bend_radius_sd_m", intra_gltf_number(f->radius_sd_m, 0.001));
        json_object_set_new(extras, "bend_clock_deg", intra_gltf_number(DEG * f->clock_rad, 0.1));
    } else {
        json_object_set_new(extras, "level_pct", intra_gltf_number(f->level_pct, 0.01));
        json_object_set_new(extras, "level_sd_pct", intra_gltf_number(f->level_sd_pct, 0.01));
    }
    json_object_set_new(extras, "confidence", intra_gltf_number(f->confidence, 0.001));
    return extras;
}

static json_t *feature_extras(const struct intra_feature *f)
{
    return f->kind == INTRA_FEATURE_JOINT     ? joint_extras(f)
           : f->kind == INTRA_FEATURE_LATERAL ? lateral_extras(f)
                                              : stretch_extras(f);
}

/* Where the node of a feature stands: a lateral on the wall in its mouth, others on the axis. */
static bool feature_point(const struct intra_scene *scene, const struct intra_feature *f, struct intra_vec3 *out)
{
    struct intra_vec3 crown, invert;
    if (f->kind == INTRA_FEATURE_LATERAL)
        return intra_scene_wall_point(scene, f->station_m, f->clock_rad, 0, out, NULL);
    if (!intra_scene_wall_point(scene, f->station_m, 0, 0, &crown, NULL) ||
        !intra_scene_wall_point(scene, f->station_m, M_PI, 0, &invert, NULL))
        return false;
    *out = intra_scale(intra_add(crown, invert), 0.5);
    return true;
}

/* Each feature of the stretch as a node without a mesh, to click on and to read from. */
static void put_features(struct intra_gltf_writer *w, const struct intra_mesh_plan *plan)
{
    const struct intra_scene *scene = plan->scene;
    double from = plan->chunks[0].station_from_m, to = plan->chunks[plan->n_chunks - 1].station_to_m;
    int64_t i;
    for (i = 0; i < scene->n_features; i++) {
        const struct intra_feature *f = &scene->features[i];
        struct intra_vec3 at;
        char name[64];
        if (f->station_m < from || f->station_m > to || !feature_point(scene, f, &at)) continue;
        snprintf(name, sizeof name, "%s %.2f m", intra_feature_kind_name(f->kind), f->station_m);
        intra_gltf_push_node(w, json_pack("{s:s,s:[f,f,f],s:o}", "name", name, "translation",
                                          intra_gltf_tidy(at.x, 1e-6), intra_gltf_tidy(at.z, 1e-6),
                                          intra_gltf_tidy(0.0 - at.y, 1e-6), "extras", feature_extras(f)));
    }
}

/* What a reader must know to trust the numbers. */
static json_t *scene_extras(const struct intra_mesh_plan *plan, const struct intra_mark_list *marks)
{
    const struct intra_scene *scene = plan->scene;
    json_t *extras =
        json_pack("{s:s,s:s,s:s,s:o,s:b,s:b,s:o}", "units", "metre", "axes",
                  "glTF is Y-up; pipe world is Z-up, X along the axis at its start: (x, y, z) there is (x, z, -y) here",
                  "clock", "12 is the crown, clockwise looking in the direction of rising station",
                  "nominal_diameter_mm", intra_gltf_number(1000 * scene->nominal_diameter_m, 1e-3),
                  "is_diameter_assumed", (int)scene->is_diameter_assumed, "is_lens_assumed",
                  (int)scene->camera.is_assumed, "start_station_m", intra_gltf_number(scene->start_station_m, 1e-4));
    json_object_set_new(extras, "length_m", intra_gltf_number(scene->length_m, 1e-4));
    json_object_set_new(extras, "length_sd_m", intra_gltf_number(scene->length_sd_m, 1e-4));
    json_object_set_new(extras, "lens_source", json_string(scene->camera.source));
    json_object_set_new(extras, "focal_sd_rel", intra_gltf_number(scene->camera.focal_sd_rel, 1e-5));
    /* A later file of the same wall is made with these, so that it can take the textures of this one. */
    json_object_set_new(
        extras, "mesh",
        json_pack("{s:f,s:i,s:f}", "step_m", plan->step_m, "segments", plan->segments, "texel_m", plan->texel_m));
    if (plan->options.n_inspections > 0) {
        json_object_set_new(extras, "observations", json_integer(marks->n));
        json_object_set_new(extras, "observations_not_placed", json_integer(marks->n_not_placed));
        json_object_set_new(extras, "observations_left_out", json_integer(marks->n_left_out));
    }
    return extras;
}

/* buffer_uri: where the binary part stands; NULL: in the same file. */
static json_t *document(struct intra_gltf_writer *w, const struct intra_mesh_plan *plan,
                        const struct intra_mark_list *marks, json_t *table, const char *buffer_uri)
{
    json_t *root = json_object(), *scene, *buffer;
    json_object_set_new(root, "asset",
                        json_pack("{s:s,s:s}", "version", "2.0", "generator", "Intrados " INTRADOS_VERSION));
    json_object_set_new(
        root, "extensionsUsed",
        table ? json_pack("[s,s,s]", "KHR_materials_unlit", "EXT_mesh_features", "EXT_structural_metadata")
              : json_pack("[s]", "KHR_materials_unlit"));
    if (table) json_object_set_new(root, "extensions", json_pack("{s:O}", "EXT_structural_metadata", table));
    scene = json_pack("{s:s,s:O,s:o}", "name", "pipe", "nodes", w->scene_nodes, "extras", scene_extras(plan, marks));
    json_object_set_new(root, "scene", json_integer(0));
    json_object_set_new(root, "scenes", json_pack("[o]", scene));
    json_object_set(root, "nodes", w->nodes);
    json_object_set(root, "meshes", w->meshes);
    json_object_set(root, "materials", w->materials);
    json_object_set(root, "textures", w->textures);
    json_object_set(root, "images", w->images);
    json_object_set(root, "samplers", w->samplers);
    json_object_set(root, "accessors", w->accessors);
    json_object_set(root, "bufferViews", w->views);
    buffer = json_pack("{s:I}", "byteLength", (json_int_t)w->bin_size);
    if (buffer_uri) json_object_set_new(buffer, "uri", json_string(buffer_uri));
    json_object_set_new(root, "buffers", json_pack("[o]", buffer));
    return root;
}

static void put_u32(FILE *stream, uint64_t value)
{
    int i;
    for (i = 0; i < 4; i++)
        fputc((int)(value >> (8 * i) & 255), stream);
}

/* Header, JSON chunk, binary chunk copied from the scratch file. */
static enum intra_status join(FILE *to, const char *json, size_t json_size, const char *bin_path, uint64_t bin_size,
                              const char *path, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    size_t padding = (4 - json_size % 4) % 4, got;
    uint64_t copied = 0;
    char block[1 << 16];
    FILE *bin = fopen(bin_path, "rb");
    if (!bin) return INTRA_FAIL(err, INTRA_E_IO, "%s: cannot read it back while writing %s", bin_path, path);
    fwrite("glTF", 1, 4, to);
    put_u32(to, 2);
    put_u32(to, HEADER_BYTES + json_size + padding + bin_size);
    put_u32(to, json_size + padding);
    fwrite("JSON", 1, 4, to);
    fwrite(json, 1, json_size, to);
    fwrite("   ", 1, padding, to);
    put_u32(to, bin_size);
    fwrite("BIN\0", 1, 4, to);
    while ((got = fread(block, 1, sizeof block, bin)) > 0)
        copied += fwrite(block, 1, got, to);
    /* A short write stays in the stream's error flag and is named at the commit. */
    if (copied != bin_size && !ferror(to))
        status = INTRA_FAIL(err, INTRA_E_IO, "%s: cannot read it back while writing %s", bin_path, path);
    fclose(bin);
    return status;
}

static bool is_split(const char *path)
{
    size_t n = strlen(path);
    return n > 5 && strcasecmp(path + n - 5, ".gltf") == 0;
}

/* Name of the binary part: beside a .gltf its stem with .bin, which stays; for a .glb scratch that is joined on. */
static bool name_bin(const char *path, char *out, size_t n)
{
    size_t length = strlen(path) - (is_split(path) ? 5 : 0);
    return snprintf(out, n, "%.*s.bin", (int)length, path) < (int)n;
}

/* The last part of a path as a URI (RFC 3986: all but unreserved characters as %XX). out: 3 bytes a character and one.
 */
static void put_uri(const char *path, char *out)
{
    const char *slash = strrchr(path, '/');
    for (const char *c = slash ? slash + 1 : path; *c; c++)
        if (isalnum((unsigned char)*c) || strchr("-._~", *c))
            *out++ = *c;
        else
            out += sprintf(out, "%%%02X", (unsigned char)*c);
    *out = '\0';
}

/* The first for colour; the second for row numbers, which have no middle. A sampler that nothing uses is not written.
 */
static void put_samplers(struct intra_gltf_writer *w, const struct intra_mark_list *marks)
{
    intra_gltf_push(w, w->samplers,
                    json_pack("{s:i,s:i,s:i,s:i}", "magFilter", LINEAR, "minFilter", LINEAR_MIPMAP_LINEAR, "wrapS",
                              CLAMP, "wrapT", REPEAT));
    if (marks->n > 0)
        intra_gltf_push(w, w->samplers,
                        json_pack("{s:i,s:i,s:i,s:i}", "magFilter", NEAREST, "minFilter", NEAREST, "wrapS", CLAMP,
                                  "wrapT", REPEAT));
}

/* One attempt. *out_bytes is the whole file's size; the file gets its final name only when that is within the budget or
 * nothing is left to choose. */
static enum intra_status write_once(const struct intra_mesh_plan *plan, const struct intra_mark_list *marks,
                                    const struct intra_gltf_kept *kept, const char *path, double limit,
                                    double *out_bytes, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_out_file file = {0}, scratch = {0};
    struct intra_gltf_writer writer = {0};
    struct intra_mark_surface surface = {0};
    json_t *root = NULL, *table = NULL;
    char *json = NULL, scratch_path[1024], uri[3 * sizeof scratch_path + 1];
    int64_t i;
    if (!name_bin(path, scratch_path, sizeof scratch_path))
        return INTRA_FAIL(err, INTRA_E_IO, "%.100s...: path is too long", path);
    INTRA_TRY(intra_out_file_open(&file, path, err));
    INTRA_TRY(intra_out_file_open(&scratch, scratch_path, err));
    if (!intra_gltf_writer_init(&writer, scratch.stream)) goto no_memory;
    put_samplers(&writer, marks);
    for (i = 0; i < plan->n_chunks; i++) {
        INTRA_TRY(put_chunk(&writer, plan, i, marks, kept, err));
        if (ferror(scratch.stream)) break; /* full: no use in going on */
    }
    put_features(&writer, plan);
    if (marks->n > 0) {
        INTRA_TRY(intra_mark_surface_init(&surface, marks, plan, err));
        INTRA_TRY(intra_gltf_put_marks(&writer, marks, &surface, err));
        INTRA_TRY(intra_gltf_put_table(&writer, marks, &table, err));
    }
    put_uri(scratch_path, uri);
    root = document(&writer, plan, marks, table, is_split(path) ? uri : NULL);
    /* 15 digits: exact for all our rounded coordinates, short for the rest. */
    json = root && !writer.is_failed ? json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(15)) : NULL;
    if (!json) goto no_memory;
    *out_bytes = HEADER_BYTES + (double)((strlen(json) + 3) / 4 * 4) + (double)writer.bin_size;
    if (*out_bytes > (double)UINT32_MAX) {
        status = INTRA_FAIL(err, INTRA_E_ARG,
                            "%s: a GLB ends at 4 GB, this one would have %.1f; choose a shorter range or "
                            "a coarser texel",
                            path, *out_bytes / 1e9);
        goto done;
    }
    if (*out_bytes > limit) goto done;
    if (is_split(path)) {
        INTRA_TRY(intra_out_file_commit(&scratch, err));
        fwrite(json, 1, strlen(json), file.stream);
        INTRA_TRY(intra_out_file_commit(&file, err));
        goto done;
    }
    if (fflush(scratch.stream) != 0 || ferror(scratch.stream)) {
        INTRA_TRY(intra_out_file_commit(&scratch, err)); /* names the reason */
    }
    INTRA_TRY(join(file.stream, json, strlen(json), scratch.part, writer.bin_size, path, err));
    INTRA_TRY(intra_out_file_commit(&file, err));
    goto done;
no_memory:
    status = INTRA_FAIL(err, INTRA_E_MEM, "%s: out of memory for the JSON part", path);
done:
    free(json);
    json_decref(root);
    json_decref(table);
    intra_mark_surface_fini(&surface);
    intra_gltf_writer_fini(&writer);
    intra_out_file_abandon(&scratch);
    intra_out_file_abandon(&file);
    return status;
}

/* With the wall of an earlier file. *out_done: it stands; else nothing happened: they do not fit, or there is no
 * room for the observations beside them. */
static enum intra_status write_kept(const struct intra_scene *scene, const struct intra_mesh_options *options,
                                    const struct intra_mark_list *marks, const char *path, double limit, bool *out_done,
                                    struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_gltf_kept kept;
    struct intra_mesh_plan plan = {0};
    struct intra_mesh_options fixed = *options;
    double bytes = INFINITY;
    *out_done = false;
    if (!intra_gltf_keep(options->kept, &kept)) return INTRA_OK;
    fixed.step_m = kept.step_m;
    fixed.segments = kept.segments;
    fixed.texel_m = kept.texel_m;
    INTRA_TRY(intra_mesh_plan_init(&plan, scene, &fixed, 1, err));
    if (intra_gltf_kept_fits(&kept, &plan)) INTRA_TRY(write_once(&plan, marks, &kept, path, limit, &bytes, err));
    *out_done = bytes <= limit;
done:
    intra_mesh_plan_fini(&plan);
    intra_gltf_kept_fini(&kept);
    return status;
}

enum intra_status intra_export_glb(const struct intra_scene *scene, const struct intra_mesh_options *options,
                                   const char *path, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_mesh_plan plan = {0};
    struct intra_mark_list marks = {0};
    struct intra_mesh_options wall_options = *options;
    bool is_fixed = options->texel_m > 0 && options->step_m > 0 && options->segments > 0;
    double limit = is_fixed ? INFINITY : (double)options->max_bytes, shrink = 1;
    int attempt;
    bool is_done = false;
    INTRA_TRY(intra_mark_list_init(&marks, scene, options, err));
    if (options->kept && !is_fixed) INTRA_TRY(write_kept(scene, options, &marks, path, limit, &is_done, err));
    if (is_done) goto done;
    if (options->max_bytes > 100000) wall_options.max_bytes -= (size_t)marks.bytes; /* a quarter at most */
    for (attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
        double bytes = 0;
        INTRA_TRY(intra_mesh_plan_init(&plan, scene, &wall_options, shrink, err));
        INTRA_TRY(write_once(&plan, &marks, NULL, path, limit, &bytes, err));
        if (bytes <= limit) goto done;
        shrink *= fmax(1.05, 1.03 * bytes / limit);
        intra_mesh_plan_fini(&plan);
    }
    status = INTRA_FAIL(err, INTRA_E_ARG, "%s: the wall does not fit %zu bytes; allow more, or choose a shorter range",
                        path, options->max_bytes);
done:
    intra_mesh_plan_fini(&plan);
    intra_mark_list_fini(&marks);
    return status;
}
