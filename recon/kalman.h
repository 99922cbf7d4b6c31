/* Filter and smoother for a few numbers along ordered places: Kalman's filter forwards, its covariance updated in Joseph's
 * form, and the smoother of Rauch, Tung and Striebel back (AIAA J. 3(8), 1965). What the numbers are, how they change
 * from place to place, and what is read of them is the caller's: recon/station_fit, recon/roll_fit. */
#ifndef INTRA_RECON_KALMAN_H
#define INTRA_RECON_KALMAN_H

enum { INTRA_KALMAN_N = 7 }; /* at most */

struct intra_kalman {
    int n; /* how many numbers; the caller's, the same along the places */
    double x[INTRA_KALMAN_N], p[INTRA_KALMAN_N][INTRA_KALMAN_N];   /* filtered, then smoothed */
    double xp[INTRA_KALMAN_N], pp[INTRA_KALMAN_N][INTRA_KALMAN_N]; /* predicted from the place before; of the first one, before */
    double f[INTRA_KALMAN_N][INTRA_KALMAN_N];                      /* the step to here: x = f x(before) + noise */
};

/* xp, pp of `to` by its f and the step's noise q. */
void intra_kalman_predict(struct intra_kalman *to, const struct intra_kalman *from,
                          const double q[INTRA_KALMAN_N][INTRA_KALMAN_N]);
/* Nothing is read here. */
void intra_kalman_pass(struct intra_kalman *at);
/* h . x is read with variance var; rest: the reading less h . xp. */
void intra_kalman_read(struct intra_kalman *at, const double h[INTRA_KALMAN_N], double rest, double var);
/* Back from `next`, which is smoothed. Where its pp is not positive nothing is learnt from what comes after. */
void intra_kalman_smooth(struct intra_kalman *at, const struct intra_kalman *next);

#endif
