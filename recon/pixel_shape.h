/* Pixels that are not square, in video that says they are, told by the pipe: analogue video was digitised with 704 or
 * 720 pixels a line, whatever its shape (ITU-R BT.601), and a round pipe then comes out oval by as much, all along. */
#ifndef INTRA_RECON_PIXEL_SHAPE_H
#define INTRA_RECON_PIXEL_SHAPE_H

#include "core/scene.h"

/* Width of a pixel over its height where a picture of that size fills a 4:3 screen, for the sizes of BT.601 and their
 * halves; 1 for others. */
double intra_pixel_aspect_usual(int width, int height);

/* The sections are taller than wide (or wider than tall) by what such pixels would make of a round pipe, all along, and
 * the scene's camera has square ones. *out_tall_rel: height over width, less one. False with few sections. */
bool intra_pixels_seem_unequal(const struct intra_scene *scene, double *out_tall_rel);

#endif
