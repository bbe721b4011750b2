/* lease.h - a worker's hold on the jobs of a pipeline: its registration and
 * heartbeat, the slots that it owns, and what it reads of them into a struct
 * dispatch. All calls are one database round trip. Statuses are pg.h's; the
 * sentence is in db->err. */
#ifndef LEASE_H
#define LEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "dispatch.h"
#include "pg.h"

enum {
	LEASE_MS = 4000,        /* after that the others take a silent worker's slots */
	BEAT_MS = 1000,
	POLL_MS = 100,          /* how often a worker looks for new jobs */
	LEASE_IDLE_MS = 1000,   /* the same of one that has none and hears of new ones */
	LOOK_MS = 10,           /* two looks are so far apart, whatever there is to read */
	READ_MOST = 4000,       /* jobs of one look, about, and ready jobs to hold, per priority */
};

/* What the worker has done, for people: told with each beat. */
struct lease_count {
	int in_flight;
	int64_t processed, failed, retried;
};

struct lease {
	struct pg *db;
	const char *pipeline;
	unsigned most;          /* the pipeline's limit, over all workers; 0: none */
	unsigned deadline_s;    /* of its jobs; 0: none */
	const char *event;      /* "TOPIC STAGE" of the message when a job completes; NULL: none */
	const struct lease_count *count;        /* may be NULL */
	/* An attempt that we have in flight was ended by others. May be NULL. */
	void (*stop)(int64_t no, int attempt);
	bool paused;            /* nothing may be claimed */
	int64_t worker;
	uint64_t mask;          /* slots owned */
	uint64_t giving;        /* of these: on their way to another worker */
	int64_t mark[DISPATCH_PRIOS];   /* read up to here */
	int64_t catch_up[DISPATCH_PRIOS];       /* read on to here however much is held */
	int64_t give_low[DISPATCH_PRIOS];
	int64_t nudge;
	int64_t stopped;        /* the last of our stops that we have seen */
	int64_t limits;         /* the limits' number that jobs were read under */
	unsigned poll_ms;       /* how often we look when nobody says that there is something */
	bool hinted;            /* somebody says so */
	bool hears;             /* a hint would reach us */
	bool more;              /* the last look was not the end of it */
	bool sated;             /* the last look left some unread: we held enough */
	bool read_now;          /* what was read is to be read again */
	int64_t beat_at, looked_at;
	struct pg_args args;
	struct dispatch jobs;
};
#define LEASE_INIT { .worker = 0, .limits = -1, .poll_ms = POLL_MS, .args = PG_ARGS_INIT, .jobs = DISPATCH_INIT }

/* Registers. pipeline, most, deadline_s, count and stop are set before. */
enum pg_status lease_begin(struct lease *l, struct pg *db, const char *name);

/* Heartbeat and read-ahead where they are due. in_flight: slots with jobs that
 * were taken and not settled. *wait_ms is lowered to when it is due again. */
enum pg_status lease_tick(struct lease *l, uint64_t in_flight, int64_t now, int *wait_ms);

/* Somebody says that there is something to read: looks as soon as no job is ready. */
void lease_hint(struct lease *l);

/* True when jobs of this number may be fed by us. */
bool lease_owns(const struct lease *l, int64_t no);
/* Whether we own all slots and give none away. */
bool lease_whole(const struct lease *l);

/* What we hold of lanes that the ledger does not know yet, for a call that takes it:
 * appends two arrays to its arguments; three with waits. After the call the
 * ledger knows (lease_told). */
void lease_put_lanes(const struct lease *l, struct pg_args *a, bool waits);
void lease_told(struct lease *l);

/* A clean end: nothing is in flight any more. */
enum pg_status lease_end(struct lease *l);

#endif
