#include "tools/page.h"

#include "core/fileio.h"
#include "core/mem.h"
#include "core/store_records.h"
#include "core/video.h"
#include "export/export.h"
#include "export/gis.h"
#include "tools/record_places.h"

#include <dirent.h>
#include <jansson.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Absolute path of the folder that holds `path`, which itself need not be there. */
static bool folder_of(const char *path, char out[PATH_MAX])
{
    char copy[PATH_MAX];
    size_t n = strlen(path);
    const char *slash;
    if (n + 1 > sizeof copy) return false;
    memcpy(copy, path, n + 1);
    while (n > 1 && copy[n - 1] == '/')
        copy[--n] = 0;
    slash = strrchr(copy, '/');
    if (!slash) return realpath(".", out) != NULL;
    copy[slash == copy ? 1 : slash - copy] = 0;
    return realpath(copy, out) != NULL;
}

bool intra_page_video_link(const char *dir, const char *input, char *out, size_t n)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    char video[PATH_MAX], home[PATH_MAX], above[PATH_MAX];
    struct stat st;
    const char *name = input ? strrchr(input, '/') : NULL;
    size_t used;
    bool is_inside, is_beside;
    *out = 0;
    if (!input || stat(input, &st) != 0 || !S_ISREG(st.st_mode) || !folder_of(input, video)) return false;
    name = name ? name + 1 : input;
    is_inside = realpath(dir, home) && strcmp(home, video) == 0;
    is_beside = !is_inside && folder_of(dir, above) && strcmp(above, video) == 0;
    if (!is_inside && !is_beside) return false;
    used = (size_t)snprintf(out, n, is_inside ? "./" : "../");
    for (; *name && used + 4 < n; name++)
        used += (size_t)snprintf(out + used, n - used, strchr(plain, *name) ? "%c" : "%%%02X", (unsigned char)*name);
    if (*name) *out = 0;
    return *name == 0;
}

enum intra_status intra_page_write(const struct intra_scene *scene, const struct intra_record *record,
                                   struct intra_store *store, struct intra_report_options *page, const char *path,
                                   const struct intra_progress *progress, struct intra_error *err)
{
    static const char *const keys[] = {"input_path",   "input_sha256", "started_utc",
                                       "options_json", "is_complete",  "program_version"};
    enum { KEYS = sizeof keys / sizeof keys[0] };
    enum intra_status status = INTRA_OK;
    struct intra_report_source source = {0};
    char *texts[KEYS] = {NULL}, **warnings = NULL, dir[PATH_MAX], link[1024];
    int n_warnings = 0;
    for (int k = 0; k < KEYS; k++)
        INTRA_TRY(intra_store_read_meta(store, keys[k], &texts[k], err));
    INTRA_TRY(intra_store_read_warnings(store, &warnings, &n_warnings, err));
    source.video = texts[0];
    if (folder_of(path, dir) && intra_page_video_link(dir, texts[0], link, sizeof link)) source.video_link = link;
    source.sha256 = texts[1];
    source.started_utc = texts[2];
    source.options_json = texts[3];
    source.is_incomplete = texts[4] && strcmp(texts[4], "0") == 0;
    source.program_version = texts[5];
    source.warnings = (const char *const *)warnings;
    source.n_warnings = n_warnings;
    page->source = &source;
    page->inspections = record->inspections;
    page->n_inspections = record->n_inspections;
    status = intra_export_report(scene, page, path, progress, err);
    page->source = NULL;
done:
    for (int k = 0; k < KEYS; k++)
        intra_free(texts[k]);
    intra_store_free_texts(&warnings, n_warnings);
    return status;
}

/* Key in the store's meta table. */
#define PAGE_OPTIONS "page_options_json"

struct refresh {
    const char *project;
    const struct intra_scene *scene;
    const struct intra_record *record;
    struct intra_store *store;
    const struct intra_progress *progress;
    struct intra_mesh_options mesh;
};

/* The size budget of the models, as the project was made with. */
static enum intra_status model_budget(struct intra_store *store, size_t *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    char *text = NULL;
    json_t *options, *size;
    INTRA_TRY(intra_store_read_meta(store, "options_json", &text, err));
    options = text ? json_loads(text, 0, NULL) : NULL;
    size = json_object_get(options, "max_size_bytes");
    if (json_is_integer(size) && json_integer_value(size) > 0) *out = (size_t)json_integer_value(size);
    json_decref(options);
done:
    intra_free(text);
    return status;
}

/* is_kept: what stands there was written by this project: the wall in it is taken again. */
static enum intra_status write_glb(const struct refresh *r, const char *path, bool is_kept, struct intra_error *err)
{
    struct intra_mesh_options mesh = r->mesh;
    mesh.kept = is_kept ? path : NULL;
    return intra_export_glb(r->scene, &mesh, path, err);
}
static enum intra_status write_obj(const struct refresh *r, const char *path, bool is_kept, struct intra_error *err)
{
    struct intra_mesh_options mesh = r->mesh;
    mesh.kept = is_kept ? path : NULL;
    return intra_export_obj(r->scene, &mesh, path, err);
}

/* The stretch, cell and size that the page was last made with; the defaults where nobody chose. */
static enum intra_status kept_page_options(struct intra_store *store, struct intra_report_options *out,
                                           struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    char *text = NULL;
    json_t *kept;
    *out = intra_report_defaults();
    INTRA_TRY(intra_store_read_meta(store, PAGE_OPTIONS, &text, err));
    kept = text ? json_loads(text, 0, NULL) : NULL;
    if (kept) {
        json_int_t bytes = json_integer_value(json_object_get(kept, "max_size_bytes"));
        double texel_m = json_number_value(json_object_get(kept, "texel_m"));
        if (bytes > 0) out->max_bytes = (size_t)bytes;
        if (texel_m > 0) out->texel_m = texel_m;
        out->station_from_m = json_number_value(json_object_get(kept, "station_from_m"));
        out->station_to_m = json_number_value(json_object_get(kept, "station_to_m"));
    }
    json_decref(kept);
done:
    intra_free(text);
    return status;
}

static enum intra_status write_page(const struct refresh *r, const char *path, bool is_kept, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_report_options page;
    if (!intra_report_is_built_in()) return INTRA_OK;
    INTRA_TRY(kept_page_options(r->store, &page, err));
    page.kept = is_kept ? path : NULL;
    status = intra_page_write(r->scene, r->record, r->store, &page, path, r->progress, err);
done:
    return status;
}

/* A file of the wall that is made again where it stands, in a thread of its own: they take turns at a raster. */
struct task {
    const struct refresh *refresh;
    const char *name;
    enum intra_status (*write)(const struct refresh *r, const char *path, bool is_kept, struct intra_error *err);
    bool is_kept;
    enum intra_status status;
    struct intra_error error;
    pthread_t thread;
    bool is_started;
};

static void *work(void *user)
{
    struct task *task = user;
    char path[1100];
    task->status = intra_path_join(path, sizeof path, task->refresh->project, task->name, &task->error);
    if (task->status == INTRA_OK && intra_path_exists(path))
        task->status = task->write(task->refresh, path, task->is_kept, &task->error);
    return NULL;
}

/* Whether the file is as the project last wrote it, by its size. */
static enum intra_status is_own_file(const struct refresh *r, const char *name, bool *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    char path[1100];
    struct stat st;
    int64_t bytes;
    INTRA_TRY(intra_store_read_file(r->store, name, &bytes, err));
    INTRA_TRY(intra_path_join(path, sizeof path, r->project, name, err));
    *out = bytes > 0 && stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == bytes;
done:
    return status;
}

/* What the project has of the files that show observations, made again. */
static enum intra_status write_again(const struct refresh *r, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_record *record = r->record;
    struct task tasks[] = {{.refresh = r, .name = "model.glb", .write = write_glb},
                           {.refresh = r, .name = "model.obj", .write = write_obj},
                           {.refresh = r, .name = "report.html", .write = write_page}};
    enum { TASKS = sizeof tasks / sizeof tasks[0] };
    char path[1100];
    INTRA_TRY(intra_path_join(path, sizeof path, r->project, "observations.csv", err));
    INTRA_TRY(intra_export_observations(r->scene, record->inspections, record->n_inspections, path, err));
    INTRA_TRY(intra_path_join(path, sizeof path, r->project, "observations.gpkg", err));
    INTRA_TRY(intra_export_gis(r->scene, record->inspections, record->n_inspections, INTRA_GIS_GPKG, path, err));
    if (!r->scene->wall.colour) goto done;
    for (int i = 0; i < TASKS; i++)
        INTRA_TRY(is_own_file(r, tasks[i].name, &tasks[i].is_kept, err));
    for (int i = 0; i + 1 < TASKS; i++)
        tasks[i].is_started = pthread_create(&tasks[i].thread, NULL, work, &tasks[i]) == 0;
    for (int i = TASKS - 1; i >= 0; i--)
        if (!tasks[i].is_started) work(&tasks[i]);
    for (int i = 0; i < TASKS; i++)
        if (tasks[i].is_started) pthread_join(tasks[i].thread, NULL);
    for (int i = 0; i < TASKS && status == INTRA_OK; i++) {
        status = tasks[i].status;
        if (status != INTRA_OK && err) *err = tasks[i].error;
    }
done:
    return status;
}

static bool is_shown_in(const char *name)
{
    static const char *const names[] = {"observations.csv", "observations.gpkg", "report.html",
                                        "model.glb",        "model.obj",         "model.mtl"};
    int number, end = 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i], name) == 0) return true;
    return sscanf(name, "model_%d.jpg%n", &number, &end) == 1 && end && !name[end];
}

/* Sizes and hashes of those files into the store. */
static enum intra_status note_files(const char *project, const char *store_path, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_store_file *files = NULL;
    struct dirent **entries = NULL;
    int n = scandir(project, &entries, NULL, alphasort), n_files = 0;
    if (n < 0) return INTRA_FAIL(err, INTRA_E_IO, "%s: cannot list the folder", project);
    INTRA_TRY(INTRA_ALLOC(files, (size_t)n + 1, err));
    for (int i = 0; i < n; i++) {
        struct intra_store_file *file = &files[n_files];
        char path[1100];
        struct stat st;
        if (!is_shown_in(entries[i]->d_name)) continue;
        INTRA_TRY(intra_path_join(path, sizeof path, project, entries[i]->d_name, err));
        if (stat(path, &st) != 0 || !S_ISREG(st.st_mode)) continue;
        file->name = entries[i]->d_name;
        file->bytes = st.st_size;
        INTRA_TRY(intra_file_sha256(path, file->sha256, err));
        n_files++;
    }
    INTRA_TRY(intra_store_update_files(store_path, files, n_files, err));
done:
    for (int i = 0; i < n; i++)
        free(entries[i]); /* of scandir, so not core/mem's */
    free(entries);
    intra_free(files);
    return status;
}

enum intra_status intra_page_refresh(const char *project, const struct intra_scene *scene,
                                     const struct intra_progress *progress, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_record_request all = intra_record_request_defaults();
    struct intra_record record;
    struct intra_store *store = NULL;
    struct refresh refresh;
    char path[1100];
    intra_record_init(&record);
    INTRA_TRY(intra_path_join(path, sizeof path, project, "project.sqlite", err));
    INTRA_TRY(intra_store_open(path, &store, err));
    INTRA_TRY(intra_record_imported(&all, store, NULL, &record, err));
    refresh = (struct refresh){project, scene, &record, store, progress, intra_mesh_defaults()};
    refresh.mesh.inspections = record.inspections;
    refresh.mesh.n_inspections = record.n_inspections;
    INTRA_TRY(model_budget(store, &refresh.mesh.max_bytes, err));
    INTRA_TRY(write_again(&refresh, err));
    intra_store_close(&store);
    INTRA_TRY(note_files(project, path, err));
done:
    intra_store_close(&store);
    intra_record_fini(&record);
    return status;
}

bool intra_page_is_of(const char *project, const char *path)
{
    const char *slash = strrchr(path, '/');
    char home[PATH_MAX], dir[PATH_MAX];
    return strcmp(slash ? slash + 1 : path, "report.html") == 0 && realpath(project, home) && folder_of(path, dir) &&
           strcmp(home, dir) == 0;
}

static char *page_options_text(const struct intra_report_options *page)
{
    json_t *kept = json_object();
    char *text;
    json_object_set_new(kept, "max_size_bytes", json_integer((json_int_t)page->max_bytes));
    json_object_set_new(kept, "texel_m", page->texel_m > 0 ? json_real(page->texel_m) : json_null());
    if (page->station_from_m < page->station_to_m) {
        json_object_set_new(kept, "station_from_m", json_real(page->station_from_m));
        json_object_set_new(kept, "station_to_m", json_real(page->station_to_m));
    }
    text = json_dumps(kept, 0);
    json_decref(kept);
    return text;
}

enum intra_status intra_page_keep_options(const char *project, const struct intra_report_options *page,
                                          struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    char *text = NULL, path[1100];
    INTRA_TRY(intra_path_join(path, sizeof path, project, "project.sqlite", err));
    text = page_options_text(page);
    if (!text) return INTRA_FAIL(err, INTRA_E_MEM, "%s: out of memory for the page's options", path);
    INTRA_TRY(intra_store_update_meta(path, PAGE_OPTIONS, text, err));
    INTRA_TRY(note_files(project, path, err));
done:
    free(text); /* of jansson, so not core/mem's */
    if (status != INTRA_E_UNSUPPORTED) return status;
    if (err) *err = (struct intra_error){0};
    return INTRA_OK;
}
