/* info.c - workers, pipelines, numbers over time. */
#include "api/api.h"

static void
rows(struct call *c, const char *name, enum pg_status st, struct pg *db)
{
	if (st != PG_OK) {
		problem_db(c, st, db);
		return;
	}
	buf_addf(&c->out, "{\"%s\":[", name);
	for (int i = 0; i < pg_rows(db); i++) {
		size_t len;
		const char *body = pg_bytes(db, i, 0, &len);

		if (i)
			buf_addc(&c->out, ',');
		buf_add(&c->out, body, len);
	}
	buf_adds(&c->out, "]}");
	answer_json(c, 200);
}

static void
got_workers(void *ctx, enum pg_status st, struct pg *db)
{
	rows(ctx, "workers", st, db);
}

static void
got_pipelines(void *ctx, enum pg_status st, struct pg *db)
{
	rows(ctx, "pipelines", st, db);
}

static void
got_stats(void *ctx, enum pg_status st, struct pg *db)
{
	if (st != PG_OK)
		problem_db(ctx, st, db);
	else
		answer_column(ctx, 200, db, 0);
}

static struct pgcall *
of_tenant(struct call *c, const char *sql, pgpool_done *done)
{
	struct pgcall *q = pgpool_call(api_slow, sql, done, c);

	pg_puts(&q->args, pg_scalar(&q->args, PG_TEXT), c->tenant);
	return q;
}

void
workers_list(struct call *c)
{
	pgpool_run(of_tenant(c, "select sluice.api_workers($1)", got_workers));
}

void
pipelines_list(struct call *c)
{
	pgpool_run(of_tenant(c, "select sluice.api_pipelines($1)", got_pipelines));
}

void
stats_get(struct call *c)
{
	int64_t minutes;
	struct pgcall *q;

	if (param_number(c, "minutes", 60, 1, 1440, &minutes) < 0)
		return;
	q = of_tenant(c, "select sluice.api_stats($1, $2)", got_stats);
	pg_put_i64(&q->args, pg_scalar(&q->args, PG_INT4), minutes);
	pgpool_run(q);
}
