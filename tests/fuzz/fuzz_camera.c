/* Camera files of all formats. What is taken must be a usable lens, and come back from the file that we write of it. */
#include "fuzz.h"

#include "core/camera_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void look_through(const struct intra_camera *camera)
{
    const double centre[2] = {camera->cx, camera->cy}, corner[2] = {-0.5, camera->height - 0.5};
    struct intra_vec3 ray;
    double px[2];
    fuzz_must(isfinite(camera->fx) && camera->fx > 0 && isfinite(camera->fy) && camera->fy > 0, "focal lengths");
    fuzz_must(camera->width > 0 && camera->height > 0, "picture size");
    fuzz_must(camera->max_theta_rad > 0, "a field of view");
    if (intra_camera_unproject(camera, centre, &ray)) intra_camera_project(camera, ray, px, NULL, NULL);
    if (intra_camera_unproject(camera, corner, &ray)) intra_camera_project(camera, ray, px, NULL, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct intra_camera camera, again;
    struct intra_error err = {0};
    char path[512];
    if (intra_camera_file_read(fuzz_put("camera", data, size), &camera, &err) != INTRA_OK) {
        fuzz_must(strstr(err.text, "/camera: ") != NULL, "the message names the file");
        return 0;
    }
    look_through(&camera);
    snprintf(path, sizeof path, "%s/written", fuzz_dir());
    fuzz_must(intra_camera_file_write(path, &camera, &err) == INTRA_OK, "the camera can be written");
    fuzz_must(intra_camera_file_read(path, &again, &err) == INTRA_OK, "and read again");
    fuzz_must(again.fx == camera.fx && again.cx == camera.cx, "and is the same");
    for (int i = 0; i < INTRA_CAMERA_MAX_K; i++)
        fuzz_must(again.k[i] == camera.k[i], "with the same distortion");
    return 0;
}
