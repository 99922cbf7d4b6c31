/* Double-precision geometry for estimation: 3-vectors, rotations, rigid motions.
 *
 * A pose named dst_from_src maps x_dst = R * x_src + t. Rotation vectors are radians times unit axis
 * (Rodrigues). Quaternions are Hamilton, (w, x, y, z). Everything is by value or const pointer; nothing allocates. */
#ifndef INTRA_CORE_GEOM_H
#define INTRA_CORE_GEOM_H

#include <math.h>
#include <stdbool.h>

#ifndef M_PI
#define M_PI 3.14159265358979323846
#endif

struct intra_vec3 {
    double x, y, z;
};
struct intra_mat3 {
    double m[3][3]; /* row, column */
};
struct intra_quat {
    double w, x, y, z;
};
struct intra_pose {
    struct intra_mat3 r;
    struct intra_vec3 t;
};

static inline struct intra_vec3 intra_vec3(double x, double y, double z)
{
    struct intra_vec3 v = {x, y, z};
    return v;
}
static inline struct intra_vec3 intra_add(struct intra_vec3 a, struct intra_vec3 b)
{
    return intra_vec3(a.x + b.x, a.y + b.y, a.z + b.z);
}
static inline struct intra_vec3 intra_sub(struct intra_vec3 a, struct intra_vec3 b)
{
    return intra_vec3(a.x - b.x, a.y - b.y, a.z - b.z);
}
static inline struct intra_vec3 intra_scale(struct intra_vec3 a, double k)
{
    return intra_vec3(a.x * k, a.y * k, a.z * k);
}
/* a + k b */
static inline struct intra_vec3 intra_mad(struct intra_vec3 a, double k, struct intra_vec3 b)
{
    return intra_vec3(a.x + k * b.x, a.y + k * b.y, a.z + k * b.z);
}
static inline double intra_dot(struct intra_vec3 a, struct intra_vec3 b)
{
    return a.x * b.x + a.y * b.y + a.z * b.z;
}
static inline struct intra_vec3 intra_cross(struct intra_vec3 a, struct intra_vec3 b)
{
    return intra_vec3(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x);
}
static inline double intra_norm(struct intra_vec3 a)
{
    return sqrt(intra_dot(a, a));
}
/* Unit vector; the zero vector stays zero. */
static inline struct intra_vec3 intra_unit(struct intra_vec3 a)
{
    double n = intra_norm(a);
    return n > 0 ? intra_scale(a, 1 / n) : a;
}
static inline struct intra_vec3 intra_mat3_mul_vec(const struct intra_mat3 *a, struct intra_vec3 v)
{
    return intra_vec3(a->m[0][0] * v.x + a->m[0][1] * v.y + a->m[0][2] * v.z,
                      a->m[1][0] * v.x + a->m[1][1] * v.y + a->m[1][2] * v.z,
                      a->m[2][0] * v.x + a->m[2][1] * v.y + a->m[2][2] * v.z);
}
/* transpose(a) * v */
static inline struct intra_vec3 intra_mat3_tmul_vec(const struct intra_mat3 *a, struct intra_vec3 v)
{
    return intra_vec3(a->m[0][0] * v.x + a->m[1][0] * v.y + a->m[2][0] * v.z,
                      a->m[0][1] * v.x + a->m[1][1] * v.y + a->m[2][1] * v.z,
                      a->m[0][2] * v.x + a->m[1][2] * v.y + a->m[2][2] * v.z);
}
static inline struct intra_vec3 intra_pose_apply(const struct intra_pose *p, struct intra_vec3 v)
{
    return intra_add(intra_mat3_mul_vec(&p->r, v), p->t);
}

struct intra_mat3 intra_mat3_identity(void);
struct intra_mat3 intra_mat3_mul(const struct intra_mat3 *a, const struct intra_mat3 *b);
struct intra_mat3 intra_mat3_transpose(const struct intra_mat3 *a);
/* Columns x, y, z. */
struct intra_mat3 intra_mat3_from_columns(struct intra_vec3 x, struct intra_vec3 y, struct intra_vec3 z);

/* Rodrigues' formula and its inverse; log is right up to and at pi (|result| <= pi). Inverses of each other. */
struct intra_mat3 intra_rotation_exp(struct intra_vec3 w);
struct intra_vec3 intra_rotation_log(const struct intra_mat3 *r);
/* The nearest rotation after accumulated rounding (Gram-Schmidt on rows). */
struct intra_mat3 intra_rotation_tidy(const struct intra_mat3 *r);

struct intra_quat intra_quat_from_mat3(const struct intra_mat3 *r); /* w >= 0 */
struct intra_mat3 intra_quat_to_mat3(struct intra_quat q);          /* q need not be of unit length */

struct intra_pose intra_pose_identity(void);
struct intra_pose intra_pose_inverse(const struct intra_pose *p);
/* a_from_c = a_from_b * b_from_c */
struct intra_pose intra_pose_mul(const struct intra_pose *a_from_b, const struct intra_pose *b_from_c);
/* Left update: exp(w) on the rotation, then translation: R' = exp(w) R, t' = exp(w) t + v. */
struct intra_pose intra_pose_left_update(const struct intra_pose *p, struct intra_vec3 w, struct intra_vec3 v);
/* Between a (k = 0) and b (k = 1): rotation on the geodesic, the origin of src on a straight line in dst^-1. */
struct intra_pose intra_pose_lerp(const struct intra_pose *a, const struct intra_pose *b, double k);

/* An angle brought into (-pi, pi]. */
double intra_wrap_pi(double a);

#endif
