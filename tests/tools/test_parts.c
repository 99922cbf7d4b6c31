/* Proves: the small parts behind the commands, each against what it must give: tables, JSON text, sizes, hints,
 * statistics, alignment of point sets, block matching. Does not prove: the commands (the other tests here run the real
 * program). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/mem.h"
#include "tools/evaluate.h"
#include "tools/json.h"
#include "tools/match.h"
#include "tools/options.h"
#include "tools/sizes.h"
#include "tools/stats.h"
#include "tools/table.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void read_table(const char *text, struct intra_table *table, enum intra_status want)
{
    char path[] = "/tmp/intrados-table-XXXXXX";
    int fd = mkstemp(path);
    struct intra_error err = {0};
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    assert_int_equal(intra_table_read(path, table, &err), want);
    if (want != INTRA_OK) assert_non_null(strstr(err.text, path));
    unlink(path);
}

static void table_cells(void **state)
{
    struct intra_table t;
    (void)state;
    read_table("a,b,\"c, d\"\r\n1,,x\r\n\r\n\"say \"\"hi\"\"\n2\",-2.5e1,\n7,8,9", &t, INTRA_OK);
    assert_int_equal(t.n_cols, 3);
    assert_int_equal(t.n_rows, 3);
    assert_int_equal(intra_table_find(&t, "c, d"), 2);
    assert_int_equal(intra_table_find(&t, "c"), -1);
    assert_true(intra_table_number(&t, 0, 0) == 1);
    assert_true(isnan(intra_table_number(&t, 0, 1)));
    assert_true(isnan(intra_table_number(&t, 0, 2)));
    assert_string_equal(intra_table_text(&t, 1, 0), "say \"hi\"\n2");
    assert_true(intra_table_number(&t, 1, 1) == -25);
    assert_string_equal(intra_table_text(&t, 1, 2), "");
    assert_true(intra_table_number(&t, 2, 2) == 9);
    assert_string_equal(intra_table_text(&t, 3, 0), "");
    assert_string_equal(intra_table_text(&t, 0, -1), "");
    intra_table_fini(&t);
}

static void table_refusals(void **state)
{
    struct intra_table t;
    (void)state;
    read_table("", &t, INTRA_E_FORMAT);
    read_table("a,b\n1,2,3\n", &t, INTRA_E_FORMAT);
    read_table("a,b\n1,2\n3\n4,5\n", &t, INTRA_E_FORMAT);
    read_table("a,b\n1,2\n3", &t, INTRA_E_FORMAT); /* cut off */
    read_table("a\n\"never closed", &t, INTRA_OK);
    assert_string_equal(intra_table_text(&t, 0, 0), "never closed");
    intra_table_fini(&t);
    assert_int_equal(intra_table_read("/nowhere/at/all.csv", &t, NULL), INTRA_E_IO);
}

/* Whatever bytes go in, JSON comes out, and what was text is the same text. */
static void json_takes_any_bytes(void **state)
{
    static const char *const texts[] = {"plain", "a \"b\" \\ / \n\t\x01\x7f", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"};
    static const char *const broken[] = {
        "\xff\xfe", "\xc3", "\xe2\x82", "\xed\xa0\x80", "\xc0\x80", "\xf5\x80\x80\x80", "\xf0\x80\x80\x80", "\x80x"};
    char *out = NULL;
    size_t size = 0;
    struct intra_json json = {.stream = open_memstream(&out, &size), .is_pretty = true};
    json_t *root;
    (void)state;
    intra_json_open(&json, NULL, '{');
    for (int i = 0; i < 3; i++)
        intra_json_text(&json, texts[i], texts[i]);
    intra_json_open(&json, "broken", '[');
    for (int i = 0; i < 8; i++)
        intra_json_text(&json, NULL, broken[i]);
    intra_json_close(&json, ']');
    intra_json_number(&json, "nan", NAN);
    intra_json_number(&json, "inf", INFINITY);
    intra_json_number(&json, "third", 1.0 / 3);
    intra_json_integer(&json, "big", INT64_MIN);
    intra_json_bool(&json, "yes", true);
    intra_json_text(&json, "none", NULL);
    intra_json_open(&json, "empty", '{');
    intra_json_close(&json, '}');
    intra_json_close(&json, '}');
    fclose(json.stream);
    root = json_loads(out, 0, NULL);
    if (!root) fail_msg("not JSON: %s", out);
    for (int i = 0; i < 3; i++)
        assert_string_equal(json_string_value(json_object_get(root, texts[i])), texts[i]);
    assert_int_equal(json_array_size(json_object_get(root, "broken")), 8);
    assert_true(json_is_null(json_object_get(root, "nan")) && json_is_null(json_object_get(root, "inf")));
    assert_true(fabs(json_real_value(json_object_get(root, "third")) - 1.0 / 3) < 1e-9);
    assert_true(json_integer_value(json_object_get(root, "big")) == INT64_MIN);
    assert_true(json_is_null(json_object_get(root, "none")));
    assert_int_equal(json_object_size(json_object_get(root, "empty")), 0);
    json_decref(root);
    free(out);
}

static void sizes(void **state)
{
    static const struct {
        const char *text;
        size_t bytes; /* 0: refused */
    } cases[] = {{"25MB", 25000000}, {"1.5GB", 1500000000}, {"800kB", 800000}, {"25", 0},    {"25mb", 0}, {"MB", 0},
                 {"-1MB", 0},        {"99kB", 0},           {"101GB", 0},      {"nanMB", 0}, {"", 0},     {"25 MB", 0}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct intra_error err = {0};
        size_t bytes = 0;
        enum intra_status status = intra_parse_size("--max-size", cases[i].text, &bytes, &err);
        assert_int_equal(status, cases[i].bytes ? INTRA_OK : INTRA_E_ARG);
        assert_true(bytes == cases[i].bytes);
        if (!cases[i].bytes) assert_non_null(strstr(err.text, "25MB"));
    }
}

static void nearest_words(void **state)
{
    static const char *const words[] = {"diameter", "hfov", "force", "from", "to"};
    (void)state;
    assert_string_equal(intra_nearest_word("diamter", words, 5), "diameter");
    assert_string_equal(intra_nearest_word("daimeter", words, 5), "diameter");
    assert_string_equal(intra_nearest_word("form", words, 5), "from");
    assert_string_equal(intra_nearest_word("dia", words, 5), "diameter");
    assert_null(intra_nearest_word("xyzzy", words, 5));
    assert_null(intra_nearest_word("", words, 4));
    assert_null(intra_nearest_word("a-word-that-is-much-longer-than-any-option-could-be-in-here", words, 5));
}

static void statistics(void **state)
{
    double odd[] = {5, 1, 3}, even[] = {4, 1, 3, 2}, many[101];
    (void)state;
    for (int i = 0; i <= 100; i++)
        many[i] = 100 - i;
    assert_true(intra_stats_median(odd, 3) == 3);
    assert_true(intra_stats_median(even, 4) == 2.5);
    assert_true(fabs(intra_stats_percentile(many, 101, 0.95) - 95) < 1e-12);
    assert_true(intra_stats_percentile(many, 101, 1) == 100);
    assert_true(fabs(intra_stats_rms(even, 4) - sqrt(30 / 4.0)) < 1e-12);
    assert_true(intra_stats_mean(even, 4) == 2.5);
    assert_true(isnan(intra_stats_median(odd, 0)) && isnan(intra_stats_rms(odd, 0)) && isnan(intra_stats_mean(odd, 0)));
}

static double noise(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (double)(*seed >> 11) / 9007199254740992.0 - 0.5;
}

static double largest_residual(const struct intra_similarity *a, const struct intra_vec3 *from,
                               const struct intra_vec3 *to, int n)
{
    double worst = 0;
    for (int i = 0; i < n; i++) {
        struct intra_vec3 p = intra_add(intra_scale(intra_mat3_mul_vec(&a->r, from[i]), a->scale), a->t);
        worst = fmax(worst, intra_norm(intra_sub(p, to[i])));
    }
    return worst;
}

/* Any rotation, half a turn included; points in space, in a plane, and on a line (where the turn about it is free). */
static void alignment_is_found(void **state)
{
    uint64_t seed = 5;
    (void)state;
    for (int round = 0; round < 300; round++) {
        struct intra_vec3 from[20], to[20], axis = intra_unit(intra_vec3(noise(&seed), noise(&seed), noise(&seed)));
        struct intra_mat3 r = intra_rotation_exp(intra_scale(axis, round % 10 == 0 ? M_PI : 6 * noise(&seed)));
        struct intra_vec3 t = intra_vec3(10 * noise(&seed), noise(&seed), noise(&seed));
        double scale = round % 2 ? 1 : 1 + noise(&seed);
        struct intra_similarity a;
        for (int i = 0; i < 20; i++) {
            from[i] = intra_vec3(noise(&seed) * 5, round % 3 ? noise(&seed) : 0, round % 3 == 2 ? noise(&seed) : 0);
            to[i] = intra_add(intra_scale(intra_mat3_mul_vec(&r, from[i]), scale), t);
        }
        a = intra_eval_align(from, to, 20, round % 2 == 0);
        if (largest_residual(&a, from, to, 20) > 1e-9)
            fail_msg("round %d: residual %g", round, largest_residual(&a, from, to, 20));
        if (round % 2 == 0) assert_true(fabs(a.scale - scale) < 1e-10);
    }
}

/* With noise no other alignment near it is better. */
static void alignment_is_the_least(void **state)
{
    uint64_t seed = 9;
    struct intra_vec3 from[50], to[50];
    struct intra_similarity a;
    double best = 0;
    (void)state;
    for (int i = 0; i < 50; i++) {
        from[i] = intra_vec3(noise(&seed) * 5, noise(&seed), noise(&seed));
        to[i] = intra_add(intra_scale(from[i], 1.3), intra_vec3(noise(&seed), noise(&seed), noise(&seed)));
    }
    a = intra_eval_align(from, to, 50, true);
    for (int k = -1; k < 14; k++) {
        struct intra_similarity b = a;
        double step = k % 2 ? 1e-3 : -1e-3, sum = 0;
        struct intra_vec3 w = {0, 0, 0}, shift = {0, 0, 0};
        if (k >= 0)
            *(k / 2 < 3    ? (k / 2 == 0   ? &w.x
                              : k / 2 == 1 ? &w.y
                                           : &w.z)
              : k / 2 == 3 ? &shift.x
              : k / 2 == 4 ? &shift.y
                           : &shift.z) = step;
        if (k >= 12) {
            shift = intra_vec3(0, 0, 0);
            b.scale += step;
        }
        struct intra_mat3 turn = intra_rotation_exp(w);
        b.r = intra_mat3_mul(&turn, &a.r);
        b.t = intra_add(b.t, shift);
        for (int i = 0; i < 50; i++) {
            struct intra_vec3 p = intra_add(intra_scale(intra_mat3_mul_vec(&b.r, from[i]), b.scale), b.t),
                              d = intra_sub(p, to[i]);
            sum += intra_dot(d, d);
        }
        if (k < 0)
            best = sum;
        else
            assert_true(sum > best);
    }
}

enum { ROWS = 90, COLS = 120 };

static void fill_image(struct intra_match_image *image, double d_row, double d_col)
{
    image->rows = ROWS;
    image->cols = COLS;
    image->grey = intra_alloc(ROWS * COLS, sizeof(float));
    image->seen = intra_alloc(ROWS * COLS, 1);
    for (int r = 0; r < ROWS; r++) {
        for (int c = 0; c < COLS; c++) {
            double y = 2 * M_PI * (r - d_row) / ROWS, x = c - d_col; /* periodic around */
            image->grey[r * COLS + c] = (float)(100 + 20 * sin(7 * y + 0.31 * x) + 15 * cos(11 * y - 0.43 * x) +
                                                12 * sin(5 * y) * cos(0.77 * x + 1) + 9 * cos(13 * y + 0.1 * x));
            image->seen[r * COLS + c] = 1;
        }
    }
}

static void fini_image(struct intra_match_image *image)
{
    intra_free(image->grey);
    intra_free(image->seen);
}

/* Fractions of a cell, also where the block lies over the seam of the rows. */
static void match_finds_fractions(void **state)
{
    static const double shifts[][2] = {{0, 0}, {2.25, -3.5}, {-4.6, 1.3}, {0.5, 0.5}};
    (void)state;
    for (size_t i = 0; i < sizeof shifts / sizeof shifts[0]; i++) {
        struct intra_match_image from, to;
        fill_image(&from, 0, 0);
        fill_image(&to, shifts[i][0], shifts[i][1]);
        for (int row = 0; row < ROWS; row += 17) {
            struct intra_match m = intra_match_block(&from, &to, row, 40, 32, 0, 0, 8, 3);
            assert_true(m.is_inside);
            assert_true(fabs(m.d_row - shifts[i][0]) < 0.1 && fabs(m.d_col - shifts[i][1]) < 0.1);
            assert_true(m.correlation > 0.9 && m.second < m.correlation);
        }
        fini_image(&from);
        fini_image(&to);
    }
}

/* Brightness and contrast do not matter; the edge of the search and of the image are told. */
static void match_ignores_light(void **state)
{
    struct intra_match_image from, to;
    struct intra_match m;
    (void)state;
    fill_image(&from, 0, 0);
    fill_image(&to, 3, 0);
    for (int i = 0; i < ROWS * COLS; i++)
        to.grey[i] = 0.3f * to.grey[i] + 50;
    m = intra_match_block(&from, &to, 10, 40, 32, 0, 0, 8, 3);
    assert_true(fabs(m.d_row - 3) < 0.05 && m.correlation > 0.999);
    m = intra_match_block(&from, &to, 10, 40, 32, 0, 0, 3, 3);
    assert_false(m.is_inside);
    m = intra_match_block(&from, &to, 10, 2, 32, 0, 0, 8, 3); /* part of the search is off the image */
    assert_true(fabs(m.d_row - 3) < 0.05);
    fini_image(&from);
    fini_image(&to);
}

static void bandpass_takes_out_slow_light(void **state)
{
    struct intra_match_image image;
    float *scratch = intra_alloc(4 * ROWS * COLS, sizeof(float));
    double before, after;
    (void)state;
    fill_image(&image, 0, 0);
    for (int i = 0; i < ROWS * COLS; i++)
        image.grey[i] = 100 + (float)(i % COLS); /* a ramp along */
    image.seen[30 * COLS + 60] = 0;
    image.grey[30 * COLS + 60] = 10000; /* what is not seen does not count */
    before = intra_match_contrast(&image, 60, 40, 30);
    intra_match_bandpass(&image, 1, 6, scratch);
    after = intra_match_contrast(&image, 20, 45, 30);
    assert_true(before > 5);
    assert_true(after < 0.1);
    assert_true(intra_match_seen(&image, 20, 45, 30) < 1);
    assert_true(image.grey[30 * COLS + 60] == 0);
    fini_image(&image);
    intra_free(scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_cells),
        cmocka_unit_test(table_refusals),
        cmocka_unit_test(json_takes_any_bytes),
        cmocka_unit_test(sizes),
        cmocka_unit_test(nearest_words),
        cmocka_unit_test(statistics),
        cmocka_unit_test(alignment_is_found),
        cmocka_unit_test(alignment_is_the_least),
        cmocka_unit_test(match_finds_fractions),
        cmocka_unit_test(match_ignores_light),
        cmocka_unit_test(bandpass_takes_out_slow_light),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
