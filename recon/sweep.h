/* Radii of the wall by plane sweep (Collins 1996, "A space-sweep approach to true multi-image matching"): a window of
 * wall in the last picture that shows it is looked for in two earlier ones at radii around the section's. Where few
 * points are followed (sludge, smooth wall, roots) this is what measures the wall's relief. Maths: docs/methods.md,
 * "Relief". Run coordinates, metres, radians. */
#ifndef INTRA_RECON_SWEEP_H
#define INTRA_RECON_SWEEP_H

#include "recon/section_fit.h"
#include "recon/window.h"

struct intra_frame;

#define INTRA_SWEEP_PITCH_REL 0.08 /* radii from site to site, along and around */

struct intra_sweep_options {
    double radius_m;
    int threads;
};

/* A place on the section that is to be measured. */
struct intra_sweep_site {
    double station_m, theta_rad, r_m;
    struct intra_vec3 centre, along, around, out; /* axis point there; unit vectors along, around, to the wall */
};

struct intra_sweep;
/* camera and light are borrowed until destroy. light: by pixel, two channels, the first 0 where the picture is not to
 * be used (mask, border). Errors: INTRA_E_MEM. */
enum intra_status intra_sweep_create(const struct intra_sweep_options *options, const struct intra_camera *camera,
                                     const struct intra_view_f32 *light, struct intra_sweep **out,
                                     struct intra_error *err);
void intra_sweep_destroy(struct intra_sweep **sweep);

/* A keyframe of the run: its picture, made smaller, is kept beside some before it. Errors: none but INTRA_E_MEM. */
enum intra_status intra_sweep_keep(struct intra_sweep *sweep, const struct intra_pose *cam_from_run, double station_m,
                                   const struct intra_frame *picture, struct intra_error *err);
/* Forget the pictures: the next ones are of another run. */
void intra_sweep_clear(struct intra_sweep *sweep);

/* Does the last kept view show the site, the camera moved on by ahead_m? */
bool intra_sweep_shows(const struct intra_sweep *sweep, const struct intra_sweep_site *site, double ahead_m);

/* Measure n sites in the last kept view. out[i].sd_m <= 0 where it could not be told. OpenMP over sites; same bytes for
 * every team size. */
void intra_sweep_measure(const struct intra_sweep *sweep, const struct intra_sweep_site *sites, int n,
                         struct intra_radius_sample *out);

/* Do the neighbours of samples[i] among samples[from, end), in any order, agree with it? is_wall: most of them, so that it
 * is the wall and no rim or strand before it. */
bool intra_sweep_agrees(const struct intra_radius_sample *samples, int64_t from, int64_t end, int64_t i,
                        double radius_m, bool is_wall);
/* Take out those that most of their neighbours disagree with. samples: sorted by station; returns how many are left.
 * Errors: INTRA_E_MEM. */
enum intra_status intra_sweep_prune(struct intra_radius_sample *samples, int64_t *n, double radius_m,
                                    struct intra_error *err);

#endif
