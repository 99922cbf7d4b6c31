#include "tools/sizes.h"

#include <stdlib.h>
#include <string.h>

enum intra_status intra_parse_size(const char *name, const char *text, size_t *out, struct intra_error *err)
{
    static const struct {
        const char *unit;
        double bytes;
    } units[] = {{"kB", 1e3}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}};
    char *end;
    double value = strtod(text, &end);
    for (int i = 0; i < 4 && end != text; i++) {
        if (strcmp(end, units[i].unit) != 0) continue;
        value *= units[i].bytes;
        if (!(value >= 1e5 && value <= 1e11)) break;
        *out = (size_t)value;
        return INTRA_OK;
    }
    return INTRA_FAIL(err, INTRA_E_ARG, "%s: '%s' is not a size between 100kB and 100GB; write for example 25MB", name,
                      text);
}
