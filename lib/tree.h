/* tree.h - what a process and all that it started use, from /proc.
 *
 * Functions return a status, never print, never exit. Not thread-safe.
 */
#ifndef TREE_H
#define TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct tree_use {
	size_t rss;             /* bytes resident, pages shared between them counted in each */
	uint64_t cpu_ms;        /* used by those that live, and by their ended children */
	size_t n;               /* processes */
};

/* Of the descendants of pid, itself left out; of at most 4096 of them. A
 * process that ends meanwhile is not counted. */
void tree_use(pid_t pid, struct tree_use *u);

/* Whether the numbers in /proc are those that the calling process knows: another
 * name space's may be mounted there. Async-signal-safe. */
bool tree_is_ours(void);

/* Sends sig to each child of the calling process, which has one thread.
 * Returns how many there were. Async-signal-safe. */
int tree_kill_children(int sig);

#endif
