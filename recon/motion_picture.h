/* What a frame was followed by, as a picture: the frame in grey, and a square over each wall point in view, as large as
 * its patch: green where it agrees with the pose, yellow where that may be chance, red where it does not. A line from
 * the middle shows where the picture has the patch, five times as far off as it is. */
#ifndef INTRA_RECON_MOTION_PICTURE_H
#define INTRA_RECON_MOTION_PICTURE_H

#include "core/video.h"
#include "recon/run.h"

/* Writes DIR/followed_INDEX.png, or lost_INDEX.png where the fit is not good. The run's matches must be the fit's.
 * Errors: INTRA_E_IO, INTRA_E_MEM. */
enum intra_status intra_motion_picture_write(const char *dir, const struct intra_frame *frame,
                                             const struct intra_run *run, const struct intra_pose_fit *fit,
                                             struct intra_error *err);

#endif
