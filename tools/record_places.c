#include "tools/record_places.h"

#include "core/log.h"
#include "export/record.h"
#include "recon/measure.h"
#include "tools/wall_load.h"

enum intra_status intra_record_put(const char *record_path, const char *project, const char *scratch_dir,
                                   const struct intra_locate_options *options, struct intra_scene *scene,
                                   struct intra_record *record, struct intra_inspection **out_inspection,
                                   struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_inspection *inspection;
    INTRA_TRY(intra_record_read(record_path, INTRA_RECORD_NONE, record, err));
    if (record->n_inspections > 1)
        intra_log(INTRA_LOG_WARNING, "record", "%s holds %lld inspections; the first is taken", record_path,
                  (long long)record->n_inspections);
    inspection = &record->inspections[0];
    for (int layer = INTRA_TIFF_COLOUR; layer <= INTRA_TIFF_COVERAGE; layer++)
        INTRA_TRY(intra_wall_load(scene, project, (enum intra_tiff_layer)layer, 0, scene->wall.cols, false, scratch_dir,
                                  err));
    INTRA_TRY(intra_locate_inspection(scene, options, inspection, err));
    INTRA_TRY(intra_locate_refine(scene, inspection, err));
    INTRA_TRY(intra_measure_depths(scene, inspection, err));
    *out_inspection = inspection;
done:
    return status;
}
