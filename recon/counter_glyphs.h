/* The shapes of a counter's letters, learnt from the video itself. A letter comes back in many frames; shapes that look the
 * same are one, whatever Tesseract made of each, and get the name that most of its readings give them. Once the shapes are
 * known, a frame is read by comparing shapes, which is quicker and surer. */
#ifndef INTRA_RECON_COUNTER_GLYPHS_H
#define INTRA_RECON_COUNTER_GLYPHS_H

#include "recon/counter_cells.h"
#include "recon/counter_parse.h"
#include "recon/overlay_text.h"

enum { INTRA_GLYPHS_IN_LINE = 24, INTRA_GLYPH_PX = 24 };

/* A line of text as shapes, left to right. 12.3 is three letters, the third with a point before it. */
struct intra_glyph_line {
    int n;
    struct {
        int16_t shape; /* -1: none, the table is full */
        bool has_point_before, has_colon_before, has_space_before;
        struct intra_text_box box; /* pixels of the frame */
    } letters[INTRA_GLYPHS_IN_LINE];
};

struct intra_glyphs;

/* Errors: INTRA_E_MEM. destroy accepts NULL. */
enum intra_status intra_glyphs_create(struct intra_glyphs **out, struct intra_error *err);
void intra_glyphs_destroy(struct intra_glyphs **glyphs);

/* Cut a line into letters and find their shapes; new ones are added. n is 0 where letters run into each other or into what
 * is behind them. Errors: INTRA_E_MEM. */
enum intra_status intra_glyphs_cut(struct intra_glyphs *glyphs, const struct intra_text_picture *picture,
                                   const struct intra_text_line *line, struct intra_glyph_line *out,
                                   struct intra_error *err);
/* What one reading says that the line's letters are; ignored unless it has as many letters as the line has shapes. */
void intra_glyphs_vote(struct intra_glyphs *glyphs, const struct intra_glyph_line *line, const char *text);
/* Settle each shape's name, those with the most votes first. A digit has one shape: an unlike one must take its next name. */
void intra_glyphs_settle(struct intra_glyphs *glyphs);

/* Letters of the line's number, the highest digit first: its length and the first of them; 0: where the number is, is
 * not clear. */
int intra_glyphs_digits(const struct intra_glyphs *glyphs, const struct intra_glyph_line *line, int *out_first);

/* Whether the letter's name is not settled. false where it has no shape. */
bool intra_glyphs_is_unnamed(const struct intra_glyphs *glyphs, const struct intra_glyph_line *line, int letter);

/* The line in names that are settled, '?' for others (n bytes), the distance in it, and how sure it is (0: none). */
double intra_glyphs_read(const struct intra_glyphs *glyphs, const struct intra_glyph_line *line, char *out_text, int n,
                         struct intra_counter_text *out);

#endif
