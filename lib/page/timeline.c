#include "esc.h"
#include "job.h"
#include "when.h"

/* What a step says besides its state. */
static void
detail(const struct page *p, const struct rec *r)
{
	static struct rec e;
	struct buf *out = p->out;

	if (fill_has(r, "worker"))
		fill(out, r, "worker <bdi>{worker:60}</bdi> ");
	if (fill_in(&e, r, "error"))
		fill(out, &e, "<b><bdi>{code:60}</bdi></b> <bdi>{message:300}</bdi> ");
	if (fill_time(r, "not_before") != WHEN_NONE) {
		buf_adds(out, rec_is(rec_get(r, "status"), "waiting") ? "until " : "not before ");
		when_at(out, p->now_us, fill_time(r, "not_before"));
	}
}

static void
step(const struct page *p, const struct rec *r, int64_t next)
{
	struct buf *out = p->out;
	int64_t at = fill_time(r, "at");

	fill(out, r, "<tr data-key=\"{n}\"><td>");
	when_at(out, p->now_us, at);
	buf_adds(out, "</td><th scope=\"row\">");
	frame_state(out, r, "status");
	buf_adds(out, "<span class=\"sub narrow\">");
	detail(p, r);
	buf_adds(out, "</span></th><td class=\"num\">");
	if (at != WHEN_NONE && next != WHEN_NONE)
		when_span(out, next - at);
	fill(out, r, "</td><td class=\"num wide\">{run:12}.{attempt:12}</td><td class=\"wide\">");
	detail(p, r);
	buf_adds(out, "</td></tr>\n");
}

static void
progress(const struct page *p, const struct rec *history)
{
	static struct rec list, r;
	struct buf *out = p->out;

	fill_list(&list, history, "progress");
	if (!list.n)
		return;
	buf_adds(out, "<details id=\"progress\"><summary>Progress that it told of</summary><table><caption class=\"hide\">Progress</caption>"
	    "<thead><tr><th scope=\"col\">At</th><th scope=\"col\">Stage</th><th scope=\"col\" class=\"num\">Done</th>"
	    "<th scope=\"col\">Text</th></tr></thead><tbody>");
	for (size_t i = list.n > 200 ? list.n - 200 : 0; i < list.n; i++) {
		if (!fill_item(&r, &list, i))
			continue;
		buf_adds(out, "<tr><td>");
		when_at(out, p->now_us, fill_time(&r, "at"));
		fill(out, &r, "</td><th scope=\"row\">{stage:60}</th><td class=\"num\">{percent:10} %</td><td>{text:300}</td></tr>");
	}
	buf_adds(out, "</tbody></table></details>");
}

void
job_timeline(const struct page *p, const struct rec *history)
{
	static struct rec list, r, after;
	struct buf *out = p->out;
	bool ended;

	fill_list(&list, history, "history");
	buf_adds(out, "<section id=\"timeline\" class=\"card\" data-live aria-labelledby=\"timeline-h\"><h2 id=\"timeline-h\">Timeline</h2>");
	if (!list.n)
		buf_adds(out, "<p class=\"empty\">Its history was pruned.</p>");
	else
		buf_adds(out, "<table class=\"list\"><caption class=\"hide\">What happened to the job, first to last</caption><thead><tr><th scope=\"col\">At</th>"
		    "<th scope=\"col\">Became</th><th scope=\"col\" class=\"num\">For</th><th scope=\"col\" class=\"num wide\">Run, attempt</th>"
		    "<th scope=\"col\" class=\"wide\">With</th></tr></thead><tbody>\n");
	for (size_t i = 0; i < list.n && i < 2000; i++) {
		if (!fill_item(&r, &list, i))
			continue;
		ended = rec_is(rec_get(&r, "status"), "completed") || rec_is(rec_get(&r, "status"), "failed") ||
		    rec_is(rec_get(&r, "status"), "cancelled");
		step(p, &r, fill_item(&after, &list, i + 1) ? fill_time(&after, "at") : ended ? WHEN_NONE : p->now_us);
	}
	if (list.n)
		buf_adds(out, "</tbody></table>");
	progress(p, history);
	buf_adds(out, "</section>\n");
}
