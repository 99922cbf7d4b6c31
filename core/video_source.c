/* The first half of the video reader: from a file or an image folder to decoded pictures (libav's own frames).
 *
 * Every thread count must give the same pictures. Undamaged streams do. In a damaged one libav's frame threads conceal
 * from whatever the neighbouring thread has ready, so pixels and damage marks change from run to run. Therefore: decode
 * with all threads until the first sign of damage (every picture up to there is clean), then start again with one
 * thread, drop what was handed out already, and stay with one thread. */
#include "core/video_source.h"

#include "core/fileio.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/video_internal.h"

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/display.h>
#include <libavutil/log.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define LOG_STAGE "video"
#define MAX_READ_ERRORS 64 /* in a row; then the rest of the file counts as lost */
#define MAX_IMAGE_BYTES ((size_t)1 << 30)
#define MAX_PIXELS ((int64_t)1 << 27)

#ifdef __SANITIZE_THREAD__
/* libav hands pictures from thread to thread by atomics, which the sanitizer cannot see in libraries built without it.
 */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
    return "race:libavcodec.so\nrace:libavutil.so\nrace:libavfilter.so\nrace:libavformat.so\n";
}
#endif

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

struct intra_source {
    struct intra_source_options options;
    const char *path;
    bool is_folder;
    int threads;      /* 1 from the first damage on */
    bool is_skipping; /* the decoder leaves all but key frames out; never again after a key frame without a time */
    bool is_time_missing;

    AVFormatContext *format; /* of a file */
    int stream;
    struct intra_name_list names; /* of a folder */
    int next_name;

    AVCodecContext *decoder;
    AVPacket *packet;
    bool is_draining, is_drained;
    int errors_in_row;
    int64_t lost;           /* packets that gave no frame since the last frame */
    int64_t given_skipping; /* frames handed out while skipping, */
    int64_t given;          /* and after that */
    atomic_long log_errors; /* lines of the decoder's log, and those already put down to a frame or a lost packet */
    long log_seen;
};

static enum intra_status fail_av(const char *path, const char *what, int code, struct intra_error *err)
{
    char reason[AV_ERROR_MAX_STRING_SIZE] = "";
    av_strerror(code, reason, sizeof reason);
    return INTRA_FAIL(err, code == AVERROR(ENOMEM) ? INTRA_E_MEM : INTRA_E_FORMAT, "%s: %s: %s", path, what, reason);
}

static int is_interrupted(void *user)
{
    const struct intra_source *s = user;
    return s->options.stop && atomic_load(s->options.stop);
}

/* Everything but what was asked for and what was counted. */
static void reset(struct intra_source *s)
{
    avcodec_free_context(&s->decoder);
    av_packet_free(&s->packet);
    avformat_close_input(&s->format);
    intra_name_list_fini(&s->names);
    s->next_name = 0;
    s->is_draining = s->is_drained = false;
    s->errors_in_row = 0;
    s->lost = 0;
    s->log_seen = 0;
    atomic_store(&s->log_errors, 0);
}

/* What a damaged picture leaves undecoded would show whatever lay in that memory before: grey instead, every time. */
static int get_grey_buffer(AVCodecContext *decoder, AVFrame *frame, int flags)
{
    int code = avcodec_default_get_buffer2(decoder, frame, flags);
    for (int i = 0; code >= 0 && i < AV_NUM_DATA_POINTERS && frame->buf[i]; i++)
        memset(frame->buf[i]->data, 128, (size_t)frame->buf[i]->size);
    return code;
}

static enum intra_status set_decoder(struct intra_source *s, enum AVCodecID id, const AVCodecParameters *parameters,
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
    if (s->threads == 1) s->decoder->get_buffer2 = get_grey_buffer;
    /* Damaged pictures come out marked instead of silently missing. */
    s->decoder->flags |= AV_CODEC_FLAG_OUTPUT_CORRUPT;
    /* Here and not in the demuxer, whose times go wrong by the frames that it leaves out (FFmpeg 5.1, MP4). */
    if (s->is_skipping)
        s->decoder->skip_frame = AVDISCARD_NONKEY;
    else if (s->options.is_references_only)
        s->decoder->skip_frame = AVDISCARD_NONREF;
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

static enum intra_status open_file(struct intra_source *s, struct intra_error *err)
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
        return INTRA_FAIL(
            err, INTRA_E_FORMAT,
            "%s: not a video that FFmpeg can read, or its header is missing (cut off?); check the file in "
            "a player, or give another one",
            s->path);
    if (is_refused_format(s->format->iformat->name))
        return INTRA_FAIL(err, INTRA_E_FORMAT, "%s: a text or a list, not a video; give the video file itself",
                          s->path);
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
    return set_decoder(s, stream->codecpar->codec_id, stream->codecpar, stream->time_base, err);
}

static enum intra_status start(struct intra_source *s, struct intra_error *err)
{
    s->packet = av_packet_alloc();
    if (!s->packet) return INTRA_FAIL(err, INTRA_E_MEM, "%s: out of memory for a packet", s->path);
    return s->is_folder ? intra_image_folder_list(s->path, &s->names, err) : open_file(s, err);
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
static enum intra_status read_image(struct intra_source *s, bool *out_is_switch, struct intra_error *err)
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
        INTRA_TRY(set_decoder(s, id, NULL, (AVRational){1, 1}, err));
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
static enum intra_status read_packet(struct intra_source *s, bool *out_is_switch, struct intra_error *err)
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

static void count_lost(struct intra_source *s)
{
    s->lost++;
    s->log_seen = atomic_load(&s->log_errors);
}

/* Feeds the decoder until it wants no more; sets is_draining at the end of the input. */
static enum intra_status feed_decoder(struct intra_source *s, struct intra_error *err)
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
    if (s->is_skipping && s->packet->flags & AV_PKT_FLAG_KEY && s->packet->pts == AV_NOPTS_VALUE)
        s->is_time_missing = true;
    code = avcodec_send_packet(s->decoder, s->packet);
    av_packet_unref(s->packet);
    if (code == AVERROR(ENOMEM)) return INTRA_FAIL(err, INTRA_E_MEM, "%s: out of memory while decoding", s->path);
    if (code < 0) count_lost(s);
    return INTRA_OK;
}

/* The next picture in presentation order; s->lost says what went missing before it. */
static enum intra_status receive(struct intra_source *s, AVFrame *out, struct intra_error *err)
{
    enum intra_status status;
    int code, errors = 0;
    for (;;) {
        if (is_interrupted(s)) return INTRA_CANCELLED;
        code = s->decoder && !s->is_drained ? avcodec_receive_frame(s->decoder, out) : AVERROR(EAGAIN);
        if (code >= 0) return INTRA_OK;
        if (code == AVERROR(ENOMEM)) return INTRA_FAIL(err, INTRA_E_MEM, "%s: out of memory while decoding", s->path);
        if (code == AVERROR_EOF) s->is_drained = true;
        if (code != AVERROR(EAGAIN) && code != AVERROR_EOF) { /* a packet that could not be decoded */
            count_lost(s);
            if (s->is_draining && ++errors > MAX_READ_ERRORS) s->is_drained = true;
            continue;
        }
        if (s->is_drained && (!s->is_folder || s->next_name >= s->names.count)) return INTRA_EOF;
        if (s->is_folder && s->is_drained) s->is_draining = false; /* on to the next kind of image */
        status = feed_decoder(s, err);
        if (status != INTRA_OK) return status;
    }
}

static bool is_marked(const AVFrame *frame)
{
    return frame->flags & AV_FRAME_FLAG_CORRUPT || frame->decode_error_flags;
}

/* Begin again and go to where we were. */
static enum intra_status restart(struct intra_source *s, AVFrame *scratch, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    av_frame_unref(scratch);
    reset(s);
    INTRA_TRY(start(s, err));
    for (int64_t n = 0; n < s->given_skipping;) {
        INTRA_TRY(receive(s, scratch, err));
        n += s->is_skipping || scratch->key_frame;
        av_frame_unref(scratch);
    }
    for (int64_t n = 0; n < s->given; n++) {
        INTRA_TRY(receive(s, scratch, err));
        av_frame_unref(scratch);
    }
done:
    return status;
}

static bool is_damage_seen(struct intra_source *s, enum intra_status status, const AVFrame *frame)
{
    if (status != INTRA_OK && status != INTRA_EOF) return false;
    return atomic_load(&s->log_errors) > 0 || s->lost > 0 || (status == INTRA_OK && is_marked(frame));
}

enum intra_status intra_source_next(struct intra_source *s, AVFrame *out, struct intra_source_mark *mark,
                                    struct intra_error *err)
{
    enum intra_status status = receive(s, out, err);
    long log_errors;
    if (s->is_skipping && s->is_time_missing && (status == INTRA_OK || status == INTRA_EOF)) {
        /* Only the decoder of all frames can tell when this one is shown. */
        s->is_skipping = false;
        status = restart(s, out, err);
        if (status == INTRA_OK) status = receive(s, out, err);
    }
    if (s->threads > 1 && is_damage_seen(s, status, out)) {
        intra_log(INTRA_LOG_INFO, LOG_STAGE, "%s: damaged after frame %lld; decoding with one thread from here on",
                  s->path, (long long)(s->given_skipping + s->given));
        s->threads = 1;
        status = restart(s, out, err);
        if (status == INTRA_OK) status = receive(s, out, err);
    }
    *mark = (struct intra_source_mark){.lost_before = s->lost};
    s->lost = 0;
    if (status != INTRA_OK) return status;
    /* Some decoders complain in the log only. Without reordering the complaint belongs to this frame. */
    log_errors = atomic_load(&s->log_errors);
    mark->is_damaged = is_marked(out) || (log_errors > s->log_seen && s->decoder->has_b_frames == 0);
    mark->folder_place = s->is_folder ? out->pts : -1;
    mark->is_key = s->is_skipping || out->key_frame;
    s->log_seen = log_errors;
    if (s->is_skipping)
        s->given_skipping++;
    else
        s->given++;
    return INTRA_OK;
}

enum intra_status intra_source_open(const struct intra_source_options *options, struct intra_source **out,
                                    struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_source *s = NULL;
    *out = NULL;
    pthread_once(&log_once, set_log);
    INTRA_TRY(INTRA_ALLOC(s, 1, err));
    s->options = *options;
    s->path = options->path;
    s->is_folder = options->is_folder;
    s->threads = options->threads;
    s->is_skipping = options->is_keyframes_only;
    INTRA_TRY(start(s, err));
    *out = s;
    s = NULL;
done:
    intra_source_close(&s);
    return status;
}

void intra_source_close(struct intra_source **source)
{
    if (!*source) return;
    reset(*source);
    intra_free(*source);
    *source = NULL;
}

long intra_source_log_errors(struct intra_source *s)
{
    return atomic_load(&s->log_errors);
}

/* The container's wish for players: degrees clockwise, 0 to 359. */
static int rotation_of(const AVStream *stream)
{
    size_t size = 0;
    const uint8_t *matrix = av_stream_get_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, &size);
    double turn = matrix && size >= 9 * sizeof(int32_t) ? av_display_rotation_get((const int32_t *)matrix) : 0;
    if (!isfinite(turn)) return 0; /* a matrix that no picture survives */
    return ((int)lround(-turn) % 360 + 360) % 360;
}

void intra_source_describe(struct intra_source *s, struct intra_video_info *info)
{
    snprintf(info->codec, sizeof info->codec, "%s", avcodec_get_name(s->decoder->codec_id));
    info->is_image_folder = s->is_folder;
    if (s->is_folder) {
        snprintf(info->container, sizeof info->container, "image folder");
        info->fps = s->options.image_fps;
        info->frames_estimated = s->names.count;
        info->duration_s = s->names.count / info->fps;
    } else {
        AVStream *stream = s->format->streams[s->stream];
        AVRational aspect = av_guess_sample_aspect_ratio(s->format, stream, NULL);
        AVRational rate = av_guess_frame_rate(s->format, stream, NULL);
        snprintf(info->container, sizeof info->container, "%s", s->format->iformat->name);
        if (aspect.num > 0 && aspect.den > 0) info->pixel_aspect = av_q2d(aspect);
        info->rotation_deg = rotation_of(stream);
        if (rate.num > 0 && rate.den > 0) info->fps = av_q2d(rate);
        if (stream->duration > 0)
            info->duration_s = (double)stream->duration * av_q2d(stream->time_base);
        else if (s->format->duration > 0)
            info->duration_s = (double)s->format->duration / AV_TIME_BASE;
        info->frames_estimated =
            stream->nb_frames > 0 ? stream->nb_frames : (int64_t)(info->duration_s * info->fps + 0.5);
    }
}

double intra_source_time_base_s(const struct intra_source *s)
{
    return s->is_folder ? 1.0 / s->options.image_fps : av_q2d(s->format->streams[s->stream]->time_base);
}

bool intra_source_is_intra_coded(const struct intra_source *s)
{
    const AVCodecDescriptor *descriptor = avcodec_descriptor_get(s->decoder->codec_id);
    return descriptor && descriptor->props & AV_CODEC_PROP_INTRA_ONLY;
}
