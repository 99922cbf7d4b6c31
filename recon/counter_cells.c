/* Each cell of each picture is a vector of grey values, freed of its mean and scaled to length one; what is learnt of a
 * digit in a cell is the sum of those that show it. Likeness is the correlation with that sum, the best over shifts of
 * a pixel. The wall behind the letters is another in every frame and averages out of the sums. A digit that a cell
 * never showed is taken from the other cells. */
#include "recon/counter_cells.h"

#include "core/mem.h"
#include "recon/counter_order.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    DIGITS = 10,
    MAX_N = INTRA_CELLS_DIGITS,
    MOST_CHECKED = 300,
    LEAST_CHECKED = 12,
    OWN = 3,
    SHIFTS = 9,
    MAX_LOOKS = 24,
    LEAST_LINES = 2,
    ROUNDS = 6
};
static const size_t most_bytes = (size_t)24 << 20; /* of pictures: 5 to 20 minutes of video */
static const double most_ratio = 0.3;              /* of what a digit lacks in likeness to what the next one lacks */
static const double slack = 0.05;                  /* in likeness, below what next to all known digits have */
static const double stricter = 0.02;     /* below what nine of ten have, where there may be digits never seen */
static const double plain = 0.97;        /* so alike, no shift is tried */
static const double near_s = 1.2;        /* a number follows from one that is so near in time */
static const double wrong_share = 0.005; /* of the known digits, read by what the others taught */

/* Numbers of n digits: where their cells are, and what was seen there. */
struct table {
    int x0[MAX_N], y0; /* first pixel of each cell, in the window */
    float *sums;       /* (n, DIGITS, px) */
    int counts[MAX_N][DIGITS];
};

struct intra_cells {
    struct intra_text_box window; /* pixels of the frame */
    uint8_t *store;
    int64_t *at; /* where each picture begins in the store; -1: not kept */
    int64_t n, cap;
    size_t used, size;
    int width, height, px; /* of a cell */
    struct table tables[MAX_N + 1];
    float *pool; /* (DIGITS, px): sums over all cells */
    int counts[DIGITS];
    bool is_good;
    uint8_t *last; /* the picture kept last where the store is full */
    bool has_last;
    double speed, last_value, last_s; /* of the number before; speed in last digits per second, NaN: not known */
    double least, usual, apart; /* likeness that next to all known digits have to what the others taught, that nine of
                                 * ten have; and that few have to another digit */
};

enum intra_status intra_cells_create(struct intra_cells **out, struct intra_error *err)
{
    return INTRA_ALLOC(*out, 1, err);
}

static void forget_sums(struct intra_cells *c)
{
    for (int n = 0; n <= MAX_N; n++) {
        intra_free(c->tables[n].sums);
        c->tables[n].sums = NULL;
        memset(c->tables[n].counts, 0, sizeof c->tables[n].counts);
    }
    intra_free(c->pool);
    c->pool = NULL;
    memset(c->counts, 0, sizeof c->counts);
}

static void forget(struct intra_cells *c)
{
    forget_sums(c);
    memset(c->tables, 0, sizeof c->tables);
    c->is_good = false;
}

void intra_cells_destroy(struct intra_cells **cells)
{
    if (!*cells) return;
    forget(*cells);
    intra_free((*cells)->store);
    intra_free((*cells)->last);
    intra_free((*cells)->at);
    intra_free(*cells);
    *cells = NULL;
}

static enum intra_status make_room(struct intra_cells *c, size_t bytes, struct intra_error *err)
{
    if (c->n == c->cap) {
        int64_t cap = c->cap ? 2 * c->cap : 256;
        int64_t *at = intra_resize(c->at, (size_t)c->cap, (size_t)cap, sizeof *at);
        if (!at) return INTRA_FAIL(err, INTRA_E_MEM, "out of memory for pictures of the counter");
        c->at = at;
        c->cap = cap;
    }
    if (c->used + bytes > c->size) {
        size_t size = c->size ? 2 * c->size : 64 * bytes;
        uint8_t *store = intra_resize(c->store, c->size, size, 1);
        if (!store) return INTRA_FAIL(err, INTRA_E_MEM, "out of memory for pictures of the counter");
        c->store = store;
        c->size = size;
    }
    return INTRA_OK;
}

enum intra_status intra_cells_keep(struct intra_cells *c, const struct intra_view_u8 *grey, int x0, int y0,
                                   struct intra_text_box box, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    size_t rows = (size_t)(box.y1 - box.y0), cols = (size_t)(box.x1 - box.x0);
    bool is_in = box.x1 > box.x0 && box.y1 > box.y0 && box.x0 >= x0 && box.y0 >= y0 && box.x1 <= x0 + grey->cols &&
                 box.y1 <= y0 + grey->rows;
    bool is_kept;
    uint8_t *to;
    if (is_in && c->used == 0) c->window = box;
    is_in = is_in && memcmp(&box, &c->window, sizeof box) == 0;
    is_kept = is_in && c->used + rows * cols <= most_bytes;
    INTRA_TRY(make_room(c, is_kept ? rows * cols : 0, err));
    if (is_in && !is_kept && !c->last) INTRA_TRY(INTRA_ALLOC(c->last, rows * cols, err));
    c->at[c->n++] = is_kept ? (int64_t)c->used : -1;
    c->has_last = is_in && !is_kept;
    to = is_kept ? c->store + c->used : c->last;
    for (size_t y = 0; y < rows && is_in; y++)
        memcpy(to + y * cols, intra_row_u8(grey, box.y0 - y0 + (int)y) + (box.x0 - x0), cols);
    if (is_kept) c->used += rows * cols;
done:
    return status;
}

bool intra_cells_has_picture(const struct intra_cells *c, int64_t i)
{
    return i >= 0 && i < c->n && c->at[i] >= 0;
}

/* Pixels of picture i; NULL where there is none. */
static const uint8_t *picture_of(const struct intra_cells *c, int64_t i)
{
    if (intra_cells_has_picture(c, i)) return c->store + c->at[i];
    return c->has_last && i == c->n - 1 ? c->last : NULL;
}

/* The cell of picture i that begins at (x, y) in the window; false where it is not all in the window, or flat. */
static bool take_cell(const struct intra_cells *c, int64_t i, int x, int y, float *out)
{
    int rows = c->window.y1 - c->window.y0, cols = c->window.x1 - c->window.x0, k = 0;
    double sum = 0, sum2 = 0, mean, scale;
    const uint8_t *picture = picture_of(c, i);
    if (!picture || x < 0 || y < 0 || x + c->width > cols || y + c->height > rows) return false;
    for (int row = 0; row < c->height; row++)
        for (int col = 0; col < c->width; col++, k++) {
            double v = picture[(y + row) * cols + x + col];
            out[k] = (float)v;
            sum += v;
            sum2 += v * v;
        }
    mean = sum / c->px;
    sum2 -= sum * mean;
    if (sum2 < 4.0 * c->px) return false; /* two grey levels rms */
    scale = 1 / sqrt(sum2);
    for (k = 0; k < c->px; k++)
        out[k] = (float)((out[k] - mean) * scale);
    return true;
}

/* Correlation of a cell with a sum, less `minus` where that is one of its terms. */
static double likeness(const float *cell, const float *sum, const float *minus, int px)
{
    double dot = 0, norm = 0;
    for (int k = 0; k < px; k++) {
        double s = minus ? (double)sum[k] - (double)minus[k] : (double)sum[k];
        dot += s * (double)cell[k];
        norm += s * s;
    }
    return norm > 0 ? dot / sqrt(norm) : 0;
}

/* Likeness of a cell to digit d, by what this cell showed of it, else by what all did; 0 where that is too little. own:
 * the cell is among those that were learnt, as digit `own` (-1: it is not). */
static double like_digit(const struct intra_cells *c, int n, int k, int d, const float *cell, int own,
                         const float *learnt)
{
    const struct table *t = &c->tables[n];
    int less = own == d;
    const float *minus = less ? learnt : NULL;
    if (t->counts[k][d] - less >= OWN)
        return likeness(cell, t->sums + (size_t)(k * DIGITS + d) * (size_t)c->px, minus, c->px);
    if (c->counts[d] - less >= OWN) return likeness(cell, c->pool + (size_t)d * (size_t)c->px, minus, c->px);
    return 0;
}

struct guess {
    int digit;
    double first, second;
};

/* What digit cell k of picture i shows. room: one cell's numbers. */
static struct guess guess_digit(const struct intra_cells *c, int64_t i, int n, int k, int own, float *room,
                                float *learnt)
{
    const struct table *t = &c->tables[n];
    double best[DIGITS] = {0};
    struct guess out = {-1, 0, 0};
    if (own >= 0 && !take_cell(c, i, t->x0[k], t->y0, learnt)) return out;
    for (int shift = 0; shift < SHIFTS; shift++) {
        int s = (shift + SHIFTS / 2) % SHIFTS; /* unshifted first, which mostly will do */
        if (shift && out.first >= plain && 1 - out.first < 0.5 * most_ratio * (1 - out.second)) break;
        if (!take_cell(c, i, t->x0[k] + s % 3 - 1, t->y0 + s / 3 - 1, room)) continue;
        for (int d = 0; d < DIGITS; d++)
            best[d] = fmax(best[d], like_digit(c, n, k, d, room, own, learnt));
        out = (struct guess){-1, 0, 0};
        for (int d = 0; d < DIGITS; d++) {
            if (best[d] > out.first) {
                out.second = out.first;
                out.first = best[d];
                out.digit = d;
            } else {
                out.second = fmax(out.second, best[d]);
            }
        }
    }
    return out;
}

static int by_number(const void *a, const void *b)
{
    double p = *(const double *)a, q = *(const double *)b;
    return (p > q) - (p < q);
}

static double quantile(double *v, int64_t n, double share)
{
    qsort(v, (size_t)n, sizeof *v, by_number);
    return v[(int64_t)(share * (double)(n - 1))];
}

/* Size of the cells, and where they are in numbers of each length. list: room for n * MAX_N values. */
static bool place_cells(struct intra_cells *c, const struct intra_cells_number *numbers, int64_t n, double *list)
{
    int64_t m = 0;
    double top, bottom;
    for (int64_t i = 0; i < n; i++)
        for (int k = 0; k < numbers[i].n; k++)
            list[m++] = numbers[i].boxes[k].x1 - numbers[i].boxes[k].x0;
    if (m == 0) return false;
    c->width = 2 + (int)quantile(list, m, 0.9);
    m = 0;
    for (int64_t i = 0; i < n; i++)
        for (int k = 0; k < numbers[i].n; k++)
            list[m++] = numbers[i].boxes[k].y0;
    top = quantile(list, m, 0.5);
    m = 0;
    for (int64_t i = 0; i < n; i++)
        for (int k = 0; k < numbers[i].n; k++)
            list[m++] = numbers[i].boxes[k].y1;
    bottom = quantile(list, m, 0.5);
    c->height = 2 + (int)(bottom - top);
    c->px = c->width * c->height;
    if (c->height < 4) return false;
    for (int length = 1; length <= MAX_N; length++)
        for (int k = 0; k < length; k++) {
            m = 0;
            for (int64_t i = 0; i < n; i++)
                if (numbers[i].n == length) list[m++] = 0.5 * (numbers[i].boxes[k].x0 + numbers[i].boxes[k].x1);
            if (m == 0) continue;
            c->tables[length].x0[k] = (int)lround(quantile(list, m, 0.5) - 0.5 * c->width) - c->window.x0;
            c->tables[length].y0 = (int)top - 1 - c->window.y0;
        }
    return true;
}

/* Sum up what the known pictures show, from nothing. */
static enum intra_status add_up(struct intra_cells *c, const struct intra_cells_number *numbers, int64_t n,
                                struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    size_t px = (size_t)c->px;
    float *room = NULL;
    forget_sums(c);
    INTRA_TRY(INTRA_ALLOC(room, px, err));
    INTRA_TRY(INTRA_ALLOC(c->pool, DIGITS * px, err));
    for (int64_t i = 0; i < n; i++) {
        struct table *t = &c->tables[numbers[i].n];
        if (numbers[i].n == 0 || !intra_cells_has_picture(c, i)) continue;
        if (!t->sums) INTRA_TRY(INTRA_ALLOC(t->sums, (size_t)numbers[i].n * DIGITS * px, err));
        for (int k = 0; k < numbers[i].n; k++) {
            int d = numbers[i].digits[k];
            float *sum = t->sums + (size_t)(k * DIGITS + d) * px, *all = c->pool + (size_t)d * px;
            if (!take_cell(c, i, t->x0[k], t->y0, room)) continue;
            for (size_t p = 0; p < px; p++) {
                sum[p] += room[p];
                all[p] += room[p];
            }
            t->counts[k][d]++;
            c->counts[d]++;
        }
    }
done:
    intra_free(room);
    return status;
}

/* Read what is known as if it were not. list, list2: room. */
static void check(struct intra_cells *c, const struct intra_cells_number *numbers, int64_t n, double *list,
                  double *list2, double *list3, float *room)
{
    int64_t known = 0, step, m = 0, wrong = 0, at = 0;
    for (int64_t i = 0; i < n; i++)
        known += numbers[i].n > 0 && intra_cells_has_picture(c, i);
    step = 1 + known / MOST_CHECKED;
    for (int64_t i = 0; i < n; i++) {
        if (numbers[i].n == 0 || !intra_cells_has_picture(c, i) || at++ % step) continue;
        for (int k = 0; k < numbers[i].n; k++) {
            struct guess g = guess_digit(c, i, numbers[i].n, k, numbers[i].digits[k], room, room + c->px);
            if (g.digit < 0 || c->counts[numbers[i].digits[k]] <= OWN) continue;
            if (g.digit != numbers[i].digits[k]) {
                wrong++;
                continue;
            }
            list[m] = g.first;
            list3[m] = g.second;
            list2[m++] = (1 - g.first) / (1 - g.second);
        }
    }
    if (m < LEAST_CHECKED) return;
    c->least = quantile(list, m, 0.02);
    c->usual = quantile(list, m, 0.1);
    c->apart = quantile(list3, m, 0.98);
    c->is_good = (double)wrong <= wrong_share * (double)(m + wrong) && quantile(list2, m, 0.98) <= most_ratio;
}

static enum intra_status learn(struct intra_cells *c, const struct intra_cells_number *numbers, int64_t n,
                               struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    double *list = NULL;
    float *room = NULL;
    forget(c);
    INTRA_TRY(INTRA_ALLOC(list, 3 * (size_t)n * MAX_N, err));
    if (!place_cells(c, numbers, n, list)) goto done;
    INTRA_TRY(INTRA_ALLOC(room, 2 * (size_t)c->px, err));
    INTRA_TRY(add_up(c, numbers, n, err));
    check(c, numbers, n, list, list + n * MAX_N, list + 2 * n * MAX_N, room);
done:
    intra_free(list);
    intra_free(room);
    return status;
}

static int unseen(const struct intra_cells *c)
{
    int sum = 0;
    for (int d = 0; d < DIGITS; d++)
        sum += c->counts[d] < OWN;
    return sum;
}

/* Likeness of the same digit, where there may be digits that were never seen: as known ones mostly have it, and much
 * nearer than different ones are to each other. In pixel fonts some digits are as alike as the same one on another
 * wall. */
static double strict(const struct intra_cells *c)
{
    return fmax(c->usual - stricter, 1 - most_ratio * (1 - c->apart));
}

/* Whether the guess is sure. */
static bool is_sure(const struct intra_cells *c, const struct guess *g)
{
    double least = c->least - slack;
    if (unseen(c)) least = fmax(least, strict(c));
    return g->digit >= 0 && g->first >= least && (1 - g->first) <= most_ratio * (1 - g->second);
}

/* Looks of cells that were not read: those alike are one digit. */
struct looks {
    float *sums; /* (MAX_LOOKS, px) */
    int n;
};

/* The look of cell k of picture i; a new one where it is like none; -1: no room, or no picture. */
static int find_look(const struct intra_cells *c, struct looks *looks, int64_t i, int n, int k, float *room)
{
    const struct table *t = &c->tables[n];
    double best = strict(c);
    int found = -1;
    for (int shift = 0; shift < SHIFTS; shift++) {
        if (!take_cell(c, i, t->x0[k] + shift % 3 - 1, t->y0 + shift / 3 - 1, room)) continue;
        for (int l = 0; l < looks->n; l++) {
            double like = likeness(room, looks->sums + (size_t)l * (size_t)c->px, NULL, c->px);
            if (like <= best) continue;
            best = like;
            found = l;
        }
    }
    if (!take_cell(c, i, t->x0[k], t->y0, room)) return -1;
    if (found < 0 && looks->n == MAX_LOOKS) return -1;
    if (found < 0) found = looks->n++;
    for (int p = 0; p < c->px; p++)
        looks->sums[(size_t)found * (size_t)c->px + (size_t)p] += room[p];
    return found;
}

static double value_of(const struct intra_cells_number *number)
{
    double value = 0;
    for (int k = 0; k < number->n; k++)
        value = 10 * value + number->digits[k];
    return value;
}

/* Lines as digits where they are sure, else as looks, which are counted from DIGITS on. The length is that of the known
 * number nearest in time. */
static void make_lines(const struct intra_cells *c, const struct intra_cells_number *numbers, const double *time_s,
                       int64_t n, struct looks *looks, struct intra_order_line *lines, float *room)
{
    for (int64_t i = 0; i < n; i++) {
        const struct intra_cells_number *like = NULL;
        struct intra_order_line *line = &lines[i];
        *line = (struct intra_order_line){.time_s = time_s[i], .is_sure = numbers[i].n > 0};
        if (line->is_sure) line->value = value_of(&numbers[i]);
        for (int64_t off = 1; off < n && !like && !line->is_sure; off++) {
            if (i >= off && numbers[i - off].n) like = &numbers[i - off];
            if (i + off < n && numbers[i + off].n && !like) like = &numbers[i + off];
        }
        if (!like || !intra_cells_has_picture(c, i)) continue;
        for (int k = 0; k < like->n; k++) {
            struct guess g = guess_digit(c, i, like->n, k, -1, room, room + c->px);
            int look = is_sure(c, &g) ? -1 : find_look(c, looks, i, like->n, k, room);
            line->digits[k] = (int16_t)(look >= 0 ? DIGITS + look : is_sure(c, &g) ? g.digit : -1);
        }
        line->n = like->n;
    }
}

/* Name the looks by order, and make the lines known that this completes. *out_any: whether there are such. */
static enum intra_status name_looks(const struct intra_cells *c, struct intra_cells_number *numbers,
                                    const double *time_s, int64_t n, bool *out_any, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_order_line *lines = NULL;
    struct looks looks = {.n = 0};
    float *room = NULL;
    int names[DIGITS + MAX_LOOKS];
    bool is_unseen[DIGITS], is_changed = true;
    *out_any = false;
    INTRA_TRY(INTRA_ALLOC(lines, (size_t)n, err));
    INTRA_TRY(INTRA_ALLOC(looks.sums, (size_t)MAX_LOOKS * (size_t)c->px, err));
    INTRA_TRY(INTRA_ALLOC(room, 2 * (size_t)c->px, err));
    make_lines(c, numbers, time_s, n, &looks, lines, room);
    for (int s = 0; s < DIGITS + MAX_LOOKS; s++)
        names[s] = s < DIGITS ? s : -1;
    for (int d = 0; d < DIGITS; d++)
        is_unseen[d] = c->counts[d] < OWN;
    while (is_changed) {
        is_changed = false;
        for (int l = DIGITS; l < DIGITS + looks.n; l++) {
            struct intra_order_name found;
            if (names[l] >= 0) continue;
            found = intra_order_name_of(lines, n, l, names, is_unseen);
            if (found.name < 0 || found.within < LEAST_LINES) continue;
            names[l] = found.name;
            is_changed = true;
        }
    }
    for (int64_t i = 0; i < n; i++) {
        struct intra_cells_number *number = &numbers[i];
        bool is_whole = !lines[i].is_sure && lines[i].n > 0, has_look = false;
        for (int k = 0; k < lines[i].n && is_whole; k++) {
            is_whole = lines[i].digits[k] >= 0 && names[lines[i].digits[k]] >= 0;
            has_look = has_look || lines[i].digits[k] >= DIGITS;
        }
        if (!is_whole || !has_look) continue;
        number->n = lines[i].n;
        number->is_read = true;
        for (int k = 0; k < number->n; k++)
            number->digits[k] = names[lines[i].digits[k]];
        *out_any = true;
    }
done:
    intra_free(lines);
    intra_free(looks.sums);
    intra_free(room);
    return status;
}

/* Digits of picture i as a number of this length; false where one of them is not sure. */
static bool read_digits(const struct intra_cells *c, int64_t i, int n, float *room, struct intra_cells_number *out)
{
    out->n = n;
    if (!c->tables[n].sums) return false;
    for (int k = 0; k < n; k++) {
        struct guess g = guess_digit(c, i, n, k, -1, room, room + c->px);
        if (!is_sure(c, &g)) return false;
        out->digits[k] = g.digit;
    }
    return true;
}

/* Read picture i where it follows from the number `before`, dt seconds away. */
static bool read_from(const struct intra_cells *c, int64_t i, double before, double dt, float *room,
                      struct intra_cells_number *out)
{
    if (fabs(dt) > near_s || isnan(c->speed)) return false;
    for (int length = MAX_N; length > 0; length--) { /* a shorter one may be the end of a longer one */
        struct intra_cells_number read = {.is_read = true};
        if (!read_digits(c, i, length, room, &read)) continue;
        *out = read;
        return fabs(value_of(&read) - before) <= c->speed * fabs(dt) + 1;
    }
    return false;
}

/* Read the pictures that are not known, one after the other from known ones, with step 1 or -1. */
static void read_on(struct intra_cells *c, struct intra_cells_number *numbers, const double *time_s, int64_t n,
                    int step, float *room)
{
    int64_t last = -1;
    for (int64_t i = step > 0 ? 0 : n - 1; i >= 0 && i < n; i += step) {
        struct intra_cells_number read;
        if (!numbers[i].n && last >= 0 &&
            read_from(c, i, value_of(&numbers[last]), time_s[i] - time_s[last], room, &read))
            numbers[i] = read;
        if (numbers[i].n) last = i;
    }
}

void intra_cells_follow(struct intra_cells *c, double value, double time_s)
{
    c->last_value = value;
    c->last_s = time_s;
}

enum intra_status intra_cells_read_next(struct intra_cells *c, double time_s, struct intra_cells_number *out,
                                        struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    float *room = NULL;
    *out = (struct intra_cells_number){.n = 0};
    if (!c->is_good || c->n == 0) return INTRA_OK;
    INTRA_TRY(INTRA_ALLOC(room, 2 * (size_t)c->px, err));
    if (read_from(c, c->n - 1, c->last_value, time_s - c->last_s, room, out))
        intra_cells_follow(c, value_of(out), time_s);
    else
        *out = (struct intra_cells_number){.n = 0};
done:
    intra_free(room);
    return status;
}

enum intra_status intra_cells_read(struct intra_cells *c, struct intra_cells_number *numbers, const double *time_s,
                                   int64_t n, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_order_line *known = NULL;
    float *room = NULL;
    forget(c);
    if (n > c->n) n = c->n;
    if (n == 0 || c->used == 0) return INTRA_OK;
    INTRA_TRY(learn(c, numbers, n, err));
    if (!c->is_good) goto done;
    INTRA_TRY(INTRA_ALLOC(room, 2 * (size_t)c->px, err));
    INTRA_TRY(INTRA_ALLOC(known, (size_t)n, err));
    for (int64_t i = 0; i < n; i++) {
        struct intra_cells_number read;
        known[i] =
            (struct intra_order_line){.time_s = time_s[i], .is_sure = numbers[i].n > 0, .value = value_of(&numbers[i])};
        if (!numbers[i].n || numbers[i].is_read || !read_digits(c, i, numbers[i].n, room, &read)) continue;
        if (memcmp(read.digits, numbers[i].digits, (size_t)read.n * sizeof read.digits[0]) == 0) continue;
        numbers[i].is_doubtful = true;
        numbers[i].n = 0;
        known[i].is_sure = false;
    }
    c->speed = intra_order_speed(known, n);
    read_on(c, numbers, time_s, n, 1, room);
    read_on(c, numbers, time_s, n, -1, room);
    for (int round = 0; round < ROUNDS && unseen(c); round++) {
        bool any = false;
        INTRA_TRY(name_looks(c, numbers, time_s, n, &any, err));
        if (!any) break;
        INTRA_TRY(add_up(c, numbers, n, err));
        read_on(c, numbers, time_s, n, 1, room);
        read_on(c, numbers, time_s, n, -1, room);
    }
    for (int64_t i = 0; i < n; i++) {
        numbers[i].is_doubtful = numbers[i].is_doubtful && !numbers[i].is_read;
        if (numbers[i].n) intra_cells_follow(c, value_of(&numbers[i]), time_s[i]);
    }
done:
    intra_free(known);
    intra_free(room);
    return status;
}

bool intra_cells_has_learnt(const struct intra_cells *c)
{
    return c->is_good;
}
