#include "recon/dark.h"

#include <math.h>

enum { BLOCK = 16, STEP = 4 };
#define MOST_SHARE 0.25  /* of the blocks: a picture as dark as that shows no pipe's end */
#define BORDER_SHARE 0.1 /* of the dark blocks: more of them at the border, and the dark goes on outside */

static int block_sum(const struct intra_frame *frame, int bx, int by)
{
    int sum = 0;
    for (int y = -BLOCK; y < 2 * BLOCK; y += STEP)
        for (int x = -BLOCK; x < 2 * BLOCK; x += STEP) sum += intra_row_u8(&frame->y, by * BLOCK + y)[bx * BLOCK + x];
    return sum;
}

bool intra_dark_direction(const struct intra_frame *frame, const struct intra_camera *camera,
                          const struct intra_mask_pyramid *mask, struct intra_vec3 *out)
{
    int best = 1 << 30, nx = frame->y.cols / BLOCK, ny = frame->y.rows / BLOCK, n = 0, dark = 0, edge = 0;
    double sx = 0, sy = 0;
    for (int pass = 0; pass < 2; pass++)
        for (int by = 2; by < ny - 2; by++)
            for (int bx = 2; bx < nx - 2; bx++) {
                if (!intra_row_u8(&mask->level[4], by)[bx]) continue;
                int sum = block_sum(frame, bx, by);
                if (pass == 0) {
                    n++;
                    if (sum < best) best = sum;
                } else if (sum <= best + best / 4 + 144) {
                    dark++;
                    edge += bx == 2 || by == 2 || bx == nx - 3 || by == ny - 3;
                    sx += bx * BLOCK + BLOCK / 2;
                    sy += by * BLOCK + BLOCK / 2;
                }
            }
    if (dark == 0 || dark > MOST_SHARE * n || edge > BORDER_SHARE * dark) return false;
    double px[2] = {sx / dark, sy / dark};
    return intra_camera_unproject(camera, px, out);
}

bool intra_dark_against(struct intra_vec3 dark, struct intra_vec3 x, double e[2], struct intra_vec3 by_x[2])
{
    double length = intra_norm(x);
    if (!(length > 0) || intra_dot(x, dark) < 0.2 * length) return false;
    struct intra_vec3 ray = intra_scale(x, 1 / length),
                      side = fabs(dark.x) < 0.7 ? intra_vec3(1, 0, 0) : intra_vec3(0, 1, 0);
    struct intra_vec3 right = intra_unit(intra_cross(dark, side)), across[2] = {right, intra_cross(dark, right)};
    for (int r = 0; r < 2; r++) {
        /* d ray = (dx - ray (ray . dx)) / length */
        by_x[r] = intra_scale(intra_mad(across[r], -intra_dot(across[r], ray), ray), 1 / length);
        e[r] = -intra_dot(across[r], ray);
    }
    return true;
}
