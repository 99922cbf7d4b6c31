#include "core/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *intra_status_name(enum intra_status status)
{
    switch (status) {
    case INTRA_OK: return "ok";
    case INTRA_EOF: return "end";
    case INTRA_CANCELLED: return "cancelled";
    case INTRA_E_ARG: return "bad argument";
    case INTRA_E_MEM: return "out of memory";
    case INTRA_E_IO: return "input/output";
    case INTRA_E_FORMAT: return "bad format";
    case INTRA_E_DEGENERATE: return "degenerate geometry";
    case INTRA_E_NO_RESULT: return "no result";
    case INTRA_E_UNSUPPORTED: return "unsupported";
    case INTRA_E_EXISTS: return "exists";
    }
    return "unknown";
}

enum intra_status intra_error_set(struct intra_error *err, enum intra_status code, const char *file, int line,
                                  const char *format, ...)
{
    if (err) {
        va_list args;
        err->code = code;
        err->file = file;
        err->line = line;
        va_start(args, format);
        vsnprintf(err->text, sizeof err->text, format, args);
        va_end(args);
    }
    return code;
}

void intra_error_context(struct intra_error *err, const char *format, ...)
{
    char old[sizeof err->text];
    va_list args;
    int n, room;
    if (!err) return;
    memcpy(old, err->text, sizeof old);
    va_start(args, format);
    n = vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof err->text) return;
    room = (int)(sizeof err->text - sizeof ": ") - n; /* a text too long loses its end */
    if (room > 0) snprintf(err->text + n, sizeof err->text - (size_t)n, ": %.*s", room, old);
}
