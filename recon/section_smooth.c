/* For each order k the terms a_k and b_k are two scalar random walks that share their steps' variances:
 *   x(i+1) = x(i) + w(i), w ~ N(0, q / lambda(i)),  z(i) = x(i) + v(i), v ~ N(0, var(i)).
 * The E step is a Rauch-Tung-Striebel smoother with lag-one covariances; lambda = (NU + 2) / (NU + E|w|^2 / q), two
 * degrees of freedom a step; q is the mean of lambda E|w|^2 / 2. */
#include "recon/section_smooth.h"

#include "core/mem.h"

#include <math.h>

enum { NP = 2 * INTRA_SECTION_HARMONICS + 1, ROUNDS = 25 };
#define NU 2.0     /* degrees of freedom of the steps: heavy tails, for joints and the rims of deposits */
#define SHARED 2.0 /* samples of a section lean on the same poses: their fit's variance is too small by so much */
#define LEAST_STEP_REL 2e-5 /* radii: no walk is stiller, and 1 / q stays finite */

struct walk {
    const double *z, *var; /* of n sections */
    double *x, *p;         /* smoothed, and its variance */
    double *ahead;         /* scratch: variance predicted */
    double *step2;         /* n - 1: E w^2 */
};

/* One Kalman filter forwards and one smoother backwards. q(i) = q / lambda[i]. */
static void smooth(const struct walk *w, int64_t n, double q, const double *lambda, double prior_var)
{
    double x = 0, p = prior_var;
    for (int64_t i = 0; i < n; i++) {
        if (i) p += q / lambda[i - 1];
        w->ahead[i] = p;
        double gain = p / (p + w->var[i]);
        x += gain * (w->z[i] - x);
        p *= 1 - gain;
        w->x[i] = x;
        w->p[i] = p;
    }
    for (int64_t i = n - 2; i >= 0; i--) {
        double g = w->p[i] / w->ahead[i + 1], next_p = w->p[i + 1];
        w->x[i] += g * (w->x[i + 1] - w->x[i]);
        w->p[i] += g * g * (next_p - w->ahead[i + 1]);
        double d = w->x[i + 1] - w->x[i];
        w->step2[i] = d * d + fmax(0, w->p[i] + next_p - 2 * g * next_p);
    }
}

/* Both terms of one order; lambda: n - 1, scratch. */
static void smooth_order(const struct walk walks[2], int64_t n, double radius_m, double prior_var, double *lambda)
{
    double least = pow(LEAST_STEP_REL * radius_m, 2), q = prior_var / 100;
    for (int64_t i = 0; i + 1 < n; i++)
        lambda[i] = 1;
    for (int round = 0;; round++) {
        double sum = 0;
        for (int t = 0; t < 2; t++)
            smooth(&walks[t], n, q, lambda, prior_var);
        if (round == ROUNDS || n < 2) break;
        for (int64_t i = 0; i + 1 < n; i++) {
            double step2 = walks[0].step2[i] + walks[1].step2[i];
            lambda[i] = (NU + 2) / (NU + step2 / q);
            sum += lambda[i] * step2 / 2;
        }
        q = fmax(least, sum / (double)(n - 1));
    }
}

enum intra_status intra_section_smooth(struct intra_section_fit *fits, int64_t n, double overlap, double radius_m,
                                       struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    double *mem = NULL;
    if (n == 0) return INTRA_OK;
    INTRA_TRY(INTRA_ALLOC(mem, (size_t)(13 * n), err));
    for (int k = 2; k <= INTRA_SECTION_HARMONICS; k++) {
        struct walk walks[2];
        double sd = 0.03 * radius_m / (k - 1); /* as the fits' own prior */
        for (int t = 0; t < 2; t++) {
            double *m = mem + 6 * t * n;
            int at = 2 * k - 1 + t;
            walks[t] = (struct walk){m, m + n, m + 2 * n, m + 3 * n, m + 4 * n, m + 5 * n};
            for (int64_t i = 0; i < n; i++) {
                m[i] = t ? fits[i].b[k] : fits[i].a[k];
                m[n + i] = SHARED * fmax(1, overlap) * fits[i].cov[at * NP + at];
            }
        }
        smooth_order(walks, n, radius_m, sd * sd, mem + 12 * n);
        for (int t = 0; t < 2; t++)
            for (int64_t i = 0; i < n; i++) {
                int at = 2 * k - 1 + t;
                double *cov = fits[i].cov, old = cov[at * NP + at],
                       shrink = old > 0 ? sqrt(fmin(1, walks[t].p[i] / old)) : 1;
                *(t ? &fits[i].b[k] : &fits[i].a[k]) = walks[t].x[i];
                for (int j = 0; j < NP; j++)
                    cov[at * NP + j] *= shrink;
                for (int j = 0; j < NP; j++)
                    cov[j * NP + at] *= shrink;
            }
    }
done:
    intra_free(mem);
    return status;
}
