/* Laterals, bends and the water level of a result against the truth's. A lateral of the truth counts as one to be found
 * when the video showed its mouth and the wall around it; a found one is false only when the truth has none there, seen
 * or not. The water level is compared section by section. */
#include "tools/evaluate.h"

#include "core/mem.h"
#include "export/tiff_read.h"
#include "tools/stats.h"

#include <math.h>
#include <string.h>

static const double match_m = 0.15;        /* farther apart along the pipe, drift taken out, */
static const double match_rad = 0.6;       /* or around it, is another place */
static const double fine_enough_m = 0.003; /* as for coverage */
static const double seen_enough = 0.9;     /* of the mouth and half a radius around it: a lateral to be found */
static const double least_bend_deg = 4;    /* of the truth's: less is a joint's deflection */
static const double bend_match_m = 0.5;

struct lateral {
    double station_m, station_sd_m, clock_rad, clock_sd_rad, diameter_m, diameter_sd_m, intrusion_m;
    bool is_in_view, is_matched;
    int64_t match; /* of the truth's: index of ours, -1 none */
};

struct bend {
    double from_m, to_m, angle_deg;
    bool is_matched, is_whole; /* whole: the camera passed it */
};

struct list {
    struct lateral *laterals;
    struct bend *bends;
    int64_t n_laterals, n_bends;
};

static double number_of(const struct intra_table *t, int64_t row, const char *column)
{
    return intra_table_number(t, row, intra_table_find(t, column));
}

static enum intra_status read_found(const struct intra_evaluation *e, struct list *list, bool *is_there,
                                    struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_table t = {0};
    char path[1200];
    *is_there = intra_eval_find(e->out_dir, "observations.csv", path, sizeof path);
    if (!*is_there) return INTRA_OK;
    INTRA_TRY(intra_table_read(path, &t, err));
    *is_there = intra_table_find(&t, "clock_deg") >= 0; /* else it is from before they were looked for */
    INTRA_TRY(INTRA_ALLOC(list->laterals, (size_t)t.n_rows, err));
    INTRA_TRY(INTRA_ALLOC(list->bends, (size_t)t.n_rows, err));
    for (int64_t i = 0; i < t.n_rows && *is_there; i++) {
        const char *kind = intra_table_text(&t, i, intra_table_find(&t, "kind"));
        if (strcmp(intra_table_text(&t, i, intra_table_find(&t, "source")), "found") != 0) continue;
        double from = number_of(&t, i, "station_from_m"), to = number_of(&t, i, "station_to_m");
        if (!isfinite(from) || !isfinite(to)) continue;
        if (strcmp(kind, "bend") == 0)
            list->bends[list->n_bends++] = (struct bend){from, to, number_of(&t, i, "bend_deg"), false, true};
        if (strcmp(kind, "lateral") != 0) continue;
        list->laterals[list->n_laterals++] =
            (struct lateral){.station_m = from,
                             .station_sd_m = number_of(&t, i, "station_sd_m"),
                             .clock_rad = M_PI / 180 * number_of(&t, i, "clock_deg"),
                             .clock_sd_rad = M_PI / 180 * number_of(&t, i, "clock_sd_deg"),
                             .diameter_m = 1e-3 * number_of(&t, i, "diameter_mm"),
                             .diameter_sd_m = 1e-3 * number_of(&t, i, "diameter_sd_mm"),
                             .intrusion_m = 1e-3 * number_of(&t, i, "intrusion_mm")};
    }
done:
    intra_table_fini(&t);
    return status;
}

static enum intra_status read_truth(const struct intra_evaluation *e, struct list *list, bool *is_there,
                                    struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_table t = {0};
    char path[1200];
    *is_there = intra_eval_find(e->truth_dir, "laterals.csv", path, sizeof path);
    if (!*is_there) return INTRA_OK;
    INTRA_TRY(intra_table_read(path, &t, err));
    INTRA_TRY(INTRA_ALLOC(list->laterals, (size_t)t.n_rows, err));
    for (int64_t i = 0; i < t.n_rows; i++)
        list->laterals[list->n_laterals++] = (struct lateral){.station_m = number_of(&t, i, "station_m"),
                                                              .clock_rad = M_PI / 180 * number_of(&t, i, "clock_deg"),
                                                              .diameter_m = number_of(&t, i, "diameter_m"),
                                                              .intrusion_m = number_of(&t, i, "protrusion_m"),
                                                              .match = -1};
done:
    intra_table_fini(&t);
    return status;
}

/* Share of the mouth and half a radius around it that was seen finely. */
static double seen_share(const struct intra_evaluation *e, const struct intra_tiff_info *info, const float *cells,
                         const struct lateral *l)
{
    int64_t seen = 0, all = 0;
    double reach = 0.75 * l->diameter_m, pipe = 0.5 * e->nominal_diameter_m;
    for (int64_t col = 0; col < info->cols; col++) {
        double along = info->x_left_m + ((double)col + 0.5) * info->cell_x_m - l->station_m;
        if (fabs(along) > reach) continue;
        for (int row = 0; row < info->rows; row++) {
            double turn = remainder(M_PI + 2 * M_PI * (row + 0.5) / info->rows - l->clock_rad, 2 * M_PI);
            if (fabs(turn) > M_PI / 2 || hypot(along, pipe * sin(turn)) > reach) continue;
            float grain = cells[((size_t)row * (size_t)info->cols + (size_t)col) * (size_t)info->samples];
            all++;
            seen += grain > 0 && (double)grain <= fine_enough_m;
        }
    }
    return all ? (double)seen / (double)all : 0;
}

static enum intra_status find_in_view(const struct intra_evaluation *e, struct list *truth, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_tiff *tiff = NULL;
    float *cells = NULL;
    char path[1200];
    if (!truth->n_laterals || !intra_eval_find(e->truth_dir, "resolution.tif", path, sizeof path)) return INTRA_OK;
    INTRA_TRY(intra_tiff_open(path, &tiff, err));
    const struct intra_tiff_info *info = intra_tiff_info(tiff);
    if (!info->is_float) INTRA_TRY(INTRA_FAIL(err, INTRA_E_FORMAT, "%s: want float32 cells", path));
    INTRA_TRY(INTRA_ALLOC(cells, (size_t)info->rows * (size_t)info->cols * (size_t)info->samples, err));
    INTRA_TRY(intra_tiff_read_columns(tiff, 0, (int)info->cols, cells, err));
    for (int64_t i = 0; i < truth->n_laterals; i++)
        truth->laterals[i].is_in_view = seen_share(e, info, cells, &truth->laterals[i]) >= seen_enough;
done:
    intra_free(cells);
    intra_tiff_close(&tiff);
    return status;
}

/* Nearest along the pipe first, each once. */
static void match_laterals(const struct intra_evaluation *e, struct list *truth, struct list *found)
{
    for (;;) {
        double nearest = match_m;
        struct lateral *a = NULL, *b = NULL;
        for (int64_t i = 0; i < truth->n_laterals; i++)
            for (int64_t k = 0; k < found->n_laterals && truth->laterals[i].match < 0; k++) {
                struct lateral *t = &truth->laterals[i], *f = &found->laterals[k];
                double way = fabs(f->station_m - intra_eval_station(e, t->station_m));
                double turn = remainder(f->clock_rad - e->shift_theta_rad - t->clock_rad, 2 * M_PI);
                if (f->is_matched || !(way < nearest) || fabs(turn) > match_rad) continue;
                nearest = way, a = t, b = f;
            }
        if (!a) return;
        a->match = b - found->laterals;
        b->is_matched = true;
    }
}

static double percent(int64_t part, int64_t whole)
{
    return whole > 0 ? 100.0 * (double)part / (double)whole : NAN;
}

enum { M_STATION, M_CLOCK, M_DIAMETER, M_INTRUSION, N_MEASURES };

static enum intra_status compare_laterals(struct intra_evaluation *e, const struct list *truth,
                                          const struct list *found, bool is_known, struct intra_error *err)
{
    static const char *const keys[N_MEASURES][2] = {
        {"lateral_station_local_median_mm", "lateral_station_local_worst_mm"},
        {"lateral_clock_error_median_deg", "lateral_clock_error_worst_deg"},
        {"lateral_diameter_error_median_pct", "lateral_diameter_error_worst_pct"},
        {"lateral_intrusion_error_median_mm", "lateral_intrusion_error_worst_mm"}};
    static const char *const labels[N_MEASURES][2] = {
        {"lateral, station error without drift, median", "lateral, station error without drift, worst"},
        {"lateral, clock error, median", "lateral, clock error, worst"},
        {"lateral, diameter error, median", "lateral, diameter error, worst"},
        {"lateral, intrusion error, median", "lateral, intrusion error, worst"}};
    static const char *const units[N_MEASURES] = {"mm", "deg", "%", "mm"};
    enum intra_status status = INTRA_OK;
    struct intra_figures *figures = &e->figures;
    double *value[N_MEASURES] = {0};
    int64_t n[N_MEASURES] = {0}, in_view = 0, in_view_found = 0, false_ones = 0, inside[3] = {0};
    for (int m = 0; m < N_MEASURES; m++)
        INTRA_TRY(INTRA_ALLOC(value[m], (size_t)truth->n_laterals + 1, err));
    for (int64_t i = 0; i < truth->n_laterals && is_known; i++) {
        const struct lateral *t = &truth->laterals[i];
        in_view += t->is_in_view;
        if (t->match < 0) continue;
        const struct lateral *f = &found->laterals[t->match];
        double error[N_MEASURES] = {f->station_m - intra_eval_station(e, t->station_m),
                                    remainder(f->clock_rad - e->shift_theta_rad - t->clock_rad, 2 * M_PI),
                                    f->diameter_m - t->diameter_m, f->intrusion_m - t->intrusion_m};
        double scale[N_MEASURES] = {1e3, 180 / M_PI, 100 / t->diameter_m, 1e3};
        in_view_found += t->is_in_view;
        inside[0] += fabs(error[M_STATION]) <= 1.96 * f->station_sd_m;
        inside[1] += fabs(error[M_CLOCK]) <= 1.96 * f->clock_sd_rad;
        inside[2] += fabs(error[M_DIAMETER]) <= 1.96 * f->diameter_sd_m;
        for (int m = 0; m < N_MEASURES; m++)
            if (isfinite(error[m])) value[m][n[m]++] = fabs(error[m]) * scale[m];
    }
    for (int64_t k = 0; k < found->n_laterals; k++)
        false_ones += !found->laterals[k].is_matched;
    intra_figures_heading(figures, "Laterals");
    intra_figures_add(figures, "laterals_in_view", "laterals in view", is_known ? (double)in_view : NAN, "laterals",
                      -1);
    intra_figures_add(figures, "laterals_found_pct", "of these found", percent(in_view_found, in_view), "%", in_view);
    intra_figures_add(figures, "laterals_false", "found where there is none", is_known ? (double)false_ones : NAN,
                      "laterals", found->n_laterals);
    for (int m = 0; m < N_MEASURES; m++)
        for (int k = 0; k < 2; k++)
            intra_figures_add(figures, keys[m][k], labels[m][k], intra_stats_percentile(value[m], n[m], k ? 1 : 0.5),
                              units[m], n[m]);
    intra_figures_add(figures, "lateral_station_within_sd_pct", "lateral, station within its 95 % interval",
                      percent(inside[0], n[M_STATION]), "%", n[M_STATION]);
    intra_figures_add(figures, "lateral_clock_within_sd_pct", "lateral, clock within its 95 % interval",
                      percent(inside[1], n[M_CLOCK]), "%", n[M_CLOCK]);
    intra_figures_add(figures, "lateral_diameter_within_sd_pct", "lateral, diameter within its 95 % interval",
                      percent(inside[2], n[M_DIAMETER]), "%", n[M_DIAMETER]);
done:
    for (int m = 0; m < N_MEASURES; m++)
        intra_free(value[m]);
    return status;
}

/* Stretches of the truth's centreline where its direction changes from one point to the next by more than a straight
 * one's, in stations of the result; of at least least_bend_deg. */
static enum intra_status bends_of_truth(const struct intra_evaluation *e, struct list *truth, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_eval_axis *axis = &e->truth_axis;
    double first = INFINITY, last = -INFINITY, turn = 0;
    int64_t from = -1;
    INTRA_TRY(INTRA_ALLOC(truth->bends, (size_t)axis->n / 2 + 1, err));
    for (int i = 0; i < e->n_segments; i++) {
        first = fmin(first, e->segments[i].station_min_m);
        last = fmax(last, e->segments[i].station_max_m);
    }
    for (int64_t i = 1; i < axis->n; i++) {
        struct intra_vec3 a = axis->tangent[i - 1], b = axis->tangent[i];
        double step = atan2(intra_norm(intra_cross(a, b)), intra_dot(a, b));
        double per_m = step / fmax(axis->station_m[i] - axis->station_m[i - 1], 1e-6);
        bool is_turning = per_m > 0.01; /* a radius of 100 m */
        if (is_turning) {
            if (from < 0) from = i - 1, turn = 0;
            turn += step;
        }
        if (from < 0 || (is_turning && i + 1 < axis->n)) continue;
        double begin = intra_eval_station(e, axis->station_m[from]),
               end = intra_eval_station(e, axis->station_m[i - 1]);
        if (180 / M_PI * turn >= least_bend_deg && end > first && begin < last && end - begin > 0.05)
            truth->bends[truth->n_bends++] =
                (struct bend){begin, end, 180 / M_PI * turn, false, begin >= first && end <= last};
        from = -1;
    }
done:
    return status;
}

static void compare_bends(struct intra_evaluation *e, struct list *truth, struct list *found, bool is_known)
{
    struct intra_figures *figures = &e->figures;
    int64_t hit = 0, false_ones = 0, whole = 0, ends = 0;
    double angle = NAN, station = NAN;
    for (int64_t i = 0; i < truth->n_bends; i++) {
        struct bend *t = &truth->bends[i], *best = NULL;
        double nearest = bend_match_m;
        for (int64_t k = 0; k < found->n_bends; k++) {
            struct bend *f = &found->bends[k];
            double way = fabs(f->from_m - t->from_m);
            if (!f->is_matched && way < nearest) nearest = way, best = f;
        }
        if (!best) continue;
        best->is_matched = true;
        hit++;
        station = fmax(isnan(station) ? 0 : station, fabs(best->from_m - t->from_m)), ends++;
        if (!t->is_whole) continue; /* how much of it the camera saw is another matter */
        angle = fmax(isnan(angle) ? 0 : angle, fabs(best->angle_deg - t->angle_deg)), whole++;
        station = fmax(station, fabs(best->to_m - t->to_m)), ends++;
    }
    for (int64_t k = 0; k < found->n_bends; k++)
        false_ones += !found->bends[k].is_matched;
    intra_figures_heading(figures, "Bends");
    intra_figures_add(figures, "bends_found_pct", "bends found", is_known ? percent(hit, truth->n_bends) : NAN, "%",
                      truth->n_bends);
    intra_figures_add(figures, "bends_false", "found where there is none", is_known ? (double)false_ones : NAN, "bends",
                      found->n_bends);
    intra_figures_add(figures, "bend_angle_error_worst_deg", "bend, angle error, worst", angle, "deg", whole);
    intra_figures_add(figures, "bend_station_error_worst_mm", "bend, error of its ends, worst", 1e3 * station, "mm",
                      ends);
}

static enum intra_status compare_water(struct intra_evaluation *e, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_table t = {0};
    struct intra_figures *figures = &e->figures;
    char path[1200];
    double *error = NULL;
    int64_t n = 0, wet = 0, given = 0, given_dry = 0;
    bool is_known = intra_eval_find(e->truth_dir, "water.csv", path, sizeof path);
    if (is_known) INTRA_TRY(intra_table_read(path, &t, err));
    INTRA_TRY(INTRA_ALLOC(error, (size_t)e->profile.n_rows + 1, err));
    for (int64_t i = 0; i < e->profile.n_rows && is_known; i++) {
        double station = number_of(&e->profile, i, "station_m"), level = number_of(&e->profile, i, "water_level_pct");
        double truth = 0;
        if (!isfinite(number_of(&e->profile, i, "diameter_mean_mm"))) continue;
        for (int64_t k = 0; k < t.n_rows; k++)
            if (station >= intra_eval_station(e, number_of(&t, k, "station_from_m")) &&
                station <= intra_eval_station(e, number_of(&t, k, "station_to_m")))
                truth = fmax(truth, number_of(&t, k, "level_pct"));
        wet += truth > 0;
        if (!isfinite(level)) continue;
        given++;
        if (truth > 0)
            error[n++] = fabs(level - truth);
        else
            given_dry++;
    }
    intra_figures_heading(figures, "Water level");
    intra_figures_add(figures, "water_given_pct", "sections with water whose level is given", percent(n, wet), "%",
                      wet);
    intra_figures_add(figures, "water_false", "sections without water that are given one",
                      is_known ? (double)given_dry : NAN, "sections", given);
    intra_figures_add(figures, "water_level_error_median_pct", "water level, error, median",
                      intra_stats_percentile(error, n, 0.5), "% of the diameter", n);
    intra_figures_add(figures, "water_level_error_worst_pct", "water level, error, worst",
                      intra_stats_percentile(error, n, 1), "% of the diameter", n);
done:
    intra_table_fini(&t);
    intra_free(error);
    return status;
}

enum intra_status intra_evaluate_features(struct intra_evaluation *e, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct list truth = {0}, found = {0};
    bool has_truth = false, has_found = false;
    INTRA_TRY(read_truth(e, &truth, &has_truth, err));
    INTRA_TRY(read_found(e, &found, &has_found, err));
    INTRA_TRY(find_in_view(e, &truth, err));
    if (has_truth && has_found) match_laterals(e, &truth, &found);
    INTRA_TRY(compare_laterals(e, &truth, &found, has_truth && has_found, err));
    INTRA_TRY(bends_of_truth(e, &truth, err));
    compare_bends(e, &truth, &found, has_found);
    INTRA_TRY(compare_water(e, err));
done:
    intra_free(truth.laterals);
    intra_free(truth.bends);
    intra_free(found.laterals);
    intra_free(found.bends);
    return status;
}
