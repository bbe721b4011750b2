#include "settling.h"

#include <stdlib.h>
#include <string.h>

#include "runs.h"

/* settle_packed's arguments after worker, pipeline and the backoff; settle_runs'. */
enum { FIRST = 6, NO = FIRST, N, ATTEMPT, VERB, RETRY, CHARGE, AFTER, ERROR, LINE, RESULT, STDERR, TIMINGS, LOG, GATE, END };
enum { LO = 2, HI, RUN_RESULT, RUN_TIMINGS };

static const char packed_sql[] = "select no, applied, state, n, suspect, wait_ms from "
    "sluice.settle_packed($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20)";
static const char runs_sql[] = "select sluice.settle_runs($1,$2,$3,$4,$5,$6)";

void
settling_init(struct settling *s, size_t max)
{
	memset(s, 0, sizeof(*s));
	s->no = mem_array(NULL, max, sizeof(*s->no));
}

void
settling_release(struct settling *s)
{
	free(s->no);
	pg_args_free(&s->packed);
	pg_args_free(&s->runs);
}

void
settling_clear(struct settling *s)
{
	s->n = s->bytes = 0;
}

static void
whose(struct pg_args *a, const struct settling_of *of)
{
	pg_args_reset(a);
	pg_put_i64(a, pg_scalar(a, PG_INT8), of->worker);
	pg_puts(a, pg_scalar(a, PG_TEXT), of->pipeline);
}

static void
begin_packed(struct settling *s, const struct settling_of *of)
{
	static const enum pg_type types[END - FIRST] = { PG_INT8, PG_INT4, PG_INT4, PG_TEXT, PG_BOOL, PG_BOOL,
	    PG_INT8, PG_TEXT, PG_TEXT, PG_TEXT, PG_BYTEA, PG_TEXT, PG_BYTEA, PG_TEXT };
	const struct backoff *b = of->backoff;
	struct pg_args *a = &s->packed;

	whose(a, of);
	pg_put_i64(a, pg_scalar(a, PG_INT4), b->retries);
	pg_put_i64(a, pg_scalar(a, PG_INT4), b->first_ms);
	pg_put_i64(a, pg_scalar(a, PG_INT4), b->cap_ms);
	pg_put_f64(a, pg_scalar(a, PG_FLOAT8), b->factor);
	for (int i = 0; i < END - FIRST; i++)
		pg_array(a, types[i]);
}

static void
begin_runs(struct settling *s, const struct settling_of *of)
{
	struct pg_args *a = &s->runs;

	whose(a, of);
	pg_array(a, PG_INT8);
	pg_array(a, PG_INT8);
	pg_array(a, PG_TEXT);
	pg_array(a, PG_TEXT);
}

static void
put(struct settling *s, int column, const char *p, size_t len)
{
	if (len) {
		pg_put(&s->packed, column, p, len);
		s->bytes += len;
	} else
		pg_put_null(&s->packed, column);
}

static void
put_text(struct settling *s, int column, const struct buf *b)
{
	put(s, column, b ? b->p : NULL, b ? b->len : 0);
}

static void
put_verdict(struct settling *s, const struct settling_job *job, const char *verb, bool retry, uint64_t after_ms)
{
	pg_put_i64(&s->packed, NO, job->no);
	pg_put_i64(&s->packed, N, job->n);
	pg_put_i64(&s->packed, ATTEMPT, job->attempt);
	pg_puts(&s->packed, VERB, verb);
	pg_put_i64(&s->packed, RETRY, retry);
	pg_put_i64(&s->packed, CHARGE, retry);
	pg_put_i64(&s->packed, AFTER, (int64_t)after_ms);
}

/* Nulls for those so far that have no timings. */
static void
pad_timings(struct settling *s, size_t n)
{
	while (s->runs.a[RUN_TIMINGS].n < n)
		pg_put_null(&s->runs, RUN_TIMINGS);
}

static void
swap(struct pg_arg *a, struct pg_arg *b)
{
	struct pg_arg x = *a;

	*a = *b;
	*b = x;
}

/* What was gathered for settle_runs, for settle_packed. */
static void
unpack(struct settling *s, const struct settling_of *of)
{
	static const int nulls[] = { ERROR, LINE, STDERR, LOG, GATE };

	begin_packed(s, of);
	for (size_t i = 0; i < s->n; i++) {
		put_verdict(s, &(struct settling_job){ s->no[i], 1, 1, true }, "completed", false, 0);
		for (size_t k = 0; k < sizeof(nulls) / sizeof(*nulls); k++)
			pg_put_null(&s->packed, nulls[k]);
	}
	pad_timings(s, s->n);
	swap(&s->packed.a[RESULT], &s->runs.a[RUN_RESULT]);
	swap(&s->packed.a[TIMINGS], &s->runs.a[RUN_TIMINGS]);
	s->plain = false;
}

static bool
is_plain(const struct settling *s, const struct settling_job *job, const struct result_verdict *v, const struct buf *line,
    const struct buf *message, const struct settling_notes *notes)
{
	return (!s->n || (s->plain && job->no > s->no[s->n - 1])) && job->run && job->n == 1 && job->attempt == 1 &&
	    !strcmp(v->verb, "completed") && !v->after_ms && !v->error.len && !v->gate.len && !(line && line->len) &&
	    message && message->len && !(notes && (notes->log_len || notes->death_len));
}

static void
add_plain(struct settling *s, const struct settling_job *job, const struct buf *message, const char *timings)
{
	s->no[s->n] = job->no;
	pg_put(&s->runs, RUN_RESULT, message->p, message->len);
	s->bytes += message->len;
	if (!timings)
		return;
	pad_timings(s, s->n);
	pg_puts(&s->runs, RUN_TIMINGS, timings);
	s->bytes += strlen(timings);
}

static void
add_packed(struct settling *s, const struct settling_job *job, const struct result_verdict *v, const struct buf *line,
    const struct buf *message, const struct settling_notes *notes)
{
	static const struct settling_notes none;

	if (!notes)
		notes = &none;
	put_verdict(s, job, v->verb, v->retry, v->after_ms);
	put_text(s, ERROR, &v->error);
	put_text(s, LINE, line);
	put_text(s, RESULT, message);
	put(s, STDERR, notes->death, notes->death_len);
	put(s, TIMINGS, notes->timings, notes->timings ? strlen(notes->timings) : 0);
	put(s, LOG, notes->log, notes->log_len);
	put_text(s, GATE, &v->gate);
}

void
settling_add(struct settling *s, const struct settling_of *of, const struct settling_job *job, const struct result_verdict *v,
    const struct buf *line, const struct buf *message, const struct settling_notes *notes)
{
	bool plain = is_plain(s, job, v, line, message, notes);

	if (s->n && s->plain && !plain)
		unpack(s, of);
	else if (!s->n) {
		s->plain = plain;
		if (plain)
			begin_runs(s, of);
		else
			begin_packed(s, of);
	}
	if (plain)
		add_plain(s, job, message, notes ? notes->timings : NULL);
	else
		add_packed(s, job, v, line, message, notes);
	s->n++;
}

enum pg_status
settling_send(struct settling *s, const struct settling_of *of, struct pg *db)
{
	if (s->plain && !(of->whole && runs_fit(s->no, s->n)))
		unpack(s, of);
	if (!s->plain)
		return pg_send(db, packed_sql, &s->packed);
	runs_put(&s->runs, LO, HI, s->no, s->n);
	if (s->runs.a[RUN_TIMINGS].n)
		pad_timings(s, s->n);
	return pg_send(db, runs_sql, &s->runs);
}

enum pg_status
settling_land(struct settling *s, const struct settling_of *of, struct pg *db, bool under_way)
{
	enum pg_status st = under_way ? pg_wait(db) : PG_RETRY;

	if (st == PG_RETRY && s->plain)
		st = pg_call_again(db, runs_sql, &s->runs);
	if (st == PG_OK && s->plain && !pg_bool(db, 0, 0)) {
		unpack(s, of);
		st = PG_RETRY;
	}
	return st == PG_RETRY && !s->plain ? pg_call_again(db, packed_sql, &s->packed) : st;
}

struct settled
settling_said(const struct settling *s, const struct pg *db, size_t i)
{
	int row = s->plain || pg_null(db, 0, 0) ? 0 : (int)i;   /* one without a number is of all */

	if (s->plain)
		return (struct settled){ true, "completed", 2, 0, 0 };
	return (struct settled){ pg_bool(db, row, 1), pg_bytes(db, row, 2, NULL), (int)pg_i64(db, row, 3),
	    (int)pg_i64(db, row, 4), pg_i64(db, row, 5) };
}
