#include "recon/counter_read.h"

#include "core/mem.h"
#include "recon/zero_dots.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N_WAYS = INTRA_COUNTER_WAYS, MARGIN_PX = 8 };
static const double sure = 0.5;                               /* a reading below is left out */
static const double letters_low = 0.012, letters_high = 0.09; /* height of letters, shares of the picture's */
static const double letters_agreed = 0.7;                     /* each letter of a number that needs no further reading */
static const double ink_height_px = 9;                        /* smaller letters have no grey of their own */
static const double letter_px = 34;                           /* height of letters as they are read */

/* How a line is prepared for reading: which grey; strokes alone (of the ink only, or all) or
 * all of it; the margin above and below, in heights of
 * letters (Tesseract scales the whole to 36 pixels, so the margin decides how large it sees the letters); how much wider it
 * is made, as many overlays have narrower letters than Tesseract has learnt; and what becomes white: strokes weaker than
 * this share of the line's contrast, else this percentile of the grey, where an outline is whiter than the wall. */
static const struct way {
    bool is_strokes, is_ink, is_colour;
    double margin, stretch, white;
} ways[N_WAYS] = {{true, true, false, 0.2, 1, 0.12},
                  {false, false, false, 0.25, 1.3, 50},
                  {true, false, true, 0.3, 1.15, 0.4},
                  {true, true, false, 0.45, 1.3, 0.3},
                  {false, false, true, 0.45, 1, 85}};

static uint8_t at_percent(const struct intra_view_u8 *v, double percent)
{
    int64_t counts[256] = {0}, want = (int64_t)(percent / 100 * v->rows * v->cols), sum = 0;
    for (int y = 0; y < v->rows; y++)
        for (int x = 0; x < v->cols; x++)
            counts[intra_row_u8(v, y)[x]]++;
    for (int i = 0; i < 256; i++)
        if ((sum += counts[i]) > want) return (uint8_t)i;
    return 255;
}

/* Dark on light, contrast stretched so that `low` becomes white for strokes and black otherwise. */
static void normalise(struct intra_view_u8 *v, double black, double white)
{
    for (int y = 0; y < v->rows; y++)
        for (int x = 0; x < v->cols; x++) {
            uint8_t *p = &intra_row_u8(v, y)[x];
            double g = white == black ? 255 : 255 * (*p - black) / (white - black);
            *p = (uint8_t)(g < 0 ? 0 : g > 255 ? 255 : g + 0.5);
        }
}

/* Bilinear, to `scale` times the height and `stretch` times wider than that, with a margin at both ends that goes on as the edge is. */
static enum intra_status enlarge(const struct intra_view_u8 *in, double scale, double stretch,
                                 struct intra_view_u8 *out, struct intra_error *err)
{
    double wide = scale * stretch;
    int rows = (int)ceil(in->rows * scale), cols = (int)ceil(in->cols * wide) + 2 * MARGIN_PX;
    enum intra_status status = intra_image_u8_init(out, rows, cols, 1, err);
    if (status != INTRA_OK) return status;
    for (int y = 0; y < rows; y++)
        for (int x = 0; x < cols; x++) {
            double fy = fmin(fmax((y + 0.5) / scale - 0.5, 0), in->rows - 1);
            double fx = fmin(fmax((x - MARGIN_PX + 0.5) / wide - 0.5, 0), in->cols - 1);
            int y0 = (int)fy, x0 = (int)fx, y1 = y0 + 1 < in->rows ? y0 + 1 : y0, x1 = x0 + 1 < in->cols ? x0 + 1 : x0;
            double a = fy - y0, b = fx - x0;
            double top = intra_row_u8(in, y0)[x0] * (1 - b) + intra_row_u8(in, y0)[x1] * b;
            double low = intra_row_u8(in, y1)[x0] * (1 - b) + intra_row_u8(in, y1)[x1] * b;
            intra_row_u8(out, y)[x] = (uint8_t)(top * (1 - a) + low * a + 0.5);
        }
    return INTRA_OK;
}

static struct intra_text_box grow(struct intra_text_box b, int dx, int dy, const struct intra_view_u8 *v)
{
    b = (struct intra_text_box){b.x0 - dx, b.y0 - dy, b.x1 + dx, b.y1 + dy};
    b.x0 = b.x0 < 0 ? 0 : b.x0;
    b.y0 = b.y0 < 0 ? 0 : b.y0;
    b.x1 = b.x1 > v->cols ? v->cols : b.x1;
    b.y1 = b.y1 > v->rows ? v->rows : b.y1;
    return b;
}

static struct intra_view_u8 cut(const struct intra_view_u8 *v, struct intra_text_box b)
{
    return (struct intra_view_u8){intra_row_u8(v, b.y0) + b.x0, b.y1 - b.y0, b.x1 - b.x0, 1, v->stride};
}

static const struct intra_view_u8 *grey_of(const struct intra_text_picture *picture, enum intra_text_kind kind, bool is_other)
{
    if (kind == INTRA_TEXT_COLOURED) return is_other ? &picture->high : &picture->colour;
    if (!is_other) return &picture->luma;
    return kind == INTRA_TEXT_BRIGHT ? &picture->low : &picture->high;
}

/* The line's picture as Tesseract wants it. */
static enum intra_status prepare(const struct intra_text_picture *picture, const struct intra_text_line *line,
                                 const struct way *way, struct intra_view_u8 *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_view_u8 *grey = grey_of(picture, line->kind, way->is_colour);
    struct intra_text_box box =
        grow(line->box, (int)(0.6 * line->height_px + 1), (int)(way->margin * line->height_px + 1), grey);
    /* A rim of a window's width, so that the top-hat knows what lies around. */
    struct intra_text_box wide = grow(box, picture->window_px, picture->window_px, grey);
    struct intra_text_box inner = {box.x0 - wide.x0, box.y0 - wide.y0, box.x1 - wide.x0, box.y1 - wide.y0};
    struct intra_view_u8 around = cut(grey, wide), hat = {0}, between = {0}, plain, strokes, ink;
    double black, white;
    bool bright = line->kind != INTRA_TEXT_DARK;
    INTRA_TRY(intra_image_u8_init(&hat, around.rows, around.cols, 1, err));
    INTRA_TRY(intra_image_u8_init(&between, around.rows, around.cols, 1, err));
    intra_text_strokes(&around, bright, picture->window_px, &between, &hat);
    strokes = cut(&hat, inner);
    ink = cut(grey, box);
    if ((way->is_ink || !way->is_strokes) && line->kind != INTRA_TEXT_COLOURED && line->height_px >= ink_height_px)
        intra_text_keep_ink(&ink, bright, line->contrast, &strokes);
    plain = cut(&between, inner);
    INTRA_TRY(intra_zero_dots_remove(&strokes, line->contrast, line->height_px, &plain, err));
    for (int y = 0; y < strokes.rows && !way->is_strokes; y++)
        for (int x = 0; x < strokes.cols; x++) {
            /* Where the dot of a zero was, what is behind it. */
            uint8_t *p = &intra_row_u8(&strokes, y)[x];
            int g = intra_row_u8(grey, box.y0 + y)[box.x0 + x], h = intra_row_u8(&plain, y)[x];
            *p = (uint8_t)(bright ? g - h : g + h);
        }
    black = way->is_strokes ? 1.15 * line->contrast : at_percent(&strokes, bright ? 97 : 3);
    white = way->is_strokes ? way->white * line->contrast : at_percent(&strokes, bright ? 100 - way->white : way->white);
    normalise(&strokes, black, white);
    INTRA_TRY(enlarge(&strokes, letter_px / line->height_px, way->stretch, out, err));
done:
    intra_image_u8_fini(&hat);
    intra_image_u8_fini(&between);
    return status;
}

struct one_reading {
    struct intra_ocr_line line;
    struct intra_counter_text number;
    double confidence; /* of the digits: the least sure one */
    bool has_number;
};

static enum intra_status read_one_way(struct intra_ocr *ocr, const struct intra_text_picture *picture,
                                      const struct intra_text_line *where, int way, struct one_reading *out,
                                      struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_view_u8 grey = {0};
    *out = (struct one_reading){.confidence = 0};
    INTRA_TRY(prepare(picture, where, &ways[way], &grey, err));
    INTRA_TRY(intra_ocr_read(ocr, &grey, NULL, &out->line, err));
    out->has_number = intra_counter_parse(out->line.text, &out->number);
    if (out->has_number) {
        out->confidence = 1;
        for (int i = 0; i < out->number.length; i++)
            out->confidence = fmin(out->confidence, (double)out->line.confidence[out->number.at + i]);
    }
done:
    intra_image_u8_fini(&grey);
    return status;
}

static bool is_same_number(const struct intra_counter_text *a, const struct intra_counter_text *b)
{
    return fabs(a->value) == fabs(b->value) && a->decimals == b->decimals && (a->unit == b->unit || !a->unit || !b->unit);
}

/* A speck before the number makes a minus in one way or another: most must see it. One way alone is never sure; each more that agrees makes it surer, each that reads something else less sure.
 * unread: further ways, left out because they mostly read the same; they count as one that does. */
static void vote(const struct one_reading *r, int n, int unread, struct intra_counter_line *out)
{
    static const double trust[] = {[INTRA_COUNTER_NONE] = 0,       [INTRA_COUNTER_BARE] = 0.85,
                                   [INTRA_COUNTER_WHOLE] = 0.9,    [INTRA_COUNTER_LABELLED] = 0.95,
                                   [INTRA_COUNTER_UNIT] = 1,       [INTRA_COUNTER_BOTH] = 1};
    static const double together[N_WAYS + 1] = {0, 0.45, 0.85, 0.95, 0.98, 1};
    out->confidence = 0;
    for (int i = 0; i < n; i++) {
        double sum = 0, confidence;
        int agree = 0, against = 0, minus = 0, top = i;
        if (!r[i].has_number) continue;
        for (int k = 0; k < n; k++) {
            if (!r[k].has_number) continue;
            if (!is_same_number(&r[i].number, &r[k].number)) {
                against++;
                continue;
            }
            agree++;
            sum += r[k].confidence;
            minus += r[k].number.value < 0;
            if (r[k].number.rank > r[top].number.rank) top = k;
        }
        confidence = trust[r[top].number.rank] * (sum / agree) * together[agree + (unread > 0)] * agree / (agree + against);
        if (confidence <= out->confidence) continue;
        out->confidence = confidence;
        out->number = r[top].number;
        out->number.value = minus * 2 > agree ? -fabs(out->number.value) : fabs(out->number.value);
        snprintf(out->text, sizeof out->text, "%.*s", (int)sizeof out->text - 1, r[top].line.text);
    }
}

static int count_digits(const char *text)
{
    int n = 0;
    for (; *text; text++)
        n += *text >= '0' && *text <= '9';
    return n;
}

/* The same letters and digits, whatever signs and spaces lie between. */
static bool is_same_text(const char *a, const char *b)
{
    for (;; a++, b++) {
        while (*a && !isalnum((unsigned char)*a)) a++;
        while (*b && !isalnum((unsigned char)*b)) b++;
        if (*a != *b) return false;
        if (!*a) return true;
    }
}

/* Two readings are the same: the same number, sure of each letter, or the same text without one. */
static bool is_agreed(const struct one_reading *r, int n)
{
    if (n == 2 && !r[0].has_number && !r[1].has_number) return is_same_text(r[0].line.text, r[1].line.text);
    for (int i = 0; i < n; i++)
        if (!r[i].has_number || r[i].confidence < letters_agreed || !is_same_number(&r[0].number, &r[i].number)) return false;
    return true;
}

enum intra_status intra_counter_read_line(struct intra_ocr *ocr, const struct intra_text_picture *picture,
                                          const struct intra_text_line *where, enum intra_counter_care care,
                                          struct intra_counter_line *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct one_reading readings[N_WAYS];
    int n = 0, unread = 0;
    *out = (struct intra_counter_line){.where = *where};
    for (; n < N_WAYS; n++) {
        if (n == 2 && count_digits(readings[0].line.text) < 2 && count_digits(readings[1].line.text) < 2) break;
        if (n >= 2 && care == INTRA_COUNTER_QUICK && is_agreed(readings, n)) {
            unread = N_WAYS - n;
            break;
        }
        INTRA_TRY(read_one_way(ocr, picture, where, n, &readings[n], err));
        snprintf(out->said[n], sizeof out->said[n], "%.*s", (int)sizeof out->said[n] - 1, readings[n].line.text);
    }
    vote(readings, n, unread, out);
    if (!out->text[0]) snprintf(out->text, sizeof out->text, "%.*s", (int)sizeof out->text - 1, readings[0].line.text);
done:
    return status;
}

static double share_common(const struct intra_text_box *a, const struct intra_text_box *b)
{
    int w = (a->x1 < b->x1 ? a->x1 : b->x1) - (a->x0 > b->x0 ? a->x0 : b->x0);
    int h = (a->y1 < b->y1 ? a->y1 : b->y1) - (a->y0 > b->y0 ? a->y0 : b->y0);
    double area_a = (double)(a->x1 - a->x0) * (a->y1 - a->y0), area_b = (double)(b->x1 - b->x0) * (b->y1 - b->y0);
    return w > 0 && h > 0 ? (double)w * h / fmin(area_a, area_b) : 0;
}

static int by_trust(const void *a, const void *b)
{
    const struct intra_counter_line *p = a, *q = b;
    double tp = p->confidence * (4 + p->number.rank), tq = q->confidence * (4 + q->number.rank);
    if (tp != tq) return tp > tq ? -1 : 1;
    return p->where.box.y0 != q->where.box.y0 ? p->where.box.y0 - q->where.box.y0 : p->where.box.x0 - q->where.box.x0;
}

/* Lines that lie on each other are one text: agreement makes the first surer, a contradiction less sure. */
static int merge_same_place(struct intra_counter_line *lines, int n)
{
    int kept = 0;
    qsort(lines, (size_t)n, sizeof *lines, by_trust);
    for (int i = 0; i < n; i++) {
        int on = -1;
        for (int k = 0; k < kept && on < 0; k++)
            if (share_common(&lines[k].where.box, &lines[i].where.box) > 0.4) on = k;
        if (on < 0)
            lines[kept++] = lines[i];
        else if (!is_same_number(&lines[on].number, &lines[i].number))
            lines[on].confidence *= 1 - 0.5 * lines[i].confidence / lines[on].confidence * lines[i].confidence;
        else
            lines[on].confidence = 1 - (1 - lines[on].confidence) * (1 - 0.5 * lines[i].confidence);
    }
    qsort(lines, (size_t)kept, sizeof *lines, by_trust);
    return kept;
}

/* A number without label, and without decimals or unit, counts only where nothing else with digits stands beside it: it may be the end of a date. */
static bool is_alone(const struct intra_counter_line *line, const struct intra_counter_line *all, int n)
{
    const struct intra_text_box *b = &line->where.box;
    double reach = 2.5 * line->where.height_px;
    for (int i = 0; i < n; i++) {
        const struct intra_text_box *o = &all[i].where.box;
        bool is_wider = o->x0 < b->x0 - 0.5 * line->where.height_px || o->x1 > b->x1 + 0.5 * line->where.height_px;
        bool is_near = o->x0 < b->x1 + reach && o->x1 > b->x0 - reach;
        int common = (o->y1 < b->y1 ? o->y1 : b->y1) - (o->y0 > b->y0 ? o->y0 : b->y0);
        if (is_wider && is_near && common > 0.5 * line->where.height_px && count_digits(all[i].text) > 1) return false;
    }
    return true;
}

enum intra_status intra_counter_find_lines(const struct intra_text_picture *picture, struct intra_text_line *out, int max,
                                           int *out_n, struct intra_error *err)
{
    const double heights[2] = {fmax(letters_low * picture->frame_rows, 6), letters_high * picture->frame_rows};
    return intra_text_lines(picture, heights, out, max, out_n, err);
}

/* Read lines until the columns are used up, and keep those with a distance. */
static enum intra_status read_some(struct intra_ocr *ocr, const struct intra_text_picture *picture,
                                   const struct intra_text_line *lines, int n_lines, enum intra_counter_care care,
                                   int64_t most_columns, struct intra_counter_line *out, int *out_n,
                                   struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_counter_line *all = NULL;
    int n_read = 0, n = 0;
    *out_n = 0;
    INTRA_TRY(INTRA_ALLOC(all, INTRA_COUNTER_MAX_LINES, err));
    for (; n_read < n_lines && intra_ocr_columns(ocr) < most_columns; n_read++)
        INTRA_TRY(intra_counter_read_line(ocr, picture, &lines[n_read], care, &all[n_read], err));
    for (int i = 0; i < n_read; i++)
        if (all[i].confidence > 0 && (all[i].number.rank > INTRA_COUNTER_WHOLE || is_alone(&all[i], all, n_read)))
            out[n++] = all[i];
    *out_n = merge_same_place(out, n);
done:
    intra_free(all);
    return status;
}

enum intra_status intra_counter_read_lines(struct intra_ocr *ocr, const struct intra_text_picture *picture,
                                           const struct intra_text_line *lines, int n_lines, int64_t most_columns,
                                           struct intra_counter_line out[INTRA_COUNTER_MAX_LINES], int *out_n,
                                           struct intra_error *err)
{
    return read_some(ocr, picture, lines, n_lines, INTRA_COUNTER_QUICK, most_columns, out, out_n, err);
}

enum intra_status intra_counter_read_all(struct intra_ocr *ocr, const struct intra_text_picture *picture,
                                         struct intra_counter_line out[INTRA_COUNTER_MAX_LINES], int *out_n,
                                         struct intra_error *err)
{
    struct intra_text_line found[INTRA_COUNTER_MAX_LINES];
    int n = 0;
    enum intra_status status = intra_counter_find_lines(picture, found, INTRA_COUNTER_MAX_LINES, &n, err);
    if (status != INTRA_OK) return status;
    return read_some(ocr, picture, found, n, INTRA_COUNTER_CAREFUL, INT64_MAX, out, out_n, err);
}

const struct intra_counter_line *intra_counter_choose(const struct intra_counter_line *lines, int n)
{
    if (n == 0 || lines[0].confidence < sure) return NULL;
    for (int i = 1; i < n; i++)
        if (lines[i].number.rank >= lines[0].number.rank && lines[i].confidence > 0.6 * lines[0].confidence &&
            lines[i].number.value != lines[0].number.value)
            return NULL;
    return &lines[0];
}
