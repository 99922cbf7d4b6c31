/* The files of a finished project that show its observations, made again from scene, records and store. */
#ifndef INTRA_TOOLS_PAGE_H
#define INTRA_TOOLS_PAGE_H

#include "core/inspection.h"
#include "core/progress.h"
#include "core/scene.h"
#include "core/store.h"
#include "export/report.h"

/* Address of the video `input` as a page in the folder `dir` links it, percent-encoded: where it lies in that folder or
 * in the one above. dir need not be there yet. False (and out empty): it lies elsewhere, is a folder, or is not there.
 */
bool intra_page_video_link(const char *dir, const char *input, char *out, size_t n);

/* The report page: its provenance comes from the store, its observations from `record`. The scene's wall is loaded.
 * page->source and page->inspections are set here. Errors: those of intra_export_report and of the store. */
enum intra_status intra_page_write(const struct intra_scene *scene, const struct intra_record *record,
                                   struct intra_store *store, struct intra_report_options *page, const char *path,
                                   const struct intra_progress *progress, struct intra_error *err);

/* observations.csv and observations.gpkg of `project`, and of model.glb, model.obj and report.html those it has, each
 * written beside and renamed, with everything that was imported; then their sizes and hashes in the store. Without the
 * wall's colour in `scene` models and page stay as they are. Errors: INTRA_E_IO, INTRA_E_MEM ...; what was written
 * before stays. The page comes with the options that intra_page_keep_options kept. */
enum intra_status intra_page_refresh(const char *project, const struct intra_scene *scene,
                                     const struct intra_progress *progress, struct intra_error *err);

/* Whether `path` is the page that stands in the folder `project`, OUT/report.html. */
bool intra_page_is_of(const char *project, const char *path);
/* Stretch, cell and size of the page just written in `project`, for the next intra_page_refresh, with its size and hash
 * into the store. A store of an earlier version, which takes no records either, stays as it is. Errors: INTRA_E_IO,
 * INTRA_E_MEM. */
enum intra_status intra_page_keep_options(const char *project, const struct intra_report_options *page,
                                          struct intra_error *err);

#endif
