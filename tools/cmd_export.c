/* export: other formats, and stretches, from a finished project; the video is not needed any more. */
#include "tools/commands.h"
#include "tools/console.h"
#include "tools/options.h"
#include "tools/page.h"
#include "tools/record_places.h"
#include "tools/sizes.h"
#include "tools/wall_load.h"

#include "core/fileio.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/store.h"
#include "core/units.h"
#include "export/export.h"
#include "export/gis.h"
#include "export/record.h"
#include "export/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum {
    OPT_FORMAT,
    OPT_OUT,
    OPT_RANGE,
    OPT_TEXEL,
    OPT_LAYER,
    OPT_DRAWING,
    OPT_MAX_SIZE,
    OPT_TABLE,
    OPT_REFINED,
    OPT_RECORD,
    OPT_RECORD_FIRST,
    OPT_RECORD_LAST = OPT_RECORD_FIRST + INTRA_N_RECORD_OPTIONS - 1,
    OPT_FORCE,
    OPT_QUIET,
    N_OPTIONS
};

static const struct intra_option options[N_OPTIONS] = {
    [OPT_FORMAT] =
        {"format", 0, "FORMAT",
         "html (report page), glb, gltf, obj, ply, dae, fbx, x3d or stl (model), tiff (unrolled wall), csv (table),\n"
         "svg (drawing of the profile or the strip), gpkg, geojson, fgdb or shp (observations; the last two are "
         "folders);\n"
         "the inspection records as imported: " INTRA_RECORD_NAMES_WRITTEN ",\n"
         "csv with --table record; default: by FILE's ending"},
    [OPT_OUT] = {"output", 'o', "FILE", "file to write; only html does without: OUT/report.html is made again"},
    [OPT_RANGE] = {"range", 0, "FROM:TO", "only this stretch of stations, e.g. 10m:20m"},
    [OPT_TEXEL] = {"texel", 0, "LENGTH", "cell of the texture or wall image, e.g. 2mm; never finer than the project's"},
    [OPT_LAYER] = {"layer", 0, "LAYER", "of a tiff: colour (default), relief or coverage"},
    [OPT_DRAWING] = {"drawing", 0, "DRAWING",
                     "of an svg: profile (default) or strip, the unrolled wall with what was found"},
    [OPT_MAX_SIZE] = {"max-size", 0, "SIZE", "size budget of a model or page, e.g. 100MB (default 25MB)"},
    [OPT_TABLE] = {"table", 0, "TABLE",
                   "of a csv: profile (default), observations, or record (the own format of records)"},
    [OPT_REFINED] = {"refined", 0, NULL,
                     "of inspection records: distance and clock position as found on the wall, where that was so, in\n"
                     "place of those recorded"},
    [OPT_RECORD] = {"record", 'r', "FILE",
                    "show this inspection record, put on the wall first, in place of what was imported; recognised by\n"
                    "content: " INTRA_RECORD_NAMES_READ},
    INTRA_RECORD_OPTIONS(OPT_RECORD_FIRST),
    [OPT_FORCE] = {"force", 'f', NULL, "replace FILE if it exists"},
    [OPT_QUIET] = {"quiet", 'q', NULL, "print errors only"},
};

static const struct intra_usage usage = {
    "export",
    "OUT -o FILE",
    "Writes another format, or a stretch, from the folder of a finished reconstruction.",
    "intrados export run.intrados --range 10m:20m --texel 1mm -o joint.glb\n"
    "  intrados export run.intrados --format html --max-size 100MB\n"
    "  intrados export run.intrados --format isybau --inspection 17 -o pipe17.xml\n"
    "  intrados export run.intrados --format pacp-csv --refined -o corrected\n"
    "  intrados export run.intrados -o records.json",
    options,
    N_OPTIONS};

enum format {
    FORMAT_GLB,
    FORMAT_GLTF,
    FORMAT_OBJ,
    FORMAT_PLY,
    FORMAT_DAE,
    FORMAT_FBX,
    FORMAT_STL,
    FORMAT_X3D,
    FORMAT_TIFF,
    FORMAT_CSV,
    FORMAT_HTML,
    FORMAT_GPKG,
    FORMAT_GEOJSON,
    FORMAT_FGDB,
    FORMAT_SHP,
    FORMAT_SVG,
    N_FORMATS,
    FORMAT_RECORD /* request.record_format */
};
static const char *const format_names[N_FORMATS] = {"glb",  "gltf", "obj",  "ply",  "dae",     "fbx",  "stl", "x3d",
                                                    "tiff", "csv",  "html", "gpkg", "geojson", "fgdb", "shp", "svg"};
#define ALL_FORMATS                                                                                                    \
    "glb, gltf, obj, ply, dae, fbx, stl, x3d, tiff, csv, html, gpkg, geojson, fgdb, shp, "                             \
    "svg, " INTRA_RECORD_NAMES_WRITTEN
static const char *const layer_names[] = {
    [INTRA_TIFF_COLOUR] = "colour", [INTRA_TIFF_RELIEF] = "relief", [INTRA_TIFF_COVERAGE] = "coverage"};

struct request {
    const char *project, *out;
    struct intra_record_request record;
    int format; /* -1: by the name */
    enum intra_record_format record_format;
    double from_m, to_m; /* NaN: everything */
    double texel_m;      /* 0: as it is */
    enum intra_tiff_layer layer;
    size_t max_bytes;
    bool is_strip;                     /* of an svg */
    bool has_observations, has_record; /* of a csv */
    bool is_refined;                   /* of a record: places as found */
    bool is_forced, is_quiet;
    char report_path[1100]; /* `out` where none was given */
};

/* -1: no such format. */
static int gis_format(int format)
{
    switch (format) {
    case FORMAT_GPKG:
        return INTRA_GIS_GPKG;
    case FORMAT_GEOJSON:
        return INTRA_GIS_GEOJSON;
    case FORMAT_FGDB:
        return INTRA_GIS_FGDB;
    case FORMAT_SHP:
        return INTRA_GIS_SHP;
    default:
        return -1;
    }
}

static enum intra_status parse_range(const char *text, double *from_m, double *to_m, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    char from[64];
    const char *colon = strchr(text, ':');
    if (!colon || colon - text >= (int)sizeof from)
        return INTRA_FAIL(err, INTRA_E_ARG, "--range: '%s' is not FROM:TO; write for example 10m:20m", text);
    snprintf(from, sizeof from, "%.*s", (int)(colon - text), text);
    INTRA_TRY(intra_parse_length("--range", from, from_m, err));
    INTRA_TRY(intra_parse_length("--range", colon + 1, to_m, err));
    if (!(*from_m < *to_m))
        status = INTRA_FAIL(err, INTRA_E_ARG, "--range %s: the first station must be smaller than the second", text);
done:
    return status;
}

static enum intra_status parse_format(const char *text, struct request *r, struct intra_error *err)
{
    const char *names[N_FORMATS + INTRA_RECORD_N_FORMATS], *near;
    int n = 0;
    if (strcasecmp(text, "tif") == 0) text = "tiff";
    if (strcasecmp(text, "gdb") == 0) text = "fgdb";
    for (; n < N_FORMATS; n++) {
        names[n] = format_names[n];
        if (strcasecmp(text, names[n]) != 0) continue;
        r->format = n;
        return INTRA_OK;
    }
    r->record_format = intra_record_format_from_name(text);
    if (intra_record_is_written(r->record_format)) {
        r->format = FORMAT_RECORD;
        return INTRA_OK;
    }
    if (r->record_format != INTRA_RECORD_NONE)
        return INTRA_FAIL(err, INTRA_E_ARG, "--format: records are read from %s, not written as such; written are %s",
                          text, "csv (with --table record), " INTRA_RECORD_NAMES_WRITTEN);
    for (int f = INTRA_RECORD_NONE + 1; f < INTRA_RECORD_N_FORMATS; f++)
        if (intra_record_is_written((enum intra_record_format)f))
            names[n++] = intra_record_format_name((enum intra_record_format)f);
    near = intra_nearest_word(text, names, n);
    return INTRA_FAIL(err, INTRA_E_ARG, "--format: '%s' is not " ALL_FORMATS "%s%s%s", text,
                      near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static enum intra_status parse_layer(const char *text, enum intra_tiff_layer *out, struct intra_error *err)
{
    for (int i = 0; i < 3; i++) {
        *out = (enum intra_tiff_layer)i;
        if (strcmp(text, layer_names[i]) == 0) return INTRA_OK;
    }
    return INTRA_FAIL(err, INTRA_E_ARG, "--layer: '%s' is not colour, relief or coverage", text);
}

static enum intra_status set_option(void *user, int option, const char *value, struct intra_error *err)
{
    struct request *r = user;
    enum intra_status status;
    if (option >= OPT_RECORD_FIRST && option <= OPT_RECORD_LAST)
        return intra_record_option_set(&r->record, option - OPT_RECORD_FIRST, value, err);
    switch (option) {
    case OPT_FORMAT:
        return parse_format(value, r, err);
    case OPT_OUT:
        r->out = value;
        return INTRA_OK;
    case OPT_RANGE:
        return parse_range(value, &r->from_m, &r->to_m, err);
    case OPT_TEXEL:
        status = intra_parse_length("--texel", value, &r->texel_m, err);
        if (status == INTRA_OK && !(r->texel_m >= 1e-4 && r->texel_m <= 1))
            status = INTRA_FAIL(err, INTRA_E_ARG, "--texel %s: must be 0.1mm to 1m", value);
        return status;
    case OPT_LAYER:
        return parse_layer(value, &r->layer, err);
    case OPT_DRAWING:
        r->is_strip = strcmp(value, "strip") == 0;
        if (!r->is_strip && strcmp(value, "profile") != 0)
            return INTRA_FAIL(err, INTRA_E_ARG, "--drawing: '%s' is not profile or strip", value);
        return INTRA_OK;
    case OPT_MAX_SIZE:
        return intra_parse_size("--max-size", value, &r->max_bytes, err);
    case OPT_TABLE:
        r->has_observations = strcmp(value, "observations") == 0;
        r->has_record = strcmp(value, "record") == 0;
        if (!r->has_observations && !r->has_record && strcmp(value, "profile") != 0)
            return INTRA_FAIL(err, INTRA_E_ARG, "--table: '%s' is not profile, observations or record", value);
        return INTRA_OK;
    case OPT_REFINED:
        r->is_refined = true;
        return INTRA_OK;
    case OPT_RECORD:
        r->record.path = value;
        return INTRA_OK;
    case OPT_FORCE:
        r->is_forced = true;
        return INTRA_OK;
    case OPT_QUIET:
        r->is_quiet = true;
        return INTRA_OK;
    default:
        return INTRA_FAIL(err, INTRA_E_ARG, "option %d is not known", option);
    }
}

/* Whether observations of records are part of what is asked for. */
static bool shows_records(const struct request *r)
{
    bool is_model = r->format == FORMAT_GLB || r->format == FORMAT_GLTF || r->format == FORMAT_OBJ ||
                    r->format == FORMAT_DAE || r->format == FORMAT_FBX || r->format == FORMAT_X3D;
    return is_model || gis_format(r->format) >= 0 || r->format == FORMAT_HTML ||
           (r->format == FORMAT_SVG && r->is_strip) || (r->format == FORMAT_CSV && r->has_observations) ||
           r->format == FORMAT_RECORD;
}

/* By the name's ending where none is given; the table of records is one of their formats. */
static enum intra_status settle_format(struct request *r, struct intra_error *err)
{
    const char *dot = strrchr(r->out, '.');
    if (r->format < 0 && dot && (strcasecmp(dot, ".xml") == 0 || strcasecmp(dot, ".txt") == 0))
        return INTRA_FAIL(err, INTRA_E_ARG,
                          "%s: several formats end like this; give --format, for records " INTRA_RECORD_NAMES_WRITTEN,
                          r->out);
    if (r->format < 0 && (!dot || parse_format(dot + 1, r, NULL) != INTRA_OK))
        return INTRA_FAIL(err, INTRA_E_ARG, "%s: this ending names no format; give --format " ALL_FORMATS, r->out);
    if (r->format == FORMAT_CSV && r->has_record) {
        r->format = FORMAT_RECORD;
        r->record_format = INTRA_RECORD_OWN_CSV;
    }
    return INTRA_OK;
}

static enum intra_status read_request(int argc, char **argv, struct request *r, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    int first = 0;
    INTRA_TRY(intra_options_parse(&usage, argc, argv, set_option, r, &first, err));
    if (first == argc)
        return INTRA_FAIL(err, INTRA_E_ARG, "no project given: the folder that 'intrados reconstruct' made");
    if (argc - first > 1) return INTRA_FAIL(err, INTRA_E_ARG, "'%s': one project at a time", argv[first + 1]);
    r->project = argv[first];
    if (intra_record_is_list(&r->record)) goto done; /* writes nothing */
    if (!r->out && r->format == FORMAT_HTML) {
        INTRA_TRY(intra_path_join(r->report_path, sizeof r->report_path, r->project, "report.html", err));
        r->out = r->report_path;
        r->is_forced = true;
    }
    if (!r->out) return INTRA_FAIL(err, INTRA_E_ARG, "-o is missing: the file to write, e.g. -o joint.glb");
    INTRA_TRY(settle_format(r, err));
    if (!shows_records(r) && (r->record.path || r->record.inspection))
        return INTRA_FAIL(
            err, INTRA_E_ARG,
            "--%s: only for html, glb, gltf, obj, dae, fbx, x3d, gpkg, geojson, fgdb, shp, --drawing strip, "
            "--table observations and records",
            r->record.path ? "record" : "inspection");
    if (r->is_refined && r->format != FORMAT_RECORD)
        return INTRA_FAIL(err, INTRA_E_ARG,
                          "--refined: only for inspection records (" INTRA_RECORD_NAMES_WRITTEN
                          ", csv with --table record); the others show what was found anyway");
    INTRA_TRY(intra_record_request_check(&r->record, err));
    if ((gis_format(r->format) >= 0 || r->format == FORMAT_RECORD) && isfinite(r->from_m))
        return INTRA_FAIL(err, INTRA_E_ARG, "--range: %s holds the whole pipe; leave --range out", r->out);
    if (r->format == FORMAT_TIFF && r->layer == INTRA_TIFF_COVERAGE && r->texel_m > 0)
        return INTRA_FAIL(err, INTRA_E_ARG, "--texel: the coverage is written as it is; leave --texel out");
done:
    return status;
}

/* Columns of the wall inside the asked stretch. */
static enum intra_status find_columns(const struct request *r, const struct intra_scene *scene, int64_t *from,
                                      int64_t *to, struct intra_error *err)
{
    const struct intra_wall *wall = &scene->wall;
    double end_m = wall->station0_m + (double)wall->cols * wall->texel_m;
    *from = 0;
    *to = wall->cols;
    if (isnan(r->from_m)) return INTRA_OK;
    if (r->from_m >= end_m || r->to_m <= wall->station0_m)
        return INTRA_FAIL(err, INTRA_E_ARG, "--range: nothing there; the wall of %s runs from %.3f m to %.3f m",
                          r->project, wall->station0_m, end_m);
    *from = (int64_t)fmax(0, floor((r->from_m - wall->station0_m) / wall->texel_m + 1e-6));
    *to = (int64_t)fmin((double)wall->cols, ceil((r->to_m - wall->station0_m) / wall->texel_m - 1e-6));
    return INTRA_OK;
}

static enum intra_status export_model(const struct request *r, struct intra_scene *scene,
                                      const struct intra_record *record, const char *scratch_dir,
                                      struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_mesh_options mesh = intra_mesh_defaults();
    bool has_wall = scene->wall.colour != NULL; /* for the record's sake */
    int64_t from, to;
    int64_t margin = (int64_t)ceil(0.1 / scene->wall.texel_m); /* filters at the ends see their neighbours */
    INTRA_TRY(find_columns(r, scene, &from, &to, err));
    from = from > margin ? from - margin : 0;
    to = to + margin < scene->wall.cols ? to + margin : scene->wall.cols;
    for (int layer = INTRA_TIFF_COLOUR; layer <= INTRA_TIFF_RELIEF && !has_wall; layer++)
        INTRA_TRY(intra_wall_load(scene, r->project, (enum intra_tiff_layer)layer, from, to, false, scratch_dir, err));
    mesh.inspections = record->inspections;
    mesh.n_inspections = record->n_inspections;
    if (!isnan(r->from_m)) {
        mesh.station_from_m = r->from_m;
        mesh.station_to_m = r->to_m;
    }
    mesh.texel_m = r->texel_m;
    mesh.max_bytes = r->max_bytes;
    switch (r->format) {
    case FORMAT_GLB:
    case FORMAT_GLTF:
        status = intra_export_glb(scene, &mesh, r->out, err);
        break;
    case FORMAT_OBJ:
        status = intra_export_obj(scene, &mesh, r->out, err);
        break;
    case FORMAT_PLY:
        status = intra_export_ply(scene, &mesh, r->out, err);
        break;
    case FORMAT_DAE:
        status = intra_export_foreign(scene, &mesh, INTRA_FOREIGN_DAE, r->out, err);
        break;
    case FORMAT_FBX:
        status = intra_export_foreign(scene, &mesh, INTRA_FOREIGN_FBX, r->out, err);
        break;
    case FORMAT_STL:
        status = intra_export_foreign(scene, &mesh, INTRA_FOREIGN_STL, r->out, err);
        break;
    default:
        status = intra_export_foreign(scene, &mesh, INTRA_FOREIGN_X3D, r->out, err);
    }
done:
    return status;
}

static enum intra_status export_image(const struct request *r, struct intra_scene *scene, const char *scratch_dir,
                                      const struct intra_progress *progress, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    int64_t from, to;
    INTRA_TRY(find_columns(r, scene, &from, &to, err));
    INTRA_TRY(intra_wall_load(scene, r->project, r->layer, from, to, true, scratch_dir, err));
    if (r->texel_m > scene->wall.texel_m * 1.001)
        INTRA_TRY(intra_wall_resample(scene, r->layer, r->texel_m, scratch_dir, err));
    INTRA_TRY(intra_export_tiff(scene, r->layer, r->out, progress, err));
done:
    return status;
}

/* What the model's makers say knows no file: name the project. */
static enum intra_status name_project(enum intra_status status, const struct request *r, struct intra_error *err)
{
    char text[600];
    if (status != INTRA_E_NO_RESULT && status != INTRA_E_DEGENERATE) return status;
    snprintf(text, sizeof text, "%.599s", err->text);
    return INTRA_FAIL(err, status, "%s: %s; choose another --range, or reconstruct it again", r->project, text);
}

/* The wall may be there already, for the record's sake. */
static enum intra_status export_page(const struct request *r, struct intra_scene *scene, struct intra_store *store,
                                     const struct intra_record *record, const char *scratch_dir,
                                     const struct intra_progress *progress, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_report_options page = intra_report_defaults();
    bool has_wall = scene->wall.colour != NULL;
    int64_t from, to;
    if (!intra_report_is_built_in()) return intra_export_report(scene, &page, r->out, progress, err); /* says why not */
    INTRA_TRY(find_columns(r, scene, &from, &to, err));
    for (int layer = 0; layer < 3 && !has_wall; layer++)
        INTRA_TRY(intra_wall_load(scene, r->project, (enum intra_tiff_layer)layer, from, to, false, scratch_dir, err));
    page.texel_m = r->texel_m;
    page.max_bytes = r->max_bytes;
    if (!isnan(r->from_m)) {
        page.station_from_m = r->from_m;
        page.station_to_m = r->to_m;
    }
    INTRA_TRY(intra_page_write(scene, record, store, &page, r->out, progress, err));
    if (intra_page_is_of(r->project, r->out)) status = intra_page_keep_options(r->project, &page, err);
done:
    return status;
}

/* Sections of the stretch stay; they are sorted by station. */
static void crop_sections(const struct request *r, struct intra_scene *scene)
{
    int64_t n = 0;
    if (isnan(r->from_m)) return;
    for (int64_t i = 0; i < scene->n_sections; i++)
        if (scene->sections[i].station_m >= r->from_m - 1e-9 && scene->sections[i].station_m <= r->to_m + 1e-9)
            scene->sections[n++] = scene->sections[i];
    scene->n_sections = n;
}

static void crop_features(const struct request *r, struct intra_scene *scene)
{
    int64_t n = 0;
    if (isnan(r->from_m)) return;
    for (int64_t i = 0; i < scene->n_features; i++)
        if (scene->features[i].station_m >= r->from_m && scene->features[i].station_m <= r->to_m)
            scene->features[n++] = scene->features[i];
    scene->n_features = n;
}

static enum intra_status export_drawing(const struct request *r, struct intra_scene *scene,
                                        const struct intra_record *record, const char *scratch_dir,
                                        struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    int64_t from, to;
    INTRA_TRY(find_columns(r, scene, &from, &to, err));
    if (!r->is_strip) {
        crop_sections(r, scene);
        return intra_export_profile_svg(scene, r->out, err);
    }
    crop_features(r, scene);
    INTRA_TRY(intra_wall_load(scene, r->project, INTRA_TIFF_COLOUR, from, to, true, scratch_dir, err));
    status = intra_export_strip_svg(scene, record->inspections, record->n_inspections, r->out, err);
done:
    return status;
}

/* What was imported, or the record of --record, in another format or as it came. */
static enum intra_status export_record(const struct request *r, struct intra_record *record, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    int64_t refined;
    if (record->n_inspections == 0)
        return INTRA_FAIL(err, INTRA_E_NO_RESULT,
                          "%s: no inspection record was imported; 'intrados import' does that, or give --record FILE",
                          r->project);
    INTRA_TRY(intra_record_check_codes(record, r->record_format, err));
    if (r->is_refined) {
        INTRA_TRY(intra_record_take_refined(record, r->record_format, &refined, err));
        if (refined == 0)
            intra_log(INTRA_LOG_WARNING, "export", "%s: nothing was found on the wall; distances are those recorded",
                      r->out);
    }
    status = intra_record_write(record, r->record_format, r->out, err);
done:
    return status;
}

/* Scratch files stand in the folder of the output. */
static void folder_of(const char *path, char *out, size_t n)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        snprintf(out, n, ".");
    else
        snprintf(out, n, "%.*s", slash == path ? 1 : (int)(slash - path), path);
}

static enum intra_status run_export(const struct request *r, struct intra_console *console, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_store *store = NULL;
    struct intra_scene scene;
    struct intra_record record;
    struct intra_progress progress = intra_console_progress(console);
    char path[1100], scratch_dir[1024];
    intra_scene_init(&scene);
    intra_record_init(&record);
    INTRA_TRY(intra_path_join(path, sizeof path, r->project, "project.sqlite", err));
    if (intra_record_is_list(&r->record)) {
        INTRA_TRY(intra_store_open(path, &store, err));
        INTRA_TRY(intra_record_show(&r->record, r->project, r->project, store, &scene, &record, err));
        intra_record_list(&record, record.n_inspections, stdout);
        goto done;
    }
    folder_of(r->out, scratch_dir, sizeof scratch_dir);
    if (intra_path_exists(r->out) && !r->is_forced)
        return INTRA_FAIL(err, INTRA_E_EXISTS, "%s: exists; give --force to replace it, or another -o", r->out);
    INTRA_TRY(intra_store_open(path, &store, err));
    INTRA_TRY(intra_store_read_scene(store, &scene, err));
    if (shows_records(r))
        INTRA_TRY(intra_record_show(&r->record, r->project, scratch_dir, store, &scene, &record, err));
    if (r->format == FORMAT_RECORD) {
        status = export_record(r, &record, err);
    } else if (r->format == FORMAT_CSV && r->has_observations) {
        status = intra_export_observations(&scene, record.inspections, record.n_inspections, r->out, err);
    } else if (r->format == FORMAT_CSV) {
        crop_sections(r, &scene);
        status = intra_export_profile(&scene, r->out, err);
    } else if (r->format == FORMAT_SVG) {
        status = name_project(export_drawing(r, &scene, &record, scratch_dir, err), r, err);
    } else if (gis_format(r->format) >= 0) {
        status = intra_export_gis(&scene, record.inspections, record.n_inspections,
                                  (enum intra_gis_format)gis_format(r->format), r->out, err);
    } else if (r->format == FORMAT_TIFF) {
        status = export_image(r, &scene, scratch_dir, &progress, err);
    } else if (r->format == FORMAT_HTML) {
        status = name_project(export_page(r, &scene, store, &record, scratch_dir, &progress, err), r, err);
    } else {
        status = name_project(export_model(r, &scene, &record, scratch_dir, err), r, err);
    }
done:
    intra_store_close(&store);
    intra_record_fini(&record);
    intra_scene_fini(&scene);
    return status;
}

int intra_cmd_export(int argc, char **argv)
{
    struct intra_error err = {0};
    struct request request = {
        .format = -1, .from_m = NAN, .to_m = NAN, .max_bytes = 25000000, .record = intra_record_request_defaults()};
    struct intra_console *console = NULL;
    enum intra_status status = read_request(argc, argv, &request, &err);
    if (status == INTRA_EOF) return INTRA_EXIT_DONE;
    if (status != INTRA_OK) return intra_command_fail("export", &err);
    INTRA_TRY(intra_console_open(request.is_quiet, &console, &err));
    INTRA_TRY(run_export(&request, console, &err));
    intra_console_clear(console);
    if (!request.is_quiet && !intra_record_is_list(&request.record)) printf("%s\n", request.out);
done:
    intra_console_close(&console);
    return status == INTRA_OK ? INTRA_EXIT_DONE : intra_command_fail("export", &err);
}
