/* A bend is a ramp in the direction of the axis: yaw and pitch are constant before a, go evenly to their new values at
 * b, and are constant behind. Where the axis turns by more than TURN over a window, the stretch with a window to both
 * sides is fitted: for each pair (a, b) on the sections' grid the four levels follow linearly; the best pair is refined
 * by parabolas through the neighbours' sums of squares.
 *
 * Stretches are taken within the ways that cameras went (a segment of poses each): beyond them the axis is
 * extrapolated. */
#include "recon/bends.h"

#include "core/log.h"
#include "core/mem.h"

#include <math.h>
#include <stdlib.h>

#define WINDOW_M 0.5     /* over which the axis must turn; or */
#define WINDOW_DIAMS 1.5 /* so many diameters */
#define TURN_RAD 0.026   /* 1.5 degrees: four deviations of the difference of two headings */
#define LEAST_RAD 0.07   /* 4 degrees in all: less is the deflection of a joint or two */
#define KINK_RAD 0.1     /* over less than KINK_M it must be so much */
#define KINK_M 0.15
#define HEADING_SD 0.0045 /* of a section's heading against its neighbours' (recon/wall.c) */
#define CORRELATED 4.0    /* neighbouring sections of which the direction is one number: the axis is a spline */

struct way {
    double from_m, to_m; /* stations that a camera passed */
};

struct direction {
    double station_m, yaw_rad, pitch_rad; /* yaw without jumps of a turn */
};

struct ramp {
    double a_m, b_m, yaw0, yaw, pitch0, pitch, rss; /* yaw, pitch: by how much they change */
};

/* Sections of one way, their directions. Returns how many. */
static int64_t directions_of(const struct intra_scene *scene, const struct way *way, struct direction *out)
{
    int64_t n = 0;
    for (int64_t i = 0; i < scene->n_sections; i++) {
        const struct intra_section *s = &scene->sections[i];
        if (!s->is_seen || s->station_m < way->from_m || s->station_m > way->to_m) continue;
        double x = s->world_from_sec.m[0][0], y = s->world_from_sec.m[1][0], z = s->world_from_sec.m[2][0];
        struct direction d = {s->station_m, atan2(y, x), atan2(z, hypot(x, y))};
        if (n) d.yaw_rad = out[n - 1].yaw_rad + remainder(d.yaw_rad - out[n - 1].yaw_rad, 2 * M_PI);
        out[n++] = d;
    }
    return n;
}

static double turn_between(const struct direction *a, const struct direction *b)
{
    return hypot((b->yaw_rad - a->yaw_rad) * cos(a->pitch_rad), b->pitch_rad - a->pitch_rad);
}

/* Least squares of one level and one step against the ramp. */
static double fit_line(const struct direction *d, int64_t n, bool is_pitch, double a, double b, double *level,
                       double *step)
{
    double s1 = 0, sy = 0, sr = 0, srr = 0, sry = 0, syy = 0;
    for (int64_t i = 0; i < n; i++) {
        double r = fmin(1, fmax(0, (d[i].station_m - a) / fmax(b - a, 1e-6)));
        double y = is_pitch ? d[i].pitch_rad - d[0].pitch_rad : d[i].yaw_rad - d[0].yaw_rad;
        s1 += 1, sy += y, sr += r, srr += r * r, sry += r * y, syy += y * y;
    }
    double det = s1 * srr - sr * sr;
    *step = det > 1e-9 ? (s1 * sry - sr * sy) / det : 0;
    *level = (sy - *step * sr) / s1;
    return syy - *level * sy - *step * sry;
}

static struct ramp fit_ramp(const struct direction *d, int64_t n, double a, double b)
{
    struct ramp r = {.a_m = a, .b_m = b};
    r.rss = fit_line(d, n, false, a, b, &r.yaw0, &r.yaw) + fit_line(d, n, true, a, b, &r.pitch0, &r.pitch);
    return r;
}

/* Best pair on the grid, then steps that halve. */
static struct ramp best_ramp(const struct direction *d, int64_t n)
{
    struct ramp best = {.rss = INFINITY};
    double step = n > 1 ? d[1].station_m - d[0].station_m : 0.05;
    int64_t stride = n / 60 + 1;
    for (int64_t i = 0; i + 1 < n; i += stride)
        for (int64_t k = i + 1; k < n; k += stride) {
            struct ramp r = fit_ramp(d, n, d[i].station_m, d[k].station_m);
            if (r.rss < best.rss) best = r;
        }
    step *= (double)stride;
    for (int round = 0; round < 8; round++, step *= 0.5)
        for (int da = -1; da <= 1; da++)
            for (int db = -1; db <= 1; db++) {
                double a = fmax(d[0].station_m, best.a_m + da * step),
                       b = fmin(d[n - 1].station_m, best.b_m + db * step);
                if (b - a < 1e-3) continue;
                struct ramp r = fit_ramp(d, n, a, b);
                if (r.rss < best.rss) best = r;
            }
    return best;
}

static enum intra_status add_bend(struct intra_scene *scene, const struct direction *d, int64_t n,
                                  struct intra_error *err)
{
    struct ramp r = best_ramp(d, n);
    struct intra_feature f = intra_feature_unknown();
    double length = r.b_m - r.a_m, up = r.pitch, left = r.yaw * cos(d[0].pitch_rad + r.pitch0 + 0.5 * r.pitch);
    double step = (d[n - 1].station_m - d[0].station_m) / (double)(n - 1);
    double noise = fmax(HEADING_SD, sqrt(r.rss / (double)(2 * n)));
    f.kind = INTRA_FEATURE_BEND;
    f.angle_rad = hypot(left, up);
    if (!(f.angle_rad >= LEAST_RAD) || (length < KINK_M && f.angle_rad < KINK_RAD)) return INTRA_OK;
    /* Before and behind, as many independent directions as the straights hold. */
    double before = fmax(1, (r.a_m - d[0].station_m) / step / CORRELATED),
           behind = fmax(1, (d[n - 1].station_m - r.b_m) / step / CORRELATED);
    f.angle_sd_rad = noise * sqrt(1 / before + 1 / behind);
    double slope = f.angle_rad / fmax(length, step);
    f.station_m = r.a_m, f.station_to_m = r.b_m;
    /* The corner is as wide as the spline makes it. */
    double corner = hypot(noise / slope, 0.5 * CORRELATED * step);
    f.station_sd_m = r.a_m <= d[0].station_m + step ? NAN : hypot(corner, intra_scene_station_sd(scene, r.a_m));
    f.station_to_sd_m = r.b_m >= d[n - 1].station_m - step ? NAN : hypot(corner, intra_scene_station_sd(scene, r.b_m));
    f.radius_m = length / f.angle_rad;
    f.radius_sd_m = f.radius_m * hypot(M_SQRT2 * corner / fmax(length, step), f.angle_sd_rad / f.angle_rad);
    f.clock_rad = fmod(atan2(-left, up) + 2 * M_PI, 2 * M_PI);
    f.clock_sd_rad = hypot(f.angle_sd_rad / f.angle_rad, intra_scene_roll_sd(scene, 0.5 * (r.a_m + r.b_m)));
    f.confidence = 1 / (1 + exp(-(f.angle_rad - LEAST_RAD) / f.angle_sd_rad));
    return intra_scene_add_feature(scene, &f, err);
}

static enum intra_status search_way(struct intra_scene *scene, const struct direction *d, int64_t n,
                                    struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    double window = fmax(WINDOW_M, WINDOW_DIAMS * scene->nominal_diameter_m);
    int64_t half = (int64_t)ceil(0.5 * window / fmax(scene->section_step_m, 1e-3)), done = 0;
    for (int64_t i = 0; i < n;) {
        int64_t low = i - half < done ? done : i - half, high = i + half >= n ? n - 1 : i + half;
        if (turn_between(&d[low], &d[high]) < TURN_RAD || d[high].station_m - d[low].station_m < 0.5 * window) {
            i++;
            continue;
        }
        /* On while it turns, and about the same way as at first. */
        double yaw = d[high].yaw_rad - d[low].yaw_rad, pitch = d[high].pitch_rad - d[low].pitch_rad;
        int64_t to = i;
        while (to + 1 < n) {
            int64_t a = to + 1 - half < low ? low : to + 1 - half, b = to + 1 + half >= n ? n - 1 : to + 1 + half;
            double y = d[b].yaw_rad - d[a].yaw_rad, p = d[b].pitch_rad - d[a].pitch_rad;
            if (hypot(y, p) < TURN_RAD || y * yaw + p * pitch < 0) break;
            to++;
        }
        high = to + 2 * half >= n ? n - 1 : to + 2 * half;
        low = i - 2 * half < done ? done : i - 2 * half;
        if (high - low >= 4) INTRA_TRY(add_bend(scene, d + low, high - low + 1, err));
        done = to;
        i = to + 1;
    }
done:
    return status;
}

/* Way of the poses of one segment; false when there is none. */
static bool way_of(const struct intra_scene *scene, int segment, struct way *way)
{
    way->from_m = INFINITY, way->to_m = -INFINITY;
    for (int64_t i = 0; i < scene->n_frames; i++) {
        const struct intra_frame_record *f = &scene->frames[i];
        if (!f->is_posed || f->segment != segment || !isfinite(f->station_m)) continue;
        way->from_m = fmin(way->from_m, f->station_m);
        way->to_m = fmax(way->to_m, f->station_m);
    }
    return way->to_m > way->from_m;
}

enum intra_status intra_bends_find(struct intra_scene *scene, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct direction *d = NULL;
    int segments = 0;
    int64_t before = scene->n_features;
    INTRA_TRY(INTRA_ALLOC(d, (size_t)scene->n_sections + 1, err));
    for (int64_t i = 0; i < scene->n_frames; i++)
        if (scene->frames[i].is_posed && scene->frames[i].segment >= segments) segments = scene->frames[i].segment + 1;
    for (int k = 0; k < segments; k++) {
        struct way way;
        if (!way_of(scene, k, &way)) continue;
        INTRA_TRY(search_way(scene, d, directions_of(scene, &way, d), err));
    }
    intra_log(INTRA_LOG_INFO, "bends", "%lld bends", (long long)(scene->n_features - before));
done:
    intra_free(d);
    return status;
}
