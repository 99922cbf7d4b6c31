#include "tools/console.h"

#include "core/log.h"
#include "core/mem.h"
#include "tools/json.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { CONSOLE_WARNINGS = 64, BAR_CELLS = 30 };
static const double terminal_step_s = 0.1; /* between two drawings of the bar */
static const double line_step_s = 10;      /* between two plain lines of one stage */

struct intra_console {
    pthread_mutex_t lock; /* guards everything below, and the order of lines on stderr */
    bool is_quiet, is_terminal, is_bar_shown;
    double start_s;
    /* The log, in memory until it has a file. */
    char *held;
    size_t held_bytes;
    FILE *log;
    char log_path[1024];
    bool has_log_failed;
    char *warnings[CONSOLE_WARNINGS];
    int n_warnings;
    char stage[48];
    double stage_start_s, shown_s;
};

double intra_clock_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void clear_bar(struct intra_console *console)
{
    if (!console->is_bar_shown) return;
    fputs("\r\033[K", stderr);
    console->is_bar_shown = false;
}

static void keep_warning(struct intra_console *console, const char *text)
{
    for (int i = 0; i < console->n_warnings; i++)
        if (strcmp(console->warnings[i], text) == 0) return;
    if (console->n_warnings == CONSOLE_WARNINGS) return;
    console->warnings[console->n_warnings] = intra_strdup(text);
    if (console->warnings[console->n_warnings]) console->n_warnings++;
}

static void on_log(void *user, enum intra_log_level level, const char *stage, const char *text)
{
    static const char *const names[] = {"debug", "info", "warning", "error"};
    struct intra_console *console = user;
    struct intra_json json = {0};
    if (level == INTRA_LOG_DEBUG) return;
    pthread_mutex_lock(&console->lock);
    if (level == INTRA_LOG_WARNING) {
        int had = console->n_warnings;
        keep_warning(console, text);
        if (console->n_warnings > had && !console->is_quiet) {
            clear_bar(console);
            fprintf(stderr, "intrados: warning: %s\n", text);
        }
    }
    if (console->log) {
        json.stream = console->log;
        intra_json_open(&json, NULL, '{');
        intra_json_number(&json, "t_s", intra_clock_s() - console->start_s);
        intra_json_text(&json, "level", names[level]);
        intra_json_text(&json, "stage", stage);
        intra_json_text(&json, "text", text);
        intra_json_close(&json, '}');
    }
    pthread_mutex_unlock(&console->lock);
}

enum intra_status intra_console_open(bool is_quiet, struct intra_console **out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_console *console = NULL;
    *out = NULL;
    INTRA_TRY(INTRA_ALLOC(console, 1, err));
    pthread_mutex_init(&console->lock, NULL);
    console->is_quiet = is_quiet;
    console->is_terminal = isatty(STDERR_FILENO) == 1 && getenv("TERM") && strcmp(getenv("TERM"), "dumb") != 0;
    console->start_s = intra_clock_s();
    console->log = open_memstream(&console->held, &console->held_bytes);
    intra_log_set(on_log, console);
    *out = console;
done:
    return status;
}

enum intra_status intra_console_log_to(struct intra_console *console, const char *path, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    FILE *file = fopen(path, "w");
    if (!file) return INTRA_FAIL(err, INTRA_E_IO, "%s: cannot write: %s", path, strerror(errno));
    pthread_mutex_lock(&console->lock);
    snprintf(console->log_path, sizeof console->log_path, "%s", path);
    if (console->log) {
        fclose(console->log);
        if (console->held) fwrite(console->held, 1, console->held_bytes, file);
        free(console->held); /* of open_memstream, so not core/mem's */
        console->held = NULL;
    }
    setvbuf(file, NULL, _IOLBF, 0); /* what was said before a crash should stand in the file */
    console->log = file;
    pthread_mutex_unlock(&console->lock);
    return status;
}

void intra_console_stage(struct intra_console *console, const char *name, double wall_s, double cpu_s, int64_t items)
{
    struct intra_json json = {0};
    pthread_mutex_lock(&console->lock);
    if (console->log) {
        json.stream = console->log;
        intra_json_open(&json, NULL, '{');
        intra_json_number(&json, "t_s", intra_clock_s() - console->start_s);
        intra_json_text(&json, "level", "info");
        intra_json_text(&json, "stage", name);
        intra_json_text(&json, "text", "done");
        intra_json_number(&json, "wall_s", wall_s);
        intra_json_number(&json, "cpu_s", cpu_s);
        if (items >= 0) intra_json_integer(&json, "items", items);
        intra_json_close(&json, '}');
    }
    pthread_mutex_unlock(&console->lock);
}

enum intra_status intra_console_end_log(struct intra_console *console, struct intra_error *err)
{
    bool has_failed;
    pthread_mutex_lock(&console->lock);
    has_failed = console->log && (fflush(console->log) != 0 || ferror(console->log));
    if (console->log && fclose(console->log) != 0) has_failed = true;
    console->log = NULL;
    free(console->held);
    console->held = NULL;
    pthread_mutex_unlock(&console->lock);
    if (has_failed)
        return INTRA_FAIL(err, INTRA_E_IO, "%s: cannot write: disk full or not writable", console->log_path);
    return INTRA_OK;
}

int intra_console_warnings(struct intra_console *console, const char *const **out)
{
    *out = (const char *const *)console->warnings;
    return console->n_warnings;
}

static void draw_bar(struct intra_console *console, double share, double now)
{
    double spent = now - console->stage_start_s;
    int full = (int)(share * BAR_CELLS + 0.5);
    char left[32] = "";
    if (share > 0.01 && spent > 1) {
        long s = (long)(spent * (1 - share) / share + 0.5);
        snprintf(left, sizeof left, " %02ld:%02ld left", s / 60, s % 60);
    }
    fprintf(stderr, "\r%-12.12s [%.*s%*s] %3.0f %%%s\033[K", console->stage, full, "##############################",
            BAR_CELLS - full, "", 100 * share, left);
    console->is_bar_shown = true;
}

static void on_progress(void *user, const char *stage, double done, double total)
{
    struct intra_console *console = user;
    double now = intra_clock_s();
    double share = total > 0 ? done / total : 0;
    bool is_new;
    if (console->is_quiet) return;
    share = share < 0 ? 0 : share > 1 ? 1 : share;
    pthread_mutex_lock(&console->lock);
    is_new = strncmp(console->stage, stage, sizeof console->stage - 1) != 0;
    if (is_new) {
        snprintf(console->stage, sizeof console->stage, "%s", stage);
        console->stage_start_s = now;
    }
    if (console->is_terminal) {
        if (is_new || now - console->shown_s >= terminal_step_s) {
            draw_bar(console, share, now);
            console->shown_s = now;
        }
    } else if (is_new || now - console->shown_s >= line_step_s) {
        if (is_new)
            fprintf(stderr, "%s\n", stage);
        else
            fprintf(stderr, "%s %.0f %%, %.0f s left\n", stage, 100 * share,
                    share > 0 ? (now - console->stage_start_s) * (1 - share) / share : 0.0);
        console->shown_s = now;
    }
    pthread_mutex_unlock(&console->lock);
}

struct intra_progress intra_console_progress(struct intra_console *console)
{
    struct intra_progress progress = {on_progress, console};
    return progress;
}

void intra_console_clear(struct intra_console *console)
{
    pthread_mutex_lock(&console->lock);
    clear_bar(console);
    pthread_mutex_unlock(&console->lock);
}

void intra_console_close(struct intra_console **console)
{
    if (!*console) return;
    intra_log_set(NULL, NULL);
    intra_console_end_log(*console, NULL);
    clear_bar(*console);
    for (int i = 0; i < (*console)->n_warnings; i++)
        intra_free((*console)->warnings[i]);
    pthread_mutex_destroy(&(*console)->lock);
    intra_free(*console);
    *console = NULL;
}
