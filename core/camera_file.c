/* Camera files: each format's fields are brought into the same raw numbers (size, fx fy cx cy, coefficients), then
 * checked in one place. libyaml reads YAML and JSON (which is YAML's flow style) alike; mrcal's Python dict and
 * COLMAP's table have small scanners here. */
#include "core/camera_file.h"

#include "core/fileio.h"
#include "core/mem.h"
#include "core/units.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <yaml.h>

#define MAX_FILE_BYTES ((size_t)4 << 20)
enum { MAX_NUMBERS = 32, MAX_WORD = 128 };

/* Where we are, for messages. */
struct reader {
    const char *path;
    struct intra_error *err;
};

/* Numbers of one field. */
struct numbers {
    double v[MAX_NUMBERS];
    int n;
};

#define FAIL_FORMAT(rd, ...) fail_at((rd), INTRA_E_FORMAT, __LINE__, __VA_ARGS__)

__attribute__((format(printf, 4, 5))) static enum intra_status fail_at(struct reader *rd, enum intra_status code,
                                                                       int line, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return intra_error_set(rd->err, code, __FILE__, line, "%s: %s", rd->path, text);
}

static enum intra_status unsupported_model(struct reader *rd, const char *name, const char *usable)
{
    return fail_at(rd, INTRA_E_UNSUPPORTED, __LINE__, "lens model '%s' is not supported; usable: %s", name, usable);
}

static enum intra_status check_count(struct reader *rd, const char *field, int n, int want)
{
    if (n == want) return INTRA_OK;
    return FAIL_FORMAT(rd, "%s has %d numbers, want %d", field, n, want);
}

static enum intra_status set_size(struct reader *rd, const char *field, double width, double height,
                                  struct intra_camera *out)
{
    if (!(width >= 1 && height >= 1 && width <= 32768 && height <= 32768) || width != floor(width) ||
        height != floor(height))
        return FAIL_FORMAT(rd, "%s is %g x %g; must be whole numbers from 1 to 32768", field, width, height);
    out->width = (int)width;
    out->height = (int)height;
    return INTRA_OK;
}

static void set_linear(const double *fx_fy_cx_cy, struct intra_camera *out)
{
    out->fx = fx_fy_cx_cy[0];
    out->fy = fx_fy_cx_cy[1];
    out->cx = fx_fy_cx_cy[2];
    out->cy = fx_fy_cx_cy[3];
}

/* OpenCV's order of coefficients, which is that of struct intra_camera; 13 and 14 are the sensor tilt. */
static enum intra_status set_brown(struct reader *rd, const char *field, const struct numbers *k,
                                   struct intra_camera *out)
{
    if (k->n != 4 && k->n != 5 && k->n != 8 && k->n != 12 && k->n != 14)
        return FAIL_FORMAT(rd, "%s has %d numbers, want 4, 5, 8, 12 or 14", field, k->n);
    if (k->n == 14 && (k->v[12] != 0 || k->v[13] != 0))
        return fail_at(rd, INTRA_E_UNSUPPORTED, __LINE__,
                       "%s: a tilted sensor (tau x, tau y) is not supported; calibrate without it", field);
    out->model = INTRA_CAMERA_BROWN;
    for (int i = 0; i < k->n && i < INTRA_CAMERA_MAX_K; i++)
        out->k[i] = k->v[i];
    return INTRA_OK;
}

static enum intra_status set_kb(struct reader *rd, const char *field, const struct numbers *k, struct intra_camera *out)
{
    enum intra_status status = check_count(rd, field, k->n, 4);
    out->model = INTRA_CAMERA_KB;
    for (int i = 0; i < 4 && status == INTRA_OK; i++)
        out->k[i] = k->v[i];
    return status;
}

/* ---- YAML and JSON ---- */

struct yaml {
    struct reader *rd;
    yaml_document_t *doc;
};

static const char *scalar(const yaml_node_t *node)
{
    return node && node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : NULL;
}

/* The value of a key of a mapping, or NULL. `names` is "a|b|c", case ignored: writers differ. */
static yaml_node_t *find(struct yaml *y, const yaml_node_t *map, const char *names)
{
    if (!map || map->type != YAML_MAPPING_NODE) return NULL;
    for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top; p++) {
        const char *key = scalar(yaml_document_get_node(y->doc, p->key));
        for (const char *name = names; key && *name;) {
            size_t n = strcspn(name, "|");
            if (strlen(key) == n && strncasecmp(key, name, n) == 0) return yaml_document_get_node(y->doc, p->value);
            name += n + (name[n] == '|');
        }
    }
    return NULL;
}

static enum intra_status number_of(struct yaml *y, const char *field, const yaml_node_t *node, double *out)
{
    const char *text = scalar(node), *end;
    if (!text) return FAIL_FORMAT(y->rd, "%s is not a number", field);
    if (!intra_scan_number(text, &end, out) || end[strspn(end, " \t")])
        return FAIL_FORMAT(y->rd, "%s: '%.40s' is not a finite number", field, text);
    return INTRA_OK;
}

/* A list of numbers, or a list of such lists row by row. */
static enum intra_status list_of(struct yaml *y, const char *field, const yaml_node_t *node, int depth,
                                 struct numbers *out)
{
    enum intra_status status = INTRA_OK;
    if (node->type != YAML_SEQUENCE_NODE) return FAIL_FORMAT(y->rd, "%s is not a list of numbers", field);
    for (yaml_node_item_t *i = node->data.sequence.items.start; i < node->data.sequence.items.top; i++) {
        yaml_node_t *item = yaml_document_get_node(y->doc, *i);
        if (item && item->type == YAML_SEQUENCE_NODE && depth == 0) {
            INTRA_TRY(list_of(y, field, item, 1, out));
            continue;
        }
        if (out->n == MAX_NUMBERS) return FAIL_FORMAT(y->rd, "%s has more than %d numbers", field, MAX_NUMBERS);
        INTRA_TRY(number_of(y, field, item, &out->v[out->n]));
        out->n++;
    }
done:
    return status;
}

/* A plain list, or OpenCV's and ROS' matrix: a mapping with rows, cols, data. */
static enum intra_status matrix_of(struct yaml *y, const char *field, const yaml_node_t *node, struct numbers *out)
{
    enum intra_status status = INTRA_OK;
    double rows, cols;
    out->n = 0;
    if (!node) return FAIL_FORMAT(y->rd, "no %s in it", field);
    if (node->type != YAML_MAPPING_NODE) return list_of(y, field, node, 0, out);
    yaml_node_t *data = find(y, node, "data");
    if (!data) return FAIL_FORMAT(y->rd, "%s has no data", field);
    INTRA_TRY(list_of(y, field, data, 0, out));
    if (!find(y, node, "rows") && !find(y, node, "cols")) goto done;
    INTRA_TRY(number_of(y, field, find(y, node, "rows"), &rows));
    INTRA_TRY(number_of(y, field, find(y, node, "cols"), &cols));
    if (rows * cols != out->n)
        return FAIL_FORMAT(y->rd, "%s says %g x %g and has %d numbers", field, rows, cols, out->n);
done:
    return status;
}

static bool is_true(const yaml_node_t *node)
{
    const char *text = scalar(node);
    return text && (strcmp(text, "1") == 0 || strcasecmp(text, "true") == 0 || strcasecmp(text, "yes") == 0);
}

static bool is_fisheye_name(const char *text)
{
    return strcasecmp(text, "fisheye") == 0 || strcasecmp(text, "equidistant") == 0 ||
           strcasecmp(text, "kannala_brandt") == 0;
}

static enum intra_status opencv_model(struct yaml *y, const yaml_node_t *root, bool *out_is_fisheye)
{
    static const char *const brown[] = {"plumb_bob", "rational_polynomial", "rational", "thin_prism", "pinhole",
                                        "brown",     "brown_conrady",       "radtan",   "standard",   "none"};
    const char *name = scalar(find(y, root, "distortion_model|model|camera_model"));
    *out_is_fisheye = is_true(find(y, root, "fisheye_model|fisheye")) || (name && is_fisheye_name(name));
    if (!name || *out_is_fisheye) return INTRA_OK;
    for (size_t i = 0; i < sizeof brown / sizeof *brown; i++)
        if (strcasecmp(name, brown[i]) == 0) return INTRA_OK;
    return unsupported_model(y->rd, name, "plumb_bob, rational_polynomial, equidistant (fisheye)");
}

static enum intra_status opencv_size(struct yaml *y, const yaml_node_t *root, struct intra_camera *out)
{
    enum intra_status status = INTRA_OK;
    yaml_node_t *width = find(y, root, "image_width|width"), *height = find(y, root, "image_height|height");
    yaml_node_t *pair = find(y, root, "image_size|imagesize|img_shape");
    double w, h;
    if (!width && !height && pair) {
        struct numbers size = {0};
        INTRA_TRY(matrix_of(y, "image_size", pair, &size));
        INTRA_TRY(check_count(y->rd, "image_size", size.n, 2));
        return set_size(y->rd, "image_size", size.v[0], size.v[1], out);
    }
    if (!width) return FAIL_FORMAT(y->rd, "no image_width in it; add the picture size of the calibration");
    if (!height) return FAIL_FORMAT(y->rd, "no image_height in it; add the picture size of the calibration");
    INTRA_TRY(number_of(y, "image_width", width, &w));
    INTRA_TRY(number_of(y, "image_height", height, &h));
    return set_size(y->rd, "image_width, image_height", w, h, out);
done:
    return status;
}

static enum intra_status read_opencv(struct yaml *y, const yaml_node_t *root, struct intra_camera *out)
{
    enum intra_status status = INTRA_OK;
    struct numbers m = {0}, k = {0};
    bool is_fisheye;
    yaml_node_t *sd = find(y, root, "focal_sd_rel");
    INTRA_TRY(opencv_size(y, root, out));
    INTRA_TRY(matrix_of(y, "camera_matrix", find(y, root, "camera_matrix|cameramatrix|k"), &m));
    INTRA_TRY(check_count(y->rd, "camera_matrix", m.n, 9));
    if (m.v[3] != 0 || m.v[6] != 0 || m.v[7] != 0 || m.v[8] != 1)
        return FAIL_FORMAT(y->rd, "camera_matrix is not [fx 0 cx; 0 fy cy; 0 0 1]");
    if (m.v[1] != 0)
        return fail_at(y->rd, INTRA_E_UNSUPPORTED, __LINE__, "camera_matrix has skew %g, which is not supported",
                       m.v[1]);
    set_linear((double[4]){m.v[0], m.v[4], m.v[2], m.v[5]}, out);
    INTRA_TRY(opencv_model(y, root, &is_fisheye));
    INTRA_TRY(matrix_of(y, "distortion_coefficients",
                        find(y, root, "distortion_coefficients|distortion_coeffs|dist_coeffs|distcoeffs|d"), &k));
    INTRA_TRY((is_fisheye ? set_kb : set_brown)(y->rd, "distortion_coefficients", &k, out));
    if (sd) INTRA_TRY(number_of(y, "focal_sd_rel", sd, &out->focal_sd_rel)); /* these two are in our own files */
    if (out->focal_sd_rel >= 1)
        return fail_at(y->rd, INTRA_E_FORMAT, __LINE__,
                       "focal_sd_rel = %g must be a share of the focal length: 0.005 for half a per cent",
                       out->focal_sd_rel);
    out->is_assumed = is_true(find(y, root, "is_assumed"));
done:
    return status;
}

static enum intra_status read_kalibr(struct yaml *y, const yaml_node_t *cam, struct intra_camera *out)
{
    enum intra_status status = INTRA_OK;
    struct numbers list = {0};
    const char *camera_model = scalar(find(y, cam, "camera_model"));
    const char *distortion = scalar(find(y, cam, "distortion_model"));
    if (!camera_model) return FAIL_FORMAT(y->rd, "no camera_model in cam0");
    if (!distortion) return FAIL_FORMAT(y->rd, "no distortion_model in cam0");
    if (strcmp(camera_model, "pinhole") != 0) return unsupported_model(y->rd, camera_model, "pinhole");
    INTRA_TRY(matrix_of(y, "cam0 resolution", find(y, cam, "resolution"), &list));
    INTRA_TRY(check_count(y->rd, "cam0 resolution", list.n, 2));
    INTRA_TRY(set_size(y->rd, "cam0 resolution", list.v[0], list.v[1], out));
    INTRA_TRY(matrix_of(y, "cam0 intrinsics", find(y, cam, "intrinsics"), &list));
    INTRA_TRY(check_count(y->rd, "cam0 intrinsics", list.n, 4));
    set_linear(list.v, out);
    if (strcmp(distortion, "none") == 0) goto done;
    bool is_radtan = strcmp(distortion, "radtan") == 0;
    if (!is_radtan && strcmp(distortion, "equidistant") != 0)
        return unsupported_model(y->rd, distortion, "radtan, equidistant, none");
    INTRA_TRY(matrix_of(y, "cam0 distortion_coeffs", find(y, cam, "distortion_coeffs"), &list));
    INTRA_TRY((is_radtan ? set_brown : set_kb)(y->rd, "cam0 distortion_coeffs", &list, out));
done:
    return status;
}

/* libyaml takes time with the square of the nesting, so that a small hostile file could hang us. A bracket in a comment
 * counts too; no real camera file comes near the bound. */
static bool is_nested_too_deep(const char *text)
{
    int depth = 0;
    for (; *text; text++) {
        if (*text == '[' || *text == '{')
            depth++;
        else if ((*text == ']' || *text == '}') && depth > 0)
            depth--;
        if (depth > 64) return true;
    }
    return false;
}

/* OpenCV opens with "%YAML:1.0", which no YAML knows: blank out directives, keeping the line numbers. */
static void blank_directives(char *text)
{
    while (*text == '%') {
        size_t n = strcspn(text, "\r\n");
        memset(text, ' ', n);
        text += n + strspn(text + n, "\r\n");
    }
}

static enum intra_status read_yaml(struct reader *rd, char *text, struct intra_camera *out)
{
    enum intra_status status = INTRA_OK;
    yaml_parser_t parser;
    yaml_document_t doc;
    struct yaml y = {rd, &doc};
    bool has_doc = false;
    blank_directives(text);
    if (is_nested_too_deep(text)) return FAIL_FORMAT(rd, "not a camera file: brackets within brackets without end");
    if (!yaml_parser_initialize(&parser)) return fail_at(rd, INTRA_E_MEM, __LINE__, "out of memory while reading");
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, strlen(text));
    if (!yaml_parser_load(&parser, &doc)) {
        if (parser.error == YAML_MEMORY_ERROR)
            status = fail_at(rd, INTRA_E_MEM, __LINE__, "out of memory while reading");
        else
            status = FAIL_FORMAT(rd, "not a camera file: line %zu: %s", parser.problem_mark.line + 1,
                                 parser.problem ? parser.problem : "broken YAML or JSON");
        goto done;
    }
    has_doc = true;
    yaml_node_t *root = yaml_document_get_root_node(&doc);
    yaml_node_t *cam0 = find(&y, root, "cam0");
    if (cam0)
        status = read_kalibr(&y, cam0, out);
    else if (find(&y, root, "camera_matrix|cameramatrix|k|distortion_coefficients|dist_coeffs|distcoeffs|image_width"))
        status = read_opencv(&y, root, out);
    else
        status = FAIL_FORMAT(
            rd, "not a camera file: it has none of camera_matrix (OpenCV, ROS), cam0 (Kalibr), lensmodel (mrcal), "
                "or a COLMAP camera line");
done:
    if (has_doc) yaml_document_delete(&doc);
    yaml_parser_delete(&parser);
    return status;
}

/* ---- mrcal: a Python dict ---- */

/* Past white space and # comments. */
static const char *skip_blank(const char *p)
{
    for (;;) {
        p += strspn(p, " \t\r\n\f");
        if (*p != '#') return p;
        p += strcspn(p, "\n");
    }
}

/* A Python string literal, with or without prefix b, r, u, into out (cut to n; escapes kept as they are). NULL: none
 * here. */
static const char *scan_string(const char *p, char *out, size_t n)
{
    size_t used = 0;
    if (strchr("bBrRuU", *p) && *p && (p[1] == '\'' || p[1] == '"')) p++;
    char quote = *p;
    if (quote != '\'' && quote != '"') return NULL;
    for (p++; *p != quote; p++) {
        if (*p == 0 || *p == '\n') return NULL;
        if (*p == '\\' && p[1]) {
            if (used + 1 < n) out[used++] = *p;
            p++;
        }
        if (used + 1 < n) out[used++] = *p;
    }
    if (n > 0) out[used] = 0;
    return p + 1;
}

/* Past any value: string, bracketed thing, or bare word. NULL when it never ends. */
static const char *skip_value(const char *p)
{
    long depth = 0;
    for (p = skip_blank(p);; p = skip_blank(p)) {
        const char *end = scan_string(p, NULL, 0);
        if (end)
            p = end;
        else if (*p == 0 || *p == '\'' || *p == '"')
            return NULL;
        else if (strchr("[({", *p))
            p++, depth++;
        else if (strchr("])}", *p) && depth > 0)
            p++, depth--;
        else if (strchr("])},:", *p)) {
            if (depth == 0) return NULL; /* nothing where a value should be */
            p++;
        } else
            p += strcspn(p, " \t\r\n\f#,:[](){}'\"");
        if (depth == 0) return p;
    }
}

/* The value of a key of the outermost dict. NULL: not there (*is_broken false) or the dict is broken. */
static const char *dict_find(const char *text, const char *want, bool *is_broken)
{
    const char *p = skip_blank(text);
    *is_broken = true;
    if (*p != '{') return NULL;
    for (p = skip_blank(p + 1); *p != '}'; p = skip_blank(p)) {
        char key[MAX_WORD];
        p = scan_string(p, key, sizeof key);
        if (!p || *(p = skip_blank(p)) != ':') return NULL;
        const char *value = skip_blank(p + 1);
        if (strcmp(key, want) == 0) {
            *is_broken = false;
            return value;
        }
        p = skip_value(value);
        if (!p) return NULL;
        p = skip_blank(p);
        if (*p == ',')
            p++;
        else if (*p != '}')
            return NULL;
    }
    *is_broken = false;
    return NULL;
}

static enum intra_status dict_value(struct reader *rd, const char *text, const char *key, const char **out)
{
    bool is_broken;
    *out = dict_find(text, key, &is_broken);
    if (*out) return INTRA_OK;
    if (is_broken) return FAIL_FORMAT(rd, "broken mrcal camera model: the dict cannot be read as far as '%s'", key);
    return FAIL_FORMAT(rd, "no %s in it", key);
}

static enum intra_status dict_numbers(struct reader *rd, const char *text, const char *key, struct numbers *out)
{
    const char *p;
    enum intra_status status = dict_value(rd, text, key, &p);
    if (status != INTRA_OK) return status;
    out->n = 0;
    char close = *p == '[' ? ']' : *p == '(' ? ')' : 0;
    if (!close) return FAIL_FORMAT(rd, "%s is not a list of numbers", key);
    for (p = skip_blank(p + 1); *p != close; p = skip_blank(p)) {
        if (out->n == MAX_NUMBERS) return FAIL_FORMAT(rd, "%s has more than %d numbers", key, MAX_NUMBERS);
        if (!intra_scan_number(p, &p, &out->v[out->n]))
            return FAIL_FORMAT(rd, "%s: '%.*s' is not a finite number", key, (int)strcspn(p, ",] \t\r\n"), p);
        out->n++;
        p = skip_blank(p);
        if (*p == ',')
            p++;
        else if (*p != close)
            return FAIL_FORMAT(rd, "%s is not a list of numbers", key);
    }
    return INTRA_OK;
}

static enum intra_status read_mrcal(struct reader *rd, const char *text, struct intra_camera *out)
{
    static const char prefix[] = "LENSMODEL_";
    static const struct {
        const char *name;
        int n;
    } models[] = {{"PINHOLE", 0}, {"OPENCV4", 4}, {"OPENCV5", 5}, {"OPENCV8", 8}, {"OPENCV12", 12}};
    enum intra_status status = INTRA_OK;
    struct numbers list = {0};
    const char *value;
    char name[MAX_WORD] = "";
    INTRA_TRY(dict_value(rd, text, "lensmodel", &value));
    if (!scan_string(value, name, sizeof name)) return FAIL_FORMAT(rd, "lensmodel is not a name in quotes");
    int found = -1;
    for (int i = 0; i < (int)(sizeof models / sizeof *models); i++)
        if (strncmp(name, prefix, sizeof prefix - 1) == 0 && strcmp(name + sizeof prefix - 1, models[i].name) == 0)
            found = i;
    if (found < 0)
        return unsupported_model(rd, name, "LENSMODEL_PINHOLE, LENSMODEL_OPENCV4, OPENCV5, OPENCV8, OPENCV12");
    INTRA_TRY(dict_numbers(rd, text, "imagersize", &list));
    INTRA_TRY(check_count(rd, "imagersize", list.n, 2));
    INTRA_TRY(set_size(rd, "imagersize", list.v[0], list.v[1], out));
    INTRA_TRY(dict_numbers(rd, text, "intrinsics", &list));
    INTRA_TRY(check_count(rd, "intrinsics", list.n, 4 + models[found].n));
    set_linear(list.v, out);
    for (int i = 0; i < models[found].n; i++)
        out->k[i] = list.v[4 + i];
done:
    return status;
}

/* ---- COLMAP: CAMERA_ID MODEL WIDTH HEIGHT PARAMS[] ---- */

struct colmap_model {
    const char *name;
    enum intra_camera_model model;
    bool is_one_focal; /* f cx cy instead of fx fy cx cy */
    int n_k;           /* coefficients that follow, in our order */
};

static const struct colmap_model colmap_models[] = {
    {"SIMPLE_PINHOLE", INTRA_CAMERA_BROWN, true, 0}, {"PINHOLE", INTRA_CAMERA_BROWN, false, 0},
    {"SIMPLE_RADIAL", INTRA_CAMERA_BROWN, true, 1},  {"RADIAL", INTRA_CAMERA_BROWN, true, 2},
    {"OPENCV", INTRA_CAMERA_BROWN, false, 4},        {"FULL_OPENCV", INTRA_CAMERA_BROWN, false, 8},
    {"OPENCV_FISHEYE", INTRA_CAMERA_KB, false, 4},   {"SIMPLE_RADIAL_FISHEYE", INTRA_CAMERA_KB, true, 1},
    {"RADIAL_FISHEYE", INTRA_CAMERA_KB, true, 2},
};

/* The first line that is neither empty nor a comment, if it opens like a camera: a number, then a MODEL name. */
static const char *find_colmap_line(const char *text)
{
    const char *p = skip_blank(text), *q = p;
    while (isdigit((unsigned char)*q))
        q++;
    if (q == p || (*q != ' ' && *q != '\t')) return NULL;
    q += strspn(q, " \t");
    return isupper((unsigned char)*q) ? p : NULL;
}

static enum intra_status read_colmap(struct reader *rd, const char *line, struct intra_camera *out)
{
    enum intra_status status = INTRA_OK;
    const struct colmap_model *m = NULL;
    struct numbers list = {0};
    char name[MAX_WORD];
    const char *p = line + strspn(line, "0123456789");
    p += strspn(p, " \t");
    size_t n = strcspn(p, " \t\r\n");
    snprintf(name, sizeof name, "%.*s", (int)(n < sizeof name ? n : sizeof name - 1), p);
    for (size_t i = 0; i < sizeof colmap_models / sizeof *colmap_models; i++)
        if (strcmp(name, colmap_models[i].name) == 0) m = &colmap_models[i];
    if (!m)
        return unsupported_model(rd, name,
                                 "SIMPLE_PINHOLE, PINHOLE, SIMPLE_RADIAL, RADIAL, OPENCV, FULL_OPENCV, "
                                 "OPENCV_FISHEYE, SIMPLE_RADIAL_FISHEYE, RADIAL_FISHEYE");
    for (p += n, p += strspn(p, " \t"); *p && *p != '\r' && *p != '\n'; p += strspn(p, " \t")) {
        const char *word = p;
        if (list.n == MAX_NUMBERS) return FAIL_FORMAT(rd, "PARAMS has more than %d numbers", MAX_NUMBERS);
        if (!intra_scan_number(p, &p, &list.v[list.n++]) || !strchr(" \t\r\n", *p))
            return FAIL_FORMAT(rd, "PARAMS: '%.*s' is not a finite number", (int)strcspn(word, " \t\r\n"), word);
    }
    int first = m->is_one_focal ? 3 : 4;
    if (list.n < 2) return FAIL_FORMAT(rd, "no WIDTH and HEIGHT in the camera line");
    INTRA_TRY(set_size(rd, "WIDTH, HEIGHT", list.v[0], list.v[1], out));
    INTRA_TRY(check_count(rd, "PARAMS", list.n - 2, first + m->n_k));
    const double *v = list.v + 2;
    /* COLMAP counts from the picture's corner: the centre of the top-left pixel is (0.5, 0.5). */
    set_linear((double[4]){v[0], v[first - 3], v[first - 2] - 0.5, v[first - 1] - 0.5}, out);
    out->model = m->model;
    for (int i = 0; i < m->n_k; i++)
        out->k[i] = v[first + i];
done:
    return status;
}

/* ---- reading ---- */

enum intra_status intra_camera_file_read(const char *path, struct intra_camera *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct reader rd = {path, err};
    struct intra_camera camera = {0};
    char *bytes = NULL;
    size_t size;
    INTRA_TRY(intra_read_file(path, MAX_FILE_BYTES, &bytes, &size, err));
    char *text = strncmp(bytes, "\xef\xbb\xbf", 3) == 0 ? bytes + 3 : bytes; /* byte-order mark */
    const char *start = skip_blank(text), *line = find_colmap_line(text);
    if (strlen(bytes) != size)
        status = FAIL_FORMAT(&rd, "not a camera file: it is not text");
    else if (*start == 0)
        status = FAIL_FORMAT(&rd, "not a camera file: it is empty");
    else if (line)
        status = read_colmap(&rd, line, &camera);
    else if (*start == '{' && (strstr(start, "'lensmodel'") || strstr(start, "\"lensmodel\"")))
        status = read_mrcal(&rd, text, &camera);
    else
        status = read_yaml(&rd, text, &camera);
    if (status != INTRA_OK) goto done;
    snprintf(camera.source, sizeof camera.source, "%s", path);
    status = intra_camera_finish(&camera, err);
    if (status != INTRA_OK) { /* what is a bad argument there is a bad file here */
        intra_error_context(err, "%s", path);
        status = INTRA_E_FORMAT;
        if (err) err->code = status;
        goto done;
    }
    *out = camera;
done:
    intra_free(bytes);
    return status;
}

/* ---- writing ---- */

/* 17 digits bring back the same double; a point even where the locale has a comma. */
static const char *exact(double value, char text[40])
{
    snprintf(text, 40, "%.17g", value);
    char *comma = strchr(text, ',');
    if (comma) *comma = '.';
    return text;
}

static void write_matrix(FILE *f, const char *name, int rows, int cols, const double *v)
{
    char text[40];
    fprintf(f, "%s: !!opencv-matrix\n   rows: %d\n   cols: %d\n   dt: d\n   data: [ ", name, rows, cols);
    for (int i = 0; i < rows * cols; i++)
        fprintf(f, "%s%s", i ? ", " : "", exact(v[i], text));
    fprintf(f, " ]\n");
}

/* As few coefficients as hold everything that is not zero. */
static int coefficient_count(const struct intra_camera *camera)
{
    static const int counts[] = {12, 8, 5};
    if (camera->model == INTRA_CAMERA_KB) return 4;
    for (int i = 0; i < 2; i++)
        for (int j = counts[i + 1]; j < counts[i]; j++)
            if (camera->k[j] != 0) return counts[i];
    return 5;
}

enum intra_status intra_camera_file_write(const char *path, const struct intra_camera *camera, struct intra_error *err)
{
    struct intra_out_file file;
    enum intra_status status = intra_out_file_open(&file, path, err);
    if (status != INTRA_OK) return status;
    int n = coefficient_count(camera);
    double m[9] = {camera->fx, 0, camera->cx, 0, camera->fy, camera->cy, 0, 0, 1};
    char text[40];
    fprintf(file.stream, "%%YAML:1.0\n---\n");
    if (camera->source[0] && !strpbrk(camera->source, "\r\n")) fprintf(file.stream, "# %s\n", camera->source);
    fprintf(file.stream, "image_width: %d\nimage_height: %d\n", camera->width, camera->height);
    write_matrix(file.stream, "camera_matrix", 3, 3, m);
    fprintf(file.stream, "distortion_model: %s\n",
            camera->model == INTRA_CAMERA_KB ? "equidistant"
            : n > 5                          ? "rational_polynomial"
                                             : "plumb_bob");
    write_matrix(file.stream, "distortion_coefficients", 1, n, camera->k);
    fprintf(file.stream, "focal_sd_rel: %s\nis_assumed: %d\n", exact(camera->focal_sd_rel, text), camera->is_assumed);
    return intra_out_file_commit(&file, err);
}
