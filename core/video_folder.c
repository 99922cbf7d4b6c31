/* Folders of numbered images as video: which files, in which order. */
#include "core/mem.h"
#include "core/video_internal.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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
