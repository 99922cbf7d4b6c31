/* Video in: clock, deinterlacing and conversion of what core/video_source.c decodes, on a producer thread.
 *
 * Line of work:  source (file or folder, libav's threads) -> clock -> deinterlacer -> planes, repeats -> queue
 * Everything after the decoder runs in the producer thread; the caller takes frames from the queue.
 *
 * A window (from_s, to_s) is decoded from the start of the file and dropped up to from_s: after a seek nobody can tell
 * the number of a frame. The source is opened twice: a first time to look at the first pictures (is there a frame at
 * all, how large, combed or not), unless the caller has done so (options.probe), then for the job itself. */
#include "core/video.h"

#include "core/log.h"
#include "core/mem.h"
#include "core/video_internal.h"
#include "core/video_source.h"

#include <errno.h>
#include <fcntl.h>
#include <libavfilter/avfilter.h>
#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
#include <libavutil/imgutils.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOG_STAGE "video"
#define PROBE_FRAMES 40        /* pictures looked at before the first one is handed out */
#define PROBE_FRAMES_FOLDER 12 /* the same for folders, where each one is a whole file */
#define HELD_FRAMES 80         /* what the header promises to callers, beside the queue */
#define FILTER_LEAD_S 0.5      /* the deinterlacer sees frames from before the window */
#define CLOCK_JITTER_S 1.0     /* times that go back by less are rounding, by more a new time base */

static enum intra_status fail_av(const char *path, const char *what, int code, struct intra_error *err)
{
    char reason[AV_ERROR_MAX_STRING_SIZE] = "";
    av_strerror(code, reason, sizeof reason);
    return INTRA_FAIL(err, code == AVERROR(ENOMEM) ? INTRA_E_MEM : INTRA_E_FORMAT, "%s: %s: %s", path, what, reason);
}

/* ---- clock: presentation times ---- */

struct clock {
    double unit_s;  /* of the stream's times */
    double frame_s; /* usual distance of two frames */
    double shift_s; /* added to the stream's times */
    double last_s;
    bool has_started;
};

/* Missing times go on at the frame rate; the first frame is 0; a time base that starts anew goes on where it was. */
static double clock_next(struct clock *clock, int64_t stamp)
{
    bool is_known = stamp != AV_NOPTS_VALUE;
    double raw = is_known ? (double)stamp * clock->unit_s : 0.0, next;
    if (!clock->has_started) {
        clock->has_started = true;
        clock->shift_s = -raw;
        clock->last_s = 0.0;
        return 0.0;
    }
    next = is_known ? raw + clock->shift_s : clock->last_s + clock->frame_s;
    if (next < clock->last_s - CLOCK_JITTER_S) {
        intra_log(INTRA_LOG_WARNING, LOG_STAGE,
                  "presentation times jump back by %.3f s at %.3f s; counted on from there", clock->last_s - next,
                  clock->last_s);
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
    struct intra_video_info info;     /* is_interlaced under info_lock, the rest fixed after open */
    struct intra_video_counts counts; /* the caller's thread only */
    pthread_mutex_t info_lock;
    struct intra_frame_queue *queue;
    struct intra_frame_pool *pool;
    pthread_t thread;
    bool has_thread;
    atomic_bool stop;

    /* From here on the producer's alone. */
    struct intra_source *source;
    bool is_folder;
    int threads;
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
    struct intra_repeat_filter repeats;
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
    case AV_PIX_FMT_YUVJ411P:
        return true;
    default:
        break;
    }
    if (f->color_range != AVCOL_RANGE_UNSPECIFIED) return f->color_range == AVCOL_RANGE_JPEG;
    return av_pix_fmt_desc_get(f->format)->nb_components < 3; /* grey without a word is full range (images) */
}

/* A stream that does not say follows its size, as players do. */
static int matrix_of(const AVFrame *f)
{
    if (av_pix_fmt_desc_get(f->format)->flags & AV_PIX_FMT_FLAG_RGB) return SWS_CS_ITU601;
    switch (f->colorspace) {
    case AVCOL_SPC_BT709:
        return SWS_CS_ITU709;
    case AVCOL_SPC_FCC:
        return SWS_CS_FCC;
    case AVCOL_SPC_SMPTE240M:
        return SWS_CS_SMPTE240M;
    case AVCOL_SPC_BT2020_NCL:
    case AVCOL_SPC_BT2020_CL:
        return SWS_CS_BT2020;
    case AVCOL_SPC_BT470BG:
    case AVCOL_SPC_SMPTE170M:
        return SWS_CS_ITU601;
    default:
        return f->width >= 1280 || f->height > 576 ? SWS_CS_ITU709 : SWS_CS_ITU601;
    }
}

static enum AVPixelFormat plain_format(int format)
{
    switch (format) {
    case AV_PIX_FMT_YUVJ420P:
        return AV_PIX_FMT_YUV420P;
    case AV_PIX_FMT_YUVJ422P:
        return AV_PIX_FMT_YUV422P;
    case AV_PIX_FMT_YUVJ444P:
        return AV_PIX_FMT_YUV444P;
    case AV_PIX_FMT_YUVJ440P:
        return AV_PIX_FMT_YUV440P;
    default:
        return format;
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
    v->graph->nb_threads = v->threads;
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

/* All or, when the caller stopped us, none of the rest. */
static enum intra_status send_items(struct intra_video *v, struct intra_queue_item *items, int n)
{
    enum intra_status status = INTRA_OK;
    for (int i = 0; i < n; i++) {
        if (status == INTRA_OK && !intra_frame_queue_send(v->queue, &items[i])) status = INTRA_CANCELLED;
        if (status != INTRA_OK) intra_frame_release(&items[i].frame);
    }
    return status;
}

/* Convert, compare, queue. Frames outside the window end here. */
static enum intra_status emit(struct intra_video *v, const AVFrame *f, const struct frame_note *note,
                              struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_frame *out = NULL;
    struct intra_queue_item item, ready[INTRA_REPEAT_RUN + 1];
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
    item = (struct intra_queue_item){.frame = out, .lost_before = v->lost};
    v->lost = 0;
    out = NULL;
    if (v->options.keyframes_only || v->options.references_only) /* neighbours are missing */
        status = send_items(v, &item, 1);
    else
        status = send_items(v, ready, intra_repeat_add(&v->repeats, &item, ready));
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
    *out =
        (struct intra_view_u8){f->data[0], f->height, av_image_get_linesize(f->format, f->width, 0), 1, f->linesize[0]};
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

/* One decoded picture on its way. */
static enum intra_status process(struct intra_video *v, AVFrame *f, const struct intra_source_mark *mark,
                                 AVFrame *scratch, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct frame_note note = {.lost_before = mark->lost_before, .is_damaged = mark->is_damaged};
    enum deint_mode before = v->deint;
    note.index = v->is_folder ? mark->folder_place : v->next_index + note.lost_before;
    note.pts_s = v->is_folder ? (double)note.index / v->info.fps : clock_next(&v->clock, f->best_effort_timestamp);
    if (v->options.keyframes_only && !mark->is_key) {
        v->lost += note.lost_before;
        return INTRA_OK;
    }
    v->next_index = note.index + 1;
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
    if (v->is_folder || v->options.keyframes_only || v->is_window_over || v->info.duration_s <= 0.0) return;
    if (end > 0.98 * v->info.duration_s - 0.5) return;
    intra_log(INTRA_LOG_WARNING, LOG_STAGE, "%s: ends at %.2f s, but its header promises %.2f s: cut off?", v->path,
              end, v->info.duration_s);
    v->lost++;
}

static enum intra_status produce(struct intra_video *v, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    AVFrame *frame = av_frame_alloc(), *scratch = av_frame_alloc();
    struct intra_queue_item ready[INTRA_REPEAT_RUN + 1];
    struct intra_source_mark mark;
    long log_errors;
    if (!frame || !scratch) {
        status = INTRA_FAIL(err, INTRA_E_MEM, "%s: out of memory for a frame", v->path);
        goto done;
    }
    while (!v->is_window_over) {
        status = intra_source_next(v->source, frame, &mark, err);
        if (status == INTRA_EOF) v->lost += mark.lost_before;
        if (status == INTRA_EOF) break;
        if (status != INTRA_OK) goto done;
        INTRA_TRY(process(v, frame, &mark, scratch, err));
        av_frame_unref(frame);
    }
    INTRA_TRY(graph_flush(v, scratch, err));
    INTRA_TRY(send_items(v, ready, intra_repeat_end(&v->repeats, ready)));
    check_length(v);
    log_errors = intra_source_log_errors(v->source);
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
    struct intra_queue_item held[INTRA_REPEAT_RUN + 1];
    int n = intra_repeat_end(&v->repeats, held); /* after an error; else there is nothing left */
    for (int i = 0; i < n; i++)
        intra_frame_release(&held[i].frame);
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

static enum intra_status open_source(struct intra_video *v, bool is_probe, struct intra_source **out,
                                     struct intra_error *err)
{
    struct intra_source_options options = {.path = v->path,
                                           .is_folder = v->is_folder,
                                           .is_keyframes_only = !is_probe && v->options.keyframes_only,
                                           .is_references_only = !is_probe && v->options.references_only,
                                           .threads = is_probe ? 1 : v->threads,
                                           .image_fps = v->options.image_fps,
                                           .stop = &v->stop};
    return intra_source_open(&options, out, err);
}

static void fill_info(struct intra_video *v, struct intra_source *source, const AVFrame *first)
{
    v->info.width = first->width;
    v->info.height = first->height;
    v->info.pixel_aspect = first->sample_aspect_ratio.num > 0 ? av_q2d(first->sample_aspect_ratio) : 1.0;
    intra_source_describe(source, &v->info);
    v->repeats.is_intra_coded = intra_source_is_intra_coded(source);
    v->clock.unit_s = intra_source_time_base_s(source);
    v->clock.frame_s = v->info.fps > 0.0 ? 1.0 / v->info.fps : 0.04;
}

/* Look at the first pictures: size, and whether deinterlacing starts with the first frame. One thread: the first
 * damage would start it again. */
static enum intra_status probe(struct intra_video *v, struct intra_error *err)
{
    int wanted = v->is_folder ? PROBE_FRAMES_FOLDER : PROBE_FRAMES, seen = 0;
    enum intra_status status = INTRA_OK;
    struct intra_source *source = NULL;
    struct intra_source_mark mark;
    AVFrame *frame = av_frame_alloc();
    if (!frame) return INTRA_FAIL(err, INTRA_E_MEM, "%s: out of memory for a frame", v->path);
    INTRA_TRY(open_source(v, true, &source, err));
    if (v->options.deinterlace == INTRA_DEINTERLACE_OFF) wanted = 1;
    while (seen < wanted) {
        status = intra_source_next(source, frame, &mark, err);
        if (status == INTRA_EOF) break;
        if (status != INTRA_OK) goto done;
        if (seen++ == 0) fill_info(v, source, frame);
        if (frame->width == v->info.width && frame->height == v->info.height) INTRA_TRY(watch_combing(v, frame, err));
        av_frame_unref(frame);
    }
    status = INTRA_OK;
    if (seen == 0)
        status = INTRA_FAIL(err, INTRA_E_FORMAT,
                            "%s: not one frame of it can be decoded (%lld damaged); copy it again, or check it in a "
                            "player",
                            v->path, (long long)mark.lost_before);
    if (v->options.deinterlace == INTRA_DEINTERLACE_ON) {
        v->is_top_first = intra_comb_is_top_first(&v->comb);
        v->deint = DEINT_ALL;
        v->info.is_interlaced = true;
    }
done:
    av_frame_unref(v->comb_previous);
    v->comb = (struct intra_comb_state){0};
    av_frame_free(&frame);
    intra_source_close(&source);
    return status;
}

static void take_probe(struct intra_video *v, const struct intra_video_probe *p)
{
    v->info = p->info;
    v->clock.unit_s = p->time_base_s;
    v->clock.frame_s = v->info.fps > 0.0 ? 1.0 / v->info.fps : 0.04;
    v->deint = (enum deint_mode)p->deinterlacing;
    v->is_top_first = p->is_top_first;
    v->repeats.is_intra_coded = p->is_intra_coded;
}

/* A video that knows its first pictures, but does not decode yet. */
static enum intra_status create(const char *path, const struct intra_video_options *options, struct intra_video **out,
                                struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_video *v = NULL;
    INTRA_TRY(check_options(options, err));
    INTRA_TRY(INTRA_ALLOC(v, 1, err));
    pthread_mutex_init(&v->info_lock, NULL);
    v->options = *options;
    v->options.probe = NULL; /* borrowed for this call only */
    v->from_format = -1;
    v->path = intra_strdup(path);
    v->comb_previous = av_frame_alloc();
    if (!v->path || !v->comb_previous) {
        status = INTRA_FAIL(err, INTRA_E_MEM, "%s: out of memory for opening the video", path);
        goto done;
    }
    v->threads = thread_count(options->threads);
    INTRA_TRY(check_path(path, &v->is_folder, err));
    if (options->probe)
        take_probe(v, options->probe);
    else
        INTRA_TRY(probe(v, err));
    *out = v;
    v = NULL;
done:
    intra_video_close(&v);
    return status;
}

enum intra_status intra_video_look(const char *path, const struct intra_video_options *options,
                                   struct intra_video_probe *out, struct intra_error *err)
{
    struct intra_video *v = NULL;
    enum intra_status status = create(path, options, &v, err);
    if (status != INTRA_OK) return status;
    *out = (struct intra_video_probe){.info = v->info,
                                      .time_base_s = v->clock.unit_s,
                                      .deinterlacing = v->deint,
                                      .is_top_first = v->is_top_first,
                                      .is_intra_coded = v->repeats.is_intra_coded};
    intra_video_close(&v);
    return INTRA_OK;
}

enum intra_status intra_video_open(const char *path, const struct intra_video_options *options,
                                   struct intra_video **out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_video *v = NULL;
    *out = NULL;
    INTRA_TRY(create(path, options, &v, err));
    INTRA_TRY(open_source(v, false, &v->source, err));
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
    /* queued, held by the caller, in the producer's hands (one at work, the last new one, a run held back) */
    int limit = 2 * v->options.queue_frames + HELD_FRAMES + 2 + INTRA_REPEAT_RUN;
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
    intra_frame_queue_destroy(&v->queue);
    intra_frame_pool_destroy(&v->pool);
    graph_close(v);
    sws_freeContext(v->scaler);
    av_frame_free(&v->comb_previous);
    intra_source_close(&v->source);
    pthread_mutex_destroy(&v->info_lock);
    intra_free(v->path);
    intra_free(v);
    *video = NULL;
}
