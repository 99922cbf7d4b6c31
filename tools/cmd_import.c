/* import: an inspection record into a finished project: read, placed on the wall, into the store; then the files that
 * show observations are made again. */
#include "tools/commands.h"
#include "tools/console.h"
#include "tools/json.h"
#include "tools/options.h"
#include "tools/page.h"
#include "tools/record_again.h"
#include "tools/record_places.h"

#include "core/fileio.h"
#include "core/mem.h"
#include "core/store.h"
#include "core/store_records.h"
#include "export/record.h"

#include <stdio.h>

enum {
    OPT_FORMAT,
    OPT_RECORD_FIRST,
    OPT_RECORD_LAST = OPT_RECORD_FIRST + INTRA_N_RECORD_OPTIONS - 1,
    OPT_KEEP,
    OPT_JSON,
    OPT_QUIET,
    N_OPTIONS
};

static const struct intra_option options[N_OPTIONS] = {
    [OPT_FORMAT] = {"format", 0, "FORMAT", "of the record; default: recognised by content:\n" INTRA_RECORD_NAMES_READ},
    INTRA_RECORD_OPTIONS(OPT_RECORD_FIRST),
    [OPT_KEEP] = {"keep", 0, NULL,
                  "where the same inspection was imported before: keep that beside it; default: it is replaced"},
    [OPT_JSON] = {"json", 0, NULL, "print the result as JSON"},
    [OPT_QUIET] = {"quiet", 'q', NULL, "print errors only"},
};

static const struct intra_usage usage = {
    "import",
    "OUT RECORD",
    "Adds an inspection record to a finished reconstruction: its observations are placed on the wall, looked for "
    "there,\n"
    "measured, and stand in project.sqlite beside those imported before (the same inspection again replaces itself);\n"
    "observations.csv, observations.gpkg, the\n"
    "models and report.html are made again. Stations of the model count from where the camera set out unless "
    "--start-station\n"
    "was given: then --station-offset says where the record's 0 is.",
    "intrados import run.intrados PACP_folder --inspection 17\n"
    "  intrados import run.intrados inspections.mdb --inspection list\n"
    "  intrados import run.intrados survey.xml --station-offset 0.4m\n"
    "  intrados import run.intrados yolo/labels --format yolo",
    options,
    N_OPTIONS};

struct request {
    const char *project;
    struct intra_record_request record;
    enum intra_record_format format;
    bool is_keeping, is_json, is_quiet;
};

static enum intra_status set_option(void *user, int option, const char *value, struct intra_error *err)
{
    struct request *r = user;
    if (option >= OPT_RECORD_FIRST && option <= OPT_RECORD_LAST)
        return intra_record_option_set(&r->record, option - OPT_RECORD_FIRST, value, err);
    switch (option) {
    case OPT_FORMAT:
        r->format = intra_record_format_from_name(value);
        if (r->format == INTRA_RECORD_NONE)
            return INTRA_FAIL(err, INTRA_E_ARG, "--format: '%s' is no format of a record: %s", value,
                              INTRA_RECORD_NAMES_READ);
        return INTRA_OK;
    case OPT_KEEP:
        r->is_keeping = true;
        return INTRA_OK;
    case OPT_JSON:
        r->is_json = true;
        return INTRA_OK;
    case OPT_QUIET:
        r->is_quiet = true;
        return INTRA_OK;
    default:
        return INTRA_FAIL(err, INTRA_E_ARG, "option %d is not known", option);
    }
}

/* replaced: the inspection that went for it; 0: none. */
static void print_result(const struct request *r, const struct intra_record *record, int64_t record_id,
                         int64_t replaced)
{
    const struct intra_inspection *p = &record->inspections[0];
    const struct intra_record_counts *c = &record->counts;
    int64_t placed = 0;
    for (int64_t k = 0; k < p->n_observations; k++)
        placed += p->observations[k].place.is_placed;
    if (r->is_json) {
        struct intra_json json = {.stream = stdout, .is_pretty = true};
        intra_json_open(&json, NULL, '{');
        intra_json_integer(&json, "record", record_id);
        intra_json_text(&json, "format", intra_record_format_name(record->format));
        intra_json_text(&json, "inspection", p->id);
        intra_json_text(&json, "pipe", p->pipe);
        if (replaced) intra_json_integer(&json, "replaced_inspection", replaced);
        intra_json_integer(&json, "observations", p->n_observations);
        intra_json_integer(&json, "placed", placed);
        intra_json_integer(&json, "read", c->read);
        intra_json_integer(&json, "kept", c->kept);
        intra_json_integer(&json, "refused", c->refused);
        intra_json_text(&json, "first_kept", c->first_kept[0] ? c->first_kept : NULL);
        intra_json_text(&json, "first_refused", c->first_refused[0] ? c->first_refused : NULL);
        intra_json_close(&json, '}');
        return;
    }
    if (r->is_quiet) return;
    printf("%s (%s): %lld observations read, %lld values kept as text only, %lld rows refused\n", r->record.path,
           intra_record_format_name(record->format), (long long)c->read, (long long)c->kept, (long long)c->refused);
    if (c->kept) printf("  kept: %s\n", c->first_kept);
    if (c->refused) printf("  refused: %s\n", c->first_refused);
    printf("inspection %s: %lld observations, %lld of them placed on the wall\n", p->id ? p->id : "",
           (long long)p->n_observations, (long long)placed);
    if (replaced)
        printf("  in place of @%lld, the same inspection imported before; --keep keeps both\n", (long long)replaced);
    for (int64_t k = 0; k < p->n_observations; k++)
        if (!p->observations[k].place.is_placed) {
            printf("  first not placed: %s: %s\n", p->observations[k].code ? p->observations[k].code : "",
                   p->observations[k].place.reason);
            break;
        }
}

static enum intra_status run_import(const struct request *r, struct intra_console *console, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_record record;
    struct intra_scene scene;
    struct intra_store *store = NULL;
    struct intra_progress progress = intra_console_progress(console);
    struct intra_record_video video;
    char path[1100], *video_path = NULL;
    int64_t record_id = 0, replaced = 0;
    intra_scene_init(&scene);
    intra_record_init(&record);
    INTRA_TRY(intra_path_join(path, sizeof path, r->project, "project.sqlite", err));
    INTRA_TRY(intra_store_open(path, &store, err));
    INTRA_TRY(intra_store_read_scene(store, &scene, err));
    INTRA_TRY(intra_record_project_video(store, &scene, &video_path, &video, err));
    INTRA_TRY(intra_record_load(&r->record, r->format, &video, r->is_json ? NULL : stderr, &record, err));
    if (intra_record_is_list(&r->record)) {
        intra_record_list(&record, record.n_inspections, stdout);
        goto done;
    }
    INTRA_TRY(intra_record_load_wall(r->project, r->project, &scene, err));
    INTRA_TRY(intra_record_place(&scene, &r->record.locate, &record, err));
    if (!r->is_keeping)
        INTRA_TRY(intra_record_find_again(store, &record.inspections[0], r->record.path, &replaced, err));
    intra_store_close(&store);
    INTRA_TRY(intra_store_replace_record(path, &record, replaced, &record_id, err));
    INTRA_TRY(intra_page_refresh(r->project, &scene, &progress, err));
    intra_console_clear(console);
    print_result(r, &record, record_id, replaced);
done:
    intra_free(video_path);
    intra_store_close(&store);
    intra_scene_fini(&scene);
    intra_record_fini(&record);
    return status;
}

int intra_cmd_import(int argc, char **argv)
{
    struct intra_error err = {0};
    struct request r = {.record = intra_record_request_defaults()};
    struct intra_console *console = NULL;
    int first = 0;
    enum intra_status status = intra_options_parse(&usage, argc, argv, set_option, &r, &first, &err);
    if (status == INTRA_EOF) return INTRA_EXIT_DONE;
    if (status == INTRA_OK && argc - first != 2)
        status = INTRA_FAIL(&err, INTRA_E_ARG, "give the folder of a finished project and one record");
    if (status != INTRA_OK) return intra_command_fail("import", &err);
    r.project = argv[first];
    r.record.path = argv[first + 1];
    INTRA_TRY(intra_console_open(r.is_quiet || r.is_json, &console, &err));
    INTRA_TRY(run_import(&r, console, &err));
done:
    if (console) intra_console_clear(console);
    intra_console_close(&console);
    return status == INTRA_OK ? INTRA_EXIT_DONE : intra_command_fail("import", &err);
}
