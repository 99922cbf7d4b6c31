/* The text tables of the output contract. Columns, units and decimals: docs/outputs.md. */
#include "core/defect_kind.h"
#include "core/fileio.h"
#include "core/mem.h"
#include "export/export.h"
#include "export/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Decimals by unit: positions to 0.1 mm, millimetres to 0.01, percent and degrees to 0.001, time to the microsecond. */
enum { DEC_M = 4, DEC_MM = 2, DEC_PCT = 3, DEC_DEG = 3, DEC_S = 6, DEC_CLOCK_SD = 2, DEC_SHARE = 3 };

static const double MM = 1000, DEG = 180 / M_PI, CLOCK = 6 / M_PI;

static void put_line(FILE *stream, const char *const *names)
{
    int column = 0;
    for (; *names; names++)
        intra_csv_text(stream, &column, *names);
    intra_csv_end(stream, &column);
}

enum intra_status intra_export_trajectory(const struct intra_scene *scene, const char *path, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_out_file file = {0};
    int64_t i;
    INTRA_TRY(intra_out_file_open(&file, path, err));
    for (i = 0; i < scene->n_frames; i++) {
        const struct intra_frame_record *frame = &scene->frames[i];
        struct intra_quat q = intra_quat_from_mat3(&frame->world_from_cam.r);
        const double pose[7] = {
            frame->world_from_cam.t.x, frame->world_from_cam.t.y, frame->world_from_cam.t.z, q.x, q.y, q.z, q.w};
        char text[64];
        int k;
        if (!frame->is_posed) continue;
        fputs(intra_text_number(frame->pts_s, DEC_S, text), file.stream);
        for (k = 0; k < 7; k++)
            fprintf(file.stream, " %s", intra_text_number(pose[k], k < 3 ? 6 : 9, text));
        fputc('\n', file.stream);
    }
    INTRA_TRY(intra_out_file_commit(&file, err));
done:
    intra_out_file_abandon(&file);
    return status;
}

enum intra_status intra_export_frames(const struct intra_scene *scene, const char *path, struct intra_error *err)
{
    static const char *const header[] = {"index",        "t",         "state",   "station_m",
                                         "station_sd_m", "counter_m", "segment", "roll_sd_deg", NULL};
    enum intra_status status = INTRA_OK;
    struct intra_out_file file = {0};
    int64_t i;
    INTRA_TRY(intra_out_file_open(&file, path, err));
    put_line(file.stream, header);
    for (i = 0; i < scene->n_frames; i++) {
        const struct intra_frame_record *frame = &scene->frames[i];
        int column = 0;
        intra_csv_number(file.stream, &column, (double)frame->index, 0);
        intra_csv_number(file.stream, &column, frame->pts_s, DEC_S);
        intra_csv_text(file.stream, &column, intra_frame_state_name(frame->state));
        intra_csv_number(file.stream, &column, frame->station_m, DEC_M);
        intra_csv_number(file.stream, &column, frame->station_sd_m, DEC_M);
        intra_csv_number(file.stream, &column, frame->counter_m, DEC_M);
        intra_csv_number(file.stream, &column, frame->segment >= 0 ? frame->segment : NAN, 0);
        intra_csv_number(file.stream, &column, frame->is_posed ? 180 / M_PI * frame->roll_sd_rad : NAN, 2);
        intra_csv_end(file.stream, &column);
    }
    INTRA_TRY(intra_out_file_commit(&file, err));
done:
    intra_out_file_abandon(&file);
    return status;
}

/* Posed frames in order of their station: to find the frame that stood nearest to a place. */
struct posed_index {
    const struct intra_scene *scene;
    int64_t *frames; /* indices into scene->frames */
    int64_t n;
};

static int compare_stations(const void *a, const void *b, void *user)
{
    const struct intra_scene *scene = user;
    int64_t ia = *(const int64_t *)a, ib = *(const int64_t *)b;
    double sa = scene->frames[ia].station_m, sb = scene->frames[ib].station_m;
    if (sa != sb) return sa < sb ? -1 : 1;
    return ia < ib ? -1 : ia > ib;
}

static enum intra_status posed_index_init(struct posed_index *index, const struct intra_scene *scene,
                                          struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    int64_t i;
    index->scene = scene;
    index->n = 0;
    INTRA_TRY(INTRA_ALLOC(index->frames, (size_t)scene->n_frames, err));
    for (i = 0; i < scene->n_frames; i++)
        if (scene->frames[i].is_posed && isfinite(scene->frames[i].station_m)) index->frames[index->n++] = i;
    if (index->n > 1)
        qsort_r(index->frames, (size_t)index->n, sizeof *index->frames, compare_stations, (void *)(uintptr_t)scene);
done:
    return status;
}

/* The posed frame whose camera stood nearest to `station_m`; NULL when none stood within reach_m. */
static const struct intra_frame_record *posed_index_nearest(const struct posed_index *index, double station_m,
                                                            double reach_m)
{
    const struct intra_frame_record *frames = index->scene->frames, *best = NULL;
    int64_t low = 0, high = index->n, i;
    while (low < high) {
        int64_t mid = low + (high - low) / 2;
        if (frames[index->frames[mid]].station_m < station_m)
            low = mid + 1;
        else
            high = mid;
    }
    for (i = low - 1; i <= low; i++) {
        const struct intra_frame_record *frame;
        if (i < 0 || i >= index->n) continue;
        frame = &frames[index->frames[i]];
        if (fabs(frame->station_m - station_m) > reach_m) continue;
        if (!best || fabs(frame->station_m - station_m) < fabs(best->station_m - station_m)) best = frame;
    }
    return best;
}

static void posed_index_fini(struct posed_index *index)
{
    intra_free(index->frames);
    index->frames = NULL;
}

static const char *const profile_columns[] = {"station_m",
                                              "x",
                                              "y",
                                              "z",
                                              "diameter_min_mm",
                                              "diameter_max_mm",
                                              "diameter_mean_mm",
                                              "perimeter_mm",
                                              "ovality_pct",
                                              "ovality_max_pct",
                                              "min_clock",
                                              "water_level_pct",
                                              "heading_deg",
                                              "grade_pct"};
enum { PROFILE_COLUMNS = sizeof profile_columns / sizeof *profile_columns };

static void put_profile_header(FILE *stream)
{
    int column = 0, i;
    char name[64];
    for (i = 0; i < PROFILE_COLUMNS; i++)
        intra_csv_text(stream, &column, profile_columns[i]);
    for (i = 0; i < PROFILE_COLUMNS; i++) {
        snprintf(name, sizeof name, "%s_sd", profile_columns[i]);
        intra_csv_text(stream, &column, name);
    }
    intra_csv_end(stream, &column);
}

/* station_sd_m: of the section's station; NaN when unknown. */
static void put_profile_line(FILE *stream, const struct intra_section *s, double station_sd_m)
{
    int column = 0, blanks = 2 * PROFILE_COLUMNS - 1;
    char text[64];
    intra_csv_number(stream, &column, s->station_m, DEC_M);
    if (!s->is_seen) {
        /* Centre and frame are interpolated over the gap: not measured, so not printed. */
        while (blanks-- > 0)
            intra_csv_text(stream, &column, "");
        intra_csv_end(stream, &column);
        return;
    }
    intra_csv_number(stream, &column, s->centre.x, DEC_M);
    intra_csv_number(stream, &column, s->centre.y, DEC_M);
    intra_csv_number(stream, &column, s->centre.z, DEC_M);
    intra_csv_number(stream, &column, s->diameter_min_m * MM, DEC_MM);
    intra_csv_number(stream, &column, s->diameter_max_m * MM, DEC_MM);
    intra_csv_number(stream, &column, s->diameter_mean_m * MM, DEC_MM);
    intra_csv_number(stream, &column, s->perimeter_m * MM, DEC_MM);
    intra_csv_number(stream, &column, s->ovality_pct, DEC_PCT);
    intra_csv_number(stream, &column, s->ovality_max_pct, DEC_PCT);
    intra_csv_text(stream, &column, intra_text_clock(s->min_clock_rad, text));
    intra_csv_number(stream, &column, s->water_level_pct, DEC_PCT);
    intra_csv_number(stream, &column, intra_wrap_pi(s->heading_rad) * DEG, DEC_DEG);
    intra_csv_number(stream, &column, s->grade_pct, DEC_PCT);
    intra_csv_number(stream, &column, station_sd_m, DEC_M);
    intra_csv_number(stream, &column, s->centre_sd_m.x, DEC_M);
    intra_csv_number(stream, &column, s->centre_sd_m.y, DEC_M);
    intra_csv_number(stream, &column, s->centre_sd_m.z, DEC_M);
    intra_csv_number(stream, &column, s->diameter_min_sd_m * MM, DEC_MM);
    intra_csv_number(stream, &column, s->diameter_max_sd_m * MM, DEC_MM);
    intra_csv_number(stream, &column, s->diameter_mean_sd_m * MM, DEC_MM);
    intra_csv_number(stream, &column, s->perimeter_sd_m * MM, DEC_MM);
    intra_csv_number(stream, &column, s->ovality_sd_pct, DEC_PCT);
    intra_csv_number(stream, &column, s->ovality_max_sd_pct, DEC_PCT);
    intra_csv_number(stream, &column, s->min_clock_sd_rad * CLOCK, DEC_CLOCK_SD);
    intra_csv_number(stream, &column, s->water_level_sd_pct, DEC_PCT);
    intra_csv_number(stream, &column, s->heading_sd_rad * DEG, DEC_DEG);
    intra_csv_number(stream, &column, s->grade_sd_pct, DEC_PCT);
    intra_csv_end(stream, &column);
}

enum intra_status intra_export_profile(const struct intra_scene *scene, const char *path, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_out_file file = {0};
    struct posed_index posed = {0};
    int64_t i;
    INTRA_TRY(posed_index_init(&posed, scene, err));
    INTRA_TRY(intra_out_file_open(&file, path, err));
    put_profile_header(file.stream);
    for (i = 0; i < scene->n_sections; i++) {
        /* How well the station of a section is known: as well as that of the camera that passed it. */
        const struct intra_frame_record *frame =
            posed_index_nearest(&posed, scene->sections[i].station_m, 2 * scene->nominal_diameter_m);
        put_profile_line(file.stream, &scene->sections[i], frame ? frame->station_sd_m : NAN);
    }
    INTRA_TRY(intra_out_file_commit(&file, err));
done:
    intra_out_file_abandon(&file);
    posed_index_fini(&posed);
    return status;
}

/* EN 13508-2 codes a displaced joint (BAJ) without saying from which displacement on; here it is one that surely
 * exceeds 10 mm. A joint in order is no defect and gets no code. */
static bool is_displaced(const struct intra_feature *joint)
{
    return joint->offset_m - 1.96 * joint->offset_sd_m > 0.01;
}

/* EN 13508-2: connection, curvature of the sewer, water level. What characterises them further (which way a bend turns,
 * how a connection was made) stands in the columns, not in the code. */
const char *intra_feature_code(const struct intra_feature *feature)
{
    switch (feature->kind) {
    case INTRA_FEATURE_JOINT:
        return is_displaced(feature) ? "BAJ" : "";
    case INTRA_FEATURE_LATERAL:
        return "BCA";
    case INTRA_FEATURE_BEND:
        return "BCC";
    case INTRA_FEATURE_WATER:
        return "BDD";
    }
    return "";
}

/* Clock range and place in 3D. A lateral: its mouth, and the wall in its middle. What runs around the pipe, and a bend:
 * the whole ring, and the axis there. Water: its surface's edges, and the axis. */
struct feature_place {
    double clock_from_rad, clock_to_rad;
    struct intra_vec3 point;
};

static struct feature_place place_of(const struct intra_scene *scene, const struct intra_feature *feature)
{
    struct feature_place place = {0, 0, {NAN, NAN, NAN}};
    struct intra_vec3 top, bottom;
    double radius = 0.5 * scene->nominal_diameter_m;
    if (feature->kind == INTRA_FEATURE_LATERAL) {
        double half = asin(fmin(1, 0.5 * feature->diameter_m / radius));
        place.clock_from_rad = feature->clock_rad - half;
        place.clock_to_rad = feature->clock_rad + half;
        if (!intra_scene_wall_point(scene, feature->station_m, feature->clock_rad, 0, &place.point, NULL))
            place.point = intra_vec3(NAN, NAN, NAN);
        return place;
    }
    if (feature->kind == INTRA_FEATURE_WATER) {
        double half = acos(fmax(-1, fmin(1, 1 - 0.02 * feature->level_pct)));
        place.clock_from_rad = M_PI - half;
        place.clock_to_rad = M_PI + half;
    }
    if (intra_scene_wall_point(scene, feature->station_m, 0, 0, &top, NULL) &&
        intra_scene_wall_point(scene, feature->station_m, M_PI, 0, &bottom, NULL))
        place.point = intra_scale(intra_add(top, bottom), 0.5);
    return place;
}

static void put_text_or_nothing(FILE *stream, int *column, double value, double angle_rad)
{
    char clock[64];
    intra_csv_text(stream, column, isfinite(value) && isfinite(angle_rad) ? intra_text_clock(angle_rad, clock) : "");
}

enum { RECORDED_COLUMNS = 23 }; /* at the end, of records only */

/* The frame to look at is the one that stood one diameter before it, where the whole ring is well inside the picture.
 */
static void put_feature_line(FILE *stream, const struct intra_scene *scene, const struct posed_index *posed,
                             int64_t number, const struct intra_feature *f)
{
    const struct intra_frame_record *frame =
        posed_index_nearest(posed, f->station_m - scene->nominal_diameter_m, scene->nominal_diameter_m);
    struct feature_place place = place_of(scene, f);
    bool is_point = isnan(f->station_to_m);
    double bend_clock = f->kind == INTRA_FEATURE_BEND ? f->clock_rad : NAN;
    char id[32], clock[64];
    int column = 0, blanks;
    snprintf(id, sizeof id, "%s-%" PRId64, intra_feature_kind_name(f->kind), number);
    intra_csv_text(stream, &column, id);
    intra_csv_text(stream, &column, intra_feature_code(f));
    intra_csv_text(stream, &column, intra_feature_kind_name(f->kind));
    intra_csv_number(stream, &column, f->station_m, DEC_M);
    intra_csv_number(stream, &column, is_point ? f->station_m : f->station_to_m, DEC_M);
    intra_csv_text(stream, &column, intra_text_clock(place.clock_from_rad, clock));
    intra_csv_text(stream, &column, intra_text_clock(place.clock_to_rad, clock));
    intra_csv_number(stream, &column, (f->station_to_m - f->station_m) * MM, DEC_MM);
    intra_csv_number(stream, &column, f->gap_m * MM, DEC_MM);
    intra_csv_text(stream, &column, ""); /* area */
    intra_csv_number(stream, &column, place.point.x, DEC_M);
    intra_csv_number(stream, &column, place.point.y, DEC_M);
    intra_csv_number(stream, &column, place.point.z, DEC_M);
    intra_csv_number(stream, &column, frame ? (double)frame->index : NAN, 0);
    intra_csv_number(stream, &column, frame ? frame->pts_s : NAN, DEC_S);
    intra_csv_text(stream, &column, "found");
    intra_csv_number(stream, &column, f->confidence, DEC_SHARE);
    intra_csv_number(stream, &column, f->station_sd_m, DEC_M);
    intra_csv_number(stream, &column, f->clock_sd_rad * CLOCK, DEC_CLOCK_SD);
    intra_csv_number(stream, &column, is_point ? NAN : hypot(f->station_sd_m, f->station_to_sd_m) * MM, DEC_MM);
    intra_csv_number(stream, &column, f->gap_sd_m * MM, DEC_MM);
    for (blanks = 4; blanks > 0; blanks--)
        intra_csv_text(stream, &column, ""); /* area, position */
    intra_csv_number(stream, &column, f->offset_m * MM, DEC_MM);
    put_text_or_nothing(stream, &column, f->offset_m, f->offset_clock_rad);
    intra_csv_number(stream, &column, f->deflection_rad * DEG, DEC_DEG);
    put_text_or_nothing(stream, &column, f->deflection_rad, f->deflection_clock_rad);
    intra_csv_number(stream, &column, f->offset_sd_m * MM, DEC_MM);
    intra_csv_number(stream, &column, f->offset_clock_sd_rad * CLOCK, DEC_CLOCK_SD);
    intra_csv_number(stream, &column, f->deflection_sd_rad * DEG, DEC_DEG);
    intra_csv_number(stream, &column, f->diameter_m * MM, DEC_MM);
    intra_csv_number(stream, &column, f->diameter_sd_m * MM, DEC_MM);
    intra_csv_number(stream, &column, f->intrusion_m * MM, DEC_MM);
    intra_csv_number(stream, &column, f->intrusion_sd_m * MM, DEC_MM);
    intra_csv_number(stream, &column, f->angle_rad * DEG, DEC_DEG);
    intra_csv_number(stream, &column, f->angle_sd_rad * DEG, DEC_DEG);
    intra_csv_number(stream, &column, f->radius_m, DEC_M);
    intra_csv_number(stream, &column, f->radius_sd_m, DEC_M);
    put_text_or_nothing(stream, &column, f->angle_rad, bend_clock);
    intra_csv_number(stream, &column, f->level_pct, DEC_PCT);
    intra_csv_number(stream, &column, f->level_sd_pct, DEC_PCT);
    intra_csv_number(stream, &column, f->kind == INTRA_FEATURE_LATERAL ? f->clock_rad * DEG : NAN, DEC_DEG);
    intra_csv_number(stream, &column, f->kind == INTRA_FEATURE_LATERAL ? f->clock_sd_rad * DEG : NAN, DEC_DEG);
    for (blanks = RECORDED_COLUMNS; blanks > 0; blanks--)
        intra_csv_text(stream, &column, "");
    intra_csv_end(stream, &column);
}

static const char *const observation_header[] = {"id",
                                                 "code",
                                                 "kind",
                                                 "station_from_m",
                                                 "station_to_m",
                                                 "clock_from",
                                                 "clock_to",
                                                 "length_mm",
                                                 "width_mm",
                                                 "area_mm2",
                                                 "x",
                                                 "y",
                                                 "z",
                                                 "frame",
                                                 "t",
                                                 "source",
                                                 "confidence",
                                                 "station_sd_m",
                                                 "clock_sd",
                                                 "length_sd_mm",
                                                 "width_sd_mm",
                                                 "area_sd_mm2",
                                                 "x_sd",
                                                 "y_sd",
                                                 "z_sd",
                                                 "offset_mm",
                                                 "offset_clock",
                                                 "deflection_deg",
                                                 "deflection_clock",
                                                 "offset_sd_mm",
                                                 "offset_clock_sd",
                                                 "deflection_sd_deg",
                                                 "diameter_mm",
                                                 "diameter_sd_mm",
                                                 "intrusion_mm",
                                                 "intrusion_sd_mm",
                                                 "bend_deg",
                                                 "bend_sd_deg",
                                                 "bend_radius_m",
                                                 "bend_radius_sd_m",
                                                 "bend_clock",
                                                 "level_pct",
                                                 "level_sd_pct",
                                                 "clock_deg",
                                                 "clock_sd_deg",
                                                 "inspection",
                                                 "record_id",
                                                 "code_system",
                                                 "characterisation_1",
                                                 "characterisation_2",
                                                 "text",
                                                 "remark",
                                                 "grade_scale",
                                                 "grade",
                                                 "is_refined",
                                                 "placed",
                                                 "width_limit_mm",
                                                 "depth_mm",
                                                 "depth_sd_mm",
                                                 "ring_share_pct",
                                                 "ring_share_sd_pct",
                                                 "section_loss_pct",
                                                 "section_loss_sd_pct",
                                                 "volume_l",
                                                 "volume_sd_l",
                                                 "opening_mm",
                                                 "opening_sd_mm",
                                                 "resolution_mm",
                                                 NULL};
enum { OBSERVATION_COLUMNS = sizeof observation_header / sizeof observation_header[0] - 1 };

_Static_assert(OBSERVATION_COLUMNS == 45 + RECORDED_COLUMNS, "features leave the columns of records empty");

/* A row of observations.csv, filled by column name; what is not set stays empty. */
struct row {
    char numbers[OBSERVATION_COLUMNS][64];
    const char *cells[OBSERVATION_COLUMNS];
};

static int column_of(const char *name)
{
    int i = 0;
    while (strcmp(observation_header[i], name) != 0)
        i++;
    return i;
}

static void set_text(struct row *row, const char *name, const char *text)
{
    row->cells[column_of(name)] = text;
}

static void set_number(struct row *row, const char *name, double value, int decimals)
{
    int i = column_of(name);
    row->cells[i] = intra_text_number(value, decimals, row->numbers[i]);
}

static void set_measure(struct row *row, const char *name, const char *sd_name, double value, double sd, double scale,
                        int decimals)
{
    set_number(row, name, value * scale, decimals);
    if (isfinite(value)) set_number(row, sd_name, sd * scale, decimals);
}

static void put_row(FILE *stream, const struct row *row)
{
    int column = 0;
    for (int i = 0; i < OBSERVATION_COLUMNS; i++)
        intra_csv_text(stream, &column, row->cells[i] ? row->cells[i] : "");
    intra_csv_end(stream, &column);
}

static void set_extent(struct row *row, const struct intra_extent *e, bool is_lateral)
{
    set_measure(row, "length_mm", "length_sd_mm", e->length_m, e->length_sd_m, MM, DEC_MM);
    if (e->is_width_limit)
        set_number(row, "width_limit_mm", e->width_m * MM, DEC_MM);
    else
        set_measure(row, "width_mm", "width_sd_mm", e->width_m, e->width_sd_m, MM, DEC_MM);
    set_measure(row, "area_mm2", "area_sd_mm2", e->area_m2, e->area_sd_m2, MM * MM, 0);
    if (is_lateral)
        set_measure(row, "intrusion_mm", "intrusion_sd_mm", e->depth_m, e->depth_sd_m, MM, DEC_MM);
    else
        set_measure(row, "depth_mm", "depth_sd_mm", e->depth_m, e->depth_sd_m, MM, DEC_MM);
    set_measure(row, "ring_share_pct", "ring_share_sd_pct", e->ring_share_pct, e->ring_share_sd_pct, 1, DEC_PCT);
    set_measure(row, "section_loss_pct", "section_loss_sd_pct", e->section_loss_pct, e->section_loss_sd_pct, 1,
                DEC_PCT);
    set_measure(row, "volume_l", "volume_sd_l", e->volume_m3, e->volume_sd_m3, MM, DEC_MM);
    set_measure(row, "diameter_mm", "diameter_sd_mm", e->diameter_m, e->diameter_sd_m, MM, DEC_MM);
    set_measure(row, "opening_mm", "opening_sd_mm", e->opening_m, e->opening_sd_m, MM, DEC_MM);
    set_number(row, "resolution_mm", e->resolution_m * MM, DEC_MM);
}

/* The worst grade whose scale has a direction, else the first. */
static const struct intra_grade *grade_of(const struct intra_observation *o)
{
    const struct intra_grade *worst = NULL;
    for (int i = 0; i < o->n_grades; i++)
        if (!worst || intra_grade_severity(o->grades[i].scale, o->grades[i].value) >
                          intra_grade_severity(worst->scale, worst->value))
            worst = &o->grades[i];
    return worst;
}

static void put_recorded_line(FILE *stream, const struct intra_inspection *p, int64_t k)
{
    const struct intra_observation *o = &p->observations[k];
    const struct intra_place *place = &o->place;
    const struct intra_wall_region *r = intra_place_region(place);
    const struct intra_grade *grade = grade_of(o);
    struct row row = {0};
    char id[64], clock_from[64], clock_to[64];
    if (p->number > 0)
        snprintf(id, sizeof id, "record%" PRId64 "-%" PRId64, p->number, k + 1);
    else
        snprintf(id, sizeof id, "record-%" PRId64, k + 1);
    set_text(&row, "id", id);
    set_text(&row, "code", o->code);
    set_text(&row, "kind", "recorded");
    set_text(&row, "source", intra_record_format_name(p->format));
    if (place->is_placed) {
        set_number(&row, "station_from_m", r->station_from_m, DEC_M);
        set_number(&row, "station_to_m", r->station_to_m, DEC_M);
        set_number(&row, "station_sd_m", r->station_sd_m, DEC_M);
        set_text(&row, "clock_from", intra_text_clock(r->clock_from_rad, clock_from));
        set_text(&row, "clock_to", intra_text_clock(r->clock_to_rad, clock_to));
        set_number(&row, "clock_sd", r->clock_sd_rad * CLOCK, DEC_CLOCK_SD);
        set_number(&row, "x", place->x.x, DEC_M);
        set_number(&row, "y", place->x.y, DEC_M);
        set_number(&row, "z", place->x.z, DEC_M);
        set_number(&row, "x_sd", place->x_sd.x, DEC_M);
        set_number(&row, "y_sd", place->x_sd.y, DEC_M);
        set_number(&row, "z_sd", place->x_sd.z, DEC_M);
        set_number(&row, "is_refined", place->is_refined, 0);
        set_number(&row, "t", place->time_s, DEC_S);
        set_number(&row, "frame", place->frame >= 0 ? (double)place->frame : NAN, 0);
        set_extent(&row, &o->extent, intra_defect_kind_of(o->system, o->code) == INTRA_DEFECT_LATERAL);
    }
    set_number(&row, "confidence", o->score, DEC_SHARE);
    if (p->number > 0) set_number(&row, "inspection", (double)p->number, 0);
    set_text(&row, "record_id", o->id);
    set_text(&row, "code_system", intra_code_system_name(o->system));
    set_text(&row, "characterisation_1", o->characterisation[0]);
    set_text(&row, "characterisation_2", o->characterisation[1]);
    set_text(&row, "text", o->text);
    set_text(&row, "remark", o->remark);
    set_text(&row, "placed", place->reason);
    if (grade) {
        set_text(&row, "grade_scale", intra_grade_scale_name(grade->scale));
        set_number(&row, "grade", grade->value, 1);
    }
    put_row(stream, &row);
}

enum intra_status intra_export_observations(const struct intra_scene *scene, const struct intra_inspection *inspections,
                                            int64_t n, const char *path, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_out_file file = {0};
    struct posed_index posed = {0};
    int64_t i, count[INTRA_FEATURE_WATER + 1] = {0};
    INTRA_TRY(posed_index_init(&posed, scene, err));
    INTRA_TRY(intra_out_file_open(&file, path, err));
    put_line(file.stream, observation_header);
    for (i = 0; i < scene->n_features; i++)
        put_feature_line(file.stream, scene, &posed, ++count[scene->features[i].kind], &scene->features[i]);
    for (i = 0; i < n; i++)
        for (int64_t k = 0; k < inspections[i].n_observations; k++)
            put_recorded_line(file.stream, &inspections[i], k);
    INTRA_TRY(intra_out_file_commit(&file, err));
done:
    intra_out_file_abandon(&file);
    posed_index_fini(&posed);
    return status;
}
