/* find.c - to a job's page by its id, as people paste it. */
#include <stdlib.h>
#include <string.h>

#include "api/views.h"
#include "percent.h"

/* The id without the blanks that pasting leaves around it, into c->part. */
static void
take_id(struct call *c)
{
	const char *p = web_param(c->r, "job_id");
	size_t n;

	c->part.len = 0;
	p = p ? p + strspn(p, " \t\r\n") : "";
	n = strlen(p);
	while (n && strchr(" \t\r\n", p[n - 1]))
		n--;
	buf_add(&c->part, p, n);
	buf_str(&c->part);
}

static void
again(struct call *c, unsigned status, const char *message)
{
	struct page p = page_begin(c);

	page_find(&p, c->part.p, message);
	page_end(c, status);
}

static void
found(void *ctx, enum pg_status st, struct pg *db)
{
	struct call *c = ctx;
	struct buf text = BUF_INIT;

	if (!view_good(c, st, db))
		return;
	if (pg_rows(db)) {
		buf_adds(&text, "/ui/jobs/");
		percent_encode(&text, c->part.p, c->part.len);
		see(c, buf_str(&text), NULL);
	} else {
		buf_addf(&text, "There is no job %s of tenant %s.", c->part.p, call_tenant(c));
		again(c, 404, buf_str(&text));
	}
	buf_free(&text);
}

void
view_find(struct call *c)
{
	take_id(c);
	if (!c->part.len)
		again(c, 200, NULL);
	else if (!is_job_id(c->part.p, c->part.len))
		again(c, 400, "This is no job's id: one has 1 to 128 of A-Za-z0-9._:-");
	else
		pgpool_run(about_call(c, api_quick, "select no from sluice.api_job($1, $2)", found));
}
