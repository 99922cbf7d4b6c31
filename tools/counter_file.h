/* Counter readings from a table: for reconstruct --counter FILE.csv. */
#ifndef INTRA_TOOLS_COUNTER_FILE_H
#define INTRA_TOOLS_COUNTER_FILE_H

#include "core/scene.h"

struct intra_counter_file {
    double *keys; /* frame index, or time in seconds; increasing */
    double *counter_m;
    int64_t n;
    bool is_by_time;
};

/* Columns: counter_m, and index (of the frame, from 0) or time_s; others are passed over, rows with an empty counter_m too, so
 * that the output of `info --counter` and frames.csv can be given. Errors: INTRA_E_IO; INTRA_E_FORMAT naming the row. fini
 * accepts a zeroed struct. */
enum intra_status intra_counter_file_read(const char *path, struct intra_counter_file *out, struct intra_error *err);
void intra_counter_file_fini(struct intra_counter_file *file);
/* Frames by their index; or by time, to the nearest frame within half a frame time. The number of frames filled. */
int64_t intra_counter_file_fill(const struct intra_counter_file *file, struct intra_frame_record *frames, int64_t n);

#endif
