/* The distance counter on a thread of its own: learns its place while the first look goes on, then reads frames behind
 * a bounded queue. What it reads is the same as in the caller's thread, whatever the threads do. */
#ifndef INTRA_RECON_COUNTER_QUEUE_H
#define INTRA_RECON_COUNTER_QUEUE_H

#include "recon/counter.h"

struct intra_counter_queue;

/* Begins to learn from the video (intra_counter_learn). threads 1: everything runs in the caller's thread. Path and
 * options, which must have a probe, are borrowed until finish or destroy. Errors: INTRA_E_MEM; those of the work come
 * from frame and finish. */
enum intra_status intra_counter_queue_create(const char *video_path, const struct intra_video_options *options,
                                             int threads, struct intra_counter_queue **out, struct intra_error *err);
void intra_counter_queue_destroy(struct intra_counter_queue **queue); /* drops what waits; NULL is fine */

/* Frames in order; those that are due are retained until read. Waits while the queue is full. is_urgent:
 * intra_counter_urge first. */
enum intra_status intra_counter_queue_frame(struct intra_counter_queue *queue, struct intra_frame *frame,
                                            bool is_urgent, struct intra_error *err);
/* The readings of all frames handed over so far: waits for them. Valid until the next frame. */
const struct intra_counter_reading *intra_counter_queue_readings(struct intra_counter_queue *queue, int64_t *out_n);
/* Waits for the rest, then intra_counter_finish. *out is the queue's. Errors: those of the work, among them
 * INTRA_E_UNSUPPORTED. */
enum intra_status intra_counter_queue_finish(struct intra_counter_queue *queue, const struct intra_counter **out,
                                             struct intra_error *err);

#endif
