/* The wall in windows along the pipe. In each, on each side of the invert, the lowest edge of light and colour that ends
 * a smooth strip and is nearly the strongest, summed over the window's blocks; it is water's where the edge is straight,
 * as high on one side as on the other, and the strip between them smooth against the wall above it: what is under water
 * is seen as one veil, and its surface takes another place in each view. */
#include "recon/water.h"

#include "core/log.h"
#include "core/mem.h"
#include "core/select.h"
#include "recon/wall_cells.h"

#include <math.h>
#include <string.h>

enum { BLOCKS = 6, LEAST_BLOCKS = 3, HALF = 2, AROUND = 4, INVERT_ROWS = 6, MOST_GROUP = 256 };

#define CELLS_A_RADIUS 40.0
#define WINDOW_M 0.5
#define WINDOW_RADII 3.0
#define LOWEST_RAD 0.3      /* of the edge from the invert: 2 % of the diameter */
#define HIGHEST_RAD 1.75    /* 59 % */
#define EDGE_ABOVE 1.5      /* cells from where texture begins to where it is seen sharply, */
#define EDGE_WIDTH 2.0      /* more or less */
#define LEAST_STEP 0.04     /* of the edge, log */
#define FIRST_SHARE 0.45    /* of the strongest edge: what lies below it is a line of dirt on the strip */
#define MOST_SPREAD 2.5     /* cells, of the edge's place between blocks */
#define MOST_VEIL 0.6       /* texture of the rows along the invert, over that of the wall's upper half; */
#define RIVAL_CELLS 3.0     /* that an edge may be off where the wall above has one as strong: courses of brick */
#define MOST_TEXTURE 0.5    /* and of the whole strip, over that of the wall just above it */
#define MOST_ROLL_RAD 0.2   /* of the strip's middle */
#define MOST_CHANGE_PCT 3.0 /* of the level from window to window */
#define LEAST_WINDOWS 2
#define LEVEL_FLOOR_PCT 1.7 /* what mirroring, ripple and blur do to an edge */

struct finder {
    struct intra_wall_cells cells;
    int n, n_rows;
    float *light, *chroma;             /* (n_rows, n) */
    float *block_light, *block_chroma; /* (BLOCKS, n_rows) means, NaN where less than half was seen */
    double *texture;                   /* by row: mean step from cell to cell along the pipe, NaN */
    double *numbers;
};

static float mean_of(const float *values, int n)
{
    float sum = 0;
    int seen = 0;
    for (int i = 0; i < n; i++)
        if (isfinite(values[i])) sum += values[i], seen++;
    return 2 * seen > n ? sum / (float)seen : NAN;
}

static void reduce(struct finder *f)
{
    for (int row = 0; row < f->n_rows; row++) {
        const float *light = f->light + (size_t)row * (size_t)f->n, *chroma = f->chroma + (size_t)row * (size_t)f->n;
        int count = 0;
        for (int b = 0; b < BLOCKS; b++) {
            int from = f->n * b / BLOCKS, to = f->n * (b + 1) / BLOCKS;
            f->block_light[b * f->n_rows + row] = mean_of(light + from, to - from);
            f->block_chroma[b * f->n_rows + row] = mean_of(chroma + from, to - from);
        }
        for (int i = 1; i < f->n; i++)
            if (isfinite(light[i]) && isfinite(light[i - 1]))
                f->numbers[count++] = fabs((double)(light[i] - light[i - 1]));
        f->texture[row] = 2 * count > f->n ? intra_select(f->numbers, count, count / 2) : NAN;
    }
}

/* Row of the cell `up` cells above the invert on one side: +1 clockwise (left of the view, 6 to 9 o'clock). */
static int row_at(const struct finder *f, int up, int side)
{
    int row = f->n_rows / 2 + (side > 0 ? up : -1 - up);
    return ((row % f->n_rows) + f->n_rows) % f->n_rows;
}

/* NaN where the block was not seen. */
static double step_at(const struct finder *f, int block, int up, int side)
{
    double light = 0, chroma = 0;
    for (int d = 0; d < HALF; d++) {
        int above = row_at(f, up + d, side), below = row_at(f, up - 1 - d, side);
        light += (double)(f->block_light[block * f->n_rows + above] - f->block_light[block * f->n_rows + below]);
        chroma += (double)(f->block_chroma[block * f->n_rows + above] - f->block_chroma[block * f->n_rows + below]);
    }
    return hypot(light, chroma) / HALF;
}

/* Three rough rows from there on, on one side. */
static bool is_rough_from(const struct finder *f, int up, int side, double rough)
{
    for (int d = 0; d < 3; d++)
        if (!(f->texture[row_at(f, up + d, side)] > rough)) return false;
    return true;
}

/* Mean step over the blocks that were seen; NaN when they are too few. */
static double mean_step(const struct finder *f, int up, int side)
{
    double sum = 0;
    int n = 0;
    for (int b = 0; b < BLOCKS; b++) {
        double step = step_at(f, b, up, side);
        if (isfinite(step)) sum += step, n++;
    }
    return n >= LEAST_BLOCKS ? sum / n : NAN;
}

/* Place of the strongest step of a block within HALF cells of `near_up`; NaN where the block was not seen there. */
static double edge_of_block(const struct finder *f, int block, int near_up, int side)
{
    double most = 0;
    int place = near_up;
    for (int up = near_up - HALF; up <= near_up + HALF; up++)
        if (step_at(f, block, up, side) > most) most = step_at(f, block, up, side), place = up;
    double left = step_at(f, block, place - 1, side), right = step_at(f, block, place + 1, side),
           bend = left - 2 * most + right;
    if (!isfinite(bend)) return NAN;
    return place + (bend < -1e-9 ? fmax(-0.5, fmin(0.5, 0.5 * (left - right) / bend)) : 0);
}

/* Median texture of the rows from `from` to `to` cells above the invert on both sides; NaN when few were seen. */
static double texture_of(const struct finder *f, int from, int to)
{
    int count = 0;
    for (int up = from; up < to; up++)
        for (int side = -1; side <= 1; side += 2) {
            double t = f->texture[row_at(f, up, side)];
            if (isfinite(t)) f->numbers[count++] = t;
        }
    return count >= (to - from) ? intra_select(f->numbers, count, count / 2) : NAN;
}

/* The step that is water's if the smooth strip ends at `top`: just above it; farther off the wall has edges of its own.
 */
static double edge_at(const struct finder *f, int top, int side, int *out_up)
{
    double best = 0;
    for (int up = top - AROUND; up <= top + AROUND; up++) {
        double step = mean_step(f, up, side) * exp(-0.5 * pow((up - top - EDGE_ABOVE) / EDGE_WIDTH, 2));
        if (step > best) best = step, *out_up = up;
    }
    return best;
}

/* The edge on one side, in cells above the invert, its spread between blocks; false where there is none. */
static bool find_edge(const struct finder *f, int side, double rough, double *out_up, double *out_spread)
{
    double cell = 2 * M_PI / f->n_rows, most = 0, rival = 0, at[BLOCKS], sum = 0, square = 0;
    int from = (int)(LOWEST_RAD / cell), to = (int)(HIGHEST_RAD / cell), best_up = -1, n = 0;
    for (int pass = 0; pass < 2 && best_up < 0; pass++) /* the strongest edge; the lowest that comes near it */
        for (int top = from; top <= to && best_up < 0 && texture_of(f, 0, top) <= rough; top++) {
            int up = -1;
            double step = is_rough_from(f, top, side, rough) ? edge_at(f, top, side, &up) : 0;
            if (pass == 0)
                most = fmax(most, step);
            else if (step >= LEAST_STEP && step >= FIRST_SHARE * most)
                best_up = up;
        }
    if (best_up < 0) return false;
    for (int up = best_up + 2 * AROUND; up < f->n_rows / 2; up++)
        rival = fmax(rival, mean_step(f, up, side));
    bool is_rivalled = rival >= mean_step(f, best_up, side);
    for (int b = 0; b < BLOCKS; b++) {
        at[n] = edge_of_block(f, b, best_up, side);
        if (isfinite(at[n])) sum += at[n++];
    }
    if (n < LEAST_BLOCKS) return false;
    for (int b = 0; b < n; b++)
        square += pow(at[b] - sum / n, 2);
    *out_up = sum / n;
    *out_spread = sqrt(square / (n - 1));
    if (*out_spread > MOST_SPREAD) return false;
    if (is_rivalled) *out_spread = hypot(*out_spread, RIVAL_CELLS);
    return true;
}

static void judge_window(const struct finder *f, struct intra_water_window *w)
{
    double up[2], spread[2], cell = 2 * M_PI / f->n_rows;
    w->level_pct = w->sd_pct = w->middle_rad = w->middle_sd_rad = NAN;
    double wall = texture_of(f, f->n_rows / 4, f->n_rows / 2), veil = texture_of(f, 0, INVERT_ROWS);
    if (!(veil <= MOST_VEIL * wall)) return;
    for (int k = 0; k < 2; k++)
        if (!find_edge(f, k ? 1 : -1, sqrt(veil * wall), &up[k], &spread[k])) return;
    double half = 0.5 * (up[0] + up[1]) * cell, middle = 0.5 * (up[1] - up[0]) * cell;
    int edge = (int)(half / cell);
    double inside = texture_of(f, 0, edge - 2), above = texture_of(f, edge + 3, edge + 3 + f->n_rows / 8);
    if (!(inside <= MOST_TEXTURE * above) || fabs(middle) > MOST_ROLL_RAD) return;
    w->level_pct = 50 * (1 - cos(half));
    w->sd_pct = hypot(50 * sin(half) * cell * 0.5 * hypot(spread[0], spread[1]), LEVEL_FLOOR_PCT);
    w->middle_rad = middle;
    w->middle_sd_rad = 0.5 * cell * hypot(spread[0], spread[1]);
}

static void fill_sections(struct intra_scene *scene, const struct intra_water_window *w, double half_m)
{
    for (int64_t i = 0; i < scene->n_sections; i++) {
        struct intra_section *s = &scene->sections[i];
        if (!s->is_seen || fabs(s->station_m - w->station_m) > half_m) continue;
        s->water_level_pct = w->level_pct;
        s->water_level_sd_pct = w->sd_pct;
    }
}

/* A stretch of windows [from, to) with water. */
static enum intra_status add_stretch(struct intra_scene *scene, const struct intra_water_window *w, int64_t from,
                                     int64_t to, double half_m, struct intra_error *err)
{
    struct intra_feature f = intra_feature_unknown();
    double level = 0, sd = 0;
    for (int64_t i = from; i < to; i++) {
        level += w[i].level_pct / (double)(to - from);
        sd += w[i].sd_pct / (double)(to - from);
        fill_sections(scene, &w[i], half_m);
    }
    f.kind = INTRA_FEATURE_WATER;
    f.station_m = w[from].station_m - half_m;
    f.station_to_m = w[to - 1].station_m + half_m;
    f.station_sd_m = hypot(half_m, intra_scene_station_sd(scene, f.station_m));
    f.station_to_sd_m = hypot(half_m, intra_scene_station_sd(scene, f.station_to_m));
    f.level_pct = level;
    f.level_sd_pct = sd;
    f.confidence = 1 - 1 / (1 + (double)(to - from));
    return intra_scene_add_feature(scene, &f, err);
}

/* Stretches that are long enough to be sure. */
static void mark_water(struct intra_water_window *w, int64_t n)
{
    for (int64_t from = 0; from < n;) {
        int64_t to = from;
        while (to < n && isfinite(w[to].level_pct) &&
               (to == from || fabs(w[to].level_pct - w[to - 1].level_pct) < MOST_CHANGE_PCT))
            to++;
        for (int64_t i = from; i < to; i++)
            w[i].stretch = to - from >= LEAST_WINDOWS ? from : -1;
        from = to > from ? to : from + 1;
    }
}

enum intra_status intra_water_look(const struct intra_wall *wall, double radius_m, struct intra_water_window **out,
                                   int64_t *out_n, double *out_half_m, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct finder f = {0};
    struct intra_water_window *windows = NULL;
    int group = (int)fmin(MOST_GROUP, fmax(1, round(radius_m / CELLS_A_RADIUS / wall->texel_m)));
    double cell_m = group * wall->texel_m, window_m = fmax(WINDOW_M, WINDOW_RADII * radius_m);
    f.n_rows = 2 * (int)fmin(wall->rows / 2, round(M_PI * radius_m / cell_m));
    f.n = (int)ceil(window_m / cell_m);
    int64_t n = wall->cols / ((int64_t)f.n * group);
    size_t cells = (size_t)f.n_rows * (size_t)f.n;
    *out = NULL;
    INTRA_TRY(intra_wall_cells_init(&f.cells, wall, f.n_rows, group, err));
    INTRA_TRY(INTRA_ALLOC(f.light, cells, err));
    INTRA_TRY(INTRA_ALLOC(f.chroma, cells, err));
    INTRA_TRY(INTRA_ALLOC(f.block_light, (size_t)BLOCKS * (size_t)f.n_rows, err));
    INTRA_TRY(INTRA_ALLOC(f.block_chroma, (size_t)BLOCKS * (size_t)f.n_rows, err));
    INTRA_TRY(INTRA_ALLOC(f.texture, (size_t)f.n_rows, err));
    INTRA_TRY(INTRA_ALLOC(f.numbers, (size_t)(f.n > 2 * f.n_rows ? f.n : 2 * f.n_rows), err));
    INTRA_TRY(INTRA_ALLOC(windows, (size_t)n + 1, err));
    for (int64_t i = 0; i < n; i++) {
        windows[i].station_m = wall->station0_m + ((double)i + 0.5) * f.n * cell_m;
        windows[i].stretch = -1;
        INTRA_TRY(intra_wall_cells_read(&f.cells, i * f.n * group, f.n, f.light, f.chroma, err));
        reduce(&f);
        judge_window(&f, &windows[i]);
    }
    mark_water(windows, n);
    *out = windows;
    windows = NULL;
    *out_n = n;
    *out_half_m = 0.5 * f.n * cell_m;
done:
    intra_wall_cells_fini(&f.cells);
    intra_free(f.light);
    intra_free(f.chroma);
    intra_free(f.block_light);
    intra_free(f.block_chroma);
    intra_free(f.texture);
    intra_free(f.numbers);
    intra_free(windows);
    return status;
}

enum intra_status intra_water_find(struct intra_scene *scene, double *out_roll_rad, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_water_window *windows = NULL;
    double half_m, roll = 0;
    int64_t n, wet = 0;
    if (out_roll_rad) *out_roll_rad = NAN;
    INTRA_TRY(intra_water_look(&scene->wall, 0.5 * scene->nominal_diameter_m, &windows, &n, &half_m, err));
    for (int64_t from = 0, to; from < n; from = to) {
        for (to = from + 1; to < n && windows[from].stretch >= 0 && windows[to].stretch == windows[from].stretch; to++)
            continue;
        if (windows[from].stretch < 0) continue;
        INTRA_TRY(add_stretch(scene, windows, from, to, half_m, err));
        for (int64_t i = from; i < to; i++)
            roll += windows[i].middle_rad, wet++;
    }
    if (wet && out_roll_rad) *out_roll_rad = roll / (double)wet;
    intra_log(INTRA_LOG_INFO, "water", "water in %lld of %lld windows", (long long)wet, (long long)n);
done:
    intra_free(windows);
    return status;
}
