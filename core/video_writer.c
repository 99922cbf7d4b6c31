/* Video out: packed RGB frames into a file, for the simulator.
 *
 * A second file with libav headers beside video.c: reading and writing share no state and no code.
 *
 * Same bytes everywhere: one encoder thread, bit-exact muxer and codec flags, own integer colour conversion. The file
 * grows under its part name and gets its own name when everything is on disk. */
#include "core/fileio.h"
#include "core/mem.h"
#include "core/video.h"

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/log.h>
#include <libavutil/opt.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum writer_codec { WRITER_H264, WRITER_MPEG2, WRITER_MJPEG, WRITER_FFV1 };

static const struct codec_row {
    const char *name, *encoder;
    enum AVPixelFormat format;
    int default_quality;
} codec_rows[] = {
    [WRITER_H264] = {"h264", "libx264", AV_PIX_FMT_YUV420P, 18},
    [WRITER_MPEG2] = {"mpeg2", "mpeg2video", AV_PIX_FMT_YUV420P, 3},
    [WRITER_MJPEG] = {"mjpeg", "mjpeg", AV_PIX_FMT_YUVJ420P, 3},
    [WRITER_FFV1] = {"ffv1", "ffv1", AV_PIX_FMT_BGR0, 0},
};
#define CODEC_COUNT ((int)(sizeof codec_rows / sizeof codec_rows[0]))

struct intra_video_writer {
    AVFormatContext *format;
    AVCodecContext *encoder;
    AVStream *stream; /* belongs to format */
    AVFrame *frame;
    AVPacket *packet;
    char path[1024], part[1040];
    int64_t last_pts, frames;
    bool is_interlaced, is_part_made, is_failed;
};

static enum intra_status fail_av(const struct intra_video_writer *w, const char *what, int code,
                                 struct intra_error *err)
{
    char reason[AV_ERROR_MAX_STRING_SIZE] = "";
    av_strerror(code, reason, sizeof reason);
    return INTRA_FAIL(err, code == AVERROR(ENOMEM) ? INTRA_E_MEM : INTRA_E_IO,
                      "%s: %s: %s; check that the folder exists, is writable and has space", w->path, what, reason);
}

static enum intra_status check_options(const char *path, const struct intra_video_writer_options *o, int *out_codec,
                                       struct intra_error *err)
{
    int codec = 0;
    while (codec < CODEC_COUNT && (!o->codec || strcmp(o->codec, codec_rows[codec].name) != 0))
        codec++;
    if (codec == CODEC_COUNT)
        return INTRA_FAIL(err, INTRA_E_ARG, "%s: video codec '%s' is not known; use h264, mpeg2, mjpeg or ffv1", path,
                          o->codec ? o->codec : "");
    if (o->width < 2 || o->height < 2 || o->width > 16384 || o->height > 16384 || o->width % 2 || o->height % 2)
        return INTRA_FAIL(err, INTRA_E_ARG, "%s: cannot code %dx%d video; width and height must be even, 2 to 16384",
                          path, o->width, o->height);
    if (o->fps_num <= 0 || o->fps_den <= 0)
        return INTRA_FAIL(err, INTRA_E_ARG, "%s: frame rate %d/%d makes no sense; give two positive numbers", path,
                          o->fps_num, o->fps_den);
    if (o->is_interlaced && (codec > WRITER_MPEG2 || o->height % 4))
        return INTRA_FAIL(err, INTRA_E_ARG, "%s: interlaced video needs h264 or mpeg2 and a height divisible by 4",
                          path);
    if (strlen(path) >= sizeof((struct intra_video_writer *)NULL)->path - 8)
        return INTRA_FAIL(err, INTRA_E_ARG, "%.80s...: the file name is too long", path);
    *out_codec = codec;
    return INTRA_OK;
}

/* The muxer comes from the final name: the part name says nothing. */
static const AVOutputFormat *find_muxer(const char *path, int codec)
{
    const char *dot = strrchr(path, '.');
    if (!dot || strchr(dot, '/')) return NULL;
    /* FFmpeg's .mpg is an MPEG-1 system stream; MPEG-2 video belongs in an MPEG-2 program stream. */
    if (codec == WRITER_MPEG2 && (!strcasecmp(dot, ".mpg") || !strcasecmp(dot, ".mpeg")))
        return av_guess_format("vob", NULL, NULL);
    return av_guess_format(NULL, path, NULL);
}

static void set_codec(AVCodecContext *enc, int codec, const struct intra_video_writer_options *o,
                      const AVOutputFormat *muxer)
{
    int quality = o->quality > 0 ? o->quality : codec_rows[codec].default_quality;
    enc->width = o->width;
    enc->height = o->height;
    enc->time_base = (AVRational){o->fps_den, o->fps_num};
    enc->framerate = (AVRational){o->fps_num, o->fps_den};
    enc->sample_aspect_ratio = (AVRational){1, 1};
    enc->pix_fmt = codec_rows[codec].format;
    enc->thread_count = 1; /* the slice layout, hence the bytes, would follow the core count */
    enc->flags |= AV_CODEC_FLAG_BITEXACT;
    if (muxer->flags & AVFMT_GLOBALHEADER) enc->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    if (codec != WRITER_FFV1) {
        enc->color_range = codec == WRITER_MJPEG ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG;
        enc->colorspace = AVCOL_SPC_SMPTE170M;
        enc->color_primaries = AVCOL_PRI_SMPTE170M;
        enc->color_trc = AVCOL_TRC_SMPTE170M;
        enc->chroma_sample_location = AVCHROMA_LOC_CENTER;
    }
    enc->field_order = o->is_interlaced ? AV_FIELD_TT : AV_FIELD_PROGRESSIVE;
    if (o->is_interlaced) enc->flags |= AV_CODEC_FLAG_INTERLACED_DCT | AV_CODEC_FLAG_INTERLACED_ME;
    if (o->bitrate_mbit > 0) {
        enc->bit_rate = (int64_t)(o->bitrate_mbit * 1e6);
        if (codec == WRITER_MPEG2) {
            enc->rc_max_rate = enc->bit_rate * 2;
            enc->rc_buffer_size = 1835008; /* the buffer of MPEG-2 main level, bits */
        }
    } else if (codec == WRITER_H264) {
        av_opt_set_double(enc->priv_data, "crf", quality, 0);
    } else {
        enc->flags |= AV_CODEC_FLAG_QSCALE;
        enc->global_quality = quality * FF_QP2LAMBDA;
    }
    if (codec == WRITER_H264) {
        av_opt_set(enc->priv_data, "preset", "veryfast", 0);
        enc->gop_size = 100;
        if (!strcmp(muxer->name, "avi")) enc->max_b_frames = 0; /* AVI has no presentation times */
    } else if (codec == WRITER_MPEG2) {
        enc->gop_size = 12;
        enc->max_b_frames = 2;
    } else if (codec == WRITER_FFV1) {
        enc->level = 3;
        enc->slices = 4; /* fixed, so that readers can decode with several threads */
        enc->gop_size = 1;
    }
}

static enum intra_status open_all(struct intra_video_writer *w, int codec, const struct intra_video_writer_options *o,
                                  struct intra_error *err)
{
    const struct codec_row *row = &codec_rows[codec];
    const AVOutputFormat *muxer = find_muxer(w->path, codec);
    const AVCodec *found = avcodec_find_encoder_by_name(row->encoder);
    char url[1060];
    int code;
    if (!muxer || (muxer->flags & AVFMT_NOFILE) || muxer->video_codec == AV_CODEC_ID_NONE)
        return INTRA_FAIL(err, INTRA_E_ARG, "%s: the name's ending is no video container; use .mkv, .mp4, .mpg or .avi",
                          w->path);
    if (!found)
        return INTRA_FAIL(err, INTRA_E_UNSUPPORTED, "%s: this FFmpeg has no encoder '%s'; choose another codec",
                          w->path, row->encoder);
    if (avformat_query_codec(muxer, found->id, FF_COMPLIANCE_NORMAL) == 0)
        return INTRA_FAIL(err, INTRA_E_ARG, "%s: a %s file cannot hold %s video; use .mkv", w->path, muxer->name,
                          row->name);
    if ((code = avformat_alloc_output_context2(&w->format, muxer, NULL, w->path)) < 0)
        return fail_av(w, "cannot set up the container", code, err);
    w->format->flags |= AVFMT_FLAG_BITEXACT;
    w->encoder = avcodec_alloc_context3(found);
    w->stream = avformat_new_stream(w->format, NULL);
    w->frame = av_frame_alloc();
    w->packet = av_packet_alloc();
    if (!w->encoder || !w->stream || !w->frame || !w->packet)
        return INTRA_FAIL(err, INTRA_E_MEM, "%s: out of memory for the encoder; close other programs", w->path);
    set_codec(w->encoder, codec, o, muxer);
    if ((code = avcodec_open2(w->encoder, found, NULL)) < 0)
        return INTRA_FAIL(err, INTRA_E_ARG, "%s: the %s encoder refuses %dx%d at %d/%d frames a second; %s", w->path,
                          row->name, o->width, o->height, o->fps_num, o->fps_den,
                          codec == WRITER_MPEG2 ? "MPEG-2 knows 24, 25, 30, 50, 60 and the NTSC rates"
                                                : "choose another size or rate");
    w->stream->time_base = w->encoder->time_base;
    w->stream->avg_frame_rate = w->encoder->framerate;
    if ((code = avcodec_parameters_from_context(w->stream->codecpar, w->encoder)) < 0)
        return fail_av(w, "cannot describe the stream", code, err);
    w->frame->format = w->encoder->pix_fmt;
    w->frame->width = o->width;
    w->frame->height = o->height;
    if ((code = av_frame_get_buffer(w->frame, 0)) < 0) return fail_av(w, "cannot get a frame", code, err);

    snprintf(url, sizeof url, "file:%s", w->part); /* so that a colon in the name is not read as a protocol */
    if ((code = avio_open(&w->format->pb, url, AVIO_FLAG_WRITE)) < 0)
        return fail_av(w, "cannot create the file", code, err);
    w->is_part_made = true;
    if ((code = avformat_write_header(w->format, NULL)) < 0) return fail_av(w, "cannot write the header", code, err);
    return INTRA_OK;
}

enum intra_status intra_video_writer_open(const char *path, const struct intra_video_writer_options *options,
                                          struct intra_video_writer **out, struct intra_error *err)
{
    struct intra_video_writer *w = NULL;
    enum intra_status status = INTRA_OK;
    int codec = 0;
    *out = NULL;
    av_log_set_level(AV_LOG_QUIET);
    INTRA_TRY(check_options(path, options, &codec, err));
    INTRA_TRY(INTRA_ALLOC(w, 1, err));
    snprintf(w->path, sizeof w->path, "%s", path);
    intra_part_name(path, w->part, sizeof w->part);
    w->last_pts = INT64_MIN;
    w->is_interlaced = options->is_interlaced;
    INTRA_TRY(open_all(w, codec, options, err));
    *out = w;
    w = NULL;
done:
    intra_video_writer_abandon(&w);
    return status;
}

/* BT.601 from RGB in 16-bit fixed point. Luma of one pixel; chroma of the sum of a 2x2 block (hence 18 bits). */
struct rgb_weights {
    int yr, yg, yb, y0;
    int ur, ug, ub, vr, vg, vb;
};
static const struct rgb_weights limited_range = {16829, 33039, 6416, 16, -9714, -19071, 28784, 28784, -24103, -4681};
static const struct rgb_weights full_range = {19595, 38470, 7471, 0, -11058, -21710, 32768, 32768, -27439, -5329};

static inline uint8_t clamp_u8(int value)
{
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

static void convert_row_pair(const struct rgb_weights *k, const uint8_t *top, const uint8_t *low, int cols,
                             uint8_t *y_top, uint8_t *y_low, uint8_t *u, uint8_t *v)
{
    const int half = 1 << 15, chroma_zero = (128 << 18) + (1 << 17);
    for (int x = 0; x < cols; x++) {
        const uint8_t *a = top + 3 * x, *b = low + 3 * x;
        y_top[x] = (uint8_t)(((k->yr * a[0] + k->yg * a[1] + k->yb * a[2] + half) >> 16) + k->y0);
        y_low[x] = (uint8_t)(((k->yr * b[0] + k->yg * b[1] + k->yb * b[2] + half) >> 16) + k->y0);
    }
    for (int x = 0; x < cols / 2; x++) {
        const uint8_t *a = top + 6 * x, *b = low + 6 * x;
        int red = a[0] + a[3] + b[0] + b[3];
        int green = a[1] + a[4] + b[1] + b[4];
        int blue = a[2] + a[5] + b[2] + b[5];
        u[x] = clamp_u8((k->ur * red + k->ug * green + k->ub * blue + chroma_zero) >> 18);
        v[x] = clamp_u8((k->vr * red + k->vg * green + k->vb * blue + chroma_zero) >> 18);
    }
}

/* Interlaced chroma belongs to one field: rows 0 and 2 share it, 1 and 3 the next. */
static void convert_yuv(const struct intra_view_u8 *rgb, bool is_interlaced, AVFrame *frame)
{
    const struct rgb_weights *k = frame->format == AV_PIX_FMT_YUVJ420P ? &full_range : &limited_range;
    for (int pair = 0; pair < rgb->rows / 2; pair++) {
        int top = is_interlaced ? pair / 2 * 4 + pair % 2 : 2 * pair;
        int low = is_interlaced ? top + 2 : top + 1;
        convert_row_pair(k, intra_row_u8(rgb, top), intra_row_u8(rgb, low), rgb->cols,
                         frame->data[0] + (ptrdiff_t)top * frame->linesize[0],
                         frame->data[0] + (ptrdiff_t)low * frame->linesize[0],
                         frame->data[1] + (ptrdiff_t)pair * frame->linesize[1],
                         frame->data[2] + (ptrdiff_t)pair * frame->linesize[2]);
    }
}

static void convert_bgr0(const struct intra_view_u8 *rgb, AVFrame *frame)
{
    for (int row = 0; row < rgb->rows; row++) {
        const uint8_t *from = intra_row_u8(rgb, row);
        uint8_t *to = frame->data[0] + (ptrdiff_t)row * frame->linesize[0];
        for (int x = 0; x < rgb->cols; x++) {
            to[4 * x] = from[3 * x + 2];
            to[4 * x + 1] = from[3 * x + 1];
            to[4 * x + 2] = from[3 * x];
            to[4 * x + 3] = 0;
        }
    }
}

/* frame NULL: drain the encoder. */
static enum intra_status encode(struct intra_video_writer *w, const AVFrame *frame, struct intra_error *err)
{
    int code = avcodec_send_frame(w->encoder, frame);
    if (code < 0) return fail_av(w, "cannot code a frame", code, err);
    while ((code = avcodec_receive_packet(w->encoder, w->packet)) >= 0) {
        if (w->packet->duration == 0) w->packet->duration = 1;
        av_packet_rescale_ts(w->packet, w->encoder->time_base, w->stream->time_base);
        w->packet->stream_index = 0;
        code = av_interleaved_write_frame(w->format, w->packet);
        if (code >= 0 && w->format->pb->error < 0) code = w->format->pb->error;
        if (code < 0) return fail_av(w, "cannot write", code, err);
    }
    if (code != AVERROR(EAGAIN) && code != AVERROR_EOF) return fail_av(w, "cannot code a frame", code, err);
    return INTRA_OK;
}

enum intra_status intra_video_writer_put(struct intra_video_writer *w, const struct intra_view_u8 *rgb, int64_t pts,
                                         struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    int code;
    if (w->is_failed) return INTRA_FAIL(err, INTRA_E_IO, "%s: writing failed earlier; close the writer", w->path);
    if (rgb->rows != w->frame->height || rgb->cols != w->frame->width || rgb->channels != 3)
        return INTRA_FAIL(err, INTRA_E_ARG, "%s: frame is %dx%d with %d channels, want %dx%d with 3", w->path,
                          rgb->cols, rgb->rows, rgb->channels, w->frame->width, w->frame->height);
    if (pts < 0 || pts <= w->last_pts)
        return INTRA_FAIL(err, INTRA_E_ARG, "%s: frame time %lld does not come after %lld", w->path, (long long)pts,
                          (long long)w->last_pts);
    if ((code = av_frame_make_writable(w->frame)) < 0) {
        status = fail_av(w, "cannot get a frame", code, err);
        goto done;
    }
    if (w->frame->format == AV_PIX_FMT_BGR0)
        convert_bgr0(rgb, w->frame);
    else
        convert_yuv(rgb, w->is_interlaced, w->frame);
    w->frame->pts = w->last_pts = pts;
    w->frame->interlaced_frame = w->frame->top_field_first = w->is_interlaced;
    if (w->encoder->flags & AV_CODEC_FLAG_QSCALE) w->frame->quality = w->encoder->global_quality;
    INTRA_TRY(encode(w, w->frame, err));
    w->frames++;
done:
    if (status != INTRA_OK) w->is_failed = true;
    return status;
}

static enum intra_status finish(struct intra_video_writer *w, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    int code;
    if (w->is_failed)
        return INTRA_FAIL(err, INTRA_E_IO, "%s: not written, because a frame could not be written", w->path);
    if (w->frames == 0) return INTRA_FAIL(err, INTRA_E_ARG, "%s: not written, because it got no frame", w->path);
    INTRA_TRY(encode(w, NULL, err));
    if ((code = av_write_trailer(w->format)) < 0) return fail_av(w, "cannot write the end", code, err);
    avio_flush(w->format->pb);
    if ((code = w->format->pb->error) < 0) return fail_av(w, "cannot write the end", code, err);
    if ((code = avio_closep(&w->format->pb)) < 0) return fail_av(w, "cannot write the end", code, err);
    INTRA_TRY(intra_part_commit(w->path, err));
    w->is_part_made = false;
done:
    return status;
}

void intra_video_writer_abandon(struct intra_video_writer **writer)
{
    struct intra_video_writer *w = *writer;
    if (!w) return;
    if (w->format && w->format->pb) avio_closep(&w->format->pb);
    if (w->is_part_made) remove(w->part);
    av_packet_free(&w->packet);
    av_frame_free(&w->frame);
    avcodec_free_context(&w->encoder);
    avformat_free_context(w->format);
    intra_free(w);
    *writer = NULL;
}

enum intra_status intra_video_writer_close(struct intra_video_writer **writer, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    if (!*writer) return INTRA_OK;
    status = finish(*writer, err);
    intra_video_writer_abandon(writer);
    return status;
}
