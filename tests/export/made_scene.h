/* A made-up pipe for the tests of export: oval, slightly bent, with a bump in the wall, joints, a stretch that nobody
 * saw, and marks of known colour painted at known places. Formulas only, no reconstruction. */
#ifndef INTRA_TESTS_EXPORT_MADE_SCENE_H
#define INTRA_TESTS_EXPORT_MADE_SCENE_H

#include "core/scene.h"

struct made_pipe {
    double diameter_m, length_m, texel_m, start_m;
    double gap_from_m, gap_to_m; /* unseen; none where from >= to */
    double curvature;            /* 1/m, to the left */
    double oval;                 /* a[2] / a[0] */
    double relief_m;             /* height of the waves in the wall */
    double world_x_m;            /* where in the world the pipe starts */
    bool is_rough;               /* noise in the paint, as a real wall has */
};
struct made_pipe made_pipe_defaults(void);

/* A painted rectangle: colour over station +- half_m and arc length +- half_m around theta. */
struct made_mark {
    double station_m, theta_rad, half_m;
    uint8_t rgb[3];
    const char *name;
};
enum { MADE_MARKS = 4 };
extern const struct made_mark made_marks[MADE_MARKS];

/* A patch inside a seen stretch that no frame saw. */
extern const struct made_mark made_hole;

/* The scene of `pipe`; scratch rasters stand in `dir`. The caller finishes it. Aborts on errors. */
void made_scene_init(struct intra_scene *scene, const struct made_pipe *pipe, const char *dir);

/* Relief of the made wall, the formula. */
double made_relief(const struct made_pipe *pipe, double station_m, double theta_rad);

/* Bytes of a file; -1 when it is not there. */
long made_file_size(const char *path);
/* Number of entries of a folder. */
int made_count_files(const char *dir);
/* Delete a folder with the files in it. */
void made_remove_folder(const char *dir);

/* A fresh folder under the build tree's temporary folder. */
void made_folder(char *out, size_t n);
/* out = dir/name */
const char *made_path(char *out, size_t n, const char *dir, const char *name);

#endif
