/* All files of a result, from the scene into the work folder: tables first, as they are small and worth most, then wall
 * images and models, several at once, and the store, which lists the others. */
#ifndef INTRA_TOOLS_OUTPUTS_H
#define INTRA_TOOLS_OUTPUTS_H

#include "core/inspection.h"
#include "recon/reconstruct.h"
#include "tools/console.h"
#include "tools/workdir.h"

#include <stddef.h>

struct intra_provenance {
    const char *input_path;
    const char *input_sha256;
    const char *options_json;
    const char *started_utc;
    bool is_complete;
};

struct intra_outputs_request {
    bool has_glb, has_obj;
    bool has_report;                   /* left out where the program was built without the page */
    size_t max_bytes;                  /* of model.glb */
    const struct intra_record *record; /* placed; its inspections go into tables, page and store; NULL: none */
    int threads; /* files written at once; 0: as many as there are cores, 1: in the caller's thread */
};

enum { INTRA_OUTPUTS_STAGES = 9 };
struct intra_outputs_result {
    int n_failed;             /* files that could not be written; the others are complete */
    struct intra_error first; /* why the first of them failed */
    struct {
        const char *name;
        double wall_s, cpu_s;
    } stages[INTRA_OUTPUTS_STAGES];
    int n_stages;
};

/* A file that fails does not stop the next. */
void intra_outputs_write(const struct intra_scene *scene, const struct intra_reconstruct_report *report,
                         const struct intra_workdir *dir, const struct intra_outputs_request *request,
                         const struct intra_provenance *provenance, struct intra_console *console,
                         struct intra_outputs_result *result);

/* Whether a file of this name in OUT is part of a result: what --force may remove. */
bool intra_is_output_name(const char *name);

#endif
