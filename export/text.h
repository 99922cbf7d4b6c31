/* Numbers and words into text tables: '.' as the decimal mark whatever the locale, fixed decimals, RFC 4180 quoting. */
#ifndef INTRA_EXPORT_TEXT_H
#define INTRA_EXPORT_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* One field of a comma-separated line; a comma goes before it unless it opens the line (`column` counts up from 0).
 * Write errors stay in the stream and are seen by intra_out_file_commit. */
void intra_csv_text(FILE *stream, int *column, const char *text);
/* Empty when not finite. */
void intra_csv_number(FILE *stream, int *column, double value, int decimals);
void intra_csv_end(FILE *stream, int *column);

/* `value` with fixed decimals, never "-0.00". Not finite: an empty string. Returns out. */
const char *intra_text_number(double value, int decimals, char out[64]);
/* A whole number; returns the end of the text. out: room for 21. */
char *intra_text_integer(int64_t value, char *out);

/* A clock angle as clock position with one decimal, "1.0" to "12.9"; empty when not finite. */
const char *intra_text_clock(double theta_rad, char out[64]);

/* `from` as valid UTF-8 of at most max_bytes: a byte that belongs to no sequence becomes '?', what is too long is cut
 * between two characters and ends in an ellipsis. Memory of core/mem, the caller's; NULL: out of memory. */
char *intra_text_utf8(const char *from, size_t max_bytes);

/* Bytes as base64 of RFC 4648, on one line. */
void intra_text_base64(FILE *to, const uint8_t *bytes, size_t n);

#endif
