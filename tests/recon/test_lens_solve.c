/* The lens out of a synthetic drive: views in a straight pipe, wall points with noise in their pixels, a start that is
 * off. Proves: with the way known, focal length and distortion come back within a few of their deviations and the
 * angles to 3 % (0.8 % is one deviation of so short a drive); with the focal length held, the distortion does; the
 * deviations hold over seeds; a field of 170 degrees works as one of 65; a centre beside the picture's middle is found
 * (to half of what it is off); too little is refused. Not: tracking, or walls that are no tube. */
#include "recon/lens_fit.h"
#include "recon/lens_solve.h"

#include "core/camera_convert.h"
#include "tests/recon/made_lens.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { VIEWS = 50, POINTS = 900, MOST = POINTS * INTRA_LENS_MAX_SIGHTS };
static const double radius = 0.15, step = 0.0225, noise_px = 0.3;

struct drive {
    struct intra_pose views[VIEWS];
    double u[VIEWS];
    struct intra_lens_track tracks[POINTS];
    struct intra_lens_sight sights[MOST];
    struct intra_axis axis;
    struct intra_lens_scene scene;
};

/* The world is that of a run: X along the axis, Z up; the camera looks along X. */
static struct intra_pose pose_at(double s, uint64_t *state)
{
    struct intra_mat3 look = {{{0, -1, 0}, {0, 0, -1}, {1, 0, 0}}};
    struct intra_mat3 turn = intra_rotation_exp(intra_vec3(0.05 * sin(3 * s), 0.04 * cos(2 * s), 0.02 * sin(s)));
    struct intra_pose p = {.r = intra_mat3_mul(&turn, &look)};
    struct intra_vec3 at = {s, 0.02 * sin(4 * s) + 0.001 * random_normal(state), 0.01 + 0.001 * random_normal(state)};
    p.t = intra_scale(intra_mat3_mul_vec(&p.r, at), -1);
    return p;
}

/* k: how much too short the start takes the way. */
static struct drive *make(const struct intra_camera *lens, uint64_t seed, double k)
{
    struct drive *d = calloc(1, sizeof *d);
    uint64_t state = seed * 977 + 3;
    int n = 0;
    assert_non_null(d);
    assert_int_equal(intra_axis_init(&d->axis, radius, intra_vec3(0, 0, 0), intra_vec3(1, 0, 0), NULL), INTRA_OK);
    assert_int_equal(intra_axis_cover(&d->axis, -3, VIEWS * step / radius + 9, NULL), INTRA_OK);
    for (int i = 0; i < VIEWS; i++) {
        d->views[i] = pose_at(i * step, &state);
        d->u[i] = i * step / radius;
    }
    for (int i = 0; i < POINTS; i++) {
        struct intra_lens_track t = {.first = n};
        double s = random_unit(&state) * (VIEWS * step + 3 * radius), theta = 2 * M_PI * random_unit(&state);
        double r = radius * (1 + 0.01 * random_normal(&state));
        t.x = intra_vec3(s, r * sin(theta), r * cos(theta));
        t.u = s / radius;
        for (int v = 0; v < VIEWS && t.n < INTRA_LENS_MAX_SIGHTS; v += 2) {
            double px[2], z = s - v * step;
            if (z < 0.1 * radius || z > 6 * radius ||
                !intra_camera_project(lens, intra_pose_apply(&d->views[v], t.x), px, NULL, NULL))
                continue;
            if (px[0] < 5 || px[1] < 5 || px[0] > 762 || px[1] > 570) continue;
            double w = t.n ? 1 / (noise_px * noise_px) : 400;
            d->sights[n++] = (struct intra_lens_sight){v,
                                                       {px[0] + (t.n ? noise_px : 0) * random_normal(&state),
                                                        px[1] + (t.n ? noise_px : 0) * random_normal(&state)},
                                                       {w, 0, w}};
            t.n++;
        }
        if (t.n >= 4)
            d->tracks[d->scene.n_tracks++] = t;
        else
            n = t.first;
    }
    d->scene.views = d->views, d->scene.u = d->u, d->scene.n_views = VIEWS;
    d->scene.tracks = d->tracks, d->scene.sights = d->sights, d->scene.axis = &d->axis, d->scene.radius_m = radius;
    intra_lens_scene_stretch(&d->scene, 1 / k);
    return d;
}

static void drop(struct drive *d)
{
    intra_axis_fini(&d->axis);
    free(d);
}

static struct intra_lens_prior prior_of(bool is_held, double way_rel)
{
    struct intra_lens_prior p = {.mean = {0, 0.1, 0, 0, 383.5, 287.5}, .sd = {0.7, 0.5, 0.3, 1e-4, 1e-3, 1e-3}};
    if (is_held) p.sd[INTRA_LENS_F] = 1e-5;
    p.way_rel = way_rel;
    p.way_sd_rel = is_held ? 0 : 0.001;
    return p;
}

static double worst_angle(const struct intra_camera *a, const struct intra_camera *b)
{
    double worst = 0;
    for (int px = 60; px <= 480; px += 60)
        worst = fmax(worst, fabs(intra_camera_angle_rad(a, px) / intra_camera_angle_rad(b, px) - 1));
    return worst;
}

/* Deviations that the result is off, of ln f. */
static double find(const struct intra_camera *truth, uint64_t seed, double k, double most_angle)
{
    struct drive *d = make(truth, seed, k);
    struct intra_camera lens = lens_of(truth->fx * 1.08, 0.1, 0);
    struct intra_lens_prior prior = prior_of(false, k);
    struct intra_lens_solution found;
    struct intra_error err = {0};
    if (intra_lens_solve(&d->scene, &prior, &lens, &found, &err) != INTRA_OK) fail_msg("%s", err.text);
    double worst = worst_angle(&lens, truth), sd = sqrt(found.cov[INTRA_LENS_F][INTRA_LENS_F]);
    double off = log(lens.fx / truth->fx) / sd;
    if (worst > most_angle)
        fail_msg("angles %.3f %% off, f %.2f of %.2f (sd %.2f %%), way %.4f, %d steps", 100 * worst, lens.fx, truth->fx,
                 100 * sd, found.way_rel, found.iterations);
    assert_true(sd > 1e-4 && sd < 0.02);
    assert_true(fabs(found.way_rel / k - 1) < 0.005);
    drop(d);
    return off;
}

static void lens_with_known_way(void **state)
{
    struct intra_camera truth = lens_of(578, 0.15, -0.02);
    double sum2 = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        double off = find(&truth, seed, seed % 2 ? 1.06 : 0.95, 0.03);
        assert_true(fabs(off) < 4);
        sum2 += off * off;
    }
    assert_true(sum2 / 4 < 4); /* deviations are not far too small, */
    assert_true(sum2 / 4 > 0.01);
}

static void lens_of_a_wide_field(void **state)
{
    struct intra_camera truth = lens_of(320, -0.01, -0.004); /* 150 degrees to the corner and back */
    (void)state;
    assert_true(fabs(find(&truth, 9, 1.03, 0.01)) < 4);
}

/* Beside the middle of the picture: it is found, as far as its deviation says, and does not look like a turned camera.
 */
static void centre_beside_the_middle(void **state)
{
    static const double f[] = {578, 320};
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct intra_camera truth = lens_of(f[i], i ? -0.01 : 0.15, i ? -0.004 : -0.02), lens = truth;
        truth.cx += 8, truth.cy -= 5;
        assert_int_equal(intra_camera_finish(&truth, NULL), INTRA_OK);
        struct drive *d = make(&truth, 7, 1);
        struct intra_lens_prior prior = intra_lens_usual(&lens, 0.001);
        struct intra_lens_solution found;
        intra_lens_free_centre(&lens, &prior);
        assert_int_equal(intra_lens_solve(&d->scene, &prior, &lens, &found, NULL), INTRA_OK);
        double dx = lens.cx - truth.cx, dy = lens.cy - truth.cy, sx = sqrt(found.cov[INTRA_LENS_CX][INTRA_LENS_CX]),
               sy = sqrt(found.cov[INTRA_LENS_CY][INTRA_LENS_CY]);
        if (!(hypot(dx, dy) < 4.5 && fabs(dx) < 4 * sx && fabs(dy) < 4 * sy))
            fail_msg("f %g: %+.2f (sd %.2f), %+.2f (sd %.2f) px off", f[i], dx, sx, dy, sy);
        drop(d);
    }
}

/* What is assumed of the centre says so, in every output that names the lens. */
static void the_centre_says_where_it_is_from(void **state)
{
    struct intra_camera assumed = lens_of(578, 0.1, 0), lens = assumed;
    (void)state;
    snprintf(assumed.source, sizeof assumed.source, "a field of view");
    for (int is_whole = 0; is_whole < 2; is_whole++) {
        intra_lens_name(&assumed, is_whole, false, 0.007, 0.004, NAN, &lens);
        assert_non_null(strstr(lens.source, "centre assumed in the picture's middle"));
        intra_lens_name(&assumed, is_whole, false, 0.007, 0.004, 1.23, &lens);
        assert_non_null(strstr(lens.source, "centre (to 1.2 px) estimated"));
    }
}

static void distortion_with_held_focal_length(void **state)
{
    struct intra_camera truth = lens_of(578, 0.15, -0.02), lens = lens_of(578, 0.05, 0.05);
    struct drive *d = make(&truth, 5, 1);
    struct intra_lens_prior prior = prior_of(true, 1);
    struct intra_lens_solution found;
    (void)state;
    assert_int_equal(intra_lens_solve(&d->scene, &prior, &lens, &found, NULL), INTRA_OK);
    assert_true(fabs(lens.fx / 578 - 1) < 1e-4);
    assert_true(worst_angle(&lens, &truth) < 0.01);
    drop(d);
}

static void too_little_is_refused(void **state)
{
    struct intra_camera truth = lens_of(578, 0.15, -0.02);
    struct drive *d = make(&truth, 5, 1);
    struct intra_lens_prior prior = prior_of(false, 1);
    struct intra_lens_solution found;
    (void)state;
    d->scene.n_tracks = 10;
    assert_int_equal(intra_lens_solve(&d->scene, &prior, &truth, &found, NULL), INTRA_E_DEGENERATE);
    drop(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lens_with_known_way),
        cmocka_unit_test(lens_of_a_wide_field),
        cmocka_unit_test(centre_beside_the_middle),
        cmocka_unit_test(the_centre_says_where_it_is_from),
        cmocka_unit_test(distortion_with_held_focal_length),
        cmocka_unit_test(too_little_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
