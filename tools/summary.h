/* The end of a reconstruction in a few lines, or as one JSON object. */
#ifndef INTRA_TOOLS_SUMMARY_H
#define INTRA_TOOLS_SUMMARY_H

#include "core/inspection.h"
#include "recon/reconstruct.h"

struct intra_summary {
    const char *input_path;
    const char *out_dir;
    const struct intra_scene *scene;
    const struct intra_reconstruct_report *report;
    const char *const *warnings;
    int n_warnings;
    bool is_camera_default;            /* the assumed field of view is not even the user's */
    bool is_early_end;                 /* the video stops before its own stated length */
    const struct intra_record *record; /* of --record; no inspection in it: not imported; NULL: none given */
    double wall_s;
};

void intra_summary_print(const struct intra_summary *summary);
void intra_summary_print_json(const struct intra_summary *summary);

#endif
