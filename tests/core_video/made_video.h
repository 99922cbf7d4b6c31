/* Small made videos for the tests of core/video: known pictures, known times. */
#ifndef INTRA_TESTS_MADE_VIDEO_H
#define INTRA_TESTS_MADE_VIDEO_H

#include "core/video.h"

#include <stdbool.h>

#define MADE_WIDTH 192
#define MADE_HEIGHT 160
#define MADE_FPS 25

/* A folder of this test's own under /tmp, emptied by made_cleanup. */
const char *made_folder(void);
/* made_folder()/name in one of a few rotating buffers. */
const char *made_path(const char *name);
void made_cleanup(void);

/* Brightness at (x, y), pixels, of an endless texture: soft blobs of some 6 pixels. 0 to 255. */
double made_texture(double x, double y);
/* Integer noise, the same for the same arguments; standard deviation `sigma`. */
double made_noise(int x, int y, int frame, double sigma);

/* One picture: the texture moved by shift_px, plus noise of its own seed. */
struct made_picture {
    double shift_px, shift_low_px; /* of the top field, and of the lower field for interlaced pictures */
    double noise_sigma;
    int noise_frame;
};
void made_draw(const struct made_picture *picture, struct intra_view_u8 *rgb);

/* Opens a writer of MADE_WIDTH x MADE_HEIGHT; fails the test when it cannot. quality 0: default. */
struct intra_video_writer *made_writer(const char *path, const char *codec, int quality, bool is_interlaced);
/* Draws, writes; fails the test on an error. */
void made_put(struct intra_video_writer *writer, const struct made_picture *picture, int64_t pts);
void made_close(struct intra_video_writer **writer);
/* A drive of so many frames, 3 pixels a frame, in one call. */
void made_drive(const char *path, const char *codec, int frames);

/* What a reader gave, without the pixels. */
struct made_seen {
    struct intra_video_info info;
    struct intra_video_counts counts;
    enum intra_status end; /* INTRA_EOF when all went well */
    int frames;
    int64_t index[1024];
    double pts_s[1024];
    bool is_repeat[1024], is_damaged[1024];
    uint64_t hash[1024]; /* of each frame's three planes */
    double mean_luma[1024];
    int combed; /* frames whose picture is combed */
    struct intra_error error;
};
/* Reads everything; a failing open leaves frames 0 and the status in `end`. */
void made_read(const char *path, const struct intra_video_options *options, struct made_seen *out);

/* Runs ffmpeg quietly with the arguments; false when there is no such program. Fails the test when it fails. */
bool made_ffmpeg(const char *arguments);
/* Copies a file, at most `keep` bytes of it; then writes noise over `count` places of `length` bytes from 30 % on. */
void made_damage(const char *from, const char *to, double keep_share, int count, int length);
long made_file_size(const char *path);

#endif
