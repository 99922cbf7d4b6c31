#include "tools/sim/sim_centreline.h"

#include "core/mem.h"

static const struct intra_vec3 up = {0, 0, 1};

static struct sim_frame frame_of(struct intra_vec3 p, struct intra_vec3 tangent)
{
    struct sim_frame f = {.p = p, .tangent = tangent, .right = intra_unit(intra_cross(tangent, up))};
    f.crown = intra_cross(f.right, tangent);
    return f;
}

static struct intra_vec3 arc_tangent(const struct sim_piece *a, double angle)
{
    return intra_add(intra_scale(a->t0, cos(angle)), intra_scale(a->u, -sin(angle)));
}

static struct sim_frame piece_frame(const struct sim_piece *a, double s)
{
    double d = s - a->s0, angle;
    struct intra_vec3 out;
    if (!a->is_arc) return frame_of(intra_mad(a->p0, d, a->t0), a->t0);
    angle = d / a->bend;
    out = intra_add(intra_scale(a->u, cos(angle)), intra_scale(a->t0, sin(angle)));
    return frame_of(intra_mad(intra_mad(a->p0, -a->bend, a->u), a->bend, out), arc_tangent(a, angle));
}

/* The direction turned by `angle` towards the clock position. */
static struct intra_vec3 turned(struct sim_frame f, double angle, double clock)
{
    struct intra_vec3 to = intra_add(intra_scale(f.crown, cos(clock)), intra_scale(f.right, sin(clock)));
    return intra_unit(intra_add(intra_scale(f.tangent, cos(angle)), intra_scale(to, sin(angle))));
}

struct builder {
    struct intra_sim_centreline *line;
    struct sim_frame end;
    const struct sim_joint *joints;
    int n_joints, next;
};

static void add_piece(struct builder *b, double length, const struct sim_stretch *c)
{
    struct sim_piece *a = &b->line->pieces[b->line->n++];
    *a = (struct sim_piece){.is_arc = c->bend_deg > 0,
                            .s0 = b->line->length,
                            .s1 = b->line->length + length,
                            .p0 = b->end.p,
                            .t0 = b->end.tangent,
                            .bend = c->radius_m};
    if (a->is_arc) { /* the arc's centre lies towards the clock position */
        struct sim_frame side = frame_of(b->end.p, b->end.tangent);
        double clock = c->towards_clock_deg * M_PI / 180;
        a->u = intra_scale(intra_add(intra_scale(side.crown, cos(clock)), intra_scale(side.right, sin(clock))), -1);
    }
    b->end = piece_frame(a, a->s1);
    a->p1 = b->end.p;
    b->line->length = a->s1;
}

/* One stretch, cut where a deflected joint stands. */
static void add_stretch(struct builder *b, const struct sim_stretch *c)
{
    double left = c->bend_deg > 0 ? c->bend_deg * M_PI / 180 * c->radius_m : c->straight_m;
    struct sim_stretch now = *c;
    while (left > 1e-9) {
        double length = left, from = b->line->length;
        while (b->next < b->n_joints &&
               (b->joints[b->next].deflection_deg == 0 || b->joints[b->next].station_m <= from + 1e-6))
            b->next++;
        if (b->next < b->n_joints && b->joints[b->next].station_m < from + left - 1e-6)
            length = b->joints[b->next].station_m - from;
        add_piece(b, length, &now);
        left -= length;
        if (left > 1e-9) {
            const struct sim_joint *j = &b->joints[b->next];
            b->end = frame_of(b->end.p,
                              turned(b->end, j->deflection_deg * M_PI / 180, j->deflection_clock_deg * M_PI / 180));
        }
    }
}

enum intra_status intra_sim_centreline_make(const struct intra_sim_scene *scene, const struct sim_joint *joints, int n,
                                            struct intra_sim_centreline *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    double grade = scene->pipe.grade_pct / 100;
    struct builder b = {.line = out, .joints = joints, .n_joints = n};
    *out = (struct intra_sim_centreline){0};
    INTRA_TRY(INTRA_ALLOC(out->pieces, (size_t)scene->centreline.n + (size_t)n + 1, err));
    b.end = frame_of(intra_vec3(0, 0, 0), intra_unit(intra_vec3(1, 0, grade)));
    for (int i = 0; i < scene->centreline.n; i++)
        add_stretch(&b, SIM_AT(scene->centreline, sim_stretch, i));
    for (int i = 0; i < out->n; i++) {
        struct sim_piece *a = &out->pieces[i];
        struct intra_vec3 last = piece_frame(a, a->s1).tangent, next = i + 1 < out->n ? out->pieces[i + 1].t0 : last;
        a->cut_n = intra_unit(intra_add(last, next));
        for (int k = 0; k <= 8; k++)
            if (fabs(piece_frame(a, a->s0 + (a->s1 - a->s0) * k / 8).tangent.z) > 0.985) {
                status = INTRA_FAIL(err, INTRA_E_FORMAT,
                                    "centreline: steeper than 80 degrees near station %.2f m; clock "
                                    "positions have no meaning there",
                                    a->s0);
                goto done;
            }
    }
done:
    if (status != INTRA_OK) intra_sim_centreline_fini(out);
    return status;
}

void intra_sim_centreline_fini(struct intra_sim_centreline *line)
{
    intra_free(line->pieces);
    *line = (struct intra_sim_centreline){0};
}

int intra_sim_centreline_piece(const struct intra_sim_centreline *line, double s)
{
    int low = 0, high = line->n - 1;
    while (low < high) {
        int mid = (low + high + 1) / 2;
        if (line->pieces[mid].s0 <= s)
            low = mid;
        else
            high = mid - 1;
    }
    return low;
}

struct sim_frame intra_sim_centreline_at(const struct intra_sim_centreline *line, double s)
{
    const struct sim_piece *a = &line->pieces[intra_sim_centreline_piece(line, s)];
    double inside = fmin(fmax(s, 0), line->length);
    struct sim_frame f = piece_frame(a, inside);
    f.p = intra_mad(f.p, s - inside, f.tangent);
    return f;
}

void intra_sim_centreline_locate(const struct intra_sim_centreline *line, struct intra_vec3 p, int *hint, double *out_s,
                                 double *out_theta, double *out_rho)
{
    const struct sim_piece *a;
    struct sim_frame f;
    struct intra_vec3 d;
    int i = *hint, tries = 0;
    for (; tries <= line->n; tries++) {
        a = &line->pieces[i];
        if (i + 1 < line->n && intra_dot(intra_sub(p, a->p1), a->cut_n) > 0)
            i++;
        else if (i > 0 && intra_dot(intra_sub(p, line->pieces[i - 1].p1), line->pieces[i - 1].cut_n) < 0)
            i--;
        else
            break;
    }
    *hint = i;
    a = &line->pieces[i];
    if (a->is_arc) {
        struct intra_vec3 q = intra_sub(p, intra_mad(a->p0, -a->bend, a->u));
        *out_s = a->s0 + a->bend * atan2(intra_dot(q, a->t0), intra_dot(q, a->u));
    } else {
        *out_s = a->s0 + intra_dot(intra_sub(p, a->p0), a->t0);
    }
    f = piece_frame(a, *out_s);
    d = intra_sub(p, f.p);
    *out_theta = atan2(intra_dot(d, f.right), intra_dot(d, f.crown));
    *out_rho = hypot(intra_dot(d, f.right), intra_dot(d, f.crown));
    if (i > 0) *out_s = fmax(*out_s, a->s0);
    if (i + 1 < line->n) *out_s = fmin(*out_s, a->s1);
}
