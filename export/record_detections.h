/* What the readers of machine detections share: frame numbers in names, outlines, masks. */
#ifndef INTRA_EXPORT_RECORD_DETECTIONS_H
#define INTRA_EXPORT_RECORD_DETECTIONS_H

#include "export/record_internal.h"

/* The last run of digits in a picture's name without folder and ending: "P-0101_frame_001525.jpg" -> 1525; -1 where
 * there is none or it has more than 12. */
int64_t intra_detection_frame(const char *picture);

/* An observation with a label, all else unknown. */
enum intra_status intra_detection_add(struct intra_inspection *inspection, const char *label,
                                      struct intra_observation **out, struct intra_error *err);

/* The corners of a box or a copy of points, moved by `shift` (formats that count from the picture's corner: -0.5).
 * Anything not finite is INTRA_E_FORMAT. */
enum intra_status intra_detection_box(struct intra_frame_region *region, double x0, double y0, double x1, double y1,
                                      double shift, struct intra_error *err);
enum intra_status intra_detection_outline(struct intra_frame_region *region, const double (*points)[2], int n,
                                          double shift, struct intra_error *err);

/* Outline of the largest connected piece (4 neighbours) of a mask of height x width in row order, along the edges of
 * its pixels, holes filled; offset in pixels. An empty mask leaves the region without one. Changes the mask. */
enum intra_status intra_detection_mask(struct intra_frame_region *region, uint8_t *mask, int width, int height,
                                       double offset_x, double offset_y, struct intra_error *err);
enum { INTRA_DETECTION_MAX_PIXELS = 64 << 20 };

#endif
