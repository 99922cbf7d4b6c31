/* Glyphs: a small picture-point font of our own ("osd", as the character generators of camera controllers have it), and
 * the DejaVu outlines through FreeType ("sans", "bold", "mono"). */
#ifndef INTRA_SIM_FONT_H
#define INTRA_SIM_FONT_H

#include "core/status.h"

#include <stdint.h>

struct intra_sim_fonts;

enum intra_status intra_sim_fonts_open(struct intra_sim_fonts **out, struct intra_error *err);
void intra_sim_fonts_close(struct intra_sim_fonts **fonts);
/* Draw `text` (ASCII) into a coverage mask of the picture's size; x, y: top left corner of the line; height: of the
 * line, px. *out_width: how wide it is. mask may be NULL (measure only). Errors: INTRA_E_UNSUPPORTED when the font is
 * not on this machine. */
enum intra_status intra_sim_font_draw(struct intra_sim_fonts *fonts, const char *font, const char *text, int height,
                                      int x, int y, uint8_t *mask, int mask_width, int mask_height, int *out_width,
                                      struct intra_error *err);

#endif
