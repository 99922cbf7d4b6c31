/* DWA-M 150, 04-2010, type B, writing. From a record that came from this format every element goes back as it stood,
 * but for what has another value now; from others what the format has a place for, the rest counted and said. */
#include "core/fileio.h"
#include "core/mem.h"
#include "export/record_letters.h"
#include "export/record_xml.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MAX_ELEMENTS = 40 };

struct writer {
    struct intra_xml_out out;
    bool is_own; /* the record came from this format */
    struct intra_record_lost lost;
    struct intra_error *err;
};

/* The elements of one object, inspection or row that the model knows. */
struct element {
    char name[8];
    char text[64]; /* numbers */
    const char *value;
    bool is_same; /* the source says this in its own words */
};
struct elements {
    char letter; /* 'H' pipe, 'K' manhole */
    const struct intra_fields *source;
    const char *prefix; /* of the names in `source` */
    struct element items[MAX_ELEMENTS];
    int n;
};

static const char *source_text(const struct elements *e, const char *name)
{
    char full[32];
    snprintf(full, sizeof full, "%s%s", e->prefix, name);
    return e->source ? intra_fields_get(e->source, full) : NULL;
}

static struct element *add(struct elements *e, const char *tail, const char *value)
{
    struct element *x = &e->items[e->n++];
    snprintf(x->name, sizeof x->name, "%c%s", e->letter, tail);
    x->value = value && *value ? value : NULL;
    return x;
}

static void add_text(struct elements *e, const char *tail, const char *value)
{
    struct element *x = add(e, tail, value);
    const char *given = source_text(e, x->name);
    x->is_same = strcmp(given ? given : "", x->value ? x->value : "") == 0;
}

static void add_number(struct elements *e, const char *tail, double value)
{
    struct element *x = add(e, tail, NULL);
    double given = intra_record_number(source_text(e, x->name));
    intra_record_number_text(value, x->text);
    if (x->text[0]) x->value = x->text;
    x->is_same = given == value || (isnan(given) && isnan(value));
}

/* A length in whole millimetres. */
static void add_mm(struct writer *w, struct elements *e, const char *tail, double value_m)
{
    struct element *x = add(e, tail, NULL);
    double given = 1e-3 * intra_record_number(source_text(e, x->name));
    x->is_same = given == value_m || (isnan(given) && isnan(value_m));
    if (!isfinite(value_m) || value_m > 1e6) return;
    snprintf(x->text, sizeof x->text, "%.0f", value_m * 1e3);
    x->value = x->text;
    if (!x->is_same)
        intra_record_lose(&w->lost, "parts of a millimetre of a profile",
                          fabs(value_m * 1e3 - round(value_m * 1e3)) > 1e-6);
}

/* ---- elements in order */

/* Numbers count, but HZ014 and HZ015 stand behind HZ002; what is nested comes last. */
static int rank_of(const char *name)
{
    int number = name[0] && name[1] ? atoi(name + 2) : 0;
    if (strchr(name, '/')) return 100000;
    if (name[1] == 'Z' && (number == 14 || number == 15)) return 20 + (number - 13);
    return 10 * number;
}

struct placed {
    const char *name, *value;
};

/* Before the first one that stands behind it by the format's order; what the source has keeps its own. */
static void insert(struct placed *list, int *n, const char *name, const char *value)
{
    int at = 0;
    while (at < *n && rank_of(list[at].name) <= rank_of(name))
        at++;
    memmove(list + at + 1, list + at, (size_t)(*n - at) * sizeof *list);
    list[at] = (struct placed){name, value};
    ++*n;
}

/* Whether a name of the source stands directly at this level: not of the file's head, nor of what is inside. */
static const char *own_name(const struct elements *e, const char *name)
{
    size_t n = strlen(e->prefix);
    static const char *const others[] = {"HI/", "KI/", "FD/", "RT/", "RT["};
    if (strchr(name, '@') || strncmp(name, e->prefix, n) != 0) return NULL;
    for (size_t i = 0; n == 0 && i < sizeof others / sizeof others[0]; i++)
        if (strncmp(name, others[i], 3) == 0) return NULL;
    return name + n;
}

static enum intra_status put_elements(struct writer *w, const struct elements *e)
{
    enum intra_status status = INTRA_OK;
    int n_source = e->source ? e->source->n : 0, n = 0;
    bool is_done[MAX_ELEMENTS] = {false};
    struct placed *list = NULL;
    struct intra_fields fields = {0}; /* borrows */
    INTRA_TRY(INTRA_ALLOC(list, (size_t)n_source + MAX_ELEMENTS, w->err));
    INTRA_TRY(INTRA_ALLOC(fields.items, (size_t)n_source + MAX_ELEMENTS, w->err));
    for (int i = 0; i < n_source; i++) {
        const char *name = own_name(e, e->source->items[i].name), *value = e->source->items[i].value;
        int known = -1;
        if (!name) continue;
        for (int k = 0; k < e->n && known < 0; k++)
            if (strcmp(e->items[k].name, name) == 0) known = k;
        if (known >= 0) {
            if (!e->items[known].is_same) value = e->items[known].value;
            is_done[known] = true;
        }
        list[n++] = (struct placed){name, value};
    }
    for (int k = 0; k < e->n; k++)
        if (!is_done[k] && e->items[k].value) insert(list, &n, e->items[k].name, e->items[k].value);
    for (int i = 0; i < n; i++)
        fields.items[fields.n++] =
            (struct intra_field){(char *)(uintptr_t)list[i].name, (char *)(uintptr_t)list[i].value};
    intra_xml_put_fields(&w->out, &fields, "");
done:
    intra_free(list);
    intra_free(fields.items);
    return status;
}

/* ---- rows */

static double clock_of(const char *text)
{
    double value = text && *text ? intra_record_number(text) : NAN;
    return value == 0 ? NAN : text && *text ? intra_record_clock(text) : NAN;
}

static bool is_same_number(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

static void add_clocks(struct writer *w, struct elements *e, const struct intra_observation *o)
{
    bool is_ring = isfinite(o->clock_to_rad) && o->clock_to_rad - o->clock_from_rad > 6.28;
    struct element *x[2] = {add(e, "Z006", NULL), add(e, "Z007", NULL)};
    const double hours[2] = {is_ring ? 12 : intra_clock_to_hours(o->clock_from_rad),
                             is_ring ? 12 : intra_clock_to_hours(o->clock_to_rad)};
    double from, to;
    intra_record_clock_span(clock_of(source_text(e, x[0]->name)), clock_of(source_text(e, x[1]->name)), &from, &to);
    x[0]->is_same = x[1]->is_same = is_same_number(from, o->clock_from_rad) && is_same_number(to, o->clock_to_rad);
    for (int i = 0; i < 2; i++) {
        int whole = isfinite(hours[i]) ? (int)lround(hours[i]) : 0;
        if (!isfinite(hours[i])) continue;
        snprintf(x[i]->text, sizeof x[i]->text, "%02d", whole == 0 ? 12 : whole);
        x[i]->value = x[i]->text;
        intra_record_lose(&w->lost, "parts of an hour of the clock", fabs(hours[i] - whole) > 1e-6 && !x[i]->is_same);
    }
}

static void add_continuous(struct elements *e, const struct intra_observation *o, char role)
{
    struct element *x = add(e, "Z005", NULL);
    const char *given = source_text(e, x->name), *id = o->continuous_id;
    if (!id || !*id) {
        x->is_same = !given || !*given;
        return;
    }
    if (!role) {
        char first = (char)toupper((unsigned char)id[0]);
        role = first == 'S' ? 'A' : first == 'F' ? 'B' : first;
        if (intra_record_is_mark(id)) id++;
    }
    snprintf(x->text, sizeof x->text, "%c%.20s", role, id);
    x->value = x->text;
    x->is_same = given && toupper((unsigned char)given[0]) == role && strspn(id, "0123456789") == strlen(id) &&
                 atol(given + 1) == atol(id);
}

/* Quantities have no unit here but that of the code. */
static void add_quantities(struct writer *w, struct elements *e, const struct intra_observation *o)
{
    for (int i = 0; i < 2; i++) {
        const char *here = intra_en_unit(o->code, o->characterisation[0], i), *there = o->quantity_unit[i];
        bool is_other = here && there && strcmp(here, there) != 0;
        add_number(e, i ? "Z004" : "Z003", is_other ? NAN : o->quantity[i]);
        intra_record_lose(&w->lost, "quantities in a unit that the code does not have",
                          is_other && isfinite(o->quantity[i]));
        intra_record_lose(&w->lost, "units of quantities", !here && there && isfinite(o->quantity[i]));
    }
}

static const enum intra_grade_aspect class_aspects[3] = {INTRA_ASPECT_TIGHTNESS, INTRA_ASPECT_STRUCTURAL,
                                                         INTRA_ASPECT_OPERATION};

static void add_grades(struct writer *w, struct elements *e, const char *const tails[3],
                       const struct intra_grade *grades, int n)
{
    double values[3] = {NAN, NAN, NAN};
    for (int i = 0; i < n; i++) {
        int k = 0;
        while (k < 3 && class_aspects[k] != grades[i].aspect)
            k++;
        if (grades[i].scale == INTRA_SCALE_DWA && k < 3 && isnan(values[k]))
            values[k] = grades[i].value;
        else
            intra_record_lose(&w->lost, "grades of another scale or aspect", 1);
    }
    for (int k = 0; k < 3; k++)
        add_number(e, tails[k], values[k]);
}

static void count_row(struct writer *w, const struct intra_observation *o)
{
    int pictures = 0, others = 0;
    const char *at_finish = w->is_own ? intra_fields_get(&o->finish_source, "HZ009") : NULL;
    for (int i = 0; i < o->n_media; i++)
        *(o->media[i].kind == INTRA_MEDIA_PICTURE ? &pictures : &others) += 1;
    intra_record_lose(&w->lost, "pictures beyond the first of a row", pictures - 1 - (at_finish != NULL));
    intra_record_lose(&w->lost, "videos and documents of a row", others);
    intra_record_lose(&w->lost, "percentages beside the quantities", isfinite(o->percent));
    intra_record_lose(&w->lost, "frame numbers", o->frame >= 0);
    intra_record_lose(&w->lost, "regions of pictures, with score, model and review",
                      o->n_regions > 0 || isfinite(o->score) || o->model || o->review);
    intra_record_lose(&w->lost, "places and measures on the model", o->place.is_placed);
    intra_record_lose(&w->lost, "names of rows", o->id != NULL);
    intra_record_lose(&w->lost, "codes longer than 5 letters (written all the same)", o->code && strlen(o->code) > 5);
    intra_record_lose(&w->lost, "codes that no coding system of the format has (written all the same)",
                      !w->is_own && o->system != INTRA_CODES_EN13508_2);
}

struct row_context {
    struct writer *w;
    char letter;
};

static enum intra_status put_row(void *user, const struct intra_observation *o, char role)
{
    static const char *const tails[3] = {"Z206", "Z207", "Z208"};
    enum intra_status status = INTRA_OK;
    const struct row_context *c = user;
    struct writer *w = c->w;
    const char row[3] = {c->letter, 'Z', 0}, *given;
    struct elements e = {.letter = c->letter, .prefix = ""};
    bool is_finish = role == 'B';
    double time_s;
    if (!o->code || !*o->code) {
        intra_record_lose(&w->lost, "rows without a code", 1);
        return INTRA_OK;
    }
    intra_xml_begin(&w->out, row);
    if (w->is_own) e.source = is_finish ? &o->finish_source : &o->source;
    if (is_finish && w->is_own && e.source->n > 0) { /* its values may differ from the start's */
        char name[8];
        snprintf(name, sizeof name, "%cZ001", c->letter);
        if (intra_record_number(intra_fields_get(e.source, name)) == o->distance_to_m) {
            INTRA_TRY(put_elements(w, &e));
            intra_xml_end(&w->out, row);
            return INTRA_OK;
        }
    }
    add_number(&e, "Z001", is_finish ? o->distance_to_m : o->distance_m);
    add_text(&e, "Z002", o->code);
    add_text(&e, "Z014", o->characterisation[0]);
    add_text(&e, "Z015", o->characterisation[1]);
    add_quantities(w, &e, o);
    add_continuous(&e, o, role);
    add_clocks(w, &e, o);
    if (!is_finish) {
        struct element *x = add(&e, "Z008", NULL);
        given = source_text(&e, x->name);
        time_s = given && *given ? intra_record_video_time(given) : NAN;
        x->is_same = is_same_number(time_s, o->time_s);
        char text[16];
        intra_record_time_text(o->time_s, text);
        snprintf(x->text, sizeof x->text, "%s", text);
        if (x->text[0]) x->value = x->text;
        const char *picture = NULL;
        for (int i = 0; i < o->n_media && !picture; i++)
            if (o->media[i].kind == INTRA_MEDIA_PICTURE) picture = o->media[i].file;
        add_text(&e, "Z009", picture);
        add_text(&e, "Z999", o->remark);
        add_grades(w, &e, tails, o->grades, o->n_grades);
        count_row(w, o);
    }
    add_text(&e, "Z010", o->text);
    struct element *joint = add(&e, "Z011", o->is_at_joint ? "A" : NULL);
    given = source_text(&e, joint->name);
    joint->is_same = (given && (strcasecmp(given, "A") == 0 || strcasecmp(given, "J") == 0 ||
                                intra_record_bool(given))) == o->is_at_joint;
    INTRA_TRY(put_elements(w, &e));
    intra_xml_end(&w->out, row);
done:
    return status;
}

/* ---- objects and inspections */

/* Words for shapes that several formats share; NULL: none that is sure. */
static const char *shape_of(const struct intra_inspection *in, enum intra_record_format format)
{
    static const struct {
        enum intra_record_format format;
        char word[4];
        const char *shape;
    } shapes[] = {
        {INTRA_RECORD_ISYBAU, "0", "DN"},  {INTRA_RECORD_ISYBAU, "1", "EI"},  {INTRA_RECORD_ISYBAU, "2", "MA"},
        {INTRA_RECORD_ISYBAU, "3", "RE"},  {INTRA_RECORD_EN_TEXT, "A", "DN"}, {INTRA_RECORD_EN_TEXT, "B", "RE"},
        {INTRA_RECORD_EN_TEXT, "C", "EI"}, {INTRA_RECORD_RIBX, "A", "DN"},    {INTRA_RECORD_RIBX, "B", "RE"},
        {INTRA_RECORD_RIBX, "C", "EI"},    {INTRA_RECORD_WSAA, "A", "DN"},    {INTRA_RECORD_WSAA, "C", "EI"}};
    for (size_t i = 0; in->shape && i < sizeof shapes / sizeof shapes[0]; i++)
        if (shapes[i].format == format && strcmp(shapes[i].word, in->shape) == 0) return shapes[i].shape;
    return NULL;
}

/* ISYBAU's words for materials that DWA-M 150 has too. */
static const char *material_of(const struct intra_inspection *in, enum intra_record_format format)
{
    static const char words[][6] = {"AZ",  "B",  "BS",  "EIS", "FZ",  "GFK", "GG", "GGG",  "KST",
                                    "OB",  "PC", "PCC", "PE",  "PH",  "PHB", "PP", "PVCU", "SFB",
                                    "SPB", "SB", "ST",  "STZ", "SZB", "W",   "ZG"};
    if (!in->material || format == INTRA_RECORD_DWA_M150) return in->material;
    for (size_t i = 0; format == INTRA_RECORD_ISYBAU && i < sizeof words / sizeof words[0]; i++)
        if (strcmp(words[i], in->material) == 0) return in->material;
    return NULL;
}

static bool is_manhole(const struct writer *w, const struct intra_inspection *in)
{
    if (w->is_own) return in->source.n > 0 && in->source.items[0].name[0] == 'K';
    return in->n_observations > 0 && in->observations[0].system == INTRA_CODES_EN13508_2 && in->observations[0].code &&
           in->observations[0].code[0] == 'D';
}

static enum intra_status put_object(struct writer *w, const struct intra_inspection *in,
                                    enum intra_record_format format, char letter)
{
    struct elements e = {.letter = letter, .source = w->is_own ? &in->source : NULL, .prefix = ""};
    bool is_here = w->is_own; /* words of the same format */
    const char *shape = is_here ? in->shape : shape_of(in, format), *material = material_of(in, format);
    add_text(&e, "G001", in->pipe);
    add_text(&e, "G102", in->street);
    add_text(&e, "G104", in->town);
    if (letter == 'K') return put_elements(w, &e);
    add_text(&e, "G003", in->node_upstream);
    add_text(&e, "G004", in->node_downstream);
    add_text(&e, "G304", material);
    add_text(&e, "G305", shape);
    add_mm(w, &e, "G306", in->width_m);
    add_mm(w, &e, "G307", in->height_m);
    add_number(&e, "G310", in->length_m);
    add_number(&e, "G314", in->joint_spacing_m);
    intra_record_lose(&w->lost, "materials in another format's words", in->material && !material);
    intra_record_lose(&w->lost, "shapes in another format's words", in->shape && !shape);
    intra_record_lose(&w->lost, "coordinates of nodes",
                      !w->is_own && (isfinite(in->start_xyz.x) + isfinite(in->end_xyz.x)));
    return put_elements(w, &e);
}

/* The purpose as one of this format's letters; ISYBAU counts its own from 1. NULL: none that says the same. */
static const char *purpose_of(const struct intra_inspection *in, enum intra_record_format format)
{
    static const char *const letters[] = {"E", NULL, "A", "G", "N", "V", "S"};
    const char *text = in->purpose;
    if (!text || format == INTRA_RECORD_DWA_M150) return text;
    if (strlen(text) != 1) return NULL;
    if (format == INTRA_RECORD_ISYBAU) return text[0] >= '1' && text[0] <= '7' ? letters[text[0] - '1'] : NULL;
    return format == INTRA_RECORD_OWN_JSON && strchr("AEGNSV", text[0]) ? text : NULL;
}

static const char *coding_of(const struct intra_inspection *in, bool is_own)
{
    if (is_own) return in->standard;
    for (int64_t i = 0; i < in->n_observations; i++)
        if (in->observations[i].system != INTRA_CODES_EN13508_2) return "Z";
    return "EN13508";
}

static enum intra_status put_inspection(struct writer *w, const struct intra_inspection *in,
                                        enum intra_record_format format, char letter)
{
    static const char *const tails[3] = {"I206", "I207", "I208"};
    enum intra_status status = INTRA_OK;
    const char name[3] = {letter, 'I', 0}, *given, *video = NULL, *way;
    char prefix[4], text[16];
    struct elements e = {.letter = letter, .source = w->is_own ? &in->source : NULL, .prefix = prefix};
    struct row_context rows = {w, letter};
    struct element *x;
    int videos = 0;
    snprintf(prefix, sizeof prefix, "%cI/", letter);
    intra_xml_begin(&w->out, name);
    add_text(&e, "I003", in->id);
    add_text(&e, "I004", purpose_of(in, format));
    add_text(&e, "I005", coding_of(in, w->is_own));
    add_text(&e, "I112", in->operator_name);
    x = add(&e, "I104", in->date);
    given = source_text(&e, x->name);
    x->is_same = in->date ? given && intra_record_date(given, text) && strcmp(text, in->date) == 0
                          : !given || !intra_record_date(given, text);
    x = add(&e, "I105", in->time);
    given = source_text(&e, x->name);
    x->is_same = in->time ? given && intra_record_day_time(given, text) && strcmp(text, in->time) == 0
                          : !given || !intra_record_day_time(given, text);
    if (letter == 'H') {
        static const char *const ways[] = {NULL, "I", "G"};
        x = add(&e, "I101", ways[in->direction]);
        way = source_text(&e, x->name);
        bool is_down = way && (strcasecmp(way, "I") == 0 || strcasecmp(way, "O") == 0),
             is_up = way && (strcasecmp(way, "G") == 0 || strcasecmp(way, "U") == 0);
        x->is_same = in->direction == (is_down ? INTRA_DIRECTION_DOWNSTREAM
                                       : is_up ? INTRA_DIRECTION_UPSTREAM
                                               : INTRA_DIRECTION_UNKNOWN);
        add_grades(w, &e, tails, in->grades, in->n_grades);
    } else {
        intra_record_lose(&w->lost, "grades of another scale or aspect", in->n_grades);
    }
    for (int i = 0; i < in->n_media; i++)
        if (in->media[i].kind == INTRA_MEDIA_VIDEO && videos++ == 0) video = in->media[i].file;
    add_text(&e, "I116", video);
    intra_record_lose(&w->lost, "videos beyond the first of an inspection", videos - 1);
    intra_record_lose(&w->lost, "pictures and documents of an inspection", in->n_media - videos);
    intra_record_lose(&w->lost, "inspected lengths", isfinite(in->inspected_length_m));
    intra_record_lose(&w->lost, "marks of a reverse set-up", in->is_reverse_setup);
    intra_record_lose(&w->lost, "purposes in another format's words", in->purpose && !purpose_of(in, format));
    INTRA_TRY(put_elements(w, &e));
    INTRA_TRY(intra_record_each_row(in, put_row, &rows, w->err));
    intra_xml_end(&w->out, name);
done:
    return status;
}

/* Two inspections of one object of the source: the same fields but for those of the inspection. */
static bool is_same_object(const struct intra_inspection *a, const struct intra_inspection *b)
{
    int i = 0, k = 0;
    for (;; i++, k++) {
        static const char *const others[] = {"HI/", "KI/", "FD/", "RT/", "RT["};
        for (size_t q = 0; q < sizeof others / sizeof others[0]; q++) {
            while (i < a->source.n && strncmp(a->source.items[i].name, others[q], 3) == 0)
                i++, q = 0;
            while (k < b->source.n && strncmp(b->source.items[k].name, others[q], 3) == 0)
                k++, q = 0;
        }
        if (i >= a->source.n || k >= b->source.n) return i >= a->source.n && k >= b->source.n && a->source.n > 0;
        const struct intra_field *f = &a->source.items[i], *g = &b->source.items[k];
        if (strcmp(f->name, g->name) != 0 || strcmp(f->value ? f->value : "", g->value ? g->value : "") != 0)
            return false;
    }
}

/* The fields of the file itself, which stand with the first inspection. */
static enum intra_status put_head(struct writer *w, const struct intra_record *record, const char *under)
{
    enum intra_status status = INTRA_OK;
    const struct intra_fields *from = record->n_inspections > 0 ? &record->inspections[0].source : NULL;
    struct intra_fields part = {0}; /* borrows */
    INTRA_TRY(INTRA_ALLOC(part.items, (size_t)(from ? from->n : 0) + 1, w->err));
    for (int i = 0; from && w->is_own && i < from->n; i++)
        if (strncmp(from->items[i].name, under, 2) == 0 && strchr("/[", from->items[i].name[2]))
            part.items[part.n++] = from->items[i];
    if (part.n > 0) {
        intra_xml_put_fields(&w->out, &part, "");
    } else if (strcmp(under, "FD") == 0) {
        intra_xml_begin(&w->out, "FD");
        intra_xml_put(&w->out, "FD001", "04-2010", 0);
        intra_xml_put(&w->out, "FD002", "B", 0);
        intra_xml_end(&w->out, "FD");
    }
done:
    intra_free(part.items);
    return status;
}

enum intra_status intra_record_write_dwa_m150(const struct intra_record *record, const char *path,
                                              struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_out_file file = {0};
    struct writer w = {.is_own = record->format == INTRA_RECORD_DWA_M150, .err = err};
    INTRA_TRY(intra_out_file_open(&file, path, err));
    w.out.stream = file.stream;
    fputs("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n", file.stream);
    intra_xml_begin(&w.out, "DATA");
    INTRA_TRY(put_head(&w, record, "FD"));
    for (int64_t i = 0; i < record->n_inspections; i++) {
        const struct intra_inspection *in = &record->inspections[i];
        const char letter = is_manhole(&w, in) ? 'K' : 'H', object[3] = {letter, 'G', 0};
        bool is_next = w.is_own && i > 0 && is_same_object(in - 1, in),
             has_next = w.is_own && i + 1 < record->n_inspections && is_same_object(in, in + 1);
        if (!is_next) {
            intra_xml_begin(&w.out, object);
            INTRA_TRY(put_object(&w, in, record->format, letter));
        }
        INTRA_TRY(put_inspection(&w, in, record->format, letter));
        if (!has_next) intra_xml_end(&w.out, object);
    }
    INTRA_TRY(put_head(&w, record, "RT"));
    intra_xml_end(&w.out, "DATA");
    INTRA_TRY(intra_out_file_commit(&file, err));
    intra_record_say_lost(&w.lost, path, INTRA_RECORD_DWA_M150);
done:
    intra_out_file_abandon(&file);
    return status;
}
