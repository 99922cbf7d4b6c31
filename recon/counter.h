/* The distance counter burnt into inspection video: where it stands, its unit and decimals, and its value frame by frame with
 * a confidence. A reading that is not sure is NaN. Methods: docs/methods.md, "Distance counter".
 *
 * One struct intra_counter belongs to one thread; several may work at once. The same frames give the same readings for any
 * number of threads in the program. */
#ifndef INTRA_RECON_COUNTER_H
#define INTRA_RECON_COUNTER_H

#include "core/scene.h"
#include "core/video.h"
#include "recon/counter_parse.h"

enum { INTRA_COUNTER_TEXT_BYTES = 96 };

struct intra_counter_reading {
    int64_t index; /* of the frame */
    double time_s; /* its presentation time */
    char text[INTRA_COUNTER_TEXT_BYTES]; /* the line of text as read, "" where nothing was */
    double value;                        /* number in it, as printed; NaN where there is none */
    int decimals;
    enum intra_counter_unit unit; /* of the counter; INTRA_COUNTER_NO_UNIT: none is printed, metres are taken */
    double value_m;               /* NaN: not sure */
    double confidence;            /* of value_m when it is given, else of what was read; 0 to 1 */
};

struct intra_counter;

/* Errors: INTRA_E_UNSUPPORTED (no data for reading text on this machine), INTRA_E_MEM. destroy accepts NULL. */
enum intra_status intra_counter_create(struct intra_counter **out, struct intra_error *err);
void intra_counter_destroy(struct intra_counter **counter);

/* A single picture, whatever else was read before; about a second. */
enum intra_status intra_counter_picture(struct intra_counter *counter, const struct intra_frame *frame,
                                        struct intra_counter_reading *out, struct intra_error *err);

/* Video: learn the counter's place from some frames of its first minute (opens and decodes by itself), then hand every frame
 * in order to intra_counter_frame, which reads one each intra_counter_step_s, then finish. Without a place nothing is read,
 * which is no error. Errors: those of intra_video_open, INTRA_E_MEM. */
enum intra_status intra_counter_learn(struct intra_counter *counter, const char *video_path,
                                      const struct intra_video_options *options, struct intra_error *err);
bool intra_counter_has_place(const struct intra_counter *counter);
extern const double intra_counter_step_s;
/* Whether a frame is one that intra_counter_frame reads. last_s: time of the last one that was, NaN: none. */
bool intra_counter_is_due(bool is_folder, double last_s, double now_s);
enum intra_status intra_counter_frame(struct intra_counter *counter, const struct intra_frame *frame,
                                      struct intra_error *err);
/* What comes next is worth reading at once, whatever it costs: the motion was lost, and the counter may span the gap.
 */
void intra_counter_urge(struct intra_counter *counter);
/* Throws out what no motion explains; pictures of a folder are not taken for neighbours in time. */
enum intra_status intra_counter_finish(struct intra_counter *counter, struct intra_error *err);
/* The readings so far (value_m is filled by finish); they stay the counter's. */
const struct intra_counter_reading *intra_counter_readings(const struct intra_counter *counter, int64_t *out_n);

/* counter_m of the frames that were read; also of those between two readings that are equal and at most a second apart,
 * but not where the camera went on and came back meanwhile. frames: in order, with stations where they are posed. */
void intra_counter_fill(const struct intra_counter *counter, struct intra_frame_record *frames, int64_t n);

#endif
