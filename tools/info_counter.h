/* info --counter: the distance burnt into pictures and videos, as a table on standard output. */
#ifndef INTRA_TOOLS_INFO_COUNTER_H
#define INTRA_TOOLS_INFO_COUNTER_H

#include "core/status.h"

/* CSV: file, time_s, text, counter_m, unit, confidence; a row a picture, for videos and folders a row each frame that is read.
 * Ends at the first file that cannot be read; the rows before it are out. */
enum intra_status intra_info_counter(char *const *paths, int n, struct intra_error *err);

#endif
