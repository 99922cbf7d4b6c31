/* Uniform cubic B-spline axis (de Boor 1978) and ray-tube intersection.
 *
 * Nearest point: Newton on f(u) = (x - c(u)) . c'(u) = 0. Ray hit: secant-free Newton on the distance to the axis, with
 * d(dist)/dt = dir . n, n the outward normal at the nearest axis point; exact for a straight axis up to the
 * quadratic, a few steps for bends. The first guess comes from the straight tube along the local tangent. */
#include "recon/tube.h"

#include "core/mem.h"

#include <assert.h>
#include <string.h>

static struct intra_vec3 any_normal(struct intra_vec3 dir)
{
    struct intra_vec3 up = fabs(dir.z) < 0.9 ? intra_vec3(0, 0, 1) : intra_vec3(-1, 0, 0);
    return intra_unit(intra_mad(up, -intra_dot(up, dir), dir));
}

static void knot_set(struct intra_axis_knot *knot, struct intra_vec3 p, struct intra_vec3 dir)
{
    knot->p = p;
    knot->n[0] = any_normal(dir);
    knot->n[1] = intra_cross(dir, knot->n[0]);
    knot->oval[0] = knot->oval[1] = 0;
    knot->is_frozen = knot->is_oval_frozen = false;
}

enum intra_status intra_axis_init(struct intra_axis *axis, double h, struct intra_vec3 origin, struct intra_vec3 dir,
                                  struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    *axis = (struct intra_axis){0};
    axis->h = h;
    axis->first = -2;
    axis->capacity = 64;
    INTRA_TRY(INTRA_ALLOC(axis->knots, axis->capacity, err));
    axis->count = 6;
    for (int i = 0; i < axis->count; i++)
        knot_set(&axis->knots[i], intra_mad(origin, h * (i + axis->first), dir), dir);
done:
    return status;
}

void intra_axis_fini(struct intra_axis *axis)
{
    intra_free(axis->knots);
    *axis = (struct intra_axis){0};
}

enum intra_status intra_axis_cover(struct intra_axis *axis, double u_from, double u_to, struct intra_error *err)
{
    int low = (int)floor(u_from) - 1, high = (int)floor(u_to) + 2;
    int add_low = low < axis->first ? axis->first - low : 0;
    int last = axis->first + axis->count - 1, add_high = high > last ? high - last : 0;
    if (add_low + add_high == 0) return INTRA_OK;
    if (add_low + add_high > 1000000) return INTRA_FAIL(err, INTRA_E_DEGENERATE, "the pipe axis ran away");
    if (axis->count + add_low + add_high > axis->capacity) {
        int capacity = 2 * (axis->count + add_low + add_high);
        struct intra_axis_knot *knots = intra_resize(axis->knots, (size_t)axis->count, (size_t)capacity, sizeof *knots);
        if (!knots) return INTRA_FAIL(err, INTRA_E_MEM, "out of memory for the pipe axis (%d knots)", capacity);
        axis->knots = knots;
        axis->capacity = capacity;
    }
    if (add_low) {
        for (int i = axis->count - 1; i >= 0; i--) axis->knots[i + add_low] = axis->knots[i];
        axis->count += add_low;
        axis->first -= add_low;
        for (int i = add_low - 1; i >= 0; i--) {
            struct intra_vec3 a = axis->knots[i + 1].p, b = axis->knots[i + 3].p;
            struct intra_vec3 dir = intra_unit(intra_sub(b, a));
            knot_set(&axis->knots[i], intra_mad(a, -axis->h, dir), dir);
            memcpy(axis->knots[i].oval, axis->knots[i + 1].oval, sizeof axis->knots[i].oval);
        }
    }
    for (int i = 0; i < add_high; i++) {
        int n = axis->count;
        struct intra_vec3 a = axis->knots[n - 1].p, b = axis->knots[n - 3].p;
        struct intra_vec3 dir = intra_unit(intra_sub(a, b));
        knot_set(&axis->knots[n], intra_mad(a, axis->h, dir), dir);
        memcpy(axis->knots[n].oval, axis->knots[n - 1].oval, sizeof axis->knots[n].oval);
        axis->count++;
    }
    return INTRA_OK;
}

struct intra_vec3 intra_axis_point(const struct intra_axis *axis, double u, struct intra_vec3 *out_d1,
                                   struct intra_vec3 *out_d2, double out_weights[4])
{
    int i = (int)floor(u), j;
    double f = u - i, g = 1 - f;
    double w[4] = {g * g * g / 6, (3 * f * f * f - 6 * f * f + 4) / 6, (3 * g * g * g - 6 * g * g + 4) / 6,
                   f * f * f / 6};
    struct intra_vec3 c = {0, 0, 0};
    if (i - 1 < axis->first || i + 2 >= axis->first + axis->count) {
        double low = axis->first + 1, high = axis->first + axis->count - 3;
        double u_in = u < low ? low : high + 0.999999;
        struct intra_vec3 d;
        c = intra_axis_point(axis, u_in, &d, NULL, out_weights);
        if (out_d1) *out_d1 = d;
        if (out_d2) *out_d2 = intra_vec3(0, 0, 0);
        return intra_mad(c, u - u_in, d);
    }
    const struct intra_axis_knot *k = &axis->knots[i - 1 - axis->first];
    for (j = 0; j < 4; j++) c = intra_mad(c, w[j], k[j].p);
    if (out_weights)
        for (j = 0; j < 4; j++) out_weights[j] = w[j];
    if (out_d1) {
        double d[4] = {-g * g / 2, (3 * f * f - 4 * f) / 2, (-3 * g * g + 4 * g) / 2, f * f / 2};
        struct intra_vec3 s = {0, 0, 0};
        for (j = 0; j < 4; j++) s = intra_mad(s, d[j], k[j].p);
        *out_d1 = s;
    }
    if (out_d2) {
        double d[4] = {g, 3 * f - 2, 3 * g - 2, f};
        struct intra_vec3 s = {0, 0, 0};
        for (j = 0; j < 4; j++) s = intra_mad(s, d[j], k[j].p);
        *out_d2 = s;
    }
    return c;
}

double intra_axis_nearest(const struct intra_axis *axis, struct intra_vec3 x, double u_guess)
{
    double u = u_guess;
    for (int it = 0; it < 8; it++) {
        struct intra_vec3 d1, d2, e = intra_sub(x, intra_axis_point(axis, u, &d1, &d2, NULL));
        double slope = intra_dot(d1, d1), bend = intra_dot(e, d2), step;
        /* Inside the bend's own centre of curvature the second-order term would turn Newton round. */
        step = intra_dot(e, d1) / (bend < 0.7 * slope ? slope - bend : slope);
        if (step > 3) step = 3;
        if (step < -3) step = -3;
        u += step;
        if (fabs(step) < 1e-9) break;
    }
    return u;
}

bool intra_axis_ray_hit(const struct intra_axis *axis, double r, struct intra_vec3 origin, struct intra_vec3 dir,
                        double max_t, double *u_io, double *out_t)
{
    double u0 = intra_axis_nearest(axis, origin, *u_io), u = u0, t;
    struct intra_vec3 d1, tangent, c = intra_axis_point(axis, u0, &d1, NULL, NULL), e, across;
    tangent = intra_unit(d1);
    e = intra_sub(origin, c);
    e = intra_mad(e, -intra_dot(e, tangent), tangent);
    across = intra_mad(dir, -intra_dot(dir, tangent), tangent);
    double qa = intra_dot(across, across), qb = intra_dot(e, across), qc = intra_dot(e, e) - r * r;
    if (qc >= 0) return false; /* outside the tube */
    if (qa < 1e-8) return false;
    t = (-qb + sqrt(qb * qb - qa * qc)) / qa;
    if (t > max_t) t = max_t;
    for (int it = 0; it < 12; it++) {
        struct intra_vec3 x = intra_mad(origin, t, dir);
        double dist, slope, step;
        if (it == 0) u = u0 + t * intra_dot(dir, tangent) / axis->h;
        u = intra_axis_nearest(axis, x, u);
        e = intra_sub(x, intra_axis_point(axis, u, NULL, NULL, NULL));
        dist = intra_norm(e);
        slope = dist > 1e-9 ? intra_dot(dir, e) / dist : 0;
        if (slope < 0.017) {
            /* Grazing or turning back inwards (before a bend): walk on until the wall comes. */
            if (dist > r) {
                t *= 0.8;
                continue;
            }
            step = 0.5 * (r - dist) + 0.05 * r;
        } else {
            step = (r - dist) / slope;
            if (step > r) step = r;
        }
        if (step < -0.5 * t) step = -0.5 * t;
        t += step;
        if (t > max_t) return false;
        if (fabs(r - dist) < 1e-7 * r && slope >= 0.017) {
            *u_io = u;
            *out_t = t;
            return true;
        }
    }
    return false;
}

struct intra_mat3 intra_axis_frame_along(struct intra_vec3 tangent)
{
    struct intra_vec3 crown = any_normal(tangent);
    /* Looking along +s with the crown up, 3 o'clock is tangent x crown. */
    return intra_mat3_from_columns(tangent, intra_cross(tangent, crown), crown);
}

struct intra_mat3 intra_axis_frame(const struct intra_axis *axis, double u)
{
    struct intra_vec3 d1;
    (void)intra_axis_point(axis, u, &d1, NULL, NULL);
    return intra_axis_frame_along(intra_unit(d1));
}

double intra_axis_clock(const struct intra_axis *axis, double u, struct intra_vec3 x)
{
    struct intra_mat3 frame = intra_axis_frame(axis, u);
    struct intra_vec3 arm = intra_sub(x, intra_axis_point(axis, u, NULL, NULL, NULL));
    struct intra_vec3 local = intra_mat3_tmul_vec(&frame, arm); /* tangent, right, crown */
    return atan2(local.y, local.z);
}

double intra_axis_radius_rel(const struct intra_axis *axis, double u, double theta_rad)
{
    double w[4], rel = 1, c = cos(2 * theta_rad), s = sin(2 * theta_rad);
    int base = (int)floor(u) - 1 - axis->first;
    (void)intra_axis_point(axis, u, NULL, NULL, w);
    if (base < 0) base = 0;
    if (base > axis->count - 4) base = axis->count - 4;
    for (int i = 0; i < 4; i++)
        rel += w[i] * (c * axis->knots[base + i].oval[0] + s * axis->knots[base + i].oval[1]);
    return rel;
}

static double speed(const struct intra_axis *axis, double u)
{
    struct intra_vec3 d1;
    (void)intra_axis_point(axis, u, &d1, NULL, NULL);
    return intra_norm(d1);
}

double intra_axis_arc_length(const struct intra_axis *axis, double u_from, double u_to)
{
    double sum = 0, span = u_to - u_from;
    int n = (int)ceil(fabs(span) * 2);
    for (int i = 0; i < n; i++) {
        double a = u_from + span * i / n, w = span / n;
        double k = w / (2 * sqrt(3.0)), mid = a + w / 2;
        sum += w / 2 * (speed(axis, mid - k) + speed(axis, mid + k));
    }
    return sum;
}
