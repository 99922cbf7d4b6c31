/* Long options in the GNU manner, over getopt_long: one table per command serves parsing, --help and the hint on a
 * typing error. Not for several threads (getopt keeps state of its own). */
#ifndef INTRA_TOOLS_OPTIONS_H
#define INTRA_TOOLS_OPTIONS_H

#include "core/status.h"

struct intra_option {
    const char *name;  /* without the dashes */
    char letter;       /* short form, or 0 */
    const char *value; /* what stands after it in the help, e.g. "LENGTH"; NULL: a flag */
    const char *help;  /* may hold line breaks */
};

struct intra_usage {
    const char *command;   /* "reconstruct" */
    const char *arguments; /* "VIDEO|IMAGE_DIR" */
    const char *summary;   /* a few lines, without a line break at the end */
    const char *example;   /* whole command lines */
    const struct intra_option *options;
    int n_options;
};

/* Called for each option given: its place in the table and its value (NULL for a flag). INTRA_E_ARG ends the walk. */
typedef enum intra_status intra_option_set(void *user, int option, const char *value, struct intra_error *err);

/* Walk the words of a command. Words that are no options are moved to the end of argv; *out_first is the first of them.
 * INTRA_EOF: --help was given and printed. INTRA_E_ARG: unknown or ambiguous option (with the nearest one named), a
 * value missing or not wanted, or what `set` refused. */
enum intra_status intra_options_parse(const struct intra_usage *usage, int argc, char **argv, intra_option_set *set,
                                      void *user, int *out_first, struct intra_error *err);

void intra_usage_print(const struct intra_usage *usage);

/* The word of `words` nearest to `text`, for "did you mean"; NULL where none is near. */
const char *intra_nearest_word(const char *text, const char *const *words, int n);

/* "intrados: " and the error on stderr (and where help stands, for wrong usage); hands back the exit status for it. */
int intra_command_fail(const char *command, const struct intra_error *err);

#endif
