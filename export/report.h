/* report.html: one self-contained page to see the pipe and to measure in it. Format of the data in it: docs/report.md.
 */
#ifndef INTRA_EXPORT_REPORT_H
#define INTRA_EXPORT_REPORT_H

#include "core/inspection.h"
#include "core/progress.h"
#include "core/scene.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where the scene came from; what is not known is NULL. */
struct intra_report_source {
    const char *video;      /* path as it was given */
    const char *video_link; /* its address relative to the page, percent-encoded; NULL: it does not lie beside */
    const char *sha256, *started_utc, *options_json, *program_version;
    bool is_incomplete;
    const char *const *warnings;
    int n_warnings;
};

struct intra_report_options {
    double station_from_m, station_to_m; /* stretch; from >= to: everything */
    double texel_m;                      /* finest picture of the wall; 0: from max_bytes, never finer than the wall */
    size_t max_bytes;                    /* of the whole page; default 25e6 */
    int jpeg_quality;                    /* default 82 */
    const struct intra_report_source *source;   /* borrowed; may be NULL */
    const struct intra_inspection *inspections; /* borrowed; placed observations of records, may be NULL */
    int64_t n_inspections;
    const char *kept; /* a page of the same scene and stretch written before, maybe the one that is replaced: its
                       * pictures are taken where they fit, and the wall is not read. NULL: none. Borrowed */
};
struct intra_report_options intra_report_defaults(void);

/* Whether the page was there when the program was built (needs Node and npm's packages then, nothing later). */
bool intra_report_is_built_in(void);

/* Write the page; a page that comes out too large is written again with a coarser picture of the wall. The scene's
 * colour is needed, relief and coverage may be NULL. Errors: INTRA_E_UNSUPPORTED (built without the page), INTRA_E_ARG
 * (does not fit max_bytes), INTRA_E_NO_RESULT (nothing in the stretch), INTRA_E_IO, INTRA_E_MEM. */
enum intra_status intra_export_report(const struct intra_scene *scene, const struct intra_report_options *options,
                                      const char *path, const struct intra_progress *progress, struct intra_error *err);

#endif
