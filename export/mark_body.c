/* Triangles of the observations on the model.
 *
 * Patch: the polygon is cut at all its corners and each cell's length along the pipe into strips; in a strip its edges
 * do not meet, so that each covered span is a trapezoid, cut around the pipe into cells. Every vertex stands inside the
 * innermost of the wall around it, by what the chords of wall and patch cut off and CLEARANCE_M; so the patch follows
 * the real radius and no step of the wall comes through. Ribbon: along the polygon's edges, RIBBON_LIFT_M above the
 * patch. Pin: a stem along the normal, on it a plate across the pipe that reads from both sides, digits as seven
 * strokes each. */
#include "core/mem.h"
#include "export/marks.h"
#include "export/wallread.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double CLEARANCE_M = 0.0015, RIBBON_LIFT_M = 0.0005, INK_LIFT_M = 0.0004;
static const double SMALL_LIFT_M = 0.001, SMALL_M2 = 0.05; /* a small one floats above a large one around it */
static const double FINEST_CELL_M = 0.015, WIDEST_CELL_RAD = M_PI / 12, LONGEST_CELL_M = 0.5;
static const double RIBBON = 0.01, STEM = 0.08, STEM_WIDTH = 0.006, PLATE = 0.07; /* of the diameter */
static const double SMALLEST_PLATE_M = 0.012, LARGEST_PLATE_M = 0.06;
static const double ORIGIN_UNIT_M = 1.0 / (1 << 10);
static const double TIGHTEST_MITRE = 0.5; /* cosine: a ribbon's corner grows to twice its width */
enum { BLOCK_COLS = 64, MAX_SPANS = 64, MAX_DIGITS = 12 };

/* ---- the surface ---- */

enum intra_status intra_mark_surface_init(struct intra_mark_surface *surface, const struct intra_mark_list *list,
                                          const struct intra_mesh_plan *plan, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_wall *wall = &plan->scene->wall;
    double columns[BLOCK_COLS];
    memset(surface, 0, sizeof *surface);
    surface->plan = plan;
    surface->step_m = plan->step_m;
    surface->station_m = list->station_from_m - 2 * plan->step_m;
    if (list->n == 0) return INTRA_OK;
    surface->n_blocks =
        1 + (int64_t)((list->station_to_m + 4 * plan->step_m - surface->station_m) / plan->step_m) / BLOCK_COLS;
    INTRA_TRY(INTRA_ALLOC(surface->blocks, (size_t)surface->n_blocks, err));
    for (int64_t i = 0; i < list->n; i++) {
        double reach = LONGEST_CELL_M + 2 * plan->step_m;
        double from = fmax(list->marks[i].low[0] - reach, list->station_from_m);
        double to = fmin(list->marks[i].high[0] + reach, list->station_to_m);
        int64_t first = (int64_t)fmax(0, (from - surface->station_m) / plan->step_m - 1) / BLOCK_COLS;
        int64_t last = (int64_t)fmax(0, (to - surface->station_m) / plan->step_m + 2) / BLOCK_COLS;
        for (int64_t b = first; b <= last && b < surface->n_blocks; b++) {
            if (surface->blocks[b]) continue;
            INTRA_TRY(INTRA_ALLOC(surface->blocks[b], (size_t)BLOCK_COLS * (size_t)plan->segments, err));
            for (int k = 0; k < BLOCK_COLS; k++)
                columns[k] = (surface->station_m + (double)(b * BLOCK_COLS + k) * plan->step_m - wall->station0_m) /
                             wall->texel_m;
            const struct intra_wall_grid grid = {.col_centre = columns,
                                                 .nx = BLOCK_COLS,
                                                 .ny = plan->segments,
                                                 .row_step = (double)wall->rows / plan->segments,
                                                 .row_width = (double)wall->rows / plan->segments,
                                                 .col_width = fmax(1, plan->step_m / wall->texel_m)};
            INTRA_TRY(intra_wall_mean_relief(wall, &grid, surface->blocks[b], err));
        }
    }
done:
    if (status != INTRA_OK) intra_mark_surface_fini(surface);
    return status;
}

void intra_mark_surface_fini(struct intra_mark_surface *surface)
{
    for (int64_t b = 0; surface->blocks && b < surface->n_blocks; b++)
        intra_free(surface->blocks[b]);
    intra_free(surface->blocks);
    memset(surface, 0, sizeof *surface);
}

static double lattice(const struct intra_mark_surface *surface, int64_t column, int64_t row)
{
    int n = surface->plan->segments;
    int64_t block = column / BLOCK_COLS;
    float value;
    if (column < 0 || block >= surface->n_blocks || !surface->blocks[block]) return 0;
    row = (row % n + n) % n;
    value = surface->blocks[block][row * BLOCK_COLS + column % BLOCK_COLS];
    return isfinite(value) ? (double)value : 0; /* as the mesh has it */
}

/* Relief of the mesh, between its vertices. */
static double relief_at(const struct intra_mark_surface *surface, double station_m, double theta_rad)
{
    double x = (station_m - surface->station_m) / surface->step_m;
    double y = (theta_rad - surface->plan->scene->wall.cut_rad) / (2 * M_PI) * surface->plan->segments;
    int64_t col = (int64_t)floor(x), row = (int64_t)floor(y);
    x -= (double)col;
    y -= (double)row;
    return (1 - x) * ((1 - y) * lattice(surface, col, row) + y * lattice(surface, col, row + 1)) +
           x * ((1 - y) * lattice(surface, col + 1, row) + y * lattice(surface, col + 1, row + 1));
}

/* ---- triangles ---- */

struct maker {
    const struct intra_mark_list *list;
    const struct intra_mark *mark;
    const struct intra_mark_surface *surface;
    struct intra_mark_body *body;
    double radius_m;
    double cell_m;      /* of this mark */
    double clearance_m; /* off the innermost wall around */
};

static enum intra_status add_vertex(struct maker *m, enum intra_mark_part part, struct intra_vec3 p,
                                    struct intra_error *err)
{
    struct intra_mark_triangles *t = &m->body->parts[part];
    const double world[3] = {p.x, p.y, p.z};
    if (t->n_vertices == t->cap_vertices) {
        int64_t cap = t->cap_vertices ? 2 * t->cap_vertices : 64;
        float *grown = intra_resize(t->positions, 3 * (size_t)t->cap_vertices, 3 * (size_t)cap, sizeof *grown);
        if (!grown)
            return INTRA_FAIL(err, INTRA_E_MEM, "out of memory: %lld vertices of an observation", (long long)cap);
        t->positions = grown;
        t->cap_vertices = cap;
    }
    for (int k = 0; k < 3; k++)
        t->positions[3 * t->n_vertices + k] = (float)(world[k] - m->body->origin[k]);
    t->n_vertices++;
    return INTRA_OK;
}

static bool is_same(const struct intra_mark_triangles *t, int64_t a, int64_t b)
{
    return memcmp(t->positions + 3 * a, t->positions + 3 * b, 3 * sizeof *t->positions) == 0;
}

/* One without area, at a point of the polygon, is left out. */
static enum intra_status add_triangle(struct maker *m, enum intra_mark_part part, int64_t a, int64_t b, int64_t c,
                                      struct intra_error *err)
{
    struct intra_mark_triangles *t = &m->body->parts[part];
    if (is_same(t, a, b) || is_same(t, b, c) || is_same(t, a, c)) return INTRA_OK;
    if (t->n_indices + 3 > t->cap_indices) {
        int64_t cap = t->cap_indices ? 2 * t->cap_indices : 96;
        uint32_t *grown = intra_resize(t->indices, (size_t)t->cap_indices, (size_t)cap, sizeof *grown);
        if (!grown)
            return INTRA_FAIL(err, INTRA_E_MEM, "out of memory: %lld corners of an observation", (long long)cap);
        t->indices = grown;
        t->cap_indices = cap;
    }
    t->indices[t->n_indices++] = (uint32_t)a;
    t->indices[t->n_indices++] = (uint32_t)b;
    t->indices[t->n_indices++] = (uint32_t)c;
    return INTRA_OK;
}

/* Four corners, counter-clockwise. */
static enum intra_status add_quad(struct maker *m, enum intra_mark_part part, const struct intra_vec3 corners[4],
                                  struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    int64_t first = m->body->parts[part].n_vertices;
    for (int k = 0; k < 4; k++)
        INTRA_TRY(add_vertex(m, part, corners[k], err));
    INTRA_TRY(add_triangle(m, part, first, first + 1, first + 2, err));
    INTRA_TRY(add_triangle(m, part, first, first + 2, first + 3, err));
done:
    return status;
}

static double inside(double value, double low, double high)
{
    return fmax(low, fmin(high, value));
}

/* The point over the wall, inside all of it that lies within half a cell. */
static struct intra_vec3 float_at(const struct maker *m, double station_m, double theta_rad, double lift_m)
{
    const struct intra_mark_surface *s = m->surface;
    double ds = m->cell_m / 2, da = m->cell_m / 2 / m->radius_m, innermost = INFINITY;
    struct intra_vec3 p;
    station_m = inside(station_m, m->list->station_from_m, m->list->station_to_m);
    for (int i = -1; i <= 1; i++)
        for (int k = -1; k <= 1; k++)
            innermost =
                fmin(innermost, relief_at(s, inside(station_m + i * ds, m->list->station_from_m, m->list->station_to_m),
                                          theta_rad + k * da));
    if (!intra_scene_wall_point(m->list->scene, station_m, theta_rad, innermost - m->clearance_m - lift_m, &p, NULL))
        return intra_vec3(m->body->origin[0], m->body->origin[1], m->body->origin[2]); /* sections end here */
    return p;
}

/* ---- patch ---- */

/* Clock angle on edge i at a station within it. */
static double edge_at(const struct intra_mark *mark, int i, double station_m)
{
    const double *a = mark->polygon[i], *b = mark->polygon[(i + 1) % mark->n_polygon];
    double t = (station_m - a[0]) / (b[0] - a[0]);
    return a[1] + (b[1] - a[1]) * inside(t, 0, 1);
}

/* The trapezoid between edges `low` and `high`, from one station to the next. */
static enum intra_status fill(struct maker *m, int low, int high, double from, double to, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    double span[2][2] = {{edge_at(m->mark, low, from), edge_at(m->mark, high, from)},
                         {edge_at(m->mark, low, to), edge_at(m->mark, high, to)}};
    double widest = fmax(span[0][1] - span[0][0], span[1][1] - span[1][0]);
    int n = (int)fmax(1, ceil(widest / fmin(m->cell_m / m->radius_m, WIDEST_CELL_RAD) - 1e-9));
    int64_t first = m->body->parts[INTRA_MARK_PATCH].n_vertices;
    for (int k = 0; k <= n; k++)
        for (int end = 0; end < 2; end++)
            INTRA_TRY(add_vertex(m, INTRA_MARK_PATCH,
                                 float_at(m, end ? to : from, span[end][0] + (span[end][1] - span[end][0]) * k / n, 0),
                                 err));
    for (int64_t v = first; v < first + 2 * n; v += 2) {
        INTRA_TRY(add_triangle(m, INTRA_MARK_PATCH, v, v + 1, v + 3, err));
        INTRA_TRY(add_triangle(m, INTRA_MARK_PATCH, v, v + 3, v + 2, err));
    }
done:
    return status;
}

/* Between two cuts no corner lies: the edges that cross the middle, in order of their angle there. */
static enum intra_status fill_strip(struct maker *m, double from, double to, int *edges, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_mark *mark = m->mark;
    double middle = (from + to) / 2;
    int n = 0, winding = 0, low = 0;
    for (int i = 0; i < mark->n_polygon; i++) {
        const double *a = mark->polygon[i], *b = mark->polygon[(i + 1) % mark->n_polygon];
        int k;
        if ((a[0] <= middle) == (b[0] <= middle)) continue;
        for (k = n++; k > 0 && edge_at(mark, edges[k - 1], middle) > edge_at(mark, i, middle); k--)
            edges[k] = edges[k - 1];
        edges[k] = i;
    }
    for (int k = 0; k < n; k++) {
        const double *a = mark->polygon[edges[k]], *b = mark->polygon[(edges[k] + 1) % mark->n_polygon];
        if (winding == 0) low = edges[k];
        winding += b[0] > a[0] ? 1 : -1;
        if (winding == 0) INTRA_TRY(fill(m, low, edges[k], from, to, err));
    }
done:
    return status;
}

static void sort_numbers(double *values, int n)
{
    for (int i = 1; i < n; i++) {
        double v = values[i];
        int k = i;
        for (; k > 0 && values[k - 1] > v; k--)
            values[k] = values[k - 1];
        values[k] = v;
    }
}

static enum intra_status make_patch(struct maker *m, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_mark *mark = m->mark;
    double from = fmax(mark->low[0], m->list->station_from_m), to = fmin(mark->high[0], m->list->station_to_m);
    double *corners = NULL;
    int *edges = NULL;
    double done_to = from;
    INTRA_TRY(INTRA_ALLOC(corners, (size_t)mark->n_polygon + 1, err));
    INTRA_TRY(INTRA_ALLOC(edges, (size_t)mark->n_polygon, err));
    for (int i = 0; i < mark->n_polygon; i++)
        corners[i] = inside(mark->polygon[i][0], from, to);
    corners[mark->n_polygon] = to;
    sort_numbers(corners, mark->n_polygon + 1);
    for (int i = 0; i <= mark->n_polygon; i++) {
        double length = corners[i] - done_to, start = done_to;
        int n = (int)ceil(length / m->cell_m - 1e-9);
        if (length < 1e-6) continue;
        for (int k = 0; k < n; k++)
            INTRA_TRY(fill_strip(m, start + length * k / n, start + length * (k + 1) / n, edges, err));
        done_to = corners[i];
    }
done:
    intra_free(corners);
    intra_free(edges);
    return status;
}

/* ---- ribbon ---- */

/* Both sides of the ribbon where it comes from `before` and goes on to `behind` (either may be the point itself). */
static enum intra_status ribbon_pair(struct maker *m, const double before[2], const double at[2],
                                     const double behind[2], struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    double r = m->radius_m, half = RIBBON * r; /* of the diameter, half of it */
    double d[2][2], normal[2], length, cosine;
    const double *ends[2][2] = {{before, at}, {at, behind}};
    for (int k = 0; k < 2; k++) {
        double x = ends[k][1][0] - ends[k][0][0], y = r * (ends[k][1][1] - ends[k][0][1]);
        length = hypot(x, y);
        d[k][0] = length > 0 ? x / length : 0;
        d[k][1] = length > 0 ? y / length : 0;
    }
    normal[0] = -(d[0][1] + d[1][1]);
    normal[1] = d[0][0] + d[1][0];
    length = hypot(normal[0], normal[1]);
    if (length < 1e-9) normal[0] = -d[0][1], normal[1] = d[0][0], length = 1;
    normal[0] /= length;
    normal[1] /= length;
    /* the cosine of half the turn: over it, the ribbon keeps its width around the corner */
    cosine = fmax(TIGHTEST_MITRE, fabs(normal[0] * -d[1][1] + normal[1] * d[1][0]));
    for (int side = -1; side <= 1; side += 2)
        INTRA_TRY(add_vertex(m, INTRA_MARK_SOLID,
                             float_at(m, at[0] + side * half * normal[0] / cosine,
                                      at[1] + side * half * normal[1] / cosine / r, RIBBON_LIFT_M),
                             err));
done:
    return status;
}

/* The corners of `line` with points between them, no further apart than a cell. */
static enum intra_status make_dense(const struct maker *m, const double (*line)[2], int n, bool is_closed,
                                    double (**out)[2], int *out_n, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    int last = is_closed ? n : n - 1;
    for (int pass = 0; pass < 2; pass++) {
        int count = 0;
        for (int i = 0; i < last; i++) {
            const double *a = line[i], *b = line[(i + 1) % n];
            double length = hypot(b[0] - a[0], m->radius_m * (b[1] - a[1]));
            int pieces = (int)fmax(1, ceil(length / fmin(m->cell_m, WIDEST_CELL_RAD * m->radius_m) - 1e-9));
            if (length < 1e-7) continue;
            for (int k = 0; k < pieces; k++, count++)
                for (int axis = 0; axis < 2 && pass; axis++)
                    (*out)[count][axis] = a[axis] + (b[axis] - a[axis]) * k / pieces;
        }
        if (!is_closed && pass) memcpy((*out)[count], line[n - 1], sizeof **out);
        *out_n = count + !is_closed;
        if (!pass) INTRA_TRY(INTRA_ALLOC(*out, (size_t)*out_n, err));
    }
done:
    return status;
}

static enum intra_status make_ribbon(struct maker *m, const double (*line)[2], int n, bool is_closed,
                                     struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    double(*points)[2] = NULL, from = m->list->station_from_m, to = m->list->station_to_m;
    int count = 0;
    int64_t first = m->body->parts[INTRA_MARK_SOLID].n_vertices;
    INTRA_TRY(make_dense(m, line, n, is_closed, &points, &count, err));
    if (count < 2) goto done;
    for (int i = 0; i < count; i++) {
        int before = i > 0 ? i - 1 : is_closed ? count - 1 : 0;
        int behind = i + 1 < count ? i + 1 : is_closed ? 0 : count - 1;
        INTRA_TRY(ribbon_pair(m, points[before], points[i], points[behind], err));
    }
    for (int i = 0; i + !is_closed < count; i++) {
        const double *a = points[i], *b = points[(i + 1) % count];
        int64_t v = first + 2 * i, w = first + 2 * ((i + 1) % count);
        if ((a[0] < from && b[0] < from) || (a[0] > to && b[0] > to)) continue; /* beyond the stretch */
        INTRA_TRY(add_triangle(m, INTRA_MARK_SOLID, v, w, w + 1, err));
        INTRA_TRY(add_triangle(m, INTRA_MARK_SOLID, v, w + 1, v + 1, err));
    }
done:
    intra_free(points);
    return status;
}

static enum intra_status make_outline(struct maker *m, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_mark *mark = m->mark;
    if (!mark->is_whole_ring) return make_ribbon(m, (const double(*)[2])mark->polygon, mark->n_polygon, true, err);
    for (int end = 0; end < 2; end++) { /* two circles; no line where they are cut */
        double s = end ? mark->high[0] : mark->low[0];
        const double circle[2][2] = {{s, 0}, {s, 2 * M_PI}};
        INTRA_TRY(make_ribbon(m, circle, 2, false, err));
    }
done:
    return status;
}

/* ---- pin ---- */

/* Strokes of a digit in a cell of 1 x 2, from (x0, y0) to (x1, y1): top, upper left and right, middle, lower left and
 * right, bottom. */
static const double strokes[7][4] = {{0, 1.75, 1, 2}, {0, 1, 0.25, 2}, {0.75, 1, 1, 2}, {0, 0.875, 1, 1.125},
                                     {0, 0, 0.25, 1}, {0.75, 0, 1, 1}, {0, 0, 1, 0.25}};
static const unsigned char digit_strokes[10] = {0x77, 0x24, 0x5D, 0x6D, 0x2E, 0x6B, 0x7B, 0x25, 0x7F, 0x6F};

/* A plane to draw in: a point and its two directions. */
struct plane {
    struct intra_vec3 at, x, y;
};

static struct intra_vec3 on_plane(const struct plane *p, double x, double y)
{
    return intra_mad(intra_mad(p->at, x, p->x), y, p->y);
}

static enum intra_status add_rectangle(struct maker *m, enum intra_mark_part part, const struct plane *p, double x0,
                                       double y0, double x1, double y1, struct intra_error *err)
{
    const struct intra_vec3 corners[4] = {on_plane(p, x0, y0), on_plane(p, x1, y0), on_plane(p, x1, y1),
                                          on_plane(p, x0, y1)};
    return add_quad(m, part, corners, err);
}

/* The number, centred, digits `height` high. */
static enum intra_status add_number(struct maker *m, const struct plane *p, const char *digits, double height,
                                    struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    int n = (int)strlen(digits);
    double unit = height / 2, pitch = 1.5 * unit, x = -((n - 1) * pitch + unit) / 2;
    for (int i = 0; i < n; i++, x += pitch)
        for (int k = 0; k < 7; k++) {
            const double *s = strokes[k];
            if (!(digit_strokes[digits[i] - '0'] >> k & 1)) continue;
            INTRA_TRY(add_rectangle(m, INTRA_MARK_INK, p, x + unit * s[0], unit * (s[1] - 1), x + unit * s[2],
                                    unit * (s[3] - 1), err));
        }
done:
    return status;
}

/* Directions of the section at a station: along the pipe, to the right, to the crown. False beyond the sections. */
static bool section_axes(const struct intra_scene *scene, double station_m, struct intra_vec3 *along,
                         struct intra_vec3 *right, struct intra_vec3 *up)
{
    struct intra_vec3 at[4];
    for (int k = 0; k < 4; k++)
        if (!intra_scene_wall_point(scene, station_m, k * M_PI / 2, 0, &at[k], NULL)) return false;
    *up = intra_unit(intra_sub(at[0], at[2]));
    *right = intra_unit(intra_sub(at[1], at[3]));
    *along = intra_unit(intra_cross(*up, *right));
    return true;
}

static enum intra_status make_pin(struct maker *m, double station_m, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_scene *scene = m->list->scene;
    double diameter = 2 * m->radius_m, height = inside(PLATE * diameter, SMALLEST_PLATE_M, LARGEST_PLATE_M);
    double half_stem = STEM_WIDTH * diameter / 2, half_width;
    struct intra_vec3 along, right, up, foot, normal, head;
    char digits[MAX_DIGITS + 1];
    if (!section_axes(scene, station_m, &along, &right, &up) ||
        !intra_scene_wall_point(scene, station_m, m->mark->pin_at[1], 0, &foot, &normal))
        return INTRA_OK;
    foot = float_at(m, station_m, m->mark->pin_at[1], 0);
    snprintf(digits, sizeof digits, "%lld", (long long)m->mark->number);
    half_width = height * (0.28 + 0.225 * (double)strlen(digits));
    head = intra_mad(foot, STEM * diameter, normal);
    const struct plane stem = {foot, intra_unit(intra_cross(normal, along)), normal};
    INTRA_TRY(add_rectangle(m, INTRA_MARK_SOLID, &stem, -half_stem, 0, half_stem, STEM * diameter, err));
    /* the plate begins where the stem ends, whichever way it points */
    double reach = half_width * fabs(intra_dot(normal, right)) + height / 2 * fabs(intra_dot(normal, up));
    const struct plane plate = {intra_mad(head, reach, normal), right, up};
    INTRA_TRY(add_rectangle(m, INTRA_MARK_SOLID, &plate, -half_width, -height / 2, half_width, height / 2, err));
    for (int side = -1; side <= 1; side += 2) { /* side -1 faces those who come along the pipe */
        const struct plane face = {intra_mad(plate.at, side * INK_LIFT_M, along), intra_scale(right, -side), up};
        INTRA_TRY(add_number(m, &face, digits, 0.6 * height, err));
    }
done:
    return status;
}

/* ---- all of it ---- */

enum intra_status intra_mark_body_init(struct intra_mark_body *body, const struct intra_mark_list *list, int64_t i,
                                       const struct intra_mark_surface *surface, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_mark *mark = &list->marks[i];
    struct maker m = {
        .list = list, .mark = mark, .surface = surface, .body = body, .radius_m = list->scene->nominal_diameter_m / 2};
    double station = inside(mark->pin_at[0], list->station_from_m, list->station_to_m), around;
    struct intra_vec3 origin = {0, 0, 0};
    memset(body, 0, sizeof *body);
    /* strips have two rows of vertices each: twice those of the cells */
    m.cell_m = inside(sqrt(2 * mark->area_m2 / list->vertex_limit), FINEST_CELL_M, LONGEST_CELL_M);
    around = fmin(m.cell_m / m.radius_m, WIDEST_CELL_RAD);
    m.clearance_m = CLEARANCE_M + SMALL_LIFT_M * SMALL_M2 / (SMALL_M2 + mark->area_m2) +
                    m.radius_m * (2 - cos(around / 2) - cos(M_PI / surface->plan->segments));
    (void)intra_scene_wall_point(list->scene, station, mark->pin_at[1], 0, &origin, NULL);
    body->origin[0] = round(origin.x / ORIGIN_UNIT_M) * ORIGIN_UNIT_M + 0.0;
    body->origin[1] = round(origin.y / ORIGIN_UNIT_M) * ORIGIN_UNIT_M + 0.0;
    body->origin[2] = round(origin.z / ORIGIN_UNIT_M) * ORIGIN_UNIT_M + 0.0;
    INTRA_TRY(make_patch(&m, err));
    INTRA_TRY(make_outline(&m, err));
    INTRA_TRY(make_pin(&m, station, err));
done:
    if (status != INTRA_OK) intra_mark_body_fini(body);
    return status;
}

void intra_mark_body_turn_y_up(struct intra_mark_body *body)
{
    double y = body->origin[1];
    body->origin[1] = body->origin[2];
    body->origin[2] = 0.0 - y;
    for (int part = 0; part < INTRA_MARK_PARTS; part++)
        for (int64_t v = 0; v < body->parts[part].n_vertices; v++) {
            float *p = body->parts[part].positions + 3 * v, depth = p[1];
            p[1] = p[2];
            p[2] = 0.0f - depth; /* not -depth: no negative zeros */
        }
}

void intra_mark_body_fini(struct intra_mark_body *body)
{
    for (int part = 0; part < INTRA_MARK_PARTS; part++) {
        intra_free(body->parts[part].positions);
        intra_free(body->parts[part].indices);
    }
    memset(body, 0, sizeof *body);
}
