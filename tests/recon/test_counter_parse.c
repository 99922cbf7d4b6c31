/* Proves: the distance is found in lines as overlays print them, with unit, label, sign, comma or padding, also with
 * the usual misreadings; dates, times, inclinations, diameters, node numbers and broken numbers are not taken for it.
 * Does not prove that a line is read right in the first place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "recon/counter_parse.h"

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static void distances(void **state)
{
    static const struct {
        const char *text;
        double value;
        enum intra_counter_unit unit;
        int decimals;
    } cases[] = {
        {"23.04m", 23.04, INTRA_COUNTER_METRE, 2},
        {"23m", 23, INTRA_COUNTER_METRE, 0},
        {"22.8 m", 22.8, INTRA_COUNTER_METRE, 1},
        {"LZ1: +0004.70 m", 4.7, INTRA_COUNTER_METRE, 2},
        {"LZ2:    0001.00 m", 1, INTRA_COUNTER_METRE, 2},
        {"LZ1: -0000.35 m", -0.35, INTRA_COUNTER_METRE, 2},
        {"LZ1: -0.35 m", -0.35, INTRA_COUNTER_METRE, 2},
        {"0037.2 ft", 37.2, INTRA_COUNTER_FOOT, 1},
        {"37.2'", 37.2, INTRA_COUNTER_FOOT, 1},
        {"0,00 m", 0, INTRA_COUNTER_METRE, 2},
        {"DIST: 12.4", 12.4, INTRA_COUNTER_NO_UNIT, 1},
        {"2.66", 2.66, INTRA_COUNTER_NO_UNIT, 2},
        {"O.52 m", 0.52, INTRA_COUNTER_METRE, 2},
        {"10.28 rn", 10.28, INTRA_COUNTER_METRE, 2},
        {"+ 0004.60 th", 4.6, INTRA_COUNTER_NO_UNIT, 2},
        {"18.03.25  LZ1: +0004.70 m", 4.7, INTRA_COUNTER_METRE, 2},
        {"16.06.20 LZ1: +0001.70 m 00 02 59", 1.7, INTRA_COUNTER_METRE, 2},
        {"12.03.24 09:41:04 4.4 ft", 4.4, INTRA_COUNTER_FOOT, 1},
        {"~L2de0000.70 im,", 0.7, INTRA_COUNTER_METRE, 2},
        {"~2.95 m_", 2.95, INTRA_COUNTER_METRE, 2},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct intra_counter_text t;
        if (!intra_counter_parse(cases[i].text, &t)) fail_msg("no distance in '%s'", cases[i].text);
        if (t.value != cases[i].value || t.unit != cases[i].unit || t.decimals != cases[i].decimals)
            fail_msg("'%s': %g, unit %d, %d decimals", cases[i].text, t.value, (int)t.unit, t.decimals);
        assert_true(t.at >= 0 && t.length > 0 && (size_t)(t.at + t.length) <= strlen(cases[i].text));
    }
}

static void no_distances(void **state)
{
    static const char *const cases[] = {
        "",
        " ",
        "m",
        "12.03.24",
        "12.03.2024",
        "03/12/24 09:41:04",
        "14: 03",
        "30.01. 2025",
        "06. 09.17",
        "12:34:56",
        "-2.3 %",
        "2.3\xc2\xb0",
        "300 mm",
        "Hohe :200 mm",
        "DN 300",
        "Kreisprofil 150mm Polypropylen",
        "600 Beton",
        "07.508652",
        "10234 -> 10235 Mischwasser",
        "6487 <- 944591",
        "MH 17 TO MH 18",
        "von 9 bis 3 Uhr",
        "3.50 cm",
        "0.15 m/s",
        "1.5 m2",
        "crack 0.5 m wide",
        "6 08 m",
        "?.5 m",
        "123456.7 m",
        "1.23456 m",
        "Temp 12.5",
        "5.2 m 7.4 m",
        "....",
        "+-+-",
        "1.",
        ".5 m",
        "\xff\xfe\x80",
        "%s%n%d",
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct intra_counter_text t;
        if (intra_counter_parse(cases[i], &t)) fail_msg("'%s' taken for %g", cases[i], t.value);
    }
}

/* Any bytes at all, and lines longer than what is looked at. */
static void hostile_lines(void **state)
{
    static const char letters[] = "0123456789.,:+-/ mft%'\"<>LZO\xc2\xb0";
    unsigned seed = 1;
    (void)state;
    for (int i = 0; i < 20000; i++) {
        char text[400];
        struct intra_counter_text t;
        int n = i % (int)(sizeof text - 1);
        for (int k = 0; k < n; k++) {
            seed = seed * 1103515245u + 12345u;
            text[k] = letters[(seed >> 16) % (sizeof letters - 1)];
        }
        text[n] = 0;
        if (!intra_counter_parse(text, &t)) continue;
        assert_true(t.at + t.length <= n && t.decimals <= 3 && t.value < 1e5 && t.value > -1e5);
    }
}

static void feet_to_metres(void **state)
{
    (void)state;
    assert_true(intra_counter_metres(10, INTRA_COUNTER_FOOT) == 3.048);
    assert_true(intra_counter_metres(10, INTRA_COUNTER_NO_UNIT) == 10);
    assert_string_equal(intra_counter_unit_name(INTRA_COUNTER_FOOT), "ft");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(distances), cmocka_unit_test(no_distances),
                                       cmocka_unit_test(hostile_lines), cmocka_unit_test(feet_to_metres)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
