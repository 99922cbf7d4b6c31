/* Materials are sums of smooth noise at several wavelengths with sparse marks over it; every material is made of the
 * same few strokes with other numbers. Colours are linear reflectance. */
#include "tools/sim/sim_paint.h"

#include "core/geom.h"
#include "core/mem.h"
#include "tools/sim/sim_noise.h"
#include "tools/sim/sim_shape.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_ROWS = 16384, MOST_OCTAVES = 12, SEED_PAINT = 301 };

/* A noise layer: wavelengths along s and around, strength, and how it colours (all three alike, or towards a tint). */
struct octave {
    double wave_s, wave_y;
    float strength;
};

/* Marks strewn over the wall: mean spacing, radius range, stretch along s, colour factor, share of places taken. */
struct strew {
    double spacing, r_low, r_high, stretch;
    float factor[3];
    double share;
};

struct material {
    const char *name;
    float colour[3];
    double gloss;
    struct octave octaves[MOST_OCTAVES];
    struct strew strews[4];
    double streak; /* drips running down from the crown */
};

static const struct material materials[] = {
    {"concrete",
     {0.36f, 0.345f, 0.31f},
     0.25,
     {{0.60, 0.25, 0.16f},
      {0.17, 0.12, 0.16f},
      {0.055, 0.05, 0.17f},
      {0.019, 0.019, 0.17f},
      {0.007, 0.007, 0.18f},
      {0.0025, 0.0025, 0.16f}},
     {{0.011, 0.001, 0.0035, 1, {0.62f, 0.60f, 0.58f}, 0.5},
      {0.017, 0.001, 0.0032, 1, {1.5f, 1.47f, 1.4f}, 0.4},
      {0.05, 0.002, 0.008, 1.4, {0.4f, 0.38f, 0.36f}, 0.35}},
     0.22},
    {"clay",
     {0.30f, 0.125f, 0.062f},
     0.55,
     {{0.9, 0.20, 0.14f}, {0.25, 0.07, 0.14f}, {0.08, 0.03, 0.12f}, {0.03, 0.012, 0.09f}, {0.008, 0.006, 0.08f}},
     {{0.022, 0.001, 0.003, 1, {0.5f, 0.5f, 0.5f}, 0.4},
      {0.035, 0.001, 0.004, 1, {1.5f, 1.7f, 1.8f}, 0.35},
      {0.10, 0.003, 0.012, 3, {0.55f, 0.5f, 0.5f}, 0.4}},
     0.30},
    {"brick",
     {0.27f, 0.105f, 0.065f},
     0.15,
     {{0.8, 0.5, 0.14f}, {0.06, 0.05, 0.14f}, {0.02, 0.02, 0.15f}, {0.008, 0.008, 0.16f}},
     {{0.03, 0.002, 0.006, 1, {0.55f, 0.55f, 0.55f}, 0.4}, {0.06, 0.003, 0.012, 1, {1.7f, 1.9f, 2.0f}, 0.25}},
     0.25},
    {"plastic",
     {0.56f, 0.235f, 0.075f},
     0.75,
     {{1.5, 0.10, 0.030f}, {0.6, 0.012, 0.020f}, {0.9, 0.0035, 0.020f}, {0.12, 0.09, 0.025f}},
     {{0.055, 0.0008, 0.0020, 1, {0.62f, 0.62f, 0.66f}, 0.35},
      {0.12, 0.0010, 0.0018, 14, {0.80f, 0.82f, 0.86f}, 0.35},
      {0.16, 0.0015, 0.005, 1.5, {1.18f, 1.22f, 1.3f}, 0.3}},
     0.05},
    {"lined",
     {0.50f, 0.53f, 0.42f},
     0.65,
     {{1.2, 0.15, 0.04f}, {0.35, 0.02, 0.035f}, {0.10, 0.06, 0.035f}, {0.5, 0.005, 0.03f}, {0.012, 0.012, 0.03f}},
     {{0.05, 0.001, 0.003, 1, {0.7f, 0.68f, 0.6f}, 0.35},
      {0.14, 0.002, 0.006, 4, {0.82f, 0.8f, 0.7f}, 0.4},
      {0.07, 0.001, 0.002, 1, {1.2f, 1.2f, 1.2f}, 0.3}},
     0.08},
};

static const struct material *find_material(const struct intra_sim_scene *scene)
{
    for (size_t i = 0; i < sizeof materials / sizeof materials[0]; i++)
        if (strcmp(materials[i].name, scene->pipe.material) == 0) return &materials[i];
    return &materials[0];
}

double intra_sim_material_gloss(const struct intra_sim_scene *scene)
{
    return scene->pipe.gloss >= 0 ? scene->pipe.gloss : find_material(scene)->gloss;
}

struct sim_painter {
    const struct intra_sim_scene *scene;
    const struct intra_sim_wall *wall;
    struct intra_sim_texture *texture;
    const struct material *material;
    float colour[3];
    uint64_t seed;
};

static double to_linear(double srgb255)
{
    double v = srgb255 / 255;
    return v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4);
}

void intra_sim_material_colour(const struct intra_sim_scene *scene, float out[3])
{
    double given[3] = {scene->pipe.colour_r, scene->pipe.colour_g, scene->pipe.colour_b};
    for (int k = 0; k < 3; k++)
        out[k] = given[k] >= 0 ? fmaxf((float)to_linear(given[k]), 0.003f) : find_material(scene)->colour[k];
}

enum intra_status intra_sim_painter_make(const struct intra_sim_scene *scene, const struct intra_sim_wall *wall,
                                         struct intra_sim_texture *texture, struct sim_painter **out,
                                         struct intra_error *err)
{
    struct sim_painter *p = NULL;
    enum intra_status status = INTRA_ALLOC(p, 1, err);
    *out = p;
    if (status != INTRA_OK) return status;
    if (texture->level[0].rows > MOST_ROWS)
        return INTRA_FAIL(err, INTRA_E_FORMAT, "pipe.diameter_m: a wall of %d texels around is too large",
                          texture->level[0].rows);
    *p = (struct sim_painter){.scene = scene,
                              .wall = wall,
                              .texture = texture,
                              .material = find_material(scene),
                              .seed = sim_hash3((uint64_t)scene->seed, SEED_PAINT, 0)};
    intra_sim_material_colour(scene, p->colour);
    return INTRA_OK;
}

void intra_sim_painter_destroy(struct sim_painter **painter)
{
    intra_free(*painter);
    *painter = NULL;
}

/* ---- strokes on one column; col holds rows x {r, g, b, open} ---- */

struct column {
    float (*px)[4];
    int rows;
    double s, perimeter;
};

static float smooth(float f)
{
    return f * f * (3 - 2 * f);
}

/* One octave at station s into out[rows], values in [-1, 1] times strength, added. */
static void add_octave(const struct column *c, uint64_t seed, double wave_s, double wave_y, float strength, float *out)
{
    int period = (int)(c->perimeter / wave_y + 0.5), at = 0;
    double x = c->s / wave_s, i = floor(x);
    float f = smooth((float)(x - i)), a, b, first;
    if (period < 3) period = 3;
#define KNOT(j)                                                                                                        \
    ((1 - f) * (float)(2 * sim_unit(sim_hash3(seed, (int64_t)i, (j))) - 1) +                                           \
     f * (float)(2 * sim_unit(sim_hash3(seed, (int64_t)i + 1, (j))) - 1))
    first = a = KNOT(0);
    b = KNOT(1);
    for (int r = 0; r < c->rows; r++) {
        double y = (r + 0.5) * period / c->rows;
        while ((int)y > at) {
            at++;
            a = b;
            b = at + 1 == period ? first : KNOT(at + 1);
        }
        out[r] += strength * (a + smooth((float)(y - at)) * (b - a));
    }
#undef KNOT
}

/* Blend towards colour * factor within an ellipse about (s0, y0). */
static void stamp(const struct column *c, double s0, double y0, double rs, double ry, const float factor[3], float most)
{
    double dx = (c->s - s0) / rs, half, scale = c->rows / c->perimeter;
    int r0, r1;
    if (fabs(dx) >= 1) return;
    half = ry * sqrt(1 - dx * dx);
    r0 = (int)floor((y0 - half) * scale - 0.5);
    r1 = (int)ceil((y0 + half) * scale - 0.5);
    for (int r = r0; r <= r1; r++) {
        double dy = ((r + 0.5) / scale - y0) / ry, q = dx * dx + dy * dy;
        float k = q < 1 ? most * fminf(1, (float)(2.5 * (1 - q))) : 0;
        float *p = c->px[((r % c->rows) + c->rows) % c->rows];
        for (int i = 0; i < 3 && k > 0; i++)
            p[i] *= 1 + k * (factor[i] - 1);
    }
}

static void add_strew(const struct column *c, uint64_t seed, const struct strew *w, float contrast)
{
    int period = (int)(c->perimeter / w->spacing), reach;
    double cell_s = w->spacing * w->stretch;
    int64_t i = (int64_t)floor(c->s / cell_s);
    if (period < 1 || w->share <= 0) return;
    reach = 1;
    for (int64_t a = i - reach; a <= i + reach; a++)
        for (int b = 0; b < period; b++) {
            uint64_t h = sim_hash3(seed, a, b);
            double r, s0, y0;
            float most;
            if (sim_unit(h) > w->share) continue;
            h = sim_mix(h);
            s0 = ((double)a + sim_unit(h)) * cell_s;
            h = sim_mix(h);
            y0 = (b + sim_unit(h)) * c->perimeter / period;
            h = sim_mix(h);
            r = w->r_low + (w->r_high - w->r_low) * sim_unit(h) * sim_unit(sim_mix(h + 1));
            most = (float)(0.35 + 0.65 * sim_unit(sim_mix(h + 2))) * fminf(contrast, 1.5f);
            stamp(c, s0, y0, r * w->stretch, r, w->factor, most);
        }
}

/* Brick courses lie along the pipe, each one shifted by half a brick. */
static void lay_bricks(const struct column *c, uint64_t seed, float contrast, const float base[3])
{
    const double brick = 0.225, joint = 0.010;
    int courses = (int)(c->perimeter / 0.075 + 0.5);
    double height = c->perimeter / courses;
    for (int r = 0; r < c->rows; r++) {
        double y = (r + 0.5) * c->perimeter / c->rows,
               wobble = 0.002 * intra_sim_noise2(seed + 3, c->s / 0.05, y / 0.05, 1 << 20);
        int course = (int)(y / height);
        double x = (c->s + wobble) / brick + 0.5 * (course & 1) + 0.12 * sim_unit(sim_hash3(seed, 11, course));
        double in_x = (x - floor(x)) * brick, in_y = y - course * height + wobble;
        double edge = fmin(fmin(in_x, brick - in_x), fmin(in_y, height - in_y)) - joint / 2;
        uint64_t h = sim_hash3(seed, (int64_t)floor(x), course);
        float mortar = (float)fmin(fmax(0.5 - edge / 0.0025, 0), 1),
              tone = 1 + contrast * 0.45f * (float)(2 * sim_unit(h) - 1);
        float burnt = sim_unit(sim_mix(h)) < 0.15 ? 0.55f : 1;
        static const float mortar_colour[3] = {0.20f, 0.18f, 0.145f};
        for (int k = 0; k < 3; k++) {
            float grain = c->px[r][k] / base[k], own = c->px[r][k] * tone * burnt;
            c->px[r][k] = own + mortar * (mortar_colour[k] * grain * grain - own);
        }
    }
}

/* The longitudinal seam and faint folds of a liner. */
static void lay_liner(const struct column *c, uint64_t seed)
{
    double seam = 0.35 * c->perimeter + 0.004 * intra_sim_noise1(seed, c->s / 0.8), width = 0.012;
    static const float line[3] = {0.82f, 0.82f, 0.78f};
    double scale = c->rows / c->perimeter;
    for (int r = (int)((seam - width) * scale); r < (int)((seam + width) * scale); r++) {
        double d = fabs((r + 0.5) / scale - seam), k = d < width / 2 ? 1 : 0;
        float stitch = 0.85f + 0.15f * (float)intra_sim_noise1(seed + 2, c->s / 0.006);
        for (int i = 0; i < 3 && k > 0; i++)
            c->px[((r % c->rows) + c->rows) % c->rows][i] *= line[i] * stitch;
    }
}

/* Dark slime along the invert with a ragged edge, and a tide mark above it. */
static void lay_dirt(const struct column *c, uint64_t seed, float dirt)
{
    static const float slime[3] = {0.075f, 0.058f, 0.038f};
    double level =
        0.5 + 0.35 * dirt + 0.10 * intra_sim_noise1(seed, c->s / 0.5) + 0.05 * intra_sim_noise1(seed + 1, c->s / 0.09);
    if (dirt <= 0) return;
    for (int r = 0; r < c->rows; r++) {
        double theta = 2 * M_PI * (r + 0.5) / c->rows - M_PI, from_invert = M_PI - fabs(theta),
               y = (r + 0.5) * c->perimeter / c->rows;
        double rag, d, k, tide;
        if (from_invert > level + 0.5) continue; /* nothing of it shows there */
        rag = 0.12 * intra_sim_noise2(seed + 2, c->s / 0.12, y / 0.03, 1 << 20) +
              0.08 * intra_sim_noise2(seed + 3, c->s / 0.03, y / 0.012, 1 << 20);
        d = (level + rag - from_invert) / 0.22;
        k = fmin(fmax(d, 0), 1) * (0.35 + 0.5 * dirt);
        tide = exp(-d * d * 4) * 0.30 * dirt;
        float grain = 0.8f + 0.25f * (float)intra_sim_noise2(seed + 4, c->s / 0.009, y / 0.006, 1 << 20) +
                      0.25f * (float)intra_sim_noise2(seed + 5, c->s / 0.003, y / 0.0025, 1 << 20);
        for (int i = 0; i < 3; i++) {
            float v = c->px[r][i] * (float)(1 - tide);
            c->px[r][i] = v + (float)k * (slime[i] * grain * 2 - v);
        }
    }
}

/* Earth in holes, sludge on deposits; gaps and mouths get their openness. */
static void paint_things(const struct sim_painter *p, const struct column *c)
{
    const struct intra_sim_scene *scene = p->scene;
    const struct intra_sim_wall *w = p->wall;
    double slope, groove = sim_wall_groove(w, c->s, &slope);
    static const float earth[3] = {0.10f, 0.065f, 0.040f}, sludge[3] = {0.15f, 0.115f, 0.075f},
                       ring[3] = {0.72f, 0.70f, 0.68f};
    double near = 1e9;
    for (int i = 0; i < w->n_joints; i++)
        near = fmin(near, fabs(c->s - w->joints[i].station_m) - w->joints[i].gap_m / 2);
    for (int r = 0; r < c->rows; r++) {
        double theta = 2 * M_PI * (r + 0.5) / c->rows - M_PI, y = (r + 0.5) * c->perimeter / c->rows;
        float *px = c->px[r];
        if (groove > 0) px[3] = fmaxf(0.10f, 1 - 1.2f * (float)(groove / 0.012));
        if (near > 0 && near < 0.012) { /* edges are worn and stained */
            float k = (float)((1 - near / 0.012) *
                              (0.55 + 0.45 * intra_sim_noise2(p->seed + 60, c->s / 0.02, y / 0.025, 1 << 20)));
            for (int i = 0; i < 3; i++)
                px[i] *= 1 + k * (ring[i] - 1);
        }
        for (int i = 0; i < scene->deposits.n; i++) {
            double h = intra_sim_deposit_height(scene, i, c->s, theta);
            float k = (float)fmin(h / 0.004, 1);
            float grain = 1 + 0.35f * (float)intra_sim_noise2(p->seed + 50, c->s / 0.012, y / 0.012, 1 << 20) +
                          0.25f * (float)intra_sim_noise2(p->seed + 51, c->s / 0.004, y / 0.004, 1 << 20);
            for (int q = 0; q < 3 && k > 0; q++)
                px[q] += k * (sludge[q] * grain - px[q]);
        }
        for (int i = 0; i < scene->holes.n; i++) {
            double d = intra_sim_hole_edge(scene, i, c->s, theta);
            float k = d < 0 ? 1 : 0;
            for (int q = 0; q < 3 && k > 0; q++)
                px[q] = earth[q] * (1 + 0.4f * (float)intra_sim_noise2(p->seed + 52, c->s / 0.005, y / 0.005, 1 << 20));
            if (d < 0) px[3] = (float)fmax(0.25, 1 + d / 0.015);
        }
        for (int i = 0; i < scene->laterals.n; i++) {
            const struct sim_lateral *l = SIM_AT(scene->laterals, sim_lateral, i);
            double q;
            if (fabs(c->s - l->station_m) > 2 * l->diameter_m + w->radius_m) continue;
            q = intra_sim_lateral_distance(scene, i, c->s, theta, w->radius_m) - l->diameter_m / 2;
            if (q < -1 + 1e-9 - l->diameter_m / 2 || q > 0.02) continue;
            if (q > 0)
                for (int k = 0; k < 3; k++)
                    px[k] *= (float)(0.6 + 0.4 * q / 0.02);
            else
                px[3] = 0.08f;
        }
    }
}

static void finish_column(const struct sim_painter *p, const struct column *c, int col)
{
    uint8_t *out = p->texture->level[0].data + (size_t)col * (size_t)p->texture->level[0].pitch * 4;
    for (int r = 0; r < c->rows; r++)
        for (int k = 0; k < 4; k++) { /* a rounding that is not the same everywhere keeps faint shades alive */
            float v = sqrtf(fminf(fmaxf(c->px[r][k], 0.003f), 1)) * 255;
            float dither = k < 3 ? (float)sim_unit(sim_hash3(p->seed + 99, col, r * 4 + k)) : 0.5f;
            int q = (int)(v + dither);
            out[4 * r + k] = (uint8_t)(q > 255 ? 255 : q);
        }
    memcpy(out + 4 * (size_t)c->rows, out, 4);
}

void intra_sim_paint_column(const struct sim_painter *p, int col)
{
    static _Thread_local float px[MOST_ROWS][4], tone[MOST_ROWS], drip[MOST_ROWS];
    const struct material *m = p->material;
    float contrast = (float)p->scene->pipe.contrast;
    struct column c = {px, p->texture->level[0].rows, (col + 0.5) * p->texture->texel_m, p->texture->perimeter_m};
    memset(tone, 0, sizeof *tone * (size_t)c.rows);
    memset(drip, 0, sizeof *drip * (size_t)c.rows);
    for (int i = 0; i < MOST_OCTAVES && m->octaves[i].strength > 0; i++)
        add_octave(&c, p->seed + (uint64_t)i, m->octaves[i].wave_s, m->octaves[i].wave_y,
                   m->octaves[i].strength * contrast, tone);
    add_octave(&c, p->seed + 40, 0.02, c.perimeter / 4, 0.6f, drip);
    add_octave(&c, p->seed + 41, 0.11, c.perimeter / 5, 0.6f, drip);
    for (int r = 0; r < c.rows; r++) {
        float d = fmaxf(drip[r] - 0.15f, 0) * (float)m->streak * contrast * 1.6f, t = expf(tone[r] - d);
        for (int k = 0; k < 3; k++)
            px[r][k] = p->colour[k] * t * (1 + 0.06f * tone[r] * (float)(1 - k));
        px[r][3] = 1;
    }
    if (strcmp(m->name, "brick") == 0) lay_bricks(&c, p->seed + 20, contrast, p->colour);
    if (strcmp(m->name, "lined") == 0) lay_liner(&c, p->seed + 25);
    for (size_t i = 0; i < sizeof m->strews / sizeof m->strews[0]; i++)
        if (m->strews[i].share > 0) add_strew(&c, p->seed + 30 + i, &m->strews[i], contrast);
    lay_dirt(&c, p->seed + 70, (float)p->scene->pipe.dirt);
    paint_things(p, &c);
    finish_column(p, &c, col);
}

/* ---- lines ---- */

/* Part of a texel of size t that a band of half width h, its middle at distance d, covers. */
static double band_share(double d, double h, double t)
{
    double low = fmax(d - h, -t / 2), high = fmin(d + h, t / 2);
    return high > low ? (high - low) / t : 0;
}

static void paint_line(const struct sim_painter *p, const struct sim_polyline *line, const float colour[3], float light)
{
    struct sim_level *l = &p->texture->level[0];
    double texel = p->texture->texel_m, per = p->texture->perimeter_m, row_m = per / l->rows,
           margin = line->half_width + texel;
    int c0 = (int)floor((line->low.x - margin) / texel), c1 = (int)ceil((line->high.x + margin) / texel);
    int r0 = (int)floor((line->low.y - margin + per / 2) / row_m),
        r1 = (int)ceil((line->high.y + margin + per / 2) / row_m);
    for (int c = c0 < 0 ? 0 : c0; c <= c1 && c < l->cols; c++) {
        uint8_t *column = l->data + (size_t)c * (size_t)l->pitch * 4;
        for (int r = r0; r <= r1; r++) {
            double d = intra_sim_line_distance(line, (c + 0.5) * texel, (r + 0.5) * row_m - per / 2, per);
            double k = band_share(d, line->half_width, texel), round = fmin(d / line->half_width, 1);
            uint8_t *px = column + 4 * (((r % l->rows) + l->rows) % l->rows);
            for (int i = 0; i < 3 && k > 0; i++) {
                double was = px[i] * px[i] / 65025.0, want = colour[i] * (1 - light * round);
                px[i] = (uint8_t)(255 * sqrt(was + k * (want - was)) + 0.5);
            }
        }
        memcpy(column + 4 * (size_t)l->rows, column, 4);
    }
}

enum intra_status intra_sim_paint_lines(const struct sim_painter *p, struct intra_error *err)
{
    static const float crack[3] = {0.012f, 0.011f, 0.010f}, root[3] = {0.28f, 0.17f, 0.085f};
    enum intra_status status = INTRA_OK;
    struct sim_lines lines = {0};
    for (int i = 0; i < p->scene->cracks.n; i++) {
        INTRA_TRY(intra_sim_crack_lines(p->scene, i, &lines, err));
        for (int k = 0; k < lines.n; k++)
            paint_line(p, &lines.lines[k], crack, 0);
        intra_sim_lines_fini(&lines);
    }
    for (int i = 0; i < p->scene->roots.n; i++) {
        INTRA_TRY(intra_sim_root_lines(p->scene, i, &lines, err));
        for (int k = 0; k < lines.n; k++)
            paint_line(p, &lines.lines[k], root, 0.6f);
        intra_sim_lines_fini(&lines);
    }
done:
    intra_sim_lines_fini(&lines);
    return status;
}
