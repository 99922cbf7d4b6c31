/* Which stretches of the wall are meshed, where they are cut, and how dense mesh and texture may be for the size
 * budget.
 *
 * Budget: a vertex costs 44 bytes (32 of attributes, 12 of indices). The mesh may take a third of the budget and what
 * textures do not need; the rest is texture. Both end at what is worth having: a mesh cell of 8 mm or four wall cells,
 * a texel of one wall cell. */
#include "core/mem.h"
#include "export/mesh.h"
#include "export/wallread.h"

#include <math.h>
#include <string.h>

static const double VERTEX_BYTES = 44, NODE_BYTES = 2200, FILE_BYTES = 6000, MESH_SHARE = 0.35;
static const double FINEST_CELL_M = 0.008, SHORTEST_GAP_M = 0.1, FILL = 0.97;
/* Textures that fill this much of their part are fine; where to aim when they fill less. */
static const double FULL_ENOUGH = 0.85, FULL_AIM = 0.97;
enum { MIN_SEGMENTS = 12, ROUND_SEGMENTS = 24, MAX_SEGMENTS = 720, PILOT_CHUNKS = 6, MAX_PASSES = 8 };

struct intra_mesh_options intra_mesh_defaults(void)
{
    struct intra_mesh_options options = {
        .chunk_m = 2, .max_bytes = 25000000, .max_texture_px = 2048, .jpeg_quality = 85};
    return options;
}

/* Stretch of columns, [from, to). */
struct run {
    int64_t from, to;
};

struct run_list {
    struct run *items;
    int64_t n, cap;
};

static enum intra_status run_list_add(struct run_list *list, int64_t from, int64_t to, struct intra_error *err)
{
    if (list->n == list->cap) {
        int64_t cap = list->cap ? 2 * list->cap : 16;
        struct run *grown = intra_resize(list->items, (size_t)list->cap, (size_t)cap, sizeof *grown);
        if (!grown) return INTRA_FAIL(err, INTRA_E_MEM, "out of memory: list of %lld stretches", (long long)cap);
        list->items = grown;
        list->cap = cap;
    }
    list->items[list->n].from = from;
    list->items[list->n++].to = to;
    return INTRA_OK;
}

/* The columns that sections and options allow. */
static struct run allowed_columns(const struct intra_scene *scene, const struct intra_mesh_options *options)
{
    const struct intra_wall *wall = &scene->wall;
    double from = scene->sections[0].station_m, to = scene->sections[scene->n_sections - 1].station_m;
    struct run run;
    if (options->station_from_m < options->station_to_m) {
        from = fmax(from, options->station_from_m);
        to = fmin(to, options->station_to_m);
    }
    /* A millionth of a cell: a border on a cell's edge stays on it despite rounding. */
    run.from = (int64_t)fmax(0, ceil((from - wall->station0_m) / wall->texel_m - 1e-6));
    run.to = (int64_t)fmin((double)wall->cols, floor((to - wall->station0_m) / wall->texel_m + 1e-6));
    return run;
}

/* The stretches with wall: unseen ones of SHORTEST_GAP_M and more are left out, shorter ones are bridged (and hatched).
 */
static enum intra_status find_runs(const struct intra_scene *scene, const struct intra_mesh_options *options,
                                   struct run_list *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_wall *wall = &scene->wall;
    struct run allowed = allowed_columns(scene, options);
    int64_t shortest_gap = (int64_t)fmax(1, SHORTEST_GAP_M / wall->texel_m), from = -1, last_seen = -1, col;
    uint8_t *seen = NULL;
    INTRA_TRY(INTRA_ALLOC(seen, (size_t)wall->cols, err));
    INTRA_TRY(intra_wall_seen_columns(wall, seen, err));
    for (col = allowed.from; col < allowed.to; col++) {
        if (!seen[col]) continue;
        if (from >= 0 && col - last_seen > shortest_gap) {
            if (last_seen > from) INTRA_TRY(run_list_add(out, from, last_seen + 1, err));
            from = col;
        }
        if (from < 0) from = col;
        last_seen = col;
    }
    if (from >= 0 && last_seen > from) INTRA_TRY(run_list_add(out, from, last_seen + 1, err));
done:
    intra_free(seen);
    return status;
}

static enum intra_status add_chunk(struct intra_mesh_plan *plan, int64_t *cap, int64_t from, int64_t to,
                                   const struct run *run, struct intra_error *err)
{
    const struct intra_wall *wall = &plan->scene->wall;
    struct intra_mesh_chunk_plan *chunk;
    double cols_per_px = fmax(1, plan->texel_m / wall->texel_m);
    if (plan->n_chunks == *cap) {
        int64_t grown_cap = *cap ? 2 * *cap : 64;
        chunk = intra_resize(plan->chunks, (size_t)*cap, (size_t)grown_cap, sizeof *chunk);
        if (!chunk) return INTRA_FAIL(err, INTRA_E_MEM, "out of memory: list of %lld chunks", (long long)grown_cap);
        plan->chunks = chunk;
        *cap = grown_cap;
    }
    chunk = &plan->chunks[plan->n_chunks++];
    chunk->col_from = from;
    chunk->col_to = to;
    chunk->station_from_m = wall->station0_m + (double)from * wall->texel_m;
    chunk->station_to_m = wall->station0_m + (double)to * wall->texel_m;
    chunk->has_previous = from > run->from;
    chunk->has_next = to < run->to;
    chunk->rings = 1 + (int)fmax(1, round((double)(to - from) * wall->texel_m / plan->step_m));
    chunk->texture_width = 2 * INTRA_MESH_GUTTER_PX + (int)fmax(1, round((double)(to - from) / cols_per_px));
    chunk->texture_height = (int)fmax(1, round(fmin(wall->rows, wall->perimeter_m / plan->texel_m)));
    if (chunk->texture_height > plan->options.max_texture_px) chunk->texture_height = plan->options.max_texture_px;
    return INTRA_OK;
}

/* Cut one run at its joints, then what is still too long evenly. Joints so near to the last cut that the piece would be
 * a splinter do not cut. */
static enum intra_status cut_run(struct intra_mesh_plan *plan, int64_t *cap, const struct run *run,
                                 struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_scene *scene = plan->scene;
    const struct intra_wall *wall = &scene->wall;
    double cols_per_px = fmax(1, plan->texel_m / wall->texel_m);
    int64_t longest = (int64_t)fmin(plan->options.chunk_m / wall->texel_m,
                                    floor((plan->options.max_texture_px - 2 * INTRA_MESH_GUTTER_PX) * cols_per_px));
    int64_t splinter, from = run->from;
    if (longest < 2) longest = 2;
    splinter = longest / 10 + 1;
    while (from < run->to) {
        int64_t to = run->to, pieces, i;
        for (i = 0; i < scene->n_features; i++) {
            double at = (scene->features[i].station_m - wall->station0_m) / wall->texel_m;
            int64_t cut;
            if (scene->features[i].kind != INTRA_FEATURE_JOINT || !(at >= 0 && at <= (double)wall->cols)) continue;
            cut = llround(at);
            if (cut - from >= splinter && run->to - cut >= splinter && cut < to) to = cut;
        }
        pieces = (to - from + longest - 1) / longest;
        for (i = 0; i < pieces; i++)
            INTRA_TRY(
                add_chunk(plan, cap, from + (to - from) * i / pieces, from + (to - from) * (i + 1) / pieces, run, err));
        from = to;
    }
done:
    return status;
}

static enum intra_status cut_runs(struct intra_mesh_plan *plan, const struct run_list *runs, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    int64_t cap = 0, i;
    intra_free(plan->chunks);
    plan->chunks = NULL;
    plan->n_chunks = 0;
    for (i = 0; i < runs->n; i++)
        INTRA_TRY(cut_run(plan, &cap, &runs->items[i], err));
done:
    return status;
}

/* Mesh cells as near to square as the least number around allows. `bytes`: what the mesh may take. */
static void choose_mesh(struct intra_mesh_plan *plan, double bytes, double shrink)
{
    const struct intra_wall *wall = &plan->scene->wall;
    double finest = fmax(FINEST_CELL_M, 4 * wall->texel_m) * sqrt(shrink);
    double cell = fmax(finest, sqrt(plan->area_m2 * VERTEX_BYTES * shrink / bytes));
    int least = shrink > 1 ? MIN_SEGMENTS : ROUND_SEGMENTS;
    plan->segments = plan->options.segments;
    plan->step_m = plan->options.step_m;
    if (!plan->segments) {
        plan->segments = 4 * (int)round(wall->perimeter_m / cell / 4);
        if (plan->segments < least) plan->segments = least;
        if (plan->segments > MAX_SEGMENTS) plan->segments = MAX_SEGMENTS;
    }
    if (!plan->step_m) plan->step_m = cell * cell / (wall->perimeter_m / plan->segments);
    if (plan->step_m < finest && !plan->options.step_m) plan->step_m = finest;
    plan->step_m = fmin(plan->step_m, plan->options.chunk_m); /* a chunk has two rings at least */
}

static double texture_pixels(const struct intra_mesh_plan *plan)
{
    double pixels = 0;
    int64_t i;
    for (i = 0; i < plan->n_chunks; i++)
        pixels += (double)plan->chunks[i].texture_width * plan->chunks[i].texture_height;
    return pixels;
}

static double mesh_bytes(const struct intra_mesh_plan *plan)
{
    double vertices = 0;
    int64_t i;
    for (i = 0; i < plan->n_chunks; i++)
        vertices += (double)plan->chunks[i].rings * (plan->segments + 1);
    return vertices * VERTEX_BYTES + (double)plan->n_chunks * NODE_BYTES + FILE_BYTES;
}

/* JPEG bytes per texture pixel at the plan's texel, from a few chunks spread over the pipe. */
static enum intra_status measure_texture(const struct intra_mesh_plan *plan, double *out_bytes_per_px,
                                         struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_mesh_chunk chunk = {0};
    int64_t take = plan->n_chunks < PILOT_CHUNKS ? plan->n_chunks : PILOT_CHUNKS, i;
    double bytes = 0, pixels = 0;
    for (i = 0; i < take; i++) {
        uint8_t *jpeg = NULL;
        size_t size = 0;
        INTRA_TRY(intra_mesh_chunk_paint(&chunk, plan, (2 * i + 1) * plan->n_chunks / (2 * take), err));
        INTRA_TRY(intra_image_encode_jpeg(&chunk.texture, plan->options.jpeg_quality, &jpeg, &size, err));
        pixels += (double)chunk.texture.rows * chunk.texture.cols;
        bytes += (double)size;
        intra_free(jpeg);
        intra_mesh_chunk_fini(&chunk);
    }
    *out_bytes_per_px = bytes / pixels;
done:
    intra_mesh_chunk_fini(&chunk);
    return status;
}

/* Mesh and texel for the budget. The mesh takes its share, and what the finest textures would leave; the texel is the
 * finest that then fits. Coarser texels hold more detail a pixel and cost more bytes each, so measure and correct until
 * it settles; among the texels that fit, the finest wins. */
static enum intra_status choose_density(struct intra_mesh_plan *plan, const struct run_list *runs, double shrink,
                                        struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    double finest = plan->scene->wall.texel_m, budget = FILL * (double)plan->options.max_bytes, best = 0;
    bool is_fixed = plan->options.texel_m > 0;
    int pass;
    plan->texel_m = is_fixed ? fmax(plan->options.texel_m, finest) : finest;
    plan->step_m = plan->options.chunk_m; /* until it is chosen */
    INTRA_TRY(cut_runs(plan, runs, err));
    for (pass = 0; pass < MAX_PASSES; pass++) {
        double bytes_per_px = 0, textures, left, excess;
        if (is_fixed && plan->options.step_m > 0 && plan->options.segments > 0) { /* nothing to choose */
            choose_mesh(plan, budget, shrink);
            status = cut_runs(plan, runs, err);
            goto done;
        }
        INTRA_TRY(measure_texture(plan, &bytes_per_px, err));
        textures = texture_pixels(plan) * bytes_per_px * shrink;
        if (pass == 0) {
            left = budget - textures - (double)plan->n_chunks * NODE_BYTES - FILE_BYTES;
            choose_mesh(plan, fmax(left, MESH_SHARE * budget), shrink);
            INTRA_TRY(cut_runs(plan, runs, err));
        }
        if (is_fixed) goto done;
        /* However small the budget, a sixteenth is for colour; the check after writing has the last word. */
        left = fmax(budget - mesh_bytes(plan), budget / 16);
        excess = textures / left;
        if (excess <= 1 && (best == 0 || plan->texel_m < best)) best = plan->texel_m;
        if (excess <= 1 && (excess > FULL_ENOUGH || plan->texel_m <= finest)) break;
        plan->texel_m = fmax(finest, plan->texel_m * (excess > 1 ? fmax(1.01, sqrt(excess)) : sqrt(excess / FULL_AIM)));
        INTRA_TRY(cut_runs(plan, runs, err));
    }
    if (pass == MAX_PASSES && best > 0) {
        plan->texel_m = best;
        INTRA_TRY(cut_runs(plan, runs, err));
    }
done:
    return status;
}

static enum intra_status check_options(const struct intra_mesh_options *options, struct intra_error *err)
{
    if (!(options->chunk_m > 0) || !isfinite(options->chunk_m))
        return INTRA_FAIL(err, INTRA_E_ARG, "mesh chunk length must be positive, not %g m", options->chunk_m);
    if (!(options->step_m >= 0) || !(options->texel_m >= 0) || !isfinite(options->step_m) ||
        !isfinite(options->texel_m))
        return INTRA_FAIL(err, INTRA_E_ARG, "mesh step (%g m) and texel (%g m) must be positive, or 0 for automatic",
                          options->step_m, options->texel_m);
    if (options->segments != 0 && (options->segments < 3 || options->segments > 100000))
        return INTRA_FAIL(err, INTRA_E_ARG, "mesh segments must be 3 to 100000, or 0 for automatic, not %d",
                          options->segments);
    if (options->max_texture_px < 64 || options->max_texture_px > 16384)
        return INTRA_FAIL(err, INTRA_E_ARG, "texture size must be 64 to 16384 pixels, not %d", options->max_texture_px);
    if (options->jpeg_quality < 1 || options->jpeg_quality > 100)
        return INTRA_FAIL(err, INTRA_E_ARG, "JPEG quality must be 1 to 100, not %d", options->jpeg_quality);
    if (options->max_bytes < 50000)
        return INTRA_FAIL(err, INTRA_E_ARG, "a model cannot fit %zu bytes; allow at least 50000", options->max_bytes);
    return INTRA_OK;
}

enum intra_status intra_mesh_plan_init(struct intra_mesh_plan *plan, const struct intra_scene *scene,
                                       const struct intra_mesh_options *options, double shrink, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct run_list runs = {0};
    int64_t i;
    memset(plan, 0, sizeof *plan);
    plan->scene = scene;
    plan->options = *options;
    INTRA_TRY(check_options(options, err));
    if (scene->n_sections < 2 || scene->wall.rows < 1 || scene->wall.cols < 2) {
        status = INTRA_FAIL(err, INTRA_E_NO_RESULT, "there is no wall to mesh: nothing was reconstructed");
        goto done;
    }
    INTRA_TRY(find_runs(scene, options, &runs, err));
    if (runs.n == 0) {
        status = INTRA_FAIL(err, INTRA_E_NO_RESULT, "there is no wall to mesh: none was seen in the stretch asked for");
        goto done;
    }
    for (i = 0; i < runs.n; i++)
        plan->area_m2 +=
            (double)(runs.items[i].to - runs.items[i].from) * scene->wall.texel_m * scene->wall.perimeter_m;
    INTRA_TRY(choose_density(plan, &runs, shrink, err));
done:
    intra_free(runs.items);
    if (status != INTRA_OK) intra_mesh_plan_fini(plan);
    return status;
}

void intra_mesh_plan_fini(struct intra_mesh_plan *plan)
{
    intra_free(plan->chunks);
    plan->chunks = NULL;
    plan->n_chunks = 0;
}
