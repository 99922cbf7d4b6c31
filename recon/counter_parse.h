/* A distance out of a line of burnt-in text: which of it is the distance, its unit and decimals. Pure: no picture, no
 * state. Dates, times, inclinations, diameters, pipe and node numbers are told from it by what stands around them. */
#ifndef INTRA_RECON_COUNTER_PARSE_H
#define INTRA_RECON_COUNTER_PARSE_H

#include <stdbool.h>

enum intra_counter_unit { INTRA_COUNTER_NO_UNIT, INTRA_COUNTER_METRE, INTRA_COUNTER_FOOT };

/* How much speaks for a number being the distance, weakest first. */
enum intra_counter_rank {
    INTRA_COUNTER_NONE,
    INTRA_COUNTER_BARE,     /* decimals, and nothing else in the line: 2.66 */
    INTRA_COUNTER_WHOLE,    /* no decimals but a unit: 23m */
    INTRA_COUNTER_LABELLED, /* a label, no unit: DIST: 12.4 */
    INTRA_COUNTER_UNIT,     /* decimals and a unit: 23.04m */
    INTRA_COUNTER_BOTH      /* a label and a unit: LZ1: +0004.70 m */
};

struct intra_counter_text {
    double value; /* as printed, in its own unit */
    int whole_digits, decimals;
    enum intra_counter_unit unit;
    enum intra_counter_rank rank;
    int at, length; /* the digits of the number in the text, bytes */
};

/* The distance in `text` (UTF-8 or anything else; up to 255 bytes are looked at). False when there is none, or when two
 * different numbers have equally good reasons. Both a decimal point and a decimal comma are understood. */
bool intra_counter_parse(const char *text, struct intra_counter_text *out);

/* Metres of a number with a unit; no unit counts as metres. */
double intra_counter_metres(double value, enum intra_counter_unit unit);
/* "m", "ft" or "". */
const char *intra_counter_unit_name(enum intra_counter_unit unit);

#endif
