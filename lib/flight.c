#include "flight.h"

#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "metrics.h"

/* settle's arguments after worker, pipeline and the backoff. */
enum { FIRST = 6, NO = FIRST, N, ATTEMPT, VERB, RETRY, CHARGE, AFTER, ERROR, LINE, RESULT, STDERR, TIMINGS, LOG, GATE, END };

static const char settle_sql[] = "select no, applied, state, n, suspect, wait_ms from "
    "sluice.settle_packed($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20)";

static void
start(const struct flights *fs, struct pg_args *a)
{
	static const enum pg_type types[END - FIRST] = { PG_INT8, PG_INT4, PG_INT4, PG_TEXT, PG_BOOL, PG_BOOL,
	    PG_INT8, PG_TEXT, PG_TEXT, PG_TEXT, PG_BYTEA, PG_TEXT, PG_BYTEA, PG_TEXT };
	const struct backoff *b = fs->backoff;

	pg_args_reset(a);
	pg_put_i64(a, pg_scalar(a, PG_INT8), fs->lease->worker);
	pg_puts(a, pg_scalar(a, PG_TEXT), fs->lease->pipeline);
	pg_put_i64(a, pg_scalar(a, PG_INT4), b->retries);
	pg_put_i64(a, pg_scalar(a, PG_INT4), b->first_ms);
	pg_put_i64(a, pg_scalar(a, PG_INT4), b->cap_ms);
	pg_put_f64(a, pg_scalar(a, PG_FLOAT8), b->factor);
	for (int i = 0; i < END - FIRST; i++)
		pg_array(a, types[i]);
}

void
flights_init(struct flights *fs, struct lease *l, struct pg *db, size_t max, const struct backoff *b)
{
	memset(fs, 0, sizeof(*fs));
	fs->lease = l;
	fs->db = db;
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
	for (int i = 0; i < 2; i++)
		fs->settling[i].flight = mem_array(NULL, max, sizeof(*fs->settling[i].flight));
	fs->added = &fs->settling[0];
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
	for (int i = 0; i < 2; i++) {
		free(fs->settling[i].flight);
		pg_args_free(&fs->settling[i].args);
	}
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
put(struct settling *s, int column, const char *p, size_t len)
{
	if (len) {
		pg_put(&s->args, column, p, len);
		s->bytes += len;
	} else
		pg_put_null(&s->args, column);
}

static void
put_text(struct settling *s, int column, const struct buf *b)
{
	put(s, column, b ? b->p : NULL, b ? b->len : 0);
}

void
flight_add(struct flights *fs, size_t i, const struct result_verdict *v, const struct buf *line,
    const struct buf *message, const struct flight_notes *notes, int64_t now)
{
	static const struct flight_notes none;
	const struct flight *f = &fs->f[i];
	struct settling *s = fs->added;

	if (!notes)
		notes = &none;
	if (!s->n) {
		start(fs, &s->args);
		fs->settle_by = now + FLIGHT_SETTLE_MS;
	}
	s->flight[s->n++] = i;
	pg_put_i64(&s->args, NO, f->no);
	pg_put_i64(&s->args, N, f->n);
	pg_put_i64(&s->args, ATTEMPT, f->attempt);
	pg_puts(&s->args, VERB, v->verb);
	pg_put_i64(&s->args, RETRY, v->retry);
	pg_put_i64(&s->args, CHARGE, v->retry);
	pg_put_i64(&s->args, AFTER, (int64_t)v->after_ms);
	put_text(s, ERROR, &v->error);
	put_text(s, LINE, line);
	put_text(s, RESULT, message);
	put(s, STDERR, notes->death, notes->death_len);
	put(s, TIMINGS, notes->timings, notes->timings ? strlen(notes->timings) : 0);
	put(s, LOG, notes->log, notes->log_len);
	put_text(s, GATE, &v->gate);
}

bool
flights_full(const struct flights *fs)
{
	return fs->added->n >= FLIGHT_SETTLE_MOST || fs->added->bytes >= FLIGHT_SETTLE_BYTES;
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

/* What the ledger says of one: its own row, or one without a number, of all. */
static void
land(struct flights *fs, size_t i, int row, int64_t now)
{
	struct pg *db = fs->db;
	struct flight *f = &fs->f[i];
	const char *state = pg_bytes(db, row, 2, NULL);

	count(fs, f, pg_bool(db, row, 1), state);
	if (!strcmp(state, "queued") && lease_owns(fs->lease, f->no))
		dispatch_again(&fs->lease->jobs, f->no, (int)pg_i64(db, row, 3), (int)pg_i64(db, row, 4),
		    pg_i64(db, row, 5), now);
	else if (lease_owns(fs->lease, f->no))
		dispatch_over(&fs->lease->jobs, f->no, (int)pg_i64(db, row, 3), now);
	else
		dispatch_forget(&fs->lease->jobs, f->no);
	f->used = false;
	fs->n--;
	fs->count.in_flight = (int)fs->n;
	fs->spare[fs->spare_n++] = i;
	if (f->request.cap > (1 << 16))
		buf_free(&f->request);
}

bool
flights_due(const struct flights *fs, int64_t now)
{
	return fs->added->n && !fs->sent && (now >= fs->settle_by || fs->added->n == fs->n);
}

bool
flights_answered(struct flights *fs)
{
	return fs->sent && (!fs->under_way || pg_done(fs->db));
}

enum pg_status
flights_land(struct flights *fs, int64_t now)
{
	struct settling *s = fs->sent;
	enum pg_status st;
	bool alike;

	if (!s)
		return PG_OK;
	st = fs->under_way ? pg_wait(fs->db) : PG_RETRY;
	fs->under_way = false;
	if (st == PG_RETRY)
		st = pg_call_again(fs->db, settle_sql, &s->args);
	if (st != PG_OK)
		return st;
	alike = s->n && pg_null(fs->db, 0, 0);
	for (size_t i = 0; i < s->n; i++)
		land(fs, s->flight[i], alike ? 0 : (int)i, now);
	s->n = s->bytes = 0;
	fs->sent = NULL;
	return PG_OK;
}

enum pg_status
flights_send(struct flights *fs, int64_t now)
{
	enum pg_status st = flights_land(fs, now);

	if (st != PG_OK || !fs->added->n)
		return st;
	fs->sent = fs->added;
	fs->added = &fs->settling[fs->sent == fs->settling];
	fs->under_way = pg_send(fs->db, settle_sql, &fs->sent->args) == PG_OK;
	return PG_OK;
}

enum pg_status
flights_settle(struct flights *fs, int64_t now)
{
	enum pg_status st = flights_send(fs, now);

	return st == PG_OK ? flights_land(fs, now) : st;
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
