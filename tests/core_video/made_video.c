#include "made_video.h"

#include "core/fileio.h"
#include "core/image.h"
#include "core/mem.h"
#include "core/video_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/* wants the four above first */
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];

const char *made_folder(void)
{
    if (!folder[0]) {
        strcpy(folder, "/tmp/intrados_video_XXXXXX");
        if (!mkdtemp(folder)) fail_msg("cannot make a folder under /tmp");
    }
    return folder;
}

const char *made_path(const char *name)
{
    static char paths[8][256];
    static int next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", made_folder(), name);
    return path;
}

void made_cleanup(void)
{
    char command[128];
    if (!folder[0]) return;
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    if (system(command) != 0) fprintf(stderr, "%s stays behind\n", folder);
    folder[0] = '\0';
}

static uint32_t mix(uint32_t a, uint32_t b, uint32_t c)
{
    uint32_t h = a * 0x9e3779b1u ^ b * 0x85ebca77u ^ c * 0xc2b2ae3du;
    h ^= h >> 15;
    h *= 0x2c1b3c6du;
    h ^= h >> 12;
    h *= 0x297a2d39u;
    return h ^ h >> 15;
}

double made_texture(double x, double y)
{
    const double cell = 6.0;
    double cx = floor(x / cell), cy = floor(y / cell), fx = x / cell - cx, fy = y / cell - cy;
    double corner[4];
    for (int i = 0; i < 4; i++)
        corner[i] = mix((uint32_t)((int)cx + (i & 1)), (uint32_t)((int)cy + (i >> 1)), 7) % 200 + 28.0;
    fx = fx * fx * (3.0 - 2.0 * fx);
    fy = fy * fy * (3.0 - 2.0 * fy);
    return (corner[0] * (1 - fx) + corner[1] * fx) * (1 - fy) + (corner[2] * (1 - fx) + corner[3] * fx) * fy;
}

double made_noise(int x, int y, int frame, double sigma)
{
    uint32_t h = mix((uint32_t)x, (uint32_t)y, (uint32_t)frame);
    /* four bytes added up: nearly Gaussian, deviation 147.8 */
    double sum = (h & 255u) + (h >> 8 & 255u) + (h >> 16 & 255u) + (h >> 24);
    return (sum - 510.0) / 147.8 * sigma;
}

static uint8_t to_u8(double v)
{
    return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v + 0.5);
}

void made_draw(const struct made_picture *p, struct intra_view_u8 *rgb)
{
    for (int y = 0; y < rgb->rows; y++) {
        uint8_t *row = intra_row_u8(rgb, y);
        double shift = y % 2 ? p->shift_low_px : p->shift_px;
        for (int x = 0; x < rgb->cols; x++) {
            double v = made_texture(x + shift, y);
            if (p->noise_sigma > 0) v += made_noise(x, y, p->noise_frame, p->noise_sigma);
            row[3 * x] = to_u8(v);
            row[3 * x + 1] = to_u8(0.9 * v);
            row[3 * x + 2] = to_u8(0.7 * v);
        }
    }
}

struct intra_video_writer *made_writer(const char *path, const char *codec, int quality, bool is_interlaced)
{
    struct intra_video_writer_options options = {.width = MADE_WIDTH,
                                                 .height = MADE_HEIGHT,
                                                 .fps_num = MADE_FPS,
                                                 .fps_den = 1,
                                                 .codec = codec,
                                                 .quality = quality,
                                                 .is_interlaced = is_interlaced};
    struct intra_video_writer *writer = NULL;
    struct intra_error err = {0};
    if (intra_video_writer_open(path, &options, &writer, &err) != INTRA_OK) fail_msg("%s", err.text);
    return writer;
}

void made_put(struct intra_video_writer *writer, const struct made_picture *picture, int64_t pts)
{
    struct intra_view_u8 rgb = {0};
    struct intra_error err = {0};
    assert_int_equal(intra_image_u8_init(&rgb, MADE_HEIGHT, MADE_WIDTH, 3, &err), INTRA_OK);
    made_draw(picture, &rgb);
    if (intra_video_writer_put(writer, &rgb, pts, &err) != INTRA_OK) fail_msg("%s", err.text);
    intra_image_u8_fini(&rgb);
}

void made_close(struct intra_video_writer **writer)
{
    struct intra_error err = {0};
    if (intra_video_writer_close(writer, &err) != INTRA_OK) fail_msg("%s", err.text);
}

void made_drive(const char *path, const char *codec, int frames)
{
    struct intra_video_writer *writer = made_writer(path, codec, 0, false);
    for (int i = 0; i < frames; i++) {
        struct made_picture picture = {
            .shift_px = 3.0 * i, .shift_low_px = 3.0 * i, .noise_sigma = 2, .noise_frame = i};
        made_put(writer, &picture, i);
    }
    made_close(&writer);
}

static uint64_t hash_view(uint64_t hash, const struct intra_view_u8 *view)
{
    for (int y = 0; y < view->rows; y++)
        for (int x = 0; x < view->cols; x++)
            hash = (hash ^ intra_row_u8(view, y)[x]) * 1099511628211ull;
    return hash;
}

static double mean_of(const struct intra_view_u8 *view)
{
    double sum = 0;
    for (int y = 0; y < view->rows; y++)
        for (int x = 0; x < view->cols; x++)
            sum += intra_row_u8(view, y)[x];
    return sum / ((double)view->rows * view->cols);
}

void made_read(const char *path, const struct intra_video_options *options, struct made_seen *out)
{
    struct intra_video_options defaults = intra_video_defaults();
    struct intra_video *video = NULL;
    struct intra_frame *frame = NULL;
    memset(out, 0, sizeof *out);
    out->end = intra_video_open(path, options ? options : &defaults, &video, &out->error);
    if (out->end != INTRA_OK) return;
    while ((out->end = intra_video_next(video, &frame, &out->error)) == INTRA_OK) {
        struct intra_comb_state comb = {0};
        int i = out->frames++;
        assert_in_range(i, 0, 1023);
        out->index[i] = frame->index;
        out->pts_s[i] = frame->pts_s;
        out->is_repeat[i] = frame->is_repeat;
        out->is_damaged[i] = frame->is_damaged;
        out->hash[i] = hash_view(hash_view(hash_view(14695981039346656037ull, &frame->y), &frame->u), &frame->v);
        out->mean_luma[i] = mean_of(&frame->y);
        intra_comb_add(&comb, &frame->y, NULL);
        out->combed += comb.combed;
        intra_frame_release(&frame);
    }
    intra_video_info(video, &out->info);
    intra_video_counts(video, &out->counts);
    intra_video_close(&video);
}

bool made_ffmpeg(const char *arguments)
{
    char command[2048];
    if (system("command -v ffmpeg > /dev/null") != 0) return false;
    snprintf(command, sizeof command, "ffmpeg -nostdin -y -v error %s", arguments);
    if (system(command) != 0) fail_msg("failed: %s", command);
    return true;
}

long made_file_size(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? (long)st.st_size : -1;
}

void made_damage(const char *from, const char *to, double keep_share, int count, int length)
{
    char *bytes = NULL;
    size_t size = 0;
    FILE *file;
    assert_int_equal(intra_read_file(from, (size_t)1 << 30, &bytes, &size, NULL), INTRA_OK);
    size = (size_t)((double)size * keep_share);
    for (int k = 0; k < count; k++) {
        size_t at = (size_t)((double)size * (0.3 + 0.6 * k / count));
        for (int i = 0; i < length && at + (size_t)i < size; i++)
            bytes[at + (size_t)i] = (char)mix((uint32_t)i, (uint32_t)k, 99);
    }
    file = fopen(to, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    intra_free(bytes);
}
