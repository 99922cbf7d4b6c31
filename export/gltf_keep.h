/* The wall of a GLB that was written before, for one with other observations. For export/gltf.c. */
#ifndef INTRA_EXPORT_GLTF_KEEP_H
#define INTRA_EXPORT_GLTF_KEEP_H

#include "export/mesh.h"

struct intra_gltf_kept {
    uint8_t *bytes;         /* the whole file; owns what the chunks point to */
    double step_m, texel_m; /* densities of its plan */
    int segments;
    struct intra_gltf_kept_chunk {
        char name[64];
        const uint8_t *jpeg;
        size_t jpeg_size;
        const uint8_t *positions, *normals; /* float VEC3, not aligned */
        int64_t n_vertices;
        double origin[3]; /* Y up, as all in the file */
        int width, height;
        double seen_share;
    } * chunks;
    int64_t n_chunks;
};

/* Take a GLB apart. False (and nothing to free) where the file is not there, or is none as this program writes it. */
bool intra_gltf_keep(const char *path, struct intra_gltf_kept *out);
/* Whether its chunks are those of the plan, texture by texture and vertex by vertex. */
bool intra_gltf_kept_fits(const struct intra_gltf_kept *kept, const struct intra_mesh_plan *plan);
/* Places of a chunk's vertices, and the share of it that was seen, into one that has none. */
void intra_gltf_kept_places(const struct intra_gltf_kept_chunk *kept, struct intra_mesh_chunk *chunk);
void intra_gltf_kept_fini(struct intra_gltf_kept *kept);

/* Name of a chunk's node, mesh, material and texture. */
void intra_gltf_chunk_name(const struct intra_mesh_chunk_plan *piece, char *out, size_t n);

#endif
