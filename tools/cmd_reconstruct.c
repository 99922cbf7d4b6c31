/* reconstruct: from a video to a folder with the model, the wall and the tables. */
#include "tools/commands.h"
#include "tools/console.h"
#include "tools/counter_file.h"
#include "tools/json.h"
#include "tools/lens.h"
#include "tools/options.h"
#include "tools/outputs.h"
#include "tools/record_places.h"
#include "tools/sizes.h"
#include "tools/summary.h"
#include "tools/workdir.h"

#include "core/camera_file.h"
#include "core/fileio.h"
#include "core/log.h"
#include "core/units.h"
#include "recon/reconstruct.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifdef _OPENMP
#include <omp.h>
#endif

enum {
    OPT_DIAMETER,
    OPT_CAMERA,
    OPT_HFOV,
    OPT_PIXEL_ASPECT,
    OPT_OUT,
    OPT_FORCE,
    OPT_FROM,
    OPT_TO,
    OPT_START_STATION,
    OPT_TEXEL,
    OPT_SECTION_STEP,
    OPT_CUT,
    OPT_COUNTER,
    OPT_LENGTH,
    OPT_SAVE_CAMERA,
    OPT_RECORD,
    OPT_RECORD_FIRST,
    OPT_RECORD_LAST = OPT_RECORD_FIRST + INTRA_N_RECORD_OPTIONS - 1,
    OPT_DEINTERLACE,
    OPT_IMAGE_FPS,
    OPT_NO_MESH,
    OPT_NO_OBJ,
    OPT_NO_REPORT,
    OPT_MAX_SIZE,
    OPT_THREADS,
    OPT_DEBUG_DIR,
    OPT_QUIET,
    OPT_JSON,
    N_OPTIONS
};

static const struct intra_option options[N_OPTIONS] = {
    [OPT_DIAMETER] = {"diameter", 'd', "LENGTH",
                      "nominal inside diameter, e.g. 300mm or 12in; it sets the scale (required)"},
    [OPT_CAMERA] = {"camera", 'c', "FILE", "lens calibration: OpenCV YAML/JSON, mrcal, COLMAP cameras.txt, Kalibr"},
    [OPT_HFOV] = {"hfov", 0, "ANGLE",
                  "horizontal field of view where there is no calibration, e.g. 70deg\n(neither given: 65deg, marked "
                  "as assumed)"},
    [OPT_PIXEL_ASPECT] =
        {"pixel-aspect", 0, "RATIO",
         "width of a pixel over its height where there is no calibration, e.g. 16:15\n(default: as the video "
         "says, else square)"},
    [OPT_OUT] = {"output", 'o', "OUT", "output folder (default: VIDEO without its ending, plus .intrados)"},
    [OPT_FORCE] = {"force", 'f', NULL, "replace the result in an OUT that exists, once the new one is complete"},
    [OPT_FROM] = {"from", 0, "TIME", "start at this time of the video, e.g. 12.5s or 1:30"},
    [OPT_TO] = {"to", 0, "TIME", "end at this time of the video"},
    [OPT_START_STATION] = {"start-station", 0, "LENGTH", "station of the first posed frame, e.g. 0.6m (default 0m)"},
    [OPT_TEXEL] = {"texel", 0, "LENGTH",
                   "cell of the unrolled wall (default 1mm, for 1280 px wide video and more 0.5mm)"},
    [OPT_SECTION_STEP] = {"section-step", 0, "LENGTH", "distance between measured sections (default 50mm)"},
    [OPT_CUT] = {"cut", 0, "ANGLE", "where the wall is cut open, from the crown clockwise (default 180deg: 6 o'clock)"},
    [OPT_COUNTER] =
        {"counter", 0, "auto|off|FILE.csv",
         "distance counter for frames.csv: read from the picture (default), not at all, or\nfrom a table with "
         "the columns index or time_s, and counter_m"},
    [OPT_LENGTH] = {"length", 0, "LENGTH",
                    "way that the camera drives in all, e.g. 48.2m: without calibration it gives focal\nlength and "
                    "distortion, in place of "
                    "the distance counter"},
    [OPT_SAVE_CAMERA] = {"save-camera", 0, "FILE", "write the lens that was used, as OpenCV YAML that --camera reads"},
    [OPT_RECORD] =
        {"record", 'r', "FILE",
         "import this inspection record at the end, as 'intrados import' does on a finished result; recognised by\n"
         "content: " INTRA_RECORD_NAMES_READ},
    INTRA_RECORD_OPTIONS(OPT_RECORD_FIRST),
    [OPT_DEINTERLACE] = {"deinterlace", 0, "auto|on|off", "default auto: where the stream or the picture says so"},
    [OPT_IMAGE_FPS] = {"image-fps", 0, "NUMBER", "rate of a folder of images, frames per second (default 25)"},
    [OPT_NO_MESH] = {"no-mesh", 0, NULL, "write neither model.glb nor model.obj"},
    [OPT_NO_OBJ] = {"no-obj", 0, NULL, "write no model.obj"},
    [OPT_NO_REPORT] = {"no-report", 0, NULL, "write no report.html"},
    [OPT_MAX_SIZE] = {"max-size", 0, "SIZE", "size budget of model.glb, e.g. 100MB (default 25MB)"},
    [OPT_THREADS] = {"threads", 'j', "N", "threads to use (default: all cores); the result is the same for any number"},
    [OPT_DEBUG_DIR] = {"debug-dir", 0, "DIR", "pictures of the steps in between"},
    [OPT_QUIET] = {"quiet", 'q', NULL, "print errors only"},
    [OPT_JSON] = {"json", 0, NULL, "the summary as one JSON object on standard output"},
};

static const struct intra_usage usage = {
    "reconstruct",
    "VIDEO|IMAGE_DIR --diameter LENGTH",
    "Makes a measured, textured 3D model of the inside of a pipe from inspection video: OUT with model.glb, "
    "unrolled.tif,\n"
    "profile.csv, frames.csv, trajectory.tum, project.sqlite and more.",
    "intrados reconstruct run.mp4 --diameter 300mm --camera cam.yaml -o run.intrados\n"
    "  intrados reconstruct run.mp4 --diameter 12in --record inspections.mdb --inspection 17",
    options,
    N_OPTIONS};

struct request {
    struct intra_reconstruct_options recon;
    struct intra_lens_request lens;
    struct intra_outputs_request outputs;
    struct intra_record_request record;
    const char *input, *out, *debug_dir, *counter_path, *save_camera;
    char out_default[1024];
    bool is_forced, is_quiet, is_json;
};

static enum intra_status parse_length_in(const char *name, const char *text, double low_m, double high_m, double *out_m,
                                         struct intra_error *err)
{
    enum intra_status status = intra_parse_length(name, text, out_m, err);
    if (status != INTRA_OK) return status;
    if (*out_m < low_m || *out_m > high_m)
        return INTRA_FAIL(err, INTRA_E_ARG, "%s %s: out of range, must be %g mm to %g mm", name, text, low_m * 1e3,
                          high_m * 1e3);
    return INTRA_OK;
}

static enum intra_status parse_deinterlace(const char *text, enum intra_deinterlace *out, struct intra_error *err)
{
    if (strcmp(text, "auto") == 0)
        *out = INTRA_DEINTERLACE_AUTO;
    else if (strcmp(text, "on") == 0)
        *out = INTRA_DEINTERLACE_ON;
    else if (strcmp(text, "off") == 0)
        *out = INTRA_DEINTERLACE_OFF;
    else
        return INTRA_FAIL(err, INTRA_E_ARG, "--deinterlace: '%s' is not auto, on or off", text);
    return INTRA_OK;
}

static enum intra_status parse_image_fps(const char *text, double *out, struct intra_error *err)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || !(value >= 0.01 && value <= 1000))
        return INTRA_FAIL(err, INTRA_E_ARG, "--image-fps: '%s' is not a number between 0.01 and 1000", text);
    *out = value;
    return INTRA_OK;
}

static enum intra_status set_option(void *user, int option, const char *value, struct intra_error *err)
{
    struct request *r = user;
    enum intra_status status = INTRA_OK;
    long n = 0;
    if (option >= OPT_RECORD_FIRST && option <= OPT_RECORD_LAST)
        return intra_record_option_set(&r->record, option - OPT_RECORD_FIRST, value, err);
    switch (option) {
    case OPT_DIAMETER:
        status = intra_parse_length("--diameter", value, &r->recon.diameter_m, err);
        if (status == INTRA_OK && (r->recon.diameter_m < 0.02 || r->recon.diameter_m > 10))
            status = INTRA_FAIL(err, INTRA_E_ARG,
                                "--diameter %s: no pipe for this program; must be 20mm to 10m, e.g. --diameter 300mm",
                                value);
        return status;
    case OPT_CAMERA:
        r->lens.camera_path = value;
        return INTRA_OK;
    case OPT_HFOV:
        return intra_lens_set_hfov(&r->lens, value, err);
    case OPT_PIXEL_ASPECT:
        return intra_lens_set_pixel_aspect(&r->lens, value, err);
    case OPT_OUT:
        r->out = value;
        return INTRA_OK;
    case OPT_FORCE:
        r->is_forced = true;
        return INTRA_OK;
    case OPT_FROM:
        return intra_parse_time("--from", value, &r->recon.video.from_s, err);
    case OPT_TO:
        status = intra_parse_time("--to", value, &r->recon.video.to_s, err);
        if (status == INTRA_OK && r->recon.video.to_s <= 0)
            status = INTRA_FAIL(err, INTRA_E_ARG, "--to %s: must be after the start of the video", value);
        return status;
    case OPT_START_STATION:
        return parse_length_in("--start-station", value, -1e6, 1e6, &r->recon.start_station_m, err);
    case OPT_TEXEL:
        return parse_length_in("--texel", value, 1e-4, 0.05, &r->recon.texel_m, err);
    case OPT_SECTION_STEP:
        return parse_length_in("--section-step", value, 5e-3, 5, &r->recon.section_step_m, err);
    case OPT_CUT:
        status = intra_parse_angle("--cut", value, &r->recon.cut_rad, err);
        if (status == INTRA_OK && !(fabs(r->recon.cut_rad) <= 2 * M_PI))
            status = INTRA_FAIL(err, INTRA_E_ARG, "--cut %s: must be within a turn, e.g. --cut 180deg", value);
        return status;
    case OPT_COUNTER:
        r->recon.has_counter = strcmp(value, "auto") == 0;
        r->counter_path = r->recon.has_counter || strcmp(value, "off") == 0 ? NULL : value;
        return INTRA_OK;
    case OPT_LENGTH:
        return parse_length_in("--length", value, 0.1, 1e5, &r->recon.length_m, err);
    case OPT_SAVE_CAMERA:
        r->save_camera = value;
        return INTRA_OK;
    case OPT_RECORD:
        r->record.path = value;
        return INTRA_OK;
    case OPT_DEINTERLACE:
        return parse_deinterlace(value, &r->recon.video.deinterlace, err);
    case OPT_IMAGE_FPS:
        return parse_image_fps(value, &r->recon.video.image_fps, err);
    case OPT_NO_MESH:
        r->outputs.has_glb = r->outputs.has_obj = false;
        return INTRA_OK;
    case OPT_NO_REPORT:
        r->outputs.has_report = false;
        return INTRA_OK;
    case OPT_NO_OBJ:
        r->outputs.has_obj = false;
        return INTRA_OK;
    case OPT_MAX_SIZE:
        return intra_parse_size("--max-size", value, &r->outputs.max_bytes, err);
    case OPT_THREADS:
        status = intra_parse_int("--threads", value, 1, 1024, &n, err);
        r->recon.threads = r->outputs.threads = (int)n;
        return status;
    case OPT_DEBUG_DIR:
        r->debug_dir = value;
        return INTRA_OK;
    case OPT_QUIET:
        r->is_quiet = true;
        return INTRA_OK;
    case OPT_JSON:
        r->is_json = true;
        return INTRA_OK;
    default:
        return INTRA_FAIL(err, INTRA_E_ARG, "option %d is not known", option);
    }
}

/* VIDEO without its ending, plus .intrados; a folder keeps its dots. */
static enum intra_status default_out(struct request *r, struct intra_error *err)
{
    char stem[1000];
    char *slash, *dot;
    size_t n;
    if (snprintf(stem, sizeof stem, "%s", r->input) >= (int)sizeof stem)
        return INTRA_FAIL(err, INTRA_E_ARG, "%.60s...: name too long; name the output folder with -o", r->input);
    for (n = strlen(stem); n > 1 && stem[n - 1] == '/';)
        stem[--n] = 0;
    slash = strrchr(stem, '/');
    dot = strrchr(stem, '.');
    if (dot && dot != stem && (!slash || dot > slash + 1) && !intra_path_is_dir(r->input)) *dot = 0;
    snprintf(r->out_default, sizeof r->out_default, "%s.intrados", stem);
    r->out = r->out_default;
    return INTRA_OK;
}

static enum intra_status read_request(int argc, char **argv, struct request *r, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    int first = 0;
    r->recon = intra_reconstruct_defaults();
    r->recon.diameter_m = 0;
    r->record = intra_record_request_defaults();
    r->outputs.has_glb = r->outputs.has_obj = r->outputs.has_report = true;
    r->outputs.max_bytes = 25000000;
    INTRA_TRY(intra_options_parse(&usage, argc, argv, set_option, r, &first, err));
    if (first == argc) return INTRA_FAIL(err, INTRA_E_ARG, "no video given");
    if (argc - first > 1)
        return INTRA_FAIL(err, INTRA_E_ARG, "'%s': one video at a time ('%s' came first)", argv[first + 1],
                          argv[first]);
    if (!(r->recon.diameter_m > 0))
        return INTRA_FAIL(err, INTRA_E_ARG,
                          "--diameter is missing: the nominal inside diameter sets the scale of everything; give it, "
                          "e.g. --diameter 300mm");
    if (r->lens.camera_path && r->lens.hfov_rad > 0)
        return INTRA_FAIL(err, INTRA_E_ARG,
                          "--camera and --hfov: give one of them; a calibration knows its field of view");
    if (r->lens.camera_path && r->lens.pixel_aspect > 0)
        return INTRA_FAIL(err, INTRA_E_ARG,
                          "--camera and --pixel-aspect: give one of them; a calibration knows its pixels");
    if (r->recon.video.to_s > 0 && r->recon.video.to_s <= r->recon.video.from_s)
        return INTRA_FAIL(err, INTRA_E_ARG, "--from %g s is not before --to %g s", r->recon.video.from_s,
                          r->recon.video.to_s);
    if (r->record.inspection && !r->record.path)
        return INTRA_FAIL(err, INTRA_E_ARG, "--inspection %s: of which record? Give --record FILE", r->record.inspection);
    INTRA_TRY(intra_record_request_check(&r->record, err));
    r->input = argv[first];
    if (!r->out) status = default_out(r, err);
done:
    return status;
}

/* The options as they took effect, for the store. The caller frees with free(). */
static char *options_to_json(const struct request *r)
{
    static const char *const modes[] = {"auto", "off", "on"};
    char *text = NULL;
    size_t size = 0;
    struct intra_json json = {.stream = open_memstream(&text, &size)};
    if (!json.stream) return NULL;
    intra_json_open(&json, NULL, '{');
    intra_json_number(&json, "diameter_m", r->recon.diameter_m);
    intra_json_text(&json, "camera", r->lens.camera_path);
    intra_json_number(&json, "hfov_rad", r->lens.hfov_rad > 0 ? r->lens.hfov_rad : NAN);
    intra_json_number(&json, "pixel_aspect", r->lens.pixel_aspect > 0 ? r->lens.pixel_aspect : NAN);
    intra_json_number(&json, "from_s", r->recon.video.from_s);
    intra_json_number(&json, "to_s", r->recon.video.to_s > 0 ? r->recon.video.to_s : NAN);
    intra_json_number(&json, "start_station_m", r->recon.start_station_m);
    intra_json_number(&json, "texel_m", r->recon.texel_m > 0 ? r->recon.texel_m : NAN);
    intra_json_number(&json, "section_step_m", r->recon.section_step_m);
    intra_json_number(&json, "cut_rad", r->recon.cut_rad);
    intra_json_text(&json, "counter", r->counter_path ? r->counter_path : r->recon.has_counter ? "auto" : "off");
    intra_json_number(&json, "length_m", r->recon.length_m > 0 ? r->recon.length_m : NAN);
    intra_json_text(&json, "record", r->record.path);
    intra_json_text(&json, "inspection", r->record.inspection);
    intra_json_number(&json, "station_offset_m", r->record.path ? r->record.locate.station_offset_m : NAN);
    intra_json_text(&json, "deinterlace", modes[r->recon.video.deinterlace]);
    intra_json_number(&json, "image_fps", r->recon.video.image_fps);
    intra_json_bool(&json, "glb", r->outputs.has_glb);
    intra_json_bool(&json, "obj", r->outputs.has_obj);
    intra_json_bool(&json, "report", r->outputs.has_report);
    intra_json_integer(&json, "max_size_bytes", (int64_t)r->outputs.max_bytes);
    intra_json_integer(&json, "threads", r->recon.threads);
    intra_json_close(&json, '}');
    if (fclose(json.stream) == 0) {
        text[strcspn(text, "\n")] = 0;
        return text;
    }
    free(text);
    return NULL;
}

/* Size and kind of the input, and the lens for it: everything that can be refused before anything is written. */
static enum intra_status look_at_input(const struct request *r, struct intra_camera *camera,
                                       struct intra_video_probe *probe, struct intra_error *err)
{
    enum intra_status status = intra_video_look(r->input, &r->recon.video, probe, err);
    if (status != INTRA_OK) return status;
    return intra_lens_choose(&r->lens, r->input, &probe->info, camera, err);
}

/* A container that promises more time than there are pictures was cut off. Half a second, or 2 %, is rounding. */
static bool is_ending_early(const struct request *r, const struct intra_scene *scene,
                            const struct intra_reconstruct_report *report)
{
    double end_s = report->video.duration_s, last_s, slack_s = fmax(0.5, 0.02 * end_s);
    if (r->recon.video.to_s > 0 && r->recon.video.to_s < end_s) end_s = r->recon.video.to_s;
    if (end_s <= 0 || scene->n_frames == 0) return false;
    last_s = scene->frames[scene->n_frames - 1].pts_s;
    if (last_s >= end_s - slack_s) return false;
    intra_log(INTRA_LOG_WARNING, "video",
              "%s: the last picture is at %.2f s of %.2f s; the file is cut off or damaged at its end", r->input,
              last_s, end_s);
    return true;
}

struct run {
    struct request request;
    struct intra_video_probe probe; /* of the input */
    struct intra_workdir dir;
    struct intra_console *console;
    struct intra_camera camera;
    struct intra_counter_file counter; /* of --counter FILE.csv; n 0: none */
    struct intra_record record;        /* of --record; no inspection: none */
    struct intra_scene scene;
    struct intra_reconstruct_report report;
    struct intra_outputs_result result;
    char started_utc[32];
    double start_s;
    bool is_early_end;
};

static void fill_counter(void *user, struct intra_frame_record *frames, int64_t n)
{
    (void)intra_counter_file_fill(user, frames, n);
}

static enum intra_status compute(struct run *run, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_progress progress = intra_console_progress(run->console);
    run->request.recon.scratch_dir = run->dir.part;
    run->request.recon.debug_dir = run->request.debug_dir;
    run->request.recon.video.probe = &run->probe;
    if (run->counter.n) {
        run->request.recon.fill_counter = fill_counter;
        run->request.recon.fill_user = &run->counter;
    }
    if (run->request.debug_dir) INTRA_TRY(intra_make_dir(run->request.debug_dir, err));
    INTRA_TRY(intra_reconstruct(run->request.input, &run->camera, &run->request.recon, &progress, &run->scene,
                                &run->report, err));
    if (run->counter.n && intra_counter_file_fill(&run->counter, run->scene.frames, run->scene.n_frames) == 0)
        intra_log(INTRA_LOG_WARNING, "counter", "%s: no row belongs to a frame of %s", run->request.counter_path,
                  run->request.input);
    for (int i = 0; i < run->report.n_stages; i++)
        intra_console_stage(run->console, run->report.stages[i].name, run->report.stages[i].wall_s,
                            run->report.stages[i].cpu_s, run->report.stages[i].items);
    run->is_early_end = is_ending_early(&run->request, &run->scene, &run->report);
done:
    return status;
}

/* The record onto the finished wall. What goes wrong here must not cost the result: it is said, and the record left out.
 */
static void place_record(struct run *run)
{
    struct intra_error err = {0};
    const struct intra_record_counts *c = &run->record.counts;
    double start_s = intra_clock_s();
    if (!run->record.n_inspections) return;
    intra_log(INTRA_LOG_INFO, "record", "%s: %lld observations read, %lld values kept as text only, %lld rows refused",
              run->request.record.path, (long long)c->read, (long long)c->kept, (long long)c->refused);
    if (intra_record_place(&run->scene, &run->request.record.locate, &run->record, &err) != INTRA_OK) {
        intra_log(INTRA_LOG_WARNING, "record", "%s is not imported: %s; try 'intrados import %s %s'",
                  run->request.record.path, err.text, run->dir.out, run->request.record.path);
        intra_record_fini(&run->record);
    }
    for (int64_t i = 0; i < run->record.n_inspections; i++)
        run->record.inspections[i].number = i + 1; /* as the store will count them */
    intra_console_stage(run->console, "record", intra_clock_s() - start_s, NAN, -1);
    run->request.outputs.record = &run->record;
}

static enum intra_status write_outputs(struct run *run, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    char hash[65], *options_json = options_to_json(&run->request);
    struct intra_provenance provenance = {run->request.input, hash, options_json ? options_json : "{}",
                                          run->started_utc, run->report.is_complete && !run->is_early_end};
    INTRA_TRY(intra_file_sha256(run->request.input, hash, err));
    intra_outputs_write(&run->scene, &run->report, &run->dir, &run->request.outputs, &provenance, run->console,
                        &run->result);
done:
    free(options_json); /* of open_memstream, so not core/mem's */
    return status;
}

/* More to the same sentence. */
static void append_text(struct intra_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void append_text(struct intra_error *err, const char *format, ...)
{
    size_t n = strlen(err->text);
    va_list args;
    va_start(args, format);
    vsnprintf(err->text + n, sizeof err->text - n, format, args);
    va_end(args);
}

/* Said before the work begins, not after it. */
static enum intra_status check_writable(const char *path, struct intra_error *err)
{
    struct intra_out_file file = {0};
    enum intra_status status = intra_out_file_open(&file, path, err);
    intra_out_file_abandon(&file);
    return status;
}

/* Bring the result to its place. When some files failed, a new OUT still gets the others; an OUT that stood before is
 * not mixed with them. */
static enum intra_status publish(struct run *run, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_error log_err = {0};
    bool has_log = intra_console_end_log(run->console, &log_err) == INTRA_OK;
    if (!has_log && run->result.n_failed++ == 0) run->result.first = log_err;
    if (run->result.n_failed == 0) return intra_workdir_publish(&run->dir, intra_is_output_name, err);
    *err = run->result.first;
    status = err->code;
    if (!run->dir.is_new) {
        intra_workdir_leave(&run->dir);
        append_text(err, "; %s is as it was, the new files that were complete are in %s", run->dir.out, run->dir.part);
    } else if (intra_workdir_publish(&run->dir, intra_is_output_name, NULL) == INTRA_OK) {
        append_text(err, "; the files that were complete are in %s", run->dir.out);
    }
    return status;
}

static void print_summary(const struct run *run)
{
    struct intra_summary summary = {.input_path = run->request.input,
                                    .out_dir = run->dir.out,
                                    .scene = &run->scene,
                                    .report = &run->report,
                                    .is_camera_default = run->scene.camera.is_assumed && !(run->request.lens.hfov_rad > 0),
                                    .is_early_end = run->is_early_end,
                                    .record = run->request.record.path ? &run->record : NULL,
                                    .wall_s = intra_clock_s() - run->start_s};
    summary.n_warnings = intra_console_warnings(run->console, &summary.warnings);
    if (run->request.is_json)
        intra_summary_print_json(&summary);
    else if (!run->request.is_quiet)
        intra_summary_print(&summary);
}

static enum intra_status reconstruct(struct run *run, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    char path[1100];
    time_t now = time(NULL);
    struct tm utc;
    strftime(run->started_utc, sizeof run->started_utc, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
#ifdef _OPENMP
    if (run->request.recon.threads) omp_set_num_threads(run->request.recon.threads);
#endif
    INTRA_TRY(intra_console_open(run->request.is_quiet, &run->console, err));
    /* First of all, so that signals are blocked in every thread to come. */
    INTRA_TRY(intra_workdir_spare(run->request.out, run->request.input, intra_is_output_name, err));
    if (run->request.lens.camera_path)
        INTRA_TRY(intra_workdir_spare(run->request.out, run->request.lens.camera_path, intra_is_output_name, err));
    if (run->request.record.path)
        INTRA_TRY(intra_workdir_spare(run->request.out, run->request.record.path, intra_is_output_name, err));
    INTRA_TRY(intra_workdir_open(&run->dir, run->request.out, run->request.is_forced, err));
    if (run->request.save_camera) INTRA_TRY(check_writable(run->request.save_camera, err));
    if (run->request.counter_path) INTRA_TRY(intra_counter_file_read(run->request.counter_path, &run->counter, err));
    INTRA_TRY(look_at_input(&run->request, &run->camera, &run->probe, err));
    INTRA_TRY(intra_workdir_path(&run->dir, "log.jsonl", path, sizeof path, err));
    INTRA_TRY(intra_console_log_to(run->console, path, err));
    intra_log(INTRA_LOG_INFO, "start", "intrados %s: %s into %s", INTRADOS_VERSION, run->request.input, run->dir.out);
    INTRA_TRY(compute(run, err));
    place_record(run);
    INTRA_TRY(write_outputs(run, err));
    intra_console_clear(run->console);
    INTRA_TRY(publish(run, err));
    if (run->request.save_camera)
        INTRA_TRY(intra_camera_file_write(run->request.save_camera, &run->scene.camera, err));
    print_summary(run);
done:
    return status;
}

int intra_cmd_reconstruct(int argc, char **argv)
{
    struct intra_error err = {0};
    struct run run = {.start_s = intra_clock_s(), .dir.lock_fd = -1};
    enum intra_status status = read_request(argc, argv, &run.request, &err);
    int code;
    if (status == INTRA_EOF) return INTRA_EXIT_DONE;
    if (status != INTRA_OK) return intra_command_fail("reconstruct", &err);
    intra_scene_init(&run.scene);
    intra_record_init(&run.record);
    if (run.request.record.path) {
        struct intra_record_video video = {run.request.input, run.request.recon.diameter_m};
        status = intra_record_load(&run.request.record, INTRA_RECORD_NONE, &video, run.request.is_json ? NULL : stderr,
                                   &run.record, &err);
    }
    if (status == INTRA_OK && intra_record_is_list(&run.request.record)) {
        intra_record_list(&run.record, run.record.n_inspections, stdout);
        intra_record_fini(&run.record);
        return INTRA_EXIT_DONE;
    }
    if (status == INTRA_OK) status = reconstruct(&run, &err);
    if (run.console) intra_console_clear(run.console);
    intra_workdir_discard(&run.dir);
    if (status == INTRA_OK) {
        code = run.report.is_complete && !run.is_early_end ? INTRA_EXIT_DONE : INTRA_EXIT_GAPS;
    } else {
        code = intra_command_fail("reconstruct", &err);
    }
    intra_console_close(&run.console);
    intra_counter_file_fini(&run.counter);
    intra_record_fini(&run.record);
    intra_scene_fini(&run.scene);
    return code;
}
