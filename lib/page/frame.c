#include "frame.h"

#include <string.h>

#include "esc.h"
#include "when.h"

static const struct {
	const char *path, *name;
	unsigned may;           /* 0: everybody */
} places[] = {
	{ "/", "Overview", 0 }, { "/ui/jobs", "Jobs", 0 }, { "/ui/dead", "Dead letters", 0 }, { "/ui/pipelines", "Pipelines", 0 },
	{ "/ui/workers", "Workers", 0 }, { "/ui/search", "Search", PAGE_MAY_SEARCH },
};

bool
frame_all(const struct page *p)
{
	return p->tenant && !strcmp(p->tenant, "*");
}

bool
frame_every(const struct page *p)
{
	return frame_all(p) && !p->asked;
}

void
frame_asked(const struct page *p, struct buf *out)
{
	if (!frame_all(p) || !p->asked)
		return;
	buf_adds(out, "&amp;tenant=");
	esc_urls(out, p->asked);
}

void
frame_ask(const struct page *p, const char *label, const char *none)
{
	struct buf *out = p->out;

	if (!frame_all(p))
		return;
	buf_addf(out, "<label>%s <input name=\"tenant\" autocomplete=\"off\" spellcheck=\"false\" placeholder=\"", label);
	esc_htmls(out, none);
	buf_adds(out, "\" value=\"");
	esc_whole(out, p->asked);
	buf_adds(out, "\"></label>");
}

static void
navigation(const struct page *p, enum frame_here here)
{
	struct buf *out = p->out;

	buf_adds(out, "<nav aria-label=\"Main\"><ul>");
	for (unsigned i = 0; i < sizeof(places) / sizeof(*places); i++)
		if ((places[i].may & p->may) == places[i].may)
			buf_addf(out, "<li><a href=\"%s\"%s>%s</a></li>", places[i].path, i == here ? " aria-current=\"page\"" : "",
			    places[i].name);
	buf_adds(out, "</ul></nav>\n");
}

static void
identity(const struct page *p)
{
	struct buf *out = p->out;

	buf_adds(out, "<div class=\"who\"><span>");
	if (frame_every(p)) {
		buf_adds(out, "all tenants");
	} else {
		buf_adds(out, "tenant <b>");
		esc_htmls(out, frame_all(p) ? p->asked : p->tenant);
		buf_adds(out, frame_all(p) ? "</b> of all" : "</b>");
	}
	if (p->who) {
		buf_adds(out, ", token <b>");
		esc_htmls(out, p->who);
		buf_adds(out, "</b></span><form method=\"post\" action=\"/session/end\"><button class=\"small\">Sign out</button></form></div>\n");
	} else {
		buf_adds(out, "</span></div>\n");
	}
}

/* sluice.js shows it; without script there is nothing live to tell of. */
static void
live(struct buf *out, const char *events)
{
	buf_addf(out, "<div class=\"live\" id=\"live\" data-events=\"%s\" hidden><span class=\"dot\" aria-hidden=\"true\"></span>"
	    "<span role=\"status\" id=\"live-state\"></span>"
	    "<button type=\"button\" class=\"small\" id=\"live-pause\">Pause updates</button></div>\n", events);
}

void
frame_open(const struct page *p, const char *title, enum frame_here here, const char *events)
{
	struct buf *out = p->out;

	buf_addf(out, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n"
	    "<title>%s - Sluice</title>\n<link rel=\"stylesheet\" href=\"/ui/style.css\">\n"
	    "<link rel=\"icon\" href=\"/ui/icon.svg\" type=\"image/svg+xml\">\n<script src=\"/ui/sluice.js\" defer></script>\n"
	    "</head>\n<body>\n<a class=\"skip\" href=\"#main\">Skip to content</a>\n<header class=\"top\"><div class=\"bar\">"
	    "<a class=\"brand\" href=\"/\"><svg viewBox=\"0 0 32 32\" aria-hidden=\"true\" focusable=\"false\"><path d=\"M4 9h24M4 16h15M4 23h7\"/></svg>"
	    "Sluice</a>\n", title);
	if (p->tenant) {
		navigation(p, here);
		if (events)
			live(out, events);
		identity(p);
	}
	buf_adds(out, "</div></header>\n<main id=\"main\" tabindex=\"-1\">\n");
	if (p->said) {
		buf_adds(out, "<p class=\"said\" id=\"said\" role=\"status\" tabindex=\"-1\">");
		esc_htmls(out, p->said);
		buf_adds(out, "</p>\n");
	}
}

void
frame_close(const struct page *p)
{
	buf_adds(p->out, "</main>\n<footer class=\"foot\"><p>Times are UTC. This page is as of ");
	when_at(p->out, p->now_us, p->now_us);
	buf_adds(p->out, ".");
	if (p->tenant)
		buf_adds(p->out, " The same as JSON: <a href=\"/openapi.json\">the API</a>.");
	buf_adds(p->out, "</p></footer>\n</body>\n</html>\n");
}

void
frame_tenant(const struct page *p, const struct rec *r)
{
	if (frame_all(p) && fill_has(r, "tenant"))
		fill(p->out, r, "?tenant={%tenant}");
}

void
frame_job(const struct page *p, const struct rec *r)
{
	if (!fill_has(r, "job_id"))
		return;
	fill(p->out, r, "<a class=\"id\" href=\"/ui/jobs/{%job_id}");
	frame_tenant(p, r);
	fill(p->out, r, "\">{job_id}</a>");
}

void
frame_fact(struct buf *out, const struct rec *r, const char *name, const char *label, const char *text)
{
	if (!fill_has(r, name))
		return;
	buf_addf(out, "<div><dt>%s</dt><dd>", label);
	fill(out, r, text);
	buf_adds(out, "</dd></div>");
}

void
frame_when(const struct page *p, const struct rec *r, const char *name, const char *label)
{
	int64_t us = fill_time(r, name);

	if (us == WHEN_NONE)
		return;
	buf_addf(p->out, "<div><dt>%s</dt><dd>", label);
	when_at(p->out, p->now_us, us);
	buf_adds(p->out, " <span class=\"dim\">");
	when_ago(p->out, p->now_us, us);
	buf_adds(p->out, "</span></dd></div>");
}

void
frame_bar(struct buf *out, double from, double part, double whole, const char *class)
{
	double scale = whole > 0 ? 100 / whole : 0;

	buf_addf(out, "<svg class=\"bar-of %s\" viewBox=\"0 0 100 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\" focusable=\"false\">"
	    "<rect class=\"rail\" width=\"100\" height=\"10\"/><rect class=\"part\" x=\"%.2f\" width=\"%.2f\" height=\"10\"/></svg>",
	    class, from * scale, part * scale);
}

void
frame_inexact(struct buf *out, const struct rec *r)
{
	bool exact = true;

	rec_bool(rec_get(r, "exact"), &exact);
	if (!exact)
		buf_adds(out, "<span class=\"dim\">There are more jobs than were counted: at least as many as it says.</span>");
}

void
frame_option(struct buf *out, const char *value, const char *text, const char *chosen)
{
	buf_adds(out, "<option value=\"");
	esc_whole(out, value);
	buf_addf(out, "\"%s>", !strcmp(chosen ? chosen : "", value) ? " selected" : "");
	esc_htmls(out, text);
	buf_adds(out, "</option>");
}
