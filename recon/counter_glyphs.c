/* Shapes are compared by normalised correlation of small pictures of their strokes, on the line's baseline and at one scale,
 * with a shift of up to a pixel. */
#include "recon/counter_glyphs.h"

#include "core/mem.h"
#include "recon/zero_dots.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_SHAPES = 400,
    SIDE = INTRA_GLYPH_PX,
    MEAN_OVER = 60,
    MAX_PARTS = 256,
    MAX_LAYOUTS = 32,
    LAYOUT_VOTES = 4,
    MAX_ROWS = 64,
    ROWS_OFF = 2
};
static const char names[] = "0123456789mft+";
enum { N_NAMES = sizeof names - 1 };
static const double same_shape = 0.93, unlike = 0.9, far_apart = 0.55, clearly = 0.05; /* correlations */
/* Digits of a font are at most 0.8 alike, the same one on a bright wall at least 0.75, mostly over 0.85: once all ten are known, and for a
 * shape that was read as the digit itself, so much will do. */
static const double alike = 0.8, clearly_alike = 0.1;
static const double stroke_levels[] = {0.5, 0.4, 0.3}, point_level = 0.4; /* of the contrast */
static const double piece_gap = 0.3; /* between pieces of a broken letter, in heights */
enum { N_LEVELS = sizeof stroke_levels / sizeof stroke_levels[0] };

struct glyph_shape {
    float mean[SIDE * SIDE];
    int n;
    double votes[N_NAMES];
    int name; /* in names; -1: not settled */
    double sure;
};

/* Where Tesseract found the number in lines of this video: letters before it, letters after it. */
struct layout {
    int before, after, votes;
    enum intra_counter_unit unit;
    enum intra_counter_rank rank;
};

/* Rows that a line was found at, in the frame: burnt-in text stands still, so that where it was found most it is, whatever
 * of the wall touches it in this frame. A row more or less makes other shapes of thin letters. */
struct rows {
    enum intra_text_kind kind;
    int bottom, height, votes;
};

struct intra_glyphs {
    struct rows rows[MAX_ROWS];
    int n_rows;
    struct glyph_shape shapes[MAX_SHAPES];
    int n;
    struct layout layouts[MAX_LAYOUTS];
    int n_layouts, layout_votes;
    int decimals_votes[4];
};

enum intra_status intra_glyphs_create(struct intra_glyphs **out, struct intra_error *err)
{
    return INTRA_ALLOC(*out, 1, err);
}

void intra_glyphs_destroy(struct intra_glyphs **glyphs)
{
    intra_free(*glyphs);
    *glyphs = NULL;
}

/* A connected part of the line's strokes. */
struct part {
    struct intra_text_box box;
};

struct cutter {
    struct intra_view_u8 strokes, scratch;
    uint8_t *seen;
    int *stack;
    struct part parts[MAX_PARTS];
    int n;
};

static struct intra_text_box fill_part(struct cutter *c, int x, int y, double level)
{
    int cols = c->strokes.cols, rows = c->strokes.rows, n = 1;
    struct intra_text_box b = {x, y, x + 1, y + 1};
    c->stack[0] = y * cols + x;
    c->seen[c->stack[0]] = 1;
    for (int i = 0; i < n; i++) {
        int px = c->stack[i] % cols, py = c->stack[i] / cols;
        b.x0 = px < b.x0 ? px : b.x0;
        b.x1 = px >= b.x1 ? px + 1 : b.x1;
        b.y0 = py < b.y0 ? py : b.y0;
        b.y1 = py >= b.y1 ? py + 1 : b.y1;
        for (int k = 0; k < 9; k++) {
            int nx = px + k % 3 - 1, ny = py + k / 3 - 1;
            if (nx < 0 || ny < 0 || nx >= cols || ny >= rows || c->seen[ny * cols + nx]) continue;
            if (intra_row_u8(&c->strokes, ny)[nx] < level) continue;
            c->seen[ny * cols + nx] = 1;
            c->stack[n++] = ny * cols + nx;
        }
    }
    return b;
}

static int by_left(const void *a, const void *b)
{
    const struct part *p = a, *q = b;
    return p->box.x0 != q->box.x0 ? p->box.x0 - q->box.x0 : p->box.y0 - q->box.y0;
}

/* Whether b is a piece of the letter that a is a piece of: one above the other with next to nothing between, and
 * together no taller than a letter. Strokes of a pixel between two columns are grey in both and break at any threshold
 * that keeps letters apart. The dots of a colon are farther from each other. */
static bool is_piece_of(const struct intra_text_box *a, const struct intra_text_box *b, double base, double height)
{
    int common = (a->x1 < b->x1 ? a->x1 : b->x1) - (a->x0 > b->x0 ? a->x0 : b->x0);
    int narrow = a->x1 - a->x0 < b->x1 - b->x0 ? a->x1 - a->x0 : b->x1 - b->x0;
    int gap = (a->y0 > b->y0 ? a->y0 : b->y0) - (a->y1 < b->y1 ? a->y1 : b->y1);
    int top = a->y0 < b->y0 ? a->y0 : b->y0, bottom = a->y1 > b->y1 ? a->y1 : b->y1;
    return 2 * common > narrow && gap <= piece_gap * height && bottom - top <= 1.15 * height &&
           bottom <= base + 0.2 * height;
}

/* Join the pieces of broken letters. */
static void join_pieces(struct cutter *c, double base, double height)
{
    for (int i = 0; i < c->n; i++)
        for (int k = 0; k < c->n; k++) {
            struct intra_text_box *a = &c->parts[i].box, *b = &c->parts[k].box;
            if (i == k || !is_piece_of(a, b, base, height)) continue;
            *a = (struct intra_text_box){a->x0 < b->x0 ? a->x0 : b->x0, a->y0 < b->y0 ? a->y0 : b->y0,
                                         a->x1 > b->x1 ? a->x1 : b->x1, a->y1 > b->y1 ? a->y1 : b->y1};
            c->parts[k] = c->parts[--c->n];
            i = -1; /* from the start: the joined one may have further pieces */
            break;
        }
}

/* Letters on the baseline, by x. Returns how badly strokes of this level make letters: pieces above the baseline, and
 * letters that run into each other; -1: no letters at all. */
static int find_parts(struct cutter *c, double level, double base, double height)
{
    int n = 0, faults = 0;
    memset(c->seen, 0, (size_t)c->strokes.rows * (size_t)c->strokes.cols);
    c->n = 0;
    for (int y = 0; y < c->strokes.rows; y++)
        for (int x = 0; x < c->strokes.cols; x++) {
            if (c->seen[y * c->strokes.cols + x] || intra_row_u8(&c->strokes, y)[x] < level) continue;
            if (c->n == MAX_PARTS) return -1;
            c->parts[c->n++] = (struct part){fill_part(c, x, y, level)};
        }
    join_pieces(c, base, height);
    for (int i = 0; i < c->n; i++) {
        struct intra_text_box b = c->parts[i].box;
        double w = b.x1 - b.x0, h = b.y1 - b.y0;
        bool is_letter = h >= 0.55 * height && fabs(b.y1 - base) <= 0.2 * height;
        if (!is_letter) { /* a point, a sign, another line */
            faults += b.y0 >= base - 1.15 * height && b.y1 < base - 0.25 * height;
            continue;
        }
        if (w > 1.25 * height || h > 1.3 * height) return -1;
        faults += w > 0.95 * height;
        c->parts[n++] = c->parts[i];
    }
    c->n = n;
    qsort(c->parts, (size_t)c->n, sizeof *c->parts, by_left);
    return n ? faults : -1;
}

/* Letters at the level of strokes that makes the best ones: thin strokes break at a high one, small letters run
 * together at a low one. False where no level makes any. */
static bool find_letters(struct cutter *c, double contrast, double base, double height)
{
    int best = -1, least = 0, faults;
    for (int k = 0; k < N_LEVELS; k++) {
        faults = find_parts(c, stroke_levels[k] * contrast, base, height);
        if (faults < 0 || (best >= 0 && faults >= least)) continue;
        best = k;
        least = faults;
        if (faults == 0) return true;
    }
    return best >= 0 && find_parts(c, stroke_levels[best] * contrast, base, height) >= 0;
}

/* Middle of the part's ink: steadier than that of its box, whose edges jump by whole pixels. */
static double middle_of(const struct intra_view_u8 *strokes, const struct part *part)
{
    double sum = 0, moment = 0;
    for (int y = part->box.y0; y < part->box.y1; y++)
        for (int x = part->box.x0; x < part->box.x1; x++) {
            sum += intra_row_u8(strokes, y)[x];
            moment += (x + 0.5) * intra_row_u8(strokes, y)[x];
        }
    return sum > 0 ? moment / sum : 0.5 * (part->box.x0 + part->box.x1);
}

/* The part's strokes at the common scale, the middle of its ink in the middle, the baseline at 7/8. */
static void sample(const struct intra_view_u8 *strokes, const struct part *part, double base, double height,
                   double contrast, float out[SIDE * SIDE])
{
    double scale = height / (0.75 * SIDE), cx = middle_of(strokes, part);
    double sum = 0, sum2 = 0, mean;
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            double fx = cx + (x + 0.5 - SIDE / 2.0) * scale - 0.5, fy = base + (y + 0.5 - 0.875 * SIDE) * scale - 0.5, v = 0;
            int x0 = (int)floor(fx), y0 = (int)floor(fy);
            for (int k = 0; k < 4; k++) {
                int px = x0 + k % 2, py = y0 + k / 2;
                double w = (k % 2 ? fx - x0 : 1 - fx + x0) * (k / 2 ? fy - y0 : 1 - fy + y0);
                if (px >= part->box.x0 - 1 && px <= part->box.x1 && py >= 0 && py < strokes->rows && px >= 0 && px < strokes->cols)
                    v += w * fmin(1, intra_row_u8(strokes, py)[px] / contrast);
            }
            out[y * SIDE + x] = (float)v;
            sum += v;
        }
    mean = sum / (SIDE * SIDE);
    for (int i = 0; i < SIDE * SIDE; i++) {
        out[i] = (float)(out[i] - mean);
        sum2 += (double)out[i] * out[i];
    }
    for (int i = 0; i < SIDE * SIDE && sum2 > 0; i++)
        out[i] = (float)(out[i] / sqrt(sum2));
}

static double correlation_at(const float *a, const float *b, int dx, int dy)
{
    double sum = 0;
    for (int y = 1; y + 1 < SIDE; y++) {
        const float *p = a + y * SIDE, *q = b + (y + dy) * SIDE + dx;
        float row = 0;
        for (int x = 1; x + 1 < SIDE; x++) row += p[x] * q[x];
        sum += (double)row;
    }
    return sum;
}

/* The best over shifts of up to a pixel; those that are far apart unshifted are not shifted. */
static double correlation(const float *a, const float *b)
{
    double best = correlation_at(a, b, 0, 0);
    for (int k = 0; k < 9 && best > far_apart; k++) best = fmax(best, correlation_at(a, b, k % 3 - 1, k / 3 - 1));
    return best;
}

/* The shape that looks like `glyph`, which is then averaged into it; a new one where none does; -1 when there is no room. */
static int find_shape(struct intra_glyphs *g, const float *glyph)
{
    int best = -1;
    double best_c = same_shape, norm = 0;
    struct glyph_shape *s;
    for (int i = 0; i < g->n; i++) {
        double c = correlation(g->shapes[i].mean, glyph);
        if (c <= best_c) continue;
        best_c = c;
        best = i;
    }
    if (best < 0) {
        if (g->n == MAX_SHAPES) return -1;
        s = &g->shapes[g->n];
        memset(s, 0, sizeof *s);
        memcpy(s->mean, glyph, sizeof s->mean);
        s->n = 1;
        s->name = -1;
        return g->n++;
    }
    s = &g->shapes[best];
    if (s->n < MEAN_OVER) s->n++;
    for (int i = 0; i < SIDE * SIDE; i++) {
        s->mean[i] += (glyph[i] - s->mean[i]) / (float)s->n;
        norm += (double)s->mean[i] * s->mean[i];
    }
    for (int i = 0; i < SIDE * SIDE; i++)
        s->mean[i] = (float)(s->mean[i] / sqrt(norm));
    return best;
}

/* The strongest stroke in columns x0..x1 and rows y0..y1, both cut to the picture. */
static int strongest(const struct intra_view_u8 *v, int x0, int x1, double y0, double y1)
{
    int best = 0;
    for (int y = y0 < 0 ? 0 : (int)y0; y < y1 && y < v->rows; y++)
        for (int x = x0 < 0 ? 0 : x0; x < x1 && x < v->cols; x++)
            if (intra_row_u8(v, y)[x] > best) best = intra_row_u8(v, y)[x];
    return best;
}

enum between { NOTHING, POINT, COLON };

/* What stands between two letters: a stroke at the bottom only, or at the bottom and halfway up. */
static enum between find_between(const struct cutter *c, int left, int right, double base, double height, double contrast)
{
    int bottom = strongest(&c->strokes, left, right, base - 0.22 * height, base + 0.1 * height);
    int gap = strongest(&c->strokes, left, right, base - 0.45 * height, base - 0.32 * height);
    int upper = strongest(&c->strokes, left, right, base - 0.8 * height, base - 0.45 * height);
    if (bottom < point_level * contrast || right - left > 2 * height) return NOTHING;
    if (upper < 0.6 * bottom) return POINT;
    return gap < 0.6 * bottom ? COLON : NOTHING;
}

/* x0, y0: of the strokes' first pixel in the frame. */
static void name_parts(struct intra_glyphs *g, const struct cutter *c, int x0, int y0, double base,
                       const struct intra_text_line *line, struct intra_glyph_line *out)
{
    for (int i = 0; i < c->n; i++) {
        float glyph[SIDE * SIDE];
        int right = c->parts[i].box.x0, left = i ? c->parts[i - 1].box.x1 : right - (int)line->height_px;
        enum between between = find_between(c, left, right, base, line->height_px, line->contrast);
        if (out->n == INTRA_GLYPHS_IN_LINE) {
            out->n = 0;
            return;
        }
        sample(&c->strokes, &c->parts[i], base, line->height_px, line->contrast, glyph);
        out->letters[out->n].shape = (int16_t)find_shape(g, glyph);
        out->letters[out->n].box = (struct intra_text_box){c->parts[i].box.x0 + x0, c->parts[i].box.y0 + y0,
                                                           c->parts[i].box.x1 + x0, c->parts[i].box.y1 + y0};
        out->letters[out->n].has_point_before = between == POINT;
        out->letters[out->n].has_colon_before = between == COLON;
        out->letters[out->n].has_space_before = i > 0 && between != POINT && right - left > 0.55 * line->height_px;
        out->n++;
    }
}

/* The line with the bottom and height that lines of its kind near it mostly have. */
static struct intra_text_line steady(struct intra_glyphs *g, const struct intra_text_picture *picture,
                                     const struct intra_text_line *line)
{
    int bottom = line->box.y1 + picture->y0, height = (int)lround(line->height_px), i = 0;
    const struct rows *best;
    struct intra_text_line out = *line;
    while (i < g->n_rows && (g->rows[i].kind != line->kind || g->rows[i].bottom != bottom || g->rows[i].height != height)) i++;
    if (i == MAX_ROWS) return out;
    if (i == g->n_rows) g->rows[g->n_rows++] = (struct rows){line->kind, bottom, height, 0};
    g->rows[i].votes++;
    best = &g->rows[i];
    for (int k = 0; k < g->n_rows; k++) {
        const struct rows *r = &g->rows[k];
        bool is_near = abs(r->bottom - bottom) <= ROWS_OFF && abs(r->height - height) <= ROWS_OFF;
        if (r->kind == line->kind && is_near && r->votes > best->votes) best = r;
    }
    out.box.y1 = best->bottom - picture->y0;
    out.box.y0 = out.box.y1 - best->height;
    out.height_px = best->height;
    return out;
}

/* Coloured strokes as bright as they are colourful: colour comes at half the resolution, luma tells where the outline begins.
 * Dark colours (blue, red) stand out by colour alone. grey: what of the picture is shown, written. */
static void sharpen_colour(const struct intra_view_u8 *luma, const struct intra_view_u8 *colour, double contrast,
                           struct intra_view_u8 *grey)
{
    double sum = 0;
    int64_t n = 0;
    for (int y = 0; y < grey->rows; y++)
        for (int x = 0; x < grey->cols; x++)
            if (intra_row_u8(colour, y)[x] >= contrast) {
                sum += intra_row_u8(luma, y)[x];
                n++;
            }
    for (int y = 0; y < grey->rows; y++) {
        const uint8_t *l = intra_row_u8(luma, y), *c = intra_row_u8(colour, y);
        for (int x = 0; x < grey->cols; x++)
            intra_row_u8(grey, y)[x] = sum >= contrast * (double)n && l[x] < c[x] ? l[x] : c[x];
    }
}

static struct intra_view_u8 part_of(const struct intra_view_u8 *v, int x0, int y0, int x1, int y1)
{
    return (struct intra_view_u8){intra_row_u8(v, y0) + x0, y1 - y0, x1 - x0, 1, v->stride};
}

enum intra_status intra_glyphs_cut(struct intra_glyphs *g, const struct intra_text_picture *picture,
                                   const struct intra_text_line *found, struct intra_glyph_line *out,
                                   struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct cutter c = {.n = 0};
    struct intra_text_line at = steady(g, picture, found);
    const struct intra_text_line *line = &at;
    const struct intra_view_u8 *grey = line->kind == INTRA_TEXT_COLOURED ? &picture->colour : &picture->luma;
    /* Wider than the line, which may have lost its first letter. */
    int rim = picture->window_px, side = rim + (int)(1.5 * line->height_px);
    int x0 = line->box.x0 - side, y0 = line->box.y0 - rim, x1 = line->box.x1 + side, y1 = line->box.y1 + rim;
    struct intra_view_u8 around, sharp = {0};
    double base;
    size_t n;
    memset(out, 0, sizeof *out);
    x0 = x0 < 0 ? 0 : x0;
    y0 = y0 < 0 ? 0 : y0;
    x1 = x1 > grey->cols ? grey->cols : x1;
    y1 = y1 > grey->rows ? grey->rows : y1;
    if (x1 <= x0 || y1 <= y0) return INTRA_OK;
    around = part_of(grey, x0, y0, x1, y1);
    if (line->kind == INTRA_TEXT_COLOURED) {
        struct intra_view_u8 luma = part_of(&picture->luma, x0, y0, x1, y1);
        INTRA_TRY(intra_image_u8_init(&sharp, around.rows, around.cols, 1, err));
        sharpen_colour(&luma, &around, line->contrast, &sharp);
        around = sharp;
    }
    n = (size_t)around.rows * (size_t)around.cols;
    base = line->box.y1 - y0;
    INTRA_TRY(intra_image_u8_init(&c.strokes, around.rows, around.cols, 1, err));
    INTRA_TRY(intra_image_u8_init(&c.scratch, around.rows, around.cols, 1, err));
    INTRA_TRY(INTRA_ALLOC(c.seen, n, err));
    INTRA_TRY(INTRA_ALLOC(c.stack, n, err));
    intra_text_strokes(&around, line->kind != INTRA_TEXT_DARK, picture->window_px, &c.scratch, &c.strokes);
    if (line->kind != INTRA_TEXT_COLOURED)
        intra_text_keep_ink(&around, line->kind != INTRA_TEXT_DARK, line->contrast, &c.strokes);
    INTRA_TRY(intra_zero_dots_remove(&c.strokes, line->contrast, line->height_px, &c.scratch, err));
    if (find_letters(&c, line->contrast, base, line->height_px))
        name_parts(g, &c, x0 + picture->x0, y0 + picture->y0, base, line, out);
done:
    intra_image_u8_fini(&c.strokes);
    intra_image_u8_fini(&c.scratch);
    intra_image_u8_fini(&sharp);
    intra_free(c.seen);
    intra_free(c.stack);
    return status;
}

/* Index in names of a letter as it is read; -1: some other letter, -2: none. */
static int name_of(char c)
{
    const char *at;
    if (c == 'O' || c == 'o' || c == 'Q') c = '0';
    if (c == 'l' || c == 'I') c = '1';
    if (c == 'M') c = 'm';
    at = c ? strchr(names, c) : NULL;
    if (at) return (int)(at - names);
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ? -1 : -2;
}

static void vote_layout(struct intra_glyphs *g, int before, int after, const struct intra_counter_text *number)
{
    int i = 0;
    while (i < g->n_layouts && (g->layouts[i].before != before || g->layouts[i].after != after)) i++;
    if (i == MAX_LAYOUTS) return;
    if (i == g->n_layouts) g->layouts[g->n_layouts++] = (struct layout){.before = before, .after = after};
    g->layouts[i].votes++;
    g->layout_votes++;
    if (number->decimals < 4) g->decimals_votes[number->decimals]++;
    if (number->rank < g->layouts[i].rank) return;
    g->layouts[i].rank = number->rank;
    if (number->unit) g->layouts[i].unit = number->unit;
}

/* A faint point looks like a space. */
static bool is_point_at(const struct intra_glyph_line *line, int i)
{
    return i > 0 && i < line->n && (line->letters[i].has_point_before || line->letters[i].has_space_before);
}

/* The reading has as many letters as the line has shapes, and its point between the same two: each votes for its own.
 */
static bool vote_all(struct intra_glyphs *g, const struct intra_glyph_line *line, const char *text,
                     const struct intra_counter_text *number, bool with_plus)
{
    int list[INTRA_GLYPHS_IN_LINE + 1], n = 0, before = 0, after = 0;
    for (int at = 0; text[at] && n <= INTRA_GLYPHS_IN_LINE; at++) {
        int name = name_of(text[at]);
        if (name == -2 || (text[at] == '+' && !with_plus)) continue;
        list[n++] = name;
        before += at < number->at;
        after += at >= number->at + number->length;
    }
    if (n != line->n || (number->decimals && !is_point_at(line, before + number->whole_digits))) return false;
    for (int i = 0; i < n; i++)
        if (list[i] >= 0 && line->letters[i].shape >= 0) g->shapes[line->letters[i].shape].votes[list[i]] += 1;
    if (number->rank != INTRA_COUNTER_NONE) vote_layout(g, before, after, number);
    return true;
}

static bool has_gap_before(const struct intra_glyph_line *line, int i)
{
    return i == line->n || line->letters[i].has_space_before || line->letters[i].has_colon_before;
}

/* Whether the line's letters [from, to) can be a number with its point before letter `point`: spaces around, none
 * inside. */
static bool is_number_at(const struct intra_glyph_line *line, int from, int point, int to)
{
    if (from < 0 || to > line->n || from >= point || point >= to) return false;
    if (!is_point_at(line, point)) return false;
    for (int i = from; i < to; i++) {
        if (i == point) continue;
        if (i > from && (has_gap_before(line, i) || line->letters[i].has_point_before)) return false;
        if (i == from && i > 0 && !has_gap_before(line, i)) return false;
    }
    return has_gap_before(line, to);
}

/* A letter too many or too few in the label or the unit (the edge of a box is read as one: "3.03 mi") says nothing
 * against the digits: those of the number vote where they fit one place in the line only. */
static void vote_number(struct intra_glyphs *g, const struct intra_glyph_line *line, const char *text,
                        const struct intra_counter_text *number)
{
    int from = -1, to, at = number->at;
    for (int i = 0; i + number->whole_digits + number->decimals <= line->n && number->decimals; i++) {
        if (!is_number_at(line, i, i + number->whole_digits, i + number->whole_digits + number->decimals)) continue;
        if (from >= 0) return;
        from = i;
    }
    if (from < 0) return;
    to = from + number->whole_digits + number->decimals;
    for (int i = from; i < to; at++) {
        int name = name_of(text[at]);
        if (name == -2) continue; /* the point */
        if (name >= 0 && line->letters[i].shape >= 0) g->shapes[line->letters[i].shape].votes[name] += 1;
        i++;
    }
    vote_layout(g, from, line->n - to, number);
}

void intra_glyphs_vote(struct intra_glyphs *g, const struct intra_glyph_line *line, const char *text)
{
    struct intra_counter_text number;
    bool has_number = intra_counter_parse(text, &number);
    if (!has_number) number = (struct intra_counter_text){.rank = INTRA_COUNTER_NONE};
    /* A plus is a letter where it is as tall as one, else it was left out of the shapes. */
    if (vote_all(g, line, text, &number, true) || vote_all(g, line, text, &number, false)) return;
    if (has_number) vote_number(g, line, text, &number);
}

/* The shape with the most votes among those that have this name; -1: none yet. */
static int holder_of(const struct intra_glyphs *g, int name)
{
    int best = -1;
    for (int i = 0; i < g->n; i++)
        if (g->shapes[i].name == name && (best < 0 || g->shapes[i].votes[name] > g->shapes[best].votes[name])) best = i;
    return best;
}

/* Whether shape i may have the name: free, or held by a shape that looks like it. */
static bool may_have(const struct intra_glyphs *g, int i, int name)
{
    int holder = holder_of(g, name);
    return holder < 0 || correlation(g->shapes[holder].mean, g->shapes[i].mean) >= unlike;
}

static double all_votes(const struct glyph_shape *s)
{
    double sum = 0;
    for (int k = 0; k < N_NAMES; k++) sum += s->votes[k];
    return sum;
}

/* Share of the votes that the name has, less where there are few; votes for names that unlike shapes hold count half, as they
 * are misreadings of this one. */
static double sureness(const struct glyph_shape *s, double lost)
{
    double best = s->votes[s->name];
    return best / (all_votes(s) - 0.5 * lost) * best / (best + 0.7);
}

static bool has_all_digits(const int holders[N_NAMES])
{
    for (int k = 0; k < 10; k++)
        if (holders[k] < 0) return false;
    return true;
}

/* A shape without a name takes that of the one that it clearly looks like most, unless its own votes are for another. */
static void borrow_name(const struct intra_glyphs *g, const int holders[N_NAMES], struct glyph_shape *s)
{
    double first = 0, second = 0, votes = all_votes(s), own;
    int name = -1;
    bool is_like;
    for (int k = 0; k < N_NAMES; k++) {
        double c = holders[k] < 0 ? 0 : correlation(g->shapes[holders[k]].mean, s->mean);
        if (c > first) {
            second = first;
            first = c;
            name = k;
        } else {
            second = fmax(second, c);
        }
    }
    if (name < 0) return;
    own = s->votes[name];
    is_like = first >= unlike && first >= second + clearly;
    if (has_all_digits(holders) || own > 0) is_like = is_like || (first >= alike && first >= second + clearly_alike);
    if (!is_like || own * 2 < votes) return;
    s->name = name;
    s->sure = first * g->shapes[holders[name]].sure;
}

void intra_glyphs_settle(struct intra_glyphs *g)
{
    int holders[N_NAMES];
    bool is_done[MAX_SHAPES] = {false}, is_out[MAX_SHAPES][N_NAMES] = {{false}};
    double lost[MAX_SHAPES] = {0};
    for (int i = 0; i < g->n; i++)
        g->shapes[i].name = -1;
    for (;;) { /* the pair of shape and name with the most votes first */
        int shape = -1, name = -1;
        for (int i = 0; i < g->n; i++)
            for (int k = 0; k < N_NAMES && !is_done[i]; k++)
                if (!is_out[i][k] && g->shapes[i].votes[k] > (shape < 0 ? 0 : g->shapes[shape].votes[name])) {
                    shape = i;
                    name = k;
                }
        if (shape < 0) break;
        if (may_have(g, shape, name)) {
            g->shapes[shape].name = name;
            is_done[shape] = true;
        } else {
            is_out[shape][name] = true;
            lost[shape] += g->shapes[shape].votes[name];
        }
    }
    for (int i = 0; i < g->n; i++) {
        struct glyph_shape *s = &g->shapes[i];
        s->sure = s->name >= 0 ? sureness(s, lost[i]) : 0;
        if (s->sure < 0.5) s->name = -1;
    }
    for (int k = 0; k < N_NAMES; k++) holders[k] = holder_of(g, k);
    for (int i = 0; i < g->n; i++)
        if (g->shapes[i].name < 0) borrow_name(g, holders, &g->shapes[i]);
}

bool intra_glyphs_is_unnamed(const struct intra_glyphs *g, const struct intra_glyph_line *line, int letter)
{
    int shape = line->letters[letter].shape;
    return shape >= 0 && g->shapes[shape].name < 0;
}

/* Sureness of the digits among the line's letters [from, to); 0 when one of them is none or not known. */
static double digits_sure(const struct intra_glyphs *g, const struct intra_glyph_line *line, int from, int to)
{
    double sure = 1;
    for (int i = from; i < to; i++) {
        const struct glyph_shape *s = line->letters[i].shape >= 0 ? &g->shapes[line->letters[i].shape] : NULL;
        if (!s || s->name < 0 || s->name > 9) return 0;
        sure = fmin(sure, s->sure);
    }
    return to > from ? sure : 0;
}

/* Decimals in most readings; 0 where too few are known to tell. */
static int usual_decimals(const struct intra_glyphs *g)
{
    int best = 0;
    for (int k = 1; k < 4; k++)
        if (g->decimals_votes[k] > g->decimals_votes[best]) best = k;
    return g->decimals_votes[best] >= LAYOUT_VOTES ? best : 0;
}

/* That of most lines; NULL: none yet. */
static const struct layout *usual_layout(const struct intra_glyphs *g)
{
    const struct layout *best = NULL;
    for (int i = 0; i < g->n_layouts; i++)
        if (!best || g->layouts[i].votes > best->votes) best = &g->layouts[i];
    return best && best->votes >= LAYOUT_VOTES && 2 * best->votes > g->layout_votes ? best : NULL;
}

/* Where the line has its number, letters [from, to): as most lines of this video have it; else at the one place that
 * looks like it, with as many letters before or after it as usual. */
static bool find_number(const struct intra_glyphs *g, const struct intra_glyph_line *line, int *from, int *to)
{
    const struct layout *usual = usual_layout(g);
    int decimals = usual_decimals(g), found = 0;
    if (!usual || !decimals) return false;
    *from = usual->before;
    *to = line->n - usual->after;
    if (is_number_at(line, *from, *to - decimals, *to)) return true;
    for (int i = 0; i < line->n; i++)
        for (int k = i + 1 + decimals; k <= line->n; k++) {
            bool is_known = i == usual->before || k == line->n - usual->after;
            if (!is_known || !is_number_at(line, i, k - decimals, k)) continue;
            *from = i;
            *to = k;
            found++;
        }
    return found == 1;
}

/* The number where this video's lines have it, whatever the label and unit beside it look like. */
static double read_by_layout(const struct intra_glyphs *g, const struct intra_glyph_line *line, struct intra_counter_text *out)
{
    int decimals = usual_decimals(g), from, to;
    double value = 0;
    if (!find_number(g, line, &from, &to)) return 0;
    *out = (struct intra_counter_text){.unit = usual_layout(g)->unit,
                                       .rank = usual_layout(g)->rank,
                                       .decimals = decimals,
                                       .whole_digits = to - from - decimals};
    for (int i = from; i < to; i++)
        value = 10 * value + (line->letters[i].shape >= 0 ? g->shapes[line->letters[i].shape].name : 0);
    out->value = round(value / pow(10, decimals) * 1000) / 1000;
    return out->whole_digits <= 5 ? digits_sure(g, line, from, to) : 0;
}

int intra_glyphs_digits(const struct intra_glyphs *g, const struct intra_glyph_line *line, int *out_first)
{
    int to;
    if (!find_number(g, line, out_first, &to) || to - *out_first > INTRA_CELLS_DIGITS) return 0;
    return to - *out_first;
}

double intra_glyphs_read(const struct intra_glyphs *g, const struct intra_glyph_line *line, char *out_text, int n,
                         struct intra_counter_text *out)
{
    double sure = 1;
    int used = 0, before, which[INTRA_GLYPHS_IN_LINE * 5];
    memset(out, 0, sizeof *out);
    out_text[0] = 0;
    for (int i = 0; i < line->n && used + 5 < n; i++) {
        const struct glyph_shape *s = line->letters[i].shape >= 0 ? &g->shapes[line->letters[i].shape] : NULL;
        if (line->letters[i].has_colon_before) out_text[used++] = ':';
        if (line->letters[i].has_space_before) out_text[used++] = ' ';
        if (line->letters[i].has_point_before) out_text[used++] = '.';
        which[used] = i;
        out_text[used++] = s && s->name >= 0 ? names[s->name] : '?';
    }
    out_text[used] = 0;
    if (!intra_counter_parse(out_text, out)) return read_by_layout(g, line, out);
    for (int i = out->at; i < out->at + out->length; i++)
        if (out_text[i] != '.') sure = fmin(sure, g->shapes[line->letters[which[i]].shape].sure);
    if (out->decimals < usual_decimals(g)) return 0; /* a digit, or all before the point, was lost */
    /* A letter that is not known beside the number may be one of its digits. */
    before = out->at;
    while (before > 0 && out_text[before - 1] == ' ')
        before--;
    if ((before > 0 && out_text[before - 1] == '?') || out_text[out->at + out->length] == '?')
        return read_by_layout(g, line, out);
    return sure;
}
