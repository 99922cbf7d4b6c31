/* Paints the wall's colours, column by column: the material, dirt, things on the wall, then lines (cracks, roots). */
#ifndef INTRA_SIM_PAINT_H
#define INTRA_SIM_PAINT_H

#include "tools/sim/sim_texture.h"

struct sim_painter;

/* Borrows everything. */
enum intra_status intra_sim_painter_make(const struct intra_sim_scene *scene, const struct intra_sim_wall *wall,
                                         struct intra_sim_texture *texture, struct sim_painter **out,
                                         struct intra_error *err);
void intra_sim_painter_destroy(struct sim_painter **painter);
/* Column of level 0. Safe from several threads on different columns; same bytes in any order. */
void intra_sim_paint_column(const struct sim_painter *painter, int col);
/* Cracks and roots over the finished columns. */
enum intra_status intra_sim_paint_lines(const struct sim_painter *painter, struct intra_error *err);

#endif
