#include "recon/counter_place.h"

#include "core/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LOOKS = 6, MAX_SPOTS = 160, LINES = INTRA_COUNTER_MAX_LINES, SPOT_TRIES = 4, LINES_OF_SPOT = 2 };
static const double learn_s = 60;          /* the place is learnt from so much of the video */
static const double plain_s = 15;          /* and from so much where all frames must be decoded */
static const double sure_look = 0.15;      /* confidence of a line that counts */
static const double clearly = 1.5;         /* times the second best score */
static const double faint = 0.1;            /* of the best line's score: no burnt-in text */
static const int64_t most_columns = 12000;  /* of OCR, until a counter is found: bounds the time, about half a second */

/* A place where lines of text were found, read or not. */
struct spot {
    struct intra_counter_place place;
    int seen, last_seen; /* looks with a line here, and the last of them */
    int tries;           /* looks in which it was read */
    enum intra_counter_rank rank;
};

struct look {
    struct intra_text_picture picture;
    struct intra_text_line lines[LINES];
    int spot_of[LINES]; /* -1: none */
    int n;
};

struct learner {
    struct intra_ocr *ocr;
    struct spot spots[MAX_SPOTS];
    struct look looks[2]; /* this one and the last */
    struct intra_counter_line *read;
    int n_spots, n_looks;
    bool is_thorough; /* a folder of pictures: what is in them need not stand still, and time does not matter */
};

bool intra_counter_is_at(const struct intra_counter_place *p, const struct intra_text_line *line)
{
    double h = p->height_px;
    return fabs(line->height_px - h) < 0.2 * h && abs(line->box.y1 - p->box.y1) < 0.35 * h && line->box.x0 < p->box.x1 &&
           line->box.x1 > p->box.x0;
}

static void widen(struct intra_text_box *b, const struct intra_text_box *by)
{
    b->x0 = by->x0 < b->x0 ? by->x0 : b->x0;
    b->y0 = by->y0 < b->y0 ? by->y0 : b->y0;
    b->x1 = by->x1 > b->x1 ? by->x1 : b->x1;
    b->y1 = by->y1 > b->y1 ? by->y1 : b->y1;
}

/* The spot of a line that was found; a new one where there is none yet; -1: no room. */
static int spot_for(struct learner *l, const struct intra_text_line *line)
{
    int i = 0;
    while (i < l->n_spots && !intra_counter_is_at(&l->spots[i].place, line)) i++;
    if (i == MAX_SPOTS) return -1;
    if (i == l->n_spots)
        l->spots[l->n_spots++] = (struct spot){.place = {.box = line->box, .height_px = line->height_px, .kind = line->kind},
                                               .last_seen = -1};
    if (l->spots[i].last_seen != l->n_looks) {
        l->spots[i].seen++;
        l->spots[i].last_seen = l->n_looks;
    }
    return i;
}

static enum intra_status find_lines(struct learner *l, const struct intra_frame *frame, struct look *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_text_box all = {0, 0, frame->y.cols, frame->y.rows};
    intra_text_picture_fini(&out->picture);
    INTRA_TRY(intra_text_picture_init(frame, all, &out->picture, err));
    INTRA_TRY(intra_counter_find_lines(&out->picture, out->lines, LINES, &out->n, err));
    for (int i = 0; i < out->n; i++) out->spot_of[i] = spot_for(l, &out->lines[i]);
done:
    return status;
}

/* What was read in a look speaks for the spots: once each, the surest line. */
static void count(struct learner *l, int n)
{
    bool is_counted[MAX_SPOTS] = {false};
    for (int i = 0; i < n; i++) {
        const struct intra_counter_line *line = &l->read[i];
        int at = 0;
        if (line->confidence < sure_look) continue;
        while (at < l->n_spots && !intra_counter_is_at(&l->spots[at].place, &line->where)) at++;
        if (at == l->n_spots || is_counted[at]) continue;
        is_counted[at] = true;
        struct spot *s = &l->spots[at];
        if (!s->place.hits) s->place.box = line->where.box, s->place.kind = line->where.kind;
        widen(&s->place.box, &line->where.box);
        s->place.hits++;
        s->place.score += line->confidence * (2 + line->number.rank);
        if (line->number.rank > s->rank) s->rank = line->number.rank;
    }
}

static int by_width(const void *a, const void *b)
{
    const struct intra_text_line *p = a, *q = b;
    double wp = (p->box.x1 - p->box.x0) / p->height_px, wq = (q->box.x1 - q->box.x0) / q->height_px;
    if (wp != wq) return wp < wq ? -1 : 1;
    return p->box.y0 != q->box.y0 ? p->box.y0 - q->box.y0 : p->box.x0 - q->box.x0;
}

/* One that looks like a counter was read. */
static bool is_found(const struct learner *l)
{
    for (int i = 0; i < l->n_spots; i++)
        if (l->spots[i].rank >= INTRA_COUNTER_LABELLED) return true;
    return false;
}

/* Columns of OCR that there are: from then on only such ones are read, which is cheap, and one more look may do. */
static int64_t columns_for(const struct learner *l)
{
    return is_found(l) ? 2 * most_columns : most_columns;
}

/* Whether a spot is still worth reading: once one is found that looks like a counter, only such ones. */
static bool is_open(const struct learner *l, const struct spot *s, int least_seen)
{
    if (l->is_thorough) return true;
    return s->seen >= least_seen && (s->place.hits || (!is_found(l) && s->tries < SPOT_TRIES));
}

/* Read a look's lines at spots that stand still, short ones first: they cost least, and a counter is one. */
static enum intra_status read_look(struct learner *l, const struct look *look, int least_seen, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_text_line chosen[LINES];
    int taken[MAX_SPOTS] = {0}, n = 0;
    for (int i = 0; i < look->n; i++) {
        int at = look->spot_of[i];
        if (at < 0 || taken[at] == LINES_OF_SPOT || !is_open(l, &l->spots[at], least_seen)) continue;
        if (!l->is_thorough && look->lines[i].score < faint * look->lines[0].score) continue;
        taken[at]++;
        chosen[n++] = look->lines[i];
    }
    for (int i = 0; i < l->n_spots; i++) l->spots[i].tries += taken[i] > 0;
    qsort(chosen, (size_t)n, sizeof *chosen, by_width);
    INTRA_TRY(intra_counter_read_lines(l->ocr, &look->picture, chosen, n, l->is_thorough ? INT64_MAX : columns_for(l),
                                       l->read, &n, err));
    count(l, n);
done:
    return status;
}

/* The spot with the best score among those read in `least` looks; NULL: none. *out_second: the next score. */
static const struct spot *best_spot(const struct learner *l, int least, double *out_second)
{
    const struct spot *best = NULL;
    *out_second = 0;
    for (int i = 0; i < l->n_spots; i++) {
        const struct spot *s = &l->spots[i];
        if (s->place.hits >= least && (!best || s->place.score > best->place.score)) best = s;
    }
    for (int i = 0; i < l->n_spots; i++)
        if (&l->spots[i] != best) *out_second = fmax(*out_second, l->spots[i].place.score);
    return best;
}

static bool is_sure(const struct learner *l)
{
    double second;
    const struct spot *best = best_spot(l, 2, &second);
    return !l->is_thorough && best && best->rank >= INTRA_COUNTER_LABELLED && best->place.score > clearly * second;
}

static enum intra_status add_look(struct learner *l, const struct intra_frame *frame, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct look *now = &l->looks[l->n_looks % 2];
    INTRA_TRY(find_lines(l, frame, now, err));
    if (l->n_looks == 1) INTRA_TRY(read_look(l, &l->looks[0], 2, err)); /* only now is known what stood still in it */
    if (l->n_looks > 0) INTRA_TRY(read_look(l, now, 2, err));
    l->n_looks++;
done:
    return status;
}

/* Look at frames spread over the first span_s seconds until the place is sure. */
static enum intra_status look_over(struct learner *l, const char *path, const struct intra_video_options *options,
                                   double span_s, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_video *video = NULL;
    struct intra_frame *frame = NULL;
    double step = span_s / MAX_LOOKS, next = options->from_s + step / 4;
    INTRA_TRY(intra_video_open(path, options, &video, err));
    while (l->n_looks < MAX_LOOKS && !is_sure(l) && (l->is_thorough || intra_ocr_columns(l->ocr) < columns_for(l)) &&
           (status = intra_video_next(video, &frame, err)) == INTRA_OK && frame->pts_s <= options->from_s + span_s) {
        if (frame->pts_s >= next) {
            INTRA_TRY(add_look(l, frame, err));
            next += step;
        }
        intra_frame_release(&frame);
    }
    if (status == INTRA_EOF) status = INTRA_OK;
done:
    intra_frame_release(&frame);
    intra_video_close(&video);
    return status;
}

/* A distance was read, but in too few of the few key frames that there are: other frames may tell. */
static bool is_promising(const struct learner *l)
{
    double second;
    const struct spot *best = best_spot(l, 1, &second);
    return l->n_looks > 2 && l->n_looks < MAX_LOOKS && !best_spot(l, 2, &second) && best &&
           best->rank >= INTRA_COUNTER_LABELLED;
}

static enum intra_status look_at_video(struct learner *l, const char *path, const struct intra_video_options *options,
                                       struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_video_probe probe;
    struct intra_video_options all = *options, keys;
    double span;
    INTRA_TRY(intra_video_look(path, options, &probe, err));
    all.probe = &probe;
    keys = all;
    keys.keyframes_only = true;
    l->is_thorough = probe.info.is_image_folder;
    span = probe.info.duration_s > options->from_s ? probe.info.duration_s - options->from_s : learn_s;
    if (options->to_s > options->from_s) span = fmin(span, options->to_s - options->from_s);
    INTRA_TRY(look_over(l, path, &keys, fmin(span, learn_s), err));
    if (l->n_looks < 2 || is_promising(l)) INTRA_TRY(look_over(l, path, &all, fmin(span, plain_s), err));
    if (l->n_looks == 1) INTRA_TRY(read_look(l, &l->looks[0], 1, err));
done:
    return status;
}

enum intra_status intra_counter_find_place(struct intra_ocr *ocr, const char *video_path,
                                           const struct intra_video_options *options, struct intra_counter_place *out,
                                           struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct learner *l = NULL;
    const struct spot *best;
    double second;
    memset(out, 0, sizeof *out);
    INTRA_TRY(INTRA_ALLOC(l, 1, err));
    l->ocr = ocr;
    INTRA_TRY(INTRA_ALLOC(l->read, LINES, err));
    INTRA_TRY(look_at_video(l, video_path, options, err));
    best = best_spot(l, l->n_looks < 3 ? 1 : 2, &second);
    if (best) *out = best->place;
done:
    if (l) {
        for (int i = 0; i < 2; i++) intra_text_picture_fini(&l->looks[i].picture);
        intra_free(l->read);
    }
    intra_free(l);
    return status;
}
