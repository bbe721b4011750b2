#include "pgpool_int.h"

#include <stdio.h>
#include <stdlib.h>

#include "now.h"

enum {
	QUEUE_MAX = 4000, QUEUE_MS = 5000,      /* calls that wait for a connection, and how long */
	TICK_MS = 500,
	AWAKE_US = 500          /* going to sleep and being woken takes some 50 to 100 on virtual machines */
};

static struct pgpool *pools;

void
pgpool_finish(struct pgcall *c, enum pg_status st, struct pg *db)
{
	struct pgpool *p = c->pool;

	c->done(c->ctx, st, db);
	c->next = p->spare;
	p->spare = c;
}

bool
pgpool_up(const struct pgpool *p)
{
	for (int i = 0; i < p->n; i++)
		if (p->link[i].state >= LINK_IDLE)
			return true;
	return false;
}

const char *
pgpool_error(const struct pgpool *p)
{
	return p->err;
}

struct pgcall *
pgpool_next(struct pgpool *p)
{
	struct pgcall *c = p->first;

	if (!c)
		return NULL;
	p->first = c->next;
	p->queued--;
	if (!p->first)
		p->last = &p->first;
	return c;
}

void
pgpool_fail(struct pgpool *p, int64_t before)
{
	while (p->first && p->first->since <= before)
		pgpool_finish(pgpool_next(p), PG_LOST, NULL);
}

static void
tick(struct loop_timer *t)
{
	int64_t now = now_ms();

	for (struct pgpool *p = pools; p; p = p->next) {
		for (int i = 0; i < p->n; i++)
			link_tick(&p->link[i], now);
		pgpool_fail(p, now - QUEUE_MS);
	}
	loop_in(t, TICK_MS);
}

struct pgpool *
pgpool_open(const char *conninfo, const char *name, int n, int version)
{
	struct pgpool *p = mem_zalloc(sizeof(*p));

	p->conninfo = conninfo;
	p->name = name;
	p->n = n;
	p->version = version;
	p->last = &p->first;
	p->link = mem_zalloc((size_t)n * sizeof(*p->link));
	p->next = pools;
	pools = p;
	for (int i = 0; i < n; i++)
		link_init(&p->link[i], p);
	if (!p->next) {
		static struct loop_timer ticker = { .due = tick };

		loop_in(&ticker, TICK_MS);
	}
	return p;
}

struct pgcall *
pgpool_call(struct pgpool *p, const char *sql, pgpool_done *done, void *ctx)
{
	struct pgcall *c = p->spare;

	if (c)
		p->spare = c->next;
	else
		c = mem_zalloc(sizeof(*c));
	pg_args_reset(&c->args);
	c->pool = p;
	c->sql = sql;
	c->done = done;
	c->ctx = ctx;
	c->next = NULL;
	return c;
}

void
pgpool_run(struct pgcall *c)
{
	struct pgpool *p = c->pool;
	bool up = false;

	for (int i = 0; i < p->n; i++) {
		struct link *l = &p->link[i];

		up |= l->state >= LINK_IDLE;
		if (l->state == LINK_IDLE && !l->call && !p->first) {
			link_run(l, c);
			return;
		}
	}
	/* At the start, before the first connection stands, there is no outage yet. */
	if ((!up && p->told) || p->queued >= QUEUE_MAX) {
		if (!p->told)
			snprintf(p->err, sizeof(p->err), "too many calls wait for the database");
		pgpool_finish(c, PG_LOST, NULL);
		return;
	}
	c->since = now_ms();
	*p->last = c;
	p->last = &c->next;
	p->queued++;
}

void
pgpool_run_short(struct pgcall *c)
{
	struct pgpool *p = c->pool;
	bool alone = true;

	for (int i = 0; i < p->n; i++)
		alone &= !p->link[i].call;
	pgpool_run(c);
	for (int i = 0; alone && i < p->n; i++)
		if (p->link[i].call == c)
			link_wait(&p->link[i], AWAKE_US);
}

void
pgpool_close(struct pgpool *p)
{
	for (int i = 0; i < p->n; i++) {
		loop_off(&p->link[i].io);
		pg_close(&p->link[i].db);
	}
}
