#include "tools/summary.h"

#include "core/fileio.h"
#include "tools/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

/* What a reader wants of all sections at once; NaN where nothing was measured. */
struct extremes {
    double mean_mm, mean_sd_mm; /* of the mean diameter along the pipe; sd: typical of one section */
    double min_mm, min_sd_mm, min_station_m;
    double ovality_pct, ovality_sd_pct, ovality_station_m;
};

static struct extremes find_extremes(const struct intra_scene *scene)
{
    struct extremes e = {NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN};
    double sum = 0, sum_sd = 0;
    int64_t n = 0;
    for (int64_t i = 0; i < scene->n_sections; i++) {
        const struct intra_section *s = &scene->sections[i];
        if (!s->is_seen || !isfinite(s->diameter_mean_m)) continue;
        n++;
        sum += s->diameter_mean_m;
        sum_sd += s->diameter_mean_sd_m;
        if (!(s->diameter_min_m * 1e3 >= e.min_mm)) {
            e.min_mm = s->diameter_min_m * 1e3;
            e.min_sd_mm = s->diameter_min_sd_m * 1e3;
            e.min_station_m = s->station_m;
        }
        if (!(s->ovality_pct <= e.ovality_pct)) {
            e.ovality_pct = s->ovality_pct;
            e.ovality_sd_pct = s->ovality_sd_pct;
            e.ovality_station_m = s->station_m;
        }
    }
    if (n) e.mean_mm = sum / (double)n * 1e3;
    if (n) e.mean_sd_mm = sum_sd / (double)n * 1e3;
    return e;
}

/* Observations of the record, and how many of them are on the wall. */
static int64_t count_observations(const struct intra_record *record, int64_t *out_placed)
{
    int64_t n = 0;
    *out_placed = 0;
    for (int64_t i = 0; i < record->n_inspections; i++) {
        n += record->inspections[i].n_observations;
        for (int64_t k = 0; k < record->inspections[i].n_observations; k++)
            *out_placed += record->inspections[i].observations[k].place.is_placed;
    }
    return n;
}

/* Where a file lies that not every run writes. */
static void print_file(const struct intra_summary *s, const char *what, const char *name)
{
    char path[1100];
    if (intra_path_join(path, sizeof path, s->out_dir, name, NULL) == INTRA_OK && intra_path_exists(path))
        printf("  %-14s %s\n", what, path);
}

void intra_summary_print(const struct intra_summary *s)
{
    const struct intra_scene *scene = s->scene;
    const struct intra_reconstruct_report *r = s->report;
    struct extremes e = find_extremes(scene);
    printf("%s: %s\n", s->out_dir, r->is_complete && !s->is_early_end ? "done" : "done, with gaps");
    printf("  length         %.3f m (", scene->length_m);
    if (isfinite(scene->length_sd_m))
        printf("sd %.3f m", scene->length_sd_m);
    else
        printf("sd not known: the recording was cut");
    printf("), from station %.3f m\n", scene->start_station_m);
    printf("  frames posed   %" PRId64 " of %" PRId64 " that show the pipe, %" PRId64 " in all\n", r->frames_posed,
           r->frames_pipe, scene->n_frames);
    if (r->counts.damaged) printf("  damaged        %" PRId64 " frames or packets\n", r->counts.damaged);
    printf("  gaps           %" PRId64 "\n", scene->n_gaps);
    for (int64_t i = 0; i < scene->n_gaps && i < 10; i++) {
        const struct intra_gap *g = &scene->gaps[i];
        printf("                 after %.2f m, %.2f to %.2f s: %s\n", g->station_from_m, g->time_from_s, g->time_to_s,
               g->reason);
    }
    if (isfinite(e.mean_mm)) {
        printf("  diameter       mean %.1f mm (sd %.1f), smallest %.1f mm (sd %.1f) at %.2f m\n", e.mean_mm,
               e.mean_sd_mm, e.min_mm, e.min_sd_mm, e.min_station_m);
        printf("  ovality        at most %.2f %% (sd %.2f) at %.2f m\n", e.ovality_pct, e.ovality_sd_pct,
               e.ovality_station_m);
    }
    printf("  assumed        nominal diameter %.1f mm sets the scale", scene->nominal_diameter_m * 1e3);
    if (scene->camera.is_assumed)
        printf("\n                 LENS ASSUMED: %s; give --camera FILE or --hfov", scene->camera.source);
    else
        printf("\n  lens           %s", scene->camera.source);
    if (isfinite(r->measured_diameter_m))
        printf("\n  measured       diameter %.1f mm (sd %.1f) by lens and distance counter",
               r->measured_diameter_m * 1e3, r->measured_diameter_sd_m * 1e3);
    printf("\n");
    if (s->record) {
        int64_t placed, n = count_observations(s->record, &placed);
        if (s->record->n_inspections)
            printf("  record         %" PRId64 " observations, %" PRId64 " of them on the wall\n", n, placed);
        else
            printf("  record         not imported\n");
    }
    if (s->n_warnings) printf("  warnings       %d, in log.jsonl\n", s->n_warnings);
    print_file(s, "report", "report.html");
    print_file(s, "model", "model.glb");
    printf("  wall           %s/unrolled.tif, relief.tif, coverage.tif\n", s->out_dir);
    printf("  tables         %s/profile.csv, frames.csv, trajectory.tum, observations.csv\n", s->out_dir);
    printf("  time           %.1f s\n", s->wall_s);
}

static void put_gaps(struct intra_json *json, const struct intra_scene *scene)
{
    intra_json_open(json, "gaps", '[');
    for (int64_t i = 0; i < scene->n_gaps; i++) {
        intra_json_open(json, NULL, '{');
        intra_json_number(json, "station_from_m", scene->gaps[i].station_from_m);
        intra_json_number(json, "station_to_m", scene->gaps[i].station_to_m);
        intra_json_number(json, "time_from_s", scene->gaps[i].time_from_s);
        intra_json_number(json, "time_to_s", scene->gaps[i].time_to_s);
        intra_json_text(json, "reason", scene->gaps[i].reason);
        intra_json_close(json, '}');
    }
    intra_json_close(json, ']');
}

static void put_stages(struct intra_json *json, const struct intra_reconstruct_report *r)
{
    intra_json_open(json, "stages", '[');
    for (int i = 0; i < r->n_stages; i++) {
        intra_json_open(json, NULL, '{');
        intra_json_text(json, "name", r->stages[i].name);
        intra_json_number(json, "wall_s", r->stages[i].wall_s);
        intra_json_number(json, "cpu_s", r->stages[i].cpu_s);
        intra_json_integer(json, "items", r->stages[i].items);
        intra_json_close(json, '}');
    }
    intra_json_close(json, ']');
}

void intra_summary_print_json(const struct intra_summary *s)
{
    struct intra_json json = {.stream = stdout, .is_pretty = true};
    const struct intra_scene *scene = s->scene;
    const struct intra_reconstruct_report *r = s->report;
    struct extremes e = find_extremes(scene);
    intra_json_open(&json, NULL, '{');
    intra_json_text(&json, "input", s->input_path);
    intra_json_text(&json, "out", s->out_dir);
    intra_json_bool(&json, "is_complete", r->is_complete && !s->is_early_end);
    intra_json_number(&json, "length_m", scene->length_m);
    intra_json_number(&json, "length_sd_m", scene->length_sd_m);
    intra_json_number(&json, "start_station_m", scene->start_station_m);
    intra_json_integer(&json, "frames", scene->n_frames);
    intra_json_integer(&json, "frames_posed", r->frames_posed);
    intra_json_integer(&json, "frames_pipe", r->frames_pipe);
    intra_json_integer(&json, "frames_decoded", r->counts.decoded);
    intra_json_integer(&json, "frames_damaged", r->counts.damaged);
    intra_json_integer(&json, "frames_repeated", r->counts.repeated);
    intra_json_number(&json, "overlay_share", r->overlay_share);
    intra_json_number(&json, "diameter_mean_mm", e.mean_mm);
    intra_json_number(&json, "diameter_mean_sd_mm", e.mean_sd_mm);
    intra_json_number(&json, "diameter_min_mm", e.min_mm);
    intra_json_number(&json, "diameter_min_sd_mm", e.min_sd_mm);
    intra_json_number(&json, "diameter_min_station_m", e.min_station_m);
    intra_json_number(&json, "ovality_largest_pct", e.ovality_pct);
    intra_json_number(&json, "ovality_largest_sd_pct", e.ovality_sd_pct);
    intra_json_number(&json, "ovality_largest_station_m", e.ovality_station_m);
    intra_json_number(&json, "nominal_diameter_mm", scene->nominal_diameter_m * 1e3);
    intra_json_number(&json, "measured_diameter_mm", r->measured_diameter_m * 1e3);
    intra_json_number(&json, "measured_diameter_sd_mm", r->measured_diameter_sd_m * 1e3);
    intra_json_number(&json, "focal_length_px", scene->camera.fx);
    intra_json_number(&json, "focal_sd_rel", scene->camera.focal_sd_rel);
    intra_json_bool(&json, "is_camera_assumed", scene->camera.is_assumed);
    intra_json_bool(&json, "is_camera_default", s->is_camera_default);
    intra_json_text(&json, "camera", scene->camera.source);
    if (s->record) {
        int64_t placed, n = count_observations(s->record, &placed);
        intra_json_bool(&json, "is_record_imported", s->record->n_inspections > 0);
        intra_json_integer(&json, "observations", n);
        intra_json_integer(&json, "observations_placed", placed);
    }
    put_gaps(&json, scene);
    put_stages(&json, r);
    intra_json_open(&json, "warnings", '[');
    for (int i = 0; i < s->n_warnings; i++)
        intra_json_text(&json, NULL, s->warnings[i]);
    intra_json_close(&json, ']');
    intra_json_number(&json, "wall_s", s->wall_s);
    intra_json_close(&json, '}');
}
