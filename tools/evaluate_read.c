/* The public files of a result and the truth, brought together frame by frame. */
#include "tools/evaluate.h"

#include "core/fileio.h"
#include "core/mem.h"
#include "tools/truth_json.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *const intra_eval_state_names[EVAL_STATES] = {"drive", "reverse",  "stop",      "pan",
                                                         "lost",  "not_pipe", "duplicate", "missing"};

/* A tum file, sorted by time as it must be. */
struct tum {
    double *t_s;
    struct intra_pose *world_from_cam;
    int64_t n;
};

static void tum_fini(struct tum *tum)
{
    intra_free(tum->t_s);
    intra_free(tum->world_from_cam);
    memset(tum, 0, sizeof *tum);
}

static bool parse_tum_line(char *line, double v[8])
{
    char *end = line;
    for (int i = 0; i < 8; i++) {
        v[i] = strtod(line, &end);
        if (end == line || !isfinite(v[i])) return false;
        line = end;
    }
    return v[4] * v[4] + v[5] * v[5] + v[6] * v[6] + v[7] * v[7] > 0.5;
}

static enum intra_status read_tum(const char *path, struct tum *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    char *text = NULL, *line, *rest;
    size_t size = 0;
    int64_t cap = 1, number = 0;
    INTRA_TRY(intra_read_file(path, (size_t)1 << 30, &text, &size, err));
    for (const char *p = text; (p = strchr(p, '\n')) != NULL; p++)
        cap++;
    INTRA_TRY(INTRA_ALLOC(out->t_s, (size_t)cap, err));
    INTRA_TRY(INTRA_ALLOC(out->world_from_cam, (size_t)cap, err));
    for (line = strtok_r(text, "\r\n", &rest); line; line = strtok_r(NULL, "\r\n", &rest)) {
        double v[8];
        struct intra_quat q;
        number++;
        if (*line == '#') continue;
        if (!parse_tum_line(line, v)) {
            status = INTRA_FAIL(err, INTRA_E_FORMAT, "%s: pose %lld is not 't tx ty tz qx qy qz qw'", path,
                                (long long)number);
            goto done;
        }
        q.x = v[4];
        q.y = v[5];
        q.z = v[6];
        q.w = v[7];
        out->t_s[out->n] = v[0];
        out->world_from_cam[out->n].r = intra_quat_to_mat3(q);
        out->world_from_cam[out->n].t = intra_vec3(v[1], v[2], v[3]);
        if (out->n && v[0] < out->t_s[out->n - 1]) {
            status = INTRA_FAIL(err, INTRA_E_FORMAT, "%s: times go back at pose %lld", path, (long long)number);
            goto done;
        }
        out->n++;
    }
done:
    intra_free(text);
    return status;
}

/* The pose at time t; NULL where the nearest is more than tol_s away. */
static const struct intra_pose *tum_at(const struct tum *tum, double t_s, double tol_s)
{
    int64_t low = 0, high = tum->n;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (tum->t_s[middle] < t_s)
            low = middle + 1;
        else
            high = middle;
    }
    if (low > 0 && (low == tum->n || t_s - tum->t_s[low - 1] < tum->t_s[low] - t_s)) low--;
    return low < tum->n && fabs(tum->t_s[low] - t_s) <= tol_s ? &tum->world_from_cam[low] : NULL;
}

static enum intra_eval_state parse_state(const char *text)
{
    for (int i = 0; i < EVAL_MISSING; i++)
        if (strcmp(text, intra_eval_state_names[i]) == 0) return (enum intra_eval_state)i;
    return EVAL_MISSING;
}

bool intra_eval_find(const char *dir, const char *name, char *path, int n)
{
    return intra_path_join(path, (size_t)n, dir, name, NULL) == INTRA_OK && intra_path_exists(path);
}

static enum intra_status need_columns(const struct intra_table *table, const char *path, const char *const *names,
                                      int *places, int n, struct intra_error *err)
{
    for (int i = 0; i < n; i++) {
        places[i] = intra_table_find(table, names[i]);
        if (places[i] < 0) return INTRA_FAIL(err, INTRA_E_FORMAT, "%s: no column '%s'", path, names[i]);
    }
    return INTRA_OK;
}

#define MAX_TRUTH_STATION_M 1e4 /* far above what the simulator makes */
#define MAX_STATION_M 1e7       /* above what --start-station allows */

/* A number of this row; NaN where its cell is empty and may be. What is farther from 0 than `limit`, or no number, is
 * refused: cells of grids and bins are found by these. */
static enum intra_status read_number(const struct intra_table *table, int64_t row, int col, const char *path,
                                     double limit, bool may_be_empty, double *out, struct intra_error *err)
{
    const char *text = intra_table_text(table, row, col);
    *out = intra_table_number(table, row, col);
    if (fabs(*out) <= limit || (may_be_empty && !*text)) return INTRA_OK;
    return INTRA_FAIL(err, INTRA_E_FORMAT, "%s: row %lld: %s is '%s'; want a number of at most %g", path,
                      (long long)row + 2, table->names[col], text, limit);
}

static enum intra_status read_truth_frames(struct intra_evaluation *e, struct intra_error *err)
{
    static const char *const names[] = {"index", "t", "state", "station_m", "shows_pipe", "zoom"};
    enum intra_status status = INTRA_OK;
    struct intra_table table = {0};
    struct tum tum = {0};
    char path[1100];
    int at[6];
    INTRA_TRY(intra_path_join(path, sizeof path, e->truth_dir, "trajectory.tum", err));
    INTRA_TRY(read_tum(path, &tum, err));
    INTRA_TRY(intra_path_join(path, sizeof path, e->truth_dir, "frames.csv", err));
    INTRA_TRY(intra_table_read(path, &table, err));
    INTRA_TRY(need_columns(&table, path, names, at, 6, err));
    INTRA_TRY(INTRA_ALLOC(e->frames, (size_t)table.n_rows, err));
    for (int64_t i = 0; i < table.n_rows; i++) {
        struct intra_eval_frame *f = &e->frames[i];
        const struct intra_pose *pose;
        double zoom = intra_table_number(&table, i, at[5]);
        if (intra_table_number(&table, i, at[0]) != (double)i) {
            status = INTRA_FAIL(err, INTRA_E_FORMAT, "%s: row %lld should be frame %lld", path, (long long)i + 2,
                                (long long)i);
            goto done;
        }
        INTRA_TRY(read_number(&table, i, at[1], path, 1e9, false, &f->t_s, err));
        f->truth_state = parse_state(intra_table_text(&table, i, at[2]));
        INTRA_TRY(read_number(&table, i, at[3], path, MAX_TRUTH_STATION_M, true, &f->truth_station_m, err));
        f->shows_pipe = intra_table_number(&table, i, at[4]) == 1;
        f->zoom = isfinite(zoom) ? zoom : 1;
        f->state = EVAL_MISSING;
        f->station_m = f->station_sd_m = f->roll_sd_rad = f->roll_error_rad = NAN;
        f->segment = -1;
        f->truth_path_m = i ? f[-1].truth_path_m + fabs(f->truth_station_m - f[-1].truth_station_m) : 0;
        pose = tum_at(&tum, f->t_s, 1e-3);
        f->has_truth_pose = pose != NULL;
        if (pose) f->truth_pose = *pose;
    }
    e->n_frames = table.n_rows;
done:
    intra_table_fini(&table);
    tum_fini(&tum);
    return status;
}

/* Segments as the result names them; without that column a new one begins after a frame that was lost or shows no pipe.
 */
static void number_segments(struct intra_evaluation *e, bool has_segments)
{
    bool is_broken = false;
    int last = -1, count = 0, named = -1;
    for (int64_t i = 0; i < e->n_frames; i++) {
        struct intra_eval_frame *f = &e->frames[i];
        if (!f->is_posed) {
            if (f->state == EVAL_LOST || f->state == EVAL_NOT_PIPE) is_broken = true;
            f->segment = -1;
            continue;
        }
        if (has_segments ? f->segment != named : is_broken || last < 0) last = count++;
        named = f->segment;
        is_broken = false;
        f->segment = last;
    }
    e->n_segments = count;
}

static enum intra_status read_segment(struct intra_eval_frame *f, const struct intra_table *table, int64_t row, int col,
                                      const char *path, struct intra_error *err)
{
    double number = intra_table_number(table, row, col);
    if (!(number >= 0 && number < INT_MAX))
        return INTRA_FAIL(err, INTRA_E_FORMAT,
                          "%s: row %lld: a frame with a pose wants the number of its segment, not '%s'", path,
                          (long long)row + 2, intra_table_text(table, row, col));
    f->segment = (int)number;
    return INTRA_OK;
}

static enum intra_status read_our_frames(struct intra_evaluation *e, struct intra_error *err)
{
    static const char *const names[] = {"index", "t", "state", "station_m", "station_sd_m"};
    enum intra_status status = INTRA_OK;
    struct intra_table table = {0};
    struct tum tum = {0};
    char path[1100];
    int at[5], segment, roll_sd;
    INTRA_TRY(intra_path_join(path, sizeof path, e->out_dir, "trajectory.tum", err));
    INTRA_TRY(read_tum(path, &tum, err));
    INTRA_TRY(intra_path_join(path, sizeof path, e->out_dir, "frames.csv", err));
    INTRA_TRY(intra_table_read(path, &table, err));
    INTRA_TRY(need_columns(&table, path, names, at, 5, err));
    segment = intra_table_find(&table, "segment");
    roll_sd = intra_table_find(&table, "roll_sd_deg");
    for (int64_t row = 0; row < table.n_rows; row++) {
        double index = intra_table_number(&table, row, at[0]), t = intra_table_number(&table, row, at[1]);
        const struct intra_pose *pose;
        struct intra_eval_frame *f;
        if (!(index >= 0 && index < (double)e->n_frames))
            continue; /* more frames than the truth has: none of them can be judged */
        f = &e->frames[(int64_t)index];
        f->state = parse_state(intra_table_text(&table, row, at[2]));
        INTRA_TRY(read_number(&table, row, at[3], path, MAX_STATION_M, true, &f->station_m, err));
        f->station_sd_m = intra_table_number(&table, row, at[4]);
        if (roll_sd >= 0) f->roll_sd_rad = M_PI / 180 * intra_table_number(&table, row, roll_sd);
        pose = tum_at(&tum, t, 1e-4);
        f->is_posed = pose && isfinite(f->station_m);
        if (pose) f->pose = *pose;
        if (segment >= 0 && f->is_posed) INTRA_TRY(read_segment(f, &table, row, segment, path, err));
    }
    number_segments(e, segment >= 0);
done:
    intra_table_fini(&table);
    tum_fini(&tum);
    return status;
}

static enum intra_status axis_init(struct intra_eval_axis *axis, int64_t n, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    INTRA_TRY(INTRA_ALLOC(axis->station_m, (size_t)n, err));
    INTRA_TRY(INTRA_ALLOC(axis->tangent, (size_t)n, err));
done:
    return status;
}

static enum intra_status read_truth_axis(struct intra_evaluation *e, struct intra_error *err)
{
    static const char *const names[] = {"station_m", "tx", "ty", "tz"};
    enum intra_status status = INTRA_OK;
    struct intra_table table = {0};
    char path[1100];
    int at[4];
    INTRA_TRY(intra_path_join(path, sizeof path, e->truth_dir, "centreline.csv", err));
    INTRA_TRY(intra_table_read(path, &table, err));
    INTRA_TRY(need_columns(&table, path, names, at, 4, err));
    INTRA_TRY(axis_init(&e->truth_axis, table.n_rows, err));
    for (int64_t i = 0; i < table.n_rows; i++) {
        INTRA_TRY(read_number(&table, i, at[0], path, MAX_TRUTH_STATION_M, false, &e->truth_axis.station_m[i], err));
        e->truth_axis.tangent[i] =
            intra_vec3(intra_table_number(&table, i, at[1]), intra_table_number(&table, i, at[2]),
                       intra_table_number(&table, i, at[3]));
    }
    e->truth_axis.n = table.n_rows;
done:
    intra_table_fini(&table);
    return status;
}

static enum intra_status read_profile(struct intra_evaluation *e, struct intra_error *err)
{
    static const char *const names[] = {"station_m", "heading_deg", "grade_pct"};
    enum intra_status status = INTRA_OK;
    char path[1100];
    int at[3];
    INTRA_TRY(intra_path_join(path, sizeof path, e->out_dir, "profile.csv", err));
    INTRA_TRY(intra_table_read(path, &e->profile, err));
    INTRA_TRY(need_columns(&e->profile, path, names, at, 3, err));
    INTRA_TRY(axis_init(&e->axis, e->profile.n_rows, err));
    for (int64_t i = 0; i < e->profile.n_rows; i++) {
        double station_m;
        INTRA_TRY(read_number(&e->profile, i, at[0], path, MAX_STATION_M, false, &station_m, err));
        double heading = intra_table_number(&e->profile, i, at[1]) * M_PI / 180,
               grade = intra_table_number(&e->profile, i, at[2]) / 100;
        if (!isfinite(heading) || !isfinite(grade)) continue;
        e->axis.station_m[e->axis.n] = station_m;
        e->axis.tangent[e->axis.n++] = intra_unit(intra_vec3(cos(heading), sin(heading), grade));
    }
done:
    return status;
}

enum intra_status intra_evaluation_read(struct intra_evaluation *e, const char *out_dir, const char *truth_dir,
                                        struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    char path[1100];
    memset(e, 0, sizeof *e);
    if (!intra_path_is_dir(out_dir))
        return INTRA_FAIL(err, INTRA_E_IO, "%s: no such folder; give the result to evaluate", out_dir);
    if (!intra_path_is_dir(truth_dir))
        return INTRA_FAIL(err, INTRA_E_IO, "%s: no such folder; give the folder that simulate made", truth_dir);
    snprintf(e->out_dir, sizeof e->out_dir, "%s", out_dir);
    INTRA_TRY(intra_path_join(path, sizeof path, truth_dir, "truth", err));
    if (!intra_path_is_dir(path)) INTRA_TRY(intra_path_join(path, sizeof path, truth_dir, ".", err));
    memcpy(e->truth_dir, path, sizeof e->truth_dir);
    INTRA_TRY(intra_path_join(path, sizeof path, e->truth_dir, "truth.json", err));
    if (access(path, F_OK) != 0)
        return INTRA_FAIL(err, INTRA_E_IO, "%s: there is no truth.json in it; give the folder that simulate made",
                          truth_dir);
    INTRA_TRY(intra_truth_json_read(path, &e->nominal_diameter_m, &e->truth_length_m, err));
    INTRA_TRY(read_truth_frames(e, err));
    INTRA_TRY(read_truth_axis(e, err));
    INTRA_TRY(read_our_frames(e, err));
    INTRA_TRY(read_profile(e, err));
done:
    return status;
}

void intra_evaluation_fini(struct intra_evaluation *e)
{
    intra_free(e->frames);
    intra_free(e->segments);
    intra_free(e->truth_axis.station_m);
    intra_free(e->truth_axis.tangent);
    intra_free(e->axis.station_m);
    intra_free(e->axis.tangent);
    intra_free(e->drift_m);
    for (int i = 0; i < EVAL_PLOTS; i++) intra_free(e->plots[i].at);
    intra_table_fini(&e->profile);
    memset(e, 0, sizeof *e);
}
