/* What drawings as SVG share: text, lines, a plot of curves over the station. Millimetres on paper, y downwards. Write errors stay in
 * the stream and are seen by intra_out_file_commit. Classes of paths: grid, axis, band, gap, nominal, a, b, c, mark, lead. */
#ifndef INTRA_EXPORT_SVG_DRAW_H
#define INTRA_EXPORT_SVG_DRAW_H

#include <stdio.h>

#define INTRA_SVG_PLOT_LEFT 24.0
#define INTRA_SVG_PLOT_WIDTH 240.0
#define INTRA_SVG_PLOT_HIGH 44.0
#define INTRA_SVG_PLOT_STEP 60.0

/* anchor: start, middle or end, as in SVG. Control characters are left out. */
void intra_svg_text(FILE *to, double x, double y, const char *anchor, const char *text);
void intra_svg_line(FILE *to, const char *class, double x1, double y1, double x2, double y2);
/* Up to the white page; the caller ends with </svg>. title: plain ASCII without < and &. */
void intra_svg_head(FILE *to, double width, double height, const char *title);

/* The 1, 2 or 5 times a power of ten that is not below `least`, and the decimals that show it. */
double intra_svg_nice_step(double least);
int intra_svg_decimals(double step);

/* One plot: stations s0 to s1 (metres) across, low to high upwards, its upper edge at `top`. */
struct intra_svg_frame {
    double s0, s1, low, high, top;
};
double intra_svg_x(const struct intra_svg_frame *f, double station);
double intra_svg_y(const struct intra_svg_frame *f, double value);
/* low and high take the value in; what is not finite is left out. */
void intra_svg_widen(struct intra_svg_frame *f, double value);
/* Lines and numbers of both axes. */
void intra_svg_axes(FILE *to, const struct intra_svg_frame *f);

#endif
