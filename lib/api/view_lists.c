/* view_lists.c - the pages of jobs and of dead letters, and of one of them. */
#include <stdlib.h>

#include "api/views.h"

/* Of limit + 1 rows the last one only says that there are more: then it goes, and the number of
 * the one before is the next page's cursor. */
static const char *
next_cursor(struct rows *r, const struct pg *db, int64_t limit, struct buf *b)
{
	if ((int64_t)r->n <= limit)
		return NULL;
	r->n = (size_t)limit;
	buf_addf(b, "%lld", (long long)pg_i64(db, (int)limit - 1, 0));
	return buf_str(b);
}

/* A page of rows (no, body). */
static void
page(struct call *c, enum pg_status st, struct pg *db, void (*draw)(const struct page *, struct call *, const char *next))
{
	struct view *v = view_state(c);
	const char *next;
	struct page p;

	if (!view_good(c, st, db))
		return;
	view_keep(&v->a, db, 1);
	next = next_cursor(&v->a, db, v->list.limit, &v->text);
	p = page_begin(c);
	draw(&p, c, next);
	page_end(c, 200);
}

static void
draw_jobs(const struct page *p, struct call *c, const char *next)
{
	const struct view *v = view_state(c);
	struct page_filter f = { v->list.status, web_param(c->r, "pipeline"), c->tenant, web_param(c->r, "doc_key"), v->list.priority,
		v->list.since, v->list.until, v->list.sort, web_param(c->r, "limit"), web_param(c->r, "cursor") };

	page_jobs(p, &f, v->a.row, v->a.n, next, (struct page_text){ NULL, 0 });
}

static void
jobs(void *ctx, enum pg_status st, struct pg *db)
{
	page(ctx, st, db, draw_jobs);
}

void
view_jobs(struct call *c)
{
	struct pgcall *q = list_call(c, &view_state(c)->list, jobs);

	if (q)
		pgpool_run(q);
}

static void
logs(void *ctx, enum pg_status st, struct pg *db)
{
	struct call *c = ctx;
	struct view *v = view_state(c);
	struct page_log *log;
	struct page p;
	size_t n;

	if (!view_good(c, st, db))
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

	if (!view_good(c, st, db))
		return;
	if (pg_rows(db) == 0 || pg_null(db, 0, 0)) {
		problem(c, 404, "no_job", "id", "There is no job of that id.");
		return;
	}
	view_keep_text(&view_state(c)->text, db);
	pgpool_run(logs_call(c, logs));
}

void
view_job(struct call *c)
{
	if (part_is_id(c))
		pgpool_run(about_call(c, api_slow, "select sluice.api_history($1, $2)", history));
}

static void
draw_dead(const struct page *p, struct call *c, const char *next)
{
	const struct view *v = view_state(c);

	page_dead(p, web_param(c->r, "kind"), web_param(c->r, "code"), web_param(c->r, "cursor"), v->a.row, v->a.n, next);
}

static void
dead(void *ctx, enum pg_status st, struct pg *db)
{
	page(ctx, st, db, draw_dead);
}

void
view_dead(struct call *c)
{
	struct pgcall *q = dead_call(c, &view_state(c)->list, dead);

	if (q)
		pgpool_run(q);
}

static void
letter(void *ctx, enum pg_status st, struct pg *db)
{
	struct call *c = ctx;
	struct page p;

	if (!view_good(c, st, db))
		return;
	if (pg_rows(db) == 0 || pg_null(db, 0, 0)) {
		problem(c, 404, "no_dead_letter", "no", "There is no dead letter of that number.");
		return;
	}
	view_keep_text(&view_state(c)->text, db);
	p = page_begin(c);
	page_dead_one(&p, (struct page_text){ view_state(c)->text.p, view_state(c)->text.len });
	page_end(c, 200);
}

void
view_dead_one(struct call *c)
{
	if (part_is_number(c))
		pgpool_run(letter_call(c, letter));
}
