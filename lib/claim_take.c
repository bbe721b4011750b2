/* What came of a claim, row by row. */
#include <string.h>

#include "claim_int.h"
#include "err.h"

enum { WARNINGS = 10 };

enum {
	C_NO, C_CLAIMED, C_STATE, C_N, C_RUN, C_ATTEMPT, C_WAIT, C_TENANT, C_JOB_ID, C_DOC_KEY, C_PRIO, C_REQUEST,
	C_LINE, C_GATES, C_LANE, C_WHOLE, C_FULL, C_NOS, C_JOB_IDS, C_DOC_KEYS, C_REQUESTS
};

struct text {
	const char *p;
	size_t len;
};

/* One job that is ours now; line.p NULL: it is fed its request. */
struct claimed {
	int64_t no;
	struct text job_id, doc_key, request, line;
	const char *gates;
	bool in_run;
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
	f->in_run = c->in_run;
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
	    text(db, row, C_LINE), text(db, row, C_GATES).p, false };

	feed_job(fs, db, feed, row, &c);
}

/* New ones that lie in one row of job_many. Without numbers: from the row's own on. */
static size_t
feed_many(const struct claim *by, struct feed *feed, int row)
{
	struct flights *fs = by->flights;
	const struct pg *db = fs->lease->db;
	struct pg_list no, job_id, doc_key, request;
	struct claimed c = { .no = pg_i64(db, row, C_NO) - 1, .in_run = by->runs };
	bool run = pg_null(db, row, C_NOS);
	size_t n;

	pg_list(db, row, C_NOS, &no);
	pg_list(db, row, C_JOB_IDS, &job_id);
	pg_list(db, row, C_DOC_KEYS, &doc_key);
	pg_list(db, row, C_REQUESTS, &request);
	if ((!run && no.n != request.n) || job_id.n != request.n || (doc_key.n && doc_key.n != request.n))
		die(XBUG, "the ledger claims %zu jobs and gives %zu names, %zu documents, %zu requests", no.n, job_id.n, doc_key.n, request.n);
	for (n = request.n; request.n; ) {
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
	return n;
}

/* Rows come in the order in which jobs were asked for. */
static void
up_to(struct claim *c, int64_t no)
{
	size_t i = c->said;

	while (i < c->n && c->no[i] != no)
		i++;
	if (i == c->n)
		die(XBUG, "the ledger answers for a job that was not asked for: no=%lld", (long long)no);
	claim_forget_to(c, i);
}

void
claim_take_in(struct claim *c, struct feed *feed, int row, int64_t now)
{
	const struct pg *db = c->flights->lease->db;
	struct dispatch *d = &c->flights->lease->jobs;
	int64_t no = pg_i64(db, row, C_NO);

	if (!pg_null(db, row, C_FULL))
		dispatch_full(d, (int)pg_i64(db, row, C_FULL));
	up_to(c, no);
	if (!pg_null(db, row, C_REQUESTS)) {
		c->said += feed_many(c, feed, row);
		return;
	}
	c->said++;
	if (pg_bool(db, row, C_CLAIMED)) {
		dispatch_counts(d, no, (int)pg_i64(db, row, C_LANE), (int)pg_i64(db, row, C_WHOLE));
		feed_one(c->flights, db, feed, row);
	} else if (!strcmp(pg_bytes(db, row, C_STATE, NULL), "queued") && lease_owns(c->flights->lease, no)) {
		if (!pg_null(db, row, C_LANE))  /* which may be younger than our reading of it */
			dispatch_counts(d, no, (int)pg_i64(db, row, C_LANE), (int)pg_i64(db, row, C_WHOLE));
		dispatch_again(d, no, (int)pg_i64(db, row, C_N), -1, pg_i64(db, row, C_WAIT), now);
	} else
		dispatch_forget(d, no);         /* cancelled meanwhile, or given away while it was tried again */
}

void
claim_forget_to(struct claim *c, size_t end)
{
	static unsigned warned;

	for (; c->said < end; c->said++) {
		if (warned++ < WARNINGS)
			warn("the ledger has no such job any more: no=%lld", (long long)c->no[c->said]);
		dispatch_forget(&c->flights->lease->jobs, c->no[c->said]);
	}
}
