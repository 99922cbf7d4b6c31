/* Proves: a file appears under its name whole or not at all, also when the disk is full or the writer gives up; reading
 * is bounded; errors name the path. Disk full is /dev/full behind the part file's name. Does not prove: durability over
 * a power cut (fsync is called, nothing here can pull the plug). */
#include "core/fileio.h"
#include "core/mem.h"
#include "scratch.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void assert_content(const char *path, const char *want)
{
    char *text;
    size_t size;
    assert_int_equal(intra_read_file(path, 1000, &text, &size, NULL), INTRA_OK);
    assert_string_equal(text, want);
    assert_int_equal(size, strlen(want));
    intra_free(text);
}

static void assert_no_part(const char *path)
{
    char part[1040];
    intra_part_name(path, part, sizeof part);
    assert_false(intra_path_exists(part));
}

static void file_appears_only_at_commit(void **state)
{
    (void)state;
    struct intra_out_file file;
    const char *path = scratch_path("table.csv");
    assert_int_equal(intra_out_file_open(&file, path, NULL), INTRA_OK);
    fputs("new", file.stream);
    fflush(file.stream);
    assert_false(intra_path_exists(path));
    assert_int_equal(intra_out_file_commit(&file, NULL), INTRA_OK);
    assert_content(path, "new");
    assert_no_part(path);
    intra_out_file_abandon(&file); /* fine after commit */
    assert_content(path, "new");
}

static void abandoned_file_leaves_the_old_one(void **state)
{
    (void)state;
    struct intra_out_file file, none = {0};
    const char *path = scratch_file("kept.csv", "old");
    assert_int_equal(intra_out_file_open(&file, path, NULL), INTRA_OK);
    fputs("half", file.stream);
    assert_content(path, "old");
    intra_out_file_abandon(&file);
    assert_content(path, "old");
    assert_no_part(path);
    intra_out_file_abandon(&none);
}

/* A part file that stands on a full disk. */
static void put_full_disk_behind(const char *path)
{
    char part[1040];
    intra_part_name(path, part, sizeof part);
    assert_int_equal(symlink("/dev/full", part), 0);
}

static void full_disk_is_reported_and_leaves_nothing(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 4096, 1 << 20}; /* failing in flush and already in write */
    if (access("/dev/full", W_OK) != 0) skip();
    for (int i = 0; i < 3; i++) {
        struct intra_out_file file;
        struct intra_error err = {0};
        const char *path = scratch_file("full.csv", "old");
        put_full_disk_behind(path);
        assert_int_equal(intra_out_file_open(&file, path, &err), INTRA_OK);
        for (size_t n = 0; n < sizes[i]; n++)
            fputc('x', file.stream);
        assert_int_equal(intra_out_file_commit(&file, &err), INTRA_E_IO);
        if (!strstr(err.text, path)) fail_msg("'%s' does not name the path", err.text);
        if (i == 0 && !strstr(err.text, "No space left")) fail_msg("'%s' does not say why", err.text);
        assert_content(path, "old");
        assert_no_part(path);
    }
}

/* The disk was full for a while and is not at commit: what was lost stays lost. */
static void earlier_failed_write_is_remembered(void **state)
{
    (void)state;
    struct intra_out_file file;
    struct intra_error err = {0};
    const char *path = scratch_path("later.csv"), *other = scratch_file("other", "");
    if (access("/dev/full", W_OK) != 0) skip();
    put_full_disk_behind(path);
    assert_int_equal(intra_out_file_open(&file, path, &err), INTRA_OK);
    for (int n = 0; n < 100000; n++)
        fputc('x', file.stream);
    int fd = open(other, O_WRONLY);
    assert_true(fd >= 0 && dup2(fd, fileno(file.stream)) >= 0 && close(fd) == 0);
    assert_int_equal(intra_out_file_commit(&file, &err), INTRA_E_IO);
    assert_non_null(strstr(err.text, path));
    assert_false(intra_path_exists(path));
    assert_no_part(path);
}

static void part_commit_for_libraries_that_write_by_name(void **state)
{
    (void)state;
    struct intra_error err = {0};
    const char *path = scratch_path("map.tif");
    char part[1040];
    intra_part_name(path, part, sizeof part);
    assert_int_equal(intra_part_commit(path, &err), INTRA_E_IO); /* nothing written */
    assert_non_null(strstr(err.text, "map.tif"));
    FILE *f = fopen(part, "wb");
    fputs("tiff", f);
    fclose(f);
    assert_int_equal(intra_part_commit(path, &err), INTRA_OK);
    assert_content(path, "tiff");
    assert_no_part(path);
}

static void places_that_cannot_be_written(void **state)
{
    (void)state;
    struct intra_out_file file;
    struct intra_error err = {0};
    char longer[3000];
    assert_int_equal(intra_out_file_open(&file, "/nowhere/x.csv", &err), INTRA_E_IO);
    assert_non_null(strstr(err.text, "/nowhere/x.csv"));
    intra_out_file_abandon(&file);
    assert_int_equal(intra_out_file_open(&file, scratch_dir, &err), INTRA_E_IO);
    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = 0;
    assert_int_equal(intra_out_file_open(&file, longer, &err), INTRA_E_IO);
    assert_int_equal(intra_part_commit(longer, &err), INTRA_E_IO);
    assert_int_equal(intra_make_dir(longer, &err), INTRA_E_IO);
    assert_int_equal(intra_make_dir("", &err), INTRA_E_ARG);
    assert_int_equal(intra_make_dir(scratch_file("plain", "x"), &err), INTRA_E_IO);
    assert_int_equal(intra_make_dir(scratch_path("plain/under"), &err), INTRA_E_IO);
    assert_non_null(strstr(err.text, "plain"));
    /* Not even root makes folders there; the reason is why not, and not that it is missing. */
    assert_int_equal(intra_make_dir("/sys/intrados-none", &err), INTRA_E_IO);
    assert_null(strstr(err.text, "No such file"));
}

static void reading_is_bounded(void **state)
{
    (void)state;
    struct intra_error err = {0};
    char *data;
    size_t size;
    const char *path = scratch_file("seven", "1234567");
    assert_int_equal(intra_read_file(path, 7, &data, &size, &err), INTRA_OK);
    assert_true(size == 7 && data[7] == 0);
    intra_free(data);
    assert_int_equal(intra_read_file(path, 6, &data, &size, &err), INTRA_E_FORMAT);
    assert_true(data == NULL && strstr(err.text, "seven"));
    assert_int_equal(intra_read_file("/dev/zero", 100000, &data, &size, &err), INTRA_E_FORMAT); /* has no end */
    assert_int_equal(intra_read_file(scratch_dir, 100, &data, &size, &err), INTRA_E_IO);
    assert_int_equal(intra_read_file(scratch_path("none"), 100, &data, &size, &err), INTRA_E_IO);
    assert_int_equal(intra_read_file(scratch_file("empty", ""), 100, &data, &size, &err), INTRA_OK);
    assert_true(size == 0 && data[0] == 0);
    intra_free(data);
    intra_mem_fail_at(1, 0);
    assert_int_equal(intra_read_file(path, 100, &data, &size, &err), INTRA_E_MEM);
    intra_mem_fail_at(0, 0);
}

static void folders_and_names(void **state)
{
    (void)state;
    char path[64];
    struct intra_error err = {0};
    const char *deep = scratch_path("a/b//c/");
    assert_int_equal(intra_make_dir(deep, &err), INTRA_OK);
    assert_int_equal(intra_make_dir(deep, &err), INTRA_OK);
    assert_true(intra_path_is_dir(scratch_path("a/b/c")) && !intra_path_is_dir(scratch_path("a/x")));
    assert_true(intra_path_exists(scratch_path("a")) && !intra_path_exists(scratch_path("nothing")));
    assert_int_equal(intra_path_join(path, sizeof path, "out", "frames.csv", &err), INTRA_OK);
    assert_string_equal(path, "out/frames.csv");
    assert_int_equal(intra_path_join(path, sizeof path, "out/", "frames.csv", &err), INTRA_OK);
    assert_string_equal(path, "out/frames.csv");
    assert_int_equal(intra_path_join(path, 14, "out", "frames.csv", &err), INTRA_E_ARG);
    assert_int_equal(intra_path_join(path, 15, "out", "frames.csv", &err), INTRA_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(file_appears_only_at_commit),
        cmocka_unit_test(abandoned_file_leaves_the_old_one),
        cmocka_unit_test(full_disk_is_reported_and_leaves_nothing),
        cmocka_unit_test(earlier_failed_write_is_remembered),
        cmocka_unit_test(part_commit_for_libraries_that_write_by_name),
        cmocka_unit_test(places_that_cannot_be_written),
        cmocka_unit_test(reading_is_bounded),
        cmocka_unit_test(folders_and_names),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
