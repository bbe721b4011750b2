/* settling.h - answers that are settled together. Where all are of jobs that were claimed in runs, completed at their first
 * attempt and came in the order of their numbers, and the worker has all slots, by settle_runs, whose arguments are runs of numbers
 * (runs.h) and the results; else, or where the ledger refuses that, by settle_packed. Statuses are pg.h's. */
#ifndef SETTLING_H
#define SETTLING_H

#include <stdbool.h>
#include <stdint.h>

#include "mem.h"
#include "pg.h"
#include "result.h"

/* How often a failed attempt is repeated and how long after. */
struct backoff {
	unsigned retries, first_ms, cap_ms;
	double factor;
};

/* Whose answers they are. Borrowed. */
struct settling_of {
	int64_t worker;
	const char *pipeline;
	bool whole;             /* it has all slots, and settle_runs is to be tried */
	const struct backoff *backoff;
};

/* One of them, as it was claimed. */
struct settling_job {
	int64_t no;
	int n, attempt;
	bool run;               /* by claim_runs */
};

/* What is known of an attempt besides its answer. NULL: nothing. */
struct settling_notes {
	const char *timings;            /* JSON */
	const char *log, *death;        /* stderr: of the job; of the filter that it ended */
	size_t log_len, death_len;
};

/* What the ledger says of one. */
struct settled {
	bool applied;
	const char *state;      /* borrowed until the next call */
	int n, suspect;
	int64_t wait_ms;
};

struct settling {
	struct pg_args packed, runs;    /* settle_packed's, settle_runs' */
	bool plain;             /* all so far completed at once, in the order of their numbers */
	int64_t *no;            /* of those, while they are plain */
	size_t n, bytes;        /* of results, lines and what was said */
};

void settling_init(struct settling *s, size_t max);
void settling_release(struct settling *s);

/* Adds a verdict, of at most max. line: kept for the next attempt; message: see result_message. These and notes
 * may be NULL or empty. */
void settling_add(struct settling *s, const struct settling_of *of, const struct settling_job *job, const struct result_verdict *v,
    const struct buf *line, const struct buf *message, const struct settling_notes *notes);

/* Sends them, with pg_send. */
enum pg_status settling_send(struct settling *s, const struct settling_of *of, struct pg *db);
/* Waits for what was sent, and calls again, waiting, where it could not be sent (under_way: false), has to be tried again or was refused:
 * then s is no longer plain. */
enum pg_status settling_land(struct settling *s, const struct settling_of *of, struct pg *db, bool under_way);
/* Of the i-th, when they have landed. */
struct settled settling_said(const struct settling *s, const struct pg *db, size_t i);
/* None are left. */
void settling_clear(struct settling *s);

#endif
