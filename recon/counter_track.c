/* The chain of readings with the largest sum of confidences in which each follows from the last at a speed that cameras
 * have; a jump (a cut, a counter that was reset) is let through at the price of several readings, so that single
 * misreadings drop out and a new stretch stays. Dynamic programming over the last LOOK_BACK readings. Then each one
 * must lie between its neighbours. Where each number is read several times, none is passed over: a last digit that is
 * never read, though the numbers on both sides of it follow one upon the other, was read as one of them. */
#include "recon/counter_track.h"

#include "core/mem.h"
#include "core/select.h"

#include <math.h>

enum { LOOK_BACK = 40, STAYS_LEAST = 3 };
#define LOOKS_LEAST 1.6 /* that a number stays for: fewer, and one may be passed over */
#define TOO_LONG 1.5    /* of the usual stay */
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

/* Sure readings of one number that follow upon each other. */
struct stay {
    int64_t from, to; /* readings [from, to]: the first and the last of them that are sure */
    double number;    /* in last digits */
    double ends_s;    /* where the next one begins, or the last reading of all */
};

static double in_last_digits(const struct intra_counter_reading *r)
{
    return round(r->value * pow(10, r->decimals));
}

static int last_digit(double number)
{
    return (int)fmod(fabs(number), 10);
}

static double median_of(double *values, int64_t n)
{
    return n ? intra_select(values, n, n / 2) : NAN;
}

/* The stays of sure readings with the usual decimals; how many. */
static int64_t find_stays(const struct intra_counter_reading *r, int64_t n, int decimals, struct stay *stays)
{
    int64_t m = 0;
    for (int64_t i = 0; i < n; i++) {
        if (isnan(r[i].value_m) || r[i].decimals != decimals) continue;
        double number = in_last_digits(&r[i]);
        if (m == 0 || stays[m - 1].number != number) {
            if (m) stays[m - 1].ends_s = r[i].time_s;
            stays[m++] = (struct stay){.from = i, .number = number};
        }
        stays[m - 1].to = i;
        stays[m - 1].ends_s = r[i].time_s;
    }
    return m;
}

/* Take back what was read in place of a last digit that is passed over and never read: the digit beside it that stays
 * too long where it is passed, or both. stays, list: room for n. */
static void take_back_passed(struct intra_counter_reading *r, int64_t n, int decimals, struct stay *stays, double *list)
{
    int64_t m = find_stays(r, n, decimals, stays), k = 0;
    bool is_read[10] = {false}, is_wrong[10] = {false};
    double look_s, usual_s;
    for (int64_t i = 1; i < n; i++)
        list[k++] = r[i].time_s - r[i - 1].time_s;
    look_s = median_of(list, k);
    k = 0;
    for (int64_t i = 1; i + 1 < m; i++) /* the first one and the last one may be cut short */
        if (fabs(stays[i].number - stays[i - 1].number) == 1) list[k++] = stays[i].ends_s - r[stays[i].from].time_s;
    usual_s = median_of(list, k);
    if (k < STAYS_LEAST || !(usual_s > LOOKS_LEAST * look_s)) return;
    for (int64_t i = 0; i < m; i++)
        is_read[last_digit(stays[i].number)] = true;
    for (int64_t i = 1; i < m; i++) {
        const struct stay *a = &stays[i - 1], *b = &stays[i];
        if (fabs(b->number - a->number) != 2 || is_read[last_digit((a->number + b->number) / 2)]) continue;
        if (r[b->from].time_s - r[a->to].time_s > 1.5 * look_s) continue; /* it was there, and could not be read */
        bool is_a = a->ends_s - r[a->from].time_s > TOO_LONG * usual_s,
             is_b = b->ends_s - r[b->from].time_s > TOO_LONG * usual_s;
        if (is_a || !is_b) is_wrong[last_digit(a->number)] = true;
        if (is_b || !is_a) is_wrong[last_digit(b->number)] = true;
    }
    for (int64_t i = 0; i < n; i++)
        if (!isnan(r[i].value_m) && r[i].decimals == decimals && is_wrong[last_digit(in_last_digits(&r[i]))])
            r[i].value_m = NAN;
}

enum intra_status intra_counter_track(struct intra_counter_reading *r, int64_t n, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct link *links = NULL;
    struct stay *stays = NULL;
    double *list = NULL;
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
    INTRA_TRY(INTRA_ALLOC(stays, (size_t)n, err));
    INTRA_TRY(INTRA_ALLOC(list, (size_t)n, err));
    take_back_passed(r, n, decimals, stays, list);
done:
    intra_free(links);
    intra_free(is_kept);
    intra_free(is_odd);
    intra_free(stays);
    intra_free(list);
    return status;
}
