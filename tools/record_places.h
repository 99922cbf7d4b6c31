/* A record put on the wall of a finished project, for the commands that take one. */
#ifndef INTRA_TOOLS_RECORD_PLACES_H
#define INTRA_TOOLS_RECORD_PLACES_H

#include "core/inspection.h"
#include "core/scene.h"
#include "recon/locate.h"

/* Read `record_path`, load the wall of `project` into `scene` (scratch files in scratch_dir), place, refine and measure
 * the observations of its first inspection. *out_inspection borrows from `record`, which the caller initialised and
 * finishes. Errors: those of intra_record_read and of the images. */
enum intra_status intra_record_put(const char *record_path, const char *project, const char *scratch_dir,
                                   const struct intra_locate_options *options, struct intra_scene *scene,
                                   struct intra_record *record, struct intra_inspection **out_inspection,
                                   struct intra_error *err);

#endif
