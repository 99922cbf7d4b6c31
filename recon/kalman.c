#include "recon/kalman.h"

#include "recon/bundle.h"

#include <stdbool.h>
#include <string.h>

enum { N = INTRA_KALMAN_N };

static void multiply(int n, const double a[N][N], const double b[N][N], bool is_b_transposed, double out[N][N])
{
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            out[i][j] = 0;
            for (int k = 0; k < n; k++)
                out[i][j] += a[i][k] * (is_b_transposed ? b[j][k] : b[k][j]);
        }
}

/* out = b a^-1 for a symmetric and positive; 0 where it is not: then nothing is learnt from what comes after. */
static void divide(int n, const double b[N][N], const double a[N][N], double out[N][N])
{
    for (int row = 0; row < n; row++) {
        double factor[N * N];
        for (int i = 0; i < n; i++)
            memcpy(factor + i * n, a[i], sizeof *factor * (size_t)n);
        memcpy(out[row], b[row], sizeof out[row]);
        if (!intra_cholesky_solve(factor, out[row], n)) memset(out[row], 0, sizeof out[row]);
    }
}

void intra_kalman_predict(struct intra_kalman *to, const struct intra_kalman *from, const double q[N][N])
{
    int n = to->n;
    double half[N][N];
    for (int i = 0; i < n; i++) {
        to->xp[i] = 0;
        for (int j = 0; j < n; j++)
            to->xp[i] += to->f[i][j] * from->x[j];
    }
    multiply(n, to->f, from->p, false, half);
    multiply(n, half, to->f, true, to->pp);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            to->pp[i][j] += q[i][j];
}

void intra_kalman_pass(struct intra_kalman *at)
{
    memcpy(at->x, at->xp, sizeof at->x);
    memcpy(at->p, at->pp, sizeof at->p);
}

void intra_kalman_read(struct intra_kalman *at, const double h[N], double rest, double var)
{
    int n = at->n;
    double ph[N], gain[N], all = var, left[N][N], half[N][N];
    for (int i = 0; i < n; i++) {
        ph[i] = 0;
        for (int j = 0; j < n; j++)
            ph[i] += at->pp[i][j] * h[j];
    }
    for (int i = 0; i < n; i++)
        all += h[i] * ph[i];
    for (int i = 0; i < n; i++) {
        gain[i] = ph[i] / all;
        at->x[i] = at->xp[i] + gain[i] * rest;
    }
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            left[i][j] = (i == j) - gain[i] * h[j];
    multiply(n, left, at->pp, false, half);
    multiply(n, half, left, true, at->p);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            at->p[i][j] += gain[i] * var * gain[j];
}

void intra_kalman_smooth(struct intra_kalman *at, const struct intra_kalman *next)
{
    int n = at->n;
    double half[N][N], gain[N][N], diff[N][N], t[N][N];
    multiply(n, at->p, next->f, true, half);
    divide(n, half, next->pp, gain);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            at->x[i] += gain[i][j] * (next->x[j] - next->xp[j]);
            diff[i][j] = next->p[i][j] - next->pp[i][j];
        }
    multiply(n, gain, diff, false, t);
    multiply(n, t, gain, true, half);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            at->p[i][j] += half[i][j];
}
