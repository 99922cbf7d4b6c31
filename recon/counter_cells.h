/* A counter read by the pictures of its own digits. Burnt-in text stands still, so that each digit of the number has
 * its cell in the picture. What the cells look like with each digit in them is learnt from the frames that were read
 * surely; the others are read by likeness, whatever of the wall runs into the letters. Method: docs/methods.md,
 * "Distance counter". */
#ifndef INTRA_RECON_COUNTER_CELLS_H
#define INTRA_RECON_COUNTER_CELLS_H

#include "core/status.h"
#include "recon/overlay_text.h"

#include <stdbool.h>
#include <stdint.h>

enum { INTRA_CELLS_DIGITS = 9 };

/* A number as it stands in the picture. */
struct intra_cells_number {
    int n;                                           /* digits, the highest first; 0: not known */
    int digits[INTRA_CELLS_DIGITS];                  /* 0 to 9 */
    struct intra_text_box boxes[INTRA_CELLS_DIGITS]; /* of each, pixels of the frame */
    bool is_read;                                    /* out: it was not known, and is read now (no boxes) */
    bool is_doubtful;                                /* out: it was known, but the picture shows something else */
};

struct intra_cells;

/* Errors: INTRA_E_MEM. destroy accepts NULL. */
enum intra_status intra_cells_create(struct intra_cells **out, struct intra_error *err);
void intra_cells_destroy(struct intra_cells **cells);

/* Keep what `box` shows as the next picture, counted from 0; nothing of it where it is not all in `grey` (x0, y0: of
 * its first pixel in the frame), has another size than the first one, or the store (24 MB) is full, but for
 * intra_cells_read_next. Errors: INTRA_E_MEM. */
enum intra_status intra_cells_keep(struct intra_cells *cells, const struct intra_view_u8 *grey, int x0, int y0,
                                   struct intra_text_box box, struct intra_error *err);

/* Learn from the pictures whose number is known and read the others: numbers[i] is that of picture i, time_s[i] its
 * time; n of them.
 *
 * Before anything is read each known picture is read by what the others taught: next to none may come out wrong, and
 * the right digit must stand out. A digit is sure where it is as like what was learnt as known ones are, and nothing
 * else comes near. Digits that no known picture shows are named by the order of numbers (recon/counter_order.h), and
 * are learnt then. A number is read where all its digits are sure and it follows from one that is known or was read
 * before, near in time, at a speed that this video has: a digit more or less than before is no such number. Errors:
 * INTRA_E_MEM. */
enum intra_status intra_cells_read(struct intra_cells *cells, struct intra_cells_number *numbers, const double *time_s,
                                   int64_t n, struct intra_error *err);
/* Whether the last call had enough to learn from, and passed that test. */
bool intra_cells_has_learnt(const struct intra_cells *cells);

/* Read the picture kept last, by what was learnt last, where it follows from the number before: the last one of
 * intra_cells_read, of this function, or of intra_cells_follow. n is 0 where it does not. Errors: INTRA_E_MEM. */
enum intra_status intra_cells_read_next(struct intra_cells *cells, double time_s, struct intra_cells_number *out,
                                        struct intra_error *err);
/* A number that was read some other way, in units of the last digit. */
void intra_cells_follow(struct intra_cells *cells, double value, double time_s);
/* Whether picture i was kept. */
bool intra_cells_has_picture(const struct intra_cells *cells, int64_t i);

#endif
