/* Text burnt into the picture: layouts as camera controllers print them, with the distance counter among them. */
#ifndef INTRA_SIM_OVERLAY_H
#define INTRA_SIM_OVERLAY_H

#include "core/image.h"
#include "tools/sim/sim_font.h"
#include "tools/sim/sim_scene.h"

struct intra_sim_overlay {
    const struct intra_sim_scene *scene;
    struct intra_sim_fonts *fonts;
    struct sim_text texts[24];
    int n;
    uint8_t *mask;   /* coverage of the text being drawn */
    uint8_t *hidden; /* where text or its box covered the last picture */
    int width, height;
    bool has_counter;
};

enum intra_status intra_sim_overlay_make(const struct intra_sim_scene *scene, struct intra_sim_overlay *out,
                                         struct intra_error *err);
void intra_sim_overlay_fini(struct intra_sim_overlay *overlay);
/* The counter as printed (n bytes), and its value in metres after rounding. */
double intra_sim_counter_text(const struct intra_sim_scene *scene, double counter_m, char *out, int n);
/* Draw everything over the picture. */
enum intra_status intra_sim_overlay_draw(struct intra_sim_overlay *overlay, double time_s, double counter_m,
                                         struct intra_view_u8 *rgb, struct intra_error *err);
/* A page of text on black: what recordings open with. */
enum intra_status intra_sim_overlay_title(struct intra_sim_overlay *overlay, const char *text,
                                          struct intra_view_u8 *rgb, struct intra_error *err);

#endif
