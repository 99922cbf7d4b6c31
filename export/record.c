/* Which format a record is in, and who reads and writes it. */
#include "export/record.h"

#include "core/fileio.h"
#include "core/mem.h"
#include "export/record_internal.h"
#include "export/record_letters.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { HEAD_BYTES = 64 << 10 };

struct format {
    intra_record_reader *read;
    intra_record_writer *write;
};

/* NULL: this build does not. */
static const struct format formats[INTRA_RECORD_N_FORMATS] = {
    [INTRA_RECORD_OWN_CSV] = {intra_record_read_own_csv, intra_record_write_own_csv},
    [INTRA_RECORD_OWN_JSON] = {intra_record_read_own_json, intra_record_write_own_json},
    [INTRA_RECORD_PACP_MDB] = {intra_record_read_pacp_mdb, NULL},
    [INTRA_RECORD_PACP_CSV] = {intra_record_read_pacp_csv, intra_record_write_pacp_csv},
    [INTRA_RECORD_PACP_SQLITE] = {intra_record_read_pacp_sqlite, intra_record_write_pacp_sqlite},
    [INTRA_RECORD_WINCAN_DB3] = {intra_record_read_wincan_db3, NULL},
    [INTRA_RECORD_EN_TEXT] = {intra_record_read_en_text, intra_record_write_en_text},
    [INTRA_RECORD_ISYBAU] = {intra_record_read_isybau, intra_record_write_isybau},
    [INTRA_RECORD_DWA_M150] = {intra_record_read_dwa_m150, intra_record_write_dwa_m150},
    [INTRA_RECORD_RIBX] = {intra_record_read_ribx, NULL},
    [INTRA_RECORD_WSAA] = {intra_record_read_wsaa, NULL},
    [INTRA_RECORD_MSCC] = {intra_record_read_mscc, NULL},
    [INTRA_RECORD_COCO] = {intra_record_read_coco, NULL},
    [INTRA_RECORD_YOLO] = {intra_record_read_yolo, NULL},
    [INTRA_RECORD_CVAT] = {intra_record_read_cvat, NULL},
    [INTRA_RECORD_SEWERAI] = {intra_record_read_sewerai, NULL},
};

enum intra_record_format intra_record_format_from_name(const char *name)
{
    for (int f = INTRA_RECORD_NONE + 1; f < INTRA_RECORD_N_FORMATS; f++)
        if (strcasecmp(name, intra_record_format_name((enum intra_record_format)f)) == 0)
            return (enum intra_record_format)f;
    return INTRA_RECORD_NONE;
}

bool intra_record_is_read(enum intra_record_format format)
{
    return format > INTRA_RECORD_NONE && format < INTRA_RECORD_N_FORMATS && formats[format].read;
}

bool intra_record_is_written(enum intra_record_format format)
{
    return format > INTRA_RECORD_NONE && format < INTRA_RECORD_N_FORMATS && formats[format].write;
}

/* The codes that a format is for; UNKNOWN: all. */
static enum intra_code_system codes_of(enum intra_record_format format)
{
    switch (format) {
    case INTRA_RECORD_PACP_MDB:
    case INTRA_RECORD_PACP_CSV:
    case INTRA_RECORD_PACP_SQLITE:
        return INTRA_CODES_PACP;
    case INTRA_RECORD_EN_TEXT:
    case INTRA_RECORD_ISYBAU:
    case INTRA_RECORD_DWA_M150:
        return INTRA_CODES_EN13508_2;
    default:
        return INTRA_CODES_UNKNOWN;
    }
}

/* Of an observation without a known system. PACP: one to six capitals. */
static bool is_built_like(const char *code, enum intra_code_system system)
{
    bool is_en = intra_record_label_system(code) == INTRA_CODES_EN13508_2;
    size_t n = strspn(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    return system == INTRA_CODES_EN13508_2 ? is_en : !is_en && n >= 1 && n <= 6 && !code[n];
}

enum intra_status intra_record_check_codes(const struct intra_record *record, enum intra_record_format format,
                                           struct intra_error *err)
{
    enum intra_code_system wanted = codes_of(format);
    const struct intra_observation *first = NULL;
    int64_t n = 0, all = 0;
    for (int64_t i = 0; wanted != INTRA_CODES_UNKNOWN && i < record->n_inspections; i++) {
        const struct intra_inspection *p = &record->inspections[i];
        if (p->format == format || (p->format == INTRA_RECORD_NONE && record->format == format)) continue;
        for (int64_t k = 0; k < p->n_observations; k++) {
            const struct intra_observation *o = &p->observations[k];
            bool is_known = o->system != INTRA_CODES_UNKNOWN && o->system != INTRA_CODES_OWN;
            all++;
            if (!o->code || (is_known ? o->system == wanted : is_built_like(o->code, wanted))) continue;
            if (n++ == 0) first = o;
        }
    }
    if (!first) return INTRA_OK;
    return INTRA_FAIL(err, INTRA_E_UNSUPPORTED,
                      "%s holds codes of %s; %lld of %lld observations have others, the first '%s' (%s); csv and json "
                      "hold every record, and where there are several inspections --inspection ID chooses one",
                      intra_record_format_name(format), intra_code_system_name(wanted), (long long)n, (long long)all,
                      first->code, intra_code_system_name(first->system));
}

/* The element whose name starts at `text`, without its prefix, is `name`. */
static bool is_element(const char *text, const char *name)
{
    size_t n = strcspn(text, " \t\r\n/>:");
    if (text[n] == ':') {
        text += n + 1;
        n = strcspn(text, " \t\r\n/>");
    }
    return n == strlen(name) && strncasecmp(text, name, n) == 0;
}

/* The next element after `text`, behind comments and declarations; NULL. */
static const char *next_element(const char *text)
{
    while ((text = strchr(text, '<')) != NULL) {
        text++;
        if (strncmp(text, "!--", 3) == 0) {
            text = strstr(text, "-->");
            if (!text) return NULL;
        } else if (*text != '?' && *text != '!' && *text != '/') {
            return text;
        }
    }
    return NULL;
}

static enum intra_record_format xml_format(const char *head)
{
    const char *root = next_element(head), *child = root ? next_element(root) : NULL;
    if (!root) return INTRA_RECORD_NONE;
    if (is_element(root, "Identifikation")) return INTRA_RECORD_ISYBAU;
    if (is_element(root, "SurveyGroup")) return INTRA_RECORD_MSCC;
    if (is_element(root, "annotations")) return INTRA_RECORD_CVAT;
    if (is_element(root, "PROJECT") || is_element(root, "SURVEYS")) return INTRA_RECORD_WSAA;
    if (is_element(root, "DATA") && child) {
        if (is_element(child, "ZA") || strncasecmp(child, "ZB", 2) == 0) return INTRA_RECORD_RIBX;
        return INTRA_RECORD_DWA_M150;
    }
    return INTRA_RECORD_NONE;
}

static enum intra_record_format json_format(const char *head)
{
    if (strstr(head, "\"intrados_record\"")) return INTRA_RECORD_OWN_JSON;
    if (strstr(head, "\"category_id\"") || strstr(head, "\"categories\"") || strstr(head, "\"image_id\""))
        return INTRA_RECORD_COCO;
    if (strstr(head, "\"observations\"") || strstr(head, "\"video_frame\"")) return INTRA_RECORD_SEWERAI;
    if (strstr(head, "\"images\"") && strstr(head, "\"file_name\"")) return INTRA_RECORD_COCO; /* a long list first */
    return INTRA_RECORD_NONE;
}

static bool line_has(const char *line, size_t n, const char *name)
{
    size_t length = strlen(name);
    for (size_t i = 0; i + length <= n; i++)
        if (strncasecmp(line + i, name, length) == 0 && (i == 0 || strchr(",;\t\" ", line[i - 1])) &&
            (i + length == n || strchr(",;\t\" \r", line[i + length])))
            return true;
    return false;
}

/* Class number and at least four shares of the picture. */
static bool is_yolo_line(const char *line, size_t n)
{
    char copy[256];
    int fields = 0;
    if (n == 0 || n >= sizeof copy) return false;
    memcpy(copy, line, n);
    copy[n] = 0;
    for (char *rest = NULL, *word = strtok_r(copy, " \t\r", &rest); word; word = strtok_r(NULL, " \t\r", &rest)) {
        double value = intra_record_number(word);
        if (!(value >= 0) || (fields == 0 ? value != floor(value) : value > 1) || strchr(word, ',')) return false;
        fields++;
    }
    return fields >= 5;
}

static enum intra_record_format text_format(const char *head)
{
    const char *at = head + strspn(head, " \t\r\n");
    size_t n = strcspn(at, "\r\n");
    if (*at == '<') return xml_format(at);
    if (*at == '{' || *at == '[') return json_format(at);
    if (strncmp(at, "#A", 2) == 0 || strncmp(at, "#B0", 3) == 0) return INTRA_RECORD_EN_TEXT;
    if (line_has(at, n, "InspectionID") &&
        (line_has(at, n, "PACP_Code") || line_has(at, n, "Pipe_Segment_Reference") || line_has(at, n, "Upstream_MH")))
        return INTRA_RECORD_PACP_CSV;
    if (line_has(at, n, "ConditionID") || (line_has(at, n, "InspectionID") && line_has(at, n, "Video_Name")))
        return INTRA_RECORD_PACP_CSV;
    if (line_has(at, n, "code") &&
        (line_has(at, n, "station_m") || line_has(at, n, "station") || line_has(at, n, "distance")))
        return INTRA_RECORD_OWN_CSV;
    if (is_yolo_line(at, n)) return INTRA_RECORD_YOLO;
    return INTRA_RECORD_NONE;
}

/* The first `HEAD_BYTES` of a file; fewer where it is shorter. */
static enum intra_status read_head(const char *path, char *head, size_t *out_size, struct intra_error *err)
{
    FILE *stream = fopen(path, "rb");
    if (!stream) return INTRA_FAIL(err, INTRA_E_IO, "%s: cannot be opened", path);
    *out_size = fread(head, 1, HEAD_BYTES, stream);
    fclose(stream);
    return INTRA_OK;
}

static enum intra_status file_format(const char *path, enum intra_record_format *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    char *head = NULL, *text = NULL;
    size_t size = 0, text_size = 0;
    INTRA_TRY(INTRA_ALLOC(head, HEAD_BYTES + 1, err));
    INTRA_TRY(read_head(path, head, &size, err));
    if (size >= 16 && memcmp(head, "SQLite format 3", 16) == 0) {
        bool is_wincan = false, is_utf16 = false; /* the schema stands on the first pages, in the file's encoding */
        static const char plain[] = "SECOBS";
        for (size_t i = 0; i + 12 <= size && !is_wincan; i++) {
            is_utf16 = head[i] == 'S' && head[i + 1] == 0;
            for (size_t k = 0; k < 6; k++) {
                if (head[i + (is_utf16 ? 2 * k : k)] != plain[k]) break;
                is_wincan = k == 5;
            }
        }
        *out = is_wincan ? INTRA_RECORD_WINCAN_DB3 : INTRA_RECORD_PACP_SQLITE;
    } else if (size >= 19 &&
               (memcmp(head + 4, "Standard Jet DB", 15) == 0 || memcmp(head + 4, "Standard ACE DB", 15) == 0)) {
        *out = INTRA_RECORD_PACP_MDB;
    } else {
        INTRA_TRY(intra_record_to_utf8(head, size, NULL, &text, &text_size, err));
        *out = text_format(text);
    }
done:
    intra_free(head);
    intra_free(text);
    return status;
}

static bool ends_with(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);
    return n >= m && strcasecmp(name + n - m, end) == 0;
}

/* A folder: the CSV tables of PACP, or labels of YOLO (here or in labels/). */
static enum intra_status folder_format(const char *path, enum intra_record_format *out, struct intra_error *err)
{
    DIR *folder = opendir(path);
    bool has_labels = false, has_list = false;
    *out = INTRA_RECORD_NONE;
    if (!folder) return INTRA_FAIL(err, INTRA_E_IO, "%s: cannot be opened", path);
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (ends_with(entry->d_name, "conditions.csv") && !ends_with(entry->d_name, "media_conditions.csv"))
            *out = INTRA_RECORD_PACP_CSV;
        has_labels = has_labels || strcasecmp(entry->d_name, "labels") == 0 || ends_with(entry->d_name, ".txt");
        has_list = has_list || ends_with(entry->d_name, ".yaml") || ends_with(entry->d_name, "classes.txt") ||
                   strcasecmp(entry->d_name, "labels") == 0;
    }
    closedir(folder);
    if (*out == INTRA_RECORD_NONE && has_labels && has_list) *out = INTRA_RECORD_YOLO;
    return INTRA_OK;
}

enum intra_status intra_record_recognise(const char *path, enum intra_record_format *out, struct intra_error *err)
{
    *out = INTRA_RECORD_NONE;
    return intra_path_is_dir(path) ? folder_format(path, out, err) : file_format(path, out, err);
}

/* A length below zero is none: unknown, and counted; it still stands in `source`. Distances may be negative. */
static void refuse_negative(struct intra_record *record, const struct intra_inspection *p, const char *what,
                            double *value, bool is_zero_none)
{
    if (!(*value < 0) && !(is_zero_none && *value == 0)) return;
    if (*value < 0)
        intra_record_kept(record, "%s of inspection %.40s: %g m is no length", what, p->id ? p->id : "", *value);
    *value = NAN;
}

static void check_lengths(struct intra_record *record)
{
    for (int64_t i = 0; i < record->n_inspections; i++) {
        struct intra_inspection *p = &record->inspections[i];
        refuse_negative(record, p, "height", &p->height_m, true);
        refuse_negative(record, p, "width", &p->width_m, true);
        refuse_negative(record, p, "length", &p->length_m, false);
        refuse_negative(record, p, "inspected length", &p->inspected_length_m, false);
        refuse_negative(record, p, "spacing of joints", &p->joint_spacing_m, false);
    }
}

enum intra_status intra_record_read(const char *path, enum intra_record_format format, struct intra_record *out,
                                    struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    intra_record_init(out);
    if (format == INTRA_RECORD_NONE) INTRA_TRY(intra_record_recognise(path, &format, err));
    if (format == INTRA_RECORD_NONE) {
        status = INTRA_FAIL(err, INTRA_E_FORMAT,
                            "%s: no known format of an inspection record; if it is one, name it with "
                            "--format",
                            path);
        goto done;
    }
    if (!formats[format].read) {
        status = INTRA_FAIL(err, INTRA_E_UNSUPPORTED, "%s: records of the format %s are not read", path,
                            intra_record_format_name(format));
        goto done;
    }
    out->format = format;
    INTRA_TRY(intra_text_set(&out->path, path, err));
    INTRA_TRY(formats[format].read(path, out, err));
    check_lengths(out);
    out->counts.read = 0;
    for (int64_t i = 0; i < out->n_inspections; i++)
        out->counts.read += out->inspections[i].n_observations;
    if (out->n_inspections == 0) status = INTRA_FAIL(err, INTRA_E_FORMAT, "%s: no inspection in it", path);
done:
    if (status != INTRA_OK) intra_record_fini(out);
    return status;
}

enum intra_status intra_record_write(const struct intra_record *record, enum intra_record_format format,
                                     const char *path, struct intra_error *err)
{
    if (format <= INTRA_RECORD_NONE || format >= INTRA_RECORD_N_FORMATS || !formats[format].write)
        return INTRA_FAIL(err, INTRA_E_UNSUPPORTED, "%s: records of the format %s are not written", path,
                          intra_record_format_name(format));
    struct intra_record of =
        *record; /* of a store: the inspections know where they came from; writers ask the record */
    if (of.format == INTRA_RECORD_NONE && of.n_inspections > 0) {
        of.format = of.inspections[0].format;
        for (int64_t i = 1; i < of.n_inspections; i++)
            if (of.inspections[i].format != of.format) of.format = INTRA_RECORD_NONE;
    }
    return formats[format].write(&of, path, err);
}
