#include "dump.h"
#include "esc.h"
#include "frame.h"
#include "job.h"
#include "when.h"

/* A request longer than this is no longer one to mend in a browser. */
enum { MEND_MOST = 256 << 10 };

static void
mend(const struct page *p, const struct rec *r)
{
	struct buf text = BUF_INIT;
	struct buf *out = p->out;
	bool there = rec_str(rec_get(r, "text"), &text) == 0 && text.len <= MEND_MOST;

	/* Between JSON's values, where alone it may stand, it is a blank. */
	for (size_t i = 0; i < text.len; i++)
		if (text.p[i] == '\r')
			text.p[i] = ' ';
	there = there && esc_same(buf_str(&text), text.len);

	fill(out, r, "<details id=\"mend\"><summary>Mend it first</summary><form class=\"stack\" method=\"post\" action=\"/ui/dead/{%dead}/feed");
	frame_tenant(p, r);
	buf_adds(out, "\"><label for=\"request\">The request, as it shall run</label>"
	    "<textarea id=\"request\" name=\"request\" rows=\"10\" spellcheck=\"false\" required>\n");
	if (there)
		esc_html(out, text.p, text.len, MEND_MOST);
	buf_adds(out, "</textarea><span class=\"buttons\"><button class=\"first\">Feed the mended request</button></span></form></details>\n");
	buf_free(&text);
}

static void
feed(const struct page *p, const struct rec *r)
{
	struct buf *out = p->out;

	if (!(p->may & PAGE_MAY_FEED))
		return;
	if (fill_has(r, "superseded_as")) {
		fill(out, r, "<p>It was fed again, as {superseded_as}.</p>");
		return;
	}
	fill(out, r, "<div class=\"actions\"><form method=\"post\" action=\"/ui/dead/{%dead}/feed");
	frame_tenant(p, r);
	buf_adds(out, "\"><button class=\"first\">Feed it again as it came</button></form></div>");
	mend(p, r);
}

static void
facts(const struct page *p, const struct rec *r)
{
	static struct rec in;
	struct buf *out = p->out;

	buf_adds(out, "<dl class=\"facts\">");
	if (fill_has(r, "job_id")) {
		buf_adds(out, "<div><dt>Job</dt><dd>");
		if (rec_is(rec_get(r, "kind"), "record"))
			fill(out, r, "<span class=\"id\">{job_id}</span>, which it never became");
		else
			frame_job(p, r);
		buf_adds(out, "</dd></div>");
	}
	frame_fact(out, r, "kind", "Kind", "{kind}");
	frame_fact(out, r, "tenant", "Tenant", "{tenant}");
	frame_fact(out, r, "run", "Run, attempt", "{run}, {attempt}");
	frame_fact(out, r, "generation", "Generation", "{generation}");
	frame_fact(out, r, "supersedes", "In the place of", "{supersedes}");
	if (fill_in(&in, r, "source"))
		fill(out, &in, "<div><dt>Came by</dt><dd>{topic} partition {partition} offset {offset}</dd></div>");
	if (fill_in(&in, r, "blob"))
		fill(out, &in, "<div><dt>Kept as blob</dt><dd>{length} bytes, sha256 {sha256:64}</dd></div>");
	frame_when(p, r, "at", "At");
	buf_adds(out, "</dl>");
}

void
page_dead_one(const struct page *p, struct page_text letter)
{
	static struct rec r, in;
	static struct buf title;
	struct buf *out = p->out;

	fill_rec(&r, letter);
	title.len = 0;
	fill(&title, &r, "Dead letter {dead}");
	frame_open(p, buf_str(&title), FRAME_DEAD, NULL);
	fill(out, &r, "<p class=\"crumb\"><a href=\"/ui/dead\">Dead letters</a></p><h1>Dead letter {dead}</h1>\n"
	    "<section class=\"card\" aria-labelledby=\"refused-h\"><h2 id=\"refused-h\">Why it was refused</h2>");
	if (fill_has(&r, "code"))
		job_error(out, &r);
	else if (fill_in(&in, &r, "error"))
		job_error(out, &in);
	facts(p, &r);
	feed(p, &r);
	buf_adds(out, "</section>\n<section class=\"card\" aria-labelledby=\"bytes-h\"><h2 id=\"bytes-h\">Its bytes</h2>");
	dump_member(out, &r, "text", "b64", "The request");
	dump_member(out, &r, "key", "key_b64", "Its key");
	dump_member(out, &r, "stderr", "stderr_b64", "What the stages said");
	if (fill_has(&r, "headers"))
		fill(out, &r, "<h3>Headers</h3><pre class=\"say\" tabindex=\"0\">{headers:8000}</pre>");
	buf_adds(out, "</section>\n");
	frame_close(p);
}
