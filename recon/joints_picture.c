#include "recon/joints_picture.h"

#include "core/fileio.h"

#include <math.h>
#include <string.h>

enum { SECTORS = INTRA_RING_SECTORS, SECTOR_PX = 4, PLOT_PX = 100, TICK_PX = 12, MOST_COLS = 16000 };
enum { WALL_PX = SECTORS * SECTOR_PX, HEIGHT_PX = TICK_PX + WALL_PX + PLOT_PX };

enum intra_status intra_joints_picture_init(struct intra_joints_picture *picture, int64_t n_cells, double station0_m,
                                            double cell_m, struct intra_error *err)
{
    picture->cells = n_cells / MOST_COLS + 1;
    picture->station0_m = station0_m;
    picture->column_m = cell_m * (double)picture->cells;
    return intra_image_u8_init(&picture->image, HEIGHT_PX, (int)(n_cells / picture->cells) + 1, 3, err);
}

void intra_joints_picture_fini(struct intra_joints_picture *picture)
{
    intra_image_u8_fini(&picture->image);
}

static void put(struct intra_joints_picture *picture, int row, int64_t col, uint8_t r, uint8_t g, uint8_t b)
{
    if (col < 0 || col >= picture->image.cols) return;
    uint8_t *p = intra_row_u8(&picture->image, row) + 3 * col;
    p[0] = r, p[1] = g, p[2] = b;
}

void intra_joints_picture_add(struct intra_joints_picture *picture, const struct intra_ring_stretch *stretch,
                              const float *score, int from, int to, int64_t at)
{
    for (int i = from; i < to; i++) {
        int64_t col = (at + i - from) / picture->cells;
        for (int row = 0; row < WALL_PX; row++) { /* 6 o'clock on top, as in unrolled.tif */
            int k = (row / SECTOR_PX + SECTORS / 2) % SECTORS;
            float light = stretch->light[(size_t)k * (size_t)stretch->n + (size_t)i];
            uint8_t grey = isfinite(light) ? (uint8_t)fminf(255, 1.5f * expf(light)) : 0;
            put(picture, TICK_PX + row, col, grey, grey, grey);
        }
        for (int h = 0; h < (int)(score[i] * PLOT_PX); h++)
            put(picture, HEIGHT_PX - 1 - h, col, 90, 170, 255);
    }
}

enum intra_status intra_joints_picture_write(struct intra_joints_picture *picture, const struct intra_scene *scene,
                                             const char *debug_dir, struct intra_error *err)
{
    char path[1200];
    enum intra_status status = intra_path_join(path, sizeof path, debug_dir, "joints.png", err);
    if (status != INTRA_OK) return status;
    for (int64_t i = 0; i < scene->n_features; i++) {
        int64_t col = (int64_t)floor((scene->features[i].station_m - picture->station0_m) / picture->column_m);
        for (int row = 0; row < TICK_PX; row++)
            for (int d = -1; d <= 1; d++)
                put(picture, row, col + d, 255, 80, 40);
        for (int row = HEIGHT_PX - PLOT_PX; row < HEIGHT_PX; row += 2)
            put(picture, row, col, 255, 80, 40);
    }
    return intra_image_write_png(path, &picture->image, err);
}
