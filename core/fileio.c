/* Files that are never half-written. The part name is beside the final one, so that the rename stays on one file system
 * and is atomic. */
#include "core/fileio.h"

#include "core/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define PART_SUFFIX ".part"

/* What went wrong in words; stdio may have lost errno between the failing write and us, so ask the disk. */
static const char *reason(int error, const char *path)
{
    struct statvfs disk;
    if (error) return strerror(error);
    if (statvfs(path, &disk) == 0 && disk.f_bavail == 0) return strerror(ENOSPC);
    return "write failed";
}

static enum intra_status fail_path(enum intra_status code, const char *what, const char *path, int error,
                                   struct intra_error *err)
{
    const char *hint = error == ENOSPC || error == EDQUOT    ? "; free some space or choose another folder"
                       : error == EACCES || error == EROFS   ? "; choose a folder that you may write to"
                       : error == EEXIST || error == ENOTDIR ? "; that is a file, choose another folder"
                                                             : "";
    return INTRA_FAIL(err, code, "%s: %s: %s%s", path, what, reason(error, path), hint);
}

void intra_part_name(const char *path, char *out, size_t n)
{
    snprintf(out, n, "%s" PART_SUFFIX, path);
}

enum intra_status intra_out_file_open(struct intra_out_file *file, const char *path, struct intra_error *err)
{
    memset(file, 0, sizeof *file);
    if (strlen(path) >= sizeof file->path)
        return INTRA_FAIL(err, INTRA_E_IO, "%.100s...: path is longer than %zu bytes", path, sizeof file->path - 1);
    strcpy(file->path, path);
    intra_part_name(path, file->part, sizeof file->part);
    if (intra_path_is_dir(path)) return fail_path(INTRA_E_IO, "cannot write", path, EISDIR, err);
    file->stream = fopen(file->part, "wb");
    if (!file->stream) return fail_path(INTRA_E_IO, "cannot write", path, errno, err);
    return INTRA_OK;
}

enum intra_status intra_out_file_commit(struct intra_out_file *file, struct intra_error *err)
{
    int error = 0;
    bool is_bad = ferror(file->stream) != 0;
    if (fflush(file->stream) != 0) {
        is_bad = true;
        error = errno;
    }
    /* EINVAL, ENOTSUP: the target cannot be synced (a pipe, some network mounts), which is no fault of the data. */
    if (!is_bad && fsync(fileno(file->stream)) != 0 && errno != EINVAL && errno != ENOTSUP) {
        is_bad = true;
        error = errno;
    }
    if (fclose(file->stream) != 0 && !is_bad) {
        is_bad = true;
        error = errno;
    }
    file->stream = NULL;
    if (!is_bad && rename(file->part, file->path) != 0) {
        is_bad = true;
        error = errno;
    }
    if (!is_bad) return INTRA_OK;
    enum intra_status status = fail_path(INTRA_E_IO, "cannot write", file->path, error, err);
    unlink(file->part);
    return status;
}

void intra_out_file_abandon(struct intra_out_file *file)
{
    if (!file->stream) return;
    fclose(file->stream);
    file->stream = NULL;
    unlink(file->part);
}

enum intra_status intra_part_commit(const char *path, struct intra_error *err)
{
    char part[1040];
    if (strlen(path) + sizeof PART_SUFFIX > sizeof part)
        return INTRA_FAIL(err, INTRA_E_IO, "%.100s...: path is longer than %zu bytes", path,
                          sizeof part - sizeof PART_SUFFIX);
    intra_part_name(path, part, sizeof part);
    int error = 0, fd = open(part, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return fail_path(INTRA_E_IO, "cannot write", path, errno, err);
    if (fsync(fd) != 0 && errno != EINVAL && errno != ENOTSUP) error = errno;
    close(fd);
    if (!error && rename(part, path) != 0) error = errno;
    if (!error) return INTRA_OK;
    enum intra_status status = fail_path(INTRA_E_IO, "cannot write", path, error, err);
    unlink(part);
    return status;
}

enum intra_status intra_read_file(const char *path, size_t max_bytes, char **out, size_t *out_size,
                                  struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    size_t used = 0, cap = 0;
    char *data = NULL;
    *out = NULL;
    *out_size = 0;
    FILE *stream = fopen(path, "rb");
    if (!stream) return fail_path(INTRA_E_IO, "cannot read", path, errno, err);
    if (intra_path_is_dir(path)) {
        status = fail_path(INTRA_E_IO, "cannot read", path, EISDIR, err);
        goto done;
    }
    for (;;) { /* by growing, not by size: pipes and /dev/stdin have none */
        if (used + 1 >= cap) {
            size_t next = cap ? 2 * cap : 16384;
            char *grown = intra_resize(data, cap, next, 1);
            if (!grown) {
                status = INTRA_FAIL(err, INTRA_E_MEM, "%s: out of memory while reading", path);
                goto done;
            }
            data = grown;
            cap = next;
        }
        size_t got = fread(data + used, 1, cap - 1 - used, stream);
        used += got;
        if (used > max_bytes) {
            status = INTRA_FAIL(err, INTRA_E_FORMAT, "%s: larger than %zu bytes, which is too much for such a file",
                                path, max_bytes);
            goto done;
        }
        if (got == 0) break;
    }
    if (ferror(stream)) {
        status = fail_path(INTRA_E_IO, "cannot read", path, errno, err);
        goto done;
    }
    data[used] = 0;
    *out = data;
    *out_size = used;
    data = NULL;
done:
    fclose(stream);
    intra_free(data);
    return status;
}

bool intra_path_exists(const char *path)
{
    struct stat info;
    return lstat(path, &info) == 0;
}

bool intra_path_is_dir(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

enum intra_status intra_make_dir(const char *path, struct intra_error *err)
{
    char part[1024];
    size_t n = strlen(path);
    if (n == 0) return INTRA_FAIL(err, INTRA_E_ARG, "empty folder name");
    if (n >= sizeof part)
        return INTRA_FAIL(err, INTRA_E_IO, "%.100s...: path is longer than %zu bytes", path, sizeof part - 1);
    for (size_t i = 1; i <= n; i++) {
        if (path[i] != '/' && path[i] != 0) continue;
        memcpy(part, path, i);
        part[i] = 0;
        int error = mkdir(part, 0777) == 0 ? 0 : errno; /* to look whether it is there sets errno anew */
        if (error && !intra_path_is_dir(part)) return fail_path(INTRA_E_IO, "cannot make folder", part, error, err);
    }
    return INTRA_OK;
}

enum intra_status intra_path_join(char *out, size_t n, const char *dir, const char *name, struct intra_error *err)
{
    size_t length = strlen(dir);
    const char *slash = length && dir[length - 1] == '/' ? "" : "/";
    int need = snprintf(out, n, "%s%s%s", dir, slash, name);
    if (need < 0 || (size_t)need >= n)
        return INTRA_FAIL(err, INTRA_E_ARG, "%.200s%s%.100s: path is longer than %zu bytes", dir, slash, name, n - 1);
    return INTRA_OK;
}
