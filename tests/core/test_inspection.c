/* Proves: lists of an inspection record grow and are freed (under ASan), what is not said is unknown, clock hours and
 * severities convert. Does not prove: any file format. */
#include "core/inspection.h"

#include "core/mem.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void lists_grow_and_are_freed(void **state)
{
    struct intra_record record;
    struct intra_inspection *inspection;
    (void)state;
    intra_record_init(&record);
    for (int i = 0; i < 20; i++)
        assert_int_equal(intra_record_add_inspection(&record, &inspection, NULL), INTRA_OK);
    for (int i = 0; i < 100; i++) {
        struct intra_observation *o;
        struct intra_frame_region *region;
        assert_int_equal(intra_inspection_add_observation(inspection, &o, NULL), INTRA_OK);
        assert_true(isnan(o->distance_m) && isnan(o->clock_from_rad) && isnan(o->extent.width_m) && o->frame == -1);
        assert_int_equal(intra_text_set(&o->code, "BAB", NULL), INTRA_OK);
        assert_int_equal(intra_fields_add(&o->source, "Station", "5,20", NULL), INTRA_OK);
        assert_int_equal(intra_observation_add_media(o, INTRA_MEDIA_PICTURE, "a.jpg", NULL, NULL), INTRA_OK);
        assert_int_equal(intra_observation_add_region(o, &region, NULL), INTRA_OK);
        assert_string_equal(intra_fields_get(&o->source, "STATION"), "5,20");
        assert_null(intra_fields_get(&o->source, "Code"));
    }
    assert_int_equal(record.inspections[19].n_observations, 100);
    intra_record_fini(&record);
    assert_int_equal(record.n_inspections, 0);
}

static void grades_are_bounded(void **state)
{
    struct intra_record record;
    struct intra_inspection *inspection;
    struct intra_observation *o;
    struct intra_error err;
    (void)state;
    intra_record_init(&record);
    assert_int_equal(intra_record_add_inspection(&record, &inspection, NULL), INTRA_OK);
    assert_int_equal(intra_inspection_add_observation(inspection, &o, NULL), INTRA_OK);
    for (int i = 0; i < INTRA_MAX_GRADES; i++)
        assert_int_equal(intra_observation_add_grade(o, (struct intra_grade){.value = i}, &err), INTRA_OK);
    assert_int_equal(intra_observation_add_grade(o, (struct intra_grade){0}, &err), INTRA_E_ARG);
    intra_record_fini(&record);
}

static void severity_knows_the_direction(void **state)
{
    (void)state;
    assert_float_equal(intra_grade_severity(INTRA_SCALE_PACP, 5), 1, 0);
    assert_float_equal(intra_grade_severity(INTRA_SCALE_DWA, 5), 0, 0);
    assert_float_equal(intra_grade_severity(INTRA_SCALE_DWA, 0), 1, 0);
    assert_float_equal(intra_grade_severity(INTRA_SCALE_VSA, 2), 0.5, 1e-12);
    assert_true(isnan(intra_grade_severity(INTRA_SCALE_OTHER, 3)));
    assert_true(isnan(intra_grade_severity(INTRA_SCALE_PACP, NAN)));
}

static void clock_there_and_back(void **state)
{
    (void)state;
    for (double h = 0.5; h <= 12; h += 0.5)
        assert_float_equal(intra_clock_to_hours(intra_clock_from_hours(h)), h, 1e-9);
    assert_float_equal(intra_clock_from_hours(12), 0, 0);
    assert_float_equal(intra_clock_from_hours(3), M_PI / 2, 1e-12);
    assert_float_equal(intra_clock_to_hours(0), 12, 0);
    assert_true(isnan(intra_clock_to_hours(NAN)));
}

static void every_format_has_a_name(void **state)
{
    (void)state;
    for (int i = 0; i < INTRA_RECORD_N_FORMATS; i++)
        assert_string_not_equal(intra_record_format_name((enum intra_record_format)i), "unknown");
    assert_string_equal(intra_record_format_name(INTRA_RECORD_SEWERAI), "sewerai");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(lists_grow_and_are_freed), cmocka_unit_test(grades_are_bounded),
                                       cmocka_unit_test(severity_knows_the_direction),
                                       cmocka_unit_test(clock_there_and_back),
                                       cmocka_unit_test(every_format_has_a_name)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
