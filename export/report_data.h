/* What the report page shows, as JSON. Names and units: docs/report.md. */
#ifndef INTRA_EXPORT_REPORT_DATA_H
#define INTRA_EXPORT_REPORT_DATA_H

#include "export/report.h"

/* The picture pyramid of the wall in the page: level 0 is the finest, each next one half of it. */
struct intra_report_pyramid {
    double station_from_m, station_to_m;
    double texel_m, row_m; /* of level 0, along and around */
    int tile_px, n_levels; /* tiles are tile_px square, cut at the right and bottom edge */
    int cols, rows;        /* of level 0; rows is a multiple of 2^(n_levels-1) */
};
static inline int intra_report_level_cols(const struct intra_report_pyramid *p, int level)
{
    return ((p->cols - 1) >> level) + 1;
}

/* Values on a grid over the wall: columns along the stretch, rows around from the cut. */
struct intra_report_grid {
    int cols, rows;
    double step_m, unit_m;
};

/* Everything but the blobs as one JSON text, compact, with every '<' escaped so that no text in it can end the script
 * element that holds it. *out is intra_alloc memory. Texts that are no UTF-8 get '?' for the bytes that are none. */
enum intra_status intra_report_json(const struct intra_scene *scene, const struct intra_report_options *options,
                                    const struct intra_report_pyramid *pyramid, const struct intra_report_grid *relief,
                                    const struct intra_report_grid *coverage, char **out, struct intra_error *err);

#endif
