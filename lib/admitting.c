#include "admitting.h"

#include <stdio.h>
#include <string.h>

static struct admitting_way *
nth(struct admitting *a, int i)
{
	return &a->way[(a->first + i) % ADMITTING_WAYS];
}

static enum pg_status
open_way(struct admitting *a, struct pg *db, unsigned wait_ms, char uuid[37], int *epoch)
{
	enum pg_status st = pg_open(db, a->conninfo, wait_ms);

	if (st == PG_OK)
		st = pg_ledger(db, a->version, uuid, epoch);
	return st == PG_OK ? pg_turns(db) : st;
}

enum pg_status
admitting_open(struct admitting *a, const char *conninfo, int version, unsigned wait_ms)
{
	enum pg_status st;

	a->conninfo = conninfo;
	a->version = version;
	st = open_way(a, &a->way[0].db, wait_ms, a->uuid, &a->epoch);
	if (st == PG_OK)
		st = admission_agrees(&a->way[0].db);
	a->ways = 1;
	return st;
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

bool
admitting_full(const struct admitting *a)
{
	return a->n == (a->tried ? a->ways : ADMITTING_WAYS);
}

/* To the same ledger: a list of servers may lead elsewhere. */
static bool
another(struct admitting *a)
{
	struct pg *db = &nth(a, 1)->db;
	char uuid[37];
	int epoch;

	a->tried = true;
	if (open_way(a, db, 0, uuid, &epoch) == PG_OK && !strcmp(uuid, a->uuid) && epoch == a->epoch)
		a->ways = ADMITTING_WAYS;
	else
		pg_close(db);
	return a->ways == ADMITTING_WAYS;
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
