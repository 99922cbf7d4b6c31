/* Proves: places found on the wall go into the distances and clock positions of a record and out in every format that
 * is written, read back there as expected, with and against the model, with an offset and one row that went by time;
 * rows that overtake change places; verbatim rows and what was not found stay; spans within an hour become one
 * position; a detection without a distance gets one; pieces of one defect stay. Does not prove: that the places are
 * right (tests/recon). */
#include "export/record.h"

#include "core/scratch.h"
#include "export/record_same.h"

#include <stdlib.h>
#include <sys/stat.h>

static const double OFFSET_M = 0.4;

static double rad(double hours)
{
    return intra_clock_from_hours(hours);
}

/* Regions as recon/locate has them: in stations of the model, clock as the model sees it. */
static struct intra_wall_region region(double from, double to, double from_h, double to_h, int sign)
{
    struct intra_wall_region r = {.station_sd_m = 0.005, .clock_sd_rad = 0.01};
    double a = OFFSET_M + sign * from, b = OFFSET_M + sign * to;
    r.station_from_m = fmin(a, b);
    r.station_to_m = fmax(a, b);
    if (to_h - from_h >= 12) {
        r.clock_from_rad = 0;
        r.clock_to_rad = 2 * M_PI;
    } else {
        r.clock_from_rad = sign > 0 ? rad(from_h) : fmod(2 * M_PI - rad(to_h), 2 * M_PI);
        r.clock_to_rad = sign > 0 ? rad(to_h) : fmod(2 * M_PI - rad(from_h), 2 * M_PI);
    }
    return r;
}

static void put_recorded(struct intra_observation *o, int sign)
{
    double to = isfinite(o->distance_to_m) ? o->distance_to_m : o->distance_m;
    double a = isfinite(o->clock_from_rad) ? intra_clock_to_hours(o->clock_from_rad) : 0, b = a;
    if (isfinite(o->clock_to_rad)) b = intra_clock_to_hours(o->clock_to_rad);
    if (!isfinite(o->clock_from_rad) || o->clock_to_rad - o->clock_from_rad > 6.28) a = 0, b = 12;
    o->place.is_placed = true;
    o->place.recorded = o->place.refined = region(o->distance_m, to, a, b, sign);
}

static void put_refined(struct intra_observation *o, double from, double to, double from_h, double to_h, int sign)
{
    o->place.is_refined = true;
    o->place.refined = region(from, to, from_h, to_h, sign);
}

static struct intra_observation *with_code(struct intra_record *r, const char *en, const char *pacp)
{
    struct intra_inspection *p = &r->inspections[0];
    for (int64_t k = 0; k < p->n_observations; k++)
        if (strcmp(p->observations[k].code, en) == 0 || strcmp(p->observations[k].code, pacp) == 0)
            return &p->observations[k];
    fail_msg("no %s or %s", en, pacp);
    return NULL;
}

static void read_as(const char *path, struct intra_record *out)
{
    struct intra_error err = {0};
    if (intra_record_read(path, INTRA_RECORD_NONE, out, &err) != INTRA_OK) fail_msg("%s: %s", path, err.text);
}

static int64_t take(struct intra_record *r, enum intra_record_format format)
{
    struct intra_error err = {0};
    int64_t n;
    if (intra_record_take_refined(r, format, &n, &err) != INTRA_OK) fail_msg("%s", err.text);
    return n;
}

static void is_at(const char *where, const struct intra_observation *o, double from, double to, double from_h,
                  double to_h)
{
    double a = intra_clock_to_hours(o->clock_from_rad), b = intra_clock_to_hours(o->clock_to_rad);
    if (o->clock_to_rad - o->clock_from_rad > 6.28) a = b = 12;
    const double values[] = {o->distance_m, o->distance_to_m, a, b}, want[] = {from, to, from_h, to_h};
    for (int i = 0; i < 4; i++)
        if (!(fabs(values[i] - want[i]) < 1e-9 || (isnan(values[i]) && isnan(want[i]))))
            fail_msg("%s: %s: %g to %g m, %g to %g h", where, o->code, o->distance_m, o->distance_to_m, a, b);
}

static void out_in_every_format(void **state)
{
    static const struct {
        const char *file;
        enum intra_record_format format;
    } cases[] = {{"csv/pipe.csv", INTRA_RECORD_OWN_CSV},       {"json/pipe.json", INTRA_RECORD_OWN_JSON},
                 {"pacp-csv", INTRA_RECORD_PACP_CSV},          {"pacp-csv", INTRA_RECORD_PACP_SQLITE},
                 {"en-text/pipe.txt", INTRA_RECORD_EN_TEXT},   {"isybau/pipe.xml", INTRA_RECORD_ISYBAU},
                 {"dwa-m150/pipe.xml", INTRA_RECORD_DWA_M150}, {"ribx/pipe.ribx", INTRA_RECORD_ISYBAU},
                 {"isybau/pipe.xml", INTRA_RECORD_DWA_M150}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int sign = -1; sign <= 1; sign += 2) {
            struct intra_error err = {0};
            struct intra_record r, back;
            char path[400], where[100], name[32];
            enum intra_record_format format = cases[i].format;
            bool is_fine = format == INTRA_RECORD_OWN_CSV || format == INTRA_RECORD_OWN_JSON;
            snprintf(path, sizeof path, "%s/tests/data/records/%s", INTRA_TEST_SOURCE, cases[i].file);
            snprintf(where, sizeof where, "%s as %s, %d", cases[i].file, intra_record_format_name(format), sign);
            snprintf(name, sizeof name, "refined-%d-%d", (int)i, sign);
            read_as(path, &r);
            struct intra_inspection *p = &r.inspections[0];
            for (int64_t k = 0; k < p->n_observations; k++)
                put_recorded(&p->observations[k], sign);
            p->observations[0].place.recorded.station_from_m += 1; /* went by its time */
            p->observations[0].place.recorded.station_to_m += 1;
            put_refined(with_code(&r, "BAB", "CC"), 1.61, 1.63, 9.8, 2.1, sign);
            put_refined(with_code(&r, "BBC", "DSGV"), 4.1, 7.05, 5.2, 6.7, sign);
            put_refined(with_code(&r, "BCA", "TF"), 8.97, 9.09, 8.6, 9.8, sign);
            put_refined(with_code(&r, "BAJ", "JOM"), 12.333, 12.341, 0, 12, sign);
            put_refined(with_code(&r, "BBA", "RFJ"), 11.6, 11.8, 11.8, 12.2, sign); /* before the joint now */
            assert_int_equal(take(&r, format), 5);
            if (intra_record_write(&r, format, scratch_path(name), &err) != INTRA_OK) fail_msg("%s", err.text);
            read_as(scratch_path(name), &back);
            assert_int_equal(back.counts.refused, 0);
            is_at(where, &back.inspections[0].observations[0], 0, NAN, NAN, NAN);
            is_at(where, with_code(&back, "BAB", "CC"), 1.62, NAN, is_fine ? 9.8 : 10, is_fine ? 2.1 : 2);
            is_at(where, with_code(&back, "BBC", "DSGV"), 4.1, 7.05, is_fine ? 5.2 : 5, is_fine ? 6.7 : 7);
            is_at(where, with_code(&back, "BCA", "TF"), 9.03, NAN, is_fine ? 9.2 : 9, NAN);
            is_at(where, with_code(&back, "BAJ", "JOM"), is_fine ? 12.337 : 12.34, NAN, 12, 12);
            is_at(where, with_code(&back, "BBA", "RFJ"), 11.7, NAN, is_fine ? 11.8 : 12, is_fine ? 12.2 - 12 : NAN);
            assert_true(with_code(&back, "BBA", "RFJ") < with_code(&back, "BAJ", "JOM"));
            assert_true(with_code(&r, "BAB", "CC")->place.is_refined);
            intra_record_fini(&r);
            intra_record_fini(&back);
        }
}

static struct intra_observation *add(struct intra_record *r, double distance_m, double hours)
{
    struct intra_error err = {0};
    struct intra_inspection *p;
    struct intra_observation *o;
    if (r->n_inspections == 0) assert_int_equal(intra_record_add_inspection(r, &p, &err), INTRA_OK);
    assert_int_equal(intra_inspection_add_observation(&r->inspections[0], &o, &err), INTRA_OK);
    assert_int_equal(intra_text_set(&o->code, "BAB", &err), INTRA_OK);
    o->distance_m = distance_m;
    o->clock_from_rad = hours > 0 ? rad(hours) : (double)NAN;
    return o;
}

static void one_row_tells_by_its_clock(void **state)
{
    (void)state;
    for (int sign = -1; sign <= 1; sign += 2) {
        struct intra_record r;
        intra_record_init(&r);
        struct intra_observation *o = add(&r, 5, 3);
        put_recorded(o, sign);
        put_refined(o, 5.2, 5.2, 3.5, 4.5, sign);
        assert_int_equal(take(&r, INTRA_RECORD_OWN_CSV), 1);
        is_at("one row", o, 5.2, NAN, 4, NAN);
        intra_record_fini(&r);
    }
}

static void what_has_no_distance_gets_one(void **state)
{
    struct intra_record r;
    (void)state;
    intra_record_init(&r);
    struct intra_observation *o = add(&r, NAN, 0);
    o->place.is_placed = true;
    o->place.recorded = o->place.refined = (struct intra_wall_region){2, 2.5, 0.1, rad(1), rad(2), 0.1};
    add(&r, NAN, 0); /* not placed */
    assert_int_equal(take(&r, INTRA_RECORD_OWN_JSON), 1);
    is_at("detection", &r.inspections[0].observations[0], 2.25, NAN, 1, 2);
    assert_true(isnan(r.inspections[0].observations[1].distance_m));
    intra_record_fini(&r);
}

static void feet_and_pieces(void **state)
{
    struct intra_error err = {0};
    struct intra_record r;
    (void)state;
    intra_record_init(&r);
    for (int i = 0; i < 2; i++) {
        struct intra_observation *o = add(&r, 2 + i, 0);
        o->distance_to_m = 3 + i;
        assert_int_equal(intra_text_set(&o->continuous_id, "1", &err), INTRA_OK);
    }
    add(&r, 10, 12);
    struct intra_observation *list = r.inspections[0].observations;
    for (int i = 0; i < 3; i++) {
        put_recorded(&list[i], 1);
        put_refined(&list[i], list[i].distance_m + 0.1, list[i].distance_m + 0.1, 11.7, 11.9, 1);
    }
    r.inspections[0].is_imperial = true;
    assert_int_equal(take(&r, INTRA_RECORD_PACP_CSV), 1); /* a change row hangs on both pieces */
    assert_true(list[0].distance_to_m == 3 && list[1].distance_m == 3);
    is_at("feet", &list[2], 0.3048 * 33.14, NAN, 12, NAN);
    intra_record_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(out_in_every_format), cmocka_unit_test(one_row_tells_by_its_clock),
        cmocka_unit_test(what_has_no_distance_gets_one), cmocka_unit_test(feet_and_pieces)};
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
