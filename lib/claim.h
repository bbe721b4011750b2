/* claim.h - the way from the ledger into a feeder: takes the next jobs out of
 * the lease's dispatch, claims them and puts their lines. Statuses are pg.h's. */
#ifndef CLAIM_H
#define CLAIM_H

#include "feed.h"
#include "flight.h"

enum {
	CLAIM_ALONE = 2,        /* a job with so many uncharged deaths is fed alone */
	CLAIM_MS = 10, CLAIM_LEAST = 64,        /* fewer are claimed so often only, as is less than a quarter of the window */
	CLAIM_BYTES = 16 << 20  /* of one claim, if it is more than one job */
};

struct claim {
	struct flights *flights;
	bool alone;             /* the one in flight must stay the only one */
	int64_t at;             /* when few may be claimed again */
	bool sent;              /* one was made and is not landed */
	bool under_way;         /* it runs on the lease's session, which is then good for nothing else */
	int tries;              /* how often it was begun, what came of it, and when it is begun again */
	enum pg_status st;
	int64_t again_at;
	struct pg_args args;
	int64_t *no;            /* of the jobs that are asked for */
	int *had;               /* how many transitions each has */
	size_t n, cap;
	size_t said;            /* of them, while the answer is taken in */
	bool runs;              /* by claim_runs */
};
#define CLAIM_INIT(fs) { .flights = (fs), .args = PG_ARGS_INIT }
void claim_release(struct claim *c);

/* Begins to claim at most want jobs, unless one claim is not landed. */
enum pg_status claim_some(struct claim *c, struct feed *feed, size_t want, int64_t now);
/* Puts what was claimed, if it was answered. *wait_ms is lowered to when there is more to do. */
enum pg_status claim_tick(struct claim *c, struct feed *feed, int64_t now, int *wait_ms);
/* The end: waits for what is under way and takes it into the flights, to be handed back. */
enum pg_status claim_end(struct claim *c, int64_t now);
/* When it should be tried again although nothing came back: at most next. */
int64_t claim_next(const struct claim *c, int64_t now, int64_t next);

#endif
