/* Numbers with units as people type them: "300mm", "12in", "0.3m", "1.2ft", "70deg", "1.2rad", "12.5s", "1:02:03".
 * A bare number where a unit matters is refused, with the fix in the message. Decimal point only. */
#ifndef INTRA_CORE_UNITS_H
#define INTRA_CORE_UNITS_H

#include "core/status.h"

#include <stdbool.h>

/* name: the option, for the message, e.g. "--diameter". Errors: INTRA_E_ARG. NaN and infinities are refused. */
enum intra_status intra_parse_length(const char *name, const char *text, double *out_m, struct intra_error *err);
enum intra_status intra_parse_angle(const char *name, const char *text, double *out_rad, struct intra_error *err);
/* "12.5s", "90" (seconds), "1:30", "1:02:03.5" */
enum intra_status intra_parse_time(const char *name, const char *text, double *out_s, struct intra_error *err);
/* An integer in [low, high]. */
enum intra_status intra_parse_int(const char *name, const char *text, long low, long high, long *out,
                                  struct intra_error *err);

/* The plain decimal number at the start of `text` ("-1.5e3"; no hex, inf or nan), whatever the locale. False when there is
 * none or it overflows; out_end (may be NULL) is the first character after it. */
bool intra_scan_number(const char *text, const char **out_end, double *out);

/* Clock angle (radians, 0 = crown, clockwise looking along +s) to clock position, rounded to one decimal as it is
 * printed: 1.0 to 12.9, 12.0 at the crown. */
double intra_clock_from_theta(double theta_rad);

#endif
