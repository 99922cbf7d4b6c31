/* Frames of one size, reference counted and used again, and the bounded queue that carries them from the decoder
 * thread to the caller.
 *
 * The pool allocates on demand and never blocks: what bounds it is the queue (frames decoded ahead) and the caller's
 * promise about frames held (checked in intra_video_next). It outlives the video while frames are out. */
#include "core/mem.h"
#include "core/video_internal.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

struct pooled_frame {
    struct intra_frame frame; /* first, so that the public pointer is also ours */
    atomic_int refs;
    struct intra_frame_pool *pool;
    struct pooled_frame *next_free;
};

struct intra_frame_pool {
    pthread_mutex_t lock; /* guards everything below */
    struct pooled_frame *free_list;
    int in_use;
    bool is_destroyed;
    int width, height; /* fixed, unguarded */
};

enum intra_status intra_frame_pool_create(int width, int height, struct intra_frame_pool **out, struct intra_error *err)
{
    struct intra_frame_pool *pool;
    enum intra_status status = INTRA_OK;
    *out = NULL;
    INTRA_TRY(INTRA_ALLOC(pool, 1, err));
    pthread_mutex_init(&pool->lock, NULL);
    pool->width = width;
    pool->height = height;
    *out = pool;
done:
    return status;
}

static struct intra_view_u8 plane_view(uint8_t *data, int rows, int cols, ptrdiff_t stride)
{
    return (struct intra_view_u8){.data = data, .rows = rows, .cols = cols, .channels = 1, .stride = stride};
}

/* One block of memory: the three planes, each row on a 64-byte boundary, and a tail that swscale may run over. */
static enum intra_status frame_create(struct intra_frame_pool *pool, struct pooled_frame **out, struct intra_error *err)
{
    int w = pool->width, h = pool->height, cw = (w + 1) / 2, ch = (h + 1) / 2;
    size_t stride = ((size_t)w + 63) / 64 * 64, c_stride = ((size_t)cw + 63) / 64 * 64;
    struct pooled_frame *f = NULL;
    uint8_t *pixels = NULL;
    enum intra_status status = INTRA_OK;
    INTRA_TRY(INTRA_ALLOC(f, 1, err));
    INTRA_TRY(INTRA_ALLOC(pixels, stride * (size_t)h + 2 * c_stride * (size_t)ch + 64, err));
    f->pool = pool;
    f->frame.y = plane_view(pixels, h, w, (ptrdiff_t)stride);
    f->frame.u = plane_view(pixels + stride * (size_t)h, ch, cw, (ptrdiff_t)c_stride);
    f->frame.v = plane_view(f->frame.u.data + c_stride * (size_t)ch, ch, cw, (ptrdiff_t)c_stride);
    *out = f;
    return INTRA_OK;
done:
    intra_free(f);
    return status;
}

enum intra_status intra_frame_pool_get(struct intra_frame_pool *pool, struct intra_frame **out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct pooled_frame *f;
    *out = NULL;
    pthread_mutex_lock(&pool->lock);
    f = pool->free_list;
    if (f) pool->free_list = f->next_free;
    pool->in_use++;
    pthread_mutex_unlock(&pool->lock);
    if (!f) status = frame_create(pool, &f, err);
    if (status != INTRA_OK) {
        pthread_mutex_lock(&pool->lock);
        pool->in_use--;
        pthread_mutex_unlock(&pool->lock);
        return status;
    }
    atomic_store(&f->refs, 1);
    f->frame.is_repeat = f->frame.is_damaged = false;
    *out = &f->frame;
    return INTRA_OK;
}

int intra_frame_pool_in_use(struct intra_frame_pool *pool)
{
    int n;
    pthread_mutex_lock(&pool->lock);
    n = pool->in_use;
    pthread_mutex_unlock(&pool->lock);
    return n;
}

static void pool_free(struct intra_frame_pool *pool)
{
    while (pool->free_list) {
        struct pooled_frame *f = pool->free_list;
        pool->free_list = f->next_free;
        intra_free(f->frame.y.data);
        intra_free(f);
    }
    pthread_mutex_destroy(&pool->lock);
    intra_free(pool);
}

void intra_frame_pool_destroy(struct intra_frame_pool **pool)
{
    struct intra_frame_pool *p = *pool;
    bool is_last;
    if (!p) return;
    pthread_mutex_lock(&p->lock);
    p->is_destroyed = true;
    is_last = p->in_use == 0;
    pthread_mutex_unlock(&p->lock);
    if (is_last) pool_free(p);
    *pool = NULL;
}

struct intra_frame *intra_frame_retain(struct intra_frame *frame)
{
    struct pooled_frame *f = (struct pooled_frame *)frame;
    int before = atomic_fetch_add(&f->refs, 1);
    assert(before > 0);
    (void)before;
    return frame;
}

void intra_frame_release(struct intra_frame **frame)
{
    struct pooled_frame *f = (struct pooled_frame *)*frame;
    struct intra_frame_pool *pool;
    bool is_last;
    if (!f) return;
    *frame = NULL;
    if (atomic_fetch_sub(&f->refs, 1) > 1) return;
    pool = f->pool;
    pthread_mutex_lock(&pool->lock);
    f->next_free = pool->free_list;
    pool->free_list = f;
    pool->in_use--;
    is_last = pool->is_destroyed && pool->in_use == 0;
    pthread_mutex_unlock(&pool->lock);
    if (is_last) pool_free(pool);
}

struct intra_frame_queue {
    pthread_mutex_t lock; /* guards everything below */
    pthread_cond_t has_room, has_item;
    struct intra_queue_item *items; /* ring */
    int capacity, first, length;
    bool is_stopped, is_finished;
    int64_t end_lost;
    enum intra_status end_status;
    struct intra_error end_error;
};

enum intra_status intra_frame_queue_create(int capacity, struct intra_frame_queue **out, struct intra_error *err)
{
    struct intra_frame_queue *q = NULL;
    enum intra_status status = INTRA_OK;
    *out = NULL;
    INTRA_TRY(INTRA_ALLOC(q, 1, err));
    INTRA_TRY(INTRA_ALLOC(q->items, (size_t)capacity, err));
    q->capacity = capacity;
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->has_room, NULL);
    pthread_cond_init(&q->has_item, NULL);
    *out = q;
    return INTRA_OK;
done:
    intra_free(q);
    return status;
}

bool intra_frame_queue_send(struct intra_frame_queue *q, const struct intra_queue_item *item)
{
    bool is_sent;
    pthread_mutex_lock(&q->lock);
    while (q->length == q->capacity && !q->is_stopped)
        pthread_cond_wait(&q->has_room, &q->lock);
    is_sent = !q->is_stopped;
    if (is_sent) {
        q->items[(q->first + q->length) % q->capacity] = *item;
        q->length++;
        pthread_cond_signal(&q->has_item);
    }
    pthread_mutex_unlock(&q->lock);
    return is_sent;
}

void intra_frame_queue_finish(struct intra_frame_queue *q, int64_t lost_before, enum intra_status status,
                              const struct intra_error *err)
{
    pthread_mutex_lock(&q->lock);
    q->is_finished = true;
    q->end_lost = lost_before;
    q->end_status = status;
    if (err) q->end_error = *err;
    pthread_cond_broadcast(&q->has_item);
    pthread_mutex_unlock(&q->lock);
}

enum intra_status intra_frame_queue_receive(struct intra_frame_queue *q, struct intra_queue_item *out,
                                            struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    pthread_mutex_lock(&q->lock);
    while (q->length == 0 && !q->is_finished)
        pthread_cond_wait(&q->has_item, &q->lock);
    if (q->length > 0) {
        *out = q->items[q->first];
        q->first = (q->first + 1) % q->capacity;
        q->length--;
        pthread_cond_signal(&q->has_room);
    } else {
        *out = (struct intra_queue_item){.frame = NULL, .lost_before = q->end_lost};
        q->end_lost = 0;
        status = q->end_status;
        if (status < 0 && err) *err = q->end_error;
    }
    pthread_mutex_unlock(&q->lock);
    return status;
}

int intra_frame_queue_length(struct intra_frame_queue *q)
{
    int n;
    pthread_mutex_lock(&q->lock);
    n = q->length;
    pthread_mutex_unlock(&q->lock);
    return n;
}

void intra_frame_queue_stop(struct intra_frame_queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->is_stopped = true;
    pthread_cond_broadcast(&q->has_room);
    pthread_mutex_unlock(&q->lock);
}

bool intra_frame_queue_is_stopped(struct intra_frame_queue *q)
{
    bool is_stopped;
    pthread_mutex_lock(&q->lock);
    is_stopped = q->is_stopped;
    pthread_mutex_unlock(&q->lock);
    return is_stopped;
}

void intra_frame_queue_destroy(struct intra_frame_queue **queue)
{
    struct intra_frame_queue *q = *queue;
    if (!q) return;
    for (int i = 0; i < q->length; i++)
        intra_frame_release(&q->items[(q->first + i) % q->capacity].frame);
    pthread_cond_destroy(&q->has_item);
    pthread_cond_destroy(&q->has_room);
    pthread_mutex_destroy(&q->lock);
    intra_free(q->items);
    intra_free(q);
    *queue = NULL;
}
