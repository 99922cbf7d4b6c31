/* Joints: those of observations.csv against the truth's, matched by station. A joint of the truth counts as one to be
 * found when the video showed enough of its ring; a found joint is false only when there is none in the truth, seen or
 * not. */
#include "tools/evaluate.h"

#include "core/mem.h"
#include "export/tiff_read.h"
#include "tools/stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double match_m = 0.1;         /* farther apart, drift taken out, is another place */
static const double fine_enough_m = 0.003; /* as for coverage */
static const double ring_share = 0.6;      /* of the ring seen so fine: a joint to be found */
static const double beside_m = 0.02;       /* the wall beside the gap that is looked at */

struct truth_joint {
    double station_m, gap_m, crown_m, right_m, deflection_rad; /* crown, right: the offset's parts */
    bool is_in_view;
    int64_t match; /* row of ours, -1 none */
};

struct found_joint {
    double station_m, station_sd_m, gap_m, offset_m, offset_sd_m, clock_rad, deflection_rad;
    bool is_matched;
};

struct joints {
    struct truth_joint *truth;
    struct found_joint *found;
    int64_t n_truth, n_found;
    bool is_known; /* both tables are there */
};

static enum intra_status read_truth(const struct intra_evaluation *e, struct joints *j, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_table t = {0};
    char path[1200];
    j->is_known = intra_eval_find(e->truth_dir, "joints.csv", path, sizeof path);
    if (!j->is_known) return INTRA_OK;
    INTRA_TRY(intra_table_read(path, &t, err));
    INTRA_TRY(INTRA_ALLOC(j->truth, (size_t)t.n_rows, err));
    for (int64_t i = 0; i < t.n_rows; i++) {
        double clock = M_PI / 180 * intra_table_number(&t, i, intra_table_find(&t, "offset_clock_deg"));
        double offset = intra_table_number(&t, i, intra_table_find(&t, "offset_m"));
        struct truth_joint *joint = &j->truth[j->n_truth];
        joint->station_m = intra_table_number(&t, i, intra_table_find(&t, "station_m"));
        joint->gap_m = intra_table_number(&t, i, intra_table_find(&t, "gap_m"));
        joint->crown_m = offset * cos(clock);
        joint->right_m = offset * sin(clock);
        joint->deflection_rad = M_PI / 180 * intra_table_number(&t, i, intra_table_find(&t, "deflection_deg"));
        joint->match = -1;
        if (isfinite(joint->station_m)) j->n_truth++;
    }
done:
    intra_table_fini(&t);
    return status;
}

/* Clock position "11.5" as an angle; 12.x lies before 1. */
static double clock_angle(double clock)
{
    return isfinite(clock) ? M_PI / 6 * fmod(clock, 12) : NAN;
}

static enum intra_status read_found(const struct intra_evaluation *e, struct joints *j, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_table t = {0};
    char path[1200];
    j->is_known = j->is_known && intra_eval_find(e->out_dir, "observations.csv", path, sizeof path);
    if (!j->is_known) return INTRA_OK;
    INTRA_TRY(intra_table_read(path, &t, err));
    INTRA_TRY(INTRA_ALLOC(j->found, (size_t)t.n_rows, err));
    for (int64_t i = 0; i < t.n_rows; i++) {
        struct found_joint *joint = &j->found[j->n_found];
        if (strcmp(intra_table_text(&t, i, intra_table_find(&t, "kind")), "joint") != 0 ||
            strcmp(intra_table_text(&t, i, intra_table_find(&t, "source")), "found") != 0)
            continue;
        joint->station_m = intra_table_number(&t, i, intra_table_find(&t, "station_from_m"));
        joint->station_sd_m = intra_table_number(&t, i, intra_table_find(&t, "station_sd_m"));
        joint->gap_m = 1e-3 * intra_table_number(&t, i, intra_table_find(&t, "width_mm"));
        joint->offset_m = 1e-3 * intra_table_number(&t, i, intra_table_find(&t, "offset_mm"));
        joint->offset_sd_m = 1e-3 * intra_table_number(&t, i, intra_table_find(&t, "offset_sd_mm"));
        joint->clock_rad = clock_angle(intra_table_number(&t, i, intra_table_find(&t, "offset_clock")));
        joint->deflection_rad = M_PI / 180 * intra_table_number(&t, i, intra_table_find(&t, "deflection_deg"));
        if (isfinite(joint->station_m)) j->n_found++;
    }
done:
    intra_table_fini(&t);
    return status;
}

/* Share of the ring that was seen finely on both sides of a station. */
static double seen_share(const struct intra_tiff_info *info, const float *cells, double station_m, double half_gap_m)
{
    int64_t before = (int64_t)floor((station_m - half_gap_m - beside_m - info->x_left_m) / info->cell_x_m);
    int64_t behind = (int64_t)floor((station_m + half_gap_m + beside_m - info->x_left_m) / info->cell_x_m);
    int seen = 0;
    if (before < 0 || behind >= info->cols) return 0;
    for (int row = 0; row < info->rows; row++) {
        const float *line = cells + (size_t)row * (size_t)info->cols * (size_t)info->samples;
        double a = line[before * info->samples], b = line[behind * info->samples];
        seen += a > 0 && a <= fine_enough_m && b > 0 && b <= fine_enough_m;
    }
    return (double)seen / info->rows;
}

static enum intra_status find_in_view(const struct intra_evaluation *e, struct joints *j, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_tiff *tiff = NULL;
    float *cells = NULL;
    char path[1200];
    if (!intra_eval_find(e->truth_dir, "resolution.tif", path, sizeof path)) return INTRA_OK;
    INTRA_TRY(intra_tiff_open(path, &tiff, err));
    const struct intra_tiff_info *info = intra_tiff_info(tiff);
    if (!info->is_float) INTRA_TRY(INTRA_FAIL(err, INTRA_E_FORMAT, "%s: want float32 cells", path));
    INTRA_TRY(INTRA_ALLOC(cells, (size_t)info->rows * (size_t)info->cols * (size_t)info->samples, err));
    INTRA_TRY(intra_tiff_read_columns(tiff, 0, (int)info->cols, cells, err));
    for (int64_t i = 0; i < j->n_truth; i++)
        j->truth[i].is_in_view = seen_share(info, cells, j->truth[i].station_m, 0.5 * j->truth[i].gap_m) >= ring_share;
done:
    intra_free(cells);
    intra_tiff_close(&tiff);
    return status;
}

/* Nearest pairs first, each joint once. */
static void match(const struct intra_evaluation *e, struct joints *j)
{
    for (;;) {
        double nearest = match_m;
        int64_t a = -1, b = -1;
        for (int64_t i = 0; i < j->n_truth; i++) {
            for (int64_t k = 0; k < j->n_found && j->truth[i].match < 0; k++) {
                double way = fabs(j->found[k].station_m - intra_eval_station(e, j->truth[i].station_m));
                if (j->found[k].is_matched || !(way < nearest)) continue;
                nearest = way, a = i, b = k;
            }
        }
        if (a < 0) return;
        j->truth[a].match = b;
        j->found[b].is_matched = true;
    }
}

enum { M_STATION, M_LOCAL, M_GAP, M_OFFSET, M_VECTOR, M_DEFLECTION, N_MEASURES };

struct errors {
    double *value[N_MEASURES];
    int64_t n[N_MEASURES];
    int64_t in_view, in_view_found, false_ones, station_inside, offset_inside, with_offset;
};

static void take(struct errors *x, int which, double value)
{
    if (isfinite(value)) x->value[which][x->n[which]++] = fabs(value);
}

static void take_pair(const struct intra_evaluation *e, struct errors *x, const struct truth_joint *t,
                      const struct found_joint *f)
{
    double station = f->station_m - t->station_m - e->shift_s_m, clock = f->clock_rad - e->shift_theta_rad;
    double offset = f->offset_m - hypot(t->crown_m, t->right_m);
    take(x, M_STATION, 1e3 * station);
    take(x, M_LOCAL, 1e3 * (f->station_m - intra_eval_station(e, t->station_m)));
    take(x, M_GAP, 1e3 * (f->gap_m - t->gap_m));
    take(x, M_OFFSET, 1e3 * offset);
    take(x, M_VECTOR, 1e3 * hypot(f->offset_m * cos(clock) - t->crown_m, f->offset_m * sin(clock) - t->right_m));
    take(x, M_DEFLECTION, 180 / M_PI * (f->deflection_rad - t->deflection_rad));
    x->station_inside += fabs(station) <= 1.96 * f->station_sd_m;
    if (!isfinite(offset)) return;
    x->with_offset++;
    x->offset_inside += fabs(offset) <= 1.96 * f->offset_sd_m;
}

static enum intra_status compare(struct intra_evaluation *e, const struct joints *j, struct errors *x, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    for (int64_t i = 0; i < j->n_truth; i++) {
        const struct truth_joint *t = &j->truth[i];
        x->in_view += t->is_in_view;
        if (t->match < 0) continue;
        x->in_view_found += t->is_in_view;
        take_pair(e, x, t, &j->found[t->match]);
        INTRA_TRY(intra_eval_note(e, EVAL_PLOT_JOINT,
                                  (struct intra_eval_point){t->station_m, 1e3 * (j->found[t->match].station_m - t->station_m - e->shift_s_m),
                                                            1e3 * j->found[t->match].station_sd_m, -1}, err));
    }
    for (int64_t k = 0; k < j->n_found; k++)
        x->false_ones += !j->found[k].is_matched;
done:
    return status;
}

static double percent(int64_t part, int64_t whole)
{
    return whole > 0 ? 100.0 * (double)part / (double)whole : NAN;
}

static void add_pair(struct intra_evaluation *e, const struct errors *x, int which, const char *const keys[2],
                     const char *const labels[2], const char *unit)
{
    int64_t n = x->n[which];
    intra_figures_add(&e->figures, keys[0], labels[0], intra_stats_percentile(x->value[which], n, 0.5), unit, n);
    intra_figures_add(&e->figures, keys[1], labels[1], intra_stats_percentile(x->value[which], n, 1), unit, n);
}

static void add_figures(struct intra_evaluation *e, const struct joints *j, const struct errors *x)
{
    static const char *const keys[N_MEASURES][2] = {
        {"joint_station_error_median_mm", "joint_station_error_worst_mm"},
        {"joint_station_local_median_mm", "joint_station_local_worst_mm"},
        {"joint_gap_error_median_mm", "joint_gap_error_worst_mm"},
        {"joint_offset_error_median_mm", "joint_offset_error_worst_mm"},
        {"joint_offset_vector_median_mm", "joint_offset_vector_worst_mm"},
        {"joint_deflection_error_median_deg", "joint_deflection_error_worst_deg"}};
    static const char *const labels[N_MEASURES][2] = {
        {"joint, station error, median", "joint, station error, worst"},
        {"joint, station error without drift, median", "joint, station error without drift, worst"},
        {"joint, gap error, median", "joint, gap error, worst"},
        {"joint, offset error, median", "joint, offset error, worst"},
        {"joint, offset vector error, median", "joint, offset vector error, worst"},
        {"joint, deflection error, median", "joint, deflection error, worst"}};
    struct intra_figures *f = &e->figures;
    bool k = j->is_known;
    intra_figures_heading(f, "Joints");
    intra_figures_add(f, "joints_in_view", "joints whose ring was in view", k ? (double)x->in_view : NAN, "joints", -1);
    intra_figures_add(f, "joints_found_pct", "of these found", percent(x->in_view_found, x->in_view), "%", x->in_view);
    intra_figures_add(f, "joints_false", "found where there is none", k ? (double)x->false_ones : NAN, "joints",
                      j->n_found);
    intra_figures_add(f, "joints_false_pct", "found where there is none, of all found",
                      percent(x->false_ones, j->n_found), "%", j->n_found);
    for (int m = 0; m < N_MEASURES; m++)
        add_pair(e, x, m, keys[m], labels[m], m == M_DEFLECTION ? "deg" : "mm");
    intra_figures_add(f, "joint_station_within_sd_pct", "joint, station within its 95 % interval",
                      percent(x->station_inside, x->n[M_STATION]), "%", x->n[M_STATION]);
    intra_figures_add(f, "joint_offset_within_sd_pct", "joint, offset within its 95 % interval",
                      percent(x->offset_inside, x->with_offset), "%", x->with_offset);
}

enum intra_status intra_evaluate_joints(struct intra_evaluation *e, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct joints j = {0};
    struct errors x = {.in_view = 0};
    INTRA_TRY(read_truth(e, &j, err));
    INTRA_TRY(read_found(e, &j, err));
    INTRA_TRY(find_in_view(e, &j, err));
    for (int m = 0; m < N_MEASURES; m++)
        INTRA_TRY(INTRA_ALLOC(x.value[m], (size_t)j.n_truth, err));
    if (j.is_known) {
        match(e, &j);
        INTRA_TRY(compare(e, &j, &x, err));
    }
    add_figures(e, &j, &x);
done:
    for (int m = 0; m < N_MEASURES; m++)
        intra_free(x.value[m]);
    intra_free(j.truth);
    intra_free(j.found);
    return status;
}
