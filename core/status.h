/* Status codes and the error that explains them.
 *
 * Whatever can fail returns `enum intra_status`: 0 done, > 0 fine but special, < 0 error. `struct intra_error`
 * belongs to the caller, may be NULL, and is filled once, where the fault is seen. Callers add context with
 * intra_error_context(), not a second message. */
#ifndef INTRA_CORE_STATUS_H
#define INTRA_CORE_STATUS_H

enum intra_status {
    INTRA_OK = 0,
    INTRA_EOF = 1,       /* nothing more will come */
    INTRA_CANCELLED = 2, /* stopped on request */

    INTRA_E_ARG = -1,         /* an option or value that makes no sense */
    INTRA_E_MEM = -2,         /* out of memory */
    INTRA_E_IO = -3,          /* a file could not be opened, read or written; disk full */
    INTRA_E_FORMAT = -4,      /* a file is not what it should be */
    INTRA_E_DEGENERATE = -5,  /* geometry without an answer */
    INTRA_E_NO_RESULT = -6,   /* the input gave nothing to work with (not a pipe, black frames) */
    INTRA_E_UNSUPPORTED = -7, /* a known thing that this build cannot do */
    INTRA_E_EXISTS = -8       /* would overwrite what is there */
};

struct intra_error {
    enum intra_status code;
    const char *file; /* source file and line where the fault was seen */
    int line;
    char text[768]; /* one sentence for the user: names the file, what is wrong, what to do */
};

const char *intra_status_name(enum intra_status status);

/* Fill `err` (may be NULL) and hand back `code`. Use INTRA_FAIL. */
enum intra_status intra_error_set(struct intra_error *err, enum intra_status code, const char *file, int line,
                                  const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Put "prefix: " before the text that is already there. */
void intra_error_context(struct intra_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define INTRA_FAIL(err, code, ...) intra_error_set((err), (code), __FILE__, __LINE__, __VA_ARGS__)

/* Forward any status but INTRA_OK through the function's one `done:` label; wants a local `status`. */
#define INTRA_TRY(call)                                                                                                \
    do {                                                                                                               \
        status = (call);                                                                                               \
        if (status != INTRA_OK) goto done;                                                                             \
    } while (0)

#endif
