/* One chunk of the wall: vertices on the true surface (section plus relief), normals, texture coordinates, texture.
 *
 * No cracks: a border ring is a function of its station alone. Positions are rounded to 2^-18 m in the world and
 * origins to 2^-10 m, so that origin + position, both exact, give the same point for both neighbours; normals at a
 * border come from rings one step before and behind it, whichever chunk they lie in. */
#include "export/mesh.h"

#include "core/mem.h"
#include "export/wallread.h"

#include <math.h>
#include <string.h>

static const double POSITION_UNIT_M = 1.0 / (1 << 18), ORIGIN_UNIT_M = 1.0 / (1 << 10);

static double turn_of(const struct intra_mesh_plan *plan, int j)
{
    return plan->scene->wall.cut_rad + 2 * M_PI * j / plan->segments;
}

double intra_mesh_ring_column(const struct intra_mesh_chunk_plan *piece, int ring)
{
    if (ring == piece->rings - 1) return (double)piece->col_to;
    return (double)piece->col_from + (double)(piece->col_to - piece->col_from) * ring / (piece->rings - 1);
}

/* Points of n rings at the given columns: out[ring * segments + j], world. NaN where there is no section. The relief of
 * a vertex is the mean over one mesh cell around it. */
static enum intra_status measure_rings(const struct intra_mesh_plan *plan, const double *columns, int n,
                                       struct intra_vec3 *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_wall *wall = &plan->scene->wall;
    const struct intra_wall_grid grid = {.col_centre = columns,
                                         .nx = n,
                                         .ny = plan->segments,
                                         .row_first = 0,
                                         .row_step = (double)wall->rows / plan->segments,
                                         .row_width = (double)wall->rows / plan->segments,
                                         .col_width = fmax(1, plan->step_m / wall->texel_m)};
    float *relief = NULL;
    int ring;
    INTRA_TRY(INTRA_ALLOC(relief, (size_t)n * (size_t)plan->segments, err));
    INTRA_TRY(intra_wall_mean_relief(wall, &grid, relief, err));
#pragma omp parallel for schedule(static) if (n > 8)
    for (ring = 0; ring < n; ring++) {
        double station = wall->station0_m + columns[ring] * wall->texel_m;
        int j;
        for (j = 0; j < plan->segments; j++) {
            struct intra_vec3 *point = &out[(size_t)ring * (size_t)plan->segments + (size_t)j];
            double r = relief[(size_t)j * (size_t)n + (size_t)ring];
            if (!intra_scene_wall_point(plan->scene, station, turn_of(plan, j), isfinite(r) ? r : 0, point, NULL))
                *point = intra_vec3(NAN, NAN, NAN);
        }
    }
done:
    intra_free(relief);
    return status;
}

/* d point / d s, not scaled, for each vertex of a ring: from the rings one step before and behind it, one-sided where
 * the pipe ends. `own`: the ring itself. */
static enum intra_status border_slopes(const struct intra_mesh_plan *plan, int64_t column, bool has_before,
                                       bool has_behind, const struct intra_vec3 *own, struct intra_vec3 *out,
                                       struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    double step = plan->step_m / plan->scene->wall.texel_m;
    const double columns[2] = {(double)column - step, (double)column + step};
    struct intra_vec3 *rings = NULL;
    int j, n = plan->segments;
    INTRA_TRY(INTRA_ALLOC(rings, 2 * (size_t)n, err));
    INTRA_TRY(measure_rings(plan, columns, 2, rings, err));
    for (j = 0; j < n; j++) {
        bool before = has_before && isfinite(rings[j].x), behind = has_behind && isfinite(rings[n + j].x);
        out[j] = intra_sub(behind ? rings[n + j] : own[j], before ? rings[j] : own[j]);
    }
done:
    intra_free(rings);
    return status;
}

static void put_normal(const struct intra_vec3 *ring, int n, int j, struct intra_vec3 along, float out[3])
{
    struct intra_vec3 around = intra_sub(ring[(j + 1) % n], ring[(j + n - 1) % n]);
    /* theta runs clockwise looking along +s: along x around points to the inside. */
    struct intra_vec3 normal = intra_unit(intra_cross(along, around));
    out[0] = (float)normal.x;
    out[1] = (float)normal.y;
    out[2] = (float)normal.z;
}

static void put_vertices(struct intra_mesh_chunk *chunk, const struct intra_vec3 *points,
                         const struct intra_vec3 *first_slope, const struct intra_vec3 *last_slope)
{
    int ring, n = chunk->columns - 1, k;
    for (ring = 0; ring < chunk->rings; ring++) {
        const struct intra_vec3 *own = points + (size_t)ring * (size_t)n;
        int j;
        for (j = 0; j <= n; j++) {
            int at = j % n;
            size_t vertex = (size_t)ring * (size_t)chunk->columns + (size_t)j;
            const double p[3] = {own[at].x, own[at].y, own[at].z};
            struct intra_vec3 along = ring == 0                  ? first_slope[at]
                                      : ring == chunk->rings - 1 ? last_slope[at]
                                                                 : intra_sub(own[n + at], own[at - n]);
            for (k = 0; k < 3; k++)
                chunk->positions[3 * vertex + (size_t)k] =
                    (float)(round(p[k] / POSITION_UNIT_M) * POSITION_UNIT_M - chunk->origin[k]);
            put_normal(own, n, at, along, chunk->normals + 3 * vertex);
        }
    }
}

static void put_uvs(struct intra_mesh_chunk *chunk, const struct intra_mesh_plan *plan,
                    const struct intra_mesh_chunk_plan *piece)
{
    double pixels = piece->texture_width - 2 * INTRA_MESH_GUTTER_PX;
    int ring, j;
    for (ring = 0; ring < chunk->rings; ring++) {
        double along =
            (intra_mesh_ring_column(piece, ring) - (double)piece->col_from) / (double)(piece->col_to - piece->col_from);
        for (j = 0; j < chunk->columns; j++) {
            float *uv = chunk->uvs + 2 * ((size_t)ring * (size_t)chunk->columns + (size_t)j);
            uv[0] = (float)((INTRA_MESH_GUTTER_PX + along * pixels) / piece->texture_width);
            uv[1] = (float)j / (float)plan->segments;
        }
    }
}

static void put_triangles(struct intra_mesh_chunk *chunk)
{
    uint32_t *to = chunk->indices;
    uint32_t columns = (uint32_t)chunk->columns, ring, j;
    for (ring = 0; ring + 1 < (uint32_t)chunk->rings; ring++) {
        for (j = 0; j + 1 < columns; j++) {
            uint32_t a = ring * columns + j, b = a + columns, c = b + 1, d = a + 1;
            const uint32_t corners[6] = {a, b, c, a, c, d};
            memcpy(to, corners, sizeof corners);
            to += 6;
        }
    }
}

enum intra_status intra_mesh_chunk_init_placeless(struct intra_mesh_chunk *chunk, const struct intra_mesh_plan *plan,
                                                  int64_t i, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_mesh_chunk_plan *piece = &plan->chunks[i];
    memset(chunk, 0, sizeof *chunk);
    chunk->rings = piece->rings;
    chunk->columns = plan->segments + 1;
    chunk->n_vertices = (int64_t)chunk->rings * chunk->columns;
    chunk->n_indices = 6 * (int64_t)(chunk->rings - 1) * plan->segments;
    INTRA_TRY(INTRA_ALLOC(chunk->positions, 3 * (size_t)chunk->n_vertices, err));
    INTRA_TRY(INTRA_ALLOC(chunk->normals, 3 * (size_t)chunk->n_vertices, err));
    INTRA_TRY(INTRA_ALLOC(chunk->uvs, 2 * (size_t)chunk->n_vertices, err));
    INTRA_TRY(INTRA_ALLOC(chunk->indices, (size_t)chunk->n_indices, err));
    put_uvs(chunk, plan, piece);
    put_triangles(chunk);
done:
    if (status != INTRA_OK) intra_mesh_chunk_fini(chunk);
    return status;
}

enum intra_status intra_mesh_chunk_init(struct intra_mesh_chunk *chunk, const struct intra_mesh_plan *plan, int64_t i,
                                        struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_mesh_chunk_plan *piece = &plan->chunks[i];
    struct intra_vec3 *points = NULL, *slopes = NULL;
    double *columns = NULL;
    const struct intra_vec3 *last;
    int ring, n = plan->segments;
    INTRA_TRY(intra_mesh_chunk_init_placeless(chunk, plan, i, err));
    INTRA_TRY(INTRA_ALLOC(points, (size_t)piece->rings * (size_t)n, err));
    INTRA_TRY(INTRA_ALLOC(slopes, 2 * (size_t)n, err));
    INTRA_TRY(INTRA_ALLOC(columns, (size_t)piece->rings, err));
    for (ring = 0; ring < piece->rings; ring++)
        columns[ring] = intra_mesh_ring_column(piece, ring);
    INTRA_TRY(measure_rings(plan, columns, piece->rings, points, err));
    for (ring = 0; ring < piece->rings * n; ring++) {
        if (isfinite(points[ring].x) && isfinite(points[ring].y) && isfinite(points[ring].z)) continue;
        status = INTRA_FAIL(err, INTRA_E_DEGENERATE, "the wall has no place in space near station %.3f m",
                            plan->scene->wall.station0_m + columns[ring / n] * plan->scene->wall.texel_m);
        goto done;
    }
    last = points + (size_t)(piece->rings - 1) * (size_t)n;
    INTRA_TRY(border_slopes(plan, piece->col_from, piece->has_previous, true, points, slopes, err));
    INTRA_TRY(border_slopes(plan, piece->col_to, true, piece->has_next, last, slopes + n, err));
    /* + 0: no negative zeros */
    chunk->origin[0] = round(points[0].x / ORIGIN_UNIT_M) * ORIGIN_UNIT_M + 0.0;
    chunk->origin[1] = round(points[0].y / ORIGIN_UNIT_M) * ORIGIN_UNIT_M + 0.0;
    chunk->origin[2] = round(points[0].z / ORIGIN_UNIT_M) * ORIGIN_UNIT_M + 0.0;
    put_vertices(chunk, points, slopes, slopes + n);
done:
    intra_free(points);
    intra_free(slopes);
    intra_free(columns);
    if (status != INTRA_OK) intra_mesh_chunk_fini(chunk);
    return status;
}

bool intra_mesh_is_seen(uint8_t seen_alpha)
{
    return seen_alpha >= 64;
}

uint8_t intra_mesh_hatch(double station_m, double turn, double perimeter_m, double period_m)
{
    /* A whole number of stripes around: they meet where the texture is cut. */
    double stripes = fmax(1, round(perimeter_m / period_m));
    double phase = station_m / period_m + turn * stripes;
    return phase - floor(phase) < 0.5 ? 104 : 152;
}

/* Four channels into three, hatching what is not seen. Returns the share seen without the gutters. */
static double compose(const struct intra_mesh_plan *plan, const struct intra_mesh_chunk_plan *piece,
                      const double *columns, const uint8_t *in, struct intra_view_u8 *out)
{
    const struct intra_wall *wall = &plan->scene->wall;
    double period_m = fmax(0.03, 8 * plan->texel_m);
    int64_t seen = 0, all = 0;
    int x, y, k;
    for (y = 0; y < out->rows; y++) {
        uint8_t *to = intra_row_u8(out, y);
        const uint8_t *from = in + (size_t)y * (size_t)out->cols * 4;
        for (x = 0; x < out->cols; x++, from += 4, to += 3) {
            bool is_seen = intra_mesh_is_seen(from[3]);
            uint8_t grey = is_seen ? 0
                                   : intra_mesh_hatch(wall->station0_m + columns[x] * wall->texel_m,
                                                      (y + 0.5) / out->rows, wall->perimeter_m, period_m);
            for (k = 0; k < 3; k++)
                to[k] = is_seen ? from[k] : grey;
            if (x < INTRA_MESH_GUTTER_PX || x >= piece->texture_width - INTRA_MESH_GUTTER_PX) continue;
            all++;
            seen += is_seen;
        }
    }
    return (double)seen / (double)all;
}

enum intra_status intra_mesh_chunk_paint(struct intra_mesh_chunk *chunk, const struct intra_mesh_plan *plan, int64_t i,
                                         struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_wall *wall = &plan->scene->wall;
    const struct intra_mesh_chunk_plan *piece = &plan->chunks[i];
    int width = piece->texture_width, height = piece->texture_height, x;
    double cols_per_px = (double)(piece->col_to - piece->col_from) / (width - 2 * INTRA_MESH_GUTTER_PX);
    double rows_per_px = (double)wall->rows / height;
    struct intra_wall_grid grid = {.nx = width,
                                   .ny = height,
                                   .row_first = rows_per_px / 2,
                                   .row_step = rows_per_px,
                                   .row_width = rows_per_px,
                                   .col_width = cols_per_px};
    double *columns = NULL;
    uint8_t *cells = NULL;
    INTRA_TRY(INTRA_ALLOC(columns, (size_t)width, err));
    INTRA_TRY(INTRA_ALLOC(cells, (size_t)width * (size_t)height * 4, err));
    for (x = 0; x < width; x++)
        columns[x] = (double)piece->col_from + (x - INTRA_MESH_GUTTER_PX + 0.5) * cols_per_px;
    grid.col_centre = columns;
    INTRA_TRY(intra_wall_mean_colour(wall, &grid, cells, err));
    INTRA_TRY(intra_image_u8_init(&chunk->texture, height, width, 3, err));
    chunk->seen_share = compose(plan, piece, columns, cells, &chunk->texture);
done:
    intra_free(columns);
    intra_free(cells);
    return status;
}

static void turn_y_up(float *xyz, int64_t n)
{
    for (; n > 0; n--, xyz += 3) {
        float y = xyz[1];
        xyz[1] = xyz[2];
        xyz[2] = 0.0f - y; /* not -y: no negative zeros */
    }
}

void intra_mesh_chunk_turn_y_up(struct intra_mesh_chunk *chunk)
{
    double y = chunk->origin[1];
    chunk->origin[1] = chunk->origin[2];
    chunk->origin[2] = 0.0 - y;
    turn_y_up(chunk->positions, chunk->n_vertices);
    turn_y_up(chunk->normals, chunk->n_vertices);
}

void intra_mesh_chunk_fini(struct intra_mesh_chunk *chunk)
{
    intra_free(chunk->positions);
    intra_free(chunk->normals);
    intra_free(chunk->uvs);
    intra_free(chunk->indices);
    intra_image_u8_fini(&chunk->texture);
    memset(chunk, 0, sizeof *chunk);
}
