/* Motion over a whole video: starts runs, follows them, notices when the picture is no pipe, is lost or repeats, finds
 * back after pans and cuts, and hands on what is settled. Frames go in in order; results come out in order through the
 * sink, from the calling thread. */
#ifndef INTRA_RECON_MOTION_H
#define INTRA_RECON_MOTION_H

#include "core/scene.h"
#include "core/video.h"
#include "recon/counter_queue.h"
#include "recon/run.h"

/* A picture goes on the wall up to so many radii ahead of its camera. */
#define INTRA_WALL_AHEAD_REL 7.0

/* Where a run lies in the world: world = world_from_run * run; station = arc(u) + station_offset_m. */
struct intra_placement {
    struct intra_pose world_from_run;
    double station_offset_m;
    double gap_sd_m; /* deviation of that offset: the gaps before this segment; NaN: not known, there was a cut */
    bool is_by_counter; /* the distance counter says how far it lies behind the one before */
    bool is_apart;      /* there was a cut, and nothing says how far: far enough that no two walls overlap */
    int segment;
};

/* A frame whose fate is settled. Station and state (drive, stop, ...) follow later from the whole. */
struct intra_motion_frame {
    int64_t index;
    double pts_s;
    enum intra_frame_state state; /* DRIVE for every posed one here; LOST, NOT_PIPE, DUPLICATE; STOP: in a zoom */
    bool is_posed;                /* a frame in a zoom is not, but has its station */
    int segment;
    struct intra_pose world_from_cam;
    double station_m;
    double station_sd_m;       /* NaN: not known (after a cut) */
    bool is_by_counter, is_apart; /* as its placement */
    double scale_sd_rel;       /* of the scale by the picture there, as a mean over the whole; NaN: not known */
    double wander_sd_rel;      /* of how the scale there differs from that mean, */
    double wander_way_m;       /* over about this way; NaN: not known */
    double roll_walk_rad2_m;   /* what a metre adds to the variance of the turn about the pipe; NaN: not known */
    double yaw_rad, pitch_rad; /* of the optical axis against the pipe's axis: right and up positive */
};

struct intra_motion_sink {
    void *user;
    enum intra_status (*frame)(void *user, const struct intra_motion_frame *frame, struct intra_error *err);
    /* A settled keyframe with its picture (borrowed for the call; retain to keep). */
    enum intra_status (*keyframe)(void *user, struct intra_run *run, const struct intra_placement *placement,
                                  const struct intra_keyframe *kf, struct intra_frame *picture, struct intra_error *err);
    /* Settled wall radii. */
    enum intra_status (*samples)(void *user, struct intra_run *run, const struct intra_placement *placement,
                                 const struct intra_wall_sample *samples, int n, struct intra_error *err);
    /* A run has ended; all of its keyframes and samples have been handed on. */
    enum intra_status (*run_end)(void *user, struct intra_run *run, const struct intra_placement *placement,
                                 struct intra_error *err);
};

struct intra_motion_options {
    double radius_m;
    double start_station_m;
    int threads;
    bool is_lens_known;                  /* neither assumed nor a guess on the way to one that is fitted */
    struct intra_counter_queue *counter; /* borrowed; what it has read so far spans gaps. NULL: none */
    const char *debug_dir; /* borrowed; gets pictures of what frames were followed by (recon/motion_picture.h), one each
                              two seconds and of each loss, 400 at most. NULL: none */
};

struct intra_motion;
/* camera, mask and log_shading are borrowed until destroy. */
enum intra_status intra_motion_create(const struct intra_motion_options *options, const struct intra_camera *camera,
                                      const struct intra_mask_pyramid *mask, const struct intra_view_f32 *log_shading,
                                      const struct intra_motion_sink *sink, struct intra_motion **out, struct intra_error *err);
/* Takes a reference of its own where it needs the frame longer. */
enum intra_status intra_motion_process(struct intra_motion *motion, struct intra_frame *frame, struct intra_error *err);
enum intra_status intra_motion_finish(struct intra_motion *motion, struct intra_error *err);
void intra_motion_destroy(struct intra_motion **motion);
/* The frame processed last was not followed: it waits for a way back, or for a new start. */
bool intra_motion_is_lost(const struct intra_motion *motion);
/* Share of the followed frames in which fewer than half of the points in view agreed: above a tenth or so the wall has too little to hold on to,
 * and way and station may be wrong by much more than their deviations say. */
double intra_motion_weak_share(const struct intra_motion *motion);
/* Why nothing or not everything was posed, in words; "" when all is well. */
const char *intra_motion_reason(const struct intra_motion *motion);

#endif
