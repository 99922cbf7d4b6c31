/* evaluate: how far a result is from the truth. */
#include "tools/commands.h"
#include "tools/evaluate.h"
#include "tools/options.h"

#include "core/fileio.h"

#include <stdio.h>

enum { OPT_TRUTH, OPT_OUT, OPT_BLOCKS, OPT_PLOT, OPT_JSON, N_OPTIONS };

static const struct intra_option options[N_OPTIONS] = {
    [OPT_TRUTH] = {"truth", 't', "DIR",
                   "what 'intrados simulate' wrote: the folder, or the truth folder in it (required)"},
    [OPT_OUT] = {"output", 'o', "FILE", "write the figures as JSON to this file too"},
    [OPT_BLOCKS] = {"blocks", 0, "FILE", "a table of every block of wall that was compared, as CSV"},
    [OPT_PLOT] = {"plot", 0, "DIR", "draw the errors along the pipe: DIR/errors.svg"},
    [OPT_JSON] = {"json", 0, NULL, "JSON instead of the table on standard output"},
};

static const struct intra_usage usage = {
    "evaluate",
    "OUT --truth DIR",
    "Compares a result (its trajectory.tum, frames.csv, profile.csv, observations.csv, "
    "unrolled.tif, relief.tif and coverage.tif) with the truth\n"
    "of a simulated video. What each figure means: docs/evaluation.md.",
    "intrados evaluate pipe.intrados --truth pipe/",
    options,
    N_OPTIONS};

struct request {
    const char *truth, *out_file, *blocks, *plot;
    bool is_json;
};

static enum intra_status set_option(void *user, int option, const char *value, struct intra_error *err)
{
    struct request *r = user;
    switch (option) {
    case OPT_TRUTH:
        r->truth = value;
        return INTRA_OK;
    case OPT_OUT:
        r->out_file = value;
        return INTRA_OK;
    case OPT_BLOCKS:
        r->blocks = value;
        return INTRA_OK;
    case OPT_PLOT:
        r->plot = value;
        return INTRA_OK;
    case OPT_JSON:
        r->is_json = true;
        return INTRA_OK;
    default:
        return INTRA_FAIL(err, INTRA_E_ARG, "option %d is not known", option);
    }
}

/* Truth state by our state. */
static void count_states(const struct intra_evaluation *e, int64_t table[EVAL_STATES][EVAL_STATES])
{
    for (int64_t i = 0; i < e->n_frames; i++)
        table[e->frames[i].truth_state][e->frames[i].state]++;
}

static void print_states(const struct intra_evaluation *e)
{
    int64_t table[EVAL_STATES][EVAL_STATES] = {{0}};
    count_states(e, table);
    printf("\nStates of frames: truth down, result across\n%-12s", "");
    for (int j = 0; j < EVAL_STATES; j++)
        printf("%10s", intra_eval_state_names[j]);
    printf("\n");
    for (int i = 0; i < EVAL_MISSING; i++) {
        int64_t sum = 0;
        for (int j = 0; j < EVAL_STATES; j++)
            sum += table[i][j];
        if (!sum) continue;
        printf("  %-10s", intra_eval_state_names[i]);
        for (int j = 0; j < EVAL_STATES; j++)
            printf("%10lld", (long long)table[i][j]);
        printf("\n");
    }
}

static void put_json(const struct intra_evaluation *e, const char *out_dir, const char *truth, FILE *stream)
{
    struct intra_json json = {.stream = stream, .is_pretty = true};
    int64_t table[EVAL_STATES][EVAL_STATES] = {{0}};
    count_states(e, table);
    intra_json_open(&json, NULL, '{');
    intra_json_text(&json, "out", out_dir);
    intra_json_text(&json, "truth", truth);
    intra_figures_put_json(&e->figures, &json);
    intra_json_open(&json, "states", '{');
    for (int i = 0; i < EVAL_MISSING; i++) {
        intra_json_open(&json, intra_eval_state_names[i], '{');
        for (int j = 0; j < EVAL_STATES; j++)
            if (table[i][j]) intra_json_integer(&json, intra_eval_state_names[j], table[i][j]);
        intra_json_close(&json, '}');
    }
    intra_json_close(&json, '}');
    intra_json_close(&json, '}');
}

static enum intra_status write_json(const struct intra_evaluation *e, const char *out_dir, const struct request *r,
                                    struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_out_file file = {0};
    INTRA_TRY(intra_out_file_open(&file, r->out_file, err));
    put_json(e, out_dir, r->truth, file.stream);
    INTRA_TRY(intra_out_file_commit(&file, err));
done:
    intra_out_file_abandon(&file);
    return status;
}

static enum intra_status evaluate(const char *out_dir, const struct request *r, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_evaluation e = {0};
    INTRA_TRY(intra_evaluation_read(&e, out_dir, r->truth, err));
    INTRA_TRY(intra_evaluate_frames(&e, err));
    INTRA_TRY(intra_evaluate_motion(&e, err));
    INTRA_TRY(intra_evaluate_profile(&e, err));
    INTRA_TRY(intra_evaluate_wall(&e, r->blocks, err));
    INTRA_TRY(intra_evaluate_relief(&e, err));
    INTRA_TRY(intra_evaluate_coverage(&e, err));
    INTRA_TRY(intra_evaluate_joints(&e, err));
    INTRA_TRY(intra_evaluate_features(&e, err));
    INTRA_TRY(intra_evaluate_lens(&e, err));
    if (r->plot) INTRA_TRY(intra_evaluate_draw(&e, r->plot, err));
    if (r->out_file) INTRA_TRY(write_json(&e, out_dir, r, err));
    if (r->is_json) {
        put_json(&e, out_dir, r->truth, stdout);
    } else {
        intra_figures_print(&e.figures, stdout);
        print_states(&e);
    }
done:
    intra_evaluation_fini(&e);
    return status;
}

int intra_cmd_evaluate(int argc, char **argv)
{
    struct intra_error err = {0};
    struct request request = {0};
    int first = 0;
    enum intra_status status = intra_options_parse(&usage, argc, argv, set_option, &request, &first, &err);
    if (status == INTRA_EOF) return INTRA_EXIT_DONE;
    if (status == INTRA_OK && first == argc)
        status = INTRA_FAIL(&err, INTRA_E_ARG, "no result given: the folder to evaluate");
    if (status == INTRA_OK && argc - first > 1)
        status = INTRA_FAIL(&err, INTRA_E_ARG, "'%s': one result at a time", argv[first + 1]);
    if (status == INTRA_OK && !request.truth)
        status = INTRA_FAIL(&err, INTRA_E_ARG,
                            "--truth is missing: the folder that 'intrados simulate' made, e.g. --truth pipe/");
    if (status == INTRA_OK) status = evaluate(argv[first], &request, &err);
    return status == INTRA_OK ? INTRA_EXIT_DONE : intra_command_fail("evaluate", &err);
}
