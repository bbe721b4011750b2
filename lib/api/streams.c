/* streams.c - who listens: to one job, or to all of a tenant. */
#include "api/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"

enum { BUCKETS = 16384, HISTORY = 500, ALIVE_S = 15 };

static struct stream *buckets[BUCKETS], *all;
static unsigned long count;

void
stream_link_in(struct stream *s)
{
	struct stream **list = s->no ? &buckets[(uint64_t)s->no % BUCKETS] : &all;

	s->next = *list;
	s->at = list;
	if (s->next)
		s->next->at = &s->next;
	*list = s;
	count++;
}

static void
release(struct stream *s)
{
	*s->at = s->next;
	if (s->next)
		s->next->at = s->at;
	count--;
	free(s->tenant);
	free(s->pipeline);
	free(s->status);
	free(s->job_id);
	free(s->name);
	free(s);
}

/* Its reader has gone; while a call for it is on its way, that frees it. */
static void
on_gone(void *ctx)
{
	struct stream *s = ctx;

	s->w = NULL;
	s->gone = true;
	if (!s->loading)
		release(s);
}

bool
streams_any(void)
{
	return count > 0;
}

static void
frame(struct stream *s, const struct event *e)
{
	static struct buf b;

	b.len = 0;
	if (s->no)
		buf_addf(&b, "id: %d.%d\nevent: ", e->n, e->k);
	else
		buf_addf(&b, "id: %lld\nevent: ", (long long)e->id);
	buf_adds(&b, e->name);
	buf_adds(&b, "\ndata: ");
	buf_adds(&b, e->data);
	buf_adds(&b, "\n\n");
	web_send(s->w, b.p, b.len);
}

static bool
wanted(const struct stream *s, const struct event *e)
{
	return (!s->tenant || !strcmp(s->tenant, e->tenant)) && (!s->pipeline || !strcmp(s->pipeline, e->pipeline)) &&
	    (!s->status || !strcmp(s->status, e->status)) && (!s->job_id || !strcmp(s->job_id, e->job_id)) &&
	    (!s->name || !strcmp(s->name, e->name));
}

static void
give_job(struct stream *s, const struct event *e)
{
	if (e->n < s->n || (e->n == s->n && e->k <= s->k))
		return;
	s->n = e->n;
	s->k = e->k;
	frame(s, e);
	if (e->final)
		web_end(s->w);
}

static void
give_all(struct stream *s, const struct event *e)
{
	if (e->id <= s->last)
		return;
	s->last = e->id;
	if (*e->name && wanted(s, e))   /* none: its job is not kept any more */
		frame(s, e);
}

/* It has to be read: a transition is missing before it, or nobody listened when the
 * ledger was asked, so that it came without what it says. */
static bool
must_read(const struct stream *s, const struct event *e)
{
	return s->again || !*e->name || (s->no && e->n > s->n + 1);
}

void
streams_tell(const struct event *e)
{
	struct stream *s, *next;

	for (s = buckets[(uint64_t)e->no % BUCKETS]; s; s = next) {
		next = s->next;
		if (s->no != e->no || s->gone)
			continue;
		if (s->loading)
			s->again = true;
		else if (must_read(s, e))
			stream_load(s);
		else
			give_job(s, e);
	}
	for (s = all; s; s = next) {
		next = s->next;
		if (s->gone)
			continue;
		if (s->loading)
			s->again = true;
		else if (must_read(s, e))
			stream_load(s);
		else
			give_all(s, e);
	}
}

void
stream_answer(struct stream *s)
{
	static const char hello[] = "retry: 1000\n\n";
	char lost[96];

	s->w = web_stream(s->c->r, on_gone, s);
	s->c = NULL;
	web_send(s->w, hello, sizeof(hello) - 1);
	if (s->lost)
		web_send(s->w, lost, (size_t)snprintf(lost, sizeof(lost), "event: lost\ndata: {\"oldest\":%lld}\n\n",
		    (long long)s->lost));
}

/* What was before, a part of it. The ledger is away: it is asked again within
 * a second. */
static void
loaded(void *ctx, enum pg_status st, struct pg *db)
{
	struct stream *s = ctx;
	struct event e = { .no = s->no };
	int n = st == PG_OK ? pg_rows(db) : 0;

	s->loading = false;
	if (s->gone) {
		release(s);
		return;
	}
	if (st != PG_OK && s->c) {
		problem_db(s->c, st, db);
		release(s);
		return;
	}
	if (s->c)
		stream_answer(s);
	for (int i = 0; i < n && s->w; i++) {
		if (!s->no) {
			event_row(&e, db, i);
			give_all(s, &e);
			continue;
		}
		e.n = (int)pg_i64(db, i, 0);
		e.k = (int)pg_i64(db, i, 1);
		e.name = pg_bytes(db, i, 2, NULL);
		e.data = pg_bytes(db, i, 3, NULL);
		e.final = pg_bool(db, i, 4);
		give_job(s, &e);
	}
	if (st != PG_OK)
		s->again = true;
	else if (n == HISTORY || s->again)
		stream_load(s);
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

static void
alive(struct stream *s, unsigned turn)
{
	static const char sign[] = ": keep-alive\n\n";

	if (s->again && !s->loading)
		stream_load(s);
	if (s->w && ((uintptr_t)s >> 6) % ALIVE_S == turn % ALIVE_S)
		web_send(s->w, sign, sizeof(sign) - 1);
}

static void
each(void (*f)(struct stream *s, unsigned turn), unsigned turn)
{
	struct stream *s, *next;

	for (int i = 0; i <= BUCKETS; i++)
		for (s = i < BUCKETS ? buckets[i] : all; s; s = next) {
			next = s->next;
			f(s, turn);
		}
}

void
streams_alive(void)
{
	static unsigned turn;

	if (count)
		each(alive, turn);
	turn++;
}

static void
end(struct stream *s, unsigned turn)
{
	(void)turn;
	if (s->w)
		web_end(s->w);
}

void
streams_end(void)
{
	each(end, 0);
}
