/* A shape s stands for some digit d. Each line that shows s, has its other digits known and a sure reading before (t_a,
 * v_a) and after (t_b, v_b) it rules out every d with which its number would be out of reach, |v(d) - v_a| > c (t -
 * t_a) + 1 or the same towards b: the 1 is what a counter drops. c is generous, as a digit wrongly ruled out could
 * leave a wrong one. */
#include "recon/counter_order.h"

#include <math.h>

enum { SPEED_BINS = 512 };
static const double near_s = 1.2; /* sure readings farther off say nothing */
static const double pair_s[2] = {
    0.7, 1.3}; /* so far apart are those that the speed is taken from: nearer ones show whole digits only */
static const double slack = 1, faster = 1.5;
static const double bins_per_octave = 16, slowest = 1e-2; /* of the speeds' histogram */

double intra_order_speed(const struct intra_order_line *lines, int64_t n)
{
    int64_t counts[SPEED_BINS] = {0}, all = 0, moving = 0, sum = 0, from = 0;
    int bin = 0;
    for (int64_t i = 0; i < n; i++) {
        double dt, speed;
        if (!lines[i].is_sure) continue;
        while (from < i && (!lines[from].is_sure || lines[i].time_s - lines[from].time_s > pair_s[1]))
            from++;
        dt = lines[i].time_s - lines[from].time_s;
        if (dt < pair_s[0]) continue;
        all++;
        speed = fabs(lines[i].value - lines[from].value) / dt;
        if (speed < slowest) continue;
        bin = (int)(bins_per_octave * log2(speed / slowest));
        counts[bin < SPEED_BINS ? bin : SPEED_BINS - 1]++;
        moving++;
    }
    if (all == 0) return NAN;
    if (moving == 0) return 0;
    for (bin = 0; bin < SPEED_BINS - 1 && (sum += counts[bin]) * 10 < 9 * moving; bin++)
        continue;
    return faster * slowest * exp2((bin + 1) / bins_per_octave);
}

/* The sure line before or after i (step -1 or 1) that is near in time; -1: none. */
static int64_t neighbour(const struct intra_order_line *lines, int64_t n, int64_t i, int step)
{
    for (int64_t k = i + step; k >= 0 && k < n && fabs(lines[k].time_s - lines[i].time_s) <= near_s; k += step)
        if (lines[k].is_sure) return k;
    return -1;
}

static bool is_in_reach(double a, double b, double dt, double speed)
{
    return fabs(a - b) <= speed * fabs(dt) + slack;
}

/* The line's number with d for the shape; false where another digit is not known, or the shape is not in it. */
static bool number_with(const struct intra_order_line *line, int shape, int d, const int *names, double *out)
{
    bool has_it = false;
    *out = 0;
    for (int i = 0; i < line->n; i++) {
        int s = line->digits[i], digit = s < 0 ? -1 : s == shape ? d : names[s];
        if (digit < 0 || digit > 9) return false;
        has_it = has_it || s == shape;
        *out = 10 * *out + digit;
    }
    return has_it;
}

struct intra_order_name intra_order_name_of(const struct intra_order_line *lines, int64_t n, int shape,
                                            const int *names, const bool may_be[10])
{
    struct intra_order_name out = {.name = -1};
    double speed = intra_order_speed(lines, n), value;
    bool is_left[10];
    int left = 0;
    if (isnan(speed)) return out;
    for (int d = 0; d < 10; d++)
        is_left[d] = may_be[d];
    for (int64_t i = 0; i < n; i++) {
        int64_t a, b;
        if (!number_with(&lines[i], shape, 0, names, &value)) continue;
        if (lines[i].is_sure) { /* read as a whole, and its shapes are not all known */
            out.within++;
            for (int d = 0; d < 10; d++)
                is_left[d] =
                    is_left[d] && number_with(&lines[i], shape, d, names, &value) && fabs(value - lines[i].value) < 0.5;
            continue;
        }
        a = neighbour(lines, n, i, -1);
        b = neighbour(lines, n, i, 1);
        if (a < 0 && b < 0) continue;
        if (a >= 0 && b >= 0 && !is_in_reach(lines[a].value, lines[b].value, lines[b].time_s - lines[a].time_s, speed))
            continue;
        out.within += a >= 0 && b >= 0;
        out.beside += a < 0 || b < 0;
        for (int d = 0; d < 10; d++) {
            number_with(&lines[i], shape, d, names, &value);
            if (a >= 0 && !is_in_reach(value, lines[a].value, lines[i].time_s - lines[a].time_s, speed))
                is_left[d] = false;
            if (b >= 0 && !is_in_reach(value, lines[b].value, lines[i].time_s - lines[b].time_s, speed))
                is_left[d] = false;
        }
    }
    if (out.within + out.beside == 0) return out;
    for (int d = 0; d < 10; d++)
        if (is_left[d]) {
            left++;
            out.name = d;
        }
    if (left != 1) out.name = -1;
    return out;
}
