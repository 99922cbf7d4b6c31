/* A stage to copy. Method: integer sums of luma per row, added in order of rows; a mean against two limits. Integers
 * make the sum exact, so the result cannot depend on who added what. */
#include "recon/sample_stage.h"

#include "core/mem.h"

#include <assert.h>
#include <math.h>

struct intra_sample_options intra_sample_defaults(void)
{
    /* Black and white of studio-range video (BT.601): a frame beyond them shows nothing, whatever the lamp. */
    struct intra_sample_options options = {.dark_below = 16, .bright_above = 235, .threads = 1};
    return options;
}

enum intra_status intra_sample_start(struct intra_sample_stage *stage, int rows, int cols,
                                     const struct intra_sample_options *options, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_sample_stage made = {.options = *options, .rows = rows, .cols = cols};
    if (rows < 1 || cols < 1)
        return INTRA_FAIL(err, INTRA_E_ARG, "picture is %d x %d pixels, want at least 1 x 1", cols, rows);
    /* Written so that NaN is refused too. */
    if (!(options->dark_below <= options->bright_above))
        return INTRA_FAIL(err, INTRA_E_ARG, "dark_below %g is above bright_above %g", options->dark_below,
                          options->bright_above);
    if (options->threads < 1) return INTRA_FAIL(err, INTRA_E_ARG, "%d threads, want at least 1", options->threads);
    INTRA_TRY(INTRA_ALLOC(made.row_sums, (size_t)rows, err));
    *stage = made;
    made.row_sums = NULL;
done:
    intra_free(made.row_sums);
    return status;
}

enum intra_status intra_sample_process(struct intra_sample_stage *stage, const struct intra_view_u8 *luma,
                                       struct intra_error *err)
{
    uint64_t sum = 0;
    double mean;
    assert(stage->row_sums);
    if (luma->rows != stage->rows || luma->cols != stage->cols || luma->channels != 1)
        return INTRA_FAIL(err, INTRA_E_ARG, "frame is (%d, %d, %d), want (%d, %d, 1)", luma->rows, luma->cols,
                          luma->channels, stage->rows, stage->cols);

#pragma omp parallel for num_threads(stage->options.threads) schedule(static)
    for (int row = 0; row < stage->rows; row++) {
        const uint8_t *p = intra_row_u8(luma, row);
        uint64_t of_row = 0;
        for (int col = 0; col < stage->cols; col++)
            of_row += p[col];
        stage->row_sums[row] = of_row;
    }
    for (int row = 0; row < stage->rows; row++)
        sum += stage->row_sums[row];

    mean = (double)sum / ((double)stage->rows * stage->cols);
    stage->frames++;
    stage->dark += mean < stage->options.dark_below;
    stage->bright += mean > stage->options.bright_above;
    stage->sum += sum;
    stage->pixels += (uint64_t)stage->rows * (uint64_t)stage->cols;
    return INTRA_OK;
}

void intra_sample_finish(struct intra_sample_stage *stage, struct intra_sample_counts *out)
{
    if (out) {
        out->frames = stage->frames;
        out->dark = stage->dark;
        out->bright = stage->bright;
        out->mean_luma = stage->pixels ? (double)stage->sum / (double)stage->pixels : (double)NAN;
    }
    intra_free(stage->row_sums);
    *stage = (struct intra_sample_stage){0};
}
