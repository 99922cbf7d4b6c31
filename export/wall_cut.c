/* Lines are walked along. An area is cut at one level after the other: between its crossings of the level, in order
 * along it, inside and outside take turns, so that each crossing has a partner to which the border of a part runs on
 * (Weiler and Atherton 1977, against a half plane). */
#include "export/wall_cut.h"

#include "core/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_TURNS = 4 };

/* Points that grow. */
struct run {
    double (*p)[2];
    size_t n, cap;
};

static enum intra_status push(struct run *run, double x, double y, struct intra_error *err)
{
    if (run->n == run->cap) {
        size_t cap = run->cap ? 2 * run->cap : 64;
        double(*grown)[2] = intra_resize(run->p, run->cap, cap, sizeof *run->p);
        if (!grown) return INTRA_FAIL(err, INTRA_E_MEM, "out of memory: %zu points of an outline", cap);
        run->p = grown;
        run->cap = cap;
    }
    run->p[run->n][0] = x;
    run->p[run->n++][1] = y;
    return INTRA_OK;
}

/* Its points, moved to turn 0, behind those that are there. */
static enum intra_status add_piece(struct intra_wall_pieces *out, const double (*p)[2], size_t n, double turn,
                                   struct intra_error *err)
{
    size_t before = 0;
    double(*points)[2];
    int *counts;
    for (int i = 0; i < out->n; i++)
        before += (size_t)out->n_points[i];
    points = intra_resize(out->points, before, before + n, sizeof *points);
    if (points) out->points = points;
    counts = points ? intra_resize(out->n_points, (size_t)out->n, (size_t)out->n + 1, sizeof *counts) : NULL;
    if (!counts) return INTRA_FAIL(err, INTRA_E_MEM, "out of memory: %zu points of an outline", before + n);
    for (size_t i = 0; i < n; i++) {
        out->points[before + i][0] = p[i][0];
        out->points[before + i][1] = p[i][1] - turn;
    }
    out->n_points = counts;
    out->n_points[out->n++] = (int)n;
    return INTRA_OK;
}

static double station_at(const double a[2], const double b[2], double level)
{
    return a[0] + (b[0] - a[0]) * (level - a[1]) / (b[1] - a[1]);
}

/* ---- lines ---- */

static enum intra_status cut_line(const double (*p)[2], int n, struct intra_wall_pieces *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct run run = {0};
    /* One that sets out on the cut belongs to the turn that it goes into. */
    double turn = p[0][1] > floor(p[0][1]) || p[1][1] >= p[0][1] ? floor(p[0][1]) : p[0][1] - 1;
    INTRA_TRY(push(&run, p[0][0], p[0][1], err));
    for (int i = 1; i < n; i++) {
        while (p[i][1] < turn || p[i][1] > turn + 1) {
            double level = p[i][1] < turn ? turn : turn + 1, s = station_at(p[i - 1], p[i], level);
            INTRA_TRY(push(&run, s, level, err));
            if (run.n > 1) INTRA_TRY(add_piece(out, (const double(*)[2])run.p, run.n, turn, err));
            run.n = 0;
            INTRA_TRY(push(&run, s, level, err));
            turn += p[i][1] < turn ? -1 : 1;
        }
        INTRA_TRY(push(&run, p[i][0], p[i][1], err));
    }
    INTRA_TRY(add_piece(out, (const double(*)[2])run.p, run.n, turn, err));
done:
    intra_free(run.p);
    return status;
}

/* ---- areas ---- */

struct crossing {
    double s;
    int after; /* the edge from this point crosses the level, */
    bool is_up;
    int order, partner; /* among the crossings along the border; along the level */
    bool is_used;
};

static int by_station(const void *a, const void *b)
{
    const struct crossing *p = *(struct crossing *const *)a, *q = *(struct crossing *const *)b;
    if (p->s < q->s || p->s > q->s) return p->s < q->s ? -1 : 1;
    return p->order - q->order;
}

/* Where the border crosses the level, with partners. *out_n is odd where they do not pair off. */
static enum intra_status find_crossings(const double (*p)[2], int n, double level, struct crossing **out, int *out_n,
                                        struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct crossing **sorted = NULL, *all = NULL;
    int count = 0;
    INTRA_TRY(INTRA_ALLOC(all, (size_t)n, err));
    for (int i = 0; i < n; i++) {
        const double *a = p[i], *b = p[(i + 1) % n];
        if ((a[1] >= level) == (b[1] >= level)) continue;
        all[count] = (struct crossing){station_at(a, b, level), i, b[1] >= level, count, 0, false};
        count++;
    }
    INTRA_TRY(INTRA_ALLOC(sorted, (size_t)count + 1, err));
    for (int i = 0; i < count; i++)
        sorted[i] = &all[i];
    qsort(sorted, (size_t)count, sizeof *sorted, by_station);
    for (int i = 0; i + 1 < count; i += 2) {
        if (sorted[i]->is_up == sorted[i + 1]->is_up) {
            count = 1;
            break;
        }
        sorted[i]->partner = sorted[i + 1]->order;
        sorted[i + 1]->partner = sorted[i]->order;
    }
    *out = all;
    *out_n = count;
    all = NULL;
done:
    intra_free(sorted);
    intra_free(all);
    return status;
}

/* The part that is entered at crossing `start`, on its way up or down. */
static enum intra_status walk_part(const double (*p)[2], int n, double level, struct crossing *all, int count,
                                   int start, struct run *part, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    part->n = 0;
    for (int at = start; !all[at].is_used; at = all[(at + 1) % count].partner) {
        int last = all[(at + 1) % count].after;
        all[at].is_used = true;
        INTRA_TRY(push(part, all[at].s, level, err));
        for (int i = (all[at].after + 1) % n;; i = (i + 1) % n) {
            INTRA_TRY(push(part, p[i][0], p[i][1], err));
            if (i == last) break;
        }
        INTRA_TRY(push(part, all[(at + 1) % count].s, level, err));
    }
done:
    return status;
}

/* Cuts at `level` and all above it. */
static enum intra_status cut_area(const double (*p)[2], int n, double level, struct intra_wall_pieces *out,
                                  struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct crossing *all = NULL;
    struct run part = {0};
    int count;
    double high = -INFINITY;
    for (int i = 0; i < n; i++)
        high = fmax(high, p[i][1]);
    if (high <= level) return add_piece(out, p, (size_t)n, level - 1, err);
    INTRA_TRY(find_crossings(p, n, level, &all, &count, err));
    if (count == 0) {
        INTRA_TRY(cut_area(p, n, level + 1, out, err));
        goto done;
    }
    if (count % 2) {
        INTRA_TRY(add_piece(out, p, (size_t)n, level - 1, err));
        goto done;
    }
    for (int i = 0; i < count; i++) {
        if (all[i].is_used) continue;
        INTRA_TRY(walk_part(p, n, level, all, count, i, &part, err));
        if (all[i].is_up)
            INTRA_TRY(cut_area((const double(*)[2])part.p, (int)part.n, level + 1, out, err));
        else
            INTRA_TRY(add_piece(out, (const double(*)[2])part.p, part.n, level - 1, err));
    }
done:
    intra_free(all);
    intra_free(part.p);
    return status;
}

enum intra_status intra_wall_cut(const double (*outline)[2], int n, bool is_line, double cut_rad,
                                 struct intra_wall_pieces *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    double(*p)[2] = NULL, low = INFINITY, high = -INFINITY;
    *out = (struct intra_wall_pieces){0};
    if (!outline || n < (is_line ? 2 : 3)) return INTRA_OK;
    INTRA_TRY(INTRA_ALLOC(p, (size_t)n, err));
    for (int i = 0; i < n; i++) {
        p[i][0] = outline[i][0];
        p[i][1] = (outline[i][1] - cut_rad) / (2 * M_PI);
        if (!isfinite(p[i][0]) || !isfinite(p[i][1])) goto done;
        low = fmin(low, p[i][1]);
        high = fmax(high, p[i][1]);
    }
    if (high - low > MOST_TURNS || fabs(low) > 1e6) goto done;
    if (is_line)
        INTRA_TRY(cut_line((const double(*)[2])p, n, out, err));
    else
        INTRA_TRY(cut_area((const double(*)[2])p, n, floor(low) + 1, out, err));
done:
    intra_free(p);
    if (status != INTRA_OK) intra_wall_pieces_fini(out);
    return status;
}

void intra_wall_pieces_fini(struct intra_wall_pieces *pieces)
{
    intra_free(pieces->points);
    intra_free(pieces->n_points);
    *pieces = (struct intra_wall_pieces){0};
}
