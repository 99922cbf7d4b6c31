/* A record put on the wall of a finished project, for the commands that take one. */
#ifndef INTRA_TOOLS_RECORD_PLACES_H
#define INTRA_TOOLS_RECORD_PLACES_H

#include "core/inspection.h"
#include "core/scene.h"
#include "recon/locate.h"

#include <stdio.h>

/* The inspections of a record, one a line: id, pipe, date, observations. `most` at most, then how many more. */
void intra_record_list(const struct intra_record *record, int64_t most, FILE *to);

/* Index of the inspection that `id` names (its id, or the name of its pipe; NULL: there must be one only). No guessing between
 * several: INTRA_E_ARG, and the list goes to `list_to` (NULL: no list). */
enum intra_status intra_record_choose(const struct intra_record *record, const char *path, const char *id, FILE *list_to,
                                      int64_t *out, struct intra_error *err);

/* Load the wall of `project` into `scene` (scratch files in scratch_dir), place, refine and measure the observations. A project
 * without the images of its wall: placed only. */
enum intra_status intra_record_place(const char *project, const char *scratch_dir, const struct intra_locate_options *options,
                                     struct intra_scene *scene, struct intra_inspection *inspection, struct intra_error *err);

/* Read `record_path`, choose the inspection `id` and place it, as above. *out_inspection borrows from `record`, which the caller
 * initialised and finishes. Errors: those of intra_record_read and of the images. */
enum intra_status intra_record_put(const char *record_path, const char *id, const char *project, const char *scratch_dir,
                                   const struct intra_locate_options *options, struct intra_scene *scene,
                                   struct intra_record *record, struct intra_inspection **out_inspection,
                                   struct intra_error *err);

#endif
