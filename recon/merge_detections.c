/* Many boxes, one defect.
 *
 * Frame by frame, as the video runs. Each group (a defect so far) is carried into the frame: the outlines of a few of
 * its views, those whose camera stood nearest, go from the wall through pose and lens into the picture, where they are
 * boxes to compare with the frame's own (intersection over union, both grown by the unsteadiness of a detector's
 * edges). Comparing in the picture and not on the wall: a box is the same sort of too large there, while its far
 * corners run metres along the wall. The best pairs of equal label are taken first, one box a group and one group a
 * box, so that two boxes of one frame that do not cover each other are never the same defect. What is left begins a
 * group, but for a second box around the same thing. Then groups that lie on each other, and whose boxes do so in every
 * frame that shows both, are joined: a defect that was lost from sight, passed again, or drawn twice for a while.
 *
 * Last the patch of wall is fitted, an oblong in station and clock angle, whose picture in all frames of the group has
 * the drawn boxes around it (robustly, so that a few boxes of something else do not matter). Boxes that it does not
 * explain leave the group, groups that another one's patch explains go into that one. The fit also takes away what is
 * too large of a box on the wall, and gives the place and its deviation. */
#include "recon/merge_detections.h"

#include "core/log.h"
#include "core/mem.h"
#include "recon/locate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SAME_IOU 0.25      /* of a carried and a drawn box, at least */
#define AGAIN_IOU 0.4      /* of two groups */
#define LOOSE_IOU 0.15     /* a box that its group's patch explains less is not of it */
#define EXPLAINED_IOU 0.3  /* a group whose boxes another one's patch explains so well is that one */
#define ALONE_IOU 0.2      /* the same for a single box */
#define BETTER_IOU 0.1     /* by which another group's patch must explain a box better */
#define TWICE_IOU 0.5      /* of two boxes of a frame around the same thing */
#define EDGE_PX 2.0        /* a detector's edges are no better than that */
#define LEAST_SHOWN 0.3    /* of a carried box inside the picture */
#define LEAST_RANGE_M 0.02 /* nearer to the camera nothing is carried */
#define EDGE_SHARE 0.04    /* of a box: how unsteady its edges are beside EDGE_PX */
#define BORDER_PX 3.0      /* an edge so near to the picture's border is the picture's */
#define HUBER 1.5

enum {
    LEAST_FITTED = 3,      /* views that a patch is fitted to */
    NEAREST = 5,           /* views of a group that are carried */
    LAST = 32,             /* of which the nearest are chosen: the latest ones, */
    SPREAD = 32,           /* and as many over all of them */
    MOST_GROUPS = 2000,    /* looked at for a frame: those seen last */
    MOST_BOXES = 1000,     /* of a frame; more is no detector's result */
    MOST_CARRIED = 48,     /* points of an outline */
    MOST_IDS = 4000,       /* characters of the list of joined ids */
    CARRIED_A_BOX = 3000,  /* so many boxes are carried, at most, for each one that came in, */
    MOST_CARRIES = 1500000 /* and in all: some tens of seconds */
};

struct box {
    double x0, y0, x1, y1;
};

struct view {
    int64_t observation;
    int region;
    const struct intra_frame_record *frame;
    struct box box;       /* in pixels of the camera */
    double (*outline)[2]; /* on the wall */
    int n;
    double s0, s1, a0, a1; /* extent there; angles unwrapped */
    double range_m, share; /* from the camera; of the outline that meets the wall */
    double score;
    int label; /* equal for equal labels */
    int group;
    int next; /* in the group, by frame; -1 */
};

/* Of the wall: middle and half length along (m), middle and half span around (rad). */
struct patch {
    double v[4];
    double sd[4];
};

struct group {
    int first, last, n; /* views */
    double s0, s1;      /* all of them */
    int64_t frame;      /* index of the last one */
    int newer, older;   /* by the frame last seen; -1 */
    bool is_gone;
    bool has_patch;
    struct patch patch; /* that explains its boxes */
};

struct merger {
    const struct intra_scene *scene;
    struct intra_inspection *in;
    struct view *views;
    int n_views;
    struct group *groups;
    int n_groups, cap_groups, newest;
    int *order;      /* views of a group, scratch */
    int64_t carries; /* that may still be made */
    int n_beyond;    /* boxes past MOST_BOXES of their frame, compared with nothing */
    struct intra_error *err;
};

static int by_text(const char *a, const char *b)
{
    return strcasecmp(a ? a : "", b ? b : "");
}

static int by_label(const struct intra_observation *a, const struct intra_observation *b)
{
    int order = (a->system > b->system) - (a->system < b->system);
    if (!order) order = by_text(a->code, b->code);
    if (!order) order = by_text(a->model, b->model);
    if (!order) order = by_text(a->characterisation[0], b->characterisation[0]);
    return order ? order : by_text(a->characterisation[1], b->characterisation[1]);
}

static const struct intra_observation *seen_by(const struct merger *m, int view)
{
    return &m->in->observations[m->views[view].observation];
}

static bool is_same_label(const struct merger *m, int view, int other)
{
    return m->views[view].label == m->views[other].label;
}

static int by_view_label(const void *a, const void *b, void *merger)
{
    const struct merger *m = merger;
    int i = *(const int *)a, k = *(const int *)b, order = by_label(seen_by(m, i), seen_by(m, k));
    return order ? order : i < k ? -1 : i > k;
}

/* Numbers for the labels. */
static void number_labels(struct merger *m)
{
    int label = 0;
    for (int i = 0; i < m->n_views; i++)
        m->order[i] = i;
    if (m->n_views) qsort_r(m->order, (size_t)m->n_views, sizeof *m->order, by_view_label, m);
    for (int i = 0; i < m->n_views; i++) {
        if (i && by_label(seen_by(m, m->order[i - 1]), seen_by(m, m->order[i])) != 0) label++;
        m->views[m->order[i]].label = label;
    }
}

/* ---- boxes */

static double area(const struct box *b)
{
    return b->x1 > b->x0 && b->y1 > b->y0 ? (b->x1 - b->x0) * (b->y1 - b->y0) : 0;
}

static struct box cut(const struct box *a, const struct box *b)
{
    return (struct box){fmax(a->x0, b->x0), fmax(a->y0, b->y0), fmin(a->x1, b->x1), fmin(a->y1, b->y1)};
}

static struct box grown(const struct box *b)
{
    return (struct box){b->x0 - EDGE_PX, b->y0 - EDGE_PX, b->x1 + EDGE_PX, b->y1 + EDGE_PX};
}

static double overlap(const struct box *a, const struct box *b)
{
    struct box p = grown(a), q = grown(b), both = cut(&p, &q);
    double shared = area(&both);
    return shared > 0 ? shared / (area(&p) + area(&q) - shared) : 0;
}

/* The box around what a view's outline on the wall looks like in another frame; false where it does not show there. */
static bool carry(struct merger *m, const struct view *v, const struct intra_frame_record *frame, struct box *out)
{
    const struct intra_camera *camera = &m->scene->camera;
    struct intra_pose cam_from_world = intra_pose_inverse(&frame->world_from_cam);
    struct box picture = {-0.5, -0.5, camera->width - 0.5, camera->height - 0.5},
               b = {INFINITY, INFINITY, -INFINITY, -INFINITY};
    int step = 1 + (v->n - 1) / MOST_CARRIED, tried = 0, met = 0;
    if (m->carries-- <= 0) return false;
    for (int i = 0; i < v->n; i += step, tried++) {
        struct intra_vec3 x, p;
        double px[2];
        if (!intra_scene_wall_point(m->scene, v->outline[i][0], v->outline[i][1], 0, &x, NULL)) continue;
        p = intra_pose_apply(&cam_from_world, x);
        if (p.z < LEAST_RANGE_M || !intra_camera_project(camera, p, px, NULL, NULL)) continue;
        b = (struct box){fmin(b.x0, px[0]), fmin(b.y0, px[1]), fmax(b.x1, px[0]), fmax(b.y1, px[1])};
        met++;
    }
    if (met < 3 || 2 * met < tried) return false;
    *out = cut(&b, &picture);
    return area(out) >= LEAST_SHOWN * area(&b) && area(out) > 0;
}

/* ---- groups */

/* The views of a group whose camera stood nearest to a frame's, out of its latest and a spread of all. */
static int nearest_views(const struct merger *m, const struct group *g, const struct intra_frame_record *frame,
                         int out[NEAREST])
{
    double away[NEAREST];
    int n = 0, every = 1 + g->n / SPREAD, at = 0;
    for (int v = g->first; v >= 0; v = m->views[v].next, at++) {
        double d;
        int k;
        if (at % every != 0 && at < g->n - LAST) continue;
        d = intra_norm(intra_sub(m->views[v].frame->world_from_cam.t, frame->world_from_cam.t));
        for (k = n; k > 0 && away[k - 1] > d; k--)
            if (k < NEAREST) {
                away[k] = away[k - 1];
                out[k] = out[k - 1];
            }
        if (k == NEAREST) continue;
        away[k] = d;
        out[k] = v;
        if (n < NEAREST) n++;
    }
    return n;
}

static int carried_boxes(struct merger *m, const struct group *g, const struct intra_frame_record *frame,
                         struct box out[NEAREST])
{
    int views[NEAREST], n = nearest_views(m, g, frame, views), kept = 0;
    for (int i = 0; i < n; i++)
        kept += carry(m, &m->views[views[i]], frame, &out[kept]);
    return kept;
}

static void unlink_group(struct merger *m, int g)
{
    struct group *x = &m->groups[g];
    if (x->newer >= 0) m->groups[x->newer].older = x->older;
    if (x->older >= 0) m->groups[x->older].newer = x->newer;
    if (m->newest == g) m->newest = x->older;
    x->newer = x->older = -1;
}

static void make_newest(struct merger *m, int g)
{
    struct group *x = &m->groups[g];
    if (m->newest == g) return;
    unlink_group(m, g);
    x->older = m->newest;
    if (m->newest >= 0) m->groups[m->newest].newer = g;
    m->newest = g;
}

static void put_into(struct merger *m, int v, int g)
{
    struct view *view = &m->views[v];
    struct group *x = &m->groups[g];
    view->group = g;
    view->next = -1;
    if (x->n++ == 0) {
        x->first = v;
        x->s0 = view->s0;
        x->s1 = view->s1;
    } else {
        m->views[x->last].next = v;
        x->s0 = fmin(x->s0, view->s0);
        x->s1 = fmax(x->s1, view->s1);
    }
    x->last = v;
    x->frame = view->frame->index;
}

static void new_group(struct merger *m, int v)
{
    int g = m->n_groups++;
    m->groups[g] = (struct group){.first = -1, .last = -1, .newer = -1, .older = -1};
    put_into(m, v, g);
    make_newest(m, g);
}

/* ---- one frame */

struct pair {
    int view, group;
    double iou;
};

static int by_iou(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    if (x->iou != y->iou) return x->iou > y->iou ? -1 : 1;
    if (x->view != y->view) return x->view < y->view ? -1 : 1;
    return x->group < y->group ? -1 : x->group > y->group;
}

struct pairs {
    struct pair *items;
    size_t n, cap;
};

static enum intra_status add_pair(struct merger *m, struct pairs *pairs, struct pair pair)
{
    if (pairs->n == pairs->cap) {
        size_t cap = pairs->cap ? 2 * pairs->cap : 256;
        struct pair *grown = intra_resize(pairs->items, pairs->cap, cap, sizeof *grown);
        if (!grown) return INTRA_FAIL(m->err, INTRA_E_MEM, "no memory for %zu pairs of boxes", cap);
        pairs->items = grown;
        pairs->cap = cap;
    }
    pairs->items[pairs->n++] = pair;
    return INTRA_OK;
}

/* Views from..to-1 are of one frame. */
static enum intra_status take_frame(struct merger *m, int from, int to, struct pairs *pairs)
{
    enum intra_status status = INTRA_OK;
    const struct intra_frame_record *frame = m->views[from].frame;
    double s0 = INFINITY, s1 = -INFINITY, slack = m->scene->nominal_diameter_m;
    int seen = 0;
    pairs->n = 0;
    if (to - from > MOST_BOXES) {
        m->n_beyond += to - from - MOST_BOXES;
        to = from + MOST_BOXES;
    }
    for (int v = from; v < to; v++) {
        s0 = fmin(s0, m->views[v].s0 - slack);
        s1 = fmax(s1, m->views[v].s1 + slack);
    }
    for (int g = m->newest; g >= 0 && seen < MOST_GROUPS; g = m->groups[g].older, seen++) {
        const struct group *x = &m->groups[g];
        struct box boxes[NEAREST];
        int n = -1;
        if (x->s0 > s1 || x->s1 < s0) continue;
        for (int v = from; v < to; v++) {
            double iou = 0;
            if (!is_same_label(m, v, x->first)) continue;
            if (n < 0) n = carried_boxes(m, x, frame, boxes);
            for (int i = 0; i < n; i++)
                iou = fmax(iou, overlap(&boxes[i], &m->views[v].box));
            if (iou >= SAME_IOU) INTRA_TRY(add_pair(m, pairs, (struct pair){v, g, iou}));
        }
    }
    if (pairs->n) qsort(pairs->items, pairs->n, sizeof *pairs->items, by_iou);
    for (size_t i = 0; i < pairs->n; i++) {
        const struct pair *p = &pairs->items[i];
        if (m->views[p->view].group >= 0 || m->groups[p->group].frame == frame->index) continue;
        put_into(m, p->view, p->group);
        make_newest(m, p->group);
    }
    for (int v = from; v < to; v++) {
        int twin = -1;
        if (m->views[v].group >= 0) continue;
        for (int u = from; u < to && twin < 0; u++)
            if (m->views[u].group >= 0 && is_same_label(m, u, v) &&
                overlap(&m->views[u].box, &m->views[v].box) >= TWICE_IOU)
                twin = m->views[u].group;
        if (twin >= 0)
            put_into(m, v, twin);
        else
            new_group(m, v);
    }
done:
    return status;
}

/* ---- groups on each other */

/* Two boxes of one frame that do not cover each other: two defects. */
static bool are_apart(const struct merger *m, const struct group *a, const struct group *b)
{
    int v = a->first, u = b->first;
    while (v >= 0 && u >= 0) {
        int64_t f = m->views[v].frame->index, g = m->views[u].frame->index;
        if (f == g && overlap(&m->views[v].box, &m->views[u].box) < SAME_IOU) return true;
        if (f <= g)
            v = m->views[v].next;
        else
            u = m->views[u].next;
    }
    return false;
}

/* How well a group lies on another: best of a few of its views. */
static double group_overlap(struct merger *m, const struct group *a, const struct group *b)
{
    int every = 1 + b->n / 8, at = 0;
    double best = 0;
    for (int v = b->first; v >= 0; v = m->views[v].next, at++) {
        struct box boxes[NEAREST];
        if (at % every != 0 && v != b->last) continue;
        int n = carried_boxes(m, a, m->views[v].frame, boxes);
        for (int i = 0; i < n; i++)
            best = fmax(best, overlap(&boxes[i], &m->views[v].box));
    }
    return best;
}

/* Views of `b` into `a`, by frame. */
static void swallow(struct merger *m, int a, int b)
{
    struct group *x = &m->groups[a], *y = &m->groups[b];
    int v = x->first, u = y->first, last = -1;
    x->first = -1;
    while (v >= 0 || u >= 0) {
        bool is_first = u < 0 || (v >= 0 && m->views[v].frame->index <= m->views[u].frame->index);
        int take = is_first ? v : u;
        if (is_first)
            v = m->views[v].next;
        else
            u = m->views[u].next;
        if (last < 0)
            x->first = take;
        else
            m->views[last].next = take;
        m->views[take].group = a;
        m->views[take].next = -1;
        last = take;
    }
    x->last = last;
    x->n += y->n;
    x->s0 = fmin(x->s0, y->s0);
    x->s1 = fmax(x->s1, y->s1);
    y->is_gone = true;
    y->n = 0;
}

static int by_station(const void *a, const void *b, void *groups)
{
    const struct group *x = (const struct group *)groups + *(const int *)a,
                       *y = (const struct group *)groups + *(const int *)b;
    if (x->s0 != y->s0) return x->s0 < y->s0 ? -1 : 1;
    return *(const int *)a < *(const int *)b ? -1 : *(const int *)a > *(const int *)b;
}

static enum intra_status join_groups(struct merger *m)
{
    enum intra_status status = INTRA_OK;
    int *order = NULL;
    INTRA_TRY(INTRA_ALLOC(order, (size_t)m->n_groups + 1, m->err));
    for (int i = 0; i < m->n_groups; i++)
        order[i] = i;
    if (m->n_groups) qsort_r(order, (size_t)m->n_groups, sizeof *order, by_station, m->groups);
    for (int i = 0; i < m->n_groups; i++) {
        struct group *a = &m->groups[order[i]];
        int looked = 0;
        for (int k = i + 1; k < m->n_groups && !a->is_gone && looked < MOST_GROUPS && m->carries > 0; k++, looked++) {
            struct group *b = &m->groups[order[k]];
            if (b->is_gone) continue;
            if (b->s0 > a->s1) break;
            if (!is_same_label(m, a->first, b->first) || are_apart(m, a, b)) continue;
            if (fmax(group_overlap(m, a, b), group_overlap(m, b, a)) < AGAIN_IOU) continue;
            swallow(m, order[i], order[k]);
            k = i; /* it is larger now */
        }
    }
done:
    intra_free(order);
    return status;
}

/* ---- views */

static void find_extent(struct view *v)
{
    v->s0 = v->a0 = INFINITY;
    v->s1 = v->a1 = -INFINITY;
    for (int i = 0; i < v->n; i++) {
        v->s0 = fmin(v->s0, v->outline[i][0]);
        v->s1 = fmax(v->s1, v->outline[i][0]);
        v->a0 = fmin(v->a0, v->outline[i][1]);
        v->a1 = fmax(v->a1, v->outline[i][1]);
    }
}

/* As the observation was placed by it. */
static void take_outline(const struct merger *m, const struct intra_observation *o, struct view *v)
{
    double range = 0;
    v->n = o->place.n_outline;
    memcpy(v->outline, o->place.outline, (size_t)v->n * sizeof *v->outline);
    for (int i = 0; i < v->n; i++) {
        struct intra_vec3 x;
        if (intra_scene_wall_point(m->scene, v->outline[i][0], v->outline[i][1], 0, &x, NULL))
            range += intra_norm(intra_sub(x, v->frame->world_from_cam.t));
    }
    v->range_m = range / v->n;
}

/* *out_is_good: its frame has a pose and at least half of it meets the wall. */
static enum intra_status make_view(struct merger *m, int64_t observation, int region, struct view *v, bool *out_is_good)
{
    enum intra_status status = INTRA_OK;
    const struct intra_observation *o = &m->in->observations[observation];
    const struct intra_frame_region *r = &o->regions[region];
    const struct intra_camera *camera = &m->scene->camera;
    double sx = r->width_px > 0 ? (double)camera->width / r->width_px : 1,
           sy = r->height_px > 0 ? (double)camera->height / r->height_px : 1;
    *v = (struct view){.observation = observation,
                       .region = region,
                       .frame = intra_locate_frame(m->scene, r),
                       .group = -1,
                       .next = -1,
                       .score = isfinite(r->score) ? r->score : o->score,
                       .box = {INFINITY, INFINITY, -INFINITY, -INFINITY}};
    *out_is_good = false;
    if (!v->frame || r->n_outline < 3) return INTRA_OK;
    for (int i = 0; i < r->n_outline; i++) {
        double x = (r->outline[i][0] + 0.5) * sx - 0.5, y = (r->outline[i][1] + 0.5) * sy - 0.5;
        v->box = (struct box){fmin(v->box.x0, x), fmin(v->box.y0, y), fmax(v->box.x1, x), fmax(v->box.y1, y)};
    }
    INTRA_TRY(INTRA_ALLOC(v->outline, (size_t)r->n_outline * INTRA_LOCATE_PIECES, m->err));
    if (o->n_regions == 1 && o->place.frame == v->frame->index && o->place.n_outline > 0 &&
        o->place.n_outline <= r->n_outline * INTRA_LOCATE_PIECES) /* found already */
        take_outline(m, o, v);
    else
        v->n = intra_locate_region(m->scene, r, v->frame, v->outline, &v->range_m);
    v->share = (double)v->n / (r->n_outline * INTRA_LOCATE_PIECES);
    *out_is_good = v->n >= 3 && v->share >= 0.5;
    if (*out_is_good) {
        find_extent(v);
    } else {
        intra_free(v->outline);
        v->outline = NULL;
    }
done:
    return status;
}

static int by_frame(const void *a, const void *b)
{
    const struct view *x = a, *y = b;
    if (x->frame->index != y->frame->index) return x->frame->index < y->frame->index ? -1 : 1;
    if (x->observation != y->observation) return x->observation < y->observation ? -1 : 1;
    return x->region < y->region ? -1 : x->region > y->region;
}

/* A whole outline first, then the nearest: there a pixel is least of the wall. */
static int by_quality(const struct view *x, const struct view *y)
{
    bool is_whole_x = x->share > 0.95, is_whole_y = y->share > 0.95;
    if (is_whole_x != is_whole_y) return is_whole_x ? -1 : 1;
    if (x->range_m != y->range_m) return x->range_m < y->range_m ? -1 : 1;
    return by_frame(x, y);
}

static int by_view_quality(const void *a, const void *b, void *views)
{
    return by_quality((const struct view *)views + *(const int *)a, (const struct view *)views + *(const int *)b);
}

/* ---- the place */

struct weighted {
    double value, weight;
};

static int by_value(const void *a, const void *b)
{
    double x = ((const struct weighted *)a)->value, y = ((const struct weighted *)b)->value;
    return (x > y) - (x < y);
}

/* Middle by weight; sorts. */
static double weighted_median(struct weighted *list, int n)
{
    double all = 0, sum = 0;
    qsort(list, (size_t)n, sizeof *list, by_value);
    for (int i = 0; i < n; i++)
        all += list[i].weight;
    for (int i = 0; i < n; i++) {
        sum += list[i].weight;
        if (sum >= all / 2) return list[i].value;
    }
    return list[n - 1].value;
}

/* Middle and its deviation from the scatter of the views, which counts as that of as many as weigh. */
static double middle_of(struct weighted *list, int n, double *out_sd)
{
    double middle = weighted_median(list, n), sum = 0, squares = 0;
    for (int i = 0; i < n; i++) {
        sum += list[i].weight;
        squares += list[i].weight * list[i].weight;
        list[i].value = fabs(list[i].value - middle);
    }
    *out_sd = 1.4826 * weighted_median(list, n) / sqrt(fmax(1, sum * sum / squares));
    return middle;
}

static double wrap_2pi(double a)
{
    a = fmod(a, 2 * M_PI);
    return a < 0 ? a + 2 * M_PI : a;
}

/* ---- the patch of wall that explains the boxes */

enum { MOST_FITTED = 24, ARC_POINTS = 9, ITERATIONS = 12 };

/* The box around a patch in a frame. */
static bool patch_box(struct merger *m, const double v[4], const struct intra_pose *cam_from_world, struct box *out)
{
    *out = (struct box){INFINITY, INFINITY, -INFINITY, -INFINITY};
    for (int i = 0; i < 2 * ARC_POINTS; i++) {
        double s = v[0] + (i % 2 ? v[1] : -v[1]), a = v[2] + v[3] * ((double)(i / 2) / (ARC_POINTS - 1) * 2 - 1), px[2];
        struct intra_vec3 x, p;
        if (!intra_scene_wall_point(m->scene, s, a, 0, &x, NULL)) return false;
        p = intra_pose_apply(cam_from_world, x);
        if (p.z < LEAST_RANGE_M || !intra_camera_project(&m->scene->camera, p, px, NULL, NULL)) return false;
        *out = (struct box){fmin(out->x0, px[0]), fmin(out->y0, px[1]), fmax(out->x1, px[0]), fmax(out->y1, px[1])};
    }
    return true;
}

/* Solves the symmetric a x = b in place, and leaves the inverse's diagonal; false where it has none. */
static bool solve4(double a[4][4], double b[4], double inverse_diagonal[4])
{
    double w[4][9];
    for (int i = 0; i < 4; i++) {
        for (int k = 0; k < 4; k++) {
            w[i][k] = a[i][k];
            w[i][5 + k] = i == k;
        }
        w[i][4] = b[i];
    }
    for (int i = 0; i < 4; i++) {
        int best = i;
        for (int r = i + 1; r < 4; r++)
            if (fabs(w[r][i]) > fabs(w[best][i])) best = r;
        if (!(fabs(w[best][i]) > 1e-12)) return false;
        for (int k = 0; k < 9; k++) {
            double t = w[i][k];
            w[i][k] = w[best][k];
            w[best][k] = t;
        }
        for (int r = 0; r < 4; r++) {
            double f = r == i ? 0 : w[r][i] / w[i][i];
            for (int k = i; f != 0 && k < 9; k++)
                w[r][k] -= f * w[i][k];
        }
    }
    for (int i = 0; i < 4; i++) {
        b[i] = w[i][4] / w[i][i];
        inverse_diagonal[i] = w[i][5 + i] / w[i][i];
    }
    return true;
}

static int by_double(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Residuals of all edges that do not lie at the picture's border, in units of an edge's unsteadiness; how many. */
static int residuals(struct merger *m, const int *views, const struct intra_pose *poses, int n, const double v[4],
                     double *out)
{
    const struct intra_camera *c = &m->scene->camera;
    int k = 0;
    for (int i = 0; i < n; i++) {
        const struct box *seen = &m->views[views[i]].box;
        struct box b;
        if (!patch_box(m, v, &poses[i], &b)) return -1;
        double sx = hypot(EDGE_PX, EDGE_SHARE * (seen->x1 - seen->x0)),
               sy = hypot(EDGE_PX, EDGE_SHARE * (seen->y1 - seen->y0));
        if (seen->x0 > BORDER_PX) out[k++] = (b.x0 - seen->x0) / sx;
        if (seen->y0 > BORDER_PX) out[k++] = (b.y0 - seen->y0) / sy;
        if (seen->x1 < c->width - 1 - BORDER_PX) out[k++] = (b.x1 - seen->x1) / sx;
        if (seen->y1 < c->height - 1 - BORDER_PX) out[k++] = (b.y1 - seen->y1) / sy;
    }
    return k;
}

static double cost(const double *r, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++) {
        double a = fabs(r[i]);
        sum += a < HUBER ? a * a : 2 * HUBER * a - HUBER * HUBER;
    }
    return sum;
}

/* Levenberg-Marquardt over middle and half extents, robust, derivatives by differences. The deviations are those of the
 * fit, scaled by the scatter of the residuals. `p` begins with a guess. */
static bool fit_patch(struct merger *m, const int *views, int n, struct patch *p)
{
    static const double least[4] = {-INFINITY, 0.001, -INFINITY, 0.005}, most[4] = {INFINITY, 5, INFINITY, M_PI};
    struct intra_pose poses[MOST_FITTED];
    double r[4 * MOST_FITTED], moved[4 * MOST_FITTED], j[4][4 * MOST_FITTED], damping = 1e-3, now;
    int k;
    int used[MOST_FITTED], n_used = 0;
    m->carries -= 25 * (int64_t)(n < MOST_FITTED ? n : MOST_FITTED);
    if (m->carries <= 0) return false;
    for (int i = 0; i < n && n_used < MOST_FITTED; i++) {
        struct box b;
        poses[n_used] = intra_pose_inverse(&m->views[views[i]].frame->world_from_cam);
        if (patch_box(m, p->v, &poses[n_used], &b)) used[n_used++] = views[i];
    }
    if (2 * n_used < n && n_used < MOST_FITTED) return false;
    views = used;
    n = n_used;
    k = residuals(m, views, poses, n, p->v, r);
    if (k < 4) return false;
    now = cost(r, k);
    for (int step = 0; step <= ITERATIONS; step++) {
        double a[4][4] = {{0}}, b[4] = {0}, next[4], diagonal[4];
        for (int i = 0; i < 4; i++) {
            double v[4], h = i < 2 ? 1e-4 : 3e-4;
            memcpy(v, p->v, sizeof v);
            v[i] += h;
            if (residuals(m, views, poses, n, v, moved) != k) { /* at the end of the wall: the other way */
                h = -h;
                v[i] = p->v[i] + h;
                if (residuals(m, views, poses, n, v, moved) != k) return false;
            }
            for (int q = 0; q < k; q++)
                j[i][q] = (moved[q] - r[q]) / h;
        }
        for (int q = 0; q < k; q++) {
            double w = fabs(r[q]) < HUBER ? 1 : HUBER / fabs(r[q]);
            for (int i = 0; i < 4; i++) {
                b[i] -= w * j[i][q] * r[q];
                for (int l = 0; l < 4; l++)
                    a[i][l] += w * j[i][q] * j[l][q];
            }
        }
        if (step == ITERATIONS) { /* the deviations */
            double scale = 1;
            if (k >= 12) {
                for (int q = 0; q < k; q++)
                    moved[q] = fabs(r[q]);
                qsort(moved, (size_t)k, sizeof *moved, by_double);
                scale = fmax(0.3, 1.4826 * moved[k / 2]);
            }
            for (int i = 0; i < 4; i++)
                a[i][i] *= 1 + 1e-9;
            if (!solve4(a, b, diagonal)) return false;
            for (int i = 0; i < 4; i++)
                p->sd[i] = scale * sqrt(fmax(0, diagonal[i]));
            break;
        }
        for (int i = 0; i < 4; i++)
            a[i][i] *= 1 + damping;
        if (!solve4(a, b, diagonal)) return false;
        for (int i = 0; i < 4; i++)
            next[i] = fmin(fmax(p->v[i] + b[i], least[i]), most[i]);
        int found = residuals(m, views, poses, n, next, moved);
        double then = found == k ? cost(moved, k) : INFINITY;
        if (then < now) {
            if (then > 0.9999 * now && step < ITERATIONS - 1) step = ITERATIONS - 1; /* that will do */
            memcpy(p->v, next, sizeof next);
            memcpy(r, moved, sizeof r);
            now = then;
            damping = fmax(damping / 5, 1e-6);
        } else {
            damping = fmin(damping * 8, 1e6);
        }
    }
    return isfinite(p->sd[0] + p->sd[1] + p->sd[2] + p->sd[3]) && p->v[3] < 0.95 * M_PI;
}

/* From guesses that the best view gives: the far end on the wall is that of the box's innermost corner, so begin with
 * less. Views: the best one first. */
static bool fit_from_views(struct merger *m, const int *views, int n, struct patch *out)
{
    static const double shares[] = {0.6, 0.3, 0.1, 0.03};
    const struct view *best = &m->views[views[0]];
    double centre[2] = {(best->box.x0 + best->box.x1) / 2, (best->box.y0 + best->box.y1) / 2}, s, theta,
           half = fmin((best->a1 - best->a0) / 2, 0.6);
    if (!intra_locate_pixel(m->scene, best->frame, centre, 8 * m->scene->nominal_diameter_m, &s, &theta, NULL))
        theta = (best->a0 + best->a1) / 2;
    for (int i = 0; i < 4; i++) {
        double length = (best->s1 - best->s0) * shares[i];
        *out = (struct patch){.v = {best->s0 + length / 2 + 0.005, length / 2, theta, 0.8 * half}};
        if (fit_patch(m, views, n, out)) return true;
    }
    return false;
}

static bool is_box(const struct intra_frame_region *r)
{
    if (r->n_outline != 4) return false;
    for (int i = 0; i < 4; i++) {
        const double *a = r->outline[i], *b = r->outline[(i + 1) % 4];
        if (a[0] != b[0] && a[1] != b[1]) return false;
    }
    return true;
}

/* The outline of a box on the wall runs far along it in its corners; that of the patch does not. */
static enum intra_status put_corners(struct intra_place *p, double s0, double s1, double a0, double a1,
                                     struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    double(*outline)[2] = NULL;
    INTRA_TRY(INTRA_ALLOC(outline, 4, err));
    for (int i = 0; i < 4; i++) {
        outline[i][0] = i == 1 || i == 2 ? s1 : s0;
        outline[i][1] = i >= 2 ? a1 : a0;
    }
    intra_free(p->outline);
    p->outline = outline;
    p->n_outline = 4;
done:
    return status;
}

/* By the patch that fits where the regions are boxes; else by the middles of the outlines on the wall. */
static enum intra_status place_by_scatter(struct merger *m, const int *views, int n, bool are_boxes,
                                          struct intra_observation *o)
{
    enum intra_status status = INTRA_OK;
    struct intra_place *p = &o->place;
    struct weighted *list[4] = {NULL}; /* both ends along, middle and half span around */
    const struct view *best = &m->views[views[0]];
    double v[4], sd[4], about = (best->a0 + best->a1) / 2;
    bool is_ring = p->recorded.clock_to_rad - p->recorded.clock_from_rad >= 2 * M_PI - 1e-9;
    int64_t frame = p->frame;
    double time_s = p->time_s;
    for (int i = 0; i < 4; i++)
        INTRA_TRY(INTRA_ALLOC(list[i], (size_t)n, m->err));
    for (int i = 0; i < n;
         i++) { /* a pixel is range^2 / (f R) of the wall: views weigh by the inverse square of that */
        const struct view *w = &m->views[views[i]];
        double range = fmax(w->range_m, LEAST_RANGE_M), weight = w->share * w->share / (range * range * range * range);
        list[0][i] = (struct weighted){w->s0, weight};
        list[1][i] = (struct weighted){w->s1, weight};
        list[2][i] = (struct weighted){intra_wrap_pi((w->a0 + w->a1) / 2 - about), weight};
        list[3][i] = (struct weighted){fmin((w->a1 - w->a0) / 2, M_PI), weight};
    }
    for (int i = 0; i < 4; i++)
        v[i] = middle_of(list[i], n, &sd[i]);
    struct patch patch;
    bool is_fitted = are_boxes && fit_from_views(m, views, n, &patch);
    if (is_fitted) is_ring = false;
    if (is_fitted) {
        v[0] = patch.v[0] - patch.v[1];
        v[1] = patch.v[0] + patch.v[1];
        v[2] = patch.v[2] - about;
        v[3] = patch.v[3];
        sd[0] = sd[1] = patch.sd[0];
        sd[2] = patch.sd[2];
        INTRA_TRY(put_corners(p, v[0], v[1], patch.v[2] - v[3], patch.v[2] + v[3], m->err));
    }
    p->recorded.station_from_m = fmin(v[0], v[1]);
    p->recorded.station_to_m = fmax(v[0], v[1]);
    p->recorded.station_sd_m =
        hypot(is_fitted ? sd[0] : hypot(sd[0], sd[1]) / 2, intra_scene_station_sd(m->scene, (v[0] + v[1]) / 2));
    if (!is_ring) {
        p->recorded.clock_from_rad = wrap_2pi(about + v[2] - v[3]);
        p->recorded.clock_to_rad = wrap_2pi(about + v[2] + v[3]);
        p->recorded.clock_sd_rad = hypot(sd[2], 0.01);
    }
    p->refined = p->recorded;
    intra_locate_position(m->scene, p);
    p->frame = frame;
    p->time_s = time_s;
    snprintf(p->reason, sizeof p->reason, "by its regions in %d frames, the best one frame %lld", n, (long long)frame);
done:
    for (int i = 0; i < 4; i++)
        intra_free(list[i]);
    return status;
}

/* ---- which box belongs to which patch */

/* How well a patch explains a box. */
static double explained(struct merger *m, const struct patch *p, const struct view *v)
{
    const struct intra_camera *c = &m->scene->camera;
    struct intra_pose cam_from_world = intra_pose_inverse(&v->frame->world_from_cam);
    struct box b, picture = {-0.5, -0.5, c->width - 0.5, c->height - 0.5};
    if (m->carries-- <= 0 || !patch_box(m, p->v, &cam_from_world, &b)) return 0;
    b = cut(&b, &picture);
    return overlap(&b, &v->box);
}

/* Views of a group, best first; whether all are boxes. */
static bool sort_views(struct merger *m, const struct group *g, int *out_n)
{
    bool are_boxes = true;
    int n = 0;
    for (int v = g->first; v >= 0; v = m->views[v].next) {
        are_boxes = are_boxes && is_box(&seen_by(m, v)->regions[m->views[v].region]);
        m->order[n++] = v;
    }
    qsort_r(m->order, (size_t)n, sizeof *m->order, by_view_quality, m->views);
    *out_n = n;
    return are_boxes;
}

static void fit_groups(struct merger *m)
{
    for (int i = 0; i < m->n_groups; i++) {
        struct group *g = &m->groups[i];
        int n;
        g->has_patch = false;
        if (g->is_gone || g->n < LEAST_FITTED) continue;
        g->has_patch = sort_views(m, g, &n) && fit_from_views(m, m->order, n, &g->patch);
    }
}

/* A box of the same frame in the group that this one does not cover. */
static bool is_apart_from(const struct merger *m, const struct group *g, const struct view *v)
{
    for (int u = g->first; u >= 0; u = m->views[u].next)
        if (m->views[u].frame == v->frame && overlap(&m->views[u].box, &v->box) < SAME_IOU) return true;
    return false;
}

/* Groups with a patch, in m->order; how many. */
static int fitted_groups(struct merger *m)
{
    int n = 0;
    for (int i = 0; i < m->n_groups; i++)
        if (!m->groups[i].is_gone && m->groups[i].has_patch && n < m->n_views) m->order[n++] = i;
    return n;
}

static void take_out(struct merger *m, int g, int v, int before)
{
    struct group *x = &m->groups[g];
    int next = m->views[v].next;
    if (before < 0)
        x->first = next;
    else
        m->views[before].next = next;
    if (next < 0) x->last = before;
    x->n--;
}

/* Into its place by frame. */
static void put_in_order(struct merger *m, int v, int g)
{
    struct group *x = &m->groups[g];
    struct view *view = &m->views[v];
    int before = -1, next = x->first;
    while (next >= 0 && m->views[next].frame->index <= view->frame->index) {
        before = next;
        next = m->views[next].next;
    }
    view->group = g;
    view->next = next;
    if (before < 0)
        x->first = v;
    else
        m->views[before].next = v;
    if (next < 0) x->last = v;
    x->n++;
    x->s0 = fmin(x->s0, view->s0);
    x->s1 = fmax(x->s1, view->s1);
}

/* A box goes to the larger group whose patch explains it better than its own does; one that nothing explains goes by
 * itself. */
static void sort_out(struct merger *m)
{
    int n_groups = m->n_groups, n = fitted_groups(m);
    for (int i = 0; i < n_groups; i++) {
        struct group *g = &m->groups[i];
        int before = -1, next;
        if (g->is_gone) continue;
        for (int v = g->first; v >= 0 && m->carries > 0; v = next) {
            struct view *view = &m->views[v];
            double own = g->has_patch ? explained(m, &g->patch, view) : 0, most = fmax(EXPLAINED_IOU, own + BETTER_IOU);
            int best = -1;
            next = view->next;
            for (int k = 0; k < n; k++) {
                const struct group *a = &m->groups[m->order[k]];
                double iou;
                if (a == g || a->n < g->n || a->patch.v[0] - a->patch.v[1] > view->s1 ||
                    a->patch.v[0] + a->patch.v[1] < view->s0 || !is_same_label(m, a->first, v))
                    continue;
                iou = explained(m, &a->patch, view);
                if (iou < most || is_apart_from(m, a, view)) continue;
                most = iou;
                best = m->order[k];
            }
            if (best < 0 && (!g->has_patch || own >= LOOSE_IOU || g->n == 1 || m->n_groups == m->cap_groups)) {
                before = v;
                continue;
            }
            take_out(m, i, v, before);
            if (best >= 0)
                put_in_order(m, v, best);
            else
                new_group(m, v);
            g = &m->groups[i];
            if (g->n == 0) g->is_gone = true;
        }
    }
}

/* Groups into those whose patch explains all of them in the middle. */
static enum intra_status join_by_patch(struct merger *m)
{
    enum intra_status status = INTRA_OK;
    double *iou = NULL;
    int fitted = fitted_groups(m);
    INTRA_TRY(INTRA_ALLOC(iou, (size_t)m->n_views + 1, m->err));
    for (int i = 0; i < m->n_groups; i++) {
        struct group *b = &m->groups[i];
        int best = -1;
        double most = b->n == 1 ? ALONE_IOU : EXPLAINED_IOU;
        if (b->is_gone) continue;
        for (int k = 0; k < fitted && m->carries > 0; k++) {
            struct group *a = &m->groups[m->order[k]];
            int n = 0;
            if (m->order[k] == i || a->is_gone || a->n < b->n || a->patch.v[0] - a->patch.v[1] > b->s1 ||
                a->patch.v[0] + a->patch.v[1] < b->s0 || !is_same_label(m, a->first, b->first))
                continue;
            for (int v = b->first; v >= 0; v = m->views[v].next)
                iou[n++] = explained(m, &a->patch, &m->views[v]);
            qsort(iou, (size_t)n, sizeof *iou, by_double);
            if (iou[(n - 1) / 2] < most || (n == 1 ? is_apart_from(m, a, &m->views[b->first]) : are_apart(m, a, b)))
                continue;
            most = iou[(n - 1) / 2];
            best = m->order[k];
        }
        if (best >= 0) swallow(m, best, i);
    }
done:
    intra_free(iou);
    return status;
}

/* ---- observations of groups */

/* The names that the joined rows had in the source, so that each is found again there. */
static enum intra_status note_ids(struct merger *m, const int *views, int n, struct intra_fields *to)
{
    enum intra_status status = INTRA_OK;
    char *text = NULL;
    size_t at = 0;
    INTRA_TRY(INTRA_ALLOC(text, MOST_IDS, m->err));
    for (int i = 0; i < n; i++) {
        const char *id = seen_by(m, views[i])->id;
        size_t size = id ? strlen(id) : 0;
        if (size == 0 || at + size + 8 > MOST_IDS) continue;
        at += (size_t)snprintf(text + at, MOST_IDS - at, "%s%s", at ? " " : "", id);
    }
    if (at) INTRA_TRY(intra_fields_add(to, "joined", text, m->err));
done:
    intra_free(text);
    return status;
}

/* The group's views, best first, into its best one's observation; the others' observations are marked. */
static enum intra_status make_one(struct merger *m, const struct group *g, bool *is_gone)
{
    enum intra_status status = INTRA_OK;
    int n, kept = 1;
    bool are_boxes = sort_views(m, g, &n);
    struct intra_observation *o = &m->in->observations[m->views[m->order[0]].observation];
    INTRA_TRY(note_ids(m, m->order, n, &o->source));
    for (int i = 1; i < n; i++) {
        struct view *v = &m->views[m->order[i]];
        struct intra_observation *other = &m->in->observations[v->observation];
        bool is_twin = false;
        for (int k = 0; k < i && !is_twin; k++)
            is_twin = m->views[m->order[k]].frame == v->frame;
        if (isfinite(other->score) && !(o->score >= other->score)) o->score = other->score;
        if (other->review && (!o->review || strcasecmp(other->review, "accepted") == 0))
            INTRA_TRY(intra_text_set(&o->review, other->review, m->err));
        is_gone[v->observation] = true;
        if (is_twin || kept == INTRA_MERGE_MOST_VIEWS) continue;
        struct intra_frame_region *region;
        INTRA_TRY(intra_observation_add_region(o, &region, m->err));
        *region = other->regions[v->region]; /* moved */
        other->regions[v->region] = (struct intra_frame_region){.frame = -1, .time_s = NAN, .score = NAN};
        if (!isfinite(region->score)) region->score = v->score;
        kept++;
    }
    if (n > 1) {
        if (!isfinite(o->regions[0].score)) o->regions[0].score = m->views[m->order[0]].score;
        INTRA_TRY(place_by_scatter(m, m->order, n, are_boxes, o));
    }
done:
    return status;
}

static bool is_rejected(const struct intra_observation *o)
{
    return o->review && (strcasecmp(o->review, "rejected") == 0 || strcasecmp(o->review, "deleted") == 0);
}

/* A track has its views already. */
static enum intra_status place_track(struct merger *m, int64_t observation)
{
    enum intra_status status = INTRA_OK;
    struct intra_observation *o = &m->in->observations[observation];
    struct view *views = NULL, *all = m->views;
    int *order = NULL, n = 0;
    bool are_boxes = true;
    INTRA_TRY(INTRA_ALLOC(views, (size_t)o->n_regions, m->err));
    INTRA_TRY(INTRA_ALLOC(order, (size_t)o->n_regions, m->err));
    for (int i = 0; i < o->n_regions; i++) {
        bool is_good;
        are_boxes = are_boxes && is_box(&o->regions[i]);
        INTRA_TRY(make_view(m, observation, i, &views[n], &is_good));
        if (is_good) order[n] = n, n++;
    }
    m->views = views;
    qsort_r(order, (size_t)n, sizeof *order, by_view_quality, views);
    if (n > 1) status = place_by_scatter(m, order, n, are_boxes, o);
done:
    m->views = all;
    for (int i = 0; views && i < o->n_regions; i++)
        intra_free(views[i].outline);
    intra_free(views);
    intra_free(order);
    return status;
}

enum intra_status intra_merge_detections(const struct intra_scene *scene, struct intra_inspection *inspection,
                                         int64_t *out_joined, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct merger m = {.scene = scene, .in = inspection, .newest = -1, .carries = MOST_CARRIES, .err = err};
    struct pairs pairs = {0};
    bool *is_gone = NULL;
    int64_t joined = 0, n = inspection->n_observations;
    if (out_joined) *out_joined = 0;
    if (n == 0 || n > INT32_MAX - 1) return INTRA_OK;
    INTRA_TRY(INTRA_ALLOC(m.views, (size_t)n, err));
    m.cap_groups = (int)fmin(2.0 * (double)n, INT32_MAX);
    INTRA_TRY(INTRA_ALLOC(m.groups, (size_t)m.cap_groups, err));
    INTRA_TRY(INTRA_ALLOC(m.order, (size_t)n, err));
    INTRA_TRY(INTRA_ALLOC(is_gone, (size_t)n, err));
    for (int64_t i = 0; i < n; i++) {
        struct intra_observation *o = &inspection->observations[i];
        bool is_good = false;
        if (o->n_regions > 1 && o->place.is_placed) INTRA_TRY(place_track(&m, i));
        if (o->n_regions != 1 || !o->place.is_placed || is_rejected(o)) continue;
        INTRA_TRY(make_view(&m, i, 0, &m.views[m.n_views], &is_good));
        m.n_views += is_good;
    }
    if (m.n_views) qsort(m.views, (size_t)m.n_views, sizeof *m.views, by_frame);
    number_labels(&m);
    m.carries = m.n_views < MOST_CARRIES / CARRIED_A_BOX ? CARRIED_A_BOX * m.n_views : MOST_CARRIES;
    for (int from = 0, to; from < m.n_views; from = to) {
        for (to = from + 1; to < m.n_views && m.views[to].frame == m.views[from].frame;)
            to++;
        INTRA_TRY(take_frame(&m, from, to, &pairs));
    }
    INTRA_TRY(join_groups(&m));
    for (int round = 0; round < 2; round++) {
        fit_groups(&m);
        sort_out(&m);
        fit_groups(&m);
        INTRA_TRY(join_by_patch(&m));
    }
    for (int g = 0; g < m.n_groups; g++)
        if (!m.groups[g].is_gone && m.groups[g].n > 1) INTRA_TRY(make_one(&m, &m.groups[g], is_gone));
    for (int64_t i = 0; i < n; i++)
        joined += is_gone[i];
    if (joined) intra_inspection_remove_observations(inspection, is_gone);
    if (m.n_views > 0 && m.carries <= 0)
        intra_log(INTRA_LOG_WARNING, "import",
                  "%d boxes of a detector are too many to compare; some stay apart that show the same", m.n_views);
    if (m.n_beyond > 0)
        intra_log(INTRA_LOG_WARNING, "import", "%d boxes stay apart: their frames have more than %d each", m.n_beyond,
                  MOST_BOXES);
    if (out_joined) *out_joined = joined;
done:
    for (int i = 0; m.views && i < m.n_views; i++)
        intra_free(m.views[i].outline);
    intra_free(m.views);
    intra_free(m.groups);
    intra_free(m.order);
    intra_free(is_gone);
    intra_free(pairs.items);
    return status;
}
