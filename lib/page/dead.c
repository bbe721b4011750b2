#include "dump.h"
#include "esc.h"
#include "filter.h"
#include "frame.h"
#include "job.h"
#include "when.h"

static void
row(const struct page *p, const struct rec *r)
{
	struct buf *out = p->out;

	fill(out, r, "<tr data-key=\"{no}\"><th scope=\"row\"><a href=\"/ui/dead/{%no}\">Letter {no}</a><span class=\"sub\">");
	/* What never became a job has only the name of one. */
	if (rec_is(rec_get(r, "kind"), "record"))
		fill(out, r, "{job_id}");
	else
		frame_job(p, r);
	fill(out, r, "</span></th><td><span class=\"main\">{code:60}</span><span class=\"sub\">{kind:40}");
	if (fill_has(r, "stage"))
		fill(out, r, ", {stage:40}");
	if (fill_has(r, "superseded_as"))
		buf_adds(out, ", fed again");
	fill(out, r, "</span></td><td class=\"wide\">{message:160}</td>");
	if (frame_all(p))
		fill(out, r, "<td class=\"wide\">{tenant:60}</td>");
	buf_adds(out, "<td>");
	when_ago(out, p->now_us, fill_time(r, "at"));
	buf_adds(out, "</td></tr>\n");
}

static void
filters(const struct page *p, const char *kind, const char *code)
{
	static const char *const kinds[] = { "job", "record", NULL };
	struct buf *out = p->out;

	buf_adds(out, "<form class=\"filters\" method=\"get\" action=\"/ui/dead\" role=\"search\" aria-label=\"Filter the dead letters\">");
	filter_choice(out, "kind", "Kind", kinds, kind);
	buf_adds(out, "<label>Code <input name=\"code\" autocomplete=\"off\" spellcheck=\"false\" placeholder=\"any\" value=\"");
	esc_whole(out, code);
	buf_adds(out, "\"></label>");
	frame_ask(p, "Tenant", "any");
	buf_adds(out, "<span class=\"buttons\"><button class=\"first\">Filter</button>");
	if ((kind && *kind) || (code && *code) || (frame_all(p) && p->asked))
		buf_adds(out, "<a href=\"/ui/dead\">Clear</a>");
	buf_adds(out, "</span></form>\n");
}

static void
link_to(const struct page *p, const char *kind, const char *code, const char *cursor)
{
	struct buf *out = p->out;

	buf_adds(out, "/ui/dead?kind=");
	esc_urls(out, kind);
	buf_adds(out, "&amp;code=");
	esc_urls(out, code);
	frame_asked(p, out);
	if (cursor) {
		buf_adds(out, "&amp;cursor=");
		esc_urls(out, cursor);
	}
}

static void
pager(const struct page *p, const char *kind, const char *code, const char *cursor, const char *next)
{
	struct buf *out = p->out;
	bool later = cursor && *cursor;

	if (!later && !next)
		return;
	buf_adds(out, "<nav class=\"pager\" aria-label=\"Pages of the list\">");
	if (later) {
		buf_adds(out, "<a href=\"");
		link_to(p, kind, code, NULL);
		buf_adds(out, "\">First page</a>");
	}
	if (next) {
		buf_adds(out, "<a rel=\"next\" href=\"");
		link_to(p, kind, code, next);
		buf_adds(out, "\">Next page</a>");
	}
	buf_adds(out, "</nav>");
}

void
page_dead(const struct page *p, const char *kind, const char *code, const char *cursor, const struct page_text *rows, size_t n,
    const char *next)
{
	static struct rec r;
	struct buf *out = p->out;

	frame_open(p, "Dead letters", FRAME_DEAD, "/v1/events?status=failed");
	buf_adds(out, "<h1>Dead letters</h1>\n");
	filters(p, kind, code);
	buf_adds(out, "<section id=\"dead\" data-live aria-label=\"Dead letters\">");
	if (n) {
		buf_adds(out, "<table class=\"list\"><caption class=\"hide\">Dead letters</caption><thead><tr><th scope=\"col\">Letter</th>"
		    "<th scope=\"col\" class=\"c-state\">Code</th><th scope=\"col\" class=\"wide\">Message</th>");
		if (frame_all(p))
			buf_adds(out, "<th scope=\"col\" class=\"wide\">Tenant</th>");
		buf_adds(out, "<th scope=\"col\" class=\"c-when\">Came</th></tr></thead><tbody>\n");
		for (size_t i = 0; i < n; i++)
			if (fill_rec(&r, rows[i]))
				row(p, &r);
		buf_adds(out, "</tbody></table>");
	} else {
		buf_adds(out, (kind && *kind) || (code && *code) || (cursor && *cursor) || (frame_all(p) && p->asked)
		    ? "<p class=\"empty\">No dead letter matches. <a href=\"/ui/dead\">All of them</a></p>"
		    : "<p class=\"empty\">No dead letter here: nothing was refused.</p>");
	}
	pager(p, kind, code, cursor, next);
	buf_adds(out, "</section>\n");
	frame_close(p);
}
