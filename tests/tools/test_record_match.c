/* Proves: from lines of text as they are read off a video the one inspection is taken that they name, by nodes, pipe
 * and date, with letters mistaken; none where two could be it, where the date or the diameter says otherwise, or where
 * a name is read once only or is a part of another word. Through the real program: a video with a header, a file with
 * several inspections, no --inspection. Does not prove how often text on real video is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/mem.h"
#include "core/store.h"
#include "core/video.h"
#include "made_scene.h"
#include "program.h"
#include "tools/record_match.h"
#include "tools/sim/sim_font.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct one {
    const char *id, *pipe, *start, *end, *date;
    double height_m;
} list[] = {{"11", "K-0101", "10233", "10234", "2024-03-12", 0.3},
            {"12", "K-0102", "10234", "10235", "2024-03-12", 0.3},
            {"13", "K-0102", "10234", "10235", "2021-07-05", 0.3},
            {"14", "Haltung", "MH17", "MH18", "2024-12-03", 0.25},
            {"15", "K-0104", "1", "2", NULL, 0.3},
            {"16", "K-0105", "10235", "10234", "2024-03-13", NAN}};
enum { N = sizeof list / sizeof list[0] };

static void fill(struct intra_record *r)
{
    intra_record_init(r);
    for (int i = 0; i < N; i++) {
        struct intra_inspection *p;
        assert_int_equal(intra_record_add_inspection(r, &p, NULL), INTRA_OK);
        assert_int_equal(intra_text_set(&p->id, list[i].id, NULL), INTRA_OK);
        assert_int_equal(intra_text_set(&p->pipe, list[i].pipe, NULL), INTRA_OK);
        assert_int_equal(intra_text_set(&p->node_start, list[i].start, NULL), INTRA_OK);
        assert_int_equal(intra_text_set(&p->node_end, list[i].end, NULL), INTRA_OK);
        assert_int_equal(intra_text_set(&p->date, list[i].date, NULL), INTRA_OK);
        p->height_m = list[i].height_m;
    }
}

static void text_names_one_or_none(void **state)
{
    static const struct {
        const char *looks[3];
        double diameter_m;
        const char *id; /* NULL: none */
    } cases[] = {
        {{"4711 Oberdorf\n10234 -> 10235 Mischwasser\n12.03.24", "10234 -> 10235\n12.03.24 LZ1: 0.4 m"}, NAN, "12"},
        {{"10234 -> 10235\n05.07.2021", "1O234 - lO235\n05.07.2021"}, 0.3, "13"},  /* O for 0, l for 1 */
        {{"10234 -> 10235", "10234 -> 10235"}, NAN, NULL},                         /* three surveys of it */
        {{"10235 10234\n13.03.2024", "10235 10234\n13.03.2024"}, NAN, "16"},       /* the others are of other days */
        {{"10234 -> 10235\n12.03.24", "noise"}, NAN, NULL},                        /* read once */
        {{"10234 -> 10235\n12.03.24"}, NAN, "12"},                                 /* there is one look only */
        {{"10234 -> 10235\n12.03.24", "10234 -> 10235\n12.03.24"}, 0.4, NULL},     /* of another pipe */
        {{"110234 -> 102355\n12.03.24", "110234 -> 102355\n12.03.24"}, NAN, NULL}, /* parts of other names */
        {{"MH 17 TO MH 18\n12/03/24", "MH 17 TO MH 18\n12/03/24"}, NAN, "14"},     /* month first */
        {{"MH 17 TO MH 18\n12/04/24", "MH 17 TO MH 18\n12/04/24"}, NAN, NULL},
        {{"10234 -> 10235\n12.03.20 24\n12.03.24", "10234 -> 10235\n12.03.20 24\n12.03.24"},
         NAN,
         "12"}, /* torn apart */
        {{"MH 17 TO MH 18", "MH 17 TO MH 18"}, NAN, "14"},
        {{"pipe 1 to 2\n", "pipe 1 to 2"}, NAN, NULL}, /* names too short to be sure of */
        {{"K-0104 DN300", "K 0104 DN300"}, NAN, "15"},
        {{"Haltung", "Haltung"}, NAN, NULL}, /* a word is no name */
        {{"K-0104 K-0101", "K-0104 K-0101"}, NAN, NULL},
        {{"", ""}, NAN, NULL},
    };
    struct intra_record r;
    char why[200];
    (void)state;
    fill(&r);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int n = cases[i].looks[1] ? 2 : 1;
        int64_t at = intra_record_match(cases[i].looks, n, cases[i].diameter_m, &r, why, sizeof why);
        const char *id = at < 0 ? NULL : list[at].id;
        if ((id == NULL) != (cases[i].id == NULL) || (id && strcmp(id, cases[i].id) != 0))
            fail_msg("case %zu: %s, should be %s", i, id ? id : "none", cases[i].id ? cases[i].id : "none");
    }
    assert_int_equal(intra_record_match(cases[0].looks, 0, NAN, &r, why, sizeof why), -1);
    intra_record_fini(&r);
}

enum { ROWS = 288, COLS = 384, FRAMES = 40 };

static void write_text(struct intra_sim_fonts *fonts, const char *text, int y, const struct intra_view_u8 *rgb)
{
    static uint8_t mask[ROWS * COLS];
    int width;
    memset(mask, 0, sizeof mask);
    assert_int_equal(intra_sim_font_draw(fonts, "bold", text, 20, 16, y, mask, COLS, ROWS, &width, NULL), INTRA_OK);
    for (int r = 0; r < ROWS; r++)
        for (int c = 0; c < COLS * 3; c++) {
            uint8_t *p = &intra_row_u8(rgb, r)[c];
            *p = (uint8_t)(*p + (255 - *p) * mask[r * COLS + c / 3] / 255);
        }
}

/* Texture that changes under a header that stands still. */
static void make_video(const char *path)
{
    struct intra_video_writer_options options = {
        .width = COLS, .height = ROWS, .fps_num = 10, .fps_den = 1, .codec = "mjpeg"};
    struct intra_video_writer *writer = NULL;
    struct intra_sim_fonts *fonts = NULL;
    struct intra_view_u8 rgb;
    struct intra_error err = {0};
    assert_int_equal(intra_image_u8_init(&rgb, ROWS, COLS, 3, &err), INTRA_OK);
    assert_int_equal(intra_sim_fonts_open(&fonts, &err), INTRA_OK);
    assert_int_equal(intra_video_writer_open(path, &options, &writer, &err), INTRA_OK);
    for (int i = 0; i < FRAMES; i++) {
        unsigned seed = (unsigned)i + 1;
        for (int r = 0; r < ROWS; r++)
            for (int c = 0; c < COLS * 3; c++) {
                seed = seed * 1103515245u + 12345u;
                intra_row_u8(&rgb, r)[c] = (uint8_t)(60 + (int)(seed >> 16) % 14);
            }
        write_text(fonts, "10234 -> 10235", 16, &rgb);
        write_text(fonts, "12.03.2024", 250, &rgb);
        assert_int_equal(intra_video_writer_put(writer, &rgb, i, &err), INTRA_OK);
    }
    assert_int_equal(intra_video_writer_close(&writer, &err), INTRA_OK);
    intra_sim_fonts_close(&fonts);
    intra_image_u8_fini(&rgb);
}

static void make_project(const char *video)
{
    struct intra_scene scene;
    struct intra_store *store = NULL;
    struct intra_error err = {0};
    struct made_pipe pipe = made_pipe_defaults();
    char path[300];
    program_shell("rm -rf '%s/a' && mkdir '%s/a'", program_dir, program_dir);
    made_scene_init(&scene, &pipe, program_dir);
    snprintf(path, sizeof path, "%s/a/project.sqlite", program_dir);
    assert_int_equal(intra_store_create(path, &store, &err), INTRA_OK);
    assert_int_equal(intra_store_write_meta(store, "input_path", video, &err), INTRA_OK);
    assert_int_equal(intra_store_write_scene(store, &scene, &err), INTRA_OK);
    assert_int_equal(intra_store_commit(store, &err), INTRA_OK);
    intra_store_close(&store);
    intra_scene_fini(&scene);
}

static void put_record(const char *name, const char *date)
{
    char path[300];
    FILE *f;
    snprintf(path, sizeof path, "%s/%s", program_dir, name);
    f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f,
            "{\"intrados_record\": 1, \"inspections\": ["
            "{\"id\": \"1\", \"pipe\": \"P-1\", \"node_start\": \"10233\", \"node_end\": \"10234\", \"date\": "
            "\"2024-03-12\", "
            "\"observations\": [{\"station_m\": 0.3, \"code\": \"BAB\"}]}, "
            "{\"id\": \"2\", \"pipe\": \"P-2\", \"node_start\": \"10234\", \"node_end\": \"10235\", \"date\": \"%s\", "
            "\"observations\": [{\"station_m\": 0.3, \"code\": \"BAC\"}]}]}",
            date);
    assert_int_equal(fclose(f), 0);
}

static void the_program_asks_the_video(void **state)
{
    char video[300];
    struct program_run run;
    (void)state;
    snprintf(video, sizeof video, "%s/v.mkv", program_dir);
    make_video(video);
    make_project(video);
    put_record("two.json", "2024-03-12");
    put_record("other.json", "2020-03-12");
    run = program_done(program_dir, "import a two.json --json");
    assert_non_null(strstr(run.out, "\"inspection\": \"2\""));
    program_free(&run);
    run = program_done(program_dir, "export a -o matched.json --record two.json");
    assert_non_null(strstr(run.err, "the text in the video names 2 (nodes 10234 and 10235, date 2024-03-12)"));
    program_free(&run);
    run = program_done(program_dir, "import a two.json --inspection 1");
    assert_null(strstr(run.err, "the text in the video"));
    program_free(&run);
    program_expect(program_dir, "import a other.json", 2, "holds 2 inspections; choose one with --inspection");
    make_project("gone.mkv");
    program_expect(program_dir, "import a two.json", 2, "holds 2 inspections; choose one with --inspection");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(text_names_one_or_none),
                                       cmocka_unit_test(the_program_asks_the_video)};
    return cmocka_run_group_tests(tests, program_make_dir, program_remove_dir);
}
