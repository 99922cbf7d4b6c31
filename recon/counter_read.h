/* One picture, or one known place in it: the distance printed there, and how sure that is.
 *
 * A line of text is read from differently prepared pictures of it (strokes alone, the grey picture, strokes at another
 * size). Readings that agree make it sure; a dissenting one takes from it. Method: docs/methods.md, "Distance counter". */
#ifndef INTRA_RECON_COUNTER_READ_H
#define INTRA_RECON_COUNTER_READ_H

#include "recon/counter.h"
#include "recon/counter_ocr.h"
#include "recon/overlay_text.h"

enum { INTRA_COUNTER_MAX_LINES = 40, INTRA_COUNTER_WAYS = 5 };

/* What one line of text says. */
struct intra_counter_line {
    struct intra_text_line where;
    char text[INTRA_COUNTER_TEXT_BYTES]; /* as the best of the readings has it */
    struct intra_counter_text number;    /* rank NONE: no distance in it */
    double confidence;                   /* 0 to 1, of the number */
    char said[INTRA_COUNTER_WAYS][INTRA_COUNTER_TEXT_BYTES]; /* what each preparation of the picture was read as */
};

enum intra_counter_care {
    INTRA_COUNTER_CAREFUL, /* read from all preparations: a single picture, where nothing else checks it */
    INTRA_COUNTER_QUICK    /* from no more when the first two agree: video, where other frames check it */
};

/* Read one line of text. Errors: INTRA_E_MEM. */
enum intra_status intra_counter_read_line(struct intra_ocr *ocr, const struct intra_text_picture *picture,
                                          const struct intra_text_line *where, enum intra_counter_care care,
                                          struct intra_counter_line *out, struct intra_error *err);

/* Lines of a whole picture that may be a distance's, likeliest first, at most max. Errors: INTRA_E_MEM. */
enum intra_status intra_counter_find_lines(const struct intra_text_picture *picture, struct intra_text_line *out, int max,
                                           int *out_n, struct intra_error *err);
/* Those of the lines (at most INTRA_COUNTER_MAX_LINES) that have a distance in them, as intra_counter_read_all. Reads quickly,
 * and no further once the reader's columns (recon/counter_ocr.h) reach most_columns. Errors: INTRA_E_MEM. */
enum intra_status intra_counter_read_lines(struct intra_ocr *ocr, const struct intra_text_picture *picture,
                                           const struct intra_text_line *lines, int n_lines, int64_t most_columns,
                                           struct intra_counter_line out[INTRA_COUNTER_MAX_LINES], int *out_n,
                                           struct intra_error *err);

/* All lines with a distance in the picture, most trusted first; lines that show the same text twice (bright letters and
 * their dark outline) are one. Errors: INTRA_E_MEM. */
enum intra_status intra_counter_read_all(struct intra_ocr *ocr, const struct intra_text_picture *picture,
                                         struct intra_counter_line out[INTRA_COUNTER_MAX_LINES], int *out_n,
                                         struct intra_error *err);

/* The one distance among lines from intra_counter_read_all; NULL when none is sure enough, or two could be it. */
const struct intra_counter_line *intra_counter_choose(const struct intra_counter_line *lines, int n);

#endif
