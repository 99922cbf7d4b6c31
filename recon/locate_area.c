/* Areas. ln brightness, ln R/G and ln B/G of the patch, for openings also how much more the brightness changes around
 * the pipe than along it (where the wall lies deeper than the model has it, pictures from a moving camera smear along
 * the pipe), each less its median along the row and along the column (slime on the invert is a row, a joint is a
 * column: neither is an area), over its robust scatter: the distance from the wall's own look, in deviations. What
 * exceeds a threshold and hangs together makes pieces; the one with the most, weighted by where it is expected, is it.
 * Its edge is then drawn again at a share of its own distance: the picture of an edge is a blurred step, and the middle
 * of the step is where the edge is. */
#include "recon/locate_area.h"

#include "core/mem.h"
#include "core/select.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SMOOTH_CELLS 1.0
#define SEED 5.0 /* deviations */
#define EDGE_LEAST 3.0
#define EDGE_SHARE 0.25      /* of the inner level; */
#define EDGE_STEP 0.2        /* more of it where the piece has run out into its surroundings */
#define EDGE_LOOSE 0.55      /* strands are as thin as the picture's blur, their picture is wider than they are */
#define JOIN_LEAST_M2 4e-5   /* a strand of 3 mm, 13 mm long */
#define STRAND_REACH_M 0.004 /* smoothing of the strands that makes their surroundings */
#define STRAND_SD_REL 0.10   /* tests/bench/defects.py */
#define LEAST_CONTRAST 5.5
#define MOST_SHARE 0.6   /* of the patch's length, with both ends touched: the wall itself changes */
#define FLOOR_LIGHT 0.06 /* least scatter: the exposure of a picture varies so much */
#define FLOOR_COLOUR 0.012
#define FLOOR_SMEAR 0.3
#define SMEAR_CELLS 2.0

enum { FIELDS = 4, TRIES = 5, STEPS = 4 };

struct finder {
    const struct intra_wall_patch *p;
    float *field[FIELDS]; /* light, red, blue, smear: less the wall's own */
    float *far;           /* distance from the wall's look */
    float *tint[2];       /* loose things: ln R/G, ln B/G less the wall's own, not smoothed; NULL */
    int8_t *side;         /* loose things: 1 browner than the wall, -1 less so; NULL */
    int side_wanted;      /* of the piece at work */
    int *label, *queue;
    double row_m;
    double *sorted;
};

static size_t cells(const struct finder *f)
{
    return (size_t)f->p->rows * (size_t)f->p->cols;
}

static void subtract_medians(struct finder *f, float *v)
{
    const struct intra_wall_patch *p = f->p;
    for (int round = 0; round < 2; round++) {
        for (int r = 0; r < p->rows; r++) {
            int n = 0;
            for (int c = 0; c < p->cols; c++)
                if (p->seen[(size_t)r * (size_t)p->cols + (size_t)c])
                    f->sorted[n++] = v[(size_t)r * (size_t)p->cols + (size_t)c];
            if (n < 4) continue;
            float m = (float)intra_select(f->sorted, n, n / 2);
            for (int c = 0; c < p->cols; c++)
                v[(size_t)r * (size_t)p->cols + (size_t)c] -= m;
        }
        for (int c = 0; c < p->cols; c++) {
            int n = 0;
            for (int r = 0; r < p->rows; r++)
                if (p->seen[(size_t)r * (size_t)p->cols + (size_t)c])
                    f->sorted[n++] = v[(size_t)r * (size_t)p->cols + (size_t)c];
            if (n < 4) continue;
            float m = (float)intra_select(f->sorted, n, n / 2);
            for (int r = 0; r < p->rows; r++)
                v[(size_t)r * (size_t)p->cols + (size_t)c] -= m;
        }
    }
}

static double scatter(struct finder *f, const float *v)
{
    int n = 0;
    for (size_t i = 0; i < cells(f); i += 3)
        if (f->p->seen[i]) f->sorted[n++] = fabs((double)v[i]);
    return n ? 1.4826 * intra_select(f->sorted, n, n / 2) : 1;
}

/* ln of the squared change around the pipe over that along it, of ln brightness. */
static void measure_smear(struct finder *f, float *out, float *along)
{
    const struct intra_wall_patch *p = f->p;
    for (int r = 0; r < p->rows; r++)
        for (int c = 0; c < p->cols; c++) {
            size_t at = (size_t)r * (size_t)p->cols + (size_t)c;
            int up = r > 0 ? r - 1 : p->is_ring ? p->rows - 1 : r, down = r + 1 < p->rows ? r + 1 : p->is_ring ? 0 : r;
            int left = c > 0 ? c - 1 : c, right = c + 1 < p->cols ? c + 1 : c;
            double y =
                log((double)p->light[down * p->cols + c] + 1e-3) - log((double)p->light[up * p->cols + c] + 1e-3);
            double x =
                log((double)p->light[r * p->cols + right] + 1e-3) - log((double)p->light[r * p->cols + left] + 1e-3);
            out[at] = (float)(y * y);
            along[at] = (float)(x * x);
        }
    intra_wall_patch_smooth(p, out, SMEAR_CELLS);
    intra_wall_patch_smooth(p, along, SMEAR_CELLS);
    for (size_t i = 0; i < cells(f); i++)
        out[i] = logf((out[i] + 1e-5f) / (along[i] + 1e-5f));
}

static void measure_distance(struct finder *f, const struct intra_area_options *o, const uint8_t *taken)
{
    const struct intra_wall_patch *p = f->p;
    const float *source[] = {p->light, p->red, p->blue};
    const double floors[FIELDS] = {FLOOR_LIGHT, FLOOR_COLOUR, FLOOR_COLOUR, FLOOR_SMEAR};
    double sd[FIELDS];
    for (int k = 0; k < (o->is_opening ? FIELDS : FIELDS - 1); k++) {
        if (k == 3) {
            measure_smear(f, f->field[3], f->far);
        } else {
            for (size_t i = 0; i < cells(f); i++)
                f->field[k][i] = k == 0 ? logf(source[k][i] + 1e-3f) : source[k][i];
            intra_wall_patch_smooth(p, f->field[k], SMOOTH_CELLS);
        }
        subtract_medians(f, f->field[k]);
        if (f->side && k > 0) {
            memcpy(f->tint[k - 1], source[k], cells(f) * sizeof *f->tint[0]);
            subtract_medians(f, f->tint[k - 1]);
        }
        sd[k] = fmax(scatter(f, f->field[k]), floors[k]);
    }
    for (size_t i = 0; i < cells(f); i++) {
        double z[FIELDS] = {0}, sum = 0;
        for (int k = 0; k < (o->is_opening ? FIELDS : FIELDS - 1); k++)
            z[k] = (double)f->field[k][i] / sd[k];
        if (f->side) {
            double brown = (z[1] - z[2]) * M_SQRT1_2;
            f->side[i] = brown > 0 ? 1 : -1;
            sum = brown * brown;
        } else {
            sum = z[0] * z[0] + z[1] * z[1] + z[2] * z[2] + pow(fmax(0, z[3]), 2);
        }
        f->far[i] = p->seen[i] && !(taken && taken[i]) ? (float)sqrt(sum) : 0;
    }
}

static int neighbour(const struct intra_wall_patch *p, int cell, int k)
{
    static const int dr[] = {-1, 1, 0, 0}, dc[] = {0, 0, -1, 1};
    int r = cell / p->cols + dr[k], c = cell % p->cols + dc[k];
    if (p->is_ring) r = (r + p->rows) % p->rows;
    return r < 0 || r >= p->rows || c < 0 || c >= p->cols ? -1 : r * p->cols + c;
}

/* Cells above `least` that hang together with `start`; they stand in f->queue. */
static int flood(struct finder *f, int start, double least, int label)
{
    int head = 0, tail = 0;
    f->queue[tail++] = start;
    f->label[start] = label;
    f->side_wanted = f->side ? f->side[start] : 0;
    while (head < tail) {
        int cell = f->queue[head++];
        for (int k = 0; k < 4; k++) {
            int next = neighbour(f->p, cell, k);
            if (next < 0 || f->label[next] || (double)f->far[next] < least) continue;
            if (f->side && f->side[next] != f->side_wanted) continue;
            f->label[next] = label;
            f->queue[tail++] = next;
        }
    }
    return tail;
}

/* The cell of the best piece to start from; -1. */
static int best_piece(struct finder *f, const struct intra_expected *expected, const struct intra_area_options *o)
{
    const struct intra_wall_patch *p = f->p;
    double most = 0, cell_m2 = p->ds_m * f->row_m;
    int best = -1, label = 0;
    memset(f->label, 0, cells(f) * sizeof *f->label);
    for (int i = 0; i < (int)cells(f); i++) {
        if (f->label[i] || (double)f->far[i] < SEED) continue;
        int n = flood(f, i, SEED, ++label), peak = i;
        double sum = 0, weight = 0;
        for (int k = 0; k < n; k++) {
            int cell = f->queue[k];
            sum += fmin(20, (double)f->far[cell]);
            weight = fmax(weight, intra_expected_weight(expected, p->station0_m + (cell % p->cols) * p->ds_m,
                                                        p->theta0_rad + (cell / p->cols) * p->dtheta_rad));
            if (f->far[cell] > f->far[peak]) peak = cell;
        }
        if (n * cell_m2 < (o->is_loose ? 0.1 : 0.25) * o->least_m2) continue;
        /* The root: twice as large counts as a little nearer, not as much. */
        if (sqrt(sum) * weight > most) {
            most = sqrt(sum) * weight;
            best = peak;
        }
    }
    return best;
}

static double edge_of(const struct intra_area_options *o, double level, int step)
{
    return fmax(EDGE_LEAST, (o->is_loose ? EDGE_LOOSE : EDGE_SHARE + step * EDGE_STEP) * fmin(level, 60));
}

/* Label 1: it. The level inside it decides where its edge is. */
static int draw(struct finder *f, const struct intra_area_options *o, int start, int step, double *out_level)
{
    memset(f->label, 0, cells(f) * sizeof *f->label);
    int n = flood(f, start, SEED, 1);
    for (int i = 0; i < n; i++)
        f->sorted[i] = f->far[f->queue[i]];
    double level = intra_select(f->sorted, n, n / 2), edge = edge_of(o, level, step);
    memset(f->label, 0, cells(f) * sizeof *f->label);
    *out_level = level;
    return flood(f, start, edge, 1);
}

/* Other pieces within reach of what is labelled 1 join it, until none does. Returns the cells in it. */
static int join(struct finder *f, const struct intra_area_options *o, double level)
{
    const struct intra_wall_patch *p = f->p;
    double edge = edge_of(o, level, 0);
    int reach_c = (int)(o->join_m / p->ds_m), reach_r = (int)(o->join_m / f->row_m), total = 0;
    bool has_grown = true;
    for (int round = 0; round < 20 && has_grown; round++) {
        int r0 = p->rows, r1 = -1, c0 = p->cols, c1 = -1;
        has_grown = false;
        for (int i = 0; i < (int)cells(f); i++)
            if (f->label[i] == 1) {
                int r = i / p->cols, c = i % p->cols;
                r0 = r < r0 ? r : r0;
                r1 = r > r1 ? r : r1;
                c0 = c < c0 ? c : c0;
                c1 = c > c1 ? c : c1;
            }
        for (int r = r0 - reach_r; r <= r1 + reach_r; r++)
            for (int c = c0 - reach_c; c <= c1 + reach_c; c++) {
                int row = p->is_ring ? (r + p->rows) % p->rows : r;
                if (row < 0 || row >= p->rows || c < 0 || c >= p->cols) continue;
                int at = row * p->cols + c;
                if (f->label[at] || (double)f->far[at] < SEED || (f->side && f->side[at] != f->side_wanted)) continue;
                int n = flood(f, at, edge, 1);
                if (n * p->ds_m * f->row_m >= JOIN_LEAST_M2) {
                    has_grown = true;
                    continue;
                }
                for (int k = 0; k < n; k++) /* a speck: looked at, and not of it */
                    f->label[f->queue[k]] = 3;
            }
    }
    for (int i = 0; i < (int)cells(f); i++)
        total += f->label[i] == 1;
    return total;
}

/* What lies inside the piece and differs less belongs to it: everything not reached from the patch's border. */
static void fill_inside(struct finder *f)
{
    const struct intra_wall_patch *p = f->p;
    int head = 0, tail = 0;
    for (int r = 0; r < p->rows; r++)
        for (int side = 0; side < 2; side++) {
            int at = r * p->cols + (side ? p->cols - 1 : 0);
            if (f->label[at]) continue;
            f->label[at] = 2;
            f->queue[tail++] = at;
        }
    while (head < tail) {
        int cell = f->queue[head++];
        for (int k = 0; k < 4; k++) {
            int next = neighbour(p, cell, k);
            if (next < 0 || f->label[next]) continue;
            f->label[next] = 2;
            f->queue[tail++] = next;
        }
    }
    for (size_t i = 0; i < cells(f); i++)
        f->label[i] = f->label[i] != 2;
}

/* Closing and opening by a disc-like cross would need a second field; two rounds of a majority over 3 x 3 take off
 * spurs and close notches of a cell. */
static void tidy(struct finder *f)
{
    const struct intra_wall_patch *p = f->p;
    for (int round = 0; round < 2; round++) {
        for (int r = 0; r < p->rows; r++)
            for (int c = 0; c < p->cols; c++) {
                int n = 0;
                for (int dr = -1; dr <= 1; dr++)
                    for (int dc = -1; dc <= 1; dc++) {
                        int row = (r + dr + p->rows) % p->rows, col = c + dc;
                        if (col >= 0 && col < p->cols) n += f->label[row * p->cols + col];
                    }
                f->queue[r * p->cols + c] = n >= 5;
            }
        memcpy(f->label, f->queue, cells(f) * sizeof *f->label);
    }
}

/* How much of a cell's light has the strands' colour: ratios of channels mix linearly. own: that colour less the
 * wall's. */
static double strand_share(const struct finder *f, size_t at, const double own[2])
{
    return ((exp((double)f->tint[0][at]) - 1) * own[0] + (exp((double)f->tint[1][at]) - 1) * own[1]) /
           (own[0] * own[0] + own[1] * own[1]);
}

/* Colour and brightness of cells with strand all around: first all cells of the piece, then those that are half strand
 * and more by the colour so far. False where there are too few. */
static bool strand_colour(struct finder *f, double own[2], double *bright)
{
    enum { LEAST = 30, ROUNDS = 4 };
    const struct intra_wall_patch *p = f->p;
    for (int round = 0; round < ROUNDS; round++) {
        int n = 0;
        double m[3];
        for (int r = 1; r + 1 < p->rows; r++)
            for (int c = 1; c + 1 < p->cols; c++) {
                bool is_core = true;
                for (int k = 0; k < 9 && is_core; k++) {
                    size_t at = (size_t)(r + k / 3 - 1) * (size_t)p->cols + (size_t)(c + k % 3 - 1);
                    is_core = f->label[at] == 1 && (round == 0 || strand_share(f, at, own) > 0.5);
                }
                if (is_core) f->queue[n++] = r * p->cols + c;
            }
        if (n < LEAST) return round > 0;
        for (int k = 0; k < 3; k++) {
            for (int i = 0; i < n; i++)
                f->sorted[i] = k < 2 ? (double)f->tint[k][f->queue[i]] : (double)f->field[0][f->queue[i]];
            m[k] = exp(intra_select(f->sorted, n, n / 2));
        }
        own[0] = m[0] - 1;
        own[1] = m[1] - 1;
        *bright = fmin(fmax(sqrt(m[2]), 0.5), 2);
    }
    return true;
}

/* How much of a cell strands cover. */
static double strand_cover(const struct finder *f, size_t at, const double own[2], double bright)
{
    double share = fmin(fmax(strand_share(f, at, own), -0.5), 1);
    return fmax(-0.5, share / (share + bright * (1 - share)));
}

/* Mean width of the strands: twice the area over the length of its border, of the cells that are half covered and more.
 * Borders along cells' sides are 4 / pi too long for lines of all directions. */
static double strand_width(const struct finder *f, const double own[2], double bright)
{
    const struct intra_wall_patch *p = f->p;
    int n = 0;
    double border = 0;
    for (int i = 0; i < (int)cells(f); i++) {
        if (f->label[i] != 1 || strand_cover(f, (size_t)i, own, bright) < 0.5) continue;
        n++;
        for (int k = 0; k < 4; k++) {
            int next = neighbour(p, i, k);
            if (next >= 0 && f->label[next] == 1 && strand_cover(f, (size_t)next, own, bright) >= 0.5) continue;
            border += k < 2 ? p->ds_m : f->row_m;
        }
    }
    return border > 0 ? 2 * n * p->ds_m * f->row_m / (M_PI / 4 * border) : 0;
}

/* Wall that strands cover: a threshold makes them as wide as their blur, so each cell counts by how much of it has
 * their colour. Their own colour is that of cells with strand all around. Of two colours in a cell the brighter one has
 * the larger say in what is seen; half of it in logarithm, since colour is coded at half the picture's resolution in
 * gamma-corrected values, where most of the mixing happens. What is left of the wall's own scatter is not cut off
 * below, so that it cancels. A strand is as high as it is wide: its widest part, at half its height, is nearer to the
 * pipe's axis than the wall that it is seen on, and so seen larger. Leaves the area as it is where no cell has strand
 * all around. */
static enum intra_status measure_strands(struct finder *f, struct intra_area *area, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_wall_patch *p = f->p;
    float *near = NULL;
    double own[2], bright = 1, sum = 0, width;
    if (!strand_colour(f, own, &bright)) return INTRA_OK;
    INTRA_TRY(INTRA_ALLOC(near, cells(f), err));
    for (size_t i = 0; i < cells(f); i++)
        near[i] = f->label[i] == 1;
    intra_wall_patch_smooth(p, near, STRAND_REACH_M / p->ds_m);
    for (size_t i = 0; i < cells(f); i++) {
        if (near[i] < 0.02f || !p->seen[i] || f->far[i] <= 0) continue;
        sum += strand_cover(f, i, own, bright);
    }
    width = strand_width(f, own, bright);
    area->area_m2 = sum * p->ds_m * f->row_m * pow(1 - width / 2 / p->radius_m, 2);
    area->area_sd_m2 = STRAND_SD_REL * area->area_m2;
done:
    intra_free(near);
    return status;
}

/* The clock angle opposite to the largest free gap is inside: rows are unwrapped from the end of that gap. */
static int first_row(const struct finder *f, int *out_touched)
{
    const struct intra_wall_patch *p = f->p;
    int longest = -1, first = 0, run = 0, touched = 0;
    for (int pass = 0; pass < 2 * p->rows; pass++) {
        int r = pass % p->rows;
        bool is_touched = false;
        for (int c = 0; c < p->cols && !is_touched; c++)
            is_touched = f->label[r * p->cols + c] == 1;
        if (pass < p->rows) touched += is_touched;
        if (is_touched) {
            if (run > longest) {
                longest = run;
                first = r;
            }
            run = 0;
        } else {
            run++;
        }
    }
    *out_touched = touched;
    return touched == p->rows ? 0 : first;
}

/* The border of the piece as a polygon: for every row from the first to the last its leftmost and rightmost cell.
 * Exact for what has no notch along the pipe; a notch is bridged. */
static enum intra_status outline(const struct finder *f, int first, struct intra_area *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_wall_patch *p = f->p;
    int n = 0, span = 0, every;
    int *left = NULL, *right = NULL;
    INTRA_TRY(INTRA_ALLOC(left, (size_t)p->rows, err));
    INTRA_TRY(INTRA_ALLOC(right, (size_t)p->rows, err));
    for (int k = 0; k < p->rows; k++) {
        int r = (first + k) % p->rows;
        left[k] = p->cols;
        right[k] = -1;
        for (int c = 0; c < p->cols; c++)
            if (f->label[r * p->cols + c] == 1) {
                if (c < left[k]) left[k] = c;
                right[k] = c;
            }
        if (right[k] >= 0) span = k + 1;
    }
    every = span > 60 ? span / 30 : span > 20 ? 2 : 1;
    INTRA_TRY(INTRA_ALLOC(out->outline, 2 * (size_t)(span / every + 3), err));
    for (int side = 0; side < 2; side++)
        for (int q = 0; q < span; q += every) {
            int k = side ? span - 1 - q : q;
            if (right[k] < 0) continue;
            double row = first + k;
            out->outline[n][0] = p->station0_m + (side ? left[k] - 0.5 : right[k] + 0.5) * p->ds_m;
            out->outline[n][1] = p->theta0_rad + row * p->dtheta_rad;
            n++;
        }
    out->n_outline = n;
done:
    intra_free(left);
    intra_free(right);
    return status;
}

static void moments(struct finder *f, int first, int touched, struct intra_area *out)
{
    const struct intra_wall_patch *p = f->p;
    double n = 0, sx = 0, sy = 0, xx = 0, yy = 0, xy = 0, far = 0, light = 0;
    int c0 = p->cols, c1 = -1, k1 = 0, edge = 0, n_res = 0;
    for (int k = 0; k < p->rows; k++) {
        int r = (first + k) % p->rows;
        for (int c = 0; c < p->cols; c++) {
            int at = r * p->cols + c;
            if (f->label[at] != 1) continue;
            double x = c * p->ds_m, y = k * f->row_m;
            n++;
            sx += x;
            sy += y;
            xx += x * x;
            yy += y * y;
            xy += x * y;
            far += (double)f->far[at];
            light += (double)f->field[0][at];
            c0 = c < c0 ? c : c0;
            c1 = c > c1 ? c : c1;
            k1 = k;
            for (int q = 0; q < 4; q++) {
                int next = neighbour(p, at, q);
                if (next >= 0 && f->label[next] != 1) {
                    edge++;
                    break;
                }
            }
            if (p->resolution_m[at] > 0) f->sorted[n_res++] = p->resolution_m[at];
        }
    }
    double cell = p->ds_m * f->row_m;
    sx /= n;
    sy /= n;
    xx = xx / n - sx * sx;
    yy = yy / n - sy * sy;
    xy = xy / n - sx * sy;
    double mean = (xx + yy) / 2, root = hypot((xx - yy) / 2, xy);
    out->area_m2 = n * cell;
    out->contrast = far / n;
    out->darkness = 1 - exp(light / n);
    out->station_m = p->station0_m + sx;
    out->theta_rad = p->theta0_rad + first * p->dtheta_rad + sy / p->radius_m;
    out->axis_m[0] = 4 * sqrt(fmax(0, mean + root));
    out->axis_m[1] = 4 * sqrt(fmax(0, mean - root));
    out->tilt_rad = 0.5 * atan2(2 * xy, xx - yy);
    out->fill = out->area_m2 / (M_PI / 4 * out->axis_m[0] * out->axis_m[1]);
    out->station_from_m = p->station0_m + (c0 - 0.5) * p->ds_m;
    out->station_to_m = p->station0_m + (c1 + 0.5) * p->ds_m;
    out->theta_from_rad = p->theta0_rad + (first - 0.5) * p->dtheta_rad;
    out->theta_to_rad = p->theta0_rad + (first + k1 + 0.5) * p->dtheta_rad;
    out->ring_share = (double)touched / p->rows;
    out->resolution_m = n_res ? intra_select(f->sorted, n_res, n_res / 2) : p->ds_m;
    /* The edge is known to half a resolution, the same way all around; and the level to a twentieth. */
    out->area_sd_m2 = hypot(edge * cell * 0.5 * fmin(1, out->resolution_m / p->ds_m), 0.05 * out->area_m2);
}

/* Draw the piece around `start` and measure it; why_not stays empty where it may be it. */
static enum intra_status try_piece(struct finder *f, int start, int step, const struct intra_expected *expected,
                                   const struct intra_area_options *o, struct intra_area *out, char *why_not,
                                   size_t size, struct intra_error *err)
{
    const struct intra_wall_patch *p = f->p;
    double level;
    int touched, count = draw(f, o, start, step, &level);
    *out = (struct intra_area){0};
    why_not[0] = 0;
    if (o->join_m > 0) count = join(f, o, level);
    if (!o->is_loose) {
        fill_inside(f);
        tidy(f);
        count = 0;
        for (size_t i = 0; i < cells(f); i++)
            count += f->label[i] == 1;
    }
    if (count * p->ds_m * f->row_m < o->least_m2) {
        snprintf(why_not, size, "what differs from the wall there is only %.1f cm2", 1e4 * count * p->ds_m * f->row_m);
        return INTRA_OK;
    }
    int first = first_row(f, &touched);
    moments(f, first, touched, out);
    out->is_part = step > 0;
    if (f->side) {
        enum intra_status status = measure_strands(f, out, err);
        if (status != INTRA_OK) return status;
    }
    if (out->station_to_m - out->station_from_m > MOST_SHARE * p->cols * p->ds_m && out->ring_share > 0.5)
        snprintf(why_not, size, "the look of the wall changes over the whole stretch");
    else if (out->contrast < LEAST_CONTRAST)
        snprintf(why_not, size, "what is there differs too little from the wall (%.1f deviations)", out->contrast);
    else if (out->fill < o->least_fill || (o->most_slim > 0 && out->axis_m[0] > o->most_slim * out->axis_m[1]))
        snprintf(why_not, size, "what differs from the wall there has another shape");
    else if (intra_expected_weight(expected, out->station_m, out->theta_rad) < o->least_weight &&
             intra_expected_weight(expected, (out->station_from_m + out->station_to_m) / 2,
                                   (out->theta_from_rad + out->theta_to_rad) / 2) < o->least_weight)
        snprintf(why_not, size, "what differs from the wall is too far from where it was recorded");
    return why_not[0] ? INTRA_OK : outline(f, first, out, err);
}

enum intra_status intra_area_find(const struct intra_wall_patch *patch, const struct intra_expected *expected,
                                  const struct intra_area_options *options, const uint8_t *taken,
                                  struct intra_area *out, char *why, size_t size, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct finder f = {.p = patch, .row_m = patch->dtheta_rad * patch->radius_m};
    size_t n = cells(&f);
    char why_not[96] = "";
    *out = (struct intra_area){0};
    for (int k = 0; k < FIELDS; k++)
        INTRA_TRY(INTRA_ALLOC(f.field[k], n, err));
    INTRA_TRY(INTRA_ALLOC(f.far, n, err));
    INTRA_TRY(INTRA_ALLOC(f.label, n, err));
    INTRA_TRY(INTRA_ALLOC(f.queue, n, err));
    INTRA_TRY(INTRA_ALLOC(f.sorted, n, err));
    if (options->is_loose) {
        INTRA_TRY(INTRA_ALLOC(f.tint[0], n, err));
        INTRA_TRY(INTRA_ALLOC(f.tint[1], n, err));
        INTRA_TRY(INTRA_ALLOC(f.side, n, err));
    }
    measure_distance(&f, options, taken);
    snprintf(why, size, "nothing there differs from the wall around it");
    for (int i = 0; i < TRIES && !out->outline; i++) {
        int start = best_piece(&f, expected, options), steps = options->is_opening ? STEPS : 1;
        if (start < 0) break;
        for (int step = 0; step < steps && !out->outline; step++)
            INTRA_TRY(try_piece(&f, start, step, expected, options, out, why_not, sizeof why_not, err));
        if (out->outline) {
            why[0] = 0;
        } else {
            if (i == 0) snprintf(why, size, "%s", why_not);
            f.far[start] = 0;
            for (size_t k = 0; k < n; k++)
                if (f.label[k] == 1) f.far[k] = 0;
        }
    }
done:
    for (int k = 0; k < FIELDS; k++)
        intra_free(f.field[k]);
    intra_free(f.far);
    intra_free(f.tint[0]);
    intra_free(f.tint[1]);
    intra_free(f.side);
    intra_free(f.label);
    intra_free(f.queue);
    intra_free(f.sorted);
    return status;
}
