/* Names for shapes of digits that nobody could read, from the order in which a counter shows its numbers. Between two
 * sure readings the camera cannot have been just anywhere, so that each line with the shape rules digits out; what is
 * left over after all of them is its name. Pure: no picture, no state. Method: docs/methods.md, "Distance counter". */
#ifndef INTRA_RECON_COUNTER_ORDER_H
#define INTRA_RECON_COUNTER_ORDER_H

#include <stdbool.h>
#include <stdint.h>

enum { INTRA_ORDER_DIGITS = 9 };

/* A number as it was cut, in the order of time. */
struct intra_order_line {
    double time_s;
    int n;                              /* digits, the first being the highest; 0: no number was found in this line */
    int16_t digits[INTRA_ORDER_DIGITS]; /* their shapes; -1: none */
    bool is_sure;                       /* value was read surely */
    double value;                       /* in units of the last digit */
};

/* What the lines with the shape leave over. */
struct intra_order_name {
    int name; /* the only digit that fits every one of them; -1: several do, none does, or none of them says anything */
    int within; /* lines that spoke: sure ones, and such as lie between two sure readings near in time */
    int beside; /* lines that spoke, with a sure reading on one side only (at the begin and end of a video) */
};

/* names: of each shape, -1: not known (also of this one). may_be: digits that come into question. A line speaks when
 * its other digits are known; where the sure readings around it are farther apart than the speed of this video allows
 * (a cut, a counter that was reset, a misreading) it says nothing. Forward and backward are alike. */
struct intra_order_name intra_order_name_of(const struct intra_order_line *lines, int64_t n, int shape,
                                            const int *names, const bool may_be[10]);

/* Speed that the camera may have, last digits per second: one and a half times that which nine of ten pairs of sure
 * readings about a second apart stay below, those in which nothing moves left out. NaN: there are no such pairs. */
double intra_order_speed(const struct intra_order_line *lines, int64_t n);

#endif
