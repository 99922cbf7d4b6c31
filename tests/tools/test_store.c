/* Proves: a scene comes back from project.sqlite as it went in (bit by bit, NaN included); the file says what it is,
 * holds its foreign keys and indices, and is complete under its final name or not there at all; what is no store, is
 * damaged, or comes from a later version is refused with a message. Does not prove: anything about the numbers
 * themselves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/fileio.h"
#include "core/mem.h"
#include "core/store.h"

#include <math.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64], path[128];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/intrados-store-XXXXXX");
    if (!mkdtemp(folder)) return -1;
    snprintf(path, sizeof path, "%s/project.sqlite", folder);
    return 0;
}

static int remove_folder(void **state)
{
    char other[160];
    (void)state;
    unlink(path);
    snprintf(other, sizeof other, "%s.part", path);
    unlink(other);
    return rmdir(folder);
}

static double noise(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (double)(*seed >> 11) / 9007199254740992.0 - 0.5;
}

/* Every double of a struct that is nothing but doubles. */
static void scramble(void *data, size_t bytes, uint64_t *seed)
{
    for (size_t i = 0; i < bytes / sizeof(double); i++)
        ((double *)data)[i] = noise(seed) * 10;
}

static void fill_section(struct intra_section *s, int i, uint64_t *seed)
{
    struct intra_mat3 turn = intra_rotation_exp(intra_vec3(noise(seed), noise(seed), noise(seed)));
    memset(s, 0, sizeof *s);
    scramble(s->a, sizeof s->a, seed);
    scramble(s->b, sizeof s->b, seed);
    s->b[0] = 0;
    scramble(&s->diameter_min_m,
             offsetof(struct intra_section, centre_sd_m) - offsetof(struct intra_section, diameter_min_m), seed);
    s->station_m = 0.05 * i;
    s->centre = intra_vec3(noise(seed), noise(seed), noise(seed));
    s->centre_sd_m = intra_vec3(noise(seed), noise(seed), noise(seed));
    s->water_level_pct = i % 2 ? NAN : 12.5;
    s->is_seen = i % 3 != 0;
    /* tangent, right, crown: left-handed */
    s->world_from_sec = turn;
    for (int k = 0; k < 3; k++)
        s->world_from_sec.m[k][1] = -turn.m[k][1];
}

static void fill_scene(struct intra_scene *scene)
{
    uint64_t seed = 7;
    intra_scene_init(scene);
    assert_int_equal(intra_camera_from_hfov(768, 576, 1.1, &scene->camera, NULL), INTRA_OK);
    scramble(scene->camera.k, sizeof scene->camera.k, &seed);
    snprintf(scene->camera.source, sizeof scene->camera.source, "field of view, it's \"assumed\"");
    scene->nominal_diameter_m = 0.3;
    scene->is_diameter_assumed = true;
    scene->start_station_m = -1.25;
    scene->length_m = 1.0 / 3;
    scene->length_sd_m = 1e-300;
    scene->section_step_m = 0.05;
    scene->wall.station0_m = 0.1;
    scene->wall.texel_m = 0.001;
    scene->wall.perimeter_m = 0.942;
    scene->wall.cut_rad = 3.0;
    scene->wall.rows = 942;
    scene->wall.cols = (int64_t)5000000000;
    for (int i = 0; i < 200; i++) {
        struct intra_frame_record f = {.index = i + 3, .pts_s = i / 25.0, .state = (enum intra_frame_state)(i % 7)};
        f.is_posed = i % 4 != 0;
        f.segment = f.is_posed ? i / 100 : -1;
        f.world_from_cam = intra_pose_identity();
        f.station_m = f.station_sd_m = NAN;
        f.counter_m = i % 5 ? NAN : 1.2;
        if (f.is_posed) {
            f.world_from_cam.r = intra_rotation_exp(intra_vec3(3 * noise(&seed), 3 * noise(&seed), 3 * noise(&seed)));
            f.world_from_cam.t = intra_vec3(noise(&seed), noise(&seed), noise(&seed));
            f.station_m = 0.01 * i;
            f.station_sd_m = noise(&seed);
        }
        assert_int_equal(intra_scene_add_frame(scene, &f, NULL), INTRA_OK);
    }
    for (int i = 0; i < 30; i++) {
        struct intra_section s;
        struct intra_feature joint = intra_feature_unknown();
        struct intra_gap gap = {i, i % 2 ? NAN : i + 1, 2 * i, 3 * i, "cut in the video"};
        fill_section(&s, i, &seed);
        joint.station_m = i, joint.station_sd_m = noise(&seed);
        if (i % 3) joint.offset_m = noise(&seed), joint.confidence = 0.5 + i / 100.0;
        assert_int_equal(intra_scene_add_section(scene, &s, NULL), INTRA_OK);
        assert_int_equal(intra_scene_add_feature(scene, &joint, NULL), INTRA_OK);
        assert_int_equal(intra_scene_add_gap(scene, &gap, NULL), INTRA_OK);
    }
}

static enum intra_status write_all(const struct intra_scene *scene, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_store *store = NULL;
    INTRA_TRY(intra_store_create(path, &store, err));
    INTRA_TRY(intra_store_write_scene(store, scene, err));
    INTRA_TRY(intra_store_write_meta(store, "input_path", "a 'strange' name.mp4", err));
    INTRA_TRY(intra_store_write_library(store, "sqlite", intra_store_library_version(), err));
    INTRA_TRY(intra_store_write_stage(store, "motion", 1.5, 2.5, 200, err));
    INTRA_TRY(intra_store_write_warning(store, "a warning", err));
    INTRA_TRY(intra_store_write_file(store, "model.glb", 12345678901, "00ff", err));
    INTRA_TRY(intra_store_commit(store, err));
done:
    intra_store_close(&store);
    return status;
}

/* Equal bits, or both NaN. */
static bool is_same(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b));
}

static void assert_same_numbers(const void *a, const void *b, size_t bytes)
{
    for (size_t i = 0; i < bytes / sizeof(double); i++)
        assert_true(is_same(((const double *)a)[i], ((const double *)b)[i]));
}

static void assert_near_matrix(const struct intra_mat3 *a, const struct intra_mat3 *b)
{
    for (int i = 0; i < 9; i++)
        assert_true(fabs(a->m[i / 3][i % 3] - b->m[i / 3][i % 3]) < 1e-14);
}

static void scene_round_trip(void **state)
{
    struct intra_scene in, out;
    struct intra_store *store = NULL;
    struct intra_error err = {0};
    (void)state;
    fill_scene(&in);
    intra_scene_init(&out);
    assert_int_equal(write_all(&in, &err), INTRA_OK);
    assert_int_equal(intra_store_open(path, &store, &err), INTRA_OK);
    assert_int_equal(intra_store_read_scene(store, &out, &err), INTRA_OK);
    intra_store_close(&store);
    assert_int_equal(out.camera.model, in.camera.model);
    assert_int_equal(out.camera.width, 768);
    assert_int_equal(out.camera.height, 576);
    assert_true(out.camera.is_assumed);
    assert_string_equal(out.camera.source, in.camera.source);
    assert_same_numbers(&out.camera.fx, &in.camera.fx, (4 + INTRA_CAMERA_MAX_K + 1) * sizeof(double));
    assert_true(is_same(out.camera.focal_sd_rel, in.camera.focal_sd_rel));
    assert_true(out.is_diameter_assumed);
    assert_true(is_same(out.length_m, in.length_m) && is_same(out.length_sd_m, in.length_sd_m));
    assert_true(is_same(out.start_station_m, in.start_station_m) && is_same(out.section_step_m, in.section_step_m));
    assert_true(out.wall.cols == in.wall.cols && out.wall.rows == in.wall.rows);
    assert_same_numbers(&out.wall, &in.wall, 4 * sizeof(double));
    assert_null(out.wall.colour);
    assert_int_equal(out.n_frames, in.n_frames);
    for (int64_t i = 0; i < in.n_frames; i++) {
        const struct intra_frame_record *a = &in.frames[i], *b = &out.frames[i];
        assert_true(a->index == b->index && a->state == b->state && a->is_posed == b->is_posed &&
                    a->segment == b->segment);
        assert_true(is_same(a->pts_s, b->pts_s) && is_same(a->counter_m, b->counter_m));
        assert_same_numbers(&a->station_m, &b->station_m, 2 * sizeof(double));
        assert_near_matrix(&a->world_from_cam.r, &b->world_from_cam.r);
        if (a->is_posed) assert_same_numbers(&a->world_from_cam.t, &b->world_from_cam.t, 3 * sizeof(double));
    }
    assert_int_equal(out.n_sections, in.n_sections);
    for (int64_t i = 0; i < in.n_sections; i++) {
        const struct intra_section *a = &in.sections[i], *b = &out.sections[i];
        assert_true(a->is_seen == b->is_seen && is_same(a->station_m, b->station_m));
        assert_same_numbers(&a->centre, &b->centre, 3 * sizeof(double));
        assert_same_numbers(&a->world_from_sec, &b->world_from_sec, sizeof a->world_from_sec);
        assert_same_numbers(a->a, b->a, sizeof *a - offsetof(struct intra_section, a));
    }
    assert_int_equal(out.n_features, in.n_features);
    for (int64_t i = 0; i < in.n_features; i++)
        assert_same_numbers(&out.features[i].station_m, &in.features[i].station_m,
                            sizeof in.features[i] - offsetof(struct intra_feature, station_m));
    assert_int_equal(out.n_gaps, in.n_gaps);
    for (int64_t i = 0; i < in.n_gaps; i++)
        assert_same_numbers(&out.gaps[i], &in.gaps[i], 4 * sizeof(double));
    assert_string_equal(out.gaps[3].reason, "cut in the video");
    intra_scene_fini(&in);
    intra_scene_fini(&out);
}

static int query_int(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    int value;
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    value = sqlite3_column_int(stmt, 0);
    sqlite3_finalize(stmt);
    return value;
}

static void file_is_plain_sqlite(void **state)
{
    struct intra_scene scene;
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    char side[160];
    (void)state;
    fill_scene(&scene);
    assert_int_equal(write_all(&scene, NULL), INTRA_OK);
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(query_int(db, "PRAGMA user_version"), INTRA_STORE_VERSION);
    assert_int_equal(query_int(db, "SELECT count(*) FROM frame"), 200);
    assert_int_equal(query_int(db, "SELECT count(*) FROM segment"), 2);
    assert_int_equal(query_int(db, "SELECT first_idx FROM segment WHERE id = 1"), 104); /* frame 103 is not posed */
    assert_int_equal(query_int(db, "SELECT count(*) FROM section WHERE water_level_pct IS NULL"), 15);
    assert_true(query_int(db, "SELECT count(*) FROM sqlite_master WHERE type = 'index' AND name NOT LIKE 'sqlite_%'") >=
                5);
    assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA foreign_key_check", -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_DONE);
    sqlite3_finalize(stmt);
    assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA journal_mode", -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(stmt, 0), "delete");
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    snprintf(side, sizeof side, "%s-journal", path);
    assert_false(intra_path_exists(side));
    snprintf(side, sizeof side, "%s-wal", path);
    assert_false(intra_path_exists(side));
    intra_scene_fini(&scene);
}

static void meta_round_trip(void **state)
{
    struct intra_scene scene;
    struct intra_store *store = NULL;
    char *value = NULL;
    (void)state;
    fill_scene(&scene);
    assert_int_equal(write_all(&scene, NULL), INTRA_OK);
    assert_int_equal(intra_store_open(path, &store, NULL), INTRA_OK);
    assert_int_equal(intra_store_read_meta(store, "input_path", &value, NULL), INTRA_OK);
    assert_string_equal(value, "a 'strange' name.mp4");
    intra_free(value);
    assert_int_equal(intra_store_read_meta(store, "nothing", &value, NULL), INTRA_OK);
    assert_null(value);
    intra_store_close(&store);
    intra_scene_fini(&scene);
}

static void uncommitted_leaves_nothing(void **state)
{
    struct intra_store *store = NULL;
    char part[160];
    (void)state;
    assert_int_equal(intra_store_create(path, &store, NULL), INTRA_OK);
    assert_int_equal(intra_store_write_meta(store, "a", "b", NULL), INTRA_OK);
    intra_store_close(&store);
    assert_false(intra_path_exists(path));
    intra_part_name(path, part, sizeof part);
    assert_false(intra_path_exists(part));
}

static void same_key_twice_is_refused(void **state)
{
    struct intra_store *store = NULL;
    (void)state;
    assert_int_equal(intra_store_create(path, &store, NULL), INTRA_OK);
    assert_int_equal(intra_store_write_meta(store, "a", "b", NULL), INTRA_OK);
    assert_true(intra_store_write_meta(store, "a", "c", NULL) < 0);
    intra_store_close(&store);
}

static void frame_of_no_known_state_is_refused(void **state)
{
    struct intra_scene scene;
    (void)state;
    fill_scene(&scene);
    scene.frames[5].state = (enum intra_frame_state)99;
    assert_true(write_all(&scene, NULL) < 0);
    assert_false(intra_path_exists(path));
    intra_scene_fini(&scene);
}

/* Writes past a limit fail, as on a full disk. */
static void full_disk(void **state)
{
    struct intra_scene scene;
    struct intra_error err = {0};
    struct rlimit old, small;
    (void)state;
    fill_scene(&scene);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    for (rlim_t limit = 0; limit < 60000; limit += 4096) {
        enum intra_status status;
        small = old;
        small.rlim_cur = limit;
        setrlimit(RLIMIT_FSIZE, &small);
        status = write_all(&scene, &err);
        setrlimit(RLIMIT_FSIZE, &old);
        assert_int_equal(status, INTRA_E_IO);
        assert_non_null(strstr(err.text, path));
        assert_false(intra_path_exists(path));
    }
    intra_scene_fini(&scene);
}

static void every_allocation_may_fail(void **state)
{
    struct intra_scene scene;
    long before, needed;
    (void)state;
    fill_scene(&scene);
    before = intra_mem_count();
    assert_int_equal(write_all(&scene, NULL), INTRA_OK);
    needed = intra_mem_count() - before;
    assert_true(needed > 0);
    for (long n = 1; n <= needed; n++) {
        struct intra_error err = {0};
        unlink(path);
        intra_mem_fail_at(n, 0);
        assert_int_equal(write_all(&scene, &err), INTRA_E_MEM);
        intra_mem_fail_at(0, 0);
        assert_false(intra_path_exists(path));
    }
    intra_scene_fini(&scene);
}

static void put_file(const char *text, size_t n)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fwrite(text, 1, n, file);
    fclose(file);
}

static void assert_refused(enum intra_status want)
{
    struct intra_store *store = NULL;
    struct intra_error err = {0};
    assert_int_equal(intra_store_open(path, &store, &err), want);
    assert_null(store);
    assert_non_null(strstr(err.text, path));
}

static void what_is_no_store_is_refused(void **state)
{
    sqlite3 *db = NULL;
    (void)state;
    assert_refused(INTRA_E_IO);
    put_file("", 0);
    assert_refused(INTRA_E_FORMAT);
    put_file("this is a text, and longer than the head of a database: 0123456789012345678901234567890123456789", 97);
    assert_refused(INTRA_E_FORMAT);
    unlink(path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "CREATE TABLE t (a); PRAGMA user_version = 1", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    assert_refused(INTRA_E_FORMAT);
}

static void later_version_is_refused(void **state)
{
    struct intra_scene scene;
    sqlite3 *db = NULL;
    (void)state;
    fill_scene(&scene);
    assert_int_equal(write_all(&scene, NULL), INTRA_OK);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 5", NULL, NULL, NULL), SQLITE_OK);
    assert_refused(INTRA_E_UNSUPPORTED);
    /* No version of ours: to update the program would not help. */
    assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 0", NULL, NULL, NULL), SQLITE_OK);
    assert_refused(INTRA_E_FORMAT);
    sqlite3_close(db);
    intra_scene_fini(&scene);
}

/* A wall of numbers that no pipe has would become indices into its images. */
static void impossible_wall_is_refused(void **state)
{
    static const char *const values[] = {"texel_m = 0",         "texel_m = NULL",     "texel_m = 1e300",
                                         "station0_m = -1e300", "perimeter_m = NULL", "perimeter_m = 500",
                                         "rows_px = -1",        "cols_px = -1",       "cut_rad = 1e300"};
    struct intra_scene scene;
    (void)state;
    fill_scene(&scene);
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct intra_store *store = NULL;
        struct intra_scene read;
        struct intra_error err = {0};
        sqlite3 *db = NULL;
        char sql[128];
        assert_int_equal(write_all(&scene, NULL), INTRA_OK);
        assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
        snprintf(sql, sizeof sql, "UPDATE wall SET %s", values[i]);
        assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
        sqlite3_close(db);
        intra_scene_init(&read);
        assert_int_equal(intra_store_open(path, &store, NULL), INTRA_OK);
        assert_int_equal(intra_store_read_scene(store, &read, &err), INTRA_E_FORMAT);
        assert_non_null(strstr(err.text, "damaged: a wall of"));
        intra_store_close(&store);
        intra_scene_fini(&read);
        assert_int_equal(unlink(path), 0);
    }
    intra_scene_fini(&scene);
}

/* A project as version `version` wrote it. */
static void make_old(const struct intra_scene *scene, int version, const char *const *later, size_t n_later)
{
    sqlite3 *db = NULL;
    char sql[128];
    assert_int_equal(write_all(scene, NULL), INTRA_OK);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "DROP VIEW v_rehab; DROP VIEW v_observations", NULL, NULL, NULL), SQLITE_OK);
    for (size_t i = 0; i < n_later; i++) {
        snprintf(sql, sizeof sql, "ALTER TABLE feature DROP COLUMN %s", later[i]);
        assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    }
    snprintf(sql, sizeof sql, "PRAGMA user_version = %d", version);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

/* Version 1 had no more of a joint than its station, version 2 no features but joints. */
static void versions_1_and_2_are_read(void **state)
{
    static const char *const later[] = {"station_to_m",   "station_to_sd_m",   "clock_rad",
                                        "clock_sd_rad",   "diameter_m",        "diameter_sd_m",
                                        "intrusion_m",    "intrusion_sd_m",    "angle_rad",
                                        "angle_sd_rad",   "radius_m",          "radius_sd_m",
                                        "level_pct",      "level_sd_pct", /* 14 of version 3 */
                                        "gap_m",          "gap_sd_m",          "offset_m",
                                        "offset_sd_m",    "offset_clock_rad",  "offset_clock_sd_rad",
                                        "deflection_rad", "deflection_sd_rad", "deflection_clock_rad",
                                        "confidence"};
    struct intra_scene in;
    (void)state;
    fill_scene(&in);
    for (int version = 1; version <= 2; version++) {
        struct intra_scene out;
        struct intra_store *store = NULL;
        make_old(&in, version, later, version == 2 ? 14 : sizeof later / sizeof later[0]);
        intra_scene_init(&out);
        assert_int_equal(intra_store_open(path, &store, NULL), INTRA_OK);
        assert_int_equal(intra_store_read_scene(store, &out, NULL), INTRA_OK);
        intra_store_close(&store);
        assert_int_equal(out.n_features, in.n_features);
        for (int64_t i = 0; i < in.n_features; i++) {
            assert_same_numbers(&out.features[i].station_m, &in.features[i].station_m, 2 * sizeof(double));
            assert_true(isnan(out.features[i].diameter_m) && isnan(out.features[i].station_to_m));
            if (version == 1)
                assert_true(isnan(out.features[i].offset_m) && isnan(out.features[i].confidence));
            else
                assert_same_numbers(&out.features[i].confidence, &in.features[i].confidence, sizeof(double));
        }
        intra_scene_fini(&out);
        assert_int_equal(unlink(path), 0);
    }
    intra_scene_fini(&in);
}

/* Cut off, or a byte turned over, anywhere: read or refused, never a crash. */
static void damage_never_crashes(void **state)
{
    struct intra_scene scene;
    char *whole = NULL;
    size_t size = 0;
    uint64_t seed = 3;
    int refused = 0;
    (void)state;
    fill_scene(&scene);
    assert_int_equal(write_all(&scene, NULL), INTRA_OK);
    assert_int_equal(intra_read_file(path, 10000000, &whole, &size, NULL), INTRA_OK);
    for (int i = 0; i < 200; i++) {
        struct intra_store *store = NULL;
        struct intra_scene out;
        size_t at = (size_t)((noise(&seed) + 0.5) * (double)size);
        enum intra_status status;
        intra_scene_init(&out);
        whole[at] ^= (char)(1 << i % 8);
        put_file(whole, i % 2 ? size : at);
        status = intra_store_open(path, &store, NULL);
        if (status == INTRA_OK) status = intra_store_read_scene(store, &out, NULL);
        refused += status != INTRA_OK;
        intra_store_close(&store);
        intra_scene_fini(&out);
        whole[at] ^= (char)(1 << i % 8);
    }
    assert_true(refused >= 90); /* each one cut off, at the least */
    intra_free(whole);
    intra_scene_fini(&scene);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(scene_round_trip),
        CASE(file_is_plain_sqlite),
        CASE(meta_round_trip),
        CASE(uncommitted_leaves_nothing),
        CASE(same_key_twice_is_refused),
        CASE(frame_of_no_known_state_is_refused),
        CASE(full_disk),
        CASE(every_allocation_may_fail),
        CASE(what_is_no_store_is_refused),
        CASE(later_version_is_refused),
        CASE(impossible_wall_is_refused),
        CASE(versions_1_and_2_are_read),
        CASE(damage_never_crashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
