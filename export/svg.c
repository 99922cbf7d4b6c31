/* Drawings for those who do not want a page: the profile and the strip drawing as SVG, in millimetres on paper.
 *
 * The profile: one plot each of the diameters, the ovality, the water level and the gradient over the station, 95 %
 * interval in grey, unseen stretches marked. The strip: the unrolled wall downwards, station beside it, what was found
 * as numbered lines and what was recorded as outlines, their labels clear of each other. */
#include "core/fileio.h"
#include "core/image.h"
#include "core/mem.h"
#include "export/export.h"
#include "export/mesh.h"
#include "export/svg_draw.h"
#include "export/text.h"
#include "export/wallread.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define Z95 1.96
#define LABEL_MM 4.5

/* ---- profile ---- */

struct curve {
    const char *class;
    double (*value)(const struct intra_section *), (*sd)(const struct intra_section *); /* sd may be NULL */
};
struct plot {
    const char *title;
    struct curve curves[3];
    int n_curves, banded; /* which curve has its interval drawn */
    bool has_nominal;
};

static double mean_mm(const struct intra_section *s)
{
    return 1000 * s->diameter_mean_m;
}
static double mean_sd_mm(const struct intra_section *s)
{
    return 1000 * s->diameter_mean_sd_m;
}
static double min_mm(const struct intra_section *s)
{
    return 1000 * s->diameter_min_m;
}
static double max_mm(const struct intra_section *s)
{
    return 1000 * s->diameter_max_m;
}
static double ovality(const struct intra_section *s)
{
    return s->ovality_pct;
}
static double ovality_sd(const struct intra_section *s)
{
    return s->ovality_sd_pct;
}
static double ovality_max(const struct intra_section *s)
{
    return s->ovality_max_pct;
}
static double water(const struct intra_section *s)
{
    return s->water_level_pct;
}
static double water_sd(const struct intra_section *s)
{
    return s->water_level_sd_pct;
}
static double grade(const struct intra_section *s)
{
    return s->grade_pct;
}
static double grade_sd(const struct intra_section *s)
{
    return s->grade_sd_pct;
}

static const struct plot plots[] = {
    {"Diameter, mm: mean (95 % interval), - - largest, ... smallest, green: nominal",
     {{"a", mean_mm, mean_sd_mm}, {"b", max_mm, NULL}, {"c", min_mm, NULL}},
     3,
     0,
     true},
    {"Ovality, %: (mean - min) / mean (95 % interval), - - (max - mean) / mean",
     {{"a", ovality, ovality_sd}, {"b", ovality_max, NULL}},
     2,
     0,
     false},
    {"Water level, % of the diameter (95 % interval)", {{"a", water, water_sd}}, 1, 0, false},
    {"Gradient, % (95 % interval)", {{"a", grade, grade_sd}}, 1, 0, false},
};
enum { N_PLOTS = sizeof plots / sizeof plots[0] };

/* False where nothing is known. */
static bool fit_frame(struct intra_svg_frame *f, const struct intra_scene *scene, const struct plot *plot)
{
    double pad;
    f->low = INFINITY;
    f->high = -INFINITY;
    for (int64_t i = 0; i < scene->n_sections; i++) {
        const struct intra_section *s = &scene->sections[i];
        if (!s->is_seen) continue;
        for (int c = 0; c < plot->n_curves; c++) {
            double v = plot->curves[c].value(s), sd = plot->curves[c].sd ? plot->curves[c].sd(s) : 0;
            intra_svg_widen(f, v);
            if (isfinite(sd)) intra_svg_widen(f, v + Z95 * sd), intra_svg_widen(f, v - Z95 * sd);
        }
    }
    if (f->low > f->high) return false;
    if (plot->has_nominal) intra_svg_widen(f, 1000 * scene->nominal_diameter_m);
    pad = fmax(0.06 * (f->high - f->low), 0.05);
    f->low -= pad;
    f->high += pad;
    return true;
}

/* One polyline; it is broken where nothing was measured. */
static void put_curve(FILE *to, const struct intra_scene *scene, const struct intra_svg_frame *f,
                      const struct curve *curve)
{
    bool is_down = false;
    fprintf(to, "<path class=\"%s\" d=\"", curve->class);
    for (int64_t i = 0; i < scene->n_sections; i++) {
        const struct intra_section *s = &scene->sections[i];
        double v = s->is_seen ? curve->value(s) : NAN;
        if (isfinite(v))
            fprintf(to, "%c%.2f %.2f", is_down ? 'L' : 'M', intra_svg_x(f, s->station_m), intra_svg_y(f, v));
        is_down = isfinite(v);
    }
    fputs("\"/>\n", to);
}

/* The 95 % interval as one box a section. */
static void put_band(FILE *to, const struct intra_scene *scene, const struct intra_svg_frame *f,
                     const struct curve *curve)
{
    fputs("<path class=\"band\" d=\"", to);
    for (int64_t i = 0; i < scene->n_sections; i++) {
        const struct intra_section *s = &scene->sections[i];
        double v = curve->value(s), sd = curve->sd(s), x0, x1;
        if (!s->is_seen || !isfinite(v) || !isfinite(sd)) continue;
        x0 = intra_svg_x(f, fmax(f->s0, s->station_m - scene->section_step_m / 2));
        x1 = intra_svg_x(f, fmin(f->s1, s->station_m + scene->section_step_m / 2));
        fprintf(to, "M%.2f %.2fH%.2fV%.2fH%.2fZ", x0, intra_svg_y(f, v + Z95 * sd), x1, intra_svg_y(f, v - Z95 * sd),
                x0);
    }
    fputs("\"/>\n", to);
}

static void put_unseen(FILE *to, const struct intra_scene *scene, const struct intra_svg_frame *f)
{
    fputs("<path class=\"gap\" d=\"", to);
    for (int64_t i = 0; i + 1 < scene->n_sections; i++)
        if (!scene->sections[i].is_seen)
            fprintf(to, "M%.2f %.2fH%.2fV%.2fH%.2fZ", intra_svg_x(f, scene->sections[i].station_m), f->top,
                    intra_svg_x(f, scene->sections[i + 1].station_m), f->top + INTRA_SVG_PLOT_HIGH,
                    intra_svg_x(f, scene->sections[i].station_m));
    fputs("\"/>\n", to);
}

static void put_plot(FILE *to, const struct intra_scene *scene, struct intra_svg_frame *f, const struct plot *plot)
{
    intra_svg_text(to, INTRA_SVG_PLOT_LEFT, f->top - 2, "start", plot->title);
    if (!fit_frame(f, scene, plot)) {
        intra_svg_text(to, INTRA_SVG_PLOT_LEFT, f->top + 8, "start", "not measured");
        return;
    }
    put_unseen(to, scene, f);
    put_band(to, scene, f, &plot->curves[plot->banded]);
    intra_svg_axes(to, f);
    if (plot->has_nominal)
        intra_svg_line(to, "nominal", INTRA_SVG_PLOT_LEFT, intra_svg_y(f, 1000 * scene->nominal_diameter_m),
                       INTRA_SVG_PLOT_LEFT + INTRA_SVG_PLOT_WIDTH, intra_svg_y(f, 1000 * scene->nominal_diameter_m));
    for (int c = plot->n_curves - 1; c >= 0; c--)
        put_curve(to, scene, f, &plot->curves[c]);
    intra_svg_line(to, "axis", INTRA_SVG_PLOT_LEFT, f->top + INTRA_SVG_PLOT_HIGH,
                   INTRA_SVG_PLOT_LEFT + INTRA_SVG_PLOT_WIDTH, f->top + INTRA_SVG_PLOT_HIGH);
}

enum intra_status intra_export_profile_svg(const struct intra_scene *scene, const char *path, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_out_file file = {0};
    struct intra_svg_frame frame;
    if (scene->n_sections < 2) return INTRA_FAIL(err, INTRA_E_NO_RESULT, "%s: no section was measured there", path);
    frame.s0 = scene->sections[0].station_m;
    frame.s1 = scene->sections[scene->n_sections - 1].station_m;
    INTRA_TRY(intra_out_file_open(&file, path, err));
    intra_svg_head(file.stream, INTRA_SVG_PLOT_LEFT + INTRA_SVG_PLOT_WIDTH + 8, 12 + N_PLOTS * INTRA_SVG_PLOT_STEP,
                   "Profile of the pipe");
    if (scene->is_diameter_assumed || scene->camera.is_assumed)
        intra_svg_text(file.stream, INTRA_SVG_PLOT_LEFT, 5, "start",
                       scene->is_diameter_assumed ? "Nominal diameter assumed: every length scales with it"
                                                  : "Lens assumed: lengths along the pipe depend on it");
    for (int i = 0; i < N_PLOTS; i++) {
        frame.top = 13 + i * INTRA_SVG_PLOT_STEP;
        put_plot(file.stream, scene, &frame, &plots[i]);
    }
    fputs("</svg>\n", file.stream);
    INTRA_TRY(intra_out_file_commit(&file, err));
done:
    intra_out_file_abandon(&file);
    return status;
}

/* ---- strip ---- */

#define STRIP_LEFT 22.0
#define STRIP_WIDTH 30.0
#define STRIP_TOP 14.0

/* The wall turned, station downwards, as JPEG: `high` rows of 256 cells; unseen wall hatched. */
static enum intra_status put_wall(FILE *to, const struct intra_wall *wall, double length_mm, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    enum { AROUND = 256 };
    int along = (int)fmax(64, fmin(12000, AROUND / STRIP_WIDTH * length_mm));
    double per = (double)wall->cols / along, *centres = NULL;
    uint8_t *cells = NULL, *jpeg = NULL;
    size_t size;
    struct intra_view_u8 picture = {0};
    struct intra_wall_grid grid = {.nx = along,
                                   .ny = AROUND,
                                   .row_first = 0.5 * wall->rows / AROUND,
                                   .row_step = (double)wall->rows / AROUND,
                                   .row_width = (double)wall->rows / AROUND,
                                   .col_width = per};
    INTRA_TRY(INTRA_ALLOC(centres, (size_t)along, err));
    INTRA_TRY(INTRA_ALLOC(cells, (size_t)along * AROUND * 4, err));
    for (int x = 0; x < along; x++)
        centres[x] = (x + 0.5) * per;
    grid.col_centre = centres;
    INTRA_TRY(intra_wall_mean_colour(wall, &grid, cells, err));
    INTRA_TRY(intra_image_u8_init(&picture, along, AROUND, 3, err));
    for (int x = 0; x < along; x++) {
        uint8_t *row = intra_row_u8(&picture, x);
        for (int y = 0; y < AROUND; y++) {
            const uint8_t *cell = cells + ((size_t)y * (size_t)along + (size_t)x) * 4;
            if (intra_mesh_is_seen(cell[3]))
                memcpy(row + 3 * y, cell, 3);
            else
                memset(row + 3 * y,
                       intra_mesh_hatch(wall->station0_m + centres[x] * wall->texel_m, (y + 0.5) / AROUND,
                                        wall->perimeter_m, wall->perimeter_m / 12),
                       3);
        }
    }
    INTRA_TRY(intra_image_encode_jpeg(&picture, 85, &jpeg, &size, err));
    fprintf(to,
            "<image x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\" preserveAspectRatio=\"none\" "
            "xlink:href=\"data:image/jpeg;base64,",
            STRIP_LEFT, STRIP_TOP, STRIP_WIDTH, length_mm);
    intra_text_base64(to, jpeg, size);
    fputs("\"/>\n", to);
done:
    intra_image_u8_fini(&picture);
    intra_free(centres);
    intra_free(cells);
    intra_free(jpeg);
    return status;
}

/* A thing on the strip and its label. */
struct mark {
    double station_m;
    const struct intra_feature *feature;         /* NULL: recorded, */
    const struct intra_observation *observation; /* this one */
    double at;                                   /* where its label stands, mm */
};

static int compare_marks(const void *a, const void *b)
{
    double x = ((const struct mark *)a)->station_m, y = ((const struct mark *)b)->station_m;
    return x < y ? -1 : x > y;
}

/* At most n bytes of UTF-8, no sequence cut in two. */
static void copy_text(const char *from, char *to, size_t n)
{
    size_t used = strlen(from);
    if (used > n - 1) {
        used = n - 1;
        while (used > 0 && ((unsigned char)from[used] & 0xC0) == 0x80)
            used--;
    }
    memcpy(to, from, used);
    to[used] = 0;
}

/* The figure that says most about it: the first that is known. */
static void describe_measure(const struct mark *m, char *out, size_t n)
{
    struct figure {
        const char *word, *unit;
        double value, sd;
        int decimals;
    } figures[6] = {{NULL, NULL, NAN, NAN, 0}};
    char value[64], sd[64];
    int n_figures = 0;
    *out = 0;
    if (m->feature) {
        const struct intra_feature *f = m->feature;
        figures[n_figures++] = (struct figure){"diameter", "mm", 1e3 * f->diameter_m, 1e3 * f->diameter_sd_m, 1};
        figures[n_figures++] = (struct figure){"offset", "mm", 1e3 * f->offset_m, 1e3 * f->offset_sd_m, 1};
    } else {
        const struct intra_extent *e = &m->observation->extent;
        figures[n_figures++] = (struct figure){"diameter", "mm", 1e3 * e->diameter_m, 1e3 * e->diameter_sd_m, 1};
        figures[n_figures++] = (struct figure){"volume", "l", 1e3 * e->volume_m3, 1e3 * e->volume_sd_m3, 2};
        if (!m->observation->place.is_line)
            figures[n_figures++] = (struct figure){"area", "cm\u00b2", 1e4 * e->area_m2, 1e4 * e->area_sd_m2, 1};
        figures[n_figures++] = (struct figure){"length", "mm", 1e3 * e->length_m, 1e3 * e->length_sd_m, 0};
        figures[n_figures++] = (struct figure){"opening", "mm", 1e3 * e->opening_m, 1e3 * e->opening_sd_m, 1};
    }
    for (int i = 0; i < n_figures; i++) {
        const struct figure *f = &figures[i];
        if (!isfinite(f->value)) continue;
        snprintf(out, n, "  %s %s \u00b1 %s %s", f->word, intra_text_number(f->value, f->decimals, value),
                 isfinite(f->sd) ? intra_text_number(f->sd, f->decimals, sd) : "?", f->unit);
        return;
    }
}

static void describe(const struct mark *m, int64_t number, char *out, size_t n)
{
    char station[64], code[24], measure[128];
    if (m->feature)
        snprintf(code, sizeof code, "%s %s", intra_feature_kind_name(m->feature->kind), intra_feature_code(m->feature));
    else
        copy_text(m->observation->code ? m->observation->code : "recorded", code, sizeof code);
    describe_measure(m, measure, sizeof measure);
    snprintf(out, n, "%lld  %s m  %s%s", (long long)number, intra_text_number(m->station_m, 2, station), code, measure);
}

/* Across the strip, mm, of an angle in turns from its left edge; whole turns are kept. */
static double across(double turns)
{
    return STRIP_LEFT + turns * STRIP_WIDTH;
}

/* A closed or open line on the strip, drawn twice where it runs over the cut; cut off at the edges by the clip path. */
static void put_outline(FILE *to, const struct intra_wall *wall, const double (*points)[2], int n, bool is_open,
                        double s0, double mm_per_m)
{
    double low = INFINITY, high = -INFINITY;
    for (int i = 0; i < n; i++) {
        double turns = (points[i][1] - wall->cut_rad) / (2 * M_PI);
        low = fmin(low, turns);
        high = fmax(high, turns);
    }
    if (!isfinite(low) || !isfinite(high) || high - low > 2) return;
    for (double turn = floor(low); turn <= floor(high); turn++) {
        fputs("<path class=\"mark\" clip-path=\"url(#strip)\" d=\"", to);
        for (int i = 0; i < n; i++)
            fprintf(to, "%c%.2f %.2f", i ? 'L' : 'M', across((points[i][1] - wall->cut_rad) / (2 * M_PI) - turn),
                    STRIP_TOP + (points[i][0] - s0) * mm_per_m);
        fputs(is_open ? "\"/>\n" : "Z\"/>\n", to);
    }
}

/* Its own outline, else the box that it lies in; without a clock position a line across. */
static void put_recorded(FILE *to, const struct intra_wall *wall, const struct intra_observation *o, double s0,
                         double mm_per_m)
{
    const struct intra_wall_region *r = intra_place_region(&o->place);
    double span = r->clock_to_rad - r->clock_from_rad, from = r->clock_from_rad;
    if (o->place.outline && o->place.n_outline > 1) {
        put_outline(to, wall, (const double(*)[2])o->place.outline, o->place.n_outline, o->place.is_line, s0, mm_per_m);
        return;
    }
    if (!isfinite(span)) from = wall->cut_rad, span = 2 * M_PI - 1e-6;
    if (span < 0) span += 2 * M_PI;
    const double box[4][2] = {{r->station_from_m, from},
                              {r->station_to_m, from},
                              {r->station_to_m, from + span},
                              {r->station_from_m, from + span}};
    put_outline(to, wall, box, 4, false, s0, mm_per_m);
}

/* What was found, and what was recorded and is placed on this stretch, in order. */
static enum intra_status list_marks(const struct intra_scene *scene, const struct intra_inspection *inspections,
                                    int64_t n, struct mark **out, int64_t *out_n, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    double s0 = scene->wall.station0_m, s1 = s0 + (double)scene->wall.cols * scene->wall.texel_m;
    size_t most = (size_t)scene->n_features + 1;
    *out_n = 0;
    for (int64_t i = 0; i < n; i++)
        most += (size_t)inspections[i].n_observations;
    INTRA_TRY(INTRA_ALLOC(*out, most, err));
    for (int64_t i = 0; i < scene->n_features; i++)
        (*out)[(*out_n)++] = (struct mark){.station_m = scene->features[i].station_m, .feature = &scene->features[i]};
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < inspections[i].n_observations; k++) {
            const struct intra_observation *o = &inspections[i].observations[k];
            const struct intra_wall_region *r = intra_place_region(&o->place);
            if (o->place.is_placed && r->station_to_m >= s0 && r->station_from_m <= s1)
                (*out)[(*out_n)++] =
                    (struct mark){.station_m = fmax(s0, fmin(s1, r->station_from_m)), .observation = o};
        }
    qsort(*out, (size_t)*out_n, sizeof **out, compare_marks);
done:
    return status;
}

/* Lines and outlines on the strip, and labels in order that keep LABEL_MM apart: pushed down first, then up from the
 * lower end. */
static void put_marks(FILE *to, const struct intra_scene *scene, struct mark *marks, int64_t n, double s0,
                      double mm_per_m, double length_mm)
{
    double right = STRIP_LEFT + STRIP_WIDTH, end = STRIP_TOP + length_mm;
    for (int64_t i = 0; i < n; i++) {
        marks[i].at = STRIP_TOP + (marks[i].station_m - s0) * mm_per_m;
        if (i > 0) marks[i].at = fmax(marks[i].at, marks[i - 1].at + LABEL_MM);
    }
    for (int64_t i = n - 1; i >= 0; i--)
        marks[i].at = fmin(marks[i].at, i == n - 1 ? end : marks[i + 1].at - LABEL_MM);
    for (int64_t i = 0; i < n; i++) {
        double y = STRIP_TOP + (marks[i].station_m - s0) * mm_per_m;
        char text[256];
        if (marks[i].feature)
            intra_svg_line(to, "mark", STRIP_LEFT, y, right, y);
        else
            put_recorded(to, &scene->wall, marks[i].observation, s0, mm_per_m);
        fprintf(to, "<path class=\"lead\" d=\"M%.2f %.2fL%.2f %.2fH%.2f\"/>\n", right, y, right + 6, marks[i].at,
                right + 8);
        describe(&marks[i], i + 1, text, sizeof text);
        intra_svg_text(to, right + 9, marks[i].at + 1, "start", text);
    }
}

enum intra_status intra_export_strip_svg(const struct intra_scene *scene, const struct intra_inspection *inspections,
                                         int64_t n, const char *path, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct mark *marks = NULL;
    int64_t n_marks = 0;
    const struct intra_wall *wall = &scene->wall;
    static const char *const hours[] = {"6", "9", "12", "3", "6"};
    double s0 = wall->station0_m, length_m = (double)wall->cols * wall->texel_m, mm_per_m, length_mm, step;
    struct intra_out_file file = {0};
    char text[240], number[64], length[64];
    if (wall->cols < 1 || wall->rows < 1)
        return INTRA_FAIL(err, INTRA_E_NO_RESULT, "%s: no wall was measured there", path);
    INTRA_TRY(list_marks(scene, inspections, n, &marks, &n_marks, err));
    /* 10 mm a metre, 1 : 100, unless labels need more or the pipe is short. */
    mm_per_m = fmax(10, fmax(120 / length_m, LABEL_MM * (double)(n_marks + 1) / length_m));
    length_mm = length_m * mm_per_m;
    INTRA_TRY(intra_out_file_open(&file, path, err));
    intra_svg_head(file.stream, 200, length_mm + STRIP_TOP + 8, "Strip drawing of the pipe");
    snprintf(text, sizeof text, "Nominal diameter %s mm%s; length %s m%s",
             intra_text_number(1000 * scene->nominal_diameter_m, 0, number),
             scene->is_diameter_assumed ? " (assumed)" : "", intra_text_number(scene->length_m, 2, length),
             scene->camera.is_assumed ? " (lens assumed)" : "");
    intra_svg_text(file.stream, STRIP_LEFT, 5, "start", text);
    INTRA_TRY(put_wall(file.stream, wall, length_mm, err));
    for (int k = 0; k < 5; k++)
        intra_svg_text(file.stream, STRIP_LEFT + k * STRIP_WIDTH / 4, STRIP_TOP - 1.5, "middle", hours[k]);
    step = intra_svg_nice_step(12 / mm_per_m);
    for (double s = ceil(s0 / step - 1e-9) * step; s <= s0 + length_m + 1e-9; s += step) {
        double y = STRIP_TOP + (s - s0) * mm_per_m;
        intra_svg_line(file.stream, "axis", STRIP_LEFT - 1.5, y, STRIP_LEFT, y);
        snprintf(text, sizeof text, "%s m", intra_text_number(s, intra_svg_decimals(step), number));
        intra_svg_text(file.stream, STRIP_LEFT - 2.5, y + 1, "end", text);
    }
    fprintf(file.stream, "<path class=\"axis\" d=\"M%.2f %.2fH%.2fV%.2fH%.2fZ\"/>\n", STRIP_LEFT, STRIP_TOP,
            STRIP_LEFT + STRIP_WIDTH, STRIP_TOP + length_mm, STRIP_LEFT);
    for (int64_t i = 0; i < scene->n_gaps; i++) {
        const struct intra_gap *g = &scene->gaps[i];
        /* From the wall's start where nothing was followed before; a line where its length is not known. */
        double from_m = isfinite(g->station_from_m) ? g->station_from_m : s0, high_m;
        double to_m = isfinite(g->station_to_m) ? g->station_to_m : from_m;
        from_m = fmax(from_m, s0);
        high_m = fmin(to_m, s0 + length_m) - from_m;
        if (high_m < 0 || from_m > s0 + length_m || (!isfinite(g->station_from_m) && high_m < 1e-3)) continue;
        fprintf(file.stream, "<rect x=\"%.2f\" y=\"%.2f\" width=\"2\" height=\"%.2f\" fill=\"#888\"/>\n",
                STRIP_LEFT + STRIP_WIDTH + 1, STRIP_TOP + (from_m - s0) * mm_per_m, fmax(0.6, high_m * mm_per_m));
    }
    fprintf(file.stream,
            "<clipPath id=\"strip\"><rect x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\"/></clipPath>\n",
            STRIP_LEFT, STRIP_TOP, STRIP_WIDTH, length_mm);
    put_marks(file.stream, scene, marks, n_marks, s0, mm_per_m, length_mm);
    fputs("</svg>\n", file.stream);
    INTRA_TRY(intra_out_file_commit(&file, err));
done:
    intra_free(marks);
    intra_out_file_abandon(&file);
    return status;
}
