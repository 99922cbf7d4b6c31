#include "recon/kalman.h"

#include "recon/bundle.h"

#include <stdbool.h>
#include <string.h>

enum { N = INTRA_KALMAN_N };

static void multiply(const double a[N][N], const double b[N][N], bool is_b_transposed, double out[N][N])
{
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            out[i][j] = 0;
            for (int k = 0; k < N; k++)
                out[i][j] += a[i][k] * (is_b_transposed ? b[j][k] : b[k][j]);
        }
}

/* out = b a^-1 for a symmetric and positive; 0 where it is not: then nothing is learnt from what comes after. */
static void divide(const double b[N][N], const double a[N][N], double out[N][N])
{
    for (int row = 0; row < N; row++) {
        double factor[N][N];
        memcpy(factor, a, sizeof factor);
        memcpy(out[row], b[row], sizeof out[row]);
        if (!intra_cholesky_solve(&factor[0][0], out[row], N)) memset(out[row], 0, sizeof out[row]);
    }
}

void intra_kalman_predict(struct intra_kalman *to, const struct intra_kalman *from, const double q[N][N])
{
    double half[N][N];
    for (int i = 0; i < N; i++) {
        to->xp[i] = 0;
        for (int j = 0; j < N; j++)
            to->xp[i] += to->f[i][j] * from->x[j];
    }
    multiply(to->f, from->p, false, half);
    multiply(half, to->f, true, to->pp);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            to->pp[i][j] += q[i][j];
}

void intra_kalman_pass(struct intra_kalman *at)
{
    memcpy(at->x, at->xp, sizeof at->x);
    memcpy(at->p, at->pp, sizeof at->p);
}

void intra_kalman_read(struct intra_kalman *at, const double h[N], double rest, double var)
{
    double ph[N], gain[N], all = var, left[N][N], half[N][N];
    for (int i = 0; i < N; i++) {
        ph[i] = 0;
        for (int j = 0; j < N; j++)
            ph[i] += at->pp[i][j] * h[j];
    }
    for (int i = 0; i < N; i++)
        all += h[i] * ph[i];
    for (int i = 0; i < N; i++) {
        gain[i] = ph[i] / all;
        at->x[i] = at->xp[i] + gain[i] * rest;
    }
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            left[i][j] = (i == j) - gain[i] * h[j];
    multiply(left, at->pp, false, half);
    multiply(half, left, true, at->p);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            at->p[i][j] += gain[i] * var * gain[j];
}

void intra_kalman_smooth(struct intra_kalman *at, const struct intra_kalman *next)
{
    double half[N][N], gain[N][N], diff[N][N], t[N][N];
    multiply(at->p, next->f, true, half);
    divide(half, next->pp, gain);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            at->x[i] += gain[i][j] * (next->x[j] - next->xp[j]);
            diff[i][j] = next->p[i][j] - next->pp[i][j];
        }
    multiply(gain, diff, false, t);
    multiply(t, gain, true, half);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            at->p[i][j] += half[i][j];
}
