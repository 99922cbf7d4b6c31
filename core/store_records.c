/* Records into the store: on a copy beside it, in one transaction, then renamed. */
#include "core/store_records.h"

#include "core/defect_kind.h"
#include "core/fileio.h"
#include "core/mem.h"
#include "core/store.h"
#include "core/store_tables.h"

#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct writer {
    sqlite3 *db;
    const char *path;
    sqlite3_stmt *record, *inspection, *inspection_grade, *observation, *grade, *region, *frame_region, *frame_point,
        *media, *field;
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

static enum intra_status prepare(struct writer *w, const struct intra_store_table *table, sqlite3_stmt **out,
                                 struct intra_error *err)
{
    char sql[4096];
    if (!intra_store_insert_sql(table, sql, sizeof sql))
        return INTRA_FAIL(err, INTRA_E_ARG, "%s: too many columns", table->name);
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

static void columns(struct writer *w, sqlite3_stmt *s, const struct intra_store_table *table, const void *row)
{
    for (int i = 0; i < table->n_columns; i++) {
        const void *field = (const char *)row + table->columns[i].offset;
        switch (table->columns[i].type) {
        case INTRA_STORE_TEXT:
            text(w, s, *(char *const *)field);
            break;
        case INTRA_STORE_REAL:
            number(w, s, *(const double *)field);
            break;
        case INTRA_STORE_FLAG:
            integer(w, s, *(const bool *)field);
            break;
        case INTRA_STORE_COUNT:
            integer(w, s, *(const int *)field);
            break;
        case INTRA_STORE_INDEX:
            if (*(const int64_t *)field >= 0)
                integer(w, s, *(const int64_t *)field);
            else
                sqlite3_bind_null(s, ++w->at);
            break;
        }
    }
}

static enum intra_status step(struct writer *w, sqlite3_stmt *s, int64_t *out_id, struct intra_error *err)
{
    w->at = 0;
    if (sqlite3_step(s) != SQLITE_DONE) return fail(w, err);
    sqlite3_reset(s);
    if (out_id) *out_id = sqlite3_last_insert_rowid(w->db);
    return INTRA_OK;
}

/* observation, medium: 0: NULL. */
static enum intra_status add_fields(struct writer *w, const struct intra_fields *fields, int64_t inspection,
                                    int64_t observation, int64_t medium, const char *part, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    for (int i = 0; i < fields->n; i++) {
        integer(w, w->field, inspection);
        reference(w, w->field, observation);
        reference(w, w->field, medium);
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
    enum intra_status status = INTRA_OK;
    for (int i = 0; i < n; i++) {
        int64_t id = 0;
        reference(w, w->media, 0);
        integer(w, w->media, inspection);
        reference(w, w->media, observation);
        text(w, w->media, intra_media_kind_name(media[i].kind));
        text(w, w->media, media[i].file);
        INTRA_TRY(step(w, w->media, &id, err));
        INTRA_TRY(add_fields(w, &media[i].source, inspection, observation, id, "medium", err));
    }
done:
    return status;
}

static enum intra_status add_grades(struct writer *w, sqlite3_stmt *s, const struct intra_grade *grades, int n,
                                    int64_t owner, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    for (int i = 0; i < n; i++) {
        integer(w, s, owner);
        text(w, s, intra_grade_scale_name(grades[i].scale));
        text(w, s, intra_grade_aspect_name(grades[i].aspect));
        number(w, s, grades[i].value);
        integer(w, s, grades[i].is_computed);
        INTRA_TRY(step(w, s, NULL, err));
    }
done:
    return status;
}

/* A point that is not known has no place in an outline. */
static enum intra_status add_outline(struct writer *w, const struct intra_place *p, int64_t observation,
                                     struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    for (int i = 0; p->outline && i < p->n_outline; i++) {
        if (!isfinite(p->outline[i][0]) || !isfinite(p->outline[i][1])) continue;
        integer(w, w->region, observation);
        integer(w, w->region, 0);
        integer(w, w->region, i);
        number(w, w->region, p->outline[i][0]);
        number(w, w->region, p->outline[i][1]);
        INTRA_TRY(step(w, w->region, NULL, err));
    }
done:
    return status;
}

static enum intra_status add_frame_regions(struct writer *w, const struct intra_observation *o, int64_t observation,
                                           struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    for (int i = 0; i < o->n_regions; i++) {
        const struct intra_frame_region *r = &o->regions[i];
        int64_t id = 0;
        reference(w, w->frame_region, 0);
        integer(w, w->frame_region, observation);
        columns(w, w->frame_region, &intra_store_frame_region, r);
        INTRA_TRY(step(w, w->frame_region, &id, err));
        for (int k = 0; k < r->n_outline; k++) {
            if (!isfinite(r->outline[k][0]) || !isfinite(r->outline[k][1])) continue;
            integer(w, w->frame_point, id);
            integer(w, w->frame_point, k);
            number(w, w->frame_point, r->outline[k][0]);
            number(w, w->frame_point, r->outline[k][1]);
            INTRA_TRY(step(w, w->frame_point, NULL, err));
        }
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
    const double place[] = {r->station_from_m, r->station_to_m, r->station_sd_m,
                            r->clock_from_rad, r->clock_to_rad, r->clock_sd_rad};
    int64_t id = 0;
    reference(w, s, 0);
    integer(w, s, inspection);
    text(w, s, intra_code_system_name(o->system));
    text(w, s, intra_defect_kind_name(intra_defect_kind_of(o->system, o->code)));
    text(w, s, p->reason);
    for (size_t i = 0; i < sizeof place / sizeof place[0]; i++)
        number(w, s, place[i]);
    columns(w, s, &intra_store_observation, o);
    INTRA_TRY(step(w, s, &id, err));
    INTRA_TRY(add_grades(w, w->grade, o->grades, o->n_grades, id, err));
    INTRA_TRY(add_outline(w, p, id, err));
    INTRA_TRY(add_frame_regions(w, o, id, err));
    INTRA_TRY(add_media(w, o->media, o->n_media, inspection, id, err));
    INTRA_TRY(add_fields(w, &o->source, inspection, id, 0, "row", err));
    INTRA_TRY(add_fields(w, &o->finish_source, inspection, id, 0, "finish", err));
done:
    return status;
}

static enum intra_status add_inspection(struct writer *w, const struct intra_inspection *p, int64_t record,
                                        struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    sqlite3_stmt *s = w->inspection;
    int64_t id = 0;
    reference(w, s, 0);
    integer(w, s, record);
    text(w, s, intra_survey_direction_name(p->direction));
    columns(w, s, &intra_store_inspection, p);
    INTRA_TRY(step(w, s, &id, err));
    INTRA_TRY(add_grades(w, w->inspection_grade, p->grades, p->n_grades, id, err));
    INTRA_TRY(add_fields(w, &p->source, id, 0, 0, "header", err));
    INTRA_TRY(add_media(w, p->media, p->n_media, id, 0, err));
    for (int64_t k = 0; k < p->n_observations; k++)
        INTRA_TRY(add_observation(w, &p->observations[k], id, err));
done:
    return status;
}

static enum intra_status prepare_all(struct writer *w, struct intra_error *err)
{
    const struct {
        const struct intra_store_table *table;
        sqlite3_stmt **stmt;
    } all[] = {{&intra_store_record, &w->record},
               {&intra_store_inspection, &w->inspection},
               {&intra_store_inspection_grade, &w->inspection_grade},
               {&intra_store_observation, &w->observation},
               {&intra_store_grade, &w->grade},
               {&intra_store_region, &w->region},
               {&intra_store_frame_region, &w->frame_region},
               {&intra_store_frame_point, &w->frame_point},
               {&intra_store_media, &w->media},
               {&intra_store_field, &w->field}};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        enum intra_status status = prepare(w, all[i].table, all[i].stmt, err);
        if (status != INTRA_OK) return status;
    }
    return INTRA_OK;
}

static enum intra_status add_record(struct writer *w, const struct intra_record *record, const bool *is_chosen,
                                    int64_t *out_id, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    sqlite3_stmt *s;
    INTRA_TRY(prepare_all(w, err));
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
done:
    sqlite3_finalize(w->record);
    sqlite3_finalize(w->inspection);
    sqlite3_finalize(w->inspection_grade);
    sqlite3_finalize(w->observation);
    sqlite3_finalize(w->grade);
    sqlite3_finalize(w->region);
    sqlite3_finalize(w->frame_region);
    sqlite3_finalize(w->frame_point);
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
        status = INTRA_FAIL(
            err, INTRA_E_UNSUPPORTED,
            "%s: a store of version %d takes no records; this program writes version %d: reconstruct it again", w->path,
            version, INTRA_STORE_VERSION);
    return status;
}

typedef enum intra_status change_fn(struct writer *w, void *user, struct intra_error *err);

/* Do `change` to a copy in one transaction, and rename the copy. */
static enum intra_status change_store(const char *path, change_fn *change, void *user, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_store *store = NULL;
    struct writer w = {.path = path};
    char part[1100];
    intra_part_name(path, part, sizeof part);
    INTRA_TRY(intra_store_open(path, &store, err)); /* says what it is where it is no store */
    intra_store_close(&store);
    INTRA_TRY(copy_file(path, part, err));
    if (sqlite3_open_v2(part, &w.db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK ||
        sqlite3_exec(w.db, "PRAGMA journal_mode=OFF; PRAGMA foreign_keys=ON; BEGIN", NULL, NULL, NULL) != SQLITE_OK) {
        status = fail(&w, err);
        goto done;
    }
    INTRA_TRY(check_version(&w, err));
    INTRA_TRY(change(&w, user, err));
    if (sqlite3_exec(w.db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK) status = fail(&w, err);
done:
    sqlite3_close(w.db);
    if (status == INTRA_OK) status = intra_part_commit(path, err);
    if (status != INTRA_OK) unlink(part);
    return status;
}

struct addition {
    const struct intra_record *record;
    const bool *is_chosen;
    int64_t replaced; /* inspection that goes; 0: none */
    int64_t *out_id;
};

/* Last, so that the numbers of what is new are beyond it. What hangs on it goes with it. */
static enum intra_status remove_inspection(struct writer *w, int64_t number, struct intra_error *err)
{
    static const char *const sql[] = {"DELETE FROM record WHERE id IN (SELECT record FROM inspection GROUP BY record "
                                      "HAVING count(*) = 1 AND max(id) = "
                                      "?1)",
                                      "DELETE FROM inspection WHERE id = ?1"};
    for (size_t i = 0; i < sizeof sql / sizeof sql[0]; i++) {
        sqlite3_stmt *s = NULL;
        bool is_done = sqlite3_prepare_v2(w->db, sql[i], -1, &s, NULL) == SQLITE_OK &&
                       sqlite3_bind_int64(s, 1, number) == SQLITE_OK && sqlite3_step(s) == SQLITE_DONE;
        enum intra_status status = is_done ? INTRA_OK : fail(w, err);
        sqlite3_finalize(s);
        if (status != INTRA_OK) return status;
    }
    return INTRA_OK;
}

static enum intra_status add(struct writer *w, void *user, struct intra_error *err)
{
    const struct addition *a = user;
    /* the view as this version of the program has it */
    if (sqlite3_exec(w->db, "DROP VIEW IF EXISTS v_rehab", NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_exec(w->db, intra_store_rehab_view_sql(), NULL, NULL, NULL) != SQLITE_OK)
        return fail(w, err);
    enum intra_status status = add_record(w, a->record, a->is_chosen, a->out_id, err);
    return status == INTRA_OK && a->replaced > 0 ? remove_inspection(w, a->replaced, err) : status;
}

enum intra_status intra_store_replace_record(const char *path, const struct intra_record *record, int64_t replaced,
                                             int64_t *out_id, struct intra_error *err)
{
    struct addition addition = {record, NULL, replaced, out_id};
    return change_store(path, add, &addition, err);
}

enum intra_status intra_store_add_record(const char *path, const struct intra_record *record, const bool *is_chosen,
                                         int64_t *out_id, struct intra_error *err)
{
    struct addition addition = {record, is_chosen, 0, out_id};
    return change_store(path, add, &addition, err);
}

struct file_list {
    const struct intra_store_file *files;
    int n;
};

static enum intra_status put_files(struct writer *w, void *user, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct file_list *list = user;
    sqlite3_stmt *s = NULL;
    if (sqlite3_prepare_v2(w->db, "INSERT OR REPLACE INTO file (name, bytes, sha256) VALUES (?,?,?)", -1, &s, NULL) !=
        SQLITE_OK)
        return fail(w, err);
    for (int i = 0; i < list->n; i++) {
        text(w, s, list->files[i].name);
        integer(w, s, list->files[i].bytes);
        text(w, s, list->files[i].sha256);
        INTRA_TRY(step(w, s, NULL, err));
    }
done:
    sqlite3_finalize(s);
    return status;
}

enum intra_status intra_store_update_files(const char *path, const struct intra_store_file *files, int n,
                                           struct intra_error *err)
{
    struct file_list list = {files, n};
    return change_store(path, put_files, &list, err);
}

struct pair {
    const char *key, *value;
};

static enum intra_status put_meta(struct writer *w, void *user, struct intra_error *err)
{
    enum intra_status status;
    const struct pair *pair = user;
    sqlite3_stmt *s = NULL;
    if (sqlite3_prepare_v2(w->db, "INSERT OR REPLACE INTO meta (key, value) VALUES (?,?)", -1, &s, NULL) != SQLITE_OK)
        return fail(w, err);
    text(w, s, pair->key);
    text(w, s, pair->value);
    status = step(w, s, NULL, err);
    sqlite3_finalize(s);
    return status;
}

enum intra_status intra_store_update_meta(const char *path, const char *key, const char *value, struct intra_error *err)
{
    return change_store(path, put_meta, &(struct pair){key, value}, err);
}
