/* The parts of a glTF document while it is written: JSON arrays in memory, the binary part as a stream. Of gltf*.c
 * only. */
#ifndef INTRA_EXPORT_GLTF_WRITER_H
#define INTRA_EXPORT_GLTF_WRITER_H

#include "core/status.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json_t;

enum { INTRA_GLTF_ARRAY = 34962, INTRA_GLTF_ELEMENTS = 34963, INTRA_GLTF_FLOAT = 5126 };

struct intra_gltf_writer {
    FILE *bin; /* borrowed; write errors stay in it */
    uint64_t bin_size;
    struct json_t *views, *accessors, *images, *textures, *samplers, *materials, *meshes, *nodes, *scene_nodes;
    bool is_failed; /* an item could not be made: out of memory */
};

/* False: out of memory. fini accepts a zeroed struct. */
bool intra_gltf_writer_init(struct intra_gltf_writer *w, FILE *bin);
void intra_gltf_writer_fini(struct intra_gltf_writer *w);

/* Takes over `item`, which may be NULL (out of memory). Returns its index. */
long long intra_gltf_push(struct intra_gltf_writer *w, struct json_t *array, struct json_t *item);
/* A node of the scene's top level. */
void intra_gltf_push_node(struct intra_gltf_writer *w, struct json_t *node);
/* Append to the binary part, which stays a multiple of eight long; target 0: none. Returns the index of the view. */
long long intra_gltf_put_view(struct intra_gltf_writer *w, const void *data, size_t bytes, int target);
long long intra_gltf_put_accessor(struct intra_gltf_writer *w, long long view, int component, int64_t count,
                                  const char *type);
/* n > 0 points of three floats, with their bounds. */
long long intra_gltf_put_positions(struct intra_gltf_writer *w, const float *xyz, int64_t n);
/* Narrow where n_vertices allows it. Errors: INTRA_E_MEM. */
enum intra_status intra_gltf_put_indices(struct intra_gltf_writer *w, const uint32_t *indices, int64_t n,
                                         int64_t n_vertices, long long *out_accessor, struct intra_error *err);
/* Returns the index of the texture. */
long long intra_gltf_put_texture(struct intra_gltf_writer *w, const void *image, size_t bytes, const char *mime_type,
                                 const char *name, long long sampler);

/* A number as people read it: so many decimals and no 0.30000000000000004. */
double intra_gltf_tidy(double value, double unit);
/* null where not finite. */
struct json_t *intra_gltf_number(double value, double unit);
/* object[key] = valid UTF-8 of at most max_bytes; null where text is NULL. */
void intra_gltf_set_text(struct intra_gltf_writer *w, struct json_t *object, const char *key, const char *text,
                         size_t max_bytes);

#endif
