/* stream_read.c - what was before a stream was there, or came while nobody looked. */
#include "api/stream.h"

enum { HISTORY = 500 };

static void
job_row(struct event *e, const struct pg *db, int row)
{
	e->n = (int)pg_i64(db, row, 0);
	e->k = (int)pg_i64(db, row, 1);
	e->name = pg_bytes(db, row, 2, NULL);
	e->data = pg_bytes(db, row, 3, NULL);
	e->final = pg_bool(db, row, 4);
}

/* What was before, a part of it. The ledger is away: it is asked again within
 * a second. */
static void
loaded(void *ctx, enum pg_status st, struct pg *db)
{
	struct stream *s = ctx;
	struct event e = { .no = s->no };
	int i = 0, n = st == PG_OK ? pg_rows(db) : 0;

	s->loading = false;
	if (s->gone) {
		stream_release(s);
		return;
	}
	if (s->c && st != PG_OK) {
		problem_db(s->c, st, db);
		stream_release(s);
		return;
	}
	if (s->c)
		stream_answer(s);
	for (; i < n && web_behind(s->w) <= STREAM_BEHIND; i++) {
		if (s->no)
			job_row(&e, db, i);
		else
			event_row(&e, db, i);
		stream_give(s, &e);
	}
	s->again |= st != PG_OK || i < n || n == HISTORY;
	if (st == PG_OK)
		stream_go_on(s);
}

void
stream_load(struct stream *s)
{
	struct pgcall *q;

	s->loading = true;
	s->again = false;
	if (s->no) {
		q = pgpool_call(api_quick, "select n::bigint, k::bigint, event, data, final from sluice.api_events($1, $2, $3, $4)",
		    loaded, s);
		pg_put_i64(&q->args, pg_scalar(&q->args, PG_INT8), s->no);
		pg_put_i64(&q->args, pg_scalar(&q->args, PG_INT4), s->n);
		pg_put_i64(&q->args, pg_scalar(&q->args, PG_INT4), s->k);
	} else {
		q = pgpool_call(api_slow, "select " EVENT_COLUMNS " from sluice.event_next($1, $2, true)", loaded, s);
		pg_put_i64(&q->args, pg_scalar(&q->args, PG_INT8), s->last);
	}
	pg_put_i64(&q->args, pg_scalar(&q->args, PG_INT4), HISTORY);
	pgpool_run(q);
}
