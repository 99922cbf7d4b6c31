/* Which frames repeat the last picture.
 *
 * A repeat differs by coding noise: little in itself, little against what pictures of this stream usually differ, and
 * with the same fine grain (intra_picture_compare). Measured on footage with real repeats, the two kinds lie apart:
 * mean change up to 0.74 grey levels and grain up to 0.65 for repeats, from 1.46 and 0.92 for new pictures.
 *
 * That leaves the camera that stands still in a stream whose codec has smoothed the grain away: frame by frame it looks
 * like a repeat. Repeats come in short runs between new pictures, stops are long. So a run of alike pictures is held
 * back until it ends (then they were repeats) or grows too long (then the camera stands). Unsure means not a repeat. */
#include "core/video_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SHARE 0.25 /* of the usual change */
#define MAX_MEAN 1.5   /* grey levels; a stream with more coding noise is too poor to tell */
#define MAX_BLOCK 4.0  /* grey levels in the blocks that changed most, the overlay's share left out */
#define MAX_GRAIN 0.7  /* between the same grain (0; up to 0.65 after coding) and new grain (1) */
#define MIN_KNOWN 4    /* changes to know before "usual" means anything */

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double usual_change(const struct intra_repeat_filter *f)
{
    double sorted[INTRA_REPEAT_WINDOW];
    memcpy(sorted, f->window, sizeof sorted);
    qsort(sorted, (size_t)f->filled, sizeof *sorted, compare_doubles);
    return sorted[f->filled / 2];
}

static bool is_alike(const struct intra_repeat_filter *f, const struct intra_picture_change *change)
{
    return change->mean <= MAX_MEAN && change->block_high <= MAX_BLOCK && change->noise_ratio <= MAX_GRAIN &&
           f->filled >= MIN_KNOWN && change->mean <= MAX_SHARE * usual_change(f);
}

enum intra_likeness intra_repeat_judge(struct intra_repeat_filter *f, const struct intra_picture_change *change)
{
    if (change->mean == 0.0 && f->is_intra_coded) return INTRA_PICTURE_SAME;
    if (is_alike(f, change)) return INTRA_PICTURE_ALIKE;
    f->window[f->next] = change->mean;
    f->next = (f->next + 1) % INTRA_REPEAT_WINDOW;
    if (f->filled < INTRA_REPEAT_WINDOW) f->filled++;
    return INTRA_PICTURE_NEW;
}

/* A run of repeats ends with a jump. Where the codec lets the grain back in bit by bit, the run of a standing camera
 * drifts away from where it began, and its end is still like the frame before. */
static bool is_drift(const struct intra_repeat_filter *f, const struct intra_frame *frame)
{
    struct intra_picture_change change;
    if (f->held_count == 0) return false;
    change = intra_picture_compare(&frame->y, &f->held[f->held_count - 1].frame->y);
    return is_alike(f, &change);
}

static void set_reference(struct intra_repeat_filter *f, struct intra_frame *frame)
{
    intra_frame_release(&f->reference);
    f->reference = intra_frame_retain(frame);
}

/* Hand out the run that was held back. */
static int let_go(struct intra_repeat_filter *f, bool is_repeat, struct intra_queue_item *out)
{
    int n = f->held_count;
    for (int i = 0; i < n; i++) {
        out[i] = f->held[i];
        if (is_repeat) out[i].frame->is_repeat = true;
    }
    f->held_count = 0;
    return n;
}

int intra_repeat_add(struct intra_repeat_filter *f, const struct intra_queue_item *item,
                     struct intra_queue_item out[INTRA_REPEAT_RUN + 1])
{
    struct intra_frame *frame = item->frame;
    enum intra_likeness likeness = INTRA_PICTURE_NEW;
    int n = 0;
    if (f->reference) {
        struct intra_picture_change change = intra_picture_compare(&frame->y, &f->reference->y);
        likeness = intra_repeat_judge(f, &change);
    }
    frame->is_repeat = likeness == INTRA_PICTURE_SAME;
    if (likeness == INTRA_PICTURE_NEW) {
        f->is_standing = is_drift(f, frame);
        n = let_go(f, !f->is_standing, out);
    } else if (!f->is_standing && (likeness == INTRA_PICTURE_ALIKE || f->held_count > 0)) {
        if (f->held_count < INTRA_REPEAT_RUN) {
            f->held[f->held_count++] = *item;
            return 0;
        }
        f->is_standing = true;
        n = let_go(f, false, out);
    }
    assert(n <= INTRA_REPEAT_RUN);
    out[n++] = *item;
    if (!frame->is_repeat) set_reference(f, frame);
    return n;
}

int intra_repeat_end(struct intra_repeat_filter *f, struct intra_queue_item out[INTRA_REPEAT_RUN + 1])
{
    intra_frame_release(&f->reference);
    return let_go(f, false, out);
}
