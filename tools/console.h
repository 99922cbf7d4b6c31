/* What a command says while it works: progress (a bar with the time left on a terminal, plain lines otherwise),
 * warnings on stderr, and every log line in a JSON Lines file. One console at a time; log lines may come from any
 * thread. */
#ifndef INTRA_TOOLS_CONSOLE_H
#define INTRA_TOOLS_CONSOLE_H

#include "core/progress.h"
#include "core/status.h"

#include <stdbool.h>
#include <stdint.h>

struct intra_console;

/* Takes over core/log. quiet: nothing but errors. */
enum intra_status intra_console_open(bool is_quiet, struct intra_console **out, struct intra_error *err);
/* From now on log lines go to `path` too, those so far included. */
enum intra_status intra_console_log_to(struct intra_console *console, const char *path, struct intra_error *err);
/* A finished stage, for the log file; items < 0: not counted. */
void intra_console_stage(struct intra_console *console, const char *name, double wall_s, double cpu_s, int64_t items);
/* Ends the log file. INTRA_E_IO when something of it could not be written. */
enum intra_status intra_console_end_log(struct intra_console *console, struct intra_error *err);
/* Warnings seen so far, each text once; valid until the console closes. */
int intra_console_warnings(struct intra_console *console, const char *const **out);
struct intra_progress intra_console_progress(struct intra_console *console);
/* Takes the bar off the line, so that something else can be printed. */
void intra_console_clear(struct intra_console *console);
void intra_console_close(struct intra_console **console);

/* Seconds on a clock that only runs forward. */
double intra_clock_s(void);

#endif
