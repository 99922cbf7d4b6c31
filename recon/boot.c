#include "recon/boot.h"

#include "core/log.h"
#include "core/mem.h"
#include "recon/dark.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A run counts as started when the camera has come this far (radii), its matches agree, and the wall that
 * parallax shows is a tube. A picture that is no pipe fails the last one: its "radii" scatter. */
#define BOOT_TRAVEL_REL 0.25
#define BOOT_MIN_TRAVEL_REL 0.06
#define BOOT_INLIER_SHARE 0.6
#define BOOT_RADIUS_SPREAD 0.12
#define BOOT_RADIUS_OFF 0.12
#define BOOT_MIN_RADII 25
/* Below this (share of agreeing patches over their residual and the scatter of the radii) what was followed was glare, roots or chance: the
 * sane starts on simulated and real pipes lie above 6.5, wrong ones on a push-rod clip full of roots below 5.4. */
#define BOOT_MIN_SCORE 5.8
#define BOOT_SURE_SCORE 14.0 /* no other guess will do better */
#define BOOT_MISSES 3 /* frames in a row that may fail */
#define LATER_REL 0.2 /* radii of travel that tell what moves as wall does */

struct guess {
    double yaw, pitch;
};

struct attempt {
    struct intra_run run;
    bool is_alive, is_started;
    double travel, score;
    struct intra_boot_frame frames[INTRA_BOOT_MAX];
};

void intra_boot_clear(struct intra_boot *boot)
{
    for (int i = 0; i < boot->n; i++) intra_frame_release(&boot->frames[i]);
    boot->n = 0;
    boot->stride = 1;
    boot->skip = 0;
}

bool intra_boot_put(struct intra_boot *boot, struct intra_frame *frame)
{
    if (boot->stride < 1) boot->stride = 1;
    if (boot->n > 0 && ++boot->skip < boot->stride) return false;
    boot->skip = 0;
    if (boot->n == INTRA_BOOT_MAX) {
        int n = 0;
        for (int i = 0; i < boot->n; i++)
            if (i % 2 == 0)
                boot->frames[n++] = boot->frames[i];
            else
                intra_frame_release(&boot->frames[i]);
        boot->n = n;
        boot->stride *= 2;
    }
    boot->frames[boot->n++] = intra_frame_retain(frame);
    return true;
}

/* What all attempts look at. pyramid, later: room for two pictures. */
struct look {
    const struct intra_boot *boot;
    const struct intra_camera *camera;
    const struct intra_mask_pyramid *mask;
    const struct intra_view_f32 *log_shading;
    int threads;
    struct intra_pyramid *pyramid, later;
};

static void build(const struct look *look, int frame, struct intra_pyramid *out)
{
    intra_pyramid_build(out, &look->boot->frames[frame]->y, look->log_shading, look->threads);
}

static struct intra_pose pose_at(const struct attempt *a, int frame)
{
    return intra_pose_mul(&a->frames[frame].cam_from_kf, &a->run.kfs[a->frames[frame].kf].cam_from_world);
}

/* The first frame to which `known` came far enough to tell what moves, else its last, as the later picture of its
 * first. */
static struct intra_run_later later_of(struct look *look, const struct attempt *known)
{
    struct intra_run_later later = {.pyramid = &look->later, .is_placed = true};
    struct intra_pose first = pose_at(known, 0), inv = intra_pose_inverse(&first);
    int at = 0;
    for (int i = 1; i < look->boot->n; i++) {
        if (!known->frames[i].is_posed) continue;
        struct intra_pose pose = pose_at(known, i);
        later.cam_from_first = intra_pose_mul(&pose, &inv);
        at = i;
        if (intra_norm(intra_sub(intra_pose_inverse(&pose).t, inv.t)) > LATER_REL * known->run.options.radius_m) break;
    }
    build(look, at, &look->later);
    return later;
}

/* Follow one guess over the buffered frames. later: see intra_run_start. */
static enum intra_status follow(struct attempt *a, const struct look *look, struct guess guess,
                                const struct intra_run_later *later, const struct intra_run_options *options,
                                struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_error ignored;
    struct intra_pyramid *pyramid = look->pyramid;
    memset(a, 0, sizeof *a);
    INTRA_TRY(intra_run_init(&a->run, options, look->camera, look->mask, err));
    a->is_alive = true;
    double noise_sum = 0, inlier_sum = 0;
    int missed = 0, n_posed = 0, n = look->boot->n;
    for (int i = 0; i < n && a->is_alive; i++) {
        const struct intra_frame *f = look->boot->frames[i];
        struct intra_pose_fit fit;
        bool is_kf = true;
        build(look, i, pyramid);
        a->run.has_dark = intra_dark_direction(f, look->camera, look->mask, &a->run.dark);
        if (i == 0) {
            INTRA_TRY(intra_run_start(&a->run, pyramid, f->index, f->pts_s, guess.yaw, guess.pitch, later, err));
            if (a->run.n_points < 40) a->is_alive = false;
        } else {
            struct intra_pose predicted = intra_run_predict(&a->run, f->pts_s);
            intra_run_fit(&a->run, pyramid, &predicted, 2, &fit);
            if (!fit.is_good) intra_run_fit_hard(&a->run, pyramid, &a->run.pose, 0.35, &fit);
            intra_log(INTRA_LOG_DEBUG, "boot", "  frame %lld: %d of %d, noise %.2f, %.2f px", (long long)f->index,
                      fit.n_inlier, fit.n_visible, fit.noise, fit.rms_px);
            if (!fit.is_good) {
                a->is_alive = ++missed <= BOOT_MISSES;
                continue;
            }
            missed = 0;
            n_posed++;
            noise_sum += fit.rms_px;
            inlier_sum += (double)fit.n_inlier / fmax(1, fit.n_visible);
            status = intra_run_accept(&a->run, pyramid, &fit, f->index, f->pts_s, &is_kf, &ignored);
            if (status == INTRA_E_DEGENERATE) {
                status = INTRA_OK;
                a->is_alive = false;
                break;
            }
            if (status != INTRA_OK) {
                if (err) *err = ignored;
                goto done;
            }
        }
        const struct intra_keyframe *kf = &a->run.kfs[a->run.n_kfs - 1];
        struct intra_pose inv = intra_pose_inverse(&kf->cam_from_world);
        a->frames[i] = (struct intra_boot_frame){kf->id, intra_pose_mul(&a->run.pose, &inv), is_kf, true};
    }
    a->is_alive = a->is_alive && n_posed > 0.6 * (n - 1);
    if (a->is_alive && n_posed) {
        struct intra_pose c0 = intra_pose_inverse(&a->run.kfs[0].cam_from_world), c1 = intra_pose_inverse(&a->run.pose);
        a->travel = intra_norm(intra_sub(c1.t, c0.t)) / options->radius_m;
        double share = inlier_sum / n_posed, rms = noise_sum / n_posed;
        const struct intra_bundle_result *b = &a->run.last_bundle;
        rms *= 768.0 / look->camera->width;
        a->score = share * b->inlier_share / (0.15 + rms) / (0.03 + b->radius_spread);
    }
done:
    return status;
}

static bool is_tube(const struct attempt *a)
{
    const struct intra_bundle_result *b = &a->run.last_bundle;
    return a->is_alive && a->score >= BOOT_MIN_SCORE && b->inlier_share >= BOOT_INLIER_SHARE &&
           b->n_radius >= BOOT_MIN_RADII && b->radius_spread <= BOOT_RADIUS_SPREAD &&
           fabs(b->radius_median - 1) <= BOOT_RADIUS_OFF;
}

static void swap(struct attempt **a, struct attempt **b)
{
    struct attempt *c = *a;
    *a = *b;
    *b = c;
}

/* Follow guesses around the dark, as it stands in the first frame, and keep the best. *best is alive where one was. */
static enum intra_status try_guesses(const struct look *look, const struct intra_run_options *options,
                                     const struct intra_run_later *later, struct attempt **best, struct attempt **now,
                                     struct guess *best_guess, struct intra_error *err)
{
    static const double ring[][2] = {{0, 0}, {1, 0}, {-1, 0}, {0, 1}, {0, -1}};
    enum { N_RING = 5, N_GUESSES = N_RING + 1 };
    enum intra_status status = INTRA_OK;
    struct guess dark = {0, 0};
    struct intra_vec3 ahead;
    if (intra_dark_direction(look->boot->frames[0], look->camera, look->mask, &ahead) && ahead.z > 0.5) {
        /* The pipe's axis appears there: the camera looks the other way from it. */
        dark.yaw = -atan2(ahead.x, ahead.z);
        dark.pitch = atan2(ahead.y, ahead.z);
    }
    for (int g = 0; g < N_GUESSES; g++) {
        struct guess guess = {0, 0};
        if (g != 1) {
            int k = g > 1 ? g - 1 : 0;
            guess.yaw = dark.yaw + 0.14 * ring[k][0];
            guess.pitch = dark.pitch + 0.14 * ring[k][1];
        }
        INTRA_TRY(follow(*now, look, guess, later, options, err));
        if ((*now)->is_alive && (!(*best)->is_alive || (*now)->score > (*best)->score)) {
            swap(best, now);
            *best_guess = guess;
        }
        intra_run_fini(&(*now)->run);
        /* The first guesses see nothing in both pictures, or no motion: the others would see none either. */
        if (g == 1 && later && !(*best)->is_alive) break;
        if (g == 1 && (*best)->is_alive && (*best)->travel < BOOT_MIN_TRAVEL_REL) break;
        if ((*best)->is_alive && (*best)->score > BOOT_SURE_SCORE) break;
    }
done:
    return status;
}

enum intra_status intra_boot_try(struct intra_boot *boot, const struct intra_run_options *options,
                                 const struct intra_camera *camera, const struct intra_mask_pyramid *mask,
                                 const struct intra_view_f32 *log_shading, struct intra_pyramid *pyramid,
                                 enum intra_boot_verdict *out_verdict, struct intra_run *out_run,
                                 struct intra_boot_frame *out_frames, char reason[160], struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct attempt *best = NULL, *now = NULL;
    struct guess best_guess = {0, 0};
    struct look look = {.boot = boot,
                        .camera = camera,
                        .mask = mask,
                        .log_shading = log_shading,
                        .threads = options->threads,
                        .pyramid = pyramid};
    struct intra_run_later next = {.pyramid = &look.later};
    const struct intra_run_later *first_points = NULL;
    *out_verdict = INTRA_BOOT_MORE;
    snprintf(reason, 160, "too few frames");
    if (boot->n < 4) return INTRA_OK;
    INTRA_TRY(INTRA_ALLOC(best, 1, err));
    INTRA_TRY(INTRA_ALLOC(now, 1, err));
    INTRA_TRY(intra_pyramid_init(&look.later, camera->height, camera->width, err));
    INTRA_TRY(try_guesses(&look, options, first_points, &best, &now, &best_guess, err));
    if (!best->is_alive) {
        /* Smooth wall: most of what has texture in a single picture is grain, and never agrees. */
        first_points = &next;
        build(&look, 1, &look.later);
        INTRA_TRY(try_guesses(&look, options, first_points, &best, &now, &best_guess, err));
    }
    if (best->travel >= BOOT_TRAVEL_REL && is_tube(best)) {
        /* Once more from points that were seen to move as wall does. */
        struct intra_run_later later = later_of(&look, best);
        INTRA_TRY(follow(now, &look, best_guess, &later, options, err));
        if (is_tube(now)) swap(&best, &now);
        intra_run_fini(&now->run);
    }
    const struct intra_bundle_result *b = &best->run.last_bundle;
    intra_log(INTRA_LOG_DEBUG, "boot",
              "%d frames: alive %d travel %.2f R, score %.2f, inliers %.2f, radii %d, median %.3f, spread %.3f", boot->n,
              best->is_alive, best->travel, best->score, b->inlier_share, b->n_radius, b->radius_median,
              b->radius_spread);
    /* A start may not hang on what is expected of the camera: a picture that grows as a whole can be followed as a
     * drive with the one expectation and not with the other. */
    bool is_sure = false;
    if (best->travel >= BOOT_TRAVEL_REL && is_tube(best)) {
        struct intra_run_options whole = *options;
        whole.turn_goes_on = 1;
        build(&look, 1, &look.later);
        INTRA_TRY(follow(now, &look, best_guess, first_points, &whole, err));
        is_sure = is_tube(now);
        intra_log(INTRA_LOG_DEBUG, "boot", "again, with all of the last turn: score %.2f", now->score);
    }
    boot->is_moving = !best->is_alive || best->travel >= BOOT_MIN_TRAVEL_REL;
    if (!best->is_alive) {
        *out_verdict = INTRA_BOOT_NOT_A_PIPE;
        snprintf(reason, 160, "no steady motion of the wall could be followed");
    } else if (best->travel < BOOT_TRAVEL_REL) {
        snprintf(reason, 160, "the camera hardly moves");
    } else if (!is_sure) {
        *out_verdict = INTRA_BOOT_NOT_A_PIPE;
        snprintf(reason, 160, "what moves in the picture is not the inside of a tube");
    } else {
        *out_verdict = INTRA_BOOT_STARTED;
        reason[0] = 0;
        memcpy(out_frames, best->frames, sizeof best->frames);
        *out_run = best->run;
        memset(&best->run, 0, sizeof best->run);
    }
done:
    if (best) intra_run_fini(&best->run);
    if (now) intra_run_fini(&now->run);
    intra_pyramid_fini(&look.later);
    intra_free(best);
    intra_free(now);
    return status;
}
