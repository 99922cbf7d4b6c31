/* Log lines go to a callback; libraries never print. Safe from several threads: the callback is called under a lock. */
#ifndef INTRA_CORE_LOG_H
#define INTRA_CORE_LOG_H

enum intra_log_level { INTRA_LOG_DEBUG, INTRA_LOG_INFO, INTRA_LOG_WARNING, INTRA_LOG_ERROR };

typedef void intra_log_fn(void *user, enum intra_log_level level, const char *stage, const char *text);

/* NULL switches logging off (the default). */
void intra_log_set(intra_log_fn *fn, void *user);

void intra_log(enum intra_log_level level, const char *stage, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
