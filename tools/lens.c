#include "tools/lens.h"

#include "core/camera_file.h"
#include "core/log.h"
#include "core/units.h"

#include <stdio.h>
#include <stdlib.h>

enum intra_status intra_lens_set_hfov(struct intra_lens_request *request, const char *text, struct intra_error *err)
{
    enum intra_status status = intra_parse_angle("--hfov", text, &request->hfov_rad, err);
    double deg = request->hfov_rad * 180 / M_PI;
    if (status != INTRA_OK) return status;
    if (deg < 10 || deg > 220)
        return INTRA_FAIL(err, INTRA_E_ARG,
                          "--hfov %s: a lens sees 10 to 220 degrees from left to right, e.g. --hfov 70deg", text);
    return INTRA_OK;
}

enum intra_status intra_lens_set_pixel_aspect(struct intra_lens_request *request, const char *text,
                                              struct intra_error *err)
{
    char *end;
    double width = strtod(text, &end), height = 1;
    bool is_number = end != text;
    if (is_number && (*end == ':' || *end == '/')) {
        const char *second = end + 1;
        height = strtod(second, &end);
        is_number = end != second;
    }
    if (!is_number || *end || !(width > 0.5 * height && width < 2 * height))
        return INTRA_FAIL(
            err, INTRA_E_ARG,
            "--pixel-aspect %s: width of a pixel over its height, between 0.5 and 2, e.g. --pixel-aspect 16:15", text);
    request->pixel_aspect = width / height;
    return INTRA_OK;
}

static enum intra_status read_file(const char *path, const struct intra_video_info *video, struct intra_camera *out,
                                   struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    int width, height;
    if (!*path) return INTRA_FAIL(err, INTRA_E_ARG, "--camera: the name of the file is empty");
    INTRA_TRY(intra_camera_file_read(path, out, err));
    width = out->width;
    height = out->height;
    if (width == video->width && height == video->height) goto done;
    if (intra_camera_rescale(out, video->width, video->height, NULL) != INTRA_OK) {
        status = INTRA_FAIL(
            err, INTRA_E_FORMAT,
            "%s: this calibration is for %d x %d px, the video has %d x %d px; calibrate at the video's size", path,
            width, height, video->width, video->height);
        goto done;
    }
    intra_log(INTRA_LOG_WARNING, "camera", "%s: calibrated at %d x %d px, scaled to the video's %d x %d px", path,
              width, height, video->width, video->height);
done:
    return status;
}

enum intra_status intra_lens_choose(const struct intra_lens_request *request, const char *input,
                                    const struct intra_video_info *video, struct intra_camera *out,
                                    struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    double hfov_rad = request->hfov_rad > 0 ? request->hfov_rad : INTRA_DEFAULT_HFOV_DEG * M_PI / 180;
    if (request->camera_path && request->hfov_rad > 0)
        return INTRA_FAIL(err, INTRA_E_ARG,
                          "--camera and --hfov: give one of them; a calibration knows its field of view");
    if (request->camera_path && request->pixel_aspect > 0)
        return INTRA_FAIL(err, INTRA_E_ARG,
                          "--camera and --pixel-aspect: give one of them; a calibration knows its pixels");
    if (video->width < INTRA_MIN_PICTURE_PX || video->height < INTRA_MIN_PICTURE_PX)
        return INTRA_FAIL(
            err, INTRA_E_UNSUPPORTED,
            "%s: pictures of %d x %d px are too small to follow a wall in; give video of at least %d x %d px", input,
            video->width, video->height, INTRA_MIN_PICTURE_PX, INTRA_MIN_PICTURE_PX);
    if (video->rotation_deg)
        intra_log(INTRA_LOG_WARNING, "camera",
                  "%s: marked to be shown turned by %d degrees; the pictures are used as stored, so up is the stored "
                  "picture's up, in clock positions too",
                  input, video->rotation_deg);
    if (request->camera_path) return read_file(request->camera_path, video, out, err);
    INTRA_TRY(intra_camera_from_hfov(video->width, video->height, hfov_rad, out, err));
    double aspect = request->pixel_aspect > 0 ? request->pixel_aspect : video->pixel_aspect;
    if (aspect > 0.3 && aspect < 3) {
        /* Pixels that are wider than high: the same angle takes more rows than columns. */
        out->fy = out->fx * aspect;
        INTRA_TRY(intra_camera_finish(out, err));
    }
    snprintf(out->source, sizeof out->source, "horizontal field of view of %.4g degrees, %s", hfov_rad * 180 / M_PI,
             request->hfov_rad > 0 ? "given without calibration" : "the default");
    /* The warning that lengths are then a guess is the reconstruction's. */
    intra_log(INTRA_LOG_INFO, "camera", "no lens calibration: %s; --camera FILE gives one", out->source);
done:
    return status;
}
