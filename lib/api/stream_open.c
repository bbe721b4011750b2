/* stream_open.c - a stream from its request: whose events, from which on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/parse.h"
#include "api/stream.h"

enum { AHEAD = 100000 };

/* Last-Event-ID, or the parameter for those that can't send headers. */
static const char *
resumes(const struct call *c)
{
	const char *id = web_header(c->r, "Last-Event-ID");

	if (!id || !*id)
		id = web_param(c->r, "last_event_id");
	return id && *id ? id : NULL;
}

static bool
is_position(const char *id)
{
	int n, k;

	return parse_position(id, &n, &k);
}

static bool
is_number(const char *id)
{
	size_t digits = strspn(id, "0123456789");

	return digits && digits <= 18 && !id[digits];
}

/* Both of them, also where one is enough; otherwise it was answered. */
static bool
ids_good(struct call *c, bool (*good)(const char *))
{
	const char *header = web_header(c->r, "Last-Event-ID"), *param = web_param(c->r, "last_event_id");

	if ((!header || !*header || good(header)) && (!param || !*param || good(param)))
		return true;
	problem(c, 400, "bad_event_id", "Last-Event-ID", "this is no id of an event of this stream");
	return false;
}

static void
got_no(void *ctx, enum pg_status st, struct pg *db)
{
	struct call *c = ctx;
	struct stream *s;
	const char *id = resumes(c);
	int n = -1, k = 0;

	if (id)
		parse_position(id, &n, &k);
	if (st != PG_OK) {
		problem_db(c, st, db);
	} else if (pg_rows(db) == 0) {
		problem(c, 404, "no_job", "id", "there is no job of that id");
	} else if (pg_bool(db, 0, 3) && (n > pg_i64(db, 0, 1) || (n == pg_i64(db, 0, 1) && k >= pg_i64(db, 0, 2)))) {
		/* It has ended, and the client has seen it: one that reconnects stops at this. */
		web_answer(c->r, 204, NULL, NULL);
	} else if (strcmp(c->r->method, "HEAD") == 0) {
		web_answer(c->r, 200, "text/event-stream", NULL);
	} else {
		s = mem_zalloc(sizeof(*s));
		s->c = c;
		s->no = pg_i64(db, 0, 0);
		s->n = n <= pg_i64(db, 0, 1) ? n : -1;  /* an id of another ledger: from the beginning */
		s->k = s->n == n ? k : 0;
		stream_link_in(s);
		hub_hurry();
		stream_load(s);
	}
}

void
job_events(struct call *c)
{
	struct pgcall *q;

	if (!part_is_id(c) || !ids_good(c, is_position))
		return;
	q = pgpool_call(api_quick, "select no, n::bigint, k::bigint, ended from sluice.api_job($1, $2)", got_no, c);
	pg_puts(&q->args, pg_scalar(&q->args, PG_TEXT), call_tenant(c));
	pg_put(&q->args, pg_scalar(&q->args, PG_TEXT), c->part.p, c->part.len);
	pgpool_run(q);
}

static char *
copy(const char *s)
{
	return s ? mem_dup(s, strlen(s)) : NULL;
}

static void
got_first(void *ctx, enum pg_status st, struct pg *db)
{
	struct stream *s = ctx;

	if (st == PG_OK && s->last > 0 && pg_i64(db, 0, 0) > s->last + 1)
		s->lost = pg_i64(db, 0, 0);
	/* Without the ledger the next call says so. */
	stream_link_in(s);
	hub_hurry();
	stream_load(s);
}

void
all_events(struct call *c)
{
	static const char names[] = " started progress waiting retry completed failed cancelled ";
	const char *id = resumes(c), *name, *status;
	struct stream *s;

	if (param_among(c, "event", names, &name) < 0 ||
	    param_among(c, "status", " queued processing waiting completed failed cancelled ", &status) < 0 ||
	    !ids_good(c, is_number))
		return;
	if (hub_last() < 0) {
		problem(c, 503, "no_ledger", NULL, "the ledger can't be reached now: try again");
		return;
	}
	if (strcmp(c->r->method, "HEAD") == 0) {
		web_answer(c->r, 200, "text/event-stream", NULL);
		return;
	}
	s = mem_zalloc(sizeof(*s));
	s->c = c;
	s->last = id ? strtoll(id, NULL, 10) : hub_last();
	/* Another server may be a little ahead of us; more is of another ledger's order. */
	if (s->last > hub_last() + AHEAD) {
		s->last = hub_last();
		s->lost = s->last + 1;
		id = NULL;
	}
	s->tenant = copy(c->tenant);
	s->pipeline = copy(web_param(c->r, "pipeline"));
	s->job_id = copy(web_param(c->r, "job_id"));
	s->status = copy(status);
	s->name = copy(name);
	if (id) {
		pgpool_run(pgpool_call(api_quick, "select coalesce(sluice.event_first(), 0)", got_first, s));
		return;
	}
	stream_link_in(s);
	hub_hurry();
	stream_answer(s);
}
