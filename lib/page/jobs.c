#include <string.h>

#include "esc.h"
#include "filter.h"
#include "frame.h"
#include "when.h"

static void
status(struct buf *out, const struct rec *r)
{
	double percent = fill_num(r, "progress", -1);

	frame_state(out, r, "status");
	buf_adds(out, "<span class=\"sub\">");
	if (rec_is(rec_get(r, "status"), "processing")) {
		fill(out, r, "{stage:40}");
		if (percent >= 0 && percent <= 100)
			buf_addf(out, " %d %%", (int)percent);
	} else if (rec_is(rec_get(r, "status"), "waiting")) {
		fill(out, r, "{gate:40}");
	} else if (rec_is(rec_get(r, "status"), "failed")) {
		static struct rec e;

		if (fill_in(&e, r, "error"))
			fill(out, &e, "{code:40}");
	}
	buf_adds(out, "</span>");
}

static bool
same(const struct rec_member *a, const struct rec_member *b)
{
	return a && b && a->val_len == b->val_len && memcmp(a->val, b->val, a->val_len) == 0;
}

static void
row(const struct page *p, const struct rec *r)
{
	struct buf *out = p->out;

	fill(out, r, "<tr data-key=\"{tenant} {job_id} {created_at}\"><th scope=\"row\">");
	frame_job(p, r);
	if (!same(rec_get(r, "doc_key"), rec_get(r, "job_id")))
		fill(out, r, "<span class=\"sub\">{doc_key:100}</span>");
	fill(out, r, "<span class=\"sub narrow\">{pipeline:60}, {priority}</span></th><td>");
	status(out, r);
	fill(out, r, "</td><td class=\"wide\">{pipeline:60}</td><td class=\"wide\">{priority}</td>");
	if (frame_all(p))
		fill(out, r, "<td class=\"wide\">{tenant:60}</td>");
	fill(out, r, "<td class=\"num wide\">{attempt:12}</td><td class=\"wide\">");
	when_ago(out, p->now_us, fill_time(r, "created_at"));
	buf_adds(out, "</td><td>");
	when_ago(out, p->now_us, fill_time(r, "updated_at"));
	buf_adds(out, "</td></tr>\n");
}

static void
count(const struct page *p, const struct page_filter *f, struct page_text total)
{
	static struct rec r;
	bool exact = true;

	if (!fill_rec(&r, total) || !fill_has(&r, "count"))
		return;
	rec_bool(rec_get(&r, "exact"), &exact);
	buf_addf(p->out, "<p class=\"dim\">%s", exact ? "" : "About ");
	fill_count(p->out, fill_num(&r, "count", 0));
	buf_adds(p->out, fill_num(&r, "count", 0) == 1 ? " job" : " jobs");
	buf_adds(p->out, filter_any(p, f) ? ", with these filters.</p>" : " in all.</p>");
}

static void
pager(const struct page *p, const struct page_filter *f, const char *next)
{
	bool later = f->cursor && *f->cursor;

	if (!later && !next)
		return;
	buf_adds(p->out, "<nav class=\"pager\" aria-label=\"Pages of the list\">");
	if (later) {
		buf_adds(p->out, "<a href=\"");
		filter_link(p, f, NULL);
		buf_adds(p->out, "\">First page</a>");
	}
	if (next) {
		buf_adds(p->out, "<a rel=\"next\" href=\"");
		filter_link(p, f, next);
		buf_adds(p->out, "\">Next page</a>");
	}
	buf_adds(p->out, "</nav>");
}

static void
list(const struct page *p, const struct page_text *rows, size_t n)
{
	static struct rec r;
	struct buf *out = p->out;

	buf_adds(out, "<table class=\"list\"><caption class=\"hide\">Jobs</caption><thead><tr><th scope=\"col\">Job</th><th scope=\"col\" class=\"c-state\">Status</th>"
	    "<th scope=\"col\" class=\"wide\">Pipeline</th><th scope=\"col\" class=\"wide\">Priority</th>");
	if (frame_all(p))
		buf_adds(out, "<th scope=\"col\" class=\"wide\">Tenant</th>");
	buf_adds(out, "<th scope=\"col\" class=\"num wide\">Attempt</th><th scope=\"col\" class=\"wide\">Admitted</th>"
	    "<th scope=\"col\" class=\"c-when\">Changed</th></tr></thead><tbody>\n");
	for (size_t i = 0; i < n; i++)
		if (fill_rec(&r, rows[i]))
			row(p, &r);
	buf_adds(out, "</tbody></table>");
}

void
page_jobs(const struct page *p, const struct page_filter *f, const struct page_text *rows, size_t n, const char *next,
    struct page_text total)
{
	frame_open(p, "Jobs", FRAME_JOBS, "/v1/events");
	buf_adds(p->out, "<h1>Jobs</h1>\n");
	filter_find(p, NULL, NULL);
	filter_form(p, f);
	buf_adds(p->out, "<section id=\"jobs\" data-live aria-label=\"Jobs\">");
	if (n)
		list(p, rows, n);
	else if (filter_any(p, f) || (f->cursor && *f->cursor))
		buf_adds(p->out, "<p class=\"empty\">No job matches. <a href=\"/ui/jobs\">All jobs</a></p>");
	else
		buf_adds(p->out, "<p class=\"empty\">No job yet: <code>sluice submit</code> or <code>POST /v1/jobs</code> brings one.</p>");
	pager(p, f, next);
	count(p, f, total);
	buf_adds(p->out, "</section>\n");
	frame_close(p);
}
