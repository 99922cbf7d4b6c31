/* EN 13508-2, text exchange: #A lines say how the file is written, #B01 and the line after it give the header, #C the
 * columns of the observations, #Z ends an inspection. */
#include "core/fileio.h"
#include "core/mem.h"
#include "export/record_internal.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MAX_FIELDS = 128 };

struct layout {
    char separator, quote;
};

struct row {
    char *fields[MAX_FIELDS];
    int n;
};

/* Cut a line into fields in place. */
static void split(char *line, const struct layout *layout, struct row *out)
{
    out->n = 0;
    while (out->n < MAX_FIELDS) {
        char *to = line, *from = line;
        out->fields[out->n++] = line;
        if (layout->quote && *from == layout->quote) {
            from++;
            while (*from && !(*from == layout->quote && from[1] != layout->quote)) {
                if (*from == layout->quote) from++;
                *to++ = *from++;
            }
            if (*from) from++;
        }
        while (*from && *from != layout->separator)
            *to++ = *from++;
        line = from + 1;
        if (!*from) {
            *to = 0;
            return;
        }
        *to = 0;
    }
}

static enum intra_status copy_row(const struct row *names, const struct row *values, struct intra_fields *out,
                                  struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    for (int i = 0; i < values->n; i++)
        if (*values->fields[i])
            INTRA_TRY(intra_fields_add(out, i < names->n ? names->fields[i] : "?", values->fields[i], err));
done:
    return status;
}

static enum intra_status read_header(struct intra_record *record, struct intra_inspection *p, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_fields *f = &p->source;
    const struct {
        const char *name;
        char **to;
    } texts[] = {
        {"AAA", &p->pipe},          {"AAB", &p->node_start}, {"AAD", &p->node_upstream}, {"AAF", &p->node_downstream},
        {"ABA", &p->standard},      {"ACA", &p->shape},      {"ACD", &p->material},      {"ABP", &p->purpose},
        {"ABH", &p->operator_name}, {"AAJ", &p->street},     {"AAN", &p->town}};
    const char *flow = intra_fields_get(f, "AAK");
    char date[11], day_time[9];
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        INTRA_TRY(intra_text_set(texts[i].to, intra_fields_get(f, texts[i].name), err));
    if (flow && toupper((unsigned char)*flow) == 'A') p->direction = INTRA_DIRECTION_DOWNSTREAM;
    if (flow && toupper((unsigned char)*flow) == 'B') p->direction = INTRA_DIRECTION_UPSTREAM;
    if (p->direction != INTRA_DIRECTION_UNKNOWN) {
        bool is_down = p->direction == INTRA_DIRECTION_DOWNSTREAM;
        if (!p->node_start)
            INTRA_TRY(intra_text_set(&p->node_start, is_down ? p->node_upstream : p->node_downstream, err));
        INTRA_TRY(intra_text_set(&p->node_end, is_down ? p->node_downstream : p->node_upstream, err));
    }
    if (intra_record_date(intra_fields_get(f, "ABF"), date)) INTRA_TRY(intra_text_set(&p->date, date, err));
    if (intra_record_day_time(intra_fields_get(f, "ABG"), day_time)) INTRA_TRY(intra_text_set(&p->time, day_time, err));
    p->height_m = intra_record_number_or_keep(record, "ACB", intra_fields_get(f, "ACB")) * 0.001;
    p->width_m = intra_record_number_or_keep(record, "ACC", intra_fields_get(f, "ACC")) * 0.001;
    p->inspected_length_m = intra_record_number_or_keep(record, "ABQ", intra_fields_get(f, "ABQ"));
    p->joint_spacing_m = intra_record_number_or_keep(record, "ACG", intra_fields_get(f, "ACG"));
    if (intra_fields_get(f, "ABS"))
        INTRA_TRY(intra_inspection_add_media(p, INTRA_MEDIA_VIDEO, intra_fields_get(f, "ABS"), NULL, err));
done:
    return status;
}

static enum intra_status read_observation(struct intra_record *record, struct intra_inspection *p,
                                          const struct row *names, const struct row *values, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_observation *o;
    const char *time, *bar, *joint, *quantity[2];
    INTRA_TRY(intra_inspection_add_observation(p, &o, err));
    INTRA_TRY(copy_row(names, values, &o->source, err));
    o->system = INTRA_CODES_EN13508_2;
    o->distance_m = intra_record_number_or_keep(record, "distance I", intra_fields_get(&o->source, "I"));
    quantity[0] = intra_fields_get(&o->source, "D");
    quantity[1] = intra_fields_get(&o->source, "E");
    for (int i = 0; i < 2; i++) /* a name stands here with nodes: no number, and none missing */
        o->quantity[i] = intra_record_number(quantity[i]);
    intra_record_clock_span(intra_record_clock(intra_fields_get(&o->source, "G")),
                            intra_record_clock(intra_fields_get(&o->source, "H")), &o->clock_from_rad,
                            &o->clock_to_rad);
    joint = intra_fields_get(&o->source, "K");
    o->is_at_joint = joint && (toupper((unsigned char)*joint) == 'A' || intra_record_bool(joint));
    time = intra_fields_get(&o->source, "N");
    bar = time ? strrchr(time, '|') : NULL;
    o->time_s = intra_record_video_time(bar ? bar + 1 : time);
    INTRA_TRY(intra_text_set(&o->code, intra_fields_get(&o->source, "A"), err));
    INTRA_TRY(intra_text_set(&o->characterisation[0], intra_fields_get(&o->source, "B"), err));
    INTRA_TRY(intra_text_set(&o->characterisation[1], intra_fields_get(&o->source, "C"), err));
    INTRA_TRY(intra_text_set(&o->continuous_id, intra_fields_get(&o->source, "J"), err));
    INTRA_TRY(intra_text_set(&o->remark, intra_fields_get(&o->source, "F"), err));
    if (intra_fields_get(&o->source, "M"))
        INTRA_TRY(intra_observation_add_media(o, INTRA_MEDIA_PICTURE, intra_fields_get(&o->source, "M"), NULL, err));
done:
    return status;
}

/* "#A3=;" and the like. */
static void read_layout(const char *line, struct layout *layout, char *encoding, size_t n)
{
    const char *value = line + 4;
    if (line[1] != 'A' || line[3] != '=') return;
    if (line[2] == '1') snprintf(encoding, n, "%.*s", (int)strcspn(value, " \r"), value);
    if (line[2] == '3' && *value)
        layout->separator = strncasecmp(value, "TAB", 3) == 0 || *value == '\\' ? '\t' : *value;
    if (line[2] == '5') layout->quote = *value;
}

static enum intra_status read_lines(char *text, struct intra_record *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct layout layout = {',', '"'};
    struct row names = {.n = 0}, columns = {.n = 0}, values;
    struct intra_inspection *p = NULL;
    char encoding[40] = "";
    bool wants_header = false;
    long number = 0;
    for (char *line = text, *next; line && *line; line = next) {
        size_t n = strcspn(line, "\n");
        next = line[n] ? line + n + 1 : NULL;
        line[n] = 0;
        if (n > 0 && line[n - 1] == '\r') line[n - 1] = 0;
        number++;
        if (strncmp(line, "#A", 2) == 0 && strlen(line) >= 4) {
            read_layout(line, &layout, encoding, sizeof encoding);
        } else if (strncmp(line, "#B", 2) == 0 && strchr(line, '=')) {
            if (strncmp(line, "#B01", 4) == 0 || !p) {
                INTRA_TRY(intra_record_add_inspection(out, &p, err));
                columns.n = 0;
            }
            split(strchr(line, '=') + 1, &layout, &names);
            wants_header = true;
        } else if (strncmp(line, "#C=", 3) == 0) {
            split(line + 3, &layout, &columns);
        } else if (line[0] == '#') {
            if (line[1] == 'Z') p = NULL, wants_header = false; /* a header without its row */
        } else if (wants_header) {
            split(line, &layout, &values);
            INTRA_TRY(copy_row(&names, &values, &p->source, err));
            wants_header = false;
        } else if (*line && p && columns.n > 0) {
            split(line, &layout, &values);
            INTRA_TRY(read_observation(out, p, &columns, &values, err));
            if (!p->observations[p->n_observations - 1].code) {
                intra_record_refused(out, "line %ld: no code", number);
                bool *is_gone = intra_alloc((size_t)p->n_observations, sizeof *is_gone);
                if (!is_gone) {
                    status = INTRA_FAIL(err, INTRA_E_MEM, "no memory for a flag");
                    goto done;
                }
                is_gone[p->n_observations - 1] = true;
                intra_inspection_remove_observations(p, is_gone);
                intra_free(is_gone);
            }
        } else if (*line) {
            intra_record_refused(out, "line %ld stands outside an inspection", number);
        }
    }
    for (int64_t i = 0; i < out->n_inspections; i++) {
        char id[24];
        snprintf(id, sizeof id, "%lld", (long long)i + 1); /* the format has none: the place in the file */
        INTRA_TRY(intra_text_set(&out->inspections[i].id, id, err));
        INTRA_TRY(read_header(out, &out->inspections[i], err));
        INTRA_TRY(intra_record_join_continuous(out, &out->inspections[i], err));
    }
done:
    return status;
}

enum intra_status intra_record_read_en_text(const char *path, struct intra_record *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    char *text = NULL;
    size_t size;
    INTRA_TRY(intra_record_text(path, NULL, &text, &size, err));
    INTRA_TRY(read_lines(text, out, err));
done:
    intra_free(text);
    return status;
}

/* ---- out */

static void put(FILE *to, const char *text, bool is_first)
{
    bool is_quoted = text && text[strcspn(text, ",\"")] != 0;
    if (!is_first) fputc(',', to);
    if (!text) return;
    if (is_quoted) fputc('"', to);
    for (; *text; text++) {
        if (*text == '"') fputc('"', to);
        fputc(*text == '\n' || *text == '\r' ? ' ' : *text, to);
    }
    if (is_quoted) fputc('"', to);
}

static void put_number(FILE *to, double value, const char *otherwise, bool is_first)
{
    char text[32];
    intra_record_number_text(value, text);
    put(to, *text ? text : otherwise, is_first);
}

static void write_header(FILE *to, const struct intra_inspection *p, bool is_same)
{
    char number[4][32];
    const double values[] = {p->height_m * 1000, p->width_m * 1000, p->inspected_length_m, p->joint_spacing_m};
    const char *const direction[] = {"C", "A", "B"};
    const char *const video = p->n_media > 0 ? p->media[0].file : NULL;
    for (int i = 0; i < 4; i++)
        snprintf(number[i], sizeof number[i], isfinite(values[i]) ? "%.12g" : "", values[i]);
    const char *const fields[][2] = {{"AAA", p->pipe},          {"AAB", p->node_start},
                                     {"AAD", p->node_upstream}, {"AAF", p->node_downstream},
                                     {"AAJ", p->street},        {"AAK", direction[p->direction]},
                                     {"AAN", p->town},          {"ABA", p->standard},
                                     {"ABF", p->date},          {"ABG", p->time},
                                     {"ABH", p->operator_name}, {"ABP", p->purpose},
                                     {"ABQ", number[2]},        {"ABS", video},
                                     {"ACA", p->shape},         {"ACB", number[0]},
                                     {"ACC", number[1]},        {"ACD", p->material},
                                     {"ACG", number[3]}};
    const int n = (int)(sizeof fields / sizeof fields[0]);
    for (int line = 0; line < 2; line++) {
        if (line == 0) fputs("#B01=", to);
        for (int i = 0; i < n; i++) {
            const char *own = is_same ? intra_fields_get(&p->source, fields[i][0]) : NULL;
            put(to, line == 0 ? fields[i][0] : fields[i][1] && *fields[i][1] ? fields[i][1] : own, i == 0);
        }
        for (int k = 0; is_same && k < p->source.n; k++) {
            bool is_known = false;
            for (int i = 0; i < n; i++)
                is_known = is_known || strcasecmp(fields[i][0], p->source.items[k].name) == 0;
            if (!is_known) put(to, line == 0 ? p->source.items[k].name : p->source.items[k].value, false);
        }
        fputs("\r\n", to);
    }
}

static void write_row(FILE *to, const struct intra_observation *o, char role, bool is_same)
{
    const struct intra_fields none = {0}, *source = !is_same                            ? &none
                                                    : role == 'B' && o->finish_source.n ? &o->finish_source
                                                                                        : &o->source;
    bool is_finish = role == 'B', is_ring = o->clock_to_rad - o->clock_from_rad >= 2 * M_PI - 1e-9;
    char mark[64] = "", at[16];
    if (role)
        snprintf(mark, sizeof mark, "%c%s", role, o->continuous_id);
    else if (intra_record_is_mark(o->continuous_id))
        snprintf(mark, sizeof mark, "%s", o->continuous_id);
    if (mark[0] == 'S') mark[0] = 'A'; /* marks of PACP that found no partner */
    if (mark[0] == 'F') mark[0] = 'B';
    intra_record_time_text(is_finish ? (double)NAN : o->time_s, at);
    put_number(to, is_finish ? o->distance_to_m : o->distance_m, intra_fields_get(source, "I"), true);
    put(to, o->code, false);
    put(to, o->characterisation[0], false);
    put(to, o->characterisation[1], false);
    put_number(to, o->quantity[0], intra_fields_get(source, "D"), false);
    put_number(to, o->quantity[1], intra_fields_get(source, "E"), false);
    put(to, is_finish ? intra_fields_get(source, "F") : o->remark, false);
    put_number(to,
               is_ring                    ? 12
               : isnan(o->clock_from_rad) ? (double)NAN
                                          : intra_clock_to_hours(o->clock_from_rad),
               NULL, false);
    put_number(to,
               is_ring                  ? 12
               : isnan(o->clock_to_rad) ? (double)NAN
                                        : intra_clock_to_hours(o->clock_to_rad),
               NULL, false);
    put(to, mark, false);
    put(to, o->is_at_joint ? "A" : NULL, false);
    put(to, !is_finish && o->n_media > 0 ? o->media[0].file : NULL, false);
    put(to, *at ? at : intra_fields_get(source, "N"), false);
    put(to, intra_fields_get(source, "L"), false);
    put(to, intra_fields_get(source, "O"), false);
    fputs("\r\n", to);
}

enum intra_status intra_record_write_en_text(const struct intra_record *record, const char *path,
                                             struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_out_file file = {0};
    bool is_same = record->format == INTRA_RECORD_EN_TEXT;
    INTRA_TRY(intra_out_file_open(&file, path, err));
    fputs("#A1=UTF-8\r\n#A2=en\r\n#A3=,\r\n#A4=.\r\n#A5=\"\r\n#A6=2010\r\n", file.stream);
    for (int64_t i = 0; i < record->n_inspections; i++) {
        const struct intra_inspection *p = &record->inspections[i];
        write_header(file.stream, p, is_same);
        fputs("#C=I,A,B,C,D,E,F,G,H,J,K,M,N,L,O\r\n", file.stream);
        for (int64_t k = 0; k < p->n_observations; k++) {
            const struct intra_observation *o = &p->observations[k];
            bool is_pair = o->continuous_id && !intra_record_is_mark(o->continuous_id) && isfinite(o->distance_to_m);
            write_row(file.stream, o, is_pair ? 'A' : 0, is_same);
            if (is_pair) write_row(file.stream, o, 'B', is_same);
        }
        fputs("#Z\r\n", file.stream);
    }
    INTRA_TRY(intra_out_file_commit(&file, err));
done:
    intra_out_file_abandon(&file);
    return status;
}
