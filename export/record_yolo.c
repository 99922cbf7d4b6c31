/* YOLO text labels: a folder of them (here or in labels/) or one file; names from data.yaml or classes.txt beside them
 * or one folder up. The size of the picture is not in the format: outlines are shares of it, 0 to 1, and width_px and
 * height_px are 0. */
#include "core/fileio.h"
#include "core/mem.h"
#include "export/record_detections.h"
#include "export/record_letters.h"

#include <ctype.h>
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_CLASSES = 10000, MAX_FIELDS = 20000 };

struct names {
    char **items; /* by class number, NULL where there is none */
};

static enum intra_status set_name(struct names *names, double number, const char *from, size_t n,
                                  struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    char *text = NULL;
    while (n > 0 && strchr(" \t\r", from[n - 1]))
        n--;
    while (n > 0 && strchr(" \t", *from)) {
        from++;
        n--;
    }
    if (n > 1 && (from[0] == '\'' || from[0] == '"') && from[n - 1] == from[0]) { /* quotes in pairs only */
        from++;
        n -= 2;
    }
    if (n == 0 || !(number >= 0 && number < MAX_CLASSES)) return INTRA_OK;
    INTRA_TRY(INTRA_ALLOC(text, n + 1, err));
    memcpy(text, from, n);
    intra_free(names->items[(int)number]);
    names->items[(int)number] = text;
done:
    return status;
}

/* `names:` as a block list, a block map or [a, b]: the three ways that such files are written in. */
static enum intra_status parse_yaml(const char *text, struct names *names, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const char *at = strncmp(text, "names:", 6) == 0 ? text : strstr(text, "\nnames:");
    int next = 0;
    if (!at) return INTRA_OK;
    at += at[0] == '\n' ? 7 : 6;
    at += strspn(at, " \t");
    if (*at == '[') {
        for (at++; *at && *at != ']'; next++) {
            size_t n = strcspn(at, ",]");
            INTRA_TRY(set_name(names, next, at, n, err));
            at += n + (at[n] == ',');
        }
        return INTRA_OK;
    }
    for (at += strcspn(at, "\n"); *at == '\n'; at += strcspn(at, "\n")) {
        const char *line = at + 1 + strspn(at + 1, " \t");
        size_t n = strcspn(line, "\r\n#");
        at = at + 1;
        if (n == 0) continue;
        if (*line == '-') {
            INTRA_TRY(set_name(names, next++, line + 1, n - 1, err));
        } else {
            char *end;
            long number = strtol(line, &end, 10);
            if (line == at || end == line || *end != ':') break; /* the next key */
            INTRA_TRY(set_name(names, (double)number, end + 1, n - (size_t)(end + 1 - line), err));
        }
    }
done:
    return status;
}

static enum intra_status read_names(const char *folder, struct names *names, bool *is_found, struct intra_error *err)
{
    static const char *const files[] = {"data.yaml", "dataset.yaml", "classes.txt", "obj.names"};
    enum intra_status status = INTRA_OK;
    char path[1024], *text = NULL;
    size_t size;
    for (size_t i = 0; i < sizeof files / sizeof files[0] && !*is_found; i++) {
        INTRA_TRY(intra_path_join(path, sizeof path, folder, files[i], err));
        if (!intra_path_exists(path)) continue;
        *is_found = true;
        INTRA_TRY(intra_record_text(path, NULL, &text, &size, err));
        if (i < 2) {
            INTRA_TRY(parse_yaml(text, names, err));
        } else {
            int number = 0;
            for (char *line = text; *line; number++) {
                size_t n = strcspn(line, "\n");
                INTRA_TRY(set_name(names, number, line, n, err));
                line += n + (line[n] == '\n');
            }
        }
    }
done:
    intra_free(text);
    return status;
}

/* class cx cy w h [score], or class x1 y1 x2 y2 x3 y3 ... [score] */
static enum intra_status read_line(struct intra_record *record, struct intra_inspection *in, char *line,
                                   const char *file, int number, const struct names *names, double *v,
                                   struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_observation *o;
    struct intra_frame_region *region;
    char *rest = NULL, *verbatim = NULL, text[64];
    int n = 0;
    bool is_good = true;
    INTRA_TRY(intra_text_set(&verbatim, line, err));
    for (char *word = strtok_r(line, " \t\r", &rest); word && n < MAX_FIELDS; word = strtok_r(NULL, " \t\r", &rest)) {
        v[n] = intra_record_number(word);
        is_good = is_good && isfinite(v[n]);
        n++;
    }
    if (n == 0) goto done;
    if (!is_good || n < 5 || !(v[0] >= 0 && v[0] < MAX_CLASSES) || v[0] != floor(v[0])) {
        intra_record_refused(record, "%.60s line %d is no label", file, number);
        goto done;
    }
    const char *name = names->items[(int)v[0]];
    if (!name) snprintf(text, sizeof text, "class %d", (int)v[0]);
    INTRA_TRY(intra_detection_add(in, name ? name : text, &o, err));
    INTRA_TRY(intra_fields_add(&o->source, "file", file, err));
    INTRA_TRY(intra_fields_add(&o->source, "line", verbatim, err));
    INTRA_TRY(intra_observation_add_region(o, &region, err));
    INTRA_TRY(intra_text_set(&region->picture, file, err));
    o->frame = region->frame = intra_detection_frame(file);
    if (n <= 6) {
        INTRA_TRY(
            intra_detection_box(region, v[1] - v[3] / 2, v[2] - v[4] / 2, v[1] + v[3] / 2, v[2] + v[4] / 2, 0, err));
        if (n == 6) o->score = region->score = v[5];
    } else {
        if (n % 2 == 0) o->score = region->score = v[n - 1];
        INTRA_TRY(intra_detection_outline(region, (const double(*)[2])(void *)(v + 1), (n - 1) / 2, 0, err));
    }
done:
    intra_free(verbatim);
    return status;
}

static enum intra_status read_labels(struct intra_record *record, struct intra_inspection *in, const char *folder,
                                     const char *file, const struct names *names, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    char path[1024], *text = NULL;
    double *v = NULL;
    size_t size;
    int number = 0;
    INTRA_TRY(INTRA_ALLOC(v, MAX_FIELDS + 1, err));
    INTRA_TRY(intra_path_join(path, sizeof path, folder, file, err));
    INTRA_TRY(intra_record_text(path, NULL, &text, &size, err));
    for (char *line = text; *line;) {
        size_t n = strcspn(line, "\n");
        bool is_last = line[n] == 0;
        line[n] = 0;
        INTRA_TRY(read_line(record, in, line, file, ++number, names, v, err));
        line += n + !is_last;
    }
done:
    intra_free(v);
    intra_free(text);
    return status;
}

static int is_label_file(const struct dirent *entry)
{
    size_t n = strlen(entry->d_name);
    return n > 4 && entry->d_name[0] != '.' && strcmp(entry->d_name + n - 4, ".txt") == 0 &&
           strcmp(entry->d_name, "classes.txt") != 0;
}

static enum intra_status read_folder(struct intra_record *record, struct intra_inspection *in, const char *folder,
                                     const struct names *names, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct dirent **entries = NULL;
    int n = scandir(folder, &entries, is_label_file, alphasort);
    if (n < 0) return INTRA_FAIL(err, INTRA_E_IO, "%s: cannot be listed", folder);
    for (int i = 0; i < n && status == INTRA_OK; i++)
        status = read_labels(record, in, folder, entries[i]->d_name, names, err);
    for (int i = 0; i < n; i++)
        free(entries[i]);
    free(entries);
    return status;
}

enum intra_status intra_record_read_yolo(const char *path, struct intra_record *record, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    char folder[1024], labels[1024], above[1024];
    bool is_dir = intra_path_is_dir(path), is_found = false;
    const char *slash = strrchr(path, '/');
    struct names names = {NULL};
    struct intra_inspection *in;
    INTRA_TRY(INTRA_ALLOC(names.items, MAX_CLASSES, err));
    if (is_dir)
        snprintf(folder, sizeof folder, "%.1000s", path);
    else
        snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
    INTRA_TRY(read_names(folder, &names, &is_found, err));
    INTRA_TRY(intra_path_join(above, sizeof above, folder, "..", err));
    if (!is_found) INTRA_TRY(read_names(above, &names, &is_found, err));
    INTRA_TRY(intra_record_add_inspection(record, &in, err));
    INTRA_TRY(intra_path_join(labels, sizeof labels, folder, "labels", err));
    if (!is_dir)
        INTRA_TRY(read_labels(record, in, folder, slash ? slash + 1 : path, &names, err));
    else
        INTRA_TRY(read_folder(record, in, intra_path_is_dir(labels) ? labels : folder, &names, err));
    /* A picture without a detection has an empty file, so a folder may come to nothing; one file alone is then no
     * record. */
    if (in->n_observations == 0 && (record->counts.refused > 0 || !is_dir))
        status = INTRA_FAIL(err, INTRA_E_FORMAT, "%s: no line of it is a label", path);
done:
    for (int i = 0; names.items && i < MAX_CLASSES; i++)
        intra_free(names.items[i]);
    intra_free(names.items);
    return status;
}
