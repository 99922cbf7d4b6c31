/* Noise, and a lens, for tests that make drives or lenses up. */
#ifndef INTRA_TESTS_MADE_LENS_H
#define INTRA_TESTS_MADE_LENS_H

#include "core/camera.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static inline double random_unit(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (double)(*state >> 11) / 9007199254740992.0;
}

static inline double random_normal(uint64_t *state)
{
    double sum = -6;
    for (int i = 0; i < 12; i++)
        sum += random_unit(state);
    return sum;
}

static inline struct intra_camera lens_of(double f, double k1, double k2)
{
    struct intra_camera c = {
        .model = INTRA_CAMERA_KB, .width = 768, .height = 576, .fx = f, .fy = f, .cx = 383.5, .cy = 287.5};
    c.k[0] = k1, c.k[1] = k2;
    assert_int_equal(intra_camera_finish(&c, NULL), INTRA_OK);
    return c;
}

#endif
