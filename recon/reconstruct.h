/* The whole line from a video to a measured, textured wall. Maths: docs/methods.md. */
#ifndef INTRA_RECON_RECONSTRUCT_H
#define INTRA_RECON_RECONSTRUCT_H

#include "core/progress.h"
#include "core/scene.h"
#include "core/video.h"

struct intra_reconstruct_options {
    double diameter_m;          /* nominal inside diameter; required */
    double texel_m;             /* wall grid; 0: 1 mm for SD, 0.5 mm for 1280 px wide and more */
    double section_step_m;      /* default 0.05 */
    double start_station_m;
    double cut_rad;             /* clock angle of the top edge of the unrolled wall; default pi (6 o'clock) */
    bool has_counter;           /* read the burnt-in distance counter into the frame records; default true */
    double length_m;            /* known way of the whole run, for the lens; 0: not known. Unused with a calibrated lens */
    /* Readings of the counter from elsewhere; they replace counter_m of the frames. NULL: none. */
    void (*fill_counter)(void *user, struct intra_frame_record *frames, int64_t n);
    void *fill_user;
    int threads;                /* 0 = number of cores */
    const char *scratch_dir;    /* where scratch rasters stand */
    const char *debug_dir;      /* NULL: none */
    struct intra_video_options video;
};
struct intra_reconstruct_options intra_reconstruct_defaults(void);

/* What the stages did, for log and store. */
enum { INTRA_MAX_STAGES = 16, INTRA_MAX_WARNINGS = 32 };
struct intra_reconstruct_report {
    struct {
        const char *name;
        double wall_s, cpu_s;
        int64_t items;
    } stages[INTRA_MAX_STAGES];
    int n_stages;
    char warnings[INTRA_MAX_WARNINGS][256];
    int n_warnings;
    struct intra_video_info video;
    struct intra_video_counts counts;
    int64_t frames_posed, frames_pipe; /* posed; posed or lost (that is, showing the pipe and not panning) */
    double overlay_share;              /* of the picture that is masked */
    int64_t counter_looked, counter_read; /* frames whose counter was looked at, and of them those read; 0, 0: none found */
    double measured_diameter_m, measured_diameter_sd_m; /* by calibrated lens and counter; NaN: not measured */
    bool is_lens_fitted;               /* focal length and distortion come from the pipe */
    double focal_sd_rel, corner_sd_rel; /* then: of the focal length, and of the angle at the picture's corner */
    double centre_sd_px;                /* and of its centre; NaN: assumed in the picture's middle */
    bool has_counter_jump;             /* counter and picture part at once: see warnings */
    bool is_complete;                  /* no gap, nothing lost, no such jump */
};

/* Reconstruct `video_path`. `camera` must match the picture size; one that is assumed is corrected by counter or length
 * where they allow it, and the scene's is the corrected one. Fills `scene` (initialised by the caller, who finishes
 * it). Errors: those of intra_video_open; INTRA_E_NO_RESULT when no frame could be posed (black, one frame, not a pipe),
 * with the reason; the scene's frame records are then still filled. OpenMP and threads of its own; the result has the
 * same bytes for every thread count. */
enum intra_status intra_reconstruct(const char *video_path, const struct intra_camera *camera,
                                    const struct intra_reconstruct_options *options,
                                    const struct intra_progress *progress, struct intra_scene *scene,
                                    struct intra_reconstruct_report *report, struct intra_error *err);

#endif
