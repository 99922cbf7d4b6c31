/* The wall: radii and keyframes go in as they settle, sections and an unrolled, evened-out colour wall come out.
 *
 * Cells of the unrolled wall as in struct intra_wall. Each keyframe is projected onto the cells that it sees well; a cell keeps
 * a running mean in which the best-resolved views rule. Everything along the pipe stands in scratch rasters; only the
 * radii (16 bytes each) stay in memory. */
#ifndef INTRA_RECON_WALL_H
#define INTRA_RECON_WALL_H

#include "recon/motion.h"
#include "recon/roll_fit.h"
#include "recon/section_fit.h"
#include "recon/station_fit.h"
#include "recon/still.h"

struct intra_wall_options {
    double radius_m;
    double texel_m;
    double section_step_m;
    double start_station_m;
    double cut_rad;
    int threads;        /* while runs go on, */
    int finish_threads; /* and when all are over: nothing else needs the cores then */
    const char *scratch_dir;
};

struct intra_wallmap;
/* camera and still are borrowed until destroy. */
enum intra_status intra_wallmap_create(const struct intra_wall_options *options, const struct intra_camera *camera,
                                       const struct intra_still *still, struct intra_wallmap **out,
                                       struct intra_error *err);
void intra_wallmap_destroy(struct intra_wallmap **map);

enum intra_status intra_wallmap_add_samples(struct intra_wallmap *map, struct intra_run *run,
                                            const struct intra_placement *placement,
                                            const struct intra_wall_sample *samples, int n, struct intra_error *err);
/* Project one settled keyframe. is_last: the run ends with it, so everything in sight is taken. */
enum intra_status intra_wallmap_add_view(struct intra_wallmap *map, struct intra_run *run,
                                         const struct intra_placement *placement, const struct intra_keyframe *kf,
                                         const struct intra_frame *picture, bool is_last, struct intra_error *err);
/* The run is over: its axis is kept for the sections. */
enum intra_status intra_wallmap_end_run(struct intra_wallmap *map, struct intra_run *run,
                                        const struct intra_placement *placement, struct intra_error *err);
/* All runs are over: everything kept so far, and the frames (station and position), to the stations of `stations`,
 * which is borrowed until finish. The pipe is stretched along its axis, not swollen. Once at most, before finish. */
enum intra_status intra_wallmap_restation(struct intra_wallmap *map, const struct intra_station_map *stations,
                                          struct intra_frame_record *frames, int64_t n_frames, struct intra_error *err);
/* All runs are over: the colour that finish would give, alone, for those who look for signs on it. out: zeroed; the
 * caller destroys its raster. */
enum intra_status intra_wallmap_colour(struct intra_wallmap *map, struct intra_wall *out, struct intra_error *err);
/* Segment of the wall from one station to another; negative: none, several, or steeper than 45 degrees. */
int intra_wallmap_segment(const struct intra_wallmap *map, double from_m, double to_m);
/* How a posed frame stands in the section there: clock angle to which the top of its picture points, and where it is
 * from the axis. False: its segment left no axis. */
bool intra_wallmap_stand(const struct intra_wallmap *map, const struct intra_frame_record *frame, double *out_roll_rad,
                         double *out_right_m, double *out_up_m);
/* Everything kept so far, and the frames, turned about the axis as `rolls` has it, which is borrowed until finish and
 * gives the sections its deviations. What lies behind a turned bend goes along. Once at most, after restation. */
enum intra_status intra_wallmap_turn(struct intra_wallmap *map, const struct intra_roll_map *rolls,
                                     struct intra_frame_record *frames, int64_t n_frames, struct intra_error *err);
/* Sections and the wall's rasters into the scene. */
enum intra_status intra_wallmap_finish(struct intra_wallmap *map, const struct intra_progress *progress,
                                       struct intra_scene *scene, struct intra_error *err);
/* After finish: all wall radii, sorted by station (from the start station). Borrowed until destroy. */
const struct intra_radius_sample *intra_wallmap_samples(const struct intra_wallmap *map, int64_t *n);

#endif
