/* Column strips on a scratch file, with the least recently used ones leaving memory first. */
#include "core/raster.h"

#include "core/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct slot {
    int64_t index; /* strip held; -1 = none */
    uint64_t used; /* raster clock at the last use */
    bool is_changed;
    char *data;
};

struct intra_raster {
    int rows, strip_cols, n_slots, fd;
    size_t cell_bytes, strip_bytes;
    uint64_t clock;
    uint8_t *written; /* one bit a strip: ever asked for by intra_raster_strip, or fetched */
    size_t written_bytes;
    struct slot *slots; /* searched linearly: there are few, and a strip is worth thousands of comparisons */
    struct slot *last;
    struct intra_raster_source source; /* fetch NULL: none */
    pthread_mutex_t lock;              /* of intra_raster_lock */
    char dir[512];
};

enum intra_status intra_raster_create(const char *dir, int rows, size_t cell_bytes, int strip_cols, int cache_strips,
                                      struct intra_raster **out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_raster *raster = NULL;
    char name[600];
    size_t strip_bytes;
    *out = NULL;
    if (rows < 1 || cell_bytes < 1 || strip_cols < 1 || cache_strips < 1 ||
        __builtin_mul_overflow((size_t)rows * (size_t)strip_cols, cell_bytes, &strip_bytes) ||
        strip_bytes > SIZE_MAX / 4)
        return INTRA_FAIL(err, INTRA_E_ARG,
                          "raster of %d rows, %zu bytes a cell, %d columns a strip, %d strips makes no sense", rows,
                          cell_bytes, strip_cols, cache_strips);
    INTRA_TRY(INTRA_ALLOC(raster, 1, err));
    pthread_mutex_init(&raster->lock, NULL);
    raster->fd = -1;
    raster->rows = rows;
    raster->strip_cols = strip_cols;
    raster->n_slots = cache_strips;
    raster->cell_bytes = cell_bytes;
    raster->strip_bytes = strip_bytes;
    INTRA_TRY(INTRA_ALLOC(raster->slots, (size_t)cache_strips, err));
    for (int i = 0; i < cache_strips; i++)
        raster->slots[i].index = -1;
    int length = snprintf(raster->dir, sizeof raster->dir, "%s", dir);
    if (length < 0 || (size_t)length >= sizeof raster->dir) {
        status = INTRA_FAIL(err, INTRA_E_IO, "%.100s...: path is longer than %zu bytes", dir, sizeof raster->dir - 1);
        goto done;
    }
    snprintf(name, sizeof name, "%s/scratch.XXXXXX", dir);
    raster->fd = mkostemp(name, O_CLOEXEC);
    if (raster->fd < 0) {
        status = INTRA_FAIL(err, INTRA_E_IO, "%s: cannot make a scratch file: %s", dir, strerror(errno));
        goto done;
    }
    unlink(name);
    *out = raster;
    raster = NULL;
done:
    intra_raster_destroy(&raster);
    return status;
}

void intra_raster_destroy(struct intra_raster **raster)
{
    struct intra_raster *r = *raster;
    if (!r) return;
    if (r->fd >= 0) close(r->fd);
    for (int i = 0; r->slots && i < r->n_slots; i++)
        intra_free(r->slots[i].data);
    intra_free(r->slots);
    intra_free(r->written);
    if (r->source.close) r->source.close(r->source.user);
    pthread_mutex_destroy(&r->lock);
    intra_free(r);
    *raster = NULL;
}

void intra_raster_set_source(struct intra_raster *raster, const struct intra_raster_source *source)
{
    raster->source = *source;
}

void intra_raster_lock(struct intra_raster *raster)
{
    pthread_mutex_lock(&raster->lock);
}

void intra_raster_unlock(struct intra_raster *raster)
{
    pthread_mutex_unlock(&raster->lock);
}

int intra_raster_rows(const struct intra_raster *raster)
{
    return raster->rows;
}

int intra_raster_strip_cols(const struct intra_raster *raster)
{
    return raster->strip_cols;
}

size_t intra_raster_cell_bytes(const struct intra_raster *raster)
{
    return raster->cell_bytes;
}

static bool is_written(const struct intra_raster *raster, int64_t index)
{
    size_t byte = (size_t)index / 8;
    return byte < raster->written_bytes && (raster->written[byte] >> (index % 8) & 1);
}

/* Not yet here, but to be had. */
static bool is_elsewhere(const struct intra_raster *raster, int64_t index)
{
    return raster->source.fetch && index >= raster->source.first && index < raster->source.end &&
           !is_written(raster, index);
}

static enum intra_status mark_written(struct intra_raster *raster, int64_t index, struct intra_error *err)
{
    size_t byte = (size_t)index / 8;
    if (byte >= raster->written_bytes) {
        size_t next = byte + 1 > 2 * raster->written_bytes ? byte + 1 : 2 * raster->written_bytes;
        uint8_t *grown = intra_resize(raster->written, raster->written_bytes, next, 1);
        if (!grown) return INTRA_FAIL(err, INTRA_E_MEM, "out of memory for strip %lld of a raster", (long long)index);
        raster->written = grown;
        raster->written_bytes = next;
    }
    raster->written[byte] |= (uint8_t)(1u << (index % 8));
    return INTRA_OK;
}

static enum intra_status fail_io(const struct intra_raster *raster, const char *what, int error,
                                 struct intra_error *err)
{
    return INTRA_FAIL(
        err, INTRA_E_IO, "%s: cannot %s the scratch file: %s%s", raster->dir, what,
        error ? strerror(error) : "it is shorter than it should be",
        error == ENOSPC || error == EDQUOT || error == EFBIG ? "; free some space or choose another folder" : "");
}

/* The whole strip of a slot to (is_write) or from disk, through interruptions and short transfers. */
static enum intra_status transfer(struct intra_raster *raster, struct slot *slot, int64_t index, bool is_write,
                                  struct intra_error *err)
{
    const char *what = is_write ? "write" : "read";
    int64_t start;
    if (raster->strip_bytes > INT64_MAX || __builtin_mul_overflow(index, (int64_t)raster->strip_bytes, &start) ||
        start > INT64_MAX - (int64_t)raster->strip_bytes)
        return fail_io(raster, what, EFBIG, err);
    for (size_t done = 0; done < raster->strip_bytes;) {
        off_t at = (off_t)(start + (int64_t)done);
        size_t left = raster->strip_bytes - done;
        ssize_t n =
            is_write ? pwrite(raster->fd, slot->data + done, left, at) : pread(raster->fd, slot->data + done, left, at);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return fail_io(raster, what, n < 0 ? errno : is_write ? ENOSPC : 0, err);
        done += (size_t)n;
    }
    return INTRA_OK;
}

static struct slot *find_slot(struct intra_raster *raster, int64_t index)
{
    if (raster->last && raster->last->index == index) return raster->last;
    for (int i = 0; i < raster->n_slots; i++)
        if (raster->slots[i].index == index) return &raster->slots[i];
    return NULL;
}

/* Bring strip `index` into memory. On failure what was in memory still is, changed or not. */
static enum intra_status load(struct intra_raster *raster, int64_t index, struct slot **out, struct intra_error *err)
{
    enum intra_status status;
    struct slot *slot = find_slot(raster, index);
    if (!slot) {
        slot = &raster->slots[0];
        for (int i = 1; i < raster->n_slots; i++) /* never used counts as oldest */
            if (raster->slots[i].used < slot->used) slot = &raster->slots[i];
        if (!slot->data) {
            status = intra_alloc_or_fail((void **)&slot->data, raster->strip_bytes, 1, "a raster strip", err);
            if (status != INTRA_OK) return status;
        }
        if (slot->is_changed) {
            status = transfer(raster, slot, slot->index, true, err);
            if (status != INTRA_OK) return status;
            slot->is_changed = false;
        }
        slot->index = -1; /* until it holds the new one whole */
        if (is_written(raster, index)) {
            status = transfer(raster, slot, index, false, err);
            if (status != INTRA_OK) return status;
        } else {
            memset(slot->data, 0, raster->strip_bytes);
            if (is_elsewhere(raster, index)) {
                status = raster->source.fetch(raster->source.user, index, slot->data, err);
                if (status == INTRA_OK) status = mark_written(raster, index, err);
                if (status != INTRA_OK) return status;
                slot->is_changed = true; /* fetched once: later it comes from the scratch file */
            }
        }
        slot->index = index;
    }
    slot->used = ++raster->clock;
    raster->last = slot;
    *out = slot;
    return INTRA_OK;
}

enum intra_status intra_raster_strip(struct intra_raster *raster, int64_t index, void **out, struct intra_error *err)
{
    struct slot *slot;
    enum intra_status status;
    *out = NULL;
    if (index < 0) return INTRA_FAIL(err, INTRA_E_ARG, "raster strip %lld is before the first", (long long)index);
    status = load(raster, index, &slot, err);
    if (status != INTRA_OK) return status;
    status = mark_written(raster, index, err);
    if (status != INTRA_OK) return status;
    slot->is_changed = true;
    *out = slot->data;
    return INTRA_OK;
}

enum intra_status intra_raster_peek(struct intra_raster *raster, int64_t index, const void **out,
                                    struct intra_error *err)
{
    struct slot *slot;
    enum intra_status status;
    *out = NULL;
    if (index < 0) return INTRA_FAIL(err, INTRA_E_ARG, "raster strip %lld is before the first", (long long)index);
    if (!is_written(raster, index) && !is_elsewhere(raster, index)) return INTRA_OK;
    status = load(raster, index, &slot, err);
    if (status == INTRA_OK) *out = slot->data;
    return status;
}

enum intra_status intra_raster_read(struct intra_raster *raster, int64_t col, int n, void *out, struct intra_error *err)
{
    size_t cell = raster->cell_bytes, out_row = (size_t)(n > 0 ? n : 0) * cell;
    size_t strip_row = (size_t)raster->strip_cols * cell;
    if (col < 0 || n < 0 || col > INT64_MAX - n)
        return INTRA_FAIL(err, INTRA_E_ARG, "raster columns %lld to %lld + %d make no sense", (long long)col,
                          (long long)col, n);
    for (int done = 0; done < n;) {
        int64_t index = (col + done) / raster->strip_cols;
        int from = (int)((col + done) % raster->strip_cols), count = raster->strip_cols - from;
        const void *strip;
        if (count > n - done) count = n - done;
        enum intra_status status = intra_raster_peek(raster, index, &strip, err);
        if (status != INTRA_OK) return status;
        for (int r = 0; r < raster->rows; r++) {
            char *to = (char *)out + (size_t)r * out_row + (size_t)done * cell;
            if (strip)
                memcpy(to, (const char *)strip + (size_t)r * strip_row + (size_t)from * cell, (size_t)count * cell);
            else
                memset(to, 0, (size_t)count * cell);
        }
        done += count;
    }
    return INTRA_OK;
}
