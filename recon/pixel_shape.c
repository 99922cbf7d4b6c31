/* A picture whose pixels are a times as wide as high, taken as square, shows a circle as an ellipse a times as tall as
 * wide: a second harmonic of the radius of (a - 1) / 2 about the vertical, if the camera stands upright. */
#include "recon/pixel_shape.h"

#include <math.h>

#define SQUARE 0.005 /* fy / fx beside 1 */
#define LEAST_SECTIONS 8
#define LEAST_LIKE 0.6 /* of what the pixels would make; an oval pipe comes out a little low */
#define MOST_LIKE 1.25
#define MOST_ASIDE 0.35 /* beside the vertical, and from section to section: deflection changes along a pipe */

double intra_pixel_aspect_usual(int width, int height)
{
    static const struct {
        int width, height;
    } sizes[] = {{720, 576}, {704, 576}, {720, 480}, {704, 480}, {352, 288}, {352, 240}, {480, 576}, {480, 480}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (sizes[i].width == width && sizes[i].height == height) return 4.0 / 3 * height / width;
    return 1;
}

bool intra_pixels_seem_unequal(const struct intra_scene *scene, double *out_tall_rel)
{
    const struct intra_camera *c = &scene->camera;
    double want = (intra_pixel_aspect_usual(c->width, c->height) - 1) / 2, up = 0, aside = 0, spread = 0;
    int64_t n = 0;
    if (want == 0 || fabs(c->fy / c->fx - 1) > SQUARE) return false;
    for (int64_t i = 0; i < scene->n_sections; i++) {
        const struct intra_section *s = &scene->sections[i];
        if (!s->is_seen || !(s->a[0] > 0)) continue;
        up += s->a[2] / s->a[0], aside += s->b[2] / s->a[0], n++;
    }
    if (n < LEAST_SECTIONS) return false;
    up /= (double)n, aside /= (double)n;
    for (int64_t i = 0; i < scene->n_sections; i++) {
        const struct intra_section *s = &scene->sections[i];
        if (s->is_seen && s->a[0] > 0) spread += pow(s->a[2] / s->a[0] - up, 2) / (double)n;
    }
    *out_tall_rel = 2 * up;
    return up / want > LEAST_LIKE && up / want < MOST_LIKE && fabs(aside) < MOST_ASIDE * fabs(up) &&
           sqrt(spread) < MOST_ASIDE * fabs(up);
}
