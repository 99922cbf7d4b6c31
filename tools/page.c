#include "tools/page.h"

#include "core/fileio.h"
#include "core/mem.h"
#include "core/store_records.h"
#include "core/video.h"
#include "export/export.h"
#include "export/gis.h"
#include "tools/record_places.h"

#include <limits.h>
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

/* Size and hash of a file of the project; is_there false where it has none of that name. */
static enum intra_status look_at(const char *project, struct intra_store_file *file, bool *is_there,
                                 struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    char path[1100];
    struct stat st;
    INTRA_TRY(intra_path_join(path, sizeof path, project, file->name, err));
    *is_there = stat(path, &st) == 0 && S_ISREG(st.st_mode);
    if (!*is_there) goto done;
    file->bytes = st.st_size;
    INTRA_TRY(intra_file_sha256(path, file->sha256, err));
done:
    return status;
}

enum intra_status intra_page_refresh(const char *project, const struct intra_scene *scene,
                                     const struct intra_progress *progress, struct intra_error *err)
{
    static const char *const names[] = {"observations.csv", "observations.gpkg", "report.html"};
    enum { FILES = sizeof names / sizeof names[0] };
    enum intra_status status = INTRA_OK;
    struct intra_record_request all = intra_record_request_defaults();
    struct intra_report_options page = intra_report_defaults();
    struct intra_record record;
    struct intra_store *store = NULL;
    struct intra_store_file files[FILES];
    char path[1100], paths[FILES][1100];
    int n = 0;
    intra_record_init(&record);
    for (int i = 0; i < FILES; i++)
        INTRA_TRY(intra_path_join(paths[i], sizeof paths[i], project, names[i], err));
    INTRA_TRY(intra_path_join(path, sizeof path, project, "project.sqlite", err));
    INTRA_TRY(intra_store_open(path, &store, err));
    INTRA_TRY(intra_record_imported(&all, store, NULL, &record, err));
    INTRA_TRY(intra_export_observations(scene, record.inspections, record.n_inspections, paths[0], err));
    INTRA_TRY(intra_export_gis(scene, record.inspections, record.n_inspections, INTRA_GIS_GPKG, paths[1], err));
    if (intra_path_exists(paths[2]) && intra_report_is_built_in() && scene->wall.colour)
        INTRA_TRY(intra_page_write(scene, &record, store, &page, paths[2], progress, err));
    intra_store_close(&store);
    for (int i = 0; i < FILES; i++) {
        bool is_there;
        files[n].name = names[i];
        INTRA_TRY(look_at(project, &files[n], &is_there, err));
        n += is_there;
    }
    INTRA_TRY(intra_store_update_files(path, files, n, err));
done:
    intra_store_close(&store);
    intra_record_fini(&record);
    return status;
}
