#include "recon/counter.h"

#include "core/log.h"
#include "core/mem.h"
#include "recon/counter_cells.h"
#include "recon/counter_glyphs.h"
#include "recon/counter_place.h"
#include "recon/counter_read.h"
#include "recon/counter_track.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    FIELD_LINES = 8,
    LINES_READ = 2,
    CHECK_EACH = 10,
    SETTLE_EACH = 5,
    MAX_ASIDE = 32,
    FIRST_LESSON = 16, /* readings from which the cells are learnt first; then each time there are half as many more */
    ASIDE_OF_SHAPE = 2
};
static const double settled = 0.8;   /* a line read so surely needs no second one */
static const double without_shapes = 0.55, untried = 0.5;
static const double known = 0.7;     /* shapes so sure need no Tesseract: two readings of each, none against */
/* What Tesseract may read in a video, in columns (recon/counter_ocr.h): so much at first, and for each second more; saved up
 * to columns_most. Some 20 ms of CPU a second. */
static const double columns_most = 8000, columns_per_s = 500;
static const double enough = 0.98, sure_by_cells = 0.9; /* share of sure readings that needs no more; confidence of one by cells */
static const int64_t columns_after = 12000; /* and after the last frame, of what was put aside */
const double intra_counter_step_s = 0.2;

/* A line for which there was no time: read after the last frame, where that names shapes that many others wait for. */
struct aside {
    struct intra_text_picture picture; /* owned */
    struct intra_text_line where;
    struct intra_glyph_line shapes;
    int64_t reading;
    bool is_read;
};

#define STANDS_M 0.002 /* stations of a camera that does not move differ by less */

struct intra_counter {
    struct aside aside[MAX_ASIDE];
    int n_aside;
    struct intra_ocr *ocr;
    struct intra_counter_place place;
    bool is_folder;
    struct intra_glyphs *glyphs;
    struct intra_cells *cells[2]; /* a picture for each reading: luma, and colour where the text is coloured */
    struct intra_counter_reading *readings;
    struct intra_glyph_line *shapes; /* of each reading */
    bool *by_cells;                  /* of each: whether they read it */
    int64_t next_lesson;             /* readings at which the cells are learnt next */
    int decimals;                    /* of what the cells read */
    enum intra_counter_unit unit;
    double columns_left;             /* of columns_most */
    double kind_sum[3];              /* confidences of what was read in bright, dark and coloured strokes, */
    int kind_n[3];                   /* and how often */
    int64_t n, cap;
};

enum intra_status intra_counter_create(struct intra_counter **out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    INTRA_TRY(INTRA_ALLOC(*out, 1, err));
    INTRA_TRY(intra_glyphs_create(&(*out)->glyphs, err));
    for (int k = 0; k < 2; k++)
        INTRA_TRY(intra_cells_create(&(*out)->cells[k], err));
    INTRA_TRY(intra_ocr_open(&(*out)->ocr, err));
done:
    if (status != INTRA_OK) intra_counter_destroy(out);
    return status;
}

void intra_counter_destroy(struct intra_counter **counter)
{
    if (!*counter) return;
    intra_ocr_close(&(*counter)->ocr);
    intra_glyphs_destroy(&(*counter)->glyphs);
    for (int k = 0; k < 2; k++)
        intra_cells_destroy(&(*counter)->cells[k]);
    for (int i = 0; i < (*counter)->n_aside; i++) intra_text_picture_fini(&(*counter)->aside[i].picture);
    intra_free((*counter)->shapes);
    intra_free((*counter)->by_cells);
    intra_free((*counter)->readings);
    intra_free(*counter);
    *counter = NULL;
}

static struct intra_counter_reading reading_of(const struct intra_frame *frame, const struct intra_counter_line *line)
{
    struct intra_counter_reading r = {.index = frame->index, .time_s = frame->pts_s, .value = NAN, .value_m = NAN};
    if (!line) return r;
    memcpy(r.text, line->text, sizeof r.text);
    r.confidence = line->confidence;
    if (line->number.rank == INTRA_COUNTER_NONE) return r;
    r.value = line->number.value;
    r.decimals = line->number.decimals;
    r.unit = line->number.unit;
    return r;
}

static enum intra_status read_whole(struct intra_counter *counter, const struct intra_frame *frame,
                                    struct intra_counter_line *lines, int *n, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_text_picture picture = {0};
    struct intra_text_box all = {0, 0, frame->y.cols, frame->y.rows};
    INTRA_TRY(intra_text_picture_init(frame, all, &picture, err));
    INTRA_TRY(intra_counter_read_all(counter->ocr, &picture, lines, n, err));
done:
    intra_text_picture_fini(&picture);
    return status;
}

enum intra_status intra_counter_picture(struct intra_counter *counter, const struct intra_frame *frame,
                                        struct intra_counter_reading *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_counter_line *lines = NULL;
    const struct intra_counter_line *chosen;
    int n = 0;
    INTRA_TRY(INTRA_ALLOC(lines, INTRA_COUNTER_MAX_LINES, err));
    INTRA_TRY(read_whole(counter, frame, lines, &n, err));
    chosen = intra_counter_choose(lines, n);
    *out = reading_of(frame, chosen ? chosen : n ? lines : NULL);
    if (chosen) out->value_m = intra_counter_metres(out->value, out->unit);
done:
    intra_free(lines);
    return status;
}

enum intra_status intra_counter_learn(struct intra_counter *counter, const char *video_path,
                                      const struct intra_video_options *options, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_video_probe probe;
    struct intra_video_options probed = *options;
    INTRA_TRY(intra_video_look(video_path, options, &probe, err));
    probed.probe = &probe;
    counter->is_folder = probe.info.is_image_folder;
    INTRA_TRY(intra_counter_find_place(counter->ocr, video_path, &probed, &counter->place, err));
    counter->kind_sum[counter->place.kind] = counter->kind_n[counter->place.kind] = 1;
done:
    return status;
}

bool intra_counter_has_place(const struct intra_counter *counter)
{
    return counter->place.hits > 0;
}

/* Whether a line, in the picture's pixels, stands at the place. */
static bool is_at_place(const struct intra_counter_place *p, const struct intra_text_picture *picture,
                        const struct intra_text_line *line)
{
    struct intra_text_line there = *line;
    there.box = (struct intra_text_box){line->box.x0 + picture->x0, line->box.y0 + picture->y0,
                                        line->box.x1 + picture->x0, line->box.y1 + picture->y0};
    return intra_counter_is_at(p, &there);
}

/* What the shapes of a line say, as a reading of it. */
static struct intra_counter_line read_shapes(const struct intra_counter *counter, const struct intra_glyph_line *shapes)
{
    struct intra_counter_line line = {.confidence = 0};
    line.confidence = intra_glyphs_read(counter->glyphs, shapes, line.text, sizeof line.text, &line.number);
    return line;
}

/* The last letters of the line that was read: a number that lost its first digits. */
static bool is_end_of(const struct intra_text_line *own, const struct intra_text_line *read)
{
    return own->box.x0 > read->box.x0 + 0.3 * own->height_px &&
           own->box.x1 <= read->box.x1 + own->height_px;
}

/* A line at the place, as shapes and as what they say. */
struct candidate {
    struct intra_text_line where;
    struct intra_glyph_line shapes;
    struct intra_counter_line line;
};

/* The strokes that read best in this video first; kinds not tried yet before those that read badly. */
static void sort_by_kind(const struct intra_counter *counter, struct candidate *lines, int n)
{
    double trust[3];
    for (int k = 0; k < 3; k++) trust[k] = counter->kind_n[k] ? counter->kind_sum[k] / counter->kind_n[k] : untried;
    for (int i = 1; i < n; i++)
        for (int k = i; k > 0 && trust[lines[k].where.kind] > trust[lines[k - 1].where.kind]; k--) {
            struct candidate c = lines[k];
            lines[k] = lines[k - 1];
            lines[k - 1] = c;
        }
}

/* Read lines by Tesseract, from the likeliest to less likely ones until one is sure, as far as there is time for it. */
static enum intra_status read_by_ocr(struct intra_counter *counter, const struct intra_text_picture *picture,
                                     struct candidate *lines, int n, const struct candidate **best, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    enum intra_counter_care care = counter->is_folder ? INTRA_COUNTER_CAREFUL : INTRA_COUNTER_QUICK;
    int most = counter->is_folder ? n : LINES_READ;
    for (int i = 0; i < n && most > 0 && (counter->is_folder || counter->columns_left > 0); i++) {
        int64_t before = intra_ocr_columns(counter->ocr);
        struct candidate *c = &lines[i];
        if (*best && (*best)->line.confidence >= settled) break;
        if (*best && (*best)->line.confidence > 0 && is_end_of(&c->where, &(*best)->where)) continue;
        INTRA_TRY(intra_counter_read_line(counter->ocr, picture, &c->where, care, &c->line, err));
        counter->columns_left -= (double)(intra_ocr_columns(counter->ocr) - before);
        most--;
        counter->kind_sum[c->where.kind] += c->line.confidence;
        counter->kind_n[c->where.kind]++;
        for (int way = 0; way < INTRA_COUNTER_WAYS && c->shapes.n; way++)
            intra_glyphs_vote(counter->glyphs, &c->shapes, c->line.said[way]);
        if (!*best || !(*best)->line.text[0] || c->line.confidence > (*best)->line.confidence) *best = c;
    }
done:
    return status;
}

/* Cut the lines at the place into shapes, from the likeliest to less likely ones until one is known. */
static enum intra_status cut_lines(struct intra_counter *counter, const struct intra_text_picture *picture,
                                   struct candidate *out, int *out_n, const struct candidate **out_known,
                                   struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_counter_place *p = &counter->place;
    struct intra_text_line lines[FIELD_LINES];
    const double heights[2] = {0.75 * p->height_px, 1.4 * p->height_px};
    int n = 0;
    *out_n = 0;
    *out_known = NULL;
    INTRA_TRY(intra_text_lines(picture, heights, lines, FIELD_LINES, &n, err));
    for (int i = 0; i < n && !*out_known; i++) {
        struct candidate *c = &out[*out_n];
        bool is_part = false;
        if (!is_at_place(p, picture, &lines[i])) continue;
        for (int k = 0; k < *out_n; k++) is_part = is_part || is_end_of(&lines[i], &out[k].where);
        if (is_part) continue;
        c->where = lines[i];
        INTRA_TRY(intra_glyphs_cut(counter->glyphs, picture, &lines[i], &c->shapes, err));
        c->line = read_shapes(counter, &c->shapes);
        c->line.where = lines[i];
        (*out_n)++;
        if (c->line.confidence >= known) *out_known = c;
    }
done:
    return status;
}

static bool has_shape(const struct intra_glyph_line *line, int shape)
{
    for (int i = 0; i < line->n; i++)
        if (line->letters[i].shape == shape) return true;
    return false;
}

/* Keep the line where it has a shape without name that few of those kept have; its picture then belongs to the counter. */
static void put_aside(struct intra_counter *counter, struct intra_text_picture *picture, const struct candidate *line)
{
    bool is_new = false;
    if (counter->n_aside == MAX_ASIDE) return;
    for (int i = 0; i < line->shapes.n && !is_new; i++) {
        int kept = 0;
        for (int k = 0; k < counter->n_aside; k++) kept += has_shape(&counter->aside[k].shapes, line->shapes.letters[i].shape);
        is_new = kept < ASIDE_OF_SHAPE && intra_glyphs_is_unnamed(counter->glyphs, &line->shapes, i);
    }
    if (!is_new) return;
    counter->aside[counter->n_aside++] = (struct aside){.picture = *picture, .where = line->where, .shapes = line->shapes,
                                                        .reading = counter->n};
    *picture = (struct intra_text_picture){.x0 = 0};
}

/* Keep the picture of the place, to be read once the looks of its digits are known. */
static enum intra_status keep_picture(struct intra_counter *counter, const struct intra_text_picture *picture,
                                      struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_counter_place *p = &counter->place;
    int dx = (int)(2 * p->height_px), dy = (int)(0.5 * p->height_px), x1 = picture->x0 + picture->luma.cols,
        y1 = picture->y0 + picture->luma.rows;
    struct intra_text_box box = {p->box.x0 - dx, p->box.y0 - dy, p->box.x1 + dx, p->box.y1 + dy};
    if (box.x0 < picture->x0) box.x0 = picture->x0;
    if (box.y0 < picture->y0) box.y0 = picture->y0;
    if (box.x1 > x1) box.x1 = x1;
    if (box.y1 > y1) box.y1 = y1;
    if (counter->is_folder) return INTRA_OK;
    INTRA_TRY(intra_cells_keep(counter->cells[0], &picture->luma, picture->x0, picture->y0, box, err));
    if (p->kind == INTRA_TEXT_COLOURED)
        INTRA_TRY(intra_cells_keep(counter->cells[1], &picture->colour, picture->x0, picture->y0, box, err));
done:
    return status;
}

/* A number by its cells, as a reading. */
static struct intra_counter_line line_of(const struct intra_counter *counter, const struct intra_cells_number *number)
{
    struct intra_counter_line line = {.confidence = sure_by_cells};
    double value = 0;
    for (int k = 0; k < number->n; k++)
        value = 10 * value + number->digits[k];
    line.number = (struct intra_counter_text){.value = round(value / pow(10, counter->decimals) * 1000) / 1000,
                                              .whole_digits = number->n - counter->decimals,
                                              .decimals = counter->decimals,
                                              .unit = counter->unit,
                                              .rank = INTRA_COUNTER_UNIT};
    snprintf(line.text, sizeof line.text, "%.*f%s%s", counter->decimals, line.number.value, counter->unit ? " " : "",
             intra_counter_unit_name(counter->unit));
    return line;
}

/* The frame whose picture was kept last, by its cells. */
static enum intra_status read_by_cells(struct intra_counter *counter, double time_s, struct intra_counter_line *out,
                                       struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_cells *cells = counter->cells[intra_cells_has_learnt(counter->cells[0]) ? 0 : 1];
    struct intra_cells_number number;
    INTRA_TRY(intra_cells_read_next(cells, time_s, &number, err));
    if (number.n) *out = line_of(counter, &number);
done:
    return status;
}

/* What was read some other way, for the cells to go on from. */
static void follow(struct intra_counter *counter, const struct intra_counter_line *line, double time_s)
{
    if (line->confidence < known || line->number.rank == INTRA_COUNTER_NONE ||
        line->number.decimals != counter->decimals)
        return;
    for (int k = 0; k < 2; k++)
        intra_cells_follow(counter->cells[k], round(line->number.value * pow(10, line->number.decimals)), time_s);
}

/* Read what stands at the place: by shapes where they are known, but now and then by Tesseract all the same, so that their names
 * go on being checked. With no time left for Tesseract the shapes are put aside, to be read once they are known. */
static enum intra_status read_place(struct intra_counter *counter, const struct intra_frame *frame,
                                    struct intra_counter_line *out, struct intra_glyph_line *shapes, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_counter_place *p = &counter->place;
    struct intra_text_picture picture = {0};
    struct candidate lines[FIELD_LINES];
    const struct candidate *best, *read = NULL, *waiting = NULL;
    int dx = (int)(4 * p->height_px), dy = (int)(1.2 * p->height_px), n;
    struct intra_text_box box = {p->box.x0 - dx, p->box.y0 - dy, p->box.x1 + dx, p->box.y1 + dy};
    *out = (struct intra_counter_line){.confidence = 0};
    memset(shapes, 0, sizeof *shapes);
    INTRA_TRY(intra_text_picture_init(frame, box, &picture, err));
    INTRA_TRY(keep_picture(counter, &picture, err));
    INTRA_TRY(read_by_cells(counter, frame->pts_s, out, err));
    counter->by_cells[counter->n] = out->confidence > 0;
    if (counter->by_cells[counter->n]) goto done;
    INTRA_TRY(cut_lines(counter, &picture, lines, &n, &best, err));
    if (best) {
        *out = best->line;
        *shapes = best->shapes;
    }
    if (!counter->is_folder) sort_by_kind(counter, lines, n);
    for (int i = n - 1; i >= 0 && !best; i--)
        if (lines[i].shapes.n) waiting = &lines[i];
    if (waiting) *shapes = waiting->shapes;
    if (!best || counter->n % CHECK_EACH == 0) INTRA_TRY(read_by_ocr(counter, &picture, lines, n, &read, err));
    if (read) {
        *out = read->line;
        *shapes = read->shapes;
    }
    if (!counter->is_folder) follow(counter, out, frame->pts_s);
    if (!read && waiting && !counter->is_folder) put_aside(counter, &picture, waiting);
    if (counter->n % SETTLE_EACH == 0) intra_glyphs_settle(counter->glyphs);
done:
    intra_text_picture_fini(&picture);
    return status;
}

static enum intra_status make_room(struct intra_counter *counter, struct intra_error *err)
{
    int64_t cap = counter->cap ? 2 * counter->cap : 256;
    size_t old = (size_t)counter->cap;
    struct intra_counter_reading *readings = intra_resize(counter->readings, old, (size_t)cap, sizeof *readings);
    struct intra_glyph_line *shapes;
    bool *by_cells;
    if (readings) counter->readings = readings;
    shapes = intra_resize(counter->shapes, old, (size_t)cap, sizeof *shapes);
    if (shapes) counter->shapes = shapes;
    by_cells = intra_resize(counter->by_cells, old, (size_t)cap, sizeof *by_cells);
    if (by_cells) counter->by_cells = by_cells;
    if (!readings || !shapes || !by_cells)
        return INTRA_FAIL(err, INTRA_E_MEM, "out of memory for %lld counter readings", (long long)cap);
    counter->cap = cap;
    return INTRA_OK;
}

/* What Tesseract may read at this time. */
static double columns_now(const struct intra_counter *counter, double time_s)
{
    if (counter->n == 0) return columns_most;
    return fmin(columns_most, counter->columns_left + columns_per_s * (time_s - counter->readings[counter->n - 1].time_s));
}

bool intra_counter_is_due(bool is_folder, double last_s, double now_s)
{
    return is_folder || !(now_s < last_s + intra_counter_step_s - 1e-3);
}

void intra_counter_urge(struct intra_counter *counter)
{
    counter->columns_left = columns_most;
}

static bool is_same(const struct intra_counter_reading *r, const struct intra_counter_text *number)
{
    return !isnan(r->value) && fabs(r->value) == fabs(number->value) && r->decimals == number->decimals;
}

/* Tesseract's reading against that of the shapes: the same makes it surer; where they differ, the shapes win if they are sure,
 * as many frames stand behind them. Without shapes it is as good as Tesseract is in this video: how often shapes agree. */
static void combine(struct intra_counter_reading *r, const struct intra_counter_line *by_shape, double agreement)
{
    const struct intra_counter_text *number = &by_shape->number;
    if (by_shape->confidence <= 0) {
        r->confidence *= agreement;
    } else if (is_same(r, number)) {
        r->confidence = 1 - (1 - r->confidence) * (1 - by_shape->confidence);
    } else if (by_shape->confidence > fmax(0.5, r->confidence * 0.8)) {
        r->confidence = by_shape->confidence * (isnan(r->value) ? 1 : 1 - 0.4 * r->confidence);
        r->value = number->value;
        r->decimals = number->decimals;
        r->unit = number->unit ? number->unit : r->unit;
        memcpy(r->text, by_shape->text, sizeof r->text);
    } else {
        r->confidence *= 1 - 0.5 * by_shape->confidence;
    }
}

/* How far Tesseract alone is to be trusted in this video: the share of readings in which it and the shapes have the
 * same number; less still, as a line that shapes cannot read is a poor one. 1 where too few are known to tell. */
static double agreement_of(const struct intra_counter *counter)
{
    double same = 0, both = 0;
    for (int64_t i = 0; i < counter->n; i++) {
        struct intra_counter_line by_shape = read_shapes(counter, &counter->shapes[i]);
        if (by_shape.confidence <= 0 || isnan(counter->readings[i].value)) continue;
        both++;
        same += is_same(&counter->readings[i], &by_shape.number);
    }
    return both >= 8 ? without_shapes * same / both : 1;
}

/* How many letters of lines not read yet get a name if this line's get theirs. */
static int64_t gain_of(const struct intra_counter *counter, const struct aside *aside)
{
    int64_t gain = 0;
    for (int i = 0; i < aside->shapes.n; i++) {
        if (!intra_glyphs_is_unnamed(counter->glyphs, &aside->shapes, i)) continue;
        for (int64_t k = 0; k < counter->n; k++)
            gain += isnan(counter->readings[k].value) && has_shape(&counter->shapes[k], aside->shapes.letters[i].shape);
    }
    return gain;
}

/* Read what was put aside, each time the line that helps most. */
static enum intra_status read_aside(struct intra_counter *counter, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    int64_t start = intra_ocr_columns(counter->ocr);
    while (intra_ocr_columns(counter->ocr) - start < columns_after) {
        struct aside *best = NULL;
        struct intra_counter_line line;
        struct intra_counter_reading *r;
        int64_t best_gain = 0;
        for (int i = 0; i < counter->n_aside; i++) {
            int64_t gain = counter->aside[i].is_read ? 0 : gain_of(counter, &counter->aside[i]);
            if (gain <= best_gain) continue;
            best_gain = gain;
            best = &counter->aside[i];
        }
        if (!best) break;
        best->is_read = true;
        INTRA_TRY(intra_counter_read_line(counter->ocr, &best->picture, &best->where, INTRA_COUNTER_QUICK, &line, err));
        for (int way = 0; way < INTRA_COUNTER_WAYS; way++) intra_glyphs_vote(counter->glyphs, &best->shapes, line.said[way]);
        r = &counter->readings[best->reading];
        *r = reading_of(&(struct intra_frame){.index = r->index, .pts_s = r->time_s}, &line);
        intra_glyphs_settle(counter->glyphs);
    }
done:
    return status;
}

/* What was put aside and never became known does not count as looked at. */
static void drop_unread(struct intra_counter *counter)
{
    int64_t n = 0;
    for (int64_t i = 0; i < counter->n; i++) {
        const struct intra_counter_reading *r = &counter->readings[i];
        bool is_unread = isnan(r->value) && !r->text[0] && counter->shapes[i].n > 0 &&
                         read_shapes(counter, &counter->shapes[i]).confidence <= 0;
        if (is_unread) continue;
        counter->readings[n] = counter->readings[i];
        counter->by_cells[n] = counter->by_cells[i];
        counter->shapes[n++] = counter->shapes[i];
    }
    counter->n = n;
}

/* All readings as Tesseract and shapes together have them, and what of that is sure. */
static enum intra_status judge(struct intra_counter *counter, struct intra_error *err)
{
    double agreement = agreement_of(counter);
    for (int64_t i = 0; i < counter->n; i++) {
        struct intra_counter_line by_shape = read_shapes(counter, &counter->shapes[i]);
        if (!counter->by_cells[i]) combine(&counter->readings[i], &by_shape, agreement);
    }
    if (!counter->is_folder) return intra_counter_track(counter->readings, counter->n, err);
    for (int64_t i = 0; i < counter->n; i++)
        if (counter->readings[i].confidence >= 0.5)
            counter->readings[i].value_m = intra_counter_metres(counter->readings[i].value, counter->readings[i].unit);
    return INTRA_OK;
}

/* Digits of the number that a sure reading has, and where they stand; n stays 0 where its shapes are not as many. */
static struct intra_cells_number known_number(const struct intra_counter *counter, int64_t i)
{
    const struct intra_counter_reading *r = &counter->readings[i];
    struct intra_cells_number out = {.n = 0};
    int first, n = intra_glyphs_digits(counter->glyphs, &counter->shapes[i], &first);
    double rest;
    if (isnan(r->value_m) || r->value < 0 || n == 0) return out;
    rest = round(r->value * pow(10, r->decimals));
    if (rest >= pow(10, n) || n <= r->decimals) return out;
    for (int k = n - 1; k >= 0; k--) {
        out.digits[k] = (int)fmod(rest, 10);
        out.boxes[k] = counter->shapes[i].letters[first + k].box;
        rest = floor(rest / 10);
    }
    out.n = n;
    return out;
}

/* Decimals and unit of what is sure. */
static void settle_print(struct intra_counter *counter)
{
    int64_t counts[INTRA_CELLS_DIGITS + 1] = {0};
    counter->decimals = 0;
    for (int64_t i = 0; i < counter->n; i++) {
        const struct intra_counter_reading *r = &counter->readings[i];
        if (isnan(r->value_m)) continue;
        counter->unit = r->unit; /* the same in all that are sure */
        counts[r->decimals]++;
    }
    for (int k = 0; k < INTRA_CELLS_DIGITS; k++)
        if (counts[k] > counts[counter->decimals]) counter->decimals = k;
}

/* Read the pictures that were kept by what the digits of those look like that are sure. A sure one of which the picture
 * says surely something else is neither. out_read: which were read so; NULL: does not matter. */
static enum intra_status read_cells(struct intra_counter *counter, bool *out_read, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_cells_number *numbers = NULL;
    double *time_s = NULL;
    if (counter->n == 0 || counter->is_folder) return INTRA_OK;
    settle_print(counter);
    INTRA_TRY(INTRA_ALLOC(numbers, (size_t)counter->n, err));
    INTRA_TRY(INTRA_ALLOC(time_s, (size_t)counter->n, err));
    for (int64_t i = 0; i < counter->n; i++) {
        time_s[i] = counter->readings[i].time_s;
        if (counter->readings[i].decimals == counter->decimals) numbers[i] = known_number(counter, i);
    }
    INTRA_TRY(intra_cells_read(counter->cells[0], numbers, time_s, counter->n, err));
    if (!intra_cells_has_learnt(counter->cells[0]))
        INTRA_TRY(intra_cells_read(counter->cells[1], numbers, time_s, counter->n, err));
    for (int64_t i = 0; i < counter->n; i++) {
        struct intra_counter_reading *r = &counter->readings[i];
        struct intra_counter_line line;
        r->value_m = NAN;
        if (numbers[i].is_doubtful) r->value = NAN;
        if (!numbers[i].is_read) continue;
        if (out_read) out_read[i] = true;
        line = line_of(counter, &numbers[i]);
        *r = reading_of(&(struct intra_frame){.index = r->index, .pts_s = r->time_s}, &line);
    }
    INTRA_TRY(intra_counter_track(counter->readings, counter->n, err));
done:
    intra_free(numbers);
    intra_free(time_s);
    return status;
}

/* Learn the cells from what is sure so far, so that what comes can be read by them; the readings stay as they are. */
static enum intra_status learn_cells(struct intra_counter *counter, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    size_t n = (size_t)counter->n;
    struct intra_counter_reading *before = NULL;
    INTRA_TRY(INTRA_ALLOC(before, n, err));
    memcpy(before, counter->readings, n * sizeof *before);
    intra_glyphs_settle(counter->glyphs);
    INTRA_TRY(judge(counter, err));
    INTRA_TRY(read_cells(counter, NULL, err));
    memcpy(counter->readings, before, n * sizeof *before);
done:
    intra_free(before);
    return status;
}

enum intra_status intra_counter_frame(struct intra_counter *counter, const struct intra_frame *frame,
                                      struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_counter_line line;
    double last_s = counter->n ? counter->readings[counter->n - 1].time_s : NAN;
    if (!intra_counter_has_place(counter) || !intra_counter_is_due(counter->is_folder, last_s, frame->pts_s))
        return INTRA_OK;
    if (counter->n == counter->cap) INTRA_TRY(make_room(counter, err));
    counter->columns_left = columns_now(counter, frame->pts_s);
    INTRA_TRY(read_place(counter, frame, &line, &counter->shapes[counter->n], err));
    counter->readings[counter->n++] = reading_of(frame, &line);
    if (!counter->is_folder && counter->n >= counter->next_lesson) {
        counter->next_lesson = counter->next_lesson ? counter->next_lesson * 3 / 2 : FIRST_LESSON;
        if (counter->n >= FIRST_LESSON) INTRA_TRY(learn_cells(counter, err));
    }
done:
    return status;
}

/* Share of the readings that are sure. */
static double share_sure(const struct intra_counter *counter)
{
    int64_t sure = 0, all = 0;
    for (int64_t i = 0; i < counter->n; i++) {
        sure += !isnan(counter->readings[i].value_m);
        all += counter->shapes[i].n > 0 || counter->readings[i].text[0];
    }
    return all ? (double)sure / (double)all : 1;
}

/* Lines put aside are read by Tesseract only where the rest did not do. */
static enum intra_status read_rest(struct intra_counter *counter, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_counter_reading *before = NULL;
    size_t n = (size_t)counter->n;
    INTRA_TRY(INTRA_ALLOC(before, n + 1, err));
    memcpy(before, counter->readings, n * sizeof *before);
    INTRA_TRY(judge(counter, err));
    INTRA_TRY(read_cells(counter, counter->by_cells, err));
    if (counter->n_aside == 0 || share_sure(counter) >= enough) goto done;
    for (size_t i = 0; i < n; i++)
        if (isnan(counter->readings[i].value_m)) {
            counter->readings[i] = before[i];
            counter->by_cells[i] = false;
        } else {
            counter->readings[i].value_m = NAN;
        }
    INTRA_TRY(read_aside(counter, err));
    INTRA_TRY(judge(counter, err));
    INTRA_TRY(read_cells(counter, counter->by_cells, err));
done:
    intra_free(before);
    return status;
}

enum intra_status intra_counter_finish(struct intra_counter *counter, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    intra_glyphs_settle(counter->glyphs);
    /* What was read by cells and can be read again, by more that is known, will be. */
    for (int64_t i = 0; i < counter->n; i++) {
        struct intra_counter_reading *r = &counter->readings[i];
        if (!counter->by_cells[i] || !intra_cells_has_picture(counter->cells[0], i)) continue;
        *r = reading_of(&(struct intra_frame){.index = r->index, .pts_s = r->time_s}, NULL);
        counter->by_cells[i] = false;
    }
    INTRA_TRY(counter->is_folder ? judge(counter, err) : read_rest(counter, err));
    drop_unread(counter);
done:
    return status;
}

const struct intra_counter_reading *intra_counter_readings(const struct intra_counter *counter, int64_t *out_n)
{
    *out_n = counter->n;
    return counter->readings;
}

/* Between two readings that are equal the camera may have gone on and come back, the digit with it. */
static bool lies_between(const struct intra_frame_record *f, const struct intra_frame_record *a,
                         const struct intra_frame_record *b)
{
    if (!f->is_posed || !a->is_posed || !b->is_posed || a->segment != f->segment || b->segment != f->segment)
        return true;
    double low = fmin(a->station_m, b->station_m), high = fmax(a->station_m, b->station_m);
    return f->station_m > low - STANDS_M && f->station_m < high + STANDS_M;
}

void intra_counter_fill(const struct intra_counter *counter, struct intra_frame_record *frames, int64_t n)
{
    const struct intra_counter_reading *r = counter->readings;
    int64_t k = 0, from = 0, to = 0; /* from, to: the frames of readings k and k + 1, where there are such */
    for (int64_t i = 0; i < n; i++) {
        while (k + 1 < counter->n && r[k + 1].index <= frames[i].index)
            k++;
        if (k >= counter->n || r[k].index > frames[i].index) continue;
        if (r[k].index == frames[i].index) {
            frames[i].counter_m = r[k].value_m;
            from = i;
            continue;
        }
        if (k + 1 == counter->n || r[k].value_m != r[k + 1].value_m || r[k + 1].time_s - r[k].time_s > 1) continue;
        while (to < n - 1 && frames[to].index < r[k + 1].index)
            to++;
        if (lies_between(&frames[i], &frames[from], &frames[to])) frames[i].counter_m = r[k].value_m;
    }
}
