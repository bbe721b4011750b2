/* lists.c - jobs and dead letters by filters, page by page. */
#include "api/lists.h"

#include <stdlib.h>

enum { LIMIT = 50, LIMIT_MAX = 500 };

struct pgcall *
about_call(struct call *c, struct pgpool *pool, const char *sql, pgpool_done *done)
{
	struct pgcall *q = pgpool_call(pool, sql, done, c);

	pg_puts(&q->args, pg_scalar(&q->args, PG_TEXT), call_tenant(c));
	pg_put(&q->args, pg_scalar(&q->args, PG_TEXT), c->part.p, c->part.len);
	return q;
}

static void
put_number(struct pgcall *q, enum pg_type type, int64_t v)
{
	int i = pg_scalar(&q->args, type);

	if (v)
		pg_put_i64(&q->args, i, v);
	else
		pg_put_null(&q->args, i);
}

struct pgcall *
logs_call(struct call *c, pgpool_done *done)
{
	struct pgcall *q = about_call(c, api_slow, "select run::bigint, attempt::bigint, sluice.stamp(at), log, "
	    "(select array_to_string(p.stages, ' ') from sluice.api_job($1, $2) j join sluice.pipeline p on p.pipeline = j.body::json ->> 'pipeline') "
	    "from sluice.api_logs($1, $2, $3)", done);

	put_number(q, PG_INT4, c->number);
	return q;
}

struct pgcall *
letter_call(struct call *c, pgpool_done *done)
{
	struct pgcall *q = pgpool_call(api_slow, "select sluice.api_dead_one($1, $2)", done, c);

	pg_puts(&q->args, pg_scalar(&q->args, PG_TEXT), c->tenant);
	pg_put_i64(&q->args, pg_scalar(&q->args, PG_INT8), c->number);
	return q;
}

static void
put_filters(struct call *c, struct pgcall *q, const struct list *l)
{
	const char *prio = l->priority;
	int i;

	pg_puts(&q->args, pg_scalar(&q->args, PG_TEXT), c->tenant);
	pg_puts(&q->args, pg_scalar(&q->args, PG_TEXT), l->status);
	pg_puts(&q->args, pg_scalar(&q->args, PG_TEXT), web_param(c->r, "pipeline"));
	pg_puts(&q->args, pg_scalar(&q->args, PG_TEXT), web_param(c->r, "doc_key"));
	i = pg_scalar(&q->args, PG_INT4);
	if (prio)
		pg_put_i64(&q->args, i, *prio == 'H' ? 0 : *prio == 'M' ? 1 : 2);
	else
		pg_put_null(&q->args, i);
	pg_puts(&q->args, pg_scalar(&q->args, PG_TEXT), l->since);
	pg_puts(&q->args, pg_scalar(&q->args, PG_TEXT), l->until);
}

struct pgcall *
list_call(struct call *c, struct list *l, pgpool_done *done)
{
	struct pgcall *q;

	if (param_number(c, "limit", LIMIT, 1, LIMIT_MAX, &l->limit) < 0 ||
	    param_number(c, "cursor", 0, 1, INT64_MAX, &l->cursor) < 0 || param_bool(c, "total", &l->total) < 0 ||
	    param_among(c, "status", " queued processing waiting completed failed cancelled unfinished ", &l->status) < 0 ||
	    param_among(c, "priority", " High Medium Low ", &l->priority) < 0 ||
	    param_among(c, "sort", " newest oldest ", &l->sort) < 0 ||
	    param_time(c, "since", &l->since) < 0 || param_time(c, "until", &l->until) < 0)
		return NULL;
	q = pgpool_call(api_slow, "select no, body from sluice.api_jobs($1, $2, $3, $4, $5, replace($6, ' ', '+')::timestamptz, "
	    "replace($7, ' ', '+')::timestamptz, $8, $9, $10)", done, c);
	put_filters(c, q, l);
	pg_puts(&q->args, pg_scalar(&q->args, PG_TEXT), l->sort ? l->sort : "newest");
	put_number(q, PG_INT8, l->cursor);
	pg_put_i64(&q->args, pg_scalar(&q->args, PG_INT4), l->limit + 1);
	return q;
}

struct pgcall *
dead_call(struct call *c, struct list *l, pgpool_done *done)
{
	struct pgcall *q;

	if (param_number(c, "limit", LIMIT, 1, LIMIT_MAX, &l->limit) < 0 ||
	    param_number(c, "cursor", 0, 1, INT64_MAX, &l->cursor) < 0 || param_among(c, "kind", " job record ", &l->kind) < 0)
		return NULL;
	q = pgpool_call(api_slow, "select no, body from sluice.api_dead($1, $2, $3, $4, $5)", done, c);
	pg_puts(&q->args, pg_scalar(&q->args, PG_TEXT), c->tenant);
	pg_puts(&q->args, pg_scalar(&q->args, PG_TEXT), l->kind);
	pg_puts(&q->args, pg_scalar(&q->args, PG_TEXT), web_param(c->r, "code"));
	put_number(q, PG_INT8, l->cursor);
	pg_put_i64(&q->args, pg_scalar(&q->args, PG_INT4), l->limit + 1);
	return q;
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
	q = pgpool_call(api_slow, "select count::bigint, exact from sluice.api_total($1, $2, $3, $4, $5, replace($6, ' ', '+')::timestamptz, "
	    "replace($7, ' ', '+')::timestamptz)", got_total, c);
	put_filters(c, q, l);
	pgpool_run(q);
}

void
job_list(struct call *c)
{
	struct list *l = c->state = mem_zalloc(sizeof(*l));
	struct pgcall *q = list_call(c, l, got_list);

	if (q)
		pgpool_run(q);
}

static void
got_dead(void *ctx, enum pg_status st, struct pg *db)
{
	struct call *c = ctx;
	const struct list *l = c->state;

	if (st != PG_OK) {
		problem_db(c, st, db);
		return;
	}
	rows_json(&c->out, "dead", db, l->limit);
	buf_addc(&c->out, '}');
	answer_json(c, 200);
}

void
dead_list(struct call *c)
{
	struct list *l = c->state = mem_zalloc(sizeof(*l));
	struct pgcall *q = dead_call(c, l, got_dead);

	if (q)
		pgpool_run(q);
}

static void
got_letter(void *ctx, enum pg_status st, struct pg *db)
{
	struct call *c = ctx;

	if (st != PG_OK)
		problem_db(c, st, db);
	else if (pg_rows(db) == 0 || pg_null(db, 0, 0))
		problem(c, 404, "no_dead_letter", "no", "there is no dead letter of that number");
	else
		answer_column(c, 200, db, 0);
}

void
dead_get(struct call *c)
{
	if (part_is_number(c))
		pgpool_run(letter_call(c, got_letter));
}
