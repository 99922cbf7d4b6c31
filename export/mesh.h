/* The wall as a mesh in chunks: which stretches, how dense, then one chunk at a time, so that memory does not grow with
 * the pipe. What the three mesh formats share. */
#ifndef INTRA_EXPORT_MESH_H
#define INTRA_EXPORT_MESH_H

#include "core/image.h"
#include "export/export.h"

/* Texture columns beyond each end of a chunk, so that filtering at the border sees the neighbour's wall. */
enum { INTRA_MESH_GUTTER_PX = 4 };

struct intra_mesh_chunk_plan {
    int64_t col_from, col_to; /* columns of the wall: chunks are cut between them */
    double station_from_m, station_to_m;
    bool has_previous, has_next;       /* the neighbour shares the border ring; false at the ends and at gaps */
    int rings;                         /* vertex rings along s, at least 2 */
    int texture_width, texture_height; /* pixels, gutters included */
};

struct intra_mesh_plan {
    const struct intra_scene *scene; /* borrowed */
    struct intra_mesh_options options;
    double step_m; /* aimed at; each chunk divides its length evenly */
    int segments;
    double texel_m; /* aimed at */
    struct intra_mesh_chunk_plan *chunks;
    int64_t n_chunks;
    double area_m2; /* of the wall that is meshed */
};

/* Densities and chunks for `options`. What the options leave open comes from the size budget: `shrink` (1 at first)
 * coarsens it when a written file came out too large. Texture bytes per pixel are measured on a few chunks. Errors:
 * INTRA_E_ARG (options), INTRA_E_NO_RESULT (no wall in the stretch), INTRA_E_MEM, INTRA_E_IO. */
enum intra_status intra_mesh_plan_init(struct intra_mesh_plan *plan, const struct intra_scene *scene,
                                       const struct intra_mesh_options *options, double shrink,
                                       struct intra_error *err);
void intra_mesh_plan_fini(struct intra_mesh_plan *plan);

/* Vertices in rings: vertex (ring, j) at index ring * columns + j; column `segments` repeats column 0 where the texture
 * is cut. Coordinates are Z-up world, metres, relative to `origin`. origin + position is exact in double, and the same
 * for both owners of a border ring. */
struct intra_mesh_chunk {
    double origin[3];
    int rings, columns;
    float *positions;  /* 3 a vertex */
    float *normals;    /* 3 a vertex, unit, to the inside */
    float *uvs;        /* 2 a vertex, (0,0) at the top left of the texture */
    uint32_t *indices; /* triangles, counter-clockwise seen from the inside */
    int64_t n_vertices, n_indices;
    struct intra_view_u8 texture; /* sRGB */
    double seen_share;            /* of the texture without gutters */
};

/* Geometry of chunk `i`; the texture stays empty. fini accepts a zeroed struct. */
enum intra_status intra_mesh_chunk_init(struct intra_mesh_chunk *chunk, const struct intra_mesh_plan *plan, int64_t i,
                                        struct intra_error *err);
/* The same, but places are left to the caller: origin, positions and normals are zero. Reads nothing of the wall. */
enum intra_status intra_mesh_chunk_init_placeless(struct intra_mesh_chunk *chunk, const struct intra_mesh_plan *plan,
                                                  int64_t i, struct intra_error *err);
/* The texture of chunk `i`, unseen wall hatched. */
enum intra_status intra_mesh_chunk_paint(struct intra_mesh_chunk *chunk, const struct intra_mesh_plan *plan, int64_t i,
                                         struct intra_error *err);
/* Turn Z-up into Y-up: (x, y, z) -> (x, z, -y). */
void intra_mesh_chunk_turn_y_up(struct intra_mesh_chunk *chunk);
void intra_mesh_chunk_fini(struct intra_mesh_chunk *chunk);

/* The column of the wall on which a vertex ring lies. */
double intra_mesh_ring_column(const struct intra_mesh_chunk_plan *piece, int ring);

/* Whether a mean over an area, of which the share seen_alpha / 255 was seen, is good enough to show. */
bool intra_mesh_is_seen(uint8_t seen_alpha);
/* The grey that stands for unseen wall: diagonal stripes. turn: 0 to 1 around the pipe from the cut. */
uint8_t intra_mesh_hatch(double station_m, double turn, double perimeter_m, double period_m);

#endif
