#include "tools/sim/sim_truth.h"

#include "core/fileio.h"
#include "core/mem.h"
#include "tools/sim/sim_shape.h"
#include "tools/sim/sim_tiff.h"

#include <stdarg.h>
#include <string.h>

enum intra_status intra_sim_truth_make(const struct intra_sim_scene *scene, const struct intra_sim_wall *wall,
                                       const struct intra_sim_centreline *line, struct intra_sim_truth *out,
                                       struct intra_error *err)
{
    struct intra_sim_truth t = {.scene = scene, .wall = wall, .line = line, .cell_m = 0.005};
    enum intra_status status;
    t.rows = (int)ceil(2 * M_PI * wall->radius_m / t.cell_m);
    t.cols = (int)ceil(wall->length_m / t.cell_m);
    status = INTRA_ALLOC(t.resolution, (size_t)t.rows * (size_t)t.cols, err);
    *out = t;
    return status;
}

void intra_sim_truth_fini(struct intra_sim_truth *t)
{
    intra_free(t->resolution);
    *t = (struct intra_sim_truth){0};
}

void intra_sim_truth_see(struct intra_sim_truth *t, const struct intra_sim_renderer *r, const uint8_t *hidden)
{
    const float worst = 0.05f; /* coarser than this is as good as unseen */
    const double radius = t->wall->radius_m, row_m = 2 * M_PI * radius / t->rows;
    for (int i = 0; i < r->node_rows; i++)
        for (int k = 0; k < r->node_cols; k++) {
            const struct sim_node *n = &r->nodes[i * r->node_cols + k];
            int x = k * SIM_BLOCK < r->lens.width ? k * SIM_BLOCK : r->lens.width - 1;
            int y = i * SIM_BLOCK < r->lens.height ? i * SIM_BLOCK : r->lens.height - 1, c0, c1, r0, r1;
            if (n->inv_t == 0 || n->is_wet || n->foot.long_m > worst || (hidden && hidden[y * r->lens.width + x]))
                continue;
            c0 = (int)floor((n->s - SIM_BLOCK / 2 * (double)n->foot.box_s) / t->cell_m);
            c1 = (int)floor((n->s + SIM_BLOCK / 2 * (double)n->foot.box_s) / t->cell_m);
            r0 = (int)floor(((n->theta + M_PI) * radius - SIM_BLOCK / 2 * (double)n->foot.box_y) / row_m);
            r1 = (int)floor(((n->theta + M_PI) * radius + SIM_BLOCK / 2 * (double)n->foot.box_y) / row_m);
            for (int c = c0 < 0 ? 0 : c0; c <= c1 && c < t->cols; c++)
                for (int row = r0; row <= r1 && row < r0 + t->rows; row++) {
                    float *at =
                        &t->resolution[(size_t)c * (size_t)t->rows + (size_t)((row % t->rows + t->rows) % t->rows)];
                    if (*at == 0 || n->foot.long_m < *at) *at = n->foot.long_m;
                }
        }
}

void intra_sim_truth_pose(FILE *to, double t, const struct intra_pose *p)
{
    struct intra_quat q = intra_quat_from_mat3(&p->r);
    fprintf(to, "%.6f %.9f %.9f %.9f %.12f %.12f %.12f %.12f\n", t, p->t.x, p->t.y, p->t.z, q.x, q.y, q.z, q.w);
}

/* ---- rasters ---- */

static void resolution_column(const void *user, int col, void *out)
{
    const struct intra_sim_truth *t = user;
    memcpy(out, t->resolution + (size_t)col * (size_t)t->rows, (size_t)t->rows * sizeof(float));
}

static bool is_open(const struct intra_sim_scene *scene, const struct intra_sim_wall *w, int col, int row, double s,
                    double theta)
{
    int id = w->open[(size_t)col * (size_t)w->rows + (size_t)row];
    double q;
    if (id == 0 || id == SIM_OPEN_HOLE) return id != 0;
    q = intra_sim_lateral_distance(scene, id - 1, s, theta,
                                   (double)w->radius[(size_t)col * (size_t)w->pitch + (size_t)row]);
    return q >= 0 && q < SIM_AT(scene->laterals, sim_lateral, id - 1)->diameter_m / 2;
}

static void radius_column(const void *user, int col, void *out)
{
    const struct intra_sim_truth *t = user;
    const struct intra_sim_wall *w = t->wall;
    double s = (col + 0.5) * w->cell_m, slope, groove = sim_wall_groove(w, s, &slope);
    for (int r = 0; r < w->rows; r++) {
        double theta = (r + 0.5) / w->rows_per_rad - M_PI;
        float v = w->radius[(size_t)col * (size_t)w->pitch + (size_t)r] + (float)groove;
        ((float *)out)[r] = is_open(t->scene, w, col, r, s, theta) ? NAN : v;
    }
}

static uint8_t to_srgb(double linear)
{
    double v = linear <= 0.0031308 ? 12.92 * linear : 1.055 * pow(linear, 1 / 2.4) - 0.055;
    return (uint8_t)(255 * fmin(v, 1) + 0.5);
}

static void albedo_column(const void *user, int col, void *out)
{
    const struct sim_level *l = user;
    static _Thread_local uint8_t table[256];
    const uint8_t *from = l->data + (size_t)col * (size_t)l->pitch * 4;
    if (table[255] == 0)
        for (int i = 0; i < 256; i++)
            table[i] = to_srgb(i * i / 65025.0);
    for (int r = 0; r < l->rows; r++)
        for (int k = 0; k < 3; k++)
            ((uint8_t *)out)[3 * r + k] = table[from[4 * r + k]];
}

static enum intra_status write_rasters(const struct intra_sim_truth *t, const struct intra_sim_renderer *r,
                                       const char *dir, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct sim_level *map = &r->texture->level[0];
    double around = 2 * M_PI * t->wall->radius_m;
    struct sim_raster radius = {
        t->wall->rows, t->wall->cols, 1, t->wall->cell_m,
        around,        radius_column, t, "wall radius from the centreline, metres; NaN where open"};
    struct sim_raster albedo = {map->rows, map->cols,     3,   r->texture->texel_m,
                                around,    albedo_column, map, "colour of the wall without light, sRGB"};
    struct sim_raster resolution = {
        t->rows, t->cols,           1, t->cell_m,
        around,  resolution_column, t, "best ground resolution seen, metres per pixel; 0 = never"};
    char path[1024];
    INTRA_TRY(intra_path_join(path, sizeof path, dir, "radius.tif", err));
    INTRA_TRY(intra_sim_tiff_write(path, &radius, err));
    INTRA_TRY(intra_path_join(path, sizeof path, dir, "albedo.tif", err));
    INTRA_TRY(intra_sim_tiff_write(path, &albedo, err));
    INTRA_TRY(intra_path_join(path, sizeof path, dir, "resolution.tif", err));
    INTRA_TRY(intra_sim_tiff_write(path, &resolution, err));
done:
    return status;
}

/* ---- tables ---- */

typedef enum intra_status table_fn(const struct intra_sim_truth *t, FILE *to, struct intra_error *err);

static enum intra_status put_centreline(const struct intra_sim_truth *t, FILE *to, struct intra_error *err)
{
    int n = (int)floor(t->line->length / 0.01 + 1e-9);
    (void)err;
    fprintf(to, "station_m,x,y,z,tx,ty,tz,heading_deg,grade_pct\n");
    for (int i = 0; i <= n; i++) {
        struct sim_frame f = intra_sim_centreline_at(t->line, i * 0.01);
        fprintf(to, "%.2f,%.6f,%.6f,%.6f,%.9f,%.9f,%.9f,%.5f,%.5f\n", i * 0.01, f.p.x, f.p.y, f.p.z, f.tangent.x,
                f.tangent.y, f.tangent.z, atan2(f.tangent.y, f.tangent.x) * 180 / M_PI,
                100 * f.tangent.z / hypot(f.tangent.x, f.tangent.y));
    }
    return INTRA_OK;
}

static double clock_deg(double a)
{
    a = fmod(a, 360);
    return a < 0 ? a + 360 : a;
}

static enum intra_status put_joints(const struct intra_sim_truth *t, FILE *to, struct intra_error *err)
{
    (void)err;
    fprintf(to, "station_m,gap_m,depth_m,offset_m,offset_clock_deg,deflection_deg,deflection_clock_deg\n");
    for (int i = 0; i < t->wall->n_joints; i++) {
        const struct sim_joint *j = &t->wall->joints[i];
        fprintf(to, "%.5f,%.5f,%.5f,%.5f,%.3f,%.4f,%.3f\n", j->station_m, j->gap_m, j->depth_m, j->offset_m,
                clock_deg(j->offset_clock_deg), j->deflection_deg, clock_deg(j->deflection_clock_deg));
    }
    return INTRA_OK;
}

static enum intra_status put_laterals(const struct intra_sim_truth *t, FILE *to, struct intra_error *err)
{
    (void)err;
    fprintf(to, "station_m,clock_deg,diameter_m,kind,protrusion_m\n");
    for (int i = 0; i < t->scene->laterals.n; i++) {
        const struct sim_lateral *l = SIM_AT(t->scene->laterals, sim_lateral, i);
        double out = strcmp(l->kind, "flush") == 0      ? 0
                     : strcmp(l->kind, "recessed") == 0 ? -l->protrusion_m
                                                        : l->protrusion_m;
        fprintf(to, "%.4f,%.3f,%.4f,%s,%.4f\n", l->station_m, clock_deg(l->clock_deg), l->diameter_m, l->kind, out);
    }
    return INTRA_OK;
}

static enum intra_status put_water(const struct intra_sim_truth *t, FILE *to, struct intra_error *err)
{
    (void)err;
    fprintf(to, "station_from_m,station_to_m,level_pct\n");
    for (int i = 0; i < t->scene->water.n; i++) {
        const struct sim_water *w = SIM_AT(t->scene->water, sim_water, i);
        fprintf(to, "%.4f,%.4f,%.3f\n", w->from_m, fmin(w->to_m, t->line->length), w->level_pct);
    }
    return INTRA_OK;
}

struct defect {
    int id;
    const char *code, *kind;
    double s0, s1, y0, y1, length, width, depth, area; /* y: arc from the crown */
};

static void put_defect(FILE *to, const struct intra_sim_truth *t, const struct defect *d)
{
    double deg = 180 / M_PI / t->wall->radius_m;
    fprintf(to, "%d,%s,%s,%.4f,%.4f,%.2f,%.2f,%.5f,%.5f,%.5f,%.7f\n", d->id, d->code, d->kind, d->s0, d->s1,
            clock_deg(d->y0 * deg), clock_deg(d->y1 * deg), d->length, d->width, d->depth, d->area);
}

static double line_length(const struct sim_polyline *l)
{
    double sum = 0;
    for (int i = 0; i + 1 < l->n; i++)
        sum += hypot(l->points[i + 1].x - l->points[i].x, l->points[i + 1].y - l->points[i].y);
    return sum;
}

/* Wall that lines cover, where they cross only once: counted on cells of half a millimetre. */
static double covered_area(const struct sim_lines *lines, const struct defect *d, double perimeter)
{
    const double cell = 0.0005;
    int rows = (int)ceil((d->y1 - d->y0) / cell), cols = (int)ceil((d->s1 - d->s0) / cell);
    int64_t n = 0;
#pragma omp parallel for schedule(static) reduction(+ : n)
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < cols; c++) {
            double s = d->s0 + (c + 0.5) * cell, y = d->y0 + (r + 0.5) * cell;
            bool is_covered = false;
            for (int k = 0; k < lines->n && !is_covered; k++) {
                const struct sim_polyline *l = &lines->lines[k];
                if (s < l->low.x - l->half_width || s > l->high.x + l->half_width || y < l->low.y - l->half_width ||
                    y > l->high.y + l->half_width)
                    continue;
                is_covered = intra_sim_line_distance(l, s, y, perimeter) <= l->half_width;
            }
            n += is_covered;
        }
    return (double)n * cell * cell;
}

static enum intra_status put_lines(const struct intra_sim_truth *t, FILE *to, bool is_root, int *id,
                                   struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct sim_lines lines = {0};
    int n = is_root ? t->scene->roots.n : t->scene->cracks.n;
    for (int i = 0; i < n; i++) {
        struct defect d = {++*id, NULL, is_root ? "root" : "crack", 1e9, -1e9, 1e9, -1e9, 0, 0, 0, 0};
        INTRA_TRY(is_root ? intra_sim_root_lines(t->scene, i, &lines, err)
                          : intra_sim_crack_lines(t->scene, i, &lines, err));
        for (int k = 0; k < lines.n; k++) {
            const struct sim_polyline *l = &lines.lines[k];
            d.s0 = fmin(d.s0, l->low.x - l->half_width);
            d.s1 = fmax(d.s1, l->high.x + l->half_width);
            d.y0 = fmin(d.y0, l->low.y - l->half_width);
            d.y1 = fmax(d.y1, l->high.y + l->half_width);
            d.length = fmax(d.length, line_length(l));
            d.area += line_length(l) * 2 * l->half_width;
        }
        if (is_root) d.area = covered_area(&lines, &d, 2 * M_PI * t->wall->radius_m);
        d.code = is_root ? SIM_AT(t->scene->roots, sim_root, i)->code : SIM_AT(t->scene->cracks, sim_crack, i)->code;
        d.width = is_root ? SIM_AT(t->scene->roots, sim_root, i)->thickness_m
                          : SIM_AT(t->scene->cracks, sim_crack, i)->width_m;
        put_defect(to, t, &d);
        intra_sim_lines_fini(&lines);
    }
done:
    intra_sim_lines_fini(&lines);
    return status;
}

/* Extent and area of where `inside` holds, measured on the wall's cells. */
static void put_patch(const struct intra_sim_truth *t, FILE *to, struct defect d, bool is_hole, int index,
                      double s_from, double s_to, double clock)
{
    const struct intra_sim_wall *w = t->wall;
    double c = clock * M_PI / 180;
    d.s0 = d.y0 = 1e9;
    d.s1 = d.y1 = -1e9;
    for (int col = (int)fmax(0, s_from / w->cell_m); col < w->cols && col * w->cell_m <= s_to; col++)
        for (int r = 0; r < w->rows; r++) {
            double s = (col + 0.5) * w->cell_m, a = intra_wrap_pi((r + 0.5) / w->rows_per_rad - M_PI - c), h;
            h = is_hole ? -intra_sim_hole_edge(t->scene, index, s, a + c)
                        : intra_sim_deposit_height(t->scene, index, s, a + c);
            if (h <= (is_hole ? 0 : 0.001)) continue;
            d.area += w->cell_m / w->rows_per_rad * w->radius_m;
            if (!is_hole) d.depth = fmax(d.depth, h);
            d.s0 = fmin(d.s0, s - w->cell_m / 2);
            d.s1 = fmax(d.s1, s + w->cell_m / 2);
            d.y0 = fmin(d.y0, (a + c) * w->radius_m);
            d.y1 = fmax(d.y1, (a + c) * w->radius_m);
        }
    if (d.area == 0) return;
    d.length = d.s1 - d.s0;
    d.width = d.y1 - d.y0;
    put_defect(to, t, &d);
}

static enum intra_status put_defects(const struct intra_sim_truth *t, FILE *to, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    int id = 0;
    fprintf(to,
            "id,code,kind,station_from_m,station_to_m,clock_from_deg,clock_to_deg,length_m,width_m,depth_m,area_m2\n");
    INTRA_TRY(put_lines(t, to, false, &id, err));
    INTRA_TRY(put_lines(t, to, true, &id, err));
    for (int i = 0; i < t->scene->holes.n; i++) {
        const struct sim_hole *h = SIM_AT(t->scene->holes, sim_hole, i);
        struct defect d = {.id = ++id, .code = h->code, .kind = "hole", .depth = h->depth_m};
        put_patch(t, to, d, true, i, h->station_m - h->length_m, h->station_m + h->length_m, h->clock_deg);
    }
    for (int i = 0; i < t->scene->deposits.n; i++) {
        const struct sim_deposit *h = SIM_AT(t->scene->deposits, sim_deposit, i);
        struct defect d = {.id = ++id, .code = h->code, .kind = "deposit"};
        put_patch(t, to, d, false, i, h->from_m, h->to_m, h->clock_deg);
    }
done:
    return status;
}

static enum intra_status write_table(const struct intra_sim_truth *t, const char *dir, const char *name, table_fn *fn,
                                     struct intra_error *err)
{
    struct intra_out_file file = {0};
    enum intra_status status = INTRA_OK;
    char path[1024];
    INTRA_TRY(intra_path_join(path, sizeof path, dir, name, err));
    INTRA_TRY(intra_out_file_open(&file, path, err));
    INTRA_TRY(fn(t, file.stream, err));
    INTRA_TRY(intra_out_file_commit(&file, err));
done:
    intra_out_file_abandon(&file);
    return status;
}

static enum intra_status write_summary(const struct intra_sim_truth *t, const struct intra_sim_renderer *r,
                                       const char *dir, int frames, struct intra_error *err)
{
    struct intra_out_file file = {0};
    enum intra_status status = INTRA_OK;
    const struct intra_sim_scene *s = t->scene;
    const struct intra_sim_lens *l = &r->lens;
    char path[1024];
    INTRA_TRY(intra_path_join(path, sizeof path, dir, "truth.json", err));
    INTRA_TRY(intra_out_file_open(&file, path, err));
    fprintf(file.stream,
            "{\n  \"nominal_diameter_m\": %.6g,\n  \"length_m\": %.9g,\n  \"fps\": %.9g,\n  \"width\": %d,\n"
            "  \"height\": %d,\n  \"frames\": %d,\n  \"seed\": %lld,\n",
            s->pipe.diameter_m, t->line->length, s->video.fps, s->video.width, s->video.height, frames,
            (long long)s->seed);
    fprintf(file.stream,
            "  \"lens\": {\"model\": \"%s\", \"fx\": %.12g, \"fy\": %.12g, \"cx\": %.12g, \"cy\": %.12g, \"k\": [",
            l->is_fisheye ? "kb" : "brown", l->fx, l->fy, l->cx, l->cy);
    for (int i = 0; i < (l->is_fisheye ? 4 : 5); i++)
        fprintf(file.stream, "%s%.12g", i ? ", " : "", l->k[i]);
    fprintf(file.stream,
            "]},\n  \"units\": {\"length\": \"m\", \"angle\": \"deg, clockwise from the crown looking along +s\", "
            "\"time\": \"s\", \"resolution\": \"m per pixel\"},\n  \"material\": \"%s\",\n  \"generator\": \"intrados "
            "simulate\",\n"
            "  \"generator_version\": \"%s\"\n}\n",
            s->pipe.material, INTRADOS_VERSION);
    INTRA_TRY(intra_out_file_commit(&file, err));
done:
    intra_out_file_abandon(&file);
    return status;
}

enum intra_status intra_sim_truth_write(const struct intra_sim_truth *t, const struct intra_sim_renderer *r,
                                        const char *dir, int frames, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    INTRA_TRY(write_table(t, dir, "centreline.csv", put_centreline, err));
    INTRA_TRY(write_table(t, dir, "joints.csv", put_joints, err));
    INTRA_TRY(write_table(t, dir, "laterals.csv", put_laterals, err));
    INTRA_TRY(write_table(t, dir, "defects.csv", put_defects, err));
    INTRA_TRY(write_table(t, dir, "water.csv", put_water, err));
    INTRA_TRY(write_rasters(t, r, dir, err));
    INTRA_TRY(write_summary(t, r, dir, frames, err));
done:
    return status;
}
