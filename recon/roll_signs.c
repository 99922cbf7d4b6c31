/* The stain's axis: the profile of the tint around the pipe, a median along a window, is laid over itself mirrored
 * about each axis near the invert; the one with the least squared difference counts if it explains most of the profile
 * there. How far such axes scatter from window to window gives their deviation, since no window tells it of itself: a
 * ragged edge is no noise of the pixels. Where the invert is looked for is first told by the other signs, since a
 * camera on a rod may begin anyhow. */
#include "recon/roll_signs.h"

#include "core/log.h"
#include "core/mem.h"
#include "core/select.h"
#include "recon/robust.h"
#include "recon/wall_cells.h"
#include "recon/water.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_GROUP = 256, MOST_LAG = 64 };
#define DEG (M_PI / 180)

#define CELLS_A_RADIUS 40.0
#define WINDOW_M 0.3
#define WINDOW_RADII 2.0
#define SPAN_RAD (80 * DEG)  /* of the profile to each side of the axis */
#define REACH_RAD (25 * DEG) /* axes looked at, on each side of the expected invert, */
#define REACH_SDS 2.5        /* or so many deviations of that, at most */
#define MOST_REACH_RAD (60 * DEG)
#define LEAST_COURSE_RAD (4 * DEG) /* of brick, */
#define MOST_COURSE_RAD (24 * DEG)
#define COURSE_LIKE 0.4 /* likeness of a profile to itself one course on */
#define LEAST_SEEN 0.4  /* of a row */
#define LEAST_PAIRS 0.6 /* of the pairs of rows */
#define CAP 0.3         /* of the profile's deviation: pairs that differ by more count less */
#define LEAST_LIKE 0.75 /* 1: the same on both sides */
#define LEAST_PEAK 0.04 /* above the middle of what other axes have */
#define LEAST_TINT 0.01 /* deviation of the profile, log */
#define LEAST_WINDOWS 2 /* with a stain: one by itself is chance */
#define STAIN_SD_RAD (2.5 * DEG)
#define STAIN_SD_WORTH 4.0 /* windows that this figure counts for against the scatter seen */
#define STAIN_FLOOR_RAD (0.7 * DEG)
#define WATER_FLOOR_RAD (1.2 * DEG) /* ripple, and what mirrors the wall */

#define BIN_M 0.4 /* of the camera's way */
#define BIN_RADII 2.0
#define LEAST_BINS 4
#define CLEAR_SDS 2.5 /* of the scatter across the pipe, that a camera keeps off the axis */
#define CLEAR_RADII 0.06
#define MOST_ASIDE_RAD (60 * DEG)
#define CAMERA_FLOOR_RAD (4 * DEG)
#define UPRIGHT_WAY_M 2.0
#define UPRIGHT_SD_RAD (3 * DEG)

void intra_roll_readings_fini(struct intra_roll_readings *readings)
{
    intra_free(readings->list);
    memset(readings, 0, sizeof *readings);
}

static enum intra_status add(struct intra_roll_readings *r, const struct intra_roll_reading *reading,
                             struct intra_error *err)
{
    if (r->n == r->cap) {
        int64_t cap = r->cap ? 2 * r->cap : 256;
        struct intra_roll_reading *list = intra_resize(r->list, (size_t)r->n, (size_t)cap, sizeof *list);
        if (!list) return INTRA_FAIL(err, INTRA_E_MEM, "out of memory for %lld readings of the roll", (long long)cap);
        r->list = list;
        r->cap = cap;
    }
    r->list[r->n++] = *reading;
    return INTRA_OK;
}

/* ---- the camera ---- */

struct bin {
    int segment;
    double station_m, right_m, up_m;
};

/* Means over bins of the way. out: room for n_cameras. */
static int64_t bin_cameras(const struct intra_roll_camera *c, int64_t n, double bin_m, struct bin *out)
{
    int64_t m = 0, count = 0;
    double from = NAN;
    for (int64_t i = 0; i < n; i++) {
        bool is_new = m == 0 || c[i].segment != out[m - 1].segment || !(c[i].station_m < from + bin_m);
        if (is_new) {
            out[m++] = (struct bin){.segment = c[i].segment};
            from = c[i].station_m;
            count = 0;
        }
        struct bin *b = &out[m - 1];
        double k = 1 / (double)++count;
        b->station_m += k * (c[i].station_m - b->station_m);
        b->right_m += k * (c[i].right_m - b->right_m);
        b->up_m += k * (c[i].up_m - b->up_m);
    }
    return m;
}

static enum intra_status read_camera(const struct intra_roll_camera *cameras, int64_t n, double radius_m,
                                     struct intra_roll_readings *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct bin *bins = NULL;
    double right = 0, up = 0, var = 0, lag = 0, lag_var = 0;
    INTRA_TRY(INTRA_ALLOC(bins, (size_t)n + 1, err));
    int64_t m = bin_cameras(cameras, n, fmax(BIN_M, BIN_RADII * radius_m), bins);
    if (m < LEAST_BINS) goto done;
    for (int64_t i = 0; i < m; i++)
        right += bins[i].right_m / (double)m, up += bins[i].up_m / (double)m;
    for (int64_t i = 0; i < m; i++) {
        double dr = bins[i].right_m - right, du = bins[i].up_m - up;
        var += (dr * dr + du * du) / (double)(2 * (m - 1));
        if (i == 0 || bins[i].segment != bins[i - 1].segment) continue;
        lag += dr * (bins[i - 1].right_m - right) + du * (bins[i - 1].up_m - up);
        lag_var += 0.5 * (dr * dr + du * du + pow(bins[i - 1].right_m - right, 2) + pow(bins[i - 1].up_m - up, 2));
    }
    double off = hypot(right, up), sd = sqrt(var), like = lag_var > 0 ? fmin(fmax(lag / lag_var, 0), 0.8) : 0;
    intra_log(INTRA_LOG_INFO, "roll",
              "the camera keeps %.1f mm off the axis, give or take %.1f mm (likeness of neighbours %.2f)", 1e3 * off,
              1e3 * sd, like);
    if (!(off > CLEAR_SDS * sd) || !(off > CLEAR_RADII * radius_m) || !(fabs(atan2(right, fabs(up))) < MOST_ASIDE_RAD))
        goto done;
    double reading_sd = hypot(sd / off * sqrt((1 + like) / (1 - like)), CAMERA_FLOOR_RAD);
    for (int64_t i = 0; i < m; i++) {
        double clock = atan2(bins[i].right_m, bins[i].up_m);
        struct intra_roll_reading r = {.segment = bins[i].segment,
                                       .station_m = bins[i].station_m,
                                       .sign = INTRA_ROLL_CAMERA,
                                       .turn_rad = intra_wrap_pi((up < 0 ? M_PI : 0) - clock),
                                       .sd_rad = reading_sd};
        INTRA_TRY(add(out, &r, err));
    }
done:
    intra_free(bins);
    return status;
}

static enum intra_status read_upright(const struct intra_roll_camera *c, int64_t n, struct intra_roll_readings *out,
                                      struct intra_error *err)
{
    double mean = 0, var = 0;
    for (int64_t i = 0; i < n; i++)
        mean += c[i].roll_rad / (double)n;
    for (int64_t i = 0; i < n; i++)
        var += pow(c[i].roll_rad - mean, 2) / (double)n;
    double sd = hypot(UPRIGHT_SD_RAD, sqrt(var));
    for (int64_t i = 0, end; i < n; i = end) {
        double station = 0, roll = 0;
        for (end = i; end < n && c[end].segment == c[i].segment && c[end].station_m < c[i].station_m + UPRIGHT_WAY_M;
             end++) {
            station += c[end].station_m;
            roll += c[end].roll_rad;
        }
        struct intra_roll_reading r = {.segment = c[i].segment,
                                       .station_m = station / (double)(end - i),
                                       .sign = INTRA_ROLL_UPRIGHT,
                                       .turn_rad = intra_wrap_pi(-roll / (double)(end - i)),
                                       .sd_rad = sd};
        enum intra_status status = add(out, &r, err);
        if (status != INTRA_OK) return status;
    }
    return INTRA_OK;
}

/* ---- the wall ---- */

static enum intra_status read_water(const struct intra_wall *wall, double radius_m, intra_roll_segment_of *segment_of,
                                    const void *user, struct intra_roll_readings *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_water_window *w = NULL;
    int64_t n;
    double half_m;
    INTRA_TRY(intra_water_look(wall, radius_m, &w, &n, &half_m, err));
    for (int64_t i = 0; i < n; i++) {
        int segment = w[i].stretch >= 0 ? segment_of(user, w[i].station_m - half_m, w[i].station_m + half_m) : -1;
        if (segment < 0) continue;
        struct intra_roll_reading r = {.segment = segment,
                                       .station_m = w[i].station_m,
                                       .sign = INTRA_ROLL_WATER,
                                       .turn_rad = -w[i].middle_rad,
                                       .sd_rad = hypot(w[i].middle_sd_rad, WATER_FLOOR_RAD)};
        INTRA_TRY(add(out, &r, err));
    }
done:
    intra_free(w);
    return status;
}

struct stain_finder {
    struct intra_wall_cells cells;
    int n, n_rows;
    float *light, *chroma; /* (n_rows, n) */
    double *profile, *numbers;
};

static void make_profile(struct stain_finder *f)
{
    for (int row = 0; row < f->n_rows; row++) {
        int count = 0;
        for (int i = 0; i < f->n; i++)
            if (isfinite(f->chroma[(size_t)row * (size_t)f->n + (size_t)i]))
                f->numbers[count++] = (double)f->chroma[(size_t)row * (size_t)f->n + (size_t)i];
        f->profile[row] = count > LEAST_SEEN * f->n ? intra_select(f->numbers, count, count / 2) : NAN;
    }
}

/* Mean over `width` rows around each, the outer ones by part. in, out: n_rows, NaN where not seen. */
static void box_mean(const double *in, int n_rows, double width, double *out)
{
    double half = (width - 1) / 2;
    int reach = (int)ceil(half);
    for (int row = 0; row < n_rows; row++) {
        double sum = 0, mass = 0;
        for (int k = -reach; k <= reach; k++) {
            double v = in[((row + k) % n_rows + n_rows) % n_rows], w = fmin(1, half + 1 - abs(k));
            if (isfinite(v)) sum += w * v, mass += w;
        }
        out[row] = isfinite(in[row]) ? sum / mass : NAN;
    }
}

/* Rows after which the profile repeats itself, as over courses of brick; 0: it does not. scratch: n_rows. */
static double period_of(const double *profile, int n_rows, double *scratch)
{
    double row_rad = 2 * M_PI / n_rows, best = 0, like[MOST_LAG];
    int from = (int)ceil(LEAST_COURSE_RAD / row_rad), to = (int)fmin(MOST_LAG - 1, MOST_COURSE_RAD / row_rad), lag = 0;
    box_mean(profile, n_rows, MOST_COURSE_RAD / row_rad, scratch);
    for (int row = 0; row < n_rows; row++)
        scratch[row] = profile[row] - scratch[row];
    for (int k = from - 1; k <= to; k++) {
        double sum = 0, sum2 = 0;
        for (int row = 0; row < n_rows; row++) {
            double a = scratch[row], b = scratch[(row + k) % n_rows];
            if (isfinite(a) && isfinite(b)) sum += a * b, sum2 += 0.5 * (a * a + b * b);
        }
        like[k] = sum2 > 0 ? sum / sum2 : 0;
        if (k > from && like[k - 1] > like[k - 2] && like[k - 1] >= like[k] && like[k - 1] > best)
            best = like[k - 1], lag = k - 1;
    }
    if (best < COURSE_LIKE) return 0;
    double bend = like[lag - 1] - 2 * like[lag] + like[lag + 1];
    return lag + (bend < 0 ? 0.5 * (like[lag - 1] - like[lag + 1]) / bend : 0);
}

/* Courses of brick mirror about each of them and each joint between: their mean is taken, where there are such. */
static void level_courses(struct stain_finder *f)
{
    double *out = f->numbers, period = period_of(f->profile, f->n_rows, out);
    if (!(period > 0)) return;
    box_mean(f->profile, f->n_rows, period, out);
    memcpy(f->profile, out, sizeof *out * (size_t)f->n_rows);
}

/* How like the two sides of an axis are that lies half a row times `at` clockwise of the invert; NaN: too little seen.
 * A lateral on one side counts as Cauchy has it. scratch: room for the rows. */
static double likeness(const struct stain_finder *f, int at, double *scratch)
{
    int n = f->n_rows, pairs = (int)(SPAN_RAD / (2 * M_PI) * n), seen = 0, first = n / 2 + (int)ceil(at / 2.0);
    double sum = 0, sum2 = 0, off = 0;
    for (int j = 0; j < pairs; j++) {
        int row = first + j, other = n + at - 1 - row;
        double a = f->profile[((row % n) + n) % n], b = f->profile[((other % n) + n) % n];
        if (isnan(a) || isnan(b)) continue;
        sum += a + b;
        sum2 += a * a + b * b;
        scratch[seen++] = a - b;
    }
    if (seen < LEAST_PAIRS * pairs) return NAN;
    double var = sum2 - sum * sum / (2 * seen), middle = intra_select(scratch, seen, seen / 2);
    if (!(var > 2 * seen * LEAST_TINT * LEAST_TINT)) return 0;
    double scale2 = CAP * CAP * var / (2 * seen);
    for (int j = 0; j < seen; j++)
        off += intra_cauchy_cost((scratch[j] - middle) * (scratch[j] - middle), scale2);
    return 1 - off / var;
}

/* The stain's axis, clockwise of the invert, within `reach` of `expect`; NaN: none. */
static double find_axis(struct stain_finder *f, double expect, double reach)
{
    double step = M_PI / f->n_rows, *scratch = f->numbers + f->n_rows; /* axes looked at are fewer than rows */
    int middle = (int)lround(expect / step), most = (int)(reach / step), best = 0, count = 0;
    double top = -INFINITY;
    for (int k = -most; k <= most; k++) {
        double like = likeness(f, middle + k, scratch);
        if (isnan(like)) return NAN;
        f->numbers[count++] = like;
        if (like > top) top = like, best = k;
    }
    if (top < LEAST_LIKE || abs(best) == most || top - intra_select(f->numbers, count, count / 2) < LEAST_PEAK)
        return NAN;
    double before = likeness(f, middle + best - 1, scratch), behind = likeness(f, middle + best + 1, scratch),
           bend = before - 2 * top + behind;
    double part = bend < -1e-12 ? fmax(-0.5, fmin(0.5, 0.5 * (before - behind) / bend)) : 0;
    return (middle + best + part) * step;
}

/* Deviation of the readings from `from` on, by how neighbours differ. */
static double stain_sd(const struct intra_roll_readings *r, int64_t from, double *scratch)
{
    int count = 0;
    for (int64_t i = from + 1; i < r->n; i++)
        if (r->list[i].segment == r->list[i - 1].segment)
            scratch[count++] = fabs(r->list[i].turn_rad - r->list[i - 1].turn_rad);
    double spread = count ? 1.4826 / M_SQRT2 * intra_select(scratch, count, count / 2) : 0;
    double var = (count * spread * spread + STAIN_SD_WORTH * STAIN_SD_RAD * STAIN_SD_RAD) / (count + STAIN_SD_WORTH);
    return fmax(sqrt(var), STAIN_FLOOR_RAD);
}

static enum intra_status read_stain(const struct intra_wall *wall, double radius_m, const struct intra_roll_map *so_far,
                                    intra_roll_segment_of *segment_of, const void *user,
                                    struct intra_roll_readings *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct stain_finder f = {0};
    double *scratch = NULL;
    int group = (int)fmin(MOST_GROUP, fmax(1, round(radius_m / CELLS_A_RADIUS / wall->texel_m)));
    double cell_m = group * wall->texel_m, window_m = fmax(WINDOW_M, WINDOW_RADII * radius_m);
    int64_t from = out->n;
    f.n_rows = 2 * (int)fmin(wall->rows / 2, round(M_PI * radius_m / cell_m));
    f.n = (int)ceil(window_m / cell_m);
    int64_t n = wall->cols / ((int64_t)f.n * group);
    size_t cells = (size_t)f.n_rows * (size_t)f.n;
    INTRA_TRY(intra_wall_cells_init(&f.cells, wall, f.n_rows, group, err));
    INTRA_TRY(INTRA_ALLOC(f.light, cells, err));
    INTRA_TRY(INTRA_ALLOC(f.chroma, cells, err));
    INTRA_TRY(INTRA_ALLOC(f.profile, (size_t)f.n_rows, err));
    INTRA_TRY(INTRA_ALLOC(f.numbers, (size_t)(f.n > 2 * f.n_rows ? f.n : 2 * f.n_rows), err));
    for (int64_t i = 0; i < n; i++) {
        double station = wall->station0_m + ((double)i + 0.5) * f.n * cell_m, half = 0.5 * f.n * cell_m, sd;
        int segment = segment_of(user, station - half, station + half);
        if (segment < 0) continue;
        double turn = intra_roll_turn(so_far, segment, station, &sd);
        double reach = fmin(fmax(REACH_RAD, REACH_SDS * (isfinite(sd) ? sd : 0)), MOST_REACH_RAD);
        INTRA_TRY(intra_wall_cells_read(&f.cells, i * f.n * group, f.n, f.light, f.chroma, err));
        make_profile(&f);
        level_courses(&f);
        double axis = find_axis(&f, -turn, reach);
        intra_log(INTRA_LOG_DEBUG, "roll", "stain at %.2f m: %+.2f degrees", station, axis / DEG);
        if (isnan(axis)) continue;
        struct intra_roll_reading r = {
            .segment = segment, .station_m = station, .sign = INTRA_ROLL_STAIN, .turn_rad = -axis};
        INTRA_TRY(add(out, &r, err));
    }
    if (out->n - from < LEAST_WINDOWS) {
        out->n = from;
        goto done;
    }
    INTRA_TRY(INTRA_ALLOC(scratch, (size_t)(out->n - from), err));
    double sd = stain_sd(out, from, scratch);
    for (int64_t i = from; i < out->n; i++)
        out->list[i].sd_rad = sd;
    intra_log(INTRA_LOG_INFO, "roll", "a stain along the invert in %lld of %lld windows, its axis to %.1f degrees",
              (long long)(out->n - from), (long long)n, sd / DEG);
done:
    intra_wall_cells_fini(&f.cells);
    intra_free(f.light);
    intra_free(f.chroma);
    intra_free(f.profile);
    intra_free(f.numbers);
    intra_free(scratch);
    return status;
}

enum intra_status intra_roll_signs_find(const struct intra_wall *wall, double radius_m,
                                        const struct intra_roll_camera *cameras, int64_t n_cameras,
                                        intra_roll_segment_of *segment_of, const void *user,
                                        struct intra_roll_readings *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_roll_map so_far = {0};
    memset(out, 0, sizeof *out);
    for (int64_t i = 0; i < n_cameras; i++) {
        struct intra_roll_reading r = {.segment = cameras[i].segment,
                                       .station_m = cameras[i].station_m,
                                       .sign = INTRA_ROLL_NONE,
                                       .walk_rad2_m = cameras[i].walk_rad2_m};
        INTRA_TRY(add(out, &r, err));
    }
    INTRA_TRY(read_upright(cameras, n_cameras, out, err));
    INTRA_TRY(read_camera(cameras, n_cameras, radius_m, out, err));
    INTRA_TRY(read_water(wall, radius_m, segment_of, user, out, err));
    INTRA_TRY(intra_roll_fit(out->list, out->n, &so_far, err));
    INTRA_TRY(read_stain(wall, radius_m, &so_far, segment_of, user, out, err));
done:
    intra_roll_map_fini(&so_far);
    return status;
}
