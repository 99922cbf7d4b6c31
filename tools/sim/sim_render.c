/* Pictures are made in blocks of 4 x 4 pixels. The corners of all blocks are traced in full. Where they show that a
 * block sees nothing but smooth wall, its pixels start from the corners' depths (1/t is nearly linear in the picture)
 * and need one or two Newton steps; other blocks are traced in full, four rays a pixel. */
#include "tools/sim/sim_render.h"

#include "core/mem.h"
#include "tools/sim/sim_shade.h"

#include <string.h>

static void set_lamps(struct intra_sim_renderer *r)
{
    const struct sim_light *l = &r->scene->light;
    double w = l->warmth;
    int n = l->lamps.n > 0 ? l->lamps.n : l->ring_lamps;
    r->n_lamps = (n + 3) / 4 * 4;
    for (int i = 0; i < n; i++) {
        double angle = 2 * M_PI * (i + 0.5) / n;
        struct sim_lamp ring = {l->ring_radius_m * cos(angle), l->ring_radius_m * sin(angle), 0, 1.0 / n};
        struct sim_lamp lamp = l->lamps.n > 0 ? *SIM_AT(l->lamps, sim_lamp, i) : ring;
        r->lamp_x[i] = (float)lamp.x_m;
        r->lamp_y[i] = (float)lamp.y_m;
        r->lamp_z[i] = (float)lamp.z_m;
        r->lamp_power[i] = (float)lamp.power;
    }
    r->warm[0] = (float)(1 + 0.25 * w);
    r->warm[1] = 1;
    r->warm[2] = (float)(1 - 0.35 * w);
}

enum intra_status intra_sim_renderer_make(const struct intra_sim_scene *scene, const struct intra_sim_wall *wall,
                                          const struct intra_sim_texture *texture, struct intra_sim_renderer *out,
                                          struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    int w = scene->video.width, h = scene->video.height;
    struct intra_sim_renderer r = {.scene = scene, .wall = wall, .texture = texture};
    INTRA_TRY(intra_sim_lens_make(&scene->lens, w, h, &r.lens, err));
    INTRA_TRY(INTRA_ALLOC(r.rays, (size_t)w * (size_t)h * 3, err));
    r.node_cols = (w + SIM_BLOCK - 2) / SIM_BLOCK + 1;
    r.node_rows = (h + SIM_BLOCK - 2) / SIM_BLOCK + 1;
    INTRA_TRY(INTRA_ALLOC(r.nodes, (size_t)r.node_cols * (size_t)r.node_rows, err));
    set_lamps(&r);
    intra_sim_material_colour(scene, r.branch);
    for (float high = fmaxf(fmaxf(r.branch[0], r.branch[1]), r.branch[2]), *c = r.branch; c < r.branch + 3; c++)
        *c *= 0.5f / high;
    r.gloss = intra_sim_material_gloss(scene);
    intra_sim_renderer_zoom(&r, 1);
done:
    *out = r;
    if (status != INTRA_OK) intra_sim_renderer_fini(out);
    return status;
}

void intra_sim_renderer_fini(struct intra_sim_renderer *r)
{
    intra_free(r->rays);
    intra_free(r->nodes);
    *r = (struct intra_sim_renderer){0};
}

void intra_sim_renderer_zoom(struct intra_sim_renderer *r, double zoom)
{
    int w = r->lens.width, h = r->lens.height;
    if (zoom == r->zoom) return;
    r->zoom = zoom;
    r->pixel_rad = 1 / (r->lens.fx * zoom);
#pragma omp parallel for schedule(dynamic, 8)
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            struct intra_vec3 d;
            float *at = r->rays + 3 * ((size_t)y * (size_t)w + (size_t)x);
            if (!intra_sim_lens_ray(&r->lens, zoom, x, y, &d)) d = intra_vec3(0, 0, 0);
            at[0] = (float)d.x;
            at[1] = (float)d.y;
            at[2] = (float)d.z;
        }
}

static bool ray_at(const struct intra_sim_renderer *r, int x, int y, struct intra_vec3 *out)
{
    const float *p = r->rays + 3 * ((size_t)y * (size_t)r->lens.width + (size_t)x);
    *out = intra_vec3((double)p[0], (double)p[1], (double)p[2]);
    return p[0] != 0 || p[1] != 0 || p[2] != 0;
}

/* Ray of a pixel and its change to the next pixel right and below; false outside the lens's field. */
static bool pixel_rays(const struct intra_sim_renderer *r, int x, int y, struct intra_vec3 *d, struct intra_vec3 *ddx,
                       struct intra_vec3 *ddy)
{
    int x0 = x + 1 < r->lens.width ? x : x - 1, y0 = y + 1 < r->lens.height ? y : y - 1;
    struct intra_vec3 a, b;
    if (!ray_at(r, x, y, d)) return false;
    *ddx = ray_at(r, x0, y, &a) && ray_at(r, x0 + 1, y, &b) ? intra_sub(b, a) : intra_vec3(r->pixel_rad, 0, 0);
    *ddy = ray_at(r, x, y0, &a) && ray_at(r, x, y0 + 1, &b) ? intra_sub(b, a) : intra_vec3(0, r->pixel_rad, 0);
    return true;
}

struct job {
    struct intra_sim_renderer *r;
    const struct intra_sim_view *view;
    double time_s;
    int first, step, rows; /* picture rows first + step * j, j < rows */
    float weight;
    float *out;
};

static int node_x(const struct job *j, int i)
{
    int x = i * SIM_BLOCK;
    return x < j->r->lens.width ? x : j->r->lens.width - 1;
}
static int node_j(const struct job *j, int i)
{
    int y = i * SIM_BLOCK;
    return y < j->rows ? y : j->rows - 1;
}

static void trace_node(const struct job *job, int col, int row)
{
    struct intra_sim_renderer *r = job->r;
    struct sim_node *n = &r->nodes[row * r->node_cols + col];
    struct intra_vec3 d, ddx, ddy;
    struct sim_ray ray;
    struct sim_at at;
    int lateral, pool;
    *n = (struct sim_node){0};
    if (!pixel_rays(r, node_x(job, col), job->first + job->step * node_j(job, row), &d, &ddx, &ddy)) return;
    intra_sim_ray_start(job->view, &ray, intra_vec3(0, 0, 0), d, job->view->home);
    if (intra_sim_trace(job->view, &ray, r->pixel_rad, &at, &lateral) == SIM_MISS) return;
    intra_sim_basis(job->view, &ray, &at);
    n->foot = intra_sim_footprint(&at, ddx, ddy);
    n->glow = intra_sim_wall_glow(r, &ray, &at);
    n->inv_t = (float)(1 / at.t);
    n->theta = (float)at.theta;
    n->s = at.s;
    n->reach = (float)(fmin((at.rho - r->wall->lowest_m) / fmax(at.vrho, 0.01), at.t) * at.vs);
    n->piece = (int16_t)ray.piece;
    n->is_wet = at.z < intra_sim_water_height(r->scene, at.s, &pool);
    n->shows_gaps = sim_gaps_show(at.t, r->pixel_rad, at.vrho);
}

enum block_kind { BLOCK_SMOOTH, BLOCK_ROUGH, BLOCK_ONCE };

static int clamp_int(int v, int low, int high)
{
    return v < low ? low : v > high ? high : v;
}

static bool has_gap(const struct intra_sim_wall *w, double s0, double s1)
{
    int a = clamp_int((int)(s0 / w->groove_m) - 4, 0, w->n_groove),
        b = clamp_int((int)(s1 / w->groove_m) + 4, 0, w->n_groove);
    return w->groove_count[b] > w->groove_count[a];
}

static enum block_kind judge(const struct intra_sim_renderer *r, const struct sim_node *const n[4])
{
    double s0 = 1e9, s1 = -1e9, th0 = 1e9, th1 = -1e9;
    int wet = 0, gaps = 0;
    for (int i = 0; i < 4; i++) {
        double th = n[0]->theta + intra_wrap_pi((double)n[i]->theta - n[0]->theta);
        double near = n[i]->s - (double)n[i]->reach;
        if (n[i]->inv_t == 0)
            return n[0]->inv_t + n[1]->inv_t + n[2]->inv_t + n[3]->inv_t > 0 ? BLOCK_ROUGH : BLOCK_ONCE;
        s0 = fmin(s0, fmin(n[i]->s, near));
        s1 = fmax(s1, fmax(n[i]->s, near));
        th0 = fmin(th0, th);
        th1 = fmax(th1, th);
        wet += n[i]->is_wet;
        gaps += n[i]->shows_gaps;
    }
    if (intra_sim_wall_any_tile(r->wall, r->wall->rough_count, s0, s1, th0, th1)) return BLOCK_ROUGH;
    if (gaps && has_gap(r->wall, fmin(fmin(n[0]->s, n[1]->s), fmin(n[2]->s, n[3]->s)),
                        fmax(fmax(n[0]->s, n[1]->s), fmax(n[2]->s, n[3]->s))))
        return BLOCK_ROUGH;
    if (wet) return wet == 4 ? BLOCK_ONCE : BLOCK_ROUGH;
    if (th1 - th0 > 1.2) return BLOCK_ONCE;
    return BLOCK_SMOOTH;
}

static sim_v4 pixel_slow(const struct job *job, int x, int y, bool many)
{
    static const double at[4][2] = {{-0.375, -0.125}, {0.125, -0.375}, {0.375, 0.125}, {-0.125, 0.375}};
    struct intra_vec3 d, ddx, ddy;
    sim_v4 sum = {0, 0, 0, 0};
    if (!pixel_rays(job->r, x, y, &d, &ddx, &ddy)) return sum;
    if (!many) return intra_sim_ray_colour(job->r, job->view, d, ddx, ddy, job->time_s);
    for (int i = 0; i < 4; i++)
        sum +=
            intra_sim_ray_colour(job->r, job->view, intra_unit(intra_mad(intra_mad(d, at[i][0], ddx), at[i][1], ddy)),
                                 intra_scale(ddx, 0.6), intra_scale(ddy, 0.6), job->time_s);
    return sum * 0.25f;
}

static void put_pixel(const struct job *job, int x, int y, sim_v4 c)
{
    float *out = job->out + 4 * ((size_t)y * (size_t)job->r->lens.width + (size_t)x);
    for (int k = 0; k < 3; k++)
        out[k] += job->weight * c[k];
}

/* One ray a pixel first; four where it differs from a neighbour by more than texture does. */
static void rough_block(const struct job *job, int x0, int x_end, int j0, int j_end)
{
    sim_v4 once[SIM_BLOCK + 1][SIM_BLOCK + 1];
    float lum[SIM_BLOCK + 1][SIM_BLOCK + 1];
    int w = x_end - x0, h = j_end - j0;
    for (int j = 0; j < h; j++)
        for (int x = 0; x < w; x++) {
            sim_v4 c = once[j][x] = pixel_slow(job, x0 + x, job->first + job->step * (j0 + j), false);
            lum[j][x] = c[0] + c[1] + c[2];
        }
    for (int j = 0; j < h; j++)
        for (int x = 0; x < w; x++) {
            int y = job->first + job->step * (j0 + j);
            float low = lum[j][x], high = low;
            for (int k = 0; k < 4; k++) {
                int jj = j + (k == 0) - (k == 1), xx = x + (k == 2) - (k == 3);
                if (jj < 0 || xx < 0 || jj >= h || xx >= w) continue;
                low = fminf(low, lum[jj][xx]);
                high = fmaxf(high, lum[jj][xx]);
            }
            put_pixel(job, x0 + x, y, high > 1.25f * low ? pixel_slow(job, x0 + x, y, true) : once[j][x]);
        }
}

/* A smooth block: what its pixels have in common, bilinear between the corners. */
struct patch {
    const struct sim_node *n[4];
    bool is_even;       /* light and footprint may be interpolated */
    float ax[4], ay[4]; /* of the footprints, all pointing the same way */
};

static float between(float a, float b, float c, float d, float fx, float fy)
{
    return (1 - fy) * (a + fx * (b - a)) + fy * (c + fx * (d - c));
}

static void start_patch(struct patch *p)
{
    float low = 1e9f, high = 0;
    for (int i = 0; i < 4; i++) {
        const struct sim_footprint *f = &p->n[i]->foot;
        float sign = f->ax * p->n[0]->foot.ax + f->ay * p->n[0]->foot.ay < 0 ? -1 : 1;
        p->ax[i] = sign * f->ax;
        p->ay[i] = sign * f->ay;
        low = f->long_m < low ? f->long_m : low;
        high = f->long_m > high ? f->long_m : high;
    }
    p->is_even = high < 1.6f * low;
}

static sim_v4 pixel_fast(const struct job *job, const struct patch *p, int x, int y, float fx, float fy)
{
#define MIX(field) between(p->n[0]->field, p->n[1]->field, p->n[2]->field, p->n[3]->field, fx, fy)
    const struct intra_sim_renderer *r = job->r;
    struct intra_vec3 d, ddx, ddy;
    struct sim_ray ray;
    struct sim_at at;
    if (!ray_at(r, x, y, &d)) return (sim_v4){0, 0, 0, 0};
    intra_sim_ray_start(job->view, &ray, intra_vec3(0, 0, 0), d, p->n[0]->piece);
    if (!intra_sim_polish(job->view, &ray, 1 / (double)MIX(inv_t), &at)) return pixel_slow(job, x, y, false);
    if (p->is_even) {
        struct sim_glow glow = {MIX(glow.diffuse), MIX(glow.shine)};
        float ax = between(p->ax[0], p->ax[1], p->ax[2], p->ax[3], fx, fy),
              ay = between(p->ay[0], p->ay[1], p->ay[2], p->ay[3], fx, fy);
        return sim_mix_colour(r, intra_sim_texture_sample(r->texture, at.s, at.theta, ax, ay, MIX(foot.short_m)), glow);
    }
    pixel_rays(r, x, y, &d, &ddx, &ddy);
    return intra_sim_wall_colour(r, job->view, &ray, &at, ddx, ddy);
#undef MIX
}

static void render_block(const struct job *job, int col, int row)
{
    const struct intra_sim_renderer *r = job->r;
    const struct sim_node *first = &r->nodes[row * r->node_cols + col], *below = first + r->node_cols;
    struct patch p = {.n = {first, first + 1, below, below + 1}};
    int x0 = node_x(job, col), x1 = node_x(job, col + 1), j0 = node_j(job, row), j1 = node_j(job, row + 1);
    int x_end = col + 2 == r->node_cols ? x1 + 1 : x1, j_end = j1 == job->rows - 1 ? j1 + 1 : j1;
    enum block_kind kind = judge(r, p.n);
    if (kind == BLOCK_ROUGH) {
        rough_block(job, x0, x_end, j0, j_end);
        return;
    }
    start_patch(&p);
    for (int j = j0; j < j_end; j++) {
        int y = job->first + job->step * j;
        float fy = j1 > j0 ? (float)(j - j0) / (float)(j1 - j0) : 0;
        for (int x = x0; x < x_end; x++) {
            float fx = x1 > x0 ? (float)(x - x0) / (float)(x1 - x0) : 0;
            put_pixel(job, x, y,
                      kind == BLOCK_SMOOTH ? pixel_fast(job, &p, x, y, fx, fy) : pixel_slow(job, x, y, false));
        }
    }
}

void intra_sim_render(struct intra_sim_renderer *r, const struct intra_sim_view *view, double time_s, int first,
                      int step, float weight, float *out)
{
    struct job job = {r, view, time_s, first, step, (r->lens.height - first + step - 1) / step, weight, out};
    int node_rows = (job.rows + SIM_BLOCK - 2) / SIM_BLOCK + 1;
#pragma omp parallel
    {
#pragma omp for schedule(dynamic, 1)
        for (int i = 0; i < node_rows; i++)
            for (int k = 0; k < r->node_cols; k++)
                trace_node(&job, k, i);
#pragma omp for schedule(dynamic, 1)
        for (int i = 0; i < node_rows - 1; i++)
            for (int k = 0; k < r->node_cols - 1; k++)
                render_block(&job, k, i);
    }
}
