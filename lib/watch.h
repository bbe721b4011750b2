/* watch.h - what a feeder's filter uses, looked at ten times a second, and ended
 * when it is too much.
 *
 * Memory is the resident memory of all its processes; over the limit the
 * filter is ended at once, and after growing over half of what was left above
 * its size before its first record it is replaced in peace. CPU time counts from
 * the last answer.
 */
#ifndef WATCH_H
#define WATCH_H

#include <stdbool.h>

#include "feed.h"

struct watch {
	size_t memory;          /* bytes; 0: no limit */
	uint64_t cpu_ms;        /* 0: no limit */
	int group;              /* of the filter that first and cpu_from belong to */
	bool sized;             /* first is what it had before its first record */
	size_t first;           /* bytes */
	size_t most;            /* bytes, seen since the last answer */
	size_t before;          /* that, of the filter before this one */
	uint64_t cpu_from;
	bool moved;             /* cpu_from is to be set anew */
	int64_t looked_at;
};

bool watch_wanted(const struct watch *w);
/* From within tick: looks if it is time to, and does what is needed. */
void watch_look(struct watch *w, struct feed *f);
/* A record was answered. */
void watch_moved(struct watch *w);
/* True when the filter before this one, which ended by itself and one of whose
 * processes had so much (or that was seen so), probably failed for want of memory. */
bool watch_is_memory(const struct watch *w, size_t rss);

#endif
