/* One observation of the many boxes that a detector draws around the same defect, frame by frame. Method and limits:
 * docs/methods.md, "Many boxes, one defect". */
#ifndef INTRA_RECON_MERGE_DETECTIONS_H
#define INTRA_RECON_MERGE_DETECTIONS_H

#include "core/inspection.h"
#include "core/scene.h"

enum { INTRA_MERGE_MOST_VIEWS = 12 }; /* regions that a merged observation keeps, the best ones first */

/* Join the observations of one region each that show the same place of the wall with the same label and model; call
 * after intra_locate_inspection, before intra_locate_refine. A joined observation keeps its best views, the highest
 * score, the verbatim row of its best view and the ids of the others (source field "joined"), and is placed by the
 * weighted middle of its views, with their scatter as deviation. What a reviewer rejected, and what has several regions
 * already (a track), is joined with nothing; tracks are placed by the scatter of their views too. Observations without
 * a region, or whose frame has no pose, stay as they are. Order: by the first frame that shows them. *out_joined
 * (may be NULL): how many went into others. Errors: INTRA_E_MEM. One thread. */
enum intra_status intra_merge_detections(const struct intra_scene *scene, struct intra_inspection *inspection,
                                         int64_t *out_joined, struct intra_error *err);

#endif
