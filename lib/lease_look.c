/* What a worker reads: jobs, nudges, stops, limits and the room in them. */
#include <limits.h>
#include <string.h>

#include "err.h"
#include "lease_int.h"

enum { C_KIND, C_NO, C_PRIO, C_N, C_SUSPECT, C_WAIT, C_AGE, C_LANE };

static const char look_sql[] = "select kind, no, prio, n, suspect, wait_ms, age_ms, lane from "
    "sluice.look($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11)";

static bool
news(const struct lease *l, const struct lane *lane)
{
	return lane->held != lane->told || lane->parked.n || lane->waits || !lane->asked || lane == l->jobs.lanes.whole;
}

/* The oldest job that waits for room in a lane, or 0. */
static int64_t
waiting(const struct lease *l, const struct lane *lane)
{
	const struct heap *h = lane == l->jobs.lanes.whole ? &l->jobs.ready : &lane->parked;

	return lane->room <= 0 && h->n ? h->at[0].no : 0;
}

void
lease_put_lanes(const struct lease *l, struct pg_args *a, bool waits)
{
	const struct lanes *ls = &l->jobs.lanes;
	int id = pg_array(a, PG_INT4), held = pg_array(a, PG_INT4), wait = waits ? pg_array(a, PG_INT8) : 0;

	for (size_t i = 0; i < ls->n; i++) {
		if (!news(l, ls->lane[i]))
			continue;
		pg_put_i64(a, id, ls->lane[i]->id);
		pg_put_i64(a, held, ls->lane[i]->held);
		if (waits)
			pg_put_i64(a, wait, waiting(l, ls->lane[i]));
	}
}

void
lease_told(struct lease *l)
{
	for (size_t i = 0; i < l->jobs.lanes.n; i++)
		l->jobs.lanes.lane[i]->told = l->jobs.lanes.lane[i]->held;
}

/* All that is not in flight is read again, with the lane that it is in now. */
static void
new_limits(struct lease *l, int64_t number, int whole)
{
	int64_t low[DISPATCH_PRIOS];

	lease_low(l, low);
	dispatch_limits(&l->jobs, whole);
	for (int p = 0; p < DISPATCH_PRIOS; p++) {
		if (l->mark[p] > l->catch_up[p])
			l->catch_up[p] = l->mark[p];
		if (low[p] < l->mark[p])
			l->mark[p] = low[p];
	}
	l->limits = number;
	l->read_now = true;
}

static void
room(struct lease *l, int row)
{
	int64_t n = pg_null(l->db, row, C_N) ? INT_MAX : pg_i64(l->db, row, C_N);

	dispatch_room(&l->jobs, (int)pg_i64(l->db, row, C_LANE), (int)n);
}

static bool
add(struct lease *l, int row, int64_t now)
{
	return dispatch_add(&l->jobs, pg_i64(l->db, row, C_NO), (int)pg_i64(l->db, row, C_PRIO), (int)pg_i64(l->db, row, C_N),
	    (int)pg_i64(l->db, row, C_SUSPECT), pg_i64(l->db, row, C_AGE), pg_i64(l->db, row, C_WAIT),
	    (int)pg_i64(l->db, row, C_LANE), now);
}

/* Jobs with numbers in sequence, of which those in our slots are ours. */
static bool
add_many(struct lease *l, int row, int64_t now)
{
	int64_t no = pg_i64(l->db, row, C_NO), end = no + pg_i64(l->db, row, C_N), age = pg_i64(l->db, row, C_AGE);
	uint64_t slots = (uint64_t)pg_i64(l->db, row, C_WAIT);
	int prio = (int)pg_i64(l->db, row, C_PRIO), lane = (int)pg_i64(l->db, row, C_LANE);
	bool any = false;

	for (; no < end; no++)
		if (slots >> (no % DISPATCH_SLOTS) & 1)
			any |= dispatch_add(&l->jobs, no, prio, 0, 0, age, 0, lane, now);
	return any;
}

static void
stop(struct lease *l, int row)
{
	l->stopped = pg_i64(l->db, row, C_AGE);
	if (l->stop)
		l->stop(pg_i64(l->db, row, C_NO), (int)pg_i64(l->db, row, C_N));
}

/* Returns how far this look is from having seen all: true, look again at once. */
static bool
take_in(struct lease *l, int64_t now)
{
	int64_t from[DISPATCH_PRIOS];
	bool paused = false, more = false;

	memcpy(from, l->mark, sizeof(from));
	for (int i = 0; i < pg_rows(l->db); i++) {
		const char *kind = pg_bytes(l->db, i, C_KIND, NULL);
		int64_t no = pg_i64(l->db, i, C_NO);

		if (!strcmp(kind, "mark"))
			l->mark[pg_i64(l->db, i, C_PRIO)] = no;
		else if (!strcmp(kind, "nudge"))
			l->nudge = no;
		else if (!strcmp(kind, "paused"))
			paused = true;
		else if (!strcmp(kind, "room"))
			room(l, i);
		else if (!strcmp(kind, "stop"))
			stop(l, i);
		else if (!strcmp(kind, "limits")) {
			new_limits(l, no, (int)pg_i64(l->db, i, C_LANE));
			more = true;
		} else if (!strcmp(kind, "jobs"))
			more |= add_many(l, i, now);
		else
			more |= add(l, i, now);
	}
	if (paused != l->paused)
		info("%s: pipeline=%s", paused ? "paused" : "resumed", l->pipeline);
	l->paused = paused;
	return more || memcmp(from, l->mark, sizeof(from));
}

enum pg_status
lease_look(struct lease *l, int64_t now)
{
	struct pg_args *a = &l->args;
	enum pg_status st;
	int mark, want;

	pg_args_reset(a);
	pg_put_i64(a, pg_scalar(a, PG_INT8), l->worker);
	pg_puts(a, pg_scalar(a, PG_TEXT), l->pipeline);
	pg_put_i64(a, pg_scalar(a, PG_INT8), (int64_t)(l->mask & ~l->giving));
	mark = pg_array(a, PG_INT8);
	want = pg_array(a, PG_INT4);
	l->sated = false;
	for (int p = 0; p < DISPATCH_PRIOS; p++) {
		bool reads = l->jobs.ready_n[p] < READ_MOST || l->mark[p] < l->catch_up[p];

		l->sated |= !reads;
		pg_put_i64(a, mark, l->mark[p]);
		pg_put_i64(a, want, reads ? READ_MOST : 0);
	}
	pg_put_i64(a, pg_scalar(a, PG_INT8), l->nudge);
	pg_put_i64(a, pg_scalar(a, PG_INT8), l->stopped);
	pg_put_i64(a, pg_scalar(a, PG_INT8), l->limits);
	lease_put_lanes(l, a, true);
	st = pg_call(l->db, look_sql, a);
	if (st != PG_OK)
		return st;
	for (size_t i = 0; i < l->jobs.lanes.n; i++)
		l->jobs.lanes.lane[i]->waits = waiting(l, l->jobs.lanes.lane[i]);
	lease_told(l);
	l->hinted = false;
	l->looked_at = now;
	l->read_now = false;
	l->more = take_in(l, now);
	return PG_OK;
}

void
lease_hint(struct lease *l)
{
	l->hinted = true;
}
