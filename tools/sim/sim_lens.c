#include "tools/sim/sim_lens.h"

#include "core/fileio.h"

#include <string.h>

/* kb: distorted angle and its derivative. */
static double kb_grow(const double k[5], double t, double *slope)
{
    double q = t * t;
    *slope = 1 + q * (3 * k[0] + q * (5 * k[1] + q * (7 * k[2] + q * 9 * k[3])));
    return t * (1 + q * (k[0] + q * (k[1] + q * (k[2] + q * k[3]))));
}
/* brown, radial part: r g(r) and its derivative. */
static double brown_grow(const double k[5], double r, double *slope)
{
    double q = r * r;
    *slope = 1 + q * (3 * k[0] + q * (5 * k[1] + q * 7 * k[4]));
    return r * (1 + q * (k[0] + q * (k[1] + q * k[4])));
}

/* The largest angle or radius, up to `most`, to which the distortion grows. */
static double find_edge(const struct intra_sim_lens *l, double most)
{
    enum { STEPS = 4000 };
    for (int i = 1; i <= STEPS; i++) {
        double x = most * i / STEPS, slope;
        if (l->is_fisheye)
            kb_grow(l->k, x, &slope);
        else
            brown_grow(l->k, x, &slope);
        if (slope < 0.02) return most * (i - 1) / STEPS;
    }
    return most;
}

enum intra_status intra_sim_lens_make(const struct sim_lens *spec, int width, int height, struct intra_sim_lens *out,
                                      struct intra_error *err)
{
    double half = spec->hfov_deg * M_PI / 360, slope;
    struct intra_sim_lens l = {.is_fisheye = strcmp(spec->model, "kb") == 0, .width = width, .height = height};
    if (l.is_fisheye) {
        double k[5] = {spec->k1, spec->k2, spec->k3, spec->k4, 0};
        memcpy(l.k, k, sizeof k);
        l.max_edge = find_edge(&l, 110 * M_PI / 180);
    } else {
        double k[5] = {spec->k1, spec->k2, spec->p1, spec->p2, spec->k3};
        memcpy(l.k, k, sizeof k);
        if (spec->fx <= 0 && spec->hfov_deg > 150)
            return INTRA_FAIL(err, INTRA_E_FORMAT,
                              "lens.hfov_deg is %g; a brown lens ends at 150 degrees, use model kb", spec->hfov_deg);
        l.max_edge = find_edge(&l, 6);
    }
    l.fx = spec->fx;
    if (l.fx <= 0) { /* the picture's left and right edge see half of hfov each */
        double edge = l.is_fisheye ? half : tan(half);
        if (edge > l.max_edge)
            return INTRA_FAIL(err, INTRA_E_FORMAT,
                              "lens: the distortion folds over at %.1f degrees, inside hfov_deg %g; "
                              "weaken k1, k2, k3",
                              (l.is_fisheye ? l.max_edge : atan(l.max_edge)) * 180 / M_PI, spec->hfov_deg);
        l.fx = 0.5 * width / (l.is_fisheye ? kb_grow(l.k, edge, &slope) : brown_grow(l.k, edge, &slope));
    }
    l.fy = spec->fy > 0 ? spec->fy : l.fx;
    l.cx = spec->cx >= 0 ? spec->cx : 0.5 * (width - 1);
    l.cy = spec->cy >= 0 ? spec->cy : 0.5 * (height - 1);
    *out = l;
    return INTRA_OK;
}

static void brown_distort(const double k[5], double x, double y, double *xd, double *yd)
{
    double q = x * x + y * y, g = 1 + q * (k[0] + q * (k[1] + q * k[4]));
    *xd = x * g + 2 * k[2] * x * y + k[3] * (q + 2 * x * x);
    *yd = y * g + k[2] * (q + 2 * y * y) + 2 * k[3] * x * y;
}

bool intra_sim_lens_project(const struct intra_sim_lens *l, double zoom, struct intra_vec3 p, double out_px[2])
{
    double x, y;
    if (l->is_fisheye) {
        double h = hypot(p.x, p.y), t = atan2(h, p.z), slope;
        double scale = h > 0 ? kb_grow(l->k, t, &slope) / h : 0;
        if (t > l->max_edge || (h == 0 && p.z <= 0)) return false;
        x = p.x * scale;
        y = p.y * scale;
    } else {
        if (p.z <= 0 || hypot(p.x, p.y) > l->max_edge * p.z) return false;
        brown_distort(l->k, p.x / p.z, p.y / p.z, &x, &y);
    }
    out_px[0] = l->fx * zoom * x + l->cx;
    out_px[1] = l->fy * zoom * y + l->cy;
    return true;
}

static bool kb_invert(const struct intra_sim_lens *l, double d, double *out_t)
{
    double slope, low = 0, high = l->max_edge, t;
    if (d > kb_grow(l->k, high, &slope)) return false;
    t = fmin(d, high);
    for (int i = 0; i < 60; i++) { /* Newton, kept inside a shrinking bracket */
        double f = kb_grow(l->k, t, &slope) - d, next;
        if (fabs(f) < 1e-14) break;
        if (f > 0)
            high = t;
        else
            low = t;
        next = t - f / slope;
        t = next > low && next < high ? next : 0.5 * (low + high);
    }
    *out_t = t;
    return true;
}

static bool brown_invert(const struct intra_sim_lens *l, double xd, double yd, double *out_x, double *out_y)
{
    double x = xd, y = yd, slope, rd = hypot(xd, yd), r = fmin(rd, l->max_edge);
    for (int i = 0; i < 40 && rd > 0; i++) { /* radial part first: it alone is strong */
        double f = brown_grow(l->k, r, &slope) - rd;
        r = fmin(fmax(r - f / fmax(slope, 0.02), 0), l->max_edge);
        if (fabs(f) < 1e-12) break;
    }
    if (rd > 0) x = xd * r / rd, y = yd * r / rd;
    for (int i = 0; i < 20; i++) { /* then both, with a Jacobian by its formulas */
        const double *k = l->k;
        double q = x * x + y * y, g = 1 + q * (k[0] + q * (k[1] + q * k[4]));
        double dg = 2 * (k[0] + q * (2 * k[1] + q * 3 * k[4])), fx, fy, a, b, c, d, det; /* dg/dx = dg * x */
        brown_distort(k, x, y, &fx, &fy);
        fx -= xd;
        fy -= yd;
        if (fabs(fx) + fabs(fy) < 1e-14) break;
        a = g + dg * x * x + 2 * k[2] * y + 6 * k[3] * x;
        b = dg * x * y + 2 * k[2] * x + 2 * k[3] * y;
        c = dg * x * y + 2 * k[2] * x + 2 * k[3] * y;
        d = g + dg * y * y + 6 * k[2] * y + 2 * k[3] * x;
        det = a * d - b * c;
        if (fabs(det) < 1e-9) return false;
        x -= (d * fx - b * fy) / det;
        y -= (a * fy - c * fx) / det;
    }
    brown_distort(l->k, x, y, &slope, &r);
    *out_x = x;
    *out_y = y;
    return fabs(slope - xd) + fabs(r - yd) < 1e-9 && hypot(x, y) <= l->max_edge;
}

bool intra_sim_lens_ray(const struct intra_sim_lens *l, double zoom, double u, double v, struct intra_vec3 *out)
{
    double x = (u - l->cx) / (l->fx * zoom), y = (v - l->cy) / (l->fy * zoom);
    if (l->is_fisheye) {
        double d = hypot(x, y), t;
        if (!kb_invert(l, d, &t)) return false;
        *out = d > 0 ? intra_vec3(sin(t) * x / d, sin(t) * y / d, cos(t)) : intra_vec3(0, 0, 1);
    } else {
        if (!brown_invert(l, x, y, &x, &y)) return false;
        *out = intra_unit(intra_vec3(x, y, 1));
    }
    return true;
}

enum intra_status intra_sim_lens_write(const struct intra_sim_lens *l, const char *path, struct intra_error *err)
{
    struct intra_out_file file = {0};
    enum intra_status status = INTRA_OK;
    int n = l->is_fisheye ? 4 : 5;
    INTRA_TRY(intra_out_file_open(&file, path, err));
    fprintf(file.stream, "%%YAML:1.0\n---\nimage_width: %d\nimage_height: %d\n", l->width, l->height);
    fprintf(file.stream, "distortion_model: %s\n", l->is_fisheye ? "equidistant" : "plumb_bob");
    fprintf(file.stream,
            "camera_matrix: !!opencv-matrix\n   rows: 3\n   cols: 3\n   dt: d\n"
            "   data: [ %.17g, 0., %.17g, 0., %.17g, %.17g, 0., 0., 1. ]\n",
            l->fx, l->cx, l->fy, l->cy);
    fprintf(file.stream, "distortion_coefficients: !!opencv-matrix\n   rows: 1\n   cols: %d\n   dt: d\n   data: [ ", n);
    for (int i = 0; i < n; i++)
        fprintf(file.stream, "%s%.17g", i ? ", " : "", l->k[i]);
    fprintf(file.stream, " ]\nfocal_sd_rel: 0.0001\n"); /* it is exact; 0 would mean that it is not known */
    INTRA_TRY(intra_out_file_commit(&file, err));
done:
    intra_out_file_abandon(&file);
    return status;
}
