/* What the threads of the line have in common. */
#ifndef INTRA_CORE_THREAD_H
#define INTRA_CORE_THREAD_H

/* The calling thread works behind another one that all wait for in the end: where there are fewer cores than threads it
 * gets what that one leaves. Its results do not depend on it. Does nothing where the system cannot. */
void intra_thread_give_way(void);

#endif
