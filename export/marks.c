/* Which observations are drawn, and the region of each as a polygon on the unrolled wall. Their triangles:
 * mark_body.c.
 *
 * An area is drawn by its outline, a line by a band around it, what has neither by the rectangle of its stations and
 * clock angles; a region too small to be seen is padded as the report page does. */
#include "export/marks.h"

#include "core/log.h"
#include "core/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const uint8_t intra_mark_colours[INTRA_MARK_COLOURS][3] = {{0xf7, 0xdc, 0x6f}, {0xf5, 0xb0, 0x41}, {0xe6, 0x7e, 0x22},
                                                           {0xc0, 0x39, 0x2b}, {0x7b, 0x10, 0x30}, {0x5b, 0x9b, 0xd5}};

static const double SMALLEST_M = 0.02;         /* padding of a region without extent, each way */
static const double LINE_HALF_BAND = 0.04;     /* of the radius */
static const double FINEST_OUTLINE_M = 0.0005; /* an outline is thinned by this at least */
static const double BUDGET_SHARE = 0.25, PATCH_SHARE = 0.1;
static const double JSON_BYTES = 3200, VERTEX_BYTES = 15, FIXED_VERTICES = 120;
static const double LARGEST_STATION_M = 1e6;
enum { MAX_OUTLINE = 160, LEAST_VERTICES = 48, MOST_VERTICES = 800 };

const struct intra_grade *intra_mark_grade(const struct intra_observation *seen)
{
    const struct intra_grade *best = seen->n_grades > 0 ? &seen->grades[0] : NULL;
    double worst = -1;
    for (int i = 0; i < seen->n_grades; i++) {
        double severity = intra_grade_severity(seen->grades[i].scale, seen->grades[i].value);
        if (!(severity > worst)) continue;
        worst = severity;
        best = &seen->grades[i];
    }
    return best;
}

static double severity_of(const struct intra_observation *seen)
{
    const struct intra_grade *grade = intra_mark_grade(seen);
    return grade ? intra_grade_severity(grade->scale, grade->value) : (double)NAN;
}

int intra_mark_colour(const struct intra_observation *seen)
{
    double severity = severity_of(seen);
    return isfinite(severity) ? (int)floor(severity * (INTRA_MARK_STEPS - 1) + 0.5) : INTRA_MARK_UNGRADED;
}

bool intra_mark_is_ink_dark(int colour)
{
    const uint8_t *c = intra_mark_colours[colour];
    return 0.3 * c[0] + 0.59 * c[1] + 0.11 * c[2] > 140;
}

/* ---- regions as polygons ---- */

static const struct intra_wall_region *region_of(const struct intra_observation *seen)
{
    return intra_place_region(&seen->place);
}

static bool is_sane(const double (*points)[2], int n)
{
    double low = INFINITY, high = -INFINITY;
    for (int i = 0; i < n; i++) {
        if (!(fabs(points[i][0]) < LARGEST_STATION_M) || !(fabs(points[i][1]) < 1000)) return false;
        low = fmin(low, points[i][1]);
        high = fmax(high, points[i][1]);
    }
    return high - low < 4 * M_PI;
}

/* Distance of p from the segment a b; arc lengths at radius r. */
static double off_segment(const double p[2], const double a[2], const double b[2], double r)
{
    double dx = b[0] - a[0], dy = r * (b[1] - a[1]), px = p[0] - a[0], py = r * (p[1] - a[1]);
    double length = dx * dx + dy * dy, t = length > 0 ? (px * dx + py * dy) / length : 0;
    t = fmax(0, fmin(1, t));
    return hypot(px - t * dx, py - t * dy);
}

/* Douglas and Peucker, 1973: marks the points of [from, to] that stay. Without recursion, so that no outline is too
 * deep for the stack. */
static enum intra_status thin(const double (*points)[2], int n, double r, double tolerance, bool *stays,
                              struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    int(*stack)[2] = NULL, top = 0;
    INTRA_TRY(INTRA_ALLOC(stack, (size_t)n, err));
    memset(stays, 0, (size_t)n * sizeof *stays);
    stays[0] = stays[n - 1] = true;
    stack[top][0] = 0;
    stack[top++][1] = n - 1;
    while (top > 0) {
        int from = stack[--top][0], to = stack[top][1], worst = -1;
        double most = tolerance;
        for (int i = from + 1; i < to; i++) {
            double off = off_segment(points[i], points[from], points[to], r);
            if (off > most) most = off, worst = i;
        }
        if (worst < 0) continue;
        stays[worst] = true;
        stack[top][0] = from;
        stack[top++][1] = worst;
        stack[top][0] = worst;
        stack[top++][1] = to;
    }
done:
    intra_free(stack);
    return status;
}

/* A thinned copy with at most MAX_OUTLINE points. */
static enum intra_status copy_thinned(const struct intra_place *place, double r, double (**out)[2], int *out_n,
                                      struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const double(*points)[2] = (const double(*)[2])place->outline;
    bool *stays = NULL;
    int n = 0;
    INTRA_TRY(INTRA_ALLOC(stays, (size_t)place->n_outline, err));
    for (double tolerance = FINEST_OUTLINE_M; n == 0 || n > MAX_OUTLINE; tolerance *= 2) {
        INTRA_TRY(thin(points, place->n_outline, r, tolerance, stays, err));
        n = 0;
        for (int i = 0; i < place->n_outline; i++)
            n += stays[i];
    }
    INTRA_TRY(INTRA_ALLOC(*out, (size_t)n, err));
    *out_n = 0;
    for (int i = 0; i < place->n_outline; i++)
        if (stays[i]) memcpy((*out)[(*out_n)++], points[i], sizeof **out);
done:
    intra_free(stays);
    return status;
}

/* Unit direction at point i of an open line, in arc lengths. */
static void direction(const double (*line)[2], int n, int i, double r, double out[2])
{
    const double *a = line[i > 0 ? i - 1 : 0], *b = line[i + 1 < n ? i + 1 : n - 1];
    double dx = b[0] - a[0], dy = r * (b[1] - a[1]), length = hypot(dx, dy);
    out[0] = length > 0 ? dx / length : 1;
    out[1] = length > 0 ? dy / length : 0;
}

/* The band around a line: there on the one side, back on the other, squared off half a band beyond its ends. */
static enum intra_status band(struct intra_mark *mark, const double (*line)[2], int n, double r, double half,
                              struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    INTRA_TRY(INTRA_ALLOC(mark->polygon, 2 * (size_t)n, err));
    mark->n_polygon = 2 * n;
    for (int i = 0; i < n; i++) {
        double d[2], beyond = i == 0 ? -half : i == n - 1 ? half : 0;
        direction(line, n, i, r, d);
        for (int side = 0; side < 2; side++) {
            double *to = mark->polygon[side ? 2 * n - 1 - i : i], across = side ? half : -half;
            to[0] = line[i][0] + beyond * d[0] - across * d[1];
            to[1] = line[i][1] + (beyond * d[1] + across * d[0]) / r;
        }
    }
    memcpy(mark->pin_at, line[n / 2], sizeof mark->pin_at);
done:
    return status;
}

static enum intra_status rectangle(struct intra_mark *mark, double r, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_wall_region *region = region_of(mark->seen);
    double s0 = region->station_from_m, s1 = region->station_to_m, a0 = region->clock_from_rad, pad = SMALLEST_M / r;
    double a1 = region->clock_to_rad;
    INTRA_TRY(INTRA_ALLOC(mark->polygon, 4, err));
    mark->n_polygon = 4;
    if (s1 - s0 < SMALLEST_M) s0 -= SMALLEST_M, s1 += SMALLEST_M;
    if (!isfinite(a1)) a1 = a0;
    mark->is_whole_ring = !isfinite(a0) || a1 - a0 > 2 * M_PI - 0.003;
    if (mark->is_whole_ring) {
        a0 = 0;
        a1 = 2 * M_PI;
    } else {
        double span = fmod(a1 - a0, 2 * M_PI); /* clockwise from the first to the second */
        a1 = a0 + (span < 0 ? span + 2 * M_PI : span);
        if (a1 - a0 < 2 * pad) a0 -= pad, a1 += pad;
    }
    const double corners[4][2] = {{s0, a0}, {s1, a0}, {s1, a1}, {s0, a1}};
    memcpy(mark->polygon, corners, sizeof corners);
    mark->pin_at[0] = (s0 + s1) / 2;
    mark->pin_at[1] = mark->is_whole_ring ? 0 : (a0 + a1) / 2;
done:
    return status;
}

static void measure(struct intra_mark *mark, double r)
{
    double doubled = 0;
    for (int k = 0; k < 2; k++) {
        mark->low[k] = INFINITY;
        mark->high[k] = -INFINITY;
        for (int i = 0; i < mark->n_polygon; i++) {
            mark->low[k] = fmin(mark->low[k], mark->polygon[i][k]);
            mark->high[k] = fmax(mark->high[k], mark->polygon[i][k]);
        }
    }
    for (int i = 0; i < mark->n_polygon; i++) {
        const double *a = mark->polygon[i], *b = mark->polygon[(i + 1) % mark->n_polygon];
        doubled += (a[0] - mark->low[0]) * (b[1] - mark->low[1]) - (b[0] - mark->low[0]) * (a[1] - mark->low[1]);
    }
    mark->area_m2 = fabs(doubled) / 2 * r;
}

static enum intra_status set_polygon(struct intra_mark *mark, double r, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_place *place = &mark->seen->place;
    bool has_outline = place->outline && place->n_outline >= (place->is_line ? 2 : 3) &&
                       is_sane((const double(*)[2])place->outline, place->n_outline);
    double(*line)[2] = NULL;
    int n = 0;
    /* An outline that winds around the pipe encloses a ring, not what lies between its angles. */
    if (has_outline && !place->is_line && fabs(place->outline[place->n_outline - 1][1] - place->outline[0][1]) > M_PI)
        has_outline = false;
    if (has_outline) INTRA_TRY(copy_thinned(place, r, &line, &n, err));
    if (has_outline && place->is_line && n >= 2) {
        double width = mark->seen->extent.width_m;
        INTRA_TRY(band(mark, (const double(*)[2])line, n, r, fmax(LINE_HALF_BAND * r, width > 0 ? width / 2 : 0), err));
    } else if (has_outline && !place->is_line && n >= 3) {
        mark->polygon = line;
        mark->n_polygon = n;
        line = NULL;
    } else {
        INTRA_TRY(rectangle(mark, r, err));
    }
    measure(mark, r);
    if (has_outline && !place->is_line)
        for (int k = 0; k < 2; k++)
            mark->pin_at[k] = (mark->low[k] + mark->high[k]) / 2;
done:
    intra_free(line);
    return status;
}

int intra_mark_spans(const struct intra_mark *mark, double station_m, double (*out)[2], int most)
{
    enum { MAX_EDGES = 2 * MAX_OUTLINE + 4 };
    struct crossing {
        double theta;
        int way;
    } crossings[MAX_EDGES];
    int n = 0, spans = 0, winding = 0;
    for (int i = 0; i < mark->n_polygon; i++) {
        const double *a = mark->polygon[i], *b = mark->polygon[(i + 1) % mark->n_polygon];
        struct crossing c;
        int k;
        if ((a[0] <= station_m) == (b[0] <= station_m)) continue;
        c.theta = a[1] + (b[1] - a[1]) * (station_m - a[0]) / (b[0] - a[0]);
        c.way = b[0] > a[0] ? 1 : -1;
        for (k = n++; k > 0 && crossings[k - 1].theta > c.theta; k--)
            crossings[k] = crossings[k - 1];
        crossings[k] = c;
    }
    for (int i = 0; i < n && spans < most; i++) {
        if (winding == 0) out[spans][0] = crossings[i].theta;
        winding += crossings[i].way;
        if (winding == 0) out[spans++][1] = crossings[i].theta;
    }
    return spans;
}

/* ---- which ---- */

/* A thing of the page's list: an observation (seen) or a feature of the scene. */
struct listed {
    double station_m;
    int64_t order;
    const struct intra_inspection *inspection;
    const struct intra_observation *seen; /* NULL: a feature, which has its own node */
};

static int by_station(const void *a, const void *b)
{
    const struct listed *x = a, *y = b;
    if (x->station_m < y->station_m || x->station_m > y->station_m) return x->station_m < y->station_m ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

/* The page sorts by the stations that it was told, which have four decimals; what has no place comes last. */
static double page_station(const struct intra_observation *seen)
{
    double s = seen->place.is_placed ? region_of(seen)->station_from_m : (double)NAN;
    return isfinite(s) ? round(s / 1e-4) * 1e-4 : 1e9;
}

static enum intra_status number_all(const struct intra_scene *scene, const struct intra_mesh_options *options,
                                    struct listed **out, int64_t *out_n, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct listed *all = NULL;
    int64_t n = scene->n_features, at = 0;
    for (int64_t i = 0; i < options->n_inspections; i++)
        n += options->inspections[i].n_observations;
    INTRA_TRY(INTRA_ALLOC(all, (size_t)n, err));
    for (int64_t i = 0; i < options->n_inspections; i++)
        for (int64_t k = 0; k < options->inspections[i].n_observations; k++, at++)
            all[at] = (struct listed){.station_m = page_station(&options->inspections[i].observations[k]),
                                      .order = at,
                                      .inspection = &options->inspections[i],
                                      .seen = &options->inspections[i].observations[k]};
    for (int64_t k = 0; k < scene->n_features; k++, at++)
        all[at] = (struct listed){.station_m = round(scene->features[k].station_m / 1e-4) * 1e-4, .order = at};
    qsort(all, (size_t)n, sizeof *all, by_station);
    *out = all;
    *out_n = n;
done:
    return status;
}

static bool is_region_sane(const struct intra_wall_region *region)
{
    return fabs(region->station_from_m) < LARGEST_STATION_M && fabs(region->station_to_m) < LARGEST_STATION_M &&
           region->station_to_m >= region->station_from_m;
}

static double text_bytes(const struct intra_observation *seen)
{
    const char *const texts[] = {seen->text, seen->remark};
    double bytes = 0;
    for (int i = 0; i < 2; i++)
        bytes += texts[i] ? 2 * fmin(400, (double)strnlen(texts[i], 400)) : 0; /* once in the table, once as extras */
    return bytes;
}

struct ranked {
    double severity;
    int64_t index;
};

static int by_severity(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->severity < y->severity || x->severity > y->severity) return x->severity > y->severity ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

/* Leave out the least severe beyond the budget. */
static enum intra_status keep_budget(struct intra_mark_list *list, double budget, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct ranked *order = NULL;
    bool *is_kept = NULL;
    double patches = PATCH_SHARE * budget / BUDGET_SHARE / (VERTEX_BYTES * fmax(1, (double)list->n));
    int64_t kept = 0;
    list->vertex_limit = (int)fmax(LEAST_VERTICES, fmin(MOST_VERTICES, patches));
    INTRA_TRY(INTRA_ALLOC(order, (size_t)list->n, err));
    INTRA_TRY(INTRA_ALLOC(is_kept, (size_t)list->n, err));
    for (int64_t i = 0; i < list->n; i++) {
        double severity = severity_of(list->marks[i].seen);
        order[i] = (struct ranked){isfinite(severity) ? severity : -1, i};
    }
    qsort(order, (size_t)list->n, sizeof *order, by_severity);
    for (int64_t k = 0; k < list->n; k++) {
        const struct intra_mark *mark = &list->marks[order[k].index];
        double bytes = JSON_BYTES + VERTEX_BYTES * (FIXED_VERTICES + 0.5 * list->vertex_limit) + text_bytes(mark->seen);
        if (list->bytes + bytes > budget) break;
        list->bytes += bytes;
        is_kept[order[k].index] = true;
    }
    for (int64_t i = 0; i < list->n; i++) {
        if (is_kept[i])
            list->marks[kept++] = list->marks[i];
        else
            intra_free(list->marks[i].polygon);
    }
    list->n_left_out = list->n - kept;
    list->n = kept;
    if (list->n_left_out)
        intra_log(INTRA_LOG_WARNING, "model",
                  "%lld observations do not fit the model's size budget and are left out, "
                  "the least severe; allow a larger file to have them",
                  (long long)list->n_left_out);
done:
    intra_free(order);
    intra_free(is_kept);
    return status;
}

enum intra_status intra_mark_list_init(struct intra_mark_list *list, const struct intra_scene *scene,
                                       const struct intra_mesh_options *options, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct listed *all = NULL;
    double r = scene->nominal_diameter_m / 2;
    int64_t n = 0;
    memset(list, 0, sizeof *list);
    list->scene = scene;
    if (options->n_inspections < 1 || scene->n_sections < 2 || !(r > 0)) return INTRA_OK;
    list->station_from_m = scene->sections[0].station_m;
    list->station_to_m = scene->sections[scene->n_sections - 1].station_m;
    if (options->station_from_m < options->station_to_m) {
        list->station_from_m = fmax(list->station_from_m, options->station_from_m);
        list->station_to_m = fmin(list->station_to_m, options->station_to_m);
    }
    INTRA_TRY(number_all(scene, options, &all, &n, err));
    INTRA_TRY(INTRA_ALLOC(list->marks, (size_t)n, err));
    for (int64_t i = 0; i < n; i++) {
        struct intra_mark mark = {.inspection = all[i].inspection, .seen = all[i].seen, .number = i + 1};
        if (!mark.seen) continue;
        if (!mark.seen->place.is_placed || !is_region_sane(region_of(mark.seen))) {
            list->n_not_placed++;
            continue;
        }
        mark.colour = intra_mark_colour(mark.seen);
        list->marks[list->n] = mark;
        INTRA_TRY(set_polygon(&list->marks[list->n], r, err));
        if (list->marks[list->n].high[0] < list->station_from_m || list->marks[list->n].low[0] > list->station_to_m)
            intra_free(list->marks[list->n].polygon);
        else
            list->n++;
    }
    INTRA_TRY(keep_budget(list, BUDGET_SHARE * (double)options->max_bytes, err));
done:
    intra_free(all);
    if (status != INTRA_OK) intra_mark_list_fini(list);
    return status;
}

void intra_mark_list_fini(struct intra_mark_list *list)
{
    for (int64_t i = 0; i < list->n; i++)
        intra_free(list->marks[i].polygon);
    intra_free(list->marks);
    memset(list, 0, sizeof *list);
}
