#include "claim.h"

#include <string.h>

#include "err.h"

enum {
	C_NO, C_CLAIMED, C_STATE, C_N, C_RUN, C_ATTEMPT, C_WAIT, C_TENANT, C_JOB_ID, C_DOC_KEY, C_PRIO, C_REQUEST,
	C_LINE, C_GATES, C_LANE, C_WHOLE, C_FULL, C_NOS, C_JOB_IDS, C_DOC_KEYS, C_REQUESTS
};

#define CLAIM(as) "select no, claimed, state, n, run, attempt, wait_ms, tenant, job_id, doc_key, prio, " \
    "request, line, gates, lane, whole, \"full\", nos, job_ids, doc_keys, requests from sluice.claim_" as
static const char packed_sql[] = CLAIM("packed($1,$2,$3,$4,$5,$6,$7)"), runs_sql[] = CLAIM("runs($1,$2,$3,$4,$5)");

struct text {
	const char *p;
	size_t len;
};

/* One job that is ours now; line.p NULL: it is fed its request. */
struct claimed {
	int64_t no;
	struct text job_id, doc_key, request, line;
	const char *gates;
};

static struct text
text(const struct pg *db, int row, int col)
{
	struct text t = { NULL, 0 };

	if (!pg_null(db, row, col))
		t.p = pg_bytes(db, row, col, &t.len);
	return t;
}

static struct text
next(struct pg_list *l)
{
	struct text t;

	t.p = pg_list_next(l, &t.len);
	return t;
}

static void
copy(struct buf *to, struct text t)
{
	to->len = 0;
	if (t.len)
		buf_add(to, t.p, t.len);
	buf_str(to);
}

/* On its way to the filter. */
static void
feed_job(struct flights *fs, const struct pg *db, struct feed *feed, int row, const struct claimed *c)
{
	struct result_feed edited;
	struct text base = c->line.p ? c->line : c->request;
	size_t i = flight_new(fs);
	struct flight *f = &fs->f[i];
	struct result_job j;

	f->no = c->no;
	f->n = (int)pg_i64(db, row, C_N);
	f->run = (int)pg_i64(db, row, C_RUN);
	f->attempt = (int)pg_i64(db, row, C_ATTEMPT);
	f->prio = (int)pg_i64(db, row, C_PRIO);
	copy(&f->tenant, text(db, row, C_TENANT));
	copy(&f->job_id, c->job_id);
	copy(&f->doc_key, c->doc_key);
	copy(&f->request, c->request);
	j = flight_job(fs, i);
	j.gates = c->gates;
	if (result_feed(&edited, base.p, base.len, &j) < 0)
		die(XBUG, "the ledger holds a line that is no record: job=%s", f->job_id.p);
	if (feed)
		feed_put_edited(feed, i, edited.base, edited.c, RESULT_CHANGES);
}

static void
feed_one(struct flights *fs, const struct pg *db, struct feed *feed, int row)
{
	struct claimed c = { pg_i64(db, row, C_NO), text(db, row, C_JOB_ID), text(db, row, C_DOC_KEY), text(db, row, C_REQUEST),
	    text(db, row, C_LINE), text(db, row, C_GATES).p };

	feed_job(fs, db, feed, row, &c);
}

/* New ones that lie in one row of job_many. Without numbers: from the row's own on. */
static void
feed_many(struct flights *fs, const struct pg *db, struct feed *feed, int row)
{
	struct pg_list no, job_id, doc_key, request;
	struct claimed c = { .no = pg_i64(db, row, C_NO) - 1 };
	bool run = pg_null(db, row, C_NOS);

	pg_list(db, row, C_NOS, &no);
	pg_list(db, row, C_JOB_IDS, &job_id);
	pg_list(db, row, C_DOC_KEYS, &doc_key);
	pg_list(db, row, C_REQUESTS, &request);
	if ((!run && no.n != request.n) || job_id.n != request.n || (doc_key.n && doc_key.n != request.n))
		die(XBUG, "the ledger claims %zu jobs and gives %zu names, %zu documents, %zu requests", no.n, job_id.n, doc_key.n, request.n);
	while (request.n) {
		c.no = run ? c.no + 1 : pg_list_i64(&no);
		c.job_id = next(&job_id);
		c.doc_key = next(&doc_key);
		if (!c.doc_key.p)
			c.doc_key = c.job_id;
		c.request = next(&request);
		if (!c.job_id.p || !c.request.p)
			die(XBUG, "the ledger gives no name or no request: job no=%lld", (long long)c.no);
		dispatch_counts(&fs->lease->jobs, c.no, 0, 0);
		feed_job(fs, db, feed, row, &c);
	}
}

static void
take_in(struct claim *c, const struct pg *db, struct feed *feed, int row, int64_t now)
{
	struct dispatch *d = &c->flights->lease->jobs;
	int64_t no = pg_i64(db, row, C_NO);

	if (!pg_null(db, row, C_FULL))
		dispatch_full(d, (int)pg_i64(db, row, C_FULL));
	if (!pg_null(db, row, C_REQUESTS))
		feed_many(c->flights, db, feed, row);
	else if (pg_bool(db, row, C_CLAIMED)) {
		dispatch_counts(d, no, (int)pg_i64(db, row, C_LANE), (int)pg_i64(db, row, C_WHOLE));
		feed_one(c->flights, db, feed, row);
	} else if (!strcmp(pg_bytes(db, row, C_STATE, NULL), "queued") && lease_owns(c->flights->lease, no)) {
		if (!pg_null(db, row, C_LANE))  /* which may be younger than our reading of it */
			dispatch_counts(d, no, (int)pg_i64(db, row, C_LANE), (int)pg_i64(db, row, C_WHOLE));
		dispatch_again(d, no, (int)pg_i64(db, row, C_N), -1, pg_i64(db, row, C_WAIT), now);
	} else
		dispatch_forget(d, no);         /* cancelled meanwhile, or given away while it was tried again */
}

static void
begin(struct claim *c, int64_t now)
{
	c->tries++;
	c->st = pg_send(c->flights->lease->db, c->sql, &c->args);
	c->under_way = c->st == PG_OK;
	c->again_at = now + (20 << c->tries);
}

static enum pg_status
landed(struct claim *c, enum pg_status st, struct feed *feed, int64_t now)
{
	struct lease *l = c->flights->lease;

	c->sent = c->under_way = false;
	for (int i = 0; st == PG_OK && i < pg_rows(l->db); i++)
		take_in(c, l->db, feed, i, now);
	if (st == PG_OK)
		lease_told(l);
	return st;
}

/* Takes the next jobs out of dispatch: how many. */
static size_t
gather(struct claim *c, size_t want, int64_t now)
{
	struct flights *fs = c->flights;
	struct dispatch *d = &fs->lease->jobs;
	struct dispatch_job *j;

	if (want > c->cap)
		c->job = mem_array(c->job, c->cap = want, sizeof(*c->job));
	c->n = 0;
	while (c->n < want && !c->alone && (j = dispatch_peek(d, now))) {
		if (j->suspect >= CLAIM_ALONE && (c->n || fs->n))
			break;
		c->alone = j->suspect >= CLAIM_ALONE;
		c->job[c->n++] = (struct claim_job){ j->no, j->n };
		dispatch_take(d);
	}
	return c->n;
}

/* Whether what was gathered is runs of numbers, not too short, that nobody has had and no limit is for. */
static bool
in_runs(const struct claim *c)
{
	size_t runs = 1;

	for (size_t i = 0; i < c->n; i++) {
		if (c->job[i].n)
			return false;
		runs += i && c->job[i].no != c->job[i - 1].no + 1;
	}
	return !c->flights->lease->jobs.lanes.n && runs * CLAIM_RUN <= c->n;
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
	for (size_t i = 0; i < c->n; i++) {
		if (!i || c->job[i].no != c->job[i - 1].no + 1)
			pg_put_i64(&c->args, lo, c->job[i].no);
		if (i + 1 == c->n || c->job[i + 1].no != c->job[i].no + 1)
			pg_put_i64(&c->args, hi, c->job[i].no);
	}
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
	if (in_runs(c)) {
		c->sql = runs_sql;
		put_runs(c);
	} else {
		c->sql = packed_sql;
		for (size_t i = 0; i < c->n; i++) {
			pg_put_i64(&c->args, no, c->job[i].no);
			pg_put_i64(&c->args, n, c->job[i].n);
		}
	}
	/* What is held of lanes must not change between telling and having told. */
	if (l->jobs.lanes.n)
		return landed(c, pg_call_again(l->db, c->sql, &c->args), feed, now);
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
