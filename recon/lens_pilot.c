/* What a run knows is let go of as it settles: after each settled keyframe its points are copied, those met before are
 * brought up to date (a point is known by its host and the pixel that it was cut at). */
#include "recon/lens_pilot.h"

#include "core/mem.h"
#include "recon/motion.h"

#include <math.h>
#include <string.h>

#define HOST_SD_PX 0.05 /* the patch is cut there: by definition without error, but for rounding */
enum { MOST_VIEWS = 320, MOST_TRACKS = 2500, LEAST_SIGHTS = 4 };

struct seen {
    int host, next; /* of the points of one host; -1: the last */
    double px[2], u;
    struct intra_vec3 x;
    struct intra_obs obs[INTRA_POINT_MAX_OBS];
    int n_obs;
    bool is_doubtful;
};

struct gathering {
    struct seen *seen;
    int n, cap;
    int *head; /* of each keyframe as host, -1: none */
    int n_head, cap_head;
};

static enum intra_status on_frame(void *user, const struct intra_motion_frame *f, struct intra_error *err)
{
    struct intra_lens_pilot *p = user;
    if (p->n == p->cap) {
        int64_t cap = p->cap ? 2 * p->cap : 1024;
        struct intra_frame_record *grown = intra_resize(p->frames, (size_t)p->n, (size_t)cap, sizeof *grown);
        if (!grown) return INTRA_FAIL(err, INTRA_E_MEM, "out of memory for %lld frames", (long long)cap);
        p->frames = grown;
        p->cap = cap;
    }
    p->frames[p->n++] = (struct intra_frame_record){.index = f->index,
                                                    .pts_s = f->pts_s,
                                                    .state = f->state,
                                                    .is_posed = f->is_posed,
                                                    .segment = f->segment,
                                                    .station_m = f->station_m,
                                                    .counter_m = NAN};
    if (!f->is_posed) return INTRA_OK;
    p->low_m = fmin(p->low_m, f->station_m);
    p->high_m = fmax(p->high_m, f->station_m);
    return INTRA_OK;
}

static struct seen *find(struct gathering *g, const struct intra_point *p)
{
    for (int i = g->head[p->host]; i >= 0; i = g->seen[i].next)
        if (g->seen[i].px[0] == p->px[0] && g->seen[i].px[1] == p->px[1]) return &g->seen[i];
    return NULL;
}

static enum intra_status on_keyframe(void *user, struct intra_run *run, const struct intra_placement *placement,
                                     const struct intra_keyframe *kf, struct intra_frame *picture,
                                     struct intra_error *err)
{
    struct gathering *g = ((struct intra_lens_pilot *)user)->gathering;
    (void)placement, (void)kf, (void)picture;
    if (run->n_kfs > g->cap_head) {
        int cap = 2 * run->n_kfs, *head = intra_resize(g->head, (size_t)g->n_head, (size_t)cap, sizeof *head);
        if (!head) return INTRA_FAIL(err, INTRA_E_MEM, "out of memory for %d keyframes", cap);
        g->head = head;
        g->cap_head = cap;
    }
    while (g->n_head < run->n_kfs)
        g->head[g->n_head++] = -1;
    for (int i = 0; i < run->n_points; i++) {
        const struct intra_point *p = &run->points[i];
        if (p->n_obs == 0) continue;
        struct seen *s = find(g, p);
        if (!s) {
            if (g->n == g->cap) {
                int cap = g->cap ? 2 * g->cap : 2048;
                struct seen *grown = intra_resize(g->seen, (size_t)g->n, (size_t)cap, sizeof *grown);
                if (!grown) return INTRA_FAIL(err, INTRA_E_MEM, "out of memory for %d wall points", cap);
                g->seen = grown;
                g->cap = cap;
            }
            s = &g->seen[g->n];
            s->host = p->host;
            s->px[0] = p->px[0], s->px[1] = p->px[1];
            s->next = g->head[p->host];
            g->head[p->host] = g->n++;
        }
        s->u = p->u;
        s->x = p->x;
        s->n_obs = p->n_obs;
        s->is_doubtful = p->is_doubtful;
        memcpy(s->obs, p->obs, sizeof *p->obs * (size_t)p->n_obs);
    }
    return INTRA_OK;
}

static enum intra_status on_samples(void *user, struct intra_run *run, const struct intra_placement *placement,
                                    const struct intra_wall_sample *samples, int n, struct intra_error *err)
{
    (void)user, (void)placement, (void)samples, (void)n, (void)err;
    run->n_samples = 0;
    return INTRA_OK;
}

static void drop_scene(struct intra_lens_pilot *p)
{
    intra_free(p->scene.views);
    intra_free(p->scene.u);
    intra_free(p->scene.tracks);
    intra_free(p->sights);
    intra_axis_fini(&p->axis);
    p->sights = NULL;
    memset(&p->scene, 0, sizeof p->scene);
}

/* Sights of one point in views that count; 0: it does not. `view`: of each keyframe, -1 none. */
static int sights_of(const struct seen *s, const int *view, int n_kfs, struct intra_lens_sight *out)
{
    int n = 0;
    if (s->is_doubtful || view[s->host] < 0) return 0;
    out[n++] = (struct intra_lens_sight){
        view[s->host], {s->px[0], s->px[1]}, {1 / (HOST_SD_PX * HOST_SD_PX), 0, 1 / (HOST_SD_PX * HOST_SD_PX)}};
    for (int i = 0; i < s->n_obs; i++) {
        const struct intra_obs *o = &s->obs[i];
        if (o->kf == s->host || o->kf >= n_kfs || view[o->kf] < 0) continue;
        out[n] = (struct intra_lens_sight){view[o->kf], {o->px[0], o->px[1]}, {0, 0, 0}};
        memcpy(out[n++].info, o->info, sizeof o->info);
    }
    return n >= LEAST_SIGHTS ? n : 0;
}

static enum intra_status take_run(struct intra_lens_pilot *p, const struct intra_run *run, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct gathering *g = p->gathering;
    struct intra_lens_scene *c = &p->scene;
    struct intra_lens_sight sights[INTRA_LENS_MAX_SIGHTS];
    int *view = NULL, n_tracks = 0, n_sights = 0;
    INTRA_TRY(INTRA_ALLOC(view, (size_t)run->n_kfs, err));
    int n_views = 0;
    for (int i = 0; i < run->n_kfs; i++)
        view[i] = run->kfs[i].is_held || n_views == MOST_VIEWS ? -1 : n_views++;
    /* Too many of them: those that were seen most often. */
    int with[INTRA_LENS_MAX_SIGHTS + 1] = {0}, least = INTRA_LENS_MAX_SIGHTS + 1;
    for (int i = 0; i < g->n; i++)
        with[sights_of(&g->seen[i], view, run->n_kfs, sights)]++;
    while (least > LEAST_SIGHTS && n_tracks + with[least - 1] <= MOST_TRACKS) {
        least--;
        n_tracks += with[least];
        n_sights += with[least] * least;
    }
    if (n_tracks <= c->n_tracks || n_tracks == 0) goto done;
    drop_scene(p);
    INTRA_TRY(INTRA_ALLOC(c->views, (size_t)n_views, err));
    INTRA_TRY(INTRA_ALLOC(c->u, (size_t)n_views, err));
    INTRA_TRY(INTRA_ALLOC(c->tracks, (size_t)n_tracks, err));
    INTRA_TRY(INTRA_ALLOC(p->sights, (size_t)n_sights, err));
    INTRA_TRY(INTRA_ALLOC(p->axis.knots, (size_t)run->axis.count, err));
    memcpy(p->axis.knots, run->axis.knots, sizeof *p->axis.knots * (size_t)run->axis.count);
    p->axis.h = run->axis.h;
    p->axis.first = run->axis.first;
    p->axis.count = p->axis.capacity = run->axis.count;
    c->axis = &p->axis;
    c->sights = p->sights;
    c->radius_m = run->options.radius_m;
    c->n_views = n_views;
    for (int i = 0; i < run->n_kfs; i++) {
        if (view[i] < 0) continue;
        c->views[view[i]] = run->kfs[i].cam_from_world;
        c->u[view[i]] = run->kfs[i].u;
    }
    n_sights = 0;
    for (int i = 0; i < g->n; i++) {
        int n = sights_of(&g->seen[i], view, run->n_kfs, sights);
        if (n < least) continue;
        memcpy(p->sights + n_sights, sights, sizeof *sights * (size_t)n);
        c->tracks[c->n_tracks++] = (struct intra_lens_track){g->seen[i].x, g->seen[i].u, n_sights, n};
        n_sights += n;
    }
done:
    intra_free(view);
    return status;
}

static enum intra_status on_run_end(void *user, struct intra_run *run, const struct intra_placement *placement,
                                    struct intra_error *err)
{
    struct intra_lens_pilot *p = user;
    (void)placement;
    enum intra_status status = take_run(p, run, err);
    p->gathering->n = p->gathering->n_head = 0;
    return status;
}

void intra_lens_pilot_fini(struct intra_lens_pilot *pilot)
{
    drop_scene(pilot);
    intra_free(pilot->frames);
    memset(pilot, 0, sizeof *pilot);
}

enum intra_status intra_lens_pilot_drive(const char *path, const struct intra_lens_pilot_options *options,
                                         const struct intra_mask_pyramid *mask,
                                         const struct intra_view_f32 *log_shading, const struct intra_camera *camera,
                                         struct intra_counter *counter, struct intra_lens_pilot *pilot,
                                         struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_motion *motion = NULL;
    struct intra_video *video = NULL;
    struct intra_frame *frame = NULL;
    struct gathering gathering = {0};
    struct intra_motion_options motion_options = {.radius_m = options->radius_m, .threads = options->threads};
    struct intra_motion_sink sink = {pilot, on_frame, on_keyframe, on_samples, on_run_end};
    drop_scene(pilot);
    pilot->gathering = &gathering;
    pilot->n = 0;
    pilot->low_m = INFINITY, pilot->high_m = -INFINITY;
    INTRA_TRY(intra_motion_create(&motion_options, camera, mask, log_shading, &sink, &motion, err));
    INTRA_TRY(intra_video_open(path, options->video, &video, err));
    while (!(pilot->high_m - pilot->low_m > options->most_way_m)) {
        status = intra_video_next(video, &frame, err);
        if (status == INTRA_EOF) break;
        if (status != INTRA_OK) goto done;
        if (frame->pts_s - options->video->from_s > options->most_s) break;
        INTRA_TRY(intra_motion_process(motion, frame, err));
        if (counter) INTRA_TRY(intra_counter_frame(counter, frame, err));
        intra_frame_release(&frame);
    }
    INTRA_TRY(intra_motion_finish(motion, err));
done:
    intra_frame_release(&frame);
    intra_video_close(&video);
    intra_motion_destroy(&motion);
    intra_free(gathering.seen);
    intra_free(gathering.head);
    pilot->gathering = NULL;
    return status;
}
