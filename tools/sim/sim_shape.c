#include "tools/sim/sim_shape.h"

#include "core/geom.h"
#include "core/mem.h"
#include "tools/sim/sim_noise.h"

enum { SEED_CRACK = 101, SEED_ROOT = 102, SEED_HOLE = 103, SEED_DEPOSIT = 104 };

static uint64_t seed_of(const struct intra_sim_scene *scene, int kind, int index)
{
    return sim_hash3((uint64_t)scene->seed, kind, index);
}

static enum intra_status line_init(struct sim_polyline *line, int n, double half_width, struct intra_error *err)
{
    line->n = n;
    line->half_width = half_width;
    return INTRA_ALLOC(line->points, (size_t)n, err);
}

static void find_bounds(struct sim_polyline *l)
{
    l->low = l->high = l->points[0];
    for (int i = 1; i < l->n; i++) {
        l->low.x = fmin(l->low.x, l->points[i].x);
        l->low.y = fmin(l->low.y, l->points[i].y);
        l->high.x = fmax(l->high.x, l->points[i].x);
        l->high.y = fmax(l->high.y, l->points[i].y);
    }
}

void intra_sim_lines_fini(struct sim_lines *lines)
{
    for (int i = 0; lines->lines && i < lines->n; i++)
        intra_free(lines->lines[i].points);
    intra_free(lines->lines);
    *lines = (struct sim_lines){0};
}

enum intra_status intra_sim_crack_lines(const struct intra_sim_scene *scene, int crack, struct sim_lines *out,
                                        struct intra_error *err)
{
    const struct sim_crack *c = SIM_AT(scene->cracks, sim_crack, crack);
    const double step = 0.006, turn = c->direction_deg * M_PI / 180, r = scene->pipe.diameter_m / 2;
    uint64_t seed = seed_of(scene, SEED_CRACK, crack);
    int n = (int)(c->length_m / step) + 2;
    enum intra_status status = INTRA_OK;
    *out = (struct sim_lines){0};
    INTRA_TRY(INTRA_ALLOC(out->lines, 1, err));
    out->n = 1;
    INTRA_TRY(line_init(&out->lines[0], n, c->width_m / 2, err));
    for (int i = 0; i < n; i++) { /* centred on the station and clock given */
        double along = c->length_m * ((double)i / (n - 1) - 0.5);
        double side = c->wander *
                      (0.02 * intra_sim_noise1(seed, along / 0.11) + 0.006 * intra_sim_noise1(seed + 1, along / 0.017));
        out->lines[0].points[i].x = c->station_m + along * cos(turn) - side * sin(turn);
        out->lines[0].points[i].y = c->clock_deg * M_PI / 180 * r + along * sin(turn) + side * cos(turn);
    }
    find_bounds(&out->lines[0]);
done:
    if (status != INTRA_OK) intra_sim_lines_fini(out);
    return status;
}

enum intra_status intra_sim_root_lines(const struct intra_sim_scene *scene, int root, struct sim_lines *out,
                                       struct intra_error *err)
{
    const struct sim_root *t = SIM_AT(scene->roots, sim_root, root);
    const double step = 0.004, r = scene->pipe.diameter_m / 2;
    enum intra_status status = INTRA_OK;
    *out = (struct sim_lines){0};
    INTRA_TRY(INTRA_ALLOC(out->lines, (size_t)t->strands, err));
    out->n = t->strands;
    for (int k = 0; k < t->strands; k++) {
        uint64_t seed = sim_hash3(seed_of(scene, SEED_ROOT, root), k, 0);
        double length = t->length_m * (0.3 + 0.7 * sim_unit(seed)), way = sim_unit(sim_mix(seed + 1)) < 0.5 ? -1 : 1;
        double x = t->station_m,
               y = (t->clock_deg + t->spread_deg * (sim_unit(sim_mix(seed + 2)) - 0.5)) * M_PI / 180 * r;
        double turn0 = 2.2 * (sim_unit(sim_mix(seed + 3)) - 0.5);
        int n = (int)(length / step) + 2;
        INTRA_TRY(line_init(&out->lines[k], n, t->thickness_m * (0.25 + 0.25 * sim_unit(sim_mix(seed + 4))), err));
        for (int i = 0; i < n; i++) {
            double turn = turn0 + 1.6 * intra_sim_noise1(seed + 5, i * step / 0.05);
            out->lines[k].points[i] = (struct sim_point){x, y};
            x += way * step * cos(turn);
            y += step * sin(turn);
        }
        find_bounds(&out->lines[k]);
    }
done:
    if (status != INTRA_OK) intra_sim_lines_fini(out);
    return status;
}

double intra_sim_line_distance(const struct sim_polyline *line, double x, double y, double perimeter)
{
    double best = 1e30;
    y += perimeter * floor((0.5 * (line->low.y + line->high.y) - y) / perimeter + 0.5);
    for (int i = 0; i + 1 < line->n; i++) {
        struct sim_point a = line->points[i], b = line->points[i + 1];
        double ex = b.x - a.x, ey = b.y - a.y, k = ((x - a.x) * ex + (y - a.y) * ey) / (ex * ex + ey * ey + 1e-18), dx,
               dy;
        k = fmin(fmax(k, 0), 1);
        dx = a.x + k * ex - x;
        dy = a.y + k * ey - y;
        best = fmin(best, dx * dx + dy * dy);
    }
    return sqrt(best);
}

double intra_sim_hole_edge(const struct intra_sim_scene *scene, int hole, double s, double theta)
{
    const struct sim_hole *h = SIM_AT(scene->holes, sim_hole, hole);
    double x = (s - h->station_m) / (h->length_m / 2);
    double y = intra_wrap_pi(theta - h->clock_deg * M_PI / 180) * scene->pipe.diameter_m / 2 / (h->width_m / 2);
    double q = hypot(x, y), turn = atan2(y, x) / (2 * M_PI);
    uint64_t seed = seed_of(scene, SEED_HOLE, hole);
    if (q > 3) return q;
    return (q - 0.85 - 0.12 * intra_sim_noise2(seed, 0.5, turn * 9 + 9, 9) -
            0.06 * intra_sim_noise2(seed, 7.5, turn * 25 + 25, 25)) *
           0.25 * (h->length_m + h->width_m);
}

static double ease(double x)
{
    x = fmin(fmax(x, 0), 1);
    return x * x * (3 - 2 * x);
}

double intra_sim_deposit_height(const struct intra_sim_scene *scene, int deposit, double s, double theta)
{
    const struct sim_deposit *d = SIM_AT(scene->deposits, sim_deposit, deposit);
    uint64_t seed = seed_of(scene, SEED_DEPOSIT, deposit);
    double r = scene->pipe.diameter_m / 2, half = d->width_deg * M_PI / 360,
           a = intra_wrap_pi(theta - d->clock_deg * M_PI / 180);
    double run = fmin(0.15, 0.35 * (d->to_m - d->from_m)), along, across, y, rough;
    if (s <= d->from_m || s >= d->to_m || fabs(a) >= half) return 0;
    along = ease((s - d->from_m) / run) * ease((d->to_m - s) / run);
    across = ease((half - fabs(a)) / (0.7 * half));
    y = a * r;
    rough = 0.75 + 0.25 * intra_sim_noise2(seed, s / 0.06, y / 0.06 + 1000, 1 << 20) +
            0.12 * intra_sim_noise2(seed + 1, s / 0.02, y / 0.02 + 1000, 1 << 20);
    return d->height_m * along * across * fmin(rough, 1);
}

double intra_sim_lateral_distance(const struct intra_sim_scene *scene, int lateral, double s, double theta, double rho)
{
    const struct sim_lateral *l = SIM_AT(scene->laterals, sim_lateral, lateral);
    double a = intra_wrap_pi(theta - l->clock_deg * M_PI / 180), b = l->branch_angle_deg * M_PI / 180;
    double x = s - l->station_m, y = rho * sin(a), z = rho * cos(a);
    return z > 0 ? hypot(y, x * sin(b) - z * cos(b)) : -1;
}
