/* Least-squares alignment of two point sets. Scale and translation as in Umeyama (1991), "Least-squares estimation of
 * transformation parameters between two point patterns", PAMI 13(4); the rotation is the unit quaternion that belongs
 * to the largest eigenvalue of Horn's 4x4 matrix (1987, JOSA A 4(4)), which is a proper rotation for every input,
 * points on a line included. */
#include "tools/evaluate.h"

#include <math.h>
#include <string.h>

/* Eigenvector of the largest eigenvalue of a symmetric 4x4 matrix, by Jacobi rotations. */
static void largest_eigenvector(double a[4][4], double out[4])
{
    double v[4][4] = {{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}};
    int best = 0;
    for (int sweep = 0; sweep < 60; sweep++) {
        double off = 0, all = 0;
        for (int i = 0; i < 4; i++)
            for (int j = 0; j < 4; j++) {
                all += a[i][j] * a[i][j];
                if (i != j) off += a[i][j] * a[i][j];
            }
        if (off <= 1e-30 * all) break;
        for (int p = 0; p < 3; p++) {
            for (int q = p + 1; q < 4; q++) {
                double angle, c, s;
                if (a[p][q] == 0) continue;
                angle = 0.5 * atan2(2 * a[p][q], a[q][q] - a[p][p]);
                c = cos(angle);
                s = sin(angle);
                for (int k = 0; k < 4; k++) { /* columns p and q, then rows */
                    double x = a[k][p], y = a[k][q];
                    a[k][p] = c * x - s * y;
                    a[k][q] = s * x + c * y;
                }
                for (int k = 0; k < 4; k++) {
                    double x = a[p][k], y = a[q][k];
                    a[p][k] = c * x - s * y;
                    a[q][k] = s * x + c * y;
                }
                for (int k = 0; k < 4; k++) {
                    double x = v[k][p], y = v[k][q];
                    v[k][p] = c * x - s * y;
                    v[k][q] = s * x + c * y;
                }
            }
        }
    }
    for (int i = 1; i < 4; i++)
        if (a[i][i] > a[best][best]) best = i;
    for (int k = 0; k < 4; k++)
        out[k] = v[k][best];
}

static struct intra_vec3 mean_point(const struct intra_vec3 *p, int64_t n)
{
    struct intra_vec3 sum = {0, 0, 0};
    for (int64_t i = 0; i < n; i++)
        sum = intra_add(sum, p[i]);
    return intra_scale(sum, 1.0 / (double)n);
}

struct intra_similarity intra_eval_align(const struct intra_vec3 *from, const struct intra_vec3 *to, int64_t n,
                                         bool is_scaled)
{
    struct intra_vec3 mf = mean_point(from, n), mt = mean_point(to, n);
    struct intra_similarity out = {.scale = 1};
    double s[3][3] = {{0}}, spread = 0, gain = 0, e[4];
    for (int64_t i = 0; i < n; i++) {
        struct intra_vec3 f = intra_sub(from[i], mf), t = intra_sub(to[i], mt);
        const double a[3] = {f.x, f.y, f.z}, b[3] = {t.x, t.y, t.z};
        for (int j = 0; j < 3; j++)
            for (int k = 0; k < 3; k++)
                s[j][k] += a[j] * b[k];
        spread += intra_dot(f, f);
    }
    {
        double m[4][4] = {{s[0][0] + s[1][1] + s[2][2], s[1][2] - s[2][1], s[2][0] - s[0][2], s[0][1] - s[1][0]},
                          {s[1][2] - s[2][1], s[0][0] - s[1][1] - s[2][2], s[0][1] + s[1][0], s[2][0] + s[0][2]},
                          {s[2][0] - s[0][2], s[0][1] + s[1][0], s[1][1] - s[0][0] - s[2][2], s[1][2] + s[2][1]},
                          {s[0][1] - s[1][0], s[2][0] + s[0][2], s[1][2] + s[2][1], s[2][2] - s[0][0] - s[1][1]}};
        struct intra_quat q;
        largest_eigenvector(m, e);
        q.w = e[0];
        q.x = e[1];
        q.y = e[2];
        q.z = e[3];
        out.r = intra_quat_to_mat3(q);
    }
    if (is_scaled && spread > 0) {
        for (int64_t i = 0; i < n; i++)
            gain += intra_dot(intra_sub(to[i], mt), intra_mat3_mul_vec(&out.r, intra_sub(from[i], mf)));
        out.scale = gain / spread;
    }
    out.t = intra_sub(mt, intra_scale(intra_mat3_mul_vec(&out.r, mf), out.scale));
    return out;
}
