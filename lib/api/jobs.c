/* jobs.c - reading jobs: one, many, its history, result and logs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "json.h"

enum { LIMIT = 50, LIMIT_MAX = 500 };

static void
no_job(struct call *c)
{
	problem(c, 404, "no_job", "id", "there is no job of that id");
}

/* A call about one job: its tenant and its id are the first arguments. */
static struct pgcall *
about(struct call *c, struct pgpool *pool, const char *sql, pgpool_done *done)
{
	struct pgcall *q = pgpool_call(pool, sql, done, c);

	pg_puts(&q->args, pg_scalar(&q->args, PG_TEXT), call_tenant(c));
	pg_put(&q->args, pg_scalar(&q->args, PG_TEXT), c->part.p, c->part.len);
	return q;
}

/* One of If-None-Match is tag. */
static bool
known_to_client(const struct call *c, const char *tag)
{
	const char *list = web_header(c->r, "If-None-Match");

	return list && (strcmp(list, "*") == 0 || strstr(list, tag));
}

static void
got_job(void *ctx, enum pg_status st, struct pg *db)
{
	struct call *c = ctx;
	char tag[64];

	if (st != PG_OK) {
		problem_db(c, st, db);
	} else if (pg_rows(db) == 0) {
		no_job(c);
	} else {
		snprintf(tag, sizeof(tag), "\"%lld-%lld-%lld\"", (long long)pg_i64(db, 0, 1), (long long)pg_i64(db, 0, 2),
		    (long long)pg_i64(db, 0, 3));
		web_add(c->r, "ETag", tag);
		if (known_to_client(c, tag))
			web_answer(c->r, 304, NULL, NULL);
		else
			answer_column(c, 200, db, 0);
	}
}

void
job_get(struct call *c)
{
	if (part_is_id(c))
		pgpool_run(about(c, api_quick, "select body, no, n, k from sluice.api_job($1, $2)", got_job));
}

static void
got_body(void *ctx, enum pg_status st, struct pg *db)
{
	struct call *c = ctx;

	if (st != PG_OK)
		problem_db(c, st, db);
	else if (pg_rows(db) == 0 || pg_null(db, 0, 0))
		no_job(c);
	else
		answer_column(c, 200, db, 0);
}

void
job_history(struct call *c)
{
	if (part_is_id(c))
		pgpool_run(about(c, api_slow, "select sluice.api_history($1, $2)", got_body));
}

static void
got_result(void *ctx, enum pg_status st, struct pg *db)
{
	struct call *c = ctx;

	if (st == PG_OK && (pg_rows(db) == 0 || pg_null(db, 0, 0)))
		problem(c, 404, "no_result", "id", "there is no job of that id, or it has not ended");
	else
		got_body(c, st, db);
}

void
job_result(struct call *c)
{
	if (part_is_id(c))
		pgpool_run(about(c, api_slow, "select sluice.api_result($1, $2)", got_result));
}

static void
logs_json(struct buf *out, const struct pg *db)
{
	buf_adds(out, "{\"logs\":[");
	for (int i = 0; i < pg_rows(db); i++) {
		size_t len;
		const char *log = pg_bytes(db, i, 3, &len);

		buf_addf(out, "%s{\"run\":%lld,\"attempt\":%lld,\"at\":", i ? "," : "", (long long)pg_i64(db, i, 0),
		    (long long)pg_i64(db, i, 1));
		json_quotes(out, pg_bytes(db, i, 2, NULL));
		buf_addf(out, ",\"bytes\":%zu,\"text\":", len);
		json_quote(out, log, len);
		buf_addc(out, '}');
	}
	buf_adds(out, "]}");
}

static void
logs_text(struct buf *out, const struct pg *db)
{
	for (int i = 0; i < pg_rows(db); i++) {
		size_t len;
		const char *log = pg_bytes(db, i, 3, &len);

		buf_addf(out, "== run %lld, attempt %lld, %s\n", (long long)pg_i64(db, i, 0), (long long)pg_i64(db, i, 1),
		    pg_bytes(db, i, 2, NULL));
		buf_add(out, log, len);
		if (len && log[len - 1] != '\n')
			buf_addc(out, '\n');
	}
}

static void
got_logs(void *ctx, enum pg_status st, struct pg *db)
{
	struct call *c = ctx;
	const char *accept = web_header(c->r, "Accept");
	bool text = accept && strncmp(accept, "text/plain", 10) == 0;

	if (st != PG_OK) {
		problem_db(c, st, db);
		return;
	}
	web_add(c->r, "Vary", "Accept");
	if (text)
		logs_text(&c->out, db);
	else
		logs_json(&c->out, db);
	web_answer(c->r, 200, text ? "text/plain; charset=utf-8" : "application/json", &c->out);
}

static void
exists(void *ctx, enum pg_status st, struct pg *db)
{
	struct call *c = ctx;
	struct pgcall *q;

	if (st != PG_OK) {
		problem_db(c, st, db);
	} else if (pg_rows(db) == 0) {
		no_job(c);
	} else {
		q = about(c, api_slow, "select run, attempt, sluice.stamp(at), log from sluice.api_logs($1, $2, $3)", got_logs);
		if (c->number)
			pg_put_i64(&q->args, pg_scalar(&q->args, PG_INT4), c->number);
		else
			pg_put_null(&q->args, pg_scalar(&q->args, PG_INT4));
		pgpool_run(q);
	}
}

void
job_logs(struct call *c)
{
	if (part_is_id(c) && param_number(c, "attempt", 0, 1, INT32_MAX, &c->number) == 0)
		pgpool_run(about(c, api_quick, "select no from sluice.api_job($1, $2)", exists));
}

/* A list: rows of (no, body), one more than asked for where there is more. */
struct list {
	int64_t limit;
	int64_t cursor;
	bool total;
	const char *status, *priority, *since, *until, *sort;
};

static void
put_filters(struct call *c, struct pgcall *q, const struct list *l)
{
	const char *prio = l->priority;

	pg_puts(&q->args, pg_scalar(&q->args, PG_TEXT), c->tenant);
	pg_puts(&q->args, pg_scalar(&q->args, PG_TEXT), l->status);
	pg_puts(&q->args, pg_scalar(&q->args, PG_TEXT), web_param(c->r, "pipeline"));
	pg_puts(&q->args, pg_scalar(&q->args, PG_TEXT), web_param(c->r, "doc_key"));
	if (prio)
		pg_put_i64(&q->args, pg_scalar(&q->args, PG_INT4), *prio == 'H' ? 0 : *prio == 'M' ? 1 : 2);
	else
		pg_put_null(&q->args, pg_scalar(&q->args, PG_INT4));
	pg_puts(&q->args, pg_scalar(&q->args, PG_TEXT), l->since);
	pg_puts(&q->args, pg_scalar(&q->args, PG_TEXT), l->until);
}

static void
got_total(void *ctx, enum pg_status st, struct pg *db)
{
	struct call *c = ctx;

	if (st != PG_OK) {
		problem_db(c, st, db);
		return;
	}
	buf_addf(&c->out, ",\"total\":{\"count\":%lld,\"exact\":%s}}", (long long)pg_i64(db, 0, 0),
	    pg_bool(db, 0, 1) ? "true" : "false");
	answer_json(c, 200);
}

static void
rows_json(struct buf *out, const char *name, const struct pg *db, int64_t limit)
{
	int n = pg_rows(db);

	buf_addf(out, "{\"%s\":[", name);
	for (int i = 0; i < n && i < limit; i++) {
		size_t len;
		const char *body = pg_bytes(db, i, 1, &len);

		if (i)
			buf_addc(out, ',');
		buf_add(out, body, len);
	}
	buf_adds(out, "],\"next\":");
	if (n > limit)
		buf_addf(out, "\"%lld\"", (long long)pg_i64(db, (int)limit - 1, 0));
	else
		buf_adds(out, "null");
}

static void
got_list(void *ctx, enum pg_status st, struct pg *db)
{
	struct call *c = ctx;
	const struct list *l = c->state;
	struct pgcall *q;

	if (st != PG_OK) {
		problem_db(c, st, db);
		return;
	}
	rows_json(&c->out, "jobs", db, l->limit);
	if (!l->total) {
		buf_addc(&c->out, '}');
		answer_json(c, 200);
		return;
	}
	q = pgpool_call(api_slow, "select count::bigint, exact from sluice.api_total($1, $2, $3, $4, $5, $6::timestamptz, "
	    "$7::timestamptz)", got_total, c);
	put_filters(c, q, l);
	pgpool_run(q);
}

void
job_list(struct call *c)
{
	struct list *l = c->state = mem_zalloc(sizeof(*l));
	struct pgcall *q;

	if (param_number(c, "limit", LIMIT, 1, LIMIT_MAX, &l->limit) < 0 ||
	    param_number(c, "cursor", 0, 1, INT64_MAX, &l->cursor) < 0 || param_bool(c, "total", &l->total) < 0 ||
	    param_among(c, "status", " queued processing waiting completed failed cancelled unfinished ", &l->status) < 0 ||
	    param_among(c, "priority", " High Medium Low ", &l->priority) < 0 ||
	    param_among(c, "sort", " newest oldest ", &l->sort) < 0 ||
	    param_time(c, "since", &l->since) < 0 || param_time(c, "until", &l->until) < 0)
		return;
	q = pgpool_call(api_slow, "select no, body from sluice.api_jobs($1, $2, $3, $4, $5, $6::timestamptz, $7::timestamptz, "
	    "$8, $9, $10)", got_list, c);
	put_filters(c, q, l);
	pg_puts(&q->args, pg_scalar(&q->args, PG_TEXT), l->sort ? l->sort : "newest");
	if (l->cursor)
		pg_put_i64(&q->args, pg_scalar(&q->args, PG_INT8), l->cursor);
	else
		pg_put_null(&q->args, pg_scalar(&q->args, PG_INT8));
	pg_put_i64(&q->args, pg_scalar(&q->args, PG_INT4), l->limit + 1);
	pgpool_run(q);
}

/* Dead letters: the same kind of list. */
static void
got_dead(void *ctx, enum pg_status st, struct pg *db)
{
	struct call *c = ctx;

	if (st != PG_OK) {
		problem_db(c, st, db);
		return;
	}
	rows_json(&c->out, "dead", db, c->number);
	buf_addc(&c->out, '}');
	answer_json(c, 200);
}

void
dead_list(struct call *c)
{
	const char *kind;
	int64_t cursor;
	struct pgcall *q;

	if (param_number(c, "limit", LIMIT, 1, LIMIT_MAX, &c->number) < 0 ||
	    param_number(c, "cursor", INT64_MAX, 1, INT64_MAX, &cursor) < 0 || param_among(c, "kind", " job record ", &kind) < 0)
		return;
	q = pgpool_call(api_slow, "select no, body from sluice.api_dead($1, $2, $3, $4, $5)", got_dead, c);
	pg_puts(&q->args, pg_scalar(&q->args, PG_TEXT), c->tenant);
	pg_puts(&q->args, pg_scalar(&q->args, PG_TEXT), kind);
	pg_puts(&q->args, pg_scalar(&q->args, PG_TEXT), web_param(c->r, "code"));
	pg_put_i64(&q->args, pg_scalar(&q->args, PG_INT8), cursor);
	pg_put_i64(&q->args, pg_scalar(&q->args, PG_INT4), c->number + 1);
	pgpool_run(q);
}

static void
got_letter(void *ctx, enum pg_status st, struct pg *db)
{
	struct call *c = ctx;

	if (st == PG_OK && (pg_rows(db) == 0 || pg_null(db, 0, 0)))
		problem(c, 404, "no_dead_letter", "no", "there is no dead letter of that number");
	else
		got_body(c, st, db);
}

void
dead_get(struct call *c)
{
	struct pgcall *q;

	if (!part_is_number(c))
		return;
	q = pgpool_call(api_slow, "select sluice.api_dead_one($1, $2)", got_letter, c);
	pg_puts(&q->args, pg_scalar(&q->args, PG_TEXT), c->tenant);
	pg_put_i64(&q->args, pg_scalar(&q->args, PG_INT8), c->number);
	pgpool_run(q);
}
