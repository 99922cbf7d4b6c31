/* Inspection records: one target a format, FUZZ_RECORD_FORMAT, built by CMakeLists.txt. Proves of any bytes: an error
 * with words, or a record whose numbers are finite or unknown, whose clock positions lie within the circle, that the
 * own JSON holds without loss of an observation, and that every writer writes. Formats of several files get them in one
 * input, with a line "==" between: of PACP the four tables, of YOLO the names and one label file. */
#include "fuzz.h"

#include "core/inspection.h"
#include "export/record.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#ifndef FUZZ_RECORD_FORMAT
#error "say which format"
#endif

static void check_clock(double rad)
{
    fuzz_must(isnan(rad) || (rad >= 0 && rad <= 6.2832), "a clock position within the circle");
}

static void check_length(double value)
{
    fuzz_must(isnan(value) || (value >= 0 && isfinite(value)), "a length that is one, or unknown");
}

static void check(const struct intra_record *record)
{
    for (int64_t i = 0; i < record->n_inspections; i++) {
        const struct intra_inspection *p = &record->inspections[i];
        check_length(p->height_m);
        check_length(p->width_m);
        check_length(p->length_m);
        check_length(p->inspected_length_m);
        check_length(p->joint_spacing_m);
        fuzz_must(p->n_grades >= 0 && p->n_grades <= INTRA_MAX_GRADES, "grades that fit");
        for (int64_t k = 0; k < p->n_observations; k++) {
            const struct intra_observation *o = &p->observations[k];
            check_clock(o->clock_from_rad);
            check_clock(o->clock_to_rad);
            fuzz_must(!isinf(o->distance_m) && !isinf(o->distance_to_m) && !isinf(o->time_s), "numbers or unknown");
            fuzz_must(!isinf(o->quantity[0]) && !isinf(o->quantity[1]) && !isinf(o->percent), "quantities or unknown");
            fuzz_must(o->frame >= -1, "a frame or none");
            fuzz_must(o->n_grades >= 0 && o->n_grades <= INTRA_MAX_GRADES, "grades that fit");
            for (int r = 0; r < o->n_regions; r++)
                for (int c = 0; c < o->regions[r].n_outline; c++)
                    fuzz_must(isfinite(o->regions[r].outline[c][0] + o->regions[r].outline[c][1]), "finite corners");
        }
    }
}

/* All writers take it; the own JSON brings it back. */
static void write_all(const struct intra_record *record)
{
    for (int f = INTRA_RECORD_NONE + 1; f < INTRA_RECORD_N_FORMATS; f++) {
        struct intra_error err = {0};
        struct intra_record back;
        char path[512];
        snprintf(path, sizeof path, "%s/out_%s", fuzz_dir(), intra_record_format_name((enum intra_record_format)f));
        enum intra_status status = intra_record_write(record, (enum intra_record_format)f, path, &err);
        fuzz_must(status == INTRA_OK || status == INTRA_E_UNSUPPORTED, "every writer writes every record");
        if (status != INTRA_OK || f != INTRA_RECORD_OWN_JSON) continue;
        status = intra_record_read(path, INTRA_RECORD_OWN_JSON, &back, &err);
        if (status != INTRA_OK) fprintf(stderr, "%s\n", err.text);
        fuzz_must(status == INTRA_OK, "the own JSON is read back");
        fuzz_must(back.n_inspections == record->n_inspections && back.counts.read == record->counts.read,
                  "with all its observations");
        intra_record_fini(&back);
    }
}

/* Where the next file begins, and how long this one is. */
static const uint8_t *next_part(const uint8_t *data, size_t size, size_t *out_size)
{
    for (size_t i = 0; i + 4 <= size; i++)
        if (memcmp(data + i, "\n==\n", 4) == 0) {
            *out_size = i + 1;
            return data + i + 4;
        }
    *out_size = size;
    return NULL;
}

static const char *put_parts(const uint8_t *data, size_t size)
{
    static const char *const tables[] = {"set/inspections.csv", "set/conditions.csv", "set/media_inspections.csv",
                                         "set/media_conditions.csv", NULL};
    static const char *const labels[] = {"set/data.yaml", "set/labels/x_000012.txt", NULL};
    const char *const *names = FUZZ_RECORD_FORMAT == INTRA_RECORD_YOLO ? labels : tables;
    static char folder[512];
    char inner[600];
    snprintf(folder, sizeof folder, "%s/set", fuzz_dir());
    snprintf(inner, sizeof inner, "%s/labels", folder);
    mkdir(folder, 0777);
    if (names == labels) mkdir(inner, 0777);
    for (int i = 0; names[i]; i++) {
        size_t n = 0;
        const uint8_t *next = data ? next_part(data, size, &n) : NULL;
        fuzz_put(names[i], data ? data : (const uint8_t *)"", n);
        size -= next ? (size_t)(next - data) : size;
        data = next;
    }
    return folder;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const enum intra_record_format format = FUZZ_RECORD_FORMAT;
    struct intra_record record;
    struct intra_error err = {0};
    enum intra_record_format guess;
    char path[512];
    bool is_folder = format == INTRA_RECORD_PACP_CSV || format == INTRA_RECORD_YOLO;
    snprintf(path, sizeof path, "%s", is_folder ? put_parts(data, size) : fuzz_put("record_000012.txt", data, size));
    fuzz_must(intra_record_recognise(path, &guess, &err) == INTRA_OK, "a guess at the format");
    if (intra_record_read(path, format, &record, &err) != INTRA_OK) {
        fuzz_must(err.text[0] != 0, "a message");
        return 0;
    }
    check(&record);
    write_all(&record);
    intra_record_fini(&record);
    return 0;
}
