/* From the outside in: stretches of the wall into rings (recon/ring), the best rings of all stretches into candidates,
 * the scores of the whole pipe into the noise that they must exceed, what passes into joints with gap, offset and
 * deflection (recon/joint_fit). */
#include "recon/joints.h"

#include "core/log.h"
#include "core/mem.h"
#include "recon/joint_gap.h"
#include "recon/joint_spacing.h"
#include "recon/joints_picture.h"
#include "recon/ring.h"
#include "recon/wall_cells.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SECTORS = INTRA_RING_SECTORS, MOST_GROUP = 256, MAX_PATHS = 24, CHANCE_RUN = 4 };

#define CELLS_A_RADIUS 150.0
#define CORE_RADII 8.0      /* a stretch gives the rings whose middle lies in its core, */
#define MARGIN_RADII 1.5    /* and sees so much to both sides of it */
#define FLOOR_LOG 0.02      /* least texture of log luminance: below it are the seams of exposure */
#define APART_M 0.1         /* two rings nearer than this are one */
#define LEAST_SCORE 0.30    /* what is below is not kept */
#define LEAST_SEEN 0.5      /* share of the ring that must have been seen, */
#define LEAST_COHERENT 0.55 /* and of that the share where the line must stand out; */
#define EVEN_COHERENT 0.4   /* where even spacing asks for a joint */
#define MIDDLE_SCORE 0.5    /* score at which joint and chance are equally likely, */
#define NOISE_MARGIN 0.15   /* at least so much above the noise of this pipe; */
#define SCORE_WIDTH 0.05    /* score for a factor e in the odds */
#define PIECES_COHERENT 0.5 /* where the line is only missed here and there: no break of more than */
#define MOST_BREAK 0.45     /* of the ring in one piece without the line: more is a crack's */
#define FAINT_ODDS 1.0      /* log odds from which what goes on faintly counts */
#define EVEN_ODDS 10.0      /* what even spacing adds to them */
#define BLOCK_M 0.2         /* a pipe whose every block has a ring is laid of rings, not of lengths */
#define STEP_REACH_M 0.45   /* wall on both sides that offset and deflection are taken from */

struct candidate {
    struct intra_joint_ring ring;
    double score, coherent, gap_m, gap_sd_m, log_odds;
    double faint;         /* further share of the ring where it does in the mean of many sectors only */
    double longest_break; /* share of the ring in one piece where the line does not stand out */
    bool is_joint;
};

struct finder {
    const struct intra_wall *wall;
    struct intra_scene *scene; /* NULL: only where the joints are is wanted */
    const struct intra_radius_sample *samples;
    int64_t n_samples;
    double radius_m;
    int group; /* wall columns a cell */
    struct intra_ring_stretch stretch;
    float *cell_score; /* of the stretch */
    struct intra_wall_cells cells;
    float *score; /* of the whole pipe, the best in each block */
    int64_t n_blocks;
    struct candidate *found;
    int64_t n_found, cap_found;
    struct intra_joints_picture *picture; /* NULL: none wanted */
};

static int compare_floats(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return x < y ? -1 : x > y;
}

/* Gap: median of the sectors' widths; deviation from their quarters, and a millimetre for what light and blur do to an
 * edge. */
static void measure_gap(struct finder *f, const struct intra_ring_path *path, struct candidate *c)
{
    float width[SECTORS];
    int n = 0;
    intra_ring_widths(&f->stretch, path, width);
    for (int k = 0; k < SECTORS; k++)
        if (isfinite(width[k])) width[n++] = width[k];
    c->gap_m = c->gap_sd_m = NAN;
    if (n < SECTORS / 8) return;
    qsort(width, (size_t)n, sizeof *width, compare_floats);
    c->gap_m = (double)width[n / 2] * f->stretch.cell_m;
    c->gap_sd_m = hypot(0.5 * (double)(width[3 * n / 4] - width[n / 4]) * f->stretch.cell_m, 0.001);
}

/* The candidate, unless a better one lies near; worse ones near it go. */
static enum intra_status add_candidate(struct finder *f, const struct candidate *c, struct intra_error *err)
{
    int64_t kept = 0;
    for (int64_t i = 0; i < f->n_found; i++)
        if (fabs(f->found[i].ring.station_m - c->ring.station_m) < APART_M && f->found[i].score >= c->score)
            return INTRA_OK;
    for (int64_t i = 0; i < f->n_found; i++)
        if (fabs(f->found[i].ring.station_m - c->ring.station_m) >= APART_M) f->found[kept++] = f->found[i];
    f->n_found = kept;
    if (f->n_found == f->cap_found) {
        int64_t cap = f->cap_found ? 2 * f->cap_found : 64;
        struct candidate *grown = intra_resize(f->found, (size_t)f->n_found, (size_t)cap, sizeof *grown);
        if (!grown) return INTRA_FAIL(err, INTRA_E_MEM, "out of memory for %lld rings on the wall", (long long)cap);
        f->found = grown;
        f->cap_found = cap;
    }
    f->found[f->n_found++] = *c;
    return INTRA_OK;
}

/* The longest stretch of the ring without the line, as a share of what counts; what stands out by chance, in less than
 * CHANCE_RUN sectors, does not end it. */
static double longest_break(const struct finder *f, const struct intra_ring_path *path)
{
    int break_now = 0, longest = 0, run = 0, n = 0;
    for (int i = 0; i < 2 * SECTORS; i++) { /* twice around: it may lie across the crown */
        int k = i % SECTORS;
        bool is_clear = fabsf(path->line[k]) >= (float)INTRA_RING_LINE_CLEAR;
        if (!isfinite(path->line[k]) || (f->stretch.is_blind[k] && !is_clear)) continue;
        n += i < SECTORS;
        run = is_clear ? run + 1 : 0;
        break_now = run >= CHANCE_RUN ? 0 : break_now + 1;
        if (break_now - run > longest) longest = break_now - run;
    }
    return n ? fmin(1, (double)longest / n) : 1;
}

static enum intra_status judge_path(struct finder *f, const struct intra_ring_path *path, double station0_m,
                                    struct intra_error *err)
{
    struct candidate c = {.score = path->score, .coherent = path->coherent, .longest_break = longest_break(f, path)};
    double station[SECTORS], weight[SECTORS], cell[SECTORS];
    if (path->score < LEAST_SCORE || path->seen < LEAST_SEEN) return INTRA_OK;
    for (int k = 0; k < SECTORS; k++) {
        station[k] = station0_m + ((double)path->cell[k] + 0.5) * f->stretch.cell_m;
        /* A sector between two without a line is chance. */
        double before = (double)intra_ring_gain(path->line[(k + SECTORS - 1) % SECTORS]),
               behind = (double)intra_ring_gain(path->line[(k + 1) % SECTORS]);
        weight[k] = (double)intra_ring_gain(path->line[k]) * fmin(before, behind);
    }
    if (!intra_joint_fit_ring(station, weight, &c.ring)) return INTRA_OK;
    for (int k = 0; k < SECTORS; k++)
        cell[k] =
            (intra_joint_ring_station(&c.ring, 2 * M_PI * (k + 0.5) / SECTORS) - station0_m) / f->stretch.cell_m - 0.5;
    c.faint = intra_ring_faint_share(&f->stretch, path, cell);
    measure_gap(f, path, &c);
    return add_candidate(f, &c, err);
}

static enum intra_status search_stretch(struct finder *f, int64_t core_col, int64_t core_cols, int64_t margin_cols,
                                        struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_wall *wall = f->wall;
    struct intra_ring_path paths[MAX_PATHS];
    int64_t col = core_col - margin_cols;
    double station0 = wall->station0_m + (double)col * wall->texel_m, cell_m = f->stretch.cell_m;
    int from = (int)(margin_cols / f->group), to = (int)((margin_cols + core_cols) / f->group);
    double slack = APART_M / cell_m; /* a ring on the border is found from both sides */
    INTRA_TRY(intra_wall_cells_read(&f->cells, col, f->stretch.n, f->stretch.light, NULL, err));
    intra_ring_filter(&f->stretch, FLOOR_LOG);
    int n = intra_ring_paths(&f->stretch, APART_M / cell_m, MAX_PATHS, paths, f->cell_score);
    for (int i = 0; i < n; i++) {
        double mean = intra_ring_path_mean(&paths[i]);
        if (mean >= from - slack && mean < to + slack) INTRA_TRY(judge_path(f, &paths[i], station0, err));
    }
    for (int i = from; i < to;) {
        int64_t block = (int64_t)((station0 + i * cell_m - wall->station0_m) / BLOCK_M);
        int next = (int)ceil(((double)(block + 1) * BLOCK_M + wall->station0_m - station0) / cell_m);
        next = next <= i ? i + 1 : next > to ? to : next;
        if (block < f->n_blocks)
            f->score[block] = fmaxf(f->score[block], (float)intra_ring_best_score(&f->stretch, i, next));
        i = next;
    }
    if (f->picture)
        intra_joints_picture_add(f->picture, &f->stretch, f->cell_score, from, to, (int64_t)(core_col / f->group));
done:
    return status;
}

/* What chance, or a wall laid of rings, reaches in this pipe: median of the blocks' best scores. */
static enum intra_status noise_score(const struct finder *f, double *out, struct intra_error *err)
{
    float *sorted = NULL;
    *out = 0;
    enum intra_status status = INTRA_ALLOC(sorted, (size_t)f->n_blocks, err);
    if (status != INTRA_OK) return status;
    memcpy(sorted, f->score, sizeof *sorted * (size_t)f->n_blocks);
    qsort(sorted, (size_t)f->n_blocks, sizeof *sorted, compare_floats);
    *out = (double)sorted[f->n_blocks / 2];
    intra_free(sorted);
    return INTRA_OK;
}

static int compare_station(const void *a, const void *b)
{
    double x = ((const struct candidate *)a)->ring.station_m, y = ((const struct candidate *)b)->ring.station_m;
    return x < y ? -1 : x > y;
}

static enum intra_status even_spacing(const struct finder *f, double *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    double *station = NULL;
    int64_t n = 0;
    INTRA_TRY(INTRA_ALLOC(station, (size_t)f->n_found, err));
    for (int64_t i = 0; i < f->n_found; i++)
        if (f->found[i].is_joint) station[n++] = f->found[i].ring.station_m;
    INTRA_TRY(intra_even_spacing(station, n, out, err));
done:
    intra_free(station);
    return status;
}

/* Whether a joint that is sure stands one or two spacings away. */
static bool is_even(const struct finder *f, const struct candidate *c, double spacing)
{
    for (int64_t i = 0; i < f->n_found; i++) {
        double ways = (f->found[i].ring.station_m - c->ring.station_m) / spacing, whole = round(ways);
        if (f->found[i].is_joint && fabs(whole) >= 1 && fabs(whole) <= 2 && fabs(ways - whole) < INTRA_EVEN_SHARE)
            return true;
    }
    return false;
}

/* Whether the line stands out in enough of the ring. Where there is none, chance lets it stand out in `noise` of the
 * ring. One that is missed here and there, as under blur, needs less than one that ends, as a crack does. */
static bool is_whole(const struct candidate *c, double wanted, double noise)
{
    bool is_in_pieces = c->longest_break <= MOST_BREAK;
    double chance = is_in_pieces ? 0.5 * noise : noise;
    if (is_in_pieces) wanted = fmin(wanted, PIECES_COHERENT);
    double coherent = c->coherent + (c->log_odds >= FAINT_ODDS ? c->faint : 0);
    return coherent >= chance + (1 - chance) * wanted;
}

static enum intra_status choose(struct finder *f, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    double noise, spacing;
    INTRA_TRY(noise_score(f, &noise, err));
    if (f->n_found) qsort(f->found, (size_t)f->n_found, sizeof *f->found, compare_station);
    for (int64_t i = 0; i < f->n_found; i++) {
        struct candidate *c = &f->found[i];
        c->log_odds = (c->score - fmax(MIDDLE_SCORE, noise + NOISE_MARGIN)) / SCORE_WIDTH;
        c->is_joint = c->log_odds >= 0 && is_whole(c, LEAST_COHERENT, noise);
    }
    INTRA_TRY(even_spacing(f, &spacing, err));
    intra_log(INTRA_LOG_INFO, "joints", "noise of the rings' scores %.2f, even spacing %.3f m", noise, spacing);
    for (int64_t i = 0; i < f->n_found && isfinite(spacing); i++) {
        struct candidate *c = &f->found[i];
        if (is_even(f, c, spacing)) c->log_odds += log(EVEN_ODDS);
    }
    for (int64_t i = 0; i < f->n_found && isfinite(spacing); i++) {
        struct candidate *c = &f->found[i];
        if (!c->is_joint) c->is_joint = c->log_odds >= 0 && is_whole(c, EVEN_COHERENT, noise) && is_even(f, c, spacing);
    }
done:
    return status;
}

/* First sample at or after a station. */
static int64_t first_sample(const struct finder *f, double station_m)
{
    int64_t low = 0, high = f->n_samples;
    while (low < high) {
        int64_t mid = low + (high - low) / 2;
        if ((double)f->samples[mid].station_m + f->scene->start_station_m < station_m)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static enum intra_status add_joint(struct finder *f, int64_t at, double last_m, double next_m, struct intra_error *err)
{
    const struct candidate *c = &f->found[at];
    double s = c->ring.station_m, r = f->radius_m;
    double before = fmin(fmax(STEP_REACH_M, 1.5 * r), 0.9 * (s - last_m)),
           behind = fmin(fmax(STEP_REACH_M, 1.5 * r), 0.9 * (next_m - s));
    struct intra_feature joint = intra_feature_unknown();
    joint.station_m = s, joint.gap_m = c->gap_m, joint.gap_sd_m = c->gap_sd_m;
    joint.station_sd_m = hypot(c->ring.station_sd_m, intra_scene_station_sd(f->scene, s));
    joint.confidence = 1 / (1 + exp(-c->log_odds));
    int64_t from = first_sample(f, s - before - 2 * r), to = first_sample(f, s + behind + 2 * r);
    intra_joint_fit_step(f->scene, f->samples + from, to - from, &c->ring, before, behind,
                         0.08 * r + 0.5 * (isfinite(c->gap_m) ? c->gap_m : 0), &joint);
    enum intra_status status = INTRA_OK;
    if (f->scene->wall.relief) status = intra_joint_gap_open(&f->scene->wall, &c->ring, c->gap_m, err);
    return status == INTRA_OK ? intra_scene_add_feature(f->scene, &joint, err) : status;
}

static enum intra_status add_joints(struct finder *f, struct intra_error *err)
{
    double last = -INFINITY;
    for (int64_t i = 0; i < f->n_found; i++) {
        int64_t next = i + 1;
        if (!f->found[i].is_joint) continue;
        while (next < f->n_found && !f->found[next].is_joint)
            next++;
        enum intra_status status =
            add_joint(f, i, last, next < f->n_found ? f->found[next].ring.station_m : INFINITY, err);
        if (status != INTRA_OK) return status;
        last = f->found[i].ring.station_m;
    }
    return INTRA_OK;
}

/* The rings of the wall, and which of them are joints. picture: NULL, or gets the scores. */
static enum intra_status find_rings(struct finder *f, struct intra_joints_picture *picture,
                                    const struct intra_progress *progress, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_wall *wall = f->wall;
    f->group = (int)fmin(MOST_GROUP, fmax(1, round(f->radius_m / CELLS_A_RADIUS / wall->texel_m)));
    int64_t core = (int64_t)ceil(CORE_RADII * f->radius_m / wall->texel_m / f->group) * f->group;
    int64_t margin = (int64_t)ceil(MARGIN_RADII * f->radius_m / wall->texel_m / f->group) * f->group;
    f->n_blocks = (int64_t)ceil((double)wall->cols * wall->texel_m / BLOCK_M);
    INTRA_TRY(intra_ring_init(&f->stretch, (int)((core + 2 * margin) / f->group), wall->texel_m * f->group, err));
    INTRA_TRY(INTRA_ALLOC(f->cell_score, (size_t)f->stretch.n, err));
    INTRA_TRY(intra_wall_cells_init(&f->cells, wall, SECTORS, f->group, err));
    INTRA_TRY(INTRA_ALLOC(f->score, (size_t)f->n_blocks, err));
    if (picture) {
        INTRA_TRY(
            intra_joints_picture_init(picture, wall->cols / f->group + 1, wall->station0_m, f->stretch.cell_m, err));
        f->picture = picture;
    }
    for (int64_t col = 0; col < wall->cols; col += core) {
        intra_progress_report(progress, "joints", (double)col, (double)wall->cols);
        INTRA_TRY(search_stretch(f, col, core, margin, err));
    }
    intra_progress_report(progress, "joints", (double)wall->cols, (double)wall->cols);
    INTRA_TRY(choose(f, err));
done:
    return status;
}

static void finder_fini(struct finder *f)
{
    intra_ring_fini(&f->stretch);
    intra_free(f->cell_score);
    intra_wall_cells_fini(&f->cells);
    intra_free(f->score);
    intra_free(f->found);
}

enum intra_status intra_joints_find(struct intra_scene *scene, const struct intra_radius_sample *samples,
                                    int64_t n_samples, const char *debug_dir, const struct intra_progress *progress,
                                    struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct finder f = {.wall = &scene->wall,
                       .scene = scene,
                       .samples = samples,
                       .n_samples = n_samples,
                       .radius_m = 0.5 * scene->nominal_diameter_m};
    struct intra_joints_picture picture = {0};
    INTRA_TRY(find_rings(&f, debug_dir ? &picture : NULL, progress, err));
    INTRA_TRY(add_joints(&f, err));
    if (debug_dir) INTRA_TRY(intra_joints_picture_write(&picture, scene, debug_dir, err));
done:
    intra_joints_picture_fini(&picture);
    finder_fini(&f);
    return status;
}

enum intra_status intra_joints_places(const struct intra_wall *wall, double radius_m, struct intra_joint_place **out,
                                      int64_t *out_n, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct finder f = {.wall = wall, .radius_m = radius_m};
    struct intra_joint_place *places = NULL;
    *out = NULL;
    *out_n = 0;
    INTRA_TRY(find_rings(&f, NULL, NULL, err));
    INTRA_TRY(INTRA_ALLOC(places, (size_t)f.n_found, err));
    for (int64_t i = 0; i < f.n_found; i++)
        if (f.found[i].is_joint)
            places[(*out_n)++] = (struct intra_joint_place){f.found[i].ring.station_m, f.found[i].ring.station_sd_m};
    *out = places;
done:
    finder_fini(&f);
    return status;
}
