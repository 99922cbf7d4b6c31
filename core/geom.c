/* Rotations and rigid motions. Rodrigues' formula; the logarithm takes the axis from R + R^T near pi, where the
 * antisymmetric part vanishes. */
#include "core/geom.h"

struct intra_mat3 intra_mat3_identity(void)
{
    struct intra_mat3 a = {{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
    return a;
}

struct intra_mat3 intra_mat3_mul(const struct intra_mat3 *a, const struct intra_mat3 *b)
{
    struct intra_mat3 c;
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            c.m[i][j] = a->m[i][0] * b->m[0][j] + a->m[i][1] * b->m[1][j] + a->m[i][2] * b->m[2][j];
    return c;
}

struct intra_mat3 intra_mat3_transpose(const struct intra_mat3 *a)
{
    struct intra_mat3 c;
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) c.m[i][j] = a->m[j][i];
    return c;
}

struct intra_mat3 intra_mat3_from_columns(struct intra_vec3 x, struct intra_vec3 y, struct intra_vec3 z)
{
    struct intra_mat3 a = {{{x.x, y.x, z.x}, {x.y, y.y, z.y}, {x.z, y.z, z.z}}};
    return a;
}

struct intra_mat3 intra_rotation_exp(struct intra_vec3 w)
{
    double t2 = intra_dot(w, w), t = sqrt(t2);
    double a = t < 1e-5 ? 1 - t2 / 6 : sin(t) / t;
    double b = t < 1e-5 ? 0.5 - t2 / 24 : (1 - cos(t)) / t2;
    struct intra_mat3 r = {{{1 - b * (w.y * w.y + w.z * w.z), b * w.x * w.y - a * w.z, b * w.x * w.z + a * w.y},
                            {b * w.x * w.y + a * w.z, 1 - b * (w.x * w.x + w.z * w.z), b * w.y * w.z - a * w.x},
                            {b * w.x * w.z - a * w.y, b * w.y * w.z + a * w.x, 1 - b * (w.x * w.x + w.y * w.y)}}};
    return r;
}

struct intra_vec3 intra_rotation_log(const struct intra_mat3 *r)
{
    struct intra_vec3 v = intra_vec3((r->m[2][1] - r->m[1][2]) / 2, (r->m[0][2] - r->m[2][0]) / 2,
                                     (r->m[1][0] - r->m[0][1]) / 2);
    double c = (r->m[0][0] + r->m[1][1] + r->m[2][2] - 1) / 2, s = intra_norm(v), t = atan2(s, c);
    if (c > -0.99) return intra_scale(v, s > 1e-8 ? t / s : 1);
    /* Near pi: R + R^T = 2 cos t I + 2 (1 - cos t) a a^T. Take the largest diagonal for a safe root. */
    double d[3] = {r->m[0][0], r->m[1][1], r->m[2][2]};
    int i = d[0] >= d[1] ? (d[0] >= d[2] ? 0 : 2) : (d[1] >= d[2] ? 1 : 2);
    double a[3];
    a[i] = sqrt(fmax(0, (d[i] - c) / (1 - c)));
    for (int j = 0; j < 3; j++)
        if (j != i) a[j] = (r->m[i][j] + r->m[j][i]) / (2 * (1 - c) * a[i]);
    struct intra_vec3 axis = intra_unit(intra_vec3(a[0], a[1], a[2]));
    if (intra_dot(axis, v) < 0) axis = intra_scale(axis, -1);
    return intra_scale(axis, t);
}

struct intra_mat3 intra_rotation_tidy(const struct intra_mat3 *r)
{
    struct intra_vec3 x = intra_unit(intra_vec3(r->m[0][0], r->m[0][1], r->m[0][2]));
    struct intra_vec3 y = intra_vec3(r->m[1][0], r->m[1][1], r->m[1][2]);
    y = intra_unit(intra_mad(y, -intra_dot(x, y), x));
    struct intra_vec3 z = intra_cross(x, y);
    struct intra_mat3 a = {{{x.x, x.y, x.z}, {y.x, y.y, y.z}, {z.x, z.y, z.z}}};
    return a;
}

struct intra_quat intra_quat_from_mat3(const struct intra_mat3 *r)
{
    const double(*m)[3] = r->m;
    struct intra_quat q;
    double trace = m[0][0] + m[1][1] + m[2][2];
    if (trace > 0) {
        double s = sqrt(trace + 1) * 2;
        q = (struct intra_quat){s / 4, (m[2][1] - m[1][2]) / s, (m[0][2] - m[2][0]) / s, (m[1][0] - m[0][1]) / s};
    } else if (m[0][0] > m[1][1] && m[0][0] > m[2][2]) {
        double s = sqrt(1 + m[0][0] - m[1][1] - m[2][2]) * 2;
        q = (struct intra_quat){(m[2][1] - m[1][2]) / s, s / 4, (m[0][1] + m[1][0]) / s, (m[0][2] + m[2][0]) / s};
    } else if (m[1][1] > m[2][2]) {
        double s = sqrt(1 + m[1][1] - m[0][0] - m[2][2]) * 2;
        q = (struct intra_quat){(m[0][2] - m[2][0]) / s, (m[0][1] + m[1][0]) / s, s / 4, (m[1][2] + m[2][1]) / s};
    } else {
        double s = sqrt(1 + m[2][2] - m[0][0] - m[1][1]) * 2;
        q = (struct intra_quat){(m[1][0] - m[0][1]) / s, (m[0][2] + m[2][0]) / s, (m[1][2] + m[2][1]) / s, s / 4};
    }
    if (q.w < 0) q = (struct intra_quat){-q.w, -q.x, -q.y, -q.z};
    return q;
}

struct intra_mat3 intra_quat_to_mat3(struct intra_quat q)
{
    double n = q.w * q.w + q.x * q.x + q.y * q.y + q.z * q.z, s = n > 0 ? 2 / n : 0;
    struct intra_mat3 r = {{{1 - s * (q.y * q.y + q.z * q.z), s * (q.x * q.y - q.z * q.w), s * (q.x * q.z + q.y * q.w)},
                            {s * (q.x * q.y + q.z * q.w), 1 - s * (q.x * q.x + q.z * q.z), s * (q.y * q.z - q.x * q.w)},
                            {s * (q.x * q.z - q.y * q.w), s * (q.y * q.z + q.x * q.w), 1 - s * (q.x * q.x + q.y * q.y)}}};
    return r;
}

struct intra_pose intra_pose_identity(void)
{
    struct intra_pose p = {intra_mat3_identity(), {0, 0, 0}};
    return p;
}

struct intra_pose intra_pose_inverse(const struct intra_pose *p)
{
    struct intra_pose q;
    q.r = intra_mat3_transpose(&p->r);
    q.t = intra_scale(intra_mat3_mul_vec(&q.r, p->t), -1);
    return q;
}

struct intra_pose intra_pose_mul(const struct intra_pose *a_from_b, const struct intra_pose *b_from_c)
{
    struct intra_pose p;
    p.r = intra_mat3_mul(&a_from_b->r, &b_from_c->r);
    p.t = intra_pose_apply(a_from_b, b_from_c->t);
    return p;
}

struct intra_pose intra_pose_left_update(const struct intra_pose *p, struct intra_vec3 w, struct intra_vec3 v)
{
    struct intra_mat3 e = intra_rotation_exp(w);
    struct intra_pose q;
    q.r = intra_mat3_mul(&e, &p->r);
    q.t = intra_add(intra_mat3_mul_vec(&e, p->t), v);
    return q;
}

struct intra_pose intra_pose_lerp(const struct intra_pose *a, const struct intra_pose *b, double k)
{
    struct intra_pose ia = intra_pose_inverse(a), ib = intra_pose_inverse(b), i, d;
    struct intra_mat3 rel = intra_mat3_mul(&a->r, &ib.r); /* a_from_b rotation, in src of the inverses */
    struct intra_vec3 w = intra_rotation_log(&rel);
    struct intra_mat3 step = intra_rotation_exp(intra_scale(w, k));
    i.r = intra_mat3_mul(&ia.r, &step);
    i.t = intra_add(intra_scale(ia.t, 1 - k), intra_scale(ib.t, k));
    d = intra_pose_inverse(&i);
    return d;
}

double intra_wrap_pi(double a)
{
    a = fmod(a + M_PI, 2 * M_PI);
    if (a <= 0) a += 2 * M_PI;
    return a - M_PI;
}
