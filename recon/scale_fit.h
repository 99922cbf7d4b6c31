/* The scale between stations and a distance counter that drops or rounds what is finer than its last digit. */
#ifndef INTRA_RECON_SCALE_FIT_H
#define INTRA_RECON_SCALE_FIT_H

#include "core/status.h"

#include <stdbool.h>
#include <stdint.h>

struct intra_scale_pair {
    double station_m, counter_m;
};

struct intra_scale_fit {
    bool is_known;   /* enough readings over enough way, and most of them agree */
    double scale;    /* counter = +-scale * station + offset; > 0 */
    double sd_rel;   /* of the scale, relative */
    double way_m;    /* stations spanned by the readings that count */
    double noise_m;  /* deviation of a reading beyond its rounding */
    bool is_falling; /* the counter runs backward */
    int n, n_agree;  /* readings used; those that agree */
};

/* The step of the counter's last digit, in metres: the largest of the usual ones, in metres or feet, that all readings but
 * a few are multiples of, against the first. The smallest difference will not do: a camera that is fast skips digits. */
double intra_scale_step(const struct intra_scale_pair *pairs, int64_t n);

/* pairs: in the order of time, any number; step_m: of the counter's last digit. Allocates scratch. Too little to tell
 * is no error: is_known is false. Errors: INTRA_E_MEM. */
enum intra_status intra_scale_fit(const struct intra_scale_pair *pairs, int64_t n, double step_m,
                                  struct intra_scale_fit *out, struct intra_error *err);

#endif
