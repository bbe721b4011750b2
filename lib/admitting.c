#include "admitting.h"

#include "now.h"

static struct admitting_way *
nth(struct admitting *a, int i)
{
	return &a->way[(a->first + i) % ADMITTING_WAYS];
}

enum pg_status
admitting_open(struct admitting *a, const char *conninfo, int version, unsigned wait_ms)
{
	struct pg *db = &a->way[0].db;
	enum pg_status st = pg_open(db, conninfo, wait_ms);

	a->conninfo = conninfo;
	if (st == PG_OK)
		st = pg_ledger(db, version, NULL, NULL);
	if (st == PG_OK)
		st = admission_agrees(db);
	return st == PG_OK ? pg_turns(db) : st;
}

void
admitting_close(struct admitting *a)
{
	for (int i = 0; i < ADMITTING_WAYS; i++)
		pg_close(&a->way[i].db);
}

struct pg *
admitting_db(struct admitting *a)
{
	return &a->way[a->first].db;
}

/* A second connection is there, or it is time to try. */
static bool
may_overlap(const struct admitting *a)
{
	return a->ways > 1 || !a->tried_ms || now_ms() - a->tried_ms >= ADMITTING_AGAIN_MS;
}

bool
admitting_full(const struct admitting *a)
{
	return a->n == (may_overlap(a) ? ADMITTING_WAYS : 1);
}

static bool
another(struct admitting *a)
{
	struct pg *db = &nth(a, 1)->db;

	if (!may_overlap(a))
		return false;
	a->tried_ms = now_ms();
	a->told = false;
	if (pg_open_like(db, a->conninfo, &nth(a, 0)->db) == PG_OK && pg_turns(db) == PG_OK)
		a->ways = ADMITTING_WAYS;
	else
		pg_close(db);
	return a->ways > 1;
}

const char *
admitting_alone(struct admitting *a)
{
	if (a->ways > 1 || !a->tried_ms || a->told)
		return NULL;
	a->told = true;
	return a->way[1].db.err;
}

static void
land(struct admitting_way *w)
{
	if (w->state == WAY_SENT)
		w->state = pg_wait(&w->db) == PG_OK ? WAY_LANDED : WAY_FAILED;
}

/* Whether what is sent now comes after all that is under way. */
static bool
has_turn(struct admitting *a)
{
	struct admitting_way *newest = nth(a, a->n - 1);

	if (newest->state == WAY_SENT && !pg_turn(&newest->db))
		land(newest);
	return newest->state != WAY_FAILED;
}

void
admitting_put(struct admitting *a, struct entry *batch, size_t n, bool ready)
{
	struct admitting_way *w = nth(a, a->n++);

	w->batch = batch;
	w->n = n;
	w->state = ready && admission_send(&w->db, batch, a->answers) == PG_OK ? WAY_SENT : WAY_FAILED;
}

bool
admitting_send(struct admitting *a, struct entry *batch, size_t n)
{
	if (a->n && ((a->ways == 1 && !another(a)) || !has_turn(a)))
		return false;
	admitting_put(a, batch, n, true);
	return true;
}

struct admitting_way *
admitting_wait(struct admitting *a)
{
	if (!a->n)
		return NULL;
	land(nth(a, 0));
	for (int i = 1; i < a->n && nth(a, 0)->state == WAY_FAILED; i++)
		land(nth(a, i));
	return nth(a, 0);
}

void
admitting_free(struct admitting *a)
{
	a->n--;
	if (a->ways > 1)
		a->first = (a->first + 1) % ADMITTING_WAYS;
}
