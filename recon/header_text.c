#include "recon/header_text.h"

#include "core/mem.h"
#include "recon/counter_ocr.h"
#include "recon/counter_read.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LINES = INTRA_COUNTER_MAX_LINES };
static const double look_s[INTRA_HEADER_LOOKS] = {0.3, 1.5, 3, 6, 12, 20, 35, 55};
static const int64_t look_columns = 16000; /* of OCR in one look: bounds the time, about two thirds of a second */
static const double faint = 0.1;           /* of the best line's score: no burnt-in text */

static void add_line(char *to, const struct intra_counter_line *line)
{
    for (int way = 0; way < INTRA_COUNTER_WAYS; way++) {
        size_t used = strlen(to);
        if (line->said[way][0]) snprintf(to + used, INTRA_HEADER_BYTES - used, "%s\n", line->said[way]);
    }
}

static enum intra_status read_look(struct intra_ocr *ocr, const struct intra_frame *frame, char *to,
                                   struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_text_picture picture = {0};
    struct intra_text_line lines[LINES];
    struct intra_counter_line line;
    struct intra_text_box all = {0, 0, frame->y.cols, frame->y.rows};
    int64_t until = intra_ocr_columns(ocr) + look_columns;
    int n = 0;
    INTRA_TRY(intra_text_picture_init(frame, all, &picture, err));
    INTRA_TRY(intra_counter_find_lines(&picture, lines, LINES, &n, err));
    for (int i = 0; i < n && intra_ocr_columns(ocr) < until && lines[i].score >= faint * lines[0].score; i++) {
        INTRA_TRY(intra_counter_read_line(ocr, &picture, &lines[i], INTRA_COUNTER_QUICK, &line, err));
        add_line(to, &line);
    }
done:
    intra_text_picture_fini(&picture);
    return status;
}

/* Short videos have few key frames, or one: then a look for each that there is. */
static enum intra_status look_over(struct intra_ocr *ocr, const char *path, const struct intra_video_options *options,
                                   struct intra_header_text *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_video *video = NULL;
    struct intra_frame *frame = NULL;
    double end_s = options->from_s + look_s[INTRA_HEADER_LOOKS - 1] + 20;
    int next = 0;
    INTRA_TRY(intra_video_open(path, options, &video, err));
    while (next < INTRA_HEADER_LOOKS && (status = intra_video_next(video, &frame, err)) == INTRA_OK &&
           frame->pts_s <= end_s) {
        double at_s = frame->pts_s - options->from_s;
        if (at_s >= look_s[next]) {
            INTRA_TRY(read_look(ocr, frame, out->looks[out->n_looks++], err));
            while (next < INTRA_HEADER_LOOKS && at_s >= look_s[next])
                next++;
        }
        intra_frame_release(&frame);
    }
    if (status == INTRA_EOF) status = INTRA_OK;
done:
    intra_frame_release(&frame);
    intra_video_close(&video);
    return status;
}

enum intra_status intra_header_text_read(const char *video_path, const struct intra_video_options *options,
                                         struct intra_header_text *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_ocr *ocr = NULL;
    struct intra_video_options keys = *options;
    *out = (struct intra_header_text){0};
    INTRA_TRY(intra_ocr_open(&ocr, err));
    keys.keyframes_only = true;
    INTRA_TRY(look_over(ocr, video_path, &keys, out, err));
    if (out->n_looks < 2) { /* one key frame, as simulated and recompressed videos have */
        *out = (struct intra_header_text){0};
        keys.keyframes_only = false;
        INTRA_TRY(look_over(ocr, video_path, &keys, out, err));
    }
done:
    intra_ocr_close(&ocr);
    return status;
}
