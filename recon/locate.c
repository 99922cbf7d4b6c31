/* Records and detections onto the wall.
 *
 * A record's distance d becomes station offset + d (offset - d where the record ran against the model). Where the
 * record also has a time of the video, the camera's station at that time, plus the look ahead, is a second opinion: the
 * counter drifts and is reset, the time does not, so that it wins where the two differ by more than a limit. A region
 * of a frame is carried along its rays onto the fitted section: march along the ray until it leaves the pipe, then
 * regula falsi. */
#include "recon/locate.h"

#include "core/mem.h"

#include <stdio.h>
#include <string.h>

#define RAY_REACH_DIAMETERS 8.0 /* farther on a pixel is decimetres of wall */
#define RAY_TOLERANCE_M 1e-8
#define PIXEL_SD 2.0            /* of a detector's outline */
#define CLOCK_UNKNOWN_SD (M_PI / 1.7320508)

enum { MOST_STEPS = 60 };

struct intra_locate_options intra_locate_defaults(void)
{
    return (struct intra_locate_options){
        .look_ahead_m = NAN, .station_sd_m = 0.3, .clock_sd_rad = M_PI / 6, .time_limit_m = 0.5};
}

static double wrap_2pi(double a)
{
    a = fmod(a, 2 * M_PI);
    return a < 0 ? a + 2 * M_PI : a;
}

/* ---- points and rays ---- */

static struct intra_vec3 column(const struct intra_mat3 *a, int j)
{
    return intra_vec3(a->m[0][j], a->m[1][j], a->m[2][j]);
}

/* The section at or before a station. */
static int64_t section_before(const struct intra_scene *scene, double station_m)
{
    int64_t low = 0, high = scene->n_sections - 1;
    while (high - low > 1) {
        int64_t mid = low + (high - low) / 2;
        if (scene->sections[mid].station_m <= station_m)
            low = mid;
        else
            high = mid;
    }
    return low;
}

/* Between two sections the planes across the axis fan out; the share of the way is where the point lies between both
 * planes. Walks to the neighbour until the share is inside. */
static bool locate(const struct intra_scene *scene, struct intra_vec3 p, double near_m,
                   const struct intra_section **out, double *out_k, double *out_theta_rad, double *out_radius_m)
{
    if (scene->n_sections < 2) return false;
    int64_t i = section_before(scene, near_m), last = scene->n_sections - 2;
    double k = 0;
    int way = 0;
    for (int64_t step = 0; step < scene->n_sections; step++) {
        const struct intra_section *a = &scene->sections[i], *b = a + 1;
        double before = intra_dot(intra_sub(p, a->centre), column(&a->world_from_sec, 0));
        double behind = intra_dot(intra_sub(b->centre, p), column(&b->world_from_sec, 0));
        if (before < 0 && i > 0 && way <= 0) {
            i--;
            way = -1;
        } else if (behind < 0 && i < last && way >= 0) {
            i++;
            way = 1;
        } else {
            k = before + behind != 0 ? before / (before + behind) : 0;
            if ((i == 0 && k < -0.02) || (i == last && k > 1.02)) return false;
            break;
        }
    }
    struct intra_vec3 centre, right, crown, d;
    k = k < 0 ? 0 : k > 1 ? 1 : k;
    intra_section_frame(&scene->sections[i], k, &centre, &right, &crown);
    d = intra_sub(p, centre);
    double up = intra_dot(d, crown), aside = intra_dot(d, right);
    *out = &scene->sections[i];
    *out_k = k;
    *out_theta_rad = wrap_2pi(atan2(aside, up));
    *out_radius_m = hypot(up, aside);
    return true;
}

static double station_between(const struct intra_section *a, double k)
{
    return a->station_m + k * (a[1].station_m - a->station_m);
}

bool intra_locate_point(const struct intra_scene *scene, struct intra_vec3 p, double near_m, double *out_station_m,
                        double *out_theta_rad, double *out_radius_m)
{
    const struct intra_section *a;
    double k;
    if (!locate(scene, p, near_m, &a, &k, out_theta_rad, out_radius_m)) return false;
    *out_station_m = station_between(a, k);
    return true;
}

/* How far outside the fitted wall a point lies (negative inside). */
static bool outside_by(const struct intra_scene *scene, struct intra_vec3 p, double *station, double *theta,
                       double *out)
{
    const struct intra_section *a;
    double r, k;
    if (!locate(scene, p, *station, &a, &k, theta, &r)) return false;
    *station = station_between(a, k);
    *out = r - (1 - k) * intra_section_radius(a, *theta) - k * intra_section_radius(a + 1, *theta);
    return true;
}

bool intra_locate_pixel(const struct intra_scene *scene, const struct intra_frame_record *frame, const double px[2],
                        double reach_m, double *out_station_m, double *out_theta_rad, double *out_range_m)
{
    struct intra_vec3 ray;
    if (!frame->is_posed || !intra_camera_unproject(&scene->camera, px, &ray)) return false;
    struct intra_vec3 o = frame->world_from_cam.t, d = intra_mat3_mul_vec(&frame->world_from_cam.r, ray);
    double step = 0.1 * scene->nominal_diameter_m, low = 0, high = 0, out = NAN;
    double station = frame->station_m, theta = 0;
    double out_low = NAN;
    bool is_hit = false;
    while (high < reach_m && !is_hit) {
        low = high;
        out_low = out;
        /* No nearer to the axis than this is the wall: that far, and no less than a step. */
        high += isfinite(out) ? fmax(step, -out) : step;
        /* The camera may stand before the first section: start where the ray meets the pipe. */
        if (!outside_by(scene, intra_mad(o, high, d), &station, &theta, &out)) {
            station = frame->station_m;
            out = NAN;
            continue;
        }
        is_hit = out >= 0;
    }
    if (!is_hit) return false;
    /* Regula falsi in the Illinois manner; half-way where an end has no value, and every third step, so that it ends.
     */
    double out_high = out;
    for (int i = 0, side = 0; i < MOST_STEPS && high - low > RAY_TOLERANCE_M; i++) {
        double share = isfinite(out_low) && i % 3 != 2 ? out_low / (out_low - out_high) : 0.5;
        double mid = low + fmin(0.999, fmax(0.001, share)) * (high - low), s = station, a;
        if (outside_by(scene, intra_mad(o, mid, d), &s, &a, &out) && out < 0) {
            if (side < 0) out_high /= 2;
            low = mid;
            out_low = out;
            side = -1;
        } else {
            if (side > 0) out_low /= 2;
            high = mid;
            out_high = fmax(0, out);
            side = 1;
        }
    }
    if (!outside_by(scene, intra_mad(o, high, d), &station, &theta, &out) ||
        fabs(out) > 0.05 * scene->nominal_diameter_m)
        return false; /* looked in through the open end */
    *out_station_m = station;
    *out_theta_rad = theta;
    if (out_range_m) *out_range_m = high;
    return true;
}

/* ---- frames ---- */

/* The frame shown at a time; NULL outside the video. */
static const struct intra_frame_record *frame_at(const struct intra_scene *scene, double time_s)
{
    const struct intra_frame_record *best = NULL;
    int64_t low = 0, high = scene->n_frames;
    if (!isfinite(time_s)) return NULL;
    while (low < high) {
        int64_t mid = low + (high - low) / 2;
        if (scene->frames[mid].pts_s <= time_s)
            low = mid + 1;
        else
            high = mid;
    }
    /* A record counts in whole seconds: a second past the end is still the end. */
    if (low > 0 && (low < scene->n_frames || time_s < scene->frames[low - 1].pts_s + 1)) best = &scene->frames[low - 1];
    return best;
}

static const struct intra_frame_record *frame_with_index(const struct intra_scene *scene, int64_t index)
{
    if (index < 0) return NULL;
    if (index < scene->n_frames && scene->frames[index].index == index) return &scene->frames[index];
    for (int64_t i = 0; i < scene->n_frames; i++)
        if (scene->frames[i].index == index) return &scene->frames[i];
    return NULL;
}

/* The posed frame that looks at a station from about one diameter before it. */
static const struct intra_frame_record *best_view(const struct intra_scene *scene, double station_m)
{
    const struct intra_frame_record *best = NULL;
    double want = station_m - scene->nominal_diameter_m, least = 2 * scene->nominal_diameter_m;
    for (int64_t i = 0; i < scene->n_frames; i++) {
        const struct intra_frame_record *f = &scene->frames[i];
        if (!f->is_posed || !isfinite(f->station_m) || f->station_m > station_m) continue;
        if (fabs(f->station_m - want) < least) {
            least = fabs(f->station_m - want);
            best = f;
        }
    }
    return best;
}

/* ---- one observation ---- */

static double look_ahead(const struct intra_scene *scene, const struct intra_locate_options *o)
{
    return isfinite(o->look_ahead_m) ? o->look_ahead_m : scene->nominal_diameter_m;
}

static double to_station(const struct intra_scene *scene, const struct intra_locate_options *o, double distance_m)
{
    double ahead = o->station_of == INTRA_STATION_OF_CAMERA ? look_ahead(scene, o) : 0;
    return o->station_offset_m + (o->is_opposite ? -1 : 1) * (distance_m + ahead);
}

static void put_clock(const struct intra_locate_options *o, const struct intra_observation *seen,
                      struct intra_wall_region *region)
{
    double from = seen->clock_from_rad, to = isfinite(seen->clock_to_rad) ? seen->clock_to_rad : from;
    region->clock_sd_rad = o->clock_sd_rad;
    if (!isfinite(from)) {
        from = 0;
        to = 2 * M_PI;
        region->clock_sd_rad = CLOCK_UNKNOWN_SD;
    } else if (to - from >= 2 * M_PI - 1e-9 || (from != 0 && fabs(to - from) < 1e-9 && isfinite(seen->clock_to_rad))) {
        /* whole ring; "12 to 12" has come in as 0 and 2 pi, "3 to 3" has not */
        from = to - from >= 2 * M_PI - 1e-9 ? 0 : from;
        to = from == 0 ? 2 * M_PI : from;
    } else if (o->is_opposite) {
        double turned = wrap_2pi(-to);
        to = wrap_2pi(-from);
        from = turned;
    }
    region->clock_from_rad = from;
    region->clock_to_rad = to;
}

/* Middle of a clock span that runs clockwise. */
static double clock_middle(const struct intra_wall_region *region)
{
    double span = region->clock_to_rad - region->clock_from_rad;
    if (span < 0) span += 2 * M_PI;
    return wrap_2pi(region->clock_from_rad + span / 2);
}

void intra_locate_position(const struct intra_scene *scene, struct intra_place *place)
{
    const struct intra_wall_region *region = place->is_refined ? &place->refined : &place->recorded;
    double s = (region->station_from_m + region->station_to_m) / 2, theta = clock_middle(region);
    struct intra_vec3 x, ahead, aside, normal;
    const struct intra_frame_record *view = best_view(scene, s);
    const double small = 0.01;
    if (view) {
        place->frame = view->index;
        place->time_s = view->pts_s;
    }
    if (!intra_scene_wall_point(scene, s, theta, 0, &x, &normal)) return;
    place->x = x;
    double step = intra_scene_wall_point(scene, s + small, theta, 0, &ahead, NULL) ? small : -small;
    if (step < 0 && !intra_scene_wall_point(scene, s - small, theta, 0, &ahead, NULL)) return;
    if (!intra_scene_wall_point(scene, s, theta + small, 0, &aside, NULL)) return;
    struct intra_vec3 along = intra_scale(intra_sub(ahead, x), region->station_sd_m / step);
    struct intra_vec3 around = intra_scale(intra_sub(aside, x), fmin(region->clock_sd_rad, M_PI / 2) / small);
    place->x_sd = intra_vec3(hypot(along.x, around.x), hypot(along.y, around.y), hypot(along.z, around.z));
}

/* Clip to the wall; false, with the reason, where nothing is left. */
static bool clip(const struct intra_scene *scene, struct intra_place *place)
{
    struct intra_wall_region *r = &place->recorded;
    double first = scene->n_sections ? scene->sections[0].station_m : NAN;
    double last = scene->n_sections ? scene->sections[scene->n_sections - 1].station_m : NAN;
    double slack = 2 * r->station_sd_m;
    if (!(r->station_to_m >= first - slack && r->station_from_m <= last + slack)) {
        snprintf(place->reason, sizeof place->reason,
                 "station %.2f m lies outside the reconstructed wall (%.2f to %.2f m)", r->station_from_m, first, last);
        return false;
    }
    return true;
}

static void place_by_record(const struct intra_scene *scene, const struct intra_locate_options *o,
                            struct intra_observation *seen)
{
    struct intra_place *place = &seen->place;
    const struct intra_frame_record *frame = frame_with_index(scene, seen->frame);
    const char *whose = o->station_of == INTRA_STATION_OF_CAMERA ? "camera" : "observation";
    double from = NAN, to = NAN, by_time = NAN, sd = o->station_sd_m;
    if (!frame) frame = frame_at(scene, seen->time_s);
    if (frame && isfinite(frame->station_m)) by_time = frame->station_m + look_ahead(scene, o);
    if (isfinite(seen->distance_m)) {
        from = to_station(scene, o, seen->distance_m);
        to = isfinite(seen->distance_to_m) ? to_station(scene, o, seen->distance_to_m) : from;
        snprintf(place->reason, sizeof place->reason, "by the record's distance, taken as that of the %s", whose);
    }
    /* The time of a continuous defect is that of its start. */
    if (isfinite(by_time) && !(fabs(by_time - from) <= o->time_limit_m)) {
        if (isfinite(from))
            snprintf(place->reason, sizeof place->reason,
                     "by the video's time: the distance says %.2f m, the time %.2f m (%.2f m ahead of the camera)",
                     from, by_time, look_ahead(scene, o));
        else
            snprintf(place->reason, sizeof place->reason, "by the video's time, %.2f m ahead of the camera",
                     look_ahead(scene, o));
        to = isfinite(to) ? to + by_time - from : by_time;
        from = by_time;
        sd = hypot(0.5 * look_ahead(scene, o), isfinite(frame->station_sd_m) ? frame->station_sd_m : 0);
    }
    if (!isfinite(from)) {
        snprintf(place->reason, sizeof place->reason, "%s",
                 isfinite(seen->time_s) || seen->frame >= 0
                     ? "no distance, and the camera has no station at that time of the video"
                     : "neither distance nor time in the record");
        return;
    }
    place->recorded.station_from_m = fmin(from, to);
    place->recorded.station_to_m = fmax(from, to);
    place->recorded.station_sd_m = sd;
    put_clock(o, seen, &place->recorded);
    place->is_placed = clip(scene, place);
    if (place->is_placed && !isfinite(seen->clock_from_rad))
        strncat(place->reason, "; no clock position given", sizeof place->reason - strlen(place->reason) - 1);
}

const struct intra_frame_record *intra_locate_frame(const struct intra_scene *scene,
                                                    const struct intra_frame_region *region)
{
    const struct intra_frame_record *frame = frame_with_index(scene, region->frame);
    if (!frame) frame = frame_at(scene, region->time_s);
    return frame && frame->is_posed ? frame : NULL;
}

int intra_locate_region(const struct intra_scene *scene, const struct intra_frame_region *region,
                        const struct intra_frame_record *frame, double (*out)[2], double *out_range_m)
{
    double sx = region->width_px > 0 ? (double)scene->camera.width / region->width_px : 1;
    double sy = region->height_px > 0 ? (double)scene->camera.height / region->height_px : 1;
    double range = 0;
    int n = 0;
    for (int i = 0; i < region->n_outline; i++) {
        const double *a = region->outline[i], *b = region->outline[(i + 1) % region->n_outline];
        for (int k = 0; k < INTRA_LOCATE_PIECES; k++) {
            double x = a[0] + (b[0] - a[0]) * k / INTRA_LOCATE_PIECES, y = a[1] + (b[1] - a[1]) * k / INTRA_LOCATE_PIECES;
            double px[2] = {(x + 0.5) * sx - 0.5, (y + 0.5) * sy - 0.5}, z;
            if (!intra_locate_pixel(scene, frame, px, RAY_REACH_DIAMETERS * scene->nominal_diameter_m, &out[n][0],
                                    &out[n][1], &z))
                continue;
            if (n > 0) out[n][1] = out[n - 1][1] + intra_wrap_pi(out[n][1] - out[n - 1][1]);
            range += z;
            n++;
        }
    }
    *out_range_m = n ? range / n : NAN;
    return n;
}

/* Of all regions the one whose wall is nearest to the camera while its whole outline still meets the wall. */
static enum intra_status place_by_regions(const struct intra_scene *scene, struct intra_observation *seen,
                                          struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_place *place = &seen->place;
    double(*outline)[2] = NULL, range, best = INFINITY, whole = 0;
    int unposed = 0;
    for (int i = 0; i < seen->n_regions; i++) {
        const struct intra_frame_region *region = &seen->regions[i];
        const struct intra_frame_record *frame = intra_locate_frame(scene, region);
        if (!frame || region->n_outline < 3) {
            unposed++;
            continue;
        }
        intra_free(outline);
        outline = NULL;
        INTRA_TRY(INTRA_ALLOC(outline, (size_t)region->n_outline * INTRA_LOCATE_PIECES, err));
        int n = intra_locate_region(scene, region, frame, outline, &range);
        double share = (double)n / (region->n_outline * INTRA_LOCATE_PIECES);
        if (n < 3 || share < 0.5 || share < whole - 0.05 || (share <= whole && range >= best)) continue;
        best = range;
        whole = share;
        intra_free(place->outline);
        place->outline = outline;
        place->n_outline = n;
        outline = NULL;
        place->frame = frame->index;
        place->time_s = frame->pts_s;
        double near_px = 1 / (scene->camera.fx * scene->nominal_diameter_m / 2); /* d station = z^2 / (f R) d px */
        place->recorded.station_sd_m = hypot(PIXEL_SD * range * range * near_px, 0.01 * range);
        place->recorded.clock_sd_rad = PIXEL_SD * range * near_px + 0.01;
        double s[2] = {INFINITY, -INFINITY}, a[2] = {INFINITY, -INFINITY};
        for (int k = 0; k < n; k++) {
            s[0] = fmin(s[0], place->outline[k][0]);
            s[1] = fmax(s[1], place->outline[k][0]);
            a[0] = fmin(a[0], place->outline[k][1]);
            a[1] = fmax(a[1], place->outline[k][1]);
        }
        /* An outline around the vanishing point closes around the whole pipe. */
        bool is_ring = fabs(place->outline[n - 1][1] - place->outline[0][1]) > M_PI || a[1] - a[0] >= 2 * M_PI;
        place->recorded.station_from_m = s[0];
        place->recorded.station_to_m = s[1];
        place->recorded.clock_from_rad = is_ring ? 0 : wrap_2pi(a[0]);
        place->recorded.clock_to_rad = is_ring ? 2 * M_PI : wrap_2pi(a[1]);
    }
    place->is_placed = isfinite(best);
    if (place->is_placed)
        snprintf(place->reason, sizeof place->reason, "by its region in frame %lld, %.2f m ahead of the camera",
                 (long long)place->frame, best);
    else
        snprintf(place->reason, sizeof place->reason, "%s",
                 unposed == seen->n_regions ? "the camera has no pose in the frames of its regions"
                                            : "its regions do not meet the wall within reach");
done:
    intra_free(outline);
    return status;
}

static void forget(struct intra_place *place)
{
    struct intra_wall_region none = {NAN, NAN, NAN, NAN, NAN, NAN};
    struct intra_vec3 unknown = {NAN, NAN, NAN};
    intra_free(place->outline);
    *place = (struct intra_place){
        .recorded = none, .refined = none, .frame = -1, .time_s = NAN, .x = unknown, .x_sd = unknown};
}

enum intra_status intra_locate_inspection(const struct intra_scene *scene, const struct intra_locate_options *options,
                                          struct intra_inspection *inspection, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    for (int64_t i = 0; i < inspection->n_observations; i++) {
        struct intra_observation *seen = &inspection->observations[i];
        char why[sizeof seen->place.reason];
        forget(&seen->place);
        if (seen->n_regions > 0) INTRA_TRY(place_by_regions(scene, seen, err));
        if (!seen->place.is_placed) {
            snprintf(why, sizeof why, "%s", seen->place.reason);
            place_by_record(scene, options, seen);
            if (!seen->place.is_placed && seen->n_regions > 0) memcpy(seen->place.reason, why, sizeof why);
        }
        if (seen->place.is_placed) {
            int64_t frame = seen->place.frame;
            double time_s = seen->place.time_s;
            seen->place.refined = seen->place.recorded;
            intra_locate_position(scene, &seen->place);
            if (frame >= 0) { /* a detection keeps its own frame */
                seen->place.frame = frame;
                seen->place.time_s = time_s;
            }
        }
    }
done:
    return status;
}
