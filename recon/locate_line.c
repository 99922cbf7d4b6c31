/* Cracks. Darkness d = 1 - L / B of the linear luminance L against its smoothed surroundings B; at three scales the
 * larger curvature of the smoothed d across a dark ridge, less the curvature along it (pores are round, cracks are
 * not): Lindeberg 1998, "Edge detection and ridge detection with automatic scale selection", IJCV 30. Cells above a low
 * threshold that hang together with one above a high threshold make pieces (Canny's hysteresis); pieces in line with
 * one another are joined over short breaks; the crack is the shortest path between the two ends that lie farthest
 * apart, in a metric in which weak ridge is long way (Dijkstra 1959). The path is moved onto the centre of the dark
 * line and smoothed, since the way over cells is up to 8 % too long.
 *
 * Width: a crack is dark inside. The darkness integrated across it, over the darkness of its inside, is its width
 * whatever the blur (a thin line and its blurred picture have the same integral). */
#include "recon/locate_line.h"

#include "core/clones.h"
#include "core/mem.h"
#include "core/select.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SURROUNDINGS_M 0.014 /* smoothing of B */
#define HIGH_FACTOR 9.0      /* over the median ridge of the texture */
#define LOW_SHARE 0.3        /* of high */
#define LEAST_HIGH 0.05
#define LEAST_PIECE_M 0.008
#define LEAST_LENGTH_M 0.03
#define LEAST_SLENDER 4.0 /* length over mean thickness of a piece */
#define BRIDGE_M 0.03
#define BRIDGE_COS 0.75 /* a break runs on in the piece's own direction */
#define JOINT_HALF_M 0.015
#define INSIDE_DARK 0.93 /* darkness inside a crack: it reflects next to nothing */
#define PROFILE_HALF_M 0.009

double intra_expected_weight(const struct intra_expected *e, double station_m, double theta_rad)
{
    double ds = fmax(0, fabs(station_m - e->station_m) - e->half_station_m) / e->station_sd_m;
    double da = fmax(0, fabs(intra_wrap_pi(theta_rad - e->theta_rad)) - e->half_theta_rad) / e->theta_sd_rad;
    return exp(-0.5 * (ds * ds + da * da));
}

struct piece {
    int n;            /* cells */
    double sum;       /* of the ridge */
    double weight;    /* best expectation in it */
    int end[2];       /* cells farthest apart */
    double extent;    /* between them, cells */
    double dir[2][2]; /* outward direction at the ends, (row, col) */
    bool is_taken, is_line;
};

struct tracer {
    const struct intra_wall_patch *p;
    float *dark, *ridge;
    int *label; /* 0 none, else piece + 1 */
    struct piece *pieces;
    int n_pieces, cap_pieces;
    int *queue;
    double *cost;
    int *from;
    double high, low, median;
    double row_m; /* metres of a row; columns are ds_m */
};

static double station_of(const struct tracer *t, int cell)
{
    return t->p->station0_m + (cell % t->p->cols) * t->p->ds_m;
}

static double theta_of(const struct tracer *t, int cell)
{
    return t->p->theta0_rad + (cell / t->p->cols) * t->p->dtheta_rad;
}

static double apart(const struct tracer *t, int a, int b)
{
    double y = (a / t->p->cols - b / t->p->cols) * t->row_m, x = (a % t->p->cols - b % t->p->cols) * t->p->ds_m;
    return sqrt(x * x + y * y); /* hypot guards against overflow, at five times the cost */
}

/* Ridge strength of the inner cells of a row: the larger curvature across a dark ridge less the one along it; below
 * zero where there is none. */
__attribute__((noinline)) INTRA_CLONES static void strength_row(const float *restrict v, int cols, double sigma,
                                                                double *restrict out)
{
    const float *above = v - cols, *below = v + cols;
    for (int c = 1; c + 1 < cols; c++) {
        double xx = (double)v[c - 1] - 2 * (double)v[c] + (double)v[c + 1];
        double yy = (double)above[c] - 2 * (double)v[c] + (double)below[c];
        double xy = ((double)below[c + 1] - (double)below[c - 1] - (double)above[c + 1] + (double)above[c - 1]) / 4;
        double mean = (xx + yy) / 2, skew = (xx - yy) / 2, root = sqrt(skew * skew + xy * xy);
        out[c] = sigma * sigma * (-(mean - root) - fabs(mean + root));
    }
}

/* The ring of a joint: its curvature is along the pipe. */
static bool is_joint_ring(const struct tracer *t, const float *v, int c, const double *joints, int n_joints)
{
    const struct intra_wall_patch *p = t->p;
    double s = p->station0_m + c * p->ds_m;
    double xx = (double)v[-1] - 2 * (double)v[0] + (double)v[1];
    double yy = (double)v[-p->cols] - 2 * (double)v[0] + (double)v[p->cols];
    for (int j = 0; j < n_joints; j++)
        if (fabs(s - joints[j]) < JOINT_HALF_M && xx < 0 && fabs(yy) < 0.35 * fabs(xx)) return true;
    return false;
}

/* One scale: the ridge strength where it exceeds what smaller scales gave. row: room for one. */
static void add_scale(struct tracer *t, const float *smooth, double sigma, const double *joints, int n_joints,
                      double *row)
{
    const struct intra_wall_patch *p = t->p;
    for (int r = 1; r + 1 < p->rows; r++) {
        size_t first = (size_t)r * (size_t)p->cols;
        strength_row(smooth + first, p->cols, sigma, row);
        for (int c = 1; c + 1 < p->cols; c++) {
            if (row[c] <= (double)t->ridge[first + (size_t)c] || !p->seen[first + (size_t)c]) continue;
            if (!is_joint_ring(t, smooth + first + c, c, joints, n_joints)) t->ridge[first + (size_t)c] = (float)row[c];
        }
    }
}

static enum intra_status make_ridge(struct tracer *t, const double *joints, int n_joints, struct intra_error *err)
{
    static const double sigmas[] = {0.9, 1.4, 2.1};
    enum intra_status status = INTRA_OK;
    const struct intra_wall_patch *p = t->p;
    size_t n = (size_t)p->rows * (size_t)p->cols;
    float *smooth = NULL;
    double *sorted = NULL, *row = NULL;
    int n_sorted = 0;
    INTRA_TRY(INTRA_ALLOC(smooth, n, err));
    INTRA_TRY(INTRA_ALLOC(sorted, n / 7 + 1, err));
    INTRA_TRY(INTRA_ALLOC(row, (size_t)p->cols, err));
    memcpy(smooth, p->light, n * sizeof *smooth);
    intra_wall_patch_smooth(p, smooth, SURROUNDINGS_M / p->ds_m);
    for (size_t i = 0; i < n; i++) {
        double d = 1 - (double)p->light[i] / fmax(1e-4, (double)smooth[i]);
        t->dark[i] = p->seen[i] ? (float)fmax(-0.5, d) : 0;
    }
    for (size_t k = 0; k < sizeof sigmas / sizeof *sigmas; k++) {
        memcpy(smooth, t->dark, n * sizeof *smooth);
        intra_wall_patch_smooth(p, smooth, sigmas[k]);
        add_scale(t, smooth, sigmas[k], joints, n_joints, row);
    }
    for (size_t i = 0; i < n; i += 7)
        if (t->ridge[i] > 0) sorted[n_sorted++] = t->ridge[i];
    t->median = n_sorted ? intra_select(sorted, n_sorted, n_sorted / 2) : 0;
    t->high = fmax(LEAST_HIGH, HIGH_FACTOR * t->median);
    t->low = LOW_SHARE * t->high;
done:
    intra_free(smooth);
    intra_free(row);
    intra_free(sorted);
    return status;
}

/* Steps to the eight neighbours; -1 where there is none. */
static int neighbour(const struct intra_wall_patch *p, int cell, int k)
{
    static const int dr[] = {-1, -1, -1, 0, 0, 1, 1, 1}, dc[] = {-1, 0, 1, -1, 1, -1, 0, 1};
    int r = cell / p->cols + dr[k], c = cell % p->cols + dc[k];
    if (p->is_ring) r = (r + p->rows) % p->rows;
    return r < 0 || r >= p->rows || c < 0 || c >= p->cols ? -1 : r * p->cols + c;
}

static int flood(struct tracer *t, int start, int label, double *out_sum, bool *out_high)
{
    int head = 0, tail = 0;
    t->queue[tail++] = start;
    t->label[start] = label;
    *out_sum = 0;
    *out_high = false;
    while (head < tail) {
        int cell = t->queue[head++];
        *out_sum += (double)t->ridge[cell];
        if ((double)t->ridge[cell] > t->high) *out_high = true;
        for (int k = 0; k < 8; k++) {
            int next = neighbour(t->p, cell, k);
            if (next < 0 || t->label[next] || (double)t->ridge[next] <= t->low) continue;
            t->label[next] = label;
            t->queue[tail++] = next;
        }
    }
    return tail;
}

static int farthest(const struct tracer *t, int n, int from)
{
    int best = from;
    double most = -1;
    for (int i = 0; i < n; i++) {
        double d = apart(t, t->queue[i], from);
        if (d > most) {
            most = d;
            best = t->queue[i];
        }
    }
    return best;
}

/* Outward direction at an end: from the middle of the piece's cells within 12 mm to the end. */
static void end_direction(const struct tracer *t, struct piece *piece, int n, int which)
{
    double y = 0, x = 0;
    int count = 0, end = piece->end[which];
    for (int i = 0; i < n; i++)
        if (apart(t, t->queue[i], end) < 0.012) {
            y += (t->queue[i] / t->p->cols - end / t->p->cols) * t->row_m;
            x += (t->queue[i] % t->p->cols - end % t->p->cols) * t->p->ds_m;
            count++;
        }
    double norm = hypot(x, y);
    piece->dir[which][0] = norm > 0 && count > 1 ? -y / norm : 0;
    piece->dir[which][1] = norm > 0 && count > 1 ? -x / norm : 0;
}

static enum intra_status make_pieces(struct tracer *t, const struct intra_expected *expected, struct intra_error *err)
{
    int n = t->p->rows * t->p->cols;
    for (int i = 0; i < n; i++) {
        struct piece piece = {0};
        bool is_high;
        if (t->label[i] || (double)t->ridge[i] <= t->low) continue;
        piece.n = flood(t, i, t->n_pieces + 1, &piece.sum, &is_high);
        piece.end[0] = farthest(t, piece.n, i);
        piece.end[1] = farthest(t, piece.n, piece.end[0]);
        piece.extent = apart(t, piece.end[0], piece.end[1]);
        double area = piece.n * t->p->ds_m * t->row_m;
        piece.is_line = is_high && piece.extent >= LEAST_PIECE_M && piece.extent * piece.extent >= LEAST_SLENDER * area;
        for (int k = 0; k < piece.n; k++)
            piece.weight = fmax(piece.weight,
                                intra_expected_weight(expected, station_of(t, t->queue[k]), theta_of(t, t->queue[k])));
        end_direction(t, &piece, piece.n, 0);
        end_direction(t, &piece, piece.n, 1);
        if (t->n_pieces == t->cap_pieces) {
            int more = t->cap_pieces ? 2 * t->cap_pieces : 256;
            struct piece *grown = intra_resize(t->pieces, (size_t)t->cap_pieces, (size_t)more, sizeof *grown);
            if (!grown) return INTRA_FAIL(err, INTRA_E_MEM, "no memory for %d pieces of a crack", more);
            t->pieces = grown;
            t->cap_pieces = more;
        }
        t->pieces[t->n_pieces++] = piece;
    }
    return INTRA_OK;
}

/* Pieces that run on from those taken, over a short break. */
static bool take_next(struct tracer *t)
{
    for (int i = 0; i < t->n_pieces; i++) {
        if (!t->pieces[i].is_taken) continue;
        for (int k = 0; k < t->n_pieces; k++) {
            const struct piece *a = &t->pieces[i], *b = &t->pieces[k];
            if (b->is_taken || !b->is_line) continue;
            for (int ends = 0; ends < 4; ends++) {
                int from = a->end[ends / 2], to = b->end[ends % 2];
                double y = (to / t->p->cols - from / t->p->cols) * t->row_m;
                double x = (to % t->p->cols - from % t->p->cols) * t->p->ds_m, gap = hypot(x, y);
                if (gap > BRIDGE_M) continue;
                double along = gap > 0 ? (a->dir[ends / 2][0] * y + a->dir[ends / 2][1] * x) / gap : 1;
                double facing = gap > 0 ? -(b->dir[ends % 2][0] * y + b->dir[ends % 2][1] * x) / gap : 1;
                if (gap < 0.005 || (along > BRIDGE_COS && facing > BRIDGE_COS)) {
                    t->pieces[k].is_taken = true;
                    return true;
                }
            }
        }
    }
    return false;
}

/* ---- the path ---- */

struct heap {
    int *cell;
    double *key;
    int n, cap;
};

static void heap_push(struct heap *h, int cell, double key)
{
    int i = h->n++;
    while (i > 0 && h->key[(i - 1) / 2] > key) {
        h->key[i] = h->key[(i - 1) / 2];
        h->cell[i] = h->cell[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    h->key[i] = key;
    h->cell[i] = cell;
}

static int heap_pop(struct heap *h, double *key)
{
    int out = h->cell[0], i = 0;
    *key = h->key[0];
    double last = h->key[--h->n];
    int cell = h->cell[h->n];
    for (;;) {
        int k = 2 * i + 1;
        if (k >= h->n) break;
        if (k + 1 < h->n && h->key[k + 1] < h->key[k]) k++;
        if (h->key[k] >= last) break;
        h->key[i] = h->key[k];
        h->cell[i] = h->cell[k];
        i = k;
    }
    h->key[i] = last;
    h->cell[i] = cell;
    return out;
}

/* Cells the path may use: those of taken pieces, and what lies within the bridges' reach of them is decided by cost. */
static double step_cost(const struct tracer *t, int cell)
{
    double ridge = t->ridge[cell] > 0 ? (double)t->ridge[cell] : 0;
    return 1 / (0.06 + fmin(1, ridge / t->high));
}

/* Least-cost way from `start` to every cell within `limit`; returns the farthest cell of a taken piece. */
static int spread(struct tracer *t, struct heap *h, int start)
{
    int n = t->p->rows * t->p->cols, best = start;
    double most = -1, limit = INFINITY, key;
    for (int i = 0; i < n; i++) {
        t->cost[i] = INFINITY;
        t->from[i] = -1;
    }
    int todo = 0;
    for (int i = 0; i < n; i++)
        todo += t->label[i] && t->pieces[t->label[i] - 1].is_taken;
    h->n = 0;
    t->cost[start] = 0;
    heap_push(h, start, 0);
    while (h->n) {
        int cell = heap_pop(h, &key);
        if (key > t->cost[cell] || key > limit) continue;
        bool is_crack = t->label[cell] && t->pieces[t->label[cell] - 1].is_taken;
        if (is_crack) {
            if (key > most) {
                most = key;
                best = cell;
            }
            if (--todo == 0) break;
        }
        for (int k = 0; k < 8; k++) {
            int next = neighbour(t->p, cell, k);
            if (next < 0 || h->n >= h->cap) continue;
            double d =
                t->p->is_ring && abs(next / t->p->cols - cell / t->p->cols) > 1 ? t->row_m : apart(t, cell, next);
            double cost = key + d * (step_cost(t, cell) + step_cost(t, next)) / 2;
            if (cost < t->cost[next]) {
                t->cost[next] = cost;
                t->from[next] = cell;
                heap_push(h, next, cost);
            }
        }
    }
    return best;
}

/* Move each point onto the darkness' centre across the line, then smooth over a window that keeps bends. */
static void settle(const struct tracer *t, double (*pt)[2], int n, double (*tmp)[2])
{
    enum { WINDOW = 4 };
    const struct intra_wall_patch *p = t->p;
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < n; i++) {
            int a = i < 4 ? 0 : i - 4, b = i + 4 < n ? i + 4 : n - 1;
            double y = (pt[b][0] - pt[a][0]) * t->row_m, x = (pt[b][1] - pt[a][1]) * p->ds_m, norm = hypot(x, y);
            double ny = norm > 0 ? x / norm : 1, nx = norm > 0 ? -y / norm : 0; /* across, metres */
            double sum = 0, moment = 0;
            for (int k = -6; k <= 6; k++) {
                double off = 0.5 * k * p->ds_m;
                double d =
                    intra_wall_patch_at(p, t->dark, pt[i][0] + off * ny / t->row_m, pt[i][1] + off * nx / p->ds_m);
                d = fmax(0, d - 0.1);
                sum += d;
                moment += d * off;
            }
            double shift = sum > 0.05 ? moment / sum : 0;
            tmp[i][0] = pt[i][0] + shift * ny / t->row_m;
            tmp[i][1] = pt[i][1] + shift * nx / p->ds_m;
        }
        for (int i = 0; i < n; i++) {
            int half = WINDOW;
            if (i < half) half = i;
            if (n - 1 - i < half) half = n - 1 - i;
            double y = 0, x = 0;
            for (int k = -half; k <= half; k++) {
                y += tmp[i + k][0];
                x += tmp[i + k][1];
            }
            pt[i][0] = y / (2 * half + 1);
            pt[i][1] = x / (2 * half + 1);
        }
    }
}

/* The ridge of a line reaches past its ends by the blur: the line ends where its darkness falls to half. */
static int trim(const struct tracer *t, double (*pt)[2], int n, double *scratch)
{
    int from = 0, to = n - 1;
    for (int i = 0; i < n; i++)
        scratch[i] = intra_wall_patch_at(t->p, t->dark, pt[i][0], pt[i][1]);
    double half = 0.5 * intra_select(scratch, n, n / 2);
    while (from < to && intra_wall_patch_at(t->p, t->dark, pt[from][0], pt[from][1]) < half)
        from++;
    while (to > from && intra_wall_patch_at(t->p, t->dark, pt[to][0], pt[to][1]) < half)
        to--;
    memmove(pt, pt + from, (size_t)(to - from + 1) * sizeof *pt);
    return to - from + 1;
}

/* The chain of cells from `end` back, as smoothed points. */
static enum intra_status make_line(const struct tracer *t, int end, struct intra_line *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_wall_patch *p = t->p;
    double(*pt)[2] = NULL, (*tmp)[2] = NULL, ridge = 0, dark = 0;
    int n = 0, shift = 0;
    for (int c = end; c >= 0; c = t->from[c])
        n++;
    INTRA_TRY(INTRA_ALLOC(pt, (size_t)n, err));
    INTRA_TRY(INTRA_ALLOC(tmp, (size_t)n, err));
    n = 0;
    for (int c = end, before = -1; c >= 0; before = c, c = t->from[c]) {
        if (before >= 0 && p->is_ring) {
            int d = c / p->cols - before / p->cols;
            if (d > 1) shift -= p->rows;
            if (d < -1) shift += p->rows;
        }
        pt[n][0] = c / p->cols + shift;
        pt[n][1] = c % p->cols;
        ridge += (double)t->ridge[c];
        dark += (double)t->dark[c];
        n++;
    }
    if (!shift) {
        settle(t, pt, n, tmp);
        n = trim(t, pt, n, &tmp[0][0]);
    }
    for (int i = 0; i < n; i++) {
        double row = pt[i][0];
        pt[i][0] = p->station0_m + pt[i][1] * p->ds_m;
        pt[i][1] = p->theta0_rad + row * p->dtheta_rad;
    }
    out->points = pt;
    pt = NULL;
    out->n = n;
    out->contrast = dark / n;
    out->strength = t->median > 0 ? ridge / n / t->median : 0;
done:
    intra_free(pt);
    intra_free(tmp);
    return status;
}

enum intra_status intra_line_find(const struct intra_wall_patch *patch, const struct intra_expected *expected,
                                  const double *joints, int n_joints, const uint8_t *taken, struct intra_line *out,
                                  char *why, size_t size, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    size_t n = (size_t)patch->rows * (size_t)patch->cols;
    struct tracer t = {.p = patch, .row_m = patch->dtheta_rad * patch->radius_m};
    struct heap heap = {.cap = (int)(4 * n)};
    int best = -1, end = 0;
    double score = 0;
    *out = (struct intra_line){0};
    INTRA_TRY(INTRA_ALLOC(t.dark, n, err));
    INTRA_TRY(INTRA_ALLOC(t.ridge, n, err));
    INTRA_TRY(INTRA_ALLOC(t.label, n, err));
    INTRA_TRY(INTRA_ALLOC(t.queue, n, err));
    INTRA_TRY(INTRA_ALLOC(t.cost, n, err));
    INTRA_TRY(INTRA_ALLOC(t.from, n, err));
    INTRA_TRY(INTRA_ALLOC(heap.cell, (size_t)heap.cap, err));
    INTRA_TRY(INTRA_ALLOC(heap.key, (size_t)heap.cap, err));
    INTRA_TRY(make_ridge(&t, joints, n_joints, err));
    for (size_t i = 0; taken && i < n; i++)
        if (taken[i]) t.ridge[i] = 0;
    INTRA_TRY(make_pieces(&t, expected, err));
    for (int i = 0; i < t.n_pieces; i++) {
        const struct piece *piece = &t.pieces[i];
        double s = piece->is_line ? piece->sum / piece->n * piece->extent * piece->weight : 0;
        if (s > score) {
            score = s;
            best = i;
        }
    }
    if (best < 0) {
        snprintf(why, size, "no dark line stands out of the wall's texture there");
        goto done;
    }
    t.pieces[best].is_taken = true;
    while (take_next(&t))
        ;
    end = spread(&t, &heap, t.pieces[best].end[0]);
    end = spread(&t, &heap, end);
    INTRA_TRY(make_line(&t, end, out, err));
    double length = 0;
    for (int i = 1; i < out->n; i++)
        length += hypot(out->points[i][0] - out->points[i - 1][0],
                        patch->radius_m * (out->points[i][1] - out->points[i - 1][1]));
    if (length < LEAST_LENGTH_M) {
        snprintf(why, size, "the dark line there is only %.0f mm long", 1e3 * length);
        intra_free(out->points);
        *out = (struct intra_line){0};
    }
done:
    intra_free(t.dark);
    intra_free(t.ridge);
    intra_free(t.label);
    intra_free(t.queue);
    intra_free(t.cost);
    intra_free(t.from);
    intra_free(t.pieces);
    intra_free(heap.cell);
    intra_free(heap.key);
    return status;
}

/* ---- width ---- */

static double median_of(double *v, int n)
{
    return n ? intra_select(v, n, n / 2) : NAN;
}

bool intra_line_measure_width(const struct intra_wall_patch *p, const double (*points)[2], int n_points,
                              struct intra_line_width *out, struct intra_error *err)
{
    enum { MAX_SAMPLES = 200, PROFILE = 64 };
    double widths[MAX_SAMPLES], peaks[MAX_SAMPLES], resolutions[MAX_SAMPLES], spread[MAX_SAMPLES];
    double row_m = p->dtheta_rad * p->radius_m, step = p->ds_m / 2;
    int half = (int)(PROFILE_HALF_M / step), n = 0;
    (void)err;
    if (half > PROFILE / 2 - 1) half = PROFILE / 2 - 1;
    for (int k = 0; k < MAX_SAMPLES && n_points > 8; k++) {
        int i = 3 + (int)((double)k * (n_points - 6) / MAX_SAMPLES), a = i < 5 ? 0 : i - 5,
            b = i + 5 < n_points ? i + 5 : n_points - 1;
        double v[PROFILE], edge[PROFILE], dark[PROFILE], base, peak = 0, sum = 0;
        double y = (points[b][1] - points[a][1]) * p->radius_m, x = points[b][0] - points[a][0], norm = hypot(x, y);
        int m = 0;
        if (!(norm > 0)) continue;
        double row = (points[i][1] - p->theta0_rad) / p->dtheta_rad, col = (points[i][0] - p->station0_m) / p->ds_m;
        for (int j = -half; j <= half; j++) {
            v[j + half] = intra_wall_patch_at(p, p->light, row + j * step * (x / norm) / row_m,
                                              col - j * step * (y / norm) / p->ds_m);
            if (abs(j) * step > 0.5 * PROFILE_HALF_M) edge[m++] = v[j + half];
        }
        base = median_of(edge, m);
        for (int j = 0; j <= 2 * half; j++) {
            dark[j] = 1 - v[j] / base;
            if (abs(j - half) * step < 0.003) peak = fmax(peak, dark[j]);
        }
        if (peak < 0.08) continue; /* a break in the line, or one bridged */
        /* Outwards from the middle to where the darkness is gone. */
        for (int side = -1; side <= 1; side += 2)
            for (int j = side < 0 ? 0 : 1; j <= half; j++) {
                double d = dark[half + side * j];
                if (d < 0.04 * peak) break;
                sum += d * step;
            }
        resolutions[n] = intra_wall_patch_at(p, p->resolution_m, row, col);
        peaks[n] = peak;
        widths[n++] = sum;
    }
    if (n < 5) return false;
    double integral = median_of(widths, n), peak = median_of(peaks, n);
    double inside = fmax(INSIDE_DARK, peak), resolution = median_of(resolutions, n);
    for (int i = 0; i < n; i++)
        spread[i] = fabs(widths[i] - integral);
    double rough = 1.4826 * median_of(spread, n);
    if (!(resolution > 0)) resolution = p->ds_m;
    out->contrast = peak;
    out->resolution_m = resolution;
    out->width_m = integral / inside;
    /* a tenth for what is not known of the inside, the scatter along the line (profiles a few cells apart are alike),
     * and a fifth of the resolution for the foot of the profile */
    out->width_sd_m = sqrt(pow(0.1 * out->width_m, 2) + pow(rough / sqrt(n / 8.0 + 1), 2) + pow(0.2 * resolution, 2));
    out->is_limit = out->width_m < 0.5 * resolution;
    if (out->is_limit) out->width_m = 0.5 * resolution;
    return true;
}
