/* Where the unrolled wall shows things, against the truth's albedo: block by block, by normalised cross-correlation of
 * band-passed grey.
 *
 * Both walls are brought onto the truth's grid, ours under the shifts in station and clock angle that the trajectories
 * gave. Along the pipe the search is centred where the trajectory's own drift predicts a block, so that a slow drift is
 * measured in full and not lost: coarse first (4 times coarser, 160 mm blocks, 60 mm to each side, which a repeating
 * texture must not fool), then fine (80 mm blocks). Left out, and counted: blocks at joints, laterals and under water
 * (the true surface is not the tube there), without texture in the truth, and not seen in ours. The median displacement
 * of all blocks is taken out at the end: the one global shift. */
#include "tools/evaluate.h"

#include "core/fileio.h"
#include "core/mem.h"
#include "export/tiff_read.h"
#include "tools/match.h"
#include "tools/stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double block_m = 0.08, reach_m = 0.06, pad_m = 0.16, chunk_m = 1.0;
static const double fine_sd_m = 0.001, wide_sd_m = 0.012; /* the band that is compared */
static const double min_contrast = 1.5;                   /* grey levels of 255; below: no texture */
static const double min_seen = 0.9;
static const double wide_rel = 0.05, close_rel = 0.004;                  /* of the radius: deposits; roughness */
static const double open_rel = 0.2;                                      /* of the radius: no wall of the pipe itself */
static const double min_coarse = 0.3, min_margin = 0.1, min_fine = 0.35; /* correlations of a confident match */
enum { COARSE = 4, FINE_REACH = 7 };

struct stretch {
    double from_m, to_m;
};
struct mouth {
    double station_m, theta_rad, radius_m;
};
struct pool {
    double from_m, to_m, half_rad; /* under water: |theta - pi| < half */
};

enum verdict { BLOCK_MATCHED, BLOCK_UNSURE, BLOCK_SHAPE, BLOCK_FLAT, BLOCK_UNSEEN, BLOCK_VERDICTS };
struct block {
    int row, col;                /* first cell, in the window */
    double station_m, theta_rad; /* of the middle; theta from the crown, 0 to 2 pi */
    enum verdict verdict;
    double along_m, around_m; /* ours - truth, beyond the shifts */
    double local_m;           /* along, beyond the drift too */
    double likeness;
};

struct wall_job {
    struct intra_evaluation *e;
    struct intra_tiff *albedo, *ours;
    const struct intra_tiff_info *grid; /* the truth's */
    uint8_t *truth;                     /* grey, rows x cols of the grid */
    struct stretch *joints;
    struct mouth *mouths;
    struct pool *pools;
    int64_t n_joints, n_mouths, n_pools;
    struct intra_tiff_info shape; /* of the truth's radii; no columns where they are not there */
    double (*centre)[2]; /* by column of `shape`: the section's own middle, right and up of the centreline, m */
    int block, pad, chunk, reach; /* cells along the pipe (and around, cells being nearly square) */
    struct block *blocks;         /* of all chunks */
    int64_t n_blocks, cap_blocks;
};

static uint8_t grey_of(const uint8_t *rgb)
{
    return (uint8_t)((77 * rgb[0] + 150 * rgb[1] + 29 * rgb[2] + 128) >> 8);
}

static enum intra_status read_truth(struct wall_job *job, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_tiff_info *g = job->grid;
    uint8_t *rgb = NULL;
    size_t n = (size_t)g->rows * (size_t)g->cols;
    INTRA_TRY(INTRA_ALLOC(job->truth, n, err));
    INTRA_TRY(INTRA_ALLOC(rgb, n * g->cell_bytes, err));
    INTRA_TRY(intra_tiff_read_columns(job->albedo, 0, (int)g->cols, rgb, err));
    for (size_t i = 0; i < n; i++)
        job->truth[i] = grey_of(rgb + i * g->cell_bytes);
done:
    intra_free(rgb);
    return status;
}

/* Where the middle of one ring lies off what its radii are about: right, up. First harmonic beside an oval, by
 * pseudo-values (the ring's terms are orthogonal) of Cauchy's weights, whose width shrinks from wide_rel to close_rel:
 * a deposit on a quarter of the ring is no shift of the pipe. step: from radius to radius; NaN and what is off the mean
 * by open_rel: none. */
static void ring_centre(const float *radius, size_t step, int n, double out[2])
{
    enum { TERMS = 5, ROUNDS = 80, MOST = 512 };
    double basis[MOST][TERMS], r[MOST], x[TERMS] = {0}, mean = 0;
    int m = 0;
    for (int i = 0; i < n && i < MOST; i++) {
        double theta = M_PI + 2 * M_PI * (i + 0.5) / n, value = (double)radius[(size_t)i * step];
        if (!isfinite(value)) continue;
        const double terms[TERMS] = {1, sin(theta), cos(theta), sin(2 * theta), cos(2 * theta)};
        memcpy(basis[m], terms, sizeof terms);
        mean += value;
        r[m++] = value;
    }
    out[0] = out[1] = 0;
    if (m == 0) return;
    mean /= m;
    x[0] = mean;
    for (int round = 0; round < ROUNDS; round++) {
        double change[TERMS] = {0}, width = mean * fmax(wide_rel * pow(0.88, round), close_rel), most = 0;
        for (int i = 0; i < m; i++) {
            double e = r[i];
            if (!(fabs(e - mean) < open_rel * mean)) continue; /* a connection's bore */
            for (int k = 0; k < TERMS; k++)
                e -= x[k] * basis[i][k];
            e /= 1 + e * e / (width * width);
            for (int k = 0; k < TERMS; k++)
                change[k] += (k ? 2 : 1) * e * basis[i][k] / n;
        }
        for (int k = 0; k < TERMS; k++) {
            x[k] += change[k];
            most = fmax(most, fabs(change[k]));
        }
        if (width <= close_rel * mean && most < 1e-5 * mean) break;
    }
    out[0] = x[1];
    out[1] = x[2];
}

/* Where the wall's own middle lies beside the centreline that the truth's clock turns about: a length of pipe that is
 * laid off it. */
static enum intra_status read_centres(struct wall_job *job, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_tiff *tiff = NULL;
    float *grid = NULL;
    char path[1200];
    if (!intra_eval_find(job->e->truth_dir, "radius.tif", path, sizeof path)) return INTRA_OK;
    INTRA_TRY(intra_tiff_open(path, &tiff, err));
    job->shape = *intra_tiff_info(tiff);
    if (!job->shape.is_float || job->shape.samples != 1)
        INTRA_TRY(INTRA_FAIL(err, INTRA_E_FORMAT, "%s: want one float32 sample a cell", path));
    size_t rows = (size_t)job->shape.rows, cols = (size_t)job->shape.cols;
    INTRA_TRY(INTRA_ALLOC(grid, rows * cols, err));
    INTRA_TRY(INTRA_ALLOC(job->centre, cols, err));
    INTRA_TRY(intra_tiff_read_columns(tiff, 0, (int)cols, grid, err));
    size_t step = rows / 100 > 1 ? rows / 100 : 1; /* rows */
    for (size_t col = 0; col < cols; col++)
        ring_centre(grid + step / 2 * cols + col, step * cols, (int)(rows / step), job->centre[col]);
done:
    intra_free(grid);
    intra_tiff_close(&tiff);
    return status;
}

/* What the wall there lies farther around by about the centreline than about its own middle. */
static double off_centre_m(const struct wall_job *job, double station_m, double theta_rad)
{
    int64_t col = job->centre ? (int64_t)floor((station_m - job->shape.x_left_m) / job->shape.cell_x_m) : -1;
    if (col < 0 || col >= job->shape.cols) return 0;
    return job->centre[col][0] * cos(theta_rad) - job->centre[col][1] * sin(theta_rad);
}

/* What makes the surface differ from the tube: tables of the truth; a missing one has no rows. */
static enum intra_status read_obstacles(struct wall_job *job, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_table joints = {0}, laterals = {0}, water = {0};
    char path[1200];
    if (intra_eval_find(job->e->truth_dir, "joints.csv", path, sizeof path))
        INTRA_TRY(intra_table_read(path, &joints, err));
    if (intra_eval_find(job->e->truth_dir, "laterals.csv", path, sizeof path))
        INTRA_TRY(intra_table_read(path, &laterals, err));
    if (intra_eval_find(job->e->truth_dir, "water.csv", path, sizeof path))
        INTRA_TRY(intra_table_read(path, &water, err));
    INTRA_TRY(INTRA_ALLOC(job->joints, (size_t)joints.n_rows, err));
    INTRA_TRY(INTRA_ALLOC(job->mouths, (size_t)laterals.n_rows, err));
    INTRA_TRY(INTRA_ALLOC(job->pools, (size_t)water.n_rows, err));
    for (int64_t i = 0; i < joints.n_rows; i++) {
        double s = intra_table_number(&joints, i, intra_table_find(&joints, "station_m"));
        double gap = intra_table_number(&joints, i, intra_table_find(&joints, "gap_m"));
        double margin = 0.01 + (isfinite(gap) ? gap : 0);
        job->joints[job->n_joints++] = (struct stretch){s - margin, s + margin};
    }
    for (int64_t i = 0; i < laterals.n_rows; i++) {
        double clock = intra_table_number(&laterals, i, intra_table_find(&laterals, "clock_deg"));
        double diameter = intra_table_number(&laterals, i, intra_table_find(&laterals, "diameter_m"));
        job->mouths[job->n_mouths++] =
            (struct mouth){intra_table_number(&laterals, i, intra_table_find(&laterals, "station_m")),
                           clock * M_PI / 180, diameter / 2 + 0.02};
    }
    for (int64_t i = 0; i < water.n_rows; i++) {
        double level = intra_table_number(&water, i, intra_table_find(&water, "level_pct")) / 100;
        if (!(level > 0)) continue;
        job->pools[job->n_pools++] =
            (struct pool){intra_table_number(&water, i, intra_table_find(&water, "station_from_m")),
                          intra_table_number(&water, i, intra_table_find(&water, "station_to_m")),
                          acos(fmax(-1, 1 - 2 * level)) + 0.05};
    }
done:
    intra_table_fini(&joints);
    intra_table_fini(&laterals);
    intra_table_fini(&water);
    return status;
}

/* A block whose middle is (station, theta). */
static bool is_obstructed(const struct wall_job *job, double station_m, double theta)
{
    double half = block_m / 2, radius = job->e->nominal_diameter_m / 2;
    for (int64_t i = 0; i < job->n_joints; i++)
        if (station_m + half > job->joints[i].from_m && station_m - half < job->joints[i].to_m) return true;
    for (int64_t i = 0; i < job->n_mouths; i++) {
        double along = fabs(station_m - job->mouths[i].station_m) - half;
        double around = fabs(intra_wrap_pi(theta - job->mouths[i].theta_rad)) * radius - half;
        if (hypot(fmax(0, along), fmax(0, around)) < job->mouths[i].radius_m) return true;
    }
    for (int64_t i = 0; i < job->n_pools; i++)
        if (station_m + half > job->pools[i].from_m && station_m - half < job->pools[i].to_m &&
            fabs(intra_wrap_pi(theta - M_PI)) - half / radius < job->pools[i].half_rad)
            return true;
    return false;
}

static enum intra_status image_init(struct intra_match_image *image, int rows, int cols, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    image->rows = rows;
    image->cols = cols;
    INTRA_TRY(INTRA_ALLOC(image->grey, (size_t)rows * (size_t)cols, err));
    INTRA_TRY(INTRA_ALLOC(image->seen, (size_t)rows * (size_t)cols, err));
done:
    return status;
}

static void image_fini(struct intra_match_image *image)
{
    intra_free(image->grey);
    intra_free(image->seen);
    memset(image, 0, sizeof *image);
}

static void fill_truth(const struct wall_job *job, int64_t first, struct intra_match_image *image)
{
    const struct intra_tiff_info *g = job->grid;
    for (int row = 0; row < image->rows; row++) {
        for (int c = 0; c < image->cols; c++) {
            size_t i = (size_t)row * (size_t)image->cols + (size_t)c;
            int64_t col = first + c;
            image->seen[i] = col >= 0 && col < g->cols;
            image->grey[i] = image->seen[i] ? (float)job->truth[(size_t)row * (size_t)g->cols + (size_t)col] : 0;
        }
    }
}

/* Columns of our wall, and how to find a place in them. */
struct our_columns {
    uint8_t *rgba;
    int64_t first;
    int n, rows, samples;
};

/* Bilinear grey at (row, col) in our cells (centres at whole numbers); false where one of the four is unseen. */
static bool sample(const struct our_columns *w, double row, double col, double *out)
{
    double fr = floor(row), fc = floor(col), kr = row - fr, kc = col - fc, sum = 0;
    int64_t c0 = (int64_t)fc - w->first;
    int r0 = (int)fr;
    if (c0 < 0 || c0 + 1 >= w->n) return false;
    for (int i = 0; i < 4; i++) {
        int r = ((r0 + i / 2) % w->rows + w->rows) % w->rows;
        const uint8_t *cell = w->rgba + ((size_t)r * (size_t)w->n + (size_t)(c0 + i % 2)) * (size_t)w->samples;
        if (cell[3] == 0) return false; /* outside the image too */
        sum += (i / 2 ? kr : 1 - kr) * (i % 2 ? kc : 1 - kc) * (77 * cell[0] + 150 * cell[1] + 29 * cell[2]) / 256.0;
    }
    *out = sum;
    return true;
}

/* Our wall on the truth's grid: cell (row, first + c) at its place plus the shifts plus `extra_m` along. Finer cells
 * than the grid's are averaged. */
static enum intra_status fill_ours(const struct wall_job *job, int64_t first, double extra_m,
                                   struct intra_match_image *image, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_tiff_info *g = job->grid, *o = intra_tiff_info(job->ours);
    struct our_columns w = {.rows = o->rows, .samples = o->samples};
    double shift_m = job->e->shift_s_m + extra_m, turn = job->e->shift_theta_rad / (2 * M_PI) * o->rows;
    double left = (g->x_left_m + (double)first * g->cell_x_m + shift_m - o->x_left_m) / o->cell_x_m;
    double step_c = g->cell_x_m / o->cell_x_m, step_r = (double)o->rows / g->rows;
    int k = (int)fmax(1, fmin(8, lround(step_c)));
    w.first = (int64_t)floor(left) - 2;
    w.n = (int)ceil(image->cols * step_c) + 5;
    INTRA_TRY(INTRA_ALLOC(w.rgba, (size_t)w.rows * (size_t)w.n * o->cell_bytes, err));
    INTRA_TRY(intra_tiff_read_columns(job->ours, w.first, w.n, w.rgba, err));
#pragma omp parallel for schedule(static)
    for (int row = 0; row < image->rows; row++) {
        for (int c = 0; c < image->cols; c++) {
            size_t i = (size_t)row * (size_t)image->cols + (size_t)c;
            double sum = 0, v;
            int n = 0;
            for (int s = 0; s < k * k; s++) {
                double r = (row + (s / k + 0.5) / k) * step_r - 0.5 + turn,
                       at = left + (c + (s % k + 0.5) / k) * step_c - 0.5;
                if (sample(&w, r, at, &v)) {
                    sum += v;
                    n++;
                }
            }
            image->seen[i] = 2 * n >= k * k;
            image->grey[i] = n ? (float)(sum / n) : 0;
        }
    }
done:
    intra_free(w.rgba);
    return status;
}

/* A coarser copy: means over about COARSE x COARSE cells; the rows close around the pipe. */
static void coarsen(const struct intra_match_image *fine, struct intra_match_image *coarse)
{
    for (int row = 0; row < coarse->rows; row++) {
        int r0 = (int)((int64_t)row * fine->rows / coarse->rows),
            r1 = (int)((int64_t)(row + 1) * fine->rows / coarse->rows);
        for (int c = 0; c < coarse->cols; c++) {
            double sum = 0;
            int n = 0, all = 0;
            for (int r = r0; r < r1; r++) {
                for (int k = COARSE * c; k < COARSE * (c + 1); k++) {
                    size_t i = (size_t)r * (size_t)fine->cols + (size_t)k;
                    all++;
                    n += fine->seen[i];
                    if (fine->seen[i]) sum += (double)fine->grey[i];
                }
            }
            coarse->seen[(size_t)row * (size_t)coarse->cols + (size_t)c] = 2 * n >= all;
            coarse->grey[(size_t)row * (size_t)coarse->cols + (size_t)c] = n ? (float)(sum / n) : 0;
        }
    }
}

/* The images of one chunk. */
struct window {
    struct intra_match_image truth, ours, truth_coarse, ours_coarse;
    float *scratch;
};

static void match_block(const struct wall_job *job, const struct window *w, double extra_m, struct block *b)
{
    const struct intra_tiff_info *g = job->grid;
    double rows_ratio = (double)w->truth.rows / w->truth_coarse.rows;
    int coarse_block = 2 * job->block / COARSE;
    int coarse_row = (int)floor((b->row - job->block / 2) / rows_ratio),
        coarse_col = (b->col - job->block / 2) / COARSE;
    struct intra_match coarse, fine;
    b->verdict = BLOCK_UNSEEN;
    if (intra_match_seen(&w->truth, b->row, b->col, job->block) < 1) return;
    b->verdict = BLOCK_FLAT;
    if (intra_match_contrast(&w->truth, b->row, b->col, job->block) < min_contrast) return;
    b->verdict = BLOCK_UNSEEN;
    if (intra_match_seen(&w->ours, b->row, b->col, job->block) < min_seen) return;
    b->verdict = BLOCK_UNSURE;
    coarse = intra_match_block(&w->truth_coarse, &w->ours_coarse, coarse_row, coarse_col, coarse_block, 0, 0,
                               job->reach / COARSE, 3);
    if (coarse.correlation < min_coarse || coarse.correlation - coarse.second < min_margin || !coarse.is_inside) return;
    fine = intra_match_block(&w->truth, &w->ours, b->row, b->col, job->block, (int)lround(coarse.d_row * rows_ratio),
                             (int)lround(coarse.d_col * COARSE), FINE_REACH, 3);
    if (fine.correlation < min_fine || !fine.is_inside) return;
    b->verdict = BLOCK_MATCHED;
    b->local_m = fine.d_col * g->cell_x_m;
    b->along_m = b->local_m + extra_m;
    b->around_m = fine.d_row * g->cell_y_m + off_centre_m(job, b->station_m, b->theta_rad);
    b->likeness = fine.correlation;
}

static enum intra_status fill_window(const struct wall_job *job, int64_t first, double extra_m, struct window *w,
                                     struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    double cell = job->grid->cell_x_m;
    fill_truth(job, first, &w->truth);
    INTRA_TRY(fill_ours(job, first, extra_m, &w->ours, err));
    intra_match_bandpass(&w->truth, fine_sd_m / cell, wide_sd_m / cell, w->scratch);
    intra_match_bandpass(&w->ours, fine_sd_m / cell, wide_sd_m / cell, w->scratch);
    coarsen(&w->truth, &w->truth_coarse);
    coarsen(&w->ours, &w->ours_coarse);
done:
    return status;
}

/* Blocks that begin in columns [col, col + chunk). */
static enum intra_status match_chunk(struct wall_job *job, int64_t col, struct window *w, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_tiff_info *g = job->grid;
    int64_t first = col - job->pad, begin = job->n_blocks;
    double middle_m = g->x_left_m + ((double)col + job->chunk / 2.0) * g->cell_x_m;
    double extra_m = intra_eval_station(job->e, middle_m) - middle_m - job->e->shift_s_m;
    extra_m = round(extra_m / g->cell_x_m) * g->cell_x_m;
    INTRA_TRY(fill_window(job, first, extra_m, w, err));
    for (int c = 0; c + job->block <= job->chunk && col + c + job->block <= g->cols; c += job->block) {
        for (int row = 0; row + job->block <= g->rows; row += job->block) {
            struct block *b = &job->blocks[job->n_blocks];
            double station = g->x_left_m + ((double)(col + c) + job->block / 2.0) * g->cell_x_m;
            double theta = M_PI + 2 * M_PI * (row + job->block / 2.0) / g->rows;
            if (job->n_blocks == job->cap_blocks) break;
            memset(b, 0, sizeof *b);
            b->row = row;
            b->col = job->pad + c;
            b->station_m = station;
            b->theta_rad = fmod(theta, 2 * M_PI);
            b->verdict = is_obstructed(job, station, theta) ? BLOCK_SHAPE : BLOCK_UNSURE;
            job->n_blocks++;
        }
    }
#pragma omp parallel for schedule(dynamic)
    for (int64_t i = begin; i < job->n_blocks; i++)
        if (job->blocks[i].verdict != BLOCK_SHAPE) match_block(job, w, extra_m, &job->blocks[i]);
done:
    return status;
}

static enum intra_status match_wall(struct wall_job *job, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_tiff_info *g = job->grid;
    struct window w = {0};
    int cols;
    job->block = 2 * COARSE * (int)lround(block_m / g->cell_x_m / (2 * COARSE));
    job->pad = COARSE * (int)ceil(pad_m / g->cell_x_m / COARSE);
    job->chunk = job->block * (int)fmax(1, floor(chunk_m / block_m));
    job->reach = (int)lround(reach_m / g->cell_x_m);
    if (job->block < 16 || g->rows < 4 * job->block || job->reach / COARSE > INTRA_MATCH_MAX_REACH) return INTRA_OK;
    cols = COARSE * ((job->chunk + 2 * job->pad) / COARSE);
    job->cap_blocks = (g->cols / job->block + 1) * (g->rows / job->block);
    INTRA_TRY(INTRA_ALLOC(job->blocks, (size_t)job->cap_blocks, err));
    INTRA_TRY(image_init(&w.truth, g->rows, cols, err));
    INTRA_TRY(image_init(&w.ours, g->rows, cols, err));
    INTRA_TRY(image_init(&w.truth_coarse, g->rows / COARSE, cols / COARSE, err));
    INTRA_TRY(image_init(&w.ours_coarse, g->rows / COARSE, cols / COARSE, err));
    INTRA_TRY(INTRA_ALLOC(w.scratch, 4 * (size_t)g->rows * (size_t)cols, err));
    for (int64_t col = 0; col + job->block <= g->cols; col += job->chunk)
        INTRA_TRY(match_chunk(job, col, &w, err));
done:
    image_fini(&w.truth);
    image_fini(&w.ours);
    image_fini(&w.truth_coarse);
    image_fini(&w.ours_coarse);
    intra_free(w.scratch);
    return status;
}

/* RMS displacement when every connected stretch has a shift of its own: what is left when a gap of unknown length is
 * forgiven. */
static enum intra_status segments_rms(const struct wall_job *job, double *out_mm, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    double *along = NULL, *around = NULL, *sorted = NULL, square = 0;
    int64_t all = 0;
    INTRA_TRY(INTRA_ALLOC(along, (size_t)job->n_blocks, err));
    INTRA_TRY(INTRA_ALLOC(around, (size_t)job->n_blocks, err));
    INTRA_TRY(INTRA_ALLOC(sorted, (size_t)job->n_blocks, err));
    for (int s = 0; s < job->e->n_segments; s++) {
        double shift_along, shift_around;
        int64_t n = 0;
        for (int64_t i = 0; i < job->n_blocks; i++) {
            const struct block *b = &job->blocks[i];
            if (b->verdict != BLOCK_MATCHED) continue;
            if (intra_eval_segment_at(job->e, b->station_m + job->e->shift_s_m + b->along_m) != s) continue;
            along[n] = 1e3 * b->along_m;
            around[n++] = 1e3 * b->around_m;
        }
        memcpy(sorted, along, (size_t)n * sizeof *sorted);
        shift_along = intra_stats_median(sorted, n);
        memcpy(sorted, around, (size_t)n * sizeof *sorted);
        shift_around = intra_stats_median(sorted, n);
        for (int64_t i = 0; i < n; i++) {
            double a = along[i] - shift_along, b = around[i] - shift_around;
            square += a * a + b * b;
        }
        all += n;
    }
    *out_mm = all ? sqrt(square / (double)all) : NAN;
done:
    intra_free(along);
    intra_free(around);
    intra_free(sorted);
    return status;
}

static enum intra_status add_figures(struct wall_job *job, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_figures *f = &job->e->figures;
    double *along = NULL, *around = NULL, *both = NULL, *local = NULL, *likeness = NULL;
    double shift_along, shift_around, shift_local, by_segment = NAN;
    int64_t count[BLOCK_VERDICTS] = {0}, n = 0, tried;
    size_t room = (size_t)job->n_blocks;
    INTRA_TRY(INTRA_ALLOC(along, room, err));
    INTRA_TRY(INTRA_ALLOC(around, room, err));
    INTRA_TRY(INTRA_ALLOC(both, room, err));
    INTRA_TRY(INTRA_ALLOC(local, room, err));
    INTRA_TRY(INTRA_ALLOC(likeness, room, err));
    for (int64_t i = 0; i < job->n_blocks; i++) {
        const struct block *b = &job->blocks[i];
        count[b->verdict]++;
        if (b->verdict != BLOCK_MATCHED) continue;
        along[n] = 1e3 * b->along_m;
        around[n] = 1e3 * b->around_m;
        local[n] = 1e3 * b->local_m;
        likeness[n++] = b->likeness;
    }
    memcpy(both, along, (size_t)n * sizeof *both);
    shift_along = intra_stats_median(both, n);
    memcpy(both, around, (size_t)n * sizeof *both);
    shift_around = intra_stats_median(both, n);
    memcpy(both, local, (size_t)n * sizeof *both);
    shift_local = intra_stats_median(both, n);
    for (int64_t i = 0; i < n; i++) {
        along[i] -= shift_along;
        around[i] -= shift_around;
        local[i] -= shift_local;
        both[i] = hypot(along[i], around[i]);
    }
    INTRA_TRY(segments_rms(job, &by_segment, err));
    tried = count[BLOCK_MATCHED] + count[BLOCK_UNSURE];
    intra_figures_heading(f, "Unrolled wall");
    intra_figures_add(f, "unroll_rms_mm", "displacement of the texture after one shift, RMS", intra_stats_rms(both, n),
                      "mm", n);
    intra_figures_add(f, "unroll_along_rms_mm", "  along the pipe, RMS", intra_stats_rms(along, n), "mm", n);
    intra_figures_add(f, "unroll_around_rms_mm", "  around the pipe, RMS", intra_stats_rms(around, n), "mm", n);
    intra_figures_add(f, "unroll_segments_rms_mm", "  RMS with one shift per connected stretch", by_segment, "mm", n);
    intra_figures_add(f, "unroll_median_mm", "  median", intra_stats_median(both, n), "mm", n);
    intra_figures_add(f, "unroll_p95_mm", "  95th percentile", intra_stats_percentile(both, n, 0.95), "mm", n);
    intra_figures_add(f, "unroll_local_rms_mm", "  along, against the trajectory there, RMS", intra_stats_rms(local, n),
                      "mm", n);
    intra_figures_add(f, "unroll_matched_pct", "blocks matched with confidence, of those tried",
                      tried ? 100.0 * (double)count[BLOCK_MATCHED] / (double)tried : NAN, "%", tried);
    intra_figures_add(f, "unroll_left_out_shape", "blocks left out: joint, lateral or water",
                      (double)count[BLOCK_SHAPE], "blocks", job->n_blocks);
    intra_figures_add(f, "unroll_left_out_flat", "blocks left out: no texture in the truth", (double)count[BLOCK_FLAT],
                      "blocks", job->n_blocks);
    intra_figures_add(f, "unroll_left_out_unseen", "blocks left out: not seen in the result",
                      (double)count[BLOCK_UNSEEN], "blocks", job->n_blocks);
    intra_figures_add(f, "unroll_shift_along_mm", "shift of the texture along, beyond the stations'", shift_along, "mm",
                      n);
    intra_figures_add(f, "unroll_shift_around_mm", "shift of the texture around, beyond the roll's", shift_around, "mm",
                      n);
    intra_figures_add(f, "texture_likeness", "likeness of the texture (median correlation)",
                      intra_stats_median(likeness, n), "", n);
done:
    intra_free(along);
    intra_free(around);
    intra_free(both);
    intra_free(local);
    intra_free(likeness);
    return status;
}

static enum intra_status write_blocks(const struct wall_job *job, const char *path, struct intra_error *err)
{
    static const char *const names[BLOCK_VERDICTS] = {"matched", "unsure", "shape", "flat", "unseen"};
    enum intra_status status = INTRA_OK;
    struct intra_out_file file = {0};
    INTRA_TRY(intra_out_file_open(&file, path, err));
    fprintf(file.stream, "station_m,clock_deg,verdict,along_mm,around_mm,along_local_mm,likeness\n");
    for (int64_t i = 0; i < job->n_blocks; i++) {
        const struct block *b = &job->blocks[i];
        fprintf(file.stream, "%.3f,%.1f,%s", b->station_m, b->theta_rad * 180 / M_PI, names[b->verdict]);
        if (b->verdict == BLOCK_MATCHED)
            fprintf(file.stream, ",%.3f,%.3f,%.3f,%.4f\n", 1e3 * b->along_m, 1e3 * b->around_m, 1e3 * b->local_m,
                    b->likeness);
        else
            fprintf(file.stream, ",,,,\n");
    }
    INTRA_TRY(intra_out_file_commit(&file, err));
done:
    intra_out_file_abandon(&file);
    return status;
}

enum intra_status intra_evaluate_wall(struct intra_evaluation *e, const char *blocks_path, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct wall_job job = {.e = e};
    char truth[1200], ours[1200];
    if (intra_eval_find(e->truth_dir, "albedo.tif", truth, sizeof truth) &&
        intra_eval_find(e->out_dir, "unrolled.tif", ours, sizeof ours)) {
        INTRA_TRY(intra_tiff_open(truth, &job.albedo, err));
        INTRA_TRY(intra_tiff_open(ours, &job.ours, err));
        job.grid = intra_tiff_info(job.albedo);
        if (job.grid->is_float || job.grid->samples < 3 || intra_tiff_info(job.ours)->is_float ||
            intra_tiff_info(job.ours)->samples != 4) {
            status = INTRA_FAIL(err, INTRA_E_FORMAT, "%s, %s: want 8-bit colour, ours with alpha", truth, ours);
            goto done;
        }
        INTRA_TRY(read_truth(&job, err));
        INTRA_TRY(read_obstacles(&job, err));
        INTRA_TRY(read_centres(&job, err));
        INTRA_TRY(match_wall(&job, err));
    }
    INTRA_TRY(add_figures(&job, err));
    if (blocks_path) INTRA_TRY(write_blocks(&job, blocks_path, err));
done:
    intra_tiff_close(&job.albedo);
    intra_tiff_close(&job.ours);
    intra_free(job.truth);
    intra_free(job.joints);
    intra_free(job.mouths);
    intra_free(job.pools);
    intra_free(job.centre);
    intra_free(job.blocks);
    return status;
}
