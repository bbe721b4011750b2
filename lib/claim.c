#include "claim.h"

#include <stdlib.h>

#include "claim_int.h"
#include "runs.h"

#define CLAIM(as) "select no, claimed, state, n, run, attempt, wait_ms, tenant, job_id, doc_key, prio, " \
    "request, line, gates, lane, whole, \"full\", nos, job_ids, doc_keys, requests from sluice.claim_" as
static const char packed_sql[] = CLAIM("packed($1,$2,$3,$4,$5,$6,$7)"), runs_sql[] = CLAIM("runs($1,$2,$3,$4,$5)");

static const char *
sql(const struct claim *c)
{
	return c->runs ? runs_sql : packed_sql;
}

static void
begin(struct claim *c, int64_t now)
{
	c->tries++;
	c->st = pg_send(c->flights->lease->db, sql(c), &c->args);
	c->under_way = c->st == PG_OK;
	c->again_at = now + (20 << c->tries);
}

static enum pg_status
landed(struct claim *c, enum pg_status st, struct feed *feed, int64_t now)
{
	struct lease *l = c->flights->lease;

	c->sent = c->under_way = false;
	if (st != PG_OK)
		return st;
	c->said = 0;
	for (int i = 0; i < pg_rows(l->db); i++)
		claim_take_in(c, feed, i, now);
	claim_forget_to(c, c->n);
	lease_told(l);
	return PG_OK;
}

/* Takes the next jobs out of dispatch: how many. */
static size_t
gather(struct claim *c, size_t want, int64_t now)
{
	struct flights *fs = c->flights;
	struct dispatch *d = &fs->lease->jobs;
	struct dispatch_job *j;

	if (want > c->cap) {
		c->cap = want;
		c->no = mem_array(c->no, want, sizeof(*c->no));
		c->had = mem_array(c->had, want, sizeof(*c->had));
	}
	c->n = 0;
	while (c->n < want && !c->alone && (j = dispatch_peek(d, now))) {
		if (j->suspect >= CLAIM_ALONE && (c->n || fs->n))
			break;
		c->alone = j->suspect >= CLAIM_ALONE;
		c->no[c->n] = j->no;
		c->had[c->n++] = j->n;
		dispatch_take(d);
	}
	return c->n;
}

/* Whether they are runs that nobody has had, of a worker that has all slots, and no limit is for them. */
static bool
in_runs(const struct claim *c)
{
	const struct lease *l = c->flights->lease;

	for (size_t i = 0; i < c->n; i++)
		if (c->had[i])
			return false;
	return lease_whole(l) && !l->jobs.lanes.n && runs_fit(c->no, c->n);
}

static void
put_whose(struct claim *c)
{
	const struct lease *l = c->flights->lease;

	pg_args_reset(&c->args);
	pg_put_i64(&c->args, pg_scalar(&c->args, PG_INT8), l->worker);
	pg_puts(&c->args, pg_scalar(&c->args, PG_TEXT), l->pipeline);
}

static void
put_runs(struct claim *c)
{
	int lo, hi;

	put_whose(c);
	lo = pg_array(&c->args, PG_INT8);
	hi = pg_array(&c->args, PG_INT8);
	runs_put(&c->args, lo, hi, c->no, c->n);
	pg_put_i64(&c->args, pg_scalar(&c->args, PG_INT8), CLAIM_BYTES);
}

enum pg_status
claim_some(struct claim *c, struct feed *feed, size_t want, int64_t now)
{
	struct flights *fs = c->flights;
	struct lease *l = fs->lease;
	int no, n;

	if (c->sent)
		return PG_OK;
	if (want > fs->spare_n)
		want = fs->spare_n;
	c->alone = c->alone && fs->n;
	/* Few at a time would make a commit of each: let room gather first. */
	if (l->paused || c->alone || !want || (fs->n && (want < CLAIM_LEAST || want < fs->n / 3) && now < c->at))
		return PG_OK;
	put_whose(c);
	no = pg_array(&c->args, PG_INT8);
	n = pg_array(&c->args, PG_INT4);
	pg_put_i64(&c->args, pg_scalar(&c->args, PG_INT8), CLAIM_BYTES);
	lease_put_lanes(l, &c->args, false);    /* what is held without these */
	if (!gather(c, want, now))
		return PG_OK;
	c->at = now + CLAIM_MS;
	if ((c->runs = in_runs(c)))
		put_runs(c);
	for (size_t i = 0; i < c->n && !c->runs; i++) {
		pg_put_i64(&c->args, no, c->no[i]);
		pg_put_i64(&c->args, n, c->had[i]);
	}
	/* What is held of lanes must not change between telling and having told. */
	if (l->jobs.lanes.n)
		return landed(c, pg_call_again(l->db, sql(c), &c->args), feed, now);
	c->sent = true;
	c->tries = 0;
	begin(c, now);
	return PG_OK;
}

enum pg_status
claim_tick(struct claim *c, struct feed *feed, int64_t now, int *wait_ms)
{
	struct pg *db = c->flights->lease->db;

	if (!c->sent || (c->under_way && !pg_done(db)))
		return PG_OK;
	if (c->under_way) {
		c->st = pg_wait(db);
		c->under_way = false;
		c->again_at = now + (20 << c->tries);
	}
	if (c->st != PG_RETRY || c->tries >= PG_TRIES) {
		*wait_ms = 0;
		return landed(c, c->st, feed, now);
	}
	/* The lease may be told and look before it is tried again. */
	if (now >= c->again_at)
		begin(c, now);
	else if (c->again_at - now < *wait_ms)
		*wait_ms = (int)(c->again_at - now);
	return PG_OK;
}

enum pg_status
claim_end(struct claim *c, int64_t now)
{
	enum pg_status st;

	if (!c->under_way)
		return PG_OK;
	st = pg_wait(c->flights->lease->db);
	return st == PG_RETRY ? PG_OK : landed(c, st, NULL, now);
}

int64_t
claim_next(const struct claim *c, int64_t now, int64_t next)
{
	return c->flights->lease->jobs.ready.n && c->at > now && c->at < next ? c->at : next;
}

void
claim_release(struct claim *c)
{
	free(c->no);
	free(c->had);
	pg_args_free(&c->args);
}
