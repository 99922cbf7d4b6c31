/* Parts of the video reader that know nothing of libav: for core/video*.c and their tests only. */
#ifndef INTRA_CORE_VIDEO_INTERNAL_H
#define INTRA_CORE_VIDEO_INTERNAL_H

#include "core/video.h"

/* ---- video_pool.c: frames that are used again, and the queue between decoder and caller ---- */

struct intra_frame_pool;

enum intra_status intra_frame_pool_create(int width, int height, struct intra_frame_pool **out,
                                          struct intra_error *err);
/* A frame with one reference, its flags cleared, its pixels whatever they were. Never blocks. */
enum intra_status intra_frame_pool_get(struct intra_frame_pool *pool, struct intra_frame **out,
                                       struct intra_error *err);
/* Frames that are out of the pool now. */
int intra_frame_pool_in_use(struct intra_frame_pool *pool);
/* The pool goes when its last frame comes back. NULL is fine. */
void intra_frame_pool_destroy(struct intra_frame_pool **pool);

struct intra_queue_item {
    struct intra_frame *frame; /* NULL only in the item of the end */
    int64_t lost_before;       /* damage met since the last item that gave no frame */
};

struct intra_frame_queue;
enum intra_status intra_frame_queue_create(int capacity, struct intra_frame_queue **out, struct intra_error *err);
/* Blocks while full. False when the queue was stopped: the item stays with the caller. */
bool intra_frame_queue_send(struct intra_frame_queue *queue, const struct intra_queue_item *item);
/* Says how the stream ended; the receiver gets `last` and `status` after the frames that are still queued. */
void intra_frame_queue_finish(struct intra_frame_queue *queue, int64_t lost_before, enum intra_status status,
                              const struct intra_error *err);
/* Blocks while empty. INTRA_EOF or the sender's error after the last frame, every time again (lost_before only once).
 */
enum intra_status intra_frame_queue_receive(struct intra_frame_queue *queue, struct intra_queue_item *out,
                                            struct intra_error *err);
int intra_frame_queue_length(struct intra_frame_queue *queue);
/* Wakes the sender, who then gives up. */
void intra_frame_queue_stop(struct intra_frame_queue *queue);
bool intra_frame_queue_is_stopped(struct intra_frame_queue *queue);
/* Releases what is still queued. The sender must be gone. NULL is fine. */
void intra_frame_queue_destroy(struct intra_frame_queue **queue);

/* ---- video_planes.c: 8-bit 4:2:0 of any matrix and range to full-range BT.601 ---- */

struct intra_planes {
    const uint8_t *y, *u, *v;
    ptrdiff_t y_stride, u_stride, v_stride; /* may be negative: bottom-up pictures */
};
void intra_planes_convert(const struct intra_planes *from, bool is_full_range, bool is_bt709, struct intra_frame *to);
/* Chroma without colour. */
void intra_planes_set_grey(struct intra_frame *frame);

/* ---- video_picture.c: what the picture itself says: combing, field order, change ---- */

struct intra_comb_state {
    int frames, combed;           /* in the whole stream so far */
    uint32_t history;             /* one bit a frame, 1 = combed, newest lowest */
    int64_t top_first, low_first; /* how badly the fields of neighbouring frames fit, for either order */
};
/* Take in the next luma picture; `previous` may be NULL. */
void intra_comb_add(struct intra_comb_state *state, const struct intra_view_u8 *luma,
                    const struct intra_view_u8 *previous);
/* Enough combed pictures to say that this is interlaced. */
bool intra_comb_is_interlaced(const struct intra_comb_state *state);
bool intra_comb_is_top_first(const struct intra_comb_state *state);

struct intra_picture_change {
    double mean;        /* mean absolute luma difference */
    double block_high;  /* the same in the blocks of 16x16 that changed most, but for the topmost hundredth */
    double noise_ratio; /* fine grain of the difference / fine grain of both pictures, in their flattest blocks:
                         * 1 = grain not shared (a new exposure), 0 = the same grain (the same picture again) */
};
struct intra_picture_change intra_picture_compare(const struct intra_view_u8 *a, const struct intra_view_u8 *b);

/* ---- video_repeat.c: frames that repeat a picture ---- */

#define INTRA_REPEAT_WINDOW 15
#define INTRA_REPEAT_RUN 8 /* repeats in a row, at most: a stream of an eighth of its nominal rate */

enum intra_likeness { INTRA_PICTURE_NEW, INTRA_PICTURE_ALIKE, INTRA_PICTURE_SAME };

struct intra_repeat_filter {
    bool is_intra_coded; /* every picture coded by itself: then no sensor gives exactly the same one twice */
    double window[INTRA_REPEAT_WINDOW]; /* mean change of the last new pictures */
    int filled, next;
    bool is_standing;              /* in a run too long for repeats */
    struct intra_frame *reference; /* the last frame that was no repeat; a reference of our own */
    struct intra_queue_item held[INTRA_REPEAT_RUN];
    int held_count;
};
enum intra_likeness intra_repeat_judge(struct intra_repeat_filter *filter, const struct intra_picture_change *change);
/* Takes the next frame over, sets is_repeat, and gives those frames back that are decided, in order: how many. */
int intra_repeat_add(struct intra_repeat_filter *filter, const struct intra_queue_item *item,
                     struct intra_queue_item out[INTRA_REPEAT_RUN + 1]);
/* No more will come: gives back what is held and lets the reference go. Also the way to tidy up after an error. */
int intra_repeat_end(struct intra_repeat_filter *filter, struct intra_queue_item out[INTRA_REPEAT_RUN + 1]);

/* ---- video_folder.c: folders of numbered images ---- */

struct intra_name_list {
    char **names;
    int count, capacity;
};
/* Image names in natural number order (img2 before img10). None is INTRA_E_FORMAT. */
enum intra_status intra_image_folder_list(const char *path, struct intra_name_list *out, struct intra_error *err);
void intra_name_list_fini(struct intra_name_list *list);
int intra_natural_compare(const char *a, const char *b);

#endif
