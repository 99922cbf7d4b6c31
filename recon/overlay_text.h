/* Lines of burnt-in text in one picture: strokes thinner than a morphological top-hat's window, joined into letters, and
 * letters of one height on one baseline into lines. Bright, dark and coloured strokes are looked for apart; a box under the text,
 * an outline around it and slow shading behind it are all taken off by the top-hat. */
#ifndef INTRA_RECON_OVERLAY_TEXT_H
#define INTRA_RECON_OVERLAY_TEXT_H

#include "core/image.h"
#include "core/video.h"

#include <stdbool.h>

struct intra_text_box {
    int x0, y0, x1, y1; /* pixels, x1 and y1 excluded */
};

enum intra_text_kind {
    INTRA_TEXT_BRIGHT,  /* strokes brighter than what is behind them */
    INTRA_TEXT_DARK,    /* darker */
    INTRA_TEXT_COLOURED /* more colourful, perhaps no brighter */
};

struct intra_text_line {
    struct intra_text_box box; /* around the letters, without margins */
    enum intra_text_kind kind;
    int letters;               /* shapes found on the baseline; points, colons and signs are not among them */
    double height_px;          /* median height of the letters */
    double contrast;           /* of the strokes, grey levels */
    double score;              /* more is likelier text; only for sorting */
};

/* A part of a frame as text is looked for in it: luma; the darkest and brightest of R, G, B, in which white and black letters
 * stand out from a coloured wall that is as bright as they are; and for coloured letters the difference of the two, at
 * most twice what the chroma is off its median over the part: letters of one colour on a wall of another. */
struct intra_text_picture {
    struct intra_view_u8 luma, low, high, colour; /* same size; owned */
    int x0, y0;                           /* of the part in the frame */
    int frame_rows;
    int window_px; /* of the top-hat: strokes are thinner than this */
};

/* Copy what `box` (cut to the frame) shows. Errors: INTRA_E_MEM, INTRA_E_ARG (nothing left of the box); the picture is then
 * finished. fini accepts a zeroed struct. */
enum intra_status intra_text_picture_init(const struct intra_frame *frame, struct intra_text_box box,
                                          struct intra_text_picture *out, struct intra_error *err);
void intra_text_picture_fini(struct intra_text_picture *picture);

/* How far the strokes of `grey` stand out from what is behind them, 0 where there are none; `out` and `between` have the
 * size of grey, may not overlap it, and are the caller's. */
void intra_text_strokes(const struct intra_view_u8 *grey, bool is_bright, int window_px, struct intra_view_u8 *between,
                        struct intra_view_u8 *out);

/* Take from `strokes` of one line of text what is not of its ink: the wall between the dark outlines of two bright letters
 * stands out from them as well. The ink's grey is that of the strongest strokes. contrast: the line's; grey: what the strokes
 * were found in, of the same size. */
void intra_text_keep_ink(const struct intra_view_u8 *grey, bool is_bright, double contrast, struct intra_view_u8 *strokes);

/* Lines in the picture, best first, at most `max`, in the picture's own pixels. height_px: smallest and largest height of
 * letters. Finding none is no error. Errors: INTRA_E_MEM. Safe from several threads; no state. */
enum intra_status intra_text_lines(const struct intra_text_picture *picture, const double height_px[2],
                                   struct intra_text_line *out_lines, int max, int *out_n, struct intra_error *err);

#endif
