#include "tools/sim/simulate.h"

#include "core/fileio.h"
#include "core/mem.h"
#include "core/video.h"
#include "tools/sim/sim_motion.h"
#include "tools/sim/sim_overlay.h"
#include "tools/sim/sim_render.h"
#include "tools/sim/sim_sensor.h"
#include "tools/sim/sim_truth.h"

#include <dirent.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct run {
    const struct intra_sim_scene *scene;
    const struct intra_sim_options *options;
    struct intra_sim_centreline line;
    struct intra_sim_wall wall;
    struct intra_sim_texture texture;
    struct intra_sim_renderer renderer;
    struct intra_sim_view view;
    struct intra_sim_sensor sensor;
    struct intra_sim_overlay overlay;
    struct intra_sim_track track;
    struct intra_sim_truth truth;
    float *light;
    struct intra_view_u8 picture, shown; /* rendered; the one on the screen, which repeats show again */
    uint8_t *hidden;                     /* text and dirt */
    struct intra_video_writer *video;
    char video_path[1024], frames_dir[1024], truth_dir[1024];
    struct intra_out_file poses, table;
    int frames;
};

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static enum intra_status prepare(struct run *r, struct intra_error *err)
{
    const struct intra_sim_scene *s = r->scene;
    enum intra_status status = INTRA_OK;
    struct sim_joint *joints = NULL;
    size_t pixels = (size_t)s->video.width * (size_t)s->video.height;
    int n = 0;
    INTRA_TRY(intra_sim_track_make(s, &r->track, err));
    INTRA_TRY(intra_sim_joints_make(s, &joints, &n, err));
    status = intra_sim_centreline_make(s, joints, n, &r->line, err);
    if (status != INTRA_OK) {
        intra_free(joints);
        goto done;
    }
    INTRA_TRY(intra_sim_wall_make(s, joints, n, &r->wall, err));
    INTRA_TRY(intra_sim_texture_make(s, &r->wall, &r->texture, err));
    INTRA_TRY(intra_sim_renderer_make(s, &r->wall, &r->texture, &r->renderer, err));
    INTRA_TRY(intra_sim_view_init(&r->view, &r->wall, &r->line, err));
    INTRA_TRY(intra_sim_sensor_make(s, &r->renderer.lens, &r->sensor, err));
    INTRA_TRY(intra_sim_overlay_make(s, &r->overlay, err));
    INTRA_TRY(intra_sim_truth_make(s, &r->wall, &r->line, &r->truth, err));
    INTRA_TRY(INTRA_ALLOC(r->light, pixels * 4, err));
    INTRA_TRY(INTRA_ALLOC(r->hidden, pixels, err));
    INTRA_TRY(intra_image_u8_init(&r->picture, s->video.height, s->video.width, 3, err));
    INTRA_TRY(intra_image_u8_init(&r->shown, s->video.height, s->video.width, 3, err));
    r->frames = r->track.frames;
    if (r->options->most_frames > 0 && r->frames > r->options->most_frames) r->frames = r->options->most_frames;
done:
    return status;
}

static void release(struct run *r)
{
    intra_sim_track_fini(&r->track);
    intra_sim_centreline_fini(&r->line);
    intra_sim_wall_fini(&r->wall);
    intra_sim_texture_fini(&r->texture);
    intra_sim_renderer_fini(&r->renderer);
    intra_sim_view_fini(&r->view);
    intra_sim_sensor_fini(&r->sensor);
    intra_sim_overlay_fini(&r->overlay);
    intra_sim_truth_fini(&r->truth);
    intra_free(r->light);
    intra_free(r->hidden);
    intra_image_u8_fini(&r->picture);
    intra_image_u8_fini(&r->shown);
    intra_out_file_abandon(&r->poses);
    intra_out_file_abandon(&r->table);
}

/* ---- the folder ---- */

static const char *container_of(const struct sim_video *v)
{
    if (v->container[0] && strcmp(v->container, "auto") != 0) return v->container;
    if (strcmp(v->codec, "mpeg2") == 0) return "mpg";
    return strcmp(v->codec, "h264") == 0 ? "mp4" : "mkv";
}

static bool is_empty_dir(const char *path)
{
    DIR *d = opendir(path);
    struct dirent *e;
    bool is_empty = true;
    if (!d) return false;
    while ((e = readdir(d)))
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) is_empty = false;
    closedir(d);
    return is_empty;
}

/* Everything that a run of ours may have left there, and nothing else. */
static void clear_dir(const char *dir)
{
    static const char *const names[] = {"video.mp4", "video.mkv",   "video.mpg",
                                        "video.avi", "camera.yaml", "scene.json"};
    static const char *const truth[] = {"trajectory.tum", "frames.csv",     "centreline.csv", "radius.tif",
                                        "albedo.tif",     "resolution.tif", "joints.csv",     "laterals.csv",
                                        "defects.csv",    "water.csv",      "truth.json"};
    char path[1100];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (intra_path_join(path, sizeof path, dir, names[i], NULL) == INTRA_OK) unlink(path);
    for (size_t i = 0; i < sizeof truth / sizeof truth[0]; i++) {
        snprintf(path, sizeof path, "%.900s/truth/%s", dir, truth[i]);
        unlink(path);
    }
    for (int i = 0; i < 1000000; i++) {
        snprintf(path, sizeof path, "%.900s/frames/%06d.png", dir, i);
        if (unlink(path) != 0) break;
    }
    snprintf(path, sizeof path, "%.900s/frames", dir);
    rmdir(path);
    snprintf(path, sizeof path, "%.900s/truth", dir);
    rmdir(path);
}

static enum intra_status open_outputs(struct run *r, struct intra_error *err)
{
    const struct sim_video *v = &r->scene->video;
    const char *dir = r->options->dir;
    enum intra_status status = INTRA_OK;
    char name[32], path[1024];
    INTRA_TRY(intra_path_join(r->truth_dir, sizeof r->truth_dir, dir, "truth", err));
    INTRA_TRY(intra_make_dir(r->truth_dir, err));
    INTRA_TRY(intra_path_join(path, sizeof path, r->truth_dir, "trajectory.tum", err));
    INTRA_TRY(intra_out_file_open(&r->poses, path, err));
    INTRA_TRY(intra_path_join(path, sizeof path, r->truth_dir, "frames.csv", err));
    INTRA_TRY(intra_out_file_open(&r->table, path, err));
    fprintf(r->table.stream, "index,t,state,station_m,shows_pipe,counter_m,counter_text,zoom\n");
    if (strcmp(v->codec, "png") == 0) {
        INTRA_TRY(intra_path_join(r->frames_dir, sizeof r->frames_dir, dir, "frames", err));
        INTRA_TRY(intra_make_dir(r->frames_dir, err));
    } else {
        double fps = v->fps;
        bool is_whole = fabs(fps - floor(fps + 0.5)) < 1e-9;
        struct intra_video_writer_options o = {.width = v->width,
                                               .height = v->height,
                                               .codec = v->codec,
                                               .bitrate_mbit = v->bitrate_mbit,
                                               .quality = v->quality,
                                               .is_interlaced = v->interlaced};
        o.fps_num = is_whole ? (int)(fps + 0.5) : (int)(fps * 1001 + 0.5);
        o.fps_den = is_whole ? 1 : 1001;
        snprintf(name, sizeof name, "video.%s", container_of(v));
        INTRA_TRY(intra_path_join(r->video_path, sizeof r->video_path, dir, name, err));
        INTRA_TRY(intra_video_writer_open(r->video_path, &o, &r->video, err));
    }
done:
    return status;
}

/* ---- pictures ---- */

/* One exposure that begins at time t: blur_samples views, of all rows or of each field at its own time. */
static void take_light(struct run *r, double t)
{
    const struct sim_image *im = &r->scene->image;
    double frame_s = 1 / r->scene->video.fps;
    int fields = r->scene->video.interlaced ? 2 : 1;
    memset(r->light, 0, sizeof *r->light * 4 * (size_t)r->scene->video.width * (size_t)r->scene->video.height);
    for (int field = fields - 1; field >= 0; field--) /* the first field last: its nodes serve the resolution map */
        for (int k = im->blur_samples - 1; k >= 0; k--) {
            double when = t + field * 0.5 * frame_s;
            struct sim_camera c;
            if (im->blur_samples > 1)
                when += (k / (double)(im->blur_samples - 1) - 0.5) * im->shutter * frame_s / fields;
            c = intra_sim_camera_at(r->scene, &r->line, &r->track, when);
            intra_sim_renderer_zoom(&r->renderer, c.zoom);
            intra_sim_view_place(&r->view, &r->line, &c.world_from_cam, c.station);
            intra_sim_render(&r->renderer, &r->view, when, field, fields, 1.0f / (float)im->blur_samples, r->light);
        }
}

static enum intra_status make_picture(struct run *r, int index, bool counts, struct intra_error *err)
{
    double t = index / r->scene->video.fps;
    const struct sim_moment *m = &r->track.moments[index * SIM_FINE];
    enum intra_status status = INTRA_OK;
    if (m->is_title)
        return intra_sim_overlay_title(&r->overlay, SIM_AT(r->scene->motion.phases, sim_phase, m->phase)->text,
                                       &r->shown, err);
    take_light(r, t);
    intra_sim_sensor_expose(&r->sensor, r->light, t, index, &r->picture);
    memcpy(r->shown.data, r->picture.data, (size_t)r->picture.rows * (size_t)r->picture.stride);
    INTRA_TRY(intra_sim_overlay_draw(&r->overlay, t, m->counter, &r->shown, err));
    if (counts) {
        for (int i = 0; i < r->shown.rows * r->shown.cols; i++)
            r->hidden[i] = r->overlay.hidden[i] || r->sensor.dirt[i] < 0.8f;
        intra_sim_truth_see(&r->truth, &r->renderer, r->hidden);
    }
done:
    return status;
}

static enum intra_status put_frame(struct run *r, int index, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    char path[1100];
    if (r->video) return intra_video_writer_put(r->video, &r->shown, index, err);
    snprintf(path, sizeof path, "%.1000s/%06d.png", r->frames_dir, index);
    INTRA_TRY(intra_image_write_png(path, &r->shown, err));
done:
    return status;
}

static enum intra_status film(struct run *r, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    for (int i = 0; i < r->frames; i++) {
        enum sim_state state;
        int source = intra_sim_picture_of(r->scene, &r->track, i, &state);
        double t = i / r->scene->video.fps;
        struct sim_camera c = intra_sim_camera_at(r->scene, &r->line, &r->track, source / r->scene->video.fps);
        char text[32] = "";
        bool is_pipe = state != SIM_NOT_PIPE;
        /* As drawn: found again from the time, the moment may be the one before. */
        double drawn_m = r->track.moments[source * SIM_FINE].counter;
        double counter = is_pipe ? intra_sim_counter_text(r->scene, drawn_m, text, sizeof text) : 0;
        if (source == i) INTRA_TRY(make_picture(r, i, state != SIM_PAN && is_pipe, err));
        INTRA_TRY(put_frame(r, i, err));
        if (is_pipe) intra_sim_truth_pose(r->poses.stream, t, &c.world_from_cam);
        fprintf(r->table.stream, "%d,%.6f,%s,", i, t, intra_sim_state_name(state));
        if (is_pipe) fprintf(r->table.stream, "%.6f", c.station);
        fprintf(r->table.stream, ",%d,", is_pipe);
        if (is_pipe && r->overlay.has_counter)
            fprintf(r->table.stream, "%.4f,%s", counter, text);
        else
            fprintf(r->table.stream, ",");
        fprintf(r->table.stream, ",%.4f\n", is_pipe ? c.zoom : 1.0);
        intra_progress_report(&r->options->progress, "render", i + 1, r->frames);
    }
done:
    return status;
}

static enum intra_status write_scene(const struct run *r, struct intra_error *err)
{
    struct intra_out_file file = {0};
    enum intra_status status = INTRA_OK;
    char path[1024];
    INTRA_TRY(intra_path_join(path, sizeof path, r->options->dir, "camera.yaml", err));
    INTRA_TRY(intra_sim_lens_write(&r->renderer.lens, path, err));
    INTRA_TRY(intra_path_join(path, sizeof path, r->options->dir, "scene.json", err));
    INTRA_TRY(intra_out_file_open(&file, path, err));
    INTRA_TRY(intra_sim_scene_write(r->scene, file.stream, err));
    INTRA_TRY(intra_out_file_commit(&file, err));
done:
    intra_out_file_abandon(&file);
    return status;
}

enum intra_status intra_simulate(const struct intra_sim_scene *scene, const struct intra_sim_options *options,
                                 struct intra_sim_result *out, struct intra_error *err)
{
    struct run r = {.scene = scene, .options = options};
    enum intra_status status = INTRA_OK;
    double start = now_s(), mid = 0;
    bool is_ours = false, was_there = intra_path_exists(options->dir);
    *out = (struct intra_sim_result){0};
    if (was_there && !intra_path_is_dir(options->dir))
        return INTRA_FAIL(err, INTRA_E_EXISTS, "%s: is a file; name a folder to write into", options->dir);
    if (was_there && !is_empty_dir(options->dir) && !options->may_replace)
        return INTRA_FAIL(err, INTRA_E_EXISTS,
                          "%s: is there already and not empty; name another folder or give --force", options->dir);
    INTRA_TRY(prepare(&r, err));
    INTRA_TRY(intra_make_dir(options->dir, err));
    is_ours = true;
    clear_dir(options->dir);
    INTRA_TRY(open_outputs(&r, err));
    out->prepare_s = now_s() - start;
    mid = now_s();
    INTRA_TRY(film(&r, err));
    if (r.video) INTRA_TRY(intra_video_writer_close(&r.video, err));
    out->render_s = now_s() - mid;
    mid = now_s();
    INTRA_TRY(intra_out_file_commit(&r.poses, err));
    INTRA_TRY(intra_out_file_commit(&r.table, err));
    INTRA_TRY(intra_sim_truth_write(&r.truth, &r.renderer, r.truth_dir, r.frames, err));
    INTRA_TRY(write_scene(&r, err));
    out->write_s = now_s() - mid;
    out->frames = r.frames;
    out->length_m = r.line.length;
    snprintf(out->video, sizeof out->video, "%s", r.video_path[0] ? strrchr(r.video_path, '/') + 1 : "frames");
done:
    intra_video_writer_abandon(&r.video);
    release(&r);
    if (status != INTRA_OK && is_ours) {
        clear_dir(options->dir);
        if (!was_there) rmdir(options->dir);
    }
    return status;
}
