/* ISYBAU XML 2013-02, writing; element order as its schema has it. From a record that came from ISYBAU everything that
 * has no parsed place goes back from `source`. From others: what the format can hold; codes that it has no word for are
 * left out. */
#include "core/fileio.h"
#include "core/mem.h"
#include "export/record_letters.h"
#include "export/record_xml.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct writer {
    struct intra_xml_out out;
    const struct intra_record *record;
    bool is_own; /* the record came from this format */
    struct intra_error *err;
};

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* The fields below `prefix`, but none below one of `without` (NULL ends it). */
static enum intra_status put_part(struct writer *w, const struct intra_fields *fields, const char *prefix,
                                  const char *const *without)
{
    enum intra_status status = INTRA_OK;
    struct intra_fields part = {0}; /* borrows */
    INTRA_TRY(INTRA_ALLOC(part.items, (size_t)fields->n + 1, w->err));
    for (int i = 0; i < fields->n; i++) {
        bool is_out = !begins(fields->items[i].name, prefix);
        for (int k = 0; without && without[k] && !is_out; k++)
            is_out = begins(fields->items[i].name, without[k]);
        if (!is_out) part.items[part.n++] = fields->items[i];
    }
    intra_xml_put_fields(&w->out, &part, prefix);
done:
    intra_free(part.items);
    return status;
}

/* The fields below `under`, their names without `prefix`. */
static enum intra_status put_only(struct writer *w, const struct intra_fields *fields, const char *under,
                                  const char *prefix)
{
    enum intra_status status = INTRA_OK;
    struct intra_fields part = {0}; /* borrows */
    INTRA_TRY(INTRA_ALLOC(part.items, (size_t)fields->n + 1, w->err));
    for (int i = 0; i < fields->n; i++)
        if (begins(fields->items[i].name, under)) part.items[part.n++] = fields->items[i];
    intra_xml_put_fields(&w->out, &part, prefix);
done:
    intra_free(part.items);
    return status;
}

/* The source's text where it says the same number, else `value` with two decimals; nothing for NaN and what the format
 * cannot hold. */
static void put_number(struct writer *w, const struct intra_fields *source, const char *name, double value,
                       double below)
{
    const char *text = w->is_own ? intra_fields_get(source, name) : NULL;
    char own[48];
    if (!isfinite(value) || value <= -below || value >= below) return;
    snprintf(own, sizeof own, "%.2f", value);
    if (text && intra_record_number(text) == value) snprintf(own, sizeof own, "%.40s", text);
    intra_xml_put(&w->out, name, own, 0);
}

static void put_clock(struct writer *w, const char *name, double rad)
{
    char text[16];
    int hours = isfinite(rad) ? (int)lround(intra_clock_to_hours(rad)) % 12 : 0;
    if (!isfinite(rad)) return;
    snprintf(text, sizeof text, "%02d", hours ? hours : 12);
    intra_xml_put(&w->out, name, text, 0);
}

static double clock_of(const char *text)
{
    double value = intra_record_number(text);
    return value == 0 ? NAN : intra_record_clock(text ? text : "");
}

static bool is_same(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

/* As the source has them where that says the same (there are several ways to say a whole ring). */
static void put_clocks(struct writer *w, const struct intra_fields *source, const struct intra_observation *o)
{
    const char *from = w->is_own ? intra_fields_get(source, "PositionVon") : NULL,
               *to = w->is_own ? intra_fields_get(source, "PositionBis") : NULL;
    double from_rad, to_rad;
    bool is_ring = isfinite(o->clock_to_rad) && o->clock_to_rad - o->clock_from_rad > 6.28;
    intra_record_clock_span(clock_of(from), clock_of(to), &from_rad, &to_rad);
    if ((from || to) && is_same(from_rad, o->clock_from_rad) && is_same(to_rad, o->clock_to_rad)) {
        intra_xml_put(&w->out, "PositionVon", from, 0);
        intra_xml_put(&w->out, "PositionBis", to, 0);
    } else {
        put_clock(w, "PositionVon", o->clock_from_rad);
        put_clock(w, "PositionBis", is_ring ? o->clock_from_rad : o->clock_to_rad);
    }
}

static void put_source(struct writer *w, const struct intra_fields *source, const char *name)
{
    if (w->is_own) intra_xml_put(&w->out, name, intra_fields_get(source, name), 0);
}

/* One of four, always there in a pipe's row: a time code, or an empty parameter where the place in the video is not
 * known. */
static void put_video_place(struct writer *w, const struct intra_observation *o, const struct intra_fields *source,
                            bool is_needed)
{
    static const char *const names[] = {"Timecode", "Frame", "Videozaehler", "Parameter"};
    for (int i = 0; w->is_own && i < 4; i++)
        for (int k = 0; k < source->n; k++)
            if (strcmp(source->items[k].name, names[i]) == 0) {
                intra_xml_put(&w->out, names[i], source->items[k].value ? source->items[k].value : "", 0);
                return;
            }
    if (o && isfinite(o->time_s) && o->time_s >= 0 && o->time_s < 359999) {
        long frames = lround(o->time_s * 25);
        char code[40];
        snprintf(code, sizeof code, "%02ld%02ld%02ld%02ld", frames / 90000, frames / 1500 % 60, frames / 25 % 60,
                 frames % 25);
        intra_xml_put(&w->out, "Timecode", code, 0);
    } else if (is_needed) {
        intra_xml_put(&w->out, "Parameter", "", 0);
    }
}

/* role: 'A', 'B', 'C' of a continuous defect, 0: none, or as the source has it. */
static enum intra_status put_row(void *user, const struct intra_observation *o, char role)
{
    struct writer *w = user;
    static const char *const after_clock[] = {"GrundAbbruch",        "BezeichnungSanierung", "BAKZustandSanierung",
                                              "BALZustandSanierung", "DAKZustandSanierung",  "DALZustandSanierung",
                                              "QZustandSanierung",   "RVerfahrenSanierung",  "KVerfahrenSanierung"};
    enum intra_status status = INTRA_OK;
    const struct intra_fields *source = role == 'B' ? &o->finish_source : &o->source;
    bool is_manhole = w->is_own && intra_fields_get(&o->source, "VertikaleLage") != NULL;
    const char *row = is_manhole ? "KZustand" : "RZustand",
               *joint = w->is_own ? intra_fields_get(source, "Verbindung") : NULL;
    intra_xml_begin(&w->out, row);
    if (role == 'B' && w->is_own && intra_record_number(intra_fields_get(source, "Station")) == o->distance_to_m) {
        INTRA_TRY(put_only(w, source, "", "")); /* its values may differ from the start's */
        intra_xml_end(&w->out, row);
        return INTRA_OK;
    }
    put_number(w, source, is_manhole ? "VertikaleLage" : "Station", role == 'B' ? o->distance_to_m : o->distance_m,
               is_manhole ? 10000 : 1000);
    put_video_place(w, role == 'B' ? NULL : o, source, !is_manhole);
    intra_xml_put(&w->out, "InspektionsKode", o->code ? o->code : "", 10);
    intra_xml_put(&w->out, "Charakterisierung1", o->characterisation[0], 10);
    intra_xml_put(&w->out, "Charakterisierung2", o->characterisation[1], 10);
    if (joint)
        intra_xml_put(&w->out, "Verbindung",
                      intra_record_bool(joint) == o->is_at_joint ? joint
                      : o->is_at_joint                           ? "1"
                                                                 : "0",
                      0);
    else if (o->is_at_joint)
        intra_xml_put(&w->out, "Verbindung", "1", 0);
    for (int i = 0; i < 2; i++) {
        put_number(w, source, i ? "Quantifizierung2Numerisch" : "Quantifizierung1Numerisch", o->quantity[i], 10000);
        if (!isfinite(o->quantity[i])) put_source(w, source, i ? "Quantifizierung2Text" : "Quantifizierung1Text");
    }
    if (role && o->continuous_id) {
        char kind[2] = {role, 0}, number[16];
        snprintf(number, sizeof number, "%ld", strtol(o->continuous_id, NULL, 10));
        intra_xml_put(&w->out, "Streckenschaden", kind, 0);
        intra_xml_put(&w->out, "StreckenschadenLfdNr", number, 0);
    } else {
        put_source(w, source, "Streckenschaden");
        put_source(w, source, "StreckenschadenLfdNr");
    }
    put_source(w, source, "Schachtbereich");
    put_clocks(w, source, o);
    for (size_t i = 0; i < sizeof after_clock / sizeof after_clock[0]; i++)
        put_source(w, source, after_clock[i]);
    if (role == 'B' || (role && w->is_own)) /* a joined one has the pictures of both rows */
        put_source(w, source, "Fotodatei");
    else
        for (int i = 0; i < o->n_media; i++)
            if (o->media[i].kind == INTRA_MEDIA_PICTURE) {
                intra_xml_put(&w->out, "Fotodatei", o->media[i].file, 255);
                break;
            }
    put_source(w, source, "FotoSpeichermedium");
    put_source(w, source, "Fotonummer");
    if (role == 'B')
        put_source(w, source, "Kommentar");
    else
        intra_xml_put(&w->out, "Kommentar", o->remark, 0);
    if (w->is_own) INTRA_TRY(put_only(w, source, "Klassifizierung/", ""));
    put_source(w, source, "Gruppe");
    intra_xml_end(&w->out, row);
done:
    return status;
}

static void put_pipe_head(struct writer *w, const struct intra_inspection *in)
{
    char text[32];
    intra_xml_put(&w->out, "Rohrleitungstyp", "0", 0);
    intra_xml_put(&w->out, "Inspektionsrichtung", in->direction == INTRA_DIRECTION_UPSTREAM ? "U" : "O", 0);
    put_number(w, &in->source, "Inspektionslaenge",
               isfinite(in->inspected_length_m) ? in->inspected_length_m : in->length_m, 1000);
    intra_xml_put(&w->out, "ArtVideoreferenz", "1", 0);
    intra_xml_begin(&w->out, "RGrunddaten");
    intra_xml_put(&w->out, "KnotenZulauf", in->node_upstream ? in->node_upstream : "", 30);
    intra_xml_put(&w->out, "KnotenZulaufTyp", "0", 0);
    intra_xml_put(&w->out, "KnotenAblauf", in->node_downstream ? in->node_downstream : "", 30);
    intra_xml_put(&w->out, "KnotenAblaufTyp", "0", 0);
    for (int i = 0; i < 2; i++) {
        double mm = 1e3 * (i ? in->width_m : in->height_m);
        if (!(mm >= 0.5 && mm < 9999.5)) continue;
        snprintf(text, sizeof text, "%ld", lround(mm));
        intra_xml_put(&w->out, i ? "Profilbreite" : "Profilhoehe", text, 0);
    }
    put_number(w, &in->source, "Regeleinzelrohrlaenge", in->joint_spacing_m, 100);
    intra_xml_end(&w->out, "RGrunddaten");
}

static enum intra_status put_inspection(struct writer *w, const struct intra_inspection *in)
{
    static const char *const apart[] = {"OptischeInspektion/", "Dichtheitspruefungen/", "Auftrag/", "Kopf/",
                                        "Admindaten/",         "Datenkollektive/",      NULL};
    static const char *const parts[] = {"OptischeInspektion/Rohrleitung/", "OptischeInspektion/Knoten/",
                                        "OptischeInspektion/Bauwerk/"};
    static const char *const names[] = {"Rohrleitung", "Knoten", "Bauwerk"};
    static const char *const not_head[] = {"OptischeInspektion/Rohrleitung", "OptischeInspektion/Knoten",
                                           "OptischeInspektion/Bauwerk", "OptischeInspektion/Dokumente", NULL};
    enum intra_status status = INTRA_OK;
    char after[64] = ""; /* what stands behind the rows */
    int kind = 0;
    intra_xml_begin(&w->out, "InspizierteAbwassertechnischeAnlage");
    if (!w->is_own) {
        intra_xml_put(&w->out, "Objektbezeichnung", in->pipe ? in->pipe : "", 30);
        intra_xml_put(&w->out, "Anlagentyp", "1", 0);
        if (in->street || in->town) {
            intra_xml_begin(&w->out, "Lage");
            intra_xml_put(&w->out, "Strassenname", in->street, 40);
            intra_xml_put(&w->out, "Ortsteilname", in->town, 40);
            intra_xml_end(&w->out, "Lage");
        }
        intra_xml_begin(&w->out, "OptischeInspektion");
        intra_xml_put(&w->out, "Auftragskennung", "1", 0);
        intra_xml_put(&w->out, "Inspektionsdatum", in->date, 0);
        intra_xml_put(&w->out, "NameUntersucher", in->operator_name, 40);
        intra_xml_put(&w->out, "Uhrzeit", in->time, 0);
        intra_xml_begin(&w->out, "Rohrleitung");
        put_pipe_head(w, in);
    } else {
        for (int i = 0; i < in->source.n; i++)
            for (int k = 0; k < 3; k++)
                if (begins(in->source.items[i].name, parts[k])) kind = k;
        snprintf(after, sizeof after, "%s%s", parts[kind], kind == 2 ? "ArtVideoreferenz" : "Bewertung");
        const char *const not_before[] = {after, NULL};
        INTRA_TRY(put_part(w, &in->source, "", apart));
        intra_xml_begin(&w->out, "OptischeInspektion");
        INTRA_TRY(put_part(w, &in->source, "OptischeInspektion/", not_head));
        intra_xml_begin(&w->out, names[kind]);
        INTRA_TRY(put_part(w, &in->source, parts[kind], not_before));
    }
    if (in->n_observations > 0) {
        intra_xml_begin(&w->out, "Inspektionsdaten");
        if (kind < 2)
            INTRA_TRY(intra_record_each_row(in, put_row, w, w->err));
        else
            for (int64_t i = 0; i < in->n_observations; i++) {
                intra_xml_begin(&w->out, "BZustand");
                INTRA_TRY(put_part(w, &in->observations[i].source, "", NULL));
                intra_xml_end(&w->out, "BZustand");
            }
        intra_xml_end(&w->out, "Inspektionsdaten");
    }
    if (w->is_own) INTRA_TRY(put_only(w, &in->source, after, parts[kind]));
    intra_xml_end(&w->out, names[kind]);
    if (w->is_own) INTRA_TRY(put_only(w, &in->source, "OptischeInspektion/Dokumente", "OptischeInspektion/"));
    intra_xml_end(&w->out, "OptischeInspektion");
    if (w->is_own) INTRA_TRY(put_only(w, &in->source, "Dichtheitspruefungen/", ""));
    intra_xml_end(&w->out, "InspizierteAbwassertechnischeAnlage");
done:
    return status;
}

static enum intra_status put_orders(struct writer *w, const struct intra_fields *head)
{
    if (intra_fields_get(head, "Kopf/Auftraege/Auftrag/Auftragskennung"))
        return put_only(w, head, "Kopf/Auftraege/", "Kopf/");
    intra_xml_begin(&w->out, "Auftraege");
    intra_xml_begin(&w->out, "Auftrag");
    intra_xml_put(&w->out, "Auftragsbezeichnung", "Inspektion", 0);
    intra_xml_put(&w->out, "Auftragskennung", "1", 0);
    intra_xml_put(&w->out, "Auftragsart", "1", 0);
    intra_xml_put(&w->out, "Kodiersystem", "8", 0);
    intra_xml_end(&w->out, "Auftrag");
    intra_xml_end(&w->out, "Auftraege");
    return INTRA_OK;
}

static enum intra_status put_films(struct writer *w)
{
    enum intra_status status = INTRA_OK;
    bool is_open = false;
    for (int64_t i = 0; i < w->record->n_inspections; i++) {
        const struct intra_inspection *in = &w->record->inspections[i];
        for (int k = 0; k < in->n_media; k++) {
            const struct intra_media *m = &in->media[k];
            if (m->kind != INTRA_MEDIA_VIDEO || !m->file) continue;
            if (w->is_own && i > 0) { /* a film of several objects hangs on each: written with the first */
                bool is_known = false;
                for (int64_t j = i - 1; j >= 0 && j >= i - 1000 && !is_known; j--)
                    for (int q = 0; q < w->record->inspections[j].n_media && !is_known; q++)
                        is_known = w->record->inspections[j].media[q].file &&
                                   strcmp(w->record->inspections[j].media[q].file, m->file) == 0;
                if (is_known) continue;
            }
            if (!is_open) intra_xml_begin(&w->out, "Filme");
            is_open = true;
            intra_xml_begin(&w->out, "Film");
            if (w->is_own && m->source.n > 0) {
                INTRA_TRY(put_part(w, &m->source, "", NULL));
            } else {
                intra_xml_put(&w->out, "Filmname", m->file, 255);
                intra_xml_put(&w->out, "Auftragskennung", "1", 0);
                intra_xml_put(&w->out, "Videoablagereferenz", in->pipe ? in->pipe : "", 30);
                intra_xml_begin(&w->out, "FilmObjekte");
                intra_xml_begin(&w->out, "FilmObjekt");
                intra_xml_put(&w->out, "Objektbezeichnung", in->pipe ? in->pipe : "", 30);
                intra_xml_put(&w->out, "Typ", "1", 0);
                intra_xml_put(&w->out, "Inspektionsrichtung", in->direction == INTRA_DIRECTION_UPSTREAM ? "U" : "O", 0);
                intra_xml_end(&w->out, "FilmObjekt");
                intra_xml_end(&w->out, "FilmObjekte");
            }
            intra_xml_end(&w->out, "Film");
        }
    }
    if (is_open) intra_xml_end(&w->out, "Filme");
done:
    return status;
}

static void put_default_sets(struct writer *w)
{
    char today[16] = "";
    time_t now = time(NULL);
    struct tm parts;
    if (gmtime_r(&now, &parts)) strftime(today, sizeof today, "%Y-%m-%d", &parts);
    intra_xml_put(&w->out, "Datenstatus", "1", 0);
    intra_xml_put(&w->out, "Erstellungsdatum", today, 0);
    intra_xml_begin(&w->out, "Kennungen");
    intra_xml_begin(&w->out, "Kollektiv");
    intra_xml_put(&w->out, "Kennung", "ZUS01", 0);
    intra_xml_put(&w->out, "Kollektivart", "2", 0);
    intra_xml_begin(&w->out, "Kollektiveigenschaft");
    intra_xml_begin(&w->out, "Zustandsdaten");
    intra_xml_put(&w->out, "Inspektion", "1", 0);
    intra_xml_put(&w->out, "Dichtheit", "0", 0);
    intra_xml_put(&w->out, "Film", "1", 0);
    intra_xml_end(&w->out, "Zustandsdaten");
    intra_xml_end(&w->out, "Kollektiveigenschaft");
    intra_xml_put(&w->out, "Regelwerk", "5", 0);
    intra_xml_put(&w->out, "Bearbeitungsstand", today, 0);
    intra_xml_end(&w->out, "Kollektiv");
    intra_xml_end(&w->out, "Kennungen");
}

static bool has_any(const struct intra_fields *fields, const char *under)
{
    for (int i = 0; i < fields->n; i++)
        if (begins(fields->items[i].name, under)) return true;
    return false;
}

enum intra_status intra_record_write_isybau(const struct intra_record *record, const char *path,
                                            struct intra_error *err)
{
    static const struct intra_fields none;
    enum intra_status status = INTRA_OK;
    struct intra_out_file file = {0};
    struct writer w = {.record = record, .is_own = record->format == INTRA_RECORD_ISYBAU, .err = err};
    const struct intra_fields *head = w.is_own && record->n_inspections > 0 ? &record->inspections[0].source : &none;
    INTRA_TRY(intra_out_file_open(&file, path, err));
    w.out.stream = file.stream;
    fputs("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n", file.stream);
    intra_xml_begin(&w.out, "Identifikation xmlns=\"http://www.ofd-hannover.la/Identifikation\"");
    intra_xml_put(&w.out, "Version", "2013-02", 0);
    intra_xml_begin(&w.out, "Admindaten");
    if (has_any(head, "Admindaten/")) {
        INTRA_TRY(put_part(&w, head, "Admindaten/", NULL));
    } else {
        intra_xml_begin(&w.out, "Liegenschaft");
        intra_xml_put(&w.out, "Liegenschaftsnummer", "0000000000", 0);
        intra_xml_put(&w.out, "Liegenschaftsbezeichnung", "-", 0);
        intra_xml_end(&w.out, "Liegenschaft");
    }
    intra_xml_end(&w.out, "Admindaten");
    intra_xml_begin(&w.out, "Datenkollektive");
    if (has_any(head, "Datenkollektive/"))
        INTRA_TRY(put_part(&w, head, "Datenkollektive/", NULL));
    else
        put_default_sets(&w);
    intra_xml_begin(&w.out, "Zustandsdatenkollektiv");
    const char *mark = intra_fields_get(head, "Kopf/Kennung");
    intra_xml_put(&w.out, "Kennung", mark ? mark : "ZUS01", 0);
    intra_xml_put(&w.out, "Beschreibung", intra_fields_get(head, "Kopf/Beschreibung"), 100);
    INTRA_TRY(put_orders(&w, head));
    for (int64_t i = 0; i < record->n_inspections; i++)
        INTRA_TRY(put_inspection(&w, &record->inspections[i]));
    INTRA_TRY(put_films(&w));
    intra_xml_end(&w.out, "Zustandsdatenkollektiv");
    intra_xml_end(&w.out, "Datenkollektive");
    intra_xml_end(&w.out, "Identifikation");
    status = intra_out_file_commit(&file, err);
done:
    intra_out_file_abandon(&file);
    return status;
}
