/* views.c - the pages about everything: what each asks the ledger for, one call after
 * the other, and then the page itself (page/page.h). */
#include "api/views.h"

#include <stdlib.h>

static void
drop(void *state)
{
	struct view *v = state;
	struct rows *r[] = { &v->a, &v->b };

	for (size_t i = 0; i < 2; i++) {
		buf_free(&r[i]->bytes);
		free(r[i]->row);
	}
	buf_free(&v->text);
	free(v);
}

struct view *
view_state(struct call *c)
{
	if (!c->state) {
		c->state = mem_zalloc(sizeof(struct view));
		c->drop = drop;
	}
	return c->state;
}

void
view_keep(struct rows *r, const struct pg *db, int col)
{
	size_t at = 0;

	r->n = (size_t)pg_rows(db);
	r->row = mem_array(NULL, r->n + 1, sizeof(*r->row));
	for (size_t i = 0; i < r->n; i++) {
		const char *p = pg_bytes(db, (int)i, col, &r->row[i].len);

		buf_add(&r->bytes, p, r->row[i].len);
	}
	for (size_t i = 0; i < r->n; i++) {
		r->row[i].p = r->bytes.p + at;
		at += r->row[i].len;
	}
}

void
view_keep_text(struct buf *b, const struct pg *db)
{
	size_t len;
	const char *p = pg_bytes(db, 0, 0, &len);

	b->len = 0;
	buf_add(b, p, len);
}

bool
view_good(struct call *c, enum pg_status st, struct pg *db)
{
	if (st != PG_OK)
		problem_db(c, st, db);
	return st == PG_OK;
}

static struct pgcall *
of_tenant(struct call *c, const char *sql, pgpool_done *done)
{
	struct pgcall *q = pgpool_call(api_slow, sql, done, c);

	pg_puts(&q->args, pg_scalar(&q->args, PG_TEXT), c->tenant);
	return q;
}

static const char pipelines_sql[] = "select sluice.api_pipelines($1)";
static const char workers_sql[] = "select sluice.api_workers($1)";

static void
overview_workers(void *ctx, enum pg_status st, struct pg *db)
{
	struct call *c = ctx;
	struct view *v = view_state(c);
	struct page p;

	if (!view_good(c, st, db))
		return;
	view_keep(&v->b, db, 0);
	p = page_begin(c);
	page_overview(&p, (struct page_text){ v->text.p, v->text.len }, v->a.row, v->a.n, v->b.row, v->b.n);
	page_end(c, 200);
}

static void
overview_pipelines(void *ctx, enum pg_status st, struct pg *db)
{
	struct call *c = ctx;

	if (!view_good(c, st, db))
		return;
	view_keep(&view_state(c)->a, db, 0);
	pgpool_run(of_tenant(c, workers_sql, overview_workers));
}

static void
overview_stats(void *ctx, enum pg_status st, struct pg *db)
{
	struct call *c = ctx;

	if (!view_good(c, st, db))
		return;
	view_keep_text(&view_state(c)->text, db);
	pgpool_run(of_tenant(c, pipelines_sql, overview_pipelines));
}

void
view_overview(struct call *c)
{
	struct pgcall *q = of_tenant(c, "select sluice.api_stats($1, $2)", overview_stats);

	pg_put_i64(&q->args, pg_scalar(&q->args, PG_INT4), 60);
	pgpool_run(q);
}

static void
rows(struct call *c, enum pg_status st, struct pg *db, void (*draw)(const struct page *, const struct page_text *, size_t))
{
	struct view *v = view_state(c);
	struct page p;

	if (!view_good(c, st, db))
		return;
	view_keep(&v->a, db, 0);
	p = page_begin(c);
	draw(&p, v->a.row, v->a.n);
	page_end(c, 200);
}

static void
workers(void *ctx, enum pg_status st, struct pg *db)
{
	rows(ctx, st, db, page_workers);
}

void
view_workers(struct call *c)
{
	pgpool_run(of_tenant(c, workers_sql, workers));
}

static void
pipelines(void *ctx, enum pg_status st, struct pg *db)
{
	rows(ctx, st, db, page_pipelines);
}

void
view_pipelines(struct call *c)
{
	pgpool_run(of_tenant(c, pipelines_sql, pipelines));
}
