/* Lenses that the camera tests run over: mild, strong, rational, tangential, thin prism, fisheye to beyond 180 degrees.
 */
#ifndef INTRA_TESTS_CORE_LENSES_H
#define INTRA_TESTS_CORE_LENSES_H

#include "core/camera.h"

struct test_lens {
    const char *name;
    struct intra_camera camera; /* not yet finished */
};

static const struct test_lens test_lenses[] = {
    {"pinhole",
     {.model = INTRA_CAMERA_BROWN, .width = 640, .height = 480, .fx = 500, .fy = 500, .cx = 319.5, .cy = 239.5}},
    {"barrel",
     {.model = INTRA_CAMERA_BROWN,
      .width = 768,
      .height = 576,
      .fx = 410.2,
      .fy = 408.9,
      .cx = 380.1,
      .cy = 290.7,
      .k = {-0.28, 0.07, 0.0009, 0.0001, -0.004}}},
    {"barrel that folds",
     {.model = INTRA_CAMERA_BROWN,
      .width = 640,
      .height = 480,
      .fx = 380,
      .fy = 380,
      .cx = 319.5,
      .cy = 239.5,
      .k = {-0.35}}},
    {"pincushion",
     {.model = INTRA_CAMERA_BROWN,
      .width = 1280,
      .height = 720,
      .fx = 900,
      .fy = 905,
      .cx = 641.2,
      .cy = 350.4,
      .k = {0.21, 0.11, -0.002, 0.003, 0.02}}},
    {"rational",
     {.model = INTRA_CAMERA_BROWN,
      .width = 1920,
      .height = 1080,
      .fx = 820.5,
      .fy = 820.1,
      .cx = 959.5,
      .cy = 539.5,
      .k = {0.9, 0.31, 0.0004, -0.0007, 0.012, 1.2, 0.55, 0.06}}},
    {"thin prism",
     {.model = INTRA_CAMERA_BROWN,
      .width = 352,
      .height = 288,
      .fx = 260,
      .fy = 270,
      .cx = 180,
      .cy = 140,
      .k = {-0.2, 0.05, 0.001, -0.002, 0.001, 0.01, 0.002, 0.0005, 0.002, -0.001, -0.0015, 0.0008}}},
    {"equidistant",
     {.model = INTRA_CAMERA_KB, .width = 800, .height = 600, .fx = 260, .fy = 260, .cx = 399.5, .cy = 299.5}},
    {"fisheye 190",
     {.model = INTRA_CAMERA_KB,
      .width = 1024,
      .height = 1024,
      .fx = 300.4,
      .fy = 301.1,
      .cx = 510.2,
      .cy = 514.8,
      .k = {0.012, -0.004, 0.001, -0.0001}}},
    {"fisheye that folds",
     {.model = INTRA_CAMERA_KB,
      .width = 720,
      .height = 576,
      .fx = 280,
      .fy = 280,
      .cx = 360,
      .cy = 288,
      .k = {-0.12, -0.02, 0.004, -0.002}}},
};
enum { TEST_LENS_COUNT = sizeof test_lenses / sizeof test_lenses[0] };

#endif
