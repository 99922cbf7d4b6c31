/* Looking for an observation on the wall, by what it is: cracks as lines, holes, deposits, roots and connections as
 * areas, joints among the joints found. Also takes what the same look gives of its extent. */
#include "recon/locate.h"

#include "core/defect_kind.h"
#include "core/mem.h"
#include "recon/locate_area.h"
#include "recon/locate_line.h"
#include "recon/locate_rim.h"
#include "recon/stub.h"
#include "recon/wall_patch.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define REACH_SD 2.2       /* deviations of the record that are searched */
#define LEAST_STRENGTH 4.0 /* of a crack over the texture */
#define MOUTH_STATION_SD_M 0.004 /* what light does to the edges of a mouth */
#define MOUTH_SD 0.03            /* of a diameter; */
#define STUB_SD 0.17             /* where a stub stands in, whose outer side and rim are seen; */
#define UNCLEAR_SD 0.2           /* and where its edge is not sure */
#define LEAST_GAIN 0.5  /* squared deviations; two records exchange what they found for it */
#define NEAR_JOINT_M 0.02
#define END_M 0.06         /* of a line, for its direction */
#define LEAST_WEIGHT 0.1   /* what lies where nobody recorded it is something else */

static double wrap_2pi(double a)
{
    a = fmod(a, 2 * M_PI);
    return a < 0 ? a + 2 * M_PI : a;
}

static struct intra_expected expected_of(const struct intra_wall_region *r)
{
    double span = r->clock_to_rad - r->clock_from_rad;
    if (span < 0) span += 2 * M_PI;
    return (struct intra_expected){.station_m = (r->station_from_m + r->station_to_m) / 2,
                                   .theta_rad = r->clock_from_rad + span / 2,
                                   .half_station_m = (r->station_to_m - r->station_from_m) / 2,
                                   .half_theta_rad = span / 2,
                                   .station_sd_m = fmax(r->station_sd_m, 0.005),
                                   .theta_sd_rad = fmax(r->clock_sd_rad, 0.02)};
}

static void keep(struct intra_place *place, const char *why)
{
    char said[sizeof place->reason];
    snprintf(said, sizeof said, "%s", place->reason);
    snprintf(place->reason, sizeof place->reason, "%.80s; not refined: %.90s", said, why);
}

static void took(struct intra_place *place, const char *what)
{
    char said[sizeof place->reason];
    snprintf(said, sizeof said, "%s", place->reason);
    snprintf(place->reason, sizeof place->reason, "%.100s; refined on %.70s", said, what);
    place->is_refined = true;
}

static void put_outline(struct intra_place *place, double (*outline)[2], int n, bool is_line)
{
    intra_free(place->outline);
    place->outline = outline;
    place->n_outline = n;
    place->is_line = is_line;
}

/* Length of an open line on the wall: along the pipe and around it on its own section. */
static double line_length(const struct intra_scene *scene, const double (*pt)[2], int n)
{
    double sum = 0;
    for (int i = 1; i < n; i++) {
        double s = (pt[i][0] + pt[i - 1][0]) / 2, a = (pt[i][1] + pt[i - 1][1]) / 2, r = intra_wall_radius(scene, s, a);
        if (!isfinite(r)) r = scene->nominal_diameter_m / 2;
        sum += hypot(pt[i][0] - pt[i - 1][0], r * (pt[i][1] - pt[i - 1][1]));
    }
    return sum;
}

static int joints_near(const struct intra_scene *scene, double from_m, double to_m, double *out, int cap)
{
    int n = 0;
    for (int64_t i = 0; i < scene->n_features && n < cap; i++)
        if (scene->features[i].kind == INTRA_FEATURE_JOINT && scene->features[i].station_m > from_m &&
            scene->features[i].station_m < to_m)
            out[n++] = scene->features[i].station_m;
    return n;
}

/* Lines along a joint's ring are not looked for beside it (recon/locate_line), and its ring breaks others: one that
 * ends there, and does not run along the pipe, may run on. */
static bool runs_into_joint(const struct intra_wall_patch *p, const struct intra_line *line, const double *joints,
                            int n_joints)
{
    for (int end = 0; end < 2; end++) {
        const double *at = line->points[end ? line->n - 1 : 0], *inner = at;
        for (int i = 0; i < line->n && hypot(inner[0] - at[0], p->radius_m * (inner[1] - at[1])) < END_M; i++)
            inner = line->points[end ? line->n - 1 - i : i];
        if (fabs(inner[0] - at[0]) > 2 * p->radius_m * fabs(inner[1] - at[1])) continue;
        for (int j = 0; j < n_joints; j++)
            if (fabs(at[0] - joints[j]) < NEAR_JOINT_M) return true;
    }
    return false;
}

/* What other observations were found on: cells of the patch within a margin of a line, or inside the frame of an area.
 * *out is NULL where there is nothing of that. */
static enum intra_status mark_taken(const struct intra_wall_patch *p, const struct intra_inspection *all,
                                    const uint8_t *claims, uint8_t **out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const double margin = 0.008;
    *out = NULL;
    for (int64_t i = 0; i < all->n_observations; i++) {
        const struct intra_place *other = &all->observations[i].place;
        if (!claims[i] || !other->is_refined || !other->outline) continue;
        if (!*out) INTRA_TRY(INTRA_ALLOC(*out, (size_t)p->rows * (size_t)p->cols, err));
        double s0 = other->refined.station_from_m - margin, s1 = other->refined.station_to_m + margin;
        double span = wrap_2pi(other->refined.clock_to_rad - other->refined.clock_from_rad), pad = margin / p->radius_m;
        for (int c = 0; c < p->cols; c++) {
            double s = p->station0_m + c * p->ds_m;
            if (s < s0 || s > s1) continue;
            for (int r = 0; r < p->rows; r++) {
                double theta = p->theta0_rad + r * p->dtheta_rad;
                bool is_inside = wrap_2pi(theta - other->refined.clock_from_rad + pad) < span + 2 * pad;
                if (is_inside && other->is_line) {
                    is_inside = false;
                    for (int k = 0; k < other->n_outline && !is_inside; k++)
                        is_inside = hypot(s - other->outline[k][0],
                                          p->radius_m * intra_wrap_pi(theta - other->outline[k][1])) < margin;
                }
                if (is_inside) (*out)[(size_t)r * (size_t)p->cols + (size_t)c] = 1;
            }
        }
    }
done:
    return status;
}

static enum intra_status refine_crack(const struct intra_scene *scene, const struct intra_inspection *all,
                                      const uint8_t *claims, struct intra_observation *seen, struct intra_error *err)
{
    enum { MAX_JOINTS = 64 };
    enum intra_status status = INTRA_OK;
    struct intra_place *place = &seen->place;
    struct intra_extent *extent = &seen->extent;
    struct intra_expected e = expected_of(&place->recorded);
    struct intra_wall_patch patch = {0};
    struct intra_line line = {0};
    uint8_t *taken = NULL;
    bool is_cut;
    struct intra_line_width width;
    double reach = REACH_SD * e.station_sd_m + 0.3, joints[MAX_JOINTS], from = INFINITY, to = -INFINITY, a0 = INFINITY,
           a1 = -INFINITY;
    char why[96] = "";
    int n_joints = joints_near(scene, e.station_m - e.half_station_m - reach, e.station_m + e.half_station_m + reach,
                               joints, MAX_JOINTS);
    status = intra_wall_patch_read_light(scene, e.station_m - e.half_station_m - reach,
                                         e.station_m + e.half_station_m + reach, e.theta_rad,
                                         e.half_theta_rad + REACH_SD * e.theta_sd_rad + 0.6, 1, &patch, err);
    if (status == INTRA_E_NO_RESULT) {
        keep(place, "the wall was not seen there");
        return INTRA_OK;
    }
    if (status != INTRA_OK) return status;
    INTRA_TRY(mark_taken(&patch, all, claims, &taken, err));
    INTRA_TRY(intra_line_find(&patch, &e, joints, n_joints, taken, &line, why, sizeof why, err));
    double weight = 0;
    for (int i = 0; i < line.n; i++) {
        from = fmin(from, line.points[i][0]);
        to = fmax(to, line.points[i][0]);
        a0 = fmin(a0, line.points[i][1]);
        a1 = fmax(a1, line.points[i][1]);
        weight = fmax(weight, intra_expected_weight(&e, line.points[i][0], line.points[i][1]));
    }
    if (line.points && line.strength < LEAST_STRENGTH)
        snprintf(why, sizeof why, "the dark line there hardly stands out (%.1f times the texture)", line.strength);
    else if (line.points && weight < LEAST_WEIGHT)
        snprintf(why, sizeof why, "the nearest dark line is too far from where it was recorded");
    if (why[0]) {
        keep(place, why);
        goto done;
    }
    double res = 0.002;
    if (intra_line_measure_width(&patch, (const double(*)[2])line.points, line.n, &width, err)) {
        extent->width_m = width.width_m;
        extent->width_sd_m = width.width_sd_m;
        extent->is_width_limit = width.is_limit;
        extent->resolution_m = res = width.resolution_m;
        extent->n_views = patch.views;
    }
    extent->length_m = line_length(scene, (const double(*)[2])line.points, line.n);
    extent->length_sd_m = hypot(2 * res, 0.01 * extent->length_m); /* two ends, and the scale of the picture */
    is_cut = runs_into_joint(&patch, &line, joints, n_joints);
    if (is_cut) extent->length_sd_m = hypot(extent->length_sd_m, M_PI / 2 * patch.radius_m); /* a quarter of the ring */
    extent->length_along_m = to - from;
    extent->length_along_sd_m = hypot(2 * res, 0.01 * (to - from));
    extent->ring_share_pct = 100 * fmin(1, (a1 - a0) / (2 * M_PI));
    extent->ring_share_sd_pct = is_cut ? 25 : 100 * 2 * res / (2 * M_PI * patch.radius_m);
    if (isfinite(extent->width_m) && !extent->is_width_limit) {
        extent->area_m2 = extent->length_m * extent->width_m;
        extent->area_sd_m2 = hypot(extent->length_sd_m * extent->width_m, extent->length_m * extent->width_sd_m);
    }
    place->refined = (struct intra_wall_region){from,         to,           fmax(2 * res, 0.002),
                                                wrap_2pi(a0), wrap_2pi(a1), 2 * res / patch.radius_m};
    put_outline(place, line.points, line.n, true);
    line.points = NULL;
    took(place, is_cut ? "the dark line visible there, which runs into a joint" : "the dark line visible there");
done:
    intra_free(line.points);
    intra_free(taken);
    intra_wall_patch_fini(&patch);
    return status;
}

static void put_area(const struct intra_wall_patch *patch, struct intra_area *area, struct intra_observation *seen)
{
    struct intra_extent *x = &seen->extent;
    double along = area->station_to_m - area->station_from_m;
    double around = (area->theta_to_rad - area->theta_from_rad) * patch->radius_m, sd = fmax(area->resolution_m, 0.002);
    double loose = area->spread / 2; /* of a length; the middle moves by half of it */
    x->length_m = fmax(along, around);
    x->length_sd_m = hypot(1.5 * sd, loose * x->length_m);
    x->length_along_m = along;
    x->length_along_sd_m = hypot(1.5 * sd, loose * along);
    x->width_m = around;
    x->width_sd_m = hypot(1.5 * sd, loose * around);
    x->area_m2 = area->area_m2;
    x->area_sd_m2 = area->area_sd_m2;
    x->ring_share_pct = 100 * area->ring_share;
    x->ring_share_sd_pct = 100 * x->width_sd_m / (2 * M_PI * patch->radius_m);
    x->resolution_m = area->resolution_m;
    x->n_views = patch->views;
    seen->place.refined = (struct intra_wall_region){.station_from_m = area->station_from_m,
                                                     .station_to_m = area->station_to_m,
                                                     .station_sd_m = hypot(sd, loose / 2 * along),
                                                     .clock_from_rad = wrap_2pi(area->theta_from_rad),
                                                     .clock_to_rad = wrap_2pi(area->theta_to_rad),
                                                     .clock_sd_rad = hypot(sd, loose / 2 * around) / patch->radius_m};
    if (area->theta_to_rad - area->theta_from_rad >= 2 * M_PI - 1e-6) {
        seen->place.refined.clock_from_rad = 0;
        seen->place.refined.clock_to_rad = 2 * M_PI;
    }
    put_outline(&seen->place, area->outline, area->n_outline, false);
    area->outline = NULL;
}

/* The rim of an opening that was found, on the wall's own cells. What is not clear stays as it is. */
static enum intra_status refine_rim(const struct intra_scene *scene, bool is_mouth, struct intra_area *area,
                                    bool *out_is_clear, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_wall_patch patch = {0};
    struct intra_rim rim;
    double along = area->station_to_m - area->station_from_m, around = area->theta_to_rad - area->theta_from_rad;
    double s = (area->station_from_m + area->station_to_m) / 2, radius = scene->nominal_diameter_m / 2;
    double beside = 1.2 * fmax(along, around * radius) + 0.04;
    *out_is_clear = false;
    area->spread = 2 * UNCLEAR_SD;
    status = intra_wall_patch_read(scene, s - along / 2 - beside, s + along / 2 + beside,
                                   (area->theta_from_rad + area->theta_to_rad) / 2,
                                   fmin(0.98 * M_PI, around / 2 + beside / radius),
                                   (int)fmax(1, lround(0.001 / scene->wall.texel_m)), &patch, err);
    if (status == INTRA_E_NO_RESULT) return INTRA_OK;
    if (status != INTRA_OK) return status;
    INTRA_TRY(intra_rim_find(&patch, area, is_mouth, out_is_clear, &rim, err));
    if (*out_is_clear) INTRA_TRY(intra_rim_put(&rim, patch.radius_m, area, err));
    if (*out_is_clear) area->spread = rim.spread;
done:
    intra_wall_patch_fini(&patch);
    return status;
}

/* A connection's mouth cut out of the pipe is d long along the pipe, and around it an arc of 2 R asin(d / 2 R). */
static void put_lateral(const struct intra_wall_patch *patch, const struct intra_area *area, bool is_clear,
                        struct intra_extent *x)
{
    double r = patch->radius_m, around = (area->theta_to_rad - area->theta_from_rad) * r;
    double along = area->station_to_m - area->station_from_m, chord = 2 * r * sin(fmin(M_PI / 2, around / (2 * r)));
    double by_area = sqrt(4 * area->area_m2 / M_PI);
    x->diameter_m = (along + chord + by_area) / 3;
    x->diameter_sd_m = fmax(fmax(fabs(along - x->diameter_m), fabs(chord - x->diameter_m)), area->resolution_m);
    x->diameter_sd_m = fmax(x->diameter_sd_m, (is_clear ? MOUTH_SD : UNCLEAR_SD) * x->diameter_m);
    if (is_clear) x->diameter_sd_m = hypot(x->diameter_sd_m, area->spread / 2 * x->diameter_m);
}

/* The mouth as a circle on the wall, around the middle of the region. */
static enum intra_status draw_mouth(const struct intra_scene *scene, struct intra_place *place, double station_m,
                                    double theta_rad, double diameter_m, struct intra_error *err)
{
    enum { POINTS = 64 };
    enum intra_status status = INTRA_OK;
    double pipe = scene->nominal_diameter_m / 2, r = diameter_m / 2, half = asin(fmin(1, r / pipe));
    double(*outline)[2] = NULL;
    INTRA_TRY(INTRA_ALLOC(outline, POINTS, err));
    for (int i = 0; i < POINTS; i++) {
        double a = 2 * M_PI * i / POINTS;
        outline[i][0] = station_m + r * cos(a);
        outline[i][1] = theta_rad + asin(fmax(-1, fmin(1, r / pipe * sin(a))));
    }
    put_outline(place, outline, POINTS, false);
    place->refined.station_from_m = station_m - r;
    place->refined.station_to_m = station_m + r;
    place->refined.clock_from_rad = wrap_2pi(theta_rad - half);
    place->refined.clock_to_rad = wrap_2pi(theta_rad + half);
done:
    return status;
}

/* A connection that stands in is seen too far along: its place from the end of its stub, and how far that stands in.
 * Its diameter is the mean of what was seen and of the ring that the end makes, by their deviations. */
static enum intra_status refine_stub(const struct intra_scene *scene, bool is_clear, struct intra_observation *seen,
                                     struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_wall_region *r = &seen->place.refined;
    struct intra_extent *x = &seen->extent;
    struct intra_stub stub;
    double span = wrap_2pi(r->clock_to_rad - r->clock_from_rad), s = (r->station_from_m + r->station_to_m) / 2,
           theta = r->clock_from_rad + span / 2;
    INTRA_TRY(intra_stub_find(scene, s, theta, x->diameter_m / 2, x->diameter_sd_m / 2, &stub, err));
    if (!stub.is_found) {
        if (!is_clear) r->station_sd_m = fmax(r->station_sd_m, x->diameter_sd_m / 2);
        return INTRA_OK;
    }
    x->diameter_sd_m = fmax(x->diameter_sd_m, STUB_SD * x->diameter_m);
    intra_stub_share_diameter(&stub, &x->diameter_m, &x->diameter_sd_m);
    double ahead = stub.station_m - s, turn = intra_wrap_pi(stub.theta_rad - theta);
    r->station_from_m += ahead;
    r->station_to_m += ahead;
    r->station_sd_m = stub.station_sd_m;
    r->clock_from_rad = wrap_2pi(r->clock_from_rad + turn);
    r->clock_to_rad = wrap_2pi(r->clock_to_rad + turn);
    r->clock_sd_rad = stub.theta_sd_rad;
    for (int i = 0; i < seen->place.n_outline; i++) {
        seen->place.outline[i][0] += ahead;
        seen->place.outline[i][1] += turn;
    }
    x->depth_m = stub.intrusion_m;
    x->depth_sd_m = stub.intrusion_sd_m;
    if (!is_clear) {
        INTRA_TRY(draw_mouth(scene, &seen->place, stub.station_m, theta + turn, x->diameter_m, err));
        x->length_m = x->length_along_m = x->width_m = x->diameter_m;
        x->length_sd_m = x->length_along_sd_m = x->width_sd_m = x->diameter_sd_m;
        x->area_m2 = M_PI / 4 * x->diameter_m * x->diameter_m;
        x->area_sd_m2 = M_PI / 2 * x->diameter_m * x->diameter_sd_m;
        x->ring_share_pct = 100 * wrap_2pi(r->clock_to_rad - r->clock_from_rad) / (2 * M_PI);
        x->ring_share_sd_pct = x->ring_share_pct * x->diameter_sd_m / x->diameter_m;
    }
done:
    return status;
}

static enum intra_status refine_area(const struct intra_scene *scene, enum intra_defect_kind kind,
                                     const struct intra_inspection *all, const uint8_t *claims,
                                     struct intra_observation *seen, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_place *place = &seen->place;
    struct intra_expected e = expected_of(&place->recorded);
    struct intra_wall_patch patch = {0};
    struct intra_area area = {0};
    bool is_clear = true, is_opening = kind == INTRA_DEFECT_HOLE || kind == INTRA_DEFECT_LATERAL;
    struct intra_area_options o = {.is_loose = kind == INTRA_DEFECT_ROOT,
                                   .is_opening = is_opening,
                                   .least_m2 = kind == INTRA_DEFECT_DEPOSIT   ? 2e-3
                                               : kind == INTRA_DEFECT_LATERAL ? 1.5e-3
                                                                              : 3e-4,
                                   .least_fill = is_opening ? 0.75 : 0,
                                   .most_slim = is_opening ? 2.5 : 0,
                                   .least_weight = LEAST_WEIGHT,
                                   .join_m = kind == INTRA_DEFECT_ROOT ? 0.025 : 0};
    uint8_t *taken = NULL;
    double span = 2 * e.half_station_m, reach = fmax(REACH_SD * e.station_sd_m + 0.3, 0.8 * span + 0.2);
    char why[96] = "";
    int step = kind == INTRA_DEFECT_ROOT ? 1 : (int)fmax(1, lround(0.002 / scene->wall.texel_m));
    while ((span + 2 * reach) / (scene->wall.texel_m * step) * (scene->wall.rows / step) > 4e6)
        step++;
    status = intra_wall_patch_read(scene, e.station_m - span / 2 - reach, e.station_m + span / 2 + reach, e.theta_rad,
                                   M_PI, step, &patch, err);
    if (status == INTRA_E_NO_RESULT) {
        keep(place, "the wall was not seen there");
        return INTRA_OK;
    }
    if (status != INTRA_OK) return status;
    INTRA_TRY(mark_taken(&patch, all, claims, &taken, err));
    INTRA_TRY(intra_area_find(&patch, &e, &o, taken, &area, why, sizeof why, err));
    if (why[0]) {
        keep(place, why);
        goto done;
    }
    if (is_opening) INTRA_TRY(refine_rim(scene, kind == INTRA_DEFECT_LATERAL, &area, &is_clear, err));
    if (!is_clear) area.area_sd_m2 = fmax(area.area_sd_m2, area.spread * area.area_m2);
    put_area(&patch, &area, seen);
    if (kind == INTRA_DEFECT_LATERAL) {
        put_lateral(&patch, &area, is_clear, &seen->extent);
        place->refined.station_sd_m = hypot(place->refined.station_sd_m, MOUTH_STATION_SD_M);
        INTRA_TRY(refine_stub(scene, is_clear, seen, err));
    }
    took(place, is_clear ? "what differs from the wall there" : "what differs from the wall there, its edge not sure");
done:
    intra_free(area.outline);
    intra_free(taken);
    intra_wall_patch_fini(&patch);
    return status;
}

/* The joint found nearest by. */
static void refine_joint(const struct intra_scene *scene, struct intra_observation *seen)
{
    struct intra_place *place = &seen->place;
    const struct intra_feature *best = NULL;
    struct intra_expected e = expected_of(&place->recorded);
    double least = e.half_station_m + REACH_SD * e.station_sd_m;
    int within = 0;
    for (int64_t i = 0; i < scene->n_features; i++) {
        const struct intra_feature *f = &scene->features[i];
        double d = fabs(f->station_m - e.station_m);
        if (f->kind != INTRA_FEATURE_JOINT || d > e.half_station_m + REACH_SD * e.station_sd_m) continue;
        within++;
        if (d <= least) {
            least = d;
            best = f;
        }
    }
    if (!best) {
        keep(place, "no joint was found there");
        return;
    }
    if (within > 1 && least > e.station_sd_m) {
        keep(place, "more than one joint was found there");
        return;
    }
    double half = isfinite(best->gap_m) ? best->gap_m / 2 : 0;
    place->refined.station_from_m = best->station_m - half;
    place->refined.station_to_m = best->station_m + half;
    place->refined.station_sd_m = best->station_sd_m;
    seen->extent.opening_m = best->gap_m;
    seen->extent.opening_sd_m = best->gap_sd_m;
    seen->extent.depth_m = best->offset_m;
    seen->extent.depth_sd_m = best->offset_sd_m;
    took(place, "the joint found there");
}

/* Position again, now from the refined region. */
static void move_position(const struct intra_scene *scene, struct intra_place *place)
{
    const struct intra_wall_region *r = &place->refined;
    double span = r->clock_to_rad - r->clock_from_rad, s = (r->station_from_m + r->station_to_m) / 2;
    struct intra_vec3 x, ahead, aside;
    const double small = 0.005;
    if (span < 0) span += 2 * M_PI;
    double theta = r->clock_from_rad + span / 2;
    if (!intra_scene_wall_point(scene, s, theta, 0, &x, NULL)) return;
    place->x = x;
    if (!intra_scene_wall_point(scene, s - small, theta, 0, &ahead, NULL) ||
        !intra_scene_wall_point(scene, s, theta + small, 0, &aside, NULL))
        return;
    struct intra_vec3 along = intra_scale(intra_sub(ahead, x), r->station_sd_m / small);
    struct intra_vec3 around = intra_scale(intra_sub(aside, x), fmin(r->clock_sd_rad, M_PI / 2) / small);
    place->x_sd = intra_vec3(hypot(along.x, around.x), hypot(along.y, around.y), hypot(along.z, around.z));
}

static enum intra_status refine_one(const struct intra_scene *scene, const struct intra_inspection *all,
                                    const uint8_t *claims, struct intra_observation *seen, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    enum intra_defect_kind kind = intra_defect_kind_of(seen->system, seen->code);
    switch (kind) {
    case INTRA_DEFECT_CRACK:
        status = refine_crack(scene, all, claims, seen, err);
        break;
    case INTRA_DEFECT_HOLE:
    case INTRA_DEFECT_DEPOSIT:
    case INTRA_DEFECT_ROOT:
    case INTRA_DEFECT_LATERAL:
        status = refine_area(scene, kind, all, claims, seen, err);
        break;
    case INTRA_DEFECT_JOINT:
        refine_joint(scene, seen);
        break;
    default:
        break;
    }
    if (status == INTRA_OK && seen->place.is_refined) move_position(scene, &seen->place);
    return status;
}

static bool overlap(const struct intra_place *a, const struct intra_place *b)
{
    const struct intra_wall_region *p = &a->refined, *q = &b->refined;
    double both = fmin(p->station_to_m, q->station_to_m) - fmax(p->station_from_m, q->station_from_m);
    double shorter = fmin(p->station_to_m - p->station_from_m, q->station_to_m - q->station_from_m);
    double span_p = wrap_2pi(p->clock_to_rad - p->clock_from_rad),
           span_q = wrap_2pi(q->clock_to_rad - q->clock_from_rad);
    double middle = fabs(intra_wrap_pi(p->clock_from_rad + span_p / 2 - q->clock_from_rad - span_q / 2));
    return both > 0.5 * shorter && middle < 0.25 * (span_p + span_q) + 0.02;
}

/* Most of the line `a` lies where the area `b` was found: strands of roots, a hole's edge. */
static bool lies_on(const struct intra_place *a, const struct intra_place *b)
{
    const struct intra_wall_region *r = &b->refined;
    double span = r->clock_to_rad - r->clock_from_rad;
    int n = 0;
    if (span < 0) span += 2 * M_PI;
    for (int i = 0; i < a->n_outline; i++)
        n += a->outline[i][0] > r->station_from_m && a->outline[i][0] < r->station_to_m &&
             wrap_2pi(a->outline[i][1] - r->clock_from_rad) < span;
    return n > 0.7 * a->n_outline;
}

/* How badly what was found, a region, fits a record, in squared deviations: its middle, and its span around the pipe.
 */
static double misfit(const struct intra_place *record, const struct intra_place *found)
{
    struct intra_expected e = expected_of(&record->recorded), r = expected_of(&found->refined);
    double ds = (r.station_m - e.station_m) / e.station_sd_m,
           da = intra_wrap_pi(r.theta_rad - e.theta_rad) / e.theta_sd_rad,
           span = 2 * (r.half_theta_rad - e.half_theta_rad) / (M_SQRT2 * e.theta_sd_rad);
    return ds * ds + da * da + span * span;
}

static void forget_refined(struct intra_observation *seen, const struct intra_place *before)
{
    struct intra_extent *x = &seen->extent;
    double *values[] = {&x->length_m,       &x->length_sd_m,       &x->length_along_m, &x->length_along_sd_m,
                        &x->width_m,        &x->width_sd_m,        &x->area_m2,        &x->area_sd_m2,
                        &x->ring_share_pct, &x->ring_share_sd_pct, &x->diameter_m,     &x->diameter_sd_m,
                        &x->resolution_m,   &x->depth_m,           &x->depth_sd_m};
    intra_free(seen->place.outline);
    seen->place = *before;
    seen->place.outline = NULL; /* a detection's own is given up */
    seen->place.n_outline = 0;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        *values[i] = NAN;
    x->is_width_limit = false;
}

static void swap_bytes(void *a, void *b, size_t n)
{
    for (unsigned char *p = a, *q = b; n > 0; n--, p++, q++) {
        unsigned char kept = *p;
        *p = *q;
        *q = kept;
    }
}

/* What was found, its measures and how it was found change places; what was recorded stays. */
static void exchange(const struct intra_scene *scene, struct intra_observation *a, struct intra_observation *b)
{
    static const char how[] = "; refined on ";
    struct intra_observation *pair[] = {a, b};
    char said[2][sizeof a->place.reason], found[2][sizeof a->place.reason];
    for (int i = 0; i < 2; i++) {
        const char *at = strstr(pair[i]->place.reason, how);
        size_t n = at ? (size_t)(at - pair[i]->place.reason) : strlen(pair[i]->place.reason);
        snprintf(said[i], sizeof said[i], "%.*s", (int)n, pair[i]->place.reason);
        snprintf(found[i], sizeof found[i], "%s", at ? at + sizeof how - 1 : "");
    }
    for (int i = 0; i < 2; i++)
        snprintf(pair[i]->place.reason, sizeof pair[i]->place.reason, "%.100s%s%.75s", said[i], how, found[!i]);
    swap_bytes(&a->place.refined, &b->place.refined, sizeof a->place.refined);
    swap_bytes(&a->place.outline, &b->place.outline, sizeof a->place.outline);
    swap_bytes(&a->place.n_outline, &b->place.n_outline, sizeof a->place.n_outline);
    swap_bytes(&a->extent, &b->extent, sizeof a->extent);
    move_position(scene, &a->place);
    move_position(scene, &b->place);
}

/* Two records that found each other's thing exchange them where that fits what was recorded better. */
static void exchange_all(const struct intra_scene *scene, struct intra_observation *list, int64_t n)
{
    enum { MOST_ROUNDS = 8 };
    bool has_any = true;
    for (int round = 0; round < MOST_ROUNDS && has_any; round++) {
        has_any = false;
        for (int64_t i = 0; i < n; i++)
            for (int64_t k = i + 1; list[i].place.is_refined && k < n; k++) {
                struct intra_place *a = &list[i].place, *b = &list[k].place;
                if (!b->is_refined || !a->outline || !b->outline || a->is_line != b->is_line ||
                    fabs(a->refined.station_from_m - b->refined.station_from_m) > 2 ||
                    intra_defect_kind_of(list[i].system, list[i].code) !=
                        intra_defect_kind_of(list[k].system, list[k].code) ||
                    misfit(a, b) + misfit(b, a) >= misfit(a, a) + misfit(b, b) - LEAST_GAIN)
                    continue;
                exchange(scene, &list[i], &list[k]);
                has_any = true;
            }
    }
}

/* Two records may have gone for the same thing. The one that fits worse looks again, with what the other has left out;
 * so does a line that was found on an area. */
enum intra_status intra_locate_refine(const struct intra_scene *scene, struct intra_inspection *inspection,
                                      struct intra_error *err)
{
    enum { ROUNDS = 3 };
    enum intra_status status = INTRA_OK;
    int64_t n = inspection->n_observations;
    uint8_t *claims = NULL, *again = NULL;
    struct intra_observation *list = inspection->observations;
    struct intra_place *before = NULL;
    INTRA_TRY(INTRA_ALLOC(claims, (size_t)n + 1, err));
    INTRA_TRY(INTRA_ALLOC(again, (size_t)n + 1, err));
    INTRA_TRY(INTRA_ALLOC(before, (size_t)n + 1, err));
    for (int64_t i = 0; i < n; i++) {
        before[i] = list[i].place;
        if (list[i].place.is_placed) INTRA_TRY(refine_one(scene, inspection, claims, &list[i], err));
    }
    for (int round = 0; round < ROUNDS; round++) {
        bool has_any = false;
        memset(again, 0, (size_t)n + 1);
        for (int64_t i = 0; i < n; i++)
            for (int64_t k = i + 1; k < n; k++) {
                const struct intra_place *a = &list[i].place, *b = &list[k].place;
                if (!a->is_refined || !b->is_refined || !a->outline || !b->outline) continue;
                if (a->is_line != b->is_line ? !(a->is_line ? lies_on(a, b) : lies_on(b, a)) : !overlap(a, b)) continue;
                again[a->is_line != b->is_line ? (a->is_line ? i : k) : misfit(a, a) > misfit(b, b) ? i : k] = 1;
                has_any = true;
            }
        if (!has_any) break;
        for (int64_t i = 0; i < n; i++)
            claims[i] = list[i].place.is_refined && !again[i];
        for (int64_t i = 0; i < n; i++) {
            if (!again[i]) continue;
            forget_refined(&list[i], &before[i]);
            INTRA_TRY(refine_one(scene, inspection, claims, &list[i], err));
        }
    }
    exchange_all(scene, list, n);
done:
    intra_free(claims);
    intra_free(again);
    intra_free(before);
    return status;
}
