/* Decoded pictures of a file or an image folder: for core/video.c only. The frames are libav's. */
#ifndef INTRA_CORE_VIDEO_SOURCE_H
#define INTRA_CORE_VIDEO_SOURCE_H

#include "core/status.h"
#include "core/video.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct AVFrame;
struct intra_source;

struct intra_source_options {
    const char *path; /* borrowed while the source lives */
    bool is_folder;
    bool is_keyframes_only; /* leave other frames out where that costs no time stamp; see the mark */
    bool is_references_only; /* leave out what no other picture leans on */
    int threads;            /* 1 or more */
    double image_fps;
    atomic_bool *stop; /* true aborts a read; may be NULL */
};

struct intra_source_mark {
    int64_t lost_before;  /* packets or images that gave no picture since the last one */
    int64_t folder_place; /* number of the image in its folder; -1 for files */
    bool is_damaged, is_key;
};

/* Errors: INTRA_E_IO, INTRA_E_FORMAT (no video in it), INTRA_E_UNSUPPORTED (no decoder), INTRA_E_MEM. */
enum intra_status intra_source_open(const struct intra_source_options *options, struct intra_source **out,
                                    struct intra_error *err);
/* The next picture in presentation order into `out` (unreferenced by the caller). INTRA_EOF at the end, with what was
 * lost before it in `mark`; INTRA_CANCELLED after a stop. */
enum intra_status intra_source_next(struct intra_source *source, struct AVFrame *out, struct intra_source_mark *mark,
                                    struct intra_error *err);
/* Lines that the decoder wrote to its error log. */
long intra_source_log_errors(struct intra_source *source);
/* Container, codec, rate, duration, pixel shape where the file says; after the first frame. */
void intra_source_describe(struct intra_source *source, struct intra_video_info *info);
/* Every picture is coded by itself; after the first frame. */
bool intra_source_is_intra_coded(const struct intra_source *source);
/* Seconds in one unit of the frames' best_effort_timestamp. */
double intra_source_time_base_s(const struct intra_source *source);
void intra_source_close(struct intra_source **source);

#endif
