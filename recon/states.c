/* Speed: slope of station over time in a window of 0.48 s (least squares). Pan: the optical axis stands off its own
 * running median (10 s to either side, within the segment) by more than five degrees; a camera that is mounted crooked
 * does not pan. */
#include "recon/states.h"

#include "core/mem.h"

#include <stdio.h>
#include <stdlib.h>

#define SPEED_HALF_S 0.24
#define STOP_SPEED_REL 0.03 /* radii a second */
#define PAN_RAD 0.087
#define PAN_HALF_S 10.0
enum { MEDIAN_MAX = 512, GAP_MIN_FRAMES = 3 };

static int compare_float(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return x < y ? -1 : x > y;
}

static double speed_at(const struct intra_scene *scene, int64_t i)
{
    const struct intra_frame_record *f = scene->frames;
    double n = 0, st = 0, ss = 0, stt = 0, sts = 0;
    for (int dir = -1; dir <= 1; dir += 2)
        for (int64_t k = dir < 0 ? i : i + 1; k >= 0 && k < scene->n_frames; k += dir) {
            double t = f[k].pts_s - f[i].pts_s;
            if (fabs(t) > SPEED_HALF_S || !f[k].is_posed || f[k].segment != f[i].segment) break;
            double s = f[k].station_m - f[i].station_m;
            n++, st += t, ss += s, stt += t * t, sts += t * s;
        }
    double det = n * stt - st * st;
    return n >= 3 && det > 1e-12 ? (n * sts - st * ss) / det : NAN;
}

/* Median direction around frame i; every k-th posed frame so that MEDIAN_MAX suffice. */
static void usual_view(const struct intra_scene *scene, const struct intra_view_angle *angles, int64_t i, float out[2])
{
    static const float unknown = NAN;
    float yaw[MEDIAN_MAX], pitch[MEDIAN_MAX];
    const struct intra_frame_record *f = scene->frames;
    int64_t from = i, to = i;
    int n = 0;
    while (from > 0 && f[i].pts_s - f[from - 1].pts_s < PAN_HALF_S) from--;
    while (to + 1 < scene->n_frames && f[to + 1].pts_s - f[i].pts_s < PAN_HALF_S) to++;
    int64_t step = (to - from) / MEDIAN_MAX + 1;
    for (int64_t k = from; k <= to && n < MEDIAN_MAX; k += step) {
        if (!f[k].is_posed || f[k].segment != f[i].segment) continue;
        yaw[n] = angles[k].yaw_rad;
        pitch[n++] = angles[k].pitch_rad;
    }
    out[0] = out[1] = unknown;
    if (!n) return;
    qsort(yaw, (size_t)n, sizeof *yaw, compare_float);
    qsort(pitch, (size_t)n, sizeof *pitch, compare_float);
    out[0] = yaw[n / 2];
    out[1] = pitch[n / 2];
}

/* Lost frames between two pans are part of the pan. */
static void bridge_pans(struct intra_scene *scene)
{
    for (int64_t i = 0; i < scene->n_frames; i++) {
        int64_t end = i;
        if (scene->frames[i].state != INTRA_STATE_LOST) continue;
        while (end < scene->n_frames && scene->frames[end].state == INTRA_STATE_LOST) end++;
        bool is_pan = i > 0 && scene->frames[i - 1].state == INTRA_STATE_PAN && end < scene->n_frames &&
                      scene->frames[end].state == INTRA_STATE_PAN;
        for (int64_t k = i; k < end && is_pan; k++) scene->frames[k].state = INTRA_STATE_PAN;
        i = end;
    }
}

static enum intra_status find_gaps(struct intra_scene *scene, const struct intra_view_angle *angles,
                                   struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    int64_t last = -1;
    for (int64_t i = 0; i <= scene->n_frames; i++) {
        bool is_end = i == scene->n_frames;
        const struct intra_frame_record *f = is_end ? NULL : &scene->frames[i], *p = last < 0 ? NULL : &scene->frames[last];
        if (!is_end && !f->is_posed) continue;
        bool is_break = p && f && f->segment != p->segment;
        int64_t missing = 0;
        for (int64_t k = last + 1; k < i; k++) missing += scene->frames[k].state == INTRA_STATE_LOST;
        if ((is_break || missing >= GAP_MIN_FRAMES) && scene->n_frames > 0) {
            struct intra_gap gap = {.station_from_m = p ? p->station_m : NAN,
                                    .station_to_m = f && (!is_break || angles[i].is_by_counter) ? f->station_m : NAN};
            int64_t a = last + 1 < scene->n_frames ? last + 1 : scene->n_frames - 1, b = i > 0 ? i - 1 : 0;
            gap.time_from_s = scene->frames[a].pts_s;
            gap.time_to_s = scene->frames[b < a ? a : b].pts_s;
            snprintf(gap.reason, sizeof gap.reason, "%s",
                     is_break && angles[i].is_by_counter
                         ? "the wall could not be followed; what comes after is joined on by the distance counter"
                     : is_break && angles[i].is_apart
                         ? "a cut; what comes after is set apart, the way between is not known"
                     : is_break ? "the wall could not be followed; what comes after is joined on by assumption"
                     : !p       ? "no start found before here"
                     : is_end   ? "the wall could not be followed to the end"
                                : "the wall could not be followed here");
            INTRA_TRY(intra_scene_add_gap(scene, &gap, err));
        }
        last = i;
    }
done:
    return status;
}

enum intra_status intra_states_find(struct intra_scene *scene, const struct intra_view_angle *angles,
                                    struct intra_error *err)
{
    double stop = STOP_SPEED_REL * scene->nominal_diameter_m / 2, low = 1e300, high = -1e300, sd = 0;
    float usual[2] = {NAN, NAN};
    for (int64_t i = 0; i < scene->n_frames; i++) {
        struct intra_frame_record *f = &scene->frames[i];
        if (!f->is_posed) continue;
        low = fmin(low, f->station_m);
        high = fmax(high, f->station_m);
        if (isnan(f->station_sd_m) || f->station_sd_m > sd) sd = f->station_sd_m; /* once not known, it stays so */
        if (f->state == INTRA_STATE_DUPLICATE) continue;
        if (i % 8 == 0 || isnan(usual[0])) usual_view(scene, angles, i, usual);
        double v = speed_at(scene, i), off = hypot(angles[i].yaw_rad - usual[0], angles[i].pitch_rad - usual[1]);
        f->state = off > PAN_RAD ? INTRA_STATE_PAN
                   : fabs(v) < stop ? INTRA_STATE_STOP
                   : v < 0          ? INTRA_STATE_REVERSE
                                    : INTRA_STATE_DRIVE;
    }
    bridge_pans(scene);
    scene->length_m = high > low ? high - low : 0;
    scene->length_sd_m = sd;
    return find_gaps(scene, angles, err);
}
