#include "tools/sim/sim_overlay.h"

#include "core/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct layout {
    const char *name;
    struct sim_text texts[5];
};
/* Positions: shares of width and height; negative ones count from the right and from the bottom. */
static const struct layout layouts[] = {
    {"corner", {{"{distance}", "sans", "#ffffff", "", "#000000", 0.03, -0.04, 0.045, 1}}},
    {"boxes",
     {{"12.03.24", "mono", "#101010", "#808886", "", 0.01, -0.035, 0.042, 1},
      {"   {distance}", "mono", "#101010", "#808886", "", -0.01, -0.035, 0.042, 1}}},
    {"header",
     {{"4711 Oberdorf Bachstrasse", "bold", "#ffffff", "", "#303030", 0.04, 0.04, 0.036, 1},
      {"10234 -> 10235 Mischwasser", "bold", "#ffffff", "", "#303030", 0.04, 0.082, 0.036, 1},
      {"12.03.24", "bold", "#ffffff", "", "#303030", 0.04, -0.05, 0.04, 1},
      {"LZ1: +{distance}", "bold", "#ffffff", "", "#303030", -0.05, -0.05, 0.04, 1},
      {"{time}", "bold", "#ffffff", "", "#303030", 0.24, -0.05, 0.04, 1}}},
    {"yellow",
     {{"MH 17 TO MH 18", "osd", "#f0e020", "", "#000000", 0.05, 0.05, 0.06, 1},
      {"{distance}", "osd", "#f0e020", "", "#000000", -0.06, -0.06, 0.06, 1},
      {"03/12/24 {time}", "osd", "#f0e020", "", "#000000", 0.05, -0.06, 0.06, 1}}},
    {"green",
     {{"{distance}", "osd", "#20f040", "", "", 0.05, 0.06, 0.07, 1},
      {"{time}", "osd", "#20f040", "", "", -0.05, 0.06, 0.05, 1}}},
    {"dark",
     {{"6487 Unterdorfstrasse GDE", "bold", "#101018", "", "", 0.03, 0.03, 0.036, 1},
      {"{date}", "sans", "#101018", "#e8e8e8", "", 0.01, -0.02, 0.04, 1},
      {"LZ2: {distance}", "sans", "#101018", "#e8e8e8", "", -0.01, -0.02, 0.04, 1}}},
};

static enum intra_status check_colour(const char *colour, struct intra_error *err)
{
    if (*colour == 0) return INTRA_OK;
    if (*colour != '#' || strlen(colour) != 7 || strspn(colour + 1, "0123456789abcdefABCDEF") != 6)
        return INTRA_FAIL(err, INTRA_E_FORMAT, "overlay.texts: colour '%s' is none; write #rrggbb or leave it empty",
                          colour);
    return INTRA_OK;
}

enum intra_status intra_sim_overlay_make(const struct intra_sim_scene *scene, struct intra_sim_overlay *out,
                                         struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_sim_overlay o = {.scene = scene, .width = scene->video.width, .height = scene->video.height};
    for (size_t i = 0; i < sizeof layouts / sizeof layouts[0]; i++)
        for (int k = 0; k < 5 && strcmp(layouts[i].name, scene->overlay.layout) == 0; k++)
            if (layouts[i].texts[k].text[0]) o.texts[o.n++] = layouts[i].texts[k];
    for (int i = 0; i < scene->overlay.texts.n; i++)
        o.texts[o.n++] = *SIM_AT(scene->overlay.texts, sim_text, i);
    for (int i = 0; i < o.n; i++) {
        INTRA_TRY(check_colour(o.texts[i].colour, err));
        INTRA_TRY(check_colour(o.texts[i].box, err));
        INTRA_TRY(check_colour(o.texts[i].edge, err));
        if (strstr(o.texts[i].text, "{distance}")) o.has_counter = true;
    }
    INTRA_TRY(INTRA_ALLOC(o.mask, (size_t)o.width * (size_t)o.height, err));
    INTRA_TRY(INTRA_ALLOC(o.hidden, (size_t)o.width * (size_t)o.height, err));
    INTRA_TRY(intra_sim_fonts_open(&o.fonts, err));
done:
    *out = o;
    if (status != INTRA_OK) intra_sim_overlay_fini(out);
    return status;
}

void intra_sim_overlay_fini(struct intra_sim_overlay *o)
{
    intra_sim_fonts_close(&o->fonts);
    intra_free(o->mask);
    intra_free(o->hidden);
    *o = (struct intra_sim_overlay){0};
}

double intra_sim_counter_text(const struct intra_sim_scene *scene, double counter_m, char *out, int n)
{
    const char *unit = scene->overlay.unit;
    double foot = 0.3048, step = strcmp(unit, "0.01m") == 0 ? 0.01 : 0.1, in_unit = counter_m;
    if (strcmp(unit, "0.1ft") == 0) in_unit = counter_m / foot;
    in_unit = floor(in_unit / step + 1e-9) * step; /* counters drop what is not full */
    snprintf(out, (size_t)n, "%.*f%s", step == 0.01 ? 2 : 1, in_unit, strcmp(unit, "0.1ft") == 0 ? " ft" : " m");
    return strcmp(unit, "0.1ft") == 0 ? in_unit * foot : in_unit;
}

static void fill_in(const char *pattern, double time_s, const char *distance, char *out, size_t n)
{
    size_t used = 0;
    out[0] = 0;
    while (*pattern && used + 1 < n) {
        char part[64] = {*pattern, 0};
        size_t skip = 1;
        if (strncmp(pattern, "{distance}", 10) == 0) {
            skip = 10;
            snprintf(part, sizeof part, "%s", distance);
        } else if (strncmp(pattern, "{time}", 6) == 0) {
            int t = (int)time_s + 9 * 3600 + 41 * 60;
            skip = 6;
            snprintf(part, sizeof part, "%02d:%02d:%02d", t / 3600 % 24, t / 60 % 60, t % 60);
        } else if (strncmp(pattern, "{date}", 6) == 0) {
            skip = 6;
            snprintf(part, sizeof part, "12.03.24");
        }
        used += (size_t)snprintf(out + used, n - used, "%s", part);
        pattern += skip;
    }
}

static void colour_of(const char *text, int out[3])
{
    long v = strtol(text + 1, NULL, 16);
    out[0] = (int)(v >> 16 & 255);
    out[1] = (int)(v >> 8 & 255);
    out[2] = (int)(v & 255);
}

static void blend(struct intra_view_u8 *rgb, int x, int y, const int colour[3], int alpha)
{
    uint8_t *p = intra_row_u8(rgb, y) + 3 * x;
    for (int k = 0; k < 3; k++)
        p[k] = (uint8_t)(p[k] + ((colour[k] - p[k]) * alpha + 127) / 255);
}

struct rect {
    int x0, y0, x1, y1; /* x1, y1 excluded */
};

static struct rect clip(struct rect r, int width, int height)
{
    r.x0 = r.x0 < 0 ? 0 : r.x0;
    r.y0 = r.y0 < 0 ? 0 : r.y0;
    r.x1 = r.x1 > width ? width : r.x1;
    r.y1 = r.y1 > height ? height : r.y1;
    return r;
}

static enum intra_status draw_text(struct intra_sim_overlay *o, const struct sim_text *t, const char *text,
                                   struct intra_view_u8 *rgb, struct intra_error *err)
{
    int height = (int)(t->size * o->height + 0.5), width, x, y, ink[3] = {255, 255, 255}, box[3] = {0}, edge[3] = {0};
    enum intra_status status = INTRA_OK;
    struct rect r;
    INTRA_TRY(intra_sim_font_draw(o->fonts, t->font, text, height, 0, 0, NULL, 0, 0, &width, err));
    x = t->x >= 0 ? (int)(t->x * o->width) : (int)(o->width + t->x * o->width) - width;
    y = t->y >= 0 ? (int)(t->y * o->height) : (int)(o->height + t->y * o->height) - height;
    r = clip((struct rect){x - height / 4, y - height / 8, x + width + height / 4, y + height + height / 8}, o->width,
             o->height);
    for (int yy = r.y0; yy < r.y1; yy++)
        memset(o->mask + yy * o->width + r.x0, 0, (size_t)(r.x1 > r.x0 ? r.x1 - r.x0 : 0));
    INTRA_TRY(intra_sim_font_draw(o->fonts, t->font, text, height, x, y, o->mask, o->width, o->height, &width, err));
    if (*t->colour) colour_of(t->colour, ink);
    if (*t->box) colour_of(t->box, box);
    if (*t->edge) colour_of(t->edge, edge);
    for (int yy = r.y0; yy < r.y1; yy++)
        for (int xx = r.x0; xx < r.x1; xx++) {
            int own = o->mask[yy * o->width + xx], near = 0;
            if (*t->box) blend(rgb, xx, yy, box, (int)(255 * t->box_alpha + 0.5));
            for (int k = 0; *t->edge && k < 9; k++) {
                int ex = xx + k % 3 - 1, ey = yy + k / 3 - 1;
                if (ex >= r.x0 && ex < r.x1 && ey >= r.y0 && ey < r.y1 && o->mask[ey * o->width + ex] > near)
                    near = o->mask[ey * o->width + ex];
            }
            if (near > 0) blend(rgb, xx, yy, edge, near);
            if (own > 0) blend(rgb, xx, yy, ink, own);
            if (own > 0 || near > 0 || *t->box) o->hidden[yy * o->width + xx] = 1;
        }
done:
    return status;
}

enum intra_status intra_sim_overlay_draw(struct intra_sim_overlay *o, double time_s, double counter_m,
                                         struct intra_view_u8 *rgb, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    char distance[32], text[160];
    memset(o->hidden, 0, (size_t)o->width * (size_t)o->height);
    intra_sim_counter_text(o->scene, counter_m, distance, sizeof distance);
    for (int i = 0; i < o->n; i++) {
        fill_in(o->texts[i].text, time_s, distance, text, sizeof text);
        INTRA_TRY(draw_text(o, &o->texts[i], text, rgb, err));
    }
done:
    return status;
}

enum intra_status intra_sim_overlay_title(struct intra_sim_overlay *o, const char *text, struct intra_view_u8 *rgb,
                                          struct intra_error *err)
{
    struct sim_text line = {"", "bold", "#e0e0e0", "", "", 0.12, 0.3, 0.06, 1};
    enum intra_status status = INTRA_OK;
    char part[128];
    for (int y = 0; y < o->height; y++)
        memset(intra_row_u8(rgb, y), 16, (size_t)o->width * 3);
    memset(o->hidden, 0, (size_t)o->width * (size_t)o->height);
    for (const char *at = *text ? text : "INSPECTION|Section 1"; *at;) { /* '|' parts lines */
        size_t n = strcspn(at, "|");
        snprintf(part, sizeof part, "%.*s", (int)(n < 100 ? n : 100), at);
        INTRA_TRY(draw_text(o, &line, part, rgb, err));
        line.y += 0.1;
        at += n + (at[n] == '|');
    }
done:
    return status;
}
