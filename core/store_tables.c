/* Tables, indices and views of inspection records. What they mean: docs/store_format.md. */
#include "core/store_tables.h"

#include "core/inspection.h"
#include "core/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))
#define COLUMN(type, of, field)                                                                                        \
    {                                                                                                                  \
#field, INTRA_STORE_##type, offsetof(struct of, field)                                                         \
    }
#define NAMED(name, type, of, field)                                                                                   \
    {                                                                                                                  \
        name, INTRA_STORE_##type, offsetof(struct of, field)                                                           \
    }

#define I(type, field) COLUMN(type, intra_inspection, field)
static const struct intra_store_column inspection_columns[] = {
    NAMED("source_id", TEXT, intra_inspection, id),
    I(TEXT, pipe),
    I(TEXT, node_start),
    I(TEXT, node_end),
    I(TEXT, node_upstream),
    I(TEXT, node_downstream),
    I(FLAG, is_reverse_setup),
    I(TEXT, date),
    I(TEXT, time),
    I(TEXT, standard),
    I(TEXT, shape),
    I(TEXT, material),
    I(TEXT, purpose),
    NAMED("operator", TEXT, intra_inspection, operator_name),
    I(TEXT, street),
    I(TEXT, town),
    I(REAL, height_m),
    I(REAL, width_m),
    I(REAL, length_m),
    I(REAL, inspected_length_m),
    I(REAL, joint_spacing_m),
    I(FLAG, is_imperial),
    NAMED("start_x_m", REAL, intra_inspection, start_xyz.x),
    NAMED("start_y_m", REAL, intra_inspection, start_xyz.y),
    NAMED("start_z_m", REAL, intra_inspection, start_xyz.z),
    NAMED("end_x_m", REAL, intra_inspection, end_xyz.x),
    NAMED("end_y_m", REAL, intra_inspection, end_xyz.y),
    NAMED("end_z_m", REAL, intra_inspection, end_xyz.z),
    I(TEXT, crs),
};

#define O(type, field) COLUMN(type, intra_observation, field)
#define PLACE(name, field) NAMED(name, REAL, intra_observation, place.field)
#define EXTENT(field) NAMED(#field, REAL, intra_observation, extent.field)
static const struct intra_store_column observation_columns[] = {
    NAMED("source_id", TEXT, intra_observation, id),
    O(TEXT, code),
    NAMED("characterisation_1", TEXT, intra_observation, characterisation[0]),
    NAMED("characterisation_2", TEXT, intra_observation, characterisation[1]),
    NAMED("quantity_1", REAL, intra_observation, quantity[0]),
    NAMED("unit_1", TEXT, intra_observation, quantity_unit[0]),
    NAMED("quantity_2", REAL, intra_observation, quantity[1]),
    NAMED("unit_2", TEXT, intra_observation, quantity_unit[1]),
    O(REAL, percent),
    O(REAL, distance_m),
    O(REAL, distance_to_m),
    O(TEXT, continuous_id),
    O(REAL, clock_from_rad),
    O(REAL, clock_to_rad),
    O(FLAG, is_at_joint),
    O(REAL, time_s),
    O(INDEX, frame),
    O(TEXT, remark),
    O(TEXT, text),
    O(REAL, score),
    O(TEXT, model),
    O(TEXT, review),
    NAMED("is_placed", FLAG, intra_observation, place.is_placed),
    NAMED("is_refined", FLAG, intra_observation, place.is_refined),
    NAMED("is_line", FLAG, intra_observation, place.is_line),
    PLACE("recorded_from_m", recorded.station_from_m),
    PLACE("recorded_to_m", recorded.station_to_m),
    PLACE("recorded_sd_m", recorded.station_sd_m),
    PLACE("recorded_clock_from_rad", recorded.clock_from_rad),
    PLACE("recorded_clock_to_rad", recorded.clock_to_rad),
    PLACE("recorded_clock_sd_rad", recorded.clock_sd_rad),
    NAMED("place_frame", INDEX, intra_observation, place.frame),
    PLACE("place_time_s", time_s),
    PLACE("x_m", x.x),
    PLACE("y_m", x.y),
    PLACE("z_m", x.z),
    PLACE("x_sd_m", x_sd.x),
    PLACE("y_sd_m", x_sd.y),
    PLACE("z_sd_m", x_sd.z),
    EXTENT(length_m),
    EXTENT(length_sd_m),
    EXTENT(length_along_m),
    EXTENT(length_along_sd_m),
    EXTENT(width_m),
    EXTENT(width_sd_m),
    NAMED("is_width_limit", FLAG, intra_observation, extent.is_width_limit),
    EXTENT(area_m2),
    EXTENT(area_sd_m2),
    EXTENT(ring_share_pct),
    EXTENT(ring_share_sd_pct),
    EXTENT(depth_m),
    EXTENT(depth_sd_m),
    EXTENT(section_loss_pct),
    EXTENT(section_loss_sd_pct),
    EXTENT(volume_m3),
    EXTENT(volume_sd_m3),
    EXTENT(diameter_m),
    EXTENT(diameter_sd_m),
    EXTENT(opening_m),
    EXTENT(opening_sd_m),
    EXTENT(resolution_m),
    NAMED("n_views", COUNT, intra_observation, extent.n_views),
};

static const struct intra_store_column frame_region_columns[] = {
    COLUMN(INDEX, intra_frame_region, frame),     COLUMN(REAL, intra_frame_region, time_s),
    COLUMN(TEXT, intra_frame_region, picture),    COLUMN(COUNT, intra_frame_region, width_px),
    COLUMN(COUNT, intra_frame_region, height_px), COLUMN(REAL, intra_frame_region, score),
};

#define OF_INSPECTION "inspection INTEGER NOT NULL REFERENCES inspection(id) ON DELETE CASCADE"
#define OF_OBSERVATION "observation INTEGER NOT NULL REFERENCES observation(id) ON DELETE CASCADE"
#define OR_OBSERVATION "observation INTEGER REFERENCES observation(id) ON DELETE CASCADE"
#define GRADE "scale TEXT NOT NULL, aspect TEXT NOT NULL, value REAL, is_computed INTEGER NOT NULL"

const struct intra_store_table intra_store_record = {
    "record",
    "id INTEGER PRIMARY KEY, path TEXT NOT NULL, format TEXT NOT NULL, version TEXT, n_read INTEGER NOT NULL, n_kept "
    "INTEGER NOT NULL, n_refused INTEGER NOT NULL, first_kept TEXT, first_refused TEXT",
    "id, path, format, version, n_read, n_kept, n_refused, first_kept, first_refused",
    9,
    NULL,
    0,
    ""};
const struct intra_store_table intra_store_inspection = {
    "inspection",
    "id INTEGER PRIMARY KEY, record INTEGER NOT NULL REFERENCES record(id) ON DELETE CASCADE, direction TEXT",
    "id, record, direction",
    3,
    inspection_columns,
    COUNT(inspection_columns),
    ""};
const struct intra_store_table intra_store_inspection_grade = {
    "inspection_grade", OF_INSPECTION ", " GRADE, "inspection, scale, aspect, value, is_computed", 5, NULL, 0, ""};
const struct intra_store_table intra_store_observation = {
    "observation",
    "id INTEGER PRIMARY KEY, " OF_INSPECTION ", code_system TEXT NOT NULL, kind TEXT NOT NULL, reason TEXT, "
    "place_from_m REAL, place_to_m REAL, place_sd_m REAL, place_clock_from_rad REAL, place_clock_to_rad REAL, "
    "place_clock_sd_rad REAL",
    "id, inspection, code_system, kind, reason, place_from_m, place_to_m, place_sd_m, place_clock_from_rad, "
    "place_clock_to_rad, place_clock_sd_rad",
    11,
    observation_columns,
    COUNT(observation_columns),
    ""};
const struct intra_store_table intra_store_grade = {
    "observation_grade", OF_OBSERVATION ", " GRADE, "observation, scale, aspect, value, is_computed", 5, NULL, 0, ""};
const struct intra_store_table intra_store_region = {
    "observation_region",
    OF_OBSERVATION ", ring INTEGER NOT NULL, position INTEGER NOT NULL, station_m REAL NOT NULL, clock_rad REAL NOT "
                   "NULL",
    "observation, ring, position, station_m, clock_rad",
    5,
    NULL,
    0,
    ", PRIMARY KEY (observation, ring, position)"};
const struct intra_store_table intra_store_frame_region = {"frame_region",
                                                           "id INTEGER PRIMARY KEY, " OF_OBSERVATION,
                                                           "id, observation",
                                                           2,
                                                           frame_region_columns,
                                                           COUNT(frame_region_columns),
                                                           ""};
const struct intra_store_table intra_store_frame_point = {
    "frame_region_point",
    "frame_region INTEGER NOT NULL REFERENCES frame_region(id) ON DELETE CASCADE, position INTEGER NOT NULL, x_px REAL "
    "NOT NULL, y_px REAL NOT NULL",
    "frame_region, position, x_px, y_px",
    4,
    NULL,
    0,
    ", PRIMARY KEY (frame_region, position)"};
const struct intra_store_table intra_store_media = {"observation_media",
                                                    "id INTEGER PRIMARY KEY, " OF_INSPECTION ", " OR_OBSERVATION
                                                    ", kind TEXT NOT NULL, file TEXT",
                                                    "id, inspection, observation, kind, file",
                                                    5,
                                                    NULL,
                                                    0,
                                                    ""};
const struct intra_store_table intra_store_field = {
    "source_field",
    OF_INSPECTION ", " OR_OBSERVATION ", medium INTEGER REFERENCES observation_media(id) ON DELETE CASCADE, part TEXT "
                  "NOT NULL, position INTEGER NOT NULL, name TEXT NOT NULL, value TEXT",
    "inspection, observation, medium, part, position, name, value",
    7,
    NULL,
    0,
    ""};

static const struct intra_store_table *const tables[] = {
    &intra_store_record, &intra_store_inspection, &intra_store_inspection_grade, &intra_store_observation,
    &intra_store_grade,  &intra_store_region,     &intra_store_frame_region,     &intra_store_frame_point,
    &intra_store_media,  &intra_store_field};

static const char indices[] = "CREATE INDEX inspection_by_record ON inspection(record);"
                              "CREATE INDEX inspection_grade_by_inspection ON inspection_grade(inspection);"
                              "CREATE INDEX observation_by_inspection ON observation(inspection);"
                              "CREATE INDEX observation_by_station ON observation(place_from_m);"
                              "CREATE INDEX observation_by_code ON observation(code);"
                              "CREATE INDEX observation_by_kind ON observation(kind);"
                              "CREATE INDEX observation_grade_by_observation ON observation_grade(observation);"
                              "CREATE INDEX frame_region_by_observation ON frame_region(observation);"
                              "CREATE INDEX observation_media_by_observation ON observation_media(observation);"
                              "CREATE INDEX observation_media_by_inspection ON observation_media(inspection);"
                              "CREATE INDEX source_field_by_observation ON source_field(observation);"
                              "CREATE INDEX source_field_by_inspection ON source_field(inspection);"
                              "CREATE INDEX source_field_by_medium ON source_field(medium);";

#define HOURS " * 6 / 3.141592653589793"
static const char observations_view[] =
    "CREATE VIEW v_observations AS SELECT o.id, o.inspection, r.id AS record, r.format, i.pipe, i.date, i.direction, "
    "o.code_system, o.code, o.characterisation_1, o.characterisation_2, o.kind, o.distance_m, o.distance_to_m, "
    "o.is_placed, o.is_refined, o.place_from_m, o.place_to_m, o.place_sd_m, o.place_clock_from_rad" HOURS
    " AS clock_from_h, o.place_clock_to_rad" HOURS " AS clock_to_h, o.place_clock_sd_rad" HOURS
    " AS clock_sd_h, o.length_m, o.length_sd_m, o.width_m, o.width_sd_m, o.is_width_limit, o.area_m2, o.area_sd_m2, "
    "o.depth_m, o.depth_sd_m, o.volume_m3, o.volume_sd_m3, o.diameter_m, o.diameter_sd_m, o.opening_m, "
    "o.opening_sd_m, o.quantity_1, o.unit_1, o.percent, o.remark, o.reason "
    "FROM observation o JOIN inspection i ON i.id = o.inspection JOIN record r ON r.id = i.record;";

/* One row for each thing to be done, by the rules of intra_measure_pipe with its default options: a connection that a
 * record names is not listed again as found; short liners reach 0.2 m beyond the damage, are at least 0.5 m long and
 * become one where less than 0.3 m lies between, whichever inspection they are of: the wall is one, and two inspections
 * of it see the same damage. Clock positions: middle of the mouth; of what is to be removed its
 * span; a short liner goes all around. */
static const char rehab_view[] =
    "CREATE VIEW v_rehab AS "
    "WITH placed AS (SELECT o.id, o.inspection, i.pipe, o.code, o.kind, o.place_from_m AS a, o.place_to_m AS b, "
    "o.place_sd_m AS sd, o.place_clock_from_rad AS c, o.place_clock_to_rad AS d, o.place_clock_sd_rad AS csd, "
    "o.diameter_m, o.diameter_sd_m, o.volume_m3, o.volume_sd_m3, o.area_m2, o.area_sd_m2 "
    "FROM observation o JOIN inspection i ON i.id = o.inspection WHERE o.is_placed), "
    "recorded AS (SELECT *, (a + b) / 2 AS s, CASE WHEN d < c THEN c + (d - c + 6.283185307179586) / 2 ELSE (c + d) / "
    "2 END AS mid FROM placed WHERE kind = 'lateral'), "
    "found AS (SELECT f.*, v.nominal_diameter_m / 2 AS r FROM feature f, survey v WHERE f.kind = 'lateral'), "
    "named AS (SELECT r.id AS observation, f.id AS feature, f.diameter_m, f.diameter_sd_m FROM recorded r JOIN found f "
    "ON (r.s - f.station_m) * (r.s - f.station_m) + f.r * f.r * "
    "min(abs(r.mid - f.clock_rad), abs(6.283185307179586 - abs(r.mid - f.clock_rad))) * "
    "min(abs(r.mid - f.clock_rad), abs(6.283185307179586 - abs(r.mid - f.clock_rad))) "
    "< (max(ifnull(f.diameter_m, 0), 0.1) / 2 + 2 * r.sd) * (max(ifnull(f.diameter_m, 0), 0.1) / 2 + 2 * r.sd)), "
    "damage AS (SELECT *, (a + b) / 2 - max((b - a) / 2 + 0.2, 0.25) AS p, (a + b) / 2 + max((b - a) / 2 + 0.2, 0.25) "
    "AS q FROM placed WHERE kind IN ('crack', 'hole', 'joint', 'surface', 'shape')), "
    "marked AS (SELECT *, p > ifnull(max(q) OVER (ORDER BY p, id ROWS BETWEEN UNBOUNDED "
    "PRECEDING AND 1 PRECEDING) + 0.3, p - 1) AS is_first FROM damage), "
    "grouped AS (SELECT *, sum(is_first) OVER (ORDER BY p, id ROWS UNBOUNDED PRECEDING) AS "
    "patch FROM marked) "
    "SELECT 'reopen lateral' AS action, inspection, pipe, id AS observation, (SELECT min(feature) FROM named WHERE "
    "observation = recorded.id) AS feature, code, 1 AS n_observations, a AS station_from_m, b AS station_to_m, sd AS "
    "station_sd_m, mid" HOURS " - 12 * (mid >= 6.283185307179586) AS clock_from_h, mid" HOURS
    " - 12 * (mid >= 6.283185307179586) AS clock_to_h, csd" HOURS
    " AS clock_sd_h, 'diameter' AS quantity, 'mm' AS unit, "
    "1000 * ifnull(diameter_m, (SELECT n.diameter_m FROM named n WHERE n.observation = recorded.id ORDER BY n.feature "
    "LIMIT 1)) AS value, 1000 * CASE WHEN diameter_m IS NULL THEN (SELECT n.diameter_sd_m FROM named n WHERE "
    "n.observation = recorded.id ORDER BY n.feature LIMIT 1) ELSE diameter_sd_m END AS value_sd FROM recorded "
    "UNION ALL SELECT 'reopen lateral', NULL, NULL, NULL, id, NULL, 0, station_m, station_m, station_sd_m, "
    "clock_rad" HOURS ", clock_rad" HOURS ", clock_sd_rad" HOURS ", 'diameter', 'mm', 1000 * diameter_m, 1000 * "
    "diameter_sd_m FROM found WHERE id NOT IN (SELECT feature FROM named) "
    "UNION ALL SELECT 'short liner', CASE WHEN count(DISTINCT inspection) = 1 THEN min(inspection) END, CASE WHEN "
    "count(DISTINCT pipe) = 1 THEN min(pipe) END, CASE WHEN count(*) = 1 THEN min(id) END, NULL, CASE WHEN "
    "count(DISTINCT code) = 1 THEN min(code) END, count(*), min(p), max(q), max(sd), NULL, NULL, NULL, 'length', 'm', "
    "max(q) - min(p), max(sd) FROM grouped GROUP BY patch "
    "UNION ALL SELECT CASE kind WHEN 'root' THEN 'remove roots' ELSE 'remove deposit' END, inspection, pipe, id, NULL, "
    "code, 1, a, b, sd, c" HOURS ", d" HOURS ", csd" HOURS
    ", CASE WHEN volume_m3 IS NOT NULL THEN 'volume' WHEN area_m2 IS NOT NULL THEN 'area' ELSE 'length' END, "
    "CASE WHEN volume_m3 IS NOT NULL THEN 'l' WHEN area_m2 IS NOT NULL THEN 'm2' ELSE 'm' END, "
    "CASE WHEN volume_m3 IS NOT NULL THEN 1000 * volume_m3 WHEN area_m2 IS NOT NULL THEN area_m2 ELSE b - a END, "
    "CASE WHEN volume_m3 IS NOT NULL THEN 1000 * volume_sd_m3 WHEN area_m2 IS NOT NULL THEN area_sd_m2 ELSE sd END "
    "FROM placed WHERE kind IN ('root', 'deposit') ORDER BY station_from_m, action;";

const char *intra_store_rehab_view_sql(void)
{
    return rehab_view;
}

/* ---- SQL from the tables ---- */

struct text {
    char *to;
    size_t n, used;
    bool is_full;
};

static void say(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct text *t, const char *format, ...)
{
    va_list args;
    int added;
    if (t->is_full) return;
    va_start(args, format);
    added = vsnprintf(t->to + t->used, t->n - t->used, format, args);
    va_end(args);
    t->is_full = added < 0 || (size_t)added >= t->n - t->used;
    if (!t->is_full) t->used += (size_t)added;
}

bool intra_store_insert_sql(const struct intra_store_table *t, char *out, size_t n)
{
    struct text sql = {out, n, 0, false};
    say(&sql, "INSERT INTO %s (%s", t->name, t->selected);
    for (int i = 0; i < t->n_columns; i++)
        say(&sql, ", %s", t->columns[i].name);
    say(&sql, ") VALUES (?");
    for (int i = 1; i < t->n_leading + t->n_columns; i++)
        say(&sql, ",?");
    say(&sql, ")");
    return !sql.is_full;
}

bool intra_store_select_sql(const struct intra_store_table *t, const char *order, char *out, size_t n)
{
    struct text sql = {out, n, 0, false};
    say(&sql, "SELECT %s", t->selected);
    for (int i = 0; i < t->n_columns; i++)
        say(&sql, ", %s", t->columns[i].name);
    say(&sql, " FROM %s %s", t->name, order);
    return !sql.is_full;
}

enum intra_status intra_store_records_sql(char **out, struct intra_error *err)
{
    static const char *const types[] = {[INTRA_STORE_TEXT] = "TEXT",
                                        [INTRA_STORE_REAL] = "REAL",
                                        [INTRA_STORE_FLAG] = "INTEGER NOT NULL",
                                        [INTRA_STORE_COUNT] = "INTEGER NOT NULL",
                                        [INTRA_STORE_INDEX] = "INTEGER"};
    enum { TABLES_BYTES = 16384 };
    enum intra_status status = INTRA_OK;
    struct text sql = {.n = TABLES_BYTES + sizeof indices + sizeof observations_view + sizeof rehab_view};
    INTRA_TRY(INTRA_ALLOC(sql.to, sql.n, err));
    for (int i = 0; i < COUNT(tables); i++) {
        say(&sql, "CREATE TABLE %s (%s", tables[i]->name, tables[i]->leading);
        for (int k = 0; k < tables[i]->n_columns; k++)
            say(&sql, ", %s %s", tables[i]->columns[k].name, types[tables[i]->columns[k].type]);
        say(&sql, "%s)%s;", tables[i]->trailing, *tables[i]->trailing ? " WITHOUT ROWID" : "");
    }
    say(&sql, "%s%s%s", indices, observations_view, rehab_view);
    if (sql.is_full) status = INTRA_FAIL(err, INTRA_E_ARG, "the tables of records do not fit %zu bytes", sql.n);
    *out = sql.to;
    sql.to = NULL;
done:
    intra_free(sql.to);
    return status;
}
