/* Which frames were posed, and what state each was given. */
#include "tools/evaluate.h"

#include <math.h>

/* A frame that ought to be posed: it shows the pipe, straight ahead and unzoomed. */
static bool is_wanted(const struct intra_eval_frame *f)
{
    return f->shows_pipe && f->truth_state != EVAL_PAN && f->truth_state != EVAL_NOT_PIPE && fabs(f->zoom - 1) < 1e-9;
}

enum intra_status intra_evaluate_frames(struct intra_evaluation *e, struct intra_error *err)
{
    int64_t wanted = 0, posed = 0, known = 0, same = 0, wrong = 0;
    (void)err;
    for (int64_t i = 0; i < e->n_frames; i++) {
        const struct intra_eval_frame *f = &e->frames[i];
        bool has = f->is_posed || f->state == EVAL_DUPLICATE;
        if (is_wanted(f)) {
            wanted++;
            posed += has;
        } else if (f->is_posed) {
            wrong++;
        }
        if (f->state == EVAL_MISSING) continue;
        known++;
        same += f->state == f->truth_state;
    }
    intra_figures_heading(&e->figures, "Frames");
    intra_figures_add(&e->figures, "posed_pct", "posed, of those that show the pipe and are not panning",
                      wanted ? 100.0 * (double)posed / (double)wanted : NAN, "%", wanted);
    intra_figures_add(&e->figures, "posed_unwanted", "posed, though panning, zoomed or no pipe", (double)wrong,
                      "frames", e->n_frames - wanted);
    intra_figures_add(&e->figures, "state_agreement_pct", "state as in the truth",
                      known ? 100.0 * (double)same / (double)known : NAN, "%", known);
    return INTRA_OK;
}
