/* Errors along the pipe as one drawing (SVG): a plot each of station, position across the pipe, roll, radius of the
 * sections and station of the joints, ours - truth over the truth's station; the 95 % interval that the result states
 * in grey. */
#include "core/fileio.h"
#include "core/mem.h"
#include "export/svg_draw.h"
#include "tools/evaluate.h"

#include <math.h>
#include <stdio.h>

static const double z95 = 1.96, joint_half_mm = 1.2;

struct drawn {
    const char *title;
    enum intra_eval_plot curves[2];
    int n_curves;
    double least; /* half of the smallest range that is drawn, so that noise does not fill the page */
};
static const struct drawn drawn[] = {
    {"Station of the camera, mm, less that of the first frame (grey: stated 95 % interval)", {EVAL_PLOT_STATION}, 1, 1},
    {"Position across the pipe, mm, each stretch aligned: to the right, - - upwards",
     {EVAL_PLOT_RIGHT, EVAL_PLOT_UP},
     2,
     1},
    {"Roll against gravity, degrees", {EVAL_PLOT_ROLL}, 1, 0.25},
    {"Radius of the sections, mm, mean (grey: stated 95 % interval)", {EVAL_PLOT_RADIUS}, 1, 0.25},
    {"Joints found, station, mm (bars: stated 95 % interval)", {EVAL_PLOT_JOINT}, 1, 1},
};
enum { N_DRAWN = sizeof drawn / sizeof drawn[0] };

enum intra_status intra_eval_note(struct intra_evaluation *e, enum intra_eval_plot plot, struct intra_eval_point point,
                                  struct intra_error *err)
{
    struct intra_eval_points *p = &e->plots[plot];
    if (!isfinite(point.station_m) || !isfinite(point.error)) return INTRA_OK;
    if (p->n == p->cap) {
        int64_t cap = p->cap ? 2 * p->cap : 256;
        struct intra_eval_point *at = intra_resize(p->at, (size_t)p->cap, (size_t)cap, sizeof *at);
        if (!at) return INTRA_FAIL(err, INTRA_E_MEM, "out of memory for %lld points of a plot", (long long)cap);
        p->at = at;
        p->cap = cap;
    }
    p->at[p->n++] = point;
    return INTRA_OK;
}

static bool fit_frame(const struct intra_evaluation *e, const struct drawn *d, struct intra_svg_frame *f)
{
    bool is_known = false;
    f->low = -d->least;
    f->high = d->least;
    for (int c = 0; c < d->n_curves; c++) {
        const struct intra_eval_points *p = &e->plots[d->curves[c]];
        for (int64_t i = 0; i < p->n; i++) {
            double half = isfinite(p->at[i].sd) ? z95 * p->at[i].sd : 0;
            intra_svg_widen(f, p->at[i].error);
            /* Bars stand about the error, the grey strip about the truth. */
            double about = d->curves[c] == EVAL_PLOT_JOINT ? p->at[i].error : 0;
            intra_svg_widen(f, about + half);
            intra_svg_widen(f, about - half);
        }
        is_known = is_known || p->n > 0;
    }
    f->low *= 1.06;
    f->high *= 1.06;
    return is_known;
}

/* Where the error may lie by what is stated: a strip about zero. */
static void put_band(FILE *to, const struct intra_svg_frame *f, const struct intra_eval_points *p)
{
    fputs("<path class=\"band\" d=\"", to);
    for (int64_t i = 0; i + 1 < p->n; i++) {
        const struct intra_eval_point *a = &p->at[i], *b = a + 1;
        if (a->stretch != b->stretch || !isfinite(a->sd) || !isfinite(b->sd)) continue;
        fprintf(to, "M%.2f %.2fL%.2f %.2fL%.2f %.2fL%.2f %.2fZ", intra_svg_x(f, a->station_m),
                intra_svg_y(f, z95 * a->sd), intra_svg_x(f, b->station_m), intra_svg_y(f, z95 * b->sd),
                intra_svg_x(f, b->station_m), intra_svg_y(f, -z95 * b->sd), intra_svg_x(f, a->station_m),
                intra_svg_y(f, -z95 * a->sd));
    }
    fputs("\"/>\n", to);
}

static void put_curve(FILE *to, const char *class, const struct intra_svg_frame *f, const struct intra_eval_points *p)
{
    fprintf(to, "<path class=\"%s\" d=\"", class);
    for (int64_t i = 0; i < p->n; i++)
        fprintf(to, "%c%.2f %.2f", i > 0 && p->at[i - 1].stretch == p->at[i].stretch ? 'L' : 'M',
                intra_svg_x(f, p->at[i].station_m), intra_svg_y(f, p->at[i].error));
    fputs("\"/>\n", to);
}

/* Single values: a cross each, and a bar as long as the interval. */
static void put_marks(FILE *to, const struct intra_svg_frame *f, const struct intra_eval_points *p)
{
    for (int64_t i = 0; i < p->n; i++) {
        double x = intra_svg_x(f, p->at[i].station_m), y = intra_svg_y(f, p->at[i].error);
        intra_svg_line(to, "mark", x - joint_half_mm, y, x + joint_half_mm, y);
        if (isfinite(p->at[i].sd))
            intra_svg_line(to, "mark", x, intra_svg_y(f, p->at[i].error - z95 * p->at[i].sd), x,
                           intra_svg_y(f, p->at[i].error + z95 * p->at[i].sd));
    }
}

static void put_plot(const struct intra_evaluation *e, FILE *to, const struct drawn *d, struct intra_svg_frame *f)
{
    static const char *const classes[2] = {"a", "b"};
    intra_svg_text(to, INTRA_SVG_PLOT_LEFT, f->top - 2, "start", d->title);
    if (!fit_frame(e, d, f)) {
        intra_svg_text(to, INTRA_SVG_PLOT_LEFT, f->top + 8, "start", "nothing to compare");
        return;
    }
    if (d->curves[0] != EVAL_PLOT_JOINT) put_band(to, f, &e->plots[d->curves[0]]);
    intra_svg_axes(to, f);
    intra_svg_line(to, "nominal", INTRA_SVG_PLOT_LEFT, intra_svg_y(f, 0), INTRA_SVG_PLOT_LEFT + INTRA_SVG_PLOT_WIDTH,
                   intra_svg_y(f, 0));
    for (int c = 0; c < d->n_curves; c++) {
        if (d->curves[c] == EVAL_PLOT_JOINT)
            put_marks(to, f, &e->plots[d->curves[c]]);
        else
            put_curve(to, classes[c], f, &e->plots[d->curves[c]]);
    }
}

/* Stations that any plot needs. */
static struct intra_svg_frame stations_of(const struct intra_evaluation *e)
{
    struct intra_svg_frame f = {.s0 = INFINITY, .s1 = -INFINITY};
    for (int k = 0; k < EVAL_PLOTS; k++)
        for (int64_t i = 0; i < e->plots[k].n; i++) {
            f.s0 = fmin(f.s0, e->plots[k].at[i].station_m);
            f.s1 = fmax(f.s1, e->plots[k].at[i].station_m);
        }
    return f;
}

enum intra_status intra_evaluate_draw(const struct intra_evaluation *e, const char *dir, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_out_file file = {0};
    struct intra_svg_frame f = stations_of(e);
    char path[1200];
    if (!(f.s1 > f.s0))
        return INTRA_FAIL(err, INTRA_E_NO_RESULT, "%s: nothing to draw: no frame has a pose in both result and truth",
                          dir);
    INTRA_TRY(intra_make_dir(dir, err));
    snprintf(path, sizeof path, "%s/errors.svg", dir);
    INTRA_TRY(intra_out_file_open(&file, path, err));
    intra_svg_head(file.stream, INTRA_SVG_PLOT_LEFT + INTRA_SVG_PLOT_WIDTH + 8, 8 + N_DRAWN * INTRA_SVG_PLOT_STEP,
                   "Errors along the pipe");
    for (int i = 0; i < N_DRAWN; i++) {
        f.top = 9 + i * INTRA_SVG_PLOT_STEP;
        put_plot(e, file.stream, &drawn[i], &f);
    }
    fputs("</svg>\n", file.stream);
    INTRA_TRY(intra_out_file_commit(&file, err));
done:
    intra_out_file_abandon(&file);
    return status;
}
