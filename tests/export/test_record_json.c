/* Proves: the own JSON takes all of core/inspection.h there and back, field by field; a few keys written by hand are
 * enough, and what is odd in them is kept as text and counted; where ../shared is present, no format that is read loses
 * anything on the way through it, and ISYBAU comes out of it as it would have without. Files go to the folder given,
 * for check_schema.py. Does not prove: that other programs write it. */
#include "export/record.h"

#include "core/mem.h"
#include "core/scratch.h"
#include "export/record_same.h"

#include <sys/stat.h>
#include <time.h>

static const char *out_dir = ".";

static void read_as(const char *path, enum intra_record_format format, struct intra_record *out)
{
    struct intra_error err = {0};
    if (intra_record_read(path, format, out, &err) != INTRA_OK) fail_msg("%s: %s", path, err.text);
}

static void write_json(const struct intra_record *r, const char *path)
{
    struct intra_error err = {0};
    if (intra_record_write(r, INTRA_RECORD_OWN_JSON, path, &err) != INTRA_OK) fail_msg("%s: %s", path, err.text);
}

static char *bytes_of(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    char *bytes = NULL;
    assert_non_null(f);
    fseek(f, 0, SEEK_END);
    *n = (size_t)ftell(f);
    rewind(f);
    bytes = calloc(*n + 1, 1);
    assert_int_equal(fread(bytes, 1, *n, f), *n);
    fclose(f);
    return bytes;
}

static void same_file(const char *a, const char *b)
{
    size_t n, m;
    char *x = bytes_of(a, &n), *y = bytes_of(b, &m);
    if (n != m || memcmp(x, y, n) != 0) fail_msg("%s and %s differ", a, b);
    free(x);
    free(y);
}

/* Through the own JSON and back: the same model, and the same bytes when written again. */
static void through_json(const struct intra_record *a, const char *name)
{
    struct intra_record b;
    char path[600];
    snprintf(path, sizeof path, "%s/%s.json", out_dir, name);
    write_json(a, path);
    read_as(path, INTRA_RECORD_NONE, &b);
    same_whole_record(a, &b);
    write_json(&b, scratch_path("again.json"));
    same_file(path, scratch_path("again.json"));
    intra_record_fini(&b);
}

/* ---- everything filled */

static double next_number(void)
{
    static double x = 0.1;
    return x += 1.0 / 3;
}

static void fill_extent(struct intra_extent *e)
{
    double *numbers[] = {&e->length_m,         &e->length_sd_m,  &e->length_along_m,   &e->length_along_sd_m,
                         &e->width_m,          &e->width_sd_m,   &e->area_m2,          &e->area_sd_m2,
                         &e->depth_m,          &e->depth_sd_m,   &e->section_loss_pct, &e->section_loss_sd_pct,
                         &e->volume_m3,        &e->volume_sd_m3, &e->diameter_m,       &e->diameter_sd_m,
                         &e->opening_m,        &e->opening_sd_m, &e->resolution_m,     &e->ring_share_pct,
                         &e->ring_share_sd_pct};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        *numbers[i] = next_number();
    e->is_width_limit = true;
    e->n_views = 7;
}

static void fill_region(struct intra_wall_region *w)
{
    *w = (struct intra_wall_region){next_number(), next_number(), 0.1, 0.7, 1.9, 0.05};
}

static void set(char **to, const char *text)
{
    assert_int_equal(intra_text_set(to, text, NULL), INTRA_OK);
}

static void add_outline(double (**to)[2], int *n)
{
    *n = 3;
    assert_int_equal(INTRA_ALLOC(*to, 3, NULL), INTRA_OK);
    for (int i = 0; i < 6; i++)
        (*to)[i / 2][i % 2] = next_number() - 1;
}

static void make_full(struct intra_record *r)
{
    struct intra_inspection *p;
    struct intra_observation *o;
    struct intra_media *m;
    struct intra_frame_region *region;
    intra_record_init(r);
    r->format = INTRA_RECORD_WINCAN_DB3;
    r->counts =
        (struct intra_record_counts){.read = 2, .kept = 3, .refused = 1, .first_kept = "k", .first_refused = "r"};
    set(&r->version, "7.1");
    assert_int_equal(intra_record_add_inspection(r, &p, NULL), INTRA_OK);
    char **texts[] = {
        &p->id,   &p->pipe,     &p->node_start, &p->node_end, &p->node_upstream, &p->node_downstream, &p->date,
        &p->time, &p->standard, &p->shape,      &p->material, &p->purpose,       &p->operator_name,   &p->street,
        &p->town, &p->crs};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char text[64];
        snprintf(text, sizeof text, "text %zu \"q\" \\ \xc3\xb6\xf0\x9f\x98\x80\x01\n</script>", i);
        set(texts[i], text);
    }
    p->direction = INTRA_DIRECTION_UPSTREAM;
    p->format = INTRA_RECORD_DWA_M150;
    p->is_reverse_setup = p->is_imperial = true;
    p->height_m = 0.3, p->width_m = 0.2, p->length_m = 42.7, p->inspected_length_m = 40, p->joint_spacing_m = 2;
    p->start_xyz = (struct intra_vec3){565432.123, 5901234.567, NAN};
    p->end_xyz = (struct intra_vec3){1, 2, 3};
    p->grades[p->n_grades++] = (struct intra_grade){INTRA_SCALE_VSA, INTRA_ASPECT_HYDRAULIC, 0, false};
    intra_fields_add(&p->source, "twice", "1", NULL);
    intra_fields_add(&p->source, "twice", NULL, NULL);
    intra_inspection_add_media(p, INTRA_MEDIA_VIDEO, "a.mpg", &m, NULL);
    intra_fields_add(&m->source, "Film", "", NULL);
    intra_inspection_add_media(p, INTRA_MEDIA_DOCUMENT, NULL, NULL, NULL);
    assert_int_equal(intra_inspection_add_observation(p, &o, NULL), INTRA_OK);
    char **words[] = {&o->id,
                      &o->code,
                      &o->characterisation[0],
                      &o->characterisation[1],
                      &o->quantity_unit[0],
                      &o->text,
                      &o->model,
                      &o->quantity_unit[1],
                      &o->review,
                      &o->remark};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        set(words[i], i % 2 ? "" : "word");
    set(&o->continuous_id, "4");
    o->system = INTRA_CODES_MSCC;
    double *numbers[] = {&o->quantity[0], &o->quantity[1], &o->percent, &o->distance_m, &o->distance_to_m, &o->time_s};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        *numbers[i] = next_number();
    o->clock_from_rad = intra_clock_from_hours(10), o->clock_to_rad = intra_clock_from_hours(2.3);
    o->is_at_joint = true;
    o->frame = (int64_t)1 << 40;
    o->score = 0.123456789012345678;
    for (int i = 0; i < INTRA_MAX_GRADES; i++)
        o->grades[o->n_grades++] =
            (struct intra_grade){(enum intra_grade_scale)(i + 1), (enum intra_grade_aspect)(i % 5), i, i % 2};
    intra_fields_add(&o->source, "row", "v", NULL);
    intra_fields_add(&o->finish_source, "finish", "w", NULL);
    intra_observation_add_media(o, INTRA_MEDIA_PICTURE, "p.jpg", NULL, NULL);
    for (int i = 0; i < 2; i++) {
        intra_observation_add_region(o, &region, NULL);
        *region = (struct intra_frame_region){
            .frame = i, .time_s = 0.04, .width_px = i ? 720 : 0, .height_px = i ? 576 : 0, .score = 0.5};
        set(&region->picture, "f.png");
        add_outline(&region->outline, &region->n_outline);
    }
    o->place.is_placed = o->place.is_refined = o->place.is_line = true;
    fill_region(&o->place.recorded);
    fill_region(&o->place.refined);
    add_outline(&o->place.outline, &o->place.n_outline);
    snprintf(o->place.reason, sizeof o->place.reason, "a dark line");
    o->place.frame = 12, o->place.time_s = 0.48;
    o->place.x = (struct intra_vec3){1, 2, 3}, o->place.x_sd = (struct intra_vec3){0.1, 0.2, 0.3};
    fill_extent(&o->extent);
    assert_int_equal(intra_inspection_add_observation(p, &o, NULL), INTRA_OK); /* nothing known, and a whole ring */
    o->clock_from_rad = 0, o->clock_to_rad = 2 * M_PI;
}

static void all_of_the_model(void **state)
{
    struct intra_record r;
    (void)state;
    make_full(&r);
    through_json(&r, "full");
    intra_record_fini(&r);
}

/* A database may hold bytes that are no UTF-8: the file stays valid. */
static void bytes_that_are_no_text(void **state)
{
    struct intra_record a, b;
    struct intra_inspection *p;
    (void)state;
    intra_record_init(&a);
    intra_record_add_inspection(&a, &p, NULL);
    set(&p->pipe, "a\xff\xc3(\xed\xa0\x80\xe2\x82");
    write_json(&a, scratch_path("bytes.json"));
    read_as(scratch_path("bytes.json"), INTRA_RECORD_NONE, &b);
    assert_string_equal(b.inspections[0].pipe,
                        "a\xef\xbf\xbd\xef\xbf\xbd(\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
                        "\xef\xbf\xbd");
    intra_record_fini(&a);
    intra_record_fini(&b);
}

/* ---- written by hand */

static void a_few_keys_are_enough(void **state)
{
    static const char text[] =
        "{\"intrados_record\": 1, \"pipe\": \"P-7\", \"direction\": \"upstream\", \"video\": \"p7.mpg\", \"height_m\": "
        "0.3,"
        " \"date\": \"17.05.2024\", \"house_key\": [1, 2], \"observations\": ["
        "{\"station_m\": 5.2, \"code\": \"BAB\", \"characterisation_1\": \"B\", \"clock\": 3, \"time\": \"00:01:02\"},"
        "{\"station_m\": 8, \"code\": \"CL\", \"continuous\": \"S01\", \"clock_from\": 12, \"clock_to\": 12},"
        "{\"station_m\": \"14,5\", \"code\": \"CL\", \"continuous\": \"F01\", \"remark\": \"<script>\"},"
        "{\"station_m\": 3}]}";
    struct intra_record r;
    (void)state;
    read_as(scratch_file("few.json", text), INTRA_RECORD_NONE, &r);
    assert_int_equal(r.format, INTRA_RECORD_OWN_JSON);
    assert_int_equal(r.n_inspections, 1);
    assert_int_equal(r.counts.refused, 1);
    assert_int_equal(r.counts.kept, 0);
    const struct intra_inspection *p = &r.inspections[0];
    const struct intra_observation *o = p->observations;
    assert_string_equal(p->pipe, "P-7");
    assert_string_equal(p->date, "2024-05-17");
    assert_string_equal(p->media[0].file, "p7.mpg");
    assert_int_equal(p->direction, INTRA_DIRECTION_UPSTREAM);
    assert_string_equal(intra_fields_get(&p->source, "house_key"), "[1,2]");
    assert_string_equal(intra_fields_get(&p->source, "date"), "17.05.2024");
    assert_int_equal(p->n_observations, 2);
    assert_int_equal(o[0].system, INTRA_CODES_EN13508_2);
    assert_float_equal(o[0].clock_from_rad, M_PI / 2, 1e-15);
    assert_float_equal(o[0].time_s, 62, 0);
    assert_float_equal(o[1].distance_to_m, 14.5, 0);
    assert_float_equal(o[1].clock_to_rad, 2 * M_PI, 1e-15);
    assert_string_equal(intra_fields_get(&o[1].finish_source, "remark"), "<script>");
    assert_string_equal(intra_fields_get(&o[1].finish_source, "station_m"), "14,5");
    through_json(&r, "few");
    intra_record_fini(&r);
}

static void odd_values_are_kept_and_counted(void **state)
{
    static const char text[] =
        "{\"intrados_record\": 1, \"code_system\": \"PACP\", \"inspections\": [7, {\"pipe\": 12, \"height_m\": -0.3,"
        " \"length_m\": \"long\", \"observations\": ["
        "{\"code\": \"X\", \"station_m\": -2, \"clock_from\": 13, \"frame\": -5, \"percent\": {}, \"grades\": "
        "[{\"scale\": "
        "\"best\", \"value\": 1}], \"regions\": [{\"outline\": [[1, 2], [\"x\"]]}], \"source\": {\"a\": 1}},"
        "{\"code\": {}}, [], null, \"text\"]}]}";
    struct intra_record r;
    (void)state;
    read_as(scratch_file("odd.json", text), INTRA_RECORD_NONE, &r);
    assert_int_equal(r.n_inspections, 1);
    assert_int_equal(r.counts.refused, 5);
    assert_int_equal(r.counts.kept, 7);
    const struct intra_inspection *p = &r.inspections[0];
    const struct intra_observation *o = p->observations;
    assert_string_equal(p->pipe, "12");
    assert_true(isnan(p->height_m) && isnan(p->length_m));
    assert_string_equal(intra_fields_get(&p->source, "height_m"), "-0.3");
    assert_int_equal(p->n_observations, 1);
    assert_int_equal(o->system, INTRA_CODES_PACP);
    assert_float_equal(o->distance_m, -2, 0);
    assert_true(isnan(o->clock_from_rad) && o->frame == -1 && o->n_grades == 0);
    assert_int_equal(o->regions[0].n_outline, 0);
    assert_string_equal(intra_fields_get(&o->source, "a"), "1");
    intra_record_fini(&r);
}

static void what_cannot_be_read_is_said(void **state)
{
    static const struct {
        const char *text, *says;
    } bad[] = {{"{\"intrados_record\": 2, \"inspections\": []}", "version 2"},
               {"{\"intrados_record\": \"1\"}", "wants \"intrados_record\""},
               {"{\"intrados_record\": 1, \"inspections\": []}", "no inspection"},
               {"{\"intrados_record\": 1, \"inspections\": [{\"observations\": [{\"station_m\": NaN}]}]}",
                "damaged JSON in line 1"},
               {"{\"intrados_record\": 1,\n \"pipe\": ", "damaged JSON in line 2"}};
    struct intra_record r;
    struct intra_error err;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        memset(&err, 0, sizeof err);
        assert_true(intra_record_read(scratch_file("bad.json", bad[i].text), INTRA_RECORD_NONE, &r, &err) < 0);
        if (!strstr(err.text, bad[i].says)) fail_msg("%s", err.text);
    }
}

/* 100,000 observations and a cell of 10 MB, there and back; processor time, generously. */
static void many_observations(void **state)
{
    enum { N = 100000, CELL = 10000000 };
    struct intra_record a, b;
    struct intra_inspection *p;
    struct intra_observation *o;
    clock_t before = clock();
    char *cell = malloc(CELL + 1);
    (void)state;
    memset(cell, 'x', CELL);
    cell[CELL] = 0;
    intra_record_init(&a);
    intra_record_add_inspection(&a, &p, NULL);
    for (int i = 0; i < N; i++) {
        intra_inspection_add_observation(p, &o, NULL);
        set(&o->code, "BAB");
        o->distance_m = i / 7.0;
        intra_fields_add(&o->source, "Station", "as it stood", NULL);
    }
    set(&p->observations[0].remark, cell);
    free(cell);
    a.counts.read = N;
    a.format = INTRA_RECORD_OWN_JSON;
    write_json(&a, scratch_path("many.json"));
    read_as(scratch_path("many.json"), INTRA_RECORD_NONE, &b);
    same_whole_record(&a, &b);
    assert_true((double)(clock() - before) / CLOCKS_PER_SEC < 30);
    intra_record_fini(&a);
    intra_record_fini(&b);
}

static void every_failed_allocation_is_reported(void **state)
{
    struct intra_record r;
    char path[600];
    (void)state;
    snprintf(path, sizeof path, "%s/full.json", out_dir);
    for (long n = 1; n < 2000; n++) {
        enum intra_status status;
        intra_mem_fail_at(n, 1);
        status = intra_record_read(path, INTRA_RECORD_NONE, &r, NULL);
        intra_mem_fail_at(0, 0);
        if (status == INTRA_OK) {
            intra_record_fini(&r);
            assert_true(n > 50);
            return;
        }
        assert_int_equal(status, INTRA_E_MEM);
    }
    fail();
}

/* ---- files that may not be here */

static const char *shared(const char *name)
{
    static char path[512];
    const char *other = getenv("INTRA_TEST_SHARED_DIR");
    struct stat info;
    snprintf(path, sizeof path, "%s/%s", other ? other : INTRA_TEST_SHARED, name);
    return stat(path, &info) == 0 ? path : NULL;
}

static void no_format_loses_anything(void **state)
{
    static const char *const files[] = {
        "formats/pacp/v7_csv",
        "formats/pacp/pacp_v7_sample.sqlite",
        "formats/wincan_vx/synthetic_wincan_vx.db3",
        "formats/en13508_2_txt/selfmade_example.txt",
        "formats/isybau/selfmade_zustandsdaten_2013-02.xml",
        "formats/isybau/selfmade_zustandsdaten_2017-07.xml",
        "formats/dwa_m150/selfmade_example_typB.xml",
        "formats/dwa_m150/kwb_example_typB_2010-04.xml",
        "formats/ribx/selfmade_example.ribx",
        "formats/wsaa_xml/selfmade_example.xml",
        "formats/mscc_xml/selfmade_partly_guessed.xml",
        "formats/sewerai/selfmade_observations.json",
        "formats/ai_detections/coco_instances.json",
        "formats/ai_detections/coco_results.json",
        "formats/ai_detections/cvat_images_1.1.xml",
        "formats/ai_detections/cvat_video_1.1.xml",
        "formats/ai_detections/yolo",
        "real/records/example_13508_2.txt",
        "real/records/pacp_conditions.csv",
        "real/records/dwa_m150_example.xml",
        "real/records/ISYBAU_XML-2013-Zustandsdaten_DIN_EN_13508-2_AH_Abwasser.xml",
        "real/records/ISYBAU_XML-2013-Zustandsdaten_DIN_EN_13508-2_AH_Abwasser_bewertet_"
        "Filme.xml"};
    int done = 0;
    (void)state;
    if (!shared("formats")) skip();
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct intra_record r, b;
        char name[32];
        if (!shared(files[i])) {
            print_message("not here: %s\n", files[i]);
            continue;
        }
        read_as(shared(files[i]), INTRA_RECORD_NONE, &r);
        snprintf(name, sizeof name, "shared%zu", i);
        print_message("%s: %lld observations\n", files[i], (long long)r.counts.read);
        through_json(&r, name);
        if (r.format == INTRA_RECORD_ISYBAU) {
            char json[600];
            snprintf(json, sizeof json, "%s/%s.json", out_dir, name);
            read_as(json, INTRA_RECORD_NONE, &b);
            assert_int_equal(intra_record_write(&r, INTRA_RECORD_ISYBAU, scratch_path("a.xml"), NULL), INTRA_OK);
            assert_int_equal(intra_record_write(&b, INTRA_RECORD_ISYBAU, scratch_path("b.xml"), NULL), INTRA_OK);
            same_file(scratch_path("a.xml"), scratch_path("b.xml"));
            intra_record_fini(&b);
        }
        intra_record_fini(&r);
        done++;
    }
    assert_true(done >= 15);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_of_the_model),
        cmocka_unit_test(bytes_that_are_no_text),
        cmocka_unit_test(a_few_keys_are_enough),
        cmocka_unit_test(odd_values_are_kept_and_counted),
        cmocka_unit_test(what_cannot_be_read_is_said),
        cmocka_unit_test(many_observations),
        cmocka_unit_test(every_failed_allocation_is_reported),
        cmocka_unit_test(no_format_loses_anything),
    };
    if (argc > 1) out_dir = argv[1];
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
