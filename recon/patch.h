/* Small patches of the wall and their alignment in other frames.
 *
 * A patch is a square of PATCH_SIDE x PATCH_SIDE samples around a pixel of its host frame, kept at four
 * spacings. In another frame the tube predicts where the patch lies and how it is sheared; one inverse-compositional
 * Lucas-Kanade step (Baker and Matthews 2004), with gain, offset and slope of brightness free, says how far off the
 * prediction is and how well each direction is known. A ring seen edge-on (one direction only) is as welcome as
 * a corner: the 2 x 2 information says what it measures. */
#ifndef INTRA_RECON_PATCH_H
#define INTRA_RECON_PATCH_H

#include "recon/pyramid.h"

#include <stdbool.h>

enum { INTRA_PATCH_SIDE = 8, INTRA_PATCH_N = INTRA_PATCH_SIDE * INTRA_PATCH_SIDE, INTRA_PATCH_SCALES = 4 };

struct intra_patch {
    int level; /* pyramid level of scale 0; scale k is level + k */
    struct {
        float t[INTRA_PATCH_N];                     /* samples, mean and plane removed */
        float gx[INTRA_PATCH_N], gy[INTRA_PATCH_N]; /* gradient per level-0 pixel, mean, plane and brightness part removed */
        float tt;                                   /* sum t^2 */
        float h[3];                                 /* sum gx gx, gx gy, gy gy */
        bool is_valid;
    } scale[INTRA_PATCH_SCALES];
};

struct intra_patch_match {
    double du, dv;   /* correction to the predicted pixel, level-0 pixels of the target */
    double info[3];  /* inverse covariance of (du, dv): uu, uv, vv, 1/px^2 */
    double ncc;      /* normalised correlation at the prediction, -1 to 1 */
    double gain;     /* contrast of the target over that of the patch */
    bool is_valid;
};

/* Where the samples of a patch lie in another frame, to second order: (x, y) host pixels from the patch's centre come to
 * lie u = a[0] x + a[1] y + q[0] x^2 + q[1] x y + q[2] y^2, v = a[2] x + a[3] y + q[3] x^2 + q[4] x y + q[5] y^2 target
 * pixels from where the centre does. Without the second order the wall, which comes nearer faster the nearer it is, pulls
 * every match outwards by the mean of q over the patch. */
struct intra_warp {
    double a[4], q[6];
};

/* Cut the finest scale of a patch around pixel (x, y) at pyramid level `level`. False where picture or mask do not allow it
 * or its contrast is below least_rms (log luminance). The coarser scales follow with intra_patch_complete, once the place is chosen. */
bool intra_patch_cut(struct intra_patch *patch, const struct intra_pyramid *pyramid,
                     const struct intra_mask_pyramid *mask, double x, double y, int level, double least_rms);
void intra_patch_complete(struct intra_patch *patch, const struct intra_pyramid *pyramid,
                          const struct intra_mask_pyramid *mask, double x, double y);

/* One alignment step of `scale` in the target. (u, v): predicted pixel. grain: information that the host's grain feigns
 * in every direction, 1 / (spacing of the samples)^2, which is taken off; 0 for none. White grain in host and target alike
 * feigns 16: 64 samples, each gradient with half of the grain's variance, and half of the residual is the host's. Bilinear
 * sampling, coding, and whatever else the residual holds make it less. (Errors in the variables: Weber and Malik 1995.) */
void intra_patch_step(const struct intra_patch *patch, int scale, const struct intra_pyramid *target,
                      const struct intra_mask_pyramid *mask, double u, double v, const struct intra_warp *warp,
                      double grain, struct intra_patch_match *out);

#endif
