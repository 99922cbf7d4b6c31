/* The lens from the pipe: a pilot (recon/lens_pilot) is followed with the lens as it is, all it saw is adjusted
 * together with the lens (recon/lens_solve), and followed once more with the lens that came out, until that changes
 * little: patches are looked for where the lens says, so that a wrong one loses some and takes wrong ones in.
 *
 * All the while the lens is Kannala-Brandt: its curve over the angle is near a straight line for all lenses of pipe
 * cameras, narrow or wide. One that a pinhole with distortion shows as well becomes one at the end. */
#include "recon/lens_fit.h"

#include "core/camera_convert.h"
#include "core/log.h"
#include "core/mem.h"
#include "recon/lens_pilot.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define PILOT_S 60.0    /* bounds the cost; */
#define PILOT_WAY_M 5.0 /* at the assumed scale */
#define AGAIN_OFF 0.01  /* the angles changed by more than this: once more; */
#define FAR_OFF 0.03    /* by more than this: also beyond PASSES */
#define NARROWEST 0.3   /* a correction beyond these is no lens but a fault */
#define WIDEST 3.0
#define ASTRAY 0.4 /* a drive whose way differs by more (log) from the counter's, and that no lens mends, has another  \
                    */
#define LENGTH_SD_M 0.02 /* of a length that was typed in: where it begins and ends */
#define LENGTH_SD_REL 0.003
#define TERM_1 0.1         /* of k1 at the corner, to begin with; usual lenses are bent so */
#define WAY_SD_REL 0.0015  /* of the way: what the fitted lens leaves; likewise */
#define MOST_CENTRE_SD_REL 0.0035 /* of the width: a centre that is seen no better is not taken */
#define CENTRE_MODEL_SD_REL 0.002 /* beyond what the wall shows; set by hand, as INTRA_LENS_MODEL_SD_REL is */
#define STRETCH_END 1.45   /* radians: beyond, the tangent says little */
#define BROWN_END 0.85     /* radians: wider, no pinhole */
#define BROWN_OFF_PX 0.1
#define FISHEYE_RAD (M_PI) /* field of view from left to right */
enum { PASSES = 3, MOST_PASSES = 6 };

static enum intra_status read_counter(const char *path, const struct intra_video_options *video,
                                      struct intra_counter **out, struct intra_error *err)
{
    enum intra_status status = intra_counter_create(out, err);
    if (status == INTRA_OK) status = intra_counter_learn(*out, path, video, err);
    return status;
}

/* Angles of the lens against another's, at quarters of the half diagonal: the largest relative difference. */
static double angle_change(const struct intra_camera *a, const struct intra_camera *b)
{
    double worst = 0, half = 0.5 * hypot(a->width, a->height);
    for (int i = 1; i <= 4; i++) {
        double x = intra_camera_angle_rad(a, half * i / 4), y = intra_camera_angle_rad(b, half * i / 4);
        if (isfinite(x) && isfinite(y)) worst = fmax(worst, fabs(x / y - 1));
    }
    return worst;
}

/* The scale of the present pilot by counter or length: 1 where the lens is right; NaN: not known. */
static enum intra_status find_scale(const struct intra_lens_fit_options *options, struct intra_counter *counter,
                                    struct intra_lens_pilot *pilot, int pass, double *out_k, double *out_sd,
                                    struct intra_error *err)
{
    struct intra_scale_fit fit;
    *out_k = *out_sd = NAN;
    if (options->length_m > 0) {
        double way = pilot->high_m - pilot->low_m;
        if (way > 4 * options->radius_m) *out_k = options->length_m / way;
        *out_sd = hypot(LENGTH_SD_M / options->length_m, LENGTH_SD_REL);
        return INTRA_OK;
    }
    if (counter)
        intra_counter_fill(counter, pilot->frames, pilot->n);
    else if (options->fill_counter)
        options->fill_counter(options->user, pilot->frames, pilot->n);
    else
        return INTRA_OK;
    enum intra_status status = intra_scale_of_frames(pilot->frames, pilot->n, &fit, err);
    if (status != INTRA_OK) return status;
    if (fit.is_known) *out_k = fit.scale, *out_sd = fit.sd_rel;
    intra_log(INTRA_LOG_INFO, "lens",
              "pilot %d: %d of %d readings agree over %.2f m, scale %.4f (sd %.2f %%), noise %.0f mm", pass + 1,
              fit.n_agree, fit.n, fit.way_m, fit.scale, 100 * fit.sd_rel, 1e3 * fit.noise_m);
    return INTRA_OK;
}

/* The lens to begin with: of the same field from left to right as the assumed one, bent as usual lenses are. */
static enum intra_status first_guess(const struct intra_camera *camera, struct intra_camera *out,
                                     struct intra_error *err)
{
    enum intra_status status = intra_camera_convert(camera, INTRA_CAMERA_KB, out, NULL, err);
    if (status != INTRA_OK || camera->model == INTRA_CAMERA_KB) return status;
    double half = intra_camera_angle_rad(camera, 0.5 * camera->width), t2 = pow(intra_camera_corner_rad(camera), 2);
    memset(out->k, 0, sizeof out->k);
    out->k[0] = TERM_1 / t2;
    out->fx = 0.5 * camera->width / (half * (1 + out->k[0] * half * half));
    out->fy = out->fx * camera->fy / camera->fx;
    return intra_camera_finish(out, err);
}

enum intra_status intra_lens_hold_field(const struct intra_camera *assumed, struct intra_camera *lens,
                                        struct intra_error *err)
{
    struct intra_camera held;
    double want = intra_camera_angle_rad(assumed, 0.5 * assumed->width);
    double have = intra_camera_angle_rad(lens, 0.5 * lens->width);
    if (!(want > 0 && want < STRETCH_END && have > 0 && have < STRETCH_END)) return INTRA_OK;
    enum intra_status status = intra_camera_stretch(lens, tan(have) / tan(want), &held, err);
    if (status == INTRA_OK) *lens = held;
    return status;
}

/* One pilot and what it says of the lens. *out_is_usable false: nothing. */
static enum intra_status improve(struct intra_lens_pilot *pilot, double k, double way_sd, int pass,
                                 struct intra_camera *lens, struct intra_lens_solution *found, bool *out_is_usable,
                                 struct intra_error *err)
{
    struct intra_error trouble = {0};
    struct intra_camera start = *lens;
    *out_is_usable = false;
    if (pilot->stretch.scene.n_views == 0) return INTRA_OK; /* no run that tells a lens */
    if (isfinite(k)) {
        if (!(k > NARROWEST && k < WIDEST) || intra_camera_stretch(&start, k, lens, NULL) != INTRA_OK) return INTRA_OK;
        intra_lens_scene_stretch(&pilot->stretch.scene, k);
    }
    struct intra_lens_prior prior = intra_lens_usual(lens, isfinite(k) ? way_sd : NAN);
    enum intra_status status = intra_lens_solve(&pilot->stretch.scene, &prior, lens, found, &trouble);
    if (status == INTRA_E_DEGENERATE) {
        intra_log(INTRA_LOG_INFO, "lens", "%s", trouble.text);
        *lens = start;
        return INTRA_OK;
    }
    if (status != INTRA_OK) {
        if (err) *err = trouble;
        return status;
    }
    intra_log(INTRA_LOG_INFO, "lens",
              "pilot %d: %d views, %d points, %d sights, %d steps, noise %.2f, %.2f px, %.0f %% agree; f %.1f (sd %.2f "
              "%%), k %.4f (%.4f) %.4f (%.4f) %.4f (%.4f)",
              pass + 1, pilot->stretch.scene.n_views, pilot->stretch.scene.n_tracks, found->n_sights, found->iterations,
              found->noise, found->rms_px, 100 * found->inlier_share, lens->fx, 100 * sqrt(found->cov[0][0]),
              lens->k[0], sqrt(found->cov[1][1]), lens->k[1], sqrt(found->cov[2][2]), lens->k[2],
              sqrt(found->cov[3][3]));
    *out_is_usable = true;
    return INTRA_OK;
}

/* The centre of the lens, once the rest is right, from the last drive: where smooth wall says little of it, it would
 * draw the rest along. Taken where it is clearly seen (*out_sd_px, else untouched). way_sd NaN: the field of view is
 * held. */
static enum intra_status find_centre(struct intra_lens_pilot *pilot, const struct intra_camera *assumed, double way_sd,
                                     struct intra_camera *lens, struct intra_lens_solution *found, double *out_sd_px,
                                     struct intra_error *err)
{
    struct intra_error trouble = {0};
    struct intra_lens_solution centred;
    struct intra_camera moved = *lens;
    struct intra_lens_prior prior = intra_lens_usual(lens, way_sd);
    intra_lens_free_centre(lens, &prior);
    enum intra_status status = intra_lens_solve(&pilot->stretch.scene, &prior, &moved, &centred, &trouble);
    if (status == INTRA_E_DEGENERATE) return INTRA_OK;
    if (status != INTRA_OK) {
        if (err) *err = trouble;
        return status;
    }
    double sd = sqrt(fmax(centred.cov[INTRA_LENS_CX][INTRA_LENS_CX], centred.cov[INTRA_LENS_CY][INTRA_LENS_CY]));
    double half = 0.5 * hypot(lens->width, lens->height);
    double off = hypot(moved.cx - lens->cx, moved.cy - lens->cy) / half;
    bool is_seen = sd < MOST_CENTRE_SD_REL * lens->width && angle_change(&moved, lens) < fmax(AGAIN_OFF, off);
    intra_log(INTRA_LOG_INFO, "lens", "centre %+.1f %+.1f px beside the middle (sd %.1f): %s",
              moved.cx - 0.5 * (lens->width - 1), moved.cy - 0.5 * (lens->height - 1), sd,
              is_seen ? "taken" : "not clear");
    if (!is_seen || (!isfinite(way_sd) && intra_lens_hold_field(assumed, &moved, NULL) != INTRA_OK)) return INTRA_OK;
    *lens = moved;
    *found = centred;
    *out_sd_px = hypot(sd, CENTRE_MODEL_SD_REL * lens->width);
    return INTRA_OK;
}

/* Another lens to begin with, where the first led astray: a fisheye, as wide cameras have it. */
static enum intra_status wide_guess(const struct intra_camera *assumed, struct intra_camera *out)
{
    return intra_camera_from_hfov(assumed->width, assumed->height, FISHEYE_RAD, out, NULL);
}

void intra_lens_name(const struct intra_camera *assumed, bool is_whole, bool is_by_length, double focal_sd_rel,
                     double corner_sd_rel, double centre_sd_px, struct intra_camera *lens)
{
    struct intra_camera pinhole;
    double off;
    char centre[64] = "; centre assumed in the picture's middle";
    if (isfinite(centre_sd_px)) snprintf(centre, sizeof centre, "; centre (to %.1f px) estimated, too", centre_sd_px);
    if (is_whole)
        snprintf(
            lens->source, sizeof lens->source,
            "estimated: focal length (to %.1f %%) and distortion (angle at the corner to %.1f %%) from the nominal "
            "diameter and the %s%s",
            100 * focal_sd_rel, 100 * corner_sd_rel,
            is_by_length ? "known length" : "distance counter, in whose metre ways are measured", centre);
    else
        snprintf(lens->source, sizeof lens->source, "%.160s; distortion estimated%s", assumed->source, centre);
    if (lens->model == INTRA_CAMERA_KB && intra_camera_corner_rad(lens) < BROWN_END &&
        intra_camera_convert(lens, INTRA_CAMERA_BROWN, &pinhole, &off, NULL) == INTRA_OK && off < BROWN_OFF_PX)
        *lens = pinhole;
}

/* What is known, with deviations. */
static void conclude(const struct intra_camera *assumed, const struct intra_lens_fit_options *options,
                     const struct intra_lens_solution *found, double way_sd, struct intra_camera *lens,
                     struct intra_lens_fit_result *out)
{
    bool is_whole = isfinite(way_sd), is_length = options->length_m > 0;
    double measure = is_length ? 0 : INTRA_COUNTER_SD_REL; /* a length's is in way_sd */
    out->known = is_whole ? INTRA_LENS_WHOLE : INTRA_LENS_DISTORTION;
    out->focal_sd_rel =
        is_whole ? hypot(hypot(sqrt(found->cov[INTRA_LENS_F][INTRA_LENS_F]), INTRA_LENS_MODEL_SD_REL), measure)
                 : assumed->focal_sd_rel;
    out->corner_sd_rel =
        hypot(intra_lens_angle_sd(lens, found->cov, 0.999 * intra_camera_corner_rad(lens)), INTRA_LENS_MODEL_SD_REL);
    lens->is_assumed = !is_whole;
    lens->focal_sd_rel = is_whole ? hypot(hypot(way_sd, WAY_SD_REL), measure) : assumed->focal_sd_rel;
    intra_lens_name(assumed, is_whole, is_length, out->focal_sd_rel, out->corner_sd_rel, out->centre_sd_px, lens);
}

static bool is_in_range(const struct intra_camera *lens, const struct intra_camera *assumed)
{
    return lens->fx > NARROWEST * assumed->fx && lens->fx < WIDEST * assumed->fx;
}

enum intra_status intra_lens_fit(const char *video_path, const struct intra_lens_fit_options *options,
                                 const struct intra_mask_pyramid *mask, const struct intra_view_f32 *log_shading,
                                 struct intra_camera *camera, struct intra_lens_fit_result *out,
                                 struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_lens_pilot pilot = {0};
    bool is_length = options->length_m > 0, is_known = false, is_held = false;
    struct intra_lens_pilot_options drive = {options->radius_m, is_length ? INFINITY : PILOT_S,
                                             is_length ? INFINITY : PILOT_WAY_M, options->threads, options->video};
    struct intra_camera lens, next, kept; /* kept: what came of the first guess, while a fisheye is tried */
    bool is_followed = true; /* the pipe, with the lens as it is now */
    bool is_solved = false;  /* the present drive, together with that lens */
    bool is_wide = false;    /* begun anew with a fisheye, */
    int began = 0;           /* in this pass */
    int n_steps = 0;         /* towards a better lens, since then */
    double change = 0, kept_change = 0; /* of the last step */
    struct intra_counter *counter = NULL;
    struct intra_lens_solution found = {0}, kept_found = {0}, one;
    double k, sd, way_sd = NAN;
    *out =
        (struct intra_lens_fit_result){.focal_sd_rel = camera->focal_sd_rel, .corner_sd_rel = NAN, .centre_sd_px = NAN};
    if (!is_length && !options->fill_counter && options->has_counter) {
        status = read_counter(video_path, options->video, &counter, err);
        if (status == INTRA_E_UNSUPPORTED) status = INTRA_OK; /* the main pass says so */
        if (status != INTRA_OK) goto done;
        if (counter && !intra_counter_has_place(counter)) intra_counter_destroy(&counter);
    }
    bool can_scale = is_length || counter || options->fill_counter;
    if (first_guess(camera, &lens, NULL) != INTRA_OK) goto done;
    kept = lens;
    for (int pass = 0; pass < MOST_PASSES; pass++) {
        bool is_usable;
        is_solved = false;
        INTRA_TRY(intra_lens_pilot_drive(video_path, &drive, mask, log_shading, &lens, pass == 0 ? counter : NULL,
                                         &pilot, err));
        if (pass == 0 && counter) INTRA_TRY(intra_counter_finish(counter, err));
        INTRA_TRY(find_scale(options, counter, &pilot, pass, &k, &sd, err));
        if (pass == 0 || isfinite(k)) is_held = !isfinite(k); /* a first drive may be too short to tell */
        is_followed = is_held || (isfinite(k) && pilot.stretch.scene.n_views > 0);
        next = lens;
        is_usable = false;
        if (is_followed) INTRA_TRY(improve(&pilot, is_held ? NAN : k, sd, pass, &next, &one, &is_usable, err));
        bool is_barren = is_held && !is_usable && !is_known && can_scale; /* a drive that told nothing at all */
        bool is_astray = !is_held && isfinite(k) && fabs(log(k)) > ASTRAY && !(is_usable && is_in_range(&next, camera));
        if (!is_followed || is_barren || is_astray) {
            if ((!is_known && !isfinite(k) && !is_barren) || is_wide || wide_guess(camera, &next) != INTRA_OK) break;
            intra_log(INTRA_LOG_INFO, "lens", "pilot %d: no pipe with this lens; anew with a fisheye", pass + 1);
            kept = lens;
            kept_found = found;
            kept_change = change;
            lens = next;
            is_wide = true;
            began = pass + 1;
            n_steps = 0;
            continue;
        }
        if (is_usable && is_held) is_usable = intra_lens_hold_field(camera, &next, NULL) == INTRA_OK;
        if (!is_usable || !is_in_range(&next, camera)) break;
        change = angle_change(&next, &lens);
        lens = next;
        found = one;
        is_known = is_solved = true;
        n_steps++;
        if (!is_held) way_sd = sd;
        if (change < (pass + 1 - began < PASSES ? AGAIN_OFF : FAR_OFF)) break;
    }
    if (!is_known) goto done;
    if (is_followed && is_solved)
        INTRA_TRY(find_centre(&pilot, camera, is_held ? NAN : way_sd, &lens, &found, &out->centre_sd_px, err));
    if (is_wide && (!is_followed || n_steps == 0)) { /* the fisheye came to nothing */
        lens = kept;
        found = kept_found;
        change = kept_change;
        is_followed = false;
    }
    if (!is_followed) {
        out->is_unconfirmed = true;
        way_sd = hypot(way_sd, change);
        found.cov[INTRA_LENS_F][INTRA_LENS_F] += change * change;
    }
    conclude(camera, options, &found, way_sd, &lens, out);
    *camera = lens;
    intra_log(INTRA_LOG_INFO, "lens", "f = %.1f x %.1f px: %s", lens.fx, lens.fy, lens.source);
done:
    intra_counter_destroy(&counter);
    intra_lens_pilot_fini(&pilot);
    return status;
}
