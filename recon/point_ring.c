/* Rings among the wall points.
 *
 * A patch that a joint's line crosses knows one direction: along the pipe. Its centre stands where the grid put it, up
 * to half a patch from the line, so the line's own place is taken: the centre of the squared gradient above its mean,
 * which grain shares evenly. Candidates are sorted by the station of their lines; the span that holds most is fitted by
 * a plane square to the axis but for a tilt, by least squares that tighten to Cauchy's weights; what lies near it
 * belongs to it. */
#include "recon/point_ring.h"

#include "core/mem.h"
#include "recon/bundle.h"
#include "recon/robust.h"

#include <stdlib.h>
#include <string.h>

#define ONE_WAY 0.15   /* smaller eigenvalue over the larger */
#define ALONG_COS 0.95 /* of the strong direction against the pipe's, in the picture */
#define SPAN_REL 0.3   /* of the radius: where the camera's direction is off, a ring seems tilted */
#define FAR_TILT 0.1 /* so much more far ahead: a direction that is 3 degrees off tilts by twice that times (z / R)^2  \
                      */
#define MOST_SPAN_REL 1.0
#define NEAR_REL 0.6      /* on both sides, where others are counted */
#define LINE_SD_REL 0.008 /* of a line's place along the pipe, as a share of the radius */
#define LINE_SD_PX 0.5    /* and in the picture */
#define FIT_TILT_SD 0.3   /* of a first fit, rad: the camera's direction may be off */
#define MOST_OFF 3.0      /* deviations of a member */
#define LINE_C2 4.0
enum { N_SECTORS = 12, SECTORS_LEAST = 7, POINTS_LEAST = 8, ROUNDS = 10, WIDE_ROUNDS = 6 };

struct candidate {
    int point, sector;
    double z;
    bool is_taken;
};

/* Where the line crosses the patch: pixels from its centre along the unit vector e. */
static double line_offset(const struct intra_patch *p, const double e[2])
{
    double w[INTRA_PATCH_N], mean = 0, sum = 0, sum_s = 0, half = (INTRA_PATCH_SIDE - 1) / 2.0;
    for (int i = 0; i < INTRA_PATCH_N; i++) {
        double g = e[0] * p->scale[0].gx[i] + e[1] * p->scale[0].gy[i];
        w[i] = g * g;
        mean += w[i] / INTRA_PATCH_N;
    }
    for (int i = 0; i < INTRA_PATCH_N; i++) {
        double s = (i % INTRA_PATCH_SIDE - half) * e[0] + (i / INTRA_PATCH_SIDE - half) * e[1];
        double above = fmax(0, w[i] - mean);
        sum += above;
        sum_s += above * s;
    }
    return sum > 0 ? sum_s / sum * (1 << p->level) : 0;
}

/* Does the patch show a line around the pipe, and where? */
static bool find_line(const struct intra_point *p, const struct intra_axis *axis, double radius_m,
                      struct intra_ring_member *out)
{
    const float *h = p->patch.scale[0].h;
    double trace = (double)h[0] + h[2], det = (double)h[0] * h[2] - (double)h[1] * h[1];
    double root = sqrt(fmax(0, trace * trace / 4 - det));
    if (!(trace > 0) || !(p->step_px > 0) || trace / 2 - root > ONE_WAY * (trace / 2 + root)) return false;
    struct intra_vec3 d1;
    double z[INTRA_POINT_NEAR];
    (void)intra_axis_point(axis, p->u, &d1, NULL, NULL);
    d1 = intra_unit(d1);
    for (int i = 0; i < INTRA_POINT_NEAR; i++)
        z[i] = intra_dot(d1, intra_sub(p->near[i], p->x));
    /* To second order in steps of step_px: z = a x + b y + q x^2 + r x y + t y^2. */
    double a = (z[0] - z[1]) / 2, b = (z[2] - z[3]) / 2, q = (z[0] + z[1]) / 2, t = (z[2] + z[3]) / 2;
    double r = z[4] - a - b - q - t, slope = hypot(a, b);
    double turn = 0.5 * atan2(2 * (double)h[1], (double)h[0] - h[2]), e[2] = {cos(turn), sin(turn)};
    if (!(slope > 0) || fabs(a * e[0] + b * e[1]) < ALONG_COS * slope) return false;
    double s = line_offset(&p->patch, e) / p->step_px, x = s * e[0], y = s * e[1];
    double theta = intra_axis_clock(axis, p->u, p->x);
    out->off_m = a * x + b * y + q * x * x + r * x * y + t * y * y;
    out->sd_m = hypot(LINE_SD_REL * radius_m, LINE_SD_PX * slope / p->step_px);
    out->across[0] = p->r_expect * cos(theta);
    out->across[1] = p->r_expect * sin(theta);
    return true;
}

static int by_station(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    return x->z < y->z ? -1 : x->z > y->z ? 1 : x->point - y->point;
}

static int count_sectors(unsigned bits)
{
    int n = 0;
    for (; bits; bits &= bits - 1)
        n++;
    return n;
}

/* The span that holds most candidates of enough sectors: [*from, *to). False: there is none. */
static bool fullest_span(const struct candidate *c, int n, double radius_m, double camera_m, int *from, int *to)
{
    int most = 0;
    for (int i = 0; i < n; i++) {
        unsigned sectors = 0;
        int count = 0, k = i;
        double far = fmax(0, c[i].z - camera_m) / radius_m;
        double span = radius_m * fmin(MOST_SPAN_REL, fmax(SPAN_REL, FAR_TILT * far * far));
        if (c[i].is_taken) continue;
        for (; k < n && c[k].z < c[i].z + span; k++)
            if (!c[k].is_taken) sectors |= 1u << c[k].sector, count++;
        if (count <= most || count < POINTS_LEAST || count_sectors(sectors) < SECTORS_LEAST) continue;
        most = count;
        *from = i;
        *to = k;
    }
    return most > 0;
}

static double plane_off(const struct candidate *c, const struct intra_ring_member *members,
                        const struct intra_point_ring *ring)
{
    const struct intra_ring_member *m = &members[c->point];
    return (c->z - ring->station_m - ring->tilt[0] * m->across[0] - ring->tilt[1] * m->across[1]) / m->sd_m;
}

/* Station and tilts of the candidates there. */
static bool fit_plane(const struct candidate *c, const struct intra_ring_member *members, int from, int to,
                      double radius_m, struct intra_point_ring *ring)
{
    enum { TERMS = 3 };
    double middle = 0;
    int n = 0;
    for (int i = from; i < to; i++)
        if (!c[i].is_taken) middle += c[i].z, n++;
    *ring = (struct intra_point_ring){.station_m = middle / n};
    for (int round = 0; round < ROUNDS; round++) {
        double h[TERMS * TERMS] = {0}, x[TERMS] = {0}, c2 = LINE_C2 * pow(4, fmax(0, WIDE_ROUNDS - round));
        for (int i = from; i < to; i++) {
            const struct intra_ring_member *m = &members[c[i].point];
            double row[TERMS] = {1, m->across[0], m->across[1]}, e = plane_off(&c[i], members, ring);
            double w = intra_cauchy_weight(e * e, c2) / (m->sd_m * m->sd_m);
            for (int a = 0; a < TERMS && !c[i].is_taken; a++) {
                x[a] += w * row[a] * e * m->sd_m;
                for (int b = 0; b < TERMS; b++)
                    h[a * TERMS + b] += w * row[a] * row[b];
            }
        }
        h[0] += 1e-9 / (radius_m * radius_m);
        for (int a = 1; a < TERMS; a++) {
            h[a * TERMS + a] += 1 / (FIT_TILT_SD * FIT_TILT_SD);
            x[a] -= ring->tilt[a - 1] / (FIT_TILT_SD * FIT_TILT_SD);
        }
        if (!intra_cholesky_solve(h, x, TERMS)) return false;
        ring->station_m += x[0];
        ring->tilt[0] += x[1];
        ring->tilt[1] += x[2];
    }
    return true;
}

enum intra_status intra_point_rings_find(const struct intra_point *points, const bool *is_usable, int n_points,
                                         const struct intra_axis *axis, double radius_m, double camera_m,
                                         struct intra_ring_member *out_members,
                                         struct intra_point_ring out[INTRA_POINT_RINGS_MOST], int *out_n,
                                         struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct candidate *c = NULL;
    int n = 0, from, to;
    *out_n = 0;
    INTRA_TRY(INTRA_ALLOC(c, (size_t)n_points + 1, err));
    for (int i = 0; i < n_points; i++) {
        out_members[i].ring = -1;
        if (!is_usable[i] || !find_line(&points[i], axis, radius_m, &out_members[i])) continue;
        double theta = atan2(out_members[i].across[1], out_members[i].across[0]);
        int sector = (int)floor((theta + M_PI) / (2 * M_PI) * N_SECTORS);
        c[n++] = (struct candidate){.point = i,
                                    .sector = sector < 0            ? 0
                                              : sector >= N_SECTORS ? N_SECTORS - 1
                                                                    : sector,
                                    .z = points[i].u * axis->h + out_members[i].off_m};
    }
    if (n > 1) qsort(c, (size_t)n, sizeof *c, by_station);
    for (int tries = 0; tries < 2 * INTRA_POINT_RINGS_MOST && *out_n < INTRA_POINT_RINGS_MOST; tries++) {
        struct intra_point_ring ring;
        unsigned sectors = 0;
        int n_others = 0;
        if (!fullest_span(c, n, radius_m, camera_m, &from, &to)) break;
        bool is_ring = fit_plane(c, out_members, from, to, radius_m, &ring);
        for (int i = 0; i < n && is_ring; i++) {
            if (c[i].is_taken || fabs(c[i].z - ring.station_m) > NEAR_REL * radius_m) continue;
            bool is_on = fabs(plane_off(&c[i], out_members, &ring)) < MOST_OFF;
            if (is_on) sectors |= 1u << c[i].sector, ring.n++;
            n_others += !is_on;
        }
        is_ring = is_ring && ring.n >= POINTS_LEAST && ring.n > n_others && count_sectors(sectors) >= SECTORS_LEAST;
        for (int i = 0; i < n; i++) {
            if (c[i].is_taken) continue;
            bool is_on = is_ring && fabs(c[i].z - ring.station_m) < NEAR_REL * radius_m &&
                         fabs(plane_off(&c[i], out_members, &ring)) < MOST_OFF;
            if (is_on) out_members[c[i].point].ring = *out_n;
            c[i].is_taken = is_on || (i >= from && i < to && !is_ring);
        }
        if (is_ring) out[(*out_n)++] = ring;
    }
done:
    intra_free(c);
    return status;
}

bool intra_axis_along(const struct intra_axis *axis, struct intra_vec3 x, double u, struct intra_vec3 *out_by_x,
                      double out_by_knot[4][2], int *base)
{
    /* (x - c(u)) . c'(u) = 0, differentiated. */
    double f = u - floor(u), g = 1 - f, weights[4];
    double slope[4] = {-g * g / 2, (3 * f * f - 4 * f) / 2, (-3 * g * g + 4 * g) / 2, f * f / 2};
    struct intra_vec3 d1, d2, arm = intra_sub(x, intra_axis_point(axis, u, &d1, &d2, weights));
    double per = axis->h / (intra_dot(d1, d1) - intra_dot(arm, d2));
    *base = (int)floor(u) - 1 - axis->first;
    if (*base < 0 || *base + 3 >= axis->count || !(per > 0)) return false;
    *out_by_x = intra_scale(d1, per);
    for (int i = 0; i < 4; i++)
        for (int q = 0; q < 2; q++) {
            struct intra_vec3 n = axis->knots[*base + i].n[q];
            out_by_knot[i][q] = per * (slope[i] * intra_dot(arm, n) - weights[i] * intra_dot(d1, n));
        }
    return true;
}
