#include "tools/record_places.h"

#include "core/fileio.h"
#include "export/record.h"
#include "recon/measure.h"
#include "tools/wall_load.h"

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
        fprintf(to, "  %-12s pipe %s, %s, %lld observations\n", p->id ? p->id : "",
                p->pipe ? p->pipe : "without a name", p->date ? p->date : "no date", (long long)p->n_observations);
    }
}

static bool is_named(const struct intra_inspection *p, const char *name)
{
    return (p->id && strcasecmp(p->id, name) == 0) || (p->pipe && strcasecmp(p->pipe, name) == 0);
}

enum intra_status intra_record_choose(const struct intra_record *record, const char *path, const char *id,
                                      FILE *list_to, int64_t *out, struct intra_error *err)
{
    int64_t n = 0;
    *out = 0;
    if (record->n_inspections == 1 && !id) return INTRA_OK;
    for (int64_t i = 0; id && i < record->n_inspections; i++)
        if (is_named(&record->inspections[i], id) && n++ == 0) *out = i;
    if (n == 1) return INTRA_OK;
    if (list_to) intra_record_list(record, MOST_LISTED, list_to);
    if (!id)
        return INTRA_FAIL(err, INTRA_E_ARG, "%s: holds %lld inspections; choose one with --inspection ID", path,
                          (long long)record->n_inspections);
    return INTRA_FAIL(err, INTRA_E_ARG, "%s: %s inspection is called '%s'; choose one by its id", path,
                      n ? "more than one" : "no", id);
}

enum intra_status intra_record_place(const char *project, const char *scratch_dir,
                                     const struct intra_locate_options *options, struct intra_scene *scene,
                                     struct intra_inspection *inspection, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    char wall[1100];
    INTRA_TRY(intra_locate_inspection(scene, options, inspection, err));
    INTRA_TRY(intra_path_join(wall, sizeof wall, project, "unrolled.tif", err));
    if (!intra_path_exists(wall)) return INTRA_OK;
    for (int layer = INTRA_TIFF_COLOUR; layer <= INTRA_TIFF_COVERAGE; layer++)
        INTRA_TRY(intra_wall_load(scene, project, (enum intra_tiff_layer)layer, 0, scene->wall.cols, false, scratch_dir,
                                  err));
    INTRA_TRY(intra_locate_refine(scene, inspection, err));
    INTRA_TRY(intra_measure_depths(scene, inspection, err));
done:
    return status;
}

enum intra_status intra_record_put(const char *record_path, const char *id, const char *project,
                                   const char *scratch_dir, const struct intra_locate_options *options,
                                   struct intra_scene *scene, struct intra_record *record,
                                   struct intra_inspection **out_inspection, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    int64_t chosen;
    INTRA_TRY(intra_record_read(record_path, INTRA_RECORD_NONE, record, err));
    INTRA_TRY(intra_record_choose(record, record_path, id, stderr, &chosen, err));
    INTRA_TRY(intra_record_place(project, scratch_dir, options, scene, &record->inspections[chosen], err));
    *out_inspection = &record->inspections[chosen];
done:
    return status;
}
