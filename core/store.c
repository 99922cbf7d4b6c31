/* The project store in SQLite; the only place that knows sqlite3.h. The schema is specified in docs/store_format.md.
 *
 * Doubles go in and out as 8-byte REAL, NaN as NULL. Columns of plain doubles are listed once, in the tables below, and
 * serve creating, writing and reading. The file is scratch until intra_part_commit renames it, so SQLite needs no
 * journal and no syncs of its own while it is written. */
#include "core/store.h"

#include "core/fileio.h"
#include "core/mem.h"
#include "core/store_internal.h"
#include "core/store_tables.h"

#include <sqlite3.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { STORE_APPLICATION_ID = 0x494e5452 }; /* "INTR" */

struct intra_store {
    sqlite3 *db;
    char path[1024];
    char part[1040];
    int version; /* of the file */
    bool is_writing;
};

struct column {
    const char *name;
    size_t offset;
};
#define COLUMN(type, field)                                                                                            \
    {                                                                                                                  \
#field, offsetof(struct type, field)                                                                           \
    }

static const struct column camera_columns[] = {
    COLUMN(intra_camera, fx),
    COLUMN(intra_camera, fy),
    COLUMN(intra_camera, cx),
    COLUMN(intra_camera, cy),
    {"k1", offsetof(struct intra_camera, k[0])},
    {"k2", offsetof(struct intra_camera, k[1])},
    {"k3", offsetof(struct intra_camera, k[2])},
    {"k4", offsetof(struct intra_camera, k[3])},
    {"k5", offsetof(struct intra_camera, k[4])},
    {"k6", offsetof(struct intra_camera, k[5])},
    {"k7", offsetof(struct intra_camera, k[6])},
    {"k8", offsetof(struct intra_camera, k[7])},
    {"k9", offsetof(struct intra_camera, k[8])},
    {"k10", offsetof(struct intra_camera, k[9])},
    {"k11", offsetof(struct intra_camera, k[10])},
    {"k12", offsetof(struct intra_camera, k[11])},
    COLUMN(intra_camera, max_theta_rad),
    COLUMN(intra_camera, focal_sd_rel),
};

static const struct column scene_columns[] = {
    COLUMN(intra_scene, nominal_diameter_m), COLUMN(intra_scene, start_station_m), COLUMN(intra_scene, length_m),
    COLUMN(intra_scene, length_sd_m),        COLUMN(intra_scene, section_step_m),
};

static const struct column wall_columns[] = {
    COLUMN(intra_wall, station0_m),
    COLUMN(intra_wall, texel_m),
    COLUMN(intra_wall, perimeter_m),
    COLUMN(intra_wall, cut_rad),
};

static const struct column frame_columns[] = {
    COLUMN(intra_frame_record, pts_s),
    {"x_m", offsetof(struct intra_frame_record, world_from_cam.t.x)},
    {"y_m", offsetof(struct intra_frame_record, world_from_cam.t.y)},
    {"z_m", offsetof(struct intra_frame_record, world_from_cam.t.z)},
    COLUMN(intra_frame_record, station_m),
    COLUMN(intra_frame_record, station_sd_m),
    COLUMN(intra_frame_record, counter_m),
};

#define SECTION(field) COLUMN(intra_section, field)
static const struct column section_columns[] = {
    SECTION(station_m),
    {"x_m", offsetof(struct intra_section, centre.x)},
    {"y_m", offsetof(struct intra_section, centre.y)},
    {"z_m", offsetof(struct intra_section, centre.z)},
    {"x_sd_m", offsetof(struct intra_section, centre_sd_m.x)},
    {"y_sd_m", offsetof(struct intra_section, centre_sd_m.y)},
    {"z_sd_m", offsetof(struct intra_section, centre_sd_m.z)},
    /* tangent, right and crown: left-handed, so that no quaternion could hold them */
    {"tx", offsetof(struct intra_section, world_from_sec.m[0][0])},
    {"ty", offsetof(struct intra_section, world_from_sec.m[1][0])},
    {"tz", offsetof(struct intra_section, world_from_sec.m[2][0])},
    {"rx", offsetof(struct intra_section, world_from_sec.m[0][1])},
    {"ry", offsetof(struct intra_section, world_from_sec.m[1][1])},
    {"rz", offsetof(struct intra_section, world_from_sec.m[2][1])},
    {"ux", offsetof(struct intra_section, world_from_sec.m[0][2])},
    {"uy", offsetof(struct intra_section, world_from_sec.m[1][2])},
    {"uz", offsetof(struct intra_section, world_from_sec.m[2][2])},
    {"a0_m", offsetof(struct intra_section, a[0])},
    {"a1_m", offsetof(struct intra_section, a[1])},
    {"a2_m", offsetof(struct intra_section, a[2])},
    {"a3_m", offsetof(struct intra_section, a[3])},
    {"a4_m", offsetof(struct intra_section, a[4])},
    {"a5_m", offsetof(struct intra_section, a[5])},
    {"a6_m", offsetof(struct intra_section, a[6])},
    {"b1_m", offsetof(struct intra_section, b[1])},
    {"b2_m", offsetof(struct intra_section, b[2])},
    {"b3_m", offsetof(struct intra_section, b[3])},
    {"b4_m", offsetof(struct intra_section, b[4])},
    {"b5_m", offsetof(struct intra_section, b[5])},
    {"b6_m", offsetof(struct intra_section, b[6])},
    SECTION(diameter_min_m),
    SECTION(diameter_max_m),
    SECTION(diameter_mean_m),
    SECTION(perimeter_m),
    SECTION(diameter_min_sd_m),
    SECTION(diameter_max_sd_m),
    SECTION(diameter_mean_sd_m),
    SECTION(perimeter_sd_m),
    SECTION(ovality_pct),
    SECTION(ovality_max_pct),
    SECTION(ovality_sd_pct),
    SECTION(ovality_max_sd_pct),
    SECTION(min_clock_rad),
    SECTION(min_clock_sd_rad),
    SECTION(water_level_pct),
    SECTION(water_level_sd_pct),
    SECTION(heading_rad),
    SECTION(heading_sd_rad),
    SECTION(grade_pct),
    SECTION(grade_sd_pct),
};
_Static_assert(INTRA_SECTION_HARMONICS == 6, "the section table names its harmonics one by one");
_Static_assert(INTRA_CAMERA_MAX_K == 12, "the camera table names its coefficients one by one");

static const struct column feature_columns[] = {
    COLUMN(intra_feature, station_m),
    COLUMN(intra_feature, station_sd_m),
    /* since version 2 */
    COLUMN(intra_feature, gap_m),
    COLUMN(intra_feature, gap_sd_m),
    COLUMN(intra_feature, offset_m),
    COLUMN(intra_feature, offset_sd_m),
    COLUMN(intra_feature, offset_clock_rad),
    COLUMN(intra_feature, offset_clock_sd_rad),
    COLUMN(intra_feature, deflection_rad),
    COLUMN(intra_feature, deflection_sd_rad),
    COLUMN(intra_feature, deflection_clock_rad),
    COLUMN(intra_feature, confidence),
    /* since version 3 */
    COLUMN(intra_feature, station_to_m),
    COLUMN(intra_feature, station_to_sd_m),
    COLUMN(intra_feature, clock_rad),
    COLUMN(intra_feature, clock_sd_rad),
    COLUMN(intra_feature, diameter_m),
    COLUMN(intra_feature, diameter_sd_m),
    COLUMN(intra_feature, intrusion_m),
    COLUMN(intra_feature, intrusion_sd_m),
    COLUMN(intra_feature, angle_rad),
    COLUMN(intra_feature, angle_sd_rad),
    COLUMN(intra_feature, radius_m),
    COLUMN(intra_feature, radius_sd_m),
    COLUMN(intra_feature, level_pct),
    COLUMN(intra_feature, level_sd_pct),
};
enum { FEATURE_COLUMNS_1 = 2, FEATURE_COLUMNS_2 = 12 }; /* that versions 1 and 2 have */
static const struct column gap_columns[] = {COLUMN(intra_gap, station_from_m), COLUMN(intra_gap, station_to_m),
                                            COLUMN(intra_gap, time_from_s), COLUMN(intra_gap, time_to_s)};

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static const char *const model_names[] = {"brown", "kannala_brandt"};
static const char *const feature_names[] = {"joint", "lateral", "bend", "water"};

/* A table: leading columns in SQL, then the listed doubles as REAL. */
struct table {
    const char *name;
    const char *leading;  /* "idx INTEGER PRIMARY KEY, ..." */
    const char *selected; /* the names of the leading columns, for reading */
    int n_leading;
    const struct column *columns;
    int n_columns;
};

static const struct table camera_table = {"camera",
                                          "id INTEGER PRIMARY KEY CHECK (id = 1), model TEXT NOT NULL, width_px "
                                          "INTEGER NOT NULL, height_px INTEGER NOT NULL, "
                                          "is_assumed INTEGER NOT NULL, source TEXT NOT NULL",
                                          "id, model, width_px, height_px, is_assumed, source",
                                          6,
                                          camera_columns,
                                          COUNT(camera_columns)};
static const struct table scene_table = {"survey",
                                         "id INTEGER PRIMARY KEY CHECK (id = 1), is_diameter_assumed INTEGER NOT NULL",
                                         "id, is_diameter_assumed",
                                         2,
                                         scene_columns,
                                         COUNT(scene_columns)};
static const struct table wall_table = {
    "wall",
    "id INTEGER PRIMARY KEY CHECK (id = 1), rows_px INTEGER NOT NULL, cols_px INTEGER NOT NULL",
    "id, rows_px, cols_px",
    3,
    wall_columns,
    COUNT(wall_columns)};
static const struct table frame_table = {
    "frame",
    "idx INTEGER PRIMARY KEY, state TEXT NOT NULL REFERENCES frame_state(name), is_posed INTEGER NOT NULL, "
    "segment INTEGER REFERENCES segment(id), qw REAL, qx REAL, qy REAL, qz REAL",
    "idx, state, is_posed, segment, qw, qx, qy, qz",
    8,
    frame_columns,
    COUNT(frame_columns)};
static const struct table section_table = {"section",       "id INTEGER PRIMARY KEY, is_seen INTEGER NOT NULL",
                                           "id, is_seen",   2,
                                           section_columns, COUNT(section_columns)};
static const struct table feature_table = {
    "feature",       "id INTEGER PRIMARY KEY, kind TEXT NOT NULL REFERENCES feature_kind(name)",
    "id, kind",      2,
    feature_columns, COUNT(feature_columns)};
static const struct table gap_table = {
    "gap", "id INTEGER PRIMARY KEY, reason TEXT NOT NULL", "id, reason", 2, gap_columns, COUNT(gap_columns)};

static const struct table *const scene_tables[] = {&camera_table,  &scene_table,   &wall_table, &frame_table,
                                                   &section_table, &feature_table, &gap_table};

static const char plain_schema[] =
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE library (name TEXT PRIMARY KEY, version TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE stage (id INTEGER PRIMARY KEY, name TEXT NOT NULL, wall_s REAL NOT NULL, cpu_s REAL NOT NULL, "
    "items INTEGER NOT NULL);"
    "CREATE TABLE warning (id INTEGER PRIMARY KEY, text TEXT NOT NULL);"
    "CREATE TABLE file (name TEXT PRIMARY KEY, bytes INTEGER NOT NULL, sha256 TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE frame_state (name TEXT PRIMARY KEY) WITHOUT ROWID;"
    "CREATE TABLE feature_kind (name TEXT PRIMARY KEY) WITHOUT ROWID;"
    "CREATE TABLE segment (id INTEGER PRIMARY KEY, first_idx INTEGER NOT NULL, last_idx INTEGER NOT NULL, "
    "station_min_m REAL, station_max_m REAL);";

static const char index_schema[] = "CREATE INDEX frame_by_time ON frame(pts_s);"
                                   "CREATE INDEX frame_by_station ON frame(station_m);"
                                   "CREATE INDEX frame_by_segment ON frame(segment);"
                                   "CREATE INDEX section_by_station ON section(station_m);"
                                   "CREATE INDEX feature_by_station ON feature(station_m);";

const char *intra_store_library_version(void)
{
    return sqlite3_libversion();
}

struct sqlite3 *intra_store_db(struct intra_store *store)
{
    return store->db;
}

int intra_store_version(const struct intra_store *store)
{
    return store->version;
}

enum intra_status intra_store_fail(struct intra_store *store, struct intra_error *err)
{
    int code = store->db ? sqlite3_errcode(store->db) : SQLITE_NOMEM;
    const char *reason = store->db ? sqlite3_errmsg(store->db) : "out of memory";
    switch (code & 0xff) {
    case SQLITE_NOMEM:
        return INTRA_FAIL(err, INTRA_E_MEM, "%s: out of memory in the store", store->path);
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
    case SQLITE_ERROR:
    case SQLITE_MISMATCH:
        if (!store->is_writing)
            return INTRA_FAIL(err, INTRA_E_FORMAT, "%s: not a project store, or damaged (%s); reconstruct it again",
                              store->path, reason);
        break;
    case SQLITE_FULL:
    case SQLITE_IOERR:
        if (store->is_writing)
            return INTRA_FAIL(err, INTRA_E_IO, "%s: cannot write (%s); is the disk full?", store->path, reason);
        break;
    default:
        break;
    }
    return INTRA_FAIL(err, INTRA_E_IO, "%s: cannot %s the store: %s", store->path, store->is_writing ? "write" : "read",
                      reason);
}

static enum intra_status run_sql(struct intra_store *store, const char *sql, struct intra_error *err)
{
    return sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK ? INTRA_OK : intra_store_fail(store, err);
}

static enum intra_status prepare(struct intra_store *store, const char *sql, sqlite3_stmt **out,
                                 struct intra_error *err)
{
    return sqlite3_prepare_v2(store->db, sql, -1, out, NULL) == SQLITE_OK ? INTRA_OK : intra_store_fail(store, err);
}

static enum intra_status step_row(struct intra_store *store, sqlite3_stmt *stmt, struct intra_error *err)
{
    int code = sqlite3_step(stmt);
    sqlite3_reset(stmt);
    return code == SQLITE_DONE ? INTRA_OK : intra_store_fail(store, err);
}

static enum intra_status read_pragma(struct intra_store *store, const char *sql, int *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    sqlite3_stmt *stmt = NULL;
    INTRA_TRY(prepare(store, sql, &stmt, err));
    if (sqlite3_step(stmt) == SQLITE_ROW)
        *out = sqlite3_column_int(stmt, 0);
    else
        status = intra_store_fail(store, err);
done:
    sqlite3_finalize(stmt);
    return status;
}

static enum intra_status create_table(struct intra_store *store, const struct table *t, struct intra_error *err)
{
    char sql[4096];
    int n = snprintf(sql, sizeof sql, "CREATE TABLE %s (%s", t->name, t->leading);
    for (int i = 0; i < t->n_columns; i++)
        n += snprintf(sql + n, sizeof sql - (size_t)n, ", %s REAL", t->columns[i].name);
    snprintf(sql + n, sizeof sql - (size_t)n, ");");
    return run_sql(store, sql, err);
}

static enum intra_status prepare_insert(struct intra_store *store, const struct table *t, sqlite3_stmt **out,
                                        struct intra_error *err)
{
    char sql[512];
    int n = snprintf(sql, sizeof sql, "INSERT INTO %s VALUES (?", t->name);
    for (int i = 1; i < t->n_leading + t->n_columns; i++)
        n += snprintf(sql + n, sizeof sql - (size_t)n, ",?");
    snprintf(sql + n, sizeof sql - (size_t)n, ")");
    return prepare(store, sql, out, err);
}

static enum intra_status prepare_select(struct intra_store *store, const struct table *t, sqlite3_stmt **out,
                                        struct intra_error *err)
{
    char sql[4096];
    int n = snprintf(sql, sizeof sql, "SELECT %s", t->selected);
    for (int i = 0; i < t->n_columns; i++)
        n += snprintf(sql + n, sizeof sql - (size_t)n, ", %s", t->columns[i].name);
    snprintf(sql + n, sizeof sql - (size_t)n, " FROM %s ORDER BY 1", t->name);
    return prepare(store, sql, out, err);
}

static void bind_columns(sqlite3_stmt *stmt, const struct table *t, const void *row)
{
    for (int i = 0; i < t->n_columns; i++)
        sqlite3_bind_double(stmt, t->n_leading + 1 + i, *(const double *)((const char *)row + t->columns[i].offset));
}

static double column_number(sqlite3_stmt *stmt, int i)
{
    return sqlite3_column_type(stmt, i) == SQLITE_NULL ? (double)NAN : sqlite3_column_double(stmt, i);
}

static void read_columns(sqlite3_stmt *stmt, const struct table *t, void *row)
{
    for (int i = 0; i < t->n_columns; i++)
        *(double *)((char *)row + t->columns[i].offset) = column_number(stmt, t->n_leading + i);
}

static void bind_rotation(sqlite3_stmt *stmt, int at, const struct intra_mat3 *r)
{
    struct intra_quat q = intra_quat_from_mat3(r);
    sqlite3_bind_double(stmt, at, q.w);
    sqlite3_bind_double(stmt, at + 1, q.x);
    sqlite3_bind_double(stmt, at + 2, q.y);
    sqlite3_bind_double(stmt, at + 3, q.z);
}

static struct intra_mat3 read_rotation(sqlite3_stmt *stmt, int at)
{
    struct intra_quat q = {column_number(stmt, at), column_number(stmt, at + 1), column_number(stmt, at + 2),
                           column_number(stmt, at + 3)};
    return intra_quat_to_mat3(q);
}

static void bind_text(sqlite3_stmt *stmt, int at, const char *text)
{
    sqlite3_bind_text(stmt, at, text, -1, SQLITE_TRANSIENT);
}

static const char *column_text(sqlite3_stmt *stmt, int i)
{
    const unsigned char *text = sqlite3_column_text(stmt, i);
    return text ? (const char *)text : "";
}

/* Place of `name` among `names`, or an error that names table and value. */
static enum intra_status find_name(struct intra_store *store, const char *table, const char *name,
                                   const char *const *names, int n, int *out, struct intra_error *err)
{
    for (*out = 0; *out < n; ++*out)
        if (strcmp(names[*out], name) == 0) return INTRA_OK;
    return INTRA_FAIL(err, INTRA_E_FORMAT,
                      "%s: table %s holds '%s', which this version does not know; reconstruct it again", store->path,
                      table, name);
}

/* ---- opening and closing ---- */

static enum intra_status write_lookups(struct intra_store *store, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    char sql[128];
    for (int i = 0; i <= INTRA_STATE_DUPLICATE; i++) {
        snprintf(sql, sizeof sql, "INSERT INTO frame_state VALUES ('%s')",
                 intra_frame_state_name((enum intra_frame_state)i));
        INTRA_TRY(run_sql(store, sql, err));
    }
    for (int i = 0; i < COUNT(feature_names); i++) {
        snprintf(sql, sizeof sql, "INSERT INTO feature_kind VALUES ('%s')", feature_names[i]);
        INTRA_TRY(run_sql(store, sql, err));
    }
done:
    return status;
}

static enum intra_status make_schema(struct intra_store *store, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    char sql[160], *records = NULL;
    INTRA_TRY(run_sql(store, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA foreign_keys=ON;", err));
    snprintf(sql, sizeof sql, "PRAGMA application_id=%d; PRAGMA user_version=%d; BEGIN;", STORE_APPLICATION_ID,
             INTRA_STORE_VERSION);
    INTRA_TRY(run_sql(store, sql, err));
    INTRA_TRY(run_sql(store, plain_schema, err));
    for (int i = 0; i < COUNT(scene_tables); i++)
        INTRA_TRY(create_table(store, scene_tables[i], err));
    INTRA_TRY(write_lookups(store, err));
    INTRA_TRY(intra_store_records_sql(&records, err));
    INTRA_TRY(run_sql(store, records, err));
done:
    intra_free(records);
    return status;
}

enum intra_status intra_store_create(const char *path, struct intra_store **out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_store *store = NULL;
    *out = NULL;
    INTRA_TRY(INTRA_ALLOC(store, 1, err));
    store->is_writing = true;
    snprintf(store->path, sizeof store->path, "%s", path);
    intra_part_name(path, store->part, sizeof store->part);
    unlink(store->part); /* of a killed run */
    if (sqlite3_open_v2(store->part, &store->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) != SQLITE_OK) {
        status = intra_store_fail(store, err);
        goto done;
    }
    INTRA_TRY(make_schema(store, err));
    *out = store;
    store = NULL;
done:
    intra_store_close(&store);
    return status;
}

enum intra_status intra_store_open(const char *path, struct intra_store **out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_store *store = NULL;
    int id = 0, version = 0;
    *out = NULL;
    if (!intra_path_exists(path))
        return INTRA_FAIL(err, INTRA_E_IO, "%s: no such file; give a folder that 'intrados reconstruct' made", path);
    INTRA_TRY(INTRA_ALLOC(store, 1, err));
    snprintf(store->path, sizeof store->path, "%s", path);
    if (sqlite3_open_v2(path, &store->db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK) {
        status = intra_store_fail(store, err);
        goto done;
    }
    INTRA_TRY(read_pragma(store, "PRAGMA application_id", &id, err));
    INTRA_TRY(read_pragma(store, "PRAGMA user_version", &version, err));
    if (id != STORE_APPLICATION_ID) {
        status = INTRA_FAIL(err, INTRA_E_FORMAT, "%s: an SQLite file, but not a project of this program", path);
        goto done;
    }
    if (version < 1) {
        status = INTRA_FAIL(err, INTRA_E_FORMAT, "%s: damaged: store version %d; reconstruct it again", path, version);
        goto done;
    }
    if (version > INTRA_STORE_VERSION) {
        status = INTRA_FAIL(err, INTRA_E_UNSUPPORTED,
                            "%s: store version %d, this program reads up to %d; update the program", path, version,
                            INTRA_STORE_VERSION);
        goto done;
    }
    store->version = version;
    *out = store;
    store = NULL;
done:
    intra_store_close(&store);
    return status;
}

enum intra_status intra_store_commit(struct intra_store *store, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    INTRA_TRY(run_sql(store, index_schema, err));
    INTRA_TRY(run_sql(store, "COMMIT", err));
    if (sqlite3_close(store->db) != SQLITE_OK) {
        status = intra_store_fail(store, err);
        goto done;
    }
    store->db = NULL;
    INTRA_TRY(intra_part_commit(store->path, err));
    store->is_writing = false;
done:
    return status;
}

void intra_store_close(struct intra_store **store)
{
    if (!*store) return;
    if ((*store)->db) sqlite3_close((*store)->db);
    if ((*store)->is_writing) unlink((*store)->part);
    intra_free(*store);
    *store = NULL;
}

/* ---- writing the scene ---- */

static enum intra_status write_camera(struct intra_store *store, const struct intra_camera *camera,
                                      struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    sqlite3_stmt *stmt = NULL;
    INTRA_TRY(prepare_insert(store, &camera_table, &stmt, err));
    sqlite3_bind_int(stmt, 1, 1);
    bind_text(stmt, 2, model_names[camera->model]);
    sqlite3_bind_int(stmt, 3, camera->width);
    sqlite3_bind_int(stmt, 4, camera->height);
    sqlite3_bind_int(stmt, 5, camera->is_assumed);
    bind_text(stmt, 6, camera->source);
    bind_columns(stmt, &camera_table, camera);
    INTRA_TRY(step_row(store, stmt, err));
done:
    sqlite3_finalize(stmt);
    return status;
}

static enum intra_status write_survey(struct intra_store *store, const struct intra_scene *scene,
                                      struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    sqlite3_stmt *survey = NULL, *wall = NULL;
    INTRA_TRY(prepare_insert(store, &scene_table, &survey, err));
    sqlite3_bind_int(survey, 1, 1);
    sqlite3_bind_int(survey, 2, scene->is_diameter_assumed);
    bind_columns(survey, &scene_table, scene);
    INTRA_TRY(step_row(store, survey, err));
    INTRA_TRY(prepare_insert(store, &wall_table, &wall, err));
    sqlite3_bind_int(wall, 1, 1);
    sqlite3_bind_int(wall, 2, scene->wall.rows);
    sqlite3_bind_int64(wall, 3, scene->wall.cols);
    bind_columns(wall, &wall_table, &scene->wall);
    INTRA_TRY(step_row(store, wall, err));
done:
    sqlite3_finalize(survey);
    sqlite3_finalize(wall);
    return status;
}

/* Segments follow each other in the frames; a frame that is not posed belongs to none. */
static enum intra_status write_segments(struct intra_store *store, const struct intra_scene *scene,
                                        struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    sqlite3_stmt *stmt = NULL;
    INTRA_TRY(prepare(store,
                      "INSERT INTO segment VALUES (?1,?2,?2,?3,?3) ON CONFLICT (id) DO UPDATE SET "
                      "last_idx = excluded.last_idx, "
                      "station_min_m = min(coalesce(station_min_m, ?3), coalesce(?3, station_min_m)), "
                      "station_max_m = max(coalesce(station_max_m, ?3), coalesce(?3, station_max_m))",
                      &stmt, err));
    for (int64_t i = 0; i < scene->n_frames; i++) {
        const struct intra_frame_record *f = &scene->frames[i];
        if (f->segment < 0) continue;
        sqlite3_bind_int(stmt, 1, f->segment);
        sqlite3_bind_int64(stmt, 2, f->index);
        sqlite3_bind_double(stmt, 3, f->station_m);
        INTRA_TRY(step_row(store, stmt, err));
    }
done:
    sqlite3_finalize(stmt);
    return status;
}

static enum intra_status write_frames(struct intra_store *store, const struct intra_scene *scene,
                                      struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    sqlite3_stmt *stmt = NULL;
    INTRA_TRY(prepare_insert(store, &frame_table, &stmt, err));
    for (int64_t i = 0; i < scene->n_frames; i++) {
        struct intra_frame_record f = scene->frames[i];
        if (!f.is_posed) f.world_from_cam.t = intra_vec3(NAN, NAN, NAN);
        sqlite3_clear_bindings(stmt);
        sqlite3_bind_int64(stmt, 1, f.index);
        bind_text(stmt, 2, intra_frame_state_name(f.state));
        sqlite3_bind_int(stmt, 3, f.is_posed);
        if (f.segment >= 0) sqlite3_bind_int(stmt, 4, f.segment);
        if (f.is_posed) bind_rotation(stmt, 5, &f.world_from_cam.r);
        bind_columns(stmt, &frame_table, &f);
        INTRA_TRY(step_row(store, stmt, err));
    }
done:
    sqlite3_finalize(stmt);
    return status;
}

static enum intra_status write_sections(struct intra_store *store, const struct intra_scene *scene,
                                        struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    sqlite3_stmt *stmt = NULL;
    INTRA_TRY(prepare_insert(store, &section_table, &stmt, err));
    for (int64_t i = 0; i < scene->n_sections; i++) {
        sqlite3_bind_int64(stmt, 1, i);
        sqlite3_bind_int(stmt, 2, scene->sections[i].is_seen);
        bind_columns(stmt, &section_table, &scene->sections[i]);
        INTRA_TRY(step_row(store, stmt, err));
    }
done:
    sqlite3_finalize(stmt);
    return status;
}

static enum intra_status write_features(struct intra_store *store, const struct intra_scene *scene,
                                        struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    sqlite3_stmt *feature = NULL, *gap = NULL;
    INTRA_TRY(prepare_insert(store, &feature_table, &feature, err));
    for (int64_t i = 0; i < scene->n_features; i++) {
        sqlite3_bind_int64(feature, 1, i);
        bind_text(feature, 2, feature_names[scene->features[i].kind]);
        bind_columns(feature, &feature_table, &scene->features[i]);
        INTRA_TRY(step_row(store, feature, err));
    }
    INTRA_TRY(prepare_insert(store, &gap_table, &gap, err));
    for (int64_t i = 0; i < scene->n_gaps; i++) {
        sqlite3_bind_int64(gap, 1, i);
        bind_text(gap, 2, scene->gaps[i].reason);
        bind_columns(gap, &gap_table, &scene->gaps[i]);
        INTRA_TRY(step_row(store, gap, err));
    }
done:
    sqlite3_finalize(feature);
    sqlite3_finalize(gap);
    return status;
}

enum intra_status intra_store_write_scene(struct intra_store *store, const struct intra_scene *scene,
                                          struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    INTRA_TRY(write_camera(store, &scene->camera, err));
    INTRA_TRY(write_survey(store, scene, err));
    INTRA_TRY(write_segments(store, scene, err));
    INTRA_TRY(write_frames(store, scene, err));
    INTRA_TRY(write_sections(store, scene, err));
    INTRA_TRY(write_features(store, scene, err));
done:
    return status;
}

/* ---- reading the scene ---- */

/* One row of a table, or INTRA_E_FORMAT. */
static enum intra_status step_single(struct intra_store *store, sqlite3_stmt *stmt, const char *table,
                                     struct intra_error *err)
{
    int code = sqlite3_step(stmt);
    if (code == SQLITE_ROW) return INTRA_OK;
    if (code != SQLITE_DONE) return intra_store_fail(store, err);
    return INTRA_FAIL(err, INTRA_E_FORMAT, "%s: table %s is empty; reconstruct it again", store->path, table);
}

static enum intra_status read_camera(struct intra_store *store, struct intra_camera *camera, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    sqlite3_stmt *stmt = NULL;
    int model = 0;
    INTRA_TRY(prepare_select(store, &camera_table, &stmt, err));
    INTRA_TRY(step_single(store, stmt, "camera", err));
    INTRA_TRY(find_name(store, "camera", column_text(stmt, 1), model_names, COUNT(model_names), &model, err));
    camera->model = (enum intra_camera_model)model;
    camera->width = sqlite3_column_int(stmt, 2);
    camera->height = sqlite3_column_int(stmt, 3);
    camera->is_assumed = sqlite3_column_int(stmt, 4) != 0;
    snprintf(camera->source, sizeof camera->source, "%s", column_text(stmt, 5));
    read_columns(stmt, &camera_table, camera);
done:
    sqlite3_finalize(stmt);
    return status;
}

/* Grids are laid over the wall by these numbers: what no pipe has must not become an index. */
static bool is_wall_possible(const struct intra_wall *wall)
{
    if (wall->rows < 0 || wall->cols < 0) return false;
    if (wall->rows == 0 || wall->cols == 0) return true; /* none */
    return wall->texel_m >= 1e-5 && wall->texel_m <= 10 && fabs(wall->station0_m) <= 1e7 && wall->perimeter_m > 0 &&
           fabs(wall->perimeter_m / wall->texel_m - wall->rows) < 64 &&
           /* rows are rounded up to whole tiles */ fabs(wall->cut_rad) <= 1e3;
}

static enum intra_status read_survey(struct intra_store *store, struct intra_scene *scene, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    sqlite3_stmt *survey = NULL, *wall = NULL;
    INTRA_TRY(prepare_select(store, &scene_table, &survey, err));
    INTRA_TRY(step_single(store, survey, "survey", err));
    scene->is_diameter_assumed = sqlite3_column_int(survey, 1) != 0;
    read_columns(survey, &scene_table, scene);
    INTRA_TRY(prepare_select(store, &wall_table, &wall, err));
    INTRA_TRY(step_single(store, wall, "wall", err));
    scene->wall.rows = sqlite3_column_int(wall, 1);
    scene->wall.cols = sqlite3_column_int64(wall, 2);
    read_columns(wall, &wall_table, &scene->wall);
    if (!is_wall_possible(&scene->wall))
        status = INTRA_FAIL(err, INTRA_E_FORMAT,
                            "%s: damaged: a wall of %d x %lld cells of %g m, from %g m on, %g m around, cut at %g; "
                            "reconstruct it again",
                            store->path, scene->wall.rows, (long long)scene->wall.cols, scene->wall.texel_m,
                            scene->wall.station0_m, scene->wall.perimeter_m, scene->wall.cut_rad);
done:
    sqlite3_finalize(survey);
    sqlite3_finalize(wall);
    return status;
}

static enum intra_status read_frames(struct intra_store *store, struct intra_scene *scene, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    sqlite3_stmt *stmt = NULL;
    const char *names[INTRA_STATE_DUPLICATE + 1];
    int code;
    for (int i = 0; i <= INTRA_STATE_DUPLICATE; i++)
        names[i] = intra_frame_state_name((enum intra_frame_state)i);
    INTRA_TRY(prepare_select(store, &frame_table, &stmt, err));
    while ((code = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct intra_frame_record f = {.roll_sd_rad = NAN}; /* not kept */
        int state = 0;
        f.index = sqlite3_column_int64(stmt, 0);
        INTRA_TRY(find_name(store, "frame", column_text(stmt, 1), names, COUNT(names), &state, err));
        f.state = (enum intra_frame_state)state;
        f.is_posed = sqlite3_column_int(stmt, 2) != 0;
        f.segment = sqlite3_column_type(stmt, 3) == SQLITE_NULL ? -1 : sqlite3_column_int(stmt, 3);
        read_columns(stmt, &frame_table, &f);
        if (f.is_posed)
            f.world_from_cam.r = read_rotation(stmt, 4);
        else
            f.world_from_cam = intra_pose_identity();
        INTRA_TRY(intra_scene_add_frame(scene, &f, err));
    }
    if (code != SQLITE_DONE) status = intra_store_fail(store, err);
done:
    sqlite3_finalize(stmt);
    return status;
}

static enum intra_status read_sections(struct intra_store *store, struct intra_scene *scene, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    sqlite3_stmt *stmt = NULL;
    int code;
    INTRA_TRY(prepare_select(store, &section_table, &stmt, err));
    while ((code = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct intra_section s = {0};
        s.is_seen = sqlite3_column_int(stmt, 1) != 0;
        read_columns(stmt, &section_table, &s);
        INTRA_TRY(intra_scene_add_section(scene, &s, err));
    }
    if (code != SQLITE_DONE) status = intra_store_fail(store, err);
done:
    sqlite3_finalize(stmt);
    return status;
}

static enum intra_status read_features(struct intra_store *store, struct intra_scene *scene, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    sqlite3_stmt *feature = NULL, *gap = NULL;
    struct table table = feature_table;
    int code;
    if (store->version < 3) table.n_columns = store->version < 2 ? FEATURE_COLUMNS_1 : FEATURE_COLUMNS_2;
    INTRA_TRY(prepare_select(store, &table, &feature, err));
    while ((code = sqlite3_step(feature)) == SQLITE_ROW) {
        struct intra_feature f = intra_feature_unknown();
        int kind = 0;
        INTRA_TRY(
            find_name(store, "feature", column_text(feature, 1), feature_names, COUNT(feature_names), &kind, err));
        f.kind = (enum intra_feature_kind)kind;
        read_columns(feature, &table, &f);
        INTRA_TRY(intra_scene_add_feature(scene, &f, err));
    }
    if (code != SQLITE_DONE) INTRA_TRY(intra_store_fail(store, err));
    INTRA_TRY(prepare_select(store, &gap_table, &gap, err));
    while ((code = sqlite3_step(gap)) == SQLITE_ROW) {
        struct intra_gap g = {0};
        snprintf(g.reason, sizeof g.reason, "%s", column_text(gap, 1));
        read_columns(gap, &gap_table, &g);
        INTRA_TRY(intra_scene_add_gap(scene, &g, err));
    }
    if (code != SQLITE_DONE) status = intra_store_fail(store, err);
done:
    sqlite3_finalize(feature);
    sqlite3_finalize(gap);
    return status;
}

enum intra_status intra_store_read_scene(struct intra_store *store, struct intra_scene *scene, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    INTRA_TRY(read_camera(store, &scene->camera, err));
    INTRA_TRY(read_survey(store, scene, err));
    INTRA_TRY(read_frames(store, scene, err));
    INTRA_TRY(read_sections(store, scene, err));
    INTRA_TRY(read_features(store, scene, err));
done:
    return status;
}

/* ---- provenance ---- */

static enum intra_status write_pair(struct intra_store *store, const char *sql, const char *key, const char *value,
                                    struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    sqlite3_stmt *stmt = NULL;
    INTRA_TRY(prepare(store, sql, &stmt, err));
    bind_text(stmt, 1, key);
    bind_text(stmt, 2, value);
    INTRA_TRY(step_row(store, stmt, err));
done:
    sqlite3_finalize(stmt);
    return status;
}

enum intra_status intra_store_write_meta(struct intra_store *store, const char *key, const char *value,
                                         struct intra_error *err)
{
    return write_pair(store, "INSERT INTO meta VALUES (?,?)", key, value, err);
}

enum intra_status intra_store_write_library(struct intra_store *store, const char *name, const char *version,
                                            struct intra_error *err)
{
    return write_pair(store, "INSERT INTO library VALUES (?,?)", name, version, err);
}

enum intra_status intra_store_read_meta(struct intra_store *store, const char *key, char **out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    sqlite3_stmt *stmt = NULL;
    int code;
    *out = NULL;
    INTRA_TRY(prepare(store, "SELECT value FROM meta WHERE key = ?", &stmt, err));
    bind_text(stmt, 1, key);
    code = sqlite3_step(stmt);
    if (code == SQLITE_ROW) {
        *out = intra_strdup(column_text(stmt, 0));
        if (!*out) status = INTRA_FAIL(err, INTRA_E_MEM, "%s: out of memory for '%s'", store->path, key);
    } else if (code != SQLITE_DONE) {
        status = intra_store_fail(store, err);
    }
done:
    sqlite3_finalize(stmt);
    return status;
}

enum intra_status intra_store_read_file(struct intra_store *store, const char *name, int64_t *out_bytes,
                                        struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    sqlite3_stmt *stmt = NULL;
    int code;
    *out_bytes = -1;
    INTRA_TRY(prepare(store, "SELECT bytes FROM file WHERE name = ?", &stmt, err));
    bind_text(stmt, 1, name);
    code = sqlite3_step(stmt);
    if (code == SQLITE_ROW)
        *out_bytes = sqlite3_column_int64(stmt, 0);
    else if (code != SQLITE_DONE)
        status = intra_store_fail(store, err);
done:
    sqlite3_finalize(stmt);
    return status;
}

enum intra_status intra_store_read_warnings(struct intra_store *store, char ***out, int *out_n, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    sqlite3_stmt *stmt = NULL;
    int code = SQLITE_DONE, n = 0;
    *out = NULL;
    *out_n = 0;
    INTRA_TRY(prepare(store, "SELECT text FROM warning ORDER BY id", &stmt, err));
    while ((code = sqlite3_step(stmt)) == SQLITE_ROW) {
        char **grown = intra_resize(*out, (size_t)n, (size_t)n + 1, sizeof **out);
        if (grown) *out = grown;
        if (!grown || !(grown[n] = intra_strdup(column_text(stmt, 0)))) {
            status = INTRA_FAIL(err, INTRA_E_MEM, "%s: out of memory for the warnings", store->path);
            break;
        }
        *out_n = ++n;
    }
    if (status == INTRA_OK && code != SQLITE_DONE) status = intra_store_fail(store, err);
    if (status != INTRA_OK) {
        intra_store_free_texts(out, n);
        *out_n = 0;
    }
done:
    sqlite3_finalize(stmt);
    return status;
}

void intra_store_free_texts(char ***texts, int n)
{
    for (int i = 0; *texts && i < n; i++)
        intra_free((*texts)[i]);
    intra_free(*texts);
    *texts = NULL;
}

enum intra_status intra_store_write_stage(struct intra_store *store, const char *name, double wall_s, double cpu_s,
                                          int64_t items, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    sqlite3_stmt *stmt = NULL;
    INTRA_TRY(prepare(store, "INSERT INTO stage (name, wall_s, cpu_s, items) VALUES (?,?,?,?)", &stmt, err));
    bind_text(stmt, 1, name);
    sqlite3_bind_double(stmt, 2, wall_s);
    sqlite3_bind_double(stmt, 3, cpu_s);
    sqlite3_bind_int64(stmt, 4, items);
    INTRA_TRY(step_row(store, stmt, err));
done:
    sqlite3_finalize(stmt);
    return status;
}

enum intra_status intra_store_write_warning(struct intra_store *store, const char *text, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    sqlite3_stmt *stmt = NULL;
    INTRA_TRY(prepare(store, "INSERT INTO warning (text) VALUES (?)", &stmt, err));
    bind_text(stmt, 1, text);
    INTRA_TRY(step_row(store, stmt, err));
done:
    sqlite3_finalize(stmt);
    return status;
}

enum intra_status intra_store_write_file(struct intra_store *store, const char *name, int64_t bytes, const char *sha256,
                                         struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    sqlite3_stmt *stmt = NULL;
    INTRA_TRY(prepare(store, "INSERT INTO file VALUES (?,?,?)", &stmt, err));
    bind_text(stmt, 1, name);
    sqlite3_bind_int64(stmt, 2, bytes);
    bind_text(stmt, 3, sha256);
    INTRA_TRY(step_row(store, stmt, err));
done:
    sqlite3_finalize(stmt);
    return status;
}
