/* Numbers with units as people type them. */
#include "core/units.h"

#include <ctype.h>
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#ifndef M_PI
#define M_PI 3.14159265358979323846
#endif

static pthread_once_t plain_once = PTHREAD_ONCE_INIT;
static locale_t plain_locale; /* kept for the life of the process; 0 if the system has no memory for it */

static void make_plain_locale(void)
{
    plain_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

/* The first character after a decimal number, or `text` when there is none. */
static const char *skip_number(const char *text)
{
    const char *p = text, *digits;
    int n;
    if (*p == '+' || *p == '-') p++;
    for (digits = p; isdigit((unsigned char)*p); p++) {
    }
    n = (int)(p - digits);
    if (*p == '.')
        for (p++; isdigit((unsigned char)*p); p++)
            n++;
    if (n == 0) return text;
    if (*p == 'e' || *p == 'E') {
        const char *e = p + 1;
        if (*e == '+' || *e == '-') e++;
        if (isdigit((unsigned char)*e)) {
            while (isdigit((unsigned char)*e))
                e++;
            p = e;
        }
    }
    return p;
}

bool intra_scan_number(const char *text, const char **out_end, double *out)
{
    const char *end = skip_number(text);
    if (end == text) return false;
    pthread_once(&plain_once, make_plain_locale);
    const char *digits = text + (*text == '+' || *text == '-');
    if (end == digits + 1 && *digits == '0')
        *out = 0; /* of "0x10" strtod would read on in hex */
    else
        *out = plain_locale ? strtod_l(text, NULL, plain_locale) : strtod(text, NULL);
    if (!isfinite(*out)) return false;
    if (out_end) *out_end = end;
    return true;
}

struct unit {
    const char *name;
    double factor;
};

static const struct unit length_units[] = {{"m", 1},       {"mm", 1e-3},   {"cm", 1e-2},   {"km", 1e3},
                                           {"in", 0.0254}, {"\"", 0.0254}, {"ft", 0.3048}, {"'", 0.3048},
                                           {"yd", 0.9144}, {NULL, 0}};
static const struct unit angle_units[] = {{"deg", M_PI / 180}, {"\xc2\xb0", M_PI / 180}, {"rad", 1}, {NULL, 0}};
static const struct unit time_units[] = {{"s", 1}, {"ms", 1e-3}, {"min", 60}, {"h", 3600}, {"", 1}, {NULL, 0}};

/* Number, optional space, unit, nothing else. `example` shows the fix: "300mm". */
static enum intra_status parse_with_unit(const char *name, const char *text, const struct unit *units,
                                         const char *example, double *out, struct intra_error *err)
{
    const char *rest;
    double value;
    while (isspace((unsigned char)*text))
        text++;
    if (!intra_scan_number(text, &rest, &value))
        return INTRA_FAIL(err, INTRA_E_ARG, "%s: '%s' is not a number with a unit; write for example %s", name, text,
                          example);
    while (isspace((unsigned char)*rest))
        rest++;
    size_t n = strlen(rest);
    while (n > 0 && isspace((unsigned char)rest[n - 1]))
        n--;
    for (const struct unit *u = units; u->name; u++) {
        if (strlen(u->name) != n || strncasecmp(u->name, rest, n) != 0) continue;
        value *= u->factor;
        if (!isfinite(value)) return INTRA_FAIL(err, INTRA_E_ARG, "%s: '%s' is too large", name, text);
        *out = value;
        return INTRA_OK;
    }
    if (n == 0) return INTRA_FAIL(err, INTRA_E_ARG, "%s: '%s' has no unit; write for example %s", name, text, example);
    if (*rest == ',')
        return INTRA_FAIL(err, INTRA_E_ARG, "%s: '%s': write a decimal point, not a comma, for example %s", name, text,
                          example);
    return INTRA_FAIL(err, INTRA_E_ARG, "%s: unknown unit '%.*s' in '%s'; write for example %s", name,
                      (int)(n < 20 ? n : 20), rest, text, example);
}

enum intra_status intra_parse_length(const char *name, const char *text, double *out_m, struct intra_error *err)
{
    return parse_with_unit(name, text, length_units, "300mm, 0.3m, 12in or 1.5ft", out_m, err);
}

enum intra_status intra_parse_angle(const char *name, const char *text, double *out_rad, struct intra_error *err)
{
    return parse_with_unit(name, text, angle_units, "70deg or 1.2rad", out_rad, err);
}

/* "1:30", "1:02:03.5": every part but the first below 60, only the last with a fraction. */
static bool scan_clock(const char *text, double *out_s)
{
    double total = 0;
    for (int parts = 1; parts <= 3; parts++) {
        const char *end = text;
        double value;
        while (isdigit((unsigned char)*end))
            end++;
        bool is_last = *end != ':';
        if (end == text || end - text > 6 || (is_last && parts == 1)) return false;
        if (is_last && *end == '.')
            for (end++; isdigit((unsigned char)*end); end++) {
            }
        if (!intra_scan_number(text, NULL, &value) || (parts > 1 && value >= 60)) return false;
        total = total * 60 + value;
        if (is_last) {
            *out_s = total;
            return *end == 0;
        }
        text = end + 1;
    }
    return false;
}

enum intra_status intra_parse_time(const char *name, const char *text, double *out_s, struct intra_error *err)
{
    static const char example[] = "12.5s, 90, 1:30 or 1:02:03.5";
    enum intra_status status = INTRA_OK;
    double value = 0;
    if (strchr(text, ':')) {
        if (!scan_clock(text, &value))
            return INTRA_FAIL(err, INTRA_E_ARG, "%s: '%s' is not a time; write for example %s", name, text, example);
    } else {
        status = parse_with_unit(name, text, time_units, example, &value, err);
        if (status != INTRA_OK) return status;
    }
    if (value < 0) return INTRA_FAIL(err, INTRA_E_ARG, "%s: '%s' is before the start; times count from 0", name, text);
    *out_s = value;
    return INTRA_OK;
}

enum intra_status intra_parse_int(const char *name, const char *text, long low, long high, long *out,
                                  struct intra_error *err)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (end == text || *end || isspace((unsigned char)*text))
        return INTRA_FAIL(err, INTRA_E_ARG, "%s: '%s' is not a whole number", name, text);
    if (errno == ERANGE || value < low || value > high)
        return INTRA_FAIL(err, INTRA_E_ARG, "%s: %s is out of range; must be %ld to %ld", name, text, low, high);
    *out = value;
    return INTRA_OK;
}

double intra_clock_from_theta(double theta_rad)
{
    double tenths = round(fmod(theta_rad, 2 * M_PI) / (2 * M_PI) * 120);
    if (tenths < 0) tenths += 120;
    if (tenths < 10) tenths += 120;
    return tenths / 10;
}
