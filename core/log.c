#include "core/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER; /* guards log_fn, log_user and the call */
static intra_log_fn *log_fn;
static void *log_user;

void intra_log_set(intra_log_fn *fn, void *user)
{
    pthread_mutex_lock(&log_lock);
    log_fn = fn;
    log_user = user;
    pthread_mutex_unlock(&log_lock);
}

void intra_log(enum intra_log_level level, const char *stage, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    pthread_mutex_lock(&log_lock);
    if (log_fn) log_fn(log_user, level, stage, text);
    pthread_mutex_unlock(&log_lock);
}
