/* What readers of records share: encodings, numbers, dates, times, joining continuous defects. */
#include "core/fileio.h"
#include "core/mem.h"
#include "core/units.h"
#include "export/record_internal.h"

#include <ctype.h>
#include <errno.h>
#include <iconv.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_utf8(const char *bytes, size_t size)
{
    const unsigned char *p = (const unsigned char *)bytes, *end = p + size;
    while (p < end) {
        int more = *p < 0x80                 ? 0
                   : *p >= 0xc2 && *p < 0xe0 ? 1
                   : *p >= 0xe0 && *p < 0xf0 ? 2
                   : *p >= 0xf0 && *p < 0xf5 ? 3
                                             : -1;
        if (more < 0 || end - p <= more) return false;
        if ((*p == 0xe0 && p[1] < 0xa0) || (*p == 0xed && p[1] > 0x9f) || (*p == 0xf0 && p[1] < 0x90) ||
            (*p == 0xf4 && p[1] > 0x8f))
            return false;
        for (int i = 1; i <= more; i++)
            if ((p[i] & 0xc0) != 0x80) return false;
        p += more + 1;
    }
    return true;
}

static enum intra_status convert(const char *encoding, const char *bytes, size_t size, char **out, size_t *out_size,
                                 struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    size_t cap = size > (SIZE_MAX - 16) / 4 ? 0 : 3 * size + 16, left = size, room = cap - 1;
    char *text = NULL, *to, *from = (char *)(uintptr_t)bytes;
    iconv_t how = iconv_open("UTF-8", encoding);
    if (how == (iconv_t)-1) return INTRA_FAIL(err, INTRA_E_FORMAT, "the text encoding '%.40s' is not known", encoding);
    INTRA_TRY(INTRA_ALLOC(text, cap, err));
    to = text;
    while (left > 0 && room > 3) {
        if (iconv(how, &from, &left, &to, &room) != (size_t)-1) break;
        if (errno == E2BIG) break;
        memcpy(to, "\xef\xbf\xbd", 3);
        to += 3;
        room -= 3;
        from++;
        left--;
    }
    *to = 0;
    *out = text;
    *out_size = (size_t)(to - text);
    text = NULL;
done:
    iconv_close(how);
    intra_free(text);
    return status;
}

enum intra_status intra_record_to_utf8(const char *bytes, size_t size, const char *encoding, char **out,
                                       size_t *out_size, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const unsigned char *b = (const unsigned char *)bytes;
    const char *from = encoding ? encoding : "WINDOWS-1252";
    *out = NULL;
    if (size >= 2 && ((b[0] == 0xff && b[1] == 0xfe) || (b[0] != 0 && b[1] == 0 && size % 2 == 0)))
        from = "UTF-16LE";
    else if (size >= 2 && ((b[0] == 0xfe && b[1] == 0xff) || (b[0] == 0 && b[1] != 0 && size % 2 == 0)))
        from = "UTF-16BE";
    else if (is_utf8(bytes, size))
        from = NULL;
    else if (strcasecmp(from, "UTF-8") == 0 || strcasecmp(from, "ISO-8859-1") == 0)
        from = "WINDOWS-1252"; /* what files that say so really hold */
    if (from) {
        INTRA_TRY(convert(from, bytes, size, out, out_size, err));
    } else {
        INTRA_TRY(INTRA_ALLOC(*out, size + 1, err));
        if (size) memcpy(*out, bytes, size);
        *out_size = size;
    }
    if (*out_size >= 3 && memcmp(*out, "\xef\xbb\xbf", 3) == 0) {
        memmove(*out, *out + 3, *out_size - 2);
        *out_size -= 3;
    }
    for (size_t i = 0; i < *out_size; i++)
        if ((*out)[i] == 0) (*out)[i] = ' ';
done:
    return status;
}

enum intra_status intra_record_text(const char *path, const char *encoding, char **out, size_t *out_size,
                                    struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    char *bytes = NULL;
    size_t size = 0;
    *out = NULL;
    INTRA_TRY(intra_read_file(path, INTRA_RECORD_MAX_BYTES, &bytes, &size, err));
    INTRA_TRY(intra_record_to_utf8(bytes, size, encoding, out, out_size, err));
done:
    intra_free(bytes);
    return status;
}

double intra_record_number(const char *text)
{
    char copy[64];
    const char *end;
    double value;
    size_t n;
    if (!text) return NAN;
    while (isspace((unsigned char)*text))
        text++;
    n = strlen(text);
    while (n > 0 && isspace((unsigned char)text[n - 1]))
        n--;
    if (n == 0 || n >= sizeof copy) return NAN;
    memcpy(copy, text, n);
    copy[n] = 0;
    for (char *c = copy; *c; c++)
        if (*c == ',') *c = '.';
    return intra_scan_number(copy, &end, &value) && *end == 0 ? value : (double)NAN;
}

double intra_record_number_or_keep(struct intra_record *record, const char *field, const char *text)
{
    double value = intra_record_number(text);
    if (isnan(value) && text)
        for (const char *c = text; *c; c++)
            if (!isspace((unsigned char)*c)) {
                intra_record_kept(record, "%s '%.40s' is no number", field, text);
                break;
            }
    return value;
}

bool intra_record_bool(const char *text)
{
    static const char *const yes[] = {"true", "yes", "y", "j", "ja", "1", "-1", "x", "1.0", "-1.0"};
    for (size_t i = 0; text && i < sizeof yes / sizeof yes[0]; i++)
        if (strcasecmp(text, yes[i]) == 0) return true;
    return false;
}

double intra_record_metres(double value, bool is_imperial)
{
    return is_imperial ? value * 0.3048 : value;
}

double intra_record_clock(const char *text)
{
    double hours = intra_record_number(text);
    return hours >= 0 && hours <= 12 ? intra_clock_from_hours(hours) : (double)NAN;
}

void intra_record_clock_span(double from_rad, double to_rad, double *out_from_rad, double *out_to_rad)
{
    *out_from_rad = from_rad;
    *out_to_rad = to_rad;
    if (isnan(from_rad) && !isnan(to_rad)) {
        *out_from_rad = to_rad;
        *out_to_rad = NAN;
    } else if (!isnan(from_rad) && from_rad == to_rad) {
        *out_from_rad = 0;
        *out_to_rad = 2 * M_PI;
    }
}

static bool date_of(int year, int month, int day, char out[11])
{
    if (year < 1900 || year > 2999 || month < 1 || month > 12 || day < 1 || day > 31) return false;
    out[0] = (char)('0' + year / 1000);
    out[1] = (char)('0' + year / 100 % 10);
    out[2] = (char)('0' + year / 10 % 10);
    out[3] = (char)('0' + year % 10);
    out[4] = out[7] = '-';
    out[5] = (char)('0' + month / 10);
    out[6] = (char)('0' + month % 10);
    out[8] = (char)('0' + day / 10);
    out[9] = (char)('0' + day % 10);
    out[10] = 0;
    return true;
}

/* Up to three numbers of at most `most` digits with one of `separators` between; how many, and where it ended. */
static int split_numbers(const char *text, const char *separators, int most, int out[3], const char **end)
{
    int n = 0;
    while (isspace((unsigned char)*text))
        text++;
    while (n < 3) {
        int value = 0, digits = 0;
        for (; isdigit((unsigned char)*text) && digits < most; text++, digits++)
            value = 10 * value + (*text - '0');
        if (digits == 0) break;
        out[n++] = value;
        if (n == 3 || !*text || !strchr(separators, *text)) break;
        text++;
    }
    *end = text;
    return n;
}

bool intra_record_date(const char *text, char out[11])
{
    int v[3] = {0};
    const char *end;
    if (!text) return false;
    if (split_numbers(text, "-./", 8, v, &end) == 3) {
        if (v[0] >= 1900) return date_of(v[0], v[1], v[2], out);
        if (v[2] < 100) v[2] += v[2] < 70 ? 2000 : 1900;
        if (v[1] > 12) return date_of(v[2], v[0], v[1], out);
        return date_of(v[2], v[1], v[0], out);
    }
    if (v[0] >= 19000000) return date_of(v[0] / 10000, v[0] / 100 % 100, v[0] % 100, out);
    return false;
}

bool intra_record_day_time(const char *text, char out[9])
{
    int v[3] = {0};
    const char *end, *colon = text ? strchr(text, ':') : NULL;
    if (!colon) return false;
    while (colon > text && isdigit((unsigned char)colon[-1]))
        colon--;
    if (split_numbers(colon, ":", 2, v, &end) < 2 || v[0] > 23 || v[1] > 59 || v[2] > 59) return false;
    for (int i = 0; i < 3; i++) {
        out[3 * i] = (char)('0' + v[i] / 10);
        out[3 * i + 1] = (char)('0' + v[i] % 10);
        out[3 * i + 2] = i < 2 ? ':' : 0;
    }
    return true;
}

double intra_record_video_time(const char *text)
{
    int v[3] = {0}, n;
    const char *end, *rest;
    double fraction = 0;
    if (!text) return NAN;
    n = split_numbers(text, ":", 9, v, &end);
    if (n == 0) return NAN;
    if (n == 1) { /* digits only */
        if (*end && !isspace((unsigned char)*end)) return NAN;
        return v[0] / 10000 * 3600.0 + v[0] / 100 % 100 * 60 + v[0] % 100;
    }
    if (*end == '.' || *end == ',') {
        char decimals[32] = "0.";
        size_t digits = strspn(end + 1, "0123456789");
        if (digits > 0 && digits < 20) {
            memcpy(decimals + 2, end + 1, digits);
            if (!intra_scan_number(decimals, &rest, &fraction)) fraction = 0;
        }
    }
    return (n == 3 ? v[0] * 3600.0 + v[1] * 60.0 + v[2] : v[0] * 60.0 + v[1]) + fraction;
}

void intra_record_time_text(double time_s, char out[16])
{
    long whole = isfinite(time_s) && time_s >= 0 && time_s < 359999 ? (long)floor(time_s + 0.0005) : -1;
    int ms = whole < 0 ? 0 : (int)lround((time_s - (double)whole) * 1000);
    out[0] = 0;
    if (whole < 0) return;
    if (ms > 0)
        snprintf(out, 16, "%02d:%02d:%02d.%03d", (int)(whole / 3600 % 100), (int)(whole / 60 % 60), (int)(whole % 60),
                 ms % 1000);
    else
        snprintf(out, 16, "%02d:%02d:%02d", (int)(whole / 3600 % 100), (int)(whole / 60 % 60), (int)(whole % 60));
}

void intra_record_number_text(double value, char out[32])
{
    out[0] = 0;
    if (!isfinite(value)) return;
    for (int digits = 12; digits <= 17; digits++) {
        double back;
        snprintf(out, 32, "%.*g", digits, value);
        for (char *c = out; *c; c++)
            if (*c == ',') *c = '.';
        if (intra_scan_number(out, NULL, &back) && back == value) return;
    }
}

static void say(char text[160], const char *format, va_list args)
{
    if (text[0]) return;
    vsnprintf(text, 160, format, args);
    for (size_t n = strlen(text); n > 0 && !is_utf8(text, strlen(text)); n--)
        text[n - 1] = 0; /* a character cut in two */
}

void intra_record_kept(struct intra_record *record, const char *format, ...)
{
    va_list args;
    record->counts.kept++;
    va_start(args, format);
    say(record->counts.first_kept, format, args);
    va_end(args);
}

void intra_record_refused(struct intra_record *record, const char *format, ...)
{
    va_list args;
    record->counts.refused++;
    va_start(args, format);
    say(record->counts.first_refused, format, args);
    va_end(args);
}

bool intra_record_has_word(const char *text, const char *word)
{
    size_t n = strlen(word);
    for (; *text; text++)
        if (strncasecmp(text, word, n) == 0) return true;
    return false;
}

/* ---- continuous defects */

struct mark {
    int64_t row;
    long number;
    char role; /* S, F, C */
    const char *code;
};

bool intra_record_is_mark(const char *continuous_id)
{
    return continuous_id && isalpha((unsigned char)continuous_id[0]);
}

static bool parse_mark(const char *text, struct mark *out)
{
    char letter = text ? (char)toupper((unsigned char)text[0]) : 0;
    size_t digits = letter ? strspn(text + 1, "0123456789") : 0;
    if (!letter || !strchr("SFABC", letter) || digits == 0 || digits > 6 || text[1 + digits]) return false;
    out->number = strtol(text + 1, NULL, 10);
    out->role = letter == 'A' ? 'S' : letter == 'B' ? 'F' : letter;
    return true;
}

static int by_number(const void *a, const void *b)
{
    const struct mark *x = a, *y = b;
    if (x->number != y->number) return x->number < y->number ? -1 : 1;
    int order = strcmp(x->code, y->code);
    return order ? order : x->row < y->row ? -1 : x->row > y->row;
}

/* The finish row ends what begins at `from`; a change row hands over only its place. */
static enum intra_status join(struct intra_observation *from, struct intra_observation *to, bool is_finish, long number,
                              struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    char text[16];
    snprintf(text, sizeof text, "%ld", number);
    from->distance_to_m = to->distance_m;
    INTRA_TRY(intra_text_set(&from->continuous_id, text, err));
    if (is_finish) {
        for (int i = 0; i < to->n_media; i++) {
            struct intra_media *added;
            INTRA_TRY(intra_observation_add_media(from, to->media[i].kind, to->media[i].file, &added, err));
            added->source = to->media[i].source;
            to->media[i].source = (struct intra_fields){0};
        }
        from->finish_source = to->source;
        to->source = (struct intra_fields){0};
    }
done:
    return status;
}

enum intra_status intra_record_join_continuous(struct intra_record *record, struct intra_inspection *inspection,
                                               struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    int64_t n = inspection->n_observations, n_marks = 0;
    struct mark *marks = NULL;
    bool *is_gone = NULL;
    struct intra_observation *list = inspection->observations;
    if (n == 0) return INTRA_OK;
    INTRA_TRY(INTRA_ALLOC(marks, (size_t)n, err));
    INTRA_TRY(INTRA_ALLOC(is_gone, (size_t)n, err));
    for (int64_t i = 0; i < n; i++) {
        struct mark m = {.row = i, .code = list[i].code ? list[i].code : ""};
        if (!list[i].continuous_id || !*list[i].continuous_id) continue;
        if (parse_mark(list[i].continuous_id, &m))
            marks[n_marks++] = m;
        else if (!isfinite(list[i].distance_to_m)) /* with an end it is one whole defect already, and its number */
            intra_record_kept(record, "continuous defect '%.20s' is neither start nor finish", list[i].continuous_id);
    }
    qsort(marks, (size_t)n_marks, sizeof *marks, by_number);
    for (int64_t i = 0; i < n_marks; i++) {
        const struct mark *m = &marks[i], *next = m + 1;
        bool is_pair = i + 1 < n_marks && next->number == m->number && strcmp(next->code, m->code) == 0 &&
                       m->role != 'F' && next->role != 'S';
        if (is_pair) {
            INTRA_TRY(join(&list[m->row], &list[next->row], next->role == 'F', m->number, err));
            if (next->role == 'F') {
                is_gone[next->row] = true;
                i++;
            }
        } else if (intra_record_is_mark(list[m->row].continuous_id)) {
            intra_record_kept(record, "continuous defect %.20s (%.20s) has no partner", list[m->row].continuous_id,
                              m->code);
        }
    }
    intra_inspection_remove_observations(inspection, is_gone);
done:
    intra_free(marks);
    intra_free(is_gone);
    return status;
}
