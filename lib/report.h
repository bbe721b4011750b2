/* report.h - a worker tells the ledger how far its slow jobs are: those in processing for more
 * than a second, once a second, and only what has changed. One call for all of
 * them; none where all jobs are fast. Statuses are pg.h's. */
#ifndef REPORT_H
#define REPORT_H

#include "feed.h"
#include "flight.h"

enum { REPORT_MS = 1000 };

struct report {
	const struct flights *flights;
	int64_t at;             /* not before */
	size_t n;               /* jobs in the call that is being made */
	struct pg_args args;
};

/* Each turn of the feed. */
enum pg_status report_tick(struct report *r, struct feed *feed, int64_t now);

#endif
