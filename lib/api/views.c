/* views.c - each page: what it asks the ledger for, one call after the other, and then
 * the page itself (page/page.h). */
#include "api/views.h"

#include <stdlib.h>
#include <string.h>

#include "api/lists.h"
#include "api/wires.h"
#include "json.h"

/* Texts of a result, copied. */
struct rows {
	struct buf bytes;
	struct page_text *row;
	size_t n;
};

struct view {
	struct rows a, b;
	struct buf text;
	struct list list;
};

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

static struct view *
view(struct call *c)
{
	if (!c->state) {
		c->state = mem_zalloc(sizeof(struct view));
		c->drop = drop;
	}
	return c->state;
}

static void
keep(struct rows *r, const struct pg *db, int col)
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

static void
keep_text(struct buf *b, const struct pg *db)
{
	size_t len;
	const char *p = pg_bytes(db, 0, 0, &len);

	b->len = 0;
	buf_add(b, p, len);
}

/* True when the rows are there; otherwise it was answered. */
static bool
good(struct call *c, enum pg_status st, struct pg *db)
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
	struct view *v = view(c);
	struct page p;

	if (!good(c, st, db))
		return;
	keep(&v->b, db, 0);
	p = page_begin(c);
	page_overview(&p, (struct page_text){ v->text.p, v->text.len }, v->a.row, v->a.n, v->b.row, v->b.n);
	page_end(c, 200);
}

static void
overview_pipelines(void *ctx, enum pg_status st, struct pg *db)
{
	struct call *c = ctx;

	if (!good(c, st, db))
		return;
	keep(&view(c)->a, db, 0);
	pgpool_run(of_tenant(c, workers_sql, overview_workers));
}

static void
overview_stats(void *ctx, enum pg_status st, struct pg *db)
{
	struct call *c = ctx;

	if (!good(c, st, db))
		return;
	keep_text(&view(c)->text, db);
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
workers(void *ctx, enum pg_status st, struct pg *db)
{
	struct call *c = ctx;
	struct page p;

	if (!good(c, st, db))
		return;
	keep(&view(c)->a, db, 0);
	p = page_begin(c);
	page_workers(&p, view(c)->a.row, view(c)->a.n);
	page_end(c, 200);
}

void
view_workers(struct call *c)
{
	pgpool_run(of_tenant(c, workers_sql, workers));
}

static void
pipelines(void *ctx, enum pg_status st, struct pg *db)
{
	struct call *c = ctx;
	struct page p;

	if (!good(c, st, db))
		return;
	keep(&view(c)->a, db, 0);
	p = page_begin(c);
	page_pipelines(&p, view(c)->a.row, view(c)->a.n);
	page_end(c, 200);
}

void
view_pipelines(struct call *c)
{
	pgpool_run(of_tenant(c, pipelines_sql, pipelines));
}

/* Of limit + 1 rows the last one only says that there are more: then the number of the
 * one before is the next page's cursor. */
static const char *
next_cursor(struct rows *r, const struct pg *db, int64_t limit, struct buf *b)
{
	if ((int64_t)r->n <= limit)
		return NULL;
	r->n = (size_t)limit;
	buf_addf(b, "%lld", (long long)pg_i64(db, (int)limit - 1, 0));
	return buf_str(b);
}

static void
jobs(void *ctx, enum pg_status st, struct pg *db)
{
	struct call *c = ctx;
	struct view *v = view(c);
	struct page_filter f;
	struct page p;

	if (!good(c, st, db))
		return;
	keep(&v->a, db, 1);
	f = (struct page_filter){ v->list.status, web_param(c->r, "pipeline"), c->tenant, web_param(c->r, "doc_key"), v->list.priority,
		v->list.since, v->list.until, v->list.sort, web_param(c->r, "limit"), web_param(c->r, "cursor") };
	p = page_begin(c);
	page_jobs(&p, &f, v->a.row, v->a.n, next_cursor(&v->a, db, v->list.limit, &v->text), (struct page_text){ NULL, 0 });
	page_end(c, 200);
}

void
view_jobs(struct call *c)
{
	struct pgcall *q = list_call(c, &view(c)->list, jobs);

	if (q)
		pgpool_run(q);
}

static void
logs(void *ctx, enum pg_status st, struct pg *db)
{
	struct call *c = ctx;
	struct view *v = view(c);
	struct page_log *log;
	struct page p;
	size_t n;

	if (!good(c, st, db))
		return;
	n = (size_t)pg_rows(db);
	log = mem_array(NULL, n + 1, sizeof(*log));
	for (size_t i = 0; i < n; i++) {
		log[i].run = (unsigned)pg_i64(db, (int)i, 0);
		log[i].attempt = (unsigned)pg_i64(db, (int)i, 1);
		log[i].at = pg_bytes(db, (int)i, 2, NULL);
		log[i].p = pg_bytes(db, (int)i, 3, &log[i].len);
	}
	p = page_begin(c);
	page_job(&p, (struct page_text){ v->text.p, v->text.len }, log, n);
	page_end(c, 200);
	free(log);
}

static void
history(void *ctx, enum pg_status st, struct pg *db)
{
	struct call *c = ctx;

	if (!good(c, st, db))
		return;
	if (pg_rows(db) == 0 || pg_null(db, 0, 0)) {
		problem(c, 404, "no_job", "id", "There is no job of that id.");
		return;
	}
	keep_text(&view(c)->text, db);
	pgpool_run(logs_call(c, logs));
}

void
view_job(struct call *c)
{
	if (part_is_id(c))
		pgpool_run(about_call(c, api_slow, "select sluice.api_history($1, $2)", history));
}

static void
dead(void *ctx, enum pg_status st, struct pg *db)
{
	struct call *c = ctx;
	struct view *v = view(c);
	struct page p;

	if (!good(c, st, db))
		return;
	keep(&v->a, db, 1);
	p = page_begin(c);
	page_dead(&p, web_param(c->r, "kind"), web_param(c->r, "code"), web_param(c->r, "cursor"), v->a.row, v->a.n,
	    next_cursor(&v->a, db, v->list.limit, &v->text));
	page_end(c, 200);
}

void
view_dead(struct call *c)
{
	struct pgcall *q = dead_call(c, &view(c)->list, dead);

	if (q)
		pgpool_run(q);
}

static void
letter(void *ctx, enum pg_status st, struct pg *db)
{
	struct call *c = ctx;
	struct page p;

	if (!good(c, st, db))
		return;
	if (pg_rows(db) == 0 || pg_null(db, 0, 0)) {
		problem(c, 404, "no_dead_letter", "no", "There is no dead letter of that number.");
		return;
	}
	keep_text(&view(c)->text, db);
	p = page_begin(c);
	page_dead_one(&p, (struct page_text){ view(c)->text.p, view(c)->text.len });
	page_end(c, 200);
}

void
view_dead_one(struct call *c)
{
	if (part_is_number(c))
		pgpool_run(letter_call(c, letter));
}
