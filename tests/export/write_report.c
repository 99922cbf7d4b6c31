/* Writes report.html of the made scene, with observations whose texts try to be markup, and truth.json: where a made
 * crack runs and how long it is by the formulas of the made wall. Usage: export_report DIR [LENGTH_M [TEXEL_MM]]. Exit
 * status 77 in a build without the page. */
#include "made_scene.h"

#include "core/mem.h"
#include "export/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check(enum intra_status status, const struct intra_error *err)
{
    if (status == INTRA_OK) return;
    fprintf(stderr, "%s\n", err->text);
    exit(1);
}

/* A crack that winds along and around the wall, over the crown. */
enum { CRACK_POINTS = 9 };
static void crack_at(const struct made_pipe *pipe, double f, double out[2])
{
    out[0] = pipe->start_m + 1.15 + 0.3 * f;
    out[1] = -0.5 + 1.3 * f + 0.25 * sin(9 * f);
}

/* Length of the crack on the true wall, straight between its points on the unrolled wall. */
static double crack_length(const struct intra_scene *scene, const struct made_pipe *pipe)
{
    enum { STEPS = 4000 };
    struct intra_vec3 last = {0};
    double sum = 0;
    for (int i = 0; i <= STEPS; i++) {
        double at = (double)i / STEPS * (CRACK_POINTS - 1), f = at - floor(at), p[2], q[2], s, theta;
        struct intra_vec3 x;
        crack_at(pipe, floor(at) / (CRACK_POINTS - 1), p);
        crack_at(pipe, (floor(at) + 1) / (CRACK_POINTS - 1), q);
        s = p[0] + f * (q[0] - p[0]);
        theta = p[1] + f * (q[1] - p[1]);
        if (!intra_scene_wall_point(scene, s, theta, made_relief(pipe, s, theta), &x, NULL)) exit(1);
        if (i) sum += intra_norm(intra_sub(x, last));
        last = x;
    }
    return sum;
}

static void write_truth(const struct intra_scene *scene, const struct made_pipe *pipe, const char *path)
{
    FILE *to = fopen(path, "w");
    if (!to) exit(1);
    fprintf(to, "{\"crack\": [");
    for (int i = 0; i < CRACK_POINTS; i++) {
        double p[2];
        crack_at(pipe, (double)i / (CRACK_POINTS - 1), p);
        fprintf(to, "%s[%.6f, %.6f]", i ? ", " : "", p[0], p[1]);
    }
    fprintf(to, "], \"crack_length_m\": %.6f, \"length_m\": %.3f}\n", crack_length(scene, pipe), pipe->length_m);
    fclose(to);
}

static struct intra_observation *add(struct intra_inspection *inspection, const char *code, const char *text,
                                     double from, double to, double clock_from, double clock_to, double grade)
{
    struct intra_observation *o;
    struct intra_error err = {0};
    check(intra_inspection_add_observation(inspection, &o, &err), &err);
    check(intra_text_set(&o->code, code, &err), &err);
    check(intra_text_set(&o->text, text, &err), &err);
    check(intra_observation_add_grade(
              o, (struct intra_grade){.scale = INTRA_SCALE_PACP, .aspect = INTRA_ASPECT_STRUCTURAL, .value = grade},
              &err),
          &err);
    o->distance_m = from;
    o->place.is_placed = true;
    o->place.frame = -1;
    o->place.recorded = (struct intra_wall_region){from, to, 0.01, clock_from, clock_to, 0.05};
    return o;
}

int main(int argc, char **argv)
{
    static char huge[10241];
    struct made_pipe pipe = made_pipe_defaults();
    struct intra_scene scene;
    struct intra_record record;
    struct intra_inspection *inspection;
    struct intra_observation *o;
    struct intra_error err = {0};
    struct intra_report_options options = intra_report_defaults();
    const char *warnings[] = {"a warning with </script><script>window.hacked = 1</script>"};
    struct intra_report_source source = {.video = "/videos/pipe \"7\" <b>.mp4",
                                         .video_link = "../pipe%20%227%22%20%3Cb%3E.mp4",
                                         .sha256 = "00ff",
                                         .options_json = "{\"x\": \"</script>\"}",
                                         .warnings = warnings,
                                         .n_warnings = 1};
    const char *dir = argc > 1 ? argv[1] : ".";
    char path[1024];
    double(*outline)[2];
    if (!intra_report_is_built_in()) {
        printf("skipped: this build has no report page\n");
        return 77;
    }
    if (argc > 2) pipe.length_m = atof(argv[2]);
    if (argc > 3) pipe.texel_m = atof(argv[3]) / 1000;
    made_scene_init(&scene, &pipe, dir);
    check(intra_scene_add_gap(&scene,
                              &(struct intra_gap){pipe.start_m + pipe.gap_from_m, pipe.start_m + pipe.gap_to_m, 2.3,
                                                  2.8, "the wall was lost <i>here</i>"},
                              &err),
          &err);
    intra_record_init(&record);
    check(intra_record_add_inspection(&record, &inspection, &err), &err);
    check(intra_text_set(&inspection->pipe, "H-4711 \"><img src=x onerror=window.hacked=1>", &err), &err);
    check(intra_text_set(&inspection->date, "2024-05-17", &err), &err);
    o = add(inspection, "CL", "Crack, longitudinal", 1.15, 1.45, 0.1, 0.9, 3);
    check(INTRA_ALLOC(outline, CRACK_POINTS, &err), &err);
    for (int i = 0; i < CRACK_POINTS; i++)
        crack_at(&pipe, (double)i / (CRACK_POINTS - 1), outline[i]);
    o->place.outline = outline;
    o->place.n_outline = CRACK_POINTS;
    o->place.is_line = true;
    o->extent.length_m = 0.25;
    o->extent.length_sd_m = 0.004;
    add(inspection, "<script>window.hacked = 1</script>", "</script><script>window.hacked = 1</script>", 0.6, 0.7, 1, 2,
        1);
    add(inspection, "\"'`&<>", "quotes \" ' ` and \xff bytes that are no UTF-8, and ]]> --> <!--", 1.7, 1.8, 3, 3.5, 5);
    memset(huge, 'x', sizeof huge - 1);
    memcpy(huge, "<img src=x onerror=\"window.hacked = 1\">", 38);
    add(inspection, "HUGE", huge, 1.9, 2.0, 5, 1, 4);
    o = add(inspection, "LOST", "an observation without a place", 3.2, 3.2, NAN, NAN, 2);
    o->place.is_placed = false;
    snprintf(o->place.reason, sizeof o->place.reason, "the record ends before <it>");
    /* Another one of the same pipe, two years later; its observation has a moment in the video. */
    check(intra_record_add_inspection(&record, &inspection, &err), &err);
    check(intra_text_set(&inspection->pipe, "H-4711", &err), &err);
    check(intra_text_set(&inspection->date, "2026-05-18", &err), &err);
    o = add(inspection, "TIMED", "a later inspection", 2.6, 2.6, 2, 2.5, 2);
    o->time_s = 12.345;
    options.inspections = record.inspections;
    options.n_inspections = record.n_inspections;
    options.source = &source;
    check(intra_export_report(&scene, &options, made_path(path, sizeof path, dir, "report.html"), NULL, &err), &err);
    write_truth(&scene, &pipe, made_path(path, sizeof path, dir, "truth.json"));
    printf("report.html: %ld bytes\n", made_file_size(made_path(path, sizeof path, dir, "report.html")));
    intra_record_fini(&record);
    intra_scene_fini(&scene);
    return 0;
}
