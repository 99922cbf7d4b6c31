/* The own table: one row an observation, columns by name (docs/records.md), for records kept in a spreadsheet. */
#include "core/fileio.h"
#include "core/mem.h"
#include "core/sheet.h"
#include "export/record_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum column {
    INSPECTION,
    PIPE,
    STATION,
    STATION_TO,
    CODE,
    CHAR_1,
    CHAR_2,
    QUANTITY_1,
    UNIT_1,
    QUANTITY_2,
    UNIT_2,
    PERCENT,
    CLOCK_FROM,
    CLOCK_TO,
    CONTINUOUS,
    AT_JOINT,
    TIME,
    FRAME,
    PICTURE,
    REMARK,
    TEXT,
    ID,
    N_COLUMNS
};
static const char *const names[N_COLUMNS][3] = {{"inspection"},
                                                {"pipe"},
                                                {"station_m", "station", "distance"},
                                                {"station_to_m", "station_to", "distance_to"},
                                                {"code"},
                                                {"characterisation_1"},
                                                {"characterisation_2"},
                                                {"quantity_1"},
                                                {"unit_1"},
                                                {"quantity_2"},
                                                {"unit_2"},
                                                {"percent"},
                                                {"clock_from", "clock"},
                                                {"clock_to"},
                                                {"continuous"},
                                                {"at_joint"},
                                                {"time"},
                                                {"frame"},
                                                {"picture"},
                                                {"remark", "remarks"},
                                                {"text"},
                                                {"id"}};

static enum intra_status read_row(const struct intra_sheet *t, int64_t r, const int *c, struct intra_record *record,
                                  struct intra_observation *o, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct {
        int column;
        char **to;
    } texts[] = {{CODE, &o->code},
                 {CHAR_1, &o->characterisation[0]},
                 {CHAR_2, &o->characterisation[1]},
                 {UNIT_1, &o->quantity_unit[0]},
                 {UNIT_2, &o->quantity_unit[1]},
                 {CONTINUOUS, &o->continuous_id},
                 {REMARK, &o->remark},
                 {TEXT, &o->text},
                 {ID, &o->id}};
    double frame = intra_record_number_or_keep(record, "frame", intra_sheet_at(t, r, c[FRAME]));
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        INTRA_TRY(intra_text_set(texts[i].to, intra_sheet_at(t, r, c[texts[i].column]), err));
    o->system = INTRA_CODES_OWN;
    o->distance_m = intra_record_number_or_keep(record, "station", intra_sheet_at(t, r, c[STATION]));
    o->distance_to_m = intra_record_number_or_keep(record, "station_to", intra_sheet_at(t, r, c[STATION_TO]));
    o->quantity[0] = intra_record_number_or_keep(record, "quantity_1", intra_sheet_at(t, r, c[QUANTITY_1]));
    o->quantity[1] = intra_record_number_or_keep(record, "quantity_2", intra_sheet_at(t, r, c[QUANTITY_2]));
    o->percent = intra_record_number_or_keep(record, "percent", intra_sheet_at(t, r, c[PERCENT]));
    intra_record_clock_span(intra_record_clock(intra_sheet_at(t, r, c[CLOCK_FROM])),
                            intra_record_clock(intra_sheet_at(t, r, c[CLOCK_TO])), &o->clock_from_rad,
                            &o->clock_to_rad);
    o->is_at_joint = intra_record_bool(intra_sheet_at(t, r, c[AT_JOINT]));
    o->time_s = intra_record_video_time(intra_sheet_at(t, r, c[TIME]));
    o->frame = frame >= 0 && frame < 1e15 ? (int64_t)frame : -1;
    if (intra_sheet_at(t, r, c[PICTURE]))
        INTRA_TRY(intra_observation_add_media(o, INTRA_MEDIA_PICTURE, intra_sheet_at(t, r, c[PICTURE]), NULL, err));
    for (int i = 0; i < t->n_cols; i++)
        if (intra_sheet_at(t, r, i)) INTRA_TRY(intra_fields_add(&o->source, t->names[i], intra_sheet_at(t, r, i), err));
done:
    return status;
}

/* Rows of one inspection stand together; a new name begins the next. */
static enum intra_status inspection_of(const struct intra_sheet *t, int64_t r, const int *c,
                                       struct intra_record *record, struct intra_inspection **out,
                                       struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const char *id = intra_sheet_at(t, r, c[INSPECTION]), *pipe = intra_sheet_at(t, r, c[PIPE]);
    struct intra_inspection *last = record->n_inspections ? &record->inspections[record->n_inspections - 1] : NULL;
    if (!id) id = pipe ? pipe : "1";
    *out = last;
    if (last && strcmp(last->id, id) == 0) return INTRA_OK;
    INTRA_TRY(intra_record_add_inspection(record, out, err));
    INTRA_TRY(intra_text_set(&(*out)->id, id, err));
    INTRA_TRY(intra_text_set(&(*out)->pipe, pipe, err));
done:
    return status;
}

enum intra_status intra_record_read_own_csv(const char *path, struct intra_record *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_sheet t = {0};
    int c[N_COLUMNS];
    char *text = NULL;
    size_t size;
    INTRA_TRY(intra_record_text(path, NULL, &text, &size, err));
    INTRA_TRY(intra_sheet_parse_csv(text, &t, err));
    for (int i = 0; i < N_COLUMNS; i++) {
        c[i] = -1;
        for (int k = 0; k < 3 && c[i] < 0 && names[i][k]; k++)
            c[i] = intra_sheet_find(&t, names[i][k]);
    }
    if (c[CODE] < 0) {
        status = INTRA_FAIL(err, INTRA_E_FORMAT,
                            "%s: a table of observations wants at least the columns station and code", path);
        goto done;
    }
    for (int64_t r = 0; r < t.n_rows; r++) {
        struct intra_inspection *p;
        struct intra_observation *o;
        if (!intra_sheet_at(&t, r, c[CODE])) {
            intra_record_refused(out, "row %lld: no code", (long long)r + 2);
            continue;
        }
        INTRA_TRY(inspection_of(&t, r, c, out, &p, err));
        INTRA_TRY(intra_inspection_add_observation(p, &o, err));
        INTRA_TRY(read_row(&t, r, c, out, o, err));
    }
    if (t.n_ragged) intra_record_kept(out, "%lld rows have more or fewer cells than the header", (long long)t.n_ragged);
    for (int64_t i = 0; i < out->n_inspections; i++)
        INTRA_TRY(intra_record_join_continuous(out, &out->inspections[i], err));
done:
    intra_sheet_fini(&t);
    return status;
}

static void put(FILE *to, const char *text, bool is_first)
{
    if (!is_first) fputc(',', to);
    if (text && text[strcspn(text, ",;\t\"\r\n")]) {
        fputc('"', to);
        for (; *text; text++) {
            if (*text == '"') fputc('"', to);
            fputc(*text, to);
        }
        fputc('"', to);
    } else if (text) {
        fputs(text, to);
    }
}

/* Behind the columns that are read: where it is on the model, and what was measured there. */
static const struct {
    const char *name;
    size_t at;
} measures[] = {{"length_m", offsetof(struct intra_extent, length_m)},
                {"length_sd_m", offsetof(struct intra_extent, length_sd_m)},
                {"width_m", offsetof(struct intra_extent, width_m)},
                {"width_sd_m", offsetof(struct intra_extent, width_sd_m)},
                {"area_m2", offsetof(struct intra_extent, area_m2)},
                {"area_sd_m2", offsetof(struct intra_extent, area_sd_m2)},
                {"ring_share_pct", offsetof(struct intra_extent, ring_share_pct)},
                {"depth_m", offsetof(struct intra_extent, depth_m)},
                {"depth_sd_m", offsetof(struct intra_extent, depth_sd_m)},
                {"volume_m3", offsetof(struct intra_extent, volume_m3)},
                {"diameter_m", offsetof(struct intra_extent, diameter_m)},
                {"opening_m", offsetof(struct intra_extent, opening_m)}};
enum { N_MEASURES = sizeof measures / sizeof measures[0] };

static void put_place_names(FILE *to)
{
    fputs(",place_is_refined,place_from_m,place_to_m,place_sd_m,place_clock_from,place_clock_to", to);
    for (size_t i = 0; i < N_MEASURES; i++)
        fprintf(to, ",%s", measures[i].name);
}

static void put_place(FILE *to, const struct intra_observation *o)
{
    const struct intra_wall_region *r = intra_place_region(&o->place);
    bool is_ring = r->clock_to_rad - r->clock_from_rad >= 2 * M_PI - 1e-9;
    const double hours[2] = {is_ring ? 12 : intra_clock_to_hours(r->clock_from_rad),
                             is_ring ? 12 : intra_clock_to_hours(r->clock_to_rad)};
    const double values[] = {r->station_from_m, r->station_to_m, r->station_sd_m, hours[0], hours[1]};
    char text[32];
    fprintf(to, ",%s", !o->place.is_placed ? "" : o->place.is_refined ? "1" : "0");
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        intra_record_number_text(o->place.is_placed ? values[i] : (double)NAN, text);
        fprintf(to, ",%s", text);
    }
    for (size_t i = 0; i < N_MEASURES; i++) {
        intra_record_number_text(*(const double *)(const void *)((const char *)&o->extent + measures[i].at), text);
        fprintf(to, ",%s", text);
    }
}

static void write_row(FILE *to, const struct intra_inspection *p, const struct intra_observation *o, bool has_places)
{
    char numbers[N_COLUMNS][32] = {{0}};
    const char *cells[N_COLUMNS];
    bool is_ring = o->clock_to_rad - o->clock_from_rad >= 2 * M_PI - 1e-9;
    for (int i = 0; i < N_COLUMNS; i++)
        cells[i] = numbers[i];
    cells[INSPECTION] = p->id;
    cells[PIPE] = p->pipe;
    cells[CODE] = o->code;
    cells[CHAR_1] = o->characterisation[0];
    cells[CHAR_2] = o->characterisation[1];
    cells[UNIT_1] = o->quantity_unit[0];
    cells[UNIT_2] = o->quantity_unit[1];
    cells[CONTINUOUS] = o->continuous_id;
    cells[AT_JOINT] = o->is_at_joint ? "1" : NULL;
    cells[PICTURE] = o->n_media ? o->media[0].file : NULL;
    cells[REMARK] = o->remark;
    cells[TEXT] = o->text;
    cells[ID] = o->id;
    intra_record_number_text(o->distance_m, numbers[STATION]);
    intra_record_number_text(o->distance_to_m, numbers[STATION_TO]);
    intra_record_number_text(o->quantity[0], numbers[QUANTITY_1]);
    intra_record_number_text(o->quantity[1], numbers[QUANTITY_2]);
    intra_record_number_text(o->percent, numbers[PERCENT]);
    if (!isnan(o->clock_from_rad))
        intra_record_number_text(is_ring ? 12 : intra_clock_to_hours(o->clock_from_rad), numbers[CLOCK_FROM]);
    if (!isnan(o->clock_to_rad))
        intra_record_number_text(is_ring ? 12 : intra_clock_to_hours(o->clock_to_rad), numbers[CLOCK_TO]);
    intra_record_time_text(o->time_s, numbers[TIME]);
    if (o->frame >= 0) snprintf(numbers[FRAME], 32, "%lld", (long long)o->frame);
    for (int i = 0; i < N_COLUMNS; i++)
        put(to, cells[i], i == 0);
    if (has_places) put_place(to, o);
    fputs("\r\n", to);
}

static bool has_places(const struct intra_record *record)
{
    for (int64_t i = 0; i < record->n_inspections; i++)
        for (int64_t k = 0; k < record->inspections[i].n_observations; k++)
            if (record->inspections[i].observations[k].place.is_placed) return true;
    return false;
}

enum intra_status intra_record_write_own_csv(const struct intra_record *record, const char *path,
                                             struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_out_file file = {0};
    bool is_placed = has_places(record);
    INTRA_TRY(intra_out_file_open(&file, path, err));
    for (int i = 0; i < N_COLUMNS; i++)
        put(file.stream, names[i][0], i == 0);
    if (is_placed) put_place_names(file.stream);
    fputs("\r\n", file.stream);
    for (int64_t i = 0; i < record->n_inspections; i++)
        for (int64_t k = 0; k < record->inspections[i].n_observations; k++)
            write_row(file.stream, &record->inspections[i], &record->inspections[i].observations[k], is_placed);
    INTRA_TRY(intra_out_file_commit(&file, err));
done:
    intra_out_file_abandon(&file);
    return status;
}
