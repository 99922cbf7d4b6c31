#include "recon/counter_join.h"

#include "core/select.h"

#include <math.h>

#define NEAR_S 5.0     /* readings farther from the gap than this say less: the cable has slack */
#define LEAST_SURE 0.5 /* confidence of a reading that counts; wrong ones do not fit the others */
#define SLACK_M 0.02
#define SLIP_REL 0.005
#define SIGN_WAY_M 0.1 /* of travel from which the counter's direction can be told */
#define LEAST_READ 0.15 /* confidence where three must agree and the counter only says that it has gone */
#define LAST_S 1.0      /* readings that say where the camera is now */
#define OFF_M 0.2       /* a cable that is pulled back hangs through */
#define OFF_STEPS 1.5
#define MOST_AGREE 0.6
enum { MAX_READINGS = 64, LEAST_READINGS = 2, LEAST_FAINT = 3 };

/* Readings of one run beside the arc length of the camera. */
struct pairs {
    double counter_m[MAX_READINGS], arc_m[MAX_READINGS];
    double step_m; /* of the last digit */
    int n;
};

static enum intra_status arc_at(struct intra_run *run, double time_s, double *out_m, struct intra_error *err)
{
    int low = 0, high = run->n_kfs - 1;
    while (high - low > 1) {
        int middle = (low + high) / 2;
        *(run->kfs[middle].pts_s <= time_s ? &low : &high) = middle;
    }
    const struct intra_keyframe *a = &run->kfs[low], *b = &run->kfs[high];
    double span = b->pts_s - a->pts_s, k = span > 0 ? (time_s - a->pts_s) / span : 0;
    return intra_run_arc(run, a->u + k * (b->u - a->u), out_m, err);
}

static enum intra_status gather(const struct intra_counter_reading *readings, int64_t n, struct intra_run *run,
                                bool is_before, double least, struct pairs *out, struct intra_error *err)
{
    double first_s = run->kfs[0].pts_s, last_s = run->kfs[run->n_kfs - 1].pts_s;
    if (is_before) first_s = fmax(first_s, last_s - NEAR_S);
    out->n = 0;
    for (int64_t i = n - 1; i >= 0 && out->n < MAX_READINGS && readings[i].time_s >= first_s; i--) {
        const struct intra_counter_reading *r = &readings[i];
        if (r->time_s > last_s || !isfinite(r->value) || r->confidence < least) continue;
        enum intra_status status = arc_at(run, r->time_s, &out->arc_m[out->n], err);
        if (status != INTRA_OK) return status;
        out->counter_m[out->n++] = intra_counter_metres(r->value, r->unit);
        out->step_m = intra_counter_metres(pow(10, -r->decimals), r->unit);
    }
    return INTRA_OK;
}

/* The counter over the arc: +1, -1, or 0 where the camera hardly moved. */
static int direction(const struct pairs *p)
{
    double low = INFINITY, high = -INFINITY, slopes[MAX_READINGS * (MAX_READINGS - 1) / 2];
    int n = 0;
    for (int i = 0; i < p->n; i++) {
        low = fmin(low, p->arc_m[i]);
        high = fmax(high, p->arc_m[i]);
        for (int k = 0; k < i; k++)
            slopes[n++] = (p->counter_m[i] - p->counter_m[k]) * (p->arc_m[i] - p->arc_m[k]);
    }
    if (!(high - low > SIGN_WAY_M)) return 0;
    return intra_select(slopes, n, n / 2) < 0 ? -1 : 1;
}

/* Median of counter less arc; false when most readings do not agree with it. */
static bool zero_of(const struct pairs *p, int sign, int least, double *out_m)
{
    double off[MAX_READINGS];
    int agree = 0;
    if (p->n < least) return false;
    for (int i = 0; i < p->n; i++)
        off[i] = sign * p->counter_m[i] - p->arc_m[i];
    double middle = 0.5 * (intra_select(off, p->n, (p->n - 1) / 2) + intra_select(off, p->n, p->n / 2));
    for (int i = 0; i < p->n; i++)
        agree += fabs(off[i] - middle) < fmax(p->step_m, 2 * SLACK_M);
    *out_m = middle;
    return agree >= least && agree > MOST_AGREE * p->n;
}

enum intra_status intra_counter_join(const struct intra_counter_reading *readings, int64_t n, struct intra_run *before,
                                     struct intra_run *after, bool *out_is_known, double *out_arc_m, double *out_sd_m,
                                     struct intra_error *err)
{
    struct pairs a, b;
    double zero_a, zero_b;
    *out_is_known = false;
    enum intra_status status = gather(readings, n, before, true, LEAST_SURE, &a, err);
    if (status == INTRA_OK) status = gather(readings, n, after, false, LEAST_SURE, &b, err);
    if (status != INTRA_OK) return status;
    int sign = direction(&a);
    if (sign == 0) sign = direction(&b);
    if (sign == 0) sign = 1;
    if (!zero_of(&a, sign, LEAST_READINGS, &zero_a) || !zero_of(&b, sign, LEAST_READINGS, &zero_b)) return INTRA_OK;
    double rounding = a.step_m * a.step_m / 12 * (1.0 / a.n + 1.0 / b.n), last;
    status = arc_at(before, before->kfs[before->n_kfs - 1].pts_s, &last, err);
    if (status != INTRA_OK) return status;
    *out_arc_m = zero_b - zero_a;
    *out_sd_m = sqrt(rounding + SLACK_M * SLACK_M + pow(SLIP_REL * (*out_arc_m - last), 2));
    *out_is_known = true;
    return INTRA_OK;
}

/* What the counter says since since_s, and how far most of it lies from that. */
static bool last_of(const struct intra_counter_reading *readings, int64_t n, double since_s, double *out_m,
                    double *out_spread_m)
{
    double last[MAX_READINGS];
    int n_last = 0, agree = 0;
    for (int64_t i = n - 1; i >= 0 && n_last < MAX_READINGS && readings[i].time_s > since_s; i--)
        if (isfinite(readings[i].value) && readings[i].confidence >= LEAST_READ)
            last[n_last++] = intra_counter_metres(readings[i].value, readings[i].unit);
    if (n_last < LEAST_FAINT) return false;
    *out_m = intra_select(last, n_last, n_last / 2);
    *out_spread_m = 0;
    for (int i = 0; i < n_last; i++) {
        double off = fabs(last[i] - *out_m);
        if (off > OFF_M) continue;
        agree++;
        *out_spread_m = fmax(*out_spread_m, off);
    }
    return agree >= LEAST_FAINT && agree > MOST_AGREE * n_last;
}

enum intra_status intra_counter_place(const struct intra_counter_reading *readings, int64_t n, struct intra_run *run,
                                      double now_s, bool *out_is_known, double *out_arc_m, double *out_within_m,
                                      struct intra_error *err)
{
    struct pairs before;
    double zero, last, spread;
    *out_is_known = false;
    if (!last_of(readings, n, fmax(run->kfs[run->n_kfs - 1].pts_s, now_s - LAST_S), &last, &spread)) return INTRA_OK;
    enum intra_status status = gather(readings, n, run, true, LEAST_READ, &before, err);
    if (status != INTRA_OK) return status;
    int sign = direction(&before);
    if (sign == 0) sign = 1;
    if (!zero_of(&before, sign, LEAST_FAINT, &zero)) return INTRA_OK;
    *out_arc_m = sign * last - zero;
    *out_within_m = OFF_M + OFF_STEPS * before.step_m + 2 * spread;
    *out_is_known = true;
    return INTRA_OK;
}
