/* Proves, on a straight made pipe with a camera that drives through it: boxes of one patch of wall in many frames
 * become one observation, also over misses, unsteady edges, boxes drawn twice and a second passage; neighbours of the
 * same label do not, nor do other labels, nor what a reviewer rejected; the best views, the highest score, the
 * reviewer's word and the names of all rows are kept; the place lies where the patch is, and its deviation says so; a
 * track keeps its views; thousands of boxes take seconds. Does not prove: how well this goes on real trajectories
 * (tests/bench/merge.py). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "core/mem.h"
#include "recon/locate.h"
#include "recon/merge_detections.h"

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FRAMES = 200 };
static const double radius_m = 0.15, step_m = 0.02;

/* Drives to 2 m in 100 frames, and the same way again in the second hundred. */
static void make(struct intra_scene *scene)
{
    intra_scene_init(scene);
    scene->nominal_diameter_m = 2 * radius_m;
    scene->section_step_m = 0.05;
    assert_int_equal(intra_camera_from_hfov(640, 480, 80 * M_PI / 180, &scene->camera, NULL), INTRA_OK);
    for (int i = 0; i <= 80; i++) {
        struct intra_section s = {.station_m = 0.05 * i, .is_seen = true};
        s.centre = intra_vec3(0.05 * i, 0, 0);
        s.world_from_sec = intra_mat3_from_columns(intra_vec3(1, 0, 0), intra_vec3(0, -1, 0), intra_vec3(0, 0, 1));
        s.a[0] = radius_m;
        assert_int_equal(intra_scene_add_section(scene, &s, NULL), INTRA_OK);
    }
    for (int i = 0; i < FRAMES; i++) {
        double at = step_m * (i % 100);
        struct intra_frame_record f = {
            .index = i, .pts_s = 0.04 * i, .is_posed = true, .station_m = at, .station_sd_m = 0.001};
        f.world_from_cam.r = intra_mat3_from_columns(intra_vec3(0, -1, 0), intra_vec3(0, 0, -1), intra_vec3(1, 0, 0));
        f.world_from_cam.t = intra_vec3(at, 0.01, -0.01);
        f.counter_m = NAN;
        assert_int_equal(intra_scene_add_frame(scene, &f, NULL), INTRA_OK);
    }
}

struct patch {
    double s0, s1, clock0_deg, clock1_deg;
    const char *code;
};

static uint64_t seed;

static double unit(void) /* even in -1 to 1 */
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (double)(seed >> 33) / (double)(1u << 30) - 1;
}

/* The box of a patch in a frame, its edges unsteady by px; false where it is not seen well. */
static bool box_of(const struct intra_scene *scene, const struct patch *p, int frame, double px, double box[4])
{
    struct intra_pose cam = intra_pose_inverse(&scene->frames[frame].world_from_cam);
    double ahead = p->s0 - scene->frames[frame].station_m;
    if (ahead < 0.15 || ahead > 1) return false;
    box[0] = box[1] = INFINITY;
    box[2] = box[3] = -INFINITY;
    for (int i = 0; i < 81; i++) {
        double s = p->s0 + (p->s1 - p->s0) * (i % 9) / 8,
               a = (p->clock0_deg + (p->clock1_deg - p->clock0_deg) * (i / 9) / 8) * M_PI / 180;
        struct intra_vec3 x = intra_vec3(s, -radius_m * sin(a), radius_m * cos(a));
        double at[2];
        if (!intra_camera_project(&scene->camera, intra_pose_apply(&cam, x), at, NULL, NULL)) return false;
        box[0] = fmin(box[0], at[0]);
        box[1] = fmin(box[1], at[1]);
        box[2] = fmax(box[2], at[0]);
        box[3] = fmax(box[3], at[1]);
    }
    for (int i = 0; i < 4; i++)
        box[i] += px * unit();
    return box[0] >= 0 && box[1] >= 0 && box[2] < 640 && box[3] < 480 && box[2] - box[0] > 4 && box[3] - box[1] > 4;
}

static void put_region(struct intra_observation *o, int frame, const double box[4])
{
    struct intra_frame_region *r;
    assert_int_equal(intra_observation_add_region(o, &r, NULL), INTRA_OK);
    r->frame = frame;
    r->width_px = 640;
    r->height_px = 480;
    r->n_outline = 4;
    assert_int_equal(INTRA_ALLOC(r->outline, 4, NULL), INTRA_OK);
    for (int i = 0; i < 4; i++) {
        r->outline[i][0] = box[i == 1 || i == 2 ? 2 : 0];
        r->outline[i][1] = box[i >= 2 ? 3 : 1];
    }
}

static struct intra_observation *add(struct intra_inspection *in, const char *code, int frame, const double box[4])
{
    struct intra_observation *o;
    char id[32];
    assert_int_equal(intra_inspection_add_observation(in, &o, NULL), INTRA_OK);
    o->system = INTRA_CODES_EN13508_2;
    snprintf(id, sizeof id, "%s%lld", code, (long long)in->n_observations);
    assert_int_equal(intra_text_set(&o->code, code, NULL), INTRA_OK);
    assert_int_equal(intra_text_set(&o->id, id, NULL), INTRA_OK);
    o->score = 0.5;
    if (box) put_region(o, frame, box);
    return o;
}

/* Every third frame from `from` to `to`, one in six left out. */
static int add_all(const struct intra_scene *scene, struct intra_inspection *in, const struct patch *p, int from,
                   int to, double px)
{
    int n = 0;
    for (int f = from; f < to; f += 3) {
        double box[4];
        if (!box_of(scene, p, f, px, box) || unit() > 0.66) continue;
        add(in, p->code, f, box);
        n++;
    }
    return n;
}

static int64_t run(const struct intra_scene *scene, struct intra_inspection *in)
{
    struct intra_locate_options o = intra_locate_defaults();
    int64_t joined;
    assert_int_equal(intra_locate_inspection(scene, &o, in, NULL), INTRA_OK);
    assert_int_equal(intra_merge_detections(scene, in, &joined, NULL), INTRA_OK);
    return joined;
}

static int n_ids(const struct intra_observation *o)
{
    const char *text = intra_fields_get(&o->source, "joined");
    int n = text != NULL;
    for (; text && *text; text++)
        n += *text == ' ';
    return n;
}

static void many_boxes_one_defect(void **state)
{
    static const struct patch patches[] = {{1.0, 1.2, 60, 80, "BAB"},   {1.0, 1.2, 105, 125, "BAB"},
                                           {1.28, 1.45, 62, 78, "BAB"}, {1.02, 1.18, 58, 82, "BBA"},
                                           {1.6, 1.7, 350, 380, "BAB"}, {1.0, 1.1, 190, 240, "BBC"}};
    enum { N = sizeof patches / sizeof patches[0] };
    struct intra_scene scene;
    struct intra_record record;
    struct intra_inspection *in;
    int boxes[N];
    (void)state;
    make(&scene);
    for (int round = 0; round < 3; round++) {
        seed = 11 + (uint64_t)round;
        intra_record_init(&record);
        assert_int_equal(intra_record_add_inspection(&record, &in, NULL), INTRA_OK);
        int64_t all = 0;
        for (int i = 0; i < N; i++)
            all += boxes[i] = add_all(&scene, in, &patches[i], 0, FRAMES, 3);
        int64_t joined = run(&scene, in);
        assert_int_equal(joined + in->n_observations, all);
        assert_int_equal(in->n_observations, N);
        for (int i = 0; i < N; i++) { /* in the order of their first frame, so look for each by its place */
            const struct patch *p = &patches[i];
            int found = 0;
            for (int64_t k = 0; k < N; k++) {
                const struct intra_observation *o = &in->observations[k];
                const struct intra_wall_region *w = &o->place.recorded;
                double span = w->clock_to_rad - w->clock_from_rad, middle;
                if (span < 0) span += 2 * M_PI;
                middle = w->clock_from_rad + span / 2;
                if (strcmp(o->code, p->code) != 0 || n_ids(o) != boxes[i] ||
                    fabs(intra_wrap_pi(middle - (p->clock0_deg + p->clock1_deg) / 2 * M_PI / 180)) > 0.15 ||
                    fabs((w->station_from_m + w->station_to_m - p->s0 - p->s1) / 2) > 0.12)
                    continue;
                found++;
                assert_true(o->n_regions == INTRA_MERGE_MOST_VIEWS || o->n_regions == boxes[i]);
                assert_non_null(strstr(o->place.reason, "by its regions in"));
                assert_true(w->station_sd_m > 0 && w->clock_sd_rad > 0);
            }
            if (found != 1) fail_msg("round %d: patch %d is found %d times", round, i, found);
        }
        intra_record_fini(&record);
    }
    intra_scene_fini(&scene);
}

static void what_is_kept(void **state)
{
    static const struct patch p = {1.0, 1.2, 60, 80, "BAB"};
    struct intra_scene scene;
    struct intra_record record;
    struct intra_inspection *in;
    double box[4];
    (void)state;
    make(&scene);
    seed = 3;
    intra_record_init(&record);
    assert_int_equal(intra_record_add_inspection(&record, &in, NULL), INTRA_OK);
    int n = 0, last = 0;
    for (int f = 5; f < 45; f += 4) {
        if (!box_of(&scene, &p, f, 1, box)) continue;
        last = f;
        struct intra_observation *o = add(in, "BAB", f, box);
        o->score = 0.3 + 0.01 * f;
        if (n == 1) assert_int_equal(intra_text_set(&o->review, "accepted", NULL), INTRA_OK);
        n++;
    }
    assert_true(n >= 5);
    assert_true(box_of(&scene, &p, 21, 0, box));
    assert_int_equal(intra_text_set(&add(in, "BAB", 21, box)->review, "rejected", NULL), INTRA_OK);
    assert_int_equal(intra_text_set(&add(in, "BAB", 22, box)->model, "another detector", NULL), INTRA_OK);
    add(in, "BAB", 21, NULL)->distance_m = 1.1; /* of a person: no region */
    struct intra_observation *track = add(in, "BAB", 9, box);
    for (int f = 13; f < 40; f += 2)
        if (box_of(&scene, &p, f, 1, box)) put_region(track, f, box);
    int track_views = track->n_regions;
    assert_int_equal(run(&scene, in), n - 1);
    assert_int_equal(in->n_observations, 5);
    const struct intra_observation *o = NULL;
    for (int i = 0; i < 5; i++)
        if (intra_fields_get(&in->observations[i].source, "joined")) o = &in->observations[i];
    assert_non_null(o);
    assert_int_equal(o->n_regions, n);
    assert_string_equal(o->review, "accepted");
    assert_float_equal(o->score, 0.3 + 0.01 * last, 1e-9); /* the last one is the nearest, too */
    for (int i = 1; i < n; i++) {
        assert_true(o->regions[i - 1].frame > o->regions[i].frame); /* nearest first */
        assert_float_equal(o->regions[i].score, 0.3 + 0.01 * (double)o->regions[i].frame, 1e-9);
    }
    assert_int_equal(o->place.frame, o->regions[0].frame);
    o = &in->observations[4];
    assert_int_equal(o->n_regions, track_views);
    assert_non_null(strstr(o->place.reason, "by its regions in"));
    intra_record_fini(&record);
    intra_scene_fini(&scene);
}

/* A track of boxes is placed by the patch of wall that explains them, as the same boxes by themselves are. */
static void a_track_is_placed_as_its_boxes_are(void **state)
{
    static const struct patch p = {1.0, 1.2, 60, 80, "BAB"};
    struct intra_scene scene;
    struct intra_wall_region placed[2];
    (void)state;
    make(&scene);
    for (int is_track = 0; is_track < 2; is_track++) {
        struct intra_record record;
        struct intra_inspection *in;
        struct intra_observation *track = NULL;
        seed = 3;
        intra_record_init(&record);
        assert_int_equal(intra_record_add_inspection(&record, &in, NULL), INTRA_OK);
        for (int f = 5; f < 45; f += 4) {
            double box[4];
            if (!box_of(&scene, &p, f, 1, box)) continue;
            if (!track || !is_track)
                track = add(in, "BAB", f, box);
            else
                put_region(track, f, box);
        }
        run(&scene, in);
        assert_int_equal(in->n_observations, 1);
        placed[is_track] = in->observations[0].place.recorded;
        assert_float_equal(placed[is_track].station_from_m, p.s0, 0.02);
        assert_float_equal(placed[is_track].station_to_m, p.s1, 0.02);
        intra_record_fini(&record);
    }
    assert_float_equal(placed[0].station_from_m, placed[1].station_from_m, 1e-3);
    assert_float_equal(placed[0].station_to_m, placed[1].station_to_m, 1e-3);
    assert_float_equal(placed[0].clock_from_rad, placed[1].clock_from_rad, 1e-3);
    assert_float_equal(placed[0].clock_to_rad, placed[1].clock_to_rad, 1e-3);
    intra_scene_fini(&scene);
}

/* Two boxes of one frame that do not cover each other are two defects, however alike. */
static void two_in_one_frame_stay_two(void **state)
{
    static const struct patch p[2] = {{1.0, 1.1, 80, 89, "BAB"}, {1.0, 1.1, 91, 100, "BAB"}};
    struct intra_scene scene;
    struct intra_record record;
    struct intra_inspection *in;
    (void)state;
    make(&scene);
    for (int round = 0; round < 20; round++) {
        seed = 100 + (uint64_t)round;
        intra_record_init(&record);
        assert_int_equal(intra_record_add_inspection(&record, &in, NULL), INTRA_OK);
        add_all(&scene, in, &p[0], 0, 100, 2);
        add_all(&scene, in, &p[1], 0, 100, 2);
        run(&scene, in);
        if (in->n_observations != 2) fail_msg("round %d: %lld", round, (long long)in->n_observations);
        intra_record_fini(&record);
    }
    intra_scene_fini(&scene);
}

/* A detector gone wild, in processor time: everywhere, and all in one frame. */
static void thousands_of_boxes(void **state)
{
    enum { N = 3000 };
    struct intra_scene scene;
    (void)state;
    make(&scene);
    for (int kind = 0; kind < 2; kind++) {
        struct intra_record record;
        struct intra_inspection *in;
        clock_t before;
        seed = 5;
        intra_record_init(&record);
        assert_int_equal(intra_record_add_inspection(&record, &in, NULL), INTRA_OK);
        for (int i = 0; i < N; i++) {
            double x = 320 + 300 * unit(), y = 240 + 220 * unit(), box[4] = {x, y, x + 10, y + 10};
            add(in, "BAB", kind ? 50 : (int)(100 + 99 * unit()), box);
        }
        struct intra_locate_options o = intra_locate_defaults();
        assert_int_equal(intra_locate_inspection(&scene, &o, in, NULL), INTRA_OK);
        before = clock();
        assert_int_equal(intra_merge_detections(&scene, in, NULL, NULL), INTRA_OK);
        print_message("%d boxes: %lld observations, %.1f s\n", N, (long long)in->n_observations,
                      (double)(clock() - before) / CLOCKS_PER_SEC);
        assert_true((double)(clock() - before) / CLOCKS_PER_SEC < 120);
        intra_record_fini(&record);
    }
    intra_scene_fini(&scene);
}

static void every_failed_allocation_is_reported(void **state)
{
    static const struct patch p = {1.0, 1.2, 60, 80, "BAB"};
    struct intra_scene scene;
    (void)state;
    make(&scene);
    for (long n = 1; n < 3000; n++) {
        struct intra_record record;
        struct intra_inspection *in;
        struct intra_locate_options o = intra_locate_defaults();
        enum intra_status status;
        seed = 3;
        intra_record_init(&record);
        assert_int_equal(intra_record_add_inspection(&record, &in, NULL), INTRA_OK);
        add_all(&scene, in, &p, 0, 60, 1);
        assert_int_equal(intra_locate_inspection(&scene, &o, in, NULL), INTRA_OK);
        intra_mem_fail_at(n, 1);
        status = intra_merge_detections(&scene, in, NULL, NULL);
        intra_mem_fail_at(0, 0);
        intra_record_fini(&record);
        if (status == INTRA_OK) {
            assert_true(n > 10);
            intra_scene_fini(&scene);
            return;
        }
        assert_int_equal(status, INTRA_E_MEM);
    }
    fail();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(many_boxes_one_defect), cmocka_unit_test(what_is_kept),
                                       cmocka_unit_test(a_track_is_placed_as_its_boxes_are),
                                       cmocka_unit_test(two_in_one_frame_stay_two),
                                       cmocka_unit_test(thousands_of_boxes),
                                       cmocka_unit_test(every_failed_allocation_is_reported)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
