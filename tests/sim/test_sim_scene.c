/* Proves: scene files are read as written, written files are read back the same, every preset is sound, and bad ones
 * are refused with a message that names the key; the printed counter is the value that truth states. Does not prove:
 * that a sound scene looks right. */
#include "core/fileio.h"
#include "core/mem.h"
#include "tools/sim/presets.h"
#include "tools/sim/sim_motion.h"
#include "tools/sim/sim_overlay.h"
#include "tools/sim/sim_scene.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PIPE                                                                                                           \
    "\"centreline\": [{\"straight_m\": 5}], \"motion\": {\"phases\": [{\"action\": \"drive\", \"distance_m\": 1}]}"

/* Bad text, and a piece of the message that must come. */
static const struct {
    const char *json, *says;
} bad[] = {
    {"", "line 1"},
    {"[1, 2]", "must be an object"},
    {"{\"seed\": 1, \"seed\": 2}", "duplicate"},
    {"{" PIPE ", \"sead\": 3}", "'seed'"},
    {"{" PIPE ", \"pipe\": {\"diameter\": 0.3}}", "'diameter_m'"},
    {"{" PIPE ", \"pipe\": {\"diameter_m\": \"300mm\"}}", "pipe.diameter_m must be a number"},
    {"{" PIPE ", \"pipe\": {\"diameter_m\": 300}}", "pipe.diameter_m is 300"},
    {"{" PIPE ", \"pipe\": {\"diameter_m\": 1e999}}", "real number overflow"},
    {"{" PIPE ", \"pipe\": {\"material\": \"wood\"}}", "one of: concrete"},
    {"{" PIPE ", \"video\": {\"width\": 641}}", "even"},
    {"{" PIPE ", \"video\": {\"width\": 640.5}}", "whole number"},
    {"{" PIPE ", \"laterals\": {\"station_m\": 1}}", "laterals must be a list"},
    {"{" PIPE ", \"laterals\": [{\"station_m\": 1, \"clok_deg\": 1}]}", "laterals[0]: unknown key 'clok_deg'"},
    {"{" PIPE ", \"laterals\": [{\"diameter_m\": 0.29}]}", "at most 0.9"},
    {"{" PIPE ", \"light\": {\"auto_exposure\": 1}}", "true or false"},
    {"{" PIPE ", \"seed\": -4}", "from 0 up"},
    {"{\"motion\": {\"phases\": [{\"action\": \"drive\", \"distance_m\": 1}]}}", "centreline is 0 m long"},
    {"{\"centreline\": [{\"straight_m\": 5}]}", "motion.phases is empty"},
    {"{\"centreline\": [{\"straight_m\": 1000}], \"pipe\": {\"diameter_m\": 3}}", "square metres"},
    {"{\"centreline\": [{\"straight_m\": 5, \"bend_deg\": 3}]}", "straight and bent"},
    {"{\"centreline\": [{\"straight_m\": 5}, {\"bend_deg\": 90, \"radius_m\": 0.1}]}", "cannot bend sharper"},
};

static void bad_scenes_are_refused_by_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct intra_sim_scene s;
        struct intra_error err = {0};
        assert_int_equal(intra_sim_scene_parse(bad[i].json, "bad.json", &s, &err), INTRA_E_FORMAT);
        if (!strstr(err.text, "bad.json") || !strstr(err.text, bad[i].says))
            fail_msg("'%s' gave '%s', want '%s'", bad[i].json, err.text, bad[i].says);
    }
}

static const struct {
    const char *phases, *says;
} bad_motion[] = {
    {"{\"action\": \"drive\", \"distance_m\": 50}", "leaves the pipe"},
    {"{\"action\": \"reverse\", \"distance_m\": 2}", "leaves the pipe"},
    {"{\"action\": \"drive\"}", "give to_m, distance_m or duration_s"},
    {"{\"action\": \"drive\", \"to_m\": 0.1}", "is at 0.4 already"},
    {"{\"action\": \"stop\"}", "duration_s is missing"},
    {"{\"action\": \"jump\", \"to_m\": 99}", "must lie in the pipe"},
};

static void bad_motion_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_motion / sizeof bad_motion[0]; i++) {
        struct intra_sim_scene s;
        struct intra_sim_track track;
        struct intra_error err = {0};
        char json[400];
        snprintf(json, sizeof json, "{\"centreline\": [{\"straight_m\": 5}], \"motion\": {\"phases\": [%s]}}",
                 bad_motion[i].phases);
        assert_int_equal(intra_sim_scene_parse(json, "x", &s, &err), INTRA_OK);
        assert_int_equal(intra_sim_track_make(&s, &track, &err), INTRA_E_FORMAT);
        if (!strstr(err.text, bad_motion[i].says)) fail_msg("%s gave '%s'", bad_motion[i].phases, err.text);
        intra_sim_scene_fini(&s);
    }
}

static char *as_text(const struct intra_sim_scene *s)
{
    char *text = NULL, *copy;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    assert_int_equal(intra_sim_scene_write(s, f, NULL), INTRA_OK);
    fclose(f);
    copy = strdup(text);
    free(text);
    return copy;
}

static void presets_are_sound_and_survive_writing(void **state)
{
    (void)state;
    assert_true(intra_sim_n_presets >= 9);
    for (int i = 0; i < intra_sim_n_presets; i++) {
        struct intra_sim_scene a, b;
        struct intra_sim_track track;
        struct intra_error err = {0};
        char *first, *second;
        if (intra_sim_scene_parse(intra_sim_presets[i].json, intra_sim_presets[i].name, &a, &err) != INTRA_OK)
            fail_msg("%s", err.text);
        assert_string_equal(a.name, intra_sim_presets[i].name);
        first = as_text(&a);
        if (intra_sim_scene_parse(first, "again", &b, &err) != INTRA_OK) fail_msg("%s", err.text);
        second = as_text(&b);
        assert_string_equal(first, second);
        if (intra_sim_track_make(&a, &track, &err) != INTRA_OK) fail_msg("%s: %s", a.name, err.text);
        assert_true(track.frames > 150 && track.frames < 700);
        intra_sim_track_fini(&track);
        free(first);
        free(second);
        intra_sim_scene_fini(&a);
        intra_sim_scene_fini(&b);
    }
}

/* Every key that a scene can have stands in docs/simulator.md. */
static void every_key_is_documented(void **state)
{
    struct intra_sim_scene s;
    char *docs, *all;
    size_t size;
    int keys = 0;
    const char *json =
        "{" PIPE
        ", \"joints\": {\"list\": [{}]}, \"ovality\": [{}], \"laterals\": [{}], \"cracks\": [{}], \"holes\": [{}],"
        "\"deposits\": [{}], \"roots\": [{}], \"water\": [{}], \"light\": {\"lamps\": [{}]},"
        "\"image\": {\"dirt\": [{}]}, \"overlay\": {\"texts\": [{}]}}";
    (void)state;
    assert_int_equal(intra_sim_scene_parse(json, "x", &s, NULL), INTRA_OK);
    all = as_text(&s);
    assert_int_equal(intra_read_file(INTRA_TEST_SOURCE "/docs/simulator.md", 1 << 20, &docs, &size, NULL), INTRA_OK);
    for (char *at = strchr(all, '"'); at; at = strchr(at, '"')) {
        char *end = strchr(at + 1, '"'), word[64];
        snprintf(word, sizeof word, "`%.*s`", (int)(end - at - 1), at + 1);
        if (end[1] == ':') {
            keys++;
            if (!strstr(docs, word)) fail_msg("docs/simulator.md says nothing of %s", word);
        }
        at = end + 1;
    }
    assert_true(keys > 120);
    free(all);
    intra_free(docs);
    intra_sim_scene_fini(&s);
}

static void every_failed_allocation_is_survived(void **state)
{
    (void)state;
    for (int n = 1; n < 200; n++) {
        struct intra_sim_scene s;
        enum intra_status status;
        intra_mem_fail_at(n, 1);
        status = intra_sim_scene_parse(intra_sim_preset_json("demo"), "demo", &s, NULL);
        intra_mem_fail_at(0, 0);
        if (status == INTRA_OK) {
            intra_sim_scene_fini(&s);
            assert_true(n > 3);
            return;
        }
        assert_int_equal(status, INTRA_E_MEM);
    }
    fail_msg("never succeeded");
}

static void counter_prints_what_truth_states(void **state)
{
    static const struct {
        const char *unit;
        double metres;
        const char *text;
        double value;
    } rows[] = {
        {"0.01m", 12.348, "12.34 m", 12.34}, {"0.01m", 0.3, "0.30 m", 0.30},    {"0.1m", 12.348, "12.3 m", 12.3},
        {"0.1ft", 3.048, "10.0 ft", 3.048},  {"0.1ft", 1.0, "3.2 ft", 0.97536}, {"0.01m", -0.004, "-0.01 m", -0.01},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct intra_sim_scene s = {0};
        char text[32];
        double v;
        strcpy(s.overlay.unit, rows[i].unit);
        v = intra_sim_counter_text(&s, rows[i].metres, text, sizeof text);
        assert_string_equal(text, rows[i].text);
        assert_true(fabs(v - rows[i].value) < 1e-9);
    }
}

/* Slack: the first 50 mm of every turn do not reach the counter. Late start: the first metre neither. */
static void counter_has_slack_and_starts_late(void **state)
{
    const char *json = "{\"centreline\": [{\"straight_m\": 9}], \"motion\": {\"start_m\": 1, \"phases\": ["
                       "{\"action\": \"drive\", \"distance_m\": 3}, {\"action\": \"reverse\", \"distance_m\": 0.5}]},"
                       "\"overlay\": {\"offset_m\": 10, \"slack_m\": 0.05, \"late_m\": 1, \"scale\": 1.1}}";
    struct intra_sim_scene s;
    struct intra_sim_track track;
    double highest = 0;
    (void)state;
    assert_int_equal(intra_sim_scene_parse(json, "x", &s, NULL), INTRA_OK);
    assert_int_equal(intra_sim_track_make(&s, &track, NULL), INTRA_OK);
    for (int i = 0; i < track.n; i++) {
        const struct sim_moment *m = &track.moments[i];
        if (m->s < 2.05 && m->odometer < 1.05) assert_true(fabs(m->counter - 11.1) < 1e-9);
        highest = fmax(highest, m->counter);
    }
    assert_true(fabs(highest - (10 + 1.1 * (4 - 0.05 - 1))) < 1e-6);
    assert_true(fabs(track.moments[track.n - 1].counter - (10 + 1.1 * (3.5 - 1))) < 1e-6);
    intra_sim_track_fini(&track);
    intra_sim_scene_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_scenes_are_refused_by_name),        cmocka_unit_test(bad_motion_is_refused),
        cmocka_unit_test(presets_are_sound_and_survive_writing), cmocka_unit_test(every_key_is_documented),
        cmocka_unit_test(every_failed_allocation_is_survived),   cmocka_unit_test(counter_prints_what_truth_states),
        cmocka_unit_test(counter_has_slack_and_starts_late)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
