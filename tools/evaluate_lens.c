/* The lens that was used, the diameter that was measured, the counter's readings; and what is wrong without a word.
 * Lens and measured diameter stand in project.sqlite, the truth's lens in truth.json; without them the figures are NaN.
 */
#include "tools/evaluate.h"

#include "core/camera_convert.h"
#include "core/fileio.h"
#include "core/mem.h"
#include "core/store.h"
#include "tools/stats.h"
#include "tools/truth_json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNTER_STEP_S 0.2 /* one reading in each such stretch of time is wanted */
#define SILENT_SDS 4.0

struct known { /* of the result */
    struct intra_camera camera;
    bool has_camera, has_warning;
    double diameter_m, diameter_sd_m;
};

static enum intra_status read_meta(struct intra_store *store, const char *key, double *out, struct intra_error *err)
{
    char *text = NULL;
    enum intra_status status = intra_store_read_meta(store, key, &text, err);
    *out = text ? strtod(text, NULL) : NAN;
    intra_free(text);
    return status;
}

static enum intra_status read_store(const struct intra_evaluation *e, struct known *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_store *store = NULL;
    struct intra_scene scene;
    char path[1100], **warnings = NULL;
    int n_warnings = 0;
    *out = (struct known){.diameter_m = NAN, .diameter_sd_m = NAN};
    if (!intra_eval_find(e->out_dir, "project.sqlite", path, sizeof path)) return INTRA_OK;
    intra_scene_init(&scene);
    INTRA_TRY(intra_store_open(path, &store, err));
    INTRA_TRY(intra_store_read_scene(store, &scene, err));
    INTRA_TRY(intra_store_read_warnings(store, &warnings, &n_warnings, err));
    INTRA_TRY(read_meta(store, "measured_diameter_m", &out->diameter_m, err));
    INTRA_TRY(read_meta(store, "measured_diameter_sd_m", &out->diameter_sd_m, err));
    out->camera = scene.camera;
    out->has_camera = true;
    out->has_warning = n_warnings > 0;
done:
    intra_store_free_texts(&warnings, n_warnings);
    intra_store_close(&store);
    intra_scene_fini(&scene);
    return status;
}

static double off_pct(const struct intra_camera *ours, const struct intra_camera *truth, double share)
{
    double radius = share * 0.5 * hypot(truth->width, truth->height);
    return 100 * (intra_camera_angle_rad(ours, radius) / intra_camera_angle_rad(truth, radius) - 1);
}

static bool is_silent(double error, double sd)
{
    return isfinite(error) && isfinite(sd) && fabs(error) > SILENT_SDS * sd;
}

/* How many of the run's quantities are beyond four of their deviations where nothing warns; NaN: none can be judged. */
static double count_silent(const struct intra_evaluation *e, const struct known *k, double focal_error)
{
    const struct intra_eval_frame *first = NULL, *last = NULL;
    int silent = 0;
    bool is_roll_silent = false;
    for (int64_t i = 0; i < e->n_frames; i++) {
        const struct intra_eval_frame *f = &e->frames[i];
        if (!f->is_posed || !f->has_truth_pose || !isfinite(f->truth_station_m)) continue;
        if (!first) first = f;
        if (isfinite(f->station_sd_m)) last = f;
        is_roll_silent = is_roll_silent || is_silent(f->roll_error_rad, f->roll_sd_rad);
    }
    if (!k->has_camera || !first) return NAN;
    if (k->has_warning) return 0;
    if (last)
        silent += is_silent((last->station_m - first->station_m) - (last->truth_station_m - first->truth_station_m),
                            last->station_sd_m);
    silent += is_silent(focal_error, k->camera.focal_sd_rel);
    silent += is_silent(k->diameter_m - e->nominal_diameter_m, k->diameter_sd_m);
    return silent + is_roll_silent;
}

/* The last number in a text as printed, in metres; NaN: none. */
static double printed_m(const char *text)
{
    double value = NAN;
    for (const char *p = text; *p;) {
        if (*p < '0' || *p > '9') {
            p++;
            continue;
        }
        char *end;
        double sign = p > text && p[-1] == '-' ? -1 : 1;
        value = sign * strtod(p, &end);
        p = end;
    }
    return strstr(text, "ft") ? 0.3048 * value : value;
}

static enum intra_status evaluate_counter(struct intra_evaluation *e, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_table truth = {0}, ours = {0};
    char path[1100];
    int64_t given = 0, right = 0, due = 0, n_given = 0;
    double *printed = NULL, next = -INFINITY;
    bool *is_read = NULL, is_due = false, has = false;
    INTRA_TRY(INTRA_ALLOC(printed, (size_t)e->n_frames, err));
    INTRA_TRY(INTRA_ALLOC(is_read, (size_t)e->n_frames, err));
    INTRA_TRY(intra_path_join(path, sizeof path, e->truth_dir, "frames.csv", err));
    INTRA_TRY(intra_table_read(path, &truth, err));
    INTRA_TRY(intra_path_join(path, sizeof path, e->out_dir, "frames.csv", err));
    INTRA_TRY(intra_table_read(path, &ours, err));
    int text = intra_table_find(&truth, "counter_text"), index = intra_table_find(&ours, "index"),
        counter = intra_table_find(&ours, "counter_m");
    for (int64_t i = 0; i < e->n_frames; i++)
        printed[i] = printed_m(intra_table_text(&truth, i, text));
    for (int64_t row = 0; row < ours.n_rows; row++) {
        double at = intra_table_number(&ours, row, index), value = intra_table_number(&ours, row, counter);
        if (!(at >= 0 && at < (double)e->n_frames) || isnan(value)) continue;
        int64_t i = (int64_t)at;
        if (isnan(printed[i])) continue;
        is_read[i] = true;
        given++;
        right += fabs(value - printed[i]) < 6e-4; /* three decimals of metres, whatever was printed */
    }
    for (int64_t i = 0; i < e->n_frames; i++) {
        if (e->frames[i].t_s >= next) {
            due += is_due;
            n_given += is_due && has;
            next = e->frames[i].t_s + COUNTER_STEP_S - 1e-6;
            is_due = has = false;
        }
        is_due = is_due || isfinite(printed[i]);
        has = has || is_read[i];
    }
    due += is_due;
    n_given += is_due && has;
    intra_figures_add(&e->figures, "counter_given_pct", "fifths of a second with a counter, those with a reading",
                      due ? 100.0 * (double)n_given / (double)due : NAN, "%", due);
    intra_figures_add(&e->figures, "counter_right_pct", "readings that are the number as printed",
                      given ? 100.0 * (double)right / (double)given : NAN, "%", given);
done:
    intra_free(printed);
    intra_free(is_read);
    intra_table_fini(&truth);
    intra_table_fini(&ours);
    return status;
}

enum intra_status intra_evaluate_lens(struct intra_evaluation *e, struct intra_error *err)
{
    static const struct {
        const char *key, *label;
        double share;
    } places[] = {
        {"angle_error_25_pct", "angle seen at 25 % of the half diagonal", 0.25},
        {"angle_error_50_pct", "angle seen at 50 %", 0.5},
        {"angle_error_75_pct", "angle seen at 75 %", 0.75},
        {"angle_error_100_pct", "angle seen in the corner", 1},
    };
    enum intra_status status = INTRA_OK;
    struct known k;
    struct intra_camera truth;
    char path[1100];
    bool has_truth;
    INTRA_TRY(read_store(e, &k, err));
    INTRA_TRY(intra_path_join(path, sizeof path, e->truth_dir, "truth.json", err));
    INTRA_TRY(intra_truth_json_read_lens(path, &truth, &has_truth, err));
    bool can = k.has_camera && has_truth && truth.width == k.camera.width && truth.height == k.camera.height;
    double focal = can ? k.camera.fx / truth.fx - 1 : NAN, sd = k.has_camera ? k.camera.focal_sd_rel : NAN;
    intra_figures_heading(&e->figures, "Lens, measured diameter, counter");
    intra_figures_add(&e->figures, "focal_error_pct", "focal length, signed", 100 * focal, "%", -1);
    intra_figures_add(&e->figures, "focal_error_sds", "the same in its stated deviations", focal / sd, "sd", -1);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        intra_figures_add(&e->figures, places[i].key, places[i].label,
                          can ? off_pct(&k.camera, &truth, places[i].share) : NAN, "%", -1);
    intra_figures_add(&e->figures, "lens_centre_error_px", "centre of the lens",
                      can ? hypot(k.camera.cx - truth.cx, k.camera.cy - truth.cy) : NAN, "px", -1);
    double diameter = k.diameter_m - e->nominal_diameter_m;
    intra_figures_add(&e->figures, "measured_diameter_error_pct", "diameter by lens and counter, signed",
                      100 * diameter / e->nominal_diameter_m, "%", -1);
    intra_figures_add(&e->figures, "measured_diameter_error_sds", "the same in its stated deviations",
                      diameter / k.diameter_sd_m, "sd", -1);
    INTRA_TRY(evaluate_counter(e, err));
    intra_figures_add(&e->figures, "silent_failures",
                      "way, focal length, diameter, roll beyond four deviations without any warning",
                      count_silent(e, &k, focal), "", -1);
done:
    return status;
}
