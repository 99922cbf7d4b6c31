/* Video in: anything FFmpeg reads, or a folder of numbered images (PNG, JPEG, TIFF, BMP, in natural number order).
 *
 * Frames come in presentation order, decoded ahead on threads of their own behind a bounded queue. Damaged packets and
 * frames are skipped and counted, never fatal while anything decodes. libav lives in core/video.c and video_source.c
 * (in), video_writer.c (out) and video_hash.c. */
#ifndef INTRA_CORE_VIDEO_H
#define INTRA_CORE_VIDEO_H

#include "core/image.h"
#include "core/status.h"

#include <stdbool.h>
#include <stdint.h>

enum intra_deinterlace { INTRA_DEINTERLACE_AUTO, INTRA_DEINTERLACE_OFF, INTRA_DEINTERLACE_ON };

struct intra_video_options {
    enum intra_deinterlace deinterlace; /* AUTO: where stream flags or combing in the picture say so */
    double from_s, to_s;                /* presentation times in [from_s, to_s); to_s <= 0: to the end. All before
                                         * from_s is decoded and dropped, so that index is sure */
    int threads;                        /* decoder threads; 0 = number of cores */
    int queue_frames;                   /* frames decoded ahead; default 8 */
    bool keyframes_only;                /* decode key frames only: a quick look over a long file; index then counts
                                         * the key frames, pts_s stays true */
    bool references_only; /* leave out pictures that no other leans on, about half of a file with B-frames:
                           * a quick look; index counts what is left, pts_s stays true */
    double image_fps;                   /* rate given to image folders; default 25 */
    const struct intra_video_probe *probe; /* of the same file, with the same `deinterlace` and `image_fps`: its first
                                            * pictures are not looked at again. Borrowed while opening; NULL: none */
};
struct intra_video_options intra_video_defaults(void);

struct intra_video_info {
    int width, height;        /* pixels as stored */
    double pixel_aspect;      /* display width of a pixel / height; 1 when unknown */
    int rotation_deg;         /* clockwise, 0 to 359: how a player turns the pictures; here they stay as stored */
    double fps;               /* average rate, 0 if unknown */
    double duration_s;        /* 0 if unknown */
    int64_t frames_estimated; /* 0 if unknown */
    bool is_interlaced;       /* deinterlacing is on (flags or measured combing) */
    bool is_image_folder;
    char container[64], codec[64];
};

/* What the first pictures of a file say. Only `info` is for callers. */
struct intra_video_probe {
    struct intra_video_info info;
    double time_base_s;
    int deinterlacing;
    bool is_top_first, is_intra_coded;
};

struct intra_video_counts {
    int64_t decoded; /* frames given out by intra_video_next so far, */
    int64_t damaged; /* those of them with is_damaged, and pieces before them that gave no frame at all */
    int64_t repeated;
};

/* One frame, reference counted, from a pool. y is full-range luma (BT.601), u and v full-range chroma at half size
 * (rows and cols rounded up), 128 = grey: R = Y + 1.402 (V-128), G = Y - 0.344136 (U-128) - 0.714136 (V-128),
 * B = Y + 1.772 (U-128), whatever the file's own colour space was. Read-only for everybody. */
struct intra_frame {
    int64_t index; /* 0-based in the input (not in the from/to window); a frame that could not be decoded, and an
                    * image that could not be read, keep their number */
    double pts_s;  /* presentation time, seconds, strictly increasing; first frame of the file is 0 */
    struct intra_view_u8 y, u, v;
    bool is_repeat;  /* the picture repeats the last non-repeated one but for coding noise; a small burnt-in clock or
                      * counter may have gone on. When unsure, false; so too with keyframes_only and references_only */
    bool is_damaged; /* decoded with errors concealed, or of another size than the first frame and scaled to it */
};

struct intra_video;

/* Look at the first pictures, for `options.probe` of several openings; with a probe in the options, a copy of it.
 * Errors: as intra_video_open. */
enum intra_status intra_video_look(const char *path, const struct intra_video_options *options,
                                   struct intra_video_probe *out, struct intra_error *err);
/* Errors: INTRA_E_IO missing or unreadable, INTRA_E_FORMAT not a video / no video stream (audio only) / zero frames. */
enum intra_status intra_video_open(const char *path, const struct intra_video_options *options,
                                   struct intra_video **out, struct intra_error *err);
void intra_video_info(const struct intra_video *video, struct intra_video_info *out);
/* The next frame; INTRA_EOF at the end. Release each frame with intra_frame_release (any thread, any order). At most
 * queue_frames + 80 frames may be held at once. */
enum intra_status intra_video_next(struct intra_video *video, struct intra_frame **out, struct intra_error *err);
struct intra_frame *intra_frame_retain(struct intra_frame *frame);
void intra_frame_release(struct intra_frame **frame);
void intra_video_counts(const struct intra_video *video, struct intra_video_counts *out);
/* Stops the decoder threads and frees everything; frames still held stay valid until released. NULL is fine. */
void intra_video_close(struct intra_video **video);

/* Video out, for the simulator (core/video_writer.c). codec: "h264", "mpeg2", "mjpeg", "ffv1" (lossless RGB); container
 * from the file name. Frames are packed RGB u8 (rows, cols, 3); width and height even. The lossy codecs get BT.601
 * 4:2:0, tagged so. The same frames give the same bytes, whatever the machine's core count. Matroska keeps times to 1
 * ms only; MP4 keeps them exactly. */
struct intra_video_writer;
struct intra_video_writer_options {
    int width, height;
    int fps_num, fps_den;
    const char *codec;
    double bitrate_mbit; /* 0: constant quality instead */
    int quality;         /* CRF for h264 (0: default 18), qscale for mpeg2/mjpeg (0: default 3) */
    bool is_interlaced;  /* code as interlaced, top field first; h264 and mpeg2, height divisible by 4 */
};
/* Errors: INTRA_E_ARG (options, file name's ending), INTRA_E_IO; nothing stays on disk then. */
enum intra_status intra_video_writer_open(const char *path, const struct intra_video_writer_options *options,
                                          struct intra_video_writer **out, struct intra_error *err);
/* pts: time of the frame in units of fps_den/fps_num seconds; not negative, strictly increasing. The frame is copied.
 */
enum intra_status intra_video_writer_put(struct intra_video_writer *writer, const struct intra_view_u8 *rgb,
                                         int64_t pts, struct intra_error *err);
/* Finishes the file and gives it its name; after a failure (also of an earlier put, or without a frame) nothing stays
 * on disk. Frees the writer either way; NULL is fine. */
enum intra_status intra_video_writer_close(struct intra_video_writer **writer, struct intra_error *err);
/* Frees the writer and throws the unfinished file away; NULL is fine. */
void intra_video_writer_abandon(struct intra_video_writer **writer);

/* SHA-256 of a file's bytes (of a folder: of its image names and bytes in order) as 64 hex digits. */
enum intra_status intra_file_sha256(const char *path, char out_hex[65], struct intra_error *err);

/* Version of the FFmpeg libraries in use. */
const char *intra_video_library_version(void);

#endif
