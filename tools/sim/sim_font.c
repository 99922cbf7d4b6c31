#include "tools/sim/sim_font.h"

#include "core/mem.h"

#include <ft2build.h>
#include FT_FREETYPE_H
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Rows of five points, top first, one byte a row (bit 4 = left). The eighth row hangs below the line. */
struct glyph {
    char letter;
    uint8_t rows[8];
};
static const struct glyph glyphs[] = {
    {'0', {14, 17, 17, 21, 17, 17, 14, 0}}, {'1', {4, 12, 4, 4, 4, 4, 14, 0}},
    {'2', {14, 17, 1, 6, 8, 16, 31, 0}},    {'3', {14, 17, 1, 6, 1, 17, 14, 0}},
    {'4', {2, 6, 10, 18, 31, 2, 2, 0}},     {'5', {31, 16, 30, 1, 1, 17, 14, 0}},
    {'6', {14, 16, 16, 30, 17, 17, 14, 0}}, {'7', {31, 1, 2, 4, 4, 8, 8, 0}},
    {'8', {14, 17, 17, 14, 17, 17, 14, 0}}, {'9', {14, 17, 17, 15, 1, 1, 14, 0}},
    {'A', {14, 17, 17, 31, 17, 17, 17, 0}}, {'B', {30, 17, 17, 30, 17, 17, 30, 0}},
    {'C', {14, 17, 16, 16, 16, 17, 14, 0}}, {'D', {28, 18, 17, 17, 17, 18, 28, 0}},
    {'E', {31, 16, 16, 30, 16, 16, 31, 0}}, {'F', {31, 16, 16, 30, 16, 16, 16, 0}},
    {'G', {14, 17, 16, 23, 17, 17, 15, 0}}, {'H', {17, 17, 17, 31, 17, 17, 17, 0}},
    {'I', {14, 4, 4, 4, 4, 4, 14, 0}},      {'J', {7, 2, 2, 2, 2, 18, 12, 0}},
    {'K', {17, 18, 20, 24, 20, 18, 17, 0}}, {'L', {16, 16, 16, 16, 16, 16, 31, 0}},
    {'M', {17, 27, 21, 21, 17, 17, 17, 0}}, {'N', {17, 25, 25, 21, 19, 19, 17, 0}},
    {'O', {14, 17, 17, 17, 17, 17, 14, 0}}, {'P', {30, 17, 17, 30, 16, 16, 16, 0}},
    {'Q', {14, 17, 17, 17, 21, 18, 13, 0}}, {'R', {30, 17, 17, 30, 20, 18, 17, 0}},
    {'S', {15, 16, 16, 14, 1, 1, 30, 0}},   {'T', {31, 4, 4, 4, 4, 4, 4, 0}},
    {'U', {17, 17, 17, 17, 17, 17, 14, 0}}, {'V', {17, 17, 17, 17, 10, 10, 4, 0}},
    {'W', {17, 17, 17, 21, 21, 27, 17, 0}}, {'X', {17, 10, 10, 4, 10, 10, 17, 0}},
    {'Y', {17, 17, 10, 4, 4, 4, 4, 0}},     {'Z', {31, 1, 2, 4, 8, 16, 31, 0}},
    {'a', {0, 0, 14, 1, 15, 17, 15, 0}},    {'b', {16, 16, 30, 17, 17, 17, 30, 0}},
    {'c', {0, 0, 15, 16, 16, 16, 15, 0}},   {'d', {1, 1, 15, 17, 17, 17, 15, 0}},
    {'e', {0, 0, 14, 17, 31, 16, 14, 0}},   {'f', {6, 8, 28, 8, 8, 8, 8, 0}},
    {'g', {0, 0, 15, 17, 17, 15, 1, 14}},   {'h', {16, 16, 30, 17, 17, 17, 17, 0}},
    {'i', {4, 0, 12, 4, 4, 4, 14, 0}},      {'j', {2, 0, 6, 2, 2, 2, 18, 12}},
    {'k', {16, 16, 18, 20, 24, 20, 18, 0}}, {'l', {12, 4, 4, 4, 4, 4, 14, 0}},
    {'m', {0, 0, 26, 21, 21, 21, 17, 0}},   {'n', {0, 0, 30, 17, 17, 17, 17, 0}},
    {'o', {0, 0, 14, 17, 17, 17, 14, 0}},   {'p', {0, 0, 30, 17, 17, 30, 16, 16}},
    {'q', {0, 0, 15, 17, 17, 15, 1, 1}},    {'r', {0, 0, 22, 24, 16, 16, 16, 0}},
    {'s', {0, 0, 15, 16, 14, 1, 30, 0}},    {'t', {8, 8, 28, 8, 8, 8, 6, 0}},
    {'u', {0, 0, 17, 17, 17, 17, 15, 0}},   {'v', {0, 0, 17, 17, 10, 10, 4, 0}},
    {'w', {0, 0, 17, 21, 21, 21, 10, 0}},   {'x', {0, 0, 17, 10, 4, 10, 17, 0}},
    {'y', {0, 0, 17, 17, 17, 15, 1, 14}},   {'z', {0, 0, 31, 2, 4, 8, 31, 0}},
    {'.', {0, 0, 0, 0, 0, 12, 12, 0}},      {',', {0, 0, 0, 0, 0, 12, 4, 8}},
    {':', {0, 12, 12, 0, 12, 12, 0, 0}},    {'-', {0, 0, 0, 14, 0, 0, 0, 0}},
    {'+', {0, 4, 4, 31, 4, 4, 0, 0}},       {'/', {1, 1, 2, 4, 8, 16, 16, 0}},
    {'<', {2, 4, 8, 16, 8, 4, 2, 0}},       {'>', {8, 4, 2, 1, 2, 4, 8, 0}},
    {'(', {2, 4, 8, 8, 8, 4, 2, 0}},        {')', {8, 4, 2, 2, 2, 4, 8, 0}},
    {'_', {0, 0, 0, 0, 0, 0, 0, 31}},       {'%', {24, 25, 2, 4, 8, 19, 3, 0}},
    {'\'', {4, 4, 8, 0, 0, 0, 0, 0}},       {'#', {10, 10, 31, 10, 31, 10, 10, 0}},
    {'=', {0, 0, 31, 0, 31, 0, 0, 0}},      {'*', {0, 4, 21, 14, 21, 4, 0, 0}},
    {'!', {4, 4, 4, 4, 4, 0, 4, 0}},        {'?', {14, 17, 1, 2, 4, 0, 4, 0}},
};

static const struct {
    const char *name, *file;
} outlines[] = {
    {"sans", "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"},
    {"bold", "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf"},
    {"mono", "/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf"},
};
enum { N_OUTLINES = sizeof outlines / sizeof outlines[0] };

struct intra_sim_fonts {
    FT_Library library;
    FT_Face faces[N_OUTLINES];
};

enum intra_status intra_sim_fonts_open(struct intra_sim_fonts **out, struct intra_error *err)
{
    enum intra_status status = INTRA_ALLOC(*out, 1, err);
    if (status == INTRA_OK && FT_Init_FreeType(&(*out)->library)) {
        intra_free(*out);
        *out = NULL;
        return INTRA_FAIL(err, INTRA_E_MEM, "FreeType does not start");
    }
    return status;
}

void intra_sim_fonts_close(struct intra_sim_fonts **fonts)
{
    if (!*fonts) return;
    for (int i = 0; i < N_OUTLINES; i++)
        if ((*fonts)->faces[i]) FT_Done_Face((*fonts)->faces[i]);
    FT_Done_FreeType((*fonts)->library);
    intra_free(*fonts);
    *fonts = NULL;
}

struct mask {
    uint8_t *at;
    int width, height;
};

static void put(const struct mask *m, int x, int y, int v)
{
    if (m->at && x >= 0 && y >= 0 && x < m->width && y < m->height && m->at[y * m->width + x] < v)
        m->at[y * m->width + x] = (uint8_t)v;
}

static int draw_osd(const struct mask *m, const char *text, int height, int x, int y)
{
    int scale = (height + 4) / 9 > 0 ? (height + 4) / 9 : 1;
    for (const char *c = text; *c; c++, x += 6 * scale)
        for (size_t g = 0; g < sizeof glyphs / sizeof glyphs[0]; g++) {
            if (glyphs[g].letter != *c) continue;
            for (int i = 0; i < 8 * 5; i++)
                if (glyphs[g].rows[i / 5] >> (4 - i % 5) & 1)
                    for (int k = 0; k < scale * scale; k++)
                        put(m, x + i % 5 * scale + k % scale, y + i / 5 * scale + k / scale, 255);
        }
    return (int)strlen(text) * 6 * scale - scale;
}

enum intra_status intra_sim_font_draw(struct intra_sim_fonts *f, const char *font, const char *text, int height, int x,
                                      int y, uint8_t *mask, int mask_width, int mask_height, int *out_width,
                                      struct intra_error *err)
{
    struct mask m = {mask, mask_width, mask_height};
    int which = 0, x0 = x, base;
    FT_Face face;
    if (strcmp(font, "osd") == 0) {
        *out_width = draw_osd(&m, text, height, x, y);
        return INTRA_OK;
    }
    while (which < N_OUTLINES - 1 && strcmp(outlines[which].name, font) != 0)
        which++;
    if (!f->faces[which] && FT_New_Face(f->library, outlines[which].file, 0, &f->faces[which])) {
        f->faces[which] = NULL;
        return INTRA_FAIL(err, INTRA_E_UNSUPPORTED,
                          "%s: font '%s' is not there; install fonts-dejavu-core or use font osd", outlines[which].file,
                          font);
    }
    face = f->faces[which];
    FT_Set_Pixel_Sizes(face, 0, (FT_UInt)(height * 0.82));
    base = y + (int)(height * 0.78);
    for (const char *c = text; *c; c++) {
        if (FT_Load_Char(face, (FT_ULong)(unsigned char)*c, FT_LOAD_RENDER)) continue;
        const FT_Bitmap *b = &face->glyph->bitmap;
        for (int r = 0; r < (int)b->rows; r++)
            for (int k = 0; k < (int)b->width; k++)
                put(&m, x + face->glyph->bitmap_left + k, base - face->glyph->bitmap_top + r,
                    b->buffer[r * b->pitch + k]);
        x += (int)(face->glyph->advance.x >> 6);
    }
    *out_width = x - x0;
    return INTRA_OK;
}
