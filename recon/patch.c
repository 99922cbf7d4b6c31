#include "recon/patch.h"

#include "core/clones.h"

#include <math.h>
#include <string.h>

/* Bilinear sample of one level at level coordinates; the caller has checked the bounds. */
static inline float sample(const struct intra_view_f32 *v, float x, float y)
{
    int ix = (int)x, iy = (int)y;
    float fx = x - (float)ix, fy = y - (float)iy;
    const float *p = intra_row_f32(v, iy) + ix;
    const float *q = (const float *)(const void *)((const char *)p + v->stride);
    float top = p[0] + fx * (p[1] - p[0]), bottom = q[0] + fx * (q[1] - q[0]);
    return top + fy * (bottom - top);
}

static inline double to_level(double x, int level)
{
    return (x + 0.5) / (double)(1 << level) - 0.5;
}

/* Sums over a patch run in eight columns side by side, which SIMD takes at once, and are put together at the end. */
enum { SIDE = INTRA_PATCH_SIDE };

static inline float sum_of(const float column[SIDE])
{
    return ((column[0] + column[1]) + (column[2] + column[3])) + ((column[4] + column[5]) + (column[6] + column[7]));
}

static inline float dot(const float a[INTRA_PATCH_N], const float b[INTRA_PATCH_N])
{
    float column[SIDE] = {0};
    for (int j = 0; j < SIDE; j++)
        for (int i = 0; i < SIDE; i++) column[i] += a[j * SIDE + i] * b[j * SIDE + i];
    return sum_of(column);
}

/* Take mean and plane out of the samples: what the light does to a patch as it comes nearer. Rows and columns are orthogonal to each
 * other and to the mean, so that three dot products do. */
static inline void flatten(float v[INTRA_PATCH_N])
{
    const float half = (SIDE - 1) / 2.0f;
    const float norm = 12.0f / ((float)INTRA_PATCH_N * (SIDE * SIDE - 1)); /* 1 over the sum of squares */
    float column[SIDE] = {0}, down[SIDE] = {0}, across[SIDE], plane[SIDE];
    for (int j = 0; j < SIDE; j++)
        for (int i = 0; i < SIDE; i++) {
            column[i] += v[j * SIDE + i];
            down[i] += ((float)j - half) * v[j * SIDE + i];
        }
    for (int i = 0; i < SIDE; i++) across[i] = ((float)i - half) * column[i];
    float mean = sum_of(column) / INTRA_PATCH_N, di = norm * sum_of(across), dj = norm * sum_of(down);
    for (int i = 0; i < SIDE; i++) plane[i] = mean + di * ((float)i - half);
    for (int j = 0; j < SIDE; j++)
        for (int i = 0; i < SIDE; i++) v[j * SIDE + i] -= plane[i] + dj * ((float)j - half);
}

INTRA_CLONES static bool cut_scale(struct intra_patch *patch, int k, const struct intra_pyramid *pyramid,
                      const struct intra_mask_pyramid *mask, double x, double y, double least_tt)
{
    int level = patch->level + k;
    if (level >= INTRA_PYRAMID_LEVELS) return false;
    const struct intra_view_f32 *img = &pyramid->level[level];
    const struct intra_view_u8 *good = &mask->level[level];
    double cx = to_level(x, level), cy = to_level(y, level), half = (SIDE - 1) / 2.0;
    if (cx - half < 1 || cy - half < 1 || cx + half > img->cols - 3 || cy + half > img->rows - 3) return false;
    for (int j = -1; j <= SIDE; j++)
        for (int i = -1; i <= SIDE; i++)
            if (!intra_row_u8(good, (int)(cy + j - half + 0.5))[(int)(cx + i - half + 0.5)]) return false;

    float *t = patch->scale[k].t, *gx = patch->scale[k].gx, *gy = patch->scale[k].gy;
    double per_px = 0.5 / (double)(1 << level); /* central difference over two samples of 2^level pixels */
    int n = 0;
    for (int j = 0; j < SIDE; j++)
        for (int i = 0; i < SIDE; i++, n++)
            t[n] = sample(img, (float)(cx + i - half), (float)(cy + j - half));
    flatten(t);
    float tt = dot(t, t);
    if (tt < least_tt) return false;
    n = 0;
    for (int j = 0; j < SIDE; j++)
        for (int i = 0; i < SIDE; i++, n++) {
            float sx = (float)(cx + i - half), sy = (float)(cy + j - half);
            gx[n] = (float)per_px * (sample(img, sx + 1, sy) - sample(img, sx - 1, sy));
            gy[n] = (float)per_px * (sample(img, sx, sy + 1) - sample(img, sx, sy - 1));
        }
    flatten(gx);
    flatten(gy);
    float share_x = dot(t, gx) / tt, share_y = dot(t, gy) / tt;
    for (n = 0; n < INTRA_PATCH_N; n++) {
        gx[n] -= share_x * t[n];
        gy[n] -= share_y * t[n];
    }
    patch->scale[k].tt = tt;
    patch->scale[k].h[0] = dot(gx, gx);
    patch->scale[k].h[1] = dot(gx, gy);
    patch->scale[k].h[2] = dot(gy, gy);
    return true;
}

bool intra_patch_cut(struct intra_patch *patch, const struct intra_pyramid *pyramid,
                     const struct intra_mask_pyramid *mask, double x, double y, int level, double least_rms)
{
    double least = fmax(1e-6, least_rms * least_rms) * INTRA_PATCH_N;
    patch->level = level;
    for (int k = 1; k < INTRA_PATCH_SCALES; k++) patch->scale[k].is_valid = false;
    patch->scale[0].is_valid = cut_scale(patch, 0, pyramid, mask, x, y, least);
    return patch->scale[0].is_valid;
}

void intra_patch_complete(struct intra_patch *patch, const struct intra_pyramid *pyramid,
                          const struct intra_mask_pyramid *mask, double x, double y)
{
    for (int k = 1; k < INTRA_PATCH_SCALES; k++) patch->scale[k].is_valid = cut_scale(patch, k, pyramid, mask, x, y, 1e-6 * INTRA_PATCH_N);
}

/* Information k H of a match less what grain feigns. Grain in the host adds its own gradients to H, in all directions
 * alike, and a step along gradients that are only grain's comes out short: the match says that the prediction was
 * right. Of an eigenvalue l the share f = 1 - n / l is the wall's. The step is f of the true one, and as a measurement
 * of that knows f^2 l. */
static void discount_grain(const float h[3], double k, double feigned, double out[3])
{
    double n = feigned / k, middle = 0.5 * ((double)h[0] + h[2]);
    double root = hypot(0.5 * ((double)h[0] - h[2]), h[1]), l[2] = {middle + root, middle - root}, known[2];
    for (int i = 0; i < 2; i++) {
        double f = l[i] > n ? 1 - n / l[i] : 0;
        known[i] = k * l[i] * f * f;
    }
    /* The same directions with other eigenvalues: a I + b H. */
    double b = root > 0 ? (known[0] - known[1]) / (l[0] - l[1]) : 0, a = known[0] - b * l[0];
    out[0] = a + b * h[0];
    out[1] = b * h[1];
    out[2] = a + b * h[2];
}

INTRA_CLONES void intra_patch_step(const struct intra_patch *patch, int scale, const struct intra_pyramid *target,
                                   const struct intra_mask_pyramid *mask, double u, double v,
                                   const struct intra_warp *warp, double grain, struct intra_patch_match *out)
{
    const double *a = warp->a;
    double det = a[0] * a[3] - a[1] * a[2];
    out->is_valid = false;
    if (!patch->scale[scale].is_valid || !(fabs(det) > 0.02) || fabs(det) > 60) return;
    int host_level = patch->level + scale;
    int level = host_level + (int)lround(0.5 * log2(fabs(det)));
    if (level < 0) level = 0;
    if (level >= INTRA_PYRAMID_LEVELS) return;
    const struct intra_view_f32 *img = &target->level[level];
    const struct intra_view_u8 *good = &mask->level[level];
    double spacing = (double)(1 << host_level), shrink = 1.0 / (double)(1 << level);
    float ax = (float)(a[0] * spacing * shrink), bx = (float)(a[1] * spacing * shrink);
    float ay = (float)(a[2] * spacing * shrink), by = (float)(a[3] * spacing * shrink);
    float q[6], bulge[2];
    for (int n = 0; n < 6; n++)
        q[n] = (float)(warp->q[n] * spacing * spacing * shrink);
    const float half = (SIDE - 1) / 2.0f;
    float cx = (float)to_level(u, level), cy = (float)to_level(v, level);
    /* How far a sample can lie beyond the nine that are looked at. */
    for (int n = 0; n < 2; n++)
        bulge[n] = 0.5f * half * half * (fabsf(q[3 * n]) + fabsf(q[3 * n + 1]) + fabsf(q[3 * n + 2]));
    for (int n = 0; n < 9; n++) {
        float i = (float)(n % 3 - 1) * half, j = (float)(n / 3 - 1) * half;
        float x = cx + ax * i + bx * j + q[0] * i * i + q[1] * i * j + q[2] * j * j;
        float y = cy + ay * i + by * j + q[3] * i * i + q[4] * i * j + q[5] * j * j;
        if (!(x >= 1 + bulge[0] && y >= 1 + bulge[1] && x <= (float)(img->cols - 3) - bulge[0] &&
              y <= (float)(img->rows - 3) - bulge[1]))
            return;
        if (!intra_row_u8(good, (int)(y + 0.5f))[(int)(x + 0.5f)]) return;
    }
    const float *t = patch->scale[scale].t, *gx = patch->scale[scale].gx, *gy = patch->scale[scale].gy;
    float c[INTRA_PATCH_N];
    for (int j = 0; j < SIDE; j++) {
        float dj = (float)j - half, x = cx + (bx + q[2] * dj) * dj, y = cy + (by + q[5] * dj) * dj;
        float sx = ax + q[1] * dj, sy = ay + q[4] * dj;
        for (int i = 0; i < SIDE; i++) {
            float di = (float)i - half;
            c[j * SIDE + i] = sample(img, x + (sx + q[0] * di) * di, y + (sy + q[3] * di) * di);
        }
    }
    flatten(c);
    float ct = dot(c, t), cc = dot(c, c), bu = dot(c, gx), bv = dot(c, gy);
    float tt = patch->scale[scale].tt;
    const float *h = patch->scale[scale].h;
    double gain = ct / tt;
    out->ncc = ct / sqrt((double)tt * cc + 1e-12);
    out->gain = gain;
    if (gain < 0.15 || gain > 6) return;
    /* c ~ gain (t + g . d): (H + ridge) d = g^T c / gain. The ridge keeps the blind direction of a ring still. */
    double ridge = 1e-3 * ((double)h[0] + h[2]) + 1e-9, h0 = h[0] + ridge, h2 = h[2] + ridge, h1 = h[1];
    double hd = h0 * h2 - h1 * h1, d0 = (h2 * bu - h1 * bv) / (hd * gain), d1 = (h0 * bv - h1 * bu) / (hd * gain);
    double limit = 1.5 * spacing, size = hypot(d0, d1);
    if (size > limit) {
        d0 *= limit / size;
        d1 *= limit / size;
    }
    /* Residual after the step gives the noise: |c|^2 - gain^2 |t|^2 - gain (g.c) d, never below the sensor's grain. */
    double rest = cc - gain * gain * tt - gain * (bu * d0 + bv * d1);
    double var = rest / (INTRA_PATCH_N - 6);
    if (!(var > 2e-5)) var = 2e-5;
    double kh[3];
    discount_grain(h, gain * gain / var, grain / (spacing * spacing), kh);
    /* Into target pixels: d = -A^-1 du, so info_u = A^-T info_d A^-1. */
    double inv[4] = {a[3] / det, -a[1] / det, -a[2] / det, a[0] / det};
    double m00 = kh[0] * inv[0] + kh[1] * inv[2], m01 = kh[0] * inv[1] + kh[1] * inv[3];
    double m10 = kh[1] * inv[0] + kh[2] * inv[2], m11 = kh[1] * inv[1] + kh[2] * inv[3];
    out->info[0] = inv[0] * m00 + inv[2] * m10;
    out->info[1] = inv[0] * m01 + inv[2] * m11;
    out->info[2] = inv[1] * m01 + inv[3] * m11;
    out->du = -(a[0] * d0 + a[1] * d1);
    out->dv = -(a[2] * d0 + a[3] * d1);
    out->is_valid = true;
}
