/* Bends of the pipe: stretches where the axis turns by more than joints and noise explain. Maths: docs/methods.md,
 * "Bends". */
#ifndef INTRA_RECON_BENDS_H
#define INTRA_RECON_BENDS_H

#include "core/scene.h"

/* Add the bends to scene->features, in order of their stations. Reads frames and sections. A bend that goes on where
 * the camera did not get has no deviation of that end, and the angle is what was seen. One thread. Errors: INTRA_E_MEM.
 */
enum intra_status intra_bends_find(struct intra_scene *scene, struct intra_error *err);

#endif
