/* Unroll: keyframes onto the wall.
 *
 * The wall is cut into nodes of NODE x NODE cells. Node corners are placed in the world by axis and section, projected
 * exactly, and the cells between take the bilinear pixel: at 8 mm in a 300 mm pipe that is within a hundredth of a pixel.
 * Weight of a view: (1 mm / resolution)^6, faded at the picture's border and beside the mask. Colour: the pixel times
 * exp(mean - shading) and times the keyframe's gain, which the overlap with the wall so far gives (exposure). */
#include "recon/wall.h"

#include "core/clones.h"
#include "core/log.h"
#include "core/mem.h"
#include "recon/axis_turn.h"
#include "recon/robust.h"
#include "recon/section_smooth.h"
#include "recon/sweep.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { NODE = 8, STRIP_COLS = 256, LEAST_STRIPS = 6 };
#define STRIPS_BYTES 128e6 /* of strips in memory, at most: a view that reaches farther goes to disk and back each time */
#define VIEW_REL 6.5       /* radii along the pipe that a view reaches: lay_nodes */

#define BEHIND_M 2000.0         /* room for driving backwards past the start */
/* Coarser views are of no use: what shows so lies three radii ahead or more, where the radius is off by a hundredth and
 * the place on the wall by three times that. */
#define RES_LIMIT_M 0.0036
/* But what leaves the picture will not be seen finer. The crown of a large pipe leaves it two radii ahead and more: so
 * many radii a pixel are what a narrow picture shows at three. */
#define LEAVING_RES_REL 0.02
#define FLATTEST 0.14           /* sine of the smallest angle between ray and wall */
#define BORDER_PX 14.0          /* width of the fade at border and mask */
#define BESIDE_PX 64            /* how far beside the picture a corner of cells may lie */
enum { MEASURED_CLOCKS = 12, MEASURED_BINS = 5 }; /* of BIN_CLOCKS, over so many bins of station: it is measured */
#define FAR_REL 4.0             /* radii ahead that a view paints which is not the last of its run */
/* Ordinary keyframes paint cells up to so many times the frame's best resolution; beyond the second figure only those
 * that become sharper by it: a nearer view will come, but text or dirt may stand before it. */
#define NARROW 3.0
#define NARROW_SEEN 1.5
#define SHARPER 0.8f
#define WIDE_STEP_REL 0.25      /* every so many radii of travel a keyframe gives all that it sees */
#define LEAST_HITS 0.5          /* kernel weight that tells the relief of a node */
#define REST_SCALE_REL 0.015     /* radii: rests that agree better count as one surface */
/* Relief leans on the section, as a wall mostly is: radii, deviation; heavy-tailed, so that what stands off by more is
 * let go. Swept radii overlap and share pictures: so many of them count as one against it. */
#define FLAT_REL 0.01
#define SHARED 2.0
#define SWEEP_STEP_REL 0.2      /* radii: a wall that a camera so far ahead shows will be seen from nearer */
#define SWEEP_LAST_REL 3.5      /* how far the last view of a run is measured */
#define SWEPT_BEHIND_REL 0.05   /* radii behind the section that are no wall */
#define SWEPT_SD_REL 0.004      /* of the radius beside its own: swept radii share pictures */
#define MAX_TILT_RAD 0.45       /* views turned farther off the axis than this are left out */

struct cell {
    uint16_t rgb[3]; /* 8.8 fixed point */
    uint16_t views;
    float weight, res_m;
};

/* In a strip the cells of a node lie together: a view paints node by node, and a page for each row of one would cost more than
 * the painting. */
static int64_t cell_place(int row, int col)
{
    return ((int64_t)(row / NODE) * (STRIP_COLS / NODE) + col / NODE) * (NODE * NODE) + row % NODE * NODE + col % NODE;
}

struct section_cache {
    int64_t index, from, n_samples; /* fitted to samples [from, n_samples) */
    struct intra_section_fit fit;
};
enum { LOCAL_SAMPLES = 6000 }; /* the last ones: what a section in view is fitted to */
enum { SECTION_CACHE = 64, SWEEP_COLS = 64, SWEEP_NEAR_COLS = 4 }; /* columns of sites before a view's own */

struct axis_piece { /* what a finished run leaves: the axis at the stations of the sections, in the world */
    int64_t first; /* section index: station = start + index * step */
    struct intra_vec3 *centre;
    struct intra_mat3 *frame;
    int64_t n;
    int segment;
    double from_m, to_m;    /* stations painted */
    int64_t end_of_samples, end_of_dense; /* index behind its last one */
};

struct node {
    float px, py, res; /* pixel and metres per pixel; res <= 0: not seen */
};

/* Wall radii, followed and swept, gathered in bins over station and clock angle: where deposits, joints and roots stand
 * off the section. */
enum { BIN_CLOCKS = 48 };
#define BIN_REL 0.12          /* radii a bin along the pipe; around it is about the same */
#define RELIEF_SD_REL 0.02    /* the wall's own deviation from its section, where nothing is known */
#define RELIEF_NOISE_REL 0.006 /* of a radius beside its own deviation: poses are shared */
#define RELIEF_MOST_REL 0.12

struct bin {
    float w, wr; /* sum of weights (1 / m^2), and of weight times radius */
};

/* A row of nodes: its clock angle, and the radius there of the section at work. */
struct node_row {
    double theta, cos_theta, sin_theta, r;
};

struct intra_wallmap {
    struct intra_wall_options options;
    const struct intra_camera *camera;
    const struct intra_still *still;
    struct intra_raster *cells;
    int rows;
    double station0_m; /* station of cell column 0 */
    int64_t col_min, col_max; /* used columns */
    double run_min_m, run_max_m;
    struct intra_radius_sample *samples;
    int64_t n_samples, cap_samples;
    struct bin (*bins)[BIN_CLOCKS]; /* bins[i] begins at station start + (bin_first + i) * BIN_REL * radius */
    int64_t bin_first, n_bins, cap_bins;
    struct section_cache cache[SECTION_CACHE];
    double last_wide_m;
    double farthest_m; /* station of the view of this run that is farthest ahead: the operator may back up before its end */
    double gain;
    struct intra_view_f32 light;   /* by pixel, two channels: weight (border and mask), and factor that takes the shading out */
    struct node *nodes;            /* scratch of one view */
    int64_t cap_nodes;
    struct node_row *node_rows; /* rows / NODE + 1 */
    double bin_r[BIN_CLOCKS + 5]; /* of the same section, at bins around from the first node row's on */
    struct axis_piece *pieces;
    int n_pieces, cap_pieces;
    int64_t n_views;
    struct intra_sweep *sweep;
    int sweep_rows;
    int64_t *swept;                    /* by row: columns of sites up to this one are done */
    struct intra_sweep_site *sites;    /* scratch of one view */
    struct intra_radius_sample *dense; /* what the sweep measured; cap_dense leaves room for one view's sites */
    int64_t n_dense, cap_dense;
    struct intra_radius_sample *merged; /* of finish: both, by station */
    int64_t n_merged;
    const struct intra_station_map *stations; /* NULL: those that the picture gave */
    const struct intra_roll_map *rolls;       /* NULL: as painted */
};

static double theta_of_row(const struct intra_wallmap *map, double row)
{
    return map->options.cut_rad + 2 * M_PI * row / map->rows;
}

static enum intra_status make_light(struct intra_wallmap *map, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    int rows = map->camera->height, cols = map->camera->width;
    struct intra_view_f32 feather = {0};
    INTRA_TRY(intra_image_f32_init(&feather, rows, cols, 1, err));
    INTRA_TRY(intra_image_f32_init(&map->light, rows, cols, 2, err));
    for (int r = 0; r < rows; r++) { /* chessboard distance to border or mask, two sweeps */
        float *f = intra_row_f32(&feather, r), *up = r ? intra_row_f32(&feather, r - 1) : NULL;
        for (int c = 0; c < cols; c++) {
            float d = fminf(fminf((float)r, (float)c), fminf((float)(rows - 1 - r), (float)(cols - 1 - c)));
            if (!intra_row_u8(&map->still->mask, r)[c]) d = 0;
            if (c) d = fminf(d, f[c - 1] + 1);
            if (up) d = fminf(d, up[c] + 1);
            f[c] = d;
        }
    }
    for (int r = rows - 1; r >= 0; r--) {
        float *f = intra_row_f32(&feather, r), *down = r + 1 < rows ? intra_row_f32(&feather, r + 1) : NULL;
        for (int c = cols - 1; c >= 0; c--) {
            if (c + 1 < cols) f[c] = fminf(f[c], f[c + 1] + 1);
            if (down) f[c] = fminf(f[c], down[c] + 1);
        }
    }
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < cols; c++) {
            float *light = intra_row_f32(&map->light, r) + 2 * c, k = (intra_row_f32(&feather, r)[c] - 1) / (float)BORDER_PX;
            light[0] = k <= 0 ? 0 : k >= 1 ? 1 : k * k * (3 - 2 * k);
            k = expf((float)map->still->mean_log - intra_row_f32(&map->still->log_shading, r)[c]);
            light[1] = fminf(fmaxf(k, 0.25f), 8.0f);
        }
done:
    intra_image_f32_fini(&feather);
    return status;
}

static void forget_swept(struct intra_wallmap *map)
{
    for (int k = 0; k < map->sweep_rows; k++) map->swept[k] = INT64_MIN;
    intra_sweep_clear(map->sweep);
}

static enum intra_status make_sweep(struct intra_wallmap *map, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_sweep_options options = {map->options.radius_m, map->options.threads};
    map->sweep_rows = (int)(2 * M_PI / INTRA_SWEEP_PITCH_REL);
    INTRA_TRY(intra_sweep_create(&options, map->camera, &map->light, &map->sweep, err));
    INTRA_TRY(INTRA_ALLOC(map->swept, (size_t)map->sweep_rows, err));
    INTRA_TRY(INTRA_ALLOC(map->sites, (size_t)map->sweep_rows * SWEEP_COLS, err));
    forget_swept(map);
done:
    return status;
}

/* Strips to keep in memory: those that an ordinary view reaches. */
static int strips_for(const struct intra_wallmap *map)
{
    double reach = VIEW_REL * map->options.radius_m / (map->options.texel_m * STRIP_COLS);
    double room = STRIPS_BYTES / ((double)map->rows * STRIP_COLS * sizeof(struct cell));
    return (int)fmax(LEAST_STRIPS, fmin(ceil(reach) + 1, floor(room)));
}

enum intra_status intra_wallmap_create(const struct intra_wall_options *options, const struct intra_camera *camera,
                                       const struct intra_still *still, struct intra_wallmap **out,
                                       struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_wallmap *map = NULL;
    INTRA_TRY(INTRA_ALLOC(map, 1, err));
    map->options = *options;
    map->camera = camera;
    map->still = still;
    map->rows = (int)ceil(2 * M_PI * options->radius_m / options->texel_m / NODE) * NODE;
    map->station0_m = options->start_station_m - floor(BEHIND_M / (options->texel_m * STRIP_COLS)) * options->texel_m * STRIP_COLS;
    map->col_min = INT64_MAX;
    map->col_max = -1;
    map->run_min_m = 1e300;
    map->run_max_m = map->farthest_m = -1e300;
    map->last_wide_m = -1e300;
    map->gain = 1;
    for (int i = 0; i < SECTION_CACHE; i++) map->cache[i].index = INT64_MIN;
    map->cap_samples = 4096;
    INTRA_TRY(INTRA_ALLOC(map->samples, (size_t)map->cap_samples, err));
    INTRA_TRY(INTRA_ALLOC(map->node_rows, (size_t)(map->rows / NODE + 1), err));
    for (int k = 0; k <= map->rows / NODE; k++) {
        double theta = theta_of_row(map, k * NODE);
        map->node_rows[k] = (struct node_row){.theta = theta, .cos_theta = cos(theta), .sin_theta = sin(theta)};
    }
    INTRA_TRY(make_light(map, err));
    INTRA_TRY(make_sweep(map, err));
    INTRA_TRY(intra_raster_create(options->scratch_dir, map->rows, sizeof(struct cell), STRIP_COLS, strips_for(map), &map->cells, err));
    *out = map;
    map = NULL;
done:
    intra_wallmap_destroy(&map);
    return status;
}

void intra_wallmap_destroy(struct intra_wallmap **map)
{
    struct intra_wallmap *m = *map;
    if (!m) return;
    intra_raster_destroy(&m->cells);
    intra_image_f32_fini(&m->light);
    intra_free(m->nodes);
    intra_free(m->node_rows);
    for (int i = 0; i < m->n_pieces; i++) {
        intra_free(m->pieces[i].centre);
        intra_free(m->pieces[i].frame);
    }
    intra_free(m->pieces);
    intra_free(m->bins);
    intra_free(m->samples);
    intra_free(m->merged);
    intra_sweep_destroy(&m->sweep);
    intra_free(m->swept);
    intra_free(m->sites);
    intra_free(m->dense);
    intra_free(m);
    *map = NULL;
}

/* Bins for station cell `at` exist afterwards. */
static enum intra_status cover_bins(struct intra_wallmap *map, int64_t at, struct intra_error *err)
{
    if (map->n_bins == 0) map->bin_first = at;
    int64_t low = at < map->bin_first ? map->bin_first - at : 0, n = map->n_bins;
    int64_t high = at >= map->bin_first + n ? at - map->bin_first - n + 1 : 0;
    if (low + high == 0) return INTRA_OK;
    if (n + low + high > map->cap_bins) {
        int64_t cap = 2 * (n + low + high);
        void *bins = intra_resize(map->bins, (size_t)n, (size_t)cap, sizeof *map->bins);
        if (!bins) return INTRA_FAIL(err, INTRA_E_MEM, "out of memory for the wall's relief");
        map->bins = bins;
        map->cap_bins = cap;
    }
    memmove(map->bins + low, map->bins, sizeof *map->bins * (size_t)n);
    memset(map->bins, 0, sizeof *map->bins * (size_t)low);
    memset(map->bins + low + n, 0, sizeof *map->bins * (size_t)high);
    map->bin_first -= low;
    map->n_bins += low + high;
    return INTRA_OK;
}

static enum intra_status add_to_bin(struct intra_wallmap *map, const struct intra_radius_sample *p, struct intra_error *err)
{
    double r = map->options.radius_m, noise = RELIEF_NOISE_REL * r;
    int64_t at = (int64_t)floor((double)p->station_m / (BIN_REL * r));
    enum intra_status status = cover_bins(map, at, err);
    if (status != INTRA_OK) return status;
    int clock = (int)floor(p->theta_rad / (2 * M_PI) * BIN_CLOCKS);
    struct bin *bin = &map->bins[at - map->bin_first][((clock % BIN_CLOCKS) + BIN_CLOCKS) % BIN_CLOCKS];
    double w = 1 / ((double)p->sd_m * p->sd_m + noise * noise);
    bin->w += (float)w;
    bin->wr += (float)(w * p->r_m);
    return INTRA_OK;
}

enum intra_status intra_wallmap_add_samples(struct intra_wallmap *map, struct intra_run *run,
                                            const struct intra_placement *placement,
                                            const struct intra_wall_sample *samples, int n, struct intra_error *err)
{
    if (map->n_samples + n > map->cap_samples) {
        int64_t cap = 2 * (map->n_samples + n);
        struct intra_radius_sample *s = intra_resize(map->samples, (size_t)map->n_samples, (size_t)cap, sizeof *s);
        if (!s) return INTRA_FAIL(err, INTRA_E_MEM, "out of memory for %lld wall radii", (long long)cap);
        map->samples = s;
        map->cap_samples = cap;
    }
    for (int i = 0; i < n; i++) {
        double arc;
        enum intra_status status = intra_run_arc(run, samples[i].u, &arc, err);
        if (status != INTRA_OK) return status;
        map->samples[map->n_samples++] =
            (struct intra_radius_sample){(float)(arc + placement->station_offset_m - map->options.start_station_m),
                                         (float)samples[i].theta_rad, (float)samples[i].r_m, (float)samples[i].sd_m};
        status = add_to_bin(map, &map->samples[map->n_samples - 1], err);
        if (status != INTRA_OK) return status;
    }
    return INTRA_OK;
}

static bool has_sample_near(const struct intra_wallmap *map, int64_t from, int64_t end, double station_m,
                            double reach_m)
{
    for (int64_t i = from; i < end; i++)
        if (fabs((double)map->samples[i].station_m - station_m) <= reach_m) return true;
    return false;
}

/* Section fit for a station from what has settled so far. */
static const struct section_cache *local_section(struct intra_wallmap *map, double station_m)
{
    double step = map->options.section_step_m, reach = intra_section_half_width(step, map->options.radius_m);
    int64_t index = (int64_t)llround((station_m - map->options.start_station_m) / step);
    struct section_cache *c = &map->cache[((index % SECTION_CACHE) + SECTION_CACHE) % SECTION_CACHE];
    if (c->index == index && c->n_samples == map->n_samples) return c;
    int64_t from = map->n_samples > LOCAL_SAMPLES ? map->n_samples - LOCAL_SAMPLES : 0;
    double at = (double)index * step;
    /* What has come and gone since is mostly elsewhere. */
    bool is_as_before = c->index == index &&
                        !has_sample_near(map, c->from, from < c->n_samples ? from : c->n_samples, at, reach) &&
                        !has_sample_near(map, c->n_samples > from ? c->n_samples : from, map->n_samples, at, reach);
    if (!is_as_before)
        intra_section_fit(map->samples + from, map->n_samples - from, at, reach, map->options.radius_m, &c->fit);
    c->index = index;
    c->from = from;
    c->n_samples = map->n_samples;
    return c;
}

/* u at a station of the run, near a first guess. */
static enum intra_status u_of_station(struct intra_run *run, const struct intra_placement *placement, double station_m,
                                      double *u_io, struct intra_error *err)
{
    for (int it = 0; it < 6; it++) {
        double arc;
        enum intra_status status = intra_run_arc(run, *u_io, &arc, err);
        if (status != INTRA_OK) return status;
        double off = station_m - (arc + placement->station_offset_m);
        *u_io += off / run->axis.h;
        if (fabs(off) < 1e-6) break;
    }
    return INTRA_OK;
}

static double bin_place(double theta)
{
    return theta / (2 * M_PI) * BIN_CLOCKS - 0.5;
}

/* The first bin around that any node leans on. */
static int first_bin(const struct intra_wallmap *map)
{
    return (int)floor(bin_place(map->node_rows[0].theta)) - 1;
}

/* Radii of a section where nodes and bins stand: columns in a row share it. */
static void spread_section(struct intra_wallmap *map, const struct intra_section_fit *fit)
{
    int first = first_bin(map);
    for (int k = 0; k <= map->rows / NODE; k++)
        map->node_rows[k].r = intra_section_fit_radius(fit, map->node_rows[k].theta);
    for (int k = 0; k < BIN_CLOCKS + 5; k++)
        map->bin_r[k] = intra_section_fit_radius(fit, (first + k + 0.5) * 2 * M_PI / BIN_CLOCKS);
}

/* Weights of a uniform cubic B-spline at f in [0, 1) beyond the second of four bins. */
static void spline_weights(double f, double w[4])
{
    double g = 1 - f;
    w[0] = g * g * g / 6;
    w[1] = (3 * f * f * f - 6 * f * f + 4) / 6;
    w[2] = (3 * g * g * g - 6 * g * g + 4) / 6;
    w[3] = f * f * f / 6;
}

/* How far the wall stands off its section there, from the sixteen bins around, smoothly; towards 0 where little is
 * known. station_m: from the start. */
static double relief_so_far(const struct intra_wallmap *map, double station_m, double theta)
{
    double r = map->options.radius_m, sum = 0, mass = 1 / (RELIEF_SD_REL * RELIEF_SD_REL * r * r);
    double x = station_m / (BIN_REL * r) - 0.5, y = bin_place(theta), along[4], around[4];
    int64_t i = (int64_t)floor(x) - map->bin_first - 1;
    int j = (int)floor(y) - 1, first = first_bin(map);
    spline_weights(x - floor(x), along);
    spline_weights(y - floor(y), around);
    for (int a = 0; a < 4; a++) {
        if (i + a < 0 || i + a >= map->n_bins) continue;
        for (int b = 0; b < 4; b++) {
            const struct bin *bin = &map->bins[i + a][(((j + b) % BIN_CLOCKS) + BIN_CLOCKS) % BIN_CLOCKS];
            if (!(bin->w > 0)) continue;
            double k = along[a] * around[b] * (double)bin->w, off = (double)bin->wr / bin->w - map->bin_r[j + b - first];
            sum += k * fmin(fmax(off, -RELIEF_MOST_REL * r), RELIEF_MOST_REL * r);
            mass += k;
        }
    }
    return sum / mass;
}

static float leaving_limit(const struct intra_wallmap *map)
{
    return (float)fmax(RES_LIMIT_M, LEAVING_RES_REL * map->options.radius_m);
}

static inline bool is_in_picture(const struct intra_wallmap *map, float x, float y)
{
    return x >= 1 && y >= 1 && x <= (float)(map->camera->width - 2) && y <= (float)(map->camera->height - 2);
}

/* Corner of nodes at (cell row, station): exact projection and resolution by differences on the wall. One that lies
 * beside the picture, by no more than a node is wide, is kept for the cells between it and those inside. */
static struct node project_node(const struct intra_wallmap *map, const struct intra_run *run,
                                const struct intra_pose *cam_from_run, const struct intra_mat3 *frame,
                                struct intra_vec3 centre, double station_m, const struct node_row *row)
{
    struct node n = {0, 0, -1};
    struct intra_vec3 tangent = {frame->m[0][0], frame->m[1][0], frame->m[2][0]};
    struct intra_vec3 right = {frame->m[0][1], frame->m[1][1], frame->m[2][1]};
    struct intra_vec3 crown = {frame->m[0][2], frame->m[1][2], frame->m[2][2]};
    struct intra_vec3 out = intra_mad(intra_scale(crown, row->cos_theta), row->sin_theta, right);
    struct intra_vec3 around = intra_mad(intra_scale(right, row->cos_theta), -row->sin_theta, crown);
    double px[2], jac[6];
    double r = row->r + relief_so_far(map, station_m - map->options.start_station_m, row->theta);
    struct intra_vec3 x = intra_pose_apply(cam_from_run, intra_mad(centre, r, out));
    double dist = intra_norm(x);
    if (intra_dot(x, intra_mat3_mul_vec(&cam_from_run->r, out)) < FLATTEST * dist) return n;
    if (!intra_camera_project(run->camera, x, px, jac, NULL)) return n;
    if (px[0] < -BESIDE_PX || px[1] < -BESIDE_PX || px[0] > map->camera->width + BESIDE_PX ||
        px[1] > map->camera->height + BESIDE_PX)
        return n;
    struct intra_vec3 a = intra_mat3_mul_vec(&cam_from_run->r, tangent), b = intra_mat3_mul_vec(&cam_from_run->r, around);
    double sa = hypot(jac[0] * a.x + jac[1] * a.y + jac[2] * a.z, jac[3] * a.x + jac[4] * a.y + jac[5] * a.z);
    double sb = hypot(jac[0] * b.x + jac[1] * b.y + jac[2] * b.z, jac[3] * b.x + jac[4] * b.y + jac[5] * b.z);
    double least = fmin(sa, sb);
    if (least * (double)leaving_limit(map) < 1) return n;
    n.px = (float)px[0];
    n.py = (float)px[1];
    n.res = (float)(1 / least);
    return n;
}

/* The view's nodes: a grid of corners over [col0, col0 + cols) node columns, (rows / NODE + 1) a column. */
struct view {
    int64_t col0; /* first node column: cell column col0 * NODE */
    int n_cols, n_rows;
    float best_res;
};

/* Station up to which the wall was measured: farther on the axis is a guess. */
static double measured_to(const struct intra_wallmap *map)
{
    for (int64_t i = map->n_bins - 1; i >= MEASURED_BINS - 1; i--) {
        int n = 0;
        for (int k = 0; k < BIN_CLOCKS; k++) {
            bool is_measured = false;
            for (int j = 0; j < MEASURED_BINS; j++) is_measured |= map->bins[i - j][k].w > 0;
            n += is_measured;
        }
        if (n >= MEASURED_CLOCKS)
            return map->options.start_station_m + (double)(map->bin_first + i) * BIN_REL * map->options.radius_m;
    }
    return INFINITY;
}

/* First station from here on whose radii contradict each other: in a bend what was seen ahead of the last camera lies
 * anywhere. */
static double sensible_to(struct intra_wallmap *map, double from_m)
{
    double most = from_m + VIEW_REL * map->options.radius_m;
    for (double s = from_m; s < most; s += map->options.section_step_m)
        if (intra_section_fit_is_contradicted(&local_section(map, s)->fit)) return s;
    return INFINITY;
}

static enum intra_status lay_nodes(struct intra_wallmap *map, struct intra_run *run,
                                   const struct intra_placement *placement, const struct intra_keyframe *kf,
                                   double station_m, double most_m, struct view *view, struct intra_error *err)
{
    double size = NODE * map->options.texel_m, r = map->options.radius_m;
    double from = station_m - 2.5 * r, u = kf->u;
    double to = fmin(station_m + INTRA_WALL_AHEAD_REL * r, fmax(most_m, station_m + r));
    int64_t spread = INT64_MIN; /* section that the rows have the radii of */
    view->col0 = (int64_t)floor((from - map->station0_m) / size);
    view->n_cols = (int)ceil((to - from) / size) + 1;
    view->n_rows = map->rows / NODE + 1;
    view->best_res = 1e9f;
    if (view->col0 < 0) return INTRA_FAIL(err, INTRA_E_DEGENERATE, "the camera backed up by more than %g m", BEHIND_M);
    int64_t need = (int64_t)view->n_cols * view->n_rows;
    if (need > map->cap_nodes) {
        intra_free(map->nodes);
        map->nodes = intra_alloc((size_t)need, sizeof *map->nodes);
        map->cap_nodes = map->nodes ? need : 0;
        if (!map->nodes) return INTRA_FAIL(err, INTRA_E_MEM, "out of memory for %lld wall nodes", (long long)need);
    }
    for (int c = 0; c < view->n_cols; c++) {
        double s = map->station0_m + (double)(view->col0 + c) * size;
        enum intra_status status = u_of_station(run, placement, s, &u, err);
        if (status != INTRA_OK) return status;
        struct intra_mat3 frame = intra_axis_frame(&run->axis, u);
        struct intra_vec3 centre = intra_axis_point(&run->axis, u, NULL, NULL, NULL);
        const struct section_cache *section = local_section(map, s);
        if (section->index != spread) spread_section(map, &section->fit);
        spread = section->index;
        struct node *column = map->nodes + (int64_t)c * view->n_rows;
#pragma omp parallel for schedule(static) num_threads(map->options.threads)
        for (int k = 0; k < view->n_rows; k++)
            column[k] = project_node(map, run, &kf->cam_from_world, &frame, centre, s, &map->node_rows[k]);
        for (int k = 0; k < view->n_rows; k++)
            if (column[k].res > 0 && column[k].res < view->best_res && is_in_picture(map, column[k].px, column[k].py))
                view->best_res = column[k].res;
    }
    return INTRA_OK;
}

static inline int clamp_index(int i, int n)
{
    return i < 0 ? 0 : i >= n ? n - 1 : i;
}

/* fminf and fmaxf are calls, for the sake of NaN. */
static inline float limit_to(float x, float low, float high)
{
    return x < low ? low : x > high ? high : x;
}

static inline const float *light_at(const struct intra_wallmap *map, int col, int row)
{
    return intra_row_f32(&map->light, row) + 2 * col;
}

/* RGB of a pixel (bilinear luma, bilinear chroma) times k, which evens out the shading. */
static inline void sample_rgb(const struct intra_frame *f, float k, float x, float y, float rgb[3])
{
    int ix = (int)x, iy = (int)y;
    float fx = x - (float)ix, fy = y - (float)iy;
    const uint8_t *p = intra_row_u8(&f->y, iy) + ix, *q = intra_row_u8(&f->y, iy + 1) + ix;
    float top = (float)p[0] + fx * (float)(p[1] - p[0]), bottom = (float)q[0] + fx * (float)(q[1] - q[0]);
    float luma = top + fy * (bottom - top);
    float cx = x * 0.5f - 0.25f, cy = y * 0.5f - 0.25f;
    int jx = clamp_index((int)cx, f->u.cols - 1), jy = clamp_index((int)cy, f->u.rows - 1);
    float gx = limit_to(cx - (float)jx, 0, 1), gy = limit_to(cy - (float)jy, 0, 1), uv[2];
    for (int i = 0; i < 2; i++) {
        const struct intra_view_u8 *v = i ? &f->v : &f->u;
        const uint8_t *a = intra_row_u8(v, jy) + jx, *b = intra_row_u8(v, jy + 1 < v->rows ? jy + 1 : jy) + jx;
        float t = (float)a[0] + gx * (float)(a[1] - a[0]), d = (float)b[0] + gx * (float)(b[1] - b[0]);
        uv[i] = t + gy * (d - t) - 128;
    }
    rgb[0] = k * (luma + 1.402f * uv[1]);
    rgb[1] = k * (luma - 0.344136f * uv[0] - 0.714136f * uv[1]);
    rgb[2] = k * (luma + 1.772f * uv[0]);
}

/* Mean of the four corners of a node; res <= 0 when one is unseen. */
static struct node node_middle(const struct node *a, const struct node *b)
{
    struct node m = {0, 0, -1};
    if (a[0].res <= 0 || a[1].res <= 0 || b[0].res <= 0 || b[1].res <= 0) return m;
    m.px = 0.25f * (a[0].px + a[1].px + b[0].px + b[1].px);
    m.py = 0.25f * (a[0].py + a[1].py + b[0].py + b[1].py);
    m.res = fmaxf(fmaxf(a[0].res, a[1].res), fmaxf(b[0].res, b[1].res));
    return m;
}

/* Any of a column of nodes is seen at limit or better. */
static bool is_in_view(const struct intra_wallmap *map, const struct view *view, int c, float limit)
{
    const struct node *a = map->nodes + (int64_t)c * view->n_rows, *b = a + view->n_rows;
    for (int k = 0; k + 1 < view->n_rows; k++)
        if (a[k].res > 0 && a[k].res < limit && b[k].res > 0 &&
            (is_in_picture(map, a[k].px, a[k].py) || is_in_picture(map, b[k].px, b[k].py)))
            return true;
    return false;
}

/* Camera a wide step on, the node will have left the picture (or stand behind text): this is its last chance. */
static bool is_leaving(const struct intra_wallmap *map, const struct view *view, int c, int k)
{
    int back = (int)ceil(WIDE_STEP_REL * map->options.radius_m / (NODE * map->options.texel_m));
    if (c < back) return true;
    const struct node *then = map->nodes + (int64_t)(c - back) * view->n_rows + k;
    return !(then->res > 0) || !is_in_picture(map, then->px, then->py) ||
           light_at(map, (int)then->px, (int)then->py)[0] <= 0;
}

/* Exposure: the view against the wall so far, at node centres. */
static enum intra_status find_gain(struct intra_wallmap *map, const struct view *view, const struct intra_frame *picture,
                                   float limit, double *out_gain, struct intra_error *err)
{
    double sum = 0, mass = 0;
    for (int c = 0; c + 1 < view->n_cols; c++) {
        int64_t col = (view->col0 + c) * NODE + NODE / 2;
        const void *strip;
        if (!is_in_view(map, view, c, limit)) continue; /* no strip from disk for nothing */
        enum intra_status status = intra_raster_peek(map->cells, col / STRIP_COLS, &strip, err);
        if (status != INTRA_OK) return status;
        if (!strip) continue;
        for (int k = 0; k + 1 < view->n_rows; k++) {
            const struct node *a = map->nodes + (int64_t)c * view->n_rows + k;
            struct node m = node_middle(a, a + view->n_rows);
            const struct cell *cell = (const struct cell *)strip + cell_place(k * NODE + NODE / 2, (int)(col % STRIP_COLS));
            float rgb[3];
            if (m.res <= 0 || m.res > limit || !(cell->weight > 0) || !is_in_picture(map, m.px, m.py)) continue;
            float f = light_at(map, (int)m.px, (int)m.py)[0];
            if (f <= 0) continue;
            sample_rgb(picture, light_at(map, (int)(m.px + 0.5f), (int)(m.py + 0.5f))[1], m.px, m.py, rgb);
            double now = rgb[0] + 2 * rgb[1] + rgb[2], old = (cell->rgb[0] + 2.0 * cell->rgb[1] + cell->rgb[2]) / 256;
            if (now < 40 || old < 40 || now > 960 || old > 960) continue;
            double d = log(old / now);
            d = d > 0.7 ? 0.7 : d < -0.7 ? -0.7 : d;
            sum += f * d;
            mass += f;
        }
    }
    /* The small pull towards 1 keeps the wall's brightness from wandering off over a long pipe. */
    *out_gain = mass > 8 ? exp(0.97 * sum / mass) : map->gain;
    return INTRA_OK;
}

INTRA_CLONES static void paint_node(struct intra_wallmap *map, const struct intra_frame *picture, const float usual[2], const struct node *a,
                       const struct node *b, float limit, float seen_limit, float gain, struct cell *cells)
{
    struct node m = node_middle(a, b);
    const struct cell *mid = cells + (NODE / 2) * NODE + NODE / 2;
    if (m.res <= 0 || m.res > limit) return;
    if (mid->res_m > 0 && m.res > 2.2f * mid->res_m) return; /* would weigh less than a hundredth */
    if (mid->res_m > 0 && m.res > seen_limit && m.res > SHARPER * mid->res_m) return;
    for (int j = 0; j < NODE; j++) {
        float t = ((float)j + 0.5f) / NODE;
        float lx = a[0].px + t * (a[1].px - a[0].px), rx = b[0].px + t * (b[1].px - b[0].px);
        float ly = a[0].py + t * (a[1].py - a[0].py), ry = b[0].py + t * (b[1].py - b[0].py);
        float lr = a[0].res + t * (a[1].res - a[0].res), rr = b[0].res + t * (b[1].res - b[0].res);
        struct cell *row = cells + j * NODE;
        for (int i = 0; i < NODE; i++) {
            float q = ((float)i + 0.5f) / NODE, x = lx + q * (rx - lx), y = ly + q * (ry - ly), rgb[3];
            float res = lr + q * (rr - lr);
            if (!is_in_picture(map, x, y)) continue;
            const float *light = light_at(map, (int)(x + 0.5f), (int)(y + 0.5f));
            if (light[0] <= 0 || intra_still_is_odd(picture, usual, (int)(x * 0.5f), (int)(y * 0.5f))) continue;
            float k = 0.001f / res, w = k * k * k, fade = 3 * (1 - res / limit);
            if (fade <= 0) continue;
            if (fade > 1) fade = 1;
            w = w * w * light[0] * fade + 1e-12f;
            sample_rgb(picture, light[1], x, y, rgb);
            row[i].weight += w;
            float share = w / row[i].weight;
            for (int n = 0; n < 3; n++) {
                float now = limit_to(rgb[n] * gain, 0, 255) * 256, old = row[i].rgb[n];
                row[i].rgb[n] = (uint16_t)(old + share * (now - old) + 0.5f);
            }
            if (!(row[i].res_m > 0) || res < row[i].res_m) row[i].res_m = res;
            if (row[i].views < UINT16_MAX) row[i].views++;
        }
    }
}

/* Sites that the last kept view shows and the next one will not, each once. station_m: of the camera. */
static enum intra_status choose_sites(struct intra_wallmap *map, struct intra_run *run,
                                      const struct intra_placement *placement, double u, double station_m, bool is_last,
                                      int *out_n, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    double r = map->options.radius_m, pitch = INTRA_SWEEP_PITCH_REL * r, start = map->options.start_station_m;
    int64_t first = (int64_t)floor((station_m - start) / pitch);
    struct intra_vec3 centre[SWEEP_COLS];
    struct intra_mat3 frame[SWEEP_COLS];
    int n_cols = is_last ? (int)(SWEEP_LAST_REL / INTRA_SWEEP_PITCH_REL) : SWEEP_COLS, n = 0, ready = 0;
    for (int k = 0; k < map->sweep_rows; k++) {
        double theta = 2 * M_PI * k / map->sweep_rows;
        int c = map->swept[k] >= first ? (int)(map->swept[k] - first) + 1 : 0;
        for (; c < n_cols; c++) {
            double s = start + (double)(first + c) * pitch;
            for (; ready <= c; ready++) {
                INTRA_TRY(u_of_station(run, placement, start + (double)(first + ready) * pitch, &u, err));
                centre[ready] = intra_axis_point(&run->axis, u, NULL, NULL, NULL);
                frame[ready] = intra_axis_frame(&run->axis, u);
            }
            const struct intra_mat3 *f = &frame[c];
            struct intra_vec3 right = {f->m[0][1], f->m[1][1], f->m[2][1]}, crown = {f->m[0][2], f->m[1][2], f->m[2][2]};
            struct intra_sweep_site site = {
                .station_m = s - start,
                .theta_rad = theta,
                .r_m = intra_section_fit_radius(&local_section(map, s)->fit, theta),
                .centre = centre[c],
                .along = {f->m[0][0], f->m[1][0], f->m[2][0]},
                .around = intra_mad(intra_scale(right, cos(theta)), -sin(theta), crown),
                .out = intra_mad(intra_scale(crown, cos(theta)), sin(theta), right)};
            if (!intra_sweep_shows(map->sweep, &site, 0)) continue;
            if (!is_last && intra_sweep_shows(map->sweep, &site, SWEEP_STEP_REL * r)) break;
            map->swept[k] = first + c;
            map->sites[n++] = site;
        }
    }
done:
    *out_n = n;
    return status;
}

/* Swept radii from `from` on into the bins that views are painted by. Not those that stand alone, and not what lies far
 * behind the wall: the inside of a lateral shows from here as it will from nowhere else. */
static enum intra_status bin_swept(struct intra_wallmap *map, int64_t from, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    double r = map->options.radius_m;
    int64_t near = from - (int64_t)map->sweep_rows * SWEEP_NEAR_COLS;
    if (near < 0) near = 0;
    for (int64_t i = from; i < map->n_dense; i++) {
        struct intra_radius_sample p = map->dense[i];
        const struct section_cache *section = local_section(map, (double)p.station_m + map->options.start_station_m);
        double off = (double)p.r_m - intra_section_fit_radius(&section->fit, (double)p.theta_rad);
        if (off > SWEPT_BEHIND_REL * r || !intra_sweep_agrees(map->dense, near, map->n_dense, i, r, true)) continue;
        p.sd_m = (float)hypot((double)p.sd_m, SWEPT_SD_REL * r);
        INTRA_TRY(add_to_bin(map, &p, err));
    }
done:
    return status;
}

static enum intra_status sweep_view(struct intra_wallmap *map, struct intra_run *run,
                                    const struct intra_placement *placement, const struct intra_keyframe *kf,
                                    const struct intra_frame *picture, double station_m, bool is_last,
                                    struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    int n, most = map->sweep_rows * SWEEP_COLS;
    if (!is_last) INTRA_TRY(intra_sweep_keep(map->sweep, &kf->cam_from_world, station_m, picture, err));
    INTRA_TRY(choose_sites(map, run, placement, kf->u, station_m, is_last, &n, err));
    if (map->n_dense + most > map->cap_dense) {
        int64_t cap = 2 * map->cap_dense + most;
        struct intra_radius_sample *s = intra_resize(map->dense, (size_t)map->n_dense, (size_t)cap, sizeof *s);
        if (!s) return INTRA_FAIL(err, INTRA_E_MEM, "out of memory for %lld wall radii", (long long)cap);
        map->dense = s;
        map->cap_dense = cap;
    }
    struct intra_radius_sample *found = map->dense + map->n_dense;
    intra_sweep_measure(map->sweep, map->sites, n, found);
    int64_t from = map->n_dense;
    for (int i = 0; i < n; i++)
        if (found[i].sd_m > 0) map->dense[map->n_dense++] = found[i];
    INTRA_TRY(bin_swept(map, from, err)); /* before the view that shows them best is painted */
done:
    return status;
}

enum intra_status intra_wallmap_add_view(struct intra_wallmap *map, struct intra_run *run,
                                         const struct intra_placement *placement, const struct intra_keyframe *kf,
                                         const struct intra_frame *picture, bool is_last, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct view view;
    double arc, gain;
    float usual[2];
    struct intra_pose run_from_cam = intra_pose_inverse(&kf->cam_from_world);
    INTRA_TRY(intra_run_arc(run, kf->u, &arc, err));
    double station = arc + placement->station_offset_m;
    struct intra_mat3 frame = intra_axis_frame(&run->axis, kf->u);
    double ahead = frame.m[0][0] * run_from_cam.r.m[0][2] + frame.m[1][0] * run_from_cam.r.m[1][2] +
                   frame.m[2][0] * run_from_cam.r.m[2][2];
    if (acos(fmin(1, fabs(ahead))) > MAX_TILT_RAD) goto done;
    INTRA_TRY(sweep_view(map, run, placement, kf, picture, station, is_last, err));
    /* All samples of a run are there before its last view; until then what is far is painted again from nearer. */
    double most =
        is_last ? fmin(measured_to(map), sensible_to(map, fmax(station, map->farthest_m))) : station + FAR_REL * map->options.radius_m;
    INTRA_TRY(lay_nodes(map, run, placement, kf, station, most, &view, err));
    bool is_wide = is_last || map->n_views == 0 || fabs(station - map->last_wide_m) > WIDE_STEP_REL * map->options.radius_m;
    if (is_wide) map->last_wide_m = station;
    float limit = is_wide ? (float)RES_LIMIT_M : (float)fmin(RES_LIMIT_M, NARROW * view.best_res);
    float seen_limit = is_wide ? limit : (float)NARROW_SEEN * view.best_res;
    INTRA_TRY(find_gain(map, &view, picture, limit, &gain, err));
    map->gain = gain;
    intra_still_usual_chroma(picture, usual);
    for (int c = view.n_cols - 2; c >= 0; c--) { /* back, from the strips that the exposure took last */
        int64_t col = (view.col0 + c) * NODE;
        const struct node *a = map->nodes + (int64_t)c * view.n_rows, *b = a + view.n_rows;
        if (!is_in_view(map, &view, c, leaving_limit(map))) continue;
        void *strip;
        INTRA_TRY(intra_raster_strip(map->cells, col / STRIP_COLS, &strip, err));
        struct cell *cells = (struct cell *)strip + cell_place(0, (int)(col % STRIP_COLS));
#pragma omp parallel for schedule(static) num_threads(map->options.threads)
        for (int k = 0; k < view.n_rows - 1; k++)
            paint_node(map, picture, usual, a + k, b + k, is_leaving(map, &view, c, k) ? leaving_limit(map) : limit,
                       seen_limit, (float)gain, cells + (int64_t)k * NODE * STRIP_COLS); /* a row of nodes on */
        if (col < map->col_min) map->col_min = col;
        if (col + NODE > map->col_max) map->col_max = col + NODE;
        double s = map->station0_m + (double)col * map->options.texel_m;
        map->run_min_m = fmin(map->run_min_m, s);
        map->run_max_m = fmax(map->run_max_m, s + NODE * map->options.texel_m);
    }
    map->n_views++;
    map->farthest_m = fmax(map->farthest_m, station);
done:
    return status;
}

/* What the run painted from there on: views before the last one painted it on a guess, and none came nearer. Pieces
 * before this one keep what they have. */
static enum intra_status forget_beyond(struct intra_wallmap *map, double end_m, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    double keep = end_m;
    if (!(end_m < map->run_max_m)) return INTRA_OK;
    for (int i = 0; i < map->n_pieces; i++)
        keep = fmax(keep, map->pieces[i].to_m);
    int64_t from = (int64_t)ceil((keep - map->station0_m) / map->options.texel_m / NODE) * NODE;
    map->run_max_m = fmax(map->run_min_m, end_m);
    for (int64_t col = from; col < map->col_max; col += NODE) {
        void *strip;
        INTRA_TRY(intra_raster_strip(map->cells, col / STRIP_COLS, &strip, err));
        for (int row = 0; row < map->rows; row += NODE)
            memset((struct cell *)strip + cell_place(row, (int)(col % STRIP_COLS)), 0,
                   NODE * NODE * sizeof(struct cell));
    }
    if (from < map->col_max) map->col_max = from;
done:
    return status;
}

enum intra_status intra_wallmap_end_run(struct intra_wallmap *map, struct intra_run *run,
                                        const struct intra_placement *placement, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    double step = map->options.section_step_m, start = map->options.start_station_m;
    if (map->run_max_m <= map->run_min_m) {
        map->farthest_m = -1e300;
        forget_swept(map);
        return INTRA_OK;
    }
    INTRA_TRY(forget_beyond(map, sensible_to(map, map->farthest_m), err));
    if (map->n_pieces == map->cap_pieces) {
        int cap = map->cap_pieces ? 2 * map->cap_pieces : 8;
        struct axis_piece *p = intra_resize(map->pieces, (size_t)map->n_pieces, (size_t)cap, sizeof *p);
        if (!p) return INTRA_FAIL(err, INTRA_E_MEM, "out of memory for the axis");
        map->pieces = p;
        map->cap_pieces = cap;
    }
    struct axis_piece *piece = &map->pieces[map->n_pieces++];
    memset(piece, 0, sizeof *piece);
    piece->segment = placement->segment;
    piece->from_m = map->run_min_m;
    piece->to_m = map->run_max_m;
    piece->end_of_samples = map->n_samples;
    piece->end_of_dense = map->n_dense;
    piece->first = (int64_t)ceil((map->run_min_m - start) / step);
    piece->n = (int64_t)floor((map->run_max_m - start) / step) - piece->first + 1;
    if (piece->n < 0) piece->n = 0;
    INTRA_TRY(INTRA_ALLOC(piece->centre, (size_t)piece->n, err));
    INTRA_TRY(INTRA_ALLOC(piece->frame, (size_t)piece->n, err));
    double u = (start + (double)piece->first * step - placement->station_offset_m) / run->axis.h;
    for (int64_t i = 0; i < piece->n; i++) {
        INTRA_TRY(u_of_station(run, placement, start + (double)(piece->first + i) * step, &u, err));
        struct intra_vec3 c = intra_axis_point(&run->axis, u, NULL, NULL, NULL);
        struct intra_mat3 f = intra_axis_frame(&run->axis, u);
        piece->centre[i] = intra_pose_apply(&placement->world_from_run, c);
        piece->frame[i] = intra_mat3_mul(&placement->world_from_run.r, &f);
    }
    map->run_min_m = 1e300;
    map->run_max_m = map->farthest_m = -1e300;
    map->last_wide_m = -1e300;
    forget_swept(map);
done:
    return status;
}

/* Where the sections of a piece come to stand: each step along the axis grows or shrinks, so what lies behind moves on with the
 * axis there. shift: n of them; *io_shift and *io_off: at the end of the piece before, then of this one. */
static void shift_piece(const struct intra_wallmap *map, const struct axis_piece *piece, struct intra_vec3 *shift,
                        struct intra_vec3 *io_shift, double *io_off)
{
    for (int64_t i = 0; i < piece->n; i++) {
        double station = map->options.start_station_m + (double)(piece->first + i) * map->options.section_step_m;
        double off = intra_station_off(map->stations, piece->segment, station, NULL);
        struct intra_vec3 tangent = {piece->frame[i].m[0][0], piece->frame[i].m[1][0], piece->frame[i].m[2][0]};
        *io_shift = shift[i] = intra_mad(*io_shift, off - *io_off, tangent);
        *io_off = off;
    }
}

static struct intra_vec3 shift_at(const struct intra_wallmap *map, const struct axis_piece *piece,
                                  const struct intra_vec3 *shift, double station_m)
{
    double at = (station_m - map->options.start_station_m) / map->options.section_step_m - (double)piece->first;
    int64_t i = (int64_t)floor(fmin(fmax(at, 0), (double)(piece->n - 1))), k = i + 1 < piece->n ? i + 1 : i;
    double t = fmin(fmax(at - (double)i, 0), 1);
    return intra_add(intra_scale(shift[i], 1 - t), intra_scale(shift[k], t));
}

static void move_frames(const struct intra_wallmap *map, const struct axis_piece *piece, const struct intra_vec3 *shift,
                        struct intra_frame_record *frames, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        struct intra_frame_record *f = &frames[i];
        if (f->segment != piece->segment || !isfinite(f->station_m)) continue;
        if (f->is_posed) f->world_from_cam.t = intra_add(f->world_from_cam.t, shift_at(map, piece, shift, f->station_m));
        f->station_m += intra_station_off(map->stations, piece->segment, f->station_m, NULL);
    }
}

/* Frames of stretches that painted no wall and so left no axis, from segment `from` to before `to`: along the axis where
 * the piece before them ended. moved, off: there. */
static void move_bare_frames(const struct intra_wallmap *map, int from, int to, struct intra_vec3 tangent,
                             struct intra_vec3 moved, double off, struct intra_frame_record *frames, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        struct intra_frame_record *f = &frames[i];
        if (f->segment < from || f->segment >= to || !isfinite(f->station_m)) continue;
        double here = intra_station_off(map->stations, f->segment, f->station_m, NULL);
        if (f->is_posed)
            f->world_from_cam.t = intra_add(f->world_from_cam.t, intra_mad(moved, here - off, tangent));
        f->station_m += here;
    }
}

/* The piece's axis again at the sections' stations as they are now. */
static enum intra_status resample_piece(const struct intra_wallmap *map, struct axis_piece *piece,
                                        const struct intra_vec3 *shift, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    double step = map->options.section_step_m, start = map->options.start_station_m;
    double from = piece->from_m + intra_station_off(map->stations, piece->segment, piece->from_m, NULL);
    double to = piece->to_m + intra_station_off(map->stations, piece->segment, piece->to_m, NULL);
    int64_t first = (int64_t)ceil((from - start) / step), n = (int64_t)floor((to - start) / step) - first + 1;
    struct intra_vec3 *centre = NULL;
    struct intra_mat3 *frame = NULL;
    if (n < 0) n = 0;
    INTRA_TRY(INTRA_ALLOC(centre, (size_t)n, err));
    INTRA_TRY(INTRA_ALLOC(frame, (size_t)n, err));
    for (int64_t i = 0; i < n; i++) {
        double before = intra_station_before(map->stations, piece->segment, start + (double)(first + i) * step);
        double at = (before - start) / step - (double)piece->first;
        int64_t k = (int64_t)floor(fmin(fmax(at, 0), (double)(piece->n - 1)));
        double t = at - (double)k; /* a little beyond the ends too */
        int64_t next = k + 1 < piece->n ? k + 1 : k;
        struct intra_vec3 a = intra_add(piece->centre[k], shift[k]), b = intra_add(piece->centre[next], shift[next]);
        struct intra_vec3 tangent = {piece->frame[k].m[0][0], piece->frame[k].m[1][0], piece->frame[k].m[2][0]};
        centre[i] = next > k && t >= 0 ? intra_add(intra_scale(a, 1 - t), intra_scale(b, t)) : intra_mad(a, t * step, tangent);
        struct intra_pose from_frame = {.r = piece->frame[k]}, to_frame = {.r = piece->frame[next]};
        frame[i] = intra_pose_lerp(&from_frame, &to_frame, fmin(fmax(t, 0), 1)).r;
    }
    intra_free(piece->centre);
    intra_free(piece->frame);
    piece->centre = centre;
    piece->frame = frame;
    piece->first = first;
    piece->n = n;
    piece->from_m = from;
    piece->to_m = to;
    centre = NULL;
    frame = NULL;
done:
    intra_free(centre);
    intra_free(frame);
    return status;
}

/* Stations of samples from *io_at to `end`, as `stations` have them. */
static void move_samples(const struct intra_wallmap *map, struct intra_radius_sample *samples, int64_t *io_at, int64_t end,
                         int segment)
{
    for (; *io_at < end; ++*io_at) {
        float *s = &samples[*io_at].station_m;
        *s += (float)intra_station_off(map->stations, segment, *s + map->options.start_station_m, NULL);
    }
}

enum intra_status intra_wallmap_restation(struct intra_wallmap *map, const struct intra_station_map *stations,
                                          struct intra_frame_record *frames, int64_t n_frames, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_vec3 *shift = NULL, moved = {0, 0, 0}, tangent = {1, 0, 0};
    double off = 0;
    int64_t sample = 0, dense = 0;
    int next = 0; /* segment that has not been moved yet */
    map->stations = stations;
    for (int p = 0; p < map->n_pieces; p++) {
        struct axis_piece *piece = &map->pieces[p];
        move_samples(map, map->samples, &sample, piece->end_of_samples, piece->segment);
        move_samples(map, map->dense, &dense, piece->end_of_dense, piece->segment);
        if (piece->n == 0) continue;
        intra_free(shift);
        shift = NULL;
        INTRA_TRY(INTRA_ALLOC(shift, (size_t)piece->n, err));
        if (piece->segment > next)
            move_bare_frames(map, next, piece->segment, tangent, moved, off, frames, n_frames);
        shift_piece(map, piece, shift, &moved, &off);
        move_frames(map, piece, shift, frames, n_frames);
        const struct intra_mat3 *f = &piece->frame[piece->n - 1];
        tangent = (struct intra_vec3){f->m[0][0], f->m[1][0], f->m[2][0]};
        next = piece->segment + 1;
        INTRA_TRY(resample_piece(map, piece, shift, err));
    }
    move_bare_frames(map, next, INT_MAX, tangent, moved, off, frames, n_frames);
done:
    intra_free(shift);
    return status;
}

/* The axis of a piece at a station: between its sections, and straight on beyond them. */
static struct intra_axis_place place_on(const struct intra_wallmap *map, const struct axis_piece *piece,
                                        double station_m)
{
    double step = map->options.section_step_m,
           at = (station_m - map->options.start_station_m) / step - (double)piece->first;
    int64_t k = (int64_t)floor(fmin(fmax(at, 0), (double)(piece->n - 1))), next = k + 1 < piece->n ? k + 1 : k;
    double t = at - (double)k;
    const struct intra_mat3 *f = &piece->frame[k], *g = &piece->frame[next];
    struct intra_axis_place place = {piece->centre[k], *f};
    struct intra_vec3 tangent = {f->m[0][0], f->m[1][0], f->m[2][0]}, behind = {g->m[0][0], g->m[1][0], g->m[2][0]};
    if (t < 0 || next == k) {
        place.centre = intra_mad(place.centre, t * step, tangent);
        return place;
    }
    place.centre = intra_add(intra_scale(piece->centre[k], 1 - t), intra_scale(piece->centre[next], t));
    place.frame = intra_axis_frame_along(intra_unit(intra_mad(intra_scale(tangent, 1 - t), t, behind)));
    return place;
}

static const struct axis_piece *piece_of(const struct intra_wallmap *map, int segment)
{
    for (int p = 0; p < map->n_pieces; p++)
        if (map->pieces[p].segment == segment && map->pieces[p].n > 0) return &map->pieces[p];
    return NULL;
}

bool intra_wallmap_stand(const struct intra_wallmap *map, const struct intra_frame_record *frame, double *out_roll_rad,
                         double *out_right_m, double *out_up_m)
{
    const struct axis_piece *piece = frame->is_posed ? piece_of(map, frame->segment) : NULL;
    if (!piece) return false;
    struct intra_axis_place at = place_on(map, piece, frame->station_m);
    const struct intra_pose *pose = &frame->world_from_cam;
    struct intra_vec3 arm = intra_mat3_tmul_vec(&at.frame, intra_sub(pose->t, at.centre));
    struct intra_vec3 top =
        intra_mat3_tmul_vec(&at.frame, intra_vec3(-pose->r.m[0][1], -pose->r.m[1][1], -pose->r.m[2][1]));
    *out_roll_rad = atan2(top.y, top.z);
    *out_right_m = arm.y;
    *out_up_m = arm.z;
    return true;
}

/* Turns a piece; *io_end: the place before it, has_end: there is one; then its last. */
static void turn_piece(const struct intra_wallmap *map, struct axis_piece *piece, bool has_end,
                       struct intra_axis_turned *io_end)
{
    for (int64_t i = 0; i < piece->n; i++) {
        double station = map->options.start_station_m + (double)(piece->first + i) * map->options.section_step_m;
        struct intra_axis_place was = {piece->centre[i], piece->frame[i]};
        *io_end = intra_axis_turn_on(has_end || i > 0 ? io_end : NULL, &was,
                                     intra_roll_turn(map->rolls, piece->segment, station, NULL));
        piece->centre[i] = io_end->is.centre;
        piece->frame[i] = io_end->is.frame;
    }
}

/* Frames of the segments [from, to): with the piece, `was` before it was turned; NULL: they left no axis, and go with
 * the place where the one before them ended. */
static void turn_frames(const struct intra_wallmap *map, int from, int to, const struct axis_piece *was,
                        const struct axis_piece *is, const struct intra_axis_turned *end,
                        struct intra_frame_record *frames, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        struct intra_frame_record *f = &frames[i];
        if (!f->is_posed || f->segment < from || f->segment >= to) continue;
        struct intra_axis_turned at = *end;
        at.turn_rad = intra_roll_turn(map->rolls, f->segment, f->station_m, NULL);
        if (was) {
            at.was = place_on(map, was, f->station_m);
            at.is = place_on(map, is, f->station_m);
        }
        f->world_from_cam = intra_axis_turned_pose(&at, &f->world_from_cam);
    }
}

static void turn_samples(const struct intra_wallmap *map, struct intra_radius_sample *samples, int64_t *io_at,
                         int64_t end, int segment)
{
    for (; *io_at < end; ++*io_at) {
        struct intra_radius_sample *p = &samples[*io_at];
        double theta =
            p->theta_rad + intra_roll_turn(map->rolls, segment, p->station_m + map->options.start_station_m, NULL);
        p->theta_rad = (float)intra_wrap_pi(theta);
    }
}

enum intra_status intra_wallmap_turn(struct intra_wallmap *map, const struct intra_roll_map *rolls,
                                     struct intra_frame_record *frames, int64_t n_frames, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_axis_turned end = {.was.frame = intra_axis_frame_along(intra_vec3(1, 0, 0))};
    struct axis_piece was = {0};
    int64_t sample = 0, dense = 0;
    int next = 0; /* segment that has not been turned yet */
    bool has_end = false;
    end.is = end.was;
    map->rolls = rolls;
    if (!(rolls->most_rad > 0)) return INTRA_OK;
    for (int p = 0; p < map->n_pieces; p++) {
        struct axis_piece *piece = &map->pieces[p];
        turn_samples(map, map->samples, &sample, piece->end_of_samples, piece->segment);
        turn_samples(map, map->dense, &dense, piece->end_of_dense, piece->segment);
        if (piece->n == 0) continue;
        turn_frames(map, next, piece->segment, NULL, NULL, &end, frames, n_frames);
        was = *piece;
        was.centre = NULL;
        was.frame = NULL;
        INTRA_TRY(INTRA_ALLOC(was.centre, (size_t)piece->n, err));
        INTRA_TRY(INTRA_ALLOC(was.frame, (size_t)piece->n, err));
        memcpy(was.centre, piece->centre, sizeof *was.centre * (size_t)piece->n);
        memcpy(was.frame, piece->frame, sizeof *was.frame * (size_t)piece->n);
        turn_piece(map, piece, has_end, &end);
        has_end = true;
        turn_frames(map, piece->segment, piece->segment + 1, &was, piece, &end, frames, n_frames);
        next = piece->segment + 1;
        intra_free(was.centre);
        intra_free(was.frame);
        was = (struct axis_piece){0};
    }
    turn_frames(map, next, INT_MAX, NULL, NULL, &end, frames, n_frames);
done:
    intra_free(was.centre);
    intra_free(was.frame);
    return status;
}

/* The piece that paints a station as it is now: the first that reaches it, as its sections have the way. */
static const struct axis_piece *piece_at(const struct intra_wallmap *map, double station_m)
{
    for (int p = 0; p < map->n_pieces; p++)
        if (station_m >= map->pieces[p].from_m && station_m <= map->pieces[p].to_m) return &map->pieces[p];
    return NULL;
}

int intra_wallmap_segment(const struct intra_wallmap *map, double from_m, double to_m)
{
    const struct axis_piece *a = piece_at(map, from_m), *b = piece_at(map, to_m);
    if (!a || a != b || a->n == 0) return -1;
    struct intra_axis_place place = place_on(map, a, 0.5 * (from_m + to_m));
    return fabs(place.frame.m[2][0]) < M_SQRT1_2 ? a->segment : -1;
}

/* Cell column and, for row 0 of the finished wall, cell row as they were painted. The column is negative where none
 * was. */
static int64_t painted_cell(const struct intra_wallmap *map, double station_m, int *out_row)
{
    const struct axis_piece *piece = piece_at(map, station_m);
    *out_row = 0;
    if (!piece) return -1;
    double before = map->stations ? intra_station_before(map->stations, piece->segment, station_m) : station_m;
    double turn = map->rolls ? intra_roll_turn(map->rolls, piece->segment, station_m, NULL) : 0;
    int64_t row = llround(-turn / (2 * M_PI) * map->rows) % map->rows;
    *out_row = (int)(row < 0 ? row + map->rows : row);
    return (int64_t)floor((before - map->station0_m) / map->options.texel_m);
}

/* The cells of a strip of the finished wall, gathered from where they were painted. out: rows x STRIP_COLS, as in a strip. */
static enum intra_status gather_strip(struct intra_wallmap *map, int64_t strip, struct cell *out, bool *any, struct intra_error *err)
{
    *any = false;
    memset(out, 0, sizeof *out * (size_t)map->rows * STRIP_COLS);
    for (int c = 0; c < STRIP_COLS; c++) {
        double station = map->station0_m + ((double)(strip * STRIP_COLS + c) + 0.5) * map->options.texel_m;
        int first;
        int64_t col = painted_cell(map, station, &first);
        const void *in;
        if (col < 0) continue;
        enum intra_status status = intra_raster_peek(map->cells, col / STRIP_COLS, &in, err);
        if (status != INTRA_OK) return status;
        if (!in) continue;
        for (int r = 0; r < map->rows; r++)
            out[cell_place(r, c)] =
                ((const struct cell *)in)[cell_place((first + r) % map->rows, (int)(col % STRIP_COLS))];
        *any = true;
    }
    return INTRA_OK;
}

/* The columns that the stations as they are now need. */
static void respan(struct intra_wallmap *map)
{
    map->col_min = INT64_MAX;
    map->col_max = -1;
    for (int p = 0; p < map->n_pieces; p++) {
        int64_t from = (int64_t)floor((map->pieces[p].from_m - map->station0_m) / map->options.texel_m);
        int64_t to = (int64_t)ceil((map->pieces[p].to_m - map->station0_m) / map->options.texel_m);
        if (from < map->col_min) map->col_min = from;
        if (to > map->col_max) map->col_max = to;
    }
    if (map->col_min < 0) map->col_min = 0;
}

static void fill_section(const struct intra_wallmap *map, int64_t index, const struct axis_piece *piece, int64_t at,
                         const struct intra_section_fit *fit, struct intra_section *out)
{
    double local = (double)index * map->options.section_step_m;
    memset(out, 0, sizeof *out);
    out->station_m = map->options.start_station_m + local;
    out->is_seen = true;
    struct intra_mat3 f = piece->frame[at];
    out->centre = piece->centre[at];
    out->world_from_sec = f;
    memcpy(out->a, fit->a, sizeof out->a);
    memcpy(out->b, fit->b, sizeof out->b);
    intra_section_measure(out);
    intra_section_fit_deviations(fit, out);
    double roll_sd;
    if (map->rolls) {
        (void)intra_roll_turn(map->rolls, piece->segment, out->station_m, &roll_sd);
        if (isfinite(roll_sd)) out->min_clock_sd_rad = fmin(hypot(out->min_clock_sd_rad, roll_sd), M_PI / 2);
    }
    out->water_level_pct = out->water_level_sd_pct = NAN;
    double run = hypot(f.m[0][0], f.m[1][0]);
    out->heading_rad = atan2(f.m[1][0], f.m[0][0]);
    out->grade_pct = 100 * f.m[2][0] / fmax(run, 1e-6);
    /* Direction wanders with the way: about a tenth of a degree per root metre, on a floor of a quarter. */
    double way = fabs(local);
    out->heading_sd_rad = sqrt(pow(0.0045, 2) + pow(0.002, 2) * way);
    out->grade_sd_pct = 100 * out->heading_sd_rad;
    out->centre_sd_m.x = 0.004 * map->options.radius_m + 0.003 * way;
    out->centre_sd_m.y = hypot(out->centre_sd_m.y, out->heading_sd_rad * way / 2);
    out->centre_sd_m.z = hypot(out->centre_sd_m.z, out->heading_sd_rad * way / 2);
}

static int compare_station(const void *a, const void *b)
{
    float x = ((const struct intra_radius_sample *)a)->station_m, y = ((const struct intra_radius_sample *)b)->station_m;
    return x < y ? -1 : x > y;
}

/* First sample at or after a station (samples sorted). */
static int64_t first_at(const struct intra_radius_sample *samples, int64_t n, double station_m)
{
    int64_t low = 0, high = n;
    while (low < high) {
        int64_t mid = (low + high) / 2;
        if (samples[mid].station_m < station_m)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* All radii by station: of the points that were followed, and what was swept; these lie closer, above all on what stands
 * off the wall. */
static enum intra_status merge_samples(struct intra_wallmap *map, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    INTRA_TRY(INTRA_ALLOC(map->merged, (size_t)(map->n_samples + map->n_dense + 1), err));
    for (int64_t i = 0, k = 0; i < map->n_samples || k < map->n_dense; map->n_merged++) {
        struct intra_radius_sample *out = &map->merged[map->n_merged];
        if (k == map->n_dense || (i < map->n_samples && map->samples[i].station_m <= map->dense[k].station_m)) {
            *out = map->samples[i++];
        } else {
            *out = map->dense[k++];
            out->sd_m = hypotf(out->sd_m, (float)(SWEPT_SD_REL * map->options.radius_m));
        }
    }
done:
    return status;
}

/* The sections' fits of a piece. fits: piece->n. */
static enum intra_status fit_sections(const struct intra_wallmap *map, const struct axis_piece *piece,
                                      struct intra_section_fit *fits, struct intra_error *err)
{
    double step = map->options.section_step_m, r = map->options.radius_m, half = intra_section_half_width(step, r);
    for (int64_t i = 0; i < piece->n; i++) {
        double local = (double)(piece->first + i) * step;
        int64_t a = first_at(map->merged, map->n_merged, local - half), b = first_at(map->merged, map->n_merged, local + half);
        intra_section_fit(map->merged + a, b - a, local, half, r, &fits[i]);
    }
    return intra_section_smooth(fits, piece->n, half / step, r, err);
}

/* Sections of a gap before section `index`, with its axis point, from the last one on. */
static enum intra_status bridge_gap(const struct intra_wallmap *map, const struct axis_piece *piece, int64_t at,
                                    int64_t next, int64_t index, struct intra_scene *scene, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_vec3 from = scene->sections[scene->n_sections - 1].centre;
    for (int64_t g = next; g < index; g++) {
        struct intra_section gap = {.station_m =
                                        map->options.start_station_m + (double)g * map->options.section_step_m};
        double t = (double)(g - next + 1) / (double)(index - next + 1);
        gap.centre = intra_add(intra_scale(from, 1 - t), intra_scale(piece->centre[at], t));
        gap.world_from_sec = piece->frame[at];
        gap.a[0] = map->options.radius_m;
        intra_section_measure(&gap);
        INTRA_TRY(intra_scene_add_section(scene, &gap, err));
    }
done:
    return status;
}

static enum intra_status make_sections(struct intra_wallmap *map, struct intra_scene *scene, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    double step = map->options.section_step_m;
    struct intra_section_fit *fits = NULL;
    for (int p = 0; p < map->n_pieces; p++) {
        const struct axis_piece *piece = &map->pieces[p];
        intra_free(fits);
        fits = NULL;
        INTRA_TRY(INTRA_ALLOC(fits, (size_t)piece->n, err));
        INTRA_TRY(fit_sections(map, piece, fits, err));
        for (int64_t i = 0; i < piece->n; i++) {
            int64_t index = piece->first + i;
            struct intra_section s;
            if (scene->n_sections) { /* a later run never overwrites, and what lies between is a gap */
                double last = scene->sections[scene->n_sections - 1].station_m - map->options.start_station_m;
                int64_t next = (int64_t)llround(last / step) + 1;
                if (index < next) continue;
                INTRA_TRY(bridge_gap(map, piece, i, next, index, scene, err));
            }
            fill_section(map, index, piece, i, &fits[i], &s);
            INTRA_TRY(intra_scene_add_section(scene, &s, err));
        }
    }
done:
    intra_free(fits);
    return status;
}

/* A sample's rest from the section, with its weight. */
struct rest {
    double off, weight;
};
enum { MOST_RESTS = 64 };

/* Rests of the samples around (local_m from the start, theta), with kernel weights; returns how many, *hits their sum. */
static int gather_rests(const struct intra_wallmap *map, const struct intra_radius_sample *samples, int64_t n,
                        double local_m, double theta, double expect, struct rest *out, double *hits)
{
    double reach = 0.12 * map->options.radius_m;
    int found = 0;
    *hits = 0;
    for (int64_t i = first_at(samples, n, local_m - reach);
         i < n && samples[i].station_m < local_m + reach && found < MOST_RESTS; i++) {
        const struct intra_radius_sample *p = &samples[i];
        double ds = p->station_m - local_m, dt = intra_wrap_pi(p->theta_rad - theta) * map->options.radius_m;
        double d2 = (ds * ds + dt * dt) / (reach * reach);
        if (d2 >= 1) continue;
        double w = (1 - d2) * (1 - d2), sd = hypot(p->sd_m, 0.004 * map->options.radius_m);
        out[found++] = (struct rest){p->r_m - expect, w / (sd * sd)};
        *hits += w;
    }
    return found;
}

/* Robust mean: from the weighted median on, Cauchy weights. The rim of a stub is not the mean of it and the wall beside.
 * flat_m: of the prior that the rest is 0, Cauchy too. */
static double robust_rest(struct rest *rests, int n, double scale_m, double flat_m)
{
    double all = 0, sum = 0, at = 0;
    for (int i = 1; i < n; i++) /* few of them */
        for (int k = i; k > 0 && rests[k - 1].off > rests[k].off; k--) {
            struct rest swap = rests[k];
            rests[k] = rests[k - 1];
            rests[k - 1] = swap;
        }
    for (int i = 0; i < n; i++) all += rests[i].weight;
    for (int i = 0; i < n && sum < all / 2; i++) {
        sum += rests[i].weight;
        at = rests[i].off;
    }
    for (int round = 0; round < 3; round++) {
        double mass = SHARED / (flat_m * flat_m) * intra_cauchy_weight(at * at, flat_m * flat_m);
        sum = 0;
        for (int i = 0; i < n; i++) {
            double e = rests[i].off - at, w = rests[i].weight * intra_cauchy_weight(e * e, scale_m * scale_m);
            sum += w * rests[i].off;
            mass += w;
        }
        at = sum / mass;
    }
    return at;
}

/* Deviation of the wall from its section at a node; NaN where too few. What was followed counts only where too little was
 * swept: on a deposit it lies up to 3 mm too deep, drawn to the tube. */
static float relief_at(const struct intra_wallmap *map, const struct intra_scene *scene, double station_m, double theta)
{
    struct rest rests[MOST_RESTS];
    double hits, r = map->options.radius_m;
    if (scene->n_sections == 0) return NAN;
    double local = station_m - map->options.start_station_m;
    double at = (station_m - scene->sections[0].station_m) / map->options.section_step_m;
    int64_t k = (int64_t)llround(at);
    if (k < 0 || k >= scene->n_sections || !scene->sections[k].is_seen) return NAN;
    double expect = intra_section_radius(&scene->sections[k], theta);
    int n = gather_rests(map, map->dense, map->n_dense, local, theta, expect, rests, &hits);
    if (hits <= LEAST_HITS) n = gather_rests(map, map->samples, map->n_samples, local, theta, expect, rests, &hits);
    return hits > LEAST_HITS ? (float)robust_rest(rests, n, REST_SCALE_REL * r, FLAT_REL * r) : NAN;
}

/* out: rows x STRIP_COLS x 4 */
static void paint_colour(const struct cell *cells, int rows, int threads, uint8_t *out)
{
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < STRIP_COLS; c++) {
            uint8_t *p = out + 4 * ((int64_t)r * STRIP_COLS + c);
            const struct cell *cell = cells + cell_place(r, c);
            bool is_seen = cell->weight > 0;
            for (int k = 0; k < 3; k++) {
                int level = (cell->rgb[k] + 127) / 256;
                p[k] = (uint8_t)(!is_seen ? 0 : level > 255 ? 255 : level);
            }
            p[3] = is_seen ? 255 : 0;
        }
}

/* scene: NULL for the colour alone. */
static enum intra_status make_rasters(struct intra_wallmap *map, const struct intra_progress *progress,
                                      const struct intra_scene *scene, struct intra_wall *wall, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const char *dir = map->options.scratch_dir;
    float *relief = NULL, *coverage = NULL;
    int rows = map->rows, n_k = rows / NODE + 1, n_c = STRIP_COLS / NODE + 1;
    float *knots = NULL;
    struct cell *gathered = NULL;
    const struct cell *cells = NULL;
    if (map->stations || (map->rolls && map->rolls->most_rad > 0)) {
        respan(map);
        INTRA_TRY(INTRA_ALLOC(gathered, (size_t)rows * STRIP_COLS, err));
    }
    map->col_min = map->col_min / STRIP_COLS * STRIP_COLS;
    wall->station0_m = map->station0_m + (double)map->col_min * map->options.texel_m;
    wall->texel_m = map->options.texel_m;
    wall->perimeter_m = 2 * M_PI * map->options.radius_m;
    wall->cut_rad = map->options.cut_rad;
    wall->rows = rows;
    wall->cols = map->col_max - map->col_min;
    INTRA_TRY(intra_raster_create(dir, rows, 4, STRIP_COLS, 4, &wall->colour, err));
    if (scene) INTRA_TRY(intra_raster_create(dir, rows, sizeof(float), STRIP_COLS, 4, &wall->relief, err));
    if (scene) INTRA_TRY(intra_raster_create(dir, rows, 2 * sizeof(float), STRIP_COLS, 4, &wall->coverage, err));
    INTRA_TRY(INTRA_ALLOC(knots, (size_t)n_k * (size_t)n_c, err));
    for (int64_t strip = 0; strip * STRIP_COLS < wall->cols; strip++) {
        const void *in;
        void *out[3];
        intra_progress_report(progress, "wall", (double)(strip * STRIP_COLS), (double)wall->cols);
        if (gathered) {
            bool any;
            INTRA_TRY(gather_strip(map, map->col_min / STRIP_COLS + strip, gathered, &any, err));
            in = any ? gathered : NULL;
        } else
            INTRA_TRY(intra_raster_peek(map->cells, map->col_min / STRIP_COLS + strip, &in, err));
        if (!in) continue;
        INTRA_TRY(intra_raster_strip(wall->colour, strip, &out[0], err));
        cells = in;
        paint_colour(cells, rows, map->options.finish_threads, out[0]);
        if (!scene) continue;
        INTRA_TRY(intra_raster_strip(wall->relief, strip, &out[1], err));
        INTRA_TRY(intra_raster_strip(wall->coverage, strip, &out[2], err));
        relief = out[1], coverage = out[2];
#pragma omp parallel for schedule(dynamic, 4) num_threads(map->options.finish_threads)
        for (int i = 0; i < n_k * n_c; i++) {
            double s = wall->station0_m + ((double)strip * STRIP_COLS + (double)(i % n_c) * NODE) * wall->texel_m;
            knots[i] = relief_at(map, scene, s, theta_of_row(map, (double)(i / n_c) * NODE));
        }
#pragma omp parallel for schedule(static) num_threads(map->options.finish_threads)
        for (int r = 0; r < rows; r++)
            for (int c = 0; c < STRIP_COLS; c++) {
                int64_t at = (int64_t)r * STRIP_COLS + c;
                const struct cell *cell = cells + cell_place(r, c);
                bool is_seen = cell->weight > 0;
                coverage[2 * at] = is_seen ? cell->res_m : 0;
                coverage[2 * at + 1] = is_seen ? cell->views : 0;
                const float *q = knots + (r / NODE) * n_c + c / NODE;
                float fy = ((float)(r % NODE) + 0.5f) / NODE, fx = ((float)(c % NODE) + 0.5f) / NODE;
                float top = q[0] + fx * (q[1] - q[0]), bottom = q[n_c] + fx * (q[n_c + 1] - q[n_c]);
                relief[at] = is_seen ? top + fy * (bottom - top) : NAN;
            }
    }
    intra_progress_report(progress, "wall", (double)wall->cols, (double)wall->cols);
done:
    intra_free(knots);
    intra_free(gathered);
    return status;
}

enum intra_status intra_wallmap_colour(struct intra_wallmap *map, struct intra_wall *out, struct intra_error *err)
{
    if (map->n_views == 0 || map->col_max < 0) return INTRA_FAIL(err, INTRA_E_NO_RESULT, "no wall was seen");
    return make_rasters(map, NULL, NULL, out, err);
}

enum intra_status intra_wallmap_finish(struct intra_wallmap *map, const struct intra_progress *progress,
                                       struct intra_scene *scene, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    if (map->n_views == 0 || map->col_max < 0)
        return INTRA_FAIL(err, INTRA_E_NO_RESULT, "no wall was seen");
    qsort(map->samples, (size_t)map->n_samples, sizeof *map->samples, compare_station);
    if (map->n_dense) qsort(map->dense, (size_t)map->n_dense, sizeof *map->dense, compare_station);
    INTRA_TRY(intra_sweep_prune(map->dense, &map->n_dense, map->options.radius_m, err));
    INTRA_TRY(merge_samples(map, err));
    scene->section_step_m = map->options.section_step_m;
    INTRA_TRY(make_sections(map, scene, err));
    INTRA_TRY(make_rasters(map, progress, scene, &scene->wall, err));
    intra_raster_destroy(&map->cells);
done:
    return status;
}

const struct intra_radius_sample *intra_wallmap_samples(const struct intra_wallmap *map, int64_t *n)
{
    *n = map->n_merged;
    return map->merged;
}
