/* A stretch is solved with its way held as the picture gives it: what a straight pipe leaves open, ways and focal
 * length growing together, is for the counter to say, and that it says when all of the run is known. A run of several
 * kilometres is as many small systems; what is left of each is a lens and its deviations. */
#include "recon/lens_run.h"

#include "core/camera_convert.h"
#include "core/log.h"
#include "core/mem.h"

#include <math.h>
#include <string.h>
#include <time.h>

#define STRETCH_RADII 10.0 /* of way; many short ones scatter, which says more than a long one's deviations do */
#define LEAST_RADII 5.0    /* of a rest at the end of a run */
#define WAY_SD_REL 5e-4    /* held */
#define CENTRE_SD_PX 1e-3  /* held: poses and wall rest on where the pilot had it */
#define NARROWEST 0.5      /* a correction beyond these is no lens but a fault */
#define WIDEST 2.0

static double clock_s(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

enum intra_status intra_lens_run_init(struct intra_lens_run *out, const struct intra_camera *lens, double radius_m,
                                      struct intra_error *err)
{
    memset(out, 0, sizeof *out);
    struct intra_camera start = *lens;
    if (lens->model != INTRA_CAMERA_KB) {
        enum intra_status status = intra_camera_convert(lens, INTRA_CAMERA_KB, &start, NULL, err);
        if (status != INTRA_OK) return status;
    }
    out->followed = *lens;
    out->start = start;
    out->radius_m = radius_m;
    out->low_m = INFINITY, out->high_m = -INFINITY;
    return INTRA_OK;
}

void intra_lens_run_fini(struct intra_lens_run *r)
{
    intra_lens_gather_fini(&r->gather);
    intra_free(r->pieces);
    memset(r, 0, sizeof *r);
}

static enum intra_status add_piece(struct intra_lens_run *r, const struct intra_lens_piece *piece,
                                   struct intra_error *err)
{
    if (r->n == r->cap) {
        int cap = r->cap ? 2 * r->cap : 16;
        struct intra_lens_piece *grown = intra_resize(r->pieces, (size_t)r->n, (size_t)cap, sizeof *grown);
        if (!grown) return INTRA_FAIL(err, INTRA_E_MEM, "out of memory for the lenses of %d stretches", cap);
        r->pieces = grown;
        r->cap = cap;
    }
    r->pieces[r->n++] = *piece;
    return INTRA_OK;
}

/* The present stretch, up to keyframe `to`, becomes a piece. */
static enum intra_status close_stretch(struct intra_lens_run *r, const struct intra_run *run, int to,
                                       struct intra_error *err)
{
    struct intra_lens_stretch stretch = {0};
    struct intra_lens_solution found;
    struct intra_error trouble = {0};
    struct intra_camera lens = r->start;
    double wall = clock_s(CLOCK_MONOTONIC), cpu = clock_s(CLOCK_THREAD_CPUTIME_ID);
    enum intra_status status = intra_lens_gather_take(&r->gather, run, r->from, to, &stretch, err);
    if (status != INTRA_OK) goto done;
    struct intra_lens_prior prior = intra_lens_usual(&lens, WAY_SD_REL);
    prior.mean[INTRA_LENS_CX] = lens.cx, prior.mean[INTRA_LENS_CY] = lens.cy;
    prior.sd[INTRA_LENS_CX] = prior.sd[INTRA_LENS_CY] = CENTRE_SD_PX;
    status = intra_lens_solve(&stretch.scene, &prior, &lens, &found, &trouble);
    double f_rel = lens.fx / r->start.fx;
    if (status == INTRA_E_DEGENERATE) {
        intra_log(INTRA_LOG_INFO, "lens", "%.2f to %.2f m: %s", r->low_m, r->high_m, trouble.text);
        status = INTRA_OK;
    } else if (status != INTRA_OK) {
        if (err) *err = trouble;
    } else if (f_rel > NARROWEST && f_rel < WIDEST) {
        struct intra_lens_piece piece = {.lens = lens};
        memcpy(piece.cov, found.cov, sizeof found.cov);
        memcpy(piece.common, found.common, sizeof found.common);
        intra_log(
            INTRA_LOG_INFO, "lens",
            "%.2f to %.2f m: %d views, %d points, %d steps, noise %.2f, %.0f %% agree; f %+.2f %% (sd %.2f), angles "
            "%+.2f %%",
            r->low_m, r->high_m, stretch.scene.n_views, stretch.scene.n_tracks, found.iterations, found.noise,
            100 * found.inlier_share, 100 * (f_rel - 1), 100 * sqrt(found.cov[INTRA_LENS_F][INTRA_LENS_F]),
            100 * intra_lens_angle_change(&lens, &r->followed));
        status = add_piece(r, &piece, err);
    }
done:
    intra_lens_stretch_fini(&stretch);
    r->wall_s += clock_s(CLOCK_MONOTONIC) - wall;
    r->cpu_s += clock_s(CLOCK_THREAD_CPUTIME_ID) - cpu;
    return status;
}

enum intra_status intra_lens_run_keyframe(struct intra_lens_run *r, struct intra_run *run,
                                          const struct intra_placement *placement, const struct intra_keyframe *kf,
                                          struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    double arc;
    INTRA_TRY(intra_lens_gather_points(&r->gather, run, err));
    INTRA_TRY(intra_run_arc(run, kf->u, &arc, err));
    r->low_m = fmin(r->low_m, arc + placement->station_offset_m);
    r->high_m = fmax(r->high_m, arc + placement->station_offset_m);
    if (r->high_m - r->low_m < STRETCH_RADII * r->radius_m && kf->id + 1 - r->from < INTRA_LENS_MOST_VIEWS) goto done;
    INTRA_TRY(close_stretch(r, run, kf->id + 1, err));
    r->from = kf->id + 1;
    r->low_m = INFINITY, r->high_m = -INFINITY;
    intra_lens_gather_forget(&r->gather, r->from);
done:
    return status;
}

enum intra_status intra_lens_run_end(struct intra_lens_run *r, struct intra_run *run, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    if (r->high_m - r->low_m > LEAST_RADII * r->radius_m) status = close_stretch(r, run, run->n_kfs, err);
    r->from = 0;
    r->low_m = INFINITY, r->high_m = -INFINITY;
    intra_lens_gather_clear(&r->gather);
    return status;
}

enum intra_status intra_lens_run_conclude(const struct intra_lens_run *r, double way_rel, double way_sd_rel,
                                          struct intra_lens_run_result *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_lens_combined all;
    struct intra_camera lens = r->followed;
    *out = (struct intra_lens_run_result){
        .lens = lens, .focal_sd_rel = NAN, .corner_sd_rel = NAN, .change_sd_rel = way_sd_rel};
    if (r->n > 1) status = intra_lens_combine(r->pieces, r->n, &all, err);
    if (status == INTRA_E_DEGENERATE)
        status = INTRA_OK; /* they say nothing together */
    else if (status != INTRA_OK)
        return status;
    else if (r->n > 1) {
        double worst = 0;
        lens = all.lens;
        out->n_pieces = r->n;
        out->focal_sd_rel = all.focal_sd_rel;
        out->corner_sd_rel = all.angle_sd_rel[INTRA_LENS_NODES - 1];
        for (int i = 0; i < INTRA_LENS_NODES; i++)
            worst = fmax(worst, all.angle_sd_rel[i]);
        out->change_sd_rel = hypot(worst, way_sd_rel);
        intra_log(
            INTRA_LOG_INFO, "lens",
            "%d stretches of the run, %d of them agree: angles scatter by %.2f %%; focal length to %.2f %%, corner to "
            "%.2f %%",
            r->n, all.n_used, 100 * all.scatter_rel, 100 * all.focal_sd_rel, 100 * out->corner_sd_rel);
    }
    out->lens = lens;
    if (way_rel != 0 && intra_camera_stretch(&lens, 1 + way_rel, &out->lens, NULL) != INTRA_OK) out->lens = lens;
    return status;
}
