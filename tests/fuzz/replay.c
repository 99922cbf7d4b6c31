/* A fuzz target without libFuzzer: replay FOLDER... feeds it every file of the folders, and of each file a fixed number
 * of damaged copies: cut off, single bytes changed, pieces moved. The same ones every time. Proves that what was once
 * found stays found, in every build; does not look for more. */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DAMAGES = 40 };

static uint64_t seed = 1;

static size_t below(size_t n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(seed >> 33) % n;
}

static size_t damage(char *copy, size_t size, int kind)
{
    if (size < 2) return size;
    if (kind % 4 == 0) return below(size);
    if (kind % 4 == 1) {
        size_t n = 1 + below(size < 64 ? size / 2 : 32), to = below(size - n + 1);
        memmove(copy + to, copy + below(size - n + 1), n);
        return size;
    }
    for (int i = 0; i < kind % 8; i++)
        copy[below(size)] = (char)(below(4) ? below(256) : 255 * below(2));
    return size;
}

static void feed(const char *path)
{
    size_t size;
    char *bytes = fuzz_get(path, &size), *copy = malloc(size + 1);
    fuzz_must(copy != NULL, "there is memory");
    fprintf(stderr, "%s\n", path); /* the last one named is the one that fell */
    LLVMFuzzerTestOneInput((const uint8_t *)bytes, size);
    for (int i = 0; i < DAMAGES; i++) {
        memcpy(copy, bytes, size);
        LLVMFuzzerTestOneInput((const uint8_t *)copy, damage(copy, size, i));
    }
    free(copy);
    free(bytes);
}

static int is_file(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
    int fed = 0;
    for (int i = 1; i < argc; i++) {
        struct dirent **entries = NULL;
        int n = scandir(argv[i], &entries, is_file, alphasort);
        for (int k = 0; k < n; k++, fed++) {
            char path[1024];
            snprintf(path, sizeof path, "%s/%s", argv[i], entries[k]->d_name);
            feed(path);
            free(entries[k]);
        }
        free(entries);
    }
    printf("%d files and %d damaged copies of each\n", fed, DAMAGES);
    return fed ? 0 : 1;
}
