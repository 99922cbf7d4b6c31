/* Proves, on a short simulated pipe and through the real program: what a finished folder holds, and that the store, the
 * log and the listed files agree; the same bytes for one thread and two; --force, kills and failures half-way leave no
 * half-written file and lose nothing that was complete; a truncated video is used as far as it goes, and said so;
 * export works without the video. Does not prove: how good the reconstruction is (evaluate does, in the benchmarks). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "made_input.h"
#include "program.h"

#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char *const folder = program_dir;

#define RECONSTRUCT "reconstruct pipe/video.mp4 --camera pipe/camera.yaml -d 300mm "

static const char *const contract[] = {"project.sqlite",   "trajectory.tum", "frames.csv", "profile.csv",
                                       "observations.csv", "unrolled.tif",   "relief.tif", "coverage.tif",
                                       "model.glb",        "model.obj",      "model.mtl",  "log.jsonl"};
enum { N_CONTRACT = sizeof contract / sizeof contract[0] };

/* How well it went is not asked here. */
static void run_done(const char *words)
{
    struct program_run run = program_done(folder, words);
    program_free(&run);
}

static bool is_there(const char *format, const char *name)
{
    char inner[128], path[256];
    struct stat st;
    snprintf(inner, sizeof inner, format, name);
    snprintf(path, sizeof path, "%s/%s", folder, inner);
    return lstat(path, &st) == 0;
}

static int make_folder(void **state)
{
    program_make_dir(state);
    made_input_pipe(folder);
    run_done(RECONSTRUCT "-o first -q --threads 1");
    return 0;
}

static void folder_holds_the_contract(void **state)
{
    (void)state;
    for (int i = 0; i < N_CONTRACT; i++)
        if (!is_there("first/%s", contract[i])) fail_msg("first/%s is not there", contract[i]);
    assert_false(is_there("%s", "first.part"));
    program_shell("cd %s/first && ! ls -A | grep -E 'part$|^\\.'", folder);
}

static sqlite3 *open_store(const char *name)
{
    char path[256];
    sqlite3 *db = NULL;
    snprintf(path, sizeof path, "%s/%s/project.sqlite", folder, name);
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    return db;
}

static int query_int(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    int value;
    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK || sqlite3_step(stmt) != SQLITE_ROW)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    value = sqlite3_column_int(stmt, 0);
    sqlite3_finalize(stmt);
    return value;
}

/* The store says the same as the tables, and its list of files has their true hashes. */
static void store_agrees_with_files(void **state)
{
    sqlite3 *db = open_store("first");
    sqlite3_stmt *stmt = NULL;
    int posed = query_int(db, "SELECT count(*) FROM frame WHERE is_posed"), files = 0;
    (void)state;
    assert_true(posed > 10);
    program_shell("test $(wc -l < %s/first/trajectory.tum) = %d", folder, posed);
    program_shell("test $(wc -l < %s/first/frames.csv) = %d", folder, query_int(db, "SELECT count(*) FROM frame") + 1);
    program_shell("test $(wc -l < %s/first/profile.csv) = %d", folder,
                  query_int(db, "SELECT count(*) FROM section") + 1);
    assert_int_equal(query_int(db, "SELECT length(value) FROM meta WHERE key = 'input_sha256'"), 64);
    assert_int_equal(query_int(db, "SELECT count(*) FROM meta WHERE key IN ('program', 'program_version', "
                                   "'input_path', 'options_json', 'started_utc')"),
                     5);
    assert_true(query_int(db, "SELECT count(*) FROM stage") >= 5);
    assert_true(query_int(db, "SELECT count(*) FROM library") >= 2);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT name, bytes, sha256 FROM file", -1, &stmt, NULL), SQLITE_OK);
    for (; sqlite3_step(stmt) == SQLITE_ROW; files++)
        program_shell("cd %s/first && test $(stat -c %%s %s) = %lld && echo '%s  %s' | sha256sum --quiet -c -", folder,
                      sqlite3_column_text(stmt, 0), (long long)sqlite3_column_int64(stmt, 1),
                      sqlite3_column_text(stmt, 2), sqlite3_column_text(stmt, 0));
    sqlite3_finalize(stmt);
    assert_true(files >= N_CONTRACT - 2);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT value FROM meta WHERE key = 'input_sha256'", -1, &stmt, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    program_shell("cd %s && echo '%s  pipe/video.mp4' | sha256sum --quiet -c -", folder, sqlite3_column_text(stmt, 0));
    sqlite3_finalize(stmt);
    sqlite3_close(db);
}

static void log_is_json_lines(void **state)
{
    char path[256], line[4096];
    FILE *file;
    int lines = 0, stages = 0;
    (void)state;
    snprintf(path, sizeof path, "%s/first/log.jsonl", folder);
    file = fopen(path, "r");
    assert_non_null(file);
    for (; fgets(line, sizeof line, file); lines++) {
        json_error_t problem;
        json_t *entry = json_loads(line, 0, &problem);
        if (!entry) fail_msg("log.jsonl: %s: %s", problem.text, line);
        assert_true(json_is_number(json_object_get(entry, "t_s")));
        assert_true(json_is_string(json_object_get(entry, "stage")));
        stages += json_is_number(json_object_get(entry, "wall_s"));
        json_decref(entry);
    }
    fclose(file);
    assert_true(lines > 5);
    assert_true(stages > 4);
}

static void one_thread_or_two(void **state)
{
    (void)state;
    run_done(RECONSTRUCT "-o second -q --threads 2");
    for (int i = 0; i < N_CONTRACT; i++)
        if (strcmp(contract[i], "log.jsonl") != 0 && strcmp(contract[i], "project.sqlite") != 0)
            program_shell("cd %s && cmp first/%s second/%s", folder, contract[i], contract[i]);
}

static void summary_as_json(void **state)
{
    struct program_run run = program_done(folder, RECONSTRUCT "-o as_json -q --json --no-mesh --to 1.5s");
    json_error_t problem;
    json_t *root = json_loads(run.out, 0, &problem);
    (void)state;
    if (!root) fail_msg("JSON: %s", problem.text);
    assert_true(json_number_value(json_object_get(root, "length_m")) > 0);
    assert_true(json_is_integer(json_object_get(root, "frames_posed")));
    assert_true(json_is_boolean(json_object_get(root, "is_complete")));
    assert_true(json_is_array(json_object_get(root, "warnings")));
    assert_true(json_boolean_value(json_object_get(root, "is_complete")) == (run.code == 0));
    json_decref(root);
    program_free(&run);
    assert_false(is_there("as_json/%s", "model.glb"));
    assert_false(is_there("as_json/%s", "model.obj"));
    assert_true(is_there("as_json/%s", "unrolled.tif"));
}

/* No lens given: said in the warning, the summary, the store and the model. */
static void assumed_lens_is_marked(void **state)
{
    struct program_run run = program_done(folder, "reconstruct pipe/video.mp4 -d 300mm -o guess --no-obj");
    sqlite3 *db;
    (void)state;
    assert_non_null(strstr(run.err, "warning"));
    assert_non_null(strstr(run.out, "LENS ASSUMED"));
    program_free(&run);
    db = open_store("guess");
    assert_int_equal(query_int(db, "SELECT is_assumed FROM camera"), 1);
    assert_true(query_int(db, "SELECT count(*) FROM warning") >= 1);
    sqlite3_close(db);
    program_shell("grep -aq assumed %s/guess/model.glb", folder);
    program_shell("grep -q assumed %s/guess/log.jsonl", folder);
}

/* A known way in place of a calibration: the camera comes out to have driven it, the lens is no longer assumed, and can be saved and
 * read back. */
static void length_gives_the_lens(void **state)
{
    static const char way[] = "SELECT CAST(1e6 * (max(station_m) - min(station_m)) AS INTEGER) FROM frame WHERE is_posed";
    char words[300];
    sqlite3 *db = open_store("first");
    double wanted = query_int(db, way) * 1e-6, found;
    (void)state;
    sqlite3_close(db);
    snprintf(words, sizeof words,
             "reconstruct pipe/video.mp4 -d 300mm --hfov 55deg --counter off --length %.4fm --save-camera lens.yaml -o known -q "
             "--no-mesh",
             wanted);
    run_done(words);
    db = open_store("known");
    assert_int_equal(query_int(db, "SELECT is_assumed FROM camera"), 0);
    assert_int_equal(query_int(db, "SELECT source LIKE 'estimated%known length%' FROM camera"), 1);
    found = query_int(db, way) * 1e-6;
    sqlite3_close(db);
    if (fabs(found / wanted - 1) > 0.02) fail_msg("drove %g m, should be %g m", found, wanted);
    program_shell("grep -q '# estimated' %s/lens.yaml", folder);
    run_done("reconstruct pipe/video.mp4 -d 300mm --camera lens.yaml --to 1.5s -o again -q --no-mesh --counter off");
    db = open_store("again");
    assert_int_equal(query_int(db, "SELECT is_assumed FROM camera"), 0);
    sqlite3_close(db);
}

static void length_that_cannot_be_is_said(void **state)
{
    sqlite3 *db;
    (void)state;
    run_done("reconstruct pipe/video.mp4 -d 300mm --counter off --length 900m -o far -q --no-mesh");
    db = open_store("far");
    assert_int_equal(query_int(db, "SELECT is_assumed FROM camera"), 1);
    assert_int_equal(query_int(db, "SELECT count(*) FROM warning WHERE text LIKE '%900.00 m was not used%'"), 1);
    sqlite3_close(db);
    /* said before the work: no result, and none of its folders */
    program_expect(folder, "reconstruct pipe/video.mp4 -d 300mm --save-camera none/lens.yaml -o unsaved -q", 1, "none/lens.yaml");
    program_shell("test ! -e %s/unsaved && test ! -e %s/unsaved.part", folder, folder);
}

static void force_replaces_and_keeps_others(void **state)
{
    (void)state;
    program_shell("cd %s && cp -r first forced && echo mine > forced/notes.txt && echo old > forced/model_017.jpg && "
                  "echo old > forced/frames.csv",
                  folder);
    program_expect(folder, RECONSTRUCT "-o forced -q", 1,
                   "forced: output folder exists and is not empty; give --force");
    program_shell("cd %s && test $(cat forced/frames.csv) = old", folder);
    struct program_run run = program_done(folder, RECONSTRUCT "-o forced --force --no-mesh");
    assert_non_null(strstr(run.out, "forced/unrolled.tif"));
    assert_null(strstr(run.out, "model.glb")); /* names what is there */
    program_free(&run);
    program_shell("cd %s/forced && test $(cat notes.txt) = mine && cmp frames.csv ../first/frames.csv", folder);
    assert_false(is_there("forced/%s", "model_017.jpg"));
    assert_false(is_there("forced/%s", "model.glb"));
    program_shell("cd %s/forced && ! ls -A | grep part", folder);
}

static void truncated_video(void **state)
{
    struct program_run run;
    (void)state;
    if (!made_input_can()) skip();
    made_input_ffmpeg(folder, "-i pipe/video.mp4 -c copy whole.mkv");
    program_shell("cd %s && head -c $(($(stat -c %%s whole.mkv) * 7 / 10)) whole.mkv > cut.mkv", folder);
    run = program_start(folder, "reconstruct cut.mkv --camera pipe/camera.yaml -d 300mm -o cut --no-mesh");
    if (run.code != 3) fail_msg("exit status %d, want 3\n%s", run.code, run.err);
    assert_non_null(strstr(run.err, "cut off or damaged at its end"));
    program_free(&run);
    assert_true(is_there("cut/%s", "frames.csv"));
    /* An MP4 without its index holds nothing that could be found. */
    program_shell("cd %s && head -c 20000 pipe/video.mp4 > head.mp4", folder);
    run = program_start(folder, "reconstruct head.mp4 -d 300mm -o none -q");
    if (run.code != 1 && run.code != 3) fail_msg("exit status %d", run.code);
    if (run.code == 1) assert_false(is_there("%s", "none"));
    program_free(&run);
}

/* The program in the background, until its work folder has a log. */
static pid_t start_and_wait(const char *part, const char *out)
{
    char path[256];
    pid_t pid = fork();
    struct stat st;
    if (pid == 0) {
        int null = open("/dev/null", O_WRONLY);
        if (chdir(folder) != 0) _exit(98);
        signal(SIGINT, SIG_DFL); /* a test in the background has it ignored, and the program respects that */
        dup2(null, 1);
        dup2(null, 2);
        execl(INTRA_TEST_PROGRAM, "intrados", "reconstruct", "pipe/video.mp4", "--camera", "pipe/camera.yaml", "-d",
              "300mm", "-o", out, "--force", "-q", (char *)NULL);
        _exit(99);
    }
    snprintf(path, sizeof path, "%s/%s/log.jsonl", folder, part);
    for (int i = 0; i < 6000 && stat(path, &st) != 0; i++)
        usleep(10000);
    assert_int_equal(stat(path, &st), 0);
    return pid;
}

static int end_with(pid_t pid, int number)
{
    int status = 0;
    kill(pid, number);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status);
}

static void signals_clean_up(void **state)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    (void)state;
    for (int i = 0; i < 3; i++) {
        pid_t pid = start_and_wait("stopped.part", "stopped");
        assert_int_equal(end_with(pid, numbers[i]), numbers[i]);
        assert_false(is_there("%s", "stopped"));
        assert_false(is_there("%s", "stopped.part"));
    }
}

/* Killed outright: no OUT, and the next run is not hindered by what lies about. A finished OUT stays as it was. */
static void killed_outright(void **state)
{
    pid_t pid = start_and_wait("killed.part", "killed");
    (void)state;
    assert_int_equal(end_with(pid, SIGKILL), SIGKILL);
    assert_false(is_there("%s", "killed"));
    program_shell("cd %s && echo half > killed.part/model.glb", folder);
    run_done(RECONSTRUCT "-o killed -q --no-mesh");
    assert_true(is_there("killed/%s", "profile.csv"));
    assert_false(is_there("killed/%s", "model.glb"));
    assert_false(is_there("%s", "killed.part"));
    pid = start_and_wait("killed/intrados.part", "killed");
    assert_int_equal(end_with(pid, SIGKILL), SIGKILL);
    program_shell("cd %s && cmp killed/frames.csv first/frames.csv", folder);
}

static void two_runs_into_one_folder(void **state)
{
    pid_t pid = start_and_wait("shared.part", "shared");
    (void)state;
    program_expect(folder, RECONSTRUCT "-o shared -q", 1, "shared.part: another run is writing there");
    assert_int_equal(end_with(pid, SIGTERM), SIGTERM);
}

/* Something in the way of one late file: the others are complete and kept, the status says failed. */
static void late_failure_keeps_the_rest(void **state)
{
    int status = 0;
    pid_t pid = start_and_wait("late.part", "late");
    (void)state;
    program_shell("mkdir %s/late.part/model.glb.part", folder);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
    assert_false(is_there("late/%s", "model.glb"));
    for (int i = 0; i < N_CONTRACT; i++)
        if (strcmp(contract[i], "model.glb") != 0 && !is_there("late/%s", contract[i]))
            fail_msg("late/%s is lost", contract[i]);
    program_shell("cd %s && cmp late/profile.csv first/profile.csv", folder);
    /* An OUT that stood before is not mixed with an incomplete one. */
    program_shell("cd %s && rm -r late && cp -r first late && rm late/relief.tif", folder);
    pid = start_and_wait("late/intrados.part", "late");
    program_shell("mkdir %s/late/intrados.part/model.glb.part", folder);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
    assert_false(is_there("late/%s", "relief.tif"));
    assert_true(is_there("late/intrados.part/%s", "relief.tif"));
}

/* No file may grow beyond the limit: as a disk that fills up, early or late. */
static void full_disk(void **state)
{
    static const int blocks[] = {0, 1, 50, 500, 1500}; /* of 512 or 1024 bytes */
    (void)state;
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
        char before[64];
        snprintf(before, sizeof before, "%d", blocks[i]);
        program_shell("cd %s && rm -rf tight tight.part && (trap '' XFSZ; ulimit -f %s; %s " RECONSTRUCT
                      "-o tight -q; echo $? > code) 2> says; true",
                      folder, before, INTRA_TEST_PROGRAM);
        program_shell("cd %s && { test ! -s code || test $(cat code) = 1 || { cat says code; false; }; }", folder);
        program_shell("cd %s && test ! -e tight.part && { test ! -e tight || ! ls -A tight | grep part; }", folder);
        program_shell("cd %s && { test %s = 0 || test -s code; }", folder, before);
        program_shell("cd %s && { test %s = 0 || grep -q '^intrados: .*tight' says || { cat says; false; }; }", folder,
                      before);
    }
}

static void exports_without_the_video(void **state)
{
    static const char *const formats[] = {"glb", "obj", "ply", "tif", "csv"};
    (void)state;
    program_shell("cd %s && rm -rf moved && mkdir moved && cp -r first moved/project", folder);
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        char words[256];
        snprintf(words, sizeof words, "export moved/project -o moved/whole.%s", formats[i]);
        program_expect(folder, words, 0, NULL);
        snprintf(words, sizeof words, "export moved/project --range 0.45m:0.65m -o moved/part.%s", formats[i]);
        program_expect(folder, words, 0, NULL);
        program_shell("cd %s/moved && test -s part.%s && test $(stat -c %%s part.%s) -lt $(stat -c %%s whole.%s)",
                      folder, formats[i], formats[i], formats[i]);
    }
    /* The same scene gives the same bytes, with the video or without; the model but for relief.tif's steps of 8
     * micrometres. */
    program_shell("cd %s/moved && cmp whole.tif project/unrolled.tif && cmp whole.csv project/profile.csv", folder);
    program_shell("cd %s/moved && a=$(stat -c %%s whole.glb) && b=$(stat -c %%s project/model.glb) && test $((a * "
                  "100)) -gt $((b * 95)) -a $((a * 95)) -lt $((b * 100))",
                  folder);
    program_expect(folder, "export moved/project -o moved/again.glb", 0, NULL);
    program_shell("cd %s/moved && cmp whole.glb again.glb", folder);
    program_expect(folder, "export moved/project --layer relief -o moved/relief.tif", 0, NULL);
    program_shell("cd %s/moved && cmp relief.tif project/relief.tif", folder);
    program_expect(folder, "export moved/project --layer coverage -o moved/coverage.tif", 0, NULL);
    program_shell("cd %s/moved && cmp coverage.tif project/coverage.tif", folder);
    program_expect(folder, "export moved/project --texel 5mm -o moved/coarse.tif", 0, NULL);
    program_shell("cd %s/moved && test $(stat -c %%s coarse.tif) -lt $(($(stat -c %%s whole.tif) / 4))", folder);
    program_expect(folder, "export moved/project -o moved/whole.glb", 1, "moved/whole.glb: exists; give --force");
    program_expect(folder, "export moved/project -o moved/whole.glb --force -q", 0, NULL);
    program_expect(folder, "export moved/project --range 100m:200m -o moved/far.glb", 2,
                   "nothing there; the wall of moved/project runs from");
    program_expect(folder, "export moved/project -o none/x.glb", 1, "none");
    program_shell("cd %s/moved && cp whole.glb project/unrolled.tif", folder);
    program_expect(folder, "export moved/project -o moved/bad.glb", 1, "project/unrolled.tif");
    program_shell("cd %s/moved && test ! -e bad.glb", folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folder_holds_the_contract),
        cmocka_unit_test(store_agrees_with_files),
        cmocka_unit_test(log_is_json_lines),
        cmocka_unit_test(exports_without_the_video),
        cmocka_unit_test(one_thread_or_two),
        cmocka_unit_test(summary_as_json),
        cmocka_unit_test(assumed_lens_is_marked),
        cmocka_unit_test(length_gives_the_lens),
        cmocka_unit_test(length_that_cannot_be_is_said),
        cmocka_unit_test(force_replaces_and_keeps_others),
        cmocka_unit_test(truncated_video),
        cmocka_unit_test(signals_clean_up),
        cmocka_unit_test(killed_outright),
        cmocka_unit_test(two_runs_into_one_folder),
        cmocka_unit_test(late_failure_keeps_the_rest),
        cmocka_unit_test(full_disk),
    };
    return cmocka_run_group_tests(tests, make_folder, program_remove_dir);
}
