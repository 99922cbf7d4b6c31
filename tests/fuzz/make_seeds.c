/* make_seeds FOLDER: what the fuzzers begin with, one folder a target, all of it made by the program's own writers or
 * by hand here: nothing is kept in the repository. */
#include "made_pair.h"
#include "made_scene.h"

#include "core/camera_file.h"
#include "core/store.h"
#include "export/export.h"
#include "tools/sim/presets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *root;

static void check(enum intra_status status, const struct intra_error *err)
{
    if (status == INTRA_OK) return;
    fprintf(stderr, "%s\n", err->text);
    exit(1);
}

static const char *seed_path(const char *target, int number)
{
    static char path[1100];
    snprintf(path, sizeof path, "%s/%s", root, target);
    mkdir(path, 0777);
    snprintf(path, sizeof path, "%s/%s/%03d", root, target, number);
    return path;
}

static void put(const char *target, int number, const char *text)
{
    FILE *file = fopen(seed_path(target, number), "wb");
    if (!file || fputs(text, file) < 0 || fclose(file) != 0) exit(1);
}

#define OPENCV(n, k)                                                                                                   \
    "%YAML:1.0\n---\nimage_width: 640\nimage_height: 480\ncamera_matrix: !!opencv-matrix\n   rows: 3\n   cols: 3\n"    \
    "   dt: d\n   data: [ 500., 0., 320., 0., 501., 240., 0., 0., 1. ]\ndistortion_coefficients: !!opencv-matrix\n"    \
    "   rows: 1\n   cols: " #n "\n   dt: d\n   data: [ " k " ]\n"

static void camera_seeds(void)
{
    static const char *const texts[] = {
        OPENCV(5, "-0.1, 0.02, 0.001, -0.002, 0.003"),
        OPENCV(12, "0.1, 0.2, 0, 0, 0.3, 0.4, 0.5, 0.6, 0, 0, 0, 0"),
        "{\"image_width\": 640, \"image_height\": 480, \"camera_matrix\": [[500, 0, 320], [0, 501, 240], [0, 0, 1]],\n"
        " \"distortion_coefficients\": [[-0.1, 0.02, 0, 0, 0]]}\n",
        "image_width: 640\nimage_height: 480\ndistortion_model: equidistant\ncamera_matrix: {rows: 3, cols: 3, data: "
        "[500, 0, 320, 0, 501, 240, 0, 0, 1]}\ndistortion_coefficients: {rows: 1, cols: 4, data: [0.01, 0, 0, 0]}\n",
        "# by hand\n{\n  'lensmodel': 'LENSMODEL_OPENCV5', # lens\n  'extrinsics': [0,0,0,0,0,0,],\n  'intrinsics': [ "
        "500, 501, 320, 240, -0.1, 0.02, 0, 0, 0],\n  'imagersize': [ 640, 480,],\n}\n",
        "# camera list\n1 OPENCV 640 480 500 501 320.5 240.5 -0.1 0.02 0 0\n",
        "1 SIMPLE_RADIAL 640 480 500 320.5 240.5 -0.1\n",
        "cam0:\n  camera_model: pinhole\n  intrinsics: [500, 501, 320, 240]\n  distortion_model: radtan\n"
        "  distortion_coeffs: [-0.1, 0.02, 0, 0]\n  resolution: [640, 480]\n"};
    struct intra_camera camera;
    struct intra_error err = {0};
    int n = 0;
    for (; n < (int)(sizeof texts / sizeof texts[0]); n++)
        put("camera", n, texts[n]);
    check(intra_camera_from_hfov(640, 480, 3.2, &camera, &err), &err);
    check(intra_camera_file_write(seed_path("camera", n), &camera, &err), &err);
}

static void scene_seeds(void)
{
    for (int i = 0; i < intra_sim_n_presets; i++)
        put("scene", i, intra_sim_presets[i].json);
}

static void unit_seeds(void)
{
    static const char *const typed[] = {"300mm", "0.3 m",  "12in", "1.5ft", "1'",  "70deg", "1.2rad", "90°",
                                        "12.5s", "1:30.5", "-3",   "1e-3m", "3,5", "25MB",  "1:02:03"};
    for (size_t i = 0; i < sizeof typed / sizeof typed[0]; i++)
        put("units", (int)i, typed[i]);
}

/* Each file of a pair, behind the byte that says which it is (fuzz_evaluate.c). */
static void evaluate_seeds(void)
{
    static const char *const names[] = {"truth/truth.json",     "truth/frames.csv", "truth/centreline.csv",
                                        "truth/trajectory.tum", "out/frames.csv",   "out/trajectory.tum",
                                        "out/profile.csv"};
    struct made_pair pair = made_pair_defaults();
    pair.length_m = 0.8;
    pair.lost_from = 5;
    pair.lost_to = 8;
    seed_path("evaluate", 0);
    made_pair_write(&pair, root);
    for (int i = 0; i < (int)(sizeof names / sizeof names[0]); i++) {
        char path[1100], line[4096];
        FILE *from, *to = fopen(seed_path("evaluate", i), "wb");
        snprintf(path, sizeof path, "%s/%s", root, names[i]);
        from = fopen(path, "rb");
        if (!from || !to) exit(1);
        fputc(i, to);
        while (fgets(line, sizeof line, from))
            fputs(line, to);
        fclose(from);
        if (fclose(to) != 0) exit(1);
    }
}

/* Behind the byte that says which reader (fuzz_record_files.c). */
static void record_seeds(void)
{
    static const char *const texts[] = {
        "A<Identifikation "
        "xmlns=\"n\"><Version>2013-02</Version><Datenkollektive><Zustandsdatenkollektiv><Auftraege><Auftrag>"
        "<Auftragskennung>1</Auftragskennung><Kodiersystem>8</Kodiersystem></Auftrag></Auftraege>"
        "<InspizierteAbwassertechnischeAnlage><Objektbezeichnung>P</Objektbezeichnung><Anlagentyp>1</"
        "Anlagentyp><OptischeInspektion>"
        "<Auftragskennung>1</Auftragskennung><Rohrleitung><Inspektionsrichtung>O</"
        "Inspektionsrichtung><Inspektionsdaten><RZustand>"
        "<Station>1.5</Station><Timecode>00000205</Timecode><InspektionsKode>BAB</InspektionsKode><Streckenschaden>A</"
        "Streckenschaden>"
        "<StreckenschadenLfdNr>1</StreckenschadenLfdNr><PositionVon>12</PositionVon><Klassifizierung><MaxSKeAuto>2</"
        "MaxSKeAuto>"
        "</Klassifizierung></RZustand><RZustand><Station>2.5</Station><InspektionsKode>BAB</"
        "InspektionsKode><Streckenschaden>B"
        "</Streckenschaden><StreckenschadenLfdNr>1</StreckenschadenLfdNr></RZustand></Inspektionsdaten></Rohrleitung>"
        "</OptischeInspektion></InspizierteAbwassertechnischeAnlage><Filme><Film><Filmname>f</"
        "Filmname><Offsets><Offset><TcFrameNr>5"
        "</TcFrameNr><MPEGFrameNr>0</MPEGFrameNr></Offset></Offsets><FilmObjekte><FilmObjekt><Objektbezeichnung>P</"
        "Objektbezeichnung>"
        "<Typ>1</Typ></FilmObjekt></FilmObjekte></Film></Filme></Zustandsdatenkollektiv></Datenkollektive></"
        "Identifikation>",
        "B<DATA><FD><FD001>04-2010</FD001></FD><HG><HG001>P</HG001><GO><GP><GP001>RAPZ</GP001><GP005>1</GP005></GP></"
        "GO><HI>"
        "<HI101>I</HI101><HZ><HZ001>1,0</HZ001><HZ002>BCA</HZ002><HZ005>A1</HZ005><HZ006>9</HZ006><HZ206>3</HZ206></"
        "HZ></HI></HG></DATA>",
        "C<DATA><ZA/><ZB_A><AAA>P</AAA><AAE><Point srsName=\"RD\"><pos>1 "
        "2</pos></Point></AAE><AAK>A</AAK><ZC><A>BAF</A><B "
        "ADE=\"x\">Z</B><I>001.0</I><N>v|00:01:00</N></ZC></ZB_A></DATA>",
        "D<PROJECT><SURVEYS><SURVEY><HEADER><AAA>P</AAA></HEADER><OBSERVATIONS><OBSERVATION><OBSERVATIONID>1</"
        "OBSERVATIONID><CODE>BAB"
        "</CODE><STR>2</STR></OBSERVATION></OBSERVATIONS><IMAGES><IMAGE><FILENAME>i</FILENAME><OBSERVATIONID>1</"
        "OBSERVATIONID></IMAGE>"
        "</IMAGES></SURVEY></SURVEYS></PROJECT>",
        "E<SurveyGroup><Survey><Header><Direction>D</Direction></Header><Observations><Observation><Distance>1</"
        "Distance><Code>CC</Code>"
        "<ContinuousDefect>S01</ContinuousDefect></Observation></Observations></Survey></SurveyGroup>",
        "F{\"images\":[{\"id\":1,\"file_name\":\"f_12.jpg\",\"width\":9}],\"categories\":[{\"id\":3,\"name\":\"BAB\"}],"
        "\"annotations\":[{\"image_id\":1,\"category_id\":3,\"bbox\":[1,2,3,4]},{\"image_id\":1,\"segmentation\":{"
        "\"size\":[4,5],"
        "\"counts\":[1,2,3,1,11,1,1]}},{\"image_id\":1,\"segmentation\":[[0,0,1,0,1,1]]}]}",
        "G0 0.5 0.5 0.2 0.1 0.7\n1 0.1 0.1 0.2 0.1 0.2 0.3\n",
        "H<annotations><image name=\"f_1.png\" width=\"9\" height=\"9\"><mask label=\"a\" rle=\"1,2,1\" left=\"0\" "
        "top=\"0\" "
        "width=\"2\" height=\"2\"/><polygon label=\"b\" points=\"1,2;3,4;5,6\"/></image><track id=\"0\" "
        "label=\"c\"><box frame=\"1\" "
        "xtl=\"0\" ytl=\"0\" xbr=\"1\" ybr=\"1\"/><box frame=\"9\" outside=\"1\" xtl=\"0\" ytl=\"0\" xbr=\"1\" "
        "ybr=\"1\"/></track>"
        "</annotations>",
        "I{\"IsImperial\":true,\"observations\":[{\"video_frame\":5,\"Distance\":17.1,\"code\":\"CL\",\"Continuous\":"
        "\"S01\","
        "\"Clock_At_From\":2,\"bounding_boxes\":[[1,2,3,4]],\"Grade\":3}]}"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        put("record_files", (int)i, texts[i]);
}

static void project_seeds(void)
{
    struct made_pipe pipe = made_pipe_defaults();
    struct intra_scene scene;
    struct intra_store *store = NULL;
    struct intra_error err = {0};
    pipe.length_m = 0.4;
    pipe.texel_m = 0.01;
    made_scene_init(&scene, &pipe, root);
    check(intra_export_tiff(&scene, INTRA_TIFF_COLOUR, seed_path("wall", 0), NULL, &err), &err);
    check(intra_export_tiff(&scene, INTRA_TIFF_RELIEF, seed_path("wall", 1), NULL, &err), &err);
    check(intra_export_tiff(&scene, INTRA_TIFF_COVERAGE, seed_path("wall", 2), NULL, &err), &err);
    check(intra_store_create(seed_path("store", 0), &store, &err), &err);
    check(intra_store_write_scene(store, &scene, &err), &err);
    check(intra_store_write_meta(store, "input_path", "video.mp4", &err), &err);
    check(intra_store_commit(store, &err), &err);
    intra_store_close(&store);
    intra_scene_fini(&scene);
}

int main(int argc, char **argv)
{
    if (argc != 2) return 2;
    root = argv[1];
    mkdir(root, 0777);
    camera_seeds();
    scene_seeds();
    unit_seeds();
    evaluate_seeds();
    record_seeds();
    project_seeds();
    return 0;
}
