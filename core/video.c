/* Video in: demuxing, decoding, deinterlacing and conversion with libav, on a producer thread.
 *
 * Line of work:  source (file or folder) -> decoder (libav's threads) -> clock -> deinterlacer -> planes, repeats -> queue
 * Everything after the decoder runs in the producer thread; the caller takes frames from the queue.
 *
 * A window (from_s, to_s) is decoded from the start of the file and dropped up to from_s: after a seek nobody can tell
 * the number of a frame. The source is opened twice: a first time to look at the first pictures (is there a frame at
 * all, how large, combed or not), then for the job itself. */
#include "core/video.h"

#include "core/fileio.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/video_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <libavcodec/avcodec.h>
#include <libavfilter/avfilter.h>
#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
#include <libavformat/avformat.h>
#include <libavutil/imgutils.h>
#include <libavutil/log.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOG_STAGE "video"
#define PROBE_FRAMES 40        /* pictures looked at before the first one is handed out */
#define PROBE_FRAMES_FOLDER 12 /* the same for folders, where each one is a whole file */
#define MAX_READ_ERRORS 64     /* in a row; then the rest of the file counts as lost */
#define MAX_IMAGE_BYTES ((size_t)1 << 30)
#define MAX_PIXELS ((int64_t)1 << 27)
#define HELD_FRAMES 64        /* what the header promises to callers, beside the queue */
#define FILTER_LEAD_S 0.5     /* the deinterlacer sees frames from before the window */
#define CLOCK_JITTER_S 1.0    /* times that go back by less are rounding, by more a new time base */

/* ---- libav's log ---- */

/* libav would print to stderr. Its errors go to our log at debug level; those that come from a decoder are counted,
 * because some decoders conceal damage and tell nobody but the log. `opaque` of our decoders is that counter. */
static void take_log(void *object, int level, const char *format, va_list args)
{
    const AVClass *class = object ? *(const AVClass *const *)object : NULL;
    char text[512];
    if (level > AV_LOG_ERROR) return;
    if (class && class == avcodec_get_class()) {
        atomic_long *errors = ((AVCodecContext *)object)->opaque;
        if (errors) atomic_fetch_add(errors, 1);
    }
    vsnprintf(text, sizeof text, format, args);
    text[strcspn(text, "\n")] = '\0';
    intra_log(INTRA_LOG_DEBUG, "libav", "%s", text);
}

static void set_log(void)
{
    av_log_set_callback(take_log);
}

static pthread_once_t log_once = PTHREAD_ONCE_INIT;

/* ---- source: packets of a file or a folder, decoded ---- */

struct source {
    const char *path;
    bool is_folder, is_keyframes_only;
    int threads;
    atomic_bool *stop; /* aborts a read that blocks; may be NULL */

    AVFormatContext *format; /* of a file */
    int stream;
    struct intra_name_list names; /* of a folder */
    int next_name;

    AVCodecContext *decoder;
    AVPacket *packet;
    bool is_draining, is_drained;
    int errors_in_row;
    int64_t lost;            /* packets that gave no frame since the last frame */
    atomic_long log_errors;  /* lines of the decoder's log */
};

static enum intra_status fail_av(const char *path, const char *what, int code, struct intra_error *err)
{
    char reason[AV_ERROR_MAX_STRING_SIZE] = "";
    av_strerror(code, reason, sizeof reason);
    return INTRA_FAIL(err, code == AVERROR(ENOMEM) ? INTRA_E_MEM : INTRA_E_FORMAT, "%s: %s: %s", path, what, reason);
}

static int is_interrupted(void *user)
{
    const struct source *s = user;
    return s->stop && atomic_load(s->stop);
}

static void source_close(struct source *s)
{
    avcodec_free_context(&s->decoder);
    av_packet_free(&s->packet);
    avformat_close_input(&s->format);
    intra_name_list_fini(&s->names);
}

static enum intra_status source_set_decoder(struct source *s, enum AVCodecID id, const AVCodecParameters *parameters,
                                            AVRational time_base, struct intra_error *err)
{
    const AVCodec *codec = avcodec_find_decoder(id);
    int code;
    if (!codec)
        return INTRA_FAIL(err, INTRA_E_UNSUPPORTED,
                          "%s: this FFmpeg has no decoder for '%s'; convert the video to H.264 first", s->path,
                          avcodec_get_name(id));
    avcodec_free_context(&s->decoder);
    s->decoder = avcodec_alloc_context3(codec);
    if (!s->decoder) return INTRA_FAIL(err, INTRA_E_MEM, "%s: out of memory for the decoder", s->path);
    if (parameters && (code = avcodec_parameters_to_context(s->decoder, parameters)) < 0)
        return fail_av(s->path, "cannot set up the decoder", code, err);
    s->decoder->pkt_timebase = time_base;
    s->decoder->opaque = &s->log_errors;
    s->decoder->thread_count = s->threads;
    s->decoder->max_pixels = MAX_PIXELS;
    /* Damaged pictures come out marked instead of silently missing. */
    s->decoder->flags |= AV_CODEC_FLAG_OUTPUT_CORRUPT;
    if (s->is_keyframes_only) s->decoder->skip_frame = AVDISCARD_NONKEY;
    if ((code = avcodec_open2(s->decoder, codec, NULL)) < 0)
        return fail_av(s->path, "the decoder does not take this stream", code, err);
    return INTRA_OK;
}

/* Scripts and texts that FFmpeg would turn into pictures, and lists that point to other files or into the network. */
static bool is_refused_format(const char *name)
{
    static const char *const refused[] = {"tty", "concat", "hls", "dash", "sdp", "rtsp", "imf", "image2", "lavfi"};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        if (!strcmp(name, refused[i])) return true;
    return false;
}

static enum intra_status source_open_file(struct source *s, struct intra_error *err)
{
    AVDictionary *options = NULL;
    char url[4096];
    AVStream *stream;
    int code;
    if (snprintf(url, sizeof url, "file:%s", s->path) >= (int)sizeof url) /* a colon in a name is no protocol */
        return INTRA_FAIL(err, INTRA_E_ARG, "%.80s...: the file name is too long", s->path);
    s->format = avformat_alloc_context();
    if (!s->format) return INTRA_FAIL(err, INTRA_E_MEM, "%s: out of memory for the file reader", s->path);
    s->format->interrupt_callback = (AVIOInterruptCB){is_interrupted, s};
    av_dict_set(&options, "protocol_whitelist", "file", 0);
    code = avformat_open_input(&s->format, url, NULL, &options);
    av_dict_free(&options);
    if (code == AVERROR(ENOMEM) || code == AVERROR(EIO) || code == AVERROR(EACCES))
        return fail_av(s->path, "cannot read the file", code, err);
    if (code < 0)
        return INTRA_FAIL(err, INTRA_E_FORMAT,
                          "%s: not a video that FFmpeg can read, or its header is missing (cut off?); check the file in "
                          "a player, or give another one", s->path);
    if (is_refused_format(s->format->iformat->name))
        return INTRA_FAIL(err, INTRA_E_FORMAT, "%s: a text or a list, not a video; give the video file itself", s->path);
    avformat_find_stream_info(s->format, NULL); /* what it cannot find out the decoder may still */
    s->stream = av_find_best_stream(s->format, AVMEDIA_TYPE_VIDEO, -1, -1, NULL, 0);
    if (s->stream < 0 || s->format->streams[s->stream]->disposition & AV_DISPOSITION_ATTACHED_PIC) {
        bool has_sound = av_find_best_stream(s->format, AVMEDIA_TYPE_AUDIO, -1, -1, NULL, 0) >= 0;
        return INTRA_FAIL(err, INTRA_E_FORMAT, "%s: %s; give the file with the pictures", s->path,
                          has_sound ? "holds sound only, no video" : "not a video: holds no video stream");
    }
    for (unsigned i = 0; i < s->format->nb_streams; i++)
        if ((int)i != s->stream) s->format->streams[i]->discard = AVDISCARD_ALL;
    stream = s->format->streams[s->stream];
    if (s->is_keyframes_only) stream->discard = AVDISCARD_NONKEY;
    return source_set_decoder(s, stream->codecpar->codec_id, stream->codecpar, stream->time_base, err);
}

/* `s` is zeroed but for path, is_folder, is_keyframes_only, threads, stop; on failure the caller still closes it. */
static enum intra_status source_open(struct source *s, struct intra_error *err)
{
    s->packet = av_packet_alloc();
    if (!s->packet) return INTRA_FAIL(err, INTRA_E_MEM, "%s: out of memory for a packet", s->path);
    return s->is_folder ? intra_image_folder_list(s->path, &s->names, err) : source_open_file(s, err);
}

static enum AVCodecID image_codec(const uint8_t *bytes, size_t n)
{
    if (n >= 8 && !memcmp(bytes, "\x89PNG\r\n\x1a\n", 8)) return AV_CODEC_ID_PNG;
    if (n >= 3 && !memcmp(bytes, "\xff\xd8\xff", 3)) return AV_CODEC_ID_MJPEG;
    if (n >= 4 && (!memcmp(bytes, "II*\0", 4) || !memcmp(bytes, "MM\0*", 4))) return AV_CODEC_ID_TIFF;
    if (n >= 2 && !memcmp(bytes, "BM", 2)) return AV_CODEC_ID_BMP;
    return AV_CODEC_ID_NONE;
}

/* One image file as a packet whose time is its place in the folder. A file that is no image leaves an empty packet
 * and counts as lost. Wants the decoder drained when the kind of image changes: *out_is_switch, nothing read then. */
static enum intra_status read_image(struct source *s, bool *out_is_switch, struct intra_error *err)
{
    const char *name = s->names.names[s->next_name];
    enum intra_status status = INTRA_OK;
    char path[4096], *bytes = NULL;
    size_t size = 0;
    struct intra_error why = {0};
    enum AVCodecID id;
    *out_is_switch = false;
    INTRA_TRY(intra_path_join(path, sizeof path, s->path, name, err));
    status = intra_read_file(path, MAX_IMAGE_BYTES, &bytes, &size, &why);
    if (status == INTRA_E_MEM && err) *err = why;
    if (status == INTRA_E_MEM) goto done;
    id = status == INTRA_OK ? image_codec((const uint8_t *)bytes, size) : AV_CODEC_ID_NONE;
    status = INTRA_OK;
    if (id == AV_CODEC_ID_NONE) {
        intra_log(INTRA_LOG_WARNING, LOG_STAGE, "%s: %s; left out", path, bytes ? "not an image" : why.text);
        s->lost++;
        s->next_name++;
        goto done;
    }
    if (s->decoder && s->decoder->codec_id != id && !s->is_drained) {
        *out_is_switch = true;
        goto done;
    }
    if (!s->decoder || s->decoder->codec_id != id) {
        INTRA_TRY(source_set_decoder(s, id, NULL, (AVRational){1, 1}, err));
        s->is_draining = s->is_drained = false;
    }
    if (av_new_packet(s->packet, (int)size) < 0) {
        status = INTRA_FAIL(err, INTRA_E_MEM, "%s: out of memory for %zu bytes", path, size);
        goto done;
    }
    memcpy(s->packet->data, bytes, size);
    s->packet->pts = s->packet->dts = s->next_name++;
    s->packet->flags |= AV_PKT_FLAG_KEY;
done:
    intra_free(bytes);
    return status;
}

/* Fills s->packet, or leaves it empty when there was only damage. INTRA_EOF at the end of the input. */
static enum intra_status read_packet(struct source *s, bool *out_is_switch, struct intra_error *err)
{
    int code;
    *out_is_switch = false;
    if (s->is_folder) return s->next_name < s->names.count ? read_image(s, out_is_switch, err) : INTRA_EOF;
    code = av_read_frame(s->format, s->packet);
    if (code >= 0) {
        s->errors_in_row = 0;
        if (s->packet->stream_index != s->stream) av_packet_unref(s->packet);
        return INTRA_OK;
    }
    if (code == AVERROR(ENOMEM)) return INTRA_FAIL(err, INTRA_E_MEM, "%s: out of memory while reading", s->path);
    if (code == AVERROR_EXIT) return INTRA_CANCELLED;
    if (code == AVERROR_EOF) {
        if (s->format->pb && s->format->pb->error < 0 && s->format->pb->error != AVERROR_EOF) s->lost++;
        return INTRA_EOF;
    }
    s->lost++;
    return ++s->errors_in_row < MAX_READ_ERRORS ? INTRA_OK : INTRA_EOF;
}

/* Feeds the decoder until it wants no more; sets is_draining at the end of the input. */
static enum intra_status feed_decoder(struct source *s, struct intra_error *err)
{
    bool is_switch = false;
    enum intra_status status = s->is_draining ? INTRA_EOF : read_packet(s, &is_switch, err);
    int code;
    if (status == INTRA_EOF || is_switch) {
        if (!s->decoder) s->is_drained = true; /* a folder without one image */
        if (s->decoder && !s->is_draining) avcodec_send_packet(s->decoder, NULL);
        s->is_draining = true;
        return INTRA_OK;
    }
    if (status != INTRA_OK || !s->packet->data) return status;
    code = avcodec_send_packet(s->decoder, s->packet);
    av_packet_unref(s->packet);
    if (code == AVERROR(ENOMEM)) return INTRA_FAIL(err, INTRA_E_MEM, "%s: out of memory while decoding", s->path);
    if (code < 0) s->lost++;
    return INTRA_OK;
}

/* The next picture in presentation order; s->lost says what went missing before it (the caller resets it). */
static enum intra_status source_next(struct source *s, AVFrame *out, struct intra_error *err)
{
    enum intra_status status;
    int code, errors = 0;
    for (;;) {
        if (s->stop && atomic_load(s->stop)) return INTRA_CANCELLED;
        code = s->decoder && !s->is_drained ? avcodec_receive_frame(s->decoder, out) : AVERROR(EAGAIN);
        if (code >= 0) return INTRA_OK;
        if (code == AVERROR(ENOMEM)) return INTRA_FAIL(err, INTRA_E_MEM, "%s: out of memory while decoding", s->path);
        if (code == AVERROR_EOF) s->is_drained = true;
        if (code != AVERROR(EAGAIN) && code != AVERROR_EOF) { /* a packet that could not be decoded */
            s->lost++;
            if (s->is_draining && ++errors > MAX_READ_ERRORS) s->is_drained = true;
            continue;
        }
        if (s->is_drained && (!s->is_folder || s->next_name >= s->names.count)) return INTRA_EOF;
        if (s->is_folder && s->is_drained) s->is_draining = false; /* on to the next kind of image */
        status = feed_decoder(s, err);
        if (status != INTRA_OK) return status;
    }
}

/* ---- clock: presentation times ---- */

struct clock {
    AVRational time_base;
    double frame_s;        /* usual distance of two frames */
    double shift_s;        /* added to the stream's times */
    double last_s;
    bool has_started;
};

/* Missing times go on at the frame rate; the first frame is 0; a time base that starts anew goes on where it was. */
static double clock_next(struct clock *clock, int64_t stamp)
{
    bool is_known = stamp != AV_NOPTS_VALUE;
    double raw = is_known ? (double)stamp * av_q2d(clock->time_base) : 0.0, next;
    if (!clock->has_started) {
        clock->has_started = true;
        clock->shift_s = -raw;
        clock->last_s = 0.0;
        return 0.0;
    }
    next = is_known ? raw + clock->shift_s : clock->last_s + clock->frame_s;
    if (next < clock->last_s - CLOCK_JITTER_S) {
        intra_log(INTRA_LOG_WARNING, LOG_STAGE, "presentation times jump back by %.3f s at %.3f s; counted on from there",
                  clock->last_s - next, clock->last_s);
        next = clock->last_s + clock->frame_s;
        clock->shift_s = next - raw;
    }
    if (next <= clock->last_s) next = clock->last_s + 0.5 * clock->frame_s;
    clock->last_s = next;
    return next;
}

/* ---- the video ---- */

struct frame_note { /* what goes with a picture through the deinterlacer */
    int64_t index, lost_before;
    double pts_s;
    bool is_damaged;
};

enum deint_mode { DEINT_NONE, DEINT_FLAGGED, DEINT_ALL };

#define NOTES 8 /* more than the deinterlacer holds back */

struct intra_video {
    char *path;
    struct intra_video_options options;
    struct intra_video_info info; /* is_interlaced under info_lock, the rest fixed after open */
    struct intra_video_counts counts; /* the caller's thread only */
    pthread_mutex_t info_lock;
    struct intra_frame_queue *queue;
    struct intra_frame_pool *pool;
    pthread_t thread;
    bool has_thread;
    atomic_bool stop;

    /* From here on the producer's alone. */
    struct source source;
    struct clock clock;
    int64_t next_index, lost;
    struct SwsContext *scaler;
    int from_format, from_width, from_height, from_matrix; /* what the scaler is set up for; -1: nothing */
    bool is_from_full;
    enum deint_mode deint;
    bool is_top_first;
    AVFilterGraph *graph;
    AVFilterContext *graph_in, *graph_out;
    int graph_format, graph_width, graph_height;
    struct frame_note notes[NOTES];
    int note_count;
    struct intra_comb_state comb;
    AVFrame *comb_previous;
    struct intra_frame *last_new; /* the last frame that was not a repeat */
    struct intra_repeat_state repeats;
    bool is_window_over;
};

struct intra_video_options intra_video_defaults(void)
{
    return (struct intra_video_options){.deinterlace = INTRA_DEINTERLACE_AUTO, .queue_frames = 8, .image_fps = 25.0};
}

/* ---- conversion ---- */

static bool is_full_range(const AVFrame *f)
{
    switch (f->format) {
    case AV_PIX_FMT_YUVJ420P:
    case AV_PIX_FMT_YUVJ422P:
    case AV_PIX_FMT_YUVJ444P:
    case AV_PIX_FMT_YUVJ440P:
    case AV_PIX_FMT_YUVJ411P: return true;
    default: break;
    }
    if (f->color_range != AVCOL_RANGE_UNSPECIFIED) return f->color_range == AVCOL_RANGE_JPEG;
    return av_pix_fmt_desc_get(f->format)->nb_components < 3; /* grey without a word is full range (images) */
}

/* A stream that does not say follows its size, as players do. */
static int matrix_of(const AVFrame *f)
{
    if (av_pix_fmt_desc_get(f->format)->flags & AV_PIX_FMT_FLAG_RGB) return SWS_CS_ITU601;
    switch (f->colorspace) {
    case AVCOL_SPC_BT709: return SWS_CS_ITU709;
    case AVCOL_SPC_FCC: return SWS_CS_FCC;
    case AVCOL_SPC_SMPTE240M: return SWS_CS_SMPTE240M;
    case AVCOL_SPC_BT2020_NCL:
    case AVCOL_SPC_BT2020_CL: return SWS_CS_BT2020;
    case AVCOL_SPC_BT470BG:
    case AVCOL_SPC_SMPTE170M: return SWS_CS_ITU601;
    default: return f->width >= 1280 || f->height > 576 ? SWS_CS_ITU709 : SWS_CS_ITU601;
    }
}

static enum AVPixelFormat plain_format(int format)
{
    switch (format) {
    case AV_PIX_FMT_YUVJ420P: return AV_PIX_FMT_YUV420P;
    case AV_PIX_FMT_YUVJ422P: return AV_PIX_FMT_YUV422P;
    case AV_PIX_FMT_YUVJ444P: return AV_PIX_FMT_YUV444P;
    case AV_PIX_FMT_YUVJ440P: return AV_PIX_FMT_YUV440P;
    default: return format;
    }
}

static enum intra_status set_scaler(struct intra_video *v, const AVFrame *f, int matrix, bool is_full,
                                    struct intra_error *err)
{
    int code;
    sws_freeContext(v->scaler);
    v->scaler = sws_alloc_context();
    if (!v->scaler) return INTRA_FAIL(err, INTRA_E_MEM, "%s: out of memory for the colour conversion", v->path);
    av_opt_set_int(v->scaler, "srcw", f->width, 0);
    av_opt_set_int(v->scaler, "srch", f->height, 0);
    av_opt_set_int(v->scaler, "src_format", plain_format(f->format), 0);
    av_opt_set_int(v->scaler, "src_range", is_full, 0);
    av_opt_set_int(v->scaler, "dstw", v->info.width, 0);
    av_opt_set_int(v->scaler, "dsth", v->info.height, 0);
    av_opt_set_int(v->scaler, "dst_format", AV_PIX_FMT_YUV420P, 0);
    av_opt_set_int(v->scaler, "dst_range", 1, 0);
    av_opt_set_int(v->scaler, "sws_flags",
                   SWS_BILINEAR | SWS_ACCURATE_RND | SWS_BITEXACT | SWS_FULL_CHR_H_INP | SWS_FULL_CHR_H_INT, 0);
    if ((code = sws_init_context(v->scaler, NULL, NULL)) < 0)
        return fail_av(v->path, "cannot convert its colours", code, err);
    sws_setColorspaceDetails(v->scaler, sws_getCoefficients(matrix), is_full, sws_getCoefficients(SWS_CS_ITU601), 1, 0,
                             1 << 16, 1 << 16);
    return INTRA_OK;
}

/* The fast path leaves swscale out: 4:2:0 with 8 bits, and grey. */
static bool is_fast_case(const struct intra_video *v, const AVFrame *f, int matrix)
{
    if (f->width != v->info.width || f->height != v->info.height) return false;
    if (f->format == AV_PIX_FMT_GRAY8) return true;
    return plain_format(f->format) == AV_PIX_FMT_YUV420P && (matrix == SWS_CS_ITU601 || matrix == SWS_CS_ITU709);
}

static bool is_grey(const AVFrame *f)
{
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(f->format);
    return d->nb_components < 3 && !(d->flags & AV_PIX_FMT_FLAG_PAL);
}

static enum intra_status convert(struct intra_video *v, const AVFrame *f, struct intra_frame *to,
                                 struct intra_error *err)
{
    int matrix = matrix_of(f);
    bool is_full = is_full_range(f), is_fast = is_fast_case(v, f, matrix);
    uint8_t *const planes[4] = {to->y.data, to->u.data, to->v.data, NULL};
    const int strides[4] = {(int)to->y.stride, (int)to->u.stride, (int)to->v.stride, 0};
    if (f->format != v->from_format || f->width != v->from_width || f->height != v->from_height ||
        matrix != v->from_matrix || is_full != v->is_from_full) {
        enum intra_status status = is_fast ? INTRA_OK : set_scaler(v, f, matrix, is_full, err);
        if (status != INTRA_OK) return status;
        v->from_format = f->format;
        v->from_width = f->width;
        v->from_height = f->height;
        v->from_matrix = matrix;
        v->is_from_full = is_full;
    }
    if (is_fast) {
        struct intra_planes from = {f->data[0], f->data[1], f->data[2], f->linesize[0], f->linesize[1], f->linesize[2]};
        if (f->format == AV_PIX_FMT_GRAY8) { /* the luma stands in, then the chroma is overwritten */
            from.u = from.v = f->data[0];
            from.u_stride = from.v_stride = f->linesize[0];
        }
        intra_planes_convert(&from, is_full, matrix == SWS_CS_ITU709 && f->format != AV_PIX_FMT_GRAY8, to);
    } else if (sws_scale(v->scaler, (const uint8_t *const *)f->data, f->linesize, 0, f->height, planes, strides) <= 0) {
        return INTRA_FAIL(err, INTRA_E_FORMAT, "%s: cannot convert its colours", v->path);
    }
    if (is_grey(f)) intra_planes_set_grey(to);
    return INTRA_OK;
}

/* ---- deinterlacing ---- */

static void graph_close(struct intra_video *v)
{
    avfilter_graph_free(&v->graph);
    v->graph_in = v->graph_out = NULL;
}

/* bwdif, one frame out per frame in, field order from each frame's flags. */
static enum intra_status graph_open(struct intra_video *v, const AVFrame *f, struct intra_error *err)
{
    char args[256], deint[64];
    AVFilterContext *filter = NULL;
    int code;
    v->graph = avfilter_graph_alloc();
    if (!v->graph) return INTRA_FAIL(err, INTRA_E_MEM, "%s: out of memory for the deinterlacer", v->path);
    v->graph->nb_threads = v->source.threads;
    snprintf(args, sizeof args, "video_size=%dx%d:pix_fmt=%d:time_base=1/1000:pixel_aspect=1/1", f->width, f->height,
             f->format);
    snprintf(deint, sizeof deint, "mode=send_frame:parity=auto:deint=%s", v->deint == DEINT_ALL ? "all" : "interlaced");
    code = avfilter_graph_create_filter(&v->graph_in, avfilter_get_by_name("buffer"), "in", args, NULL, v->graph);
    if (code >= 0)
        code = avfilter_graph_create_filter(&filter, avfilter_get_by_name("bwdif"), "deint", deint, NULL, v->graph);
    if (code >= 0)
        code = avfilter_graph_create_filter(&v->graph_out, avfilter_get_by_name("buffersink"), "out", NULL, NULL,
                                            v->graph);
    if (code >= 0) code = avfilter_link(v->graph_in, 0, filter, 0);
    if (code >= 0) code = avfilter_link(filter, 0, v->graph_out, 0);
    if (code >= 0) code = avfilter_graph_config(v->graph, NULL);
    if (code < 0) return fail_av(v->path, "cannot set up the deinterlacer", code, err);
    v->graph_format = f->format;
    v->graph_width = f->width;
    v->graph_height = f->height;
    return INTRA_OK;
}

/* ---- producer ---- */

/* Convert, compare, queue. Frames outside the window end here. */
static enum intra_status emit(struct intra_video *v, const AVFrame *f, const struct frame_note *note,
                              struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_frame *out = NULL;
    struct intra_queue_item item;
    v->lost += note->lost_before;
    if (note->pts_s < v->options.from_s) return INTRA_OK;
    if (v->options.to_s > 0.0 && note->pts_s >= v->options.to_s) {
        v->is_window_over = true;
        return INTRA_OK;
    }
    INTRA_TRY(intra_frame_pool_get(v->pool, &out, err));
    INTRA_TRY(convert(v, f, out, err));
    out->index = note->index;
    out->pts_s = note->pts_s;
    out->is_damaged = note->is_damaged;
    if (v->last_new) {
        struct intra_picture_change change = intra_picture_compare(&out->y, &v->last_new->y);
        out->is_repeat = intra_repeat_decide(&v->repeats, &change);
    }
    if (!out->is_repeat) {
        intra_frame_release(&v->last_new);
        v->last_new = intra_frame_retain(out);
    }
    item = (struct intra_queue_item){.frame = out, .lost_before = v->lost};
    if (!intra_frame_queue_send(v->queue, &item)) {
        status = INTRA_CANCELLED;
        goto done;
    }
    v->lost = 0;
    out = NULL;
done:
    intra_frame_release(&out);
    return status;
}

/* Take what the deinterlacer has ready. */
static enum intra_status emit_filtered(struct intra_video *v, AVFrame *scratch, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    int code;
    while ((code = av_buffersink_get_frame(v->graph_out, scratch)) >= 0) {
        struct frame_note note = v->notes[0];
        memmove(v->notes, v->notes + 1, sizeof v->notes - sizeof v->notes[0]);
        v->note_count--;
        INTRA_TRY(emit(v, scratch, &note, err));
        av_frame_unref(scratch);
    }
    if (code != AVERROR(EAGAIN) && code != AVERROR_EOF) status = fail_av(v->path, "deinterlacing failed", code, err);
done:
    av_frame_unref(scratch);
    return status;
}

static enum intra_status graph_flush(struct intra_video *v, AVFrame *scratch, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    int code;
    if (!v->graph) return INTRA_OK;
    code = av_buffersrc_add_frame(v->graph_in, NULL);
    if (code < 0) return fail_av(v->path, "deinterlacing failed", code, err);
    INTRA_TRY(emit_filtered(v, scratch, err));
done:
    graph_close(v);
    return status;
}

static enum intra_status deinterlace(struct intra_video *v, AVFrame *f, const struct frame_note *note, AVFrame *scratch,
                                     struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    int code;
    if (v->graph && (f->format != v->graph_format || f->width != v->graph_width || f->height != v->graph_height))
        INTRA_TRY(graph_flush(v, scratch, err));
    if (!v->graph) INTRA_TRY(graph_open(v, f, err));
    if (v->deint == DEINT_ALL && !f->interlaced_frame) {
        f->interlaced_frame = 1;
        f->top_field_first = v->is_top_first;
    }
    f->pts = note->index;
    v->notes[v->note_count++] = *note;
    if ((code = av_buffersrc_add_frame(v->graph_in, f)) < 0) {
        status = fail_av(v->path, "deinterlacing failed", code, err);
        goto done;
    }
    INTRA_TRY(emit_filtered(v, scratch, err));
done:
    return status;
}

/* The first plane, for a look up and down its columns: luma, or packed colours, which for this is the same. False where
 * the samples are no bytes (then the picture is not looked at). */
static bool first_plane(const AVFrame *f, struct intra_view_u8 *out)
{
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(f->format);
    if (d->flags & (AV_PIX_FMT_FLAG_PAL | AV_PIX_FMT_FLAG_BITSTREAM | AV_PIX_FMT_FLAG_HWACCEL)) return false;
    if (d->comp[0].depth != 8) return false;
    *out = (struct intra_view_u8){f->data[0], f->height, av_image_get_linesize(f->format, f->width, 0), 1,
                                  f->linesize[0]};
    return true;
}

/* Look at the picture and at its flags; turns deinterlacing on, never off. */
static enum intra_status watch_combing(struct intra_video *v, const AVFrame *f, struct intra_error *err)
{
    struct intra_view_u8 luma, previous;
    enum deint_mode before = v->deint;
    bool has_previous;
    if (v->options.deinterlace == INTRA_DEINTERLACE_OFF) return INTRA_OK;
    if (f->interlaced_frame && v->deint == DEINT_NONE) v->deint = DEINT_FLAGGED;
    if (!f->interlaced_frame && v->deint != DEINT_ALL && first_plane(f, &luma)) {
        has_previous = v->comb_previous->data[0] && v->comb_previous->format == f->format &&
                       v->comb_previous->width == f->width && v->comb_previous->height == f->height &&
                       first_plane(v->comb_previous, &previous);
        intra_comb_add(&v->comb, &luma, has_previous ? &previous : NULL);
        av_frame_unref(v->comb_previous);
        if (av_frame_ref(v->comb_previous, f) < 0)
            return INTRA_FAIL(err, INTRA_E_MEM, "%s: out of memory for a frame", v->path);
        if (intra_comb_is_interlaced(&v->comb)) {
            v->deint = DEINT_ALL;
            v->is_top_first = intra_comb_is_top_first(&v->comb);
        }
    }
    if (v->deint == DEINT_ALL) av_frame_unref(v->comb_previous);
    if (v->deint != before) {
        pthread_mutex_lock(&v->info_lock);
        v->info.is_interlaced = true;
        pthread_mutex_unlock(&v->info_lock);
    }
    return INTRA_OK;
}

static bool is_marked_damaged(const AVFrame *f)
{
    return f->flags & AV_FRAME_FLAG_CORRUPT || f->decode_error_flags;
}

/* One decoded picture on its way. */
static enum intra_status process(struct intra_video *v, AVFrame *f, AVFrame *scratch, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct frame_note note = {.lost_before = v->source.lost, .is_damaged = is_marked_damaged(f)};
    enum deint_mode before = v->deint;
    v->source.lost = 0;
    note.index = v->source.is_folder ? f->pts : v->next_index + note.lost_before;
    v->next_index = note.index + 1;
    note.pts_s = v->source.is_folder ? (double)note.index / v->info.fps
                                     : clock_next(&v->clock, f->best_effort_timestamp);
    if (f->width != v->info.width || f->height != v->info.height) {
        if (f->width != v->from_width || f->height != v->from_height)
            intra_log(INTRA_LOG_WARNING, LOG_STAGE,
                      "%s: frame %lld is %dx%d, the first is %dx%d; scaled and counted as damaged", v->path,
                      (long long)note.index, f->width, f->height, v->info.width, v->info.height);
        note.is_damaged = true;
    }
    if (v->options.to_s > 0.0 && note.pts_s >= v->options.to_s + FILTER_LEAD_S) v->is_window_over = true;
    INTRA_TRY(watch_combing(v, f, err));
    if (v->deint != before) INTRA_TRY(graph_flush(v, scratch, err)); /* the graph's mode is another one now */
    if (v->deint == DEINT_NONE)
        status = emit(v, f, &note, err);
    else if (note.pts_s >= v->options.from_s - FILTER_LEAD_S)
        status = deinterlace(v, f, &note, scratch, err);
    else
        v->lost += note.lost_before;
done:
    return status;
}

/* A file that ends long before its header says so was cut off. */
static void check_length(struct intra_video *v)
{
    double end = v->clock.last_s + v->clock.frame_s;
    if (v->source.is_folder || v->source.is_keyframes_only || v->is_window_over || v->info.duration_s <= 0.0) return;
    if (end > 0.98 * v->info.duration_s - 0.5) return;
    intra_log(INTRA_LOG_WARNING, LOG_STAGE, "%s: ends at %.2f s, but its header promises %.2f s: cut off?", v->path, end,
              v->info.duration_s);
    v->lost++;
}

static enum intra_status produce(struct intra_video *v, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    AVFrame *frame = av_frame_alloc(), *scratch = av_frame_alloc();
    long log_errors;
    if (!frame || !scratch) {
        status = INTRA_FAIL(err, INTRA_E_MEM, "%s: out of memory for a frame", v->path);
        goto done;
    }
    while (!v->is_window_over) {
        status = source_next(&v->source, frame, err);
        if (status == INTRA_EOF) break;
        if (status != INTRA_OK) goto done;
        INTRA_TRY(process(v, frame, scratch, err));
        av_frame_unref(frame);
    }
    INTRA_TRY(graph_flush(v, scratch, err));
    v->lost += v->source.lost;
    check_length(v);
    log_errors = atomic_load(&v->source.log_errors);
    if (log_errors > 0)
        intra_log(INTRA_LOG_WARNING, LOG_STAGE, "%s: the decoder reported %ld errors", v->path, log_errors);
    status = INTRA_EOF;
done:
    av_frame_free(&frame);
    av_frame_free(&scratch);
    return status;
}

static void *producer_main(void *user)
{
    struct intra_video *v = user;
    struct intra_error err = {0};
    enum intra_status status = produce(v, &err);
    intra_frame_release(&v->last_new);
    intra_frame_queue_finish(v->queue, v->lost, status, &err);
    return NULL;
}

/* ---- opening ---- */

static enum intra_status check_path(const char *path, bool *out_is_folder, struct intra_error *err)
{
    struct stat st;
    int fd;
    if (stat(path, &st) != 0)
        return INTRA_FAIL(err, INTRA_E_IO, "%s: %s; check the name", path,
                          errno == ENOENT ? "no such file or folder" : strerror(errno));
    *out_is_folder = S_ISDIR(st.st_mode);
    if (*out_is_folder) return INTRA_OK;
    if (!S_ISREG(st.st_mode))
        return INTRA_FAIL(err, INTRA_E_IO, "%s: a pipe or device, not a file; save the video to a file first", path);
    if (st.st_size == 0) return INTRA_FAIL(err, INTRA_E_FORMAT, "%s: the file is empty; copy it again", path);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return INTRA_FAIL(err, INTRA_E_IO, "%s: cannot be read: %s; check its permissions", path, strerror(errno));
    close(fd);
    return INTRA_OK;
}

static enum intra_status check_options(const struct intra_video_options *o, struct intra_error *err)
{
    if (!isfinite(o->from_s) || !isfinite(o->to_s) || o->from_s < 0.0)
        return INTRA_FAIL(err, INTRA_E_ARG, "start and end time must be plain numbers, the start not negative");
    if (o->to_s > 0.0 && o->to_s <= o->from_s)
        return INTRA_FAIL(err, INTRA_E_ARG, "the end time %g s is not after the start time %g s", o->to_s, o->from_s);
    if (o->queue_frames < 1 || o->queue_frames > 1024 || o->threads < 0)
        return INTRA_FAIL(err, INTRA_E_ARG, "queue of %d frames, %d threads: want 1 to 1024 frames, threads from 0",
                          o->queue_frames, o->threads);
    if (!(o->image_fps > 0.0) || !isfinite(o->image_fps))
        return INTRA_FAIL(err, INTRA_E_ARG, "image rate %g makes no sense; give frames a second", o->image_fps);
    return INTRA_OK;
}

static int thread_count(int wanted)
{
    long n = wanted > 0 ? wanted : sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > 16 ? 16 : (int)n;
}

static void fill_info(struct intra_video *v, const struct source *s, const AVFrame *first)
{
    struct intra_video_info *info = &v->info;
    info->width = first->width;
    info->height = first->height;
    info->pixel_aspect = first->sample_aspect_ratio.num > 0 ? av_q2d(first->sample_aspect_ratio) : 1.0;
    info->is_image_folder = s->is_folder;
    snprintf(info->codec, sizeof info->codec, "%s", avcodec_get_name(s->decoder->codec_id));
    if (s->is_folder) {
        snprintf(info->container, sizeof info->container, "image folder");
        info->fps = v->options.image_fps;
        info->frames_estimated = s->names.count;
        info->duration_s = s->names.count / info->fps;
    } else {
        AVStream *stream = s->format->streams[s->stream];
        AVRational aspect = av_guess_sample_aspect_ratio(s->format, stream, NULL);
        AVRational rate = av_guess_frame_rate(s->format, stream, NULL);
        snprintf(info->container, sizeof info->container, "%s", s->format->iformat->name);
        if (aspect.num > 0 && aspect.den > 0) info->pixel_aspect = av_q2d(aspect);
        if (rate.num > 0 && rate.den > 0) info->fps = av_q2d(rate);
        if (stream->duration > 0)
            info->duration_s = (double)stream->duration * av_q2d(stream->time_base);
        else if (s->format->duration > 0)
            info->duration_s = (double)s->format->duration / AV_TIME_BASE;
        info->frames_estimated = stream->nb_frames > 0 ? stream->nb_frames : (int64_t)(info->duration_s * info->fps + 0.5);
        v->clock.time_base = stream->time_base;
    }
    v->clock.frame_s = info->fps > 0.0 ? 1.0 / info->fps : 0.04;
}

/* Look at the first pictures: size, and whether deinterlacing starts with the first frame. */
static enum intra_status probe(struct intra_video *v, struct intra_error *err)
{
    struct source s = {.path = v->path, .is_folder = v->source.is_folder, .threads = v->source.threads};
    int wanted = s.is_folder ? PROBE_FRAMES_FOLDER : PROBE_FRAMES, seen = 0;
    enum intra_status status = INTRA_OK;
    AVFrame *frame = av_frame_alloc();
    if (!frame) return INTRA_FAIL(err, INTRA_E_MEM, "%s: out of memory for a frame", v->path);
    INTRA_TRY(source_open(&s, err));
    if (v->options.deinterlace == INTRA_DEINTERLACE_OFF) wanted = 1;
    while (seen < wanted) {
        status = source_next(&s, frame, err);
        if (status == INTRA_EOF) break;
        if (status != INTRA_OK) goto done;
        if (seen++ == 0) fill_info(v, &s, frame);
        if (frame->width == v->info.width && frame->height == v->info.height) INTRA_TRY(watch_combing(v, frame, err));
        av_frame_unref(frame);
    }
    status = INTRA_OK;
    if (seen == 0)
        status = INTRA_FAIL(err, INTRA_E_FORMAT,
                            "%s: not one frame of it can be decoded (%lld pieces are damaged); copy it again, or check "
                            "it in a player", v->path, (long long)s.lost);
    if (v->options.deinterlace == INTRA_DEINTERLACE_ON) {
        v->is_top_first = v->comb.top_first <= v->comb.low_first;
        v->deint = DEINT_ALL;
        v->info.is_interlaced = true;
    }
done:
    av_frame_unref(v->comb_previous);
    v->comb = (struct intra_comb_state){0};
    av_frame_free(&frame);
    source_close(&s);
    return status;
}

enum intra_status intra_video_open(const char *path, const struct intra_video_options *options,
                                   struct intra_video **out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_video *v = NULL;
    *out = NULL;
    pthread_once(&log_once, set_log);
    INTRA_TRY(check_options(options, err));
    INTRA_TRY(INTRA_ALLOC(v, 1, err));
    pthread_mutex_init(&v->info_lock, NULL);
    v->options = *options;
    v->from_format = -1;
    v->path = intra_strdup(path);
    v->comb_previous = av_frame_alloc();
    if (!v->path || !v->comb_previous) {
        status = INTRA_FAIL(err, INTRA_E_MEM, "%s: out of memory for opening the video", path);
        goto done;
    }
    v->source.path = v->path;
    v->source.threads = thread_count(options->threads);
    INTRA_TRY(check_path(path, &v->source.is_folder, err));
    INTRA_TRY(probe(v, err));
    v->source.is_keyframes_only = options->keyframes_only;
    v->source.stop = &v->stop;
    INTRA_TRY(source_open(&v->source, err));
    INTRA_TRY(intra_frame_pool_create(v->info.width, v->info.height, &v->pool, err));
    INTRA_TRY(intra_frame_queue_create(options->queue_frames, &v->queue, err));
    if (pthread_create(&v->thread, NULL, producer_main, v) != 0) {
        status = INTRA_FAIL(err, INTRA_E_MEM, "%s: cannot start a thread for decoding; close other programs", path);
        goto done;
    }
    v->has_thread = true;
    *out = v;
    v = NULL;
done:
    intra_video_close(&v);
    return status;
}

void intra_video_info(const struct intra_video *video, struct intra_video_info *out)
{
    pthread_mutex_t *lock = &((struct intra_video *)video)->info_lock;
    pthread_mutex_lock(lock);
    *out = video->info;
    pthread_mutex_unlock(lock);
}

enum intra_status intra_video_next(struct intra_video *v, struct intra_frame **out, struct intra_error *err)
{
    struct intra_queue_item item;
    enum intra_status status;
    int limit = 2 * v->options.queue_frames + HELD_FRAMES + 2; /* queued, held, in the producer's hands */
    *out = NULL;
    if (intra_frame_pool_in_use(v->pool) > limit)
        return INTRA_FAIL(err, INTRA_E_ARG, "%s: more than %d frames held at once; release some", v->path,
                          v->options.queue_frames + HELD_FRAMES);
    status = intra_frame_queue_receive(v->queue, &item, err);
    v->counts.damaged += item.lost_before;
    if (status != INTRA_OK) return status;
    v->counts.decoded++;
    v->counts.damaged += item.frame->is_damaged;
    v->counts.repeated += item.frame->is_repeat;
    *out = item.frame;
    return INTRA_OK;
}

void intra_video_counts(const struct intra_video *video, struct intra_video_counts *out)
{
    *out = video->counts;
}

void intra_video_close(struct intra_video **video)
{
    struct intra_video *v = *video;
    if (!v) return;
    atomic_store(&v->stop, true);
    if (v->has_thread) {
        intra_frame_queue_stop(v->queue);
        pthread_join(v->thread, NULL);
    }
    intra_frame_release(&v->last_new);
    intra_frame_queue_destroy(&v->queue);
    intra_frame_pool_destroy(&v->pool);
    graph_close(v);
    sws_freeContext(v->scaler);
    av_frame_free(&v->comb_previous);
    source_close(&v->source);
    pthread_mutex_destroy(&v->info_lock);
    intra_free(v->path);
    intra_free(v);
    *video = NULL;
}
