/* Both models are a radial curve r(theta), linear in its coefficients:
 *   Brown           x (1 + k1 x^2 + k2 x^4 + k3 x^6), x = tan theta
 *   Kannala-Brandt  x (1 + k1 x^2 + k2 x^4 + k3 x^6), x = theta (k4 stays 0)
 * so the same fit serves both. */
#include "core/camera_convert.h"

#include <string.h>

enum { SAMPLES = 200, TERMS = 3 };
#define PINHOLE_END 1.48 /* radians */

double intra_camera_angle_rad(const struct intra_camera *camera, double radius_px)
{
    double px[2] = {camera->cx + radius_px, camera->cy};
    struct intra_vec3 ray;
    if (!intra_camera_unproject(camera, px, &ray)) return NAN;
    return atan2(hypot(ray.x, ray.y), ray.z);
}

double intra_camera_corner_rad(const struct intra_camera *camera)
{
    double dx = fmax(camera->cx + 0.5, camera->width - 0.5 - camera->cx);
    double dy = fmax(camera->cy + 0.5, camera->height - 0.5 - camera->cy) * camera->fx / camera->fy;
    double low = 0, high = hypot(dx, dy), angle = intra_camera_angle_rad(camera, high);
    if (isfinite(angle)) return angle;
    for (int i = 0; i < 50; i++) {
        double middle = (low + high) / 2;
        if (isfinite(intra_camera_angle_rad(camera, middle)))
            low = middle;
        else
            high = middle;
    }
    return intra_camera_angle_rad(camera, low);
}

/* r / f of the camera along a row, without tangential terms. */
static bool radius_at(const struct intra_camera *camera, double theta, double *out)
{
    struct intra_camera radial = *camera;
    double px[2];
    if (radial.model == INTRA_CAMERA_BROWN) {
        radial.k[2] = radial.k[3] = 0;
        for (int i = 8; i < INTRA_CAMERA_MAX_K; i++)
            radial.k[i] = 0;
    }
    if (!intra_camera_project(&radial, intra_vec3(sin(theta), 0, cos(theta)), px, NULL, NULL)) return false;
    *out = (px[0] - camera->cx) / camera->fx;
    return true;
}

/* Gauss with the largest pivot of each column; false: singular. */
static bool solve(double a[TERMS][TERMS + 1])
{
    for (int c = 0; c < TERMS; c++) {
        int best = c;
        for (int r = c + 1; r < TERMS; r++)
            if (fabs(a[r][c]) > fabs(a[best][c])) best = r;
        if (!(fabs(a[best][c]) > 1e-300)) return false;
        for (int k = 0; k <= TERMS; k++) {
            double t = a[c][k];
            a[c][k] = a[best][k];
            a[best][k] = t;
        }
        for (int r = 0; r < TERMS; r++) {
            double f = r == c ? 0 : a[r][c] / a[c][c];
            for (int k = c; k <= TERMS; k++)
                a[r][k] -= f * a[c][k];
        }
    }
    for (int c = 0; c < TERMS; c++)
        a[c][TERMS] /= a[c][c];
    return true;
}

/* Least squares of k1 to k3 in `model`, so that the lens at angle theta shows what `camera` shows at the angle of
 * tangent `stretch` tan theta; its focal length is `stretch` times as long. */
static enum intra_status fit_curve(const struct intra_camera *camera, enum intra_camera_model model, double stretch,
                                   struct intra_camera *out, double *out_worst_px, struct intra_error *err)
{
    static const int place[2][TERMS] = {{0, 1, 4}, {0, 1, 2}}; /* of k1 to k3 among k */
    double end = intra_camera_corner_rad(camera), a[TERMS][TERMS + 1] = {{0}}, worst = 0;
    double corner = atan2(sin(end), stretch * cos(end));
    if (model == INTRA_CAMERA_BROWN && corner > PINHOLE_END)
        return INTRA_FAIL(err, INTRA_E_ARG, "a field of %.0f degrees is too wide for a pinhole",
                          2 * corner * 180 / M_PI);
    for (int i = 1; i <= SAMPLES; i++) {
        double theta = corner * i / SAMPLES, x = model == INTRA_CAMERA_BROWN ? tan(theta) : theta, r, basis[TERMS];
        if (!radius_at(camera, atan2(stretch * sin(theta), cos(theta)), &r)) break;
        basis[0] = x * x * x;
        for (int k = 1; k < TERMS; k++)
            basis[k] = basis[k - 1] * x * x;
        for (int p = 0; p < TERMS; p++) {
            for (int q = 0; q < TERMS; q++)
                a[p][q] += basis[p] * basis[q];
            a[p][TERMS] += basis[p] * (r / stretch - x);
        }
    }
    if (!solve(a)) return INTRA_FAIL(err, INTRA_E_ARG, "the lens has no field that could be fitted");
    *out = *camera;
    out->model = model;
    out->fx *= stretch;
    out->fy *= stretch;
    memset(out->k, 0, sizeof out->k);
    for (int k = 0; k < TERMS; k++)
        out->k[place[model == INTRA_CAMERA_BROWN ? 0 : 1][k]] = a[k][TERMS];
    enum intra_status status = intra_camera_finish(out, err);
    if (status != INTRA_OK) return status;
    for (int i = 1; i <= SAMPLES; i++) {
        double theta = corner * i / SAMPLES, from, to;
        if (!radius_at(camera, atan2(stretch * sin(theta), cos(theta)), &from)) break;
        worst = radius_at(out, theta, &to) ? fmax(worst, fabs(camera->fx * from - out->fx * to)) : INFINITY;
    }
    if (out_worst_px) *out_worst_px = worst;
    return INTRA_OK;
}

enum intra_status intra_camera_convert(const struct intra_camera *camera, enum intra_camera_model model,
                                       struct intra_camera *out, double *out_worst_px, struct intra_error *err)
{
    return fit_curve(camera, model, 1, out, out_worst_px, err);
}

enum intra_status intra_camera_stretch(const struct intra_camera *camera, double k, struct intra_camera *out,
                                       struct intra_error *err)
{
    return fit_curve(camera, camera->model, k, out, NULL, err);
}
