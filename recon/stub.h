/* A connection that stands into the pipe: how far, and where its end lies. Its picture on the wall is no help: what
 * stands in hides the wall behind it, and is seen too far along by about as much as it stands in. Its end is told by
 * the relief. Maths: docs/methods.md, "Laterals". */
#ifndef INTRA_RECON_STUB_H
#define INTRA_RECON_STUB_H

#include "core/scene.h"

struct intra_stub {
    bool is_found;
    double intrusion_m, intrusion_sd_m;
    double station_m, station_sd_m, theta_rad, theta_sd_rad; /* of its axis */
    double radius_m, radius_sd_m;                            /* of the ring that its end makes, near the mouth's */
};

/* Around a mouth that is seen at (station_m, theta_rad) with radius_m (deviation radius_sd_m) on the wall of `scene`
 * (colour and relief needed; without relief nothing is found). Nothing found is no error. Errors: INTRA_E_MEM, those of
 * the raster. */
enum intra_status intra_stub_find(const struct intra_scene *scene, double station_m, double theta_rad, double radius_m,
                                  double radius_sd_m, struct intra_stub *out, struct intra_error *err);

/* What was seen of the mouth's diameter, with its deviation, and the ring of the end: their mean by deviations; the ring's
 * alone where the mouth seems far smaller, since the end hides some of it. */
void intra_stub_share_diameter(const struct intra_stub *stub, double *diameter_io_m, double *sd_io_m);

#endif
