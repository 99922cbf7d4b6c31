#include "export/svg_draw.h"

#include "export/text.h"

#include <math.h>
#include <stdio.h>

void intra_svg_text(FILE *to, double x, double y, const char *anchor, const char *text)
{
    fprintf(to, "<text x=\"%.2f\" y=\"%.2f\" text-anchor=\"%s\">", x, y, anchor);
    for (; *text; text++) {
        switch (*text) {
        case '<':
            fputs("&lt;", to);
            break;
        case '>':
            fputs("&gt;", to);
            break;
        case '&':
            fputs("&amp;", to);
            break;
        default:
            if ((unsigned char)*text >= 0x20) fputc(*text, to);
        }
    }
    fputs("</text>\n", to);
}

void intra_svg_line(FILE *to, const char *class, double x1, double y1, double x2, double y2)
{
    fprintf(to, "<path class=\"%s\" d=\"M%.2f %.2fL%.2f %.2f\"/>\n", class, x1, y1, x2, y2);
}

void intra_svg_head(FILE *to, double width, double height, const char *title)
{
    fprintf(to,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" width=\"%.1fmm\" "
            "height=\"%.1fmm\" viewBox=\"0 0 %.1f %.1f\">\n<title>%s</title>\n"
            "<style>text{font:3px 'DejaVu Sans',Arial,sans-serif;fill:#16202c}path{fill:none;stroke-width:.3}"
            ".grid{stroke:#ddd;stroke-width:.15}.axis{stroke:#16202c}.band{fill:#d5e0ee;stroke:none}"
            ".gap{fill:#bbb;stroke:none}.nominal{stroke:#12805c;stroke-dasharray:2 1.2}.a{stroke:#16202c}"
            ".b{stroke:#b2500a;stroke-dasharray:1.6 .8}.c{stroke:#2154a0;stroke-dasharray:.6 .6}.mark{stroke:#c0392b}"
            ".lead{stroke:#777;stroke-width:.15}</style>\n<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
            width, height, width, height, title);
}

double intra_svg_nice_step(double least)
{
    double power = pow(10, floor(log10(least)));
    return least <= power * 1.001   ? power
           : least <= 2.001 * power ? 2 * power
           : least <= 5.001 * power ? 5 * power
                                    : 10 * power;
}

int intra_svg_decimals(double step)
{
    return step >= 1 ? 0 : step >= 0.1 ? 1 : 2;
}

double intra_svg_x(const struct intra_svg_frame *f, double station)
{
    return INTRA_SVG_PLOT_LEFT + (station - f->s0) / (f->s1 - f->s0) * INTRA_SVG_PLOT_WIDTH;
}
double intra_svg_y(const struct intra_svg_frame *f, double value)
{
    return f->top + INTRA_SVG_PLOT_HIGH * (f->high - value) / (f->high - f->low);
}

void intra_svg_widen(struct intra_svg_frame *f, double value)
{
    if (!isfinite(value)) return;
    f->low = fmin(f->low, value);
    f->high = fmax(f->high, value);
}

void intra_svg_axes(FILE *to, const struct intra_svg_frame *f)
{
    char number[64], label[80];
    double step;
    step = intra_svg_nice_step((f->high - f->low) / 5);
    for (double v = ceil(f->low / step) * step; v <= f->high; v += step) {
        intra_svg_line(to, "grid", INTRA_SVG_PLOT_LEFT, intra_svg_y(f, v), INTRA_SVG_PLOT_LEFT + INTRA_SVG_PLOT_WIDTH,
                       intra_svg_y(f, v));
        intra_svg_text(to, INTRA_SVG_PLOT_LEFT - 1.5, intra_svg_y(f, v) + 1, "end",
                       intra_text_number(v, intra_svg_decimals(step), number));
    }
    step = intra_svg_nice_step((f->s1 - f->s0) / 12);
    for (double s = ceil(f->s0 / step - 1e-9) * step; s <= f->s1 + 1e-9; s += step) {
        intra_svg_line(to, "axis", intra_svg_x(f, s), f->top + INTRA_SVG_PLOT_HIGH, intra_svg_x(f, s),
                       f->top + INTRA_SVG_PLOT_HIGH + 1);
        snprintf(label, sizeof label, "%s m", intra_text_number(s, intra_svg_decimals(step), number));
        intra_svg_text(to, intra_svg_x(f, s), f->top + INTRA_SVG_PLOT_HIGH + 4.5, "middle", label);
    }
    intra_svg_line(to, "axis", INTRA_SVG_PLOT_LEFT, f->top + INTRA_SVG_PLOT_HIGH,
                   INTRA_SVG_PLOT_LEFT + INTRA_SVG_PLOT_WIDTH, f->top + INTRA_SVG_PLOT_HIGH);
}
