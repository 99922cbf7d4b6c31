/* Section shape: the diameters of profile.csv against the truth's radius grid, and whether their deviations are honest.
 *
 * The truth's section at a station is the median over the section's own stretch (half a step to each side; joints are
 * narrower), taken at each clock angle, with the harmonics of order 0 to 6 fitted: what a section of this resolution
 * can show. Diameters are chords through the centre, r(theta) + r(theta + pi). Sections with more than a seventh of the
 * circle open (a lateral's mouth) are left out. */
#include "tools/evaluate.h"

#include "core/mem.h"
#include "export/tiff_read.h"
#include "tools/stats.h"

#include <math.h>
#include <string.h>

enum { ORDER = 6, UNKNOWNS = EVAL_SECTION_TERMS, ANGLES = 180, MAX_WINDOW = 512 };
_Static_assert(UNKNOWNS == 2 * ORDER + 1, "a mean and two terms a harmonic");

struct shape {
    double mean_m, min_m, max_m; /* diameters */
    double ovality_pct, ovality_max_pct;
};

/* Solve the symmetric positive system a x = b in place (Cholesky). */
static bool solve(double a[UNKNOWNS][UNKNOWNS], double b[UNKNOWNS])
{
    for (int i = 0; i < UNKNOWNS; i++) {
        for (int j = 0; j <= i; j++) {
            double sum = a[i][j];
            for (int k = 0; k < j; k++)
                sum -= a[i][k] * a[j][k];
            if (i == j && sum <= 1e-12) return false;
            a[i][j] = i == j ? sqrt(sum) : sum / a[j][j];
        }
    }
    for (int i = 0; i < UNKNOWNS; i++) {
        for (int k = 0; k < i; k++)
            b[i] -= a[i][k] * b[k];
        b[i] /= a[i][i];
    }
    for (int i = UNKNOWNS - 1; i >= 0; i--) {
        for (int k = i + 1; k < UNKNOWNS; k++)
            b[i] -= a[k][i] * b[k];
        b[i] /= a[i][i];
    }
    return true;
}

static void basis(double theta, double out[UNKNOWNS])
{
    out[0] = 1;
    for (int k = 1; k <= ORDER; k++) {
        out[2 * k - 1] = cos(k * theta);
        out[2 * k] = sin(k * theta);
    }
}

/* The curve through radius[rows] (NaN: open). */
static bool fit_curve(const double *radius, int rows, double b[UNKNOWNS])
{
    double a[UNKNOWNS][UNKNOWNS] = {{0}}, f[UNKNOWNS];
    int n = 0;
    memset(b, 0, UNKNOWNS * sizeof *b);
    for (int row = 0; row < rows; row++) {
        if (!isfinite(radius[row])) continue;
        basis(2 * M_PI * (row + 0.5) / rows, f);
        for (int i = 0; i < UNKNOWNS; i++) {
            b[i] += f[i] * radius[row];
            for (int j = 0; j <= i; j++)
                a[i][j] += f[i] * f[j];
        }
        n++;
    }
    return n * 7 >= rows * 6 && solve(a, b);
}

static struct shape shape_of(const double b[UNKNOWNS])
{
    struct shape s = {.min_m = INFINITY, .max_m = -INFINITY};
    double f[UNKNOWNS], g[UNKNOWNS], sum = 0;
    for (int k = 0; k < ANGLES; k++) {
        double d = 0;
        basis(M_PI * k / ANGLES, f);
        basis(M_PI * k / ANGLES + M_PI, g);
        for (int i = 0; i < UNKNOWNS; i++)
            d += b[i] * (f[i] + g[i]);
        sum += d;
        s.min_m = fmin(s.min_m, d);
        s.max_m = fmax(s.max_m, d);
    }
    s.mean_m = sum / ANGLES;
    s.ovality_pct = 100 * (s.mean_m - s.min_m) / s.mean_m;
    s.ovality_max_pct = 100 * (s.max_m - s.mean_m) / s.mean_m;
    return s;
}

bool intra_eval_truth_section(const float *grid, const struct intra_tiff_info *info, double station_m, double half_m,
                              double *radius, double out[EVAL_SECTION_TERMS])
{
    int64_t from = (int64_t)ceil((station_m - half_m - info->x_left_m) / info->cell_x_m - 0.5);
    int64_t to = (int64_t)floor((station_m + half_m - info->x_left_m) / info->cell_x_m - 0.5) + 1;
    if (from < 0 || to > info->cols || to <= from) return false;
    if (to - from > MAX_WINDOW) to = from + MAX_WINDOW;
    for (int row = 0; row < info->rows; row++) {
        double window[MAX_WINDOW];
        int n = 0;
        for (int64_t col = from; col < to; col++) {
            float r = grid[(size_t)row * (size_t)info->cols + (size_t)col];
            if (isfinite(r)) window[n++] = (double)r;
        }
        radius[row] = 2 * n >= to - from ? intra_stats_median(window, n) : NAN;
    }
    return fit_curve(radius, info->rows, out);
}

double intra_eval_section_radius(const double terms[EVAL_SECTION_TERMS], double row, int rows)
{
    double f[UNKNOWNS], r = 0;
    basis(2 * M_PI * row / rows, f);
    for (int i = 0; i < UNKNOWNS; i++)
        r += terms[i] * f[i];
    return r;
}

/* One measured column: errors, and how many lie within 1.96 of the stated deviation. */
struct measure {
    const char *name, *sd_name; /* columns of profile.csv */
    int col, sd_col;
    double *error;
    int64_t n, n_sd, n_inside;
};
enum { M_MEAN, M_MIN, M_MAX, M_OVALITY, M_OVALITY_MAX, N_MEASURES };

static void take(struct measure *m, const struct intra_table *table, int64_t row, double truth)
{
    double value = intra_table_number(table, row, m->col), sd = intra_table_number(table, row, m->sd_col);
    if (!isfinite(value)) return;
    m->error[m->n++] = value - truth;
    if (!isfinite(sd)) return;
    m->n_sd++;
    m->n_inside += fabs(value - truth) <= 1.96 * sd;
}

static double section_step(const struct intra_table *table, int col)
{
    double step = intra_table_number(table, 1, col) - intra_table_number(table, 0, col);
    return step > 1e-4 ? step : 0.05;
}

static enum intra_status compare_sections(struct intra_evaluation *e, struct intra_tiff *tiff, struct measure *m,
                                          int64_t *out_open, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_tiff_info *info = intra_tiff_info(tiff);
    int station = intra_table_find(&e->profile, "station_m");
    double half_m = section_step(&e->profile, station) / 2;
    float *grid = NULL;
    double *radius = NULL;
    INTRA_TRY(INTRA_ALLOC(grid, (size_t)info->rows * (size_t)info->cols, err));
    INTRA_TRY(INTRA_ALLOC(radius, (size_t)info->rows, err));
    INTRA_TRY(intra_tiff_read_columns(tiff, 0, (int)info->cols, grid, err));
    for (int64_t row = 0; row < e->profile.n_rows; row++) {
        struct shape truth;
        double terms[UNKNOWNS];
        double s = intra_table_number(&e->profile, row, station);
        int segment = intra_eval_segment_at(e, s);
        s -= segment >= 0 ? e->segments[segment].shift_s_m : e->shift_s_m;
        if (!isfinite(intra_table_number(&e->profile, row, m[M_MEAN].col))) continue;
        if (!intra_eval_truth_section(grid, info, s, half_m, radius, terms)) {
            ++*out_open;
            continue;
        }
        truth = shape_of(terms);
        take(&m[M_MEAN], &e->profile, row, truth.mean_m * 1e3);
        INTRA_TRY(intra_eval_note(
            e, EVAL_PLOT_RADIUS,
            (struct intra_eval_point){s, 0.5 * (intra_table_number(&e->profile, row, m[M_MEAN].col) - truth.mean_m * 1e3),
                                      0.5 * intra_table_number(&e->profile, row, m[M_MEAN].sd_col), segment}, err));
        take(&m[M_MIN], &e->profile, row, truth.min_m * 1e3);
        take(&m[M_MAX], &e->profile, row, truth.max_m * 1e3);
        take(&m[M_OVALITY], &e->profile, row, truth.ovality_pct);
        take(&m[M_OVALITY_MAX], &e->profile, row, truth.ovality_max_pct);
    }
done:
    intra_free(grid);
    intra_free(radius);
    return status;
}

static double share(const struct measure *m)
{
    return m->n_sd ? 100.0 * (double)m->n_inside / (double)m->n_sd : NAN;
}

static void add_figures(struct intra_evaluation *e, struct measure *m, int64_t n_open)
{
    struct intra_figures *f = &e->figures;
    intra_figures_add(f, "diameter_mean_bias_mm", "mean diameter, bias", intra_stats_mean(m[M_MEAN].error, m[M_MEAN].n),
                      "mm", m[M_MEAN].n);
    intra_figures_add(f, "diameter_mean_rms_mm", "mean diameter, RMS error",
                      intra_stats_rms(m[M_MEAN].error, m[M_MEAN].n), "mm", m[M_MEAN].n);
    intra_figures_add(f, "diameter_min_bias_mm", "smallest diameter, bias",
                      intra_stats_mean(m[M_MIN].error, m[M_MIN].n), "mm", m[M_MIN].n);
    intra_figures_add(f, "diameter_min_rms_mm", "smallest diameter, RMS error",
                      intra_stats_rms(m[M_MIN].error, m[M_MIN].n), "mm", m[M_MIN].n);
    intra_figures_add(f, "diameter_max_bias_mm", "largest diameter, bias", intra_stats_mean(m[M_MAX].error, m[M_MAX].n),
                      "mm", m[M_MAX].n);
    intra_figures_add(f, "diameter_max_rms_mm", "largest diameter, RMS error",
                      intra_stats_rms(m[M_MAX].error, m[M_MAX].n), "mm", m[M_MAX].n);
    intra_figures_add(f, "ovality_bias_points", "ovality, bias", intra_stats_mean(m[M_OVALITY].error, m[M_OVALITY].n),
                      "points", m[M_OVALITY].n);
    intra_figures_add(f, "ovality_rms_points", "ovality, RMS error",
                      intra_stats_rms(m[M_OVALITY].error, m[M_OVALITY].n), "points", m[M_OVALITY].n);
    intra_figures_add(f, "diameter_mean_within_sd_pct", "mean diameter within its 95 % interval", share(&m[M_MEAN]),
                      "%", m[M_MEAN].n_sd);
    intra_figures_add(f, "diameter_min_within_sd_pct", "smallest diameter within its 95 % interval", share(&m[M_MIN]),
                      "%", m[M_MIN].n_sd);
    intra_figures_add(f, "diameter_max_within_sd_pct", "largest diameter within its 95 % interval", share(&m[M_MAX]),
                      "%", m[M_MAX].n_sd);
    intra_figures_add(f, "ovality_within_sd_pct", "ovality within its 95 % interval", share(&m[M_OVALITY]), "%",
                      m[M_OVALITY].n_sd);
    intra_figures_add(f, "ovality_max_within_sd_pct", "ovality (largest) within its 95 % interval",
                      share(&m[M_OVALITY_MAX]), "%", m[M_OVALITY_MAX].n_sd);
    intra_figures_add(f, "sections_left_out", "sections left out (open wall, or outside the truth)", (double)n_open,
                      "sections", -1);
}

enum intra_status intra_evaluate_profile(struct intra_evaluation *e, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct measure m[N_MEASURES] = {{.name = "diameter_mean_mm", .sd_name = "diameter_mean_mm_sd"},
                                    {.name = "diameter_min_mm", .sd_name = "diameter_min_mm_sd"},
                                    {.name = "diameter_max_mm", .sd_name = "diameter_max_mm_sd"},
                                    {.name = "ovality_pct", .sd_name = "ovality_pct_sd"},
                                    {.name = "ovality_max_pct", .sd_name = "ovality_max_pct_sd"}};
    struct intra_tiff *tiff = NULL;
    int64_t n_open = 0;
    char path[1200];
    for (int i = 0; i < N_MEASURES; i++) {
        m[i].col = intra_table_find(&e->profile, m[i].name);
        m[i].sd_col = intra_table_find(&e->profile, m[i].sd_name);
        INTRA_TRY(INTRA_ALLOC(m[i].error, (size_t)e->profile.n_rows, err));
    }
    if (intra_eval_find(e->truth_dir, "radius.tif", path, sizeof path)) {
        INTRA_TRY(intra_tiff_open(path, &tiff, err));
        if (intra_tiff_info(tiff)->samples != 1 || !intra_tiff_info(tiff)->is_float) {
            status = INTRA_FAIL(err, INTRA_E_FORMAT, "%s: want one float32 sample a cell", path);
            goto done;
        }
        INTRA_TRY(compare_sections(e, tiff, m, &n_open, err));
    }
    intra_figures_heading(&e->figures, "Sections");
    add_figures(e, m, n_open);
done:
    intra_tiff_close(&tiff);
    for (int i = 0; i < N_MEASURES; i++)
        intra_free(m[i].error);
    return status;
}
