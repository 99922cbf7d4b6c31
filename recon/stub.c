/* Depths: the section's radius beside the mouth, at the same clock angle, less that of the wall (section and relief).
 * Those that stand in by LEAST_REL and lie where the end of a stub can lie, from under the mouth's picture to some way
 * before it, are its end and its flank; the end is the innermost of them. A cylinder square to the pipe through the
 * end's cells: with r = R - depth, x = s - s0 and y = r sin(theta - theta0), hypot(x, y) = rho; Gauss-Newton, Cauchy
 * weights, rho near the mouth's own radius. */
#include "recon/stub.h"

#include "core/mem.h"
#include "core/select.h"
#include "recon/bundle.h"
#include "recon/measure.h"
#include "recon/robust.h"
#include "recon/wall_patch.h"

#include <math.h>
#include <string.h>

static const double LEAST_REL = 0.045; /* of the pipe's radius: an offset joint or a root is less */
static const double MOST_REL = 0.3, BESIDE_M = 0.02, BEFORE_REL = 0.35;
static const double MOST_SHIFT = 2.5; /* of what stands in: how far along it is seen too far; looked at from 2 radii */
static const double END_SHARE = 0.8; /* of the innermost: cells of the end, not of the flank */
static const double RIM_M = 0.003, RIM_SD_M = 0.012, SCATTER_M = 0.005, MOST_REST_M = 0.008;
static const double SEEN_THETA_SD = 0.03; /* the picture of a mouth is right around the pipe */
static const double STATION_SD_M =
    0.012; /* the near half of a rim is seldom measured: the circle leans on its far half */
static const double RADIUS_SD_REL = 0.07; /* of an end's ring: six readings of four stubs (DN225, DN800), 8 % RMS */
static const double LEAST_OWN = 0.05;     /* of what is known of a ring's radius, its own part */
static const double HIDDEN_SDS = 2; /* of ring and picture, by which the bore seems too small */
static const double INTRUSION_SD_M = 0.001, INTRUSION_SD_REL = 0.06;
enum { LEAST_CELLS = 30, MOST_CELLS = 8192, SECTORS = 12, LEAST_SECTORS = 4, FREE_CELLS = 16 };

struct cell {
    double s, theta, depth;
};

static int gather(const struct intra_scene *scene, const struct intra_wall_patch *p, double station_m, double theta_rad,
                  double radius_m, struct cell *out)
{
    int n = 0;
    for (int row = 0; row < p->rows; row++) {
        double theta = p->theta0_rad + row * p->dtheta_rad, beside, sd;
        if (p->radius_m * fabs(theta - theta_rad) > radius_m + BESIDE_M) continue;
        if (!intra_measure_radius_beside(scene, station_m - radius_m, station_m + radius_m, theta, &beside, &sd))
            continue;
        for (int col = 0; col < p->cols && n < MOST_CELLS; col++) {
            double s = p->station0_m + col * p->ds_m;
            double depth = beside - intra_wall_radius(scene, s, theta) - (double)p->relief[row * p->cols + col];
            if (depth > LEAST_REL * p->radius_m && depth < MOST_REL * p->radius_m)
                out[n++] = (struct cell){s, theta, depth};
        }
    }
    return n;
}

/* Depth of the end and the cells of it, moved to the front of the list. */
static int find_end(struct cell *cells, int n, double *sorted, double *depth, double *scatter)
{
    int kept = 0;
    for (int i = 0; i < n; i++)
        sorted[i] = cells[i].depth;
    double inner = intra_select(sorted, n, n * 95 / 100);
    for (int i = 0; i < n; i++)
        if (cells[i].depth > END_SHARE * inner) cells[kept++] = cells[i];
    if (kept == 0) return 0;
    for (int i = 0; i < kept; i++)
        sorted[i] = cells[i].depth;
    *depth = intra_select(sorted, kept, kept / 2);
    for (int i = 0; i < kept; i++)
        sorted[i] = fabs(cells[i].depth - *depth);
    *scatter = 1.4826 * intra_select(sorted, kept, kept / 2);
    return kept;
}

/* What the ring alone says of its radius: the caller has the picture's say, which the fit leaned on. A ring of which
 * little is seen then says little. */
static void without_picture(double rho_m, double rho_sd_m, double *radius_io_m, double *sd_io_m)
{
    double both = 1 / (*sd_io_m * *sd_io_m), seen = 1 / (rho_sd_m * rho_sd_m),
           ring = fmax(both - seen, LEAST_OWN * both);
    *radius_io_m = rho_m + (*radius_io_m - rho_m) * both / ring;
    *sd_io_m = 1 / sqrt(ring);
}

/* x: s0, theta0, rho; in and out. The covariance's diagonal in sd. False where it is no ring. */
static bool fit_ring(const struct cell *cells, int n, double pipe_m, double rho_m, double rho_sd_m, double x[3],
                     double sd[3])
{
    const double seen_theta = x[1], seen = 1 / (SEEN_THETA_SD * SEEN_THETA_SD);
    enum { ROUNDS = 12 };
    double rest = 0;
    bool is_in[SECTORS] = {false};
    int sectors = 0;
    for (int round = 0; round <= ROUNDS; round++) {
        double h[9] = {0}, g[3] = {0}, prior = 1 / (rho_sd_m * rho_sd_m), mass = 0;
        h[4] = seen;
        g[1] = seen * (seen_theta - x[1]);
        h[8] = prior;
        g[2] = prior * (rho_m - x[2]);
        rest = 0;
        for (int i = 0; i < n; i++) {
            double r = pipe_m - cells[i].depth, dx = cells[i].s - x[0], turn = cells[i].theta - x[1],
                   dy = r * sin(turn);
            double d = fmax(hypot(dx, dy), 1e-4), e = d - x[2];
            double w =
                intra_cauchy_weight(e * e, SCATTER_M * SCATTER_M) / (SCATTER_M * SCATTER_M) * FREE_CELLS / fmax(n, FREE_CELLS);
            double j[3] = {dx / d, dy / d * r * cos(turn), 1};
            for (int a = 0; a < 3; a++) {
                g[a] += w * j[a] * e;
                for (int b = 0; b <= a; b++)
                    h[3 * a + b] += w * j[a] * j[b];
            }
            rest += w * fabs(e);
            mass += w;
            if (round == ROUNDS) is_in[(int)((atan2(dy, dx) / (2 * M_PI) + 1) * SECTORS) % SECTORS] = true;
        }
        h[0] += 1e-3;
        rest /= mass;
        if (round == ROUNDS) {
            for (int k = 0; k < 3; k++) {
                double copy[9], unit[3] = {k == 0, k == 1, k == 2};
                memcpy(copy, h, sizeof h);
                if (!intra_cholesky_solve(copy, unit, 3)) return false;
                sd[k] = sqrt(fmax(0, unit[k]));
            }
            without_picture(rho_m, rho_sd_m, &x[2], &sd[2]);
            break;
        }
        if (!intra_cholesky_solve(h, g, 3)) return false;
        for (int a = 0; a < 3; a++)
            x[a] += g[a];
    }
    for (int k = 0; k < SECTORS; k++)
        sectors += is_in[k];
    return rest < MOST_REST_M && sectors >= LEAST_SECTORS;
}

enum intra_status intra_stub_find(const struct intra_scene *scene, double station_m, double theta_rad, double radius_m,
                                  double radius_sd_m, struct intra_stub *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_wall_patch patch = {0};
    struct cell *cells = NULL;
    double *sorted = NULL, depth, scatter, sd[3], pipe = scene->nominal_diameter_m / 2;
    *out = (struct intra_stub){0};
    if (!scene->wall.relief || !scene->wall.colour) return INTRA_OK;
    status = intra_wall_patch_read(scene, station_m - radius_m - BESIDE_M - BEFORE_REL * pipe, station_m + radius_m,
                                   theta_rad, fmin(M_PI / 2, (radius_m + BESIDE_M) / pipe + 0.05),
                                   (int)fmax(1, lround(0.003 / scene->wall.texel_m)), &patch, err);
    if (status == INTRA_E_NO_RESULT) return INTRA_OK;
    if (status != INTRA_OK) return status;
    INTRA_TRY(INTRA_ALLOC(cells, MOST_CELLS, err));
    INTRA_TRY(INTRA_ALLOC(sorted, MOST_CELLS, err));
    /* the patch's rows are unwrapped near theta_rad up to whole turns */
    double near =
        theta_rad + 2 * M_PI * round((patch.theta0_rad + patch.rows * patch.dtheta_rad / 2 - theta_rad) / (2 * M_PI));
    int n = gather(scene, &patch, station_m, near, radius_m, cells);
    if (n < LEAST_CELLS) goto done;
    n = find_end(cells, n, sorted, &depth, &scatter);
    if (n < LEAST_CELLS / 2) goto done;
    double x[3] = {station_m - depth, near, radius_m + RIM_M};
    if (!fit_ring(cells, n, patch.radius_m, radius_m + RIM_M, fmax(RIM_SD_M, radius_sd_m), x, sd)) goto done;
    double most_shift = fmin(radius_m + BEFORE_REL * pipe, 0.3 * radius_m + MOST_SHIFT * depth);
    if (x[0] > station_m + 0.3 * radius_m || x[0] < station_m - most_shift || fabs(x[1] - near) * pipe > 0.5 * radius_m)
        goto done;
    out->is_found = true;
    out->intrusion_m = depth;
    out->intrusion_sd_m = hypot(hypot(INTRUSION_SD_M, INTRUSION_SD_REL * depth), scatter / sqrt(FREE_CELLS));
    out->station_m = x[0];
    out->station_sd_m = hypot(sd[0], STATION_SD_M);
    out->radius_m = x[2];
    out->radius_sd_m = hypot(hypot(sd[2], RIM_M), RADIUS_SD_REL * x[2]);
    out->theta_rad = x[1] - 2 * M_PI * floor(x[1] / (2 * M_PI));
    out->theta_sd_rad = hypot(sd[1], 0.01);
done:
    intra_free(cells);
    intra_free(sorted);
    intra_wall_patch_fini(&patch);
    return status;
}

void intra_stub_share_diameter(const struct intra_stub *stub, double *diameter_io_m, double *sd_io_m)
{
    double seen_sd = *sd_io_m, ring_sd = 2 * stub->radius_sd_m, both = hypot(seen_sd, ring_sd);
    double share = seen_sd * seen_sd / (both * both);
    if (2 * stub->radius_m - *diameter_io_m >
        HIDDEN_SDS * both) { /* the end hides some of the bore, never adds to it */
        *diameter_io_m = 2 * stub->radius_m;
        *sd_io_m = ring_sd;
        return;
    }
    *diameter_io_m += share * (2 * stub->radius_m - *diameter_io_m);
    *sd_io_m = sqrt(share) * ring_sd;
}
