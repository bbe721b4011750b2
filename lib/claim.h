/* claim.h - the way from the ledger into a feeder: takes the next jobs out of
 * the lease's dispatch, claims them and puts their lines. Statuses are pg.h's. */
#ifndef CLAIM_H
#define CLAIM_H

#include "feed.h"
#include "flight.h"

enum {
	CLAIM_ALONE = 2,        /* a job with so many uncharged deaths is fed alone */
	CLAIM_MS = 10, CLAIM_LEAST = 64,        /* fewer are claimed so often only */
	CLAIM_BYTES = 16 << 20  /* of one claim, if it is more than one job */
};

struct claim {
	struct flights *flights;
	bool alone;             /* the one in flight must stay the only one */
	int64_t at;             /* when few may be claimed again */
	struct pg_args args;
};

/* At most want jobs, now. */
enum pg_status claim_some(struct claim *c, struct feed *feed, size_t want, int64_t now);
/* When it should be tried again although nothing came back: at most next. */
int64_t claim_next(const struct claim *c, int64_t now, int64_t next);

#endif
