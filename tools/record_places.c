#include "tools/record_places.h"

#include "core/fileio.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/store_records.h"
#include "export/grades.h"
#include "export/record.h"
#include "recon/header_text.h"
#include "recon/measure.h"
#include "recon/merge_detections.h"
#include "tools/record_match.h"
#include "tools/wall_load.h"

#include <math.h>
#include <stdlib.h>
#include <strings.h>

enum { MOST_LISTED = 20 };

void intra_record_list(const struct intra_record *record, int64_t most, FILE *to)
{
    for (int64_t i = 0; i < record->n_inspections; i++) {
        const struct intra_inspection *p = &record->inspections[i];
        if (i == most) {
            fprintf(to, "  ... and %lld more\n", (long long)(record->n_inspections - i));
            return;
        }
        if (p->number > 0 || !p->id) fprintf(to, "  @%-3lld", (long long)(p->number > 0 ? p->number : i + 1));
        fprintf(to, "  %-12s pipe %s, %s, %lld observations\n", p->id ? p->id : "",
                p->pipe ? p->pipe : "without a name", p->date ? p->date : "no date", (long long)p->n_observations);
    }
}

/* at: its place in the file, from 1. */
static bool is_named(const struct intra_inspection *p, int64_t at, const char *name)
{
    char *end;
    if (name[0] == '@' && strtoll(name + 1, &end, 10) == (p->number > 0 ? p->number : at) && !*end) return true;
    return (p->id && strcasecmp(p->id, name) == 0) || (p->pipe && strcasecmp(p->pipe, name) == 0);
}

/* The others go. */
static enum intra_status keep_only(struct intra_record *record, int64_t chosen, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    bool *is_gone = NULL;
    INTRA_TRY(INTRA_ALLOC(is_gone, (size_t)record->n_inspections, err));
    for (int64_t i = 0; i < record->n_inspections; i++)
        is_gone[i] = i != chosen;
    intra_record_remove_inspections(record, is_gone);
done:
    intra_free(is_gone);
    return status;
}

/* `path` holds them. */
static enum intra_status choose(struct intra_record *record, const char *path, const char *id, FILE *list_to,
                                struct intra_error *err)
{
    int64_t n = 0, chosen = 0;
    for (int64_t i = 0; id && i < record->n_inspections; i++)
        if (is_named(&record->inspections[i], i + 1, id) && n++ == 0) chosen = i;
    if (n == 1) return keep_only(record, chosen, err);
    if (list_to) intra_record_list(record, MOST_LISTED, list_to);
    if (!id)
        return INTRA_FAIL(err, INTRA_E_ARG, "%s: holds %lld inspections; choose one with --inspection ID", path,
                          (long long)record->n_inspections);
    return INTRA_FAIL(err, INTRA_E_ARG,
                      "%s: %s inspection is called '%s'; choose one by its id, or by @1, @2 ... (--inspection list)",
                      path, n ? "more than one" : "no", id);
}

enum intra_status intra_record_project_video(struct intra_store *store, const struct intra_scene *scene,
                                             char **out_path, struct intra_record_video *out, struct intra_error *err)
{
    enum intra_status status = intra_store_read_meta(store, "input_path", out_path, err);
    *out = (struct intra_record_video){
        status == INTRA_OK ? *out_path : NULL,
        scene->is_diameter_assumed || !(scene->nominal_diameter_m > 0) ? NAN : scene->nominal_diameter_m};
    return status;
}

/* The inspection that the burnt-in text names; -1: none, or not surely. A video that is not there, or cannot be read,
 * is only said: the question stays with the user. */
static enum intra_status match_video(const struct intra_record *record, const struct intra_record_video *video,
                                     FILE *say_to, int64_t *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_video_options options = intra_video_defaults();
    struct intra_header_text *text = NULL;
    const char *looks[INTRA_HEADER_LOOKS];
    char why[256];
    *out = -1;
    if (!video || !video->path || !intra_path_exists(video->path)) return INTRA_OK;
    INTRA_TRY(INTRA_ALLOC(text, 1, err));
    status = intra_header_text_read(video->path, &options, text, err);
    if (status != INTRA_OK && status != INTRA_E_MEM) {
        intra_log(INTRA_LOG_WARNING, "records", "the text in the video is not read: %s", err ? err->text : "");
        status = INTRA_OK;
        goto done;
    }
    for (int i = 0; i < text->n_looks; i++)
        looks[i] = text->looks[i];
    *out = intra_record_match(looks, text->n_looks, video->diameter_m, record, why, sizeof why);
    if (*out >= 0 && say_to)
        fprintf(say_to,
                "intrados: of %lld inspections the text in the video names %s (%s); --inspection ID takes another\n",
                (long long)record->n_inspections,
                record->inspections[*out].id ? record->inspections[*out].id : "one without an id", why);
done:
    intra_free(text);
    return status;
}

enum intra_status intra_record_load(const struct intra_record_request *request, enum intra_record_format format,
                                    const struct intra_record_video *video, FILE *list_to, struct intra_record *record,
                                    struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    INTRA_TRY(intra_record_read(request->path, format, record, err));
    for (int64_t i = 0; i < record->n_inspections; i++)
        record->inspections[i].format = record->format;
    if (intra_record_is_list(request) || (record->n_inspections == 1 && !request->inspection)) goto done;
    if (!request->inspection) {
        int64_t matched;
        INTRA_TRY(match_video(record, video, list_to, &matched, err));
        if (matched >= 0) {
            status = keep_only(record, matched, err);
            goto done;
        }
    }
    INTRA_TRY(choose(record, request->path, request->inspection, list_to, err));
done:
    return status;
}

enum intra_status intra_record_imported(const struct intra_record_request *request, struct intra_store *store,
                                        FILE *list_to, struct intra_record *record, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    int64_t unread;
    INTRA_TRY(intra_store_read_records(store, record, &unread, err));
    if (unread > 0)
        intra_log(INTRA_LOG_WARNING, "records",
                  "%lld observations, imported by an earlier version of the program, are not shown; reconstruct again "
                  "and import the record again, or give it with --record",
                  (long long)unread);
    if (request->inspection && !intra_record_is_list(request))
        INTRA_TRY(choose(record, "the project", request->inspection, list_to, err));
done:
    return status;
}

enum intra_status intra_record_load_wall(const char *project, const char *scratch_dir, struct intra_scene *scene,
                                         struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    char wall[1100];
    INTRA_TRY(intra_path_join(wall, sizeof wall, project, "unrolled.tif", err));
    if (!intra_path_exists(wall)) return INTRA_OK;
    for (int layer = INTRA_TIFF_COLOUR; layer <= INTRA_TIFF_COVERAGE; layer++)
        INTRA_TRY(intra_wall_load(scene, project, (enum intra_tiff_layer)layer, 0, scene->wall.cols, false, scratch_dir,
                                  err));
done:
    return status;
}

enum intra_status intra_record_place(const struct intra_scene *scene, const struct intra_locate_options *options,
                                     struct intra_record *record, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    for (int64_t i = 0; i < record->n_inspections; i++) {
        struct intra_inspection *p = &record->inspections[i];
        INTRA_TRY(intra_grades_apply(p, NULL, err));
        INTRA_TRY(intra_locate_inspection(scene, options, p, err));
        INTRA_TRY(intra_merge_detections(scene, p, NULL, err));
        if (!scene->wall.colour) continue;
        INTRA_TRY(intra_locate_refine(scene, p, err));
        INTRA_TRY(intra_measure_depths(scene, p, err));
    }
done:
    return status;
}

enum intra_status intra_record_show(const struct intra_record_request *request, const char *project,
                                    const char *scratch_dir, struct intra_store *store, struct intra_scene *scene,
                                    struct intra_record *record, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_record_video video;
    char *video_path = NULL;
    if (!request->path) return intra_record_imported(request, store, stderr, record, err);
    INTRA_TRY(intra_record_project_video(store, scene, &video_path, &video, err));
    INTRA_TRY(intra_record_load(request, INTRA_RECORD_NONE, &video, stderr, record, err));
    if (intra_record_is_list(request)) goto done;
    INTRA_TRY(intra_record_load_wall(project, scratch_dir, scene, err));
    INTRA_TRY(intra_record_place(scene, &request->locate, record, err));
done:
    intra_free(video_path);
    return status;
}
