/* Records into the store: on a copy beside it, in one transaction, then renamed. */
#include "core/store_records.h"

#include "core/fileio.h"
#include "core/mem.h"
#include "core/store.h"

#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS record (id INTEGER PRIMARY KEY, path TEXT NOT NULL, format TEXT NOT NULL, version "
    "TEXT, "
    "n_read INTEGER NOT NULL, n_kept INTEGER NOT NULL, n_refused INTEGER NOT NULL, first_kept TEXT, first_refused "
    "TEXT);"
    "CREATE TABLE IF NOT EXISTS inspection (id INTEGER PRIMARY KEY, record INTEGER NOT NULL REFERENCES record(id) ON "
    "DELETE CASCADE, source_id TEXT, pipe TEXT, node_start TEXT, node_end TEXT, node_upstream TEXT, node_downstream "
    "TEXT, direction TEXT, is_reverse_setup INTEGER NOT NULL, date TEXT, time TEXT, standard TEXT, shape TEXT, "
    "material "
    "TEXT, purpose TEXT, operator TEXT, street TEXT, town TEXT, height_m REAL, width_m REAL, length_m REAL, "
    "inspected_length_m REAL, joint_spacing_m REAL, is_imperial INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS observation (id INTEGER PRIMARY KEY, inspection INTEGER NOT NULL REFERENCES "
    "inspection(id) ON DELETE CASCADE, source_id TEXT, code_system TEXT NOT NULL, code TEXT, characterisation_1 TEXT, "
    "characterisation_2 TEXT, quantity_1 REAL, unit_1 TEXT, quantity_2 REAL, unit_2 TEXT, percent REAL, distance_m "
    "REAL, distance_to_m REAL, continuous_id TEXT, clock_from_rad REAL, clock_to_rad REAL, is_at_joint INTEGER NOT "
    "NULL, time_s REAL, frame INTEGER, remark TEXT, text TEXT, score REAL, model TEXT, review TEXT, is_placed INTEGER "
    "NOT NULL, reason TEXT, place_from_m REAL, place_to_m REAL, place_sd_m REAL, place_clock_from_rad REAL, "
    "place_clock_to_rad REAL, place_clock_sd_rad REAL, place_frame INTEGER, place_time_s REAL, x_m REAL, y_m REAL, z_m "
    "REAL);"
    "CREATE TABLE IF NOT EXISTS observation_grade (observation INTEGER NOT NULL REFERENCES observation(id) ON DELETE "
    "CASCADE, scale TEXT NOT NULL, aspect TEXT NOT NULL, value REAL, is_computed INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS observation_media (inspection INTEGER NOT NULL REFERENCES inspection(id) ON DELETE "
    "CASCADE, observation INTEGER REFERENCES observation(id) ON DELETE CASCADE, kind TEXT NOT NULL, file TEXT);"
    "CREATE TABLE IF NOT EXISTS source_field (inspection INTEGER NOT NULL REFERENCES inspection(id) ON DELETE CASCADE, "
    "observation INTEGER REFERENCES observation(id) ON DELETE CASCADE, part TEXT NOT NULL, position INTEGER NOT NULL, "
    "name TEXT NOT NULL, value TEXT);"
    "CREATE INDEX IF NOT EXISTS inspection_by_record ON inspection(record);"
    "CREATE INDEX IF NOT EXISTS observation_by_inspection ON observation(inspection);"
    "CREATE INDEX IF NOT EXISTS observation_by_station ON observation(place_from_m);"
    "CREATE INDEX IF NOT EXISTS observation_by_code ON observation(code);"
    "CREATE INDEX IF NOT EXISTS observation_grade_by_observation ON observation_grade(observation);"
    "CREATE INDEX IF NOT EXISTS observation_media_by_observation ON observation_media(observation);"
    "CREATE INDEX IF NOT EXISTS source_field_by_observation ON source_field(observation);"
    "CREATE VIEW IF NOT EXISTS v_observations AS SELECT o.id, r.id AS record, r.format, i.pipe, i.date, i.direction, "
    "o.code_system, o.code, o.characterisation_1, o.characterisation_2, o.distance_m, o.distance_to_m, o.is_placed, "
    "o.place_from_m, o.place_to_m, o.place_sd_m, o.place_clock_from_rad * 6 / 3.141592653589793 AS clock_from_h, "
    "o.place_clock_to_rad * 6 / 3.141592653589793 AS clock_to_h, o.quantity_1, o.unit_1, o.percent, o.remark, o.reason "
    "FROM observation o JOIN inspection i ON i.id = o.inspection JOIN record r ON r.id = i.record;";

struct writer {
    sqlite3 *db;
    const char *path;
    sqlite3_stmt *record, *inspection, *observation, *grade, *media, *field;
    int at; /* last parameter that was bound */
};

static enum intra_status fail(struct writer *w, struct intra_error *err)
{
    int code = w->db ? sqlite3_errcode(w->db) & 0xff : SQLITE_NOMEM;
    return INTRA_FAIL(err,
                      code == SQLITE_NOMEM                              ? INTRA_E_MEM
                      : code == SQLITE_NOTADB || code == SQLITE_CORRUPT ? INTRA_E_FORMAT
                                                                        : INTRA_E_IO,
                      "%s: cannot add to the store: %s", w->path, w->db ? sqlite3_errmsg(w->db) : "out of memory");
}

static enum intra_status prepare(struct writer *w, const char *table, int n, sqlite3_stmt **out,
                                 struct intra_error *err)
{
    char sql[512];
    int at = snprintf(sql, sizeof sql, "INSERT INTO %s VALUES (?", table);
    for (int i = 1; i < n; i++)
        at += snprintf(sql + at, sizeof sql - (size_t)at, ",?");
    snprintf(sql + at, sizeof sql - (size_t)at, ")");
    return sqlite3_prepare_v2(w->db, sql, -1, out, NULL) == SQLITE_OK ? INTRA_OK : fail(w, err);
}

static void text(struct writer *w, sqlite3_stmt *s, const char *value)
{
    if (value)
        sqlite3_bind_text(s, ++w->at, value, -1, SQLITE_TRANSIENT);
    else
        sqlite3_bind_null(s, ++w->at);
}

static void number(struct writer *w, sqlite3_stmt *s, double value)
{
    sqlite3_bind_double(s, ++w->at, value); /* NaN goes in as NULL */
}

static void integer(struct writer *w, sqlite3_stmt *s, int64_t value)
{
    sqlite3_bind_int64(s, ++w->at, value);
}

/* 0 and below: NULL. */
static void reference(struct writer *w, sqlite3_stmt *s, int64_t value)
{
    if (value > 0)
        integer(w, s, value);
    else
        sqlite3_bind_null(s, ++w->at);
}

static enum intra_status step(struct writer *w, sqlite3_stmt *s, int64_t *out_id, struct intra_error *err)
{
    w->at = 0;
    if (sqlite3_step(s) != SQLITE_DONE) return fail(w, err);
    sqlite3_reset(s);
    if (out_id) *out_id = sqlite3_last_insert_rowid(w->db);
    return INTRA_OK;
}

static enum intra_status add_fields(struct writer *w, const struct intra_fields *fields, int64_t inspection,
                                    int64_t observation, const char *part, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    for (int i = 0; i < fields->n; i++) {
        integer(w, w->field, inspection);
        reference(w, w->field, observation);
        text(w, w->field, part);
        integer(w, w->field, i);
        text(w, w->field, fields->items[i].name ? fields->items[i].name : "");
        text(w, w->field, fields->items[i].value);
        INTRA_TRY(step(w, w->field, NULL, err));
    }
done:
    return status;
}

static enum intra_status add_media(struct writer *w, const struct intra_media *media, int n, int64_t inspection,
                                   int64_t observation, struct intra_error *err)
{
    static const char *const kinds[] = {"video", "picture", "document"};
    enum intra_status status = INTRA_OK;
    for (int i = 0; i < n; i++) {
        integer(w, w->media, inspection);
        reference(w, w->media, observation);
        text(w, w->media, kinds[media[i].kind]);
        text(w, w->media, media[i].file);
        INTRA_TRY(step(w, w->media, NULL, err));
    }
done:
    return status;
}

static enum intra_status add_observation(struct writer *w, const struct intra_observation *o, int64_t inspection,
                                         struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    sqlite3_stmt *s = w->observation;
    const struct intra_place *p = &o->place;
    const struct intra_wall_region *r = p->is_refined ? &p->refined : &p->recorded;
    int64_t id = 0;
    reference(w, s, 0);
    integer(w, s, inspection);
    text(w, s, o->id);
    text(w, s, intra_code_system_name(o->system));
    text(w, s, o->code);
    text(w, s, o->characterisation[0]);
    text(w, s, o->characterisation[1]);
    number(w, s, o->quantity[0]);
    text(w, s, o->quantity_unit[0]);
    number(w, s, o->quantity[1]);
    text(w, s, o->quantity_unit[1]);
    number(w, s, o->percent);
    number(w, s, o->distance_m);
    number(w, s, o->distance_to_m);
    text(w, s, o->continuous_id);
    number(w, s, o->clock_from_rad);
    number(w, s, o->clock_to_rad);
    integer(w, s, o->is_at_joint);
    number(w, s, o->time_s);
    reference(w, s, o->frame);
    text(w, s, o->remark);
    text(w, s, o->text);
    number(w, s, o->score);
    text(w, s, o->model);
    text(w, s, o->review);
    integer(w, s, p->is_placed);
    text(w, s, p->reason);
    number(w, s, r->station_from_m);
    number(w, s, r->station_to_m);
    number(w, s, r->station_sd_m);
    number(w, s, r->clock_from_rad);
    number(w, s, r->clock_to_rad);
    number(w, s, r->clock_sd_rad);
    reference(w, s, p->frame);
    number(w, s, p->time_s);
    number(w, s, p->x.x);
    number(w, s, p->x.y);
    number(w, s, p->x.z);
    INTRA_TRY(step(w, s, &id, err));
    for (int i = 0; i < o->n_grades; i++) {
        integer(w, w->grade, id);
        text(w, w->grade, intra_grade_scale_name(o->grades[i].scale));
        text(w, w->grade, intra_grade_aspect_name(o->grades[i].aspect));
        number(w, w->grade, o->grades[i].value);
        integer(w, w->grade, o->grades[i].is_computed);
        INTRA_TRY(step(w, w->grade, NULL, err));
    }
    INTRA_TRY(add_media(w, o->media, o->n_media, inspection, id, err));
    INTRA_TRY(add_fields(w, &o->source, inspection, id, "row", err));
    INTRA_TRY(add_fields(w, &o->finish_source, inspection, id, "finish", err));
done:
    return status;
}

static enum intra_status add_inspection(struct writer *w, const struct intra_inspection *p, int64_t record,
                                        struct intra_error *err)
{
    static const char *const directions[] = {NULL, "downstream", "upstream"};
    enum intra_status status = INTRA_OK;
    sqlite3_stmt *s = w->inspection;
    const char *const first[] = {
        p->id, p->pipe, p->node_start, p->node_end, p->node_upstream, p->node_downstream, directions[p->direction]};
    const char *const second[] = {p->date,    p->time,          p->standard, p->shape, p->material,
                                  p->purpose, p->operator_name, p->street,   p->town};
    const double sizes[] = {p->height_m, p->width_m, p->length_m, p->inspected_length_m, p->joint_spacing_m};
    int64_t id = 0;
    reference(w, s, 0);
    integer(w, s, record);
    for (size_t i = 0; i < sizeof first / sizeof first[0]; i++)
        text(w, s, first[i]);
    integer(w, s, p->is_reverse_setup);
    for (size_t i = 0; i < sizeof second / sizeof second[0]; i++)
        text(w, s, second[i]);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        number(w, s, sizes[i]);
    integer(w, s, p->is_imperial);
    INTRA_TRY(step(w, s, &id, err));
    INTRA_TRY(add_fields(w, &p->source, id, 0, "header", err));
    INTRA_TRY(add_media(w, p->media, p->n_media, id, 0, err));
    for (int64_t k = 0; k < p->n_observations; k++)
        INTRA_TRY(add_observation(w, &p->observations[k], id, err));
done:
    return status;
}

static enum intra_status add_record(struct writer *w, const struct intra_record *record, const bool *is_chosen,
                                    int64_t *out_id, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    sqlite3_stmt *s;
    if (sqlite3_exec(w->db, "PRAGMA journal_mode=OFF; PRAGMA foreign_keys=ON; BEGIN", NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_exec(w->db, schema, NULL, NULL, NULL) != SQLITE_OK)
        return fail(w, err);
    INTRA_TRY(prepare(w, "record", 9, &w->record, err));
    INTRA_TRY(prepare(w, "inspection", 25, &w->inspection, err));
    INTRA_TRY(prepare(w, "observation", 38, &w->observation, err));
    INTRA_TRY(prepare(w, "observation_grade", 5, &w->grade, err));
    INTRA_TRY(prepare(w, "observation_media", 4, &w->media, err));
    INTRA_TRY(prepare(w, "source_field", 6, &w->field, err));
    s = w->record;
    reference(w, s, 0);
    text(w, s, record->path ? record->path : "");
    text(w, s, intra_record_format_name(record->format));
    text(w, s, record->version);
    integer(w, s, record->counts.read);
    integer(w, s, record->counts.kept);
    integer(w, s, record->counts.refused);
    text(w, s, record->counts.first_kept);
    text(w, s, record->counts.first_refused);
    INTRA_TRY(step(w, s, out_id, err));
    for (int64_t i = 0; i < record->n_inspections; i++)
        if (!is_chosen || is_chosen[i]) INTRA_TRY(add_inspection(w, &record->inspections[i], *out_id, err));
    if (sqlite3_exec(w->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK) status = fail(w, err);
done:
    sqlite3_finalize(w->record);
    sqlite3_finalize(w->inspection);
    sqlite3_finalize(w->observation);
    sqlite3_finalize(w->grade);
    sqlite3_finalize(w->media);
    sqlite3_finalize(w->field);
    return status;
}

static enum intra_status copy_file(const char *path, const char *part, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    char *bytes = NULL;
    size_t n = 0;
    enum { BLOCK = 1 << 20 };
    FILE *from = fopen(path, "rb"), *to = from ? fopen(part, "wb") : NULL;
    INTRA_TRY(INTRA_ALLOC(bytes, BLOCK, err));
    while (from && to && (n = fread(bytes, 1, BLOCK, from)) > 0)
        if (fwrite(bytes, 1, n, to) != n) break;
    if (!from || !to || ferror(from) || n > 0 || fflush(to) != 0)
        status = INTRA_FAIL(err, INTRA_E_IO, "%s: cannot be copied beside itself; is the disk full?", path);
done:
    if (from) fclose(from);
    if (to) fclose(to);
    intra_free(bytes);
    return status;
}

static enum intra_status check_version(struct writer *w, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    sqlite3_stmt *stmt = NULL;
    int version = 0;
    if (sqlite3_prepare_v2(w->db, "PRAGMA user_version", -1, &stmt, NULL) != SQLITE_OK ||
        sqlite3_step(stmt) != SQLITE_ROW)
        status = fail(w, err);
    else
        version = sqlite3_column_int(stmt, 0);
    sqlite3_finalize(stmt);
    if (status == INTRA_OK && version != INTRA_STORE_VERSION)
        status = INTRA_FAIL(err, INTRA_E_UNSUPPORTED,
                            "%s: a store of version %d takes no records; reconstruct it again", w->path, version);
    return status;
}

enum intra_status intra_store_add_record(const char *path, const struct intra_record *record, const bool *is_chosen,
                                         int64_t *out_id, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_store *store = NULL;
    struct writer w = {.path = path};
    char part[1100];
    intra_part_name(path, part, sizeof part);
    INTRA_TRY(intra_store_open(path, &store, err)); /* says what it is where it is no store */
    intra_store_close(&store);
    INTRA_TRY(copy_file(path, part, err));
    if (sqlite3_open_v2(part, &w.db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK) {
        status = fail(&w, err);
        goto done;
    }
    INTRA_TRY(check_version(&w, err));
    INTRA_TRY(add_record(&w, record, is_chosen, out_id, err));
done:
    sqlite3_close(w.db);
    if (status == INTRA_OK) status = intra_part_commit(path, err);
    if (status != INTRA_OK) unlink(part);
    return status;
}
