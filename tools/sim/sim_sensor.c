#include "tools/sim/sim_sensor.h"

#include "core/geom.h"
#include "core/mem.h"
#include "tools/sim/sim_noise.h"

enum { SEED_NOISE = 501, METER_STEP = 6 };

static double encode(double linear)
{
    return linear <= 0.0031308 ? 12.92 * linear : 1.055 * pow(linear, 1 / 2.4) - 0.055;
}

/* A camera's curve: sRGB with a shoulder above 0.75, so that highlights roll off before they clip. */
static double tone_of(double x)
{
    if (x > 0.75) x = 0.75 + 0.25 * (1 - exp(-(x - 0.75) / 0.25));
    return encode(x);
}

enum intra_status intra_sim_sensor_make(const struct intra_sim_scene *scene, const struct intra_sim_lens *lens,
                                        struct intra_sim_sensor *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    int w = scene->video.width, h = scene->video.height;
    struct intra_sim_sensor s = {.scene = scene, .width = w, .height = h};
    double corner = hypot(0.5 * w, 0.5 * h);
    INTRA_TRY(INTRA_ALLOC(s.shade, (size_t)w * (size_t)h, err));
    INTRA_TRY(INTRA_ALLOC(s.dirt, (size_t)w * (size_t)h, err));
    if (scene->image.sharpen > 0) INTRA_TRY(INTRA_ALLOC(s.luma, (size_t)w * (size_t)h, err));
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            double q = hypot(x - lens->cx, y - lens->cy) / corner;
            s.shade[y * w + x] = (float)(1 - scene->image.vignetting * 0.7 * q * q * (0.5 + 0.5 * q * q));
            s.dirt[y * w + x] = 1;
        }
    for (int i = 0; i <= 4096; i++)
        s.tone[i] = (uint8_t)(255 * tone_of(i / 2048.0) + 0.5);
done:
    *out = s;
    if (status != INTRA_OK) intra_sim_sensor_fini(out);
    return status;
}

void intra_sim_sensor_fini(struct intra_sim_sensor *s)
{
    intra_free(s->shade);
    intra_free(s->dirt);
    intra_free(s->luma);
    *s = (struct intra_sim_sensor){0};
}

static void place_dirt(struct intra_sim_sensor *s, double time_s)
{
    const struct intra_sim_list *list = &s->scene->image.dirt;
    double w = s->width, cx = 0.5 * s->width, cy = 0.5 * s->height;
    for (int i = 0; i < s->width * s->height && list->n > 0; i++)
        s->dirt[i] = 1;
    for (int k = 0; k < list->n; k++) {
        const struct sim_dirt *d = SIM_AT(*list, sim_dirt, k);
        double turn = d->roll_deg_s * time_s * M_PI / 180, dx = d->x * w - cx, dy = d->y * s->height - cy;
        double x0 = cx + dx * cos(turn) - dy * sin(turn), y0 = cy + dx * sin(turn) + dy * cos(turn), r = d->radius * w;
        int ya = (int)fmax(0, y0 - 1.6 * r), yb = (int)fmin(s->height - 1, y0 + 1.6 * r);
        int xa = (int)fmax(0, x0 - 1.6 * r), xb = (int)fmin(w - 1, x0 + 1.6 * r);
        for (int y = ya; y <= yb; y++)
            for (int x = xa; x <= xb; x++) { /* out of focus: soft, a little ragged */
                double a = atan2(y - y0, x - x0) - turn, rag = 1 + 0.15 * sin(3 * a + k) + 0.1 * sin(7 * a + 2 * k);
                double q = hypot(x - x0, y - y0) / (r * rag),
                       k1 = q < 1.5 ? 0.5 + 0.5 * cos(fmin(q / 1.5, 1) * M_PI) : 0;
                s->dirt[y * s->width + x] *= (float)(1 - d->darkness * k1);
            }
    }
}

/* The gain that brings the mean of the picture, after the tone curve, to the target. */
static double metered_gain(const struct intra_sim_sensor *s, const float *light)
{
    double low = -12, high = 14; /* powers of two */
    for (int i = 0; i < 14; i++) {
        double mid = 0.5 * (low + high), sum = 0, weights = 0;
        float gain = (float)exp2(mid) * 2048;
        for (int y = METER_STEP / 2; y < s->height; y += METER_STEP)
            for (int x = METER_STEP / 2; x < s->width; x += METER_STEP) {
                const float *p = light + 4 * (y * s->width + x);
                float v = (0.3f * p[0] + 0.59f * p[1] + 0.11f * p[2]) * gain * s->shade[y * s->width + x];
                sum += s->tone[v < 4096 ? (int)v : 4096];
                weights += 255;
            }
        if (sum < s->scene->light.target * weights)
            low = mid;
        else
            high = mid;
    }
    return exp2(0.5 * (low + high));
}

static void set_gain(struct intra_sim_sensor *s, const float *light)
{
    const struct sim_light *l = &s->scene->light;
    double want, k;
    if (s->gain > 0 && !l->auto_exposure) return;
    want = metered_gain(s, light) * (l->auto_exposure ? 1 : l->gain);
    k = s->gain > 0 && l->lag_s > 0 ? 1 - exp(-1 / (s->scene->video.fps * l->lag_s)) : 1;
    s->gain = s->gain > 0 ? s->gain * pow(want / s->gain, k) : want;
}

/* Unsharp mask on brightness, as camera electronics do it. */
static void sharpen(struct intra_sim_sensor *s, float *light)
{
    float amount = (float)s->scene->image.sharpen;
    int w = s->width;
#pragma omp parallel for schedule(static)
    for (int i = 0; i < w * s->height; i++)
        s->luma[i] = 0.3f * light[4 * i] + 0.59f * light[4 * i + 1] + 0.11f * light[4 * i + 2];
#pragma omp parallel for schedule(static)
    for (int y = 1; y < s->height - 1; y++)
        for (int x = 1; x < w - 1; x++) {
            const float *p = s->luma + y * w + x;
            float around = 0.25f * (p[-1] + p[1] + p[-w] + p[w]),
                  k = p[0] > 1e-9f ? 1 + amount * (p[0] - around) / p[0] : 1;
            for (int c = 0; c < 3; c++)
                light[4 * (y * w + x) + c] *= k > 0 ? k : 0;
        }
}

void intra_sim_sensor_expose(struct intra_sim_sensor *s, float *light, double time_s, int64_t frame_key,
                             struct intra_view_u8 *out)
{
    uint64_t seed = sim_hash3((uint64_t)s->scene->seed, SEED_NOISE, frame_key);
    float sd[256], gain;
    place_dirt(s, time_s);
    set_gain(s, light);
    if (s->scene->image.sharpen > 0) sharpen(s, light);
    for (int i = 0; i < 256; i++)
        sd[i] = (float)sqrt(s->scene->image.read_noise * s->scene->image.read_noise +
                            s->scene->image.shot_noise * s->scene->image.shot_noise * i / 128);
    gain = (float)s->gain * 2048;
#pragma omp parallel for schedule(static)
    for (int y = 0; y < s->height; y++) {
        uint8_t *row = intra_row_u8(out, y);
        for (int x = 0; x < s->width; x++) {
            int i = y * s->width + x;
            float k = gain * s->shade[i] * s->dirt[i];
            uint64_t h = sim_mix(seed + (uint64_t)i);
            float noise = sim_gauss8(h);
            for (int c = 0; c < 3; c++) { /* mostly brightness, some colour */
                float v = light[4 * i + c] * k, own = (float)(int)((h >> (16 * c + 8)) & 255) - 127.5f, q;
                int tone = s->tone[v < 4096 ? (int)v : 4096];
                q = (float)tone + sd[tone] * (0.9f * noise + 0.006f * own) + 0.5f;
                row[3 * x + c] = (uint8_t)(q < 0 ? 0 : q > 255 ? 255 : q);
            }
        }
    }
}
