/* For the provenance of a result: SHA-256 of a video's bytes, and the FFmpeg that read it. */
#include "core/fileio.h"
#include "core/mem.h"
#include "core/video_internal.h"

#include <errno.h>
#include <libavutil/avutil.h>
#include <libavutil/mem.h>
#include <libavutil/sha.h>
#include <stdio.h>
#include <string.h>

#define CHUNK ((size_t)1 << 20)

static enum intra_status hash_file(struct AVSHA *sha, const char *path, uint8_t *chunk, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    FILE *file = fopen(path, "rb");
    size_t n;
    if (!file) return INTRA_FAIL(err, INTRA_E_IO, "%s: cannot be read: %s; check the name", path, strerror(errno));
    while ((n = fread(chunk, 1, CHUNK, file)) > 0)
        av_sha_update(sha, chunk, n);
    if (ferror(file)) status = INTRA_FAIL(err, INTRA_E_IO, "%s: reading failed: %s", path, strerror(errno));
    fclose(file);
    return status;
}

enum intra_status intra_file_sha256(const char *path, char out_hex[65], struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_name_list names = {0};
    struct AVSHA *sha = av_sha_alloc();
    uint8_t *chunk = NULL, digest[32];
    char file[4096];
    out_hex[0] = '\0';
    if (!sha) return INTRA_FAIL(err, INTRA_E_MEM, "%s: out of memory for its hash", path);
    av_sha_init(sha, 256);
    INTRA_TRY(INTRA_ALLOC(chunk, CHUNK, err));
    if (intra_path_is_dir(path)) {
        INTRA_TRY(intra_image_folder_list(path, &names, err));
        for (int i = 0; i < names.count; i++) {
            INTRA_TRY(intra_path_join(file, sizeof file, path, names.names[i], err));
            av_sha_update(sha, (const uint8_t *)names.names[i], strlen(names.names[i]) + 1);
            INTRA_TRY(hash_file(sha, file, chunk, err));
        }
    } else {
        INTRA_TRY(hash_file(sha, path, chunk, err));
    }
    av_sha_final(sha, digest);
    for (int i = 0; i < 32; i++)
        snprintf(out_hex + 2 * i, 3, "%02x", digest[i]);
done:
    intra_name_list_fini(&names);
    intra_free(chunk);
    av_free(sha);
    return status;
}

const char *intra_video_library_version(void)
{
    return av_version_info();
}
