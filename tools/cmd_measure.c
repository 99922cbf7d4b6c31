/* measure: figures of a finished pipe for rehabilitation, as CSV or JSON. */
#include "tools/commands.h"
#include "tools/json.h"
#include "tools/options.h"
#include "tools/record_places.h"

#include "core/defect_kind.h"
#include "core/fileio.h"
#include "core/store.h"
#include "core/units.h"
#include "export/grades.h"
#include "recon/measure.h"

#include <math.h>
#include <stdio.h>

enum {
    OPT_REHAB,
    OPT_RECORD,
    OPT_RECORD_FIRST,
    OPT_RECORD_LAST = OPT_RECORD_FIRST + INTRA_N_RECORD_OPTIONS - 1,
    OPT_GRADES,
    OPT_JSON,
    OPT_PATCH_MARGIN,
    OPT_PATCH_LEAST,
    OPT_PATCH_JOIN,
    N_OPTIONS
};

static const struct intra_option options[N_OPTIONS] = {
    [OPT_REHAB] = {"rehab", 0, NULL,
                   "also what rehabilitation needs: connections to reopen, short liners, metres to clear"},
    [OPT_RECORD] = {"record", 'r', "FILE",
                    "measure this inspection record, put on the wall first, in place of what was imported; formats as\n"
                    "of 'intrados import --help'"},
    INTRA_RECORD_OPTIONS(OPT_RECORD_FIRST),
    [OPT_GRADES] = {"grades", 0, "FILE",
                    "grades of PACP codes instead of the program's own: code, structural, O&M, parted by tabs"},
    [OPT_JSON] = {"json", 0, NULL, "one JSON object instead of CSV"},
    [OPT_PATCH_MARGIN] = {"patch-margin", 0, "LENGTH", "a short liner reaches so far beyond the damage; default 200mm"},
    [OPT_PATCH_LEAST] = {"patch-least", 0, "LENGTH", "the shortest short liner; default 500mm"},
    [OPT_PATCH_JOIN] = {"patch-join", 0, "LENGTH", "short liners nearer than this become one; default 300mm"},
};

static const struct intra_usage usage = {
    "measure",
    "OUT",
    "Smallest and largest diameter and perimeter, ovality with the reduction factor of ASTM F1216, changes of "
    "diameter,\n"
    "and with --rehab the lists that rehabilitation needs. Columns and formulas: docs/measure.md.",
    "intrados measure run.intrados --rehab > run.csv\n  intrados measure run.intrados --record run.json --json",
    options,
    N_OPTIONS};

struct request {
    const char *project, *grades; /* grades NULL: the program's own */
    struct intra_record_request record;
    bool is_rehab, is_json;
    struct intra_measure_options options;
};

static enum intra_status set_option(void *user, int option, const char *value, struct intra_error *err)
{
    struct request *r = user;
    if (option >= OPT_RECORD_FIRST && option <= OPT_RECORD_LAST)
        return intra_record_option_set(&r->record, option - OPT_RECORD_FIRST, value, err);
    switch (option) {
    case OPT_REHAB:
        r->is_rehab = true;
        return INTRA_OK;
    case OPT_RECORD:
        r->record.path = value;
        return INTRA_OK;
    case OPT_GRADES:
        r->grades = value;
        return INTRA_OK;
    case OPT_JSON:
        r->is_json = true;
        return INTRA_OK;
    case OPT_PATCH_MARGIN:
        return intra_parse_length("--patch-margin", value, &r->options.patch_margin_m, err);
    case OPT_PATCH_LEAST:
        return intra_parse_length("--patch-least", value, &r->options.patch_least_m, err);
    case OPT_PATCH_JOIN:
        return intra_parse_length("--patch-join", value, &r->options.patch_join_m, err);
    default:
        return INTRA_FAIL(err, INTRA_E_ARG, "option %d is not known", option);
    }
}

static enum intra_status read_request(int argc, char **argv, struct request *r, struct intra_error *err)
{
    int first = 0;
    enum intra_status status = intra_options_parse(&usage, argc, argv, set_option, r, &first, err);
    if (status != INTRA_OK) return status;
    if (first == argc)
        return INTRA_FAIL(err, INTRA_E_ARG, "no project given: the folder that 'intrados reconstruct' made");
    if (argc - first > 1) return INTRA_FAIL(err, INTRA_E_ARG, "'%s': one project at a time", argv[first + 1]);
    r->project = argv[first];
    if (!(r->options.patch_margin_m >= 0 && r->options.patch_least_m >= 0 && r->options.patch_join_m >= 0))
        return INTRA_FAIL(err, INTRA_E_ARG, "--patch-margin, --patch-least and --patch-join must not be negative");
    return intra_record_request_check(&r->record, err);
}

/* The single figures, in the order of the table. */
static const struct {
    const char *name, *unit;
    size_t at;
    double scale;
} figures[] = {{"length", "m", offsetof(struct intra_measures, length_m), 1},
               {"seen_length", "m", offsetof(struct intra_measures, seen_m), 1},
               {"diameter_min", "mm", offsetof(struct intra_measures, diameter_min_m), 1e3},
               {"diameter_max", "mm", offsetof(struct intra_measures, diameter_max_m), 1e3},
               {"diameter_mean", "mm", offsetof(struct intra_measures, diameter_mean_m), 1e3},
               {"perimeter_min", "mm", offsetof(struct intra_measures, perimeter_min_m), 1e3},
               {"perimeter_max", "mm", offsetof(struct intra_measures, perimeter_max_m), 1e3},
               {"ovality", "%", offsetof(struct intra_measures, ovality_pct), 1},
               {"ovality_factor", "", offsetof(struct intra_measures, ovality_factor), 1}};
enum { FIGURES = sizeof figures / sizeof *figures };

static const struct intra_measure *figure(const struct intra_measures *m, int i)
{
    return (const struct intra_measure *)(const void *)((const char *)m + figures[i].at);
}

static void cell(double value, int decimals)
{
    if (isfinite(value))
        printf(",%.*f", decimals, value);
    else
        printf(",");
}

static double hours(double rad)
{
    return isfinite(rad) ? intra_clock_to_hours(rad) : NAN;
}

/* measure,unit,value,sd,station_from_m,station_to_m,clock,count,id,inspection: one row a figure, whatever it is of.
 * inspection: NULL: of none, or of all. */
static void row_of(const struct intra_inspection *p, const char *name, const char *unit, double value, double sd,
                   double from_m, double to_m, double clock, int count, const char *id)
{
    printf("%s,%s", name, unit);
    cell(value, 4);
    cell(sd, 4);
    cell(from_m, 4);
    cell(to_m, 4);
    cell(clock, 1);
    if (count > 0)
        printf(",%d,", count);
    else
        printf(",,");
    if (id) { /* ids come from files */
        putchar('"');
        for (; *id; id++)
            if (*id == '"')
                fputs("\"\"", stdout);
            else
                putchar(*id);
        putchar('"');
    }
    if (p && p->number > 0)
        printf(",%lld", (long long)p->number);
    else
        putchar(',');
    fputs("\r\n", stdout);
}

static void row(const char *name, const char *unit, double value, double sd, double from_m, double to_m, double clock,
                int count, const char *id)
{
    row_of(NULL, name, unit, value, sd, from_m, to_m, clock, count, id);
}

static void stretch_rows(const char *name, const struct intra_stretch *list, int n, double sum)
{
    for (int i = 0; i < n; i++)
        row(name, "m", list[i].to_m - list[i].from_m, NAN, list[i].from_m, list[i].to_m, NAN, list[i].n, NULL);
    char all[64];
    snprintf(all, sizeof all, "%s_total", name);
    row(all, "m", sum, NAN, NAN, NAN, NAN, n, NULL);
}

/* What can be measured of an observation. */
static const struct {
    const char *name, *unit;
    size_t value, sd;
    double scale;
} extents[] = {
    {"length", "mm", offsetof(struct intra_extent, length_m), offsetof(struct intra_extent, length_sd_m), 1e3},
    {"length_along", "mm", offsetof(struct intra_extent, length_along_m),
     offsetof(struct intra_extent, length_along_sd_m), 1e3},
    {"width", "mm", offsetof(struct intra_extent, width_m), offsetof(struct intra_extent, width_sd_m), 1e3},
    {"area", "mm2", offsetof(struct intra_extent, area_m2), offsetof(struct intra_extent, area_sd_m2), 1e6},
    {"ring_share", "%", offsetof(struct intra_extent, ring_share_pct), offsetof(struct intra_extent, ring_share_sd_pct),
     1},
    {"depth", "mm", offsetof(struct intra_extent, depth_m), offsetof(struct intra_extent, depth_sd_m), 1e3},
    {"section_loss", "%", offsetof(struct intra_extent, section_loss_pct),
     offsetof(struct intra_extent, section_loss_sd_pct), 1},
    {"volume", "l", offsetof(struct intra_extent, volume_m3), offsetof(struct intra_extent, volume_sd_m3), 1e3},
    {"diameter", "mm", offsetof(struct intra_extent, diameter_m), offsetof(struct intra_extent, diameter_sd_m), 1e3},
    {"opening", "mm", offsetof(struct intra_extent, opening_m), offsetof(struct intra_extent, opening_sd_m), 1e3}};
enum { EXTENTS = sizeof extents / sizeof *extents };

static double extent_at(const struct intra_observation *o, size_t at)
{
    return *(const double *)(const void *)((const char *)&o->extent + at);
}

static double middle_hours(const struct intra_wall_region *r)
{
    double span = r->clock_to_rad - r->clock_from_rad;
    return hours(r->clock_from_rad + (span < 0 ? span + 2 * M_PI : span) / 2);
}

/* The place of each, then what was measured of it: kind_figure. A width that is an upper bound has no deviation. */
static void observation_rows(const struct intra_inspection *p)
{
    char name[64], id[128];
    for (int64_t i = 0; i < p->n_observations; i++) {
        const struct intra_observation *o = &p->observations[i];
        const struct intra_wall_region *r = intra_place_region(&o->place);
        const char *kind = intra_defect_kind_name(intra_defect_kind_of(o->system, o->code));
        if (!o->place.is_placed) continue;
        snprintf(id, sizeof id, "%s%s%s", o->id ? o->id : "", o->id && o->code ? " " : "", o->code ? o->code : "");
        snprintf(name, sizeof name, "%s_%s", kind, o->place.is_refined ? "refined" : "recorded");
        row_of(p, name, "m", (r->station_from_m + r->station_to_m) / 2, r->station_sd_m, r->station_from_m,
               r->station_to_m, middle_hours(r), 0, id);
        for (int k = 0; k < EXTENTS; k++) {
            bool is_limit = o->extent.is_width_limit && extents[k].value == offsetof(struct intra_extent, width_m);
            double value = extent_at(o, extents[k].value);
            if (!isfinite(value)) continue;
            snprintf(name, sizeof name, "%s_%s%s", kind, extents[k].name, is_limit ? "_at_most" : "");
            row_of(p, name, extents[k].unit, value * extents[k].scale,
                   is_limit ? NAN : extent_at(o, extents[k].sd) * extents[k].scale, r->station_from_m, r->station_to_m,
                   middle_hours(r), 0, id);
        }
    }
}

static bool has_pacp(const struct intra_inspection *p)
{
    for (int64_t i = 0; i < p->n_observations; i++)
        if (p->observations[i].system == INTRA_CODES_PACP) return true;
    return false;
}

static const char *const aspects[] = {"structural", "om", "overall"};

/* The quick rating stands as id, since it is no number. */
static void rating_rows(const struct intra_inspection *p)
{
    struct intra_ratings all = intra_grades_rate(p);
    const struct intra_rating *ratings[] = {&all.structural, &all.om, &all.overall};
    char name[64];
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "pacp_rating_%s", aspects[i]);
        row_of(p, name, "", ratings[i]->rating, NAN, NAN, NAN, NAN, 0, ratings[i]->quick);
        snprintf(name, sizeof name, "pacp_index_%s", aspects[i]);
        row_of(p, name, "", ratings[i]->index, NAN, NAN, NAN, NAN, 0, NULL);
    }
    row_of(p, "pacp_without_grade", "", all.n_unknown, NAN, NAN, NAN, NAN, 0, NULL);
    row_of(p, "pacp_continuous", "", all.n_continuous, NAN, NAN, NAN, NAN, 0, NULL);
}

static void print_csv(const struct request *r, const struct intra_measures *m, const struct intra_record *record)
{
    fputs("measure,unit,value,sd,station_from_m,station_to_m,clock,count,id,inspection\r\n", stdout);
    for (int i = 0; i < FIGURES; i++) {
        const struct intra_measure *f = figure(m, i);
        row(figures[i].name, figures[i].unit, f->value * figures[i].scale, f->sd * figures[i].scale, f->station_m,
            f->station_m, hours(f->clock_rad), 0, NULL);
    }
    for (int i = 0; i < m->n_steps; i++)
        row("diameter_change", "mm", 1e3 * (m->steps[i].behind_m - m->steps[i].before_m), 1e3 * m->steps[i].sd_m,
            m->steps[i].station_m, m->steps[i].station_m, NAN, 0, NULL);
    for (int64_t i = 0; i < record->n_inspections; i++) {
        observation_rows(&record->inspections[i]);
        if (has_pacp(&record->inspections[i])) rating_rows(&record->inspections[i]);
    }
    if (!r->is_rehab) return;
    for (int i = 0; i < m->n_laterals; i++) {
        const struct intra_lateral_measure *l = &m->laterals[i];
        row("lateral_diameter", "mm", 1e3 * l->diameter_m, 1e3 * l->diameter_sd_m, l->station_m, l->station_m,
            hours(l->clock_rad), 0, l->id);
        row("lateral_intrusion", "mm", 1e3 * l->intrusion_m, 1e3 * l->intrusion_sd_m, l->station_m, l->station_m,
            hours(l->clock_rad), 0, l->id);
    }
    stretch_rows("short_liner", m->patches, m->n_patches, m->patches_m);
    stretch_rows("deposit", m->deposits, m->n_deposits, m->deposits_m);
    stretch_rows("root", m->roots, m->n_roots, m->roots_m);
}

static void json_stretches(struct intra_json *json, const char *name, const struct intra_stretch *list, int n,
                           double sum)
{
    intra_json_open(json, name, '{');
    intra_json_number(json, "total_m", sum);
    intra_json_open(json, "stretches", '[');
    for (int i = 0; i < n; i++) {
        intra_json_open(json, NULL, '{');
        intra_json_number(json, "station_from_m", list[i].from_m);
        intra_json_number(json, "station_to_m", list[i].to_m);
        intra_json_integer(json, "observations", list[i].n);
        intra_json_close(json, '}');
    }
    intra_json_close(json, ']');
    intra_json_close(json, '}');
}

static void json_observations(struct intra_json *json, const struct intra_inspection *p)
{
    for (int64_t i = 0; i < p->n_observations; i++) {
        const struct intra_observation *o = &p->observations[i];
        const struct intra_wall_region *r = intra_place_region(&o->place);
        intra_json_open(json, NULL, '{');
        if (p->number > 0) intra_json_integer(json, "inspection", p->number);
        intra_json_text(json, "id", o->id);
        intra_json_text(json, "code", o->code);
        intra_json_text(json, "kind", intra_defect_kind_name(intra_defect_kind_of(o->system, o->code)));
        intra_json_bool(json, "is_placed", o->place.is_placed);
        intra_json_bool(json, "is_refined", o->place.is_refined);
        intra_json_text(json, "placed", o->place.reason);
        intra_json_number(json, "station_from_m", r->station_from_m);
        intra_json_number(json, "station_to_m", r->station_to_m);
        intra_json_number(json, "station_sd_m", r->station_sd_m);
        intra_json_number(json, "clock_from", hours(r->clock_from_rad));
        intra_json_number(json, "clock_to", hours(r->clock_to_rad));
        intra_json_number(json, "clock_sd", r->clock_sd_rad * 6 / M_PI);
        for (int k = 0; k < EXTENTS; k++) {
            intra_json_open(json, extents[k].name, '{');
            intra_json_number(json, "value", extent_at(o, extents[k].value) * extents[k].scale);
            intra_json_number(json, "sd", extent_at(o, extents[k].sd) * extents[k].scale);
            intra_json_text(json, "unit", extents[k].unit);
            intra_json_close(json, '}');
        }
        intra_json_bool(json, "is_width_limit", o->extent.is_width_limit);
        intra_json_number(json, "resolution_mm", 1e3 * o->extent.resolution_m);
        intra_json_close(json, '}');
    }
}

static void json_ratings(struct intra_json *json, const struct intra_inspection *p)
{
    struct intra_ratings all = intra_grades_rate(p);
    const struct intra_rating *ratings[] = {&all.structural, &all.om, &all.overall};
    intra_json_open(json, NULL, '{');
    if (p->number > 0) intra_json_integer(json, "inspection", p->number);
    for (int i = 0; i < 3; i++) {
        intra_json_open(json, aspects[i], '{');
        intra_json_number(json, "rating", ratings[i]->rating);
        intra_json_number(json, "index", ratings[i]->index);
        intra_json_text(json, "quick", ratings[i]->quick);
        intra_json_close(json, '}');
    }
    intra_json_integer(json, "without_grade", all.n_unknown);
    intra_json_integer(json, "continuous", all.n_continuous);
    intra_json_close(json, '}');
}

static void print_json(const struct request *r, const struct intra_measures *m, const struct intra_record *record)
{
    struct intra_json json = {.stream = stdout, .is_pretty = true};
    intra_json_open(&json, NULL, '{');
    intra_json_text(&json, "project", r->project);
    for (int i = 0; i < FIGURES; i++) {
        const struct intra_measure *f = figure(m, i);
        intra_json_open(&json, figures[i].name, '{');
        intra_json_number(&json, "value", f->value * figures[i].scale);
        intra_json_number(&json, "sd", f->sd * figures[i].scale);
        intra_json_text(&json, "unit", figures[i].unit);
        intra_json_number(&json, "station_m", f->station_m);
        intra_json_number(&json, "clock", hours(f->clock_rad));
        intra_json_close(&json, '}');
    }
    intra_json_open(&json, "diameter_changes", '[');
    for (int i = 0; i < m->n_steps; i++) {
        intra_json_open(&json, NULL, '{');
        intra_json_number(&json, "station_m", m->steps[i].station_m);
        intra_json_number(&json, "before_mm", 1e3 * m->steps[i].before_m);
        intra_json_number(&json, "behind_mm", 1e3 * m->steps[i].behind_m);
        intra_json_number(&json, "sd_mm", 1e3 * m->steps[i].sd_m);
        intra_json_close(&json, '}');
    }
    intra_json_close(&json, ']');
    if (record->n_inspections) {
        intra_json_open(&json, "observations", '[');
        for (int64_t i = 0; i < record->n_inspections; i++)
            json_observations(&json, &record->inspections[i]);
        intra_json_close(&json, ']');
        intra_json_open(&json, "pacp", '[');
        for (int64_t i = 0; i < record->n_inspections; i++)
            if (has_pacp(&record->inspections[i])) json_ratings(&json, &record->inspections[i]);
        intra_json_close(&json, ']');
    }
    if (r->is_rehab) {
        intra_json_open(&json, "laterals", '[');
        for (int i = 0; i < m->n_laterals; i++) {
            const struct intra_lateral_measure *l = &m->laterals[i];
            intra_json_open(&json, NULL, '{');
            intra_json_text(&json, "id", l->id);
            intra_json_text(&json, "code", l->code);
            intra_json_number(&json, "station_m", l->station_m);
            intra_json_number(&json, "station_sd_m", l->station_sd_m);
            intra_json_number(&json, "clock", hours(l->clock_rad));
            intra_json_number(&json, "clock_sd", l->clock_sd_rad * 6 / M_PI);
            intra_json_number(&json, "diameter_mm", 1e3 * l->diameter_m);
            intra_json_number(&json, "diameter_sd_mm", 1e3 * l->diameter_sd_m);
            intra_json_number(&json, "intrusion_mm", 1e3 * l->intrusion_m);
            intra_json_number(&json, "intrusion_sd_mm", 1e3 * l->intrusion_sd_m);
            intra_json_close(&json, '}');
        }
        intra_json_close(&json, ']');
        json_stretches(&json, "short_liners", m->patches, m->n_patches, m->patches_m);
        json_stretches(&json, "deposits", m->deposits, m->n_deposits, m->deposits_m);
        json_stretches(&json, "roots", m->roots, m->n_roots, m->roots_m);
    }
    intra_json_close(&json, '}');
}

static enum intra_status run_measure(const struct request *r, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_store *store = NULL;
    struct intra_scene scene;
    struct intra_measures measures = {0};
    struct intra_record record;
    char path[1100];
    intra_scene_init(&scene);
    intra_record_init(&record);
    INTRA_TRY(intra_path_join(path, sizeof path, r->project, "project.sqlite", err));
    INTRA_TRY(intra_store_open(path, &store, err));
    INTRA_TRY(intra_store_read_scene(store, &scene, err));
    INTRA_TRY(intra_record_show(&r->record, r->project, r->project, store, &scene, &record, err));
    if (intra_record_is_list(&r->record)) {
        intra_record_list(&record, record.n_inspections, stdout);
        goto done;
    }
    for (int64_t i = 0; i < record.n_inspections; i++)
        INTRA_TRY(intra_grades_apply(&record.inspections[i], r->grades, err));
    INTRA_TRY(intra_measure_pipe(&scene, record.inspections, record.n_inspections, &r->options, &measures, err));
    if (r->is_json)
        print_json(r, &measures, &record);
    else
        print_csv(r, &measures, &record);
    if (fflush(stdout) != 0) status = INTRA_FAIL(err, INTRA_E_IO, "standard output: cannot be written");
done:
    intra_measures_fini(&measures);
    intra_record_fini(&record);
    intra_store_close(&store);
    intra_scene_fini(&scene);
    return status;
}

int intra_cmd_measure(int argc, char **argv)
{
    struct intra_error err = {0};
    struct request request = {.options = intra_measure_defaults(), .record = intra_record_request_defaults()};
    enum intra_status status = read_request(argc, argv, &request, &err);
    if (status == INTRA_EOF) return INTRA_EXIT_DONE;
    if (status == INTRA_OK) status = run_measure(&request, &err);
    return status == INTRA_OK ? INTRA_EXIT_DONE : intra_command_fail("measure", &err);
}
