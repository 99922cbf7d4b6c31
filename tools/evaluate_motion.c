/* The camera's way: distance along the pipe, trajectory, relative errors, roll; and the one shift in station and clock
 * angle that everything else is compared under. */
#include "tools/evaluate.h"

#include "core/mem.h"
#include "tools/stats.h"

#include <math.h>
#include <string.h>

static const double min_segment_m = 0.5;    /* shorter ones say nothing about distance */
static const double relative_step_m = 1.0;  /* relative error over this much travel */
static const double relative_start_m = 0.1; /* a new start each */

static bool is_usable(const struct intra_eval_frame *f)
{
    return f->is_posed && f->has_truth_pose && isfinite(f->truth_station_m);
}

/* Direction of the axis at a station: the nearest of a list sorted by station. */
static bool tangent_at(const struct intra_eval_axis *axis, double station_m, struct intra_vec3 *out)
{
    int64_t low = 0, high = axis->n;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (axis->station_m[middle] < station_m)
            low = middle + 1;
        else
            high = middle;
    }
    if (low > 0 && (low == axis->n || station_m - axis->station_m[low - 1] < axis->station_m[low] - station_m)) low--;
    if (low >= axis->n) return false;
    *out = axis->tangent[low];
    return true;
}

/* Clock angle to which the top of the picture points: 0 at the crown, clockwise looking along +s. */
static double roll_of(const struct intra_pose *world_from_cam, struct intra_vec3 tangent)
{
    struct intra_vec3 z = intra_vec3(0, 0, 1);
    struct intra_vec3 crown = intra_unit(intra_mad(z, -intra_dot(z, tangent), tangent));
    struct intra_vec3 right = intra_cross(tangent, crown);
    struct intra_vec3 top =
        intra_vec3(-world_from_cam->r.m[0][1], -world_from_cam->r.m[1][1], -world_from_cam->r.m[2][1]);
    return atan2(intra_dot(top, right), intra_dot(top, crown));
}

/* Median difference of roll, ours - truth, and how it runs along the pipe. */
static enum intra_status evaluate_roll(struct intra_evaluation *e, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    double *diff = NULL, *station = NULL, *sorted = NULL, *sd = NULL;
    double sx = 0, sy = 0, sxx = 0, sxy = 0, slope = NAN, sum_sin = 0, sum_cos = 0, centre, worst = NAN;
    int64_t n = 0, n_stated = 0, inside = 0;
    int *segment = NULL;
    INTRA_TRY(INTRA_ALLOC(segment, (size_t)e->n_frames, err));
    INTRA_TRY(INTRA_ALLOC(diff, (size_t)e->n_frames, err));
    INTRA_TRY(INTRA_ALLOC(station, (size_t)e->n_frames, err));
    INTRA_TRY(INTRA_ALLOC(sorted, (size_t)e->n_frames, err));
    INTRA_TRY(INTRA_ALLOC(sd, (size_t)e->n_frames, err));
    for (int64_t i = 0; i < e->n_frames; i++) {
        struct intra_eval_frame *f = &e->frames[i];
        struct intra_vec3 ours, truth;
        if (!is_usable(f) || !tangent_at(&e->axis, f->station_m, &ours) ||
            !tangent_at(&e->truth_axis, f->truth_station_m, &truth))
            continue;
        diff[n] = intra_wrap_pi(roll_of(&f->pose, ours) - roll_of(&f->truth_pose, truth));
        f->roll_error_rad = diff[n];
        n_stated += isfinite(f->roll_sd_rad);
        inside += fabs(diff[n]) <= 1.96 * f->roll_sd_rad;
        sd[n] = f->roll_sd_rad;
        sum_sin += sin(diff[n]);
        sum_cos += cos(diff[n]);
        segment[n] = f->segment;
        station[n++] = f->truth_station_m;
    }
    centre = atan2(sum_sin, sum_cos); /* so that the median does not meet the seam at pi */
    for (int64_t i = 0; i < n; i++)
        sorted[i] = diff[i] = intra_wrap_pi(diff[i] - centre);
    e->shift_theta_rad = n ? intra_wrap_pi(centre + intra_stats_median(sorted, n)) : 0;
    for (int64_t i = 0; i < n; i++) {
        double d = intra_wrap_pi(diff[i] + centre - e->shift_theta_rad) * 180 / M_PI;
        INTRA_TRY(intra_eval_note(e, EVAL_PLOT_ROLL,
                                  (struct intra_eval_point){station[i], 180 / M_PI * intra_wrap_pi(diff[i] + centre),
                                                            180 / M_PI * sd[i], segment[i]},
                                  err));
        sorted[i] = fabs(d);
        sx += station[i];
        sy += d;
        sxx += station[i] * station[i];
        sxy += station[i] * d;
    }
    if (n > 1 && sxx * (double)n - sx * sx > 1e-9 * (double)n)
        slope = (sxy * (double)n - sx * sy) / (sxx * (double)n - sx * sx);
    worst = intra_stats_percentile(sorted, n, 0.95);
    intra_figures_add(&e->figures, "roll_drift_deg_per_m", "roll drift (slope along the pipe)", slope, "deg/m", n);
    intra_figures_add(&e->figures, "roll_drift_10m_deg", "the same over 10 m, unsigned", fabs(10 * slope), "deg", n);
    intra_figures_add(&e->figures, "roll_error_gravity_deg", "roll error against gravity, median, signed",
                      n ? 180 / M_PI * e->shift_theta_rad : NAN, "deg", n);
    intra_figures_add(&e->figures, "roll_within_sd_pct", "roll within its 95 % interval",
                      n_stated ? 100.0 * (double)inside / (double)n_stated : NAN, "%", n_stated);
    intra_figures_add(&e->figures, "roll_error_p95_deg", "roll error after one shift, 95th percentile", worst, "deg",
                      n);
done:
    intra_free(segment);
    intra_free(diff);
    intra_free(station);
    intra_free(sorted);
    intra_free(sd);
    return status;
}

/* Signed error of the distance covered, of one segment: between the frames at its truth's two ends. */
static bool segment_lengths(const struct intra_evaluation *e, int segment, double *ours_m, double *truth_m)
{
    const struct intra_eval_frame *low = NULL, *high = NULL;
    for (int64_t i = 0; i < e->n_frames; i++) {
        const struct intra_eval_frame *f = &e->frames[i];
        if (!is_usable(f) || f->segment != segment) continue;
        if (!low || f->truth_station_m < low->truth_station_m) low = f;
        if (!high || f->truth_station_m > high->truth_station_m) high = f;
    }
    if (!low) return false;
    *ours_m = high->station_m - low->station_m;
    *truth_m = high->truth_station_m - low->truth_station_m;
    return true;
}

static enum intra_status evaluate_distance(struct intra_evaluation *e, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    double sum_ours = 0, sum_truth = 0, worst = NAN, worst_station = NAN, *diff = NULL;
    int64_t n = 0, n_long = 0;
    INTRA_TRY(INTRA_ALLOC(diff, (size_t)e->n_frames, err));
    for (int s = 0; s < e->n_segments; s++) {
        double ours, truth;
        if (!segment_lengths(e, s, &ours, &truth) || truth < min_segment_m) continue;
        n_long++;
        sum_ours += ours;
        sum_truth += truth;
        if (!(fabs(ours / truth - 1) <= worst)) worst = fabs(ours / truth - 1);
    }
    for (int64_t i = 0; i < e->n_frames; i++)
        if (is_usable(&e->frames[i])) diff[n++] = e->frames[i].station_m - e->frames[i].truth_station_m;
    e->shift_s_m = n ? intra_stats_median(diff, n) : 0;
    for (int64_t i = 0; i < n; i++)
        if (!(fabs(diff[i] - e->shift_s_m) <= worst_station)) worst_station = fabs(diff[i] - e->shift_s_m);
    intra_figures_add(&e->figures, "segments", "connected stretches", (double)e->n_segments, "segments", -1);
    intra_figures_add(&e->figures, "distance_error_pct", "distance along the pipe, all segments >= 0.5 m, signed",
                      sum_truth > 0 ? 100 * (sum_ours / sum_truth - 1) : NAN, "%", n_long);
    intra_figures_add(&e->figures, "distance_error_worst_pct", "distance along the pipe, worst segment", 100 * worst,
                      "%", n_long);
    intra_figures_add(&e->figures, "distance_m", "distance compared", sum_truth, "m", n_long);
    intra_figures_add(&e->figures, "station_error_max_mm", "station, largest error after one shift",
                      1e3 * worst_station, "mm", n);
    intra_figures_add(&e->figures, "station_shift_mm", "station shift (ours - truth)", n ? 1e3 * e->shift_s_m : NAN,
                      "mm", n);
done:
    intra_free(diff);
    return status;
}

static double aligned_rmse(const struct intra_vec3 *ours, const struct intra_vec3 *truth, int64_t n, bool is_scaled,
                           double *out_scale)
{
    struct intra_similarity a;
    double sum = 0;
    if (n < 3) return NAN;
    a = intra_eval_align(ours, truth, n, is_scaled);
    for (int64_t i = 0; i < n; i++) {
        struct intra_vec3 p = intra_add(intra_scale(intra_mat3_mul_vec(&a.r, ours[i]), a.scale), a.t),
                          d = intra_sub(p, truth[i]);
        sum += intra_dot(d, d);
    }
    if (out_scale) *out_scale = a.scale;
    return sqrt(sum / (double)n);
}

/* What is left across the pipe after the stretch was aligned: to the right, and upwards. */
static enum intra_status note_sideways(struct intra_evaluation *e, int segment, const struct intra_vec3 *ours,
                                       const struct intra_vec3 *truth, int64_t n, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_similarity a;
    if (n < 3) return INTRA_OK;
    a = intra_eval_align(ours, truth, n, false);
    for (int64_t i = 0, k = 0; i < e->n_frames && k < n; i++) {
        const struct intra_eval_frame *f = &e->frames[i];
        struct intra_vec3 along, right, up, d;
        if (!is_usable(f) || f->segment != segment) continue;
        d = intra_sub(intra_add(intra_mat3_mul_vec(&a.r, ours[k]), a.t), truth[k]);
        k++;
        if (!tangent_at(&e->truth_axis, f->truth_station_m, &along)) continue;
        right = intra_unit(intra_cross(along, intra_vec3(0, 0, 1)));
        up = intra_cross(right, along);
        INTRA_TRY(intra_eval_note(e, EVAL_PLOT_RIGHT, (struct intra_eval_point){f->truth_station_m, 1e3 * intra_dot(d, right), NAN, segment}, err));
        INTRA_TRY(intra_eval_note(e, EVAL_PLOT_UP, (struct intra_eval_point){f->truth_station_m, 1e3 * intra_dot(d, up), NAN, segment}, err));
    }
done:
    return status;
}

static enum intra_status evaluate_ate(struct intra_evaluation *e, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_vec3 *ours = NULL, *truth = NULL;
    double scale = NAN, rigid, similar, square = 0;
    int64_t n = 0, n_pooled = 0;
    INTRA_TRY(INTRA_ALLOC(ours, (size_t)e->n_frames, err));
    INTRA_TRY(INTRA_ALLOC(truth, (size_t)e->n_frames, err));
    for (int s = 0; s < e->n_segments; s++) {
        int64_t first = n;
        double rmse;
        for (int64_t i = 0; i < e->n_frames; i++) {
            const struct intra_eval_frame *f = &e->frames[i];
            if (!is_usable(f) || f->segment != s) continue;
            ours[n] = f->pose.t;
            truth[n++] = f->truth_pose.t;
        }
        rmse = aligned_rmse(ours + first, truth + first, n - first, false, NULL);
        INTRA_TRY(note_sideways(e, s, ours + first, truth + first, n - first, err));
        if (isnan(rmse)) continue;
        square += rmse * rmse * (double)(n - first);
        n_pooled += n - first;
    }
    rigid = aligned_rmse(ours, truth, n, false, NULL);
    similar = aligned_rmse(ours, truth, n, true, &scale);
    intra_figures_add(&e->figures, "ate_rmse_mm", "trajectory RMSE, one rigid alignment", 1e3 * rigid, "mm", n);
    intra_figures_add(&e->figures, "ate_segments_rmse_mm", "trajectory RMSE, rigid alignment per segment",
                      n_pooled ? 1e3 * sqrt(square / (double)n_pooled) : NAN, "mm", n_pooled);
    intra_figures_add(&e->figures, "ate_scaled_rmse_mm", "trajectory RMSE, alignment with scale", 1e3 * similar, "mm",
                      n);
    intra_figures_add(&e->figures, "ate_scale", "scale found (truth = scale x ours)", scale, "", n);
done:
    intra_free(ours);
    intra_free(truth);
    return status;
}

/* Error of the motion from frame i to frame j, as a share of the way, and as an angle per metre. */
static void relative_error(const struct intra_eval_frame *a, const struct intra_eval_frame *b, double *out_pct,
                           double *out_deg_per_m)
{
    struct intra_pose ia = intra_pose_inverse(&a->pose), it = intra_pose_inverse(&a->truth_pose);
    struct intra_pose ours = intra_pose_mul(&ia, &b->pose), truth = intra_pose_mul(&it, &b->truth_pose);
    struct intra_pose back = intra_pose_inverse(&truth), error = intra_pose_mul(&back, &ours);
    double way = b->truth_path_m - a->truth_path_m;
    *out_pct = 100 * intra_norm(error.t) / way;
    *out_deg_per_m = intra_norm(intra_rotation_log(&error.r)) * 180 / M_PI / way;
}

static enum intra_status evaluate_relative(struct intra_evaluation *e, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    double *shift = NULL, *turn = NULL, next_m = -INFINITY;
    int64_t n = 0, j = 0;
    INTRA_TRY(INTRA_ALLOC(shift, (size_t)e->n_frames, err));
    INTRA_TRY(INTRA_ALLOC(turn, (size_t)e->n_frames, err));
    for (int64_t i = 0; i < e->n_frames; i++) {
        const struct intra_eval_frame *f = &e->frames[i];
        if (!is_usable(f) || f->truth_path_m < next_m) continue;
        if (j < i) j = i;
        while (j < e->n_frames &&
               (!is_usable(&e->frames[j]) || e->frames[j].truth_path_m - f->truth_path_m < relative_step_m))
            j++;
        if (j == e->n_frames) break;
        if (e->frames[j].segment != f->segment) continue;
        relative_error(f, &e->frames[j], &shift[n], &turn[n]);
        n++;
        next_m = f->truth_path_m + relative_start_m;
    }
    intra_figures_add(&e->figures, "relative_translation_error_pct", "relative translation error over 1 m, median",
                      intra_stats_median(shift, n), "%", n);
    intra_figures_add(&e->figures, "relative_translation_p90_pct",
                      "relative translation error over 1 m, 90th percentile", intra_stats_percentile(shift, n, 0.9),
                      "%", n);
    intra_figures_add(&e->figures, "relative_rotation_median_deg_per_m", "relative rotation error, median",
                      intra_stats_median(turn, n), "deg/m", n);
done:
    intra_free(shift);
    intra_free(turn);
    return status;
}

static enum intra_status fill_segments(struct intra_evaluation *e, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    double *diff = NULL;
    INTRA_TRY(INTRA_ALLOC(e->segments, (size_t)e->n_segments, err));
    INTRA_TRY(INTRA_ALLOC(diff, (size_t)e->n_frames, err));
    for (int s = 0; s < e->n_segments; s++) {
        struct intra_eval_segment *segment = &e->segments[s];
        int64_t n = 0;
        segment->station_min_m = INFINITY;
        segment->station_max_m = -INFINITY;
        for (int64_t i = 0; i < e->n_frames; i++) {
            const struct intra_eval_frame *f = &e->frames[i];
            if (!is_usable(f) || f->segment != s) continue;
            diff[n++] = f->station_m - f->truth_station_m;
            segment->station_min_m = fmin(segment->station_min_m, f->station_m);
            segment->station_max_m = fmax(segment->station_max_m, f->station_m);
        }
        segment->shift_s_m = intra_stats_median(diff, n);
    }
done:
    intra_free(diff);
    return status;
}

int intra_eval_segment_at(const struct intra_evaluation *e, double station_m)
{
    double nearest = INFINITY;
    int found = -1;
    for (int s = 0; s < e->n_segments; s++) {
        const struct intra_eval_segment *segment = &e->segments[s];
        double away = fmax(0, fmax(segment->station_min_m - station_m, station_m - segment->station_max_m));
        if (isnan(segment->shift_s_m) || away > nearest) continue;
        /* Wall is seen from behind: between two stretches it belongs to the one before, inside two to the later one. */
        if (away == nearest && away > 0) continue;
        nearest = away;
        found = s;
    }
    return found;
}

/* Median of ours - truth in bins along the truth, holes filled from their neighbours. */
static enum intra_status fill_drift(struct intra_evaluation *e, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    double low = INFINITY, high = -INFINITY, *values = NULL;
    int64_t *bin = NULL;
    for (int64_t i = 0; i < e->n_frames; i++) {
        if (!is_usable(&e->frames[i])) continue;
        low = fmin(low, e->frames[i].truth_station_m);
        high = fmax(high, e->frames[i].truth_station_m);
    }
    if (!(low <= high)) return INTRA_OK;
    e->drift_from_m = low;
    e->n_drift = (int64_t)((high - low) / EVAL_DRIFT_STEP_M) + 1;
    INTRA_TRY(INTRA_ALLOC(e->drift_m, (size_t)e->n_drift, err));
    INTRA_TRY(INTRA_ALLOC(values, (size_t)e->n_frames, err));
    INTRA_TRY(INTRA_ALLOC(bin, (size_t)e->n_frames, err));
    for (int64_t i = 0; i < e->n_frames; i++)
        bin[i] = is_usable(&e->frames[i]) ? (int64_t)((e->frames[i].truth_station_m - low) / EVAL_DRIFT_STEP_M) : -1;
    for (int64_t b = 0; b < e->n_drift; b++) {
        int64_t n = 0;
        for (int64_t i = 0; i < e->n_frames; i++)
            if (bin[i] == b) values[n++] = e->frames[i].station_m - e->frames[i].truth_station_m;
        e->drift_m[b] = intra_stats_median(values, n);
    }
    for (int64_t b = 1; b < e->n_drift; b++)
        if (isnan(e->drift_m[b])) e->drift_m[b] = e->drift_m[b - 1];
    for (int64_t b = e->n_drift - 2; b >= 0; b--)
        if (isnan(e->drift_m[b])) e->drift_m[b] = e->drift_m[b + 1];
done:
    intra_free(values);
    intra_free(bin);
    return status;
}

double intra_eval_station(const struct intra_evaluation *e, double truth_station_m)
{
    double at = (truth_station_m - e->drift_from_m) / EVAL_DRIFT_STEP_M - 0.5, k;
    int64_t i;
    if (e->n_drift < 1) return truth_station_m + e->shift_s_m;
    if (at <= 0) return truth_station_m + e->drift_m[0];
    if (at >= (double)(e->n_drift - 1)) return truth_station_m + e->drift_m[e->n_drift - 1];
    i = (int64_t)at;
    k = at - (double)i;
    return truth_station_m + (1 - k) * e->drift_m[i] + k * e->drift_m[i + 1];
}

/* Share of frames whose station lies within 1.96 of its own deviations, and how many of them it is off at the farthest
 * frame: frames of one run err alike, so over many runs that figure tells how honest deviations are. The first posed frame defines the zero; a
 * station that a gap has made wrong counts, unless it says that its deviation is not known. */
static enum intra_status evaluate_station_sd(struct intra_evaluation *e, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    int64_t inside = 0, n = 0;
    double origin = NAN, far_m = -INFINITY, far_sds = NAN;
    for (int64_t i = 0; i < e->n_frames; i++) {
        const struct intra_eval_frame *f = &e->frames[i];
        if (!is_usable(f)) continue;
        if (isnan(origin)) {
            origin = f->station_m - f->truth_station_m;
            continue;
        }
        INTRA_TRY(intra_eval_note(e, EVAL_PLOT_STATION,
                                  (struct intra_eval_point){f->truth_station_m, 1e3 * (f->station_m - f->truth_station_m - origin),
                                                            1e3 * f->station_sd_m, f->segment}, err));
        if (!isfinite(f->station_sd_m)) continue;
        n++;
        inside += fabs(f->station_m - f->truth_station_m - origin) <= 1.96 * f->station_sd_m;
        if (f->truth_station_m <= far_m || !(f->station_sd_m > 0)) continue;
        far_m = f->truth_station_m;
        far_sds = (f->station_m - f->truth_station_m - origin) / f->station_sd_m;
    }
    intra_figures_add(&e->figures, "station_within_sd_pct", "station within its 95 % interval",
                      n ? 100.0 * (double)inside / (double)n : NAN, "%", n);
    intra_figures_add(&e->figures, "station_error_sds", "station at the farthest frame, in its stated deviations", far_sds,
                      "sd", -1);
done:
    return status;
}

enum intra_status intra_evaluate_motion(struct intra_evaluation *e, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    intra_figures_heading(&e->figures, "Motion");
    INTRA_TRY(evaluate_distance(e, err));
    INTRA_TRY(fill_segments(e, err));
    INTRA_TRY(fill_drift(e, err));
    INTRA_TRY(evaluate_ate(e, err));
    INTRA_TRY(evaluate_relative(e, err));
    INTRA_TRY(evaluate_roll(e, err));
    INTRA_TRY(evaluate_station_sd(e, err));
done:
    return status;
}
