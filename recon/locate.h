/* From a record to places on the reconstructed wall.
 *
 * Step one, intra_locate_inspection, needs the tables of the scene only: distance and clock position, or a region of a
 * video frame, become a `recorded` region of the wall with its deviations. Step two, intra_locate_refine, looks at the
 * wall there (colour, relief, coverage) and takes what it surely finds as `refined`. Maths and limits:
 * docs/methods.md, "From a record to the wall". */
#ifndef INTRA_RECON_LOCATE_H
#define INTRA_RECON_LOCATE_H

#include "core/inspection.h"
#include "core/scene.h"

/* Whose station the record's distance is. */
enum intra_station_of {
    INTRA_STATION_OF_OBSERVATION, /* as the coding standards ask */
    INTRA_STATION_OF_CAMERA       /* as many a counter is read: what is seen lies look_ahead_m further on */
};

struct intra_locate_options {
    double station_offset_m; /* station of the model where the record's distance is 0; default 0 */
    bool is_opposite;        /* the record ran against the model: distances grow towards smaller stations, and the clock
                                is mirrored */
    enum intra_station_of station_of;
    double look_ahead_m; /* from the camera to what it shows; default NaN: one diameter */
    double station_sd_m; /* carelessness along the pipe; default 0.3 */
    double clock_sd_rad; /* and around it; default one hour */
    double time_limit_m; /* distance and video time that differ by more: the time wins; default 0.5 */
};
struct intra_locate_options intra_locate_defaults(void);

/* Fill `place` of every observation (but its refined part; earlier contents are replaced). An observation that cannot
 * be placed is no error: is_placed is false and `reason` says why. Errors: INTRA_E_MEM. One thread. */
enum intra_status intra_locate_inspection(const struct intra_scene *scene, const struct intra_locate_options *options,
                                          struct intra_inspection *inspection, struct intra_error *err);

/* Refine every placed observation on scene->wall (colour needed; relief and coverage where they are there). What is not
 * surely found keeps its recorded region, and `reason` says so. Errors: INTRA_E_MEM and those of the raster. Seconds
 * for hundreds of observations. */
enum intra_status intra_locate_refine(const struct intra_scene *scene, struct intra_inspection *inspection,
                                      struct intra_error *err);

/* Station, clock angle [0, 2 pi) and distance from the axis of a world point; near_m: a station to start from. False
 * beyond the ends of the pipe. Inverse of intra_scene_wall_point where the point is on the wall. */
bool intra_locate_point(const struct intra_scene *scene, struct intra_vec3 p, double near_m, double *out_station_m,
                        double *out_theta_rad, double *out_radius_m);

/* Where the ray through pixel `px` of a posed frame meets the fitted wall; false where it does not within reach_m. */
bool intra_locate_pixel(const struct intra_scene *scene, const struct intra_frame_record *frame, const double px[2],
                        double reach_m, double *out_station_m, double *out_theta_rad, double *out_range_m);

/* The posed frame that a region is of, by its index, else its time; NULL where there is none. */
const struct intra_frame_record *intra_locate_frame(const struct intra_scene *scene,
                                                    const struct intra_frame_region *region);

enum { INTRA_LOCATE_PIECES = 8 }; /* points an edge of a region's outline: it bends on the wall */
/* Outline of a region on the wall: station and unwrapped clock angle, into `out` with room for n_outline *
 * INTRA_LOCATE_PIECES points. Returns how many of them meet the wall; *out_range_m their mean distance from the camera. */
int intra_locate_region(const struct intra_scene *scene, const struct intra_frame_region *region,
                        const struct intra_frame_record *frame, double (*out)[2], double *out_range_m);

/* World position and its deviations of the middle of the region that counts, and the frame that shows it best. */
void intra_locate_position(const struct intra_scene *scene, struct intra_place *place);

#endif
