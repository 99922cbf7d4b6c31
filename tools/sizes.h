/* Sizes of files as people type them: "25MB", "1.5GB", "800kB", powers of ten. */
#ifndef INTRA_TOOLS_SIZES_H
#define INTRA_TOOLS_SIZES_H

#include "core/status.h"

#include <stddef.h>

/* name: the option, for the message. INTRA_E_ARG without a unit, or outside 100 kB to 100 GB. */
enum intra_status intra_parse_size(const char *name, const char *text, size_t *out, struct intra_error *err);

#endif
