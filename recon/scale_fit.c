/* counter = k station + b, each reading known to lie within half a step of its number (what the counter drops goes into
 * b), with Gaussian noise (slack, slip) of unknown size and a share of readings that are simply wrong: p(c | k, b,
 * sigma) = (1 - e) [ Phi((k s + b - c + q/2) / sigma) - Phi((k s + b - c - q/2) / sigma) ] + e q / (q + 1 m) So the
 * places where a digit changes fix the line, and readings between two changes neither help nor harm: least squares over
 * rounded numbers would take them for independent errors. k and b from a median of slopes, then mean and deviation of k
 * from the likelihood on a grid; sigma is the one of a few that explains the readings best. */
#include "recon/scale_fit.h"

#include "core/mem.h"
#include "core/select.h"

#include <math.h>

enum { MAX_READINGS = 240, LEAST_READINGS = 8, GRID = 25, LEVELS = 3 };
#define APART_M 0.004 /* readings from one place say the same */
#define WRONG_SHARE 0.05
#define LEAST_AGREE 0.6
#define LEAST_STEPS 3.0 /* digits that must have changed */
#define LEAST_WAY_M 0.3
#define MOST_SD_REL 0.03
#define PICKED 1.3      /* sigma is picked, not known: the likelihood's deviation is a little small */
#define ODD_SHARE 0.05  /* of the readings that may be no multiple of the counter's step */
#define BACK_M 0.005    /* stations of a camera that stands differ by less */
/* A jump of the counter: what it goes on by, beyond digits that change at once and a picture whose scale is half of the
 * true one. */
enum { JUMP_READINGS = 9 };
#define JUMP_M 0.3
#define JUMP_STEPS 1.5
#define JUMP_SCALE 2.0
#define SLIP_REL 0.0005 /* of a wheel or cable counter: no fit is better than that */

struct data {
    double s[MAX_READINGS], c[MAX_READINGS], step_m, middle_m;
    int n;
};

double intra_scale_step(const struct intra_scale_pair *pairs, int64_t n)
{
    static const double steps[] = {1,       0.5,  0.3048,  0.2,  0.1524, 0.1,      0.06096, 0.05,
                                   0.03048, 0.02, 0.01524, 0.01, 0.005,  0.003048, 0.002,   0.001};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        int64_t off = 0, moved = 0;
        for (int64_t k = 1; k < n; k++) {
            double d = (pairs[k].counter_m - pairs[0].counter_m) / steps[i];
            moved += fabs(d) > 0.5;
            off += fabs(d - round(d)) > 0.02;
        }
        if (moved && off <= ODD_SHARE * (double)n) return steps[i];
    }
    return 0.001;
}

static double log_likelihood(const struct data *d, double k, double b, double sigma)
{
    double sum = 0, scale = M_SQRT1_2 / sigma, wrong = WRONG_SHARE * d->step_m / (d->step_m + 1);
    for (int i = 0; i < d->n; i++) {
        double e = k * d->s[i] + b - d->c[i], half = 0.5 * d->step_m;
        double p = 0.5 * (erf((e + half) * scale) - erf((e - half) * scale));
        sum += log((1 - WRONG_SHARE) * p + wrong);
    }
    return sum;
}

/* Mean and deviation of k and b on a grid around where they are; the best log likelihood met. */
static double on_grid(const struct data *d, double sigma, double k[2], double b[2])
{
    double values[GRID][GRID], best = -INFINITY, sum = 0, ks = 0, kk = 0, bs = 0, bb = 0;
    for (int i = 0; i < GRID; i++)
        for (int j = 0; j < GRID; j++) {
            double x = 2.0 * i / (GRID - 1) - 1, y = 2.0 * j / (GRID - 1) - 1;
            values[i][j] = log_likelihood(d, k[0] + x * k[1], b[0] + y * b[1], sigma);
            best = fmax(best, values[i][j]);
        }
    for (int i = 0; i < GRID; i++)
        for (int j = 0; j < GRID; j++) {
            double w = exp(values[i][j] - best), x = 2.0 * i / (GRID - 1) - 1, y = 2.0 * j / (GRID - 1) - 1;
            sum += w;
            ks += w * x, kk += w * x * x, bs += w * y, bb += w * y * y;
        }
    double cell = 1.0 / (GRID - 1), kd = kk / sum - ks / sum * (ks / sum), bd = bb / sum - bs / sum * (bs / sum);
    k[0] += k[1] * ks / sum;
    b[0] += b[1] * bs / sum;
    k[1] *= sqrt(fmax(kd, cell * cell));
    b[1] *= sqrt(fmax(bd, cell * cell));
    return best;
}

/* Readings from places far enough apart, evenly thinned; from the middle of their stations. The first digit counts for
 * nothing where there are enough others: a counter that starts late or has slack shows it for longer than a digit
 * lasts. */
static void take(const struct intra_scale_pair *pairs, int64_t n, struct data *d)
{
    int64_t kept = 0, at = 0, first = 0;
    double last = NAN;
    while (first < n && fabs(pairs[first].counter_m - pairs[0].counter_m) < 0.1 * d->step_m)
        first++;
    if (n - first >= 2 * LEAST_READINGS) pairs += first, n -= first;
    for (int64_t i = 0; i < n; i++)
        if (!(fabs(pairs[i].station_m - last) < APART_M)) kept++, last = pairs[i].station_m;
    double keep_each = kept > MAX_READINGS ? (double)kept / MAX_READINGS : 1, next = 0, sum = 0;
    last = NAN;
    for (int64_t i = 0; i < n && d->n < MAX_READINGS; i++) {
        if (fabs(pairs[i].station_m - last) < APART_M) continue;
        last = pairs[i].station_m;
        if ((double)at++ < next) continue;
        next += keep_each;
        d->s[d->n] = pairs[i].station_m;
        d->c[d->n++] = pairs[i].counter_m;
        sum += pairs[i].station_m;
    }
    d->middle_m = d->n ? sum / d->n : 0;
    for (int i = 0; i < d->n; i++)
        d->s[i] -= d->middle_m;
}

static double span(const struct data *d, double k, double b, double within, int *out_n)
{
    double low = INFINITY, high = -INFINITY;
    *out_n = 0;
    for (int i = 0; i < d->n; i++) {
        if (fabs(k * d->s[i] + b - d->c[i]) > within) continue;
        low = fmin(low, d->s[i]), high = fmax(high, d->s[i]);
        ++*out_n;
    }
    return *out_n ? high - low : 0;
}

enum intra_status intra_scale_fit(const struct intra_scale_pair *pairs, int64_t n, double step_m,
                                  struct intra_scale_fit *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    static const double sigmas[] = {0.001, 0.002, 0.004, 0.008, 0.016, 0.032};
    struct data *d = NULL;
    double *slopes = NULL, best = -INFINITY;
    int m = 0, agree;
    *out = (struct intra_scale_fit){.scale = NAN, .sd_rel = NAN, .noise_m = NAN};
    INTRA_TRY(INTRA_ALLOC(d, 1, err));
    INTRA_TRY(INTRA_ALLOC(slopes, MAX_READINGS * (MAX_READINGS - 1) / 2, err));
    d->step_m = step_m;
    take(pairs, n, d);
    out->n = d->n;
    double way = span(d, 0, 0, INFINITY, &agree);
    if (d->n < LEAST_READINGS || !(step_m > 0) || !(way > LEAST_WAY_M)) goto done;
    for (int i = 0; i < d->n; i++)
        for (int k = 0; k < i; k++)
            if (fabs(d->s[i] - d->s[k]) > 0.3 * way) slopes[m++] = (d->c[i] - d->c[k]) / (d->s[i] - d->s[k]);
    if (m == 0) goto done;
    double slope = intra_select(slopes, m, m / 2);
    for (int i = 0; i < d->n; i++)
        slopes[i] = d->c[i] - slope * d->s[i];
    double offset = intra_select(slopes, d->n, d->n / 2), k_best = slope, b_best = offset, sd_best = NAN;
    for (size_t i = 0; i < sizeof sigmas / sizeof *sigmas; i++) {
        double k[2] = {slope, 4 * (step_m + sigmas[i]) / way}, b[2] = {offset, 2 * (step_m + sigmas[i])}, top = 0;
        for (int level = 0; level < LEVELS; level++) {
            if (level) k[1] *= 4, b[1] *= 4;
            top = on_grid(d, sigmas[i], k, b);
        }
        if (!(top > best)) continue;
        best = top;
        k_best = k[0], b_best = b[0], sd_best = k[1];
        out->noise_m = sigmas[i];
    }
    out->way_m = span(d, k_best, b_best, 0.5 * step_m + 3 * out->noise_m, &out->n_agree);
    out->scale = fabs(k_best);
    out->is_falling = k_best < 0;
    /* Slack is not drawn anew for each reading: a deviation of it at either end stays. */
    out->sd_rel = hypot(hypot(PICKED * sd_best, 0.5 * out->noise_m / way) / out->scale, SLIP_REL);
    out->is_rough = out->n_agree >= LEAST_READINGS && out->n_agree > LEAST_AGREE * d->n && out->way_m > LEAST_WAY_M &&
                    out->scale * out->way_m > LEAST_STEPS * step_m;
    out->is_known = out->is_rough && out->sd_rel < MOST_SD_REL;
done:
    intra_free(slopes);
    intra_free(d);
    return status;
}

static bool is_read(const struct intra_frame_record *f)
{
    return f->segment >= 0 && f->is_posed && isfinite(f->counter_m);
}

void intra_counter_outward(const struct intra_frame_record *frames, int64_t n, bool *out)
{
    for (int64_t i = 0, end; i < n; i = end) { /* segments follow each other */
        double high = -INFINITY, low = INFINITY;
        int64_t up = 0, down = 0;
        for (end = i; end < n && (frames[end].segment == frames[i].segment || frames[end].segment < 0); end++) {
            if (!is_read(&frames[end])) continue;
            up += frames[end].station_m > high - BACK_M;
            down += frames[end].station_m < low + BACK_M;
            high = fmax(high, frames[end].station_m);
            low = fmin(low, frames[end].station_m);
        }
        double sign = up >= down ? 1 : -1, most = -INFINITY;
        for (int64_t k = i; k < end; k++) {
            out[k] = is_read(&frames[k]) && sign * frames[k].station_m > most - BACK_M;
            if (is_read(&frames[k])) most = fmax(most, sign * frames[k].station_m);
        }
    }
}

enum intra_status intra_scale_of_frames(const struct intra_frame_record *frames, int64_t n, struct intra_scale_fit *out,
                                        struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_scale_pair *pairs = NULL;
    bool *is_outward = NULL;
    int64_t m = 0, most = 0;
    int best = -1;
    *out = (struct intra_scale_fit){.scale = NAN, .sd_rel = NAN};
    INTRA_TRY(INTRA_ALLOC(is_outward, (size_t)n + 1, err));
    intra_counter_outward(frames, n, is_outward);
    for (int64_t i = 0, k; i < n; i = k) { /* segments follow each other */
        int64_t count = 0;
        for (k = i; k < n && (frames[k].segment == frames[i].segment || frames[k].segment < 0); k++)
            count += is_outward[k];
        if (count > most && frames[i].segment >= 0) {
            most = count;
            best = frames[i].segment;
        }
    }
    if (best < 0) goto done;
    INTRA_TRY(INTRA_ALLOC(pairs, (size_t)most, err));
    for (int64_t i = 0; i < n && m < most; i++)
        if (frames[i].segment == best && is_outward[i])
            pairs[m++] = (struct intra_scale_pair){frames[i].station_m, frames[i].counter_m};
    INTRA_TRY(intra_scale_fit(pairs, m, intra_scale_step(pairs, m), out, err));
done:
    intra_free(pairs);
    intra_free(is_outward);
    return status;
}

static struct intra_scale_pair median_of(const struct intra_scale_pair *pairs)
{
    double s[JUMP_READINGS], c[JUMP_READINGS];
    for (int i = 0; i < JUMP_READINGS; i++)
        s[i] = pairs[i].station_m, c[i] = pairs[i].counter_m;
    return (struct intra_scale_pair){intra_select(s, JUMP_READINGS, JUMP_READINGS / 2),
                                     intra_select(c, JUMP_READINGS, JUMP_READINGS / 2)};
}

/* The reading with the largest step to it, of those around `at`. */
static int64_t steepest(const struct intra_scale_pair *pairs, int64_t at)
{
    int64_t best = at;
    for (int64_t i = at - JUMP_READINGS + 1; i < at + JUMP_READINGS; i++)
        if (fabs(pairs[i].counter_m - pairs[i - 1].counter_m) > fabs(pairs[best].counter_m - pairs[best - 1].counter_m))
            best = i;
    return best;
}

enum intra_status intra_counter_jump_find(const struct intra_frame_record *frames, int64_t n,
                                          struct intra_counter_jump *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_scale_pair *pairs = NULL;
    int64_t *index = NULL, m = 0;
    double most = 0;
    *out = (struct intra_counter_jump){.frame = -1};
    INTRA_TRY(INTRA_ALLOC(pairs, (size_t)n + 1, err));
    INTRA_TRY(INTRA_ALLOC(index, (size_t)n + 1, err));
    for (int64_t i = 0; i < n; i++) {
        if (!is_read(&frames[i])) continue;
        pairs[m] = (struct intra_scale_pair){frames[i].station_m, frames[i].counter_m};
        index[m++] = i;
    }
    double step_m = intra_scale_step(pairs, m);
    for (int64_t i = JUMP_READINGS; i + JUMP_READINGS <= m; i++) {
        const struct intra_frame_record *first = &frames[index[i - JUMP_READINGS]],
                                        *last = &frames[index[i + JUMP_READINGS - 1]];
        if (first->segment != last->segment) continue;
        struct intra_scale_pair a = median_of(pairs + i - JUMP_READINGS), b = median_of(pairs + i);
        double way = b.station_m - a.station_m,
               jump = fabs(b.counter_m - a.counter_m) - JUMP_SCALE * fabs(way) - JUMP_M - JUMP_STEPS * step_m;
        if (jump > most) {
            most = jump;
            *out = (struct intra_counter_jump){true, index[steepest(pairs, i)], a.counter_m, b.counter_m, way};
        }
    }
done:
    intra_free(pairs);
    intra_free(index);
    return status;
}
