#include "export/gltf_keep.h"

#include "core/mem.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { HEAD = 20, CHUNK_HEAD = 8 };

void intra_gltf_chunk_name(const struct intra_mesh_chunk_plan *piece, char *out, size_t n)
{
    snprintf(out, n, "wall %.2f-%.2f m", piece->station_from_m, piece->station_to_m);
}

static uint32_t u32_at(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint8_t *read_bytes(const char *path, size_t *out_size)
{
    FILE *from = fopen(path, "rb");
    uint8_t *bytes = NULL;
    long size;
    if (!from) return NULL;
    if (fseek(from, 0, SEEK_END) == 0 && (size = ftell(from)) > HEAD + CHUNK_HEAD && size < 1l << 28 &&
        fseek(from, 0, SEEK_SET) == 0 && (bytes = intra_alloc((size_t)size, 1)) != NULL) {
        *out_size = fread(bytes, 1, (size_t)size, from);
        if (*out_size != (size_t)size) {
            intra_free(bytes);
            bytes = NULL;
        }
    }
    fclose(from);
    return bytes;
}

/* Width and height stand in the frame header (SOF0 to SOF2) of a JPEG. */
static bool jpeg_size(const uint8_t *p, size_t n, int *width, int *height)
{
    if (n < 4 || p[0] != 0xff || p[1] != 0xd8) return false;
    for (size_t at = 2; at + 9 < n && p[at] == 0xff;) {
        size_t length = (size_t)p[at + 2] << 8 | p[at + 3];
        if (p[at + 1] >= 0xc0 && p[at + 1] <= 0xc2) {
            *height = p[at + 5] << 8 | p[at + 6];
            *width = p[at + 7] << 8 | p[at + 8];
            return true;
        }
        at += 2 + length;
    }
    return false;
}

static json_t *item(json_t *root, const char *array, json_t *index)
{
    return json_is_integer(index) ? json_array_get(json_object_get(root, array), (size_t)json_integer_value(index))
                                  : NULL;
}

/* The picture of a node: mesh, material, texture, image, view. */
static bool find_picture(json_t *root, json_t *node, const uint8_t *bin, size_t bin_size,
                         struct intra_gltf_kept_chunk *out)
{
    json_t *mesh = item(root, "meshes", json_object_get(node, "mesh"));
    json_t *primitive = json_array_get(json_object_get(mesh, "primitives"), 0);
    json_t *material = item(root, "materials", json_object_get(primitive, "material"));
    json_t *colour = json_object_get(json_object_get(material, "pbrMetallicRoughness"), "baseColorTexture");
    json_t *texture = item(root, "textures", json_object_get(colour, "index"));
    json_t *image = item(root, "images", json_object_get(texture, "source"));
    json_t *view = item(root, "bufferViews", json_object_get(image, "bufferView"));
    json_int_t offset = json_integer_value(json_object_get(view, "byteOffset"));
    json_int_t length = json_integer_value(json_object_get(view, "byteLength"));
    const char *type = json_string_value(json_object_get(image, "mimeType"));
    if (!type || strcmp(type, "image/jpeg") != 0 || offset < 0 || length <= 0 ||
        (uint64_t)offset + (uint64_t)length > bin_size)
        return false;
    out->jpeg = bin + offset;
    out->jpeg_size = (size_t)length;
    return jpeg_size(out->jpeg, out->jpeg_size, &out->width, &out->height);
}

/* An attribute of a node's mesh: n vertices of three floats, without a stride. */
static const uint8_t *find_vertices(json_t *root, json_t *node, const char *attribute, const uint8_t *bin,
                                    size_t bin_size, int64_t *out_n)
{
    enum { FLOAT = 5126, VERTEX = 12 };
    json_t *mesh = item(root, "meshes", json_object_get(node, "mesh"));
    json_t *primitive = json_array_get(json_object_get(mesh, "primitives"), 0);
    json_t *accessor = item(root, "accessors", json_object_get(json_object_get(primitive, "attributes"), attribute));
    json_t *view = item(root, "bufferViews", json_object_get(accessor, "bufferView"));
    json_int_t offset = json_integer_value(json_object_get(view, "byteOffset")),
               n = json_integer_value(json_object_get(accessor, "count"));
    const char *type = json_string_value(json_object_get(accessor, "type"));
    if (!type || strcmp(type, "VEC3") != 0 || !view || json_object_get(accessor, "byteOffset") ||
        json_object_get(view, "byteStride") ||
        json_integer_value(json_object_get(accessor, "componentType")) != FLOAT || offset < 0 || n <= 0 ||
        (uint64_t)offset > bin_size || (uint64_t)n > (bin_size - (uint64_t)offset) / VERTEX)
        return NULL;
    *out_n = n;
    return bin + offset;
}

static bool find_places(json_t *root, json_t *node, const uint8_t *bin, size_t bin_size,
                        struct intra_gltf_kept_chunk *out)
{
    json_t *origin = json_object_get(node, "translation");
    int64_t n = 0;
    out->positions = find_vertices(root, node, "POSITION", bin, bin_size, &out->n_vertices);
    out->normals = find_vertices(root, node, "NORMAL", bin, bin_size, &n);
    if (!out->positions || !out->normals || n != out->n_vertices || json_array_size(origin) != 3) return false;
    for (size_t k = 0; k < 3; k++)
        out->origin[k] = json_number_value(json_array_get(origin, k));
    return true;
}

static bool read_chunks(json_t *root, const uint8_t *bin, size_t bin_size, struct intra_gltf_kept *out)
{
    json_t *nodes = json_object_get(root, "nodes"), *node;
    json_t *mesh =
        json_object_get(json_object_get(json_array_get(json_object_get(root, "scenes"), 0), "extras"), "mesh");
    size_t k;
    out->step_m = json_number_value(json_object_get(mesh, "step_m"));
    out->texel_m = json_number_value(json_object_get(mesh, "texel_m"));
    out->segments = (int)json_integer_value(json_object_get(mesh, "segments"));
    if (!(out->step_m > 0) || !(out->texel_m > 0) || out->segments < 3) return false;
    out->chunks = intra_alloc(json_array_size(nodes) + 1, sizeof *out->chunks);
    if (!out->chunks) return false;
    json_array_foreach(nodes, k, node)
    {
        json_t *extras = json_object_get(node, "extras");
        const char *kind = json_string_value(json_object_get(extras, "kind"));
        const char *name = json_string_value(json_object_get(node, "name"));
        struct intra_gltf_kept_chunk *chunk = &out->chunks[out->n_chunks];
        if (!kind || !name || strcmp(kind, "wall") != 0) continue;
        if (!find_picture(root, node, bin, bin_size, chunk) || !find_places(root, node, bin, bin_size, chunk))
            return false;
        snprintf(chunk->name, sizeof chunk->name, "%s", name);
        chunk->seen_share = json_number_value(json_object_get(extras, "seen_pct")) / 100;
        out->n_chunks++;
    }
    return out->n_chunks > 0;
}

bool intra_gltf_keep(const char *path, struct intra_gltf_kept *out)
{
    size_t size = 0, json_size, bin_size;
    uint8_t *bytes = read_bytes(path, &size);
    json_t *root = NULL;
    bool is_good = false;
    *out = (struct intra_gltf_kept){.bytes = bytes};
    if (!bytes) return false;
    json_size = u32_at(bytes + 12);
    if (memcmp(bytes, "glTF", 4) == 0 && u32_at(bytes + 4) == 2 && memcmp(bytes + 16, "JSON", 4) == 0 &&
        json_size < size - HEAD - CHUNK_HEAD) {
        const uint8_t *head = bytes + HEAD + json_size;
        bin_size = u32_at(head);
        root = json_loadb((const char *)bytes + HEAD, json_size, 0, NULL);
        is_good = root && memcmp(head + 4, "BIN", 4) == 0 && bin_size <= size - HEAD - CHUNK_HEAD - json_size &&
                  read_chunks(root, head + CHUNK_HEAD, bin_size, out);
    }
    json_decref(root);
    if (!is_good) intra_gltf_kept_fini(out);
    return is_good;
}

bool intra_gltf_kept_fits(const struct intra_gltf_kept *kept, const struct intra_mesh_plan *plan)
{
    if (kept->n_chunks != plan->n_chunks) return false;
    for (int64_t i = 0; i < plan->n_chunks; i++) {
        const struct intra_gltf_kept_chunk *chunk = &kept->chunks[i];
        char name[64];
        intra_gltf_chunk_name(&plan->chunks[i], name, sizeof name);
        if (strcmp(chunk->name, name) != 0 || chunk->width != plan->chunks[i].texture_width ||
            chunk->height != plan->chunks[i].texture_height ||
            chunk->n_vertices != (int64_t)plan->chunks[i].rings * (plan->segments + 1))
            return false;
    }
    return true;
}

void intra_gltf_kept_places(const struct intra_gltf_kept_chunk *kept, struct intra_mesh_chunk *chunk)
{
    memcpy(chunk->origin, kept->origin, sizeof chunk->origin);
    memcpy(chunk->positions, kept->positions, 3 * (size_t)kept->n_vertices * sizeof *chunk->positions);
    memcpy(chunk->normals, kept->normals, 3 * (size_t)kept->n_vertices * sizeof *chunk->normals);
    chunk->seen_share = kept->seen_share;
}

void intra_gltf_kept_fini(struct intra_gltf_kept *kept)
{
    intra_free(kept->bytes);
    intra_free(kept->chunks);
    *kept = (struct intra_gltf_kept){0};
}
