/* limit.h - what a child may use, set between fork and exec.
 *
 * The processes that the child starts inherit the limits, each for itself; a
 * limit on all of them together is what watch.h is for. Memory
 * is limited by RLIMIT_DATA, never by RLIMIT_AS: a process may map far more than
 * it uses.
 */
#ifndef LIMIT_H
#define LIMIT_H

#include <stddef.h>

struct limit {
	size_t data_max;        /* bytes of heap and anonymous memory; 0: none */
	unsigned long cpu_s;    /* 0: none; at its end XCPU, a second later KILL */
};

/* For the calling process; a hard limit that is lower already stays. Async-signal-safe. 0, or -1 with errno. */
int limit_apply(const struct limit *l);

#endif
