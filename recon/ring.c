/* Line filter: mean of a cell's neighbourhood of two widths against the wall to its left and to its right, each by
 * itself; the smaller difference counts, and only where both have the same sign, so that the edge of a stain is no
 * line. Path: Viterbi over LAPS laps of the sectors, so that the last lap starts where it ends. */
#include "recon/ring.h"

#include "core/mem.h"
#include "core/select.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SECTORS = INTRA_RING_SECTORS, LAPS = 3, MOVES = 4, WIDTHS = 2, CLOSED_CELLS = 6 };
enum { FAINT_PIECE = 8, FAINT_NEAR = 1, FAINT_FROM = 6, FAINT_REACH = 40 }; /* sectors; cells off the curve */
#define FAINT_SDS 4.0

static const double half_width_m[WIDTHS] = {0.001, 0.003};
#define FLANK_GAP_M 0.001 /* between the line and what it is compared with */
#define FLANK_M 0.005
#define WIDEST_M 0.015 /* half the widest gap that is measured, with its flanks */
#define LEVEL 0.33     /* of the height, where the width is taken: the gap is brightest at its far edge */
#define LINE_FROM 1.0  /* deviations at which a line begins to count, */
#define LINE_FULL 4.0  /* and at which it counts fully */
#define BLIND_SHARE 0.5 /* of the ring's median texture */
#define MOVE_COST 0.02  /* times the square of the step, in cells, from sector to sector */

enum intra_status intra_ring_init(struct intra_ring_stretch *stretch, int n, double cell_m, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    size_t cells = (size_t)n * SECTORS;
    memset(stretch, 0, sizeof *stretch);
    stretch->n = n;
    stretch->cell_m = cell_m;
    INTRA_TRY(INTRA_ALLOC(stretch->light, cells, err));
    INTRA_TRY(INTRA_ALLOC(stretch->line, cells, err));
    INTRA_TRY(INTRA_ALLOC(stretch->gain, cells, err));
    INTRA_TRY(INTRA_ALLOC(stretch->sums, 2 * ((size_t)n + 1), err));
    INTRA_TRY(INTRA_ALLOC(stretch->sorted, (size_t)n, err));
    INTRA_TRY(INTRA_ALLOC(stretch->scratch, 3 * (size_t)n, err));
    INTRA_TRY(INTRA_ALLOC(stretch->move, cells * LAPS, err));
done:
    if (status != INTRA_OK) intra_ring_fini(stretch);
    return status;
}

void intra_ring_fini(struct intra_ring_stretch *stretch)
{
    intra_free(stretch->light);
    intra_free(stretch->line);
    intra_free(stretch->gain);
    intra_free(stretch->sums);
    intra_free(stretch->sorted);
    intra_free(stretch->scratch);
    intra_free(stretch->move);
    memset(stretch, 0, sizeof *stretch);
}

static int compare_floats(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return x < y ? -1 : x > y;
}

/* Mean of cells [from, to) by running sums; false when fewer than half are seen. */
static bool mean_of(const struct intra_ring_stretch *stretch, int from, int to, double *out)
{
    const double *value = stretch->sums, *seen = stretch->sums + stretch->n + 1;
    from = from < 0 ? 0 : from;
    to = to > stretch->n ? stretch->n : to;
    if (to <= from || 2 * (seen[to] - seen[from]) < to - from) return false;
    *out = (value[to] - value[from]) / (seen[to] - seen[from]);
    return true;
}

static void sum_up(struct intra_ring_stretch *stretch, int sector)
{
    const float *light = stretch->light + (size_t)sector * (size_t)stretch->n;
    double *value = stretch->sums, *seen = stretch->sums + stretch->n + 1;
    value[0] = seen[0] = 0;
    for (int i = 0; i < stretch->n; i++) {
        bool is_seen = isfinite(light[i]);
        value[i + 1] = value[i] + (is_seen ? (double)light[i] : 0);
        seen[i + 1] = seen[i] + is_seen;
    }
}

/* One width of the filter over one sector: the larger response of the widths so far stays. */
static void filter_sector(struct intra_ring_stretch *stretch, int sector, double half_m, double floor_log)
{
    int n = stretch->n, half = (int)lround(half_m / stretch->cell_m), count = 0;
    int gap = (int)ceil(FLANK_GAP_M / stretch->cell_m), flank = (int)ceil(FLANK_M / stretch->cell_m);
    float *line = stretch->line + (size_t)sector * (size_t)n, *response = stretch->scratch;
    for (int i = 0; i < n; i++) {
        double here, left, right;
        response[i] = NAN;
        if (!mean_of(stretch, i - half, i + half + 1, &here) ||
            !mean_of(stretch, i - half - gap - flank, i - half - gap, &left) ||
            !mean_of(stretch, i + half + 1 + gap, i + half + 1 + gap + flank, &right))
            continue;
        double a = here - left, b = here - right;
        response[i] = a * b <= 0 ? 0 : (float)(fabs(a) < fabs(b) ? a : b);
        stretch->sorted[count++] = fabs(0.5 * (a + b));
    }
    if (count == 0) return;
    float texture = 1.4826f * (float)intra_select(stretch->sorted, count, count / 2),
          sigma = fmaxf(texture, (float)floor_log);
    if (half_m == half_width_m[0]) stretch->texture[sector] = texture;
    for (int i = 0; i < n; i++) {
        float z = response[i] / sigma;
        if (isfinite(z) && !(fabsf(z) <= fabsf(line[i]))) line[i] = z;
    }
}

float intra_ring_gain(float line)
{
    float k = (fabsf(line) - (float)LINE_FROM) / (float)(LINE_FULL - LINE_FROM);
    return !(k > 0) ? 0 : k > 1 ? 1 : k;
}

/* Sectors whose texture is far below the median of the ring's. */
static void find_blind(struct intra_ring_stretch *stretch)
{
    float sorted[SECTORS];
    int n = 0;
    for (int k = 0; k < SECTORS; k++)
        if (stretch->texture[k] > 0) sorted[n++] = stretch->texture[k];
    qsort(sorted, (size_t)n, sizeof *sorted, compare_floats);
    for (int k = 0; k < SECTORS; k++)
        stretch->is_blind[k] = n > 0 && stretch->texture[k] < (float)BLIND_SHARE * sorted[n / 2];
}

void intra_ring_filter(struct intra_ring_stretch *stretch, double floor_log)
{
    size_t cells = (size_t)stretch->n * SECTORS;
    for (size_t i = 0; i < cells; i++)
        stretch->line[i] = NAN;
    memset(stretch->texture, 0, sizeof stretch->texture);
    for (int k = 0; k < SECTORS; k++) {
        sum_up(stretch, k);
        for (int w = 0; w < WIDTHS; w++)
            filter_sector(stretch, k, half_width_m[w], floor_log);
    }
    find_blind(stretch);
    for (size_t i = 0; i < cells; i++)
        stretch->gain[i] = intra_ring_gain(stretch->line[i]);
}

/* Best sums over LAPS laps of paths that stay in cells [from, to). `total` (n): at the end of the last lap; `before`
 * (n): one lap earlier. */
static void walk_laps(struct intra_ring_stretch *stretch, int from, int to, float *total, float *before, float *next)
{
    int n = stretch->n;
    memset(total, 0, sizeof *total * (size_t)n);
    for (int step = 0; step < LAPS * SECTORS; step++) {
        const float *gain = stretch->gain + (size_t)(step % SECTORS) * (size_t)n;
        int8_t *move = stretch->move + (size_t)step * (size_t)n;
        if (step == (LAPS - 1) * SECTORS) memcpy(before, total, sizeof *total * (size_t)n);
        for (int i = from; i < to; i++) {
            float most = -1e30f;
            for (int d = -MOVES; d <= MOVES; d++) {
                if (i + d < from || i + d >= to) continue;
                float value = total[i + d] - (float)MOVE_COST * (float)(d * d);
                if (value > most) most = value, move[i] = (int8_t)d;
            }
            next[i] = most + gain[i];
        }
        memcpy(total, next, sizeof *total * (size_t)n);
    }
}

/* Way back from `end` over the last lap; the cell before it in *start. */
static void trace(const struct intra_ring_stretch *stretch, int end, int cells[SECTORS], int *start)
{
    int at = end;
    for (int k = SECTORS - 1; k >= 0; k--) {
        cells[k] = at;
        at += stretch->move[((size_t)(LAPS - 1) * SECTORS + (size_t)k) * (size_t)stretch->n + (size_t)at];
    }
    *start = at;
}

/* Top of the parabola through a response and its neighbours, in cells beside the middle. */
static float sub_cell(const float *line, int at, int n)
{
    if (at < 1 || at + 1 >= n || !isfinite(line[at - 1]) || !isfinite(line[at + 1])) return 0;
    float a = fabsf(line[at - 1]), b = fabsf(line[at]), c = fabsf(line[at + 1]), bend = a - 2 * b + c;
    if (!(bend < -1e-6f)) return 0;
    float off = 0.5f * (a - c) / bend;
    return off < -0.5f ? -0.5f : off > 0.5f ? 0.5f : off;
}

static void fill_path(const struct intra_ring_stretch *stretch, const int cells[SECTORS], struct intra_ring_path *out)
{
    int seen = 0, clear = 0;
    double gain = 0;
    for (int k = 0; k < SECTORS; k++) {
        const float *line = stretch->line + (size_t)k * (size_t)stretch->n;
        out->cell[k] = (float)cells[k] + sub_cell(line, cells[k], stretch->n);
        out->line[k] = line[cells[k]];
        bool is_clear = fabsf(out->line[k]) >= (float)INTRA_RING_LINE_CLEAR;
        if (!isfinite(out->line[k]) || (stretch->is_blind[k] && !is_clear)) continue;
        seen++;
        clear += is_clear;
        gain += (double)stretch->gain[(size_t)k * (size_t)stretch->n + (size_t)cells[k]];
    }
    out->seen = (double)seen / SECTORS;
    out->score = seen ? gain / seen : 0;
    out->coherent = seen ? (double)clear / seen : 0;
}

double intra_ring_path_mean(const struct intra_ring_path *path)
{
    double sum = 0;
    for (int k = 0; k < SECTORS; k++)
        sum += (double)path->cell[k];
    return sum / SECTORS;
}

/* Put a path among the best unless a better one lies within `apart`; what it beats there is dropped. */
static int keep_path(struct intra_ring_path *paths, int n, int most, double apart, const struct intra_ring_path *path)
{
    double mean = intra_ring_path_mean(path);
    for (int i = 0; i < n; i++)
        if (fabs(intra_ring_path_mean(&paths[i]) - mean) < apart && paths[i].score >= path->score) return n;
    int kept = 0;
    for (int i = 0; i < n; i++)
        if (fabs(intra_ring_path_mean(&paths[i]) - mean) >= apart) paths[kept++] = paths[i];
    if (kept == most && paths[most - 1].score >= path->score) return kept;
    int at = kept < most ? kept++ : most - 1;
    while (at > 0 && paths[at - 1].score < path->score) {
        paths[at] = paths[at - 1];
        at--;
    }
    paths[at] = *path;
    return kept;
}

/* The path that ends in a cell, if it closes and is worth anything. */
static bool closed_path(const struct intra_ring_stretch *stretch, const float *total, const float *before, int end,
                        struct intra_ring_path *out)
{
    int cells[SECTORS], start;
    trace(stretch, end, cells, &start);
    if (abs(start - end) > CLOSED_CELLS || total[end] - before[start] < 0.05f * SECTORS) return false;
    fill_path(stretch, cells, out);
    return out->seen > 0;
}

double intra_ring_best_score(struct intra_ring_stretch *stretch, int from, int to)
{
    float *total = stretch->scratch, *before = total + stretch->n, *next = before + stretch->n;
    double best = 0;
    walk_laps(stretch, from, to, total, before, next);
    for (int i = from; i < to; i++) {
        struct intra_ring_path path;
        if (closed_path(stretch, total, before, i, &path)) best = fmax(best, path.score);
    }
    return best;
}

int intra_ring_paths(struct intra_ring_stretch *stretch, double apart, int most, struct intra_ring_path *out,
                     float *score)
{
    int n = stretch->n, found = 0;
    float *total = stretch->scratch, *before = total + n, *next = before + n;
    walk_laps(stretch, 0, n, total, before, next);
    if (score) memset(score, 0, sizeof *score * (size_t)n);
    for (int i = 0; i < n; i++) {
        struct intra_ring_path path;
        if (!closed_path(stretch, total, before, i, &path)) continue;
        int mean = (int)lround(intra_ring_path_mean(&path));
        if (score && path.score > (double)score[mean]) score[mean] = (float)path.score;
        found = keep_path(out, found, most, apart, &path);
    }
    return found;
}

/* Where `light` crosses `level` on the way from cell `at` in steps of `way`, in cells from `at`; NaN when it does not
 * within `most`. */
static float crossing(const float *light, int n, int at, int way, int most, float level, float sign)
{
    for (int d = 1; d <= most; d++) {
        int i = at + way * d;
        if (i < 0 || i >= n || !isfinite(light[i])) return NAN;
        float here = sign * (light[i] - level), before = sign * (light[i - way] - level);
        if (here <= 0) return (float)(d - 1) + before / fmaxf(before - here, 1e-6f);
    }
    return NAN;
}

void intra_ring_widths(struct intra_ring_stretch *stretch, const struct intra_ring_path *path, float width[SECTORS])
{
    int reach = (int)ceil(WIDEST_M / stretch->cell_m), flank = (int)ceil(FLANK_M / stretch->cell_m);
    for (int k = 0; k < SECTORS; k++) {
        const float *light = stretch->light + (size_t)k * (size_t)stretch->n;
        int at = (int)lroundf(path->cell[k]);
        double left, right;
        width[k] = NAN;
        if (!(fabsf(path->line[k]) >= (float)INTRA_RING_LINE_CLEAR) || at < 1 || at + 1 >= stretch->n) continue;
        float sign = path->line[k] > 0 ? 1 : -1;
        for (int d = -1, mid = at; d <= 1; d++)
            if (sign * (light[mid + d] - light[at]) > 0) at = mid + d;
        sum_up(stretch, k);
        if (!mean_of(stretch, at - reach - flank, at - reach, &left) ||
            !mean_of(stretch, at + reach + 1, at + reach + flank + 1, &right))
            continue;
        float base = (float)(0.5 * (left + right)), level = base + (float)LEVEL * (light[at] - base);
        float before = crossing(light, stretch->n, at, -1, reach, level, sign),
              behind = crossing(light, stretch->n, at, 1, reach, level, sign);
        width[k] = before + behind;
    }
}

/* Does a faint line run along the curve in these sectors? */
static bool is_faint_line(const struct intra_ring_stretch *stretch, const int *sectors, int n,
                          const double cell[SECTORS])
{
    double at_curve = 0, sum = 0, square = 0;
    int beside = 0;
    for (int d = -FAINT_REACH; d <= FAINT_REACH; d++) {
        double mean = 0;
        int seen = 0;
        for (int i = 0; i < n; i++) {
            int c = (int)lround(cell[sectors[i]]) + d;
            if (c < 0 || c >= stretch->n) continue;
            float line = stretch->line[(size_t)sectors[i] * (size_t)stretch->n + (size_t)c];
            if (isfinite(line)) mean += (double)line, seen++;
        }
        if (2 * seen <= n) continue;
        mean /= seen;
        if (abs(d) <= FAINT_NEAR && fabs(mean) > fabs(at_curve)) at_curve = mean;
        if (abs(d) < FAINT_FROM) continue;
        sum += mean;
        square += mean * mean;
        beside++;
    }
    if (beside < FAINT_REACH) return false;
    double usual = sum / beside, sd = sqrt(fmax(square / beside - usual * usual, 0));
    return fabs(at_curve - usual) > FAINT_SDS * sd;
}

double intra_ring_faint_share(const struct intra_ring_stretch *stretch, const struct intra_ring_path *path,
                              const double cell[SECTORS])
{
    int faint[SECTORS], n = 0, n_counted = 0, n_faint = 0;
    for (int k = 0; k < SECTORS; k++) {
        bool is_clear = fabsf(path->line[k]) >= (float)INTRA_RING_LINE_CLEAR;
        if (!isfinite(path->line[k]) || (stretch->is_blind[k] && !is_clear)) continue;
        n_counted++;
        if (!is_clear) faint[n++] = k;
    }
    for (int from = 0; from + FAINT_PIECE <= n;) {
        int to = n - from < 2 * FAINT_PIECE ? n : from + FAINT_PIECE;
        if (is_faint_line(stretch, faint + from, to - from, cell)) n_faint += to - from;
        from = to;
    }
    return n_counted ? (double)n_faint / n_counted : 0;
}
