#include "export/gltf_writer.h"

#include "core/mem.h"
#include "export/text.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

enum { U16 = 5123, U32 = 5125 };

bool intra_gltf_writer_init(struct intra_gltf_writer *w, FILE *bin)
{
    json_t **arrays[] = {&w->views,     &w->accessors, &w->images, &w->textures,   &w->samplers,
                         &w->materials, &w->meshes,    &w->nodes,  &w->scene_nodes};
    memset(w, 0, sizeof *w);
    w->bin = bin;
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        if (!(*arrays[i] = json_array())) return false;
    return true;
}

void intra_gltf_writer_fini(struct intra_gltf_writer *w)
{
    json_decref(w->views);
    json_decref(w->accessors);
    json_decref(w->images);
    json_decref(w->textures);
    json_decref(w->samplers);
    json_decref(w->materials);
    json_decref(w->meshes);
    json_decref(w->nodes);
    json_decref(w->scene_nodes);
}

json_int_t intra_gltf_push(struct intra_gltf_writer *w, json_t *array, json_t *item)
{
    if (json_array_append_new(array, item) != 0) w->is_failed = true;
    return (json_int_t)json_array_size(array) - 1;
}

void intra_gltf_push_node(struct intra_gltf_writer *w, json_t *node)
{
    intra_gltf_push(w, w->scene_nodes, json_integer((json_int_t)json_array_size(w->nodes)));
    intra_gltf_push(w, w->nodes, node);
}

json_int_t intra_gltf_put_view(struct intra_gltf_writer *w, const void *data, size_t bytes, int target)
{
    static const char zeros[8];
    json_t *view =
        json_pack("{s:i,s:I,s:I}", "buffer", 0, "byteOffset", (json_int_t)w->bin_size, "byteLength", (json_int_t)bytes);
    if (target) json_object_set_new(view, "target", json_integer(target));
    fwrite(data, 1, bytes, w->bin);
    fwrite(zeros, 1, (8 - bytes % 8) % 8, w->bin);
    w->bin_size += (bytes + 7) / 8 * 8;
    return intra_gltf_push(w, w->views, view);
}

json_int_t intra_gltf_put_accessor(struct intra_gltf_writer *w, json_int_t view, int component, int64_t count,
                                   const char *type)
{
    return intra_gltf_push(w, w->accessors,
                           json_pack("{s:I,s:i,s:I,s:s}", "bufferView", view, "componentType", component, "count",
                                     (json_int_t)count, "type", type));
}

json_int_t intra_gltf_put_positions(struct intra_gltf_writer *w, const float *xyz, int64_t n)
{
    json_int_t accessor = intra_gltf_put_accessor(w, intra_gltf_put_view(w, xyz, (size_t)n * 12, INTRA_GLTF_ARRAY),
                                                  INTRA_GLTF_FLOAT, n, "VEC3");
    float low[3] = {xyz[0], xyz[1], xyz[2]}, high[3] = {xyz[0], xyz[1], xyz[2]};
    json_t *object = json_array_get(w->accessors, (size_t)accessor);
    int64_t i;
    int k;
    for (i = 0; i < n; i++) {
        for (k = 0; k < 3; k++) {
            low[k] = fminf(low[k], xyz[3 * i + k]);
            high[k] = fmaxf(high[k], xyz[3 * i + k]);
        }
    }
    json_object_set_new(object, "min", json_pack("[f,f,f]", (double)low[0], (double)low[1], (double)low[2]));
    json_object_set_new(object, "max", json_pack("[f,f,f]", (double)high[0], (double)high[1], (double)high[2]));
    return accessor;
}

enum intra_status intra_gltf_put_indices(struct intra_gltf_writer *w, const uint32_t *indices, int64_t n,
                                         int64_t n_vertices, json_int_t *out_accessor, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    uint16_t *narrow = NULL;
    if (n_vertices > 65535) { /* 65535 itself means "restart" */
        *out_accessor = intra_gltf_put_accessor(w, intra_gltf_put_view(w, indices, (size_t)n * 4, INTRA_GLTF_ELEMENTS),
                                                U32, n, "SCALAR");
        return INTRA_OK;
    }
    INTRA_TRY(INTRA_ALLOC(narrow, (size_t)n, err));
    for (int64_t i = 0; i < n; i++)
        narrow[i] = (uint16_t)indices[i];
    *out_accessor = intra_gltf_put_accessor(w, intra_gltf_put_view(w, narrow, (size_t)n * 2, INTRA_GLTF_ELEMENTS), U16,
                                            n, "SCALAR");
done:
    intra_free(narrow);
    return status;
}

json_int_t intra_gltf_put_texture(struct intra_gltf_writer *w, const void *image, size_t bytes, const char *mime_type,
                                  const char *name, json_int_t sampler)
{
    json_int_t view = intra_gltf_put_view(w, image, bytes, 0);
    json_int_t source = intra_gltf_push(
        w, w->images, json_pack("{s:I,s:s,s:s}", "bufferView", view, "mimeType", mime_type, "name", name));
    return intra_gltf_push(w, w->textures, json_pack("{s:I,s:I}", "sampler", sampler, "source", source));
}

double intra_gltf_tidy(double value, double unit)
{
    return round(value / unit) * unit;
}

json_t *intra_gltf_number(double value, double unit)
{
    return isfinite(value) ? json_real(intra_gltf_tidy(value, unit)) : json_null();
}

void intra_gltf_set_text(struct intra_gltf_writer *w, json_t *object, const char *key, const char *text,
                         size_t max_bytes)
{
    char *copy = text ? intra_text_utf8(text, max_bytes) : NULL;
    json_t *item = text ? copy ? json_string(copy) : NULL : json_null();
    if (json_object_set_new(object, key, item) != 0) w->is_failed = true;
    intra_free(copy);
}
