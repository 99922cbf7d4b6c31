/* The scale between stations and a distance counter that drops or rounds what is finer than its last digit. */
#ifndef INTRA_RECON_SCALE_FIT_H
#define INTRA_RECON_SCALE_FIT_H

#include "core/scene.h"

/* Of the scale of a cable or wheel counter itself, which no picture tells: tenders ask for 0.5 to 1 % at most. */
#define INTRA_COUNTER_SD_REL 0.005

struct intra_scale_pair {
    double station_m, counter_m;
};

struct intra_scale_fit {
    bool is_rough;   /* enough readings over enough way, and most of them agree: */
    bool is_known;   /* and the scale comes out of them to a few percent */
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

/* Which frames' readings were taken on the way out (or back, where most of the segment drives back): a counter has
 * slack, and shows another number on a stretch that is driven again. out: n; false where nothing was read or posed. */
void intra_counter_outward(const struct intra_frame_record *frames, int64_t n, bool *out);

/* The scale between the stations of frames and their counter_m, over the segment with most readings, on the way out. */
enum intra_status intra_scale_of_frames(const struct intra_frame_record *frames, int64_t n, struct intra_scale_fit *out,
                                        struct intra_error *err);

/* Where the counter goes on by far more than the picture, within one stretch, and stays there. */
struct intra_counter_jump {
    bool is_found;
    int64_t frame;       /* index into frames of the first reading behind it */
    double from_m, to_m; /* counter, medians of the nine readings before and behind */
    double picture_m;    /* how far stations go on between these */
};

/* The largest such jump: a cut that was not noticed, or a counter that was set anew. Single wrong readings are none.
 * Errors: INTRA_E_MEM. */
enum intra_status intra_counter_jump_find(const struct intra_frame_record *frames, int64_t n,
                                          struct intra_counter_jump *out, struct intra_error *err);

#endif
