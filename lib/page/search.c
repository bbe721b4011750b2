#include "esc.h"
#include "frame.h"

static void
where(struct buf *out, const struct rec *hit)
{
	static struct rec c, path;

	if (!fill_in(&c, hit, "chunk"))
		return;
	if (fill_list(&path, &c, "path") && path.n) {
		buf_adds(out, "<p class=\"dim\">");
		for (size_t i = 0; i < path.n && i < 8; i++) {
			buf_adds(out, i ? " / " : "");
			buf_adds(out, "<bdi>");
			fill_value(out, &path.m[i], 80);
			buf_adds(out, "</bdi>");
		}
		buf_adds(out, "</p>");
	}
	fill(out, &c, "<blockquote>{text:1200}</blockquote><p class=\"dim\">");
	if (fill_has(&c, "n"))
		buf_addf(out, "passage %.0f of ", fill_num(&c, "i", 0) + 1);
	fill(out, &c, "{n}");
	if (fill_has(&c, "page"))
		fill(out, &c, ", page {page}");
	buf_adds(out, "</p>");
}

static void
hit(const struct page *p, const struct rec *r)
{
	struct buf *out = p->out;

	fill(out, r, "<li class=\"card\"><h2>");
	fill(out, r, fill_has(r, "title") ? "{title}" : "{doc_key}");
	fill(out, r, "</h2><p class=\"dim\"><bdi>{doc_key}</bdi>");
	if (fill_has(r, "language"))
		fill(out, r, ", <bdi>{language}</bdi>");
	if (fill_has(r, "job_id")) {
		fill(out, r, ", job <a class=\"id\" href=\"/ui/jobs/{%job_id}");
		/* A hit that does not say whose it is, is of the tenant that was asked for. */
		if (fill_has(r, "tenant")) {
			frame_tenant(p, r);
		} else if (frame_all(p) && p->asked) {
			buf_adds(out, "?tenant=");
			esc_urls(out, p->asked);
		}
		fill(out, r, "\">{job_id}</a>");
	}
	buf_adds(out, "</p>");
	where(out, r);
	fill(out, r, "<p class=\"dim\">score {score:8}, words {words:8}, cosine {cosine:8}</p></li>\n");
}

void
page_search(const struct page *p, const char *q, struct page_text hits)
{
	static struct rec r, list, one;
	struct buf *out = p->out;

	frame_open(p, "Search", FRAME_SEARCH, NULL);
	buf_adds(out, "<h1>Search</h1>\n<form class=\"ask\" method=\"get\" action=\"/ui/search\" role=\"search\" aria-label=\"Search the documents\">"
	    "<label for=\"q\">What are you looking for?</label><input id=\"q\" name=\"q\" type=\"search\" maxlength=\"1000\" value=\"");
	esc_whole(out, q);
	/* With an answer, that is what is read. */
	buf_addf(out, "\"%s>", q && *q ? "" : " autofocus");
	frame_ask(p, "of tenant", p->usual);
	buf_adds(out, "<button class=\"first\">Search</button></form>\n");
	if (q && *q) {
		fill_rec(&r, hits);
		fill_list(&list, &r, "hits");
		if (!list.n)
			buf_adds(out, "<p class=\"empty\">Nothing was found.</p>\n");
		else
			buf_addf(out, list.n == 1 ? "<p role=\"status\">The best one.</p>\n<ol class=\"hits\">\n" :
			    "<p role=\"status\">The %zu best, the best first.</p>\n<ol class=\"hits\">\n", list.n);
		for (size_t i = 0; i < list.n && i < 500; i++)
			if (fill_item(&one, &list, i))
				hit(p, &one);
		if (list.n)
			buf_adds(out, "</ol>\n");
	}
	frame_close(p);
}
