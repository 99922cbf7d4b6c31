#include "tools/sim/sim_wall.h"

#include "core/mem.h"
#include "tools/sim/sim_noise.h"
#include "tools/sim/sim_shape.h"

#include <stdlib.h>
#include <string.h>

enum { SEED_JOINT = 201 };

/* ---- joints ---- */

static int by_station(const void *a, const void *b)
{
    double x = ((const struct sim_joint *)a)->station_m, y = ((const struct sim_joint *)b)->station_m;
    return (x > y) - (x < y);
}

static bool is_near_listed(const struct sim_joints *j, double s)
{
    for (int i = 0; i < j->list.n; i++)
        if (fabs(SIM_AT(j->list, sim_joint, i)->station_m - s) < 0.5 * j->spacing_m) return true;
    return false;
}

enum intra_status intra_sim_joints_make(const struct intra_sim_scene *scene, struct sim_joint **out, int *out_n,
                                        struct intra_error *err)
{
    const struct sim_joints *j = &scene->joints;
    double length = intra_sim_scene_length(scene);
    size_t regular = j->spacing_m > 0 ? (size_t)(length / j->spacing_m) + 2 : 0;
    enum intra_status status = INTRA_OK;
    int n = 0;
    INTRA_TRY(INTRA_ALLOC(*out, regular + (size_t)j->list.n + 1, err));
    for (size_t i = 0; i < regular; i++) {
        uint64_t h = sim_hash3((uint64_t)scene->seed, SEED_JOINT, (int64_t)i);
        struct sim_joint *a = &(*out)[n];
        a->station_m = j->first_m + (double)i * j->spacing_m;
        if (a->station_m >= length || a->station_m <= 0 || is_near_listed(j, a->station_m)) continue;
        a->gap_m = fmax(0.001, j->gap_m + j->gap_spread_m * (2 * sim_unit(sim_mix(h)) - 1));
        a->depth_m = j->depth_m;
        a->offset_m = j->offset_max_m * sim_unit(sim_mix(h + 1));
        a->offset_clock_deg = 360 * sim_unit(sim_mix(h + 2));
        a->deflection_deg = j->deflection_max_deg * sim_unit(sim_mix(h + 3));
        a->deflection_clock_deg = 360 * sim_unit(sim_mix(h + 4));
        n++;
    }
    for (int i = 0; i < j->list.n; i++)
        if (SIM_AT(j->list, sim_joint, i)->station_m < length) (*out)[n++] = *SIM_AT(j->list, sim_joint, i);
    qsort(*out, (size_t)n, sizeof **out, by_station);
    *out_n = n;
done:
    return status;
}

/* ---- the grid ---- */

static double ease(double x)
{
    x = fmin(fmax(x, 0), 1);
    return x * x * (3 - 2 * x);
}

/* Displacement of the pipe length that holds s: whole at its start, gone at its end, where the next one is offset. */
static struct sim_point offset_at(const struct intra_sim_wall *w, double s)
{
    struct sim_point e = {0, 0}; /* x to the right, y to the crown */
    for (int i = w->n_joints - 1; i >= 0; i--) {
        const struct sim_joint *j = &w->joints[i];
        double end, k;
        if (j->station_m > s) continue;
        end = i + 1 < w->n_joints ? w->joints[i + 1].station_m : w->length_m;
        k = end > j->station_m ? (end - s) / (end - j->station_m) : 0;
        e.x = k * j->offset_m * sin(j->offset_clock_deg * M_PI / 180);
        e.y = k * j->offset_m * cos(j->offset_clock_deg * M_PI / 180);
        break;
    }
    return e;
}

static double theta_of(const struct intra_sim_wall *w, double row)
{
    return (row + 0.5) / w->rows_per_rad - M_PI; /* the same angle as pi + 2 pi (row + 0.5) / rows */
}

static void base_column(const struct intra_sim_scene *scene, struct intra_sim_wall *w, int col)
{
    double s = (col + 0.5) * w->cell_m;
    struct sim_point e = offset_at(w, s);
    for (int r = 0; r < w->rows; r++) {
        double theta = theta_of(w, r), radius = w->radius_m, along = e.x * sin(theta) + e.y * cos(theta);
        for (int i = 0; i < scene->ovality.n; i++) {
            const struct sim_ovality *o = SIM_AT(scene->ovality, sim_ovality, i);
            double k = ease((s - o->from_m) / o->ease_m) * ease((o->to_m - s) / o->ease_m);
            radius -= w->radius_m * k * o->ovality_pct / 100 * cos(2 * (theta - o->min_clock_deg * M_PI / 180));
        }
        for (int i = 0; i < scene->deposits.n; i++)
            radius -= intra_sim_deposit_height(scene, i, s, theta);
        w->radius[(size_t)col * (size_t)w->pitch + (size_t)r] =
            (float)(along + sqrt(radius * radius - e.x * e.x - e.y * e.y + along * along));
    }
}

/* Columns that stations [from, to] touch. */
static void column_range(const struct intra_sim_wall *w, double from, double to, int *c0, int *c1)
{
    *c0 = (int)fmax(0, floor(from / w->cell_m) - 2);
    *c1 = (int)fmin(w->cols - 1, ceil(to / w->cell_m) + 2);
}

/* Share of the cell that lies beyond an edge at signed distance d (positive outside). */
static double outside_share(double d, double cell)
{
    return fmin(fmax(d / cell + 0.5, 0), 1);
}

static void add_lateral(const struct intra_sim_scene *scene, struct intra_sim_wall *w, int i)
{
    const struct sim_lateral *l = SIM_AT(scene->laterals, sim_lateral, i);
    double r_in = l->diameter_m / 2, r_out = r_in + l->wall_m, step = 0, reach;
    int c0, c1;
    if (strcmp(l->kind, "protruding") == 0) step = -fmin(l->protrusion_m, 0.9 * w->radius_m);
    if (strcmp(l->kind, "recessed") == 0) step = l->protrusion_m;
    reach = r_out / sin(l->branch_angle_deg * M_PI / 180) +
            w->radius_m * fabs(cos(l->branch_angle_deg * M_PI / 180)) * 2 + 0.02;
    column_range(w, l->station_m - reach, l->station_m + reach, &c0, &c1);
    for (int c = c0; c <= c1; c++)
        for (int r = 0; r < w->rows; r++) {
            float *at = &w->radius[(size_t)c * (size_t)w->pitch + (size_t)r];
            double q = intra_sim_lateral_distance(scene, i, (c + 0.5) * w->cell_m, theta_of(w, r), *at);
            if (q < 0) continue;
            *at += (float)(step * (1 - outside_share(q - r_out, w->cell_m)));
            if (q < r_in + 2 * w->cell_m && w->open[(size_t)c * (size_t)w->rows + (size_t)r] == 0)
                w->open[(size_t)c * (size_t)w->rows + (size_t)r] = (uint8_t)(1 + i);
        }
}

static void add_hole(const struct intra_sim_scene *scene, struct intra_sim_wall *w, int i)
{
    const struct sim_hole *h = SIM_AT(scene->holes, sim_hole, i);
    int c0, c1;
    column_range(w, h->station_m - h->length_m, h->station_m + h->length_m, &c0, &c1);
    for (int c = c0; c <= c1; c++)
        for (int r = 0; r < w->rows; r++) {
            double s = (c + 0.5) * w->cell_m, theta = theta_of(w, r), d = intra_sim_hole_edge(scene, i, s, theta),
                   rough;
            if (d > w->cell_m) continue;
            rough = 0.85 + 0.15 * intra_sim_noise2((uint64_t)scene->seed + 9, s / 0.012,
                                                   theta * w->radius_m / 0.012 + 4096, 1 << 20);
            w->radius[(size_t)c * (size_t)w->pitch + (size_t)r] +=
                (float)(h->depth_m * rough * (1 - outside_share(d, w->cell_m)));
            if (d < 0) w->open[(size_t)c * (size_t)w->rows + (size_t)r] = SIM_OPEN_HOLE;
        }
}

/* Strands lie on the wall as soft ridges, one over the other; their flanks are drawn out to what the cells can carry.
 */
static void add_line(struct intra_sim_wall *w, const struct sim_polyline *line)
{
    double per = 2 * M_PI * w->radius_m, reach = fmax(1.5 * line->half_width, 2 * w->cell_m);
    int c0, c1;
    column_range(w, line->low.x - reach, line->high.x + reach, &c0, &c1);
    for (int c = c0; c <= c1; c++)
        for (int r = 0; r < w->rows; r++) {
            double s = (c + 0.5) * w->cell_m, y = theta_of(w, r) * w->radius_m, near = y, d;
            near += per * floor((0.5 * (line->low.y + line->high.y) - y) / per + 0.5);
            if (near < line->low.y - reach || near > line->high.y + reach) continue;
            d = intra_sim_line_distance(line, s, y, per) / reach;
            if (d < 1)
                w->radius[(size_t)c * (size_t)w->pitch + (size_t)r] -=
                    (float)(line->half_width * 1.6 * (1 - d * d) * (1 - d * d));
        }
}

static enum intra_status add_roots(const struct intra_sim_scene *scene, struct intra_sim_wall *w,
                                   struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct sim_lines tuft = {0};
    for (int i = 0; i < scene->roots.n; i++) {
        INTRA_TRY(intra_sim_root_lines(scene, i, &tuft, err));
        for (int k = 0; k < tuft.n; k++)
            add_line(w, &tuft.lines[k]);
        intra_sim_lines_fini(&tuft);
    }
done:
    intra_sim_lines_fini(&tuft);
    return status;
}

/* ---- grooves ---- */

static void add_grooves(struct intra_sim_wall *w)
{
    const double chamfer = 0.0015;
    for (int i = 0; i < w->n_joints; i++) {
        const struct sim_joint *j = &w->joints[i];
        double half = j->gap_m / 2;
        int from = (int)fmax(0, (j->station_m - half) / w->groove_m - 4);
        for (int k = from; k < w->n_groove && k * w->groove_m < j->station_m + half + 4 * w->groove_m; k++) {
            double inside = half - fabs(k * w->groove_m - j->station_m);
            if (inside > 0)
                w->groove[k] = (float)fmax(w->groove[k], j->depth_m * fmin(1, inside / fmin(chamfer, half)));
        }
    }
    for (int k = 0; k < w->n_groove; k++)
        w->groove_count[k + 1] = w->groove_count[k] + (w->groove[k] > 0);
}

/* ---- tiles ---- */

struct tile_own {
    float low, slope;
    bool has_open;
};

static struct tile_own tile_measure(const struct intra_sim_wall *w, int tc, int tr)
{
    struct tile_own t = {1e9f, 0, false};
    float arc = (float)(1 / (w->rows_per_rad * w->radius_m)) > 0 ? (float)(w->radius_m / w->rows_per_rad) : 1;
    for (int c = tc * SIM_TILE; c < (tc + 1) * SIM_TILE && c < w->cols; c++)
        for (int r = tr * SIM_TILE; r < (tr + 1) * SIM_TILE && r < w->rows; r++) {
            const float *p = &w->radius[(size_t)c * (size_t)w->pitch + (size_t)r];
            float ds = c + 1 < w->cols ? fabsf(p[w->pitch] - p[0]) * (float)w->inv_cell : 0,
                  dt = fabsf(p[1] - p[0]) / arc;
            t.low = fminf(t.low, fminf(p[0], p[1]));
            t.slope = fmaxf(t.slope, fmaxf(ds, dt));
            t.has_open |= w->open[(size_t)c * (size_t)w->rows + (size_t)r] != 0;
        }
    return t;
}

static void add_to_table(int *sum, int nr, int c, int r, int count)
{
    int p = nr + 1;
    sum[(c + 1) * p + r + 1] = count + sum[c * p + r + 1] + sum[(c + 1) * p + r] - sum[c * p + r];
}

static enum intra_status make_tiles(struct intra_sim_wall *w, struct intra_error *err)
{
    const float smooth_slope = 0.03f;
    enum intra_status status = INTRA_OK;
    struct tile_own *own = NULL;
    int nc = w->tile_cols = (w->cols + SIM_TILE - 1) / SIM_TILE,
        nr = w->tile_rows = (w->rows + SIM_TILE - 1) / SIM_TILE;
    INTRA_TRY(INTRA_ALLOC(own, (size_t)nc * (size_t)nr, err));
    INTRA_TRY(INTRA_ALLOC(w->tile_low, (size_t)nc * (size_t)nr, err));
    INTRA_TRY(INTRA_ALLOC(w->tile_slope, (size_t)nc * (size_t)nr, err));
    INTRA_TRY(INTRA_ALLOC(w->rough_count, (size_t)(nc + 1) * (size_t)(nr + 1), err));
    INTRA_TRY(INTRA_ALLOC(w->steep_count, (size_t)(nc + 1) * (size_t)(nr + 1), err));
    for (int c = 0; c < nc; c++)
        for (int r = 0; r < nr; r++)
            own[c * nr + r] = tile_measure(w, c, r);
    for (int c = 0; c < nc; c++)
        for (int r = 0; r < nr; r++) {
            float low = 1e9f, slope = 0;
            const struct tile_own *o = &own[c * nr + r];
            bool is_steep = o->slope > smooth_slope;
            for (int dc = -1; dc <= 1; dc++)
                for (int dr = -1; dr <= 1; dr++) {
                    int cc = c + dc < 0 ? 0 : c + dc >= nc ? nc - 1 : c + dc;
                    low = fminf(low, own[cc * nr + (r + dr + nr) % nr].low);
                    slope = fmaxf(slope, own[cc * nr + (r + dr + nr) % nr].slope);
                }
            w->tile_low[c * nr + r] = low;
            w->tile_slope[c * nr + r] = slope;
            add_to_table(w->rough_count, nr, c, r, o->has_open || is_steep);
            add_to_table(w->steep_count, nr, c, r, is_steep);
        }
done:
    intra_free(own);
    return status;
}

enum intra_status intra_sim_wall_make(const struct intra_sim_scene *scene, struct sim_joint *joints, int n_joints,
                                      struct intra_sim_wall *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_sim_wall w = {.radius_m = scene->pipe.diameter_m / 2,
                               .length_m = intra_sim_scene_length(scene),
                               .cell_m = 0.002,
                               .groove_m = 0.0005,
                               .joints = joints,
                               .n_joints = n_joints};
    w.inv_cell = 1 / w.cell_m;
    w.rows = (int)(2 * M_PI * w.radius_m / w.cell_m + 0.5);
    w.rows = (w.rows + SIM_TILE - 1) / SIM_TILE * SIM_TILE;
    w.rows_per_rad = w.rows / (2 * M_PI);
    w.cols = (int)ceil(w.length_m / w.cell_m);
    w.pitch = w.rows + 1;
    w.n_groove = (int)(w.length_m / w.groove_m) + 2;
    INTRA_TRY(INTRA_ALLOC(w.radius, (size_t)w.cols * (size_t)w.pitch, err));
    INTRA_TRY(INTRA_ALLOC(w.open, (size_t)w.cols * (size_t)w.rows, err));
    INTRA_TRY(INTRA_ALLOC(w.groove, (size_t)w.n_groove, err));
    INTRA_TRY(INTRA_ALLOC(w.groove_count, (size_t)w.n_groove + 1, err));
#pragma omp parallel for schedule(dynamic, 64)
    for (int c = 0; c < w.cols; c++)
        base_column(scene, &w, c);
    for (int i = 0; i < scene->holes.n; i++)
        add_hole(scene, &w, i);
    INTRA_TRY(add_roots(scene, &w, err));
    for (int i = 0; i < scene->laterals.n; i++)
        add_lateral(scene, &w, i);
    add_grooves(&w);
    w.lowest_m = 1e9;
    for (int c = 0; c < w.cols; c++) {
        float *col = &w.radius[(size_t)c * (size_t)w.pitch];
        for (int r = 0; r < w.rows; r++) {
            if (!(col[r] > 0.1f * (float)w.radius_m)) col[r] = 0.1f * (float)w.radius_m; /* never shut */
            w.lowest_m = fmin(w.lowest_m, col[r]);
            w.highest_m = fmax(w.highest_m, col[r]);
        }
        col[w.rows] = col[0];
    }
    INTRA_TRY(make_tiles(&w, err));
done:
    *out = w;
    if (status != INTRA_OK) intra_sim_wall_fini(out);
    return status;
}

void intra_sim_wall_fini(struct intra_sim_wall *w)
{
    intra_free(w->radius);
    intra_free(w->open);
    intra_free(w->groove);
    intra_free(w->groove_count);
    intra_free(w->tile_low);
    intra_free(w->tile_slope);
    intra_free(w->rough_count);
    intra_free(w->steep_count);
    intra_free(w->joints);
    *w = (struct intra_sim_wall){0};
}

double intra_sim_wall_radius(const struct intra_sim_wall *w, double s, double theta)
{
    double a, b;
    return sim_wall_grid(w, s, intra_wrap_pi(theta), &a, &b) + sim_wall_groove(w, s, &a);
}

static int tile_sum(const struct intra_sim_wall *w, const int *count, int c0, int c1, int r0, int r1) /* inclusive */
{
    int p = w->tile_rows + 1;
    return count[(c1 + 1) * p + r1 + 1] - count[c0 * p + r1 + 1] - count[(c1 + 1) * p + r0] + count[c0 * p + r0];
}

static int clamp_int(int v, int low, int high)
{
    return v < low ? low : v > high ? high : v;
}

bool intra_sim_wall_any_tile(const struct intra_sim_wall *w, const int *count, double s_a, double s_b, double th_a,
                             double th_b)
{
    double s0 = fmax(fmin(s_a, s_b), -1), s1 = fmin(fmax(s_a, s_b), w->length_m + 1);
    double th0 = fmax(fmin(th_a, th_b), -20), th1 = fmin(fmax(th_a, th_b), 20);
    double per_tile = SIM_TILE * w->cell_m, tile_per_rad = w->rows_per_rad / SIM_TILE;
    int c0 = clamp_int((int)floor(s0 / per_tile - 0.1), 0, w->tile_cols - 1),
        c1 = clamp_int((int)floor(s1 / per_tile + 0.1), 0, w->tile_cols - 1);
    int r0 = (int)floor((th0 + M_PI) * tile_per_rad - 0.1), r1 = (int)floor((th1 + M_PI) * tile_per_rad + 0.1);
    if (r1 - r0 + 1 >= w->tile_rows) return tile_sum(w, count, c0, c1, 0, w->tile_rows - 1) > 0;
    r0 = (r0 % w->tile_rows + w->tile_rows) % w->tile_rows;
    r1 = (r1 % w->tile_rows + w->tile_rows) % w->tile_rows;
    if (r0 <= r1) return tile_sum(w, count, c0, c1, r0, r1) > 0;
    return tile_sum(w, count, c0, c1, r0, w->tile_rows - 1) + tile_sum(w, count, c0, c1, 0, r1) > 0;
}
