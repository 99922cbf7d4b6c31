/* The chain of readings with the largest sum of confidences in which each follows from the last at a speed that cameras
 * have; a jump (a cut, a counter that was reset) is let through at the price of several readings, so that single
 * misreadings drop out and a new stretch stays. Dynamic programming over the last LOOK_BACK readings. Then each one must
 * lie between its neighbours. */
#include "recon/counter_track.h"

#include "core/mem.h"

#include <math.h>

enum { LOOK_BACK = 40 };
static const double sure = 0.5, doubtful = 0.2;
static const double fastest_m_s = 0.7, unsteady_m_s = 0.05, jump_price = 2.2;
static const double near_s = 1.2; /* neighbours farther off say nothing about what is between */

static double metres(const struct intra_counter_reading *r)
{
    return intra_counter_metres(r->value, r->unit);
}

static double resolution_m(const struct intra_counter_reading *r)
{
    return intra_counter_metres(pow(10, -r->decimals), r->unit);
}

/* The unit that most readings show; the weights are their confidences. */
static void settle_unit(struct intra_counter_reading *r, int64_t n)
{
    double sums[3] = {0};
    enum intra_counter_unit unit = INTRA_COUNTER_NO_UNIT;
    for (int64_t i = 0; i < n; i++)
        if (!isnan(r[i].value)) sums[r[i].unit] += r[i].confidence;
    if (sums[INTRA_COUNTER_METRE] + sums[INTRA_COUNTER_FOOT] > 0)
        unit = sums[INTRA_COUNTER_FOOT] > sums[INTRA_COUNTER_METRE] ? INTRA_COUNTER_FOOT : INTRA_COUNTER_METRE;
    for (int64_t i = 0; i < n; i++)
        r[i].unit = unit;
}

static bool is_reachable(const struct intra_counter_reading *a, const struct intra_counter_reading *b)
{
    double slack = 2 * fmax(resolution_m(a), resolution_m(b));
    return fabs(metres(b) - metres(a)) <= fastest_m_s * (b->time_s - a->time_s) + slack;
}

struct link {
    double sum;
    int64_t before; /* -1: starts here */
};

/* Marks the readings of the best chain in is_kept. */
static void best_chain(const struct intra_counter_reading *r, int64_t n, struct link *links, bool *is_kept)
{
    int64_t best = -1;
    for (int64_t i = 0; i < n; i++) {
        int looked = 0;
        links[i] = (struct link){r[i].confidence, -1};
        is_kept[i] = false;
        if (isnan(r[i].value) || r[i].confidence < sure) continue;
        for (int64_t k = i - 1; k >= 0 && looked < LOOK_BACK; k--) {
            double sum;
            if (isnan(r[k].value) || r[k].confidence < sure) continue;
            looked++;
            sum = links[k].sum + r[i].confidence - (is_reachable(&r[k], &r[i]) ? 0 : jump_price);
            if (sum > links[i].sum) links[i] = (struct link){sum, k};
        }
        if (best < 0 || links[i].sum > links[best].sum) best = i;
    }
    for (int64_t i = best; i >= 0; i = links[i].before)
        is_kept[i] = true;
}

/* The kept reading before or after i (step -1 or 1), where it is near in time; -1 otherwise. */
static int64_t neighbour(const struct intra_counter_reading *r, int64_t n, const bool *is_kept, int64_t i, int step)
{
    for (int64_t k = i + step; k >= 0 && k < n && fabs(r[k].time_s - r[i].time_s) <= near_s; k += step)
        if (is_kept[k]) return k;
    return -1;
}

/* Decimals of most readings. */
static int usual_decimals(const struct intra_counter_reading *r, int64_t n)
{
    double sums[4] = {0};
    int best = 0;
    for (int64_t i = 0; i < n; i++)
        if (!isnan(r[i].value) && r[i].decimals < 4) sums[r[i].decimals] += r[i].confidence;
    for (int k = 1; k < 4; k++)
        if (sums[k] > sums[best]) best = k;
    return best;
}

enum fit { FIT_UNKNOWN, FIT_GOOD, FIT_BAD };

/* Whether reading i lies where its neighbours in time say, going evenly from one to the other. A number with more
 * decimals than usual is misread; one with fewer, as when a counter drops zeros at the end or a digit was missed, must
 * lie there exactly; with is_strict any must. */
static enum fit fit_of(const struct intra_counter_reading *r, int64_t n, const bool *is_kept, int64_t i, int decimals,
                       bool is_strict)
{
    int64_t a = neighbour(r, n, is_kept, i, -1), b = neighbour(r, n, is_kept, i, 1);
    bool is_usual = r[i].decimals == decimals;
    double step = intra_counter_metres(pow(10, -decimals), r[i].unit), va, vb, t, slack;
    if (a < 0 || b < 0 || !is_reachable(&r[a], &r[b]) || r[i].decimals > decimals)
        return is_usual ? FIT_UNKNOWN : FIT_BAD;
    va = metres(&r[a]);
    vb = metres(&r[b]);
    t = (r[i].time_s - r[a].time_s) / (r[b].time_s - r[a].time_s);
    if (is_strict && r[b].time_s - r[a].time_s > near_s) return FIT_UNKNOWN;
    if (is_strict) is_usual = false;
    slack = is_usual ? 1.6 * step + 0.5 * fabs(vb - va) + unsteady_m_s * (r[b].time_s - r[a].time_s)
                     : 1.1 * step + 0.1 * fabs(vb - va);
    return fabs(metres(&r[i]) - (va + t * (vb - va))) <= slack ? FIT_GOOD : FIT_BAD;
}

enum intra_status intra_counter_track(struct intra_counter_reading *r, int64_t n, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct link *links = NULL;
    bool *is_kept = NULL, *is_odd = NULL;
    int decimals;
    if (n == 0) return INTRA_OK;
    INTRA_TRY(INTRA_ALLOC(links, (size_t)n, err));
    INTRA_TRY(INTRA_ALLOC(is_kept, (size_t)n, err));
    INTRA_TRY(INTRA_ALLOC(is_odd, (size_t)n, err));
    settle_unit(r, n);
    best_chain(r, n, links, is_kept);
    decimals = usual_decimals(r, n);
    for (int64_t i = 0; i < n; i++)
        is_odd[i] = is_kept[i] && fit_of(r, n, is_kept, i, decimals, false) == FIT_BAD;
    for (int64_t i = 0; i < n; i++)
        is_kept[i] = is_kept[i] && !is_odd[i];
    for (int64_t i = 0; i < n; i++) { /* not sure alone, but just what its neighbours say */
        if (is_kept[i] || isnan(r[i].value) || r[i].confidence < doubtful) continue;
        if (fit_of(r, n, is_kept, i, decimals, true) != FIT_GOOD) continue;
        r[i].confidence = fmax(r[i].confidence, sure);
        r[i].value_m = metres(&r[i]);
    }
    for (int64_t i = 0; i < n; i++)
        if (is_kept[i]) r[i].value_m = metres(&r[i]);
done:
    intra_free(links);
    intra_free(is_kept);
    intra_free(is_odd);
    return status;
}
