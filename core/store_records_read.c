/* Records from the store. Children (grades, outlines, media, verbatim fields) are walked along with their owners, each
 * in one pass over its table in the owners' order: a query for each of 100,000 observations would be far dearer. */
#include "core/store_records.h"

#include "core/mem.h"
#include "core/store_internal.h"
#include "core/store_tables.h"

#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

/* Rows of a table, one ahead, sorted by the column `owner`. */
struct walk {
    sqlite3_stmt *stmt;
    int owner;
    bool has_row;
};

struct reader {
    struct intra_store *store;
    struct walk inspection, inspection_grade, inspection_medium, inspection_field;
    struct walk observation, grade, region, frame_region, frame_point, medium, field;
};

static enum intra_status advance(struct reader *r, struct walk *w, struct intra_error *err)
{
    int code = sqlite3_step(w->stmt);
    w->has_row = code == SQLITE_ROW;
    return code == SQLITE_ROW || code == SQLITE_DONE ? INTRA_OK : intra_store_fail(r->store, err);
}

static enum intra_status begin(struct reader *r, struct walk *w, const struct intra_store_table *table,
                               const char *order, int owner, struct intra_error *err)
{
    char sql[4096];
    if (!intra_store_select_sql(table, order, sql, sizeof sql))
        return INTRA_FAIL(err, INTRA_E_ARG, "%s: too many columns", table->name);
    if (sqlite3_prepare_v2(intra_store_db(r->store), sql, -1, &w->stmt, NULL) != SQLITE_OK)
        return intra_store_fail(r->store, err);
    w->owner = owner;
    return advance(r, w, err);
}

/* Whether the row at hand belongs to `id`; rows of owners before it, that nobody asked for, are passed over. */
static enum intra_status belongs(struct reader *r, struct walk *w, int64_t id, bool *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    while (w->has_row && sqlite3_column_int64(w->stmt, w->owner) < id)
        INTRA_TRY(advance(r, w, err));
    *out = w->has_row && sqlite3_column_int64(w->stmt, w->owner) == id;
done:
    return status;
}

static const char *text_of(struct walk *w, int column)
{
    return (const char *)sqlite3_column_text(w->stmt, column);
}

static double real_of(struct walk *w, int column)
{
    return sqlite3_column_type(w->stmt, column) == SQLITE_NULL ? (double)NAN : sqlite3_column_double(w->stmt, column);
}

static enum intra_status read_columns(struct walk *w, const struct intra_store_table *table, void *row,
                                      struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    for (int i = 0; i < table->n_columns; i++) {
        int at = table->n_leading + i;
        void *field = (char *)row + table->columns[i].offset;
        switch (table->columns[i].type) {
        case INTRA_STORE_TEXT:
            INTRA_TRY(intra_text_set(field, text_of(w, at), err));
            break;
        case INTRA_STORE_REAL:
            *(double *)field = real_of(w, at);
            break;
        case INTRA_STORE_FLAG:
            *(bool *)field = sqlite3_column_int(w->stmt, at) != 0;
            break;
        case INTRA_STORE_COUNT:
            *(int *)field = sqlite3_column_int(w->stmt, at);
            break;
        case INTRA_STORE_INDEX:
            *(int64_t *)field =
                sqlite3_column_type(w->stmt, at) == SQLITE_NULL ? -1 : sqlite3_column_int64(w->stmt, at);
            break;
        }
    }
done:
    return status;
}

/* Place of a name among those of an enum; `fallback` where it is none of them. */
static int index_of(const char *name, const char *(*name_of)(int), int n, int fallback)
{
    for (int i = 0; name && i < n; i++) {
        const char *known = name_of(i);
        if (known && strcmp(known, name) == 0) return i;
    }
    return fallback;
}

static const char *scale_name(int i)
{
    return intra_grade_scale_name((enum intra_grade_scale)i);
}
static const char *aspect_name(int i)
{
    return intra_grade_aspect_name((enum intra_grade_aspect)i);
}
static const char *system_name(int i)
{
    return intra_code_system_name((enum intra_code_system)i);
}
static const char *format_name(int i)
{
    return intra_record_format_name((enum intra_record_format)i);
}
static const char *media_name(int i)
{
    return intra_media_kind_name((enum intra_media_kind)i);
}
static const char *direction_name(int i)
{
    return intra_survey_direction_name((enum intra_survey_direction)i);
}

static enum intra_status read_grades(struct reader *r, struct walk *w, int64_t owner, struct intra_grade *grades,
                                     int *out_n, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    bool is_own;
    for (;;) {
        INTRA_TRY(belongs(r, w, owner, &is_own, err));
        if (!is_own || *out_n == INTRA_MAX_GRADES) break;
        grades[(*out_n)++] = (struct intra_grade){
            .scale =
                (enum intra_grade_scale)index_of(text_of(w, 1), scale_name, INTRA_SCALE_OTHER + 1, INTRA_SCALE_OTHER),
            .aspect = (enum intra_grade_aspect)index_of(text_of(w, 2), aspect_name, INTRA_ASPECT_HYDRAULIC + 1,
                                                        INTRA_ASPECT_OVERALL),
            .value = real_of(w, 3),
            .is_computed = sqlite3_column_int(w->stmt, 4) != 0};
        INTRA_TRY(advance(r, w, err));
    }
done:
    return status;
}

/* Two numbers of a row to the end of a list of points. Room is doubled. */
static enum intra_status add_point(struct walk *w, int column, double (**points)[2], int *n, struct intra_error *err)
{
    if ((*n & (*n - 1)) == 0) { /* 0, 1, 2, 4, 8 ... are full */
        size_t room = *n ? 2 * (size_t)*n : 1;
        void *grown = intra_resize(*points, (size_t)*n, room, sizeof **points);
        if (!grown) return INTRA_FAIL(err, INTRA_E_MEM, "no memory for an outline of %d points", *n);
        *points = grown;
    }
    (*points)[*n][0] = sqlite3_column_double(w->stmt, column);
    (*points)[*n][1] = sqlite3_column_double(w->stmt, column + 1);
    ++*n;
    return INTRA_OK;
}

static enum intra_status read_points(struct reader *r, struct walk *w, int64_t owner, int column, double (**points)[2],
                                     int *n, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    bool is_own;
    for (;;) {
        INTRA_TRY(belongs(r, w, owner, &is_own, err));
        if (!is_own) break;
        INTRA_TRY(add_point(w, column, points, n, err));
        INTRA_TRY(advance(r, w, err));
    }
done:
    return status;
}

static enum intra_status read_frame_regions(struct reader *r, int64_t owner, struct intra_observation *o,
                                            struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct walk *w = &r->frame_region;
    struct intra_frame_region *region;
    bool is_own;
    for (;;) {
        INTRA_TRY(belongs(r, w, owner, &is_own, err));
        if (!is_own) break;
        INTRA_TRY(intra_observation_add_region(o, &region, err));
        INTRA_TRY(read_columns(w, &intra_store_frame_region, region, err));
        INTRA_TRY(read_points(r, &r->frame_point, sqlite3_column_int64(w->stmt, 0), 2, &region->outline,
                              &region->n_outline, err));
        INTRA_TRY(advance(r, w, err));
    }
done:
    return status;
}

/* Verbatim fields of one owner, in the order in which they were written: header; media; row; finish. `media_ids`: the
 * store's numbers of the n_media. */
static enum intra_status read_fields(struct reader *r, struct walk *w, int64_t owner, struct intra_fields *row,
                                     struct intra_fields *finish, struct intra_media *media, const int64_t *media_ids,
                                     int n_media, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    bool is_own;
    for (;;) {
        struct intra_fields *to = row;
        const char *part;
        INTRA_TRY(belongs(r, w, owner, &is_own, err));
        if (!is_own) break;
        part = text_of(w, 3);
        if (part && strcmp(part, "finish") == 0) to = finish;
        for (int i = 0; i < n_media; i++)
            if (sqlite3_column_int64(w->stmt, 2) == media_ids[i]) to = &media[i].source;
        if (to) INTRA_TRY(intra_fields_add(to, text_of(w, 5), text_of(w, 6), err));
        INTRA_TRY(advance(r, w, err));
    }
done:
    return status;
}

/* One medium of the row at hand; its number in the store to the end of *ids. */
static enum intra_status keep_id(int64_t **ids, int n, int64_t id, struct intra_error *err)
{
    int64_t *grown = intra_resize(*ids, (size_t)n, (size_t)n + 1, sizeof **ids);
    if (!grown) return INTRA_FAIL(err, INTRA_E_MEM, "no memory for %d media", n + 1);
    *ids = grown;
    grown[n] = id;
    return INTRA_OK;
}

static enum intra_status read_media(struct reader *r, struct walk *w, int64_t owner, struct intra_inspection *p,
                                    struct intra_observation *o, int64_t **ids, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    bool is_own;
    for (int n = 0;; n++) {
        enum intra_media_kind kind;
        INTRA_TRY(belongs(r, w, owner, &is_own, err));
        if (!is_own) break;
        kind =
            (enum intra_media_kind)index_of(text_of(w, 3), media_name, INTRA_MEDIA_DOCUMENT + 1, INTRA_MEDIA_DOCUMENT);
        INTRA_TRY(keep_id(ids, n, sqlite3_column_int64(w->stmt, 0), err));
        if (o)
            INTRA_TRY(intra_observation_add_media(o, kind, text_of(w, 4), NULL, err));
        else
            INTRA_TRY(intra_inspection_add_media(p, kind, text_of(w, 4), NULL, err));
        INTRA_TRY(advance(r, w, err));
    }
done:
    return status;
}

static enum intra_status read_observation(struct reader *r, struct intra_inspection *p, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct walk *w = &r->observation;
    struct intra_observation *o;
    int64_t id = sqlite3_column_int64(w->stmt, 0), *media_ids = NULL;
    INTRA_TRY(intra_inspection_add_observation(p, &o, err));
    o->system = (enum intra_code_system)index_of(text_of(w, 2), system_name, INTRA_CODES_OWN + 1, INTRA_CODES_UNKNOWN);
    snprintf(o->place.reason, sizeof o->place.reason, "%s", text_of(w, 4) ? text_of(w, 4) : "");
    o->place.refined = (struct intra_wall_region){real_of(w, 5), real_of(w, 6), real_of(w, 7),
                                                  real_of(w, 8), real_of(w, 9), real_of(w, 10)};
    INTRA_TRY(read_columns(w, &intra_store_observation, o, err));
    INTRA_TRY(read_grades(r, &r->grade, id, o->grades, &o->n_grades, err));
    INTRA_TRY(read_points(r, &r->region, id, 3, &o->place.outline, &o->place.n_outline, err));
    INTRA_TRY(read_frame_regions(r, id, o, err));
    INTRA_TRY(read_media(r, &r->medium, id, NULL, o, &media_ids, err));
    INTRA_TRY(read_fields(r, &r->field, id, &o->source, &o->finish_source, o->media, media_ids, o->n_media, err));
    INTRA_TRY(advance(r, w, err));
done:
    intra_free(media_ids);
    return status;
}

static enum intra_status read_inspection(struct reader *r, struct intra_record *record, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct walk *w = &r->inspection;
    struct intra_inspection *p;
    int64_t *media_ids = NULL;
    bool is_own;
    INTRA_TRY(intra_record_add_inspection(record, &p, err));
    p->number = sqlite3_column_int64(w->stmt, 0);
    p->direction = (enum intra_survey_direction)index_of(text_of(w, 2), direction_name, INTRA_DIRECTION_UPSTREAM + 1,
                                                         INTRA_DIRECTION_UNKNOWN);
    INTRA_TRY(read_columns(w, &intra_store_inspection, p, err));
    INTRA_TRY(read_grades(r, &r->inspection_grade, p->number, p->grades, &p->n_grades, err));
    INTRA_TRY(read_media(r, &r->inspection_medium, p->number, p, NULL, &media_ids, err));
    INTRA_TRY(read_fields(r, &r->inspection_field, p->number, &p->source, NULL, p->media, media_ids, p->n_media, err));
    for (;;) {
        INTRA_TRY(belongs(r, &r->observation, p->number, &is_own, err));
        if (!is_own) break;
        INTRA_TRY(read_observation(r, p, err));
    }
    INTRA_TRY(advance(r, w, err));
done:
    intra_free(media_ids);
    return status;
}

/* Observations are numbered in the order of their inspections, since an import writes one after the other and nothing
 * is added to it later. */
static enum intra_status begin_all(struct reader *r, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    INTRA_TRY(begin(r, &r->inspection, &intra_store_inspection, "ORDER BY id", 0, err));
    INTRA_TRY(begin(r, &r->inspection_grade, &intra_store_inspection_grade, "ORDER BY inspection, rowid", 0, err));
    INTRA_TRY(begin(r, &r->inspection_medium, &intra_store_media, "WHERE observation IS NULL ORDER BY inspection, id",
                    1, err));
    INTRA_TRY(begin(r, &r->inspection_field, &intra_store_field, "WHERE observation IS NULL ORDER BY inspection, rowid",
                    0, err));
    INTRA_TRY(begin(r, &r->observation, &intra_store_observation, "ORDER BY inspection, id", 1, err));
    INTRA_TRY(begin(r, &r->grade, &intra_store_grade, "ORDER BY observation, rowid", 0, err));
    INTRA_TRY(begin(r, &r->region, &intra_store_region, "ORDER BY observation, ring, position", 0, err));
    INTRA_TRY(begin(r, &r->frame_region, &intra_store_frame_region, "ORDER BY observation, id", 1, err));
    INTRA_TRY(begin(r, &r->frame_point, &intra_store_frame_point, "ORDER BY frame_region, position", 0, err));
    INTRA_TRY(
        begin(r, &r->medium, &intra_store_media, "WHERE observation IS NOT NULL ORDER BY observation, id", 2, err));
    INTRA_TRY(
        begin(r, &r->field, &intra_store_field, "WHERE observation IS NOT NULL ORDER BY observation, rowid", 1, err));
done:
    return status;
}

static void end_all(struct reader *r)
{
    struct walk *const all[] = {
        &r->inspection, &r->inspection_grade, &r->inspection_medium, &r->inspection_field, &r->observation, &r->grade,
        &r->region,     &r->frame_region,     &r->frame_point,       &r->medium,           &r->field};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        sqlite3_finalize(all[i]->stmt);
}

/* The format of each inspection's record. */
static enum intra_status read_formats(struct reader *r, struct intra_record *record, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct walk w = {0};
    if (sqlite3_prepare_v2(intra_store_db(r->store),
                           "SELECT i.id, r.format FROM inspection i JOIN record r ON r.id = i.record ORDER BY i.id", -1,
                           &w.stmt, NULL) != SQLITE_OK)
        return intra_store_fail(r->store, err);
    INTRA_TRY(advance(r, &w, err));
    for (int64_t i = 0; i < record->n_inspections; i++) {
        bool is_own;
        INTRA_TRY(belongs(r, &w, record->inspections[i].number, &is_own, err));
        if (is_own)
            record->inspections[i].format = (enum intra_record_format)index_of(
                text_of(&w, 1), format_name, INTRA_RECORD_N_FORMATS, INTRA_RECORD_NONE);
    }
done:
    sqlite3_finalize(w.stmt);
    return status;
}

enum intra_status intra_store_record_path(struct intra_store *store, int64_t inspection, char **out,
                                          struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    sqlite3_stmt *stmt = NULL;
    int step;
    if (sqlite3_prepare_v2(intra_store_db(store),
                           "SELECT r.path FROM inspection i JOIN record r ON r.id = i.record WHERE i.id = ?", -1, &stmt,
                           NULL) != SQLITE_OK)
        return intra_store_fail(store, err);
    sqlite3_bind_int64(stmt, 1, inspection);
    step = sqlite3_step(stmt);
    if (step == SQLITE_ROW)
        status = intra_text_set(out, (const char *)sqlite3_column_text(stmt, 0), err);
    else if (step == SQLITE_DONE)
        status = INTRA_FAIL(err, INTRA_E_FORMAT, "the store has no inspection %lld", (long long)inspection);
    else
        status = intra_store_fail(store, err);
    sqlite3_finalize(stmt);
    return status;
}

/* Stores of version 3 have records without what is needed to show them. */
static enum intra_status count_old(struct intra_store *store, int64_t *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    sqlite3_stmt *stmt = NULL;
    sqlite3 *db = intra_store_db(store);
    *out = 0;
    if (sqlite3_prepare_v2(db, "SELECT 1 FROM sqlite_master WHERE name = 'observation'", -1, &stmt, NULL) != SQLITE_OK)
        return intra_store_fail(store, err);
    if (sqlite3_step(stmt) == SQLITE_ROW) {
        sqlite3_finalize(stmt);
        stmt = NULL;
        if (sqlite3_prepare_v2(db, "SELECT count(*) FROM observation", -1, &stmt, NULL) != SQLITE_OK ||
            sqlite3_step(stmt) != SQLITE_ROW)
            status = intra_store_fail(store, err);
        else
            *out = sqlite3_column_int64(stmt, 0);
    }
    sqlite3_finalize(stmt);
    return status;
}

enum intra_status intra_store_read_records(struct intra_store *store, struct intra_record *record, int64_t *out_unread,
                                           struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct reader r = {.store = store};
    *out_unread = 0;
    if (intra_store_version(store) < INTRA_STORE_RECORDS_SINCE) return count_old(store, out_unread, err);
    INTRA_TRY(begin_all(&r, err));
    while (r.inspection.has_row)
        INTRA_TRY(read_inspection(&r, record, err));
    INTRA_TRY(read_formats(&r, record, err));
done:
    end_all(&r);
    if (status != INTRA_OK) intra_record_fini(record);
    return status;
}
