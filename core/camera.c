/* Camera models (see camera.h for the formulas' sources).
 *
 * Letters as in the papers. Brown: x = X/Z, y = Y/Z, r2 = x^2 + y^2,
 *   c   = (1 + k1 r2 + k2 r2^2 + k3 r2^3) / (1 + k4 r2 + k5 r2^2 + k6 r2^3)
 *   x'  = x c + 2 p1 x y + p2 (r2 + 2 x^2) + s1 r2 + s2 r2^2
 *   y'  = y c + p1 (r2 + 2 y^2) + 2 p2 x y + s3 r2 + s4 r2^2
 * Kannala-Brandt: R = |(X, Y)|, theta = atan2(R, Z), d(theta) as in the header, (x', y') = (X, Y) d / R.
 *
 * The usable field ends before the mapping folds back: a folded model maps two rays onto one pixel, and a tracker that
 * believes both is silently wrong. "Before" is MIN_GROWTH of the growth at the centre, so that the inverse stays well
 * conditioned right up to the edge. */
#include "core/camera.h"

#include <string.h>

enum { K1, K2, P1, P2, K3, K4, K5, K6, S1, S2, S3, S4 };

#define DEG (M_PI / 180)
#define BROWN_MAX_THETA (85 * DEG) /* a pinhole's pixels run away towards 90 degrees */
#define KB_MAX_THETA (110 * DEG)   /* no lens on a pipe camera sees further back */
#define CORNER_MARGIN 1.2          /* Brown: beyond the corner by this, polynomials only extrapolate */
#define MIN_GROWTH 0.01
#define SEARCH_STEP (0.05 * DEG)
#define SEARCH_DIRECTIONS 16 /* tangential and thin-prism terms make the fold depend on the direction */

/* Brown distortion of (x, y); j (may be NULL): d (x', y') / d (x, y), 2 x 2. */
static void brown_distort(const double *k, double x, double y, double out[2], double j[4])
{
    double x2 = x * x, y2 = y * y, xy = x * y, r2 = x2 + y2;
    double num = 1 + r2 * (k[K1] + r2 * (k[K2] + r2 * k[K3]));
    bool is_rational = k[K4] != 0 || k[K5] != 0 || k[K6] != 0;
    double inv = is_rational ? 1 / (1 + r2 * (k[K4] + r2 * (k[K5] + r2 * k[K6]))) : 1;
    double c = num * inv;
    out[0] = x * c + 2 * k[P1] * xy + k[P2] * (r2 + 2 * x2) + r2 * (k[S1] + r2 * k[S2]);
    out[1] = y * c + k[P1] * (r2 + 2 * y2) + 2 * k[P2] * xy + r2 * (k[S3] + r2 * k[S4]);
    if (!j) return;
    double dc = k[K1] + r2 * (2 * k[K2] + r2 * 3 * k[K3]); /* d c / d r2 */
    if (is_rational) dc = (dc - c * (k[K4] + r2 * (2 * k[K5] + r2 * 3 * k[K6]))) * inv;
    double u = 2 * (k[S1] + 2 * r2 * k[S2]), v = 2 * (k[S3] + 2 * r2 * k[S4]);
    double cross = 2 * (xy * dc + k[P1] * x + k[P2] * y);
    j[0] = c + 2 * x2 * dc + 2 * k[P1] * y + 6 * k[P2] * x + u * x;
    j[1] = cross + u * y;
    j[2] = cross + v * x;
    j[3] = c + 2 * y2 * dc + 6 * k[P1] * y + 2 * k[P2] * x + v * y;
}

static void brown_param_jacobian(const struct intra_camera *cam, double x, double y, double *jx, double *jy)
{
    const double *k = cam->k;
    double r2 = x * x + y * y, r4 = r2 * r2, r6 = r4 * r2;
    double inv = 1 / (1 + k[K4] * r2 + k[K5] * r4 + k[K6] * r6);
    double c = (1 + k[K1] * r2 + k[K2] * r4 + k[K3] * r6) * inv;
    double power[3] = {r2, r4, r6};
    static const int numerator[3] = {K1, K2, K3}, denominator[3] = {K4, K5, K6};
    for (int i = 0; i < 3; i++) {
        double up = power[i] * inv, down = -c * power[i] * inv;
        jx[numerator[i]] = cam->fx * x * up;
        jy[numerator[i]] = cam->fy * y * up;
        jx[denominator[i]] = cam->fx * x * down;
        jy[denominator[i]] = cam->fy * y * down;
    }
    jx[P1] = cam->fx * 2 * x * y;
    jy[P1] = cam->fy * (r2 + 2 * y * y);
    jx[P2] = cam->fx * (r2 + 2 * x * x);
    jy[P2] = cam->fy * 2 * x * y;
    jx[S1] = cam->fx * r2;
    jx[S2] = cam->fx * r4;
    jy[S3] = cam->fy * r2;
    jy[S4] = cam->fy * r4;
}

/* d(theta); slope (may be NULL): its derivative. */
static double kb_distort(const double *k, double theta, double *slope)
{
    double t2 = theta * theta;
    if (slope) *slope = 1 + t2 * (3 * k[0] + t2 * (5 * k[1] + t2 * (7 * k[2] + t2 * 9 * k[3])));
    return theta * (1 + t2 * (k[0] + t2 * (k[1] + t2 * (k[2] + t2 * k[3]))));
}

/* The parameter Jacobian's part that every model has. */
static void fill_linear_params(const double d[2], double *jp)
{
    memset(jp, 0, 2 * INTRA_CAMERA_MAX_PARAMS * sizeof *jp);
    jp[0] = d[0];
    jp[2] = 1;
    jp[INTRA_CAMERA_MAX_PARAMS + 1] = d[1];
    jp[INTRA_CAMERA_MAX_PARAMS + 3] = 1;
}

/* A camera that was stored and read back knows its angle only. */
static double field_tan2(const struct intra_camera *cam)
{
    if (cam->max_tan2 > 0) return cam->max_tan2;
    double t = tan(cam->max_theta_rad);
    return t * t;
}

static bool brown_project(const struct intra_camera *cam, struct intra_vec3 p, double px[2], double *jac, double *jp)
{
    if (!(p.z > 0)) return false;
    double iz = 1 / p.z, x = p.x * iz, y = p.y * iz, d[2], j[4];
    if (!(x * x + y * y <= field_tan2(cam))) return false;
    brown_distort(cam->k, x, y, d, jac ? j : NULL);
    px[0] = cam->fx * d[0] + cam->cx;
    px[1] = cam->fy * d[1] + cam->cy;
    if (jac) {
        double gx = cam->fx * iz, gy = cam->fy * iz;
        jac[0] = gx * j[0];
        jac[1] = gx * j[1];
        jac[2] = -(jac[0] * x + jac[1] * y);
        jac[3] = gy * j[2];
        jac[4] = gy * j[3];
        jac[5] = -(jac[3] * x + jac[4] * y);
    }
    if (jp) {
        fill_linear_params(d, jp);
        brown_param_jacobian(cam, x, y, jp + 4, jp + INTRA_CAMERA_MAX_PARAMS + 4);
    }
    return true;
}

static bool kb_project(const struct intra_camera *cam, struct intra_vec3 p, double px[2], double *jac, double *jp)
{
    double r2 = p.x * p.x + p.y * p.y, n2 = r2 + p.z * p.z, r = sqrt(r2);
    if (!(n2 > 0)) return false;
    double theta = atan2(r, p.z), slope;
    if (!(theta <= cam->max_theta_rad)) return false;
    double dist = kb_distort(cam->k, theta, &slope);
    bool is_on_axis = r2 < 1e-8 * n2; /* series in R/Z: what it leaves out is below rounding */
    double iz = is_on_axis ? 1 / p.z : 0;
    double s = is_on_axis ? iz * (1 + (cam->k[0] - 1.0 / 3) * r2 * iz * iz) : dist / r; /* d / R */
    double d[2] = {s * p.x, s * p.y};
    px[0] = cam->fx * d[0] + cam->cx;
    px[1] = cam->fy * d[1] + cam->cy;
    if (jac) {
        double in2 = 1 / n2;
        double g =
            is_on_axis ? 2 * (cam->k[0] - 1.0 / 3) * iz * iz * iz : (slope * p.z * in2 - s) / r2; /* (d s / d R) / R */
        double cross = p.x * p.y * g, back = -slope * in2;
        jac[0] = cam->fx * (s + p.x * p.x * g);
        jac[1] = cam->fx * cross;
        jac[2] = cam->fx * p.x * back;
        jac[3] = cam->fy * cross;
        jac[4] = cam->fy * (s + p.y * p.y * g);
        jac[5] = cam->fy * p.y * back;
    }
    if (jp) {
        double t2 = theta * theta, power = is_on_axis ? t2 * iz : t2 * theta / r; /* theta^3 / R, theta^5 / R, ... */
        fill_linear_params(d, jp);
        for (int i = 0; i < 4; i++, power *= t2) {
            jp[4 + i] = cam->fx * p.x * power;
            jp[INTRA_CAMERA_MAX_PARAMS + 4 + i] = cam->fy * p.y * power;
        }
    }
    return true;
}

bool intra_camera_project(const struct intra_camera *camera, struct intra_vec3 p, double out_px[2], double jac[6],
                          double jac_params[2 * INTRA_CAMERA_MAX_PARAMS])
{
    if (camera->model == INTRA_CAMERA_BROWN) return brown_project(camera, p, out_px, jac, jac_params);
    return kb_project(camera, p, out_px, jac, jac_params);
}

/* Radius r with r c(r) = rd on [0, high], where r c(r) grows: Newton kept inside a shrinking bracket. */
static double brown_radius(const double *k, double rd, double high)
{
    static const int even[6] = {K1, K2, K3, K4, K5, K6};
    double radial[INTRA_CAMERA_MAX_K] = {0}, low = 0, r = rd < high ? rd : high;
    for (int i = 0; i < 6; i++)
        radial[even[i]] = k[even[i]];
    double edge[2];
    brown_distort(radial, high, 0, edge, NULL);
    if (rd >= edge[0]) return high; /* at or beyond the edge; tangential terms may still bring it inside */
    for (int i = 0; i < 60; i++) {
        double d[2], j[4], step;
        brown_distort(radial, r, 0, d, j);
        if (d[0] > rd)
            high = r;
        else
            low = r;
        step = j[0] > 0 ? (d[0] - rd) / j[0] : INFINITY;
        if (fabs(step) <= 1e-9 * (1 + r)) break; /* a start for the 2D Newton only */
        r -= step;
        if (!(r > low && r < high)) r = (low + high) / 2;
    }
    return r;
}

static bool brown_unproject(const struct intra_camera *cam, double u, double v, struct intra_vec3 *ray)
{
    double rd = hypot(u, v), tan2 = field_tan2(cam), high = sqrt(tan2);
    double scale = rd > 0 ? brown_radius(cam->k, rd, high) / rd : 1;
    double x = u * scale, y = v * scale, tol = 1e-11 / fmax(cam->fx, cam->fy), best = INFINITY;
    for (int i = 0; i < 20; i++) {
        double d[2], j[4];
        brown_distort(cam->k, x, y, d, j);
        double ex = u - d[0], ey = v - d[1], e = fmax(fabs(ex), fabs(ey)), det = j[0] * j[3] - j[1] * j[2];
        if (e <= tol || (e < 1e-3 * tol + 1e-14 && e >= best)) { /* as small as rounding lets it be */
            if (!(x * x + y * y <= tan2)) return false;
            *ray = intra_unit(intra_vec3(x, y, 1));
            return true;
        }
        if (!(det > 0)) return false;
        best = e;
        x += (j[3] * ex - j[1] * ey) / det;
        y += (j[0] * ey - j[2] * ex) / det;
    }
    return false;
}

static bool kb_unproject(const struct intra_camera *cam, double u, double v, struct intra_vec3 *ray)
{
    double rd = hypot(u, v), low = 0, high = cam->max_theta_rad, theta = fmin(rd, high);
    if (!(rd <= kb_distort(cam->k, high, NULL))) return false;
    for (int i = 0; i < 80; i++) {
        double slope, e = kb_distort(cam->k, theta, &slope) - rd, next;
        if (e > 0)
            high = theta;
        else
            low = theta;
        next = theta - e / slope; /* slope >= MIN_GROWTH on the whole field */
        if (!(next >= low && next <= high)) next = (low + high) / 2;
        if (fabs(next - theta) <= 1e-15 * (1 + theta)) break;
        theta = next;
    }
    double s = rd > 0 ? sin(theta) / rd : 0;
    *ray = intra_vec3(u * s, v * s, cos(theta));
    return true;
}

bool intra_camera_unproject(const struct intra_camera *camera, const double px[2], struct intra_vec3 *out_ray)
{
    double u = (px[0] - camera->cx) / camera->fx, v = (px[1] - camera->cy) / camera->fy;
    if (!isfinite(u) || !isfinite(v)) return false;
    if (camera->model == INTRA_CAMERA_BROWN) return brown_unproject(camera, u, v, out_ray);
    return kb_unproject(camera, u, v, out_ray);
}

/* Distance of the farthest picture corner from the centre, in units of the focal length. */
static double corner_radius(const struct intra_camera *cam)
{
    double dx = fmax(cam->cx + 0.5, cam->width - 0.5 - cam->cx) / cam->fx;
    double dy = fmax(cam->cy + 0.5, cam->height - 0.5 - cam->cy) / cam->fy;
    return hypot(dx, dy);
}

/* Does the Brown mapping still grow at angle theta in every direction? out_rd: the smallest distorted radius there. */
static bool brown_is_growing(const double *k, double theta, double *out_rd)
{
    double r = tan(theta), r2 = r * r;
    if (!(1 + r2 * (k[K4] + r2 * (k[K5] + r2 * k[K6])) > 0)) return false; /* past a pole of the rational model */
    *out_rd = INFINITY;
    for (int i = 0; i < SEARCH_DIRECTIONS; i++) {
        double phi = 2 * M_PI * i / SEARCH_DIRECTIONS, c = cos(phi), s = sin(phi), d[2], j[4];
        brown_distort(k, r * c, r * s, d, j);
        double along = c * (j[0] * c + j[1] * s) + s * (j[2] * c + j[3] * s);
        if (!(along > MIN_GROWTH) || !(j[0] * j[3] - j[1] * j[2] > MIN_GROWTH * MIN_GROWTH)) return false;
        *out_rd = fmin(*out_rd, d[0] * c + d[1] * s);
    }
    return true;
}

/* Walk outwards to the end of the usable field. Returns the distorted radius reached. */
static double find_max_theta(struct intra_camera *cam)
{
    double theta = 0, reached = 0, corner = corner_radius(cam), rd;
    if (cam->model == INTRA_CAMERA_BROWN) {
        while (theta + SEARCH_STEP <= BROWN_MAX_THETA && reached < CORNER_MARGIN * corner &&
               brown_is_growing(cam->k, theta + SEARCH_STEP, &rd)) {
            theta += SEARCH_STEP;
            reached = rd;
        }
        cam->max_tan2 = tan(theta) * tan(theta);
    } else {
        double slope;
        while (theta < KB_MAX_THETA) {
            double next = fmin(theta + SEARCH_STEP, KB_MAX_THETA);
            rd = kb_distort(cam->k, next, &slope);
            if (!(slope > MIN_GROWTH)) break;
            theta = next;
            reached = rd;
        }
        cam->max_tan2 = 0;
    }
    cam->max_theta_rad = theta;
    return reached;
}

static enum intra_status check_numbers(const struct intra_camera *cam, struct intra_error *err)
{
    static const char *const brown_names[] = {"k1", "k2", "p1", "p2", "k3", "k4", "k5", "k6", "s1", "s2", "s3", "s4"};
    static const char *const kb_names[] = {"k1", "k2", "k3", "k4"};
    const struct {
        const char *name;
        double f, c;
        int size;
    } axis[2] = {{"x", cam->fx, cam->cx, cam->width}, {"y", cam->fy, cam->cy, cam->height}};
    if (cam->width < 2 || cam->height < 2 || cam->width > 32768 || cam->height > 32768)
        return INTRA_FAIL(err, INTRA_E_ARG, "picture size %d x %d: each side must be 2 to 32768 pixels", cam->width,
                          cam->height);
    for (int i = 0; i < 2; i++) {
        double longest = cam->width > cam->height ? cam->width : cam->height;
        if (!(axis[i].f >= 0.02 * longest && axis[i].f <= 200 * longest))
            return INTRA_FAIL(
                err, INTRA_E_ARG,
                "focal length f%s = %g pixels makes no sense for a picture %g pixels wide: expected %g to %g",
                axis[i].name, axis[i].f, longest, 0.02 * longest, 200 * longest);
        if (!(axis[i].c >= -0.5 * axis[i].size && axis[i].c <= 1.5 * axis[i].size))
            return INTRA_FAIL(err, INTRA_E_ARG, "principal point c%s = %g lies far outside the picture of %d pixels",
                              axis[i].name, axis[i].c, axis[i].size);
    }
    int n = cam->model == INTRA_CAMERA_BROWN ? INTRA_CAMERA_MAX_K : 4;
    for (int i = 0; i < n; i++)
        if (!isfinite(cam->k[i]))
            return INTRA_FAIL(err, INTRA_E_ARG, "distortion coefficient %s is not a finite number",
                              cam->model == INTRA_CAMERA_BROWN ? brown_names[i] : kb_names[i]);
    if (!isfinite(cam->focal_sd_rel) || cam->focal_sd_rel < 0)
        return INTRA_FAIL(err, INTRA_E_ARG, "focal_sd_rel = %g must be a number of at least 0", cam->focal_sd_rel);
    return INTRA_OK;
}

enum intra_status intra_camera_finish(struct intra_camera *camera, struct intra_error *err)
{
    enum intra_status status = check_numbers(camera, err);
    if (status != INTRA_OK) return status;
    if (camera->focal_sd_rel == 0) camera->focal_sd_rel = camera->is_assumed ? 0.1 : 0.002;
    double reached = find_max_theta(camera), corner = corner_radius(camera);
    if (reached < 0.1 * corner)
        return INTRA_FAIL(
            err, INTRA_E_ARG,
            "distortion coefficients fold the picture back at %.0f %% of the way to its corner: are they of "
            "another model or in another order?",
            100 * reached / corner);
    return INTRA_OK;
}

enum intra_status intra_camera_from_hfov(int width, int height, double hfov_rad, struct intra_camera *out,
                                         struct intra_error *err)
{
    double half = hfov_rad / 2;
    if (!(hfov_rad > 0 && hfov_rad <= 220 * DEG * (1 + 1e-12)))
        return INTRA_FAIL(err, INTRA_E_ARG, "field of view of %g degrees: must be above 0 and at most 220",
                          hfov_rad / DEG);
    *out =
        (struct intra_camera){.width = width, .height = height, .is_assumed = true, .source = "assumed field of view"};
    out->model = hfov_rad < 170 * DEG ? INTRA_CAMERA_BROWN : INTRA_CAMERA_KB;
    out->fx = out->fy = 0.5 * width / (out->model == INTRA_CAMERA_BROWN ? tan(half) : half);
    out->cx = 0.5 * (width - 1);
    out->cy = 0.5 * (height - 1);
    return intra_camera_finish(out, err);
}

enum intra_status intra_camera_rescale(struct intra_camera *camera, int width, int height, struct intra_error *err)
{
    double sx = (double)width / camera->width, sy = (double)height / camera->height;
    if (!(width > 0 && height > 0 && fabs(sx - sy) <= 0.01 * fmax(sx, sy)))
        return INTRA_FAIL(
            err, INTRA_E_ARG,
            "the camera is for %d x %d pixels and the picture has %d x %d, another aspect: use a camera file "
            "made with this picture size",
            camera->width, camera->height, width, height);
    camera->fx *= sx;
    camera->fy *= sy;
    camera->cx = (camera->cx + 0.5) * sx - 0.5; /* edges scale, not pixel centres */
    camera->cy = (camera->cy + 0.5) * sy - 0.5;
    camera->width = width;
    camera->height = height;
    return intra_camera_finish(camera, err);
}
