#include "tools/outputs.h"
#include "tools/page.h"

#include "core/log.h"
#include "core/mem.h"
#include "core/store_records.h"
#include "core/video.h"
#include "export/export.h"
#include "export/gis.h"
#include "export/report.h"
#include "export/tiff_read.h"

#include <dirent.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#ifdef _OPENMP
#include <omp.h>
#endif

bool intra_is_output_name(const char *name)
{
    static const char *const names[] = {"project.sqlite",   "trajectory.tum",    "frames.csv",   "profile.csv",
                                        "observations.csv", "observations.gpkg", "unrolled.tif", "relief.tif",
                                        "coverage.tif",     "model.glb",         "model.obj",    "model.mtl",
                                        "report.html",      "log.jsonl"};
    int number, end = 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i], name) == 0) return true;
    /* textures of the OBJ */
    return sscanf(name, "model_%d.jpg%n", &number, &end) == 1 && end && !name[end];
}

struct job {
    const struct intra_scene *scene;
    const struct intra_reconstruct_report *report;
    const struct intra_workdir *dir;
    const struct intra_outputs_request *request;
    const struct intra_provenance *provenance;
    struct intra_console *console;
    struct intra_progress progress;
    struct intra_outputs_result *result;
    const struct intra_inspection *inspections; /* of records */
    int64_t n_inspections;
    double wall_s, cpu_s; /* at the start of the stage */
};

static double cpu_s_of(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void begin_stage(struct job *job, const char *name)
{
    intra_progress_report(&job->progress, name, 0, 1);
    job->wall_s = intra_clock_s();
    job->cpu_s = cpu_s_of(CLOCK_PROCESS_CPUTIME_ID);
}

static void keep_stage(struct job *job, const char *name, double wall_s, double cpu_s)
{
    int n = job->result->n_stages++;
    job->result->stages[n].name = name;
    job->result->stages[n].wall_s = wall_s;
    job->result->stages[n].cpu_s = cpu_s;
    intra_console_stage(job->console, name, wall_s, cpu_s, -1);
}

static void end_stage(struct job *job, const char *name)
{
    keep_stage(job, name, intra_clock_s() - job->wall_s, cpu_s_of(CLOCK_PROCESS_CPUTIME_ID) - job->cpu_s);
}

/* The work folder's name means nothing to the user once it is gone: name the file where it should have stood. */
static void name_target(const struct intra_workdir *dir, struct intra_error *err)
{
    size_t part = strlen(dir->part), out = strlen(dir->out);
    if (strncmp(err->text, dir->part, part) != 0 || err->text[part] != '/' || out > part) return;
    memcpy(err->text, dir->out, out);
    memmove(err->text + out, err->text + part, strlen(err->text + part) + 1);
}

static void note(struct job *job, enum intra_status status, struct intra_error *err)
{
    if (status == INTRA_OK) return;
    name_target(job->dir, err);
    if (job->result->n_failed++ == 0) job->result->first = *err;
    intra_log(INTRA_LOG_ERROR, "files", "%s", err->text);
}

/* Each writer gets the path inside the work folder. */
typedef enum intra_status writer_fn(struct job *job, const char *path, struct intra_error *err);

static void write_file(struct job *job, const char *name, writer_fn *writer)
{
    struct intra_error err = {0};
    char path[1100];
    enum intra_status status = intra_workdir_path(job->dir, name, path, sizeof path, &err);
    if (status == INTRA_OK) status = writer(job, path, &err);
    note(job, status, &err);
}

static enum intra_status write_trajectory(struct job *job, const char *path, struct intra_error *err)
{
    return intra_export_trajectory(job->scene, path, err);
}
static enum intra_status write_frames(struct job *job, const char *path, struct intra_error *err)
{
    return intra_export_frames(job->scene, path, err);
}
static enum intra_status write_profile(struct job *job, const char *path, struct intra_error *err)
{
    return intra_export_profile(job->scene, path, err);
}
static enum intra_status write_observations(struct job *job, const char *path, struct intra_error *err)
{
    return intra_export_observations(job->scene, job->inspections, job->n_inspections, path, err);
}
static enum intra_status write_gis(struct job *job, const char *path, struct intra_error *err)
{
    return intra_export_gis(job->scene, job->inspections, job->n_inspections, INTRA_GIS_GPKG, path, err);
}
static enum intra_status write_colour(struct job *job, const char *path, struct intra_error *err)
{
    return intra_export_tiff(job->scene, INTRA_TIFF_COLOUR, path, &job->progress, err);
}
static enum intra_status write_relief(struct job *job, const char *path, struct intra_error *err)
{
    return intra_export_tiff(job->scene, INTRA_TIFF_RELIEF, path, &job->progress, err);
}
static enum intra_status write_coverage(struct job *job, const char *path, struct intra_error *err)
{
    return intra_export_tiff(job->scene, INTRA_TIFF_COVERAGE, path, &job->progress, err);
}
static enum intra_status write_glb(struct job *job, const char *path, struct intra_error *err)
{
    struct intra_mesh_options options = intra_mesh_defaults();
    options.max_bytes = job->request->max_bytes;
    options.inspections = job->inspections;
    options.n_inspections = job->n_inspections;
    return intra_export_glb(job->scene, &options, path, err);
}
static enum intra_status write_obj(struct job *job, const char *path, struct intra_error *err)
{
    struct intra_mesh_options options = intra_mesh_defaults();
    options.max_bytes = job->request->max_bytes;
    options.inspections = job->inspections;
    options.n_inspections = job->n_inspections;
    return intra_export_obj(job->scene, &options, path, err);
}

static enum intra_status write_report(struct job *job, const char *path, struct intra_error *err)
{
    const struct intra_provenance *p = job->provenance;
    struct intra_report_options options = intra_report_defaults();
    struct intra_report_source source = {.video = p->input_path,
                                         .sha256 = p->input_sha256,
                                         .started_utc = p->started_utc,
                                         .options_json = p->options_json,
                                         .program_version = INTRADOS_VERSION,
                                         .is_incomplete = !p->is_complete};
    char link[1024];
    if (intra_page_video_link(job->dir->out, p->input_path, link, sizeof link)) source.video_link = link;
    source.n_warnings = intra_console_warnings(job->console, &source.warnings);
    options.source = &source;
    options.inspections = job->inspections;
    options.n_inspections = job->n_inspections;
    return intra_export_report(job->scene, &options, path, &job->progress, err);
}

/* ---- the store ---- */

/* A number that not every run has; none where it is not known. */
static enum intra_status store_measured(struct intra_store *store, const char *key, double value,
                                        struct intra_error *err)
{
    char text[40];
    if (!isfinite(value)) return INTRA_OK;
    snprintf(text, sizeof text, "%.9g", value);
    return intra_store_write_meta(store, key, text, err);
}

static enum intra_status store_provenance(struct job *job, struct intra_store *store, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_provenance *p = job->provenance;
    const char *const *warnings;
    int n_warnings;
    INTRA_TRY(intra_store_write_meta(store, "program", "intrados", err));
    INTRA_TRY(intra_store_write_meta(store, "program_version", INTRADOS_VERSION, err));
    INTRA_TRY(intra_store_write_meta(store, "input_path", p->input_path, err));
    INTRA_TRY(intra_store_write_meta(store, "input_sha256", p->input_sha256, err));
    INTRA_TRY(intra_store_write_meta(store, "options_json", p->options_json, err));
    INTRA_TRY(intra_store_write_meta(store, "started_utc", p->started_utc, err));
    INTRA_TRY(intra_store_write_meta(store, "is_complete", p->is_complete ? "1" : "0", err));
    INTRA_TRY(store_measured(store, "measured_diameter_m", job->report->measured_diameter_m, err));
    INTRA_TRY(store_measured(store, "measured_diameter_sd_m", job->report->measured_diameter_sd_m, err));
    INTRA_TRY(store_measured(store, "lens_corner_sd_rel", job->report->corner_sd_rel, err));
    INTRA_TRY(store_measured(store, "lens_centre_sd_px", job->report->centre_sd_px, err));
    INTRA_TRY(intra_store_write_library(store, "sqlite", intra_store_library_version(), err));
    INTRA_TRY(intra_store_write_library(store, "ffmpeg", intra_video_library_version(), err));
    INTRA_TRY(intra_store_write_library(store, "libtiff", intra_tiff_library_version(), err));
    INTRA_TRY(intra_store_write_library(store, "gdal", intra_gis_library_version(), err));
    for (int i = 0; i < job->report->n_stages; i++)
        INTRA_TRY(intra_store_write_stage(store, job->report->stages[i].name, job->report->stages[i].wall_s,
                                          job->report->stages[i].cpu_s, job->report->stages[i].items, err));
    for (int i = 0; i < job->result->n_stages; i++)
        INTRA_TRY(intra_store_write_stage(store, job->result->stages[i].name, job->result->stages[i].wall_s,
                                          job->result->stages[i].cpu_s, 0, err));
    n_warnings = intra_console_warnings(job->console, &warnings);
    for (int i = 0; i < n_warnings; i++)
        INTRA_TRY(intra_store_write_warning(store, warnings[i], err));
done:
    return status;
}

/* Files that stand finished in the work folder; not the store itself nor the log, which still grows. */
static int is_listed(const struct dirent *entry)
{
    const char *name = entry->d_name;
    size_t n = strlen(name);
    if (name[0] == '.' || strcmp(name, "project.sqlite") == 0 || strcmp(name, "log.jsonl") == 0) return 0;
    return n < 5 || strcmp(name + n - 5, ".part") != 0;
}

struct listed {
    char hash[65]; /* "": no file */
    int64_t bytes;
    enum intra_status status;
    struct intra_error error;
};

static enum intra_status hash_listed(const struct job *job, const char *name, struct listed *out)
{
    char path[1100];
    struct stat st;
    enum intra_status status = intra_workdir_path(job->dir, name, path, sizeof path, &out->error);
    if (status != INTRA_OK) return status;
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode)) return INTRA_OK;
    out->bytes = st.st_size;
    return intra_file_sha256(path, out->hash, &out->error);
}

static enum intra_status store_files(struct job *job, struct intra_store *store, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct dirent **entries = NULL;
    struct listed *listed = NULL;
    int n = scandir(job->dir->part, &entries, is_listed, alphasort);
    if (n < 0) return INTRA_FAIL(err, INTRA_E_IO, "%s: cannot list the folder", job->dir->part);
    INTRA_TRY(INTRA_ALLOC(listed, (size_t)n + 1, err));
#pragma omp parallel for schedule(dynamic)
    for (int i = 0; i < n; i++)
        listed[i].status = hash_listed(job, entries[i]->d_name, &listed[i]);
    for (int i = 0; i < n; i++) {
        if (listed[i].status != INTRA_OK) {
            if (err) *err = listed[i].error;
            INTRA_TRY(listed[i].status);
        }
        if (listed[i].hash[0])
            INTRA_TRY(intra_store_write_file(store, entries[i]->d_name, listed[i].bytes, listed[i].hash, err));
    }
done:
    intra_free(listed);
    for (int i = 0; i < n; i++)
        free(entries[i]); /* of scandir, so not core/mem's */
    free(entries);
    return status;
}

static enum intra_status write_store(struct job *job, const char *path, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_store *store = NULL;
    int64_t record_id;
    INTRA_TRY(intra_store_create(path, &store, err));
    INTRA_TRY(intra_store_write_scene(store, job->scene, err));
    INTRA_TRY(store_provenance(job, store, err));
    INTRA_TRY(store_files(job, store, err));
    INTRA_TRY(intra_store_commit(store, err));
    intra_store_close(&store);
    if (job->n_inspections) INTRA_TRY(intra_store_add_record(path, job->request->record, NULL, &record_id, err));
done:
    intra_store_close(&store);
    return status;
}

/* One file that does not wait for others; the largest first, so that they end together. */
struct task {
    const char *stage, *name;
    writer_fn *writer;
    bool is_wanted;
    double from_s, to_s, cpu_s;
    enum intra_status status;
    struct intra_error error;
};

/* Threads that take tasks from one list. */
struct share {
    struct job *job;
    struct task *tasks;
    int n_tasks, n_threads, next;
    pthread_mutex_t lock; /* guards next */
};

static struct task *take(struct share *share)
{
    struct task *task = NULL;
    pthread_mutex_lock(&share->lock);
    while (share->next < share->n_tasks && !share->tasks[share->next].is_wanted)
        share->next++;
    if (share->next < share->n_tasks) task = &share->tasks[share->next++];
    pthread_mutex_unlock(&share->lock);
    return task;
}

static void *work(void *user)
{
    struct share *share = user;
    struct task *task;
#ifdef _OPENMP
    int team = omp_get_max_threads();
    if (share->n_threads > 1) omp_set_num_threads(1); /* of this thread; a team that waits for a busy core only spins */
#endif
    while ((task = take(share)) != NULL) {
        char path[1100];
        double cpu_s = cpu_s_of(CLOCK_THREAD_CPUTIME_ID);
        task->from_s = intra_clock_s();
        intra_progress_report(&share->job->progress, task->stage, 0, 1);
        task->status = intra_workdir_path(share->job->dir, task->name, path, sizeof path, &task->error);
        if (task->status == INTRA_OK) task->status = task->writer(share->job, path, &task->error);
        task->to_s = intra_clock_s();
        task->cpu_s = cpu_s_of(CLOCK_THREAD_CPUTIME_ID) - cpu_s;
    }
#ifdef _OPENMP
    omp_set_num_threads(team);
#endif
    return NULL;
}

/* Wall images and models, several at once. What is said of them comes in their order, however they ended. */
static void write_wall(struct job *job)
{
    const struct intra_outputs_request *r = job->request;
    struct task tasks[] = {{.stage = "model.obj", .name = "model.obj", .writer = write_obj, .is_wanted = r->has_obj},
                           {.stage = "model.glb", .name = "model.glb", .writer = write_glb, .is_wanted = r->has_glb},
                           {.stage = "tiff", .name = "unrolled.tif", .writer = write_colour, .is_wanted = true},
                           {.stage = "tiff", .name = "coverage.tif", .writer = write_coverage, .is_wanted = true},
                           {.stage = "tiff", .name = "relief.tif", .writer = write_relief, .is_wanted = true}};
    static const char *const stages[] = {"tiff", "model.glb", "model.obj"};
    enum { TASKS = sizeof tasks / sizeof tasks[0], STAGES = sizeof stages / sizeof stages[0] };
    struct share share = {.job = job, .tasks = tasks, .n_tasks = TASKS, .n_threads = r->threads};
    pthread_t threads[TASKS];
    int n = 0;
    if (share.n_threads < 1) share.n_threads = (int)sysconf(_SC_NPROCESSORS_ONLN);
    pthread_mutex_init(&share.lock, NULL);
    while (n + 1 < share.n_threads && n + 1 < TASKS && pthread_create(&threads[n], NULL, work, &share) == 0)
        n++;
    work(&share);
    for (int i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
    pthread_mutex_destroy(&share.lock);
    for (int s = 0; s < STAGES; s++) {
        double from_s = INFINITY, to_s = -INFINITY, cpu_s = 0;
        for (int i = 0; i < TASKS; i++) {
            struct task *t = &tasks[i];
            if (!t->is_wanted || strcmp(t->stage, stages[s]) != 0) continue;
            note(job, t->status, &t->error);
            from_s = fmin(from_s, t->from_s);
            to_s = fmax(to_s, t->to_s);
            cpu_s += t->cpu_s;
        }
        if (to_s >= from_s) keep_stage(job, stages[s], to_s - from_s, cpu_s);
    }
}

void intra_outputs_write(const struct intra_scene *scene, const struct intra_reconstruct_report *report,
                         const struct intra_workdir *dir, const struct intra_outputs_request *request,
                         const struct intra_provenance *provenance, struct intra_console *console,
                         struct intra_outputs_result *result)
{
    struct job job = {.scene = scene,
                      .report = report,
                      .dir = dir,
                      .request = request,
                      .provenance = provenance,
                      .console = console,
                      .progress = intra_console_progress(console),
                      .result = result};
    if (request->record) {
        job.inspections = request->record->inspections;
        job.n_inspections = request->record->n_inspections;
    }
    memset(result, 0, sizeof *result);
    begin_stage(&job, "tables");
    write_file(&job, "trajectory.tum", write_trajectory);
    write_file(&job, "frames.csv", write_frames);
    write_file(&job, "profile.csv", write_profile);
    write_file(&job, "observations.csv", write_observations);
    write_file(&job, "observations.gpkg", write_gis);
    end_stage(&job, "tables");
    write_wall(&job);
    if (request->has_report && intra_report_is_built_in()) {
        begin_stage(&job, "report.html");
        write_file(&job, "report.html", write_report);
        end_stage(&job, "report.html");
    } else if (request->has_report) {
        intra_log(INTRA_LOG_WARNING, "report.html", "left out: this program was built without the report page");
    }
    begin_stage(&job, "store");
    write_file(&job, "project.sqlite", write_store);
    end_stage(&job, "store");
}
