#include "recon/wall_queue.h"

#include "core/mem.h"
#include "core/thread.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

enum { MAX_JOBS = 8 };
enum kind { JOB_SAMPLES, JOB_VIEW, JOB_END_RUN };

struct job {
    enum kind kind;
    struct intra_run run; /* axis and arc table only */
    struct intra_placement placement;
    struct intra_keyframe kf;
    struct intra_frame *picture;
    bool is_last;
    struct intra_wall_sample *samples;
    int n;
};

struct intra_wall_queue {
    struct intra_wallmap *map;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct job jobs[MAX_JOBS]; /* ring */
    int first, n;
    bool is_closed, is_dropping;
    enum intra_status status; /* of the worker; from the first error on jobs are only dropped */
    struct intra_error error;
    struct intra_wall_work work;
};

static void job_fini(struct job *job)
{
    intra_axis_fini(&job->run.axis);
    intra_free(job->run.arc);
    intra_free(job->samples);
    intra_frame_release(&job->picture);
    memset(job, 0, sizeof *job);
}

static double clock_s(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static enum intra_status do_job(struct intra_wallmap *map, struct job *job, struct intra_error *err)
{
    switch (job->kind) {
    case JOB_SAMPLES: return intra_wallmap_add_samples(map, &job->run, &job->placement, job->samples, job->n, err);
    case JOB_VIEW: return intra_wallmap_add_view(map, &job->run, &job->placement, &job->kf, job->picture, job->is_last, err);
    case JOB_END_RUN: return intra_wallmap_end_run(map, &job->run, &job->placement, err);
    }
    return INTRA_OK;
}

static void *work(void *user)
{
    struct intra_wall_queue *q = user;
    intra_thread_give_way();
    pthread_mutex_lock(&q->lock);
    for (;;) {
        while (q->n == 0 && !q->is_closed) pthread_cond_wait(&q->changed, &q->lock);
        if (q->n == 0) break;
        struct job job = q->jobs[q->first];
        struct intra_error error = {0};
        enum intra_status status = INTRA_OK;
        bool is_wanted = q->status == INTRA_OK && !q->is_dropping;
        q->first = (q->first + 1) % MAX_JOBS;
        q->n--;
        pthread_cond_broadcast(&q->changed);
        pthread_mutex_unlock(&q->lock);
        double wall = clock_s(CLOCK_MONOTONIC), cpu = clock_s(CLOCK_THREAD_CPUTIME_ID);
        if (is_wanted) status = do_job(q->map, &job, &error);
        job_fini(&job);
        pthread_mutex_lock(&q->lock);
        q->work.wall_s += clock_s(CLOCK_MONOTONIC) - wall;
        q->work.cpu_s += clock_s(CLOCK_THREAD_CPUTIME_ID) - cpu;
        if (status != INTRA_OK && q->status == INTRA_OK) {
            q->status = status;
            q->error = error;
        }
    }
    pthread_mutex_unlock(&q->lock);
    return NULL;
}

enum intra_status intra_wall_queue_create(struct intra_wallmap *map, struct intra_wall_queue **out, struct intra_error *err)
{
    struct intra_wall_queue *q = intra_alloc(1, sizeof *q);
    if (!q) return INTRA_FAIL(err, INTRA_E_MEM, "out of memory for the wall's queue");
    q->map = map;
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->changed, NULL);
    if (pthread_create(&q->thread, NULL, work, q) != 0) {
        pthread_cond_destroy(&q->changed);
        pthread_mutex_destroy(&q->lock);
        intra_free(q);
        return INTRA_FAIL(err, INTRA_E_MEM, "no thread for the wall could be started");
    }
    *out = q;
    return INTRA_OK;
}

static void stop(struct intra_wall_queue *q, bool is_dropping)
{
    if (q->is_closed) return;
    pthread_mutex_lock(&q->lock);
    q->is_closed = true;
    q->is_dropping = is_dropping;
    pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->lock);
    pthread_join(q->thread, NULL);
}

void intra_wall_queue_destroy(struct intra_wall_queue **queue)
{
    struct intra_wall_queue *q = *queue;
    if (!q) return;
    stop(q, true);
    pthread_cond_destroy(&q->changed);
    pthread_mutex_destroy(&q->lock);
    intra_free(q);
    *queue = NULL;
}

/* Axis and arc lengths of a run as they are now. The table must reach up to where the job asks, so it is filled here. */
static enum intra_status copy_axis(struct intra_run *run, struct intra_run *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    double arc;
    memset(out, 0, sizeof *out);
    out->options = run->options;
    out->camera = run->camera;
    INTRA_TRY(intra_run_arc(run, run->axis.first + run->axis.count - 3, &arc, err));
    out->axis = run->axis;
    out->axis.capacity = run->axis.count;
    INTRA_TRY(INTRA_ALLOC(out->axis.knots, (size_t)run->axis.count, err));
    memcpy(out->axis.knots, run->axis.knots, sizeof *run->axis.knots * (size_t)run->axis.count);
    out->arc_first = run->arc_first;
    out->n_arc = out->cap_arc = run->n_arc;
    INTRA_TRY(INTRA_ALLOC(out->arc, (size_t)run->n_arc, err));
    memcpy(out->arc, run->arc, sizeof *run->arc * (size_t)run->n_arc);
done:
    return status;
}

/* Takes the job over, whatever becomes of it. */
static enum intra_status push(struct intra_wall_queue *q, struct job *job, struct intra_error *err)
{
    enum intra_status status;
    pthread_mutex_lock(&q->lock);
    while (q->n == MAX_JOBS) pthread_cond_wait(&q->changed, &q->lock);
    status = q->status;
    if (status == INTRA_OK)
        q->jobs[(q->first + q->n++) % MAX_JOBS] = *job;
    else if (err)
        *err = q->error;
    pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->lock);
    if (status != INTRA_OK) job_fini(job);
    return status;
}

enum intra_status intra_wall_queue_samples(struct intra_wall_queue *queue, struct intra_run *run,
                                           const struct intra_placement *placement, const struct intra_wall_sample *samples,
                                           int n, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct job job = {.kind = JOB_SAMPLES, .placement = *placement, .n = n};
    INTRA_TRY(copy_axis(run, &job.run, err));
    INTRA_TRY(INTRA_ALLOC(job.samples, (size_t)n, err));
    memcpy(job.samples, samples, sizeof *samples * (size_t)n);
    return push(queue, &job, err);
done:
    job_fini(&job);
    return status;
}

enum intra_status intra_wall_queue_view(struct intra_wall_queue *queue, struct intra_run *run,
                                        const struct intra_placement *placement, const struct intra_keyframe *kf,
                                        struct intra_frame *picture, bool is_last, struct intra_error *err)
{
    struct job job = {.kind = JOB_VIEW, .placement = *placement, .kf = *kf, .is_last = is_last};
    enum intra_status status = copy_axis(run, &job.run, err);
    if (status == INTRA_OK) {
        job.picture = intra_frame_retain(picture);
        return push(queue, &job, err);
    }
    job_fini(&job);
    return status;
}

enum intra_status intra_wall_queue_end_run(struct intra_wall_queue *queue, struct intra_run *run,
                                           const struct intra_placement *placement, struct intra_error *err)
{
    struct job job = {.kind = JOB_END_RUN, .placement = *placement};
    enum intra_status status = copy_axis(run, &job.run, err);
    if (status == INTRA_OK) return push(queue, &job, err);
    job_fini(&job);
    return status;
}

enum intra_status intra_wall_queue_finish(struct intra_wall_queue *queue, struct intra_wall_work *out,
                                          struct intra_error *err)
{
    stop(queue, false);
    *out = queue->work;
    if (queue->status != INTRA_OK && err) *err = queue->error;
    return queue->status;
}
