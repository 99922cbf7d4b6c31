/* Machine detections: boxes, polygons, masks, tracks and labels written here come out as regions in the model's pixels;
 * damaged files give one message. Where ../shared is, its samples too. Does not prove that CVAT itself would
 * interpolate the same. */
#include "core/inspection.h"
#include "export/record.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char scratch[64];

static int make_scratch(void **state)
{
    (void)state;
    snprintf(scratch, sizeof scratch, "/tmp/intra-detect-XXXXXX");
    return mkdtemp(scratch) ? 0 : 1;
}

static int remove_scratch(void **state)
{
    static const char *const names[] = {"record", "yolo/data.yaml", "yolo/labels/f_000007.txt", "yolo/labels", "yolo"};
    char path[128];
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", scratch, names[i]);
        remove(path);
    }
    return rmdir(scratch);
}

static const char *put_as(const char *name, const char *text)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", scratch, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    return path;
}

static void read_ok(const char *path, struct intra_record *record)
{
    struct intra_error err = {0};
    enum intra_status status = intra_record_read(path, INTRA_RECORD_NONE, record, &err);
    if (status != INTRA_OK) print_message("%s\n", err.text);
    assert_int_equal(status, INTRA_OK);
}

static void corner(const struct intra_frame_region *region, int i, double x, double y)
{
    assert_true(i < region->n_outline);
    assert_float_equal(region->outline[i][0], x, 1e-9);
    assert_float_equal(region->outline[i][1], y, 1e-9);
}

/* A mask of 4 x 5: an L of three pixels and a lone one; by columns. */
static void coco_box_polygon_and_masks(void **state)
{
    static const char text[] =
        "{\"images\":[{\"id\":1,\"file_name\":\"a/"
        "p2_frame_000012.jpg\",\"width\":640,\"height\":480,\"video_id\":\"v.mp4\"},"
        "{\"id\":2,\"file_name\":\"x.png\"}],\"categories\":[{\"id\":3,\"name\":\"BAB\"}],\"annotations\":["
        "{\"id\":1,\"image_id\":1,\"category_id\":3,\"bbox\":[10,20,4,2],\"score\":0.5},"
        "{\"id\":2,\"image_id\":1,\"category_id\":3,\"segmentation\":[[0,0,1,0,1,1],[0,0,10,0,10,10,0,10]]},"
        "{\"id\":3,\"image_id\":2,\"category_id\":9,\"segmentation\":{\"size\":[4,5],\"counts\":[1,2,3,1,11,1,1]}},"
        "{\"id\":4,\"image_id\":2,\"category_id\":3,\"segmentation\":{\"size\":[4,5],\"counts\":\"123O80F\"}},"
        "{\"id\":5,\"image_id\":77,\"category_id\":3}]}";
    struct intra_record r;
    (void)state;
    read_ok(put_as("record", text), &r);
    assert_int_equal(r.n_inspections, 2);
    assert_int_equal(r.counts.refused, 1);
    struct intra_observation *o = r.inspections[0].observations;
    assert_int_equal(o[0].frame, 12);
    assert_int_equal(o[0].system, INTRA_CODES_EN13508_2);
    assert_float_equal(o[0].score, 0.5, 0);
    corner(o[0].regions, 0, 9.5, 19.5);
    corner(o[0].regions, 2, 13.5, 21.5);
    assert_int_equal(o[1].regions[0].n_outline, 4);
    corner(o[1].regions, 2, 9.5, 9.5);
    o = r.inspections[1].observations;
    assert_int_equal(o[0].frame, -1);
    assert_string_equal(o[0].code, "9");
    assert_int_equal(o[0].regions[0].n_outline, 6); /* (0,1) (0,2) (1,2): an L */
    assert_int_equal(o[1].regions[0].n_outline, 6); /* the same, packed */
    corner(o[1].regions, 4, 1.5, 2.5);
    corner(o[0].regions, 0, -0.5, 0.5);
    corner(o[0].regions, 1, 0.5, 0.5);
    corner(o[0].regions, 2, 0.5, 1.5);
    corner(o[0].regions, 3, 1.5, 1.5);
    corner(o[0].regions, 4, 1.5, 2.5);
    corner(o[0].regions, 5, -0.5, 2.5);
    intra_record_fini(&r);
}

/* Keyframes 10, 20 and an end at 30: 20 frames, halfway at 15; the second track stays to the end of the task. */
static void cvat_track_between_keyframes(void **state)
{
    static const char text[] =
        "<annotations><version>1.1</version><meta><task><stop_frame>42</stop_frame><original_size><width>640</"
        "width><height>480"
        "</height></original_size><source>v.mp4</source></task></meta><track id=\"0\" label=\"CC\">"
        "<box frame=\"10\" outside=\"0\" xtl=\"0\" ytl=\"0\" xbr=\"10\" ybr=\"10\"/>"
        "<box frame=\"20\" outside=\"0\" xtl=\"100\" ytl=\"0\" xbr=\"130\" ybr=\"10\"/>"
        "<box frame=\"30\" outside=\"1\" xtl=\"0\" ytl=\"0\" xbr=\"1\" ybr=\"1\"/></track>"
        "<track id=\"1\" label=\"CC\"><polyline frame=\"40\" points=\"1,2;3,4\"/></track></annotations>";
    struct intra_record r;
    (void)state;
    read_ok(put_as("record", text), &r);
    struct intra_observation *o = r.inspections[0].observations;
    assert_int_equal(r.inspections[0].n_observations, 2);
    assert_int_equal(o[0].n_regions, 20);
    assert_int_equal(o[0].regions[5].frame, 15);
    corner(&o[0].regions[5], 0, 49.5, -0.5);
    corner(&o[0].regions[5], 1, 69.5, -0.5);
    corner(&o[0].regions[19], 0, 99.5, -0.5);
    assert_int_equal(o[1].n_regions, 3);
    assert_int_equal(o[1].regions[2].frame, 42);
    assert_int_equal(o[1].regions[0].width_px, 640);
    intra_record_fini(&r);
}

static void yolo_folder(void **state)
{
    char path[128];
    struct intra_record r;
    (void)state;
    snprintf(path, sizeof path, "%s/yolo", scratch);
    assert_int_equal(mkdir(path, 0777), 0);
    snprintf(path, sizeof path, "%s/yolo/labels", scratch);
    assert_int_equal(mkdir(path, 0777), 0);
    put_as("yolo/data.yaml", "path: .\nnames:\n  0: CC\n  1: 'root mass'\nnc: 2\n");
    put_as("yolo/labels/f_000007.txt",
           "0 0.5 0.5 0.2 0.1 0.75\n1 0.1 0.1 0.2 0.1 0.2 0.3\nnonsense\n5 0.5 0.5 0.1 0.1\n");
    snprintf(path, sizeof path, "%s/yolo", scratch);
    read_ok(path, &r);
    struct intra_observation *o = r.inspections[0].observations;
    assert_int_equal(r.inspections[0].n_observations, 3);
    assert_int_equal(r.counts.refused, 1);
    assert_int_equal(o[0].frame, 7);
    assert_float_equal(o[0].score, 0.75, 0);
    corner(o[0].regions, 0, 0.4, 0.45);
    assert_int_equal(o[0].regions[0].width_px, 0);
    assert_string_equal(o[1].code, "root mass");
    assert_int_equal(o[1].regions[0].n_outline, 3);
    assert_string_equal(o[2].code, "class 5");
    intra_record_fini(&r);
}

/* A list of pictures longer than what is looked at to recognise a file stands before everything else. */
static void coco_with_a_long_list_of_pictures(void **state)
{
    enum { PICTURES = 3000 };
    char *text = malloc(PICTURES * 80 + 400);
    struct intra_record r;
    size_t n = 0;
    (void)state;
    assert_non_null(text);
    n += (size_t)sprintf(text, "{\"images\": [");
    for (int i = 0; i < PICTURES; i++)
        n += (size_t)sprintf(text + n, "%s{\"id\": %d, \"file_name\": \"f%06d.png\", \"width\": 768, \"height\": 576}",
                             i ? ", " : "", i, i);
    sprintf(text + n, "], \"categories\": [{\"id\": 1, \"name\": \"crack\"}], \"annotations\": [{\"id\": 1, "
                      "\"image_id\": 2999, \"category_id\": 1, \"bbox\": [10, 20, 30, 40]}]}");
    read_ok(put_as("record", text), &r);
    assert_int_equal(r.format, INTRA_RECORD_COCO);
    assert_int_equal(r.inspections[0].observations[0].frame, 2999);
    intra_record_fini(&r);
    free(text);
}

static void damaged_json_is_one_error(void **state)
{
    static const char *const texts[] = {"{\"annotations\": [NaN], \"categories\": []}", "{\"observations\": [",
                                        "[{\"image_id\": 1e999}]"};
    char deep[20001];
    struct intra_record r;
    struct intra_error err = {0};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_int_equal(intra_record_read(put_as("record", texts[i]), INTRA_RECORD_NONE, &r, &err), INTRA_E_FORMAT);
        assert_non_null(strstr(err.text, "damaged JSON in line 1"));
    }
    memset(deep, '[', 20000);
    deep[20000] = 0;
    assert_int_equal(intra_record_read(put_as("record", deep), INTRA_RECORD_COCO, &r, &err), INTRA_E_FORMAT);
}

/* The observations of CROSS_FORMAT.tsv in the sample of SewerAI: feet, frames at 25 a second. */
static void shared_samples(void **state)
{
    static const struct {
        const char *code;
        double metres, to, from_h, to_h, value;
        int frame;
    } key[] = {{"CC", 5.2, NAN, 2, 4, NAN, 1525},     {"CL", 8, 14, 12, NAN, NAN, 2375},
               {"RMJ", 18.3, NAN, 10, 2, 15, 5350},   {"TF", 23.4, NAN, 9, NAN, 6, 6750},
               {"ID", 30.1, NAN, 11, NAN, NAN, 8800}, {"B", 33, NAN, 7, 9, NAN, 9750},
               {"DSGV", 36, 39, 5, 7, 10, 10525}};
    static const char *const others[] = {"coco_instances.json", "cvat_images_1.1.xml", "cvat_video_1.1.xml", "yolo"};
    struct intra_record r;
    char path[512];
    (void)state;
    if (access(INTRA_TEST_SHARED "/formats", R_OK) != 0) skip();
    read_ok(INTRA_TEST_SHARED "/formats/sewerai/selfmade_observations.json", &r);
    assert_int_equal(r.inspections[0].n_observations, 10);
    for (int i = 0; i < 7; i++) {
        struct intra_observation *o = &r.inspections[0].observations[i + 2];
        assert_string_equal(o->code, key[i].code);
        assert_float_equal(o->distance_m, key[i].metres, 0.02);
        assert_true(isnan(key[i].to) ? isnan(o->distance_to_m) : fabs(o->distance_to_m - key[i].to) < 0.02);
        assert_float_equal(o->clock_from_rad, fmod(key[i].from_h * M_PI / 6, 2 * M_PI), 1e-9);
        assert_true(isnan(key[i].to_h) == isnan(o->clock_to_rad));
        if (!isnan(key[i].to_h)) assert_float_equal(o->clock_to_rad, key[i].to_h * M_PI / 6, 1e-9);
        assert_int_equal(o->frame, key[i].frame);
        double value = isfinite(o->percent) ? o->percent : o->quantity[0];
        assert_true(isnan(key[i].value) ? isnan(value) : value == key[i].value);
        assert_int_equal(o->is_at_joint, i == 2);
    }
    intra_record_fini(&r);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        snprintf(path, sizeof path, "%s/formats/ai_detections/%s", INTRA_TEST_SHARED, others[i]);
        read_ok(path, &r);
        struct intra_observation *o = r.inspections[0].observations;
        assert_string_equal(o->code, "CC");
        assert_int_equal(o->frame, 1525);
        if (i < 3) {
            corner(o->regions, 0, 811.5, 300);
            assert_int_equal(o->regions[0].width_px, 1920);
        } else {
            assert_float_equal(o->regions[0].outline[0][0], 812.0 / 1920, 1e-5);
        }
        assert_int_equal(o->n_regions, i == 2 ? 26 : 1);
        intra_record_fini(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(coco_box_polygon_and_masks),
        cmocka_unit_test(cvat_track_between_keyframes),
        cmocka_unit_test(yolo_folder),
        cmocka_unit_test(coco_with_a_long_list_of_pictures),
        cmocka_unit_test(damaged_json_is_one_error),
        cmocka_unit_test(shared_samples),
    };
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
