/* flight.h - the jobs of a worker that are on their way through its filter, and
 * the settling of what came back: answers are gathered and settled together
 * in one transaction, then their jobs go back to the lease's dispatch or are
 * forgotten. That is done on a connection of its own, while the lease reads and
 * claims on another. An index names a flight from flight_new until it has landed.
 * Statuses are pg.h's. */
#ifndef FLIGHT_H
#define FLIGHT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lease.h"
#include "mem.h"
#include "pg.h"
#include "result.h"
#include "settling.h"

enum {
	FLIGHT_SETTLE_MS = 10,  /* answers are gathered for so long into one commit */
	FLIGHT_SETTLE_MOST = 1000,      /* and sent, unless what was sent before is not answered: then twice as many */
	FLIGHT_SETTLE_BYTES = 8 << 20
};

struct flight {
	int64_t no;
	int n, run, attempt, prio;
	struct buf tenant, job_id, doc_key, request;    /* NUL-terminated too */
	bool in_run;            /* it was claimed by claim_runs */
	bool used;
};

/* Answers that are settled together, and whose. */
struct flight_batch {
	struct settling s;
	size_t *flight;
};

struct flights {
	struct lease *lease;
	struct pg *db;          /* to settle on; of the caller */
	const struct backoff *backoff;
	struct lease_count count;
	struct {                /* metrics.h */
		uint64_t *completed, *failed, *retried, *waiting, *refused;
	} m;
	struct flight *f;
	size_t max, n;          /* room; in flight, settled ones not counted */
	size_t *spare, spare_n;
	struct flight_batch batch[2], *added, *sent;    /* one is gathered; one, or NULL, is settled meanwhile */
	bool under_way;         /* sent's call */
	unsigned wary;          /* settlings to come by settle_packed, since settle_runs was refused */
	int64_t settle_by;      /* when added is due, if there is any */
};

/* backoff is borrowed. */
void flights_init(struct flights *fs, struct lease *l, struct pg *db, size_t max, const struct backoff *b);
void flights_free(struct flights *fs);

/* A free flight, to be filled in. There must be one: fs->spare_n. */
size_t flight_new(struct flights *fs);
struct result_job flight_job(const struct flights *fs, size_t i);

/* The flight of this attempt, or -1. */
ssize_t flight_find(const struct flights *fs, int64_t no, int attempt);

/* Adds a verdict. line: kept for the next attempt; message: see result_message.
 * These and notes may be NULL or empty. */
void flight_add(struct flights *fs, size_t i, const struct result_verdict *v, const struct buf *line,
    const struct buf *message, const struct settling_notes *notes, int64_t now);
bool flights_full(const struct flights *fs);

/* Whether what was added is to be sent now: it is due, or all there is, and nothing is under way. */
bool flights_due(const struct flights *fs, int64_t now);
/* Sends what was added, if anything; what was sent before lands first. */
enum pg_status flights_send(struct flights *fs, int64_t now);
/* Whether what was sent has been answered: it can land without waiting. */
bool flights_answered(struct flights *fs);
/* Waits for what was sent, if anything. */
enum pg_status flights_land(struct flights *fs, int64_t now);
/* Both. */
enum pg_status flights_settle(struct flights *fs, int64_t now);
/* Everything in flight goes back to the queue, uncharged. */
enum pg_status flights_hand_back(struct flights *fs, int64_t now);

/* The slots that have a job in flight. */
uint64_t flights_slots(const struct flights *fs);

#endif
