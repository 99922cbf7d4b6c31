/* What a run knows is let go of as it settles: after each settled keyframe its points are copied, those met before are
 * brought up to date (a point is known by its host and the pixel that it was cut at). */
#include "recon/lens_gather.h"

#include "core/mem.h"

#include <math.h>
#include <string.h>

#define HOST_SD_PX 0.05 /* the patch is cut there: by definition without error, but for rounding */
enum { MOST_TRACKS = 2500, LEAST_SIGHTS = 4 };

struct intra_lens_seen {
    int host, next; /* of the points of one host; -1: the last */
    double px[2], u;
    struct intra_vec3 x;
    struct intra_obs obs[INTRA_POINT_MAX_OBS];
    int n_obs;
    bool is_doubtful;
};

static struct intra_lens_seen *find(struct intra_lens_gather *g, const struct intra_point *p)
{
    for (int i = g->head[p->host - g->first]; i >= 0; i = g->seen[i].next)
        if (g->seen[i].px[0] == p->px[0] && g->seen[i].px[1] == p->px[1]) return &g->seen[i];
    return NULL;
}

enum intra_status intra_lens_gather_points(struct intra_lens_gather *g, const struct intra_run *run,
                                           struct intra_error *err)
{
    int n_head = run->n_kfs - g->first;
    if (n_head > g->cap_head) {
        int cap = 2 * n_head, *head = intra_resize(g->head, (size_t)g->n_head, (size_t)cap, sizeof *head);
        if (!head) return INTRA_FAIL(err, INTRA_E_MEM, "out of memory for %d keyframes", cap);
        g->head = head;
        g->cap_head = cap;
    }
    while (g->n_head < n_head)
        g->head[g->n_head++] = -1;
    for (int i = 0; i < run->n_points; i++) {
        const struct intra_point *p = &run->points[i];
        if (p->n_obs == 0 || p->host < g->first) continue;
        struct intra_lens_seen *s = find(g, p);
        if (!s) {
            if (g->n == g->cap) {
                int cap = g->cap ? 2 * g->cap : 2048;
                struct intra_lens_seen *grown = intra_resize(g->seen, (size_t)g->n, (size_t)cap, sizeof *grown);
                if (!grown) return INTRA_FAIL(err, INTRA_E_MEM, "out of memory for %d wall points", cap);
                g->seen = grown;
                g->cap = cap;
            }
            s = &g->seen[g->n];
            s->host = p->host;
            s->px[0] = p->px[0], s->px[1] = p->px[1];
            s->next = g->head[p->host - g->first];
            g->head[p->host - g->first] = g->n++;
        }
        s->u = p->u;
        s->x = p->x;
        s->n_obs = p->n_obs;
        s->is_doubtful = p->is_doubtful;
        memcpy(s->obs, p->obs, sizeof *p->obs * (size_t)p->n_obs);
    }
    return INTRA_OK;
}

/* Sights of one point in views that count; 0: it does not. `view`: of each keyframe from `from`, -1 none. */
static int sights_of(const struct intra_lens_seen *s, const int *view, int from, int to, struct intra_lens_sight *out)
{
    int n = 0;
    if (s->is_doubtful || s->host < from || s->host >= to || view[s->host - from] < 0) return 0;
    out[n++] = (struct intra_lens_sight){
        view[s->host - from], {s->px[0], s->px[1]}, {1 / (HOST_SD_PX * HOST_SD_PX), 0, 1 / (HOST_SD_PX * HOST_SD_PX)}};
    for (int i = 0; i < s->n_obs; i++) {
        const struct intra_obs *o = &s->obs[i];
        if (o->kf == s->host || o->kf < from || o->kf >= to || view[o->kf - from] < 0) continue;
        out[n] = (struct intra_lens_sight){view[o->kf - from], {o->px[0], o->px[1]}, {0, 0, 0}};
        memcpy(out[n++].info, o->info, sizeof o->info);
    }
    return n >= LEAST_SIGHTS ? n : 0;
}

/* The knots that views and tracks need, and two more on each side; all of a run that is taken as a whole. */
static enum intra_status take_axis(const struct intra_run *run, bool is_whole, struct intra_lens_stretch *out,
                                   struct intra_error *err)
{
    const struct intra_axis *axis = &run->axis;
    const struct intra_lens_scene *c = &out->scene;
    int low = axis->first, end = axis->first + axis->count;
    if (!is_whole) {
        double u_low = INFINITY, u_high = -INFINITY;
        for (int i = 0; i < c->n_views; i++)
            u_low = fmin(u_low, c->u[i]), u_high = fmax(u_high, c->u[i]);
        for (int i = 0; i < c->n_tracks; i++)
            u_low = fmin(u_low, c->tracks[i].u), u_high = fmax(u_high, c->tracks[i].u);
        low = (int)fmax(low, floor(u_low) - 3);
        end = (int)fmin(end, floor(u_high) + 5);
    }
    enum intra_status status = INTRA_ALLOC(out->axis.knots, (size_t)(end - low), err);
    if (status != INTRA_OK) return status;
    memcpy(out->axis.knots, axis->knots + (low - axis->first), sizeof *axis->knots * (size_t)(end - low));
    out->axis.h = axis->h;
    out->axis.first = low;
    out->axis.count = out->axis.capacity = end - low;
    out->scene.axis = &out->axis;
    return INTRA_OK;
}

enum intra_status intra_lens_gather_take(const struct intra_lens_gather *g, const struct intra_run *run, int from,
                                         int to, struct intra_lens_stretch *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_lens_scene *c = &out->scene;
    struct intra_lens_sight sights[INTRA_LENS_MAX_SIGHTS];
    int *view = NULL, n_tracks = 0, n_sights = 0;
    if (to <= from) return INTRA_OK;
    INTRA_TRY(INTRA_ALLOC(view, (size_t)(to - from), err));
    int n_views = 0;
    for (int i = from; i < to; i++)
        view[i - from] = run->kfs[i].is_held || n_views == INTRA_LENS_MOST_VIEWS ? -1 : n_views++;
    /* Too many of them: those that were seen most often. */
    int with[INTRA_LENS_MAX_SIGHTS + 1] = {0}, least = INTRA_LENS_MAX_SIGHTS + 1;
    for (int i = 0; i < g->n; i++)
        with[sights_of(&g->seen[i], view, from, to, sights)]++;
    while (least > LEAST_SIGHTS && n_tracks + with[least - 1] <= MOST_TRACKS) {
        least--;
        n_tracks += with[least];
        n_sights += with[least] * least;
    }
    if (n_tracks <= c->n_tracks || n_tracks == 0) goto done;
    intra_lens_stretch_fini(out);
    INTRA_TRY(INTRA_ALLOC(c->views, (size_t)n_views, err));
    INTRA_TRY(INTRA_ALLOC(c->u, (size_t)n_views, err));
    INTRA_TRY(INTRA_ALLOC(c->tracks, (size_t)n_tracks, err));
    INTRA_TRY(INTRA_ALLOC(out->sights, (size_t)n_sights, err));
    c->sights = out->sights;
    c->radius_m = run->options.radius_m;
    for (int i = from; i < to; i++) {
        if (view[i - from] < 0) continue;
        c->views[view[i - from]] = run->kfs[i].cam_from_world;
        c->u[view[i - from]] = run->kfs[i].u;
    }
    n_sights = 0;
    for (int i = 0; i < g->n; i++) {
        int n = sights_of(&g->seen[i], view, from, to, sights);
        if (n < least) continue;
        memcpy(out->sights + n_sights, sights, sizeof *sights * (size_t)n);
        c->tracks[c->n_tracks++] = (struct intra_lens_track){g->seen[i].x, g->seen[i].u, n_sights, n};
        n_sights += n;
    }
    c->n_views = n_views;
    INTRA_TRY(take_axis(run, from == 0 && to == run->n_kfs, out, err));
done:
    intra_free(view);
    return status;
}

void intra_lens_gather_forget(struct intra_lens_gather *g, int kf)
{
    int shift = kf - g->first, kept = 0;
    if (shift <= 0) return;
    for (int i = 0; i < g->n; i++)
        if (g->seen[i].host >= kf) g->seen[kept++] = g->seen[i];
    g->n = kept;
    g->n_head = g->n_head > shift ? g->n_head - shift : 0;
    g->first = kf;
    for (int i = 0; i < g->n_head; i++)
        g->head[i] = -1;
    for (int i = 0; i < g->n; i++) {
        int *head = &g->head[g->seen[i].host - kf];
        g->seen[i].next = *head;
        *head = i;
    }
}

void intra_lens_gather_clear(struct intra_lens_gather *g)
{
    g->n = g->n_head = g->first = 0;
}

void intra_lens_gather_fini(struct intra_lens_gather *g)
{
    intra_free(g->seen);
    intra_free(g->head);
    memset(g, 0, sizeof *g);
}

void intra_lens_stretch_fini(struct intra_lens_stretch *s)
{
    intra_free(s->scene.views);
    intra_free(s->scene.u);
    intra_free(s->scene.tracks);
    intra_free(s->sights);
    intra_axis_fini(&s->axis);
    memset(s, 0, sizeof *s);
}
