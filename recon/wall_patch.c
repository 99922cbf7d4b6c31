/* Reading and smoothing a patch of the wall. */
#include "recon/wall_patch.h"

#include "core/clones.h"
#include "core/mem.h"
#include "core/select.h"

#include <math.h>
#include <string.h>

enum { READ_COLS = 16 }; /* of the wall at once */
#define FILL_SIGMA 6.0   /* cells; of the mean that fills what was not seen */

static double linear_of(uint8_t value)
{
    double v = value / 255.0;
    return v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4);
}

/* Sums of the wall cells that make up one patch cell. */
struct sums {
    double rgb[3], relief, resolution;
    int n, n_relief, n_resolution;
};

struct reader {
    const struct intra_scene *scene;
    const float *linear; /* of 256 sRGB values */
    int step, width;     /* wall cells of a patch cell; columns that are read at once */
    uint8_t *colour;
    float *relief, *coverage, *views;
    int n_views;
};

static enum intra_status read_columns(struct reader *r, int64_t col, int n, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_wall *wall = &r->scene->wall;
    r->width = n;
    INTRA_TRY(intra_raster_read(wall->colour, col, n, r->colour, err));
    if (r->relief) INTRA_TRY(intra_raster_read(wall->relief, col, n, r->relief, err));
    if (wall->coverage) INTRA_TRY(intra_raster_read(wall->coverage, col, n, r->coverage, err));
done:
    return status;
}

/* at_col: the first of its columns among those that were read. */
static void put_cell(struct reader *r, struct intra_wall_patch *p, int64_t row0, int row, int col, int at_col)
{
    const struct intra_wall *wall = &r->scene->wall;
    struct sums s = {{0}, 0, 0, 0, 0, 0};
    size_t at = (size_t)row * (size_t)p->cols + (size_t)col;
    for (int i = 0; i < r->step; i++) {
        int64_t wall_row = row0 + (int64_t)row * r->step + i;
        while (wall_row >= wall->rows)
            wall_row -= wall->rows;
        for (int j = 0; j < r->step; j++) {
            size_t cell = (size_t)wall_row * (size_t)r->width + (size_t)(at_col + j);
            const uint8_t *rgb = r->colour + 4 * cell;
            if (r->relief && isfinite(r->relief[cell])) {
                s.relief += r->relief[cell];
                s.n_relief++;
            }
            if (rgb[3] == 0) continue;
            for (int k = 0; k < 3; k++)
                s.rgb[k] += r->linear[rgb[k]];
            s.n++;
            if (wall->coverage && r->coverage[2 * cell] > 0) {
                s.resolution += r->coverage[2 * cell];
                s.n_resolution++;
                if (r->n_views < p->rows * p->cols) r->views[r->n_views++] = r->coverage[2 * cell + 1];
            }
        }
    }
    if (p->relief) p->relief[at] = s.n_relief ? (float)(s.relief / s.n_relief) : NAN;
    p->seen[at] = s.n > 0;
    if (!s.n) return;
    for (int k = 0; k < 3; k++)
        s.rgb[k] = s.rgb[k] / s.n + 1e-3;
    p->light[at] = (float)(0.2126 * s.rgb[0] + 0.7152 * s.rgb[1] + 0.0722 * s.rgb[2]);
    if (p->red) {
        p->red[at] = (float)log(s.rgb[0] / s.rgb[1]);
        p->blue[at] = (float)log(s.rgb[2] / s.rgb[1]);
    }
    p->resolution_m[at] = s.n_resolution ? (float)(s.resolution / s.n_resolution) : 0;
}

/* Sums run outwards in the same order at the borders, which repeat, and between them. */
__attribute__((noinline)) INTRA_CLONES static void smooth_row(const float *restrict line, int n, const float *kernel,
                                                              int half, float *restrict out)
{
    int from = half < n ? half : n, to = n - half > from ? n - half : from;
    for (int c = 0; c < n; c++) {
        if (c == from) c = to;
        if (c == n) break;
        float v = kernel[0] * line[c];
        for (int i = 1; i <= half; i++)
            v += kernel[i] * (line[c - i < 0 ? 0 : c - i] + line[c + i >= n ? n - 1 : c + i]);
        out[c] = v;
    }
    for (int c = from; c < to; c++)
        out[c] = kernel[0] * line[c];
    for (int i = 1; i <= half; i++)
        for (int c = from; c < to; c++)
            out[c] += kernel[i] * (line[c - i] + line[c + i]);
}

__attribute__((noinline)) INTRA_CLONES static void add_rows(const float *restrict a, const float *restrict b, int n,
                                                            float weight, float *restrict out)
{
    for (int c = 0; c < n; c++)
        out[c] += weight * (a[c] + b[c]);
}

void intra_wall_patch_smooth(const struct intra_wall_patch *p, float *field, double sigma)
{
    enum { MAX_HALF = 200 };
    float kernel[MAX_HALF + 1], sum = 1;
    int half = (int)ceil(3 * sigma);
    if (half > MAX_HALF) half = MAX_HALF;
    kernel[0] = 1;
    for (int i = 1; i <= half; i++) {
        kernel[i] = (float)exp(-0.5 * i * i / (sigma * sigma));
        sum += 2 * kernel[i];
    }
    for (int i = 0; i <= half; i++)
        kernel[i] /= sum;
    for (int r = 0; r < p->rows; r++)
        smooth_row(field + (size_t)r * (size_t)p->cols, p->cols, kernel, half,
                   p->scratch + (size_t)r * (size_t)p->cols);
    for (int r = 0; r < p->rows; r++) {
        float *out = field + (size_t)r * (size_t)p->cols;
        for (int c = 0; c < p->cols; c++)
            out[c] = kernel[0] * p->scratch[(size_t)r * (size_t)p->cols + (size_t)c];
        for (int i = 1; i <= half; i++) {
            int up = r - i, down = r + i;
            if (p->is_ring) {
                up = ((up % p->rows) + p->rows) % p->rows;
                down %= p->rows;
            } else {
                up = up < 0 ? 0 : up;
                down = down >= p->rows ? p->rows - 1 : down;
            }
            const float *a = p->scratch + (size_t)up * (size_t)p->cols,
                        *b = p->scratch + (size_t)down * (size_t)p->cols;
            add_rows(a, b, p->cols, kernel[i], out);
        }
    }
}

/* Unseen cells take a mean of the seen ones around them; where none is near, of all. */
static enum intra_status fill(struct intra_wall_patch *p, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    size_t n = (size_t)p->rows * (size_t)p->cols, seen = 0;
    float *weight = NULL, *value = NULL, *fields[] = {p->light, p->red, p->blue};
    for (size_t i = 0; i < n; i++)
        seen += p->seen[i];
    if (seen == n) return INTRA_OK;
    INTRA_TRY(INTRA_ALLOC(weight, n, err));
    INTRA_TRY(INTRA_ALLOC(value, n, err));
    for (size_t i = 0; i < n; i++)
        weight[i] = p->seen[i];
    intra_wall_patch_smooth(p, weight, FILL_SIGMA);
    for (int f = 0; f < 3 && fields[f]; f++) {
        double mean = 0;
        for (size_t i = 0; i < n; i++) {
            value[i] = p->seen[i] ? fields[f][i] : 0;
            mean += value[i];
        }
        mean /= (double)seen;
        intra_wall_patch_smooth(p, value, FILL_SIGMA);
        for (size_t i = 0; i < n; i++)
            if (!p->seen[i]) fields[f][i] = (float)((value[i] + 1e-3 * mean) / (weight[i] + 1e-3));
    }
done:
    intra_free(weight);
    intra_free(value);
    return status;
}

double intra_wall_radius(const struct intra_scene *scene, double station_m, double theta_rad)
{
    int64_t low = 0, high = scene->n_sections - 1;
    if (high < 1 || !(station_m >= scene->sections[0].station_m && station_m <= scene->sections[high].station_m))
        return NAN;
    while (high - low > 1) {
        int64_t mid = low + (high - low) / 2;
        if (scene->sections[mid].station_m <= station_m)
            low = mid;
        else
            high = mid;
    }
    const struct intra_section *a = &scene->sections[low], *b = a + 1;
    double k = (station_m - a->station_m) / (b->station_m - a->station_m);
    return (1 - k) * intra_section_radius(a, theta_rad) + k * intra_section_radius(b, theta_rad);
}

static double mean_radius(const struct intra_scene *scene, double from_m, double to_m)
{
    double sum = 0;
    int n = 0;
    for (int64_t i = 0; i < scene->n_sections; i++) {
        const struct intra_section *s = &scene->sections[i];
        if (s->station_m < from_m || s->station_m > to_m || !s->is_seen) continue;
        sum += s->a[0];
        n++;
    }
    return n ? sum / n : scene->nominal_diameter_m / 2;
}

static enum intra_status read_patch(const struct intra_scene *scene, double from_m, double to_m, double theta_rad,
                                    double half_rad, int step, bool is_light, struct intra_wall_patch *out,
                                    struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_wall *wall = &scene->wall;
    struct intra_wall_patch p = {0};
    struct reader r = {.scene = scene, .step = step};
    float linear[256];
    double row_rad = 2 * M_PI / wall->rows;
    int64_t col0, col1, row0;
    size_t n, wall_cells;
    int block = step < READ_COLS ? READ_COLS / step : 1; /* patch columns */
    *out = p;
    if (!wall->colour) return INTRA_FAIL(err, INTRA_E_ARG, "the wall's colour is not loaded");
    col0 = (int64_t)floor((from_m - wall->station0_m) / wall->texel_m);
    col1 = (int64_t)ceil((to_m - wall->station0_m) / wall->texel_m);
    if (col0 < 0) col0 = 0;
    if (col1 > wall->cols) col1 = wall->cols;
    p.cols = (int)((col1 - col0) / step);
    p.is_ring = half_rad >= M_PI;
    p.rows = p.is_ring ? wall->rows / step : (int)ceil(2 * half_rad / (row_rad * step));
    if (p.cols < 8 || p.rows < 8)
        return INTRA_FAIL(err, INTRA_E_NO_RESULT, "no wall between %.3f m and %.3f m", from_m, to_m);
    /* theta = cut + row_rad (row + 0.5): the first row of the patch */
    row0 = (int64_t)llround((theta_rad - wall->cut_rad) / row_rad - 0.5 - p.rows * step / 2.0);
    p.ds_m = wall->texel_m * step;
    p.dtheta_rad = row_rad * step;
    p.station0_m = wall->station0_m + ((double)col0 + step / 2.0) * wall->texel_m;
    p.theta0_rad = wall->cut_rad + row_rad * ((double)row0 + step / 2.0);
    p.radius_m = mean_radius(scene, from_m, to_m);
    n = (size_t)p.rows * (size_t)p.cols;
    for (int i = 0; i < 256; i++)
        linear[i] = (float)linear_of((uint8_t)i);
    r.linear = linear;
    wall_cells = (size_t)wall->rows * (size_t)(block * step);
    INTRA_TRY(INTRA_ALLOC(p.light, n, err));
    if (!is_light) {
        INTRA_TRY(INTRA_ALLOC(p.red, n, err));
        INTRA_TRY(INTRA_ALLOC(p.blue, n, err));
        INTRA_TRY(INTRA_ALLOC(p.relief, n, err));
    }
    INTRA_TRY(INTRA_ALLOC(p.resolution_m, n, err));
    INTRA_TRY(INTRA_ALLOC(p.scratch, n, err));
    INTRA_TRY(INTRA_ALLOC(p.seen, n, err));
    INTRA_TRY(INTRA_ALLOC(r.colour, 4 * wall_cells, err));
    if (!is_light && wall->relief) INTRA_TRY(INTRA_ALLOC(r.relief, wall_cells, err));
    INTRA_TRY(INTRA_ALLOC(r.coverage, 2 * wall_cells, err));
    INTRA_TRY(INTRA_ALLOC(r.views, n, err));
    row0 = (row0 % wall->rows + wall->rows) % wall->rows;
    for (int first = 0; first < p.cols; first += block) {
        int n_cols = p.cols - first < block ? p.cols - first : block;
        INTRA_TRY(read_columns(&r, col0 + (int64_t)first * step, n_cols * step, err));
        for (int col = first; col < first + n_cols; col++)
            for (int row = 0; row < p.rows; row++)
                put_cell(&r, &p, row0, row, col, (col - first) * step);
    }
    size_t seen = 0;
    for (size_t i = 0; i < n; i++)
        seen += p.seen[i];
    if (seen < n / 20) {
        status = INTRA_FAIL(err, INTRA_E_NO_RESULT, "the wall was not seen between %.3f m and %.3f m", from_m, to_m);
        goto done;
    }
    if (r.n_views) {
        double *sorted = NULL;
        INTRA_TRY(INTRA_ALLOC(sorted, (size_t)r.n_views, err));
        for (int i = 0; i < r.n_views; i++)
            sorted[i] = r.views[i];
        p.views = (int)lround(intra_select(sorted, r.n_views, r.n_views / 2));
        intra_free(sorted);
    }
    INTRA_TRY(fill(&p, err));
    *out = p;
    memset(&p, 0, sizeof p);
done:
    intra_free(r.colour);
    intra_free(r.relief);
    intra_free(r.coverage);
    intra_free(r.views);
    intra_wall_patch_fini(&p);
    return status;
}

enum intra_status intra_wall_patch_read(const struct intra_scene *scene, double from_m, double to_m, double theta_rad,
                                        double half_rad, int step, struct intra_wall_patch *out,
                                        struct intra_error *err)
{
    return read_patch(scene, from_m, to_m, theta_rad, half_rad, step, false, out, err);
}

enum intra_status intra_wall_patch_read_light(const struct intra_scene *scene, double from_m, double to_m,
                                              double theta_rad, double half_rad, int step, struct intra_wall_patch *out,
                                              struct intra_error *err)
{
    return read_patch(scene, from_m, to_m, theta_rad, half_rad, step, true, out, err);
}

void intra_wall_patch_fini(struct intra_wall_patch *p)
{
    float *fields[] = {p->light, p->red, p->blue, p->relief, p->resolution_m, p->scratch};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        intra_free(fields[i]);
    intra_free(p->seen);
    *p = (struct intra_wall_patch){0};
}

double intra_wall_patch_at(const struct intra_wall_patch *p, const float *field, double row, double col)
{
    row = row < 0 ? 0 : row > p->rows - 1.001 ? p->rows - 1.001 : row;
    col = col < 0 ? 0 : col > p->cols - 1.001 ? p->cols - 1.001 : col;
    int r = (int)row, c = (int)col;
    double y = row - r, x = col - c;
    const float *a = field + (size_t)r * (size_t)p->cols + c, *b = a + p->cols;
    return (1 - y) * ((1 - x) * (double)a[0] + x * (double)a[1]) + y * ((1 - x) * (double)b[0] + x * (double)b[1]);
}
