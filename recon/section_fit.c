/* Least squares for r(theta) = a0 + sum_k a_k cos k theta + b_k sin k theta with Cauchy weights, five rounds.
 *
 * Prior deviations (relative to the radius): 3 % for the mean, 2 % for the offset of the centre (k = 1), and 3 % / (k - 1)
 * for the shape, so that few samples give a smooth section and many give their own. Samples of one section lean on the
 * same poses and the same stretch of wall, so the scatter is taken as no less than 0.3 % of the radius. */
#include "recon/section_fit.h"

#include "core/clones.h"
#include "recon/bundle.h"

#include <string.h>

enum { NP = 2 * INTRA_SECTION_HARMONICS + 1 };
#define LEAST_NEAR 6.0     /* samples that can contradict each other */
#define LEAST_SHARE 0.35   /* of them that a fit must leave their weight */
#define MOST_REST_REL 0.05 /* of the radius: their scatter */

#define OVALITY_SD 0.2 /* points, of the model */
/* And so much of the ovality itself: what stands off the wall comes out a little low. Set on concrete-800-wide and
 * offset-300-kinks, seeds 1 and 2. */
#define OVALITY_SHARE 0.08

/* A sample within reach of the section. */
struct near {
    double c, s; /* of its angle */
    float r_m, sd_m;
    double share; /* 1 at the section, 0 at the end of its reach */
};
enum { BLOCK = 1024 };

static void basis(double c, double s, double out[NP])
{
    double ck = 1, sk = 0;
    out[0] = 1;
    for (int k = 1; k <= INTRA_SECTION_HARMONICS; k++) {
        double next = ck * c - sk * s;
        sk = sk * c + ck * s;
        ck = next;
        out[2 * k - 1] = ck;
        out[2 * k] = sk;
    }
}

static double predict(const double x[NP], const double f[NP])
{
    double r = 0;
    for (int i = 0; i < NP; i++) r += f[i] * x[i];
    return r;
}

/* From sample *at on, until the block is full; *at: the first that was not looked at. Returns how many. */
static int gather(const struct intra_radius_sample *samples, int64_t n, double station_m, double half_width_m,
                  int64_t *at, struct near block[BLOCK])
{
    int count = 0;
    for (; *at < n && count < BLOCK; ++*at) {
        const struct intra_radius_sample *p = &samples[*at];
        double off = fabs(p->station_m - station_m) / half_width_m;
        if (off >= 1) continue;
        block[count++] = (struct near){cos(p->theta_rad), sin(p->theta_rad), p->r_m, p->sd_m, 1 - off};
    }
    return count;
}

struct normal {
    double h[NP * NP], g[NP]; /* h: both halves */
    double sum_w, sum_abs, sum_near;
};

INTRA_CLONES static void add_block(struct normal *normal, const struct near *block, int n, const double x[NP],
                                   double scatter)
{
    for (int k = 0; k < n; k++) {
        const struct near *p = &block[k];
        double f[NP];
        basis(p->c, p->s, f);
        double e = p->r_m - predict(x, f), var = p->sd_m * p->sd_m + scatter * scatter;
        double robust = 1 / (1 + e * e / (4 * var)), w = p->share * robust / var;
        for (int i = 0; i < NP; i++) {
            double wf = w * f[i], *row = normal->h + i * NP;
            normal->g[i] += wf * e;
            for (int j = 0; j < NP; j++)
                row[j] += wf * f[j];
        }
        normal->sum_near += p->share;
        normal->sum_w += p->share * robust;
        normal->sum_abs += p->share * robust * fabs(e);
    }
}

void intra_section_fit(const struct intra_radius_sample *samples, int64_t n, double station_m, double half_width_m,
                       double r0_m, struct intra_section_fit *out)
{
    double x[NP] = {0}, prior[NP], scatter = 0.01 * r0_m;
    struct normal normal;
    double *h = normal.h, *g = normal.g;
    struct near block[BLOCK];
    int64_t at = 0;
    int count = gather(samples, n, station_m, half_width_m, &at, block);
    bool is_all = at == n; /* else they are gathered again for each round */
    x[0] = r0_m;
    memset(out, 0, sizeof *out);
    for (int i = 0; i < NP; i++) {
        int k = (i + 1) / 2;
        double sd = r0_m * (k == 0 ? 0.03 : k == 1 ? 0.02 : 0.03 / (k - 1));
        prior[i] = 1 / (sd * sd);
    }
    for (int round = 0; round < 5; round++) {
        memset(&normal, 0, sizeof normal);
        for (int i = 0; i < NP; i++) {
            h[i * NP + i] = prior[i];
            g[i] = prior[i] * ((i == 0 ? r0_m : 0) - x[i]);
        }
        if (is_all) add_block(&normal, block, count, x, scatter);
        for (int64_t from = 0; !is_all && from < n;) {
            count = gather(samples, n, station_m, half_width_m, &from, block);
            add_block(&normal, block, count, x, scatter);
        }
        out->weight = normal.sum_w;
        out->share = normal.sum_near > 0 ? normal.sum_w / normal.sum_near : 0;
        if (round == 4) break;
        if (!intra_cholesky_solve(h, g, NP)) break;
        for (int i = 0; i < NP; i++) x[i] += g[i];
        if (normal.sum_w > 5) scatter = fmax(0.003 * r0_m, 1.25 * normal.sum_abs / normal.sum_w);
    }
    out->rest_sd_m = scatter;
    out->a[0] = x[0];
    for (int k = 1; k <= INTRA_SECTION_HARMONICS; k++) out->a[k] = x[2 * k - 1], out->b[k] = x[2 * k];
    for (int c = 0; c < NP; c++) { /* covariance, column by column */
        double copy[NP * NP], e[NP] = {0};
        e[c] = 1;
        memcpy(copy, h, sizeof copy);
        if (!intra_cholesky_solve(copy, e, NP)) continue;
        for (int i = 0; i < NP; i++) out->cov[i * NP + c] = e[i];
    }
}

bool intra_section_fit_is_contradicted(const struct intra_section_fit *fit)
{
    return fit->weight >= LEAST_NEAR * fit->share &&
           (fit->share < LEAST_SHARE || fit->rest_sd_m > MOST_REST_REL * fit->a[0]);
}

double intra_section_half_width(double section_step_m, double radius_m)
{
    return fmax(1.6 * section_step_m, 0.5 * radius_m);
}

double intra_section_fit_radius(const struct intra_section_fit *fit, double theta_rad)
{
    double r = fit->a[0], c1 = cos(theta_rad), s1 = sin(theta_rad), c = 1, s = 0;
    for (int k = 1; k <= INTRA_SECTION_HARMONICS; k++) { /* angles added up: this is asked for every node of the wall */
        double next = c * c1 - s * s1;
        s = s * c1 + c * s1;
        c = next;
        r += fit->a[k] * c + fit->b[k] * s;
    }
    return r;
}

/* Measures as a vector, for differences. */
enum { N_MEASURES = 7 };
static void measures(const struct intra_section *s, double out[N_MEASURES])
{
    out[0] = s->diameter_min_m;
    out[1] = s->diameter_max_m;
    out[2] = s->diameter_mean_m;
    out[3] = s->perimeter_m;
    out[4] = s->ovality_pct;
    out[5] = s->ovality_max_pct;
    out[6] = s->min_clock_rad;
}

void intra_section_fit_deviations(const struct intra_section_fit *fit, struct intra_section *section)
{
    double jac[N_MEASURES][NP] = {{0}}, base[N_MEASURES], sd[N_MEASURES];
    measures(section, base);
    for (int i = 0; i < NP; i++) {
        int k = (i + 1) / 2;
        if (k == 1) continue; /* the centre moves, the section's own measures do not */
        struct intra_section moved = *section;
        double step = 1e-3 * section->a[0], now[N_MEASURES];
        if (i == 0 || i % 2 == 1)
            moved.a[k] += step;
        else
            moved.b[k] += step;
        intra_section_measure(&moved);
        measures(&moved, now);
        for (int m = 0; m < N_MEASURES; m++) {
            double d = now[m] - base[m];
            if (m == 6) d = d > M_PI / 2 ? d - M_PI : d < -M_PI / 2 ? d + M_PI : d;
            jac[m][i] = d / step;
        }
    }
    for (int m = 0; m < N_MEASURES; m++) {
        double v = 0;
        for (int i = 0; i < NP; i++)
            for (int j = 0; j < NP; j++) v += jac[m][i] * fit->cov[i * NP + j] * jac[m][j];
        sd[m] = sqrt(fmax(v, 0));
    }
    /* Model error: the mean diameter is tied to the nominal one, which is right to half a percent at best. */
    double model = 0.005 * section->diameter_mean_m;
    section->diameter_min_sd_m = hypot(sd[0], model);
    section->diameter_max_sd_m = hypot(sd[1], model);
    section->diameter_mean_sd_m = hypot(sd[2], model);
    section->perimeter_sd_m = hypot(sd[3], M_PI * model);
    section->ovality_sd_pct = hypot(sd[4], hypot(OVALITY_SD, OVALITY_SHARE * section->ovality_pct));
    section->ovality_max_sd_pct = hypot(sd[5], hypot(OVALITY_SD, OVALITY_SHARE * section->ovality_max_pct));
    section->min_clock_sd_rad = fmin(sd[6] + 0.02, M_PI / 2);
    section->centre_sd_m = intra_vec3(0, sqrt(fabs(fit->cov[2 * NP + 2])), sqrt(fabs(fit->cov[1 * NP + 1])));
}
