/* Layers through OGR. What differs between the formats stands in one table; features are built once for all.
 *
 * Coordinates: plan position = start + turn (x, y), height = start.z + z; the turn takes the chord of the model's axis
 * onto the line between the nodes. M is the station. */
#include "export/gis.h"

#include "core/defect_kind.h"
#include "core/fileio.h"
#include "core/log.h"
#include "core/mem.h"
#include "export/wall_cut.h"

#include <cpl_conv.h>
#include <cpl_error.h>
#include <gdal.h>
#include <math.h>
#include <ogr_api.h>
#include <ogr_srs_api.h>
#include <stdio.h>
#include <string.h>

#define MM 1e3
#define DEG (180 / M_PI)

static const struct {
    const char *driver, *suffix;
    bool is_folder, has_short_names, has_one_layer;
} formats[] = {[INTRA_GIS_GPKG] = {"GPKG", ".part.gpkg", false, false, false},
               [INTRA_GIS_GEOJSON] = {"GeoJSON", ".part.geojson", false, false, true},
               [INTRA_GIS_FGDB] = {"OpenFileGDB", ".part.gdb", true, false, false},
               [INTRA_GIS_SHP] = {"ESRI Shapefile", ".part", true, true, false}};

struct column {
    const char *name, *brief; /* brief: at most ten letters, for Shapefile */
    OGRFieldType type;
};

enum observation_column {
    O_INSPECTION,
    O_ID,
    O_CODE,
    O_CHAR1,
    O_CHAR2,
    O_KIND,
    O_SYSTEM,
    O_SOURCE,
    O_TEXT,
    O_REMARK,
    O_FROM,
    O_TO,
    O_STATION_SD,
    O_CLOCK_FROM,
    O_CLOCK_TO,
    O_CLOCK_SD,
    O_REFINED,
    O_LENGTH,
    O_LENGTH_SD,
    O_WIDTH,
    O_WIDTH_SD,
    O_WIDTH_LIMIT,
    O_AREA,
    O_AREA_SD,
    O_RING,
    O_DEPTH,
    O_DEPTH_SD,
    O_LOSS,
    O_VOLUME,
    O_DIAMETER,
    O_OPENING,
    O_OFFSET,
    O_DEFLECTION,
    O_RESOLUTION,
    O_GRADE_SCALE,
    O_GRADE,
    O_SEVERITY,
    O_CONFIDENCE,
    O_FRAME,
    O_TIME,
    O_VIDEO,
    O_REASON,
    O_COLUMNS
};
static const struct column observation_columns[O_COLUMNS] = {
    [O_INSPECTION] = {"inspection", "inspection", OFTInteger64},
    [O_ID] = {"id", "id", OFTString},
    [O_CODE] = {"code", "code", OFTString},
    [O_CHAR1] = {"characterisation_1", "char1", OFTString},
    [O_CHAR2] = {"characterisation_2", "char2", OFTString},
    [O_KIND] = {"kind", "kind", OFTString},
    [O_SYSTEM] = {"code_system", "system", OFTString},
    [O_SOURCE] = {"source", "source", OFTString},
    [O_TEXT] = {"text", "text", OFTString},
    [O_REMARK] = {"remark", "remark", OFTString},
    [O_FROM] = {"station_from_m", "from_m", OFTReal},
    [O_TO] = {"station_to_m", "to_m", OFTReal},
    [O_STATION_SD] = {"station_sd_m", "sta_sd_m", OFTReal},
    [O_CLOCK_FROM] = {"clock_from", "clock_from", OFTReal},
    [O_CLOCK_TO] = {"clock_to", "clock_to", OFTReal},
    [O_CLOCK_SD] = {"clock_sd", "clock_sd", OFTReal},
    [O_REFINED] = {"is_refined", "is_refined", OFTInteger},
    [O_LENGTH] = {"length_mm", "length_mm", OFTReal},
    [O_LENGTH_SD] = {"length_sd_mm", "len_sd_mm", OFTReal},
    [O_WIDTH] = {"width_mm", "width_mm", OFTReal},
    [O_WIDTH_SD] = {"width_sd_mm", "wid_sd_mm", OFTReal},
    [O_WIDTH_LIMIT] = {"is_width_limit", "wid_limit", OFTInteger},
    [O_AREA] = {"area_mm2", "area_mm2", OFTReal},
    [O_AREA_SD] = {"area_sd_mm2", "ar_sd_mm2", OFTReal},
    [O_RING] = {"ring_share_pct", "ring_pct", OFTReal},
    [O_DEPTH] = {"depth_mm", "depth_mm", OFTReal},
    [O_DEPTH_SD] = {"depth_sd_mm", "dep_sd_mm", OFTReal},
    [O_LOSS] = {"section_loss_pct", "loss_pct", OFTReal},
    [O_VOLUME] = {"volume_l", "volume_l", OFTReal},
    [O_DIAMETER] = {"diameter_mm", "diam_mm", OFTReal},
    [O_OPENING] = {"opening_mm", "opening_mm", OFTReal},
    [O_OFFSET] = {"offset_mm", "offset_mm", OFTReal},
    [O_DEFLECTION] = {"deflection_deg", "deflec_deg", OFTReal},
    [O_RESOLUTION] = {"resolution_mm", "resol_mm", OFTReal},
    [O_GRADE_SCALE] = {"grade_scale", "gr_scale", OFTString},
    [O_GRADE] = {"grade", "grade", OFTReal},
    [O_SEVERITY] = {"severity", "severity", OFTReal},
    [O_CONFIDENCE] = {"confidence", "confidence", OFTReal},
    [O_FRAME] = {"frame", "frame", OFTInteger64},
    [O_TIME] = {"time_s", "time_s", OFTReal},
    [O_VIDEO] = {"video", "video", OFTString},
    [O_REASON] = {"placed", "placed", OFTString}};

static const struct column pipe_columns[] = {{"name", "name", OFTString},
                                             {"node_start", "node_start", OFTString},
                                             {"node_end", "node_end", OFTString},
                                             {"diameter_mm", "diam_mm", OFTReal},
                                             {"length_m", "length_m", OFTReal},
                                             {"length_sd_m", "len_sd_m", OFTReal},
                                             {"is_scale_assumed", "assumed", OFTInteger},
                                             {"date", "date", OFTString},
                                             {"standard", "standard", OFTString},
                                             {"material", "material", OFTString},
                                             {"coordinates", "coords", OFTString}};
enum { PIPE_COLUMNS = sizeof pipe_columns / sizeof *pipe_columns };

static const struct column section_columns[] = {
    {"station_m", "station_m", OFTReal},         {"diameter_min_mm", "d_min_mm", OFTReal},
    {"diameter_max_mm", "d_max_mm", OFTReal},    {"diameter_mean_mm", "d_mean_mm", OFTReal},
    {"diameter_mean_sd_mm", "d_sd_mm", OFTReal}, {"perimeter_mm", "perim_mm", OFTReal},
    {"ovality_pct", "oval_pct", OFTReal},        {"ovality_sd_pct", "ov_sd_pct", OFTReal},
    {"min_clock", "min_clock", OFTReal},         {"water_level_pct", "water_pct", OFTReal},
    {"heading_deg", "head_deg", OFTReal},        {"grade_pct", "grade_pct", OFTReal}};
enum { SECTION_COLUMNS = sizeof section_columns / sizeof *section_columns };

static const struct column media_columns[] = {{"inspection", "inspection", OFTInteger64},
                                              {"observation_id", "obs_id", OFTString},
                                              {"kind", "kind", OFTString},
                                              {"file", "file", OFTString}};
enum { MEDIA_COLUMNS = 4 };

struct writer {
    const struct intra_scene *scene;
    const struct intra_inspection *inspections;
    int64_t n_inspections;
    const struct intra_inspection *where; /* the one that says where the pipe lies, else the first; NULL: none */
    enum intra_gis_format format;
    GDALDatasetH set;
    OGRSpatialReferenceH srs;   /* NULL: the model's own metres */
    OGRSpatialReferenceH plain; /* of what does not lie on the earth; in a GeoPackage srs_id -1. NULL: none */
    double cos_turn, sin_turn;
    struct intra_vec3 start, origin;
    bool is_placed; /* coordinates are real */
};

const char *intra_gis_library_version(void)
{
    return GDALVersionInfo("RELEASE_NAME");
}

static enum intra_status gdal_fail(struct intra_error *err, const char *path, const char *what)
{
    const char *said = CPLGetLastErrorMsg();
    return INTRA_FAIL(err, INTRA_E_IO, "%s: cannot write %s%s%s", path, what, said && *said ? ": " : "",
                      said ? said : "");
}

/* ---- coordinates ---- */

static bool is_known(struct intra_vec3 v)
{
    return isfinite(v.x) && isfinite(v.y);
}

static bool has_place(const struct intra_inspection *p)
{
    return is_known(p->start_xyz) && is_known(p->end_xyz);
}

static void place_pipe(struct writer *w)
{
    const struct intra_inspection *p;
    const struct intra_scene *scene = w->scene;
    w->cos_turn = 1;
    if (w->n_inspections == 0) return;
    w->where = w->inspections;
    for (int64_t i = 0; i < w->n_inspections && !has_place(w->where); i++)
        if (has_place(&w->inspections[i])) w->where = &w->inspections[i];
    p = w->where;
    if (scene->n_sections < 2 || !has_place(p)) return;
    struct intra_vec3 a = scene->sections[0].centre, b = scene->sections[scene->n_sections - 1].centre;
    double own = atan2(b.y - a.y, b.x - a.x),
           real = atan2(p->end_xyz.y - p->start_xyz.y, p->end_xyz.x - p->start_xyz.x);
    if (hypot(p->end_xyz.x - p->start_xyz.x, p->end_xyz.y - p->start_xyz.y) < 1e-6) return;
    w->is_placed = true;
    w->cos_turn = cos(real - own);
    w->sin_turn = sin(real - own);
    w->origin = a;
    w->start = p->start_xyz;
    if (!isfinite(w->start.z)) w->start.z = 0;
    if (p->crs) {
        w->srs = OSRNewSpatialReference(NULL);
        if (OSRSetFromUserInput(w->srs, p->crs) != OGRERR_NONE) { /* DWA-M 150 says "UTM", without a zone */
            intra_log(INTRA_LOG_WARNING, "export",
                      "'%s' is no coordinate system that GDAL knows; the coordinates are written without one", p->crs);
            OSRDestroySpatialReference(w->srs);
            w->srs = NULL;
            return;
        }
        OSRSetAxisMappingStrategy(w->srs, OAMS_TRADITIONAL_GIS_ORDER);
    }
}

static struct intra_vec3 to_map(const struct writer *w, struct intra_vec3 x)
{
    if (!w->is_placed) return x;
    struct intra_vec3 d = intra_sub(x, w->origin);
    return intra_vec3(w->start.x + w->cos_turn * d.x - w->sin_turn * d.y,
                      w->start.y + w->sin_turn * d.x + w->cos_turn * d.y, w->start.z + d.z);
}

static OGRGeometryH point(const struct writer *w, struct intra_vec3 x, double station_m)
{
    struct intra_vec3 at = to_map(w, x);
    OGRGeometryH g = OGR_G_CreateGeometry(wkbPointZM);
    OGR_G_SetPointZM(g, 0, at.x, at.y, at.z, station_m);
    return g;
}

static void add_point(const struct writer *w, OGRGeometryH line, struct intra_vec3 x, double station_m)
{
    struct intra_vec3 at = to_map(w, x);
    OGR_G_AddPointZM(line, at.x, at.y, at.z, station_m);
}

/* ---- layers and fields ---- */

static OGRLayerH make_layer(struct writer *w, const char *name, OGRwkbGeometryType type, bool is_wall,
                            const struct column *columns, int n)
{
    OGRSpatialReferenceH srs = type == wkbNone ? NULL : is_wall || !w->srs ? w->plain : w->srs;
    OGRLayerH layer = GDALDatasetCreateLayer(w->set, name, srs, type, NULL);
    for (int i = 0; layer && i < n; i++) {
        OGRFieldDefnH field =
            OGR_Fld_Create(formats[w->format].has_short_names ? columns[i].brief : columns[i].name, columns[i].type);
        if (columns[i].type == OFTReal && formats[w->format].has_short_names) {
            OGR_Fld_SetWidth(field, 16);
            OGR_Fld_SetPrecision(field, 5);
        }
        if (OGR_L_CreateField(layer, field, 1) != OGRERR_NONE) layer = NULL;
        OGR_Fld_Destroy(field);
    }
    return layer;
}

static void set_text(OGRFeatureH f, int column, const char *text)
{
    if (text && *text) OGR_F_SetFieldString(f, column, text);
}

static void set_number(OGRFeatureH f, int column, double value)
{
    if (isfinite(value)) OGR_F_SetFieldDouble(f, column, value);
}

/* Takes the feature and the geometry. */
static bool put(OGRLayerH layer, OGRFeatureH f, OGRGeometryH g)
{
    if (g) OGR_F_SetGeometryDirectly(f, g);
    bool is_done = OGR_L_CreateFeature(layer, f) == OGRERR_NONE;
    OGR_F_Destroy(f);
    return is_done;
}

/* ---- what goes in ---- */

static bool put_pipe(struct writer *w, OGRLayerH layer)
{
    const struct intra_inspection *p = w->where;
    OGRFeatureH f = OGR_F_Create(OGR_L_GetLayerDefn(layer));
    OGRGeometryH line = OGR_G_CreateGeometry(wkbLineStringZM);
    for (int64_t i = 0; i < w->scene->n_sections; i++)
        add_point(w, line, w->scene->sections[i].centre, w->scene->sections[i].station_m);
    if (p) {
        set_text(f, 0, p->pipe);
        set_text(f, 1, p->node_start);
        set_text(f, 2, p->node_end);
        set_text(f, 7, p->date);
        set_text(f, 8, p->standard);
        set_text(f, 9, p->material);
    }
    set_number(f, 3, w->scene->nominal_diameter_m * MM);
    set_number(f, 4, w->scene->length_m);
    set_number(f, 5, w->scene->length_sd_m);
    OGR_F_SetFieldInteger(f, 6, w->scene->camera.is_assumed || w->scene->is_diameter_assumed);
    set_text(f, 10, w->is_placed ? (w->srs ? p->crs : "as the record's nodes") : "the model's own metres");
    return put(layer, f, line);
}

static bool put_section(const struct writer *w, OGRLayerH layer, const struct intra_section *s)
{
    OGRFeatureH f = OGR_F_Create(OGR_L_GetLayerDefn(layer));
    const double values[SECTION_COLUMNS] = {s->station_m,
                                            s->diameter_min_m * MM,
                                            s->diameter_max_m * MM,
                                            s->diameter_mean_m * MM,
                                            s->diameter_mean_sd_m * MM,
                                            s->perimeter_m * MM,
                                            s->ovality_pct,
                                            s->ovality_sd_pct,
                                            intra_clock_to_hours(s->min_clock_rad),
                                            s->water_level_pct,
                                            intra_wrap_pi(s->heading_rad) * DEG,
                                            s->grade_pct};
    for (int i = 0; i < SECTION_COLUMNS; i++)
        set_number(f, i, values[i]);
    return put(layer, f, point(w, s->centre, s->station_m));
}

static const char *video_of(const struct intra_inspection *p, const struct intra_observation *o)
{
    for (int i = 0; i < o->n_media; i++)
        if (o->media[i].kind == INTRA_MEDIA_VIDEO) return o->media[i].file;
    for (int i = 0; i < p->n_media; i++)
        if (p->media[i].kind == INTRA_MEDIA_VIDEO) return p->media[i].file;
    return NULL;
}

/* Its id, or its number where the source gives none. */
static void id_of(const struct intra_observation *o, int64_t number, char *out, size_t n)
{
    if (o->id && *o->id)
        snprintf(out, n, "%s", o->id);
    else
        snprintf(out, n, "obs-%lld", (long long)number);
}

static void set_inspection(OGRFeatureH f, int column, const struct intra_inspection *p)
{
    if (p->number > 0) OGR_F_SetFieldInteger64(f, column, p->number);
}

static void fill_observation(OGRFeatureH f, const struct intra_inspection *p, const struct intra_observation *o,
                             int64_t number)
{
    const struct intra_wall_region *r = intra_place_region(&o->place);
    const struct intra_extent *x = &o->extent;
    const struct intra_grade *worst = NULL;
    char id[128];
    id_of(o, number, id, sizeof id);
    set_inspection(f, O_INSPECTION, p);
    set_text(f, O_ID, id);
    set_text(f, O_CODE, o->code);
    set_text(f, O_CHAR1, o->characterisation[0]);
    set_text(f, O_CHAR2, o->characterisation[1]);
    set_text(f, O_KIND, intra_defect_kind_name(intra_defect_kind_of(o->system, o->code)));
    set_text(f, O_SYSTEM, intra_code_system_name(o->system));
    set_text(f, O_SOURCE, "imported");
    set_text(f, O_TEXT, o->text);
    set_text(f, O_REMARK, o->remark);
    set_text(f, O_REASON, o->place.reason);
    set_text(f, O_VIDEO, video_of(p, o));
    OGR_F_SetFieldInteger(f, O_REFINED, o->place.is_refined);
    const struct {
        int column;
        double value;
    } numbers[] = {{O_FROM, r->station_from_m},
                   {O_TO, r->station_to_m},
                   {O_STATION_SD, r->station_sd_m},
                   {O_CLOCK_FROM, intra_clock_to_hours(r->clock_from_rad)},
                   {O_CLOCK_TO, intra_clock_to_hours(r->clock_to_rad)},
                   {O_CLOCK_SD, r->clock_sd_rad * 6 / M_PI},
                   {O_LENGTH, x->length_m * MM},
                   {O_LENGTH_SD, x->length_sd_m * MM},
                   {O_WIDTH, x->width_m * MM},
                   {O_WIDTH_SD, x->width_sd_m * MM},
                   {O_AREA, x->area_m2 * MM * MM},
                   {O_AREA_SD, x->area_sd_m2 * MM * MM},
                   {O_RING, x->ring_share_pct},
                   {O_DEPTH, x->depth_m * MM},
                   {O_DEPTH_SD, x->depth_sd_m * MM},
                   {O_LOSS, x->section_loss_pct},
                   {O_VOLUME, x->volume_m3 * MM},
                   {O_DIAMETER, x->diameter_m * MM},
                   {O_OPENING, x->opening_m * MM},
                   {O_RESOLUTION, x->resolution_m * MM},
                   {O_CONFIDENCE, o->score},
                   {O_TIME, o->place.time_s}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        set_number(f, numbers[i].column, numbers[i].value);
    if (isfinite(x->width_m)) OGR_F_SetFieldInteger(f, O_WIDTH_LIMIT, x->is_width_limit);
    if (o->place.frame >= 0) OGR_F_SetFieldInteger64(f, O_FRAME, o->place.frame);
    for (int i = 0; i < o->n_grades; i++) {
        double s = intra_grade_severity(o->grades[i].scale, o->grades[i].value);
        if (!worst || s > intra_grade_severity(worst->scale, worst->value)) worst = &o->grades[i];
    }
    if (!worst) return;
    set_text(f, O_GRADE_SCALE, intra_grade_scale_name(worst->scale));
    set_number(f, O_GRADE, worst->value);
    set_number(f, O_SEVERITY, intra_grade_severity(worst->scale, worst->value));
}

static void fill_feature(OGRFeatureH f, const struct intra_feature *feature, int64_t number)
{
    char id[64];
    snprintf(id, sizeof id, "%s-%lld", intra_feature_kind_name(feature->kind), (long long)number);
    set_text(f, O_ID, id);
    set_text(f, O_KIND, intra_feature_kind_name(feature->kind));
    set_text(f, O_SOURCE, "found");
    set_number(f, O_FROM, feature->station_m);
    set_number(f, O_TO, isfinite(feature->station_to_m) ? feature->station_to_m : feature->station_m);
    set_number(f, O_STATION_SD, feature->station_sd_m);
    set_number(f, O_CLOCK_FROM, intra_clock_to_hours(feature->clock_rad));
    set_number(f, O_OPENING, feature->gap_m * MM);
    set_number(f, O_OFFSET, feature->offset_m * MM);
    set_number(f, O_DEFLECTION,
               (feature->kind == INTRA_FEATURE_BEND ? feature->angle_rad : feature->deflection_rad) * DEG);
    set_number(f, O_DIAMETER, feature->diameter_m * MM);
    set_number(f, O_DEPTH, feature->intrusion_m * MM);
    set_number(f, O_CONFIDENCE, feature->confidence);
}

/* On the axis, between the crown and the invert. */
static bool axis_at(const struct intra_scene *scene, double station_m, struct intra_vec3 *out)
{
    struct intra_vec3 top, bottom;
    if (!intra_scene_wall_point(scene, station_m, 0, 0, &top, NULL) ||
        !intra_scene_wall_point(scene, station_m, M_PI, 0, &bottom, NULL))
        return false;
    *out = intra_scale(intra_add(top, bottom), 0.5);
    return true;
}

/* The line of an observation in space: its own on the wall, or the stretch of the axis that it runs along; NULL: it is
 * a point. */
static OGRGeometryH line_of(const struct writer *w, const struct intra_observation *o)
{
    const struct intra_wall_region *r = intra_place_region(&o->place);
    struct intra_vec3 x;
    OGRGeometryH line = OGR_G_CreateGeometry(wkbLineStringZM);
    if (o->place.is_line && o->place.outline) {
        int every = o->place.n_outline > 200 ? o->place.n_outline / 100 : 1;
        for (int i = 0; i < o->place.n_outline; i++) {
            const double *at = o->place.outline[i];
            bool is_kept = i % every == 0 || i == o->place.n_outline - 1;
            if (is_kept && intra_scene_wall_point(w->scene, at[0], at[1], 0, &x, NULL)) add_point(w, line, x, at[0]);
        }
    } else if (r->station_to_m - r->station_from_m > 1e-3) {
        int n = (int)fmin(1000, ceil((r->station_to_m - r->station_from_m) / 0.1)) + 1;
        for (int i = 0; i <= n; i++) {
            double s = r->station_from_m + (r->station_to_m - r->station_from_m) * i / n;
            if (axis_at(w->scene, s, &x)) add_point(w, line, x, s);
        }
    }
    if (OGR_G_GetPointCount(line) >= 2) return line;
    OGR_G_DestroyGeometry(line);
    return NULL;
}

/* On the unrolled picture: x = station, y = arc length from its bottom edge. What crosses the cut has a part at either
 * edge, since nothing shows what lies beyond them. *out is NULL where there is no outline. */
static enum intra_status outline_of(const struct intra_scene *scene, const struct intra_observation *o,
                                    OGRGeometryH *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_place *p = &o->place;
    const double(*at)[2];
    struct intra_wall_pieces pieces = {0};
    *out = NULL;
    if (!(scene->wall.perimeter_m > 0)) return INTRA_OK;
    INTRA_TRY(
        intra_wall_cut((const double(*)[2])p->outline, p->n_outline, p->is_line, scene->wall.cut_rad, &pieces, err));
    if (pieces.n == 0) goto done;
    *out = OGR_G_CreateGeometry(p->is_line ? wkbMultiLineString : wkbMultiPolygon);
    at = (const double(*)[2])pieces.points;
    for (int k = 0; k < pieces.n; at += pieces.n_points[k++]) {
        OGRGeometryH ring = OGR_G_CreateGeometry(p->is_line ? wkbLineString : wkbLinearRing), part = ring;
        for (int i = 0; i < pieces.n_points[k] + !p->is_line; i++) {
            const double *q = at[i % pieces.n_points[k]];
            OGR_G_AddPoint_2D(ring, q[0], scene->wall.perimeter_m * (1 - q[1]));
        }
        if (!p->is_line) {
            part = OGR_G_CreateGeometry(wkbPolygon);
            OGR_G_AddGeometryDirectly(part, ring);
        }
        OGR_G_AddGeometryDirectly(*out, part);
    }
done:
    intra_wall_pieces_fini(&pieces);
    return status;
}

static enum intra_status put_recorded(struct writer *w, const struct intra_inspection *p, OGRLayerH points,
                                      OGRLayerH lines, const char *path, struct intra_error *err)
{
    for (int64_t i = 0; i < p->n_observations; i++) {
        const struct intra_observation *o = &p->observations[i];
        if (!o->place.is_placed) continue;
        const struct intra_wall_region *r = intra_place_region(&o->place);
        OGRFeatureH f = OGR_F_Create(OGR_L_GetLayerDefn(points));
        fill_observation(f, p, o, i + 1);
        if (!put(points, f,
                 isfinite(o->place.x.x) ? point(w, o->place.x, (r->station_from_m + r->station_to_m) / 2) : NULL))
            return gdal_fail(err, path, "an observation");
        OGRGeometryH line = lines ? line_of(w, o) : NULL;
        if (!line) continue;
        f = OGR_F_Create(OGR_L_GetLayerDefn(lines));
        fill_observation(f, p, o, i + 1);
        if (!put(lines, f, line)) return gdal_fail(err, path, "an observation");
    }
    return INTRA_OK;
}

static enum intra_status put_observations(struct writer *w, OGRLayerH points, OGRLayerH lines, const char *path,
                                          struct intra_error *err)
{
    const struct intra_scene *scene = w->scene;
    struct intra_vec3 x;
    for (int64_t i = 0; i < w->n_inspections; i++) {
        enum intra_status status = put_recorded(w, &w->inspections[i], points, lines, path, err);
        if (status != INTRA_OK) return status;
    }
    for (int64_t i = 0; i < scene->n_features; i++) {
        const struct intra_feature *feature = &scene->features[i];
        OGRFeatureH f = OGR_F_Create(OGR_L_GetLayerDefn(points));
        bool is_on_wall = isfinite(feature->clock_rad) &&
                          intra_scene_wall_point(scene, feature->station_m, feature->clock_rad, 0, &x, NULL);
        fill_feature(f, feature, i + 1);
        if (!put(points, f,
                 is_on_wall || axis_at(scene, feature->station_m, &x) ? point(w, x, feature->station_m) : NULL))
            return gdal_fail(err, path, "a feature");
    }
    return INTRA_OK;
}

static enum intra_status put_outlines(struct writer *w, const char *path, struct intra_error *err)
{
    OGRLayerH lines = make_layer(w, "wall_lines", wkbMultiLineString, true, observation_columns, O_COLUMNS);
    OGRLayerH areas = make_layer(w, "wall_areas", wkbMultiPolygon, true, observation_columns, O_COLUMNS);
    if (!lines || !areas) return gdal_fail(err, path, "the layers of the wall");
    for (int64_t i = 0; i < w->n_inspections; i++) {
        const struct intra_inspection *p = &w->inspections[i];
        for (int64_t k = 0; k < p->n_observations; k++) {
            const struct intra_observation *o = &p->observations[k];
            OGRLayerH layer = o->place.is_line ? lines : areas;
            OGRGeometryH g;
            enum intra_status status = outline_of(w->scene, o, &g, err);
            if (status != INTRA_OK) return status;
            if (!g) continue;
            OGRFeatureH f = OGR_F_Create(OGR_L_GetLayerDefn(layer));
            fill_observation(f, p, o, k + 1);
            if (!put(layer, f, g)) return gdal_fail(err, path, "an outline");
        }
    }
    return INTRA_OK;
}

static bool put_medium(OGRLayerH layer, const struct intra_inspection *p, const char *id, const struct intra_media *m)
{
    OGRFeatureH f = OGR_F_Create(OGR_L_GetLayerDefn(layer));
    set_inspection(f, 0, p);
    set_text(f, 1, id);
    set_text(f, 2, intra_media_kind_name(m->kind));
    set_text(f, 3, m->file);
    return put(layer, f, NULL);
}

static bool put_media_of(OGRLayerH layer, const struct intra_inspection *p)
{
    char id[128];
    for (int i = 0; i < p->n_media; i++)
        if (!put_medium(layer, p, NULL, &p->media[i])) return false;
    for (int64_t k = 0; k < p->n_observations; k++) {
        const struct intra_observation *o = &p->observations[k];
        id_of(o, k + 1, id, sizeof id);
        for (int i = 0; i < o->n_media; i++)
            if (!put_medium(layer, p, id, &o->media[i])) return false;
    }
    return true;
}

static enum intra_status put_media(struct writer *w, const char *path, struct intra_error *err)
{
    OGRLayerH layer = make_layer(w, "media", wkbNone, false, media_columns, MEDIA_COLUMNS);
    if (!layer) return gdal_fail(err, path, "the table of media");
    for (int64_t i = 0; i < w->n_inspections; i++)
        if (!put_media_of(layer, &w->inspections[i])) return gdal_fail(err, path, "a medium");
    return INTRA_OK;
}

static enum intra_status put_all(struct writer *w, const char *path, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    OGRLayerH layer, lines = NULL;
    if (formats[w->format].has_one_layer) {
        layer = make_layer(w, "observations", wkbUnknown, false, observation_columns, O_COLUMNS);
        return layer ? put_observations(w, layer, layer, path, err) : gdal_fail(err, path, "the observations");
    }
    layer = make_layer(w, "pipe", wkbLineStringZM, false, pipe_columns, PIPE_COLUMNS);
    if (!layer || !put_pipe(w, layer)) return gdal_fail(err, path, "the pipe");
    layer = make_layer(w, "observations", wkbPointZM, false, observation_columns, O_COLUMNS);
    lines = make_layer(w, "observation_lines", wkbLineStringZM, false, observation_columns, O_COLUMNS);
    if (!layer || !lines) return gdal_fail(err, path, "the observations");
    INTRA_TRY(put_observations(w, layer, lines, path, err));
    INTRA_TRY(put_outlines(w, path, err));
    layer = make_layer(w, "sections", wkbPointZM, false, section_columns, SECTION_COLUMNS);
    if (!layer) return gdal_fail(err, path, "the sections");
    for (int64_t i = 0; i < w->scene->n_sections; i++)
        if (w->scene->sections[i].is_seen && !put_section(w, layer, &w->scene->sections[i]))
            return gdal_fail(err, path, "a section");
    INTRA_TRY(put_media(w, path, err));
done:
    return status;
}

/* Half-written files of an earlier run, or of this one. */
static void clear(GDALDriverH driver, const char *part)
{
    if (intra_path_exists(part)) GDALDeleteDataset(driver, part);
    if (intra_path_is_dir(part)) remove(part); /* an empty folder is no dataset */
}

enum intra_status intra_export_gis(const struct intra_scene *scene, const struct intra_inspection *inspections,
                                   int64_t n, enum intra_gis_format format, const char *path, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct writer w = {.scene = scene, .inspections = inspections, .n_inspections = n, .format = format};
    char part[1100];
    GDALDriverH driver;
    if (formats[format].is_folder && intra_path_exists(path))
        return INTRA_FAIL(err, INTRA_E_EXISTS, "%s: exists; remove the folder first, or give another name", path);
    snprintf(part, sizeof part, "%s%s", path, formats[format].suffix);
    GDALAllRegister();
    CPLPushErrorHandler(CPLQuietErrorHandler);
    CPLErrorReset();
    driver = GDALGetDriverByName(formats[format].driver);
    if (!driver) {
        status = INTRA_FAIL(err, INTRA_E_UNSUPPORTED, "this GDAL (%s) has no %s driver", intra_gis_library_version(),
                            formats[format].driver);
        goto done;
    }
    clear(driver, part);
    if (format == INTRA_GIS_GPKG)
        w.plain = OSRNewSpatialReference("LOCAL_CS[\"Undefined Cartesian SRS\",UNIT[\"metre\",1]]");
    place_pipe(&w);
    w.set = GDALCreate(driver, part, 0, 0, 0, GDT_Unknown, NULL);
    if (!w.set) {
        status = gdal_fail(err, path, "it");
        goto done;
    }
    if (GDALDatasetStartTransaction(w.set, FALSE) == OGRERR_NONE) {
        status = put_all(&w, path, err);
        if (status == INTRA_OK && GDALDatasetCommitTransaction(w.set) != OGRERR_NONE)
            status = gdal_fail(err, path, "it");
    } else {
        CPLErrorReset();
        status = put_all(&w, path, err);
    }
    CPLErrorReset();
    GDALClose(w.set);
    w.set = NULL;
    if (status == INTRA_OK && CPLGetLastErrorType() >= CE_Failure) status = gdal_fail(err, path, "its end");
    if (status == INTRA_OK && rename(part, path) != 0)
        status = INTRA_FAIL(err, INTRA_E_IO, "%s: cannot be renamed from %s", path, part);
done:
    if (w.set) GDALClose(w.set);
    if (status != INTRA_OK && driver) clear(driver, part);
    if (w.srs) OSRDestroySpatialReference(w.srs);
    if (w.plain) OSRDestroySpatialReference(w.plain);
    CPLPopErrorHandler();
    return status;
}
