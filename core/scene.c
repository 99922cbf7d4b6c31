/* The scene: growing arrays, the section's measures, and points on the wall. */
#include "core/scene.h"

#include "core/mem.h"

#include <string.h>

const char *intra_frame_state_name(enum intra_frame_state state)
{
    switch (state) {
    case INTRA_STATE_DRIVE:
        return "drive";
    case INTRA_STATE_REVERSE:
        return "reverse";
    case INTRA_STATE_STOP:
        return "stop";
    case INTRA_STATE_PAN:
        return "pan";
    case INTRA_STATE_LOST:
        return "lost";
    case INTRA_STATE_NOT_PIPE:
        return "not_pipe";
    case INTRA_STATE_DUPLICATE:
        return "duplicate";
    }
    return "unknown";
}

const char *intra_feature_kind_name(enum intra_feature_kind kind)
{
    switch (kind) {
    case INTRA_FEATURE_JOINT:
        return "joint";
    case INTRA_FEATURE_LATERAL:
        return "lateral";
    case INTRA_FEATURE_BEND:
        return "bend";
    case INTRA_FEATURE_WATER:
        return "water";
    }
    return "unknown";
}

struct intra_feature intra_feature_unknown(void)
{
    return (struct intra_feature){.kind = INTRA_FEATURE_JOINT,
                                  .station_m = NAN,
                                  .station_sd_m = NAN,
                                  .station_to_m = NAN,
                                  .station_to_sd_m = NAN,
                                  .gap_m = NAN,
                                  .gap_sd_m = NAN,
                                  .offset_m = NAN,
                                  .offset_sd_m = NAN,
                                  .offset_clock_rad = NAN,
                                  .offset_clock_sd_rad = NAN,
                                  .deflection_rad = NAN,
                                  .deflection_sd_rad = NAN,
                                  .deflection_clock_rad = NAN,
                                  .clock_rad = NAN,
                                  .clock_sd_rad = NAN,
                                  .diameter_m = NAN,
                                  .diameter_sd_m = NAN,
                                  .intrusion_m = NAN,
                                  .intrusion_sd_m = NAN,
                                  .angle_rad = NAN,
                                  .angle_sd_rad = NAN,
                                  .radius_m = NAN,
                                  .radius_sd_m = NAN,
                                  .level_pct = NAN,
                                  .level_sd_pct = NAN,
                                  .confidence = NAN};
}

void intra_scene_init(struct intra_scene *scene)
{
    memset(scene, 0, sizeof *scene);
}

void intra_scene_fini(struct intra_scene *scene)
{
    intra_free(scene->frames);
    intra_free(scene->sections);
    intra_free(scene->features);
    intra_free(scene->gaps);
    intra_raster_destroy(&scene->wall.colour);
    intra_raster_destroy(&scene->wall.relief);
    intra_raster_destroy(&scene->wall.coverage);
    memset(scene, 0, sizeof *scene);
}

/* Put one item at the end of an array that doubles when full. */
static enum intra_status append(void **items, int64_t *n, int64_t *cap, const void *item, size_t size, const char *what,
                                struct intra_error *err)
{
    if (*n == *cap) {
        int64_t next = *cap ? 2 * *cap : 64;
        void *grown = intra_resize(*items, (size_t)*cap, (size_t)next, size);
        if (!grown)
            return INTRA_FAIL(err, INTRA_E_MEM, "out of memory for %lld %s; close other programs", (long long)next,
                              what);
        *items = grown;
        *cap = next;
    }
    memcpy((char *)*items + (size_t)*n * size, item, size);
    ++*n;
    return INTRA_OK;
}

enum intra_status intra_scene_add_frame(struct intra_scene *scene, const struct intra_frame_record *frame,
                                        struct intra_error *err)
{
    return append((void **)&scene->frames, &scene->n_frames, &scene->cap_frames, frame, sizeof *frame, "frames", err);
}

enum intra_status intra_scene_add_section(struct intra_scene *scene, const struct intra_section *section,
                                          struct intra_error *err)
{
    return append((void **)&scene->sections, &scene->n_sections, &scene->cap_sections, section, sizeof *section,
                  "sections", err);
}

enum intra_status intra_scene_add_feature(struct intra_scene *scene, const struct intra_feature *feature,
                                          struct intra_error *err)
{
    return append((void **)&scene->features, &scene->n_features, &scene->cap_features, feature, sizeof *feature,
                  "features", err);
}

enum intra_status intra_scene_add_gap(struct intra_scene *scene, const struct intra_gap *gap, struct intra_error *err)
{
    return append((void **)&scene->gaps, &scene->n_gaps, &scene->cap_gaps, gap, sizeof *gap, "gaps", err);
}

/* r(theta) of the harmonics a, b; slope (may be NULL): dr/dtheta. cos and sin of k theta by the angle-sum recurrence.
 */
static double harmonics(const double *a, const double *b, double theta, double *slope)
{
    double c1 = cos(theta), s1 = sin(theta), c = c1, s = s1, r = a[0], d = 0;
    for (int k = 1; k <= INTRA_SECTION_HARMONICS; k++) {
        double next = c * c1 - s * s1;
        r += a[k] * c + b[k] * s;
        d += k * (b[k] * c - a[k] * s);
        s = s * c1 + c * s1;
        c = next;
    }
    if (slope) *slope = d;
    return r;
}

/* The posed frame whose camera stood nearest; NULL: none. */
static const struct intra_frame_record *nearest_frame(const struct intra_scene *scene, double station_m)
{
    const struct intra_frame_record *found = NULL;
    double nearest = INFINITY;
    for (int64_t i = 0; i < scene->n_frames; i++) {
        const struct intra_frame_record *frame = &scene->frames[i];
        if (!frame->is_posed || !(fabs(frame->station_m - station_m) < nearest)) continue;
        nearest = fabs(frame->station_m - station_m);
        found = frame;
    }
    return found;
}

double intra_scene_station_sd(const struct intra_scene *scene, double station_m)
{
    const struct intra_frame_record *frame = nearest_frame(scene, station_m);
    return frame && isfinite(frame->station_sd_m) ? frame->station_sd_m : 0;
}

double intra_scene_roll_sd(const struct intra_scene *scene, double station_m)
{
    const struct intra_frame_record *frame = nearest_frame(scene, station_m);
    return frame && isfinite(frame->roll_sd_rad) ? frame->roll_sd_rad : 0;
}

double intra_section_radius(const struct intra_section *section, double theta_rad)
{
    return harmonics(section->a, section->b, theta_rad, NULL);
}

/* Vertex of the parabola through three equally spaced values around the middle one: offset in steps, value in *peak. */
static double parabola_vertex(double before, double here, double after, double *peak)
{
    double bend = before - 2 * here + after, slope = (after - before) / 2;
    if (fabs(bend) <= 1e-14 * fabs(here) || fabs(slope) >= fabs(bend)) { /* flat, as on a circle */
        *peak = here;
        return 0;
    }
    *peak = here - slope * slope / (2 * bend);
    return -slope / bend;
}

/* Diameter at clock angle theta: the chord through the centre, d = r(theta) + r(theta + pi), theta in [0, pi). That is
 * what a measuring rod or a laser ring through the axis gives, and what ASTM F1216 takes. (The caliper width between
 * parallel jaws would be the alternative; on an ellipse both have the same extremes.) Mean over theta: 2 a[0], the odd
 * harmonics and the means of the even ones being zero. Perimeter: trapezoid sum of sqrt(r^2 + r'^2), which converges
 * faster than any power for a periodic curve. */
void intra_section_measure(struct intra_section *section)
{
    enum { STEPS = 180 };
    double d[STEPS], perimeter = 0;
    int low = 0, high = 0;
    for (int i = 0; i < STEPS; i++) {
        double theta = M_PI * i / STEPS, slope[2];
        double r0 = harmonics(section->a, section->b, theta, &slope[0]);
        double r1 = harmonics(section->a, section->b, theta + M_PI, &slope[1]);
        d[i] = r0 + r1;
        perimeter += sqrt(r0 * r0 + slope[0] * slope[0]) + sqrt(r1 * r1 + slope[1] * slope[1]);
        if (d[i] < d[low]) low = i;
        if (d[i] > d[high]) high = i;
    }
    double mean = 2 * section->a[0], least, most;
    double at = low + parabola_vertex(d[(low + STEPS - 1) % STEPS], d[low], d[(low + 1) % STEPS], &least);
    parabola_vertex(d[(high + STEPS - 1) % STEPS], d[high], d[(high + 1) % STEPS], &most);
    at = fmod(at + STEPS, STEPS) * M_PI / STEPS;
    section->diameter_mean_m = mean;
    section->diameter_min_m = least;
    section->diameter_max_m = most;
    section->perimeter_m = perimeter * M_PI / STEPS;
    section->min_clock_rad = at < M_PI ? at : 0;
    section->ovality_pct = mean > 0 ? 100 * (mean - least) / mean : NAN;
    section->ovality_max_pct = mean > 0 ? 100 * (most - mean) / mean : NAN;
}

static struct intra_vec3 column(const struct intra_mat3 *a, int j)
{
    return intra_vec3(a->m[0][j], a->m[1][j], a->m[2][j]);
}

static struct intra_vec3 mix(struct intra_vec3 a, struct intra_vec3 b, double k)
{
    return intra_add(intra_scale(a, 1 - k), intra_scale(b, k));
}

/* Index i with sections[i].station <= s <= sections[i + 1].station; -1 outside. */
static int64_t find_section(const struct intra_scene *scene, double s)
{
    const struct intra_section *sec = scene->sections;
    int64_t low = 0, high = scene->n_sections - 1;
    double slack = 1e-9 * (1 + fabs(s)); /* a station computed in two ways must not fall off the end */
    if (high < 1 || !(s >= sec[0].station_m - slack && s <= sec[high].station_m + slack)) return -1;
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (sec[middle].station_m <= s)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* Between two sections: the centre runs on the cubic with the sections' own tangents (a straight chord would cut 0.3 mm
 * off a bend of 1 m radius at 50 mm steps), the harmonics and the frame's columns linearly, made orthonormal again. The
 * columns (tangent, right, crown) are left-handed, so that there is no rotation between them to slerp on. */
void intra_section_frame(const struct intra_section *p, double k, struct intra_vec3 *out_centre,
                         struct intra_vec3 *out_right, struct intra_vec3 *out_crown)
{
    const struct intra_section *q = p + 1;
    double step = q->station_m - p->station_m;
    struct intra_vec3 tp = column(&p->world_from_sec, 0), tq = column(&q->world_from_sec, 0);
    struct intra_vec3 centre =
        intra_add(mix(p->centre, q->centre, k * k * (3 - 2 * k)),
                  intra_add(intra_scale(tp, step * k * (1 - k) * (1 - k)), intra_scale(tq, -step * k * k * (1 - k))));
    struct intra_vec3 tangent = intra_unit(mix(tp, tq, k));
    struct intra_vec3 crown = mix(column(&p->world_from_sec, 2), column(&q->world_from_sec, 2), k);
    crown = intra_unit(intra_mad(crown, -intra_dot(crown, tangent), tangent));
    struct intra_vec3 right = mix(column(&p->world_from_sec, 1), column(&q->world_from_sec, 1), k);
    right = intra_mad(right, -intra_dot(right, tangent), tangent);
    *out_right = intra_unit(intra_mad(right, -intra_dot(right, crown), crown));
    *out_crown = crown;
    *out_centre = centre;
}

bool intra_scene_wall_point(const struct intra_scene *scene, double station_m, double theta_rad, double relief_m,
                            struct intra_vec3 *out_point, struct intra_vec3 *out_normal)
{
    int64_t i = find_section(scene, station_m);
    if (i < 0 || !isfinite(theta_rad) || !isfinite(relief_m)) return false;
    const struct intra_section *p = &scene->sections[i], *q = p + 1;
    double step = q->station_m - p->station_m, k = step > 0 ? (station_m - p->station_m) / step : 0;
    k = k < 0 ? 0 : k > 1 ? 1 : k;
    struct intra_vec3 centre, right, crown;
    intra_section_frame(p, k, &centre, &right, &crown);
    double a[INTRA_SECTION_HARMONICS + 1], b[INTRA_SECTION_HARMONICS + 1], slope;
    for (int n = 0; n <= INTRA_SECTION_HARMONICS; n++) {
        a[n] = (1 - k) * p->a[n] + k * q->a[n];
        b[n] = (1 - k) * p->b[n] + k * q->b[n];
    }
    double r = harmonics(a, b, theta_rad, &slope), c = cos(theta_rad), s = sin(theta_rad);
    struct intra_vec3 out = intra_add(intra_scale(crown, c), intra_scale(right, s));
    *out_point = intra_mad(centre, r + relief_m, out);
    if (out_normal) { /* of the fitted section's curve, turned inwards */
        struct intra_vec3 along = intra_sub(intra_scale(right, c), intra_scale(crown, s));
        *out_normal = intra_unit(intra_sub(intra_scale(along, slope), intra_scale(out, r)));
    }
    return true;
}
