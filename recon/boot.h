/* Starting a run without knowing how the camera stands in the pipe: several first guesses of its direction are each
 * followed over the same frames; the one whose tube explains the motion best is taken, if it explains it at all, and
 * followed again from points that it saw move. Method: docs/methods.md, "Start, loss and return". Single-threaded but
 * for the patch work. */
#ifndef INTRA_RECON_BOOT_H
#define INTRA_RECON_BOOT_H

#include "core/video.h"
#include "recon/run.h"

enum { INTRA_BOOT_MAX = 36 };

struct intra_boot {
    struct intra_frame *frames[INTRA_BOOT_MAX]; /* retained */
    int n;
    int stride, skip; /* a frame is taken each `stride`; skip counts up to it */
    int fails;        /* tries in a row that led to nothing */
    bool is_moving;   /* the last try saw motion */
};

struct intra_boot_frame {
    int kf;
    struct intra_pose cam_from_kf;
    bool is_keyframe;
    bool is_posed; /* false: a frame in between that did not fit (blur, a flash) */
};

enum intra_boot_verdict { INTRA_BOOT_MORE, INTRA_BOOT_STARTED, INTRA_BOOT_NOT_A_PIPE };

void intra_boot_clear(struct intra_boot *boot);
/* Take a frame (a reference of its own) when it is due; when full every second one is dropped and the stride doubles. */
bool intra_boot_put(struct intra_boot *boot, struct intra_frame *frame);

/* Try to start. On STARTED out_run is an initialised run that has accepted frames [0, boot->n), and out_frames says where
 * each hangs; the caller finishes it. reason: what spoke against it, for people. */
enum intra_status intra_boot_try(struct intra_boot *boot, const struct intra_run_options *options,
                                 const struct intra_camera *camera, const struct intra_mask_pyramid *mask,
                                 const struct intra_view_f32 *log_shading, struct intra_pyramid *pyramid,
                                 enum intra_boot_verdict *out_verdict, struct intra_run *out_run,
                                 struct intra_boot_frame *out_frames, char reason[160], struct intra_error *err);

#endif
