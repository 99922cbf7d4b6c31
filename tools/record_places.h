/* Records put on the wall, and records that a project has, for the commands that show or take them. */
#ifndef INTRA_TOOLS_RECORD_PLACES_H
#define INTRA_TOOLS_RECORD_PLACES_H

#include "core/inspection.h"
#include "core/scene.h"
#include "core/store.h"
#include "tools/record_options.h"

#include <stdio.h>

/* The inspections of a record, one a line: number in the project, id, pipe, date, observations. `most` at most, then
 * how many more. */
void intra_record_list(const struct intra_record *record, int64_t most, FILE *to);

/* The video that a record may be of, for finding out which inspection it shows. */
struct intra_record_video {
    const char *path;  /* borrowed; NULL: none */
    double diameter_m; /* NaN: not known */
};
/* That of an open project, with its scene; the caller frees *out_path (intra_free), which `out` borrows. */
enum intra_status intra_record_project_video(struct intra_store *store, const struct intra_scene *scene,
                                             char **out_path, struct intra_record_video *out, struct intra_error *err);

/* Read `request->path` and leave in `record` (initialised by the caller, who finishes it) only the inspection that is
 * asked for: its id, or the name of its pipe; none asked for: the only one, or of several the one that the text in
 * `video` (NULL: none) names, which is said on `list_to`. No guessing between several: INTRA_E_ARG, and the list goes
 * to `list_to` (NULL: no list). With --inspection list all stay. Errors also: those of intra_record_read. */
enum intra_status intra_record_load(const struct intra_record_request *request, enum intra_record_format format,
                                    const struct intra_record_video *video, FILE *list_to, struct intra_record *record,
                                    struct intra_error *err);

/* What was imported into an open project: all of it, or the inspection that is asked for, by id, pipe or @number.
 * Observations that an earlier version stored and this one cannot read are said in a warning. Errors: INTRA_E_ARG as
 * above, those of intra_store_read_records. */
enum intra_status intra_record_imported(const struct intra_record_request *request, struct intra_store *store,
                                        FILE *list_to, struct intra_record *record, struct intra_error *err);

/* Load the wall of `project` into `scene` (scratch files in scratch_dir), all three layers; nothing happens in a
 * project without its images. */
enum intra_status intra_record_load_wall(const char *project, const char *scratch_dir, struct intra_scene *scene,
                                         struct intra_error *err);

/* Place the observations of all inspections on the wall; where the scene has its colour, refine and measure them; grade
 * those coded in PACP. */
enum intra_status intra_record_place(const struct intra_scene *scene, const struct intra_locate_options *options,
                                     struct intra_record *record, struct intra_error *err);

/* What a command shows: the record of --record, read and placed on the wall that is loaded for it, else what was
 * imported. With --inspection list nothing is placed. */
enum intra_status intra_record_show(const struct intra_record_request *request, const char *project,
                                    const char *scratch_dir, struct intra_store *store, struct intra_scene *scene,
                                    struct intra_record *record, struct intra_error *err);

#endif
