/* Rays from inside the opening, sampled each millimetre. Fields: ln brightness, ln R/G, ln B/G, and the logarithm of
 * change around the pipe (where the wall is not where the model has it, pictures from a moving camera leave streaks
 * along the pipe: the far side of a hole, lit like the wall, differs in nothing else); each less the wall's own beside
 * the opening, over its scatter there. Of a connection it is change around over change along: the end of its stub is
 * rough too. Of a hole the ratio loses the far side, which has steps along as well: a quarter to a half of the area.
 *
 * First the region: on a ray, what looks foreign adds up inside the rim and what looks like wall is taken off; the
 * closed line of best sum that does not jump from ray to ray (dynamic programming), begun anew from its own middle,
 * where it is nearly a circle. What is foreign reaches beyond the rim by its smoothing, so then, near that line, the
 * place where short windows on either side differ most. */
#include "recon/locate_rim.h"

#include "core/mem.h"
#include "core/select.h"

#include <math.h>
#include <string.h>

enum {
    FIELDS = 4,
    RAYS = INTRA_RIM_RAYS,
    MAX_STEPS = 400,
    FIRST = 4,
    JUMP = 3,
    ROUNDS = 3,
    CENTRINGS = 3,
    NEAR_INSIDE = 8,
    NEAR_OUTSIDE = 2
};
static const double STEP_M = 0.001, BESIDE_M = 0.012, SHORT_M = 0.003;
static const double SMOOTH_M = 0.001, SMEAR_HOLE_M = 0.0015, SMEAR_MOUTH_M = 0.002, MOST_CHANGE = 4,
                    STREAK_HOLE_M = 0.005, STREAK_MOUTH_M = 0.008, START_M = 0.012, CAP_LOOK = 2,
                    FOREIGN_SMOOTH_M = 0.0015, CAP = 3, MOST_FOREIGN = 1.5;
static const double SHARPEST = 4, SHARPEST_OF_ALL = 10, SHARP_WEIGHT = 4, LOOSE = 0.8, STIFF_HOLE = 3, STIFF_MOUTH = 2,
                    LEAST_SHARP = 1.2;
/* Quantile of the wall beside that passes for wall: the stub of a connection and its shadow differ mildly all around
 * the mouth, and are not it. */
static const double LEVEL_HOLE = 0.85, LEVEL_MOUTH = 0.9;
/* The line is drawn at other levels and stiffness, too: share of the wall beside that stands out, and stiffness, as
 * multiples. How much their areas differ says how sure the line is. */
enum { VARIANTS = 4 };
static const double variants[VARIANTS][2] = {{1, 1}, {1.5, 1}, {0.5, 1}, {1, 1 / 3.0}};
static const double floors[FIELDS] = {0.06, 0.012, 0.012, 0.3};

struct rim_finder {
    const struct intra_wall_patch *p;
    bool is_mouth;
    double x0, y0; /* start of the rays: metres along, metres around from row 0 */
    double row_m;
    float *field[FIELDS], *foreign, *scratch;
    double level;     /* of `foreign` */
    uint8_t *is_wall; /* beside the opening */
    double *sorted;
    int steps;
    float *gain, *sharp; /* RAYS x steps */
};

static size_t cells(const struct rim_finder *f)
{
    return (size_t)f->p->rows * (size_t)f->p->cols;
}

/* Of the wall beside, along each row and then each column; where too little of it is there, zero. */
static void subtract_wall(struct rim_finder *f, float *v)
{
    const struct intra_wall_patch *p = f->p;
    for (int pass = 0; pass < 2; pass++) {
        int lines = pass ? p->cols : p->rows, length = pass ? p->rows : p->cols;
        for (int i = 0; i < lines; i++) {
            int n = 0;
            for (int k = 0; k < length; k++) {
                size_t at = pass ? (size_t)k * (size_t)p->cols + (size_t)i : (size_t)i * (size_t)p->cols + (size_t)k;
                if (f->is_wall[at]) f->sorted[n++] = (double)v[at];
            }
            if (n < 8) continue;
            float m = (float)intra_select(f->sorted, n, n / 2);
            for (int k = 0; k < length; k++)
                v[pass ? (size_t)k * (size_t)p->cols + (size_t)i : (size_t)i * (size_t)p->cols + (size_t)k] -= m;
        }
    }
}

/* Into deviations of the wall beside. */
static void normalise(struct rim_finder *f, float *v, double least)
{
    int n = 0;
    double sd;
    subtract_wall(f, v);
    for (size_t i = 0; i < cells(f); i++)
        if (f->is_wall[i]) f->sorted[n++] = fabs((double)v[i]);
    sd = n ? fmax(least, 1.4826 * intra_select(f->sorted, n, n / 2)) : least;
    for (size_t i = 0; i < cells(f); i++)
        v[i] = (float)((double)v[i] / sd);
}

/* Mean over a run of cells along the pipe: streaks are long. */
static void average_along(struct rim_finder *f, float *v, int half)
{
    const struct intra_wall_patch *p = f->p;
    for (int r = 0; r < p->rows; r++) {
        float *row = v + (size_t)r * (size_t)p->cols;
        for (int c = 0; c < p->cols; c++)
            f->sorted[c] = (double)row[c];
        for (int c = 0; c < p->cols; c++) {
            int from = c > half ? c - half : 0, to = c + half < p->cols - 1 ? c + half : p->cols - 1;
            double sum = 0;
            for (int k = from; k <= to; k++)
                sum += f->sorted[k];
            row[c] = (float)(sum / (to - from + 1));
        }
    }
}

/* Changes are capped at some times the wall's own: the step at the rim itself must not count around it. */
static void measure_streaks(struct rim_finder *f, float *out)
{
    const struct intra_wall_patch *p = f->p;
    float *fields[2] = {out, f->scratch};
    double streak_m = f->is_mouth ? STREAK_MOUTH_M : STREAK_HOLE_M,
           smear_m = f->is_mouth ? SMEAR_MOUTH_M : SMEAR_HOLE_M;
    for (int r = 0; r < p->rows; r++)
        for (int c = 0; c < p->cols; c++) {
            int up = r > 0 ? r - 1 : r, down = r + 1 < p->rows ? r + 1 : r;
            int left = c > 0 ? c - 1 : c, right = c + 1 < p->cols ? c + 1 : c;
            out[r * p->cols + c] =
                fabsf(logf(p->light[down * p->cols + c] + 1e-3f) - logf(p->light[up * p->cols + c] + 1e-3f));
            f->scratch[r * p->cols + c] =
                fabsf(logf(p->light[r * p->cols + right] + 1e-3f) - logf(p->light[r * p->cols + left] + 1e-3f));
        }
    for (int k = 0; k < (f->is_mouth ? 2 : 1); k++) {
        int n = 0;
        float most;
        for (size_t i = 0; i < cells(f); i++)
            if (f->is_wall[i]) f->sorted[n++] = (double)fields[k][i];
        if (n == 0) continue;
        most = (float)(MOST_CHANGE * intra_select(f->sorted, n, n / 2)) + 1e-4f;
        for (size_t i = 0; i < cells(f); i++)
            fields[k][i] = fminf(fields[k][i], most) * fminf(fields[k][i], most);
        average_along(f, fields[k], (int)lround(streak_m / 2 / p->ds_m));
        intra_wall_patch_smooth(p, fields[k], smear_m / p->ds_m);
    }
    for (size_t i = 0; i < cells(f); i++)
        out[i] = logf(out[i] + 1e-5f) - (f->is_mouth ? logf(f->scratch[i] + 1e-5f) : 0);
}

static void measure_fields(struct rim_finder *f, const struct intra_area *area)
{
    const struct intra_wall_patch *p = f->p;
    double half[2] = {(area->station_to_m - area->station_from_m) / 2,
                      (area->theta_to_rad - area->theta_from_rad) / 2 * p->radius_m};
    double middle[2] = {(area->station_to_m + area->station_from_m) / 2 - p->station0_m,
                        ((area->theta_to_rad + area->theta_from_rad) / 2 - p->theta0_rad) * p->radius_m};
    const float *source[] = {p->light, p->red, p->blue};
    for (int r = 0; r < p->rows; r++)
        for (int c = 0; c < p->cols; c++) {
            bool is_near = fabs(c * p->ds_m - middle[0]) < half[0] + BESIDE_M + (area->is_part ? 1.5 : 0.4) * half[0] &&
                           fabs(r * f->row_m - middle[1]) < half[1] + BESIDE_M;
            f->is_wall[r * p->cols + c] = p->seen[r * p->cols + c] && !is_near;
        }
    for (int k = 0; k < FIELDS; k++) {
        if (k == FIELDS - 1) {
            measure_streaks(f, f->field[k]);
        } else {
            for (size_t i = 0; i < cells(f); i++)
                f->field[k][i] = k == 0 ? logf(source[k][i] + 1e-3f) : source[k][i];
            intra_wall_patch_smooth(p, f->field[k], SMOOTH_M / p->ds_m);
        }
        normalise(f, f->field[k], floors[k]);
    }
}

static double mean_of(const double *v, int from, int to)
{
    double sum = 0;
    for (int i = from; i < to; i++)
        sum += v[i];
    return sum / (to - from);
}

/* How little a cell looks like wall: squares of the deviations, each field's at most CAP^2; streaks count only where
 * there are more of them; brightness and colour of a hole at most CAP_LOOK^2: a stain beside it has them too. And the
 * level that most of the wall beside stays under. */
static void measure_foreign(struct rim_finder *f, double quantile)
{
    int n = 0;
    for (size_t i = 0; i < cells(f); i++) {
        double sum = 0;
        for (int k = 0; k < FIELDS; k++) {
            double z = k == FIELDS - 1 ? fmax(0, (double)f->field[k][i]) : (double)f->field[k][i];
            double cap = k < FIELDS - 1 && !f->is_mouth ? CAP_LOOK : CAP;
            sum += fmin(z * z, cap * cap);
        }
        f->foreign[i] = (float)sum;
    }
    intra_wall_patch_smooth(f->p, f->foreign, FOREIGN_SMOOTH_M / f->p->ds_m);
    for (size_t i = 0; i < cells(f); i++)
        if (f->is_wall[i]) f->sorted[n++] = (double)f->foreign[i];
    f->level = n ? fmax(1, intra_select(f->sorted, n, (int)(quantile * n))) : 1;
}

/* gain[i]: the sum of what is foreign inside, less what is wall, and how sharply it ends there. */
static void measure_ray(struct rim_finder *f, int ray)
{
    double z[FIELDS][MAX_STEPS], strange[MAX_STEPS], angle = 2 * M_PI * ray / RAYS, sum = 0;
    int brief = (int)lround(SHORT_M / STEP_M), n = f->steps, seen = 0;
    for (int i = 0; i < n; i++) {
        double x = f->x0 + i * STEP_M * cos(angle), y = f->y0 + i * STEP_M * sin(angle);
        double col = x / f->p->ds_m, row = y / f->row_m;
        if (col < 0 || row < 0 || col > f->p->cols - 1 || row > f->p->rows - 1) break;
        for (int k = 0; k < FIELDS; k++)
            z[k][i] = intra_wall_patch_at(f->p, f->field[k], row, col);
        strange[i] = fmax(-1, fmin(MOST_FOREIGN, intra_wall_patch_at(f->p, f->foreign, row, col) / f->level - 1));
        seen++;
    }
    for (int i = 0; i < n; i++) {
        double contrast = 0, sharp = 0;
        f->gain[ray * n + i] = -1e6f;
        f->sharp[ray * n + i] = 0;
        if (i < seen && i > 0) sum += strange[i - 1];
        if (i < FIRST || i + brief > seen) continue;
        for (int k = 0; k < FIELDS; k++)
            contrast += pow(mean_of(z[k], i - brief, i) - mean_of(z[k], i, i + brief), 2);
        sharp = mean_of(strange, i - brief, i) > mean_of(strange, i, i + brief) ? fmin(sqrt(contrast), SHARPEST) : 0;
        f->gain[ray * n + i] = (float)(sum + SHARP_WEIGHT * sharp);
        f->sharp[ray * n + i] = (float)fmin(sqrt(contrast), SHARPEST_OF_ALL);
    }
}

/* Best closed line: over the rays ROUNDS times around, of which the middle one counts. */
static enum intra_status follow(struct rim_finder *f, double stiffness, int *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    int n = f->steps, total = ROUNDS * RAYS, at = 0;
    double *sum = NULL, *next = NULL;
    int16_t *from = NULL;
    INTRA_TRY(INTRA_ALLOC(sum, (size_t)n, err));
    INTRA_TRY(INTRA_ALLOC(next, (size_t)n, err));
    INTRA_TRY(INTRA_ALLOC(from, (size_t)total * (size_t)n, err));
    for (int ray = 0; ray < total; ray++) {
        for (int i = 0; i < n; i++) {
            double best = ray ? -INFINITY : 0;
            int way = i;
            for (int d = -JUMP; ray && d <= JUMP; d++) {
                double value;
                if (i + d < 0 || i + d >= n) continue;
                value = sum[i + d] - stiffness * d * d;
                if (value > best) best = value, way = i + d;
            }
            next[i] = best + (double)f->gain[(ray % RAYS) * n + i];
            from[ray * n + i] = (int16_t)way;
        }
        memcpy(sum, next, (size_t)n * sizeof *sum);
    }
    for (int i = 1; i < n; i++)
        if (sum[i] > sum[at]) at = i;
    for (int ray = total - 1; ray >= 0; ray--) {
        if (ray >= RAYS && ray < 2 * RAYS) out[ray - RAYS] = at;
        at = from[ray * n + at];
    }
done:
    intra_free(sum);
    intra_free(next);
    intra_free(from);
    return status;
}

/* The rays start anew from the middle of the line: from there it is nearly a circle, and a bulge in it stands out. */
static void centre(struct rim_finder *f, const int *at)
{
    double x[RAYS], y[RAYS];
    for (int ray = 0; ray < RAYS; ray++) {
        x[ray] = at[ray] * STEP_M * cos(2 * M_PI * ray / RAYS);
        y[ray] = at[ray] * STEP_M * sin(2 * M_PI * ray / RAYS);
    }
    f->x0 += (intra_select(x, RAYS, RAYS / 10) + intra_select(x, RAYS, RAYS - 1 - RAYS / 10)) / 2;
    f->y0 += (intra_select(y, RAYS, RAYS / 10) + intra_select(y, RAYS, RAYS - 1 - RAYS / 10)) / 2;
}

/* What is foreign reaches beyond the rim by its own smoothing: again, but near that line and by sharpness alone. */
static void look_near(struct rim_finder *f, const int *at)
{
    for (int ray = 0; ray < RAYS; ray++)
        for (int i = 0; i < f->steps; i++) {
            bool is_near = i >= at[ray] - NEAR_INSIDE && i <= at[ray] + NEAR_OUTSIDE;
            float *gain = &f->gain[ray * f->steps + i];
            *gain = is_near && *gain > -1e5f ? f->sharp[ray * f->steps + i] : -1e6f;
        }
}

/* A stain beside the hole may have become part of the piece, and its middle then lies outside: the rays start where
 * most is foreign around. */
static void start_at_strangest(struct rim_finder *f, const struct intra_area *area)
{
    const struct intra_wall_patch *p = f->p;
    float most = 0;
    memcpy(f->scratch, f->foreign, cells(f) * sizeof *f->scratch);
    intra_wall_patch_smooth(p, f->scratch, START_M / p->ds_m);
    for (int r = 0; r < p->rows; r++)
        for (int c = 0; c < p->cols; c++) {
            double s = p->station0_m + c * p->ds_m, theta = p->theta0_rad + r * p->dtheta_rad;
            if (s < area->station_from_m || s > area->station_to_m || theta < area->theta_from_rad ||
                theta > area->theta_to_rad || f->scratch[r * p->cols + c] <= most)
                continue;
            most = f->scratch[r * p->cols + c];
            f->x0 = c * p->ds_m;
            f->y0 = r * f->row_m;
        }
}

/* A closed line, its place and size. */
struct trace {
    int at[RAYS];
    double x0, y0, area_m2;
};

static double traced_area(const int *at)
{
    double sum = 0;
    for (int ray = 0; ray < RAYS; ray++)
        sum += (at[ray] - 0.5) * (at[(ray + 1) % RAYS] - 0.5);
    return 0.5 * sin(2 * M_PI / RAYS) * STEP_M * STEP_M * sum;
}

/* From the piece's middle on, at one level and stiffness. */
static enum intra_status trace(struct rim_finder *f, const struct intra_area *area, double quantile, double stiffness,
                               struct trace *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    f->x0 = area->station_m - f->p->station0_m;
    f->y0 = (area->theta_rad - f->p->theta0_rad) * f->p->radius_m;
    measure_foreign(f, quantile);
    if (!f->is_mouth) start_at_strangest(f, area);
    for (int round = 0; round < CENTRINGS; round++) {
        if (round) centre(f, out->at);
        for (int ray = 0; ray < RAYS; ray++)
            measure_ray(f, ray);
        INTRA_TRY(follow(f, round ? stiffness : LOOSE, out->at, err));
    }
    look_near(f, out->at);
    INTRA_TRY(follow(f, stiffness, out->at, err));
    out->x0 = f->x0;
    out->y0 = f->y0;
    out->area_m2 = traced_area(out->at);
done:
    return status;
}

/* Of one that is among the middle two by area the first, which has the levels that were found best; else the middle one
 * that is nearer to it. */
static int choose(const struct trace *traces, int n)
{
    int best = 0;
    double least = INFINITY;
    for (int i = 0; i < n; i++) {
        int smaller = 0;
        double off = fabs(traces[i].area_m2 - traces[0].area_m2);
        for (int k = 0; k < n; k++)
            smaller += traces[k].area_m2 < traces[i].area_m2 || (k < i && !(traces[k].area_m2 > traces[i].area_m2));
        if (smaller < (n - 1) / 2 || smaller > n / 2 || off >= least) continue;
        least = off;
        best = i;
    }
    return best;
}

/* Scatter of the areas over that of the one chosen. */
static double spread_of(const struct trace *traces, int n, int chosen)
{
    double mean = 0, sum = 0;
    for (int i = 0; i < n; i++)
        mean += traces[i].area_m2 / n;
    for (int i = 0; i < n; i++)
        sum += pow(traces[i].area_m2 - mean, 2) / n;
    return sqrt(sum) / traces[chosen].area_m2;
}

enum intra_status intra_rim_find(const struct intra_wall_patch *patch, const struct intra_area *area, bool is_mouth,
                                 bool *out_is_clear, struct intra_rim *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct rim_finder f = {.p = patch, .is_mouth = is_mouth, .row_m = patch->dtheta_rad * patch->radius_m};
    struct trace traces[VARIANTS];
    double stiffness = is_mouth ? STIFF_MOUTH : STIFF_HOLE, beside = 1 - (is_mouth ? LEVEL_MOUTH : LEVEL_HOLE);
    double half =
        fmax(area->station_to_m - area->station_from_m, (area->theta_to_rad - area->theta_from_rad) * patch->radius_m) /
        2;
    int chosen, clear = 0;
    *out_is_clear = false;
    f.steps = (int)fmin(MAX_STEPS, ((area->is_part ? 2.5 : 1.9) * half + 0.025) / STEP_M);
    for (int k = 0; k < FIELDS; k++)
        INTRA_TRY(INTRA_ALLOC(f.field[k], cells(&f), err));
    INTRA_TRY(INTRA_ALLOC(f.foreign, cells(&f), err));
    INTRA_TRY(INTRA_ALLOC(f.scratch, cells(&f), err));
    INTRA_TRY(INTRA_ALLOC(f.is_wall, cells(&f), err));
    INTRA_TRY(INTRA_ALLOC(f.sorted, cells(&f), err));
    INTRA_TRY(INTRA_ALLOC(f.gain, (size_t)RAYS * (size_t)f.steps, err));
    INTRA_TRY(INTRA_ALLOC(f.sharp, (size_t)RAYS * (size_t)f.steps, err));
    measure_fields(&f, area);
    for (int i = 0; i < VARIANTS; i++)
        INTRA_TRY(trace(&f, area, 1 - variants[i][0] * beside, variants[i][1] * stiffness, &traces[i], err));
    chosen = choose(traces, VARIANTS);
    if (chosen < VARIANTS - 1) /* the fields of its rays again */
        INTRA_TRY(
            trace(&f, area, 1 - variants[chosen][0] * beside, variants[chosen][1] * stiffness, &traces[chosen], err));
    for (int ray = 0; ray < RAYS; ray++) {
        const struct trace *t = &traces[chosen];
        double angle = 2 * M_PI * ray / RAYS, r = (t->at[ray] - 0.5) * STEP_M; /* between the windows' samples */
        out->points[ray][0] = patch->station0_m + t->x0 + r * cos(angle);
        out->points[ray][1] = patch->theta0_rad + (t->y0 + r * sin(angle)) / patch->radius_m;
        clear += (double)f.sharp[ray * f.steps + t->at[ray]] > LEAST_SHARP;
    }
    out->clear = (double)clear / RAYS;
    out->spread = spread_of(traces, VARIANTS, chosen);
    *out_is_clear = out->clear > 0.75;
done:
    for (int k = 0; k < FIELDS; k++)
        intra_free(f.field[k]);
    intra_free(f.scratch);
    intra_free(f.is_wall);
    intra_free(f.sorted);
    intra_free(f.gain);
    intra_free(f.sharp);
    intra_free(f.foreign);
    return status;
}

enum intra_status intra_rim_put(const struct intra_rim *rim, double radius_m, struct intra_area *area,
                                struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    double doubled = 0, sx = 0, sy = 0, around = 0, s = rim->points[0][0], a = rim->points[0][1];
    double(*outline)[2] = NULL;
    INTRA_TRY(INTRA_ALLOC(outline, RAYS, err));
    memcpy(outline, rim->points, sizeof rim->points);
    intra_free(area->outline);
    area->outline = outline;
    area->n_outline = RAYS;
    area->station_from_m = area->theta_from_rad = INFINITY;
    area->station_to_m = area->theta_to_rad = -INFINITY;
    for (int i = 0; i < RAYS; i++) {
        const double *p = rim->points[i], *q = rim->points[(i + 1) % RAYS];
        double x0 = p[0] - s, x1 = q[0] - s, y0 = radius_m * (p[1] - a), y1 = radius_m * (q[1] - a);
        double cross = x0 * y1 - x1 * y0;
        doubled += cross;
        sx += cross * (x0 + x1);
        sy += cross * (y0 + y1);
        around += hypot(x1 - x0, y1 - y0);
        area->station_from_m = fmin(area->station_from_m, p[0]);
        area->station_to_m = fmax(area->station_to_m, p[0]);
        area->theta_from_rad = fmin(area->theta_from_rad, p[1]);
        area->theta_to_rad = fmax(area->theta_to_rad, p[1]);
    }
    area->area_m2 = fabs(doubled) / 2;
    area->ring_share = fmin(1, (area->theta_to_rad - area->theta_from_rad) / (2 * M_PI));
    if (fabs(doubled) > 0) {
        area->station_m = s + sx / (3 * doubled);
        area->theta_rad = a + sy / (3 * doubled) / radius_m;
    }
    /* a line that is sure is known to a resolution and a fifth, all around the same way (tests/bench/defects.py) */
    area->area_sd_m2 = hypot(1.2 * around * fmax(area->resolution_m, 0.001), hypot(0.02, rim->spread) * area->area_m2);
done:
    return status;
}
