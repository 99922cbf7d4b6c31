/* Where the distance counter stands in a video: learnt from a few of its key frames before anything else is read.
 *
 * Burnt-in text stands still: only lines of text that two looks find at the same place are read, and looking ends as soon as
 * one of them is surely the distance. Method: docs/methods.md, "Distance counter". */
#ifndef INTRA_RECON_COUNTER_PLACE_H
#define INTRA_RECON_COUNTER_PLACE_H

#include "core/video.h"
#include "recon/counter_read.h"

struct intra_counter_place {
    struct intra_text_box box; /* around the text of all looks, pixels of the frame */
    double height_px;          /* of its letters */
    enum intra_text_kind kind; /* of the line that was read best */
    double score;              /* what speaks for it being the distance, summed over the looks */
    int hits;                  /* looks in which a distance was read there; 0: no place */
};

/* The best place; hits is 0 where there is none, which is no error. Errors: those of intra_video_open, INTRA_E_MEM. */
enum intra_status intra_counter_find_place(struct intra_ocr *ocr, const char *video_path,
                                           const struct intra_video_options *options, struct intra_counter_place *out,
                                           struct intra_error *err);

/* Whether a line (box in pixels of the frame) stands at the place: same baseline and height of letters, and over or under it.
 * Bright letters and their dark outline are one place. */
bool intra_counter_is_at(const struct intra_counter_place *place, const struct intra_text_line *line);

#endif
