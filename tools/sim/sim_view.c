#include "tools/sim/sim_view.h"

#include "core/mem.h"
#include "tools/sim/sim_shape.h"

/* fmin and fmax care for NaN and are calls; these are in the innermost loop. */
static inline double low2(double a, double b)
{
    return a < b ? a : b;
}
static inline double high2(double a, double b)
{
    return a > b ? a : b;
}

enum intra_status intra_sim_view_init(struct intra_sim_view *view, const struct intra_sim_wall *wall,
                                      const struct intra_sim_centreline *line, struct intra_error *err)
{
    *view = (struct intra_sim_view){.wall = wall, .n_pieces = line->n};
    return INTRA_ALLOC(view->pieces, (size_t)line->n, err);
}

void intra_sim_view_fini(struct intra_sim_view *view)
{
    intra_free(view->pieces);
    *view = (struct intra_sim_view){0};
}

void intra_sim_view_place(struct intra_sim_view *view, const struct intra_sim_centreline *line,
                          const struct intra_pose *world_from_cam, double station)
{
    struct intra_pose cw = intra_pose_inverse(world_from_cam);
    struct intra_vec3 up = intra_mat3_mul_vec(&cw.r, intra_vec3(0, 0, 1));
    view->cam_from_world = cw;
    view->home = intra_sim_centreline_piece(line, station);
    for (int i = 0; i < line->n; i++) {
        const struct sim_piece *a = &line->pieces[i];
        struct view_piece *p = &view->pieces[i];
        *p = (struct view_piece){
            .is_arc = a->is_arc, .s0 = i ? a->s0 : -1e9, .s1 = i + 1 < line->n ? a->s1 : 1e9, .bend = a->bend};
        p->t = intra_mat3_mul_vec(&cw.r, a->t0);
        p->origin = intra_pose_apply(&cw, a->p0);
        p->cut_n = intra_mat3_mul_vec(&cw.r, a->cut_n);
        p->cut_off = intra_dot(p->cut_n, intra_pose_apply(&cw, a->p1));
        if (a->is_arc) {
            p->u = intra_mat3_mul_vec(&cw.r, a->u);
            p->bn = intra_cross(p->u, p->t);
            p->origin = intra_mad(p->origin, -a->bend, p->u);
            p->up_u = intra_dot(up, p->u);
            p->up_t = intra_dot(up, p->t);
            p->up_b = intra_dot(up, p->bn);
        } else {
            p->right = intra_unit(intra_cross(p->t, up));
            p->crown = intra_cross(p->right, p->t);
        }
        if (!a->is_arc && i == 0) p->s0 = -1e9;
    }
}

double intra_sim_atan2(double y, double x)
{
    static const double c[9] = {0.9999999842426465,   -0.33333066780699655, 0.199924835786797,   -0.14202570513221935,
                                0.10636754104536317,  -0.07495445457997947, 0.04258760765094736, -0.016005030625368778,
                                0.0028340643313934685}; /* Chebyshev fit of atan(q)/q in q^2 on [0, 1] */
    double ax = fabs(x), ay = fabs(y), high = ax > ay ? ax : ay, q, u, a;
    if (!(high > 0)) return 0;
    q = (ax > ay ? ay : ax) / high;
    u = q * q;
    a = q *
        (c[0] + u * (c[1] + u * (c[2] + u * (c[3] + u * (c[4] + u * (c[5] + u * (c[6] + u * (c[7] + u * c[8]))))))));
    if (ay > ax) a = M_PI / 2 - a;
    if (x < 0) a = M_PI - a;
    return y < 0 ? -a : a;
}

static void enter_piece(const struct intra_sim_view *view, struct sim_ray *ray, int piece)
{
    const struct view_piece *p = &view->pieces[piece];
    struct intra_vec3 q = intra_sub(ray->o, p->origin);
    ray->piece = piece;
    if (p->is_arc) { /* kept for the looks: o and d in (u, t, bn) */
        ray->orr = intra_dot(q, p->u);
        ray->ot = intra_dot(q, p->t);
        ray->oc = intra_dot(q, p->bn);
        ray->dr = intra_dot(ray->d, p->u);
        ray->dt = intra_dot(ray->d, p->t);
        ray->dc = intra_dot(ray->d, p->bn);
    } else {
        ray->ot = intra_dot(q, p->t);
        ray->orr = intra_dot(q, p->right);
        ray->oc = intra_dot(q, p->crown);
        ray->dt = intra_dot(ray->d, p->t);
        ray->dr = intra_dot(ray->d, p->right);
        ray->dc = intra_dot(ray->d, p->crown);
    }
}

void intra_sim_ray_start(const struct intra_sim_view *view, struct sim_ray *ray, struct intra_vec3 o,
                         struct intra_vec3 d, int piece)
{
    ray->o = o;
    ray->d = d;
    enter_piece(view, ray, piece);
}

/* The same point, in the piece that holds it. */
static void move_to_piece(const struct intra_sim_view *view, struct sim_ray *ray, double t)
{
    struct intra_vec3 p;
    int i = ray->piece, was = i;
    if (view->n_pieces == 1) return;
    p = intra_mad(ray->o, t, ray->d);
    for (int tries = 0; tries < view->n_pieces; tries++) {
        if (i + 1 < view->n_pieces && intra_dot(p, view->pieces[i].cut_n) > view->pieces[i].cut_off)
            i++;
        else if (i > 0 && intra_dot(p, view->pieces[i - 1].cut_n) < view->pieces[i - 1].cut_off)
            i--;
        else
            break;
    }
    if (i != was) enter_piece(view, ray, i);
}

void intra_sim_ray_look(const struct intra_sim_view *view, struct sim_ray *ray, double t, struct sim_at *at)
{
    const struct view_piece *p;
    move_to_piece(view, ray, t);
    p = &view->pieces[ray->piece];
    at->t = t;
    if (!p->is_arc) {
        at->s = (ray->piece ? p->s0 : 0) + ray->ot + t * ray->dt;
        at->y = ray->orr + t * ray->dr;
        at->z = ray->oc + t * ray->dc;
        at->rho = sqrt(at->y * at->y + at->z * at->z);
        at->vs = ray->dt;
        at->vrho = at->rho > 0 ? (at->y * ray->dr + at->z * ray->dc) / at->rho : 0;
        at->vth = at->rho > 0 ? (at->z * ray->dr - at->y * ray->dc) / at->rho : 0;
    } else {
        double a = ray->orr + t * ray->dr, b = ray->ot + t * ray->dt, wb = ray->oc + t * ray->dc,
               h = sqrt(a * a + b * b);
        double ca = a / h, sa = b / h, wr = h - p->bend, up_r = p->up_u * ca + p->up_t * sa;
        double m = 1 / sqrt(up_r * up_r + p->up_b * p->up_b), ce = up_r * m, cb = p->up_b * m;
        double vr = ray->dr * ca + ray->dt * sa, vt = ray->dt * ca - ray->dr * sa, dy, dz;
        at->s = (ray->piece ? p->s0 : 0) + p->bend * intra_sim_atan2(b, a);
        at->y = wr * cb - wb * ce; /* right = t x crown has components (cb, -ce) on (er, bn) */
        at->z = wr * ce + wb * cb;
        at->rho = sqrt(at->y * at->y + at->z * at->z);
        dy = vr * cb - ray->dc * ce;
        dz = vr * ce + ray->dc * cb;
        at->vs = vt * p->bend / h;
        at->vrho = at->rho > 0 ? (at->y * dy + at->z * dz) / at->rho : 0;
        at->vth = at->rho > 0 ? (at->z * dy - at->y * dz) / at->rho : 0;
        at->ce = ce;
        at->cb = cb;
        at->ca = ca;
        at->sa = sa;
    }
    if (at->s < p->s0) at->s = p->s0;
    if (at->s > p->s1) at->s = p->s1;
    at->theta = intra_sim_atan2(at->y, at->z);
}

void intra_sim_basis(const struct intra_sim_view *view, const struct sim_ray *ray, struct sim_at *at)
{
    const struct view_piece *p = &view->pieces[ray->piece];
    struct intra_vec3 right = p->right, crown = p->crown;
    double inv = at->rho > 0 ? 1 / at->rho : 0;
    at->tangent = p->t;
    if (p->is_arc) {
        struct intra_vec3 out = intra_add(intra_scale(p->u, at->ca), intra_scale(p->t, at->sa));
        at->tangent = intra_sub(intra_scale(p->t, at->ca), intra_scale(p->u, at->sa));
        right = intra_sub(intra_scale(out, at->cb), intra_scale(p->bn, at->ce));
        crown = intra_add(intra_scale(out, at->ce), intra_scale(p->bn, at->cb));
    }
    at->er = intra_add(intra_scale(right, at->y * inv), intra_scale(crown, at->z * inv));
    at->eth = intra_sub(intra_scale(right, at->z * inv), intra_scale(crown, at->y * inv));
}

/* Move a look along its tangent by a small step. */
static void slide(struct sim_at *at, double step)
{
    double dz = (at->z * at->vrho - at->y * at->vth) / at->rho, dy = (at->y * at->vrho + at->z * at->vth) / at->rho;
    at->t += step;
    at->s += step * at->vs;
    at->y += step * dy;
    at->z += step * dz;
    at->theta += step * at->vth / at->rho;
    at->rho += step * at->vrho;
    if (at->theta > M_PI) at->theta -= 2 * M_PI;
    if (at->theta < -M_PI) at->theta += 2 * M_PI;
}

bool intra_sim_polish(const struct intra_sim_view *view, struct sim_ray *ray, double guess, struct sim_at *out)
{
    double t = guess, ds, dth;
    for (int i = 0; i < 6; i++) {
        double f, slope, step;
        intra_sim_ray_look(view, ray, t, out);
        f = out->rho - sim_wall_grid(view->wall, out->s, out->theta, &ds, &dth);
        slope = out->vrho - ds * out->vs - dth * out->vth / out->rho;
        if (fabs(f) < 4e-6) return true;
        if (slope < 1e-4) return false;
        step = f / slope;
        if (fabs(step) > 0.5 * t) return false;
        if (step * step <
            8e-6 * out->rho) { /* the curve leaves its tangent by less than 4 micrometres: no second look */
            slide(out, -step);
            return true;
        }
        t -= step;
    }
    return false;
}

static double room_at(const struct intra_sim_view *view, struct sim_ray *ray, double t, bool has_gaps,
                      struct sim_at *out)
{
    double ds, dth, r;
    intra_sim_ray_look(view, ray, t, out);
    r = sim_wall_grid(view->wall, out->s, out->theta, &ds, &dth) +
        (has_gaps ? sim_wall_groove(view->wall, out->s, &ds) : 0);
    return r - out->rho;
}

/* The wall between t0 (inside the pipe, room f0 > 0) and t1 (beyond the wall, room f1 < 0): false position with every
 * third step a halving, since the face of a joint is nearly a step. */
static void close_in(const struct intra_sim_view *view, struct sim_ray *ray, double t0, double t1, double f1,
                     bool has_gaps, struct sim_at *out)
{
    double f0 = room_at(view, ray, t0, has_gaps, out);
    for (int i = 0; i < 24 && t1 - t0 > 4e-6; i++) {
        double t = i % 3 == 2 || f0 <= 0 ? 0.5 * (t0 + t1) : t0 + (t1 - t0) * low2(high2(f0 / (f0 - f1), 0.02), 0.98);
        double f = room_at(view, ray, t, has_gaps, out);
        if (fabs(f) < 2e-6) return;
        if (f > 0)
            t0 = t, f0 = f;
        else
            t1 = t, f1 = f;
    }
    intra_sim_ray_look(view, ray, t1, out);
}

/* A step that cannot reach the wall while rho is below the lowest wall of the whole pipe. */
static double free_step(const struct intra_sim_view *view, const struct sim_ray *ray, const struct sim_at *at)
{
    const struct view_piece *p = &view->pieces[ray->piece];
    double gap = view->wall->lowest_m - at->rho, step;
    if (p->is_arc) {
        /* The ray turns away from the axis by no more than 1 / r per metre: rho <= rho0 + across x + x^2 / (2 r). */
        double across = sqrt(at->vrho * at->vrho + at->vth * at->vth), r = p->bend - view->wall->highest_m;
        r = high2(r, 0.05);
        step = r * (sqrt(across * across + 2 * gap / r) - across);
    } else { /* where the line pierces the cylinder */
        double a = ray->dr * ray->dr + ray->dc * ray->dc, b = at->rho * at->vrho;
        double c = at->rho * at->rho - view->wall->lowest_m * view->wall->lowest_m;
        step = a > 1e-14 ? (-b + sqrt(b * b - a * c)) / a : 1e6;
    }
    for (int k = 0; k < 2; k++) { /* not past the end of the piece: the line bends there */
        int i = ray->piece - k;
        const struct view_piece *cut = &view->pieces[i < 0 ? 0 : i];
        double speed, left;
        if (i < 0 || i + 1 >= view->n_pieces) continue;
        speed = intra_dot(ray->d, cut->cut_n);
        left = cut->cut_off - intra_dot(intra_mad(ray->o, at->t, ray->d), cut->cut_n);
        if (speed * left > 0) step = low2(step, left / speed + 1e-6);
    }
    return high2(step, 1e-5);
}

static enum sim_hit classify(const struct intra_sim_view *view, struct sim_at *at, int *out_lateral)
{
    const struct intra_sim_wall *w = view->wall;
    int c, r;
    double fs, ft;
    sim_wall_cell(w, at->s, at->theta, &c, &r, &fs, &ft);
    *out_lateral = w->open[(size_t)c * (size_t)w->rows + (size_t)r] - 1;
    return *out_lateral >= 0 && *out_lateral < SIM_OPEN_HOLE - 1 ? SIM_LATERAL : SIM_WALL;
}

static bool gap_between(const struct intra_sim_wall *w, double s0, double s1)
{
    int a = (int)(low2(s0, s1) / w->groove_m) - 2, b = (int)(high2(s0, s1) / w->groove_m) + 3;
    a = a < 0 ? 0 : a > w->n_groove ? w->n_groove : a;
    b = b < 0 ? 0 : b > w->n_groove ? w->n_groove : b;
    return w->groove_count[b] > w->groove_count[a];
}

enum sim_hit intra_sim_trace(const struct intra_sim_view *view, struct sim_ray *ray, double pixel_rad,
                             struct sim_at *out, int *out_lateral)
{
    const struct intra_sim_wall *w = view->wall;
    double t = 0, before = 0;
    for (int i = 0; i < 600; i++) {
        double ds, dth, gap, groove, slope, speed, step, across, foot, fs, ft;
        int c, r, tile;
        bool has_gaps;
        intra_sim_ray_look(view, ray, t, out);
        if ((out->s >= w->length_m && out->vs > 0) || (out->s <= 0 && out->vs < 0) || t > 200) return SIM_MISS;
        if (out->rho < w->lowest_m - 1e-6) {
            before = t;
            t += free_step(view, ray, out);
            continue;
        }
        gap = sim_wall_grid(w, out->s, out->theta, &ds, &dth) - out->rho;
        has_gaps = sim_gaps_show(t, pixel_rad, out->vrho);
        groove = has_gaps ? sim_wall_groove(w, out->s, &fs) : 0;
        foot = t * pixel_rad;
        across = sqrt(out->vs * out->vs + out->vth * out->vth);
        if (groove > 0 || gap <= 0) {
            if (gap + groove <= 2e-6) {
                if (gap + groove < -2e-6) close_in(view, ray, before, t, gap + groove, has_gaps, out);
                return classify(view, out, out_lateral);
            }
            before = t;
            t += high2(0.0008, 0.2 * foot);
            continue;
        }
        if (gap < 1e-5) return classify(view, out, out_lateral);
        sim_wall_cell(w, out->s, out->theta, &c, &r, &fs, &ft);
        tile = c / SIM_TILE * w->tile_rows + r / SIM_TILE;
        slope = w->tile_slope[tile];
        if (slope < 0.05f && out->vrho > 0.03) { /* smooth from here to where Newton points: go there */
            step = gap / high2(out->vrho - ds * out->vs - dth * out->vth / out->rho, 1e-3);
            if (step * step * (1 - out->vs * out->vs) < out->rho * gap && slope * across < 0.5 * out->vrho &&
                !intra_sim_wall_any_tile(w, w->steep_count, out->s, out->s + step * out->vs, out->theta,
                                         out->theta + step * out->vth / out->rho)) {
                if (step * step < 8e-6 * out->rho && !(has_gaps && gap_between(w, out->s, out->s + step * out->vs))) {
                    slide(out, step);
                    return classify(view, out, out_lateral);
                }
                before = t;
                t += step - 4e-6; /* a gap only takes wall away: up to its edge nothing is in the way */
                continue;
            }
        }
        if (w->tile_low[tile] - out->rho > 0.3 * gap) gap = w->tile_low[tile] - out->rho, slope = 0;
        speed = high2(out->vrho, 0) + slope * across + 1e-4;
        step = low2(gap / speed, SIM_TILE * w->cell_m / (across + 1e-6));
        step =
            gap / (speed + 0.5 * step * (1 - out->vs * out->vs) / out->rho); /* rho grows faster along a straight ray */
        /* Close to rough wall the bound is far too careful: nothing there is narrower than two cells. */
        step = high2(step, low2(gap / high2(out->vrho - ds * out->vs - dth * out->vth / out->rho, 0.05),
                                1.5 * w->cell_m / (across + 1e-6)));
        step = low2(high2(step, 0.0001 + 0.1 * foot), SIM_TILE * w->cell_m / (across + 1e-6));
        before = t;
        t += step;
    }
    return SIM_MISS;
}
