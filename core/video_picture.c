/* What the picture itself says, where the stream is silent: combing, field order, how it differs from another.
 *
 * Combing. In an interlaced picture of a moving scene a row differs from both its neighbours, while the rows two away
 * (same field) fit. Count the samples that stick out from the rows one away, and the samples that stick out from the
 * rows two away: natural texture, noise and lens blur give a ratio of at most about one, combing gives many.
 *
 * Field order. With the top field first, the lower field of frame n and the top field of frame n+1 are one field time
 * apart, the top field of n and the lower field of n+1 three: the pair that fits better tells.
 *
 * Difference of two pictures. A duplicated frame that was coded again differs by coding noise only; a camera that
 * stands still differs little too, but its sensor grain is new in every frame, while the same grain twice is the same
 * exposure. So the fine grain (second differences along a row) of the difference is set against that of the pictures,
 * in the blocks with the least texture. core/video_repeat.c draws the conclusion.
 */
#include "core/clones.h"
#include "core/video_internal.h"

#include <stdlib.h>
#include <string.h>

/* A sample sticks out when the differences to both neighbours have one sign and a product over this (8 grey levels
 * each): above the grain of a dark sewer picture, below a moving edge. */
#define COMB_PRODUCT 64
#define COMB_MIN_SHARE 0.002 /* of the samples: one percent of the picture in clear motion is enough */
#define COMB_MIN_RATIO 2.5
/* Rows are read in pairs (both parities), one pair in this many rows. */
#define COMB_ROW_STEP 8
#define COMB_MIN_FRAMES 6 /* of the last 32; fewer may be a flash or a cut */

static void comb_count(const struct intra_view_u8 *luma, int64_t *out_near, int64_t *out_far, int64_t *out_samples)
{
    int64_t near = 0, far = 0, samples = 0;
    for (int row = 2; row + 3 < luma->rows; row += COMB_ROW_STEP) {
        for (int y = row; y < row + 2; y++) {
            const uint8_t *p = intra_row_u8(luma, y);
            const uint8_t *up1 = intra_row_u8(luma, y - 1), *up2 = intra_row_u8(luma, y - 2);
            const uint8_t *low1 = intra_row_u8(luma, y + 1), *low2 = intra_row_u8(luma, y + 2);
            int row_near = 0, row_far = 0;
            for (int x = 0; x < luma->cols; x++) {
                row_near += (up1[x] - p[x]) * (low1[x] - p[x]) > COMB_PRODUCT;
                row_far += (up2[x] - p[x]) * (low2[x] - p[x]) > COMB_PRODUCT;
            }
            near += row_near;
            far += row_far;
            samples += luma->cols;
        }
    }
    *out_near = near;
    *out_far = far;
    *out_samples = samples;
}

/* Rows of one field of `a` against the mean of the rows around them, of the other field, in `b`. */
static int64_t field_misfit(const struct intra_view_u8 *a, const struct intra_view_u8 *b, int first_row)
{
    int64_t sum = 0;
    for (int y = first_row; y + 1 < a->rows; y += COMB_ROW_STEP) {
        const uint8_t *p = intra_row_u8(a, y), *up = intra_row_u8(b, y - 1), *low = intra_row_u8(b, y + 1);
        int row = 0;
        for (int x = 0; x < a->cols; x++)
            row += abs(2 * p[x] - up[x] - low[x]);
        sum += row;
    }
    return sum;
}

void intra_comb_add(struct intra_comb_state *state, const struct intra_view_u8 *luma,
                    const struct intra_view_u8 *previous)
{
    int64_t near, far, samples;
    bool is_combed;
    comb_count(luma, &near, &far, &samples);
    is_combed = (double)near > COMB_MIN_SHARE * (double)samples && (double)near > COMB_MIN_RATIO * (double)far;
    state->frames++;
    state->combed += is_combed;
    state->history = state->history << 1 | (uint32_t)is_combed;
    if (is_combed && previous) {
        state->top_first += field_misfit(previous, luma, 3); /* lower field, then top field of the next frame */
        state->low_first += field_misfit(previous, luma, 2);
    }
}

bool intra_comb_is_interlaced(const struct intra_comb_state *state)
{
    int combed = __builtin_popcount(state->history);
    if (state->frames < 2 * COMB_MIN_FRAMES) return combed >= 2 && 2 * combed > state->frames;
    return combed >= COMB_MIN_FRAMES;
}

bool intra_comb_is_top_first(const struct intra_comb_state *state)
{
    return state->top_first <= state->low_first;
}

#define BLOCK 16
#define BLOCK_ROW_STEP 2 /* every second row: half the time, same answer */
#define FLAT_BINS 64
#define FLAT_SHARE 4 /* the flattest quarter of the blocks */

#define CHANGE_BINS 512
#define CHANGE_PER_LEVEL 8
#define OVERLAY_SHARE 100 /* one block in so many may change as it likes: a clock or counter in the overlay */

struct block_sums {
    int change;                       /* sum of absolute differences */
    int grain_a, grain_b, grain_diff; /* sums of absolute second differences along the row */
};

static inline uint16_t magnitude(int value)
{
    int16_t v = (int16_t)value;
    return (uint16_t)(v < 0 ? -v : v);
}

/* Reads one column to the left and right of the block too. Sums stay in 16-bit lanes, one a column, for SIMD. */
INTRA_CLONES static struct block_sums compare_block(const uint8_t *a, ptrdiff_t a_stride, const uint8_t *b, ptrdiff_t b_stride)
{
    uint16_t change[BLOCK] = {0}, grain_a[BLOCK] = {0}, grain_b[BLOCK] = {0}, grain_diff[BLOCK] = {0};
    struct block_sums s = {0};
    for (int y = 0; y < BLOCK; y += BLOCK_ROW_STEP, a += BLOCK_ROW_STEP * a_stride, b += BLOCK_ROW_STEP * b_stride) {
        for (int x = 0; x < BLOCK; x++) {
            int16_t curve_a = (int16_t)(2 * a[x] - a[x - 1] - a[x + 1]);
            int16_t curve_b = (int16_t)(2 * b[x] - b[x - 1] - b[x + 1]);
            change[x] = (uint16_t)(change[x] + magnitude(a[x] - b[x]));
            grain_a[x] = (uint16_t)(grain_a[x] + magnitude(curve_a));
            grain_b[x] = (uint16_t)(grain_b[x] + magnitude(curve_b));
            grain_diff[x] = (uint16_t)(grain_diff[x] + magnitude(curve_a - curve_b));
        }
    }
    for (int x = 0; x < BLOCK; x++) {
        s.change += change[x];
        s.grain_a += grain_a[x];
        s.grain_b += grain_b[x];
        s.grain_diff += grain_diff[x];
    }
    return s;
}

struct intra_picture_change intra_picture_compare(const struct intra_view_u8 *a, const struct intra_view_u8 *b)
{
    const int per_block = BLOCK * BLOCK / BLOCK_ROW_STEP;
    int64_t count[FLAT_BINS] = {0}, grain[FLAT_BINS] = {0}, grain_diff[FLAT_BINS] = {0};
    int64_t blocks = 0, change = 0, flat = 0, above = 0, sum = 0, sum_diff = 0;
    int changed[CHANGE_BINS] = {0}, level = CHANGE_BINS;
    struct intra_picture_change result = {.mean = 255.0, .noise_ratio = 1.0}; /* too small a picture: unlike */
    for (int row = 0; row + BLOCK <= a->rows; row += BLOCK) {
        for (int col = 1; col + BLOCK < a->cols; col += BLOCK) {
            struct block_sums s =
                compare_block(intra_row_u8(a, row) + col, a->stride, intra_row_u8(b, row) + col, b->stride);
            /* Blocks are sorted into bins by their grain, a quarter grey level a sample wide. */
            int bin = (s.grain_a + s.grain_b) * 2 / per_block, change_bin = s.change * CHANGE_PER_LEVEL / per_block;
            if (bin > FLAT_BINS - 1) bin = FLAT_BINS - 1;
            changed[change_bin < CHANGE_BINS ? change_bin : CHANGE_BINS - 1]++;
            count[bin]++;
            grain[bin] += s.grain_a + s.grain_b;
            grain_diff[bin] += s.grain_diff;
            change += s.change;
            blocks++;
        }
    }
    if (blocks == 0) return result;
    for (int bin = 0; bin < FLAT_BINS && flat * FLAT_SHARE < blocks; bin++) {
        flat += count[bin];
        sum += grain[bin];
        sum_diff += grain_diff[bin];
    }
    result.mean = (double)change / (double)(blocks * per_block);
    while (level > 0 && above * OVERLAY_SHARE <= blocks)
        above += changed[--level];
    result.block_high = (double)(level + 1) / CHANGE_PER_LEVEL;
    /* Independent grain adds as squares: the difference has sqrt(2) times the grain of one, hence 1/sqrt(2) of the sum
     * of both; scaled so that this is 1. */
    result.noise_ratio = sum > 0 ? 1.4142135623730951 * (double)sum_diff / (double)sum : 0.0;
    return result;
}
