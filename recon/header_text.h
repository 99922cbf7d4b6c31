/* Burnt-in text of a video as words, whatever it says: names of manholes and pipe, date. For finding out which survey
 * it is, not for measuring. */
#ifndef INTRA_RECON_HEADER_TEXT_H
#define INTRA_RECON_HEADER_TEXT_H

#include "core/video.h"

enum { INTRA_HEADER_LOOKS = 8, INTRA_HEADER_BYTES = 6000 };

struct intra_header_text {
    int n_looks;
    char looks[INTRA_HEADER_LOOKS][INTRA_HEADER_BYTES]; /* every reading of every line, one a line; UTF-8, as read */
};

/* Look at key frames of the first minute, closer together at its beginning, where title pages are. Some seconds. No
 * text is no error. Errors: those of intra_video_open, INTRA_E_UNSUPPORTED (no data for reading text on this machine),
 * INTRA_E_MEM. */
enum intra_status intra_header_text_read(const char *video_path, const struct intra_video_options *options,
                                         struct intra_header_text *out, struct intra_error *err);

#endif
