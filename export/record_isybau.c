/* ISYBAU XML (BFR Abwasser, Germany), reading: 2006-10, 2013-02, 2017-07. Pipes (RZustand), manholes (KZustand) and
 * structures (BZustand) are inspections; a manhole's distance is its vertical place. Header fields stand in `source` by
 * their path, the order they belong to under "Auftrag/", the file's head under "Kopf/" (first inspection only), a
 * film's under its media. */
#include "core/mem.h"
#include "export/record_letters.h"
#include "export/record_xml.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Films by the object that they show: manholes and pipes may have the same name. */
struct film_of {
    const char *object, *type, *way; /* "" where the file has none */
    const struct intra_xml_node *film;
    int order;
};

struct films {
    struct film_of *items;
    size_t n, cap;
};

static int compare_keys(const struct film_of *x, const struct film_of *y)
{
    int order = strcmp(x->object, y->object);
    if (order == 0) order = strcmp(x->type, y->type);
    return order ? order : strcmp(x->way, y->way);
}

static int by_object(const void *a, const void *b)
{
    const struct film_of *x = a, *y = b;
    int order = compare_keys(x, y);
    return order ? order : (x->order > y->order) - (x->order < y->order);
}

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

static enum intra_status films_add(struct films *films, struct film_of film, struct intra_error *err)
{
    if (films->n == films->cap) {
        size_t cap = films->cap ? 2 * films->cap : 64;
        struct film_of *grown = intra_resize(films->items, films->cap, cap, sizeof *grown);
        if (!grown) return INTRA_FAIL(err, INTRA_E_MEM, "no memory for %zu films", cap);
        films->items = grown;
        films->cap = cap;
    }
    film.order = (int)films->n;
    films->items[films->n] = film;
    films->n++;
    return INTRA_OK;
}

static enum intra_status films_read(const struct intra_xml_node *collective, struct films *films,
                                    struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    for (const struct intra_xml_node *film = intra_xml_child(intra_xml_child(collective, "Filme"), "Film"); film;
         film = intra_xml_next(film, "Film"))
        for (const struct intra_xml_node *o = intra_xml_child(intra_xml_child(film, "FilmObjekte"), "FilmObjekt"); o;
             o = intra_xml_next(o, "FilmObjekt")) {
            struct film_of item = {.object = intra_xml_get(o, "Objektbezeichnung"),
                                   .type = or_empty(intra_xml_get(o, "Typ")),
                                   .way = or_empty(intra_xml_get(o, "Inspektionsrichtung")),
                                   .film = film};
            if (item.object) INTRA_TRY(films_add(films, item, err));
        }
    if (films->n > 1) qsort(films->items, films->n, sizeof *films->items, by_object);
done:
    return status;
}

/* Those with one key stand beside each other; the first of them, n of them. */
static const struct film_of *films_of(const struct films *films, const char *object, const char *type, const char *way,
                                      size_t *n)
{
    size_t low = 0, high = films->n;
    const struct film_of key = {.object = or_empty(object), .type = or_empty(type), .way = or_empty(way)};
    *n = 0;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (compare_keys(&films->items[mid], &key) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    while (low + *n < films->n && compare_keys(&films->items[low + *n], &key) == 0)
        ++*n;
    return films->items + low;
}

static double fps_of(const struct intra_xml_node *film)
{
    double fps = film ? intra_record_number(intra_xml_get(film, "Frame/fps")) : NAN;
    return fps > 0 ? fps : NAN;
}

enum { PAL_FPS = 25 }; /* of a time code where the film does not say */

/* A time code (hhmmssff of the tape) to the frame of the film by the last offset at or before it. Of several films the
 * one whose offset comes last. False: no film has an offset. */
static bool film_frame(const struct film_of *list, size_t n, int hours, int minutes, int seconds, int frames,
                       int64_t *out_frame, double *out_fps)
{
    double best = -1;
    for (size_t i = 0; i < n; i++) {
        double fps = fps_of(list[i].film);
        if (!isfinite(fps)) fps = PAL_FPS;
        double code = ((hours * 60.0 + minutes) * 60.0 + seconds) * fps + frames;
        for (const struct intra_xml_node *o = intra_xml_child(intra_xml_child(list[i].film, "Offsets"), "Offset"); o;
             o = intra_xml_next(o, "Offset")) {
            double tape = intra_record_number(intra_xml_get(o, "TcFrameNr")),
                   film = intra_record_number(intra_xml_get(o, "MPEGFrameNr"));
            if (!(tape <= code && tape > best && code - tape + film >= 0 && code - tape + film < 1e12)) continue;
            best = tape;
            *out_frame = (int64_t)(code - tape + film);
            *out_fps = fps;
        }
    }
    return best >= 0;
}

static enum intra_status read_video_place(struct intra_record *record, struct intra_observation *o,
                                          const struct intra_xml_node *e, const struct film_of *films, size_t n_films,
                                          const char *where)
{
    const char *code = intra_xml_get(e, "Timecode"), *frame = intra_xml_get(e, "Frame"),
               *counter = intra_xml_get(e, "Videozaehler"), *other = intra_xml_get(e, "Parameter");
    if (code) {
        int parts[4]; /* hours, minutes, seconds, frames */
        size_t n = strlen(code);
        bool is_good = n <= 8 && strspn(code, "0123456789") == n;
        long value = is_good ? strtol(code, NULL, 10) : 0;
        for (int k = 3; k >= 0; k--, value /= 100)
            parts[k] = (int)(value % 100);
        if (!is_good || parts[1] > 59 || parts[2] > 59) {
            intra_record_kept(record, "%s: '%.20s' is no time code", where, code);
            return INTRA_OK;
        }
        double fps = PAL_FPS;
        if (film_frame(films, n_films, parts[0], parts[1], parts[2], parts[3], &o->frame, &fps))
            o->time_s = (double)o->frame / fps;
        else
            o->time_s = parts[0] * 3600.0 + parts[1] * 60.0 + parts[2] + parts[3] / (double)PAL_FPS;
    } else if (frame) {
        double value = intra_record_number_or_keep(record, where, frame), fps = n_films ? fps_of(films[0].film) : NAN;
        if (!(value >= 0 && value < 1e12)) return INTRA_OK;
        o->frame = (int64_t)value;
        o->time_s = value / fps; /* NaN where no film says */
    } else if (counter || other) {
        intra_record_kept(record, "%s: %s of the video has no unit that the format fixes", where,
                          counter ? "counter" : "parameter");
    }
    return INTRA_OK;
}

/* The class after boundary conditions where it is given, else that of the assessor, else the automatic one. */
static enum intra_status add_class(struct intra_record *record, struct intra_observation *o,
                                   const struct intra_xml_node *e, const char *group, char letter,
                                   enum intra_grade_aspect aspect, struct intra_error *err)
{
    static const char *const ends[] = {"eAuto", "vManu", "vAuto"};
    const struct intra_xml_node *g = intra_xml_child(intra_xml_child(e, "Klassifizierung"), group);
    for (int i = 0; g && i < 3; i++) {
        char name[16];
        snprintf(name, sizeof name, "SK%c%s", letter, ends[i]);
        const char *text = intra_xml_get(g, name);
        struct intra_grade grade = {.scale = INTRA_SCALE_ISYBAU, .aspect = aspect};
        if (!text) continue;
        grade.value = intra_record_number_or_keep(record, name, text);
        return isfinite(grade.value) ? intra_observation_add_grade(o, grade, err) : INTRA_OK;
    }
    return INTRA_OK;
}

static enum intra_status read_classes(struct intra_record *record, struct intra_observation *o,
                                      const struct intra_xml_node *e, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_grade grade = {.scale = INTRA_SCALE_ISYBAU, .aspect = INTRA_ASPECT_OVERALL};
    const char *text = intra_xml_get(e, "Klassifizierung/MaxSKeAuto");
    if (text) {
        grade.value = intra_record_number_or_keep(record, "MaxSKeAuto", text);
        if (isfinite(grade.value)) INTRA_TRY(intra_observation_add_grade(o, grade, err));
    }
    INTRA_TRY(add_class(record, o, e, "Dichtheit", 'D', INTRA_ASPECT_TIGHTNESS, err));
    INTRA_TRY(add_class(record, o, e, "Standsicherheit", 'S', INTRA_ASPECT_STRUCTURAL, err));
    INTRA_TRY(add_class(record, o, e, "Betriebssicherheit", 'B', INTRA_ASPECT_OPERATION, err));
done:
    return status;
}

static enum intra_status read_row(struct intra_record *record, struct intra_inspection *in,
                                  const struct intra_xml_node *e, enum intra_code_system system,
                                  const struct film_of *films, size_t n_films, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const char *kind = intra_xml_get(e, "Streckenschaden"), *number = intra_xml_get(e, "StreckenschadenLfdNr");
    bool is_structure = strcmp(intra_xml_name(e), "BZustand") == 0;
    char mark[40] = "", where[40];
    struct intra_observation *o;
    struct intra_en_row row = {
        .distance = intra_xml_get(e, strcmp(intra_xml_name(e), "KZustand") == 0 ? "VertikaleLage" : "Station"),
        .code = intra_xml_get(e, is_structure ? "Zustandsbeschreibung" : "InspektionsKode"),
        .characterisation = {intra_xml_get(e, "Charakterisierung1"), intra_xml_get(e, "Charakterisierung2")},
        .quantity = {intra_xml_get(e, "Quantifizierung1Numerisch"), intra_xml_get(e, "Quantifizierung2Numerisch")},
        .clock = {intra_xml_get(e, "PositionVon"), intra_xml_get(e, "PositionBis")},
        .joint = intra_xml_get(e, "Verbindung"),
        .picture = intra_xml_get(e, "Fotodatei"),
        .remark = intra_xml_get(e, "Kommentar")};
    if (kind && number) { /* a manhole's A and B without a number only bracket its rows */
        snprintf(mark, sizeof mark, "%.10s%.20s", kind, number);
        row.continuous = mark;
    }
    snprintf(where, sizeof where, "line %d", intra_xml_line(e));
    if (is_structure) { /* prose, no code */
        row = (struct intra_en_row){.code = "", .text = row.code, .picture = row.picture};
        if (!row.text) row.code = NULL;
    }
    INTRA_TRY(intra_en_row_add(record, in, &row, where, &o, err));
    if (!o) goto done;
    o->system = is_structure ? INTRA_CODES_UNKNOWN : system;
    if (is_structure) INTRA_TRY(intra_text_set(&o->code, NULL, err));
    for (int i = 1; i <= 2; i++) {
        char name[32];
        snprintf(name, sizeof name, "Quantifizierung%dText", i);
        if (intra_xml_get(e, name)) intra_record_kept(record, "%s: %s is text", where, name);
    }
    INTRA_TRY(read_video_place(record, o, e, films, n_films, where));
    INTRA_TRY(read_classes(record, o, e, err));
    INTRA_TRY(intra_xml_fields(e, "", NULL, NULL, &o->source, err));
done:
    return status;
}

/* 4 and 5 are the older national systems, 6 another. */
static enum intra_code_system system_of(const char *coding)
{
    double value = intra_record_number(coding);
    return value == 4 || value == 5 ? INTRA_CODES_OWN : value == 6 ? INTRA_CODES_UNKNOWN : INTRA_CODES_EN13508_2;
}

static enum intra_status read_header(struct intra_record *record, struct intra_inspection *in,
                                     const struct intra_xml_node *object, const struct intra_xml_node *optical,
                                     const struct intra_xml_node *part, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const char *date = intra_xml_get(optical, "Inspektionsdatum"), *time = intra_xml_get(optical, "Uhrzeit"),
               *way = intra_xml_get(part, "Inspektionsrichtung"),
               *class_text = intra_xml_get(part, "Bewertung/KlasseManuell");
    char text[16];
    INTRA_TRY(intra_text_set(&in->pipe, intra_xml_get(object, "Objektbezeichnung"), err));
    INTRA_TRY(intra_text_set(&in->street, intra_xml_get(object, "Lage/Strassenname"), err));
    INTRA_TRY(intra_text_set(&in->town, intra_xml_get(object, "Lage/Ortsteilname"), err));
    INTRA_TRY(intra_text_set(&in->operator_name, intra_xml_get(optical, "NameUntersucher"), err));
    if (date && intra_record_date(date, text)) INTRA_TRY(intra_text_set(&in->date, text, err));
    if (time && intra_record_day_time(time, text)) INTRA_TRY(intra_text_set(&in->time, text, err));
    INTRA_TRY(intra_record_nodes(in, intra_xml_get(part, "RGrunddaten/KnotenZulauf"),
                                 intra_xml_get(part, "RGrunddaten/KnotenAblauf"),
                                 !way                        ? INTRA_DIRECTION_UNKNOWN
                                 : strcasecmp(way, "O") == 0 ? INTRA_DIRECTION_DOWNSTREAM
                                 : strcasecmp(way, "U") == 0 ? INTRA_DIRECTION_UPSTREAM
                                                             : INTRA_DIRECTION_UNKNOWN,
                                 err));
    INTRA_TRY(intra_text_set(&in->shape, intra_xml_get(part, "RGrunddaten/Profilart"), err));
    INTRA_TRY(intra_text_set(&in->material, intra_xml_get(part, "RGrunddaten/Material"), err));
    in->height_m =
        1e-3 * intra_record_number_or_keep(record, "Profilhoehe", intra_xml_get(part, "RGrunddaten/Profilhoehe"));
    in->width_m =
        1e-3 * intra_record_number_or_keep(record, "Profilbreite", intra_xml_get(part, "RGrunddaten/Profilbreite"));
    in->inspected_length_m =
        intra_record_number_or_keep(record, "Inspektionslaenge", intra_xml_get(part, "Inspektionslaenge"));
    in->joint_spacing_m =
        intra_record_number_or_keep(record, "Rohrlaenge", intra_xml_get(part, "RGrunddaten/Regeleinzelrohrlaenge"));
    if (!class_text) class_text = intra_xml_get(part, "Bewertung/KlasseAutomatisch");
    if (class_text && isfinite(intra_record_number(class_text)))
        in->grades[in->n_grades++] =
            (struct intra_grade){INTRA_SCALE_ISYBAU, INTRA_ASPECT_OVERALL, intra_record_number(class_text), false};
done:
    return status;
}

static const struct intra_xml_node *order_of(const struct intra_xml_node *collective, const char *id)
{
    int looked = 0;
    for (const struct intra_xml_node *o = intra_xml_child(intra_xml_child(collective, "Auftraege"), "Auftrag"); o && id;
         o = intra_xml_next(o, "Auftrag")) {
        const char *other = intra_xml_get(o, "Auftragskennung");
        if (other && strcmp(other, id) == 0) return o;
        if (++looked > 1000) break; /* a file has a handful */
    }
    return NULL;
}

static enum intra_status read_object(struct intra_record *record, const struct intra_xml_node *collective,
                                     const struct intra_xml_node *object, const struct films *films,
                                     struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    static const char *const parts[][2] = {
        {"Rohrleitung", "RZustand"}, {"Knoten", "KZustand"}, {"Bauwerk", "BZustand"}};
    const struct intra_xml_node *optical = intra_xml_child(object, "OptischeInspektion"), *part = NULL, *order;
    const struct film_of *list;
    struct intra_inspection *in;
    size_t n_list;
    int kind = 0;
    for (; optical && kind < 3; kind++)
        if ((part = intra_xml_child(optical, parts[kind][0])) != NULL) break;
    if (!part) {
        intra_record_refused(record, "line %d: %s without an optical inspection", intra_xml_line(object),
                             intra_xml_name(object));
        return INTRA_OK;
    }
    INTRA_TRY(intra_record_add_inspection(record, &in, err));
    if (record->n_inspections == 1) {
        INTRA_TRY(intra_fields_add(&in->source, "Kopf/Kennung", intra_xml_get(collective, "Kennung"), err));
        INTRA_TRY(intra_fields_add(&in->source, "Kopf/Beschreibung", intra_xml_get(collective, "Beschreibung"), err));
        INTRA_TRY(intra_xml_fields(intra_xml_child(collective, "Auftraege"), "Kopf/Auftraege/", NULL, NULL, &in->source,
                                   err));
    }
    order = order_of(collective, intra_xml_get(optical, "Auftragskennung"));
    if (order) INTRA_TRY(intra_xml_fields(order, "Auftrag/", NULL, NULL, &in->source, err));
    INTRA_TRY(intra_text_set(&in->purpose, intra_xml_get(order, "Inspektionszweck"), err));
    INTRA_TRY(intra_text_set(&in->standard, intra_xml_get(order, "Kodiersystem"), err));
    INTRA_TRY(intra_xml_fields(object, "", "Inspektionsdaten", NULL, &in->source, err));
    INTRA_TRY(read_header(record, in, object, optical, part, err));
    const char *type = intra_xml_get(object, "Anlagentyp");
    list = films_of(films, in->pipe, type, intra_xml_get(part, "Inspektionsrichtung"), &n_list);
    if (n_list == 0) list = films_of(films, in->pipe, type, NULL, &n_list); /* of either direction */
    for (size_t i = 0; i < n_list; i++) {
        struct intra_media *media;
        const char *name = intra_xml_get(list[i].film, "Filmname");
        if (!name) continue;
        INTRA_TRY(intra_inspection_add_media(in, INTRA_MEDIA_VIDEO, name, &media, err));
        INTRA_TRY(intra_xml_fields(list[i].film, "", NULL, NULL, &media->source, err));
    }
    for (const struct intra_xml_node *e = intra_xml_child(intra_xml_child(part, "Inspektionsdaten"), parts[kind][1]); e;
         e = intra_xml_next(e, parts[kind][1]))
        INTRA_TRY(read_row(record, in, e, system_of(in->standard), list, n_list, err));
    INTRA_TRY(intra_record_join_continuous(record, in, err));
done:
    return status;
}

enum intra_status intra_record_read_isybau(const char *path, struct intra_record *record, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_xml *xml = NULL;
    struct films films = {0};
    INTRA_TRY(intra_xml_read(path, &xml, err));
    const struct intra_xml_node *root = intra_xml_root(xml), *sets = intra_xml_child(root, "Datenkollektive");
    INTRA_TRY(intra_text_set(&record->version, intra_xml_get(root, "Version"), err));
    for (const struct intra_xml_node *c = intra_xml_child(sets, "Zustandsdatenkollektiv"); c;
         c = intra_xml_next(c, "Zustandsdatenkollektiv")) {
        films.n = 0;
        INTRA_TRY(films_read(c, &films, err));
        for (const struct intra_xml_node *o = intra_xml_child(c, "InspizierteAbwassertechnischeAnlage"); o;
             o = intra_xml_next(o, "InspizierteAbwassertechnischeAnlage"))
            INTRA_TRY(read_object(record, c, o, &films, err));
    }
    if (record->n_inspections > 0) {
        struct intra_fields *head = &record->inspections[0].source;
        INTRA_TRY(intra_xml_fields(intra_xml_child(root, "Admindaten"), "Admindaten/", NULL, NULL, head, err));
        INTRA_TRY(
            intra_xml_fields(sets, "Datenkollektive/", "Zustandsdatenkollektiv", "Stammdatenkollektiv", head, err));
    }
done:
    intra_free(films.items);
    intra_xml_destroy(&xml);
    return status;
}
