/* Progress of a long job, reported to a callback; the tools draw it as a bar with the time left (terminal) or plain
 * lines. Safe from one thread at a time. */
#ifndef INTRA_CORE_PROGRESS_H
#define INTRA_CORE_PROGRESS_H

typedef void intra_progress_fn(void *user, const char *stage, double done, double total);

struct intra_progress {
    intra_progress_fn *fn; /* may be NULL */
    void *user;
};

static inline void intra_progress_report(const struct intra_progress *p, const char *stage, double done, double total)
{
    if (p && p->fn) p->fn(p->user, stage, done, total);
}

#endif
