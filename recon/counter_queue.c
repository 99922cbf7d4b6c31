#include "recon/counter_queue.h"

#include "core/mem.h"
#include "core/thread.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

enum { MAX_JOBS = 16 }; /* frames: some three seconds of video, about as long as learning takes */

struct job {
    struct intra_frame *frame;
    bool is_urgent;
};

struct intra_counter_queue {
    const char *path;
    const struct intra_video_options *options;
    struct intra_counter *counter; /* the worker's while it has work */
    double last_due_s;             /* the caller's: time of the last frame handed on, NaN: none */
    bool is_urgent;                /* the caller's: to go with the next of them */
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t lock; /* guards the rest */
    pthread_cond_t changed;
    struct job jobs[MAX_JOBS]; /* ring */
    int first, n;
    bool is_busy, is_closed, is_dropping;
    enum intra_status status; /* of the work; from the first error on frames are only dropped */
    struct intra_error error;
};

static enum intra_status learn(struct intra_counter_queue *q, struct intra_error *err)
{
    enum intra_status status = intra_counter_create(&q->counter, err);
    if (status != INTRA_OK) return status;
    return intra_counter_learn(q->counter, q->path, q->options, err);
}

static enum intra_status read_job(struct intra_counter_queue *q, const struct job *job, struct intra_error *err)
{
    if (job->is_urgent) intra_counter_urge(q->counter);
    return intra_counter_frame(q->counter, job->frame, err);
}

/* Under the lock. */
static void keep_status(struct intra_counter_queue *q, enum intra_status status, const struct intra_error *error)
{
    q->is_busy = false;
    if (status != INTRA_OK && q->status == INTRA_OK) {
        q->status = status;
        q->error = *error;
    }
    pthread_cond_broadcast(&q->changed);
}

static void *work(void *user)
{
    struct intra_counter_queue *q = user;
    struct intra_error error = {0};
    intra_thread_give_way();
    enum intra_status status = learn(q, &error);
    pthread_mutex_lock(&q->lock);
    keep_status(q, status, &error);
    for (;;) {
        while (q->n == 0 && !q->is_closed)
            pthread_cond_wait(&q->changed, &q->lock);
        if (q->n == 0) break;
        struct job job = q->jobs[q->first];
        bool is_wanted = q->status == INTRA_OK && !q->is_dropping;
        q->first = (q->first + 1) % MAX_JOBS;
        q->n--;
        q->is_busy = true;
        pthread_cond_broadcast(&q->changed);
        pthread_mutex_unlock(&q->lock);
        status = is_wanted ? read_job(q, &job, &error) : INTRA_OK;
        intra_frame_release(&job.frame);
        pthread_mutex_lock(&q->lock);
        keep_status(q, status, &error);
    }
    bool is_wanted = q->status == INTRA_OK && !q->is_dropping;
    pthread_mutex_unlock(&q->lock);
    if (!is_wanted) return NULL;
    status = intra_counter_finish(q->counter, &error);
    pthread_mutex_lock(&q->lock);
    keep_status(q, status, &error);
    pthread_mutex_unlock(&q->lock);
    return NULL;
}

enum intra_status intra_counter_queue_create(const char *video_path, const struct intra_video_options *options,
                                             int threads, struct intra_counter_queue **out, struct intra_error *err)
{
    struct intra_counter_queue *q = intra_alloc(1, sizeof *q);
    if (!q) return INTRA_FAIL(err, INTRA_E_MEM, "out of memory for the counter's queue");
    q->path = video_path;
    q->options = options;
    q->last_due_s = NAN;
    q->is_busy = true;
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->changed, NULL);
    q->has_thread = threads > 1 && pthread_create(&q->thread, NULL, work, q) == 0;
    if (!q->has_thread) {
        struct intra_error error = {0};
        enum intra_status status = learn(q, &error);
        keep_status(q, status, &error);
    }
    *out = q;
    return INTRA_OK;
}

static void stop(struct intra_counter_queue *q, bool is_dropping)
{
    if (q->is_closed) return;
    pthread_mutex_lock(&q->lock);
    q->is_closed = true;
    q->is_dropping = is_dropping;
    pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->lock);
    if (q->has_thread) pthread_join(q->thread, NULL);
}

void intra_counter_queue_destroy(struct intra_counter_queue **queue)
{
    struct intra_counter_queue *q = *queue;
    if (!q) return;
    stop(q, true);
    intra_counter_destroy(&q->counter);
    pthread_cond_destroy(&q->changed);
    pthread_mutex_destroy(&q->lock);
    intra_free(q);
    *queue = NULL;
}

/* Without data for reading text there is nothing to do until finish says so. */
static enum intra_status failure(const struct intra_counter_queue *q, struct intra_error *err)
{
    if (q->status == INTRA_OK || q->status == INTRA_E_UNSUPPORTED) return INTRA_OK;
    if (err) *err = q->error;
    return q->status;
}

enum intra_status intra_counter_queue_frame(struct intra_counter_queue *q, struct intra_frame *frame, bool is_urgent,
                                            struct intra_error *err)
{
    enum intra_status status;
    q->is_urgent = q->is_urgent || is_urgent;
    if (!intra_counter_is_due(q->options->probe->info.is_image_folder, q->last_due_s, frame->pts_s)) return INTRA_OK;
    struct job job = {frame, q->is_urgent};
    q->last_due_s = frame->pts_s;
    q->is_urgent = false;
    if (!q->has_thread) {
        struct intra_error error = {0};
        if (q->status == INTRA_OK) {
            status = read_job(q, &job, &error);
            keep_status(q, status, &error);
        }
        return failure(q, err);
    }
    pthread_mutex_lock(&q->lock);
    while (q->n == MAX_JOBS)
        pthread_cond_wait(&q->changed, &q->lock);
    status = failure(q, err);
    if (q->status == INTRA_OK) {
        job.frame = intra_frame_retain(frame);
        q->jobs[(q->first + q->n++) % MAX_JOBS] = job;
        pthread_cond_broadcast(&q->changed);
    }
    pthread_mutex_unlock(&q->lock);
    return status;
}

const struct intra_counter_reading *intra_counter_queue_readings(struct intra_counter_queue *q, int64_t *out_n)
{
    pthread_mutex_lock(&q->lock);
    while (q->n > 0 || q->is_busy)
        pthread_cond_wait(&q->changed, &q->lock);
    bool is_there = q->status == INTRA_OK;
    pthread_mutex_unlock(&q->lock);
    *out_n = 0;
    return is_there ? intra_counter_readings(q->counter, out_n) : NULL;
}

enum intra_status intra_counter_queue_finish(struct intra_counter_queue *q, const struct intra_counter **out,
                                             struct intra_error *err)
{
    stop(q, false);
    if (!q->has_thread && q->status == INTRA_OK) {
        struct intra_error error = {0};
        enum intra_status status = intra_counter_finish(q->counter, &error);
        keep_status(q, status, &error);
    }
    *out = q->counter;
    if (q->status != INTRA_OK && err) *err = q->error;
    return q->status;
}
