/* Measures of a finished pipe. Depth: the wall's radius in the area against the mean of the sections beside it, at the
 * same clock angle; a deposit or a hole that is wider than a section's harmonics resolve is in the sections themselves.
 */
#include "recon/measure.h"

#include "core/defect_kind.h"
#include "core/mem.h"
#include "core/select.h"
#include "recon/bundle.h"
#include "recon/robust.h"
#include "recon/wall_patch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BESIDE_M 0.15 /* the sections that stand for the undamaged pipe begin so far from the area, */
#define BESIDE_N 6    /* so many on each side */
#define HIGHEST 0.995 /* a stray cell does not set the height */
#define HEIGHT_SD_M 0.0012
#define HEIGHT_SD_REL 0.07
#define LEAST_MEASURED 0.3 /* of the area */
#define STEP_SIDE_M 0.6
#define STEP_LEAST 0.03 /* of the diameter */

double intra_ovality_factor(double ovality_pct)
{
    double q = ovality_pct / 100;
    return pow((1 - q) / ((1 + q) * (1 + q)), 3);
}

struct intra_measure_options intra_measure_defaults(void)
{
    return (struct intra_measure_options){.patch_margin_m = 0.2, .patch_least_m = 0.5, .patch_join_m = 0.3};
}

/* ---- depth ---- */

bool intra_measure_radius_beside(const struct intra_scene *scene, double from_m, double to_m, double theta, double *out,
                                 double *sd)
{
    double r[2 * BESIDE_N], spread[2 * BESIDE_N];
    int n = 0, before = 0;
    for (int64_t i = scene->n_sections - 1; i >= 0 && before < BESIDE_N; i--) {
        const struct intra_section *s = &scene->sections[i];
        if (s->station_m > from_m - BESIDE_M || !s->is_seen) continue;
        r[n++] = intra_section_radius(s, theta);
        before++;
    }
    for (int64_t i = 0; i < scene->n_sections && n - before < BESIDE_N; i++) {
        const struct intra_section *s = &scene->sections[i];
        if (s->station_m < to_m + BESIDE_M || !s->is_seen) continue;
        r[n++] = intra_section_radius(s, theta);
    }
    if (n < 4) return false;
    *out = intra_select(r, n, n / 2);
    for (int i = 0; i < n; i++)
        spread[i] = fabs(r[i] - *out);
    *sd = 1.4826 * intra_select(spread, n, n / 2) / sqrt(n / 2.0) + 0.0005;
    return true;
}

/* Depth profile of the area over its clock span and stations: mean over it, its largest, and the area lost in the worst
 * section. */
static void measure_depth(const struct intra_scene *scene, struct intra_observation *o)
{
    enum { ANGLES = 48 };
    const struct intra_wall_region *r = &o->place.refined;
    struct intra_extent *x = &o->extent;
    double span = r->clock_to_rad - r->clock_from_rad, most = 0, loss_most = 0, volume = 0, sd_sum = 0, full = 0;
    int n_sections = 0;
    if (span <= 0) span += 2 * M_PI;
    for (int64_t i = 0; i < scene->n_sections; i++) {
        const struct intra_section *s = &scene->sections[i];
        double lost = 0, area = 0;
        if (s->station_m < r->station_from_m || s->station_m > r->station_to_m || !s->is_seen) continue;
        for (int k = 0; k < ANGLES; k++) {
            double theta = r->clock_from_rad + span * (k + 0.5) / ANGLES, beside, sd, here;
            if (!intra_measure_radius_beside(scene, r->station_from_m, r->station_to_m, theta, &beside, &sd)) return;
            here = intra_section_radius(s, theta);
            lost += (beside * beside - here * here) / 2 * span / ANGLES;
            if (fabs(beside - here) > fabs(most)) most = beside - here;
            sd_sum += sd;
        }
        area = M_PI * s->a[0] * s->a[0];
        full += area + fmax(0, lost);
        if (lost > loss_most) loss_most = lost;
        volume += lost * scene->section_step_m;
        n_sections++;
    }
    if (n_sections < 2) return;
    double sd = hypot(sd_sum / (n_sections * ANGLES), 0.0015), area = full / n_sections, arc = span * sqrt(area / M_PI);
    x->depth_m = most;
    x->depth_sd_m = sd;
    if (intra_defect_kind_of(o->system, o->code) != INTRA_DEFECT_DEPOSIT) return;
    x->section_loss_pct = 100 * loss_most / area;
    x->section_loss_sd_pct = 100 * sd * arc / area;
    x->volume_m3 = volume;
    x->volume_sd_m3 = sd * arc * (r->station_to_m - r->station_from_m);
}

/* The same from the wall's relief, which shows what the sections smoothed away. */
struct height_field {
    struct intra_wall_patch patch; /* the whole ring */
    double *beside, *beside_sd;    /* by row: radius of the undamaged pipe; NaN: not known */
    double *depth;                 /* by cell: how far the wall stands in; NaN: not measured */
    uint8_t *is_in;                /* by row: in the observation's clock span */
    double *scratch;
    int n_in; /* rows */
};

static void height_field_fini(struct height_field *f)
{
    intra_wall_patch_fini(&f->patch);
    intra_free(f->beside);
    intra_free(f->beside_sd);
    intra_free(f->depth);
    intra_free(f->is_in);
    intra_free(f->scratch);
}

static enum intra_status fill_heights(const struct intra_scene *scene, const struct intra_wall_region *r, double span,
                                      struct height_field *f, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_wall_patch *p = &f->patch;
    INTRA_TRY(INTRA_ALLOC(f->beside, (size_t)p->rows, err));
    INTRA_TRY(INTRA_ALLOC(f->beside_sd, (size_t)p->rows, err));
    INTRA_TRY(INTRA_ALLOC(f->is_in, (size_t)p->rows, err));
    INTRA_TRY(INTRA_ALLOC(f->depth, (size_t)p->rows * (size_t)p->cols, err));
    INTRA_TRY(INTRA_ALLOC(f->scratch, (size_t)p->rows * (size_t)p->cols, err));
    for (int row = 0; row < p->rows; row++) {
        double theta = p->theta0_rad + row * p->dtheta_rad, turn = fmod(theta - r->clock_from_rad, 2 * M_PI);
        f->is_in[row] = (turn < 0 ? turn + 2 * M_PI : turn) <= span;
        f->n_in += f->is_in[row];
        if (!intra_measure_radius_beside(scene, r->station_from_m, r->station_to_m, theta, &f->beside[row], &f->beside_sd[row]))
            f->beside[row] = NAN;
        for (int col = 0; col < p->cols; col++) {
            size_t at = (size_t)row * (size_t)p->cols + (size_t)col;
            f->depth[at] =
                f->beside[row] - (double)p->relief[at] - intra_wall_radius(scene, p->station0_m + col * p->ds_m, theta);
        }
    }
done:
    return status;
}

/* Depths of the wall outside the span are what the axis is off there: size and place of the section, a + b cos theta +
 * c sin theta, over columns [c0, c1) with Cauchy weights; taken from all depths of these columns. */
static void level_columns(struct height_field *f, int c0, int c1, double margin_rad)
{
    enum { LEAST = 60, ROUNDS = 5 };
    const struct intra_wall_patch *p = &f->patch;
    const double scale = 0.002;
    double x[3] = {0};
    int margin = (int)ceil(margin_rad / p->dtheta_rad);
    for (int round = 0; round < ROUNDS; round++) {
        double h[9] = {0}, g[3] = {0};
        int n = 0;
        for (int row = 0; row < p->rows; row++) {
            double theta = p->theta0_rad + row * p->dtheta_rad, basis[3] = {1, cos(theta), sin(theta)};
            if (f->is_in[row] || f->is_in[(row + margin) % p->rows] ||
                f->is_in[(row + p->rows - margin % p->rows) % p->rows])
                continue;
            for (int col = c0; col < c1; col++) {
                double e = f->depth[(size_t)row * (size_t)p->cols + (size_t)col];
                if (!isfinite(e)) continue;
                for (int i = 0; i < 3; i++)
                    e -= basis[i] * x[i];
                double w = intra_cauchy_weight(e * e, scale * scale);
                for (int i = 0; i < 3; i++) {
                    g[i] += w * basis[i] * e;
                    for (int j = 0; j <= i; j++)
                        h[3 * i + j] += w * basis[i] * basis[j];
                }
                n++;
            }
        }
        if (n < LEAST) return;
        for (int i = 0; i < 3; i++)
            h[4 * i] += 1e-3 * n; /* half a ring hardly tells size from place */
        if (!intra_cholesky_solve(h, g, 3)) return;
        for (int i = 0; i < 3; i++)
            x[i] += g[i];
    }
    for (int row = 0; row < p->rows; row++) {
        double theta = p->theta0_rad + row * p->dtheta_rad;
        for (int col = c0; col < c1; col++)
            f->depth[(size_t)row * (size_t)p->cols + (size_t)col] -= x[0] + x[1] * cos(theta) + x[2] * sin(theta);
    }
}

/* Cross-section that is lost in a column, from the rows of the span that were measured; false where fewer than half
 * were. */
static bool column_loss(const struct height_field *f, int col, double *out_m2)
{
    const struct intra_wall_patch *p = &f->patch;
    double sum = 0;
    int n = 0;
    for (int row = 0; row < p->rows; row++) {
        double depth = f->depth[(size_t)row * (size_t)p->cols + (size_t)col];
        if (!f->is_in[row] || !isfinite(depth)) continue;
        sum += depth * (f->beside[row] - depth / 2);
        n++;
    }
    *out_m2 = n ? sum / n * f->n_in * p->dtheta_rad : 0;
    return 2 * n >= f->n_in && n > 0;
}

static void put_heights(const struct intra_wall_region *r, struct height_field *f, double span, bool is_deposit,
                        struct intra_extent *x)
{
    enum { LEAST = 60 };
    const struct intra_wall_patch *p = &f->patch;
    double sd = 0, sum = 0, most = 0, area = M_PI * p->radius_m * p->radius_m, arc = span * p->radius_m;
    int n = 0, n_cols = 0;
    for (int row = 0; row < p->rows; row++)
        for (int col = 0; col < p->cols; col++) {
            double depth = f->depth[(size_t)row * (size_t)p->cols + (size_t)col];
            if (!f->is_in[row] || !isfinite(depth)) continue;
            f->scratch[n++] = depth;
            sd = fmax(sd, f->beside_sd[row]);
        }
    if (n < LEAST || n < LEAST_MEASURED * f->n_in * p->cols) return;
    double high = intra_select(f->scratch, n, (int)(HIGHEST * n)),
           low = intra_select(f->scratch, n, (int)((1 - HIGHEST) * n));
    x->depth_m = is_deposit || high > -low ? high : low;
    x->depth_sd_m = hypot(hypot(sd, HEIGHT_SD_M), HEIGHT_SD_REL * x->depth_m);
    if (!is_deposit) return;
    for (int col = 0; col < p->cols; col++) {
        double loss;
        if (!column_loss(f, col, &loss)) continue;
        sum += loss;
        n_cols++;
        most = fmax(most, loss);
    }
    if (2 * n_cols < p->cols) return;
    x->section_loss_pct = 100 * most / area;
    x->section_loss_sd_pct = 100 * hypot(HEIGHT_SD_M * arc, HEIGHT_SD_REL * most) / area;
    x->volume_m3 = fmax(0, sum / n_cols * (r->station_to_m - r->station_from_m));
    x->volume_sd_m3 = hypot(HEIGHT_SD_M * arc * (r->station_to_m - r->station_from_m), HEIGHT_SD_REL * x->volume_m3);
}

/* Left as the sections have it where too little was measured. */
static enum intra_status measure_height(const struct intra_scene *scene, struct intra_observation *o,
                                        struct intra_error *err)
{
    enum { MOST_COLS = 400 };
    const double block_m = 0.3, margin_rad = 0.17;
    enum intra_status status = INTRA_OK;
    const struct intra_wall_region *r = &o->place.refined;
    struct height_field f = {0};
    double span = r->clock_to_rad - r->clock_from_rad, length = r->station_to_m - r->station_from_m;
    int step = (int)fmax(4, ceil(length / scene->wall.texel_m / MOST_COLS)), block;
    if (span <= 0) span += 2 * M_PI;
    status = intra_wall_patch_read(scene, r->station_from_m, r->station_to_m, r->clock_from_rad + span / 2, M_PI, step,
                                   &f.patch, err);
    if (status == INTRA_E_NO_RESULT) return INTRA_OK;
    if (status != INTRA_OK) return status;
    INTRA_TRY(fill_heights(scene, r, span, &f, err));
    block = (int)fmax(1, ceil(f.patch.cols / fmax(1, round(length / block_m))));
    for (int col = 0; col < f.patch.cols; col += block)
        level_columns(&f, col, col + block < f.patch.cols ? col + block : f.patch.cols, margin_rad);
    put_heights(r, &f, span, intra_defect_kind_of(o->system, o->code) == INTRA_DEFECT_DEPOSIT, &o->extent);
done:
    height_field_fini(&f);
    return status;
}

enum intra_status intra_measure_depths(const struct intra_scene *scene, struct intra_inspection *inspection,
                                       struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    for (int64_t i = 0; i < inspection->n_observations && status == INTRA_OK; i++) {
        struct intra_observation *o = &inspection->observations[i];
        enum intra_defect_kind kind = intra_defect_kind_of(o->system, o->code);
        if (!o->place.is_refined || isfinite(o->extent.depth_m)) continue;
        if (kind != INTRA_DEFECT_DEPOSIT && kind != INTRA_DEFECT_SURFACE) continue;
        measure_depth(scene, o);
        if (scene->wall.colour && scene->wall.relief && isfinite(o->extent.depth_m))
            status = measure_height(scene, o, err);
    }
    return status;
}

/* ---- the pipe ---- */

static struct intra_measure nothing(void)
{
    return (struct intra_measure){NAN, NAN, NAN, NAN};
}

static void take(struct intra_measure *best, bool is_larger, double value, double sd, double station_m,
                 double clock_rad)
{
    if (!isfinite(value) || (isfinite(best->value) && (is_larger ? value <= best->value : value >= best->value)))
        return;
    *best = (struct intra_measure){value, sd, station_m, clock_rad};
}

static void measure_sections(const struct intra_scene *scene, struct intra_measures *m)
{
    double sum = 0, sd2 = 0;
    int64_t n = 0;
    for (int64_t i = 0; i < scene->n_sections; i++) {
        const struct intra_section *s = &scene->sections[i];
        if (!s->is_seen) continue;
        bool is_min = !(s->ovality_max_pct > s->ovality_pct);
        take(&m->diameter_min_m, false, s->diameter_min_m, s->diameter_min_sd_m, s->station_m, s->min_clock_rad);
        take(&m->diameter_max_m, true, s->diameter_max_m, s->diameter_max_sd_m, s->station_m, NAN);
        take(&m->perimeter_min_m, false, s->perimeter_m, s->perimeter_sd_m, s->station_m, NAN);
        take(&m->perimeter_max_m, true, s->perimeter_m, s->perimeter_sd_m, s->station_m, NAN);
        take(&m->ovality_pct, true, is_min ? s->ovality_pct : s->ovality_max_pct,
             is_min ? s->ovality_sd_pct : s->ovality_max_sd_pct, s->station_m, s->min_clock_rad);
        sum += s->diameter_mean_m;
        sd2 += s->diameter_mean_sd_m * s->diameter_mean_sd_m;
        n++;
    }
    if (n) m->diameter_mean_m = (struct intra_measure){sum / (double)n, sqrt(sd2 / (double)n), NAN, NAN};
    m->length_m = (struct intra_measure){scene->length_m, scene->length_sd_m, NAN, NAN};
    m->seen_m = (struct intra_measure){(double)n * scene->section_step_m, NAN, NAN, NAN};
    if (isfinite(m->ovality_pct.value)) {
        double q = m->ovality_pct.value, small = 1e-4;
        m->ovality_factor = m->ovality_pct;
        m->ovality_factor.value = intra_ovality_factor(q);
        m->ovality_factor.sd =
            fabs(intra_ovality_factor(q + small) - intra_ovality_factor(q - small)) / (2 * small) * m->ovality_pct.sd;
    }
}

static double median_diameter(const struct intra_scene *scene, double from_m, double to_m, double *out_sd)
{
    enum { MAX = 256 };
    double d[MAX], spread = 0;
    int n = 0;
    for (int64_t i = 0; i < scene->n_sections && n < MAX; i++) {
        const struct intra_section *s = &scene->sections[i];
        if (s->is_seen && s->station_m > from_m && s->station_m < to_m) d[n++] = s->diameter_mean_m;
    }
    if (n < 4) return NAN;
    double median = intra_select(d, n, n / 2);
    for (int i = 0; i < n; i++) /* not a median: a window that holds both diameters must show it */
        spread += fabs(d[i] - median) / n;
    *out_sd = 1.25 * spread / sqrt(n);
    return median;
}

/* Where the diameters before and behind differ most surely, if by more than STEP_LEAST and four deviations. */
static enum intra_status find_steps(const struct intra_scene *scene, struct intra_measures *m, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    double last = -INFINITY;
    INTRA_TRY(INTRA_ALLOC(m->steps, (size_t)scene->n_sections + 1, err));
    for (int64_t i = 0; i < scene->n_sections; i++) {
        double s = scene->sections[i].station_m, sd[2] = {0, 0};
        double before = median_diameter(scene, s - STEP_SIDE_M, s, &sd[0]),
               behind = median_diameter(scene, s, s + STEP_SIDE_M, &sd[1]);
        double step = fabs(behind - before), noise = hypot(sd[0], sd[1]) + 0.001;
        if (!(step > STEP_LEAST * fmax(before, behind)) || step < 4 * noise) continue;
        struct intra_diameter_step found = {s, before, behind, noise};
        if (s - last < STEP_SIDE_M) {
            struct intra_diameter_step *kept = &m->steps[m->n_steps - 1];
            if (step / noise > fabs(kept->behind_m - kept->before_m) / kept->sd_m) *kept = found;
        } else {
            m->steps[m->n_steps++] = found;
        }
        last = s;
    }
done:
    return status;
}

static int compare_laterals(const void *a, const void *b)
{
    double x = ((const struct intra_lateral_measure *)a)->station_m,
           y = ((const struct intra_lateral_measure *)b)->station_m;
    return x < y ? -1 : x > y;
}

static double middle_clock(const struct intra_wall_region *r)
{
    double span = r->clock_to_rad - r->clock_from_rad;
    if (span < 0) span += 2 * M_PI;
    double at = fmod(r->clock_from_rad + span / 2, 2 * M_PI);
    return at < 0 ? at + 2 * M_PI : at;
}

/* Recorded connections, and those found that no record names. */
static enum intra_status list_laterals(const struct intra_scene *scene, const struct intra_observation *const *list,
                                       int64_t n, struct intra_measures *m, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    int recorded;
    INTRA_TRY(INTRA_ALLOC(m->laterals, (size_t)(scene->n_features + n) + 1, err));
    for (int64_t i = 0; i < n; i++) {
        const struct intra_observation *o = list[i];
        const struct intra_wall_region *r = intra_place_region(&o->place);
        if (!o->place.is_placed || intra_defect_kind_of(o->system, o->code) != INTRA_DEFECT_LATERAL) continue;
        m->laterals[m->n_laterals++] =
            (struct intra_lateral_measure){.station_m = (r->station_from_m + r->station_to_m) / 2,
                                           .station_sd_m = r->station_sd_m,
                                           .clock_rad = middle_clock(r),
                                           .clock_sd_rad = r->clock_sd_rad,
                                           .diameter_m = o->extent.diameter_m,
                                           .diameter_sd_m = o->extent.diameter_sd_m,
                                           .intrusion_m = o->extent.depth_m,
                                           .intrusion_sd_m = o->extent.depth_sd_m,
                                           .id = o->id,
                                           .code = o->code};
    }
    recorded = m->n_laterals;
    for (int64_t i = 0; i < scene->n_features; i++) {
        const struct intra_feature *f = &scene->features[i];
        bool is_named = false;
        if (f->kind != INTRA_FEATURE_LATERAL) continue;
        for (int k = 0; k < recorded && !is_named; k++) {
            struct intra_lateral_measure *l = &m->laterals[k];
            double d = hypot(l->station_m - f->station_m,
                             scene->nominal_diameter_m / 2 * intra_wrap_pi(l->clock_rad - f->clock_rad));
            is_named = d < fmax(f->diameter_m, 0.1) / 2 + 2 * l->station_sd_m;
            if (is_named && !isfinite(l->intrusion_m)) {
                l->intrusion_m = f->intrusion_m;
                l->intrusion_sd_m = f->intrusion_sd_m;
            }
            if (is_named && !isfinite(l->diameter_m)) {
                l->diameter_m = f->diameter_m;
                l->diameter_sd_m = f->diameter_sd_m;
            }
        }
        if (is_named) continue;
        m->laterals[m->n_laterals++] = (struct intra_lateral_measure){f->station_m,   f->station_sd_m,
                                                                      f->clock_rad,   f->clock_sd_rad,
                                                                      f->diameter_m,  f->diameter_sd_m,
                                                                      f->intrusion_m, f->intrusion_sd_m,
                                                                      NULL,           NULL};
    }
    qsort(m->laterals, (size_t)m->n_laterals, sizeof *m->laterals, compare_laterals);
done:
    return status;
}

static int compare_stretches(const void *a, const void *b)
{
    double x = ((const struct intra_stretch *)a)->from_m, y = ((const struct intra_stretch *)b)->from_m;
    return x < y ? -1 : x > y;
}

/* Joins what overlaps or lies nearer than join_m; metres in all come back. */
static double join_stretches(struct intra_stretch *list, int *n, double join_m)
{
    double sum = 0;
    int kept = 0;
    qsort(list, (size_t)*n, sizeof *list, compare_stretches);
    for (int i = 0; i < *n; i++) {
        if (kept && list[i].from_m <= list[kept - 1].to_m + join_m) {
            list[kept - 1].to_m = fmax(list[kept - 1].to_m, list[i].to_m);
            list[kept - 1].n += list[i].n;
        } else {
            list[kept++] = list[i];
        }
    }
    *n = kept;
    for (int i = 0; i < kept; i++)
        sum += list[i].to_m - list[i].from_m;
    return sum;
}

static enum intra_status list_stretches(const struct intra_observation *const *list, int64_t n,
                                        const struct intra_measure_options *o, struct intra_measures *m,
                                        struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    INTRA_TRY(INTRA_ALLOC(m->patches, (size_t)n + 1, err));
    INTRA_TRY(INTRA_ALLOC(m->deposits, (size_t)n + 1, err));
    INTRA_TRY(INTRA_ALLOC(m->roots, (size_t)n + 1, err));
    for (int64_t i = 0; i < n; i++) {
        const struct intra_observation *seen = list[i];
        const struct intra_wall_region *r = intra_place_region(&seen->place);
        enum intra_defect_kind kind = intra_defect_kind_of(seen->system, seen->code);
        struct intra_stretch here = {r->station_from_m, r->station_to_m, 1};
        if (!seen->place.is_placed) continue;
        if (kind == INTRA_DEFECT_DEPOSIT) m->deposits[m->n_deposits++] = here;
        if (kind == INTRA_DEFECT_ROOT) m->roots[m->n_roots++] = here;
        if (!intra_defect_is_structural(kind)) continue;
        double half = fmax((here.to_m - here.from_m) / 2 + o->patch_margin_m, o->patch_least_m / 2);
        double mid = (here.from_m + here.to_m) / 2;
        m->patches[m->n_patches++] = (struct intra_stretch){mid - half, mid + half, 1};
    }
    m->patches_m = join_stretches(m->patches, &m->n_patches, o->patch_join_m);
    m->deposits_m = join_stretches(m->deposits, &m->n_deposits, 0);
    m->roots_m = join_stretches(m->roots, &m->n_roots, 0);
done:
    return status;
}

enum intra_status intra_measure_pipe(const struct intra_scene *scene, const struct intra_inspection *inspections,
                                     int64_t n, const struct intra_measure_options *options, struct intra_measures *out,
                                     struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_observation **list = NULL; /* of all inspections */
    int64_t n_all = 0;
    memset(out, 0, sizeof *out);
    out->diameter_min_m = out->diameter_max_m = out->diameter_mean_m = out->perimeter_min_m = out->perimeter_max_m =
        out->ovality_pct = out->ovality_factor = nothing();
    measure_sections(scene, out);
    INTRA_TRY(find_steps(scene, out, err));
    for (int64_t i = 0; i < n; i++)
        n_all += inspections[i].n_observations;
    INTRA_TRY(INTRA_ALLOC(list, (size_t)n_all + 1, err));
    n_all = 0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < inspections[i].n_observations; k++)
            list[n_all++] = &inspections[i].observations[k];
    INTRA_TRY(list_laterals(scene, list, n_all, out, err));
    INTRA_TRY(list_stretches(list, n_all, options, out, err));
done:
    intra_free(list);
    if (status != INTRA_OK) intra_measures_fini(out);
    return status;
}

void intra_measures_fini(struct intra_measures *m)
{
    intra_free(m->laterals);
    intra_free(m->patches);
    intra_free(m->deposits);
    intra_free(m->roots);
    intra_free(m->steps);
    memset(m, 0, sizeof *m);
}
