/* import: an inspection record into a finished project: read, placed on the wall, into the store and the table. */
#include "tools/commands.h"
#include "tools/console.h"
#include "tools/json.h"
#include "tools/options.h"
#include "tools/record_places.h"

#include "core/fileio.h"
#include "core/mem.h"
#include "core/sheet.h"
#include "core/store.h"
#include "core/store_records.h"
#include "core/units.h"
#include "export/export.h"
#include "export/record.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { OPT_FORMAT, OPT_INSPECTION, OPT_OFFSET, OPT_OPPOSITE, OPT_JSON, OPT_QUIET, N_OPTIONS };

static const struct intra_option options[N_OPTIONS] = {
    [OPT_FORMAT] = {"format", 0, "FORMAT",
                    "pacp-csv, pacp-sqlite, wincan-db3, en-text, csv ...; default: recognised by content"},
    [OPT_INSPECTION] = {"inspection", 0, "ID",
                        "which inspection, by its id or the name of the pipe; 'list' shows them"},
    [OPT_OFFSET] = {"station-offset", 0, "LENGTH", "station of the model where the record's distance is 0, e.g. 0.4m"},
    [OPT_OPPOSITE] = {"opposite", 0, NULL, "the inspection ran against the direction of the model"},
    [OPT_JSON] = {"json", 0, NULL, "print the result as JSON"},
    [OPT_QUIET] = {"quiet", 'q', NULL, "print errors only"},
};

static const struct intra_usage usage = {
    "import",
    "OUT RECORD",
    "Adds an inspection record to a finished reconstruction: its observations are placed on the wall, looked for "
    "there,\n"
    "measured, and stand in project.sqlite and observations.csv. Stations of the model count from where the camera "
    "set\n"
    "out unless --start-station was given: then --station-offset says where the record's 0 is.",
    "intrados import run.intrados PACP_folder --inspection 17",
    options,
    N_OPTIONS};

struct request {
    const char *project, *record, *inspection;
    enum intra_record_format format;
    struct intra_locate_options locate;
    bool is_json, is_quiet;
};

static enum intra_status set_option(void *user, int option, const char *value, struct intra_error *err)
{
    struct request *r = user;
    switch (option) {
    case OPT_FORMAT:
        r->format = intra_record_format_from_name(value);
        if (r->format == INTRA_RECORD_NONE)
            return INTRA_FAIL(err, INTRA_E_ARG, "--format: '%s' is no format of a record; see docs/records.md", value);
        return INTRA_OK;
    case OPT_INSPECTION:
        r->inspection = value;
        return INTRA_OK;
    case OPT_OFFSET:
        return intra_parse_length("--station-offset", value, &r->locate.station_offset_m, err);
    case OPT_OPPOSITE:
        r->locate.is_opposite = true;
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

/* ---- the table */

struct cell {
    const char *name, *text;
};

static void put(FILE *to, const char *text, bool is_first)
{
    bool is_quoted = text[strcspn(text, ",\"\r\n")] != 0;
    if (!is_first) fputc(',', to);
    if (is_quoted) fputc('"', to);
    for (; *text; text++) {
        if (*text == '"') fputc('"', to);
        fputc(*text, to);
    }
    if (is_quoted) fputc('"', to);
}

static void number_text(char out[32], double value, int decimals)
{
    snprintf(out, 32, isfinite(value) ? "%.*f" : "", decimals, value);
}

/* One row for the columns that the table has; those that are not of a record stay empty. */
static void put_row(FILE *to, const struct intra_sheet *t, const struct intra_record *record,
                    const struct intra_observation *o, int64_t record_id, int64_t k)
{
    const struct intra_place *p = &o->place;
    const struct intra_wall_region *r = p->is_refined ? &p->refined : &p->recorded;
    char id[64], number[15][32], clock[2][32] = {"", ""};
    const struct intra_extent *e = &o->extent;
    const double hours[2] = {r->clock_from_rad, r->clock_to_rad};
    snprintf(id, sizeof id, "record%lld-%lld", (long long)record_id, (long long)k + 1);
    for (int i = 0; i < 2; i++)
        if (isfinite(hours[i])) number_text(clock[i], intra_clock_from_theta(hours[i]), 1);
    number_text(number[0], r->station_from_m, 4);
    number_text(number[1], r->station_to_m, 4);
    number_text(number[2], r->station_sd_m, 4);
    number_text(number[3], r->clock_sd_rad * 6 / M_PI, 2);
    number_text(number[4], p->x.x, 4);
    number_text(number[5], p->x.y, 4);
    number_text(number[6], p->x.z, 4);
    number_text(number[7], p->time_s, 4);
    number_text(number[8], p->frame >= 0 ? (double)p->frame : (double)NAN, 0);
    const double extents[] = {
        e->length_m * 1e3,   e->length_sd_m * 1e3, e->is_width_limit ? (double)NAN : e->width_m * 1e3,
        e->width_sd_m * 1e3, e->area_m2 * 1e6,     e->area_sd_m2 * 1e6};
    for (int i = 0; i < 6; i++)
        number_text(number[9 + i], extents[i], i < 4 ? 2 : 0);
    if (e->is_width_limit) number[12][0] = '\0';
    const struct cell cells[] = {{"id", id},
                                 {"code", o->code ? o->code : ""},
                                 {"kind", "recorded"},
                                 {"station_from_m", number[0]},
                                 {"station_to_m", number[1]},
                                 {"clock_from", clock[0]},
                                 {"clock_to", clock[1]},
                                 {"length_mm", number[9]},
                                 {"length_sd_mm", number[10]},
                                 {"width_mm", number[11]},
                                 {"width_sd_mm", number[12]},
                                 {"area_mm2", number[13]},
                                 {"area_sd_mm2", number[14]},
                                 {"x", number[4]},
                                 {"y", number[5]},
                                 {"z", number[6]},
                                 {"frame", number[8]},
                                 {"t", number[7]},
                                 {"source", intra_record_format_name(record->format)},
                                 {"station_sd_m", number[2]},
                                 {"clock_sd", number[3]}};
    for (int c = 0; c < t->n_cols; c++) {
        const char *text = "";
        for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++)
            if (strcmp(cells[i].name, t->names[c]) == 0) text = cells[i].text;
        put(to, text, c == 0);
    }
    fputc('\n', to);
}

/* observations.csv as it is, and the new rows behind it; written beside and renamed. */
static enum intra_status add_to_table(const char *path, const struct intra_record *record, int64_t chosen,
                                      int64_t record_id, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_out_file file = {0};
    struct intra_sheet t = {0};
    char *text = NULL, *copy;
    size_t size = 0;
    const struct intra_inspection *p = &record->inspections[chosen];
    INTRA_TRY(intra_read_file(path, (size_t)1 << 30, &text, &size, err));
    copy = intra_strdup(text);
    if (!copy) {
        status = INTRA_FAIL(err, INTRA_E_MEM, "%s: out of memory", path);
        goto done;
    }
    INTRA_TRY(intra_sheet_parse_csv(copy, &t, err));
    INTRA_TRY(intra_out_file_open(&file, path, err));
    fwrite(text, 1, size, file.stream);
    for (int64_t k = 0; k < p->n_observations; k++)
        put_row(file.stream, &t, record, &p->observations[k], record_id, k);
    INTRA_TRY(intra_out_file_commit(&file, err));
done:
    intra_out_file_abandon(&file);
    intra_sheet_fini(&t);
    intra_free(text);
    return status;
}

/* ---- the command */

static void print_result(const struct request *r, const struct intra_record *record, int64_t chosen, int64_t record_id)
{
    const struct intra_inspection *p = &record->inspections[chosen];
    const struct intra_record_counts *c = &record->counts;
    int64_t placed = 0;
    for (int64_t k = 0; k < p->n_observations; k++)
        placed += p->observations[k].place.is_placed;
    if (r->is_json) {
        struct intra_json json = {.stream = stdout, .is_pretty = true};
        intra_json_open(&json, NULL, '{');
        intra_json_integer(&json, "record", record_id);
        intra_json_text(&json, "format", intra_record_format_name(record->format));
        intra_json_integer(&json, "inspections", record->n_inspections);
        intra_json_text(&json, "inspection", p->id);
        intra_json_text(&json, "pipe", p->pipe);
        intra_json_integer(&json, "observations", p->n_observations);
        intra_json_integer(&json, "placed", placed);
        intra_json_integer(&json, "read", c->read);
        intra_json_integer(&json, "kept", c->kept);
        intra_json_integer(&json, "refused", c->refused);
        intra_json_text(&json, "first_kept", c->first_kept[0] ? c->first_kept : NULL);
        intra_json_text(&json, "first_refused", c->first_refused[0] ? c->first_refused : NULL);
        intra_json_close(&json, '}');
    } else if (!r->is_quiet) {
        printf("%s (%s): %lld observations read, %lld values kept as text only, %lld rows refused\n", r->record,
               intra_record_format_name(record->format), (long long)c->read, (long long)c->kept, (long long)c->refused);
        if (c->kept) printf("  kept: %s\n", c->first_kept);
        if (c->refused) printf("  refused: %s\n", c->first_refused);
        printf("inspection %s: %lld observations, %lld of them placed on the wall\n", p->id ? p->id : "",
               (long long)p->n_observations, (long long)placed);
        for (int64_t k = 0; k < p->n_observations; k++)
            if (!p->observations[k].place.is_placed) {
                printf("  first not placed: %s: %s\n", p->observations[k].code, p->observations[k].place.reason);
                break;
            }
    }
}

static enum intra_status run_import(const struct request *r, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_record record;
    struct intra_scene scene;
    struct intra_store *store = NULL;
    char path[1100], table[1100];
    bool *is_chosen = NULL;
    int64_t chosen = 0, record_id = 0;
    intra_scene_init(&scene);
    intra_record_init(&record);
    INTRA_TRY(intra_path_join(path, sizeof path, r->project, "project.sqlite", err));
    INTRA_TRY(intra_path_join(table, sizeof table, r->project, "observations.csv", err));
    INTRA_TRY(intra_record_read(r->record, r->format, &record, err));
    if (r->inspection && strcmp(r->inspection, "list") == 0) {
        intra_record_list(&record, record.n_inspections, stdout);
        goto done;
    }
    INTRA_TRY(intra_record_choose(&record, r->record, r->inspection, r->is_json ? NULL : stderr, &chosen, err));
    INTRA_TRY(intra_store_open(path, &store, err));
    INTRA_TRY(intra_store_read_scene(store, &scene, err));
    intra_store_close(&store);
    INTRA_TRY(intra_record_place(r->project, r->project, &r->locate, &scene, &record.inspections[chosen], err));
    if (!intra_path_exists(table)) INTRA_TRY(intra_export_observations(&scene, table, err));
    INTRA_TRY(INTRA_ALLOC(is_chosen, (size_t)record.n_inspections, err));
    is_chosen[chosen] = true;
    INTRA_TRY(intra_store_add_record(path, &record, is_chosen, &record_id, err));
    INTRA_TRY(add_to_table(table, &record, chosen, record_id, err));
    print_result(r, &record, chosen, record_id);
done:
    intra_store_close(&store);
    intra_scene_fini(&scene);
    intra_record_fini(&record);
    intra_free(is_chosen);
    return status;
}

int intra_cmd_import(int argc, char **argv)
{
    struct intra_error err = {0};
    struct request r = {.locate = intra_locate_defaults()};
    int first = 0;
    enum intra_status status = intra_options_parse(&usage, argc, argv, set_option, &r, &first, &err);
    if (status == INTRA_EOF) return INTRA_EXIT_DONE;
    if (status == INTRA_OK && argc - first != 2)
        status = INTRA_FAIL(&err, INTRA_E_ARG, "give the folder of a finished project and one record");
    if (status == INTRA_OK) {
        r.project = argv[first];
        r.record = argv[first + 1];
        status = run_import(&r, &err);
    }
    return status == INTRA_OK ? INTRA_EXIT_DONE : intra_command_fail("import", &err);
}
