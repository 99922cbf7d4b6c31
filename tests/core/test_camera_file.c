/* Proves: every format and every lens model in it comes out with the right numbers in the right fields, broken files
 * give one error that names the file and the field, a written camera reads back to the last bit, reading survives every
 * failing allocation. Does not prove: the lens formulas themselves (test_camera), nor that real calibration programs
 * write nothing else than this. */
#include "core/camera_file.h"
#include "core/mem.h"
#include "lenses.h"
#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#define OPENCV_HEAD "%YAML:1.0\n---\nimage_width: 640\nimage_height: 480\n"
#define OPENCV_MATRIX                                                                                                  \
    "camera_matrix: !!opencv-matrix\n   rows: 3\n   cols: 3\n   dt: d\n"                                               \
    "   data: [ 500., 0., 320., 0.,\n       501., 240., 0., 0., 1. ]\n"
#define OPENCV_K(n, data)                                                                                              \
    "distortion_coefficients: !!opencv-matrix\n   rows: 1\n   cols: " #n "\n   dt: d\n   data: [ " data " ]\n"
#define KALIBR(model, dist, k)                                                                                         \
    "cam0:\n  camera_model: " model "\n  intrinsics: [500, 501, 320, 240]\n  distortion_model: " dist                  \
    "\n  distortion_coeffs: [" k "]\n  resolution: [640, 480]\ncam1:\n  camera_model: omni\n"
#define MRCAL(model, k)                                                                                                \
    "# made by hand\n{\n  'lensmodel': '" model "', # the lens\n  'extrinsics': [0,0,0,0,0,0,],\n"                     \
    "  'optimization_inputs': b'a\\'{[#,:]',\n  'other': {'x': [1, (2, 3)], 'y': None},\n"                             \
    "  'intrinsics': [ 500, 501, 320, 240, " k "],\n  'imagersize': [ 640, 480,],\n}\n"

struct good_case {
    const char *name, *text;
    enum intra_camera_model model;
    double shift; /* of the principal point against (320, 240) */
    bool is_one_focal;
    double k[INTRA_CAMERA_MAX_K];
};

static const struct good_case good[] = {
    {"OpenCV 5",
     OPENCV_HEAD OPENCV_MATRIX OPENCV_K(5, "-0.1, 0.02, 0.001, -0.002, 0.003"),
     INTRA_CAMERA_BROWN,
     0,
     false,
     {-0.1, 0.02, 0.001, -0.002, 0.003}},
    {"OpenCV 4 column",
     OPENCV_HEAD OPENCV_MATRIX "distortion_coefficients: !!opencv-matrix\n   rows: 4\n   cols: 1\n   dt: d\n"
                               "   data: [ -1.0000000000000000e-01, 2.e-2, 0., 0. ]\n",
     INTRA_CAMERA_BROWN,
     0,
     false,
     {-0.1, 0.02}},
    {"OpenCV 8",
     OPENCV_HEAD OPENCV_MATRIX OPENCV_K(8, "0.1, 0.2, 0.001, 0.002, 0.3, 0.4, 0.5, 0.6"),
     INTRA_CAMERA_BROWN,
     0,
     false,
     {0.1, 0.2, 0.001, 0.002, 0.3, 0.4, 0.5, 0.6}},
    {"OpenCV 12",
     OPENCV_HEAD OPENCV_MATRIX OPENCV_K(12, "0.1, 0.2, 0.001, 0.002, 0.3, 0.4, 0.5, 0.6, .001, .002, .003, .004"),
     INTRA_CAMERA_BROWN,
     0,
     false,
     {0.1, 0.2, 0.001, 0.002, 0.3, 0.4, 0.5, 0.6, 0.001, 0.002, 0.003, 0.004}},
    {"OpenCV 14, no tilt",
     OPENCV_HEAD OPENCV_MATRIX OPENCV_K(14, "0.1, 0.2, 0.001, 0.002, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0"),
     INTRA_CAMERA_BROWN,
     0,
     false,
     {0.1, 0.2, 0.001, 0.002}},
    {"OpenCV fisheye_model",
     OPENCV_HEAD OPENCV_MATRIX "fisheye_model: 1\n" OPENCV_K(4, "0.01, -0.004, 0.001, 0.0001"),
     INTRA_CAMERA_KB,
     0,
     false,
     {0.01, -0.004, 0.001, 0.0001}},
    {"OpenCV model: fisheye",
     OPENCV_HEAD "model: fisheye\n" OPENCV_MATRIX OPENCV_K(4, "0.01, -0.004, 0.001, 0.0001"),
     INTRA_CAMERA_KB,
     0,
     false,
     {0.01, -0.004, 0.001, 0.0001}},
    {"OpenCV header with a space, CRLF",
     "%YAML 1.0\r\n---\r\nimage_width: 640\r\nimage_height: 480\r\n"
     "camera_matrix: [[500, 0, 320], [0, 501, 240], [0, 0, 1]]\r\ndistortion_coefficients: [[-0.1, 0.02, 0, 0, 0]]\r\n",
     INTRA_CAMERA_BROWN,
     0,
     false,
     {-0.1, 0.02}},
    {"OpenCV JSON",
     "{\n    \"image_width\": 640,\n    \"image_height\": 480,\n    \"camera_matrix\": {\n"
     "        \"type_id\": \"opencv-matrix\",\n        \"rows\": 3,\n        \"cols\": 3,\n        \"dt\": \"d\",\n"
     "        \"data\": [ 500.0, 0.0, 320.0, 0.0, 501.0, 240.0, 0.0, 0.0, 1.0 ]\n    },\n    "
     "\"distortion_coefficients\": {\n"
     "        \"type_id\": \"opencv-matrix\", \"rows\": 1, \"cols\": 5, \"dt\": \"d\",\n"
     "        \"data\": [ -0.1, 0.02, 0.001, -0.002, 0.003 ]\n    }\n}\n",
     INTRA_CAMERA_BROWN,
     0,
     false,
     {-0.1, 0.02, 0.001, -0.002, 0.003}},
    {"JSON on one line with tabs",
     "\xef\xbb\xbf{\"image_size\":[640,480],\t\"K\":[[500,0,320],[0,501,240],[0,0,1]],"
     "\t\"dist_coeffs\":[-1e-1,2e-2,0,0],\"note\":\"a\\/b\"}",
     INTRA_CAMERA_BROWN,
     0,
     false,
     {-0.1, 0.02}},
    {"ROS plumb_bob",
     "image_width: 640\nimage_height: 480\ncamera_name: c\ncamera_matrix:\n  rows: 3\n  cols: 3\n"
     "  data: [500, 0, 320, 0, 501, 240, 0, 0, 1]\ndistortion_model: plumb_bob\ndistortion_coefficients:\n  rows: 1\n  "
     "cols: 5\n"
     "  data: [-0.1, 0.02, 0.001, -0.002, 0.003]\nprojection_matrix:\n  rows: 3\n  cols: 4\n  data: "
     "[1,0,0,0,0,1,0,0,0,0,1,0]\n",
     INTRA_CAMERA_BROWN,
     0,
     false,
     {-0.1, 0.02, 0.001, -0.002, 0.003}},
    {"ROS equidistant",
     "image_width: 640\nimage_height: 480\ncamera_matrix:\n  rows: 3\n  cols: 3\n"
     "  data: [500, 0, 320, 0, 501, 240, 0, 0, 1]\ndistortion_model: equidistant\ndistortion_coefficients:\n  rows: 1\n"
     "  cols: 4\n  data: [0.01, -0.004, 0.001, 0.0001]\n",
     INTRA_CAMERA_KB,
     0,
     false,
     {0.01, -0.004, 0.001, 0.0001}},
    {"Kalibr radtan",
     KALIBR("pinhole", "radtan", "-0.1, 0.02, 0.001, -0.002"),
     INTRA_CAMERA_BROWN,
     0,
     false,
     {-0.1, 0.02, 0.001, -0.002}},
    {"Kalibr equidistant",
     KALIBR("pinhole", "equidistant", "0.01, -0.004, 0.001, 0.0001"),
     INTRA_CAMERA_KB,
     0,
     false,
     {0.01, -0.004, 0.001, 0.0001}},
    {"Kalibr none", KALIBR("pinhole", "none", ""), INTRA_CAMERA_BROWN, 0, false, {0}},
    {"mrcal PINHOLE", MRCAL("LENSMODEL_PINHOLE", ""), INTRA_CAMERA_BROWN, 0, false, {0}},
    {"mrcal OPENCV4",
     MRCAL("LENSMODEL_OPENCV4", "-0.1, 0.02, 0.001, -0.002"),
     INTRA_CAMERA_BROWN,
     0,
     false,
     {-0.1, 0.02, 0.001, -0.002}},
    {"mrcal OPENCV5",
     MRCAL("LENSMODEL_OPENCV5", "-0.1, 0.02, 0.001, -0.002, 0.003,"),
     INTRA_CAMERA_BROWN,
     0,
     false,
     {-0.1, 0.02, 0.001, -0.002, 0.003}},
    {"mrcal OPENCV8",
     MRCAL("LENSMODEL_OPENCV8", "0.1, 0.2, 0.001, 0.002, 0.3, 0.4, 0.5, 0.6"),
     INTRA_CAMERA_BROWN,
     0,
     false,
     {0.1, 0.2, 0.001, 0.002, 0.3, 0.4, 0.5, 0.6}},
    {"mrcal OPENCV12",
     MRCAL("LENSMODEL_OPENCV12", "0.1, 0.2, 0.001, 0.002, 0.3, 0.4, 0.5, 0.6, .001, .002, .003, .004"),
     INTRA_CAMERA_BROWN,
     0,
     false,
     {0.1, 0.2, 0.001, 0.002, 0.3, 0.4, 0.5, 0.6, 0.001, 0.002, 0.003, 0.004}},
    {"COLMAP SIMPLE_PINHOLE",
     "# CAMERA_ID, MODEL\n1 SIMPLE_PINHOLE 640 480 500 320 240\n",
     INTRA_CAMERA_BROWN,
     -0.5,
     true,
     {0}},
    {"COLMAP PINHOLE", "1 PINHOLE 640 480 500 501 320 240", INTRA_CAMERA_BROWN, -0.5, false, {0}},
    {"COLMAP SIMPLE_RADIAL",
     "7 SIMPLE_RADIAL 640 480 500 320 240 -0.1\r\n8 OPENCV 1 1 1 1 1 1 0 0 0 0\r\n",
     INTRA_CAMERA_BROWN,
     -0.5,
     true,
     {-0.1}},
    {"COLMAP RADIAL", "1 RADIAL 640 480 500 320 240 -0.1 0.02\n", INTRA_CAMERA_BROWN, -0.5, true, {-0.1, 0.02}},
    {"COLMAP OPENCV",
     "1 OPENCV 640 480 500 501 320 240 -0.1 0.02 0.001 -0.002\n",
     INTRA_CAMERA_BROWN,
     -0.5,
     false,
     {-0.1, 0.02, 0.001, -0.002}},
    {"COLMAP FULL_OPENCV",
     "1 FULL_OPENCV 640 480 500 501 320 240 0.1 0.2 0.001 0.002 0.3 0.4 0.5 0.6\n",
     INTRA_CAMERA_BROWN,
     -0.5,
     false,
     {0.1, 0.2, 0.001, 0.002, 0.3, 0.4, 0.5, 0.6}},
    {"COLMAP OPENCV_FISHEYE",
     "1\tOPENCV_FISHEYE\t640 480 500 501 320 240 0.01 -0.004 0.001 0.0001\n",
     INTRA_CAMERA_KB,
     -0.5,
     false,
     {0.01, -0.004, 0.001, 0.0001}},
    {"COLMAP SIMPLE_RADIAL_FISHEYE",
     "1 SIMPLE_RADIAL_FISHEYE 640 480 500 320 240 0.01\n",
     INTRA_CAMERA_KB,
     -0.5,
     true,
     {0.01}},
    {"COLMAP RADIAL_FISHEYE",
     "1 RADIAL_FISHEYE 640 480 500 320 240 0.01 -0.004\n",
     INTRA_CAMERA_KB,
     -0.5,
     true,
     {0.01, -0.004}},
};

static void every_format_fills_the_right_fields(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct intra_camera cam;
        struct intra_error err = {0};
        if (intra_camera_file_read(scratch_file("good", good[i].text), &cam, &err) != INTRA_OK)
            fail_msg("%s: %s", good[i].name, err.text);
        bool is_right = cam.model == good[i].model && cam.width == 640 && cam.height == 480 && cam.fx == 500 &&
                        cam.fy == (good[i].is_one_focal ? 500 : 501) && cam.cx == 320 + good[i].shift &&
                        cam.cy == 240 + good[i].shift && !cam.is_assumed && cam.max_theta_rad > 0.5;
        for (int k = 0; k < INTRA_CAMERA_MAX_K; k++)
            is_right = is_right && cam.k[k] == good[i].k[k];
        if (!is_right) fail_msg("%s: wrong numbers", good[i].name);
        assert_non_null(strstr(cam.source, "good"));
    }
}

static const struct {
    const char *text;
    enum intra_status status;
    const char *word; /* that the message must have */
} bad[] = {
    {"", INTRA_E_FORMAT, "empty"},
    {"# only a comment\n", INTRA_E_FORMAT, "empty"},
    {"hello\n", INTRA_E_FORMAT, "not a camera file"},
    {"a: [1, 2\nb: {", INTRA_E_FORMAT, "line"},
    {"{\"image_width\": 640", INTRA_E_FORMAT, "line"},
    {"\x01\x02\x7f", INTRA_E_FORMAT, "not a camera file"},
    {OPENCV_HEAD OPENCV_MATRIX, INTRA_E_FORMAT, "distortion_coefficients"},
    {OPENCV_HEAD OPENCV_K(4, "0, 0, 0, 0"), INTRA_E_FORMAT, "camera_matrix"},
    {"image_width: 640\n" OPENCV_MATRIX OPENCV_K(4, "0, 0, 0, 0"), INTRA_E_FORMAT, "image_height"},
    {OPENCV_MATRIX OPENCV_K(4, "0, 0, 0, 0"), INTRA_E_FORMAT, "image_width"},
    {OPENCV_HEAD OPENCV_MATRIX OPENCV_K(4, ".Nan, 0, 0, 0"), INTRA_E_FORMAT, "distortion_coefficients: '.Nan'"},
    {OPENCV_HEAD OPENCV_MATRIX OPENCV_K(4, "nan, 0, 0, 0"), INTRA_E_FORMAT, "distortion_coefficients: 'nan'"},
    {OPENCV_HEAD OPENCV_MATRIX OPENCV_K(4, "1e999, 0, 0, 0"), INTRA_E_FORMAT, "distortion_coefficients"},
    {OPENCV_HEAD OPENCV_MATRIX OPENCV_K(4, "-.Inf, 0, 0, 0"), INTRA_E_FORMAT, "distortion_coefficients"},
    {OPENCV_HEAD OPENCV_MATRIX OPENCV_K(4, "0.1x, 0, 0, 0"), INTRA_E_FORMAT, "0.1x"},
    {OPENCV_HEAD OPENCV_MATRIX OPENCV_K(6, "0, 0, 0, 0, 0, 0"), INTRA_E_FORMAT, "6 numbers"},
    {OPENCV_HEAD OPENCV_MATRIX OPENCV_K(5, "0, 0, 0, 0"), INTRA_E_FORMAT, "says 1 x 5 and has 4"},
    {OPENCV_HEAD OPENCV_MATRIX OPENCV_K(4, "-900, 0, 0, 0"), INTRA_E_FORMAT, "fold"},
    {OPENCV_HEAD OPENCV_MATRIX OPENCV_K(14, "0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0.1, 0"), INTRA_E_UNSUPPORTED, "tau"},
    {OPENCV_HEAD OPENCV_MATRIX "fisheye_model: 1\n" OPENCV_K(5, "0, 0, 0, 0, 0"), INTRA_E_FORMAT, "5 numbers"},
    {OPENCV_HEAD OPENCV_MATRIX "distortion_model: splines\n" OPENCV_K(4, "0, 0, 0, 0"), INTRA_E_UNSUPPORTED, "splines"},
    {OPENCV_HEAD OPENCV_MATRIX "distortion_coefficients: 7\n", INTRA_E_FORMAT, "not a list"},
    {OPENCV_HEAD "camera_matrix: [500, 3, 320, 0, 501, 240, 0, 0, 1]\n" OPENCV_K(4, "0, 0, 0, 0"), INTRA_E_UNSUPPORTED,
     "skew"},
    {OPENCV_HEAD OPENCV_MATRIX OPENCV_K(4, "0, 0, 0, 0") "focal_sd_rel: 5\n", INTRA_E_FORMAT, "share"}, /* pixels */
    {OPENCV_HEAD "camera_matrix: [320, 240, 0, 501, 0, 1, 500, 0, 0]\n" OPENCV_K(4, "0, 0, 0, 0"), INTRA_E_FORMAT,
     "camera_matrix"},
    {OPENCV_HEAD "camera_matrix: [500, 0, 320]\n" OPENCV_K(4, "0, 0, 0, 0"), INTRA_E_FORMAT, "camera_matrix has 3"},
    {OPENCV_HEAD "camera_matrix: [5e9, 0, 320, 0, 501, 240, 0, 0, 1]\n" OPENCV_K(4, "0, 0, 0, 0"), INTRA_E_FORMAT,
     "fx"},
    {OPENCV_HEAD "camera_matrix: [500, 0, 320, 0, -501, 240, 0, 0, 1]\n" OPENCV_K(4, "0, 0, 0, 0"), INTRA_E_FORMAT,
     "fy"},
    {OPENCV_HEAD "camera_matrix: [500, 0, 99999, 0, 501, 240, 0, 0, 1]\n" OPENCV_K(4, "0, 0, 0, 0"), INTRA_E_FORMAT,
     "cx"},
    {"image_width: 0\nimage_height: 480\n" OPENCV_MATRIX OPENCV_K(4, "0, 0, 0, 0"), INTRA_E_FORMAT, "image_width"},
    {"image_width: 640\nimage_height: -480\n" OPENCV_MATRIX OPENCV_K(4, "0, 0, 0, 0"), INTRA_E_FORMAT, "image_height"},
    {"image_width: 640.5\nimage_height: 480\n" OPENCV_MATRIX OPENCV_K(4, "0, 0, 0, 0"), INTRA_E_FORMAT, "whole"},
    {"image_width: [640]\nimage_height: 480\n" OPENCV_MATRIX OPENCV_K(4, "0, 0, 0, 0"), INTRA_E_FORMAT,
     "image_width is not a number"},
    {KALIBR("omni", "radtan", "0, 0, 0, 0"), INTRA_E_UNSUPPORTED, "omni"},
    {KALIBR("pinhole", "fov", "0.9"), INTRA_E_UNSUPPORTED, "fov"},
    {KALIBR("pinhole", "radtan", "0, .nan, 0, 0"), INTRA_E_FORMAT, "distortion_coeffs"},
    {"cam0:\n  camera_model: pinhole\n  distortion_model: none\n  intrinsics: [1, 2, 3, 4]\n", INTRA_E_FORMAT,
     "resolution"},
    {"cam0:\n  distortion_model: none\n", INTRA_E_FORMAT, "camera_model"},
    {"cam0: 5\n", INTRA_E_FORMAT, "cam0"},
    {MRCAL("LENSMODEL_CAHVOR", "0, 0, 0, 0, 0"), INTRA_E_UNSUPPORTED, "LENSMODEL_CAHVOR"},
    {MRCAL("LENSMODEL_SPLINED_STEREOGRAPHIC_order=3_Nx=30_Ny=20_fov_x_deg=170", "0"), INTRA_E_UNSUPPORTED, "SPLINED"},
    {MRCAL("LENSMODEL_OPENCV8", "0, 0"), INTRA_E_FORMAT, "intrinsics has 6"},
    {MRCAL("LENSMODEL_OPENCV4", "0, nan, 0, 0"), INTRA_E_FORMAT, "intrinsics: 'nan'"},
    {"{ 'lensmodel': 'LENSMODEL_PINHOLE', 'intrinsics': [500, 501, 320, 240] }", INTRA_E_FORMAT, "imagersize"},
    {"{ 'lensmodel': 'LENSMODEL_PINHOLE', 'imagersize': [640, 480] }", INTRA_E_FORMAT, "intrinsics"},
    {"{ 'lensmodel': 'LENSMODEL_PINHOLE', 'imagersize': [640, 480], 'intrinsics': [500, ", INTRA_E_FORMAT,
     "intrinsics"},
    {"{ 'lensmodel': 'LENSMODEL_PINHOLE', 'imagersize': [640, 480", INTRA_E_FORMAT, "imagersize"},
    {"{ 'a': [[[(, 'lensmodel': ", INTRA_E_FORMAT, "lensmodel"},
    {"{ 'lensmodel' }", INTRA_E_FORMAT, "lensmodel"},
    {"{ 'lensmodel': 5 }", INTRA_E_FORMAT, "lensmodel"},
    {"1 FOV 640 480 500 501 320 240 0.9\n", INTRA_E_UNSUPPORTED, "FOV"},
    {"1 THIN_PRISM_FISHEYE 640 480 1 2 3 4 5 6 7 8 9 10 11 12\n", INTRA_E_UNSUPPORTED, "THIN_PRISM_FISHEYE"},
    {"1 OPENCV 640 480 500 501 320 240 0 0 0\n", INTRA_E_FORMAT, "PARAMS has 7"},
    {"1 PINHOLE 640 480 500 nan 320 240\n", INTRA_E_FORMAT, "PARAMS: 'nan'"},
    {"1 PINHOLE 0 480 500 500 320 240\n", INTRA_E_FORMAT, "WIDTH"},
    {"1 PINHOLE\n", INTRA_E_FORMAT, "WIDTH"},
    {"1 PINHOLE 640 480 0 500 320 240\n", INTRA_E_FORMAT, "fx"},
};

static void broken_files_are_explained(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct intra_camera cam = {.width = 77};
        struct intra_error err = {0};
        const char *path = scratch_file("broken", bad[i].text);
        enum intra_status status = intra_camera_file_read(path, &cam, &err);
        if (status != bad[i].status || err.code != status)
            fail_msg("case %zu: %s, want %s: %s", i, intra_status_name(status), intra_status_name(bad[i].status),
                     err.text);
        if (!strstr(err.text, path) || !strstr(err.text, bad[i].word))
            fail_msg("case %zu: '%s' does not name the file and '%s'", i, err.text, bad[i].word);
        assert_int_equal(cam.width, 77); /* nothing half-filled */
    }
}

/* Every prefix of every good file, and every good file with one byte changed, ends in an answer. */
static void cut_and_scratched_files_end_in_an_answer(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        char text[2048];
        size_t n = strlen(good[i].text);
        struct intra_camera cam;
        assert_true(n < sizeof text);
        for (size_t cut = 0; cut < n; cut += 3) {
            memcpy(text, good[i].text, cut);
            text[cut] = 0;
            intra_camera_file_read(scratch_file("cut", text), &cam, NULL);
            strcpy(text, good[i].text);
            text[cut] = "{}[]'\":,#&*%\x80"[(cut / 3 + i) % 13];
            intra_camera_file_read(scratch_file("cut", text), &cam, NULL);
        }
    }
}

static void hostile_nesting_and_size(void **state)
{
    (void)state;
    static const char openers[] = "[{(-*";
    size_t n = (size_t)5 << 20;
    struct intra_camera cam;
    struct intra_error err;
    char *text = malloc(n + 1);
    assert_non_null(text);
    for (const char *c = openers; *c; c++) {
        memset(text, *c, 200000);
        text[200000] = 0;
        assert_true(intra_camera_file_read(scratch_file("deep", text), &cam, &err) < 0);
        memcpy(text, "{ 'lensmodel'", 13);
        assert_true(intra_camera_file_read(scratch_file("deep", text), &cam, &err) < 0);
    }
    memset(text, ' ', n);
    text[n] = 0;
    assert_int_equal(intra_camera_file_read(scratch_file("large", text), &cam, &err), INTRA_E_FORMAT);
    assert_non_null(strstr(err.text, "larger than"));
    free(text);
    assert_int_equal(intra_camera_file_read(scratch_path("absent"), &cam, &err), INTRA_E_IO);
    assert_non_null(strstr(err.text, "absent"));
    assert_int_equal(intra_camera_file_read(scratch_dir, &cam, &err), INTRA_E_IO);
}

static void written_camera_reads_back_to_the_last_bit(void **state)
{
    (void)state;
    for (int l = 0; l < TEST_LENS_COUNT; l++) {
        struct intra_camera cam = test_lenses[l].camera, back;
        struct intra_error err = {0};
        cam.fx *= 1 + 1.0 / 3e5;
        cam.cx += M_PI / 1e4;
        for (int k = 0; k < INTRA_CAMERA_MAX_K; k++)
            cam.k[k] *= 1 + 1 / 7e7;
        cam.is_assumed = l % 2;
        cam.focal_sd_rel = 0.1 / (3 + l);
        if (intra_camera_finish(&cam, &err) != INTRA_OK) fail_msg("%s", err.text);
        const char *path = scratch_path("written.yaml");
        if (intra_camera_file_write(path, &cam, &err) != INTRA_OK) fail_msg("%s", err.text);
        if (intra_camera_file_read(path, &back, &err) != INTRA_OK) fail_msg("%s", err.text);
        assert_memory_equal(&back, &cam, offsetof(struct intra_camera, source));
    }
    struct intra_camera cam = test_lenses[0].camera;
    struct intra_error err = {0};
    assert_int_equal(intra_camera_file_write("/nowhere/at/all/c.yaml", &cam, &err), INTRA_E_IO);
    assert_non_null(strstr(err.text, "/nowhere/at/all/c.yaml"));
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    const char *path = scratch_file("camera", good[0].text);
    struct intra_camera cam;
    int failed = 0;
    for (long n = 1;; n++) {
        intra_mem_fail_at(n, 0);
        enum intra_status status = intra_camera_file_read(path, &cam, NULL);
        intra_mem_fail_at(0, 0);
        if (status == INTRA_OK) break;
        assert_int_equal(status, INTRA_E_MEM);
        failed++;
    }
    assert_true(failed > 0);
}

static void samples_beside_the_checkout(void **state)
{
    (void)state;
    static const char *const names[] = {"camera/kalibr_camchain.yaml", "camera/opencv_calibration.yml",
                                        "camera/ros_camera_info.yaml", "camera/selfmade.cameramodel",
                                        "colmap/cameras.txt"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[1024];
        struct intra_camera cam;
        struct intra_error err = {0};
        snprintf(path, sizeof path, "%s/formats/%s", INTRA_TEST_SHARED, names[i]);
        if (access(path, R_OK) != 0) {
            print_message("no %s: not checked\n", path);
            skip();
        }
        if (intra_camera_file_read(path, &cam, &err) != INTRA_OK) fail_msg("%s", err.text);
        assert_true(cam.width == 1920 && cam.height == 1080 && cam.fx == 820.5 && cam.fy == 820.1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_format_fills_the_right_fields),
        cmocka_unit_test(broken_files_are_explained),
        cmocka_unit_test(cut_and_scratched_files_end_in_an_answer),
        cmocka_unit_test(hostile_nesting_and_size),
        cmocka_unit_test(written_camera_reads_back_to_the_last_bit),
        cmocka_unit_test(every_failing_allocation_is_reported),
        cmocka_unit_test(samples_beside_the_checkout),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
