#include "tests/synth/synth.h"

#include "core/video.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

static uint32_t hash(uint32_t a, uint32_t b, uint32_t c)
{
    uint32_t h = a * 0x9E3779B1u ^ b * 0x85EBCA77u ^ c * 0xC2B2AE3Du;
    h ^= h >> 15;
    h *= 0x2C1B3C6Du;
    h ^= h >> 12;
    h *= 0x297A2D39u;
    return h ^ h >> 15;
}

static double unit(uint32_t h)
{
    return h / 4294967296.0;
}

/* Smooth value noise on a grid of `cell` metres, periodic around the pipe with n_around cells. */
static double value_noise(double s, double turn, double cell, int n_around, uint32_t seed)
{
    double x = s / cell, y = turn * n_around;
    int ix = (int)floor(x), iy = (int)floor(y);
    double fx = x - ix, fy = y - iy;
    fx = fx * fx * (3 - 2 * fx);
    fy = fy * fy * (3 - 2 * fy);
    double v[4];
    for (int k = 0; k < 4; k++) {
        int jy = (iy + k / 2) % n_around;
        v[k] = unit(hash((uint32_t)(ix + k % 2), (uint32_t)(jy < 0 ? jy + n_around : jy), seed));
    }
    return (v[0] + fx * (v[1] - v[0])) * (1 - fy) + (v[2] + fx * (v[3] - v[2])) * fy;
}

struct intra_camera synth_camera(const struct synth_lens *lens)
{
    struct intra_camera camera = {.model = INTRA_CAMERA_BROWN,
                                  .width = lens->width,
                                  .height = lens->height,
                                  .fx = lens->f,
                                  .fy = lens->f,
                                  .cx = lens->cx,
                                  .cy = lens->cy};
    if (intra_camera_finish(&camera, NULL) != INTRA_OK) abort(); /* the test's own numbers are no pinhole */
    return camera;
}

struct intra_pose synth_world_from_cam(double t, double v, double wobble)
{
    struct intra_mat3 ahead = {{{0, 0, 1}, {-1, 0, 0}, {0, -1, 0}}};
    struct intra_mat3 turn = intra_rotation_exp(intra_vec3(0.03 * wobble * sin(1.3 * t), 0.04 * wobble * sin(0.9 * t + 1),
                                                           0.05 * wobble * sin(0.7 * t)));
    struct intra_pose p;
    p.r = intra_mat3_mul(&ahead, &turn);
    p.t = intra_vec3(v * t, 0.02 * wobble * sin(1.1 * t), 0.015 * wobble * sin(0.8 * t + 0.5) - 0.01 * wobble);
    return p;
}

void synth_render(const struct synth_pipe *pipe, const struct synth_lens *lens, const struct intra_pose *world_from_cam,
                  unsigned frame, struct intra_view_u8 *rgb)
{
    struct intra_vec3 o = world_from_cam->t;
    for (int row = 0; row < lens->height; row++)
        for (int col = 0; col < lens->width; col++) {
            struct intra_vec3 ray = intra_unit(intra_vec3((col - lens->cx) / lens->f, (row - lens->cy) / lens->f, 1));
            struct intra_vec3 d = intra_mat3_mul_vec(&world_from_cam->r, ray);
            double a = d.y * d.y + d.z * d.z, b = o.y * d.y + o.z * d.z, r = pipe->radius_m, t = 0, theta = 0, x = 0;
            for (int it = 0; it < 4; it++) {
                double c = o.y * o.y + o.z * o.z - r * r;
                t = (-b + sqrt(b * b - a * c)) / fmax(a, 1e-12);
                theta = atan2(-(o.y + t * d.y), o.z + t * d.z); /* clockwise looking along +X, 0 at the crown */
                r = pipe->radius_m * (1 + pipe->ovality * cos(2 * theta));
            }
            x = o.x + t * d.x;
            double turn = theta / (2 * M_PI), foot = t * t / (r * lens->f), paint = 0, mass = 0;
            if (turn < 0) turn += 1;
            for (int k = 0; k < 5; k++) { /* octaves that are smaller than the pixel's footprint fade out */
                int around = 12 << k;
                double cell = 2 * M_PI * pipe->radius_m / around, w = pow(0.8, k);
                double fade = fmin(1, fmax(0, cell / (2 * foot) - 0.5));
                paint += w * fade * (value_noise(x, turn, cell, around, pipe->seed + (unsigned)k) - 0.5);
                mass += w;
            }
            double light = 1 / (0.9 + 0.06 * pow(t / pipe->radius_m, 2));
            double v = 150 * light * (1 + 2 * pipe->contrast * paint / mass);
            uint32_t h = hash((uint32_t)(row * 8192 + col), frame, pipe->seed);
            v += pipe->noise * 1.7 * (unit(h) + unit(hash(h, 1, 2)) - 1) * 1.4;
            uint8_t out = (uint8_t)fmin(255, fmax(0, v + 0.5));
            for (int k = 0; k < 3; k++) intra_row_u8(rgb, row)[3 * col + k] = out;
        }
}

int synth_video(const char *path, const struct synth_pipe *pipe, const struct synth_lens *lens, int n, double v,
                double wobble, struct intra_pose *out_world_from_cam)
{
    struct intra_video_writer_options o = {.width = lens->width, .height = lens->height, .fps_num = 25, .fps_den = 1,
                                           .codec = "h264", .quality = 16};
    struct intra_video_writer *writer = NULL;
    struct intra_view_u8 rgb = {0};
    struct intra_error err;
    int bad = intra_video_writer_open(path, &o, &writer, &err) != INTRA_OK ||
              intra_image_u8_init(&rgb, lens->height, lens->width, 3, &err) != INTRA_OK;
    for (int i = 0; i < n && !bad; i++) {
        struct intra_pose p = synth_world_from_cam(i / 25.0, v, wobble);
        if (out_world_from_cam) out_world_from_cam[i] = p;
        synth_render(pipe, lens, &p, (unsigned)i, &rgb);
        bad = intra_video_writer_put(writer, &rgb, i, &err) != INTRA_OK;
    }
    if (writer && intra_video_writer_close(&writer, &err) != INTRA_OK) bad = 1;
    intra_image_u8_fini(&rgb);
    return bad;
}
