/* info: what is in a video, and what a reconstruction of it would use. */
#include "tools/commands.h"
#include "tools/info_counter.h"
#include "tools/json.h"
#include "tools/lens.h"
#include "tools/options.h"

#include "core/video.h"

#include <inttypes.h>
#include <stdio.h>

enum { OPT_CAMERA, OPT_HFOV, OPT_PIXEL_ASPECT, OPT_COUNTER, OPT_JSON, N_OPTIONS };

static const struct intra_option options[N_OPTIONS] = {
    [OPT_CAMERA] = {"camera", 'c', "FILE", "lens calibration to check against the picture size"},
    [OPT_HFOV] = {"hfov", 0, "ANGLE", "horizontal field of view, e.g. 70deg"},
    [OPT_PIXEL_ASPECT] = {"pixel-aspect", 0, "RATIO", "width of a pixel over its height, e.g. 16:15"},
    [OPT_COUNTER] = {"counter", 0, NULL,
                     "read the burnt-in distance counter of pictures and videos and print a table (CSV):\n"
                     "file, time_s, text, counter_m, unit, confidence; a row for a picture, for a video\n"
                     "one each 0.2 s, for a folder one for each image. counter_m is empty where not sure"},
    [OPT_JSON] = {"json", 0, NULL, "one JSON object on standard output"},
};

static const struct intra_usage usage = {
    "info",
    "VIDEO|IMAGE_DIR, or --counter FILE...",
    "Shows what is in a video or a folder of images, and what a reconstruction would use.",
    "intrados info run.mpg\n  intrados info --counter still_1.png still_2.png run.mpg > counter.csv",
    options,
    N_OPTIONS};

struct info_request {
    struct intra_lens_request lens;
    bool is_json, is_counter;
};

static enum intra_status set_option(void *user, int option, const char *value, struct intra_error *err)
{
    struct info_request *request = user;
    switch (option) {
    case OPT_CAMERA:
        request->lens.camera_path = value;
        return INTRA_OK;
    case OPT_HFOV:
        return intra_lens_set_hfov(&request->lens, value, err);
    case OPT_PIXEL_ASPECT:
        return intra_lens_set_pixel_aspect(&request->lens, value, err);
    case OPT_COUNTER:
        request->is_counter = true;
        return INTRA_OK;
    case OPT_JSON:
        request->is_json = true;
        return INTRA_OK;
    default:
        return INTRA_FAIL(err, INTRA_E_ARG, "option %d is not known", option);
    }
}

static void print_json(const char *path, const struct intra_video_info *v, const struct intra_camera *camera)
{
    struct intra_json json = {.stream = stdout, .is_pretty = true};
    intra_json_open(&json, NULL, '{');
    intra_json_text(&json, "input", path);
    intra_json_text(&json, "container", v->container);
    intra_json_text(&json, "codec", v->codec);
    intra_json_integer(&json, "width_px", v->width);
    intra_json_integer(&json, "height_px", v->height);
    intra_json_number(&json, "pixel_aspect", v->pixel_aspect);
    intra_json_integer(&json, "rotation_deg", v->rotation_deg);
    intra_json_number(&json, "fps", v->fps > 0 ? v->fps : NAN);
    intra_json_number(&json, "duration_s", v->duration_s > 0 ? v->duration_s : NAN);
    if (v->frames_estimated > 0)
        intra_json_integer(&json, "frames_estimated", v->frames_estimated);
    else
        intra_json_text(&json, "frames_estimated", NULL);
    intra_json_bool(&json, "is_interlaced", v->is_interlaced);
    intra_json_bool(&json, "is_image_folder", v->is_image_folder);
    intra_json_open(&json, "camera", '{');
    intra_json_text(&json, "source", camera->source);
    intra_json_bool(&json, "is_assumed", camera->is_assumed);
    intra_json_text(&json, "model", camera->model == INTRA_CAMERA_KB ? "kannala_brandt" : "brown");
    intra_json_number(&json, "fx_px", camera->fx);
    intra_json_number(&json, "fy_px", camera->fy);
    intra_json_close(&json, '}');
    intra_json_close(&json, '}');
}

static void print_text(const char *path, const struct intra_video_info *v, const struct intra_camera *camera)
{
    printf("%s\n", path);
    printf("  container      %s\n", v->container);
    printf("  codec          %s\n", v->codec);
    printf("  picture        %d x %d px", v->width, v->height);
    if (fabs(v->pixel_aspect - 1) > 1e-3) printf(", pixels %.4f times as wide as high", v->pixel_aspect);
    printf("\n");
    if (v->rotation_deg) printf("  turned         %d degrees clockwise by players; used as stored\n", v->rotation_deg);
    if (v->fps > 0) printf("  rate           %.3f frames/s%s\n", v->fps, v->is_image_folder ? " (assumed)" : "");
    if (v->duration_s > 0) printf("  duration       %.2f s\n", v->duration_s);
    if (v->frames_estimated > 0) printf("  frames         about %" PRId64 "\n", v->frames_estimated);
    printf("What a reconstruction would use\n");
    printf("  deinterlacing  %s\n", v->is_interlaced ? "on (the stream or the picture is interlaced)" : "off");
    printf("  lens           %s%s, f = %.1f x %.1f px\n", camera->source, camera->is_assumed ? " (ASSUMED)" : "",
           camera->fx, camera->fy);
    if (camera->is_assumed)
        printf("                 every length along the pipe depends on it: give --camera FILE if there is one\n");
}

int intra_cmd_info(int argc, char **argv)
{
    enum intra_status status = INTRA_OK;
    struct intra_error err = {0};
    struct info_request request = {0};
    struct intra_video *video = NULL;
    struct intra_frame *frame = NULL;
    struct intra_video_info info;
    struct intra_video_options how = intra_video_defaults();
    struct intra_camera camera = {0};
    int first = 0;
    status = intra_options_parse(&usage, argc, argv, set_option, &request, &first, &err);
    if (status == INTRA_EOF) return INTRA_EXIT_DONE;
    if (status == INTRA_OK && request.is_counter && request.is_json)
        status = INTRA_FAIL(&err, INTRA_E_ARG, "info: --counter prints CSV; give it without --json");
    if (status == INTRA_OK && request.is_counter && argc > first) {
        status = intra_info_counter(argv + first, argc - first, &err);
        return status == INTRA_OK ? INTRA_EXIT_DONE : intra_command_fail("info", &err);
    }
    if (status == INTRA_OK && argc - first != 1)
        status = INTRA_FAIL(&err, INTRA_E_ARG, argc == first ? "info: no video given" : "info: one video at a time");
    if (status != INTRA_OK) return intra_command_fail("info", &err);

    INTRA_TRY(intra_video_open(argv[first], &how, &video, &err));
    /* A file may promise pictures and hold none. */
    INTRA_TRY(intra_video_next(video, &frame, &err));
    intra_frame_release(&frame);
    intra_video_info(video, &info);
    INTRA_TRY(intra_lens_choose(&request.lens, argv[first], &info, &camera, &err));
    if (request.is_json)
        print_json(argv[first], &info, &camera);
    else
        print_text(argv[first], &info, &camera);
done:
    intra_video_close(&video);
    if (status == INTRA_EOF) status = INTRA_FAIL(&err, INTRA_E_FORMAT, "%s: no frame could be decoded", argv[first]);
    if (status != INTRA_OK) return intra_command_fail("info", &err);
    return INTRA_EXIT_DONE;
}
