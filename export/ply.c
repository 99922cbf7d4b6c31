/* model.ply: one welded mesh, binary little endian, with the wall's colour at the vertices. Pipe world as it is, Z-up:
 * the same numbers as in trajectory.tum. Chunks follow each other and share their border rings, so a stretch without
 * gap is one connected surface. */
#include "core/fileio.h"
#include "core/mem.h"
#include "export/mesh.h"
#include "export/wallread.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static void put_f32(uint8_t *to, float value)
{
    uint32_t bits;
    int i;
    memcpy(&bits, &value, sizeof bits);
    for (i = 0; i < 4; i++)
        to[i] = (uint8_t)(bits >> (8 * i));
}

static void put_i32(uint8_t *to, int32_t value)
{
    int i;
    for (i = 0; i < 4; i++)
        to[i] = (uint8_t)((uint32_t)value >> (8 * i));
}

/* Colour of each vertex, the mean over one mesh cell around it: out (segments, rings, 4). */
static enum intra_status paint_vertices(const struct intra_mesh_plan *plan, const struct intra_mesh_chunk_plan *piece,
                                        uint8_t *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_wall *wall = &plan->scene->wall;
    double rows_per_segment = (double)wall->rows / plan->segments;
    struct intra_wall_grid grid = {.nx = piece->rings,
                                   .ny = plan->segments,
                                   .row_first = 0,
                                   .row_step = rows_per_segment,
                                   .row_width = rows_per_segment,
                                   .col_width = fmax(1, plan->step_m / wall->texel_m)};
    double *columns = NULL;
    int ring;
    INTRA_TRY(INTRA_ALLOC(columns, (size_t)piece->rings, err));
    for (ring = 0; ring < piece->rings; ring++)
        columns[ring] = intra_mesh_ring_column(piece, ring);
    grid.col_centre = columns;
    INTRA_TRY(intra_wall_mean_colour(wall, &grid, out, err));
done:
    intra_free(columns);
    return status;
}

static void put_vertex(FILE *stream, const struct intra_mesh_plan *plan, const struct intra_mesh_chunk *chunk,
                       const struct intra_mesh_chunk_plan *piece, const uint8_t *colours, int ring, int j)
{
    const struct intra_wall *wall = &plan->scene->wall;
    size_t vertex = (size_t)ring * (size_t)chunk->columns + (size_t)j;
    const uint8_t *rgba = colours + 4 * ((size_t)j * (size_t)chunk->rings + (size_t)ring);
    uint8_t record[27];
    int k;
    for (k = 0; k < 3; k++) {
        put_f32(record + 4 * k, (float)(chunk->origin[k] + (double)chunk->positions[3 * vertex + (size_t)k]));
        put_f32(record + 12 + 4 * k, chunk->normals[3 * vertex + (size_t)k]);
    }
    memcpy(record + 24, rgba, 3);
    if (!intra_mesh_is_seen(rgba[3])) {
        double station = wall->station0_m + intra_mesh_ring_column(piece, ring) * wall->texel_m;
        memset(record + 24, intra_mesh_hatch(station, (double)j / plan->segments, wall->perimeter_m, 4 * plan->step_m),
               3);
    }
    fwrite(record, 1, sizeof record, stream);
}

static void put_faces(FILE *stream, const struct intra_mesh_plan *plan, const struct intra_mesh_chunk_plan *piece,
                      int64_t first)
{
    int n = plan->segments, ring, j;
    for (ring = 0; ring + 1 < piece->rings; ring++) {
        for (j = 0; j < n; j++) {
            int32_t a = (int32_t)(first + (int64_t)ring * n + j),
                    d = (int32_t)(first + (int64_t)ring * n + (j + 1) % n);
            const int32_t corners[2][3] = {{a, a + n, d + n}, {a, d + n, d}};
            uint8_t record[26];
            int t, k;
            for (t = 0; t < 2; t++) {
                record[13 * t] = 3;
                for (k = 0; k < 3; k++)
                    put_i32(record + 13 * t + 1 + 4 * k, corners[t][k]);
            }
            fwrite(record, 1, sizeof record, stream);
        }
    }
}

static void put_header(FILE *stream, const struct intra_mesh_plan *plan, int64_t vertices, int64_t faces)
{
    fprintf(stream,
            "ply\nformat binary_little_endian 1.0\ncomment Intrados %s\n"
            "comment metres; Z up, X along the pipe's axis at its start; nominal diameter %.1f mm\n"
            "element vertex %" PRId64 "\nproperty float x\nproperty float y\nproperty float z\n"
            "property float nx\nproperty float ny\nproperty float nz\n"
            "property uchar red\nproperty uchar green\nproperty uchar blue\n"
            "element face %" PRId64 "\nproperty list uchar int vertex_indices\nend_header\n",
            INTRADOS_VERSION, 1000 * plan->scene->nominal_diameter_m, vertices, faces);
}

enum intra_status intra_export_ply(const struct intra_scene *scene, const struct intra_mesh_options *options,
                                   const char *path, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_mesh_plan plan = {0};
    struct intra_mesh_chunk chunk = {0};
    struct intra_out_file file = {0};
    uint8_t *colours = NULL;
    int64_t vertices = 0, faces = 0, next = 0, i;
    INTRA_TRY(intra_mesh_plan_init(&plan, scene, options, 1, err));
    for (i = 0; i < plan.n_chunks; i++) {
        const struct intra_mesh_chunk_plan *piece = &plan.chunks[i];
        vertices += (int64_t)(piece->rings - piece->has_previous) * plan.segments;
        faces += 2 * (int64_t)(piece->rings - 1) * plan.segments;
    }
    if (vertices > INT32_MAX) {
        status = INTRA_FAIL(err, INTRA_E_ARG, "%s: too many vertices for PLY (%" PRId64 "); choose a coarser step",
                            path, vertices);
        goto done;
    }
    INTRA_TRY(intra_out_file_open(&file, path, err));
    put_header(file.stream, &plan, vertices, faces);
    for (i = 0; i < plan.n_chunks && !ferror(file.stream); i++) {
        const struct intra_mesh_chunk_plan *piece = &plan.chunks[i];
        int ring, j;
        INTRA_TRY(intra_mesh_chunk_init(&chunk, &plan, i, err));
        INTRA_TRY(INTRA_ALLOC(colours, (size_t)piece->rings * (size_t)plan.segments * 4, err));
        INTRA_TRY(paint_vertices(&plan, piece, colours, err));
        for (ring = piece->has_previous; ring < piece->rings; ring++)
            for (j = 0; j < plan.segments; j++)
                put_vertex(file.stream, &plan, &chunk, piece, colours, ring, j);
        intra_free(colours);
        colours = NULL;
        intra_mesh_chunk_fini(&chunk);
    }
    for (i = 0; i < plan.n_chunks && !ferror(file.stream); i++) {
        const struct intra_mesh_chunk_plan *piece = &plan.chunks[i];
        if (piece->has_previous) next -= plan.segments; /* the ring shared with the chunk before */
        put_faces(file.stream, &plan, piece, next);
        next += (int64_t)piece->rings * plan.segments;
    }
    INTRA_TRY(intra_out_file_commit(&file, err));
done:
    intra_out_file_abandon(&file);
    intra_free(colours);
    intra_mesh_chunk_fini(&chunk);
    intra_mesh_plan_fini(&plan);
    return status;
}
