/* The text tables: quoting, numbers, headers and columns as the contract has them, blanks where nothing is known, poses
 * that read back. Does not prove that the numbers put into the scene are right. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/fileio.h"
#include "core/mem.h"
#include "export/export.h"
#include "export/text.h"
#include "made_scene.h"

#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char folder[256];
static struct intra_scene scene;
static struct made_pipe pipe_made;

static int make_scene(void **state)
{
    (void)state;
    made_folder(folder, sizeof folder);
    pipe_made = made_pipe_defaults();
    pipe_made.texel_m = 0.01;
    made_scene_init(&scene, &pipe_made, folder);
    return 0;
}

static int drop_scene(void **state)
{
    (void)state;
    intra_scene_fini(&scene);
    made_remove_folder(folder);
    return 0;
}

/* The table as lines; line 0 is the header. */
struct table {
    char *text;
    char *lines[4096];
    int n;
};

static void read_table(struct table *table, const char *path)
{
    struct intra_error err = {0};
    size_t size;
    char *at;
    assert_int_equal(intra_read_file(path, 1 << 24, &table->text, &size, &err), INTRA_OK);
    assert_null(strchr(table->text, '\r'));
    assert_int_equal(table->text[size - 1], '\n');
    table->n = 0;
    for (at = table->text; *at; table->n++) {
        table->lines[table->n] = at;
        at = strchr(at, '\n');
        *at++ = '\0';
    }
}

/* Field `index` of a line without quotes. */
static const char *field(const char *line, int index)
{
    static char out[256];
    size_t n;
    while (index--)
        line = strchr(line, ',') + 1;
    n = strcspn(line, ",");
    memcpy(out, line, n);
    out[n] = '\0';
    return out;
}

static int count_fields(const char *line)
{
    int n = 1;
    for (; *line; line++)
        n += *line == ',';
    return n;
}

static void csv_quoting(void **state)
{
    static const char *const cases[][2] = {{"plain", "plain"},
                                           {"", ""},
                                           {"a,b", "\"a,b\""},
                                           {"say \"hi\"", "\"say \"\"hi\"\"\""},
                                           {"two\nlines", "\"two\nlines\""},
                                           {" blank first", "\" blank first\""},
                                           {"blank last ", "\"blank last \""},
                                           {"semi;colon", "semi;colon"}};
    size_t i;
    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *out = NULL;
        size_t size;
        int column = 0;
        FILE *stream = open_memstream(&out, &size);
        intra_csv_text(stream, &column, cases[i][0]);
        fclose(stream);
        assert_string_equal(out, cases[i][1]);
        free(out);
    }
}

static void numbers_in_text(void **state)
{
    static const struct {
        double value;
        int decimals;
        const char *text;
    } cases[] = {
        {1.25, 2, "1.25"}, {-0.001, 2, "0.00"},   {-0.0, 3, "0.000"},   {NAN, 3, ""},   {INFINITY, 3, ""},
        {-1.5, 0, "-2"},   {1e6, 1, "1000000.0"}, {-0.006, 2, "-0.01"}, {1e300, 2, ""}, {12345.678, 4, "12345.6780"}};
    size_t i;
    char out[64];
    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(intra_text_number(cases[i].value, cases[i].decimals, out), cases[i].text);
    if (setlocale(LC_NUMERIC, "de_DE.UTF-8")) {
        assert_string_equal(intra_text_number(1.25, 2, out), "1.25");
        setlocale(LC_NUMERIC, "C");
    }
}

/* The way without printf rounds as printf does: halves, what lies just beside them, all sizes and signs. */
static void numbers_as_printf_has_them(void **state)
{
    uint64_t seed = 88172645463325252ull;
    (void)state;
    for (int i = 0; i < 200000; i++) {
        int decimals = i % 8;
        double scale = 1, value;
        char want[64], out[64];
        for (int k = 0; k < i / 8 % 9; k++)
            scale *= 10;
        seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
        value = ((double)(seed >> 11) / 9007199254740992.0 - 0.5) * scale;
        if (i % 3 == 0) value = floor(value * 2000) / 2000; /* halves of the third decimal, as near as doubles come */
        snprintf(want, sizeof want, "%.*f", decimals, value);
        if (want[0] == '-' && strspn(want, "-0.") == strlen(want)) memmove(want, want + 1, strlen(want));
        assert_string_equal(intra_text_number(value, decimals, out), want);
    }
    for (int i = 0; i < 3; i++) {
        static const int64_t values[] = {0, INT64_MIN, INT64_MAX};
        char want[24], out[24];
        snprintf(want, sizeof want, "%" PRId64, values[i]);
        assert_ptr_equal(intra_text_integer(values[i], out), out + strlen(want));
        assert_string_equal(out, want);
    }
}

static void clock_wraps_after_rounding(void **state)
{
    char out[64];
    (void)state;
    assert_string_equal(intra_text_clock(0, out), "12.0");
    assert_string_equal(intra_text_clock(M_PI / 2, out), "3.0");
    assert_string_equal(intra_text_clock(-M_PI / 2, out), "9.0");
    assert_string_equal(intra_text_clock((12.96 - 12) * M_PI / 6, out), "1.0");
    assert_string_equal(intra_text_clock((12.94 - 12) * M_PI / 6, out), "12.9");
    assert_string_equal(intra_text_clock(-0.01 * M_PI / 6, out), "12.0");
    assert_string_equal(intra_text_clock(NAN, out), "");
}

static void frames_table(void **state)
{
    struct intra_error err = {0};
    struct table table;
    char path[512];
    int i, posed = 0;
    (void)state;
    assert_int_equal(intra_export_frames(&scene, made_path(path, sizeof path, folder, "frames.csv"), &err), INTRA_OK);
    read_table(&table, path);
    assert_string_equal(table.lines[0], "index,t,state,station_m,station_sd_m,counter_m,segment,roll_sd_deg");
    assert_int_equal(table.n, scene.n_frames + 1);
    assert_string_equal(table.lines[1], "0,0.000000,drive,0.0000,0.0000,0.5000,0,0.00");
    assert_string_equal(table.lines[4], "3,0.120000,drive,0.1200,0.0001,,0,0.00");
    for (i = 1; i < table.n; i++) {
        const struct intra_frame_record *frame = &scene.frames[i - 1];
        assert_int_equal(count_fields(table.lines[i]), 8);
        assert_int_equal(field(table.lines[i], 3)[0] != '\0', frame->is_posed);
        assert_int_equal(field(table.lines[i], 6)[0] != '\0', frame->is_posed);
        assert_int_equal(field(table.lines[i], 7)[0] != '\0', frame->is_posed);
        if (!frame->is_posed) assert_string_equal(field(table.lines[i], 2), "lost");
        posed += frame->is_posed;
    }
    assert_in_range(posed, 80, 99); /* the case has both kinds */
    intra_free(table.text);
}

static void profile_table(void **state)
{
    static const char header[] =
        "station_m,x,y,z,diameter_min_mm,diameter_max_mm,diameter_mean_mm,perimeter_mm,ovality_pct,ovality_max_pct,min_"
        "clock,"
        "water_level_pct,heading_deg,grade_pct,station_m_sd,x_sd,y_sd,z_sd,diameter_min_mm_sd,diameter_max_mm_sd,"
        "diameter_mean_mm_sd,perimeter_mm_sd,ovality_pct_sd,ovality_max_pct_sd,min_clock_sd,water_level_pct_sd,"
        "heading_deg_sd,grade_pct_sd";
    struct intra_error err = {0};
    struct table table;
    char path[512];
    int i, unseen = 0;
    (void)state;
    assert_int_equal(intra_export_profile(&scene, made_path(path, sizeof path, folder, "profile.csv"), &err), INTRA_OK);
    read_table(&table, path);
    assert_string_equal(table.lines[0], header);
    assert_int_equal(table.n, scene.n_sections + 1);
    for (i = 1; i < table.n; i++) {
        const struct intra_section *section = &scene.sections[i - 1];
        assert_int_equal(count_fields(table.lines[i]), 28);
        assert_true(fabs(atof(field(table.lines[i], 0)) - section->station_m) < 1e-4);
        if (!section->is_seen) {
            unseen++;
            assert_int_equal(strspn(strchr(table.lines[i], ','), ","), 27); /* nothing but commas */
            continue;
        }
        assert_true(fabs(atof(field(table.lines[i], 1)) - section->centre.x) < 1e-4);
        assert_string_equal(field(table.lines[i], 4), "291.00");
        assert_string_equal(field(table.lines[i], 5), "309.00");
        assert_string_equal(field(table.lines[i], 8), "3.000");
        assert_string_equal(field(table.lines[i], 10), "3.0"); /* narrowest from 3 to 9 o'clock */
        assert_string_equal(field(table.lines[i], 11), "");    /* no water */
        assert_true(fabs(atof(field(table.lines[i], 12)) - section->heading_rad * 180 / M_PI) < 1e-3);
        assert_true(fabs(atof(field(table.lines[i], 14)) - 0.001 * section->station_m) < 1.3e-4);
        assert_string_equal(field(table.lines[i], 18), "1.20");
        assert_string_equal(field(table.lines[i], 24), "0.19"); /* 0.1 rad in hours */
    }
    assert_in_range(unseen, 8, 12);
    intra_free(table.text);
}

static void trajectory_reads_back(void **state)
{
    struct intra_error err = {0};
    struct table table;
    char path[512];
    int i, k, line = 0;
    (void)state;
    scene.frames[5].world_from_cam.r = intra_rotation_exp(intra_vec3(0.3, -2.1, 0.7));
    scene.frames[5].world_from_cam.t = intra_vec3(1.5, -0.25, 0.125);
    assert_int_equal(intra_export_trajectory(&scene, made_path(path, sizeof path, folder, "t.tum"), &err), INTRA_OK);
    read_table(&table, path);
    for (i = 0; i < scene.n_frames; i++) {
        double t, x, y, z;
        struct intra_quat q;
        struct intra_mat3 r;
        if (!scene.frames[i].is_posed) continue;
        assert_true(line < table.n);
        assert_int_equal(
            sscanf(table.lines[line++], "%lf %lf %lf %lf %lf %lf %lf %lf", &t, &x, &y, &z, &q.x, &q.y, &q.z, &q.w), 8);
        assert_true(fabs(t - scene.frames[i].pts_s) < 1e-6);
        assert_true(fabs(x - scene.frames[i].world_from_cam.t.x) < 1e-6);
        assert_true(fabs(y - scene.frames[i].world_from_cam.t.y) < 1e-6);
        assert_true(fabs(z - scene.frames[i].world_from_cam.t.z) < 1e-6);
        r = intra_quat_to_mat3(q);
        for (k = 0; k < 9; k++)
            assert_true(fabs(r.m[k / 3][k % 3] - scene.frames[i].world_from_cam.r.m[k / 3][k % 3]) < 1e-8);
    }
    assert_int_equal(line, table.n);
    intra_free(table.text);
}

static void observations_table(void **state)
{
    struct intra_error err = {0};
    struct table table;
    char path[512];
    int i;
    (void)state;
    assert_int_equal(intra_export_observations(&scene, NULL, 0, made_path(path, sizeof path, folder, "obs.csv"), &err),
                     INTRA_OK);
    read_table(&table, path);
    assert_string_equal(
        table.lines[0],
        "id,code,kind,station_from_m,station_to_m,clock_from,clock_to,length_mm,width_mm,area_mm2,x,y,z,"
        "frame,t,source,confidence,station_sd_m,clock_sd,length_sd_mm,width_sd_mm,area_sd_mm2,x_sd,y_sd,z_sd,"
        "offset_mm,offset_clock,deflection_deg,deflection_clock,offset_sd_mm,offset_clock_sd,deflection_sd_deg,"
        "diameter_mm,diameter_sd_mm,intrusion_mm,intrusion_sd_mm,bend_deg,bend_sd_deg,bend_radius_m,bend_radius_sd_m,"
        "bend_clock,level_pct,level_sd_pct,clock_deg,clock_sd_deg,inspection,"
        "record_id,code_system,characterisation_1,characterisation_2,text,remark,grade_scale,grade,is_refined,placed,"
        "width_limit_mm,depth_mm,depth_sd_mm,ring_share_pct,ring_share_sd_pct,section_loss_pct,section_loss_sd_pct,"
        "volume_l,volume_sd_l,opening_mm,opening_sd_mm,resolution_mm");
    assert_int_equal(table.n, 1 + 3);
    for (i = 1; i < table.n; i++) {
        assert_int_equal(count_fields(table.lines[i]), 68);
        assert_string_equal(field(table.lines[i], 2), "joint");
        assert_string_equal(field(table.lines[i], 15), "found");
        assert_true(fabs(atof(field(table.lines[i], 3)) - i) < 1e-9);
        assert_true(fabs(atof(field(table.lines[i], 10)) - sin(0.04 * i) / 0.04) < 1e-3);
        assert_string_equal(field(table.lines[i], 17), "0.0020");
        assert_string_equal(field(table.lines[i], 8), "8.00");              /* the gap */
        assert_string_equal(field(table.lines[i], 1), i == 1 ? "" : "BAJ"); /* the others are 14 mm off */
        assert_string_equal(field(table.lines[i], 25), i == 1 ? "" : "14.00");
        assert_string_equal(field(table.lines[i], 26), i == 1 ? "" : "3.0");
        assert_string_equal(field(table.lines[i], 27), "");
        assert_string_equal(field(table.lines[i], 29), i == 1 ? "" : "1.00");
    }
    /* Joint 1 at 1.0 m: the frame that stood one diameter before it, 0.7 m, is number 17 or 18 (4 cm a frame). */
    assert_in_range(atoi(field(table.lines[1], 13)), 17, 18);
    /* Joint 3 at 3.0 m: 2.7 m lies in the gap; the nearest posed frame stood at 2.8 m. */
    assert_in_range(atoi(field(table.lines[3], 13)), 70, 71);
    intra_free(table.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv_quoting),
        cmocka_unit_test(numbers_in_text),
        cmocka_unit_test(numbers_as_printf_has_them),
        cmocka_unit_test(clock_wraps_after_rounding),
        cmocka_unit_test(frames_table),
        cmocka_unit_test(profile_table),
        cmocka_unit_test(trajectory_reads_back),
        cmocka_unit_test(observations_table),
    };
    return cmocka_run_group_tests_name("tables", tests, make_scene, drop_scene);
}
