#include "fuzz.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char dir[256];

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)info;
    (void)kind;
    (void)place;
    return remove(path);
}

static void remove_dir(void)
{
    nftw(dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

const char *fuzz_dir(void)
{
    const char *base = getenv("TMPDIR");
    if (dir[0]) return dir;
    if (!base || !*base) base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(dir, sizeof dir, "%.200s/intra-fuzz-XXXXXX", base);
    fuzz_must(mkdtemp(dir) != NULL, "a scratch folder can be made");
    atexit(remove_dir);
    return dir;
}

const char *fuzz_put(const char *name, const void *data, size_t size)
{
    static char path[512];
    FILE *file;
    snprintf(path, sizeof path, "%s/%s", fuzz_dir(), name);
    file = fopen(path, "wb");
    fuzz_must(file && fwrite(data, 1, size, file) == size && fclose(file) == 0, "scratch files can be written");
    return path;
}

char *fuzz_get(const char *path, size_t *out_size)
{
    FILE *file = fopen(path, "rb");
    char *bytes;
    long size = -1;
    if (file && fseek(file, 0, SEEK_END) == 0) size = ftell(file);
    if (size < 0) fprintf(stderr, "%s: ", path);
    fuzz_must(size >= 0, "the file can be read");
    rewind(file);
    bytes = malloc((size_t)size + 1);
    fuzz_must(bytes && fread(bytes, 1, (size_t)size, file) == (size_t)size, "the whole file can be read");
    fclose(file);
    bytes[size] = 0;
    *out_size = (size_t)size;
    return bytes;
}

char *fuzz_text(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    fuzz_must(text != NULL, "there is memory");
    if (size) memcpy(text, data, size);
    text[size] = 0;
    return text;
}

void fuzz_must(bool holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "does not hold: %s\n", what);
    abort();
}
