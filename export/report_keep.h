/* The pictures of a page that was written before, for a page with other observations. For export/report.c. */
#ifndef INTRA_EXPORT_REPORT_KEEP_H
#define INTRA_EXPORT_REPORT_KEEP_H

#include "export/report_data.h"

/* The blobs of a page, verbatim; `text` owns them. */
struct intra_report_kept {
    char *text;
    const char *grids, *tiles; /* relief and coverage; the pyramid */
    size_t n_grids, n_tiles;
    double station_from_m, texel_m; /* of level 0 */
    int cols, rows, n_levels, tiles_found;
};

/* Take a page apart. False (and nothing to free) where the file is not there, or is no page as this program writes it.
 */
bool intra_report_keep(const char *path, struct intra_report_kept *out);
/* Whether the pictures are those of `shape`: the same stretch in the same tiles. */
bool intra_report_kept_fits(const struct intra_report_kept *kept, const struct intra_report_pyramid *shape);
void intra_report_kept_fini(struct intra_report_kept *kept);

#endif
