/* map.h - a whole file, read-only, memory-mapped. The bytes live until
 * map_close. A file that is cut short while it is mapped kills the process
 * with SIGBUS: models are replaced by rename, never written in place. */
#ifndef MAP_H
#define MAP_H

#include <stddef.h>

#include "embed/fault.h"

struct map {
	const char *p;          /* NULL: not open */
	size_t len;
};
#define MAP_INIT { NULL, 0 }

/* 0, or -1 with *f. An empty file or one that is no regular file is refused. */
int map_open(struct map *m, const char *path, struct fault *f);
void map_close(struct map *m);

#endif
