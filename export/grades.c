/* PACP grades. Only codes whose grade was seen in public tables stand here; those that depend on clock span or
 * percentage, and those where sources differ, are left out: their observations have no computed grade. */
#include "export/grades.h"

#include "core/defect_kind.h"
#include "core/fileio.h"
#include "core/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MAX_TABLE = 1 << 20, GRADES = 5 };

/* In the form of a table file, so that one reader serves both. */
static const char own_table[] =
    "CC\t1\t\nCL\t2\t\nCM\t3\t\nCS\t2\t\nCH2\t4\t\nCH3\t5\t\nCH4\t5\t\nFC\t2\t\nFL\t3\t\nFM\t4\t\nFS\t3\t\nFH2\t4\t\n"
    "FH3\t5\t\nFH4\t5\t\nBSV\t5\t\nBVV\t5\t\nHSV\t5\t\nHVV\t5\t\nX\t5\t\nJOM\t1\t\nJOL\t2\t\nJOMD\t1\t\nJOLD\t2\t\n"
    "JSM\t1\t\nJSL\t2\t\nJAM\t1\t\nJAL\t2\t\nVR\t\t2\nVC\t\t1\nVZ\t\t1\n";

struct entry {
    char code[12];
    int grade[2]; /* structural, O&M; 0: none */
};

static bool read_grade(const char *text, int *out)
{
    *out = 0;
    if (!*text) return true;
    if (text[0] < '1' || text[0] > '0' + GRADES || text[1]) return false;
    *out = text[0] - '0';
    return true;
}

/* `text` is cut up. */
static enum intra_status read_table(char *text, const char *path, struct entry *out, int *out_n,
                                    struct intra_error *err)
{
    int line_number = 0, n = 0;
    for (char *line = text, *next; line && *line; line = next) {
        char *cells[3] = {line, NULL, NULL};
        next = strchr(line, '\n');
        if (next) *next++ = 0;
        line[strcspn(line, "\r#")] = 0;
        line_number++;
        if (!*line) continue;
        for (int k = 1; k < 3; k++) {
            cells[k] = strchr(cells[k - 1], '\t');
            if (cells[k])
                *cells[k]++ = 0;
            else
                break;
        }
        if (!cells[2] || !read_grade(cells[1], &out[n].grade[0]) || !read_grade(cells[2], &out[n].grade[1]) || !*line ||
            strlen(line) >= sizeof out[n].code)
            return INTRA_FAIL(err, INTRA_E_FORMAT,
                              "%s: line %d is not a code and two grades of 1 to 5 or nothing, parted by tabs", path,
                              line_number);
        memcpy(out[n].code, line, strlen(line) + 1);
        n++;
    }
    *out_n = n;
    return INTRA_OK;
}

static const struct entry *find(const struct entry *table, int n, const char *code)
{
    for (int i = 0; i < n; i++)
        if (strcasecmp(table[i].code, code) == 0) return &table[i];
    return NULL;
}

static bool is_ours(const struct intra_grade *g)
{
    return g->is_computed && g->scale == INTRA_SCALE_PACP;
}

static void grade(struct intra_observation *o, const struct entry *entry)
{
    static const enum intra_grade_aspect aspects[] = {INTRA_ASPECT_STRUCTURAL, INTRA_ASPECT_OPERATION};
    int kept = 0;
    for (int i = 0; i < o->n_grades; i++)
        if (!is_ours(&o->grades[i])) o->grades[kept++] = o->grades[i];
    o->n_grades = kept;
    for (int k = 0; entry && k < 2; k++)
        if (entry->grade[k] && o->n_grades < INTRA_MAX_GRADES)
            o->grades[o->n_grades++] = (struct intra_grade){INTRA_SCALE_PACP, aspects[k], entry->grade[k], true};
}

enum intra_status intra_grades_apply(struct intra_inspection *inspection, const char *table_path,
                                     struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    char *text = NULL;
    struct entry *table = NULL;
    size_t size = sizeof own_table - 1, lines = 1;
    int n = 0;
    if (table_path) {
        INTRA_TRY(intra_read_file(table_path, MAX_TABLE, &text, &size, err));
    } else {
        text = intra_strdup(own_table);
        if (!text) return INTRA_FAIL(err, INTRA_E_MEM, "no memory for the table of grades");
    }
    for (size_t i = 0; i < size; i++)
        lines += text[i] == '\n';
    INTRA_TRY(INTRA_ALLOC(table, lines, err));
    INTRA_TRY(read_table(text, table_path ? table_path : "the table of grades", table, &n, err));
    for (int64_t i = 0; i < inspection->n_observations; i++) {
        struct intra_observation *o = &inspection->observations[i];
        if (o->system == INTRA_CODES_PACP && o->code) grade(o, find(table, n, o->code));
    }
done:
    intra_free(text);
    intra_free(table);
    return status;
}

/* 1 to 9; A for 10 to 14, B for 15 to 19, ... */
static char count_letter(int n)
{
    if (n < 10) return (char)('0' + n);
    return n < 140 ? (char)('A' + (n - 10) / 5) : 'Z';
}

static struct intra_rating rate(const int count[GRADES + 1])
{
    struct intra_rating out = {.quick = "0000"};
    int n = 0, at = 0;
    for (int g = GRADES; g >= 1; g--) {
        n += count[g];
        out.rating += g * count[g];
        if (!count[g] || at >= 4) continue;
        out.quick[at++] = (char)('0' + g);
        out.quick[at++] = count_letter(count[g]);
    }
    out.index = n ? out.rating / n : NAN;
    return out;
}

struct intra_ratings intra_grades_rate(const struct intra_inspection *inspection)
{
    struct intra_ratings out = {0};
    int count[3][GRADES + 1] = {{0}};
    for (int64_t i = 0; i < inspection->n_observations; i++) {
        const struct intra_observation *o = &inspection->observations[i];
        bool is_graded = false;
        for (int k = 0; k < o->n_grades; k++) {
            int g = (int)o->grades[k].value;
            if (!is_ours(&o->grades[k]) || g < 1 || g > GRADES) continue;
            count[o->grades[k].aspect == INTRA_ASPECT_STRUCTURAL ? 0 : 1][g]++;
            count[2][g]++;
            is_graded = true;
        }
        enum intra_defect_kind kind = intra_defect_kind_of(o->system, o->code);
        if (o->system == INTRA_CODES_PACP && !is_graded && kind != INTRA_DEFECT_OTHER && kind != INTRA_DEFECT_LATERAL)
            out.n_unknown++;
        if (is_graded && o->distance_to_m - o->distance_m > 1) out.n_continuous++;
    }
    out.structural = rate(count[0]);
    out.om = rate(count[1]);
    out.overall = rate(count[2]);
    return out;
}
