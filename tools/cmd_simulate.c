/* intrados simulate: a pipe video with its truth, from a scene file or a preset. */
#include "core/fileio.h"
#include "core/mem.h"
#include "core/units.h"
#include "tools/commands.h"
#include "tools/console.h"
#include "tools/json.h"
#include "tools/options.h"
#include "tools/sim/presets.h"
#include "tools/sim/simulate.h"

#include <stdio.h>
#include <string.h>
#ifdef _OPENMP
#include <omp.h>
#endif

struct args {
    const char *out, *print;
    long seed, threads, frames;
    bool is_quiet, is_json, may_replace, is_list;
};

enum { OPT_OUTPUT, OPT_SEED, OPT_FRAMES, OPT_THREADS, OPT_LIST, OPT_PRINT, OPT_FORCE, OPT_QUIET, OPT_JSON };

static const struct intra_option options[] = {
    {"output", 'o', "DIR", "where the video and its truth go"},
    {"seed", 0, "N", "instead of the scene's own: other texture, wobble and noise"},
    {"frames", 0, "N", "no more than N frames"},
    {"threads", 0, "N", "threads to render with (all cores); the result is the same"},
    {"list", 0, NULL, "the scenes that come with the program"},
    {"print", 0, "SCENE", "a scene as JSON with every key, to start your own from"},
    {"force", 0, NULL, "write into DIR even if it is there already"},
    {"quiet", 'q', NULL, "nothing but errors"},
    {"json", 0, NULL, "the summary as JSON on standard output"},
};
static const struct intra_usage usage = {
    "simulate",
    "SCENE",
    "Render an inspection video of a made-up pipe, with the truth about everything in it.\n"
    "SCENE is a preset (see --list) or a JSON file; docs/simulator.md describes its keys.",
    "intrados simulate straight-concrete-300 -o sim\n"
    "  intrados simulate --print clay-225-bend > mine.json\n"
    "  intrados simulate mine.json --seed 7 --frames 100 -o mine",
    options,
    sizeof options / sizeof options[0]};

static enum intra_status set_option(void *user, int option, const char *value, struct intra_error *err)
{
    struct args *a = user;
    switch (option) {
    case OPT_OUTPUT:
        a->out = value;
        return INTRA_OK;
    case OPT_SEED:
        return intra_parse_int("--seed", value, 0, 2147483647, &a->seed, err);
    case OPT_FRAMES:
        return intra_parse_int("--frames", value, 1, 10000000, &a->frames, err);
    case OPT_THREADS:
        return intra_parse_int("--threads", value, 1, 256, &a->threads, err);
    case OPT_LIST:
        a->is_list = true;
        return INTRA_OK;
    case OPT_PRINT:
        a->print = value;
        return INTRA_OK;
    case OPT_FORCE:
        a->may_replace = true;
        return INTRA_OK;
    case OPT_QUIET:
        a->is_quiet = true;
        return INTRA_OK;
    default:
        a->is_json = true;
        return INTRA_OK;
    }
}

/* A file if there is one of that name, else a preset. */
static enum intra_status load_scene(const char *name, struct intra_sim_scene *out, struct intra_error *err)
{
    const char *preset = intra_sim_preset_json(name);
    enum intra_status status = INTRA_OK;
    char *text = NULL;
    size_t size;
    if (!intra_path_exists(name) || intra_path_is_dir(name)) {
        if (preset) return intra_sim_scene_parse(preset, name, out, err);
        const char *names[64];
        int n = intra_sim_n_presets < 64 ? intra_sim_n_presets : 64;
        for (int i = 0; i < n; i++)
            names[i] = intra_sim_presets[i].name;
        const char *near = intra_nearest_word(name, names, n);
        return INTRA_FAIL(err, INTRA_E_IO, "%s: no such scene file or preset%s%s; see 'intrados simulate --list'", name,
                          near ? "; did you mean " : "", near ? near : "");
    }
    INTRA_TRY(intra_read_file(name, 4 << 20, &text, &size, err));
    if (strlen(text) != size) {
        status = INTRA_FAIL(err, INTRA_E_FORMAT, "%s: is not a scene file: a text in JSON is wanted", name);
        goto done;
    }
    INTRA_TRY(intra_sim_scene_parse(text, name, out, err));
done:
    intra_free(text);
    return status;
}

static enum intra_status list_presets(struct intra_error *err)
{
    for (int i = 0; i < intra_sim_n_presets; i++) {
        struct intra_sim_scene s;
        enum intra_status status = intra_sim_scene_parse(intra_sim_presets[i].json, intra_sim_presets[i].name, &s, err);
        if (status != INTRA_OK) return status;
        printf("%-26s%s\n", intra_sim_presets[i].name, s.about);
        intra_sim_scene_fini(&s);
    }
    return INTRA_OK;
}

static void print_result(const struct args *a, const struct intra_sim_scene *s, const struct intra_sim_result *r)
{
    struct intra_json j = {.stream = stdout, .is_pretty = true};
    if (!a->is_json) {
        if (!a->is_quiet)
            printf("%s/%s: %d frames of '%s', seed %lld, %.2f m of pipe; %.1f frames/s\n", a->out, r->video, r->frames,
                   s->name, (long long)s->seed, r->length_m, r->render_s > 0 ? r->frames / r->render_s : 0);
        return;
    }
    intra_json_open(&j, NULL, '{');
    intra_json_text(&j, "output", a->out);
    intra_json_text(&j, "video", r->video);
    intra_json_text(&j, "scene", s->name);
    intra_json_integer(&j, "seed", s->seed);
    intra_json_integer(&j, "frames", r->frames);
    intra_json_number(&j, "length_m", r->length_m);
    intra_json_number(&j, "prepare_s", r->prepare_s);
    intra_json_number(&j, "render_s", r->render_s);
    intra_json_number(&j, "write_s", r->write_s);
    intra_json_number(&j, "frames_per_s", r->render_s > 0 ? r->frames / r->render_s : 0);
    intra_json_close(&j, '}');
}

static enum intra_status run_scene(const struct args *a, const char *name, struct intra_error *err)
{
    struct intra_sim_scene scene = {0};
    struct intra_console *console = NULL;
    struct intra_sim_result result;
    struct intra_sim_options o = {.dir = a->out, .most_frames = (int)a->frames, .may_replace = a->may_replace};
    enum intra_status status = INTRA_OK;
    INTRA_TRY(load_scene(name, &scene, err));
    if (a->seed >= 0) scene.seed = a->seed;
    if (a->print) {
        INTRA_TRY(intra_sim_scene_write(&scene, stdout, err));
        goto done;
    }
    INTRA_TRY(intra_console_open(a->is_quiet || a->is_json, &console, err));
    o.progress = intra_console_progress(console);
    status = intra_simulate(&scene, &o, &result, err);
    intra_console_clear(console);
    if (status == INTRA_E_FORMAT) intra_error_context(err, "%s", name);
    if (status == INTRA_OK) print_result(a, &scene, &result);
done:
    intra_console_close(&console);
    intra_sim_scene_fini(&scene);
    return status;
}

int intra_cmd_simulate(int argc, char **argv)
{
    struct args a = {.seed = -1};
    struct intra_error err = {0};
    int first = 0;
    enum intra_status status = intra_options_parse(&usage, argc, argv, set_option, &a, &first, &err);
    if (status == INTRA_EOF) return INTRA_EXIT_DONE;
    if (status != INTRA_OK) return intra_command_fail("simulate", &err);
#ifdef _OPENMP
    if (a.threads > 0) omp_set_num_threads((int)a.threads);
#endif
    if (a.is_list)
        status = list_presets(&err);
    else if (a.print)
        status = run_scene(&a, a.print, &err);
    else if (first + 1 != argc)
        status = INTRA_FAIL(&err, INTRA_E_ARG, "simulate wants one SCENE, a file or a preset (see --list)");
    else if (!a.out)
        status = INTRA_FAIL(&err, INTRA_E_ARG, "-o DIR is missing: where shall the video go?");
    else
        status = run_scene(&a, argv[first], &err);
    return status == INTRA_OK ? INTRA_EXIT_DONE : intra_command_fail("simulate", &err);
}
