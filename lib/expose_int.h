/* expose_int.h - between the parts of expose.c: reading the files of a metrics
 * folder, and what is good in them. */
#ifndef EXPOSE_INT_H
#define EXPOSE_INT_H

#include <stdbool.h>
#include <stddef.h>

#include "mem.h"
#include "metrics.h"

enum { EXPOSE_FILES = 512 };

struct source {
	struct metrics_file *f; /* owned */
	bool alive;             /* a program is writing it */
};

/* One value (m) or histogram (h) of one program. */
struct item {
	const struct source *s;
	const char *name;
	const struct metric *m;
	const struct metrics_hist *h;
};

/* Up to EXPOSE_FILES files. How many, or -1 with errno; *bad counts those that are none of ours. */
int expose_read(struct source *s, const char *folder, unsigned *bad);

/* What a file holds under proper names: at most METRICS_MAX + METRICS_HISTS. How many. */
size_t expose_items(struct item *items, const struct source *s);

#endif
