/* act.c - what changes a job: cancel, open, retry. */
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "hint.h"

/* What the ledger's function said it did, and what that is over HTTP. */
static const struct {
	const char *did;
	unsigned status;
	const char *code, *detail;
} outcomes[] = {
	{ "done", 200, NULL, NULL },
	{ "already", 200, NULL, NULL },
	{ "unknown", 404, "no_job", "there is no job of that id" },
	{ "ended", 409, "ended", "the job has ended" },
	{ "not_waiting", 409, "not_waiting", "the job does not wait at a gate" },
	{ "other_gate", 409, "other_gate", "the job waits at another gate" },
	{ "not_failed", 409, "not_failed", "only a job that failed can be run again" },
	{ "runs", 409, "runs", "the job has run three times: sluice retry --force runs it once more" },
	{ "newer_version", 409, "newer_version", "a newer version of the document is there" },
	{ "deleted", 409, "deleted", "the job's document was deleted" },
	{ "refused", 409, "refused", "the job can't be run again: see its history" },
};

/* Back to its page, which says what was done. */
static void
see_job(struct call *c, const char *did)
{
	struct buf path = BUF_INIT;
	const char *word = strstr(c->route->path, "/cancel") ? "cancelled" : strstr(c->route->path, "/open") ? "opened" : "retried";

	buf_addf(&path, "/ui/jobs/%s", c->part.p);
	see(c, path.p, strcmp(did, "already") == 0 ? did : word);
	buf_free(&path);
}

static void
acted(void *ctx, enum pg_status st, struct pg *db)
{
	struct call *c = ctx;
	const char *did = "unknown";

	if (st != PG_OK) {
		problem_db(c, st, db);
		return;
	}
	if (pg_rows(db))
		did = pg_bytes(db, 0, 0, NULL);
	for (size_t i = 0; i < sizeof(outcomes) / sizeof(*outcomes); i++) {
		if (strcmp(outcomes[i].did, did) != 0)
			continue;
		if (outcomes[i].code)
			problem(c, outcomes[i].status, outcomes[i].code, outcomes[i].status == 404 ? "id" : NULL, "%s", outcomes[i].detail);
		else if (c->route->page)
			see_job(c, did);
		else
			answer_column(c, outcomes[i].status, db, 1);
		return;
	}
	problem(c, 409, "refused", NULL, "the ledger says: %s", did);
}

/* A hint may be lost. */
static void
hinted(void *none, enum pg_status st, struct pg *db)
{
	(void)none, (void)st, (void)db;
}

/* The job is ready for a worker: told in a statement of its own, for a commit with NOTIFY takes a
 * lock of the whole server. */
static void
hint(const struct pg *db)
{
	static struct rec r;
	static struct buf pipeline;
	struct pgcall *q;
	size_t len;
	const char *body = pg_bytes(db, 0, 1, &len);

	pipeline.len = 0;
	if (!body || rec_parse(&r, body, len) != REC_OK || rec_str(rec_get(&r, "pipeline"), &pipeline) < 0)
		return;
	q = pgpool_call(api_quick, "select pg_notify('" HINT_CHANNEL "', $1)::text", hinted, NULL);
	pg_put(&q->args, pg_scalar(&q->args, PG_TEXT), pipeline.p, pipeline.len);
	pgpool_run(q);
}

static void
acted_ready(void *ctx, enum pg_status st, struct pg *db)
{
	if (st == PG_OK && pg_rows(db) && strcmp(pg_bytes(db, 0, 0, NULL), "done") == 0)
		hint(db);
	acted(ctx, st, db);
}

static struct pgcall *
act(struct call *c, const char *sql, pgpool_done *done)
{
	struct pgcall *q = pgpool_call(api_quick, sql, done, c);

	pg_puts(&q->args, pg_scalar(&q->args, PG_TEXT), call_tenant(c));
	pg_put(&q->args, pg_scalar(&q->args, PG_TEXT), c->part.p, c->part.len);
	return q;
}

/* The string member of the body, or the form's field, into b; b is empty where there is
 * none. False: answered. */
static bool
word(struct call *c, const char *name, size_t most, struct buf *b)
{
	struct rec r = REC_INIT;
	const struct rec_member *m;
	bool good;

	b->len = 0;
	if (c->route->page) {
		form_field(c, name, b);
		return b->len <= most || (problem(c, 422, "bad_member", name, "%s is too long", name), false);
	}
	good = body_object(c, &r);
	for (size_t i = 0; good && i < r.n; i++)
		if (!rec_named(&r.m[i], name)) {
			problem(c, 422, "unknown_member", name, "the body may have the member %s, and no other", name);
			good = false;
		}
	m = good ? rec_get(&r, name) : NULL;
	if (m && m->type != 'n' && (rec_str(m, b) < 0 || b->len > most || memchr(b->p ? b->p : "", 0, b->len))) {
		problem(c, 422, "bad_member", name, "%s must be a string of at most %zu bytes", name, most);
		good = false;
	}
	rec_free(&r);
	return good;
}

void
job_cancel(struct call *c)
{
	struct buf reason = BUF_INIT;
	struct pgcall *q;

	if (part_is_id(c) && word(c, "reason", 1000, &reason)) {
		q = act(c, "select did, body from sluice.api_cancel($1, $2, $3)", acted);
		if (!reason.len)
			buf_addf(&reason, "client-request");
		pg_put(&q->args, pg_scalar(&q->args, PG_TEXT), reason.p, reason.len);
		pgpool_run(q);
	}
	buf_free(&reason);
}

void
job_open(struct call *c)
{
	struct buf gate = BUF_INIT, by = BUF_INIT;
	struct pgcall *q;
	int i;

	if (part_is_id(c) && word(c, "gate", 128, &gate)) {
		q = act(c, "select did, body from sluice.api_open($1, $2, $3, $4)", acted_ready);
		i = pg_scalar(&q->args, PG_TEXT);
		if (gate.len)
			pg_put(&q->args, i, gate.p, gate.len);
		else
			pg_put_null(&q->args, i);
		buf_addf(&by, "api:%s", c->who.name);
		pg_put(&q->args, pg_scalar(&q->args, PG_TEXT), by.p, by.len);
		pgpool_run(q);
	}
	buf_free(&gate);
	buf_free(&by);
}

void
job_retry(struct call *c)
{
	struct buf none = BUF_INIT;

	if (part_is_id(c) && word(c, "", 0, &none))
		pgpool_run(act(c, "select did, body from sluice.api_retry($1, $2)", acted_ready));
	buf_free(&none);
}
