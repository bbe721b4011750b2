/* result.h - lines between the ledger and a pipeline: what is fed, what of the
 * answer is kept for the next attempt, and the result message. The request's
 * members always come from the ledger, never from the answer: a stage may
 * re-print what it does not own. Pure functions on text. */
#ifndef RESULT_H
#define RESULT_H

#include <stdbool.h>
#include <stdint.h>

#include "mem.h"
#include "rec.h"

struct result_job {
	const char *tenant, *job_id, *doc_key, *pipeline, *priority;
	int run, attempt;
	const char *gates;      /* JSON of those that were opened, or NULL */
};

/* What an answer says. */
struct result_verdict {
	const char *verb;       /* "completed", "error", "waiting" */
	bool retry;
	uint64_t after_ms;      /* error: the least backoff; waiting: the time-out */
	struct buf gate;        /* waiting: which */
	struct buf error;       /* JSON that PostgreSQL takes; empty for completed */
};

/* What to feed: base (the request or the kept line) with the envelope and the opened gates set, without error
 * and wait. Borrowed until the next call. */
enum { RESULT_CHANGES = 10 };
struct result_feed {
	const struct rec *base;
	struct rec_change c[RESULT_CHANGES];
};
/* 0, or -1 if base is no record. */
int result_feed(struct result_feed *f, const char *base, size_t len, const struct result_job *j);
/* The same, appended as a line without its end. */
int result_feed_line(struct buf *out, const char *base, size_t len, const struct result_job *j);

void result_verdict(struct result_verdict *v, const struct rec *answer);

/* Appends the request with the members that the pipeline added: the working
 * line; nothing where that would be too long to be fed. 0, or -1 if request is
 * no record. */
int result_keep(struct buf *out, const struct buf *request, const struct rec *answer);

/* Appends the result message up to, not including, its "finished_at" and the
 * closing brace. error: JSON or NULL; answer: NULL for none. */
void result_message(struct buf *out, const struct result_job *j, const char *status,
    const struct buf *error, const struct buf *request, const struct rec *answer);

/* "High", "Medium", "Low" for 0, 1, 2. */
const char *result_priority(int prio);

#endif
