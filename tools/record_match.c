#include "tools/record_match.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_NAME = 48, MAX_TOKENS = 64, LEAST_PIPE = 3, LEAST_NODE = 2 };

/* Letters that the reading takes for one another become one. */
static char plain(char c)
{
    switch (c) {
    case 'O':
    case 'o':
        return '0';
    case 'I':
    case 'i':
    case 'l':
    case 'L':
        return '1';
    case 'S':
    case 's':
        return '5';
    case 'B':
        return '8';
    case 'Z':
    case 'z':
        return '2';
    default:
        return (char)toupper((unsigned char)c);
    }
}

static bool is_part(char c)
{
    return isalnum((unsigned char)c) || (unsigned char)c >= 0x80; /* UTF-8 letters stay as they are */
}

/* Its letters and digits in plain form; how many. */
static int plain_name(const char *name, char out[MAX_NAME])
{
    int n = 0;
    for (; name && *name && n + 1 < MAX_NAME; name++)
        if (is_part(*name)) out[n++] = plain(*name);
    out[n] = 0;
    return n;
}

struct tokens {
    struct {
        const char *at;
        int n;
    } items[MAX_TOKENS];
    int n;
};

static void split(const char *line, size_t n, struct tokens *out)
{
    out->n = 0;
    for (size_t i = 0; i < n && out->n < MAX_TOKENS;) {
        size_t from = i;
        while (i < n && is_part(line[i]))
            i++;
        if (i > from) {
            out->items[out->n].at = line + from;
            out->items[out->n++].n = (int)(i - from);
        } else {
            i++;
        }
    }
}

/* The first token from which on whole tokens spell the name; -1. */
static int find_name(const struct tokens *t, const char *name, int length)
{
    for (int i = 0; i < t->n; i++) {
        int at = 0;
        for (int k = i; k < t->n && at < length; k++) {
            int j = 0;
            while (j < t->items[k].n && at + j < length && plain(t->items[k].at[j]) == name[at + j])
                j++;
            if (j < t->items[k].n) break;
            at += j;
            if (at == length) return i;
        }
    }
    return -1;
}

typedef void line_fn(void *user, const char *line, size_t n);

static void each_line(const char *text, line_fn *look, void *user)
{
    while (*text) {
        size_t n = strcspn(text, "\n");
        look(user, text, n);
        text += n + (text[n] != 0);
    }
}

/* What one look says of one inspection. */
struct seen {
    char start[MAX_NAME], end[MAX_NAME], pipe[MAX_NAME];
    int n_start, n_end, n_pipe;
    char date[11];
    bool has_start, has_end, has_pipe, has_date, has_other_date;
};

static void look_for_names(void *user, const char *line, size_t n)
{
    struct seen *s = user;
    struct tokens t;
    split(line, n, &t);
    s->has_start = s->has_start || (s->n_start >= LEAST_NODE && find_name(&t, s->start, s->n_start) >= 0);
    s->has_end = s->has_end || (s->n_end >= LEAST_NODE && find_name(&t, s->end, s->n_end) >= 0);
    s->has_pipe = s->has_pipe || (s->n_pipe >= LEAST_PIPE && find_name(&t, s->pipe, s->n_pipe) >= 0);
}

static bool is_date(int year, int month, int day, const char *wanted)
{
    char text[32];
    if (year < 100) year += year < 70 ? 2000 : 1900;
    snprintf(text, sizeof text, "%04d-%02d-%02d", year, month, day);
    return strcmp(text, wanted) == 0;
}

static bool can_be(int month, int day)
{
    return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

/* Three numbers with the same sign between them: 12.03.24, 03/12/2024, 2024-03-12. A two-digit or American one may be
 * read in several ways: one that fits is enough. */
static void look_for_dates(void *user, const char *line, size_t n)
{
    struct seen *s = user;
    for (size_t i = 0; i < n; i++) {
        int a, b, c, used = 0;
        char copy[16], sign, second;
        if (!isdigit((unsigned char)line[i]) || (i && isdigit((unsigned char)line[i - 1]))) continue;
        snprintf(copy, sizeof copy, "%.*s", (int)(n - i < 15 ? n - i : 15), line + i);
        if (sscanf(copy, "%4d%c%2d%c%4d%n", &a, &sign, &b, &second, &c, &used) != 5 || sign != second ||
            !strchr(".-/", sign) || isdigit((unsigned char)copy[used]))
            continue;
        if ((c == 19 || c == 20) && isdigit((unsigned char)copy[used + strspn(copy + used, " ")])) continue; /* 20 24 */
        bool is_iso = a > 99;
        if (!(is_iso ? can_be(b, c) : (can_be(b, a) || can_be(a, b)) && (c < 100 || c > 1900))) continue;
        bool is_own = is_iso ? is_date(a, b, c, s->date) : is_date(c, b, a, s->date) || is_date(c, a, b, s->date);
        if (is_own)
            s->has_date = true;
        else
            s->has_other_date = true;
        i += (size_t)used - 1;
    }
}

/* What all looks say. The order of the nodes says nothing: some name the pipe, some the survey. */
struct evidence {
    bool has_nodes, has_pipe, has_date, is_against;
};

static bool has_digit(const char *name)
{
    for (; name && *name; name++)
        if (isdigit((unsigned char)*name)) return true;
    return false;
}

static struct evidence weigh(const char *const *looks, int n_looks, double diameter_m, const struct intra_inspection *p)
{
    struct seen s = {0};
    int nodes = 0, pipe = 0, dates = 0, others = 0, least = n_looks > 1 ? 2 : 1;
    s.n_start = plain_name(p->node_start, s.start);
    s.n_end = plain_name(p->node_end, s.end);
    s.n_pipe = has_digit(p->pipe) ? plain_name(p->pipe, s.pipe) : 0;
    snprintf(s.date, sizeof s.date, "%.10s", p->date ? p->date : "");
    if (strcmp(s.start, s.end) == 0) s.n_start = s.n_end = 0;
    for (int i = 0; i < n_looks; i++) {
        s.has_start = s.has_end = s.has_pipe = s.has_date = s.has_other_date = false;
        each_line(looks[i], look_for_names, &s);
        each_line(looks[i], look_for_dates, &s);
        nodes += s.has_start && s.has_end;
        pipe += s.has_pipe;
        dates += s.has_date && !s.has_other_date; /* both: misread once, or two dates */
        others += s.has_other_date && !s.has_date;
    }
    return (struct evidence){.has_nodes = nodes >= least,
                             .has_pipe = pipe >= least,
                             .has_date = *s.date && dates >= least && dates > others,
                             .is_against =
                                 (*s.date && others >= least && others > dates) ||
                                 (diameter_m > 0 && p->height_m > 0 && fabs(p->height_m / diameter_m - 1) > 0.15)};
}

static bool is_named(const struct evidence *e)
{
    return (e->has_nodes || e->has_pipe) && !e->is_against;
}

static int count(const struct evidence *e)
{
    return e->has_nodes + e->has_pipe + e->has_date;
}

/* `a` has all that `b` has, and more. */
static bool is_clearly_better(const struct evidence *a, const struct evidence *b)
{
    return a->has_nodes >= b->has_nodes && a->has_pipe >= b->has_pipe && a->has_date >= b->has_date &&
           count(a) > count(b);
}

static void say(const struct intra_inspection *p, const struct evidence *e, char *out, size_t n)
{
    size_t used = 0;
    *out = 0;
    if (e->has_nodes) used += (size_t)snprintf(out, n, "nodes %s and %s", p->node_start, p->node_end);
    if (e->has_pipe && used < n) used += (size_t)snprintf(out + used, n - used, "%spipe %s", used ? ", " : "", p->pipe);
    if (e->has_date && used < n) snprintf(out + used, n - used, ", date %s", p->date);
}

int64_t intra_record_match(const char *const *looks, int n_looks, double diameter_m, const struct intra_record *record,
                           char *out_why, size_t n_why)
{
    struct evidence best = {0};
    int64_t chosen = -1;
    for (int64_t i = 0; i < record->n_inspections; i++) {
        struct evidence e = weigh(looks, n_looks, diameter_m, &record->inspections[i]);
        if (!is_named(&e) || (chosen >= 0 && count(&e) <= count(&best))) continue;
        best = e;
        chosen = i;
    }
    for (int64_t i = 0; i < record->n_inspections && chosen >= 0; i++) {
        struct evidence e = weigh(looks, n_looks, diameter_m, &record->inspections[i]);
        if (i != chosen && is_named(&e) && !is_clearly_better(&best, &e)) return -1;
    }
    if (chosen < 0) return -1;
    say(&record->inspections[chosen], &best, out_why, n_why);
    return chosen;
}
