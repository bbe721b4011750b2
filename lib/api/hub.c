/* hub.c - looks for new events, in the order that the ledger gives them. */
#include "api/api.h"
#include "api/counts.h"
#include "api/streams.h"
#include "loop.h"
#include "now.h"

enum {
	LOOK_MS = 20,           /* while somebody listens */
	IDLE_MS = 1000, RETRY_MS = 250, LIMIT = 2000,
	ROLL_MS = 4000,         /* the numbers over time, made from events that are old enough */
	LATE_MS = 5000
};

static int64_t last = -1, good_at;
static bool asking;
static void look(struct loop_timer *t);
static void second(struct loop_timer *t);
static void roll(struct loop_timer *t);
static struct loop_timer looks = { .due = look }, seconds = { .due = second }, rolls = { .due = roll };

int64_t
hub_last(void)
{
	return last;
}

void
hub_hurry(void)
{
	if (!asking)
		loop_in(&looks, 0);
}

void
event_row(struct event *e, const struct pg *db, int row)
{
	e->id = pg_i64(db, row, 0);
	e->no = pg_i64(db, row, 1);
	e->n = (int)pg_i64(db, row, 2);
	e->k = (int)pg_i64(db, row, 3);
	e->tenant = pg_bytes(db, row, 4, NULL);
	e->pipeline = pg_bytes(db, row, 5, NULL);
	e->job_id = pg_bytes(db, row, 6, NULL);
	e->status = pg_bytes(db, row, 7, NULL);
	e->name = pg_bytes(db, row, 8, NULL);
	e->data = pg_bytes(db, row, 9, NULL);
	e->final = pg_bool(db, row, 10);
}

static void
again(int64_t wait_ms)
{
	if (!api_stopping())
		loop_in(&looks, wait_ms);
}

static void
got_events(void *ctx, enum pg_status st, struct pg *db)
{
	struct event e;
	int64_t pause, began = (int64_t)(intptr_t)ctx;

	asking = false;
	if (st != PG_OK) {
		again(RETRY_MS);
		return;
	}
	good_at = now_ms();
	for (int i = 0; i < pg_rows(db); i++) {
		event_row(&e, db, i);
		last = e.id;
		streams_tell(&e);
		counts_event();
	}
	/* A look that takes long is not begun again at once: others work too. */
	pause = 2 * (good_at - began);
	if (pg_rows(db) == LIMIT)
		again(0);
	else
		again(!streams_any() ? IDLE_MS : pause > LOOK_MS ? pause : LOOK_MS);
}

static void
got_last(void *ctx, enum pg_status st, struct pg *db)
{
	(void)ctx;
	asking = false;
	if (st == PG_OK && pg_rows(db))
		last = pg_i64(db, 0, 0);
	again(st == PG_OK ? 0 : RETRY_MS);
}

static void
look(struct loop_timer *t)
{
	struct pgcall *q;

	(void)t;
	if (asking)
		return;
	asking = true;
	if (last < 0) {
		pgpool_run(pgpool_call(api_quick, "select coalesce(sluice.event_last(), 0)", got_last, NULL));
		return;
	}
	q = pgpool_call(api_quick, "select " EVENT_COLUMNS " from sluice.event_next($1, $2, $3)", got_events,
	    (void *)(intptr_t)now_ms());
	pg_put_i64(&q->args, pg_scalar(&q->args, PG_INT8), last);
	pg_put_i64(&q->args, pg_scalar(&q->args, PG_INT4), LIMIT);
	pg_put_i64(&q->args, pg_scalar(&q->args, PG_BOOL), streams_any());
	pgpool_run(q);
}

static void
second(struct loop_timer *t)
{
	streams_alive();
	counts_second();
	web_reap();
	loop_in(t, 1000);
}

static void
rolled(void *ctx, enum pg_status st, struct pg *db)
{
	(void)ctx, (void)st, (void)db;
	loop_in(&rolls, ROLL_MS);
}

static void
roll(struct loop_timer *t)
{
	(void)t;
	if (!api_stopping())
		pgpool_run(pgpool_call(api_slow, "select sluice.stat_roll()::text", rolled, NULL));
}

bool
events_ready(void)
{
	return last >= 0 && now_ms() - good_at < LATE_MS;
}

void
events_start(void)
{
	loop_in(&looks, 0);
	loop_in(&seconds, 1000);
	loop_in(&rolls, ROLL_MS);
}

void
events_stop(void)
{
	streams_end();
}
