#include "recon/motion_picture.h"

#include "core/fileio.h"
#include "recon/pose_fit.h"

#include <stdio.h>

#define LINE_TIMES 5.0
#define PATCH_HALF (INTRA_PATCH_SIDE / 2)

struct colour {
    uint8_t r, g, b;
};

static void put(struct intra_view_u8 *image, double x, double y, struct colour c)
{
    int col = (int)lround(x), row = (int)lround(y);
    if (row < 0 || col < 0 || row >= image->rows || col >= image->cols) return;
    uint8_t *p = intra_row_u8(image, row) + 3 * col;
    p[0] = c.r, p[1] = c.g, p[2] = c.b;
}

static void draw_line(struct intra_view_u8 *image, double x0, double y0, double x1, double y1, struct colour c)
{
    int n = (int)fmin(2000, 1 + fmax(fabs(x1 - x0), fabs(y1 - y0)));
    for (int i = 0; i <= n; i++)
        put(image, x0 + (x1 - x0) * i / n, y0 + (y1 - y0) * i / n, c);
}

static void draw_point(struct intra_view_u8 *image, const struct intra_point *point, const double px[2],
                       const struct intra_patch_match *match, double noise2)
{
    static const struct colour green = {60, 255, 60}, yellow = {255, 230, 0}, red = {255, 50, 50};
    struct colour c = !intra_match_agrees(match, noise2) ? red : intra_match_is_sure(match) ? green : yellow;
    double h = PATCH_HALF << point->patch.level;
    for (int side = -1; side <= 1; side += 2) {
        draw_line(image, px[0] - h, px[1] + side * h, px[0] + h, px[1] + side * h, c);
        draw_line(image, px[0] + side * h, px[1] - h, px[0] + side * h, px[1] + h, c);
    }
    if (match->is_valid)
        draw_line(image, px[0], px[1], px[0] + LINE_TIMES * match->du, px[1] + LINE_TIMES * match->dv, c);
}

enum intra_status intra_motion_picture_write(const char *dir, const struct intra_frame *frame,
                                             const struct intra_run *run, const struct intra_pose_fit *fit,
                                             struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_view_u8 image = {0};
    char name[64], path[1200];
    double noise2 = fmax(1, fit->noise * fit->noise);
    snprintf(name, sizeof name, "%s_%06lld.png", fit->is_good ? "followed" : "lost", (long long)frame->index);
    INTRA_TRY(intra_path_join(path, sizeof path, dir, name, err));
    INTRA_TRY(intra_image_u8_init(&image, frame->y.rows, frame->y.cols, 3, err));
    for (int r = 0; r < image.rows; r++)
        for (int c = 0; c < 3 * image.cols; c++)
            intra_row_u8(&image, r)[c] = intra_row_u8(&frame->y, r)[c / 3];
    for (int i = 0; i < run->n_points; i++) {
        double px[2];
        if (!run->points[i].is_alive || !intra_pose_see(run, &fit->cam_from_run, run->points[i].x, 0, px, NULL, NULL))
            continue;
        draw_point(&image, &run->points[i], px, &run->matches[i], noise2);
    }
    INTRA_TRY(intra_image_write_png(path, &image, err));
done:
    intra_image_u8_fini(&image);
    return status;
}
