/* Proves: against a plain array, random writes and reads with a cache of one to many strips give the same cells; cells
 * never written are zero and cost no memory or disk; strips with a source are fetched once, when asked for; the scratch file leaves nothing behind; a full disk gives
 * INTRA_E_IO with the folder's name (a file size limit, and a small disk where one may be mounted); every failing
 * allocation is reported. Does not prove: use from several threads (raster.h excludes it). */
#include "core/mem.h"
#include "core/raster.h"
#include "scratch.h"

#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static uint64_t seed;

static uint64_t random_bits(void)
{
    uint64_t z = (seed += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static int below(int n)
{
    return (int)(random_bits() % (uint64_t)n);
}

static int count_files(const char *dir)
{
    int n = 0;
    DIR *d = opendir(dir);
    assert_non_null(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n - 2;
}

/* rows x (strips * strip_cols) cells of 3 bytes, driven at random beside a plain array. */
static void against_a_plain_array(int rows, int strip_cols, int cache, int strips)
{
    enum { CELL = 3 };
    struct intra_raster *raster;
    struct intra_error err = {0};
    int cols = strips * strip_cols;
    size_t plain_row = (size_t)cols * CELL;
    uint8_t *plain = calloc((size_t)rows, plain_row), *got = malloc((size_t)rows * plain_row);
    bool *is_written = calloc((size_t)strips, sizeof *is_written);
    if (intra_raster_create(scratch_dir, rows, CELL, strip_cols, cache, &raster, &err) != INTRA_OK)
        fail_msg("%s", err.text);
    assert_int_equal(intra_raster_rows(raster), rows);
    assert_int_equal(intra_raster_strip_cols(raster), strip_cols);
    assert_int_equal(intra_raster_cell_bytes(raster), CELL);
    for (int step = 0; step < 3000; step++) {
        int s = below(strips);
        if (step % 3 == 0) { /* write some cells of a strip; odd strips only, so that unwritten ones remain */
            s |= 1;
            if (s >= strips) continue;
            void *data;
            if (intra_raster_strip(raster, s, &data, &err) != INTRA_OK) fail_msg("%s", err.text);
            is_written[s] = true;
            for (int n = below(10); n > 0; n--) {
                size_t r = (size_t)below(rows), c = (size_t)below(strip_cols) * CELL + (size_t)below(CELL);
                uint8_t v = (uint8_t)random_bits();
                ((uint8_t *)data)[r * (size_t)strip_cols * CELL + c] = v;
                plain[r * plain_row + (size_t)s * (size_t)strip_cols * CELL + c] = v;
            }
        } else if (step % 3 == 1) {
            const void *data;
            assert_int_equal(intra_raster_peek(raster, s, &data, &err), INTRA_OK);
            assert_int_equal(data != NULL, is_written[s]);
            for (int r = 0; data && r < rows; r++)
                assert_memory_equal((const uint8_t *)data + (size_t)r * (size_t)strip_cols * CELL,
                                    plain + (size_t)r * plain_row + (size_t)s * (size_t)strip_cols * CELL,
                                    (size_t)strip_cols * CELL);
        } else {
            int from = below(cols), n = below(cols - from + 1);
            assert_int_equal(intra_raster_read(raster, from, n, got, &err), INTRA_OK);
            for (int r = 0; n > 0 && r < rows; r++)
                assert_memory_equal(got + (size_t)r * (size_t)n * CELL,
                                    plain + (size_t)r * plain_row + (size_t)from * CELL, (size_t)n * CELL);
        }
    }
    intra_raster_destroy(&raster);
    assert_null(raster);
    intra_raster_destroy(&raster);
    free(plain);
    free(got);
    free(is_written);
}

static void random_access_equals_a_plain_array(void **state)
{
    (void)state;
    static const int caches[] = {1, 2, 3, 7, 50};
    for (int i = 0; i < 5; i++) {
        seed = 77 + (uint64_t)i;
        against_a_plain_array(5, 4, caches[i], 20);
        against_a_plain_array(1, 1, caches[i], 33);
        against_a_plain_array(64, 16, caches[i], 9);
    }
}

/* The promise of raster.h: a pointer stays good for cache_strips - 1 other strips. */
static void pointers_stay_good_while_promised(void **state)
{
    (void)state;
    struct intra_raster *raster;
    void *p[4];
    assert_int_equal(intra_raster_create(scratch_dir, 2, 1, 2, 4, &raster, NULL), INTRA_OK);
    for (int round = 0; round < 5; round++)
        for (int i = 0; i < 4; i++) {
            assert_int_equal(intra_raster_strip(raster, 4 * round + i, &p[i], NULL), INTRA_OK);
            memset(p[i], 16 * round + i, 4);
            for (int j = 0; j <= i; j++)
                assert_int_equal(*(uint8_t *)p[j], 16 * round + j);
        }
    for (int round = 0; round < 5; round++)
        for (int i = 0; i < 4; i++) {
            const void *q;
            assert_int_equal(intra_raster_peek(raster, 4 * round + i, &q, NULL), INTRA_OK);
            for (int b = 0; b < 4; b++)
                assert_int_equal(((const uint8_t *)q)[b], 16 * round + i);
        }
    intra_raster_destroy(&raster);
}

static void unwritten_cells_are_zero_and_nothing_is_left(void **state)
{
    (void)state;
    struct intra_raster *raster;
    uint8_t out[4 * 10];
    const void *strip = out;
    void *data;
    int before = count_files(scratch_dir);
    assert_int_equal(intra_raster_create(scratch_dir, 4, 1, 8, 2, &raster, NULL), INTRA_OK);
    assert_int_equal(count_files(scratch_dir), before); /* unlinked at once */
    memset(out, 7, sizeof out);
    assert_int_equal(intra_raster_read(raster, 123456789, 10, out, NULL), INTRA_OK);
    for (size_t i = 0; i < sizeof out; i++)
        assert_int_equal(out[i], 0);
    assert_int_equal(intra_raster_peek(raster, INT64_MAX / 64, &strip, NULL), INTRA_OK);
    assert_null(strip);
    /* a strip dropped from a cache that held other cells comes back as itself, not as the slot's old content */
    for (int i = 0; i < 6; i++) {
        assert_int_equal(intra_raster_strip(raster, 2 * i, &data, NULL), INTRA_OK);
        memset(data, 0xee, 32);
    }
    assert_int_equal(intra_raster_strip(raster, 3, &data, NULL), INTRA_OK);
    for (int i = 0; i < 32; i++)
        assert_int_equal(((uint8_t *)data)[i], 0);
    intra_raster_destroy(&raster);
}

/* A source of strips 2 to 5 that counts, and fails once for strip 4. */
struct counted {
    int fetched[8], closed;
    bool is_failing;
};

static enum intra_status fetch_counted(void *user, int64_t index, void *cells, struct intra_error *err)
{
    struct counted *c = user;
    assert_in_range(index, 2, 5);
    for (int i = 0; i < 4 * 8; i++)
        assert_int_equal(((uint8_t *)cells)[i], 0);
    c->fetched[index]++;
    if (index == 4 && c->is_failing) return INTRA_FAIL(err, INTRA_E_FORMAT, "strip 4 is damaged");
    memset(cells, 10 * (int)index, 4 * 8);
    return INTRA_OK;
}

static void close_counted(void *user)
{
    ((struct counted *)user)->closed++;
}

static void strips_are_fetched_once_and_only_when_asked_for(void **state)
{
    (void)state;
    struct intra_raster *raster;
    struct counted c = {.is_failing = true};
    struct intra_error err = {0};
    const struct intra_raster_source source = {fetch_counted, close_counted, &c, 2, 6};
    uint8_t out[4 * 12];
    const void *peek;
    void *data;
    assert_int_equal(intra_raster_create(scratch_dir, 4, 1, 8, 2, &raster, NULL), INTRA_OK);
    intra_raster_set_source(raster, &source);
    assert_int_equal(intra_raster_peek(raster, 1, &peek, NULL), INTRA_OK); /* before the first */
    assert_null(peek);
    assert_int_equal(intra_raster_peek(raster, 6, &peek, NULL), INTRA_OK); /* behind the last */
    assert_null(peek);
    assert_int_equal(intra_raster_read(raster, 12, 12, out, NULL), INTRA_OK); /* half of strip 1, strip 2 */
    for (int i = 0; i < 4 * 12; i++)
        assert_int_equal(out[i], i % 12 < 4 ? 0 : 20);
    assert_int_equal(c.fetched[3] + c.fetched[4] + c.fetched[5], 0);
    assert_int_equal(intra_raster_peek(raster, 4, &peek, &err), INTRA_E_FORMAT);
    assert_null(peek);
    assert_non_null(strstr(err.text, "strip 4 is damaged"));
    c.is_failing = false;
    for (int round = 0; round < 3; round++) /* two strips in memory: each leaves it in every round */
        for (int i = 2; i < 6; i++) {
            assert_int_equal(intra_raster_strip(raster, i, &data, NULL), INTRA_OK);
            assert_int_equal(((uint8_t *)data)[0], 10 * i);
            assert_int_equal(((uint8_t *)data)[31], 10 * i + round);
            ((uint8_t *)data)[31]++; /* what is written over it stays */
        }
    assert_int_equal(c.fetched[2], 1);
    assert_int_equal(c.fetched[3], 1);
    assert_int_equal(c.fetched[4], 2);
    assert_int_equal(c.fetched[5], 1);
    assert_int_equal(c.closed, 0);
    intra_raster_destroy(&raster);
    assert_int_equal(c.closed, 1);
}

static void senseless_arguments(void **state)
{
    (void)state;
    struct intra_raster *raster;
    struct intra_error err = {0};
    const void *peek;
    void *data;
    uint8_t out[8];
    assert_int_equal(intra_raster_create(scratch_dir, 0, 1, 8, 2, &raster, &err), INTRA_E_ARG);
    assert_int_equal(intra_raster_create(scratch_dir, 2147483647, SIZE_MAX / 4, 2147483647, 2, &raster, &err),
                     INTRA_E_ARG);
    assert_int_equal(intra_raster_create(scratch_dir, 4, 1, 8, 0, &raster, &err), INTRA_E_ARG);
    assert_null(raster);
    assert_int_equal(intra_raster_create("/nowhere", 4, 1, 8, 2, &raster, &err), INTRA_E_IO);
    assert_non_null(strstr(err.text, "/nowhere"));
    assert_int_equal(intra_raster_create(scratch_dir, 1, 1, 8, 2, &raster, &err), INTRA_OK);
    assert_int_equal(intra_raster_strip(raster, -1, &data, &err), INTRA_E_ARG);
    assert_int_equal(intra_raster_peek(raster, -1, &peek, &err), INTRA_E_ARG);
    assert_int_equal(intra_raster_read(raster, -1, 4, out, &err), INTRA_E_ARG);
    assert_int_equal(intra_raster_read(raster, 0, -4, out, &err), INTRA_E_ARG);
    intra_raster_destroy(&raster);
}

/* Write until it fails; then what is in memory must still be readable and changeable. */
static void fill_up(const char *dir, const char *reason)
{
    struct intra_raster *raster;
    struct intra_error err = {0};
    enum intra_status status = INTRA_OK;
    void *data;
    assert_int_equal(intra_raster_create(dir, 64, 4, 256, 3, &raster, &err), INTRA_OK);
    int64_t i = 0;
    for (; i < 1000 && status == INTRA_OK; i++) {
        status = intra_raster_strip(raster, i, &data, &err);
        if (status == INTRA_OK) memset(data, (int)i, 64 * 4 * 256);
    }
    assert_int_equal(status, INTRA_E_IO);
    assert_null(data);
    if (!strstr(err.text, dir) || !strstr(err.text, reason))
        fail_msg("'%s' names not %s and '%s'", err.text, dir, reason);
    for (int64_t k = i - 4; k < i - 1; k++) { /* the last three are in the cache */
        assert_int_equal(intra_raster_strip(raster, k, &data, &err), INTRA_OK);
        assert_int_equal(*(uint8_t *)data, (uint8_t)k);
    }
    intra_raster_destroy(&raster);
}

/* The file size limit of the process makes the disk end at 1 MB, for any user. */
static void file_size_limit_is_reported(void **state)
{
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        struct rlimit limit = {1 << 20, 1 << 20};
        signal(SIGXFSZ, SIG_IGN);
        if (setrlimit(RLIMIT_FSIZE, &limit) != 0) _exit(3);
        fill_up(scratch_dir, "too large");
        _exit(0);
    }
    int result;
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_true(WIFEXITED(result) && WEXITSTATUS(result) == 0);
}

static void full_disk_is_reported(void **state)
{
    (void)state;
    const char *dir = scratch_path("tiny");
    assert_int_equal(mkdir(dir, 0700), 0);
    if (mount("none", dir, "tmpfs", 0, "size=1m") != 0) {
        print_message("may not mount a small disk here: not checked\n");
        skip();
    }
    fill_up(dir, "No space left");
    assert_int_equal(umount(dir), 0);
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    int failed = 0;
    for (long n = 1;; n++) {
        struct intra_raster *raster = NULL;
        enum intra_status status;
        void *data;
        intra_mem_fail_at(n, 0);
        status = intra_raster_create(scratch_dir, 4, 1, 8, 2, &raster, NULL);
        for (int64_t i = 0; status == INTRA_OK && i < 40; i += 13)
            status = intra_raster_strip(raster, i, &data, NULL);
        intra_mem_fail_at(0, 0);
        if (status == INTRA_OK) {
            intra_raster_destroy(&raster);
            break;
        }
        failed++;
        assert_int_equal(status, INTRA_E_MEM);
        if (raster) { /* goes on where memory came back */
            for (int64_t i = 0; i < 40; i += 13)
                assert_int_equal(intra_raster_strip(raster, i, &data, NULL), INTRA_OK);
        }
        intra_raster_destroy(&raster);
    }
    assert_true(failed >= 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_access_equals_a_plain_array),
        cmocka_unit_test(pointers_stay_good_while_promised),
        cmocka_unit_test(unwritten_cells_are_zero_and_nothing_is_left),
        cmocka_unit_test(strips_are_fetched_once_and_only_when_asked_for),
        cmocka_unit_test(senseless_arguments),
        cmocka_unit_test(file_size_limit_is_reported),
        cmocka_unit_test(full_disk_is_reported),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
