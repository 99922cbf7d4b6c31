/* Sampling: trilinear taps in the pyramid, as many along the footprint's long axis as it is longer than the short one
 * (Williams 1983 for the pyramid, McCormack et al. 1999 for the taps along the long axis). */
#include "tools/sim/sim_texture.h"

#include "core/geom.h"
#include "core/mem.h"
#include "tools/sim/sim_paint.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

static enum intra_status level_init(struct sim_level *l, int cols, int rows, struct intra_error *err)
{
    l->cols = cols;
    l->rows = rows;
    l->pitch = rows + 1;
    return INTRA_ALLOC(l->data, (size_t)cols * (size_t)l->pitch * 4, err);
}

static void shrink_column(const struct sim_level *from, struct sim_level *to, int col)
{
    uint8_t *out = to->data + (size_t)col * (size_t)to->pitch * 4;
    int c0 = 2 * col, c1 = c0 + 1 < from->cols ? c0 + 1 : c0;
    const uint8_t *a = from->data + (size_t)c0 * (size_t)from->pitch * 4,
                  *b = from->data + (size_t)c1 * (size_t)from->pitch * 4;
    for (int r = 0; r < to->rows; r++)
        for (int k = 0; k < 4; k++) {
            int i = 8 * r + k;
            float sum = (float)(a[i] * a[i] + a[i + 4] * a[i + 4] + b[i] * b[i] + b[i + 4] * b[i + 4]);
            out[4 * r + k] = (uint8_t)(sqrtf(sum * 0.25f) + 0.5f);
        }
    memcpy(out + 4 * (size_t)to->rows, out, 4);
}

enum intra_status intra_sim_texture_make(const struct intra_sim_scene *scene, const struct intra_sim_wall *wall,
                                         struct intra_sim_texture *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct sim_painter *painter = NULL;
    struct intra_sim_texture t = {.texel_m = scene->pipe.diameter_m > 0.6 ? 0.002 : 0.001,
                                  .perimeter_m = 2 * M_PI * wall->radius_m};
    int rows = (int)(t.perimeter_m / t.texel_m / 64 + 1) * 64, cols = (int)ceil(wall->length_m / t.texel_m);
    for (int l = 0; l < SIM_LEVELS; l++) {
        int c = (cols + (1 << l) - 1) >> l;
        INTRA_TRY(level_init(&t.level[l], c < 2 ? 2 : c, rows >> l, err));
    }
    INTRA_TRY(intra_sim_painter_make(scene, wall, &t, &painter, err));
#pragma omp parallel for schedule(dynamic, 64)
    for (int c = 0; c < t.level[0].cols; c++)
        intra_sim_paint_column(painter, c);
    INTRA_TRY(intra_sim_paint_lines(painter, err));
    for (int l = 0; l + 1 < SIM_LEVELS; l++) {
#pragma omp parallel for schedule(static)
        for (int c = 0; c < t.level[l + 1].cols; c++)
            shrink_column(&t.level[l], &t.level[l + 1], 2 * c < t.level[l].cols ? c : t.level[l].cols / 2 - 1);
    }
done:
    intra_sim_painter_destroy(&painter);
    *out = t;
    if (status != INTRA_OK) intra_sim_texture_fini(out);
    return status;
}

void intra_sim_texture_fini(struct intra_sim_texture *t)
{
    for (int l = 0; l < SIM_LEVELS; l++)
        intra_free(t->level[l].data);
    *t = (struct intra_sim_texture){0};
}

static inline sim_v4 fetch(const uint8_t *at)
{
    sim_v4 v;
#ifdef __SSE2__ /* compilers take the four bytes one by one otherwise */
    int bytes;
    __m128i wide;
    memcpy(&bytes, at, 4);
    wide = _mm_unpacklo_epi8(_mm_cvtsi32_si128(bytes), _mm_setzero_si128());
    v = (sim_v4)_mm_cvtepi32_ps(_mm_unpacklo_epi16(wide, _mm_setzero_si128()));
#else
    v = (sim_v4){at[0], at[1], at[2], at[3]};
#endif
    return v * v;
}

/* x, y: texel coordinates of level 0, texel centres at .5 */
static inline sim_v4 bilinear(const struct sim_level *l, float x, float y)
{
    int c, r;
    const uint8_t *p, *q;
    sim_v4 a, b;
    x -= 0.5f;
    y -= 0.5f;
    if (x < 0) x = 0;
    if (x > (float)(l->cols - 2)) x = (float)(l->cols - 2);
    while (y < 0)
        y += (float)l->rows;
    while (y >= (float)l->rows)
        y -= (float)l->rows;
    c = (int)x;
    r = (int)y;
    if (r >= l->rows) r = l->rows - 1;
    x -= (float)c;
    y -= (float)r;
    p = l->data + ((size_t)c * (size_t)l->pitch + (size_t)r) * 4;
    q = p + (size_t)l->pitch * 4;
    a = fetch(p) + y * (fetch(p + 4) - fetch(p));
    b = fetch(q) + y * (fetch(q + 4) - fetch(q));
    return a + x * (b - a);
}

sim_v4 intra_sim_texture_sample(const struct intra_sim_texture *t, double s, double theta, float ax, float ay,
                                float short_axis)
{
    enum { MOST_TAPS = 24 };
    float inv = (float)(1 / t->texel_m), inv_y = (float)(t->level[0].rows / t->perimeter_m);
    float length = sqrtf(ax * ax + ay * ay), ratio = length / (short_axis > 1e-9f ? short_axis : 1e-9f), level, part;
    const float whole = 2; /* no pixel needs more than metres of wall */
    float x = (float)(s / t->texel_m), y = (float)((theta + M_PI) * (t->level[0].rows / (2 * M_PI))), scale;
    int taps = ratio < MOST_TAPS * 2 ? (int)(ratio * 0.75f + 0.6f) : MOST_TAPS,
        low; /* a tap's own kernel is two texels wide */
    sim_v4 sum = {0, 0, 0, 0};
    if (!(length < whole)) ax = whole, ay = 0, length = whole, taps = MOST_TAPS; /* seen edge-on, NaN among them */
    if (taps < 1) taps = 1;
    if (taps > MOST_TAPS) taps = MOST_TAPS;
    level = short_axis < whole ? short_axis * inv : whole * inv;
    if (length / (float)taps * inv > level) level = length / (float)taps * inv; /* very long: coarser taps */
    if ((float)taps > length * inv)
        taps = length * inv < 1 ? 1 : (int)(length * inv + 0.99f); /* finer than texels is no use */
    level = level > 1 ? log2f(level) : 0;
    if (level > SIM_LEVELS - 1.001f) level = SIM_LEVELS - 1.001f;
    low = (int)level;
    part = level - (float)low;
    scale = 1 / (float)(1 << low);
    ax *= inv / (float)taps;
    ay *= inv_y / (float)taps;
    x -= ax * 0.5f * (float)(taps - 1);
    y -= ay * 0.5f * (float)(taps - 1);
    for (int i = 0; i < taps; i++, x += ax, y += ay) {
        sim_v4 a = bilinear(&t->level[low], x * scale, y * scale);
        if (part > 0.02f) a += part * (bilinear(&t->level[low + 1], x * scale * 0.5f, y * scale * 0.5f) - a);
        sum += a;
    }
    return sum * (1.0f / (65025.0f * (float)taps));
}
