#include "flight.h"

#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "metrics.h"

/* settle's arguments after worker, pipeline and the backoff. */
enum { FIRST = 6, NO = FIRST, N, ATTEMPT, VERB, RETRY, CHARGE, AFTER, ERROR, LINE, RESULT, STDERR, TIMINGS, LOG, GATE, END };

static const char settle_sql[] = "select no, applied, state, n, suspect, wait_ms from "
    "sluice.settle($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20)";

static void
start(struct flights *fs)
{
	static const enum pg_type types[END - FIRST] = { PG_INT8, PG_INT4, PG_INT4, PG_TEXT, PG_BOOL, PG_BOOL,
	    PG_INT8, PG_TEXT, PG_TEXT, PG_TEXT, PG_BYTEA, PG_TEXT, PG_BYTEA, PG_TEXT };
	const struct backoff *b = fs->backoff;

	pg_args_reset(&fs->args);
	pg_put_i64(&fs->args, pg_scalar(&fs->args, PG_INT8), fs->lease->worker);
	pg_puts(&fs->args, pg_scalar(&fs->args, PG_TEXT), fs->lease->pipeline);
	pg_put_i64(&fs->args, pg_scalar(&fs->args, PG_INT4), b->retries);
	pg_put_i64(&fs->args, pg_scalar(&fs->args, PG_INT4), b->first_ms);
	pg_put_i64(&fs->args, pg_scalar(&fs->args, PG_INT4), b->cap_ms);
	pg_put_f64(&fs->args, pg_scalar(&fs->args, PG_FLOAT8), b->factor);
	for (int i = 0; i < END - FIRST; i++)
		pg_array(&fs->args, types[i]);
	fs->added_n = fs->added_bytes = 0;
}

void
flights_init(struct flights *fs, struct lease *l, size_t max, const struct backoff *b)
{
	memset(fs, 0, sizeof(*fs));
	fs->lease = l;
	fs->backoff = b;
	l->count = &fs->count;
	fs->m.completed = metrics_value("jobs_completed_total");
	fs->m.failed = metrics_value("jobs_failed_total");
	fs->m.retried = metrics_value("jobs_retried_total");
	fs->m.waiting = metrics_value("jobs_waiting_total");
	fs->m.refused = metrics_value("jobs_refused_total");
	fs->max = max;
	fs->f = mem_zalloc(max * sizeof(*fs->f));
	fs->spare = mem_array(NULL, max, sizeof(*fs->spare));
	fs->added = mem_array(NULL, max, sizeof(*fs->added));
	for (; fs->spare_n < max; fs->spare_n++)
		fs->spare[fs->spare_n] = max - 1 - fs->spare_n;
}

void
flights_free(struct flights *fs)
{
	for (size_t i = 0; i < fs->max; i++) {
		buf_free(&fs->f[i].tenant);
		buf_free(&fs->f[i].job_id);
		buf_free(&fs->f[i].doc_key);
		buf_free(&fs->f[i].request);
	}
	free(fs->f);
	free(fs->spare);
	free(fs->added);
	pg_args_free(&fs->args);
}

size_t
flight_new(struct flights *fs)
{
	size_t i = fs->spare[--fs->spare_n];

	fs->f[i].used = true;
	fs->n++;
	fs->count.in_flight = (int)fs->n;
	return i;
}

struct result_job
flight_job(const struct flights *fs, size_t i)
{
	const struct flight *f = &fs->f[i];

	return (struct result_job){ f->tenant.p, f->job_id.p, f->doc_key.p, fs->lease->pipeline,
	    result_priority(f->prio), f->run, f->attempt, NULL };
}

ssize_t
flight_find(const struct flights *fs, int64_t no, int attempt)
{
	for (size_t i = 0; i < fs->max; i++)
		if (fs->f[i].used && fs->f[i].no == no && fs->f[i].attempt == attempt)
			return (ssize_t)i;
	return -1;
}

static void
put(struct flights *fs, int column, const char *p, size_t len)
{
	if (len) {
		pg_put(&fs->args, column, p, len);
		fs->added_bytes += len;
	} else
		pg_put_null(&fs->args, column);
}

static void
put_text(struct flights *fs, int column, const struct buf *b)
{
	put(fs, column, b ? b->p : NULL, b ? b->len : 0);
}

void
flight_add(struct flights *fs, size_t i, const struct result_verdict *v, const struct buf *line,
    const struct buf *message, const struct flight_notes *notes, int64_t now)
{
	static const struct flight_notes none;
	const struct flight *f = &fs->f[i];

	if (!notes)
		notes = &none;
	if (!fs->added_n) {
		start(fs);
		fs->settle_by = now + FLIGHT_SETTLE_MS;
	}
	fs->added[fs->added_n++] = i;
	pg_put_i64(&fs->args, NO, f->no);
	pg_put_i64(&fs->args, N, f->n);
	pg_put_i64(&fs->args, ATTEMPT, f->attempt);
	pg_puts(&fs->args, VERB, v->verb);
	pg_put_i64(&fs->args, RETRY, v->retry);
	pg_put_i64(&fs->args, CHARGE, v->retry);
	pg_put_i64(&fs->args, AFTER, (int64_t)v->after_ms);
	put_text(fs, ERROR, &v->error);
	put_text(fs, LINE, line);
	put_text(fs, RESULT, message);
	put(fs, STDERR, notes->death, notes->death_len);
	put(fs, TIMINGS, notes->timings, notes->timings ? strlen(notes->timings) : 0);
	put(fs, LOG, notes->log, notes->log_len);
	put_text(fs, GATE, &v->gate);
}

bool
flights_full(const struct flights *fs)
{
	return fs->added_n >= FLIGHT_SETTLE_MOST || fs->added_bytes >= FLIGHT_SETTLE_BYTES;
}

static void
count(struct flights *fs, const struct flight *f, bool applied, const char *state)
{
	fs->count.processed++;
	if (!applied) {
		++*fs->m.refused;
		warn("refused as stale: job=%s attempt=%d state=%s", f->job_id.p, f->attempt, state);
	} else if (!strcmp(state, "completed")) {
		++*fs->m.completed;
	} else if (!strcmp(state, "failed")) {
		fs->count.failed++;
		++*fs->m.failed;
	} else if (!strcmp(state, "queued")) {
		fs->count.retried++;
		++*fs->m.retried;
	} else
		++*fs->m.waiting;
}

static void
land(struct flights *fs, size_t i, int row, int64_t now)
{
	struct pg *db = fs->lease->db;
	struct flight *f = &fs->f[i];
	const char *state = pg_bytes(db, row, 2, NULL);

	count(fs, f, pg_bool(db, row, 1), state);
	if (!strcmp(state, "queued") && lease_owns(fs->lease, f->no))
		dispatch_again(&fs->lease->jobs, f->no, (int)pg_i64(db, row, 3), (int)pg_i64(db, row, 4),
		    pg_i64(db, row, 5), now);
	else
		dispatch_forget(&fs->lease->jobs, f->no);
	f->used = false;
	fs->n--;
	fs->count.in_flight = (int)fs->n;
	fs->spare[fs->spare_n++] = i;
	if (f->request.cap > (1 << 16))
		buf_free(&f->request);
}

enum pg_status
flights_settle(struct flights *fs, int64_t now)
{
	enum pg_status st;

	if (!fs->added_n)
		return PG_OK;
	st = pg_call_again(fs->lease->db, settle_sql, &fs->args);
	if (st != PG_OK)
		return st;
	for (size_t i = 0; i < fs->added_n; i++)
		land(fs, fs->added[i], (int)i, now);
	fs->added_n = fs->added_bytes = 0;
	return PG_OK;
}

enum pg_status
flights_hand_back(struct flights *fs, int64_t now)
{
	struct result_verdict back = { .verb = "back" };

	for (size_t i = 0; i < fs->max; i++)
		if (fs->f[i].used)
			flight_add(fs, i, &back, NULL, NULL, NULL, now);
	return flights_settle(fs, now);
}

uint64_t
flights_slots(const struct flights *fs)
{
	uint64_t mask = 0;

	for (size_t i = 0; i < fs->max; i++)
		if (fs->f[i].used)
			mask |= (uint64_t)1 << (fs->f[i].no % DISPATCH_SLOTS);
	return mask;
}
