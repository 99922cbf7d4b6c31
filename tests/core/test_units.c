/* Proves: the table units.txt, which an engineer can extend without knowing C: what is typed, and the value or
 * `failure`. Does not prove: that each command asks for the right kind of number (tests/tools). */
#include "core/fileio.h"
#include "core/mem.h"
#include "core/units.h"

#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The next field of a row: up to the bar, less one blank before it and all blanks behind it. */
static void field(const char **p, char *out, size_t n)
{
    size_t length = strcspn(*p, "|\n");
    const char *start = *p, *end = *p + length;
    *p += length + (start[length] == '|');
    if (start < end && *start == ' ') start++;
    while (end > start && end[-1] == ' ')
        end--;
    snprintf(out, n, "%.*s", (int)(end - start), start);
}

static void check_table(void)
{
    int rows = 0;
    char *table;
    size_t size;
    assert_int_equal(intra_read_file(INTRA_TEST_SOURCE "/tests/core/units.txt", 100000, &table, &size, NULL), INTRA_OK);
    for (const char *p = table; *p; p += strcspn(p, "\n"), p += *p == '\n') {
        if (*p == '#' || *p == '\n') continue;
        char kind[32], typed[64], want[32], word[64];
        struct intra_error err = {0};
        double got = -77;
        field(&p, kind, sizeof kind);
        field(&p, typed, sizeof typed);
        field(&p, want, sizeof want);
        field(&p, word, sizeof word);
        enum intra_status status = kind[0] == 'l'   ? intra_parse_length("--opt", typed, &got, &err)
                                   : kind[0] == 'a' ? intra_parse_angle("--opt", typed, &got, &err)
                                                    : intra_parse_time("--opt", typed, &got, &err);
        rows++;
        if (strcmp(want, "failure") == 0) {
            if (status != INTRA_E_ARG) fail_msg("%s '%s' was taken as %g", kind, typed, got);
            if (got != -77) fail_msg("%s '%s' failed and yet gave %g", kind, typed, got);
            if (!strstr(err.text, "--opt") || !*word || !strstr(err.text, word))
                fail_msg("%s '%s': '%s' names not both --opt and '%s'", kind, typed, err.text, word);
            continue;
        }
        int whole = atoi(want); /* the table's own numbers without the locale: digits and at most one point */
        const char *point = strchr(want, '.');
        double value = fabs((double)whole), step = 0.1;
        for (const char *d = point ? point + 1 : ""; *d; d++, step /= 10)
            value += (*d - '0') * step;
        if (want[0] == '-') value = -value;
        if (status != INTRA_OK) fail_msg("%s '%s': %s", kind, typed, err.text);
        if (fabs(got - value) > 1e-12 * (1 + fabs(value)))
            fail_msg("%s '%s' is %.17g, want %s", kind, typed, got, want);
    }
    intra_free(table);
    assert_true(rows > 50);
}

static void table_of_what_people_type(void **state)
{
    (void)state;
    check_table();
}

static void decimal_point_whatever_the_locale(void **state)
{
    (void)state;
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "nl_NL.UTF-8"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!setlocale(LC_ALL, names[i])) continue;
        check_table();
        setlocale(LC_ALL, "C");
        return;
    }
    print_message("no locale with a decimal comma installed: not checked\n");
    skip();
}

static void whole_numbers(void **state)
{
    (void)state;
    struct intra_error err = {0};
    long n = 0;
    assert_true(intra_parse_int("--threads", "8", 0, 64, &n, &err) == INTRA_OK && n == 8);
    assert_true(intra_parse_int("--threads", "-8", -8, 64, &n, &err) == INTRA_OK && n == -8);
    static const char *const wrong[] = {"", " 8", "8 ", "8.0", "8x", "x", "65", "-1", "99999999999999999999999"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        n = 5;
        assert_int_equal(intra_parse_int("--threads", wrong[i], 0, 64, &n, &err), INTRA_E_ARG);
        assert_true(n == 5 && strstr(err.text, "--threads"));
    }
    assert_non_null(strstr(err.text, "0 to 64"));
}

static void clock_positions(void **state)
{
    (void)state;
    static const struct {
        double deg, clock;
    } cases[] = {{0, 12},     {30, 1},    {90, 3},    {180, 6},  {270, 9},  {330, 11},
                 {359.9, 12}, {-90, 9},   {-0.1, 12}, {360, 12}, {450, 3},  {-360, 12},
                 {15, 12.5},  {28, 12.9}, {28.6, 1},  {29.9, 1}, {45, 1.5}, {1e4 * 360 + 60, 2}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double got = intra_clock_from_theta(cases[i].deg * 3.14159265358979323846 / 180);
        if (fabs(got - cases[i].clock) > 1e-9)
            fail_msg("%g degrees is %g o'clock, want %g", cases[i].deg, got, cases[i].clock);
    }
    for (double a = -20; a < 20; a += 0.01) { /* as printed it never reads 0.x or 13.0 */
        char text[16];
        snprintf(text, sizeof text, "%.1f", intra_clock_from_theta(a));
        assert_true(atof(text) >= 1 && atof(text) <= 12.9);
    }
}

static void scan_number_stops_where_the_number_does(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double value;
        int length; /* 0: no number */
    } cases[] = {{"1.5e3,", 1500, 5}, {"-.5]", -0.5, 3},  {"2.", 2, 2},   {"3e", 3, 1},
                 {"3e+x", 3, 1},      {"0x1p3", 0, 1},    {"-0x2", 0, 2}, {"10x2", 10, 2},
                 {"0.5", 0.5, 3},     {".", 0, 0},        {"-", 0, 0},    {"e5", 0, 0},
                 {"nan", 0, 0},       {"infinity", 0, 0}, {"", 0, 0},     {" 1", 0, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *end = NULL;
        double value = 0;
        bool is_number = intra_scan_number(cases[i].text, &end, &value);
        if (is_number != (cases[i].length > 0) ||
            (is_number && (value != cases[i].value || end - cases[i].text != cases[i].length)))
            fail_msg("'%s'", cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_of_what_people_type),
        cmocka_unit_test(decimal_point_whatever_the_locale),
        cmocka_unit_test(whole_numbers),
        cmocka_unit_test(clock_positions),
        cmocka_unit_test(scan_number_stops_where_the_number_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
