/* make_seeds FOLDER RECORDS: what the fuzzers begin with, one folder a target, made by the program's own writers or by
 * hand here, and copied from RECORDS (tests/data/records). */
#include "made_mdb.h"
#include "made_pair.h"
#include "made_scene.h"

#include "core/camera_file.h"
#include "core/dbfile.h"
#include "core/store.h"
#include "export/export.h"
#include "export/record.h"
#include "tools/sim/presets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *root, *records;

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

/* A file of tests/data/records, or several with a line "==" between (fuzz_records.c). */
static void copy_seed(const char *target, int number, const char *const *names, int n)
{
    FILE *to = fopen(seed_path(target, number), "wb");
    if (!to) exit(1);
    for (int i = 0; i < n; i++) {
        char path[1100], bytes[4096];
        size_t got;
        FILE *from;
        snprintf(path, sizeof path, "%s/%s", records, names[i]);
        from = fopen(path, "rb");
        if (!from) exit(1);
        if (i) fputs("\n==\n", to);
        while ((got = fread(bytes, 1, sizeof bytes, from)) > 0)
            fwrite(bytes, 1, got, to);
        fclose(from);
    }
    if (fclose(to) != 0) exit(1);
}

/* A database of the tables that WinCan has, by hand. */
static void wincan_seed(void)
{
    static const char *const names[] = {"SECTION", "NODE", "SECINSP", "SECOBS", "SECOBSMM"};
    static const char *const columns[5][16] = {
        {"OBJ_PK", "OBJ_Key", "OBJ_FromNode_REF", "OBJ_ToNode_REF", "OBJ_Size1", "OBJ_Length", "OBJ_Deleted"},
        {"OBJ_PK", "OBJ_Key"},
        {"INS_PK", "INS_Section_FK", "INS_InspectionDir", "INS_StartDate", "INS_Standard", "INS_RateText"},
        {"OBS_PK", "OBS_Inspection_FK", "OBS_Distance", "OBS_OpCode", "OBS_CD_Code1", "OBS_ClockPos1", "OBS_ClockPos2",
         "OBS_TimeCtr", "OBS_GradeS", "OBS_Q1_Value", "OBS_U1_Value", "OBS_Memo", "OBS_SortOrder"},
        {"OMM_PK", "OMM_Observation_FK", "OMM_Type", "OMM_FileName"}};
    static const char *const rows[][16] = {
        {"s1", "L-9", "n1", "n2", "250", "18.4"},
        {"n1", "N1"},
        {"n2", "N2"},
        {"i1", "s1", "1", "2026-02-03 08:30:00", "EN13508", "3"},
        {"o1", "i1", "1.5", "BAB", "A01", "10", "2", "00:00:12", "2", "1.5", "mm", "a", "1"},
        {"o2", "i1", "4", "BAB", "B01", "10", "2", "00:00:30", "2", "1.5", "mm", "<b>", "2"},
        {"m1", "o1", "PI1", "a1.jpg"}};
    static const int table_of[] = {0, 1, 1, 2, 3, 3, 4};
    struct intra_sheet sheets[5] = {{0}};
    struct intra_error err = {0};
    for (int t = 0; t < 5; t++)
        for (int c = 0; c < 16 && columns[t][c]; c++)
            check(intra_sheet_add_column(&sheets[t], columns[t][c], &err), &err);
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        struct intra_sheet *t = &sheets[table_of[r]];
        check(intra_sheet_add_row(t, &err), &err);
        for (int c = 0; c < t->n_cols && rows[r][c]; c++)
            check(intra_sheet_set(t, t->n_rows - 1, c, rows[r][c], &err), &err);
    }
    check(intra_dbfile_write(seed_path("record_wincan_db3", 0), sheets, names, 5, &err), &err);
    for (int t = 0; t < 5; t++)
        intra_sheet_fini(&sheets[t]);
}

static void record_seeds(void)
{
    static const struct {
        const char *target, *file;
    } single[] = {{"record_own_csv", "csv/pipe.csv"},       {"record_own_json", "json/pipe.json"},
                  {"record_en_text", "en-text/pipe.txt"},   {"record_isybau", "isybau/pipe.xml"},
                  {"record_dwa_m150", "dwa-m150/pipe.xml"}, {"record_ribx", "ribx/pipe.ribx"},
                  {"record_wsaa", "wsaa/pipe.xml"},         {"record_mscc", "mscc/pipe.xml"},
                  {"record_coco", "coco/boxes.json"},       {"record_coco", "coco/results.json"},
                  {"record_cvat", "cvat/boxes.xml"},        {"record_sewerai", "sewerai/boxes.json"}};
    static const char *const pacp[] = {"pacp-csv/PACP_Inspections.csv", "pacp-csv/PACP_Conditions.csv",
                                       "pacp-csv/PACP_Media_Inspections.csv", "pacp-csv/PACP_Media_Conditions.csv"};
    static const char *const yolo[] = {"yolo/data.yaml", "yolo/labels/l9_frame_000120.txt"};
    struct intra_record record;
    struct intra_error err = {0};
    char path[1100];
    for (size_t i = 0; i < sizeof single / sizeof single[0]; i++)
        copy_seed(single[i].target, (int)i, &single[i].file, 1);
    copy_seed("record_pacp_csv", 0, pacp, 4);
    copy_seed("record_yolo", 0, yolo, 2);
    made_mdb_pipe(seed_path("record_pacp_mdb", 0), 7);
    wincan_seed();
    snprintf(path, sizeof path, "%s/pacp-csv", records);
    check(intra_record_read(path, INTRA_RECORD_NONE, &record, &err), &err);
    check(intra_record_write(&record, INTRA_RECORD_PACP_SQLITE, seed_path("record_pacp_sqlite", 0), &err), &err);
    check(intra_record_write(&record, INTRA_RECORD_OWN_JSON, seed_path("record_own_json", 100), &err), &err);
    intra_record_fini(&record);
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
    if (argc != 3) return 2;
    root = argv[1];
    records = argv[2];
    mkdir(root, 0777);
    camera_seeds();
    scene_seeds();
    unit_seeds();
    evaluate_seeds();
    record_seeds();
    project_seeds();
    return 0;
}
