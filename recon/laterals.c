/* From the outside in: stretches of the wall into mouths (recon/mouth), each mouth with what light, relief and coverage
 * say of it, the best of what overlaps, what passes into laterals. */
#include "recon/laterals.h"

#include "core/fileio.h"
#include "core/image.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/select.h"
#include "recon/mouth.h"
#include "recon/stub.h"
#include "recon/wall_cells.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_GROUP = 256, MOST_PICTURE_COLS = 16000 };

#define CELLS_A_RADIUS 40.0
#define WIDEST_CELL_M 0.008
#define CORE_RADII 8.0
#define MARGIN_RADII 1.3
/* Holes are smaller than connections: those of house drains are DN 75 and more, those of sewers DN 100. In pipes that
 * one walks in, bricks are as large as that. */
#define LEAST_RADIUS_M 0.034
#define LEAST_SEWER_RADIUS_M 0.0425
#define SEWER_SHARE 0.15 /* of the pipe's radius, between the two */
#define LEAST_SHARE 0.11
#define SMALL_BORE 0.8 /* of the least radius: the bore of one that stands in may seem so small */
#define MOST_RADIUS_M 0.3
#define MOST_SHARE 0.97  /* of the pipe's radius */
#define LEAST_CIRCLE 0.3 /* score of a circle that is looked at further */
#define ON_JOINT 1.0     /* radii of a mouth, from its middle: a joint that runs through there */
#define CLEAR_ON_JOINT                                                                                                 \
    0.4 /* the same of a clear mouth that is hardly measured inside: there is one, and the joint ends at it */
#define WITHIN 1.1       /* radii of the larger one */
/* What a lateral must have: */
#define LEAST_SCORE 0.85
#define INVERT_SCORE 0.93 /* about the invert, where debris lies and hardly a connection joins: */
#define INVERT_RAD 0.5    /* so far from it, */
#define INVERT_CONTRAST 0.25 /* and debris has round ends, but none so dark */
/* What is dark as a hole (or bright), round, and hardly measured inside may have less of an edge; in brick walls bricks
 * are as dark, but no holes. */
#define OPEN_CONTRAST 0.5
#define OPEN_REST 0.03
#define OPEN_STRETCH 0.1 /* beside 1 */
#define OPEN_MEASURED 0.3
#define OPEN_SCORE 0.75
#define OPEN_COHERENT 0.8
#define BLACK_CONTRAST 0.57 /* no brick is so dark: */
#define BLACK_COHERENT 0.7
#define LEAST_COHERENT 0.9
#define LEAST_SEEN 0.85
#define LEAST_CONTRAST 0.08 /* log luminance and colour, inside against around: */
#define AROUND 1.5          /* radii */
#define MOST_REST 0.06
#define LEAST_STRETCH 0.85 /* a hole or a stain is seldom round; a branch at an angle is longer than wide */
#define MOST_STRETCH 1.3
#define LEAST_VIEWS 4.0
#define FEW_VIEWS 3.0 /* enough where what stands in says so too, or the mouth is dark: */
#define DARK_CONTRAST 0.25
#define FEWEST_VIEWS 2.0 /* as large pipes give them: enough for a darker one */
#define DARKER_CONTRAST 0.35
#define GRAINS_A_RADIUS 12.0 /* ground resolution, the least */
#define BULGE_SHARE 0.025    /* of the pipe's radius: what stands so far into the pipe in the middle is a deposit, */
#define BULGE_NODES 30       /* measured so often, */
#define BULGE_MEASURED 0.5   /* and on so much of the middle (in the picture of a stub only its end is), */
#define RIM_OVER 1.5         /* but where the rim does so many times as far, */
#define RIM_CLEAR 1.15       /* or so many, of what is as dark as an open mouth and whose edge */
#define CLEAR_SCORE 0.95     /* stands out nearly all around */
#define WALL_MEASURED 0.8    /* of the middle, neither deeper nor higher than that: the wall itself, a brick say */
#define MIDDLE_EVIDENCE 0.85
#define EVIDENCE_WIDTH 0.03
#define STUB_SHADOW 2.5       /* times what it stands in, along the wall behind its end */
#define STATION_FLOOR_M 0.004 /* what light and blur do to an edge, */
#define CLOCK_FLOOR_RAD 0.012
#define DIAMETER_FLOOR 0.05  /* of the diameter, */
#define PROTRUDING_FLOOR 0.1 /* and where its outer side and its rim are seen, not the mouth */

struct candidate {
    double station_m, theta_rad, radius_m, station_sd_m, theta_sd_rad, radius_sd_m;
    double stretch, score, coherent, seen, rest;
    double contrast;       /* how much light and colour inside differ from those around, log */
    double deep_m, rim_m;  /* relief: median of the middle, lowest tenth of the rim */
    int n_deep, n_rim;     /* nodes of the relief measured there, */
    int n_middle;          /* and all in the middle */
    double grain_m, views; /* medians of ground resolution and number of views */
    struct intra_stub stub; /* of a mouth: its end, where it stands in */
    bool is_lateral;
};

struct finder {
    struct intra_scene *scene;
    int threads;
    double radius_m;
    struct intra_wall_cells cells;
    struct intra_mouth_stretch stretch;
    float *relief, *coverage; /* columns of the wall around one mouth */
    double *numbers;
    struct candidate *found;
    int64_t n_found, cap_found;
    struct intra_view_u8 picture; /* of debug_dir; empty: none wanted */
    int64_t picture_cells;        /* cells a column of it */
};

static double apart_m(const struct finder *f, const struct candidate *a, const struct candidate *b)
{
    return hypot(a->station_m - b->station_m, f->radius_m * remainder(a->theta_rad - b->theta_rad, 2 * M_PI));
}

/* The candidate, or the better one of the same place. */
static enum intra_status add_candidate(struct finder *f, const struct candidate *c, struct intra_error *err)
{
    for (int64_t i = 0; i < f->n_found; i++) {
        struct candidate *o = &f->found[i];
        double small = fmin(o->radius_m, c->radius_m), large = fmax(o->radius_m, c->radius_m);
        if (apart_m(f, o, c) > 0.8 * large || large > INTRA_MOUTH_ONE_SIZE * small) continue;
        if (o->score < c->score) *o = *c;
        return INTRA_OK;
    }
    if (f->n_found == f->cap_found) {
        int64_t cap = f->cap_found ? 2 * f->cap_found : 64;
        struct candidate *grown = intra_resize(f->found, (size_t)f->n_found, (size_t)cap, sizeof *grown);
        if (!grown) return INTRA_FAIL(err, INTRA_E_MEM, "out of memory for %lld mouths on the wall", (long long)cap);
        f->found = grown;
        f->cap_found = cap;
    }
    f->found[f->n_found++] = *c;
    return INTRA_OK;
}

/* Distance of a point of the wall from the lateral's axis, over its radius. */
static double share_at(const struct finder *f, const struct candidate *c, double station_m, double theta)
{
    double turn = remainder(theta - c->theta_rad, 2 * M_PI);
    double across = fabs(turn) < M_PI / 2 ? f->radius_m * sin(turn) : INFINITY;
    return hypot((station_m - c->station_m), across) / c->radius_m;
}

struct mean {
    double sum;
    int n;
};

static double mean_of(const struct mean *m)
{
    return m->n ? m->sum / m->n : NAN;
}

static void add_to(struct mean *m, float value)
{
    m->sum += (double)value;
    m->n++;
}

/* Light and colour inside against those around; or, where both are as bright on the whole, that the far half inside is
 * lit and the near one dark as the wall around is not. */
static void measure_contrast(const struct finder *f, struct candidate *c, double station0_m)
{
    const struct intra_mouth_stretch *m = &f->stretch;
    struct mean light[2] = {{0}}, chroma[2] = {{0}}, half[2][2] = {{{0}}}; /* inside, around; near, far */
    double middle = (c->station_m - station0_m) / m->cell_m, reach = AROUND * c->radius_m / m->cell_m + 1;
    int from = (int)fmax(0, middle - reach), to = (int)fmin(m->n, middle + reach);
    for (int row = 0; row < m->rows; row++)
        for (int col = from; col < to; col++) {
            size_t at = (size_t)row * (size_t)m->n + (size_t)col;
            if (!isfinite(m->light[at])) continue;
            double station = station0_m + (col + 0.5) * m->cell_m;
            double share = share_at(f, c, station, 2 * M_PI * (row + 0.5) / m->rows);
            int side = share < 0.85 ? 0 : share > 1.15 && share < AROUND ? 1 : -1;
            if (side < 0) continue;
            add_to(&light[side], m->light[at]);
            add_to(&chroma[side], m->chroma[at]);
            add_to(&half[side][station > c->station_m], m->light[at]);
        }
    double all = hypot(mean_of(&light[0]) - mean_of(&light[1]), mean_of(&chroma[0]) - mean_of(&chroma[1]));
    double lean = (mean_of(&half[0][1]) - mean_of(&half[0][0])) - (mean_of(&half[1][1]) - mean_of(&half[1][0]));
    c->contrast = isfinite(all) ? fmax(all, isfinite(lean) ? fabs(lean) / 2 : 0) : 0;
}

enum { IN_RELIEF, RIM_RELIEF, VIEWS, GRAIN, N_NUMBERS, MOST_NUMBERS = 4096 };

static double median(double *values, int n)
{
    return n ? intra_select(values, n, n / 2) : NAN;
}

/* What was measured of the wall's shape inside and on the rim, and how well it was seen. */
static enum intra_status measure_relief(struct finder *f, struct candidate *c, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_wall *wall = &f->scene->wall;
    double reach = 1.6 * c->radius_m, *numbers[N_NUMBERS];
    int64_t from = (int64_t)floor((c->station_m - reach - wall->station0_m) / wall->texel_m),
            to = (int64_t)ceil((c->station_m + reach - wall->station0_m) / wall->texel_m);
    int n[N_NUMBERS] = {0};
    for (int k = 0; k < N_NUMBERS; k++)
        numbers[k] = f->numbers + (size_t)k * MOST_NUMBERS;
    int step = (int)fmax(1, reach / wall->texel_m / 25);
    from = from < 0 ? 0 : from;
    to = to > wall->cols ? wall->cols : to;
    for (int64_t col = from; col < to; col += step) {
        double s = wall->station0_m + ((double)col + 0.5) * wall->texel_m;
        INTRA_TRY(intra_raster_read(wall->relief, col, 1, f->relief, err));
        INTRA_TRY(intra_raster_read(wall->coverage, col, 1, f->coverage, err));
        for (int row = 0; row < wall->rows; row += step) {
            double share = share_at(f, c, s, wall->cut_rad + 2 * M_PI * (row + 0.5) / wall->rows);
            float relief = f->relief[row];
            if (share > 1.6) continue;
            if (share < 1.2 && n[GRAIN] < MOST_NUMBERS)
                numbers[GRAIN][n[GRAIN]++] = (double)f->coverage[2 * row],
                numbers[VIEWS][n[VIEWS]++] = (double)f->coverage[2 * row + 1];
            int kind = share < 0.7 ? IN_RELIEF : share > 0.8 && share < 1.25 ? RIM_RELIEF : N_NUMBERS;
            c->n_middle += kind == IN_RELIEF;
            if (kind != N_NUMBERS && isfinite(relief) && n[kind] < MOST_NUMBERS)
                numbers[kind][n[kind]++] = (double)relief;
        }
    }
    c->deep_m = median(numbers[IN_RELIEF], n[IN_RELIEF]);
    c->rim_m = n[RIM_RELIEF] ? intra_select(numbers[RIM_RELIEF], n[RIM_RELIEF], n[RIM_RELIEF] / 10) : NAN;
    c->grain_m = median(numbers[GRAIN], n[GRAIN]);
    c->views = median(numbers[VIEWS], n[VIEWS]);
    c->n_deep = n[IN_RELIEF], c->n_rim = n[RIM_RELIEF];
done:
    return status;
}

static enum intra_status judge_mouth(struct finder *f, const struct intra_mouth *mouth, double station0_m,
                                     struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    double cell = f->stretch.cell_m;
    struct candidate c = {.station_m = station0_m + (mouth->s + 0.5) * cell,
                          .theta_rad = mouth->theta_rad,
                          .radius_m = mouth->radius * cell,
                          .station_sd_m = mouth->s_sd * cell,
                          .theta_sd_rad = mouth->theta_sd_rad,
                          .radius_sd_m = mouth->radius_sd * cell,
                          .stretch = mouth->stretch,
                          .score = mouth->score,
                          .coherent = mouth->coherent,
                          .seen = mouth->seen,
                          .rest = mouth->rest};
    if (!(c.radius_m > 0.8 * LEAST_RADIUS_M) || c.radius_m > f->radius_m) return INTRA_OK;
    measure_contrast(f, &c, station0_m);
    INTRA_TRY(measure_relief(f, &c, err));
    INTRA_TRY(add_candidate(f, &c, err));
done:
    return status;
}

static enum intra_status search_stretch(struct finder *f, int64_t core_col, int64_t core_cols, int64_t margin_cols,
                                        struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_wall *wall = &f->scene->wall;
    struct intra_mouth mouths[INTRA_MOUTH_MOST];
    int64_t col = core_col - margin_cols;
    double station0 = wall->station0_m + (double)col * wall->texel_m;
    int group = f->cells.group, from = (int)(margin_cols / group), to = (int)((margin_cols + core_cols) / group);
    INTRA_TRY(intra_wall_cells_read(&f->cells, col, f->stretch.n, f->stretch.light, f->stretch.chroma, err));
    intra_mouth_edges(&f->stretch);
    int n = intra_mouth_search(&f->stretch, from, to, LEAST_RADIUS_M, fmin(MOST_RADIUS_M, MOST_SHARE * f->radius_m),
                               LEAST_CIRCLE, INTRA_MOUTH_MOST, f->threads, mouths);
    for (int i = 0; i < n; i++)
        if (intra_mouth_refine(&f->stretch, &mouths[i])) INTRA_TRY(judge_mouth(f, &mouths[i], station0, err));
done:
    return status;
}

static double least_radius_m(const struct finder *f)
{
    double least = fmin(fmax(LEAST_RADIUS_M, SEWER_SHARE * f->radius_m), LEAST_SEWER_RADIUS_M);
    return fmax(least, LEAST_SHARE * f->radius_m);
}

/* As dark as an open mouth, with an edge nearly all around. */
static bool is_clear(const struct candidate *c)
{
    return c->contrast >= OPEN_CONTRAST && c->score >= CLEAR_SCORE && c->coherent >= CLEAR_SCORE;
}

/* A mouth cuts a joint's ring, so what a joint runs through is none: roots that come in there close to circles. */
static bool is_on_joint(const struct finder *f, const struct candidate *c)
{
    double share = is_clear(c) && c->n_deep <= OPEN_MEASURED * c->n_middle ? CLEAR_ON_JOINT : ON_JOINT;
    for (int64_t i = 0; i < f->scene->n_features; i++) {
        const struct intra_feature *joint = &f->scene->features[i];
        if (joint->kind == INTRA_FEATURE_JOINT && fabs(joint->station_m - c->station_m) < share * c->radius_m)
            return true;
    }
    return false;
}

static bool is_open(const struct candidate *c)
{
    return c->contrast >= OPEN_CONTRAST && c->rest <= OPEN_REST && fabs(c->stretch - 1) <= OPEN_STRETCH &&
           c->n_deep <= OPEN_MEASURED * c->n_middle;
}

static bool has_edge(const struct candidate *c)
{
    bool is_at_invert = fabs(intra_wrap_pi(c->theta_rad - M_PI)) < INVERT_RAD;
    if (is_open(c) && !is_at_invert)
        return c->score >= OPEN_SCORE &&
               c->coherent >= (c->contrast >= BLACK_CONTRAST ? BLACK_COHERENT : OPEN_COHERENT);
    return c->score >= (is_at_invert ? INVERT_SCORE : LEAST_SCORE) && c->coherent >= LEAST_COHERENT &&
           c->contrast >= (is_at_invert ? INVERT_CONTRAST : LEAST_CONTRAST);
}

static bool is_mouth(const struct finder *f, const struct candidate *c)
{
    bool is_wall = c->n_deep >= BULGE_NODES && c->n_deep >= WALL_MEASURED * c->n_middle &&
                   fabs(c->deep_m) < BULGE_SHARE * f->radius_m;
    /* The end of a stub is a rim that stands in further than what is seen within it; of a clear mouth a little is
     * enough. */
    bool is_bulge = c->n_deep >= BULGE_NODES && c->n_deep >= BULGE_MEASURED * c->n_middle &&
                    c->deep_m < -BULGE_SHARE * f->radius_m &&
                    c->rim_m > (is_clear(c) ? RIM_CLEAR : RIM_OVER) * c->deep_m;
    double views = c->contrast >= DARKER_CONTRAST ? FEWEST_VIEWS : FEW_VIEWS;
    return has_edge(c) && c->views >= views && c->seen >= LEAST_SEEN && c->rest <= MOST_REST &&
           c->stretch >= LEAST_STRETCH && c->stretch <= MOST_STRETCH && c->grain_m * GRAINS_A_RADIUS <= c->radius_m &&
           !is_wall && !is_bulge && !is_on_joint(f, c);
}

/* The diameter of a mouth and its deviation; where it stands in the ring of its end has a say. */
static double diameter_of(const struct candidate *c, double *out_sd)
{
    double diameter = 2 * c->radius_m;
    *out_sd = hypot(2 * c->radius_sd_m, (c->stub.is_found ? PROTRUDING_FLOOR : DIAMETER_FLOOR) * diameter);
    if (c->stub.is_found) intra_stub_share_diameter(&c->stub, &diameter, out_sd);
    return diameter;
}

/* As large as a connection is, and seen often? The picture of one that stands in is that of its bore, seen past its
 * rim, and is too small: there the ring of its end tells. It vouches for a mouth that few views show, too; but what
 * comes out far too small with it is none. Looks for the end. */
static enum intra_status find_connection(const struct finder *f, struct candidate *c, struct intra_error *err)
{
    double least = least_radius_m(f), sd;
    c->is_lateral = false;
    if (c->radius_m < SMALL_BORE * least) return INTRA_OK;
    enum intra_status status =
        intra_stub_find(f->scene, c->station_m, c->theta_rad, c->radius_m, c->radius_sd_m, &c->stub, err);
    if (status != INTRA_OK) return status;
    bool is_plain = c->radius_m >= least && (c->views >= LEAST_VIEWS || c->contrast >= DARK_CONTRAST);
    c->is_lateral = c->stub.is_found
                        ? (is_plain || c->stub.radius_m >= least) && diameter_of(c, &sd) >= 2 * SMALL_BORE * least
                        : is_plain;
    return INTRA_OK;
}

static int compare_score(const void *a, const void *b)
{
    double x = ((const struct candidate *)a)->score, y = ((const struct candidate *)b)->score;
    return (x < y) - (x > y);
}

static int compare_station(const void *a, const void *b)
{
    double x = ((const struct candidate *)a)->station_m, y = ((const struct candidate *)b)->station_m;
    return x < y ? -1 : x > y;
}

/* Within another mouth, larger by more than one and the same can seem? */
static bool is_within(const struct finder *f, const struct candidate *c, const struct candidate *mouth)
{
    return mouth->radius_m > INTRA_MOUTH_ONE_SIZE * c->radius_m &&
           apart_m(f, c, mouth) + c->radius_m < WITHIN * mouth->radius_m;
}

/* On the wall that the end of a stub hides from the camera that comes? What is seen there is its outside and shadow. */
static bool is_behind_stub(const struct finder *f, const struct candidate *c, const struct candidate *mouth)
{
    const struct intra_stub *stub = &mouth->stub;
    double along = c->station_m - stub->station_m,
           around = f->radius_m * remainder(c->theta_rad - stub->theta_rad, 2 * M_PI);
    return stub->is_found && c->radius_m < mouth->radius_m && fabs(around) < stub->radius_m + c->radius_m &&
           along > 0 && along < stub->radius_m + STUB_SHADOW * stub->intrusion_m;
}

/* The best of what overlaps; what lies within a mouth, as its lit flank does, or behind a stub is none of its own. */
static enum intra_status choose(struct finder *f, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    if (f->n_found) qsort(f->found, (size_t)f->n_found, sizeof *f->found, compare_score);
    for (int64_t i = 0; i < f->n_found; i++)
        f->found[i].is_lateral = is_mouth(f, &f->found[i]);
    for (int64_t i = 0; i < f->n_found; i++)
        for (int64_t k = 0; k < f->n_found && f->found[i].is_lateral; k++)
            if (f->found[k].is_lateral && is_within(f, &f->found[i], &f->found[k])) f->found[i].is_lateral = false;
    for (int64_t i = 0; i < f->n_found; i++) {
        struct candidate *c = &f->found[i];
        if (c->is_lateral) INTRA_TRY(find_connection(f, c, err));
        for (int64_t k = 0; k < i && c->is_lateral; k++)
            if (f->found[k].is_lateral && apart_m(f, c, &f->found[k]) < c->radius_m + f->found[k].radius_m)
                c->is_lateral = false;
    }
    for (int64_t i = 0; i < f->n_found; i++)
        for (int64_t k = 0; k < f->n_found && f->found[i].is_lateral; k++)
            if (k != i && f->found[k].is_lateral && is_behind_stub(f, &f->found[i], &f->found[k]))
                f->found[i].is_lateral = false;
    if (f->n_found) qsort(f->found, (size_t)f->n_found, sizeof *f->found, compare_station);
done:
    return status;
}

static enum intra_status add_lateral(struct finder *f, const struct candidate *c, struct intra_error *err)
{
    struct intra_feature lateral = intra_feature_unknown();
    const struct intra_stub *stub = &c->stub;
    lateral.kind = INTRA_FEATURE_LATERAL;
    lateral.station_m = c->station_m;
    lateral.station_sd_m =
        hypot(hypot(c->station_sd_m, STATION_FLOOR_M), intra_scene_station_sd(f->scene, c->station_m));
    lateral.clock_rad = c->theta_rad;
    double clock_floor = hypot(CLOCK_FLOOR_RAD, intra_scene_roll_sd(f->scene, c->station_m));
    lateral.clock_sd_rad = hypot(c->theta_sd_rad, clock_floor);
    lateral.diameter_m = diameter_of(c, &lateral.diameter_sd_m);
    if (stub->is_found) { /* what stands in is seen displaced forward on the wall, by about as much as it stands in */
        lateral.intrusion_m = stub->intrusion_m;
        lateral.intrusion_sd_m = stub->intrusion_sd_m;
        lateral.station_m = stub->station_m;
        lateral.station_sd_m = hypot(stub->station_sd_m, intra_scene_station_sd(f->scene, c->station_m));
        lateral.clock_rad = stub->theta_rad;
        lateral.clock_sd_rad = hypot(stub->theta_sd_rad, clock_floor);
    }
    lateral.confidence = 1 / (1 + exp((MIDDLE_EVIDENCE - 0.5 * (c->score + c->coherent)) / EVIDENCE_WIDTH));
    return intra_scene_add_feature(f->scene, &lateral, err);
}

/* ---- for debugging ---- */

static enum intra_status start_picture(struct finder *f, struct intra_error *err)
{
    int64_t cells = f->scene->wall.cols / f->cells.group + 1;
    f->picture_cells = cells / MOST_PICTURE_COLS + 1;
    return intra_image_u8_init(&f->picture, f->stretch.rows, (int)(cells / f->picture_cells) + 1, 3, err);
}

static void put(struct finder *f, int row, int64_t col, const uint8_t colour[3])
{
    row = ((row % f->picture.rows) + f->picture.rows) % f->picture.rows;
    if (col >= 0 && col < f->picture.cols) memcpy(intra_row_u8(&f->picture, row) + 3 * col, colour, 3);
}

static void add_to_picture(struct finder *f, int from, int to, int64_t at)
{
    const struct intra_mouth_stretch *m = &f->stretch;
    for (int row = 0; row < m->rows; row++) /* 6 o'clock on top, as in unrolled.tif */
        for (int col = from; col < to; col++) {
            float light = m->light[(size_t)((row + m->rows / 2) % m->rows) * (size_t)m->n + (size_t)col];
            uint8_t grey = isfinite(light) ? (uint8_t)fminf(255, 1.5f * expf(light)) : 0;
            put(f, row, (at + col - from) / f->picture_cells, (const uint8_t[3]){grey, grey, grey});
        }
}

/* Laterals red, what else was looked at and has half of an edge blue. */
static enum intra_status write_picture(struct finder *f, const char *debug_dir, struct intra_error *err)
{
    char path[1200];
    const struct intra_wall *wall = &f->scene->wall;
    enum intra_status status = intra_path_join(path, sizeof path, debug_dir, "laterals.png", err);
    if (status != INTRA_OK) return status;
    for (int64_t i = 0; i < f->n_found; i++) {
        const struct candidate *c = &f->found[i];
        const uint8_t colour[3] = {c->is_lateral ? 255 : 60, c->is_lateral ? 60 : 120, c->is_lateral ? 40 : 255};
        for (int k = 0; k < 180 && (c->is_lateral || c->score > 0.5); k++) {
            double a = 2 * M_PI * k / 180, s = c->station_m + c->radius_m * cos(a);
            double theta = c->theta_rad + asin(fmin(1, c->radius_m / f->radius_m) * sin(a));
            int64_t col = (int64_t)floor((s - wall->station0_m) / wall->texel_m / f->cells.group);
            put(f, (int)floor((theta / (2 * M_PI) + 0.5) * f->picture.rows), col / f->picture_cells, colour);
        }
    }
    return intra_image_write_png(path, &f->picture, err);
}

enum intra_status intra_laterals_find(struct intra_scene *scene, int threads, const char *debug_dir,
                                      const struct intra_progress *progress, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct finder f = {.scene = scene, .threads = threads, .radius_m = 0.5 * scene->nominal_diameter_m};
    const struct intra_wall *wall = &scene->wall;
    double cell = fmin(f.radius_m / CELLS_A_RADIUS, WIDEST_CELL_M);
    int group = (int)fmin(MOST_GROUP, fmax(1, round(cell / wall->texel_m)));
    int rows = (int)fmin(wall->rows, round(2 * M_PI * f.radius_m / (wall->texel_m * group)));
    int64_t core = (int64_t)ceil(CORE_RADII * f.radius_m / wall->texel_m / group) * group;
    int64_t margin = (int64_t)ceil(MARGIN_RADII * f.radius_m / wall->texel_m / group) * group, laterals = 0;
    INTRA_TRY(intra_wall_cells_init(&f.cells, wall, rows, group, err));
    INTRA_TRY(
        intra_mouth_init(&f.stretch, rows, (int)((core + 2 * margin) / group), wall->texel_m * group, f.radius_m, err));
    INTRA_TRY(INTRA_ALLOC(f.relief, (size_t)wall->rows, err));
    INTRA_TRY(INTRA_ALLOC(f.coverage, (size_t)wall->rows * 2, err));
    INTRA_TRY(INTRA_ALLOC(f.numbers, (size_t)N_NUMBERS * MOST_NUMBERS, err));
    if (debug_dir) INTRA_TRY(start_picture(&f, err));
    for (int64_t col = 0; col < wall->cols; col += core) {
        intra_progress_report(progress, "laterals", (double)col, (double)wall->cols);
        INTRA_TRY(search_stretch(&f, col, core, margin, err));
        if (debug_dir) add_to_picture(&f, (int)(margin / group), (int)((margin + core) / group), col / group);
    }
    intra_progress_report(progress, "laterals", (double)wall->cols, (double)wall->cols);
    INTRA_TRY(choose(&f, err));
    for (int64_t i = 0; i < f.n_found; i++) {
        if (!f.found[i].is_lateral) continue;
        INTRA_TRY(add_lateral(&f, &f.found[i], err));
        laterals++;
    }
    intra_log(INTRA_LOG_INFO, "laterals", "%lld laterals of %lld mouths looked at", (long long)laterals,
              (long long)f.n_found);
    if (debug_dir) INTRA_TRY(write_picture(&f, debug_dir, err));
done:
    intra_wall_cells_fini(&f.cells);
    intra_mouth_fini(&f.stretch);
    intra_image_u8_fini(&f.picture);
    intra_free(f.relief);
    intra_free(f.coverage);
    intra_free(f.numbers);
    intra_free(f.found);
    return status;
}
