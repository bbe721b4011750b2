#include "lease.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "err.h"
#include "lease_int.h"

static const char begin_sql[] = "select sluice.worker_begin($1,$2,$3,$4,$5,$6,$7)";
static const char event_sql[] = "select sluice.pipeline_event($1,$2)";
static const char beat_sql[] = "select mask, taken, share, low[1], low[2], low[3] from sluice.worker_beat($1,$2,$3,$4,$5,$6,$7,$8)";
static const char give_sql[] = "select sluice.slots_release($1,$2,$3,$4)";
static const char end_sql[] = "select sluice.worker_end($1,$2,$3)";

static void
put_i64(struct lease *l, enum pg_type type, int64_t v)
{
	pg_put_i64(&l->args, pg_scalar(&l->args, type), v);
}

static void
put_us(struct lease *l)
{
	pg_args_reset(&l->args);
	put_i64(l, PG_INT8, l->worker);
	pg_puts(&l->args, pg_scalar(&l->args, PG_TEXT), l->pipeline);
}

static void
put_low(struct lease *l, const int64_t v[DISPATCH_PRIOS])
{
	int a = pg_array(&l->args, PG_INT8);

	for (int p = 0; p < DISPATCH_PRIOS; p++)
		pg_put_i64(&l->args, a, v[p]);
}

static void
put_or_null(struct lease *l, unsigned v)
{
	int a = pg_scalar(&l->args, PG_INT4);

	if (v)
		pg_put_i64(&l->args, a, v);
	else
		pg_put_null(&l->args, a);
}

void
lease_low(const struct lease *l, int64_t out[DISPATCH_PRIOS])
{
	memcpy(out, l->mark, sizeof(l->mark));
	dispatch_low(&l->jobs, out);
	for (int p = 0; l->giving && p < DISPATCH_PRIOS; p++)
		if (l->give_low[p] < out[p])
			out[p] = l->give_low[p];
}

enum pg_status
lease_begin(struct lease *l, struct pg *db, const char *name)
{
	char host[65] = "?";
	enum pg_status st;

	gethostname(host, sizeof(host) - 1);
	l->db = db;
	pg_args_reset(&l->args);
	pg_puts(&l->args, pg_scalar(&l->args, PG_TEXT), l->pipeline);
	pg_puts(&l->args, pg_scalar(&l->args, PG_TEXT), name);
	pg_puts(&l->args, pg_scalar(&l->args, PG_TEXT), host);
	put_i64(l, PG_INT4, getpid());
	put_i64(l, PG_INT4, LEASE_MS);
	put_or_null(l, l->most);
	put_or_null(l, l->deadline_s);
	st = pg_call(db, begin_sql, &l->args);
	if (st != PG_OK)
		return st;
	l->worker = pg_i64(db, 0, 0);
	pg_args_reset(&l->args);
	pg_puts(&l->args, pg_scalar(&l->args, PG_TEXT), l->pipeline);
	pg_puts(&l->args, pg_scalar(&l->args, PG_TEXT), l->event);
	return pg_call(db, event_sql, &l->args);
}

/* New slots: their jobs are read from where their last owner had ended them.
 * What we know already is skipped as it comes by. */
static void
took(struct lease *l, uint64_t taken)
{
	bool first = l->mask == taken;

	for (int p = 0; p < DISPATCH_PRIOS; p++) {
		int64_t from = pg_i64(l->db, 0, 3 + p);

		if (first) {
			l->mark[p] = from;
			continue;
		}
		if (l->mark[p] > l->catch_up[p])
			l->catch_up[p] = l->mark[p];
		if (from < l->mark[p])
			l->mark[p] = from;
	}
	l->nudge = 0;
	l->read_now = true;
	info("took slots: pipeline=%s worker=%lld n=%d all=%d", l->pipeline, (long long)l->worker,
	    __builtin_popcountll(taken), __builtin_popcountll(l->mask));
}

/* More slots than a fair share: the highest ones go, once nothing of theirs is in flight. */
static void
start_giving(struct lease *l, int surplus)
{
	lease_low(l, l->give_low);
	for (int s = DISPATCH_SLOTS - 1; s >= 0 && surplus > 0; s--)
		if (l->mask >> s & 1) {
			l->giving |= (uint64_t)1 << s;
			surplus--;
		}
	dispatch_drop(&l->jobs, l->giving);
}

static enum pg_status
beat(struct lease *l, int64_t now)
{
	static const struct lease_count none;
	const struct lease_count *c = l->count ? l->count : &none;
	int64_t ended[DISPATCH_PRIOS];
	enum pg_status st;
	uint64_t taken;
	int share;

	lease_low(l, ended);
	put_us(l);
	put_low(l, ended);
	put_i64(l, PG_INT4, LEASE_MS);
	put_i64(l, PG_INT4, c->in_flight);
	put_i64(l, PG_INT8, c->processed);
	put_i64(l, PG_INT8, c->failed);
	put_i64(l, PG_INT8, c->retried);
	st = pg_call(l->db, beat_sql, &l->args);
	if (st != PG_OK)
		return st;
	l->beat_at = now + BEAT_MS;
	l->mask = (uint64_t)pg_i64(l->db, 0, 0);
	taken = (uint64_t)pg_i64(l->db, 0, 1);
	share = (int)pg_i64(l->db, 0, 2);
	if (taken)
		took(l, taken);
	else if (!l->giving && __builtin_popcountll(l->mask) > share)
		start_giving(l, __builtin_popcountll(l->mask) - share);
	return PG_OK;
}

static enum pg_status
give(struct lease *l)
{
	enum pg_status st;

	put_us(l);
	put_i64(l, PG_INT8, (int64_t)l->giving);
	put_low(l, l->give_low);
	st = pg_call(l->db, give_sql, &l->args);
	if (st != PG_OK)
		return st;
	info("gave slots: pipeline=%s worker=%lld n=%d", l->pipeline, (long long)l->worker,
	    __builtin_popcountll(l->giving));
	l->mask &= ~l->giving;
	l->giving = 0;
	return PG_OK;
}

/* Who has a job may be told that it was cancelled, who has one to feed or a limit that there is room, who is
 * paused that he is no more: the others wait for hints, if they hear any. */
static unsigned
poll_ms(const struct lease *l)
{
	bool idle = l->hears && !l->paused && !l->jobs.ready.n && !l->jobs.lanes.n && l->count && !l->count->in_flight;

	return idle && l->poll_ms < LEASE_IDLE_MS ? LEASE_IDLE_MS : l->poll_ms;
}

/* When the next look is due. A hint is worth one only to who has nothing to feed; who left some
 * unread goes on when half is fed. */
static int64_t
look_at(const struct lease *l)
{
	bool wanting = (l->hinted && !l->jobs.ready.n) || (l->sated && l->jobs.ready.n < READ_MOST / 2);

	if (l->read_now)
		return l->looked_at;
	return l->looked_at + (wanting || l->more ? LOOK_MS : poll_ms(l));
}

/* Looks; *next: when to come again. */
static enum pg_status
look(struct lease *l, int64_t now, int64_t *next)
{
	bool hungry = !l->jobs.ready.n;
	enum pg_status st = lease_look(l, now);

	*next = hungry && l->jobs.ready.n ? now : look_at(l);
	return st;
}

enum pg_status
lease_tick(struct lease *l, uint64_t in_flight, int64_t now, int *wait_ms)
{
	enum pg_status st = PG_OK;
	int64_t next, look_next;

	if (now >= l->beat_at)
		st = beat(l, now);
	if (st == PG_OK && l->giving && !(l->giving & in_flight))
		st = give(l);
	look_next = look_at(l);
	if (st == PG_OK && l->mask && (now >= look_next || lanes_eager(&l->jobs.lanes, l->jobs.ready.n)))
		st = look(l, now, &look_next);
	next = l->beat_at < look_next || !l->mask ? l->beat_at : look_next;
	next = next > now ? next - now : 0;
	/* One that is due and can't be fed (a full window, a pause) is no reason to look again and again. */
	next = dispatch_due(&l->jobs, now) ? 0 : dispatch_wait(&l->jobs, now, next);
	if (next < *wait_ms)
		*wait_ms = (int)next;
	return st;
}

bool
lease_owns(const struct lease *l, int64_t no)
{
	return (l->mask & ~l->giving) >> (no % DISPATCH_SLOTS) & 1;
}

bool
lease_whole(const struct lease *l)
{
	return l->mask == UINT64_MAX && !l->giving;
}

enum pg_status
lease_end(struct lease *l)
{
	int64_t ended[DISPATCH_PRIOS];

	lease_low(l, ended);
	put_us(l);
	put_low(l, ended);
	return pg_call(l->db, end_sql, &l->args);
}
