#include "core/thread.h"

#include <sys/resource.h>
#include <unistd.h>

void intra_thread_give_way(void)
{
#ifdef __linux__
    /* On Linux a priority belongs to a thread. It can be lowered without rights. */
    int priority = getpriority(PRIO_PROCESS, (id_t)gettid());
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), priority + 5);
#endif
}
