/* An outline on the wall, in pieces that lie on the unrolled picture: it begins and ends at the cut, what crosses the
 * cut has a part at either edge. */
#ifndef INTRA_EXPORT_WALL_CUT_H
#define INTRA_EXPORT_WALL_CUT_H

#include "core/status.h"

#include <stdbool.h>

struct intra_wall_pieces {
    double (*points)[2]; /* station_m; turns clockwise from the cut, 0 to 1; piece after piece */
    int *n_points;       /* of each piece; an area is closed implicitly */
    int n;
};

/* Cut an open line (n >= 2) or an area (n >= 3, closed implicitly) of station and unwrapped clock angle wherever it
 * crosses cut_rad. No piece where it is not finite or reaches over more than four turns. An area that crosses
 * itself on the cut, so that no inside can be told there, stays in one piece and reaches beyond 0 or 1. `out` is filled
 * anew; release with intra_wall_pieces_fini. Errors: INTRA_E_MEM. */
enum intra_status intra_wall_cut(const double (*outline)[2], int n, bool is_line, double cut_rad,
                                 struct intra_wall_pieces *out, struct intra_error *err);
void intra_wall_pieces_fini(struct intra_wall_pieces *pieces);

#endif
