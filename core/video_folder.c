/* Folders of numbered images as video: which files, in which order. */
#include "core/log.h"
#include "core/mem.h"
#include "core/video_internal.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LOG_STAGE "video"

static bool is_image_name(const char *name)
{
    static const char *const endings[] = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp"};
    const char *dot = strrchr(name, '.');
    if (!dot || name[0] == '.') return false; /* also leaves out ._names that macOS puts on foreign disks */
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
        if (!strcasecmp(dot, endings[i])) return true;
    return false;
}

static size_t digits_at(const char *text)
{
    size_t n = 0;
    while (isdigit((unsigned char)text[n]))
        n++;
    return n;
}

/* Runs of digits compare as numbers of any length; equal numbers with more leading zeros, and then all else, as bytes.
 */
int intra_natural_compare(const char *a, const char *b)
{
    const char *whole_a = a, *whole_b = b;
    while (*a && *b) {
        if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
            size_t na, nb;
            int order;
            while (*a == '0')
                a++;
            while (*b == '0')
                b++;
            na = digits_at(a);
            nb = digits_at(b);
            if (na != nb) return na < nb ? -1 : 1;
            order = strncmp(a, b, na);
            if (order != 0) return order;
            a += na;
            b += nb;
        } else if (*a == *b) {
            a++;
            b++;
        } else {
            break;
        }
    }
    if (*a != *b) return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
    return strcmp(whole_a, whole_b);
}

static int compare_names(const void *a, const void *b)
{
    return intra_natural_compare(*(char *const *)a, *(char *const *)b);
}

static enum intra_status add_name(struct intra_name_list *list, const char *name, struct intra_error *err)
{
    if (list->count == list->capacity) {
        int capacity = list->capacity ? 2 * list->capacity : 64;
        char **names = intra_resize(list->names, (size_t)list->capacity, (size_t)capacity, sizeof *names);
        if (!names) return INTRA_FAIL(err, INTRA_E_MEM, "out of memory for %d image names", capacity);
        list->names = names;
        list->capacity = capacity;
    }
    list->names[list->count] = intra_strdup(name);
    if (!list->names[list->count]) return INTRA_FAIL(err, INTRA_E_MEM, "out of memory for an image name");
    list->count++;
    return INTRA_OK;
}

/* The number of an image: the last run of digits in its name. *out_stem is the length of what stands before it. */
static bool image_number(const char *name, size_t *out_stem, long long *out)
{
    size_t end = strlen(name), from;
    while (end > 0 && !isdigit((unsigned char)name[end - 1]))
        end--;
    for (from = end; from > 0 && isdigit((unsigned char)name[from - 1]);)
        from--;
    if (from == end || end - from > 18) return false;
    *out_stem = from;
    *out = strtoll(name + from, NULL, 10);
    return true;
}

/* How far the numbering goes from one image to the next; 0 where they do not belong to one row of numbers. */
static long long image_step(const char *a, const char *b)
{
    size_t stem_a, stem_b;
    long long from, to;
    if (!image_number(a, &stem_a, &from) || !image_number(b, &stem_b, &to) || stem_a != stem_b) return 0;
    return strncmp(a, b, stem_a) == 0 ? to - from : 0;
}

/* Images have no times but their places: where some are missing, the camera seems to jump. Said where the steps are
 * even but for a few; every fifth frame of a video is fine, and so are numbers that are times. */
static void warn_of_gaps(const char *path, const struct intra_name_list *list)
{
    long long least = 0;
    int jumps = 0, first = 0;
    for (int i = 1; i < list->count; i++) {
        long long step = image_step(list->names[i - 1], list->names[i]);
        if (step > 0 && (least == 0 || step < least)) least = step;
    }
    for (int i = 1; i < list->count; i++)
        if (least > 0 && image_step(list->names[i - 1], list->names[i]) > least && jumps++ == 0) first = i;
    if (jumps == 0 || 4 * jumps > list->count) return;
    intra_log(INTRA_LOG_WARNING, LOG_STAGE,
              "%s: the numbering jumps from %s to %s%s; are images missing? They are taken one after the other", path,
              list->names[first - 1], list->names[first], jumps > 1 ? " and in other places" : "");
}

enum intra_status intra_image_folder_list(const char *path, struct intra_name_list *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct dirent *entry;
    DIR *dir = opendir(path);
    *out = (struct intra_name_list){0};
    if (!dir)
        return INTRA_FAIL(err, INTRA_E_IO, "%s: cannot read the folder: %s; check its permissions", path,
                          strerror(errno));
    while ((entry = readdir(dir)) != NULL)
        if (is_image_name(entry->d_name)) INTRA_TRY(add_name(out, entry->d_name, err));
    if (out->count == 0) {
        status = INTRA_FAIL(err, INTRA_E_FORMAT,
                            "%s: the folder holds no images; give a video file or a folder of numbered png, jpg, tif "
                            "or bmp files",
                            path);
        goto done;
    }
    qsort(out->names, (size_t)out->count, sizeof *out->names, compare_names);
    warn_of_gaps(path, out);
done:
    closedir(dir);
    if (status != INTRA_OK) intra_name_list_fini(out);
    return status;
}

void intra_name_list_fini(struct intra_name_list *list)
{
    for (int i = 0; i < list->count; i++)
        intra_free(list->names[i]);
    intra_free(list->names);
    *list = (struct intra_name_list){0};
}
