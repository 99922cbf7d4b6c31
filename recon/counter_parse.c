/* One walk over the line. Runs of digits joined by '.', ':', '/' and '-' are taken whole: two parts with a point or comma
 * between are a number, anything longer or otherwise joined is a date, a time or a pair of node names. What follows a
 * number decides on its unit, what precedes it on its label. */
#include "recon/counter_parse.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { LINE_MAX_BYTES = 256, MAX_WHOLE = 5, MAX_DECIMALS = 3 };
static const double foot_m = 0.3048;

/* Beginnings of the words that stand before a distance, and before other numbers; German, English, French, Spanish. */
static const char *const distance_labels[] = {"lz",    "dist", "len",  "leng", "pos", "sta",  "met", "cha",
                                              "weg",   "entf", "str",  "coun", "cnt", "long", "run", "prog",
                                              "lange", "feet", "abst"};
static const char *const other_labels[] = {"dn",   "hohe", "hoehe", "dia",  "prof", "kreis", "absch", "sect", "mh",
                                           "node", "slop", "incl",  "neig", "grad", "temp",  "press", "speed", "date",
                                           "time", "roll", "tilt",  "heig", "widt", "size",  "brei",  "von",  "bis",
                                           "nr",   "no",   "rohr",  "pipe", "hal",  "id",    "uhr",   "gef",  "durch"};

double intra_counter_metres(double value, enum intra_counter_unit unit)
{
    return unit == INTRA_COUNTER_FOOT ? value * foot_m : value;
}

const char *intra_counter_unit_name(enum intra_counter_unit unit)
{
    return unit == INTRA_COUNTER_METRE ? "m" : unit == INTRA_COUNTER_FOOT ? "ft" : "";
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Letters, and every byte of a letter beyond ASCII. */
static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || ((unsigned char)c & 0x80);
}

static bool is_joint(char c)
{
    return c != 0 && strchr(".,:/-", c) != NULL;
}

/* End of the chain of digits that starts at `at`: digits, and between them single joints, after which spaces are let
 * through, as wide letters are read so: "14: 03", "30.01. 2025". */
static int chain_end(const char *text, int at)
{
    for (;;) {
        int next;
        while (is_digit(text[at]))
            at++;
        next = at;
        if (!is_joint(text[next])) return at;
        next++;
        while (text[next] == ' ')
            next++;
        if (!is_digit(text[next])) return at;
        at = next;
    }
}

/* Whole digits and decimals of text[at..end); false when it is no plain number. */
static bool read_number(const char *text, int at, int end, struct intra_counter_text *out)
{
    double value = 0, step = 1;
    int i = at, whole = 0, decimals = 0;
    for (; i < end && is_digit(text[i]); i++, whole++)
        value = 10 * value + (text[i] - '0');
    if (i < end) {
        if (text[i] != '.' && text[i] != ',') return false;
        for (i++; i < end && is_digit(text[i]); i++, decimals++)
            value += (text[i] - '0') * (step /= 10);
    }
    if (i != end || whole > MAX_WHOLE || decimals > MAX_DECIMALS) return false;
    *out = (struct intra_counter_text){.value = round(value * 1000) / 1000, .whole_digits = whole, .decimals = decimals,
                                       .at = at, .length = end - at};
    return true;
}

/* Unit after the number; false when what follows says that it is something else. *out_end: after the unit. */
static bool read_unit(const char *text, int at, enum intra_counter_unit *unit, int *out_end)
{
    static const struct {
        const char *name;
        enum intra_counter_unit unit;
    } units[] = {{"feet", INTRA_COUNTER_FOOT}, {"ft", INTRA_COUNTER_FOOT}, {"m", INTRA_COUNTER_METRE},
                 /* what becomes of a small m */
                 {"rn", INTRA_COUNTER_METRE}, {"in", INTRA_COUNTER_METRE}, {"im", INTRA_COUNTER_METRE},
                 {"nm", INTRA_COUNTER_METRE}, {"ni", INTRA_COUNTER_METRE}, {"n", INTRA_COUNTER_METRE},
                 /* and of one with the edge of its box behind it */
                 {"mi", INTRA_COUNTER_METRE}, {"mf", INTRA_COUNTER_METRE}, {"ml", INTRA_COUNTER_METRE},
                 {"mj", INTRA_COUNTER_METRE}, {"me", INTRA_COUNTER_METRE}, {"mw", INTRA_COUNTER_METRE}};
    int word = at, end;
    while (text[word] == ' ')
        word++;
    *unit = INTRA_COUNTER_NO_UNIT;
    *out_end = at;
    if (text[word] == '%' || text[word] == '"' || strncmp(text + word, "\xc2\xb0", 2) == 0) return false;
    if (text[word] == '\'' && word == at) {
        *unit = INTRA_COUNTER_FOOT;
        *out_end = word + 1;
        return true;
    }
    for (end = word; is_letter(text[end]) || is_digit(text[end]); end++)
        continue;
    for (unsigned i = 0; i < sizeof units / sizeof units[0]; i++)
        if (end - word == (int)strlen(units[i].name) && strncasecmp(text + word, units[i].name, (size_t)(end - word)) == 0 &&
            text[end] != '/') {
            *unit = units[i].unit;
            *out_end = end;
            return true;
        }
    /* Another unit or a word: glued to the number, or short, like mm, cm, m2, Uhr. */
    return end == word || (word > at && end - word > 3);
}

/* A word of one to three letters that is no unit anybody prints. */
static bool is_unreadable_unit(const char *text, int at)
{
    static const char *const units[] = {"mm", "cm", "km", "m2", "m3", "Uhr", "bar", "in"};
    int end;
    while (text[at] == ' ')
        at++;
    for (end = at; is_letter(text[end]) || is_digit(text[end]); end++)
        continue;
    for (unsigned i = 0; i < sizeof units / sizeof units[0]; i++)
        if (end - at == (int)strlen(units[i]) && strncasecmp(text + at, units[i], (size_t)(end - at)) == 0) return false;
    return end > at && end - at <= 3;
}

static bool starts_with_one_of(const char *word, int n, const char *const *list, int count)
{
    for (int i = 0; i < count; i++) {
        int m = (int)strlen(list[i]);
        if (n >= m && strncasecmp(word, list[i], (size_t)m) == 0 && (m > 2 || n <= m + 1)) return true;
    }
    return false;
}

enum label { LABEL_NONE, LABEL_DISTANCE, LABEL_OTHER };

/* What stands before the number: its sign, and the word before that. *out_begin: where sign or label begin. */
static enum label read_label(const char *text, int at, bool *is_negative, int *out_begin)
{
    int i = at, end;
    *is_negative = false;
    *out_begin = at;
    while (i > 0 && text[i - 1] == ' ')
        i--;
    if (i > 0 && (text[i - 1] == '+' || text[i - 1] == '-')) {
        bool is_arrow = i > 1 && text[i - 2] == '<';
        if (is_arrow) return LABEL_OTHER;
        *is_negative = text[i - 1] == '-' && i == at;
        *out_begin = --i;
        while (i > 0 && text[i - 1] == ' ')
            i--;
    }
    if (i > 0 && text[i - 1] == '>') return LABEL_OTHER; /* -> 4711: a node */
    while (i > 0 && (text[i - 1] == ':' || text[i - 1] == '=' || text[i - 1] == '.' || text[i - 1] == ' ' ||
                     text[i - 1] == ';'))
        i--;
    for (end = i; i > 0 && (is_letter(text[i - 1]) || is_digit(text[i - 1]));)
        i--;
    while (i < end && is_digit(text[i]))
        i++;
    if (i == end) return LABEL_NONE;
    *out_begin = i;
    if (starts_with_one_of(text + i, end - i, other_labels, sizeof other_labels / sizeof other_labels[0]))
        return LABEL_OTHER;
    if (starts_with_one_of(text + i, end - i, distance_labels, sizeof distance_labels / sizeof distance_labels[0]))
        return LABEL_DISTANCE;
    *out_begin = at;
    return LABEL_NONE;
}

/* A word of three letters and more in text[from..to). */
static bool has_word(const char *text, int from, int to)
{
    int n = 0;
    for (int i = from; i < to; i++) {
        n = is_letter(text[i]) ? n + 1 : 0;
        if (n == 3) return true;
    }
    return false;
}

static enum intra_counter_rank rank_of(const struct intra_counter_text *t, enum label label, bool has_words, bool is_alone,
                                       bool is_padded)
{
    if (label == LABEL_OTHER) return INTRA_COUNTER_NONE;
    if (label == LABEL_DISTANCE && t->unit) return INTRA_COUNTER_BOTH;
    if (label == LABEL_DISTANCE) return t->decimals ? INTRA_COUNTER_LABELLED : INTRA_COUNTER_NONE;
    if (has_words) return INTRA_COUNTER_NONE; /* "crack 0.5 m wide" */
    if (t->unit) return t->decimals ? INTRA_COUNTER_UNIT : INTRA_COUNTER_WHOLE;
    if (is_padded) return INTRA_COUNTER_LABELLED;
    return is_alone && t->decimals && t->decimals < MAX_DECIMALS ? INTRA_COUNTER_BARE : INTRA_COUNTER_NONE;
}

/* The number of text[at..end) with everything around it. */
static bool read_candidate(const char *text, int at, int end, struct intra_counter_text *out)
{
    bool is_negative, is_alone = true, is_padded;
    int begin, after, n = (int)strlen(text);
    enum label label;
    if (!read_number(text, at, end, out)) return false;
    if (at > 0 && (text[at - 1] == '.' || text[at - 1] == ',')) return false; /* what stood before the point was lost */
    /* Only counters are filled up with zeros: +0004.60. Then a unit that cannot be read does not matter. */
    is_padded = text[at] == '0' && out->whole_digits >= 4 && out->decimals > 0;
    if (!read_unit(text, end, &out->unit, &after) && !(is_padded && is_unreadable_unit(text, end))) return false;
    label = read_label(text, at, &is_negative, &begin);
    for (int i = 0; i < n; i++)
        if ((i < begin || i >= after) && (is_letter(text[i]) || is_digit(text[i]))) is_alone = false;
    out->rank = rank_of(out, label, has_word(text, 0, begin) || has_word(text, after, n), is_alone, is_padded);
    if (is_negative) out->value = -out->value;
    return out->rank != INTRA_COUNTER_NONE;
}

/* Whether a whole number stands before, with nothing but spaces between: "6 08 m" has lost its point. */
static bool follows_digits(const char *text, int at)
{
    int i = at;
    while (i > 0 && text[i - 1] == ' ')
        i--;
    if (i == at || i == 0 || !is_digit(text[i - 1])) return false;
    while (i > 0 && is_digit(text[i - 1]))
        i--;
    return i == 0 || text[i - 1] == ' ' || text[i - 1] == '+' || text[i - 1] == '-';
}

/* A letter O among digits is a zero: "O.52", "1O.3". */
static void mend_zeros(char *line)
{
    for (int i = 0; line[i]; i++) {
        bool is_o = line[i] == 'O' || line[i] == 'o';
        bool is_after = i > 0 && (is_digit(line[i - 1]) || line[i - 1] == '.' || line[i - 1] == ',');
        bool is_before = is_digit(line[i + 1]) || ((line[i + 1] == '.' || line[i + 1] == ',') && is_digit(line[i + 2]));
        bool is_free = i == 0 || !is_letter(line[i - 1]);
        if (is_o && ((is_before && is_free) || (is_after && !is_letter(line[i + 1])))) line[i] = '0';
    }
}

/* 0004.7: only counters are filled up so, even where a letter is glued to the front. */
static bool starts_padded(const char *text)
{
    int n = 0;
    while (is_digit(text[n]))
        n++;
    return text[0] == '0' && n >= 4 && n <= MAX_WHOLE && (text[n] == '.' || text[n] == ',') && is_digit(text[n + 1]);
}

bool intra_counter_parse(const char *text, struct intra_counter_text *out)
{
    char line[LINE_MAX_BYTES];
    struct intra_counter_text best = {0};
    bool is_tied = false;
    snprintf(line, sizeof line, "%s", text);
    mend_zeros(line);
    for (int at = 0; line[at];) {
        struct intra_counter_text found;
        int end;
        if (is_letter(line[at])) { /* a word, with the digits that hang on it: LZ1, Rohr12 */
            while ((is_letter(line[at]) || is_digit(line[at])) && !starts_padded(line + at))
                at++;
            if (!is_digit(line[at])) continue;
        }
        if (!is_digit(line[at])) {
            at++;
            continue;
        }
        end = chain_end(line, at);
        if (!follows_digits(line, at) && read_candidate(line, at, end, &found)) {
            if (found.rank > best.rank) {
                best = found;
                is_tied = false;
            } else if (found.rank == best.rank && found.value != best.value) {
                is_tied = true;
            }
        }
        at = end;
    }
    *out = best;
    return best.rank != INTRA_COUNTER_NONE && !is_tied;
}
