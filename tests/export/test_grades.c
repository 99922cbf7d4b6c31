/* Proves: codes get the grades of the table and no others; an imported grade stays beside the computed one; doing it
 * twice does not count twice; ratings, index and quick rating as worked out by hand, with the letters for ten and more;
 * a user's table replaces ours and a broken one is refused by line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "export/grades.h"

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct intra_inspection *make(struct intra_record *record, const char *const *codes, int n)
{
    struct intra_inspection *p;
    intra_record_init(record);
    assert_int_equal(intra_record_add_inspection(record, &p, NULL), INTRA_OK);
    for (int i = 0; i < n; i++) {
        struct intra_observation *o;
        assert_int_equal(intra_inspection_add_observation(p, &o, NULL), INTRA_OK);
        assert_int_equal(intra_text_set(&o->code, codes[i], NULL), INTRA_OK);
        o->system = INTRA_CODES_PACP;
    }
    return p;
}

static void grades_and_ratings_by_hand(void **state)
{
    static const char *const codes[] = {"FM", "CL", "CL", "VR", "MWL", "TF", "B", "X"};
    struct intra_record record;
    struct intra_inspection *p = make(&record, codes, 8);
    (void)state;
    p->observations[0].grades[p->observations[0].n_grades++] =
        (struct intra_grade){INTRA_SCALE_PACP, INTRA_ASPECT_STRUCTURAL, 3, false};
    for (int twice = 0; twice < 2; twice++)
        assert_int_equal(intra_grades_apply(p, NULL, NULL), INTRA_OK);
    assert_int_equal(p->observations[0].n_grades, 2);
    assert_float_equal(p->observations[0].grades[0].value, 3, 0);
    assert_float_equal(p->observations[0].grades[1].value, 4, 0);
    assert_int_equal(p->observations[3].grades[0].aspect, INTRA_ASPECT_OPERATION);
    assert_int_equal(p->observations[4].n_grades, 0);
    struct intra_ratings r = intra_grades_rate(p);
    assert_float_equal(r.structural.rating, 4 + 2 + 2 + 5, 0); /* X is 5 */
    assert_float_equal(r.structural.index, 13.0 / 4, 1e-12);
    assert_string_equal(r.structural.quick, "5141");
    assert_string_equal(r.om.quick, "2100");
    assert_float_equal(r.overall.rating, 15, 0);
    assert_int_equal(r.n_unknown, 1); /* B depends on its clock span */
    intra_record_fini(&record);
}

static void quick_rating_letters(void **state)
{
    const char *codes[17];
    struct intra_record record;
    (void)state;
    for (int i = 0; i < 17; i++)
        codes[i] = i < 12 ? "CL" : "CC";
    struct intra_inspection *p = make(&record, codes, 17);
    struct intra_ratings r = intra_grades_rate(p);
    assert_string_equal(r.overall.quick, "0000");
    assert_true(isnan(r.overall.index));
    assert_int_equal(intra_grades_apply(p, NULL, NULL), INTRA_OK);
    r = intra_grades_rate(p);
    assert_string_equal(r.structural.quick, "2A15");
    intra_record_fini(&record);
}

static void table_of_the_user(void **state)
{
    static const char *const codes[] = {"CL", "ZZ"};
    struct intra_record record;
    struct intra_inspection *p = make(&record, codes, 2);
    struct intra_error err = {0};
    char path[] = "/tmp/grades-XXXXXX";
    int fd = mkstemp(path);
    (void)state;
    assert_true(fd >= 0);
    FILE *f = fdopen(fd, "w");
    assert_non_null(f);
    fprintf(f, "# ours\r\nZZ\t\t5\r\n");
    assert_int_equal(fclose(f), 0);
    assert_int_equal(intra_grades_apply(p, path, NULL), INTRA_OK);
    assert_int_equal(p->observations[0].n_grades, 0);
    assert_float_equal(p->observations[1].grades[0].value, 5, 0);
    f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f, "CL\t2\t\nCC\t7\t\n");
    assert_int_equal(fclose(f), 0);
    assert_int_equal(intra_grades_apply(p, path, &err), INTRA_E_FORMAT);
    assert_non_null(strstr(err.text, "line 2"));
    assert_int_equal(intra_grades_apply(p, "/nonexistent", &err), INTRA_E_IO);
    unlink(path);
    intra_record_fini(&record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(grades_and_ratings_by_hand),
                                       cmocka_unit_test(quick_rating_letters), cmocka_unit_test(table_of_the_user)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
