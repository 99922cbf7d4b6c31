/* The wall on a thread of its own: what motion hands on waits in a bounded queue and is worked off in order, so that the result does not
 * depend on timing. Each job carries a copy of the run's axis as it was, since the run goes on changing meanwhile.
 *
 * All calls from one thread. An error of the worker is returned by the next call, and by finish. */
#ifndef INTRA_RECON_WALL_QUEUE_H
#define INTRA_RECON_WALL_QUEUE_H

#include "recon/wall.h"

struct intra_wall_queue;

/* map is borrowed until finish or destroy; nobody else may use it meanwhile. */
enum intra_status intra_wall_queue_create(struct intra_wallmap *map, struct intra_wall_queue **out, struct intra_error *err);
/* Waits for the job at work, drops the others. */
void intra_wall_queue_destroy(struct intra_wall_queue **queue);

/* As intra_wallmap_add_samples, _add_view, _end_run. picture is retained until it is used. */
enum intra_status intra_wall_queue_samples(struct intra_wall_queue *queue, struct intra_run *run,
                                           const struct intra_placement *placement, const struct intra_wall_sample *samples,
                                           int n, struct intra_error *err);
enum intra_status intra_wall_queue_view(struct intra_wall_queue *queue, struct intra_run *run,
                                        const struct intra_placement *placement, const struct intra_keyframe *kf,
                                        struct intra_frame *picture, bool is_last, struct intra_error *err);
enum intra_status intra_wall_queue_end_run(struct intra_wall_queue *queue, struct intra_run *run,
                                           const struct intra_placement *placement, struct intra_error *err);
/* What the worker's thread spent on jobs. */
struct intra_wall_work {
    double wall_s, cpu_s;
};
/* Work off everything. */
enum intra_status intra_wall_queue_finish(struct intra_wall_queue *queue, struct intra_wall_work *out,
                                          struct intra_error *err);

#endif
