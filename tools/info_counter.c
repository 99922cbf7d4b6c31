#include "tools/info_counter.h"

#include "core/video.h"
#include "recon/counter.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool is_picture(const char *path)
{
    static const char *const endings[] = {"png", "jpg", "jpeg", "tif", "tiff", "bmp"};
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot && i < sizeof endings / sizeof endings[0]; i++)
        if (strcasecmp(dot + 1, endings[i]) == 0) return true;
    return false;
}

/* RFC 4180: in quotes where there is a comma, a quote or a line end; control characters become spaces. */
static void put_text(const char *text)
{
    bool is_quoted = strpbrk(text, ",\"\n\r") != NULL;
    if (is_quoted) putchar('"');
    for (; *text; text++) {
        if (*text == '"') putchar('"');
        putchar((unsigned char)*text < ' ' ? ' ' : *text);
    }
    if (is_quoted) putchar('"');
}

static void put_row(const char *path, const struct intra_counter_reading *r, bool has_time)
{
    put_text(path);
    if (has_time)
        printf(",%.3f,", r->time_s);
    else
        printf(",,");
    put_text(r->text);
    if (isnan(r->value_m))
        printf(",,,%.2f\n", r->confidence);
    else
        printf(",%.4f,%s,%.2f\n", r->value_m, intra_counter_unit_name(r->unit), r->confidence);
}

static enum intra_status read_picture(struct intra_counter *counter, const char *path, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_video *video = NULL;
    struct intra_frame *frame = NULL;
    struct intra_counter_reading reading;
    struct intra_video_options options = intra_video_defaults();
    options.deinterlace = INTRA_DEINTERLACE_OFF;
    INTRA_TRY(intra_video_open(path, &options, &video, err));
    INTRA_TRY(intra_video_next(video, &frame, err));
    INTRA_TRY(intra_counter_picture(counter, frame, &reading, err));
    put_row(path, &reading, false);
done:
    intra_frame_release(&frame);
    intra_video_close(&video);
    return status;
}

static enum intra_status read_video(struct intra_counter *counter, const char *path, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_video *video = NULL;
    struct intra_frame *frame = NULL;
    struct intra_video_options options = intra_video_defaults();
    const struct intra_counter_reading *readings;
    int64_t n;
    INTRA_TRY(intra_counter_learn(counter, path, &options, err));
    INTRA_TRY(intra_video_open(path, &options, &video, err));
    while ((status = intra_video_next(video, &frame, err)) == INTRA_OK) {
        INTRA_TRY(intra_counter_frame(counter, frame, err));
        intra_frame_release(&frame);
    }
    if (status != INTRA_EOF) goto done;
    INTRA_TRY(intra_counter_finish(counter, err));
    readings = intra_counter_readings(counter, &n);
    for (int64_t i = 0; i < n; i++)
        put_row(path, &readings[i], true);
    if (n == 0) fprintf(stderr, "intrados: %s: no distance counter was found in the picture\n", path);
done:
    intra_frame_release(&frame);
    intra_video_close(&video);
    return status;
}

enum intra_status intra_info_counter(char *const *paths, int n, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_counter *counter = NULL;
    int i = 0;
    printf("file,time_s,text,counter_m,unit,confidence\n");
    for (; i < n; i++) {
        INTRA_TRY(intra_counter_create(&counter, err)); /* one for each file: nothing is carried over */
        if (is_picture(paths[i]))
            INTRA_TRY(read_picture(counter, paths[i], err));
        else
            INTRA_TRY(read_video(counter, paths[i], err));
        intra_counter_destroy(&counter);
        fflush(stdout);
    }
done:
    if (status == INTRA_EOF) status = INTRA_FAIL(err, INTRA_E_FORMAT, "%s: no picture could be decoded", paths[i]);
    intra_counter_destroy(&counter);
    return status;
}
