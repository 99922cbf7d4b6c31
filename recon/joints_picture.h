/* joints.png of --debug-dir: the wall in sectors, under it the score of the rings along the pipe, and the joints found
 * as ticks. */
#ifndef INTRA_RECON_JOINTS_PICTURE_H
#define INTRA_RECON_JOINTS_PICTURE_H

#include "core/image.h"
#include "core/scene.h"
#include "recon/ring.h"

struct intra_joints_picture {
    struct intra_view_u8 image;
    double station0_m, column_m; /* of the picture's columns */
    int64_t cells;               /* ring cells a column */
};

/* n_cells ring cells of cell_m from station0_m on; long pipes are drawn with several cells a column. fini accepts a
 * zeroed struct. */
enum intra_status intra_joints_picture_init(struct intra_joints_picture *picture, int64_t n_cells, double station0_m,
                                            double cell_m, struct intra_error *err);
void intra_joints_picture_fini(struct intra_joints_picture *picture);
/* Cells [from, to) of a stretch and their scores; the first of them is cell `at` of the pipe. */
void intra_joints_picture_add(struct intra_joints_picture *picture, const struct intra_ring_stretch *stretch,
                              const float *score, int from, int to, int64_t at);
/* Ticks for the joints of the scene, and the file. */
enum intra_status intra_joints_picture_write(struct intra_joints_picture *picture, const struct intra_scene *scene,
                                             const char *debug_dir, struct intra_error *err);

#endif
