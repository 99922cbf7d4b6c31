/* From linear light to the camera's picture: exposure with lag, vignetting, dirt, tone curve, sharpening, noise. */
#ifndef INTRA_SIM_SENSOR_H
#define INTRA_SIM_SENSOR_H

#include "core/image.h"
#include "tools/sim/sim_lens.h"
#include "tools/sim/sim_scene.h"

struct intra_sim_sensor {
    const struct intra_sim_scene *scene;
    int width, height;
    float *shade; /* vignetting, per pixel */
    float *dirt;  /* what the dirt on the lens lets through, per pixel; 1 = clean */
    double gain;  /* 0 before the first picture */
    uint8_t tone[4097];
    float *luma; /* scratch for sharpening */
};

enum intra_status intra_sim_sensor_make(const struct intra_sim_scene *scene, const struct intra_sim_lens *lens,
                                        struct intra_sim_sensor *out, struct intra_error *err);
void intra_sim_sensor_fini(struct intra_sim_sensor *sensor);
/* light: (height, width, 4) linear, left changed. frame_key keys the noise. Same bytes for every team size. */
void intra_sim_sensor_expose(struct intra_sim_sensor *sensor, float *light, double time_s, int64_t frame_key,
                             struct intra_view_u8 *out_rgb);

#endif
