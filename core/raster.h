/* A raster that is too wide for memory: kept on disk as column strips, written and read in any order.
 *
 * Rows lie in memory, columns run along the pipe. Cells never written read as zero. The file is a scratch file that
 * disappears with intra_raster_destroy (and is unlinked at once, so a killed program leaves nothing). Not safe from
 * several threads at once on one raster, unless they take turns by intra_raster_lock. */
#ifndef INTRA_CORE_RASTER_H
#define INTRA_CORE_RASTER_H

#include "core/status.h"

#include <stddef.h>
#include <stdint.h>

struct intra_raster;

/* cell_bytes: bytes of one cell (channels x sample size). strip_cols: columns a strip holds (e.g. 256). cache_strips: strips
 * kept in memory (least recently used goes to disk). dir: where the scratch file stands; it must exist. */
enum intra_status intra_raster_create(const char *dir, int rows, size_t cell_bytes, int strip_cols, int cache_strips,
                                      struct intra_raster **out, struct intra_error *err);
void intra_raster_destroy(struct intra_raster **raster);

/* Strips that are fetched from elsewhere when they are first asked for: `fetch` fills strip `index` (rows x strip_cols
 * cells, zero before). From then on the strip is as if written. */
struct intra_raster_source {
    enum intra_status (*fetch)(void *user, int64_t index, void *cells, struct intra_error *err);
    void (*close)(void *user); /* with the raster; NULL: nothing to do */
    void *user;
    int64_t first, end; /* strips [first, end) come from it */
};
/* For a raster that holds nothing yet; once. The raster owns source.user from here on. What `fetch` fails with is what the call fails with that asked for the strip; it may be asked for again. */
void intra_raster_set_source(struct intra_raster *raster, const struct intra_raster_source *source);

/* For threads that share a raster: hold it from asking for a strip until done with it. */
void intra_raster_lock(struct intra_raster *raster);
void intra_raster_unlock(struct intra_raster *raster);

int intra_raster_rows(const struct intra_raster *raster);
int intra_raster_strip_cols(const struct intra_raster *raster);
size_t intra_raster_cell_bytes(const struct intra_raster *raster);

/* Pointer to strip `index` (any integer >= 0): rows x strip_cols cells, row-major, valid until the next intra_raster_strip or
 * _peek call that may evict it (that is, for cache_strips - 1 other strips). The strip is marked as changed. */
enum intra_status intra_raster_strip(struct intra_raster *raster, int64_t index, void **out, struct intra_error *err);
/* The same for reading only: not marked as changed. *out is NULL when the strip was never written and has no source. */
enum intra_status intra_raster_peek(struct intra_raster *raster, int64_t index, const void **out,
                                    struct intra_error *err);
/* Copy columns [col, col + n) of all rows into out (rows x n cells, row-major); unwritten cells are zero. */
enum intra_status intra_raster_read(struct intra_raster *raster, int64_t col, int n, void *out, struct intra_error *err);

#endif
